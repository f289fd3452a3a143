//! The time that all twins live in. It starts at the epoch of the options, not at the time of the host, so that what a
//! sandbox answers can be repeated.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// How sandbox time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// As the host's does, from the epoch on.
    #[default]
    Running,
    /// Only by [`Clock::advance`] and [`Clock::set`]: two runs that make the same calls get the same answers.
    Standing,
}

/// The sandbox's time.
#[derive(Debug)]
pub struct Clock {
    epoch_ms: i64,
    started: Option<Instant>,
    ahead_ms: AtomicI64,
}

impl Clock {
    pub(crate) fn new(epoch: Timestamp, pace: Pace) -> Self {
        let started = (pace == Pace::Running).then(Instant::now);
        Self { epoch_ms: epoch.as_millisecond(), started, ahead_ms: AtomicI64::new(0) }
    }

    /// What time it is in the sandbox.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms()).unwrap_or(Timestamp::MAX)
    }

    /// Lets this much time pass at once, whatever the pace.
    pub fn advance(&self, by: Duration) {
        let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        // Saturating by hand: a caller may ask for an absurd jump, and the clock must not wrap.
        let ahead = self.ahead_ms.load(Ordering::SeqCst).saturating_add(by_ms);
        self.ahead_ms.store(ahead, Ordering::SeqCst);
    }

    /// Makes it this time at once, earlier or later than it was; a running clock runs on from there.
    pub fn set(&self, to: Timestamp) {
        self.ahead_ms.store(to.as_millisecond().saturating_sub(self.passed_ms()), Ordering::SeqCst);
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.passed_ms().saturating_add(self.ahead_ms.load(Ordering::SeqCst))
    }

    /// What time it would be had nobody touched the clock.
    fn passed_ms(&self) -> i64 {
        let run = self.started.map_or(0, |started| i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX));
        self.epoch_ms.saturating_add(run)
    }
}

/// One twin's view of the clock. It is held at an earlier moment while a write that was sent then takes effect late, so
/// that what it leaves behind is stamped as the vendor would stamp it.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    clock: Arc<Clock>,
    held_ms: Option<i64>,
}

impl Watch {
    pub(crate) fn new(clock: Arc<Clock>) -> Self {
        Self { clock, held_ms: None }
    }

    /// Shows this moment from now on; `None` shows the clock's own again.
    pub(crate) fn hold(&mut self, at_ms: Option<i64>) {
        self.held_ms = at_ms;
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.held_ms.unwrap_or_else(|| self.clock.now_ms())
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.now_ms().div_euclid(1_000)
    }
}

/// The moment in the form of an HTTP header (RFC 9110, section 5.6.7).
pub(crate) fn http_date(at_ms: i64) -> String {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_clock_moves_only_when_told() {
        let clock = Clock::new("2026-11-01T00:00:00Z".parse().unwrap(), Pace::Standing);
        let before = clock.now();
        assert_eq!(clock.now(), before);
        clock.advance(Duration::from_secs(90));
        assert_eq!(clock.now().as_second() - before.as_second(), 90);
    }

    #[test]
    fn an_absurd_jump_does_not_wrap() {
        let clock = Clock::new("2026-11-01T00:00:00Z".parse().unwrap(), Pace::Standing);
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
    }

    #[test]
    fn a_clock_can_be_set_forwards_and_backwards() {
        for pace in [Pace::Standing, Pace::Running] {
            let clock = Clock::new("2026-11-01T00:00:00Z".parse().unwrap(), pace);
            for moment in ["2220-01-01T00:00:00Z", "1999-12-31T23:59:59Z"] {
                let moment: Timestamp = moment.parse().unwrap();
                clock.set(moment);
                assert!((0..60).contains(&(clock.now().as_second() - moment.as_second())), "{pace:?} {moment}");
            }
        }
    }

    #[test]
    fn a_held_watch_shows_its_moment_until_it_is_let_go() {
        let clock = Arc::new(Clock::new("2026-11-01T00:00:00Z".parse().unwrap(), Pace::Standing));
        let mut watch = Watch::new(Arc::clone(&clock));
        watch.hold(Some(5_000));
        assert_eq!((watch.now_ms(), watch.now_s()), (5_000, 5));
        watch.hold(None);
        assert_eq!(watch.now_ms(), clock.now_ms());
    }

    #[test]
    fn header_dates_are_in_the_form_of_the_standard() {
        assert_eq!(http_date(784_111_777_000), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
