//! Steps about the units of a case: refusals that change nothing, days that go by, clocks.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::seed::Person;
use super::story::Story;
use super::{Reply, TestApp};

/// Why something is refused.
pub enum Why<'a> {
    /// 409, this condition is among those not met.
    Guard(&'a str),
    /// 409, not from this status.
    State,
    /// 422, this place of the body with this code.
    Field(&'a str, &'a str),
    /// 403.
    Right,
}

/// Lets days go by.
pub fn days(app: &TestApp, days: i64) {
    app.clock.advance(SignedDuration::from_hours(24 * days));
}

/// Goes to a moment.
pub fn at(app: &TestApp, moment: &str) {
    app.clock.set(moment.parse().expect("a moment"));
}

impl Story<'_> {
    /// What may not change when something is refused: the length of the trail and the version of
    /// the case.
    async fn untouched(&self) -> (usize, i32) {
        let version = self.seen_by(&self.town.auditor).await.version();
        (self.trail().await.len(), version)
    }

    /// Tries something that is refused for this reason and leaves everything as it was.
    pub async fn refuses_on(
        &self,
        who: &Person,
        base: &str,
        action: &str,
        body: Value,
        why: Why<'_>,
    ) -> Reply {
        let before = self.untouched().await;
        let reply = self.tries_on(who, base, action, body).await;
        match why {
            Why::Guard(guard) => {
                assert_eq!(
                    (reply.status, &reply.json["code"]),
                    (409, &json!("guard-unmet")),
                    "{reply}"
                );
                let unmet = reply.json["unmet"].as_array().expect("conditions");
                assert!(
                    unmet.iter().any(|unmet| unmet["guard"] == guard),
                    "{guard}: {reply}"
                );
            }
            Why::State => {
                assert_eq!(
                    (reply.status, &reply.json["code"]),
                    (409, &json!("state-conflict")),
                    "{reply}"
                );
            }
            Why::Field(pointer, code) => {
                assert_eq!(reply.status, 422, "{reply}");
                let errors = reply.json["errors"].as_array().expect("places");
                let named = errors
                    .iter()
                    .any(|error| error["pointer"] == pointer && error["code"] == code);
                assert!(named, "{pointer} {code}: {reply}");
            }
            Why::Right => {
                assert_eq!(
                    (reply.status, &reply.json["code"]),
                    (403, &json!("forbidden")),
                    "{reply}"
                );
            }
        }
        assert_eq!(
            self.untouched().await,
            before,
            "a refused act changed the case"
        );
        reply
    }

    /// The same on a unit's row.
    pub async fn row_refuses(
        &self,
        who: &Person,
        unit: usize,
        action: &str,
        body: Value,
        why: Why<'_>,
    ) -> Reply {
        self.refuses_on(who, &self.row(unit), action, body, why)
            .await
    }

    /// Does something on the row of a unit, as the assigning officer.
    pub async fn decides(&self, unit: usize, action: &str, body: Value) -> Reply {
        let officer = &self.town.officer;
        self.tries_on(officer, &self.row(unit), action, body)
            .await
            .status(200)
    }

    /// AT04: the unit wishes for another one.
    pub async fn request_return(&self, unit: usize, wished: usize) -> Reply {
        self.on_row(unit, "request-return", self.return_request(wished))
            .await
    }

    /// A request to return that names another unit.
    pub fn return_request(&self, wished: usize) -> Value {
        json!({
            "reason": "所提事项不属我局职责范围，建议改由其他部门主办。",
            "suggested_unit_id": self.town.units[wished],
            "signatory": "林涛",
        })
    }

    /// A unit with a role, for assigning and adjusting.
    pub fn unit_row(&self, unit: usize, role: &str) -> Value {
        match role {
            "separate" => {
                json!({ "unit_id": self.town.units[unit], "role": role, "part": "其余事项" })
            }
            _ => json!({ "unit_id": self.town.units[unit], "role": role }),
        }
    }

    /// The row of a unit as the auditor sees it.
    pub async fn row_now(&self, unit: usize) -> Reply {
        self.as_(&self.town.auditor)
            .get(&self.row(unit))
            .send()
            .await
            .status(200)
    }

    /// A running clock of a kind on a unit's row.
    pub async fn clock(&self, unit: usize, kind: &str) -> Option<Value> {
        let row = self.row_now(unit).await;
        let clocks = row.json["clocks"].as_array().expect("clocks").clone();
        clocks.into_iter().find(|clock| clock["kind"] == kind)
    }

    /// The due moment of a running clock.
    pub async fn due(&self, unit: usize, kind: &str) -> Timestamp {
        let clock = self.clock(unit, kind).await.expect("the clock runs");
        clock["due_at"]
            .as_str()
            .expect("a moment")
            .parse()
            .expect("a moment")
    }

    /// The last day of a running clock.
    pub async fn due_on(&self, unit: usize, kind: &str) -> String {
        let clock = self.clock(unit, kind).await.expect("the clock runs");
        clock["due_on"].as_str().expect("a day").to_owned()
    }

    /// Learns the rows of the present round that are neither void nor returned.
    pub async fn read_rows(&mut self) {
        let seen = self.seen_by(&self.town.auditor).await;
        let round = &seen.json["round"];
        for row in seen.json["handling"].as_array().expect("rows") {
            let live = row["status"] != "void" && row["status"] != "returned";
            let unit = self
                .town
                .units
                .iter()
                .position(|unit| json!(unit) == row["unit_id"]);
            if let (true, Some(unit)) = (live && row["round"] == *round, unit) {
                self.rows
                    .insert(unit, row["id"].as_str().expect("an id").to_owned());
            }
        }
    }

    /// How often a row of the tables stands in the timeline.
    pub async fn times(&self, rule: &str) -> usize {
        let timeline = self.timeline(&self.town.auditor).await;
        timeline
            .iter()
            .filter(|event| event["rule"] == rule)
            .count()
    }
}
