//! Writing: one commit at a time, a page of its facts at a time. What does not hold is not exported.

use std::io::{self, Write};

use jiff::Timestamp;
use thiserror::Error;

use super::hex::{Hex, HexBytes};
use super::line::{CommitLine, EndLine, FactLine, FormatLine, Line, PurgedLine, PurgesLine};
use super::names::Names;
use super::{FORMAT, FORMAT_PURGED};
use crate::codec::{StoredFact, Told};
use crate::error::StoreError;
use crate::ledger::{Audit, Entry, LedgerCommit, broken, missing};
use crate::store::{LedgerFact, Naming, Store};

/// How many facts are read at once.
const FACTS_PER_PAGE: usize = 1_000;

/// How many commits are read at once while it is found out whether any purges something.
const COMMITS_PER_PAGE: usize = 100;

/// What to export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The place of the first commit, from 1. The place after the last one gives an export without commits.
    pub from: u64,
    /// Whether everybody is named. Then the file is personal data in clear.
    pub naming: Naming,
    /// The present.
    pub made_at: Timestamp,
    /// The program that writes, with its version.
    pub program: String,
}

/// What was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// The place of the first commit.
    pub from: u64,
    /// Commits.
    pub commits: u64,
    /// Facts, without those that were purged.
    pub facts: u64,
    /// The hash of the last commit.
    pub head: [u8; 32],
}

/// Why an export is not whole.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The ledger could not be read, or does not hold.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ledger ends before the first commit that was asked for.
    #[error("export the ledger: it ends at commit {last}, and commit {from} was asked for")]
    Beyond {
        /// The last commit.
        last: u64,
        /// The first one that was asked for.
        from: u64,
    },
    /// The export could not be written.
    #[error("write the export of the ledger")]
    Write(#[from] io::Error),
}

/// Writes the ledger from a place on, up to where it ends now. Memory does not grow with the ledger: what is held is one
/// commit's entries and a page of facts, and the ids of purged facts until their purge is met.
///
/// Every commit is checked against the chain and every fact against its digest on the way, so an export that ends with its
/// last line holds as far as the store did.
pub async fn write<W: Write>(store: &dyn Store, order: &Order, out: &mut W) -> Result<Exported, ExportError> {
    let last = store.counts(order.made_at).await?.commits;
    if order.from == 0 || order.from > last + 1 {
        return Err(ExportError::Beyond { last, from: order.from });
    }
    let prev = before(store, order.from).await?;
    let format = if purges_something(store, order.from, last).await? { FORMAT_PURGED } else { FORMAT };
    let first = FormatLine {
        format: format.to_owned(),
        program: order.program.clone(),
        made_at: order.made_at,
        from: order.from,
        prev: Hex(prev),
        identifiers: order.naming == Naming::Names,
    };
    put(out, &Line::<Told>::Format(first))?;
    let mut audit = Audit::after(order.from - 1, prev);
    for seq in order.from..=last {
        let Some(commit) = store.commits(seq, 1).await?.pop() else { return Err(broken(seq, "it is missing").into()) };
        write_commit(store, (&commit, order.naming), &mut audit, out).await?;
        if format == FORMAT {
            audit.expect_nothing_gone()?;
        }
    }
    let verified = audit.finish()?;
    let exported = Exported {
        from: order.from,
        commits: verified.commits - (order.from - 1),
        facts: verified.facts,
        head: verified.head,
    };
    let end = EndLine { commits: exported.commits, facts: exported.facts, head: Hex(exported.head) };
    put(out, &Line::<Told>::End(end))?;
    out.flush()?;
    Ok(exported)
}

/// The hash of the commit before this place.
async fn before(store: &dyn Store, from: u64) -> Result<[u8; 32], ExportError> {
    if from == 1 {
        return Ok([0; 32]);
    }
    match store.commits(from - 1, 1).await?.pop() {
        Some(commit) if commit.seq == from - 1 => Ok(commit.hash),
        _ => Err(broken(from - 1, "it is missing").into()),
    }
}

async fn write_commit<W: Write>(
    store: &dyn Store,
    (commit, naming): (&LedgerCommit, Naming),
    audit: &mut Audit,
    out: &mut W,
) -> Result<(), ExportError> {
    let entries = audit.commit(commit)?;
    put(out, &Line::<Told>::Commit(CommitLine::of(commit)))?;
    for page in entries.chunks(FACTS_PER_PAGE) {
        let facts = store.ledger_facts(page, naming).await?;
        if facts.len() < page.len() {
            return Err(missing(commit.seq).into());
        }
        for (entry, fact) in page.iter().zip(facts) {
            let is_there = audit.fact(entry, fact.as_ref().map(|fact| (fact.seq, fact.body.as_slice())))?;
            let line = match fact.filter(|_| is_there) {
                Some(fact) => Line::Fact(Box::new(fact_line(entry, fact)?)),
                None if entry.is_purging() => Line::Purges(PurgesLine::of(entry)),
                None => Line::Purged(PurgedLine::of(entry)),
            };
            put(out, &line)?;
        }
    }
    Ok(())
}

/// Whether a commit from this place on says that something was purged.
async fn purges_something(store: &dyn Store, from: u64, last: u64) -> Result<bool, StoreError> {
    let mut next = from;
    while next <= last {
        let page = store.commits(next, COMMITS_PER_PAGE).await?;
        let Some(end) = page.last() else { return Ok(false) };
        next = end.seq + 1;
        if page.iter().any(|commit| commit.read_entries().iter().any(Entry::is_purging)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn fact_line(entry: &Entry, fact: LedgerFact) -> Result<FactLine<Told>, StoreError> {
    let stored = StoredFact::read(&fact.body)?;
    let says = stored.tell()?;
    // Without identifiers, bytes that name somebody stay here; their digest still binds them to the chain.
    let withheld = fact.fact.is_none() && stored.names_somebody();
    Ok(FactLine {
        body: (!withheld).then_some(HexBytes(fact.body)),
        names: fact.fact.as_ref().map(Names::of),
        ..FactLine::of(entry, fact.system.as_str().to_owned(), fact.subject, says)
    })
}

fn put<W: Write>(out: &mut W, line: &Line<Told>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}
