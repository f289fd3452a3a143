//! Plays a scenario: in the order of its file and in many random orders, with redeliveries, and compares everything.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use unisson_consent::{Decision, Fact, FactId, OwnPush, Standing, SystemId, Verb};

use crate::report::{Difference, Failure, KeyNames, Told};
use crate::scenario::{Expectation, Observed, Scenario};

/// The fewest random orders a scenario is told in.
const ORDERS_MIN: u32 = 24;
/// The most random orders a scenario is told in.
const ORDERS_MAX: u32 = 100_000;
/// How much later a redelivery comes at most, in minutes: a year.
const DELAY_MINUTES_MAX: i64 = 525_600;

/// How scenarios are played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Options {
    /// In how many random orders each scenario is told, besides the order of its file. At least 24 are tried.
    pub orders: u32,
    /// Where the randomness starts. The same seed gives the same orders in the same version of the program.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { orders: ORDERS_MIN, seed: 1 }
    }
}

/// What the law answers for one key.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    decision: Decision,
    actions: BTreeMap<SystemId, BTreeSet<Verb>>,
}

/// Plays a scenario; what it returns is what did not follow, and is empty where everything did.
pub fn play(scenario: &Scenario, options: &Options) -> Vec<Failure> {
    play_by(scenario, options, answers)
}

/// Plays a scenario on whatever answers from facts in the order in which they are told.
fn play_by(
    scenario: &Scenario,
    options: &Options,
    answers_of: impl Fn(&Scenario, Vec<Fact>) -> Vec<Answer>,
) -> Vec<Failure> {
    let written: Vec<Fact> = scenario.observed.iter().map(|observed| observed.fact.clone()).collect();
    let answers = answers_of(scenario, written);
    let mut failures: Vec<Failure> = scenario
        .expectations
        .iter()
        .zip(&answers)
        .filter_map(|(expectation, answer)| unexpected(scenario, expectation, answer))
        .collect();
    let mut rng = StdRng::from_seed(seed(scenario, options.seed));
    let mut changed: BTreeMap<usize, Failure> = BTreeMap::new();
    for _ in 0..options.orders.clamp(ORDERS_MIN, ORDERS_MAX) {
        let told = shuffled(&scenario.observed, &mut rng);
        let again = answers_of(scenario, told.iter().map(|observed| observed.fact.clone()).collect());
        for (place, (first, other)) in
            answers.iter().zip(&again).enumerate().filter(|(_, (first, other))| first != other)
        {
            let failure = || order_matters(scenario, &scenario.expectations[place], (first, other), &told);
            changed.entry(place).or_insert_with(failure);
        }
    }
    // The first order that changes a key's answer says enough of it.
    failures.extend(changed.into_values());
    failures
}

fn answers(scenario: &Scenario, facts: Vec<Fact>) -> Vec<Answer> {
    let pushes: &[OwnPush] = &scenario.pushes;
    let standing = Standing::fold(facts, pushes, &scenario.law);
    let answer = |expectation: &Expectation| Answer {
        decision: standing.decide(&expectation.key, &scenario.law, scenario.now),
        actions: standing.actions(&expectation.key, &scenario.law, scenario.now),
    };
    scenario.expectations.iter().map(answer).collect()
}

/// Every scenario has its own orders, whichever others are played with it.
fn seed(scenario: &Scenario, seed: u64) -> [u8; 32] {
    let number = seed.to_string();
    let mut bytes = [0; 32];
    for (half, part) in bytes.chunks_exact_mut(16).zip(["first", "second"]) {
        half.copy_from_slice(&FactId::of(&["order", part, &number, &scenario.id]).0);
    }
    bytes
}

/// A random order in which everything is told once and some of it again, at once or up to a year later.
fn shuffled(observed: &[Observed], rng: &mut StdRng) -> Vec<Observed> {
    let mut told = observed.to_vec();
    let again = if observed.is_empty() { 0 } else { rng.random_range(0..=observed.len()) };
    for _ in 0..again {
        let mut copy = observed[rng.random_range(0..observed.len())].clone();
        if rng.random() {
            let delay = SignedDuration::from_mins(rng.random_range(1..=DELAY_MINUTES_MAX));
            copy.fact.observed_at = copy.fact.observed_at.checked_add(delay).unwrap_or(copy.fact.observed_at);
        }
        told.push(copy);
    }
    told.shuffle(rng);
    told
}

fn unexpected(scenario: &Scenario, expectation: &Expectation, answer: &Answer) -> Option<Failure> {
    let Answer { decision, actions } = answer;
    let mut differences = Vec::new();
    let mut compare = |field: &str, expected: &str, got: &str| {
        if expected != got {
            differences.push(Difference::new(field, expected, got));
        }
    };
    compare("decision", expectation.verdict.as_str(), decision.verdict.as_str());
    if let Some(status) = expectation.status {
        compare("status", status.as_str(), decision.status.as_str());
    }
    if let Some(reason) = expectation.reason {
        compare("reason", reason.as_str(), decision.reason.as_str());
    }
    differences.extend(pushed_differently(&expectation.actions, actions));
    (!differences.is_empty()).then(|| failure(scenario, expectation, decision, differences))
}

fn order_matters(
    scenario: &Scenario,
    expectation: &Expectation,
    (first, other): (&Answer, &Answer),
    told: &[Observed],
) -> Failure {
    let mut differences = Vec::new();
    let mut compare = |field: &str, first: String, other: String| {
        if first != other {
            differences.push(Difference::new(field, &first, &other));
        }
    };
    let (a, b) = (&first.decision, &other.decision);
    compare("decision", a.verdict.as_str().to_owned(), b.verdict.as_str().to_owned());
    compare("status", a.status.as_str().to_owned(), b.status.as_str().to_owned());
    compare("reason", a.reason.as_str().to_owned(), b.reason.as_str().to_owned());
    compare("rule", worded(a.rule.as_deref()), worded(b.rule.as_deref()));
    compare("facts", names(scenario, &a.facts), names(scenario, &b.facts));
    compare("level", a.level.number().to_string(), b.level.number().to_string());
    compare("negative", a.negative.to_string(), b.negative.to_string());
    compare("refused by person", a.refused_by_person.to_string(), b.refused_by_person.to_string());
    compare("valid until", moment(a), moment(b));
    differences.extend(pushed_differently(&first.actions, &other.actions));
    let order = told.iter().map(|observed| observed.name.clone()).collect();
    Failure { order: Some(order), ..failure(scenario, expectation, &other.decision, differences) }
}

fn failure(
    scenario: &Scenario,
    expectation: &Expectation,
    decision: &Decision,
    differences: Vec<Difference>,
) -> Failure {
    Failure {
        line: expectation.line,
        key: KeyNames::of(&expectation.key),
        differences,
        rule: decision.rule.clone(),
        facts: told(scenario, &decision.facts),
        order: None,
    }
}

/// The systems to which something else is pushed than expected.
fn pushed_differently(
    expected: &BTreeMap<SystemId, BTreeSet<Verb>>,
    got: &BTreeMap<SystemId, BTreeSet<Verb>>,
) -> Vec<Difference> {
    let systems: BTreeSet<&SystemId> = expected.keys().chain(got.keys()).collect();
    let verbs = |of: &BTreeMap<SystemId, BTreeSet<Verb>>, system: &SystemId| {
        let verbs = of.get(system).into_iter().flatten().map(|verb| verb.as_str()).collect::<Vec<_>>().join(", ");
        if verbs.is_empty() { "nothing".to_owned() } else { verbs }
    };
    systems
        .into_iter()
        .map(|system| Difference::new(&format!("push to {system}"), &verbs(expected, system), &verbs(got, system)))
        .filter(|difference| difference.expected != difference.got)
        .collect()
}

/// The facts behind a decision, by the observations that tell them.
fn told(scenario: &Scenario, facts: &[FactId]) -> Vec<Told> {
    facts.iter().flat_map(|fact| scenario.names_of(*fact)).map(Told::of).collect()
}

fn names(scenario: &Scenario, facts: &[FactId]) -> String {
    let names: Vec<&str> =
        facts.iter().flat_map(|fact| scenario.names_of(*fact)).map(|observed| observed.name.as_str()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn worded(text: Option<&str>) -> String {
    text.unwrap_or("none").to_owned()
}

fn moment(decision: &Decision) -> String {
    decision.valid_until.map_or_else(|| "open end".to_owned(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::read::read_text;

    const TWO_ACTS: &str = "
schema: consent-scenarios/1
scenarios:
- id: two
  observations:
    - {id: a, sys: web, rec: w1, who: {email: ada@example.org}, obs: \"2026-05-02T08:05:00Z\", ev: refuse}
    - {id: b, sys: web, rec: w1, who: {email: ada@example.org}, obs: \"2026-05-03T08:05:00Z\", ev: object}
  expect:
    - {key: {address: ada@example.org, purpose: newsletter, channel: email}, decision: deny}
";

    fn two_acts() -> Scenario {
        read_text(Path::new("two.yaml"), TWO_ACTS).unwrap().scenarios.remove(0)
    }

    #[test]
    fn an_answer_that_depends_on_the_order_is_found() {
        let first_wins = |scenario: &Scenario, told: Vec<Fact>| answers(scenario, told.into_iter().take(1).collect());
        let failures = play_by(&two_acts(), &Options::default(), first_wins);
        assert_eq!(failures.len(), 1);
        assert_eq!(failures[0].order.as_ref().unwrap()[0], "b");
        let fields: Vec<&str> = failures[0].differences.iter().map(|difference| difference.field.as_str()).collect();
        assert_eq!(fields, ["status", "reason", "facts"]);
    }

    #[test]
    fn an_answer_that_depends_on_repetition_is_found() {
        let counts = |scenario: &Scenario, told: Vec<Fact>| {
            let enough = if told.len() > 2 { told } else { Vec::new() };
            answers(scenario, enough)
        };
        assert_eq!(play_by(&two_acts(), &Options::default(), counts).len(), 1);
    }

    #[test]
    fn an_answer_that_depends_on_a_later_delivery_is_found() {
        let latest = |scenario: &Scenario, told: Vec<Fact>| {
            let late = told.iter().any(|fact| fact.observed_at > scenario.observed[1].fact.observed_at);
            answers(scenario, if late { Vec::new() } else { told })
        };
        assert_eq!(play_by(&two_acts(), &Options::default(), latest).len(), 1);
    }

    #[test]
    fn the_same_seed_gives_the_same_orders_and_another_seed_others() {
        let scenario = two_acts();
        let orders = |number: u64| {
            let mut rng = StdRng::from_seed(seed(&scenario, number));
            let told = (0..24).map(|_| shuffled(&scenario.observed, &mut rng));
            told.map(|told| told.iter().map(|o| (o.name.clone(), o.fact.observed_at)).collect::<Vec<_>>())
                .collect::<Vec<_>>()
        };
        assert_eq!(orders(1), orders(1));
        assert_ne!(orders(1), orders(2));
    }

    #[test]
    fn every_order_tells_everything_and_never_earlier_than_it_was_told() {
        let scenario = two_acts();
        let mut rng = StdRng::from_seed([3; 32]);
        for _ in 0..1_000 {
            let told = shuffled(&scenario.observed, &mut rng);
            for observed in &scenario.observed {
                let sightings = told.iter().filter(|copy| copy.fact.id == observed.fact.id);
                assert_eq!(sightings.map(|copy| copy.fact.observed_at).min(), Some(observed.fact.observed_at));
            }
        }
    }
}
