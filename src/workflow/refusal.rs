//! Why an act is refused, as data: the present status, the missing right, the failed conditions.

use serde::Serialize;
use utoipa::ToSchema;

use super::rule::{State, Who};
use crate::error::Message;

/// A condition of the case that is not met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Unmet {
    /// Stable name of the guard.
    #[schema(max_length = 64, example = "stages_recorded")]
    pub guard: &'static str,
    /// The invariant behind it, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 8, example = "I12")]
    pub invariant: Option<&'static str>,
    /// What is missing.
    pub message: Message,
}

/// A wrong place in what was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// JSON pointer.
    pub pointer: String,
    /// Stable code.
    pub code: &'static str,
    /// What would be right.
    pub message: Message,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No entitled role (I10).
    NotAllowed {
        /// Who has the right.
        needs: Vec<Who>,
    },
    /// The action does not start from the present status (I1).
    WrongState {
        /// The present status.
        now: State,
        /// Statuses from which it starts.
        allowed_from: Vec<State>,
    },
    /// Conditions of the case are not met.
    Unmet(Vec<Unmet>),
    /// What was handed in breaks a rule.
    Invalid(Vec<Wrong>),
}

impl Refusal {
    /// The reason in one sentence; of several conditions all.
    pub fn words(&self) -> Message {
        match self {
            Self::NotAllowed { needs } => {
                let zh: Vec<_> = needs.iter().map(|who| who.label().zh).collect();
                let en: Vec<_> = needs.iter().map(|who| who.label().en).collect();
                Message::new(
                    format!("须由{}办理。", zh.join("、")),
                    format!("Only for: {}.", en.join("; ")),
                )
            }
            Self::WrongState { now, .. } => {
                let label = now.label();
                Message::new(
                    format!("当前状态“{}”不能进行此操作。", label.zh),
                    format!("Not from the present status: {}.", label.en),
                )
            }
            Self::Unmet(unmet) => together(unmet.iter().map(|one| &one.message)),
            Self::Invalid(wrongs) => together(wrongs.iter().map(|one| &one.message)),
        }
    }

    /// One failed condition.
    pub fn unmet(
        guard: &'static str,
        invariant: Option<&'static str>,
        zh: impl Into<std::borrow::Cow<'static, str>>,
        en: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Self {
        Self::Unmet(vec![Unmet {
            guard,
            invariant,
            message: Message::new(zh, en),
        }])
    }

    /// One wrong place.
    pub fn invalid(
        pointer: impl Into<String>,
        code: &'static str,
        zh: impl Into<std::borrow::Cow<'static, str>>,
        en: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Self {
        Self::Invalid(vec![Wrong {
            pointer: pointer.into(),
            code,
            message: Message::new(zh, en),
        }])
    }

    /// The wrong places of several checks together, at most 50; any other refusal stands alone.
    pub fn together(checks: impl IntoIterator<Item = Result<(), Self>>) -> Result<(), Self> {
        let mut wrongs = Vec::new();
        for check in checks {
            match check {
                Err(Self::Invalid(more)) => wrongs.extend(more),
                other => other?,
            }
        }
        wrongs.truncate(50);
        if wrongs.is_empty() {
            Ok(())
        } else {
            Err(Self::Invalid(wrongs))
        }
    }
}

fn together<'a>(messages: impl Iterator<Item = &'a Message> + Clone) -> Message {
    let zh: Vec<_> = messages.clone().map(|message| &*message.zh).collect();
    let en: Vec<_> = messages.map(|message| &*message.en).collect();
    Message::new(zh.join(""), en.join(" "))
}
