//! What people hand in: plausible inputs, and the actions by short names.

use jiff::ToSpan;
use jiff::civil::{Date, date};

use super::fixture::{member, organisation_no, unit};
pub use super::side_inputs::*;
use crate::ids::{AttachmentId, ProposerId, ReplyId};
use crate::workflow::assignment::AssignmentAction;
use crate::workflow::codes::{
    AssignmentRole, ContactWay, Disposition, Grade, HandlingKind, OutcomeMeaning, PublicationLevel,
    Recommendation, SubjectClass,
};
use crate::workflow::input::*;
use crate::workflow::lists::ProposerKind;
use crate::workflow::reasons::ReasonCode;
use crate::workflow::reply::ReplyAction;
use crate::workflow::role::Line;
use crate::workflow::rule::Action;

pub const ACCEPT: Action = Action::Assignment(AssignmentAction::Accept);
pub const CONTACT: Action = Action::Assignment(AssignmentAction::RecordContact);
pub const OPINION: Action = Action::Assignment(AssignmentAction::SubmitOpinion);
pub const DRAFT: Action = Action::Reply(ReplyAction::Draft);
pub const EDIT: Action = Action::Reply(ReplyAction::Edit);
pub const REQUEST: Action = Action::Reply(ReplyAction::RequestCountersign);
pub const COUNTERSIGN: Action = Action::Reply(ReplyAction::Countersign);
pub const OBJECT: Action = Action::Reply(ReplyAction::Object);
pub const SIGN: Action = Action::Reply(ReplyAction::Sign);
pub const APPROVE: Action = Action::Reply(ReplyAction::Approve);
pub const REJECT: Action = Action::Reply(ReplyAction::Reject);
pub const DELIVER: Action = Action::Reply(ReplyAction::Deliver);

macro_rules! into_input {
    ($($form:ty => $variant:ident),+ $(,)?) => {
        $(impl From<$form> for Input {
            fn from(form: $form) -> Self { Self::$variant(form.into()) }
        })+
    };
}

into_input! {
    NoInput => None, ProposalForm => Edit, InviteIn => Invite, CosignIn => Cosign,
    WithdrawIn => Withdraw, ReturnForRevisionIn => ReturnForRevision, ExamineIn => Examine,
    FileIn => File, NotFileIn => NotFile, AssignIn => Assign, AcceptIn => Accept,
    ContactIn => Contact, OpinionIn => Opinion, ReplyForm => Reply,
    CountersignIn => Countersign, ObjectIn => Object, SignIn => Sign, ApproveIn => Approve,
    RejectIn => Reject, FeedbackIn => Feedback, CloseIn => Close,
}

/// A complete form, for any kind of proposer.
pub fn form() -> ProposalForm {
    ProposalForm {
        title: "关于优化老城区公交微循环线路的提案".to_owned(),
        situation: "老城区道路狭窄，居民出行不便。".to_owned(),
        suggestions: vec![Suggestion("开通两条社区微循环线路。".to_owned())],
        publish_consent: Some(true),
        no_secret_declaration: true,
        contact_person: Some("周明远".to_owned()),
        contact_phone: Some("0599-5550123".to_owned()),
        seal_evidence: Some("盖章原件存档 2026-集-017".to_owned()),
        convener: Some("何静".to_owned()),
        ..ProposalForm::default()
    }
}

/// The same with another text.
pub fn other_text(number: usize) -> ProposalForm {
    ProposalForm {
        situation: format!("老城区道路狭窄，居民出行不便（第{number}稿）。"),
        ..form()
    }
}

pub fn proposal(kind: ProposerKind) -> ProposalIn {
    ProposalIn {
        kind,
        session_id: None,
        member_id: None,
        organisation_id: None,
        form: form(),
    }
}

pub fn invite(members: &[usize]) -> InviteIn {
    InviteIn {
        member_ids: members.iter().map(|n| member(*n)).collect(),
        organisation_ids: Vec::new(),
    }
}

pub fn cosign() -> CosignIn {
    CosignIn {
        proposer_id: None,
        comment: Some("同意联名。".to_owned()),
        attachment_ids: Vec::new(),
    }
}

pub fn cosign_on_paper(proposer: ProposerId, scan: Option<AttachmentId>) -> CosignIn {
    CosignIn {
        proposer_id: Some(proposer),
        attachment_ids: scan.into_iter().collect(),
        ..cosign()
    }
}

pub fn withdraw() -> WithdrawIn {
    WithdrawIn {
        reason: Some("情况已有变化。".to_owned()),
        attachment_ids: Vec::new(),
    }
}

pub fn return_for_revision() -> ReturnForRevisionIn {
    ReturnForRevisionIn {
        reason: "请补充具体措施。".to_owned(),
    }
}

pub fn examine() -> ExamineIn {
    ExamineIn {
        opinion: "一事一案，建议立案。".to_owned(),
        recommendation: Recommendation::File,
        checklist: Checklist {
            standing: true,
            content: true,
            form: true,
        },
        reason_codes: Vec::new(),
        subject_class: Some(SubjectClass::Social),
        assigning_line: Some(Line::Government),
        draft_units: vec![unit(0)],
    }
}

pub fn meeting() -> Meeting {
    Meeting {
        name: "提案审查委员会第一次全体会议".to_owned(),
        date: date(2026, 3, 5),
    }
}

pub fn file() -> FileIn {
    FileIn {
        meeting: meeting(),
        subject_class: None,
        assigning_line: None,
        note: None,
    }
}

pub fn reason(code: &str) -> ReasonCode {
    code.parse().unwrap()
}

pub fn not_file(code: &str) -> NotFileIn {
    NotFileIn {
        meeting: meeting(),
        reason_codes: vec![reason(code)],
        explanation: "所提内容宜通过其他渠道反映。".to_owned(),
        disposition: Disposition::Kept,
        proposer_agrees: false,
    }
}

pub fn rows(rows: &[(usize, AssignmentRole)]) -> Vec<AssignRow> {
    let row = |&(number, role): &(usize, AssignmentRole)| AssignRow {
        unit_id: unit(number),
        role,
        part: (role == AssignmentRole::Separate).then(|| format!("第{number}部分")),
    };
    rows.iter().map(row).collect()
}

pub fn assign(handling_kind: HandlingKind, rows: Vec<AssignRow>) -> AssignIn {
    AssignIn {
        handling_kind,
        rows,
        meeting: None,
        opinion: None,
    }
}

pub fn accept() -> AcceptIn {
    AcceptIn {
        clerk_name: "陈思源".to_owned(),
        clerk_phone: "0599-5550145".to_owned(),
    }
}

pub fn contact(today: Date) -> ContactIn {
    ContactIn {
        way: ContactWay::Visit,
        date: today,
        persons: "林涛、陈思源；提案者".to_owned(),
        said: "介绍了线路调整方案。".to_owned(),
        proposer_view: "表示认可。".to_owned(),
        no_visit_note: None,
        attachment_ids: Vec::new(),
    }
}

pub fn opinion() -> OpinionIn {
    OpinionIn {
        text: "我局将预留公交停靠条件。".to_owned(),
        signatory: "郑海峰".to_owned(),
        will_carry_out: Vec::new(),
        document_no: None,
        attachment_ids: Vec::new(),
    }
}

/// A reply with everything that its outcome asks for.
pub fn reply(outcome: Option<OutcomeMeaning>, today: Date) -> ReplyForm {
    let promised = matches!(
        outcome,
        Some(OutcomeMeaning::InProgress | OutcomeMeaning::Planned)
    );
    let promise = || PromiseIn {
        text: "开通社区微循环 3 号线".to_owned(),
        due_on: today.saturating_add(180.days()),
        person: "林涛".to_owned(),
    };
    ReplyForm {
        title: None,
        outcome,
        digest: "已优化两条线路。".to_owned(),
        body: "您提出的提案收悉，现答复如下……".to_owned(),
        implemented: Vec::new(),
        not_adopted_reason: outcome
            .is_some_and(OutcomeMeaning::needs_reasons)
            .then(|| "财力所限。".to_owned()),
        promises: promised.then(promise).into_iter().collect(),
        leader: "林涛".to_owned(),
        clerk: "陈思源".to_owned(),
        phone: "0599-5550145".to_owned(),
        publication: PublicationLevel::Full,
        non_publication_reason: None,
        attachment_ids: Vec::new(),
    }
}

pub fn countersign() -> CountersignIn {
    CountersignIn {
        signatory: "郑海峰".to_owned(),
        remarks: None,
    }
}

pub fn object() -> ObjectIn {
    ObjectIn {
        signatory: "郑海峰".to_owned(),
        reason: "表述与现行规划不符。".to_owned(),
    }
}

pub fn sign() -> SignIn {
    SignIn {
        signatory: "林涛".to_owned(),
        document_prefix: None,
        by_head: false,
    }
}

pub fn approve() -> ApproveIn {
    ApproveIn::default()
}

/// The reviewer sees it differently.
pub fn approve_as(outcome: OutcomeMeaning) -> ApproveIn {
    ApproveIn {
        outcome: Some(outcome),
        reason: Some("条件尚不具备。".to_owned()),
    }
}

pub fn reject() -> RejectIn {
    RejectIn {
        reason: "未逐条回应建议。".to_owned(),
    }
}

/// A form, from the rater.
pub fn feedback(reply_id: ReplyId, grade: Grade) -> FeedbackIn {
    FeedbackIn {
        reply_id,
        rater_id: None,
        paper_reference: None,
        attitude: Grade::Satisfied,
        result: grade,
        contact_way: ContactWay::Visit,
        relevance: None,
        leader_answered: Some(true),
        adoption: None,
        comment: Some("希望抓好落实。".to_owned()),
        attachment_ids: Vec::new(),
    }
}

/// The same, on paper, entered by staff.
pub fn paper_feedback(reply_id: ReplyId, rater: ProposerId, grade: Grade) -> FeedbackIn {
    FeedbackIn {
        rater_id: Some(rater),
        paper_reference: Some("征询意见表 2026-031".to_owned()),
        ..feedback(reply_id, grade)
    }
}

pub fn close() -> CloseIn {
    CloseIn {
        publish_text: Some(PublicationLevel::Full),
        publish_replies: Some(PublicationLevel::Full),
        note: None,
    }
}

/// Asks organisations to sign a joint collective proposal.
pub fn invite_organisations(numbers: &[usize]) -> InviteIn {
    InviteIn {
        member_ids: Vec::new(),
        organisation_ids: numbers.iter().map(|n| organisation_no(*n)).collect(),
    }
}
