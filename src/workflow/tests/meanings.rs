//! What the entries of the lists mean, each list as a whole: which statuses are final (domain 3.1,
//! 3.4, 3.5; I36), who replies (I6), which lines and kinds there are, and what machines may do.

use super::fixture::World;
use super::people::fixed;
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::attachments::{Binding, BoundKind, FileType};
use crate::workflow::calendar::DayKind;
use crate::workflow::codes::{
    AssignmentRole, ClockKind, ConsentStatus, ConsultationForm, OutcomeMeaning, PromiseStatus,
    PromiseVerdict, ReferralStatus,
};
use crate::workflow::deadline::Unit;
use crate::workflow::explain;
use crate::workflow::input::ReferralVerdict;
use crate::workflow::lists::{ProposerKind, SystemLine};
use crate::workflow::profile::PolicyEffect;
use crate::workflow::proposal::ProposalStatus;
use crate::workflow::reasons::BUILT_IN;
use crate::workflow::reminders::Step;
use crate::workflow::reply::ReplyStatus;
use crate::workflow::role::{Line, Role};
use crate::workflow::rule::{
    Cause, Machine, Rule, State, Who, is_open_to_machines, is_unambiguous, roles_of, rule, rules,
};
use crate::workflow::topics::{TOPICS, hidden_from_handling_side, topic};

/// The entries of a list for which it holds.
fn those<T: Copy + std::fmt::Display>(all: &[T], holds: impl Fn(T) -> bool) -> Vec<String> {
    let found = all.iter().filter(|one| holds(**one));
    found.map(ToString::to_string).collect()
}

#[test]
fn final_statuses_are_those_of_the_domain() {
    let finals = [
        (
            Machine::Proposal,
            vec!["not_filed", "merged", "withdrawn", "closed"],
        ),
        (Machine::Assignment, vec!["replied", "returned", "void"]),
        (Machine::Reply, vec!["delivered", "superseded"]),
    ];
    for (machine, mut expected) in finals {
        let states = machine.states();
        let all = match machine {
            Machine::Proposal => ProposalStatus::ALL.len(),
            Machine::Assignment => AssignmentStatus::ALL.len(),
            Machine::Reply => ReplyStatus::ALL.len(),
        };
        assert_eq!(states.len(), all);
        let is_final = states.iter().filter(|state| state.is_final());
        let mut found: Vec<_> = is_final.map(|state| state.as_str()).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{machine}");
        for one in &states {
            for other in &states {
                assert_eq!(one.is(*other), one == other);
            }
            assert!(!one.is(State::Start));
        }
    }
    assert!(!State::Start.is_final() && State::Start.is(State::Start));
    let live = those(ReplyStatus::ALL, ReplyStatus::is_live);
    assert_eq!(live, ["draft", "countersigning", "under_review"]);
    let dead = those(AssignmentStatus::ALL, |status| !status.is_live());
    assert_eq!(dead, ["returned", "void"]);
    // I36: from every other status a row leads on.
    for state in [Machine::Proposal, Machine::Assignment]
        .iter()
        .flat_map(|one| one.states())
    {
        let leads_on = rules().any(|rule| rule.from.contains(&state));
        assert!(leads_on || state.is_final(), "{state:?}");
    }
}

#[test]
fn entries_mean_what_the_domain_says() {
    assert_eq!(
        those(AssignmentRole::ALL, AssignmentRole::replies),
        ["lead", "separate"]
    );
    let reasons = those(OutcomeMeaning::ALL, OutcomeMeaning::needs_reasons);
    assert_eq!(
        reasons,
        ["deferred_by_conditions", "for_reference", "not_feasible"]
    );
    let ends = those(ConsultationForm::ALL, ConsultationForm::ends_rehandling);
    assert_eq!(ends, ["face_to_face_meeting", "special_explanation"]);
    let single = those(ProposerKind::ALL, |kind| !kind.is_collective());
    assert_eq!(single, ["individual", "joint"]);
    for line in SystemLine::ALL {
        let expected = match line.as_str() {
            "party_committee" => Line::Party,
            "government" => Line::Government,
            _ => Line::Cppcc,
        };
        assert_eq!(line.default_line(), expected, "{line}");
    }
    for verdict in PromiseVerdict::ALL {
        let status: PromiseStatus = verdict.status();
        assert_eq!(status.as_str(), verdict.as_str());
    }
    for verdict in ReferralVerdict::ALL {
        let status: ReferralStatus = verdict.status();
        assert_eq!(status.as_str(), verdict.as_str());
    }
    assert_eq!(those(PolicyEffect::ALL, PolicyEffect::filed), ["keeps"]);
    let mut proposer = World::individual().case.proposers[0].clone();
    let mut out = Vec::new();
    for status in ConsentStatus::ALL {
        proposer.status = *status;
        if !proposer.signs() {
            out.push(status.as_str());
        }
    }
    out.sort_unstable();
    assert_eq!(out, ["declined", "dropped", "expired"]);
    let days = [
        DayKind::Working,
        DayKind::Weekend,
        DayKind::Holiday("元旦"),
        DayKind::MakeupWorkday,
    ];
    assert_eq!(days.map(DayKind::is_working), [true, false, false, true]);
}

/// 7.2: ten reasons of the national list, and the three that remove the text (I29).
#[test]
fn reasons_are_national_or_local_and_some_remove_the_text() {
    let national = BUILT_IN.iter().filter(|one| one.national).count();
    assert_eq!(national, 10);
    let hiding = BUILT_IN.iter().filter(|one| one.hides_text);
    let hiding: Vec<_> = hiding.map(|one| one.code).collect();
    assert_eq!(
        hiding,
        [
            "state_or_party_secret",
            "named_accusation",
            "under_discipline_investigation"
        ]
    );
    for one in &BUILT_IN {
        assert!(!one.code.is_empty() && !one.label.zh.is_empty() && !one.label.en.is_empty());
    }
}

#[test]
fn files_are_named_and_bound_as_what_they_are() {
    let expected = [
        ("pdf", "application/pdf", "pdf"),
        ("jpeg", "image/jpeg", "jpg jpeg"),
        ("png", "image/png", "png"),
        (
            "docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "docx",
        ),
        (
            "xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "xlsx",
        ),
        (
            "pptx",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            "pptx",
        ),
        ("doc", "application/msword", "doc"),
        ("xls", "application/vnd.ms-excel", "xls"),
        ("ppt", "application/vnd.ms-powerpoint", "ppt"),
        ("ofd", "application/ofd", "ofd"),
        ("text", "text/plain; charset=utf-8", "txt"),
    ];
    assert_eq!(FileType::ALL.len(), expected.len());
    for (kind, (name, media, extensions)) in FileType::ALL.iter().zip(expected) {
        assert_eq!(kind.as_str(), name);
        assert_eq!(kind.media_type(), media);
        assert_eq!(kind.extensions().join(" "), extensions);
    }
    let bound = Binding::to(BoundKind::Contact, fixed(11, 1));
    assert_eq!((bound.kind, bound.rater), (BoundKind::Contact, None));
    let form = Binding::to_form(fixed(11, 2), fixed(11, 3));
    assert_eq!(form.kind, BoundKind::OpinionForm);
    assert_eq!((form.id, form.rater), (fixed(11, 2), Some(fixed(11, 3))));
}

#[test]
fn clocks_and_reminders_have_their_words() {
    let mut starts: Vec<_> = ClockKind::ALL
        .iter()
        .map(|kind| explain::start_event(*kind))
        .map(|label| (label.zh, label.en))
        .collect();
    starts.sort_unstable();
    starts.dedup();
    // K05, K07, K08 and K10 start with the row.
    assert_eq!(starts.len(), ClockKind::ALL.len() - 3);
    assert!(starts.iter().all(|(zh, en)| zh.len() > 3 && en.len() > 3));
    let topics = [Step::Ahead(3), Step::OnDay, Step::Overdue].map(Step::topic);
    assert_eq!(
        topics,
        ["reminder.ahead", "reminder.due", "reminder.overdue"]
    );
    // About ten years.
    let most = [
        Unit::Hours,
        Unit::CalendarDays,
        Unit::WorkingDays,
        Unit::Months,
    ];
    assert_eq!(most.map(explain::most), [87_600, 3_660, 2_500, 120]);
}

/// docs/client-guide.md, "Machine clients": what a person answers for is closed to tokens.
#[test]
fn machines_keep_records_and_answer_for_nothing() {
    let open = those(Role::ALL, Role::is_open_to_machines);
    let expected = [
        "assigning_officer",
        "committee_staff",
        "organisation_clerk",
        "supervision_officer",
        "unit_clerk",
    ];
    let mut found: Vec<_> = open.iter().map(String::as_str).collect();
    found.sort_unstable();
    assert_eq!(found, expected);
    let mut actions: Vec<_> = rules()
        .filter(|rule| rule.cause() == Cause::Call && is_open_to_machines(rule.action))
        .map(|rule| rule.action.as_str())
        .collect();
    actions.sort_unstable();
    actions.dedup();
    for closed in [
        "submit",
        "consent_cosign",
        "decline_cosign",
        "examine",
        "file",
        "not_file",
        "merge",
        "give_feedback",
        "countersign",
        "object",
        "sign",
        "approve",
        "reject",
        "publish",
        "unpublish",
        "grant_return",
        "reject_return",
        "grant_extension",
        "deny_extension",
        "pause_clock",
        "deny_pause",
        "close",
        "reopen",
        "rehandle",
        "withdraw",
        "void",
    ] {
        assert!(
            rules().any(|rule| rule.action.as_str() == closed),
            "{closed}"
        );
        assert!(!actions.contains(&closed), "{closed}");
    }
    for open in [
        "accept",
        "record_contact",
        "submit_opinion",
        "request_return",
        "request_extension",
        "request_pause",
        "suggest_units",
        "draft",
        "edit",
        "request_countersign",
        "deliver",
        "assign",
        "urge",
        "acknowledge_urging",
        "answer_instruction",
        "report_progress",
        "archive",
    ] {
        assert!(actions.contains(&open), "{open} in {actions:?}");
    }
}

/// I1: two rows of one action that start from the same status would leave it open which one holds.
#[test]
fn a_table_with_two_rows_for_one_act_is_found_out() {
    let row = |id: &str| *rule(id).expect("a row");
    let (submit, recall, accept) = (row("PT06"), row("PT08"), row("AT02"));
    assert_eq!((submit.id, accept.id), ("PT06", "AT02"));
    let draft = |rule: Rule| Rule {
        from: &[State::Proposal(ProposalStatus::Draft)],
        ..rule
    };
    for (table, fine) in [
        (vec![], true),
        (vec![submit], true),
        (vec![submit, recall, accept], true),
        (vec![submit, row("PT07")], true),
        (vec![submit, submit], false),
        (vec![accept, submit, submit], false),
        (vec![submit, accept, accept], false),
        (vec![submit, accept, recall, submit], false),
        (vec![row("RT01"), row("RT07"), row("RT07")], false),
        // Another action from the same status is another matter.
        (vec![submit, draft(recall)], true),
        (vec![draft(row("PT07")), submit], false),
        // Several statuses, of which only the last is shared.
        (
            vec![
                row("PT02"),
                Rule {
                    from: &[State::Proposal(ProposalStatus::Returned)],
                    ..row("PT02")
                },
            ],
            false,
        ),
        (
            vec![
                Rule {
                    from: &[State::Proposal(ProposalStatus::Filed)],
                    ..row("PT02")
                },
                row("PT02"),
            ],
            true,
        ),
    ] {
        let ids: Vec<_> = table.iter().map(|rule: &Rule| rule.id).collect();
        assert_eq!(is_unambiguous(&table), fine, "{ids:?}");
    }
    assert!(rule("XX99").is_none());
    let roles = roles_of(&[Who::Chair, Who::Proxy, Who::Staff]);
    assert_eq!(roles.len(), 2);
    assert!(roles.contains(&Role::CommitteeChair) && roles.contains(&Role::CommitteeStaff));
}

/// I21: of what a rater wrote nobody on the handling side is told before the conclusion. Every topic is
/// found by its name.
#[test]
fn topics_are_found_by_name_and_forms_are_kept_from_units() {
    for one in TOPICS {
        assert_eq!(topic(one.name).map(|found| found.name), Some(one.name));
    }
    assert!(topic("proposal.linked").is_none() && topic("").is_none());
    let hidden = TOPICS
        .iter()
        .filter(|one| hidden_from_handling_side(one.name));
    let hidden: Vec<_> = hidden.map(|one| one.name).collect();
    assert_eq!(hidden, ["feedback.given", "feedback.corrected"]);
}
