//! The report of a run: what was seen, planned and done, and above all what was not.
//!
//! It is kept as JSON with the run and shown by the command line. It names lists, codes and counts, never a person.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use unisson_plan::RunId;
use unisson_store::RunState;

/// How many rejects of one instance are named; the rest is only counted.
pub(crate) const REJECTS_NAMED_MAX: usize = 20;

/// What a run did and did not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// The run.
    pub run: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended: `done`, `partial`, `held` or `failed`.
    pub state: String,
    /// Whether nothing was to be written to any platform.
    pub dry_run: bool,
    /// What it was made under, part by part: settings in clear or as digests, and the policy. Empty where it was not said.
    #[serde(default)]
    pub setup: BTreeMap<String, String>,
    /// The plan that it applied, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<AppliedPlan>,
    /// The run whose held changes it let go, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<ApprovedRun>,
    /// What is wrong with the machine itself, such as a clock that was set back.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// What was erased, and who came back.
    #[serde(default, skip_serializing_if = "ErasureReport::is_empty")]
    pub erasures: ErasureReport,
    /// How many subjects were judged.
    pub judged: u64,
    /// Each instance by its name.
    pub instances: BTreeMap<String, InstanceReport>,
}

/// The erasures of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ErasureReport {
    /// The cases that were worked on, by the state they were left in.
    pub cases: BTreeMap<String, u64>,
    /// What was done, such as `erased` or `read back as absent`.
    pub done: BTreeMap<String, u64>,
    /// People who were erased and brought back, by the source that showed them again: `shop (contacts.csv)`.
    pub reappeared: BTreeMap<String, u64>,
    /// Sources that brought three or more back within 30 days, with how many.
    pub incidents: BTreeMap<String, u64>,
    /// Why cases could not be worked on, in words.
    pub errors: Vec<String>,
}

impl ErasureReport {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether nothing in it asks for somebody.
    fn is_whole(&self) -> bool {
        self.errors.is_empty() && self.incidents.is_empty()
    }
}

/// A plan that a run applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedPlan {
    /// The plan: the run that made it.
    pub plan: String,
    /// How many changes it has.
    pub changes: u64,
    /// How many of them were settled when it was applied before: sent, or no longer needed.
    pub before: u64,
    /// How many changes wait that are not in it: they are left as they were.
    pub others: u64,
}

/// An approval that a run carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovedRun {
    /// The run whose held changes somebody approved.
    pub run: String,
    /// How many it held.
    pub held: u64,
    /// How many of them were still wanted, and were let go. The others were taken back.
    pub wanted: u64,
}

/// One instance's part of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceReport {
    /// The connector it runs on.
    pub connector: String,
    /// How much of a decision is pushed: `observe`, `negatives` or `full`.
    pub enforce: String,
    /// Whether every stream was read to its proven end.
    pub complete: bool,
    /// Whether its streams were swept in full, rather than read from where the last pass ended.
    pub swept: bool,
    /// Pages read.
    pub pages: u64,
    /// Contacts read, repeated ones included.
    pub observed: u64,
    /// Contacts of which something was new.
    pub changed: u64,
    /// Contacts that were new and nobody else's, and were judged as soon as they were seen.
    #[serde(default)]
    pub newcomers: u64,
    /// New facts.
    pub facts: u64,
    /// Records that a complete sweep no longer showed.
    pub vanished: u64,
    /// Rows that could not be read.
    pub rejects: u64,
    /// Where some of them are, and why.
    pub rejects_named: Vec<String>,
    /// Lists that nobody mapped to a purpose, with how many contacts are opted in there.
    pub unmapped: BTreeMap<String, u64>,
    /// New changes by action and reason, such as `suppress withdrawn`.
    pub planned: BTreeMap<String, u64>,
    /// Changes that the guard holds, by the run to approve: those of this run and of earlier ones.
    pub held: BTreeMap<String, u64>,
    /// Changes of an applied plan that the guard does not let go until somebody approves the plan.
    #[serde(skip_serializing_if = "is_none")]
    pub withheld: u64,
    /// What became of delivered changes, such as `suppress done`.
    pub delivered: BTreeMap<String, u64>,
    /// Released changes that have no final outcome yet, such as `suppress later`: the next runs go on with them.
    pub waiting: BTreeMap<String, u64>,
    /// What was wanted and nothing could carry out, such as `suppress: the connector cannot suppress`.
    pub unreached: BTreeMap<String, u64>,
    /// What went wrong, in words.
    pub errors: Vec<String>,
    /// What a reader should know beside errors.
    pub notes: Vec<String>,
}

impl RunReport {
    /// An empty report of a run that begins.
    pub fn new(run: &RunId, started_at: Timestamp, dry_run: bool) -> Self {
        Self {
            run: run.0.clone(),
            started_at,
            ended_at: None,
            state: RunState::Running.as_str().to_owned(),
            dry_run,
            setup: BTreeMap::new(),
            warnings: Vec::new(),
            applied: None,
            approved: None,
            erasures: ErasureReport::default(),
            judged: 0,
            instances: BTreeMap::new(),
        }
    }

    /// How the run ended, from what its instances say.
    pub fn outcome(&self) -> RunState {
        if self.instances.values().any(|instance| !instance.held.is_empty() || instance.withheld > 0) {
            RunState::Held
        } else if !self.erasures.is_whole() || self.instances.values().any(|instance| !self.is_whole(instance)) {
            RunState::Partial
        } else {
            RunState::Done
        }
    }

    /// Whether an instance has nothing left to do. What waits after a dry run waits because it was asked to.
    fn is_whole(&self, instance: &InstanceReport) -> bool {
        instance.is_whole() && (self.dry_run || instance.waiting.is_empty())
    }

    /// The total over all instances of what was delivered, held, planned or not reached.
    pub fn total(&self, figure: impl Fn(&InstanceReport) -> u64) -> u64 {
        self.instances.values().map(figure).sum()
    }
}

impl InstanceReport {
    /// Whether everything was reached, and nothing that was tried failed.
    pub fn is_whole(&self) -> bool {
        self.complete
            && self.errors.is_empty()
            && self.unreached.is_empty()
            && self.unmapped.is_empty()
            && self.rejects == 0
            && self.delivered.keys().all(|what| what.ends_with(" done") || what.ends_with(" gone"))
    }

    pub(crate) fn reject(&mut self, place: &str, reason: &str) {
        self.rejects += 1;
        if self.rejects_named.len() < REJECTS_NAMED_MAX {
            self.rejects_named.push(format!("{place}: {reason}"));
        }
    }

    pub(crate) fn fail(&mut self, error: &dyn std::error::Error) {
        let words = chain(error);
        if !self.errors.contains(&words) {
            self.errors.push(words);
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_none(figure: &u64) -> bool {
    *figure == 0
}

/// An error with its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        words.push_str(": ");
        words.push_str(&source.to_string());
        cause = source.source();
    }
    words
}
