//! Code lists of the cases: binding identifiers with their labels.

use crate::code_list;

code_list! {
    /// What a person or body is to a proposal.
    pub enum ProposerRole {
        First = "first", "第一提案人", "first proposer";
        Cosigner = "cosigner", "联名人", "co-signer";
        Seconder = "seconder", "附议人", "seconder";
    }
}

code_list! {
    /// How far a co-signer is.
    pub enum ConsentStatus {
        Invited = "invited", "待确认", "invited";
        Consented = "consented", "已同意", "consented";
        Declined = "declined", "已拒绝", "declined";
        Expired = "expired", "已过期", "expired";
        Stale = "stale", "待重新确认", "stale: the text changed";
        Dropped = "dropped", "未签剔除", "dropped: unsigned at filing";
    }
}

code_list! {
    /// Handed in inside the session window or not.
    pub enum SessionMark {
        Session = "session", "大会提案", "session proposal";
        Ordinary = "ordinary", "平时提案", "ordinary proposal";
    }
}

code_list! {
    /// Series of case numbers in a session: one for all, or ordinary proposals apart.
    pub enum CaseSeries {
        Main = "main", "提案", "proposals";
        Ordinary = "ordinary", "平时提案", "ordinary proposals";
    }
}

code_list! {
    /// The urgent lane.
    pub enum Urgency {
        Normal = "normal", "普通", "normal";
        Urgent = "urgent", "急办", "urgent";
    }
}

code_list! {
    /// Who may read a filed case.
    pub enum Secrecy {
        Open = "open", "公开", "open";
        Restricted = "restricted", "内部", "restricted";
        Secret = "secret", "涉密", "secret: the text is not accepted";
    }
}

code_list! {
    /// The steps of an examination.
    pub enum Stage {
        Preliminary = "preliminary", "初审", "preliminary";
        Second = "second", "复审", "second";
        Final = "final", "终审", "final";
    }
}

code_list! {
    /// What an examiner recommends.
    pub enum Recommendation {
        File = "file", "立案", "file";
        Merge = "merge", "并案", "merge";
        ReturnForRevision = "return_for_revision", "退回修改", "return for revision";
        NotFile = "not_file", "不予立案", "do not file";
    }
}

code_list! {
    /// The reporting scheme of classes "five spheres".
    pub enum SubjectClass {
        Economic = "economic", "经济建设", "economic";
        Political = "political", "政治建设", "political";
        Cultural = "cultural", "文化建设", "cultural";
        Social = "social", "社会建设", "social";
        Ecological = "ecological", "生态文明建设", "ecological";
        Other = "other", "其他", "other";
    }
}

code_list! {
    /// What becomes of a proposal that is not filed.
    pub enum Disposition {
        ConvertedToOpinion = "converted_to_opinion", "转为意见和建议", "converted to an opinion";
        SentForReference = "sent_for_reference", "转有关部门研究参考", "sent for reference";
        MemberLetter = "member_letter", "作为委员来信", "member's letter";
        ConvertedToPublicOpinionReport = "converted_to_public_opinion_report", "转社情民意信息", "converted to a public-opinion report";
        ForLeadersReference = "for_leaders_reference", "转领导参考", "for leaders' reference";
        ReferredUp = "referred_up", "转为上级政协提案", "referred up";
        Kept = "kept", "留存", "kept";
    }
}

code_list! {
    /// How units share a case in one round.
    pub enum HandlingKind {
        Sole = "sole", "独办", "sole";
        Joint = "joint", "会办", "joint";
        Separate = "separate", "分办", "separate";
    }
}

code_list! {
    /// What a unit is to a case.
    pub enum AssignmentRole {
        Lead = "lead", "主办", "lead";
        CoHandler = "co_handler", "会办(协办)", "co-handler";
        Separate = "separate", "分办", "separate";
        Reference = "reference", "参阅", "reference";
    }
}

impl AssignmentRole {
    /// Only lead and separate rows carry a reply (I6).
    pub const fn replies(self) -> bool {
        matches!(self, Self::Lead | Self::Separate)
    }
}

code_list! {
    /// How the proposer was contacted.
    pub enum ContactWay {
        Visit = "visit", "走访", "visit";
        FaceToFace = "face_to_face", "面商", "face to face";
        Symposium = "symposium", "座谈会", "symposium";
        OnSite = "on_site", "现场", "on site";
        Phone = "phone", "电话", "phone";
        Letter = "letter", "信函", "letter";
        Email = "email", "邮件", "e-mail";
        Online = "online", "网络", "online";
        None = "none", "未联系", "none";
    }
}

code_list! {
    /// What a reply comes to, best to worst.
    pub enum OutcomeMeaning {
        Resolved = "resolved", "已解决或基本解决", "resolved or basically resolved";
        ResolvedOtherwise = "resolved_otherwise", "另行解决", "resolved otherwise";
        PartiallyResolved = "partially_resolved", "部分解决", "partially resolved";
        InProgress = "in_progress", "正在解决", "in progress";
        Planned = "planned", "列入计划", "planned";
        DeferredByConditions = "deferred_by_conditions", "条件限制暂缓", "deferred by conditions";
        ForReference = "for_reference", "留作参考", "for reference";
        NotFeasible = "not_feasible", "不可行", "not feasible";
    }
}

impl OutcomeMeaning {
    /// Meanings whose reply must say why a suggestion is not adopted.
    pub const fn needs_reasons(self) -> bool {
        matches!(
            self,
            Self::DeferredByConditions | Self::ForReference | Self::NotFeasible
        )
    }
}

code_list! {
    /// A grade of satisfaction, on either axis.
    pub enum Grade {
        Satisfied = "satisfied", "满意", "satisfied";
        BasicallySatisfied = "basically_satisfied", "基本满意", "basically satisfied";
        Understanding = "understanding", "理解", "understanding";
        Reserved = "reserved", "保留", "reserved";
        NoView = "no_view", "未表态", "no view";
        Dissatisfied = "dissatisfied", "不满意", "dissatisfied";
    }
}

code_list! {
    /// Whether the reply met the point.
    pub enum Relevance {
        Addressed = "addressed", "针对", "addressed";
        Basically = "basically", "基本针对", "basically";
        NotAddressed = "not_addressed", "未针对", "not addressed";
    }
}

code_list! {
    /// Adoption as the proposer sees it.
    pub enum Adoption {
        Adopted = "adopted", "采纳", "adopted";
        Partially = "partially", "部分采纳", "partially adopted";
        NotSoon = "not_soon", "近期不能落实", "not soon";
        NotAdopted = "not_adopted", "未采纳", "not adopted";
    }
}

code_list! {
    /// The answer of a co-handler to a request to countersign.
    pub enum CountersignStatus {
        Requested = "requested", "待会签", "requested";
        Agree = "agree", "同意", "agree";
        AgreeWithRemarks = "agree_with_remarks", "同意(附意见)", "agree with remarks";
        Object = "object", "不同意", "object";
        Recalled = "recalled", "已撤回", "recalled: the text changed";
        Lapsed = "lapsed", "逾期视为同意", "lapsed: taken for agreement";
    }
}

code_list! {
    /// How far a promise is.
    pub enum PromiseStatus {
        Open = "open", "未落实", "open";
        Fulfilled = "fulfilled", "已落实", "fulfilled";
        Broken = "broken", "未兑现", "broken";
        Superseded = "superseded", "已被取代", "superseded";
        Released = "released", "已免除", "released";
    }
}

code_list! {
    /// How much of a part is published.
    pub enum PublicationLevel {
        None = "none", "不公开", "not published";
        Catalogue = "catalogue", "目录公开", "catalogue";
        Summary = "summary", "摘要公开", "summary";
        Full = "full", "全文公开", "full";
    }
}

code_list! {
    /// Where the matter of a proposal comes from.
    pub enum SourceKind {
        Research = "research", "调研", "research";
        Inspection = "inspection", "视察", "inspection";
        GrassrootsConsultation = "grassroots_consultation", "基层协商", "grassroots consultation";
        Clue = "clue", "线索", "clue";
        PublicOpinion = "public_opinion", "社情民意", "public opinion";
        Hotline = "hotline", "热线", "hotline";
        Visit = "visit", "走访", "visit";
        SectorLink = "sector_link", "联系界别", "link with a sector";
        CommunityLink = "community_link", "联系村居", "link with a community";
        EnterpriseLink = "enterprise_link", "联系企业项目", "link with an enterprise";
        Workroom = "workroom", "委员工作室", "members' workroom";
        Other = "other", "其他", "other";
    }
}

code_list! {
    /// The clocks of a case.
    pub enum ClockKind {
        K01 = "K01", "联名确认", "co-sign";
        K02 = "K02", "修改", "revision";
        K03 = "K03", "审查", "examination";
        K04 = "K04", "交办", "assignment";
        K05 = "K05", "申退期", "return window";
        K06 = "K06", "申退答复", "answer to a return request";
        K07 = "K07", "首次沟通", "first contact";
        K08 = "K08", "会办意见", "co-handler's opinion";
        K09 = "K09", "会签", "countersign";
        K10 = "K10", "答复", "reply";
        K11 = "K11", "答复审核", "reply review";
        K12 = "K12", "反馈", "feedback";
        K13 = "K13", "延期中止审批", "decision on a request";
        K14 = "K14", "撤案审批", "decision on a withdrawal";
        K15 = "K15", "承诺落实", "promise";
        K16 = "K16", "回头看", "look-back";
        K17 = "K17", "目录公开", "catalogue publication";
        K18 = "K18", "答复公开", "reply publication";
        K19 = "K19", "批示办理", "instruction";
        K20 = "K20", "告知与处置", "notice and disposition";
        K21 = "K21", "催办", "urging";
    }
}

code_list! {
    /// What somebody asks for on a case.
    pub enum RequestKind {
        Withdrawal = "withdrawal", "撤案申请", "withdrawal";
        Units = "units", "增加单位建议", "further units";
        Return = "return", "申退", "return of the case";
        Extension = "extension", "延期申请", "extension";
        Pause = "pause", "中止申请", "pause";
        Urgency = "urgency", "急办申请", "urgent handling";
        Key = "key", "重点提案推荐", "place in the programme";
    }
}

code_list! {
    /// How far a request is.
    pub enum RequestStatus {
        Open = "open", "待决定", "open";
        Granted = "granted", "已同意", "granted";
        Denied = "denied", "未同意", "denied";
        Lapsed = "lapsed", "已失效", "lapsed: what it was about ended";
    }
}

code_list! {
    /// Why the units of a case are changed.
    pub enum AdjustCause {
        UnitSuggestion = "unit_suggestion", "承办单位建议", "a unit suggested it";
        DisputeDecided = "dispute_decided", "争议裁定", "a dispute was decided";
        Reorganisation = "reorganisation", "机构改革", "reorganisation";
        GrantedReturn = "granted_return", "同意退办", "a return was granted";
        Correction = "correction", "交办更正", "the assignment was mistaken";
    }
}

code_list! {
    /// Why a case is handled again.
    pub enum RehandlingCause {
        Dissatisfied = "dissatisfied", "提案者不满意", "a rater is dissatisfied";
        Quality = "quality", "办理质量不达标", "the quality check failed";
    }
}

code_list! {
    /// Form of a consultation on a case.
    pub enum ConsultationForm {
        FaceToFaceMeeting = "face_to_face_meeting", "面商会", "face-to-face meeting after the last round";
        SpecialExplanation = "special_explanation", "专门解释", "special explanation after the last round";
        ProposalHandling = "proposal_handling", "提案办理协商", "consultation on the handling";
        Topical = "topical", "专题协商", "topical";
        Counterpart = "counterpart", "对口协商", "counterpart";
        Sector = "sector", "界别协商", "sector";
        Monthly = "monthly", "月协商", "monthly";
        Bimonthly = "bimonthly", "双月协商座谈", "bimonthly";
        Quarterly = "quarterly", "季度协商", "quarterly";
        Grassroots = "grassroots", "小微协商", "grass-roots";
        BeforeFiling = "before_filing", "案前协商", "before filing";
    }
}

impl ConsultationForm {
    /// Meetings that end the matter once no further round is left.
    pub const fn ends_rehandling(self) -> bool {
        matches!(self, Self::FaceToFaceMeeting | Self::SpecialExplanation)
    }
}

code_list! {
    /// Place of a case in the yearly programme.
    pub enum ProgrammeTier {
        No1 = "no_1", "1号提案", "No. 1 proposal";
        Key = "key", "重点提案", "key proposal";
        Practical = "practical", "实事提案", "practical-matter proposal";
        Other = "other", "其他(N)", "other";
    }
}

code_list! {
    /// How cases hang together without being merged.
    pub enum LinkKind {
        HandledTogether = "handled_together", "合并办理", "handled together";
        RepeatOf = "repeat_of", "重复提案", "repeat of an earlier case";
    }
}

code_list! {
    /// How a case of the programme is driven.
    pub enum DrivingMode {
        LeaderSupervision = "leader_supervision", "领导督办", "led by a leader";
        JointDepartments = "joint_departments", "部门联办", "departments jointly";
        ConsultationHandling = "consultation_handling", "协商会办", "by consultation";
    }
}

code_list! {
    /// How an open promise ends when tracking stops (I27).
    pub enum PromiseVerdict {
        Superseded = "superseded", "已被取代", "superseded";
        Broken = "broken", "未兑现", "broken";
        Released = "released", "已免除", "released";
    }
}

impl PromiseVerdict {
    /// The status of the promise afterwards.
    pub const fn status(self) -> PromiseStatus {
        match self {
            Self::Superseded => PromiseStatus::Superseded,
            Self::Broken => PromiseStatus::Broken,
            Self::Released => PromiseStatus::Released,
        }
    }
}

code_list! {
    /// A part of a case that is published on its own.
    pub enum PublishedPart {
        Text = "text", "文本", "the text";
        Replies = "replies", "答复", "the replies";
    }
}

code_list! {
    /// What an entry of the follow-up of a case is.
    pub enum FollowUpKind {
        TrackingStarted = "tracking_started", "列入跟踪办理", "tracking started";
        Progress = "progress", "进展报告", "progress report";
        Fulfilment = "fulfilment", "承诺落实确认", "promise confirmed as fulfilled";
        Verdict = "verdict", "承诺事项结论", "verdict on a promise";
        TrackingStopped = "tracking_stopped", "结束跟踪办理", "tracking stopped";
        Supervision = "supervision", "督办记录", "supervision";
        Commitment = "commitment", "督办承诺", "commitment made under supervision";
        Urging = "urging", "催办", "urging";
        Instruction = "instruction", "领导批示", "leader's instruction";
        LookBack = "look_back", "回头看", "look-back";
    }
}

code_list! {
    /// How far an entry of the follow-up is.
    pub enum FollowUpStatus {
        Recorded = "recorded", "已记录", "on record";
        Open = "open", "待答复", "waits for an answer";
        Answered = "answered", "已答复", "answered";
    }
}

code_list! {
    /// Where a case is sent.
    pub enum ReferralDirection {
        Up = "up", "上报", "up";
        Down = "down", "下转", "down";
    }
}

code_list! {
    /// How far a referral is.
    pub enum ReferralStatus {
        Sent = "sent", "已转送", "sent";
        Accepted = "accepted", "已接收", "accepted";
        Rejected = "rejected", "已退回", "rejected";
        ForReference = "sent_for_reference", "转参考", "taken for reference";
        Recalled = "recalled", "已撤回", "recalled";
    }
}

code_list! {
    /// How the handling of a case is supervised.
    pub enum SupervisionMode {
        Inspection = "inspection", "视察", "inspection";
        Investigation = "investigation", "调研", "investigation";
        ConsultationMeeting = "consultation_meeting", "办理协商会", "consultation meeting";
        Briefing = "briefing", "通报", "briefing";
        DepartmentVisit = "department_visit", "走访承办单位", "visit to the unit";
        OnSiteHandling = "on_site_handling", "现场办理", "handling on site";
        Symposium = "symposium", "座谈", "symposium";
        PhoneOrLetterUrging = "phone_or_letter_urging", "电话或发函催办", "urging by telephone or letter";
        DocumentUrging = "document_urging", "下发文件催办", "urging by a document";
        LeaderLead = "leader_lead", "领衔督办", "led by a leader";
        DemocraticAppraisal = "democratic_appraisal", "民主评议", "democratic appraisal";
        Media = "media", "媒体监督/问政", "media";
        JointLevel = "joint_level", "上下联动督办", "joint with another level";
        SpecialReport = "special_report", "重要提案专报", "special report";
        ThirdParty = "third_party", "第三方评估", "third-party evaluation";
        LookBack = "look_back", "回头看/回访", "look-back";
        PublicOpinion = "public_opinion", "社情民意监督", "public opinion";
    }
}

code_list! {
    /// How a leader deals with a document.
    pub enum InstructionKind {
        Instruction = "instruction", "批示", "instruction";
        SignOff = "sign_off", "签批", "sign-off";
        CircleRead = "circle_read", "圈阅", "read and circled";
        Reading = "reading", "阅批", "read with remarks";
    }
}
