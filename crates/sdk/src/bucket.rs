//! One rate of an account, kept by `governor`, with what it lacks: taking back a call that another bucket refused.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;
use unisson_connector::{Error, ErrorKind, Limiter};

/// Which part of an allowance may be used at once; the rest comes back evenly over the period. Both together never
/// exceed the allowance in any period, wherever the platform starts to count.
const BURST_PART: u32 = 10;

/// A rate with its present level.
pub(crate) struct Bucket {
    /// What was declared.
    pub(crate) limiter: Limiter,
    /// Until when the platform wants no call of this kind.
    pub(crate) held_until: Option<Instant>,
    per: Duration,
    level: Level,
    ticker: Ticker,
    rate: RateLimiter<NotKeyed, Level, Ticker, NoOpMiddleware<Duration>>,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket")
            .field("limiter", &self.limiter)
            .field("held_until", &self.held_until)
            .finish_non_exhaustive()
    }
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(limiter: Limiter, calls: NonZeroU32, per: Duration) -> Result<Self, Error> {
        let burst = NonZeroU32::new(calls.get() / BURST_PART).unwrap_or(NonZeroU32::MIN);
        let returning = (calls.get() - burst.get()).max(1);
        let quota = Quota::with_period(per / returning).ok_or_else(|| {
            let error = Error::new(ErrorKind::Config, "keep to an allowance whose period is too short to measure");
            error.with("allowance", limiter.name)
        })?;
        let level = Level::default();
        let ticker = Ticker::new();
        let rate = RateLimiter::new(quota.allow_burst(burst), level.clone(), ticker.clone());
        Ok(Self { limiter, held_until: None, per, level, ticker, rate })
    }

    /// Whether it counts calls to this path.
    pub(crate) fn counts(&self, path: &str) -> bool {
        path.contains(self.limiter.path_part)
    }

    /// Takes one call and gives the level before; or says how long until there is room.
    pub(crate) fn take(&self, now: Instant) -> Result<Option<Nanos>, Duration> {
        let held = self.held_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        if !held.is_zero() {
            return Err(held);
        }
        let before = self.level.get();
        match self.rate.check() {
            Ok(()) => Ok(before),
            // never zero, so that "wait" and "room" cannot be confused
            Err(full) => Err(full.wait_time_from(self.ticker.now()).max(Duration::from_nanos(1))),
        }
    }

    /// Undoes the last take.
    pub(crate) fn put_back(&self, before: Option<Nanos>) {
        self.level.set(before);
    }

    /// After how long it is full again, whatever was taken.
    pub(crate) fn memory(&self) -> Duration {
        self.per
    }
}

/// The level of a bucket, readable from outside its limiter.
#[derive(Debug, Clone, Default)]
struct Level(Arc<Mutex<Option<Nanos>>>);

impl Level {
    fn get(&self) -> Option<Nanos> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, level: Option<Nanos>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = level;
    }
}

impl StateStore for Level {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _key: &NotKeyed, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut level = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (answer, next) = decide(*level)?;
        *level = Some(next);
        Ok(answer)
    }
}

/// The runtime's clock, which a test can stop and move.
#[derive(Debug, Clone)]
struct Ticker {
    start: Instant,
}

impl Ticker {
    fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for Ticker {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Instant::now().saturating_duration_since(self.start)
    }
}
