//! A host whose clock jumps, between runs and in the middle of one: nothing is lost, no refusal becomes permission, and
//! the run says that the clock is wrong.

#![expect(clippy::unwrap_used, reason = "a scripted platform that fails is a failed test")]

mod world;

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::prelude::*;
use unisson_consent::{Actor, Address, Fact, FactId, Kind, Occurred, Purposes, Scope, Status, Verdict, Via, Who};
use unisson_engine::{Clock as _, RunReport, Teller};
use unisson_plan::Enforce;

use crate::world::{PEOPLE, World, address, email};

#[path = "../../../consent/tests/support/mod.rs"]
#[expect(dead_code, reason = "the world of the consent laws; these need its policy")]
mod support;

#[tokio::test]
async fn a_refusal_that_is_heard_by_a_clock_set_back_is_still_a_refusal() {
    let world = World::new();
    // The consent is newer than the time to which the clock is set back.
    world.esp.act(0, Status::Subscribed);
    world.crm.act(0, Status::Subscribed);
    world.sync_after(1).await;
    assert!(world.is_in(0).await);
    world.time.set_wrong_by(SignedDuration::from_hours(-12));
    world.crm.act(0, Status::Unsubscribed);
    world.sync_after(5).await;
    assert!(world.is_out(0).await, "esp {:?}, crm {:?}", world.esp.status(0), world.crm.status(0));
    world.time.set_wrong_by(SignedDuration::ZERO);
    world.sync_after(1).await;
    assert!(world.is_out(0).await && world.is_in(1).await);
}

#[tokio::test]
async fn a_sweep_and_a_retry_that_a_clock_ahead_has_dated_wait_no_month_for_it() {
    let world = World::new();
    world.sync_after(1).await;
    world.time.set_wrong_by(SignedDuration::from_hours(30 * 24));
    world.crm.act(0, Status::Unsubscribed);
    *world.esp.busy.lock().unwrap() = 1;
    world.sync_after(1).await;
    assert_eq!(world.esp.status(0), Status::Subscribed, "the platform had no time for it");
    world.time.set_wrong_by(SignedDuration::ZERO);
    world.crm.act(1, Status::Unsubscribed);
    world.sync_after(5).await;
    assert!(world.is_out(0).await, "what was to be tried again is tried");
    assert!(world.is_out(1).await, "who left since is heard");
}

#[tokio::test]
async fn who_leaves_after_we_brought_them_back_is_no_stale_read_for_a_clock_set_back() {
    let world = World::new();
    world.esp.act(0, Status::Unsubscribed);
    world.time.pass(SignedDuration::from_hours(1));
    world.crm.act(0, Status::Subscribed);
    world.sync_after(1).await;
    assert!(world.is_in(0).await, "a later consent brings them back");
    world.time.set_wrong_by(SignedDuration::from_hours(-12));
    world.time.pass(SignedDuration::from_hours(5));
    world.esp.act(0, Status::Unsubscribed);
    world.sync_after(1).await;
    assert!(world.is_out(0).await, "esp {:?}, crm {:?}", world.esp.status(0), world.crm.status(0));
}

#[tokio::test]
async fn what_a_clock_ahead_let_lapse_is_taken_back_once_it_is_set_right() {
    for enforce in [Enforce::Full, Enforce::Observe] {
        let world = World::enforcing(enforce);
        // Three years without a sign of life are over in eight days.
        for platform in [&world.esp, &world.crm] {
            let joined = world.time.truth() - SignedDuration::from_hours(24 * (1096 - 8));
            platform.records.lock().unwrap().insert(0, (Status::Subscribed, joined));
        }
        world.sync_after(1).await;
        assert_eq!(world.remembered(0).await, Verdict::Allow);
        world.time.set_wrong_by(SignedDuration::from_hours(24 * 90));
        world.sync_after(1).await;
        assert_eq!(world.remembered(0).await, Verdict::Deny, "by this clock it has lapsed");
        world.time.set_wrong_by(SignedDuration::ZERO);
        world.sync_after(1).await;
        assert_eq!(world.remembered(0).await, Verdict::Allow);
        assert!(world.is_in(0).await, "esp {:?}, crm {:?}", world.esp.status(0), world.crm.status(0));
        let judged = world.sync_after(1).await.judged;
        assert_eq!(judged, 0, "nobody is judged anew in every run until that moment has come");
    }
}

#[tokio::test]
async fn a_list_that_is_told_to_a_clock_set_back_counts_after_what_is_known() {
    let world = World::new();
    world.esp.act(0, Status::Subscribed);
    world.crm.act(0, Status::Subscribed);
    world.sync_after(1).await;
    world.time.set_wrong_by(SignedDuration::from_hours(-12));
    let now = world.time.now();
    let who = Who { addresses: vec![Address::email(&address(0)).unwrap()], ..Who::default() };
    let refusal = Fact {
        id: FactId::of(&["list", "p0"]),
        system: "esp".into(),
        record: None,
        who,
        observed_at: now,
        occurred: Occurred::Unknown,
        seq: None,
        actor: Actor::DataSubject,
        via: Via::Message,
        scope: Scope { purposes: Purposes::AllMarketing, channels: email() },
        kind: Kind::Withdraw,
        echo_of: None,
    };
    let mut teller = Teller::new(world.engine.store.as_ref(), world.time.as_ref(), false);
    teller.tell(refusal).await.unwrap();
    assert_eq!(teller.finish().await.unwrap().new, 1);
    world.sync_after(1).await;
    assert!(world.is_out(0).await, "esp {:?}, crm {:?}", world.esp.status(0), world.crm.status(0));
}

#[tokio::test]
async fn a_run_tells_that_the_clock_has_jumped() {
    let hours = SignedDuration::from_hours;
    let told = |report: &RunReport| report.warnings.join("; ");
    let world = World::new();
    assert_eq!(told(&world.sync_after(1).await), "");
    assert_eq!(told(&world.sync_after(20).await), "", "a night is nothing to speak of");
    world.time.set_wrong_by(hours(-5));
    let back = world.sync_after(1).await;
    assert!(told(&back).starts_with("the clock stands 4 hours before"), "{}", told(&back));
    assert_eq!(back.outcome().as_str(), "done", "refusals travel all the same");
    let runs = world.engine.store.runs(1).await.unwrap();
    assert!(runs[0].report.contains("the clock stands") || runs[0].started_at > back.started_at);
    world.time.set_wrong_by(hours(0));
    assert_eq!(told(&world.sync_after(1).await), "");

    world.time.set_wrong_by(hours(30 * 24));
    let ahead = world.sync_after(1).await;
    assert!(told(&ahead).starts_with("the last run lies 30 days back"), "{}", told(&ahead));
    world.time.set_wrong_by(hours(0));
    let right = world.sync_after(1).await;
    assert!(told(&right).starts_with("the clock stands 29 days before"), "{}", told(&right));

    for (by, words) in
        [(30 * 24, "the clock jumped ahead while this run was made"), (-7, "the clock was set back by 7 hours")]
    {
        let world = World::new();
        world.sync_after(1).await;
        world.time.hands().jumps.push_back((4, hours(by)));
        let during = world.sync_after(1).await;
        assert!(told(&during).starts_with(words), "{}", told(&during));
    }
}

/// What happens between two runs.
#[derive(Debug, Clone)]
enum Event {
    /// Somebody leaves at one of the platforms.
    Leaves(usize, bool),
    /// The clock is wrong by so many hours from now on.
    Wrong(i64),
    /// It becomes wrong by so many hours in the middle of a run.
    Jumps(usize, i64),
    /// Hours pass, and a run is made.
    Runs(i64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let wrong = prop_oneof![Just(0), -12_i64..0, 1_i64..12, Just(30 * 24), Just(-30 * 24)];
    let event = prop_oneof![
        3 => (0..PEOPLE - 1, any::<bool>()).prop_map(|(person, crm)| Event::Leaves(person, crm)),
        2 => wrong.clone().prop_map(Event::Wrong),
        4 => (0_usize..30, wrong).prop_map(|(glances, hours)| Event::Jumps(glances, hours)),
        4 => (1_i64..30).prop_map(Event::Runs),
    ];
    prop::collection::vec(event, 4..20)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_clock_did_whoever_left_is_out_everywhere_and_nobody_else(events in events()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (left, out, inside, order) = runtime.block_on(async {
            let world = World::new();
            let mut left = BTreeSet::new();
            world.sync_after(1).await;
            for event in &events {
                match event {
                    Event::Leaves(person, crm) => {
                        let platform = if *crm { &world.crm } else { &world.esp };
                        platform.act(*person, Status::Unsubscribed);
                        left.insert(*person);
                    }
                    Event::Wrong(hours) => world.time.set_wrong_by(SignedDuration::from_hours(*hours)),
                    Event::Jumps(glances, hours) => {
                        world.time.hands().jumps.push_back((*glances, SignedDuration::from_hours(*hours)));
                    }
                    Event::Runs(hours) => drop(world.sync_after(*hours).await),
                }
            }
            // Somebody sets it right.
            world.time.hands().jumps.clear();
            world.time.set_wrong_by(SignedDuration::ZERO);
            world.sync_after(5).await;
            world.sync_after(5).await;
            let (mut out, mut inside) = (BTreeSet::new(), BTreeSet::new());
            for person in 0..PEOPLE {
                if world.is_out(person).await {
                    out.insert(person);
                } else if world.is_in(person).await {
                    inside.insert(person);
                }
            }
            let commits = world.engine.store.commits(1, 10_000).await.unwrap();
            (left, out, inside, commits.iter().map(|commit| commit.at).collect::<Vec<_>>())
        });
        prop_assert_eq!(&out, &left);
        prop_assert_eq!(inside, (0..PEOPLE).filter(|person| !left.contains(person)).collect::<BTreeSet<_>>());
        prop_assert!(order.is_sorted(), "the ledger goes back in time: {:?}", order);
    }
}
