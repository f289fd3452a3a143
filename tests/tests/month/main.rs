//! A simulated month, many times over: a small company whose people, colleagues, platforms, clocks and processes do what
//! they do in thirty days, in virtual time. In the end every platform agrees with the ledger, nobody who said no was ever
//! made mailable by us, and nothing has grown that should not.
//!
//! `UNISSON_MONTH_SEEDS` says how many months (100 unless said), `UNISSON_MONTH_SEED` the first of them (1 unless said). A
//! month that fails names the command that shows it again.

mod company;
mod dice;
mod month;
mod oracle;
mod people;
mod weather;
mod writes;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use month::{Figures, month};

/// How many months where nothing is said.
const SEEDS: u64 = 100;
/// After how many months the memory of the process is looked at first: by then everything that is made once is there.
const WARM: u64 = 20;
/// By how much it may have grown since.
const GROWTH_KIB_MAX: u64 = 48 * 1024;

#[test]
fn in_a_month_of_faults_every_platform_comes_to_agree_and_nobody_who_said_no_is_made_mailable() {
    let first = setting("UNISSON_MONTH_SEED", 1);
    let months = setting("UNISSON_MONTH_SEEDS", SEEDS);
    let (next, warm) = (AtomicU64::new(0), AtomicU64::new(0));
    let failures: Mutex<Vec<String>> = Mutex::default();
    let sum: Mutex<Figures> = Mutex::default();
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::SeqCst);
                    if place >= months {
                        return;
                    }
                    let seed = first + place;
                    match catch_unwind(AssertUnwindSafe(|| lived(seed))) {
                        Ok(figures) => locked(&sum).add(&figures),
                        Err(panic) => locked(&failures).push(told(seed, panic.as_ref())),
                    }
                    if place == WARM {
                        warm.store(resident_kib().unwrap_or_default(), Ordering::SeqCst);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(failures.is_empty(), "{} of {months} months fail\n{}", failures.len(), failures.join("\n"));
    let figures = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    if months >= WARM {
        // Otherwise nothing was tried.
        assert!(figures.noes > months && figures.openings > months / 2 && figures.crashes > months, "{figures:?}");
    }
    if let (Some(now), warm @ 1..) = (resident_kib(), warm.into_inner()) {
        assert!(now <= warm + GROWTH_KIB_MAX, "from {warm} KiB after {WARM} months to {now} KiB after {months}");
    }
}

/// Lives one month in a time of its own.
fn lived(seed: u64) -> Figures {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).max_blocking_threads(2).build().expect("a runtime");
    runtime.block_on(month(seed))
}

fn told(seed: u64, panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let words = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words");
    format!(
        "seed {seed}: {words}\n  again: UNISSON_MONTH_SEED={seed} UNISSON_MONTH_SEEDS=1 cargo test -p unisson-tests --test month"
    )
}

#[expect(clippy::disallowed_methods, reason = "which months are told is for whoever runs the test to say")]
fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")),
        Err(_) => default,
    }
}

/// The memory that this process holds, where the system tells.
fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
