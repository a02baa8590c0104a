//! The body of every action: how it is read, and its schema.

use utoipa::{PartialSchema, ToSchema};

use crate::api::json::RawBody;
use crate::api::routes::Schemas;
use crate::error::Result;
use crate::workflow::assignment::AssignmentAction as A;
use crate::workflow::input::{
    AcceptIn, AdjustIn, AnswerInstructionIn, AnswerUrgingIn, ApproveIn, AssignIn, CloseIn,
    ConsultationIn, ContactIn, CoordinateIn, CosignIn, CountersignIn, DenyIn, DesignateIn,
    DispositionIn, EscalateReturnIn, ExamineIn, ExcuseIn, FeedbackIn, FileIn, FulfilPromiseIn,
    GrantExtensionIn, GrantReturnIn, Input, InstructIn, InviteIn, LinkIn, LookBackIn, MergeIn,
    NoInput, NotFileIn, NoteIn, ObjectContactIn, ObjectIn, OpinionIn, PauseIn, ProgressIn,
    PublicationReviewIn, PublishIn, ReasonIn, RecallReferralIn, ReferIn, ReferralAnswerIn,
    RehandleIn, RejectIn, RequestExtensionIn, RequestPauseIn, RequestReturnIn, ReturnForRevisionIn,
    SecrecyIn, SignIn, StartTrackingIn, StopTrackingIn, SuggestUnitsIn, SuperviseIn, UnpublishIn,
    UrgeIn, UrgentIn, WaiveIn, WithdrawIn,
};
use crate::workflow::proposal::ProposalAction as P;
use crate::workflow::reply::ReplyAction as R;
use crate::workflow::rule::Action;

/// How the body of an action is read, and its schema.
pub struct Body {
    /// Name of the schema.
    pub name: String,
    /// The schema and those it refers to.
    pub schemas: Schemas,
    /// Reads the body.
    pub parse: fn(&RawBody) -> Result<Input>,
}

fn body<T: ToSchema + PartialSchema>(parse: fn(&RawBody) -> Result<Input>) -> Body {
    let mut schemas = Schemas::new();
    T::schemas(&mut schemas);
    let name = T::name().into_owned();
    schemas.push((name.clone(), T::schema()));
    Body {
        name,
        schemas,
        parse,
    }
}

/// The body of a type, read as a kind of input.
macro_rules! read {
    ($type:ident, $kind:ident) => {
        body::<$type>(|raw| raw.parse().map(Input::$kind))
    };
}

/// The body of an action; `None` for those that have an operation of another form, and for those
/// that nobody calls.
pub fn of(action: Action) -> Option<Body> {
    match action {
        Action::Proposal(action) => of_proposal(action),
        Action::Assignment(action) => of_assignment(action),
        Action::Reply(action) => of_reply(action),
    }
}

fn of_proposal(action: P) -> Option<Body> {
    Some(match action {
        P::InviteCosigners => read!(InviteIn, Invite),
        P::ConsentCosign | P::DeclineCosign | P::Second => read!(CosignIn, Cosign),
        P::Submit | P::Recall => read!(NoInput, None),
        P::Withdraw => read!(WithdrawIn, Withdraw),
        P::ApproveWithdrawal | P::Archive => read!(NoteIn, Note),
        P::RejectWithdrawal | P::RefuseUrgency | P::ReleaseKey => read!(DenyIn, Deny),
        P::MarkUrgent => read!(UrgentIn, Urgent),
        P::DesignateKey => read!(DesignateIn, Designate),
        P::Publish => read!(PublishIn, Publish),
        P::Unpublish => read!(UnpublishIn, Unpublish),
        P::ReturnForRevision => read!(ReturnForRevisionIn, ReturnForRevision),
        P::Examine => read!(ExamineIn, Examine),
        P::File => read!(FileIn, File),
        P::NotFile => read!(NotFileIn, NotFile),
        P::CarryOutDisposition => read!(DispositionIn, Disposition),
        P::Merge => read!(MergeIn, Merge),
        P::Unmerge | P::Reopen | P::RequestUrgency | P::DowngradeUrgency | P::NominateKey => {
            read!(ReasonIn, Reason)
        }
        P::Assign => read!(AssignIn, Assign),
        P::AdjustUnits => read!(AdjustIn, Adjust),
        P::GiveFeedback | P::CorrectFeedback => read!(FeedbackIn, Feedback),
        P::ExcuseRater => read!(ExcuseIn, Excuse),
        P::Rehandle => read!(RehandleIn, Rehandle),
        P::WaiveRehandling => read!(WaiveIn, Waive),
        P::Close => read!(CloseIn, Close),
        P::RecordConsultation => read!(ConsultationIn, Consultation),
        P::ReviewPublication => read!(PublicationReviewIn, Publication),
        P::SetSecrecy => read!(SecrecyIn, Secrecy),
        P::LinkCases => read!(LinkIn, Link),
        P::StartTracking => read!(StartTrackingIn, StartTracking),
        P::ReportProgress => read!(ProgressIn, Progress),
        P::FulfilPromise => read!(FulfilPromiseIn, FulfilPromise),
        P::StopTracking => read!(StopTrackingIn, StopTracking),
        P::Supervise => body::<SuperviseIn>(|raw| {
            raw.parse()
                .map(|input: SuperviseIn| Input::Supervise(Box::new(input)))
        }),
        P::Urge => read!(UrgeIn, Urge),
        P::AcknowledgeUrging => read!(AnswerUrgingIn, AnswerUrging),
        P::Instruct => body::<InstructIn>(|raw| {
            raw.parse()
                .map(|input: InstructIn| Input::Instruct(Box::new(input)))
        }),
        P::AnswerInstruction => read!(AnswerInstructionIn, AnswerInstruction),
        P::RecordLookBack => read!(LookBackIn, LookBack),
        P::ReferUp | P::ReferDown => read!(ReferIn, Refer),
        P::NoteReferralAnswer => read!(ReferralAnswerIn, ReferralAnswer),
        P::RecallReferral => read!(RecallReferralIn, RecallReferral),
        P::Create
        | P::Edit
        | P::CompleteHandling
        | P::ConcludeFeedback
        | P::ExpireInvitations
        | P::RecountClock
        | P::OpenLookBack
        | P::ReceiveReferralAnswer => return None,
    })
}

fn of_assignment(action: A) -> Option<Body> {
    Some(match action {
        A::Accept => read!(AcceptIn, Accept),
        A::SuggestUnits => read!(SuggestUnitsIn, SuggestUnits),
        A::RequestReturn => read!(RequestReturnIn, RequestReturn),
        A::GrantReturn => read!(GrantReturnIn, GrantReturn),
        A::EscalateReturn => read!(EscalateReturnIn, EscalateReturn),
        A::RefuseSuggestion | A::RejectReturn | A::DenyExtension | A::DenyPause => {
            read!(DenyIn, Deny)
        }
        A::RecordContact => read!(ContactIn, Contact),
        A::ObjectContact => read!(ObjectContactIn, ObjectContact),
        A::SubmitOpinion => read!(OpinionIn, Opinion),
        A::RequestExtension => read!(RequestExtensionIn, RequestExtension),
        A::GrantExtension => read!(GrantExtensionIn, GrantExtension),
        A::RequestPause => read!(RequestPauseIn, RequestPause),
        A::PauseClock => read!(PauseIn, Pause),
        A::ResumeClock => read!(NoteIn, Note),
        A::Void => read!(ReasonIn, Reason),
        A::Create
        | A::DeemAccepted
        | A::NoteMissingOpinion
        | A::EndPause
        | A::MarkReplied
        | A::HandOver => {
            return None;
        }
    })
}

fn of_reply(action: R) -> Option<Body> {
    Some(match action {
        R::RequestCountersign | R::Deliver => read!(NoInput, None),
        R::Countersign => read!(CountersignIn, Countersign),
        R::Object => read!(ObjectIn, Object),
        R::Coordinate => read!(CoordinateIn, Coordinate),
        R::Sign => read!(SignIn, Sign),
        R::Approve => read!(ApproveIn, Approve),
        R::Reject => read!(RejectIn, Reject),
        R::Draft | R::Edit | R::Supersede | R::LapseCountersign => return None,
    })
}
