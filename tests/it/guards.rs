//! Guards of signing in, with the same check where the guard is away: a check that would not see
//! that proves nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use jianjian::auth::throttle::{Counted, Tally};
use jianjian::auth::totp::{self, Secret};
use jianjian::config::RequiredFor;
use jianjian::store::throttles;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::seed::{PASSWORD, Person, Town};
use crate::support::{Client, Reply, TestApp};

const SECOND: &str = "/api/v1/auth/login/second-factor";
const FACTOR: &str = "/api/v1/auth/second-factor";
const CONFIRM: &str = "/api/v1/auth/second-factor/actions/confirm";
const WRONG: &str = "moon-over-river";

async fn post(client: &Client, path: &str, body: Value) -> Reply {
    client.post(path).json(body).send().await
}

/// Two requests that are the first to be refused under a name, at the same moment: the second looks
/// before the first has committed, and writes after it. Both count.
#[actix_web::test]
async fn two_who_are_the_first_to_be_refused_count_both() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (committee, now) = (town.committee, app.clock_now());
    let counted = Counted::name(committee, "staff");
    let (done, other_is_done) = mpsc::channel::<()>();
    let has_looked = Arc::new(AtomicBool::new(false));
    let slow = {
        let (counted, has_looked) = (counted.clone(), Arc::clone(&has_looked));
        app.write(move |tx| {
            let before = throttles::lock(tx, committee, &counted)?;
            has_looked.store(true, Ordering::SeqCst);
            // On SQLite the other one waits for this one, not the other way round.
            let _ = other_is_done.recv_timeout(Duration::from_millis(400));
            let tally = Tally::refuse(before, None, now);
            throttles::put(tx, committee, &counted, before.as_ref(), &tally)
        })
    };
    let quick = async {
        while !has_looked.load(Ordering::SeqCst) {
            actix_web::rt::time::sleep(Duration::from_millis(2)).await;
        }
        let counted = counted.clone();
        app.write(move |tx| {
            let before = throttles::lock(tx, committee, &counted)?;
            let tally = Tally::refuse(before, None, now);
            throttles::put(tx, committee, &counted, before.as_ref(), &tally)
        })
        .await;
        let _ = done.send(());
    };
    futures_util::future::join(slow, quick).await;
    let tally = app
        .read(move |tx| throttles::find(tx, committee, &counted))
        .await
        .expect("a tally");
    assert_eq!((tally.failures, tally.refused), (2, 2), "{tally:?}");
}

/// Whether somebody who guesses ten times and is right the eleventh time is let in.
async fn guessing_works(app: &TestApp, town: &Town, after_each: impl Fn(&TestApp)) -> bool {
    let client = app.anonymous();
    for _ in 0..10 {
        let refused = client.login(town, "staff", WRONG).await;
        refused.status(401).code("bad-credentials");
        after_each(app);
    }
    client.login(town, "staff", PASSWORD).await.status == 200
}

#[actix_web::test]
async fn guessing_works_only_where_nothing_is_counted() {
    let app = TestApp::start_with(|config| config.auth.address_limit.refusals = 0).await;
    let town = app.town().await;
    assert!(!guessing_works(&app, &town, |_| {}).await);
    app.clock.advance(SignedDuration::from_hours(25));
    let forget = |app: &TestApp| {
        app.database().execute("DELETE FROM sign_in_throttles");
    };
    assert!(guessing_works(&app, &town, forget).await);
}

/// How many of so many names, each tried once from one address, are refused for what was given and
/// not because of the address.
async fn names_that_can_be_tried(limit: i32) -> usize {
    let app = TestApp::start_with(|config| config.auth.address_limit.refusals = limit).await;
    let town = app.town().await;
    let mut tried = 0;
    for number in 0..8 {
        let name = format!("nobody{number}");
        let reply = app.anonymous().login(&town, &name, WRONG).await;
        tried += usize::from(reply.status == 401);
    }
    tried
}

#[actix_web::test]
async fn one_address_tries_many_names_only_where_addresses_are_not_counted() {
    assert_eq!(names_that_can_be_tried(3).await, 3);
    assert_eq!(names_that_can_be_tried(0).await, 8);
}

/// A second factor for somebody who is signed in by it.
pub async fn enrolled(app: &TestApp, town: &Town, person: &Person) -> (Secret, Vec<String>) {
    let client = app.signed_in(town, person);
    let begun = post(&client, FACTOR, json!({})).await.status(200);
    let secret = Secret::parse(&begun.text("/secret")).expect("a secret");
    let first = json!({ "code": secret.code(period(app)) });
    let confirmed = post(&client, CONFIRM, first).await.status(200);
    let codes = confirmed.json["recovery_codes"].as_array().expect("codes");
    let codes = codes
        .iter()
        .map(|code| code.as_str().expect("text").to_owned());
    (secret, codes.collect())
}

fn period(app: &TestApp) -> i64 {
    totp::period(app.clock_now())
}

fn next_period(app: &TestApp) -> i64 {
    app.clock.advance(SignedDuration::from_secs(totp::PERIOD));
    period(app)
}

/// Challenges of somebody, of each instance in turn.
async fn challenges(clients: &[Client], town: &Town, count: usize) -> Vec<String> {
    let mut challenges = Vec::new();
    for number in 0..count {
        let client = &clients[number % clients.len()];
        let asked = client.login(town, "staff", PASSWORD).await.status(401);
        challenges.push(asked.code("second-factor-required").text("/challenge"));
    }
    challenges
}

/// How often one code signs in on these instances, each challenge on the next one at once.
async fn sign_ins_by(clients: &[Client], challenges: &[String], code: &str) -> usize {
    let tries = challenges.iter().enumerate().map(|(number, challenge)| {
        let body = json!({ "challenge": challenge, "code": code });
        // Not on the instance that asked.
        post(&clients[(number + 1) % clients.len()], SECOND, body)
    });
    let replies = futures_util::future::join_all(tries).await;
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        assert!(
            matches!(
                reply.json["code"].as_str(),
                Some("second-factor-refused" | "second-factor-held")
            ),
            "{reply}"
        );
    }
    replies.iter().filter(|reply| reply.status == 200).count()
}

/// One code of the authenticator, shown to two instances by several at once, and once more later.
#[actix_web::test]
async fn one_code_signs_in_once_on_two_instances() {
    let app = TestApp::start_with(|config| config.database.threads.write = 4).await;
    let town = app.town().await;
    let second = app.second().await;
    let (secret, recovery) = enrolled(&app, &town, &town.staff).await;
    let clients = [app.anonymous(), second.anonymous()];
    let open = challenges(&clients, &town, 4).await;
    let code = secret.code(next_period(&app));
    assert_eq!(sign_ins_by(&clients, &open, &code).await, 1);
    // Later and one by one it is no better, on neither of them.
    let open = challenges(&clients, &town, 2).await;
    for challenge in &open {
        let one = std::slice::from_ref(challenge);
        assert_eq!(sign_ins_by(&clients, one, &code).await, 0);
    }
    app.clock.advance(SignedDuration::from_secs(60));
    let open = challenges(&clients, &town, 4).await;
    assert_eq!(sign_ins_by(&clients, &open, &recovery[0]).await, 1);
    // Where nobody remembers what was used, the same check counts more.
    let code = secret.code(next_period(&app));
    let mut signed_in = 0;
    for challenge in challenges(&clients, &town, 2).await {
        signed_in += sign_ins_by(&clients, &[challenge], &code).await;
        app.database()
            .execute("UPDATE second_factors SET last_step = 0");
    }
    assert_eq!(signed_in, 2);
}

/// Makes a wrong code, from the present period.
type Spoil<'a> = Box<dyn Fn(i64) -> String + 'a>;

/// Codes that differ in one thing from the right one; after each of them the right one signs in, so
/// that it was refused for that.
#[actix_web::test]
async fn a_code_that_is_wrong_in_one_thing_signs_nobody_in() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let (secret, recovery) = enrolled(&app, &town, &town.staff).await;
    let (other, of_other) = enrolled(&app, &town, &town.chair).await;
    let clients = [app.anonymous()];
    let digit = |code: &str| {
        let last = if code.ends_with('0') { '1' } else { '0' };
        format!("{}{last}", &code[..5])
    };
    let typed = |code: &str| code.replace(|c: char| !c.is_ascii_alphanumeric(), "");
    let cases: [(&str, Spoil<'_>); 6] = [
        ("another digit", Box::new(|now| digit(&secret.code(now)))),
        ("two periods later", Box::new(|now| secret.code(now + 2))),
        ("two periods before", Box::new(|now| secret.code(now - 2))),
        ("of another account", Box::new(|now| other.code(now))),
        (
            "a recovery code of another account",
            Box::new(|_| of_other[0].clone()),
        ),
        (
            "a recovery code without its last letter",
            Box::new(|_| typed(&recovery[0])[..15].to_owned()),
        ),
    ];
    let mut let_in = Vec::new();
    for (what, spoil) in &cases {
        app.clock.advance(SignedDuration::from_secs(60));
        let now = next_period(&app);
        let right = secret.code(now);
        let spoilt = spoil(now);
        // One in a million is right by chance.
        if [now - 1, now, now + 1]
            .map(|near| secret.code(near))
            .contains(&spoilt)
        {
            continue;
        }
        let open = challenges(&clients, &town, 1).await;
        if sign_ins_by(&clients, &open, &spoilt).await > 0 {
            let_in.push(*what);
            continue;
        }
        assert_eq!(sign_ins_by(&clients, &open, &right).await, 1, "{what}");
    }
    assert_eq!(let_in, [""; 0]);
    // The code before the present one would do for a clock that is late, were it not used.
    let (used, now) = (period(&app), next_period(&app));
    let open = challenges(&clients, &town, 1).await;
    assert_eq!(sign_ins_by(&clients, &open, &secret.code(used)).await, 0);
    assert_eq!(sign_ins_by(&clients, &open, &secret.code(now)).await, 1);
    // The codes next to the present one are right by design, for clocks that differ.
    for near in [-1, 1] {
        app.clock.advance(SignedDuration::from_secs(60));
        let now = next_period(&app);
        let open = challenges(&clients, &town, 1).await;
        assert_eq!(
            sign_ins_by(&clients, &open, &secret.code(now + near)).await,
            1
        );
    }
}

/// The marked operations that answer something else than that they want a recent proof.
async fn without_step_up(app: &TestApp, town: &Town) -> (Vec<String>, usize) {
    let (mut open, mut count) = (Vec::new(), 0);
    let people = [
        &town.administrator,
        &town.security,
        &town.chair,
        &town.staff,
    ];
    let routes = jianjian::api::routes();
    for meta in routes.operations().filter(|meta| meta.step_up) {
        count += 1;
        // No such thing anywhere; what is asked for comes before it is looked for.
        let path = meta.path.split('/').map(|part| match part {
            part if part.starts_with('{') => "x",
            part => part,
        });
        let path = path.collect::<Vec<_>>().join("/");
        let mut answers = Vec::new();
        for person in people {
            let client = app.signed_in(town, person);
            let method = meta.method.as_str().parse().expect("a method");
            let request = client.request(method, &path).header("If-Match", "*");
            let reply = request.json(json!({ "x": 1 })).send().await;
            answers.push(reply.json["code"].as_str().unwrap_or_default().to_owned());
        }
        let asks = |code: &String| code == "step-up-required";
        let other = |code: &&String| !asks(code) && *code != "forbidden";
        if !answers.iter().any(asks) || answers.iter().any(|code| other(&code)) {
            open.push(format!("{}: {answers:?}", meta.operation));
        }
    }
    (open, count)
}

#[actix_web::test]
async fn every_dangerous_operation_asks_for_a_recent_proof() {
    let app = TestApp::start().await;
    let town = app.town().await;
    // Without a second factor nobody is asked: the check sees each operation.
    let (open, count) = without_step_up(&app, &town).await;
    assert!(count >= 19);
    assert_eq!(open.len(), count, "{open:?}");
    for person in [
        &town.administrator,
        &town.security,
        &town.chair,
        &town.staff,
    ] {
        enrolled(&app, &town, person).await;
    }
    app.clock.advance(SignedDuration::from_mins(10));
    let before = app.database().row_counts();
    let (open, _) = without_step_up(&app, &town).await;
    assert_eq!(open, [""; 0]);
    assert_eq!(app.database().row_counts(), before);
}

/// The operations that these people may call although they have no second factor.
async fn open_without_factor(required_for: RequiredFor) -> Vec<String> {
    let app = TestApp::start_with(|config| config.second_factor.required_for = required_for).await;
    let town = app.town().await;
    let mut open = Vec::new();
    for (person, path) in [
        (&town.administrator, "/api/v1/users"),
        (&town.security, "/api/v1/users"),
        (&town.auditor, "/api/v1/audit/events"),
        (&town.staff, "/api/v1/proposals"),
    ] {
        let reply = app.signed_in(&town, person).get(path).send().await;
        match reply.status {
            200 => open.push(person.username.clone()),
            _ => drop(reply.status(403).code("second-factor-enrolment-required")),
        }
    }
    open
}

#[actix_web::test]
async fn who_needs_a_second_factor_is_shut_out_exactly_where_it_is_required() {
    let all = open_without_factor(RequiredFor::None).await;
    assert_eq!(all.len(), 4, "{all:?}");
    assert_eq!(
        open_without_factor(RequiredFor::Administrators).await,
        ["staff"]
    );
    assert_eq!(open_without_factor(RequiredFor::All).await, [""; 0]);
}
