//! PT01 and PT02 at their edges: whose proposal of which kind, and which units may be wished for.

use super::fixture::{
    MEMBERS, Person as P, UNITS, World, member, member_facts, organisation, unit,
};
use super::inputs;
use super::stories::{unmet, wrong};
use crate::workflow::Origin;
use crate::workflow::input::{ProposalForm, ProposalIn};
use crate::workflow::lists::ProposerKind;
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::refusal::Refusal;
use crate::workflow::rule::Action;

fn of_member(number: usize) -> Origin {
    Origin::Member(member(number), member_facts(number))
}

fn of_organisation(kind: ProposerKind, active: bool) -> Origin {
    Origin::Organisation {
        id: organisation(),
        name: "民盟县委会".to_owned(),
        kind,
        active,
    }
}

fn begun(who: P, kind: ProposerKind, origin: &Origin) -> Option<Refusal> {
    World::begin(&who.actor(), &inputs::proposal(kind), origin).err()
}

/// 2.1, PT01: a member proposes alone or jointly, an organisation as what it is or jointly with others.
#[test]
fn the_kind_fits_the_proposer() {
    let mismatch = ("mismatch", "/kind".to_owned());
    for kind in ProposerKind::ALL {
        let refusal = begun(P::Member(0), *kind, &of_member(0));
        match kind {
            ProposerKind::Individual | ProposerKind::Joint => assert_eq!(refusal, None, "{kind}"),
            _ => assert_eq!(wrong(&refusal.unwrap()), mismatch, "{kind}"),
        }
        for own in [ProposerKind::Party, ProposerKind::Sector] {
            let refusal = begun(P::Clerk, *kind, &of_organisation(own, true));
            if *kind == own || *kind == ProposerKind::JointCollective {
                assert_eq!(refusal, None, "{kind} of {own}");
            } else {
                assert_eq!(wrong(&refusal.unwrap()), mismatch, "{kind} of {own}");
            }
        }
    }
    let gone = of_organisation(ProposerKind::Party, false);
    let refusal = begun(P::Clerk, ProposerKind::Party, &gone).unwrap();
    assert_eq!(unmet(&refusal), ["organisation_active"]);
    let former = of_member(MEMBERS);
    let refusal = begun(P::Member(MEMBERS), ProposerKind::Individual, &former).unwrap();
    assert_eq!(unmet(&refusal), ["current_member"]);
}

/// The units that the proposer wishes for exist and are active, at the beginning as at every edit.
#[test]
fn only_active_units_are_wished_for() {
    let wish = |lead: usize, others: &[usize]| ProposalForm {
        suggested_lead: Some(unit(lead)),
        suggested_co_handlers: others.iter().map(|number| unit(*number)).collect(),
        ..inputs::other_text(2)
    };
    for (form, place) in [
        (wish(0, &[1, 2]), None),
        (inputs::other_text(2), None),
        (wish(UNITS, &[1]), Some("/suggested_lead")),
        (wish(UNITS + 5, &[]), Some("/suggested_lead")),
        (wish(0, &[UNITS]), Some("/suggested_co_handlers/0")),
        (wish(0, &[1, UNITS + 5]), Some("/suggested_co_handlers/1")),
    ] {
        let input = ProposalIn {
            form: form.clone(),
            ..inputs::proposal(ProposerKind::Individual)
        };
        let refusal = World::begin(&P::Member(0).actor(), &input, &of_member(0)).err();
        let found = refusal.as_ref().map(wrong);
        let (code, pointer) = found.unwrap_or(("", String::new()));
        let told = (code == "unknown_unit").then_some(pointer);
        assert_eq!(told, place.map(|place| format!("/form{place}")));
        let mut world = World::individual();
        if let Some(place) = place {
            let edit = Action::Proposal(Do::Edit);
            let target = crate::workflow::decide::Target::Proposal;
            let refusal = world.refused(P::Member(0), target, edit, form);
            assert_eq!(wrong(&refusal), ("unknown_unit", place.to_owned()));
        } else {
            world.on_proposal(P::Member(0), Do::Edit, form);
            assert_eq!(world.case.proposal.text_version, 2);
        }
    }
}
