//! Checks the audit trail: every seal, every chain link by link, and the ends that cases and seals
//! remember. The work is done a piece at a time, so that the largest trail holds nothing up.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::connection::MultiBackend;
use super::events::{Event, Head, Stream};
use super::keyset::{self, Side};
use super::run::Run;
use super::schema::{audit_seal_heads, events, proposals};
use super::{Tx, seals};
use crate::auth::seal::{Seal, SealKey, root_with};
use crate::code_list;
use crate::error::Result;
use crate::ids::{CommitteeId, EventId, ProposalId, StreamId};

/// Rows read at a time.
const PAGE: i64 = 1000;
/// An event may become visible this much later than the moment that it names: the longest
/// transaction and the difference between the clocks of two machines are far below.
pub const LATE: SignedDuration = SignedDuration::from_hours(1);

code_list! {
    /// What is wrong with the trail.
    pub enum Fault {
        HeadMissing = "head_missing", "没有导出的那个封存", "the seal that was exported is not there";
        HeadOther = "head_other", "封存与导出的不同", "the seal is not the one that was exported";
        SealMissing = "seal_missing", "前面的封存缺失", "seals before it are missing";
        SealLink = "seal_link", "封存与前一封存不相接", "the seal does not follow from the one before";
        SealChanged = "seal_changed", "封存被改动", "the seal was changed after it was made";
        SealSignature = "seal_signature", "封存的签名不符", "the signature of the seal does not fit";
        SealEnds = "seal_ends", "封存所记的链尾被改动", "the ends under the seal are not those that were sealed";
        Missing = "events_missing", "前面的事件缺失", "events before it are missing";
        Link = "link", "事件与前一事件不相接", "it does not follow from the event before";
        Changed = "changed", "事件写入后被改动", "it was changed after it was written";
        SealedGone = "sealed_gone", "已封存的事件缺失", "the event at this place was sealed and is gone";
        SealedOther = "sealed_other", "已封存的事件被替换", "the event at this place was sealed with another content";
        Backdated = "backdated", "事件自称早于封存，而封存中没有", "it says that it is older than the last seal, which does not know it";
        WrongEnd = "wrong_end", "提案所记的链尾不同", "the proposal remembers another end of its chain";
        CaseGone = "case_gone", "提案不存在", "its proposal is gone";
    }
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Seals read.
    pub seals: usize,
    /// Events read.
    pub events: usize,
    /// Chains read.
    pub streams: usize,
    /// The first broken place; `None` if the whole trail is whole.
    pub broken: Option<Broken>,
    /// The first broken place of each kind, in the order in which they were found.
    pub found: Vec<Broken>,
}

impl Report {
    fn note(&mut self, broken: Broken) {
        if self.found.iter().all(|known| known.fault != broken.fault) {
            self.broken.get_or_insert_with(|| broken.clone());
            self.found.push(broken);
        }
    }
}

/// A place that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Broken {
    /// The tenant.
    pub committee: CommitteeId,
    /// What is wrong.
    pub fault: Fault,
    /// Kind of the history, such as `proposal`; absent for seals and where no event is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 32, nullable = false, example = "proposal")]
    pub stream_kind: Option<String>,
    /// The history; absent for seals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub stream: Option<StreamId>,
    /// Place in the history, or number of the seal.
    #[schema(minimum = 0, maximum = 2_147_483_647, example = 7)]
    pub seq: i32,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.stream {
            Some(stream) => write!(
                f,
                "{} {} of {}, event {}: {}",
                self.stream_kind.as_deref().unwrap_or("history"),
                stream.uuid().simple(),
                self.committee,
                self.seq,
                self.fault.label().en
            ),
            None => write!(
                f,
                "seal {} of {}: {}",
                self.seq,
                self.committee,
                self.fault.label().en
            ),
        }
    }
}

/// A seal that is kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// The tenant.
    pub committee: CommitteeId,
    /// Its number.
    pub number: i32,
    /// Its hash.
    pub hash: String,
}

impl From<&Seal> for Exported {
    fn from(seal: &Seal) -> Self {
        Self {
            committee: seal.committee_id,
            number: seal.number,
            hash: seal.hash.clone(),
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    #[default]
    Seals,
    Chains,
    Cases,
    Done,
}

/// A check under way: it can be put aside and taken up again.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Check {
    scope: Option<CommitteeId>,
    heads: Vec<Exported>,
    phase: Phase,
    /// The seal that was read last, with its hash.
    seal: Option<(CommitteeId, i32, String)>,
    /// The event that was read last.
    event: Option<(CommitteeId, StreamId, i32)>,
    /// Where the chain of that event stands.
    head: Head,
    /// The first event of that chain which no seal covers so far: its place and its moment.
    open: Option<(i32, Timestamp, String)>,
    /// What is older than this in the committee must be under a seal.
    horizon: Option<Timestamp>,
    /// The case that was looked at last.
    case: Option<(CommitteeId, ProposalId)>,
    report: Report,
}

impl Check {
    /// Of one committee or of all, against seals that are kept elsewhere.
    pub fn new(scope: Option<CommitteeId>, heads: Vec<Exported>) -> Self {
        Self {
            scope,
            heads,
            ..Self::default()
        }
    }

    /// Whether nothing is left to do.
    pub fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    /// What was found so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Does the next piece.
    pub fn step(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        match self.phase {
            Phase::Seals => self.seals(tx),
            Phase::Chains => self.chains(tx),
            Phase::Cases => self.cases(tx),
            Phase::Done => Ok(()),
        }
    }

    fn seals(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let after = self
            .seal
            .as_ref()
            .map(|(committee, number, _)| (*committee, *number));
        let Some(seal) = seals::next(tx, self.scope, after)? else {
            for head in self.heads.clone() {
                if seals::find(tx, head.committee, head.number)?.is_none() {
                    self.note_seal(head.committee, head.number, Fault::HeadMissing);
                }
            }
            self.phase = Phase::Chains;
            return Ok(());
        };
        let (committee, number) = (seal.committee_id, seal.number);
        let before = self.seal.take().filter(|(known, _, _)| *known == committee);
        let (last, prev) = before.map_or((0, String::new()), |(_, number, hash)| (number, hash));
        self.seal = Some((committee, number, seal.hash.clone()));
        self.report.seals += 1;
        let mut faults = Vec::new();
        let other = |head: &&Exported| head.committee == committee && head.number == number;
        if self
            .heads
            .iter()
            .find(other)
            .is_some_and(|head| head.hash != seal.hash)
        {
            faults.push(Fault::HeadOther);
        }
        if number != last + 1 {
            faults.push(Fault::SealMissing);
        } else if seal.prev_hash != prev {
            faults.push(Fault::SealLink);
        }
        if seal.hash != seal.expected_hash() {
            faults.push(Fault::SealChanged);
        } else if !is_signed(&seals::keys(tx)?, &seal) {
            faults.push(Fault::SealSignature);
        }
        if root_of(tx, committee, number)? != (seal.root, seal.streams) {
            faults.push(Fault::SealEnds);
        }
        for fault in faults {
            self.note_seal(committee, number, fault);
        }
        Ok(())
    }

    fn note_seal(&mut self, committee: CommitteeId, number: i32, fault: Fault) {
        self.report.note(Broken {
            committee,
            fault,
            stream_kind: None,
            stream: None,
            seq: number,
        });
    }

    fn chains(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let page = self.page(tx)?;
        let last = page
            .last()
            .map(|(committee, stream, event)| (*committee, *stream, event.seq));
        let mut ends = self.sealed_ends(tx, self.event, last)?;
        self.look_for_cases(tx, &page)?;
        for (committee, stream, event) in &page {
            self.gone_before(&mut ends, (*committee, *stream, event.seq));
            self.follow(tx, *committee, *stream, event)?;
            if let Some(hash) = ends.remove(&(*committee, *stream, event.seq)) {
                // The chain covers everything before.
                self.open = None;
                if hash != event.hash {
                    self.note(*committee, *stream, event, Fault::SealedOther);
                }
            }
        }
        if let Some(last) = last {
            self.event = Some(last);
        } else {
            self.close_chain();
            self.phase = Phase::Cases;
        }
        // What is left stood behind the last event.
        self.gone_before(
            &mut ends,
            (
                CommitteeId::from_uuid(uuid::Uuid::max()),
                StreamId::from_uuid(uuid::Uuid::max()),
                i32::MAX,
            ),
        );
        Ok(())
    }

    /// Ends before a place that no event has.
    fn gone_before(
        &mut self,
        ends: &mut BTreeMap<(CommitteeId, StreamId, i32), String>,
        place: (CommitteeId, StreamId, i32),
    ) {
        while let Some(first) = ends.first_entry().filter(|first| *first.key() < place) {
            let (committee, stream, seq) = *first.key();
            first.remove();
            self.report.note(Broken {
                committee,
                fault: Fault::SealedGone,
                stream_kind: None,
                stream: Some(stream),
                seq,
            });
        }
    }

    /// The next event of the walk over all chains.
    fn follow(
        &mut self,
        tx: &mut Tx<'_>,
        committee: CommitteeId,
        stream: StreamId,
        event: &Event,
    ) -> Result<()> {
        self.report.events += 1;
        let before = self.event.map(|(committee, stream, _)| (committee, stream));
        if before != Some((committee, stream)) {
            self.close_chain();
            if before.is_none_or(|(known, _)| known != committee) {
                let last = seals::last(tx, committee)?;
                self.horizon = last.map(|seal| horizon(&seal));
            }
            self.head = Head::default();
            self.report.streams += 1;
        }
        self.event = Some((committee, stream, event.seq));
        // The kind is checked through the hash.
        let owner = Stream {
            committee,
            kind: "",
            id: stream,
        };
        // A text that is not there and an empty one have the same hash; the program writes none.
        let emptied = [&event.on_behalf_of, &event.rule]
            .iter()
            .any(|text| text.as_deref() == Some(""));
        if event.seq != self.head.seq + 1 {
            self.note(committee, stream, event, Fault::Missing);
        } else if event.prev_hash != self.head.hash {
            self.note(committee, stream, event, Fault::Link);
        }
        if emptied || event.hash != event.expected_hash(&owner) {
            self.note(committee, stream, event, Fault::Changed);
        }
        self.head = Head {
            seq: event.seq,
            hash: event.hash.clone(),
        };
        let open = (event.seq, event.at.0, event.stream_kind.clone());
        self.open.get_or_insert(open);
        Ok(())
    }

    /// The chain has ended: what no seal covers must be younger than the last one.
    fn close_chain(&mut self) {
        if let (Some((seq, at, kind)), Some((committee, stream, _)), Some(horizon)) =
            (self.open.take(), self.event, self.horizon)
            && at < horizon
        {
            self.report.note(Broken {
                committee,
                fault: Fault::Backdated,
                stream_kind: Some(kind),
                stream: Some(stream),
                seq,
            });
        }
    }

    fn note(&mut self, committee: CommitteeId, stream: StreamId, event: &Event, fault: Fault) {
        self.report.note(Broken {
            committee,
            fault,
            stream_kind: Some(event.stream_kind.clone()),
            stream: Some(stream),
            seq: event.seq,
        });
    }

    /// Chains of cases whose case is gone.
    fn look_for_cases(
        &mut self,
        tx: &mut Tx<'_>,
        page: &[(CommitteeId, StreamId, Event)],
    ) -> Result<()> {
        let begun: Vec<_> = page
            .iter()
            .filter(|(_, _, event)| event.seq == 1 && event.stream_kind == "proposal")
            .map(|(committee, stream, event)| (*committee, stream.cast(), event))
            .collect();
        for of_committee in begun.chunk_by(|one, next| one.0 == next.0) {
            let ids: Vec<ProposalId> = of_committee.iter().map(|(_, id, _)| *id).collect();
            let there: BTreeSet<ProposalId> = proposals::table
                .filter(proposals::committee_id.eq(of_committee[0].0))
                .filter(proposals::id.eq_any(ids))
                .select(proposals::id)
                .rows(tx.conn)?
                .into_iter()
                .collect();
            for (committee, id, event) in of_committee {
                if !there.contains(id) {
                    self.note(*committee, id.cast(), event, Fault::CaseGone);
                }
            }
        }
        Ok(())
    }

    /// A case remembers the end of its chain: a cut or replaced tail shows, and so does a case
    /// whose whole chain is gone.
    fn cases(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let page = self.case_keys(tx)?;
        let (Some(first), Some(last)) = (page.first(), page.last()) else {
            self.phase = Phase::Done;
            return Ok(());
        };
        let remembered = diesel::dsl::exists(
            events::table
                .filter(events::committee_id.eq(proposals::committee_id))
                .filter(events::stream_id.eq(proposals::id))
                .filter(events::seq.eq(proposals::event_seq))
                .filter(events::hash.eq(proposals::event_hash)),
        );
        let later = diesel::dsl::exists(
            events::table
                .filter(events::committee_id.eq(proposals::committee_id))
                .filter(events::stream_id.eq(proposals::id))
                .filter(events::seq.gt(proposals::event_seq)),
        );
        // A page may reach over several committees; its cases are those between its ends.
        let wrong: Vec<(CommitteeId, ProposalId, i32)> = proposals::table
            .filter(proposals::committee_id.between(first.0, last.0))
            .filter(diesel::dsl::not(remembered).or(later))
            .filter(proposals::id.eq_any(page.iter().map(|(_, id)| *id).collect::<Vec<_>>()))
            .order((proposals::committee_id, proposals::id))
            .limit(1)
            .select((proposals::committee_id, proposals::id, proposals::event_seq))
            .rows(tx.conn)?;
        for (committee, id, seq) in wrong {
            self.report.note(Broken {
                committee,
                fault: Fault::WrongEnd,
                stream_kind: Some("proposal".to_owned()),
                stream: Some(id.cast()),
                seq,
            });
        }
        self.case = Some(*last);
        Ok(())
    }

    fn case_keys(&self, tx: &mut Tx<'_>) -> Result<Vec<(CommitteeId, ProposalId)>> {
        let mut query = proposals::table.into_boxed::<MultiBackend>();
        if let Some(scope) = self.scope {
            query = query.filter(proposals::committee_id.eq(scope));
        }
        if let Some(place) = self.case {
            query = query.filter(keyset::after(place));
        }
        Ok(query
            .order((proposals::committee_id, proposals::id))
            .limit(PAGE)
            .select((proposals::committee_id, proposals::id))
            .load(tx.conn)?)
    }

    /// The next events in the order of their keys.
    fn page(&self, tx: &mut Tx<'_>) -> Result<Vec<(CommitteeId, StreamId, Event)>> {
        let mut query = events::table.into_boxed::<MultiBackend>();
        if let Some(scope) = self.scope {
            query = query.filter(events::committee_id.eq(scope));
        }
        if let Some(place) = self.event {
            query = query.filter(keyset::events(Side::After, place));
        }
        Ok(query
            .order((events::committee_id, events::stream_id, events::seq))
            .limit(PAGE)
            .select((
                events::committee_id,
                events::stream_id,
                <Event as Selectable<MultiBackend>>::construct_selection(),
            ))
            .load(tx.conn)?)
    }

    /// What seals remember of the places after one and up to another.
    fn sealed_ends(
        &self,
        tx: &mut Tx<'_>,
        after: Option<(CommitteeId, StreamId, i32)>,
        until: Option<(CommitteeId, StreamId, i32)>,
    ) -> Result<BTreeMap<(CommitteeId, StreamId, i32), String>> {
        use audit_seal_heads::{committee_id, seq, stream_id};
        let mut query = audit_seal_heads::table.into_boxed::<MultiBackend>();
        if let Some(scope) = self.scope {
            query = query.filter(committee_id.eq(scope));
        }
        if let Some(place) = after {
            query = query.filter(keyset::events(Side::After, place));
        }
        if let Some(place) = until {
            query = query.filter(keyset::events(Side::UpTo, place));
        }
        // There is at most one for each event; where there are more, some of their events are gone,
        // and one of these is among the first.
        let rows: Vec<(CommitteeId, StreamId, i32, String)> = query
            .order((committee_id, stream_id, seq))
            .limit(PAGE + 1)
            .select((committee_id, stream_id, seq, audit_seal_heads::hash))
            .load(tx.conn)?;
        Ok(rows
            .into_iter()
            .map(|(committee, stream, place, hash)| ((committee, stream, place), hash))
            .collect())
    }
}

/// Does a whole check at once: for small trails.
pub fn run(tx: &mut Tx<'_>) -> Result<Report> {
    run_against(tx, None, Vec::new())
}

/// The same for one committee, against seals that are kept elsewhere.
pub fn run_against(
    tx: &mut Tx<'_>,
    scope: Option<CommitteeId>,
    heads: Vec<Exported>,
) -> Result<Report> {
    let mut check = Check::new(scope, heads);
    while !check.is_done() {
        check.step(tx)?;
    }
    Ok(check.report)
}

/// What is older than this must be under the seal, if it was there when the seal was made.
pub fn horizon(seal: &Seal) -> Timestamp {
    EventId::moment(seal.until_id)
        .min(seal.sealed_at)
        .saturating_sub(LATE)
        .unwrap_or(Timestamp::MIN)
}

fn is_signed(keys: &[SealKey], seal: &Seal) -> bool {
    keys.iter()
        .find(|key| key.kid == seal.kid)
        .is_some_and(|key| key.signed(&seal.hash, &seal.signature))
}

/// The root over the ends under a seal, and their number.
fn root_of(tx: &mut Tx<'_>, committee: CommitteeId, number: i32) -> Result<(String, i64)> {
    let (mut root, mut count, mut after) = (String::new(), 0, None);
    loop {
        let ends = seals::ends(tx, committee, number, after, PAGE)?;
        for end in &ends {
            root = root_with(&root, end);
            count += 1;
        }
        after = match ends.last() {
            Some(last) => Some(last.stream),
            None => return Ok((root, count)),
        };
    }
}
