//! `runs`: the last runs, or one of them in full.

use serde::Serialize;
use unisson_engine::RunReport;
use unisson_store::{RunRecord, RunState, Store};
use unisson_store_sqlite::Access;

use crate::cli::Runs;
use crate::command::{Desk, sync};
use crate::compose::Site;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::{BAD, CARE, GOOD, moment, paint, table};

/// How far back a run can be named.
const RUNS_SEARCHED_MAX: usize = 10_000;

pub(crate) async fn run(args: &Runs, desk: Desk<'_>) -> Outcome {
    let store = Site::load(desk.config)?.open(Access::ReadOnly)?;
    if let Some(name) = &args.run {
        let record = find(store.as_ref(), name).await?;
        sync::show(&report(&record)?, desk.screen)?;
        return Ok(Ending::Done);
    }
    let runs = store.runs(args.limit).await?;
    if desk.screen.json {
        let lines: Vec<Line> = runs.iter().map(Line::of).collect();
        desk.screen.object(&lines)?;
        return Ok(Ending::Done);
    }
    let mut rows = table(&["run", "began", "took", "state"]);
    for run in &runs {
        let took = run
            .ended_at
            .map_or_else(String::new, |end| format!("{:.1} s", end.duration_since(run.started_at).as_secs_f64()));
        let style = match run.state {
            RunState::Done => GOOD,
            RunState::Failed | RunState::Interrupted => BAD,
            RunState::Running | RunState::Partial | RunState::Held => CARE,
        };
        rows.add_row([run.id.0.clone(), moment(run.started_at), took, paint(style, run.state.as_str())]);
    }
    desk.screen.data(rows)?;
    Ok(Ending::Done)
}

/// The run that somebody named by its id or the beginning of it.
pub(crate) async fn find(store: &dyn Store, name: &str) -> Result<RunRecord, Failure> {
    let mut found = store.runs(RUNS_SEARCHED_MAX).await?.into_iter().filter(|run| run.id.0.starts_with(name));
    match (found.next(), found.next()) {
        (Some(run), None) => Ok(run),
        (None, _) => Err(Failure::new(format!("there is no run `{name}`")).next("list them with `unisson runs`")),
        (Some(_), Some(_)) => {
            Err(Failure::new(format!("several runs begin with `{name}`")).next("type more of its id"))
        }
    }
}

fn report(record: &RunRecord) -> Result<RunReport, Failure> {
    serde_json::from_str(&record.report)
        .map_err(|error| Failure::of(&error).next("the run was written by another version"))
}

/// A run in a list, for programs.
#[derive(Serialize)]
struct Line<'a> {
    run: &'a str,
    started_at: jiff::Timestamp,
    ended_at: Option<jiff::Timestamp>,
    state: &'static str,
}

impl<'a> Line<'a> {
    fn of(run: &'a RunRecord) -> Self {
        Self { run: &run.id.0, started_at: run.started_at, ended_at: run.ended_at, state: run.state.as_str() }
    }
}
