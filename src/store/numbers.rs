//! Gap-free numbers: allotted in the transaction of the act, so that a failed act consumes none.

use diesel::prelude::*;

use super::Tx;
use super::prepared::Prepare;
use super::run::Run;
use super::schema::number_series::dsl;
use crate::error::Result;
use crate::ids::{CommitteeId, SessionId, UnitId};
use crate::workflow::codes::CaseSeries;

/// The series of serial numbers of a session (I3).
pub fn serial_series(session: SessionId) -> String {
    format!("serial:{}", session.uuid().simple())
}

/// A series of case numbers of a session (I2).
pub fn case_series(session: SessionId, series: CaseSeries) -> String {
    let session = session.uuid().simple();
    match series {
        CaseSeries::Main => format!("case:{session}"),
        CaseSeries::Ordinary => format!("case:{session}:ordinary"),
    }
}

/// The series of document numbers of a unit's replies in a year, under one prefix.
pub fn document_series(unit: UnitId, year: i32, prefix: &str) -> String {
    format!("document:{}:{year}:{prefix}", unit.uuid().simple())
}

/// The next number of a series, from 1. Simultaneous acts wait for each other here.
pub fn allot(tx: &mut Tx<'_>, committee: CommitteeId, series: &str) -> Result<i32> {
    let next: Option<i32> = diesel::update(dsl::number_series.find((committee, series)))
        .set(dsl::last_number.eq(dsl::last_number + 1))
        .returning(dsl::last_number)
        .prepared()
        .row(tx.conn)
        .optional()?;
    if let Some(next) = next {
        return Ok(next);
    }
    // Two first acts of a series clash on its key; the second runs again and finds the row.
    diesel::insert_into(dsl::number_series)
        .values((
            dsl::committee_id.eq(committee),
            dsl::series.eq(series),
            dsl::last_number.eq(1),
        ))
        .prepared()
        .run(tx.conn)?;
    Ok(1)
}
