//! A panic anywhere in a request is one failed request: one problem document, nothing kept, and
//! the next request works.

use std::sync::{Arc, Mutex};

use actix_web::rt::spawn;
use jianjian::store::Point;

use crate::support::{Reply, TestApp, steps};

/// Where the next panic happens, once.
#[derive(Clone, Default)]
struct Trap(Arc<Mutex<Option<(&'static str, Point)>>>);

impl Trap {
    fn in_service(app: &TestApp) -> Self {
        let trap = Self::default();
        let set = trap.clone();
        app.db().watch(move |name, point| {
            let mut armed = set.0.lock().expect("the trap");
            let hit = armed.is_some_and(|(at, when)| name.starts_with(at) && when == point);
            if hit {
                *armed = None;
                drop(armed);
                panic!("src/trap.rs: sqlite and postgres are told nobody");
            }
        });
        trap
    }

    fn arm(&self, name: &'static str, point: Point) {
        *self.0.lock().expect("the trap") = Some((name, point));
    }

    fn sprung(&self) -> bool {
        self.0.lock().expect("the trap").is_none()
    }
}

fn failed(reply: &Reply) {
    let reply = reply.clone().status(500).code("internal");
    assert_eq!(reply.json["instance"], reply.text_header("x-request-id"));
    let text = reply.to_string().to_lowercase();
    for word in ["diesel", "sqlite", "postgres", "panicked", "src/", "trap"] {
        assert!(!text.contains(word), "{text}");
    }
}

#[actix_web::test]
async fn a_panic_is_one_problem_and_what_was_written_is_undone() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let trap = Trap::in_service(&app);
    let member = app.signed_in(&town, &town.members[0]);
    let body = serde_json::json!({ "kind": "individual", "form": steps::form("关于绿道的提案") });
    let send = async |key: &str| {
        let request = member.post("/api/v1/proposals").key(key);
        request.json(&body).send().await
    };
    for (key, point) in [
        ("before-it-is-asked", Point::Asked),
        ("at-the-beginning", Point::Begun),
        ("before-the-commit", Point::Done),
    ] {
        let before = app.database().row_counts();
        trap.arm("http.act", point);
        failed(&send(key).await);
        assert!(trap.sprung(), "{point:?}");
        assert_eq!(app.database().row_counts(), before, "{point:?}");
        // The same key is free, because nothing was kept under it.
        let reply = send(key).await.status(201);
        assert_eq!(reply.text_header("idempotency-replayed"), "");
        assert_ne!(app.database().row_counts(), before);
    }
    // After the commit the effect stands, and its answer is found under the key.
    trap.arm("http.act", Point::Answered);
    failed(&send("after-the-commit").await);
    let after = app.database().row_counts();
    let reply = send("after-the-commit").await.status(201);
    assert_eq!(reply.text_header("idempotency-replayed"), "true");
    assert_eq!(app.database().row_counts(), after);
}

#[actix_web::test]
async fn a_panic_in_a_read_leaves_the_connection_usable() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let trap = Trap::in_service(&app);
    let staff = app.signed_in(&town, &town.staff);
    for point in [Point::Asked, Point::Begun, Point::Done, Point::Answered] {
        // Once: a read that panics is not repeated on another connection, as one is whose
        // connection died.
        trap.arm("unit", point);
        failed(&staff.get("/api/v1/units").send().await);
        assert!(trap.sprung(), "{point:?}");
        // More often than there are threads that read.
        for _ in 0..4 {
            staff.get("/api/v1/units").send().await.status(200);
        }
    }
}

/// On SQLite several writes share a commit; one that panics does the others no harm.
#[actix_web::test]
async fn a_panic_does_the_others_in_its_commit_no_harm() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let trap = Trap::in_service(&app);
    let member = app.signed_in(&town, &town.members[0]);
    let count = "SELECT COUNT(*) AS n FROM proposals";
    let before = app.database().number(count);
    for point in [Point::Begun, Point::Done] {
        trap.arm("http.act", point);
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let form = steps::form("关于绿道的提案");
                let body = serde_json::json!({ "kind": "individual", "form": form });
                spawn(member.post("/api/v1/proposals").json(body).send())
            })
            .collect();
        let mut made = 0;
        for task in tasks {
            let reply = task.await.expect("an answer");
            if reply.status == 201 {
                made += 1;
            } else {
                failed(&reply);
            }
        }
        assert_eq!(made, 15, "{point:?}");
    }
    assert_eq!(app.database().number(count), before + 30);
}
