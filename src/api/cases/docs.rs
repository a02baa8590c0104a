//! Words and examples of the actions, for the OpenAPI document.

use serde_json::{Value, json};

use crate::workflow::assignment::AssignmentAction as A;
use crate::workflow::proposal::ProposalAction as P;
use crate::workflow::reply::ReplyAction as R;
use crate::workflow::rule::Action;

/// What the document says of an action.
pub struct Doc {
    /// What it does and what follows.
    pub about: &'static str,
    /// A body.
    pub example: Value,
}

/// Words and example of an action.
pub fn of(action: Action) -> Doc {
    match action {
        Action::Proposal(action) => of_proposal(action),
        Action::Assignment(action) => of_assignment(action),
        Action::Reply(action) => of_reply(action),
    }
}

fn doc(about: &'static str, example: Value) -> Doc {
    Doc { about, example }
}

fn of_proposal(action: P) -> Doc {
    match action {
        P::InviteCosigners => doc(
            "Asks members of the present term to sign a joint proposal. Each has 24 hours inside the session window, 72 otherwise (K01).",
            json!({ "member_ids": ["memb_019a1b2c3d4e7f8090a1b2c3d4e5f607"] }),
        ),
        P::ConsentCosign => doc(
            "The invited member signs. The consent is bound to the present text; a later change of the text makes it stale.",
            json!({ "comment": "同意联名，建议补充试点线路。" }),
        ),
        P::DeclineCosign => doc(
            "The invited member does not sign.",
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
            "Takes the proposal back for good before it is filed; with a reason once it was submitted.",
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
            "Strikes the case off: replies delivered and rated, nothing dissatisfied open (or re-handling given up in writing), promises tracked, publication decided.",
            json!({ "publish_text": "full", "publish_replies": "summary" }),
        ),
        P::Create | P::Edit | P::CompleteHandling | P::ConcludeFeedback => doc("", json!({})),
    }
}

fn of_assignment(action: A) -> Doc {
    match action {
        A::Accept => doc(
            "The unit signs for the case and names its clerk. A return may still be asked for inside its window.",
            json!({ "clerk_name": "陈思源", "clerk_phone": "0599-5550145" }),
        ),
        A::RecordContact => doc(
            "Records a contact with the proposer before the reply; the first one stops K07. A note that no visit was needed or nobody was reached counts as contact.",
            json!({
                "way": "face_to_face",
                "date": "2026-04-10",
                "persons": "副局长林涛、科长陈思源；提案者",
                "said": "介绍了线路调整方案，听取了意见。",
                "proposer_view": "对方案表示认可，希望尽快试运行。"
            }),
        ),
        A::SubmitOpinion => doc(
            "A co-handler gives its opinion to the lead; a new version each time, until the lead has signed.",
            json!({ "text": "我局将在道路改造中同步预留公交停靠条件。", "signatory": "郑海峰" }),
        ),
    }
}

fn of_reply(action: R) -> Doc {
    match action {
        R::RequestCountersign => doc(
            "The lead of a joint case asks its co-handlers to countersign the present text (K09 each).",
            json!({}),
        ),
        R::Countersign => doc(
            "The co-handler agrees with the text, with or without remarks. The signature is bound to the text's hash.",
            json!({ "signatory": "郑海峰" }),
        ),
        R::Object => doc(
            "The co-handler does not agree; the reply goes back to a draft and the other requests end.",
            json!({ "signatory": "郑海峰", "reason": "涉及我局事项的表述与现行规划不符。" }),
        ),
        R::Sign => doc(
            "The unit's signatory signs; the reply gets its document number and goes to review (K11).",
            json!({ "signatory": "林涛" }),
        ),
        R::Approve => doc(
            "The reply passes the review. The reviewer may see the outcome differently, with a reason; both meanings are kept.",
            json!({}),
        ),
        R::Reject => doc(
            "Back to the unit with what is to be mended. Signatures lapse, the reply clock runs on.",
            json!({ "reason": "未逐条回应建议，请补充第二条的办理情况。" }),
        ),
        R::Deliver => doc(
            "Delivers the approved text to every proposer. The row is replied, promises enter the ledger; with the last required reply the proposal is handled and feedback starts (K12).",
            json!({}),
        ),
        R::Draft | R::Edit => doc("", json!({})),
    }
}
