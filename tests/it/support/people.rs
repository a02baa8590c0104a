//! Committees and accounts for tests, with clients that are signed in.

use jianjian::ids::{CommitteeId, UserId};
use jianjian::store::committees::{self, CommitteeFields};
use jianjian::store::register::Entry;
use jianjian::store::users::{self, UserFields};
use jianjian::workflow::lists::CommitteeLevel;
use jianjian::workflow::role::{Grant, Role};
use serde_json::json;

use super::{Client, TestApp};

/// The password of every account.
pub const PASSWORD: &str = "lantern-over-water";

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
        self.write(move |tx| users::insert(tx, committee, &entry, &hash))
            .await;
        let client = self.first_sign_in(code, username, &initial).await;
        Person { id, client }
    }

    /// An administrator of a new municipal committee.
    pub async fn administrator(&self, code: &str) -> Person {
        let committee = self.committee(code, CommitteeLevel::Municipal).await;
        self.person(
            (committee, code),
            "admin",
            &[Grant::of(Role::Administrator)],
        )
        .await
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
