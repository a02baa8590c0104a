//! The event stream of a desk that stays open.

use std::time::{Duration, Instant};

use jianjian::store::events::{self, Circumstances, Happening, Stream};
use serde_json::json;

use crate::support::sse::Events;
use crate::support::{TestApp, steps};

const STREAM: &str = "/api/v1/events/stream";

#[actix_web::test]
async fn events_arrive_as_they_happen_and_after_a_pause_those_that_were_missed() {
    let app = TestApp::start().await;
    let town = app.town().await;
    app.work().await;
    let staff = app.signed_in(&town, &town.staff);
    let member = app.signed_in(&town, &town.members[0]);
    let mut stream = Events::open(staff.get(&format!("{STREAM}?name=proposal.*"))).await;
    let draft = steps::draft(&member, "关于优化公交线路的提案").await;
    app.work().await;
    let first = stream.take(1).await.remove(0);
    assert_eq!(first.event, "proposal.created");
    assert_eq!(first.data["name"], "proposal.created");
    assert_eq!(first.data["proposal_id"], draft.id());
    drop(stream);

    // While nobody listens …
    let submit = format!("/api/v1/proposals/{}/actions/submit", draft.id());
    member
        .post(&submit)
        .if_match(draft.version())
        .json(json!({}))
        .send()
        .await
        .status(200);
    app.work().await;
    // … and from where the client was: in the stream as in the list.
    let again = staff.get(STREAM).header("Last-Event-ID", &first.id);
    let missed = Events::open(again).await.take(1).await.remove(0);
    assert_eq!(missed.event, "proposal.submitted");
    let list = staff
        .get(&format!("/api/v1/events?after={}", first.id))
        .send()
        .await
        .status(200);
    assert_eq!(list.json["items"][0]["cursor"], missed.id.as_str());
    assert_eq!(list.json["items"][0]["id"], missed.data["id"]);
    for wrong in ["?after=x", "?x=1", "?name=A"] {
        staff
            .get(&format!("{STREAM}{wrong}"))
            .send()
            .await
            .status(400);
    }
    staff
        .get(STREAM)
        .header("Last-Event-ID", "no")
        .send()
        .await
        .status(400)
        .code("invalid-cursor");
    app.anonymous().get(STREAM).send().await.status(401);
}

/// I21 and the roles: a stream gives what the list gives.
#[actix_web::test]
async fn a_stream_tells_nobody_more_than_he_may_know() {
    let app = TestApp::start().await;
    let town = app.town().await;
    app.work().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let mut stream = Events::open(administrator.get(STREAM)).await;
    steps::draft(
        &app.signed_in(&town, &town.members[0]),
        "关于优化公交线路的提案",
    )
    .await;
    let unit =
        json!({ "name": "市水利局", "system_line": "government", "reply_prefix": "云水提复" });
    administrator
        .post("/api/v1/units")
        .json(unit)
        .send()
        .await
        .status(201);
    app.work().await;
    assert_eq!(stream.take(1).await[0].event, "unit.created");
}

#[actix_web::test]
async fn streams_are_bounded_and_a_closed_one_gives_its_place_back() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let staff = app.signed_in(&town, &town.staff);
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(Events::open(staff.get(STREAM)).await);
    }
    let refused = staff
        .get(STREAM)
        .send()
        .await
        .status(429)
        .code("too-many-streams");
    assert_eq!(refused.text_header("retry-after"), "10");
    // Others are not concerned.
    let chair = app.signed_in(&town, &town.chair);
    drop(Events::open(chair.get(STREAM)).await);
    open.clear();
    let from = Instant::now();
    while app.app.live.count() > 0 {
        assert!(
            from.elapsed() < Duration::from_secs(20),
            "{}",
            app.app.live.count()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Events::open(staff.get(STREAM)).await;
}

#[actix_web::test]
async fn a_stream_ends_with_the_sign_in_and_with_the_token() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (staff, chair) = (
        app.signed_in(&town, &town.staff),
        app.signed_in(&town, &town.chair),
    );
    let mut signed_out = Events::open(staff.get(STREAM)).await;
    staff.post("/api/v1/auth/logout").send().await.ok();
    let from = Instant::now();
    while signed_out.next(Duration::from_secs(12)).await.is_some() {}
    assert!(
        from.elapsed() < Duration::from_secs(10),
        "{:?}",
        from.elapsed()
    );

    let mut expired = Events::open(chair.get(STREAM)).await;
    app.clock.advance(jiff::SignedDuration::from_mins(11));
    let from = Instant::now();
    while expired.next(Duration::from_secs(12)).await.is_some() {}
    assert!(
        from.elapsed() < Duration::from_secs(10),
        "{:?}",
        from.elapsed()
    );
}

#[actix_web::test]
async fn an_idle_stream_shows_that_it_lives_and_costs_next_to_nothing() {
    let app = TestApp::start().await;
    let town = app.town().await;
    app.work().await;
    let staff = app.signed_in(&town, &town.staff);
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(Events::open(staff.get(STREAM)).await);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = app.db().statements();
    let from = Instant::now();
    let beat = streams[0]
        .next(Duration::from_secs(20))
        .await
        .expect("a heartbeat");
    assert!(beat.event.is_empty() && !beat.id.is_empty());
    assert!(
        (3..15).contains(&from.elapsed().as_secs()),
        "{:?}",
        from.elapsed()
    );
    // One look a second for all, and who asks every five seconds for each; on SQLite each with
    // a transaction around it.
    let taken = app.db().statements() - before;
    assert!(taken < 40, "{taken}");
}

/// A reader that takes nothing is cut off and its place is free; nothing is gathered for it, for
/// the server asks for the next events only when the last ones are on their way.
#[actix_web::test]
async fn a_reader_that_takes_nothing_is_let_go() {
    use std::io::Write;

    let app = TestApp::start().await;
    let town = app.town().await;
    app.work().await;
    let auditor = app.signed_in(&town, &town.auditor);
    let start = auditor
        .get("/api/v1/events?from=now")
        .send()
        .await
        .text("/cursor");
    let (committee, staff) = (town.committee, town.staff.user);
    let now = app.clock_now();
    app.write(move |tx| {
        for _ in 0..6000 {
            let happening = Happening {
                name: "user.noticed".to_owned(),
                rule: None,
                content: json!({}),
            };
            let stream = Stream::of(committee, "user", staff);
            events::append(tx, &stream, &Circumstances::system(now), happening)?;
        }
        Ok(())
    })
    .await;
    app.work().await;
    let address: std::net::SocketAddr = app
        .base()
        .trim_start_matches("http://")
        .parse()
        .expect("an address");
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let mut socket = socket.expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    socket.connect(&address.into()).expect("to connect");
    let token = app.token(&town, &town.auditor);
    let request = format!(
        "GET {STREAM}?after={start} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).expect("to send");
    let from = Instant::now();
    while app.app.live.count() == 0 {
        assert!(from.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    while app.app.live.count() > 0 {
        assert!(from.elapsed() < Duration::from_secs(80), "still there");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(from.elapsed() > Duration::from_secs(10), "not at once");
}
