//! `erasures show`: one case, system by system.

use serde::Serialize;
use unisson_plan::erasure::{Case, Origin, Part, Survey, Task, TaskState};
use unisson_store_sqlite::Access;

use super::{one, words};
use crate::command::Desk;
use crate::compose::Site;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::{BOLD, CARE, FAINT, GOOD, Screen, day, hex, moment, paint, table};

pub(super) async fn run(name: &str, desk: Desk<'_>) -> Outcome {
    let site = Site::load(desk.config)?;
    let store = site.open(Access::ReadOnly)?;
    case(&one(store.as_ref(), name).await?, desk.screen)?;
    Ok(Ending::Done)
}

/// Shows a case.
pub(crate) fn case(case: &Case, screen: Screen) -> Result<(), Failure> {
    if screen.json {
        return screen.object(&Told::of(case));
    }
    screen.data(format!("{} {}", paint(BOLD, format!("case {}", case.id)), words(case.state)))?;
    if let Origin::Reappearance { system, stream } = &case.origin {
        screen.data(format!("  erased before, and brought back by {system} ({stream})"))?;
    }
    screen.data(format!("  received {}, to be answered by {}", moment(case.received_at), day(case.due_at)))?;
    if let Some(extension) = &case.extension {
        screen.data(format!("  extended on {}: {}", day(extension.decided_at), extension.reason))?;
    }
    if let Some(by) = &case.verified_by {
        screen.data(format!("  certain who asked by: {by}"))?;
    }
    if let Some(reason) = &case.reason {
        screen.data(format!("  because: {reason}"))?;
    }
    let mut rows = table(&["system", "searched", "records", "state", "note"]);
    for (system, part) in &case.parts {
        rows.add_row([
            system.to_string(),
            searched(part),
            part.tasks.len().to_string(),
            state(part),
            paint(FAINT, notes(part)),
        ]);
    }
    screen.data(rows)
}

fn searched(part: &Part) -> String {
    match &part.survey {
        Survey::Due { failures: 0, .. } => "not yet".to_owned(),
        Survey::Due { failures, .. } => paint(CARE, format!("no answer ({failures})")),
        Survey::Answered { at } => moment(*at),
        Survey::Blind { .. } => paint(CARE, "cannot be"),
    }
}

/// The states of a part's tasks, each once with how many are in it.
fn state(part: &Part) -> String {
    let mut states: Vec<(&str, usize)> = Vec::new();
    for task in part.tasks.values() {
        match states.iter_mut().find(|(state, _)| *state == task.state.as_str()) {
            Some((_, count)) => *count += 1,
            None => states.push((task.state.as_str(), 1)),
        }
    }
    if states.is_empty() {
        return if part.is_surveyed() { "holds nothing".to_owned() } else { String::new() };
    }
    let style = if part.is_settled() { GOOD } else { CARE };
    let words: Vec<String> = states
        .into_iter()
        .map(|(state, count)| {
            let state = state.replace('_', " ");
            if count == 1 { state } else { format!("{count} {state}") }
        })
        .collect();
    paint(style, words.join(", "))
}

fn notes(part: &Part) -> String {
    let mut notes: Vec<String> = Vec::new();
    if part.by_hand && part.tasks.values().any(|task| !task.is_settled()) {
        notes.push(instructions(part));
    }
    if let Some(hold) = &part.hold {
        notes.push(format!("hold `{}` until {}", hold.name, day(hold.until)));
    }
    for note in part.tasks.values().filter_map(note) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    if let Survey::Blind { why } = &part.survey {
        notes.push(why.clone());
    }
    notes.join("; ")
}

/// What somebody has to do where no connector can.
fn instructions(part: &Part) -> String {
    match &part.hold {
        Some(hold) if !hold.fields.is_empty() => {
            format!("erase there by hand everything but {}, then `unisson erasures done`", hold.fields.join(", "))
        }
        _ => "erase there by hand, then `unisson erasures done`".to_owned(),
    }
}

fn note(task: &Task) -> Option<String> {
    let code = match &task.state {
        TaskState::Refused(code) => Some(format!("refused: {code}")),
        TaskState::Impossible(reason) => Some(reason.clone()),
        _ => None,
    };
    task.note.clone().or(code)
}

/// A case as programs read it.
#[derive(Serialize)]
pub(crate) struct Told {
    case: String,
    state: &'static str,
    received_at: jiff::Timestamp,
    due_at: jiff::Timestamp,
    ended_at: Option<jiff::Timestamp>,
    verified_by: Option<String>,
    reason: Option<String>,
    brought_back_by: Option<String>,
    systems: Vec<ToldPart>,
}

#[derive(Serialize)]
struct ToldPart {
    system: String,
    searched_at: Option<jiff::Timestamp>,
    searches_failed: u32,
    not_searched: Option<String>,
    by_hand: bool,
    hold: Option<String>,
    held_until: Option<jiff::Timestamp>,
    unseen: Vec<String>,
    tasks: Vec<ToldTask>,
}

#[derive(Serialize)]
struct ToldTask {
    state: &'static str,
    round: u32,
    due_at: Option<jiff::Timestamp>,
    told_at: Option<jiff::Timestamp>,
    absent_at: Option<jiff::Timestamp>,
    receipt: Option<String>,
    note: Option<String>,
}

impl Told {
    fn of(case: &Case) -> Self {
        Self {
            case: case.id.0.clone(),
            state: case.state.as_str(),
            received_at: case.received_at,
            due_at: case.due_at,
            ended_at: case.ended_at,
            verified_by: case.verified_by.clone(),
            reason: case.reason.clone(),
            brought_back_by: match &case.origin {
                Origin::Request => None,
                Origin::Reappearance { system, stream } => Some(format!("{system} ({stream})")),
            },
            systems: case.parts.iter().map(|(system, part)| ToldPart::of(system.as_str(), part)).collect(),
        }
    }
}

impl ToldPart {
    fn of(system: &str, part: &Part) -> Self {
        let (searched_at, searches_failed, not_searched) = match &part.survey {
            Survey::Due { failures, .. } => (None, *failures, None),
            Survey::Answered { at } => (Some(*at), 0, None),
            Survey::Blind { why } => (None, 0, Some(why.clone())),
        };
        Self {
            system: system.to_owned(),
            searched_at,
            searches_failed,
            not_searched,
            by_hand: part.by_hand,
            hold: part.hold.as_ref().map(|hold| hold.name.clone()),
            held_until: part.hold.as_ref().map(|hold| hold.until),
            unseen: part.unseen.clone(),
            tasks: part.tasks.values().map(ToldTask::of).collect(),
        }
    }
}

impl ToldTask {
    fn of(task: &Task) -> Self {
        Self {
            state: task.state.as_str(),
            round: task.round,
            due_at: task.due_at,
            told_at: task.told_at,
            absent_at: task.absent_at,
            receipt: task.receipt.map(|receipt| hex(&receipt)),
            note: note(task),
        }
    }
}
