//! Clients that drive cases from the draft to the close, two of them each case, and write down
//! whatever they send and hear. A request whose fate they do not know they send again with its
//! key, until they know it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use awc::http::Method;
use jianjian::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use super::history::{Line, Recorder};
use crate::support::seed::{Person, Town};
use crate::support::{TestApp, steps, story};

/// How long a client tries to learn what became of a request.
const PATIENCE: Duration = Duration::from_secs(120);
/// An answer that takes longer is none.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A case as the two clients that drive it know it.
#[derive(Debug, Clone, Default)]
struct Known {
    proposal: String,
    author: usize,
    row: Option<String>,
    reply: Option<String>,
}

/// A run.
pub struct Load<'a> {
    app: &'a TestApp,
    town: &'a Town,
    /// Addresses of the instances; a client takes any of them.
    pub instances: RefCell<Vec<String>>,
    /// Sends each write to two instances at the same time.
    pub twice: bool,
    recorder: Recorder,
    stop: Cell<bool>,
    slots: Vec<RefCell<Option<Known>>>,
    /// Writes that were answered with 2xx.
    pub done: Cell<usize>,
    /// Answers of each status, of reads and writes.
    pub answers: RefCell<std::collections::BTreeMap<u16, usize>>,
    /// Answers 503 without Retry-After.
    pub rude: Cell<usize>,
    /// Requests, reads and writes, that nobody answered.
    pub unanswered: Cell<usize>,
}

/// A small generator: which run does what depends on time anyway.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % 1_000_000).unwrap_or(0) % end
    }
}

/// What a client sends.
struct Write<'t> {
    who: &'t Person,
    method: Method,
    path: String,
    case: String,
    if_match: String,
    body: Value,
}

/// What it heard.
struct Heard {
    status: u16,
    etag: String,
    request_id: String,
    replayed: bool,
    json: Value,
}

impl<'a> Load<'a> {
    /// A run of `clients` clients, which write their history into the directory of the service.
    pub fn new(
        app: &'a TestApp,
        town: &'a Town,
        clients: usize,
        instances: Vec<String>,
    ) -> Rc<Self> {
        Rc::new(Self::plain(app, town, clients, instances))
    }

    /// The same, to be changed before it starts.
    pub fn plain(app: &'a TestApp, town: &'a Town, clients: usize, instances: Vec<String>) -> Self {
        Self {
            app,
            town,
            instances: RefCell::new(instances),
            twice: false,
            recorder: Recorder::create(app.storage()),
            stop: Cell::new(false),
            slots: (0..clients.div_ceil(2))
                .map(|_| RefCell::default())
                .collect(),
            done: Cell::new(0),
            answers: RefCell::default(),
            rude: Cell::new(0),
            unanswered: Cell::new(0),
        }
    }

    /// How many requests were answered with a status.
    pub fn count(&self, status: u16) -> usize {
        self.answers
            .borrow()
            .get(&status)
            .copied()
            .unwrap_or_default()
    }

    /// What was written down.
    pub fn history(&self) -> super::history::History {
        self.recorder.read()
    }

    /// Runs the clients while `meanwhile` goes on, and then until each knows what became of its
    /// last request.
    pub async fn run<T>(&self, meanwhile: impl Future<Output = T>) -> T {
        let clients = futures_util::future::join_all(
            (0..self.slots.len() * 2).map(|number| self.client(number)),
        );
        let fault = async {
            let told = meanwhile.await;
            self.stop.set(true);
            told
        };
        futures_util::future::join(clients, fault).await.1
    }

    async fn client(&self, number: usize) {
        let http = awc::Client::builder().timeout(TIMEOUT).finish();
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (number as u64 + 1));
        let mut count = 0;
        while !self.stop.get() {
            count += 1;
            let key = format!("client-{number}-{count}");
            if !self.step(&http, &key, number, &mut random).await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// One request that writes; false if there is nothing to do now.
    async fn step(
        &self,
        http: &awc::Client,
        key: &str,
        number: usize,
        random: &mut Random,
    ) -> bool {
        let slot = &self.slots[number / 2];
        let known = slot.borrow().clone();
        let Some(known) = known else {
            let author = number / 2 % self.town.members.len();
            let write = Write {
                who: &self.town.members[author],
                method: Method::POST,
                path: "/api/v1/proposals".into(),
                case: String::new(),
                if_match: String::new(),
                body: json!({ "kind": "individual", "form": steps::form(&format!("关于{key}的提案")) }),
            };
            if let Some(made) = self.write(http, key, write, random).await {
                let proposal = made.json["id"].as_str().unwrap_or_default().to_owned();
                slot.replace(Some(Known {
                    proposal,
                    author,
                    ..Known::default()
                }));
            }
            return true;
        };
        let path = format!("/api/v1/proposals/{}", known.proposal);
        let author = &self.town.members[known.author];
        let Some(seen) = self.read(http, author, &path, random).await else {
            return false;
        };
        if seen.json["status"] == "closed" || random.below(200) == 0 {
            slot.replace(None);
            return true;
        }
        let Some((who, target, action, body)) = self.next(&known, &seen.json, key, random) else {
            return true;
        };
        let mut if_match = seen.etag.clone();
        if target != path {
            let Some(object) = self.read(http, who, &target, random).await else {
                return true;
            };
            if_match = object.etag;
        }
        let (method, path) = match action {
            "edit" => (Method::PATCH, target),
            "replies" => (Method::POST, format!("{target}/replies")),
            action => (Method::POST, format!("{target}/actions/{action}")),
        };
        let case = bare(&known.proposal);
        let write = Write {
            who,
            method,
            path,
            case,
            if_match,
            body,
        };
        let Some(done) = self.write(http, key, write, random).await else {
            return true;
        };
        // The other client may have gone on to another case meanwhile.
        if let Some(now) = &mut *slot.borrow_mut()
            && now.proposal == known.proposal
        {
            let id = |json: &Value| json["id"].as_str().map(str::to_owned);
            match action {
                "assign" => now.row = id(&done.json["assignments"][0]),
                "replies" => now.reply = id(&done.json),
                _ => {}
            }
        }
        true
    }

    /// Somebody, an object, an action and what is handed in.
    fn next(
        &self,
        known: &Known,
        seen: &Value,
        key: &str,
        random: &mut Random,
    ) -> Option<(&'a Person, String, &'static str, Value)> {
        let town = self.town;
        let author = &town.members[known.author];
        let proposal = format!("/api/v1/proposals/{}", known.proposal);
        let on = |who, action, body| Some((who, proposal.clone(), action, body));
        match seen["status"].as_str()? {
            "draft" if random.below(3) > 0 => on(
                author,
                "edit",
                json!({ "title": format!("关于{key}的提案") }),
            ),
            "draft" => on(author, "submit", json!({})),
            "submitted" => match random.below(3) {
                2 => on(&town.chair, "file", story::meeting()),
                stage => on(&town.examiners[stage], "examine", story::opinion(town)),
            },
            "filed" => {
                let rows = json!([{ "unit_id": town.units[0], "role": "lead" }]);
                let body = json!({ "handling_kind": "sole", "rows": rows });
                on(&town.officer, "assign", body)
            }
            "assigned" => {
                let row = known
                    .row
                    .clone()
                    .or_else(|| seen["assignments"][0]["id"].as_str().map(str::to_owned))?;
                let row = format!("/api/v1/assignments/{row}");
                let clerk = &town.unit_clerks[0];
                let Some(reply) = &known.reply else {
                    return Some(match random.below(4) {
                        0 => (clerk, row, "accept", steps::clerk()),
                        1 => (clerk, row, "record-contact", story::contact()),
                        2 => (&town.officer, proposal, "urge", self.urging()),
                        _ => (clerk, row, "replies", story::reply_form()),
                    });
                };
                let reply = format!("/api/v1/replies/{reply}");
                let signed = json!({ "signatory": "林涛" });
                Some(match random.below(5) {
                    0 => (clerk, row, "record-contact", story::contact()),
                    1 => (&town.signatories[0], reply, "sign", signed),
                    2 => (&town.supervision, reply, "approve", json!({})),
                    3 => (&town.officer, proposal, "urge", self.urging()),
                    _ => (clerk, reply, "deliver", json!({})),
                })
            }
            "handled" => {
                let body = json!({
                    "reply_id": known.reply.as_ref()?, "attitude": "satisfied",
                    "result": "satisfied", "contact_way": "face_to_face",
                });
                on(author, "give-feedback", body)
            }
            _ => {
                let body = json!({ "publish_text": "full", "publish_replies": "full" });
                on(&town.staff, "close", body)
            }
        }
    }

    fn urging(&self) -> Value {
        let in_ten_days = SystemClock.now() + jiff::SignedDuration::from_hours(240);
        json!({
            "addressees": [{ "unit_id": self.town.units[0] }], "text": "请抓紧办理。",
            "due_on": in_ten_days.to_zoned(jiff::tz::TimeZone::UTC).date(),
        })
    }

    fn token(&self, who: &Person) -> String {
        let subject = jianjian::auth::token::Subject {
            committee: self.town.committee,
            user: who.user,
            sign_in: who.sign_in,
        };
        let (keys, parties) = (&self.app.app.keys, &self.app.app.parties);
        keys.issue(parties, subject, SystemClock.now())
            .expect("a token")
    }

    /// Reads until there is an answer; `None` if it is not 200.
    async fn read(
        &self,
        http: &awc::Client,
        who: &Person,
        path: &str,
        random: &mut Random,
    ) -> Option<Heard> {
        let write = Write {
            who,
            method: Method::GET,
            path: path.to_owned(),
            case: String::new(),
            if_match: String::new(),
            body: Value::Null,
        };
        let instance = self.instance(random);
        let heard = self.send(http, &instance, "", &write).await.ok()?;
        (heard.status == 200).then_some(heard)
    }

    fn instance(&self, random: &mut Random) -> String {
        let all = self.instances.borrow();
        all[random.below(all.len())].clone()
    }

    /// Sends a request until its fate is known; gives the answer if it is 2xx.
    async fn write(
        &self,
        http: &awc::Client,
        key: &str,
        write: Write<'_>,
        random: &mut Random,
    ) -> Option<Heard> {
        self.recorder.write(&Line::Sent {
            key: key.to_owned(),
            actor: bare(&write.who.user.to_string()),
            case: write.case.clone(),
            request: format!("{} {}", write.method, write.path),
            if_match: write.if_match.clone(),
        });
        let started = Instant::now();
        let mut first = true;
        loop {
            let heard = if self.twice {
                let all = self.instances.borrow().clone();
                let [one, other] = &all[..2] else { return None };
                let both = futures_util::future::join(
                    self.send(http, one, key, &write),
                    self.send(http, other, key, &write),
                );
                agree(key, first, both.await)
            } else {
                let instance = self.instance(random);
                self.send(http, &instance, key, &write).await
            };
            match heard {
                Ok(heard) if heard.status < 500 => {
                    self.recorder.write(&Line::Answered {
                        key: key.to_owned(),
                        status: heard.status,
                        id: bare(heard.json["id"].as_str().unwrap_or_default()),
                        request_id: bare(&heard.request_id),
                        replayed: heard.replayed,
                    });
                    let ok = (200..300).contains(&heard.status);
                    self.done.set(self.done.get() + usize::from(ok));
                    return ok.then_some(heard);
                }
                heard => {
                    let why = heard.map_or_else(
                        |why| why,
                        |heard| format!("{} {}", heard.status, heard.json),
                    );
                    assert!(
                        started.elapsed() < PATIENCE,
                        "{key}: nobody says what became of it: {why}"
                    );
                    self.recorder.write(&Line::Unknown {
                        key: key.to_owned(),
                        why,
                    });
                }
            }
            first = false;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn send(
        &self,
        http: &awc::Client,
        instance: &str,
        key: &str,
        write: &Write<'_>,
    ) -> Result<Heard, String> {
        let mut request = http
            .request(
                write.method.clone(),
                format!("http://{instance}{}", write.path),
            )
            .bearer_auth(self.token(write.who));
        if !write.if_match.is_empty() {
            request = request.insert_header(("If-Match", write.if_match.as_str()));
        }
        let answer = if write.method == Method::GET {
            request.send().await
        } else {
            let media = match write.method {
                Method::PATCH => "application/merge-patch+json",
                _ => "application/json",
            };
            request
                .insert_header(("Idempotency-Key", key))
                .insert_header(("Content-Type", media))
                .send_body(write.body.to_string())
                .await
        };
        let none = |error: &dyn std::fmt::Display| {
            self.unanswered.set(self.unanswered.get() + 1);
            format!("no answer: {error}")
        };
        let mut answer = answer.map_err(|error| none(&error))?;
        let body = answer.body().limit(4 << 20).await;
        let body = body.map_err(|error| none(&error))?;
        let header = |name: &str| {
            let value = answer
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let status = answer.status().as_u16();
        *self.answers.borrow_mut().entry(status).or_default() += 1;
        if status == 503 && header("retry-after").is_empty() {
            self.rude.set(self.rude.get() + 1);
        }
        Ok(Heard {
            status,
            etag: header("etag"),
            request_id: header("x-request-id"),
            replayed: header("idempotency-replayed") == "true",
            json: serde_json::from_slice(&body).unwrap_or_default(),
        })
    }
}

/// Two answers to one request: one did it and the other replays it, or neither did, each for the
/// reason that it found. Where one was refused before the other did it, both are asked again: then
/// both replay it.
fn agree(
    key: &str,
    first: bool,
    both: (Result<Heard, String>, Result<Heard, String>),
) -> Result<Heard, String> {
    let (one, other) = (both.0?, both.1?);
    let done = |heard: &Heard| (200..300).contains(&heard.status);
    let unsettled = |heard: &Heard| heard.status >= 500 || done(&one) != done(&other);
    if let Some(heard) = [&one, &other]
        .into_iter()
        .find(|heard| unsettled(heard) && !done(heard))
    {
        return Err(format!("{} {}", heard.status, heard.json));
    }
    if done(&one) {
        assert_eq!(one.json, other.json, "{key}");
        let twins = [one.replayed, other.replayed];
        assert!(
            twins != [false, false] && !(first && twins == [true, true]),
            "{key}: done twice or not at all: replayed {twins:?}"
        );
    }
    Ok(if one.replayed { other } else { one })
}

/// An identifier without its prefix.
fn bare(id: &str) -> String {
    id.rsplit('_').next().unwrap_or_default().to_owned()
}
