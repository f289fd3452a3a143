//! Pulling: every stream of every instance, page by page, each page and its cursor in one commit.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use jiff::SignedDuration;
use unisson_connector::{Cursor, Cx, Deletions, Error, ErrorKind, Next, Page, Pull, Stream};
use unisson_consent::{Purposes, RecordId, Status};
use unisson_plan::{Commit, GuardRule, Learned, Lesson, Position, RecordNo, Replica, learn};
use unisson_store::StoreError;

use crate::host::{Instance, Run, blank, count};
use crate::report::{InstanceReport, RunReport};

/// How many pages one pass may have: a million pages of a hundred contacts are more than any platform holds.
const PAGES_MAX: u64 = 1_000_000;
/// How often one page is asked for before its stream is given up for this run.
const PAGE_ATTEMPTS_MAX: u32 = 4;
/// The first pause before a page is asked for again; each further one is twice as long.
const PAGE_PAUSE: std::time::Duration = std::time::Duration::from_millis(500);

/// How old a sweep may be where only a sweep shows opt-outs: the alarm limit for a refusal that has not reached every
/// system (consent model 1.4).
const OPT_OUT_SWEEP: SignedDuration = SignedDuration::from_hours(4);

/// A pass over one stream.
struct Pass<'r> {
    run: &'r Run<'r>,
    instance: &'r Instance,
    pull: &'r dyn Pull,
    stream: &'r Stream,
    /// Whether it is a full sweep.
    sweeping: bool,
    /// Whether it was begun by this process: only then has it seen everything itself.
    whole: bool,
    seen: BTreeSet<RecordNo>,
}

/// What stops a pass: the platform, or the memory.
enum Stop {
    Platform(Error),
    Memory(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Memory(error)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Platform(error)
    }
}

impl Run<'_> {
    /// Pulls every instance of the order at once. What failed is in the report; an error means the store failed.
    pub(crate) async fn pull(&self, report: &mut RunReport) -> Result<(), StoreError> {
        let pulls = self.engine.instances.iter().map(|instance| self.pull_instance(instance));
        for (instance, pulled) in self.engine.instances.iter().zip(join_all(pulls).await) {
            report.instances.insert(instance.id.as_str().to_owned(), pulled?);
        }
        Ok(())
    }

    async fn pull_instance(&self, instance: &Instance) -> Result<InstanceReport, StoreError> {
        let mut report = blank(instance);
        if !instance.enabled {
            report.errors.push("not reached: the instance is disabled".to_owned());
            return Ok(report);
        }
        if !self.includes(instance) {
            report.complete = true;
            report.notes.push("left out by the order of this run".to_owned());
            return Ok(report);
        }
        let Some(pull) = instance.connector.pull() else {
            report.errors.push("not reached: the connector cannot read contacts".to_owned());
            return Ok(report);
        };
        let cx = Cx { run: &self.id.0 };
        let streams = match pull.streams(&cx).await {
            Ok(streams) => streams,
            Err(error) => {
                report.fail(&error);
                return Ok(report);
            }
        };
        report.complete = true;
        for stream in &streams {
            match self.pull_stream(instance, pull, stream, &mut report).await {
                Ok(()) => {}
                Err(Stop::Platform(error)) => {
                    tracing::warn!(instance.name = %instance.id, error = %error, "a stream was not read to its end");
                    report.complete = false;
                    report.fail(&error);
                }
                Err(Stop::Memory(error)) => return Err(error),
            }
        }
        Ok(report)
    }

    async fn pull_stream(
        &self,
        instance: &Instance,
        pull: &dyn Pull,
        stream: &Stream,
        report: &mut InstanceReport,
    ) -> Result<(), Stop> {
        let position = self.engine.store.position(&instance.id, &stream.id).await?;
        let start = self.start(pull, position);
        let mut pass = Pass {
            run: self,
            instance,
            pull,
            stream,
            sweeping: start.sweeping,
            whole: start.cursor.is_none(),
            seen: BTreeSet::new(),
        };
        report.swept |= pass.sweeping;
        let (pages, rejects) = (report.pages, report.rejects);
        match pass.run_through(start, report).await {
            Err(Stop::Platform(error)) if is_dead_end(&error, report.pages == pages) && !pass.whole => {
                pass.start_anew(report).await?;
                return Err(error.into());
            }
            done => done?,
        }
        // A row that could not be read may be the record that seems to be missing.
        let all_read = report.rejects == rejects;
        if pass.sweeping && pass.whole && all_read && pull.spec().deletions == Deletions::InferBySweep {
            pass.infer_deletions(report).await?;
        }
        Ok(())
    }

    /// Where a pass begins: in the middle of the last one, from its end, or with a full sweep.
    fn start(&self, pull: &dyn Pull, position: Option<Position>) -> Position {
        let fresh = Position { cursor: None, in_pass: true, sweeping: true, swept_at: None };
        let Some(position) = position else { return fresh };
        let swept_at = position.swept_at;
        let every = self.engine.options.sweep_every;
        let every = if pull.spec().incremental_shows_opt_outs { every } else { every.min(OPT_OUT_SWEEP) };
        let due = swept_at.is_none_or(|at| self.now().duration_since(at) >= every);
        if self.order.sweep {
            return Position { swept_at, ..fresh };
        }
        if position.in_pass && position.cursor.is_some() {
            return position;
        }
        if due || position.cursor.is_none() || !pull.spec().incremental {
            return Position { swept_at, ..fresh };
        }
        Position { in_pass: true, sweeping: false, ..position }
    }
}

impl Pass<'_> {
    /// Reads page after page. The next page is fetched while the last one is absorbed.
    async fn run_through(&mut self, start: Position, report: &mut InstanceReport) -> Result<(), Stop> {
        let swept_at = start.swept_at;
        let (run, pull, stream) = (self.run, self.pull, self.stream);
        let mut page = ask(run, pull, stream, start.cursor.as_ref()).await?;
        if let Some(cursor) = &start.cursor {
            leads_on(&page, cursor)?;
        }
        for _ in 0..PAGES_MAX {
            let (position, following) = match page.next.clone() {
                Next::More(cursor) => (
                    Position { cursor: Some(cursor.clone()), in_pass: true, sweeping: self.sweeping, swept_at },
                    Some(cursor),
                ),
                Next::End { resume, .. } => {
                    let swept_at = if self.sweeping { Some(run.now()) } else { swept_at };
                    (Position { cursor: resume, in_pass: false, sweeping: false, swept_at }, None)
                }
            };
            let absorbed = self.absorb(page, position, report);
            let Some(cursor) = following else { return Ok(absorbed.await?) };
            let (absorbed, fetched) = futures::future::join(absorbed, ask(run, pull, stream, Some(&cursor))).await;
            absorbed?;
            page = fetched?;
            leads_on(&page, &cursor)?;
        }
        Err(Error::new(ErrorKind::Bounds, "read a stream").with("pages", PAGES_MAX).into())
    }

    /// Learns what a page brings and commits it together with the place after it.
    async fn absorb(&mut self, page: Page, position: Position, report: &mut InstanceReport) -> Result<(), StoreError> {
        let engine = self.run.engine;
        let now = self.run.now();
        report.pages += 1;
        report.observed += page.observations.len() as u64;
        for reject in &page.rejects {
            report.reject(&reject.place, &reject.reason);
        }
        self.note_unmapped(&page, report);

        let records: Vec<RecordId> = page.observations.iter().map(|observation| observation.record.clone()).collect();
        let known = engine.store.known(&self.instance.id, &records).await?;
        self.seen.extend(known.iter().flatten().map(|(number, _)| *number));
        let news: Vec<_> = page
            .observations
            .iter()
            .zip(known)
            .filter(|(observation, known)| {
                known.is_none_or(|(_, digest)| digest != unisson_plan::Digest::of(observation))
            })
            .map(|(observation, _)| observation)
            .collect();
        let changed: Vec<RecordId> = news.iter().map(|observation| observation.record.clone()).collect();
        let replicas = engine.store.replicas(&self.instance.id, &changed).await?;
        let mut latest: BTreeMap<RecordId, Replica> =
            changed.into_iter().zip(replicas).filter_map(|(record, replica)| Some((record, replica?))).collect();

        let lesson = Lesson {
            instance: &self.instance.id,
            stream: &self.stream.id,
            country: engine.law.policy.country.as_str(),
            lag: self.lag(),
            now,
        };
        let mut commit = Commit::new(self.run.id.clone(), now);
        for observation in news {
            let learned: Learned = learn(observation, latest.get(&observation.record), &lesson);
            latest.insert(observation.record.clone(), learned.replica.clone());
            commit.learned.push(learned);
        }
        commit.positions.push((self.instance.id.clone(), self.stream.id.clone(), position));
        report.changed += commit.learned.len() as u64;
        let fresh: Vec<RecordId> = commit.learned.iter().map(|learned| learned.replica.record.record.clone()).collect();
        report.facts += engine.store.commit(commit).await?.facts;
        if self.sweeping && self.whole && !fresh.is_empty() {
            let numbers = engine.store.known(&self.instance.id, &fresh).await?;
            self.seen.extend(numbers.into_iter().flatten().map(|(number, _)| number));
        }
        engine.progress.pulled(&self.instance.id, records.len() as u64);
        Ok(())
    }

    /// Marks records that a complete sweep no longer showed; a sweep that lost suspiciously many is not believed.
    async fn infer_deletions(&mut self, report: &mut InstanceReport) -> Result<(), StoreError> {
        let engine = self.run.engine;
        let absent = engine.store.absentees(&self.instance.id, &self.stream.id, &self.seen).await?;
        if absent.is_empty() {
            return Ok(());
        }
        let contacts = engine.store.contacts(&self.instance.id).await?;
        if is_suspicious(absent.len() as u64, contacts, engine.options.guard) {
            report.errors.push(format!(
                "{} of {contacts} contacts were missing from {}: too many to believe, so none is taken as deleted",
                absent.len(),
                self.stream.title
            ));
            return Ok(());
        }
        report.vanished += absent.len() as u64;
        let mut commit = Commit::new(self.run.id.clone(), self.run.now());
        commit.absent = absent;
        engine.store.commit(commit).await?;
        Ok(())
    }

    /// Forgets a place from which no pass can go on, and says so: the next run sweeps the stream.
    async fn start_anew(&self, report: &mut InstanceReport) -> Result<(), StoreError> {
        let mut commit = Commit::new(self.run.id.clone(), self.run.now());
        let position = Position { cursor: None, in_pass: false, sweeping: false, swept_at: None };
        commit.positions.push((self.instance.id.clone(), self.stream.id.clone(), position));
        self.run.engine.store.commit(commit).await?;
        report.notes.push(format!("{}: the next run reads it from the beginning", self.stream.title));
        Ok(())
    }

    fn note_unmapped(&self, page: &Page, report: &mut InstanceReport) {
        for slot in page.observations.iter().flat_map(|observation| &observation.slots) {
            let Purposes::List(list) = &slot.scope.purposes else { continue };
            let mapped = self.run.engine.law.policy.list_purpose(&self.instance.id, list).is_some();
            if !mapped && slot.status == Status::Subscribed {
                count(&mut report.unmapped, list.as_str().to_owned(), 1);
            }
        }
    }

    fn lag(&self) -> SignedDuration {
        let lag = self.instance.connector.push().map(|push| push.spec().read_after_write_lag).unwrap_or_default();
        SignedDuration::try_from(lag).unwrap_or(SignedDuration::MAX)
    }
}

/// Asks for one page, again where the failure may pass. A platform that asks for a long pause ends the pass: the cursor
/// stays, and the next run goes on from there.
async fn ask(run: &Run<'_>, pull: &dyn Pull, stream: &Stream, from: Option<&Cursor>) -> Result<Page, Error> {
    let cx = Cx { run: &run.id.0 };
    let mut pause = PAGE_PAUSE;
    for _ in 1..PAGE_ATTEMPTS_MAX {
        match pull.page(&cx, &stream.id, from).await {
            Err(error) if error.kind().may_pass() && !matches!(error.kind(), ErrorKind::RateLimited(_)) => {
                tracing::info!(stream = %stream.title, error = %error, "asking for a page again");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            answer => return answer,
        }
    }
    pull.page(&cx, &stream.id, from).await
}

/// Refuses a page that leads to itself, before anything of it is kept.
fn leads_on(page: &Page, from: &Cursor) -> Result<(), Error> {
    match &page.next {
        Next::More(cursor) if cursor == from => {
            Err(Error::new(ErrorKind::Contract, "read a stream: a page leads to itself"))
        }
        _ => Ok(()),
    }
}

/// Whether a pass that went on from an earlier place will fail there again: its cursor is not understood any more, or
/// what was missing then cannot turn up now.
fn is_dead_end(error: &Error, at_first_page: bool) -> bool {
    match error.kind() {
        ErrorKind::Incomplete => true,
        ErrorKind::Contract | ErrorKind::Refused | ErrorKind::NotFound => at_first_page,
        _ => false,
    }
}

fn is_suspicious(missing: u64, contacts: u64, rule: GuardRule) -> bool {
    let tally = unisson_plan::Tally { instance: "sweep".into(), changes: missing, contacts };
    unisson_plan::admit(&[tally], rule).is_err()
}
