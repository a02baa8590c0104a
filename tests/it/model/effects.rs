//! What the reference model makes of a command: allowed, with what it changes; or refused, and why.

use super::guards::Unmet;
use super::rules::{Act, Target};
use super::world::{Case, Name, Person, Proposer, World};

/// What somebody hands in, as far as it matters to the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    Plain,
    Joint(bool),
    NewText,
    SameText,
    NoSecret(bool),
    MayPublish(Option<bool>),
    Member(usize),
    Unit(usize),
    Main(usize),
    Rows {
        kind: Option<Name>,
        add: Vec<(usize, Name)>,
        remove: Vec<usize>,
    },
    Rating {
        reply: usize,
        dissatisfied: bool,
        paper: Option<(usize, usize)>,
    },
    Paper(Option<(usize, usize)>),
    /// Another round because of its quality, or because somebody is dissatisfied.
    Again {
        quality: bool,
        kind: Option<Name>,
        rows: Vec<(usize, Name)>,
    },
    Levels(Option<(Name, Name)>),
    Secrecy(Name),
    Outcome(Option<Name>),
    Meeting(bool),
}

/// What is wrong with a request beside what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// A field that nobody knows.
    Malformed,
    /// If-Match names another version.
    Stale,
    /// The text that has to be there is blank.
    Blank,
}

/// Somebody does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub who: Person,
    pub act: Act,
    pub case: usize,
    pub target: Target,
    pub input: Input,
    pub fault: Fault,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// 404: the caller may not know of it.
    Unknown,
    /// 403.
    Forbidden,
    /// 422.
    Invalid,
    /// 412.
    Stale,
    /// 409 `state-conflict`.
    State,
    /// 409 `guard-unmet`, with the guards.
    Guards(Unmet),
}

/// One guard that is not met.
pub fn guard(name: Name) -> Refusal {
    Refusal::Guards(Unmet::from([name]))
}

/// Nothing, or why not.
pub type Outcome = Result<(), Refusal>;

impl World {
    /// Does it, or says why not; then nothing is changed.
    pub fn perform(&mut self, command: &Command) -> Outcome {
        let Command { who, act, case, .. } = *command;
        let (target, rule) = (command.target, act.rule());
        if act == Act::Create {
            return self.create(command);
        }
        let hidden = match target {
            Target::Reply(reply) => !self.may_know_reply(who, case, reply),
            _ => false,
        };
        if hidden || !self.may_read(who, case) {
            return Err(Refusal::Unknown);
        }
        if !self.is_entitled(act, who, case, target) {
            return Err(Refusal::Forbidden);
        }
        match command.fault {
            Fault::Malformed => return Err(Refusal::Invalid),
            Fault::Stale => return Err(Refusal::Stale),
            Fault::None | Fault::Blank => {}
        }
        let status = self.status(case, target);
        if !rule.from.is_empty() && !rule.from.contains(&status) {
            return Err(Refusal::State);
        }
        let unmet = self.unmet(act, who, case, target);
        if !unmet.is_empty() {
            return Err(Refusal::Guards(unmet));
        }
        let mut after = self.clone();
        match target {
            Target::Case => after.on_case(command)?,
            Target::Row(row) => after.on_row(command, row)?,
            Target::Reply(reply) => after.on_reply(command, reply)?,
        }
        after.settle();
        *self = after;
        Ok(())
    }

    /// The status of what an act is about.
    pub fn status(&self, case: usize, target: Target) -> Name {
        let own = &self.cases[case];
        match target {
            Target::Case => own.status,
            Target::Row(row) => own.rows[row].status,
            Target::Reply(reply) => own.replies[reply].status,
        }
    }

    fn create(&mut self, command: &Command) -> Outcome {
        let Some(member) = command.who.member() else {
            return Err(Refusal::Forbidden);
        };
        if command.fault == Fault::Malformed {
            return Err(Refusal::Invalid);
        }
        let first = Proposer {
            member,
            first: true,
            status: "consented",
            until: None,
            waived: 0,
        };
        self.cases.push(Case {
            status: "draft",
            joint: command.input == Input::Joint(true),
            round: 1,
            urgent: false,
            secrecy: "open",
            serial: None,
            case_no: None,
            text_version: 1,
            submitted_version: 0,
            submissions: 0,
            may_publish: Some(true),
            no_secret: true,
            proposers: vec![first],
            opinions: Vec::new(),
            line: None,
            handling: None,
            rows: Vec::new(),
            replies: Vec::new(),
            forms: Vec::new(),
            requests: Vec::new(),
            meetings: Vec::new(),
            revision_until: None,
            feedback_until: None,
            publication: None,
            disposed: false,
            archived: false,
            main: None,
            before: None,
        });
        Ok(())
    }
}
