//! `erasures list`: who waits for an answer, and for how long.

use jiff::Timestamp;
use serde::Serialize;
use unisson_plan::erasure::{Case, CaseId, Origin, alarm};
use unisson_store::{Cases, Store};
use unisson_store_sqlite::Access;

use super::words;
use crate::cli::ListErasures;
use crate::command::Desk;
use crate::compose::Site;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::{BAD, CARE, day, number, paint, table};

/// How many cases are read at once.
const CASES_PER_PAGE: usize = 500;

/// A case as programs read it.
#[derive(Serialize)]
struct Told {
    case: String,
    state: &'static str,
    origin: &'static str,
    received_at: Timestamp,
    due_at: Timestamp,
    alarm_day: Option<i64>,
    overdue: bool,
    waits_for_somebody: Vec<String>,
}

pub(super) async fn run(args: &ListErasures, desk: Desk<'_>) -> Outcome {
    let site = Site::load(desk.config)?;
    let store = site.open(Access::ReadOnly)?;
    let now = Timestamp::now();
    let which = if args.all { Cases::All } else { Cases::Open };
    let mut told: Vec<Told> = all(store.as_ref(), which).await?.iter().map(|case| Told::of(case, now)).collect();
    if args.due {
        told.retain(Told::is_due);
    }
    let due = told.iter().filter(|one| one.is_due()).count();
    if desk.screen.json {
        desk.screen.object(&told)?;
    } else if told.is_empty() {
        desk.screen.say(if args.due { "no case is due" } else { "no case is open" });
    } else {
        let mut rows = table(&["case", "received", "due", "state", "to look at"]);
        for one in &told {
            let due = day(one.due_at);
            rows.add_row([
                one.case.clone(),
                day(one.received_at),
                if one.overdue { paint(BAD, format!("{due}, overdue")) } else { due },
                one.state.to_owned(),
                paint(CARE, one.attention()),
            ]);
        }
        desk.screen.data(rows)?;
        desk.screen.say(format!("{}, {} to look at", count(told.len()), number(due as u64)));
    }
    Ok(if args.due && due > 0 { Ending::Partly } else { Ending::Done })
}

/// Every case of a kind.
pub(crate) async fn all(store: &dyn Store, which: Cases) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    let mut after: Option<CaseId> = None;
    loop {
        let page = store.cases(which, after.as_ref(), CASES_PER_PAGE).await?;
        let Some(last) = page.last() else { return Ok(cases) };
        after = Some(last.id.clone());
        cases.extend(page);
    }
}

/// What of a case only a person can bring further: the systems, each with why.
pub(crate) fn waits_for_somebody(case: &Case) -> Vec<String> {
    let mut waits = Vec::new();
    if !case.state.is_open() {
        return waits;
    }
    if case.state == unisson_plan::erasure::CaseState::AwaitingIdentity {
        waits.push("who asks is not certain".to_owned());
    }
    for (system, part) in &case.parts {
        if part.by_hand && part.tasks.values().any(|task| !task.is_settled()) {
            waits.push(format!("{system}: erase by hand"));
        } else if let Some(refused) = part.tasks.values().find(|task| task.needs_somebody()) {
            waits.push(format!("{system}: {}", refused.note.as_deref().unwrap_or("refused")));
        }
    }
    waits
}

impl Told {
    fn of(case: &Case, now: Timestamp) -> Self {
        let open = case.state.is_open();
        Self {
            case: case.id.0.clone(),
            state: if open { case.state.as_str() } else { words(case.state) },
            origin: match case.origin {
                Origin::Request => "request",
                Origin::Reappearance { .. } => "reappearance",
            },
            received_at: case.received_at,
            due_at: case.due_at,
            alarm_day: alarm(case.received_at, now).filter(|_| open),
            overdue: open && now > case.due_at,
            waits_for_somebody: waits_for_somebody(case),
        }
    }

    fn is_due(&self) -> bool {
        self.overdue || self.alarm_day.is_some() || !self.waits_for_somebody.is_empty()
    }

    fn attention(&self) -> String {
        let days = self.alarm_day.map(|day| format!("open for more than {day} days"));
        let all: Vec<String> = days.into_iter().chain(self.waits_for_somebody.iter().cloned()).collect();
        all.join("; ")
    }
}

fn count(cases: usize) -> String {
    if cases == 1 { "1 case".to_owned() } else { format!("{} cases", number(cases as u64)) }
}
