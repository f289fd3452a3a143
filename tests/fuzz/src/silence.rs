//! What readers may say: words of their own, of a bounded length, and nobody's address.

use std::error::Error;
use std::iter::successors;

/// The longest message of a reader, its causes included.
const WORDS_BYTES_MAX: usize = 2_000;

/// An error with all its causes, in every form in which it may be printed.
pub fn told(error: &(dyn Error + 'static)) -> String {
    successors(Some(error), |cause| (*cause).source())
        .map(|cause| format!("{cause} {cause:?}\n"))
        .collect::<Vec<_>>()
        .concat()
}

/// Holds that a message about what others wrote names nobody and stays short.
///
/// # Panics
/// Where it does not.
pub fn names_nobody(words: &str) {
    assert!(!words.contains('@') && !words.contains("%40"), "an address is told: {words}");
    is_bounded(words);
}

/// Holds that a message about what the operator wrote, which may repeat names, stays short and moves no cursor.
///
/// # Panics
/// Where it does not.
pub fn is_bounded(words: &str) {
    assert!(words.len() <= WORDS_BYTES_MAX, "a message has {} bytes: {:.200}", words.len(), words);
    assert!(!words.chars().any(|c| c.is_control() && c != '\n'), "a message holds a control character: {words:?}");
}
