//! The tables, and the way from one version of them to the next. Forward only.
//!
//! Tables are few and keyed by narrow numbers given in the order of arrival, so that a first sync appends almost
//! everywhere, and the facts of a record lie side by side. Texts that other rows refer to stand once. Codes and states are
//! those of `unisson_store::codec` and `unisson_store::outbox`; times are nanoseconds since 1970.

use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior};
use unisson_consent::Keyring;
use unisson_store::codec::{About, StoredFact};
use unisson_store::{Result, StoreError, StoreErrorKind};

use crate::error::During as _;
use crate::{digest, record};

const DURING: &str = "prepare the tables of the store";

/// One step from a version of the tables to the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// What is said to the database.
    sql: &'static str,
    /// What only the program can work out of what is held.
    fill: Option<fn(&Connection, &Keyring) -> Result<()>>,
}

/// The steps from each version to the next; the number of steps is the version this program works with.
pub(crate) const MIGRATIONS: [Step; 6] = [
    Step::sql(V1),
    Step { sql: V2, fill: Some(digest::bring_forward) },
    Step::sql(V3),
    Step { sql: V4, fill: Some(record::bring_forward) },
    Step { sql: V5, fill: Some(bring_erasures_forward) },
    Step::sql(V6),
];

impl Step {
    const fn sql(sql: &'static str) -> Self {
        Self { sql, fill: None }
    }
}

const V1: &str = "
-- What is known once: the version of the schema, the hash of the law.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- The last numbers that were given, and how much there is. One row.
CREATE TABLE counter (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    record INTEGER NOT NULL,
    identifier INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    subjects INTEGER NOT NULL,
    facts INTEGER NOT NULL,
    commits INTEGER NOT NULL
) STRICT;
INSERT INTO counter VALUES (1, 0, 0, 0, 0, 0, 0);

CREATE TABLE instance (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

-- Streams, each with where it stands once it was read.
CREATE TABLE stream (
    no INTEGER PRIMARY KEY,
    instance INTEGER NOT NULL,
    name TEXT NOT NULL,
    cursor TEXT,
    in_pass INTEGER,
    sweeping INTEGER,
    swept_at INTEGER,
    UNIQUE (instance, name)
) STRICT;

-- Records of systems; instance 0 has a row for each fact that names no record, with the fact's id as its native id.
-- The native id may be personal and stands nowhere else. What a record showed last is there once it was seen.
CREATE TABLE record (
    no INTEGER PRIMARY KEY,
    instance INTEGER NOT NULL,
    native TEXT NOT NULL,
    subject INTEGER NOT NULL,
    stream INTEGER,
    presence INTEGER,
    digest BLOB,
    replica BLOB
) STRICT;
CREATE UNIQUE INDEX record_native ON record (instance, native);
CREATE INDEX record_subject ON record (subject);
CREATE INDEX record_present ON record (instance, stream, presence) WHERE presence = 0;

-- The ledger's facts, those of a record side by side; record 0 keeps what reaches everyone.
CREATE TABLE fact (
    record INTEGER NOT NULL,
    id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (record, id)
) STRICT, WITHOUT ROWID;

-- The ledger's chain.
CREATE TABLE commit_log (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    run TEXT NOT NULL,
    prev BLOB NOT NULL,
    hash BLOB NOT NULL,
    entries BLOB NOT NULL
) STRICT;

-- The erasable table: everything that names a person. Class and spelling are narrow digests for the index; an identifier
-- belongs to the subject of the record it was first seen on.
CREATE TABLE identifier (
    no INTEGER PRIMARY KEY,
    class INTEGER NOT NULL,
    spelling INTEGER NOT NULL,
    record INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    raw TEXT NOT NULL,
    grant_key TEXT,
    suppress_key TEXT,
    defect INTEGER
) STRICT;
CREATE INDEX identifier_class ON identifier (class, spelling);

-- Clusters of records. Without a standing, a subject is stale.
CREATE TABLE subject (no INTEGER PRIMARY KEY, standing BLOB, valid_until INTEGER) STRICT;
CREATE INDEX subject_stale ON subject (no) WHERE standing IS NULL;
CREATE INDEX subject_valid_until ON subject (valid_until) WHERE valid_until IS NOT NULL;

CREATE TABLE outbox (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    instance INTEGER NOT NULL,
    record INTEGER NOT NULL,
    scope BLOB NOT NULL,
    action INTEGER NOT NULL,
    reason TEXT NOT NULL,
    by_person INTEGER NOT NULL,
    state TEXT NOT NULL,
    held_by TEXT,
    attempts INTEGER NOT NULL,
    not_before INTEGER,
    lease_until INTEGER,
    ticket TEXT,
    code TEXT NOT NULL,
    planned_at INTEGER NOT NULL,
    settled_at INTEGER
) STRICT;
CREATE INDEX outbox_open ON outbox (record) WHERE state NOT IN ('done', 'gone', 'cancelled');
CREATE INDEX outbox_draft ON outbox (instance) WHERE state = 'draft';
CREATE INDEX outbox_held ON outbox (held_by) WHERE state = 'held';
CREATE INDEX outbox_due ON outbox (instance, action, scope) WHERE state IN ('pending', 'later', 'leased');
CREATE INDEX outbox_lost ON outbox (record) WHERE state = 'unknown';

CREATE TABLE run (
    id TEXT PRIMARY KEY,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    state TEXT NOT NULL,
    report TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX run_started_at ON run (started_at, id);
";

/// Addresses are found by their digests.
const V2: &str = "
-- Addresses by the first eight bytes of their digests, under the schemes that 'digests' in meta names.
CREATE TABLE digest (
    key INTEGER NOT NULL,
    identifier INTEGER NOT NULL,
    PRIMARY KEY (key, identifier)
) STRICT, WITHOUT ROWID;
";

/// Changes belong to plans.
const V3: &str = "
-- The plan that a change was let go under, or is marked for.
ALTER TABLE outbox ADD COLUMN plan TEXT;
CREATE INDEX outbox_plan ON outbox (plan, instance) WHERE plan IS NOT NULL;
CREATE INDEX outbox_plan_due ON outbox (plan, instance, action, scope)
    WHERE plan IS NOT NULL AND state IN ('pending', 'later', 'leased');
";

/// Records are found by a narrow key: an index of native ids themselves is three times as wide, and a first sync of a
/// million contacts writes most of it anew with every commit.
const V4: &str = "
-- The first eight bytes of the digest of the native id.
ALTER TABLE record ADD COLUMN key INTEGER NOT NULL DEFAULT 0;
DROP INDEX record_native;
";

/// People can be erased.
const V5: &str = "
-- Erasure cases. What is due at once has the least of all times.
CREATE TABLE erasure_case (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    next_at INTEGER,
    origin TEXT,
    ended_at INTEGER,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX case_next ON erasure_case (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX case_open ON erasure_case (id)
    WHERE state IN ('received', 'awaiting_identity', 'accepted', 'frozen', 'dispatched');
CREATE INDEX case_origin ON erasure_case (origin, received_at) WHERE origin IS NOT NULL;

-- The cases that a fact of the ledger belongs to.
CREATE TABLE case_fact (fact BLOB NOT NULL, case_id TEXT NOT NULL, PRIMARY KEY (fact, case_id)) STRICT, WITHOUT ROWID;

-- The records that requests to be erased are told on, where they are told on one.
CREATE TABLE request (fact BLOB PRIMARY KEY, record INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- What a hold keeps of a record that was purged: nothing of marketing reads it.
CREATE TABLE held (
    record INTEGER PRIMARY KEY,
    instance INTEGER NOT NULL,
    key INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX held_key ON held (key);

-- The systems of records that were purged: facts of others may still name their numbers.
CREATE TABLE purged (record INTEGER PRIMARY KEY, instance INTEGER NOT NULL) STRICT;

-- A purge finds what it takes by record: identifiers, and changes that have ended too.
CREATE INDEX identifier_record ON identifier (record);
CREATE INDEX outbox_record ON outbox (record);
DROP INDEX outbox_open;
";

/// Digests under keys of our own are followed from here on, and requests are found by their ids.
fn bring_erasures_forward(db: &Connection, keyring: &Keyring) -> Result<()> {
    const FACTS: &str = "SELECT record, id, body FROM fact WHERE record > 0";
    const REQUEST: &str = "INSERT INTO request (fact, record) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    digest::bring_forward(db, keyring)?;
    let mut select = db.prepare(FACTS).during(DURING)?;
    let mut insert = db.prepare(REQUEST).during(DURING)?;
    let mut rows = select.query([]).during(DURING)?;
    while let Some(row) = rows.next().during(DURING)? {
        let columns =
            |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 16]>(1)?, row.get::<_, Vec<u8>>(2)?));
        let (record, id, body) = columns(row).during(DURING)?;
        let fact = StoredFact::read(&body)?;
        if fact.is_request() && fact.about() == About::Row {
            insert.execute((id, record)).during(DURING)?;
        }
    }
    Ok(())
}

/// Keys stand in tables of their own, those of new rows apart from the many: `crate::keys`.
const V6: &str = "
CREATE TABLE identifier_key (key INTEGER NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (key, no)) STRICT, WITHOUT ROWID;
CREATE TABLE identifier_key_new (key INTEGER NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (key, no)) STRICT, WITHOUT ROWID;
CREATE VIEW identifier_by_key AS
    SELECT key, no FROM identifier_key_new UNION ALL SELECT key, no FROM identifier_key;
INSERT INTO identifier_key SELECT (class & ~65535) | (spelling & 65535), no FROM identifier ORDER BY 1, 2;
DROP INDEX identifier_class;
ALTER TABLE identifier DROP COLUMN class;
ALTER TABLE identifier DROP COLUMN spelling;

DROP INDEX record_key;
CREATE TABLE record_key (key INTEGER NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (key, no)) STRICT, WITHOUT ROWID;
CREATE TABLE record_key_new (key INTEGER NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (key, no)) STRICT, WITHOUT ROWID;
CREATE VIEW record_by_key AS SELECT key, no FROM record_key_new UNION ALL SELECT key, no FROM record_key;
INSERT INTO record_key SELECT key, no FROM record ORDER BY key, no;
ALTER TABLE record DROP COLUMN key;
";

/// The version of the tables: 0 where there are none yet.
pub(crate) fn version(db: &Connection) -> Result<usize> {
    const TABLES: &str =
        "SELECT COUNT(*), COUNT(CASE WHEN name = 'meta' THEN 1 END) FROM sqlite_schema WHERE type = 'table'";
    const VERSION: &str = "SELECT value FROM meta WHERE name = 'schema'";
    let (tables, meta): (i64, i64) = db.query_row(TABLES, [], |row| Ok((row.get(0)?, row.get(1)?))).during(DURING)?;
    if tables == 0 {
        return Ok(0);
    }
    let stored: Option<String> = match meta {
        0 => None,
        _ => db.query_row(VERSION, [], |row| row.get(0)).optional().during(DURING)?,
    };
    stored.and_then(|version| version.parse().ok()).ok_or_else(|| {
        let what = "the file is a database of another program: choose another path for the store";
        StoreError::new(StoreErrorKind::Unavailable, DURING, what)
    })
}

/// Refuses tables that a newer program wrote.
pub(crate) fn refuse_newer(version: usize, known: usize) -> Result<()> {
    if version <= known {
        return Ok(());
    }
    let what = format!("its tables have version {version}, and this program knows versions up to {known}: update it");
    Err(StoreError::new(StoreErrorKind::Newer, DURING, what))
}

/// Brings the tables to the version of the last of these steps.
pub(crate) fn migrate(db: &mut Connection, steps: &[Step], keyring: &Keyring) -> Result<()> {
    const SAVE: &str =
        "INSERT INTO meta (name, value) VALUES ('schema', ?1) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate).during(DURING)?;
    let from = version(&transaction)?;
    refuse_newer(from, steps.len())?;
    for step in &steps[from..] {
        transaction.execute_batch(step.sql).during(DURING)?;
        step.fill.map_or(Ok(()), |fill| fill(&transaction, keyring))?;
    }
    transaction.execute(SAVE, [steps.len().to_string()]).during(DURING)?;
    transaction.commit().during(DURING)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none() -> Keyring {
        Keyring::default()
    }

    #[test]
    fn an_older_version_is_brought_forward_step_by_step_and_keeps_what_it_holds() {
        let mut db = Connection::open_in_memory().unwrap();
        let first = Step::sql("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;");
        migrate(&mut db, &[first], &none()).unwrap();
        assert_eq!(version(&db).unwrap(), 1);
        db.execute("INSERT INTO meta VALUES ('law', 'x')", []).unwrap();
        let steps = ["not run again", "CREATE TABLE two (x);", "ALTER TABLE two ADD COLUMN y;"].map(Step::sql);
        migrate(&mut db, &steps, &none()).unwrap();
        migrate(&mut db, &steps, &none()).unwrap();
        assert_eq!(version(&db).unwrap(), 3);
        db.execute("INSERT INTO two (x, y) SELECT name, value FROM meta WHERE name = 'law'", []).unwrap();
    }

    #[test]
    fn records_from_before_they_had_keys_are_found_by_them() {
        const RECORD: &str = "INSERT INTO record (no, instance, native, subject) VALUES (?1, 1, ?2, ?1)";
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, &MIGRATIONS[..3], &none()).unwrap();
        for (no, native) in (1_i64..).zip(["a", "b", "c"]) {
            db.execute(RECORD, (no, native)).unwrap();
        }
        migrate(&mut db, &MIGRATIONS, &none()).unwrap();
        let key = unisson_store::identifier::native_key("b");
        let found = db.query_row("SELECT no FROM record_by_key WHERE key = ?1", [key], |row| row.get::<_, i64>(0));
        assert_eq!(found, Ok(2));
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before_it() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, &MIGRATIONS, &none()).unwrap();
        let known = MIGRATIONS.len();
        let further = [Step::sql("CREATE TABLE two (x);"), Step::sql("no sql")];
        migrate(&mut db, &[&MIGRATIONS[..], &further].concat(), &none()).unwrap_err();
        assert_eq!(version(&db).unwrap(), known);
        assert!(db.prepare("SELECT * FROM two").is_err());
    }

    #[test]
    fn a_newer_version_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, &[&MIGRATIONS[..], &[Step::sql("CREATE TABLE two (x);")]].concat(), &none()).unwrap();
        let error = migrate(&mut db, &MIGRATIONS, &none()).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Newer);
    }

    #[test]
    fn the_database_of_another_program_is_left_alone() {
        let mut db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE invoice (x);").unwrap();
        assert_eq!(migrate(&mut db, &MIGRATIONS, &none()).unwrap_err().kind(), StoreErrorKind::Unavailable);
    }
}
