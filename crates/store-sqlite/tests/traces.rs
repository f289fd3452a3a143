//! What a purge leaves in the files: nothing. And a store whose keys are lost says so.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::collections::{HashMap, HashSet};
use std::path::Path;

use jiff::civil::Date;
use tempfile::TempDir;
use unisson_consent::{Address, Aliases, CustomerNo, FactId, HashedAddress, KeyId, Keyring, Kind, Normalisation, Who};
use unisson_plan::Learned;
use unisson_store::suite::fixture::{
    at, commit, contact, email, fact, frozen, keyring, known_by, purging, subject_of, tombstone, write,
};
use unisson_store::{Store, StoreErrorKind, Wanted};
use unisson_store_sqlite::{Access, Examination, Files, SqliteStore};

const PEOPLE: usize = 3_000;

/// With how many bytes a search begins.
const BEGINNING: usize = 8;

/// What is personal of somebody: address, telephone number, customer number, native id (the MD5 of the address, as some
/// platforms have it), day of birth.
struct Person {
    mail: String,
    phone: String,
    customer: String,
    native: String,
    birth: Date,
}

impl Person {
    fn new(place: usize) -> Self {
        let mail = format!("person.{place:05}.{:x}@example.org", place * 7_919);
        let algorithm = unisson_consent::Algorithm::Md5(Normalisation::TrimLower);
        let native = HashedAddress::of(&email(&mail), &algorithm).unwrap().hex();
        let day = i8::try_from(place % 28).unwrap() + 1;
        let year = 1_000 + i16::try_from(place).unwrap();
        let (phone, customer) = (format!("+336{:08}", 10_000_000 + place), format!("K-{place:05}-Z"));
        Self { mail, phone, customer, native, birth: Date::constant(year, 5, day) }
    }

    fn learned(&self, round: usize) -> Learned {
        let who = Who {
            addresses: vec![email(&self.mail), Address::phone(&self.phone, None).unwrap()],
            customer: Some(CustomerNo::new(&self.customer)),
            birth: Some(self.birth),
            ..Who::default()
        };
        let mut learned = known_by("news", &self.native, who);
        // Every round the record shows more, so that its row grows and its page is rebalanced.
        let slot = learned.replica.slots[0].clone();
        learned.replica.slots.extend(std::iter::repeat_n(slot, round * 5));
        learned.replica.digest.0[0] = u8::try_from(round).unwrap();
        learned
    }

    fn traces(&self) -> [String; 6] {
        let local = self.mail.split('@').next().unwrap().to_owned();
        let (mail, phone, customer) = (self.mail.clone(), self.phone.clone(), self.customer.clone());
        [mail, local, phone, customer, self.native.clone(), self.birth.to_string()]
    }
}

/// Which of these texts stand in any file of the store.
fn found(path: &Path, traces: &[String]) -> Vec<String> {
    let Files { database, log, shared, lock } = Files::of(path);
    let mut beginnings: HashMap<&[u8], Vec<&String>> = HashMap::new();
    for trace in traces {
        beginnings.entry(&trace.as_bytes()[..BEGINNING]).or_default().push(trace);
    }
    let mut found = Vec::new();
    for file in [database, log, shared, lock] {
        let bytes = std::fs::read(&file).unwrap_or_default();
        for (place, window) in bytes.windows(BEGINNING).enumerate() {
            let candidates = beginnings.get(window).into_iter().flatten();
            let here = candidates.filter(|trace| bytes[place..].starts_with(trace.as_bytes()));
            found.extend(here.map(|trace| format!("{trace} in {} at {place}", file.display())));
        }
    }
    found
}

async fn filled(path: &Path) -> (SqliteStore, Vec<Person>) {
    let store = SqliteStore::open_with(path, Access::ReadWrite, keyring()).unwrap();
    let people: Vec<Person> = (0..PEOPLE).map(Person::new).collect();
    for round in 0..3 {
        // In another order every time, so that rows are moved between pages that are full of others.
        let order: Vec<&Person> = (0..PEOPLE).map(|place| &people[place * (1 + round * 600) % PEOPLE]).collect();
        for page in order.chunks(250) {
            let draft = page.iter().fold(commit("r"), |draft, person| draft.learn(person.learned(round)));
            write(&store, draft).await;
        }
    }
    (store, people)
}

#[tokio::test]
async fn nothing_of_whoever_was_purged_is_left_in_the_files() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("unisson.db");
    let (store, people) = filled(&path).await;
    // Some here and there, and some that lie side by side.
    let erased: Vec<&Person> = people.iter().step_by(97).chain(&people[1_500..1_510]).collect();
    let before: HashSet<_> =
        found(&path, &erased[3].traces()).iter().map(|found| found.split(' ').next().map(str::to_owned)).collect();
    assert_eq!(before.len(), 6, "everything is there before");
    for person in &erased {
        let buried = tombstone(&email(&person.mail), Aliases::default());
        write(&store, commit("bury").tell(buried.clone())).await;
        let case = frozen(&person.customer.replace('K', "case"), vec![buried.id]);
        store.purge(purging(case, &[&person.native], Vec::new())).await.unwrap();
    }
    assert!(store.forget_traces().await.unwrap());
    let traces: Vec<String> = erased.iter().flat_map(|person| person.traces()).collect();
    assert_eq!(found(&path, &traces), Vec::<String>::new());
    assert!(found(&path, &people[1].traces()).len() >= 6, "nobody else is gone");
    assert_eq!(store.find(&Wanted::Address(email(&people[1].mail))).await.unwrap().len(), 1);
    store.verify().await.unwrap();
    assert_eq!(store.examine().await.unwrap(), Examination::default());
}

#[tokio::test]
async fn a_reader_that_holds_the_log_is_told_and_the_next_call_cleans() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("unisson.db");
    let store = SqliteStore::open_with(&path, Access::ReadWrite, keyring()).unwrap();
    write(&store, commit("r").learn(contact("news", "ada")).learn(contact("news", "bob"))).await;
    assert!(store.forget_traces().await.unwrap(), "nobody was purged");
    let reader = rusqlite::Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT COUNT(*) FROM record;").unwrap();
    let read: i64 = reader.query_row("SELECT COUNT(*) FROM record", [], |row| row.get(0)).unwrap();
    assert_eq!(read, 2);
    store.purge(purging(frozen("c", Vec::new()), &["ada"], Vec::new())).await.unwrap();
    assert!(!store.forget_traces().await.unwrap());
    reader.execute_batch("COMMIT").unwrap();
    assert!(store.forget_traces().await.unwrap());
    assert_eq!(found(&path, &["ada@example.org".to_owned()]), Vec::<String>::new());
}

#[tokio::test]
async fn a_store_whose_key_is_lost_opens_for_readers_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("unisson.db");
    let store = SqliteStore::open_with(&path, Access::ReadWrite, keyring()).unwrap();
    let buried = tombstone(&email("ada@example.org"), Aliases::default());
    write(&store, commit("bury").tell(buried.clone())).await;
    drop(store);
    let mut other = Keyring::default();
    other.insert(KeyId(2), vec![8; 32]);
    for ring in [Keyring::default(), other.clone()] {
        let error = SqliteStore::open_with(&path, Access::ReadWrite, ring).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(error.to_string().contains("key 1") && error.to_string().contains("restore the key file"), "{error}");
    }
    SqliteStore::open(&path, Access::ReadOnly).unwrap().verify().await.unwrap();
    // Keys rotate: the old one stays, and the new one makes the tombstones to come.
    other.insert(KeyId(1), vec![7; 32]);
    let store = SqliteStore::open_with(&path, Access::ReadWrite, other.clone()).unwrap();
    let newer = unisson_consent::Fact {
        id: FactId([2; 16]),
        who: Who { hashes: other.tombstone(&email("bob@example.org"), Aliases::WIDEST), ..Who::default() },
        ..fact("host", None, Kind::EraseRequest { verified: true })
    };
    write(&store, commit("bury").tell(newer.clone())).await;
    write(&store, commit("r").learn(contact("news", "ada")).learn(contact("news", "bob"))).await;
    let (ada, bob) = (subject_of(&store, "ada").await, subject_of(&store, "bob").await);
    assert_eq!(store.subjects_of(&[buried.id, newer.id]).await.unwrap(), [Some(ada), Some(bob)]);
    assert_eq!(store.counts(at(0)).await.unwrap().subjects, 2);
}
