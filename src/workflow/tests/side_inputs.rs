//! What people hand in beside the ordinary way: plausible inputs of the side roads.

use jiff::civil::Date;

use super::fixture::unit;
use super::inputs::{feedback, meeting, rows};
use crate::ids::{AssignmentId, ContactId, ProposalId, ProposerId, ReplyId};
use crate::workflow::assignment::AssignmentAction as Row;
use crate::workflow::codes::{
    AdjustCause, AssignmentRole, ConsultationForm, Grade, HandlingKind, LinkKind, ProgrammeTier,
    PublicationLevel, PublishedPart, RehandlingCause, Secrecy,
};
use crate::workflow::input::*;
use crate::workflow::reply::ReplyAction;
use crate::workflow::rule::Action;

pub const SUGGEST: Action = Action::Assignment(Row::SuggestUnits);
pub const REFUSE_SUGGESTION: Action = Action::Assignment(Row::RefuseSuggestion);
pub const ASK_RETURN: Action = Action::Assignment(Row::RequestReturn);
pub const GRANT_RETURN: Action = Action::Assignment(Row::GrantReturn);
pub const REJECT_RETURN: Action = Action::Assignment(Row::RejectReturn);
pub const ESCALATE: Action = Action::Assignment(Row::EscalateReturn);
pub const OBJECT_CONTACT: Action = Action::Assignment(Row::ObjectContact);
pub const ASK_EXTENSION: Action = Action::Assignment(Row::RequestExtension);
pub const GRANT_EXTENSION: Action = Action::Assignment(Row::GrantExtension);
pub const DENY_EXTENSION: Action = Action::Assignment(Row::DenyExtension);
pub const ASK_PAUSE: Action = Action::Assignment(Row::RequestPause);
pub const PAUSE: Action = Action::Assignment(Row::PauseClock);
pub const DENY_PAUSE: Action = Action::Assignment(Row::DenyPause);
pub const RESUME: Action = Action::Assignment(Row::ResumeClock);
pub const VOID: Action = Action::Assignment(Row::Void);
pub const COORDINATE: Action = Action::Reply(ReplyAction::Coordinate);

macro_rules! into_input {
    ($($form:ty => $variant:ident),+ $(,)?) => {
        $(impl From<$form> for Input {
            fn from(form: $form) -> Self { Self::$variant(form) }
        })+
    };
}

into_input! {
    MergeIn => Merge, AdjustIn => Adjust, SuggestUnitsIn => SuggestUnits,
    RequestReturnIn => RequestReturn, GrantReturnIn => GrantReturn, DenyIn => Deny,
    EscalateReturnIn => EscalateReturn, RequestExtensionIn => RequestExtension,
    GrantExtensionIn => GrantExtension, RequestPauseIn => RequestPause, PauseIn => Pause,
    NoteIn => Note, ReasonIn => Reason, ObjectContactIn => ObjectContact,
    RehandleIn => Rehandle, WaiveIn => Waive, ExcuseIn => Excuse,
    ConsultationIn => Consultation, SecrecyIn => Secrecy, PublicationReviewIn => Publication,
    DispositionIn => Disposition, CoordinateIn => Coordinate, LinkIn => Link,
    UrgentIn => Urgent, DesignateIn => Designate, PublishIn => Publish,
    UnpublishIn => Unpublish,
    StartTrackingIn => StartTracking, ProgressIn => Progress, FulfilPromiseIn => FulfilPromise,
    StopTrackingIn => StopTracking, UrgeIn => Urge, AnswerUrgingIn => AnswerUrging,
    AnswerInstructionIn => AnswerInstruction, LookBackIn => LookBack,
}

pub fn note() -> NoteIn {
    NoteIn {
        note: Some("已核实。".to_owned()),
    }
}

pub fn reason_in() -> ReasonIn {
    ReasonIn {
        reason: "经核实情况有变。".to_owned(),
    }
}

pub fn deny() -> DenyIn {
    DenyIn {
        reason: "请按期办理。".to_owned(),
    }
}

pub fn merge(main_id: ProposalId) -> MergeIn {
    MergeIn {
        main_id,
        opinion: "两件提案内容相近，并案办理。".to_owned(),
        meeting: Some(meeting()),
    }
}

pub fn link(proposal_id: ProposalId) -> LinkIn {
    LinkIn {
        kind: LinkKind::HandledTogether,
        proposal_id,
        note: None,
    }
}

pub fn adjust(add: &[(usize, AssignmentRole)], remove: Vec<AssignmentId>) -> AdjustIn {
    AdjustIn {
        cause: AdjustCause::Correction,
        reason: "经协调，调整承办单位。".to_owned(),
        handling_kind: None,
        add: rows(add),
        remove,
    }
}

pub fn suggest(number: usize) -> SuggestUnitsIn {
    SuggestUnitsIn {
        units: vec![unit(number)],
        reason: "涉及管网改造，建议增加水务部门会办。".to_owned(),
    }
}

pub fn ask_return(suggested: Option<usize>) -> RequestReturnIn {
    RequestReturnIn {
        reason: "所提事项不属我局职责范围，建议由其他部门主办。".to_owned(),
        suggested_unit_id: suggested.map(unit),
        signatory: "林涛".to_owned(),
        attachment_ids: Vec::new(),
    }
}

pub fn grant_return(replacement: &[(usize, AssignmentRole)]) -> GrantReturnIn {
    GrantReturnIn {
        replacement: rows(replacement),
        handling_kind: None,
        note: None,
    }
}

pub fn escalate() -> EscalateReturnIn {
    EscalateReturnIn {
        statement: "两单位对职责划分有争议，现将情况说明如下。".to_owned(),
        unit_head: "林涛".to_owned(),
        meeting: None,
    }
}

pub fn ask_extension(new_date: Date) -> RequestExtensionIn {
    RequestExtensionIn {
        reason: "方案须经市规委会审议。".to_owned(),
        signatory: "林涛".to_owned(),
        new_date,
        attachment_ids: Vec::new(),
    }
}

pub fn grant_extension(new_date: Option<Date>) -> GrantExtensionIn {
    GrantExtensionIn {
        new_date,
        note: None,
        committee_consent: Some("提案委同意函 2026-009".to_owned()),
    }
}

pub fn ask_pause(expected_end: Date) -> RequestPauseIn {
    RequestPauseIn {
        reason: "须待国家标准修订稿发布。".to_owned(),
        signatory: "林涛".to_owned(),
        expected_end,
        attachment_ids: Vec::new(),
    }
}

pub fn pause(until: Option<Date>) -> PauseIn {
    PauseIn { until, note: None }
}

pub fn object_contact(contact_id: ContactId) -> ObjectContactIn {
    ObjectContactIn {
        contact_id,
        reason: "当日并未接到电话。".to_owned(),
    }
}

/// Another round with everybody who replied.
pub fn rehandle() -> RehandleIn {
    RehandleIn {
        cause: RehandlingCause::Dissatisfied,
        reason: None,
        handling_kind: None,
        rows: Vec::new(),
    }
}

/// Another round by the quality check, with these units.
pub fn rehandle_with(kind: HandlingKind, units: &[(usize, AssignmentRole)]) -> RehandleIn {
    RehandleIn {
        cause: RehandlingCause::Quality,
        reason: Some("答复未回应第二条建议。".to_owned()),
        handling_kind: Some(kind),
        rows: rows(units),
    }
}

pub fn waive() -> WaiveIn {
    WaiveIn {
        rater_id: None,
        paper_reference: None,
        comment: Some("不再要求重新办理。".to_owned()),
    }
}

pub fn waive_on_paper(rater: ProposerId) -> WaiveIn {
    WaiveIn {
        rater_id: Some(rater),
        paper_reference: Some("纸质确认单 2026-重-004".to_owned()),
        comment: None,
    }
}

pub fn excuse(rater_id: ProposerId) -> ExcuseIn {
    ExcuseIn {
        rater_id,
        reason: "该委员已辞去委员职务。".to_owned(),
    }
}

pub fn consultation(form: ConsultationForm, date: Date) -> ConsultationIn {
    ConsultationIn {
        form,
        date,
        participants: "提案者、承办单位、提案委办公室".to_owned(),
        minutes: "逐条说明，提案者表示理解。".to_owned(),
        agreed: None,
        dissent: None,
    }
}

pub fn secrecy(secrecy: Secrecy) -> SecrecyIn {
    SecrecyIn {
        secrecy,
        reason: "内容涉及未公开的规划。".to_owned(),
    }
}

pub fn publication(text: PublicationLevel, replies: PublicationLevel) -> PublicationReviewIn {
    PublicationReviewIn {
        publish_text: text,
        publish_replies: replies,
        note: None,
    }
}

pub fn disposition() -> DispositionIn {
    DispositionIn {
        note: "已电话告知提案者。".to_owned(),
        receiver: None,
        sent_on: None,
        acknowledgement: None,
    }
}

pub fn coordinate() -> CoordinateIn {
    CoordinateIn {
        decision: "经协调，按第三稿执行。".to_owned(),
        decided_by: "市政府办公室".to_owned(),
    }
}

/// A correction in the rater's own words.
pub fn correction(reply_id: ReplyId, grade: Grade) -> FeedbackIn {
    FeedbackIn {
        comment: Some("填写有误，现更正。".to_owned()),
        ..feedback(reply_id, grade)
    }
}

pub fn urgent(units: &[usize]) -> UrgentIn {
    UrgentIn {
        reason: "汛期将至".to_owned(),
        reference_units: units.iter().map(|n| unit(*n)).collect(),
    }
}

pub fn designate(tier: ProgrammeTier, year: i32) -> DesignateIn {
    DesignateIn {
        tier,
        year,
        meeting: meeting(),
        lead_supervisor: None,
        mode: None,
        note: None,
    }
}

pub fn publish(part: PublishedPart) -> PublishIn {
    PublishIn {
        part,
        level: PublicationLevel::Catalogue,
    }
}

pub fn unpublish(part: PublishedPart) -> UnpublishIn {
    UnpublishIn {
        part,
        reason: "涉及个人隐私".to_owned(),
    }
}
