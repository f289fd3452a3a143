//! The closed vocabularies of the schema, and values with a form of their own: moments, days, levels.
//!
//! Each refuses what it does not know and says what it knows.

use std::fmt;
use std::marker::PhantomData;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use unisson_consent::{
    Activity, Actor, Audience, Basis, Bounce, Channel, Clock, ConsentStatus, Country, Family, HoldBasis, Level, Need,
    Normalisation, Occurred, Propagate, Reason, Relation, Resubscribe, Status, Verb, Verdict, Via,
};

use crate::nearest::{instead, shown};

/// The most days of any duration: about a thousand years.
const DAYS_MAX: u32 = 366_000;

/// A closed vocabulary.
pub(crate) trait Word: Copy + 'static {
    /// What one of the words is called in messages.
    const WHAT: &'static str;

    /// Every word with what it means.
    fn words() -> Vec<(&'static str, Self)>;

    /// Reads a word.
    fn read(text: &str) -> Result<Self, String> {
        let words = Self::words();
        words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning).ok_or_else(|| {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            format!("`{}` is no {}; {}", shown(text), Self::WHAT, instead(text, &known))
        })
    }
}

/// A word of a vocabulary, as the schema writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Of<T>(pub(crate) T);

impl<'de, T: Word> Deserialize<'de> for Of<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        T::read(&text).map(Self).map_err(D::Error::custom)
    }
}

/// Turns pairs of meaning and name, as the law lists them, into words.
fn named<T: Copy>(pairs: &[(T, &'static str)]) -> Vec<(&'static str, T)> {
    pairs.iter().map(|(meaning, name)| (*name, *meaning)).collect()
}

/// Declares vocabularies whose words are written out here.
macro_rules! vocabulary {
    ($($type:ty, $what:literal: $($word:literal => $meaning:expr),+;)+) => {$(
        impl Word for $type {
            const WHAT: &'static str = $what;

            fn words() -> Vec<(&'static str, Self)> {
                vec![$(($word, $meaning)),+]
            }
        }
    )+};
}

/// Declares vocabularies that the law lists itself.
macro_rules! of_the_law {
    ($($type:ty, $what:literal;)+) => {$(
        impl Word for $type {
            const WHAT: &'static str = $what;

            fn words() -> Vec<(&'static str, Self)> {
                named(&Self::ALL)
            }
        }
    )+};
}

of_the_law! {
    Actor, "actor";
    Status, "status of a snapshot";
    Relation, "relation";
    Activity, "activity";
    Need, "condition of a basis rule";
    Basis, "legal basis";
    Verb, "verb";
}

vocabulary! {
    Family, "family of purposes": "dm" => Self::Marketing, "service" => Self::Service;
    Clock, "clock": "host" => Self::Host, "good" => Self::Good, "poor" => Self::Poor, "none" => Self::None;
    Resubscribe, "way to resubscribe":
        "allowed" => Self::Allowed, "vendor_doi" => Self::VendorDoi, "forbidden" => Self::Forbidden;
    Propagate, "reach of a negative": "subject" => Self::Subject, "address" => Self::Address;
    Audience, "audience": "b2c" => Self::B2c, "b2b" => Self::B2b;
    Via, "place where an act was performed": "message" => Self::Message, "account" => Self::Account;
    Verdict, "decision": "allow" => Self::Allow, "ask" => Self::Ask, "deny" => Self::Deny;
    HoldBasis, "ground of a hold":
        "art17_3_b" => Self::LegalObligation, "art17_3_e" => Self::LegalClaims, "contract" => Self::Contract;
    Bounce, "category of bounces":
        "hard" => Self::Hard, "soft" => Self::Soft, "reassigned" => Self::Reassigned, "sender" => Self::Sender;
    Normalisation, "normalisation":
        "trim_lower" => Self::TrimLower, "google_dots" => Self::GoogleDots, "uid2" => Self::Uid2;
}

/// How a digest was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Digest {
    Md5,
    Sha1,
    Sha256,
}

/// Whether a box was ticked beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ticked {
    Yes,
    No,
    Unknown,
}

/// When a consent follows a change of address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carry {
    Verified,
    Never,
}

/// A widening of suppression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alias {
    Plus,
    GmailDots,
}

vocabulary! {
    Digest, "digest": "md5" => Self::Md5, "sha1" => Self::Sha1, "sha256" => Self::Sha256;
    Ticked, "answer to whether a box was pre-ticked":
        "true" => Self::Yes, "false" => Self::No, "unknown" => Self::Unknown;
    Carry, "rule for a change of address": "verified" => Self::Verified, "never" => Self::Never;
    Alias, "widening of suppression": "plus" => Self::Plus, "gmail_dots" => Self::GmailDots;
}

impl Word for Channel {
    const WHAT: &'static str = "channel";

    fn words() -> Vec<(&'static str, Self)> {
        Self::ALL.into_iter().map(|channel| (channel.as_str(), channel)).collect()
    }
}

impl Word for ConsentStatus {
    const WHAT: &'static str = "status";

    fn words() -> Vec<(&'static str, Self)> {
        [
            Self::Unknown,
            Self::Requested,
            Self::Unqualified,
            Self::Granted,
            Self::NotRequired,
            Self::Expired,
            Self::Lapsed,
            Self::Invalidated,
            Self::Refused,
            Self::Withdrawn,
            Self::Objected,
            Self::Erased,
        ]
        .into_iter()
        .map(|status| (status.as_str(), status))
        .collect()
    }
}

impl Word for Reason {
    const WHAT: &'static str = "reason";

    fn words() -> Vec<(&'static str, Self)> {
        let denials = [
            Self::Consent,
            Self::Erased,
            Self::Restricted,
            Self::OperatorBlock,
            Self::IdentityConflict,
            Self::AddressRetired,
            Self::Undeliverable,
            Self::Complaint,
            Self::Objected,
            Self::Withdrawn,
            Self::Refused,
            Self::Reassigned,
            Self::Invalidated,
            Self::Expired,
            Self::Lapsed,
            Self::MinorGuardianMissing,
            Self::Unqualified,
            Self::Requested,
            Self::Unknown,
        ];
        let bases = Basis::ALL.into_iter().map(|(basis, _)| Self::Basis(basis));
        denials.into_iter().chain(bases).map(|reason| (reason.as_str(), reason)).collect()
    }
}

/// Declares values that are read from text by a function.
macro_rules! read_from_text {
    ($($(#[$doc:meta])* $name:ident($inner:ty): $read:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) $inner);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let read: fn(&str) -> Result<$inner, String> = $read;
                read(&String::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
            }
        }
    )+};
}

read_from_text! {
    /// An instant with its zone.
    Moment(Timestamp): |text| text.trim().parse().map_err(|_| {
        format!("`{}` is no moment; write it with its zone, such as 2026-11-23T00:00:00Z", shown(text))
    });
    /// The time of an event as its source gave it.
    Happened(Occurred): |text| match Occurred::parse(text) {
        Occurred::Unknown => Err(format!(
            "`{}` is no time; write 2026-05-02T08:05:00Z, 2026-05-02T08:05:00 (local), 2026-05-02 (a day) or null",
            shown(text)
        )),
        known => Ok(known),
    };
    /// A calendar day.
    Day(Date): |text| text.trim().parse().map_err(|_| format!("`{}` is no day; write it as 2013-02-01", shown(text)));
    /// A time zone by its name.
    Zone(TimeZone): |text| TimeZone::get(text.trim()).map_err(|_| {
        format!("`{}` is no time zone; write its name in the time zone database, such as Europe/Paris", shown(text))
    });
    /// A country.
    Land(Country): |text| Country::parse(text).ok_or_else(|| {
        format!("`{}` is no country; write its two letters of ISO 3166-1, such as FR", shown(text))
    });
}

/// A level of evidence by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rank(pub(crate) Level);

impl<'de> Deserialize<'de> for Rank {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u8::deserialize(deserializer)?;
        let refused = || D::Error::custom(format!("{number} is no level of evidence; known are 0 to 5"));
        Level::from_number(number).map(Self).ok_or_else(refused)
    }
}

/// A duration in days of 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Days(pub(crate) SignedDuration);

impl<'de> Deserialize<'de> for Days {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let days = u32::deserialize(deserializer)?;
        if days > DAYS_MAX {
            return Err(D::Error::custom(format!("{days} days are too long; the most are {DAYS_MAX}")));
        }
        Ok(Self(SignedDuration::from_hours(24 * i64::from(days))))
    }
}

/// One value or a list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Many<T>(pub(crate) Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(AllOrVisitor { all: None, item: PhantomData })? {
            AllOr::Some(items) => Ok(Self(items)),
            AllOr::All => Ok(Self(Vec::new())),
        }
    }
}

/// One value, a list of them, or a word that stands for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AllOr<T> {
    All,
    Some(Vec<T>),
}

struct AllOrVisitor<T> {
    all: Option<&'static str>,
    item: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for AllOrVisitor<T> {
    type Value = AllOr<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.all {
            Some(all) => write!(f, "a list or `{all}`"),
            None => f.write_str("a list"),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<AllOr<T>, E> {
        if self.all == Some(text) {
            return Ok(AllOr::All);
        }
        let one = T::deserialize(serde::de::value::StrDeserializer::<E>::new(text))?;
        Ok(AllOr::Some(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<AllOr<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(AllOr::Some(list))
    }
}

/// Purposes by name, or `all_dm`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PurposeNames(pub(crate) AllOr<String>);

/// Channels by name, or `all`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChannelNames(pub(crate) AllOr<Of<Channel>>);

impl<'de> Deserialize<'de> for PurposeNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AllOrVisitor { all: Some("all_dm"), item: PhantomData }).map(Self)
    }
}

impl<'de> Deserialize<'de> for ChannelNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AllOrVisitor { all: Some("all"), item: PhantomData }).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Does not compile before a new status or reason is named here, and so looked for among the words.
    fn place_of(reason: Reason) -> u8 {
        match reason {
            Reason::Consent | Reason::Basis(_) => 0,
            Reason::Erased => 1,
            Reason::Restricted => 2,
            Reason::OperatorBlock => 3,
            Reason::IdentityConflict => 4,
            Reason::AddressRetired => 5,
            Reason::Undeliverable => 6,
            Reason::Complaint => 7,
            Reason::Objected => 8,
            Reason::Withdrawn => 9,
            Reason::Refused => 10,
            Reason::Reassigned => 11,
            Reason::Invalidated => 12,
            Reason::Expired => 13,
            Reason::Lapsed => 14,
            Reason::MinorGuardianMissing => 15,
            Reason::Unqualified => 16,
            Reason::Requested => 17,
            Reason::Unknown => 18,
        }
    }

    #[test]
    fn every_reason_and_status_of_the_law_can_be_expected() {
        let reasons: BTreeSet<u8> = Reason::words().into_iter().map(|(_, reason)| place_of(reason)).collect();
        assert_eq!(reasons.len(), 19);
        assert_eq!(Reason::words().len(), 19 + Basis::ALL.len());
        let statuses: BTreeSet<&str> = ConsentStatus::words().into_iter().map(|(word, _)| word).collect();
        assert_eq!(statuses.len(), ConsentStatus::Erased as usize + 1);
    }

    #[test]
    fn every_word_is_read_as_what_it_means() {
        fn holds<T: Word + PartialEq>() -> bool {
            T::words().into_iter().all(|(word, meaning)| T::read(word).is_ok_and(|read| read == meaning))
        }
        assert!(holds::<Reason>() && holds::<ConsentStatus>() && holds::<Verb>() && holds::<Channel>());
        assert!(holds::<Status>() && holds::<Actor>() && holds::<Basis>() && holds::<crate::schema::Event>());
    }
}
