//! What an account saw of its callers, all of them together: the proof that two jobs share an allowance.
//!
//! It counts in host time, as the allowances do, and every call that came in, whether or not it was turned away.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::gate::Window;

/// How many calls of one period are kept; where more came in, the peak says at least so many.
const CALLS_MAX: usize = 200_000;

/// What an account saw of its callers since the start or the last reset, whatever credentials they used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rates {
    /// The most calls that came in within any one second.
    pub peak_per_second: usize,
    /// The most calls that were in flight at once.
    pub peak_in_flight: usize,
    /// How many the account allows in flight at once; `None` for no limit.
    pub in_flight_allowed: Option<usize>,
    /// The same for each allowance of calls in a period.
    pub windows: Vec<WindowRate>,
}

/// What came in of one kind of call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WindowRate {
    /// The vendor's name for the allowance.
    pub policy: &'static str,
    /// The length of its period, in milliseconds.
    pub per_ms: u64,
    /// How many calls it allows in a period; `None` where the limit is lifted.
    pub allowed: Option<usize>,
    /// The most calls that came in within any such period.
    pub peak: usize,
    /// How many calls were turned away because it was used up.
    pub turned_away: u64,
}

/// Counts the calls that come in.
#[derive(Debug)]
pub(crate) struct Meter {
    counts: Mutex<Counts>,
}

#[derive(Debug)]
struct Counts {
    second: Count,
    /// One for each window of the gate, in its order.
    windows: Vec<Count>,
}

#[derive(Debug)]
struct Count {
    per: Duration,
    recent: VecDeque<Instant>,
    peak: usize,
    turned_away: u64,
}

impl Meter {
    pub(crate) fn new(windows: &[Window]) -> Self {
        let windows = windows.iter().map(|window| Count::new(window.per)).collect();
        Self { counts: Mutex::new(Counts { second: Count::new(Duration::from_secs(1)), windows }) }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call that has come in.
    pub(crate) fn see(&self, windows: &[Window], template: &str) {
        let now = Instant::now();
        let mut counts = self.counts();
        counts.second.add(now);
        for (count, window) in counts.windows.iter_mut().zip(windows) {
            if (window.covers)(template) {
                count.add(now);
            }
        }
    }

    /// Notes that the window at this position turned a call away.
    pub(crate) fn turn_away(&self, window: usize) {
        if let Some(count) = self.counts().windows.get_mut(window) {
            count.turned_away += 1;
        }
    }

    pub(crate) fn peak_per_second(&self) -> usize {
        self.counts().second.peak
    }

    pub(crate) fn windows(&self, windows: &[Window]) -> Vec<WindowRate> {
        let counts = self.counts();
        let rate = |(window, count): (&Window, &Count)| WindowRate {
            policy: window.policy,
            per_ms: u64::try_from(window.per.as_millis()).unwrap_or(u64::MAX),
            allowed: window.calls,
            peak: count.peak,
            turned_away: count.turned_away,
        };
        windows.iter().zip(&counts.windows).map(rate).collect()
    }

    pub(crate) fn reset(&self) {
        let mut counts = self.counts();
        let Counts { second, windows } = &mut *counts;
        for count in windows.iter_mut().chain([second]) {
            *count = Count::new(count.per);
        }
    }
}

impl Count {
    fn new(per: Duration) -> Self {
        Self { per, recent: VecDeque::new(), peak: 0, turned_away: 0 }
    }

    fn add(&mut self, now: Instant) {
        while self.recent.front().is_some_and(|at| now.duration_since(*at) >= self.per) {
            self.recent.pop_front();
        }
        if self.recent.len() == CALLS_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        self.peak = self.peak.max(self.recent.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows() -> [Window; 1] {
        [Window { policy: "P", covers: |path| path != "/free", calls: Some(3), per: Duration::from_secs(10) }]
    }

    #[tokio::test(start_paused = true)]
    async fn the_peak_is_the_fullest_period_wherever_it_begins() {
        let (windows, meter) = (windows(), Meter::new(&windows()));
        for wait_ms in [0, 900, 50, 40, 700] {
            tokio::time::advance(Duration::from_millis(wait_ms)).await;
            meter.see(&windows, "/x");
        }
        meter.see(&windows, "/free");
        assert_eq!(meter.peak_per_second(), 5, "0.9 to 1.69 holds five calls, 0 to 1 only four");
        assert_eq!(meter.windows(&windows)[0].peak, 5, "what is free is not counted");
        meter.reset();
        assert_eq!((meter.peak_per_second(), meter.windows(&windows)[0].peak), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_that_is_over_does_not_count() {
        let (windows, meter) = (windows(), Meter::new(&windows()));
        for _ in 0..20 {
            meter.see(&windows, "/x");
            tokio::time::advance(Duration::from_millis(500)).await;
        }
        assert_eq!(meter.peak_per_second(), 2);
    }
}
