//! Rows by their narrow keys: an index in two tables, of which each commit writes the small one.
//!
//! Keys are digests, so those of a commit lie all over an index, and a commit of a few thousand would write nearly every
//! page of a large one. New keys go to a table of their own, and whenever so many numbers were given they move to the
//! large one in the order of the keys, all at once. The views `record_by_key` and `identifier_by_key` find in both.
//!
//! An identifier has one key of its class and its spelling: 48 bits of the one and 16 of the other. Different ones may share
//! a key, so whoever finds a row compares the row.

use std::rc::Rc;

use foldhash::HashSet;
use rusqlite::types::Value;
use rusqlite::vtab::array::Array;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};
use unisson_store::Result;
use unisson_store::identifier::{Class, Identifier, native_key};

use crate::error::During as _;
use crate::lookup::read;

const DURING: &str = "keep the keys of what is new";
const FORGETTING: &str = "forget a key";

/// After how many numbers new keys move to the large table. Fewer move it more often, more make each commit write more;
/// at a million rows this is close to the least.
const MOVED_AFTER: i64 = 65_536;

/// The low bits of an identifier's key, which tell the spellings of a class apart.
const SPELLING_BITS: i64 = 0xffff;

/// How many keys one statement writes.
const KEYS_PER_STATEMENT: usize = 64;

/// What rows are found by.
#[derive(Debug)]
pub(crate) struct Keys {
    insert: &'static str,
    held: &'static str,
    settle: &'static str,
    remove: [&'static str; 2],
}

/// Records by the keys of their native ids.
pub(crate) const RECORDS: Keys = Keys {
    insert: "INSERT INTO record_key_new (key, no) VALUES (?, ?)",
    held: "SELECT a.value FROM rarray(?1) AS a CROSS JOIN record_by_key AS k ON k.key = a.value",
    settle: "INSERT INTO record_key SELECT key, no FROM record_key_new ORDER BY key, no; DELETE FROM record_key_new;",
    remove: [
        "DELETE FROM record_key_new WHERE key = ?1 AND no = ?2",
        "DELETE FROM record_key WHERE key = ?1 AND no = ?2",
    ],
};

/// Identifiers by [`spelt`].
pub(crate) const IDENTIFIERS: Keys = Keys {
    insert: "INSERT INTO identifier_key_new (key, no) VALUES (?, ?)",
    held: "SELECT a.value FROM rarray(?1) AS a \
         CROSS JOIN identifier_by_key AS k ON k.key BETWEEN a.value & ~65535 AND a.value | 65535",
    settle: "INSERT INTO identifier_key SELECT key, no FROM identifier_key_new ORDER BY key, no; \
         DELETE FROM identifier_key_new;",
    remove: [
        "DELETE FROM identifier_key_new WHERE key = ?1 AND no = ?2",
        "DELETE FROM identifier_key WHERE key = ?1 AND no = ?2",
    ],
};

impl Keys {
    /// Makes new rows found: each a key and the number of its row, the numbers greater than all before.
    pub(crate) fn insert(&self, db: &Connection, mut rows: Vec<(i64, i64)>) -> Result<()> {
        let numbers = || rows.iter().map(|(_, no)| *no);
        let (Some(first), Some(last)) = (numbers().min(), numbers().max()) else { return Ok(()) };
        rows.sort_unstable();
        let (many, few) = rows.as_chunks::<KEYS_PER_STATEMENT>();
        if !many.is_empty() {
            let sql = format!("{}{}", self.insert, ", (?, ?)".repeat(KEYS_PER_STATEMENT - 1));
            let mut insert = db.prepare_cached(&sql).during(DURING)?;
            for rows in many {
                insert.execute(params_from_iter(rows.iter().flat_map(|row| [row.0, row.1]))).during(DURING)?;
            }
        }
        let mut insert = db.prepare_cached(self.insert).during(DURING)?;
        for row in few {
            insert.execute(*row).during(DURING)?;
        }
        if (first - 1) / MOVED_AFTER != last / MOVED_AFTER {
            db.execute_batch(self.settle).during(DURING)?;
        }
        Ok(())
    }

    /// Which of these keys lead nowhere, for identifiers those of whole classes. Given in their order, it costs a fraction
    /// of asking for each.
    pub(crate) fn absent(&self, db: &Connection, keys: impl Iterator<Item = i64>) -> Result<HashSet<i64>> {
        let keys: Vec<i64> = keys.collect();
        let asked = array(keys.iter().copied());
        let mut absent: HashSet<i64> = keys.into_iter().collect();
        let mut select = db.prepare_cached(self.held).during("look up keys")?;
        let mut rows = select.query([asked]).during("look up keys")?;
        while let Some(row) = rows.next().during("look up keys")? {
            absent.remove(&row.get(0).during("look up keys")?);
        }
        Ok(absent)
    }

    /// Makes a row found no more.
    fn remove(&self, db: &Connection, key: i64, no: i64) -> Result<()> {
        for sql in self.remove {
            db.prepare_cached(sql).and_then(|mut delete| delete.execute([key, no])).during(FORGETTING)?;
        }
        Ok(())
    }
}

/// Numbers as the table `rarray` takes them.
pub(crate) fn array(numbers: impl Iterator<Item = i64>) -> Array {
    Rc::new(numbers.map(Value::Integer).collect())
}

/// The key of an identifier.
pub(crate) fn spelt(identifier: &Identifier, class: &Class) -> i64 {
    (class.key() & !SPELLING_BITS) | (identifier.spelling_key() & SPELLING_BITS)
}

/// The first and the last key that identifiers of a class may have.
pub(crate) fn of_class(class: &Class) -> (i64, i64) {
    (class.key() & !SPELLING_BITS, class.key() | SPELLING_BITS)
}

/// Makes a record found no more: to be said before its row goes.
pub(crate) fn forget_record(db: &Connection, no: i64) -> Result<()> {
    const SQL: &str = "SELECT native FROM record WHERE no = ?1";
    let mut select = db.prepare_cached(SQL).during(FORGETTING)?;
    let key = select.query_row([no], |row| Ok(native_key(row.get_ref(0)?.as_str()?))).optional().during(FORGETTING)?;
    key.map_or(Ok(()), |key| RECORDS.remove(db, key, no))
}

/// Makes an identifier found no more: to be said before its row goes or changes.
pub(crate) fn forget_identifier(db: &Connection, no: i64) -> Result<()> {
    key_of(db, no)?.map_or(Ok(()), |key| IDENTIFIERS.remove(db, key, no))
}

/// Makes an identifier found again whose row has changed.
pub(crate) fn remember_identifier(db: &Connection, no: i64) -> Result<()> {
    let Some(key) = key_of(db, no)? else { return Ok(()) };
    // Its number is an old one, and says nothing of when keys move.
    db.prepare_cached(IDENTIFIERS.insert).and_then(|mut insert| insert.execute([key, no])).during(DURING)?;
    Ok(())
}

/// The key of an identifier as its row is now.
fn key_of(db: &Connection, no: i64) -> Result<Option<i64>> {
    const SQL: &str = "SELECT kind, raw, grant_key, suppress_key, defect, record FROM identifier WHERE no = ?1";
    const DURING: &str = "read an identifier";
    let mut select = db.prepare_cached(SQL).during(DURING)?;
    let mut rows = select.query([no]).during(DURING)?;
    let Some(row) = rows.next().during(DURING)? else { return Ok(None) };
    let identifier = read(row)?;
    Ok(Some(spelt(&identifier, &identifier.class())))
}

/// How many records and identifiers are not found by their keys.
pub(crate) fn lost(db: &Connection) -> Result<u64> {
    const RECORDS: &str = "SELECT no, native FROM record";
    const IDENTIFIERS: &str = "SELECT kind, raw, grant_key, suppress_key, defect, record, no FROM identifier";
    const RECORD: &str = "SELECT 1 FROM record_by_key WHERE key = ?1 AND no = ?2";
    const IDENTIFIER: &str = "SELECT 1 FROM identifier_by_key WHERE key = ?1 AND no = ?2";
    const DURING: &str = "look for what is not found";
    let mut lost = 0;
    let (mut all, mut find) = (db.prepare(RECORDS).during(DURING)?, db.prepare(RECORD).during(DURING)?);
    let mut rows = all.query([]).during(DURING)?;
    while let Some(row) = rows.next().during(DURING)? {
        let no: i64 = row.get(0).during(DURING)?;
        let key = row.get_ref(1).and_then(|native| Ok(native_key(native.as_str()?))).during(DURING)?;
        lost += u64::from(!find.exists([key, no]).during(DURING)?);
    }
    let (mut all, mut find) = (db.prepare(IDENTIFIERS).during(DURING)?, db.prepare(IDENTIFIER).during(DURING)?);
    let mut rows = all.query([]).during(DURING)?;
    while let Some(row) = rows.next().during(DURING)? {
        let no: i64 = row.get(6).during(DURING)?;
        let identifier = read(row)?;
        let key = spelt(&identifier, &identifier.class());
        lost += u64::from(!find.exists([key, no]).during(DURING)?);
    }
    Ok(lost)
}

#[cfg(test)]
mod tests;
