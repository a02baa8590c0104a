//! What an input names, so that its facts are at hand when it is decided on, and what of it the trail keeps.

use serde_json::Value;

use super::fixture::{World, organisation_no, other_proposal, unit};
use super::people::fixed;
use super::{follow_up, inputs};
use crate::workflow::codes::{AssignmentRole, Grade, HandlingKind, OutcomeMeaning, Recommendation};
use crate::workflow::input::{
    AnswerInstructionIn, CosignIn, ExamineIn, Input, InviteIn, ProposalForm, WithdrawIn,
};

use AssignmentRole::{CoHandler, Lead};

/// Every text in a value that begins so.
fn texts(value: &Value, beginning: &str, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.starts_with(beginning) => found.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|one| texts(one, beginning, found)),
        Value::Object(fields) => fields.values().for_each(|one| texts(one, beginning, found)),
        _ => {}
    }
}

/// What was found out about it, and what stands in it.
fn compare<T: ToString>(input: &Input, beginning: &str, known: &[T]) -> usize {
    let value = serde_json::to_value(input).unwrap();
    let mut expected = Vec::new();
    texts(&value, beginning, &mut expected);
    let mut known: Vec<_> = known.iter().map(ToString::to_string).collect();
    known.sort();
    expected.sort();
    assert_eq!(known, expected, "{beginning} of {input:?}");
    known.len()
}

/// Every input that names a file, a unit, a reason, a member, an organisation or another proposal.
fn naming() -> Vec<Input> {
    let world = World::individual().sole();
    let (today, files) = (world.env().today(), || vec![fixed(10, 1), fixed(10, 2)]);
    let rows = [(3, Lead), (4, CoHandler)];
    let reply = fixed(15, 0);
    let mut contact = inputs::contact(today);
    let mut opinion = inputs::opinion();
    let mut answer = inputs::reply(Some(OutcomeMeaning::Resolved), today);
    let mut form = inputs::feedback(reply, Grade::Satisfied);
    let mut back = inputs::ask_return(Some(5));
    let mut extension = inputs::ask_extension(today);
    let mut pause = inputs::ask_pause(today);
    contact.attachment_ids = files();
    opinion.attachment_ids = files();
    answer.attachment_ids = files();
    form.attachment_ids = files();
    back.attachment_ids = files();
    extension.attachment_ids = files();
    pause.attachment_ids = files();
    vec![
        ProposalForm {
            suggested_lead: Some(unit(1)),
            suggested_co_handlers: vec![unit(2), unit(3)],
            attachment_ids: files(),
            ..inputs::form()
        }
        .into(),
        inputs::invite(&[1, 2]).into(),
        InviteIn {
            organisation_ids: vec![organisation_no(1), organisation_no(2)],
            ..inputs::invite(&[])
        }
        .into(),
        CosignIn {
            attachment_ids: files(),
            ..inputs::cosign()
        }
        .into(),
        WithdrawIn {
            attachment_ids: files(),
            ..inputs::withdraw()
        }
        .into(),
        ExamineIn {
            recommendation: Recommendation::NotFile,
            reason_codes: vec![inputs::reason("bad_form")],
            draft_units: vec![unit(1), unit(2)],
            ..inputs::examine()
        }
        .into(),
        inputs::not_file("bad_form").into(),
        inputs::assign(HandlingKind::Joint, inputs::rows(&rows)).into(),
        contact.into(),
        opinion.into(),
        answer.into(),
        form.into(),
        inputs::merge(other_proposal(0)).into(),
        inputs::link(other_proposal(1)).into(),
        inputs::adjust(&rows, Vec::new()).into(),
        inputs::suggest(6).into(),
        back.into(),
        inputs::grant_return(&rows).into(),
        extension.into(),
        pause.into(),
        inputs::rehandle_with(HandlingKind::Joint, &rows).into(),
        inputs::urgent(&[1, 2]).into(),
        Input::Instruct(Box::new(follow_up::instruct(3, today))),
    ]
}

#[test]
fn the_facts_of_everything_named_are_asked_for() {
    let mut counts = [0; 6];
    for input in naming() {
        let found = [
            compare(&input, "atta_", input.attachments()),
            compare(&input, "unit_", &input.units()),
            compare(&input, "bad_form", input.reasons()),
            compare(&input, "memb_", &input.members()),
            compare(&input, "orgn_", &input.organisations()),
            compare(&input, "prop_", &input.proposals()),
        ];
        assert!(found.iter().sum::<usize>() > 0, "names nothing: {input:?}");
        for (count, found) in counts.iter_mut().zip(found) {
            *count += found;
        }
    }
    assert!(counts.iter().all(|count| *count > 1), "{counts:?}");
}

/// I29, I33: the trail, which nothing is removed from, keeps all that was handed in but the text of a
/// proposal, and the words of an instruction and its answer, which only some may read.
#[test]
fn the_trail_keeps_what_need_not_be_removed() {
    let secret = "不得外传";
    let today = World::individual().env().today();
    let mut text = inputs::form();
    text.situation = secret.to_owned();
    text.analysis = secret.to_owned();
    text.suggestions[0].0 = secret.to_owned();
    let mut instruction = follow_up::instruct(3, today);
    instruction.text = secret.to_owned();
    let answer = AnswerInstructionIn {
        instruction_id: fixed(12, 0),
        text: secret.to_owned(),
    };
    let instruction = Input::Instruct(Box::new(instruction));
    let kept: [(Input, &str); 3] = [
        (text.clone().into(), &text.title),
        (instruction, "韩松"),
        (answer.into(), "flup_"),
    ];
    for (input, kept) in kept {
        let trail = input.for_trail();
        let whole = serde_json::to_value(&input).unwrap();
        for (value, count) in [(&whole, true), (&trail, false)] {
            let mut found = Vec::new();
            texts(value, secret, &mut found);
            assert_eq!(!found.is_empty(), count, "{value}");
            texts(value, kept, &mut found);
            assert!(found.iter().any(|one| one != secret), "{value}");
        }
    }
    let other: Input = inputs::withdraw().into();
    assert_eq!(other.for_trail(), serde_json::to_value(&other).unwrap());
}

/// 6.1: the limits of a text are in characters, of its three parts together.
#[test]
fn the_length_of_a_text_is_in_characters() {
    let mut text = inputs::form();
    text.title = "题".repeat(40);
    text.situation = "情".repeat(7);
    text.analysis = "析".repeat(5);
    text.suggestions[0].0 = "建议".to_owned();
    text.suggestions.push(text.suggestions[0].clone());
    assert_eq!(text.total_chars(), 16);
}
