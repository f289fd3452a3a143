//! A vendor's allowances: how many calls at once, in a period, in a day.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How often calls of one kind are allowed.
#[derive(Debug)]
pub(crate) struct Window {
    /// The vendor's name for it.
    pub(crate) policy: &'static str,
    /// Which calls count, by their template.
    pub(crate) covers: fn(&str) -> bool,
    pub(crate) calls: usize,
    pub(crate) per: Duration,
}

/// All allowances of one account. It counts in host time: a standing sandbox clock does not stop it.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    concurrent: Option<usize>,
    in_flight: Arc<AtomicUsize>,
    peak: AtomicUsize,
    windows: Vec<(Window, Mutex<VecDeque<Instant>>)>,
    daily: Option<u32>,
    used: AtomicUsize,
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
        let windows = windows.into_iter().map(|window| (window, Mutex::default())).collect();
        Self { concurrent, windows, daily, ..Self::default() }
    }

    /// Counts a call as in flight; the permit must live until the answer's last byte is sent.
    pub(crate) fn enter(&self) -> Permit {
        let now = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(now, Ordering::SeqCst);
        Permit(Arc::clone(&self.in_flight))
    }

    /// Admits a call that has entered, or says which allowance is used up.
    pub(crate) fn admit(&self, template: &str) -> Result<Option<Quota>, Denied> {
        if self.concurrent.is_some_and(|most| self.in_flight.load(Ordering::SeqCst) > most) {
            return Err(Denied { policy: "CONCURRENT", quota: None });
        }
        let daily = self.daily.map(|most| (most as usize, self.used.load(Ordering::SeqCst)));
        if daily.is_some_and(|(most, used)| used >= most) {
            return Err(Denied { policy: "DAILY", quota: None });
        }
        let Some((window, log)) = self.windows.iter().find(|(window, _)| (window.covers)(template)) else {
            return Ok(None);
        };
        let used = take(window, log);
        let left = daily.map(|(most, used)| (most, most.saturating_sub(used + 1)));
        let quota = |remaining| Quota { max: window.calls, remaining, per: window.per, daily: left };
        match used {
            Some(used) => {
                self.used.fetch_add(1, Ordering::SeqCst);
                Ok(Some(quota(window.calls - used)))
            }
            None => Err(Denied { policy: window.policy, quota: Some(quota(0)) }),
        }
    }

    /// The most calls that were in flight at once.
    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Ordering::SeqCst)
    }

    pub(crate) fn reset(&self) {
        self.peak.store(self.in_flight.load(Ordering::SeqCst), Ordering::SeqCst);
        self.used.store(0, Ordering::SeqCst);
        for (_, log) in &self.windows {
            log.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }
}

/// Takes one call of a rolling window and says how many are taken now; `None` where it is full.
fn take(window: &Window, log: &Mutex<VecDeque<Instant>>) -> Option<usize> {
    let now = Instant::now();
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    while log.front().is_some_and(|at| now.duration_since(*at) >= window.per) {
        log.pop_front();
    }
    (log.len() < window.calls).then(|| {
        log.push_back(now);
        log.len()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Gate {
        let window = Window { policy: "P", covers: |path| path != "/free", calls: 3, per: Duration::from_secs(10) };
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
}
