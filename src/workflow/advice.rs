//! What a proposer should know before handing in: nothing of it stops anybody.

use serde::Serialize;
use utoipa::ToSchema;

use super::case::Case;
use super::profile::Profile;
use super::proposal::ProposalStatus;
use crate::error::Message;

/// Something that is allowed, and could be better.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Warning {
    /// Stable name.
    #[schema(max_length = 64, example = "longer_than_advised")]
    pub code: &'static str,
    /// JSON pointer of the place in the proposal.
    #[schema(max_length = 100, example = "/form")]
    pub pointer: &'static str,
    /// What it is about.
    pub message: Message,
}

/// The warnings on a proposal whose text can still be changed.
pub fn warnings(case: &Case, profile: &Profile) -> Vec<Warning> {
    let proposal = &case.proposal;
    if !matches!(
        proposal.status,
        ProposalStatus::Draft | ProposalStatus::Returned
    ) {
        return Vec::new();
    }
    let (length, advised) = (proposal.form.total_chars(), profile.total_advice_chars);
    if length <= advised {
        return Vec::new();
    }
    vec![Warning {
        code: "longer_than_advised",
        pointer: "/form",
        message: Message::new(
            format!("全文 {length} 字，建议不超过 {advised} 字。"),
            format!("The text has {length} characters; {advised} are advised at most."),
        ),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_warned_about_when_it_is_longer_than_advised_and_can_still_be_changed() {
        let mut case = crate::workflow::tests::any_case();
        let mut profile = Profile::default();
        let length = case.proposal.form.total_chars();
        profile.total_advice_chars = length;
        assert_eq!(warnings(&case, &profile), []);
        profile.total_advice_chars = length - 1;
        for (status, warned) in [
            (ProposalStatus::Draft, 1),
            (ProposalStatus::Returned, 1),
            (ProposalStatus::Submitted, 0),
            (ProposalStatus::Filed, 0),
        ] {
            case.proposal.status = status;
            assert_eq!(warnings(&case, &profile).len(), warned, "{status}");
        }
    }
}
