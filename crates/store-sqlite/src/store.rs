//! The trait, call by call: each is a job for the thread.

use std::collections::BTreeSet;
use std::path::Path;

use async_trait::async_trait;
use jiff::Timestamp;
use unisson_connector::{ChangeId, StreamId};
use unisson_consent::{Fact, FactId, Keyring, RecordId, RecordRef, SystemId};
use unisson_plan::erasure::{Case, CaseId, Held};
use unisson_plan::{
    Commit, Digest, Dossier, Guarded, KeyDecision, PlanId, Position, RecordNo, Replica, RunId, SubjectNo, Tally,
};
use unisson_store::ledger::{Entry, LedgerCommit};
use unisson_store::{
    CaseCount, Cases, Claim, Claimed, Counts, LedgerFact, Met, Naming, OutboxChange, OutboxCount, OutboxNo, Purge,
    Purged, Receipt, Result, RunRecord, Store, Verified, Wanted,
};

use crate::db::Db;
use crate::examine::{self, Examination};
use crate::open::{self, Access};
use crate::worker::Worker;
use crate::{case, commit, digest, dossier, earmark, ledger, outbox, place, purge, record, standing};

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
    /// Opens the store at this path, without any key. Blocks while it does: the tables may have to be brought forward.
    pub fn open(path: impl AsRef<Path>, access: Access) -> Result<Self> {
        Self::open_with(path, access, Keyring::default())
    }

    /// Opens the store at this path with the keys that people were erased under. Who writes to a store that somebody was
    /// erased in needs them: without one, [`Unavailable`](unisson_store::StoreErrorKind::Unavailable) names it.
    pub fn open_with(path: impl AsRef<Path>, access: Access, keyring: Keyring) -> Result<Self> {
        Ok(Self { worker: Worker::start(open::open(path.as_ref(), access, keyring)?)? })
    }

    /// Opens the store of a URL such as `sqlite:unisson.db`.
    pub fn open_url(url: &str, access: Access) -> Result<Self> {
        Self::open(open::path_of_url(url)?, access)
    }

    /// Opens the store of a URL with the keys that people were erased under: see [`Self::open_with`].
    pub fn open_url_with(url: &str, access: Access, keyring: Keyring) -> Result<Self> {
        Self::open_with(open::path_of_url(url)?, access, keyring)
    }

    /// Looks for damage and contradictions in everything that is stored. Takes as long as reading it all does, and changes
    /// nothing.
    pub async fn examine(&self) -> Result<Examination> {
        self.worker.call(examine::examine).await
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
        // What was written is given back, so that it is not the thread that spends time on taking it apart.
        let write = move |db: &mut Db| {
            let mut commit = commit;
            let receipt = commit::write(db, &mut commit)?;
            Ok((receipt, commit))
        };
        Ok(self.worker.call(write).await?.0)
    }

    async fn met(&self, facts: &[Fact]) -> Result<Vec<Met>> {
        let facts = facts.to_vec();
        self.worker.call(move |db| digest::met(db, &facts)).await
    }

    async fn stale(&self, now: Timestamp, limit: usize) -> Result<Vec<SubjectNo>> {
        self.worker.call(move |db| standing::stale(db, now, limit)).await
    }

    async fn subjects(&self, after: Option<SubjectNo>, limit: usize) -> Result<Vec<SubjectNo>> {
        self.worker.call(move |db| standing::subjects(db, after, limit)).await
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
        let plan = claim.plan.cloned();
        let Claim { now, until, limit, openings, .. } = claim;
        let claim = move |db: &mut Db| {
            let plan = plan.as_ref();
            outbox::claim(db, &Claim { instance: &instance, now, until, limit, openings, plan })
        };
        self.worker.call(claim).await
    }

    async fn outbox(&self) -> Result<Vec<OutboxCount>> {
        self.worker.call(outbox::counts).await
    }

    async fn planned(&self, after: Option<OutboxNo>, limit: usize) -> Result<Vec<OutboxChange>> {
        self.worker.call(move |db| earmark::planned(db, after, limit)).await
    }

    async fn changes(&self, ids: &[ChangeId]) -> Result<Vec<Option<OutboxChange>>> {
        let ids = ids.to_vec();
        self.worker.call(move |db| earmark::changes(db, &ids)).await
    }

    async fn earmark(&self, plan: &PlanId, ids: &[ChangeId]) -> Result<u64> {
        let (plan, ids) = (plan.clone(), ids.to_vec());
        self.worker.call(move |db| earmark::earmark(db, &plan, &ids)).await
    }

    async fn tally_of(&self, plan: &PlanId) -> Result<Vec<Tally>> {
        let plan = plan.clone();
        self.worker.call(move |db| earmark::tally_of(db, &plan)).await
    }

    async fn release_of(&self, plan: &PlanId, instance: &SystemId, _proof: Guarded) -> Result<u64> {
        let (plan, instance) = (plan.clone(), instance.clone());
        self.worker.call(move |db| earmark::release_of(db, &plan, &instance)).await
    }

    async fn outbox_of(&self, plan: &PlanId) -> Result<Vec<OutboxCount>> {
        let plan = plan.clone();
        self.worker.call(move |db| earmark::outbox_of(db, &plan)).await
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

    async fn commits(&self, from: u64, limit: usize) -> Result<Vec<LedgerCommit>> {
        self.worker.call(move |db| ledger::commits(db, from, limit)).await
    }

    async fn ledger_facts(&self, entries: &[Entry], naming: Naming) -> Result<Vec<Option<LedgerFact>>> {
        let entries = entries.to_vec();
        self.worker.call(move |db| ledger::facts(db, &entries, naming)).await
    }

    async fn systems(&self) -> Result<Vec<(SystemId, u64)>> {
        self.worker.call(place::systems).await
    }

    async fn counts(&self, now: Timestamp) -> Result<Counts> {
        self.worker.call(move |db| place::counts(db, now)).await
    }

    async fn case(&self, id: &CaseId) -> Result<Option<Case>> {
        let id = id.clone();
        self.worker.call(move |db| case::case(db, &id)).await
    }

    async fn cases(&self, which: Cases, after: Option<&CaseId>, limit: usize) -> Result<Vec<Case>> {
        let after = after.cloned();
        self.worker.call(move |db| case::cases(db, which, after.as_ref(), limit)).await
    }

    async fn case_counts(&self) -> Result<Vec<CaseCount>> {
        self.worker.call(case::counts).await
    }

    async fn cases_of(&self, facts: &[FactId]) -> Result<Vec<Case>> {
        let facts = facts.to_vec();
        self.worker.call(move |db| case::cases_of(db, &facts)).await
    }

    async fn reappearances(&self, since: Timestamp) -> Result<Vec<(SystemId, u64)>> {
        self.worker.call(move |db| case::reappearances(db, since)).await
    }

    async fn subjects_of(&self, facts: &[FactId]) -> Result<Vec<Option<SubjectNo>>> {
        let facts = facts.to_vec();
        self.worker.call(move |db| record::subjects_of(db, &facts)).await
    }

    async fn numbers(&self, records: &[RecordRef]) -> Result<Vec<Option<RecordNo>>> {
        let records = records.to_vec();
        self.worker.call(move |db| record::numbers(db, &records)).await
    }

    async fn shown(&self, records: &[RecordNo]) -> Result<Vec<Option<Replica>>> {
        let records = records.to_vec();
        self.worker.call(move |db| record::shown(db, &records)).await
    }

    async fn purge(&self, purge: Purge) -> Result<Purged> {
        self.worker.call(move |db| purge::purge(db, &purge)).await
    }

    async fn forget_traces(&self) -> Result<bool> {
        self.worker.call(purge::forget_traces).await
    }

    async fn is_held(&self, instance: &SystemId, records: &[RecordId]) -> Result<Vec<bool>> {
        let (instance, records) = (instance.clone(), records.to_vec());
        self.worker.call(move |db| case::is_held(db, &instance, &records)).await
    }

    async fn held(&self, record: RecordNo) -> Result<Option<Held>> {
        self.worker.call(move |db| case::held(db, record)).await
    }

    async fn journal_head(&self) -> Result<Option<(u64, [u8; 32])>> {
        self.worker.call(case::journal_head).await
    }

    async fn set_journal_head(&self, lines: u64, hash: [u8; 32]) -> Result<()> {
        self.worker.call(move |db| case::set_journal_head(db, lines, hash)).await
    }
}
