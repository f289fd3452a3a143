//! `holds …`: what the policy keeps apart from an erasure, and what is kept now.

use std::collections::BTreeMap;

use serde::Serialize;
use unisson_consent::SystemId;
use unisson_engine::{Order, Undecided};
use unisson_plan::erasure::{Step, TaskState};
use unisson_store::Cases;
use unisson_store_sqlite::Access;

use super::erasures::{list, one, show};
use crate::cli::Holds;
use crate::command::Desk;
use crate::compose::Site;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::{day, paint, table};

/// What is held, as programs read it.
#[derive(Serialize)]
struct Whole {
    declared: Vec<Declared>,
    kept: Vec<Kept>,
}

#[derive(Serialize)]
struct Declared {
    name: String,
    system: String,
    fields: Vec<String>,
    ground: &'static str,
    provision: String,
    applies: &'static str,
}

#[derive(Serialize)]
struct Kept {
    case: String,
    system: String,
    hold: String,
    records: usize,
    until: jiff::Timestamp,
}

pub(crate) async fn run(command: &Holds, desk: Desk<'_>) -> Outcome {
    match command {
        Holds::List => show_all(desk).await,
        Holds::Release { case, system } => release(case, system, desk).await,
    }
}

async fn show_all(desk: Desk<'_>) -> Outcome {
    let site = Site::load(desk.config)?;
    let declared: Vec<Declared> = site
        .holds()
        .map(|hold| Declared {
            name: hold.name.clone(),
            system: hold.system.to_string(),
            fields: hold.fields.clone(),
            ground: ground(hold.ground),
            provision: hold.provision.clone(),
            applies: if hold.always { "always" } else { "on request" },
        })
        .collect();
    let store = site.open(Access::ReadOnly)?;
    let mut kept: Vec<Kept> = Vec::new();
    for case in list::all(store.as_ref(), Cases::All).await? {
        let mut by_system: BTreeMap<SystemId, (usize, jiff::Timestamp)> = BTreeMap::new();
        for (system, _, task) in case.tasks() {
            if let TaskState::Held { until } = task.state {
                let known = by_system.entry(system.clone()).or_insert((0, until));
                *known = (known.0 + 1, known.1.max(until));
            }
        }
        kept.extend(by_system.into_iter().map(|(system, (records, until))| {
            let hold = case.parts.get(&system).and_then(|part| part.hold.as_ref());
            let hold = hold.map(|hold| hold.name.clone()).unwrap_or_default();
            Kept { case: case.id.0.clone(), system: system.to_string(), hold, records, until }
        }));
    }
    if desk.screen.json {
        desk.screen.object(&Whole { declared, kept })?;
        return Ok(Ending::Done);
    }
    if declared.is_empty() {
        desk.screen.say("the policy declares no hold");
    } else {
        let mut rows = table(&["hold", "system", "keeps", "ground", "applies"]);
        for hold in declared {
            let ground = format!("{}, {}", hold.ground, hold.provision);
            rows.add_row([hold.name, hold.system, hold.fields.join(", "), ground, hold.applies.to_owned()]);
        }
        desk.screen.data(rows)?;
    }
    if kept.is_empty() {
        desk.screen.say("nothing is kept now");
    } else {
        desk.screen.data(format!("\n{}", paint(crate::screen::BOLD, "Kept now")))?;
        let mut rows = table(&["case", "system", "hold", "records", "until"]);
        for one in kept {
            rows.add_row([one.case, one.system, one.hold, one.records.to_string(), day(one.until)]);
        }
        desk.screen.data(rows)?;
    }
    Ok(Ending::Done)
}

async fn release(case: &str, system: &str, desk: Desk<'_>) -> Outcome {
    let engine = Site::load(desk.config)?.engine(desk.screen.progress)?;
    let case = one(engine.store.as_ref(), case).await?;
    engine.decide(&case.id, Step::Unheld { system: SystemId::new(system) }).await.map_err(|error| match error {
        Undecided::Store(error) => error.into(),
        other => Failure::of(&other).next("`unisson holds list` tells what is kept"),
    })?;
    engine.pursue(&Order::default()).await?;
    if let Some(case) = engine.store.case(&case.id).await? {
        show::case(&case, desk.screen)?;
    }
    Ok(Ending::Done)
}

/// The ground of a hold in words.
fn ground(basis: unisson_consent::HoldBasis) -> &'static str {
    match basis {
        unisson_consent::HoldBasis::LegalObligation => "legal obligation (art. 17(3)(b))",
        unisson_consent::HoldBasis::LegalClaims => "legal claims (art. 17(3)(e))",
        unisson_consent::HoldBasis::Contract => "a contract that runs (art. 6(1)(b))",
    }
}
