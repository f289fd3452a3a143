//! The policy file: everything that counsel decides, as types of the law.
//!
//! A policy starts from the profile of a country and overrides what it writes itself. What the law does not leave open
//! is refused, with its place and the reason: a loader that guessed would decide instead of counsel.

mod basis;
mod build;
mod check;
mod file;
mod hold;
mod merge;
mod profile;
mod purpose;
mod time;

use std::path::Path;

use jiff::SignedDuration;
use unisson_consent::Policy;

use crate::document::Document;
use crate::error::LoadError;
use crate::period::Period;

pub use hold::{HoldSetting, check_holds};
pub use profile::{DEFAULT_POLICY, Profile};

/// What is being loaded, in messages.
const WHAT: &str = "policy";

/// How long something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// For good.
    Indefinitely,
    /// For so long.
    For(SignedDuration),
}

/// How long records are kept (art. 5(1)(e)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Suppressions.
    pub suppression: Keep,
    /// How often a suppression that is kept is looked at again.
    pub suppression_review: SignedDuration,
    /// Keyed hashes of erased addresses.
    pub tombstone: Keep,
    /// Proof of a consent, from its end (art. 17(3)(e)).
    pub proof: SignedDuration,
}

/// How soon something must be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Answering an erasure request; calendar months (art. 12(3)).
    pub erasure: Period,
    /// By how much that can be extended, with reasons, inside the first deadline.
    pub erasure_extension: Period,
    /// After this, a refusal that has not reached every system raises an alarm.
    pub negative_alarm: SignedDuration,
    /// By then every refusal must have reached every system.
    pub negative_limit: SignedDuration,
}

/// A policy with everything around it that decisions and records cite.
#[derive(Debug, Clone)]
pub struct LoadedPolicy {
    /// What the law reads.
    pub policy: Policy,
    /// The edition, as its author named it.
    pub version: String,
    /// The profile it started from.
    pub profile: Profile,
    /// The policy in force, profile and overrides together, as JSON in the order of its keys.
    pub effective: String,
    /// SHA-256 of [`effective`](Self::effective), in lower-case hexadecimal. Comments and order do not change it.
    pub hash: String,
    /// How long records are kept.
    pub retention: Retention,
    /// How soon something must be done.
    pub deadlines: Deadlines,
    /// What must stay after an erasure, in the order of the file.
    pub holds: Vec<HoldSetting>,
}

/// Reads a policy file, or the built-in policy where none is named.
pub fn load_policy(path: Option<&Path>) -> Result<LoadedPolicy, LoadError> {
    match path {
        Some(path) => merge::load(Document::read(path, WHAT)?),
        None => parse_policy(DEFAULT_POLICY),
    }
}

/// Reads a policy from its text.
///
/// ```
/// use unisson_settings::{Profile, parse_policy};
/// let loaded = parse_policy("version = \"2026-11-23.1\"\nprofile = \"eu-de\"").unwrap();
/// assert_eq!(loaded.profile, Profile::EuDe);
/// assert_eq!(loaded.policy.country.as_str(), "DE");
/// ```
pub fn parse_policy(text: &str) -> Result<LoadedPolicy, LoadError> {
    let parsed = Document::parse("policy", text);
    merge::load(parsed.map_err(|defect| LoadError::Refused { what: WHAT, defects: vec![defect] })?)
}
