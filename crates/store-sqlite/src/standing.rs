//! Standings: who is stale, under which law, and what was decided.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use unisson_plan::{KeyDecision, SubjectNo};
use unisson_store::Result;
use unisson_store::codec::{Needs, StoredStanding, nanos};

use crate::commit::Touched;
use crate::db::{Db, int, limit, number};
use crate::error::During as _;
use crate::lookup::names;

const EVERYONE_STALE: &str = "UPDATE subject SET standing = NULL, valid_until = NULL WHERE standing IS NOT NULL";

pub(crate) fn stale(db: &mut Db, now: Timestamp, most: usize) -> Result<Vec<SubjectNo>> {
    const NONE: &str = "SELECT no FROM subject WHERE standing IS NULL ORDER BY no LIMIT ?2";
    const OVER: &str = "SELECT no FROM subject WHERE valid_until <= ?1 ORDER BY valid_until, no LIMIT ?2";
    const LOST: &str = "SELECT DISTINCT r.subject FROM outbox AS o JOIN record AS r ON r.no = o.record \
         WHERE o.state = 'unknown' ORDER BY r.subject LIMIT ?2";
    db.read("find stale subjects", |db| {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        for sql in [NONE, OVER, LOST] {
            if found.len() >= most {
                break;
            }
            let mut select = db.prepare_cached(sql).during("find stale subjects")?;
            // Those that were found already may come again.
            let enough = limit(most.saturating_add(found.len()));
            let mut rows = select.query((nanos(now), enough)).during("find stale subjects")?;
            while let Some(row) = rows.next().during("find stale subjects")? {
                let subject = number(row.get(0).during("find stale subjects")?);
                if found.len() < most && seen.insert(subject) {
                    found.push(SubjectNo(subject));
                }
            }
        }
        Ok(found)
    })
}

/// The subjects after this one, judged or not.
pub(crate) fn subjects(db: &mut Db, after: Option<SubjectNo>, most: usize) -> Result<Vec<SubjectNo>> {
    const SQL: &str = "SELECT no FROM subject WHERE no > ?1 ORDER BY no LIMIT ?2";
    db.read("list subjects", |db| {
        let mut select = db.prepare_cached(SQL).during("list subjects")?;
        let mut rows = select.query((after.map_or(0, |after| int(after.0)), limit(most))).during("list subjects")?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().during("list subjects")? {
            found.push(SubjectNo(number(row.get(0).during("list subjects")?)));
        }
        Ok(found)
    })
}

/// How many subjects are stale.
pub(crate) fn count_stale(db: &Connection, now: Timestamp) -> Result<u64> {
    const SQL: &str = "SELECT (SELECT COUNT(*) FROM subject WHERE standing IS NULL) \
         + (SELECT COUNT(*) FROM subject WHERE valid_until <= ?1) \
         + (SELECT COUNT(DISTINCT s.no) FROM outbox AS o JOIN record AS r ON r.no = o.record \
            JOIN subject AS s ON s.no = r.subject \
            WHERE o.state = 'unknown' AND s.standing IS NOT NULL AND (s.valid_until IS NULL OR s.valid_until > ?1))";
    let mut select = db.prepare_cached(SQL).during("count stale subjects")?;
    select.query_row([nanos(now)], |row| Ok(number(row.get(0)?))).during("count stale subjects")
}

/// Makes subjects stale.
pub(crate) fn make_stale(db: &Connection, touched: &Touched) -> Result<()> {
    const SQL: &str = "UPDATE subject SET standing = NULL, valid_until = NULL WHERE no = ?1 AND standing IS NOT NULL";
    if touched.everyone {
        db.execute(EVERYONE_STALE, []).during("make everybody stale")?;
        return Ok(());
    }
    let mut update = db.prepare_cached(SQL).during("make a subject stale")?;
    for subject in &touched.subjects {
        update.execute([int(*subject)]).during("make a subject stale")?;
    }
    Ok(())
}

pub(crate) fn adopt_law(db: &mut Db, hash: &str) -> Result<bool> {
    const HELD: &str = "SELECT value FROM meta WHERE name = 'law'";
    const SAVE: &str =
        "INSERT INTO meta (name, value) VALUES ('law', ?1) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    const DURING: &str = "adopt the law";
    let held: Option<String> =
        db.read(DURING, |db| db.query_row(HELD, [], |row| row.get(0)).optional().during(DURING))?;
    if held.as_deref() == Some(hash) {
        return Ok(false);
    }
    db.write(DURING, |db, _, _| {
        db.execute(EVERYONE_STALE, []).during(DURING)?;
        db.execute(SAVE, [hash]).during(DURING)
    })?;
    db.lent.change_all();
    Ok(held.is_some())
}

pub(crate) fn standings(
    db: &mut Db,
    after: Option<SubjectNo>,
    most: usize,
) -> Result<Vec<(SubjectNo, Vec<KeyDecision>)>> {
    const SQL: &str = "SELECT no, standing FROM subject WHERE no > ?1 AND standing IS NOT NULL ORDER BY no LIMIT ?2";
    db.read("read standings", |db| {
        let mut select = db.prepare_cached(SQL).during("read standings")?;
        let after = after.map_or(0, |after| int(after.0));
        let mut rows = select.query((after, limit(most))).during("read standings")?;
        let mut stored = Vec::new();
        let mut needs = Needs::default();
        while let Some(row) = rows.next().during("read standings")? {
            let subject = number(row.get(0).during("read standings")?);
            let bytes = row.get_ref(1).and_then(|body| Ok(body.as_blob()?)).during("read standings")?;
            let standing = StoredStanding::read(bytes)?;
            standing.needs(&mut needs);
            stored.push((SubjectNo(subject), standing));
        }
        let names = names(db, &needs)?;
        stored.into_iter().map(|(subject, standing)| Ok((subject, standing.build(&names)?))).collect()
    })
}
