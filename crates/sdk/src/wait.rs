//! How long to wait before the next attempt: as long as the platform says, or a growing time with chance in it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// The shortest wait that a platform's word is taken for: `0`, or a date that has passed, still means "later".
pub const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);
/// The longest wait that a platform's word is taken for; the longest documented allowances renew daily.
pub const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);
/// The longest wait within a call. A longer one goes to the host, which can do something else meanwhile.
pub const WAIT_MAX: Duration = Duration::from_mins(1);
/// The shortest wait of our own choosing, so that no chance makes a hot loop.
const BACKOFF_MIN: Duration = Duration::from_millis(20);

/// How waits grow where the platform does not say: the n-th is anything up to `base` times two to the n, at most `max`
/// ("full jitter": callers that failed together do not come back together).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The upper end of the first wait.
    pub base: Duration,
    /// The upper end of any wait.
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_millis(500), max: Duration::from_secs(20) }
    }
}

/// A backoff with its source of chance. Written here because the one in `backon` adds its jitter on top of the wait,
/// which keeps callers in step.
#[derive(Debug)]
pub(crate) struct Chance {
    backoff: Backoff,
    random: Mutex<StdRng>,
}

impl Chance {
    pub(crate) fn new(backoff: Backoff, seed: Option<u64>) -> Self {
        let random = seed.map_or_else(rand::make_rng, StdRng::seed_from_u64);
        Self { backoff, random: Mutex::new(random) }
    }

    /// The wait after this many failed attempts, at least as long as the platform asked for.
    pub(crate) fn wait(&self, failed: u32, asked: Option<Duration>) -> Duration {
        let doublings = failed.saturating_sub(1).min(20);
        let upper = self.backoff.base.saturating_mul(1 << doublings).min(self.backoff.max).max(BACKOFF_MIN);
        match asked {
            None => self.between(BACKOFF_MIN, upper),
            Some(asked) => asked + self.between(Duration::ZERO, self.backoff.base),
        }
    }

    fn between(&self, lower: Duration, upper: Duration) -> Duration {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).random_range(lower..=upper.max(lower))
    }
}

/// What `Retry-After` asks for, in sane bounds: seconds, or a date seen from the answer's own `Date`. A date without a
/// `Date` says nothing, because no clock but the platform's is to be trusted with it; nor does a text that is neither.
pub(crate) fn asked_for(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let asked = match text.parse::<f64>() {
        Ok(seconds) if seconds.is_nan() => return None,
        Ok(seconds) => Duration::from_secs_f64(seconds.clamp(0.0, RETRY_AFTER_MAX.as_secs_f64())),
        Err(_) => until(httpdate::parse_http_date(text).ok()?, headers)?,
    };
    Some(asked.clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX))
}

fn until(then: SystemTime, headers: &HeaderMap) -> Option<Duration> {
    let now = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?.trim()).ok()?;
    Some(then.duration_since(now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn asked(retry_after: &str, date: Option<&str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(retry_after).unwrap());
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_str(date).unwrap());
        }
        asked_for(&headers)
    }

    const NOON: Option<&str> = Some("Fri, 31 Dec 1999 12:00:00 GMT");

    #[test]
    fn r01_seconds_are_taken_as_they_are() {
        assert_eq!(asked("6", None), Some(Duration::from_secs(6)));
        assert_eq!(asked(" 6.5 ", None), Some(Duration::from_millis(6_500)));
        assert_eq!(asked_for(&HeaderMap::new()), None);
    }

    #[test]
    fn r03_a_date_is_seen_from_the_answers_own_date() {
        assert_eq!(asked("Fri, 31 Dec 1999 12:00:07 GMT", NOON), Some(Duration::from_secs(7)));
        assert_eq!(asked("Friday, 31-Dec-99 12:00:07 GMT", NOON), Some(Duration::from_secs(7)));
        assert_eq!(asked("Fri, 31 Dec 1999 12:00:07 GMT", None), None);
        assert_eq!(asked("Fri, 31 Dec 1999 12:00:07 GMT", Some("today")), None);
    }

    #[test]
    fn r05_junk_has_a_floor_and_a_cap() {
        for text in ["0", "-5", "-inf", "Fri, 31 Dec 1999 11:00:00 GMT"] {
            assert_eq!(asked(text, NOON), Some(RETRY_AFTER_MIN), "{text}");
        }
        for text in ["1e9", "1000000000", "inf", "1e400", "Fri, 31 Dec 2060 12:00:00 GMT"] {
            assert_eq!(asked(text, NOON), Some(RETRY_AFTER_MAX), "{text}");
        }
        for text in ["soon", "", "NaN", "6 seconds"] {
            assert_eq!(asked(text, NOON), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_asks_for_more_or_less_than_the_bounds(text in "[ -~]{0,40}", dated in any::<bool>()) {
            if let Some(wait) = asked(&text, NOON.filter(|_| dated)) {
                prop_assert!((RETRY_AFTER_MIN..=RETRY_AFTER_MAX).contains(&wait));
            }
        }

        #[test]
        fn r04_a_wait_of_our_own_is_within_its_doubling_bounds(failed in 1..200_u32, seed in any::<u64>()) {
            let backoff = Backoff::default();
            let wait = Chance::new(backoff, Some(seed)).wait(failed, None);
            prop_assert!(wait >= BACKOFF_MIN && wait <= backoff.max);
            prop_assert!(failed > 1 || wait <= backoff.base);
        }

        #[test]
        fn a_platforms_word_is_never_undercut(failed in 1..200_u32, seed in any::<u64>(), asked in 1..86_400_u64) {
            let asked = Duration::from_secs(asked);
            prop_assert!(Chance::new(Backoff::default(), Some(seed)).wait(failed, Some(asked)) >= asked);
        }
    }
}
