//! Words and examples of the actions on a proposal.

use serde_json::json;

use super::{Doc, doc};
use crate::workflow::proposal::ProposalAction as P;

/// Words and example of an action on a proposal.
#[expect(clippy::too_many_lines, reason = "one entry per action")]
pub(super) fn of(action: P) -> Doc {
    match action {
        P::InviteCosigners => doc(
            "Asks members of the present term to sign a joint proposal, or organisations a joint collective one. Each has 24 hours inside the session window, 72 otherwise (K01).",
            json!({ "member_ids": ["memb_019a1b2c3d4e7f8090a1b2c3d4e5f607"] }),
        ),
        P::ConsentCosign => doc(
            "The invited member signs. The consent is bound to the present text; a later change of the text makes it stale. Staff enter an answer on paper with `proposer_id` and its scan in `attachment_ids`: the scan goes with the consent, and the trail names the co-signer as the one it is entered for.",
            json!({ "comment": "同意联名，建议补充试点线路。" }),
        ),
        P::DeclineCosign => doc(
            "The invited member does not sign. Staff enter an answer on paper with `proposer_id` and its scan in `attachment_ids`.",
            json!({ "comment": "所提事项本人不熟悉。" }),
        ),
        P::Submit => doc(
            "Hands the proposal in. At the first time it gets its serial number (流水号) and is marked a session or an ordinary proposal. The text is frozen and the time for examination starts (K03).",
            json!({}),
        ),
        P::Recall => doc(
            "Takes a submission back to a draft while nobody has given an opinion on it. The serial number is kept.",
            json!({}),
        ),
        P::Withdraw => doc(
            "Before filing: takes the proposal back for good; with a reason once it was submitted. After filing: asks for it, with a reason; handling goes on and all clocks run until the chair decides (K14).",
            json!({ "reason": "情况已有变化，拟重新调研后再提。" }),
        ),
        P::ReturnForRevision => doc(
            "Sends the proposal back to its proposer with what is to be revised (K02).",
            json!({ "reason": "建议部分过于原则，请补充具体措施。" }),
        ),
        P::Examine => doc(
            "Records the opinion of the next stage of examination; each stage by another person, nobody on a proposal he or she signed. The last stage settles class, assigning line and draft units.",
            json!({
                "opinion": "一事一案，事实清楚，建议具体，建议立案。",
                "recommendation": "file",
                "checklist": { "standing": true, "content": true, "form": true },
                "subject_class": "social",
                "assigning_line": "government",
                "draft_units": ["unit_019a1b2c3d4e7f8090a1b2c3d4e5f607"]
            }),
        ),
        P::File => doc(
            "Puts the proposal on file by decision of the meeting: it gets its case number (案号), the policy profile is pinned, the list of signers is frozen and unsigned invitations are dropped.",
            json!({ "meeting": { "name": "提案审查委员会第一次全体会议", "date": "2026-03-05" } }),
        ),
        P::NotFile => doc(
            "Refuses to file, with coded reasons, an explanation for the proposer and a disposition. `GET /api/v1/refusal-reasons?status=active` lists the reasons; one with `hide_text` removes the text for good. From `returned` only once the time for revision has run out.",
            json!({
                "meeting": { "name": "提案审查委员会第一次全体会议", "date": "2026-03-05" },
                "reason_codes": ["no_concrete_suggestion"],
                "explanation": "内容空泛，没有具体建议，宜作为意见转有关部门参考。",
                "disposition": "converted_to_opinion",
                "proposer_agrees": true
            }),
        ),
        P::Assign => doc(
            "Assigns a filed case: one lead (sole), one lead with 1–30 co-handlers (joint), or two or more separate units; reference units besides. Return window (K05), first contact (K07), co-opinion (K08) and reply (K10) start.",
            json!({
                "handling_kind": "joint",
                "rows": [
                    { "unit_id": "unit_019a1b2c3d4e7f8090a1b2c3d4e5f607", "role": "lead" },
                    { "unit_id": "unit_019a1b2c3d4e7f8090a1b2c3d4e5f608", "role": "co_handler" }
                ],
                "opinion": "请主办单位牵头，于三个月内答复提案者。"
            }),
        ),
        P::GiveFeedback => doc(
            "A rater grades a delivered reply on attitude and result; a dissatisfied grade needs a comment. Staff enter a paper form with `rater_id` and `paper_reference`. Units see forms only when all raters have answered.",
            json!({
                "reply_id": "repl_019a1b2c3d4e7f8090a1b2c3d4e5f607",
                "attitude": "satisfied",
                "result": "basically_satisfied",
                "contact_way": "face_to_face",
                "comment": "答复针对性强，希望抓好落实。"
            }),
        ),
        P::Close => doc(
            "Strikes the case off: replies delivered and rated, nothing dissatisfied open (or re-handling given up in writing), promises tracked, publication reviewed before or decided here.",
            json!({ "publish_text": "full", "publish_replies": "summary" }),
        ),
        P::Second => doc(
            "A member joins uninvited, as seconder, a proposal opened for it, where the committee's policy allows it. Seconders do not rate.",
            json!({ "comment": "同意附议，所提问题在本界别群众中反映较多。" }),
        ),
        P::ApproveWithdrawal => doc(
            "The chair grants the withdrawal while no reply was delivered: open rows become void, live replies are superseded, all clocks stop. The case number is kept and shown as withdrawn.",
            json!({ "note": "提案者所述属实，同意撤案。" }),
        ),
        P::RejectWithdrawal => doc(
            "The withdrawal is not granted, with a reason; the case goes on as before.",
            json!({ "reason": "承办单位已形成办理方案，建议继续办理。" }),
        ),
        P::CarryOutDisposition => doc(
            "Records that the disposition of a refused proposal was carried out and the proposer told; K20 stops.",
            json!({
                "note": "已函转市教育局研究参考，并电话告知提案者。",
                "receiver": "市教育局",
                "sent_on": "2026-03-12",
                "acknowledgement": "已收悉，纳入年度课题研究。"
            }),
        ),
        P::Merge => doc(
            "This proposal is absorbed by another one of the same session, which is submitted or filed and not absorbed itself; a filed proposal only by a filed one. It keeps number, text and signers and follows the main proposal, whose replies go to its proposers too. Several at once: `POST /api/v1/merge-groups`.",
            json!({
                "main_id": "prop_019a1b2c3d4e7f8090a1b2c3d4e5f608",
                "opinion": "两件提案均就老城区微循环公交提出建议，内容相近，并案办理。",
                "meeting": { "name": "提案审查委员会第一次全体会议", "date": "2026-03-05" }
            }),
        ),
        P::Unmerge => doc(
            "The absorbed proposal goes its own way again, exactly as it was before the merge, as long as no reply of the main proposal was delivered. Its clock starts anew.",
            json!({ "reason": "经复核，两案所提线路不同，宜分别办理。" }),
        ),
        P::AdjustUnits => doc(
            "Adds units to an assigned case and takes others off it, with cause and reason; the rules of the kind of handling hold afterwards. New rows are pending with fresh clocks, removed ones become void; a row with a delivered reply stays. With the cause `unit_suggestion` the open suggestions of units are answered.",
            json!({
                "cause": "unit_suggestion",
                "reason": "所提事项涉及管网改造，增加水务部门会办。",
                "handling_kind": "joint",
                "add": [{ "unit_id": "unit_019a1b2c3d4e7f8090a1b2c3d4e5f609", "role": "co_handler" }]
            }),
        ),
        P::CorrectFeedback => doc(
            "A rater corrects a form of the present round, or staff from paper: a new version, the earlier one stays. Late once feedback was concluded.",
            json!({
                "reply_id": "repl_019a1b2c3d4e7f8090a1b2c3d4e5f607",
                "attitude": "satisfied",
                "result": "satisfied",
                "contact_way": "face_to_face",
                "comment": "补充说明后，对办理结果表示满意。"
            }),
        ),
        P::ExcuseRater => doc(
            "A rater who left office or died need not rate and leaves the denominator; K12 of the rater stops.",
            json!({
                "rater_id": "prps_019a1b2c3d4e7f8090a1b2c3d4e5f607",
                "reason": "该委员已调离本市并辞去委员职务。"
            }),
        ),
        P::Rehandle => doc(
            "Orders another round: a form of this round is dissatisfied, or the quality check failed with text. New rows are made for the units named, or for those that handled it; units that go on start accepted and cannot return the case. Rows, replies and forms of earlier rounds stay as they are: `GET /api/v1/proposals/{proposal_id}/rounds`.",
            json!({ "cause": "quality", "reason": "答复未回应第二条建议，请重新办理。" }),
        ),
        P::WaiveRehandling => doc(
            "A dissatisfied rater gives up another round in writing; staff enter the paper with `rater_id` and `paper_reference`.",
            json!({ "comment": "已当面沟通，理解承办单位的实际困难，不再要求重办。" }),
        ),
        P::Reopen => doc(
            "Opens a closed case again, with a reason: a promise broken at the look-back, or closed in error. It leaves the archive; another round or tracking follows.",
            json!({ "reason": "回头看发现承诺的三号线未按期开通。" }),
        ),
        P::RecordConsultation => doc(
            "Records a consultation on the case. `face_to_face_meeting` and `special_explanation` end the matter once no round is left.",
            json!({
                "form": "face_to_face_meeting",
                "date": "2026-08-20",
                "participants": "提案者、市交通局副局长林涛、提案委办公室",
                "minutes": "就线路调整方案逐条说明，提案者表示理解。",
                "agreed": "年底前完成三号线客流评估。",
                "dissent": "对站点间距仍有不同看法。"
            }),
        ),
        P::ReviewPublication => doc(
            "Says how far text and replies may be published, both together; the text not above `catalogue` if the proposer refused, and nothing of a case that is not open. K17 stops, with a delivered reply K18 too.",
            json!({ "publish_text": "full", "publish_replies": "summary", "note": "答复中涉及企业名称处作技术处理。" }),
        ),
        P::SetSecrecy => doc(
            "Says who may read the case, with a reason. `secret` only while it is submitted: then nothing is left but to refuse it. A filed case that is found sensitive becomes `restricted` and is not published.",
            json!({ "secrecy": "restricted", "reason": "内容涉及未公开的规划，转为内部办理。" }),
        ),
        P::Archive => doc(
            "Puts an ended case into the archive once nothing is owed but tracking; reopening and unmerging take it out again.",
            json!({ "note": "卷宗齐全，移交档案室。" }),
        ),
        P::LinkCases => doc(
            "Links another case without merging: handled together, or a repeat of an earlier one. `GET /api/v1/proposals/{proposal_id}/links` shows both directions.",
            json!({
                "kind": "handled_together",
                "proposal_id": "prop_019a1b2c3d4e7f8090a1b2c3d4e5f608",
                "note": "两案同由交通部门主办，一并研究。"
            }),
        ),
        P::RequestUrgency => doc(
            "Asks for the urgent lane; the chair decides.",
            json!({ "reason": "汛期将至，涉及堤防隐患，须提前办理。" }),
        ),
        P::MarkUrgent => doc(
            "Puts the proposal into the urgent lane, asked for or not: examination, assignment and reply count on the short limits from their original start. Before the filing, units may get reference copies at once.",
            json!({
                "reason": "汛期将至，涉及堤防隐患，须提前办理。",
                "reference_units": ["unit_019a1b2c3d4e7f8090a1b2c3d4e5f607"]
            }),
        ),
        P::RefuseUrgency => doc(
            "The matter takes its ordinary course.",
            json!({ "reason": "事项不具紧迫性，按一般程序办理。" }),
        ),
        P::DowngradeUrgency => doc(
            "Takes the case out of the urgent lane, with a reason; its clocks count on the ordinary limits again, from their original start.",
            json!({ "reason": "险情已排除，转为普通提案办理。" }),
        ),
        P::NominateKey => doc(
            "Proposes a filed case for the yearly programme of key proposals; the chair decides.",
            json!({ "reason": "事关民生，社会关注度高，建议列为重点提案。" }),
        ),
        P::DesignateKey => doc(
            "Gives a case its place in the programme of a year, inside the quota of the policy profile, by decision of a meeting; with the leader who supervises it and how it is driven.",
            json!({
                "tier": "key",
                "year": 2026,
                "meeting": { "name": "第十二次主席会议", "date": "2026-03-20" },
                "lead_supervisor": "市政协副主席韩静宜",
                "mode": "leader_supervision"
            }),
        ),
        P::ReleaseKey => doc(
            "Takes a case out of the programme, or does not follow a nomination; with a reason.",
            json!({ "reason": "与另一重点提案内容相近，调整名额。" }),
        ),
        P::Publish => doc(
            "Publishes the text or the replies, at most at the level that the review allows. The clock of the publication stops (K17, K18).",
            json!({ "part": "text", "level": "full" }),
        ),
        P::Unpublish => doc(
            "Takes a published part back, with a reason.",
            json!({ "part": "text", "reason": "发现涉及个人隐私，暂停公开。" }),
        ),
        P::StartTracking
        | P::ReportProgress
        | P::FulfilPromise
        | P::StopTracking
        | P::Supervise
        | P::Urge
        | P::AcknowledgeUrging
        | P::Instruct
        | P::AnswerInstruction
        | P::RecordLookBack => super::follow_up::of(action),
        P::ReferUp => doc(
            "Puts an open case to a committee above: one of this service, which gets a copy and answers it there, or a body outside of it, whose answer staff note from paper. The status of the case stays. Until the answer is there, or the referral is recalled, the case is not closed.",
            json!({
                "committee_id": "cmte_019a1b2c3d4e7f8090a1b2c3d4e5f607",
                "reason": "所提事项须由省级统筹，建议作为省政协提案提出。"
            }),
        ),
        P::ReferDown => doc(
            "Gives an open case on file to a committee below, or to a body outside of this service. Otherwise as `refer-up`.",
            json!({
                "committee_id": "cmte_019a1b2c3d4e7f8090a1b2c3d4e5f607",
                "reason": "所提事项属县级职权范围，请研究办理。"
            }),
        ),
        P::NoteReferralAnswer => doc(
            "Notes what a body outside of this service answered on paper: accepted, rejected with its reason, or taken for reference.",
            json!({
                "referral_id": "refl_019a1b2c3d4e7f8090a1b2c3d4e5f607",
                "answer": "sent_for_reference",
                "note": "已转有关部门参考。",
                "paper_reference": "来函 2026-转-012"
            }),
        ),
        P::RecallReferral => doc(
            "Takes a referral back that nobody has answered, with a reason; it can be sent again.",
            json!({
                "referral_id": "refl_019a1b2c3d4e7f8090a1b2c3d4e5f607",
                "reason": "事项已由本级解决，不再上报。"
            }),
        ),
        P::Create
        | P::Edit
        | P::CompleteHandling
        | P::ConcludeFeedback
        | P::ExpireInvitations
        | P::RecountClock
        | P::OpenLookBack
        | P::ReceiveReferralAnswer => doc("", json!({})),
    }
}
