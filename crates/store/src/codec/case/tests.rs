//! The stored forms of cases and of what is held, and that every case survives its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use insta::assert_snapshot;
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use unisson_consent::Address;

use super::*;
use crate::error::StoreErrorKind;
use crate::suite::fixture::{at, email, record};

fn states() -> Vec<TaskState> {
    vec![
        TaskState::Pending,
        TaskState::Sent,
        TaskState::Accepted(None),
        TaskState::Accepted(Some(Ticket("t".to_owned()))),
        TaskState::Done,
        TaskState::VerifiedAbsent,
        TaskState::Held { until: at(9) },
        TaskState::Refused("code".to_owned()),
        TaskState::Unreachable,
        TaskState::Impossible("why".to_owned()),
    ]
}

/// A case in which everything is said that can be.
fn full() -> Case {
    let tasks = (1..).zip(states()).map(|(number, state)| {
        let task = Task {
            state,
            attempts: 2,
            told_at: Some(at(3)),
            absent_at: Some(at(4)),
            receipt: Some([5; 32]),
            note: Some("note".to_owned()),
            ..Task::new(at(2))
        };
        (RecordNo(number), task)
    });
    let hold = PartHold { name: "books".to_owned(), fields: vec!["invoice".to_owned()], until: at(9) };
    let answered = Part {
        survey: Survey::Answered { at: at(1) },
        unseen: vec!["archive".to_owned()],
        hold: Some(hold),
        residual_secs: 300,
        tasks: tasks.collect(),
        ..Part::new(true)
    };
    let blind = Part { survey: Survey::Blind { why: "no search".to_owned() }, ..Part::new(false) };
    let due = Part { survey: Survey::Due { failures: 3, not_before: Some(at(7)) }, ..Part::new(false) };
    Case {
        state: CaseState::Dispatched,
        extension: Some(Extension { decided_at: at(5), reason: "complex".to_owned() }),
        verified_by: Some("desk".to_owned()),
        reason: Some("none".to_owned()),
        facts: vec![FactId([1; 16]), FactId([2; 16])],
        parts: [("crm".into(), answered), ("news".into(), blind), ("shop".into(), due)].into(),
        frozen_at: Some(at(6)),
        ended_at: Some(Timestamp::MAX),
        commitments: vec![[3; 32]],
        salt: Some([4; 32]),
        ..Case::open(CaseId("c".to_owned()), reappearance(), at(0), Timestamp::MIN)
    }
}

fn reappearance() -> Origin {
    Origin::Reappearance { system: "crm".into(), stream: "contacts".to_owned() }
}

fn round(case: &Case) -> Case {
    decode_case(case.id.clone(), &encode_case(case).unwrap()).unwrap()
}

#[test]
fn a_case_and_what_is_held_have_stored_forms() {
    let plain = Case::open(CaseId("c".to_owned()), Origin::Request, at(0), at(1));
    let addresses = vec![email(" Ada@Example.ORG"), Address::phone("ring me", Some("FR")).unwrap()];
    let held = Held::lock(record("crm", "native"), addresses);
    let mut lines = vec![("plain", encode_case(&plain)), ("full", encode_case(&full())), ("held", encode_held(&held))];
    let states = CaseState::ALL.map(|(state, name)| (name, encode_case(&Case { state, ..plain.clone() })));
    lines.extend(states);
    let listing = lines.into_iter().fold(String::new(), |mut listing, (what, bytes)| {
        let _ = write!(listing, "{what}: ");
        for byte in bytes.unwrap() {
            let _ = write!(listing, "{byte:02x}");
        }
        listing.push('\n');
        listing
    });
    assert_snapshot!(listing);
    assert_eq!(round(&full()), full());
}

#[test]
fn what_is_held_keeps_the_spelling_of_its_addresses_and_shows_nobody() {
    let addresses = vec![email(" Ada+x@Bücher.example"), Address::phone("ring me", Some("FR")).unwrap()];
    let held = Held::lock(record("crm", "native"), addresses.clone());
    let back = decode_held(&encode_held(&held).unwrap()).unwrap();
    let (whose, kept) = back.parts(&Locker::of_a_store());
    assert_eq!(whose, &record("crm", "native"));
    let spelt = |addresses: &[Address]| {
        let all = addresses.iter();
        all.map(|address| (address.raw().to_owned(), address.suppress_key().to_owned(), address.defect()))
            .collect::<Vec<_>>()
    };
    assert_eq!(spelt(kept), spelt(&addresses));
    assert_eq!(format!("{back:?}"), "Held(…)");
}

#[test]
fn bytes_of_another_form_are_refused() {
    let bytes = encode_case(&full()).unwrap();
    let read = |bytes: &[u8]| decode_case(CaseId("c".to_owned()), bytes).unwrap_err().kind();
    assert_eq!(read(&bytes[..bytes.len() - 1]), StoreErrorKind::Corrupt);
    assert_eq!(read(&[&[99], &bytes[1..]].concat()), StoreErrorKind::Newer);
}

fn moment() -> impl Strategy<Value = Timestamp> {
    prop_oneof![Just(Timestamp::MIN), Just(Timestamp::MAX), (-1_000_000_i64..1_000_000).prop_map(at)]
}

fn task() -> impl Strategy<Value = Task> {
    let state = prop::sample::select(states());
    let times = (option::of(moment()), option::of(moment()), option::of(moment()));
    let rest = (any::<u32>(), any::<u32>(), option::of(any::<[u8; 32]>()), option::of(".{0,8}"));
    (state, times, rest).prop_map(|(state, (due_at, told_at, absent_at), (round, attempts, receipt, note))| Task {
        state,
        round,
        attempts,
        due_at,
        told_at,
        absent_at,
        receipt,
        note,
    })
}

fn part() -> impl Strategy<Value = Part> {
    let survey = prop_oneof![
        (any::<u32>(), option::of(moment())).prop_map(|(failures, not_before)| Survey::Due { failures, not_before }),
        moment().prop_map(|at| Survey::Answered { at }),
        ".{0,8}".prop_map(|why| Survey::Blind { why }),
    ];
    let hold =
        (".{0,8}", vec(".{0,8}", 0..3), moment()).prop_map(|(name, fields, until)| PartHold { name, fields, until });
    let tasks = prop::collection::btree_map(any::<u64>().prop_map(RecordNo), task(), 0..4);
    (survey, any::<bool>(), vec(".{0,8}", 0..3), option::of(hold), any::<u64>(), tasks).prop_map(
        |(survey, by_hand, unseen, hold, residual_secs, tasks)| Part {
            survey,
            by_hand,
            unseen,
            hold,
            residual_secs,
            tasks,
        },
    )
}

fn case() -> impl Strategy<Value = Case> {
    let origin = prop_oneof![Just(Origin::Request), Just(reappearance())];
    let state = prop::sample::select(CaseState::ALL.map(|(state, _)| state).to_vec());
    let times = (moment(), moment(), option::of(moment()), option::of(moment()));
    let words = (option::of(".{0,8}"), option::of(".{0,8}"), option::of((moment(), ".{0,8}")));
    let parts = vec(("[a-z]{1,4}", part()), 0..3);
    let proofs = (vec(any::<[u8; 16]>(), 0..4), vec(any::<[u8; 32]>(), 0..3), option::of(any::<[u8; 32]>()));
    (origin, state, times, words, parts, proofs).prop_map(|(origin, state, times, words, parts, proofs)| Case {
        state,
        frozen_at: times.2,
        ended_at: times.3,
        verified_by: words.0,
        reason: words.1,
        extension: words.2.map(|(decided_at, reason)| Extension { decided_at, reason }),
        parts: parts.into_iter().map(|(system, part)| (SystemId::new(system), part)).collect::<BTreeMap<_, _>>(),
        facts: proofs.0.into_iter().map(FactId).collect(),
        commitments: proofs.1,
        salt: proofs.2,
        ..Case::open(CaseId("c".to_owned()), origin, times.0, times.1)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_case_survives_its_bytes(case in case()) {
        prop_assert_eq!(round(&case), case);
    }
}
