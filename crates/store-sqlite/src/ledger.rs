//! The ledger: commits are chained, and the chain is recomputed on demand.

use rusqlite::{Connection, OptionalExtension as _, Row};
use unisson_plan::Commit;
use unisson_store::ledger::{Audit, Entry, LedgerCommit, broken, smuggled};
use unisson_store::{Result, StoreError, Verified};

use crate::db::{Db, int, number};
use crate::error::During as _;

/// Chains the facts of a commit to what is there.
pub(crate) fn append(db: &Connection, commit: &Commit, entries: &[Entry]) -> Result<()> {
    const LAST: &str = "SELECT seq, hash FROM commit_log ORDER BY seq DESC LIMIT 1";
    const SQL: &str = "INSERT INTO commit_log (seq, at, run, prev, hash, entries) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let last = db
        .prepare_cached(LAST)
        .and_then(|mut last| last.query_row([], |row| Ok((number(row.get(0)?), row.get(1)?))).optional())
        .during("read the end of the ledger")?;
    let next = LedgerCommit::after(last.unwrap_or((0, [0; 32])), commit.at, &commit.run, entries);
    let values = (int(next.seq), next.at, next.run, next.prev, next.hash, next.entries);
    db.prepare_cached(SQL).during("write the ledger")?.execute(values).during("write the ledger")?;
    Ok(())
}

/// Recomputes the chain and checks every fact, one commit at a time.
pub(crate) fn verify(db: &mut Db) -> Result<Verified> {
    const COMMITS: &str = "SELECT seq, at, run, prev, hash, entries FROM commit_log ORDER BY seq";
    const FACT: &str = "SELECT seq, body FROM fact WHERE record = ?1 AND id = ?2";
    const FACTS: &str = "SELECT COUNT(*) FROM fact";
    db.read("verify the ledger", |db| {
        let mut audit = Audit::default();
        let mut commits = db.prepare(COMMITS).during("verify the ledger")?;
        let mut fact = db.prepare(FACT).during("verify the ledger")?;
        let mut rows = commits.query([]).during("verify the ledger")?;
        while let Some(row) = rows.next().during("verify the ledger")? {
            for entry in audit.commit(&commit(row)?)? {
                let mut found = fact.query((int(entry.record), entry.id.0)).during("verify the ledger")?;
                let stored = match found.next().during("verify the ledger")? {
                    Some(row) => Some(stored(row).during("verify the ledger")?),
                    None => None,
                };
                audit.fact(&entry, stored)?;
            }
        }
        let facts: i64 = db.query_row(FACTS, [], |row| row.get(0)).during("verify the ledger")?;
        if number(facts) == audit.facts() { Ok(audit.finish()) } else { Err(first_smuggled(db)?) }
    })
}

fn commit(row: &Row<'_>) -> Result<LedgerCommit> {
    let read = |row: &Row<'_>| {
        Ok(LedgerCommit {
            seq: number(row.get(0)?),
            at: row.get(1)?,
            run: row.get(2)?,
            prev: row.get(3)?,
            hash: row.get(4)?,
            entries: row.get(5)?,
        })
    };
    read(row).during("verify the ledger")
}

fn stored<'r>(row: &'r Row<'_>) -> rusqlite::Result<(u64, &'r [u8])> {
    Ok((number(row.get(0)?), row.get_ref(1)?.as_blob()?))
}

/// Where facts are that no commit names: the first commit that more facts claim than it has entries.
fn first_smuggled(db: &Connection) -> Result<StoreError> {
    const SQL: &str = "SELECT f.seq FROM fact AS f LEFT JOIN commit_log AS c ON c.seq = f.seq \
         GROUP BY f.seq HAVING COUNT(*) > COALESCE(LENGTH(c.entries), 0) / 40 ORDER BY f.seq LIMIT 1";
    let first: Option<i64> = db.query_row(SQL, [], |row| row.get(0)).optional().during("verify the ledger")?;
    Ok(first.map_or_else(|| broken(0, "a fact is named twice"), |seq| smuggled(number(seq))))
}
