//! Remembers when the program was built, so that `doctor` can tell a clock that lies before it.
//!
//! The moment is a lower bound: it stays while nothing here changes. `SOURCE_DATE_EPOCH` sets it for builds that must be
//! the same to the byte (reproducible-builds.org).

use std::env::VarError;
use std::process::ExitCode;

#[expect(clippy::print_stderr, reason = "this is how a build script speaks to people")]
fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    match built() {
        Ok(seconds) => {
            println!("cargo::rustc-env=UNISSON_BUILT={seconds}");
            ExitCode::SUCCESS
        }
        Err(what) => {
            eprintln!("{what}");
            ExitCode::FAILURE
        }
    }
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a build happens at a time and in an environment")]
fn built() -> Result<u64, &'static str> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(seconds) => seconds.trim().parse().map_err(|_| "SOURCE_DATE_EPOCH is no number of seconds since 1970"),
        Err(VarError::NotUnicode(_)) => Err("SOURCE_DATE_EPOCH is no number of seconds since 1970"),
        Err(VarError::NotPresent) => std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map(|since| since.as_secs())
            .map_err(|_| "the clock of this machine stands before 1970: set it"),
    }
}
