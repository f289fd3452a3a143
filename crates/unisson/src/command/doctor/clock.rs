//! The clock of this machine, against everything that is known to have happened before.
//!
//! By the host's own clock nothing happens after it was observed: a clock that runs ahead or is set back makes refusals
//! look older than what they refuse.

use jiff::{SignedDuration, Timestamp};
use unisson_store::codec::instant;
use unisson_store::{RunRecord, Store, StoreError};
use unisson_store_sqlite::SqliteStore;

use super::{Chart, Finding, last_sign_of};
use crate::screen::moment;

const AREA: &str = "clock";

/// Steps that time synchronisation takes every day.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

const MATTERS: &str = "the order of a consent and its withdrawal is judged by this clock where a source gives no time, and leases end by it";

/// What is known to lie in the past.
#[derive(Debug, Clone, Copy)]
struct Past<'a> {
    built: Timestamp,
    last_commit: Option<(u64, Timestamp)>,
    last_run: Option<&'a RunRecord>,
    /// How long a run may lie back before nobody can have wanted that.
    rest_max: SignedDuration,
}

pub(super) async fn look(
    store: &SqliteStore,
    (last_run, rest_max): (Option<&RunRecord>, SignedDuration),
    chart: &mut Chart,
) -> Result<(), StoreError> {
    let commits = store.counts(Timestamp::UNIX_EPOCH).await?.commits;
    let last = store.commits(commits.max(1), 1).await?.pop();
    let past =
        Past { built: built(), last_commit: last.map(|commit| (commit.seq, instant(commit.at))), last_run, rest_max };
    // Read last: a sync that runs beside this one has committed by the same clock.
    let now = Timestamp::now();
    chart.add(judge(now, &past));
    let run = last_run.map_or("no run yet".to_owned(), |run| format!("last run {}", moment(run.started_at)));
    chart.examined(AREA, format!("{} UTC; {run}", moment(now)));
    Ok(())
}

/// When the program was built.
fn built() -> Timestamp {
    let seconds = env!("UNISSON_BUILT").parse().unwrap_or_default();
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn judge(now: Timestamp, past: &Past<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(behind(now, past.built, "this program was built"));
    if let Some((seq, at)) = past.last_commit {
        found.extend(behind(now, at, &format!("commit {seq}, the last one of the ledger, was written")));
    }
    let Some(run) = past.last_run else { return found };
    found.extend(behind(now, last_sign_of(run), &format!("run {} was made", run.id.0)));
    if let Some(back) = run.ended_at.and_then(|end| later(run.started_at, end)) {
        let what = format!("the clock was set back by {} or more while run {} was made", span(back), run.id.0);
        let next = "let a time service keep the clock without steps, then run `unisson sync --full`";
        found.push(Finding::problem(AREA, what).because(MATTERS).next(next));
    }
    let rest = now.duration_since(last_sign_of(run));
    if rest > past.rest_max {
        let what = format!("the last run lies {} back, longer than sync.sweep_every allows", span(rest));
        let why = "either nothing runs here any more, so that refusals no longer travel, or the clock has jumped ahead";
        let next = "compare `date -u` with another clock; if it is right, see to it that `unisson sync` is run again";
        found.push(Finding::care(AREA, what).because(why).next(next));
    }
    found
}

fn behind(now: Timestamp, event: Timestamp, what: &str) -> Option<Finding> {
    let by = later(event, now)?;
    let words = format!("the clock stands {} before the moment at which {what} ({})", span(by), moment(event));
    let next = "compare `date -u` with another clock and set it by a time service; if it is right now, it was ahead then: \
                run no sync before that moment has passed";
    Some(Finding::problem(AREA, words).because(MATTERS).next(next))
}

/// By how much an event lies after a moment, where that is more than everyday steps.
fn later(event: Timestamp, moment: Timestamp) -> Option<SignedDuration> {
    let by = event.duration_since(moment);
    (by > SLACK).then_some(by)
}

/// A time as people say it.
fn span(time: SignedDuration) -> String {
    let seconds = time.as_secs();
    let (number, unit) = match seconds {
        172_800.. => (seconds / 86_400, "days"),
        7_200.. => (seconds / 3_600, "hours"),
        120.. => (seconds / 60, "minutes"),
        _ => (seconds, "seconds"),
    };
    format!("{number} {unit}")
}

#[cfg(test)]
mod tests {
    use unisson_plan::RunId;
    use unisson_store::RunState;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + seconds).unwrap()
    }

    fn ran(started: i64, ended: Option<i64>) -> RunRecord {
        RunRecord {
            id: RunId("r1".to_owned()),
            started_at: at(started),
            ended_at: ended.map(at),
            state: RunState::Done,
            report: "{}".to_owned(),
        }
    }

    fn told(past: &Past<'_>) -> Vec<String> {
        judge(at(0), past).into_iter().map(|finding| finding.what).collect()
    }

    fn past(last_run: Option<&RunRecord>) -> Past<'_> {
        Past { built: at(-9), last_commit: Some((3, at(-5))), last_run, rest_max: SignedDuration::from_hours(24) }
    }

    #[test]
    fn a_clock_in_order_is_not_complained_of_nor_an_everyday_step() {
        assert_eq!(told(&past(None)), Vec::<String>::new());
        let run = ran(-60, Some(-50));
        assert_eq!(told(&past(Some(&run))), Vec::<String>::new());
        let step = ran(1, Some(0));
        assert_eq!(told(&Past { last_commit: Some((3, at(2))), ..past(Some(&step)) }), Vec::<String>::new());
    }

    #[test]
    fn a_clock_before_something_that_happened_is_told_with_what_and_by_how_much() {
        let run = ran(7_300, None);
        let cases = [
            (Past { built: at(300), ..past(None) }, "5 minutes before the moment at which this program was built"),
            (Past { last_commit: Some((3, at(10))), ..past(None) }, "10 seconds before the moment at which commit 3"),
            (past(Some(&run)), "2 hours before the moment at which run r1"),
        ];
        for (past, words) in cases {
            let said = told(&past);
            assert!(said.len() == 1 && said[0].contains(words), "{said:?}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_during_the_last_run_is_told() {
        let run = ran(-50, Some(-400));
        let said = told(&past(Some(&run)));
        assert!(said.len() == 1 && said[0].contains("set back by 5 minutes"), "{said:?}");
    }

    #[test]
    fn a_last_run_that_lies_far_back_is_told_because_the_clock_may_have_jumped() {
        let run = ran(-86_401 - 300, Some(-86_401));
        let said = told(&past(Some(&run)));
        assert!(said.len() == 1 && said[0].contains("lies 24 hours back"), "{said:?}");
    }

    #[test]
    fn the_program_knows_when_it_was_built() {
        assert!(built() > Timestamp::UNIX_EPOCH && built() <= Timestamp::now());
    }
}
