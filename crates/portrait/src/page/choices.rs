//! What the person agreed to or refused: the answer for every purpose and channel, and what happened, oldest first.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use unisson_consent::{FactId, Verdict};

use super::table::{Cell, Table};
use crate::act::Act;
use crate::escape::Foreign;
use crate::portrait::{Known, Portrait};
use crate::words;

pub(super) fn write(portrait: &Portrait, out: &mut String) -> fmt::Result {
    if portrait.known.iter().all(|known| known.explanation.decisions.is_empty() && known.explanation.facts.is_empty()) {
        out.push_str("<p>Nothing is on record: no consent, no refusal. Without a consent you are not contacted.</p>\n");
        return Ok(());
    }
    out.push_str(
        "<p>You can take back a consent or object at any time, and it takes nothing more than saying so. What was done \
         before stays lawful.</p>\n",
    );
    portrait.known.iter().try_for_each(|known| address(known, portrait, out))
}

fn address(known: &Known, portrait: &Portrait, out: &mut String) -> fmt::Result {
    let kind = words::address_kind(known.address.kind());
    writeln!(out, "<h3>Your {kind} {}</h3>", Foreign(known.address.canonical()))?;
    if !known.explanation.decisions.is_empty() {
        decisions(known, portrait, out)?;
    }
    if known.explanation.facts.is_empty() {
        out.push_str("<p>Nothing has happened that we know of.</p>\n");
        return Ok(());
    }
    history(known, portrait, out)
}

fn decisions(known: &Known, portrait: &Portrait, out: &mut String) -> fmt::Result {
    let rows = known.explanation.decisions.iter().map(|explained| {
        let decision = &explained.decision;
        let look = match decision.verdict {
            Verdict::Allow => "yes",
            Verdict::Ask => "ask",
            Verdict::Deny => "no",
        };
        let described = portrait.purpose(&explained.purpose).and_then(|purpose| purpose.description.as_deref());
        let until =
            decision.valid_until.map(|at| format!("This answer holds until {}", words::day(at, &portrait.zone)));
        vec![
            Cell::foreign(&portrait.purpose_title(&explained.purpose)).with(described.unwrap_or_default()),
            Cell::own(words::channel(explained.channel)),
            Cell::pill(look, words::answer(decision.verdict)),
            Cell::own(words::because(decision)).with(&until.unwrap_or_default()),
        ]
    });
    let columns = &[("For", "w-third"), ("How", "w-short"), ("May we?", "w-tiny"), ("Because", "")];
    Table { caption: "May we contact you here?".to_owned(), columns, rows: rows.collect() }.write(out)
}

fn history(known: &Known, portrait: &Portrait, out: &mut String) -> fmt::Result {
    let relied_on: BTreeSet<FactId> =
        known.explanation.decisions.iter().flat_map(|explained| explained.decision.facts.iter().copied()).collect();
    let rows = Act::all_of(known).map(|act| {
        let told = act.told;
        let mark = if relied_on.contains(&told.id) { "An answer above rests on this" } else { "" };
        vec![
            Cell::own(&words::when(told.at, act.time(), &portrait.zone)),
            Cell::foreign(&act.what()).with(mark),
            about(&act, portrait),
            Cell::own(words::actor(told.actor)),
            Cell::foreign(portrait.title_of(&told.system))
                .with(&format!("learnt {}", words::day(told.observed_at, &portrait.zone))),
            proof(&act),
        ]
    });
    let columns = &[
        ("When", "w-when"),
        ("What happened", "w-what"),
        ("About", "w-short"),
        ("By", "w-by"),
        ("We know it from", "w-short"),
        ("Proof", ""),
    ];
    Table { caption: "What happened, oldest first".to_owned(), columns, rows: rows.collect() }.write(out)
}

fn about(act: &Act<'_>, portrait: &Portrait) -> Cell {
    if act.told.scope.is_empty() {
        return Cell::none();
    }
    let (what, channels) = act.about(portrait);
    Cell::foreign(&what).with(&channels)
}

/// How an opt-in was proven, and what is missing.
fn proof(act: &Act<'_>) -> Cell {
    let Some(level) = act.told.level else { return Cell::faint("none needed") };
    let shown = act.evidence().map(words::proofs).unwrap_or_default();
    let mut below = String::new();
    if !shown.is_empty() {
        below = format!("{}.", words::capital(&shown.join("; ")));
    }
    if !act.told.missing.is_empty() {
        let gap = if below.is_empty() { "" } else { " " };
        below = format!("{below}{gap}Missing: {}.", act.told.missing.join("; "));
    }
    Cell::own(words::level(level)).with(&below)
}
