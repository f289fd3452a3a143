//! Erasure cases, what a hold keeps, and how far the journal had come.

use std::fmt::Write as _;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Params, Row};
use unisson_consent::{FactId, RecordId, SystemId};
use unisson_plan::RecordNo;
use unisson_plan::erasure::{Case, CaseId, CaseState, Held, Origin};
use unisson_store::codec::{decode_case, decode_held, encode_case, encode_held, held_record, nanos};
use unisson_store::identifier::native_key;
use unisson_store::{CaseCount, Cases, Result, StoreError, StoreErrorKind};

use crate::db::{Db, NameCache, int, limit, number};
use crate::error::During as _;

const READING: &str = "read an erasure case";
const WRITING: &str = "write an erasure case";
const HOLDING: &str = "read what a hold keeps";

/// Where the journal stands, in `meta`: its lines, then the hash of the last one.
const JOURNAL: &str = "journal";

/// Writes a case as it stands now.
pub(crate) fn save(db: &Connection, case: &Case) -> Result<()> {
    const SQL: &str = "INSERT INTO erasure_case (id, state, received_at, next_at, origin, ended_at, body) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET state = excluded.state, \
         received_at = excluded.received_at, next_at = excluded.next_at, origin = excluded.origin, \
         ended_at = excluded.ended_at, body = excluded.body";
    const FACT: &str = "INSERT INTO case_fact (fact, case_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    let origin = match &case.origin {
        Origin::Request => None,
        Origin::Reappearance { system, .. } => Some(system.as_str()),
    };
    let values = (
        &case.id.0,
        case.state.as_str(),
        nanos(case.received_at),
        // What is due at once stands before every moment, as the first of all timestamps does.
        case.next_at().map(nanos),
        origin,
        case.ended_at.map(nanos),
        encode_case(case)?,
    );
    db.prepare_cached(SQL).during(WRITING)?.execute(values).during(WRITING)?;
    let mut insert = db.prepare_cached(FACT).during(WRITING)?;
    for fact in &case.facts {
        insert.execute((fact.0, &case.id.0)).during(WRITING)?;
    }
    Ok(())
}

pub(crate) fn case(db: &mut Db, id: &CaseId) -> Result<Option<Case>> {
    db.read(READING, |db| one(db, id))
}

fn one(db: &Connection, id: &CaseId) -> Result<Option<Case>> {
    const SQL: &str = "SELECT body FROM erasure_case WHERE id = ?1";
    let mut select = db.prepare_cached(SQL).during(READING)?;
    let body: Option<Vec<u8>> = select.query_row([&id.0], |row| row.get(0)).optional().during(READING)?;
    body.map(|body| decode_case(id.clone(), &body)).transpose()
}

pub(crate) fn cases(db: &mut Db, which: Cases, after: Option<&CaseId>, most: usize) -> Result<Vec<Case>> {
    const ALL: &str = "SELECT id, body FROM erasure_case WHERE id > ?1 ORDER BY id LIMIT ?2";
    const OPEN: &str = "SELECT id, body FROM erasure_case WHERE id > ?1 \
         AND state IN ('received', 'awaiting_identity', 'accepted', 'frozen', 'dispatched') ORDER BY id LIMIT ?2";
    const DUE: &str = "SELECT id, body FROM erasure_case INDEXED BY case_next WHERE next_at <= ?3 AND id > ?1 \
         ORDER BY id LIMIT ?2";
    // No id is the empty text.
    let (after, most) = (after.map_or("", |after| after.0.as_str()), limit(most));
    db.read(READING, |db| match which {
        Cases::All => select(db, ALL, (after, most)),
        Cases::Open => select(db, OPEN, (after, most)),
        Cases::Due(now) => select(db, DUE, (after, most, nanos(now))),
    })
}

fn select(db: &Connection, sql: &str, values: impl Params) -> Result<Vec<Case>> {
    let mut select = db.prepare_cached(sql).during(READING)?;
    let mut rows = select.query(values).during(READING)?;
    let mut cases = Vec::new();
    while let Some(row) = rows.next().during(READING)? {
        let columns = |row: &Row<'_>| Ok((CaseId(row.get(0)?), row.get::<_, Vec<u8>>(1)?));
        let (id, body) = columns(row).during(READING)?;
        cases.push(decode_case(id, &body)?);
    }
    Ok(cases)
}

pub(crate) fn counts(db: &mut Db) -> Result<Vec<CaseCount>> {
    const SQL: &str = "SELECT state, COUNT(*) FROM erasure_case GROUP BY state";
    db.read(READING, |db| {
        let mut select = db.prepare_cached(SQL).during(READING)?;
        let rows = select.query_map([], |row| Ok((row.get::<_, String>(0)?, number(row.get(1)?)))).during(READING)?;
        let mut counts = Vec::new();
        for row in rows {
            let (state, cases) = row.during(READING)?;
            let state = CaseState::parse(&state).ok_or_else(|| {
                StoreError::new(StoreErrorKind::Corrupt, READING, "the state of a case is none: restore a backup")
            })?;
            counts.push(CaseCount { state, cases });
        }
        counts.sort_unstable();
        Ok(counts)
    })
}

pub(crate) fn cases_of(db: &mut Db, facts: &[FactId]) -> Result<Vec<Case>> {
    const SQL: &str = "SELECT case_id FROM case_fact WHERE fact = ?1";
    db.read(READING, |db| {
        let mut select = db.prepare_cached(SQL).during(READING)?;
        let mut ids: Vec<CaseId> = Vec::new();
        for fact in facts {
            let rows = select.query_map([fact.0], |row| Ok(CaseId(row.get(0)?))).during(READING)?;
            for id in rows {
                ids.push(id.during(READING)?);
            }
        }
        ids.sort_unstable();
        ids.dedup();
        let mut cases = Vec::new();
        for id in ids {
            // A case may have let go of a fact that it once named.
            cases.extend(one(db, &id)?.filter(|case| case.facts.iter().any(|fact| facts.contains(fact))));
        }
        Ok(cases)
    })
}

pub(crate) fn reappearances(db: &mut Db, since: Timestamp) -> Result<Vec<(SystemId, u64)>> {
    const SQL: &str = "SELECT origin, COUNT(*) FROM erasure_case \
         WHERE origin IS NOT NULL AND received_at >= ?1 GROUP BY origin ORDER BY origin";
    db.read(READING, |db| {
        let mut select = db.prepare_cached(SQL).during(READING)?;
        let rows =
            select.query_map([nanos(since)], |row| Ok((SystemId::new(row.get_ref(0)?.as_str()?), number(row.get(1)?))));
        rows.and_then(Iterator::collect).during(READING)
    })
}

/// Locks a record away.
pub(crate) fn hold(db: &Connection, names: &mut NameCache, (record, held): (RecordNo, &Held)) -> Result<()> {
    const SQL: &str = "INSERT INTO held (record, instance, key, body) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (record) DO UPDATE SET instance = excluded.instance, key = excluded.key, body = excluded.body";
    let whose = held_record(held);
    let instance = names.give_instance(db, &whose.system)?;
    let values = (int(record.0), instance, native_key(whose.record.as_str()), encode_held(held)?);
    db.prepare_cached(SQL).during(WRITING)?.execute(values).during(WRITING)?;
    Ok(())
}

/// Forgets what was locked away of a record. Answers whether anything was.
pub(crate) fn unlock(db: &Connection, record: RecordNo) -> Result<bool> {
    const SQL: &str = "DELETE FROM held WHERE record = ?1";
    Ok(db.prepare_cached(SQL).during(WRITING)?.execute([int(record.0)]).during(WRITING)? > 0)
}

pub(crate) fn is_held(db: &mut Db, system: &SystemId, records: &[RecordId]) -> Result<Vec<bool>> {
    const SQL: &str =
        "SELECT body FROM held AS h JOIN instance AS i ON i.no = h.instance WHERE h.key = ?1 AND i.name = ?2";
    const NOTHING: &str = "SELECT 1 FROM held LIMIT 1";
    db.read(HOLDING, |db| {
        if !db.prepare_cached(NOTHING).and_then(|mut select| select.exists([])).during(HOLDING)? {
            return Ok(vec![false; records.len()]);
        }
        let mut select = db.prepare_cached(SQL).during(HOLDING)?;
        let mut held = vec![false; records.len()];
        for (record, is_held) in records.iter().zip(&mut held) {
            let mut rows = select.query((native_key(record.as_str()), system.as_str())).during(HOLDING)?;
            while let Some(row) = rows.next().during(HOLDING)? {
                let body = row.get_ref(0).and_then(|body| Ok(body.as_blob()?)).during(HOLDING)?;
                *is_held |= held_record(&decode_held(body)?).record == *record;
            }
        }
        Ok(held)
    })
}

pub(crate) fn held(db: &mut Db, record: RecordNo) -> Result<Option<Held>> {
    const SQL: &str = "SELECT body FROM held WHERE record = ?1";
    db.read(HOLDING, |db| {
        let mut select = db.prepare_cached(SQL).during(HOLDING)?;
        let body: Option<Vec<u8>> = select.query_row([int(record.0)], |row| row.get(0)).optional().during(HOLDING)?;
        body.map(|body| decode_held(&body)).transpose()
    })
}

pub(crate) fn journal_head(db: &mut Db) -> Result<Option<(u64, [u8; 32])>> {
    const SQL: &str = "SELECT value FROM meta WHERE name = ?1";
    const DURING: &str = "read how far the journal had come";
    let kept: Option<String> =
        db.read(DURING, |db| db.query_row(SQL, [JOURNAL], |row| row.get(0)).optional().during(DURING))?;
    kept.map(|kept| {
        head(&kept).ok_or_else(|| {
            StoreError::new(StoreErrorKind::Corrupt, DURING, "it is no number and no hash: restore a backup")
        })
    })
    .transpose()
}

pub(crate) fn set_journal_head(db: &mut Db, lines: u64, hash: [u8; 32]) -> Result<()> {
    const SQL: &str =
        "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    const DURING: &str = "remember how far the journal has come";
    let mut text = format!("{lines} ");
    for byte in hash {
        let _ = write!(text, "{byte:02x}");
    }
    db.write(DURING, |db, _, _| db.execute(SQL, (JOURNAL, text)).during(DURING).map(|_| ()))
}

fn head(kept: &str) -> Option<(u64, [u8; 32])> {
    let (lines, hex) = kept.split_once(' ')?;
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    let mut hash = [0; 32];
    for (place, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[place * 2..place * 2 + 2], 16).ok()?;
    }
    Some((lines.parse().ok()?, hash))
}
