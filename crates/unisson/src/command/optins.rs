//! `optins report`: which opt-ins are consents as they stand, what the others lack, when they lapse, and whom a campaign may
//! be sent to.
//!
//! It asks the law about everybody anew, page by page, so that it can tell of a day to come; it keeps figures only.

mod report;
mod segments;
mod sheet;

use std::path::Path;

use indicatif::ProgressBar;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use unisson_consent::{Law, PurposeId, Standing, SystemId};
use unisson_plan::{Census, Only, SubjectNo};
use unisson_store::Store;
use unisson_store_sqlite::Access;

use crate::cli::{Optins, OptinsReport};
use crate::command::Desk;
use crate::compose::Site;
use crate::exit::{Ending, Failure, Outcome};
use crate::handed;
use crate::screen::number;
use report::{LastRun, Report};
use segments::{Segments, Written};

pub(crate) use report::FIELDS;

/// How many people are read at once.
const PAGE: usize = 500;

pub(crate) async fn run(command: &Optins, desk: Desk<'_>) -> Outcome {
    let Optins::Report(args) = command;
    let site = Site::load(desk.config)?;
    let store = site.open(Access::ReadOnly)?;
    let only = only(args, &site, store.as_ref()).await?;
    let now = moment(args.at, Timestamp::now())?;
    let mut segments = args.segments.as_deref().map(Segments::begin).transpose()?;
    let mut census = Census::new(now, only);
    let watched = watched(store.as_ref(), desk).await?;
    survey((store.as_ref(), &site.law), (&mut census, segments.as_mut()), &watched).await?;
    watched.finish_and_clear();
    let purposes: Vec<PurposeId> = site.law.policy.purposes.keys().cloned().collect();
    let written = segments.map(|segments| segments.finish(&census, &purposes)).transpose()?.unwrap_or_default();
    let last_run = store.runs(1).await?.into_iter().next().map(|run| LastRun {
        run: run.id.0,
        started_at: run.started_at,
        state: run.state.as_str(),
    });
    let people: u64 = written.iter().map(|file| file.rows).sum();
    if people > 0 {
        handed::remember(&site, args.to.as_deref(), "segments of people to be asked, or who consented", people)?;
    }
    say(&written, args.segments.as_deref(), desk);
    let campaign = written.is_empty() && segments::is_wanted(&census);
    if desk.screen.json {
        desk.screen.object(&Report::of(&census, &site, (last_run, written)))?;
    } else {
        sheet::show(&census, &site, (last_run.as_ref(), desk.screen))?;
        if campaign {
            desk.screen.say("\nwrite them down for a campaign: `unisson optins report --segments DIR`");
        }
    }
    Ok(Ending::Done)
}

/// Counts everybody, and writes whoever a campaign may be sent to.
async fn survey(
    (store, law): (&dyn Store, &Law),
    (census, mut segments): (&mut Census, Option<&mut Segments>),
    watched: &ProgressBar,
) -> Result<(), Failure> {
    let mut after: Option<SubjectNo> = None;
    loop {
        let page = store.subjects(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(*last);
        for dossier in store.dossiers(&page).await? {
            let opt_ins = Standing::fold(dossier.facts, &[], law).opt_ins(law, census.now);
            census.count(&opt_ins);
            if let Some(segments) = segments.as_deref_mut() {
                opt_ins
                    .placed
                    .iter()
                    .filter(|opt_in| census.takes(opt_in))
                    .try_for_each(|opt_in| segments.write(opt_in))?;
            }
        }
        watched.inc(page.len() as u64);
    }
}

/// A misspelt filter would count nobody and look like good news.
async fn only(args: &OptinsReport, site: &Site, store: &dyn Store) -> Result<Only, Failure> {
    let purposes: Vec<String> = site.law.policy.purposes.keys().map(ToString::to_string).collect();
    let mut systems: Vec<String> = site.settings.instances.keys().cloned().collect();
    systems.extend(store.systems().await?.into_iter().map(|(system, _)| system.to_string()));
    systems.sort();
    systems.dedup();
    known("purpose", args.purpose.as_deref(), &purposes)?;
    known("system", args.system.as_deref(), &systems)?;
    Ok(Only { purpose: args.purpose.as_deref().map(PurposeId::new), system: args.system.as_deref().map(SystemId::new) })
}

fn known(what: &str, typed: Option<&str>, known: &[String]) -> Result<(), Failure> {
    match typed {
        Some(word) if !known.iter().any(|known| known == word) => {
            let names = if known.is_empty() { "(there is none yet)".to_owned() } else { known.join(", ") };
            Err(Failure::new(format!("there is no {what} `{word}`")).next(format!("name one of: {names}")))
        }
        _ => Ok(()),
    }
}

/// The moment the report is about: the present, or one to come. What is known cannot be unlearnt, so it cannot be about a
/// day that is over; the day that has begun means the present.
fn moment(at: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, Failure> {
    let Some(at) = at else { return Ok(now) };
    let today = TimeZone::UTC.to_datetime(now).date();
    if TimeZone::UTC.to_datetime(at).date() < today {
        let example = now.checked_add(24.hours() * 30).map_or(today, |later| TimeZone::UTC.to_datetime(later).date());
        return Err(Failure::new(
            "the report looks ahead, and that day is over: what was learnt since cannot be unlearnt",
        )
        .next(format!("name today or a day to come, such as {example}")));
    }
    Ok(at.max(now))
}

/// Something to look at while a million people are asked about.
async fn watched(store: &dyn Store, desk: Desk<'_>) -> Result<ProgressBar, Failure> {
    if !desk.screen.progress {
        return Ok(ProgressBar::hidden());
    }
    let people = store.counts(Timestamp::now()).await?.subjects;
    Ok(crate::watch::people("counted", people))
}

fn say(written: &[Written], folder: Option<&Path>, desk: Desk<'_>) {
    let Some(folder) = folder else { return };
    for file in written {
        let name = file.file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        desk.screen.say(format!("wrote {} addresses to {name}", number(file.rows)));
        if file.set_aside.malformed > 0 {
            let count = number(file.set_aside.malformed);
            desk.screen.say(format!("  {count} are not in it: nothing can be sent to the address as it is spelt"));
        }
        if file.set_aside.formula > 0 {
            let count = number(file.set_aside.formula);
            desk.screen.say(format!("  {count} are not in it: a spreadsheet would take the address for a formula"));
        }
    }
    desk.screen.say(format!(
        "{} files in {}; sync again and write them anew before each sending",
        number(written.len() as u64),
        folder.display()
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_report_is_about_today_or_a_day_to_come() {
        let now = at("2026-11-24T18:00:00Z");
        let told = |text: &str| moment(Some(at(text)), now).ok();
        assert_eq!(moment(None, now).ok(), Some(now));
        assert_eq!(told("2026-11-24T00:00:00Z"), Some(now), "the day that has begun is the present");
        assert_eq!(told("2027-01-01T00:00:00Z"), Some(at("2027-01-01T00:00:00Z")));
        assert_eq!(told("2026-11-23T23:59:59Z"), None);
    }
}
