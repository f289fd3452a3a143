//! Opt-ins as laws over random histories: each is read with the decision, lacks exactly what it does not reach, ends when it
//! says, and never lets anybody be asked who said no.

#[expect(dead_code, reason = "the world of all consent laws; these need a part of it")]
mod support;

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::prelude::*;
use unisson_consent::{
    Address, Channel, ConsentStatus, Evidence, Fact, Kind, Lack, Lacks, Law, Level, OptIns, Outcome, Purposes, Reason,
    Standing, Status, Unaskable, Unplaced, Verdict, Who,
};

use support::{at, confirmed, histories, key, keys, law, laws, named, negative_kinds, now, proven, refusal};

/// How many histories each law is tried on; `PROPTEST_CASES` overrides it.
const CASES: u32 = 4_000;

fn cases() -> ProptestConfig {
    let asked = ProptestConfig::default().cases;
    // proptest's own default is 256: anything else was asked for.
    ProptestConfig {
        cases: if asked == 256 { CASES } else { asked },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn fold(history: &[Fact], law: &Law) -> Standing {
    Standing::fold(history.iter().cloned(), &[], law)
}

fn opt_ins(history: &[Fact], law: &Law) -> OptIns {
    fold(history, law).opt_ins(law, now())
}

fn evidence(fact: &Fact) -> Option<&Evidence> {
    match &fact.kind {
        Kind::Grant { evidence, .. } | Kind::Snapshot { status: Status::Subscribed, evidence, .. } => Some(evidence),
        _ => None,
    }
}

/// The opt-in facts of a history, read plainly: the purposes and channels they name, on the addresses they name.
fn claimed(history: &[Fact]) -> BTreeSet<(String, String, Channel, String)> {
    let mut claimed = BTreeSet::new();
    for fact in history.iter().filter(|fact| evidence(fact).is_some()) {
        let purposes: Vec<&str> = match &fact.scope.purposes {
            Purposes::Named(named) => named.iter().map(unisson_consent::PurposeId::as_str).collect(),
            Purposes::List(list) if (fact.system.as_str(), list.as_str()) == ("esp", "L-news") => vec!["newsletter"],
            Purposes::List(_) | Purposes::AllMarketing => Vec::new(),
        };
        for purpose in purposes {
            for channel in fact.scope.channels.iter() {
                for address in fact.who.addresses.iter().filter(|address| address.kind() == channel.address_kind()) {
                    let (address, system) = (address.canonical().to_owned(), fact.system.to_string());
                    claimed.insert((address, purpose.to_owned(), channel, system));
                }
            }
        }
    }
    claimed
}

fn plain_opt_in(system: &str, evidence: Evidence) -> Fact {
    let no = refusal(&key("ana@example.com", "newsletter"), Kind::Refuse, at("2026-03-01T00:00:00Z"));
    named(Fact {
        system: system.into(),
        record: Some("r".into()),
        scope: unisson_consent::Scope { purposes: Purposes::Named(vec!["newsletter".into()]), ..no.scope.clone() },
        kind: Kind::Grant { evidence, valid_until: None },
        ..no
    })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_claim_is_there_exactly_once(history in histories(), law in laws()) {
        let mut seen = BTreeSet::new();
        for opt_in in opt_ins(&history, &law).placed {
            for claim in &opt_in.claims {
                let (key, system) = (&opt_in.key, claim.system.to_string());
                let told = (key.address.canonical().to_owned(), key.purpose.to_string(), key.channel, system);
                prop_assert!(seen.insert(told), "told twice");
            }
        }
        prop_assert_eq!(seen, claimed(&history));
    }

    #[test]
    fn what_names_no_purpose_or_no_address_is_set_apart(history in histories(), law in laws()) {
        let plain = claimed(&history);
        for nowhere in opt_ins(&history, &law).unplaced {
            let (Unplaced::NoPurpose(system) | Unplaced::NoAddress(system)) = &nowhere;
            let told = history.iter().filter(|fact| fact.system == *system && evidence(fact).is_some());
            let alone = told.filter(|fact| claimed(std::slice::from_ref(fact)).is_empty());
            prop_assert!(alone.count() > 0, "{nowhere:?} beside {plain:?}");
        }
        let empty = history.iter().filter(|fact| evidence(fact).is_some());
        let empty: Vec<&Fact> = empty.filter(|fact| claimed(std::slice::from_ref(fact)).is_empty()).collect();
        prop_assert_eq!(empty.is_empty(), opt_ins(&history, &law).unplaced.is_empty());
    }

    #[test]
    fn the_outcome_is_what_the_law_decides_for_the_key(history in histories(), law in laws()) {
        let standing = fold(&history, &law);
        for opt_in in standing.opt_ins(&law, now()).placed {
            let decision = standing.decide(&opt_in.key, &law, now());
            let verdict = match opt_in.outcome {
                Outcome::Consent | Outcome::OtherBasis => Verdict::Allow,
                Outcome::Requalify => Verdict::Ask,
                Outcome::Unaskable | Outcome::Lapsed | Outcome::Blocked => Verdict::Deny,
            };
            prop_assert_eq!(decision.verdict, verdict);
            prop_assert_eq!(opt_in.outcome == Outcome::Consent, decision.reason == Reason::Consent);
            prop_assert_eq!(opt_in.unaskable.is_some(), opt_in.outcome == Outcome::Unaskable);
            prop_assert_eq!(&opt_in.decision, &decision);
        }
    }

    #[test]
    fn a_consent_lacks_nothing_and_what_is_unqualified_lacks_something(history in histories(), law in laws()) {
        for opt_in in opt_ins(&history, &law).placed {
            let lacks_nothing = opt_in.claims.iter().any(|claim| claim.missing.is_empty());
            prop_assert!(opt_in.outcome != Outcome::Consent || lacks_nothing);
            let unproven = opt_in.decision.status == ConsentStatus::Unqualified && !opt_in.decision.negative;
            prop_assert!(!unproven || !lacks_nothing);
            let best = opt_in.best_of(|_| true).expect("nobody is listed without a claim");
            prop_assert_eq!(best.missing.is_empty(), lacks_nothing);
            prop_assert!(best.level > Level::Nothing);
        }
    }

    #[test]
    fn a_claim_lacks_nothing_exactly_where_it_reaches_the_level_that_is_needed(history in histories(), law in laws()) {
        // Nobody is a child here, and nobody of one country only is asked more than that country asks.
        for opt_in in opt_ins(&history, &law).placed {
            for claim in &opt_in.claims {
                prop_assert!(claim.level < Level::Confirmed || claim.missing.is_empty());
                prop_assert!(claim.level >= Level::Qualified || !claim.missing.is_empty());
                let only_confirmation = claim.missing.iter().all(|lack| matches!(lack, Lack::Confirmation | Lack::Source));
                prop_assert!(claim.level != Level::Qualified || only_confirmation, "{}", claim.missing);
            }
        }
    }

    #[test]
    fn an_outcome_holds_until_it_lapses_and_not_after(history in histories(), law in laws()) {
        let standing = fold(&history, &law);
        let second = SignedDuration::from_secs(1);
        for opt_in in standing.opt_ins(&law, now()).placed {
            let outcome_at = |moment| Outcome::of(&standing.decide(&opt_in.key, &law, moment));
            match opt_in.lapses_on {
                Some(end) => {
                    prop_assert!(end > now());
                    prop_assert_eq!(outcome_at((end - second).max(now())), opt_in.outcome);
                    prop_assert_ne!(outcome_at(end), opt_in.outcome);
                    prop_assert_ne!(outcome_at(end + second), opt_in.outcome);
                    prop_assert!(!matches!(opt_in.outcome, Outcome::Lapsed | Outcome::Blocked));
                }
                None if matches!(opt_in.outcome, Outcome::Lapsed | Outcome::Blocked) => {}
                None => prop_assert_eq!(outcome_at(at("2199-01-01T00:00:00Z")), opt_in.outcome),
            }
        }
    }

    #[test]
    fn nobody_who_said_no_may_be_asked_or_written_to_in_any_spelling(
        history in histories(),
        kind in negative_kinds(),
        spelling in 0_usize..4,
        days in 0_i64..4000,
        law in laws(),
    ) {
        let raw = ["ana@example.com", " ANA@Example.Com", "aNa@EXAMPLE.com", "ana+shop@example.com"][spelling];
        let tagged = raw.contains('+');
        let no = refusal(&key("ana@example.com", "newsletter"), kind, now());
        let no = named(Fact { who: Who { addresses: Address::email(raw).into_iter().collect(), ..Who::default() }, ..no });
        let refused: Vec<Fact> = history.into_iter().chain([no]).collect();
        let standing = fold(&refused, &law);
        for opt_in in standing.opt_ins(&law, now() + SignedDuration::from_hours(24 * days)).placed {
            let said = Address::email(raw).expect("an address");
            let reached = opt_in.key.address.suppress_eq(&said, law.policy.aliases);
            if reached && opt_in.key.channel == Channel::Email && opt_in.key.purpose.as_str() != "service" {
                prop_assert_eq!(opt_in.outcome, Outcome::Blocked, "{} {}", spelling, tagged);
            }
        }
    }

    #[test]
    fn time_alone_never_lets_anybody_be_asked_or_written_to(history in histories(), days in 1_i64..4000, law in laws()) {
        let standing = fold(&history, &law);
        for opt_in in standing.opt_ins(&law, now() + SignedDuration::from_hours(24 * days)).placed {
            if opt_in.decision.verdict != Verdict::Deny {
                prop_assert_ne!(standing.decide(&opt_in.key, &law, now()).verdict, Verdict::Deny);
            }
        }
    }
}

#[test]
fn what_a_claim_lacks_is_named_element_by_element() {
    let mut law = law();
    law.policy.deadline = Some(at("2027-01-31T23:00:00Z"));
    let lacks = |fact: Fact, law: &Law| {
        let found = opt_ins(&[fact], law).placed;
        found
            .iter()
            .find_map(|opt_in| opt_in.best_of(|_| true))
            .map(|claim| (claim.level.number(), claim.missing.to_string()))
    };
    let told = |level: u8, missing: &str| Some((level, missing.to_owned()));
    assert_eq!(lacks(plain_opt_in("web", proven()), &law), told(3, ""));
    assert_eq!(lacks(plain_opt_in("crm", proven()), &law), told(2, "source"));
    let flag = "capture notice controller purpose affirmative pre_ticked_unknown";
    assert_eq!(lacks(plain_opt_in("web", Evidence::default()), &law), told(1, flag));
    let by_hand = Fact { actor: unisson_consent::Actor::Operator, ..plain_opt_in("web", proven()) };
    assert_eq!(lacks(by_hand, &law), told(1, "actor"));
    let undated = Fact { occurred: unisson_consent::Occurred::Unknown, ..plain_opt_in("web", proven()) };
    assert_eq!(lacks(undated, &law), told(1, "date"));
    let child = plain_opt_in("web", confirmed());
    let child = Fact { who: Who { birth: Some(jiff::civil::date(2015, 1, 1)), ..child.who.clone() }, ..child };
    assert_eq!(lacks(child, &law), told(1, "guardian"));
    let german = plain_opt_in("web", proven());
    let german = Fact { who: Who { country: unisson_consent::Country::parse("DE"), ..german.who.clone() }, ..german };
    assert_eq!(lacks(german, &law), told(3, "confirmation"));
    let traceable = plain_opt_in("web", Evidence { capture: true, ..Evidence::default() });
    let mut lenient = law.clone();
    lenient.policy.level_default = Level::Traceable;
    assert_eq!(lacks(traceable, &lenient), told(2, ""), "nothing is lacking where no more is needed");
    let ticked = Evidence { pre_ticked: Some(true), bundled: true, ..proven() };
    assert_eq!(lacks(plain_opt_in("web", ticked), &law), told(1, "pre_ticked bundled"));
}

#[test]
fn why_somebody_may_not_be_asked_is_named() {
    let flag = plain_opt_in("web", Evidence::default());
    let why = |history: &[Fact], law: &Law| {
        opt_ins(history, law).placed.first().map(|opt_in| (opt_in.outcome, opt_in.unaskable))
    };
    let mut law = law();
    assert_eq!(why(std::slice::from_ref(&flag), &law), Some((Outcome::Unaskable, Some(Unaskable::NoDeadline))));
    law.policy.deadline = Some(at("2027-01-31T23:00:00Z"));
    assert_eq!(why(std::slice::from_ref(&flag), &law), Some((Outcome::Requalify, None)));
    let dead = named(Fact { kind: Kind::Bounce(unisson_consent::Bounce::Hard), ..flag.clone() });
    assert_eq!(why(&[flag.clone(), dead], &law), Some((Outcome::Unaskable, Some(Unaskable::Undeliverable))));
    law.policy.invite_allowed = false;
    assert_eq!(why(&[flag], &law), Some((Outcome::Unaskable, Some(Unaskable::NotLawful))));
}

#[test]
fn a_consent_that_followed_the_person_is_an_opt_in_of_the_new_address() {
    let law = law();
    let grant = plain_opt_in("web", confirmed());
    let (from, to) = (Address::email("ana@example.com").unwrap(), Address::email("ana@example.net").unwrap());
    let moved = named(Fact {
        kind: Kind::AddressChange { from, to, verified: true },
        observed_at: at("2026-05-01T00:00:00Z"),
        occurred: unisson_consent::Occurred::Instant(at("2026-05-01T00:00:00Z")),
        ..grant.clone()
    });
    let found = opt_ins(&[grant, moved], &law).placed;
    let told: Vec<(&str, Outcome, &str)> =
        found.iter().map(|opt_in| (opt_in.key.address.canonical(), opt_in.outcome, opt_in.because())).collect();
    assert_eq!(
        told,
        [("ana@example.com", Outcome::Blocked, "address_retired"), ("ana@example.net", Outcome::Consent, "ok_consent")]
    );
}

#[test]
fn the_set_of_what_is_lacking_keeps_its_order_and_counts() {
    let all = Lack::ALL.into_iter().fold(Lacks::default(), |lacks, (lack, ..)| lacks.with(lack));
    assert_eq!(all.len() as usize, Lack::ALL.len());
    assert!(all.iter().map(Lack::as_str).eq(Lack::ALL.into_iter().map(|(_, code, _)| code)));
    assert!(keys().len() > 1);
}
