//! Many cases at little cost: copies of the one there is, made by the database itself.

use jianjian::store::DatabaseUrl;

use super::database::TestDatabase;

/// Tables of a case that is assigned, in the order of their references.
const TABLES: [&str; 6] = [
    "proposals",
    "proposal_texts",
    "proposers",
    "assignments",
    "clocks",
    "duties",
];

/// Columns that name the case or something in it.
const OWN: [&str; 4] = ["id", "proposal_id", "subject_id", "assignment_id"];

/// Makes `count` copies of the only case, each with numbers of its own and with a history that
/// begins with whatever happens next.
pub fn multiply(database: &TestDatabase, count: usize) {
    let postgres = matches!(database.url(), DatabaseUrl::Postgres(_));
    for table in TABLES {
        let columns = database.names(&if postgres {
            format!(
                "SELECT column_name::text AS name FROM information_schema.columns \
                 WHERE table_schema = 'public' AND table_name = '{table}'"
            )
        } else {
            format!("SELECT name FROM pragma_table_info('{table}')")
        });
        let values: Vec<_> = columns
            .iter()
            .map(|column| match column.as_str() {
                own if OWN.contains(&own) && postgres => format!(
                    "(substr(replace(t.{own}::text, '-', ''), 1, 24) \
                     || lpad(to_hex(s.n), 8, '0'))::uuid"
                ),
                own if OWN.contains(&own) => {
                    format!("unhex(substr(hex(t.{own}), 1, 24) || printf('%08X', s.n))")
                }
                number @ ("serial_no" | "case_no") => format!("t.{number} + s.n"),
                "event_seq" => "0".to_owned(),
                "event_hash" => "''".to_owned(),
                other => format!("t.{other}"),
            })
            .collect();
        database.execute(&format!(
            "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) \
             INSERT INTO {table} ({}) SELECT {} FROM {table} t, s",
            columns.join(", "),
            values.join(", "),
        ));
    }
}
