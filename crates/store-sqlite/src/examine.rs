//! Looking for damage: what SQLite says of its file, and rows that speak of something that is not there.
//!
//! It reads everything within one state of the database and mends nothing. Whether the ledger was tampered with is another
//! question, which its verification answers.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use unisson_store::Result;

use crate::db::{Db, number};
use crate::error::During as _;
use crate::keys;
use crate::open::beside;

const DURING: &str = "examine the store";

/// How many complaints of SQLite are kept.
const DAMAGE_MAX: u32 = 20;

/// What an examination found. Empty lists are good news.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Examination {
    /// What is damaged, in SQLite's words: places in the file, never content.
    pub damage: Vec<String>,
    /// What speaks of something that is not there, or is counted wrongly, with how many rows do.
    pub contradictions: Vec<(&'static str, u64)>,
}

/// The files of a store. All but the first come and go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The database.
    pub database: PathBuf,
    /// The write-ahead log.
    pub log: PathBuf,
    /// The index of the log, shared by the processes that read and write.
    pub shared: PathBuf,
    /// The lock of whoever writes.
    pub lock: PathBuf,
}

impl Files {
    /// The files of the store at this path.
    pub fn of(store: impl AsRef<Path>) -> Self {
        let path = store.as_ref();
        Self {
            database: path.to_owned(),
            log: beside(path, "-wal"),
            shared: beside(path, "-shm"),
            lock: beside(path, ".lock"),
        }
    }
}

/// Each question with the number of rows that are wrong.
const QUESTIONS: [(&str, &str); 16] = [
    (
        "facts are kept with a record that is not there",
        "SELECT COUNT(*) FROM fact AS f WHERE f.record > 0 AND NOT EXISTS (SELECT 1 FROM record AS r WHERE r.no = f.record)",
    ),
    (
        "records belong to a person that is not there",
        "SELECT COUNT(*) FROM record AS r WHERE NOT EXISTS (SELECT 1 FROM subject AS s WHERE s.no = r.subject)",
    ),
    (
        "records belong to an instance that is not there",
        "SELECT COUNT(*) FROM record AS r WHERE r.instance > 0 \
         AND NOT EXISTS (SELECT 1 FROM instance AS i WHERE i.no = r.instance)",
    ),
    (
        "records belong to a stream that is not there",
        "SELECT COUNT(*) FROM record AS r WHERE r.stream IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM stream AS s WHERE s.no = r.stream)",
    ),
    (
        "streams belong to an instance that is not there",
        "SELECT COUNT(*) FROM stream AS s WHERE NOT EXISTS (SELECT 1 FROM instance AS i WHERE i.no = s.instance)",
    ),
    (
        "identifiers belong to a record that is not there",
        "SELECT COUNT(*) FROM identifier AS i WHERE NOT EXISTS (SELECT 1 FROM record AS r WHERE r.no = i.record)",
    ),
    (
        "digests belong to an identifier that is not there",
        "SELECT COUNT(*) FROM digest AS d WHERE NOT EXISTS (SELECT 1 FROM identifier AS i WHERE i.no = d.identifier)",
    ),
    (
        "keys lead to a record or an identifier that is not there",
        "SELECT (SELECT COUNT(*) FROM record_by_key AS k WHERE NOT EXISTS (SELECT 1 FROM record AS r WHERE r.no = k.no)) \
         + (SELECT COUNT(*) FROM identifier_by_key AS k \
            WHERE NOT EXISTS (SELECT 1 FROM identifier AS i WHERE i.no = k.no))",
    ),
    (
        "planned changes belong to a record that is not there",
        "SELECT COUNT(*) FROM outbox AS o WHERE NOT EXISTS (SELECT 1 FROM record AS r WHERE r.no = o.record)",
    ),
    (
        "requests belong to a record that is not there",
        "SELECT COUNT(*) FROM request AS q \
         WHERE NOT EXISTS (SELECT 1 FROM fact AS f WHERE f.record = q.record AND f.id = q.fact)",
    ),
    (
        "records are there that were purged",
        "SELECT COUNT(*) FROM purged AS p WHERE EXISTS (SELECT 1 FROM record AS r WHERE r.no = p.record)",
    ),
    (
        "records are held and were never purged, or belong to an instance that is not there",
        "SELECT COUNT(*) FROM held AS h WHERE NOT EXISTS (SELECT 1 FROM purged AS p WHERE p.record = h.record) \
         OR NOT EXISTS (SELECT 1 FROM instance AS i WHERE i.no = h.instance)",
    ),
    (
        "facts lead to an erasure case that is not there",
        "SELECT COUNT(*) FROM case_fact AS f WHERE NOT EXISTS (SELECT 1 FROM erasure_case AS c WHERE c.id = f.case_id)",
    ),
    (
        "persons have no record",
        "SELECT COUNT(*) FROM subject AS s WHERE NOT EXISTS (SELECT 1 FROM record AS r WHERE r.subject = s.no)",
    ),
    (
        "facts, commits or persons are more or fewer than the store counted",
        "SELECT ABS(c.facts - (SELECT COUNT(*) FROM fact)) + ABS(c.commits - (SELECT COUNT(*) FROM commit_log)) \
         + ABS(c.subjects - (SELECT COUNT(*) FROM subject)) FROM counter AS c",
    ),
    (
        "numbers were given out that the next commit would give again",
        "SELECT MAX(0, (SELECT COALESCE(MAX(no), 0) FROM record) - c.record) \
         + MAX(0, (SELECT COALESCE(MAX(no), 0) FROM identifier) - c.identifier) \
         + MAX(0, (SELECT COALESCE(MAX(no), 0) FROM subject) - c.subject) FROM counter AS c",
    ),
];

pub(crate) fn examine(db: &mut Db) -> Result<Examination> {
    db.read(DURING, |db| {
        let damage = damage(db)?;
        // What is asked of damaged tables may get any answer.
        let contradictions = if damage.is_empty() { contradictions(db)? } else { Vec::new() };
        Ok(Examination { damage, contradictions })
    })
}

fn damage(db: &Connection) -> Result<Vec<String>> {
    let mut check = db.prepare(&format!("PRAGMA integrity_check({DAMAGE_MAX})")).during(DURING)?;
    let rows = check.query_map([], |row| row.get::<_, String>(0)).during(DURING)?;
    let told: Vec<String> = rows.collect::<rusqlite::Result<_>>().during(DURING)?;
    Ok(if told == ["ok"] { Vec::new() } else { told })
}

fn contradictions(db: &Connection) -> Result<Vec<(&'static str, u64)>> {
    let mut found = Vec::new();
    for (what, sql) in QUESTIONS {
        let rows = number(db.query_row(sql, [], |row| row.get(0)).during(DURING)?);
        if rows > 0 {
            found.push((what, rows));
        }
    }
    let lost = keys::lost(db)?;
    if lost > 0 {
        found.push(("records or identifiers are not found by their keys", lost));
    }
    Ok(found)
}
