//! The standing: what a set of facts means under a law. A pure function of the set, so order and repetition cannot matter.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address;
use crate::evidence::{Evidence, Level};
use crate::fact::{Fact, FactId, Kind, RecordRef};
use crate::identity::People;
use crate::law::{Law, OwnPush, Verb};
use crate::term::{Actor, Status};
use crate::text::NoticeId;
use crate::time::Interval;

/// How severe a negative is, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Severity {
    Refuse,
    Withdraw,
    Object,
    Complaint,
    Erase,
}

/// An act with everything about it that does not depend on the key.
#[derive(Debug)]
pub(crate) struct Act {
    /// Where its fact is in [`Standing::facts`].
    pub(crate) fact: usize,
    /// When it may have happened.
    pub(crate) at: Interval,
    /// Whose it is, after splits; `None` where it names no record and no address of its own.
    pub(crate) person: Option<usize>,
    /// Whose it was before any split.
    pub(crate) joined: Option<usize>,
}

/// A no.
#[derive(Debug)]
pub(crate) struct Negative {
    pub(crate) act: Act,
    pub(crate) severity: Severity,
}

/// A yes, proven or claimed.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) act: Act,
    /// Where the fact is whose evidence counts: the act itself, or the last sighting of its run.
    pub(crate) proof: usize,
    /// The level it reaches before the person's age is known.
    pub(crate) level: Level,
    pub(crate) void: bool,
    pub(crate) valid_until: Option<jiff::Timestamp>,
}

/// What a set of facts means under a law.
///
/// It is made anew from the facts whenever it is needed: there is no mutable consent state anywhere.
#[derive(Debug)]
pub struct Standing {
    pub(crate) facts: Vec<Fact>,
    pub(crate) pushes: Vec<OwnPush>,
    pub(crate) people: People,
    pub(crate) negatives: Vec<Negative>,
    pub(crate) grants: Vec<Grant>,
    /// Everything else that is no echo: relations, reachability, overlays, identity.
    pub(crate) others: Vec<Act>,
    pub(crate) echoes: BTreeSet<FactId>,
}

impl Standing {
    /// Folds a set of facts. The order of `facts` and repetitions in it do not matter: for one id the earliest sighting
    /// counts.
    pub fn fold(facts: impl IntoIterator<Item = Fact>, pushes: &[OwnPush], law: &Law) -> Self {
        let facts = unite(facts);
        let people = People::of(facts.iter(), &law.systems);
        let mut standing = Self {
            echoes: echoes(&facts, pushes),
            facts,
            pushes: pushes.to_vec(),
            people,
            negatives: Vec::new(),
            grants: Vec::new(),
            others: Vec::new(),
        };
        standing.read(law);
        standing
    }

    /// The facts of the standing in the order of their ids.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// When a fact may have happened, in the order a reader expects: by what is known of the time.
    pub fn interval(fact: &Fact, law: &Law) -> Interval {
        Interval::of(fact.occurred, fact.observed_at, law.systems.get(&fact.system))
    }

    /// The facts that bear on an address: everything about the people who hold it, and every negative or sign that
    /// reaches the address itself, in the order in which they may have happened.
    pub fn about(&self, address: &Address, law: &Law) -> Vec<&Fact> {
        let people = self.people.holding(address, None);
        let mut facts: Vec<&Fact> = self
            .facts
            .iter()
            .filter(|fact| {
                let reaches = |held: &Address| held.suppress_eq(address, law.policy.aliases);
                self.people.person_of(fact).is_some_and(|person| people.contains(&person))
                    || fact.who.addresses.iter().any(reaches)
                    || fact.who.hashes.iter().any(|hash| hash.matches(address, &law.keyring, law.policy.aliases))
            })
            .collect();
        facts.sort_by_key(|fact| (Self::interval(fact, law).hi, fact.observed_at, fact.id));
        facts
    }

    /// Whether a record belongs to one of the people who hold an address.
    pub fn is_record_of(&self, record: &RecordRef, address: &Address) -> bool {
        self.people.owner(record).is_some_and(|person| self.people.holding(address, None).contains(&person))
    }

    /// The level that an opt-in reaches by its evidence, its source, its time and its actor; `None` for other facts.
    ///
    /// Whether the person was a child when giving it is weighed only in a decision.
    pub fn level_of(fact: &Fact, law: &Law) -> Option<Level> {
        claim(&fact.kind).map(|claim| level(fact, claim.evidence, &Self::interval(fact, law), law))
    }

    fn read(&mut self, law: &Law) {
        let annulled = annulled(&self.facts);
        let (void_notices, void_facts) = voided(&self.facts);
        let runs = runs(&self.facts);
        for (index, fact) in self.facts.iter().enumerate() {
            let members: &[FactId] = match &fact.kind {
                // Only the first sighting of a run is an event.
                Kind::Snapshot { .. } => match runs.get(&fact.id) {
                    Some(members) => members,
                    None => continue,
                },
                _ => std::slice::from_ref(&fact.id),
            };
            if self.echoes.contains(&fact.id) {
                continue;
            }
            let act = Act {
                fact: index,
                at: Self::interval(fact, law),
                person: self.people.person_of(fact),
                joined: self.people.joined_of(fact),
            };
            if let Some(severity) = severity(&fact.kind) {
                if !(is_annullable(fact) && members.iter().any(|id| annulled.contains(id))) {
                    self.negatives.push(Negative { act, severity });
                }
            } else if let Some(first) = claim(&fact.kind) {
                // What a state can show for itself is what it showed last.
                let proof = members.last().and_then(|id| self.place(*id)).unwrap_or(index);
                let last = &self.facts[proof];
                let claim = claim(&last.kind).unwrap_or(first);
                let level = level(last, claim.evidence, &act.at, law);
                if level > Level::Nothing {
                    let void = members.iter().any(|id| void_facts.contains(id))
                        || claim.evidence.notice.as_ref().is_some_and(|notice| void_notices.contains(notice));
                    self.grants.push(Grant { act, proof, level, void, valid_until: claim.valid_until });
                }
            } else {
                self.others.push(act);
            }
        }
    }

    fn place(&self, id: FactId) -> Option<usize> {
        self.facts.binary_search_by_key(&id, |fact| fact.id).ok()
    }

    pub(crate) fn fact_of(&self, act: &Act) -> &Fact {
        &self.facts[act.fact]
    }
}

/// One fact per id, the earliest sighting of each; in the order of ids.
fn unite(facts: impl IntoIterator<Item = Fact>) -> Vec<Fact> {
    let mut united: BTreeMap<FactId, Fact> = BTreeMap::new();
    for fact in facts {
        match united.entry(fact.id) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(fact);
            }
            std::collections::btree_map::Entry::Occupied(mut held) => {
                let order = |fact: &Fact| (fact.observed_at, fact.occurred, fact.seq);
                let earlier = order(&fact)
                    .cmp(&order(held.get()))
                    // The same id with other content and the same time is a source that contradicts itself; any fixed
                    // choice keeps the union commutative.
                    .then_with(|| format!("{fact:?}").cmp(&format!("{:?}", held.get())));
                if earlier.is_lt() {
                    held.insert(fact);
                }
            }
        }
    }
    united.into_values().collect()
}

/// The facts that only show what the host itself wrote (I13). What merely claims to be one stays a fact.
fn echoes(facts: &[Fact], pushes: &[OwnPush]) -> BTreeSet<FactId> {
    let shows = |fact: &Fact, push: &OwnPush| {
        let out = severity(&fact.kind).is_some() || matches!(&fact.kind, Kind::Bounce(_));
        let written_out =
            matches!(push.verb, Verb::Suppress | Verb::MarkInvalid | Verb::Restrict | Verb::RequalOnly | Verb::Erase);
        push.system == fact.system && fact.observed_at >= push.at && out == written_out
    };
    facts
        .iter()
        .filter(|fact| {
            fact.echo_of.as_ref().is_some_and(|id| pushes.iter().any(|push| push.id == *id && shows(fact, push)))
        })
        .map(|fact| fact.id)
        .collect()
}

/// What two people took back. Never a person's own act, except the objection inferred from an unverified request (I15).
fn annulled(facts: &[Fact]) -> BTreeSet<FactId> {
    let mut targets = BTreeSet::new();
    for fact in facts {
        let Kind::Annul { targets: named, approvers } = &fact.kind else { continue };
        if approvers.iter().collect::<BTreeSet<_>>().len() >= 2 {
            targets.extend(named.iter().copied());
        }
    }
    if targets.is_empty() {
        return targets;
    }
    facts.iter().filter(|fact| targets.contains(&fact.id) && is_annullable(fact)).map(|fact| fact.id).collect()
}

/// Whether nobody made this act himself, or it is the objection inferred from a request that may prove fraudulent.
fn is_annullable(fact: &Fact) -> bool {
    matches!(fact.actor, Actor::Import | Actor::Operator | Actor::Machine)
        || matches!(fact.kind, Kind::EraseRequest { verified: false })
}

/// Notices and facts that were declared void.
fn voided(facts: &[Fact]) -> (BTreeSet<NoticeId>, BTreeSet<FactId>) {
    let mut void = (BTreeSet::new(), BTreeSet::new());
    for fact in facts {
        if let Kind::Invalidate { notices, targets } = &fact.kind {
            void.0.extend(notices.iter().cloned());
            void.1.extend(targets.iter().copied());
        }
    }
    void
}

/// Snapshots that say the same with the same vendor time one after the other are one run, an event at its first sighting.
/// The map gives the ids of each run under the id of that first sighting.
fn runs(facts: &[Fact]) -> BTreeMap<FactId, Vec<FactId>> {
    let mut series: BTreeMap<_, Vec<(&Fact, Status, Option<u32>)>> = BTreeMap::new();
    for fact in facts {
        if let Kind::Snapshot { status, turn, .. } = &fact.kind {
            let whose = fact.record.is_none().then_some(&fact.who.addresses);
            series.entry((&fact.system, &fact.record, whose, &fact.scope)).or_default().push((fact, *status, *turn));
        }
    }
    let mut runs = BTreeMap::new();
    for mut sightings in series.into_values() {
        sightings.sort_by_key(|(fact, status, turn)| (fact.observed_at, *turn, *status, fact.occurred, fact.id));
        let mut last: Option<(Status, Option<u32>, crate::time::Occurred, FactId)> = None;
        for (fact, status, turn) in sightings {
            match last {
                Some((held, counted, occurred, first))
                    if (held, counted, occurred) == (status, turn, fact.occurred) =>
                {
                    runs.entry(first).or_insert_with(Vec::new).push(fact.id);
                }
                _ => {
                    runs.insert(fact.id, vec![fact.id]);
                    last = Some((status, turn, fact.occurred, fact.id));
                }
            }
        }
    }
    runs
}

/// How severe a no this is; `None` for anything that is no refusal.
pub(crate) fn severity(kind: &Kind) -> Option<Severity> {
    match kind {
        Kind::Refuse => Some(Severity::Refuse),
        Kind::Withdraw | Kind::Snapshot { status: Status::Unsubscribed, .. } => Some(Severity::Withdraw),
        Kind::Object | Kind::EraseRequest { verified: false } => Some(Severity::Object),
        Kind::Complaint | Kind::Snapshot { status: Status::Complained, .. } => Some(Severity::Complaint),
        Kind::EraseRequest { verified: true } => Some(Severity::Erase),
        _ => None,
    }
}

/// An opt-in in any form.
pub(crate) struct Positive<'a> {
    pub(crate) evidence: &'a Evidence,
    valid_until: Option<jiff::Timestamp>,
}

pub(crate) fn claim(kind: &Kind) -> Option<Positive<'_>> {
    match kind {
        Kind::Grant { evidence, valid_until } => Some(Positive { evidence, valid_until: *valid_until }),
        Kind::Snapshot { status: Status::Subscribed, evidence, .. } => Some(Positive { evidence, valid_until: None }),
        _ => None,
    }
}

/// The level a claim reaches, capped by who acted, whether its time is known, and what its source can vouch for (3.5).
fn level(fact: &Fact, evidence: &Evidence, at: &Interval, law: &Law) -> Level {
    let mut level = evidence.level();
    let by_person = matches!(fact.actor, Actor::DataSubject | Actor::Guardian);
    if !by_person && !evidence.document || at.lo.is_none() {
        level = level.min(Level::Claim);
    }
    if evidence.document { level } else { level.min(law.systems.get(&fact.system).level_max) }
}
