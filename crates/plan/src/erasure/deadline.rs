//! Deadlines by the calendar (art. 12(3); Reg. (EEC, Euratom) 1182/71 art. 3(4)).

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// The days after the receipt on which an open case is called to mind.
pub const ALARM_DAYS: [i64; 3] = [10, 20, 25];

/// How many months the answer may take.
const MONTHS: i64 = 1;
/// How many more months there are where the case is complex.
const MONTHS_MORE: i64 = 2;
/// The longest run of days off that is looked through.
const DAYS_OFF_MAX: usize = 60;

/// The calendar of the controller.
#[derive(Debug, Clone)]
pub struct Calendar {
    /// Where its days begin and end.
    pub zone: TimeZone,
    /// Its public holidays.
    pub holidays: BTreeSet<Date>,
}

impl Calendar {
    /// Until when a request must be answered: the same day of the next month, or its last day where there is none, to the
    /// end of the day; moved to the next working day.
    ///
    /// ```
    /// use unisson_plan::erasure::Calendar;
    /// let calendar = Calendar { zone: jiff::tz::TimeZone::UTC, holidays: Default::default() };
    /// let received = "2027-01-31T09:00:00Z".parse().unwrap();
    /// // The 28th of February 2027 is a Sunday.
    /// assert_eq!(calendar.due(received).to_string(), "2027-03-01T23:59:59.999999999Z");
    /// ```
    pub fn due(&self, received: Timestamp) -> Timestamp {
        self.after(received, MONTHS)
    }

    /// Until when a complex request must be answered: two months more.
    pub fn due_extended(&self, received: Timestamp) -> Timestamp {
        self.after(received, MONTHS + MONTHS_MORE)
    }

    fn after(&self, received: Timestamp, months: i64) -> Timestamp {
        let day = self.zone.to_datetime(received).date();
        let mut due = Span::new().try_months(months).and_then(|span| day.checked_add(span)).unwrap_or(Date::MAX);
        for _ in 0..DAYS_OFF_MAX {
            if self.is_working(due) {
                break;
            }
            due = due.tomorrow().unwrap_or(Date::MAX);
        }
        let last = due.at(23, 59, 59, 999_999_999);
        self.zone.to_timestamp(last).unwrap_or(Timestamp::MAX)
    }

    fn is_working(&self, day: Date) -> bool {
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !self.holidays.contains(&day)
    }
}

/// The last alarm day that an open case has passed; `None` before the first.
pub fn alarm(received: Timestamp, now: Timestamp) -> Option<i64> {
    let days = now.duration_since(received).as_hours() / 24;
    ALARM_DAYS.into_iter().rev().find(|day| days >= *day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paris(holidays: &[Date]) -> Calendar {
        Calendar { zone: TimeZone::get("Europe/Paris").unwrap(), holidays: holidays.iter().copied().collect() }
    }

    #[test]
    fn the_deadline_is_the_same_day_of_the_next_month_to_its_end_where_the_controller_lives() {
        let due = paris(&[]).due("2026-11-24T23:30:00Z".parse().unwrap());
        // In Paris it was received on the 25th; the 25th of December 2026 is a Friday.
        assert_eq!(due.to_string(), "2026-12-25T22:59:59.999999999Z");
    }

    #[test]
    fn a_holiday_and_the_weekend_behind_it_move_it() {
        let due = paris(&[Date::constant(2026, 12, 25)]).due("2026-11-25T10:00:00Z".parse().unwrap());
        assert_eq!(due.to_string(), "2026-12-28T22:59:59.999999999Z");
    }

    #[test]
    fn an_extension_gives_three_months_from_the_receipt() {
        let due = paris(&[]).due_extended("2026-11-30T10:00:00Z".parse().unwrap());
        // February has no 30th; the 28th of February 2027 is a Sunday.
        assert_eq!(due.to_string(), "2027-03-01T22:59:59.999999999Z");
    }

    #[test]
    fn alarms_are_raised_on_the_tenth_twentieth_and_twenty_fifth_day() {
        let received: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let after = |days: i64| alarm(received, received + jiff::SignedDuration::from_hours(24 * days));
        assert_eq!([9, 10, 19, 20, 25, 40].map(after), [None, Some(10), Some(10), Some(20), Some(25), Some(25)]);
    }
}
