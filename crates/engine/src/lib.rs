//! The shell: sync, deliver, report.
//!
//! It activates the seven nouns in their one direction: a page is learnt, facts are judged, changes pass the guard, and
//! only what was committed to the outbox is sent. It refuses to decide anything itself, and it knows no HTTP.

mod clock;
mod deliver;
mod host;
mod judge;
mod pull;
mod report;

pub use clock::{Clock, SystemClock};
pub use host::{Engine, Instance, Options, Order, Progress, Silent};
pub use report::{InstanceReport, RunReport};
