//! Words from closed lists: channels, bases, clocks, countries. A word that is not in its list is refused with the
//! nearest one.

use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use unisson_consent::{Audience, Basis, Channel, Clock, Country, Family, Level, Propagate, Resubscribe};

use crate::nearest::{instead, nearest};

/// The longest name of a purpose, a rule or an instance, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 64;

/// A type that is written as a word from a closed list.
pub(crate) trait Vocabulary: Sized {
    /// What such a word names, with its article.
    const NAMES: &'static str;

    /// Every word of the list.
    fn words() -> Vec<&'static str>;

    /// The meaning of a word; `None` for anything else.
    fn meaning(word: &str) -> Option<Self>;
}

/// A word that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Word<T>(pub(crate) T);

impl<'de, T: Vocabulary> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |word: &str| {
            T::meaning(word).map(Self).ok_or_else(|| format!("is not {}; {}", T::NAMES, instead(word, &T::words())))
        };
        deserializer.deserialize_str(Text { expected: T::NAMES, read, made: PhantomData })
    }
}

impl Vocabulary for Channel {
    const NAMES: &'static str = "a channel";

    fn words() -> Vec<&'static str> {
        Self::ALL.iter().map(|channel| channel.as_str()).collect()
    }

    fn meaning(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

impl Vocabulary for Basis {
    const NAMES: &'static str = "a legal basis";

    fn words() -> Vec<&'static str> {
        Self::ALL.iter().map(|(_, word)| *word).collect()
    }

    fn meaning(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

impl Vocabulary for Clock {
    const NAMES: &'static str = "a kind of clock";

    fn words() -> Vec<&'static str> {
        vec!["host", "good", "poor", "none"]
    }

    fn meaning(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

impl Vocabulary for Resubscribe {
    const NAMES: &'static str = "a way a platform takes people back";

    fn words() -> Vec<&'static str> {
        vec!["allowed", "vendor_doi", "forbidden"]
    }

    fn meaning(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

impl Vocabulary for Audience {
    const NAMES: &'static str = "an audience";

    fn words() -> Vec<&'static str> {
        vec!["b2c", "b2b"]
    }

    fn meaning(word: &str) -> Option<Self> {
        match word {
            "b2c" => Some(Self::B2c),
            "b2b" => Some(Self::B2b),
            _ => None,
        }
    }
}

impl Vocabulary for Family {
    const NAMES: &'static str = "a family of purposes";

    fn words() -> Vec<&'static str> {
        vec!["marketing", "service"]
    }

    fn meaning(word: &str) -> Option<Self> {
        match word {
            "marketing" => Some(Self::Marketing),
            "service" => Some(Self::Service),
            _ => None,
        }
    }
}

impl Vocabulary for Propagate {
    const NAMES: &'static str = "a reach of refusals";

    fn words() -> Vec<&'static str> {
        vec!["subject", "address"]
    }

    fn meaning(word: &str) -> Option<Self> {
        match word {
            "subject" => Some(Self::Subject),
            "address" => Some(Self::Address),
            _ => None,
        }
    }
}

/// A level of evidence, written as its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LevelNumber(pub(crate) Level);

impl<'de> Deserialize<'de> for LevelNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        let level = u8::try_from(number).ok().and_then(Level::from_number);
        level.map(Self).ok_or_else(|| {
            D::Error::custom("is no level of evidence; write a number from 0 (nothing) over 3 (provable) to 5 (signed)")
        })
    }
}

/// A country of ISO 3166-1, written as its two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CountryCode(pub(crate) Country);

impl<'de> Deserialize<'de> for CountryCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| country(text).map(Self);
        deserializer.deserialize_str(Text { expected: "the two letters of a country", read, made: PhantomData })
    }
}

/// Codes in wide use that are not those of ISO 3166-1, and the ones that are.
const HABITS: [(&str, &str); 2] = [("UK", "GB"), ("EL", "GR")];

/// Reads the two letters of a country that exists; the error offers the nearest one.
pub(crate) fn country(text: &str) -> Result<Country, String> {
    let known = celes::Country::from_alpha2(text).ok().and_then(|_| Country::parse(text));
    known.ok_or_else(|| {
        let habit = HABITS.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(text)).map(|(_, code)| code);
        match habit.or_else(|| meant(text)) {
            Some(code) => format!("is not the code of a country; did you mean {code:?}?"),
            None => "is not the code of a country; write two letters of ISO 3166-1 such as \"FR\"".to_owned(),
        }
    })
}

/// The code of the country that has this name, or nearly this name.
fn meant(text: &str) -> Option<&'static str> {
    if let Ok(country) = text.parse::<celes::Country>() {
        return Some(country.alpha2);
    }
    let all = celes::Country::get_countries();
    let name = nearest(text, all.iter().map(|country| country.long_name))?;
    all.iter().find(|country| country.long_name == name).map(|country| country.alpha2)
}

/// A zone of the IANA database, such as `Europe/Paris`.
#[derive(Debug, Clone)]
pub(crate) struct Zone(pub(crate) TimeZone);

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |name: &str| {
            TimeZone::get(name).map(Self).map_err(|_| {
                let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.as_str().to_owned()).collect();
                let meant = nearest(name, known.iter().map(String::as_str));
                format!("is no time zone; write a name such as {:?}", meant.unwrap_or("Europe/Paris"))
            })
        };
        deserializer.deserialize_str(Text { expected: "the name of a time zone", read, made: PhantomData })
    }
}

/// A moment with its zone. A time without one could be any of 26 hours, and a law does not begin on a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const HOW: &str = "write for example \"2026-10-31T23:00:00Z\" or \"2026-08-11T00:00:00+02:00\"";
        let read = |text: &str| {
            text.parse::<Timestamp>().map(Self).map_err(|_| {
                let local = text.parse::<jiff::civil::DateTime>().is_ok();
                if local {
                    format!("has no time zone; {HOW}")
                } else {
                    format!("is no date and time with a zone; {HOW}")
                }
            })
        };
        deserializer.deserialize_str(Text { expected: "a date and time with its zone", read, made: PhantomData })
    }
}

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day(pub(crate) Date);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| {
            // The calendar's own reader takes a date with a time for its date.
            let day = text.parse::<Date>().ok().filter(|day| day.to_string() == text);
            day.map(Self).ok_or_else(|| "is no day; write for example \"2026-12-25\"".to_owned())
        };
        deserializer.deserialize_str(Text { expected: "a day in quotes", read, made: PhantomData })
    }
}

/// A name that someone chose: of a purpose, a rule, an instance, an edition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name(pub(crate) String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| check_name(text).map(|()| Self(text.to_owned()));
        deserializer.deserialize_str(Text { expected: "a name in quotes", read, made: PhantomData })
    }
}

/// Whether text can be a name: it turns up on command lines, in environment variables and in reports.
pub(crate) fn check_name(text: &str) -> Result<(), String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    if text.is_empty() || text.len() > NAME_BYTES_MAX || !text.bytes().all(allowed) {
        return Err(format!(
            "is no name; write up to {NAME_BYTES_MAX} letters, digits, dots, hyphens and underscores without accents"
        ));
    }
    Ok(())
}

/// Reads text by a function; any other kind of value is named as such.
pub(crate) struct Text<T, F> {
    pub(crate) expected: &'static str,
    pub(crate) read: F,
    pub(crate) made: PhantomData<T>,
}

impl<T, F: FnOnce(&str) -> Result<T, String>> Visitor<'_> for Text<T, F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.read)(text).map_err(E::custom)
    }
}
