//! The erasure of a person: one case, one part for each system, one task for each record (art. 17, 19).
//!
//! A case only goes forward. It says by [`Case::deeds`] what must be done next, and [`Case::step`] takes in what became of
//! it; both are pure, so that a case killed anywhere goes on where its store says. Nothing in a case names the person:
//! records stand in it by the numbers of the store, and what the person was called lives in the erasable table until the
//! purge.

mod case;
mod deadline;
mod deed;
mod hold;
mod step;
mod task;

pub use case::{Case, CaseId, CaseState, Extension, Origin, Part, PartHold, Survey};
pub use deadline::{ALARM_DAYS, Calendar, alarm};
pub use deed::Deed;
pub use hold::{Held, HoldRule, Locker, Warrant};
pub use step::{OutOfTurn, Step};
pub use task::{ATTEMPTS_MAX, Task, TaskState};
