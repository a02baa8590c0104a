//! Typed identifiers: one list, one generic type.
//!
//! Every identifier is a UUID of version 7 (sortable by creation time). In JSON, paths and
//! logs it is written with a prefix that says what it names, such as
//! `prop_019a1b2c3d4e7f8090a1b2c3d4e5f607`, so that an identifier of one kind is refused where
//! another is expected.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::{NoContext, Uuid};

use crate::error::Message;

/// What an [`Id`] names: gives the prefix of its text form.
pub trait IdKind: Copy + Ord + fmt::Debug + Send + Sync + 'static {
    /// Prefix of the text form, without the underscore.
    const PREFIX: &'static str;
    /// Name of the schema in the OpenAPI document.
    const SCHEMA: &'static str;
}

/// An identifier of one kind of thing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id<K: IdKind>(Uuid, PhantomData<K>);

macro_rules! id_kinds {
    ($($(#[$doc:meta])* $kind:ident, $id:ident, $prefix:literal;)+) => {
        /// The marker types behind the identifiers.
        pub mod kind {
            $(
                $(#[$doc])*
                #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
                pub enum $kind {}
                impl super::IdKind for $kind {
                    const PREFIX: &'static str = $prefix;
                    const SCHEMA: &'static str = stringify!($id);
                }
            )+
        }
        $($(#[$doc])* pub type $id = Id<kind::$kind>;)+
        #[cfg(test)]
        const PREFIXES: &[&str] = &[$($prefix),+];
    };
}

id_kinds! {
    /// A committee (政协委员会): the tenant.
    Committee, CommitteeId, "cmte";
    /// A term (届) of a committee.
    Term, TermId, "term";
    /// A plenary session (次会议) of a term.
    Session, SessionId, "sess";
    /// A member (委员) on the register.
    Member, MemberId, "memb";
    /// A party, organisation, sector or other collective proposer.
    Organisation, OrganisationId, "orgn";
    /// A handling unit (承办单位).
    Unit, UnitId, "unit";
    /// A version of a committee's policy profile.
    PolicyProfile, PolicyProfileId, "prof";
    /// An account.
    User, UserId, "user";
    /// A sign-in: one chain of refresh tokens.
    SignIn, SignInId, "sign";
    /// A sign-in that waits for the second factor.
    Challenge, ChallengeId, "chal";
    /// An identity provider of a committee.
    OpenidProvider, OpenidProviderId, "oidp";
    /// A sign-in under way at an identity provider.
    OpenidFlow, OpenidFlowId, "oidf";
    /// A token of a machine client.
    ApiToken, ApiTokenId, "aptk";
    /// A proposal (提案).
    Proposal, ProposalId, "prop";
    /// A proposer of one proposal: the first proposer or a co-signer.
    Proposer, ProposerId, "prps";
    /// An examination opinion.
    Opinion, OpinionId, "opin";
    /// A decision on a case, with its meeting.
    Decision, DecisionId, "deci";
    /// A row that binds one handling unit to a case in one round.
    Assignment, AssignmentId, "asgn";
    /// A record of a contact with the proposer.
    Contact, ContactId, "cont";
    /// A file that goes with a text of a case (附件).
    Attachment, AttachmentId, "atta";
    /// A reply of a unit.
    Reply, ReplyId, "repl";
    /// A dated promise made in a reply.
    Promise, PromiseId, "prom";
    /// A clock that runs or ran on a case.
    Clock, ClockId, "clck";
    /// Something that waits for somebody on a desk.
    Duty, DutyId, "duty";
    /// Something asked for on a case: withdrawal, return, extension, pause.
    CaseRequest, CaseRequestId, "creq";
    /// An entry about promises, tracking, supervision, urging or an instruction on a case.
    FollowUp, FollowUpId, "flup";
    /// A case sent to another committee; both sides know it by this name.
    Referral, ReferralId, "refl";
    /// A consultation on a case.
    Consultation, ConsultationId, "cons";
    /// An entry of the audit trail.
    Event, EventId, "evnt";
    /// Events of one act on their way to those who are told.
    Outbox, OutboxId, "outb";
    /// A piece of work that is done after the answer.
    Job, JobId, "jobb";
    /// A worker's hold on such a piece.
    Lease, LeaseId, "leas";
    /// Something that an account was told.
    Notification, NotificationId, "noti";
    /// A mail to an account.
    Mail, MailId, "mail";
    /// A subscription to what happens, delivered by HTTP.
    Webhook, WebhookId, "whok";
    /// A message on its way to the target of such a subscription.
    Delivery, DeliveryId, "dlvr";
    /// A check of the audit trail.
    AuditCheck, AuditCheckId, "achk";
    /// One HTTP request.
    Request, RequestId, "reqt";
    /// Any thing that owns a chain of events; carries the UUID of that thing.
    Stream, StreamId, "strm";
    /// The thing inside a case that a clock, duty or event is about.
    Subject, SubjectId, "subj";
}

impl<K: IdKind> Id<K> {
    /// A new identifier, ordered by `now`; the low 74 bits are random.
    pub fn new(now: Timestamp) -> Self {
        let millis = now.as_millisecond().max(0);
        let seconds = u64::try_from(millis / 1000).unwrap_or(0);
        let nanos = u32::try_from(millis % 1000).unwrap_or(0) * 1_000_000;
        Self::from_uuid(Uuid::new_v7(uuid::Timestamp::from_unix(
            NoContext, seconds, nanos,
        )))
    }

    /// The least identifier of a moment: no other of that millisecond or later comes before it.
    pub fn first_at(moment: Timestamp) -> Self {
        let millis = u64::try_from(moment.as_millisecond().max(0)).unwrap_or(0);
        Self::from_uuid(Uuid::from_u64_pair(millis << 16, 0))
    }

    /// The moment, in whole milliseconds, by which the identifier is ordered.
    pub fn moment(self) -> Timestamp {
        let millis = self.0.as_u64_pair().0 >> 16;
        let millis = i64::try_from(millis).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
    }

    /// Wraps a UUID that is known to name a `K`.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The bare UUID.
    pub const fn uuid(self) -> Uuid {
        self.0
    }

    /// The same UUID as an identifier of another kind, for columns that hold several kinds.
    pub const fn cast<L: IdKind>(self) -> Id<L> {
        Id::from_uuid(self.0)
    }
}

impl<K: IdKind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, self.0.simple())
    }
}

impl<K: IdKind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not an identifier of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}_ followed by 32 lower-case hexadecimal digits")]
pub struct BadId(pub &'static str);

impl<K: IdKind> FromStr for Id<K> {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let hex = text
            .strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .filter(|hex| hex.len() == 32 && !hex.bytes().any(|b| b.is_ascii_uppercase()))
            .ok_or(BadId(K::PREFIX))?;
        Uuid::try_parse(hex)
            .map(Self::from_uuid)
            .map_err(|_| BadId(K::PREFIX))
    }
}

impl<K: IdKind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: IdKind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|BadId(prefix)| {
            serde::de::Error::custom(Message::new(
                format!("须为 {prefix}_ 加 32 位小写十六进制数字。"),
                format!("{prefix}_ and 32 lower-case hexadecimal digits."),
            ))
        })
    }
}

impl<K: IdKind> PartialSchema for Id<K> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(format!(
                "Identifier: `{}_` and 32 hexadecimal digits.",
                K::PREFIX
            )))
            .pattern(Some(format!("^{}_[0-9a-f]{{32}}$", K::PREFIX)))
            .min_length(Some(K::PREFIX.len() + 33))
            .max_length(Some(K::PREFIX.len() + 33))
            .examples([format!("{}_019a1b2c3d4e7f8090a1b2c3d4e5f607", K::PREFIX)])
            .into()
    }
}

impl<K: IdKind> ToSchema for Id<K> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed(K::SCHEMA)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_other_kinds_are_refused() {
        let id = ProposalId::new(Timestamp::UNIX_EPOCH);
        assert_eq!(id.to_string().parse::<ProposalId>(), Ok(id));
        assert!(id.to_string().parse::<UnitId>().is_err());
        assert!(id.to_string().to_uppercase().parse::<ProposalId>().is_err());
        assert!("prop_".parse::<ProposalId>().is_err());
    }

    #[test]
    fn prefixes_are_unique() {
        let mut seen: Vec<_> = PREFIXES.to_vec();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), PREFIXES.len());
    }
}
