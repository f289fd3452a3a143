//! A vendor's allowances: how many calls at once, in a period, in a day.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::rates::{Meter, Rates};

/// How often calls of one kind are allowed.
#[derive(Debug)]
pub(crate) struct Window {
    /// The vendor's name for it.
    pub(crate) policy: &'static str,
    /// Which calls count, by their template.
    pub(crate) covers: fn(&str) -> bool,
    /// How many; `None` counts them and turns nobody away.
    pub(crate) calls: Option<usize>,
    pub(crate) per: Duration,
}

/// All allowances of one account. It counts in host time: a standing sandbox clock does not stop it.
#[derive(Debug)]
pub(crate) struct Gate {
    concurrent: Option<usize>,
    in_flight: Arc<AtomicUsize>,
    peak: AtomicUsize,
    windows: Vec<Window>,
    /// The calls admitted by each window, the oldest first.
    admitted: Mutex<Vec<VecDeque<Instant>>>,
    daily: Option<u32>,
    used: AtomicUsize,
    meter: Meter,
}

/// The right to be in flight, given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit(Arc<AtomicUsize>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What is left of an allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    pub(crate) max: usize,
    pub(crate) remaining: usize,
    pub(crate) per: Duration,
    /// How long until the oldest call that counts no longer does.
    pub(crate) reset: Duration,
    /// The day's allowance and what is left of it.
    pub(crate) daily: Option<(usize, usize)>,
}

/// Why a call is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Denied {
    pub(crate) policy: &'static str,
    pub(crate) quota: Option<Quota>,
}

impl Gate {
    pub(crate) fn new(concurrent: Option<usize>, windows: Vec<Window>, daily: Option<u32>) -> Self {
        let admitted = Mutex::new(vec![VecDeque::new(); windows.len()]);
        let meter = Meter::new(&windows);
        Self {
            concurrent,
            in_flight: Arc::default(),
            peak: AtomicUsize::default(),
            windows,
            admitted,
            daily,
            used: AtomicUsize::default(),
            meter,
        }
    }

    /// Counts a call as in flight; the permit must live until the answer's last byte is sent.
    pub(crate) fn enter(&self) -> Permit {
        let now = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(now, Ordering::SeqCst);
        Permit(Arc::clone(&self.in_flight))
    }

    /// Notes a call that has come in, whatever becomes of it.
    pub(crate) fn see(&self, template: &str) {
        self.meter.see(&self.windows, template);
    }

    /// Admits a call that has entered, or says which allowance is used up. Where several allowances cover a call it needs
    /// room in all of them, and is counted by all or by none.
    pub(crate) fn admit(&self, template: &str) -> Result<Option<Quota>, Denied> {
        if self.concurrent.is_some_and(|most| self.in_flight.load(Ordering::SeqCst) > most) {
            return Err(Denied { policy: "CONCURRENT", quota: None });
        }
        let daily = self.daily.map(|most| (most as usize, self.used.load(Ordering::SeqCst)));
        if daily.is_some_and(|(most, used)| used >= most) {
            return Err(Denied { policy: "DAILY", quota: None });
        }
        let left = daily.map(|(most, used)| (most, most.saturating_sub(used + 1)));
        let now = Instant::now();
        let mut admitted = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        let covering: Vec<(usize, usize)> = (0..self.windows.len())
            .filter(|at| (self.windows[*at].covers)(template))
            .filter_map(|at| Some((at, self.windows[at].calls?)))
            .collect();
        let quota = |at: usize, max: usize, calls: &VecDeque<Instant>| {
            let per = self.windows[at].per;
            let reset = calls.front().map_or(per, |first| per.saturating_sub(now.duration_since(*first)));
            Quota { max, remaining: max.saturating_sub(calls.len()), per, reset, daily: left }
        };
        for (at, most) in &covering {
            let calls = &mut admitted[*at];
            while calls.front().is_some_and(|first| now.duration_since(*first) >= self.windows[*at].per) {
                calls.pop_front();
            }
            if calls.len() >= *most {
                self.meter.turn_away(*at);
                return Err(Denied { policy: self.windows[*at].policy, quota: Some(quota(*at, *most, calls)) });
            }
        }
        for (at, _) in &covering {
            admitted[*at].push_back(now);
        }
        let Some((at, most)) = covering.first() else { return Ok(None) };
        self.used.fetch_add(1, Ordering::SeqCst);
        Ok(Some(quota(*at, *most, &admitted[*at])))
    }

    /// The most calls that were in flight at once.
    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Ordering::SeqCst)
    }

    /// What the account saw of its callers.
    pub(crate) fn rates(&self) -> Rates {
        Rates {
            peak_per_second: self.meter.peak_per_second(),
            peak_in_flight: self.peak(),
            in_flight_allowed: self.concurrent,
            windows: self.meter.windows(&self.windows),
        }
    }

    pub(crate) fn reset(&self) {
        self.peak.store(self.in_flight.load(Ordering::SeqCst), Ordering::SeqCst);
        self.used.store(0, Ordering::SeqCst);
        self.admitted.lock().unwrap_or_else(PoisonError::into_inner).iter_mut().for_each(VecDeque::clear);
        self.meter.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Gate {
        let covers = |path: &str| path != "/free";
        let window = Window { policy: "P", covers, calls: Some(3), per: Duration::from_secs(10) };
        Gate::new(Some(2), vec![window], Some(5))
    }

    #[tokio::test(start_paused = true)]
    async fn a_rolling_window_refills_as_calls_grow_old() {
        let gate = gate();
        let remaining: Vec<usize> = (0..3).map(|_| gate.admit("/x").unwrap().unwrap().remaining).collect();
        assert_eq!(remaining, [2, 1, 0]);
        assert_eq!(gate.admit("/x").unwrap_err().policy, "P");
        assert_eq!(gate.admit("/free"), Ok(None));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(gate.admit("/x").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_day_ends_before_the_window_refills() {
        let gate = gate();
        for _ in 0..5 {
            tokio::time::advance(Duration::from_secs(11)).await;
            assert!(gate.admit("/x").is_ok());
        }
        tokio::time::advance(Duration::from_secs(11)).await;
        assert_eq!(gate.admit("/x").unwrap_err().policy, "DAILY");
    }

    #[tokio::test]
    async fn a_permit_is_given_back() {
        let gate = gate();
        let held = [gate.enter(), gate.enter(), gate.enter()];
        assert_eq!(gate.admit("/free").unwrap_err().policy, "CONCURRENT");
        drop(held);
        assert!(gate.admit("/free").is_ok());
        assert_eq!(gate.peak(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_needs_room_in_every_window_that_covers_it_and_is_counted_by_all_or_none() {
        let window = |policy, calls, per_s| Window { policy, covers: |_| true, calls, per: Duration::from_secs(per_s) };
        let gate = Gate::new(None, vec![window("SECOND", Some(2), 1), window("HOUR", Some(3), 3_600)], None);
        assert!(gate.admit("/x").is_ok() && gate.admit("/x").is_ok());
        let denied = gate.admit("/x").unwrap_err();
        assert_eq!((denied.policy, denied.quota.unwrap().reset), ("SECOND", Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(gate.admit("/x").unwrap().unwrap().remaining, 1, "what was turned away used up no hour");
        tokio::time::advance(Duration::from_secs(1)).await;
        let denied = gate.admit("/x").unwrap_err();
        assert_eq!((denied.policy, denied.quota.unwrap().reset), ("HOUR", Duration::from_secs(3_598)));
        assert_eq!(gate.rates().windows.iter().map(|window| window.turned_away).collect::<Vec<_>>(), [1, 1]);
    }
}
