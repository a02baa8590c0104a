//! Messages to other systems by HTTP (Standard Webhooks 1.0.0): where they may go, how they are
//! signed, and how they are sent. No database here.

mod kinds;
mod send;
mod sign;
mod target;

pub use kinds::{DeliveryStatus, WebhookStatus};
pub use send::{Message, Outcome, Sender, Settings};
pub use sign::{Secret, signature};
pub use target::{Names, Refusal, Targets};
