//! Keys: found in both tables, moved when many are new, forgotten, and made for a store that had none.

use jiff::civil::Date;
use rusqlite::Connection;
use tempfile::TempDir;
use unisson_consent::{Address, Keyring, Who};
use unisson_plan::SubjectNo;
use unisson_store::Wanted;
use unisson_store::identifier::Identifier;
use unisson_store::suite::fixture::{commit, contact, email, frozen, known_by, mailed, purging};

use super::{
    IDENTIFIERS, MOVED_AFTER, RECORDS, forget_identifier, forget_record, lost, of_class, remember_identifier, spelt,
};
use crate::commit::write;
use crate::db::Db;
use crate::examine::{Examination, examine};
use crate::open::{Access, open};
use crate::place;
use crate::purge::purge;
use crate::schema::{MIGRATIONS, migrate};

fn store() -> (TempDir, Db) {
    let folder = TempDir::new().unwrap();
    let db = open(&folder.path().join("unisson.db"), Access::ReadWrite, Keyring::default()).unwrap();
    (folder, db)
}

fn count(db: &Connection, table: &str) -> i64 {
    db.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

fn absent(db: &Connection, keys: &[i64]) -> Vec<i64> {
    let absent = RECORDS.absent(db, keys.iter().copied()).unwrap();
    keys.iter().copied().filter(|key| absent.contains(key)).collect()
}

#[test]
fn new_keys_move_to_the_large_table_once_so_many_numbers_were_given_and_are_found_in_both() {
    let (_folder, db) = store();
    let keys = |numbers: std::ops::Range<i64>| numbers.map(|no| (-7 * no, no)).collect::<Vec<_>>();
    RECORDS.insert(&db.connection, keys(MOVED_AFTER - 200..MOVED_AFTER - 100)).unwrap();
    let tables = |db: &Connection| (count(db, "record_key"), count(db, "record_key_new"));
    assert_eq!(tables(&db.connection), (0, 100));
    RECORDS.insert(&db.connection, keys(MOVED_AFTER - 100..MOVED_AFTER)).unwrap();
    assert_eq!(tables(&db.connection), (0, 200), "the last number before the move");
    RECORDS.insert(&db.connection, keys(MOVED_AFTER..MOVED_AFTER + 1)).unwrap();
    assert_eq!(tables(&db.connection), (201, 0));
    RECORDS.insert(&db.connection, keys(MOVED_AFTER + 1..MOVED_AFTER + 4)).unwrap();
    assert_eq!(tables(&db.connection), (201, 3));
    let asked = [-7 * (MOVED_AFTER + 2), -7 * MOVED_AFTER, -7 * (MOVED_AFTER - 150), 5];
    assert_eq!(absent(&db.connection, &asked), [5]);
}

#[test]
fn a_commit_whose_numbers_pass_two_moves_moves_too() {
    let (_folder, db) = store();
    RECORDS.insert(&db.connection, vec![(1, 3 * MOVED_AFTER + 5), (2, MOVED_AFTER + 10)]).unwrap();
    assert_eq!((count(&db.connection, "record_key"), count(&db.connection, "record_key_new")), (2, 0));
}

#[test]
fn every_spelling_lies_within_its_class_whatever_the_sign_of_its_key() {
    let (_folder, db) = store();
    let mut signs = [false; 2];
    for number in 0..32 {
        let one = Identifier::from(&email(&format!("a.{number}@gmail.com")));
        let other = Identifier::from(&email(&format!("a{number}+tag@googlemail.com")));
        let class = one.class();
        signs[usize::from(class.key() < 0)] = true;
        let (first, last) = of_class(&class);
        for identifier in [&one, &other] {
            assert!((first..=last).contains(&spelt(identifier, &class)));
        }
        assert_ne!(spelt(&one, &class), spelt(&other, &class));
        IDENTIFIERS.insert(&db.connection, vec![(spelt(&other, &class), number + 1)]).unwrap();
        assert!(!IDENTIFIERS.absent(&db.connection, [class.key()].into_iter()).unwrap().contains(&class.key()));
    }
    assert_eq!(signs, [true; 2]);
}

#[test]
fn whoever_is_forgotten_is_found_no_more_before_and_after_the_move() {
    let (_folder, mut db) = store();
    let address = |native: &str| Wanted::Address(email(&format!("{native}@example.org")));
    write(&mut db, commit("r").learn(contact("news", "a")).learn(contact("news", "b")).build()).unwrap();
    db.connection.execute_batch(RECORDS.settle).unwrap();
    db.connection.execute_batch(IDENTIFIERS.settle).unwrap();
    write(&mut db, commit("r").learn(contact("news", "c")).learn(contact("news", "d")).build()).unwrap();
    assert_eq!(lost(&db.connection).unwrap(), 0);
    for no in [1, 3] {
        forget_record(&db.connection, no).unwrap();
        forget_identifier(&db.connection, no).unwrap();
    }
    forget_record(&db.connection, 99).unwrap();
    forget_identifier(&db.connection, 99).unwrap();
    assert_eq!(lost(&db.connection).unwrap(), 4);
    for (native, found) in [("a", None), ("b", Some(2)), ("c", None), ("d", Some(4))] {
        let found: Vec<SubjectNo> = found.into_iter().map(SubjectNo).collect();
        assert_eq!(place::find(&mut db, &Wanted::Record(native.into())).unwrap(), found, "{native}");
        assert_eq!(place::find(&mut db, &address(native)).unwrap(), found, "{native}");
    }
}

#[test]
fn whoever_is_purged_leaves_no_key_in_either_table_and_what_another_is_known_by_stays_found() {
    let (_folder, mut db) = store();
    write(&mut db, commit("r").learn(contact("news", "a")).learn(mailed("news", "b", "both@example.org")).build())
        .unwrap();
    db.connection.execute_batch(RECORDS.settle).unwrap();
    db.connection.execute_batch(IDENTIFIERS.settle).unwrap();
    write(&mut db, commit("r").learn(contact("news", "c")).learn(mailed("crm", "7", "both@example.org")).build())
        .unwrap();
    let tables = ["record_key", "identifier_key", "record_key_new", "identifier_key_new"];
    assert_eq!(tables.map(|table| count(&db.connection, table)), [2, 2, 2, 1]);
    let purged = purge(&mut db, &purging(frozen("case", Vec::new()), &["a", "b", "c"], Vec::new())).unwrap();
    assert_eq!((purged.records, purged.identifiers), (3, 2));
    let keys = tables.map(|table| count(&db.connection, table));
    assert_eq!((keys[0] + keys[2], keys[1] + keys[3]), (1, 1));
    let both = Wanted::Address(email("both@example.org"));
    assert_eq!(place::find(&mut db, &both).unwrap(), place::find(&mut db, &Wanted::Record("7".into())).unwrap());
    assert_eq!(place::find(&mut db, &both).unwrap().len(), 1);
    assert_eq!(examine(&mut db).unwrap(), Examination::default());
}

#[test]
fn a_day_of_birth_that_another_record_takes_over_is_found_there() {
    let (_folder, mut db) = store();
    let born = Who { birth: Some(Date::constant(1990, 1, 1)), ..Who::default() };
    write(&mut db, commit("r").learn(known_by("news", "a", born)).learn(contact("news", "b")).build()).unwrap();
    let no: i64 = db.connection.query_row("SELECT no FROM identifier WHERE record = 1", [], |row| row.get(0)).unwrap();
    let give = || db.connection.execute("UPDATE identifier SET record = 2 WHERE no = ?1", [no]).unwrap();
    forget_identifier(&db.connection, no).unwrap();
    give();
    assert_eq!(lost(&db.connection).unwrap(), 1);
    remember_identifier(&db.connection, no).unwrap();
    remember_identifier(&db.connection, 99).unwrap();
    assert_eq!(examine(&mut db).unwrap(), Examination::default());
}

#[test]
fn a_store_whose_keys_stood_in_its_rows_finds_everybody_and_goes_on() {
    const RECORD: &str = "INSERT INTO record (no, instance, native, key, subject) VALUES (?1, 1, ?2, ?3, ?1)";
    const IDENTIFIER: &str = "INSERT INTO identifier (no, class, spelling, record, kind, raw, grant_key, suppress_key) \
         VALUES (?1, ?2, ?3, ?1, ?4, ?5, ?6, ?7)";
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("unisson.db");
    let mut old = Connection::open(&path).unwrap();
    migrate(&mut old, &MIGRATIONS[..5], &Keyring::default()).unwrap();
    old.execute("INSERT INTO instance (no, name) VALUES (1, 'news')", []).unwrap();
    for (no, raw) in (1..).zip(["Ada@example.org", "kim+shop@example.com", "a.b@gmail.com"]) {
        let identifier = Identifier::from(&Address::email(raw).unwrap());
        let columns = identifier.columns();
        let key = unisson_store::identifier::native_key(raw);
        old.execute("INSERT INTO subject (no, standing) VALUES (?1, x'00')", [no]).unwrap();
        old.execute(RECORD, (no, raw, key)).unwrap();
        let keys = (identifier.class().key(), identifier.spelling_key());
        let values = (no, keys.0, keys.1, columns.kind, columns.raw, columns.grant, columns.suppress);
        old.execute(IDENTIFIER, values).unwrap();
        old.execute("UPDATE counter SET record = ?1, identifier = ?1, subject = ?1, subjects = ?1", [no]).unwrap();
    }
    drop(old);
    let mut db = open(&path, Access::ReadWrite, Keyring::default()).unwrap();
    for (no, (native, address)) in
        (1..).zip([("Ada@example.org", "ada@example.org"), ("kim+shop@example.com", "kim@example.com")])
    {
        assert_eq!(place::find(&mut db, &Wanted::Record(native.into())).unwrap(), [SubjectNo(no)]);
        assert_eq!(place::find(&mut db, &Wanted::Address(email(address))).unwrap(), [SubjectNo(no)]);
    }
    write(&mut db, commit("r").learn(mailed("crm", "7", "A.B+news@googlemail.com")).build()).unwrap();
    assert_eq!(place::find(&mut db, &Wanted::Record("7".into())).unwrap(), [SubjectNo(3)]);
    assert_eq!(examine(&mut db).unwrap(), Examination::default());
}
