//! The ledger: facts are added and never changed, and every commit that adds some is chained to the one before.
//!
//! An entry names a fact by the number of its record and its id, with a digest of the bytes as they are kept. The hash of a
//! commit covers its place, its time, its run, its entries and the hash before it, so nothing can be changed, removed,
//! added or reordered without the chain showing where. Whoever keeps the last hash elsewhere can prove the whole past.
//!
//! What is purged is the content of a fact, never its entry: a later commit names it once more, with a digest of zeros, and
//! so says that its bytes are gone on purpose.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::Digest as _;
use unisson_consent::FactId;
use unisson_plan::RunId;

use crate::codec::nanos;
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::store::Verified;

/// One fact in a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The number of the record it is kept with; 0 where it reaches everyone.
    pub record: u64,
    /// Its id.
    pub id: FactId,
    /// The first half of the SHA-256 of its bytes; zeros say that a fact of an earlier commit was purged.
    pub digest: [u8; 16],
}

impl Entry {
    /// How many bytes an entry takes.
    pub const BYTES: usize = 40;

    /// The entry of a fact and its bytes.
    pub fn of(record: u64, id: FactId, body: &[u8]) -> Self {
        let whole = sha2::Sha256::digest(body);
        let mut digest = [0; 16];
        digest.copy_from_slice(&whole[..16]);
        Self { record, id, digest }
    }

    /// The entry that says of an earlier fact that its content is gone.
    pub fn purging(record: u64, id: FactId) -> Self {
        Self { record, id, digest: [0; 16] }
    }

    /// Whether it says that an earlier fact is gone, rather than that a fact was told.
    pub fn is_purging(&self) -> bool {
        self.digest == [0; 16]
    }

    /// Adds its bytes to those of the entries before it.
    pub fn append_to(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.record.to_be_bytes());
        bytes.extend(self.id.0);
        bytes.extend(self.digest);
    }

    fn read(bytes: &[u8; Self::BYTES]) -> Self {
        let (mut record, mut id, mut digest) = ([0; 8], [0; 16], [0; 16]);
        record.copy_from_slice(&bytes[..8]);
        id.copy_from_slice(&bytes[8..24]);
        digest.copy_from_slice(&bytes[24..]);
        Self { record: u64::from_be_bytes(record), id: FactId(id), digest }
    }
}

/// A commit of the ledger as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerCommit {
    /// Its place, from 1.
    pub seq: u64,
    /// When, in nanoseconds since 1970.
    pub at: i64,
    /// The run that made it.
    pub run: String,
    /// The hash of the commit before; zeros for the first.
    pub prev: [u8; 32],
    /// The hash of this one.
    pub hash: [u8; 32],
    /// Its entries, one after the other.
    pub entries: Vec<u8>,
}

impl LedgerCommit {
    /// The commit that follows the one of this place and hash.
    pub fn after(last: (u64, [u8; 32]), at: Timestamp, run: &RunId, entries: &[Entry]) -> Self {
        let mut bytes = Vec::with_capacity(entries.len() * Entry::BYTES);
        for entry in entries {
            entry.append_to(&mut bytes);
        }
        let mut commit =
            Self { seq: last.0 + 1, at: nanos(at), run: run.0.clone(), prev: last.1, hash: [0; 32], entries: bytes };
        commit.hash = commit.digest();
        commit
    }

    /// What keeps it from being the commit that follows the one of this place and hash; `None` where it is.
    pub fn fault(&self, last: (u64, [u8; 32])) -> Option<&'static str> {
        if self.seq != last.0 + 1 {
            return Some("it is missing");
        }
        if self.prev != last.1 {
            return Some("it does not follow the one before");
        }
        if self.hash != self.digest() {
            return Some("its hash is not that of its content");
        }
        if self.entries.len().is_multiple_of(Entry::BYTES) { None } else { Some("its entries are cut") }
    }

    /// Its entries, one by one.
    pub fn read_entries(&self) -> Vec<Entry> {
        self.entries.as_chunks::<{ Entry::BYTES }>().0.iter().map(Entry::read).collect()
    }

    fn digest(&self) -> [u8; 32] {
        let mut hash = sha2::Sha256::new();
        hash.update(self.prev);
        hash.update(self.seq.to_be_bytes());
        hash.update(self.at.to_be_bytes());
        hash.update((self.run.len() as u64).to_be_bytes());
        hash.update(self.run.as_bytes());
        hash.update(&self.entries);
        hash.finalize().into()
    }
}

/// A verification on its way through the ledger, commit by commit. It remembers as much as there are purged facts.
#[derive(Debug, Default)]
pub struct Audit {
    commits: u64,
    facts: u64,
    head: [u8; 32],
    /// Whether commits before the first one that is checked are taken on trust.
    trusting: bool,
    /// Facts without content that no commit has said to be purged yet, each with the commit that told it.
    gone: BTreeMap<(u64, FactId), u64>,
}

impl Audit {
    /// A verification that begins behind the commit of this place and hash, and takes what came before on trust.
    pub fn after(seq: u64, hash: [u8; 32]) -> Self {
        Self { commits: seq, head: hash, trusting: seq > 0, ..Self::default() }
    }

    /// Checks the next commit against the chain and gives its entries.
    pub fn commit(&mut self, commit: &LedgerCommit) -> Result<Vec<Entry>> {
        if let Some(fault) = commit.fault((self.commits, self.head)) {
            return Err(broken(self.commits + 1, fault));
        }
        self.commits = commit.seq;
        self.head = commit.hash;
        Ok(commit.read_entries())
    }

    /// Checks an entry of the last commit, given the commit that the row of its fact names and its bytes, where there is a
    /// row. Answers whether the fact is there: one that is not has to be purged by a later commit.
    pub fn fact(&mut self, entry: &Entry, stored: Option<(u64, &[u8])>) -> Result<bool> {
        let seq = self.commits;
        if entry.is_purging() {
            return self.purging(entry, stored.map(|(claimed, _)| claimed)).map(|()| false);
        }
        match stored {
            Some((claimed, _)) if claimed < seq => Err(broken(seq, "one of its facts claims another commit")),
            Some((claimed, body)) if claimed == seq => {
                if Entry::of(entry.record, entry.id, body) != *entry {
                    return Err(broken(seq, "one of its facts was changed"));
                }
                self.facts += 1;
                Ok(true)
            }
            // What a later commit claims was told anew since, after it was purged.
            _ => match self.gone.insert((entry.record, entry.id), seq) {
                None => Ok(false),
                Some(earlier) => Err(missing(earlier)),
            },
        }
    }

    fn purging(&mut self, entry: &Entry, claimed: Option<u64>) -> Result<()> {
        let seq = self.commits;
        if claimed.is_some_and(|claimed| claimed < seq) {
            return Err(broken(seq, "it says that a fact is purged, and the fact is there"));
        }
        let was_gone = self.gone.remove(&(entry.record, entry.id)).is_some();
        if was_gone || self.trusting {
            return Ok(());
        }
        Err(broken(seq, "it says that a fact is purged that was never told, or was purged before"))
    }

    /// How many facts are there so far.
    pub fn facts(&self) -> u64 {
        self.facts
    }

    /// Refuses facts without content at once, where no commit purges anything.
    pub fn expect_nothing_gone(&self) -> Result<()> {
        self.gone.values().min().map_or(Ok(()), |seq| Err(missing(*seq)))
    }

    /// The end of the ledger, where as many facts are stored as were found.
    pub fn finish(self) -> Result<Verified> {
        self.expect_nothing_gone()?;
        Ok(Verified { commits: self.commits, facts: self.facts, head: self.head })
    }
}

/// A fact is not there, and no commit says that it was purged.
pub fn missing(commit: u64) -> StoreError {
    broken(commit, "one of its facts is missing")
}

/// The ledger was changed from outside; `commit` is where it shows.
pub fn broken(commit: u64, what: &str) -> StoreError {
    let what = format!(
        "commit {commit} of the ledger does not hold: {what}; restore a backup and find out who wrote to the store"
    );
    StoreError::new(StoreErrorKind::Corrupt, "verify the ledger", what)
}

/// A fact says it is told on a record that is not there.
pub fn unplaced() -> StoreError {
    let what = "a fact is told on a record that is not there: restore a backup";
    StoreError::new(StoreErrorKind::Corrupt, "read the ledger", what)
}

/// Facts are there that no commit names; `commit` is the one they claim.
pub fn smuggled(commit: u64) -> StoreError {
    broken(commit, "facts claim it that it does not name")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> Vec<LedgerCommit> {
        let entry = |byte: u8| Entry::of(u64::from(byte), FactId([byte; 16]), &[byte]);
        let at = Timestamp::UNIX_EPOCH;
        let first = LedgerCommit::after((0, [0; 32]), at, &RunId("r1".to_owned()), &[entry(1), entry(2)]);
        let second = LedgerCommit::after((1, first.hash), at, &RunId("r2".to_owned()), &[entry(3)]);
        vec![first, second]
    }

    fn audit(commits: &[LedgerCommit]) -> Result<Verified> {
        let mut audit = Audit::default();
        for commit in commits {
            for entry in audit.commit(commit)? {
                let byte = entry.id.0[0];
                audit.fact(&entry, Some((commit.seq, &[byte])))?;
            }
        }
        audit.finish()
    }

    #[test]
    fn an_untouched_chain_holds() {
        let verified = audit(&chain()).unwrap();
        assert_eq!((verified.commits, verified.facts, verified.head), (2, 3, chain()[1].hash));
    }

    #[test]
    fn every_change_of_a_commit_breaks_the_chain_there() {
        let changes: [fn(&mut LedgerCommit); 5] = [
            |commit| commit.at += 1,
            |commit| commit.run.push('x'),
            |commit| commit.entries[39] ^= 1,
            |commit| commit.hash[0] ^= 1,
            |commit| commit.prev[0] ^= 1,
        ];
        for change in changes {
            let mut commits = chain();
            change(&mut commits[1]);
            let error = audit(&commits).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Corrupt);
            assert!(error.to_string().contains("commit 2 "), "{error}");
        }
    }

    #[test]
    fn a_commit_that_was_written_anew_no_longer_leads_to_the_next() {
        let mut commits = chain();
        commits[0] = LedgerCommit::after((0, [0; 32]), Timestamp::UNIX_EPOCH, &RunId("other".to_owned()), &[]);
        assert!(audit(&commits).unwrap_err().to_string().contains("commit 2 "));
    }

    #[test]
    fn the_run_and_the_entries_cannot_trade_bytes() {
        let at = Timestamp::UNIX_EPOCH;
        let mut commit = LedgerCommit::after((0, [0; 32]), at, &RunId("r".to_owned()), &[]);
        let before = commit.digest();
        commit.run = String::new();
        commit.entries = b"r".to_vec();
        assert_ne!(commit.digest(), before);
    }

    #[test]
    fn commits_cannot_change_places() {
        let mut commits = chain();
        commits.swap(0, 1);
        assert!(audit(&commits).unwrap_err().to_string().contains("commit 1 "));
    }

    /// What an audit says of a chain in which these bytes of facts are gone.
    fn audit_without(commits: &[LedgerCommit], gone: &[u8]) -> Result<Verified> {
        let mut audit = Audit::default();
        for commit in commits {
            for entry in audit.commit(commit)? {
                let body = [entry.id.0[0]];
                let told = if entry.is_purging() { 1 } else { commit.seq };
                let stored = (!gone.contains(&body[0])).then_some((told, body.as_slice()));
                audit.fact(&entry, stored)?;
            }
        }
        audit.finish()
    }

    fn purged(mut commits: Vec<LedgerCommit>, bytes: &[u8]) -> Vec<LedgerCommit> {
        let last = commits.last().map_or((0, [0; 32]), |last| (last.seq, last.hash));
        let entries: Vec<Entry> =
            bytes.iter().map(|byte| Entry::purging(u64::from(*byte), FactId([*byte; 16]))).collect();
        commits.push(LedgerCommit::after(last, Timestamp::UNIX_EPOCH, &RunId("forget".to_owned()), &entries));
        commits
    }

    #[test]
    fn a_fact_may_be_gone_where_a_later_commit_purges_it_and_nowhere_else() {
        let verified = audit_without(&purged(chain(), &[1, 3]), &[1, 3]).unwrap();
        assert_eq!((verified.commits, verified.facts), (3, 1));
        let one_too_many = audit_without(&purged(chain(), &[1]), &[1, 3]).unwrap_err();
        assert!(one_too_many.to_string().contains("commit 2 "), "{one_too_many}");
        let none = audit_without(&chain(), &[2]).unwrap_err();
        assert!(none.to_string().contains("commit 1 "), "{none}");
    }

    #[test]
    fn what_is_there_was_never_told_or_is_gone_already_cannot_be_purged() {
        for (commits, gone) in [
            (purged(chain(), &[1]), vec![]),
            (purged(chain(), &[9]), vec![9]),
            (purged(purged(chain(), &[1]), &[1]), vec![1]),
        ] {
            let error = audit_without(&commits, &gone).unwrap_err();
            let last = commits.len();
            assert!(error.to_string().contains(&format!("commit {last} ")), "{error}");
        }
        let trusting = Audit::after(2, chain()[1].hash);
        assert!(trusting.trusting && !Audit::after(0, [0; 32]).trusting);
    }
}
