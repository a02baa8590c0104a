//! Database errors into our own: the same violated constraint gives the same answer on both
//! backends.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::error::{Code, Error, Message};

/// What a clash on a unique constraint means to the client: constraint (PostgreSQL), columns
/// (SQLite), JSON pointer of the field to blame.
const UNIQUE: &[(&str, &str, &str)] = &[
    ("committees_code_key", "committees.code", "/code"),
    (
        "terms_number_key",
        "terms.committee_id, terms.number",
        "/number",
    ),
    (
        "sessions_number_key",
        "sessions.committee_id, sessions.term_id, sessions.number",
        "/number",
    ),
    (
        "organisations_name_key",
        "organisations.committee_id, organisations.name",
        "/name",
    ),
    (
        "members_no_key",
        "members.committee_id, members.term_id, members.member_no",
        "/member_no",
    ),
    (
        "refusal_reasons_pkey",
        "refusal_reasons.committee_id, refusal_reasons.code",
        "/code",
    ),
    ("units_name_key", "units.committee_id, units.name", "/name"),
    (
        "users_username_key",
        "users.committee_id, users.username",
        "/username",
    ),
    (
        "openid_providers_name_key",
        "openid_providers.committee_id, openid_providers.name",
        "/name",
    ),
    (
        "openid_links_subject_key",
        "openid_links.committee_id, openid_links.provider_id, openid_links.subject",
        "/subject",
    ),
    (
        "openid_links_pkey",
        "openid_links.committee_id, openid_links.provider_id, openid_links.user_id",
        "/user_id",
    ),
    (
        "users_member_key",
        "users.committee_id, users.member_id",
        "/member_id",
    ),
];

/// Unique constraints on which only a concurrent twin can clash: the transaction is run again
/// and then sees what the twin did.
const RACES: &[(&str, &str)] = &[
    ("idempotency_keys_pkey", "idempotency_keys."),
    ("number_series_pkey", "number_series."),
    ("request_budgets_pkey", "request_budgets."),
    (
        "policy_profiles_number_key",
        "policy_profiles.committee_id, policy_profiles.profile_version",
    ),
    ("events_pkey", "events.committee_id, events.stream_id"),
    ("sign_in_throttles_pkey", "sign_in_throttles."),
    ("password_policies_pkey", "password_policies."),
    (
        "audit_seals_pkey",
        "audit_seals.committee_id, audit_seals.number",
    ),
];

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => Self::not_found(),
            DieselError::DatabaseError(kind, info) => {
                let constraint = info.constraint_name().map(str::to_owned);
                let message = info.message().to_owned();
                database_error(kind, constraint.as_deref(), &message)
            }
            other => Self::internal(other),
        }
    }
}

fn database_error(kind: DatabaseErrorKind, constraint: Option<&str>, message: &str) -> Error {
    let violates = |postgres: &str, sqlite: &str| {
        constraint == Some(postgres) || (constraint.is_none() && message.contains(sqlite))
    };
    match kind {
        DatabaseErrorKind::UniqueViolation => {
            if RACES
                .iter()
                .any(|(postgres, sqlite)| violates(postgres, sqlite))
            {
                return Error::new(Code::Busy).context(message).retryable();
            }
            match UNIQUE
                .iter()
                .find(|(postgres, sqlite, _)| violates(postgres, sqlite))
            {
                Some((_, _, pointer)) => Error::new(Code::AlreadyExists).context(message).field(
                    *pointer,
                    "unique",
                    Message::new("该值已被使用。", "This value is used already."),
                ),
                None => Error::internal(message).context("unexpected unique violation"),
            }
        }
        DatabaseErrorKind::ForeignKeyViolation => {
            Error::internal(message).context("a reference was not checked before writing")
        }
        DatabaseErrorKind::SerializationFailure => {
            Error::new(Code::Busy).context(message).retryable()
        }
        DatabaseErrorKind::ClosedConnection
        | DatabaseErrorKind::UnableToSendCommand
        | DatabaseErrorKind::ReadOnlyTransaction => {
            Error::new(Code::DatabaseUnavailable).context(message)
        }
        // Waited long enough: another attempt would only keep the thread from others.
        _ if message.contains("lock timeout") || message.contains("statement timeout") => {
            Error::new(Code::Busy).context(message)
        }
        // A trigger of the trail: no statement of the program does that.
        _ if message.contains("is append-only") => {
            Error::internal(message).context("the trail was to be changed")
        }
        _ if is_lost_connection(message) => Error::new(Code::DatabaseUnavailable).context(message),
        _ if is_contention(message) => Error::new(Code::Busy).context(message).retryable(),
        // Nothing of the transaction is kept, and reading goes on.
        _ if is_out_of_room(message) => Error::new(Code::ReadOnly).context(message),
        _ if is_storage_failure(message) => Error::new(Code::DatabaseUnavailable).context(message),
        _ => Error::internal(message),
    }
}

/// The client library tells some broken connections only in words.
fn is_lost_connection(message: &str) -> bool {
    [
        "server closed the connection",
        "terminating connection",
        "connection to server",
        "could not receive data from server",
        "no connection to the server",
        "SSL SYSCALL error",
        "the database system is",
        "connection not open",
    ]
    .iter()
    .any(|part| message.contains(part))
}

fn is_contention(message: &str) -> bool {
    [
        "database is locked",
        "database table is locked",
        "deadlock detected",
    ]
    .iter()
    .any(|part| message.contains(part))
}

/// The disk of the database is full.
fn is_out_of_room(message: &str) -> bool {
    ["database or disk is full", "No space left"]
        .iter()
        .any(|part| message.contains(part))
}

fn is_storage_failure(message: &str) -> bool {
    ["disk I/O error", "attempt to write a readonly"]
        .iter()
        .any(|part| message.contains(part))
}

/// Whether a connection that gave this error should be thrown away.
pub(in crate::store) fn breaks_connection(error: &Error) -> bool {
    matches!(error.code(), Code::DatabaseUnavailable | Code::Internal)
}
