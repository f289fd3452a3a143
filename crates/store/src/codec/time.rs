//! Times: instants as whole seconds and nanoseconds, vendor times in the words of their source; and integers for columns.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};
use unisson_consent::Occurred;

use super::envelope::corrupt;
use crate::error::Result;

/// An instant as nanoseconds since 1970, for a column. What lies outside the years 1677 to 2262 becomes the nearest end.
pub fn nanos(at: Timestamp) -> i64 {
    let nanos = at.as_nanosecond();
    i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

/// The instant of a column.
pub fn instant(nanos: i64) -> Timestamp {
    // Every i64 of nanoseconds lies within the range of timestamps.
    Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or_default()
}

/// The stored form of an instant, exact over the whole range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct InstantBody(i64, i32);

/// The stored form of a calendar day: year, month, day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DayBody(i16, i8, i8);

/// The stored form of a local time: the day, then hour, minute, second, nanosecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LocalBody(DayBody, i8, i8, i8, i32);

/// The stored form of a source's word on time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum OccurredBody {
    Unknown,
    Instant(InstantBody),
    Local(LocalBody),
    Day(DayBody),
}

impl From<Timestamp> for InstantBody {
    fn from(at: Timestamp) -> Self {
        Self(at.as_second(), at.subsec_nanosecond())
    }
}

impl InstantBody {
    pub(super) fn build(self) -> Result<Timestamp> {
        Timestamp::new(self.0, self.1).map_err(|error| corrupt("decode a time", "an instant is none").because(error))
    }
}

impl From<Date> for DayBody {
    fn from(day: Date) -> Self {
        Self(day.year(), day.month(), day.day())
    }
}

impl DayBody {
    fn build(self) -> Result<Date> {
        Date::new(self.0, self.1, self.2).map_err(|error| corrupt("decode a time", "a day is none").because(error))
    }
}

impl From<DateTime> for LocalBody {
    fn from(local: DateTime) -> Self {
        Self(local.date().into(), local.hour(), local.minute(), local.second(), local.subsec_nanosecond())
    }
}

impl LocalBody {
    fn build(self) -> Result<DateTime> {
        let time = jiff::civil::Time::new(self.1, self.2, self.3, self.4)
            .map_err(|error| corrupt("decode a time", "a time of day is none").because(error))?;
        Ok(DateTime::from_parts(self.0.build()?, time))
    }
}

impl From<Occurred> for OccurredBody {
    fn from(occurred: Occurred) -> Self {
        match occurred {
            Occurred::Unknown => Self::Unknown,
            Occurred::Instant(at) => Self::Instant(at.into()),
            Occurred::Local(local) => Self::Local(local.into()),
            Occurred::Day(day) => Self::Day(day.into()),
        }
    }
}

impl OccurredBody {
    pub(super) fn build(self) -> Result<Occurred> {
        Ok(match self {
            Self::Unknown => Occurred::Unknown,
            Self::Instant(at) => Occurred::Instant(at.build()?),
            Self::Local(local) => Occurred::Local(local.build()?),
            Self::Day(day) => Occurred::Day(day.build()?),
        })
    }
}
