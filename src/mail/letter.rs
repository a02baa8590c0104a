//! What a mail says: subject, text and HTML, in the language of its reader. Whatever people wrote
//! is escaped in HTML and cannot break a header.

use std::fmt::Write;

use super::{Language, MailKind};
use crate::workflow::topics::{Group, Headline};

/// Longest subject in characters.
const LONGEST_SUBJECT: usize = 120;

/// A mail as its reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Subject.
    pub subject: String,
    /// As text.
    pub text: String,
    /// As HTML.
    pub html: String,
}

/// One message of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its group.
    pub group: Group,
    /// What it says.
    pub headline: Headline,
    /// Where to look.
    pub link: String,
}

struct Words {
    greeting: &'static str,
    digest: &'static str,
    more: &'static str,
    foot: &'static str,
    lang: &'static str,
}

const fn words(language: Language) -> Words {
    match language {
        Language::Chinese => Words {
            greeting: "您好，",
            digest: "提案办理每日汇总",
            more: "其余事项请登录系统查看，共",
            foot: "本邮件由系统自动发送，请勿直接回复。通知方式可在系统的通知设置中更改。",
            lang: "zh-CN",
        },
        Language::English => Words {
            greeting: "Hello ",
            digest: "Daily digest of proposals",
            more: "More waits in your inbox, in all",
            foot: "This mail was sent automatically; please do not answer it. How you are told can be changed in your notification settings.",
            lang: "en",
        },
    }
}

/// Makes a mail of messages; `total` may be more than there are lines.
pub fn compose(
    kind: MailKind,
    language: Language,
    reader: &str,
    lines: &[Line],
    total: usize,
) -> Letter {
    let words = words(language);
    let say = |headline: &Headline| match language {
        Language::Chinese => headline.zh.clone(),
        Language::English => headline.en.clone(),
    };
    let subject = match (kind, lines.first()) {
        (MailKind::Act, Some(first)) => say(&first.headline),
        _ => format!("{} ({total})", words.digest),
    };
    let greeting = match language {
        Language::Chinese => format!("{reader}，{}", words.greeting.trim_end_matches('，')),
        Language::English => format!("{}{reader},", words.greeting),
    };
    let (mut text, mut html) = (String::new(), String::new());
    // Writing to a String cannot fail.
    let _ = write!(text, "{greeting}\n\n");
    let _ = write!(
        html,
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title></head><body><p>{}</p>",
        words.lang,
        escape(&subject),
        escape(&greeting)
    );
    for group in Group::ALL {
        let mut own = lines.iter().filter(|line| line.group == *group).peekable();
        if own.peek().is_none() {
            continue;
        }
        if kind == MailKind::Digest {
            let label = match language {
                Language::Chinese => group.label().zh,
                Language::English => group.label().en,
            };
            let _ = write!(text, "{label}\n\n");
            let _ = write!(html, "<h2>{}</h2>", escape(label));
        }
        html.push_str("<ul>");
        for line in own {
            let said = say(&line.headline);
            let _ = write!(text, "- {}\n  {}\n", one_line(&said), line.link);
            let _ = write!(
                html,
                "<li><a href=\"{}\">{}</a></li>",
                escape(&line.link),
                escape(&said)
            );
        }
        text.push('\n');
        html.push_str("</ul>");
    }
    if total > lines.len() {
        let _ = write!(text, "{} {total}\n\n", words.more);
        let _ = write!(html, "<p>{} {total}</p>", words.more);
    }
    let _ = writeln!(text, "--\n{}", words.foot);
    let _ = write!(
        html,
        "<hr><p><small>{}</small></p></body></html>",
        words.foot
    );
    let subject: String = one_line(&subject).chars().take(LONGEST_SUBJECT).collect();
    Letter {
        subject,
        text,
        html,
    }
}

/// Without anything that ends a line.
fn one_line(text: &str) -> String {
    text.split(char::is_control)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// For a place between tags, or in an attribute with quotes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            char => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(title: &str) -> Line {
        Line {
            group: Group::Decision,
            headline: Headline {
                zh: format!("提案已立案：《{title}》"),
                en: format!("A proposal was filed: {title}"),
            },
            link: "https://example.cn/case?id=1&x=\"2\"".to_owned(),
        }
    }

    #[test]
    fn what_people_wrote_is_escaped_and_breaks_no_header() {
        let nasty = "<script>alert('1')</script>\r\nBcc: x@y.cn";
        let letter = compose(MailKind::Act, Language::Chinese, "<周>", &[line(nasty)], 1);
        assert!(!letter.html.contains("<script>"), "{}", letter.html);
        assert!(!letter.html.contains("<周>"));
        assert!(letter.html.contains("&lt;script&gt;"));
        assert!(letter.html.contains("&amp;x=&quot;2&quot;"));
        assert!(!letter.subject.contains(['\r', '\n']), "{}", letter.subject);
        assert!(letter.subject.starts_with("提案已立案"));
    }

    #[test]
    fn a_digest_counts_and_groups() {
        let lines = vec![line("甲"), line("乙")];
        let letter = compose(MailKind::Digest, Language::English, "Lin Tao", &lines, 40);
        assert_eq!(letter.subject, "Daily digest of proposals (40)");
        assert!(letter.text.starts_with("Hello Lin Tao,"));
        assert!(letter.text.contains("examination and decisions"));
        assert!(letter.text.contains("in all 40"));
        assert_eq!(letter.html.matches("<li>").count(), 2);
    }
}
