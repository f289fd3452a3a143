//! Records: what is known of them and what they showed last.

use rusqlite::{Connection, OptionalExtension as _, Row};
use unisson_connector::StreamId;
use unisson_consent::{RecordId, RecordRef, SystemId};
use unisson_plan::{Digest, RecordNo, Replica};
use unisson_store::Result;
use unisson_store::codec::{Needs, StoredReplica, presence};

use crate::db::{Db, instance, number};
use crate::error::During as _;
use crate::lookup::{names, record_ref};

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
    const SQL: &str = "SELECT no, digest FROM record WHERE instance = ?1 AND native = ?2 AND replica IS NOT NULL";
    db.read("look up records", |db| {
        let mut known = vec![None; records.len()];
        let Some(instance) = instance(db, system)? else { return Ok(known) };
        let mut select = db.prepare_cached(SQL).during("look up records")?;
        for place in sorted(records) {
            let found = select.query_row((instance, records[place].as_str()), |row| {
                Ok((RecordNo(number(row.get(0)?)), Digest(row.get(1)?)))
            });
            known[place] = found.optional().during("look up records")?;
        }
        Ok(known)
    })
}

pub(crate) fn replicas(db: &mut Db, system: &SystemId, records: &[RecordId]) -> Result<Vec<Option<Replica>>> {
    db.read("read replicas", |db| {
        let mut shown: Vec<Option<Shown>> = Vec::new();
        shown.resize_with(records.len(), || None);
        let Some(instance) = instance(db, system)? else { return Ok(vec![None; records.len()]) };
        for place in sorted(records) {
            shown[place] = shown_by(db, instance, &records[place])?;
        }
        let mut needs = Needs::default();
        shown.iter().flatten().for_each(|shown| shown.needs(&mut needs));
        let names = names(db, &needs)?;
        shown.into_iter().map(|shown| shown.map(|shown| shown.build(&names)).transpose()).collect()
    })
}

fn shown_by(db: &Connection, instance: i64, record: &RecordId) -> Result<Option<Shown>> {
    const SQL: &str = select_shown!("r.instance = ?1 AND r.native = ?2");
    let mut select = db.prepare_cached(SQL).during("read replicas")?;
    let mut rows = select.query((instance, record.as_str())).during("read replicas")?;
    rows.next().during("read replicas")?.map(Shown::read).transpose()
}

/// The places of records in the order of the index they are looked up by.
fn sorted(records: &[RecordId]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..records.len()).collect();
    order.sort_unstable_by_key(|place| &records[*place]);
    order
}
