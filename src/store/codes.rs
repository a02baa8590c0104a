//! Which code lists are stored as their identifiers.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, Queryable};
use diesel::expression::AsExpression;
use diesel::internal::derives::as_expression::Bound;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{Nullable, Text};

use super::audit_checks::CheckStatus;
use super::openid::AccountClaim;
use super::sql_types::text_codes;
use crate::auth::policy::PasswordProfile;
use crate::jobs::kind::{JobKind, Lane as JobLane};
use crate::mail::{Language, MailKind, MailStatus};
use crate::webhooks::{DeliveryStatus, WebhookStatus};
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::attachments::{AttachmentStatus, BoundKind, FileType};
use crate::workflow::calendar::DayMark;
use crate::workflow::codes::{
    AssignmentRole, CaseSeries, ClockKind, ConsentStatus, ConsultationForm, ContactWay,
    CountersignStatus, FollowUpKind, FollowUpStatus, Grade, HandlingKind, LinkKind, OutcomeMeaning,
    ProgrammeTier, PromiseStatus, ProposerRole, PublicationLevel, Recommendation,
    ReferralDirection, ReferralStatus, RequestKind, RequestStatus, Secrecy, SessionMark, Stage,
    SubjectClass, Urgency,
};
use crate::workflow::desk::Task;
use crate::workflow::lists::{CommitteeLevel, ProposerKind, SystemLine};
use crate::workflow::profile::ProfileStatus;
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::reasons::{ReasonCode, ReasonStatus};
use crate::workflow::reply::ReplyStatus;
use crate::workflow::role::{Line, Role};
use crate::workflow::topics::Group as TopicGroup;

text_codes!(
    AccountClaim,
    AssignmentRole,
    AssignmentStatus,
    AttachmentStatus,
    BoundKind,
    CaseSeries,
    CheckStatus,
    ClockKind,
    CommitteeLevel,
    ConsentStatus,
    ConsultationForm,
    ContactWay,
    CountersignStatus,
    DayMark,
    DeliveryStatus,
    FileType,
    FollowUpKind,
    FollowUpStatus,
    Grade,
    HandlingKind,
    JobKind,
    JobLane,
    Language,
    Line,
    LinkKind,
    MailKind,
    MailStatus,
    OutcomeMeaning,
    PasswordProfile,
    ProfileStatus,
    ProgrammeTier,
    PromiseStatus,
    ProposalStatus,
    ProposerKind,
    ProposerRole,
    PublicationLevel,
    ReasonCode,
    ReasonStatus,
    Recommendation,
    ReferralDirection,
    ReferralStatus,
    ReplyStatus,
    RequestKind,
    RequestStatus,
    Role,
    Secrecy,
    SessionMark,
    Stage,
    SubjectClass,
    SystemLine,
    Task,
    TopicGroup,
    Urgency,
    WebhookStatus,
);
