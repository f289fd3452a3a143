//! The last known state of each remote record, and what it takes to see that nothing changed.

use jiff::Timestamp;
use sha2::Digest as _;
use unisson_connector::{Event, Identity, Observation, Presence, Slot, StreamId};
use unisson_consent::{Address, AddressKind, Evidence, Occurred, PurposeId, Purposes, RecordRef, Scope, Status, Who};

/// A number that the store gave to a subject. Opaque, never derived from an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectNo(pub u64);

/// A number that the store gave to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordNo(pub u64);

/// A digest of everything an observation says: equal digests mean that there is nothing to learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub [u8; 16]);

/// What a remote record showed last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// Which record.
    pub record: RecordRef,
    /// The stream that showed it.
    pub stream: StreamId,
    /// Whether it is there.
    pub presence: Presence,
    /// Who it says it is.
    pub who: Who,
    /// What it shows for each list, topic or channel.
    pub slots: Vec<ReplicaSlot>,
    /// The digest of the observation; [`Digest::default`] after a write of ours, so that the next one is compared in full.
    pub digest: Digest,
}

/// What one slot of a remote record showed last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaSlot {
    /// Which list or purposes, over which channels.
    pub scope: Scope,
    /// What it shows.
    pub status: Status,
    /// Since when, as the vendor says.
    pub since: Occurred,
    /// A digest of what it could show for an opt-in, and by whom: a corrected proof is news though nothing else moved.
    pub proof: u64,
    /// How often it has changed by others than us: each change is an event of its own.
    pub turn: u32,
    /// What we wrote there last, while an echo or a stale read may still come.
    pub wrote: Option<Wrote>,
}

/// A write of ours to a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrote {
    /// What it showed before.
    pub before: Status,
    /// What we made it.
    pub status: Status,
    /// When the platform acknowledged it.
    pub at: Timestamp,
}

impl Replica {
    /// The slot of this scope.
    pub fn slot(&self, scope: &Scope) -> Option<&ReplicaSlot> {
        self.slots.iter().find(|slot| slot.scope == *scope)
    }

    /// The primary address of a kind.
    pub fn address(&self, kind: AddressKind) -> Option<&Address> {
        self.who.addresses.iter().find(|address| address.kind() == kind)
    }
}

/// The digest of what a slot shows for an opt-in, and by whom.
pub(crate) fn proof_of(slot: &Slot) -> u64 {
    let mut feed = Feed(sha2::Sha256::new());
    feed.number(slot.actor as u64);
    feed.evidence(&slot.evidence);
    let whole = feed.0.finalize();
    let mut proof = [0; 8];
    proof.copy_from_slice(&whole[..8]);
    u64::from_le_bytes(proof)
}

impl Digest {
    /// The digest of an observation. It never leaves the store and is not reversible by trying addresses alone, since it
    /// covers the whole record.
    pub fn of(observation: &Observation) -> Self {
        let mut feed = Feed(sha2::Sha256::new());
        feed.text(observation.record.as_str());
        feed.number(observation.presence as u64);
        feed.identity(&observation.who);
        feed.number(observation.slots.len() as u64);
        for slot in &observation.slots {
            feed.slot(slot);
        }
        feed.number(observation.events.len() as u64);
        for event in &observation.events {
            feed.event(event);
        }
        let whole = feed.0.finalize();
        let mut digest = [0; 16];
        digest.copy_from_slice(&whole[..16]);
        Self(digest)
    }
}

/// Feeds values to a digest so that no two different sequences feed the same bytes.
struct Feed(sha2::Sha256);

impl Feed {
    fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.update(text.as_bytes());
    }

    fn texts<'t>(&mut self, texts: impl ExactSizeIterator<Item = &'t str>) {
        self.number(texts.len() as u64);
        texts.for_each(|text| self.text(text));
    }

    fn identity(&mut self, who: &Identity) {
        for list in [&who.emails, &who.phones, &who.postals] {
            self.texts(list.iter().map(String::as_str));
        }
        self.text(who.customer.as_ref().map_or("", |customer| customer.as_str()));
        self.text(who.person.as_ref().map_or("", |person| person.as_str()));
        self.text(who.country.as_ref().map_or("", |country| country.as_str()));
        self.number(who.audience.map_or(0, |audience| audience as u64 + 1));
        self.number(who.professional.map_or(0, |professional| u64::from(professional) + 1));
        self.text(&who.birth.map(|birth| birth.to_string()).unwrap_or_default());
    }

    fn slot(&mut self, slot: &Slot) {
        self.scope(&slot.scope);
        self.number(slot.status as u64);
        self.occurred(slot.since);
        self.number(slot.actor as u64);
        self.evidence(&slot.evidence);
    }

    fn event(&mut self, event: &Event) {
        self.text(event.native_id.as_deref().unwrap_or(""));
        // The kind carries no personal data, and its debug form tells every field of it apart.
        self.text(&format!("{:?}", event.kind));
        self.occurred(event.occurred);
        self.number(event.seq.map_or(0, |seq| seq.wrapping_add(1)));
        self.number(event.actor as u64);
        self.scope(&event.scope);
    }

    fn scope(&mut self, scope: &Scope) {
        self.number(u64::from(scope.channels.bits()));
        match &scope.purposes {
            Purposes::AllMarketing => self.number(0),
            Purposes::Named(named) => {
                self.number(1);
                self.texts(named.iter().map(PurposeId::as_str));
            }
            Purposes::List(list) => {
                self.number(2);
                self.text(list.as_str());
            }
        }
    }

    fn occurred(&mut self, occurred: Occurred) {
        match occurred {
            Occurred::Unknown => self.number(0),
            Occurred::Instant(at) => {
                self.number(1);
                self.0.update(at.as_nanosecond().to_le_bytes());
            }
            Occurred::Local(at) => {
                self.number(2);
                self.text(&at.to_string());
            }
            Occurred::Day(day) => {
                self.number(3);
                self.text(&day.to_string());
            }
        }
    }

    fn evidence(&mut self, evidence: &Evidence) {
        let flags = [
            evidence.capture,
            evidence.controller_named,
            evidence.purpose_specific,
            evidence.affirmative,
            evidence.bundled,
            evidence.inferred,
            evidence.doi,
            evidence.authenticated,
            evidence.signed,
            evidence.document,
        ];
        self.number(flags.iter().fold(0, |bits, flag| bits << 1 | u64::from(*flag)));
        self.number(evidence.pre_ticked.map_or(0, |ticked| u64::from(ticked) + 1));
        self.text(evidence.notice.as_ref().map_or("", |notice| notice.as_str()));
    }
}
