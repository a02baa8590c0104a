//! The work of the core that `scripts/instructions` counts under callgrind: a table of names and of what
//! each does. In a usual run it is done once, to see that it does what its name says.

use std::any::Any;
use std::hint::black_box;

use super::fixture::{Person as P, World};
use super::inputs;
use crate::ids::EventId;
use crate::store::events::{Event, Stream};
use crate::store::sql_types::{At, Json};
use crate::workflow::calendar::Calendar;
use crate::workflow::case::Case;
use crate::workflow::codes::{AssignmentRole, ClockKind, Grade, HandlingKind, OutcomeMeaning};
use crate::workflow::decide::{Target, allowed, decide};
use crate::workflow::desk::duties;
use crate::workflow::explain::{count, origin};
use crate::workflow::input::{Input, NoInput};
use crate::workflow::proposal::ProposalAction as Do;
use crate::workflow::role::Line;
use crate::workflow::rule::Action;

/// What is done, kept so that its end is not counted.
type Done = Box<dyn Any>;

/// Callgrind counts in here and nowhere else.
#[inline(never)]
fn measured(work: &dyn Fn() -> Done, needless: Option<&Case>) -> Done {
    if let Some(case) = needless {
        black_box(case.clone());
    }
    black_box(work())
}

/// All of the work.
struct Counting {
    /// A case that is copied in vain each time, to show that the count sees it.
    needless: Option<Case>,
}

impl Counting {
    /// Once to find everything there that is made at its first use, and once to be counted.
    fn measure(&self, name: &str, work: impl Fn() -> Done) {
        let first = work();
        let second = measured(&work, self.needless.as_ref());
        println!("measured: {name}");
        drop((first, second));
    }

    /// Decides on an act that is granted.
    fn decides(
        &self,
        name: &str,
        world: &World,
        who: P,
        target: Target,
        action: Action,
        input: &Input,
    ) {
        let actor = who.actor();
        self.measure(name, || {
            let decision = decide(&world.case, &actor, target, action, input, world.env());
            Box::new(decision.expect("the act is granted"))
        });
    }

    fn decisions(&self) {
        let on = |world: &World, name: &str, who: P, action: Do, input: Input| {
            self.decides(
                name,
                world,
                who,
                Target::Proposal,
                Action::Proposal(action),
                &input,
            );
        };
        let draft = World::joint().invite(&[1, 2, 3]).consent(1).consent(2);
        on(
            &draft,
            "decide submit",
            P::Member(0),
            Do::Submit,
            NoInput {}.into(),
        );
        let examined = draft.submit().examined();
        on(
            &examined,
            "decide file",
            P::Chair,
            Do::File,
            inputs::file().into(),
        );
        let filed = World::joint().invite(&[1]).consent(1).filed();
        let rows = inputs::rows(&[
            (0, AssignmentRole::Lead),
            (1, AssignmentRole::CoHandler),
            (2, AssignmentRole::CoHandler),
        ]);
        let order = inputs::assign(HandlingKind::Joint, rows);
        on(
            &filed,
            "decide assign",
            P::Officer(Line::Government),
            Do::Assign,
            order.into(),
        );
        let approved = World::drafted_jointly()
            .countersigning()
            .agreed(1)
            .signed(0)
            .approved(0);
        let (target, input) = (approved.reply_target(0), NoInput {}.into());
        self.decides(
            "decide deliver",
            &approved,
            P::UnitClerk(0),
            target,
            inputs::DELIVER,
            &input,
        );
        let delivered = approved.delivered(0);
        let form = inputs::feedback(delivered.reply_id(0), Grade::Satisfied);
        on(
            &delivered,
            "decide give-feedback",
            P::Member(0),
            Do::GiveFeedback,
            form.into(),
        );
    }

    fn questions(&self) {
        let under_way = World::individual().together().accepted(0).accepted(1);
        let officer = P::Officer(Line::Government).actor();
        self.measure("actions of a case", || {
            let list = allowed(&under_way.case, &officer, Target::Proposal, under_way.env());
            assert!(list.iter().any(|one| one.refusal.is_none()));
            Box::new(list)
        });
        let row = under_way.row_target(1);
        let clerk = P::UnitClerk(1).actor();
        self.measure("actions of a row", || {
            Box::new(allowed(&under_way.case, &clerk, row, under_way.env()))
        });
        self.measure("duties of a case", || {
            let list = duties(&under_way.case, &under_way.profile);
            assert!(!list.is_empty());
            Box::new(list)
        });
        let clock = under_way.clock(ClockKind::K10, under_way.row(0).id.cast());
        self.measure("explanation of a clock", || {
            let told = count(clock, Calendar::builtin());
            let origin = origin(&under_way.case, clock, &under_way.profile);
            Box::new((told, origin))
        });
        let window = under_way.clock(ClockKind::K05, under_way.row(0).id.cast());
        self.measure("explanation of working days", || {
            Box::new(count(window, Calendar::builtin()))
        });
    }

    /// What is chained: the events of a case from its draft to its end.
    fn chain(&self) {
        let world = World::individual()
            .sole()
            .answered(0, OutcomeMeaning::Resolved);
        let stream = Stream::of(
            world.case.proposal.committee,
            "proposal",
            world.case.proposal.id,
        );
        let numbered = (1..).zip(&world.log);
        let events: Vec<Event> = numbered
            .map(|(seq, happened)| Event {
                seq,
                id: EventId::from_uuid(uuid::Uuid::from_u128(
                    0x0190_0000_0000_7000_8000_0000_0000_0000,
                )),
                stream_kind: "proposal".to_owned(),
                at: At(world.now),
                actor_id: P::Staff.actor().user,
                actor_name: "工作人员".to_owned(),
                actor_role: happened.role.as_str().to_owned(),
                on_behalf_of: None,
                name: happened.event.to_owned(),
                rule: Some(happened.rule.to_owned()),
                request_id: None,
                content: Json(happened.input.clone()),
                prev_hash: "0".repeat(64),
                hash: String::new(),
            })
            .collect();
        assert!(events.len() > 10, "{}", events.len());
        self.measure("hashes of a case", || {
            let hashes = events.iter().map(|event| event.expected_hash(&stream));
            Box::new(hashes.collect::<Vec<_>>())
        });
    }

    fn all(&self) {
        self.decisions();
        self.questions();
        self.chain();
    }
}

/// Named by `scripts/instructions`.
#[test]
fn everything_that_is_counted() {
    Counting { needless: None }.all();
}

/// Named by `scripts/instructions --control`.
#[test]
fn everything_with_a_needless_copy() {
    let needless = Some(World::individual().together().case);
    Counting { needless }.all();
}
