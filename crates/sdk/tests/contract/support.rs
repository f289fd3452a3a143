//! A platform that says what it is told to, over two transports: none at all, and a raw socket.

pub(crate) mod fault;
pub(crate) mod script;

use std::error::Error;
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use unisson_connector::ErrorKind;
use unisson_sdk::{Auth, Backoff, Link};
use url::Url;

/// A link with waits that do not depend on chance, to an account that no other test has.
pub(crate) fn link(base_url: &str) -> Link {
    static ACCOUNTS: AtomicUsize = AtomicUsize::new(0);
    let mut link = Link::new(base_url.parse::<Url>().unwrap(), Auth::None);
    link.account = Some(format!("account {}", ACCOUNTS.fetch_add(1, Ordering::SeqCst)));
    link.seed = Some(1);
    link
}

/// A link whose own waits are short, for tests that run in real time.
pub(crate) fn brisk(base_url: &str) -> Link {
    let mut link = link(base_url);
    link.backoff = Backoff { base: std::time::Duration::from_millis(20), max: std::time::Duration::from_millis(50) };
    link
}

/// What an error says to whoever prints it in any way, with all its causes.
pub(crate) fn shown(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for cause in std::iter::successors(Some(error), |cause| (*cause).source()) {
        writeln!(text, "{cause} {cause:?} {cause:#?}").unwrap();
    }
    text
}

/// The kind of an error, with everything it says, so that a failing test explains itself.
#[track_caller]
pub(crate) fn assert_kind<T: std::fmt::Debug>(result: unisson_connector::Result<T>, kind: ErrorKind) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{}", shown(&error));
}
