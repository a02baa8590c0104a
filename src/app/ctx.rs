//! The circumstances of one request, taken once and passed down.

use jiff::Timestamp;

use super::audit::Disclosed;
use crate::auth::principal::Principal;
use crate::error::{Code, Error, Result};
use crate::ids::{CommitteeId, RequestId, UserId};

/// Who asks, when, and under which conditions.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// Who is signed in.
    pub principal: Principal,
    /// The moment of the request.
    pub now: Timestamp,
    /// Names the request in logs, problem documents and the audit trail.
    pub request_id: RequestId,
    /// Name of the operation in the OpenAPI document.
    pub operation: std::sync::Arc<str>,
    /// The Idempotency-Key with the hash of method, path and body.
    pub idempotency: Option<IdempotencyKey>,
    /// The versions that If-Match accepts.
    pub if_match: IfMatch,
    /// Do everything, commit nothing.
    pub validate_only: bool,
    /// Restricted things that the answer tells of, for the audit trail.
    pub disclosed: Disclosed,
}

/// A key that makes a request safe to repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// As sent by the client.
    pub key: String,
    /// SHA-256 over method, path, query and body, in hexadecimal.
    pub request_hash: String,
}

/// The If-Match header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// Not sent.
    Missing,
    /// `*`: whatever version there is.
    Any,
    /// Strong entity tags.
    Tags(Vec<String>),
}

impl IfMatch {
    /// The same for a part of a case, whose tags also name the version of the case: only the part
    /// itself must be unchanged, so that units of one case do not hinder each other.
    pub fn check_part(&self, version: i32) -> Result<()> {
        let Self::Tags(tags) = self else {
            return self.check(version);
        };
        let own = |tag: &String| {
            tag.split_once('.')
                .map_or(tag.as_str(), |(own, _)| own)
                .to_owned()
        };
        Self::Tags(tags.iter().map(own).collect()).check(version)
    }

    /// Checks the present version: 428 without the header, 412 when it names other versions.
    pub fn check(&self, version: i32) -> Result<()> {
        match self {
            Self::Missing => Err(Error::new(Code::PreconditionRequired)),
            Self::Any => Ok(()),
            Self::Tags(tags) if tags.contains(&version.to_string()) => Ok(()),
            Self::Tags(_) => {
                Err(Error::new(Code::VersionMismatch)
                    .with("current_etag", format!("\"{version}\"")))
            }
        }
    }
}

impl Ctx {
    /// The tenant.
    pub fn committee(&self) -> CommitteeId {
        self.principal.committee
    }

    /// The account.
    pub fn user(&self) -> UserId {
        self.principal.user
    }
}
