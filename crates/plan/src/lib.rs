//! The judgement: observations to commit, decision to change, guard, settle, explanation, census.
//!
//! Pure: no input or output, no clock. `Page -> Observation -> Fact -> Standing -> Change -> Outcome -> Commit`: the arrows
//! of this crate are [`learn`], [`judge`], [`admit`] and [`acknowledge`]. It refuses to know how anything is stored or sent.

mod bench;
mod census;
mod commit;
mod effort;
pub mod erasure;
mod explain;
mod ground;
mod guard;
mod judge;
mod learn;
mod refusal;
mod replica;

pub use bench::{is_negative, stance};
pub use census::{ByOutcome, Census, Figures, Idle, Lapses, MONTHS_MAX, Only, Segment, Survey};
pub use commit::{Commit, Newcomer, PlanId, Position, RunId, Settled, Settlement, acknowledge, intend, shows_after};
pub use effort::{Bound, CALL_ASSUMED, Effort, effort};
pub use explain::{Explained, Explanation, ShownSlot, ToldFact, explain, scope_words, words};
pub use ground::{Ground, grounds, masked};
pub use guard::{GuardRule, Guarded, Held, Tally, admit, approved};
pub use judge::{Dossier, Enforce, Judged, KeyDecision, OpenChange, OpenState, Planned, Rules, Unreached, judge};
pub use learn::{Learned, Lesson, identify, learn};
pub use refusal::RefusalList;
pub use replica::{Digest, RecordNo, Replica, ReplicaSlot, SubjectNo, Wrote};
