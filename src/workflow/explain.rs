//! How the due date of a clock came about, day by day: rule, steps, pauses and extensions (domain
//! 4.4). It replays what the clock stores and nothing else (I24).

use jiff::civil::Date;
use serde_json::Value;

use super::calendar::{Calendar, days_between};
use super::case::{Case, Clock, ClockChange};
use super::codes::{ClockKind, RequestKind, RequestStatus, SessionMark, Urgency};
use super::deadline::{
    self, Due, Explanation, Limit, Pause, Step, Verdict, end_of_day, local_date,
};
use super::profile::Profile;
use super::profile::keys::{KEYS, Key};
use crate::code_list;
use crate::codes::Label;
use crate::ids::UnitId;

#[cfg(test)]
mod tests;

code_list! {
    /// What a step of an explanation says of its day.
    pub enum DayVerdict {
        Start = "start", "起算日，不计入", "the starting day, not counted";
        Counted = "counted", "计入", "counted";
        Weekend = "weekend", "周末，不计", "weekend, not counted";
        Holiday = "holiday", "节假日，不计", "holiday, not counted";
        MakeupWorkday = "makeup_workday", "调休上班，计入", "make-up working day, counted";
        Paused = "paused", "中止期间，不计", "paused, not counted";
        Rolled = "rolled", "顺延至此工作日", "rolled on to this working day";
        Fixed = "fixed", "规定的截止日", "a date that was set";
        Extended = "extended", "延期至此日", "extended to this day";
    }
}

/// A step of an explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedDay {
    /// The local day that was looked at, or that a jump reached.
    pub date: Date,
    /// What it means.
    pub verdict: DayVerdict,
    /// Units counted so far, where one was counted.
    pub n: Option<u32>,
    /// Name of the holiday.
    pub name: Option<String>,
    /// Days that a pause took.
    pub days: Option<i64>,
}

impl ExplainedDay {
    const fn new(date: Date, verdict: DayVerdict) -> Self {
        Self {
            date,
            verdict,
            n: None,
            name: None,
            days: None,
        }
    }
}

impl From<Step> for ExplainedDay {
    fn from(step: Step) -> Self {
        let of = |verdict| Self::new(step.date, verdict);
        match step.verdict {
            Verdict::Start => of(DayVerdict::Start),
            Verdict::Counted { n } => Self {
                n: Some(n),
                ..of(DayVerdict::Counted)
            },
            Verdict::Weekend => of(DayVerdict::Weekend),
            Verdict::Holiday { name } => Self {
                name: Some(name),
                ..of(DayVerdict::Holiday)
            },
            Verdict::MakeupWorkday { n } => Self {
                n: Some(n),
                ..of(DayVerdict::MakeupWorkday)
            },
            Verdict::Paused { days } => Self {
                days: Some(days),
                ..of(DayVerdict::Paused)
            },
            Verdict::Rolled => of(DayVerdict::Rolled),
        }
    }
}

/// A count from start to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// Days and jumps, in order; the last one is the last day of the period.
    pub days: Vec<ExplainedDay>,
    /// Steps left out because there were too many.
    pub omitted: usize,
    /// The end.
    pub due: Due,
}

impl From<Explanation> for Count {
    fn from(told: Explanation) -> Self {
        Self {
            days: told.steps.into_iter().map(Into::into).collect(),
            omitted: told.omitted_steps,
            due: told.due,
        }
    }
}

/// Counts a clock anew with a calendar, step by step. With the calendar that the clock names the
/// end is its due moment.
pub fn count(clock: &Clock, calendar: &Calendar) -> Count {
    let mut parts = clock
        .changes
        .split(|change| matches!(change, ClockChange::Extended { .. }))
        .map(pauses);
    let first = parts.next().unwrap_or_default();
    let mut told = base(clock, &first, calendar);
    let extensions = clock.changes.iter().filter_map(|change| match change {
        ClockChange::Extended { decided_on, until } => Some((*decided_on, *until)),
        _ => None,
    });
    for ((decided_on, until), pauses) in extensions.zip(parts) {
        told.days
            .push(ExplainedDay::new(until, DayVerdict::Extended));
        told.due = add_pauses(&mut told.days, decided_on, until, &pauses, calendar);
    }
    told
}

fn pauses(changes: &[ClockChange]) -> Vec<Pause> {
    changes
        .iter()
        .filter_map(|change| match change {
            ClockChange::Paused { from, until, .. } => Some(Pause {
                from: *from,
                until: Some(*until),
            }),
            _ => None,
        })
        .collect()
}

fn base(clock: &Clock, pauses: &[Pause], calendar: &Calendar) -> Count {
    let start = local_date(clock.started_at);
    let fixed = clock
        .limit
        .strip_prefix("until ")
        .map(|date| date.parse().unwrap_or(start));
    if let Some(last) = fixed {
        let mut days = vec![
            ExplainedDay::new(start, DayVerdict::Start),
            ExplainedDay::new(last, DayVerdict::Fixed),
        ];
        let due = add_pauses(&mut days, start, last, pauses, calendar);
        return Count {
            days,
            omitted: 0,
            due,
        };
    }
    match clock.limit.parse::<Limit>() {
        Ok(limit) => deadline::explain(clock.started_at, limit, pauses, calendar).into(),
        // A limit that cannot be read ended at once.
        Err(_) => Count {
            days: vec![ExplainedDay::new(start, DayVerdict::Start)],
            omitted: 0,
            due: Due {
                at: clock.due_at,
                provisional: clock.provisional,
            },
        },
    }
}

/// The days that pauses add to a date that was set, then rolling; the end.
fn add_pauses(
    days: &mut Vec<ExplainedDay>,
    set_on: Date,
    last: Date,
    pauses: &[Pause],
    calendar: &Calendar,
) -> Due {
    if pauses.is_empty() {
        return deadline::fixed(last);
    }
    let length = u32::try_from(days_between(set_on, last)).unwrap_or(0);
    let start = end_of_day(set_on) - jiff::SignedDuration::from_secs(1);
    let told = deadline::explain(start, Limit::cd(length), pauses, calendar);
    // Start and jump to the date are told already.
    days.extend(told.steps.into_iter().skip(2).map(ExplainedDay::from));
    told.due
}

/// What a clock's limit comes from: a key of the profile, or words where it is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The key.
    pub key: Option<&'static str>,
    /// What it means.
    pub label: Label,
}

/// Where the limit of a clock comes from, by the profile that was in force at its start.
pub fn origin(case: &Case, clock: &Clock, profile: &Profile) -> Origin {
    let settings = profile.settings();
    let keys = candidates(case, clock);
    let matching = keys.iter().find(|key| {
        settings
            .get(**key)
            .is_some_and(|value| says(value, key, &clock.limit))
    });
    let key = matching.and_then(|name| KEYS.iter().find(|key| key.name == *name));
    if let Some(Key { name, label }) = key {
        return Origin {
            key: Some(name),
            label: *label,
        };
    }
    let (zh, en) = other_origin(clock.kind);
    Origin {
        key: None,
        label: Label { zh, en },
    }
}

/// The keys that a limit may come from, the likeliest first.
fn candidates(case: &Case, clock: &Clock) -> Vec<&'static str> {
    let session = case.proposal.session_mark == Some(SessionMark::Session);
    let urgent = case.proposal.urgency == Urgency::Urgent;
    let again = case
        .assignment(clock.subject.cast())
        .is_some_and(|row| row.round > 1);
    match clock.kind {
        ClockKind::K01 => vec![
            "cosign.limit_in_session_hours",
            "cosign.limit_ordinary_hours",
        ],
        ClockKind::K02 => vec!["revision.limit"],
        ClockKind::K03 => vec!["urgent.examination_hours", "examination.limit_ordinary"],
        ClockKind::K04 => vec![
            "urgent.assignment_hours",
            "assignment.meeting_within_days",
            "assignment.ordinary_limit",
        ],
        ClockKind::K05 => vec!["return.window"],
        ClockKind::K06 => vec!["return.answer_limit"],
        ClockKind::K07 => vec!["contact.first_limit"],
        ClockKind::K08 | ClockKind::K10 if again => vec!["rehandling.limit"],
        ClockKind::K08 => vec!["opinion.limit"],
        ClockKind::K09 => vec!["countersign.limit"],
        ClockKind::K10 => {
            let (likely, other) = if session {
                ("reply.limit.session", "reply.limit.ordinary")
            } else {
                ("reply.limit.ordinary", "reply.limit.session")
            };
            let computed = if urgent {
                ["urgent.reply_days", likely, other]
            } else {
                [likely, other, "urgent.reply_days"]
            };
            let dates = [
                "reply.key_fixed_date",
                "reply.party_priority_date",
                "reply.fixed_date",
            ];
            computed.into_iter().chain(dates).collect()
        }
        ClockKind::K11 => vec!["reply.review_limit"],
        ClockKind::K12 => vec!["feedback.window"],
        ClockKind::K16 => vec!["tracking.look_back_date"],
        ClockKind::K17 => vec!["publication.catalogue_within"],
        ClockKind::K18 => vec!["publication.reply_within"],
        ClockKind::K13
        | ClockKind::K14
        | ClockKind::K15
        | ClockKind::K19
        | ClockKind::K20
        | ClockKind::K21 => Vec::new(),
    }
}

/// Whether a value of the profile is the limit of the clock.
fn says(value: &Value, key: &str, limit: &str) -> bool {
    let fixed = limit.strip_prefix("until ");
    match value {
        Value::Number(number) if key.ends_with("_hours") => limit == format!("{number} h"),
        Value::Number(number) => limit == format!("{number} cd"),
        // A whole date, or month and day.
        Value::String(text) => limit == text || fixed.is_some_and(|date| date.ends_with(text)),
        _ => false,
    }
}

const fn other_origin(kind: ClockKind) -> (&'static str, &'static str) {
    match kind {
        ClockKind::K03 => (
            "会议记录上的审查截止日期",
            "the end of the examination on the record of the session",
        ),
        ClockKind::K13 => (
            "申请的决定时限（程序固定）",
            "decision on a request (set by the program)",
        ),
        ClockKind::K14 => (
            "撤案等申请的决定时限（程序固定）",
            "decision of the chair (set by the program)",
        ),
        ClockKind::K15 => ("承诺的完成日期", "the date of the promise"),
        ClockKind::K19 => ("批示要求的反馈日期", "the date on the instruction"),
        ClockKind::K20 => (
            "告知与处置时限（程序固定）",
            "notice and disposition (set by the program)",
        ),
        ClockKind::K21 => ("催办通知上的日期", "the date on the urging"),
        _ => ("当时有效的规定", "the rule in force at the start"),
    }
}

/// What started a clock.
pub const fn start_event(kind: ClockKind) -> Label {
    let (zh, en) = match kind {
        ClockKind::K01 => (
            "发出联名邀请（或修改后须重新确认）",
            "the invitation, or a consent gone stale",
        ),
        ClockKind::K02 => ("退回修改", "the return for revision"),
        ClockKind::K03 => ("提交提案", "the submission"),
        ClockKind::K04 => (
            "立案（会议提案自闭幕起）",
            "the filing; of session proposals the end of the session",
        ),
        ClockKind::K05 | ClockKind::K07 | ClockKind::K08 | ClockKind::K10 => {
            ("交办至该单位", "the assignment to the unit")
        }
        ClockKind::K06 => ("申请退回", "the request to return"),
        ClockKind::K09 => ("送请会签", "the request to countersign"),
        ClockKind::K11 => ("签发答复", "the signing of the reply"),
        ClockKind::K12 => ("全部答复送达", "the delivery of the last reply"),
        ClockKind::K13 => ("申请延期或中止", "the request to extend or pause"),
        ClockKind::K14 => ("提出申请", "the request"),
        ClockKind::K15 => ("作出承诺", "the promise"),
        ClockKind::K16 => ("当年1月1日", "1 January of the year"),
        ClockKind::K17 => ("立案", "the filing"),
        ClockKind::K18 => ("答复送达", "the delivery of the reply"),
        ClockKind::K19 => ("领导批示", "the instruction"),
        ClockKind::K20 => ("决定不予立案", "the refusal to file"),
        ClockKind::K21 => ("发出催办", "the urging"),
    };
    Label { zh, en }
}

/// The request that a change of a clock was granted on: its place among the case's requests.
pub fn request_of(case: &Case, clock: &Clock, change: &ClockChange) -> Option<usize> {
    let (kind, day, last) = match change {
        ClockChange::Extended { decided_on, until } => {
            (RequestKind::Extension, *decided_on, Some(*until))
        }
        ClockChange::Paused { from, .. } => (RequestKind::Pause, *from, None),
        _ => return None,
    };
    case.requests.iter().position(|request| {
        request.kind == kind
            && request.status == RequestStatus::Granted
            && request.assignment.map(crate::ids::Id::cast) == Some(clock.subject)
            && request.decision.as_ref().is_some_and(|decision| {
                local_date(decision.at) == day && (last.is_none() || decision.until == last)
            })
    })
}

impl Case {
    /// The unit that a clock concerns: that of the row, reply, request, promise or entry it runs
    /// for. `None` where it concerns the proposal or a proposer.
    pub fn unit_of(&self, clock: &Clock) -> Option<UnitId> {
        let row = |row| self.assignment(row).map(|row| row.unit);
        match clock.kind {
            ClockKind::K05
            | ClockKind::K06
            | ClockKind::K07
            | ClockKind::K08
            | ClockKind::K09
            | ClockKind::K10 => row(clock.subject.cast()),
            ClockKind::K11 | ClockKind::K18 => {
                self.reply(clock.subject.cast()).map(|reply| reply.unit)
            }
            ClockKind::K13 | ClockKind::K14 => {
                let request = self
                    .requests
                    .iter()
                    .find(|one| one.id.cast() == clock.subject);
                request.and_then(|request| request.assignment).and_then(row)
            }
            ClockKind::K15 => {
                let mut promises = self.promises.iter();
                promises
                    .find(|one| one.id.cast() == clock.subject)
                    .map(|one| one.unit)
            }
            ClockKind::K19 | ClockKind::K21 => {
                let mut entries = self.follow_ups.iter();
                entries
                    .find(|one| one.id.cast() == clock.subject)
                    .and_then(|one| one.unit)
            }
            _ => None,
        }
    }
}

/// Largest amounts of a trial count, by unit: about ten years.
pub const fn most(unit: deadline::Unit) -> u32 {
    match unit {
        deadline::Unit::Hours => 87_600,
        deadline::Unit::CalendarDays => 3_660,
        deadline::Unit::WorkingDays => 2_500,
        deadline::Unit::Months => 120,
    }
}

/// Whether a trial count may start on the day: inside the years that a calendar may hold.
pub fn is_countable(date: Date) -> bool {
    super::calendar_file::YEARS.contains(&date.year())
}
