//! Which fault strikes a call. The same seed, rules and calls give the same faults.

use std::collections::HashMap;

use super::{Fault, RULES_MAX, Rule, RuleError, When};

/// How many different pages a rule tells apart; later ones count as the last.
const PAGES_MAX: usize = 100_000;

/// The rules of one twin.
#[derive(Debug)]
pub(crate) struct Faults {
    seed: u64,
    armed: Vec<Armed>,
}

/// A rule with what it has seen.
#[derive(Debug)]
struct Armed {
    rule: Rule,
    /// How many calls it was about.
    seen: u32,
    /// How many of them it struck.
    struck: u32,
    /// The pages seen, with their numbers.
    pages: HashMap<u64, u32>,
    /// The places that a loop goes round.
    places: Vec<String>,
}

/// What the rules see of a call.
pub(crate) struct Sight<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// What tells one page of a listing from another; `None` for calls that are no listing.
    pub(crate) page: Option<u64>,
    /// Where in its listing the call wants to be.
    pub(crate) place: &'a str,
}

/// A fault that strikes.
#[derive(Debug, Clone)]
pub(crate) struct Strike {
    pub(crate) fault: Fault,
    /// The places of the loop, for [`Fault::CursorLoop`].
    pub(crate) places: Vec<String>,
    /// How often this rule struck before.
    pub(crate) turn: usize,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, armed: Vec::new() }
    }

    pub(crate) fn set(&mut self, rule: Rule) -> Result<(), RuleError> {
        rule.check()?;
        if self.armed.len() == RULES_MAX {
            return Err(RuleError::TooMany);
        }
        self.armed.push(Armed { rule, seen: 0, struck: 0, pages: HashMap::new(), places: Vec::new() });
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.armed.clear();
    }

    /// The fault for this call: that of the first rule that strikes. Every rule counts the call that is about it.
    pub(crate) fn strike(&mut self, sight: &Sight<'_>) -> Option<Strike> {
        let seed = self.seed;
        let mut first = None;
        for (at, armed) in self.armed.iter_mut().enumerate() {
            if armed.is_about(sight) && armed.counts(sight, seed.wrapping_add(at as u64)) && first.is_none() {
                first = Some(armed.strike(sight));
            }
        }
        first
    }
}

impl Armed {
    fn is_about(&self, sight: &Sight<'_>) -> bool {
        let method = self.rule.method.as_deref();
        let listing_only = matches!(self.rule.when, When::Page { .. })
            || matches!(
                self.rule.fault,
                Fault::EmptyPage | Fault::FalseEnd | Fault::ShortPage(_) | Fault::RepeatedPage | Fault::CursorLoop(_)
            );
        method.is_none_or(|method| method.eq_ignore_ascii_case(sight.method))
            && sight.path.contains(&self.rule.path)
            && (sight.page.is_some() || !listing_only)
    }

    /// Counts the call and says whether it is one to strike.
    fn counts(&mut self, sight: &Sight<'_>, seed: u64) -> bool {
        self.seen = self.seen.saturating_add(1);
        let endless = matches!(self.rule.fault, Fault::CursorLoop(_));
        match self.rule.when {
            When::Always => true,
            When::Call { number, times } => self.seen >= number && (endless || self.seen - number < times),
            When::Page { number, times } => {
                let page = self.page_number(sight.page.unwrap_or_default());
                if endless { page >= number } else { page == number && self.struck < times }
            }
            When::Percent(percent) => mix(seed, u64::from(self.seen)) % 100 < u64::from(percent),
        }
    }

    fn page_number(&mut self, page: u64) -> u32 {
        let next = u32::try_from(self.pages.len() + 1).unwrap_or(u32::MAX);
        if self.pages.len() == PAGES_MAX {
            return self.pages.get(&page).copied().unwrap_or(next);
        }
        *self.pages.entry(page).or_insert(next)
    }

    fn strike(&mut self, sight: &Sight<'_>) -> Strike {
        let turn = self.struck as usize;
        self.struck = self.struck.saturating_add(1);
        if let Fault::CursorLoop(length) = self.rule.fault
            && self.places.len() < length
            && !self.places.iter().any(|place| place == sight.place)
        {
            self.places.push(sight.place.to_owned());
        }
        Strike { fault: self.rule.fault.clone(), places: self.places.clone(), turn }
    }
}

/// A number that depends on both in no simple way (the finaliser of `SplitMix64`).
fn mix(seed: u64, count: u64) -> u64 {
    let mut z = seed.wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Lag;

    fn call(page: Option<u64>) -> Sight<'static> {
        Sight { method: "GET", path: "/lists/a/members", page, place: "0" }
    }

    fn struck(faults: &mut Faults, page: Option<u64>) -> bool {
        faults.strike(&call(page)).is_some()
    }

    fn with(rule: Rule) -> Faults {
        let mut faults = Faults::new(1);
        faults.set(rule).unwrap();
        faults
    }

    #[test]
    fn the_nth_call_is_struck_and_no_other() {
        let mut faults = with(Rule::new(Fault::Unauthorized).on("/members").at_call(3).times(2));
        let hits: Vec<bool> = (0..6).map(|_| struck(&mut faults, None)).collect();
        assert_eq!(hits, [false, false, true, true, false, false]);
    }

    #[test]
    fn asking_again_for_a_page_does_not_count_it_again() {
        let mut faults = with(Rule::new(Fault::HtmlPage).at_page(3));
        let hits: Vec<bool> = [1, 2, 2, 3, 3, 4].into_iter().map(|page| struck(&mut faults, Some(page))).collect();
        assert_eq!(hits, [false, false, false, true, false, false]);
    }

    #[test]
    fn a_page_fault_leaves_other_calls_alone() {
        let mut faults = with(Rule::new(Fault::EmptyPage).always());
        assert!(!struck(&mut faults, None) && struck(&mut faults, Some(1)));
    }

    #[test]
    fn method_and_path_narrow_a_rule() {
        let mut faults = with(Rule::new(Fault::DropCall).method("patch").always());
        assert!(!struck(&mut faults, None));
        let mut faults = with(Rule::new(Fault::DropCall).on("/contacts").always());
        assert!(!struck(&mut faults, None));
    }

    #[test]
    fn chance_follows_the_seed() {
        let run = |seed| {
            let mut faults = Faults::new(seed);
            faults.set(Rule::new(Fault::DropCall).percent(30)).unwrap();
            (0..1_000).map(|_| struck(&mut faults, None)).collect::<Vec<bool>>()
        };
        assert_eq!(run(5), run(5));
        assert_ne!(run(5), run(6));
        let hits = run(5).into_iter().filter(|hit| *hit).count();
        assert!((230..370).contains(&hits), "{hits}");
    }

    #[test]
    fn senseless_figures_are_refused() {
        let refused = [
            Rule::new(Fault::ServerError(404)),
            Rule::new(Fault::ClientError(503)),
            Rule::new(Fault::StallBody(0)),
            Rule::new(Fault::LateEffect(Lag::Reads(0))),
            Rule::new(Fault::HugeBody(0)),
            Rule::new(Fault::GzipBomb(4_096)),
            Rule::new(Fault::CursorLoop(3)),
            Rule::new(Fault::DropCall).percent(101),
            Rule::new(Fault::DropCall).at_call(0),
        ];
        assert!(refused.into_iter().all(|rule| Faults::new(1).set(rule).is_err()));
    }

    #[test]
    fn there_is_an_end_to_the_rules() {
        let mut faults = Faults::new(1);
        for _ in 0..RULES_MAX {
            faults.set(Rule::new(Fault::DropCall)).unwrap();
        }
        assert_eq!(faults.set(Rule::new(Fault::DropCall)), Err(RuleError::TooMany));
    }
}
