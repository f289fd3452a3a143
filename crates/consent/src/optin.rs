//! Opt-ins: what each one proves, what it lacks to be a consent, and how long what it allows will last (consent model 3.5,
//! 3.7).
//!
//! Nothing here decides. Each opt-in is read together with [`Standing::decide`], so whoever said no, in any spelling that
//! a suppression reaches, is never among those who may be written to or asked.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::address::Address;
use crate::decide::Case;
use crate::decision::{Decision, Reason, Verdict};
use crate::evidence::Level;
use crate::fact::{Fact, Kind, Scope};
use crate::lack::{Lack, Lacks};
use crate::law::{Key, Law};
use crate::policy::Policy;
use crate::scope;
use crate::standing::{Grant, Standing, claim};
use crate::term::Actor;
use crate::text::{PurposeId, RecordId, SystemId};
use crate::weigh::Weighed;

/// What one system says of one opt-in, its best word where it said several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Who tells it.
    pub system: SystemId,
    /// How much of a consent it demonstrates.
    pub level: Level,
    /// What keeps it below the level that this address needs; empty where it reaches it.
    pub missing: Lacks,
}

/// What may be done with an opt-in. Each opt-in has exactly one outcome at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// A consent as it stands.
    Consent,
    /// It proves too little, and another legal basis carries the contact.
    OtherBasis,
    /// It proves too little or is too old, and the person may be asked for a proper one (consent model 3.7).
    Requalify,
    /// It proves too little, and the person may not be asked.
    Unaskable,
    /// Its time is over.
    Lapsed,
    /// A refusal, a block, a dead or handed-on address, a void notice: nobody writes and nobody asks.
    Blocked,
}

impl Outcome {
    /// Every outcome with the name used in output.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Consent, "consents"),
        (Self::OtherBasis, "other_basis"),
        (Self::Requalify, "requalify"),
        (Self::Unaskable, "unaskable"),
        (Self::Lapsed, "lapsed"),
        (Self::Blocked, "blocked"),
    ];

    /// The name used in output.
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// What a decision means for an opt-in to the same key.
    pub fn of(decision: &Decision) -> Self {
        match (decision.verdict, decision.reason) {
            (Verdict::Allow, Reason::Consent) => Self::Consent,
            (Verdict::Allow, _) => Self::OtherBasis,
            (Verdict::Ask, _) => Self::Requalify,
            (Verdict::Deny, Reason::Lapsed | Reason::Expired) => Self::Lapsed,
            (Verdict::Deny, Reason::Unqualified | Reason::MinorGuardianMissing) => Self::Unaskable,
            (Verdict::Deny, _) => Self::Blocked,
        }
    }
}

/// Why a person whose opt-in proves too little may not be asked for a better one (I16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unaskable {
    /// A child.
    Minor,
    /// The person said no once, whatever came after it.
    OnceRefused,
    /// Asking is itself marketing under this policy.
    NotLawful,
    /// The policy names no deadline, so there is no campaign.
    NoDeadline,
    /// The address is dead.
    Undeliverable,
}

impl Unaskable {
    /// The name used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minor => "minor_guardian_missing",
            Self::OnceRefused => "once_refused",
            Self::NotLawful => "asking_not_lawful",
            Self::NoDeadline => "no_deadline",
            Self::Undeliverable => "undeliverable",
        }
    }

    fn of(decision: &Decision, policy: &Policy) -> Self {
        if decision.reason == Reason::MinorGuardianMissing {
            Self::Minor
        } else if decision.negative {
            Self::OnceRefused
        } else if !policy.invite_allowed {
            Self::NotLawful
        } else if policy.deadline.is_none() {
            Self::NoDeadline
        } else {
            Self::Undeliverable
        }
    }
}

/// One address's opt-in to one purpose over one channel, whoever tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptIn {
    /// To what.
    pub key: Key,
    /// What each system says of it, in the order of their ids; never empty.
    pub claims: Vec<Claim>,
    /// What the law answers for the key.
    pub decision: Decision,
    /// What that means for the opt-in.
    pub outcome: Outcome,
    /// Why it may not be asked for a better one; `None` for every other outcome.
    pub unaskable: Option<Unaskable>,
    /// The first instant at which time alone ends the outcome; `None` where nothing ends it, and where it has ended
    /// already.
    pub lapses_on: Option<Timestamp>,
}

impl OptIn {
    /// Of the claims of these systems, the one that comes closest to a consent; of equals, the first.
    pub fn best_of(&self, heard: impl Fn(&SystemId) -> bool) -> Option<&Claim> {
        self.claims.iter().rev().filter(|claim| heard(&claim.system)).max_by_key(|claim| claim.worth())
    }

    /// Why the outcome is what it is, in one word of output.
    pub fn because(&self) -> &'static str {
        self.unaskable.map_or(self.decision.reason.as_str(), Unaskable::as_str)
    }
}

impl Claim {
    /// How close it comes to a consent: the greater, the closer.
    fn worth(&self) -> (bool, Level, Reverse<u32>) {
        (self.missing.is_empty(), self.level, Reverse(self.missing.len()))
    }
}

/// An opt-in that counts for nothing, as one system tells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unplaced {
    /// It names no purpose of the policy: its list is not mapped, or it says "all marketing" (consent model 4.6).
    NoPurpose(SystemId),
    /// It came without an address that its channel could use.
    NoAddress(SystemId),
}

/// All opt-ins of a standing.
#[derive(Debug, Clone, Default)]
pub struct OptIns {
    /// Those that are for something, in the order of their keys.
    pub placed: Vec<OptIn>,
    /// Those that count for nothing: one for each record and list.
    pub unplaced: Vec<Unplaced>,
}

impl Standing {
    /// Every opt-in with what it proves, what it lacks and what may be done with it at `now`.
    ///
    /// A pure function of the facts, the law and `now`, so it tells of a day to come as well as of today.
    pub fn opt_ins(&self, law: &Law, now: Timestamp) -> OptIns {
        let mut keys = BTreeSet::new();
        let mut unplaced: BTreeSet<(Unplaced, Option<&RecordId>, &Scope)> = BTreeSet::new();
        for grant in &self.grants {
            if let Err(nowhere) = self.place_grant(grant, law, &mut keys) {
                let fact = self.fact_of(&grant.act);
                unplaced.insert((nowhere, fact.record.as_ref(), &fact.scope));
            }
        }
        let placed = keys.into_iter().filter_map(|key| self.opt_in(key, law, now)).collect();
        OptIns { placed, unplaced: unplaced.into_iter().map(|(nowhere, ..)| nowhere).collect() }
    }

    /// The opt-in to one key; `None` where nobody claims one.
    pub fn opt_in(&self, key: Key, law: &Law, now: Timestamp) -> Option<OptIn> {
        let mut claims: BTreeMap<SystemId, Claim> = BTreeMap::new();
        let mut answers = Vec::new();
        for person in self.people.holding(&key.address, key.person.as_ref()) {
            let case = Case::of(self, &key, law, (Some(person), now));
            for claim in case.claims() {
                match claims.get(&claim.system) {
                    Some(held) if held.worth() >= claim.worth() => {}
                    _ => {
                        claims.insert(claim.system.clone(), claim);
                    }
                }
            }
            answers.push(case.decide());
        }
        if claims.is_empty() {
            return None;
        }
        let decision = Decision::strictest(answers)?;
        let outcome = Outcome::of(&decision);
        Some(OptIn {
            lapses_on: self.lapses_on((&key, law), outcome, decision.valid_until),
            unaskable: (outcome == Outcome::Unaskable).then(|| Unaskable::of(&decision, &law.policy)),
            key,
            claims: claims.into_values().collect(),
            decision,
            outcome,
        })
    }

    /// Adds the keys that a grant may speak for, or says why there is none.
    fn place_grant(&self, grant: &Grant, law: &Law, keys: &mut BTreeSet<Key>) -> Result<(), Unplaced> {
        let fact = self.fact_of(&grant.act);
        let (mut named, mut addressed) = (false, false);
        for channel in fact.scope.channels.iter() {
            let mut addresses: Vec<&Address> =
                fact.who.addresses.iter().filter(|address| address.kind() == channel.address_kind()).collect();
            if !addresses.is_empty() {
                // A consent may have followed the person to another address; where it did not, no claim is found there.
                addresses.extend(self.moved_to());
            }
            let covers = |purpose: &&PurposeId| scope::grants(&law.policy, &fact.system, &fact.scope, purpose, channel);
            for purpose in law.policy.purposes.keys().filter(covers) {
                named = true;
                addressed |= !addresses.is_empty();
                let key = |address: &&Address| Key {
                    address: (*address).clone(),
                    purpose: purpose.clone(),
                    channel,
                    person: None,
                };
                keys.extend(addresses.iter().map(key));
            }
        }
        match (named, addressed) {
            (true, true) => Ok(()),
            (true, false) => Err(Unplaced::NoAddress(fact.system.clone())),
            (false, _) => Err(Unplaced::NoPurpose(fact.system.clone())),
        }
    }

    /// The addresses that people moved to.
    fn moved_to(&self) -> impl Iterator<Item = &Address> {
        self.others.iter().filter_map(|act| match &self.fact_of(act).kind {
            Kind::AddressChange { to, .. } => Some(to),
            _ => None,
        })
    }

    /// The first instant at which time alone ends an outcome that has not ended.
    fn lapses_on(
        &self,
        (key, law): (&Key, &Law),
        outcome: Outcome,
        mut holds_until: Option<Timestamp>,
    ) -> Option<Timestamp> {
        if matches!(outcome, Outcome::Lapsed | Outcome::Blocked) {
            return None;
        }
        // Each fact brings an instant of its own and one for each basis rule, each rule two, the policy one: there are no
        // more at which an answer can change, and each step reaches a later one.
        let rules = law.policy.basis_rules.len();
        let steps_max = (self.facts.len() + 1).saturating_mul(rules + 4).saturating_add(2 * rules);
        for _ in 0..steps_max {
            let at = holds_until?;
            let next = self.decide(key, law, at);
            if Outcome::of(&next) != outcome {
                return Some(at);
            }
            holds_until = next.valid_until;
        }
        holds_until
    }
}

impl Case<'_> {
    /// What every opt-in for the key is worth for this person.
    fn claims(&self) -> Vec<Claim> {
        let needed = self.level_needed();
        let grants = self.weigh(&[]);
        let claim = |weighed: &Weighed<'_>| Claim {
            system: self.standing.fact_of(&weighed.grant.act).system.clone(),
            level: weighed.level,
            missing: self.lacks(weighed, needed),
        };
        grants.iter().map(claim).collect()
    }

    /// What keeps a grant below the level that is needed: its evidence, and what caps it (consent model 3.5, rules 1 to 6).
    fn lacks(&self, weighed: &Weighed<'_>, needed: Level) -> Lacks {
        let proof: &Fact = &self.standing.facts[weighed.grant.proof];
        let Some(evidence) = claim(&proof.kind).map(|positive| positive.evidence).filter(|_| weighed.level < needed)
        else {
            return Lacks::default();
        };
        let by_person = matches!(proof.actor, Actor::DataSubject | Actor::Guardian);
        let source_max = self.law.systems.get(&proof.system).level_max;
        let controlled = evidence.doi || evidence.authenticated || evidence.document;
        evidence
            .lacks()
            .with_if(weighed.grant.act.at.lo.is_none(), Lack::Date)
            .with_if(!by_person && !evidence.document, Lack::Actor)
            .with_if(source_max < needed && !evidence.document, Lack::Source)
            .with_if(weighed.minor, Lack::Guardian)
            .with_if(needed >= Level::Confirmed && !controlled, Lack::Confirmation)
            .with_if(needed >= Level::Signed && !evidence.document, Lack::Document)
    }
}
