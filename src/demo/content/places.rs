//! The invented geography of 云川市: districts, subdistricts, townships, parks, waters.

/// The kinds of places a topic can speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pool {
    /// Urban subdistricts (街道).
    Street,
    /// Rural townships (乡镇).
    Town,
    /// Industrial parks.
    Park,
    /// Industries of the city, no place of their own.
    Industry,
    /// Rivers, lakes and reservoirs.
    River,
    /// Districts, counties, zones and quarters.
    Area,
}

/// A place as a template needs it.
pub(super) struct Place {
    /// Full name with its district where that helps.
    pub(super) full: String,
    /// Short name for repeated mention.
    pub(super) short: &'static str,
    /// Name of the district, county or zone; the city for an industry.
    pub(super) district: &'static str,
    /// Name of the district government or zone administration.
    pub(super) government: Option<&'static str>,
}

/// Districts, counties and zones with their governments.
const DISTRICTS: [(&str, &str); 13] = [
    ("青澜区", "青澜区人民政府"),
    ("砚湖区", "砚湖区人民政府"),
    ("朔岭区", "朔岭区人民政府"),
    ("禾渡市", "禾渡市人民政府"),
    ("澄溪县", "澄溪县人民政府"),
    ("岚屏县", "岚屏县人民政府"),
    ("竹隐县", "竹隐县人民政府"),
    ("霁山县", "霁山县人民政府"),
    ("碧槐县", "碧槐县人民政府"),
    ("云川高新区", "云川高新技术产业开发区管理委员会"),
    ("云川经开区", "云川经济技术开发区管理委员会"),
    ("澜江新区", "澜江新区管理委员会"),
    ("砚湖度假区", "砚湖旅游度假区管理委员会"),
];

/// Subdistricts: index of the district, name.
const STREETS: &[(usize, &str)] = &[
    (0, "柳堰街道"),
    (1, "砚池街道"),
    (2, "朔风门街道"),
    (3, "禾香街道"),
    (0, "澜湾街道"),
    (1, "墨岭街道"),
    (2, "铁山桥街道"),
    (9, "创新谷街道"),
    (0, "棠梨街道"),
    (1, "湖汀街道"),
    (2, "矿泉路街道"),
    (10, "锦帆街道"),
    (0, "北舫街道"),
    (1, "荷浦街道"),
    (2, "凤栎街道"),
    (3, "谷埠街道"),
    (0, "织机巷街道"),
    (1, "听松街道"),
    (2, "红砖厂街道"),
    (11, "潮音街道"),
    (0, "书院坊街道"),
    (1, "竹篙湾街道"),
    (2, "松坪街道"),
    (0, "盐铺街道"),
    (1, "银杏里街道"),
    (2, "望岭街道"),
    (0, "石榴园街道"),
    (1, "鹭汀街道"),
    (9, "星轨街道"),
    (0, "云栈街道"),
    (3, "渡口街道"),
    (11, "帆影街道"),
    (0, "镜塘街道"),
    (1, "芡塘街道"),
];

/// Townships: index of the district, name.
const TOWNS: &[(usize, &str)] = &[
    (4, "七孔桥镇"),
    (5, "岚口镇"),
    (6, "千竿镇"),
    (7, "霁城镇"),
    (8, "槐城镇"),
    (3, "稻香镇"),
    (0, "芦滩镇"),
    (4, "澄阳镇"),
    (5, "雾源镇"),
    (6, "笋涧镇"),
    (7, "雪松坪镇"),
    (8, "碧泓镇"),
    (3, "十里渡镇"),
    (1, "石砚镇"),
    (4, "野茶坪乡"),
    (5, "屏后镇"),
    (6, "竹隐镇"),
    (7, "晴岭镇"),
    (8, "枣林坡镇"),
    (3, "丰廪镇"),
    (2, "铁炉坳镇"),
    (4, "云磴乡"),
    (5, "鹰嘴岩乡"),
    (6, "篁坞镇"),
    (7, "药王坳乡"),
    (8, "三眼井镇"),
    (3, "麦垄镇"),
    (0, "双槐镇"),
    (4, "溪折镇"),
    (5, "栗子坳镇"),
    (6, "纸坊坳乡"),
    (7, "石耳镇"),
    (8, "蜂箱岭乡"),
    (1, "荻花镇"),
    (2, "青棠乡"),
];

/// Industrial parks: index of the district, name.
const PARKS: &[(usize, &str)] = &[
    (0, "澜湾智造园"),
    (10, "新能源汽车零部件产业园"),
    (3, "禾香农产品加工园"),
    (9, "光电产业园"),
    (1, "荷浦食品产业园"),
    (2, "望岭装备制造园"),
    (4, "澄阳轻纺产业园"),
    (11, "潮音智慧物流园"),
    (5, "岚口农机产业园"),
    (6, "千竿竹产业园"),
    (7, "霁城中药材产业园"),
    (8, "槐城家居产业园"),
    (0, "棠梨都市工业园"),
    (10, "智能家电产业园"),
    (1, "墨岭新材料产业园"),
    (9, "生命健康产业园"),
    (2, "铁山桥工业园"),
    (3, "谷埠五金产业园"),
    (4, "七孔桥建材产业园"),
    (5, "雾源生物科技园"),
    (6, "笋涧绿色食品园"),
    (7, "石耳山货加工园"),
    (8, "碧泓返乡创业园"),
    (11, "澜江港产业园"),
    (0, "北舫电子产业园"),
    (1, "鹭汀智能装备园"),
    (2, "矿山转型示范园"),
    (3, "丰廪粮食产业园"),
    (4, "澄溪茶产业园"),
    (9, "创新谷制造园"),
    (10, "锦帆出口加工园"),
    (0, "云栈包装印刷园"),
];

/// Industries of the city; the index is not used.
const INDUSTRIES: &[(usize, &str)] = &[
    (0, "新能源材料"),
    (0, "茶叶加工"),
    (0, "汽车零部件"),
    (0, "生物医药"),
    (0, "竹木家居"),
    (0, "智能家电"),
    (0, "中药材加工"),
    (0, "精密铸造"),
    (0, "预制食品"),
    (0, "光电显示"),
    (0, "轻纺服装"),
    (0, "农机装备"),
    (0, "绿色建材"),
    (0, "粮油加工"),
    (0, "医疗器械"),
    (0, "五金工具"),
    (0, "节能环保装备"),
    (0, "水产加工"),
    (0, "特种纸"),
    (0, "工业母机"),
    (0, "食用菌加工"),
    (0, "电线电缆"),
    (0, "包装印刷"),
    (0, "储能设备"),
    (0, "宠物用品"),
    (0, "智能传感器"),
    (0, "茶油加工"),
    (0, "体育用品"),
    (0, "工业机器人"),
    (0, "再生金属"),
    (0, "文具用品"),
    (0, "化工新材料"),
];

/// Waters: index of the district, name.
const RIVERS: &[(usize, &str)] = &[
    (0, "柳堰河"),
    (1, "砚湖"),
    (2, "铁山河"),
    (3, "禾江"),
    (4, "澄溪"),
    (5, "岚屏河"),
    (6, "笋涧河"),
    (7, "霁水"),
    (8, "碧泓河"),
    (9, "星轨河"),
    (11, "潮音港"),
    (0, "织机河"),
    (1, "荷浦溪"),
    (2, "朔水河"),
    (3, "谷埠河"),
    (4, "七孔桥河"),
    (5, "雾源溪"),
    (6, "千竿湖"),
    (7, "雪松溪"),
    (8, "槐江"),
    (0, "北舫港"),
    (1, "鹭汀湖"),
    (2, "望岭湖"),
    (3, "丰廪湖"),
    (6, "篁坞溪"),
    (8, "枣林河"),
    (11, "帆影湖"),
    (4, "溪折河"),
];

/// Districts, county towns and quarters: index of the district, name.
const AREAS: &[(usize, &str)] = &[
    (0, "青澜区"),
    (1, "砚湖区"),
    (2, "朔岭区"),
    (3, "禾渡市"),
    (4, "澄溪县"),
    (5, "岚屏县"),
    (6, "竹隐县"),
    (7, "霁山县"),
    (8, "碧槐县"),
    (9, "云川高新区"),
    (10, "云川经开区"),
    (11, "澜江新区"),
    (12, "砚湖度假区"),
    (3, "禾渡市主城区"),
    (4, "澄溪县城区"),
    (5, "岚屏县城区"),
    (6, "竹隐县城区"),
    (7, "霁山县城区"),
    (8, "碧槐县城区"),
    (0, "青澜区老城片区"),
    (0, "青澜区北岸片区"),
    (0, "青澜区澜湾片区"),
    (1, "砚湖区湖东片区"),
    (1, "砚湖区湖西片区"),
    (1, "砚湖区大学城片区"),
    (2, "朔岭区南麓片区"),
    (2, "朔岭区铁山片区"),
    (10, "高铁新城片区"),
    (9, "城东新城片区"),
    (11, "滨江片区"),
    (11, "澜江新区起步区"),
];

impl Pool {
    fn entries(self) -> &'static [(usize, &'static str)] {
        match self {
            Self::Street => STREETS,
            Self::Town => TOWNS,
            Self::Park => PARKS,
            Self::Industry => INDUSTRIES,
            Self::River => RIVERS,
            Self::Area => AREAS,
        }
    }

    /// Number of places in the pool.
    pub(super) fn len(self) -> usize {
        self.entries().len()
    }

    /// Place `index`, counted round.
    pub(super) fn place(self, index: usize) -> Place {
        let entries = self.entries();
        let (district, name) = entries[index % entries.len()];
        let (district, government) = DISTRICTS[district % DISTRICTS.len()];
        match self {
            Self::Industry => Place {
                full: name.to_owned(),
                short: name,
                district: "我市",
                government: None,
            },
            Self::Area => Place {
                full: name.to_owned(),
                short: name,
                district,
                government: Some(government),
            },
            _ => Place {
                full: format!("{district}{name}"),
                short: name,
                district,
                government: Some(government),
            },
        }
    }
}

/// The place of a pool with this full name.
pub(super) fn place_named(pool: Pool, full: &str) -> Option<Place> {
    (0..pool.len())
        .map(|index| pool.place(index))
        .find(|place| place.full == full)
}

#[cfg(test)]
mod tests {
    use super::super::UNITS;
    use super::{DISTRICTS, Pool};
    use std::collections::HashSet;

    #[test]
    fn every_name_is_different_and_every_government_is_a_unit() {
        for pool in [
            Pool::Street,
            Pool::Town,
            Pool::Park,
            Pool::Industry,
            Pool::River,
            Pool::Area,
        ] {
            let names: HashSet<String> = (0..pool.len()).map(|i| pool.place(i).full).collect();
            assert_eq!(names.len(), pool.len(), "{pool:?}");
        }
        for (_, government) in DISTRICTS {
            assert!(
                UNITS.iter().any(|unit| unit.name == government),
                "{government}"
            );
        }
    }
}
