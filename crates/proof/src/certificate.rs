//! What a certificate says. Every text in it is spelt once; nothing in it names a person (I23).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::canon;
use crate::digest::Digest32;

/// What was done for one case of erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// What kind of document this is: it keeps a signature from serving for another kind.
    pub format: Format,
    /// The case.
    pub case: String,
    /// Who was asked: the controller.
    pub controller: String,
    /// What began the case.
    pub occasion: Occasion,
    /// The provision that the erasure rests on.
    pub ground: String,
    /// When the request was received.
    pub received: Timestamp,
    /// Until when it had to be answered.
    pub due: Timestamp,
    /// More time that was taken.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub extension: Option<ExtensionTaken>,
    /// When everything was erased that could be.
    pub completed: Timestamp,
    /// Whether something stays.
    pub outcome: Outcome,
    /// When the certificate was made.
    pub issued: Timestamp,
    /// What each system did, by its name in the configuration.
    pub systems: Vec<SystemDone>,
    /// What stays, and why.
    pub holds: Vec<HoldKept>,
    /// Who had got data of the person and was told (art. 19).
    pub recipients: Vec<RecipientTold>,
    /// `SHA-256(salt ‖ address)` for each address that was erased, sorted.
    pub commitments: Vec<Digest32>,
    /// The policy that decided.
    pub policy: PolicyUsed,
    /// The program and its version.
    pub software: String,
}

/// The kind of document and the version of its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// The first version.
    #[serde(rename = "unisson-erasure-certificate/1")]
    V1,
}

/// What began a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// The person asked, or somebody for the person.
    Request,
    /// A system showed the person again after an erasure.
    Reappearance {
        /// Which system.
        system: String,
    },
}

/// Whether something stays after the erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing that was found stays.
    Completed,
    /// A hold keeps something.
    CompletedWithHolds,
}

/// More time, told to the person within the first month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtensionTaken {
    /// The provision that allows it.
    pub ground: String,
    /// When it was decided.
    pub decided: Timestamp,
    /// Why.
    pub reason: String,
}

/// What one system did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemDone {
    /// Its name in the configuration.
    pub system: String,
    /// What it is called for people.
    pub title: String,
    /// Whether it could be searched.
    pub coverage: Coverage,
    /// Places that nobody could look at, in words.
    pub unseen: Vec<String>,
    /// What became of each record that was found. Empty where nothing was.
    pub records: Vec<Line>,
}

/// Whether a system could be searched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// It answered what it holds.
    Searched {
        /// When.
        at: Timestamp,
    },
    /// It could not be searched: only what was known of it before was erased.
    Blind {
        /// Why.
        why: String,
    },
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What was asked for.
    pub verb: Verb,
    /// What came of it.
    pub result: TaskResult,
    /// When: the first read that saw nothing, or else when the platform or an operator said so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<Timestamp>,
    /// SHA-256 of what the platform answered, or of the evidence of what was done by hand.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub receipt: Option<Digest32>,
    /// Until when the platform's own backups may still hold it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub residual_until: Option<Timestamp>,
    /// What else a reader should know.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub note: Option<String>,
}

/// What a system was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// To erase the record.
    Erase,
    /// To erase what no hold keeps.
    EraseExceptHold,
    /// Somebody erased it by hand, because nothing else can.
    ByHand,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskResult {
    /// Every read saw nothing.
    VerifiedAbsent,
    /// It was said to be done, with a receipt.
    Done,
    /// A hold keeps it, or the named part of it.
    Held {
        /// Until when.
        until: Timestamp,
    },
    /// It could not be done.
    Impossible {
        /// Why.
        reason: String,
    },
}

/// What a hold keeps (art. 17(3)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldKept {
    /// In which system, by its name in the configuration.
    pub system: String,
    /// Its name in the policy.
    pub name: String,
    /// The ground in the regulation: "art. 17(3)(b)".
    pub ground: String,
    /// The provision that asks for it: "C. com. L123-22".
    pub provision: String,
    /// The groups of fields that stay.
    pub fields: Vec<String>,
    /// Until when.
    pub until: Timestamp,
}

/// Somebody who had got data of the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipientTold {
    /// Who.
    pub name: String,
    /// What they had got, in words, such as a file of a date.
    pub received: String,
    /// When they were told of the erasure; left out where that was impossible.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub told: Option<Timestamp>,
}

/// The policy that decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyUsed {
    /// Its version, in the operator's words.
    pub version: String,
    /// SHA-256 of it.
    pub hash: Digest32,
}

impl Certificate {
    /// The canonical text: what is signed.
    ///
    /// Fails only where a value cannot be written as JSON, which no value of these types is.
    pub fn canonical(&self) -> serde_json::Result<String> {
        canon::canonical(self)
    }
}
