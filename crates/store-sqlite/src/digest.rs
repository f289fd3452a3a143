//! Addresses by their digests, for as long as somebody handed us digests.
//!
//! Nothing is kept until the first digest of a scheme is told. Then every address of its kind gets a row of two narrow
//! numbers, and so does each new address from then on: about 20 bytes, one digest and one insertion for each scheme. Who
//! never imports digests pays nothing.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _};
use unisson_consent::{Fact, HashedAddress, Keyring};
use unisson_store::enrol::{Enrolment, meet, schemes_of};
use unisson_store::identifier::{Identifier, IdentifierKind, Scheme, key_of, require_keys};
use unisson_store::{Met, Result};

use crate::db::{Db, int, number};
use crate::error::During as _;
use crate::lookup::{Finder, held, read};

const DURING: &str = "find addresses by their digests";

/// How many addresses are read at once while the digests of all are made.
const ADDRESSES_PER_CHUNK: i64 = 50_000;

/// The schemes under which every address is found by its digest.
pub(crate) fn schemes(db: &Connection) -> Result<Vec<Scheme>> {
    const SQL: &str = "SELECT value FROM meta WHERE name = 'digests'";
    let mut select = db.prepare_cached(SQL).during(DURING)?;
    let names: Option<String> = select.query_row([], |row| row.get(0)).optional().during(DURING)?;
    Ok(names.iter().flat_map(|names| names.split(' ')).filter_map(Scheme::parse).collect())
}

/// Makes every address found by its digest under these schemes too.
pub(crate) fn take_up(db: &Connection, wanted: BTreeSet<Scheme>, keyring: &Keyring) -> Result<()> {
    const SAVE: &str =
        "INSERT INTO meta (name, value) VALUES ('digests', ?1) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    if wanted.is_empty() {
        return Ok(());
    }
    require_keys(&wanted, keyring, DURING)?;
    let mut held = schemes(db)?;
    let new: Vec<Scheme> = wanted.into_iter().filter(|scheme| !held.contains(scheme)).collect();
    if new.is_empty() {
        return Ok(());
    }
    for scheme in &new {
        fill(db, scheme, keyring)?;
    }
    held.extend(new);
    let names: Vec<String> = held.iter().map(Scheme::name).collect();
    db.execute(SAVE, [names.join(" ")]).during(DURING).map(|_| ())
}

/// Keeps the digests of new addresses, in the order of their keys.
pub(crate) fn insert(db: &Connection, enrolment: &Enrolment<'_>) -> Result<()> {
    let new = enrolment.identifiers.iter();
    let rows = new.flat_map(|new| new.digests.iter().map(|key| (*key, int(new.number)))).collect();
    write(db, rows)
}

/// The subject of an address that has this digest.
pub(crate) fn bearer(db: &Connection, digest: &HashedAddress, keyring: &Keyring) -> Result<Option<u64>> {
    const SQL: &str = "SELECT i.kind, i.raw, i.grant_key, i.suppress_key, i.defect, i.record, i.no, r.subject \
         FROM digest AS d JOIN identifier AS i ON i.no = d.identifier JOIN record AS r ON r.no = i.record \
         WHERE d.key = ?1";
    let mut select = db.prepare_cached(SQL).during(DURING)?;
    let mut rows = select.query([key_of(digest)]).during(DURING)?;
    while let Some(row) = rows.next().during(DURING)? {
        let (identifier, found) = held(row)?;
        if identifier.bears(digest, keyring)? {
            return Ok(found.subject);
        }
    }
    Ok(None)
}

/// What is known of facts before they are told.
pub(crate) fn met(db: &mut Db, facts: &[Fact]) -> Result<Vec<Met>> {
    const SQL: &str = "SELECT 1 FROM record WHERE subject = ?1 AND instance <> 0 LIMIT 1";
    let keyring = db.keyring.clone();
    db.write(DURING, |db, names, _| {
        take_up(db, schemes_of(facts.iter().map(|fact| &fact.who)), &keyring)?;
        let mut peopled =
            |subject| db.prepare_cached(SQL).and_then(|mut select| select.exists([int(subject)])).during(DURING);
        meet(facts, &mut Finder::new(db, names, &keyring)?, &mut peopled)
    })
}

/// Brings a store forward that was written before addresses were found by their digests: whatever digests it holds become
/// the digests of its addresses, and whoever they join becomes one subject.
pub(crate) fn bring_forward(db: &Connection, keyring: &Keyring) -> Result<()> {
    const DIGESTS: &str = "SELECT i.kind, i.raw, i.grant_key, i.suppress_key, i.defect, i.record, i.no, r.subject \
         FROM identifier AS i JOIN record AS r ON r.no = i.record WHERE i.kind = ?1 ORDER BY i.no";
    let mut digests = Vec::new();
    let mut select = db.prepare(DIGESTS).during(DURING)?;
    let mut rows = select.query([IdentifierKind::Hashed.code()]).during(DURING)?;
    while let Some(row) = rows.next().during(DURING)? {
        let (identifier, found) = held(row)?;
        digests.push((identifier.hashed()?, found.number));
    }
    take_up(db, digests.iter().flat_map(|(digest, _)| Scheme::all_of(digest)).collect(), keyring)?;
    for (digest, number) in digests {
        if let (Some(theirs), Some(holder)) = (bearer(db, &digest, keyring)?, number) {
            join(db, theirs, holder)?;
        }
    }
    Ok(())
}

/// Makes the subject of a digest and that of its address one.
fn join(db: &Connection, theirs: u64, digest: u64) -> Result<()> {
    const HOLDER: &str = "SELECT r.subject FROM identifier AS i JOIN record AS r ON r.no = i.record WHERE i.no = ?1";
    let other = number(db.query_row(HOLDER, [int(digest)], |row| row.get(0)).during(DURING)?);
    if other == theirs {
        return Ok(());
    }
    let (from, into) = (int(other.max(theirs)), int(other.min(theirs)));
    db.execute("UPDATE record SET subject = ?2 WHERE subject = ?1", [from, into]).during(DURING)?;
    db.execute("DELETE FROM subject WHERE no = ?1", [from]).during(DURING)?;
    db.execute("UPDATE subject SET standing = NULL, valid_until = NULL WHERE no = ?1", [into]).during(DURING)?;
    db.execute("UPDATE counter SET subjects = subjects - 1", []).during(DURING).map(|_| ())
}

/// Keeps the digest of every address there is under one scheme.
fn fill(db: &Connection, scheme: &Scheme, keyring: &Keyring) -> Result<()> {
    const SQL: &str = "SELECT kind, raw, grant_key, suppress_key, defect, record, no FROM identifier \
         WHERE no > ?1 AND kind = ?2 ORDER BY no LIMIT ?3";
    let mut select = db.prepare_cached(SQL).during(DURING)?;
    let mut last = Some(0_i64);
    while let Some(after) = last.take() {
        let mut chunk = Vec::new();
        let mut rows = select.query((after, scheme.of_kind().code(), ADDRESSES_PER_CHUNK)).during(DURING)?;
        while let Some(row) = rows.next().during(DURING)? {
            let no: i64 = row.get(6).during(DURING)?;
            let identifier: Identifier = read(row)?;
            let borne = identifier.borne(std::slice::from_ref(scheme), keyring);
            chunk.extend(borne.iter().map(|borne| (borne.key, no)));
            last = Some(no);
        }
        drop(rows);
        write(db, chunk)?;
    }
    Ok(())
}

fn write(db: &Connection, mut rows: Vec<(i64, i64)>) -> Result<()> {
    const SQL: &str = "INSERT INTO digest (key, identifier) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_unstable();
    let mut insert = db.prepare_cached(SQL).during(DURING)?;
    for row in rows {
        insert.execute(row).during(DURING)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
