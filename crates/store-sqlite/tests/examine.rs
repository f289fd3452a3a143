//! Looking for damage: a sound store is called sound, beside its writer as well, and whatever contradicts itself is named.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::path::PathBuf;

use rusqlite::Connection;
use tempfile::TempDir;
use unisson_connector::Action;
use unisson_store::export::{self, ExportError, Order};
use unisson_store::suite::fixture::{at, commit, contact, planned, released, write};
use unisson_store::{Naming, Store, StoreErrorKind};
use unisson_store_sqlite::{Access, Examination, Files, SqliteStore};

/// A folder with a store of a few contacts and a planned change, and its writer.
async fn store() -> (TempDir, PathBuf, SqliteStore) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("unisson.db");
    let store = SqliteStore::open(&path, Access::ReadWrite).unwrap();
    released(&store, "a", vec![planned("news", "a", "c1", Action::Suppress)]).await;
    for native in 0..40 {
        write(&store, commit("r").learn(contact("news", &native.to_string()))).await;
    }
    (folder, path, store)
}

fn reader(path: &PathBuf) -> SqliteStore {
    SqliteStore::open(path, Access::ReadOnly).unwrap()
}

#[tokio::test]
async fn a_sound_store_has_nothing_to_complain_of_while_somebody_writes() {
    let (_folder, path, store) = store().await;
    let reader = reader(&path);
    assert_eq!(reader.examine().await.unwrap(), Examination::default());
    write(&store, commit("r").learn(contact("crm", "new"))).await;
    assert_eq!(reader.examine().await.unwrap(), Examination::default());
    let files = Files::of(&path);
    for file in [files.database, files.log, files.shared, files.lock] {
        assert!(file.exists(), "{}", file.display());
    }
}

#[tokio::test]
async fn every_contradiction_is_named_with_how_many_rows_are_wrong() {
    let cases = [
        ("DELETE FROM record WHERE no = 3", "facts are kept with a record", 1),
        ("DELETE FROM subject WHERE no = 2", "records belong to a person", 1),
        ("UPDATE record SET instance = 9 WHERE no < 4", "records belong to an instance", 3),
        ("UPDATE record SET stream = 9 WHERE no < 3", "records belong to a stream", 2),
        ("UPDATE stream SET instance = 9", "streams belong to an instance", 1),
        ("UPDATE identifier SET record = 9999 WHERE no = 5", "identifiers belong to a record", 1),
        ("INSERT INTO digest (key, identifier) VALUES (1, 9999)", "digests belong to an identifier", 1),
        ("INSERT INTO record_key (key, no) VALUES (1, 9999)", "keys lead to a record", 1),
        ("INSERT INTO identifier_key_new (key, no) VALUES (1, 9999)", "keys lead to a record", 1),
        ("DELETE FROM record_key_new WHERE no = 3", "not found by their keys", 1),
        ("UPDATE identifier_key_new SET key = key + 65536 WHERE no < 3", "not found by their keys", 2),
        ("UPDATE outbox SET record = 9999", "planned changes belong to a record", 1),
        ("INSERT INTO request (fact, record) VALUES (zeroblob(16), 1)", "requests belong to a record", 1),
        ("INSERT INTO purged (record, instance) VALUES (3, 1)", "records are there that were purged", 1),
        ("INSERT INTO held (record, instance, key, body) VALUES (9999, 1, 0, x'')", "held and were never purged", 1),
        ("INSERT INTO case_fact (fact, case_id) VALUES (x'00', 'none')", "lead to an erasure case", 1),
        ("INSERT INTO subject (no) VALUES (9999)", "persons have no record", 1),
        ("DELETE FROM commit_log WHERE seq > 30", "than the store counted", 11),
        ("UPDATE counter SET record = 1", "would give again", 40),
    ];
    for (sql, said, rows) in cases {
        let (_folder, path, store) = store().await;
        drop(store);
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let found = reader(&path).examine().await.unwrap();
        assert_eq!(found.damage, Vec::<String>::new(), "{sql}");
        let named = found.contradictions.iter().any(|(what, count)| what.contains(said) && *count == rows);
        assert!(named, "{sql}: {:?}", found.contradictions);
    }
}

#[tokio::test]
async fn a_damaged_page_is_told_in_the_words_of_sqlite() {
    let (_folder, path, store) = store().await;
    drop(store);
    let db = Connection::open(&path).unwrap();
    let root: u32 = db
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'identifier_key_new'", [], |row| row.get(0))
        .unwrap();
    let page: u32 = db.query_row("PRAGMA page_size", [], |row| row.get(0)).unwrap();
    drop(db);
    let mut bytes = std::fs::read(&path).unwrap();
    let end = (root * page) as usize;
    bytes[end - 1_000..end].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    match reader(&path).examine().await {
        Ok(found) => assert!(!found.damage.is_empty(), "{found:?}"),
        Err(error) => assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}"),
    }
}

#[tokio::test]
async fn a_ledger_that_was_tampered_with_is_not_exported() {
    for sql in [
        "UPDATE fact SET body = (SELECT body FROM fact WHERE record = 1) WHERE record = 35",
        "DELETE FROM fact WHERE record = 35",
        "UPDATE commit_log SET at = at + 1 WHERE seq = 35",
        "DELETE FROM commit_log WHERE seq = 35",
    ] {
        let (_folder, path, store) = store().await;
        drop(store);
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let order = Order { from: 1, naming: Naming::Numbers, made_at: at(0), program: String::new() };
        let mut out = Vec::new();
        let error = export::write(&reader(&path) as &dyn Store, &order, &mut out).await.unwrap_err();
        let ExportError::Store(error) = error else { panic!("{sql}: {error}") };
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{sql}");
        assert!(error.to_string().contains("commit 35 "), "{sql}: {error}");
        export::check(out.as_slice()).expect_err("what was written until then is no whole export");
    }
}
