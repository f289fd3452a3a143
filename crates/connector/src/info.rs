//! What a connector declares about itself, as data: abilities, limits, documentation.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use unisson_consent::Channels;

use crate::change::Action;

/// What every connector says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// The name used in configuration.
    pub kind: &'static str,
    /// The platform's own name.
    pub title: &'static str,
    /// The channels it can speak for.
    pub channels: Channels,
    /// The allowances it keeps to.
    pub limits: Vec<Limiter>,
    /// Where the platform documents its interface.
    pub docs: &'static str,
}

/// One allowance of a platform. All that match a call are taken together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limiter {
    /// Its name in reports.
    pub name: &'static str,
    /// The calls it counts: those whose path contains this text; empty means all.
    pub path_part: &'static str,
    /// What it allows.
    pub allowance: Allowance,
    /// Where the vendor states it.
    pub docs: &'static str,
}

/// What a platform allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// So many calls in any period of this length.
    Rate {
        /// How many calls.
        calls: NonZeroU32,
        /// In which time.
        per: Duration,
    },
    /// So many calls at the same time.
    Concurrent(NonZeroUsize),
}

/// Calls that a connector would make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calls {
    /// Their path, as far as it tells which [`Limiter`]s count them; empty where only those do that count every call.
    pub path: &'static str,
    /// How many.
    pub count: u64,
}

/// How a connector's pull behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PullSpec {
    /// Whether a pass can start from the last one's end.
    pub incremental: bool,
    /// Whether such a pass shows every opt-out. Many platforms move no date when somebody opts out: then only a sweep
    /// does, and the host sweeps often.
    pub incremental_shows_opt_outs: bool,
    /// What a complete sweep says about records it did not show.
    pub deletions: Deletions,
}

/// What a complete sweep says about records it did not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletions {
    /// Nothing: the stream never shows everything.
    Unknown,
    /// They are gone from the platform.
    InferBySweep,
}

/// How a connector's push behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushSpec {
    /// What it can do.
    pub actions: Vec<Action>,
    /// How many changes it takes at once.
    pub batch_max: NonZeroUsize,
    /// Whether doing the same again is harmless.
    pub idempotent: bool,
    /// How long a read may still show the old state.
    pub read_after_write_lag: Duration,
}

/// What erasing means on a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EraseSpec {
    /// Whether the platform works on it after answering.
    pub asynchronous: bool,
    /// How long a read may still show what was erased, as the vendor documents: the second read-back comes after it.
    pub settles_in: Duration,
    /// For how long the vendor may keep it in backups and logs that nobody can read through the interface.
    pub residual_max: Duration,
    /// Whether the platform itself blocks a later re-import.
    pub keeps_tombstone: bool,
}
