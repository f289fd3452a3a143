//! What a whole account is going through: an outage, a storm of 429, credentials that have run out.
//!
//! Unlike a fault it strikes whatever comes, wherever it goes; a fault picks its calls.

use crate::fault::RetryAfter;

/// The longest storm and the longest row of refused credentials, in calls.
pub const SPELL_MAX: u32 = 1_000_000;

/// What an account is going through.
#[derive(Debug)]
pub(crate) struct Weather {
    /// Whether credentials can be fetched anew, which ends a row of refusals.
    renews: bool,
    outage: bool,
    storm: Option<Storm>,
    refused: u32,
}

#[derive(Debug)]
struct Storm {
    calls: u32,
    after: RetryAfter,
}

/// What a call runs into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plight {
    Outage,
    Storm(RetryAfter),
    Expired,
}

impl Plight {
    /// Its name, as in the call log.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Outage => "outage",
            Self::Storm(_) => "storm",
            Self::Expired => "expired",
        }
    }
}

impl Weather {
    pub(crate) fn new(renews: bool) -> Self {
        Self { renews, outage: false, storm: None, refused: 0 }
    }

    pub(crate) fn set_outage(&mut self, on: bool) {
        self.outage = on;
    }

    /// So many calls from now on are told that they are too many.
    pub(crate) fn storm(&mut self, calls: u32, after: RetryAfter) {
        self.storm = Some(Storm { calls: calls.min(SPELL_MAX), after });
    }

    /// So many calls from now on are refused as unauthorised, or until the credentials are fetched anew. Where they cannot
    /// be, a single call is.
    pub(crate) fn expire(&mut self, calls: u32) {
        self.refused = calls.min(if self.renews { SPELL_MAX } else { 1 });
    }

    /// The credentials have been fetched anew.
    pub(crate) fn renew(&mut self) {
        self.refused = 0;
    }

    /// What the next call runs into; calls that fetch credentials are `open`.
    pub(crate) fn strike(&mut self, open: bool) -> Option<Plight> {
        if self.outage {
            return Some(Plight::Outage);
        }
        if let Some(storm) = self.storm.as_mut().filter(|storm| storm.calls > 0) {
            storm.calls -= 1;
            return Some(Plight::Storm(storm.after.clone()));
        }
        if self.refused > 0 && !open {
            self.refused -= 1;
            return Some(Plight::Expired);
        }
        None
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.renews);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_lasts_until_it_is_over_and_a_storm_blows_itself_out() {
        let mut weather = Weather::new(true);
        weather.storm(2, RetryAfter::Bare);
        weather.set_outage(true);
        assert!((0..10).all(|_| weather.strike(false) == Some(Plight::Outage)));
        weather.set_outage(false);
        let struck: Vec<bool> = (0..4).map(|_| weather.strike(true).is_some()).collect();
        assert_eq!(struck, [true, true, false, false], "the outage used up none of the storm");
    }

    #[test]
    fn refusals_end_with_new_credentials_or_after_one_where_there_are_none_to_fetch() {
        let mut weather = Weather::new(true);
        weather.expire(5);
        assert_eq!((weather.strike(true), weather.strike(false)), (None, Some(Plight::Expired)));
        weather.renew();
        assert_eq!(weather.strike(false), None);
        let mut weather = Weather::new(false);
        weather.expire(5);
        assert_eq!((weather.strike(false), weather.strike(false)), (Some(Plight::Expired), None));
    }
}
