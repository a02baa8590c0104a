//! The demo committee: registers and accounts.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::content;
use crate::app::Ctx;
use crate::app::ctx::IfMatch;
use crate::app::policy::{self, Wanted};
use crate::app::setup::{self, FirstAccount, FirstAdministrators, NewCommittee};
use crate::auth::principal::{Factor, Principal};
use crate::error::{Error, Result};
use crate::ids::{CommitteeId, MemberId, OrganisationId, RequestId, SignInId, UnitId, UserId};
use crate::store::members::MemberFields;
use crate::store::organisations::OrganisationFields;
use crate::store::sessions::SessionFields;
use crate::store::terms::TermFields;
use crate::store::units::UnitFields;
use crate::store::users::{self, UserIn};
use crate::store::{Tx, accounts, grants, register};
use crate::workflow::codes::OutcomeMeaning;
use crate::workflow::deadline::{end_of_day, local_date};
use crate::workflow::lists::{CommitteeLevel, ProposerKind};
use crate::workflow::profile::Letter;
use crate::workflow::role::{Grant, Line, Role};

/// Code of the demo committee.
pub const CODE: &str = "yunchuan";
/// Password of every demo account.
pub const PASSWORD: &str = "yunchuan-demo-2026";
/// Members of the demo committee.
const MEMBERS: usize = 328;

/// Somebody who acts in the demo.
#[derive(Debug, Clone)]
pub struct Player {
    user: UserId,
    username: String,
    name: String,
    member: Option<MemberId>,
    grant: Grant,
}

/// The committee and who acts in it.
#[derive(Debug, Clone)]
pub struct Town {
    committee: CommitteeId,
    /// Units, in the order of the content.
    pub units: Vec<UnitId>,
    /// Organisations with their kinds.
    pub organisations: Vec<(OrganisationId, ProposerKind)>,
    /// Members with accounts.
    pub members: Vec<Player>,
    /// Clerk of each organisation.
    pub org_clerks: Vec<Player>,
    /// Clerk and signatory of each unit.
    pub unit_people: Vec<(Player, Player)>,
    /// Examiners.
    pub examiners: Vec<Player>,
    /// Assigning officer of each line.
    pub officers: BTreeMap<Line, Player>,
    /// Committee staff.
    pub staff: Player,
    /// Chair.
    pub chair: Player,
    /// Supervision officer.
    pub supervision: Player,
}

impl Town {
    /// The circumstances of an act of a player.
    pub fn ctx(&self, player: &Player, now: Timestamp) -> Ctx {
        ctx(self.committee, player, now)
    }
}

impl Player {
    /// The member, for players who are one.
    pub fn member(&self) -> Option<MemberId> {
        self.member
    }
}

fn ctx(committee: CommitteeId, player: &Player, now: Timestamp) -> Ctx {
    Ctx {
        principal: Principal {
            committee,
            user: player.user,
            sign_in: SignInId::new(now),
            username: player.username.clone(),
            display_name: player.name.clone(),
            member: player.member,
            grants: vec![player.grant],
            must_change_password: false,
            factor: Factor::default(),
            machine: None,
        },
        now,
        request_id: RequestId::new(now),
        operation: Arc::from("demo"),
        idempotency: None,
        if_match: IfMatch::Any,
        validate_only: false,
        disclosed: crate::app::audit::Disclosed::default(),
    }
}

/// Makes the committee with everything but its proposals; the plenary was 228 days before `now`.
pub fn found(tx: &mut Tx<'_>, hash: &str, now: Timestamp) -> Result<Town> {
    let start = now - SignedDuration::from_hours(24 * 330);
    let account = |username: &str, display_name: &str| FirstAccount {
        username: username.to_owned(),
        display_name: display_name.to_owned(),
    };
    let administrators = FirstAdministrators {
        committee: CODE.to_owned(),
        new_committee: Some(NewCommittee {
            name: "政协云川市委员会".to_owned(),
            level: CommitteeLevel::Municipal,
            region: "云川市".to_owned(),
        }),
        system: account("admin", "系统管理员"),
        security: account("security", "安全管理员"),
    };
    let created = setup::create_first_administrators(tx, &administrators, (hash, hash), start)?;
    let committee = created.committee;
    let mut first = |user, account: &FirstAccount, role| {
        accounts::change_password(tx, committee, user, hash, hash, start)?;
        let player = Player {
            user,
            username: account.username.clone(),
            name: account.display_name.clone(),
            member: None,
            grant: Grant::of(role),
        };
        Ok::<_, Error>(ctx(committee, &player, start))
    };
    let ctx = first(created.system, &administrators.system, Role::Administrator)?;
    let security = first(
        created.security,
        &administrators.security,
        Role::SecurityAdministrator,
    )?;
    let mut maker = Maker {
        tx: &mut *tx,
        ctx: ctx.clone(),
        security,
        hash,
    };
    let term = maker.session(now)?;
    let organisations = maker.organisations()?;
    let units = maker.units()?;
    let members = maker.members(term)?;
    let town = maker.accounts(committee, units, organisations, members)?;
    own_profile(tx, &ctx, &town.ctx(&town.chair, start))?;
    Ok(town)
}

/// The committee's own policy: what is left for reference has a letter of its own, D, as in some
/// cities, and texts are advised to stay below 1,200 characters.
fn own_profile(tx: &mut Tx<'_>, administrator: &Ctx, chair: &Ctx) -> Result<()> {
    let draft = policy::draft(tx, administrator, &|base| {
        let mut settings = base.clone();
        settings
            .outcome_scheme
            .insert(OutcomeMeaning::ForReference, Letter::D);
        settings.total_advice_chars = 1200;
        Ok(Wanted {
            session: None,
            note: Some("留作参考的单列为D类".to_owned()),
            settings,
        })
    })?;
    policy::activate(tx, chair, &draft)?;
    Ok(())
}

struct Maker<'a, 'tx> {
    tx: &'a mut Tx<'tx>,
    ctx: Ctx,
    /// Of the security administrator.
    security: Ctx,
    hash: &'a str,
}

impl Maker<'_, '_> {
    fn session(&mut self, now: Timestamp) -> Result<crate::ids::TermId> {
        let day = |days: i64| local_date(now - SignedDuration::from_hours(24 * days));
        let year = i32::from(day(228).year());
        let first = |year: i32| {
            i16::try_from(year)
                .ok()
                .and_then(|year| jiff::civil::Date::new(year, 1, 10).ok())
                .ok_or_else(|| Error::internal("the clock is centuries off"))
        };
        let term = TermFields {
            number: 5,
            name: "五届".to_owned(),
            starts_on: first(year - 3)?,
            ends_on: first(year + 2)?,
        };
        let term = register::create(self.tx, &self.ctx, term)?.id;
        let session = SessionFields {
            term_id: term,
            number: 4,
            name: "五届四次会议".to_owned(),
            window_opens_on: day(318),
            opens_on: day(230),
            // 18:00 on the second day.
            deadline_at: end_of_day(day(229)) - SignedDuration::from_hours(6),
            ends_on: day(226),
            examination_until: day(205),
        };
        register::create(self.tx, &self.ctx, session)?;
        Ok(term)
    }

    fn organisations(&mut self) -> Result<Vec<(OrganisationId, ProposerKind)>> {
        content::ORGANISATIONS
            .iter()
            .enumerate()
            .map(|(n, organisation)| {
                let kind = organisation.kind.parse().map_err(Error::internal)?;
                let fields = OrganisationFields {
                    name: organisation.name.to_owned(),
                    kind,
                    contact_person: Some(content::person(2000 + n)),
                    contact_phone: Some(format!("0599-5551{n:03}")),
                    address: None,
                    post_code: None,
                    active: true,
                };
                Ok((register::create(self.tx, &self.ctx, fields)?.id, kind))
            })
            .collect()
    }

    fn units(&mut self) -> Result<Vec<UnitId>> {
        content::UNITS
            .iter()
            .enumerate()
            .map(|(n, unit)| {
                let fields = UnitFields {
                    name: unit.name.to_owned(),
                    system_line: unit.line.parse().map_err(Error::internal)?,
                    reply_prefix: unit.short.to_owned(),
                    contact_person: Some(content::person(2100 + n)),
                    contact_phone: Some(format!("0599-5552{n:03}")),
                    active: true,
                    successor_id: None,
                };
                Ok(register::create(self.tx, &self.ctx, fields)?.id)
            })
            .collect()
    }

    fn members(&mut self, term: crate::ids::TermId) -> Result<Vec<(MemberId, String)>> {
        (0..MEMBERS)
            .map(|n| {
                let name = content::person(n);
                let party = content::PARTIES[n % content::PARTIES.len()];
                let fields = MemberFields {
                    term_id: term,
                    member_no: format!("05-{:04}", n + 1),
                    name: name.clone(),
                    sector: content::SECTORS[n % content::SECTORS.len()].to_owned(),
                    party: (n % 3 == 0).then(|| party.to_owned()),
                    organisation_id: None,
                    post: None,
                    phone: None,
                    active: true,
                };
                Ok((register::create(self.tx, &self.ctx, fields)?.id, name))
            })
            .collect()
    }

    fn accounts(
        &mut self,
        committee: CommitteeId,
        units: Vec<UnitId>,
        organisations: Vec<(OrganisationId, ProposerKind)>,
        members: Vec<(MemberId, String)>,
    ) -> Result<Town> {
        let members = members
            .into_iter()
            .enumerate()
            .map(|(n, (id, name))| {
                self.player(
                    &format!("member{}", n + 1),
                    &name,
                    Some(id),
                    Grant::of(Role::Member),
                )
            })
            .collect::<Result<_>>()?;
        let org_clerks = organisations
            .iter()
            .enumerate()
            .map(|(n, (id, _))| {
                let name = content::person(2000 + n);
                self.player(
                    &format!("org{}", n + 1),
                    &name,
                    None,
                    Grant::organisation(*id),
                )
            })
            .collect::<Result<_>>()?;
        let unit_people = units
            .iter()
            .enumerate()
            .map(|(n, id)| {
                let clerk = content::person(2100 + n);
                let signatory = content::person(2200 + n);
                Ok((
                    self.player(
                        &format!("unit{}", n + 1),
                        &clerk,
                        None,
                        Grant::unit(Role::UnitClerk, *id),
                    )?,
                    self.player(
                        &format!("signatory{}", n + 1),
                        &signatory,
                        None,
                        Grant::unit(Role::UnitSignatory, *id),
                    )?,
                ))
            })
            .collect::<Result<_>>()?;
        let mut single = |username: &str, n: usize, grant: Grant| {
            self.player(username, &content::person(n), None, grant)
        };
        let examiners = (1..=4)
            .map(|n| single(&format!("examiner{n}"), 2300 + n, Grant::of(Role::Examiner)))
            .collect::<Result<_>>()?;
        let mut officers = BTreeMap::new();
        for (n, (line, username)) in [
            (Line::Government, "officer.gov"),
            (Line::Party, "officer.party"),
            (Line::Cppcc, "officer.cppcc"),
        ]
        .into_iter()
        .enumerate()
        {
            officers.insert(line, single(username, 2310 + n, Grant::line(line))?);
        }
        single("leader", 2320, Grant::of(Role::Leader))?;
        single("auditor", 2321, Grant::of(Role::Auditor))?;
        Ok(Town {
            committee,
            members,
            org_clerks,
            unit_people,
            examiners,
            officers,
            staff: single("staff", 2322, Grant::of(Role::CommitteeStaff))?,
            chair: single("chair", 2323, Grant::of(Role::CommitteeChair))?,
            supervision: single("supervision", 2324, Grant::of(Role::SupervisionOfficer))?,
            units,
            organisations,
        })
    }

    /// An account with the demo's password, which need not be changed.
    fn player(
        &mut self,
        username: &str,
        name: &str,
        member: Option<MemberId>,
        grant: Grant,
    ) -> Result<Player> {
        let set = UserIn {
            username: username.to_owned(),
            display_name: name.to_owned(),
            member_id: member,
            disabled: false,
        };
        let account = users::create(self.tx, &self.ctx, set)?;
        let account = grants::replace(self.tx, &self.security, account, vec![grant])?;
        let user = users::reset_password(self.tx, &self.security, &account, self.hash)?.id;
        let (committee, now) = (self.ctx.committee(), self.ctx.now);
        accounts::change_password(self.tx, committee, user, self.hash, self.hash, now)?;
        Ok(Player {
            user,
            username: username.to_owned(),
            name: name.to_owned(),
            member,
            grant,
        })
    }
}
