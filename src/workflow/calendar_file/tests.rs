//! Files that are right, and every way in which one can be wrong.

use jiff::civil::date;

use super::*;
use crate::workflow::calendar::Calendar;

fn lines(result: Result<Vec<FileDay>, Vec<Wrong>>) -> Vec<(usize, &'static str)> {
    let wrongs = match result {
        Ok(days) => check(&days).expect_err("something is wrong"),
        Err(wrongs) => wrongs,
    };
    wrongs
        .iter()
        .map(|wrong| (wrong.line, wrong.code))
        .collect()
}

#[test]
fn a_table_is_read_in_either_language() {
    let english = "date,kind,name\n2027-01-01,holiday,元旦\r\n2027-02-06,makeup_workday,\n";
    let chinese = "\u{feff}日期,类型,名称\n2027-01-01,休,元旦\n\n2027-02-06,班\n";
    let days = from_csv(english).expect("a table");
    check(&days).expect("nothing is wrong");
    assert_eq!(days[0].date, date(2027, 1, 1));
    assert_eq!(
        (days[0].kind, days[1].kind),
        (DayMark::Holiday, DayMark::MakeupWorkday)
    );
    assert_eq!(days[0].name.as_deref(), Some("元旦"));
    assert_eq!(days[1].name, None);
    let other = from_csv(chinese).expect("a table");
    let facts = |days: &[FileDay]| -> Vec<_> {
        days.iter()
            .map(|day| (day.date, day.kind, day.name.clone()))
            .collect()
    };
    assert_eq!(facts(&other), facts(&days));
    assert_eq!((other[0].line, other[1].line), (2, 4), "empty lines count");
}

#[test]
fn a_broken_line_of_a_table_is_named() {
    for (text, expected) in [
        ("", (1, "empty")),
        ("date,kind,name\n", (1, "empty")),
        ("day;type\n", (1, "heading")),
        (
            "date,kind,name\n2027-01-01,holiday,元旦\n2027-1-2,holiday,元旦\n",
            (3, "date"),
        ),
        ("date,kind,name\n2027-02-30,holiday,元旦\n", (2, "date")),
        ("date,kind,name\n2027-01-01,free,元旦\n", (2, "kind")),
        ("date,kind,name\n2027-01-01\n", (2, "broken_line")),
        (
            "date,kind,name\n2027-01-01,holiday,a,b\n",
            (2, "broken_line"),
        ),
        ("date,kind,name\n2027-01-01,holiday,\n", (2, "name")),
        (
            "date,kind,name\n2027-02-05,makeup_workday,\n",
            (2, "not_weekend"),
        ),
        ("date,kind,name\n1999-01-01,holiday,元旦\n", (2, "year")),
        (
            "date,kind,name\n2027-01-01,holiday,元旦\n2027-01-01,holiday,元旦\n",
            (3, "duplicate"),
        ),
    ] {
        assert_eq!(lines(from_csv(text)), [expected], "{text:?}");
    }
    let many: String = std::iter::once("date,kind,name\n".to_owned())
        .chain((0..80).map(|_| "x,y,z\n".to_owned()))
        .collect();
    assert_eq!(lines(from_csv(&many)).len(), MOST_WRONGS);
}

const ICS: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:Asia/Shanghai\r\n\
END:VTIMEZONE\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270206\r\nSUMMARY:春节 补班 第1天/共1天\r\n\
END:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270207\r\nDTEND;VALUE=DATE:20270210\r\n\
SUMMARY:春\r\n 节（休）\r\nBEGIN:VALARM\r\nTRIGGER:-PT9H\r\nEND:VALARM\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270101\r\nDURATION:P1D\r\nSUMMARY:元旦\r\n\
X-APPLE-SPECIAL-DAY:WORK-HOLIDAY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

#[test]
fn events_of_whole_days_are_read() {
    let days = from_icalendar(ICS).expect("a calendar");
    check(&days).expect("nothing is wrong");
    let told: Vec<_> = days
        .iter()
        .map(|day| {
            (
                day.line,
                day.date.to_string(),
                day.kind.as_str(),
                day.name.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (6, "2027-02-06".to_owned(), "makeup_workday", Some("春节")),
            (10, "2027-02-07".to_owned(), "holiday", Some("春节")),
            (10, "2027-02-08".to_owned(), "holiday", Some("春节")),
            (10, "2027-02-09".to_owned(), "holiday", Some("春节")),
            (19, "2027-01-01".to_owned(), "holiday", Some("元旦")),
        ]
    );
}

#[test]
fn a_broken_line_of_a_calendar_is_named() {
    let event = |inner: &str| {
        format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{inner}\nEND:VEVENT\nEND:VCALENDAR\n")
    };
    for (text, expected) in [
        (String::new(), (1, "misplaced")),
        ("date,kind,name".to_owned(), (1, "broken_line")),
        ("BEGIN:VEVENT\n".to_owned(), (1, "misplaced")),
        ("BEGIN:VCALENDAR\nEND:VEVENT\n".to_owned(), (2, "misplaced")),
        (
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\n".to_owned(),
            (2, "misplaced"),
        ),
        (
            event("DTSTART:20270101T090000Z\nSUMMARY:元旦（休）"),
            (3, "date"),
        ),
        (event("DTSTART:20270101\nSUMMARY:情人节"), (2, "kind")),
        (event("SUMMARY:元旦（休）"), (2, "date")),
        (
            event("DTSTART:20270101\nDTEND:20270101\nSUMMARY:元旦（休）"),
            (2, "length"),
        ),
        (
            event("DTSTART:20270101\nDTEND:20280101\nSUMMARY:元旦（休）"),
            (2, "length"),
        ),
        (
            event("DTSTART:20270101\nRRULE:FREQ=YEARLY\nSUMMARY:元旦（休）"),
            (4, "repeats"),
        ),
        (
            event("DTSTART:20270101\nDURATION:PT1H\nSUMMARY:元旦（休）"),
            (4, "duration"),
        ),
        (event("DTSTART:20270101\nnonsense"), (4, "broken_line")),
    ] {
        assert_eq!(lines(from_icalendar(&text))[0], expected, "{text:?}");
    }
}

#[test]
fn the_years_of_the_file_are_replaced_and_the_others_stay() {
    let builtin = Calendar::builtin_days();
    let file = from_csv("date,kind,name\n2026-05-01,holiday,劳动节\n2026-12-31,holiday,加休\n");
    let next = super::next(builtin.clone(), file.expect("a table"), "公告");
    assert_eq!(next.years, BTreeSet::from([2026]));
    let of = |days: &[CalendarDay], year| days.iter().filter(|day| day.date.year() == year).count();
    assert_eq!(of(&next.days, 2026), 2);
    assert_eq!(of(&next.days, 2025), of(&builtin, 2025));
    assert!(
        next.changes
            .iter()
            .all(|change| change.date != date(2026, 5, 1))
    );
    let last = next.changes.last().expect("a change");
    assert_eq!(
        (last.date, last.before, last.after),
        (date(2026, 12, 31), None, Some(DayMark::Holiday))
    );
    assert_eq!(next.span, Some((date(2026, 1, 1), date(2026, 12, 31))));

    let file = from_csv("date,kind,name\n2027-02-07,holiday,春节\n").expect("a table");
    let next = super::next(builtin.clone(), file, "公告");
    assert_eq!(next.changes.len(), 1);
    assert_eq!(
        next.span,
        Some((date(2027, 1, 1), date(2027, 12, 31))),
        "provisional no more"
    );

    let same: String = std::iter::once("date,kind,name\n".to_owned())
        .chain(
            builtin
                .iter()
                .filter(|day| day.date.year() == 2025)
                .map(|day| {
                    format!(
                        "{},{},{}\n",
                        day.date,
                        day.kind.as_str(),
                        day.name.clone().unwrap_or_default()
                    )
                }),
        )
        .collect();
    let next = super::next(builtin, from_csv(&same).expect("a table"), "公告");
    assert_eq!((next.changes.len(), next.span), (0, None));
}
