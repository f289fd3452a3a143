//! A store that is older than its journal was restored from a backup: what it forgot is told to it again before anything
//! is sent (I29).

use jiff::Timestamp;
use unisson_consent::{Actor, Channel, Fact, Kind, Occurred, Purposes, Scope, SystemId, Via, Who};
use unisson_plan::Commit;
use unisson_store::{StoreError, StoreErrorKind};

use super::freeze::tombstone;
use super::receive::HOST;
use crate::host::Run;
use crate::journal::JournalLine;

const DURING: &str = "compare the store with its journal of erasures";

impl Run<'_> {
    /// Tells the store what its journal knows and it does not. Answers in words what that was, where the store had been
    /// restored.
    pub(crate) async fn catch_up(&self) -> Result<Option<String>, StoreError> {
        let store = &self.engine.store;
        let known = store.journal_head().await?;
        let Some(journal) = &self.engine.erasures.journal else {
            return match known {
                None => Ok(None),
                Some(_) => {
                    Err(unusable("this store has erased people, and no journal is configured: name it under [erasure]"))
                }
            };
        };
        if let Some(known) = known
            && !journal.knows(known)?
        {
            let what = "the journal of erasures lacks what the store knows of it: put the journal back that belongs to this \
                 store; without it, erased people could come back unseen";
            return Err(unusable(what));
        }
        let head = journal.head();
        if known.map_or(0, |known| known.0) == head.0 {
            return Ok(None);
        }
        let lines = journal.after(known.map_or(0, |known| known.0))?;
        let (mut commit, mut erasures, mut refusals, mut ahead) = (self.empty(), 0_u64, 0_u64, 0_u64);
        for line in lines {
            match line {
                JournalLine::Tombstone { fact, hashes, at, .. } => {
                    erasures += 1;
                    commit.told.push(tombstone(fact, hashes, at));
                }
                JournalLine::Refusal { restricts, fact, hashes, at } => {
                    refusals += 1;
                    commit.told.push(refusal(restricts, (fact, hashes), at));
                }
                JournalLine::Ledger { commits, .. } => ahead = commits,
                JournalLine::Case { .. } => {}
            }
        }
        let restored = ahead > store.counts(self.now()).await?.commits;
        store.commit(commit).await?;
        store.set_journal_head(head.0, head.1).await?;
        Ok(restored.then(|| {
            format!(
                "the store is older than its journal of erasures, as after the restore of a backup: {erasures} erased \
                 addresses and {refusals} refusals were told to it again, and every system is read in full before anybody \
                 is opted in"
            )
        }))
    }

    /// Puts the end of the ledger into the journal, so that an older store is known as one.
    pub(crate) async fn mark_ledger(&self) -> Result<(), StoreError> {
        let store = &self.engine.store;
        if self.engine.erasures.journal.is_none() {
            return Ok(());
        }
        let commits = store.counts(self.now()).await?.commits;
        if commits == self.ledger_at_start {
            return Ok(());
        }
        let last = store.commits(commits, 1).await?;
        let Some(last) = last.last() else { return Ok(()) };
        let line = JournalLine::Ledger { commits, head: last.hash, at: self.now() };
        self.record(&[line]).await.map(|_| ())
    }

    fn empty(&self) -> Commit {
        Commit::new(self.id.clone(), self.heard_at())
    }
}

/// A refusal of which only digests remain.
fn refusal(
    restricts: bool,
    (id, hashes): (unisson_consent::FactId, Vec<unisson_consent::HashedAddress>),
    at: Timestamp,
) -> Fact {
    Fact {
        id,
        system: SystemId::new(HOST),
        record: None,
        who: Who { hashes, ..Who::default() },
        observed_at: at,
        occurred: Occurred::Instant(at),
        seq: None,
        actor: Actor::DataSubject,
        via: Via::Message,
        scope: Scope { purposes: Purposes::AllMarketing, channels: Channel::ALL.into_iter().collect() },
        kind: if restricts { Kind::Restrict } else { Kind::Object },
        echo_of: None,
    }
}

fn unusable(what: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, DURING, what)
}
