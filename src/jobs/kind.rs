//! Which kinds of work there are, in which lane each waits, and how patiently it is tried again.

use jiff::SignedDuration;

use crate::code_list;

code_list! {
    /// What a job does.
    pub enum JobKind {
        WakeCase = "wake_case", "期限处理", "do what time alone does to a case";
        Digest = "digest", "每日汇总", "make the digests of a day";
        SendMail = "send_mail", "发送邮件", "send a mail";
        ServeWebhook = "serve_webhook", "投递通知", "deliver what happened to a subscription";
        RecountClocks = "recount_clocks", "重算期限", "count open clocks anew on a new calendar";
        SweepKeys = "sweep_keys", "清理幂等键", "remove the stored answers of old idempotency keys";
        SweepInboxes = "sweep_inboxes", "清理通知", "remove messages that were read long ago";
        SweepSignIns = "sweep_sign_ins", "清理登录记录", "forget refused sign-ins and the tokens of old ones";
        SealAudit = "seal_audit", "封存审计日志", "seal the audit trail";
        CheckAudit = "check_audit", "核验审计日志", "check the audit trail, as an auditor asked";
    }
}

code_list! {
    /// A queue with workers of its own, so that slow work holds up nothing else.
    pub enum Lane {
        Cases = "cases", "提案", "cases";
        Mail = "mail", "邮件", "mail";
        Webhooks = "webhooks", "外部通知", "webhooks";
        Chores = "chores", "日常维护", "chores";
    }
}

code_list! {
    /// Where a job stands.
    pub enum JobState {
        Waiting = "waiting", "等待", "waits for its moment or for a worker";
        Running = "running", "执行中", "a worker has it";
        Dead = "dead", "已放弃", "given up after its last attempt: waits for a person";
    }
}

/// How a kind of work is tried again after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Pauses after the first, second … failure, in seconds. After the last the job is given up
    /// and waits for a person.
    pub pauses: &'static [i64],
}

/// For work that only needs the database: about four hours.
const PATIENT: Retry = Retry {
    pauses: &[5, 30, 120, 600, 1800, 3600, 7200],
};

/// For a server that may be away for a day: about two days.
const STUBBORN: Retry = Retry {
    pauses: &[30, 120, 600, 1800, 3600, 14_400, 36_000, 86_400],
};

impl JobKind {
    /// Where it waits.
    pub const fn lane(self) -> Lane {
        match self {
            Self::WakeCase => Lane::Cases,
            Self::Digest | Self::SendMail => Lane::Mail,
            Self::RecountClocks
            | Self::SweepKeys
            | Self::SweepInboxes
            | Self::SweepSignIns
            | Self::SealAudit
            | Self::CheckAudit => Lane::Chores,
            Self::ServeWebhook => Lane::Webhooks,
        }
    }

    /// How it is tried again.
    pub const fn retry(self) -> Retry {
        match self {
            Self::WakeCase
            | Self::Digest
            | Self::RecountClocks
            | Self::SweepKeys
            | Self::SweepInboxes
            | Self::SweepSignIns
            | Self::SealAudit
            | Self::CheckAudit
            | Self::ServeWebhook => PATIENT,
            Self::SendMail => STUBBORN,
        }
    }

    /// The least time for which a worker holds it before another one may take it over; the
    /// setting `jobs.lease_seconds` may give more.
    pub const fn lease(self) -> SignedDuration {
        match self {
            Self::WakeCase
            | Self::Digest
            | Self::RecountClocks
            | Self::SweepKeys
            | Self::SweepInboxes
            | Self::SweepSignIns => SignedDuration::from_secs(1),
            // Longer than the longest patience with a mail server.
            Self::SendMail => SignedDuration::from_secs(300),
            // Longer than the longest time that an attempt may take, and than a piece of the trail on
            // a slow machine.
            Self::ServeWebhook | Self::SealAudit | Self::CheckAudit => {
                SignedDuration::from_secs(120)
            }
        }
    }
}

impl Lane {
    /// Jobs of the lane that one process works on at a time.
    pub const fn width(self) -> usize {
        match self {
            Self::Cases => 32,
            Self::Mail => 8,
            // They mostly wait for others, without holding anything.
            Self::Webhooks => 64,
            Self::Chores => 1,
        }
    }
}

impl Retry {
    /// How often the work is tried before it is given up.
    pub fn attempts(self) -> i32 {
        i32::try_from(self.pauses.len() + 1).unwrap_or(i32::MAX)
    }

    /// The pause after the `attempts`-th failure, with a spread of a fifth so that jobs that
    /// failed together do not come back together; `None`: give up.
    pub fn pause(self, attempts: i32, spread: u64) -> Option<SignedDuration> {
        let index = usize::try_from(attempts).ok()?.checked_sub(1)?;
        let seconds = *self.pauses.get(index)?;
        let millis = seconds.saturating_mul(1000);
        let extra = i64::try_from(spread % 200).unwrap_or(0) * millis / 1000;
        Some(SignedDuration::from_millis(millis.saturating_add(extra)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        for kind in JobKind::ALL {
            let retry = kind.retry();
            assert!(retry.pauses.is_sorted(), "{kind}");
            let last = i32::try_from(retry.pauses.len()).expect("few");
            assert_eq!(retry.attempts(), last + 1);
            assert_eq!(retry.pause(0, 0), None);
            assert_eq!(
                retry.pause(1, 0),
                Some(SignedDuration::from_secs(retry.pauses[0]))
            );
            assert!(retry.pause(1, 199) < retry.pause(2, 0), "{kind}");
            assert_eq!(retry.pause(last + 1, 0), None);
        }
    }
}
