//! Words and examples of what follows a reply: promises, tracking, supervision, urging,
//! instructions.

use serde_json::json;

use super::{Doc, doc};
use crate::workflow::proposal::ProposalAction as P;

/// Words and example of an action of the follow-up.
pub(super) fn of(action: P) -> Doc {
    match action {
        P::StartTracking => doc(
            "Puts the case on the list of a year by decision: it is tracked from now on, through closing and beyond. The system tracks by itself what is delivered with promises or with an outcome of `tracking.required_for`.",
            json!({
                "decided_by": "提案委主任会议",
                "list_year": 2026,
                "targets": "年底前开通社区微循环三号线，早晚高峰间隔不超过十分钟。"
            }),
        ),
        P::ReportProgress => doc(
            "A unit that handles or handled the case tells what it has done since, with evidence; with `promise_id` about one of its promises. It may say what its reply comes to by now.",
            json!({
                "text": "三号线已于十一月试运行，日均客流八百人次。",
                "evidence": "试运行公告，交运〔2026〕88号",
                "promise_id": "prom_019a1b2c3d4e7f8090a1b2c3d4e5f607",
                "proposed_outcome": "resolved"
            }),
        ),
        P::FulfilPromise => doc(
            "Confirms that a promise was kept; the unit must have reported on it (`evidence_on_record`). With `outcome` the present outcome of the reply rises; the unit's own and the reviewer's stay. K15 of the promise stops.",
            json!({
                "promise_id": "prom_019a1b2c3d4e7f8090a1b2c3d4e5f607",
                "shown_by": "实地查看，三号线已正式运营。",
                "outcome": "resolved"
            }),
        ),
        P::StopTracking => doc(
            "Tracking ends. Every promise that is still open needs a verdict with its reason (`every_promise_settled`), so that none disappears.",
            json!({
                "reason": "目标均已落实，经主任会议研究结束跟踪。",
                "verdicts": [{
                    "promise_id": "prom_019a1b2c3d4e7f8090a1b2c3d4e5f607",
                    "verdict": "superseded",
                    "reason": "规划调整，三号线并入地铁接驳工程。"
                }]
            }),
        ),
        P::Supervise => doc(
            "Records a supervision: how, who, when, what was found. A commitment of a unit that has delivered a reply becomes a promise with its own clock (K15) and keeps the case tracked; one of another unit stands in the record.",
            json!({
                "mode": "on_site_handling",
                "leader": "市政协副主席 韩松",
                "participants": "提案委、市交通局、提案者代表",
                "date": "2026-06-18",
                "place": "市公交总站",
                "findings": "线路方案已定，站点征地尚未完成。",
                "report_reference": "督办报告 2026-07",
                "commitments": [{
                    "unit_id": "unit_019a1b2c3d4e7f8090a1b2c3d4e5f607",
                    "text": "八月底前完成两处站点征地。",
                    "due_on": "2026-08-31",
                    "person": "林涛"
                }]
            }),
        ),
        P::Urge => doc(
            "Urges units or raters who owe something now: acceptance, opinion, countersignature, reply, promise, feedback on an instruction, opinion form. If one of them owes nothing, nobody is urged (`addressee_owes`). Each has its own K21 until it answers.",
            json!({
                "addressees": [{ "unit_id": "unit_019a1b2c3d4e7f8090a1b2c3d4e5f607" }],
                "text": "该案答复期限将至，请抓紧办理并报告进度。",
                "due_on": "2026-05-20"
            }),
        ),
        P::AcknowledgeUrging => doc(
            "The addressee answers; K21 stops.",
            json!({
                "urging_id": "flup_019a1b2c3d4e7f8090a1b2c3d4e5f607",
                "text": "答复稿已送会签，本周内报送。"
            }),
        ),
        P::Instruct => doc(
            "A leader's instruction, entered by the leader or by staff from paper with `paper_reference`. There is one item for each unit, with its own K19; the case cannot be closed until all are answered. A restricted one is read by leaders, chair, staff, auditors and the units it is for.",
            json!({
                "leader": "韩松",
                "post": "市委副书记、市长",
                "date": "2026-05-06",
                "kind": "instruction",
                "text": "请交通局会同住建局抓紧研究，务求实效。",
                "unit_ids": ["unit_019a1b2c3d4e7f8090a1b2c3d4e5f607"],
                "due_on": "2026-06-06",
                "paper_reference": "批示件 2026-012"
            }),
        ),
        P::AnswerInstruction => doc(
            "The unit's feedback on its item of an instruction; K19 stops.",
            json!({
                "instruction_id": "flup_019a1b2c3d4e7f8090a1b2c3d4e5f607",
                "text": "已召开专题会，明确十月底前完成改造。"
            }),
        ),
        P::RecordLookBack => doc(
            "Records the yearly look-back at open promises; K16 stops.",
            json!({
                "date": "2026-11-12",
                "findings": "两项承诺中一项已落实，一项正在推进。",
                "report_reference": "回头看报告 2026"
            }),
        ),
        _ => doc("", json!({})),
    }
}
