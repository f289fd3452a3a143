//! What only a store on disk can do: be reopened, be shared, be private, be old, be damaged, be tampered with.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;
use unisson_connector::{Action, StreamId};
use unisson_plan::{Position, RunId, SubjectNo};
use unisson_store::suite::fixture::{
    Openings, at, by_person, claim, commit, contact, email, ids, judge_all, mailed, planned, planning, released,
    states, subject_of, write,
};
use unisson_store::{RunRecord, RunState, Store, StoreError, StoreErrorKind, Wanted};
use unisson_store_sqlite::{Access, SqliteStore};

/// A folder and the path of a store in it.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("unisson.db")
    }

    fn writer(&self) -> SqliteStore {
        SqliteStore::open(self.path(), Access::ReadWrite).unwrap()
    }

    fn reader(&self) -> SqliteStore {
        SqliteStore::open(self.path(), Access::ReadOnly).unwrap()
    }

    /// Somebody else at the same file.
    fn stranger(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }
}

fn refused(path: &Path, access: Access) -> StoreError {
    SqliteStore::open(path, access).expect_err("the store must not open")
}

#[tokio::test]
async fn everything_is_there_after_reopening_and_what_a_dead_process_held_is_taken_back() {
    let place = Place::new();
    let store = place.writer();
    released(&store, "a", vec![planned("news", "a", "c1", Action::Suppress)]).await;
    assert_eq!(claim(&store, at(0), 1, Openings::Not).await.len(), 1);
    let run = RunRecord {
        id: RunId("run-1".to_owned()),
        started_at: at(0),
        ended_at: None,
        state: RunState::Running,
        report: "{}".to_owned(),
    };
    store.save_run(run.clone()).await.unwrap();
    let mut moved = commit("r").build();
    let position = Position { cursor: None, in_pass: true, sweeping: true, swept_at: Some(at(1)) };
    moved.positions.push(("news".into(), StreamId("contacts".to_owned()), position.clone()));
    store.commit(moved).await.unwrap();
    let before = (store.counts(at(0)).await.unwrap(), store.verify().await.unwrap());
    drop(store);

    let store = place.writer();
    assert_eq!((store.counts(at(0)).await.unwrap(), store.verify().await.unwrap()), before);
    assert_eq!(store.position(&"news".into(), &StreamId("contacts".to_owned())).await.unwrap(), Some(position));
    assert_eq!(store.runs(1).await.unwrap(), vec![RunRecord { state: RunState::Interrupted, ..run }]);
    assert_eq!(ids(&claim(&store, at(0), 1, Openings::Not).await), vec!["c1"], "its lease had not ended");
}

#[tokio::test]
async fn a_second_writer_is_told_that_the_store_is_in_use() {
    let place = Place::new();
    let store = place.writer();
    write(&store, commit("r").learn(contact("news", "a"))).await;
    let error = refused(&place.path(), Access::ReadWrite);
    assert_eq!(error.kind(), StoreErrorKind::InUse);
    assert!(error.to_string().contains("wait for it or end it"), "{error}");
    drop(store);
    place.writer();
}

#[tokio::test]
async fn a_reader_works_beside_a_writer_and_takes_nothing_from_it() {
    let place = Place::new();
    let writer = place.writer();
    released(&writer, "a", vec![planned("news", "a", "c1", Action::Suppress)]).await;
    claim(&writer, at(0), 1, Openings::Not).await;
    let reader = place.reader();
    assert_eq!(reader.counts(at(0)).await.unwrap().records, 1);
    assert_eq!(states(&reader).await, vec![("leased".to_owned(), 1)], "only the holder of the lock takes back leases");
    write(&writer, commit("r").learn(contact("news", "b"))).await;
    assert_eq!(reader.counts(at(0)).await.unwrap().records, 2);
    reader.verify().await.unwrap();
    for error in [
        reader.commit(commit("r").learn(contact("news", "c")).build()).await.unwrap_err(),
        reader.adopt_law("law").await.unwrap_err(),
        reader.release(&"news".into(), unisson_plan::approved()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(error.to_string().contains("reading only"), "{error}");
    }
}

#[test]
fn a_reader_of_a_store_that_is_not_there_says_so_and_makes_none() {
    let place = Place::new();
    let error = refused(&place.path(), Access::ReadOnly);
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("does not exist yet"), "{error}");
    assert!(!place.path().exists());
    std::fs::write(place.path(), "").unwrap();
    let error = refused(&place.path(), Access::ReadOnly);
    assert!(error.to_string().contains("does not exist yet"), "{error}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let place = Place::new();
    let error = refused(&place.folder.path().join("no/unisson.db"), Access::ReadWrite);
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("create the folder"), "{error}");
}

#[tokio::test]
async fn a_url_opens_the_file_it_names() {
    let place = Place::new();
    let url = format!("sqlite:{}", place.path().display());
    let store = SqliteStore::open_url(&url, Access::ReadWrite).unwrap();
    write(&store, commit("r").learn(contact("news", "a"))).await;
    assert!(place.path().exists());
}

#[cfg(unix)]
#[tokio::test]
async fn all_files_are_readable_by_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    std::fs::write(place.path(), "").unwrap();
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let store = place.writer();
    write(&store, commit("r").learn(contact("news", "a"))).await;
    let mut files = 0;
    for file in std::fs::read_dir(place.folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", file.path().display());
        files += 1;
    }
    assert_eq!(files, 4, "the database, its log, its shared memory, the lock");
}

#[test]
fn a_store_of_a_newer_version_is_refused() {
    let place = Place::new();
    drop(place.writer());
    place.stranger().execute("UPDATE meta SET value = '1000' WHERE name = 'schema'", []).unwrap();
    for access in [Access::ReadWrite, Access::ReadOnly] {
        let error = refused(&place.path(), access);
        assert_eq!(error.kind(), StoreErrorKind::Newer);
        assert!(error.to_string().contains("update it"), "{error}");
    }
}

#[test]
fn what_is_no_store_is_refused_and_left_alone() {
    let place = Place::new();
    let letter = "Dear reader, this is a letter and no database at all.".repeat(40);
    std::fs::write(place.path(), &letter).unwrap();
    assert_eq!(refused(&place.path(), Access::ReadWrite).kind(), StoreErrorKind::Corrupt);
    assert_eq!(std::fs::read_to_string(place.path()).unwrap(), letter);
    std::fs::remove_file(place.path()).unwrap();
    place.stranger().execute_batch("CREATE TABLE invoice (x); INSERT INTO invoice VALUES (1);").unwrap();
    let error = refused(&place.path(), Access::ReadWrite);
    assert!(error.to_string().contains("another program"), "{error}");
    let kept: i64 = place.stranger().query_row("SELECT x FROM invoice", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn a_damaged_file_is_noticed_and_not_taken_for_empty() {
    let place = Place::new();
    let store = place.writer();
    for native in 0..200 {
        write(&store, commit("r").learn(contact("news", &native.to_string()))).await;
    }
    drop(store);
    let mut bytes = std::fs::read(place.path()).unwrap();
    assert!(bytes.len() > 60_000);
    bytes[40_000..].fill(0xff);
    std::fs::write(place.path(), bytes).unwrap();
    let error = match SqliteStore::open(place.path(), Access::ReadWrite) {
        Ok(store) => store.verify().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
}

/// A store of three commits, after somebody ran this SQL on it, and what the verification says.
async fn tampered(sql: &str) -> String {
    let place = Place::new();
    let store = place.writer();
    for (run, natives) in [("r1", ["a", "b"]), ("r2", ["c", "d"]), ("r3", ["e", "f"])] {
        let draft = natives.iter().fold(commit(run), |draft, native| draft.learn(contact("news", native)));
        write(&store, draft).await;
    }
    store.verify().await.unwrap();
    place.stranger().execute_batch(sql).unwrap();
    let error = store.verify().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    error.to_string()
}

#[tokio::test]
async fn every_way_to_tamper_with_the_ledger_is_noticed_at_its_commit() {
    let cases = [
        ("UPDATE fact SET body = CAST(body || x'00' AS BLOB) WHERE record = 3", 2),
        ("UPDATE fact SET body = (SELECT body FROM fact WHERE record = 1) WHERE record = 3", 2),
        ("DELETE FROM fact WHERE record = 4", 2),
        ("UPDATE fact SET record = 3 WHERE record = 4", 2),
        ("UPDATE fact SET id = zeroblob(16) WHERE record = 3", 2),
        ("UPDATE fact SET seq = 3 WHERE record = 3", 2),
        ("INSERT INTO fact SELECT 1, zeroblob(16), 2, body FROM fact WHERE record = 1", 2),
        ("INSERT INTO fact SELECT 1, zeroblob(16), 9, body FROM fact WHERE record = 1", 9),
        ("UPDATE commit_log SET at = at + 1 WHERE seq = 2", 2),
        ("UPDATE commit_log SET run = 'r9' WHERE seq = 2", 2),
        ("UPDATE commit_log SET hash = zeroblob(32) WHERE seq = 2", 2),
        ("UPDATE commit_log SET prev = zeroblob(32) WHERE seq = 2", 2),
        ("UPDATE commit_log SET entries = substr(entries, 41) WHERE seq = 2", 2),
        (
            "UPDATE commit_log SET entries = CAST(substr(entries, 41) || substr(entries, 1, 40) AS BLOB) WHERE seq = 2",
            2,
        ),
        ("UPDATE commit_log SET entries = substr(entries, 2) WHERE seq = 2", 2),
        ("DELETE FROM commit_log WHERE seq = 2", 2),
        ("DELETE FROM commit_log WHERE seq = 3", 3),
        ("DELETE FROM commit_log", 1),
        ("UPDATE commit_log SET seq = -seq WHERE seq > 1; UPDATE commit_log SET seq = 5 + seq WHERE seq < 0", 2),
    ];
    for (sql, commit) in cases {
        let said = tampered(sql).await;
        assert!(said.contains(&format!("commit {commit} ")), "{sql}: {said}");
    }
}

#[tokio::test]
async fn nothing_personal_stands_outside_the_two_columns_made_for_it() {
    let place = Place::new();
    let store = place.writer();
    let learn = commit("r").learn(contact("news", "native-zoe")).learn(contact("crm", "native-max"));
    write(&store, learn).await;
    let subject = subject_of(&store, "native-zoe").await;
    let mut judged = planning(subject, vec![by_person(planned("news", "native-zoe", "c1", Action::Suppress))]);
    judged.decisions = vec![unisson_store::suite::fixture::decision("native-zoe@example.org")];
    write(&store, commit("r").judge(judged)).await;
    claim(&store, at(0), 1, Openings::Not).await;
    let db = place.stranger();
    let mut tables = db
        .prepare("SELECT m.name, c.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table'")
        .unwrap();
    let columns: Vec<(String, String)> =
        tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    assert!(columns.len() > 40);
    let mut holding = Vec::new();
    for (table, column) in columns {
        let sql =
            format!("SELECT COUNT(*) FROM {table} WHERE instr(CAST({column} AS BLOB), CAST('native' AS BLOB)) > 0");
        let count: i64 = db.query_row(&sql, [], |row| row.get(0)).unwrap();
        if count > 0 {
            holding.push(format!("{table}.{column}"));
        }
    }
    holding.sort();
    assert_eq!(holding, vec!["identifier.raw", "record.native"]);
}

#[tokio::test]
async fn people_whose_addresses_share_a_narrow_key_stay_apart() {
    let place = Place::new();
    let store = place.writer();
    write(&store, commit("r").learn(contact("news", "b"))).await;
    write(&store, commit("r").learn(contact("news", "a"))).await;
    let collide = "UPDATE identifier_key_new SET key = (SELECT key FROM identifier_key_new WHERE no = 2) WHERE no = 1";
    assert_eq!(place.stranger().execute(collide, []).unwrap(), 1);
    let (a, b) = (subject_of(&store, "a").await, subject_of(&store, "b").await);
    assert_ne!(a, b);
    write(
        &store,
        commit("r").learn(mailed("crm", "same", "a@example.org")).learn(mailed("crm", "spelt", "A@example.org")),
    )
    .await;
    assert_eq!((subject_of(&store, "same").await, subject_of(&store, "spelt").await), (a, a));
    let found = store.find(&Wanted::Address(email("a@example.org"))).await.unwrap();
    assert_eq!(found, vec![a]);
}

#[tokio::test]
async fn a_commit_whose_caller_no_longer_waits_is_written_to_its_end() {
    let place = Place::new();
    let store = place.writer();
    let mut waiting = Box::pin(store.commit(commit("r").learn(contact("news", "a")).build()));
    let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(waiting.as_mut().poll(cx).is_ready())).await;
    drop(waiting);
    assert!(!polled, "the thread cannot have answered before it was asked");
    assert_eq!(subject_of(&store, "a").await, SubjectNo(1));
    judge_all(&store).await;
}
