//! The contract between host and connector: facets, page, batch, outcome, error. Types and traits only.
//!
//! A connector translates between one platform's words and the canonical ones, page by page and batch by batch. It never
//! sees the store, a clock or the environment. It refuses to decide: what a status means for a person is the law's to say.

mod access;
mod change;
mod error;
mod facet;
mod info;
mod page;

pub use access::{Field, FieldValue, Gathered, Holding, Seek};
pub use change::{Action, Batch, Change, ChangeId, Erasing, Outcome, Outcomes, Sighting, Target, Ticket};
pub use error::{Error, ErrorKind, Result};
pub use facet::{Access, Connector, Cx, Erase, INSEPARABLE, KEPT_SUPPRESSION, Pull, Push, Rectify};
pub use info::{Allowance, Calls, Deletions, EraseSpec, Info, Limiter, PullSpec, PushSpec};
pub use page::{
    Account, Cursor, Event, Identity, Listing, Next, Observation, Page, Presence, Proof, Reject, Slot, Stream, StreamId,
};
