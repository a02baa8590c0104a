//! Words and examples of the actions, for the OpenAPI document.

use serde_json::{Value, json};

use crate::workflow::reply::ReplyAction as R;
use crate::workflow::rule::Action;

mod assignment;
mod follow_up;
mod proposal;

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
        Action::Proposal(action) => proposal::of(action),
        Action::Assignment(action) => assignment::of(action),
        Action::Reply(action) => of_reply(action),
    }
}

fn doc(about: &'static str, example: Value) -> Doc {
    Doc { about, example }
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
            "The unit's signatory signs; the reply gets its document number and goes to review (K11). `by_head` says that the head of the unit signed, as key cases need.",
            json!({ "signatory": "林涛", "by_head": true }),
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
            "Delivers the approved text to every proposer, those of absorbed proposals included; an earlier reply of the unit is superseded. The row is replied, promises enter the ledger; with the last required reply the proposal is handled and feedback starts (K12).",
            json!({}),
        ),
        R::Coordinate => doc(
            "After an objection the assigning officer records the coordination decision. It takes the place of missing or refused countersignatures on the present text; a new text needs a new one.",
            json!({
                "decision": "经市政府办公室协调，涉及住建部门的表述按第三稿执行。",
                "decided_by": "市政府办公室主任办公会"
            }),
        ),
        R::Draft | R::Edit | R::Supersede | R::LapseCountersign => doc("", json!({})),
    }
}
