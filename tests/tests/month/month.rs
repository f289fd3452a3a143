//! One month from its first day to its last, and what must be true of it.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use unisson_engine::{Clock as _, Order, RunReport};

use crate::company::{Company, End};
use crate::dice::Dice;
use crate::oracle::{Mailed, Wrong, disagreement, mailed, told};
use crate::people::People;
use crate::weather::Weather;
use crate::writes::openings;

/// How many days something happens on.
const DAYS: u32 = 28;
/// How many days everybody rests on in the end, each with one sync: what waits for a day has its turn.
const REST_DAYS: u32 = 2;
/// How many lines of the diary a failure tells.
const DIARY_MAX: usize = 2_000;

/// What months were made of.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) noes: u64,
    pub(crate) openings: u64,
    pub(crate) crashes: u64,
}

impl Figures {
    pub(crate) fn add(&mut self, other: &Self) {
        self.noes += other.noes;
        self.openings += other.openings;
        self.crashes += other.crashes;
    }
}

struct Month {
    company: Company,
    people: People,
    dice: Dice,
    openings: u64,
    /// When the next sync is due: what a sync takes does not move the ones after it.
    due: Instant,
}

/// Lives a month.
pub(crate) async fn month(seed: u64) -> Figures {
    let mut dice = Dice::of(seed);
    let count = 26 + dice.between(0, 14);
    let company = Company::found(seed, count, &mut dice).await;
    let people = People::of(&company);
    let mut month = Month { company, people, dice, openings: 0, due: Instant::now() };
    let mut weather = Weather::default();
    month.sync(&Order::default(), End::Own).await;
    for _ in 0..DAYS {
        let hours = month.dice.pick(&[8, 12, 12]);
        for _ in 0..24 / hours {
            month.pass_until_next(hours, &mut weather).await;
        }
    }
    weather.clear(&month.company);
    month.people.confirm(&month.company);
    month.rest().await;
    Figures { noes: month.people.oracle.said as u64, openings: month.openings, crashes: u64::from(weather.crashes) }
}

impl Month {
    /// Some hours pass, things happen in them, and a sync ends them.
    async fn pass_until_next(&mut self, hours: u64, weather: &mut Weather) {
        let before = Duration::from_mins(90 + self.dice.below(hours * 60 - 120));
        sleep_until(self.due + before).await;
        for _ in 0..=self.dice.below(5) {
            self.people.act(&self.company, &mut self.dice);
        }
        if self.dice.chance(30) {
            self.people.confirm(&self.company);
        }
        for told in weather.turn(&self.company, &mut self.dice) {
            self.people.note(&self.company, &told);
        }
        self.due += Duration::from_hours(hours);
        sleep_until(self.due).await;
        let end = weather.end(&self.company, &mut self.dice);
        self.sync(&Order::default(), end).await;
        if self.dice.chance(30) {
            // Soon enough to read only what changed.
            sleep_until(self.due + Duration::from_mins(30)).await;
            self.people.act(&self.company, &mut self.dice);
            sleep_until(self.due + Duration::from_hours(1)).await;
            self.sync(&Order::default(), End::Own).await;
        }
    }

    /// A sync, or as much of it as the process lives, and everything that it must not have done.
    async fn sync(&mut self, order: &Order, end: End) -> Option<RunReport> {
        let before = mailed(&self.company.twins);
        let report = self.company.sync(order, end).await;
        let how = report.as_ref().map_or("a crash".to_owned(), |report| report.state.clone());
        self.people.note(&self.company, &format!("sync until {end:?}: {how}"));
        self.look(&before).await;
        let report = report?;
        self.people.was_read(&report);
        if self.dice.chance(70) {
            self.approve(&report).await;
        }
        Some(report)
    }

    /// Somebody lets go what the guard held.
    async fn approve(&mut self, report: &RunReport) {
        let runs: BTreeSet<String> = report.instances.values().flat_map(|part| part.held.keys().cloned()).collect();
        for run in runs {
            let before = mailed(&self.company.twins);
            let report = self.company.approve(&run).await;
            self.people.note(&self.company, &format!("approval: {}", report.state));
            self.look(&before).await;
            self.people.was_read(&report);
        }
    }

    /// Watches what has just been written.
    async fn look(&mut self, before: &BTreeSet<Mailed>) {
        for opening in self.company.passages().iter().flat_map(openings) {
            self.openings += 1;
            self.people.note(&self.company, &format!("we opened {}", opening.what));
            self.refuse(self.people.oracle.fault(&opening, &self.company.twins)).await;
        }
        let after = mailed(&self.company.twins);
        self.refuse(self.people.oracle.mailed_after_a_no(after.difference(before))).await;
    }

    /// The last days: everything works, nothing happens, and what was said has reached everyone.
    async fn rest(&mut self) {
        for _ in 0..REST_DAYS {
            tokio::time::sleep(Duration::from_hours(25)).await;
            let sweep = Order { sweep: true, ..Order::default() };
            let report = self.sync(&sweep, End::Own).await.expect("it ends by itself");
            self.approve(&report).await;
        }
        let mut grown = Vec::new();
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_hours(7)).await;
            let report = self.sync(&Order::default(), End::Own).await.expect("it ends by itself");
            self.is_at_rest(&report).await;
            let counts = self.company.store().counts(self.company.clock.now()).await.expect("the store works");
            let outbox = self.company.store().outbox().await.expect("the store works");
            grown.push((counts.facts, counts.records, outbox.iter().map(|count| count.changes).sum::<u64>()));
        }
        let grows = grown.windows(2).any(|pair| pair[0] != pair[1]);
        self.refuse(grows.then(|| wrong(format!("facts, records, changes grow at rest: {grown:?}")))).await;
        self.refuse(self.people.oracle.mailed_after_a_no(mailed(&self.company.twins).iter())).await;
        self.refuse(disagreement(self.company.store(), &self.company.twins).await).await;
        self.company.store().verify().await.expect("the chain of the ledger holds");
    }

    /// A run that ought to have had nothing to do.
    async fn is_at_rest(&self, report: &RunReport) {
        for (name, part) in &report.instances {
            // What a platform refuses stays told until something changes.
            let waits = part.waiting.keys().any(|what| !what.ends_with(" refused"));
            let rests = part.complete && part.planned.is_empty() && part.delivered.is_empty() && part.held.is_empty();
            self.refuse((waits || !rests).then(|| wrong(format!("{name} is not at rest: {part:?}")))).await;
        }
    }

    /// Ends the month where something is wrong, and tells what led to it.
    async fn refuse(&self, wrong: Option<Wrong>) {
        let Some(wrong) = wrong else { return };
        let diary = &self.people.diary;
        let last = diary[diary.len().saturating_sub(DIARY_MAX)..].join("\n    ");
        let facts = told(self.company.store(), &wrong.address).await.join("\n    ");
        panic!("{}\n  what happened:\n    {last}\n  what the ledger holds:\n    {facts}", wrong.what);
    }
}

fn wrong(what: String) -> Wrong {
    Wrong { what, address: String::new() }
}
