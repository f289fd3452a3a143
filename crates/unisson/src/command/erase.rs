//! `erase`: requests are taken in, and carried as far as they go now.

use std::collections::BTreeMap;

use serde::Serialize;
use unisson_engine::{Order, Received, Request};
use unisson_plan::erasure::{Case, CaseState};

use super::erasures::show;
use crate::cli::Erase;
use crate::command::Desk;
use crate::compose::Site;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::{BOLD, CARE, Screen, number, paint};
use crate::whom::{Whom, resolve};

/// How many people a file may name. Whoever has more splits it.
const PEOPLE_MAX: usize = 100_000;
/// How many cases are shown one by one.
const SHOWN_MAX: usize = 5;

/// What the command answers to programs.
#[derive(Serialize)]
struct Whole {
    cases: Vec<One>,
    by_state: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct One {
    case: String,
    state: &'static str,
    known: bool,
}

pub(crate) async fn run(args: &Erase, desk: Desk<'_>) -> Outcome {
    let site = Site::load(desk.config)?;
    let names = names(args)?;
    check_holds(args, &site)?;
    let engine = site.engine(desk.screen.progress)?;
    let mut requests = Vec::with_capacity(names.len());
    let mut people = Vec::new();
    for (line, name) in &names {
        let whom = resolve(engine.store.as_ref(), &engine.law, name).await.map_err(|failure| at(*line, failure))?;
        requests.push(Request {
            who: whom.who.clone(),
            wanted: whom.wanted.clone(),
            verified_by: args.verified_by.clone(),
            holds: args.holds.clone(),
            received_at: args.received,
        });
        if args.dry_run {
            people.push(whom);
        }
    }
    if args.dry_run {
        return foretell(&people, desk.screen);
    }
    let (received, _) = engine.receive(&requests).await?;
    let report = engine.pursue(&Order::default()).await?;
    let mut cases: Vec<Case> = Vec::new();
    for one in &received {
        cases.extend(engine.store.case(&one.case).await?);
    }
    if desk.screen.json {
        desk.screen.object(&whole(&received, &cases))?;
    } else {
        tell(&cases, desk.screen)?;
        for error in report.erasures.errors {
            desk.screen.say(paint(CARE, error));
        }
    }
    let ended = cases.iter().all(|case| !case.state.is_open());
    Ok(if ended { Ending::Done } else { Ending::Partly })
}

/// Everybody named, with the line of the file where there is one.
fn names(args: &Erase) -> Result<Vec<(Option<usize>, String)>, Failure> {
    let Some(file) = &args.file else {
        return Ok(args.who.iter().map(|name| (None, name.clone())).collect());
    };
    let text = std::fs::read_to_string(file).map_err(|error| Failure::of(&error).next("name a text file in UTF-8"))?;
    let lines = (1..).zip(text.lines()).map(|(line, text)| (Some(line), text.trim().to_owned()));
    let named: Vec<_> = lines.filter(|(_, text)| !text.is_empty() && !text.starts_with('#')).collect();
    match named.len() {
        0 => Err(Failure::new("the file names nobody").next("write one person a line")),
        count if count > PEOPLE_MAX => {
            Err(Failure::new(format!("the file names {count} people"))
                .next(format!("split it: {PEOPLE_MAX} at a time")))
        }
        _ => Ok(named),
    }
}

fn at(line: Option<usize>, failure: Failure) -> Failure {
    match line {
        Some(line) => Failure::new(format!("line {line}: {failure}")).next("mend that line; nothing was begun"),
        None => failure,
    }
}

fn check_holds(args: &Erase, site: &Site) -> Result<(), Failure> {
    let known: Vec<String> = site.holds().map(|hold| hold.name).collect();
    match args.holds.iter().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => Err(Failure::new(format!("the policy has no hold `{name}`")).next(if known.is_empty() {
            "declare it under [[hold]] in the policy".to_owned()
        } else {
            format!("name one of: {}", known.join(", "))
        })),
    }
}

/// Says what is known to be there. Systems are searched live only when it is done.
fn foretell(people: &[Whom], screen: Screen) -> Outcome {
    let mut systems: BTreeMap<&str, u64> = BTreeMap::new();
    for record in people.iter().flat_map(|whom| &whom.records) {
        *systems.entry(record.system.as_str()).or_default() += 1;
    }
    let unknown = people.iter().filter(|whom| whom.records.is_empty()).count();
    if screen.json {
        screen.object(&serde_json::json!({ "people": people.len(), "unknown": unknown, "records": systems }))?;
        return Ok(Ending::Done);
    }
    screen.data(format!("{} named, {unknown} of them shown by no system so far", people.len()))?;
    for (system, records) in systems {
        screen.data(format!("  {system}: {}", records_of(records)))?;
    }
    screen.say("nothing was erased: every system is searched live when it is done");
    Ok(Ending::Done)
}

fn records_of(count: u64) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{} records", number(count)) }
}

fn whole(received: &[Received], cases: &[Case]) -> Whole {
    let mut by_state = BTreeMap::new();
    for case in cases {
        *by_state.entry(case.state.as_str()).or_default() += 1;
    }
    let one = |(received, case): (&Received, &Case)| One {
        case: received.case.0.clone(),
        state: case.state.as_str(),
        known: received.known,
    };
    Whole { cases: received.iter().zip(cases).map(one).collect(), by_state }
}

fn tell(cases: &[Case], screen: Screen) -> Result<(), Failure> {
    for case in cases.iter().take(SHOWN_MAX) {
        show::case(case, screen)?;
        screen.data("")?;
    }
    if cases.len() > SHOWN_MAX {
        let mut by_state: BTreeMap<CaseState, u64> = BTreeMap::new();
        for case in cases {
            *by_state.entry(case.state).or_default() += 1;
        }
        screen.data(paint(BOLD, format!("{} cases", number(cases.len() as u64))))?;
        for (state, count) in by_state {
            screen.data(format!("  {}: {}", super::erasures::words(state), number(count)))?;
        }
    }
    if cases.iter().any(|case| case.state == CaseState::AwaitingIdentity) {
        screen.say(
            "not verified: marketing to them has stopped; `unisson erasures accept CASE --verified-by HOW` goes on",
        );
    }
    Ok(())
}
