//! What the mail platform's two audiences hold of each person at the start.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::person::{Person, System};
use super::plot::Plot;

/// The two audiences of the mail platform. They are independent: an opt-out in one does not touch the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The letter, with marketing permissions (GDPR fields) and double opt-in.
    Letter,
    /// The events, without marketing permissions, with a merge field that must be filled.
    Events,
}

impl Audience {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Letter, Self::Events];

    /// The audience's id in URLs.
    pub fn id(self) -> &'static str {
        match self {
            Self::Letter => "a1f0c3d9e7",
            Self::Events => "b7e2d4a680",
        }
    }

    /// The audience's name.
    pub fn title(self) -> &'static str {
        match self {
            Self::Letter => "Letter",
            Self::Events => "Events",
        }
    }

    /// The same as a place that holds people.
    pub fn system(self) -> System {
        match self {
            Self::Letter => System::Letter,
            Self::Events => System::Events,
        }
    }

    /// The audience of this id.
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|audience| audience.id() == id)
    }
}

/// The status of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Gets mail.
    Subscribed,
    /// Left, by whatever hand.
    Unsubscribed,
    /// Bounced for good or complained.
    Cleaned,
    /// Has not confirmed yet.
    Pending,
    /// A customer who never subscribed.
    Transactional,
    /// Out of use; listed only where it is asked for.
    Archived,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Subscribed, Self::Unsubscribed, Self::Cleaned, Self::Pending, Self::Transactional, Self::Archived];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subscribed => "subscribed",
            Self::Unsubscribed => "unsubscribed",
            Self::Cleaned => "cleaned",
            Self::Pending => "pending",
            Self::Transactional => "transactional",
            Self::Archived => "archived",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no status of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "read a status that is none of subscribed, unsubscribed, cleaned, pending, transactional and archived; use one of these"
)]
pub struct UnknownStatus;

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(word: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == word).ok_or(UnknownStatus)
    }
}

/// Whether the platform lets an API set a member back to subscribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// It does.
    Open,
    /// An administrator or the API unsubscribed them; some accounts refuse.
    Admin,
    /// The person left, bounced or complained: refused.
    Compliance,
}

/// Why a member left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// They did not, or nobody asked.
    None,
    /// The person said that they want no more.
    NoLonger,
    /// The person said that they never signed up.
    NeverSigned,
    /// An administrator did it.
    Admin,
    /// The address is dead.
    Bounce,
    /// The person reported spam.
    Abuse,
}

impl Reason {
    /// The text on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::None | Self::Bounce => "",
            Self::NoLonger => "I no longer want to receive these emails",
            Self::NeverSigned => "I never signed up for this mailing list",
            Self::Admin => "N/A (Unsubscribed by an admin)",
            Self::Abuse => "Marked as spam",
        }
    }
}

/// How a member came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A form on the shop's site.
    EmbedForm,
    /// A form of the platform.
    HostedForm,
    /// A list from a file.
    Import,
    /// The API.
    Api,
}

impl Source {
    /// The text on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::EmbedForm => "Embed Form",
            Self::HostedForm => "Hosted Signup Form",
            Self::Import => "Import",
            Self::Api => "API - Generic",
        }
    }
}

/// A member as the population begets it. Times are seconds since 1970, zero where the platform has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemberSeed {
    pub(crate) status: Status,
    pub(crate) lock: Lock,
    pub(crate) reason: Reason,
    pub(crate) source: Source,
    /// Sign-up time; its network address is known exactly where this is.
    pub(crate) signed_up: i64,
    /// Opt-in time.
    pub(crate) opted_in: i64,
    /// Whether the network address of the opt-in is known.
    pub(crate) opt_ip: bool,
    pub(crate) changed: i64,
    /// One bit per interest.
    pub(crate) topics: u8,
    /// One bit per marketing permission.
    pub(crate) permissions: u8,
    /// Whether they take short messages.
    pub(crate) sms: bool,
}

/// Every topic or permission.
const TOPICS_ALL: u8 = 0b111;

/// The bit of the topic that carries no offers: news only.
const NEWS_ONLY: u8 = 0b001;

impl MemberSeed {
    /// What this audience holds of this person; `None` where it does not know them.
    pub(crate) fn of(audience: Audience, person: &Person) -> Option<Self> {
        match audience {
            Audience::Letter => letter(person),
            Audience::Events => events(person),
        }
    }
}

fn subscribed(person: &Person) -> MemberSeed {
    let dates = person.dates;
    MemberSeed {
        status: Status::Subscribed,
        lock: Lock::Open,
        reason: Reason::None,
        source: Source::EmbedForm,
        signed_up: dates.signed_up,
        opted_in: dates.confirmed,
        opt_ip: true,
        changed: dates.confirmed,
        topics: TOPICS_ALL,
        permissions: TOPICS_ALL,
        sms: person.draws.sms < 40 && person.phone().is_some(),
    }
}

fn single(person: &Person) -> MemberSeed {
    let dates = person.dates;
    MemberSeed { opted_in: dates.signed_up, changed: dates.signed_up, source: Source::HostedForm, ..subscribed(person) }
}

/// Brought in by a list: no sign-up, no network address, nothing to show.
fn imported(person: &Person) -> MemberSeed {
    let at = person.dates.signed_up;
    MemberSeed { signed_up: 0, opted_in: at, opt_ip: false, changed: at, source: Source::Import, ..subscribed(person) }
}

fn gone(person: &Person, status: Status, reason: Reason) -> MemberSeed {
    MemberSeed { status, lock: Lock::Compliance, reason, changed: person.dates.left, ..single(person) }
}

fn letter(person: &Person) -> Option<MemberSeed> {
    let dates = person.dates;
    let seed = match person.plot() {
        Plot::Proven | Plot::LeftAllInCrm | Plot::Cased => subscribed(person),
        Plot::Single
        | Plot::LeftInCrm
        | Plot::BouncedInCrm
        | Plot::Tagged
        | Plot::Role
        | Plot::Malformed
        | Plot::LeftEvents => single(person),
        Plot::Unproven => imported(person),
        Plot::Torn | Plot::LeftLetter | Plot::Reimported | Plot::Idn => {
            gone(person, Status::Unsubscribed, Reason::NoLonger)
        }
        Plot::TwoAddresses => gone(person, Status::Unsubscribed, Reason::NeverSigned),
        Plot::Bounced => gone(person, Status::Cleaned, Reason::Bounce),
        Plot::Complained => gone(person, Status::Cleaned, Reason::Abuse),
        Plot::Waiting => MemberSeed {
            status: Status::Pending,
            opted_in: 0,
            opt_ip: false,
            changed: dates.signed_up,
            ..subscribed(person)
        },
        Plot::Archived => MemberSeed { status: Status::Archived, changed: dates.left, ..single(person) },
        Plot::CustomerOnly => MemberSeed {
            status: Status::Transactional,
            source: Source::Api,
            signed_up: 0,
            opted_in: 0,
            opt_ip: false,
            changed: dates.bought,
            topics: 0,
            permissions: 0,
            sms: false,
            ..subscribed(person)
        },
        Plot::WithoutOffers => {
            MemberSeed { topics: NEWS_ONLY, permissions: NEWS_ONLY, changed: dates.left, ..subscribed(person) }
        }
        Plot::RemovedByAdmin => MemberSeed {
            status: Status::Unsubscribed,
            lock: Lock::Admin,
            reason: Reason::Admin,
            changed: dates.left,
            ..single(person)
        },
        Plot::CallOnly | Plot::FileOnly | Plot::CrmOnly => return None,
    };
    Some(seed)
}

fn events(person: &Person) -> Option<MemberSeed> {
    let seed = match person.plot() {
        Plot::Torn | Plot::LeftAllInCrm => single(person),
        Plot::LeftEvents => gone(person, Status::Unsubscribed, Reason::NoLonger),
        Plot::Proven | Plot::Single | Plot::LeftLetter | Plot::Bounced | Plot::Idn if person.draws.events < 30 => {
            single(person)
        }
        Plot::Unproven if person.draws.events < 10 => imported(person),
        _ => return None,
    };
    Some(MemberSeed { permissions: 0, sms: false, topics: 0b11, ..seed })
}
