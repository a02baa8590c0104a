//! A year's holidays from a file: CSV or iCalendar. What is wrong is told with the number of its
//! line, and then nothing of the file counts.
//!
//! iCalendar is read here and not by a library: those that are kept up bring a second date library
//! along and do not tell the line of an event.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};
use serde::Serialize;
use utoipa::ToSchema;

use super::calendar::{CalendarDay, DayMark, add_days, days_between};
use crate::error::Message;

#[cfg(test)]
mod tests;

/// Years that a calendar may hold.
pub const YEARS: std::ops::RangeInclusive<i16> = 2000..=2099;
/// Most days that one import may bring.
pub const MOST_DAYS: usize = 1000;
/// Most wrong places told at once.
const MOST_WRONGS: usize = 50;
/// Most days of one event of an iCalendar file.
const MOST_EVENT_DAYS: i64 = 31;
/// Most characters of a name.
const NAME_CHARS: usize = 50;

/// Something wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Line of the file, or number of the item of a list, from 1.
    pub line: usize,
    /// Stable code.
    pub code: &'static str,
    /// What is wrong.
    pub message: Message,
}

impl Wrong {
    fn new(
        line: usize,
        code: &'static str,
        zh: impl std::fmt::Display,
        en: impl std::fmt::Display,
    ) -> Self {
        Self {
            line,
            code,
            message: Message::new(format!("第 {line} 行：{zh}"), format!("Line {line}: {en}")),
        }
    }
}

/// A day of a file with the line that it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDay {
    /// Line, or number of the item, from 1.
    pub line: usize,
    /// The date.
    pub date: Date,
    /// Rest day or make-up working day.
    pub kind: DayMark,
    /// Name.
    pub name: Option<String>,
}

/// Reads `date,kind,name` with a heading; the heading and the kinds may also be in Chinese.
pub fn from_csv(text: &str) -> Result<Vec<FileDay>, Vec<Wrong>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let (mut days, mut wrongs) = (Vec::new(), Vec::new());
    let mut headed = false;
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = line_of(text, error.position());
                wrongs.push(Wrong::new(
                    line,
                    "broken_line",
                    "无法读取。",
                    "cannot be read.",
                ));
                break;
            }
        };
        let line = line_of(text, record.position());
        let cells: Vec<&str> = record.iter().collect();
        if !headed {
            headed = true;
            let known = matches!(
                cells.as_slice(),
                ["date", "kind", "name"] | ["日期", "类型", "名称"]
            );
            if !known {
                wrongs.push(Wrong::new(
                    line,
                    "heading",
                    "首行须为 date,kind,name。",
                    "the heading must be date,kind,name.",
                ));
                break;
            }
            continue;
        }
        match csv_day(line, &cells) {
            Ok(day) => days.push(day),
            Err(wrong) => wrongs.push(wrong),
        }
        if wrongs.len() >= MOST_WRONGS || days.len() > MOST_DAYS {
            break;
        }
    }
    if wrongs.is_empty() {
        Ok(days)
    } else {
        Err(wrongs)
    }
}

/// The line of a record: empty lines before it are not part of it.
fn line_of(text: &str, position: Option<&csv::Position>) -> usize {
    let byte = position.map_or(0, csv::Position::byte);
    let byte = usize::try_from(byte).unwrap_or(usize::MAX).min(text.len());
    let (before, rest) = text.as_bytes().split_at(byte);
    let empty = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    1 + before
        .iter()
        .chain(empty)
        .filter(|byte| **byte == b'\n')
        .count()
}

fn csv_day(line: usize, cells: &[&str]) -> Result<FileDay, Wrong> {
    let (date, kind, name) = match cells {
        [date, kind] => (date, kind, ""),
        [date, kind, name] => (date, kind, *name),
        _ => {
            return Err(Wrong::new(
                line,
                "broken_line",
                "须有日期、类型、名称三列。",
                "three columns are wanted: date, kind, name.",
            ));
        }
    };
    let parsed = if date.len() == 10 {
        date.parse().ok()
    } else {
        None
    };
    let date = parsed.ok_or_else(|| {
        Wrong::new(
            line,
            "date",
            "日期须写作 2027-02-06。",
            "the date must be written as 2027-02-06.",
        )
    })?;
    let kind = match *kind {
        "holiday" | "休" => DayMark::Holiday,
        "makeup_workday" | "班" => DayMark::MakeupWorkday,
        _ => {
            return Err(Wrong::new(
                line,
                "kind",
                "类型须为 holiday（休）或 makeup_workday（班）。",
                "the kind must be holiday or makeup_workday.",
            ));
        }
    };
    Ok(FileDay {
        line,
        date,
        kind,
        name: Some(name.to_owned()).filter(|name| !name.is_empty()),
    })
}

/// A content line of an iCalendar file, unfolded.
struct Content {
    line: usize,
    name: String,
    value: String,
}

/// Puts folded lines together; each keeps the number of its first line.
fn unfolded(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some((_, last))) => last.push_str(rest),
            _ if line.trim().is_empty() => {}
            _ => lines.push((index + 1, line.to_owned())),
        }
    }
    lines
}

fn content((line, text): (usize, String)) -> Result<Content, Wrong> {
    let mut quoted = false;
    let colon = text.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == ':' && !quoted
    });
    let Some((colon, _)) = colon else {
        return Err(Wrong::new(
            line,
            "broken_line",
            "不是 iCalendar 内容行。",
            "is not a content line of iCalendar.",
        ));
    };
    let (head, value) = text.split_at(colon);
    let name = head.split(';').next().unwrap_or_default();
    Ok(Content {
        line,
        name: name.to_ascii_uppercase(),
        value: value.trim_start_matches(':').trim().to_owned(),
    })
}

/// An event on its way.
#[derive(Default)]
struct Event {
    line: usize,
    from: Option<Date>,
    until: Option<Date>,
    days: Option<i64>,
    summary: String,
    mark: Option<DayMark>,
}

/// Reads whole-day events. An event says what it is by `X-APPLE-SPECIAL-DAY`, by its category, or
/// by 休 or 班 in its summary; one that does not is refused, since a wrong guess moves clocks.
pub fn from_icalendar(text: &str) -> Result<Vec<FileDay>, Vec<Wrong>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut days, mut wrongs) = (Vec::new(), Vec::new());
    let mut open: Vec<(usize, String)> = Vec::new();
    let mut event: Option<Event> = None;
    let mut calendars = 0;
    for line in unfolded(text) {
        let read = content(line).and_then(|content| {
            match content.name.as_str() {
                "BEGIN" => {
                    let part = content.value.to_ascii_uppercase();
                    if (part == "VCALENDAR") != open.is_empty() {
                        return Err(misplaced(content.line));
                    }
                    calendars += usize::from(open.is_empty());
                    if part == "VEVENT" {
                        event = Some(Event {
                            line: content.line,
                            ..Event::default()
                        });
                    }
                    open.push((content.line, part));
                }
                "END" => {
                    let part = content.value.to_ascii_uppercase();
                    if open.pop().is_none_or(|(_, begun)| begun != part) {
                        return Err(misplaced(content.line));
                    }
                    if part == "VEVENT"
                        && let Some(event) = event.take()
                    {
                        days.append(&mut days_of(&event)?);
                    }
                }
                _ if open.is_empty() => return Err(misplaced(content.line)),
                _ if open.last().is_some_and(|(_, part)| part == "VEVENT") => {
                    if let Some(event) = &mut event {
                        property(event, &content)?;
                    }
                }
                _ => {}
            }
            Ok(())
        });
        if let Err(wrong) = read {
            let lost = wrong.code == "misplaced";
            wrongs.push(wrong);
            if lost || wrongs.len() >= MOST_WRONGS {
                return Err(wrongs);
            }
        }
        if days.len() > MOST_DAYS {
            break;
        }
    }
    if let Some((line, part)) = open.pop().filter(|_| days.len() <= MOST_DAYS) {
        wrongs.push(Wrong::new(
            line,
            "misplaced",
            format!("BEGIN:{part} 没有结束。"),
            format!("BEGIN:{part} does not end."),
        ));
    } else if calendars == 0 {
        wrongs.push(misplaced(1));
    }
    if wrongs.is_empty() {
        Ok(days)
    } else {
        Err(wrongs)
    }
}

fn misplaced(line: usize) -> Wrong {
    Wrong::new(
        line,
        "misplaced",
        "BEGIN 与 END 不成对，或不在 VCALENDAR 内。",
        "BEGIN and END do not match, or something stands outside VCALENDAR.",
    )
}

fn property(event: &mut Event, content: &Content) -> Result<(), Wrong> {
    let value = content.value.as_str();
    match content.name.as_str() {
        "DTSTART" => event.from = Some(whole_day(content)?),
        "DTEND" => event.until = Some(whole_day(content)?),
        "DURATION" => {
            let days = value
                .strip_prefix('P')
                .and_then(|rest| rest.strip_suffix('D'));
            let days = days.and_then(|days| days.parse().ok());
            event.days = Some(days.ok_or_else(|| {
                Wrong::new(
                    content.line,
                    "duration",
                    "时长须为整日，如 P3D。",
                    "the duration must be whole days, such as P3D.",
                )
            })?);
        }
        "RRULE" | "RDATE" => {
            return Err(Wrong::new(
                content.line,
                "repeats",
                "不支持重复的事件，请逐日列出。",
                "events that repeat are not supported; list each day.",
            ));
        }
        "SUMMARY" => event.summary = unescaped(value),
        "X-APPLE-SPECIAL-DAY" => {
            event.mark = match value {
                "WORK-HOLIDAY" => Some(DayMark::Holiday),
                "ALTERNATE-WORKDAY" => Some(DayMark::MakeupWorkday),
                _ => event.mark,
            };
        }
        "CATEGORIES" if event.mark.is_none() => {
            let mut words = value.split(',').map(str::trim);
            event.mark = words.find_map(|word| match word {
                "holiday" | "HOLIDAY" | "休" => Some(DayMark::Holiday),
                "makeup_workday" | "MAKEUP_WORKDAY" | "班" => Some(DayMark::MakeupWorkday),
                _ => None,
            });
        }
        _ => {}
    }
    Ok(())
}

fn whole_day(content: &Content) -> Result<Date, Wrong> {
    let wrong = || {
        Wrong::new(
            content.line,
            "date",
            "须为整日，如 DTSTART;VALUE=DATE:20270206。",
            "a whole day is wanted, such as DTSTART;VALUE=DATE:20270206.",
        )
    };
    let digits = &content.value;
    if digits.len() != 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: i32 = digits.parse().map_err(|_| wrong())?;
    let part = |value: i32| i8::try_from(value).unwrap_or(0);
    let year = i16::try_from(number / 10_000).unwrap_or(0);
    Date::new(year, part(number / 100 % 100), part(number % 100)).map_err(|_| wrong())
}

fn unescaped(value: &str) -> String {
    let mut text = String::new();
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        text.push(match c {
            '\\' => match chars.next() {
                Some('n' | 'N') | None => ' ',
                Some(other) => other,
            },
            other => other,
        });
    }
    text
}

/// The days of an event; its last day is the one before `DTEND`.
fn days_of(event: &Event) -> Result<Vec<FileDay>, Wrong> {
    let line = event.line;
    let Some(from) = event.from else {
        return Err(Wrong::new(
            line,
            "date",
            "事件没有 DTSTART。",
            "the event has no DTSTART.",
        ));
    };
    let days = match (event.until, event.days) {
        (Some(until), _) => days_between(from, until),
        (None, Some(days)) => days,
        (None, None) => 1,
    };
    if !(1..=MOST_EVENT_DAYS).contains(&days) {
        return Err(Wrong::new(
            line,
            "length",
            format!("事件须为 1 至 {MOST_EVENT_DAYS} 天。"),
            format!("an event must have 1 to {MOST_EVENT_DAYS} days."),
        ));
    }
    let said = if event.summary.contains('班') {
        Some(DayMark::MakeupWorkday)
    } else if event.summary.contains(['休', '假']) {
        Some(DayMark::Holiday)
    } else {
        None
    };
    let Some(kind) = event.mark.or(said) else {
        return Err(Wrong::new(
            line,
            "kind",
            "看不出是休还是班：请在 SUMMARY 写明，如“春节（休）”。",
            "it does not say rest day or make-up working day: write it into SUMMARY, such as 春节（休）.",
        ));
    };
    let name = event.summary.split(['（', '(', ' ', '\u{3000}']).next();
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    Ok((0..days)
        .map(|day| FileDay {
            line,
            date: add_days(from, day),
            kind,
            name: name.map(str::to_owned),
        })
        .collect())
}

/// What only all days together show: something is there, no day twice, years in range, rest days
/// with names, make-up working days on weekends.
pub fn check(days: &[FileDay]) -> Result<(), Vec<Wrong>> {
    if days.is_empty() {
        let wrong = Wrong::new(1, "empty", "没有任何日期。", "there is no day in it.");
        return Err(vec![wrong]);
    }
    if days.len() > MOST_DAYS {
        return Err(vec![Wrong::new(
            days.last().map_or(1, |day| day.line),
            "too_many",
            format!("一次最多导入 {MOST_DAYS} 天。"),
            format!("at most {MOST_DAYS} days at once."),
        )]);
    }
    let mut wrongs = Vec::new();
    let mut seen = BTreeMap::new();
    for day in days {
        let (line, date) = (day.line, day.date);
        let mut wrong = |code, zh: String, en: String| wrongs.push(Wrong::new(line, code, zh, en));
        if let Some(first) = seen.insert(date, line) {
            wrong(
                "duplicate",
                format!("{date} 已在第 {first} 行出现。"),
                format!("{date} stands on line {first} already."),
            );
        }
        if !YEARS.contains(&date.year()) {
            let (from, to) = (YEARS.start(), YEARS.end());
            wrong(
                "year",
                format!("年份须在 {from} 至 {to} 之间。"),
                format!("the year must be from {from} to {to}."),
            );
        }
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        if day.kind == DayMark::MakeupWorkday && !weekend {
            wrong(
                "not_weekend",
                format!("{date} 不是周末，不能调休上班。"),
                format!("{date} is no weekend day and is worked anyway."),
            );
        }
        if day.kind == DayMark::Holiday && day.name.is_none() {
            wrong(
                "name",
                "节假日须有名称。".to_owned(),
                "a rest day needs its name.".to_owned(),
            );
        }
        if day
            .name
            .as_ref()
            .is_some_and(|name| name.chars().count() > NAME_CHARS)
        {
            wrong(
                "name",
                format!("名称最多 {NAME_CHARS} 字。"),
                format!("a name has at most {NAME_CHARS} characters."),
            );
        }
    }
    wrongs.truncate(MOST_WRONGS);
    if wrongs.is_empty() {
        Ok(())
    } else {
        Err(wrongs)
    }
}

/// A day that is not what it was in the version before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CalendarChange {
    /// The date.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2027-02-06")]
    pub date: Date,
    /// What it was; absent where nothing was announced for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub before: Option<DayMark>,
    /// What it is; absent where nothing is announced for it any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub after: Option<DayMark>,
    /// Name of the holiday.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 50, example = "春节")]
    pub name: Option<String>,
}

/// The next version of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// Every announced day of every year, in order.
    pub days: Vec<CalendarDay>,
    /// The years that were replaced.
    pub years: BTreeSet<i16>,
    /// The days that differ, in order.
    pub changes: Vec<CalendarChange>,
    /// First and last day on which clocks may count otherwise; `None` where nothing differs. A
    /// year that had no data at all counts as a whole, since it is provisional no more.
    pub span: Option<(Date, Date)>,
}

/// The version before with the years of the file replaced.
pub fn next(before: Vec<CalendarDay>, file: Vec<FileDay>, source_note: &str) -> Next {
    let years: BTreeSet<i16> = file.iter().map(|day| day.date.year()).collect();
    let known: BTreeSet<i16> = before.iter().map(|day| day.date.year()).collect();
    let mut days: BTreeMap<Date, CalendarDay> = BTreeMap::new();
    let mut old: BTreeMap<Date, CalendarDay> = BTreeMap::new();
    for day in before {
        if years.contains(&day.date.year()) {
            old.insert(day.date, day);
        } else {
            days.insert(day.date, day);
        }
    }
    let mut changes = Vec::new();
    for day in file {
        let was = old.remove(&day.date);
        let before = was.as_ref().map(|was| was.kind);
        let renamed = was.as_ref().is_some_and(|was| {
            was.name != day.name && !(was.name.is_none() && day.kind == DayMark::MakeupWorkday)
        });
        if before != Some(day.kind) || renamed {
            changes.push(CalendarChange {
                date: day.date,
                before,
                after: Some(day.kind),
                name: day.name.clone(),
            });
        }
        let day = CalendarDay {
            date: day.date,
            kind: day.kind,
            name: day.name,
            source_note: Some(source_note.to_owned()),
        };
        days.insert(day.date, day);
    }
    changes.extend(old.into_values().map(|day| CalendarChange {
        date: day.date,
        before: Some(day.kind),
        after: None,
        name: day.name,
    }));
    changes.sort_by_key(|change| change.date);
    let whole = years.difference(&known).flat_map(|year| {
        [(1, 1), (12, 31)]
            .into_iter()
            .filter_map(|(month, day)| Date::new(*year, month, day).ok())
    });
    let touched: BTreeSet<Date> = changes
        .iter()
        .map(|change| change.date)
        .chain(whole)
        .collect();
    let span = touched.first().copied().zip(touched.last().copied());
    Next {
        days: days.into_values().collect(),
        years,
        changes,
        span,
    }
}
