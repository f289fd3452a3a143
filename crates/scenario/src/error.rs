//! What can be wrong with a scenario file, said so that its author can put it right.

use std::fmt;
use std::path::PathBuf;

/// One thing that is wrong, where, and how to write it right.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Defect {
    /// The line of the file, counted from one.
    pub line: Option<u64>,
    /// The scenario it is in, if it is in one.
    pub scenario: Option<String>,
    /// The keys that lead there from the scenario or from the top of the file; empty for the whole.
    pub path: String,
    /// What is wrong and what to write instead, as a sentence that begins with the path.
    pub problem: String,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut place: Vec<String> = Vec::new();
        place.extend(self.line.map(|line| format!("line {line}")));
        place.extend(self.scenario.as_ref().map(|scenario| format!("scenario {scenario}")));
        place.extend((!self.path.is_empty()).then(|| self.path.clone()));
        if place.is_empty() { f.write_str(&self.problem) } else { write!(f, "{}: {}", place.join(": "), self.problem) }
    }
}

/// Why a scenario file was not taken as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file that was asked for is not there.
    #[error("find {}; name an existing scenario file", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        #[source]
        source: std::io::Error,
    },
    /// The file is larger than any list of scenarios.
    #[error("read {}: it is larger than {bytes_max} bytes; split it into several files", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        bytes_max: u64,
    },
    /// The file is not text.
    #[error("read {}: it is not UTF-8 text; save it as UTF-8", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// What was read is wrong outside of any one scenario, so that none can be run.
    #[error("understand {}: {defect}", path.display())]
    Refused {
        /// The file, or the name its text was given.
        path: PathBuf,
        /// What is wrong.
        defect: Defect,
    },
}

/// The way from the top of a document, or of a scenario, to one of its values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Path(Vec<Step>);

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

impl Path {
    pub(crate) fn of(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| Step::Key((*key).to_owned())).collect())
    }

    pub(crate) fn key(mut self, key: &str) -> Self {
        self.0.push(Step::Key(key.to_owned()));
        self
    }

    pub(crate) fn index(mut self, index: usize) -> Self {
        self.0.push(Step::Index(index));
        self
    }

    /// This path seen from further out.
    pub(crate) fn under(self, outer: Step) -> Self {
        let mut steps = vec![outer];
        steps.extend(self.0);
        Self(steps)
    }

    /// This path seen from where another one leads.
    pub(crate) fn after(self, outer: &Self) -> Self {
        Self(outer.0.iter().cloned().chain(self.0).collect())
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }
}

/// Why a value does not fit, and where it stands as far as the reader knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) path: Path,
    pub(crate) problem: String,
}

impl Fault {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { path: Path::default(), problem: problem.into() }
    }

    pub(crate) fn at(path: Path, problem: impl Into<String>) -> Self {
        Self { path, problem: problem.into() }
    }

    /// The same fault seen from further out.
    pub(crate) fn under(self, outer: Step) -> Self {
        Self { path: self.path.under(outer), problem: self.problem }
    }

    /// The same fault seen from where a path starts.
    pub(crate) fn after(self, outer: &Path) -> Self {
        Self { path: self.path.after(outer), problem: self.problem }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for Fault {}
