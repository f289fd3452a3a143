//! The layers between a client and the network, outermost first. Each does one thing and passes the rest on.

mod bearer;
mod deadline;
mod guard;
mod pace;
mod retry;
mod trace;

pub(crate) use bearer::Bearer;
pub(crate) use deadline::Deadline;
pub(crate) use guard::Guard;
pub(crate) use pace::{Pace, Paced};
pub(crate) use retry::Retry;
pub(crate) use trace::Trace;
