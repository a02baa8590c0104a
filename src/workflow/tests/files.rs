//! Files that go with a text: whose, how many, how large, and with one text only.

use super::fixture::{Person as P, World};
use super::inputs;
use super::people::{fixed, other_proposal};
use super::stories::wrong;
use crate::ids::AttachmentId;
use crate::workflow::Origin;
use crate::workflow::attachments::{AttachmentStatus, max_bytes};
use crate::workflow::decide::Target;
use crate::workflow::input::ProposalForm;
use crate::workflow::lists::ProposerKind;
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::rule::Action;

const EDIT: Action = Action::Proposal(Do::Edit);

/// A draft to which its proposer has uploaded files.
fn uploaded() -> World {
    let mut world = World::individual();
    let own = P::Member(0).actor().user.unwrap();
    for facts in world.references.attachments.values_mut() {
        facts.uploader = own;
    }
    world
}

fn file(number: usize) -> AttachmentId {
    fixed(10, number)
}

fn with(files: &[AttachmentId]) -> ProposalForm {
    ProposalForm {
        attachment_ids: files.to_vec(),
        ..inputs::form()
    }
}

/// `attachments.max_count`, `attachments.max_mb`: up to the limit, and not beyond.
#[test]
fn files_are_as_many_and_as_large_as_the_profile_allows() {
    let mut world = uploaded();
    let files: Vec<_> = (0..6).map(file).collect();
    let refusal = world.refused(P::Member(0), Target::Proposal, EDIT, with(&files));
    assert_eq!(wrong(&refusal), ("max_items", "/attachment_ids".to_owned()));
    let most = max_bytes(&world.profile);
    world
        .references
        .attachments
        .get_mut(&files[0])
        .unwrap()
        .size = most;
    world
        .references
        .attachments
        .get_mut(&files[5])
        .unwrap()
        .size = most + 1;
    let large = with(&[files[0], files[5]]);
    let refusal = world.refused(P::Member(0), Target::Proposal, EDIT, large);
    assert_eq!(
        wrong(&refusal),
        ("too_large", "/attachment_ids/1".to_owned())
    );
    world.on_proposal(P::Member(0), Do::Edit, with(&files[..5]));
    let bound = world.references.attachments.values();
    let bound = bound.filter(|facts| facts.status == AttachmentStatus::Bound);
    assert_eq!(bound.count(), 5);
}

/// A later version of a text keeps its files; another text gets none of them. What somebody else
/// uploaded, or uploaded to another case, or never finished, is not known here (I35).
#[test]
fn a_file_goes_with_one_text_of_its_uploader() {
    let mut world = uploaded();
    let change = |world: &mut World, number: usize, change: fn(&mut _)| {
        change(world.references.attachments.get_mut(&file(number)).unwrap());
    };
    change(
        &mut world,
        1,
        |facts: &mut crate::workflow::attachments::AttachmentFacts| {
            facts.uploader = P::Staff.actor().user.unwrap();
        },
    );
    change(&mut world, 2, |facts| facts.proposal = other_proposal(0));
    change(&mut world, 3, |facts| {
        facts.status = AttachmentStatus::Incoming;
    });
    for number in [1, 2, 3, 99] {
        let form = with(&[file(0), file(number)]);
        let refusal = world.refused(P::Member(0), Target::Proposal, EDIT, form);
        let place = "/attachment_ids/1".to_owned();
        assert_eq!(wrong(&refusal), ("unknown_attachment", place), "{number}");
    }
    let twice = with(&[file(0), file(0)]);
    let refusal = world.refused(P::Member(0), Target::Proposal, EDIT, twice);
    assert_eq!(wrong(&refusal).0, "duplicate");
    world.on_proposal(P::Member(0), Do::Edit, with(&[file(0), file(4)]));
    let kept = ProposalForm {
        attachment_ids: vec![file(4)],
        ..inputs::other_text(2)
    };
    world.on_proposal(P::Member(0), Do::Edit, kept);
    let mut world = world.filed();
    let mut input = inputs::withdraw();
    input.attachment_ids = vec![file(5), file(4)];
    let withdraw = Action::Proposal(Do::Withdraw);
    let refusal = world.refused(P::Member(0), Target::Proposal, withdraw, input);
    let place = "/attachment_ids/1".to_owned();
    assert_eq!(wrong(&refusal), ("attachment_in_use", place));
    // Bound by somebody else: not known at all.
    let mut world = uploaded();
    world.on_proposal(P::Member(0), Do::Edit, with(&[file(0)]));
    let facts = world.references.attachments.get_mut(&file(0)).unwrap();
    facts.uploader = P::Staff.actor().user.unwrap();
    let mut world = world.filed();
    let mut input = inputs::withdraw();
    input.attachment_ids = vec![file(0)];
    let refusal = world.refused(P::Member(0), Target::Proposal, withdraw, input);
    assert_eq!(wrong(&refusal).0, "unknown_attachment");
}

/// PT01: there is nothing yet that a file could have been uploaded to.
#[test]
fn a_proposal_is_made_without_files() {
    let who = P::Member(0).actor();
    let origin = Origin::Member(super::fixture::member(0), super::fixture::member_facts(0));
    let mut input = inputs::proposal(ProposerKind::Individual);
    input.form.attachment_ids = vec![file(0)];
    let refusal = World::begin(&who, &input, &origin).err().unwrap();
    let place = "/form/attachment_ids".to_owned();
    assert_eq!(wrong(&refusal), ("no_case_yet", place));
}
