//! Telling a list: entries become facts in the ledger, batch by batch, each batch in one commit.
//!
//! It sends nothing. Whoever a list names is judged by the next sync, whose changes pass the guard like any others: no
//! person said no here, a file did.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use unisson_consent::{Fact, FactId};
use unisson_plan::{Commit, RunId};
use unisson_store::{Store, StoreError};

use crate::clock::Clock;
use crate::watch::recorded;

/// How many entries are written in one commit.
const ENTRIES_PER_COMMIT: usize = 5_000;

/// What became of the entries of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ListReport {
    /// Entries that were told.
    pub read: u64,
    /// Those that nobody had told before; in a trial, those that would be new.
    pub new: u64,
    /// Those that were known, or stand in the list more than once.
    pub known: u64,
    /// Those that name somebody of whom a system has a record now.
    pub held: u64,
}

/// A list being told. No more than one batch of it is held.
#[derive(Debug)]
pub struct Teller<'s> {
    store: &'s dyn Store,
    clock: &'s dyn Clock,
    run: RunId,
    /// Whether nothing is to be told.
    trial: bool,
    batch: Vec<Fact>,
    report: ListReport,
}

impl<'s> Teller<'s> {
    /// Begins to tell a list, or to look what telling it would do.
    pub fn new(store: &'s dyn Store, clock: &'s dyn Clock, trial: bool) -> Self {
        let run = RunId(uuid::Uuid::now_v7().to_string());
        Self { store, clock, run, trial, batch: Vec::new(), report: ListReport::default() }
    }

    /// The name of the commits in the ledger.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// Tells one entry: a fact on no record.
    pub async fn tell(&mut self, entry: Fact) -> Result<(), StoreError> {
        self.batch.push(entry);
        if self.batch.len() < ENTRIES_PER_COMMIT { Ok(()) } else { self.write().await }
    }

    /// Tells the rest, and what became of all. Entries that were told before a failure stay told.
    pub async fn finish(mut self) -> Result<ListReport, StoreError> {
        self.write().await?;
        Ok(self.report)
    }

    async fn write(&mut self) -> Result<(), StoreError> {
        let mut batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return Ok(());
        }
        // A clock that was set back must not make a later word the earlier one.
        let now = self.clock.now();
        let recorded = recorded(self.store, now).await?;
        for fact in &mut batch {
            fact.observed_at = fact.observed_at.max(recorded);
        }
        let met = self.store.met(&batch).await?;
        let mut seen: HashSet<FactId> = HashSet::with_capacity(batch.len());
        let mut unknown = 0;
        for (fact, met) in batch.iter().zip(&met) {
            unknown += u64::from(seen.insert(fact.id) && !met.known);
            self.report.held += u64::from(met.held);
        }
        let read = batch.len() as u64;
        let new = if self.trial {
            unknown
        } else {
            let mut commit = Commit::new(self.run.clone(), now.max(recorded));
            commit.told = batch;
            self.store.commit(commit).await?.facts
        };
        self.report.read += read;
        self.report.new += new;
        self.report.known += read - new;
        Ok(())
    }
}
