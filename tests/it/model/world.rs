//! What the reference model knows: cases, rows, replies, forms, and the days they wait for.
//! Written from the tables of the domain, with none of the engine in it.

use jiff::civil::{Date, Weekday, date};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};

/// The name of a status or another code, as the API spells it.
pub type Name = &'static str;

/// The members who propose; the last one is an examiner, too (I10).
pub const MEMBERS: usize = 5;
/// The member who is an examiner, too.
pub const BOTH: usize = 4;
/// The units of the town; the last one is of the party line.
pub const UNITS: usize = 4;
/// Stages of examination under the usual policy.
pub const STAGES: usize = 2;
/// Further rounds under the usual policy.
pub const FURTHER_ROUNDS: i32 = 1;
/// Returns in a round, after which the arbitration is final.
pub const BOUNCES: usize = 2;

/// Somebody with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Person {
    Member(usize),
    OrganisationClerk,
    Staff,
    Examiner(usize),
    Chair,
    Officer,
    PartyOfficer,
    Clerk(usize),
    Signatory(usize),
    Supervision,
    Leader,
    Auditor,
    Administrator,
    Security,
}

/// What an account may be to the committee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Member,
    OrganisationClerk,
    Staff,
    Examiner,
    Chair,
    Officer,
    Clerk,
    Signatory,
    Supervision,
    Leader,
    Auditor,
    Administrator,
    Security,
}

impl Person {
    /// Everybody.
    pub fn all() -> Vec<Self> {
        let mut all = vec![
            Self::OrganisationClerk,
            Self::Staff,
            Self::Chair,
            Self::Officer,
            Self::PartyOfficer,
            Self::Supervision,
            Self::Leader,
            Self::Auditor,
            Self::Administrator,
            Self::Security,
        ];
        all.extend((0..MEMBERS).map(Self::Member));
        all.extend((0..3).map(Self::Examiner));
        all.extend((0..UNITS).map(Self::Clerk));
        all.extend((0..UNITS).map(Self::Signatory));
        all
    }

    /// Whether the account holds the role.
    pub fn has(self, role: Role) -> bool {
        let own = match self {
            Self::Member(BOTH) if role == Role::Examiner => Role::Examiner,
            Self::Member(_) => Role::Member,
            Self::OrganisationClerk => Role::OrganisationClerk,
            Self::Staff => Role::Staff,
            Self::Examiner(_) => Role::Examiner,
            Self::Chair => Role::Chair,
            Self::Officer | Self::PartyOfficer => Role::Officer,
            Self::Clerk(_) => Role::Clerk,
            Self::Signatory(_) => Role::Signatory,
            Self::Supervision => Role::Supervision,
            Self::Leader => Role::Leader,
            Self::Auditor => Role::Auditor,
            Self::Administrator => Role::Administrator,
            Self::Security => Role::Security,
        };
        own == role
    }

    /// The member that the account belongs to.
    pub fn member(self) -> Option<usize> {
        match self {
            Self::Member(member) => Some(member),
            _ => None,
        }
    }

    /// The unit that the account works for.
    pub fn unit(self) -> Option<usize> {
        match self {
            Self::Clerk(unit) | Self::Signatory(unit) => Some(unit),
            _ => None,
        }
    }

    /// The line of an assigning officer.
    pub fn line(self) -> Option<Name> {
        match self {
            Self::Officer => Some("government"),
            Self::PartyOfficer => Some("party"),
            _ => None,
        }
    }
}

/// The committee: its cases and its calendar.
#[derive(Debug, Clone)]
pub struct World {
    pub now: Timestamp,
    pub cases: Vec<Case>,
    /// Serial numbers given so far (I3).
    pub serials: i32,
    /// Case numbers given so far (I2).
    pub case_numbers: i32,
    /// Texts written so far, so that a new one is another one.
    pub texts: u32,
}

/// Who proposes, or was asked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposer {
    pub member: usize,
    pub first: bool,
    pub status: Name,
    /// K01.
    pub until: Option<Timestamp>,
    /// The round in which a further one was given up.
    pub waived: i32,
}

/// Status, joint or not, and the signers with how far each was.
pub type Before = (Name, bool, Vec<(usize, Name)>);

/// A proposal.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    reason = "flags and names of the domain"
)]
pub struct Case {
    pub status: Name,
    pub joint: bool,
    pub round: i32,
    pub urgent: bool,
    pub secrecy: Name,
    pub serial: Option<i32>,
    pub case_no: Option<i32>,
    pub text_version: i64,
    pub submitted_version: i64,
    pub submissions: i64,
    pub may_publish: Option<bool>,
    pub no_secret: bool,
    pub proposers: Vec<Proposer>,
    /// Submission and examiner of each opinion.
    pub opinions: Vec<(i64, Person)>,
    pub line: Option<Name>,
    pub handling: Option<Name>,
    pub rows: Vec<Row>,
    pub replies: Vec<Reply>,
    pub forms: Vec<Form>,
    /// Open requests: what for.
    pub requests: Vec<Name>,
    /// Round of each face-to-face meeting.
    pub meetings: Vec<i32>,
    /// K02.
    pub revision_until: Option<Timestamp>,
    /// K12.
    pub feedback_until: Option<Timestamp>,
    /// Levels of publication for text and replies, once decided.
    pub publication: Option<(Name, Name)>,
    pub disposed: bool,
    pub archived: bool,
    /// The case that absorbed it, and how it was before.
    pub main: Option<usize>,
    pub before: Option<Before>,
}

/// A unit's row.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags of the domain, each by itself"
)]
pub struct Row {
    pub unit: usize,
    pub role: Name,
    pub status: Name,
    pub round: i32,
    pub returnable: bool,
    pub deemed: bool,
    pub carried_over: bool,
    pub contacted: bool,
    pub opinions: i64,
    pub opinion_missing: bool,
    /// K05.
    pub window: Option<Timestamp>,
    /// K08.
    pub opinion_until: Option<Timestamp>,
}

impl Row {
    /// Whether it counts in its round.
    pub fn is_live(&self) -> bool {
        !matches!(self.status, "void" | "returned")
    }

    /// Whether the unit answers the proposer (I6).
    pub fn replies(&self) -> bool {
        matches!(self.role, "lead" | "separate")
    }
}

/// A unit's reply.
#[derive(Debug, Clone)]
pub struct Reply {
    pub row: usize,
    pub unit: usize,
    pub round: i32,
    pub status: Name,
    pub text_version: i64,
    /// Which text it is.
    pub text: u32,
    pub outcome: Option<Name>,
    pub reviewed_outcome: Option<Name>,
    pub approved: bool,
    pub was_delivered: bool,
    /// The text that a coordination was about.
    pub coordinated: Option<u32>,
    /// The text that the review rejected.
    pub rejected: Option<u32>,
    pub countersigns: Vec<Countersign>,
}

impl Reply {
    /// Whether it is being worked on.
    pub fn is_live(&self) -> bool {
        matches!(self.status, "draft" | "countersigning" | "under_review")
    }

    /// The requests of the last attempt.
    pub fn last_countersigns(&self) -> impl Iterator<Item = &Countersign> {
        let last = self.countersigns.iter().map(|one| one.attempt).max();
        let of_last = move |one: &&Countersign| Some(one.attempt) == last;
        self.countersigns.iter().filter(of_last)
    }
}

/// A request to countersign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Countersign {
    pub row: usize,
    pub attempt: i64,
    pub status: Name,
    pub text: u32,
    /// K09.
    pub until: Timestamp,
}

/// An opinion form.
#[derive(Debug, Clone)]
pub struct Form {
    pub reply: usize,
    /// Case and position of the rater.
    pub rater: (usize, usize),
    pub round: i32,
    pub dissatisfied: bool,
    pub late: bool,
    pub version: i64,
}

impl World {
    /// A committee without a case.
    pub fn at(now: Timestamp) -> Self {
        Self {
            now,
            cases: Vec::new(),
            serials: 0,
            case_numbers: 0,
            texts: 0,
        }
    }

    /// Whether a clock that ends then has run out.
    pub fn is_past(&self, until: Option<Timestamp>) -> bool {
        until.is_some_and(|until| self.now > until)
    }

    /// The cases that one absorbed.
    pub fn absorbed(&self, main: usize) -> Vec<usize> {
        let own = |case: &usize| self.cases[*case].main == Some(main);
        (0..self.cases.len()).filter(own).collect()
    }

    /// First proposer and co-signers who count (I17), with their positions.
    pub fn signers(&self, case: usize) -> Vec<(usize, usize)> {
        let all = self.cases[case].proposers.iter().enumerate();
        all.filter(|(_, one)| one.status == "consented")
            .map(|(position, _)| (case, position))
            .collect()
    }

    /// Signers of the case and of those it absorbed (I18): they get the replies and rate them.
    pub fn raters(&self, case: usize) -> Vec<(usize, usize)> {
        let mut raters = self.signers(case);
        for absorbed in self.absorbed(case) {
            raters.extend(self.signers(absorbed));
        }
        raters
    }

    /// The member behind a rater.
    pub fn member(&self, (case, position): (usize, usize)) -> usize {
        self.cases[case].proposers[position].member
    }

    /// The rows of the present round that count.
    pub fn live_rows(&self, case: usize) -> Vec<usize> {
        let case = &self.cases[case];
        let counts = |row: &usize| case.rows[*row].is_live() && case.rows[*row].round == case.round;
        (0..case.rows.len()).filter(counts).collect()
    }

    /// The replies delivered in the present round.
    pub fn delivered(&self, case: usize) -> Vec<usize> {
        let case = &self.cases[case];
        let counts = |reply: &usize| {
            let reply = &case.replies[*reply];
            reply.status == "delivered" && reply.round == case.round
        };
        (0..case.replies.len()).filter(counts).collect()
    }

    /// Forms that ask for another round: on a reply that still stands, and not given up.
    pub fn complaints(&self, case: usize) -> Vec<&Form> {
        let own = &self.cases[case];
        let stands = |form: &&Form| {
            form.dissatisfied
                && own.replies[form.reply].status == "delivered"
                && self.cases[form.rater.0].proposers[form.rater.1].waived < form.round
        };
        own.forms.iter().filter(stands).collect()
    }

    /// Whether this rater has rated this reply.
    pub fn has_rated(&self, case: usize, rater: (usize, usize), reply: usize) -> bool {
        let mut forms = self.cases[case].forms.iter();
        forms.any(|form| form.rater == rater && form.reply == reply)
    }
}

/// The day in Beijing.
pub fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::fixed(Offset::constant(8))).date()
}

/// 24:00 of a day in Beijing.
fn end_of(day: Date) -> Timestamp {
    let zone = TimeZone::fixed(Offset::constant(8));
    let next = day.tomorrow().expect("another day");
    next.to_zoned(zone).expect("a moment").timestamp() - SignedDuration::from_secs(1)
}

/// The rest days that the State Council announced for 2026, inclusive.
const HOLIDAYS: [(Date, Date); 7] = [
    (date(2026, 1, 1), date(2026, 1, 3)),
    (date(2026, 2, 15), date(2026, 2, 23)),
    (date(2026, 4, 4), date(2026, 4, 6)),
    (date(2026, 5, 1), date(2026, 5, 5)),
    (date(2026, 6, 19), date(2026, 6, 21)),
    (date(2026, 9, 25), date(2026, 9, 27)),
    (date(2026, 10, 1), date(2026, 10, 7)),
];
/// The weekend days of 2026 that are worked.
const WORKED: [Date; 6] = [
    date(2026, 1, 4),
    date(2026, 2, 14),
    date(2026, 2, 28),
    date(2026, 5, 9),
    date(2026, 9, 20),
    date(2026, 10, 10),
];

fn is_working(day: Date) -> bool {
    let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let rests = HOLIDAYS
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&day));
    WORKED.contains(&day) || !(weekend || rests)
}

/// The end of a limit in working days; the first day is not counted.
pub fn working_days(now: Timestamp, days: usize) -> Timestamp {
    let (mut last, mut counted) = (day(now), 0);
    while counted < days {
        last = last.tomorrow().expect("another day");
        counted += usize::from(is_working(last));
    }
    end_of(last)
}

/// The end of a limit of one calendar month, rolled to a working day.
pub fn one_month(now: Timestamp) -> Timestamp {
    let mut last = day(now).saturating_add(1.months());
    while !is_working(last) {
        last = last.tomorrow().expect("another day");
    }
    end_of(last)
}

/// The end of an invitation: 24 hours while the session takes proposals, 72 hours otherwise.
pub fn invitation(now: Timestamp) -> Timestamp {
    let deadline: Timestamp = "2026-03-03T12:00:00Z".parse().expect("a moment");
    now + SignedDuration::from_hours(if now <= deadline { 24 } else { 72 })
}
