//! When something happened: intervals instead of instants.
//!
//! A source rarely knows the moment. What it gave becomes the interval in which the event may have happened, and an
//! order between two events exists only where the intervals leave no doubt.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::system::System;

/// The time of an event in the words of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Occurred {
    /// The source gave no time.
    Unknown,
    /// An instant with its zone.
    Instant(Timestamp),
    /// A local time without a zone.
    Local(DateTime),
    /// A calendar day.
    Day(Date),
}

impl Occurred {
    /// Reads RFC 3339, a local date and time, or a date; anything else, blank text included, is [`Occurred::Unknown`].
    ///
    /// ```
    /// use unisson_consent::Occurred;
    /// assert!(matches!(Occurred::parse("2026-05-02T20:00:00Z"), Occurred::Instant(_)));
    /// assert!(matches!(Occurred::parse("2026-05-02T20:00:00"), Occurred::Local(_)));
    /// assert!(matches!(Occurred::parse("2026-05-02"), Occurred::Day(_)));
    /// assert_eq!(Occurred::parse("20260502"), Occurred::parse("2026-05-02"));
    /// assert_eq!(Occurred::parse("soon"), Occurred::Unknown);
    /// ```
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        // The calendar's own reader takes a date with a time for its date.
        if !text.contains(['T', 't', ' ', ':'])
            && let Ok(day) = text.parse::<Date>()
        {
            return Self::Day(day);
        }
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Self::Instant(instant);
        }
        text.parse::<DateTime>().map_or(Self::Unknown, Self::Local)
    }
}

/// The times at which an event may have happened: after `lo`, where it is known, and up to `hi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    /// The earliest moment, or `None` for "any time before".
    pub lo: Option<Timestamp>,
    /// The latest moment; never later than when the host first learnt of the event.
    pub hi: Timestamp,
}

impl Interval {
    /// What a source's word and clock leave possible, given when the host first observed the event.
    ///
    /// The last line of the table matters most: by the host's own clock nothing happened after it was observed.
    pub fn of(occurred: Occurred, observed_at: Timestamp, system: &System) -> Self {
        let nothing = Self { lo: None, hi: observed_at };
        let Some(skew) = system.clock.skew() else { return nothing };
        let Some((lo, hi)) = span(occurred, system.zone.as_ref()) else { return nothing };
        // A day is wide enough by itself.
        let blur = if matches!(occurred, Occurred::Day(_)) { SignedDuration::ZERO } else { skew };
        let (Ok(lo), Ok(hi), Ok(latest)) = (lo.checked_sub(blur), hi.checked_add(blur), observed_at.checked_add(skew))
        else {
            return nothing;
        };
        let impossible = match occurred {
            // The whole stated moment lies in the future of the one who heard of it.
            Occurred::Instant(at) => at > latest,
            _ => lo > observed_at,
        };
        if impossible { nothing } else { Self { lo: Some(lo), hi: hi.min(observed_at) } }
    }

    /// Whether this event certainly happened after the other one.
    pub fn is_after(&self, other: &Self) -> bool {
        self.lo.is_some_and(|lo| lo > other.hi)
    }
}

/// The stated time as a span of instants, before any skew. `None` where nothing was stated or the calendar overflows.
fn span(occurred: Occurred, zone: Option<&TimeZone>) -> Option<(Timestamp, Timestamp)> {
    match occurred {
        Occurred::Unknown => None,
        Occurred::Instant(at) => Some((at, at)),
        Occurred::Local(local) => match zone {
            Some(zone) => {
                let folds = zone.to_ambiguous_timestamp(local);
                Some(ordered(folds.earlier().ok()?, folds.later().ok()?))
            }
            None => around(local, local, 12),
        },
        Occurred::Day(day) => {
            let start = day.to_datetime(jiff::civil::Time::midnight());
            let end = day.tomorrow().ok()?.to_datetime(jiff::civil::Time::midnight());
            match zone {
                Some(zone) => Some(ordered(
                    zone.to_ambiguous_timestamp(start).earlier().ok()?,
                    zone.to_ambiguous_timestamp(end).later().ok()?,
                )),
                None => around(start, end, 12),
            }
        }
    }
}

/// A local span anywhere on Earth: fourteen hours earlier (UTC+14) to so many hours later (UTC-12).
fn around(start: DateTime, end: DateTime, hours_west: i64) -> Option<(Timestamp, Timestamp)> {
    let start = TimeZone::UTC.to_timestamp(start).ok()?;
    let end = TimeZone::UTC.to_timestamp(end).ok()?;
    Some((
        start.checked_sub(SignedDuration::from_hours(14)).ok()?,
        end.checked_add(SignedDuration::from_hours(hours_west)).ok()?,
    ))
}

fn ordered(a: Timestamp, b: Timestamp) -> (Timestamp, Timestamp) {
    (a.min(b), a.max(b))
}
