//! Judging: what each remote slot says against what the decision wants; each difference is a change.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use unisson_connector::{Action, Change, ChangeId, Presence, Target};
use unisson_consent::{
    Channel, Decision, Fact, FactId, Key, Law, PurposeId, Purposes, Reason, Scope, Shown, Stance, Standing, Status,
    SystemId, Verb, Verdict, verb,
};

use crate::replica::{Replica, ReplicaSlot, SubjectNo};

/// How much of a decision is pushed to an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Enforce {
    /// Nothing is written.
    Observe,
    /// What a person, a platform or a deadline ended: withdrawn, refused, objected, complained, invalid, erased, lapsed,
    /// restricted or blocked. Nobody's base is emptied by a missing proof.
    #[default]
    Negatives,
    /// Everything that is not allowed; and consents are written back.
    Full,
}

/// What the planner may do at one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// How much of a decision is pushed.
    pub enforce: Enforce,
    /// Whether changes can be delivered at all now: the instance is enabled and its connector can push.
    pub reachable: bool,
    /// Whether it was read completely in this run, so that what it shows is its present state.
    pub fresh: bool,
    /// What its connector can do.
    pub actions: BTreeSet<Action>,
}

/// Everything known of one subject: facts, what every system shows, and what is on its way.
#[derive(Debug, Clone)]
pub struct Dossier {
    /// Whose.
    pub subject: SubjectNo,
    /// The facts about everyone who may be the same person.
    pub facts: Vec<Fact>,
    /// What every system shows.
    pub replicas: Vec<Replica>,
    /// Changes that are planned, held or on their way.
    pub open: Vec<OpenChange>,
}

/// A change that has no final outcome yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenChange {
    /// Its id.
    pub id: ChangeId,
    /// Where.
    pub instance: SystemId,
    /// Which record.
    pub record: unisson_consent::RecordId,
    /// Which slot.
    pub scope: Scope,
    /// What it does.
    pub action: Action,
    /// How far it has come.
    pub state: OpenState,
}

/// How far a change without a final outcome has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpenState {
    /// Planned; the guard has not seen its run yet.
    Draft,
    /// Held by the guard until somebody approves its run.
    Held,
    /// Released, waiting for delivery.
    Pending,
    /// Being delivered.
    Leased,
    /// The platform works on it.
    InFlight,
    /// The answer was lost.
    Unknown,
    /// Refused for good: planned again only when something changes.
    Refused,
}

impl OpenState {
    /// Every state with the name used in stores and output.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Draft, "draft"),
        (Self::Held, "held"),
        (Self::Pending, "pending"),
        (Self::Leased, "leased"),
        (Self::InFlight, "in_flight"),
        (Self::Unknown, "unknown"),
        (Self::Refused, "refused"),
    ];

    /// The name used in stores and output.
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Whether it can still be taken back: it has not left the host.
    pub fn is_recallable(self) -> bool {
        matches!(self, Self::Draft | Self::Held | Self::Pending | Self::Refused)
    }
}

/// The decision for one key, as it is cached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDecision {
    /// For whom and what.
    pub key: Key,
    /// The answer.
    pub decision: Decision,
    /// When the facts behind it were first known; `None` where there are none.
    pub since: Option<Timestamp>,
}

/// A change that the decision wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Where.
    pub instance: SystemId,
    /// What.
    pub change: Change,
    /// Why.
    pub reason: Reason,
    /// Whether the person, or the person's mailbox provider, said no: such a change is never held back.
    pub by_person: bool,
}

/// A change that the decision wants and nothing can carry out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unreached {
    /// Where.
    pub instance: SystemId,
    /// What is wanted.
    pub verb: Verb,
    /// Why it cannot be done, in words.
    pub why: &'static str,
}

/// The judgement of one subject.
#[derive(Debug, Clone)]
pub struct Judged {
    /// Whose.
    pub subject: SubjectNo,
    /// The decisions worth remembering: every key about which anything is known.
    pub decisions: Vec<KeyDecision>,
    /// When time alone may change one of them.
    pub valid_until: Option<Timestamp>,
    /// What the decisions want that is not on its way yet.
    pub changes: Vec<Planned>,
    /// Changes that are no longer wanted and have not left the host.
    pub cancelled: Vec<ChangeId>,
    /// Changes whose answer was lost and whose effect the platform shows: done after all.
    pub confirmed: Vec<ChangeId>,
    /// Changes whose answer was lost and whose effect a fresh read does not show: to be delivered again.
    pub retried: Vec<ChangeId>,
    /// What is wanted and cannot be carried out.
    pub unreached: Vec<Unreached>,
}

/// Judges one subject. The plan after everything is applied is empty.
pub fn judge(dossier: &Dossier, law: &Law, rules: &BTreeMap<SystemId, Rules>, now: Timestamp) -> Judged {
    let standing = Standing::fold(dossier.facts.iter().cloned(), &[], law);
    let mut judged = Judged {
        subject: dossier.subject,
        decisions: decisions(&standing, dossier, law, now),
        valid_until: None,
        changes: Vec::new(),
        cancelled: Vec::new(),
        confirmed: Vec::new(),
        retried: Vec::new(),
        unreached: Vec::new(),
    };
    judged.valid_until = judged.decisions.iter().filter_map(|known| known.decision.valid_until).min();
    let mut wanted = BTreeSet::new();
    for replica in dossier.replicas.iter().filter(|replica| replica.presence == Presence::Present) {
        let Some(rules) = rules.get(&replica.record.system) else { continue };
        let bench = Bench { standing: &standing, law, rules, replica, now };
        for slot in replica.slots.iter().filter(|slot| slot.status != Status::Deleted) {
            match bench.drift(slot) {
                Drift::None => {}
                Drift::Unreached(unreached) => judged.unreached.push(unreached),
                Drift::Change(planned) => {
                    wanted.insert(planned.change.id.clone());
                    if !dossier.open.iter().any(|open| open.id == planned.change.id) {
                        judged.changes.push(*planned);
                    }
                }
            }
        }
    }
    for open in &dossier.open {
        let fresh = rules.get(&open.instance).is_some_and(|rules| rules.fresh);
        match (wanted.contains(&open.id), open.state) {
            (false, state) if state.is_recallable() => judged.cancelled.push(open.id.clone()),
            (false, OpenState::Unknown) => judged.confirmed.push(open.id.clone()),
            (true, OpenState::Unknown) if fresh => judged.retried.push(open.id.clone()),
            _ => {}
        }
    }
    judged
}

/// The decisions for every address that somebody holds, every declared purpose and every channel that needs it.
///
/// Keys about which nothing is known are left out: what is not here is denied as unknown.
fn decisions(standing: &Standing, dossier: &Dossier, law: &Law, now: Timestamp) -> Vec<KeyDecision> {
    let mut addresses: Vec<_> = dossier.facts.iter().flat_map(|fact| &fact.who.addresses).collect();
    addresses.sort();
    addresses.dedup();
    let channels = channels_in_use(law);
    let mut known = Vec::new();
    for address in addresses {
        for channel in channels.iter().filter(|channel| channel.address_kind() == address.kind()) {
            for purpose in law.policy.purposes.keys() {
                let key = Key { address: address.clone(), purpose: purpose.clone(), channel: *channel, person: None };
                let decision = standing.decide(&key, law, now);
                if decision.reason == Reason::Unknown && !decision.negative && decision.valid_until.is_none() {
                    continue;
                }
                let since = first_known(standing, &decision.facts);
                known.push(KeyDecision { key, decision, since });
            }
        }
    }
    known
}

/// The channels that some system or rule of this law speaks of.
fn channels_in_use(law: &Law) -> Vec<Channel> {
    let by_systems = law.systems.iter().map(|(_, system)| system.channels);
    let by_rules = law.policy.basis_rules.iter().map(|rule| rule.channels);
    let bits = by_systems.chain(by_rules).fold(0, |bits, channels| bits | channels.bits());
    unisson_consent::Channels::from_bits(bits).iter().collect()
}

fn first_known(standing: &Standing, ids: &[FactId]) -> Option<Timestamp> {
    let mut found = ids.iter().filter_map(|id| {
        let place = standing.facts().binary_search_by_key(id, |fact| fact.id).ok()?;
        standing.facts().get(place).map(|fact| fact.observed_at)
    });
    let first = found.next()?;
    Some(found.fold(first, Timestamp::min))
}

/// One record on the bench.
struct Bench<'a> {
    standing: &'a Standing,
    law: &'a Law,
    rules: &'a Rules,
    replica: &'a Replica,
    now: Timestamp,
}

enum Drift {
    None,
    Unreached(Unreached),
    Change(Box<Planned>),
}

impl Bench<'_> {
    /// The difference between what a slot shows and what the decision wants.
    fn drift(&self, slot: &ReplicaSlot) -> Drift {
        let Some((decision, channel)) = self.strictest(slot) else { return Drift::None };
        let system = self.law.systems.get(&self.replica.record.system);
        // Decisions are for the systems that send: what only tells us is never told.
        if !system.marketing || !system.channels.contains(channel) || !self.is_pushed(&decision, slot) {
            return Drift::None;
        }
        let shown = Shown {
            stance: stance(slot.status),
            invalid: slot.status == Status::Invalid,
            restricted: false,
            // A place that cannot show an opt-out has nothing to record while nobody is in.
            holds: slot.status != Status::Off,
        };
        // A platform that is asking the person is left to ask.
        if decision.verdict == Verdict::Allow && slot.status == Status::Pending {
            return Drift::None;
        }
        // Erasing is a case of its own; until it is carried out, nobody is mailed.
        let wanted = if decision.reason == Reason::Erased {
            (shown.stance != Stance::Out).then_some(Verb::Suppress)
        } else {
            verb(&decision, shown, system.resubscribe, self.law.policy.push_grants)
        };
        match wanted {
            Some(verb) => self.carry(verb, slot, &decision),
            None => Drift::None,
        }
    }

    /// The strictest decision of everything the slot is about, with the channel it is for.
    fn strictest(&self, slot: &ReplicaSlot) -> Option<(Decision, Channel)> {
        let purposes: Vec<PurposeId> = match &slot.scope.purposes {
            Purposes::Named(named) => named.clone(),
            Purposes::List(list) => match self.law.policy.list_purpose(&self.replica.record.system, list) {
                Some(purpose) => vec![purpose.clone()],
                // Nobody mapped it: only what refuses the whole channel reaches it.
                None => vec![unmapped()],
            },
            Purposes::AllMarketing => vec![unmapped()],
        };
        let mut strictest: Option<(Decision, Channel)> = None;
        for channel in slot.scope.channels.iter() {
            let Some(address) = self.replica.address(channel.address_kind()) else { continue };
            for purpose in &purposes {
                let key = Key {
                    address: address.clone(),
                    purpose: purpose.clone(),
                    channel,
                    person: self.replica.who.person.clone(),
                };
                let decision = self.standing.decide_for(&self.replica.record, &key, self.law, self.now);
                let stricter = strictest
                    .as_ref()
                    .is_none_or(|(held, _)| (decision.verdict, decision.reason) < (held.verdict, held.reason));
                if stricter {
                    strictest = Some((decision, channel));
                }
            }
        }
        strictest
    }

    /// Whether the instance's setting lets this decision be pushed.
    fn is_pushed(&self, decision: &Decision, slot: &ReplicaSlot) -> bool {
        let unmapped = match &slot.scope.purposes {
            Purposes::List(list) => self.law.policy.list_purpose(&self.replica.record.system, list).is_none(),
            Purposes::AllMarketing => true,
            Purposes::Named(_) => false,
        };
        // A wide opt-out beside narrower slots of its channel is a word of the platform's, not a place to write.
        let only_word = slot.scope.purposes == Purposes::AllMarketing
            && self.replica.slots.iter().any(|other| {
                other.scope != slot.scope
                    && other.scope.channels.iter().any(|channel| slot.scope.channels.contains(channel))
            });
        match self.rules.enforce {
            _ if only_word => false,
            _ if unmapped && !is_negative(decision.reason) => false,
            Enforce::Observe => false,
            Enforce::Negatives => is_negative(decision.reason),
            Enforce::Full => true,
        }
    }

    fn carry(&self, verb: Verb, slot: &ReplicaSlot, decision: &Decision) -> Drift {
        let instance = self.replica.record.system.clone();
        let unreached = |why| Drift::Unreached(Unreached { instance: instance.clone(), verb, why });
        let action = match self.action(verb, slot) {
            Ok(Some(action)) => action,
            Ok(None) => return Drift::None,
            Err(why) => return unreached(why),
        };
        if !self.rules.reachable {
            return unreached("the instance is disabled or cannot be written to");
        }
        let change = Change {
            id: change_id(self.replica, slot, action, decision),
            target: Target {
                record: self.replica.record.record.clone(),
                addresses: self.replica.who.addresses.clone(),
            },
            scope: slot.scope.clone(),
            action,
            reason: decision.reason.as_str(),
        };
        let by_person = decision.refused_by_person && matches!(action, Action::Suppress);
        Drift::Change(Box::new(Planned { instance, change, reason: decision.reason, by_person }))
    }

    /// The platform's way to carry out a verb: the mildest that keeps the person from being contacted.
    fn action(&self, verb: Verb, slot: &ReplicaSlot) -> Result<Option<Action>, &'static str> {
        let can = |action| self.rules.actions.contains(&action);
        let suppress = || match (stance(slot.status), can(Action::Suppress)) {
            (Stance::Out, _) => Ok(None),
            (_, true) => Ok(Some(Action::Suppress)),
            (_, false) => Err("the connector cannot suppress"),
        };
        match verb {
            Verb::Suppress | Verb::Restrict | Verb::Erase | Verb::ReErase | Verb::EraseExceptHold => suppress(),
            Verb::MarkInvalid if can(Action::MarkInvalid) => Ok(Some(Action::MarkInvalid)),
            Verb::MarkInvalid => suppress(),
            Verb::Subscribe if can(Action::Subscribe) => Ok(Some(Action::Subscribe)),
            Verb::Subscribe => Err("the connector cannot subscribe"),
            Verb::Reconfirm if can(Action::Reconfirm) => Ok(Some(Action::Reconfirm)),
            Verb::Reconfirm => Err("the platform cannot ask the person itself"),
            Verb::ReportVendorBlock => Err("the platform blocks the contact for good"),
            Verb::RequalOnly => Err("the contact waits for a requalification campaign"),
        }
    }
}

/// The purpose of what nobody mapped: it is marketing, and nothing grants it.
fn unmapped() -> PurposeId {
    PurposeId::new("*")
}

/// What a slot's status says of permission.
pub fn stance(status: Status) -> Stance {
    match status {
        Status::Subscribed => Stance::In,
        Status::Unsubscribed | Status::Complained | Status::Blocked => Stance::Out,
        Status::Pending | Status::Invalid | Status::Never | Status::Off | Status::Deleted | Status::Unknown => {
            Stance::Nothing
        }
    }
}

/// Whether a reason is one that `negatives` pushes: an end that a person, a platform, staff or a deadline made.
pub fn is_negative(reason: Reason) -> bool {
    match reason {
        Reason::Erased
        | Reason::Restricted
        | Reason::OperatorBlock
        | Reason::IdentityConflict
        | Reason::AddressRetired
        | Reason::Undeliverable
        | Reason::Complaint
        | Reason::Objected
        | Reason::Withdrawn
        | Reason::Refused
        | Reason::Reassigned
        | Reason::Lapsed => true,
        Reason::Consent
        | Reason::Basis(_)
        | Reason::Invalidated
        | Reason::Expired
        | Reason::MinorGuardianMissing
        | Reason::Unqualified
        | Reason::Requested
        | Reason::Unknown => false,
    }
}

/// The idempotency key: the same change on the same state for the same facts has the same id, whenever it is planned.
fn change_id(replica: &Replica, slot: &ReplicaSlot, action: Action, decision: &Decision) -> ChangeId {
    let facts: Vec<String> = decision.facts.iter().map(ToString::to_string).collect();
    let id = FactId::of(&[
        replica.record.system.as_str(),
        replica.record.record.as_str(),
        &format!("{:?}", slot.scope),
        action.as_str(),
        &slot.turn.to_string(),
        decision.reason.as_str(),
        &facts.join(" "),
    ]);
    ChangeId(id.to_string())
}
