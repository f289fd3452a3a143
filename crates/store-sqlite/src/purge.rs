//! Purging: one transaction for each person, and the files written anew after any number of them.
//!
//! Deleted content is overwritten where it stood. Copies of it may still lie in pages from which rows were moved when a tree
//! was rebalanced, and in the write-ahead log; only writing the files anew is sure to leave none.

use std::time::Duration;

use rusqlite::{CachedStatement, Connection, OptionalExtension as _};
use unisson_consent::{FactId, Keyring};
use unisson_store::codec::{Names, Needs, StoredFact, StoredReplica};
use unisson_store::enrol::{Located, Lookup as _, RecordKey};
use unisson_store::identifier::{Identifier, Scheme};
use unisson_store::ledger::Entry;
use unisson_store::purge::{Forgetting, Leaving, Remains, forget, released};
use unisson_store::{Purge, Purged, Result};

use crate::commit::{Touched, counters, save_counters};
use crate::db::{Db, NameCache, int, number};
use crate::error::During as _;
use crate::lookup::{Finder, names, read};
use crate::open::BUSY_WAIT;
use crate::{case, digest, keys, ledger, standing};

const DURING: &str = "forget an erased person";
const CLEANING: &str = "write the files of the store anew";

/// What `meta` holds from a purge until the files are written anew.
const TRACES: &str = "traces";

pub(crate) fn purge(db: &mut Db, purge: &Purge) -> Result<Purged> {
    let keyring = db.keyring.clone();
    let (purged, touched) = db.write(DURING, |db, cache, _| purge_all(db, purge, (cache, &keyring)))?;
    if touched.everyone {
        db.lent.change_all();
    }
    touched.subjects.into_iter().for_each(|subject| db.lent.change(subject));
    Ok(purged)
}

fn purge_all(
    db: &Connection,
    purge: &Purge,
    (cache, keyring): (&mut NameCache, &Keyring),
) -> Result<(Purged, Touched)> {
    let forgetting = forget(purge, &mut Rows::new(db, cache, keyring)?)?;
    case::save(db, &purge.case)?;
    for (record, held) in &purge.held {
        case::hold(db, cache, (*record, held))?;
    }
    let mut leaves_traces = !forgetting.records.is_empty();
    for record in released(&purge.case) {
        leaves_traces |= case::unlock(db, record)?;
    }
    take_facts(db, &forgetting)?;
    for leaving in &forgetting.records {
        take_record(db, leaving, cache)?;
    }
    take_identifiers(db, &forgetting, keyring)?;
    let touched = settle_subjects(db, &forgetting)?;
    count(db, purge, &forgetting)?;
    if leaves_traces {
        mark(db)?;
    }
    let purged = Purged {
        records: forgetting.records.iter().filter(|leaving| leaving.system.is_some()).count() as u64,
        facts: forgetting.facts.len() as u64,
        identifiers: forgetting.identifiers.len() as u64,
    };
    Ok((purged, touched))
}

fn take_facts(db: &Connection, forgetting: &Forgetting) -> Result<()> {
    const FACT: &str = "DELETE FROM fact WHERE record = ?1 AND id = ?2";
    const REQUEST: &str = "DELETE FROM request WHERE fact = ?1";
    let mut fact = db.prepare_cached(FACT).during(DURING)?;
    let mut request = db.prepare_cached(REQUEST).during(DURING)?;
    for (record, id) in &forgetting.facts {
        fact.execute((int(*record), id.0)).during(DURING)?;
        request.execute([id.0]).during(DURING)?;
    }
    Ok(())
}

fn take_record(db: &Connection, leaving: &Leaving, cache: &mut NameCache) -> Result<()> {
    const OUTBOX: &str = "DELETE FROM outbox WHERE record = ?1";
    const RECORD: &str = "DELETE FROM record WHERE no = ?1";
    const PURGED: &str = "INSERT INTO purged (record, instance) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    keys::forget_record(db, int(leaving.record))?;
    for sql in [OUTBOX, RECORD] {
        db.prepare_cached(sql).during(DURING)?.execute([int(leaving.record)]).during(DURING)?;
    }
    if let Some(system) = &leaving.system {
        let values = (int(leaving.record), cache.give_instance(db, system)?);
        db.prepare_cached(PURGED).during(DURING)?.execute(values).during(DURING)?;
    }
    Ok(())
}

fn take_identifiers(db: &Connection, forgetting: &Forgetting, keyring: &Keyring) -> Result<()> {
    const READ: &str = "SELECT kind, raw, grant_key, suppress_key, defect, record FROM identifier WHERE no = ?1";
    const IDENTIFIER: &str = "DELETE FROM identifier WHERE no = ?1";
    const DIGEST: &str = "DELETE FROM digest WHERE key = ?1 AND identifier = ?2";
    const MOVE: &str = "UPDATE identifier SET record = ?2 WHERE no = ?1";
    let schemes: Vec<Scheme> = digest::schemes(db)?;
    let mut select = db.prepare_cached(READ).during(DURING)?;
    let mut delete = db.prepare_cached(IDENTIFIER).during(DURING)?;
    let mut undigest = db.prepare_cached(DIGEST).during(DURING)?;
    for no in &forgetting.identifiers {
        let mut rows = select.query([int(*no)]).during(DURING)?;
        let Some(row) = rows.next().during(DURING)? else { continue };
        let identifier: Identifier = read(row)?;
        drop(rows);
        for borne in identifier.borne(&schemes, keyring) {
            undigest.execute((borne.key, int(*no))).during(DURING)?;
        }
        keys::forget_identifier(db, int(*no))?;
        delete.execute([int(*no)]).during(DURING)?;
    }
    let mut update = db.prepare_cached(MOVE).during(DURING)?;
    for (no, record) in &forgetting.moved {
        // The key of a birthday speaks of its record.
        keys::forget_identifier(db, int(*no))?;
        update.execute([int(*no), int(*record)]).during(DURING)?;
        keys::remember_identifier(db, int(*no))?;
    }
    Ok(())
}

/// Ends the subjects that nobody is left of, and makes those stale that go on.
fn settle_subjects(db: &Connection, forgetting: &Forgetting) -> Result<Touched> {
    const SUBJECT: &str = "DELETE FROM subject WHERE no = ?1";
    let mut delete = db.prepare_cached(SUBJECT).during(DURING)?;
    for subject in &forgetting.ended {
        delete.execute([int(*subject)]).during(DURING)?;
    }
    let mut touched =
        Touched { subjects: forgetting.lessened.iter().copied().collect(), everyone: forgetting.everyone };
    standing::make_stale(db, &touched)?;
    touched.subjects.extend(&forgetting.ended);
    Ok(touched)
}

fn count(db: &Connection, purge: &Purge, forgetting: &Forgetting) -> Result<()> {
    let mut counters = counters(db)?;
    counters.subjects -= forgetting.ended.len() as u64;
    counters.facts -= forgetting.facts.len() as u64;
    if !forgetting.facts.is_empty() {
        let entries: Vec<Entry> = forgetting.facts.iter().map(|(record, id)| Entry::purging(*record, *id)).collect();
        ledger::append(db, (&purge.run, purge.at), &entries)?;
        counters.commits += 1;
    }
    save_counters(db, counters)
}

fn mark(db: &Connection) -> Result<()> {
    const SQL: &str = "INSERT INTO meta (name, value) VALUES (?1, '1') ON CONFLICT DO NOTHING";
    db.prepare_cached(SQL).during(DURING)?.execute([TRACES]).during(DURING)?;
    Ok(())
}

/// Writes the files anew if anybody was purged since that was done last: the database into itself, and the write-ahead log
/// down to nothing. It takes as long as copying the store, some 15 seconds for one of 1 GB, and
/// needs room for a copy in the folder for temporary files and for one beside the database. Answers whether no trace is left; one is for as long as another process reads a state from before.
pub(crate) fn forget_traces(db: &mut Db) -> Result<bool> {
    const MARKED: &str = "SELECT 1 FROM meta WHERE name = ?1";
    const DONE: &str = "DELETE FROM meta WHERE name = ?1";
    let marked = db.read(CLEANING, |db| {
        db.prepare_cached(MARKED).and_then(|mut select| select.exists([TRACES])).during(CLEANING)
    })?;
    if !marked {
        return Ok(true);
    }
    db.refuse_to_read_only(CLEANING)?;
    db.connection.execute_batch("VACUUM").during(CLEANING)?;
    if !cut_log(&db.connection)? {
        return Ok(false);
    }
    db.write(CLEANING, |db, _, _| db.execute(DONE, [TRACES]).during(CLEANING).map(|_| ()))?;
    Ok(true)
}

/// Moves the write-ahead log to the database and cuts it down to nothing. Answers whether no reader was in the way.
fn cut_log(db: &Connection) -> Result<bool> {
    const SQL: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
    // Who reads for long is not waited for: the next call tries again.
    db.busy_timeout(READER_WAIT).during(CLEANING)?;
    let cut = db.query_row(SQL, [], |row| row.get::<_, i64>(0)).during(CLEANING);
    db.busy_timeout(BUSY_WAIT).during(CLEANING)?;
    Ok(cut? == 0)
}

/// How long a reader is waited for.
const READER_WAIT: Duration = Duration::from_secs(1);

/// The rows of a store within one transaction.
struct Rows<'t> {
    db: &'t Connection,
    finder: Finder<'t>,
    facts: CachedStatement<'t>,
}

impl<'t> Rows<'t> {
    fn new(db: &'t Connection, cache: &'t mut NameCache, keyring: &'t Keyring) -> Result<Self> {
        const FACTS: &str = "SELECT id, body FROM fact WHERE record = ?1 ORDER BY id";
        Ok(Self { db, finder: Finder::new(db, cache, keyring)?, facts: db.prepare_cached(FACTS).during(DURING)? })
    }

    fn numbers(&self, sql: &str, of: u64) -> Result<Vec<u64>> {
        let mut select = self.db.prepare_cached(sql).during(DURING)?;
        let rows = select.query_map([int(of)], |row| Ok(number(row.get(0)?)));
        rows.and_then(Iterator::collect).during(DURING)
    }
}

impl Remains for Rows<'_> {
    fn record(&mut self, key: &RecordKey) -> Result<Option<Located>> {
        self.finder.record(key)
    }

    fn members(&mut self, subject: u64) -> Result<Vec<u64>> {
        self.numbers("SELECT no FROM record WHERE subject = ?1 ORDER BY no", subject)
    }

    fn facts(&mut self, record: u64) -> Result<Vec<(FactId, StoredFact)>> {
        let mut rows = self.facts.query([int(record)]).during(DURING)?;
        let mut facts = Vec::new();
        while let Some(row) = rows.next().during(DURING)? {
            let id = FactId(row.get(0).during(DURING)?);
            let body = row.get_ref(1).and_then(|body| Ok(body.as_blob()?)).during(DURING)?;
            facts.push((id, StoredFact::read(body)?));
        }
        Ok(facts)
    }

    fn replica(&mut self, record: u64) -> Result<Option<StoredReplica>> {
        const SQL: &str = "SELECT replica FROM record WHERE no = ?1 AND replica IS NOT NULL";
        let mut select = self.db.prepare_cached(SQL).during(DURING)?;
        let body: Option<Vec<u8>> = select.query_row([int(record)], |row| row.get(0)).optional().during(DURING)?;
        body.map(|body| StoredReplica::read(&body)).transpose()
    }

    fn first_seen(&mut self, record: u64) -> Result<Vec<u64>> {
        self.numbers("SELECT no FROM identifier WHERE record = ?1 ORDER BY no", record)
    }

    fn names(&mut self, needs: &Needs) -> Result<Names> {
        names(self.db, needs)
    }
}
