//! All that a database holds, as text: to show that nothing of it changed, and to know what must
//! not be told.

use std::collections::BTreeMap;
use std::fmt::Write;

use jianjian::app::Body;
use jianjian::ids::CommitteeId;
use jianjian::store::DatabaseUrl;

use super::database::TestDatabase;

/// Rows as text, in order, under the name of their table.
pub type Contents = BTreeMap<String, Vec<String>>;

impl TestDatabase {
    /// Every row of every table, but for the refusals and reads of restricted cases in the trail,
    /// which are noted whatever comes of a request. If a committee is named: every row of it, those
    /// too, and nothing else.
    pub fn contents(&self, of: Option<CommitteeId>) -> Contents {
        let sqlite = matches!(self.url(), DatabaseUrl::Sqlite(_));
        let tables = self.names(if sqlite {
            "SELECT m.name || ' ' || c.name AS name \
             FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid"
        } else {
            "SELECT table_name || ' ' || column_name AS name FROM information_schema.columns \
             WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
        });
        let mut columns: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for line in &tables {
            let (table, column) = line.split_once(' ').expect("a table and a column");
            columns.entry(table).or_default().push(column);
        }
        let mut contents = Contents::new();
        let mut sql = String::new();
        for (table, columns) in &columns {
            let of = match of {
                None if *table == "events" => " WHERE stream_kind <> 'access'".to_owned(),
                None => String::new(),
                Some(of) => match owner(table, columns) {
                    Some(column) => format!(" WHERE {column} = {}", literal(of, sqlite)),
                    None => continue,
                },
            };
            let row = if sqlite {
                let quoted: Vec<_> = columns
                    .iter()
                    .map(|name| format!("quote(r.\"{name}\")"))
                    .collect();
                quoted.join(" || ' ' || ")
            } else {
                "r::text".to_owned()
            };
            if !sql.is_empty() {
                sql.push_str(" UNION ALL ");
            }
            write!(
                sql,
                "SELECT '{table} ' || {row} AS name FROM {table} AS r{of}"
            )
            .expect("to write");
            contents.insert((*table).to_owned(), Vec::new());
        }
        for line in self.names(&sql) {
            let (table, row) = line.split_once(' ').expect("a table and a row");
            let rows = contents.get_mut(table).expect("a table that was asked for");
            rows.push(match table {
                "idempotency_keys" => with_unpacked_answer(row),
                _ => row.to_owned(),
            });
        }
        for rows in contents.values_mut() {
            rows.sort_unstable();
        }
        contents
    }
}

/// A row with the text of the answer where it is packed.
fn with_unpacked_answer(row: &str) -> String {
    let parts = row.split_inclusive(|c: char| !c.is_ascii_hexdigit());
    let unpacked = parts.map(|part| {
        let digits = part.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
        let bytes: Option<Vec<u8>> = digits
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        let body = bytes.and_then(|bytes| Body::unpacked(&bytes).ok());
        match body.as_ref().and_then(Body::text) {
            Some(text) => part.replace(digits, text),
            None => part.to_owned(),
        }
    });
    unpacked.collect()
}

/// The column that says whose a row is.
fn owner(table: &str, columns: &[&str]) -> Option<&'static str> {
    if table == "committees" {
        Some("id")
    } else {
        columns.contains(&"committee_id").then_some("committee_id")
    }
}

fn literal(of: CommitteeId, sqlite: bool) -> String {
    let text = of.to_string();
    let (_, hex) = text.split_once('_').expect("a prefix");
    if sqlite {
        format!("X'{hex}'")
    } else {
        format!("'{hex}'::uuid")
    }
}

/// The rows that are in one and not in the other, a few of each table: what changed.
pub fn difference(before: &Contents, after: &Contents) -> Vec<String> {
    let mut found = Vec::new();
    for (table, rows) in after {
        let earlier = before.get(table).map_or(&[][..], Vec::as_slice);
        if rows == earlier {
            continue;
        }
        let one_sided = |these: &[String], those: &[String], sign: char| {
            let new = these
                .iter()
                .filter(|row| those.binary_search(row).is_err())
                .take(3)
                .map(|row| format!("{sign} {table}: {row}"));
            new.collect::<Vec<_>>()
        };
        found.extend(one_sided(earlier, rows, '-'));
        found.extend(one_sided(rows, earlier, '+'));
    }
    found
}
