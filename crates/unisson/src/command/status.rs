//! `status`: what is stored, what waits, and how many may be contacted for what.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use unisson_consent::{Channel, Law, PurposeId, Verdict};
use unisson_plan::erasure::{Case, alarm};
use unisson_store::{Cases, OutboxCount, RunState, Store};
use unisson_store_sqlite::Access;

use crate::command::Desk;
use crate::command::erasures::list;
use crate::compose::Site;
use crate::decisions;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::{BAD, BOLD, CARE, Screen, figures, moment, number, paint, table};

/// How many addresses may be contacted for one purpose over one channel.
#[derive(Debug, Default, Serialize, Clone)]
struct Reach {
    allow: u64,
    ask: u64,
    deny: BTreeMap<&'static str, u64>,
}

/// Everything `status` tells.
#[derive(Serialize)]
struct Whole {
    people: u64,
    records: u64,
    facts: u64,
    commits: u64,
    waiting_to_be_judged: u64,
    last_run: Option<LastRun>,
    outbox: Vec<Waiting>,
    erasures: Erasing,
    reach: BTreeMap<String, Reach>,
}

/// The erasure cases that are not answered yet.
#[derive(Serialize)]
struct Erasing {
    open: u64,
    to_look_at: u64,
    overdue: u64,
}

#[derive(Serialize)]
struct LastRun {
    run: String,
    started_at: Timestamp,
    state: &'static str,
}

#[derive(Serialize)]
struct Waiting {
    instance: String,
    action: &'static str,
    state: String,
    code: String,
    run: Option<String>,
    changes: u64,
}

pub(crate) async fn run(desk: Desk<'_>) -> Outcome {
    let site = Site::load(desk.config)?;
    let store = site.open(Access::ReadOnly)?;
    let counts = store.counts(Timestamp::now()).await?;
    let last = store.runs(1).await?.into_iter().next();
    let whole = Whole {
        people: counts.subjects,
        records: counts.records,
        facts: counts.facts,
        commits: counts.commits,
        waiting_to_be_judged: counts.stale,
        last_run: last.as_ref().map(|run| LastRun {
            run: run.id.0.clone(),
            started_at: run.started_at,
            state: run.state.as_str(),
        }),
        outbox: store.outbox().await?.into_iter().filter(is_waiting).map(Waiting::of).collect(),
        erasures: erasing(store.as_ref(), Timestamp::now()).await?,
        reach: reach(store.as_ref(), &site.law).await?,
    };
    if desk.screen.json {
        desk.screen.object(&whole)?;
    } else {
        show(&whole, desk.screen)?;
    }
    Ok(match last.map(|run| run.state) {
        Some(RunState::Held) => Ending::Held,
        Some(RunState::Done) | None => Ending::Done,
        Some(_) => Ending::Partly,
    })
}

/// How many people wait to be erased, and how many of them for somebody here.
async fn erasing(store: &dyn Store, now: Timestamp) -> Result<Erasing, Failure> {
    let open = list::all(store, Cases::Open).await?;
    let waits = |case: &&Case| {
        alarm(case.received_at, now).is_some() || now > case.due_at || !list::waits_for_somebody(case).is_empty()
    };
    Ok(Erasing {
        open: open.len() as u64,
        to_look_at: open.iter().filter(waits).count() as u64,
        overdue: open.iter().filter(|case| now > case.due_at).count() as u64,
    })
}

fn is_waiting(count: &OutboxCount) -> bool {
    !matches!(count.state.as_str(), "done" | "gone" | "cancelled")
}

impl Waiting {
    fn of(count: OutboxCount) -> Self {
        Self {
            instance: count.instance.to_string(),
            action: count.action.as_str(),
            state: count.state,
            code: count.code,
            run: count.run.map(|run| run.0),
            changes: count.changes,
        }
    }
}

/// How many addresses may be contacted, by purpose and channel.
async fn reach(store: &dyn Store, law: &Law) -> Result<BTreeMap<String, Reach>, Failure> {
    let mut reach: BTreeMap<(PurposeId, Channel), Reach> = BTreeMap::new();
    decisions::each(store, law, |known| {
        let place = reach.entry((known.key.purpose.clone(), known.key.channel)).or_default();
        match known.decision.verdict {
            Verdict::Allow => place.allow += 1,
            Verdict::Ask => place.ask += 1,
            Verdict::Deny => *place.deny.entry(known.decision.reason.as_str()).or_default() += 1,
        }
    })
    .await?;
    Ok(reach
        .into_iter()
        .map(|((purpose, channel), reach)| (format!("{purpose} / {}", channel.as_str()), reach))
        .collect())
}

fn show(whole: &Whole, screen: Screen) -> Result<(), Failure> {
    screen.data(format!(
        "{} people in {} records, {} facts in {} commits",
        paint(BOLD, number(whole.people)),
        number(whole.records),
        number(whole.facts),
        number(whole.commits)
    ))?;
    match &whole.last_run {
        Some(last) => screen.data(format!("last run {} on {}: {}", last.run, moment(last.started_at), last.state))?,
        None => screen.data("no run yet: start with `unisson sync --dry-run`")?,
    }
    if whole.waiting_to_be_judged > 0 {
        screen.data(format!("{} people wait to be judged by the next sync", number(whole.waiting_to_be_judged)))?;
    }
    screen.data(format!("\n{}", paint(BOLD, "How many may be contacted")))?;
    let mut rows = table(&["purpose / channel", "may", "may be asked", "may not", "most often because"]);
    for (what, reach) in &whole.reach {
        let often = reach.deny.iter().max_by_key(|(_, count)| **count);
        rows.add_row([
            what.clone(),
            number(reach.allow),
            number(reach.ask),
            number(reach.deny.values().sum()),
            often.map_or(String::new(), |(reason, count)| format!("{reason} ({})", number(*count))),
        ]);
    }
    figures(&mut rows, &[1, 2, 3]);
    screen.data(rows)?;
    if whole.erasures.open > 0 {
        let Erasing { open, to_look_at, overdue } = whole.erasures;
        let late = if overdue > 0 { format!(", {}", paint(BAD, format!("{overdue} overdue"))) } else { String::new() };
        screen.data(format!(
            "\n{} erasure cases are open{late}, {} to look at: unisson erasures list --due",
            number(open),
            number(to_look_at)
        ))?;
    }
    if whole.outbox.is_empty() {
        return screen.data("\nnothing waits to be written to any platform");
    }
    screen.data(format!("\n{}", paint(BOLD, "What waits")))?;
    let mut rows = table(&["instance", "action", "state", "changes", ""]);
    for waiting in &whole.outbox {
        let next = match (waiting.state.as_str(), &waiting.run) {
            ("held", Some(run)) => format!("unisson approve {run}"),
            ("draft", _) => "the next sync decides".to_owned(),
            ("refused", _) => waiting.code.clone(),
            _ => String::new(),
        };
        rows.add_row([
            waiting.instance.clone(),
            waiting.action.to_owned(),
            paint(CARE, &waiting.state),
            number(waiting.changes),
            next,
        ]);
    }
    figures(&mut rows, &[3]);
    screen.data(rows)
}
