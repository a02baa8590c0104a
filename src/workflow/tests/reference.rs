//! The tables against the reference of the domain, row by row.

use crate::workflow::rule::{To, rules};

/// Row, from, action, to, event and who, written down from the reference of the domain and not
/// from the tables.
const REFERENCE: &[(&str, &str, &str, &str, &str, &str)] = &[
    (
        "PT01",
        "",
        "create",
        "draft",
        "proposal.created",
        "member organisation_clerk committee_staff",
    ),
    (
        "PT02",
        "draft returned",
        "edit",
        "",
        "proposal.edited",
        "member organisation_clerk committee_staff",
    ),
    (
        "PT03",
        "draft returned",
        "invite_cosigners",
        "",
        "cosign.invited",
        "member organisation_clerk committee_staff",
    ),
    (
        "PT04",
        "draft submitted returned",
        "consent_cosign",
        "",
        "cosign.consented",
        "member",
    ),
    (
        "PT05",
        "draft submitted returned",
        "decline_cosign",
        "",
        "cosign.declined",
        "member",
    ),
    (
        "PT06",
        "draft",
        "submit",
        "submitted",
        "proposal.submitted",
        "member organisation_clerk committee_staff",
    ),
    (
        "PT07",
        "returned",
        "submit",
        "submitted",
        "proposal.resubmitted",
        "member organisation_clerk committee_staff",
    ),
    (
        "PT08",
        "submitted",
        "recall",
        "draft",
        "proposal.recalled",
        "member organisation_clerk committee_staff",
    ),
    (
        "PT09",
        "draft submitted returned",
        "withdraw",
        "withdrawn",
        "proposal.withdrawn",
        "member organisation_clerk committee_staff",
    ),
    (
        "PT13",
        "submitted",
        "return_for_revision",
        "returned",
        "proposal.returned",
        "examiner committee_staff committee_chair",
    ),
    (
        "PT14",
        "submitted",
        "examine",
        "",
        "examination.recorded",
        "examiner",
    ),
    (
        "PT15",
        "submitted",
        "file",
        "filed",
        "proposal.filed",
        "committee_chair",
    ),
    (
        "PT16",
        "submitted returned",
        "not_file",
        "not_filed",
        "proposal.not_filed",
        "committee_chair",
    ),
    (
        "PT19",
        "filed",
        "assign",
        "assigned",
        "proposal.assigned",
        "assigning_officer",
    ),
    (
        "PT21",
        "assigned",
        "complete_handling",
        "handled",
        "proposal.handled",
        "system",
    ),
    (
        "PT22",
        "handled feedback",
        "give_feedback",
        "",
        "feedback.given",
        "member organisation_clerk committee_staff",
    ),
    (
        "PT23",
        "handled",
        "conclude_feedback",
        "feedback",
        "feedback.concluded",
        "system",
    ),
    (
        "PT25",
        "feedback",
        "close",
        "closed",
        "proposal.closed",
        "committee_staff committee_chair",
    ),
    (
        "AT02",
        "pending",
        "accept",
        "accepted",
        "assignment.accepted",
        "unit_clerk",
    ),
    (
        "AT09",
        "accepted opinion_submitted",
        "record_contact",
        "",
        "contact.recorded",
        "unit_clerk",
    ),
    (
        "AT10",
        "accepted opinion_submitted",
        "submit_opinion",
        "opinion_submitted",
        "opinion.submitted",
        "unit_clerk",
    ),
    ("RT01", "", "draft", "draft", "reply.drafted", "unit_clerk"),
    (
        "RT02",
        "draft countersigning",
        "edit",
        "draft",
        "reply.edited",
        "unit_clerk",
    ),
    (
        "RT03",
        "draft",
        "request_countersign",
        "countersigning",
        "countersign.requested",
        "unit_clerk",
    ),
    (
        "RT04",
        "countersigning",
        "countersign",
        "",
        "countersign.given",
        "unit_signatory",
    ),
    (
        "RT05",
        "countersigning",
        "object",
        "draft",
        "countersign.objected",
        "unit_signatory",
    ),
    (
        "RT06",
        "draft countersigning",
        "sign",
        "under_review",
        "reply.signed",
        "unit_signatory",
    ),
    (
        "RT07",
        "under_review",
        "approve",
        "",
        "reply.approved",
        "supervision_officer assigning_officer",
    ),
    (
        "RT08",
        "under_review",
        "reject",
        "draft",
        "reply.rejected",
        "supervision_officer assigning_officer",
    ),
    (
        "RT09",
        "under_review",
        "deliver",
        "delivered",
        "reply.delivered",
        "unit_clerk supervision_officer",
    ),
];

#[test]
fn the_tables_say_what_the_reference_says() {
    let ids: Vec<_> = rules().map(|rule| rule.id).collect();
    let expected: Vec<_> = REFERENCE.iter().map(|row| row.0).collect();
    assert_eq!(ids, expected);
    for (rule, expected) in rules().zip(REFERENCE) {
        let from: Vec<_> = rule.from.iter().map(|state| state.as_str()).collect();
        let to = match rule.to {
            To::Stay => "",
            To::State(state) => state.as_str(),
        };
        let who: Vec<_> = rule.who.iter().map(|who| who.role().as_str()).collect();
        let (from, who) = (from.join(" "), who.join(" "));
        let found = (
            rule.id,
            from.as_str(),
            rule.action.as_str(),
            to,
            rule.event,
            who.as_str(),
        );
        assert_eq!(found, *expected);
    }
}
