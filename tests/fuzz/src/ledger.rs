//! Exports of a ledger: what is not exactly what an export writes is refused with its line.

use unisson_store::export::{FileError, check};

use super::silence::{names_nobody, told};

/// Words that exports are made of.
pub const WORDS: &[&[u8]] = &[
    b"{\"line\":\"format\"",
    b"{\"line\":\"commit\"",
    b"{\"line\":\"fact\"",
    b"{\"line\":\"end\"",
    b"\"facts\":",
    b"\"prev\":\"",
    b"18446744073709551615",
    b"0000000000000000000000000000000000000000000000000000000000000000",
    b"null",
    b"\n",
    b"}\n",
    b"\"says\":",
    b"\"names\":{",
    b"[[[[",
    b"\\u0000",
    b"\\ud800",
];

/// Checks bytes as an export.
///
/// # Panics
/// Where a promise is broken.
pub fn run(input: &[u8]) {
    let lines = input.split(|byte| *byte == b'\n').count() as u64;
    match check(input) {
        Ok(checked) => {
            assert!(checked.commits + checked.facts < lines, "more was found in order than there are lines");
            assert!(checked.withheld <= checked.facts);
        }
        Err(error) => {
            names_nobody(&told(&error));
            if let FileError::Broken { line, .. } = error {
                assert!(line <= lines, "line {line} of {lines}");
            }
        }
    }
}
