//! The outbox: planned changes from draft to their end, by the rules of `unisson_store::outbox`.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Params, Row};
use unisson_connector::{Change, ChangeId, Target};
use unisson_consent::{RecordRef, SystemId};
use unisson_plan::{Judged, Planned, RunId, Settled, Settlement, Tally};
use unisson_store::codec::{Needs, action, action_code, decode_scope, encode_scope, nanos, reason};
use unisson_store::enrol::Enrolment;
use unisson_store::outbox::OutboxState;
use unisson_store::{Claim, Claimed, OutboxCount, Result};

use crate::commit::{Touched, miss};
use crate::db::{Db, NameCache, instance, int, limit, number};
use crate::dossier::replica;
use crate::error::During as _;
use crate::lookup::names;
use crate::record::Shown;

/// How far a change has come, if it is known.
pub(crate) fn state(db: &Connection, id: &ChangeId) -> Result<Option<OutboxState>> {
    const SQL: &str = "SELECT state FROM outbox WHERE id = ?1";
    let mut select = db.prepare_cached(SQL).during("read a planned change")?;
    let state: Option<String> =
        select.query_row([&id.0], |row| row.get(0)).optional().during("read a planned change")?;
    state.map(|state| OutboxState::parse(&state)).transpose()
}

/// Adds a planned change, or takes up one again that has ended. Tells whether it did.
pub(crate) fn plan(
    db: &Connection,
    planned: &Planned,
    (enrolment, names): (&Enrolment<'_>, &mut NameCache),
    at: Timestamp,
) -> Result<bool> {
    const SQL: &str = "INSERT INTO outbox \
         (id, instance, record, scope, action, reason, by_person, state, attempts, code, planned_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, '', ?9) \
         ON CONFLICT (id) DO UPDATE SET instance = excluded.instance, record = excluded.record, scope = excluded.scope, \
         action = excluded.action, reason = excluded.reason, by_person = excluded.by_person, state = excluded.state, \
         held_by = NULL, plan = NULL, attempts = 0, not_before = NULL, lease_until = NULL, ticket = NULL, code = '', \
         planned_at = excluded.planned_at, settled_at = NULL \
         WHERE outbox.state IN ('done', 'gone', 'cancelled')";
    let target = RecordRef { system: planned.instance.clone(), record: planned.change.target.record.clone() };
    let values = (
        &planned.change.id.0,
        names.give_instance(db, &planned.instance)?,
        int(enrolment.record(&target)?),
        encode_scope(&planned.change.scope)?,
        action_code(planned.change.action),
        planned.reason.as_str(),
        planned.by_person,
        OutboxState::planned(planned.by_person).as_str(),
        nanos(at),
    );
    let mut insert = db.prepare_cached(SQL).during("write a planned change")?;
    Ok(insert.execute(values).during("write a planned change")? > 0)
}

/// Moves on what the judgement says of open changes.
pub(crate) fn recall(db: &Connection, judged: &Judged, at: Timestamp) -> Result<()> {
    const CANCEL: &str = "UPDATE outbox SET state = 'cancelled', held_by = NULL, not_before = NULL, code = '', settled_at = ?2, \
         plan = CASE WHEN state IN ('draft', 'held') THEN NULL ELSE plan END \
         WHERE id = ?1 AND state IN ('draft', 'held', 'pending', 'leased', 'later', 'refused')";
    const CONFIRM: &str = "UPDATE outbox SET state = 'done', settled_at = ?2 WHERE id = ?1 AND state = 'unknown'";
    const RETRY: &str = "UPDATE outbox SET state = 'pending', settled_at = NULL WHERE id = ?1 AND state = 'unknown'";
    const DURING: &str = "write a planned change";
    for (sql, ids) in [(CANCEL, &judged.cancelled), (CONFIRM, &judged.confirmed)] {
        let mut update = db.prepare_cached(sql).during(DURING)?;
        for id in ids {
            update.execute((&id.0, nanos(at))).during(DURING)?;
        }
    }
    let mut update = db.prepare_cached(RETRY).during(DURING)?;
    for id in &judged.retried {
        update.execute([&id.0]).during(DURING)?;
    }
    Ok(())
}

/// Writes what became of a change that has not ended yet.
pub(crate) fn settle(db: &Connection, settled: &Settled, at: Timestamp, touched: &mut Touched) -> Result<()> {
    const SQL: &str = "UPDATE outbox SET state = ?2, attempts = attempts + 1, held_by = NULL, lease_until = NULL, \
         not_before = ?3, ticket = ?4, code = ?5, settled_at = ?6 WHERE id = ?1 RETURNING record";
    const SUBJECT: &str = "SELECT subject FROM record WHERE no = ?1";
    const DURING: &str = "write what became of a change";
    let state = OutboxState::after(&settled.settlement);
    let (mut not_before, mut ticket, mut code) = (None, None, "");
    match &settled.settlement {
        Settlement::Done | Settlement::Gone | Settlement::Unknown => {}
        Settlement::InFlight(given) => ticket = Some(&given.0),
        Settlement::Later(from) => not_before = Some(nanos(*from)),
        Settlement::Refused(given) => code = given,
    }
    let settled_at = state.is_settled().then(|| nanos(at));
    let values = (&settled.id.0, state.as_str(), not_before, ticket, code, settled_at);
    let record: Option<i64> =
        db.prepare_cached(SQL).during(DURING)?.query_row(values, |row| row.get(0)).optional().during(DURING)?;
    let Some(record) = record else { return Ok(()) };
    if state == OutboxState::Gone {
        miss(db, number(record), touched)?;
    }
    if matches!(state, OutboxState::Done | OutboxState::Gone) {
        let mut select = db.prepare_cached(SUBJECT).during(DURING)?;
        let subject: Option<i64> = select.query_row([record], |row| row.get(0)).optional().during(DURING)?;
        touched.subjects.extend(subject.map(number));
    }
    Ok(())
}

pub(crate) fn tally(db: &mut Db) -> Result<Vec<Tally>> {
    const SQL: &str = "SELECT i.name, COUNT(DISTINCT o.record), \
         (SELECT COUNT(*) FROM record AS r WHERE r.instance = o.instance AND r.presence = 0) \
         FROM outbox AS o JOIN instance AS i ON i.no = o.instance \
         WHERE o.state = 'draft' AND o.by_person = 0 GROUP BY o.instance ORDER BY i.name";
    db.read("count drafts", |db| tallies(db, SQL, []))
}

/// The tallies that a query gives: instance, how many of its contacts would change, how many it holds.
pub(crate) fn tallies(db: &Connection, sql: &str, values: impl Params) -> Result<Vec<Tally>> {
    let mut select = db.prepare_cached(sql).during("count drafts")?;
    let tallies = select.query_map(values, |row| {
        Ok(Tally {
            instance: row.get_ref(0)?.as_str()?.into(),
            changes: number(row.get(1)?),
            contacts: number(row.get(2)?),
        })
    });
    tallies.and_then(Iterator::collect).during("count drafts")
}

pub(crate) fn release(db: &mut Db, system: &SystemId) -> Result<u64> {
    const SQL: &str = "UPDATE outbox SET state = 'pending', plan = NULL WHERE instance = ?1 AND state = 'draft'";
    db.write("release drafts", |db, _, _| {
        let Some(instance) = instance(db, system)? else { return Ok(0) };
        Ok(db.execute(SQL, [instance]).during("release drafts")? as u64)
    })
}

pub(crate) fn hold(db: &mut Db, system: &SystemId, run: &RunId) -> Result<u64> {
    const SQL: &str =
        "UPDATE outbox SET state = 'held', held_by = ?2, plan = NULL WHERE instance = ?1 AND state = 'draft'";
    db.write("hold drafts", |db, _, _| {
        let Some(instance) = instance(db, system)? else { return Ok(0) };
        Ok(db.execute(SQL, (instance, &run.0)).during("hold drafts")? as u64)
    })
}

pub(crate) fn approve(db: &mut Db, run: &RunId) -> Result<u64> {
    const SQL: &str =
        "UPDATE outbox SET state = 'pending', held_by = NULL, plan = NULL WHERE held_by = ?1 AND state = 'held'";
    db.write("approve a run", |db, _, _| Ok(db.execute(SQL, [&run.0]).during("approve a run")? as u64))
}

/// A change that can be claimed, with what its record shows.
struct Due {
    no: i64,
    id: ChangeId,
    scope: Vec<u8>,
    action: u8,
    reason: String,
    attempts: u32,
    record: i64,
}

pub(crate) fn claim(db: &mut Db, claim: &Claim<'_>) -> Result<Vec<Claimed>> {
    const LEASE: &str = "UPDATE outbox SET state = 'leased', lease_until = ?2, not_before = NULL WHERE no = ?1";
    db.write("claim changes", |db, _, _| {
        let Some(instance) = instance(db, claim.instance)? else { return Ok(Vec::new()) };
        let mut needs = Needs::default();
        let mut found: Vec<(Due, Shown)> = Vec::new();
        for due in due(db, instance, claim)? {
            if let Some(shown) = replica(db, due.record)? {
                shown.needs(&mut needs);
                found.push((due, shown));
            }
        }
        let names = names(db, &needs)?;
        let mut lease = db.prepare_cached(LEASE).during("claim changes")?;
        let mut claimed = Vec::with_capacity(found.len());
        for (due, shown) in found {
            lease.execute((due.no, nanos(claim.until))).during("claim changes")?;
            claimed.push(due.build(shown.build(&names)?)?);
        }
        Ok(claimed)
    })
}

/// What is due, shutting out before letting in: the codes of actions are in that order.
fn due(db: &Connection, instance: i64, claim: &Claim<'_>) -> Result<Vec<Due>> {
    const ALL: &str = "SELECT no, id, scope, action, reason, attempts, record FROM outbox \
         WHERE instance = ?1 AND action <= ?2 AND state IN ('pending', 'later', 'leased') \
         AND (state = 'pending' OR (state = 'later' AND (not_before <= ?3 OR not_before > ?5)) \
         OR (state = 'leased' AND (lease_until <= ?3 OR lease_until > ?6))) \
         AND EXISTS (SELECT 1 FROM record AS r WHERE r.no = outbox.record AND r.replica IS NOT NULL) \
         ORDER BY action, scope, no LIMIT ?4";
    const OF_PLAN: &str = "SELECT no, id, scope, action, reason, attempts, record FROM outbox \
         WHERE plan = ?7 AND instance = ?1 AND action <= ?2 AND state IN ('pending', 'later', 'leased') \
         AND (state = 'pending' OR (state = 'later' AND (not_before <= ?3 OR not_before > ?5)) \
         OR (state = 'leased' AND (lease_until <= ?3 OR lease_until > ?6))) \
         AND EXISTS (SELECT 1 FROM record AS r WHERE r.no = outbox.record AND r.replica IS NOT NULL) \
         ORDER BY action, scope, no LIMIT ?4";
    let last = action_code(if claim.openings {
        unisson_connector::Action::Reconfirm
    } else {
        unisson_connector::Action::MarkInvalid
    });
    let (now, most) = (nanos(claim.now), limit(claim.limit));
    let (latest, until) = (nanos(claim.latest_pause()), nanos(claim.until));
    match claim.plan {
        None => select_due(db, ALL, (instance, last, now, most, latest, until)),
        Some(plan) => select_due(db, OF_PLAN, (instance, last, now, most, latest, until, &plan.0)),
    }
}

fn select_due(db: &Connection, sql: &str, values: impl Params) -> Result<Vec<Due>> {
    let mut select = db.prepare_cached(sql).during("claim changes")?;
    let rows = select.query_map(values, |row| {
        Ok(Due {
            no: row.get(0)?,
            id: ChangeId(row.get(1)?),
            scope: row.get(2)?,
            action: row.get(3)?,
            reason: row.get(4)?,
            attempts: row.get(5)?,
            record: row.get(6)?,
        })
    });
    rows.and_then(Iterator::collect).during("claim changes")
}

impl Due {
    fn build(self, replica: unisson_plan::Replica) -> Result<Claimed> {
        let change = Change {
            id: self.id,
            target: Target { record: replica.record.record.clone(), addresses: replica.who.addresses.clone() },
            scope: decode_scope(&self.scope)?,
            action: action(self.action)?,
            reason: reason(&self.reason)?.as_str(),
        };
        Ok(Claimed { change, attempts: self.attempts, replica })
    }
}

pub(crate) fn counts(db: &mut Db) -> Result<Vec<OutboxCount>> {
    const SQL: &str = "SELECT i.name, o.action, o.state, o.code, o.held_by, COUNT(*) \
         FROM outbox AS o JOIN instance AS i ON i.no = o.instance GROUP BY o.instance, o.action, o.state, o.code, o.held_by";
    db.read("count the outbox", |db| {
        let mut select = db.prepare_cached(SQL).during("count the outbox")?;
        let mut rows = select.query([]).during("count the outbox")?;
        let mut counts = Vec::new();
        while let Some(row) = rows.next().during("count the outbox")? {
            counts.push(count(row)?);
        }
        counts.sort();
        Ok(counts)
    })
}

/// A row of the outbox in numbers.
pub(crate) fn count(row: &Row<'_>) -> Result<OutboxCount> {
    let columns = |row: &Row<'_>| {
        let instance: SystemId = row.get_ref(0)?.as_str()?.into();
        let run: Option<String> = row.get(4)?;
        Ok((instance, row.get(1)?, row.get(2)?, row.get(3)?, run.map(RunId), number(row.get(5)?)))
    };
    let (instance, code_of_action, state, code, run, changes) = columns(row).during("count the outbox")?;
    Ok(OutboxCount { instance, action: action(code_of_action)?, state, code, run, changes })
}
