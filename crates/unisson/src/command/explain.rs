//! `explain`: why a person may or may not be contacted: decisions, facts, what each system shows, what is on its way.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use unisson_connector::Presence;
use unisson_consent::{Address, FactId, Law, Verdict};
use unisson_plan::{Explanation, explain};
use unisson_store::{Store, Wanted};
use unisson_store_sqlite::Access;

use crate::cli::Explain;
use crate::command::Desk;
use crate::compose::Site;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::{BAD, BOLD, CARE, FAINT, GOOD, Screen, day, moment, paint, table};
use crate::whom::read_address;

pub(crate) async fn run(args: &Explain, desk: Desk<'_>) -> Outcome {
    let site = Site::load(desk.config)?;
    let store = site.open(Access::ReadOnly)?;
    let address = read_address(&args.who, site.law.policy.country)?;
    let explanation = find(store.as_ref(), &address, &site.law, Timestamp::now()).await?;
    if let Some(explanation) = explanation {
        show(&explanation, desk.screen)?;
        return Ok(Ending::Done);
    }
    desk.screen.say("nothing is known of this address: no system showed it, and nobody may contact it");
    if desk.screen.json {
        desk.screen.object(&serde_json::json!({ "known": false }))?;
    }
    Ok(Ending::Done)
}

/// What is known of an address, or `None`.
pub(crate) async fn find(
    store: &dyn Store,
    address: &Address,
    law: &Law,
    now: Timestamp,
) -> Result<Option<Explanation>, Failure> {
    let subjects = store.find(&Wanted::Address(address.clone())).await?;
    let dossiers = store.dossiers(&subjects).await?;
    let explained = dossiers.iter().map(|dossier| explain(dossier, address, law, now));
    // The widest class of spellings may reach somebody else: what says nothing of this very address is not about it.
    Ok(explained.into_iter().find(|explanation| !explanation.facts.is_empty()))
}

/// Shows an explanation.
pub(crate) fn show(explanation: &Explanation, screen: Screen) -> Result<(), Failure> {
    if screen.json {
        return screen.object(&Told::of(explanation));
    }
    show_decisions(explanation, screen)?;
    show_facts(explanation, screen)?;
    show_slots(explanation, screen)
}

fn show_decisions(explanation: &Explanation, screen: Screen) -> Result<(), Failure> {
    let mut rows = table(&["purpose", "channel", "may I?", "status", "because"]);
    for known in &explanation.decisions {
        let (style, answer) = match known.decision.verdict {
            Verdict::Allow => (GOOD, "yes"),
            Verdict::Ask => (CARE, "only ask"),
            Verdict::Deny => (BAD, "no"),
        };
        let rule = known.decision.rule.as_ref().map_or(String::new(), |rule| format!(" (rule {rule})"));
        rows.add_row([
            known.purpose.to_string(),
            known.channel.as_str().to_owned(),
            paint(style, answer),
            known.decision.status.as_str().to_owned(),
            format!("{}{rule}", known.decision.reason.as_str()),
        ]);
    }
    screen.data(rows)
}

fn show_facts(explanation: &Explanation, screen: Screen) -> Result<(), Failure> {
    let relied_on: BTreeSet<FactId> =
        explanation.decisions.iter().flat_map(|known| known.decision.facts.iter().copied()).collect();
    screen.data(format!("\n{}", paint(BOLD, "What is known, oldest first (* = an answer above rests on it)")))?;
    let mut rows = table(&["", "happened", "learnt", "told by", "what", "about", "by", "proof"]);
    for fact in &explanation.facts {
        let mark = if relied_on.contains(&fact.id) { "*" } else { "" };
        let happened = match fact.at.lo {
            Some(lo) if lo == fact.at.hi => moment(lo),
            Some(lo) if day(lo) == day(fact.at.hi) => format!("{} ±", moment(fact.at.hi)),
            Some(lo) => format!("{} … {}", day(lo), day(fact.at.hi)),
            None => format!("before {}", moment(fact.at.hi)),
        };
        rows.add_row([
            mark.to_owned(),
            happened,
            moment(fact.observed_at),
            fact.system.to_string(),
            fact.what.clone(),
            fact.scope.clone(),
            fact.actor.as_str().to_owned(),
            proof(fact),
        ]);
    }
    screen.data(rows)
}

/// The level of an opt-in, and the first thing it lacks; `--json` tells all of them.
fn proof(fact: &unisson_plan::ToldFact) -> String {
    let Some(level) = fact.level else { return String::new() };
    match fact.missing.as_slice() {
        [] => format!("L{}", level.number()),
        [only] => format!("L{}: {only}", level.number()),
        [first, more @ ..] => format!("L{}: {first}, and {} more", level.number(), more.len()),
    }
}

fn show_slots(explanation: &Explanation, screen: Screen) -> Result<(), Failure> {
    screen.data(format!("\n{}", paint(BOLD, "What each system shows, and what is on its way there")))?;
    let mut rows = table(&["system", "slot", "shows", "pending"]);
    for shown in &explanation.shows {
        let gone = match shown.presence {
            Presence::Present => String::new(),
            Presence::Archived => paint(FAINT, " (archived)"),
            Presence::Deleted => paint(FAINT, " (no longer there)"),
        };
        let pending: Vec<String> =
            shown.pending.iter().map(|(action, state)| format!("{} {}", action.as_str(), state.as_str())).collect();
        rows.add_row([
            shown.system.to_string(),
            shown.scope.clone(),
            format!("{}{gone}", shown.status.as_str()),
            paint(CARE, pending.join(", ")),
        ]);
    }
    screen.data(rows)
}

/// An explanation for programs.
#[derive(Serialize)]
struct Told {
    known: bool,
    decisions: Vec<ToldDecision>,
    facts: Vec<ToldFact>,
    shows: Vec<ToldSlot>,
}

#[derive(Serialize)]
struct ToldDecision {
    purpose: String,
    channel: &'static str,
    decision: &'static str,
    status: &'static str,
    reason: &'static str,
    rule: Option<String>,
    facts: Vec<String>,
    valid_until: Option<Timestamp>,
}

#[derive(Serialize)]
struct ToldFact {
    id: String,
    system: String,
    what: String,
    scope: String,
    not_before: Option<Timestamp>,
    not_after: Timestamp,
    observed_at: Timestamp,
    actor: &'static str,
    level: Option<u8>,
    missing: Vec<&'static str>,
}

#[derive(Serialize)]
struct ToldSlot {
    system: String,
    slot: String,
    status: &'static str,
    present: bool,
    pending: Vec<String>,
}

impl Told {
    fn of(explanation: &Explanation) -> Self {
        let decisions = explanation.decisions.iter().map(|known| ToldDecision {
            purpose: known.purpose.to_string(),
            channel: known.channel.as_str(),
            decision: known.decision.verdict.as_str(),
            status: known.decision.status.as_str(),
            reason: known.decision.reason.as_str(),
            rule: known.decision.rule.clone(),
            facts: known.decision.facts.iter().map(ToString::to_string).collect(),
            valid_until: known.decision.valid_until,
        });
        let facts = explanation.facts.iter().map(|fact| ToldFact {
            id: fact.id.to_string(),
            system: fact.system.to_string(),
            what: fact.what.clone(),
            scope: fact.scope.clone(),
            not_before: fact.at.lo,
            not_after: fact.at.hi,
            observed_at: fact.observed_at,
            actor: fact.actor.as_str(),
            level: fact.level.map(unisson_consent::Level::number),
            missing: fact.missing.clone(),
        });
        let shows = explanation.shows.iter().map(|shown| ToldSlot {
            system: shown.system.to_string(),
            slot: shown.scope.clone(),
            status: shown.status.as_str(),
            present: shown.presence == Presence::Present,
            pending: shown
                .pending
                .iter()
                .map(|(action, state)| format!("{} {}", action.as_str(), state.as_str()))
                .collect(),
        });
        Self { known: true, decisions: decisions.collect(), facts: facts.collect(), shows: shows.collect() }
    }
}
