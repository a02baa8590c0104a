use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::keys::{KEYS, differences};
use super::{Limit, MonthDay, Profile, Span};
use crate::workflow::deadline::Unit;

fn changed(changes: &Value) -> Profile {
    let mut settings = Profile::default().settings();
    for (key, value) in changes.as_object().expect("keys") {
        settings.insert(key.clone(), value.clone());
    }
    serde_json::from_value(Value::Object(settings)).expect("a profile")
}

#[track_caller]
fn blames(changes: &Value, pointers: &[&str]) {
    let found: Vec<_> = changed(changes)
        .wrongs()
        .into_iter()
        .map(|wrong| wrong.pointer)
        .collect();
    assert_eq!(found, pointers);
}

#[test]
fn the_defaults_fit_together() {
    assert_eq!(Profile::default().wrongs(), []);
}

#[test]
fn the_table_of_keys_is_that_of_the_schema() {
    let schema = serde_json::to_value(Profile::schema()).expect("the schema");
    let mut of_schema: Vec<_> = schema["properties"]
        .as_object()
        .expect("properties")
        .keys()
        .map(String::as_str)
        .collect();
    let mut of_table: Vec<_> = KEYS.iter().map(|key| key.name).collect();
    of_schema.sort_unstable();
    of_table.sort_unstable();
    assert_eq!(of_schema, of_table);
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn a_profile_survives_being_stored() {
    let profile = Profile {
        version: 7,
        reply_fixed_date: Some(jiff::civil::date(2026, 6, 30)),
        ..Profile::default()
    };
    let stored = Value::Object(profile.settings());
    assert_eq!(stored["revision.limit"], "10 wd");
    assert_eq!(stored["urgent.reply_days"], 30);
    assert_eq!(stored["tracking.look_back_date"], "11-20");
    assert_eq!(Profile::of_stored(7, stored).ok(), Some(profile));
    // Stored before a key existed.
    let old = Profile::of_stored(1, json!({ "examination.stages": 3 })).expect("a profile");
    assert_eq!((old.version, old.examination_stages), (1, 3));
    assert_eq!(old.revision, Limit::wd(10));
    assert!(Profile::of_stored(1, json!({ "no.such_key": 3 })).is_err());
}

#[test]
fn lengths_of_texts_stand_in_their_order() {
    blames(
        &json!({ "text.total_max_chars": 1000 }),
        &["/text.part_max_chars", "/text.total_advice_chars"],
    );
    blames(
        &json!({ "text.total_max_chars": 100, "text.part_max_chars": 100,
                "text.total_advice_chars": 100, "text.title_max_chars": 200 }),
        &["/text.title_max_chars"],
    );
    blames(
        &json!({ "clue.chars": { "min": 3, "max": 2 } }),
        &["/clue.chars/max"],
    );
}

#[test]
fn no_limit_goes_beyond_the_cap() {
    blames(
        &json!({ "extension.max_months_total": 2 }),
        &["/reply.limit.session", "/reply.limit.ordinary"],
    );
    blames(
        &json!({ "reply.limit.session": "250 wd" }),
        &["/reply.limit.session"],
    );
    blames(
        &json!({ "rehandling.limit": "7 mo" }),
        &["/rehandling.limit"],
    );
    blames(
        &json!({ "pause.max_days_total": 181 }),
        &["/pause.max_days_total"],
    );
    blames(
        &json!({ "urgent.reply_days": 181 }),
        &["/urgent.reply_days"],
    );
}

#[test]
fn earlier_days_are_not_later() {
    blames(&json!({ "reply.key_fixed_date": "2026-07-01" }), &[]);
    blames(
        &json!({ "reply.fixed_date": "2026-06-30", "reply.key_fixed_date": "2026-07-01",
                "reply.party_priority_date": "2026-06-30" }),
        &["/reply.key_fixed_date"],
    );
}

#[test]
fn grades_and_letters_are_complete() {
    blames(
        &json!({ "feedback.scale_result": ["satisfied", "basically_satisfied"] }),
        &["/feedback.scale_result"],
    );
    blames(
        &json!({ "rehandling.trigger": ["dissatisfied", "reserved"] }),
        &["/rehandling.trigger/1"],
    );
    let mut scheme = Profile::default().settings()["outcome.scheme"].clone();
    scheme.as_object_mut().expect("letters").remove("planned");
    blames(
        &json!({ "outcome.scheme": scheme }),
        &["/outcome.scheme/planned"],
    );
}

#[test]
fn differences_name_the_keys_that_differ() {
    let other = Profile {
        examination_stages: 3,
        reply_fixed_date: Some(jiff::civil::date(2026, 6, 30)),
        version: 2,
        ..Profile::default()
    };
    let found = differences(&Profile::default(), &other);
    let names: Vec<_> = found.iter().map(|one| one.key.name).collect();
    assert_eq!(names, ["examination.stages", "reply.fixed_date"]);
    assert_eq!(found[0].from, Some(json!(2)));
    assert_eq!(found[1].from, None);
    assert_eq!(found[1].to, Some(json!("2026-06-30")));
}

#[test]
fn a_day_of_every_year_is_in_every_year() {
    assert_eq!(
        serde_json::from_value::<MonthDay>(json!("02-28")).ok(),
        Some(MonthDay::new(2, 28))
    );
    for wrong in ["02-29", "13-01", "1-1", "11-31"] {
        assert!(
            serde_json::from_value::<MonthDay>(json!(wrong)).is_err(),
            "{wrong}"
        );
    }
    assert!(serde_json::from_value::<Span>(json!({ "min": 1 })).is_err());
    let day = |month, day| MonthDay::new(month, day).in_year(2027);
    assert_eq!(day(11, 20), jiff::civil::date(2027, 11, 20));
    assert_eq!(day(2, 29), jiff::civil::date(2027, 2, 28));
}

#[test]
fn reminders_stand_with_the_most_days_first() {
    let key = "reminder.steps_working_days";
    for (steps, wrong) in [
        (json!([]), false),
        (json!([7]), false),
        (json!([15, 7, 1]), false),
        (json!([7, 7]), true),
        (json!([3, 7]), true),
    ] {
        let expected = ["/reminder.steps_working_days"];
        let found = if wrong { &expected[..] } else { &[] };
        blames(&json!({ key: steps }), found);
    }
}

/// I26: the version is the register's and no key; settings without one are those of the first.
#[test]
fn settings_alone_are_the_first_version() {
    assert_eq!(changed(&json!({})).version, 1);
}

#[test]
fn the_pattern_of_limits_takes_every_amount_within_and_none_beyond() {
    let schema = serde_json::to_value(super::PolicyLimit::schema()).expect("the schema");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for unit in super::PolicyLimit::UNITS {
        let most = super::PolicyLimit::most(unit);
        let expected = match unit {
            Unit::Hours => 90 * 24,
            Unit::CalendarDays => 366,
            Unit::WorkingDays => 250,
            Unit::Months => 24,
        };
        assert_eq!(most, expected, "{unit}");
        for amount in 0..=most + 1200 {
            let taken = validator.is_valid(&json!(format!("{amount} {unit}")));
            assert_eq!(taken, (1..=most).contains(&amount), "{amount} {unit}");
        }
    }
    for wrong in [
        "", "5", "05 wd", "5  wd", "5wd", "5 y", "-1 wd", "+1 wd", "5 wd ",
    ] {
        assert!(!validator.is_valid(&json!(wrong)), "{wrong}");
    }
}
