//! The store in memory: for tests, trials and dry runs. It forgets everything when it is dropped.
//!
//! Facts, replicas and standings go through the codec here as well, so what works here works on disk.

mod case;
mod change;
mod commit;
mod earmark;
mod ledger;
mod purge;
mod read;
mod state;

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use unisson_connector::{ChangeId, StreamId};
use unisson_consent::{Fact, FactId, Keyring, RecordId, RecordRef, SystemId};
use unisson_plan::erasure::{Case, CaseId, Held};
use unisson_plan::{
    Commit, Digest, Dossier, Guarded, KeyDecision, PlanId, Position, RecordNo, Replica, RunId, SubjectNo, Tally,
};

use crate::error::Result;
use crate::ledger::{Entry, LedgerCommit};
use crate::outbox::OutboxState;
use crate::store::{
    CaseCount, Cases, Claim, Claimed, Counts, LedgerFact, Met, Naming, OutboxChange, OutboxCount, OutboxNo, Purge,
    Purged, Receipt, RunRecord, Store, Verified, Wanted,
};
use state::State;

/// A store that lives as long as its process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store that recognises who was erased under these keys.
    pub fn with_keyring(keyring: Keyring) -> Self {
        Self { state: Mutex::new(State { keyring, ..State::default() }) }
    }

    /// The state. A panic is a bug that was reported where it happened; whoever outlives it may still look.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn known(&self, instance: &SystemId, records: &[RecordId]) -> Result<Vec<Option<(RecordNo, Digest)>>> {
        let state = self.state();
        Ok(records.iter().map(|record| state.known(&named(instance, record))).collect())
    }

    async fn replicas(&self, instance: &SystemId, records: &[RecordId]) -> Result<Vec<Option<Replica>>> {
        let state = self.state();
        records.iter().map(|record| state.replica_of(&named(instance, record))).collect()
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt> {
        self.state().commit(commit)
    }

    async fn met(&self, facts: &[Fact]) -> Result<Vec<Met>> {
        self.state().met(facts)
    }

    async fn stale(&self, now: Timestamp, limit: usize) -> Result<Vec<SubjectNo>> {
        Ok(self.state().stale(now, limit))
    }

    async fn subjects(&self, after: Option<SubjectNo>, limit: usize) -> Result<Vec<SubjectNo>> {
        Ok(self.state().subjects_after(after, limit))
    }

    async fn dossiers(&self, subjects: &[SubjectNo]) -> Result<Vec<Dossier>> {
        self.state().dossiers(subjects)
    }

    async fn adopt_law(&self, hash: &str) -> Result<bool> {
        Ok(self.state().adopt_law(hash))
    }

    async fn tally(&self) -> Result<Vec<Tally>> {
        Ok(self.state().tally())
    }

    async fn release(&self, instance: &SystemId, _proof: Guarded) -> Result<u64> {
        Ok(self.state().move_drafts(instance, OutboxState::Pending, None))
    }

    async fn hold(&self, instance: &SystemId, run: &RunId) -> Result<u64> {
        Ok(self.state().move_drafts(instance, OutboxState::Held, Some(run)))
    }

    async fn approve(&self, run: &RunId, _proof: Guarded) -> Result<u64> {
        Ok(self.state().approve(run))
    }

    async fn claim(&self, claim: Claim<'_>) -> Result<Vec<Claimed>> {
        self.state().claim(&claim)
    }

    async fn outbox(&self) -> Result<Vec<OutboxCount>> {
        Ok(self.state().outbox_counts())
    }

    async fn planned(&self, after: Option<OutboxNo>, limit: usize) -> Result<Vec<OutboxChange>> {
        Ok(self.state().planned_after(after, limit))
    }

    async fn changes(&self, ids: &[ChangeId]) -> Result<Vec<Option<OutboxChange>>> {
        let state = self.state();
        Ok(ids.iter().map(|id| state.change(id)).collect())
    }

    async fn earmark(&self, plan: &PlanId, ids: &[ChangeId]) -> Result<u64> {
        Ok(self.state().earmark(plan, ids))
    }

    async fn tally_of(&self, plan: &PlanId) -> Result<Vec<Tally>> {
        Ok(self.state().tally_of(plan))
    }

    async fn release_of(&self, plan: &PlanId, instance: &SystemId, _proof: Guarded) -> Result<u64> {
        Ok(self.state().release_of(plan, instance))
    }

    async fn outbox_of(&self, plan: &PlanId) -> Result<Vec<OutboxCount>> {
        Ok(self.state().outbox_of(plan))
    }

    async fn position(&self, instance: &SystemId, stream: &StreamId) -> Result<Option<Position>> {
        Ok(self.state().position(instance, stream))
    }

    async fn absentees(
        &self,
        instance: &SystemId,
        stream: &StreamId,
        seen: &BTreeSet<RecordNo>,
    ) -> Result<Vec<RecordNo>> {
        Ok(self.state().absentees(instance, stream, seen))
    }

    async fn contacts(&self, instance: &SystemId) -> Result<u64> {
        Ok(self.state().contacts(instance))
    }

    async fn save_run(&self, run: RunRecord) -> Result<()> {
        self.state().save_run(run);
        Ok(())
    }

    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>> {
        Ok(self.state().runs(limit))
    }

    async fn find(&self, wanted: &Wanted) -> Result<Vec<SubjectNo>> {
        Ok(self.state().find(wanted))
    }

    async fn standings(&self, after: Option<SubjectNo>, limit: usize) -> Result<Vec<(SubjectNo, Vec<KeyDecision>)>> {
        self.state().standings(after, limit)
    }

    async fn verify(&self) -> Result<Verified> {
        self.state().verify()
    }

    async fn commits(&self, from: u64, limit: usize) -> Result<Vec<LedgerCommit>> {
        Ok(self.state().commits(from, limit))
    }

    async fn ledger_facts(&self, entries: &[Entry], naming: Naming) -> Result<Vec<Option<LedgerFact>>> {
        let state = self.state();
        entries.iter().map(|entry| state.ledger_fact(entry, naming)).collect()
    }

    async fn systems(&self) -> Result<Vec<(SystemId, u64)>> {
        Ok(self.state().systems())
    }

    async fn counts(&self, now: Timestamp) -> Result<Counts> {
        Ok(self.state().counts(now))
    }

    async fn case(&self, id: &CaseId) -> Result<Option<Case>> {
        self.state().case(id)
    }

    async fn cases(&self, which: Cases, after: Option<&CaseId>, limit: usize) -> Result<Vec<Case>> {
        self.state().cases(which, after, limit)
    }

    async fn case_counts(&self) -> Result<Vec<CaseCount>> {
        self.state().case_counts()
    }

    async fn cases_of(&self, facts: &[FactId]) -> Result<Vec<Case>> {
        self.state().cases_of(facts)
    }

    async fn reappearances(&self, since: Timestamp) -> Result<Vec<(SystemId, u64)>> {
        self.state().reappearances(since)
    }

    async fn subjects_of(&self, facts: &[FactId]) -> Result<Vec<Option<SubjectNo>>> {
        Ok(self.state().subjects_of(facts))
    }

    async fn numbers(&self, records: &[RecordRef]) -> Result<Vec<Option<RecordNo>>> {
        Ok(self.state().numbers(records))
    }

    async fn shown(&self, records: &[RecordNo]) -> Result<Vec<Option<Replica>>> {
        self.state().replicas_at(records)
    }

    async fn purge(&self, purge: Purge) -> Result<Purged> {
        self.state().purge(&purge)
    }

    async fn forget_traces(&self) -> Result<bool> {
        Ok(true)
    }

    async fn is_held(&self, instance: &SystemId, records: &[RecordId]) -> Result<Vec<bool>> {
        let state = self.state();
        Ok(records.iter().map(|record| state.is_held(&named(instance, record))).collect())
    }

    async fn held(&self, record: RecordNo) -> Result<Option<Held>> {
        self.state().held(record)
    }

    async fn journal_head(&self) -> Result<Option<(u64, [u8; 32])>> {
        Ok(self.state().journal)
    }

    async fn set_journal_head(&self, lines: u64, hash: [u8; 32]) -> Result<()> {
        self.state().journal = Some((lines, hash));
        Ok(())
    }
}

fn named(instance: &SystemId, record: &RecordId) -> RecordRef {
    RecordRef { system: instance.clone(), record: record.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::fixture;

    async fn written() -> MemoryStore {
        let store = MemoryStore::new();
        for (run, native) in [("r1", "a"), ("r2", "b")] {
            store.commit(fixture::commit(run).learn(fixture::contact("news", native)).build()).await.unwrap();
        }
        store.verify().await.unwrap();
        store
    }

    async fn complaint(store: &MemoryStore) -> String {
        store.verify().await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_changed_fact_is_noticed_at_its_commit() {
        let store = written().await;
        store.state().facts.values_mut().last().unwrap().1.push(0);
        assert!(complaint(&store).await.contains("commit 2 "));
    }

    #[tokio::test]
    async fn a_removed_fact_is_noticed_at_its_commit() {
        let store = written().await;
        store.state().facts.pop_first();
        assert!(complaint(&store).await.contains("commit 1 "));
    }

    #[tokio::test]
    async fn an_added_fact_is_noticed_at_the_commit_it_claims() {
        let store = written().await;
        store.state().facts.insert((1, FactId([9; 16])), (2, vec![1]));
        assert!(complaint(&store).await.contains("commit 2 "));
    }

    #[tokio::test]
    async fn a_removed_last_commit_is_noticed_by_the_facts_it_leaves() {
        let store = written().await;
        store.state().ledger.pop();
        assert!(complaint(&store).await.contains("commit 2 "));
    }

    #[tokio::test]
    async fn commits_that_changed_places_are_noticed() {
        let store = written().await;
        store.state().ledger.swap(0, 1);
        assert!(complaint(&store).await.contains("commit 1 "));
    }
}
