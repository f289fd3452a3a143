//! The lines of an export. `LEDGER-EXPORT.md` describes each; the order of the keys is that of the fields here.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use unisson_consent::FactId;
use unisson_plan::SubjectNo;

use super::hex::{Hex, HexBytes};
use super::names::Names;
use crate::codec::{instant, nanos};
use crate::ledger::{Entry, LedgerCommit};

/// A line. `S` is how the words of a fact are held: told when they are written, any JSON when they are read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub(super) enum Line<S> {
    Format(FormatLine),
    Commit(CommitLine),
    Fact(Box<FactLine<S>>),
    Purged(PurgedLine),
    Purges(PurgesLine),
    End(EndLine),
}

/// The first line: what this is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FormatLine {
    pub(super) format: String,
    pub(super) program: String,
    pub(super) made_at: Timestamp,
    /// The place of the first commit that may follow.
    pub(super) from: u64,
    /// The hash of the commit before it; zeros where it is the first of all.
    pub(super) prev: Hex<32>,
    pub(super) identifiers: bool,
}

/// A commit of the chain; as many lines follow as it says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct CommitLine {
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) run: String,
    pub(super) prev: Hex<32>,
    pub(super) hash: Hex<32>,
    pub(super) facts: u64,
}

/// A fact of the commit above it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FactLine<S> {
    pub(super) id: Hex<16>,
    pub(super) record: u64,
    pub(super) digest: Hex<16>,
    /// Withheld where it would name somebody.
    pub(super) body: Option<HexBytes>,
    pub(super) system: String,
    pub(super) subject: Option<u64>,
    pub(super) says: S,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) names: Option<Names>,
}

/// A fact of the commit above it, whose content a later commit purges.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PurgedLine {
    pub(super) id: Hex<16>,
    pub(super) record: u64,
    pub(super) digest: Hex<16>,
}

/// The word of the commit above that the content of an earlier fact is gone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PurgesLine {
    pub(super) id: Hex<16>,
    pub(super) record: u64,
}

/// The last line: without it the file was cut.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct EndLine {
    pub(super) commits: u64,
    pub(super) facts: u64,
    pub(super) head: Hex<32>,
}

impl CommitLine {
    pub(super) fn of(commit: &LedgerCommit) -> Self {
        Self {
            seq: commit.seq,
            at: instant(commit.at),
            run: commit.run.clone(),
            prev: Hex(commit.prev),
            hash: Hex(commit.hash),
            facts: (commit.entries.len() / Entry::BYTES) as u64,
        }
    }

    /// The commit as the ledger keeps it, with the entries of its facts.
    pub(super) fn commit(&self, entries: Vec<u8>) -> LedgerCommit {
        let Self { seq, at, run, prev, hash, facts: _ } = self;
        LedgerCommit { seq: *seq, at: nanos(*at), run: run.clone(), prev: prev.0, hash: hash.0, entries }
    }
}

impl PurgedLine {
    pub(super) fn of(entry: &Entry) -> Self {
        Self { id: Hex(entry.id.0), record: entry.record, digest: Hex(entry.digest) }
    }

    /// The entry that the chain covers.
    pub(super) fn entry(&self) -> Entry {
        Entry { record: self.record, id: FactId(self.id.0), digest: self.digest.0 }
    }
}

impl PurgesLine {
    pub(super) fn of(entry: &Entry) -> Self {
        Self { id: Hex(entry.id.0), record: entry.record }
    }

    /// The entry that the chain covers.
    pub(super) fn entry(&self) -> Entry {
        Entry::purging(self.record, FactId(self.id.0))
    }
}

impl<S> FactLine<S> {
    /// The entry that the chain covers.
    pub(super) fn entry(&self) -> Entry {
        Entry { record: self.record, id: FactId(self.id.0), digest: self.digest.0 }
    }

    /// The same fact in these words.
    pub(super) fn saying<T>(&self, says: T) -> FactLine<T> {
        let Self { id, record, digest, body, system, subject, says: _, names } = self;
        let (id, record, digest, subject) = (*id, *record, *digest, *subject);
        FactLine { id, record, digest, body: body.clone(), system: system.clone(), subject, says, names: names.clone() }
    }

    /// A fact without its bytes and names.
    pub(super) fn of(entry: &Entry, system: String, subject: Option<SubjectNo>, says: S) -> Self {
        Self {
            id: Hex(entry.id.0),
            record: entry.record,
            digest: Hex(entry.digest),
            body: None,
            system,
            subject: subject.map(|subject| subject.0),
            says,
            names: None,
        }
    }
}
