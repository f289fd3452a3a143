//! Dates and times in the words of an export.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use unisson_consent::Occurred;

/// The longest text that is tried as a date, in bytes.
const TEXT_BYTES_MAX: usize = 128;

/// A form of dates that settings name, such as `%d/%m/%Y`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DateFormat(String);

impl DateFormat {
    /// A form that reads what it writes and says at least year, month and day; `None` for anything else.
    pub(crate) fn new(format: &str) -> Option<Self> {
        let sample = Timestamp::from_second(1_700_000_000).ok()?.in_tz("UTC").ok()?;
        let written = strtime::format(format, &sample).ok()?;
        let this = Self(format.to_owned());
        (this.read(&written).and_then(day) == Some(sample.date())).then_some(this)
    }

    fn read(&self, text: &str) -> Option<Occurred> {
        let parts = strtime::parse(&self.0, text).ok()?;
        if parts.offset().is_some() || parts.timestamp().is_some() {
            return parts.to_timestamp().ok().map(Occurred::Instant);
        }
        let day = parts.to_date().ok()?;
        if parts.hour().is_none() {
            return Some(Occurred::Day(day));
        }
        parts.to_time().ok().map(|time| Occurred::Local(day.to_datetime(time)))
    }
}

/// Whether a cell says that there is no date: nothing, or the zero date that databases write for none.
pub(crate) fn is_no_date(cell: &str) -> bool {
    let cell = cell.trim();
    let zeroes = cell.chars().filter(char::is_ascii_digit).collect::<String>();
    cell.is_empty() || zeroes.len() >= 8 && zeroes.bytes().all(|digit| digit == b'0')
}

/// Reads a date or time: in one of these forms, else as RFC 3339, a local date and time, or a date. `None` for anything
/// else.
pub(crate) fn read(cell: &str, formats: &[DateFormat]) -> Option<Occurred> {
    let text = cell.trim();
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    if let Some(occurred) = formats.iter().find_map(|format| format.read(text)) {
        return Some(occurred);
    }
    // Eight digits are a day, not the midnight it begins with.
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse::<Date>().ok().map(Occurred::Day);
    }
    match Occurred::parse(text) {
        Occurred::Unknown => None,
        occurred => Some(occurred),
    }
}

/// The day that a date or time falls on.
pub(crate) fn day(occurred: Occurred) -> Option<Date> {
    match occurred {
        Occurred::Unknown => None,
        Occurred::Instant(at) => Some(TimeZone::UTC.to_datetime(at).date()),
        Occurred::Local(at) => Some(at.date()),
        Occurred::Day(day) => Some(day),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, datetime};

    use super::*;

    #[test]
    fn each_form_keeps_what_it_knows() {
        let formats = [DateFormat::new("%d/%m/%Y").unwrap(), DateFormat::new("%d/%m/%Y %H:%M").unwrap()];
        assert_eq!(read(" 02/05/2026 ", &formats), Some(Occurred::Day(date(2026, 5, 2))));
        assert_eq!(read("02/05/2026 14:30", &formats), Some(Occurred::Local(datetime(2026, 5, 2, 14, 30, 0, 0))));
        assert_eq!(read("2026-05-02", &formats), Some(Occurred::Day(date(2026, 5, 2))));
        assert_eq!(read("20260502", &[]), Some(Occurred::Day(date(2026, 5, 2))));
        assert_eq!(read("2026-05-02 14:30", &[]), Some(Occurred::Local(datetime(2026, 5, 2, 14, 30, 0, 0))));
        assert!(matches!(read("2026-05-02T14:30:00+02:00", &[]), Some(Occurred::Instant(_))));
        assert_eq!(read("31/02/2026", &formats), None);
        assert_eq!(read(&"9".repeat(100_000), &formats), None);
    }

    #[test]
    fn forms_that_name_no_day_or_read_nothing_are_no_forms() {
        for format in ["", "%Y", "%H:%M", "%d/%m", "%Q!", "dd/mm/yyyy"] {
            assert_eq!(DateFormat::new(format), None, "{format}");
        }
        assert!(DateFormat::new("%Y-%m-%dT%H:%M:%S%z").is_some());
        assert!(DateFormat::new("%s").is_some());
    }

    #[test]
    fn zero_dates_are_no_dates() {
        assert!(is_no_date("0000-00-00 00:00:00") && is_no_date(" ") && is_no_date("00/00/0000"));
        assert!(!is_no_date("0") && !is_no_date("2000-01-01"));
    }
}
