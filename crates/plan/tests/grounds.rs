//! What a change rests on, as laws: every change that is wanted has a ground, it is the decision that wants it, and a change
//! that is not wanted any more has none.

#[path = "../../consent/tests/support/mod.rs"]
#[expect(dead_code, reason = "the world of the consent laws; these need a part of it")]
mod support;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use unisson_connector::{Action, ChangeId, Identity, Observation, Presence, Slot, StreamId};
use unisson_consent::{Actor, Channel, Channels, Evidence, FactId, Occurred, Purposes, Scope, Status, SystemId};
use unisson_plan::{
    Digest, Dossier, Enforce, Lesson, OpenChange, OpenState, Planned, Rules, SubjectNo, grounds, judge, learn,
};

use support::{at, confirmed, law, proven};

const SYSTEMS: [&str; 4] = ["esp", "esp2", "crm", "shop"];

/// What a record shows of two lists: each a status, whether its time is known, and its proof.
type Shown = [(Status, Option<Timestamp>, u8); 2];

fn now() -> Timestamp {
    at("2026-11-20T00:00:00Z")
}

fn rules(enforce: Enforce) -> BTreeMap<SystemId, Rules> {
    let actions: BTreeSet<Action> =
        [Action::Suppress, Action::Subscribe, Action::Reconfirm, Action::MarkInvalid].into();
    let of = |id| (SystemId::from(id), Rules { enforce, reachable: true, fresh: true, actions: actions.clone() });
    SYSTEMS.into_iter().map(of).collect()
}

fn shown() -> impl Strategy<Value = Vec<(&'static str, Shown)>> {
    let one = (
        proptest::sample::select(Status::ALL.map(|(status, _)| status).to_vec()),
        proptest::option::of(support::moments()),
        0..3_u8,
    );
    let record = (proptest::sample::select(SYSTEMS.to_vec()), proptest::array::uniform2(one));
    proptest::collection::vec(record, 1..5)
}

/// Everything known of one person whom the platforms show like this.
fn dossier(shown: &[(&'static str, Shown)]) -> Dossier {
    let stream = StreamId("all".to_owned());
    let mut dossier = Dossier { subject: SubjectNo(1), facts: Vec::new(), replicas: Vec::new(), open: Vec::new() };
    for (number, (system, slots)) in shown.iter().enumerate() {
        let system = SystemId::from(*system);
        let slots = ["newsletter", "promo"].into_iter().zip(slots).map(|(purpose, (status, since, proof))| Slot {
            scope: Scope { purposes: Purposes::Named(vec![purpose.into()]), channels: Channels::one(Channel::Email) },
            status: *status,
            since: since.map_or(Occurred::Unknown, Occurred::Instant),
            actor: Actor::DataSubject,
            evidence: [Evidence::default(), proven(), confirmed()][usize::from(*proof)].clone(),
        });
        let seen = Observation {
            record: format!("r{number}").as_str().into(),
            who: Identity { emails: vec!["ana@example.com".to_owned()], ..Identity::default() },
            presence: Presence::Present,
            slots: slots.collect(),
            events: Vec::new(),
        };
        let lag = SignedDuration::from_mins(10);
        let lesson = Lesson { instance: &system, stream: &stream, country: "FR", lag, now: now(), observed_at: now() };
        let learned = learn(&seen, Digest::of(&seen), None, &lesson);
        dossier.facts.extend(learned.facts);
        dossier.replicas.push(learned.replica);
    }
    dossier
}

fn open(planned: &Planned) -> OpenChange {
    OpenChange {
        id: planned.change.id.clone(),
        instance: planned.instance.clone(),
        record: planned.change.target.record.clone(),
        scope: planned.change.scope.clone(),
        action: planned.change.action,
        state: OpenState::Draft,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_change_that_is_wanted_rests_on_the_decision_that_wants_it(shown in shown(), full: bool) {
        let (law, rules) = (law(), rules(if full { Enforce::Full } else { Enforce::Negatives }));
        let mut dossier = dossier(&shown);
        let planned = judge(&dossier, &law, &rules, now()).changes;
        dossier.open = planned.iter().map(open).collect();
        let grounds = grounds(&dossier, &law, &rules, now());
        let ids: BTreeSet<&ChangeId> = planned.iter().map(|planned| &planned.change.id).collect();
        prop_assert_eq!(grounds.keys().collect::<BTreeSet<_>>(), ids);
        for planned in &planned {
            let ground = &grounds[&planned.change.id];
            prop_assert_eq!(ground.decision.reason, planned.reason);
            prop_assert_eq!(&ground.scope, &planned.change.scope);
            prop_assert!(planned.change.target.addresses.contains(&ground.address));
            prop_assert_eq!(ground.decision.refused_by_person && planned.change.action == Action::Suppress, planned.by_person);
            let behind: BTreeSet<FactId> = ground.facts.iter().map(|fact| fact.id).collect();
            prop_assert_eq!(behind, ground.decision.facts.iter().copied().collect(), "no fact is left out");
            prop_assert!(ground.facts.is_sorted_by(|a, b| a.at.hi >= b.at.hi), "the latest comes first");
            prop_assert!(!ground.sentence().contains('@'));
        }
    }

    #[test]
    fn a_change_that_is_not_wanted_any_more_has_no_ground(shown in shown()) {
        let (law, rules) = (law(), rules(Enforce::Negatives));
        let mut dossier = dossier(&shown);
        let planned = judge(&dossier, &law, &rules, now()).changes;
        dossier.open = planned.iter().map(open).collect();
        for open in &mut dossier.open {
            open.id = ChangeId("of another day".to_owned());
        }
        prop_assert!(grounds(&dossier, &law, &rules, now()).is_empty());
    }
}
