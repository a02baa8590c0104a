//! Files that go with a text: what they are bound to, who may upload and read them, and the rules
//! by which an act takes them along. The act names the files in its form, so that they are part of
//! the text, of its version, and of the hash that signatures are bound to.

use std::collections::BTreeSet;

use super::access;
use super::case::{Case, Form, Reply};
use super::decide::{self, Record, Step, Target};
use super::profile::Profile;
use super::refusal::Refusal;
use super::role::{Actor, Role};
use super::rule::{Action, Who, rules_of};
use crate::code_list;
use crate::ids::{AttachmentId, ProposalId, ProposerId, ReplyId, SubjectId, UserId};
use crate::workflow::assignment::AssignmentAction as A;
use crate::workflow::proposal::ProposalAction as P;
use crate::workflow::reply::ReplyAction as R;

/// Files that one account may have uploaded to one case without any act naming them yet.
pub const MAX_STAGED: usize = 20;

/// Bytes that one file may have.
pub fn max_bytes(profile: &Profile) -> u64 {
    u64::from(profile.attachments_max_mb) * 1024 * 1024
}

code_list! {
    /// How far a file is.
    pub enum AttachmentStatus {
        Incoming = "incoming", "接收中", "incoming: not yet stored";
        Staged = "staged", "待使用", "staged: no text names it yet";
        Bound = "bound", "已附于文本", "bound to a text";
        Removed = "removed", "已移除", "removed: the content is gone";
    }
}

code_list! {
    /// What a file goes with.
    pub enum BoundKind {
        ProposalText = "proposal_text", "提案文本", "text of the proposal";
        Consent = "consent", "联名意见", "answer of a co-signer";
        Contact = "contact", "沟通记录", "contact record";
        CoOpinion = "co_opinion", "会办意见", "opinion of a co-handler";
        Reply = "reply", "答复", "reply";
        OpinionForm = "opinion_form", "征询意见表", "opinion form";
        Request = "request", "申请", "request: return, extension, pause, withdrawal";
    }
}

code_list! {
    /// Types of files that are taken, as their content shows.
    pub enum FileType {
        Pdf = "pdf", "PDF 文档", "PDF document";
        Jpeg = "jpeg", "JPEG 图片", "JPEG picture";
        Png = "png", "PNG 图片", "PNG picture";
        Docx = "docx", "Word 文档", "Word document";
        Xlsx = "xlsx", "Excel 工作簿", "Excel workbook";
        Pptx = "pptx", "PowerPoint 演示文稿", "PowerPoint presentation";
        Doc = "doc", "Word 97–2003 文档", "Word 97–2003 document";
        Xls = "xls", "Excel 97–2003 工作簿", "Excel 97–2003 workbook";
        Ppt = "ppt", "PowerPoint 97–2003 演示文稿", "PowerPoint 97–2003 presentation";
        Ofd = "ofd", "OFD 版式文档", "OFD document";
        Text = "text", "纯文本(UTF-8)", "plain text in UTF-8";
    }
}

impl FileType {
    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Pptx => {
                "application/vnd.openxmlformats-officedocument.presentationml.presentation"
            }
            Self::Doc => "application/msword",
            Self::Xls => "application/vnd.ms-excel",
            Self::Ppt => "application/vnd.ms-powerpoint",
            Self::Ofd => "application/ofd",
            Self::Text => "text/plain; charset=utf-8",
        }
    }

    /// The extensions that fit it, in lower case.
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Pdf => &["pdf"],
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Png => &["png"],
            Self::Docx => &["docx"],
            Self::Xlsx => &["xlsx"],
            Self::Pptx => &["pptx"],
            Self::Doc => &["doc"],
            Self::Xls => &["xls"],
            Self::Ppt => &["ppt"],
            Self::Ofd => &["ofd"],
            Self::Text => &["txt"],
        }
    }
}

/// The text that a file goes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// Kind of the text.
    pub kind: BoundKind,
    /// The proposal, proposer, contact, row, reply or request; of an opinion form the reply.
    pub id: SubjectId,
    /// Of an opinion form the rater.
    pub rater: Option<ProposerId>,
}

impl Binding {
    /// To a thing with one identifier.
    pub const fn to(kind: BoundKind, id: SubjectId) -> Self {
        Self {
            kind,
            id,
            rater: None,
        }
    }

    /// To the form of a rater about a reply.
    pub const fn to_form(reply: ReplyId, rater: ProposerId) -> Self {
        Self {
            kind: BoundKind::OpinionForm,
            id: reply.cast(),
            rater: Some(rater),
        }
    }
}

/// Facts of a file named in an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentFacts {
    /// The case it was uploaded to.
    pub proposal: ProposalId,
    /// Who uploaded it.
    pub uploader: UserId,
    /// How far it is.
    pub status: AttachmentStatus,
    /// What it goes with already.
    pub bound: Option<Binding>,
    /// Bytes.
    pub size: u64,
}

/// The acts whose forms name files.
const CARRIERS: &[Action] = &[
    Action::Proposal(P::Edit),
    Action::Proposal(P::ConsentCosign),
    Action::Proposal(P::Withdraw),
    Action::Proposal(P::GiveFeedback),
    Action::Proposal(P::CorrectFeedback),
    Action::Assignment(A::RequestReturn),
    Action::Assignment(A::RequestExtension),
    Action::Assignment(A::RequestPause),
    Action::Assignment(A::RecordContact),
    Action::Assignment(A::SubmitOpinion),
    Action::Reply(R::Draft),
    Action::Reply(R::Edit),
];

/// Whether the actor has a right, in whatever state, to an act that can take files along.
pub fn may_upload(case: &Case, actor: &Actor) -> Result<(), Refusal> {
    let rows = case
        .assignments
        .iter()
        .map(|row| Target::Assignment(row.id));
    let replies = case.replies.iter().map(|reply| Target::Reply(reply.id));
    let targets: Vec<_> = [Target::Proposal]
        .into_iter()
        .chain(rows)
        .chain(replies)
        .collect();
    let entitled = CARRIERS.iter().any(|action| {
        targets
            .iter()
            .any(|target| decide::entitled(case, actor, *target, *action).is_ok())
    });
    if entitled {
        return Ok(());
    }
    let mut needs: Vec<Who> = CARRIERS
        .iter()
        .flat_map(|action| rules_of(*action))
        .flat_map(|rule| rule.who)
        .copied()
        .collect();
    needs.sort_unstable();
    needs.dedup();
    Err(Refusal::NotAllowed { needs })
}

/// Whether the actor may read a file: staged, its uploader; bound, whoever may read the text that
/// it goes with. A file that a later version of a proposal's text left out is for those who may read
/// the earlier ones; one that a reply left out is for its uploader, staff and auditor.
pub fn may_read(case: &Case, id: AttachmentId, facts: &AttachmentFacts, actor: &Actor) -> bool {
    if !access::may_read(case, actor) || facts.status == AttachmentStatus::Incoming {
        return false;
    }
    if actor.user == Some(facts.uploader) {
        return true;
    }
    let Some(bound) = facts.bound else {
        return false;
    };
    match bound.kind {
        BoundKind::ProposalText => {
            case.proposal.form.attachment_ids.contains(&id) || access::may_read_texts(case, actor)
        }
        BoundKind::Consent | BoundKind::Contact => access::may_read_contacts(case, actor),
        BoundKind::CoOpinion => access::may_read_co_opinions(case, actor),
        BoundKind::Reply => case.reply(bound.id.cast()).is_some_and(|reply: &Reply| {
            access::may_read_reply(case, reply, actor)
                && (reply.form.attachment_ids.contains(&id) || watches(actor))
        }),
        BoundKind::OpinionForm => case.forms.iter().any(|form: &Form| {
            Some(form.rater) == bound.rater
                && form.reply.cast() == bound.id
                && access::may_read_form(case, form, actor)
        }),
        BoundKind::Request => case.requests.iter().any(|request| {
            request.id.cast() == bound.id && access::may_read_request(case, request, actor)
        }),
    }
}

fn watches(actor: &Actor) -> bool {
    actor.has(Role::CommitteeStaff) || actor.has(Role::Auditor)
}

/// Takes the files that a form names along with its text: each of this case, uploaded by the actor
/// or with this very text already, none twice, within the limits.
pub fn attach(step: &mut Step<'_>, ids: &[AttachmentId], to: Binding) -> Result<(), Refusal> {
    let most = step.env.profile.attachments_max_count;
    if ids.len() > most {
        return Err(Refusal::invalid(
            "/attachment_ids",
            "max_items",
            format!("最多 {most} 个附件。"),
            format!("At most {most} files."),
        ));
    }
    let mut seen = BTreeSet::new();
    Refusal::together(
        ids.iter()
            .enumerate()
            .map(|(index, id)| check(step, index, *id, seen.insert(*id), to)),
    )?;
    for id in ids {
        let bound = step.env.references.attachments.get(id);
        if bound.is_some_and(|facts| facts.bound.is_none()) {
            step.records.push(Record::Attachment { id: *id, to });
        }
    }
    Ok(())
}

fn check(
    step: &Step<'_>,
    index: usize,
    id: AttachmentId,
    first_time: bool,
    to: Binding,
) -> Result<(), Refusal> {
    let refuse = |code, zh: &'static str, en: &'static str| {
        Err(Refusal::invalid(
            format!("/attachment_ids/{index}"),
            code,
            zh,
            en,
        ))
    };
    if !first_time {
        return refuse(
            "duplicate",
            "同一附件不能重复。",
            "A file may stand here once.",
        );
    }
    let unknown = || {
        refuse(
            "unknown_attachment",
            "本案中没有可用的此附件。",
            "The case has no such file that could be used here.",
        )
    };
    let Some(facts) = step.env.references.attachments.get(&id) else {
        return unknown();
    };
    let same_case = facts.proposal == step.case.proposal.id;
    let own = step.actor.user == Some(facts.uploader);
    match (facts.status, facts.bound) {
        _ if !same_case => unknown(),
        (AttachmentStatus::Bound, Some(bound)) if bound == to => Ok(()),
        (AttachmentStatus::Bound, _) if own => refuse(
            "attachment_in_use",
            "该附件已附于其他文本，请重新上传。",
            "The file goes with another text already: upload it again.",
        ),
        (AttachmentStatus::Staged, None) if own => {
            if facts.size > max_bytes(step.env.profile) {
                return refuse(
                    "too_large",
                    "附件超过大小限制。",
                    "The file is larger than the profile allows.",
                );
            }
            Ok(())
        }
        // Somebody else's file is not known here.
        _ => unknown(),
    }
}

/// Whether the files of a form could be there at all: not before there is a case.
pub fn none_yet(ids: &[AttachmentId], base: &str) -> Result<(), Refusal> {
    if ids.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid(
        format!("{base}/attachment_ids"),
        "no_case_yet",
        "请先创建提案，再上传附件。",
        "Make the proposal first, then upload files to it.",
    ))
}
