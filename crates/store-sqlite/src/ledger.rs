//! The ledger: commits are chained, and the chain is recomputed on demand or read page by page.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row};
use unisson_consent::{RecordRef, SystemId};
use unisson_plan::{RunId, SubjectNo};
use unisson_store::codec::{About, Names, Needs, StoredFact};
use unisson_store::ledger::{Audit, Entry, LedgerCommit, broken, smuggled, unplaced};
use unisson_store::{LedgerFact, Naming, Result, StoreError, Verified};

use crate::db::{Db, int, limit, number};
use crate::error::During as _;
use crate::lookup::{names, purged, record_ref};

const READING: &str = "read the ledger";

/// Chains the facts of a commit to what is there.
pub(crate) fn append(db: &Connection, (run, at): (&RunId, Timestamp), entries: &[Entry]) -> Result<()> {
    const LAST: &str = "SELECT seq, hash FROM commit_log ORDER BY seq DESC LIMIT 1";
    const SQL: &str = "INSERT INTO commit_log (seq, at, run, prev, hash, entries) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let last = db
        .prepare_cached(LAST)
        .and_then(|mut last| last.query_row([], |row| Ok((number(row.get(0)?), row.get(1)?))).optional())
        .during("read the end of the ledger")?;
    let next = LedgerCommit::after(last.unwrap_or((0, [0; 32])), at, run, entries);
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
        let verified = audit.finish()?;
        if number(facts) == verified.facts { Ok(verified) } else { Err(first_smuggled(db)?) }
    })
}

pub(crate) fn commits(db: &mut Db, from: u64, most: usize) -> Result<Vec<LedgerCommit>> {
    const SQL: &str = "SELECT seq, at, run, prev, hash, entries FROM commit_log WHERE seq >= ?1 ORDER BY seq LIMIT ?2";
    db.read(READING, |db| {
        let mut select = db.prepare_cached(SQL).during(READING)?;
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        let mut rows = select.query((from, limit(most))).during(READING)?;
        let mut commits = Vec::new();
        while let Some(row) = rows.next().during(READING)? {
            commits.push(commit(row)?);
        }
        Ok(commits)
    })
}

/// A fact before its numbers are read, with the record whose row it is kept with.
struct Told {
    seq: u64,
    body: Vec<u8>,
    stored: StoredFact,
    place: Place,
    row: Option<RecordRef>,
}

/// A record row: whose, of which system, in which subject.
#[derive(Default)]
struct Place {
    record: Option<RecordRef>,
    subject: Option<SubjectNo>,
}

pub(crate) fn facts(db: &mut Db, entries: &[Entry], naming: Naming) -> Result<Vec<Option<LedgerFact>>> {
    db.read(READING, |db| {
        let told: Vec<Option<Told>> = entries.iter().map(|entry| told(db, entry)).collect::<Result<_>>()?;
        let mut needs = Needs::default();
        if naming == Naming::Names {
            told.iter().flatten().for_each(|told| told.stored.needs(&mut needs));
        }
        let names = match naming {
            Naming::Numbers => None,
            Naming::Names => Some(names(db, &needs)?),
        };
        let pairs = told.into_iter().zip(entries);
        pairs.map(|(told, entry)| told.map(|told| told.build(entry, names.as_ref())).transpose()).collect()
    })
}

fn told(db: &Connection, entry: &Entry) -> Result<Option<Told>> {
    const SQL: &str = "SELECT seq, body FROM fact WHERE record = ?1 AND id = ?2";
    let mut select = db.prepare_cached(SQL).during(READING)?;
    let row: Option<(i64, Vec<u8>)> = select
        .query_row((int(entry.record), entry.id.0), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .during(READING)?;
    let Some((seq, body)) = row else { return Ok(None) };
    let stored = StoredFact::read(&body)?;
    let kept_with = place(db, entry.record)?;
    let row = kept_with.record.clone();
    let place = match stored.about() {
        About::Record(elsewhere) => place(db, elsewhere)?,
        About::Row | About::Nothing => kept_with,
    };
    Ok(Some(Told { seq: number(seq), body, stored, place, row }))
}

fn place(db: &Connection, record: u64) -> Result<Place> {
    const SQL: &str = "SELECT i.name, r.native, r.subject FROM record AS r LEFT JOIN instance AS i ON i.no = r.instance WHERE r.no = ?1";
    let read = |row: &Row<'_>| {
        let subject = Some(SubjectNo(number(row.get(2)?)));
        let named: Option<String> = row.get(0)?;
        let record = if named.is_some() { Some(record_ref(row, 0)?) } else { None };
        Ok(Place { record, subject })
    };
    let mut select = db.prepare_cached(SQL).during(READING)?;
    match select.query_row([int(record)], read).optional().during(READING)? {
        Some(place) => Ok(place),
        None => Ok(Place { record: purged(db, record)?, subject: None }),
    }
}

impl Told {
    fn build(self, entry: &Entry, names: Option<&Names>) -> Result<LedgerFact> {
        let told_on = self.place.record.map(|record| record.system);
        let system = self.stored.system().map(SystemId::new).or(told_on).ok_or_else(unplaced)?;
        let fact = names.map(|names| self.stored.build(entry.id, self.row.as_ref(), names)).transpose()?;
        Ok(LedgerFact { seq: self.seq, body: self.body, system, subject: self.place.subject, fact })
    }
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
    Ok(first.map_or_else(
        || broken(0, "a fact is there that no commit names, or one is named twice"),
        |seq| smuggled(number(seq)),
    ))
}
