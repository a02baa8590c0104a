//! E-mail: what a mail says, and the way to the mail server.

mod letter;
mod smtp;

use crate::code_list;

pub use letter::{Letter, Line, compose};
pub use smtp::{Mailer, Sent};

code_list! {
    /// The language of mails.
    pub enum Language {
        Chinese = "zh-CN", "简体中文", "Simplified Chinese";
        English = "en", "英文", "English";
    }
}

code_list! {
    /// What a mail tells of.
    pub enum MailKind {
        Act = "act", "即时通知", "what happened in one act";
        Digest = "digest", "每日汇总", "the digest of a day";
    }
}

code_list! {
    /// How far a mail is.
    pub enum MailStatus {
        Queued = "queued", "待发送", "waits to be sent";
        Sent = "sent", "已发送", "taken by the mail server";
        Bounced = "bounced", "被拒收", "refused by the mail server for good";
        Failed = "failed", "发送失败", "given up after many attempts";
        Dropped = "dropped", "不再发送", "not sent: the reader has no address any more";
    }
}
