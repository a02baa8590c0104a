//! Which code lists are stored as their identifiers.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, Queryable};
use diesel::expression::AsExpression;
use diesel::internal::derives::as_expression::Bound;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{Nullable, Text};

use super::sql_types::text_codes;
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::attachments::{AttachmentStatus, BoundKind, FileType};
use crate::workflow::codes::{
    AssignmentRole, ClockKind, ConsentStatus, CountersignStatus, Grade, HandlingKind,
    OutcomeMeaning, PromiseStatus, ProposerRole, Recommendation, Secrecy, SessionMark, Stage,
    SubjectClass, Urgency,
};
use crate::workflow::desk::Task;
use crate::workflow::lists::{CommitteeLevel, ProposerKind, SystemLine};
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::reply::ReplyStatus;
use crate::workflow::role::{Line, Role};

text_codes!(
    AssignmentRole,
    AssignmentStatus,
    AttachmentStatus,
    BoundKind,
    ClockKind,
    CommitteeLevel,
    ConsentStatus,
    CountersignStatus,
    FileType,
    Grade,
    HandlingKind,
    Line,
    OutcomeMeaning,
    PromiseStatus,
    ProposalStatus,
    ProposerKind,
    ProposerRole,
    Recommendation,
    ReplyStatus,
    Role,
    Secrecy,
    SessionMark,
    Stage,
    SubjectClass,
    SystemLine,
    Task,
    Urgency,
);
