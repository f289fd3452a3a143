//! The schema `consent-scenarios/1` as types: exactly what an author may write.
//!
//! Nothing here knows what a field means for the law.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, de};
use unisson_consent::{
    Actor, Audience, Basis, Bounce, Channel, Clock, ConsentStatus, Family, HoldBasis, Need, Normalisation, Propagate,
    Reason, Relation, Resubscribe, Status, Verb, Verdict, Via,
};

use crate::word::{
    Alias, Carry, ChannelNames, Day, Days, Digest, Happened, Land, Many, Moment, Of, PurposeNames, Rank, Ticked, Zone,
};

/// What the scenarios of a file, or one of them, are played on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stage {
    pub(crate) now: Moment,
    pub(crate) systems: BTreeMap<String, System>,
    pub(crate) purposes: BTreeMap<String, Purpose>,
    pub(crate) evidence_presets: BTreeMap<String, Predicates>,
    pub(crate) policy: Policy,
}

/// A source system. What is left out is read strictly.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct System {
    #[serde(rename = "role")]
    pub(crate) _role: Option<String>,
    pub(crate) clock: Option<Of<Clock>>,
    pub(crate) tz: Option<Zone>,
    pub(crate) max_level: Option<Rank>,
    #[serde(default)]
    pub(crate) marketing: bool,
    pub(crate) channels: Option<ChannelNames>,
    #[serde(default)]
    pub(crate) sequenced: bool,
    pub(crate) resubscribe: Option<Of<Resubscribe>>,
}

/// A purpose of processing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Purpose {
    pub(crate) family: Of<Family>,
    pub(crate) parent: Option<String>,
    pub(crate) dpv: Option<String>,
}

/// What came with an opt-in.
#[expect(clippy::struct_excessive_bools, reason = "the predicates of the law, each on its own")]
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Predicates {
    pub(crate) capture: bool,
    pub(crate) notice: Option<String>,
    pub(crate) controller_named: bool,
    pub(crate) purpose_specific: bool,
    pub(crate) affirmative: bool,
    pub(crate) pre_ticked: Option<Of<Ticked>>,
    pub(crate) bundled: bool,
    pub(crate) inferred: bool,
    pub(crate) doi: bool,
    pub(crate) authenticated: bool,
    pub(crate) signed: bool,
    pub(crate) document: bool,
}

/// What counsel decides. Every key has a value in the built-in defaults.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Policy {
    pub(crate) country: Land,
    pub(crate) required_level: Rank,
    pub(crate) required_level_rules: Vec<LevelRule>,
    pub(crate) role_accounts: Vec<String>,
    pub(crate) role_account_level: Rank,
    pub(crate) regrant_level: RegrantLevels,
    pub(crate) propagate: Of<Propagate>,
    pub(crate) inactivity_days: Option<Days>,
    pub(crate) consent_max_age_days: Option<Days>,
    pub(crate) expiry_ask_days: Days,
    pub(crate) request_max_age_days: Option<Days>,
    pub(crate) requal_deadline: Option<Moment>,
    pub(crate) requal_invite_allowed: bool,
    pub(crate) push_grants: bool,
    pub(crate) carry_grant_on_address_change: Of<Carry>,
    pub(crate) suppression_alias: Many<Of<Alias>>,
    pub(crate) soft_threshold: u32,
    pub(crate) soft_window_days: Days,
    pub(crate) soft_span_days: Days,
    pub(crate) delivered_clears_hard: u32,
    pub(crate) minor_age: BTreeMap<String, u8>,
    pub(crate) minor_age_default: u8,
    pub(crate) list_map: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) lineage: BTreeMap<String, Many<String>>,
    pub(crate) basis_rules: Vec<BasisRule>,
}

/// A level that some country, channel or audience needs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LevelRule {
    #[serde(default)]
    pub(crate) country: Many<Land>,
    #[serde(default)]
    pub(crate) channel: Many<Of<Channel>>,
    #[serde(default)]
    pub(crate) audience: Many<Of<Audience>>,
    pub(crate) level: Rank,
}

/// What lifts each kind of negative.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegrantLevels {
    pub(crate) refuse: Rank,
    pub(crate) withdraw: Rank,
    pub(crate) object: Rank,
    pub(crate) complaint: Rank,
    pub(crate) erase: Rank,
}

/// When contact is lawful without consent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BasisRule {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) country: Many<Land>,
    #[serde(default)]
    pub(crate) audience: Many<Of<Audience>>,
    pub(crate) channel: Many<Of<Channel>>,
    pub(crate) purpose: Many<String>,
    pub(crate) basis: Of<Basis>,
    #[serde(default)]
    pub(crate) relationship: Many<Of<Relation>>,
    #[serde(default)]
    pub(crate) needs: Many<Of<Need>>,
    pub(crate) max_age_days: Option<Days>,
    pub(crate) from: Option<Moment>,
    pub(crate) until: Option<Moment>,
}

/// One case: what was observed and what must follow.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) title: String,
    pub(crate) given: Option<String>,
    #[serde(default)]
    pub(crate) invariants: Many<String>,
    // What the case changes of the stage is laid over the defaults before it is typed.
    #[serde(rename = "now")]
    pub(crate) _now: Option<de::IgnoredAny>,
    #[serde(rename = "systems")]
    pub(crate) _systems: Option<de::IgnoredAny>,
    #[serde(rename = "purposes")]
    pub(crate) _purposes: Option<de::IgnoredAny>,
    #[serde(rename = "evidence_presets")]
    pub(crate) _evidence_presets: Option<de::IgnoredAny>,
    #[serde(rename = "policy")]
    pub(crate) _policy: Option<de::IgnoredAny>,
    #[serde(default)]
    pub(crate) pushes: Vec<Push>,
    #[serde(default)]
    pub(crate) observations: Vec<Observation>,
    pub(crate) expect: Vec<Expectation>,
}

/// A write the host already made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Push {
    pub(crate) id: String,
    pub(crate) sys: String,
    pub(crate) at: Moment,
    pub(crate) purpose: Option<PurposeNames>,
    pub(crate) channel: Option<ChannelNames>,
    #[serde(rename = "do")]
    pub(crate) verb: Of<Verb>,
    #[serde(default)]
    pub(crate) ack: bool,
}

/// Something a system told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Observation {
    pub(crate) id: String,
    pub(crate) sys: String,
    pub(crate) rec: Option<String>,
    #[serde(default)]
    pub(crate) who: Who,
    pub(crate) obs: Moment,
    pub(crate) at: Option<Happened>,
    pub(crate) ev: Of<Event>,
    pub(crate) scope: Option<Scope>,
    pub(crate) actor: Option<Of<Actor>>,
    pub(crate) via: Option<Of<Via>>,
    pub(crate) seq: Option<u64>,
    pub(crate) eid: Option<String>,
    pub(crate) echo_of: Option<String>,
    pub(crate) evidence: Option<Proof>,
    pub(crate) valid_until: Option<Moment>,
    pub(crate) status: Option<Of<Status>>,
    pub(crate) what: Option<String>,
    pub(crate) opt_out_offered: Option<bool>,
    pub(crate) similar: Option<bool>,
    pub(crate) code: Option<String>,
    pub(crate) category: Option<Of<Bounce>>,
    pub(crate) notice: Option<Many<String>>,
    pub(crate) targets: Option<Many<String>>,
    pub(crate) approvers: Option<Many<String>>,
    pub(crate) records: Option<Vec<RecordName>>,
    pub(crate) groups: Option<Vec<Vec<RecordName>>>,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) verified: Option<bool>,
    pub(crate) basis: Option<Of<HoldBasis>>,
    pub(crate) until: Option<Moment>,
    pub(crate) reason: Option<String>,
}

/// What kind of thing was observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Grant,
    Request,
    Refuse,
    Withdraw,
    Object,
    Complaint,
    EraseRequest,
    Snapshot,
    Attribute,
    Bounce,
    Delivered,
    ControlProof,
    Relationship,
    Activity,
    Invite,
    Invalidate,
    Annul,
    Restrict,
    Unrestrict,
    OperatorBlock,
    OperatorUnblock,
    Link,
    Split,
    AddressChange,
    Hold,
}

/// Identifiers and attributes seen on a record.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Who {
    pub(crate) email: Many<String>,
    pub(crate) phone: Many<String>,
    pub(crate) postal: Many<String>,
    pub(crate) email_hash: Option<Hash>,
    pub(crate) phone_hash: Option<Hash>,
    pub(crate) customer: Option<String>,
    pub(crate) person: Option<String>,
    pub(crate) country: Option<Land>,
    pub(crate) audience: Option<Of<Audience>>,
    pub(crate) professional: Option<bool>,
    pub(crate) birth: Option<Day>,
}

/// A digest of an address.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hash {
    pub(crate) alg: Of<Digest>,
    pub(crate) value: String,
    pub(crate) normalise: Option<Of<Normalisation>>,
}

/// What an act covers: purposes or a list of its system, and channels.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scope {
    pub(crate) purposes: Option<PurposeNames>,
    pub(crate) list: Option<String>,
    pub(crate) channels: Option<ChannelNames>,
}

/// A record by its system and its id there: `[crm, c1]`.
#[derive(Clone)]
pub(crate) struct RecordName {
    pub(crate) system: String,
    pub(crate) record: String,
}

/// Evidence by the name of a preset, or written out.
#[derive(Clone)]
pub(crate) enum Proof {
    Preset(String),
    Written(Predicates),
}

/// What must follow for one key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expectation {
    pub(crate) key: KeyNames,
    pub(crate) decision: Of<Verdict>,
    pub(crate) status: Option<Of<ConsentStatus>>,
    pub(crate) reason: Option<Of<Reason>>,
    #[serde(default)]
    pub(crate) actions: BTreeMap<String, Many<Of<Verb>>>,
}

/// What a decision is about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyNames {
    pub(crate) address: String,
    pub(crate) purpose: String,
    pub(crate) channel: Of<Channel>,
    pub(crate) person: Option<String>,
}

impl<'de> Deserialize<'de> for RecordName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match <[String; 2]>::try_from(Vec::<String>::deserialize(deserializer)?) {
            Ok([system, record]) => Ok(Self { system, record }),
            Err(_) => Err(D::Error::custom("needs a system and a record of it, such as [crm, c1]")),
        }
    }
}

impl<'de> Deserialize<'de> for Proof {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ProofVisitor;

        impl<'de> Visitor<'de> for ProofVisitor {
            type Value = Proof;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a preset or a table such as {capture: true}")
            }

            fn visit_str<E>(self, name: &str) -> Result<Proof, E> {
                Ok(Proof::Preset(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Proof, A::Error> {
                Predicates::deserialize(MapAccessDeserializer::new(entries)).map(Proof::Written)
            }
        }

        deserializer.deserialize_any(ProofVisitor)
    }
}
