//! What follows in the reference model: rows that begin and end, signers who are frozen, and what
//! time alone does.

use jiff::Timestamp;

use super::effects::Refusal;
use super::guards::{Unmet, is_whole};
use super::world::{Case, Name, Proposer, Reply, Row, World, one_month, working_days};

impl Reply {
    /// Open requests to countersign are called back.
    pub fn call_back(&mut self) {
        for one in &mut self.countersigns {
            if one.status == "requested" {
                one.status = "recalled";
            }
        }
    }
}

impl Case {
    /// PT03: whoever declined or let it run out is asked again; nobody is asked twice.
    pub fn invite(&mut self, member: usize, until: Timestamp) -> Result<(), Refusal> {
        let mut known = self.proposers.iter_mut();
        match known.find(|one| one.member == member) {
            Some(one) if matches!(one.status, "declined" | "expired" | "dropped") => {
                one.status = "invited";
                one.until = Some(until);
            }
            Some(_) => return Err(Refusal::Invalid),
            None => self.proposers.push(Proposer {
                member,
                first: false,
                status: "invited",
                until: Some(until),
                waived: 0,
            }),
        }
        Ok(())
    }

    /// The clocks of invitations stop; the invitations stay as they were.
    pub fn end_invitations(&mut self) {
        for one in &mut self.proposers {
            one.until = None;
        }
    }

    /// I17: unsigned co-signers are dropped; a joint proposal with none left is an individual one.
    pub fn freeze_signers(&mut self) {
        self.end_invitations();
        for one in &mut self.proposers[1..] {
            if matches!(one.status, "invited" | "stale" | "expired") {
                one.status = "dropped";
            }
        }
        self.joint &= self.proposers[1..]
            .iter()
            .any(|one| one.status == "consented");
    }

    /// Reference copies that went ahead of the filing, and a wish for the urgent lane.
    pub fn end_early(&mut self) {
        self.forget("urgency");
        for row in &mut self.rows {
            row.status = "void";
        }
    }

    /// One request of a kind is open no longer.
    pub fn forget(&mut self, what: Name) {
        if let Some(at) = self.requests.iter().position(|one| *one == what) {
            self.requests.remove(at);
        }
    }

    /// PT18: everything as it was before (I18).
    pub fn unmerge(&mut self, until: Timestamp) {
        let (status, joint, signers) = self.before.take().expect("how it was before");
        self.status = status;
        self.joint = joint;
        self.main = None;
        self.archived = false;
        for (one, (_, status)) in self.proposers.iter_mut().zip(signers) {
            one.status = status;
            one.until = matches!(status, "invited" | "stale").then_some(until);
        }
    }

    /// I30: never against the proposer's refusal, nothing of a restricted case.
    pub fn decide_publication(&mut self, text: Name, replies: Name) -> Result<(), Refusal> {
        let mut unmet = Unmet::new();
        if self.may_publish == Some(false) && matches!(text, "summary" | "full") {
            unmet.insert("publication_consented");
        }
        if self.secrecy != "open" && (text != "none" || replies != "none") {
            unmet.insert("case_open");
        }
        if !unmet.is_empty() {
            return Err(Refusal::Guards(unmet));
        }
        self.publication = Some((text, replies));
        Ok(())
    }
}

impl World {
    /// New rows of the present round; no unit twice (I5).
    pub fn add_rows(
        &mut self,
        at: usize,
        rows: &[(usize, Name)],
        returnable: bool,
    ) -> Result<(), Refusal> {
        for (unit, role) in rows {
            let bound = self.live_rows(at);
            if bound
                .iter()
                .any(|row| self.cases[at].rows[*row].unit == *unit)
            {
                return Err(Refusal::Invalid);
            }
            let owes = *role != "reference";
            let round = self.cases[at].round;
            self.cases[at].rows.push(Row {
                unit: *unit,
                role,
                status: "pending",
                round,
                returnable: returnable && owes,
                deemed: false,
                carried_over: false,
                contacted: false,
                opinions: 0,
                opinion_missing: false,
                window: owes.then(|| working_days(self.now, 5)),
                opinion_until: (*role == "co_handler").then(|| one_month(self.now)),
            });
        }
        Ok(())
    }

    /// I4, I7.
    pub fn check_whole(&self, at: usize) -> Result<(), Refusal> {
        let own = &self.cases[at];
        let rows = self.live_rows(at).into_iter().map(|row| &own.rows[row]);
        if is_whole(own.handling, rows) {
            Ok(())
        } else {
            Err(Refusal::Invalid)
        }
    }

    /// AT05, AT17: the row ends with its live reply and everything that was asked about it.
    pub fn end_row(&mut self, at: usize, index: usize, status: Name) {
        let own = &mut self.cases[at];
        if own.rows[index].status == "return_requested" {
            own.forget("return");
        }
        let row = &mut own.rows[index];
        row.status = status;
        (row.window, row.opinion_until) = (None, None);
        for reply in &mut own.replies {
            if reply.row == index && reply.is_live() {
                reply.call_back();
                reply.status = "superseded";
            }
            for one in &mut reply.countersigns {
                if one.row == index && one.status == "requested" {
                    one.status = "recalled";
                }
            }
        }
    }

    /// What the system owes every case by now.
    pub fn settle(&mut self) {
        for at in 0..self.cases.len() {
            self.expire_invitations(at);
            self.take_silence(at);
            self.complete(at);
            self.conclude(at);
        }
    }

    /// `PT05b`.
    fn expire_invitations(&mut self, at: usize) {
        let now = self.now;
        let own = &mut self.cases[at];
        if !matches!(own.status, "draft" | "submitted" | "returned") {
            return;
        }
        for one in &mut own.proposers {
            let waits = matches!(one.status, "invited" | "stale");
            if waits && one.until.is_some_and(|until| now > until) {
                one.status = "expired";
                one.until = None;
            }
        }
    }

    /// AT08: silence is acceptance. And a co-handler that says nothing blocks nobody.
    fn take_silence(&mut self, at: usize) {
        let now = self.now;
        let own = &mut self.cases[at];
        if own.status != "assigned" {
            return;
        }
        let is_past = |until: Option<Timestamp>| until.is_some_and(|until| now > until);
        for row in own.rows.iter_mut().filter(|row| row.round == own.round) {
            if row.status == "pending" && is_past(row.window) {
                row.status = "accepted";
                row.deemed = true;
                row.returnable = false;
                row.window = None;
            }
            let silent = matches!(row.status, "pending" | "accepted") && row.opinions == 0;
            if silent && is_past(row.opinion_until) {
                row.opinion_missing = true;
                row.opinion_until = None;
            }
        }
    }

    /// PT21 (I15).
    fn complete(&mut self, at: usize) {
        let rows = self.live_rows(at);
        let own = &mut self.cases[at];
        let mut bound = rows.iter().map(|row| &own.rows[*row]);
        let mut bound = bound.by_ref().filter(|row| row.replies()).peekable();
        let answered = bound.peek().is_some() && bound.all(|row| row.status == "replied");
        if own.status != "assigned" || !answered {
            return;
        }
        own.status = "handled";
        own.feedback_until = Some(working_days(self.now, 15));
        // (decision) What is still asked for can no longer be decided, and lapses.
        own.requests.clear();
        for row in &mut own.rows {
            row.window = None;
            row.opinion_until = None;
        }
    }

    /// PT23 (I22).
    fn conclude(&mut self, at: usize) {
        let own = &self.cases[at];
        let delivered = self.delivered(at);
        let answered = self.raters(at).into_iter().all(|rater| {
            let mut replies = delivered.iter();
            replies.all(|reply| self.has_rated(at, rater, *reply))
        });
        if own.status == "handled" && (answered || self.is_past(own.feedback_until)) {
            self.cases[at].status = "feedback";
        }
    }
}
