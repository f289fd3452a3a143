//! Bringing a store forward: whatever digests it holds lead to whom they are of, and addresses that were there before are
//! found by digests that come later.

use rusqlite::Connection;
use tempfile::TempDir;
use unisson_consent::{Address, Algorithm, Aliases, HashedAddress, Keyring, Kind, Normalisation, Who};
use unisson_plan::{RecordNo, SubjectNo};
use unisson_store::StoreErrorKind;
use unisson_store::codec::{About, Numbers, Place, encode_fact};
use unisson_store::identifier::Identifier;
use unisson_store::suite::fixture::{commit, fact, keyring, known_by, mailed};

use crate::commit::write;
use crate::db::Db;
use crate::examine::{Examination, examine};
use crate::open::{Access, open};
use crate::schema::{MIGRATIONS, migrate};
use crate::{place, standing};

const MD5: Algorithm = Algorithm::Md5(Normalisation::TrimLower);
const SHA256: Algorithm = Algorithm::Sha256(Normalisation::TrimLower);

fn digest(address: &str, algorithm: &Algorithm) -> HashedAddress {
    HashedAddress::of(&Address::email(address).unwrap(), algorithm).unwrap()
}

/// Puts a record with one identifier into tables of the first version, as a subject of its own.
fn put(db: &Connection, no: i64, identifier: &Identifier) {
    const IDENTIFIER: &str = "INSERT INTO identifier (no, class, spelling, record, kind, raw, grant_key, suppress_key) \
         VALUES (?1, ?2, ?3, ?1, ?4, ?5, ?6, ?7)";
    let columns = identifier.columns();
    let keys = (no, identifier.class().key(), identifier.spelling_key());
    db.execute("INSERT INTO subject (no, standing) VALUES (?1, x'00')", [no]).unwrap();
    db.execute("INSERT INTO record (no, instance, native, subject) VALUES (?1, 1, ?1, ?1)", [no]).unwrap();
    let values = (keys.0, keys.1, keys.2, columns.kind, columns.raw, columns.grant, columns.suppress);
    db.execute(IDENTIFIER, values).unwrap();
    db.execute("UPDATE counter SET record = ?1, identifier = ?1, subject = ?1, subjects = subjects + 1", [no]).unwrap();
}

/// The subjects of the records with these native ids.
fn subjects(db: &mut Db, natives: &[&str]) -> Vec<SubjectNo> {
    let found = natives.iter().map(|native| place::find(db, &unisson_store::Wanted::Record((*native).into())).unwrap());
    found.flat_map(IntoIterator::into_iter).collect()
}

fn listed(native: &str, digest: HashedAddress) -> unisson_plan::Learned {
    known_by("file", native, Who { hashes: vec![digest], ..Who::default() })
}

#[test]
fn a_store_of_the_first_version_learns_whose_its_digests_are() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("unisson.db");
    let mut old = Connection::open(&path).unwrap();
    migrate(&mut old, &MIGRATIONS[..1], &Keyring::default()).unwrap();
    old.execute("INSERT INTO instance (no, name) VALUES (1, 'news')", []).unwrap();
    put(&old, 1, &Identifier::from(&digest("nobody@example.com", &SHA256)));
    put(&old, 2, &Identifier::from(&digest("zed@example.com", &MD5)));
    put(&old, 3, &Identifier::from(&Address::email(" Zed@Example.com").unwrap()));
    put(&old, 4, &Identifier::from(&Address::email("kim@example.com").unwrap()));
    put(&old, 5, &Identifier::from(&digest("ZED@example.com", &SHA256)));
    drop(old);

    let mut db = open(&path, Access::ReadWrite, Keyring::default()).unwrap();
    assert_eq!(
        subjects(&mut db, &["1", "2", "3", "4", "5"]).into_iter().map(|subject| subject.0).collect::<Vec<_>>(),
        [1, 2, 2, 4, 2]
    );
    let now = jiff::Timestamp::UNIX_EPOCH;
    assert_eq!(standing::stale(&mut db, now, 10).unwrap(), [SubjectNo(2)], "whoever was joined is judged anew");
    assert_eq!(place::counts(&mut db, now).unwrap().subjects, 3);
    assert_eq!(examine(&mut db).unwrap(), Examination::default());

    // A scheme of which the store held digests, and one that is new to it.
    let later = [
        listed("6", digest("KIM@example.com", &MD5)),
        listed("7", digest("kim@example.com", &Algorithm::Sha1(Normalisation::TrimLower))),
    ];
    for told in later {
        write(&mut db, commit("r").learn(told).build()).unwrap();
    }
    assert_eq!(subjects(&mut db, &["4", "6", "7"]), [SubjectNo(4); 3]);
    drop(db);
    let mut again = open(&path, Access::ReadWrite, Keyring::default()).unwrap();
    assert_eq!(subjects(&mut again, &["2", "3", "5", "6"]), [SubjectNo(2), SubjectNo(2), SubjectNo(2), SubjectNo(4)]);
}

#[test]
fn who_never_imports_a_digest_keeps_none() {
    let folder = TempDir::new().unwrap();
    let mut db = open(&folder.path().join("unisson.db"), Access::ReadWrite, Keyring::default()).unwrap();
    let kept =
        |db: &Db| -> i64 { db.connection.query_row("SELECT COUNT(*) FROM digest", [], |row| row.get(0)).unwrap() };
    for native in 0..50 {
        let contact = mailed("news", &native.to_string(), &format!("{native}@example.org"));
        assert_eq!(write(&mut db, commit("r").learn(contact).build()).unwrap().learned, [RecordNo(native + 1)]);
    }
    assert_eq!(kept(&db), 0);
    write(&mut db, commit("r").learn(listed("told", digest("7@example.org", &MD5))).build()).unwrap();
    write(&mut db, commit("r").learn(mailed("news", "new", "new@example.org")).build()).unwrap();
    assert_eq!(kept(&db), 51, "one row for each address, older and newer");
}

#[test]
fn a_commit_that_fails_takes_up_no_scheme() {
    let folder = TempDir::new().unwrap();
    let mut db = open(&folder.path().join("unisson.db"), Access::ReadWrite, Keyring::default()).unwrap();
    write(&mut db, commit("r").learn(mailed("news", "1", "1@example.org")).build()).unwrap();
    let lost = unisson_store::suite::fixture::planned("news", "nobody", "c", unisson_connector::Action::Suppress);
    let judged = unisson_store::suite::fixture::planning(SubjectNo(1), vec![lost]);
    let failing = commit("r").learn(listed("told", digest("1@example.org", &MD5))).judge(judged).build();
    write(&mut db, failing).unwrap_err();
    assert_eq!(super::schemes(&db.connection).unwrap(), []);
    let told = commit("r").learn(listed("told", digest("1@example.org", &MD5))).build();
    write(&mut db, told).unwrap();
    assert_eq!(subjects(&mut db, &["1", "told"]), [SubjectNo(1); 2]);
}

#[test]
fn a_store_from_before_people_were_erased_learns_whose_its_tombstones_and_requests_are() {
    const FACT: &str = "INSERT INTO fact (record, id, seq, body) VALUES (1, ?1, 1, ?2)";
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("unisson.db");
    let mut old = Connection::open(&path).unwrap();
    migrate(&mut old, &MIGRATIONS[..3], &Keyring::default()).unwrap();
    old.execute("INSERT INTO instance (no, name) VALUES (1, 'news')", []).unwrap();
    let buried = keyring().tombstone(&Address::email("j.doe@gmail.com").unwrap(), Aliases::WIDEST);
    put(&old, 1, &Identifier::from(&Address::email("JDoe@googlemail.com").unwrap()));
    put(&old, 2, &Identifier::from(buried.last().unwrap()));
    let asked = fact("news", Some("1"), Kind::EraseRequest { verified: true });
    let place = Place { about: About::Row, owner: 1 };
    old.execute(FACT, (asked.id.0, encode_fact(&asked, place, &Numbers::default()).unwrap())).unwrap();
    drop(old);
    let error = open(&path, Access::ReadWrite, Keyring::default()).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    let mut db = open(&path, Access::ReadWrite, keyring()).unwrap();
    assert_eq!(subjects(&mut db, &["1", "2"]), [SubjectNo(1); 2]);
    assert_eq!(crate::record::subjects_of(&mut db, &[asked.id]).unwrap(), [Some(SubjectNo(1))]);
}
