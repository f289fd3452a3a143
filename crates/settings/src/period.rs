//! Lengths of time as people write them: ISO 8601 durations such as `P36M`, `P7D` or `PT4H`.
//!
//! The core of the law reckons in exact time, and here is where calendars end: a day is 24 hours, a week seven days, a
//! year 365.25 days and a month a twelfth of that, 30.4375 days. Months and years together are rounded up to whole days,
//! so `P36M` is 1096 days, `P24M` is 731 and `P1M` is 31. Who needs another count writes days: `P730D`.
//! Deadlines that the law counts by the calendar (art. 12(3)) take the [span](Period::span) instead.

use std::fmt;
use std::sync::LazyLock;

use jiff::fmt::temporal::SpanParser;
use jiff::{SignedDuration, Span};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// The longest period that is taken, in days: a century. Longer is a slip of the pen.
const DAYS_MAX: i64 = 36_525;

/// What a message says of text that is no period.
const HOW: &str = "write an ISO 8601 duration such as \"P36M\" (months), \"P7D\" (days) or \"PT4H\" (hours)";

/// A length of time, never negative: as it was written, and in exact time.
#[derive(Debug, Clone, Copy)]
pub struct Period {
    span: Span,
    exact: SignedDuration,
}

impl Period {
    /// Reads an ISO 8601 duration; the error says what is wrong with it and what to write.
    ///
    /// ```
    /// use jiff::SignedDuration;
    /// use unisson_settings::Period;
    /// assert_eq!(Period::parse("P36M").unwrap().exact(), SignedDuration::from_hours(1096 * 24));
    /// assert_eq!(Period::parse("P1Y6MT4H").unwrap().exact(), SignedDuration::from_hours(548 * 24 + 4));
    /// assert!(Period::parse("-P1D").unwrap_err().contains("negative"));
    /// assert!(Period::parse("3 years").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, String> {
        static PARSER: LazyLock<SpanParser> = LazyLock::new(SpanParser::new);
        let Ok(span) = PARSER.parse_span(text.trim()) else { return Err(format!("is no duration; {HOW}")) };
        if span.is_negative() {
            return Err(format!("is negative; {HOW}"));
        }
        match exact(&span) {
            Some(exact) if exact <= SignedDuration::from_hours(DAYS_MAX * 24) => Ok(Self { span, exact }),
            _ => Err(format!("is longer than a century; {HOW}")),
        }
    }

    /// The exact time it stands for, with months as in the account of this module.
    pub fn exact(self) -> SignedDuration {
        self.exact
    }

    /// The calendar units as written, for deadlines that are counted by the calendar.
    pub fn span(self) -> Span {
        self.span
    }
}

impl PartialEq for Period {
    fn eq(&self, other: &Self) -> bool {
        self.span.fieldwise() == other.span.fieldwise()
    }
}

impl Eq for Period {}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.span.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Self::or_word(deserializer, None)? {
            Some(period) => Ok(period),
            None => Err(D::Error::custom(HOW)),
        }
    }
}

impl Period {
    /// Reads a period, or the one word that stands for "no such limit".
    pub(crate) fn or_word<'de, D: Deserializer<'de>>(
        deserializer: D,
        word: Option<&'static str>,
    ) -> Result<Option<Self>, D::Error> {
        deserializer.deserialize_str(PeriodVisitor { word })
    }
}

struct PeriodVisitor {
    word: Option<&'static str>,
}

impl Visitor<'_> for PeriodVisitor {
    type Value = Option<Period>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.word {
            Some(word) => write!(f, "an ISO 8601 duration in quotes, or {word:?}"),
            None => f.write_str("an ISO 8601 duration in quotes"),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if self.word == Some(text) {
            return Ok(None);
        }
        let also = self.word.map(|word| format!(", or {word:?}")).unwrap_or_default();
        Period::parse(text).map(Some).map_err(|problem| E::custom(format!("{problem}{also}")))
    }
}

/// The exact length of a span that is not negative; `None` where it overflows.
fn exact(span: &Span) -> Option<SignedDuration> {
    let months = i64::from(span.get_years()).checked_mul(12)?.checked_add(i64::from(span.get_months()))?;
    // 30.4375 days are 487/16 of a day; what is left over makes one day more.
    let month_days = months.checked_mul(487)?.checked_add(15)? / 16;
    let days =
        i64::from(span.get_weeks()).checked_mul(7)?.checked_add(i64::from(span.get_days()))?.checked_add(month_days)?;
    let hours = days.checked_mul(24)?.checked_add(i64::from(span.get_hours()))?;
    let seconds =
        hours.checked_mul(60)?.checked_add(span.get_minutes())?.checked_mul(60)?.checked_add(span.get_seconds())?;
    let fine = SignedDuration::from_millis(span.get_milliseconds())
        .checked_add(SignedDuration::from_micros(span.get_microseconds()))?
        .checked_add(SignedDuration::from_nanos(span.get_nanoseconds()))?;
    SignedDuration::from_secs(seconds).checked_add(fine)
}
