//! Looking up what a commit names, and what numbers stand for.

use foldhash::HashSet;
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row};
use unisson_consent::{HashedAddress, Keyring, RecordRef};
use unisson_store::Result;
use unisson_store::codec::{Names, Needs};
use unisson_store::enrol::{EVERYONE, Found, Located, Lookup, RecordKey};
use unisson_store::identifier::{Class, Columns, Identifier, Scheme};
use unisson_store::purge::purged_record;

use crate::db::{NameCache, int, number};
use crate::error::During as _;
use crate::keys::{IDENTIFIERS, RECORDS};
use crate::{digest, keys};

/// The instance of rows that stand for facts without a record.
pub(crate) const LOOSE: i64 = 0;

/// How many spellings of a class are read before its index is asked for one of them: almost every class has one or two.
const SPELLINGS_READ: usize = 8;

const RECORD: &str = "SELECT r.no, r.subject FROM record_by_key AS k CROSS JOIN record AS r ON r.no = k.no \
     WHERE k.key = ?1 AND r.instance = ?2 AND r.native = ?3";

const SPELLING: &str = "SELECT i.kind, i.raw, i.grant_key, i.suppress_key, i.defect, i.record, i.no, r.subject \
     FROM identifier_by_key AS k CROSS JOIN identifier AS i ON i.no = k.no CROSS JOIN record AS r ON r.no = i.record \
     WHERE k.key = ?1";

pub(crate) const CLASS: &str = "SELECT i.kind, i.raw, i.grant_key, i.suppress_key, i.defect, i.record, i.no, r.subject \
     FROM identifier_by_key AS k CROSS JOIN identifier AS i ON i.no = k.no CROSS JOIN record AS r ON r.no = i.record \
     WHERE k.key BETWEEN ?1 AND ?2";

const NAMED_IDENTIFIER: &str =
    "SELECT kind, raw, grant_key, suppress_key, defect, record FROM identifier WHERE no = ?1";

const NAMED_RECORD: &str =
    "SELECT i.name, r.native FROM record AS r JOIN instance AS i ON i.no = r.instance WHERE r.no = ?1";

/// Looks up within one transaction.
pub(crate) struct Finder<'t> {
    db: &'t Connection,
    names: &'t mut NameCache,
    record: CachedStatement<'t>,
    spelling: CachedStatement<'t>,
    class: CachedStatement<'t>,
    schemes: Vec<Scheme>,
    /// Keys of records and of classes that are known to lead nowhere.
    absent: [HashSet<i64>; 2],
    keyring: &'t Keyring,
}

impl<'t> Finder<'t> {
    pub(crate) fn new(db: &'t Connection, names: &'t mut NameCache, keyring: &'t Keyring) -> Result<Self> {
        let prepare = |sql| db.prepare_cached(sql).during("look up what is known");
        let (record, spelling, class) = (prepare(RECORD)?, prepare(SPELLING)?, prepare(CLASS)?);
        let (schemes, absent) = (digest::schemes(db)?, Default::default());
        Ok(Self { db, names, record, spelling, class, schemes, absent, keyring })
    }
}

impl Lookup for Finder<'_> {
    fn foresee_records(&mut self, keys: &mut dyn Iterator<Item = i64>) -> Result<()> {
        self.absent[0] = RECORDS.absent(self.db, keys)?;
        Ok(())
    }

    fn foresee_classes(&mut self, keys: &mut dyn Iterator<Item = i64>) -> Result<()> {
        self.absent[1] = IDENTIFIERS.absent(self.db, keys)?;
        Ok(())
    }

    fn record(&mut self, key: &RecordKey) -> Result<Option<Located>> {
        let narrow = key.narrow();
        if self.absent[0].contains(&narrow) {
            return Ok(None);
        }
        let located = |row: &Row<'_>| Ok(Located { record: number(row.get(0)?), subject: number(row.get(1)?) });
        let found = match key {
            RecordKey::Named(record) => {
                let Some(instance) = self.names.instance(self.db, &record.system)? else { return Ok(None) };
                let native = record.record.as_str();
                self.record.query_row((narrow, instance, native), located)
            }
            RecordKey::Loose(id) => {
                let native = id.to_string();
                self.record.query_row((narrow, LOOSE, native), located)
            }
        };
        found.optional().during("look up a record")
    }

    fn identifier(&mut self, identifier: &Identifier, class: &Class) -> Result<Found> {
        let mut found = Found::default();
        if self.absent[1].contains(&class.key()) {
            return Ok(found);
        }
        let mut rows = self.class.query(keys::of_class(class)).during("look up an identifier")?;
        for _ in 0..SPELLINGS_READ {
            let Some(row) = rows.next().during("look up an identifier")? else { return Ok(found) };
            let (known, held) = held(row)?;
            if known == *identifier {
                return Ok(held);
            }
            if found.subject.is_none() && known.class() == *class {
                found.subject = held.subject;
            }
        }
        drop(rows);
        // A class with so many spellings is asked for exactly this one.
        let mut rows = self.spelling.query([keys::spelt(identifier, class)]).during("look up an identifier")?;
        while let Some(row) = rows.next().during("look up an identifier")? {
            let (known, held) = held(row)?;
            if known == *identifier {
                return Ok(held);
            }
        }
        drop(rows);
        found.subject = found.subject.map_or_else(|| holder(&mut self.class, class), |subject| Ok(Some(subject)))?;
        Ok(found)
    }

    fn reaches_everyone(&mut self) -> Result<bool> {
        const SQL: &str = "SELECT 1 FROM fact WHERE record = ?1 LIMIT 1";
        let mut select = self.db.prepare_cached(SQL).during("look up what reaches everybody")?;
        select.exists([int(EVERYONE)]).during("look up what reaches everybody")
    }

    fn schemes(&self) -> &[Scheme] {
        &self.schemes
    }

    fn keyring(&self) -> &Keyring {
        self.keyring
    }

    fn bearer(&mut self, digest: &HashedAddress) -> Result<Option<u64>> {
        digest::bearer(self.db, digest, self.keyring)
    }
}

/// The subject that holds a class, with the statement of [`CLASS`].
pub(crate) fn holder(select: &mut CachedStatement<'_>, class: &Class) -> Result<Option<u64>> {
    let mut rows = select.query(keys::of_class(class)).during("look up an identifier")?;
    while let Some(row) = rows.next().during("look up an identifier")? {
        let (known, held) = held(row)?;
        if known.class() == *class {
            return Ok(held.subject);
        }
    }
    Ok(None)
}

/// What the numbers stand for.
pub(crate) fn names(db: &Connection, needs: &Needs) -> Result<Names> {
    let mut names = Names::default();
    let mut select = db.prepare_cached(NAMED_IDENTIFIER).during("read an identifier")?;
    for no in &needs.identifiers {
        let mut rows = select.query([int(*no)]).during("read an identifier")?;
        if let Some(row) = rows.next().during("read an identifier")? {
            names.set_identifier(*no, read(row)?);
        }
    }
    let mut select = db.prepare_cached(NAMED_RECORD).during("read a record")?;
    for no in &needs.records {
        let found = select.query_row([int(*no)], |row| record_ref(row, 0)).optional().during("read a record")?;
        let found = found.map_or_else(|| purged(db, *no), |record| Ok(Some(record)))?;
        if let Some(record) = found {
            names.set_record(*no, record);
        }
    }
    Ok(names)
}

/// What stands for a record that was purged, where a fact of somebody else still names it.
pub(crate) fn purged(db: &Connection, no: u64) -> Result<Option<RecordRef>> {
    const SQL: &str = "SELECT i.name FROM purged AS p JOIN instance AS i ON i.no = p.instance WHERE p.record = ?1";
    let mut select = db.prepare_cached(SQL).during("read a record")?;
    let system: Option<String> = select.query_row([int(no)], |row| row.get(0)).optional().during("read a record")?;
    Ok(system.map(|system| purged_record(system.as_str().into(), no)))
}

/// The record named by two columns: its instance's name, its native id.
pub(crate) fn record_ref(row: &Row<'_>, from: usize) -> rusqlite::Result<RecordRef> {
    let (system, native) = (row.get_ref(from)?.as_str()?, row.get_ref(from + 1)?.as_str()?);
    Ok(RecordRef { system: system.into(), record: native.into() })
}

/// An identifier with its number and its subject, of a row like those of [`CLASS`].
pub(crate) fn held(row: &Row<'_>) -> Result<(Identifier, Found)> {
    let found = |row: &Row<'_>| Ok(Found { number: Some(number(row.get(6)?)), subject: Some(number(row.get(7)?)) });
    Ok((read(row)?, found(row).during("look up an identifier")?))
}

/// An identifier, of a row that begins like those of [`CLASS`].
pub(crate) fn read(row: &Row<'_>) -> Result<Identifier> {
    let columns = |row: &Row<'_>| {
        let columns = Columns {
            kind: row.get(0)?,
            raw: row.get(1)?,
            grant: row.get(2)?,
            suppress: row.get(3)?,
            defect: row.get(4)?,
        };
        Ok((columns, number(row.get(5)?)))
    };
    let (columns, record) = columns(row).during("read an identifier")?;
    Identifier::from_columns(columns, record)
}
