//! The statuses and actions of a proposal.

use crate::code_list;

code_list! {
    /// Statuses of a proposal.
    pub enum ProposalStatus {
        Draft = "draft", "草稿", "draft";
        Submitted = "submitted", "已提交(审查中)", "submitted, under examination";
        Returned = "returned", "退回修改", "returned for revision";
        Filed = "filed", "已立案", "filed";
        NotFiled = "not_filed", "不予立案", "not filed";
        Merged = "merged", "已并案", "merged";
        Withdrawn = "withdrawn", "已撤案", "withdrawn";
        Assigned = "assigned", "已交办(办理中)", "assigned, in handling";
        Handled = "handled", "已办复", "handled";
        Feedback = "feedback", "已反馈", "feedback received";
        Closed = "closed", "已办结", "closed";
    }
}

impl ProposalStatus {
    /// Statuses that nothing but an exception leaves (I36).
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::NotFiled | Self::Merged | Self::Withdrawn | Self::Closed
        )
    }
}

code_list! {
    /// Actions on a proposal.
    pub enum ProposalAction {
        Create = "create", "新建", "create";
        Edit = "edit", "修改", "edit";
        InviteCosigners = "invite_cosigners", "邀请联名", "invite co-signers";
        ConsentCosign = "consent_cosign", "同意联名", "consent to sign";
        DeclineCosign = "decline_cosign", "拒绝联名", "decline to sign";
        Submit = "submit", "提交", "submit";
        Recall = "recall", "撤回", "recall";
        Withdraw = "withdraw", "撤案", "withdraw";
        ReturnForRevision = "return_for_revision", "退回修改", "return for revision";
        Examine = "examine", "审查", "examine";
        File = "file", "立案", "file";
        NotFile = "not_file", "不予立案", "refuse to file";
        Assign = "assign", "交办", "assign";
        CompleteHandling = "complete_handling", "办复", "complete handling";
        GiveFeedback = "give_feedback", "反馈", "give feedback";
        ConcludeFeedback = "conclude_feedback", "反馈完成", "conclude feedback";
        Close = "close", "办结", "close";
        Second = "second", "附议", "second";
        ExpireInvitations = "expire_invitations", "联名邀请过期", "let invitations run out";
        ApproveWithdrawal = "approve_withdrawal", "同意撤案", "approve the withdrawal";
        RejectWithdrawal = "reject_withdrawal", "不同意撤案", "reject the withdrawal";
        CarryOutDisposition = "carry_out_disposition", "办理处置", "carry out the disposition";
        Merge = "merge", "并案", "merge";
        Unmerge = "unmerge", "撤销并案", "unmerge";
        AdjustUnits = "adjust_units", "调整承办单位", "adjust the units";
        CorrectFeedback = "correct_feedback", "更正反馈", "correct feedback";
        ExcuseRater = "excuse_rater", "免予反馈", "excuse a rater";
        Rehandle = "rehandle", "重新办理", "handle again";
        WaiveRehandling = "waive_rehandling", "放弃重办", "give up re-handling";
        RecordConsultation = "record_consultation", "登记协商", "record a consultation";
        ReviewPublication = "review_publication", "公开审核", "review the publication";
        Reopen = "reopen", "再办", "reopen";
        SetSecrecy = "set_secrecy", "设定密级", "set the secrecy";
        Archive = "archive", "归档", "archive";
        LinkCases = "link_cases", "关联提案", "link cases";
        RequestUrgency = "request_urgency", "申请急办", "ask for the urgent lane";
        MarkUrgent = "mark_urgent", "列为急办", "mark as urgent";
        RefuseUrgency = "refuse_urgency", "不列为急办", "refuse the urgent lane";
        DowngradeUrgency = "downgrade_urgency", "转为普通", "downgrade from urgent";
        NominateKey = "nominate_key", "推荐重点提案", "nominate as key";
        DesignateKey = "designate_key", "确定重点提案", "designate as key";
        ReleaseKey = "release_key", "取消重点提案", "release from the programme";
        Publish = "publish", "公开", "publish";
        Unpublish = "unpublish", "撤下公开", "unpublish";
        StartTracking = "start_tracking", "列入跟踪办理", "start tracking";
        ReportProgress = "report_progress", "报告进展", "report progress";
        FulfilPromise = "fulfil_promise", "确认承诺落实", "confirm that a promise was kept";
        StopTracking = "stop_tracking", "结束跟踪办理", "stop tracking";
        Supervise = "supervise", "督办", "supervise";
        Urge = "urge", "催办", "urge";
        AcknowledgeUrging = "acknowledge_urging", "答复催办", "answer an urging";
        Instruct = "instruct", "批示", "instruct";
        AnswerInstruction = "answer_instruction", "反馈批示办理情况", "give feedback on an instruction";
        RecordLookBack = "record_look_back", "登记回头看", "record a look-back";
        RecountClock = "recount_clock", "按新日历重算期限", "count a clock anew on a new calendar";
        OpenLookBack = "open_look_back", "启动回头看", "open the yearly look-back";
        ReferUp = "refer_up", "上报", "refer to the committee above";
        ReferDown = "refer_down", "下转", "refer to a committee below";
        NoteReferralAnswer = "note_referral_answer", "登记转报转办答复", "note the answer to a referral";
        ReceiveReferralAnswer = "receive_referral_answer", "收到转报转办答复", "receive the answer to a referral";
        RecallReferral = "recall_referral", "撤回转报转办", "recall a referral";
    }
}
