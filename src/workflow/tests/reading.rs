//! Who reads what, as text: every question of `access` for everybody, in cases that differ in what
//! the answers hang on. A change of a right of reading shows here first.

use std::fmt::Write;

use super::fixture::{Person as P, World, unit};
use super::inputs;
use crate::ids::{Id, kind};
use crate::workflow::access::{
    EventFacts, Reach, is_own, may_know_of, may_read, may_read_clock, may_read_co_opinions,
    may_read_contacts, may_read_decision, may_read_follow_up, may_read_form, may_read_minutes,
    may_read_opinions, may_read_referrals, may_read_reply, may_read_request, may_read_texts,
    may_see_event, may_see_other_event, on_handling_side, sees_event_of_any_case,
};
use crate::workflow::assignment::AssignmentStatus;
use crate::workflow::attachments::{self, AttachmentFacts, AttachmentStatus, Binding, BoundKind};
use crate::workflow::case::{Case, FollowUp, Form};
use crate::workflow::codes::{
    ClockKind, ConsentStatus, CountersignStatus, FollowUpKind, FollowUpStatus, Grade,
    OutcomeMeaning, RequestKind, RequestStatus, Secrecy,
};
use crate::workflow::lists::ProposerKind;
use crate::workflow::profile::Profile;
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::reply::ReplyStatus;
use crate::workflow::role::{Actor, Line, Role};

const EVERYBODY: [P; 24] = [
    P::Member(0),
    P::Member(1),
    P::Member(5),
    P::MemberAnd(0, Role::AssigningOfficer),
    P::MemberAnd(1, Role::CommitteeStaff),
    P::MemberAnd(5, Role::SupervisionOfficer),
    P::Clerk,
    P::ClerkOf(1),
    P::Staff,
    P::Examiner(1),
    P::Chair,
    P::Officer(Line::Government),
    P::Officer(Line::Party),
    P::UnitClerk(0),
    P::Signatory(0),
    P::UnitClerk(1),
    P::Signatory(1),
    P::UnitClerk(3),
    P::Supervision,
    P::Leader,
    P::Auditor,
    P::Administrator,
    P::Security,
    P::MemberAnd(6, Role::Administrator),
];

/// Every event that is asked about by name, and some that are not.
const EVENTS: [&str; 40] = [
    "proposal.filed",
    "withdrawal.requested",
    "withdrawal.rejected",
    "withdrawal.approved",
    "rater.excused",
    "rehandling.waived",
    "disposition.carried_out",
    "secrecy.set",
    "units.suggested",
    "suggestion.refused",
    "return.requested",
    "return.rejected",
    "return.escalated",
    "return.granted",
    "extension.requested",
    "extension.decided",
    "extension.granted",
    "pause.requested",
    "pause.denied",
    "reply.coordinated",
    "reply.drafted",
    "reply.edited",
    "reply.rejected",
    "reply.delivered",
    "countersign.requested",
    "countersign.agreed",
    "countersigned",
    "instructed",
    "instruction.answered",
    "urged",
    "urging.answered",
    "tracking.started",
    "tracking.progress",
    "supervision.recorded",
    "look_back.recorded",
    "look_back.opened",
    "referral.sent",
    "referral.answered",
    "contact.objected",
    "feedback.given",
];

/// Every decision that is asked about by name, and one that is not.
const DECISIONS: [&str; 16] = [
    "file",
    "return_for_revision",
    "withdraw",
    "reject_withdrawal",
    "approve_withdrawal",
    "carry_out_disposition",
    "excuse_rater",
    "waive_rehandling",
    "rehandle",
    "set_secrecy",
    "adjust_units",
    "grant_return",
    "reject_return",
    "escalate_return",
    "void",
    "coordinate",
];

/// What happens to other things than cases.
const OTHERS: [(&str, &str); 24] = [
    ("user", "user.created"),
    ("user", "user.changed"),
    ("user", "user.roles_changed"),
    ("user", "user.password_reset"),
    ("user", "user.sign_ins_ended"),
    ("user", "user.sign_in_locked"),
    ("user", "user.sign_in_unlocked"),
    ("user", "user.signed_in"),
    ("api_token", "api_token.created"),
    ("webhook", "webhook.created"),
    ("job", "job.retried"),
    ("committee", "committee.changed"),
    ("committee", "committee.password_policy_changed"),
    ("committee", "batch.executed"),
    ("term", "term.created"),
    ("session", "session.created"),
    ("member", "member.created"),
    ("organisation", "organisation.created"),
    ("unit", "unit.created"),
    ("profile", "profile.activated"),
    ("calendar", "calendar.imported"),
    ("refusal_reason", "refusal_reason.created"),
    ("access", "access.refused"),
    ("audit", "audit.sealed"),
];

/// Those of whom it holds.
fn who(holds: impl Fn(&Actor) -> bool) -> String {
    let found: Vec<_> = EVERYBODY
        .iter()
        .filter(|who| holds(&who.actor()))
        .map(|who| format!("{who:?}"))
        .collect();
    match found.len() {
        0 => "nobody".to_owned(),
        all if all == EVERYBODY.len() => "everybody".to_owned(),
        _ => found.join(", "),
    }
}

/// Lines of questions and answers.
#[derive(Default)]
struct Table(String);

impl Table {
    fn head(&mut self, words: &str) {
        writeln!(self.0, "== {words}").unwrap();
    }

    fn ask(&mut self, question: &str, holds: impl Fn(&Actor) -> bool) {
        writeln!(self.0, "{question}: {}", who(holds)).unwrap();
    }
}

fn joint() -> World {
    World::joint().invite(&[1]).consent(1)
}

/// Lead unit 0, co-handler 1, everything ready for the lead's reply.
fn handled() -> World {
    World::drafted_jointly()
}

/// The same, delivered.
fn delivered() -> World {
    handled()
        .countersigning()
        .agreed(1)
        .signed(0)
        .approved(0)
        .delivered(0)
}

fn changed(mut world: World, change: impl FnOnce(&mut Case)) -> World {
    change(&mut world.case);
    world
}

fn restricted(world: World) -> World {
    changed(world, |case| case.proposal.secrecy = Secrecy::Restricted)
}

/// A case in which each kind of entry stands, for unit 0, for the first rater, or for nobody.
fn followed(secret: bool) -> World {
    changed(handled(), |case| {
        let rater = case.proposers[0].id;
        for (number, kind) in FollowUpKind::ALL.iter().enumerate() {
            let id = Id::from_uuid(uuid::Uuid::from_u128(900 + number as u128));
            let entry = FollowUp {
                id,
                act: id,
                kind: *kind,
                status: FollowUpStatus::Open,
                unit: (*kind == FollowUpKind::Instruction).then(|| unit(3)),
                rater: (*kind == FollowUpKind::Urging).then_some(rater),
                promise: None,
                due_on: None,
                restricted: secret && *kind == FollowUpKind::Instruction,
            };
            case.follow_ups.push(entry);
        }
    })
}

#[test]
fn who_may_know_of_a_case() {
    let opened = |world: World| {
        changed(world, |case| {
            case.proposal.marks.open_for_seconding = true;
        })
    };
    let reference_copy = |status: AssignmentStatus| {
        changed(joint().submit(), |case| {
            let copy = handled().case.assignments[0].clone();
            case.assignments = vec![copy];
            case.assignments[0].status = status;
        })
    };
    let consent = |status: ConsentStatus| {
        changed(restricted(joint().filed()), |case| {
            case.proposers[1].status = status;
        })
    };
    let collective = || World::collective(ProposerKind::Party);
    let mut table = Table::default();
    let worlds = vec![
        ("a draft", World::joint().invite(&[1])),
        ("a submitted one", joint().submit()),
        ("an opened draft", opened(World::joint())),
        ("an opened submitted one", opened(joint().submit())),
        (
            "an opened restricted one",
            opened(restricted(joint().submit())),
        ),
        ("a filed one", joint().filed()),
        ("an opened filed one", opened(restricted(joint().filed()))),
        ("a restricted one", restricted(joint().filed())),
        ("a restricted one under way", restricted(handled())),
        (
            "a restricted one with an instruction",
            restricted(followed(true)),
        ),
        (
            "a reference copy before the filing",
            reference_copy(AssignmentStatus::Pending),
        ),
        (
            "a void reference copy",
            reference_copy(AssignmentStatus::Void),
        ),
        ("declined", consent(ConsentStatus::Declined)),
        ("dropped", consent(ConsentStatus::Dropped)),
        ("of a party", collective().submit()),
        (
            "with one absorbed",
            restricted(World::individual().filed().absorbing()),
        ),
    ];
    for (name, world) in worlds {
        let case = &world.case;
        table.head(name);
        table.ask("the case", |actor| may_read(case, actor));
        table.ask("as its own", |actor| is_own(case, actor));
        table.ask("contacts", |actor| may_read_contacts(case, actor));
        table.ask("minutes", |actor| may_read_minutes(case, actor));
        table.ask("opinions of co-handlers", |actor| {
            may_read_co_opinions(case, actor)
        });
        table.ask("referrals", |actor| may_read_referrals(case, actor));
        table.ask("earlier texts", |actor| may_read_texts(case, actor));
    }
    // An account that is a member's and no longer has the role.
    let former = Actor {
        grants: P::Leader.actor().grants,
        ..P::Member(0).actor()
    };
    let draft = World::joint();
    assert!(!is_own(&draft.case, &former));
    assert!(!may_read(&draft.case, &former));
    table.head("whatever the case");
    table.ask("opinions of examiners", may_read_opinions);
    table.ask("on the handling side", on_handling_side);
    for (question, holds) in [
        (
            "everything",
            (|reach| reach.everything) as fn(&Reach) -> bool,
        ),
        ("filed and open", |reach| reach.filed_open),
        ("filed and restricted", |reach| reach.filed_restricted),
        ("as a member", |reach| reach.member.is_some()),
        ("of organisations", |reach| !reach.organisations.is_empty()),
        ("of units", |reach| !reach.units.is_empty()),
        ("of units alone", Reach::is_of_units_alone),
    ] {
        let question = format!("in lists, {question}");
        table.ask(&question, |actor| holds(&Reach::of(actor)));
    }
    insta::assert_snapshot!("who_may_know_of_a_case", table.0);
}

#[test]
fn who_reads_replies_and_forms() {
    let mut table = Table::default();
    let objected = || {
        let mut world = handled().countersigning();
        world.on_reply(0, P::Signatory(1), inputs::OBJECT, inputs::object());
        world
    };
    for (name, world) in [
        ("drafted", handled()),
        ("to be countersigned", handled().countersigning()),
        ("objected to", objected()),
        ("signed", handled().countersigning().agreed(1).signed(0)),
        (
            "approved",
            handled().countersigning().agreed(1).signed(0).approved(0),
        ),
        ("delivered", delivered()),
    ] {
        let reply = world.reply(0);
        let question = format!("a reply that is {name}");
        table.ask(&question, |actor| may_read_reply(&world.case, reply, actor));
    }
    let mut world = delivered();
    let form = inputs::feedback(world.reply_id(0), Grade::Satisfied);
    world.on_proposal(P::Member(0), Do::GiveFeedback, form);
    let form = world.case.forms[0].clone();
    let reads = |case: &Case, actor: &Actor| may_read_form(case, &form, actor);
    table.ask("a form before conclusion", |actor| {
        reads(&world.case, actor)
    });
    let given = |world: &World, at, actor: &Actor| {
        let name = "feedback.given";
        may_see_event(&world.case, EventFacts { name, at }, actor)
    };
    let now = world.now;
    let long_ago = "2020-01-01T00:00:00Z".parse().unwrap();
    table.ask("that it was given", |actor| given(&world, now, actor));
    table.ask("that one of the round before was given", |actor| {
        given(&world, long_ago, actor)
    });
    let mut later = world.clone();
    later.case.proposal.round = 2;
    table.ask("a form of the round before", |actor| {
        reads(&later.case, actor)
    });
    let last = inputs::feedback(world.reply_id(0), Grade::Satisfied);
    world.on_proposal(P::Member(1), Do::GiveFeedback, last);
    table.ask("a form after conclusion", |actor| reads(&world.case, actor));
    table.ask("that it was given, after conclusion", |actor| {
        given(&world, now, actor)
    });
    // 被取代: a reply that was delivered stays readable when another one takes its place.
    let mut replaced = delivered().reply(0).clone();
    replaced.status = ReplyStatus::Superseded;
    table.ask("a reply that was delivered and superseded", |actor| {
        may_read_reply(&world.case, &replaced, actor)
    });
    let recalled = changed(handled().countersigning(), |case| {
        for request in &mut case.countersigns {
            request.status = CountersignStatus::Recalled;
        }
        let mut other = case.countersigns[0].clone();
        other.reply = Id::from_uuid(uuid::Uuid::nil());
        other.status = CountersignStatus::Requested;
        case.countersigns.push(other);
    });
    table.ask("a reply whose countersigning was called back", |actor| {
        may_read_reply(&recalled.case, recalled.reply(0), actor)
    });
    let collective = World::collective(ProposerKind::Party)
        .sole()
        .answered(0, OutcomeMeaning::Resolved);
    let rater = collective.case.proposers.first().map(|one| one.id);
    let form = Form {
        rater: rater.expect("a collective proposer"),
        reply: collective.reply_id(0),
        ..form
    };
    table.ask("the form of a party before conclusion", |actor| {
        may_read_form(&collective.case, &form, actor)
    });
    insta::assert_snapshot!("who_reads_replies_and_forms", table.0);
}

#[test]
fn who_reads_requests_clocks_and_entries() {
    let mut table = Table::default();
    let mut world = handled();
    world.on_row(0, inputs::SUGGEST, inputs::suggest(3));
    let request = world.case.requests[0].clone();
    for kind in RequestKind::ALL {
        for status in RequestStatus::ALL {
            for own_row in [true, false] {
                let mut request = request.clone();
                (request.kind, request.status) = (*kind, *status);
                request.assignment = request.assignment.filter(|_| own_row);
                let of = if own_row { "of unit 0" } else { "of nobody" };
                let question = format!("{kind}, {status}, {of}");
                table.ask(&question, |actor| {
                    may_read_request(&world.case, &request, actor)
                });
            }
        }
    }
    let clock = world.case.clocks[0].clone();
    for kind in [
        ClockKind::K06,
        ClockKind::K13,
        ClockKind::K14,
        ClockKind::K10,
    ] {
        let row = request.assignment.expect("a row");
        let subjects: [(&str, Id<kind::Subject>); 3] = [
            ("of the request", request.id.cast()),
            ("of its row", row.cast()),
            ("of something else", Id::from_uuid(uuid::Uuid::nil())),
        ];
        for (of, subject) in subjects {
            let mut clock = clock.clone();
            (clock.kind, clock.subject) = (kind, subject);
            table.ask(&format!("a clock {kind} {of}"), |actor| {
                may_read_clock(&world.case, &clock, actor)
            });
        }
    }
    for secret in [false, true] {
        let world = followed(secret);
        table.head(if secret { "restricted" } else { "open" });
        for entry in &world.case.follow_ups {
            table.ask(entry.kind.as_str(), |actor| {
                may_read_follow_up(&world.case, entry, actor)
            });
            let mut clock = clock.clone();
            (clock.kind, clock.subject) = (ClockKind::K19, entry.id.cast());
            table.ask(&format!("the clock of {}", entry.kind.as_str()), |actor| {
                may_read_clock(&world.case, &clock, actor)
            });
        }
    }
    insta::assert_snapshot!("who_reads_requests_clocks_and_entries", table.0);
}

#[test]
fn who_reads_decisions_and_events() {
    let mut table = Table::default();
    let world = followed(true);
    let at = world.now;
    for name in DECISIONS {
        table.ask(&format!("decision {name}"), |actor| {
            may_read_decision(&world.case, name, actor)
        });
    }
    for name in EVENTS {
        table.ask(&format!("name of {name}"), |actor| {
            may_know_of(&world.case, name, actor)
        });
        table.ask(&format!("event {name}"), |actor| {
            may_see_event(&world.case, EventFacts { name, at }, actor)
        });
        let of_any = |wanted| move |actor: &Actor| sees_event_of_any_case(name, actor) == wanted;
        table.ask(&format!("of any case {name}"), of_any(Some(true)));
        table.ask(&format!("of no case {name}"), of_any(Some(false)));
    }
    for (kind, name) in OTHERS {
        table.ask(&format!("{kind} {name}"), |actor| {
            may_see_other_event(kind, name, actor)
        });
    }
    insta::assert_snapshot!("who_reads_decisions_and_events", table.0);
}

/// What is said of every case holds in each.
#[test]
fn the_answer_for_any_case_is_that_of_each() {
    let mut asked = 0;
    for world in [
        joint().filed(),
        handled(),
        followed(false),
        followed(true),
        delivered(),
        restricted(delivered()),
    ] {
        for name in EVENTS {
            for who in EVERYBODY {
                let actor = who.actor();
                let facts = EventFacts {
                    name,
                    at: world.now,
                };
                let Some(answer) = sees_event_of_any_case(name, &actor) else {
                    continue;
                };
                if may_read(&world.case, &actor) {
                    asked += 1;
                    let seen = may_see_event(&world.case, facts, &actor);
                    assert_eq!(seen, answer, "{name} for {who:?}");
                }
            }
        }
    }
    assert!(asked > 1_000, "{asked}");
}

/// A file goes with a text: whoever may read the one may read the other.
#[test]
fn who_reads_files() {
    let mut world = delivered();
    let mut asking = handled();
    asking.on_row(0, inputs::SUGGEST, inputs::suggest(3));
    let mut request = asking.case.requests[0].clone();
    request.assignment = Some(world.row(0).id);
    world.case.requests.push(request);
    let form = inputs::feedback(world.reply_id(0), Grade::Satisfied);
    world.on_proposal(P::Member(0), Do::GiveFeedback, form);
    let id = Id::from_uuid(uuid::Uuid::from_u128(77));
    let facts = AttachmentFacts {
        proposal: world.case.proposal.id,
        uploader: P::UnitClerk(9).actor().user.expect("an account"),
        status: AttachmentStatus::Bound,
        bound: None,
        size: 1,
    };
    let (reply, rater) = (world.reply_id(0), world.case.proposers[0].id);
    let other = world.case.proposers[1].id;
    let mut table = Table::default();
    for left_out in [true, false] {
        if !left_out {
            world.case.proposal.form.attachment_ids.push(id);
            let reply = world.case.replies.iter_mut().find(|one| one.id == reply);
            reply.expect("a reply").form.attachment_ids.push(id);
        }
        table.head(if left_out { "left out" } else { "in the text" });
        let request = world.case.requests[0].id.cast();
        let nobody = Id::from_uuid(uuid::Uuid::nil());
        for (name, bound) in [
            ("nothing", None),
            (
                "the text",
                Some(Binding::to(BoundKind::ProposalText, nobody)),
            ),
            ("a consent", Some(Binding::to(BoundKind::Consent, nobody))),
            ("a contact", Some(Binding::to(BoundKind::Contact, nobody))),
            (
                "an opinion",
                Some(Binding::to(BoundKind::CoOpinion, nobody)),
            ),
            (
                "the reply",
                Some(Binding::to(BoundKind::Reply, reply.cast())),
            ),
            ("another reply", Some(Binding::to(BoundKind::Reply, nobody))),
            ("the form", Some(Binding::to_form(reply, rater))),
            ("the form of another", Some(Binding::to_form(reply, other))),
            ("another form", Some(Binding::to_form(nobody.cast(), rater))),
            (
                "the request",
                Some(Binding::to(BoundKind::Request, request)),
            ),
            (
                "another request",
                Some(Binding::to(BoundKind::Request, nobody)),
            ),
        ] {
            let facts = AttachmentFacts {
                bound,
                ..facts.clone()
            };
            table.ask(name, |actor| {
                attachments::may_read(&world.case, id, &facts, actor)
            });
        }
    }
    insta::assert_snapshot!("who_reads_files", table.0);
    let profile = Profile {
        attachments_max_mb: 3,
        ..Profile::default()
    };
    assert_eq!(attachments::max_bytes(&profile), 3 * 1_048_576);
}
