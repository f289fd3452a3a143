//! Learning: only what differs from the last known replica is news, and news becomes immutable facts.
//!
//! What we wrote comes back. An observation that shows our own write is an echo and no fact (consent model 4.5); one that
//! still shows the state before it, within the platform's documented lag, is a stale read and no fact either.

use jiff::{SignedDuration, Timestamp};
use unisson_connector::{Event, Identity, Observation, Slot, StreamId};
use unisson_consent::{
    Actor, Address, AddressKind, Channel, Channels, Evidence, Fact, FactId, Kind, Occurred, Purposes, RecordRef, Scope,
    Status, SystemId, Via, Who,
};

use crate::replica::{Digest, Replica, ReplicaSlot, Wrote, proof_of};

/// For how long a state that we asked for counts as our own write although its answer was lost. Beyond it, somebody else
/// may as well have made it so.
const ANSWER_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// How far a clock may be set back without anybody noticing.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(2);

/// What learning needs to know beside the observation.
#[derive(Debug, Clone, Copy)]
pub struct Lesson<'a> {
    /// Whose observation it is.
    pub instance: &'a SystemId,
    /// The stream that showed it.
    pub stream: &'a StreamId,
    /// The country for numbers in national form where the record names none.
    pub country: &'a str,
    /// How long the platform may show a state from before our write.
    pub lag: SignedDuration,
    /// When the host sees it, by its clock.
    pub now: Timestamp,
    /// The same, and never before what the ledger holds: a clock that was set back must not make a later word the earlier
    /// one.
    pub observed_at: Timestamp,
}

/// What there was to learn from one observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learned {
    /// What the record shows now.
    pub replica: Replica,
    /// The news.
    pub facts: Vec<Fact>,
}

/// Compares an observation, of which this is the digest, with what is known and turns the difference into facts.
///
/// The same observation learnt again brings nothing: the second lesson of a page after a crash is empty.
pub fn learn(observation: &Observation, digest: Digest, known: Option<&Replica>, lesson: &Lesson<'_>) -> Learned {
    if let Some(known) = known.filter(|known| known.digest == digest) {
        return Learned { replica: known.clone(), facts: Vec::new() };
    }
    let record = RecordRef { system: lesson.instance.clone(), record: observation.record.clone() };
    let who = identify(&observation.who, lesson.country);
    let mut facts = Vec::new();
    let mut slots = Vec::with_capacity(observation.slots.len());
    let mut stale = false;
    for slot in &observation.slots {
        let before = known.and_then(|known| known.slot(&slot.scope));
        let (kept, seen) = match before.filter(|before| is_taken_back(before, slot, (observation, lesson))) {
            // A box that was ticked and is not any more, by somebody else than us: the person took that opt-in back.
            Some(before) => {
                let status = Status::Unsubscribed;
                let told = Slot { status, evidence: Evidence::default(), ..slot.clone() };
                let kept = compare(slot, Some(before), lesson).0;
                facts.push(snapshot(&told, kept.turn, &record, &who, lesson));
                (kept, Seen::Known)
            }
            None => compare(slot, before, lesson),
        };
        match seen {
            Seen::News => facts.push(snapshot(slot, kept.turn, &record, &who, lesson)),
            // The same state, better or worse proven: another sighting of it, which the law reads as what it can show now.
            Seen::Proof => facts.push(Fact {
                id: FactId::of(&[
                    &snapshot(slot, kept.turn, &record, &who, lesson).id.to_string(),
                    &lesson.now.to_string(),
                ]),
                ..snapshot(slot, kept.turn, &record, &who, lesson)
            }),
            Seen::Known | Seen::Stale => {}
        }
        stale |= seen == Seen::Stale;
        slots.push(kept);
    }
    slots.extend(known.iter().flat_map(|known| &known.slots).filter_map(|before| vanished(before, observation)));
    facts.extend(observation.events.iter().map(|event| happened(event, &record, &who, lesson)));
    if let Some(known) = known {
        facts.extend(moved(known, &record, &who, lesson));
    }
    let identity_is_news = match known {
        Some(known) => !same_identity(&known.who, &who),
        None => facts.is_empty(),
    };
    if identity_is_news {
        facts.push(seen(&record, &who, lesson));
    }
    let replica = Replica {
        record,
        stream: lesson.stream.clone(),
        presence: observation.presence,
        who,
        slots,
        // What is shown from before our write is compared in full again: it may have been the acknowledgement that lied.
        digest: if stale { Digest::default() } else { digest },
    };
    Learned { replica, facts }
}

/// Reads identifiers as addresses; national numbers with the record's country, else the policy's.
pub fn identify(identity: &Identity, country: &str) -> Who {
    let home = identity.country.as_ref().map_or(country, |country| country.as_str());
    let emails = identity.emails.iter().filter_map(|raw| Address::email(raw));
    let phones = identity.phones.iter().filter_map(|raw| Address::phone(raw, Some(home)));
    let postals = identity.postals.iter().filter_map(|raw| Address::postal(raw));
    let mut addresses: Vec<Address> = Vec::new();
    for address in emails.chain(phones).chain(postals) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Who {
        addresses,
        hashes: Vec::new(),
        customer: identity.customer.clone(),
        person: identity.person.clone(),
        country: identity.country,
        audience: identity.audience,
        professional: identity.professional,
        birth: identity.birth,
    }
}

/// What a slot shows, against what is known of it.
#[derive(PartialEq, Eq)]
enum Seen {
    News,
    /// The same opt-in with another proof.
    Proof,
    /// Nothing new, or our own write.
    Known,
    /// The state from before our write.
    Stale,
}

/// The slot as it is kept, and what there is to it.
fn compare(seen: &Slot, before: Option<&ReplicaSlot>, lesson: &Lesson<'_>) -> (ReplicaSlot, Seen) {
    let shows = |turn, wrote| ReplicaSlot {
        scope: seen.scope.clone(),
        status: seen.status,
        since: seen.since,
        proof: proof_of(seen),
        turn,
        wrote,
    };
    let silent = matches!(seen.status, Status::Never | Status::Off);
    let Some(before) = before else {
        return (shows(0, None), if silent { Seen::Known } else { Seen::News });
    };
    if let Some(wrote) = before.wrote {
        let arrived = seen.status == wrote.status || (seen.status == Status::Off && wrote.status != Status::Subscribed);
        if before.status != wrote.status && arrived && is_young(wrote, ANSWER_WINDOW.max(lesson.lag), lesson) {
            // Sent, and never answered: the platform shows that it arrived.
            return (shows(before.turn, None), Seen::Known);
        }
        let recent = is_young(wrote, lesson.lag, lesson);
        // A place that knows only in or not in shows an opt-out as not in.
        let off = seen.status == Status::Off && wrote.status != Status::Subscribed;
        if (seen.status == wrote.status || off) && before.status == wrote.status {
            return (shows(before.turn, recent.then_some(wrote)), Seen::Known);
        }
        if recent && seen.status == wrote.before {
            return (before.clone(), Seen::Stale);
        }
    }
    if before.status == seen.status && before.since == seen.since {
        let proof = proof_of(seen);
        let corrected = seen.status == Status::Subscribed && proof != before.proof;
        let kept = ReplicaSlot { proof, wrote: None, ..before.clone() };
        return (kept, if corrected { Seen::Proof } else { Seen::Known });
    }
    // That nobody said anything is told once a block ends by it, and is otherwise no fact about the person.
    let news = if silent && before.status != Status::Blocked { Seen::Known } else { Seen::News };
    (shows(before.turn.saturating_add(1), None), news)
}

/// Whether a write of ours is no older than this. One from the future was made while the clock was ahead: its age is not
/// known, and what a platform shows then counts as it is.
fn is_young(wrote: Wrote, most: SignedDuration, lesson: &Lesson<'_>) -> bool {
    (-CLOCK_SLACK..=most).contains(&lesson.now.duration_since(wrote.at))
}

/// Whether a slot that cannot show an opt-out stopped being opted in while its record still takes mail. Where the whole
/// record was shut, that is told by another slot.
fn is_taken_back(before: &ReplicaSlot, seen: &Slot, (observation, lesson): (&Observation, &Lesson<'_>)) -> bool {
    let mails = |slot: &Slot| slot.status == Status::Subscribed && slot.scope.channels.contains(Channel::Email);
    let ours = |wrote: Wrote| match wrote.status {
        // We ticked it, and it is not: an acknowledgement that lied, or a person who answered. A no is the safe reading.
        Status::Subscribed => is_young(wrote, lesson.lag, lesson),
        // What we meant to shut long ago and never saw shut was not shut by us.
        _ => is_young(wrote, ANSWER_WINDOW.max(lesson.lag), lesson),
    };
    before.status == Status::Subscribed
        && !before.wrote.is_some_and(ours)
        && seen.status == Status::Off
        && observation.slots.iter().any(mails)
}

/// A known slot that the record no longer shows. It is kept, so that its return is an event of its own.
fn vanished(before: &ReplicaSlot, observation: &Observation) -> Option<ReplicaSlot> {
    if observation.slots.iter().any(|slot| slot.scope == before.scope) {
        return None;
    }
    let turn = before.turn.saturating_add(u32::from(before.status != Status::Deleted));
    Some(ReplicaSlot { status: Status::Deleted, since: Occurred::Unknown, turn, wrote: None, ..before.clone() })
}

/// What a slot is remembered by while a write of ours to it has no answer yet, or none any more.
pub(crate) fn intended(slot: &ReplicaSlot, wrote: Option<Wrote>) -> ReplicaSlot {
    ReplicaSlot { wrote, ..slot.clone() }
}

/// What the slot of a replica shows once a write of ours is acknowledged.
pub(crate) fn written(slot: &ReplicaSlot, wrote: Wrote) -> ReplicaSlot {
    ReplicaSlot { status: wrote.status, wrote: Some(wrote), ..slot.clone() }
}

fn snapshot(slot: &Slot, turn: u32, record: &RecordRef, who: &Who, lesson: &Lesson<'_>) -> Fact {
    let id = FactId::of(&[
        record.system.as_str(),
        record.record.as_str(),
        "snapshot",
        &format!("{:?}", slot.scope),
        &format!("{:?} {:?} {:?} {:?}", slot.status, slot.since, slot.actor, slot.evidence),
        &turn.to_string(),
    ]);
    Fact {
        occurred: slot.since,
        actor: slot.actor,
        scope: slot.scope.clone(),
        kind: Kind::Snapshot { status: slot.status, evidence: slot.evidence.clone(), turn: Some(turn) },
        ..blank(id, record, who, lesson)
    }
}

fn happened(event: &Event, record: &RecordRef, who: &Who, lesson: &Lesson<'_>) -> Fact {
    let content = format!("{:?} {:?} {:?} {:?} {:?}", event.kind, event.occurred, event.scope, event.actor, event.seq);
    let id = match &event.native_id {
        Some(native) => FactId::of(&[record.system.as_str(), "event", native]),
        None => FactId::of(&[record.system.as_str(), record.record.as_str(), "event", &content]),
    };
    Fact {
        occurred: event.occurred,
        seq: event.seq,
        actor: event.actor,
        via: event.via,
        scope: event.scope.clone(),
        kind: event.kind.clone(),
        ..blank(id, record, who, lesson)
    }
}

/// A record whose primary address was replaced: nobody confirmed it, so negatives follow and grants do not.
fn moved(known: &Replica, record: &RecordRef, who: &Who, lesson: &Lesson<'_>) -> Vec<Fact> {
    let primary = |who: &Who, kind| who.addresses.iter().find(|address| address.kind() == kind).cloned();
    [AddressKind::Email, AddressKind::Phone, AddressKind::Postal]
        .into_iter()
        .filter_map(|kind| {
            let (from, to) = (primary(&known.who, kind)?, primary(who, kind)?);
            if from == to || who.addresses.contains(&from) {
                return None;
            }
            let id = FactId::of(&[
                record.system.as_str(),
                record.record.as_str(),
                "address_change",
                from.canonical(),
                to.canonical(),
                &lesson.now.to_string(),
            ]);
            Some(Fact {
                actor: Actor::Operator,
                kind: Kind::AddressChange { from, to, verified: false },
                ..blank(id, record, who, lesson)
            })
        })
        .collect()
}

fn seen(record: &RecordRef, who: &Who, lesson: &Lesson<'_>) -> Fact {
    let addresses: Vec<&str> = who.addresses.iter().map(Address::canonical).collect();
    let customer = who.customer.as_ref().map_or("", |customer| customer.as_str());
    let person = who.person.as_ref().map_or("", |person| person.as_str());
    let rest = format!("{:?} {:?} {:?} {:?}", who.country, who.audience, who.professional, who.birth);
    let id = FactId::of(&[
        record.system.as_str(),
        record.record.as_str(),
        "seen",
        &addresses.join("\n"),
        customer,
        person,
        &rest,
    ]);
    Fact { actor: Actor::Machine, ..blank(id, record, who, lesson) }
}

fn blank(id: FactId, record: &RecordRef, who: &Who, lesson: &Lesson<'_>) -> Fact {
    Fact {
        id,
        system: record.system.clone(),
        record: Some(record.record.clone()),
        who: who.clone(),
        observed_at: lesson.observed_at,
        occurred: Occurred::Unknown,
        seq: None,
        actor: Actor::DataSubject,
        via: Via::Message,
        scope: Scope { purposes: Purposes::AllMarketing, channels: Channels::one(Channel::Email) },
        kind: Kind::Attribute,
        echo_of: None,
    }
}

/// Whether two identities say the same, spelling of addresses included.
fn same_identity(a: &Who, b: &Who) -> bool {
    a == b && a.addresses.iter().zip(&b.addresses).all(|(a, b)| a.raw() == b.raw())
}
