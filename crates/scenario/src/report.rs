//! What came of scenarios: values first, words for people and a serialised form second.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use unisson_consent::{Key, Kind};

use crate::error::Defect;
use crate::play::{Options, play};
use crate::read::{Reject, Suite, read_file};
use crate::scenario::{Observed, Scenario};

/// What came of several files.
#[derive(Debug, Serialize)]
pub struct Report {
    passed: usize,
    failed: usize,
    options: Options,
    files: Vec<FileReport>,
}

/// What came of one file.
#[derive(Debug, Serialize)]
pub struct FileReport {
    /// The file as it was named.
    pub path: String,
    /// Why the file could not be read at all. It then counts as one failure.
    pub error: Option<String>,
    /// What came of each scenario, in the order of the file: first those that could be played, then those that could not.
    pub scenarios: Vec<ScenarioReport>,
}

/// What came of one scenario.
#[derive(Debug, Serialize)]
pub struct ScenarioReport {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// The situation in a sentence.
    pub given: Option<String>,
    /// The invariants it touches.
    pub invariants: Vec<String>,
    /// The line it begins on.
    pub line: u64,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of playing a scenario.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything followed, in every order.
    Passed,
    /// Something did not follow.
    Failed(Vec<Failure>),
    /// It could not be understood, so nothing was played.
    Unreadable(Vec<Defect>),
}

/// A key for which something did not follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The line of the expectation.
    pub line: u64,
    /// What was decided.
    pub key: KeyNames,
    /// What differs; never empty.
    pub differences: Vec<Difference>,
    /// The rule of the policy that gave another basis than consent.
    pub rule: Option<String>,
    /// The observations that the decision rests on.
    pub facts: Vec<Told>,
    /// Present where the order of telling matters: the order, redeliveries included, in which the answer differs from the
    /// one in the order of the file. `expected` is then what the order of the file gives.
    pub order: Option<Vec<String>>,
}

/// A key in words. The address is one of a test, so it may be shown; `Debug` does not, since it may reach a log.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct KeyNames {
    /// The address as the scenario spells it.
    pub address: String,
    /// For what.
    pub purpose: String,
    /// Over which channel.
    pub channel: &'static str,
    /// Whose, where people share the address.
    pub person: Option<String>,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The field.
    pub field: String,
    /// What the scenario wants.
    pub expected: String,
    /// What the law gave.
    pub got: String,
}

/// An observation behind a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Its id in the scenario.
    pub observation: String,
    /// What it tells.
    pub what: String,
    /// Who told it.
    pub system: String,
    /// When it was first told.
    pub observed_at: jiff::Timestamp,
}

/// Reads and plays every scenario of some files. A file that cannot be read is reported and does not stop the others.
pub fn run_files<P: AsRef<Path>>(files: &[P], options: &Options) -> Report {
    Report::of(files.iter().map(|file| FileReport::run(file.as_ref(), options)).collect(), *options)
}

impl Report {
    /// Sums up files.
    pub fn of(files: Vec<FileReport>, options: Options) -> Self {
        let passed = files.iter().map(FileReport::passed).sum();
        let failed = files.iter().map(FileReport::failed).sum();
        Self { passed, failed, options, files }
    }

    /// How many scenarios passed.
    pub fn passed(&self) -> usize {
        self.passed
    }

    /// How many scenarios failed or could not be understood, and how many files could not be read at all.
    pub fn failed(&self) -> usize {
        self.failed
    }

    /// What came of each file, in the order in which they were named.
    pub fn files(&self) -> &[FileReport] {
        &self.files
    }

    /// Writes the report for people. The last line is `N passed, N failed`.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for file in &self.files {
            file.write(out)?;
        }
        if self.failed > 0 {
            writeln!(out, "orders {}, seed {}", self.options.orders, self.options.seed)?;
        }
        writeln!(out, "{} passed, {} failed", self.passed, self.failed)
    }
}

impl FileReport {
    /// Reads and plays one file.
    pub fn run(path: &Path, options: &Options) -> Self {
        let name = path.display().to_string();
        match read_file(path) {
            Ok(suite) => Self::play(name, suite, options),
            Err(error) => Self { path: name, error: Some(chain(&error)), scenarios: Vec::new() },
        }
    }

    /// Plays what was read from one file.
    pub fn play(path: String, suite: Suite, options: &Options) -> Self {
        let played = suite.scenarios.iter().map(|scenario| ScenarioReport::played(scenario, options));
        let rejected = suite.rejects.into_iter().map(ScenarioReport::rejected);
        Self { path, error: None, scenarios: played.chain(rejected).collect() }
    }

    /// How many of its scenarios passed.
    pub fn passed(&self) -> usize {
        self.scenarios.iter().filter(|scenario| scenario.outcome == Outcome::Passed).count()
    }

    /// How many of its scenarios did not pass; one where the file could not be read at all.
    pub fn failed(&self) -> usize {
        self.scenarios.len() - self.passed() + usize::from(self.error.is_some())
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        if let Some(error) = &self.error {
            return writeln!(out, "error: failed to {error}\n");
        }
        writeln!(out, "{}: {} passed, {} failed\n", self.path, self.passed(), self.failed())?;
        self.scenarios.iter().try_for_each(|scenario| scenario.write(out))
    }
}

impl ScenarioReport {
    fn played(scenario: &Scenario, options: &Options) -> Self {
        let failures = play(scenario, options);
        Self {
            id: scenario.id.clone(),
            title: scenario.title.clone(),
            given: scenario.given.clone(),
            invariants: scenario.invariants.clone(),
            line: scenario.line,
            outcome: if failures.is_empty() { Outcome::Passed } else { Outcome::Failed(failures) },
        }
    }

    fn rejected(reject: Reject) -> Self {
        Self {
            id: reject.id,
            title: String::new(),
            given: None,
            invariants: Vec::new(),
            line: reject.line,
            outcome: Outcome::Unreadable(reject.defects),
        }
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        match &self.outcome {
            Outcome::Passed => Ok(()),
            Outcome::Unreadable(defects) => {
                writeln!(out, "error: {} cannot be understood", self.id)?;
                for defect in defects {
                    writeln!(out, "  {}", Unplaced(defect))?;
                }
                writeln!(out)
            }
            Outcome::Failed(failures) => {
                let touches = if self.invariants.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", self.invariants.join(", "))
                };
                writeln!(out, "failed: {} {}, line {}{touches}", self.id, self.title, self.line)?;
                if let Some(given) = &self.given {
                    writeln!(out, "  given {given}")?;
                }
                failures.iter().try_for_each(|failure| failure.write(out))?;
                writeln!(out)
            }
        }
    }
}

impl Failure {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "  {}, line {}", self.key, self.line)?;
        let (wanted, given) = match &self.order {
            Some(order) => {
                writeln!(out, "    order matters: told as {}", order.join(" "))?;
                ("in the order of the file", "in this order")
            }
            None => ("expected", "got"),
        };
        for Difference { field, expected, got } in &self.differences {
            writeln!(out, "    {field}: {wanted} {expected}, {given} {got}")?;
        }
        if let Some(rule) = &self.rule {
            writeln!(out, "    by the rule {rule}")?;
        }
        for told in &self.facts {
            writeln!(out, "    because {told}")?;
        }
        if self.facts.is_empty() {
            writeln!(out, "    because no observation speaks of it")?;
        }
        Ok(())
    }
}

impl Difference {
    pub(crate) fn new(field: &str, expected: &str, got: &str) -> Self {
        Self { field: field.to_owned(), expected: expected.to_owned(), got: got.to_owned() }
    }
}

impl KeyNames {
    pub(crate) fn of(key: &Key) -> Self {
        Self {
            address: key.address.raw().to_owned(),
            purpose: key.purpose.to_string(),
            channel: key.channel.as_str(),
            person: key.person.as_ref().map(|person| person.as_str().to_owned()),
        }
    }
}

impl fmt::Display for KeyNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} by {}", self.address, self.purpose, self.channel)?;
        self.person.as_ref().map_or(Ok(()), |person| write!(f, ", for {person}"))
    }
}

impl fmt::Debug for KeyNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyNames({} by {}, …)", self.purpose, self.channel)
    }
}

impl Told {
    pub(crate) fn of(observed: &Observed) -> Self {
        Self {
            observation: observed.name.clone(),
            what: in_words(&observed.fact.kind),
            system: observed.fact.system.to_string(),
            observed_at: observed.fact.observed_at,
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} told by {}, observed {}", self.observation, self.what, self.system, self.observed_at)
    }
}

/// A defect without the scenario, under which it stands already.
struct Unplaced<'a>(&'a Defect);

impl fmt::Display for Unplaced<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Defect { scenario: None, ..self.0.clone() }, f)
    }
}

/// A kind in the words of the schema.
fn in_words(kind: &Kind) -> String {
    let word = match kind {
        Kind::Grant { .. } => "grant",
        Kind::Request => "request",
        Kind::Refuse => "refuse",
        Kind::Withdraw => "withdraw",
        Kind::Object => "object",
        Kind::Complaint => "complaint",
        Kind::EraseRequest { verified: true } => "verified erase_request",
        Kind::EraseRequest { verified: false } => "unverified erase_request",
        Kind::Snapshot { status, .. } => return format!("snapshot {}", status.as_str()),
        Kind::Attribute => "attribute",
        Kind::Bounce(_) => "bounce",
        Kind::Delivered => "delivered",
        Kind::ControlProof => "control_proof",
        Kind::Relationship { what, .. } => return format!("relationship {}", what.as_str()),
        Kind::Activity(what) => return format!("activity {}", what.as_str()),
        Kind::Invite => "invite",
        Kind::Invalidate { .. } => "invalidate",
        Kind::Annul { .. } => "annul",
        Kind::Restrict => "restrict",
        Kind::Unrestrict => "unrestrict",
        Kind::OperatorBlock => "operator_block",
        Kind::OperatorUnblock => "operator_unblock",
        Kind::Link { .. } => "link",
        Kind::Split { .. } => "split",
        Kind::AddressChange { .. } => "address_change",
        Kind::Hold { .. } => "hold",
    };
    word.to_owned()
}

/// An error with everything that caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
