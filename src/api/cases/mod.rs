//! Proposals, assignments, replies, desks: the operations on cases and what they answer.

pub mod actions;
pub mod assignments;
pub mod attachments;
pub mod batches;
pub mod bodies;
pub mod brief;
pub mod bulk;
pub mod clock_explanation;
pub mod clock_lists;
pub mod clock_out;
pub mod clocks;
pub mod decisions;
pub mod desk;
pub mod docs;
pub mod follow_up;
pub mod follow_up_lists;
pub mod group_out;
pub mod handling_out;
pub mod incoming;
pub mod links;
pub mod merge_groups;
pub mod out;
pub mod patch;
pub mod possible;
pub mod proposals;
pub mod records;
pub mod referrals;
pub mod replies;
pub mod request_out;
pub mod rounds;
pub mod texts;
pub mod timeline;

use super::routes::Routes;

/// Enters the operations.
pub fn routes(routes: &mut Routes) {
    proposals::routes(routes);
    timeline::routes(routes);
    records::routes(routes);
    rounds::routes(routes);
    texts::routes(routes);
    links::routes(routes);
    follow_up::routes(routes);
    follow_up_lists::routes(routes);
    merge_groups::routes(routes);
    referrals::routes(routes);
    incoming::routes(routes);
    assignments::routes(routes);
    replies::routes(routes);
    attachments::routes(routes);
    desk::routes(routes);
    clocks::routes(routes);
    clock_lists::routes(routes);
    actions::routes(routes);
    batches::routes(routes);
    bulk::routes(routes);
}
