//! Words and examples of the actions on a unit's row.

use serde_json::json;

use super::{Doc, doc};
use crate::workflow::assignment::AssignmentAction as A;

/// Words and example of an action on a unit's row.
#[expect(clippy::too_many_lines, reason = "one entry per action")]
pub(super) fn of(action: A) -> Doc {
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
        A::SuggestUnits => doc(
            "The unit names further units that the matter needs. The assigning officer answers by `adjust-units` or by `refuse-suggestion`.",
            json!({
                "units": ["unit_019a1b2c3d4e7f8090a1b2c3d4e5f609"],
                "reason": "所提事项涉及管网改造，建议增加水务部门会办。"
            }),
        ),
        A::RefuseSuggestion => doc(
            "The units stay as they are, with a reason.",
            json!({ "reason": "管网事项已另案交办，本案不再增加单位。" }),
        ),
        A::RequestReturn => doc(
            "The unit asks to give the case back, inside the window (K05), with a reason, a signature and the unit that should have it. It stays bound: K10 and K08 run on until the decision (K06); contact and reply work is suspended.",
            json!({
                "reason": "所提事项不属我局职责范围，建议由交通部门主办。",
                "suggested_unit_id": "unit_019a1b2c3d4e7f8090a1b2c3d4e5f609",
                "signatory": "林涛"
            }),
        ),
        A::GrantReturn => doc(
            "The return is granted. For a lead or separate row other units follow in the same act, pending with fresh clocks; the kind of handling may change. After the last bounce that the policy allows the new rows cannot be returned.",
            json!({
                "replacement": [{ "unit_id": "unit_019a1b2c3d4e7f8090a1b2c3d4e5f609", "role": "lead" }],
                "note": "经核实，该事项由交通部门主管，予以改办。"
            }),
        ),
        A::RejectReturn => doc(
            "The return is not granted, with a reason: the row is accepted and cannot be returned any more.",
            json!({ "reason": "所提事项属该单位法定职责，请按期办理。" }),
        ),
        A::EscalateReturn => doc(
            "A dispute about the return is carried further up, with the statement of the unit signed by its head. It ends by `grant-return` or `reject-return`.",
            json!({
                "statement": "两单位对老旧小区外立面改造的职责划分有争议，现将情况说明如下……",
                "unit_head": "林涛",
                "meeting": { "name": "提案交办协调会", "date": "2026-03-30" }
            }),
        ),
        A::ObjectContact => doc(
            "A proposer says that a contact was not as recorded. The record stays; the reviewers see both.",
            json!({
                "contact_id": "cont_019a1b2c3d4e7f8090a1b2c3d4e5f607",
                "reason": "当日并未接到电话，未就答复内容沟通。"
            }),
        ),
        A::RequestExtension => doc(
            "The unit asks for more time before the due date: reason, signature, new last day inside the cap of the policy. The clock runs on until the decision (K13).",
            json!({
                "reason": "方案须经市规委会审议，会期在七月。",
                "signatory": "林涛",
                "new_date": "2026-07-31"
            }),
        ),
        A::GrantExtension => doc(
            "The due date moves to the day asked for or another one inside the cap; the original one stays on record. Where the policy asks for it, with the consent of the Proposals Committee.",
            json!({ "new_date": "2026-07-15", "note": "请于审议后一周内答复。" }),
        ),
        A::DenyExtension => doc(
            "No more time, with a reason.",
            json!({ "reason": "该事项不须上会审议，请按原期限办理。" }),
        ),
        A::RequestPause => doc(
            "The unit asks that its clock stand still for a while, such as until a national decision: reason, signature, expected end. The clock runs on until the decision (K13).",
            json!({
                "reason": "国家标准修订稿预计六月底发布，须待其明确后办理。",
                "signatory": "林涛",
                "expected_end": "2026-06-30"
            }),
        ),
        A::PauseClock => doc(
            "The clock of the reply, or of the co-handler's opinion, stands still from today until the day asked for or another one inside the cap.",
            json!({ "until": "2026-06-30", "note": "标准发布后即恢复计时。" }),
        ),
        A::DenyPause => doc(
            "The clock runs on, with a reason.",
            json!({ "reason": "现行标准已有规定，不影响办理。" }),
        ),
        A::ResumeClock => doc(
            "The clock goes on before the agreed end; the day of the decision counts again.",
            json!({ "note": "标准已提前发布。" }),
        ),
        A::Void => doc(
            "One row ends, with a reason; the others must still make a whole of their kind of handling. Its live reply is superseded, its clocks stop.",
            json!({ "reason": "该单位职责已划出，会办事项由主办单位一并办理。" }),
        ),
        A::Create
        | A::DeemAccepted
        | A::NoteMissingOpinion
        | A::EndPause
        | A::MarkReplied
        | A::HandOver => doc("", json!({})),
    }
}
