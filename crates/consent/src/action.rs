//! What each system must be told: the difference between what it shows and what the decision wants (consent model 3.8).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::address::Address;
use crate::channel::Channel;
use crate::decision::{Decision, Reason, Verdict};
use crate::fact::{Fact, Kind, RecordRef, Scope};
use crate::law::{Key, Law, OwnPush, Verb};
use crate::policy::Policy;
use crate::scope;
use crate::standing::{Standing, severity};
use crate::system::{Resubscribe, System};
use crate::term::{Bounce, Status};
use crate::text::SystemId;

/// What a system shows of permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Stance {
    /// Neither in nor out.
    #[default]
    Nothing,
    /// Believed subscribed: it may send.
    In,
    /// Opted out there.
    Out,
}

/// What one system shows of one key.
#[expect(clippy::struct_excessive_bools, reason = "independent marks, each set and lifted by its own words")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shown {
    /// What it shows of permission.
    pub stance: Stance,
    /// Whether it shows the address as dead.
    pub invalid: bool,
    /// Whether the host restricted the contact there.
    pub restricted: bool,
    /// Whether it is asking the person itself, or shows a word that nobody mapped: nothing positive is pushed then.
    pub waits: bool,
    /// Whether the host keeps the contact out of normal sends there, in the segment that is asked to requalify.
    pub asking: bool,
    /// Whether it holds exactly this address. No system is told an address it does not hold, except by a subscribe (I26).
    pub holds: bool,
}

/// The verb that brings what a system shows to what the decision wants; `None` where they agree.
///
/// Erasures are not decided per key but per person and record: see [`Standing::actions`].
///
/// ```
/// use unisson_consent::{Channels, Level, Resubscribe, Shown, Stance, System, verb};
/// # use unisson_consent::{ConsentStatus, Decision, Reason, Verdict};
/// # let denied = Decision {
/// #     verdict: Verdict::Deny, status: ConsentStatus::Withdrawn, reason: Reason::Withdrawn, rule: None, facts: vec![],
/// #     level: Level::Nothing, negative: true, refused_by_person: true, valid_until: None,
/// # };
/// let subscribed = Shown { stance: Stance::In, holds: true, ..Shown::default() };
/// let says = verb(&denied, subscribed, Resubscribe::Allowed, true);
/// assert_eq!(says, Some(unisson_consent::Verb::Suppress));
/// ```
pub fn verb(decision: &Decision, shown: Shown, resubscribe: Resubscribe, push_grants: bool) -> Option<Verb> {
    match (decision.verdict, decision.reason) {
        (Verdict::Allow, Reason::Consent) if push_grants => readmit(shown, resubscribe),
        (Verdict::Allow, _) => None,
        (Verdict::Ask, _) => (shown.stance == Stance::In && !shown.asking).then_some(Verb::RequalOnly),
        (Verdict::Deny, Reason::Erased) => None,
        (Verdict::Deny, Reason::Restricted) => (shown.holds && !shown.restricted).then_some(Verb::Restrict),
        (Verdict::Deny, Reason::Undeliverable) => (shown.holds && !shown.invalid).then_some(Verb::MarkInvalid),
        (Verdict::Deny, _) => {
            let unheard = decision.negative && shown.holds && shown.stance != Stance::Out;
            (shown.stance == Stance::In || unheard).then_some(Verb::Suppress)
        }
    }
}

/// How an allowed contact gets back in. A vendor's block is reported, never dodged (I14).
fn readmit(shown: Shown, resubscribe: Resubscribe) -> Option<Verb> {
    if shown.waits {
        return None;
    }
    let closed = shown.stance == Stance::Out || shown.invalid;
    if !closed {
        return (shown.stance != Stance::In || shown.asking).then_some(Verb::Subscribe);
    }
    Some(match resubscribe {
        Resubscribe::Allowed => Verb::Subscribe,
        Resubscribe::VendorDoi => Verb::Reconfirm,
        Resubscribe::Forbidden => Verb::ReportVendorBlock,
    })
}

impl Standing {
    /// What must be pushed next for one key, system by system, from the facts alone.
    ///
    /// A host that keeps replicas of what each system shows uses [`verb`] on them instead; the answers are the same.
    pub fn actions(&self, key: &Key, law: &Law, now: Timestamp) -> BTreeMap<SystemId, BTreeSet<Verb>> {
        let mut actions: BTreeMap<SystemId, BTreeSet<Verb>> = BTreeMap::new();
        for person in self.people.holding(&key.address, key.person.as_ref()) {
            // Each person's own answer decides about that person's records: one's erasure does not erase the other.
            let decision = self.decide_person(person, key, law, now);
            let mut records: Vec<(&RecordRef, &[Address])> = self.people.records_of(person).collect();
            if key.person.is_some() && decision.reason != Reason::Erased {
                // A record that holds the shared mailbox and names nobody speaks to whoever reads it.
                let nameless = self.people.nameless_holding(&key.address);
                records.extend(nameless.iter().flat_map(|person| self.people.records_of(*person)));
            }
            let verbs = if decision.reason == Reason::Erased {
                self.erasures(person, &records, (law, now))
            } else {
                self.key_verbs(key, &decision, &records, law)
            };
            for (system, verb) in verbs {
                actions.entry(system).or_default().insert(verb);
            }
        }
        actions
    }

    fn key_verbs(
        &self,
        key: &Key,
        decision: &Decision,
        records: &[(&RecordRef, &[Address])],
        law: &Law,
    ) -> Vec<(SystemId, Verb)> {
        let mut by_system: BTreeMap<&SystemId, Vec<Shown>> = BTreeMap::new();
        for (record, addresses) in records {
            let system = law.systems.get(&record.system);
            if !speaks_to(system, key.channel) {
                continue;
            }
            let same_kind = addresses.iter().any(|address| address.kind() == key.channel.address_kind());
            let shown = self.shown(record, addresses, key, law);
            if let Some(shown) = shown.filter(|_| same_kind) {
                by_system.entry(&record.system).or_default().push(shown);
            }
        }
        let mut verbs = Vec::new();
        for (id, shown) in by_system {
            let resubscribe = law.systems.get(id).resubscribe;
            let told = |shown: &Shown| verb(decision, *shown, resubscribe, law.policy.push_grants);
            if decision.verdict == Verdict::Allow {
                // One subscribed record is enough; otherwise the record that holds the address is the one to open.
                let open = |shown: &&Shown| shown.stance == Stance::In && !shown.invalid;
                let best = shown.iter().find(open).or_else(|| shown.iter().find(|shown| shown.holds)).or(shown.first());
                verbs.extend(best.and_then(told).map(|verb| (id.clone(), verb)));
            } else {
                verbs.extend(shown.iter().filter_map(told).map(|verb| (id.clone(), verb)));
            }
        }
        verbs
    }

    /// What a record shows of a key, after everything it told and everything the host wrote; `None` once it is gone.
    fn shown(&self, record: &RecordRef, addresses: &[Address], key: &Key, law: &Law) -> Option<Shown> {
        let holds = addresses.iter().any(|held| {
            held.kind() == key.address.kind()
                && (held.grant_eq(&key.address) || held.suppress_key() == key.address.suppress_key())
        });
        let holds = holds && !self.moved_away(record, &key.address);
        let mut shown = Shown { holds, ..Shown::default() };
        let mut gone = false;
        let mut deliveries = 0;
        for word in self.words(record, law) {
            match word {
                Word::Told(fact) => {
                    gone = matches!(fact.kind, Kind::Snapshot { status: Status::Deleted, .. });
                    if holds {
                        tell(&mut shown, fact, key, &law.policy);
                        deliveries = if fact.kind == Kind::Delivered { deliveries + 1 } else { 0 };
                        shown.invalid &= deliveries < law.policy.deliveries_clear_hard.max(1);
                    }
                }
                Word::Wrote(push) => gone = written(&mut shown, push, key, &law.policy) || gone,
            }
        }
        (!gone).then_some(shown)
    }

    /// Whether a record told that it moved away from an address and has not shown it since.
    fn moved_away(&self, record: &RecordRef, address: &Address) -> bool {
        let of_record = || self.facts.iter().filter(|fact| is_of(fact, record));
        of_record().any(|moved| {
            let Kind::AddressChange { from, .. } = &moved.kind else { return false };
            from.grant_eq(address)
                && !of_record().any(|fact| {
                    fact.observed_at > moved.observed_at && fact.who.addresses.iter().any(|held| held.grant_eq(address))
                })
        })
    }

    /// Everything a record told and everything the host wrote to its system, in the order in which it took effect there.
    fn words(&self, record: &RecordRef, law: &Law) -> Vec<Word<'_>> {
        let told = self.facts.iter().filter(|fact| is_of(fact, record)).map(|fact| {
            let at = match fact.kind {
                // A present state is true when it was seen, however old its cause.
                Kind::Snapshot { .. } => fact.observed_at,
                _ => Self::interval(fact, law).hi,
            };
            // Of two words at one moment the stricter stays.
            ((at, u8::from(severity(&fact.kind).is_some())), Word::Told(fact))
        });
        let wrote = self
            .pushes
            .iter()
            .filter(|push| push.acknowledged && push.system == record.system)
            .map(|push| ((push.at, 2), Word::Wrote(push)));
        let mut words: Vec<_> = told.chain(wrote).collect();
        words.sort_by_key(|(order, _)| *order);
        let mut words: Vec<Word<'_>> = words.into_iter().map(|(_, word)| word).collect();
        if law.systems.get(&record.system).sequenced {
            order_by_number(&mut words);
        }
        words
    }
}

/// One word of the exchange with a system.
#[derive(Clone, Copy)]
enum Word<'a> {
    Told(&'a Fact),
    Wrote(&'a OwnPush),
}

/// Puts the numbered words of an ordered log into the order of their numbers, in the places they hold among the others.
fn order_by_number(words: &mut [Word<'_>]) {
    let number = |word: &Word<'_>| match word {
        Word::Told(fact) => fact.seq,
        Word::Wrote(_) => None,
    };
    let places: Vec<usize> = (0..words.len()).filter(|place| number(&words[*place]).is_some()).collect();
    let mut numbered: Vec<Word<'_>> = places.iter().map(|place| words[*place]).collect();
    numbered.sort_by_key(number);
    for (place, word) in places.into_iter().zip(numbered) {
        words[place] = word;
    }
}

pub(crate) fn is_of(fact: &Fact, record: &RecordRef) -> bool {
    fact.system == record.system && fact.record.as_ref() == Some(&record.record)
}

/// Whether decisions for a channel are pushed to a system at all.
fn speaks_to(system: &System, channel: Channel) -> bool {
    system.marketing && system.channels.contains(channel)
}

/// Applies what a record told: what lets in is read narrowly, what shuts out is read widely.
fn tell(shown: &mut Shown, fact: &Fact, key: &Key, policy: &Policy) {
    let narrow = || scope::grants(policy, &fact.system, &fact.scope, &key.purpose, key.channel);
    let wide = || scope::refuses(policy, &fact.system, &fact.scope, &key.purpose, key.channel);
    let mailed = || scope::refuses(policy, &fact.system, &Scope::default(), &key.purpose, key.channel);
    // A dead address is dead for every purpose.
    let here = || fact.scope.channels.is_empty() || fact.scope.channels.contains(key.channel);
    match &fact.kind {
        Kind::Grant { .. } if narrow() => shown.opt(Stance::In),
        Kind::Snapshot { status: Status::Subscribed, .. } if narrow() => {
            let asking = shown.asking;
            shown.opt(Stance::In);
            (shown.invalid, shown.asking) = (false, asking);
        }
        Kind::Refuse | Kind::Withdraw | Kind::Object if wide() => shown.opt(Stance::Out),
        Kind::Snapshot { status: Status::Unsubscribed | Status::Blocked, .. } if wide() => shown.opt(Stance::Out),
        Kind::Complaint | Kind::Snapshot { status: Status::Complained, .. } if wide() || mailed() => {
            shown.opt(Stance::Out);
        }
        Kind::Snapshot { status: Status::Invalid, .. } if here() => {
            shown.opt(Stance::Nothing);
            shown.invalid = true;
        }
        Kind::Snapshot { status: Status::Never | Status::Off, .. } if narrow() => shown.opt(Stance::Nothing),
        Kind::Snapshot { status: Status::Pending, .. } if narrow() => {
            shown.waits = true;
            if shown.stance == Stance::In {
                shown.stance = Stance::Nothing;
            }
        }
        Kind::Snapshot { status: Status::Unknown, .. } if narrow() => shown.waits = true,
        Kind::Bounce(Bounce::Hard) if here() => shown.invalid = true,
        _ => {}
    }
}

impl Shown {
    /// A word of its own on permission: it ends what was waited for.
    fn opt(&mut self, stance: Stance) {
        (self.stance, self.waits, self.asking) = (stance, false, false);
    }
}

/// Applies what the host wrote; tells whether the record is gone by it.
fn written(shown: &mut Shown, push: &OwnPush, key: &Key, policy: &Policy) -> bool {
    if matches!(push.verb, Verb::Erase | Verb::ReErase | Verb::EraseExceptHold) {
        return true;
    }
    if !scope::refuses(policy, &push.system, &push.scope, &key.purpose, key.channel) {
        return false;
    }
    match push.verb {
        Verb::Suppress => shown.opt(Stance::Out),
        Verb::Subscribe => {
            shown.opt(Stance::In);
            shown.invalid = false;
        }
        Verb::Reconfirm => shown.waits = true,
        Verb::RequalOnly => shown.asking = true,
        Verb::MarkInvalid => shown.invalid = true,
        Verb::Restrict => shown.restricted = true,
        Verb::ReportVendorBlock | Verb::Erase | Verb::ReErase | Verb::EraseExceptHold => {}
    }
    false
}
