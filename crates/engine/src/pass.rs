//! One pass over a stream: lots of pages are learnt, and each is written in one commit together with the place after it.
//!
//! Three things go on at once: pages are read ahead, one lot is learnt, and the one before it is written. Nothing is
//! learnt against a memory that lacks the lot before it: what is still being written is looked at beside the store.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::future::join;
use jiff::{SignedDuration, Timestamp};
use unisson_connector::{Cursor, Next, Observation, Page, Stream};
use unisson_consent::{Law, Purposes, RecordId, Status, SystemId};
use unisson_plan::{
    Commit, Digest, Dossier, GuardRule, Learned, Lesson, Newcomer, Position, RecordNo, Replica, Rules, SubjectNo,
    Tally, admit, judge, learn,
};
use unisson_store::StoreError;

use crate::ahead::{After, Ahead, Lot, Read, Source};
use crate::host::{Instance, Run, count, off_thread};
use crate::judge::rules;
use crate::pull::Stop;
use crate::report::InstanceReport;

/// A pass over one stream.
pub(crate) struct Pass<'r> {
    run: &'r Run<'r>,
    instance: &'r Instance,
    stream: &'r Stream,
    /// Whether it is a full sweep.
    pub(crate) sweeping: bool,
    /// Whether it was begun by this process: only then has it seen everything itself.
    pub(crate) whole: bool,
    /// When the last full sweep was completed.
    swept_at: Option<Timestamp>,
    /// The records it has seen, where it can tell what is gone.
    seen: BTreeSet<RecordNo>,
}

/// Observations that are compared with what is known.
struct Exercise {
    observations: Vec<(Observation, Digest)>,
    /// What is known of those that changed.
    latest: HashMap<RecordId, Replica>,
    position: Position,
}

/// What was learnt from a lot, and the place after it.
struct Learnt {
    news: Vec<Learned>,
    newcomers: Vec<Newcomer>,
    position: Position,
}

impl<'r> Pass<'r> {
    pub(crate) fn new((run, instance): (&'r Run<'r>, &'r Instance), stream: &'r Stream, start: &Position) -> Self {
        let (sweeping, whole) = (start.sweeping, start.cursor.is_none());
        Self { run, instance, stream, sweeping, whole, swept_at: start.swept_at, seen: BTreeSet::new() }
    }

    /// Reads from a place to the end of the stream.
    pub(crate) async fn run_through(&mut self, from: Option<Cursor>, report: &mut InstanceReport) -> Result<(), Stop> {
        let connector = Arc::clone(&self.instance.connector);
        let source = Source { connector, run: self.run.id.0.clone(), stream: self.stream.clone() };
        let mut ahead = Ahead::start(source, from);
        let mut learnt = None;
        loop {
            let lot = if let Some(lot) = ahead.arrived() {
                lot
            } else {
                // Nothing to learn yet: what was learnt is written before anything is waited for.
                let (written, lot) = join(self.write(learnt.take(), report), ahead.next()).await;
                written?;
                lot
            };
            let after = self.work(lot, &mut learnt, report).await?;
            match after {
                After::More => {}
                After::End => return Ok(self.write(learnt, report).await?),
                After::Failed(error) => {
                    self.write(learnt, report).await?;
                    return Err(error.into());
                }
            }
        }
    }

    /// Learns a lot while the one before it is written.
    async fn work(
        &mut self,
        lot: Lot,
        learnt: &mut Option<Learnt>,
        report: &mut InstanceReport,
    ) -> Result<After, StoreError> {
        let Lot { pages, after } = lot;
        if let Some(position) = pages.last().map(|read| self.after(&read.page)) {
            let observations = self.unpack(pages, report);
            self.run.engine.progress.pulled(&self.instance.id, observations.len() as u64);
            let exercise = self.look_up(observations, learnt.as_ref(), position).await?;
            let study = self.study(exercise);
            let (written, learned) = join(self.write(learnt.take(), report), study).await;
            written?;
            report.changed += learned.news.len() as u64;
            *learnt = Some(learned);
        }
        Ok(after)
    }

    /// The place after a page.
    fn after(&self, page: &Page) -> Position {
        match &page.next {
            Next::More(cursor) => Position {
                cursor: Some(cursor.clone()),
                in_pass: true,
                sweeping: self.sweeping,
                swept_at: self.swept_at,
            },
            Next::End { resume, .. } => Position {
                cursor: resume.clone(),
                in_pass: false,
                sweeping: false,
                swept_at: if self.sweeping { Some(self.run.now()) } else { self.swept_at },
            },
        }
    }

    /// The observations of all pages, each with its digest; the rest goes to the report.
    fn unpack(&self, pages: Vec<Read>, report: &mut InstanceReport) -> Vec<(Observation, Digest)> {
        let mut observations = Vec::with_capacity(pages.iter().map(|read| read.digests.len()).sum());
        for Read { page, digests } in pages {
            report.pages += 1;
            report.observed += digests.len() as u64;
            page.rejects.iter().for_each(|reject| report.reject(&reject.place, &reject.reason));
            self.note_unmapped(&page, report);
            observations.extend(page.observations.into_iter().zip(digests));
        }
        observations
    }

    /// Leaves out what is known as it is, and adds what is known of the rest.
    async fn look_up(
        &mut self,
        observations: Vec<(Observation, Digest)>,
        learnt: Option<&Learnt>,
        position: Position,
    ) -> Result<Exercise, StoreError> {
        let store = &self.run.engine.store;
        let records: Vec<RecordId> = observations.iter().map(|(observation, _)| observation.record.clone()).collect();
        let known = store.known(&self.instance.id, &records).await?;
        if self.sweeping && self.whole {
            self.seen.extend(known.iter().flatten().map(|(number, _)| *number));
        }
        let unwritten = learnt.iter().flat_map(|learnt| &learnt.news).map(|learned| &learned.replica);
        let unwritten: HashMap<&RecordId, &Replica> =
            unwritten.map(|replica| (&replica.record.record, replica)).collect();
        // What a hold keeps is none of marketing's business: it is not even looked at.
        let held = store.is_held(&self.instance.id, &records).await?;
        let mut latest = HashMap::new();
        let mut stored = Vec::new();
        let mut changed = Vec::new();
        for ((seen, known), held) in observations.into_iter().zip(known).zip(held) {
            if held {
                continue;
            }
            let record = &seen.0.record;
            let replica = unwritten.get(record);
            let digest = replica.map(|replica| replica.digest).or(known.map(|(_, digest)| digest));
            if digest == Some(seen.1) {
                continue;
            }
            match replica {
                Some(replica) => drop(latest.insert(record.clone(), (*replica).clone())),
                None if known.is_some() => stored.push(record.clone()),
                None => {}
            }
            changed.push(seen);
        }
        if !stored.is_empty() {
            let replicas = store.replicas(&self.instance.id, &stored).await?;
            latest.extend(stored.into_iter().zip(replicas).filter_map(|(record, replica)| Some((record, replica?))));
        }
        Ok(Exercise { observations: changed, latest, position })
    }

    /// Learns off the async threads: it is pure work.
    fn study(&self, exercise: Exercise) -> impl Future<Output = Learnt> + use<> {
        let whose = Whose {
            instance: self.instance.id.clone(),
            stream: self.stream.clone(),
            law: Arc::clone(&self.run.engine.law),
            rules: BTreeMap::from([(self.instance.id.clone(), rules(self.instance, false))]),
            lag: self.lag(),
            now: self.run.now(),
            heard_at: self.run.heard_at(),
        };
        off_thread(move || whose.learn_all(exercise))
    }

    /// Writes what was learnt together with the place after it.
    async fn write(&mut self, learnt: Option<Learnt>, report: &mut InstanceReport) -> Result<(), StoreError> {
        let Some(Learnt { news, newcomers, position }) = learnt else { return Ok(()) };
        let mut commit = Commit::new(self.run.id.clone(), self.run.heard_at());
        commit.learned = news;
        commit.newcomers = newcomers;
        commit.positions.push((self.instance.id.clone(), self.stream.id.clone(), position));
        let receipt = self.run.engine.store.commit(commit).await?;
        report.facts += receipt.facts;
        report.newcomers += receipt.newcomers.len() as u64;
        if self.sweeping && self.whole {
            self.seen.extend(receipt.learned);
        }
        Ok(())
    }

    /// Marks records that a complete sweep no longer showed; a sweep that lost suspiciously many is not believed.
    pub(crate) async fn infer_deletions(&mut self, report: &mut InstanceReport) -> Result<(), StoreError> {
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
    pub(crate) async fn start_anew(&self, report: &mut InstanceReport) -> Result<(), StoreError> {
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

/// Whose observations are learnt, and when.
struct Whose {
    instance: SystemId,
    stream: Stream,
    law: Arc<Law>,
    rules: BTreeMap<SystemId, Rules>,
    lag: SignedDuration,
    now: Timestamp,
    /// When, in the order of the ledger.
    heard_at: Timestamp,
}

impl Whose {
    fn learn_all(&self, exercise: Exercise) -> Learnt {
        let lesson = Lesson {
            instance: &self.instance,
            stream: &self.stream.id,
            country: self.law.policy.country.as_str(),
            lag: self.lag,
            now: self.now,
            observed_at: self.heard_at,
        };
        let Exercise { observations, mut latest, position } = exercise;
        // A record that comes twice is compared with what the first time brought.
        let mut times: HashMap<RecordId, usize> = HashMap::new();
        for (observation, _) in &observations {
            *times.entry(observation.record.clone()).or_default() += 1;
        }
        let mut news = Vec::with_capacity(observations.len());
        let mut newcomers = Vec::new();
        for (observation, digest) in &observations {
            let known = latest.get(&observation.record);
            if known.is_some_and(|known| known.digest == *digest) {
                continue;
            }
            let learned = learn(observation, *digest, known, &lesson);
            let is_new = known.is_none();
            if times.get(&observation.record).is_some_and(|times| *times > 1) {
                latest.insert(observation.record.clone(), learned.replica.clone());
            } else if is_new {
                newcomers.extend(self.welcome(news.len(), &learned));
            }
            news.push(learned);
        }
        Learnt { news, newcomers, position }
    }

    /// Judges a record as if it were new and nobody else's. Whoever is wanted something of is left to the run's judgement,
    /// which has heard every platform: nothing is planned that the next page would take back.
    fn welcome(&self, place: usize, learned: &Learned) -> Option<Newcomer> {
        let dossier = Dossier {
            subject: SubjectNo(0),
            facts: learned.facts.clone(),
            replicas: vec![learned.replica.clone()],
            open: Vec::new(),
        };
        let judged = judge(&dossier, &self.law, &self.rules, self.now);
        (judged.unreached.is_empty() && judged.changes.is_empty()).then_some(Newcomer { place, judged })
    }
}

fn is_suspicious(missing: u64, contacts: u64, rule: GuardRule) -> bool {
    let tally = Tally { instance: "sweep".into(), changes: missing, contacts };
    admit(&[tally], rule).is_err()
}
