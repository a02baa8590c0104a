//! Whatever is wrong with the address or the head of a request.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::{Client, TestApp};

#[actix_web::test]
async fn parameters_outside_their_limits_are_refused() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let staff = app.signed_in(&town, &town.staff);
    let long = format!("title={}", "a".repeat(101));
    for query in [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=1.5",
        "limit=x",
        "limit=",
        "limit=1&limit=2",
        "nope=1",
        "status=nope",
        "status=",
        "status=draft,,filed",
        "subject_class=nope",
        "kind=nope",
        "sort=nope",
        "count=maybe",
        "case_no=0",
        "case_no=-1",
        "case_no=99999999999",
        "serial_no=0",
        "title=",
        &long,
        "title=%00",
        "updated_since=yesterday",
        "unit_id=x",
        "session_id=unit_00000000000000000000000000000000",
        "kind=individual&kind=joint",
    ] {
        let reply = staff
            .get(&format!("/api/v1/proposals?{query}"))
            .send()
            .await;
        let reply = reply.status(400).code("invalid-parameter");
        assert!(reply.json["errors"][0]["pointer"].is_string(), "{reply}");
    }
    for query in ["cursor=", "cursor=AAAA", "cursor=!", "cursor=%00"] {
        let reply = staff
            .get(&format!("/api/v1/proposals?{query}"))
            .send()
            .await;
        assert_eq!(reply.status, 400, "{reply}");
    }
    let long = "a".repeat(4000);
    let reply = staff
        .get(&format!("/api/v1/proposals?cursor={long}"))
        .send()
        .await;
    reply.status(400).code("invalid-cursor");
    for query in [
        "validate_only=maybe",
        "validate_only=true&validate_only=true",
        "nope=1",
    ] {
        let request = staff.post(&format!("/api/v1/units?{query}"));
        let reply = request.json(serde_json::json!({})).send().await;
        reply.status(400).code("invalid-parameter");
    }
}

#[actix_web::test]
async fn what_is_wrong_with_a_parameter_is_said_in_the_language_of_the_caller() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let staff = app.signed_in(&town, &town.staff);
    let lists = ["proposals", "units", "members", "desk"];
    for (query, name, code, zh, en) in [
        (
            "limit=0",
            "limit",
            "invalid",
            "须为 1 至 100 的整数。",
            "A whole number from 1 to 100.",
        ),
        (
            "count=maybe",
            "count",
            "type",
            "须为 true 或 false。",
            "Either true or false.",
        ),
        (
            "limit=1&limit=2",
            "limit",
            "repeated",
            "参数只能出现一次。",
            "The parameter is given more than once.",
        ),
        (
            "nope=1",
            "nope",
            "unknown_parameter",
            "没有这个参数",
            "There is no such parameter",
        ),
        (
            "cursor=%00",
            "cursor",
            "invalid",
            "不得含有 NUL 字符。",
            "Without the NUL character.",
        ),
    ] {
        for list in lists {
            said(&staff, &format!("{list}?{query}"), name, code, zh, en).await;
        }
    }
    let id = "unit_ 加 32 位小写十六进制数字。";
    for (query, name, code, zh, en) in [
        (
            "sort=nope",
            "sort",
            "enum",
            "须为以下之一：newest、oldest、updated。",
            "One of: newest, oldest, updated.",
        ),
        (
            "case_no=0",
            "case_no",
            "invalid",
            "须为不小于 1 的整数。",
            "A whole number from 1.",
        ),
        (
            "case_no=99999999999",
            "case_no",
            "type",
            "须为允许范围内的整数。",
            "A whole number inside the limits.",
        ),
        (
            "unit_id=x",
            "unit_id",
            "invalid",
            id,
            "unit_ and 32 lower-case hexadecimal digits.",
        ),
        (
            "updated_since=yesterday",
            "updated_since",
            "invalid",
            "须为 RFC 3339 时刻",
            "A moment as in RFC 3339",
        ),
    ] {
        said(&staff, &format!("proposals?{query}"), name, code, zh, en).await;
    }
    said(
        &staff,
        "units?name=",
        "name",
        "invalid",
        "须为 1 至 100 个字符。",
        "1 to 100 characters.",
    )
    .await;
}

/// Asserts what is said about a parameter, in both languages.
async fn said(client: &Client, path: &str, name: &str, code: &str, zh: &str, en: &str) {
    for (language, words) in [("zh-CN", zh), ("en", en)] {
        let request = client.get(&format!("/api/v1/{path}"));
        let reply = request.header("Accept-Language", language).send().await;
        let reply = reply.status(400).code("invalid-parameter").blames(&[name]);
        assert_eq!(reply.text("/errors/0/code"), code, "{reply}");
        assert!(
            reply.text("/errors/0/detail").contains(words),
            "{words}: {reply}"
        );
    }
}

#[actix_web::test]
async fn documented_paging_works_on_every_list() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let administrator = app.signed_in(&town, &town.administrator);
    let staff = app.signed_in(&town, &town.staff);
    let security = app.signed_in(&town, &town.security);
    let auditor = app.signed_in(&town, &town.auditor);
    let document = app.openapi().await;
    let mut lists = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let parameters = item["get"]["parameters"].as_array().into_iter().flatten();
        let names: Vec<_> = parameters.filter_map(|one| one["name"].as_str()).collect();
        if !names.contains(&"limit") || path.contains('{') {
            continue;
        }
        // What follows cases is not for administrators.
        let client = match path.as_str() {
            "/api/v1/instructions"
            | "/api/v1/promises"
            | "/api/v1/clocks"
            | "/api/v1/referrals"
            | "/api/v1/incoming-referrals" => &staff,
            "/api/v1/api-tokens" | "/api/v1/openid-providers" => &security,
            path if path.starts_with("/api/v1/audit/") => &auditor,
            _ => &administrator,
        };
        lists += 1;
        for (name, query, wrong) in [
            ("limit", "limit=1", "limit=0"),
            ("count", "count=true", "count=1"),
        ] {
            if names.contains(&name) {
                let reply = client.get(&format!("{path}?{query}")).send().await;
                let reply = reply.status(200);
                assert!(
                    name != "count" || reply.json["count"].is_number(),
                    "{reply}"
                );
                let reply = client.get(&format!("{path}?{wrong}")).send().await;
                reply.status(400).code("invalid-parameter");
            }
        }
        let unique: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(
            unique.len(),
            names.len(),
            "{path} documents a parameter twice: {names:?}"
        );
    }
    assert!(lists >= 8, "{lists}");
}

/// Sends bytes as they are; gives the status of the answer, and closes.
fn raw(base: &str, head: &[u8]) -> u16 {
    let address = base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("to connect");
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .expect("a timeout");
    // The service may answer and close before it has read everything.
    let _ = stream.write_all(head);
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    while answer.len() < 12 {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(count) => answer.extend_from_slice(&chunk[..count]),
        }
    }
    let text = String::from_utf8_lossy(&answer);
    let status = text.get(9..12).and_then(|status| status.parse().ok());
    status.unwrap_or(0)
}

#[actix_web::test]
async fn hostile_heads_are_refused_at_once() {
    let app = TestApp::start().await;
    let flood = (0..500).fold(String::new(), |flood, n| flood + &format!("X-{n}: 1\r\n"));
    let wide = format!("X-Wide: {}\r\n", "a".repeat(1024 * 1024));
    let path = "a".repeat(20_000);
    let huge = "a".repeat(100_000);
    for (what, head, wanted) in [
        ("headers", format!("GET /health/live HTTP/1.1\r\nHost: a\r\n{flood}\r\n"), None),
        ("a header", format!("GET /health/live HTTP/1.1\r\nHost: a\r\n{wide}\r\n"), None),
        ("a path", format!("GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n"), Some(414)),
        ("a query", format!("GET /health/live?{path} HTTP/1.1\r\nHost: a\r\n\r\n"), Some(414)),
        ("a huge path", format!("GET /{huge} HTTP/1.1\r\nHost: a\r\n\r\n"), None),
        ("nonsense", "NONSENSE\r\n\r\n".to_owned(), Some(400)),
        ("a length", "POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n".to_owned(), Some(400)),
        ("two lengths", "POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_owned(), Some(400)),
        ("a large length", "POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n".to_owned(), Some(413)),
    ] {
        let started = Instant::now();
        let status = raw(app.base(), head.as_bytes());
        assert!((400..500).contains(&status), "{what}: {status}");
        assert!(wanted.is_none_or(|wanted| wanted == status), "{what}: {status}");
        assert!(started.elapsed() < Duration::from_secs(2), "{what}");
    }
    app.anonymous().get("/health/live").send().await.status(200);
}

#[actix_web::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    let app = TestApp::start().await;
    let address = app.base().trim_start_matches("http://").to_owned();
    let started = Instant::now();
    let status = actix_web::rt::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).expect("to connect");
        stream
            .set_read_timeout(Some(Duration::from_secs(15)))
            .expect("a timeout");
        let head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\n\
                    Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
        stream.write_all(head.as_bytes()).expect("to send");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer[9..]).into_owned()
    })
    .await
    .expect("a status");
    assert_eq!(status, "400");
    assert!(started.elapsed() < Duration::from_secs(13));
}
