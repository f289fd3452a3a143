//! The trait, call by call: each is a job for the thread.

use std::collections::BTreeSet;
use std::path::Path;

use async_trait::async_trait;
use jiff::Timestamp;
use unisson_connector::StreamId;
use unisson_consent::{RecordId, SystemId};
use unisson_plan::{
    Commit, Digest, Dossier, Guarded, KeyDecision, Position, RecordNo, Replica, RunId, SubjectNo, Tally,
};
use unisson_store::{Claim, Claimed, Counts, OutboxCount, Receipt, Result, RunRecord, Store, Verified, Wanted};

use crate::open::{self, Access};
use crate::worker::Worker;
use crate::{commit, dossier, ledger, outbox, place, record, standing};

/// How many record numbers are looked through at once when a sweep ends.
const NUMBERS_PER_PAGE: usize = 10_000;

/// The embedded store.
///
/// Dropping it closes the file and gives up the lock; what was handed over before is done first.
#[derive(Debug)]
pub struct SqliteStore {
    worker: Worker,
}

impl SqliteStore {
    /// Opens the store at this path. Blocks while it does: the tables may have to be brought forward.
    pub fn open(path: impl AsRef<Path>, access: Access) -> Result<Self> {
        Ok(Self { worker: Worker::start(open::open(path.as_ref(), access)?)? })
    }

    /// Opens the store of a URL such as `sqlite:unisson.db`.
    pub fn open_url(url: &str, access: Access) -> Result<Self> {
        Self::open(open::path_of_url(url)?, access)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn known(&self, instance: &SystemId, records: &[RecordId]) -> Result<Vec<Option<(RecordNo, Digest)>>> {
        let (instance, records) = (instance.clone(), records.to_vec());
        self.worker.call(move |db| record::known(db, &instance, &records)).await
    }

    async fn replicas(&self, instance: &SystemId, records: &[RecordId]) -> Result<Vec<Option<Replica>>> {
        let (instance, records) = (instance.clone(), records.to_vec());
        self.worker.call(move |db| record::replicas(db, &instance, &records)).await
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt> {
        self.worker.call(move |db| commit::write(db, commit)).await
    }

    async fn stale(&self, now: Timestamp, limit: usize) -> Result<Vec<SubjectNo>> {
        self.worker.call(move |db| standing::stale(db, now, limit)).await
    }

    async fn dossiers(&self, subjects: &[SubjectNo]) -> Result<Vec<Dossier>> {
        let subjects = subjects.to_vec();
        self.worker.call(move |db| dossier::dossiers(db, &subjects)).await
    }

    async fn adopt_law(&self, hash: &str) -> Result<bool> {
        let hash = hash.to_owned();
        self.worker.call(move |db| standing::adopt_law(db, &hash)).await
    }

    async fn tally(&self) -> Result<Vec<Tally>> {
        self.worker.call(outbox::tally).await
    }

    async fn release(&self, instance: &SystemId, _proof: Guarded) -> Result<u64> {
        let instance = instance.clone();
        self.worker.call(move |db| outbox::release(db, &instance)).await
    }

    async fn hold(&self, instance: &SystemId, run: &RunId) -> Result<u64> {
        let (instance, run) = (instance.clone(), run.clone());
        self.worker.call(move |db| outbox::hold(db, &instance, &run)).await
    }

    async fn approve(&self, run: &RunId, _proof: Guarded) -> Result<u64> {
        let run = run.clone();
        self.worker.call(move |db| outbox::approve(db, &run)).await
    }

    async fn claim(&self, claim: Claim<'_>) -> Result<Vec<Claimed>> {
        let instance = claim.instance.clone();
        let Claim { now, until, limit, openings, .. } = claim;
        self.worker.call(move |db| outbox::claim(db, &Claim { instance: &instance, now, until, limit, openings })).await
    }

    async fn outbox(&self) -> Result<Vec<OutboxCount>> {
        self.worker.call(outbox::counts).await
    }

    async fn position(&self, instance: &SystemId, stream: &StreamId) -> Result<Option<Position>> {
        let (instance, stream) = (instance.clone(), stream.clone());
        self.worker.call(move |db| place::position(db, &instance, &stream)).await
    }

    async fn absentees(
        &self,
        instance: &SystemId,
        stream: &StreamId,
        seen: &BTreeSet<RecordNo>,
    ) -> Result<Vec<RecordNo>> {
        let mut absent = Vec::new();
        let mut after = RecordNo(0);
        loop {
            let (instance, stream) = (instance.clone(), stream.clone());
            let page =
                self.worker.call(move |db| place::present(db, (&instance, &stream), after, NUMBERS_PER_PAGE)).await?;
            let Some(last) = page.last() else { return Ok(absent) };
            after = *last;
            absent.extend(page.into_iter().filter(|number| !seen.contains(number)));
        }
    }

    async fn contacts(&self, instance: &SystemId) -> Result<u64> {
        let instance = instance.clone();
        self.worker.call(move |db| place::contacts(db, &instance)).await
    }

    async fn save_run(&self, run: RunRecord) -> Result<()> {
        self.worker.call(move |db| place::save_run(db, &run)).await
    }

    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>> {
        self.worker.call(move |db| place::runs(db, limit)).await
    }

    async fn find(&self, wanted: &Wanted) -> Result<Vec<SubjectNo>> {
        let wanted = wanted.clone();
        self.worker.call(move |db| place::find(db, &wanted)).await
    }

    async fn standings(&self, after: Option<SubjectNo>, limit: usize) -> Result<Vec<(SubjectNo, Vec<KeyDecision>)>> {
        self.worker.call(move |db| standing::standings(db, after, limit)).await
    }

    async fn verify(&self) -> Result<Verified> {
        self.worker.call(ledger::verify).await
    }

    async fn counts(&self, now: Timestamp) -> Result<Counts> {
        self.worker.call(move |db| place::counts(db, now)).await
    }
}
