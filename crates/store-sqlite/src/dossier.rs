//! Dossiers: everything known of a subject.

use rusqlite::{Connection, Row};
use unisson_connector::ChangeId;
use unisson_consent::{FactId, RecordRef};
use unisson_plan::{Dossier, OpenChange, SubjectNo};
use unisson_store::Result;
use unisson_store::codec::{Names, Needs, StoredFact, action, decode_scope};
use unisson_store::enrol::EVERYONE;
use unisson_store::outbox::OutboxState;

use crate::db::{Db, int, number};
use crate::error::During as _;
use crate::lookup::{LOOSE, names, record_ref};
use crate::record::{Shown, select_shown};

const DURING: &str = "read a dossier";

/// A fact before its numbers are read, with the record whose row it is kept with.
type Told = (FactId, Option<RecordRef>, StoredFact);

/// A dossier before its numbers are read.
struct Raw {
    subject: SubjectNo,
    facts: Vec<Told>,
    replicas: Vec<Shown>,
    open: Vec<(i64, OpenChange)>,
}

pub(crate) fn dossiers(db: &mut Db, subjects: &[SubjectNo]) -> Result<Vec<Dossier>> {
    let dossiers: Vec<Dossier> = db.read(DURING, |db| {
        let mut common = Vec::new();
        facts(db, EVERYONE, None, &mut common)?;
        let mut raw = Vec::with_capacity(subjects.len());
        for subject in subjects {
            raw.extend(read(db, *subject)?);
        }
        let mut needs = Needs::default();
        let all = common.iter().chain(raw.iter().flat_map(|raw| &raw.facts));
        all.for_each(|(_, _, fact)| fact.needs(&mut needs));
        raw.iter().flat_map(|raw| &raw.replicas).for_each(|replica| replica.needs(&mut needs));
        let names = names(db, &needs)?;
        raw.into_iter().map(|raw| raw.build(&common, &names)).collect()
    })?;
    for dossier in &dossiers {
        db.lent.lend(dossier.subject.0);
    }
    Ok(dossiers)
}

/// What is kept of a subject; `None` where there is none of this number.
fn read(db: &Connection, subject: SubjectNo) -> Result<Option<Raw>> {
    const SUBJECT: &str = "SELECT 1 FROM subject WHERE no = ?1";
    const RECORDS: &str = "SELECT r.no, r.instance, i.name, r.native FROM record AS r \
         LEFT JOIN instance AS i ON i.no = r.instance WHERE r.subject = ?1 ORDER BY r.no";
    if !db.prepare_cached(SUBJECT).and_then(|mut select| select.exists([int(subject.0)])).during(DURING)? {
        return Ok(None);
    }
    let mut raw = Raw { subject, facts: Vec::new(), replicas: Vec::new(), open: Vec::new() };
    let mut select = db.prepare_cached(RECORDS).during(DURING)?;
    let mut rows = select.query([int(subject.0)]).during(DURING)?;
    while let Some(row) = rows.next().during(DURING)? {
        let (no, instance): (i64, i64) = row.get(0).and_then(|no| Ok((no, row.get(1)?))).during(DURING)?;
        let record = if instance == LOOSE { None } else { Some(record_ref(row, 2).during(DURING)?) };
        facts(db, number(no), record.as_ref(), &mut raw.facts)?;
        let Some(record) = record else { continue };
        raw.replicas.extend(replica(db, no)?);
        open(db, no, &record, &mut raw.open)?;
    }
    Ok(Some(raw))
}

fn facts(db: &Connection, record: u64, row_of: Option<&RecordRef>, into: &mut Vec<Told>) -> Result<()> {
    const SQL: &str = "SELECT id, body FROM fact WHERE record = ?1 ORDER BY id";
    let mut select = db.prepare_cached(SQL).during(DURING)?;
    let mut rows = select.query([int(record)]).during(DURING)?;
    while let Some(row) = rows.next().during(DURING)? {
        let id = FactId(row.get(0).during(DURING)?);
        let body = row.get_ref(1).and_then(|body| Ok(body.as_blob()?)).during(DURING)?;
        into.push((id, row_of.cloned(), StoredFact::read(body)?));
    }
    Ok(())
}

/// What the record of this number showed last.
pub(crate) fn replica(db: &Connection, no: i64) -> Result<Option<Shown>> {
    const SQL: &str = select_shown!("r.no = ?1");
    let mut select = db.prepare_cached(SQL).during("read a replica")?;
    let mut rows = select.query([no]).during("read a replica")?;
    rows.next().during("read a replica")?.map(Shown::read).transpose()
}

fn open(db: &Connection, no: i64, record: &RecordRef, into: &mut Vec<(i64, OpenChange)>) -> Result<()> {
    const SQL: &str = "SELECT no, id, scope, action, state FROM outbox \
         WHERE record = ?1 AND state NOT IN ('done', 'gone', 'cancelled')";
    let mut select = db.prepare_cached(SQL).during(DURING)?;
    let mut rows = select.query([no]).during(DURING)?;
    while let Some(row) = rows.next().during(DURING)? {
        let columns = |row: &Row<'_>| {
            let (scope, state): (Vec<u8>, String) = (row.get(2)?, row.get(4)?);
            Ok((row.get(0)?, ChangeId(row.get(1)?), scope, row.get(3)?, state))
        };
        let (place, id, scope, code, state) = columns(row).during(DURING)?;
        let Some(state) = OutboxState::parse(&state)?.open() else { continue };
        let change = OpenChange {
            id,
            instance: record.system.clone(),
            record: record.record.clone(),
            scope: decode_scope(&scope)?,
            action: action(code)?,
            state,
        };
        into.push((place, change));
    }
    Ok(())
}

impl Raw {
    fn build(mut self, common: &[Told], names: &Names) -> Result<Dossier> {
        self.open.sort_by_key(|(place, _)| *place);
        let facts = common.iter().cloned().chain(self.facts);
        Ok(Dossier {
            subject: self.subject,
            facts: facts.map(|(id, row, fact)| fact.build(id, row.as_ref(), names)).collect::<Result<_>>()?,
            replicas: self.replicas.into_iter().map(|replica| replica.build(names)).collect::<Result<_>>()?,
            open: self.open.into_iter().map(|(_, change)| change).collect(),
        })
    }
}
