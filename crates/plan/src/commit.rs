//! The one value that is written: everything in it becomes true together, or nothing does.

use jiff::Timestamp;
use unisson_connector::{ChangeId, Cursor, StreamId, Ticket};
use unisson_consent::{Fact, Scope, SystemId};

use crate::erasure::Case;
use crate::judge::Judged;
use crate::learn::{Learned, intended, written};
use crate::replica::{Digest, RecordNo, Replica, Wrote};

/// The id of a run: sortable by time, shown to people, named in `approve`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub String);

/// The id of a plan that was written to be applied: that of the run that made it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanId(pub String);

/// Where a stream stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// From where the next page is read; `None` starts a full sweep.
    pub cursor: Option<Cursor>,
    /// Whether a pass is under way, so that the cursor is a place within it.
    pub in_pass: bool,
    /// Whether that pass is a full sweep.
    pub sweeping: bool,
    /// When the last full sweep was completed.
    pub swept_at: Option<Timestamp>,
}

/// What became of a change, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// Done, now or before.
    Done,
    /// The platform holds no such record.
    Gone,
    /// The platform works on it.
    InFlight(Ticket),
    /// To be tried again from then on.
    Later(Timestamp),
    /// Refused for good, with the vendor's code.
    Refused(String),
    /// The answer was lost: the next read decides.
    Unknown,
}

/// One change that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Which change.
    pub id: ChangeId,
    /// What became of it.
    pub settlement: Settlement,
    /// What the record shows from now on, where the answer changed that.
    pub replica: Option<Replica>,
}

/// The judgement of a record under the condition that it is new and nobody else's: it then is its subject's whole dossier.
#[derive(Debug, Clone)]
pub struct Newcomer {
    /// Which of the learned records, by its place in the commit. It is learnt only once there.
    pub place: usize,
    /// The judgement; its subject has no number yet.
    pub judged: Judged,
}

/// Everything that is written at once.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The run it belongs to.
    pub run: RunId,
    /// When, by the host's clock.
    pub at: Timestamp,
    /// What was learnt: facts and replicas.
    pub learned: Vec<Learned>,
    /// Records of these that are judged already, in the order of their places. A judgement counts where the store finds
    /// its condition to hold, and says nothing elsewhere.
    pub newcomers: Vec<Newcomer>,
    /// What was told without any record to show for it, such as an entry of a list of refusals.
    pub told: Vec<Fact>,
    /// Records that a complete sweep no longer showed.
    pub absent: Vec<RecordNo>,
    /// Where streams stand afterwards.
    pub positions: Vec<(SystemId, StreamId, Position)>,
    /// What was judged: standings and planned changes.
    pub judged: Vec<Judged>,
    /// What was answered.
    pub settled: Vec<Settled>,
    /// Erasure cases as they stand afterwards.
    pub cases: Vec<Case>,
}

impl Commit {
    /// An empty commit of a run.
    pub fn new(run: RunId, at: Timestamp) -> Self {
        Self {
            run,
            at,
            learned: Vec::new(),
            newcomers: Vec::new(),
            told: Vec::new(),
            absent: Vec::new(),
            positions: Vec::new(),
            judged: Vec::new(),
            settled: Vec::new(),
            cases: Vec::new(),
        }
    }

    /// The facts that the commit adds to the ledger, in order.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.learned.iter().flat_map(|learned| &learned.facts).chain(&self.told)
    }
}

/// What a record shows once our write to one of its slots is acknowledged. The next observation is compared in full, so
/// that an acknowledgement that lied is noticed.
pub fn acknowledge(replica: &Replica, scope: &Scope, wrote: Wrote) -> Replica {
    let slots = replica
        .slots
        .iter()
        .map(|slot| if slot.scope == *scope { written(slot, wrote) } else { slot.clone() })
        .collect();
    Replica { slots, digest: Digest::default(), ..replica.clone() }
}

/// A replica that remembers a write of ours before it is sent, so that it is recognised although its answer is lost;
/// without one, a replica that forgets the last write, because the platform refused it.
pub fn intend(replica: &Replica, scope: &Scope, wrote: Option<Wrote>) -> Replica {
    let slots = replica
        .slots
        .iter()
        .map(|slot| if slot.scope == *scope { intended(slot, wrote) } else { slot.clone() })
        .collect();
    Replica { slots, digest: Digest::default(), ..replica.clone() }
}

/// What an action makes a slot show.
pub fn shows_after(action: unisson_connector::Action) -> unisson_consent::Status {
    use unisson_connector::Action;
    use unisson_consent::Status;
    match action {
        Action::Suppress => Status::Unsubscribed,
        Action::MarkInvalid => Status::Invalid,
        Action::Subscribe => Status::Subscribed,
        Action::Reconfirm => Status::Pending,
    }
}
