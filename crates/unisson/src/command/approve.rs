//! `approve`: deliver what the guard held in a run, and no more than was held then.

use unisson_engine::ApprovedRun;
use unisson_plan::RunId;

use crate::cli::Approve;
use crate::command::{Desk, runs, sync};
use crate::compose::Site;
use crate::exit::{Failure, Outcome};
use crate::screen::number;

pub(crate) async fn run(args: &Approve, desk: Desk<'_>) -> Outcome {
    let site = Site::load(desk.config)?;
    let engine = site.engine(desk.screen.progress)?;
    let run = runs::find(engine.store.as_ref(), &args.run).await?;
    let held: u64 = engine
        .store
        .outbox()
        .await?
        .iter()
        .filter(|count| count.run.as_ref() == Some(&run.id) && count.state == "held")
        .map(|count| count.changes)
        .sum();
    if held == 0 {
        return Err(Failure::new(format!("run {} holds nothing", run.id.0))
            .next("see `unisson status` for the runs that hold changes"));
    }
    let report = engine.approve(&RunId(run.id.0)).await?;
    drop(engine);
    sync::show(&report, desk.screen)?;
    Ok(sync::ending(&report))
}

/// How far an approval reached.
pub(crate) fn told(approved: &ApprovedRun) -> String {
    let ApprovedRun { run, held, wanted } = approved;
    let taken_back = match held.saturating_sub(*wanted) {
        0 => "all of them still wanted and let go".to_owned(),
        some => format!("{} still wanted and let go, {} taken back", number(*wanted), number(some)),
    };
    format!(
        "approved: {} changes that run {run} held, {taken_back}; what is new passes the guard by itself",
        number(*held)
    )
}
