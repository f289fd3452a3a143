//! What is written to a platform: changes in batches, and one outcome for each.

use std::fmt;
use std::time::Duration;

use unisson_consent::{Address, AddressKind, RecordId, Scope};

/// What a change does at the platform (consent model 3.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Opt the person out of the scope.
    Suppress,
    /// Mark the address as dead; a later proof can lift it.
    MarkInvalid,
    /// Opt the person in: only ever for a live consent.
    Subscribe,
    /// Let the platform ask the person.
    Reconfirm,
}

impl Action {
    /// The name used in output and stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suppress => "suppress",
            Self::MarkInvalid => "mark_invalid",
            Self::Subscribe => "subscribe",
            Self::Reconfirm => "reconfirm",
        }
    }
}

/// The host's id of a change: its idempotency key, the same whenever the same change is planned again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeId(pub String);

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whose record is meant, with the addresses the platform holds there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The record's native id.
    pub record: RecordId,
    /// The addresses seen on the record, the primary one of each kind first.
    pub addresses: Vec<Address>,
}

impl Target {
    /// The primary address of a kind.
    pub fn address(&self, kind: AddressKind) -> Option<&Address> {
        self.addresses.iter().find(|address| address.kind() == kind)
    }
}

/// One change to one slot of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its idempotency key.
    pub id: ChangeId,
    /// Whose record.
    pub target: Target,
    /// Which slot of it.
    pub scope: Scope,
    /// What to do.
    pub action: Action,
    /// The law's primary reason, one word, such as `withdrawn`. For vendors that keep a reason.
    pub reason: &'static str,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The platform did it and said so.
    Applied,
    /// It was so before.
    AlreadySo,
    /// The platform holds no such record.
    NotFound,
    /// The platform accepted a job; ask again with this ticket.
    InFlight(Ticket),
    /// Not now; after this long where the platform said so.
    Later(Option<Duration>),
    /// The platform refuses this for good; a short code of the vendor says why.
    Refused(String),
    /// The answer was lost: read back before any repetition.
    Unknown,
}

/// A vendor's id for work it does later.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub String);

/// Changes that share one action and one scope, at most as many as the connector takes at once.
#[derive(Debug)]
pub struct Batch {
    changes: Vec<Change>,
}

impl Batch {
    /// A batch of these changes. The host sees to it that they share action and scope.
    pub fn new(changes: Vec<Change>) -> Self {
        Self { changes }
    }

    /// The changes to make.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// What to do with each of them; `None` for an empty batch.
    pub fn action(&self) -> Option<Action> {
        self.changes.first().map(|change| change.action)
    }

    /// Which slot of each of them; `None` for an empty batch.
    pub fn scope(&self) -> Option<&Scope> {
        self.changes.first().map(|change| &change.scope)
    }

    /// The only way to make [`Outcomes`]: every change is answered exactly once.
    ///
    /// ```
    /// use unisson_connector::{Batch, Outcome};
    /// let outcomes = Batch::new(vec![]).settle(|_| Outcome::Applied);
    /// assert_eq!(outcomes.iter().count(), 0);
    /// ```
    pub fn settle(self, mut answer: impl FnMut(&Change) -> Outcome) -> Outcomes {
        Outcomes(
            self.changes
                .into_iter()
                .map(|change| {
                    let outcome = answer(&change);
                    (change.id, outcome)
                })
                .collect(),
        )
    }
}

/// One outcome for every change of a batch.
#[derive(Debug)]
pub struct Outcomes(Vec<(ChangeId, Outcome)>);

impl Outcomes {
    /// Each change with what became of it.
    pub fn iter(&self) -> impl Iterator<Item = (&ChangeId, &Outcome)> {
        self.0.iter().map(|(id, outcome)| (id, outcome))
    }
}

impl IntoIterator for Outcomes {
    type Item = (ChangeId, Outcome);
    type IntoIter = std::vec::IntoIter<(ChangeId, Outcome)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// What became of a request to erase one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Erasing {
    /// The platform says it is gone; a read-back must still agree.
    Done,
    /// The platform will do it later.
    Accepted(Ticket),
    /// It was not there.
    AlreadyAbsent,
    /// The platform refuses; a short code of the vendor says why.
    Refused(String),
}

/// What a read-back sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sighting {
    /// Nothing of the person is there.
    Absent,
    /// It is still there.
    Present,
    /// It is kept out of use, which is no erasure.
    Archived,
    /// The platform would not say.
    Unverified,
}
