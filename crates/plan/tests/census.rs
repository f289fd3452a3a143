//! The census as laws: every opt-in is counted once, whatever the order, and a segment holds exactly those whom the law lets
//! be asked or written to.

#[path = "../../consent/tests/support/mod.rs"]
#[expect(dead_code, reason = "the world of the consent laws; these need a part of it")]
mod support;

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use unisson_consent::{Fact, Lack, Law, OptIns, Outcome, PurposeId, Standing, SystemId, Verdict};
use unisson_plan::{Census, Figures, Only, Segment};

use support::{at, histories, laws, now};

/// How many populations each law is tried on; `PROPTEST_CASES` overrides it.
const CASES: u32 = 1_000;

fn cases() -> ProptestConfig {
    let asked = ProptestConfig::default().cases;
    // proptest's own default is 256: anything else was asked for.
    ProptestConfig {
        cases: if asked == 256 { CASES } else { asked },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// A few people who have nothing in common: each history is folded by itself.
fn populations() -> impl Strategy<Value = Vec<Vec<Fact>>> {
    proptest::collection::vec(histories(), 1..5)
}

fn read(population: &[Vec<Fact>], law: &Law) -> Vec<OptIns> {
    population.iter().map(|history| Standing::fold(history.iter().cloned(), &[], law).opt_ins(law, now())).collect()
}

fn census<'o>(opt_ins: impl IntoIterator<Item = &'o OptIns>, only: Only) -> Census {
    let mut census = Census::new(now(), only);
    opt_ins.into_iter().for_each(|opt_ins| census.count(opt_ins));
    census
}

/// Every table of figures in a census.
fn figures(census: &Census) -> impl Iterator<Item = &Figures> {
    census.purposes.values().flat_map(|survey| std::iter::once(&survey.people).chain(survey.systems.values()))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_opt_in_is_counted_exactly_once(population in populations(), law in laws()) {
        let opt_ins = read(&population, &law);
        let census = census(&opt_ins, Only::default());
        let placed = || opt_ins.iter().flat_map(|opt_ins| &opt_ins.placed);
        let people: u64 = census.purposes.values().map(|survey| survey.people.opt_ins()).sum();
        prop_assert_eq!(people, placed().count() as u64);
        let told: u64 = census.purposes.values().flat_map(|survey| survey.systems.values()).map(Figures::opt_ins).sum();
        prop_assert_eq!(told, placed().map(|opt_in| opt_in.claims.len() as u64).sum::<u64>());
        let idle: u64 = census.idle.values().map(|idle| idle.no_purpose + idle.no_address).sum();
        prop_assert_eq!(idle, opt_ins.iter().map(|opt_ins| opt_ins.unplaced.len() as u64).sum::<u64>());
    }

    #[test]
    fn outcomes_levels_and_reasons_each_add_up_to_all(population in populations(), law in laws()) {
        let census = census(&read(&population, &law), Only::default());
        for figures in figures(&census) {
            let all = figures.opt_ins();
            prop_assert_eq!(Outcome::ALL.iter().map(|(outcome, _)| figures.outcomes.get(*outcome)).sum::<u64>(), all);
            prop_assert_eq!(figures.levels.iter().sum::<u64>(), all);
            prop_assert_eq!(figures.levels[0], 0, "who claims nothing is not here");
            for (outcome, _) in Outcome::ALL {
                let because = figures.because.iter().filter(|((of, _), _)| *of == outcome).map(|(_, count)| count);
                prop_assert_eq!(because.sum::<u64>(), figures.outcomes.get(outcome));
            }
            let open = all - figures.outcomes.get(Outcome::Consent) - figures.outcomes.get(Outcome::Blocked);
            prop_assert!(Lack::ALL.iter().all(|(lack, ..)| figures.missing(*lack) <= open));
            prop_assert!(figures.proven_elsewhere <= figures.outcomes.get(Outcome::Consent));
        }
        prop_assert!(census.purposes.values().all(|survey| survey.people.proven_elsewhere == 0));
    }

    #[test]
    fn what_has_not_ended_lapses_in_one_month_later_or_never(population in populations(), law in laws()) {
        let opt_ins = read(&population, &law);
        let census = census(&opt_ins, Only::default());
        for figures in figures(&census) {
            let lapses = &figures.lapses;
            for (outcome, _) in Outcome::ALL {
                let months: u64 = lapses.months.values().map(|by| by.get(outcome)).sum();
                let counted = months + lapses.later.get(outcome) + lapses.never.get(outcome);
                let ended = matches!(outcome, Outcome::Lapsed | Outcome::Blocked);
                prop_assert_eq!(counted, if ended { 0 } else { figures.outcomes.get(outcome) });
            }
        }
        for ((purpose, channel), survey) in &census.purposes {
            let of = |opt_in: &&unisson_consent::OptIn| opt_in.key.purpose == *purpose && opt_in.key.channel == *channel;
            let placed = opt_ins.iter().flat_map(|opt_ins| &opt_ins.placed).filter(of);
            let first = placed.filter_map(|opt_in| opt_in.lapses_on).min();
            let day = first.map(|first| TimeZone::UTC.to_datetime(first).date());
            prop_assert_eq!(survey.people.lapses.next.as_ref().map(|(day, _)| *day), day);
        }
    }

    #[test]
    fn the_order_of_people_does_not_matter(population in populations(), law in laws()) {
        let opt_ins = read(&population, &law);
        prop_assert_eq!(census(&opt_ins, Only::default()), census(opt_ins.iter().rev(), Only::default()));
    }

    #[test]
    fn a_census_of_one_system_or_purpose_is_that_part_of_the_whole(population in populations(), law in laws()) {
        let opt_ins = read(&population, &law);
        let whole = census(&opt_ins, Only::default());
        for system in ["web", "esp", "crm"].map(SystemId::from) {
            let part = census(&opt_ins, Only { system: Some(system.clone()), purpose: None });
            let told: BTreeMap<_, _> =
                whole.purposes.iter().filter_map(|(place, survey)| Some((place, survey.systems.get(&system)?))).collect();
            prop_assert_eq!(told.len(), part.purposes.len());
            for (place, figures) in told {
                prop_assert_eq!(&part.purposes[place].people, figures);
                prop_assert_eq!(part.purposes[place].systems.keys().collect::<Vec<_>>(), [&system]);
            }
        }
        let promo = PurposeId::from("promo");
        let part = census(&opt_ins, Only { purpose: Some(promo.clone()), system: None });
        prop_assert!(part.idle.is_empty());
        let of = |((purpose, _), _): &((PurposeId, _), _)| *purpose == promo;
        prop_assert_eq!(part.purposes, whole.purposes.into_iter().filter(of).collect::<BTreeMap<_, _>>());
    }

    #[test]
    fn a_segment_holds_whom_the_law_lets_be_asked_or_written_to_and_nobody_else(
        population in populations(),
        law in laws(),
        days in 0_i64..2000,
    ) {
        let when = now() + SignedDuration::from_hours(24 * days);
        for history in &population {
            let standing = Standing::fold(history.iter().cloned(), &[], &law);
            let mut census = Census::new(when, Only::default());
            let opt_ins = standing.opt_ins(&law, when);
            census.count(&opt_ins);
            let mut held: BTreeMap<Segment, BTreeSet<_>> = BTreeMap::new();
            for opt_in in &opt_ins.placed {
                if let Some(segment) = Segment::of(opt_in) {
                    prop_assert!(held.entry(segment).or_default().insert(&opt_in.key), "nobody is in it twice");
                    let expected = if segment == Segment::Requalify { Verdict::Ask } else { Verdict::Allow };
                    prop_assert_eq!(standing.decide(&opt_in.key, &law, when).verdict, expected);
                    prop_assert_ne!(standing.decide(&opt_in.key, &law, now()).verdict, Verdict::Deny);
                }
            }
            for (segment, outcome) in [(Segment::Requalify, Outcome::Requalify), (Segment::Consents, Outcome::Consent)] {
                let counted: u64 = census.purposes.values().map(|survey| survey.people.outcomes.get(outcome)).sum();
                prop_assert_eq!(held.get(&segment).map_or(0, BTreeSet::len) as u64, counted);
            }
        }
    }
}

#[test]
fn nothing_is_told_of_nobody() {
    let census = census(&[OptIns::default()], Only::default());
    assert!(census.purposes.is_empty() && census.idle.is_empty());
    assert_eq!(census.now, at("2026-11-23T00:00:00Z"));
}
