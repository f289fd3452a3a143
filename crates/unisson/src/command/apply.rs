//! `apply`: deliver exactly the changes of a plan file, or nothing where what it rests on has moved.

use std::fs::File;
use std::path::Path;

use serde::Serialize;
use unisson_engine::{AppliedPlan, ApplyError, Approval, Engine, Moved, PlanFileError, RunReport};
use unisson_plan::PlanId;

use crate::cli::Apply;
use crate::command::{Desk, sync};
use crate::compose::Site;
use crate::exit::{Failure, Outcome};
use crate::screen::{Screen, number};
use crate::setup;

/// How far back the run of a plan is looked for.
const RUNS_SEARCHED_MAX: usize = 10_000;

/// A plan that moved, for programs.
#[derive(Serialize)]
struct Refused<'a> {
    state: &'static str,
    moved: Vec<MovedLine<'a>>,
}

#[derive(Serialize)]
struct MovedLine<'a> {
    instance: &'a str,
    action: &'a str,
    reason: &'a str,
    what: &'static str,
    changes: u64,
}

pub(crate) async fn run(args: &Apply, desk: Desk<'_>) -> Outcome {
    let site = Site::load(desk.config)?;
    let file = File::open(&args.file).map_err(|error| {
        Failure::new(format!("{}: {error}", args.file.display())).next("name a file that `unisson plan --out` wrote")
    })?;
    let engine = site.engine(desk.screen.progress)?;
    let approval = if args.approved { Approval::Given } else { Approval::Asked };
    let report = match engine.apply(file, approval).await {
        Ok(report) => report,
        Err(error) => return Err(refused(error, &engine, (&args.file, desk.screen)).await?),
    };
    drop(engine);
    sync::show(&report, desk.screen)?;
    advise(&report, &args.file, desk.screen);
    Ok(sync::ending(&report))
}

/// What a plan has, and what of it was settled when it was applied before.
pub(crate) fn told(applied: &AppliedPlan) -> String {
    let AppliedPlan { plan, changes, before, .. } = applied;
    let told = match *before {
        _ if *changes == 0 => "it has no changes, so nothing is sent".to_owned(),
        0 => format!("{} changes", number(*changes)),
        before if before == *changes => {
            format!("all of its {} changes were settled before, so nothing is sent again", number(before))
        }
        before => {
            format!(
                "{} changes, of which {} were settled before and are not sent again",
                number(*changes),
                number(before)
            )
        }
    };
    format!("plan {plan}: {told}")
}

fn advise(report: &RunReport, file: &Path, screen: Screen) {
    let others = report.applied.as_ref().map_or(0, |applied| applied.others);
    if others > 0 {
        let words = "changes that are not in the plan wait: make a new plan, or run `unisson sync`";
        screen.say(format!("{} {words}", number(others)));
    }
    if report.total(|part| part.withheld) > 0 {
        screen.say(format!(
            "next: look at the changes with `unisson plan`; if they are right: unisson apply {} --approved",
            file.display()
        ));
    }
}

/// Why the plan is not applied, and what to do.
async fn refused(error: ApplyError, engine: &Engine, (file, screen): (&Path, Screen)) -> Result<Failure, Failure> {
    const ANEW: &str =
        "nothing was sent; make a new plan with `unisson plan --out FILE`, look at it, and apply that one";
    let what = Failure::of(&error).to_string();
    Ok(match error {
        ApplyError::Store(error) => error.into(),
        ApplyError::File(PlanFileError::Version(_)) => {
            Failure::new(what).next("use the version of unisson that wrote it, or make a new plan with this one")
        }
        ApplyError::File(PlanFileError::Foreign) => {
            Failure::new(format!("{}: {what}", file.display())).next("name a file that `unisson plan --out` wrote")
        }
        ApplyError::File(PlanFileError::Read(_)) => {
            Failure::new(format!("{}: {what}", file.display())).next("name a file that can be read to its end")
        }
        ApplyError::File(PlanFileError::Cut(_) | PlanFileError::Broken(_) | PlanFileError::Changed) => Failure::new(
            format!("{}: {what}", file.display()),
        )
        .next("nothing was sent; take the file as it was written, or make a new plan with `unisson plan --out FILE`"),
        ApplyError::Early(_) => Failure::new(what).next("compare `date -u` with another clock, then make a new plan"),
        ApplyError::Old(_) | ApplyError::Enforce { .. } => Failure::new(what).next(ANEW),
        ApplyError::Law(plan) => Failure::new(format!("{what}{}", changed(engine, &plan).await?)).next(ANEW),
        ApplyError::Moved(moved) => {
            if screen.json {
                let moved = moved.iter().map(MovedLine::of).collect();
                screen.object(&Refused { state: "refused", moved })?;
            }
            let lines: Vec<String> = moved.iter().map(line).collect();
            Failure::new(format!("{what}{}", lines.concat())).next(ANEW)
        }
    })
}

fn line(moved: &Moved) -> String {
    let Moved { instance, action, reason, what, changes } = moved;
    format!("\n  {instance}: {action} {reason}: {} {what}", number(*changes))
}

/// What has changed since a plan was made, as far as its run is remembered.
async fn changed(engine: &Engine, plan: &PlanId) -> Result<String, Failure> {
    let runs = engine.store.runs(RUNS_SEARCHED_MAX).await?;
    let run = runs.into_iter().find(|run| run.id.0 == plan.0);
    let Some(then) = run.and_then(|run| serde_json::from_str::<RunReport>(&run.report).ok()) else {
        return Ok(String::new());
    };
    let changes = setup::changes(&then.setup, &engine.setup);
    Ok(changes.iter().map(|change| format!("\n  {change}")).collect::<Vec<_>>().concat())
}

impl<'a> MovedLine<'a> {
    fn of(moved: &'a Moved) -> Self {
        let Moved { instance, action, reason, what, changes } = moved;
        Self { instance, action, reason, what, changes: *changes }
    }
}
