//! A case of an erasure only goes forward, never ends too early, and always says what it waits for.

#![expect(clippy::unwrap_used, reason = "a step of a fixture that is refused is a failed test")]

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use unisson_connector::{Erasing, INSEPARABLE, Sighting, Ticket};
use unisson_consent::{FactId, SystemId};
use unisson_plan::RecordNo;
use unisson_plan::erasure::{Case, CaseId, CaseState, Deed, Origin, Part, PartHold, Step, Survey, TaskState};

const SETTLES_IN: SignedDuration = SignedDuration::from_mins(30);

fn start() -> Timestamp {
    "2026-11-24T09:00:00Z".parse().unwrap()
}

fn case(systems: usize, held: bool) -> Case {
    let due = start() + SignedDuration::from_hours(24 * 30);
    let mut case = Case::open(CaseId("case".to_owned()), Origin::Request, start(), due);
    for number in 0..systems {
        let mut part = Part::new(false);
        if held && number == 0 {
            let until = start() + SignedDuration::from_hours(24 * 400);
            part.hold = Some(PartHold { name: "invoices".to_owned(), fields: vec!["invoice".to_owned()], until });
        }
        case.parts.insert(SystemId::new(format!("system-{number}")), part);
    }
    case
}

/// What a platform does next, drawn at random.
#[derive(Debug, Clone)]
enum Word {
    Erasing(Erasing),
    Seen(Sighting),
    Down,
}

fn word() -> impl Strategy<Value = Word> {
    prop_oneof![
        3 => Just(Word::Erasing(Erasing::Done)),
        1 => Just(Word::Erasing(Erasing::AlreadyAbsent)),
        1 => Just(Word::Erasing(Erasing::Accepted(Ticket("t".to_owned())))),
        1 => Just(Word::Erasing(Erasing::Refused("no".to_owned()))),
        1 => Just(Word::Erasing(Erasing::Refused(INSEPARABLE.to_owned()))),
        4 => Just(Word::Seen(Sighting::Absent)),
        2 => Just(Word::Seen(Sighting::Present)),
        1 => Just(Word::Seen(Sighting::Archived)),
        1 => Just(Word::Seen(Sighting::Unverified)),
        2 => Just(Word::Down),
    ]
}

/// The step that a deed leads to where the platform says this.
fn outcome(deed: Deed, word: Word, records: &mut u64) -> Step {
    match (deed, word) {
        (Deed::Survey { system }, Word::Down) => Step::Unsearched { system, pause: None },
        (Deed::Survey { system }, _) => {
            *records += 1;
            Step::Surveyed { system, records: vec![RecordNo(*records)], unseen: Vec::new() }
        }
        (Deed::Freeze, _) => {
            Step::Frozen { tombstones: vec![FactId([1; 16])], commitments: vec![[2; 32]], salt: [3; 32] }
        }
        (Deed::Dispatch, _) => Step::Dispatched,
        (Deed::Close, _) => Step::Closed,
        (Deed::Release { system, record }, _) => Step::Released { system, record },
        (Deed::Erase { system, record, .. }, Word::Erasing(erasing)) => {
            Step::Answered { system, record, erasing, receipt: [4; 32] }
        }
        (Deed::Read { system, record, .. }, Word::Seen(sighting)) => {
            Step::Read { system, record, sighting, settles_in: SETTLES_IN }
        }
        (Deed::Erase { system, record, .. } | Deed::Read { system, record, .. }, _) => {
            Step::Failed { system, record, pause: None }
        }
    }
}

/// How far each task has come.
fn ranks(case: &Case) -> BTreeMap<(SystemId, RecordNo), (u32, u8)> {
    case.tasks().map(|(system, record, task)| ((system.clone(), record), (task.round, task.state.rank()))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_case_only_goes_forward_and_ends_only_when_everything_is_settled(
        systems in 1_usize..4,
        held in any::<bool>(),
        words in prop::collection::vec(word(), 1..200),
    ) {
        let mut case = case(systems, held);
        let mut now = start();
        case.step(Step::Verified { by: "a link".to_owned() }, now).unwrap();
        let (mut words, mut records) = (words.into_iter(), 0);
        'story: loop {
            let deeds = case.deeds(now);
            if deeds.is_empty() {
                match case.next_at() {
                    Some(at) => {
                        prop_assert!(at > now, "nothing is due, and yet it is");
                        now = at;
                    }
                    None => break,
                }
                continue;
            }
            prop_assert!(case.next_at().is_some_and(|at| at <= now), "it is due, and nobody is told");
            for deed in deeds {
                let Some(word) = words.next() else { break 'story };
                let (state, before) = (case.state, ranks(&case));
                let step = outcome(deed, word, &mut records);
                case.step(step, now).unwrap();
                prop_assert!(case.state >= state, "{state:?} then {:?}", case.state);
                for (task, rank) in ranks(&case) {
                    let earlier = before.get(&task).copied().unwrap_or_default();
                    prop_assert!(rank >= earlier, "{task:?}: {earlier:?} then {rank:?}");
                }
                if case.state >= CaseState::CompletedWithHolds && case.state != state {
                    prop_assert!(case.is_settled() && case.ended_at.is_some());
                    prop_assert_eq!(case.state == CaseState::CompletedWithHolds, case.is_held());
                }
            }
        }
        // What stands still waits for somebody, or has ended.
        if case.next_at().is_none() {
            let stuck = case.tasks().any(|(_, _, task)| task.needs_somebody());
            prop_assert!(stuck || case.state == CaseState::Completed, "{:?}", case);
        }
    }

    #[test]
    fn steps_that_are_out_of_turn_change_nothing(words in prop::collection::vec(word(), 1..20)) {
        let mut case = case(2, false);
        for word in words {
            let before = case.clone();
            let deed = Deed::Erase { system: "system-0".into(), record: RecordNo(1), keep: Vec::new() };
            let refused = case.step(outcome(deed, word, &mut 0), start());
            prop_assert!(refused.is_err());
            prop_assert_eq!(&case, &before);
        }
    }
}

/// A case with one record in one system, about to be erased.
fn dispatched(held: bool) -> Case {
    let mut case = case(1, held);
    let system = SystemId::new("system-0");
    let steps = [
        Step::Verified { by: "a link".to_owned() },
        Step::Surveyed { system, records: vec![RecordNo(1)], unseen: Vec::new() },
        Step::Frozen { tombstones: vec![FactId([1; 16])], commitments: Vec::new(), salt: [0; 32] },
        Step::Dispatched,
    ];
    for step in steps {
        case.step(step, start()).unwrap();
    }
    case
}

fn answer(case: &mut Case, erasing: Erasing, now: Timestamp) {
    let (system, record) = (SystemId::new("system-0"), RecordNo(1));
    case.step(Step::Answered { system, record, erasing, receipt: [0; 32] }, now).unwrap();
}

fn read(case: &mut Case, sighting: Sighting, now: Timestamp) {
    let (system, record) = (SystemId::new("system-0"), RecordNo(1));
    case.step(Step::Read { system, record, sighting, settles_in: SETTLES_IN }, now).unwrap();
}

fn state(case: &Case) -> TaskState {
    case.tasks().next().unwrap().2.state.clone()
}

#[test]
fn an_acceptance_is_not_done_until_two_reads_saw_nothing() {
    let mut case = dispatched(false);
    answer(&mut case, Erasing::Accepted(Ticket("job".to_owned())), start());
    assert_eq!(state(&case).as_str(), "accepted");
    read(&mut case, Sighting::Absent, start());
    assert_eq!(state(&case), TaskState::Done);
    assert!(!case.is_settled(), "the second read is due");
    read(&mut case, Sighting::Absent, start() + SETTLES_IN);
    assert_eq!(state(&case), TaskState::VerifiedAbsent);
    assert_eq!(case.deeds(start() + SETTLES_IN), [Deed::Close]);
}

#[test]
fn a_record_that_is_still_there_after_the_delay_is_erased_again_and_in_the_end_somebody_must_look() {
    let mut case = dispatched(false);
    let mut now = start();
    for round in 1..=5 {
        answer(&mut case, Erasing::Done, now);
        now += SETTLES_IN;
        assert_eq!(case.tasks().next().unwrap().2.round, round);
        read(&mut case, Sighting::Present, now);
    }
    assert_eq!(state(&case), TaskState::Refused("still_there".to_owned()));
    assert!(!case.is_settled() && case.next_at().is_none());
}

#[test]
fn an_archive_is_no_erasure_and_a_refused_read_is_never_done() {
    let mut case = dispatched(false);
    answer(&mut case, Erasing::Done, start());
    let mut later = start();
    for _ in 0..50 {
        read(&mut case, Sighting::Unverified, later);
        later = case.next_at().unwrap();
        assert_eq!(state(&case).as_str(), "accepted", "it is asked again for as long as it takes");
    }
    read(&mut case, Sighting::Archived, later);
    assert_eq!(state(&case), TaskState::Refused("archived".to_owned()));
}

#[test]
fn what_a_hold_keeps_ends_the_case_and_is_erased_by_itself_when_the_hold_ends() {
    let mut case = dispatched(true);
    let until = start() + SignedDuration::from_hours(24 * 400);
    answer(&mut case, Erasing::Refused(INSEPARABLE.to_owned()), start());
    assert_eq!(state(&case), TaskState::Held { until });
    case.step(Step::Closed, start()).unwrap();
    assert_eq!(case.state, CaseState::CompletedWithHolds);
    let (system, record) = (SystemId::new("system-0"), RecordNo(1));
    assert!(case.warrant(&system, record, start()).is_none(), "nobody opens it while it is held");
    assert_eq!((case.next_at(), case.deeds(start())), (Some(until), Vec::new()));
    assert_eq!(case.deeds(until), [Deed::Release { system: system.clone(), record }]);
    case.step(Step::Released { system: system.clone(), record }, until).unwrap();
    assert!(case.warrant(&system, record, until).is_some());
    assert_eq!(case.deeds(until), [Deed::Erase { system, record, keep: Vec::new() }]);
    answer(&mut case, Erasing::Done, until);
    read(&mut case, Sighting::Absent, until + SETTLES_IN);
    assert_eq!(case.deeds(until + SETTLES_IN), [Deed::Close]);
    case.step(Step::Closed, until + SETTLES_IN).unwrap();
    assert_eq!(case.state, CaseState::Completed);
}

#[test]
fn a_system_that_is_down_keeps_no_other_waiting_and_the_case_open() {
    let mut case = case(2, false);
    case.step(Step::Verified { by: "a link".to_owned() }, start()).unwrap();
    case.step(Step::Unsearched { system: "system-0".into(), pause: None }, start()).unwrap();
    let found = Step::Surveyed { system: "system-1".into(), records: vec![RecordNo(1)], unseen: Vec::new() };
    case.step(found, start()).unwrap();
    assert_eq!(case.deeds(start()), [Deed::Freeze]);
    let frozen = Step::Frozen { tombstones: Vec::new(), commitments: Vec::new(), salt: [0; 32] };
    case.step(frozen, start()).unwrap();
    case.step(Step::Dispatched, start()).unwrap();
    let erase = Deed::Erase { system: "system-1".into(), record: RecordNo(1), keep: Vec::new() };
    assert_eq!(case.deeds(start()), [erase]);
    let week = start() + SignedDuration::from_hours(24 * 7);
    assert!(case.deeds(week).contains(&Deed::Survey { system: "system-0".into() }));
    assert!(case.step(Step::Closed, week).is_err(), "every system must have answered (I27)");
    assert!(matches!(case.parts[&SystemId::new("system-0")].survey, Survey::Due { failures: 1, .. }));
}

#[test]
fn more_time_is_taken_once_and_only_within_the_first_month() {
    let mut case = case(1, false);
    let extend =
        || Step::Extended { due_at: start() + SignedDuration::from_hours(24 * 90), reason: "complex".to_owned() };
    assert!(case.clone().step(extend(), start() + SignedDuration::from_hours(24 * 31)).is_err());
    case.step(extend(), start()).unwrap();
    assert!(case.step(extend(), start()).is_err());
}
