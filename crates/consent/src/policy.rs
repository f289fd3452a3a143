//! Policy: everything that counsel decides and this code only applies.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::address::Aliases;
use crate::channel::{Channel, Channels};
use crate::evidence::Level;
use crate::fact::{Audience, Country};
use crate::term::Relation;
use crate::text::{ListId, PurposeId, SystemId};

/// Whether a purpose is direct marketing or service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Direct marketing: refusals of marketing cover it.
    Marketing,
    /// Service: refusals of marketing never cover it, and it never carries marketing.
    Service,
}

/// One purpose of processing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purpose {
    /// Marketing or service.
    pub family: Family,
    /// The wider purpose it is part of: a refusal of the parent covers it.
    pub parent: Option<PurposeId>,
    /// Its term in the Data Privacy Vocabulary, as an IRI.
    pub dpv: Option<String>,
}

/// The legal basis a rule may rest on besides consent (art. 6(1), ePrivacy art. 13(2), CASL, CAN-SPAM).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// Own similar products to an existing customer: its own code, not a species of legitimate interest (C-654/23).
    SoftOptIn,
    /// Art. 6(1)(f).
    LegitimateInterest,
    /// Art. 6(1)(b).
    Contract,
    /// Offers related to a running contract (C. conso L223-1).
    ContractInProgress,
    /// Art. 6(1)(c).
    LegalObligation,
    /// Implied consent after a sale or an inquiry (CASL s. 10).
    ImpliedConsent,
    /// Contact is lawful until refused (CAN-SPAM, CCPA).
    OptOutRegime,
}

impl Basis {
    /// Every basis with the name used in policies and output.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::SoftOptIn, "soft_opt_in"),
        (Self::LegitimateInterest, "legitimate_interest"),
        (Self::Contract, "contract"),
        (Self::ContractInProgress, "contract_in_progress"),
        (Self::LegalObligation, "legal_obligation"),
        (Self::ImpliedConsent, "implied_consent"),
        (Self::OptOutRegime, "opt_out_regime"),
    ];

    /// The name used in policies and output.
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Reads a name; `None` for anything else.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(basis, _)| basis)
    }
}

/// A condition that a basis rule needs proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// The contract has not ended.
    Active,
    /// An opt-out was offered when the address was collected.
    OptOutOffered,
    /// The offers are similar to what was sold.
    Similar,
    /// The address is a professional one.
    Professional,
    /// The address is held in the records, and nothing more is required.
    AddressHeld,
}

impl Need {
    /// Every need with the name used in policies and scenarios.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Active, "active"),
        (Self::OptOutOffered, "opt_out_offered"),
        (Self::Similar, "similar"),
        (Self::Professional, "professional"),
        (Self::AddressHeld, "address_held"),
    ];

    /// Reads a name; `None` for anything else.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(need, _)| need)
    }
}

/// When contact is lawful without consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasisRule {
    /// Its name in explanations.
    pub id: String,
    /// Where it holds; empty means everywhere.
    pub countries: BTreeSet<Country>,
    /// For whom; empty means everyone.
    pub audiences: BTreeSet<Audience>,
    /// On which channels.
    pub channels: Channels,
    /// For which purposes, exactly.
    pub purposes: BTreeSet<PurposeId>,
    /// The basis it gives.
    pub basis: Basis,
    /// One of these relations must be proven; empty means none is needed.
    pub relations: BTreeSet<Relation>,
    /// All of these must be proven.
    pub needs: BTreeSet<Need>,
    /// How old the relation may be.
    pub age_max: Option<SignedDuration>,
    /// From when the rule is law.
    pub from: Option<Timestamp>,
    /// Until when the rule is law.
    pub until: Option<Timestamp>,
}

/// A level that some country, channel or audience needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelRule {
    /// Where; empty means everywhere.
    pub countries: BTreeSet<Country>,
    /// On which channels; empty means all.
    pub channels: Channels,
    /// For whom; empty means everyone.
    pub audiences: BTreeSet<Audience>,
    /// What is needed.
    pub level: Level,
}

/// The level of evidence that lifts each kind of negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegrantLevels {
    /// After a refusal.
    pub refuse: Level,
    /// After a withdrawal.
    pub withdraw: Level,
    /// After an objection.
    pub object: Level,
    /// After a complaint.
    pub complaint: Level,
    /// After an erasure.
    pub erase: Level,
}

/// How far a negative reaches beyond the address it was stated on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagate {
    /// To all addresses of the person.
    Subject,
    /// To the address only.
    Address,
}

/// Everything that counsel decides. Durations are exact; calendar arithmetic is done where it was written down.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The purposes there are.
    pub purposes: BTreeMap<PurposeId, Purpose>,
    /// The country of people of whom none is known.
    pub country: Country,
    /// The level needed where no rule says otherwise.
    pub level_default: Level,
    /// Levels that countries, channels or audiences need.
    pub level_rules: Vec<LevelRule>,
    /// The least level on an address that stands for a role rather than a person.
    pub level_role: Level,
    /// Local parts of such addresses, lower-case.
    pub role_accounts: BTreeSet<String>,
    /// What lifts each kind of negative.
    pub regrant: RegrantLevels,
    /// How far a negative reaches.
    pub propagate: Propagate,
    /// How long a consent lives without contact from the person.
    pub inactivity_max: Option<SignedDuration>,
    /// How long a consent lives at most.
    pub consent_age_max: Option<SignedDuration>,
    /// For how long after expiry one message may ask whether to stay.
    pub expiry_ask: SignedDuration,
    /// How long an unconfirmed sign-up waits.
    pub request_age_max: Option<SignedDuration>,
    /// When unqualified opt-ins lapse.
    pub deadline: Option<Timestamp>,
    /// Whether asking is lawful without another basis.
    pub invite_allowed: bool,
    /// Whether consents are written to systems at all; if not, the host only ever suppresses.
    pub push_grants: bool,
    /// Whether a consent follows a change of address that the person verified.
    pub carry_verified_change: bool,
    /// Widenings of `suppress_eq`.
    pub aliases: Aliases,
    /// How many soft bounces make an address undeliverable.
    pub soft_threshold: u32,
    /// Within which time.
    pub soft_window: SignedDuration,
    /// Spread over at least which time.
    pub soft_span: SignedDuration,
    /// How many deliveries clear a hard bounce.
    pub deliveries_clear_hard: u32,
    /// The age of digital consent by country (art. 8).
    pub minor_age: BTreeMap<Country, i16>,
    /// That age where a country is not listed.
    pub minor_age_default: i16,
    /// What the lists of each system are for.
    pub lists: BTreeMap<SystemId, BTreeMap<ListId, PurposeId>>,
    /// Which purposes the notice of an older purpose covered.
    pub lineage: BTreeMap<PurposeId, BTreeSet<PurposeId>>,
    /// When contact is lawful without consent.
    pub basis_rules: Vec<BasisRule>,
}

impl Policy {
    /// The purpose a system's list is mapped to.
    pub fn list_purpose(&self, system: &SystemId, list: &ListId) -> Option<&PurposeId> {
        self.lists.get(system)?.get(list)
    }

    /// Whether a purpose is the other one or part of it.
    pub fn is_within(&self, purpose: &PurposeId, wider: &PurposeId) -> bool {
        let mut at = Some(purpose);
        // A loader refuses cycles; the bound keeps this total for any value.
        for _ in 0..=self.purposes.len() {
            match at {
                Some(id) if id == wider => return true,
                Some(id) => at = self.purposes.get(id).and_then(|purpose| purpose.parent.as_ref()),
                None => return false,
            }
        }
        false
    }

    /// Whether a purpose is service rather than marketing. What nobody declared is marketing.
    pub fn is_service(&self, purpose: &PurposeId) -> bool {
        self.purposes.get(purpose).is_some_and(|purpose| purpose.family == Family::Service)
    }

    /// The strictest level these countries and audiences need on a channel.
    pub fn level_needed(
        &self,
        countries: &BTreeSet<Country>,
        audiences: &BTreeSet<Audience>,
        channel: Channel,
        role_account: bool,
    ) -> Level {
        let local = |country: Option<Country>| {
            self.level_rules
                .iter()
                .filter(|rule| rule.applies(country, audiences, channel))
                .map(|rule| rule.level)
                .max()
                .unwrap_or(self.level_default)
        };
        let needed = countries.iter().map(|country| local(Some(*country))).max();
        let needed = needed.unwrap_or_else(|| local(Some(self.country)));
        if role_account { needed.max(self.level_role) } else { needed }
    }
}

impl LevelRule {
    fn applies(&self, country: Option<Country>, audiences: &BTreeSet<Audience>, channel: Channel) -> bool {
        (self.countries.is_empty() || country.is_some_and(|country| self.countries.contains(&country)))
            && (self.channels.is_empty() || self.channels.contains(channel))
            && (self.audiences.is_empty() || audiences.iter().any(|audience| self.audiences.contains(audience)))
    }
}
