//! `runs`: the last runs with what each did at every instance, what went wrong and what was not reached; or one in full.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use unisson_engine::{InstanceReport, RunReport};
use unisson_store::{RunRecord, RunState, Store};
use unisson_store_sqlite::Access;

use crate::cli::Runs;
use crate::command::{Desk, sync};
use crate::compose::Site;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::{BAD, CARE, FAINT, GOOD, Screen, figures, moment, number, paint, table};

/// How far back a run can be named.
const RUNS_SEARCHED_MAX: usize = 10_000;

pub(crate) async fn run(args: &Runs, desk: Desk<'_>) -> Outcome {
    let store = Site::load(desk.config)?.open(Access::ReadOnly)?;
    if let Some(name) = &args.run {
        let record = find(store.as_ref(), name).await?;
        detail(&record, desk.screen)?;
        return Ok(Ending::Done);
    }
    let runs = store.runs(args.limit).await?;
    let lines: Vec<Line> = runs.iter().map(Line::of).collect();
    if desk.screen.json {
        desk.screen.object(&lines)?;
    } else {
        list(&lines, desk.screen)?;
    }
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

/// The report of a run. What became of it stands in the record: a process that died could not say it any more.
fn report(record: &RunRecord) -> Result<RunReport, Failure> {
    let mut report: RunReport = serde_json::from_str(&record.report)
        .map_err(|error| Failure::of(&error).next("the run was written by another version"))?;
    record.state.as_str().clone_into(&mut report.state);
    Ok(report)
}

fn detail(record: &RunRecord, screen: Screen) -> Result<(), Failure> {
    let report = report(record)?;
    if screen.json {
        return screen.object(&report);
    }
    let ended = match (record.ended_at, record.state) {
        (Some(end), _) => format!("ended {} after {}", moment(end), span(end.duration_since(record.started_at))),
        (None, RunState::Running) => "still at work".to_owned(),
        (None, _) => "its process ended before it did: the next run went on where it stopped".to_owned(),
    };
    screen.data(format!(
        "began {}, {ended}; {} people were judged",
        moment(record.started_at),
        number(report.judged)
    ))?;
    if let (Some(version), Some(program)) = (report.setup.get("policy.version"), report.setup.get("program")) {
        screen.data(paint(FAINT, format!("made under policy {version} by unisson {program}")))?;
    }
    sync::show(&report, screen)?;
    for (name, _) in report.instances.iter().filter(|(_, part)| !part.complete) {
        screen.data(format!(
            "  {name}: {}",
            paint(CARE, format!("{UNREAD}: nothing is inferred from what was not seen"))
        ))?;
    }
    Ok(())
}

const UNREAD: &str = "not read to its end";

fn list(lines: &[Line<'_>], screen: Screen) -> Result<(), Failure> {
    if lines.is_empty() {
        return screen.data("no run yet: start with `unisson sync --dry-run`");
    }
    let mut rows = table(&HEAD);
    let short = short_ids(lines);
    for line in lines {
        let mut about = [
            line.run.get(..short).unwrap_or(line.run).to_owned(),
            moment(line.started_at),
            line.took(),
            line.state_painted(),
        ];
        if line.instances.is_empty() {
            rows.add_row(about.clone());
        }
        for (name, part) in &line.instances {
            let figures = [part.read, part.changed, part.delivered, part.held].map(number);
            let errors = match part.errors.len() {
                0 => String::new(),
                some => paint(BAD, number(some as u64)),
            };
            let not_reached = paint(CARE, part.not_reached.join(", "));
            rows.add_row(about.iter().chain([name]).chain(&figures).chain([&errors, &not_reached]));
            // What is true of the whole run stands on its first line only.
            about = std::array::from_fn(|_| String::new());
        }
    }
    figures(&mut rows, &[5, 6, 7, 8, 9]);
    screen.data(rows)?;
    tell_errors(lines, screen)
}

/// How many characters of an id tell every run of the list apart from the others: commands take the beginning of one.
fn short_ids(lines: &[Line<'_>]) -> usize {
    let told_apart = |length: &usize| {
        let ids: BTreeSet<&str> = lines.iter().map(|line| line.run.get(..*length).unwrap_or(line.run)).collect();
        ids.len() == lines.len()
    };
    (SHORT_ID..UUID_LENGTH).find(told_apart).unwrap_or(usize::MAX)
}

/// The length of an id.
const UUID_LENGTH: usize = 36;

/// The least that is shown of an id: its time in milliseconds.
const SHORT_ID: usize = 13;

/// The heads of the list.
const HEAD: [&str; 11] =
    ["run", "began", "took", "state", "instance", "read", "changed", "delivered", "held", "errors", "not reached"];

/// The first error of each instance of each run.
fn tell_errors(lines: &[Line<'_>], screen: Screen) -> Result<(), Failure> {
    for line in lines {
        if line.unreadable {
            screen.data(paint(CARE, format!("\nrun {}: its report was written by another version", line.run)))?;
        }
        for (name, part) in &line.instances {
            let Some(first) = part.errors.first() else { continue };
            let more = match part.errors.len() {
                1 => String::new(),
                some => format!(" (and {} more: unisson runs {})", some - 1, line.run),
            };
            screen.data(format!("\nrun {}, {name}: {}{more}", line.run, paint(BAD, first)))?;
        }
    }
    Ok(())
}

/// A run in a list.
#[derive(Serialize)]
struct Line<'a> {
    run: &'a str,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    took_seconds: Option<f64>,
    state: &'static str,
    dry_run: bool,
    /// Whether its report was written by another version, so that nothing is known of its instances.
    unreadable: bool,
    instances: BTreeMap<String, Part>,
}

/// What a run did at one instance.
#[derive(Serialize)]
struct Part {
    complete: bool,
    read: u64,
    changed: u64,
    facts: u64,
    planned: u64,
    delivered: u64,
    held: u64,
    waiting: u64,
    errors: Vec<String>,
    not_reached: Vec<String>,
}

impl<'a> Line<'a> {
    fn of(run: &'a RunRecord) -> Self {
        let report = report(run).ok();
        let parts = report.iter().flat_map(|report| &report.instances);
        Self {
            run: &run.id.0,
            started_at: run.started_at,
            ended_at: run.ended_at,
            took_seconds: run.ended_at.map(|end| end.duration_since(run.started_at).as_secs_f64()),
            state: run.state.as_str(),
            dry_run: report.as_ref().is_some_and(|report| report.dry_run),
            unreadable: report.is_none(),
            instances: parts.map(|(name, part)| (name.clone(), Part::of(part))).collect(),
        }
    }

    fn took(&self) -> String {
        self.ended_at.map_or_else(String::new, |end| span(end.duration_since(self.started_at)))
    }

    fn state_painted(&self) -> String {
        let style = match self.state {
            "done" => GOOD,
            "failed" | "interrupted" => BAD,
            _ => CARE,
        };
        let dry = if self.dry_run { " (dry run)" } else { "" };
        format!("{}{dry}", paint(style, self.state))
    }
}

impl Part {
    fn of(part: &InstanceReport) -> Self {
        Self {
            complete: part.complete,
            read: part.observed,
            changed: part.changed,
            facts: part.facts,
            planned: part.planned.values().sum(),
            delivered: part.delivered.values().sum(),
            held: part.held.values().sum::<u64>() + part.withheld,
            waiting: part.waiting.values().sum(),
            errors: part.errors.clone(),
            not_reached: not_reached(part),
        }
    }
}

/// What was not reached or not done, in few words.
fn not_reached(part: &InstanceReport) -> Vec<String> {
    let mut words = Vec::new();
    if !part.complete {
        words.push(UNREAD.to_owned());
    }
    let sum = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
    let undone = part.delivered.iter().filter(|(what, _)| !what.ends_with(" done") && !what.ends_with(" gone"));
    let counted = [
        (part.unmapped.len() as u64, "list without a purpose", "lists without a purpose"),
        (part.rejects, "row set aside", "rows set aside"),
        (
            undone.map(|(_, changes)| changes).sum(),
            "change answered otherwise than done",
            "changes answered otherwise than done",
        ),
        (sum(&part.waiting), "change waiting", "changes waiting"),
        (sum(&part.unreached), "change nothing can carry out", "changes nothing can carry out"),
    ];
    words.extend(
        counted
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, many)| format!("{} {}", number(count), if count == 1 { one } else { many })),
    );
    words
}

/// How long something took, as people say it.
fn span(time: SignedDuration) -> String {
    let seconds = time.as_secs();
    match seconds {
        3_600.. => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        60.. => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_the_units_people_use() {
        for (millis, words) in
            [(0, "0.0 s"), (1_240, "1.2 s"), (59_900, "59.9 s"), (61_000, "1 min 1 s"), (7_260_000, "2 h 1 min")]
        {
            assert_eq!(span(SignedDuration::from_millis(millis)), words);
        }
    }

    #[test]
    fn a_whole_instance_lacks_nothing_and_everything_else_is_named() {
        let whole = InstanceReport { complete: true, ..InstanceReport::default() };
        assert_eq!(not_reached(&whole), Vec::<String>::new());
        let count = |what: &str, changes| BTreeMap::from([(what.to_owned(), changes)]);
        let lacking = InstanceReport {
            complete: false,
            unmapped: count("a", 3),
            rejects: 2,
            delivered: BTreeMap::from([("suppress done".to_owned(), 5), ("suppress refused".to_owned(), 4)]),
            waiting: count("suppress later", 1),
            unreached: count("suppress: no", 1_000),
            ..InstanceReport::default()
        };
        let expected = [
            "not read to its end",
            "1 list without a purpose",
            "2 rows set aside",
            "4 changes answered otherwise than done",
            "1 change waiting",
            "1\u{202f}000 changes nothing can carry out",
        ];
        assert_eq!(not_reached(&lacking), expected);
    }

    #[test]
    fn a_run_whose_process_died_is_interrupted_whatever_its_report_says() {
        let started_at = Timestamp::UNIX_EPOCH;
        let id = unisson_plan::RunId("r".to_owned());
        let text = serde_json::to_string(&RunReport::new(&id, started_at, false)).unwrap();
        let record = RunRecord { id, started_at, ended_at: None, state: RunState::Interrupted, report: text };
        assert_eq!(report(&record).unwrap().state, "interrupted");
        let foreign = RunRecord { report: "{}".to_owned(), ..record };
        assert!(report(&foreign).is_err());
        assert!(Line::of(&foreign).unreadable);
    }
}
