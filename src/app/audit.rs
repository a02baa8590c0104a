//! What the audit trail knows beside acts: who was refused, and who read what few may read.
//!
//! The first of each kind is written at once. What the same account repeats within a minute is
//! counted, and the count is written afterwards: a client that hammers at a door fills neither the
//! trail nor the database. A read is answered only after it was written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::App;
use crate::auth::principal::Principal;
use crate::error::Result;
use crate::ids::{ProposalId, RequestId, SubjectId};
use crate::store::events::{self, Circumstances, Happening, Stream};
use crate::workflow::case::Case;
use crate::workflow::codes::Secrecy;
use crate::workflow::role::Role;

/// Repeats within this time are counted.
const WINDOW: SignedDuration = SignedDuration::from_secs(60);
/// Different refusals of one account that are written apart within that time; those beyond are
/// counted by operation.
const APART: usize = 30;
/// How often counts are written down.
const FLUSH: Duration = Duration::from_secs(30);

/// Restricted things that an answer tells of, noted while it is made.
#[derive(Debug, Clone, Default)]
pub struct Disclosed(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    cases: BTreeSet<ProposalId>,
    /// What was asked of the trail itself.
    trail: Option<String>,
}

impl Disclosed {
    /// The answer tells of this case.
    pub fn case(&self, case: &Case) {
        self.row(case.proposal.id, case.proposal.secrecy);
    }

    /// The answer has a row about this case.
    pub fn row(&self, id: ProposalId, secrecy: Secrecy) {
        if secrecy != Secrecy::Open {
            self.told().cases.insert(id);
        }
    }

    /// The answer shows a part of the trail.
    pub fn trail(&self, asked: impl Into<String>) {
        self.told().trail = Some(asked.into());
    }

    /// Nothing that the trail has to tell of.
    pub fn is_empty(&self) -> bool {
        let told = self.told();
        told.cases.is_empty() && told.trail.is_none()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request, as the trail tells of it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Who.
    pub principal: Principal,
    /// The request.
    pub request: RequestId,
    /// The operation.
    pub operation: Arc<str>,
    /// What the address names, if it names something.
    pub object: Option<String>,
}

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Code of the problem.
    pub code: &'static str,
    /// The caller may know of the object that the address names.
    pub knows: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    user: crate::ids::UserId,
    name: &'static str,
    operation: Arc<str>,
    object: Option<String>,
}

struct Repeated {
    /// When the first was written.
    since: Timestamp,
    last: Timestamp,
    /// How many came after it.
    count: i64,
    entry: Entry,
}

/// An entry of the trail before it is written.
#[derive(Clone)]
struct Entry {
    stream: Stream,
    by: Circumstances,
    happening: Happening,
}

/// What was repeated lately, in this process.
#[derive(Default)]
pub struct Watch(Mutex<BTreeMap<Key, Repeated>>);

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl Watch {
    fn known(&self) -> MutexGuard<'_, BTreeMap<Key, Repeated>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a repeat; false if it is the first within the time.
    fn counts(&self, key: &Key, now: Timestamp) -> bool {
        let mut known = self.known();
        let repeated = known.get_mut(key).filter(|one| now < one.since + WINDOW);
        if let Some(repeated) = repeated {
            repeated.count += 1;
            repeated.last = now;
            return true;
        }
        false
    }

    /// Remembers what is written; gives what has to be written about an earlier time.
    fn remember(&self, key: Key, entry: Entry, now: Timestamp) -> Option<Entry> {
        let repeated = Repeated {
            since: now,
            last: now,
            count: 0,
            entry,
        };
        self.known().insert(key, repeated).and_then(Repeated::told)
    }

    /// The key under which a refusal is told: once an account was refused many things, only the
    /// operation counts.
    fn narrowed(&self, key: Key, now: Timestamp) -> Key {
        let known = self.known();
        if known.contains_key(&key) {
            return key;
        }
        let same = |other: &&Key| other.user == key.user && other.name == key.name;
        let first = Key {
            user: key.user,
            name: "",
            operation: Arc::from(""),
            object: None,
        };
        let lately = known
            .range(first..)
            .take_while(|(other, _)| other.user == key.user)
            .filter(|(other, one)| same(other) && now < one.since + WINDOW)
            .count();
        if lately < APART {
            return key;
        }
        Key {
            object: None,
            ..key
        }
    }

    /// What was counted and is over, or everything.
    fn take(&self, now: Option<Timestamp>) -> Vec<Entry> {
        let mut known = self.known();
        let over: Vec<Key> = known
            .iter()
            .filter(|(_, one)| now.is_none_or(|now| now >= one.since + WINDOW))
            .map(|(key, _)| key.clone())
            .collect();
        over.iter()
            .filter_map(|key| known.remove(key)?.told())
            .collect()
    }
}

impl Repeated {
    /// The entry about the repeats, if there were any.
    fn told(self) -> Option<Entry> {
        let Self {
            since,
            last,
            count,
            mut entry,
        } = self;
        if count == 0 {
            return None;
        }
        if let Value::Object(content) = &mut entry.happening.content {
            content.insert(
                "repeated".into(),
                json!({ "times": count, "since": since, "until": last }),
            );
        }
        entry.by.at = last;
        // There were several.
        entry.by.request = None;
        Some(entry)
    }
}

impl App {
    /// Tells the trail of a refusal. The answer does not depend on it.
    pub async fn note_refusal(&self, asked: Asked, refused: Refused) {
        let now = self.clock.now();
        let key = Key {
            user: asked.principal.user,
            name: "access.refused",
            operation: Arc::clone(&asked.operation),
            object: asked.object.clone(),
        };
        let key = self.watch.narrowed(key, now);
        if self.watch.counts(&key, now) {
            return;
        }
        let content = json!({
            "operation": &*asked.operation,
            "object": key.object,
            "reason": refused.code,
            "api_token": asked.principal.machine.as_ref().map(|machine| machine.token),
        });
        // What the caller may not know of may not even be there: it gets no history of its own.
        let known = key.object.as_deref().filter(|_| refused.knows);
        let stream = match known.and_then(uuid_in) {
            Some(id) => Stream::access_to(asked.principal.committee, id),
            None => own(&asked.principal),
        };
        let entry = entry(&asked, stream, now, key.name, content);
        // Remembered before it is written, so that a flood is bounded whatever the database does.
        let earlier = self.watch.remember(key, entry.clone(), now);
        let entries: Vec<_> = earlier.into_iter().chain([entry]).collect();
        if let Err(error) = self.put_down(entries).await {
            tracing::error!(%error, context = error.log_context(), "a refusal is not in the trail");
        }
    }

    /// Tells the trail what the answer discloses. An error means that it must not be given.
    pub async fn note_reads(&self, asked: Asked, disclosed: &Disclosed) -> Result<()> {
        let now = self.clock.now();
        let mut entries = Vec::new();
        let mut written = Vec::new();
        {
            let told = disclosed.told();
            for case in &told.cases {
                let stream = Stream::access_to(asked.principal.committee, *case);
                let content = json!({ "operation": &*asked.operation, "object": case });
                let entry = entry(&asked, stream, now, "access.read", content);
                written.push((Some(case.to_string()), entry));
            }
            if let Some(query) = &told.trail {
                let content = json!({
                    "operation": &*asked.operation,
                    "query": query.chars().take(1000).collect::<String>(),
                });
                let entry = entry(&asked, own(&asked.principal), now, "audit.read", content);
                written.push((Some(query.clone()), entry));
            }
        }
        let mut remembered = Vec::new();
        for (object, entry) in written {
            let key = Key {
                user: asked.principal.user,
                name: if entry.happening.name == "audit.read" {
                    "audit.read"
                } else {
                    "access.read"
                },
                operation: Arc::clone(&asked.operation),
                object,
            };
            if !self.watch.counts(&key, now) {
                entries.push(entry.clone());
                remembered.push((key, entry));
            }
        }
        if entries.is_empty() {
            return Ok(());
        }
        self.put_down(entries).await?;
        // Only now: whoever asks again meanwhile writes for himself.
        let earlier: Vec<_> = remembered
            .into_iter()
            .filter_map(|(key, entry)| self.watch.remember(key, entry, now))
            .collect();
        if earlier.is_empty() {
            Ok(())
        } else {
            self.put_down(earlier).await
        }
    }

    /// Writes down what was counted and is over; with `all`, also what may go on.
    pub async fn flush_watch(&self, all: bool) -> Result<()> {
        let now = (!all).then(|| self.clock.now());
        let entries = self.watch.take(now);
        if entries.is_empty() {
            Ok(())
        } else {
            self.put_down(entries).await
        }
    }

    /// Writes counts down now and then; never ends.
    pub async fn keep_watch(&self) {
        loop {
            tokio::time::sleep(FLUSH).await;
            if let Err(error) = self.flush_watch(false).await {
                tracing::error!(%error, context = error.log_context(), "counts of refusals are not in the trail");
            }
        }
    }

    async fn put_down(&self, mut entries: Vec<Entry>) -> Result<()> {
        // Streams are held in one order, so that two of these never wait for each other.
        entries.sort_by_key(|entry| (entry.stream.committee, entry.stream.id));
        self.db
            .write("audit.note", move |tx| {
                for Entry {
                    stream,
                    by,
                    happening,
                } in &entries
                {
                    events::append_access(tx, stream, by, happening.clone())?;
                }
                Ok(())
            })
            .await
    }
}

/// What an account was refused or asked of the trail, where no thing has a history for it.
fn own(principal: &Principal) -> Stream {
    Stream::access_to(principal.committee, principal.user)
}

fn entry(asked: &Asked, stream: Stream, at: Timestamp, name: &str, content: Value) -> Entry {
    let principal = &asked.principal;
    let role = principal
        .grants
        .first()
        .map_or(Role::Member, |grant| grant.role);
    Entry {
        stream,
        by: Circumstances {
            at,
            actor: Some(principal.user),
            actor_name: principal.display_name.clone(),
            role,
            on_behalf_of: None,
            request: Some(asked.request),
        },
        happening: Happening {
            name: name.to_owned(),
            rule: None,
            content,
        },
    }
}

/// The bare identifier of a public one, whatever it names.
fn uuid_in(text: &str) -> Option<SubjectId> {
    let (_, digits) = text.split_once('_')?;
    let uuid = uuid::Uuid::try_parse(digits).ok()?;
    Some(SubjectId::from_uuid(uuid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{CommitteeId, SignInId, UserId};

    fn asked(user: UserId, object: &str, now: Timestamp) -> Asked {
        Asked {
            principal: Principal {
                committee: CommitteeId::new(now),
                user,
                sign_in: SignInId::new(now),
                username: String::new(),
                display_name: String::new(),
                member: None,
                grants: Vec::new(),
                must_change_password: false,
                machine: None,
            },
            request: RequestId::new(now),
            operation: Arc::from("get_thing"),
            object: Some(object.to_owned()),
        }
    }

    fn key(asked: &Asked) -> Key {
        Key {
            user: asked.principal.user,
            name: "access.refused",
            operation: Arc::clone(&asked.operation),
            object: asked.object.clone(),
        }
    }

    #[test]
    fn what_is_repeated_within_a_minute_is_one_entry_with_its_number() {
        let (watch, now) = (Watch::default(), Timestamp::UNIX_EPOCH);
        let asked = asked(UserId::new(now), "a", now);
        let entry = entry(
            &asked,
            own(&asked.principal),
            now,
            "access.refused",
            json!({}),
        );
        assert!(!watch.counts(&key(&asked), now));
        assert!(watch.remember(key(&asked), entry.clone(), now).is_none());
        for second in 1..=59 {
            assert!(watch.counts(&key(&asked), now + SignedDuration::from_secs(second)));
        }
        assert!(
            watch
                .take(Some(now + SignedDuration::from_secs(59)))
                .is_empty()
        );
        let later = now + WINDOW;
        assert!(!watch.counts(&key(&asked), later));
        let told = watch
            .remember(key(&asked), entry, later)
            .expect("the count");
        assert_eq!(told.happening.content["repeated"]["times"], 59);
        assert_eq!(told.by.at, now + SignedDuration::from_secs(59));
        assert!(watch.take(None).is_empty(), "nothing was repeated since");
        assert!(watch.known().is_empty());
    }

    #[test]
    fn an_account_that_tries_many_things_is_counted_by_operation() {
        let (watch, now) = (Watch::default(), Timestamp::UNIX_EPOCH);
        let user = UserId::new(now);
        for number in 0..APART {
            let asked = asked(user, &number.to_string(), now);
            let narrowed = watch.narrowed(key(&asked), now);
            assert_eq!(narrowed.object, asked.object);
            let entry = entry(
                &asked,
                own(&asked.principal),
                now,
                "access.refused",
                json!({}),
            );
            watch.remember(narrowed, entry, now);
        }
        let one = asked(user, "one more", now);
        assert_eq!(watch.narrowed(key(&one), now).object, None);
        let known = asked(user, "3", now);
        assert_eq!(watch.narrowed(key(&known), now).object, known.object);
        let other = asked(UserId::new(now), "one more", now);
        assert_eq!(watch.narrowed(key(&other), now).object, other.object);
        assert_eq!(watch.narrowed(key(&one), now + WINDOW).object, one.object);
    }
}
