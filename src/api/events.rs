//! What happened in the committee, in the order of commits: a list to follow, and a stream.

use std::time::Duration;

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

use super::extract::Params;
use super::guard::bearer_of;
use super::page::{Binding, PageSize};
use super::routes::{Access, Routes};
use crate::app::feed::{self, FeedPage, ThinEvent, Wanted};
use crate::app::live::Place;
use crate::app::{Answer, App, Ctx};
use crate::auth::principal::Principal;
use crate::enter;
use crate::error::{Code, Error, Message, Result};
use crate::ids::CommitteeId;
use crate::store::{Tx, feed as store};

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    enter!(routes, Access::SignedIn, [__path_list_events] list_events);
    enter!(routes, Access::SignedIn, [__path_stream_events] stream_events);
}

/// An event with its place in the feed.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeedEvent {
    /// Its place: give it as `after` to continue behind this event.
    #[schema(max_length = 200)]
    pub cursor: String,
    /// What happened.
    #[serde(flatten)]
    pub event: ThinEvent,
}

/// A part of the feed.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeedEvents {
    /// The events, in the order of commits.
    #[schema(max_items = 100)]
    pub items: Vec<FeedEvent>,
    /// Give it as `after` to continue, now or later; always there.
    #[schema(max_length = 200)]
    pub cursor: String,
    /// There is more behind it already. `items` may be empty all the same: the service looks at a
    /// bounded number of events for one answer.
    pub more: bool,
}

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum From {
    /// At the first event of the committee.
    Beginning,
    /// Behind the last event there is.
    Now,
}

/// Names of events, separated by commas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

/// Patterns in one list.
const MOST_NAMES: usize = 20;

/// Whether the text is the name of an event, or the beginning of one that ends in `.*`.
pub fn is_name(text: &str) -> bool {
    let name = text.strip_suffix(".*").unwrap_or(text);
    (1..=64).contains(&text.len())
        && name.split('.').all(|part| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        })
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let names: Vec<_> = text.split(',').map(str::to_owned).collect();
        if names.len() > MOST_NAMES || !names.iter().all(|name| is_name(name)) {
            return Err(serde::de::Error::custom(Message::new(
                "须为事件名称，以逗号分隔，最多 20 个，如 proposal.filed,reply.*。",
                "Names of events, separated by commas, at most 20, such as proposal.filed,reply.*.",
            )));
        }
        Ok(Self(names))
    }
}

/// Parameters of the feed.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// `cursor` of an event or of the answer before. Absent: from the first event.
    #[param(max_length = 200, pattern = "^[A-Za-z0-9_-]+$")]
    after: Option<String>,
    /// Where to begin without `after`.
    #[param(inline)]
    from: Option<From>,
    /// Names of events, separated by commas; `reply.*` stands for all that begin with `reply.`.
    #[param(value_type = Option<String>, max_length = 1300, example = "proposal.filed,reply.*",
        pattern = r"^[a-z_]+(\.[a-z_]+)*(\.\*)?(,[a-z_]+(\.[a-z_]+)*(\.\*)?){0,19}$")]
    name: Option<Names>,
    /// Kinds of histories, separated by commas, such as `proposal` or `unit`.
    #[param(value_type = Option<String>, max_length = 1300, example = "proposal",
        pattern = r"^[a-z_]+(,[a-z_]+){0,19}$")]
    kind: Option<Names>,
    /// Events per answer, at most.
    #[serde(default)]
    #[param(value_type = i32, minimum = 1, maximum = 100, default = 20, required = false)]
    limit: PageSize,
}

/// Parameters of the stream.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StreamQuery {
    /// `cursor` of an event: what came behind it is sent first. Absent, and without
    /// `Last-Event-ID`: what happens from now on.
    #[param(max_length = 200, pattern = "^[A-Za-z0-9_-]+$")]
    after: Option<String>,
    /// Names of events, separated by commas; `reply.*` stands for all that begin with `reply.`.
    #[param(value_type = Option<String>, max_length = 1300, example = "proposal.*",
        pattern = r"^[a-z_]+(\.[a-z_]+)*(\.\*)?(,[a-z_]+(\.[a-z_]+)*(\.\*)?){0,19}$")]
    name: Option<Names>,
    /// Kinds of histories, separated by commas, such as `proposal` or `unit`.
    #[param(value_type = Option<String>, max_length = 1300, example = "proposal",
        pattern = r"^[a-z_]+(,[a-z_]+){0,19}$")]
    kind: Option<Names>,
}

fn wanted(names: Option<Names>, kinds: Option<Names>) -> Wanted {
    Wanted {
        names: names.unwrap_or_default().0,
        kinds: kinds.unwrap_or_default().0,
    }
}

fn shown(page: FeedPage, binding: &Binding) -> Result<FeedEvents> {
    let items = page.events.into_iter().map(|(position, event)| {
        Ok(FeedEvent {
            cursor: binding.encode(&position)?,
            event,
        })
    });
    Ok(FeedEvents {
        items: items.collect::<Result<_>>()?,
        cursor: binding.encode(&page.end)?,
        more: page.more,
    })
}

/// Follow what happens
///
/// Every event of the committee that the caller may know of, oldest first, in the order in which
/// the acts were committed: read until `more` is false, keep `cursor`, and ask again later. Nothing
/// that is committed later appears before a cursor, and repeated reads give the same order. Entries
/// are thin: what happened to what; texts are read where they are. What the caller may know is
/// decided when it is read: what becomes readable later, such as the forms of a concluded round,
/// is not told again.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", params(EventsQuery),
    responses((status = 200, description = "A part of the feed.", body = FeedEvents)))]
pub async fn list_events(
    app: Data<App>,
    ctx: Ctx,
    Params(query): Params<EventsQuery>,
) -> Result<Answer> {
    let committee = ctx.committee();
    let binding = Binding::feed(committee);
    if query.after.is_some() && query.from.is_some() {
        return Err(Error::new(Code::InvalidParameter).field(
            "from",
            "conflict",
            Message::new("不能与 after 同时使用。", "Not together with `after`."),
        ));
    }
    let after = match &query.after {
        Some(cursor) => position(&binding, "after", cursor)?,
        None => 0,
    };
    let (wanted, actor) = (wanted(query.name, query.kind), ctx.principal.actor());
    let page = app
        .db
        .read("feed.page", move |tx| {
            if query.from == Some(From::Now) {
                return Ok(FeedPage {
                    events: Vec::new(),
                    end: store::end(tx, committee)?,
                    more: false,
                });
            }
            feed::page(tx, committee, &actor, after, &wanted, query.limit.get())
        })
        .await?;
    Answer::ok(&shown(page, &binding)?)
}

fn position(binding: &Binding, place: &str, cursor: &str) -> Result<i64> {
    binding
        .decode_from::<i64>(place, cursor)
        .map(|position| position.max(0))
}

/// How often an idle stream says that it lives. A client that went away without a word is found
/// out when something is sent to it, so that its place is free after a few seconds.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How often it is asked whether the reader is still signed in.
const RECHECK: Duration = Duration::from_secs(5);
/// A reader that leaves something lying for this long is let go.
const SLOW: Duration = Duration::from_secs(30);
/// Events that are sent at once.
const BATCH: usize = 50;

/// Follow what happens as it happens
///
/// The same events as server-sent events: `id` is the cursor, `event` the name, `data` the entry as
/// JSON. A client that reconnects sends the last `id` as `Last-Event-ID` and misses nothing. A
/// comment at least every 15 seconds shows that the stream lives. The stream ends with the access token and
/// with the sign-in (a client reconnects with a fresh token), when the service stops, and when the
/// reader is too slow. At most 4 streams of an account are open at a time, and 256 of a process.
#[utoipa::path(get, path = "/api/v1/events/stream", tag = "events",
    params(StreamQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "`id` of the last event received; goes before `after`.",
            max_length = 200, pattern = "^[A-Za-z0-9_-]+$")),
    responses((status = 200, description = "The stream.", body = inline(EventStream), content_type = "text/event-stream")))]
pub async fn stream_events(
    app: Data<App>,
    ctx: Ctx,
    request: HttpRequest,
    Params(query): Params<StreamQuery>,
) -> Result<HttpResponse> {
    let committee = ctx.committee();
    let binding = Binding::feed(committee);
    let last = last_event_id(&request)?;
    let after = match (&last, &query.after) {
        (Some(cursor), _) => Some(position(&binding, "Last-Event-ID", cursor)?),
        (None, Some(cursor)) => Some(position(&binding, "after", cursor)?),
        (None, None) => None,
    };
    let token = bearer_of(request.headers())?.to_owned();
    let place = app.live.enter(ctx.user())?;
    let after = if let Some(after) = after {
        after
    } else {
        let read = move |tx: &mut Tx<'_>| store::end(tx, committee);
        app.db.read("feed.end", read).await?
    };
    let now = Instant::now();
    let feed = Following {
        ends: app.live.ends(),
        stopping: app.live.stopping(),
        app: app.get_ref().clone(),
        principal: ctx.principal,
        token,
        wanted: wanted(query.name, query.kind),
        binding,
        position: after,
        behind: true,
        begun: false,
        sent_at: now,
        checked_at: now,
        _place: place,
    };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(stream::unfold(feed, Following::next)))
}

/// Server-sent events.
#[derive(ToSchema)]
#[schema(max_length = 1_000_000)]
#[expect(dead_code, reason = "describes the body in the document")]
pub struct EventStream(String);

fn last_event_id(request: &HttpRequest) -> Result<Option<String>> {
    let Some(value) = request.headers().get("last-event-id") else {
        return Ok(None);
    };
    let text = value
        .to_str()
        .map_err(|_| Error::new(Code::InvalidCursor))?;
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// One open stream. It holds no thread and no connection of the database while nothing happens,
/// and at most one batch in memory: the server asks for the next one when this one is on its way.
struct Following {
    app: App,
    principal: Principal,
    token: String,
    wanted: Wanted,
    binding: Binding,
    /// Up to here the feed was looked at.
    position: i64,
    /// There may be more behind it already.
    behind: bool,
    begun: bool,
    /// When something was given to the server last.
    sent_at: Instant,
    checked_at: Instant,
    ends: watch::Receiver<std::collections::BTreeMap<CommitteeId, i64>>,
    stopping: watch::Receiver<bool>,
    _place: Place,
}

impl Following {
    async fn next(mut self) -> Option<(Result<Bytes, actix_web::Error>, Self)> {
        if !self.begun {
            self.begun = true;
            return Some(self.send("retry: 3000\n\n".to_owned()));
        }
        if self.sent_at.elapsed() > SLOW {
            tracing::info!(user = %self.principal.user, "a stream was not read and is let go");
            return None;
        }
        loop {
            if *self.stopping.borrow() {
                return None;
            }
            if self.checked_at.elapsed() >= RECHECK {
                // Whatever is wrong, the client comes back and is told.
                self.principal = self.app.recheck(&self.token).await.ok()?;
                self.checked_at = Instant::now();
            }
            let end = self
                .ends
                .borrow_and_update()
                .get(&self.principal.committee)
                .copied();
            if self.behind || end.is_some_and(|end| end > self.position) {
                match self.batch().await {
                    Ok(text) if !text.is_empty() => return Some(self.send(text)),
                    Ok(_) => continue,
                    Err(error) => {
                        tracing::info!(%error, "a stream ends");
                        return None;
                    }
                }
            }
            let beat = self.sent_at + HEARTBEAT;
            if Instant::now() >= beat {
                let id = self.binding.encode(&self.position).ok()?;
                return Some(self.send(format!(":\nid: {id}\n\n")));
            }
            tokio::select! {
                _ = self.ends.changed() => {}
                _ = self.stopping.changed() => {}
                () = tokio::time::sleep_until(beat.min(self.checked_at + RECHECK)) => {}
            }
        }
    }

    fn send(mut self, text: String) -> (Result<Bytes, actix_web::Error>, Self) {
        self.sent_at = Instant::now();
        (Ok(text.into()), self)
    }

    /// The next events as text; empty where none of them is for the reader.
    async fn batch(&mut self) -> Result<String> {
        let (committee, actor) = (self.principal.committee, self.principal.actor());
        let (after, wanted) = (self.position, self.wanted.clone());
        let page = self
            .app
            .db
            .read("feed.page", move |tx| {
                feed::page(tx, committee, &actor, after, &wanted, BATCH)
            })
            .await?;
        self.position = page.end;
        self.behind = page.more;
        let mut text = String::new();
        for (position, event) in &page.events {
            let data = serde_json::to_string(event).map_err(Error::internal)?;
            let id = self.binding.encode(position)?;
            text.extend([
                "id: ",
                &id,
                "\nevent: ",
                &event.name,
                "\ndata: ",
                &data,
                "\n\n",
            ]);
        }
        Ok(text)
    }
}
