//! The short texts around a case: opinions, contact notes, comments, explanations.

use super::render::{Chance, fill};

const OPINION_START: &[&str] = &[
    "经研究，我单位原则同意主办单位的办理思路，现提出会办意见如下：",
    "提案所提建议切合实际，我单位结合职能提出以下意见：",
    "收到会办件后，我单位进行了专题研究，意见如下：",
    "结合本单位职责，对提案涉及的相关事项说明如下：",
];

const OPINION_MIDDLE: &[&str] = &[
    "一是配合做好前期调查摸底，提供所掌握的基础数据；二是在职责范围内优化审批流程，相关手续力争{5-15}个工作日内办结。",
    "今年已安排相关经费{20-260/10}万元，后续将根据主办单位方案和财力状况，统筹考虑资金支持。",
    "我单位将指定专人参与联席会商，对涉及本部门的事项列入年度工作要点，按季度报送进展。",
    "涉及标准和规划的内容，建议与正在编制的专项规划衔接，避免重复建设；我单位将提供技术指导。",
    "前期已开展相关检查{2-6}次，发现并整改问题{8-46}个，今后将加大巡查频次，配合做好长效管理。",
    "对涉及多部门的事项，建议由主办单位牵头明确责任清单和时间节点，我单位按分工抓好落实。",
    "相关政策已在部分区域试点，效果较好，可结合提案所涉区域实际逐步推开，我单位将做好政策解释和业务培训。",
    "建议优先实施群众反映集中、条件成熟的项目，我单位将在人员力量和信息共享方面给予支持。",
];

const OPINION_END: &[&str] = &[
    "以上意见供主办单位答复时参考。",
    "请主办单位统筹考虑，一并答复提案者。",
    "如有需要，我单位愿共同与提案者面商。",
    "除此以外，无其他补充意见。",
];

/// The opinion of a co-handling unit 会办意见.
#[must_use]
pub fn opinion(n: usize) -> String {
    let mut chance = Chance::new(n, 3);
    let mut text = chance.pick(OPINION_START).to_owned();
    let count = if chance.percent(35) { 2 } else { 1 };
    for sentence in chance.sample(OPINION_MIDDLE, count) {
        text.push_str(&fill(sentence, None, &mut chance));
    }
    text.push_str(chance.pick(OPINION_END));
    text
}

const EXAMINATION: [&[&str]; 3] = [
    &[
        "该提案一事一案，案由与内容相符，",
        "提案选题贴近实际，反映的问题比较集中，",
        "提案者具备资格，格式符合要求，",
        "案据较为充分，数据来源清楚，",
        "选题具有现实意义，调研比较扎实，",
        "提案围绕群众关心的具体问题展开，情况清楚，",
    ],
    &[
        "所提建议具体可行，",
        "分析有针对性，建议明确，",
        "建议事项属本市职权范围，具有可操作性，",
        "情况、分析、建议三部分完整，",
        "建议与现行政策衔接较好，",
    ],
    &[
        "符合立案条件，建议立案。",
        "建议立案交办，请承办单位加强与提案者沟通。",
        "同意立案，建议明确主办单位并由相关单位会办。",
        "同意按程序立案交办。",
        "建议立案，办理中可结合年度重点工作统筹推进。",
    ],
];

/// The opinion of an examiner 审查意见 who recommends filing.
#[must_use]
pub fn examination_opinion(n: usize) -> String {
    let mut chance = Chance::new(n, 4);
    EXAMINATION
        .iter()
        .map(|phrases| chance.pick(phrases))
        .collect()
}

const SAID: &[&str] = &[
    "向提案者通报了提案交办和任务分解情况，介绍了前期工作基础，并就初步办理思路征求意见。",
    "围绕提案所提建议逐条说明办理打算，对暂不具备条件的事项解释了原因，听取了提案者的补充意见。",
    "与提案者一同查看了现场，介绍已采取的{2-5}项措施，讨论了下一步的重点和时间安排。",
    "就答复初稿征求提案者意见，说明了各会办单位的分工，并对数据口径作了解释。",
    "了解提案形成的背景和主要诉求，核实了文中提到的具体点位和问题，约定了后续沟通方式。",
    "汇报了资金安排和项目进度，说明目前的难点主要在手续办理和多方协调，商议了推进办法。",
];

const VIEW: &[&str] = &[
    "提案者对办理思路表示认可，希望进一步明确时间节点。",
    "提案者认为回应比较实在，建议先从群众反映最强烈的点位做起。",
    "提案者对前期工作表示理解和支持，希望加强部门协作，避免重复推进。",
    "提案者同意分步实施，建议定期通报进展，适时邀请委员实地察看。",
    "提案者对部分建议暂缓实施表示理解，希望条件具备后及时启动。",
    "提案者建议在答复中增加量化目标，并说明资金来源和责任单位。",
    "提案者补充了两点意见，希望一并研究吸收，对沟通方式表示满意。",
    "提案者认为措施还可以更具体，希望重视建成后的管理和维护。",
];

/// A contact before the reply: what was said, and the proposer's view.
#[must_use]
pub fn contact_note(n: usize) -> (String, String) {
    let mut chance = Chance::new(n, 5);
    let said = fill(chance.pick(SAID), None, &mut chance);
    (said, chance.pick(VIEW).to_owned())
}

/// The proposer's comment on the opinion form for a grade of 7.5. A satisfied
/// rater often writes nothing, a dissatisfied one always gives a reason, and
/// `not_returned` has none.
#[must_use]
pub fn feedback_comment(n: usize, grade: &str) -> Option<String> {
    let mut chance = Chance::new(n, 6);
    let (percent, phrases): (usize, &[&str]) = match grade {
        "satisfied" => (55, SATISFIED),
        "basically_satisfied" => (75, BASICALLY_SATISFIED),
        "understanding" => (80, UNDERSTANDING),
        "reserved" => (90, RESERVED),
        "no_view" => (30, NO_VIEW),
        "dissatisfied" => (100, DISSATISFIED),
        _ => (0, &[]),
    };
    chance
        .percent(percent)
        .then(|| chance.pick(phrases).to_owned())
}

const SATISFIED: &[&str] = &[
    "办理认真负责，答复针对性强，对落实情况表示满意。",
    "承办单位多次沟通，分管领导亲自到现场，问题得到解决，感谢！",
    "答复实事求是，措施具体，希望继续做好后续管理。",
    "办理效率高，群众反映良好。",
    "对办理态度和结果均满意，望形成长效机制。",
    "建议采纳充分，进展通报及时，体现了对委员意见的尊重。",
];

const BASICALLY_SATISFIED: &[&str] = &[
    "答复较为全面，部分措施还需明确完成时限。",
    "办理态度好，希望加快推进步伐，早日见到成效。",
    "基本认可，建议对后续运维经费作进一步安排。",
    "主要诉求得到回应，个别建议的落实情况还需跟踪。",
    "总体满意，希望承办单位之间再加强协同。",
    "前期工作有成效，期待剩余事项按计划完成。",
];

const UNDERSTANDING: &[&str] = &[
    "理解目前条件限制，希望条件成熟后及时启动。",
    "对解释表示理解，建议做好前期研究和项目储备。",
    "受政策限制暂难落实，可以理解，望继续向上反映。",
];

const RESERVED: &[&str] = &[
    "对暂不采纳的理由持保留意见，建议再作论证。",
    "认为成本测算依据不够充分，保留意见。",
    "希望进一步研究替代方案，暂持保留意见。",
];

const NO_VIEW: &[&str] = &[
    "暂不表态，待看到实际进展后再作评价。",
    "情况已知悉，视后续落实再定。",
];

const DISSATISFIED: &[&str] = &[
    "答复多为已有工作介绍，对所提具体建议没有正面回应，现场情况未见改善。",
    "答复前未与提案者充分沟通，内容与建议不对应，请重新研究办理。",
    "承诺事项没有时间表和责任人，同一问题已连续反映两年，希望拿出实质性措施。",
    "主办与会办单位口径不一致，问题仍在相互推诿，对办理结果不满意。",
    "以条件不具备为由简单回复，未说明具体原因和替代办法，不能接受。",
];

/// The explanation sent to the proposer for a refusal reason of 7.2.
#[must_use]
pub fn refusal_explanation(code: &str) -> String {
    match code {
        "no_concrete_suggestion" => {
            "经审查，该提案主要反映现象和一般性看法，缺少具体、可操作的建议，承办单位难以据此办理，依照提案工作条例有关规定不予立案。建议补充调研，明确建议事项后另行提出。"
        }
        "multiple_matters" => {
            "经审查，该提案同时涉及多个互不关联的事项，不符合一事一案的要求，无法确定主办单位，不予立案。建议就不同事项分别撰写提案；其中可供参考的内容，征得同意后转有关部门研究。"
        }
        "private_interest" => {
            "经审查，该提案主要反映本人或亲属的个人事项，不属于提案受理范围，不予立案。有关诉求可以通过信访、12345热线、行政复议或者诉讼等法定渠道反映。"
        }
        "outside_jurisdiction" => {
            "经审查，所提事项的决定权限属于上级机关，不在本市职权范围之内，本级承办单位无权办理，不予立案。征得提案者同意后，可以转报上级政协或者作为社情民意信息反映。"
        }
        "cppcc_internal_affairs" => {
            "经审查，该提案内容属于对政协机关日常工作的意见建议，不作为提案立案，已转市政协办公室研究处理，办理情况将直接向提案者反馈。"
        }
        "academic_discussion" => {
            "经审查，该提案内容属于学术研讨，没有需要有关单位办理的事项，不予立案，可通过有关学会或研究机构交流。"
        }
        "forwarded_letter" => {
            "经审查，该件系代转群众来信，不作为提案立案，已按信访工作有关规定转交受理单位，并请其直接答复来信人。"
        }
        "in_legal_proceedings" => {
            "经审查，所反映事项已进入诉讼、仲裁或者行政复议程序，应由有关机关依法处理，不予立案。"
        }
        _ => {
            "经审查，该提案不符合提案工作条例规定的立案条件，不予立案。如有新的情况和具体建议，欢迎调整完善后另行提出。"
        }
    }
    .to_owned()
}

const REVISION: [&[&str]; 2] = [
    &[
        "案由与正文不完全一致，请调整案由，使其准确概括所提事项。",
        "建议部分较为原则，请补充具体措施和希望有关单位完成的事项。",
        "文中数据未注明来源和时间，请核实后补充说明。",
        "所提事项较多，请按一事一案的要求突出一个主题，其余内容可另行提出。",
        "情况部分篇幅过长，请压缩背景介绍，突出主要问题。",
        "分析与建议对应不够，请围绕问题成因逐条提出建议。",
        "联名委员信息与附件不一致，请核对后重新确认。",
        "文中出现个人联系方式和具体人员信息，请删除或作匿名处理。",
        "所述情况近一年已有变化，请与有关单位核实最新进展后修改。",
    ],
    &[
        "请在规定期限内修改后重新提交。",
        "修改中如需帮助，可与提案委办公室联系。",
        "",
    ],
];

/// Why a proposal goes back to its proposer 退回修改理由.
#[must_use]
pub fn revision_reason(n: usize) -> String {
    let mut chance = Chance::new(n, 7);
    REVISION
        .iter()
        .map(|phrases| chance.pick(phrases))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{
        contact_note, examination_opinion, feedback_comment, opinion, refusal_explanation,
        revision_reason,
    };
    use std::collections::HashSet;

    #[test]
    fn short_texts_vary_and_have_no_holes() {
        let mut opinions = HashSet::new();
        for n in 0..400 {
            let (said, view) = contact_note(n);
            let texts = [
                opinion(n),
                examination_opinion(n),
                said,
                view,
                revision_reason(n),
            ];
            for text in &texts {
                assert!(text.chars().count() >= 15, "{n} {text}");
                assert!(!text.contains(['{', '}']), "{n} {text}");
            }
            assert_eq!(texts[0], opinion(n));
            opinions.insert(opinion(n));
        }
        assert!(opinions.len() > 200, "{}", opinions.len());
    }

    #[test]
    fn comments_follow_the_grade() {
        for n in 0..200 {
            assert!(feedback_comment(n, "dissatisfied").is_some());
            assert!(feedback_comment(n, "not_returned").is_none());
        }
        let written = (0..1000)
            .filter(|n| feedback_comment(*n, "satisfied").is_some())
            .count();
        assert!((450..650).contains(&written), "{written}");
    }

    #[test]
    fn each_refusal_has_its_own_words() {
        let codes = [
            "no_concrete_suggestion",
            "multiple_matters",
            "private_interest",
            "outside_jurisdiction",
            "cppcc_internal_affairs",
            "other",
        ];
        let texts: HashSet<String> = codes.iter().map(|code| refusal_explanation(code)).collect();
        assert_eq!(texts.len(), codes.len());
    }
}
