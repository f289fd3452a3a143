//! How the program ends: four codes, and errors that offer the next step.

use std::fmt;
use std::process::ExitCode;

use unisson_store::{RunState, StoreError, StoreErrorKind};

/// What an operations team can branch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything was done.
    Done,
    /// Something was not reached or not done, and the output names it.
    Partly,
    /// The guard holds changes until somebody approves them.
    Held,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Done => Self::SUCCESS,
            Ending::Partly => Self::from(2),
            Ending::Held => Self::from(3),
        }
    }
}

impl From<RunState> for Ending {
    fn from(state: RunState) -> Self {
        match state {
            RunState::Done => Self::Done,
            RunState::Held => Self::Held,
            RunState::Running | RunState::Partial | RunState::Failed | RunState::Interrupted => Self::Partly,
        }
    }
}

/// Why nothing could be done, and what to do next. It ends the program with code 1.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    next: Option<String>,
}

/// The result of a command.
pub(crate) type Outcome = Result<Ending, Failure>;

impl Failure {
    /// A failure in words, as they fit "failed to …" or stand alone.
    pub(crate) fn new(what: impl fmt::Display) -> Self {
        Self { what: what.to_string(), next: None }
    }

    /// What could not be done, without what to do next.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// The same with what to do next.
    pub(crate) fn next(self, next: impl fmt::Display) -> Self {
        Self { next: Some(next.to_string()), ..self }
    }

    /// A failure from an error, its causes in one line.
    pub(crate) fn of(error: &dyn std::error::Error) -> Self {
        let mut what = error.to_string();
        let mut cause = error.source();
        while let Some(source) = cause {
            let words = source.to_string();
            if !what.ends_with(&words) {
                what.push_str(": ");
                what.push_str(&words);
            }
            cause = source.source();
        }
        Self::new(what)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.next {
            Some(next) => write!(f, "\n  next: {next}"),
            None => Ok(()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let next = match error.kind() {
            StoreErrorKind::InUse => "wait for the other process to end, or look for it with your process list",
            StoreErrorKind::Full => "make room on the disk and run the same command again; nothing is lost",
            StoreErrorKind::Corrupt => "restore a backup beside it, and keep the damaged file for examination",
            StoreErrorKind::Newer => "use the version of unisson that wrote it, or a later one",
            StoreErrorKind::Unavailable => "run `unisson sync` once to create the store, or set store.url",
        };
        Self::of(&error).next(next)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::of(&error)
    }
}
