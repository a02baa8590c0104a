//! Migrations that the binary of the release before survives: it goes on working while and after
//! they are applied, so that instances can be exchanged one by one, and back again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jianjian::store::{DatabaseUrl, migrate};

use super::facts::Sql;
use crate::support::database::TestDatabase;
use crate::support::{TestApp, steps};

/// The last release and its last migration: those after it must let its binary live. `None`: nothing
/// is released yet, so no migration has a binary before it. It is set with each release.
const RELEASED: Option<(&str, &str)> = None;

/// What a binary relies on.
#[derive(Debug, Default, Clone)]
struct Shape {
    /// Table and column; type, and whether every insert must name it.
    columns: BTreeMap<(String, String), (String, bool)>,
    /// Table and whatever rows it refuses: unique, check, foreign key.
    limits: Vec<(String, String)>,
}

fn shape(sql: &mut Sql) -> Shape {
    let (columns, limits) = if matches!(sql, Sql::Postgres(_)) {
        (
            "SELECT table_name || ' ' || column_name || ' ' || udt_name || ' ' || \
             CASE WHEN is_nullable = 'YES' OR column_default IS NOT NULL OR is_identity = 'YES' \
             THEN 'free' ELSE 'needed' END AS name \
             FROM information_schema.columns WHERE table_schema = 'public'",
            "SELECT conrelid::regclass::text || ' ' || pg_get_constraintdef(oid) AS name \
             FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n' \
             UNION SELECT tablename || ' ' || regexp_replace(indexdef, '^.* ON ', 'UNIQUE ') \
             FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE 'CREATE UNIQUE%'",
        )
    } else {
        (
            "SELECT m.name || ' ' || p.name || ' ' || p.type || ' ' || \
             CASE WHEN p.\"notnull\" = 0 OR p.dflt_value IS NOT NULL THEN 'free' ELSE 'needed' END \
             AS name FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table'",
            "SELECT m.name || ' UNIQUE ' || (SELECT group_concat(i.name) FROM pragma_index_info(l.name) i) \
             AS name FROM sqlite_master m, pragma_index_list(m.name) l \
             WHERE m.type = 'table' AND l.\"unique\" \
             UNION SELECT m.name || ' FOREIGN KEY ' || f.id || f.\"from\" || f.\"table\" \
             FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table' \
             UNION SELECT name || ' CHECKS ' || (length(sql) - length(replace(sql, 'CHECK', ''))) \
             FROM sqlite_master WHERE type = 'table' AND sql LIKE '%CHECK%'",
        )
    };
    let mut shape = Shape::default();
    for line in sql.words(columns) {
        let parts: Vec<_> = line.split(' ').collect();
        if let [table, column, kind @ .., need] = &parts[..] {
            let place = ((*table).to_owned(), (*column).to_owned());
            shape
                .columns
                .insert(place, (kind.join(" "), *need == "needed"));
        }
    }
    for line in sql.words(limits) {
        let (table, limit) = line.split_once(' ').expect("a table and its limit");
        shape.limits.push((table.to_owned(), limit.to_owned()));
    }
    shape
}

/// What of a step from one shape to the next a binary that knows the first does not survive.
fn breaks(before: &Shape, after: &Shape) -> Vec<String> {
    let mut found = Vec::new();
    for (place, (kind, needed)) in &before.columns {
        match after.columns.get(place) {
            None => found.push(format!("{}.{} is gone", place.0, place.1)),
            Some((now, _)) if now != kind => {
                found.push(format!("{}.{} becomes {now}", place.0, place.1));
            }
            Some((_, true)) if !needed => {
                found.push(format!(
                    "{}.{} must not be empty any more",
                    place.0, place.1
                ));
            }
            Some(_) => {}
        }
    }
    let old = |table: &str| before.columns.keys().any(|(known, _)| known == table);
    for ((table, column), (_, needed)) in &after.columns {
        let new = !before
            .columns
            .contains_key(&(table.clone(), column.clone()));
        if new && *needed && old(table) {
            found.push(format!(
                "{table}.{column} is new, and rows without it are refused"
            ));
        }
    }
    for (table, limit) in &after.limits {
        let known = before
            .limits
            .iter()
            .any(|(one, other)| one == table && other == limit);
        if !known && old(table) {
            found.push(format!("{table} refuses more: {limit}"));
        }
    }
    found
}

/// The text of an embedded migration.
fn text(backend: &str, name: &str) -> String {
    let root = env!("CARGO_MANIFEST_DIR");
    let path = format!("{root}/migrations/{backend}/{name}/up.sql");
    std::fs::read_to_string(&path).expect(&path)
}

#[test]
fn migrations_since_the_last_release_let_its_binary_live() {
    let database = TestDatabase::empty();
    let mut sql = Sql::open(database.url());
    let postgres = matches!(database.url(), DatabaseUrl::Postgres(_));
    let names = &migrate::embedded().expect("the migrations")[usize::from(postgres)];
    let released = RELEASED.map(|(_, last)| last);
    let known = released.is_none_or(|last| names.iter().any(|name| name == last));
    assert!(known, "{released:?} is no migration");
    let mut is_new = false;
    for name in names {
        let before = shape(&mut sql);
        let backend = if postgres { "postgres" } else { "sqlite" };
        sql.run(&format!("BEGIN; {} COMMIT;", text(backend, name)));
        if is_new {
            let found = breaks(&before, &shape(&mut sql));
            assert_eq!(
                found, [""; 0],
                "{name}: the release before does not survive it"
            );
        }
        is_new |= released == Some(name);
    }
    // The check finds what it must find.
    let whole = shape(&mut sql);
    assert!(
        whole.columns.len() > 300 && whole.limits.len() > 100,
        "{whole:?}"
    );
    for (change, finds) in [
        ("ALTER TABLE proposals ADD COLUMN extra TEXT", ""),
        (
            "ALTER TABLE proposals ADD COLUMN more TEXT NOT NULL DEFAULT 'x'",
            "",
        ),
        (
            "CREATE TABLE aside (id INTEGER NOT NULL, name TEXT NOT NULL UNIQUE)",
            "",
        ),
        (
            "CREATE INDEX proposals_extra_idx ON proposals (committee_id, extra)",
            "",
        ),
        (
            "ALTER TABLE proposals RENAME COLUMN extra TO other",
            "extra is gone",
        ),
        ("ALTER TABLE proposals DROP COLUMN more", "more is gone"),
        ("ALTER TABLE duties RENAME TO tasks", "is gone"),
        (
            "CREATE UNIQUE INDEX proposals_title_key ON proposals (committee_id, title)",
            "refuses more",
        ),
        ("DROP TABLE feed", "is gone"),
    ] {
        let before = shape(&mut sql);
        sql.run(change);
        let found = breaks(&before, &shape(&mut sql));
        match finds {
            "" => assert_eq!(found, [""; 0], "{change}"),
            finds => assert!(
                found.iter().any(|one| one.contains(finds)),
                "{change}: {found:?}"
            ),
        }
    }
    if postgres {
        for change in [
            "ALTER TABLE proposals ADD COLUMN must TEXT NOT NULL",
            "ALTER TABLE proposals ALTER COLUMN case_no SET NOT NULL",
            "ALTER TABLE proposals ALTER COLUMN round TYPE BIGINT",
            "ALTER TABLE proposals ADD CHECK (round > 0)",
        ] {
            let before = shape(&mut sql);
            sql.run(change);
            assert!(!breaks(&before, &shape(&mut sql)).is_empty(), "{change}");
        }
    }
}

/// The newest version of a changelog that has a date.
fn newest(changelog: &str) -> Option<&str> {
    changelog
        .lines()
        .filter_map(|line| line.strip_prefix("## [")?.split_once(']'))
        .find(|(version, date)| {
            let text = format!("{version}{date}").to_lowercase();
            !text.contains("unreleased")
        })
        .map(|(version, _)| version)
}

/// Without this a release could forget the constant, and every later migration would pass.
#[test]
fn the_last_release_is_what_migrations_are_measured_from() {
    let released = newest(include_str!("../../../CHANGELOG.md"));
    assert_eq!(
        RELEASED.map(|(version, _)| version),
        released,
        "RELEASED names the last release of the changelog and its last migration"
    );
    for (changelog, wanted) in [
        ("## [0.1.0] – unreleased", None),
        (
            "## [Unreleased]\n## [0.2.0] – 2027-01-01\n## [0.1.0] – 2026-12-01",
            Some("0.2.0"),
        ),
    ] {
        assert_eq!(newest(changelog), wanted);
    }
}

/// A service goes on answering while the schema grows under it, as it does when the first instance
/// of a new release starts beside those of the old one.
#[actix_web::test]
async fn a_running_service_survives_additive_migrations() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    steps::draft(&member, "关于优化公交线路的提案").await;
    let url = app.db().url().clone();
    let stop = Arc::new(AtomicBool::new(false));
    let ended = Arc::clone(&stop);
    let migrating = std::thread::spawn(move || {
        let mut sql = Sql::open(&url);
        let begin = match sql {
            Sql::Postgres(_) => "BEGIN",
            Sql::Sqlite(_) => "BEGIN IMMEDIATE",
        };
        for number in 0..5 {
            // One transaction, as `jianjian migrate` makes it.
            sql.run(&format!(
                "{begin}; ALTER TABLE proposals ADD COLUMN extra{number} TEXT; \
                 ALTER TABLE events ADD COLUMN extra{number} INTEGER NOT NULL DEFAULT 7; \
                 CREATE TABLE aside{number} (id INTEGER NOT NULL PRIMARY KEY); \
                 CREATE INDEX proposals_extra{number}_idx ON proposals (committee_id, extra{number}); \
                 COMMIT"
            ));
            sql.words(match sql {
                Sql::Postgres(_) => "SELECT pg_sleep(0.1)::text AS name",
                Sql::Sqlite(_) => "SELECT 'on' AS name",
            });
        }
        ended.store(true, Ordering::SeqCst);
    });
    let mut made = 0;
    while !stop.load(Ordering::SeqCst) || made < 20 {
        steps::draft(&member, "关于优化公交线路的提案").await;
        member.get("/api/v1/proposals").send().await.status(200);
        made += 1;
    }
    migrating.join().expect("the migrations");
    let page = member
        .get("/api/v1/proposals?count=true")
        .send()
        .await
        .status(200);
    assert_eq!(page.json["count"], made + 1);
}
