//! The store's share of a first sync: new contacts, each with its fact, its judgement and the place after its lot.
//!
//! It looks up and commits lots as an engine does, and says what that took: the time that passed, the processor time of
//! the store's own thread, and how much was written. Give it a number of contacts, or it takes 100,000 and then 1,000,000;
//! give it a path as well, and the store is kept there.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by a panic")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use unisson_connector::{Cursor, StreamId};
use unisson_consent::{RecordId, SystemId};
use unisson_plan::{Commit, Judged, KeyDecision, Position, SubjectNo};
use unisson_store::Store as _;
use unisson_store::suite::fixture::{at, commit, decision, judged, mailed};
use unisson_store_sqlite::{Access, SqliteStore};

/// As in the program.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Contacts of one commit, as the engine's.
const LOT: u64 = 5_000;
/// Contacts where nothing else is asked for.
const SIZES: [u64; 2] = [100_000, 1_000_000];
/// One contact in so many has a standing that ends by itself.
const ENDING: u64 = 4;

fn main() {
    let mut given = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let sizes = given.next().map_or(SIZES.to_vec(), |contacts| vec![contacts.parse().unwrap()]);
    let kept = given.next().map(PathBuf::from);
    say(
        "  contacts   seconds  contacts/s  µs of store's CPU each   MB written    MB store   MB peak  looked up again/s",
    );
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for contacts in sizes {
        let folder = tempfile::tempdir().unwrap();
        let path = kept.clone().unwrap_or_else(|| folder.path().join("unisson.db"));
        runtime.block_on(fill(&path, contacts));
    }
}

/// Fills a store and says what it took.
async fn fill(path: &Path, contacts: u64) {
    let store = SqliteStore::open(path, Access::ReadWrite).unwrap();
    let instance = SystemId::new("news");
    let (mut seconds, written) = (0.0, figure("io", "wchar:"));
    for from in (0..contacts).step_by(usize::try_from(LOT).unwrap()) {
        let lot = lot(from..(from + LOT).min(contacts));
        let records: Vec<RecordId> = lot.learned.iter().map(|learned| learned.replica.record.record.clone()).collect();
        let began = Instant::now();
        let known = store.known(&instance, &records).await.unwrap();
        assert!(known.iter().all(Option::is_none));
        let receipt = store.commit(lot).await.unwrap();
        seconds += began.elapsed().as_secs_f64();
        assert_eq!((receipt.facts, receipt.newcomers.len()), (records.len() as u64, records.len()));
    }
    let cpu = cpu_of_store();
    let written = figure("io", "wchar:") - written;
    let began = Instant::now();
    for from in (0..contacts).step_by(usize::try_from(LOT).unwrap()) {
        let records: Vec<RecordId> =
            (from..(from + LOT).min(contacts)).map(|number| native(number).as_str().into()).collect();
        assert!(store.known(&instance, &records).await.unwrap().iter().all(Option::is_some));
    }
    let again = began.elapsed().as_secs_f64();
    let size = std::fs::metadata(path).map_or(0, |file| file.len());
    let peak = figure("status", "VmHWM:") * 1024;
    #[expect(clippy::cast_precision_loss, reason = "figures to read")]
    let (rate, again, each, mb) =
        (contacts as f64 / seconds, contacts as f64 / again, cpu as f64 / 1_000.0 / contacts as f64, |bytes: u64| {
            bytes as f64 / 1e6
        });
    say(&format!(
        "{contacts:>10} {seconds:>9.2} {rate:>11.0} {each:>23.1} {:>12.0} {:>11.0} {:>9.0} {again:>15.0}",
        mb(written),
        mb(size),
        mb(peak)
    ));
}

/// The commit of a lot, as a pass makes it.
fn lot(numbers: std::ops::Range<u64>) -> Commit {
    let mut draft = commit("0198f7c2-5d1e-7c3a-9b1f-2a4c6e8d0f13");
    for (place, number) in numbers.clone().enumerate() {
        let address = format!("person.{number:07}@mail{:02}.example.org", number % 50);
        draft = draft.learn(mailed("news", &native(number), &address)).newcomer(place, judgement(number, &address));
    }
    let mut commit = draft.build();
    let position = Position {
        cursor: Some(Cursor(format!("{{\"offset\":{}}}", numbers.end))),
        in_pass: true,
        sweeping: true,
        swept_at: None,
    };
    commit.positions.push(("news".into(), StreamId("contacts".to_owned()), position));
    commit
}

fn native(number: u64) -> String {
    format!("{:032x}", u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

fn judgement(number: u64, address: &str) -> Judged {
    let ends = number.is_multiple_of(ENDING).then(|| until(number));
    let mut known: KeyDecision = decision(address);
    known.decision.valid_until = ends;
    Judged { decisions: vec![known], valid_until: ends, ..judged(SubjectNo(0)) }
}

/// Contacts are read in the order of their last change, and so do their standings end.
fn until(number: u64) -> Timestamp {
    at(0).checked_add(SignedDuration::from_mins(number.cast_signed())).unwrap()
}

/// Nanoseconds of processor time of the store's thread, where the system tells.
fn cpu_of_store() -> u64 {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return 0 };
    let of_store = threads
        .filter_map(Result::ok)
        .map(|thread| thread.path())
        .find(|thread| std::fs::read_to_string(thread.join("comm")).is_ok_and(|name| name.trim() == "store"));
    let times = of_store.and_then(|thread| std::fs::read_to_string(thread.join("schedstat")).ok());
    times.and_then(|times| times.split(' ').next()?.parse().ok()).unwrap_or_default()
}

/// A figure that the system keeps of this process, where it tells.
fn figure(file: &str, name: &str) -> u64 {
    let figures = std::fs::read_to_string(Path::new("/proc/self").join(file)).unwrap_or_default();
    let line = figures.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or_default()
}

#[expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]
fn say(line: &str) {
    println!("{line}");
}
