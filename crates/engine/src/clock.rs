//! Time comes from here and nowhere else, so that a run can be replayed.

use std::fmt::Debug;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// When this process first asked for the time that passes evenly.
static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Tells the present.
pub trait Clock: Send + Sync + Debug {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// How much time has passed since some moment, by a clock that nobody sets. Without one, a clock that jumps ahead in
    /// the middle of a run is not noticed.
    fn steady(&self) -> Option<Duration> {
        None
    }
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn steady(&self) -> Option<Duration> {
        Some(BEGINNING.elapsed())
    }
}
