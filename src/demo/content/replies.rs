//! Replies of handling units, fitted to the topic of the title where it is known.

use super::render::{Chance, fill};
use super::topic::topic_of_title;

/// The text of one reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyText {
    /// Digest 摘要.
    pub digest: String,
    /// Full text 正文, paragraphs parted by line feeds.
    pub body: String,
    /// Items already carried out 已落实事项; empty where nothing is done yet.
    pub implemented: Vec<String>,
    /// Reason for not adopting; present for `deferred_by_conditions`,
    /// `for_reference` and `not_feasible`.
    pub not_adopted: Option<String>,
    /// Promises 承诺事项, without dates; present for `in_progress` and `planned`.
    pub promises: Vec<String>,
}

/// What a unit can do about a topic that is not known.
const STEPS: [&str; 3] = [
    "完成相关问题摸底排查并建立台账",
    "制定出台配套工作方案",
    "选取{2-4}个点位开展试点",
];

const OPENINGS: &[&str] = &[
    "收到提案后，{u}高度重视，主要负责同志专题研究，明确分管负责同志牵头、专人承办，并与提案者进行了沟通。",
    "{u}将该提案列为年度重点办理事项，成立办理专班，会同有关单位开展了{2-5}次实地调研，认真听取了提案者意见。",
    "提案内容翔实、针对性强，对改进工作很有帮助。{u}及时制定办理方案，细化分工和时限，多次与有关单位会商。",
    "{u}认真研究了提案所提各项建议，召开办理工作协调会，逐条对照、逐项梳理，形成办理意见。",
];

const DONE: &[&str] = &[
    "目前，提案所提主要建议已基本得到落实。",
    "经共同努力，提案反映的问题已经解决或基本解决。",
    "对照所提建议，各项工作均已按期完成，并通过现场核查。",
];

const PARTLY: &[&str] = &[
    "目前，部分建议已得到落实，其余建议因涉及面较广，正在分步推进。",
    "对具备条件的建议已立行立改，对需要统筹研究的建议将继续推动落实。",
    "已先行解决群众反映最集中的问题，其他事项正会同有关单位研究具体办法。",
];

const RUNNING: &[&str] = &[
    "目前，各项工作已经启动，正按计划推进。",
    "相关工作方案已经确定，任务已分解到责任科室，正在组织实施。",
    "前期手续已基本办结，现已进入实施阶段。",
];

const PLANNED: &[&str] = &[
    "经研究，提案所提建议已列入下一年度工作计划，拟分步组织实施。",
    "结合财力和工作基础，已将有关建议纳入专项规划，待前期工作完成后启动。",
    "已将提案建议转化为年度重点任务，明确了责任科室和实施步骤。",
];

const DEFERRED: &[&str] = &[
    "受年度财政预算安排限制，近期尚不具备全面实施的条件，拟待条件成熟后再行研究。",
    "该事项涉及的专项规划正在修编，在规划批复之前暂不宜单独立项，待规划明确后统筹考虑。",
    "相关配套标准尚未出台，现阶段全面推开存在一定风险，拟持续跟踪研究，待标准明确后再行推进。",
    "该事项涉及多方责任划分，有关各方意见尚未统一，短期内难以完成协调，拟暂缓实施。",
    "经测算，所需投入和后期运行费用较大，目前尚无稳定的资金来源，需另行争取上级支持。",
];

const REFERENCE: &[&str] = &[
    "所提建议具有前瞻性，但现行上级政策对此有统一规定，本级没有调整权限，已作为今后向上反映和完善政策的参考。",
    "该建议涉及体制机制的较大调整，需在充分论证和试点的基础上稳妥研究，现阶段留作决策参考。",
    "相关需求目前规模较小，现有服务渠道基本能够满足，暂不单独设立，已将建议纳入今后工作研究。",
    "经与有关单位会商，所提做法与现行管理要求不尽一致，暂不采纳，其中的合理思路将在工作中吸收借鉴。",
];

const IMPRACTICABLE: &[&str] = &[
    "经论证，所提措施与现行法律法规的规定不一致，不具备实施条件，已向提案者作出说明。",
    "经实地勘察和技术论证，现有条件不满足有关规范要求，所提方案不可行。",
];

const NEXT: &[&str] = &[
    "下一步，{u}将继续加强与有关单位的协作，巩固工作成效，完善长效机制，并及时向提案者反馈进展。",
    "今后，{u}将加强日常监管和跟踪问效，定期开展“回头看”，防止问题反弹。",
    "下一步，{u}将认真吸收提案意见，加强调查研究和部门协同，努力把工作做得更细、更实。",
];

const CLOSINGS: &[&str] = &[
    "衷心感谢对我市工作的关心和支持，恳请继续提出宝贵意见。",
    "感谢对{u}工作的关心，欢迎继续监督并提出意见和建议。",
    "以上答复如有不妥，请批评指正。感谢一直以来的关心和支持。",
];

/// The reply of `unit` to the proposal `title` with the given outcome meaning
/// (7.4 of the domain reference); `n` varies the wording. Unknown meanings are
/// written as `in_progress`.
#[must_use]
pub fn reply(n: usize, title: &str, unit: &str, meaning: &str) -> ReplyText {
    let mut chance = Chance::new(n, 2);
    let own = own_name(unit);
    let steps = steps_for(title, &mut chance);
    let plan = Plan::of(meaning, &steps, &mut chance);
    let subject = subject(title);

    let opening = spoken(chance.pick(OPENINGS), own, &mut chance);
    let next = spoken(chance.pick(NEXT), own, &mut chance);
    let closing = spoken(chance.pick(CLOSINGS), own, &mut chance);
    let body = format!(
        "《{title}》收悉。经研究，现答复如下：\n一、办理过程\n{opening}\n二、建议采纳和落实情况\n{}\n三、下一步工作\n{}{next}\n{closing}",
        plan.finding(),
        plan.outlook(own),
    );
    let digest = format!(
        "就{subject}的建议，{own}会同有关单位进行了研究办理。{}",
        plan.digest()
    );
    ReplyText {
        digest,
        body,
        implemented: plan.implemented,
        not_adopted: plan.not_adopted,
        promises: plan.promises,
    }
}

/// What is done, promised or refused, and the sentence that says so.
struct Plan {
    headline: &'static str,
    implemented: Vec<String>,
    promises: Vec<String>,
    not_adopted: Option<String>,
}

impl Plan {
    fn of(meaning: &str, steps: &Steps, chance: &mut Chance) -> Self {
        let (headlines, done, pledged, reasons): (&[&'static str], usize, usize, &[&str]) =
            match meaning {
                "resolved" | "resolved_otherwise" => (DONE, 3, 0, &[]),
                "partially_resolved" => (PARTLY, 1 + chance.below(2), 0, &[]),
                "planned" => (PLANNED, 0, 1 + chance.below(3), &[]),
                "deferred_by_conditions" => (DEFERRED, 0, 0, DEFERRED),
                "for_reference" => (REFERENCE, 0, 0, REFERENCE),
                "not_feasible" => (IMPRACTICABLE, 0, 0, IMPRACTICABLE),
                _ => (RUNNING, 1, 2, &[]),
            };
        let index = chance.below(headlines.len());
        let headline = headlines.get(index).copied().unwrap_or("");
        let implemented = steps.done.iter().take(done).cloned().collect();
        let promises = steps.planned.iter().take(pledged).cloned().collect();
        let not_adopted = reasons.get(index).map(|reason| (*reason).to_owned());
        Self {
            headline,
            implemented,
            promises,
            not_adopted,
        }
    }

    /// The second section of the body.
    fn finding(&self) -> String {
        let mut text = self.headline.to_owned();
        if !self.implemented.is_empty() {
            text.push_str(&numbered(&self.implemented));
        }
        text
    }

    /// The start of the third section.
    fn outlook(&self, own: &str) -> String {
        if self.promises.is_empty() {
            return String::new();
        }
        format!("{own}承诺做好以下工作：{}", numbered(&self.promises))
    }

    /// The end of the digest.
    fn digest(&self) -> String {
        let mut text = self.headline.to_owned();
        if !self.implemented.is_empty() {
            text.push_str(&self.implemented.join("，"));
            text.push('。');
        }
        if !self.promises.is_empty() {
            text.push_str("计划");
            text.push_str(&self.promises.join("；"));
            text.push('。');
        }
        text
    }
}

/// What can be reported as done, and what can be promised.
struct Steps {
    done: Vec<String>,
    planned: Vec<String>,
}

/// The steps of the topic and angle the title belongs to, or general ones.
fn steps_for(title: &str, chance: &mut Chance) -> Steps {
    let Some((topic, angle, place)) = topic_of_title(title) else {
        let mut steps: Vec<String> = STEPS.iter().map(|step| fill(step, None, chance)).collect();
        steps.rotate_left(chance.below(STEPS.len()));
        let done = steps.iter().map(|step| format!("已{step}")).collect();
        // From the other end, so that nothing is both done and promised.
        steps.reverse();
        return Steps {
            done,
            planned: steps,
        };
    };
    let mut steps: Vec<String> = topic
        .steps
        .iter()
        .map(|step| fill(step, Some(&place), chance))
        .collect();
    steps.rotate_left(chance.below(topic.steps.len()));
    let mut done: Vec<String> = steps
        .iter()
        .take(2)
        .map(|step| format!("已{step}"))
        .collect();
    done.push(format!("已按提案建议{}", headline(angle.first)));
    let planned = [angle.first, angle.second]
        .into_iter()
        .map(|measure| promise(&fill(measure, Some(&place), chance)))
        .chain(steps.into_iter().skip(2))
        .collect();
    Steps { done, planned }
}

/// The first sentence of a suggestion.
fn headline(measure: &str) -> &str {
    measure.split_once('。').map_or(measure, |(first, _)| first)
}

/// A suggestion as one clause.
fn promise(measure: &str) -> String {
    measure.trim_end_matches('。').replacen('。', "，", 1)
}

/// 一是…；二是…。
fn numbered(items: &[String]) -> String {
    let mut text = String::new();
    for (index, item) in items.iter().enumerate() {
        text.push_str(if index == 0 { "" } else { "；" });
        if items.len() > 1 {
            text.push_str(["一是", "二是", "三是"][index % 3]);
        }
        text.push_str(item);
    }
    text.push('。');
    text
}

/// The matter of a title without 关于 and 的提案.
fn subject(title: &str) -> &str {
    let inner = title.strip_prefix("关于").unwrap_or(title);
    inner.strip_suffix("的提案").unwrap_or(inner)
}

/// How a unit speaks of itself.
fn own_name(unit: &str) -> &'static str {
    let endings = [
        ("管理委员会", "我委"),
        ("委员会", "我委"),
        ("国资委", "我委"),
        ("人民政府", "我单位"),
        ("法院", "我院"),
        ("检察院", "我院"),
        ("办公室", "我办"),
        ("学院", "我院"),
        ("公司", "我公司"),
        ("集团", "我集团"),
        ("部", "我部"),
        ("局", "我局"),
        ("会", "我会"),
        ("办", "我办"),
    ];
    endings
        .iter()
        .find(|(ending, _)| unit.ends_with(ending))
        .map_or("我单位", |(_, own)| own)
}

/// Fills a sentence in which `{u}` is the unit itself.
fn spoken(template: &str, own: &str, chance: &mut Chance) -> String {
    fill(&template.replace("{u}", own), None, chance)
}

#[cfg(test)]
mod tests {
    use super::super::{UNITS, matter};
    use super::{own_name, reply};

    const MEANINGS: [&str; 8] = [
        "resolved",
        "resolved_otherwise",
        "partially_resolved",
        "in_progress",
        "planned",
        "deferred_by_conditions",
        "for_reference",
        "not_feasible",
    ];

    #[test]
    fn every_meaning_brings_what_it_must() {
        for n in 0..800 {
            let matter = matter(n);
            let meaning = MEANINGS[n % MEANINGS.len()];
            let unit = UNITS[matter.units[0]].name;
            let text = reply(n, &matter.title, unit, meaning);
            let refused =
                ["deferred_by_conditions", "for_reference", "not_feasible"].contains(&meaning);
            assert_eq!(text.not_adopted.is_some(), refused, "{n} {meaning}");
            let promised = ["in_progress", "planned"].contains(&meaning);
            assert_eq!(!text.promises.is_empty(), promised, "{n} {meaning}");
            let done = meaning.contains("resolved") || meaning == "in_progress";
            assert_eq!(!text.implemented.is_empty(), done, "{n} {meaning}");
            assert!(text.body.contains(&matter.title), "{n}");
            assert!(text.body.chars().count() > 180, "{n} {}", text.body);
            assert!(
                (40..=400).contains(&text.digest.chars().count()),
                "{n} {}",
                text.digest
            );
            for part in [&text.body, &text.digest] {
                assert!(!part.contains(['{', '}']), "{n} {part}");
            }
        }
    }

    #[test]
    fn known_titles_get_their_own_steps() {
        let title = "关于破解青澜区柳堰街道停车难问题的提案";
        let text = reply(4, title, "市城市管理局", "resolved");
        assert!(
            text.implemented.iter().any(|item| item.contains("停车")),
            "{text:?}"
        );
        let other = reply(4, "关于别的事情的提案", "市城市管理局", "resolved");
        assert_eq!(other.implemented.len(), 3);
        assert_eq!(text, reply(4, title, "市城市管理局", "resolved"));
    }

    #[test]
    fn units_speak_of_themselves() {
        assert_eq!(own_name("市教育局"), "我局");
        assert_eq!(own_name("市卫生健康委员会"), "我委");
        assert_eq!(own_name("市委宣传部"), "我部");
        assert_eq!(own_name("青澜区人民政府"), "我单位");
        assert_eq!(own_name("团市委"), "我单位");
    }
}
