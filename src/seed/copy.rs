//! One copy of a year: other identifiers, other numbers, another place, and the chain of events
//! computed anew.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::layout::{Body, session_number};
use super::template::{Name, Scope, Template, cells, joined, series_of};
use crate::digest;
use crate::error::{Error, Result};
use crate::ids::CommitteeId;
use crate::store::Tx;
use crate::store::bulk::{self, Table};

/// The place of the template.
const PLACE: &str = "云川";

/// The series of the positions in a committee's feed.
const FEED: &str = "feed";

/// Which copy.
#[derive(Debug, Clone)]
pub struct Part {
    /// The committee.
    pub body: Body,
    /// The session, counted back from the present one.
    pub back: usize,
    /// The copy within the session.
    pub copy: usize,
}

/// How a committee stands in the database, with the copies that are on their way there.
#[derive(Debug)]
pub struct Standing {
    committee: CommitteeId,
    /// Its registers are there.
    founded: bool,
    /// Numbers of its terms.
    terms: BTreeSet<i64>,
    /// Numbers allotted.
    series: BTreeMap<String, i64>,
}

impl Standing {
    /// As the database has it.
    pub fn read(tx: &mut Tx<'_>, body: &Body) -> Result<Self> {
        let committee = committee_id(&body.code)?;
        let series = bulk::series(tx, committee)?;
        Ok(Self {
            committee,
            founded: !series.is_empty(),
            terms: bulk::terms(tx, committee)?,
            series,
        })
    }

    /// Adds what the committee has allotted before.
    fn shift(&self, cells: &mut [Value], at: usize, series: &str) {
        if let Some(number) = cells.get(at).and_then(Value::as_i64) {
            cells[at] = (number + self.allotted(series)).into();
        }
    }

    fn allotted(&self, series: &str) -> i64 {
        self.series.get(series).copied().unwrap_or(0)
    }

    fn next_in_feed(&mut self) -> i64 {
        let position = self.series.entry(FEED.to_owned()).or_default();
        *position += 1;
        *position
    }
}

/// Rows of a copy, table by table as in its template.
#[derive(Debug)]
pub struct Copy {
    committee: CommitteeId,
    rows: Vec<Vec<String>>,
    ends: BTreeMap<String, i64>,
}

/// Enters the committee itself, if it is not there, so that others can be below it.
pub fn found(tx: &mut Tx<'_>, template: &Template, body: &Body) -> Result<()> {
    if bulk::committees_called(tx, &body.code)?.contains_key(&body.code) {
        return Ok(());
    }
    let part = Part {
        body: body.clone(),
        back: 0,
        copy: 0,
    };
    let mut standing = Standing::read(tx, body)?;
    let its_own = |name: &Name| match name.key.as_str() {
        "committee" => id_of(name, &part),
        _ => String::new(),
    };
    let ids: Vec<_> = template.names.iter().map(its_own).collect();
    let copying = Copying::new(template, &part, &ids, &standing);
    let place = copying.place_of("committees")?;
    let rows = copying.rows(place, &mut standing)?;
    bulk::insert(tx, &template.tables[place].0, &rows)
}

/// Makes a copy; `None` if it is there already, from an earlier run.
pub fn make(template: &Template, part: &Part, standing: &mut Standing) -> Result<Option<Copy>> {
    let ids = ids_of(template, part);
    let own = series_of(template, &ids);
    let serial = own
        .iter()
        .find(|(series, _)| series.starts_with("serial:"))
        .ok_or_else(|| Error::internal("a year without numbers"))?;
    let copies = standing.allotted(serial.0) / (*serial.1).max(1);
    if copies > i64::try_from(part.copy).unwrap_or(i64::MAX) {
        return Ok(None);
    }
    let mut copying = Copying::new(template, part, &ids, standing);
    let mut events = Some(copying.events(standing)?);
    let mut rows = Vec::with_capacity(template.tables.len());
    for (index, (table, _)) in template.tables.iter().enumerate() {
        rows.push(match table.name.as_str() {
            "events" => events.take().unwrap_or_default(),
            // It was founded.
            "committees" => Vec::new(),
            _ => copying.rows(index, standing)?,
        });
    }
    let mut ends = BTreeMap::new();
    for (series, end) in own {
        let per_case = ["serial:", "case:", "document:"];
        if per_case.iter().any(|kind| series.starts_with(kind)) {
            let before = standing.allotted(&series);
            ends.insert(series, before + end);
        } else if !standing.founded {
            ends.insert(series, end);
        }
    }
    ends.insert(FEED.to_owned(), standing.allotted(FEED));
    standing.founded = true;
    standing.terms.insert(session_number(part.back).0);
    standing.series.extend(ends.clone());
    Ok(Some(Copy {
        committee: standing.committee,
        rows,
        ends,
    }))
}

/// Writes a copy.
pub fn write(tx: &mut Tx<'_>, template: &Template, copy: &Copy) -> Result<()> {
    for ((table, _), rows) in template.tables.iter().zip(&copy.rows) {
        bulk::insert(tx, table, rows).map_err(|error| {
            let why = error.log_context().unwrap_or_default().to_owned();
            error.context(format!("seeding {}: {why}", table.name))
        })?;
    }
    bulk::set_series(tx, copy.committee, &copy.ends)
}

fn ids_of(template: &Template, part: &Part) -> Vec<String> {
    let names = template.names.iter();
    names.map(|name| id_of(name, part)).collect()
}

/// The identifier of a seeded committee.
pub fn committee_id(code: &str) -> Result<CommitteeId> {
    let hex = made(&[0; 16], &["committee", code]);
    format!("cmte_{hex}").parse().map_err(Error::internal)
}

fn id_of(name: &Name, part: &Part) -> String {
    let code = part.body.code.as_str();
    let (term, number) = session_number(part.back);
    let old = uuid::Uuid::from_bytes(name.old).simple().to_string();
    match (name.scope, name.key.as_str()) {
        (Scope::Committee, "committee") => made(&[0; 16], &["committee", code]),
        (Scope::Committee, "") => made(&name.old, &[code, &old]),
        (Scope::Committee, key) => made(&[0; 16], &[code, key]),
        (Scope::Term, "term") => made(&[0; 16], &[code, "term", &term.to_string()]),
        (Scope::Term, _) => made(&name.old, &[code, &old, &term.to_string()]),
        (Scope::Session, "session") => made(
            &[0; 16],
            &[code, "session", &term.to_string(), &number.to_string()],
        ),
        _ => made(
            &name.old,
            &[code, &old, &part.back.to_string(), &part.copy.to_string()],
        ),
    }
}

/// An identifier with the moment of `old` (48 bits) and 74 bits that follow from `from`.
fn made(old: &[u8; 16], from: &[&str]) -> String {
    let parts: Vec<&[u8]> = from.iter().map(|part| part.as_bytes()).collect();
    let hash = digest::hex(&parts);
    let mut bytes = [0; 16];
    for (place, byte) in bytes.iter_mut().enumerate() {
        let hex = hash.get(place * 2..place * 2 + 2).unwrap_or("00");
        *byte = u8::from_str_radix(hex, 16).unwrap_or(0);
    }
    bytes[..6].copy_from_slice(&old[..6]);
    bytes[6] = (bytes[6] & 0x0f) | 0x70;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    uuid::Uuid::from_bytes(bytes).simple().to_string()
}

/// What is written with a copy beside its cases.
#[derive(Debug, Clone, Copy)]
struct Scopes {
    committee: bool,
    term: bool,
    session: bool,
}

struct Copying<'a> {
    template: &'a Template,
    part: &'a Part,
    ids: &'a [String],
    scopes: Scopes,
    /// The ends of the chains, by stream.
    hashes: HashMap<String, String>,
}

impl<'a> Copying<'a> {
    fn new(template: &'a Template, part: &'a Part, ids: &'a [String], standing: &Standing) -> Self {
        let (term, _) = session_number(part.back);
        Self {
            template,
            part,
            ids,
            scopes: Scopes {
                committee: !standing.founded,
                term: !standing.terms.contains(&term),
                session: part.copy == 0,
            },
            hashes: HashMap::new(),
        }
    }

    fn is_written(&self, scope: Scope) -> bool {
        match scope {
            Scope::Committee => self.scopes.committee,
            Scope::Term => self.scopes.term,
            Scope::Session => self.scopes.session,
            Scope::Case => true,
        }
    }

    fn texts(&self, index: usize) -> impl Iterator<Item = String> {
        let rows = self.template.tables.get(index).map(|(_, rows)| rows);
        rows.into_iter()
            .flatten()
            .filter(|row| self.is_written(row.scope))
            .map(|row| joined(&row.pieces, self.ids).replace(PLACE, &self.part.body.place))
    }

    /// The events, each with the hash of what it says now.
    fn events(&mut self, standing: &mut Standing) -> Result<Vec<String>> {
        let place = self.place_of("events")?;
        let table = &self.template.tables[place].0;
        let (prev, own) = (table.position("prev_hash")?, table.position("hash")?);
        let texts: Vec<_> = self.texts(place).collect();
        let mut rows = Vec::with_capacity(texts.len());
        for text in texts {
            let mut cells = cells(&text)?;
            self.renumber(table, &mut cells, standing)?;
            let (stream, mut event) = bulk::event(table, &cells)?;
            let key = stream.id.uuid().simple().to_string();
            event.prev_hash = self.hashes.get(&key).cloned().unwrap_or_default();
            let hash = event.expected_hash(&stream);
            cells[prev] = Value::String(event.prev_hash);
            cells[own] = Value::String(hash.clone());
            self.hashes.insert(key, hash);
            rows.push(Value::Array(cells).to_string());
        }
        Ok(rows)
    }

    fn place_of(&self, table: &str) -> Result<usize> {
        self.template
            .tables
            .iter()
            .position(|(one, _)| one.name == table)
            .ok_or_else(|| Error::internal(format!("no table {table}")))
    }

    fn rows(&self, index: usize, standing: &mut Standing) -> Result<Vec<String>> {
        let table = &self.template.tables[index].0;
        if !matches!(
            table.name.as_str(),
            "committees" | "proposals" | "replies" | "feed" | "sessions" | "terms"
        ) {
            return Ok(self.texts(index).collect());
        }
        self.texts(index)
            .map(|text| {
                let mut cells = cells(&text)?;
                self.renumber(table, &mut cells, standing)?;
                Ok(Value::Array(cells).to_string())
            })
            .collect()
    }

    /// Gives a row the numbers that it has in its committee.
    fn renumber(&self, table: &Table, cells: &mut [Value], standing: &mut Standing) -> Result<()> {
        let (term, number) = session_number(self.part.back);
        let at = |column: &str| table.position(column);
        match table.name.as_str() {
            "committees" => {
                let (name, region) = names_of(&self.part.body);
                cells[at("code")?] = self.part.body.code.clone().into();
                cells[at("name")?] = name.into();
                cells[at("region")?] = region.into();
                cells[at("level")?] = self.part.body.level.as_str().into();
                if let Some(parent) = &self.part.body.parent {
                    let parent = committee_id(parent)?.uuid().simple().to_string();
                    cells[at("parent_id")?] = parent.into();
                }
            }
            "proposals" => {
                let session = text(cells, at("session_id")?);
                let series = match text(cells, at("case_series")?).as_str() {
                    "main" => format!("case:{session}"),
                    other => format!("case:{session}:{other}"),
                };
                standing.shift(cells, at("serial_no")?, &format!("serial:{session}"));
                standing.shift(cells, at("case_no")?, &series);
                let id = text(cells, at("id")?);
                if let Some(hash) = self.hashes.get(&id) {
                    cells[at("event_hash")?] = Value::String(hash.clone());
                }
            }
            "replies" => {
                let series = format!(
                    "document:{}:{}:{}",
                    text(cells, at("unit_id")?),
                    cells[at("document_year")?],
                    text(cells, at("document_prefix")?)
                );
                standing.shift(cells, at("document_number")?, &series);
            }
            "feed" => {
                cells[at("position")?] = standing.next_in_feed().into();
            }
            "terms" => {
                cells[at("number")?] = term.into();
                cells[at("name")?] = format!("{}届", numeral(term)).into();
            }
            "sessions" => {
                cells[at("number")?] = number.into();
                let name = format!("{}届{}次会议", numeral(term), numeral(number));
                cells[at("name")?] = name.into();
            }
            _ => {}
        }
        Ok(())
    }
}

fn text(cells: &[Value], at: usize) -> String {
    cells
        .get(at)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// A small number in Chinese characters.
fn numeral(number: i64) -> &'static str {
    const NUMERALS: [&str; 11] = [
        "零", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十",
    ];
    usize::try_from(number)
        .ok()
        .and_then(|number| NUMERALS.get(number))
        .unwrap_or(&"十")
}

/// The committee in the words of the copies.
pub fn names_of(body: &Body) -> (String, String) {
    use crate::workflow::lists::CommitteeLevel as L;
    let suffix = match body.level {
        L::National => "国",
        L::Provincial => "省",
        L::Municipal => "市",
        L::County => "县",
        L::TownshipWorkgroup => "镇",
    };
    let region = format!("{}{suffix}", body.place);
    (format!("政协{region}委员会"), region)
}
