//! `suppressions`: the people who must not be contacted, listed, exported and imported.

mod import;

use std::collections::BTreeSet;
use std::io;

use jiff::Timestamp;
use serde::Serialize;
use unisson_consent::{Address, Channel, Law, Verdict};
use unisson_files::export::{self, ExportError, Shape as FileShape};
use unisson_plan::{KeyDecision, is_negative};
use unisson_store::Store;
use unisson_store_sqlite::Access;

use crate::cli::{Selection, Shape, Suppressions};
use crate::command::Desk;
use crate::compose::Site;
use crate::decisions;
use crate::exit::{Ending, Failure, Outcome};
use crate::handed;
use crate::screen::{brief, day, number, table};

/// One suppression, as programs read it.
#[derive(Serialize)]
struct Line<'a> {
    address: &'a str,
    purpose: &'a str,
    channel: &'static str,
    reason: &'static str,
    status: &'static str,
    since: Option<Timestamp>,
}

pub(crate) async fn run(command: &Suppressions, desk: Desk<'_>) -> Outcome {
    let site = Site::load(desk.config)?;
    match command {
        Suppressions::List(selection) => list(&selected(&site, selection).await?, desk)?,
        Suppressions::Export(args) => export(&selected(&site, &args.selection).await?, args, (&site, desk))?,
        Suppressions::Import(args) => return import::run(args, &site, desk).await,
    }
    Ok(Ending::Done)
}

async fn selected(site: &Site, selection: &Selection) -> Result<Vec<KeyDecision>, Failure> {
    checked(selection, site)?;
    let store = site.open(Access::ReadOnly)?;
    select(store.as_ref(), &site.law, selection).await
}

/// A misspelt filter would select nobody and look like good news.
fn checked(selection: &Selection, site: &Site) -> Result<(), Failure> {
    known_purpose(site, selection.purpose.as_deref())?;
    known_channel(selection.channel.as_deref())?;
    one_of("reason", selection.reason.as_deref(), &REASONS)
}

fn known_purpose(site: &Site, typed: Option<&str>) -> Result<(), Failure> {
    let purposes: Vec<&str> = site.law.policy.purposes.keys().map(unisson_consent::PurposeId::as_str).collect();
    one_of("purpose", typed, &purposes)
}

fn known_channel(typed: Option<&str>) -> Result<(), Failure> {
    let channels: Vec<&str> = Channel::ALL.into_iter().map(Channel::as_str).collect();
    one_of("channel", typed, &channels)
}

fn one_of(what: &str, typed: Option<&str>, known: &[&str]) -> Result<(), Failure> {
    match typed {
        Some(word) if !known.contains(&word) => {
            Err(Failure::new(format!("there is no {what} `{word}`")).next(format!("name one of: {}", known.join(", "))))
        }
        _ => Ok(()),
    }
}

/// The reasons for which somebody is on the list.
const REASONS: [&str; 12] = [
    "erased",
    "restricted",
    "operator_block",
    "identity_conflict",
    "address_retired",
    "undeliverable",
    "complaint",
    "objected",
    "withdrawn",
    "refused",
    "reassigned",
    "lapsed",
];

async fn select(store: &dyn Store, law: &Law, selection: &Selection) -> Result<Vec<KeyDecision>, Failure> {
    let mut found = Vec::new();
    decisions::each(store, law, |known| {
        if is_selected(&known, selection) {
            found.push(known);
        }
    })
    .await?;
    found.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(found)
}

fn is_selected(known: &KeyDecision, selection: &Selection) -> bool {
    let decision = &known.decision;
    decision.verdict == Verdict::Deny
        && is_negative(decision.reason)
        && selection.reason.as_ref().is_none_or(|reason| decision.reason.as_str() == reason)
        && selection.purpose.as_ref().is_none_or(|purpose| known.key.purpose.as_str() == purpose)
        && selection.channel.as_ref().is_none_or(|channel| known.key.channel.as_str() == channel)
        && selection.since.is_none_or(|since| known.since.is_none_or(|at| at >= since))
}

fn list(found: &[KeyDecision], desk: Desk<'_>) -> Result<(), Failure> {
    let lines: Vec<Line<'_>> = found
        .iter()
        .map(|known| Line {
            address: known.key.address.canonical(),
            purpose: known.key.purpose.as_str(),
            channel: known.key.channel.as_str(),
            reason: known.decision.reason.as_str(),
            status: known.decision.status.as_str(),
            since: known.since,
        })
        .collect();
    if desk.screen.json {
        return desk.screen.object(&lines);
    }
    let mut rows = table(&["address", "purpose", "channel", "reason", "known since"]);
    for line in &lines {
        let since = line.since.map_or(String::new(), day);
        rows.add_row([&*brief(line.address), line.purpose, line.channel, line.reason, &since]);
    }
    desk.screen.data(rows)?;
    let people: BTreeSet<&str> = lines.iter().map(|line| line.address).collect();
    desk.screen.say(format!(
        "{} suppressions of {} addresses",
        number(lines.len() as u64),
        number(people.len() as u64)
    ));
    Ok(())
}

fn export(found: &[KeyDecision], args: &crate::cli::Export, (site, desk): (&Site, Desk<'_>)) -> Result<(), Failure> {
    let addresses: BTreeSet<&Address> = found.iter().map(|known| &known.key.address).collect();
    handed::remember(site, args.to.as_deref(), "a list of people who must not be contacted", addresses.len() as u64)?;
    let shape = shape(args.shape);
    let failed = |error: ExportError| {
        let next = match error {
            ExportError::Mixed { .. } => "choose those of one kind, such as `--channel email`, then the next",
            ExportError::NoFile { .. } => "name a file, and not only the folder it is to lie in",
            ExportError::Io(_) => {
                "name a place that you may write to and that has room, and run the same command again"
            }
        };
        Failure::of(&error).next(next)
    };
    match &args.out {
        Some(path) => {
            export::write_file(path, addresses.iter().copied(), shape).map_err(failed)?;
            desk.screen.say(format!("wrote {} addresses to {}", number(addresses.len() as u64), path.display()));
        }
        None => {
            export::write(addresses.iter().copied(), shape, io::stdout().lock()).map_err(failed)?;
        }
    }
    Ok(())
}

/// A shape as files are written and read in it.
fn shape(typed: Shape) -> FileShape {
    match typed {
        Shape::Plain => FileShape::Plain,
        Shape::Sha256 => FileShape::Sha256,
        Shape::Sha256Base64 => FileShape::Sha256Base64,
        Shape::Sha1 => FileShape::Sha1,
        Shape::Sha1Base64 => FileShape::Sha1Base64,
        Shape::Md5 => FileShape::Md5,
        Shape::Md5Base64 => FileShape::Md5Base64,
    }
}
