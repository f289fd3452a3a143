//! What can be wrong with settings and policies, said so that the reader can put it right.
//!
//! No message carries a secret: a value is named by its kind. Only names are repeated: of keys, purposes and files.

use std::fmt;
use std::path::PathBuf;

/// Where something was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// A file, or an environment variable.
    pub source: String,
    /// The line in that file, counted from one.
    pub line: Option<usize>,
    /// The keys that lead to the value, joined by dots; empty for the document itself.
    pub path: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        Ok(())
    }
}

/// One thing that is wrong, where, and how to write it right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// Where it stands.
    pub place: Place,
    /// What is wrong and what to write instead, as a sentence that begins with the place.
    pub problem: String,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.place, self.problem)
    }
}

/// Why settings or a policy were not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file that was asked for is not there.
    #[error("find {}; create it or name another file", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read, or is not text.
    #[error("read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        #[source]
        source: std::io::Error,
    },
    /// The layers of configuration cannot be laid over each other.
    #[error("lay the settings over each other")]
    Layers(#[from] config::ConfigError),
    /// What was read is wrong; every defect that was found is listed.
    #[error("load the {what}:{}", listed(defects))]
    Refused {
        /// What was being loaded: settings or policy.
        what: &'static str,
        /// All that is wrong, in the order in which it was found; never empty.
        defects: Vec<Defect>,
    },
}

impl LoadError {
    /// Every defect that was found; empty where no text was read at all.
    pub fn defects(&self) -> &[Defect] {
        match self {
            Self::Refused { defects, .. } => defects,
            Self::Missing { .. } | Self::File { .. } | Self::Layers(_) => &[],
        }
    }
}

/// One defect on the same line, several each on its own.
fn listed(defects: &[Defect]) -> String {
    match defects {
        [only] => format!(" {only}"),
        many => many.iter().flat_map(|defect| ["\n  ".to_owned(), defect.to_string()]).collect(),
    }
}
