//! Signing in against a real database.

use std::sync::Arc;

use super::*;
use crate::app::AppSettings;
use crate::app::ctx::{IdempotencyKey, IfMatch};
use crate::auth::password::HashParams;
use crate::clock::{Clock, MockClock};
use crate::ids::{CommitteeId, UserId};
use crate::store::accounts::sample;
use crate::store::{DatabaseUrl, Db, Threads, migrate};

pub(super) const PASSWORD: &str = "lantern-over-water";

pub(super) struct World {
    _dir: tempfile::TempDir,
    url: DatabaseUrl,
    pub(super) app: App,
    pub(super) clock: MockClock,
    pub(super) code: String,
    pub(super) committee: CommitteeId,
    user: UserId,
}

async fn start(url: &DatabaseUrl, clock: &MockClock) -> App {
    let DatabaseUrl::Sqlite(file) = url else {
        panic!("these tests run on SQLite")
    };
    let settings = AppSettings {
        mail: None,
        keep_read: jiff::SignedDuration::from_hours(24),
        seal_every: jiff::SignedDuration::from_hours(24),
        storage: crate::files::Storage {
            place: crate::files::Place::Directory(file.with_file_name("files")),
            scratch: None,
            uploads: 1,
            scanner: None,
            s3: crate::files::S3 {
                endpoint: None,
                region: String::new(),
                credentials: None,
                virtual_hosted: false,
            },
        },
        webhooks: crate::webhooks::Settings {
            keeper: crate::keep::Keeper::new("webhooks.key", None),
            insecure: false,
            timeout: std::time::Duration::from_secs(1),
            names: crate::webhooks::Names::default(),
            source: String::new(),
        },
        issuer: "https://jianjian.example".into(),
        audience: "jianjian".into(),
        limits: crate::config::Limits {
            window: 60,
            reads: 0,
            writes: 0,
            heavy: 0,
            open: 0,
            probes: 0,
            patience: std::time::Duration::from_secs(1),
        },
        password_params: HashParams::CHEAP,
        password_queue: 256,
        leaked: None,
        address_limit: crate::auth::throttle::AddressLimit {
            refusals: 100,
            window: SignedDuration::from_mins(10),
        },
        lease: jiff::SignedDuration::from_secs(60),
        second_factor: crate::config::SecondFactor::default(),
        openid: crate::openid::Settings::default(),
    };
    let db = Db::start(url.clone(), Threads::default()).expect("database");
    App::new(db, Arc::new(clock.clone()), settings)
        .await
        .expect("app")
}

pub(super) async fn world() -> World {
    let dir = tempfile::tempdir().expect("directory");
    let url = DatabaseUrl::Sqlite(dir.path().join("test.db"));
    migrate::run(&url).expect("migrations");
    let clock = MockClock::at("2026-11-23T08:00:00Z".parse().expect("moment"));
    let app = start(&url, &clock).await;
    let code = CommitteeId::new(clock.now()).to_string();
    let hash = app.passwords.hash_blocking(PASSWORD).expect("hash");
    let (now, for_db) = (clock.now(), code.clone());
    let (committee, user) = app
        .db
        .write("sample", move |tx| {
            let committee = sample::committee(tx, &for_db, now)?;
            Ok((
                committee,
                sample::user(tx, committee, "chen.wei", &hash, now)?,
            ))
        })
        .await
        .expect("sample");
    World {
        _dir: dir,
        url,
        app,
        clock,
        code,
        committee,
        user,
    }
}

fn request() -> RequestId {
    RequestId::new(Timestamp::UNIX_EPOCH)
}

impl World {
    pub(super) async fn try_login(
        &self,
        committee: &str,
        username: &str,
        password: &str,
    ) -> Result<SignedIn> {
        let [committee, username, password] = [committee, username, password].map(str::to_owned);
        self.app
            .login(
                Credentials {
                    committee,
                    username,
                    password,
                },
                Origin {
                    request: request(),
                    address: None,
                },
            )
            .await
    }

    async fn login(&self) -> SignedIn {
        self.try_login(&self.code, "chen.wei", PASSWORD)
            .await
            .expect("signed in")
    }

    async fn refresh(&self, token: &RefreshToken) -> Result<SignedIn> {
        self.app.refresh(token.reveal(), request()).await
    }

    async fn refusal(&self, token: &RefreshToken) -> Option<Code> {
        self.refresh(token).await.err().map(|error| error.code())
    }

    pub(super) fn ctx(&self, principal: &Principal) -> Ctx {
        Ctx {
            principal: principal.clone(),
            now: self.clock.now(),
            request_id: request(),
            operation: "change_password".into(),
            idempotency: None,
            if_match: IfMatch::Missing,
            validate_only: false,
            disclosed: crate::app::audit::Disclosed::default(),
        }
    }

    async fn disable(&self, disabled: bool) {
        let (committee, user) = (self.committee, self.user);
        let disable = self.app.db.write("disable", move |tx| {
            sample::disable(tx, committee, user, disabled)
        });
        disable.await.expect("disabled");
    }

    async fn tokens(&self, id: SignInId) -> (i64, Option<String>) {
        let committee = self.committee;
        self.app
            .db
            .read("tokens", move |tx| sample::tokens(tx, committee, id))
            .await
            .expect("rows")
    }

    /// Names of the events of the account.
    async fn history(&self) -> Vec<String> {
        let stream = Stream::of(self.committee, "user", self.user);
        let events = self
            .app
            .db
            .read("history", move |tx| events::list(tx, &stream, 0, 100));
        events
            .await
            .expect("events")
            .into_iter()
            .map(|event| event.name)
            .collect()
    }

    pub(super) fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

#[tokio::test]
async fn a_right_password_signs_in_and_the_token_leads_to_the_account() {
    let world = world().await;
    let signed_in = world.login().await;
    let principal = world
        .app
        .authenticate(&signed_in.access_token)
        .await
        .expect("principal");
    assert_eq!(
        (principal.committee, principal.user),
        (world.committee, world.user)
    );
    assert_eq!(principal.grants.len(), 2);
    assert!(principal.must_change_password);
    let names = world
        .app
        .names(&world.ctx(&principal))
        .await
        .expect("names");
    assert_eq!(names, signed_in.names);
    assert_eq!(names.grants[0].unit.as_deref(), Some("水务局 chen.wei"));
    assert_eq!(
        (&names.grants[1].unit, &names.committee_code),
        (&None, &world.code)
    );
    assert_eq!(world.history().await, ["user.signed_in"]);
}

#[tokio::test]
async fn every_wrong_sign_in_gets_the_same_answer() {
    let world = world().await;
    let code = world.code.clone();
    for (committee, username, password) in [
        ("nowhere", "chen.wei", PASSWORD),
        (&code, "nobody", PASSWORD),
        (&code, "chen.wei", "lantern-under-water"),
        (&code, "CHEN.WEI", PASSWORD),
    ] {
        let error = world
            .try_login(committee, username, password)
            .await
            .err()
            .expect("refused");
        assert_eq!(
            error.to_string(),
            "bad-credentials",
            "{committee} {username}"
        );
    }
    world.disable(true).await;
    let error = world
        .try_login(&code, "chen.wei", PASSWORD)
        .await
        .err()
        .expect("refused");
    assert_eq!(error.to_string(), "bad-credentials");
    assert_eq!(
        world.history().await,
        ["user.sign_in_refused", "user.sign_in_refused"]
    );
}

/// How late after a multiple of the step each of these is refused, the least of a few times, and
/// whether one was refused before the first step.
async fn lateness(world: &World, committee: &str, username: &str, password: &str) -> (bool, u128) {
    let (mut early, mut least) = (false, u128::MAX);
    for _ in 0..4 {
        let started = tokio::time::Instant::now();
        let refused = world.try_login(committee, username, password).await;
        let took = started.elapsed();
        assert_eq!(
            refused.err().map(|error| error.code()),
            Some(Code::BadCredentials)
        );
        early |= took < REFUSAL_STEP;
        least = least.min(took.as_millis() % REFUSAL_STEP.as_millis());
    }
    (early, least)
}

#[tokio::test]
async fn refusals_are_answered_at_fixed_moments() {
    let mut world = world().await;
    let code = world.code.clone();
    let cases = [
        ("nowhere", "chen.wei", PASSWORD),
        (code.as_str(), "nobody", PASSWORD),
        (code.as_str(), "chen.wei", "lantern-under-water"),
        // By now the name is delayed, and the right password refused.
        (code.as_str(), "chen.wei", PASSWORD),
    ];
    for (committee, username, password) in cases {
        let (early, late) = lateness(&world, committee, username, password).await;
        assert!(
            !early && late < 40,
            "{committee} {username}: {late} ms late"
        );
    }
    // Without the steps, the test would notice.
    world.app.refusal_step = Duration::ZERO;
    let (early, _) = lateness(&world, &code, "nobody", PASSWORD).await;
    assert!(early);
}

#[tokio::test]
async fn disabling_ends_access_at_once() {
    let world = world().await;
    let signed_in = world.login().await;
    world.disable(true).await;
    assert!(
        world
            .app
            .authenticate(&signed_in.access_token)
            .await
            .is_err()
    );
    assert_eq!(
        world.refusal(&signed_in.refresh_token).await,
        Some(Code::RefreshRefused)
    );
}

#[tokio::test]
async fn an_outdated_hash_is_made_anew_at_sign_in() {
    let mut world = world().await;
    let dearer = HashParams {
        memory_kib: 16,
        passes: 1,
        lanes: 1,
    };
    world.app.passwords =
        Arc::new(crate::auth::password::Passwords::new(dearer).expect("valid costs"));
    world.login().await;
    let (committee, user) = (world.committee, world.user);
    let account = world
        .app
        .db
        .read("find", move |tx| accounts::find(tx, committee, user))
        .await;
    let hash = account
        .expect("row")
        .and_then(|account| account.password_hash);
    assert!(hash.is_some_and(|hash| hash.contains("m=16,")));
    world.login().await;
}

#[tokio::test]
async fn refresh_tokens_follow_one_another() {
    let world = world().await;
    let first = world.login().await;
    let second = world.refresh(&first.refresh_token).await.expect("second");
    assert!(world.app.authenticate(&second.access_token).await.is_ok());
    // The answer got lost: the same successor again.
    world.advance(9);
    let again = world.refresh(&first.refresh_token).await.expect("again");
    assert_eq!(again.refresh_token, second.refresh_token);
    let third = world.refresh(&second.refresh_token).await.expect("third");
    assert_ne!(third.refresh_token, second.refresh_token);
    assert_eq!(world.tokens(first.principal.sign_in).await, (3, None));
}

#[tokio::test]
async fn an_old_token_ends_the_whole_sign_in() {
    // Either the grace has passed, or the successor was used already.
    for wait in [true, false] {
        let world = world().await;
        let first = world.login().await;
        let second = world.refresh(&first.refresh_token).await.expect("second");
        let last = if wait {
            world.advance(10);
            second
        } else {
            world.refresh(&second.refresh_token).await.expect("third")
        };
        assert_eq!(
            world.refusal(&first.refresh_token).await,
            Some(Code::RefreshRefused)
        );
        assert!(world.app.authenticate(&last.access_token).await.is_err());
        assert_eq!(
            world.refusal(&last.refresh_token).await,
            Some(Code::RefreshRefused)
        );
        let (_, reason) = world.tokens(first.principal.sign_in).await;
        assert_eq!(reason.as_deref(), Some("reuse"));
        assert_eq!(
            world.history().await,
            ["user.signed_in", "user.refresh_token_reused"]
        );
    }
}

#[tokio::test]
async fn an_invented_token_ends_nothing() {
    let world = world().await;
    let signed_in = world.login().await;
    let invented =
        RefreshToken::first(world.committee, signed_in.principal.sign_in).expect("token");
    assert_eq!(world.refusal(&invented).await, Some(Code::RefreshRefused));
    assert!(world.app.refresh("jjr_nonsense", request()).await.is_err());
    assert!(world.refresh(&signed_in.refresh_token).await.is_ok());
}

#[tokio::test]
async fn parallel_refreshes_leave_one_successor() {
    let world = Arc::new(world().await);
    let first = world.login().await;
    let calls: Vec<_> = (0..32)
        .map(|_| {
            let (world, token) = (Arc::clone(&world), first.refresh_token.clone());
            tokio::spawn(async move { world.refresh(&token).await.map(|s| s.refresh_token) })
        })
        .collect();
    let mut successors = Vec::new();
    for call in calls {
        successors.push(call.await.expect("task").expect("successor"));
    }
    assert!(successors.iter().all(|token| *token == successors[0]));
    assert_eq!(world.tokens(first.principal.sign_in).await, (2, None));
}

#[tokio::test]
async fn sign_ins_end_of_themselves() {
    let day = 24 * 3600;
    let idle = world().await;
    let first = idle.login().await;
    idle.advance(7 * day);
    assert_eq!(
        idle.refusal(&first.refresh_token).await,
        Some(Code::RefreshRefused)
    );
    let busy = world().await;
    let mut last = busy.login().await;
    for _ in 0..13 {
        busy.advance(day);
        last = busy.refresh(&last.refresh_token).await.expect("continued");
    }
    busy.advance(day);
    assert_eq!(
        busy.refusal(&last.refresh_token).await,
        Some(Code::RefreshRefused)
    );
    assert!(busy.app.authenticate(&last.access_token).await.is_err());
}

#[tokio::test]
async fn signing_out_works_at_once_and_on_every_instance() {
    let world = world().await;
    let other = start(&world.url, &world.clock).await;
    let (gone, kept) = (world.login().await, world.login().await);
    assert!(other.authenticate(&gone.access_token).await.is_ok());
    let answer = world
        .app
        .logout(&world.ctx(&gone.principal))
        .await
        .expect("signed out");
    assert_eq!(answer.status, 204);
    assert!(other.authenticate(&gone.access_token).await.is_err());
    assert_eq!(
        world.refusal(&gone.refresh_token).await,
        Some(Code::RefreshRefused)
    );
    assert!(other.authenticate(&kept.access_token).await.is_ok());
    assert_eq!(
        world.history().await.last().map(String::as_str),
        Some("user.signed_out")
    );
}

#[tokio::test]
async fn changing_the_password_ends_the_other_sign_ins() {
    let world = world().await;
    let (own, other) = (world.login().await, world.login().await);
    let mut ctx = world.ctx(&own.principal);
    let change = |ctx: &Ctx, old: &'static str, new: &'static str| {
        let (app, ctx) = (world.app.clone(), ctx.clone());
        async move { app.change_password(&ctx, old, new).await }
    };
    let first_code = |result: Result<Answer>| {
        result
            .err()
            .and_then(|error| error.fields().first().map(|field| field.code))
    };
    let new = "a-letter-that-gets-an-answer";
    assert_eq!(
        first_code(change(&ctx, "wrong", new).await),
        Some("password_wrong")
    );
    assert_eq!(
        first_code(change(&ctx, PASSWORD, PASSWORD).await),
        Some("password_unchanged")
    );
    let with_name = change(&ctx, PASSWORD, "my chen.wei 77").await;
    assert_eq!(first_code(with_name), Some("password_has_username"));
    ctx.validate_only = true;
    assert!(change(&ctx, PASSWORD, new).await.is_ok());
    assert!(
        world.app.authenticate(&other.access_token).await.is_ok(),
        "a trial keeps nothing"
    );
    ctx.validate_only = false;
    ctx.idempotency = Some(IdempotencyKey {
        key: "key-12345".into(),
        request_hash: String::new(),
    });
    assert!(!change(&ctx, PASSWORD, new).await.expect("changed").replayed);
    assert!(
        change(&ctx, PASSWORD, new)
            .await
            .expect("repeated")
            .replayed
    );
    let reused = change(&ctx, PASSWORD, "another-new-password").await.err();
    assert_eq!(
        reused.map(|error| error.code()),
        Some(Code::IdempotencyKeyReused)
    );

    assert!(world.app.authenticate(&other.access_token).await.is_err());
    let principal = world
        .app
        .authenticate(&own.access_token)
        .await
        .expect("goes on");
    assert!(!principal.must_change_password);
    assert!(
        world
            .try_login(&world.code, "chen.wei", PASSWORD)
            .await
            .is_err()
    );
    assert!(world.try_login(&world.code, "chen.wei", new).await.is_ok());
    let history = world.history().await;
    assert_eq!(
        history
            .iter()
            .filter(|name| *name == "user.password_changed")
            .count(),
        1
    );
    assert_eq!(
        history
            .iter()
            .filter(|name| *name == "user.password_change_refused")
            .count(),
        1
    );
}

#[tokio::test]
async fn keys_are_made_once_and_rotate_on_every_instance() {
    let world = world().await;
    let other = start(&world.url, &world.clock).await;
    let jwks = |app: &App| app.keys.jwks(world.clock.now());
    assert_eq!(jwks(&world.app), jwks(&other));
    let before = world.login().await;
    world.app.rotate_keys().await.expect("rotated");
    assert_eq!(jwks(&world.app).len(), 2);
    assert!(world.app.authenticate(&before.access_token).await.is_ok());
    let after = world
        .refresh(&before.refresh_token)
        .await
        .expect("refreshed");
    // The other instance has never heard of the new key.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert!(other.authenticate(&after.access_token).await.is_ok());
    assert_eq!(jwks(&world.app), jwks(&other));
    // A token used before the rotation gives the same successor after it.
    let next = world.refresh(&after.refresh_token).await.expect("next");
    world.app.rotate_keys().await.expect("rotated");
    let again = world.refresh(&after.refresh_token).await.expect("again");
    assert_eq!(again.refresh_token, next.refresh_token);
}
