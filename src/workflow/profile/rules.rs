//! Rules across the keys of a profile, which no schema can express.

use super::super::codes::{Grade, OutcomeMeaning};
use super::super::deadline::{Limit, Unit};
use super::super::refusal::Wrong;
use super::Profile;
use crate::error::Message;

/// Days of a limit, for comparisons: a month has 30, five working days make a week.
const fn about_days(limit: Limit) -> u32 {
    match limit.unit {
        Unit::Hours => limit.amount.div_ceil(24),
        Unit::CalendarDays => limit.amount,
        Unit::WorkingDays => limit.amount.saturating_mul(7).div_ceil(5),
        Unit::Months => limit.amount.saturating_mul(30),
    }
}

/// Collects what is wrong.
struct Found(Vec<Wrong>);

impl Found {
    /// A rule about a key; `inside` is a part of its value, such as `/max`.
    fn rule(
        &mut self,
        holds: bool,
        key: &str,
        inside: &str,
        code: &'static str,
        zh: &str,
        en: &str,
    ) {
        if !holds {
            self.0.push(Wrong {
                pointer: format!("/{key}{inside}"),
                code,
                message: Message::new(zh.to_owned(), en.to_owned()),
            });
        }
    }
}

impl Profile {
    /// Everything that does not fit together; empty for a profile that may be used. Pointers
    /// start at the settings.
    pub fn wrongs(&self) -> Vec<Wrong> {
        let mut found = Found(Vec::new());
        self.check_texts(&mut found);
        self.check_time(&mut found);
        self.check_dates(&mut found);
        self.check_grades(&mut found);
        self.check_reminders(&mut found);
        for meaning in OutcomeMeaning::ALL {
            found.rule(
                self.outcome_scheme.contains_key(meaning),
                "outcome.scheme",
                &format!("/{meaning}"),
                "required",
                "每种办理结果须对应一个字母。",
                "Every outcome has exactly one letter.",
            );
        }
        found.0
    }

    fn check_reminders(&self, found: &mut Found) {
        found.rule(
            self.reminder_steps.is_sorted_by(|a, b| a > b),
            "reminder.steps_working_days",
            "",
            "order",
            "须由多到少，不能重复。",
            "The most first, none twice.",
        );
    }

    fn check_texts(&self, found: &mut Found) {
        for (length, key) in [
            (self.title_max_chars, "text.title_max_chars"),
            (self.part_max_chars, "text.part_max_chars"),
            (self.total_advice_chars, "text.total_advice_chars"),
        ] {
            found.rule(
                length <= self.total_max_chars,
                key,
                "",
                "order",
                "不能大于全文最多字数 text.total_max_chars。",
                "Not above text.total_max_chars.",
            );
        }
        found.rule(
            self.clue_chars.min <= self.clue_chars.max,
            "clue.chars",
            "/max",
            "order",
            "不能小于最少字数。",
            "Not below the shortest.",
        );
    }

    fn check_time(&self, found: &mut Found) {
        let cap = self.extension_max_months.saturating_mul(30);
        for (limit, key) in [
            (self.reply_session, "reply.limit.session"),
            (self.reply_ordinary, "reply.limit.ordinary"),
            (self.reply_urgent, "urgent.reply_days"),
            (self.rehandling_limit, "rehandling.limit"),
        ] {
            found.rule(
                about_days(limit) <= cap,
                key,
                "",
                "order",
                "不能长于 extension.max_months_total（每月按 30 日计）。",
                "Not longer than extension.max_months_total (a month counts 30 days).",
            );
        }
        found.rule(
            self.pause_max_days <= cap,
            "pause.max_days_total",
            "",
            "order",
            "不能长于 extension.max_months_total（每月按 30 日计）。",
            "Not longer than extension.max_months_total (a month counts 30 days).",
        );
    }

    fn check_dates(&self, found: &mut Found) {
        let Some(last) = self.reply_fixed_date else {
            return;
        };
        for (date, key) in [
            (self.reply_party_priority_date, "reply.party_priority_date"),
            (self.reply_key_fixed_date, "reply.key_fixed_date"),
        ] {
            found.rule(
                date.is_none_or(|date| date <= last),
                key,
                "",
                "order",
                "不能晚于 reply.fixed_date。",
                "Not after reply.fixed_date.",
            );
        }
    }

    fn check_grades(&self, found: &mut Found) {
        for (scale, key) in [
            (&self.scale_attitude, "feedback.scale_attitude"),
            (&self.scale_result, "feedback.scale_result"),
        ] {
            found.rule(
                scale.contains(&Grade::Satisfied) && scale.contains(&Grade::Dissatisfied),
                key,
                "",
                "incomplete",
                "须有“满意”和“不满意”。",
                "It must have satisfied and dissatisfied.",
            );
        }
        for (place, grade) in self.rehandling_trigger.iter().enumerate() {
            found.rule(
                self.scale_attitude.contains(grade) || self.scale_result.contains(grade),
                "rehandling.trigger",
                &format!("/{place}"),
                "not_in_scale",
                "评价等次中没有这一项。",
                "This grade is on neither scale.",
            );
        }
    }
}
