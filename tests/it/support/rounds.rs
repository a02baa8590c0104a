//! Steps of replies, feedback, rounds and closing, and what a refusal must look like.

use serde_json::{Value, json};

use super::Reply;
use super::seed::Person;
use super::story::Story;

/// The names of the guards that an answer says are not met.
pub fn unmet(reply: &Reply) -> Vec<&str> {
    reply.json["unmet"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|unmet| unmet["guard"].as_str())
        .collect()
}

/// The entries of a list that have this value under this name.
pub fn pick<'v>(list: &'v Value, name: &str, value: &Value) -> Vec<&'v Value> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter(|entry| entry[name] == *value)
        .collect()
}

impl Story<'_> {
    /// Asserts that an act is refused because of exactly these guards, and that nothing changed.
    #[track_caller]
    pub fn refused<'a>(
        &'a self,
        who: &'a Person,
        base: &'a str,
        action: &'a str,
        body: Value,
        guards: &'a [&'a str],
    ) -> impl Future<Output = Reply> + 'a {
        let place = std::panic::Location::caller();
        async move {
            let before = self.mark().await;
            let reply = self.tries_on(who, base, action, body).await;
            assert_eq!(reply.status, 409, "{place}: {reply}");
            let reply = reply.code("guard-unmet");
            assert_eq!(unmet(&reply), guards, "{place}: {reply}");
            assert_eq!(self.mark().await, before, "{place}: something changed");
            reply
        }
    }

    /// Asserts that an act is refused with this status and code, and that nothing changed.
    #[track_caller]
    pub fn fails<'a>(
        &'a self,
        who: &'a Person,
        base: &'a str,
        action: &'a str,
        body: Value,
        (status, code): (u16, &'a str),
    ) -> impl Future<Output = Reply> + 'a {
        let place = std::panic::Location::caller();
        async move {
            let before = self.mark().await;
            let reply = self.tries_on(who, base, action, body).await;
            assert_eq!(reply.status, status, "{place}: {reply}");
            let reply = reply.code(code);
            assert_eq!(self.mark().await, before, "{place}: something changed");
            reply
        }
    }

    /// A sole case that is assigned to the first unit.
    pub async fn sole(&mut self) {
        self.until_filed().await;
        self.assign("sole", &[0]).await;
    }

    /// A joint case of the first unit with these co-handlers, every opinion given, and the lead's
    /// reply drafted.
    pub async fn joint_drafted(&mut self, co_handlers: &[usize]) {
        self.until_filed().await;
        let units: Vec<_> = std::iter::once(0)
            .chain(co_handlers.iter().copied())
            .collect();
        self.assign("joint", &units).await;
        self.accept(0).await;
        for unit in co_handlers {
            self.accept(*unit).await;
            self.give_opinion(*unit).await;
        }
        self.contact(0).await;
        self.draft_reply(0).await;
    }

    /// A sole case up to the delivered reply.
    pub async fn sole_answered(&mut self) {
        self.sole().await;
        self.answer(0).await;
    }

    /// A sole case whose only rater is dissatisfied.
    pub async fn sole_disliked(&mut self) {
        self.sole_answered().await;
        let proposer = self.proposer.clone();
        self.dislike(&proposer, 0).await;
    }

    /// RT02: changes the text of a unit's reply.
    pub async fn edit_reply(&self, unit: usize, patch: Value) -> Reply {
        let clerk = self.as_(&self.town.unit_clerks[unit]);
        let address = self.reply(unit);
        let version = clerk.get(&address).send().await.version();
        let request = clerk.patch(&address).if_match(version).json(patch);
        request.send().await.status(200)
    }

    /// An opinion form that is dissatisfied.
    pub fn complaint(&self, unit: usize) -> Value {
        json!({
            "reply_id": self.replies[&unit], "attitude": "satisfied", "result": "dissatisfied",
            "contact_way": "phone", "comment": "第二条建议没有回应。",
        })
    }

    /// PT22 by somebody who is dissatisfied.
    pub async fn dislike(&self, who: &Person, unit: usize) -> Reply {
        self.does(who, "give-feedback", self.complaint(unit)).await
    }

    /// PT24 because of a complaint, with all units or these rows; takes note of the new rows.
    pub async fn rehandle(&mut self, body: Value) -> Reply {
        let officer = self.town.officer.clone();
        let answer = self.does(&officer, "rehandle", body).await;
        self.learn_rows(&answer);
        answer
    }

    /// Takes note of the rows of the present round.
    pub fn learn_rows(&mut self, answer: &Reply) {
        let round = &answer.json["round"];
        for row in pick(&answer.json["handling"], "round", round) {
            if matches!(row["status"].as_str(), Some("void" | "returned")) {
                continue;
            }
            let unit = self
                .town
                .units
                .iter()
                .position(|unit| json!(unit) == row["unit_id"]);
            let id = row["id"].as_str().expect("an id").to_owned();
            self.rows.insert(unit.expect("a unit of the town"), id);
        }
    }

    /// Contact to deliver, on a row that is accepted already.
    pub async fn answer_again(&mut self, unit: usize) -> Reply {
        self.contact(unit).await;
        self.draft_reply(unit).await;
        self.sign(unit).await;
        self.approve(unit).await;
        self.deliver(unit).await
    }

    /// The proposer of the case by position, as the case names it.
    pub async fn rater(&self, position: usize) -> String {
        let seen = self.seen_by(&self.town.staff).await.status(200);
        seen.text(&format!("/proposers/{position}/id"))
    }

    /// The records of the case as somebody sees them.
    pub async fn records(&self, who: &Person) -> Value {
        let path = format!("{}/records", self.path());
        self.as_(who).get(&path).send().await.status(200).json
    }

    /// Lets days pass.
    pub fn days_pass(&self, days: i64) {
        self.app
            .clock
            .advance(jiff::SignedDuration::from_hours(24 * days));
    }
}

/// Dissatisfaction as the cause of another round.
pub fn because_dissatisfied() -> Value {
    json!({ "cause": "dissatisfied" })
}

/// A consultation of a form.
pub fn consultation(form: &str, date: &str) -> Value {
    json!({
        "form": form, "date": date, "participants": "提案者、市交通运输局副局长林涛、提案委办公室",
        "minutes": "就线路调整方案逐条说明，提案者表示理解。",
    })
}
