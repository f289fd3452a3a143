//! `sync`: pull, judge, guard and push; and the report of it.

use std::collections::BTreeMap;

use unisson_consent::SystemId;
use unisson_engine::{ErasureReport, InstanceReport, Order, RunReport};

use crate::cli::Sync;
use crate::command::{Desk, apply, approve};
use crate::compose::Site;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::{BAD, BOLD, CARE, FAINT, GOOD, Screen, figures, number, paint, table};

pub(crate) async fn run(args: &Sync, desk: Desk<'_>) -> Outcome {
    let site = Site::load(desk.config)?;
    site.known(&args.instances)?;
    let order =
        Order { only: args.instances.iter().map(SystemId::new).collect(), dry_run: args.dry_run, sweep: args.full };
    let engine = site.engine(desk.screen.progress)?;
    let report = engine.sync(&order).await?;
    drop(engine);
    show(&report, desk.screen)?;
    Ok(ending(&report))
}

/// How a run ends the program.
pub(crate) fn ending(report: &RunReport) -> Ending {
    report.outcome().into()
}

/// Shows the report of a run.
pub(crate) fn show(report: &RunReport, screen: Screen) -> Result<(), Failure> {
    if screen.json {
        return screen.object(report);
    }
    let state = match report.state.as_str() {
        "done" => paint(GOOD, "done"),
        "held" => paint(CARE, "held for approval"),
        "partial" => paint(CARE, "partly done"),
        other => paint(BAD, other),
    };
    let dry = if report.dry_run { ", nothing was written to any platform" } else { "" };
    screen.data(format!("run {}: {state}{dry}", paint(BOLD, &report.run)))?;
    for warning in &report.warnings {
        screen.data(paint(CARE, warning))?;
    }
    if let Some(applied) = &report.applied {
        screen.data(apply::told(applied))?;
    }
    if let Some(approved) = &report.approved {
        screen.data(approve::told(approved))?;
    }
    let mut rows = table(&["instance", "read", "changed", "new facts", "planned", "delivered", "held", "rejects"]);
    for (name, part) in &report.instances {
        rows.add_row([
            name.clone(),
            number(part.observed),
            number(part.changed),
            number(part.facts),
            number(total(&part.planned)),
            number(total(&part.delivered)),
            number(total(&part.held) + part.withheld),
            number(part.rejects),
        ]);
    }
    figures(&mut rows, &[1, 2, 3, 4, 5, 6, 7]);
    screen.data(rows)?;
    for (name, part) in &report.instances {
        show_instance(name, part, screen)?;
    }
    show_erasures(&report.erasures, screen)?;
    if report.dry_run && report.total(|part| total(&part.planned)) > 0 {
        screen.say("run `unisson sync` to carry it out");
    }
    Ok(())
}

/// Shows what was erased, and who came back.
fn show_erasures(erasures: &ErasureReport, screen: Screen) -> Result<(), Failure> {
    for (source, people) in &erasures.reappeared {
        screen.data(format!(
            "  {}",
            paint(CARE, format!("{source} brought back {}: a case was opened for each", people_of(*people)))
        ))?;
    }
    for (source, times) in &erasures.incidents {
        let words = format!("{source} brought back {} within 30 days: look at where it gets them", people_of(*times));
        screen.data(format!("  {}", paint(BAD, words)))?;
    }
    for error in &erasures.errors {
        screen.data(format!("  {}", paint(BAD, error)))?;
    }
    for (state, cases) in &erasures.cases {
        let word = if *cases == 1 { "case" } else { "cases" };
        screen.data(format!("  erasures: {} {word} {}", number(*cases), state.replace('_', " ")))?;
    }
    Ok(())
}

fn people_of(count: u64) -> String {
    if count == 1 { "1 erased person".to_owned() } else { format!("{} erased people", number(count)) }
}

fn show_instance(name: &str, part: &InstanceReport, screen: Screen) -> Result<(), Failure> {
    let line = |style, text: String| screen.data(format!("  {}: {}", name, paint(style, text)));
    for (what, changes) in &part.planned {
        line(FAINT, format!("planned {what}: {}", number(*changes)))?;
    }
    for (what, changes) in &part.delivered {
        let style = if what.ends_with(" done") { GOOD } else { CARE };
        line(style, format!("{what}: {}", number(*changes)))?;
    }
    for (run, changes) in &part.held {
        line(CARE, format!("held: {} changes, let go by: unisson approve {run}", number(*changes)))?;
    }
    if part.withheld > 0 {
        line(
            CARE,
            format!("held: {} changes of the plan wait for somebody to answer for them", number(part.withheld)),
        )?;
    }
    // A first dry run has just said what it planned; a second one plans nothing new, and what waits is the plan.
    let told = part.planned.values().sum::<u64>() == part.waiting.values().sum::<u64>();
    for (what, changes) in part.waiting.iter().filter(|_| !told) {
        line(CARE, format!("waiting: {what}: {}", number(*changes)))?;
    }
    show_lacks(name, part, screen)
}

/// Shows what was not reached at an instance, what went wrong, and what else there is to know.
pub(crate) fn show_lacks(name: &str, part: &InstanceReport, screen: Screen) -> Result<(), Failure> {
    let line = |style, text: String| screen.data(format!("  {}: {}", name, paint(style, text)));
    for (list, contacts) in &part.unmapped {
        line(
            CARE,
            format!(
                "list {list} is not mapped to a purpose, {} contacts are opted in there: map it in [instances.{name}.lists]",
                number(*contacts)
            ),
        )?;
    }
    for (what, changes) in &part.unreached {
        line(CARE, format!("not reached: {what}: {}", number(*changes)))?;
    }
    if part.vanished > 0 {
        line(FAINT, format!("no longer there: {}", number(part.vanished)))?;
    }
    for reject in &part.rejects_named {
        line(CARE, format!("set aside: {reject}"))?;
    }
    for error in &part.errors {
        line(BAD, error.clone())?;
    }
    for note in &part.notes {
        line(FAINT, note.clone())?;
    }
    Ok(())
}

fn total(figures: &BTreeMap<String, u64>) -> u64 {
    figures.values().sum()
}
