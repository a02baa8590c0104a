//! Desks as text: who has which duty at each step of a case, on what, and until when (3.2, 3.4, 3.5, 4.1).

use super::fixture::{Person as P, World, member, organisation_no, unit};
use super::inputs;
use super::stories::unmet;
use crate::ids::SubjectId;
use crate::workflow::calendar::last_day;
use crate::workflow::codes::{
    AssignmentRole, ConsentStatus, Grade, HandlingKind, OutcomeMeaning, ProposerRole,
};
use crate::workflow::desk::{Audience, Duty, Scope, duties};
use crate::workflow::follow_up::debtors;
use crate::workflow::lists::ProposerKind;
use crate::workflow::profile::Raters;
use crate::workflow::proposal::{ProposalAction as Do, ProposalStatus as S};
use crate::workflow::reply::ReplyStatus as R;
use crate::workflow::role::{Line, Role};

use AssignmentRole::{CoHandler, Lead, Reference, Separate};

const OFFICER: P = P::Officer(Line::Government);

/// The number of the one for which it holds.
fn numbered(kind: &str, is: impl Fn(usize) -> bool) -> String {
    let number = (0..40).find(|number| is(*number));
    format!("{kind} {}", number.expect("somebody of the town"))
}

fn whose(audience: &Audience) -> String {
    match audience.scope().expect("a stored form") {
        Scope::Member(id) => numbered("member", |n| member(n) == id),
        Scope::Organisation(id) => numbered("organisation", |n| organisation_no(n) == id),
        Scope::Unit(Role::UnitClerk, id) => numbered("clerk", |n| unit(n) == id),
        Scope::Unit(Role::UnitSignatory, id) => numbered("signatory", |n| unit(n) == id),
        Scope::Line(line) => format!("officer {line}"),
        Scope::Role(role) => role.to_string(),
        other => panic!("nobody has duties as {other:?}"),
    }
}

/// Rows, replies and promises by their unit, proposers and entries by their place.
fn what(world: &World, subject: SubjectId) -> String {
    let case = &world.case;
    if subject == case.proposal.id.cast() {
        return "proposal".to_owned();
    }
    if let Some(row) = case.assignment(subject.cast()) {
        return numbered("row", |n| unit(n) == row.unit);
    }
    if let Some(reply) = case.reply(subject.cast()) {
        return numbered("reply", |n| unit(n) == reply.unit);
    }
    let place = |kind: &str, ids: Vec<SubjectId>| {
        let place = ids.iter().position(|id| *id == subject)?;
        Some(format!("{kind} {place}"))
    };
    let proposers = case.everybody().map(|one| one.id.cast()).collect();
    let requests = case.requests.iter().map(|one| one.id.cast()).collect();
    let promises = case.promises.iter().map(|one| one.id.cast()).collect();
    let entries = case.follow_ups.iter().map(|one| one.id.cast()).collect();
    let referrals = case.referrals.iter().map(|one| one.id.cast()).collect();
    place("proposer", proposers)
        .or_else(|| place("request", requests))
        .or_else(|| place("promise", promises))
        .or_else(|| place("entry", entries))
        .or_else(|| place("referral", referrals))
        .expect("something of the case")
}

fn line(world: &World, duty: &Duty) -> String {
    let (who, on) = (whose(&duty.audience), what(world, duty.subject));
    let mut clocks = world.case.clocks.iter();
    let Some(clock) = clocks.find(|clock| Some(clock.id) == duty.clock) else {
        assert_eq!((duty.clock, duty.due_at), (None, None));
        return format!("{who}: {} {on}", duty.task);
    };
    assert_eq!((clock.stopped_at, Some(clock.due_at)), (None, duty.due_at));
    let of = if clock.subject == duty.subject {
        String::new()
    } else {
        format!(" of {}", what(world, clock.subject))
    };
    let until = last_day(clock.due_at);
    format!("{who}: {} {on}, {}{of} {until}", duty.task, clock.kind)
}

/// All that waits, one line for each duty, and nothing else.
#[track_caller]
pub fn waits(world: &World, expected: &[&str]) {
    let list = duties(&world.case, &world.profile);
    let mut lines: Vec<_> = list.iter().map(|duty| line(world, duty)).collect();
    lines.sort();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(lines, expected, "in {}", world.status());
}

/// PT02–PT06, K01: a draft waits for its proposer; an invitation for whom it asks, again when the text has
/// changed, and for nobody who has answered.
#[test]
fn a_draft_waits_for_its_proposer_and_those_who_are_asked() {
    let mut world = World::joint();
    waits(&world, &["member 0: finish proposal"]);
    world = world.invite(&[1, 2, 3]).consent(1);
    world.on_proposal(P::Member(3), Do::DeclineCosign, inputs::cosign());
    let second = "member 2: answer_invitation proposer 2, K01 2026-03-03";
    waits(&world, &["member 0: finish proposal", second]);
    let mut submitted = world.clone().submit();
    let examine = "examiner: examine proposal, K03 2026-03-20";
    waits(&submitted, &[examine, second]);
    submitted.wait(2);
    submitted.settle();
    waits(&submitted, &[examine]);
    world.wait(1);
    world.on_proposal(P::Member(0), Do::Edit, inputs::other_text(1));
    let first = "member 1: answer_invitation proposer 1, K01 2026-03-04";
    waits(&world, &["member 0: finish proposal", first, second]);
    let finish = "member 0: finish proposal";
    world.case.proposers[1].role = ProposerRole::Seconder;
    waits(&world, &[finish, second]);
    for status in ConsentStatus::ALL {
        world.case.proposers[2].status = *status;
        let asked = matches!(status, ConsentStatus::Invited | ConsentStatus::Stale);
        waits(&world, &[finish, second][..=usize::from(asked)]);
    }
}

/// Collectives act through their clerks; what came on paper waits for staff too, who entered it.
#[test]
fn a_collective_waits_for_its_clerks_and_paper_for_staff() {
    let mut world = World::joint_collective();
    let both = inputs::invite_organisations(&[1, 2]);
    world.on_proposal(P::Clerk, Do::InviteCosigners, both);
    world.on_proposal(P::ClerkOf(2), Do::DeclineCosign, inputs::cosign());
    let second = "organisation 1: answer_invitation proposer 1, K01 2026-03-03";
    waits(&world, &["organisation 0: finish proposal", second]);

    let mut world = World::collective(ProposerKind::Party);
    waits(&world, &["organisation 0: finish proposal"]);
    world.case.proposal.form.paper_reference = Some("纸质提案 2026-代-003".to_owned());
    let own = [
        "organisation 0: finish proposal",
        "committee_staff: finish proposal",
    ];
    waits(&world, &own);
}

/// PT13–PT16, K02, K03, K20: revision by the proposer, every stage by an examiner, then the decision; the
/// disposition of what is refused until it is carried out.
#[test]
fn an_examination_waits_for_its_stages_and_then_for_the_chair() {
    let submitted = World::individual().submit();
    let mut returned = submitted.clone();
    let back = inputs::return_for_revision();
    returned.on_proposal(P::Staff, Do::ReturnForRevision, back);
    waits(&returned, &["member 0: revise proposal, K02 2026-03-16"]);

    let mut world = submitted;
    for examiner in [1, 2] {
        waits(&world, &["examiner: examine proposal, K03 2026-03-20"]);
        world.on_proposal(P::Examiner(examiner), Do::Examine, inputs::examine());
    }
    waits(
        &world,
        &["committee_chair: decide proposal, K03 2026-03-20"],
    );
    let mut more = world.clone();
    more.profile.examination_stages = 3;
    waits(&more, &["examiner: examine proposal, K03 2026-03-20"]);

    let mut refused = world.clone();
    refused.on_proposal(P::Chair, Do::NotFile, inputs::not_file("bad_form"));
    assert_eq!(refused.status(), S::NotFiled);
    let carry = "committee_staff: carry_out_disposition proposal, K20 2026-03-09";
    waits(&refused, &[carry]);
    refused.on_proposal(P::Staff, Do::CarryOutDisposition, inputs::disposition());
    waits(&refused, &[]);

    world.on_proposal(P::Chair, Do::File, inputs::file());
    waits(
        &world,
        &["officer government: assign proposal, K04 2026-04-07"],
    );
    let mut ended = world.clone();
    ended.case.proposal.status = S::Merged;
    waits(&ended, &[]);
    world.case.proposal.assigning_line = Some(Line::Party);
    waits(&world, &["officer party: assign proposal, K04 2026-04-07"]);
}

/// AT01–AT10, K05, K07, K08, K10: each unit signs for its row; then the co-handler owes its opinion, the lead
/// the first contact and the reply; a unit for reference owes nothing (I6).
#[test]
fn rows_wait_for_their_units_by_role() {
    let rows = [(0, Lead), (1, CoHandler), (2, CoHandler), (3, Reference)];
    let filed = World::individual().filed();
    let mut world = filed.assigned(HandlingKind::Joint, &rows);
    let pending = [0, 1, 2].map(|n| format!("clerk {n}: accept row {n}, K05 2026-03-09"));
    waits(&world, &pending.each_ref().map(String::as_str));
    world = world.accepted(0).accepted(1);
    let contact = "clerk 0: contact row 0, K07 2026-03-23";
    let reply = "clerk 0: reply row 0, K10 2026-06-02";
    let opinion = "clerk 1: submit_opinion row 1, K08 2026-04-02";
    waits(&world, &[&pending[2], contact, reply, opinion]);
    world = world.contacted(0);
    waits(&world, &[&pending[2], reply, opinion]);
    let mut silent = world.clone();
    silent.wait(45);
    silent.settle();
    // Signed for by lapse of K05; the opinions of both are missing (K08).
    waits(&silent, &[reply]);
    world = world.opinion(1);
    waits(&world, &[&pending[2], reply]);
    // Each for its own row: the contact of one is not that of another.
    let filed = World::individual().filed();
    let parts = [(0, Separate), (1, Separate)];
    let world = filed.assigned(HandlingKind::Separate, &parts);
    let world = world.accepted(0).accepted(1).contacted(1);
    let other = "clerk 1: reply row 1, K10 2026-06-02";
    waits(&world, &[contact, reply, other]);
}

/// AT10, `opinion.required_before_sign` off: when the lead has signed, an opinion comes too late, and nobody
/// waits for it or is urged; it is in time again when the review rejects the reply.
#[test]
fn no_opinion_is_owed_once_the_lead_has_signed() {
    let mut world = World::individual();
    world.profile.opinion_required = false;
    world.profile.countersign_required = false;
    let rows = [(0, Lead), (1, CoHandler)];
    let mut world = world.filed().assigned(HandlingKind::Joint, &rows);
    world = world.accepted(0).accepted(1).contacted(0);
    let opinion = "clerk 1: submit_opinion row 1, K08 2026-04-02";
    let edit = "clerk 0: reply reply 0, K10 of row 0 2026-06-02";
    let sign = "signatory 0: sign reply 0, K10 of row 0 2026-06-02";
    let review = [
        "supervision_officer: review reply 0, K11 2026-03-09",
        "officer government: review reply 0, K11 2026-03-09",
    ];
    world = world.drafted(0, OutcomeMeaning::Resolved);
    waits(&world, &[edit, opinion, sign]);
    world = world.signed(0);
    waits(&world, &review);
    assert!(debtors(&world.case, &world.profile).is_empty());
    let row = world.row_target(1);
    let late = world.refused(P::UnitClerk(1), row, inputs::OPINION, inputs::opinion());
    assert_eq!(unmet(&late), ["lead_not_signed"]);
    world.on_reply(0, P::Supervision, inputs::REJECT, inputs::reject());
    waits(&world, &[edit, opinion, sign]);
    world.opinion(1);
}

/// RT06: a sole unit, and each unit of separate handling, signs its draft; where co-handlers countersign the
/// lead asks them first (RT03), and where the policy has no countersignatures it signs.
#[test]
fn a_draft_of_a_reply_waits_for_the_signature_where_nobody_countersigns() {
    let edit = "clerk 0: reply reply 0, K10 of row 0 2026-06-02";
    let sign = "signatory 0: sign reply 0, K10 of row 0 2026-06-02";
    for (kind, rows, required, signs) in [
        (HandlingKind::Sole, &[(0, Lead)][..], true, true),
        (HandlingKind::Sole, &[(0, Lead)], false, true),
        (
            HandlingKind::Joint,
            &[(0, Lead), (4, CoHandler)],
            true,
            false,
        ),
        (
            HandlingKind::Joint,
            &[(0, Lead), (4, CoHandler)],
            false,
            true,
        ),
        (
            HandlingKind::Separate,
            &[(0, Separate), (4, Separate)],
            true,
            true,
        ),
    ] {
        let filed = World::individual().filed();
        let mut world = filed.assigned(kind, rows).accepted(0).contacted(0);
        world.profile.countersign_required = required;
        world = world.drafted(0, OutcomeMeaning::Resolved);
        let mut expected = vec![edit];
        expected.extend(signs.then_some(sign));
        if rows.len() > 1 {
            expected.push("clerk 4: accept row 4, K05 2026-03-09");
        }
        waits(&world, &expected);
    }
}

/// RT03–RT06, K09: each co-handler is asked for its countersignature; when all have answered the lead signs.
#[test]
fn countersignatures_wait_for_the_co_handlers_that_are_asked() {
    let mut world = World::individual().together();
    for number in [0, 1, 2] {
        world = world.accepted(number);
    }
    let world = world.opinion(1).opinion(2).contacted(0);
    let mut world = world.drafted(0, OutcomeMeaning::Resolved).countersigning();
    let asked =
        [1, 2].map(|n| format!("signatory {n}: countersign reply 0, K09 of row {n} 2026-03-09"));
    waits(&world, &asked.each_ref().map(String::as_str));
    world = world.agreed(2);
    waits(&world, &[&asked[0]]);
    let edit = "clerk 0: reply reply 0, K10 of row 0 2026-06-02";
    let sign = "signatory 0: sign reply 0, K10 of row 0 2026-06-02";
    let mut refused = world.clone();
    refused.on_reply(0, P::Signatory(1), inputs::OBJECT, inputs::object());
    waits(&refused, &[edit]);
    // A coordination decision replaces what is refused or missing, for the text it is about.
    for decided in [&world, &refused] {
        let mut decided = decided.clone();
        let still = if decided.reply(0).status == R::Draft {
            edit
        } else {
            &asked[0]
        };
        decided.on_reply(0, OFFICER, inputs::COORDINATE, inputs::coordinate());
        waits(&decided, &[still, sign]);
        let mut other = inputs::reply(Some(OutcomeMeaning::Resolved), world.env().today());
        other.digest = "另一稿。".to_owned();
        decided.on_reply(0, P::UnitClerk(0), inputs::EDIT, other);
        waits(&decided, &[edit]);
    }
    world = world.agreed(1);
    waits(&world, &[sign]);
    // A co-handler that came later was not asked; a unit for reference never is.
    let copied = inputs::adjust(&[(4, Reference)], Vec::new());
    world.on_proposal(OFFICER, Do::AdjustUnits, copied);
    waits(&world, &[sign]);
    let added = inputs::adjust(&[(3, CoHandler)], Vec::new());
    world.on_proposal(OFFICER, Do::AdjustUnits, added);
    let accept = "clerk 3: accept row 3, K05 2026-03-09";
    waits(&world, &[accept, edit, sign]);
}

/// RT07–RT09, K11: a signed reply waits for supervision and the line, an approved one for its delivery; one
/// that was rejected is a draft again.
#[test]
fn a_signed_reply_waits_for_its_review_and_then_for_its_delivery() {
    let world = World::individual().sole().accepted(0).contacted(0);
    let world = world.drafted(0, OutcomeMeaning::Resolved).signed(0);
    let review = [
        "supervision_officer: review reply 0, K11 2026-03-09",
        "officer government: review reply 0, K11 2026-03-09",
    ];
    waits(&world, &review);
    let mut rejected = world.clone();
    rejected.on_reply(0, P::Supervision, inputs::REJECT, inputs::reject());
    let again = [
        "clerk 0: reply reply 0, K10 of row 0 2026-06-02",
        "signatory 0: sign reply 0, K10 of row 0 2026-06-02",
    ];
    waits(&rejected, &again);
    let deliver = ["clerk 0: deliver reply 0, K10 of row 0 2026-06-02"];
    waits(&world.approved(0), &deliver);
    // `reply.review_required` off: approved with the signature.
    let mut world = World::individual().sole().accepted(0).contacted(0);
    world.profile.review_required = false;
    let world = world.drafted(0, OutcomeMeaning::Resolved).signed(0);
    waits(&world, &deliver);
}

/// PT21–PT23, K12, `feedback.raters`: each rater owes a form on each reply, until it is there.
#[test]
fn each_reply_waits_for_the_form_of_each_rater() {
    let filed = World::joint().invite(&[1]).consent(1).filed();
    let parts = [(0, Separate), (2, Separate)];
    let world = filed.assigned(HandlingKind::Separate, &parts);
    let world = world.answered(0, OutcomeMeaning::Resolved);
    let mut world = world.answered(2, OutcomeMeaning::Resolved);
    assert_eq!(world.status(), S::Handled);
    let owed = |rater: usize, reply: usize| {
        format!("member {rater}: give_feedback reply {reply}, K12 of proposer {rater} 2026-03-23")
    };
    let all = [owed(0, 0), owed(0, 2), owed(1, 0), owed(1, 2)];
    waits(&world, &all.each_ref().map(String::as_str));
    let mut first_only = world.clone();
    first_only.profile.feedback_raters = Raters::LeadOnly;
    waits(&first_only, &[&all[0], &all[1]]);
    let mut excused = world.clone();
    let second = excused.case.proposers[1].id;
    excused.on_proposal(P::Staff, Do::ExcuseRater, inputs::excuse(second));
    waits(&excused, &[&all[0], &all[1]]);
    let form = inputs::feedback(world.reply_id(2), Grade::Satisfied);
    world.on_proposal(P::Member(1), Do::GiveFeedback, form);
    waits(&world, &[&all[0], &all[1], &all[2]]);
    let form = inputs::feedback(world.reply_id(0), Grade::Satisfied);
    world.on_proposal(P::Member(0), Do::GiveFeedback, form);
    waits(&world, &[&all[1], &all[2]]);
}

/// A collective rates through its clerks.
#[test]
fn a_collective_owes_its_form_through_its_clerks() {
    let filed = World::collective(ProposerKind::Party).filed();
    let world = filed.assigned(HandlingKind::Sole, &[(0, Lead)]);
    let world = world.answered(0, OutcomeMeaning::Resolved);
    let form = "organisation 0: give_feedback reply 0, K12 of proposer 0 2026-03-23";
    waits(&world, &[form]);
}

/// I18: those who signed an absorbed proposal rate as well.
#[test]
fn signers_of_an_absorbed_proposal_owe_their_forms() {
    let filed = World::individual().filed().absorbing();
    let world = filed.assigned(HandlingKind::Sole, &[(0, Lead)]);
    let world = world.answered(0, OutcomeMeaning::Resolved);
    let owed = [(0, 0), (5, 1), (6, 2)].map(|(member, place)| {
        format!("member {member}: give_feedback reply 0, K12 of proposer {place} 2026-03-23")
    });
    waits(&world, &owed.each_ref().map(String::as_str));
}
