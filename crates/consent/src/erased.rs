//! Who asked to be erased, what of theirs there is, and what has to go (consent model 4.9 I9, 6).

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::action::is_of;
use crate::address::Address;
use crate::evidence::Level;
use crate::fact::{Fact, FactId, Kind, RecordRef};
use crate::hashed::Algorithm;
use crate::law::{Law, Verb};
use crate::standing::{Negative, Severity, Standing};
use crate::term::{Actor, Status};
use crate::text::{CustomerNo, SystemId};

/// A person who asked to be erased, with everything that the facts tell of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The facts that say so: requests and tombstones.
    pub asked: Vec<FactId>,
    /// Every record of the person, gone or not. Of somebody who came back by an act of their own, those of before.
    pub records: Vec<RecordRef>,
    /// Those that the facts show to be there and that have to go: erased for the first time, again, or except what a hold
    /// keeps.
    pub due: Vec<(RecordRef, Verb)>,
    /// The person's facts that name no record, tombstones left out. Of somebody who came back, those of before.
    pub loose: Vec<FactId>,
    /// Every address of the person, in every spelling.
    pub addresses: Vec<Address>,
    /// The person's customer numbers.
    pub customers: Vec<CustomerNo>,
    /// Until when a record of the person is held, as its system says.
    pub held_until: Option<Timestamp>,
}

/// The requests that reach a person, from when they count, and since when the person is back by an act of their own.
struct Request<'a> {
    asked: Vec<&'a Negative>,
    erased_at: Timestamp,
    returned_at: Option<Timestamp>,
}

impl Standing {
    /// Everybody whose verified request to be erased is known.
    ///
    /// One person's request does not erase another who shares the mailbox: where the facts do not tell whose it was, nobody
    /// with a person id of their own is erased by it.
    pub fn erased(&self, law: &Law, now: Timestamp) -> Vec<Erased> {
        if !self.negatives.iter().any(|negative| negative.severity == Severity::Erase) {
            return Vec::new();
        }
        self.people.all().into_iter().filter_map(|person| self.erased_person(person, law, now)).collect()
    }

    /// The people who hold an address, each with their records: more than one where people share it.
    pub fn holders(&self, address: &Address, law: &Law) -> Vec<Vec<RecordRef>> {
        let holds = |person: &usize| {
            let mut held = self.people.addresses_of_person(*person);
            held.any(|held| held.suppress_eq(address, law.policy.aliases))
        };
        let people = self.people.all().into_iter().filter(holds);
        let records = people.map(|person| self.people.records_of(person).map(|(record, _)| record.clone()).collect());
        records.filter(|records: &Vec<RecordRef>| !records.is_empty()).collect()
    }

    fn erased_person(&self, person: usize, law: &Law, now: Timestamp) -> Option<Erased> {
        let records: Vec<(&RecordRef, &[Address])> = self.people.records_of(person).collect();
        let request = self.request(person, &records, law)?;
        let is_tombstone = |id: &FactId| self.facts.iter().any(|fact| fact.id == *id && is_tombstone(fact));
        // What came with or after a return of the person's own belongs to a new beginning.
        let is_old = |fact: &Fact| request.returned_at.is_none_or(|returned| fact.observed_at < returned);
        let of = |id: &FactId| self.facts.iter().find(|fact| fact.id == *id);
        let loose = self.people.loose_of(person).filter(|id| !is_tombstone(id) && of(id).is_some_and(is_old));
        let loose: Vec<FactId> = loose.copied().collect();
        let due = records.iter().filter_map(|(record, _)| {
            let verb = self.verb_for(record, &request, now)?;
            Some(((*record).clone(), verb))
        });
        let due: Vec<_> = due.collect();
        let was_there = |record: &RecordRef| self.facts.iter().filter(|fact| is_of(fact, record)).all(is_old);
        let records: Vec<_> = records.into_iter().filter(|(record, _)| was_there(record)).collect();
        if records.is_empty() && loose.is_empty() {
            return None;
        }
        let held = records.iter().filter_map(|(record, _)| self.held_until(record)).filter(|until| *until > now);
        let mut addresses: Vec<Address> = Vec::new();
        for address in self.people.addresses_of_person(person) {
            if !addresses.iter().any(|held| held == address && held.raw() == address.raw()) {
                addresses.push(address.clone());
            }
        }
        Some(Erased {
            asked: request.asked.iter().map(|negative| self.fact_of(&negative.act).id).collect(),
            held_until: held.max(),
            due,
            loose,
            addresses,
            customers: self.people.customers_of(person).into_iter().cloned().collect(),
            records: records.into_iter().map(|(record, _)| record.clone()).collect(),
        })
    }

    /// What must be erased where, system by system: everything that holds the person, except what a hold keeps apart.
    pub(crate) fn erasures(
        &self,
        person: usize,
        records: &[(&RecordRef, &[Address])],
        (law, now): (&Law, Timestamp),
    ) -> Vec<(SystemId, Verb)> {
        let Some(request) = self.request(person, records, law) else { return Vec::new() };
        let rows = self.people.loose_of(person).filter_map(|id| {
            // A row without an id is its own record: it can only have come before or after.
            let fact = self.facts.iter().find(|fact| fact.id == *id && holds_data(&fact.kind))?;
            let after = fact.observed_at > request.erased_at;
            let again = request.returned_at.is_none_or(|returned| fact.observed_at < returned);
            (!after || again).then(|| (fact.system.clone(), if after { Verb::ReErase } else { Verb::Erase }))
        });
        let of_records = records
            .iter()
            .filter_map(|(record, _)| Some((record.system.clone(), self.verb_for(record, &request, now)?)));
        of_records.chain(rows).collect()
    }

    /// What has to be done about one record of an erased person.
    fn verb_for(&self, record: &RecordRef, request: &Request<'_>, now: Timestamp) -> Option<Verb> {
        let hold = self.hold(record, now);
        let sighting = self.sighting(record, (request.erased_at, request.returned_at), hold)?;
        Some(if hold == Hold::Runs { Verb::EraseExceptHold } else { sighting })
    }

    /// The requests that reach a person: the person's own, and those on an address that the person holds.
    fn request(&self, person: usize, records: &[(&RecordRef, &[Address])], law: &Law) -> Option<Request<'_>> {
        let erasures = self.negatives.iter().filter(|negative| negative.severity == Severity::Erase);
        let asked: Vec<&Negative> = erasures
            .filter(|negative| {
                let held = || records.iter().flat_map(|(_, held)| held.iter());
                negative.act.person == Some(person)
                    || held().any(|address| {
                        self.is_on(&negative.act, address, law) && !self.is_anothers(negative, person, address)
                    })
            })
            .collect();
        let erased_at = asked.iter().map(|erasure| self.fact_of(&erasure.act).observed_at).min()?;
        let returned_at = self
            .grants
            .iter()
            .filter(|grant| grant.act.person == Some(person) && !grant.void)
            .filter(|grant| grant.level >= law.policy.regrant.erase.max(Level::Confirmed))
            .filter(|grant| matches!(self.fact_of(&grant.act).actor, Actor::DataSubject | Actor::Guardian))
            .filter(|grant| asked.iter().all(|erasure| grant.act.at.is_after(&erasure.act.at)))
            .map(|grant| self.fact_of(&grant.act).observed_at)
            .min();
        Some(Request { asked, erased_at, returned_at })
    }

    /// Whether a request on a shared mailbox may be somebody else's: somebody with a person id of their own.
    fn is_anothers(&self, negative: &Negative, person: usize, address: &Address) -> bool {
        let mine = self.people.person_ids(person);
        if mine.is_empty() {
            return false;
        }
        let theirs: BTreeSet<_> = negative.act.person.map(|person| self.people.person_ids(person)).unwrap_or_default();
        if !theirs.is_empty() {
            return theirs.is_disjoint(&mine);
        }
        let others = self.people.holding(address, None).into_iter().filter(|other| *other != person);
        others.into_iter().any(|other| !self.people.person_ids(other).is_empty())
    }

    /// Whether a hold keeps data of a record apart.
    fn hold(&self, record: &RecordRef, now: Timestamp) -> Hold {
        match self.held_until(record) {
            Some(until) if now < until => Hold::Runs,
            Some(_) => Hold::Ended,
            None => Hold::Never,
        }
    }

    /// Until when its system keeps data of a record apart.
    fn held_until(&self, record: &RecordRef) -> Option<Timestamp> {
        let untils = self.facts.iter().filter(|fact| is_of(fact, record)).filter_map(|fact| match fact.kind {
            Kind::Hold { until, .. } => Some(until),
            _ => None,
        });
        untils.max()
    }

    /// How a record stands to an erasure: still there, back again, or (`None`) gone, kept apart by a hold, or part of a
    /// new beginning. When a hold ends, what it kept is erased without a new request (I19).
    fn sighting(
        &self,
        record: &RecordRef,
        (erased_at, returned_at): (Timestamp, Option<Timestamp>),
        hold: Hold,
    ) -> Option<Verb> {
        let told = self.facts.iter().filter(|fact| is_of(fact, record) && holds_data(&fact.kind)).map(|fact| {
            let gone = matches!(fact.kind, Kind::Snapshot { status: Status::Deleted, .. });
            (fact.observed_at, if gone { Trace::Gone } else { Trace::Seen })
        });
        let wrote = self.pushes.iter().filter(|push| push.acknowledged && push.system == record.system);
        let wrote = wrote.filter_map(|push| match push.verb {
            Verb::Erase | Verb::ReErase => Some((push.at, Trace::Gone)),
            Verb::EraseExceptHold => Some((push.at, Trace::Excepted)),
            _ => None,
        });
        let mut traces: Vec<(Timestamp, Trace)> = told.chain(wrote).collect();
        traces.sort_unstable();
        let (mut here, mut kept, mut confirmed_gone) = (None, false, false);
        for (at, trace) in traces {
            match trace {
                Trace::Gone => (here, kept, confirmed_gone) = (None, false, true),
                Trace::Excepted => (here, kept) = ((hold != Hold::Runs).then_some(Verb::Erase), true),
                Trace::Seen if kept => {}
                Trace::Seen if at <= erased_at => here = Some(Verb::Erase),
                Trace::Seen => {
                    let again = returned_at.is_none_or(|returned| at < returned);
                    if again && (here.is_none() || confirmed_gone) {
                        here = Some(Verb::ReErase);
                    }
                }
            }
        }
        here
    }
}

/// How a record stands to the legal holds on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    Never,
    Runs,
    Ended,
}

/// What is known of a record's being there, in the order in which it counts at one moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trace {
    Seen,
    Gone,
    Excepted,
}

/// Whether a fact is what remains of an erased address: a request that names nobody but by digests under a key of ours.
pub fn is_tombstone(fact: &Fact) -> bool {
    matches!(fact.kind, Kind::EraseRequest { verified: true })
        && fact.record.is_none()
        && fact.who.addresses.is_empty()
        && fact.who.customer.is_none()
        && fact.who.person.is_none()
        && !fact.who.hashes.is_empty()
        && fact.who.hashes.iter().all(|hash| matches!(hash.algorithm, Algorithm::Keyed(_)))
}

/// Whether a fact shows that its system holds data of the person, rather than only recording what the host was asked.
fn holds_data(kind: &Kind) -> bool {
    !matches!(
        kind,
        Kind::EraseRequest { .. } | Kind::Restrict | Kind::Unrestrict | Kind::OperatorBlock | Kind::OperatorUnblock
    )
}
