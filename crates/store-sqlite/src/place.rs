//! Where streams stand, who is there, who ran, and who is who.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row};
use unisson_connector::{Cursor, StreamId};
use unisson_consent::{RecordId, SystemId};
use unisson_plan::{Position, RecordNo, RunId, SubjectNo};
use unisson_store::codec::{instant, nanos, run_state};
use unisson_store::identifier::native_key;
use unisson_store::identifier::{Class, Identifier};
use unisson_store::{Counts, Result, RunRecord, Wanted};

use crate::db::{Db, instance, int, limit, number, stream};
use crate::error::During as _;
use crate::lookup::{CLASS, LOOSE, holder};
use crate::{commit, digest, standing};

pub(crate) fn position(db: &mut Db, system: &SystemId, name: &StreamId) -> Result<Option<Position>> {
    const SQL: &str = "SELECT s.cursor, s.in_pass, s.sweeping, s.swept_at FROM stream AS s \
         JOIN instance AS i ON i.no = s.instance WHERE i.name = ?1 AND s.name = ?2 AND s.in_pass IS NOT NULL";
    db.read("read a position", |db| {
        let mut select = db.prepare_cached(SQL).during("read a position")?;
        let read = |row: &Row<'_>| {
            let (cursor, swept_at): (Option<String>, Option<i64>) = (row.get(0)?, row.get(3)?);
            Ok(Position {
                cursor: cursor.map(Cursor),
                in_pass: row.get(1)?,
                sweeping: row.get(2)?,
                swept_at: swept_at.map(instant),
            })
        };
        select.query_row((system.as_str(), &name.0), read).optional().during("read a position")
    })
}

/// The present records of a stream after this one, in the order of their numbers, one page at a time.
pub(crate) fn present(
    db: &mut Db,
    (system, name): (&SystemId, &StreamId),
    after: RecordNo,
    most: usize,
) -> Result<Vec<RecordNo>> {
    const SQL: &str = "SELECT no FROM record WHERE instance = ?1 AND stream = ?2 AND presence = 0 AND no > ?3 \
         ORDER BY no LIMIT ?4";
    const DURING: &str = "look through a stream";
    db.read(DURING, |db| {
        let Some(instance) = instance(db, system)? else { return Ok(Vec::new()) };
        let Some(stream) = stream(db, instance, name)? else { return Ok(Vec::new()) };
        let mut select = db.prepare_cached(SQL).during(DURING)?;
        let rows =
            select.query_map((instance, stream, int(after.0), limit(most)), |row| Ok(RecordNo(number(row.get(0)?))));
        rows.and_then(Iterator::collect).during(DURING)
    })
}

pub(crate) fn contacts(db: &mut Db, system: &SystemId) -> Result<u64> {
    const SQL: &str = "SELECT COUNT(*) FROM record WHERE instance = ?1 AND presence = 0";
    db.read("count contacts", |db| {
        let Some(instance) = instance(db, system)? else { return Ok(0) };
        let mut select = db.prepare_cached(SQL).during("count contacts")?;
        select.query_row([instance], |row| Ok(number(row.get(0)?))).during("count contacts")
    })
}

pub(crate) fn systems(db: &mut Db) -> Result<Vec<(SystemId, u64)>> {
    const SQL: &str = "SELECT i.name, (SELECT COUNT(*) FROM record AS r WHERE r.instance = i.no AND r.presence = 0) \
         FROM instance AS i ORDER BY i.name";
    db.read("list the systems", |db| {
        let mut select = db.prepare_cached(SQL).during("list the systems")?;
        let rows = select.query_map([], |row| Ok((SystemId::new(row.get_ref(0)?.as_str()?), number(row.get(1)?))));
        rows.and_then(Iterator::collect).during("list the systems")
    })
}

pub(crate) fn save_run(db: &mut Db, run: &RunRecord) -> Result<()> {
    const SQL: &str = "INSERT INTO run (id, started_at, ended_at, state, report) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (id) DO UPDATE SET started_at = excluded.started_at, ended_at = excluded.ended_at, \
         state = excluded.state, report = excluded.report";
    db.write("remember a run", |db, _, _| {
        let values = (&run.id.0, nanos(run.started_at), run.ended_at.map(nanos), run.state.as_str(), &run.report);
        db.execute(SQL, values).during("remember a run").map(|_| ())
    })
}

pub(crate) fn runs(db: &mut Db, most: usize) -> Result<Vec<RunRecord>> {
    const SQL: &str =
        "SELECT id, started_at, ended_at, state, report FROM run ORDER BY started_at DESC, id DESC LIMIT ?1";
    db.read("read runs", |db| {
        let mut select = db.prepare_cached(SQL).during("read runs")?;
        let mut rows = select.query([limit(most)]).during("read runs")?;
        let mut runs = Vec::new();
        while let Some(row) = rows.next().during("read runs")? {
            let columns = |row: &Row<'_>| {
                let (started_at, ended_at): (i64, Option<i64>) = (row.get(1)?, row.get(2)?);
                let state: String = row.get(3)?;
                Ok((RunId(row.get(0)?), instant(started_at), ended_at.map(instant), state, row.get(4)?))
            };
            let (id, started_at, ended_at, state, report) = columns(row).during("read runs")?;
            runs.push(RunRecord { id, started_at, ended_at, state: run_state(&state)?, report });
        }
        Ok(runs)
    })
}

pub(crate) fn find(db: &mut Db, wanted: &Wanted) -> Result<Vec<SubjectNo>> {
    let keyring = db.keyring.clone();
    db.read("find somebody", |db| match wanted {
        Wanted::Address(address) => {
            let mut found = by_class(db, &Class::of_address(address))?;
            // Whoever is known by a digest only, an erased address included, is found by it.
            for borne in Identifier::from(address).borne(&digest::schemes(db)?, &keyring) {
                found.extend(by_class(db, &borne.digest.class())?);
            }
            found.sort_unstable();
            found.dedup();
            Ok(found)
        }
        Wanted::Customer(customer) => by_class(db, &Class::of_customer(customer)),
        Wanted::Record(record) => by_record(db, record),
    })
}

fn by_class(db: &Connection, class: &Class) -> Result<Vec<SubjectNo>> {
    let mut select = db.prepare_cached(CLASS).during("find somebody")?;
    Ok(holder(&mut select, class)?.map(SubjectNo).into_iter().collect())
}

fn by_record(db: &Connection, record: &RecordId) -> Result<Vec<SubjectNo>> {
    const SQL: &str = "SELECT DISTINCT r.subject FROM record_by_key AS k CROSS JOIN record AS r ON r.no = k.no \
         WHERE k.key = ?1 AND r.native = ?2 AND r.instance <> ?3 ORDER BY r.subject";
    let mut select = db.prepare_cached(SQL).during("find somebody")?;
    let native = record.as_str();
    let rows = select.query_map((native_key(native), native, LOOSE), |row| Ok(SubjectNo(number(row.get(0)?))));
    rows.and_then(Iterator::collect).during("find somebody")
}

pub(crate) fn counts(db: &mut Db, now: Timestamp) -> Result<Counts> {
    const RECORDS: &str = "SELECT COUNT(*) FROM record WHERE instance > 0";
    db.read("count what there is", |db| {
        let counters = commit::counters(db)?;
        let records: i64 = db.query_row(RECORDS, [], |row| row.get(0)).during("count what there is")?;
        Ok(Counts {
            subjects: counters.subjects,
            records: number(records),
            facts: counters.facts,
            commits: counters.commits,
            stale: standing::count_stale(db, now)?,
        })
    })
}
