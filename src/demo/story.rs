//! Tells one case: every act by somebody who may, at a time of the past, on the path of all acts.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::content;
use super::plan::{From, Plan, Progress, Stop, mix};
use super::town::{Player, Town};
use crate::app::act::{self, Known, Object};
use crate::error::{Error, Result};
use crate::ids::{AssignmentId, ProposalId, ReplyId};
use crate::store::Tx;
use crate::workflow::assignment::AssignmentAction as A;
use crate::workflow::case::Case;
use crate::workflow::codes::{AssignmentRole, HandlingKind, OutcomeMeaning};
use crate::workflow::decide::Target;
use crate::workflow::input::{
    AcceptIn, ApproveIn, AssignIn, AssignRow, CloseIn, ContactIn, CosignIn, CountersignIn,
    ExamineIn, FeedbackIn, FileIn, Input, InviteIn, NoInput, NotFileIn, OpinionIn, Point,
    PromiseIn, ProposalForm, ProposalIn, ReplyForm, ReturnForRevisionIn, SignIn, Suggestion,
    WithdrawIn,
};
use crate::workflow::lists::ProposerKind;
use crate::workflow::proposal::ProposalAction as P;
use crate::workflow::reply::ReplyAction as R;
use crate::workflow::rule::Action;

/// Tells a case as far as its plan goes; gives the number of acts.
pub fn tell(tx: &mut Tx<'_>, town: &Town, plan: &Plan) -> Result<usize> {
    let mut teller = Teller::begin(tx, town, plan)?;
    teller.go_on()?;
    Ok(teller.acts)
}

/// What stops the telling where the plan says so.
type Told = Result<()>;

struct Teller<'a, 'tx> {
    tx: &'a mut Tx<'tx>,
    town: &'a Town,
    plan: &'a Plan,
    matter: content::Matter,
    id: ProposalId,
    case: Case,
    now: Timestamp,
    acts: usize,
}

fn typed<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| Error::internal(error).context("demo data"))
}

impl<'a, 'tx> Teller<'a, 'tx> {
    fn begin(tx: &'a mut Tx<'tx>, town: &'a Town, plan: &'a Plan) -> Result<Self> {
        let matter = content::matter(plan.n);
        let input = proposal(town, plan, &matter)?;
        let author = author(town, plan);
        let known = act::create(tx, &town.ctx(author, plan.start), &|| Ok(input.clone()))?;
        Ok(Self {
            tx,
            town,
            plan,
            matter,
            id: known.case.proposal.id,
            case: known.case,
            now: plan.start,
            acts: 1,
        })
    }

    /// An act after some hours.
    #[expect(clippy::needless_pass_by_value, reason = "made for this one act")]
    fn act(
        &mut self,
        who: &Player,
        hours: i64,
        object: Object,
        action: Action,
        input: Input,
    ) -> Result<Known> {
        let spread = i64::try_from(mix(self.plan.n + self.acts, 11) % 50).unwrap_or(0);
        self.now += SignedDuration::from_mins(hours * 60 + spread);
        self.acts += 1;
        let ctx = self.town.ctx(who, self.now);
        let known = act::perform(self.tx, &ctx, object, action, &|_| Ok(input.clone()))?;

        self.case = known.case.clone();
        Ok(known)
    }

    fn on_proposal(&mut self, who: &Player, hours: i64, action: P, input: Input) -> Told {
        let object = Object::Proposal(self.id);
        self.act(who, hours, object, Action::Proposal(action), input)
            .map(drop)
    }

    fn on_row(
        &mut self,
        who: &Player,
        hours: i64,
        row: AssignmentId,
        action: A,
        input: Input,
    ) -> Told {
        self.act(
            who,
            hours,
            Object::Assignment(row),
            Action::Assignment(action),
            input,
        )
        .map(drop)
    }

    fn on_reply(
        &mut self,
        who: &Player,
        hours: i64,
        reply: ReplyId,
        action: R,
        input: Input,
    ) -> Told {
        self.act(
            who,
            hours,
            Object::Reply(reply),
            Action::Reply(action),
            input,
        )
        .map(drop)
    }

    fn go_on(&mut self) -> Told {
        let (town, plan) = (self.town, self.plan);
        self.gather_signatures()?;
        if plan.stop == Stop::Draft {
            return Ok(());
        }
        let author = author(town, plan);
        self.on_proposal(author, 3, P::Submit, Input::None(NoInput {}))?;
        match plan.stop {
            Stop::Submitted(stages) => return self.examine(stages),
            Stop::Withdrawn => {
                let reason = Some("情况已有变化，拟补充调研后另行提出。".to_owned());
                return self.on_proposal(
                    author,
                    20,
                    P::Withdraw,
                    Input::Withdraw(WithdrawIn {
                        reason,
                        attachment_ids: Vec::new(),
                    }),
                );
            }
            Stop::Returned => return self.send_back(),
            Stop::NotFiled => return self.refuse(),
            _ => {}
        }
        if plan.revised {
            self.send_back()?;
            let form = ProposalForm {
                analysis: format!("{}（已按要求补充。）", self.case.proposal.form.analysis),
                ..self.case.proposal.form.clone()
            };
            self.on_proposal(author, 30, P::Edit, Input::Edit(Box::new(form)))?;
            self.sign_again()?;
            self.on_proposal(author, 2, P::Submit, Input::None(NoInput {}))?;
        }
        self.examine(2)?;
        let meeting = json!({ "name": "提案审查委员会全体会议", "date": crate::workflow::deadline::local_date(self.now) });
        let input = typed::<FileIn>(json!({ "meeting": meeting }))?;
        self.on_proposal(&town.chair, 20, P::File, Input::File(input))?;
        if plan.stop == Stop::Filed {
            return Ok(());
        }
        self.assign()?;
        self.handle()
    }

    fn co_signers(&self) -> Vec<&'a Player> {
        let From::Joint(first, count) = self.plan.from else {
            return Vec::new();
        };
        let all = &self.town.members;
        (1..=count)
            .map(|n| &all[(first + n * 7) % all.len()])
            .collect()
    }

    fn gather_signatures(&mut self) -> Told {
        let signers = self.co_signers();
        if signers.is_empty() {
            return Ok(());
        }
        let member_ids = signers
            .iter()
            .filter_map(|signer| signer.member())
            .collect();
        let author = author(self.town, self.plan);
        self.on_proposal(
            author,
            1,
            P::InviteCosigners,
            Input::Invite(InviteIn {
                member_ids,
                organisation_ids: Vec::new(),
            }),
        )?;
        self.sign_again()
    }

    fn sign_again(&mut self) -> Told {
        for signer in self.co_signers() {
            self.on_proposal(
                signer,
                0,
                P::ConsentCosign,
                Input::Cosign(CosignIn::default()),
            )?;
        }
        Ok(())
    }

    fn send_back(&mut self) -> Told {
        let reason = content::revision_reason(self.plan.n);
        let input = Input::ReturnForRevision(ReturnForRevisionIn { reason });
        self.on_proposal(&self.town.staff.clone(), 30, P::ReturnForRevision, input)
    }

    fn examine(&mut self, stages: usize) -> Told {
        let town = self.town;
        for stage in 0..stages {
            let examiner = &town.examiners[(self.plan.n + stage) % town.examiners.len()];
            let draft_units = self
                .matter
                .units
                .iter()
                .map(|unit| town.units[*unit])
                .collect();
            let input = ExamineIn {
                opinion: content::examination_opinion(self.plan.n + stage),
                recommendation: crate::workflow::codes::Recommendation::File,
                checklist: crate::workflow::input::Checklist {
                    standing: true,
                    content: true,
                    form: true,
                },
                reason_codes: Vec::new(),
                subject_class: Some(self.matter.class.parse().map_err(Error::internal)?),
                assigning_line: None,
                draft_units,
            };
            self.on_proposal(examiner, 26, P::Examine, Input::Examine(input))?;
        }
        Ok(())
    }

    fn refuse(&mut self) -> Told {
        let codes = [
            "no_concrete_suggestion",
            "multiple_matters",
            "outside_jurisdiction",
            "cppcc_internal_affairs",
            "private_interest",
        ];
        let dispositions = [
            "converted_to_opinion",
            "sent_for_reference",
            "member_letter",
            "kept",
        ];
        let code = codes[mix(self.plan.n, 12) % codes.len()];
        let input = typed::<NotFileIn>(json!({
            "meeting": { "name": "提案审查委员会全体会议", "date": crate::workflow::deadline::local_date(self.now) },
            "reason_codes": [code],
            "explanation": content::refusal_explanation(code),
            "disposition": dispositions[mix(self.plan.n, 13) % dispositions.len()],
            "proposer_agrees": true,
        }))?;
        self.on_proposal(
            &self.town.chair.clone(),
            60,
            P::NotFile,
            Input::NotFile(input),
        )
    }

    fn assign(&mut self) -> Told {
        let town = self.town;
        let units = self.chosen_units();
        let separate = self.plan.separate && units.len() > 1;
        let handling_kind = match (separate, units.len()) {
            (true, _) => HandlingKind::Separate,
            (false, 1) => HandlingKind::Sole,
            (false, _) => HandlingKind::Joint,
        };
        let rows = units
            .iter()
            .enumerate()
            .map(|(n, unit)| AssignRow {
                unit_id: town.units[*unit],
                role: match (separate, n) {
                    (true, _) => AssignmentRole::Separate,
                    (false, 0) => AssignmentRole::Lead,
                    (false, _) => AssignmentRole::CoHandler,
                },
                part: separate.then(|| format!("第{}条建议", n + 1)),
            })
            .collect();
        let line = self
            .case
            .proposal
            .assigning_line
            .ok_or_else(|| Error::internal("no line"))?;
        let officer = town
            .officers
            .get(&line)
            .ok_or_else(|| Error::internal("no officer"))?;
        let opinion = Some("请认真研究办理，按时答复提案者。".to_owned());
        let input = AssignIn {
            handling_kind,
            rows,
            meeting: None,
            opinion,
        };
        self.on_proposal(officer, 60, P::Assign, Input::Assign(input))
    }

    /// The fitting units first, then others, as many as the plan wants.
    fn chosen_units(&self) -> Vec<usize> {
        let wanted = 1 + self
            .plan
            .co_handlers
            .min(if self.plan.separate { 1 } else { 11 });
        let mut units = self.matter.units.clone();
        let mut salt = 20;
        while units.len() < wanted {
            let other = mix(self.plan.n, salt) % self.town.units.len();
            salt += 1;
            if !units.contains(&other) {
                units.push(other);
            }
        }
        units.truncate(wanted);
        units
    }

    fn handle(&mut self) -> Told {
        let progress = match self.plan.stop {
            Stop::Assigned(progress) => progress,
            _ => Progress::Approved,
        };
        let rows = self.case.assignments.clone();
        if progress == Progress::Pending {
            return Ok(());
        }
        for row in &rows {
            let clerk = self.clerk(row.unit).clone();
            let input = AcceptIn {
                clerk_name: content::person(mix(self.plan.n, 30) % 2000),
                clerk_phone: format!("0599-555{:04}", mix(self.plan.n, 31) % 10_000),
            };
            self.on_row(&clerk, 6, row.id, A::Accept, Input::Accept(input))?;
        }
        if progress == Progress::Accepted {
            return Ok(());
        }
        for row in &rows {
            let clerk = self.clerk(row.unit).clone();
            if row.role == AssignmentRole::CoHandler {
                let input = OpinionIn {
                    text: content::opinion(self.plan.n),
                    signatory: content::person(mix(self.plan.n, 32) % 2000),
                    will_carry_out: Vec::new(),
                    document_no: None,
                    attachment_ids: Vec::new(),
                };
                self.on_row(&clerk, 12, row.id, A::SubmitOpinion, Input::Opinion(input))?;
            } else {
                let input = self.contact();
                self.on_row(&clerk, 150, row.id, A::RecordContact, Input::Contact(input))?;
            }
        }
        if progress == Progress::Contacted {
            return Ok(());
        }
        for row in rows.iter().filter(|row| row.role.replies()) {
            self.reply(row.id, progress)?;
        }
        if matches!(self.plan.stop, Stop::Assigned(_)) {
            Ok(())
        } else {
            self.conclude()
        }
    }

    fn clerk(&self, unit: crate::ids::UnitId) -> &'a Player {
        &self.people(unit).0
    }

    fn people(&self, unit: crate::ids::UnitId) -> &'a (Player, Player) {
        let index = self
            .town
            .units
            .iter()
            .position(|own| *own == unit)
            .unwrap_or(0);
        &self.town.unit_people[index]
    }

    fn contact(&self) -> ContactIn {
        let ways = ["face_to_face", "phone", "visit", "symposium", "on_site"];
        let (said, proposer_view) = content::contact_note(self.plan.n);
        ContactIn {
            way: ways[mix(self.plan.n, 33) % ways.len()]
                .parse()
                .unwrap_or(crate::workflow::codes::ContactWay::Phone),
            date: crate::workflow::deadline::local_date(self.now),
            persons: format!("{}等；提案者", content::person(mix(self.plan.n, 34) % 2000)),
            said,
            proposer_view,
            no_visit_note: None,
            attachment_ids: Vec::new(),
        }
    }

    fn reply(&mut self, row: AssignmentId, progress: Progress) -> Told {
        let Some(unit) = self
            .case
            .assignment(row)
            .map(|row| (row.unit, row.unit_name.clone()))
        else {
            return Ok(());
        };
        let (clerk, signatory) = self.people(unit.0).clone();
        let form = self.reply_form(&unit.1);
        let known = self.act(
            &clerk,
            300,
            Object::Assignment(row),
            Action::Reply(R::Draft),
            Input::Reply(Box::new(form.clone())),
        )?;
        let Target::Reply(reply) = known.target else {
            return Ok(());
        };
        if progress == Progress::Drafted {
            return Ok(());
        }
        self.countersign(reply, &clerk)?;
        let input = SignIn {
            signatory: form.leader.clone(),
            document_prefix: None,
            by_head: false,
        };
        self.on_reply(&signatory, 24, reply, R::Sign, Input::Sign(input))?;
        if progress == Progress::UnderReview {
            return Ok(());
        }
        let supervision = self.town.supervision.clone();
        self.on_reply(
            &supervision,
            40,
            reply,
            R::Approve,
            Input::Approve(ApproveIn::default()),
        )?;
        if matches!(self.plan.stop, Stop::Assigned(_)) {
            return Ok(());
        }
        self.on_reply(&clerk, 10, reply, R::Deliver, Input::None(NoInput {}))
    }

    fn countersign(&mut self, reply: ReplyId, clerk: &Player) -> Told {
        if self.case.proposal.handling_kind != Some(HandlingKind::Joint) {
            return Ok(());
        }
        self.on_reply(
            clerk,
            4,
            reply,
            R::RequestCountersign,
            Input::None(NoInput {}),
        )?;
        let units: Vec<_> = self
            .case
            .assignments
            .iter()
            .filter(|row| row.role == AssignmentRole::CoHandler)
            .map(|row| row.unit)
            .collect();
        for unit in units {
            let signatory = self.people(unit).1.clone();
            let input = CountersignIn {
                signatory: content::person(mix(self.plan.n, 35) % 2000),
                remarks: None,
            };
            self.on_reply(
                &signatory,
                5,
                reply,
                R::Countersign,
                Input::Countersign(input),
            )?;
        }
        Ok(())
    }

    fn reply_form(&self, unit: &str) -> ReplyForm {
        let outcome = self.plan.outcome;
        let text = content::reply(self.plan.n, &self.matter.title, unit, outcome.as_str());
        let due = self.now + SignedDuration::from_hours(24 * 400);
        let person = content::person(mix(self.plan.n, 36) % 2000);
        let dated = matches!(
            outcome,
            OutcomeMeaning::InProgress | OutcomeMeaning::Planned
        );
        ReplyForm {
            title: None,
            outcome: Some(outcome),
            digest: text.digest,
            body: text.body,
            implemented: text.implemented.into_iter().map(Point).collect(),
            not_adopted_reason: text.not_adopted,
            promises: text
                .promises
                .into_iter()
                .filter(|_| dated)
                .map(|text| PromiseIn {
                    text,
                    due_on: crate::workflow::deadline::local_date(due),
                    person: person.clone(),
                })
                .collect(),
            leader: person.clone(),
            clerk: content::person(mix(self.plan.n, 37) % 2000),
            phone: "0599-5550000".to_owned(),
            publication: crate::workflow::codes::PublicationLevel::Summary,
            non_publication_reason: None,
            attachment_ids: Vec::new(),
        }
    }

    fn conclude(&mut self) -> Told {
        let replies: Vec<_> = self.case.delivered().map(|reply| reply.id).collect();
        let raters: Vec<_> = self.case.signers().map(|signer| signer.member).collect();
        let partly = self.plan.stop == Stop::Handled;
        for (index, member) in raters.iter().enumerate() {
            // Of a case that is still waiting the first proposer has not rated.
            if partly && index == 0 {
                continue;
            }
            let player = match member {
                Some(member) => self
                    .town
                    .members
                    .iter()
                    .find(|player| player.member() == Some(*member)),
                None => Some(author(self.town, self.plan)),
            };
            let Some(player) = player.cloned() else {
                continue;
            };
            for reply in &replies {
                let input = self.feedback(*reply, index == 0);
                self.on_proposal(&player, 30, P::GiveFeedback, Input::Feedback(input))?;
            }
        }
        if self.plan.stop != Stop::Closed {
            return Ok(());
        }
        let input =
            typed::<CloseIn>(json!({ "publish_text": "full", "publish_replies": "summary" }))?;
        self.on_proposal(&self.town.staff.clone(), 48, P::Close, Input::Close(input))
    }

    fn feedback(&self, reply_id: ReplyId, first: bool) -> FeedbackIn {
        use crate::workflow::codes::{ContactWay, Grade};
        let result = match (self.plan.dissatisfied && first, mix(self.plan.n, 38) % 10) {
            (true, _) => Grade::Dissatisfied,
            (false, 0..3) => Grade::BasicallySatisfied,
            (false, _) => Grade::Satisfied,
        };
        FeedbackIn {
            reply_id,
            rater_id: None,
            paper_reference: None,
            attitude: Grade::Satisfied,
            result,
            contact_way: ContactWay::FaceToFace,
            relevance: None,
            leader_answered: self.case.proposal.kind.is_collective().then_some(true),
            adoption: None,
            comment: content::feedback_comment(self.plan.n, result.as_str()),
            attachment_ids: Vec::new(),
        }
    }
}

/// Who acts for the proposer.
fn author<'a>(town: &'a Town, plan: &Plan) -> &'a Player {
    match plan.from {
        From::Member(n) | From::Joint(n, _) => &town.members[n % town.members.len()],
        From::Organisation(n) => &town.org_clerks[organisation(town, n)],
        From::Paper(_) => &town.staff,
    }
}

/// An organisation that may propose at any time: sectors and groups only propose in the plenary.
fn organisation(town: &Town, n: usize) -> usize {
    let may = |index: &usize| {
        !matches!(
            town.organisations[*index].1,
            ProposerKind::Sector | ProposerKind::MemberGroup
        )
    };
    let candidates: Vec<usize> = (0..town.organisations.len()).filter(may).collect();
    candidates[n % candidates.len().max(1)]
}

fn proposal(town: &Town, plan: &Plan, matter: &content::Matter) -> Result<ProposalIn> {
    let (kind, member_id, organisation_id) = match plan.from {
        From::Member(_) => (ProposerKind::Individual, None, None),
        From::Joint(..) => (ProposerKind::Joint, None, None),
        From::Organisation(n) => {
            let (id, kind) = town.organisations[organisation(town, n)];
            (kind, None, Some(id))
        }
        From::Paper(n) => (
            ProposerKind::Individual,
            town.members[n % town.members.len()].member(),
            None,
        ),
    };
    let collective = organisation_id.is_some();
    let form = ProposalForm {
        title: matter.title.clone(),
        situation: matter.situation.clone(),
        analysis: matter.analysis.clone(),
        suggestions: matter.suggestions.iter().cloned().map(Suggestion).collect(),
        publish_consent: Some(!mix(plan.n, 40).is_multiple_of(12) || plan.stop == Stop::Closed),
        publish_refusal_reason: Some("涉及调研单位内部情况。".to_owned()),
        no_secret_declaration: true,
        suggested_class: Some(matter.class.parse().map_err(Error::internal)?),
        suggested_lead: matter.units.first().map(|unit| town.units[*unit]),
        contact_person: collective.then(|| content::person(mix(plan.n, 41) % 2000)),
        contact_phone: collective.then(|| "0599-5551000".to_owned()),
        seal_evidence: collective.then(|| format!("盖章原件存档-{:03}", plan.n)),
        paper_reference: matches!(plan.from, From::Paper(_))
            .then(|| format!("纸质提案-{:03}", plan.n)),
        ..ProposalForm::default()
    };
    Ok(ProposalIn {
        kind,
        session_id: None,
        member_id,
        organisation_id,
        form,
    })
}
