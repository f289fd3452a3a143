//! `kill -9` in the middle of a sync, then a sync: the same final state as an undisturbed run.

use std::time::Duration;

use unisson_sandbox::{Audience, Status};
use unisson_tests::Company;

/// How often a sync is killed before one may finish.
const KILLS: u64 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_sync_leaves_nothing_lost_and_nothing_half_done() {
    let undisturbed = Company::found(23, 800, |settings| settings).await;
    undisturbed.settle().await;

    let company = Company::found(23, 800, |settings| settings).await;
    let mut pause_ms = 60;
    for kill in 0..KILLS {
        let mut sync = company.start(&["sync"]);
        // Later and later, so that kills fall into reading, judging and delivery.
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        sync.kill().expect("the process is ours");
        sync.wait().expect("it ends");
        pause_ms += 40 + 20 * kill;
    }
    company.settle().await;

    assert_eq!(company.suppressions().await, undisturbed.suppressions().await);
    for audience in [Audience::Letter, Audience::Events] {
        for status in [Status::Subscribed, Status::Unsubscribed, Status::Cleaned, Status::Pending] {
            assert_eq!(
                company.twins.mailchimp().addresses(audience, status),
                undisturbed.twins.mailchimp().addresses(audience, status),
                "{audience:?} {status:?}"
            );
        }
    }
    let choices = |of: &Company| {
        let hubspot = of.twins.hubspot();
        let topics = |address: String| [91_001, 91_002, 91_003].map(|topic| hubspot.choice(&address, topic));
        hubspot.addresses().into_iter().map(topics).collect::<Vec<_>>()
    };
    assert_eq!(choices(&company), choices(&undisturbed));
    let verified = company.run(&["ledger", "verify"]).await;
    assert_eq!(verified.code, 0, "{}", verified.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sync_beside_the_first_is_refused_with_words() {
    let company = Company::found(29, 3_000, |settings| settings).await;
    let mut first = company.start(&["sync"]);
    tokio::time::sleep(Duration::from_millis(400)).await;
    let second = company.run(&["sync"]).await;
    if first.try_wait().expect("the process is ours").is_none() {
        assert_eq!(second.code, 1, "{}", second.out);
        assert!(second.err.contains("next:"), "{}", second.err);
    }
    first.kill().expect("the process is ours");
    first.wait().expect("it ends");
}
