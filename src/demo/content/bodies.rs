//! The bodies of the demo committee: handling units, collective proposers, sectors, parties.

/// A unit that can be given proposals to handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Name as it stands in documents.
    pub name: &'static str,
    /// Prefix word of its document numbers, such as 云教提复.
    pub short: &'static str,
    /// Code of its system line, such as `government`.
    pub line: &'static str,
}

/// A body that puts collective proposals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// Name as it stands in documents.
    pub name: &'static str,
    /// Code of its proposer kind, such as `party`.
    pub kind: &'static str,
}

const fn unit(name: &'static str, short: &'static str, line: &'static str) -> Unit {
    Unit { name, short, line }
}

const fn body(name: &'static str, kind: &'static str) -> Organisation {
    Organisation { name, kind }
}

/// The handling units of the city; [`super::Matter::units`] holds indexes into this list.
pub const UNITS: [Unit; 86] = [
    unit("市委办公室", "云办提复", "party_committee"),
    unit("市委组织部", "云组提复", "party_committee"),
    unit("市委宣传部", "云宣提复", "party_committee"),
    unit("市委统战部", "云统提复", "party_committee"),
    unit("市委政法委", "云政法提复", "party_committee"),
    unit("市委社会工作部", "云社工提复", "party_committee"),
    unit("市委网信办", "云网信提复", "party_committee"),
    unit("市委编办", "云编提复", "party_committee"),
    unit("市委党校", "云党校提复", "party_committee"),
    unit("市信访局", "云信提复", "party_committee"),
    unit("市档案馆", "云档提复", "party_committee"),
    unit("市融媒体中心", "云融媒提复", "party_committee"),
    unit("市人大常委会办公室", "云人办提复", "people_congress"),
    unit("市政府办公室", "云政办提复", "government"),
    unit("市发展和改革委员会", "云发改提复", "government"),
    unit("市教育局", "云教提复", "government"),
    unit("市科学技术局", "云科提复", "government"),
    unit("市工业和信息化局", "云工信提复", "government"),
    unit("市民族宗教事务局", "云民宗提复", "government"),
    unit("市公安局", "云公提复", "government"),
    unit("市民政局", "云民提复", "government"),
    unit("市司法局", "云司提复", "government"),
    unit("市财政局", "云财提复", "government"),
    unit("市人力资源和社会保障局", "云人社提复", "government"),
    unit("市自然资源和规划局", "云自然提复", "government"),
    unit("市生态环境局", "云环提复", "government"),
    unit("市住房和城乡建设局", "云建提复", "government"),
    unit("市城市管理局", "云城管提复", "government"),
    unit("市交通运输局", "云交提复", "government"),
    unit("市水利局", "云水提复", "government"),
    unit("市农业农村局", "云农提复", "government"),
    unit("市商务局", "云商提复", "government"),
    unit("市文化广电和旅游局", "云文旅提复", "government"),
    unit("市卫生健康委员会", "云卫提复", "government"),
    unit("市退役军人事务局", "云退役提复", "government"),
    unit("市应急管理局", "云应急提复", "government"),
    unit("市审计局", "云审提复", "government"),
    unit("市政府国资委", "云国资提复", "government"),
    unit("市市场监督管理局", "云市监提复", "government"),
    unit("市体育局", "云体提复", "government"),
    unit("市统计局", "云统计提复", "government"),
    unit("市医疗保障局", "云医保提复", "government"),
    unit("市林业局", "云林提复", "government"),
    unit("市数据局", "云数提复", "government"),
    unit("市政务服务管理局", "云政务提复", "government"),
    unit("市地方金融管理局", "云金融提复", "government"),
    unit("市投资促进局", "云投促提复", "government"),
    unit("市住房公积金管理中心", "云公积金提复", "government"),
    unit("市供销合作社联合社", "云供销提复", "government"),
    unit("市消防救援支队", "云消提复", "government"),
    unit("市气象局", "云气提复", "government"),
    unit("国家税务总局云川市税务局", "云税提复", "government"),
    unit("市邮政管理局", "云邮提复", "government"),
    unit("青澜区人民政府", "青政提复", "government"),
    unit("砚湖区人民政府", "砚政提复", "government"),
    unit("朔岭区人民政府", "朔政提复", "government"),
    unit("禾渡市人民政府", "禾政提复", "government"),
    unit("澄溪县人民政府", "澄政提复", "government"),
    unit("岚屏县人民政府", "岚政提复", "government"),
    unit("竹隐县人民政府", "竹政提复", "government"),
    unit("霁山县人民政府", "霁政提复", "government"),
    unit("碧槐县人民政府", "碧政提复", "government"),
    unit(
        "云川高新技术产业开发区管理委员会",
        "云高新提复",
        "government",
    ),
    unit("云川经济技术开发区管理委员会", "云经开提复", "government"),
    unit("澜江新区管理委员会", "澜管提复", "government"),
    unit("砚湖旅游度假区管理委员会", "砚管提复", "government"),
    unit("市政协办公室", "云协办提复", "cppcc"),
    unit("市中级人民法院", "云中法提复", "court"),
    unit("市人民检察院", "云检提复", "procuratorate"),
    unit("市总工会", "云工提复", "people_organisation"),
    unit("团市委", "云团提复", "people_organisation"),
    unit("市妇联", "云妇提复", "people_organisation"),
    unit("市科协", "云科协提复", "people_organisation"),
    unit("市残联", "云残提复", "people_organisation"),
    unit("市工商联", "云联提复", "people_organisation"),
    unit("市文联", "云文联提复", "people_organisation"),
    unit("市红十字会", "云红提复", "people_organisation"),
    unit("中国人民银行云川市分行", "云银提复", "other"),
    unit("云川金融监管分局", "云金监提复", "other"),
    unit("市通信发展管理办公室", "云通管提复", "other"),
    unit("云川供电公司", "云电提复", "other"),
    unit("云川水务集团", "云水务提复", "other"),
    unit("云川公共交通集团", "云公交提复", "other"),
    unit("云川城市建设投资集团", "云城投提复", "other"),
    unit("云川学院", "云院提复", "other"),
    unit("云川职业技术学院", "云职院提复", "other"),
];

/// The bodies that put collective proposals.
pub const ORGANISATIONS: [Organisation; 26] = [
    body("民革云川市委会", "party"),
    body("民盟云川市委会", "party"),
    body("民建云川市委会", "party"),
    body("民进云川市委会", "party"),
    body("农工党云川市委会", "party"),
    body("致公党云川市委会", "party"),
    body("九三学社云川市委会", "party"),
    body("云川市总工会", "people_organisation"),
    body("共青团云川市委", "people_organisation"),
    body("云川市妇联", "people_organisation"),
    body("云川市工商联", "people_organisation"),
    body("云川市科协", "people_organisation"),
    body("云川市侨联", "people_organisation"),
    body("市政协提案委员会", "special_committee"),
    body("市政协经济委员会", "special_committee"),
    body("市政协农业和农村委员会", "special_committee"),
    body("市政协人口资源环境委员会", "special_committee"),
    body("市政协教科卫体委员会", "special_committee"),
    body("医药卫生界", "sector"),
    body("教育界", "sector"),
    body("农业界", "sector"),
    body("委员第三小组", "member_group"),
    body("委员第七小组", "member_group"),
    body("政协青澜区委员会", "county_committee"),
    body("政协禾渡市委员会", "county_committee"),
    body("政协澄溪县委员会", "county_committee"),
];

/// The sectors (界别) of the committee.
pub const SECTORS: &[&str] = &[
    "中共",
    "民革",
    "民盟",
    "民建",
    "民进",
    "农工党",
    "致公党",
    "九三学社",
    "台盟",
    "无党派人士",
    "共青团",
    "总工会",
    "妇联",
    "青联",
    "工商联",
    "科协",
    "台联",
    "侨联",
    "文化艺术界",
    "科学技术界",
    "社会科学界",
    "经济界",
    "农业界",
    "教育界",
    "体育界",
    "新闻出版界",
    "医药卫生界",
    "对外友好界",
    "社会福利和社会保障界",
    "少数民族界",
    "宗教界",
    "环境资源界",
    "特邀人士",
];

/// Political parties a member can belong to, and those without one.
pub const PARTIES: &[&str] = &[
    "中共",
    "民革",
    "民盟",
    "民建",
    "民进",
    "农工党",
    "致公党",
    "九三学社",
    "台盟",
    "无党派人士",
];
