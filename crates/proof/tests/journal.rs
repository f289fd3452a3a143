//! A journal over its life: written, killed, changed from outside, held against what the store remembers.

#![expect(clippy::unwrap_used, reason = "a test that meets what it does not expect has failed")]

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use proptest::prelude::*;
use tempfile::TempDir;
use unisson_consent::{AddressKind, FactId, KeyId};
use unisson_plan::erasure::{CaseId, CaseState};
use unisson_proof::{Agreement, Digest32, Head, Journal, JournalError, LINE_BYTES_MAX, Record, Seal};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn seal(byte: u8) -> Seal {
    Seal { address: AddressKind::Email, key: KeyId(1), class: Digest32([byte; 32]) }
}

/// One record for each byte, of every kind.
fn record(byte: u8) -> Record {
    let (case, fact) = (CaseId(format!("case-{byte}")), FactId([byte; 16]));
    match byte % 5 {
        0 => Record::Tombstone { case, fact, seal: seal(byte), erased_at: at(byte.into()) },
        1 => Record::Objection { fact, seal: seal(byte), since: at(byte.into()) },
        2 => Record::Restriction { fact, seal: seal(byte), since: at(byte.into()) },
        3 => Record::Case { case, state: CaseState::Completed },
        _ => Record::Ledger { commits: byte.into(), head: Digest32([byte; 32]) },
    }
}

struct Place {
    _folder: TempDir,
    path: PathBuf,
}

fn place() -> Place {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("unisson.journal");
    Place { _folder: folder, path }
}

/// A closed journal with these batches in it; what was written, and the head after each line.
fn written(path: &Path, batches: &[Vec<u8>]) -> (Vec<Record>, Vec<Head>) {
    let mut journal = Journal::open(path).unwrap();
    let mut heads = vec![journal.head()];
    for (second, batch) in (0..).zip(batches) {
        for byte in batch {
            heads.push(journal.append(at(second), &[record(*byte)]).unwrap());
        }
    }
    (batches.iter().flatten().map(|byte| record(*byte)).collect(), heads)
}

fn records(journal: &Journal) -> Vec<Record> {
    journal.entries_after(0).unwrap().map(|entry| entry.unwrap().record).collect()
}

fn damage(path: &Path) -> u64 {
    match Journal::open(path).unwrap_err() {
        JournalError::Damaged { line, .. } => line,
        other => panic!("{other}"),
    }
}

#[test]
fn what_was_added_is_there_when_it_is_opened_again() {
    let place = place();
    let (told, heads) = written(&place.path, &[vec![0, 1], vec![2, 3, 4]]);
    let journal = Journal::open(&place.path).unwrap();
    assert_eq!(records(&journal), told);
    assert_eq!(Some(&journal.head()), heads.last());
    let later: Vec<u64> = journal.entries_after(3).unwrap().map(|entry| entry.unwrap().seq).collect();
    assert_eq!(later, [4, 5]);
    assert_eq!(journal.entries_after(5).unwrap().count(), 0);
    assert_eq!(journal.entries_after(0).unwrap().next().unwrap().unwrap().at, at(0));
}

#[test]
fn several_entries_are_added_at_once_or_not_at_all() {
    let place = place();
    let mut journal = Journal::open(&place.path).unwrap();
    let head = journal.append(at(0), &[record(0), record(1)]).unwrap();
    assert_eq!((head.lines, journal.append(at(1), &[]).unwrap()), (2, head));
    let endless = Record::Case { case: CaseId("x".repeat(LINE_BYTES_MAX)), state: CaseState::Completed };
    let error = journal.append(at(1), &[record(2), endless]).unwrap_err();
    assert!(matches!(error, JournalError::Refused { .. }), "{error}");
    assert_eq!((journal.head(), records(&journal).len()), (head, 2));
}

#[test]
fn one_process_has_it_and_others_may_look() {
    let place = place();
    let mut journal = Journal::open(&place.path).unwrap();
    let head = journal.append(at(0), &[record(0)]).unwrap();
    assert!(matches!(Journal::open(&place.path), Err(JournalError::InUse { .. })));
    let checked = Journal::check(&place.path).unwrap();
    assert_eq!((checked.head, checked.is_torn), (head, false));
    drop(journal);
    assert!(Journal::open(&place.path).is_ok());
}

#[test]
fn looking_at_a_torn_journal_leaves_it_as_it_is() {
    let place = place();
    let (_, heads) = written(&place.path, &[vec![0, 1]]);
    let whole = fs::read(&place.path).unwrap();
    fs::write(&place.path, &whole[..whole.len() - 9]).unwrap();
    let checked = Journal::check(&place.path).unwrap();
    assert_eq!((checked.head, checked.is_torn), (heads[1], true));
    assert_eq!(fs::read(&place.path).unwrap().len(), whole.len() - 9);
}

#[cfg(unix)]
#[test]
fn only_its_owner_reads_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = place();
    drop(Journal::open(&place.path).unwrap());
    let mode = || fs::metadata(&place.path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    fs::set_permissions(&place.path, fs::Permissions::from_mode(0o644)).unwrap();
    drop(Journal::open(&place.path).unwrap());
    assert_eq!(mode(), 0o600);
}

#[test]
fn a_missing_folder_is_told() {
    let place = place();
    let error = Journal::open(&place.path.join("no/journal")).unwrap_err();
    assert!(matches!(error, JournalError::Unavailable { .. }), "{error}");
}

#[test]
fn a_store_tells_by_its_head_whether_it_was_restored() {
    let (ours, theirs) = (place(), place());
    let (_, heads) = written(&ours.path, &[vec![0, 1, 2]]);
    let journal = Journal::open(&ours.path).unwrap();
    let agrees = |head| journal.agrees(head).unwrap();
    assert_eq!(agrees(heads[3]), Agreement::Same);
    assert_eq!(agrees(heads[1]), Agreement::Ahead(2));
    assert_eq!(agrees(Head::default()), Agreement::Ahead(3));
    assert_eq!(agrees(Head { lines: 5, ..heads[3] }), Agreement::Behind(2));
    let (_, foreign) = written(&theirs.path, &[vec![5, 6, 7]]);
    assert_eq!(agrees(foreign[3]), Agreement::Foreign);
    assert_eq!(agrees(foreign[2]), Agreement::Foreign);
    assert_eq!(agrees(Head { lines: 0, ..heads[3] }), Agreement::Foreign);
}

#[test]
fn an_empty_journal_agrees_with_a_store_that_never_saw_one() {
    let place = place();
    let journal = Journal::open(&place.path).unwrap();
    assert_eq!(journal.agrees(Head::default()).unwrap(), Agreement::Same);
    assert_eq!(journal.agrees(Head { lines: 2, hash: Digest32([1; 32]) }).unwrap(), Agreement::Behind(2));
}

#[test]
fn a_line_removed_added_or_moved_is_found_where_it_is() {
    let place = place();
    written(&place.path, &[vec![0, 1, 2, 3]]);
    let text = fs::read_to_string(&place.path).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for (changed, line) in [
        ([lines[0], lines[2], lines[3]].concat(), 2),
        ([lines[1], lines[2]].concat(), 1),
        ([lines[0], lines[0], lines[1]].concat(), 2),
        ([lines[0], lines[2], lines[1], lines[3]].concat(), 2),
        ([lines[0], lines[1], "\n", lines[2]].concat(), 3),
        ([lines[0], lines[1], "{}\n"].concat(), 3),
    ] {
        fs::write(&place.path, changed).unwrap();
        assert_eq!(damage(&place.path), line);
    }
}

#[test]
fn a_line_without_end_fills_no_memory() {
    let place = place();
    written(&place.path, &[vec![0]]);
    let mut file = OpenOptions::new().append(true).open(&place.path).unwrap();
    file.write_all(&vec![b'x'; 3 * LINE_BYTES_MAX]).unwrap();
    assert_eq!(damage(&place.path), 2);
}

#[test]
fn a_line_that_lost_only_its_end_is_kept() {
    let place = place();
    let (told, heads) = written(&place.path, &[vec![0, 1]]);
    let whole = fs::read(&place.path).unwrap();
    fs::write(&place.path, &whole[..whole.len() - 1]).unwrap();
    let mut journal = Journal::open(&place.path).unwrap();
    assert_eq!((records(&journal), journal.head()), (told, heads[2]));
    journal.append(at(9), &[record(2)]).unwrap();
    assert_eq!(records(&journal).len(), 3);
}

#[test]
fn nothing_in_it_names_a_person() {
    use unisson_consent::{Address, Keyring};
    let place = place();
    let mut ring = Keyring::default();
    ring.insert(KeyId(1), vec![7; 32]);
    let sealed = ring.seal(KeyId(1), &Address::email("ada@example.org").unwrap()).unwrap();
    let record = Record::Objection { fact: FactId([1; 16]), seal: Seal::of(&sealed).unwrap(), since: at(0) };
    let mut journal = Journal::open(&place.path).unwrap();
    journal.append(at(0), std::slice::from_ref(&record)).unwrap();
    let text = fs::read_to_string(&place.path).unwrap();
    assert!(text.contains(&sealed.hex()) && !text.contains('@') && !text.contains("ada"));
    assert!(!format!("{record:?}").contains(&sealed.hex()));
}

fn batches() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 1..4), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn killed_at_any_byte_it_goes_on_from_what_was_whole(
        batches in batches(),
        cut in any::<prop::sample::Index>(),
        again in batches(),
    ) {
        let place = place();
        let (mut told, heads) = written(&place.path, &batches);
        let whole = fs::read(&place.path).unwrap();
        let cut = cut.index(whole.len() + 1);
        fs::write(&place.path, &whole[..cut]).unwrap();
        let ended = whole[..cut].split(|byte| *byte == b'\n').count() - 1;
        let journal = Journal::open(&place.path).unwrap();
        let left = records(&journal).len();
        // What lost its end only is whole.
        prop_assert!(left == ended || (left == ended + 1 && whole.get(cut) == Some(&b'\n')));
        prop_assert_eq!(&records(&journal), &told[..left]);
        prop_assert_eq!(journal.head(), heads[left]);
        drop(journal);
        told.truncate(left);
        told.extend(written(&place.path, &again).0);
        prop_assert_eq!(records(&Journal::open(&place.path).unwrap()), told);
    }

    #[test]
    fn any_flipped_byte_is_found(batches in batches(), at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let place = place();
        written(&place.path, &batches);
        let mut bytes = fs::read(&place.path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        let line = bytes[..at].split(|byte| *byte == b'\n').count() as u64;
        fs::write(&place.path, &bytes).unwrap();
        prop_assert_eq!(damage(&place.path), line);
        prop_assert_eq!(fs::read(&place.path).unwrap(), bytes);
    }

    #[test]
    fn the_end_of_the_last_line_cannot_be_written_over(batches in batches(), byte in any::<u8>()) {
        prop_assume!(byte != b'\n');
        let place = place();
        let (told, _) = written(&place.path, &batches);
        let mut bytes = fs::read(&place.path).unwrap();
        *bytes.last_mut().unwrap() = byte;
        fs::write(&place.path, &bytes).unwrap();
        prop_assert_eq!(damage(&place.path), told.len() as u64);
    }
}
