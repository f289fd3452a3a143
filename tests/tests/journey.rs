//! From contacts to suppressions, as a company lives it: check, look, sync, rest, ask why, hand the list on.

use std::collections::BTreeSet;

use unisson_sandbox::{Audience, MailchimpDeed, Status};
use unisson_tests::{Company, delivered, planned};

#[tokio::test(flavor = "multi_thread")]
async fn after_a_sync_every_refusal_stands_on_every_platform_and_a_second_sync_writes_nothing() {
    let company = Company::found(7, 1_500, |settings| settings).await;
    let check = company.run(&["check", "--json"]).await;
    assert_eq!(check.code, 0, "{}\n{}", check.out, check.err);

    let look = company.run(&["sync", "--dry-run", "--json"]).await;
    assert!(planned(&look.json()) > 100, "the twins contradict each other: {}", look.out);
    assert_eq!(delivered(&look.json()), 0);
    let written =
        || company.twins.mailchimp().handle().tally().writes + company.twins.hubspot().handle().tally().writes;
    // Reading subscription states in batches is a POST that changes nothing; so the platforms' own states are compared.
    let before = states(&company);
    company.settle().await;
    let after = states(&company);
    assert_ne!(before, after);

    let quiet = written();
    let again = company.run(&["sync", "--json", "--full"]).await;
    assert_eq!(again.code, 0, "{}", again.out);
    assert_eq!((planned(&again.json()), delivered(&again.json())), (0, 0), "the plan after apply is empty");
    assert_eq!(states(&company), after);
    assert!(written() >= quiet);

    assert_refused_nowhere_subscribed(&company).await;
}

/// Whoever is on the list for a purpose is subscribed to nothing of it anywhere.
async fn assert_refused_nowhere_subscribed(company: &Company) {
    let lines = company.suppressions().await;
    let refused: Vec<(&str, &str)> = lines
        .iter()
        .filter_map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            (words.len() == 4 && words[2] == "email").then(|| (words[0], words[1]))
        })
        .collect();
    assert!(refused.len() > 100);
    let mailchimp = company.twins.mailchimp();
    for (address, purpose) in refused {
        for (audience, serves) in [(Audience::Letter, "newsletter"), (Audience::Events, "promotions")] {
            if serves == purpose {
                assert_ne!(mailchimp.status(audience, address), Some(Status::Subscribed), "{purpose} at {audience:?}");
            }
        }
        let topics: &[u64] = match purpose {
            "newsletter" => &[91_001],
            "promotions" => &[91_002, 91_003],
            _ => &[],
        };
        for topic in topics {
            let held = company.twins.hubspot().contact(address).is_some();
            assert!(
                !held || company.twins.hubspot().choice(address, *topic) != Some("SUBSCRIBED"),
                "{purpose} at {topic}"
            );
        }
    }
}

/// What both platforms show of everybody.
fn states(company: &Company) -> BTreeSet<String> {
    let mut states = BTreeSet::new();
    for audience in [Audience::Letter, Audience::Events] {
        for status in [Status::Subscribed, Status::Unsubscribed, Status::Cleaned, Status::Pending] {
            let addresses = company.twins.mailchimp().addresses(audience, status);
            states.extend(addresses.into_iter().map(|address| format!("{audience:?} {status:?} {address}")));
        }
    }
    for address in company.twins.hubspot().addresses() {
        for topic in [91_001, 91_002, 91_003] {
            states.insert(format!("{topic} {:?} {address}", company.twins.hubspot().choice(&address, topic)));
        }
    }
    states
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_on_one_platform_is_suppressed_on_the_others_by_the_next_sync_and_explained() {
    let company = Company::found(11, 400, |settings| settings).await;
    company.settle().await;
    let mailchimp = company.twins.mailchimp();
    let subscribed = mailchimp.addresses(Audience::Letter, Status::Subscribed);
    let who = subscribed
        .iter()
        .find(|address| company.twins.hubspot().choice(address, 91_001) == Some("SUBSCRIBED"))
        .expect("somebody is subscribed on both")
        .clone();
    company.twins.clock().advance(std::time::Duration::from_hours(1));
    mailchimp.act(Audience::Letter, &who, MailchimpDeed::Unsubscribe).expect("the person leaves");
    company.settle().await;
    assert_eq!(company.twins.hubspot().choice(&who, 91_001), Some("UNSUBSCRIBED"));

    let why = company.run(&["explain", &who.to_uppercase(), "--json"]).await.json();
    let newsletter = why["decisions"]
        .as_array()
        .expect("decisions")
        .iter()
        .find(|decision| decision["purpose"] == "newsletter" && decision["channel"] == "email")
        .expect("the newsletter");
    assert_eq!((&newsletter["decision"], &newsletter["reason"]), (&"deny".into(), &"withdrawn".into()));
    let fact = newsletter["facts"][0].as_str().expect("a fact behind it");
    assert!(why["facts"].as_array().expect("facts").iter().any(|told| told["id"] == fact));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_suppressed_for_a_missing_proof_unless_full_is_asked_for() {
    let company = Company::found(5, 600, |settings| settings).await;
    company.settle().await;
    let subscribed = company.twins.mailchimp().count(Audience::Letter, Status::Subscribed);
    assert!(subscribed > 100, "{subscribed} stay subscribed, proven or not");

    let strict =
        Company::found(5, 600, |settings| settings.replace("enforce = \"negatives\"", "enforce = \"full\"")).await;
    strict.settle().await;
    assert!(strict.twins.mailchimp().count(Audience::Letter, Status::Subscribed) < subscribed);

    let observed =
        Company::found(5, 600, |settings| settings.replace("enforce = \"negatives\"", "enforce = \"observe\"")).await;
    let before = states(&observed);
    observed.settle().await;
    assert_eq!(states(&observed), before, "observe writes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspicious_run_is_held_until_somebody_approves_it_but_a_persons_own_no_is_not() {
    let strict =
        |settings: String| settings.replace("[instances.news]", "[guard]\ncount = 1\nshare = 0.0\n\n[instances.news]");
    let company = Company::found(3, 500, strict).await;
    let run = company.run(&["sync", "--json"]).await;
    assert_eq!(run.code, 3, "{}", run.out);
    let report = run.json();
    assert!(delivered(&report) > 0, "withdrawals proven by the person are not held");
    assert_eq!(company.run(&["status"]).await.code, 3);
    let name = report["run"].as_str().expect("a run").to_owned();
    let approved = company.run(&["approve", &name[..13], "--json"]).await;
    assert_eq!(approved.code, 0, "{}\n{}", approved.out, approved.err);
    assert!(delivered(&approved.json()) > 0);
    let nothing = company.run(&["approve", &name]).await;
    assert_eq!(nothing.code, 1, "nothing is held any more: {}", nothing.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_reached_is_named_and_the_exit_code_says_so() {
    let company = Company::found(2, 200, |settings| {
        settings.replace("connector = \"hubspot\"", "connector = \"hubspot\"\nenabled = false")
    })
    .await;
    let run = company.run(&["sync", "--json"]).await;
    assert_eq!(run.code, 2, "{}", run.out);
    assert!(run.json()["instances"]["crm"]["errors"][0].as_str().expect("an error").contains("disabled"));

    let unmapped = Company::found(2, 200, |settings| settings.replace("\"b7e2d4a680\" =", "\"another\" =")).await;
    let run = unmapped.run(&["sync", "--json"]).await;
    assert_eq!(run.code, 2, "{}", run.out);
    assert!(run.json()["instances"]["news"]["unmapped"]["b7e2d4a680"].as_u64() > Some(0));

    let locked = Company::found(2, 200, |settings| settings).await;
    std::fs::write(locked.path().join("mailchimp.key"), "wrong-key-us1").expect("another key");
    let run = locked.run(&["sync", "--json"]).await;
    assert_eq!(run.code, 2, "{}", run.out);
    assert_eq!(run.json()["instances"]["news"]["complete"], false);
    assert_eq!(run.json()["instances"]["crm"]["complete"], true, "one platform's failure is not another's");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_verifies_and_the_list_is_exported_in_the_shapes_platforms_take() {
    let company = Company::found(13, 300, |settings| settings).await;
    company.settle().await;
    let verified = company.run(&["ledger", "verify", "--json"]).await.json();
    assert!(verified["facts"].as_u64() > Some(300));
    for (shape, length) in [("sha256", 64), ("md5", 32)] {
        let out = company.path().join(shape);
        let path = out.to_str().expect("a path");
        let export =
            company.run(&["suppressions", "export", "--channel", "email", "--shape", shape, "--out", path]).await;
        assert_eq!(export.code, 0, "{}", export.err);
        let text = std::fs::read_to_string(&out).expect("the export");
        let mut lines = text.lines();
        assert!(lines.next().is_some_and(|head| head.contains(shape)), "the header names the normalisation");
        assert!(lines.clone().count() > 10);
        assert!(lines.all(|line| line.len() == length && line.bytes().all(|byte| byte.is_ascii_hexdigit())));
    }
}
