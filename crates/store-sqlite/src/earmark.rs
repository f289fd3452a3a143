//! Plans: the changes that wait, and those that are marked for a plan.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, Row};
use unisson_connector::ChangeId;
use unisson_consent::SystemId;
use unisson_plan::{PlanId, SubjectNo, Tally};
use unisson_store::codec::{action, reason};
use unisson_store::outbox::OutboxState;
use unisson_store::{OutboxChange, OutboxCount, OutboxNo, Result};

use crate::db::{Db, instance, int, limit, number};
use crate::error::During as _;
use crate::outbox::{count, tallies};

/// The changes that wait after a place. The tables are read in this order, so that a page costs what it holds.
pub(crate) fn planned(db: &mut Db, after: Option<OutboxNo>, most: usize) -> Result<Vec<OutboxChange>> {
    const SQL: &str = "SELECT o.no, o.id, i.name, o.action, o.reason, o.by_person, o.state, o.plan, r.subject \
         FROM outbox AS o CROSS JOIN instance AS i ON i.no = o.instance CROSS JOIN record AS r ON r.no = o.record \
         WHERE o.no > ?1 AND o.state IN ('draft', 'held', 'pending', 'later') ORDER BY o.no LIMIT ?2";
    const DURING: &str = "read the changes that wait";
    db.read(DURING, |db| {
        let mut select = db.prepare_cached(SQL).during(DURING)?;
        let after = after.map_or(0, |after| int(after.0));
        let mut rows = select.query((after, limit(most))).during(DURING)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().during(DURING)? {
            found.push(change(row)?);
        }
        Ok(found)
    })
}

pub(crate) fn changes(db: &mut Db, ids: &[ChangeId]) -> Result<Vec<Option<OutboxChange>>> {
    const DURING: &str = "look up planned changes";
    db.read(DURING, |db| ids.iter().map(|id| change_of(db, id)).collect())
}

fn change_of(db: &Connection, id: &ChangeId) -> Result<Option<OutboxChange>> {
    const SQL: &str = "SELECT o.no, o.id, i.name, o.action, o.reason, o.by_person, o.state, o.plan, r.subject \
         FROM outbox AS o CROSS JOIN instance AS i ON i.no = o.instance CROSS JOIN record AS r ON r.no = o.record \
         WHERE o.id = ?1";
    const DURING: &str = "look up a planned change";
    let mut select = db.prepare_cached(SQL).during(DURING)?;
    let mut rows = select.query([&id.0]).during(DURING)?;
    rows.next().during(DURING)?.map(change).transpose()
}

fn change(row: &Row<'_>) -> Result<OutboxChange> {
    const DURING: &str = "read a planned change";
    let columns = |row: &Row<'_>| {
        let (state, why): (String, String) = (row.get(6)?, row.get(4)?);
        let plan: Option<String> = row.get(7)?;
        let instance: SystemId = row.get_ref(2)?.as_str()?.into();
        Ok(((row.get(0)?, row.get(1)?, instance), (row.get(3)?, why, row.get(5)?), (state, plan, row.get(8)?)))
    };
    let ((no, id, instance), (code, why, by_person), (state, plan, subject)) = columns(row).during(DURING)?;
    Ok(OutboxChange {
        no: OutboxNo(number(no)),
        id: ChangeId(id),
        instance,
        action: action(code)?,
        reason: reason(&why)?,
        by_person,
        state: OutboxState::parse(&state)?,
        plan: plan.map(PlanId),
        subject: SubjectNo(number(subject)),
    })
}

pub(crate) fn earmark(db: &mut Db, plan: &PlanId, ids: &[ChangeId]) -> Result<u64> {
    const SQL: &str =
        "UPDATE outbox SET plan = ?2 WHERE id = ?1 AND state IN ('draft', 'held', 'pending', 'later') RETURNING 1";
    const DURING: &str = "mark the changes of a plan";
    db.write(DURING, |db, _, _| {
        let mut update = db.prepare_cached(SQL).during(DURING)?;
        let mut marked = 0;
        for id in ids.iter().collect::<BTreeSet<_>>() {
            let one: Option<i64> = update.query_row((&id.0, &plan.0), |row| row.get(0)).optional().during(DURING)?;
            marked += u64::from(one.is_some());
        }
        Ok(marked)
    })
}

pub(crate) fn tally_of(db: &mut Db, plan: &PlanId) -> Result<Vec<Tally>> {
    const SQL: &str = "SELECT i.name, COUNT(DISTINCT o.record), \
         (SELECT COUNT(*) FROM record AS r WHERE r.instance = o.instance AND r.presence = 0) \
         FROM outbox AS o JOIN instance AS i ON i.no = o.instance \
         WHERE o.plan = ?1 AND o.state IN ('draft', 'held') AND o.by_person = 0 GROUP BY o.instance ORDER BY i.name";
    db.read("count the drafts of a plan", |db| tallies(db, SQL, [&plan.0]))
}

pub(crate) fn release_of(db: &mut Db, plan: &PlanId, system: &SystemId) -> Result<u64> {
    const SQL: &str = "UPDATE outbox SET state = 'pending', held_by = NULL \
         WHERE plan = ?1 AND instance = ?2 AND state IN ('draft', 'held')";
    const DURING: &str = "release the drafts of a plan";
    db.write(DURING, |db, _, _| {
        let Some(instance) = instance(db, system)? else { return Ok(0) };
        Ok(db.execute(SQL, (&plan.0, instance)).during(DURING)? as u64)
    })
}

pub(crate) fn outbox_of(db: &mut Db, plan: &PlanId) -> Result<Vec<OutboxCount>> {
    const SQL: &str = "SELECT i.name, o.action, o.state, o.code, o.held_by, COUNT(*) \
         FROM outbox AS o JOIN instance AS i ON i.no = o.instance WHERE o.plan = ?1 \
         GROUP BY o.instance, o.action, o.state, o.code, o.held_by";
    const DURING: &str = "count the changes of a plan";
    db.read(DURING, |db| {
        let mut select = db.prepare_cached(SQL).during(DURING)?;
        let mut rows = select.query([&plan.0]).during(DURING)?;
        let mut counts = Vec::new();
        while let Some(row) = rows.next().during(DURING)? {
            counts.push(count(row)?);
        }
        counts.sort();
        Ok(counts)
    })
}
