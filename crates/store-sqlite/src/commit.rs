//! Writing a commit: one transaction, in the order of the tables' keys.

use std::borrow::BorrowMut;
use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _};
use unisson_connector::ChangeId;
use unisson_consent::Keyring;
use unisson_plan::{Commit, Digest, Position};
use unisson_store::codec::{nanos, presence_code};
use unisson_store::enrol::{
    Counters, EnrolledReplica, EnrolledStanding, Enrolment, NewRecord, RecordKey, enrol, schemes,
};
use unisson_store::identifier::native_key;
use unisson_store::ledger::Entry;
use unisson_store::lent::Lent;
use unisson_store::outbox::OutboxState;
use unisson_store::{Receipt, Result};

use crate::db::{Db, NameCache, int, number};
use crate::error::During as _;
use crate::keys::{IDENTIFIERS, RECORDS, spelt};
use crate::lookup::{Finder, LOOSE};
use crate::{case, digest, ledger, outbox, standing};

/// The subjects that a commit makes stale.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    pub(crate) subjects: BTreeSet<u64>,
    pub(crate) everyone: bool,
}

pub(crate) fn write(db: &mut Db, mut commit: impl BorrowMut<Commit>) -> Result<Receipt> {
    let commit = commit.borrow_mut();
    let keyring = db.keyring.clone();
    let (receipt, touched) =
        db.write("write a commit", |db, names, lent| write_all(db, commit, (names, lent, &keyring)))?;
    for judged in &commit.judged {
        db.lent.give_back(judged.subject.0);
    }
    if touched.everyone {
        db.lent.change_all();
    }
    for subject in touched.subjects {
        db.lent.change(subject);
    }
    Ok(receipt)
}

fn write_all(
    db: &Connection,
    commit: &mut Commit,
    (names, lent, keyring): (&mut NameCache, &Lent, &Keyring),
) -> Result<(Receipt, Touched)> {
    keep_what_counts(db, commit)?;
    let before = counters(db)?;
    digest::take_up(db, schemes(commit), keyring)?;
    let mut enrolment = enrol(commit, before, &mut Finder::new(db, names, keyring)?)?;
    let mut touched = Touched::default();
    let newborn = enrolment.standings.split_off(enrolment.standings.len() - enrolment.newcomers.len());
    insert_subjects(db, &enrolment, newborn)?;
    insert_records(db, &enrolment, names)?;
    insert_identifiers(db, &enrolment)?;
    digest::insert(db, &enrolment)?;
    merge(db, &enrolment, &mut touched)?;
    let entries = append(db, &enrolment, before.commits + 1, &mut touched)?;
    show(db, (&enrolment, names), before, &mut touched)?;
    for record in &commit.absent {
        miss(db, record.0, &mut touched)?;
    }
    for settled in &commit.settled {
        outbox::settle(db, settled, commit.at, &mut touched)?;
    }
    let mut changes = 0;
    for judged in enrolment.judged(commit) {
        outbox::recall(db, judged, commit.at)?;
        for planned in &judged.changes {
            changes += u64::from(outbox::plan(db, planned, (&enrolment, names), commit.at)?);
        }
    }
    // A new subject is stale from the start.
    touched.subjects.retain(|subject| *subject <= before.subject);
    standing::make_stale(db, &touched)?;
    refresh(db, std::mem::take(&mut enrolment.standings), (&touched, lent))?;
    for (instance, stream, position) in &commit.positions {
        let stream = names.give_stream(db, instance, stream)?;
        save_position(db, stream, position)?;
    }
    for case in &commit.cases {
        case::save(db, case)?;
    }
    let mut after = enrolment.counters;
    if !entries.is_empty() {
        ledger::append(db, (&commit.run, commit.at), &entries)?;
        after.commits += 1;
        after.facts += entries.len() as u64;
    }
    if after != before {
        save_counters(db, after)?;
    }
    let Enrolment { learned, newcomers, .. } = enrolment;
    Ok((Receipt { facts: entries.len() as u64, changes, learned, newcomers }, touched))
}

/// Leaves out judgements of subjects that are gone, and settlements of changes that have ended.
fn keep_what_counts(db: &Connection, commit: &mut Commit) -> Result<()> {
    const SUBJECT: &str = "SELECT 1 FROM subject WHERE no = ?1";
    let mut select = db.prepare_cached(SUBJECT).during("look up a subject")?;
    let mut judged = Vec::with_capacity(commit.judged.len());
    for one in std::mem::take(&mut commit.judged) {
        if select.exists([int(one.subject.0)]).during("look up a subject")? {
            judged.push(one);
        }
    }
    commit.judged = judged;
    let mut answered: BTreeSet<ChangeId> = BTreeSet::new();
    let mut settled = Vec::with_capacity(commit.settled.len());
    for one in std::mem::take(&mut commit.settled) {
        let open = outbox::state(db, &one.id)?.is_some_and(|state: OutboxState| !state.is_settled());
        if open && answered.insert(one.id.clone()) {
            settled.push(one);
        }
    }
    commit.settled = settled;
    Ok(())
}

pub(crate) fn counters(db: &Connection) -> Result<Counters> {
    const SQL: &str = "SELECT record, identifier, subject, subjects, facts, commits FROM counter";
    let mut select = db.prepare_cached(SQL).during("read the counters")?;
    select
        .query_row([], |row| {
            Ok(Counters {
                record: number(row.get(0)?),
                identifier: number(row.get(1)?),
                subject: number(row.get(2)?),
                subjects: number(row.get(3)?),
                facts: number(row.get(4)?),
                commits: number(row.get(5)?),
            })
        })
        .during("read the counters")
}

pub(crate) fn save_counters(db: &Connection, counters: Counters) -> Result<()> {
    const SQL: &str =
        "UPDATE counter SET record = ?1, identifier = ?2, subject = ?3, subjects = ?4, facts = ?5, commits = ?6";
    let Counters { record, identifier, subject, subjects, facts, commits } = counters;
    let values = [record, identifier, subject, subjects, facts, commits].map(int);
    db.prepare_cached(SQL).during("write the counters")?.execute(values).during("write the counters")?;
    Ok(())
}

/// Inserts new subjects: newcomers with their standing, all others as stale.
fn insert_subjects(db: &Connection, enrolment: &Enrolment<'_>, newborn: Vec<EnrolledStanding>) -> Result<()> {
    const SQL: &str = "INSERT INTO subject (no, standing, valid_until) VALUES (?1, ?2, ?3)";
    let newborn: foldhash::HashMap<u64, EnrolledStanding> =
        newborn.into_iter().map(|standing| (standing.subject, standing)).collect();
    let mut insert = db.prepare_cached(SQL).during("write a subject")?;
    for subject in &enrolment.subjects {
        let standing = newborn.get(subject);
        let valid_until = standing.and_then(|standing| standing.valid_until).map(nanos);
        insert
            .execute((int(*subject), standing.map(|standing| &standing.body), valid_until))
            .during("write a subject")?;
    }
    Ok(())
}

/// Inserts new records together with what they show, where they show something.
fn insert_records(db: &Connection, enrolment: &Enrolment<'_>, names: &mut NameCache) -> Result<()> {
    const SQL: &str = "INSERT INTO record (no, instance, native, subject, stream, presence, digest, replica) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let shown: foldhash::HashMap<u64, &EnrolledReplica<'_>> =
        enrolment.replicas.iter().map(|replica| (replica.record, replica)).collect();
    let mut insert = db.prepare_cached(SQL).during("write a record")?;
    let mut keys = Vec::with_capacity(enrolment.records.len());
    for new in &enrolment.records {
        let NewRecord { number, key, subject } = new;
        let loose;
        let (instance, native) = match key {
            RecordKey::Named(record) => (names.give_instance(db, &record.system)?, record.record.as_str()),
            RecordKey::Loose(id) => {
                loose = id.to_string();
                (LOOSE, loose.as_str())
            }
        };
        let shown = shown.get(number);
        let stream = shown.map(|shown| names.give_stream(db, shown.system, shown.stream)).transpose()?;
        let values = (
            int(*number),
            instance,
            native,
            int(*subject),
            stream,
            shown.map(|shown| presence_code(shown.presence)),
            shown.map(|shown| shown.digest.0),
            shown.map(|shown| &shown.body),
        );
        insert.execute(values).during("write a record")?;
        keys.push((native_key(native), int(*number)));
    }
    RECORDS.insert(db, keys)
}

fn insert_identifiers(db: &Connection, enrolment: &Enrolment<'_>) -> Result<()> {
    const SQL: &str = "INSERT INTO identifier (no, record, kind, raw, grant_key, suppress_key, defect) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let mut insert = db.prepare_cached(SQL).during("write an identifier")?;
    let mut keys = Vec::with_capacity(enrolment.identifiers.len());
    for new in &enrolment.identifiers {
        let columns = new.identifier.columns();
        let values = (
            int(new.number),
            int(new.record),
            columns.kind,
            columns.raw,
            columns.grant,
            columns.suppress,
            columns.defect,
        );
        insert.execute(values).during("write an identifier")?;
        keys.push((spelt(&new.identifier, &new.class), int(new.number)));
    }
    IDENTIFIERS.insert(db, keys)
}

fn merge(db: &Connection, enrolment: &Enrolment<'_>, touched: &mut Touched) -> Result<()> {
    const RECORDS: &str = "UPDATE record SET subject = ?2 WHERE subject = ?1";
    const SUBJECT: &str = "DELETE FROM subject WHERE no = ?1";
    let mut relabel = db.prepare_cached(RECORDS).during("merge subjects")?;
    let mut delete = db.prepare_cached(SUBJECT).during("merge subjects")?;
    for (from, into) in &enrolment.merges {
        relabel.execute([int(*from), int(*into)]).during("merge subjects")?;
        delete.execute([int(*from)]).during("merge subjects")?;
        touched.subjects.insert(*into);
    }
    touched.subjects.extend(enrolment.records.iter().map(|new| new.subject));
    Ok(())
}

/// Adds the facts that are new and gives their entries.
fn append(db: &Connection, enrolment: &Enrolment<'_>, seq: u64, touched: &mut Touched) -> Result<Vec<Entry>> {
    const SQL: &str = "INSERT INTO fact (record, id, seq, body) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
    const REQUEST: &str = "INSERT INTO request (fact, record) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    let mut insert = db.prepare_cached(SQL).during("write a fact")?;
    let mut entries = Vec::new();
    for fact in &enrolment.facts {
        let new = insert.execute((int(fact.record), fact.id.0, int(seq), &fact.body)).during("write a fact")?;
        if new == 0 {
            continue;
        }
        entries.push(Entry::of(fact.record, fact.id, &fact.body));
        if fact.is_request {
            let mut insert = db.prepare_cached(REQUEST).during("write a fact")?;
            insert.execute((fact.id.0, int(fact.record))).during("write a fact")?;
        }
        touched.everyone |= fact.subject.is_none();
        touched.subjects.extend(fact.subject);
    }
    Ok(entries)
}

/// Writes what records that were there before show now, where it is something else.
fn show(
    db: &Connection,
    (enrolment, names): (&Enrolment<'_>, &mut NameCache),
    before: Counters,
    touched: &mut Touched,
) -> Result<()> {
    const SAME: &str =
        "SELECT 1 FROM record WHERE no = ?1 AND stream = ?2 AND presence = ?3 AND digest = ?4 AND replica = ?5";
    const SQL: &str = "UPDATE record SET stream = ?2, presence = ?3, digest = ?4, replica = ?5 WHERE no = ?1";
    let mut same = db.prepare_cached(SAME).during("write a replica")?;
    let mut update = db.prepare_cached(SQL).during("write a replica")?;
    for replica in enrolment.replicas.iter().filter(|replica| replica.record <= before.record) {
        let stream = names.give_stream(db, replica.system, replica.stream)?;
        let (presence, digest) = (presence_code(replica.presence), replica.digest.0);
        let values = (int(replica.record), stream, presence, digest, &replica.body);
        if same.exists(values).during("write a replica")? {
            continue;
        }
        update.execute(values).during("write a replica")?;
        touched.subjects.insert(replica.subject);
    }
    Ok(())
}

/// A record is no longer there. Its digest goes, so that it is compared in full should it come back.
pub(crate) fn miss(db: &Connection, record: u64, touched: &mut Touched) -> Result<()> {
    const SQL: &str = "UPDATE record SET presence = 2, digest = ?2 WHERE no = ?1 AND presence <> 2 RETURNING subject";
    let mut update = db.prepare_cached(SQL).during("write a record that is gone")?;
    let subject: Option<i64> = update
        .query_row((int(record), Digest::default().0), |row| row.get(0))
        .optional()
        .during("write a record that is gone")?;
    touched.subjects.extend(subject.map(number));
    Ok(())
}

/// Makes judged subjects fresh, except those that changed since their dossier was read.
fn refresh(db: &Connection, mut standings: Vec<EnrolledStanding>, (touched, lent): (&Touched, &Lent)) -> Result<()> {
    const SQL: &str = "UPDATE subject SET standing = ?2, valid_until = ?3 WHERE no = ?1";
    standings.sort_by_key(|standing| standing.subject);
    let mut update = db.prepare_cached(SQL).during("write a standing")?;
    for standing in standings {
        let old =
            touched.everyone || touched.subjects.contains(&standing.subject) || lent.is_outdated(standing.subject);
        if !old {
            let values = (int(standing.subject), &standing.body, standing.valid_until.map(nanos));
            update.execute(values).during("write a standing")?;
        }
    }
    Ok(())
}

fn save_position(db: &Connection, stream: i64, position: &Position) -> Result<()> {
    const SQL: &str = "UPDATE stream SET cursor = ?2, in_pass = ?3, sweeping = ?4, swept_at = ?5 WHERE no = ?1";
    let values = (
        stream,
        position.cursor.as_ref().map(|cursor| &cursor.0),
        position.in_pass,
        position.sweeping,
        position.swept_at.map(nanos),
    );
    db.prepare_cached(SQL).during("write a position")?.execute(values).during("write a position")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use unisson_consent::Keyring;
    use unisson_store::StoreErrorKind;
    use unisson_store::suite::fixture::{commit, contact};

    use super::write;
    use crate::open::{Access, open};
    use crate::{ledger, record};

    #[test]
    fn a_full_disk_loses_nothing_that_was_acknowledged_and_passes_once_there_is_room() {
        let folder = tempfile::TempDir::new().unwrap();
        let mut db = open(&folder.path().join("unisson.db"), Access::ReadWrite, Keyring::default()).unwrap();
        let pages: i64 = db.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        db.connection.pragma_update(None, "max_page_count", pages + 20).unwrap();
        let page = |from: u32| {
            let natives = (from..from + 50).map(|number| contact(&format!("news-{from}"), &number.to_string()));
            natives.fold(commit("r"), unisson_store::suite::fixture::Draft::learn).build()
        };
        let mut acknowledged = 0;
        let error = loop {
            match write(&mut db, page(acknowledged)) {
                Ok(_) => acknowledged += 50,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), StoreErrorKind::Full, "{error}");
        assert!(acknowledged > 0, "some of it has room");
        assert_eq!(ledger::verify(&mut db).unwrap().facts, u64::from(acknowledged));
        let (system, first) =
            (format!("news-{acknowledged}").as_str().into(), [acknowledged.to_string().as_str().into()]);
        assert_eq!(record::known(&mut db, &system, &first).unwrap(), vec![None]);
        db.connection.pragma_update(None, "max_page_count", pages + 10_000).unwrap();
        assert_eq!(write(&mut db, page(acknowledged)).unwrap().facts, 50);
        assert!(record::known(&mut db, &system, &first).unwrap()[0].is_some(), "its instance was numbered anew");
    }
}
