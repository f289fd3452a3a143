//! What a pull brings: pages of observations in the vendor's own words, and a proof of end.

use unisson_consent::{
    Actor, Audience, Channels, Country, CustomerNo, Evidence, Kind, ListId, Occurred, PersonId, RecordId, Scope,
    Status, Via,
};

use jiff::civil::Date;

/// A place in a stream. Opaque to the host; a connector reads only its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor(pub String);

/// One of the sequences a connector can be read by: an audience, a listing, a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub String);

/// A stream as its platform shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its id, stable across runs.
    pub id: StreamId,
    /// Its name for people.
    pub title: String,
}

/// Identifiers and attributes of one record, as the platform spells them.
///
/// Only what consent needs is taken: names and profile fields are never read (data minimisation, art. 5(1)(c)).
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// E-mail addresses, the primary one first.
    pub emails: Vec<String>,
    /// Telephone numbers, the primary one first.
    pub phones: Vec<String>,
    /// Postal addresses.
    pub postals: Vec<String>,
    /// The customer number shared with other systems.
    pub customer: Option<CustomerNo>,
    /// The person's id where people share a mailbox.
    pub person: Option<PersonId>,
    /// The country.
    pub country: Option<Country>,
    /// Consumer or business.
    pub audience: Option<Audience>,
    /// Whether the address is a professional one.
    pub professional: Option<bool>,
    /// The day of birth.
    pub birth: Option<Date>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({} emails, {} phones, …)", self.emails.len(), self.phones.len())
    }
}

/// Whether a record is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Presence {
    /// It is.
    #[default]
    Present,
    /// Kept, but out of use. Neither a withdrawal nor an erasure.
    Archived,
    /// Gone.
    Deleted,
}

/// What a record shows for one list, topic or channel: its present state, not its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Which list or purposes, over which channels. The scope is the slot's key within its record.
    pub scope: Scope,
    /// What it shows, in canonical words.
    pub status: Status,
    /// Since when, as the vendor says.
    pub since: Occurred,
    /// Who made it so, as far as the vendor tells.
    pub actor: Actor,
    /// What the vendor can show for an opt-in.
    pub evidence: Evidence,
}

/// Something that happened once and will not be told again by the present state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The platform's own id for it; without one, what happened identifies it.
    pub native_id: Option<String>,
    /// What happened.
    pub kind: Kind,
    /// When, as the platform says.
    pub occurred: Occurred,
    /// Its place in the platform's ordered log.
    pub seq: Option<u64>,
    /// Who did it.
    pub actor: Actor,
    /// Where it was done.
    pub via: Via,
    /// What it covers.
    pub scope: Scope,
}

/// One record as the platform shows it now, with what is known to have happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Its native id, unique within the instance and stable when an address changes.
    pub record: RecordId,
    /// Whose it is.
    pub who: Identity,
    /// Whether it is there.
    pub presence: Presence,
    /// Its present state for each list, topic or channel.
    pub slots: Vec<Slot>,
    /// What happened to it.
    pub events: Vec<Event>,
}

/// A row that could not be read. It is data: reported with its place, never a failed page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Where: a line number, a position on a page. Never an address.
    pub place: String,
    /// Why, in words that say what to mend.
    pub reason: String,
}

/// Why a connector may say that it has seen everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proof {
    /// The platform said so.
    EndFlag,
    /// The platform gave no further link or token, and documents that as the end.
    NoNextLink,
    /// As many as the platform counts were seen.
    TotalReached,
    /// A short page, where the vendor documents that as the end.
    ShortPage,
    /// The file ended where a file ends.
    EndOfFile,
}

/// What follows a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// More of the same pass, from here.
    More(Cursor),
    /// The pass is complete.
    End {
        /// Why that is certain.
        proof: Proof,
        /// Where the next incremental pass starts; `None` where every pass is a full sweep.
        resume: Option<Cursor>,
    },
}

/// One answer of a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What was read.
    pub observations: Vec<Observation>,
    /// What could not be read.
    pub rejects: Vec<Reject>,
    /// What follows.
    pub next: Next,
}

/// A list, audience or topic as `check` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The id that the configuration maps to a purpose.
    pub id: ListId,
    /// Its name on the platform.
    pub title: String,
    /// The channels it is about.
    pub channels: Channels,
    /// How many are on it, where the platform says.
    pub members: Option<u64>,
}

/// What a probe found out without writing anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// The account's name or id on its platform; nothing personal.
    pub name: String,
    /// Its lists, audiences and topics.
    pub lists: Vec<Listing>,
    /// What the credentials cannot do, in words that say how to mend it.
    pub gaps: Vec<String>,
    /// What else an operator should know, such as a detected encoding.
    pub notes: Vec<String>,
}
