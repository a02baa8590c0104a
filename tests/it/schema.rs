//! Both databases have the same tables, and `src/store/schema.rs` says what they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{PgConnection, SqliteConnection};
use jianjian::store::{DatabaseUrl, migrate};

use crate::support::TestApp;
use crate::support::database::TestDatabase;
use crate::support::files;
use crate::support::story::Story;

/// A table as both databases see it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Table {
    /// Name, type and whether it may be null, in order.
    columns: Vec<(String, &'static str, bool)>,
    /// Name and definition, without blanks.
    constraints: BTreeSet<(String, String)>,
    /// Name and definition, without blanks.
    indexes: BTreeSet<(String, String)>,
}

type Catalogue = BTreeMap<String, Table>;

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    definition: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Names of our types in both databases.
const TYPES: &[(&str, &str, &str)] = &[
    ("UUID_BLOB", "uuid", "Uid"),
    ("TIMESTAMPTZ_TEXT", "timestamptz", "Moment"),
    ("DATE_TEXT", "date", "Day"),
    ("JSONB_TEXT", "jsonb", "Doc"),
    ("BLOB", "bytea", "Binary"),
    ("TEXT", "text", "Text"),
    ("INTEGER", "int4", "Integer"),
    ("BIGINT", "int8", "BigInt"),
    ("BOOLEAN", "bool", "Bool"),
];

fn own_type(kind: &str) -> &'static str {
    TYPES
        .iter()
        .find(|(sqlite, postgres, _)| [*sqlite, *postgres].contains(&kind))
        .map_or_else(
            || panic!("the type {kind} is not one of ours"),
            |(_, _, own)| own,
        )
}

/// Without blanks, and without the quotes that PostgreSQL puts around some names.
fn squeezed(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && *c != '"')
        .collect()
}

fn columns(rows: Vec<Column>) -> Vec<(String, &'static str, bool)> {
    rows.into_iter()
        .map(|row| (row.name, own_type(&row.kind), row.nullable))
        .collect()
}

fn named(rows: Vec<Named>) -> BTreeSet<(String, String)> {
    rows.into_iter()
        .map(|row| (row.name, squeezed(&row.definition)))
        .collect()
}

fn sqlite() -> Catalogue {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("schema.db");
    migrate::run(&DatabaseUrl::Sqlite(file.clone())).expect("to migrate");
    let mut connection =
        SqliteConnection::establish(file.to_str().expect("a name")).expect("to connect");
    let tables: Vec<Named> = diesel::sql_query(
        "SELECT name, sql AS definition FROM sqlite_master WHERE type = 'table' \
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '__diesel_schema_migrations'",
    )
    .load(&mut connection)
    .expect("tables");
    let mut catalogue = Catalogue::new();
    for Named { name, definition } in tables {
        let found = columns(
            diesel::sql_query(format!(
                "SELECT name, type AS kind, \"notnull\" = 0 AS nullable \
                 FROM pragma_table_info('{name}') ORDER BY cid"
            ))
            .load(&mut connection)
            .expect("columns"),
        );
        let indexes = named(
            diesel::sql_query(format!(
                "SELECT name, sql AS definition FROM sqlite_master \
                 WHERE type = 'index' AND tbl_name = '{name}' AND sql IS NOT NULL"
            ))
            .load(&mut connection)
            .expect("indexes"),
        );
        // SQLite forgets the names of constraints; they stand in the statement only.
        let constraints: BTreeSet<_> = definition
            .lines()
            .filter_map(|line| {
                line.trim()
                    .trim_end_matches(',')
                    .strip_prefix("CONSTRAINT ")
            })
            .filter_map(|rest| rest.split_once(' '))
            .map(|(name, rest)| (name.to_owned(), squeezed(rest)))
            .collect();
        let foreign: Count = diesel::sql_query(format!(
            "SELECT COUNT(DISTINCT id) AS count FROM pragma_foreign_key_list('{name}')"
        ))
        .get_result(&mut connection)
        .expect("foreign keys");
        let listed = constraints
            .iter()
            .filter(|(_, rest)| rest.starts_with("FOREIGN"))
            .count();
        assert_eq!(
            foreign.count,
            i64::try_from(listed).expect("a count"),
            "{name}"
        );
        catalogue.insert(
            name,
            Table {
                columns: found,
                constraints,
                indexes,
            },
        );
    }
    catalogue
}

fn postgres(url: &str) -> Catalogue {
    let mut connection = PgConnection::establish(url).expect("to connect");
    let tables: Vec<Named> = diesel::sql_query(
        "SELECT table_name::text AS name, '' AS definition FROM information_schema.tables \
         WHERE table_schema = 'public' AND table_name <> '__diesel_schema_migrations'",
    )
    .load(&mut connection)
    .expect("tables");
    let mut catalogue = Catalogue::new();
    for Named { name, .. } in tables {
        let found = columns(
            diesel::sql_query(format!(
                "SELECT column_name::text AS name, udt_name::text AS kind, \
                 is_nullable = 'YES' AS nullable FROM information_schema.columns \
                 WHERE table_schema = 'public' AND table_name = '{name}' ORDER BY ordinal_position"
            ))
            .load(&mut connection)
            .expect("columns"),
        );
        let constraints = named(
            diesel::sql_query(format!(
                "SELECT conname::text AS name, pg_get_constraintdef(oid) AS definition \
                 FROM pg_constraint WHERE conrelid = 'public.{name}'::regclass \
                 AND contype IN ('p', 'u', 'f', 'c')"
            ))
            .load(&mut connection)
            .expect("constraints"),
        );
        let indexes = named(
            diesel::sql_query(format!(
                "SELECT indexname::text AS name, \
                 replace(replace(indexdef, 'public.', ''), 'USING btree ', '') AS definition \
                 FROM pg_indexes WHERE schemaname = 'public' AND tablename = '{name}' \
                 AND indexname NOT IN (SELECT conname FROM pg_constraint)"
            ))
            .load(&mut connection)
            .expect("indexes"),
        );
        catalogue.insert(
            name,
            Table {
                columns: found,
                constraints,
                indexes,
            },
        );
    }
    catalogue
}

fn rendered(catalogue: &Catalogue) -> String {
    let mut out = String::from(
        "// Derived from the migrations by `cargo test schema` (see tests/it/schema.rs); do not edit.\n\n",
    );
    for (name, table) in catalogue {
        let key = table
            .constraints
            .iter()
            .find_map(|(_, definition)| definition.strip_prefix("PRIMARYKEY"))
            .unwrap_or_else(|| panic!("{name} has no primary key"))
            .replace(',', ", ");
        write!(
            out,
            "diesel::table! {{\n    use diesel::sql_types::*;\n    \
             use crate::store::sql_types::{{Day, Doc, Moment, Uid}};\n\n    {name} {key} {{\n"
        )
        .expect("to write");
        for (column, kind, nullable) in &table.columns {
            let kind = if *nullable {
                format!("Nullable<{kind}>")
            } else {
                (*kind).to_owned()
            };
            writeln!(out, "        {column} -> {kind},").expect("to write");
        }
        out.push_str("    }\n}\n\n");
    }
    out.push_str("diesel::allow_tables_to_appear_in_same_query!(\n");
    for name in catalogue.keys() {
        writeln!(out, "    {name},").expect("to write");
    }
    out.push_str(");\n");
    out
}

#[test]
fn schema_rs_is_what_the_migrations_make() {
    files::assert_current("src/store/schema.rs", rendered(&sqlite()).as_bytes());
}

#[test]
fn both_databases_have_the_same_schema() {
    let database = TestDatabase::create();
    let DatabaseUrl::Postgres(url) = database.url() else {
        return;
    };
    let (sqlite, postgres) = (sqlite(), postgres(url));
    assert_eq!(
        sqlite.keys().collect::<Vec<_>>(),
        postgres.keys().collect::<Vec<_>>(),
        "tables of SQLite and PostgreSQL"
    );
    for (name, table) in &sqlite {
        assert_eq!(table, &postgres[name], "{name} in SQLite and in PostgreSQL");
    }
}

/// The tables in which nothing is changed or deleted, and the triggers that see to it.
#[test]
fn both_databases_guard_the_same_tables() {
    const GUARDED: [&str; 4] = ["audit_seal_heads", "audit_seals", "events", "feed"];
    let database = TestDatabase::create();
    let (sql, operations): (&str, &[&str]) = match database.url() {
        DatabaseUrl::Sqlite(_) => (
            "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
            &["delete", "update"],
        ),
        DatabaseUrl::Postgres(_) => (
            "SELECT tgname::text AS name FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O' \
             ORDER BY name",
            &["delete", "truncate", "update"],
        ),
    };
    let expected: Vec<_> = GUARDED
        .iter()
        .flat_map(|table| {
            operations
                .iter()
                .map(move |operation| format!("{table}_no_{operation}"))
        })
        .collect();
    assert_eq!(database.names(sql), expected);
}

#[test]
fn everything_of_a_tenant_is_keyed_by_the_committee() {
    for (name, table) in sqlite() {
        if ["committees", "seal_keys", "signing_keys"].contains(&name.as_str()) {
            continue;
        }
        for (constraint, definition) in &table.constraints {
            let scoped = definition.contains("(committee_id");
            assert!(
                scoped,
                "{constraint} of {name} does not start with committee_id"
            );
        }
        for (index, definition) in &table.indexes {
            // The workers look for what is due, and for what is left over, in all committees at once.
            let of_all = ["clocks_wake_idx", "jobs_due_idx", "attachments_status_idx"];
            if of_all.contains(&index.as_str()) {
                continue;
            }
            assert!(
                definition.contains("(committee_id"),
                "{index} does not start with committee_id"
            );
        }
    }
}

#[test]
fn migrating_twice_changes_nothing() {
    let database = TestDatabase::empty();
    assert!(
        !migrate::pending(database.url())
            .expect("to look")
            .is_empty()
    );
    assert!(!migrate::run(database.url()).expect("to migrate").is_empty());
    assert!(migrate::run(database.url()).expect("to migrate").is_empty());
    assert!(
        migrate::pending(database.url())
            .expect("to look")
            .is_empty()
    );
}

/// The table of proposals is made anew on SQLite: nothing is lost, and references still hold.
#[actix_web::test]
async fn a_database_with_cases_takes_the_series_of_case_numbers() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut case = Story::draft(&app, &town, &town.members[0]).await;
    case.until_filed().await;
    case.assign("joint", &[0, 1]).await;
    case.accept(0).await;
    case.contact(0).await;
    case.draft_reply(0).await;
    let seen = case.seen_by(&town.auditor).await.status(200);
    let rows = app.database().row_counts();
    app.database()
        .migrate_again("2026-11-25-000500_case_series");
    assert_eq!(app.database().row_counts(), rows);
    let again = case.seen_by(&town.auditor).await.status(200);
    assert_eq!(again.json, seen.json);
    app.database().refuses("DELETE FROM proposals");
    let next = Story::draft(&app, &town, &town.members[1]).await;
    assert_eq!(next.until_filed().await.json["case_no"], 2);
}

#[test]
fn two_that_migrate_at_once_take_turns() {
    let database = TestDatabase::empty();
    let applied: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| migrate::run(database.url()).expect("to migrate").len()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .sum()
    });
    assert_eq!(
        applied,
        migrate::embedded().expect("the migrations")[0].len()
    );
}
