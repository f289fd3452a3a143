//! Records: what is known of them and what they showed last.

use rusqlite::{Connection, OptionalExtension as _, Row};
use unisson_connector::StreamId;
use unisson_consent::{FactId, Keyring, RecordId, RecordRef, SystemId};
use unisson_plan::{Digest, RecordNo, Replica, SubjectNo};
use unisson_store::Result;
use unisson_store::codec::{Needs, StoredReplica, presence};
use unisson_store::identifier::native_key;

use crate::db::{Db, instance, int, number};
use crate::dossier::replica;
use crate::error::During as _;
use crate::keys::array;
use crate::lookup::{names, record_ref};

/// How many records are read at once while all are given keys.
const RECORDS_PER_CHUNK: i64 = 50_000;

/// A statement for the replicas that fulfil a condition, whose rows [`Shown::read`] reads.
macro_rules! select_shown {
    ($condition:literal) => {
        concat!(
            "SELECT i.name, r.native, s.name, r.presence, r.digest, r.replica \
             FROM record AS r JOIN instance AS i ON i.no = r.instance JOIN stream AS s ON s.no = r.stream \
             WHERE r.replica IS NOT NULL AND ",
            $condition
        )
    };
}
pub(crate) use select_shown;

/// A replica before its numbers are read.
pub(crate) struct Shown {
    record: RecordRef,
    stream: StreamId,
    presence: u8,
    digest: Digest,
    stored: StoredReplica,
}

impl Shown {
    /// Reads a row of `select_shown`.
    pub(crate) fn read(row: &Row<'_>) -> Result<Self> {
        let columns = |row: &Row<'_>| {
            let stream = row.get_ref(2)?.as_str()?.to_owned();
            Ok((record_ref(row, 0)?, StreamId(stream), row.get(3)?, Digest(row.get(4)?)))
        };
        let (record, stream, presence, digest) = columns(row).during("read a replica")?;
        let bytes = row.get_ref(5).and_then(|body| Ok(body.as_blob()?)).during("read a replica")?;
        Ok(Self { record, stream, presence, digest, stored: StoredReplica::read(bytes)? })
    }

    /// Adds the numbers it speaks of.
    pub(crate) fn needs(&self, needs: &mut Needs) {
        self.stored.needs(needs);
    }

    /// The replica.
    pub(crate) fn build(self, names: &unisson_store::codec::Names) -> Result<Replica> {
        self.stored.build((self.record, self.stream), (presence(self.presence)?, self.digest), names)
    }
}

pub(crate) fn known(db: &mut Db, system: &SystemId, records: &[RecordId]) -> Result<Vec<Option<(RecordNo, Digest)>>> {
    const SQL: &str = "SELECT a.value, r.native, r.no, r.digest FROM rarray(?1) AS a \
         CROSS JOIN record_by_key AS k ON k.key = a.value CROSS JOIN record AS r ON r.no = k.no \
         WHERE r.instance = ?2 AND r.replica IS NOT NULL";
    const DURING: &str = "look up records";
    db.read(DURING, |db| {
        let mut known = vec![None; records.len()];
        let Some(instance) = instance(db, system)? else { return Ok(known) };
        let order = sorted(records);
        let mut select = db.prepare_cached(SQL).during(DURING)?;
        let mut rows = select.query((array(order.iter().map(|(key, _)| *key)), instance)).during(DURING)?;
        while let Some(row) = rows.next().during(DURING)? {
            let columns = |row: &Row<'_>| Ok((row.get(0)?, RecordNo(number(row.get(2)?)), Digest(row.get(3)?)));
            let (key, no, digest): (i64, _, _) = columns(row).during(DURING)?;
            let native = row.get_ref(1).and_then(|native| Ok(native.as_str()?)).during(DURING)?;
            let asked = &order[order.partition_point(|(other, _)| *other < key)..];
            let places = asked.iter().take_while(|(other, _)| *other == key).map(|(_, place)| *place);
            for place in places.filter(|place| records[*place].as_str() == native) {
                known[place] = Some((no, digest));
            }
        }
        Ok(known)
    })
}

pub(crate) fn replicas(db: &mut Db, system: &SystemId, records: &[RecordId]) -> Result<Vec<Option<Replica>>> {
    db.read("read replicas", |db| {
        let mut shown: Vec<Option<Shown>> = Vec::new();
        shown.resize_with(records.len(), || None);
        let Some(instance) = instance(db, system)? else { return Ok(vec![None; records.len()]) };
        for (key, place) in sorted(records) {
            shown[place] = shown_by(db, (key, instance), &records[place])?;
        }
        let mut needs = Needs::default();
        shown.iter().flatten().for_each(|shown| shown.needs(&mut needs));
        let names = names(db, &needs)?;
        shown.into_iter().map(|shown| shown.map(|shown| shown.build(&names)).transpose()).collect()
    })
}

/// The numbers of records, in the order asked.
pub(crate) fn numbers(db: &mut Db, records: &[RecordRef]) -> Result<Vec<Option<RecordNo>>> {
    const SQL: &str = "SELECT r.no FROM record_by_key AS k CROSS JOIN record AS r ON r.no = k.no \
         JOIN instance AS i ON i.no = r.instance WHERE k.key = ?1 AND r.native = ?2 AND i.name = ?3";
    db.read("look up records", |db| {
        let mut select = db.prepare_cached(SQL).during("look up records")?;
        let mut found = Vec::with_capacity(records.len());
        for record in records {
            let native = record.record.as_str();
            let values = (native_key(native), native, record.system.as_str());
            let number = select.query_row(values, |row| Ok(RecordNo(number(row.get(0)?)))).optional();
            found.push(number.during("look up records")?);
        }
        Ok(found)
    })
}

/// What records of these numbers showed last, in the order asked.
pub(crate) fn shown(db: &mut Db, records: &[RecordNo]) -> Result<Vec<Option<Replica>>> {
    db.read("read replicas", |db| {
        let shown: Vec<Option<Shown>> =
            records.iter().map(|record| replica(db, int(record.0))).collect::<Result<_>>()?;
        let mut needs = Needs::default();
        shown.iter().flatten().for_each(|shown| shown.needs(&mut needs));
        let names = names(db, &needs)?;
        shown.into_iter().map(|shown| shown.map(|shown| shown.build(&names)).transpose()).collect()
    })
}

/// The subjects that facts belong to, in the order asked.
pub(crate) fn subjects_of(db: &mut Db, facts: &[FactId]) -> Result<Vec<Option<SubjectNo>>> {
    const LOOSE_FACT: &str = "SELECT r.subject FROM record_by_key AS k CROSS JOIN record AS r ON r.no = k.no \
         WHERE k.key = ?1 AND r.instance = 0 AND r.native = ?2";
    const REQUEST: &str = "SELECT r.subject FROM request AS q JOIN record AS r ON r.no = q.record WHERE q.fact = ?1";
    const DURING: &str = "find whom facts belong to";
    db.read(DURING, |db| {
        let mut loose = db.prepare_cached(LOOSE_FACT).during(DURING)?;
        let mut request = db.prepare_cached(REQUEST).during(DURING)?;
        let mut subjects = Vec::with_capacity(facts.len());
        for id in facts {
            let native = id.to_string();
            let read = |row: &Row<'_>| Ok(SubjectNo(number(row.get(0)?)));
            let found = loose.query_row((native_key(&native), &native), read).optional().during(DURING)?;
            subjects.push(match found {
                Some(subject) => Some(subject),
                None => request.query_row([id.0], read).optional().during(DURING)?,
            });
        }
        Ok(subjects)
    })
}

/// Gives every record its key.
pub(crate) fn bring_forward(db: &Connection, _: &Keyring) -> Result<()> {
    const ALL: &str = "SELECT no, native FROM record WHERE no > ?1 ORDER BY no LIMIT ?2";
    const KEY: &str = "UPDATE record SET key = ?2 WHERE no = ?1";
    const INDEX: &str = "CREATE INDEX record_key ON record (key)";
    const DURING: &str = "give records their keys";
    let mut select = db.prepare(ALL).during(DURING)?;
    let mut update = db.prepare(KEY).during(DURING)?;
    let mut last = 0;
    loop {
        let rows = select.query_map((last, RECORDS_PER_CHUNK), |row| {
            Ok((row.get::<_, i64>(0)?, native_key(row.get_ref(1)?.as_str()?)))
        });
        let keys: Vec<(i64, i64)> = rows.and_then(Iterator::collect).during(DURING)?;
        let Some((end, _)) = keys.last() else { break };
        last = *end;
        for key in &keys {
            update.execute(*key).during(DURING)?;
        }
    }
    db.execute(INDEX, []).during(DURING).map(|_| ())
}

fn shown_by(db: &Connection, (key, instance): (i64, i64), record: &RecordId) -> Result<Option<Shown>> {
    const SQL: &str = select_shown!(
        "r.no IN (SELECT k.no FROM record_by_key AS k WHERE k.key = ?1) AND r.instance = ?2 AND r.native = ?3"
    );
    let mut select = db.prepare_cached(SQL).during("read replicas")?;
    let mut rows = select.query((key, instance, record.as_str())).during("read replicas")?;
    rows.next().during("read replicas")?.map(Shown::read).transpose()
}

/// The keys of records with their places, in the order of the index they are looked up by.
fn sorted(records: &[RecordId]) -> Vec<(i64, usize)> {
    let mut order: Vec<(i64, usize)> =
        records.iter().enumerate().map(|(place, record)| (native_key(record.as_str()), place)).collect();
    order.sort_unstable();
    order
}
