//! Gap-free numbers: allotted in the transaction of the act, so that a failed act consumes none.

use diesel::prelude::*;

use super::Tx;
use super::schema::number_series::dsl;
use crate::error::Result;
use crate::ids::CommitteeId;

/// The next number of a series, from 1. Simultaneous acts wait for each other here.
pub fn allot(tx: &mut Tx<'_>, committee: CommitteeId, series: &str) -> Result<i32> {
    let next: Option<i32> = diesel::update(dsl::number_series.find((committee, series)))
        .set(dsl::last_number.eq(dsl::last_number + 1))
        .returning(dsl::last_number)
        .get_result(tx.conn)
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
        .execute(tx.conn)?;
    Ok(1)
}
