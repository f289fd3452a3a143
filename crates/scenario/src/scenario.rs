//! A scenario as the law understands it: a law, a moment, facts, writes, and what must follow.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use unisson_consent::{ConsentStatus, Fact, FactId, Key, Law, OwnPush, Reason, SystemId, Verb, Verdict};

/// One case, ready to be played.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its id, unique in its file.
    pub id: String,
    /// What it is about, in a few words.
    pub title: String,
    /// The situation in a sentence.
    pub given: Option<String>,
    /// The invariants it touches, as its author names them.
    pub invariants: Vec<String>,
    /// The line of the file it begins on.
    pub line: u64,
    /// The policy and the systems it is played under.
    pub law: Law,
    /// The moment of the decision.
    pub now: Timestamp,
    /// What was observed, in the order of the file. It is a set: the order must not matter.
    pub observed: Vec<Observed>,
    /// What the host had already written.
    pub pushes: Vec<OwnPush>,
    /// What must follow; never empty.
    pub expectations: Vec<Expectation>,
}

/// A fact with the name its scenario gives it.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The id of the observation, unique in its scenario.
    pub name: String,
    /// What it is for the law. Two observations of one native event have the same fact id.
    pub fact: Fact,
}

/// What must follow for one key.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// The line of the file it stands on.
    pub line: u64,
    /// What is decided.
    pub key: Key,
    /// May the person be contacted?
    pub verdict: Verdict,
    /// Where the permission stands; `None` where the author does not say.
    pub status: Option<ConsentStatus>,
    /// The primary reason; `None` where the author does not say.
    pub reason: Option<Reason>,
    /// What must be pushed, system by system. No entry means that nothing may be pushed.
    pub actions: BTreeMap<SystemId, BTreeSet<Verb>>,
}

impl Scenario {
    /// The names of the observations that tell a fact.
    pub fn names_of(&self, fact: FactId) -> impl Iterator<Item = &Observed> {
        self.observed.iter().filter(move |observed| observed.fact.id == fact)
    }
}
