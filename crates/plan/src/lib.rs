//! The judgement: observations to commit, decision to change, guard, settle, explanation.
//!
//! Pure: no input or output, no clock. `Page -> Observation -> Fact -> Standing -> Change -> Outcome -> Commit`: the arrows
//! of this crate are [`learn`], [`judge`], [`admit`] and [`acknowledge`]. It refuses to know how anything is stored or sent.

mod bench;
mod commit;
mod explain;
mod guard;
mod judge;
mod learn;
mod replica;

pub use bench::{is_negative, stance};
pub use commit::{Commit, Position, RunId, Settled, Settlement, acknowledge, intend, shows_after};
pub use explain::{Explained, Explanation, ShownSlot, ToldFact, explain, scope_words, words};
pub use guard::{GuardRule, Guarded, Held, Tally, admit, approved};
pub use judge::{Dossier, Enforce, Judged, KeyDecision, OpenChange, OpenState, Planned, Rules, Unreached, judge};
pub use learn::{Learned, Lesson, identify, learn};
pub use replica::{Digest, RecordNo, Replica, ReplicaSlot, SubjectNo, Wrote};
