//! Committees and accounts for tests, with clients that are signed in.

use jianjian::ids::{CommitteeId, UserId};
use jianjian::store::committees::{self, CommitteeFields};
use jianjian::store::register::Entry;
use jianjian::store::users::{self, UserFields};
use jianjian::workflow::lists::CommitteeLevel;
use jianjian::workflow::role::{Grant, Role};
use serde_json::{Value, json};

use super::{Client, Reply, TestApp};

/// The password of every account.
pub const PASSWORD: &str = "lantern-over-water";
/// The first password of accounts that are made over HTTP.
pub const FIRST: &str = "first-lantern";

/// An account that is signed in.
pub struct Person {
    /// The account.
    pub id: UserId,
    /// Sends its token.
    pub client: Client,
}

impl TestApp {
    /// A committee without a parent, with nothing in it.
    pub async fn committee(&self, code: &str, level: CommitteeLevel) -> CommitteeId {
        let fields = CommitteeFields {
            code: code.to_owned(),
            name: format!("政协{code}委员会"),
            level,
            region: code.to_owned(),
            active: true,
            parent_id: None,
        };
        let entry = Entry::new(fields, self.app.clock.now());
        let id = entry.id;
        self.write(move |tx| committees::insert(tx, &entry)).await;
        id
    }

    /// An account of the committee with these roles, signed in.
    pub async fn person(
        &self,
        (committee, code): (CommitteeId, &str),
        username: &str,
        grants: &[Grant],
    ) -> Person {
        let initial = format!("first-{PASSWORD}");
        let hash = self.app.passwords.hash(&initial).await.expect("a hash");
        let fields = UserFields {
            username: username.to_owned(),
            display_name: username.to_owned(),
            member_id: None,
            roles: grants.to_vec(),
            disabled: false,
        };
        let entry = Entry::new(fields, self.app.clock.now());
        let id = entry.id;
        self.write(move |tx| users::insert(tx, committee, &entry, Some(&hash)))
            .await;
        let client = self.first_sign_in(code, username, &initial).await;
        Person { id, client }
    }

    /// The system administrator of a new municipal committee.
    pub async fn administrator(&self, code: &str) -> Person {
        self.administrators(code).await.0
    }

    /// The system administrator and the security administrator of a new municipal committee.
    pub async fn administrators(&self, code: &str) -> (Person, Person) {
        let committee = self.committee(code, CommitteeLevel::Municipal).await;
        let home = (committee, code);
        let system = [Grant::of(Role::Administrator)];
        let security = [Grant::of(Role::SecurityAdministrator)];
        (
            self.person(home, "admin", &system).await,
            self.person(home, "security", &security).await,
        )
    }

    /// Signs in with an initial password and changes it to [`PASSWORD`].
    pub async fn first_sign_in(&self, code: &str, username: &str, initial: &str) -> Client {
        let client = self.sign_in(code, username, initial).await;
        let change = json!({ "old_password": initial, "new_password": PASSWORD });
        client
            .post("/api/v1/auth/password")
            .json(change)
            .send()
            .await
            .ok();
        client
    }

    /// Signs in.
    pub async fn sign_in(&self, code: &str, username: &str, password: &str) -> Client {
        let body = json!({ "committee": code, "username": username, "password": password });
        let reply = self
            .anonymous()
            .post("/api/v1/auth/login")
            .json(body)
            .send()
            .await;
        self.client(&reply.status(200).text("/access_token"))
    }
}

/// An account made over HTTP by the system administrator, with roles and the password [`FIRST`]
/// from the security administrator: the account as it is then.
pub async fn account(system: &Client, security: &Client, user: Value, roles: &Value) -> Reply {
    let made = system.post("/api/v1/users").json(user).send().await;
    let path = made.status(201).text_header("location").to_owned();
    let granted = grant(security, &path, roles).await.status(200);
    let reset = security.post(&format!("{path}/actions/reset-password"));
    let reset = reset.if_match(granted.version());
    let reset = reset.json(json!({ "password": FIRST })).send().await;
    reset.status(200)
}

/// Asks for other roles of the account at `path`, whatever its version.
pub async fn grant(security: &Client, path: &str, roles: &Value) -> Reply {
    let request = security.put(&format!("{path}/roles"));
    let request = request.header("If-Match", "*");
    request.json(json!({ "roles": roles })).send().await
}
