//! The store: can it be opened, is the file sound, does the ledger hold, is there room.

use std::path::Path;

use unisson_store::{Store, StoreError, StoreErrorKind, Verified};
use unisson_store_sqlite::{Examination, Files, SqliteStore};

use super::{Chart, Finding, quoted, split};
use crate::compose::Site;
use crate::exit::Failure;
use crate::screen::{hex, number};

const AREA: &str = "store";

/// A write-ahead log above this is not being folded back: twice what the store keeps of it by itself.
const LOG_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// The least room that a disk should have.
const FREE_BYTES_MIN: u64 = 1024 * 1024 * 1024;

/// How many complaints of the database are told; `--json` tells no more, the rest is counted.
const DAMAGE_TOLD_MAX: usize = 3;

const DAMAGED: &str = "what is decided from a damaged store may be wrong, and a refusal may be missing from it";
const RESTORE: &str = "run no sync; restore a backup beside it, keep this file for examination, and find out what wrote to it or its disk";

/// Looks at an open store. What its tables do not answer is a finding, not an error.
pub(super) async fn look(store: &SqliteStore, site: &Site, chart: &mut Chart) {
    let mut words = Vec::new();
    match store.examine().await {
        Ok(examination) => chart.add(unsound(&examination)),
        Err(error) => unreadable(&error, chart),
    }
    match store.verify().await {
        Ok(Verified { commits, facts, head }) => {
            words.push(format!("{} facts in {} commits, head {}", number(facts), number(commits), hex(&head)));
        }
        Err(error) if error.kind() == StoreErrorKind::Corrupt => chart.add([broken(&error)]),
        Err(error) => unreadable(&error, chart),
    }
    let sizes = Sizes::of(site.store_path());
    words.push(format!("{} and a log of {}", size(sizes.database), size(sizes.log)));
    words.push(sizes.free.map_or("free room not measured".to_owned(), |free| format!("{} free", size(free))));
    chart.add(sizes.findings(site.store_path()));
    chart.examined(AREA, words.join("; "));
}

/// Says why a store could not be opened.
pub(super) fn unopened(error: &StoreError, chart: &mut Chart) {
    chart.examined(AREA, "could not be opened");
    let what = Failure::of(error).to_string();
    chart.add([match error.kind() {
        StoreErrorKind::Corrupt => Finding::problem(AREA, what).because(DAMAGED).next(RESTORE),
        StoreErrorKind::Newer => Finding::problem(AREA, what)
            .because("this program cannot know what a newer one means by its tables")
            .next("use the version of unisson that wrote it, or a later one"),
        StoreErrorKind::InUse | StoreErrorKind::Full | StoreErrorKind::Unavailable => Finding::care(AREA, what)
            .because("nothing that is remembered could be looked at: refusals, runs, the ledger")
            .next("run `unisson sync --dry-run` where there is no store yet; otherwise correct store.url or its permissions"),
    }]);
}

/// Says that something in an open store could not be read, unless that was said already.
pub(super) fn unreadable(error: &StoreError, chart: &mut Chart) {
    let finding = damaged(error);
    if !chart.findings.contains(&finding) {
        chart.add([finding]);
    }
}

fn unsound(examination: &Examination) -> Vec<Finding> {
    let mut found = Vec::new();
    if !examination.damage.is_empty() {
        let told: Vec<&str> = examination.damage.iter().take(DAMAGE_TOLD_MAX).map(String::as_str).collect();
        let more = examination.damage.len().saturating_sub(told.len());
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let what = format!("the database file is damaged: {}{more}", told.join("; "));
        found.push(Finding::problem(AREA, what).because(DAMAGED).next(RESTORE));
    }
    found.extend(examination.contradictions.iter().map(|(what, rows)| {
        Finding::problem(AREA, format!("{what} ({})", number(*rows)))
            .because(
                "no version of this program leaves that behind: something else wrote to the store, or a copy was torn",
            )
            .next(RESTORE)
    }));
    found
}

fn damaged(error: &StoreError) -> Finding {
    Finding::problem(AREA, Failure::of(error).to_string()).because(DAMAGED).next(RESTORE)
}

fn broken(error: &StoreError) -> Finding {
    let (what, _) = split(&Failure::of(error).to_string());
    Finding::problem(AREA, what)
        .because("the ledger is the proof of every consent and refusal, and it was changed from outside")
        .next(RESTORE)
}

/// How large the store is, and what room there is for it.
struct Sizes {
    database: u64,
    log: u64,
    free: Option<u64>,
}

impl Sizes {
    fn of(store: &Path) -> Self {
        let files = Files::of(store);
        let bytes = |path: &Path| path.metadata().map_or(0, |metadata| metadata.len());
        Self { database: bytes(&files.database), log: bytes(&files.log), free: free(store) }
    }

    fn findings(&self, store: &Path) -> Vec<Finding> {
        let mut found = Vec::new();
        if self.log > LOG_BYTES_MAX {
            let log = quoted(&Files::of(store).log);
            found.push(
                Finding::care(AREA, format!("the write-ahead log has grown to {}: {log}", size(self.log)))
                    .because("something has kept the store open for reading for long, so that the log cannot be folded back")
                    .next("end long readers such as an open database browser or a stuck backup; the next sync folds it back"),
            );
        }
        // A sync may write as much again as there is, and a backup needs a copy.
        let wanted = FREE_BYTES_MIN.max(self.database.saturating_add(self.log));
        if let Some(free) = self.free.filter(|free| *free < wanted) {
            let words =
                format!("the disk has {} left, and the store takes {}", size(free), size(self.database + self.log));
            found.push(
                Finding::care(AREA, words)
                    .because("a full disk stops every sync, and refusals no longer reach the platforms")
                    .next(format!("make at least {} free on the disk of {}", size(wanted), quoted(store))),
            );
        }
        found
    }
}

/// The bytes that are free for this process where the store is.
#[cfg(unix)]
fn free(store: &Path) -> Option<u64> {
    let answer = rustix::fs::statvfs(store).ok()?;
    answer.f_bavail.checked_mul(answer.f_frsize)
}

/// Not known here.
#[cfg(not(unix))]
fn free(_: &Path) -> Option<u64> {
    None
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    match UNITS.into_iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", number(bytes / unit), bytes % unit * 10 / unit),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(sizes: &Sizes) -> Vec<String> {
        sizes.findings(Path::new("/srv/unisson.db")).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn sizes_are_read_aloud_in_the_largest_unit_that_fits() {
        let cases =
            [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1.0 kB"), (2_560_000, "2.5 MB"), (70_000_000_000, "70.0 GB")];
        for (bytes, words) in cases {
            assert_eq!(size(bytes), words);
        }
    }

    #[test]
    fn a_log_that_is_not_folded_back_and_a_disk_that_fills_up_are_told() {
        let sound = Sizes { database: 1_000, log: LOG_BYTES_MAX, free: Some(FREE_BYTES_MIN) };
        assert_eq!(told(&sound), Vec::<String>::new());
        assert_eq!(told(&Sizes { free: None, ..sound }), Vec::<String>::new());
        let log = told(&Sizes { log: LOG_BYTES_MAX + 1, free: None, database: 0 });
        assert!(log.len() == 1 && log[0].contains("write-ahead log"), "{log:?}");
        let full = told(&Sizes { database: 0, log: 0, free: Some(FREE_BYTES_MIN - 1) });
        assert!(full.len() == 1 && full[0].contains("the disk has"), "{full:?}");
        let large = told(&Sizes { database: 3 * FREE_BYTES_MIN, log: 0, free: Some(2 * FREE_BYTES_MIN) });
        assert_eq!(large.len(), 1, "there is no room for a copy");
    }

    #[test]
    fn much_damage_is_told_in_few_words() {
        let damage: Vec<String> = (0..5).map(|row| format!("row {row} is gone")).collect();
        let found = unsound(&Examination { damage, contradictions: vec![("facts are lost", 1_234)] });
        assert!(found[0].what.ends_with("row 2 is gone, and 2 more"), "{}", found[0].what);
        assert!(found[1].what.starts_with("facts are lost (1"), "{}", found[1].what);
    }
}
