//! A town with its people, and a driver that does with decisions what the store does.

use std::collections::BTreeMap;

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::inputs;
pub use super::people::{
    MEMBERS, ORGANISATIONS, Person, UNITS, member, organisation, organisation_no, other_proposal,
    unit,
};
use super::people::{Person as P, fixed};
use super::traces::Written;
use crate::ids::{AttachmentId, CommitteeId, Id, ProposalId, ReplyId, SubjectId, TermId, kind};
use crate::workflow::attachments::{AttachmentFacts, AttachmentStatus};
use crate::workflow::calendar::Calendar;
use crate::workflow::case::{Absorbed, Assignment, Case, Proposer, Reply, Session};
use crate::workflow::codes::{
    AssignmentRole, ClockKind, ConsentStatus, HandlingKind, OutcomeMeaning, ProposerRole, Secrecy,
};
use crate::workflow::decide::{
    CommitteeFacts, Decision, Env, Happened, MemberFacts, Number, OrganisationFacts, ProposalFacts,
    Record, References, Target, UnitFacts, decide, owes, settled,
};
use crate::workflow::input::{AssignRow, Input, NoInput, ProposalIn};
use crate::workflow::lists::{ProposerKind, SystemLine};
use crate::workflow::profile::Profile;
use crate::workflow::proposal::{ProposalAction, ProposalStatus};
use crate::workflow::reasons::{BUILT_IN, ReasonFacts, ReasonLabel};
use crate::workflow::refusal::Refusal;
use crate::workflow::reply::ReplyStatus;
use crate::workflow::role::{Actor, Line, Role};
use crate::workflow::rule::Action;
use crate::workflow::{Origin, begin};

/// The committee above.
pub fn above() -> CommitteeId {
    fixed(7, 1)
}

/// A committee below.
pub fn below() -> CommitteeId {
    fixed(7, 2)
}

/// Files that staff uploaded: scans of paper.
fn scans(proposal: ProposalId) -> BTreeMap<AttachmentId, AttachmentFacts> {
    let staff = [P::Staff, P::MemberAnd(3, Role::CommitteeStaff)];
    let uploader = |n: usize| staff[n % staff.len()].actor().user.unwrap();
    let facts = |n: usize| AttachmentFacts {
        proposal,
        uploader: uploader(n),
        status: AttachmentStatus::Staged,
        bound: None,
        size: 1000,
    };
    (0..40).map(|n| (fixed(10, n), facts(n))).collect()
}

fn references() -> References {
    let units = (0..=UNITS).map(|n| {
        let facts = UnitFacts {
            name: format!("第{n}局"),
            active: n < UNITS,
            reply_prefix: format!("局{n}复"),
            // The unit 9 took over the unit 8.
            predecessors: (n == 9).then(|| unit(8)).into_iter().collect(),
            system_line: SystemLine::Government,
        };
        (unit(n), facts)
    });
    let own = [("own_reason", true, true), ("draft_reason", false, false)];
    let given = BUILT_IN.iter().map(|one| (one.code, one.hides_text, true));
    let reasons = given.chain(own).map(|(code, hides_text, active)| {
        let label = ReasonLabel {
            zh: format!("理由{code}"),
            en: code.to_owned(),
        };
        let facts = ReasonFacts {
            label,
            hides_text,
            active,
        };
        (inputs::reason(code), facts)
    });
    References {
        reasons: reasons.collect(),
        units: units.collect(),
        members: (0..=MEMBERS)
            .map(|n| (member(n), member_facts(n)))
            .collect(),
        attachments: BTreeMap::new(),
        organisations: (0..=ORGANISATIONS)
            .map(|n| {
                let facts = OrganisationFacts {
                    name: format!("第{n}组织"),
                    active: n < ORGANISATIONS,
                };
                (organisation_no(n), facts)
            })
            .collect(),
        proposals: others(),
        designated: 0,
        committees: [(above(), true), (below(), false)]
            .map(|(id, above)| {
                let name = "政协云岭委员会".to_owned();
                (id, CommitteeFacts { name, above })
            })
            .into(),
    }
}

/// Submitted, filed, filed in another session, absorbed, closed.
fn others() -> BTreeMap<ProposalId, ProposalFacts> {
    use ProposalStatus::{Closed, Filed, Merged, Submitted};
    let all = [
        (Submitted, 0, false),
        (Filed, 0, false),
        (Filed, 1, false),
        (Merged, 0, true),
        (Closed, 0, false),
    ];
    let numbered = all.into_iter().enumerate();
    numbered
        .map(|(number, (status, session, absorbed))| {
            let facts = ProposalFacts {
                status,
                session: fixed(5, session),
                absorbed,
                serial_no: Some(1),
                case_no: (status != Submitted).then_some(1),
                title: format!("第{number}件提案"),
                secrecy: Secrecy::Open,
                proposers: Vec::new(),
            };
            (other_proposal(number), facts)
        })
        .collect()
}

pub fn member_facts(n: usize) -> MemberFacts {
    MemberFacts {
        name: format!("委员{n}"),
        sector: "教育界".to_owned(),
        party: None,
        member_no: format!("2026-{n:03}"),
        current: n < MEMBERS,
        accounts: vec![fixed(4, n)],
    }
}

fn session() -> Session {
    Session {
        id: fixed(5, 0),
        term: fixed::<kind::Term>(6, 0) as TermId,
        term_number: 9,
        number: 5,
        window_opens_on: date(2025, 12, 10),
        deadline_at: "2026-03-06T09:00:00Z".parse().unwrap(),
        ends_on: date(2026, 3, 8),
        examination_until: date(2026, 3, 20),
    }
}

fn new_id(now: Timestamp) -> Uuid {
    Id::<kind::Subject>::new(now).uuid()
}

/// A case in its town, at a moment.
#[derive(Clone)]
pub struct World {
    pub case: Case,
    pub now: Timestamp,
    pub profile: Profile,
    pub references: References,
    /// Next serial number, next case number, next document number of each prefix and year.
    pub serial: i32,
    pub case_no: i32,
    pub documents: BTreeMap<(String, i32), i32>,
    pub log: Vec<Happened>,
    pub records: Vec<Record>,
    /// Every write, for the traces.
    pub written: Vec<Written>,
}

impl World {
    /// A draft of member 0.
    pub fn individual() -> Self {
        Self::of_member(P::Member(0), ProposerKind::Individual)
    }

    /// A joint draft of member 0, nobody invited yet.
    pub fn joint() -> Self {
        Self::of_member(P::Member(0), ProposerKind::Joint)
    }

    fn of_member(who: Person, kind: ProposerKind) -> Self {
        let origin = Origin::Member(member(0), member_facts(0));
        Self::begin(&who.actor(), &inputs::proposal(kind), &origin).unwrap()
    }

    /// A draft of the organisation, of any collective kind.
    pub fn collective(kind: ProposerKind) -> Self {
        let origin = Origin::Organisation {
            id: organisation(),
            name: "民盟县委会".to_owned(),
            kind,
            active: true,
        };
        Self::begin(&P::Clerk.actor(), &inputs::proposal(kind), &origin).unwrap()
    }

    /// A draft to which organisations may be invited.
    pub fn joint_collective() -> Self {
        let origin = Origin::Organisation {
            id: organisation(),
            name: "民盟县委会".to_owned(),
            kind: ProposerKind::Party,
            active: true,
        };
        let input = inputs::proposal(ProposerKind::JointCollective);
        Self::begin(&P::Clerk.actor(), &input, &origin).unwrap()
    }

    /// The same case as the main one of a group: a proposal of members 5 and 6 was absorbed, as
    /// the store gives it.
    pub fn absorbing(mut self) -> Self {
        let signer = |position: i32, n: usize| Proposer {
            id: fixed(9, n),
            position,
            role: if position == 1 {
                ProposerRole::First
            } else {
                ProposerRole::Cosigner
            },
            status: ConsentStatus::Consented,
            member: Some(member(n)),
            name: member_facts(n).name,
            consented_version: Some(1),
            ..self.case.proposers[0].clone()
        };
        let absorbed = Absorbed {
            proposal: other_proposal(3),
            serial_no: Some(1),
            case_no: Some(1),
            title: "第3件提案".to_owned(),
            organisation: None,
            signers: vec![signer(1, 5), signer(2, 6)],
        };
        self.case.absorbed.push(absorbed);
        self
    }

    /// PT01, by whomever, in the middle of the session window.
    pub fn begin(actor: &Actor, input: &ProposalIn, origin: &Origin) -> Result<Self, Refusal> {
        let now = "2026-03-02T01:00:00Z".parse().unwrap();
        let (profile, references) = (Profile::default(), references());
        let env = Env {
            now,
            profile: &profile,
            calendar: Calendar::builtin(),
            references: &references,
            ids: new_id,
        };
        let committee: CommitteeId = fixed(7, 0);
        let decision = begin(committee, session(), actor, input, origin, env)?;
        let attachments = scans(decision.case.proposal.id);
        let written = Written {
            case: decision.case.clone(),
            happened: decision.happened.clone(),
            records: decision.records.clone(),
        };
        Ok(Self {
            written: vec![written],
            case: decision.case,
            now,
            profile,
            references: References {
                attachments,
                ..references.clone()
            },
            serial: 17,
            case_no: 201,
            documents: BTreeMap::new(),
            log: decision.happened,
            records: decision.records,
        })
    }

    pub fn env(&self) -> Env<'_> {
        Env {
            now: self.now,
            profile: &self.profile,
            calendar: Calendar::builtin(),
            references: &self.references,
            ids: new_id,
        }
    }

    /// Asks for an act and, if it is granted, writes it as the store would.
    pub fn act(
        &mut self,
        actor: &Actor,
        target: Target,
        action: Action,
        input: &Input,
    ) -> Result<(), Refusal> {
        let decision = decide(&self.case, actor, target, action, input, self.env())?;
        self.write(decision);
        Ok(())
    }

    /// What the worker does: writes down what time alone has done.
    pub fn settle(&mut self) {
        if owes(&self.case, self.env()) {
            let decision = settled(&self.case, self.env()).expect("the system's rows apply");
            self.write(decision);
        }
    }

    fn write(&mut self, decision: Decision) {
        let (happened, records) = (decision.happened.clone(), decision.records.clone());
        self.case = decision.case;
        self.case.proposal.version += 1;
        self.log.extend(decision.happened);
        for record in &decision.records {
            if let Record::Attachment { id, to } = record {
                let facts = self.references.attachments.get_mut(id).unwrap();
                facts.status = AttachmentStatus::Bound;
                facts.bound = Some(*to);
            }
        }
        self.records.extend(decision.records);
        for number in decision.numbers {
            match number {
                Number::Serial => {
                    assert_eq!(self.case.proposal.serial_no.replace(self.serial), None);
                    self.serial += 1;
                }
                Number::Case => {
                    assert_eq!(self.case.proposal.case_no.replace(self.case_no), None);
                    self.case_no += 1;
                }
                Number::Document(id) => {
                    let reply = self.case.replies.iter_mut().find(|reply| reply.id == id);
                    let document = reply.unwrap().document.as_mut().unwrap();
                    let key = (document.prefix.clone(), document.year);
                    let next = self.documents.entry(key).or_insert(1);
                    assert_eq!(document.number.replace(*next), None);
                    *next += 1;
                }
            }
        }
        self.written.push(Written {
            case: self.case.clone(),
            happened,
            records,
        });
    }

    /// A file of somebody that no text names yet.
    pub fn staged(&self, actor: &Actor) -> Option<AttachmentId> {
        let mut all = self.references.attachments.iter();
        let own = all.find(|(_, facts)| {
            facts.status == AttachmentStatus::Staged && actor.user == Some(facts.uploader)
        });
        own.map(|(id, _)| *id)
    }

    /// An act on the proposal that must be granted.
    pub fn on_proposal(&mut self, who: Person, action: ProposalAction, input: impl Into<Input>) {
        self.granted(
            who,
            Target::Proposal,
            Action::Proposal(action),
            &input.into(),
        );
    }

    pub fn granted(&mut self, who: Person, target: Target, action: Action, input: &Input) {
        if let Err(refusal) = self.act(&who.actor(), target, action, input) {
            panic!("{who:?} may not {}: {refusal:?}", action.as_str());
        }
    }

    /// An act that must be refused, and must leave everything as it was.
    pub fn refused(
        &mut self,
        who: Person,
        target: Target,
        action: Action,
        input: impl Into<Input>,
    ) -> Refusal {
        let (case, log) = (self.case.clone(), self.log.len());
        let refusal = self
            .act(&who.actor(), target, action, &input.into())
            .expect_err("the act was granted");
        assert_eq!(self.case, case, "a refused act changed the case");
        assert_eq!(self.log.len(), log, "a refused act left an event");
        refusal
    }

    pub fn wait(&mut self, days: i64) {
        self.now += SignedDuration::from_hours(24 * days);
    }

    pub fn status(&self) -> ProposalStatus {
        self.case.proposal.status
    }

    /// Events since the last call.
    pub fn events(&mut self) -> Vec<&'static str> {
        self.log.drain(..).map(|happened| happened.event).collect()
    }

    pub fn row(&self, number: usize) -> &Assignment {
        self.case
            .live_rows()
            .find(|row| row.unit == unit(number))
            .unwrap()
    }

    pub fn row_target(&self, number: usize) -> Target {
        Target::Assignment(self.row(number).id)
    }

    pub fn reply(&self, number: usize) -> &Reply {
        let reply = self
            .case
            .replies
            .iter()
            .rev()
            .find(|reply| reply.unit == unit(number));
        reply.unwrap()
    }

    pub fn reply_id(&self, number: usize) -> ReplyId {
        self.reply(number).id
    }

    pub fn reply_target(&self, number: usize) -> Target {
        Target::Reply(self.reply_id(number))
    }

    /// Running clocks, by kind, each kind as often as it runs.
    pub fn running(&self) -> Vec<ClockKind> {
        let running = self
            .case
            .clocks
            .iter()
            .filter(|clock| clock.stopped_at.is_none());
        let mut kinds: Vec<_> = running.map(|clock| clock.kind).collect();
        kinds.sort();
        kinds
    }

    /// The last clock of a kind on a subject.
    pub fn clock(&self, kind: ClockKind, subject: SubjectId) -> &crate::workflow::case::Clock {
        let mut clocks = self.case.clocks.iter().rev();
        clocks
            .find(|clock| clock.kind == kind && clock.subject == subject)
            .unwrap()
    }
}

/// Steps of the ordinary way, each of which must be granted.
impl World {
    pub fn submit(mut self) -> Self {
        let who = self.author();
        self.on_proposal(who, ProposalAction::Submit, NoInput {});
        self
    }

    fn author(&self) -> Person {
        match self.case.proposal.organisation {
            Some(_) => P::Clerk,
            None => P::Member(0),
        }
    }

    pub fn invite(mut self, members: &[usize]) -> Self {
        self.on_proposal(
            P::Member(0),
            ProposalAction::InviteCosigners,
            inputs::invite(members),
        );
        self
    }

    pub fn consent(mut self, number: usize) -> Self {
        self.on_proposal(
            P::Member(number),
            ProposalAction::ConsentCosign,
            inputs::cosign(),
        );
        self
    }

    /// Both stages.
    pub fn examined(mut self) -> Self {
        for examiner in [1, 2] {
            self.on_proposal(
                P::Examiner(examiner),
                ProposalAction::Examine,
                inputs::examine(),
            );
        }
        self
    }

    pub fn filed(self) -> Self {
        let mut world = self.submit().examined();
        world.on_proposal(P::Chair, ProposalAction::File, inputs::file());
        world
    }

    pub fn assigned(mut self, kind: HandlingKind, rows: &[(usize, AssignmentRole)]) -> Self {
        let rows: Vec<AssignRow> = inputs::rows(rows);
        let officer = P::Officer(Line::Government);
        self.on_proposal(officer, ProposalAction::Assign, inputs::assign(kind, rows));
        self
    }

    /// Unit 0 alone.
    pub fn sole(self) -> Self {
        self.filed()
            .assigned(HandlingKind::Sole, &[(0, AssignmentRole::Lead)])
    }

    /// Lead unit 0 with co-handlers 1 and 2.
    pub fn together(self) -> Self {
        use AssignmentRole::{CoHandler, Lead};
        self.filed().assigned(
            HandlingKind::Joint,
            &[(0, Lead), (1, CoHandler), (2, CoHandler)],
        )
    }

    /// A joint case in joint handling: unit 0 leads and has drafted its reply, the opinion of unit 1 is
    /// in.
    pub fn drafted_jointly() -> Self {
        use AssignmentRole::{CoHandler, Lead};
        Self::joint()
            .invite(&[1])
            .consent(1)
            .filed()
            .assigned(HandlingKind::Joint, &[(0, Lead), (1, CoHandler)])
            .accepted(0)
            .accepted(1)
            .opinion(1)
            .contacted(0)
            .drafted(0, OutcomeMeaning::Resolved)
    }

    pub fn on_row(&mut self, number: usize, action: Action, input: impl Into<Input>) {
        let target = self.row_target(number);
        self.granted(P::UnitClerk(number), target, action, &input.into());
    }

    pub fn on_reply(
        &mut self,
        number: usize,
        who: Person,
        action: Action,
        input: impl Into<Input>,
    ) {
        let target = self.reply_target(number);
        self.granted(who, target, action, &input.into());
    }

    pub fn accepted(mut self, number: usize) -> Self {
        self.on_row(number, inputs::ACCEPT, inputs::accept());
        self
    }

    pub fn contacted(mut self, number: usize) -> Self {
        let input = inputs::contact(self.env().today());
        self.on_row(number, inputs::CONTACT, input);
        self
    }

    pub fn opinion(mut self, number: usize) -> Self {
        self.on_row(number, inputs::OPINION, inputs::opinion());
        self
    }

    pub fn drafted(mut self, number: usize, outcome: OutcomeMeaning) -> Self {
        let input = inputs::reply(Some(outcome), self.env().today());
        self.on_row(number, inputs::DRAFT, input);
        self
    }

    pub fn countersigning(mut self) -> Self {
        self.on_reply(0, P::UnitClerk(0), inputs::REQUEST, NoInput {});
        self
    }

    /// A co-handler agrees with the reply of unit 0.
    pub fn agreed(mut self, number: usize) -> Self {
        self.on_reply(
            0,
            P::Signatory(number),
            inputs::COUNTERSIGN,
            inputs::countersign(),
        );
        self
    }

    pub fn signed(mut self, number: usize) -> Self {
        self.on_reply(number, P::Signatory(number), inputs::SIGN, inputs::sign());
        self
    }

    pub fn approved(mut self, number: usize) -> Self {
        self.on_reply(number, P::Supervision, inputs::APPROVE, inputs::approve());
        self
    }

    pub fn delivered(mut self, number: usize) -> Self {
        self.on_reply(number, P::UnitClerk(number), inputs::DELIVER, NoInput {});
        assert_eq!(self.reply(number).status, ReplyStatus::Delivered);
        self
    }

    /// From acceptance to delivery, where no co-handler has a say.
    pub fn answered(self, number: usize, outcome: OutcomeMeaning) -> Self {
        self.accepted(number)
            .contacted(number)
            .drafted(number, outcome)
            .signed(number)
            .approved(number)
            .delivered(number)
    }
}
