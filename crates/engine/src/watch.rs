//! The clock as one run sees it: what is heard later is never dated earlier, and a clock that jumps is told.
//!
//! It sets no clock right and stops no run: refusals travel whatever the clock shows.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use unisson_store::codec::instant;
use unisson_store::{RunRecord, Store, StoreError};

use crate::clock::Clock;

/// Steps that time services take, and that nobody needs to hear of.
const SLACK: SignedDuration = SignedDuration::from_mins(2);

const COMPARE: &str = "compare `date -u` with another clock";

/// The clock of one run.
#[derive(Debug)]
pub(crate) struct Watch {
    started_at: Timestamp,
    /// What the even time was then, where there is one.
    steady: Option<Duration>,
    /// The latest moment that the ledger or this run knows of.
    latest: Mutex<Timestamp>,
}

impl Watch {
    /// Looks at the clock as a run begins. `recorded` is when the last fact of the ledger was written.
    pub(crate) fn start(clock: &dyn Clock, recorded: Timestamp) -> Self {
        let started_at = clock.now();
        Self { started_at, steady: clock.steady(), latest: Mutex::new(recorded.max(started_at)) }
    }

    /// When the run began.
    pub(crate) fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// The date of what is heard now: a clock that was set back must not make a later word the earlier one.
    pub(crate) fn heard_at(&self, now: Timestamp) -> Timestamp {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = now.max(*latest);
        *latest
    }

    /// What is wrong with the clock as the run begins, given the runs before it and how long there may be none.
    pub(crate) fn before(&self, runs: &[RunRecord], rest_max: SignedDuration) -> Vec<String> {
        let recorded = *self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let known = runs.iter().map(last_sign_of).fold(recorded, Timestamp::max);
        let behind = known.duration_since(self.started_at);
        if behind > SLACK {
            return vec![format!(
                "the clock stands {} before what is known to have happened: it was set back, or ran ahead before; what is \
                 heard until then counts as heard at that moment; {COMPARE}",
                span(behind)
            )];
        }
        let rest = runs.iter().map(last_sign_of).max().map(|last| self.started_at.duration_since(last));
        let long = rest.filter(|rest| *rest > rest_max);
        long.into_iter()
            .map(|rest| {
                format!(
                    "the last run lies {} back: either no refusal travelled meanwhile, or the clock has jumped ahead; {COMPARE}",
                    span(rest)
                )
            })
            .collect()
    }

    /// What the clock did while the run was made, where it did not just go on.
    pub(crate) fn during(&self, clock: &dyn Clock) -> Option<String> {
        let went = clock.now().duration_since(self.started_at);
        let passed = self.steady.zip(clock.steady()).map(|(from, to)| to.saturating_sub(from));
        let passed = passed.and_then(|passed| SignedDuration::try_from(passed).ok());
        // Without an even time, only a step backwards shows.
        let ahead = went - passed.unwrap_or(went.max(SignedDuration::ZERO));
        if ahead > SLACK {
            let what = "jumped ahead while this run was made, or the machine slept";
            return Some(format!("the clock {what}, by {}; {COMPARE}", span(ahead)));
        }
        (ahead < -SLACK)
            .then(|| format!("the clock was set back by {} while this run was made; {COMPARE}", span(ahead.abs())))
    }
}

/// When the last fact of the ledger was written; the beginning of time where there is none.
pub(crate) async fn recorded(store: &dyn Store, now: Timestamp) -> Result<Timestamp, StoreError> {
    let last = store.counts(now).await?.commits;
    let commits = if last == 0 { Vec::new() } else { store.commits(last, 1).await? };
    Ok(commits.last().map_or(Timestamp::MIN, |commit| instant(commit.at)))
}

/// The run, among these, that was made by a clock that was ahead of this moment: the last one of them.
pub(crate) fn ahead(runs: &[RunRecord], now: Timestamp) -> Option<&RunRecord> {
    let ahead = runs.iter().filter(|run| last_sign_of(run).duration_since(now) > SLACK);
    ahead.max_by_key(|run| (last_sign_of(run), &run.id))
}

fn last_sign_of(run: &RunRecord) -> Timestamp {
    run.ended_at.map_or(run.started_at, |end| end.max(run.started_at))
}

/// A time as people say it.
fn span(time: SignedDuration) -> String {
    let seconds = time.as_secs();
    let (number, unit) = match seconds {
        172_800.. => (seconds / 86_400, "days"),
        7_200.. => (seconds / 3_600, "hours"),
        _ => (seconds / 60, "minutes"),
    };
    format!("{number} {unit}")
}
