//! A committee with somebody in every role, made through the functions that HTTP uses.

use std::sync::Arc;

use jianjian::app::Ctx;
use jianjian::app::audit::Disclosed;
use jianjian::app::ctx::IfMatch;
use jianjian::app::setup::{self, FirstAccount, FirstAdministrators, NewCommittee};
use jianjian::auth::principal::{Factor, Principal};
use jianjian::auth::token::Subject;
use jianjian::error::Result;
use jianjian::ids::{
    CommitteeId, MemberId, OrganisationId, RequestId, SessionId, SignInId, TermId, UnitId, UserId,
};
use jianjian::store::members::MemberFields;
use jianjian::store::organisations::OrganisationFields;
use jianjian::store::sessions::SessionFields;
use jianjian::store::sign_ins::{self, SignIn};
use jianjian::store::terms::TermFields;
use jianjian::store::units::UnitFields;
use jianjian::store::users::{self, UserIn};
use jianjian::store::{Tx, accounts, grants, register};
use jianjian::workflow::lists::{ProposerKind, SystemLine};
use jianjian::workflow::role::{Grant, Line, Role};
use jiff::Timestamp;
use jiff::civil::date;

use super::{Client, TestApp};

/// The password of every account of a town.
pub const PASSWORD: &str = "yun-chuan-2026";

/// Somebody with an account.
#[derive(Debug, Clone)]
pub struct Person {
    /// The account.
    pub user: UserId,
    /// Sign-in name.
    pub username: String,
    /// The sign-in that tokens are issued for.
    pub sign_in: SignInId,
    /// The member, if the account is a member's.
    pub member: Option<MemberId>,
}

/// A committee and its people.
#[derive(Debug, Clone)]
pub struct Town {
    /// The tenant.
    pub committee: CommitteeId,
    /// Its code.
    pub code: String,
    /// Its term.
    pub term: TermId,
    /// Its session: window open since 2026-01-01, deadline 2026-03-03T12:00Z, ends 2026-03-06.
    pub session: SessionId,
    /// A party.
    pub party: OrganisationId,
    /// Units: transport, planning, education (government), publicity (party), in this order.
    pub units: Vec<UnitId>,
    /// Five members with accounts.
    pub members: Vec<Person>,
    /// The clerk of the party.
    pub clerk: Person,
    /// Committee staff.
    pub staff: Person,
    /// Three examiners.
    pub examiners: Vec<Person>,
    /// The chair.
    pub chair: Person,
    /// The assigning officer of the government line.
    pub officer: Person,
    /// The assigning officer of the party line.
    pub party_officer: Person,
    /// A clerk per unit.
    pub unit_clerks: Vec<Person>,
    /// A signatory per unit.
    pub signatories: Vec<Person>,
    /// The supervision officer.
    pub supervision: Person,
    /// A leader.
    pub leader: Person,
    /// The auditor.
    pub auditor: Person,
    /// The system administrator.
    pub administrator: Person,
    /// The security administrator.
    pub security: Person,
}

impl TestApp {
    /// A committee with somebody in every role.
    pub async fn town(&self) -> Town {
        self.town_called("yunchuan").await
    }

    /// The same under another code; two of them know nothing of each other.
    pub async fn town_called(&self, code: &str) -> Town {
        let now = self.clock_now();
        let hash = self.app.passwords.hash(PASSWORD).await.expect("a hash");
        let code = code.to_owned();
        self.write(move |tx| found(tx, &code, &hash, now)).await
    }

    /// The service's present moment.
    pub fn clock_now(&self) -> Timestamp {
        use jianjian::clock::Clock;
        self.clock.now()
    }

    /// A client signed in as this person, with a token issued now.
    pub fn signed_in(&self, town: &Town, person: &Person) -> Client {
        self.client(&self.token(town, person))
    }

    /// An access token of this person, issued now.
    pub fn token(&self, town: &Town, person: &Person) -> String {
        let subject = Subject {
            committee: town.committee,
            user: person.user,
            sign_in: person.sign_in,
        };
        self.app
            .keys
            .issue(&self.app.parties, subject, self.clock_now())
            .expect("a token")
    }
}

fn ctx(committee: CommitteeId, user: UserId, role: Role, now: Timestamp) -> Ctx {
    Ctx {
        principal: Principal {
            committee,
            user,
            sign_in: SignInId::new(now),
            username: "root".into(),
            display_name: role.label().zh.into(),
            member: None,
            grants: vec![Grant::of(role)],
            must_change_password: false,
            factor: Factor::default(),
            machine: None,
        },
        now,
        request_id: RequestId::new(now),
        operation: Arc::from("test.seed"),
        idempotency: None,
        if_match: IfMatch::Any,
        validate_only: false,
        disclosed: Disclosed::default(),
    }
}

#[expect(clippy::too_many_lines, reason = "a list of who and what there is")]
fn found(tx: &mut Tx<'_>, code: &str, hash: &str, now: Timestamp) -> Result<Town> {
    let first = |username: &str, role: Role| FirstAccount {
        username: username.into(),
        display_name: role.label().zh.into(),
    };
    let wanted = FirstAdministrators {
        committee: code.to_owned(),
        new_committee: Some(NewCommittee {
            name: format!("政协{code}委员会"),
            level: jianjian::workflow::lists::CommitteeLevel::Municipal,
            region: code.to_owned(),
        }),
        system: first("root", Role::Administrator),
        security: first("root.security", Role::SecurityAdministrator),
    };
    let created = setup::create_first_administrators(tx, &wanted, (hash, hash), now)?;
    let committee = created.committee;
    let ctx = ctx(committee, created.system, Role::Administrator, now);
    let guard = self::ctx(
        committee,
        created.security,
        Role::SecurityAdministrator,
        now,
    );
    let by = (&ctx, &guard);
    let term = TermFields {
        number: 14,
        name: "十四届".into(),
        starts_on: date(2022, 1, 10),
        ends_on: date(2027, 1, 9),
    };
    let term = register::create(tx, &ctx, term)?.id;
    let session = SessionFields {
        term_id: term,
        number: 4,
        name: "十四届四次会议".into(),
        window_opens_on: date(2026, 1, 1),
        opens_on: date(2026, 3, 1),
        deadline_at: "2026-03-03T12:00:00Z".parse().expect("a moment"),
        ends_on: date(2026, 3, 6),
        examination_until: date(2026, 3, 20),
    };
    let session = register::create(tx, &ctx, session)?.id;
    let party = OrganisationFields {
        name: "民革云川市委会".into(),
        kind: ProposerKind::Party,
        contact_person: Some("周明远".into()),
        contact_phone: Some("0599-5550123".into()),
        address: None,
        post_code: None,
        active: true,
    };
    let party = register::create(tx, &ctx, party)?.id;
    let mut units = Vec::new();
    for (name, prefix, line) in [
        ("市交通运输局", "云交提复", SystemLine::Government),
        ("市自然资源和规划局", "云资规提复", SystemLine::Government),
        ("市教育局", "云教提复", SystemLine::Government),
        ("市委宣传部", "云宣提复", SystemLine::PartyCommittee),
    ] {
        let unit = UnitFields {
            name: name.into(),
            system_line: line,
            reply_prefix: prefix.into(),
            contact_person: None,
            contact_phone: None,
            active: true,
            successor_id: None,
        };
        units.push(register::create(tx, &ctx, unit)?.id);
    }
    let mut members = Vec::new();
    for (index, name) in ["林若舟", "陈思远", "赵清和", "周以宁", "孙立言"]
        .iter()
        .enumerate()
    {
        let member = MemberFields {
            term_id: term,
            member_no: format!("14-{:03}", index + 1),
            name: (*name).into(),
            sector: "教育界".into(),
            party: None,
            organisation_id: None,
            post: None,
            phone: Some("13900000000".into()),
            active: true,
        };
        let id = register::create(tx, &ctx, member)?.id;
        let grant = Grant::of(Role::Member);
        let username = format!("member{}", index + 1);
        members.push(person(tx, by, &username, Some(id), grant, hash)?);
    }
    let mut make = |username: &str, grant: Grant| person(tx, by, username, None, grant, hash);
    Ok(Town {
        committee,
        code: code.to_owned(),
        term,
        session,
        party,
        members,
        clerk: make("clerk", Grant::organisation(party))?,
        staff: make("staff", Grant::of(Role::CommitteeStaff))?,
        examiners: vec![
            make("examiner1", Grant::of(Role::Examiner))?,
            make("examiner2", Grant::of(Role::Examiner))?,
            make("examiner3", Grant::of(Role::Examiner))?,
        ],
        chair: make("chair", Grant::of(Role::CommitteeChair))?,
        officer: make("officer", Grant::line(Line::Government))?,
        party_officer: make("party.officer", Grant::line(Line::Party))?,
        unit_clerks: units
            .iter()
            .enumerate()
            .map(|(n, unit)| make(&format!("unit{n}"), Grant::unit(Role::UnitClerk, *unit)))
            .collect::<Result<_>>()?,
        signatories: units
            .iter()
            .enumerate()
            .map(|(n, unit)| {
                make(
                    &format!("signatory{n}"),
                    Grant::unit(Role::UnitSignatory, *unit),
                )
            })
            .collect::<Result<_>>()?,
        supervision: make("supervision", Grant::of(Role::SupervisionOfficer))?,
        leader: make("leader", Grant::of(Role::Leader))?,
        auditor: make("auditor", Grant::of(Role::Auditor))?,
        administrator: make("admin", Grant::of(Role::Administrator))?,
        security: make("security", Grant::of(Role::SecurityAdministrator))?,
        units,
    })
}

/// An account whose password is its own already, with a sign-in that lasts.
fn person(
    tx: &mut Tx<'_>,
    (ctx, guard): (&Ctx, &Ctx),
    username: &str,
    member: Option<MemberId>,
    grant: Grant,
    hash: &str,
) -> Result<Person> {
    let set = UserIn {
        username: username.into(),
        display_name: format!("{}·{username}", grant.role.label().zh),
        member_id: member,
        disabled: false,
    };
    let account = users::create(tx, ctx, set)?;
    let account = grants::replace(tx, guard, account, vec![grant])?;
    let user = users::reset_password(tx, guard, &account, hash)?.id;
    accounts::change_password(tx, ctx.committee(), user, hash, hash, ctx.now)?;
    let sign_in = SignInId::new(ctx.now);
    let lasting = SignIn {
        user,
        expires_at: ctx.now + jiff::SignedDuration::from_hours(24 * 2000),
        ended_at: None,
    };
    sign_ins::begin(
        tx,
        ctx.committee(),
        sign_in,
        &lasting,
        &sign_in.to_string(),
        ctx.now,
    )?;
    Ok(Person {
        user,
        username: username.into(),
        sign_in,
        member,
    })
}
