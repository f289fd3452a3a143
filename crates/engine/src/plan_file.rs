//! A plan as a file: JSON Lines that name every change by its id, and nobody.
//!
#![doc = include_str!("../PLAN.md")]

mod read;
mod write;

use std::collections::BTreeMap;
use std::io;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use read::PlanReader;
pub(crate) use write::PlanWriter;

/// The name and version of the format. A change that a reader of this one would stumble over gets another.
pub const PLAN_FORMAT: &str = "unisson-plan/1";

/// A line. The order of the keys is that of the fields.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
enum Line {
    Plan(PlanHeader),
    Change(PlanLine),
    End(PlanEnd),
}

/// The first line: whose plan it is, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanHeader {
    /// [`PLAN_FORMAT`].
    pub format: String,
    /// The plan's id: that of the run that made it.
    pub plan: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// A digest of everything the law says.
    pub law: String,
    /// Each instance that takes part, by its name.
    pub instances: BTreeMap<String, PlanInstance>,
}

/// What a plan says of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanInstance {
    /// How much of a decision is pushed there: `observe`, `negatives` or `full`.
    pub enforce: String,
    /// Whether every stream was read to its proven end when the plan was made.
    pub complete: bool,
    /// How many changes follow, by action and reason, such as `suppress withdrawn`.
    pub changes: BTreeMap<String, u64>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanLine {
    pub(crate) change: String,
    pub(crate) instance: String,
    pub(crate) action: String,
    pub(crate) reason: String,
}

/// The last line: without it the file was cut.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanEnd {
    changes: u64,
    /// Of every byte before this line, in hexadecimal.
    sha256: String,
}

/// Why a file is not taken for a plan.
#[derive(Debug, Error)]
pub enum PlanFileError {
    /// It could not be read.
    #[error("read the plan")]
    Read(#[from] io::Error),
    /// It does not begin as a plan does.
    #[error("the file is no plan: it does not begin as `unisson plan --out` begins one")]
    Foreign,
    /// It is a plan of a format that this program does not know.
    #[error("the plan has the format `{0}`, and this program reads {PLAN_FORMAT}")]
    Version(String),
    /// Its end is missing.
    #[error("the plan is cut: it ends after line {0}, and its last line is missing")]
    Cut(u64),
    /// A line cannot be read.
    #[error("the plan was changed: line {0} is none that a plan has there")]
    Broken(u64),
    /// It is not what its last line vouches for.
    #[error("the plan was changed: its last line vouches for something else than what stands above")]
    Changed,
}

impl PlanHeader {
    /// How many changes follow.
    pub fn changes(&self) -> u64 {
        self.instances.values().flat_map(|part| part.changes.values()).sum()
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
