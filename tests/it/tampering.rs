//! Random tampering with a sealed trail, by somebody who owns the database: all of it is found with
//! a seal that was kept elsewhere. `JIANJIAN_TAMPERINGS` says how many, `JIANJIAN_TAMPER_SEED` which.

use std::collections::BTreeMap;
use std::fmt::Write;

use jianjian::app::sealing;
use jianjian::ids::{EventId, StreamId, SubjectId};
use jianjian::store::events::{self, Event, Stream};
use jianjian::store::sql_types::{At, Json};
use jianjian::store::verify::{self, Exported};
use jianjian::store::{DatabaseUrl, seals};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::TestApp;
use crate::support::seed::Town;
use crate::support::story::Story;

/// How many, unless the environment says otherwise.
const USUAL: u64 = 120;

/// Ways to tamper, and whether one is found without a seal that was kept elsewhere.
const WAYS: [(&str, bool); 9] = [
    ("edit", true),
    ("delete", true),
    ("swap", true),
    ("insert", true),
    ("cut the tail", true),
    ("rewrite a chain", true),
    ("take a chain away", true),
    ("forge a chain", true),
    ("rewrite a chain and all seals with the stolen key", false),
];

fn number(name: &str, usual: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "it says how long to test")]
    let text = std::env::var(name).ok();
    text.map_or(usual, |text| text.parse().expect(name))
}

/// xorshift: the same numbers for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(most).expect("small")).expect("small")
    }
}

type Chains = Vec<(StreamId, Vec<Event>)>;

struct Attacker<'a> {
    app: &'a TestApp,
    town: &'a Town,
    /// What is older must be under a seal. A whole chain that claims to be younger is no other than
    /// one that was written just now.
    horizon: Timestamp,
}

impl Attacker<'_> {
    fn bytes(&self, uuid: uuid::Uuid) -> String {
        match self.app.db().url() {
            DatabaseUrl::Sqlite(_) => format!("x'{}'", uuid.simple()),
            DatabaseUrl::Postgres(_) => format!("'{uuid}'"),
        }
    }

    fn committee(&self) -> String {
        self.bytes(self.town.committee.uuid())
    }

    async fn chains(&self) -> Chains {
        let sql = match self.app.db().url() {
            DatabaseUrl::Sqlite(_) => {
                "SELECT DISTINCT lower(hex(stream_id)) AS name FROM events ORDER BY 1"
            }
            DatabaseUrl::Postgres(_) => {
                "SELECT DISTINCT replace(stream_id::text, '-', '') AS name FROM events ORDER BY 1"
            }
        };
        let ids = self.app.database().names(sql);
        let committee = self.town.committee;
        self.app
            .read(move |tx| {
                ids.iter()
                    .map(|id| {
                        let id = StreamId::from_uuid(uuid::Uuid::try_parse(id).expect("an id"));
                        let stream = Stream {
                            committee,
                            kind: "",
                            id,
                        };
                        Ok((id, events::list(tx, &stream, 0, 10_000)?))
                    })
                    .collect()
            })
            .await
    }

    /// Puts these events in the place of a chain, and lets the case remember its new end.
    fn put(&self, stream: StreamId, events: &[Event]) {
        let (committee, id) = (self.committee(), self.bytes(stream.uuid()));
        let mut sql =
            format!("DELETE FROM events WHERE committee_id = {committee} AND stream_id = {id};");
        let text = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let some = |value: Option<String>| value.unwrap_or_else(|| "NULL".to_owned());
        for event in events {
            write!(
                sql,
                "INSERT INTO events (committee_id, stream_id, seq, id, stream_kind, at, actor_id, actor_name, \
                 actor_role, on_behalf_of, name, rule, request_id, content, prev_hash, hash) VALUES \
                 ({committee}, {id}, {}, {}, {}, '{:.6}', {}, {}, {}, {}, {}, {}, {}, {}, {}, {});",
                event.seq,
                self.bytes(event.id.uuid()),
                text(&event.stream_kind),
                event.at.0,
                some(event.actor_id.map(|id| self.bytes(id.uuid()))),
                text(&event.actor_name),
                text(&event.actor_role),
                some(event.on_behalf_of.as_deref().map(text)),
                text(&event.name),
                some(event.rule.as_deref().map(text)),
                some(event.request_id.map(|id| self.bytes(id.uuid()))),
                text(&event.content.0.to_string()),
                text(&event.prev_hash),
                text(&event.hash),
            )
            .expect("to write");
        }
        if let Some(last) = events.last() {
            write!(
                sql,
                "UPDATE proposals SET event_seq = {}, event_hash = {} WHERE id = {id};",
                last.seq,
                text(&last.hash)
            )
            .expect("to write");
        }
        self.app.database().batch(&sql);
    }

    /// Links and hashes as they would be.
    fn relink(&self, stream: StreamId, events: &mut [Event]) {
        let owner = Stream {
            committee: self.town.committee,
            kind: "",
            id: stream,
        };
        let mut before = String::new();
        for (seq, event) in (1..).zip(events) {
            event.seq = seq;
            event.prev_hash.clone_from(&before);
            event.hash = event.expected_hash(&owner);
            before.clone_from(&event.hash);
        }
    }

    fn forge_seals(&self) {
        self.app
            .database()
            .batch("DELETE FROM audit_seal_heads; DELETE FROM audit_seals;");
    }

    async fn seal(&self) {
        let now = self.app.clock_now();
        sealing::seal_all(self.app.db(), self.town.committee, now)
            .await
            .expect("to seal");
    }

    fn restore_seals(&self) {
        self.app.database().batch(
            "DELETE FROM audit_seal_heads; DELETE FROM audit_seals; \
             INSERT INTO audit_seals SELECT * FROM kept_seals; \
             INSERT INTO audit_seal_heads SELECT * FROM kept_heads;",
        );
    }

    /// One column of one event, to something that it was not.
    fn edit(&self, dice: &mut Dice, event: &mut Event) -> &'static str {
        let now = self.app.clock_now();
        match dice.below(12) {
            0 => {
                event.actor_name.push('x');
                "actor_name"
            }
            1 => {
                event.actor_role.push('x');
                "actor_role"
            }
            2 => {
                event.name.push('x');
                "name"
            }
            3 => {
                event.stream_kind.push('x');
                "stream_kind"
            }
            4 => {
                event.at = At(event.at.0 + SignedDuration::from_micros(1));
                "at"
            }
            5 => {
                event.content = Json(json!({ "forged": dice.below(1000) }));
                "content"
            }
            6 => {
                event.id = EventId::new(now);
                "id"
            }
            7 => {
                event.actor_id = event
                    .actor_id
                    .is_none()
                    .then(|| jianjian::ids::UserId::new(now));
                "actor_id"
            }
            8 => {
                // NULL and an empty text are not the same.
                event.on_behalf_of = Some(if event.on_behalf_of.is_none() {
                    String::new()
                } else {
                    "x".to_owned()
                });
                "on_behalf_of"
            }
            9 => {
                event.rule = if event.rule.is_some() {
                    None
                } else {
                    Some(String::new())
                };
                "rule"
            }
            10 => {
                event.request_id = Some(jianjian::ids::RequestId::new(now));
                "request_id"
            }
            _ => {
                event.hash = "0".repeat(64);
                "hash"
            }
        }
    }

    /// Tampers in one way; gives the chain, as it was, and what was done.
    async fn tamper(
        &self,
        way: &str,
        dice: &mut Dice,
        chains: &Chains,
    ) -> (StreamId, Vec<Event>, String) {
        let long: Vec<_> = chains
            .iter()
            .filter(|(_, events)| events.len() > 1)
            .collect();
        let old: Vec<_> = chains
            .iter()
            .filter(|(_, events)| events[0].at.0 < self.horizon)
            .collect();
        let any = &chains[dice.below(chains.len())];
        let longer = long[dice.below(long.len())];
        let older = old[dice.below(old.len())];
        let (stream, kept) = match way {
            "swap" | "cut the tail" => longer,
            "forge a chain" => older,
            _ => any,
        };
        let (stream, kept) = (*stream, kept.clone());
        let mut forged = kept.clone();
        let place = dice.below(forged.len());
        let mut what = format!("{way}, event {} of {}", place + 1, forged.len());
        match way {
            "edit" => what.extend([", ", self.edit(dice, &mut forged[place])]),
            "delete" => drop(forged.remove(place)),
            "swap" => {
                let other = (place + 1) % forged.len();
                forged.swap(place, other);
                let (one, two) = (forged[place].seq, forged[other].seq);
                forged[place].seq = two;
                forged[other].seq = one;
            }
            "insert" => {
                let mut new = forged[place].clone();
                new.id = EventId::new(new.at.0);
                new.actor_name = String::from("别人");
                forged.insert(place, new);
                self.relink(stream, &mut forged);
            }
            "cut the tail" => forged.truncate(place.max(1)),
            "take a chain away" => forged.clear(),
            "forge a chain" => {
                let mut new = kept[0].clone();
                new.id = EventId::new(new.at.0);
                let id =
                    Stream::access_to(self.town.committee, SubjectId::new(self.app.clock_now())).id;
                let mut forged = vec![new];
                forged[0].stream_kind = String::from("unit");
                self.relink(id, &mut forged);
                self.put(id, &forged);
                return (id, Vec::new(), what);
            }
            _ => {
                forged[place].content = Json(json!({ "forged": true }));
                self.relink(stream, &mut forged);
            }
        }
        self.put(stream, &forged);
        if way.contains("seals") {
            self.forge_seals();
            self.seal().await;
        }
        (stream, kept, what)
    }
}

#[actix_web::test]
async fn every_tampering_is_found_with_an_exported_seal() {
    let (count, seed) = (
        number("JIANJIAN_TAMPERINGS", USUAL),
        number("JIANJIAN_TAMPER_SEED", 20_261_129),
    );
    let app = TestApp::start().await;
    let town = app.town().await;
    let mut attacker = Attacker {
        app: &app,
        town: &town,
        horizon: app.clock_now(),
    };
    for member in 0..3 {
        let mut case = Story::draft(&app, &town, &town.members[member]).await;
        case.until_filed().await;
        case.tries(&town.members[member], "file", json!({}))
            .await
            .status(403);
        if member == 0 {
            let body = json!({ "secrecy": "restricted", "reason": "内容涉及未公开事项。" });
            case.does(&town.chair, "set-secrecy", body).await;
            case.seen_by(&town.leader).await.status(200);
            attacker.seal().await;
            case.assign("sole", &[0]).await;
            case.accept(0).await;
        }
    }
    app.clock.advance(SignedDuration::from_hours(5));
    Story::draft(&app, &town, &town.members[3]).await;
    attacker.seal().await;
    let committee = town.committee;
    let last = app
        .read(move |tx| seals::last(tx, committee))
        .await
        .expect("a seal");
    let head = Exported::from(&last);
    attacker.horizon = verify::horizon(&last);
    app.database().lift_guards();
    app.database().batch(
        "DELETE FROM feed; CREATE TABLE kept_seals AS SELECT * FROM audit_seals; \
         CREATE TABLE kept_heads AS SELECT * FROM audit_seal_heads;",
    );
    let check =
        |heads: Vec<Exported>| app.read(move |tx| verify::run_against(tx, None, heads.clone()));
    let whole = check(vec![head.clone()]).await;
    assert_eq!((whole.broken, whole.seals), (None, 2));
    let chains = attacker.chains().await;
    let mut dice = Dice(seed.max(1));
    let mut tally: BTreeMap<&str, (u64, u64, u64)> = BTreeMap::new();
    for round in 0..count {
        let (way, alone) = WAYS[usize::try_from(round).expect("small") % WAYS.len()];
        let (stream, kept, what) = attacker.tamper(way, &mut dice, &chains).await;
        let with = check(vec![head.clone()]).await.broken;
        let without = check(Vec::new()).await.broken;
        let found = tally.entry(way).or_default();
        found.0 += 1;
        found.1 += u64::from(with.is_some());
        found.2 += u64::from(without.is_some());
        assert!(with.is_some(), "seed {seed}, {round}: {what} is not found");
        assert_eq!(
            without.is_some(),
            alone,
            "seed {seed}, {round}: {what} without an exported seal: {without:?}"
        );
        attacker.put(stream, &kept);
        if way.contains("seals") {
            attacker.restore_seals();
        }
        if round % 20 == 0 || round + 1 == count {
            assert_eq!(
                check(vec![head.clone()]).await.broken,
                None,
                "{what} is undone"
            );
        }
    }
    eprintln!(
        "{count} tamperings, seed {seed}; of each way: tried, found with an exported seal, found without"
    );
    for (way, (tried, with, without)) in tally {
        eprintln!("{way}: {tried}, {with}, {without}");
    }
}
