//! Which test shows which row of the tables. A test says so with [`witness`], which reads the
//! history of its case over HTTP; `docs/rows.md` is made from these calls.

use std::collections::BTreeMap;
use std::fmt::Write;

use jianjian::workflow::rule::{Machine, Rule, State, To, rules};
use serde_json::Value;

use super::{Client, files};

/// Asserts that these rows were taken in the case: its timeline has an event of each, with the
/// name, the statuses and a role that the row says. The rows stand in the call as literals, and
/// the call in the test itself, so that `docs/rows.md` can name both. `proposal` is an identifier
/// or an address; `reader` sees every event of the case, as an auditor does.
pub async fn witness(reader: &Client, proposal: &str, rows: &[&str]) {
    let events = history(reader, proposal).await;
    for id in rows {
        let rule = row(id);
        let own: Vec<_> = events.iter().filter(|event| event["rule"] == *id).collect();
        assert!(
            !own.is_empty(),
            "{id} was not taken; there is {:?}",
            events
                .iter()
                .map(|event| &event["rule"])
                .collect::<Vec<_>>()
        );
        let mut taken = 0;
        for event in own {
            // Several rows may bear one number; and a row of people may be part of another one,
            // which the system takes.
            let same = |rule: &&Rule| rule.id == *id && event["name"] == rule.event;
            let entitled = |rule: &Rule| {
                let acted_as = event["actor_role"].as_str();
                rule.who
                    .iter()
                    .any(|who| Some(who.role().as_str()) == acted_as)
            };
            match rules().filter(same).find(|rule| entitled(rule)) {
                None if event["actor_role"] == "system" => continue,
                found => agrees(found.unwrap_or(rule), event),
            }
            taken += 1;
        }
        assert!(taken > 0, "{id} was only part of other rows");
    }
}

/// The same for rows that leave no event of their own: the test has to show by itself what they
/// do, and here that the timeline says nothing about them.
pub async fn witness_without_event(reader: &Client, proposal: &str, rows: &[&str]) {
    let events = history(reader, proposal).await;
    for id in rows {
        let rule = row(id);
        assert!(
            events.iter().all(|event| event["rule"] != rule.id),
            "{id} has an event: use witness"
        );
    }
}

fn row(id: &str) -> &'static Rule {
    rules()
        .find(|rule| rule.id == id)
        .unwrap_or_else(|| panic!("no row {id} in the tables"))
}

/// Every event of a case.
async fn history(reader: &Client, proposal: &str) -> Vec<Value> {
    let id = proposal.rsplit('/').next().unwrap_or_default();
    let base = format!("/api/v1/proposals/{id}/timeline?limit=100");
    let mut events = Vec::new();
    let mut address = base.clone();
    loop {
        let page = reader.get(&address).send().await.status(200);
        events.extend_from_slice(page.json["items"].as_array().expect("items"));
        match page.json["next_cursor"].as_str() {
            Some(cursor) => address = format!("{base}&cursor={cursor}"),
            None => return events,
        }
    }
}

/// Asserts that an event is what its row says.
fn agrees(rule: &Rule, event: &Value) {
    let id = rule.id;
    assert_eq!(event["name"], rule.event, "{id}: {event}");
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    assert!(
        rule.from.iter().any(|from| from.as_str() == text("before")),
        "{id} does not start from there: {event}"
    );
    let after = match rule.to {
        // It restores the status from before, which the table cannot name.
        To::Stay if id == "PT18" => {
            assert!(["submitted", "filed"].contains(&text("after")), "{event}");
            text("after")
        }
        // A row that makes something says where it begins in its effect.
        To::Stay if rule.from == [State::Start] => text("after"),
        To::Stay => text("before"),
        To::State(to) => to.as_str(),
    };
    assert_eq!(text("after"), after, "{id} leads elsewhere: {event}");
    assert!(
        rule.who
            .iter()
            .any(|who| who.role().as_str() == text("actor_role")),
        "{id} is not for that role: {event}"
    );
}

/// A call of `witness` in the source of a test.
struct Shown {
    file: String,
    test: String,
    rows: Vec<String>,
    silent: bool,
}

/// Every such call in `tests/it`.
fn all_shown() -> Vec<Shown> {
    files::rust_files("tests/it")
        .iter()
        .filter(|(name, _)| !name.starts_with("tests/it/support/"))
        .flat_map(|(name, text)| shown_in(name, text))
        .collect()
}

fn shown_in(file: &str, source: &str) -> Vec<Shown> {
    let mut found = Vec::new();
    for (call, silent) in [("witness(", false), ("witness_without_event(", true)] {
        for (at, _) in source.match_indices(call) {
            let (before, after) = (&source[..at], &source[at..]);
            let start = before.rsplit('\n').next().unwrap_or_default();
            if start.contains("//") {
                continue;
            }
            let statement = after.split(';').next().unwrap_or_default();
            let line = before.lines().count();
            let rows: Vec<_> = statement
                .split('"')
                .skip(1)
                .step_by(2)
                .filter(|word| is_row(word))
                .map(str::to_owned)
                .collect();
            assert!(
                !rows.is_empty(),
                "{file}:{line}: name the rows as literals in the call of witness"
            );
            for id in &rows {
                row(id);
            }
            let test = enclosing_test(before).unwrap_or_else(|| {
                panic!("{file}:{line}: call witness in the test itself, not in a helper")
            });
            found.push(Shown {
                file: file.to_owned(),
                test,
                rows,
                silent,
            });
        }
    }
    found
}

/// Such as `PT15` or `AT03b`.
fn is_row(word: &str) -> bool {
    ["PT", "AT", "RT", "OT"].iter().any(|prefix| {
        word.strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// Name of the test function in which the text ends.
fn enclosing_test(before: &str) -> Option<String> {
    let lines: Vec<_> = before.lines().map(str::trim).collect();
    let at = lines
        .iter()
        .rposition(|line| line.starts_with("fn ") || line.starts_with("async fn "))?;
    let is_test = lines[..at]
        .iter()
        .rev()
        .take_while(|line| line.starts_with("#["))
        .any(|line| line.ends_with("test]"));
    let name = lines[at].split("fn ").nth(1)?.split('(').next()?;
    is_test.then(|| name.to_owned())
}

/// The rows that no test shows.
pub fn rows_without_test() -> Vec<&'static str> {
    let shown = all_shown();
    rules()
        .map(|rule| rule.id)
        .filter(|id| !shown.iter().any(|one| one.rows.iter().any(|row| row == id)))
        .collect()
}

/// `docs/rows.md`.
pub fn rows_markdown() -> String {
    let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in all_shown() {
        let module = one
            .file
            .trim_start_matches("tests/it/")
            .trim_end_matches(".rs");
        let note = if one.silent {
            " (no event 无事件)"
        } else {
            ""
        };
        let entry = format!("[{module}](../{})`::{}`{note}", one.file, one.test);
        for row in one.rows {
            let known = tests.entry(row).or_default();
            if !known.contains(&entry) {
                known.push(entry.clone());
            }
        }
    }
    let mut out = String::from(
        "# 操作与测试 Rows and tests\n\n\
         <!-- Made from the calls of `witness` in tests/it (`UPDATE=1 cargo test --test it docs`); do not edit. -->\n\n\
         For every row of the [tables](workflow.md), the tests that take it over HTTP and then find its event in\n\
         the timeline of the case, with the statuses and a role that the row says. A row without a test fails the\n\
         tests. `(no event)` marks rows that leave no event of their own; there the test shows their effect.\n\n\
         表中每一行都有测试经 HTTP 实际执行，并在提案的时间线上核对其事件、前后状态和角色。\n",
    );
    for machine in Machine::ALL.iter().copied() {
        let label = machine.label();
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "\n## {} {}\n\n| Row | Action 操作 | From → to | Tests 测试 |\n| --- | --- | --- | --- |\n",
            label.zh, label.en
        );
        for rule in rules().filter(|rule| rule.action.machine() == machine) {
            let from: Vec<_> = rule.from.iter().map(|state| code(*state)).collect();
            let to = match rule.to {
                To::Stay => "=".to_owned(),
                To::State(state) => code(state),
            };
            let _ = writeln!(
                out,
                "| [{}](workflow.md#{}) | {} `{}` | {} → {to} | {} |",
                rule.id,
                rule.id.to_ascii_lowercase(),
                rule.action.label().zh,
                rule.action.as_str(),
                from.join(", "),
                tests
                    .get(rule.id)
                    .map(|tests| tests.join("<br/>"))
                    .unwrap_or_default(),
            );
        }
    }
    out
}

fn code(state: State) -> String {
    match state {
        State::Start => "–".to_owned(),
        state => format!("`{}`", state.as_str()),
    }
}
