//! Judging: what each remote slot says against what the decision wants; each difference is a change.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use unisson_connector::{Action, Change, ChangeId, Presence};
use unisson_consent::{
    Channel, Decision, Erased, Fact, FactId, Key, Law, Reason, Scope, Standing, Status, SystemId, Verb,
};

use crate::bench::{Bench, Drift, Wanted};
use crate::replica::{Replica, ReplicaSlot, SubjectNo};

/// A slot, and the record that shows it.
pub(crate) type Shown<'a> = (&'a Replica, &'a ReplicaSlot);

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

    /// Whether it can still be taken back.
    ///
    /// A leased one can: a run judges before and after it delivers, never meanwhile, so whoever leased it is gone. Where it
    /// was sent all the same, the platform will show it, and that is judged in its turn.
    pub fn is_recallable(self) -> bool {
        matches!(self, Self::Draft | Self::Held | Self::Pending | Self::Leased | Self::Refused)
    }
}

/// The decision for one key, as it is cached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDecision {
    /// For whom and what.
    pub key: Key,
    /// The answer.
    pub decision: Decision,
    /// When the last of the facts behind it became known; `None` where there are none.
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
    /// People whose erasure was asked for and of whom something is known all the same: a record that some system still, or
    /// again, shows, or what our own memory holds.
    pub erased: Vec<Erased>,
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
        erased: still_there(&standing, dossier, law, now),
    };
    judged.valid_until = judged.decisions.iter().filter_map(|known| known.decision.valid_until).min();
    let mut wanted = BTreeSet::new();
    for (_, drift) in drifts(dossier, &standing, law, (rules, now)) {
        match drift {
            Drift::None => {}
            Drift::Unreached(unreached) => judged.unreached.push(unreached),
            Drift::Change(found) => {
                let Wanted { planned, .. } = *found;
                wanted.insert(planned.change.id.clone());
                if !dossier.open.iter().any(|open| open.id == planned.change.id) {
                    judged.changes.push(planned);
                }
            }
        }
    }
    // What nothing could carry out is asked again in the next run, and named again until it can be.
    if !judged.unreached.is_empty() {
        judged.valid_until = Some(now);
    }
    for open in &dossier.open {
        let fresh = rules.get(&open.instance).is_some_and(|rules| rules.fresh);
        match (wanted.contains(&open.id), open.state) {
            (false, state) if state.is_recallable() => {
                let wanted_still = shadowed(open, dossier, &standing, (law, rules, now));
                judged.cancelled.extend(wanted_still.is_none().then(|| open.id.clone()));
            }
            (false, OpenState::Unknown) => judged.confirmed.push(open.id.clone()),
            (true, OpenState::Unknown) if fresh => judged.retried.push(open.id.clone()),
            _ => {}
        }
    }
    judged
}

/// Whose erasure was asked for and who is still, or again, there.
fn still_there(standing: &Standing, dossier: &Dossier, law: &Law, now: Timestamp) -> Vec<Erased> {
    let mut people = standing.erased(law, now);
    for erased in &mut people {
        erased.due.retain(|(record, _)| {
            dossier.replicas.iter().any(|replica| replica.record == *record && replica.presence != Presence::Deleted)
        });
    }
    people
}

/// What wants a suppression that lies in the shadow of a wider one that came before it, be it by a crash between the two:
/// its place shows nothing while the whole record takes no mail, and would be open again together with it.
pub(crate) fn shadowed<'a>(
    open: &OpenChange,
    dossier: &'a Dossier,
    standing: &Standing,
    (law, rules, now): (&Law, &BTreeMap<SystemId, Rules>, Timestamp),
) -> Option<(Shown<'a>, Box<Wanted>)> {
    if open.action != Action::Suppress || !open.state.is_recallable() || open.state == OpenState::Refused {
        return None;
    }
    let rules = rules.get(&open.instance)?;
    let is_its = |replica: &&Replica| {
        (&replica.record.system, &replica.record.record) == (&open.instance, &open.record)
            && replica.presence == Presence::Present
    };
    dossier.replicas.iter().filter(is_its).find_map(|replica| {
        let slot = replica.slot(&open.scope).filter(|slot| slot.status == Status::Off)?;
        let bench = Bench { standing, law, rules, replica, now };
        let ajar = ReplicaSlot { status: Status::Subscribed, ..slot.clone() };
        match bench.drift(&ajar) {
            Drift::Change(wanted) if wanted.planned.change.action == Action::Suppress && !bench.mails() => {
                Some(((replica, slot), wanted))
            }
            _ => None,
        }
    })
}

/// The difference at every slot of every record that is there.
pub(crate) fn drifts<'a>(
    dossier: &'a Dossier,
    standing: &'a Standing,
    law: &'a Law,
    (rules, now): (&'a BTreeMap<SystemId, Rules>, Timestamp),
) -> impl Iterator<Item = (Shown<'a>, Drift)> {
    let present = dossier.replicas.iter().filter(|replica| replica.presence == Presence::Present);
    let benches = present.filter_map(move |replica| {
        let rules = rules.get(&replica.record.system)?;
        Some(Bench { standing, law, rules, replica, now })
    });
    benches.flat_map(|bench| {
        let replica = bench.replica;
        let slots = replica.slots.iter().filter(|slot| slot.status != Status::Deleted);
        slots.map(move |slot| ((replica, slot), bench.drift(slot)))
    })
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
                let since = last_known(standing, &decision.facts);
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

fn last_known(standing: &Standing, ids: &[FactId]) -> Option<Timestamp> {
    let found = ids.iter().filter_map(|id| {
        let place = standing.facts().binary_search_by_key(id, |fact| fact.id).ok()?;
        standing.facts().get(place).map(|fact| fact.observed_at)
    });
    found.max()
}
