//! Files of holidays at their edges (docs/clocks.md, "The calendar"): how much is read, what a line
//! may look like, and what the next version of the calendar says of it.

use jiff::civil::{Date, date};

use crate::workflow::calendar::{CalendarDay, DayMark, add_days};
use crate::workflow::calendar_file::{
    CalendarChange, FileDay, MOST_DAYS, Wrong, check, from_csv, from_icalendar, next,
};

type Read = Result<Vec<FileDay>, Vec<Wrong>>;

/// A table of this many rest days from 1 January 2027.
fn table(days: usize) -> String {
    let line = |n: usize| format!("{},holiday,假\n", day(n));
    std::iter::once("date,kind,name\n".to_owned())
        .chain((0..days).map(line))
        .collect()
}

fn day(number: usize) -> Date {
    add_days(date(2027, 1, 1), i64::try_from(number).unwrap())
}

/// A calendar with these events, each from its first line on.
fn calendar(events: &[String]) -> String {
    let event = |inner: &String| format!("BEGIN:VEVENT\n{inner}\nEND:VEVENT\n");
    let events: String = events.iter().map(event).collect();
    format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n")
}

/// Events that cover this many days together.
fn events(days: usize) -> Vec<String> {
    let starts = (0..days).step_by(31);
    let event = |from: usize| {
        let length = 31.min(days - from);
        let start = day(from).strftime("%Y%m%d").to_string();
        format!("DTSTART:{start}\nDURATION:P{length}D\nSUMMARY:假")
    };
    starts.map(event).collect()
}

fn codes(read: Read) -> Vec<(usize, &'static str)> {
    let wrongs = match read {
        Ok(days) => check(&days).err().unwrap_or_default(),
        Err(wrongs) => wrongs,
    };
    let place = |wrong: &Wrong| (wrong.line, wrong.code);
    wrongs.iter().map(place).collect()
}

fn file(lines: &[(&str, DayMark, &str)]) -> Vec<FileDay> {
    let numbered = lines.iter().enumerate();
    numbered
        .map(|(number, (date, kind, name))| FileDay {
            line: number + 2,
            date: date.parse().unwrap(),
            kind: *kind,
            name: Some((*name).to_owned()).filter(|name| !name.is_empty()),
        })
        .collect()
}

#[test]
fn a_thousand_days_are_read_and_not_one_more() {
    assert_eq!(codes(from_csv(&table(MOST_DAYS))), []);
    let last = MOST_DAYS + 2;
    assert_eq!(codes(from_csv(&table(MOST_DAYS + 1))), [(last, "too_many")]);
    // Nothing is read after it.
    let longer = table(MOST_DAYS + 20) + "nonsense\n";
    assert_eq!(codes(from_csv(&longer)), [(last, "too_many")]);

    assert_eq!(codes(from_icalendar(&calendar(&events(MOST_DAYS)))), []);
    let wrong = codes(from_icalendar(&calendar(&events(MOST_DAYS + 1))));
    assert_eq!(wrong.len(), 1);
    assert_eq!(wrong[0].1, "too_many");
    let longer = calendar(&events(MOST_DAYS + 100)) + "nonsense\n";
    assert_eq!(codes(from_icalendar(&longer)).len(), 1);
    // Of one with as many as may be, the end is read too.
    let open = calendar(&events(MOST_DAYS)).replace("END:VCALENDAR\n", "");
    assert_eq!(codes(from_icalendar(&open)), [(1, "misplaced")]);
}

#[test]
fn fifty_wrong_places_are_told_at_most() {
    let wrong_dates = "2027-13-01,holiday,假\n".repeat(80);
    let text = format!("date,kind,name\n{wrong_dates}");
    assert_eq!(codes(from_csv(&text)).len(), 50);
    let broken = vec!["DTSTART:x\nSUMMARY:假".to_owned(); 80];
    assert_eq!(codes(from_icalendar(&calendar(&broken))).len(), 50);
    // Two wrongs a day, all of which only all days together show.
    let days = "1999-01-01,makeup_workday,\n".repeat(30);
    let text = format!("date,kind,name\n{days}");
    assert_eq!(codes(from_csv(&text)).len(), 50);
    let few = "2027-13-01,holiday,假\n".repeat(49);
    assert_eq!(codes(from_csv(&format!("date,kind,name\n{few}"))).len(), 49);
}

#[test]
fn the_line_of_a_broken_place_is_told_whatever_ends_the_lines() {
    for (text, expected) in [
        (
            "date,kind,name\r\n\r\n\r\n2027-01-01,free,假\r\n",
            (4, "kind"),
        ),
        ("\n\ndate;kind\n", (3, "heading")),
        (
            "date,kind,name\n2027-01-01,holiday,\"元\n旦\"\n2027-13-01,holiday,假\n",
            (4, "date"),
        ),
        ("date,kind,name\n2027-01-1,holiday,假\n", (2, "date")),
        ("date,kind,name\n2027-01-011,holiday,假\n", (2, "date")),
        // A date with a time behind it is no date.
        ("date,kind,name\n2027-01-01T09:00,holiday,假\n", (2, "date")),
    ] {
        assert_eq!(codes(from_csv(text)), [expected], "{text:?}");
    }
    for (text, expected) in [
        ("\n\nnonsense\n", vec![(3, "broken_line"), (1, "misplaced")]),
        // A folded line has the number of its first one; so has what is wrong in it.
        (
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:元\n 旦\nDTST\n\tART:x\nEND:VEVENT\nEND:VCALENDAR\n",
            vec![(5, "date"), (2, "date")],
        ),
        ("BEGIN:VCALENDAR\nBEGIN:VCALENDAR\n", vec![(2, "misplaced")]),
        (
            "BEGIN:VCALENDAR\nEND:VCALENDAR\nSUMMARY:x\n",
            vec![(3, "misplaced")],
        ),
        ("END:VCALENDAR\n", vec![(1, "misplaced")]),
        (
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n",
            vec![(3, "misplaced")],
        ),
        ("BEGIN:VCALENDAR\n", vec![(1, "misplaced")]),
    ] {
        assert_eq!(codes(from_icalendar(text)), expected, "{text:?}");
    }
    let two = calendar(&events(1)) + &calendar(&["DTSTART:20280101\nSUMMARY:假".to_owned()]);
    assert_eq!(from_icalendar(&two).map(|days| days.len()), Ok(2));
}

#[test]
fn an_event_says_what_it_is_and_how_long_it_lasts() {
    use DayMark::{Holiday, MakeupWorkday};
    let from = "DTSTART;VALUE=DATE:20270206";
    // What is said, mark, length, name.
    let good: [(&str, DayMark, usize, Option<&str>); 23] = [
        ("SUMMARY:春节 假", Holiday, 1, Some("春节")),
        ("SUMMARY:春节（休）", Holiday, 1, Some("春节")),
        ("SUMMARY:春节 放假", Holiday, 1, Some("春节")),
        ("SUMMARY:春节(班)", MakeupWorkday, 1, Some("春节")),
        (
            "SUMMARY:春节\u{3000}休息，不上班",
            MakeupWorkday,
            1,
            Some("春节"),
        ),
        ("SUMMARY:（休）", Holiday, 1, None),
        ("SUMMARY:春节\\n休", Holiday, 1, Some("春节")),
        ("SUMMARY:春节\\N休", Holiday, 1, Some("春节")),
        ("SUMMARY:春\\,节 休\\", Holiday, 1, Some("春,节")),
        (
            "X-APPLE-SPECIAL-DAY:WORK-HOLIDAY\nSUMMARY:补班",
            Holiday,
            1,
            Some("补班"),
        ),
        (
            "X-APPLE-SPECIAL-DAY:ALTERNATE-WORKDAY\nSUMMARY:休",
            MakeupWorkday,
            1,
            Some("休"),
        ),
        (
            "CATEGORIES:x,holiday\nSUMMARY:补班",
            Holiday,
            1,
            Some("补班"),
        ),
        ("CATEGORIES:HOLIDAY\nSUMMARY:班", Holiday, 1, Some("班")),
        ("CATEGORIES:休\nSUMMARY:班", Holiday, 1, Some("班")),
        (
            "CATEGORIES:a, makeup_workday\nSUMMARY:休",
            MakeupWorkday,
            1,
            Some("休"),
        ),
        (
            "CATEGORIES:MAKEUP_WORKDAY\nSUMMARY:休",
            MakeupWorkday,
            1,
            Some("休"),
        ),
        ("CATEGORIES:班\nSUMMARY:休", MakeupWorkday, 1, Some("休")),
        // The special day weighs more than the category, wherever it stands; another value says
        // nothing.
        (
            "X-APPLE-SPECIAL-DAY:WORK-HOLIDAY\nCATEGORIES:班\nX-APPLE-SPECIAL-DAY:OTHER\nSUMMARY:a",
            Holiday,
            1,
            Some("a"),
        ),
        (
            "summary;language=\"zh:cn\":休\nDTEND:20270309",
            Holiday,
            31,
            Some("休"),
        ),
        ("SUMMARY:休\nDURATION:P31D", Holiday, 31, Some("休")),
        (
            "SUMMARY:休\nDURATION:P9D\nDTEND:20270208",
            Holiday,
            2,
            Some("休"),
        ),
        ("SUMMARY::休", Holiday, 1, Some("休")),
        // What an alarm says is no word of its event.
        (
            "SUMMARY:休\nBEGIN:VALARM\nDURATION:PT15M\nEND:VALARM",
            Holiday,
            1,
            Some("休"),
        ),
    ];
    for (said, mark, length, name) in good {
        let days = from_icalendar(&calendar(&[format!("{from}\n{said}")])).expect(said);
        assert_eq!(days.len(), length, "{said}");
        for (number, day) in days.iter().enumerate() {
            let date = add_days(date(2027, 2, 6), i64::try_from(number).unwrap());
            assert_eq!((day.date, day.kind), (date, mark), "{said}");
            assert_eq!(day.name.as_deref(), name, "{said}");
        }
    }
}

#[test]
fn an_event_that_is_not_of_whole_days_or_says_nothing_is_refused() {
    let from = "DTSTART;VALUE=DATE:20270206";
    for (said, expected) in [
        ("SUMMARY:休\nDTEND:20270310", (2, "length")),
        ("SUMMARY:休\nDURATION:P32D", (2, "length")),
        ("SUMMARY:休\nDURATION:P0D", (2, "length")),
        ("SUMMARY:休\nDTEND:20270205", (2, "length")),
        ("SUMMARY:休\nDURATION:P1W", (5, "duration")),
        ("SUMMARY:休\nRDATE:20270207", (5, "repeats")),
        ("SUMMARY:休\nDTEND:2027020", (5, "date")),
        ("SUMMARY:休\nDTEND:+2700201", (5, "date")),
        ("SUMMARY:休\nDTEND:20271301", (5, "date")),
        ("SUMMARY:休\nDTEND:20270230", (5, "date")),
        ("CATEGORIES:x\nSUMMARY:a", (2, "kind")),
    ] {
        let read = from_icalendar(&calendar(&[format!("{from}\n{said}")]));
        assert_eq!(codes(read)[0], expected, "{said}");
    }
}

#[test]
fn what_only_all_days_together_show() {
    use DayMark::{Holiday, MakeupWorkday};
    let long = "长".repeat(51);
    let checked = |date: &str, kind, name: &str| {
        let days = file(&[(date, kind, name)]);
        codes(Ok(days))
            .into_iter()
            .map(|(_, code)| code)
            .collect::<Vec<_>>()
    };
    for (date, kind, name, expected) in [
        ("1999-12-31", Holiday, "假", &["year"][..]),
        ("2000-01-01", Holiday, "假", &[]),
        ("2099-12-31", Holiday, "假", &[]),
        ("2100-01-01", Holiday, "假", &["year"]),
        // 6 February 2027 is a Saturday.
        ("2027-02-05", MakeupWorkday, "", &["not_weekend"]),
        ("2027-02-06", MakeupWorkday, "", &[]),
        ("2027-02-07", MakeupWorkday, "", &[]),
        ("2027-02-08", MakeupWorkday, "", &["not_weekend"]),
        ("2027-02-08", Holiday, "假", &[]),
        ("2027-02-08", Holiday, "", &["name"]),
        ("2027-02-08", Holiday, &long["长".len()..], &[]),
        ("2027-02-08", Holiday, &long, &["name"]),
    ] {
        assert_eq!(checked(date, kind, name), expected, "{date} {name}");
    }
}

#[test]
fn the_next_version_tells_what_is_no_longer_as_it_was() {
    use DayMark::{Holiday, MakeupWorkday};
    let known = |date: &str, kind, name: Option<&str>| CalendarDay {
        date: date.parse().unwrap(),
        kind,
        name: name.map(str::to_owned),
        source_note: Some("2025".to_owned()),
    };
    let before = vec![
        known("2025-12-31", Holiday, Some("旧")),
        known("2027-01-01", Holiday, Some("元旦")),
        known("2027-02-06", MakeupWorkday, None),
        known("2027-02-07", Holiday, Some("春节")),
        known("2027-02-20", MakeupWorkday, Some("春节")),
        known("2027-02-21", Holiday, None),
        known("2027-05-01", Holiday, Some("劳动节")),
    ];
    let file = file(&[
        ("2027-01-01", Holiday, "元旦"),
        // A name is only given to a working day that had none.
        ("2027-02-06", MakeupWorkday, "春节"),
        ("2027-02-07", Holiday, "除夕"),
        ("2027-02-20", MakeupWorkday, "元宵"),
        ("2027-02-21", Holiday, "元宵"),
        ("2027-05-02", Holiday, "劳动节"),
    ]);
    let next = next(before, file, "2026");
    let told = |change: &CalendarChange| {
        let name = change.name.clone().unwrap_or_default();
        format!(
            "{} {:?} {:?} {name}",
            change.date, change.before, change.after
        )
    };
    let changes: Vec<_> = next.changes.iter().map(told).collect();
    assert_eq!(
        changes,
        [
            "2027-02-07 Some(Holiday) Some(Holiday) 除夕",
            "2027-02-20 Some(MakeupWorkday) Some(MakeupWorkday) 元宵",
            "2027-02-21 Some(Holiday) Some(Holiday) 元宵",
            "2027-05-01 Some(Holiday) None 劳动节",
            "2027-05-02 None Some(Holiday) 劳动节",
        ]
    );
    let span = Some((date(2027, 2, 7), date(2027, 5, 2)));
    assert_eq!(next.span, span, "the year was known");
    let days: Vec<_> = next
        .days
        .iter()
        .map(|day| (day.date.to_string(), day.source_note.as_deref().unwrap()))
        .collect();
    assert_eq!(days[0], ("2025-12-31".to_owned(), "2025"));
    assert_eq!(days.len(), 7);
    assert!(days[1..].iter().all(|(_, note)| *note == "2026"));
}
