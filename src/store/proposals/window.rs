//! The cases of some units next in line.
//!
//! A list of a unit begins with the unit's rows, of which a department gathers thousands over the
//! years, while a page wants twenty cases. So it looks at the first of them in the order of the list, and
//! further only if too few of these are what was asked for: its work follows the page and not the years.

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Text};

use super::{Filter, Order};
use crate::error::Result;
use crate::ids::{CommitteeId, ProposalId, UnitId};
use crate::store::Tx;
use crate::store::connection::{AnyConnection, MultiBackend};
use crate::store::schema::proposals;
use crate::store::sql_types::Uid;
use crate::workflow::access::Reach;
use crate::workflow::codes::FollowUpKind;
use crate::workflow::proposal::ProposalStatus;

/// How many cases a window has at most.
const LARGEST: i64 = 4096;
/// By how much the next one is larger; and the first one larger than the page, where more is asked
/// of a case than that it concerns the unit.
const GROWTH: i64 = 4;

/// Where a unit meets a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// It has a row there, in any round.
    Rows,
    /// A promise of the case is the unit's.
    Promises,
    /// A leader's instruction is for the unit.
    Instructions,
}

impl Source {
    fn table(self) -> &'static str {
        match self {
            Self::Rows => "assignments",
            Self::Promises => "promises",
            Self::Instructions => "follow_ups",
        }
    }
}

/// Cases of units behind a place, in the order of identifiers, with the statuses that are wanted; as a
/// condition of a list, that a case is one of them.
#[derive(Debug, Clone)]
pub(super) struct Window {
    committee: CommitteeId,
    units: Vec<UnitId>,
    sources: &'static [Source],
    status: Vec<ProposalStatus>,
    newest: bool,
    after: Option<ProposalId>,
    size: i64,
    has_arrays: bool,
    is_exact: bool,
}

impl Window {
    /// Where a list of `limit` rows that begins with units looks first; `None` for other lists.
    pub(super) fn first(
        tx: &Tx<'_>,
        committee: CommitteeId,
        reach: &Reach,
        filter: &Filter,
        order: Order,
        after: Option<ProposalId>,
        limit: i64,
    ) -> Option<Self> {
        let newest = match order {
            Order::Newest => true,
            Order::Oldest => false,
            // In an order that rows of units do not have.
            Order::Updated => return None,
        };
        let (units, sources): (_, &[_]) = match filter.unit {
            Some(unit) => (vec![unit], &[Source::Rows]),
            None if reach.is_of_units_alone() && !reach.units.is_empty() => (
                reach.units.clone(),
                &[Source::Rows, Source::Promises, Source::Instructions],
            ),
            None => return None,
        };
        let plain = Filter {
            unit: filter.unit,
            status: filter.status.clone(),
            ..Filter::default()
        };
        let is_plain = *filter == plain;
        Some(Self {
            committee,
            units,
            sources,
            status: plain.status,
            newest,
            after,
            size: if is_plain {
                limit
            } else {
                limit.saturating_mul(GROWTH)
            },
            is_exact: is_plain && reach.everything,
            has_arrays: matches!(tx.conn, AnyConnection::Postgres(_)),
        })
    }

    /// Goes on behind its last case, larger, after a page that was too short; `false` if there is none
    /// behind it.
    pub(super) fn go_on(&mut self, tx: &mut Tx<'_>) -> Result<bool> {
        // All of its cases were on the page, so it was not full.
        if self.is_exact {
            return Ok(false);
        }
        let edge: Option<ProposalId> = Edge(self).get_result(tx.conn).optional()?;
        self.after = edge;
        self.size = (self.size.saturating_mul(GROWTH)).min(LARGEST);
        Ok(edge.is_some())
    }

    fn in_order(&self, out: &mut AstPass<'_, '_, MultiBackend>) {
        out.push_sql(" ORDER BY proposal_id");
        self.direction(out);
    }

    fn direction(&self, out: &mut AstPass<'_, '_, MultiBackend>) {
        if self.newest {
            out.push_sql(" DESC");
        }
    }

    /// The first cases of one unit from one source.
    fn of_unit<'b>(
        &'b self,
        source: Source,
        unit: &'b UnitId,
        out: &mut AstPass<'_, 'b, MultiBackend>,
    ) -> QueryResult<()> {
        out.push_sql("SELECT DISTINCT source.proposal_id FROM ");
        out.push_sql(source.table());
        out.push_sql(" AS source");
        if !self.status.is_empty() {
            // The words, not a plain join, keep SQLite from beginning with the cases of the committee.
            out.push_sql(" CROSS JOIN proposals");
        }
        out.push_sql(" WHERE source.committee_id = ");
        out.push_bind_param::<Uid, _>(&self.committee)?;
        out.push_sql(" AND source.unit_id = ");
        out.push_bind_param::<Uid, _>(unit)?;
        if source == Source::Instructions {
            out.push_sql(" AND source.kind = ");
            out.push_bind_param::<Text, _>(&FollowUpKind::Instruction)?;
        }
        if let Some(after) = &self.after {
            out.push_sql(if self.newest {
                " AND source.proposal_id < "
            } else {
                " AND source.proposal_id > "
            });
            out.push_bind_param::<Uid, _>(after)?;
        }
        self.of_status(out)?;
        out.push_sql(" ORDER BY source.proposal_id");
        self.direction(out);
        out.push_sql(" LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.size)
    }

    fn of_status<'b>(&'b self, out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        for (number, status) in self.status.iter().enumerate() {
            out.push_sql(if number == 0 {
                " AND proposals.committee_id = source.committee_id \
                 AND proposals.id = source.proposal_id AND proposals.status IN ("
            } else {
                ", "
            });
            out.push_bind_param::<Text, _>(status)?;
        }
        if !self.status.is_empty() {
            out.push_sql(")");
        }
        Ok(())
    }

    /// The first cases of all: they are among the first of each.
    fn cases<'b>(&'b self, out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        if let ([unit], [source]) = (self.units.as_slice(), self.sources) {
            return self.of_unit(*source, unit, out);
        }
        out.push_sql("SELECT DISTINCT proposal_id FROM (");
        let all = self.units.iter().flat_map(|unit| {
            let with = move |source: &Source| (*source, unit);
            self.sources.iter().map(with)
        });
        for (number, (source, unit)) in all.enumerate() {
            if number > 0 {
                out.push_sql(" UNION ALL ");
            }
            out.push_sql("SELECT proposal_id FROM (");
            self.of_unit(source, unit, out)?;
            out.push_sql(&format!(") AS source_{number}"));
        }
        out.push_sql(") AS sources");
        self.in_order(out);
        out.push_sql(" LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.size)
    }
}

impl Expression for Window {
    type SqlType = Bool;
}

impl ValidGrouping<()> for Window {
    type IsAggregate = diesel::expression::is_aggregate::No;
}

impl AppearsOnTable<proposals::table> for Window {}
impl SelectableExpression<proposals::table> for Window {}

impl QueryId for Window {
    type QueryId = ();
    // The text depends on how many units there are.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<MultiBackend> for Window {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        // Of a joined subquery PostgreSQL may think that walking over the cases of the committee, in the
        // order that is wanted, meets it soon. Of values it knows that the key finds them.
        let (before, behind) = if self.has_arrays {
            ("proposals.id = ANY (ARRAY(", "))")
        } else {
            ("proposals.id IN (", ")")
        };
        out.push_sql(before);
        self.cases(&mut out)?;
        out.push_sql(behind);
        Ok(())
    }
}

/// The last case of a window, if it is full.
struct Edge<'w>(&'w Window);

impl Query for Edge<'_> {
    type SqlType = Uid;
}

impl<Conn> RunQueryDsl<Conn> for Edge<'_> {}

impl QueryId for Edge<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<MultiBackend> for Edge<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql("SELECT proposal_id FROM (");
        self.0.cases(&mut out)?;
        out.push_sql(") AS cases");
        self.0.in_order(&mut out);
        out.push_sql(" LIMIT 1 OFFSET ");
        out.push_bind_param::<BigInt, _>(&self.0.size)?;
        out.push_sql(" - 1");
        Ok(())
    }
}
