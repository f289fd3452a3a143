//! Erasures over scripted platforms: what a case makes of one that erases late, by half, in secret or not at all (E01 to
//! E14 of the connectors' laws).

#![expect(clippy::unwrap_used, reason = "a scripted platform that fails is a failed test")]

#[path = "../../../consent/tests/support/mod.rs"]
#[expect(dead_code, reason = "the world of the consent laws; these need its policy")]
mod support;
mod world;

use jiff::SignedDuration;
use unisson_consent::{Address, Channel, ConsentStatus, HoldBasis, Key, Standing, SystemId};
use unisson_engine::JournalLine;
use unisson_plan::erasure::{CaseState, HoldRule, Origin, Step};
use unisson_store::{Cases, Wanted};

use world::{Manner, World};

const ADA: &str = "ada@example.org";

fn everywhere() -> World {
    let world = World::new();
    world.esp.holds("e1", ADA);
    world.esp.holds("e2", "Ada@Example.org");
    world.esp.holds("e9", "bob@example.org");
    world.crm.holds("c1", "ADA@example.org");
    world
}

async fn status(world: &World, email: &str) -> ConsentStatus {
    let address = Address::email(email).unwrap();
    let subjects = world.engine.store.find(&Wanted::Address(address.clone())).await.unwrap();
    let dossiers = world.engine.store.dossiers(&subjects).await.unwrap();
    let facts = dossiers.iter().flat_map(|dossier| dossier.facts.iter().cloned());
    let standing = Standing::fold(facts, &[], &world.engine.law);
    let key = Key { address, purpose: "newsletter".into(), channel: Channel::Email, person: None };
    let now = unisson_engine::Clock::now(world.watch.as_ref());
    standing.decide(&key, &world.engine.law, now).status
}

#[tokio::test]
async fn a_person_is_erased_everywhere_also_where_only_a_search_finds_them_and_nobody_else_is() {
    let world = everywhere();
    world.sync().await;
    // It came after the last sync, and under a spelling of its own.
    world.crm.holds("c2", " ada@EXAMPLE.org ");
    let received = world.erase(ADA, true).await;
    assert_eq!(world.tasks(&received, "esp").await, ["done", "done"], "the second read is due");
    world.watch.pass(SignedDuration::from_mins(10));
    world.go_on().await;
    let case = world.case(&received).await;
    assert_eq!(case.state, CaseState::Completed);
    assert_eq!(world.tasks(&received, "crm").await, ["verified_absent", "verified_absent"]);
    assert!(!world.esp.has("e1") && !world.esp.has("e2") && !world.crm.has("c1") && !world.crm.has("c2"));
    assert!(world.esp.has("e9"), "nobody else is erased");
    assert_eq!(case.parts[&SystemId::from("files")].tasks.len(), 0, "it holds nothing");
    assert_eq!(case.parts[&SystemId::from("crm")].unseen, ["logs"]);
    for spelling in [ADA, "ADA@Example.ORG"] {
        assert_eq!(status(&world, spelling).await, ConsentStatus::Erased, "{spelling}");
    }
    assert_ne!(status(&world, "bob@example.org").await, ConsentStatus::Erased);
    world.engine.store.verify().await.unwrap();
    let counts = world.engine.store.counts(unisson_engine::Clock::now(world.watch.as_ref())).await.unwrap();
    assert_eq!(counts.records, 1, "only Bob's record is known: {counts:?}");
    let tombstones =
        world.journal.0.lock().unwrap().iter().filter(|line| matches!(line, JournalLine::Tombstone { .. })).count();
    assert!(tombstones >= 1);
}

#[tokio::test]
async fn an_unverified_request_stops_marketing_at_once_and_erases_only_when_it_is_certain() {
    let world = everywhere();
    world.sync().await;
    let received = world.erase(ADA, false).await;
    assert_eq!(received.state, CaseState::AwaitingIdentity);
    assert_eq!(status(&world, ADA).await, ConsentStatus::Objected);
    assert!(world.esp.has("e1"));
    assert!(world.esp.calls().contains(&"push 2".to_owned()), "both are opted out: {:?}", world.esp.calls());
    let again = world.erase(ADA, true).await;
    assert_eq!((again.case, again.known), (received.case.clone(), true));
    world.watch.pass(SignedDuration::from_mins(10));
    world.go_on().await;
    assert_eq!(world.case(&received).await.state, CaseState::Completed);
    assert!(!world.esp.has("e1"));
    assert_eq!(status(&world, ADA).await, ConsentStatus::Erased);
}

#[tokio::test]
async fn what_is_accepted_and_forgotten_is_never_done() {
    let world = everywhere();
    world.sync().await;
    world.crm.becomes(Manner::Forgets);
    let received = world.erase(ADA, true).await;
    for _ in 0..200 {
        world.watch.pass(SignedDuration::from_mins(30));
        world.go_on().await;
    }
    assert_eq!(world.tasks(&received, "crm").await, ["refused"]);
    assert_eq!(world.case(&received).await.state, CaseState::Dispatched);
    let erases = world.crm.calls().iter().filter(|call| call.starts_with("erase")).count();
    assert_eq!(erases, 5, "it was asked again, and not for ever");
}

#[tokio::test]
async fn what_goes_late_is_waited_for() {
    let world = everywhere();
    world.sync().await;
    world.crm.becomes(Manner::After(3));
    let received = world.erase(ADA, true).await;
    assert_eq!(world.tasks(&received, "crm").await, ["accepted"]);
    for _ in 0..20 {
        world.watch.pass(SignedDuration::from_mins(2));
        world.go_on().await;
    }
    assert_eq!(world.case(&received).await.state, CaseState::Completed);
}

#[tokio::test]
async fn an_archive_is_reported_as_one_and_somebody_finishes_it_by_hand() {
    let world = everywhere();
    world.sync().await;
    world.crm.becomes(Manner::Archives);
    let received = world.erase(ADA, true).await;
    world.watch.pass(SignedDuration::from_mins(10));
    world.go_on().await;
    assert_eq!(world.tasks(&received, "crm").await, ["refused"]);
    world.watch.pass(SignedDuration::from_hours(24 * 40));
    world.go_on().await;
    assert_eq!(world.case(&received).await.state, CaseState::Dispatched, "time alone makes nothing done");
    let crm = SystemId::from("crm");
    let look = world.engine.look_again(&world.case(&received).await, &crm).await.unwrap();
    assert_eq!((look.looked, look.holds), (true, 1), "whoever claims that it is done is looked after");
    world.crm.script.lock().unwrap().records.remove("c1");
    let step = Step::ByHand { system: crm, receipt: [1; 32], verified: true };
    world.engine.decide(&received.case, step).await.unwrap();
    world.go_on().await;
    assert_eq!(world.case(&received).await.state, CaseState::Completed);
}

#[tokio::test]
async fn a_read_that_is_refused_leaves_the_case_open() {
    let world = everywhere();
    world.sync().await;
    world.crm.becomes(Manner::Blind);
    let received = world.erase(ADA, true).await;
    for _ in 0..30 {
        world.watch.pass(SignedDuration::from_hours(12));
        world.go_on().await;
    }
    assert_eq!(world.tasks(&received, "crm").await, ["accepted"]);
    assert_eq!(world.case(&received).await.state, CaseState::Dispatched);
    world.crm.becomes(Manner::Well);
    world.watch.pass(SignedDuration::from_hours(12));
    world.go_on().await;
    assert_eq!(world.case(&received).await.state, CaseState::Completed);
}

#[tokio::test]
async fn a_week_of_outage_delays_one_system_and_no_other() {
    let world = everywhere();
    world.sync().await;
    world.crm.becomes(Manner::Down);
    let received = world.erase(ADA, true).await;
    assert!(!world.esp.has("e1"), "the others are done at once");
    for _ in 0..7 {
        world.watch.pass(SignedDuration::from_hours(24));
        world.go_on().await;
        assert_eq!(world.case(&received).await.state, CaseState::Dispatched);
    }
    world.crm.becomes(Manner::Well);
    world.watch.pass(SignedDuration::from_hours(7));
    world.go_on().await;
    world.watch.pass(SignedDuration::from_hours(7));
    world.go_on().await;
    assert_eq!(world.case(&received).await.state, CaseState::Completed);
    assert!(!world.crm.has("c1"));
}

#[tokio::test]
async fn whoever_comes_back_is_erased_again_before_anything_else_is_written_there() {
    let world = everywhere();
    world.sync().await;
    let received = world.erase(ADA, true).await;
    world.watch.pass(SignedDuration::from_mins(10));
    world.go_on().await;
    assert_eq!(world.case(&received).await.state, CaseState::Completed);
    world.esp.holds("e7", "ADA@example.ORG");
    // Somebody whose withdrawal waits to be pushed to the same system.
    world.esp.holds("e8", "cleo@example.org");
    world
        .crm
        .script
        .lock()
        .unwrap()
        .records
        .insert("c8".to_owned(), ("cleo@example.org".to_owned(), unisson_consent::Status::Unsubscribed));
    let from = world.esp.calls().len();
    let report = world.sync().await;
    assert_eq!(report.erasures.reappeared.get("esp (all)"), Some(&1), "{:?}", report.erasures);
    let calls = world.esp.calls()[from..].to_vec();
    let erased = calls.iter().position(|call| call == "erase e7").unwrap();
    let pushed = calls.iter().position(|call| call.starts_with("push")).unwrap();
    assert!(erased < pushed, "{calls:?}");
    assert!(!world.esp.has("e7"));
    world.watch.pass(SignedDuration::from_mins(10));
    world.go_on().await;
    let cases = world.engine.store.cases(Cases::All, None, 10).await.unwrap();
    assert_eq!(cases.len(), 2);
    assert!(cases.iter().all(|case| case.state == CaseState::Completed));
    assert!(matches!(&cases[1].origin, Origin::Reappearance { system, .. } if system.as_str() == "esp"));
    assert_eq!(status(&world, ADA).await, ConsentStatus::Erased);
}

#[tokio::test]
async fn three_who_come_back_within_a_month_open_an_incident_on_the_source() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        world.esp.holds(name, &format!("{name}@example.org"));
    }
    world.sync().await;
    for name in ["a", "b", "c"] {
        world.erase(&format!("{name}@example.org"), true).await;
    }
    world.watch.pass(SignedDuration::from_mins(10));
    world.go_on().await;
    for name in ["a", "b", "c"] {
        world.esp.holds(&format!("{name}2"), &format!("{name}@example.org"));
    }
    let report = world.sync().await;
    assert_eq!(report.erasures.incidents.get("esp"), Some(&3), "{:?}", report.erasures);
    assert_eq!(report.outcome().as_str(), "partial", "somebody has to look at that source");
}

#[tokio::test]
async fn what_a_hold_keeps_is_restricted_locked_away_and_erased_by_itself_when_it_ends() {
    let hold = HoldRule {
        name: "invoices".to_owned(),
        system: "crm".into(),
        fields: vec!["invoice".to_owned()],
        ground: HoldBasis::LegalObligation,
        provision: "C. com. L123-22".to_owned(),
        keeps_for: SignedDuration::from_hours(24 * 3650),
        always: true,
    };
    let world = World::with(vec![hold], std::sync::Arc::default());
    world.esp.holds("e1", ADA);
    world.crm.holds("c1", ADA);
    world.sync().await;
    let received = world.erase(ADA, true).await;
    world.watch.pass(SignedDuration::from_mins(10));
    world.go_on().await;
    assert_eq!(world.case(&received).await.state, CaseState::CompletedWithHolds);
    assert_eq!(world.tasks(&received, "crm").await, ["held"]);
    assert!(world.crm.has("c1") && !world.esp.has("e1"));
    assert_eq!(
        world.crm.script.lock().unwrap().records["c1"].1,
        unisson_consent::Status::Unsubscribed,
        "what cannot be separated is restricted"
    );
    // The pull sees the record again and again, and marketing never does.
    let report = world.sync().await;
    assert!(report.erasures.reappeared.is_empty(), "{:?}", report.erasures);
    let found = world.engine.store.find(&Wanted::Record("c1".into())).await.unwrap();
    assert!(found.is_empty(), "no path of marketing finds what is held");
    world.watch.pass(SignedDuration::from_hours(24 * 3650));
    world.go_on().await;
    world.watch.pass(SignedDuration::from_mins(10));
    world.go_on().await;
    assert!(!world.crm.has("c1"), "no new request was needed (I19)");
    assert_eq!(world.case(&received).await.state, CaseState::Completed);
}

#[tokio::test]
async fn a_system_that_takes_no_part_in_a_run_waits_for_the_next_and_holds_up_nothing() {
    let mut world = everywhere();
    world.sync().await;
    world.engine.instances[1].enabled = false;
    let received = world.erase(ADA, true).await;
    assert!(!world.esp.has("e1") && world.crm.has("c1"));
    // Its records are found by a search that a later run makes, and due in one that leaves it out again.
    world.engine.instances[1].enabled = true;
    world.crm.becomes(Manner::Down);
    world.watch.pass(SignedDuration::from_hours(7));
    world.go_on().await;
    world.crm.becomes(Manner::After(2));
    world.watch.pass(SignedDuration::from_hours(7));
    world.go_on().await;
    assert_eq!(world.tasks(&received, "crm").await, ["accepted"]);
    world.engine.instances[1].enabled = false;
    world.watch.pass(SignedDuration::from_hours(7));
    world.go_on().await;
    assert_eq!(world.tasks(&received, "crm").await, ["accepted"], "it waits");
    world.engine.instances[1].enabled = true;
    for _ in 0..30 {
        world.go_on().await;
        world.watch.pass(SignedDuration::from_mins(2));
    }
    assert_eq!(world.case(&received).await.state, CaseState::Completed);
    assert!(!world.crm.has("c1"));
}

#[tokio::test]
async fn what_cannot_be_erased_is_answered_for_and_never_read_again() {
    let world = everywhere();
    world.sync().await;
    world.crm.becomes(Manner::Archives);
    let received = world.erase(ADA, true).await;
    world.watch.pass(SignedDuration::from_mins(10));
    world.go_on().await;
    let step = Step::Impossible { system: "crm".into(), reason: "the platform was given up".to_owned() };
    world.engine.decide(&received.case, step).await.unwrap();
    world.go_on().await;
    assert_eq!(world.case(&received).await.state, CaseState::Completed);
    assert!(world.crm.has("c1"));
    for _ in 0..2 {
        let report = world.sync().await;
        assert!(report.erasures.reappeared.is_empty(), "nobody was brought back: {:?}", report.erasures);
    }
    assert_eq!(world.engine.store.cases(Cases::All, None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_system_without_erasure_waits_for_somebody_and_the_case_with_it() {
    let world = World::new();
    world.files.holds("line 3", ADA);
    world.sync().await;
    let received = world.erase(ADA, true).await;
    world.watch.pass(SignedDuration::from_hours(24));
    world.go_on().await;
    let case = world.case(&received).await;
    assert_eq!(case.state, CaseState::Dispatched);
    assert!(case.parts[&SystemId::from("files")].by_hand);
    world.files.script.lock().unwrap().records.clear();
    let step = Step::ByHand { system: "files".into(), receipt: [2; 32], verified: true };
    world.engine.decide(&received.case, step).await.unwrap();
    world.go_on().await;
    assert_eq!(world.case(&received).await.state, CaseState::Completed);
}
