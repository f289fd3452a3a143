//! Effort: how many calls a delivery takes, which allowance of the platform they meet, and how long that lasts.

use std::time::Duration;

use unisson_connector::{Allowance, Calls, Limiter};

/// How long one call is taken to last where a platform limits only how many are made at once: it says nothing of time.
pub const CALL_ASSUMED: Duration = Duration::from_millis(500);

/// What a delivery takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Calls to the platform, retries left out.
    pub calls: u64,
    /// The allowance that slows them down most; `None` where the platform states none that counts them.
    pub bound: Option<Bound>,
}

/// An allowance, and how long calls take under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Its name.
    pub limiter: &'static str,
    /// What it allows.
    pub allowance: Allowance,
    /// How long.
    pub time: Duration,
}

/// The effort of some calls under a platform's allowances.
///
/// ```
/// use std::time::Duration;
/// use unisson_connector::{Allowance, Calls, Limiter};
/// use unisson_plan::effort;
/// let allowance = Allowance::Rate { calls: 100.try_into().unwrap(), per: Duration::from_secs(10) };
/// let limits = [Limiter { name: "burst", path_part: "", allowance, docs: "" }];
/// let took = effort(&[Calls { path: "/contacts", count: 8_400 }], &limits);
/// assert_eq!((took.calls, took.bound.unwrap().time), (8_400, Duration::from_secs(840)));
/// ```
pub fn effort(calls: &[Calls], limits: &[Limiter]) -> Effort {
    let sum = |counted: &dyn Fn(&&Calls) -> bool| -> u64 {
        calls.iter().filter(counted).fold(0, |sum, calls| sum.saturating_add(calls.count))
    };
    let bounds = limits.iter().filter_map(|limiter| {
        let counted = sum(&|calls| calls.path.contains(limiter.path_part));
        let time = time(counted, limiter.allowance);
        (counted > 0).then_some(Bound { limiter: limiter.name, allowance: limiter.allowance, time })
    });
    Effort { calls: sum(&|_| true), bound: bounds.max_by_key(|bound| bound.time) }
}

fn time(calls: u64, allowance: Allowance) -> Duration {
    let (calls_at_once, per) = match allowance {
        Allowance::Rate { calls, per } => (u64::from(calls.get()), per),
        Allowance::Concurrent(calls) => (calls.get() as u64, CALL_ASSUMED),
    };
    let nanos = per.as_nanos().saturating_mul(u128::from(calls)) / u128::from(calls_at_once);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU32, NonZeroUsize};

    use super::*;

    fn limiter(name: &'static str, path_part: &'static str, allowance: Allowance) -> Limiter {
        Limiter { name, path_part, allowance, docs: "" }
    }

    fn rate(calls: u32, secs: u64) -> Allowance {
        Allowance::Rate { calls: NonZeroU32::new(calls).unwrap(), per: Duration::from_secs(secs) }
    }

    #[test]
    fn the_slowest_allowance_that_counts_the_calls_decides() {
        let limits = [limiter("all", "", rate(100, 10)), limiter("search", "/search", rate(1, 10))];
        let took = |path| effort(&[Calls { path, count: 100 }], &limits).bound.unwrap();
        assert_eq!((took("/contacts").limiter, took("/contacts").time), ("all", Duration::from_secs(10)));
        assert_eq!((took("/contacts/search").limiter, took("/contacts/search").time.as_secs()), ("search", 1_000));
    }

    #[test]
    fn calls_of_several_kinds_are_added_up_where_one_allowance_counts_them() {
        let calls = [Calls { path: "/a", count: 30 }, Calls { path: "/b", count: 12 }];
        let took = effort(&calls, &[limiter("all", "", rate(1, 1))]);
        assert_eq!((took.calls, took.bound.unwrap().time.as_secs()), (42, 42));
    }

    #[test]
    fn calls_at_once_take_the_time_that_is_assumed_for_each() {
        let at_once = Allowance::Concurrent(NonZeroUsize::new(10).unwrap());
        let took = effort(&[Calls { path: "", count: 1_000 }], &[limiter("connections", "", at_once)]);
        assert_eq!(took.bound.unwrap().time, Duration::from_secs(50));
    }

    #[test]
    fn no_calls_take_no_time_and_no_figure_is_too_large() {
        assert_eq!(effort(&[], &[limiter("all", "", rate(1, 1))]), Effort { calls: 0, bound: None });
        let most = [Calls { path: "", count: u64::MAX }; 2];
        assert_eq!(effort(&most, &[limiter("all", "", rate(1, 3_600))]).calls, u64::MAX);
        assert_eq!(effort(&most[..1], &[]).bound, None);
    }
}
