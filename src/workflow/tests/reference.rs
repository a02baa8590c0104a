//! The tables against the reference of the domain, row by row.

use std::collections::BTreeSet;

use crate::workflow::rule::{Cause, To, rules};

/// Row, from, action, to, event and roles, written down from the reference of the domain and not
/// from the tables. Rows with a letter and OT rows are rows of this project: parts of the row of
/// that number, and orthogonal actions.
const REFERENCE: &str = "\
PT01|-|create|draft|proposal.created|member organisation_clerk committee_staff
PT02|draft returned|edit||proposal.edited|member organisation_clerk committee_staff
PT03|draft returned|invite_cosigners||cosign.invited|member organisation_clerk committee_staff
PT04|draft submitted returned|consent_cosign||cosign.consented|member organisation_clerk committee_staff
PT04b|draft submitted returned|second||proposal.seconded|member
PT05|draft submitted returned|decline_cosign||cosign.declined|member organisation_clerk committee_staff
PT05b|draft submitted returned|expire_invitations||cosign.expired|system
PT06|draft|submit|submitted|proposal.submitted|member organisation_clerk committee_staff
PT07|returned|submit|submitted|proposal.resubmitted|member organisation_clerk committee_staff
PT08|submitted|recall|draft|proposal.recalled|member organisation_clerk committee_staff
PT09|draft submitted returned|withdraw|withdrawn|proposal.withdrawn|member organisation_clerk committee_staff
PT10|filed assigned|withdraw||withdrawal.requested|member organisation_clerk
PT11|filed assigned|approve_withdrawal|withdrawn|proposal.withdrawn|committee_chair
PT12|filed assigned|reject_withdrawal||withdrawal.rejected|committee_chair
PT13|submitted|return_for_revision|returned|proposal.returned|committee_staff examiner committee_chair
PT14|submitted|examine||examination.recorded|examiner
PT15|submitted|file|filed|proposal.filed|committee_chair
PT16|submitted returned|not_file|not_filed|proposal.not_filed|committee_chair
PT16b|not_filed|carry_out_disposition||disposition.carried_out|committee_staff
PT17|submitted filed|merge|merged|proposal.merged|committee_chair
PT18|merged|unmerge||proposal.unmerged|committee_chair
PT19|filed|assign|assigned|proposal.assigned|assigning_officer
PT20|assigned|adjust_units||units.adjusted|assigning_officer
PT21|assigned|complete_handling|handled|proposal.handled|system
PT22|handled feedback|give_feedback||feedback.given|member organisation_clerk committee_staff
PT22b|handled feedback|correct_feedback||feedback.corrected|member organisation_clerk committee_staff
PT22c|handled|excuse_rater||rater.excused|committee_staff
PT23|handled|conclude_feedback|feedback|feedback.concluded|system
PT24|feedback|rehandle|assigned|proposal.rehandling|committee_chair assigning_officer
PT24b|feedback|waive_rehandling||rehandling.waived|member organisation_clerk committee_staff
PT25|feedback|close|closed|proposal.closed|committee_staff committee_chair
PT26|closed|reopen|feedback|proposal.reopened|committee_chair
OT01|filed assigned handled feedback closed|record_consultation||consultation.recorded|committee_staff assigning_officer supervision_officer
OT02|filed merged assigned handled feedback closed|review_publication||publication.reviewed|committee_staff
OT03|draft submitted returned filed not_filed merged withdrawn assigned handled feedback closed|set_secrecy||secrecy.set|committee_staff committee_chair
OT04|not_filed merged withdrawn closed|archive||proposal.archived|committee_staff
OT05|submitted filed not_filed merged assigned handled feedback closed|link_cases||proposal.linked|committee_staff committee_chair assigning_officer
OT06|submitted filed assigned|request_urgency||urgency.requested|member organisation_clerk committee_staff assigning_officer
OT07|submitted filed assigned|mark_urgent||proposal.urgent|committee_chair
OT08|submitted filed assigned|refuse_urgency||urgency.refused|committee_chair
OT09|submitted filed assigned|downgrade_urgency||urgency.downgraded|committee_chair
OT10|filed assigned handled feedback closed|nominate_key||key.nominated|organisation_clerk committee_staff supervision_officer leader unit_clerk
OT11|filed assigned handled feedback closed|designate_key||proposal.key|committee_chair
OT12|filed assigned handled feedback closed|release_key||key.released|committee_chair
OT13|filed merged assigned handled feedback closed|publish||publication.published|committee_staff
OT14|filed merged assigned handled feedback closed|unpublish||publication.withdrawn|committee_staff
OT20|filed assigned handled feedback closed|start_tracking||tracking.started|committee_chair
OT21|filed assigned handled feedback closed|report_progress||tracking.progress|unit_clerk
OT22|filed assigned handled feedback closed|fulfil_promise||promise.fulfilled|supervision_officer committee_staff
OT23|filed assigned handled feedback closed|stop_tracking||tracking.stopped|committee_chair
OT24|filed assigned handled feedback closed|supervise||supervision.recorded|supervision_officer committee_staff leader
OT25|assigned handled feedback closed|urge||urged|assigning_officer supervision_officer committee_staff
OT26|filed assigned handled feedback closed|acknowledge_urging||urging.answered|unit_clerk member organisation_clerk
OT27|submitted filed assigned handled feedback closed|instruct||instructed|leader committee_staff
OT28|draft submitted returned filed not_filed merged withdrawn assigned handled feedback closed|answer_instruction||instruction.answered|unit_clerk
OT29|filed assigned handled feedback closed|record_look_back||look_back.recorded|supervision_officer committee_staff
OT30|draft submitted returned filed not_filed merged withdrawn assigned handled feedback closed|recount_clock||clock.recounted|system
OT31|filed assigned handled feedback closed|open_look_back||look_back.opened|system
OT32|submitted filed assigned not_filed|refer_up||referral.sent|committee_chair
OT33|filed assigned|refer_down||referral.sent|committee_chair
OT34|draft submitted returned filed not_filed merged withdrawn assigned handled feedback closed|note_referral_answer||referral.answered|committee_staff
OT35|draft submitted returned filed not_filed merged withdrawn assigned handled feedback closed|receive_referral_answer||referral.answered|system
OT36|draft submitted returned filed not_filed merged withdrawn assigned handled feedback closed|recall_referral||referral.recalled|committee_chair
AT01|-|create||assignment.created|system
AT02|pending|accept|accepted|assignment.accepted|unit_clerk
AT03|pending accepted|suggest_units||units.suggested|unit_clerk
AT03b|pending accepted return_requested opinion_submitted|refuse_suggestion||suggestion.refused|assigning_officer
AT04|pending accepted|request_return|return_requested|return.requested|unit_clerk
AT05|return_requested|grant_return|returned|return.granted|assigning_officer
AT06|return_requested|reject_return|accepted|return.rejected|assigning_officer
AT07|return_requested|escalate_return||return.escalated|assigning_officer
AT08|pending|deem_accepted|accepted|assignment.deemed_accepted|system
AT09|accepted opinion_submitted|record_contact||contact.recorded|unit_clerk
AT09b|accepted return_requested opinion_submitted replied|object_contact||contact.objected|member organisation_clerk
AT10|accepted opinion_submitted|submit_opinion|opinion_submitted|opinion.submitted|unit_clerk
AT10b|pending accepted|note_missing_opinion||opinion.missing|system
AT11|accepted|request_extension||extension.requested|unit_clerk
AT12|accepted|grant_extension||extension.decided|assigning_officer
AT12|accepted|deny_extension||extension.decided|assigning_officer
AT13|accepted|request_pause||pause.requested|unit_clerk
AT14|accepted|pause_clock||clock.paused|assigning_officer
AT14|accepted|deny_pause||pause.denied|assigning_officer
AT15|accepted|resume_clock||clock.resumed|assigning_officer
AT15|accepted|end_pause||clock.resumed|system
AT16|accepted|mark_replied|replied|assignment.replied|system
AT17|pending accepted return_requested opinion_submitted|void|void|assignment.voided|assigning_officer
AT18|pending accepted return_requested opinion_submitted replied|hand_over||assignment.handed_over|system
RT01|-|draft|draft|reply.drafted|unit_clerk
RT02|draft countersigning|edit|draft|reply.edited|unit_clerk
RT03|draft|request_countersign|countersigning|countersign.requested|unit_clerk
RT04|countersigning|countersign||countersign.given|unit_signatory
RT04b|countersigning|lapse_countersign||countersign.lapsed|system
RT05|countersigning|object|draft|countersign.objected|unit_signatory
RT05b|draft countersigning|coordinate||reply.coordinated|assigning_officer
RT06|draft countersigning|sign|under_review|reply.signed|unit_signatory
RT07|under_review|approve||reply.approved|supervision_officer assigning_officer
RT08|under_review|reject|draft|reply.rejected|supervision_officer assigning_officer
RT09|under_review|deliver|delivered|reply.delivered|unit_clerk supervision_officer
RT10|delivered|supersede|superseded|reply.superseded|system
RT11|draft countersigning under_review|supersede|superseded|reply.superseded|system
";

/// The words in the order of the alphabet, so that only the set counts.
fn sorted<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: BTreeSet<_> = words.collect();
    words.into_iter().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_tables_say_what_the_reference_says() {
    let mut expected: Vec<String> = REFERENCE
        .lines()
        .map(|line| {
            let mut cells: Vec<_> = line.split('|').map(str::to_owned).collect();
            for column in [1, 5] {
                cells[column] = sorted(cells[column].split(' '));
            }
            cells.join("|")
        })
        .collect();
    let mut found: Vec<String> = rules()
        .map(|rule| {
            let from = sorted(rule.from.iter().map(|state| match state.as_str() {
                "" => "-",
                name => name,
            }));
            let to = match rule.to {
                To::Stay => "",
                To::State(state) => state.as_str(),
            };
            let who = sorted(rule.who.iter().map(|who| who.role().as_str()));
            let action = rule.action.as_str();
            [rule.id, &from, action, to, rule.event, &who].join("|")
        })
        .collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

/// Rows that the system takes: as soon as they are due, or as parts of others.
#[test]
fn the_rows_of_the_system() {
    let of = |cause: Cause| {
        let rows = rules().filter(|rule| rule.cause() == cause);
        rows.map(|rule| rule.action.as_str()).collect::<Vec<_>>()
    };
    let settled = [
        "expire_invitations",
        "complete_handling",
        "conclude_feedback",
        "open_look_back",
        "deem_accepted",
        "note_missing_opinion",
        "end_pause",
        "lapse_countersign",
    ];
    assert_eq!(of(Cause::Settled), settled);
    let parts = [
        "recount_clock",
        "receive_referral_answer",
        "create",
        "mark_replied",
        "hand_over",
        "supersede",
        "supersede",
    ];
    assert_eq!(of(Cause::Part), parts);
}
