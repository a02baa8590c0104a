//! The reference model's reading of the conditions: what is not met, by the name of the guard.

use std::collections::BTreeSet;

use super::rules::{Act, Target};
use super::world::{Case, FURTHER_ROUNDS, Name, Person, Reply, Row, STAGES, World};

/// Names of guards.
pub type Unmet = BTreeSet<Name>;

/// Whether the rows fit the kind of handling (I4).
pub fn is_whole<'a>(kind: Option<Name>, rows: impl Iterator<Item = &'a Row>) -> bool {
    let (mut lead, mut co, mut separate) = (0, 0, 0);
    for row in rows {
        match row.role {
            "lead" => lead += 1,
            "co_handler" => co += 1,
            "separate" => separate += 1,
            _ => {}
        }
    }
    match kind {
        Some("sole") => (lead, co, separate) == (1, 0, 0),
        Some("joint") => lead == 1 && co >= 1 && separate == 0,
        Some("separate") => lead == 0 && co == 0 && separate >= 2,
        _ => false,
    }
}

impl World {
    /// The conditions that are not met, of those that need no input.
    pub fn unmet(&self, act: Act, who: Person, case: usize, target: Target) -> Unmet {
        let list = match target {
            Target::Case => self.unmet_of_case(act, who, case),
            Target::Row(row) => self.unmet_of_row(act, case, row),
            Target::Reply(reply) => self.unmet_of_reply(act, who, case, reply),
        };
        list.into_iter()
            .filter(|(_, met)| !met)
            .map(|(name, _)| name)
            .collect()
    }

    #[expect(clippy::too_many_lines, reason = "a table")]
    fn unmet_of_case(&self, act: Act, who: Person, case: usize) -> Vec<(Name, bool)> {
        let own = &self.cases[case];
        // (decision) Who was asked to sign and has not answered counts as a signer here (I10).
        let asked_to_sign = own
            .proposers
            .iter()
            .filter(|one| matches!(one.status, "consented" | "invited" | "stale"))
            .map(|one| one.member);
        let absorbed = self.raters(case).into_iter().map(|one| self.member(one));
        let mut signs = asked_to_sign.chain(absorbed);
        let no_signer = !signs.any(|member| who.member() == Some(member));
        let alone = self.absorbed(case).is_empty();
        let not_secret = ("not_secret", own.secrecy != "secret");
        let not_a_main = ("not_a_main", alone);
        let not_a_signer = ("not_a_signer", no_signer);
        let asked = |what| own.requests.contains(&what);
        let answered = own.replies.iter().any(|reply| reply.was_delivered);
        let examined = own.opinions.iter().filter(|one| one.0 == own.submissions);
        let filed = matches!(own.status, "filed" | "assigned");
        match act {
            Act::Invite => vec![("is_joint", own.joint)],
            Act::Consent | Act::Decline => vec![
                ("invitation_open", self.is_invited(own, who)),
                (
                    "not_its_examiner",
                    act == Act::Decline || own.opinions.iter().all(|one| one.1 != who),
                ),
                not_secret,
            ],
            Act::Submit => self.unmet_of_submission(own),
            Act::Recall => vec![
                ("not_yet_examined", examined.count() == 0),
                not_a_main,
                not_secret,
            ],
            Act::Withdraw if filed => vec![
                ("no_reply_delivered", !answered),
                ("no_open_withdrawal", !asked("withdrawal")),
                not_a_main,
            ],
            Act::Withdraw => vec![not_a_main, not_secret],
            Act::ApproveWithdrawal => vec![
                ("withdrawal_open", asked("withdrawal")),
                ("no_reply_delivered", !answered),
                not_a_main,
            ],
            Act::RejectWithdrawal => vec![("withdrawal_open", asked("withdrawal"))],
            Act::ReturnForRevision => vec![not_a_signer, not_a_main, not_secret],
            Act::Examine => vec![
                not_a_signer,
                ("stage_due", examined.clone().count() < STAGES),
                ("other_examiner", examined.clone().all(|one| one.1 != who)),
                not_secret,
            ],
            Act::File => vec![("stages_recorded", examined.count() >= STAGES), not_secret],
            Act::NotFile => vec![
                (
                    "revision_lapsed",
                    own.status == "submitted" || self.is_past(own.revision_until),
                ),
                not_a_main,
            ],
            Act::Dispose => vec![("disposition_open", !own.disposed)],
            Act::Merge => vec![
                ("has_absorbed_none", alone),
                ("no_open_withdrawal", !asked("withdrawal")),
                not_secret,
            ],
            Act::Unmerge => {
                let main = own.main.map(|main| &self.cases[main]);
                let open = main.is_some_and(|main| {
                    matches!(main.status, "submitted" | "filed" | "assigned")
                        && main.replies.iter().all(|reply| !reply.was_delivered)
                });
                vec![("main_not_answered", open)]
            }
            Act::GiveFeedback => vec![("not_yet_rated", self.can_rate(case, who, false))],
            Act::CorrectFeedback => vec![("has_rated", self.can_rate(case, who, true))],
            Act::Rehandle => vec![("rounds_left", own.round <= FURTHER_ROUNDS)],
            Act::Waive => {
                let mut open = self.complaints(case).into_iter().map(|form| form.rater);
                let speaks =
                    |rater| who == Person::Staff || who.member() == Some(self.member(rater));
                vec![("complaint_open", open.any(speaks))]
            }
            Act::Close => vec![
                ("no_rehandling_due", self.is_peaceful(case)),
                ("nothing_open", own.requests.is_empty()),
            ],
            Act::SetSecrecy => vec![not_secret],
            Act::Archive => vec![
                (
                    "nothing_owed",
                    own.requests.is_empty() && (own.status != "not_filed" || own.disposed),
                ),
                ("not_archived", !own.archived),
            ],
            Act::RequestUrgency => vec![
                ("not_urgent", !own.urgent),
                ("no_open_urgency", !asked("urgency")),
                not_secret,
            ],
            Act::MarkUrgent => vec![("not_urgent", !own.urgent), not_secret],
            Act::RefuseUrgency => vec![("urgency_requested", asked("urgency")), not_secret],
            Act::DowngradeUrgency => vec![("is_urgent", own.urgent), not_secret],
            _ => Vec::new(),
        }
    }

    fn unmet_of_submission(&self, own: &Case) -> Vec<(Name, bool)> {
        let waits = |until| !self.is_past(until);
        let signs = own.proposers[1..].iter().any(|one| match one.status {
            "consented" => true,
            "invited" | "stale" => waits(one.until),
            _ => false,
        });
        vec![
            (
                "changed_since_return",
                own.status == "draft" || own.text_version > own.submitted_version,
            ),
            ("publication_decided", own.may_publish.is_some()),
            ("no_secret_declared", own.no_secret),
            ("joint_has_cosigners", !own.joint || signs),
        ]
    }

    fn is_invited(&self, own: &Case, who: Person) -> bool {
        own.proposers[1..].iter().any(|one| {
            who.member() == Some(one.member)
                && matches!(one.status, "invited" | "stale")
                && !self.is_past(one.until)
        })
    }

    /// Whether a form of somebody is left to give, or was given; of anybody, for staff.
    fn can_rate(&self, case: usize, who: Person, given: bool) -> bool {
        self.raters(case)
            .into_iter()
            .filter(|rater| who == Person::Staff || who.member() == Some(self.member(*rater)))
            .any(|rater| {
                let mut delivered = self.delivered(case).into_iter();
                delivered.any(|reply| self.has_rated(case, rater, reply) == given)
            })
    }

    /// Closing condition (c).
    fn is_peaceful(&self, case: usize) -> bool {
        let own = &self.cases[case];
        let used = own.round > FURTHER_ROUNDS;
        (used && own.meetings.contains(&own.round)) || self.complaints(case).is_empty()
    }

    fn unmet_of_row(&self, act: Act, case: usize, index: usize) -> Vec<(Name, bool)> {
        let own = &self.cases[case];
        let row = &own.rows[index];
        let round_open = (
            "round_open",
            own.status == "assigned" && row.round == own.round,
        );
        let owes = ("row_owes_something", row.role != "reference");
        match act {
            Act::Accept | Act::RecordContact => vec![round_open, owes],
            Act::RequestReturn => vec![
                round_open,
                owes,
                ("row_returnable", row.returnable),
                (
                    "return_window_open",
                    row.window.is_some() && !self.is_past(row.window),
                ),
            ],
            Act::GrantReturn | Act::RejectReturn => vec![round_open],
            Act::SubmitOpinion => {
                let mut replies = own.replies.iter().filter(|one| one.round == own.round);
                let signed = replies.any(|one| matches!(one.status, "under_review" | "delivered"));
                vec![
                    round_open,
                    ("is_co_handler", row.role == "co_handler"),
                    ("lead_not_signed", !signed),
                ]
            }
            Act::Void => {
                let rest = self.live_rows(case).into_iter().filter(|one| *one != index);
                let rest = rest.map(|one| &own.rows[one]);
                vec![
                    round_open,
                    ("whole_without_row", is_whole(own.handling, rest)),
                ]
            }
            Act::Draft => {
                let mut replies = own.replies.iter().filter(|one| one.row == index);
                vec![
                    round_open,
                    ("row_replies", row.replies()),
                    ("row_accepted", row.status == "accepted"),
                    ("no_live_reply", !replies.any(Reply::is_live)),
                ]
            }
            _ => Vec::new(),
        }
    }

    fn unmet_of_reply(&self, act: Act, who: Person, case: usize, at: usize) -> Vec<(Name, bool)> {
        let own = &self.cases[case];
        let reply = &own.replies[at];
        let row = &own.rows[reply.row];
        let round_open = (
            "round_open",
            own.status == "assigned" && row.round == own.round,
        );
        let accepted = ("row_accepted", row.status == "accepted");
        let leads_jointly = row.role == "lead" && own.handling == Some("joint");
        let is_joint_lead = ("is_joint_lead", leads_jointly);
        let outcome_set = ("outcome_set", reply.outcome.is_some());
        let changed = (
            "changed_since_rejection",
            reply.rejected != Some(reply.text),
        );
        match act {
            Act::EditReply => vec![round_open, accepted],
            Act::RequestCountersign => {
                vec![round_open, accepted, is_joint_lead, outcome_set, changed]
            }
            Act::Countersign | Act::Object => {
                let mut asked = reply.countersigns.iter();
                let open = asked.any(|one| {
                    one.status == "requested" && Some(own.rows[one.row].unit) == who.unit()
                });
                vec![round_open, ("countersign_requested", open)]
            }
            Act::Coordinate => {
                let objected = reply.last_countersigns().any(|one| one.status == "object");
                let disputed = reply.status == "countersigning" || objected;
                vec![
                    round_open,
                    is_joint_lead,
                    ("countersign_disputed", disputed),
                ]
            }
            Act::Sign => {
                let rows = self.live_rows(case).into_iter().map(|one| &own.rows[one]);
                let mut co_handlers = rows.filter(|one| one.role == "co_handler");
                let opinions = row.role != "lead"
                    || co_handlers.all(|one| {
                        one.opinions > 0 || one.opinion_missing || self.is_past(one.opinion_until)
                    });
                vec![
                    round_open,
                    accepted,
                    outcome_set,
                    changed,
                    ("contact_recorded", row.contacted),
                    ("opinions_in", opinions),
                    (
                        "countersigned",
                        !leads_jointly || self.is_countersigned(case, reply),
                    ),
                    ("promises_made", reply.outcome != Some("planned")),
                    ("reasons_given", reply.outcome != Some("not_feasible")),
                ]
            }
            Act::Approve | Act::Reject => vec![("not_approved", !reply.approved)],
            Act::Deliver => vec![round_open, accepted, ("approved", reply.approved)],
            _ => Vec::new(),
        }
    }

    /// Every co-handler agrees with this very text or let its time run out, or a coordination
    /// decision takes the place of that.
    fn is_countersigned(&self, case: usize, reply: &Reply) -> bool {
        if reply.coordinated == Some(reply.text) {
            return true;
        }
        let own = &self.cases[case];
        let agrees = |row: usize| {
            reply.last_countersigns().any(|one| {
                one.row == row
                    && one.text == reply.text
                    && match one.status {
                        "agree" | "agree_with_remarks" => true,
                        "requested" => self.is_past(Some(one.until)),
                        _ => false,
                    }
            })
        };
        let mut rows = self.live_rows(case).into_iter();
        reply.status == "countersigning"
            && rows.all(|row| own.rows[row].role != "co_handler" || agrees(row))
    }
}
