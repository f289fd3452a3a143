//! The vendors' allowances.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use unisson_sandbox::{Fault, Options, Rule, Sandbox};

use crate::client::{hubspot, mailchimp, options, until};

const CONTACTS: &str = "/crm/v3/objects/contacts";

#[tokio::test]
async fn the_eleventh_call_at_once_is_turned_away_without_a_hint() {
    let mut strict: Options = options();
    strict.mailchimp.concurrent = NonZeroUsize::new(10);
    let sandbox = Sandbox::start(strict).await.unwrap();
    let handle = sandbox.mailchimp().handle();
    handle.inject(Rule::new(Fault::StallBody(60_000)).on("/ping").always()).unwrap();
    let client = mailchimp(&sandbox);
    let held: Vec<_> = (0..10)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.send(Method::GET, "/ping", None).await.is_ok() })
        })
        .collect();
    until(|| handle.peak_in_flight() == 10).await;
    let eleventh = client.get("/lists").await;
    assert_eq!((eleventh.status, eleventh.title().as_str()), (429, "Too Many Requests"));
    assert!(eleventh.header("content-type").unwrap().starts_with("application/problem+json"));
    assert!(eleventh.header("retry-after").is_none());
    held.iter().for_each(tokio::task::JoinHandle::abort);
    let mut calls = 0;
    while client.get("/lists").await.status != 200 {
        calls += 1;
        assert!(calls < 1_000, "there is room again");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn the_portal_counts_calls_in_ten_seconds_and_tells_what_is_left() {
    let mut strict: Options = options();
    strict.hubspot.per_ten_seconds = NonZeroU32::new(3);
    strict.hubspot.per_day = NonZeroU32::new(1_000);
    let sandbox = Sandbox::start(strict).await.unwrap();
    let client = hubspot(&sandbox);
    for left in ["2", "1", "0"] {
        let answer = client.get(CONTACTS).await;
        assert_eq!(answer.header("x-hubspot-ratelimit-remaining"), Some(left));
        assert_eq!(answer.header("x-hubspot-ratelimit-max"), Some("3"));
        assert_eq!(answer.header("x-hubspot-ratelimit-interval-milliseconds"), Some("10000"));
        assert!(answer.header("x-hubspot-ratelimit-daily-remaining").is_some());
    }
    let denied = client.get(CONTACTS).await;
    assert_eq!((denied.status, &denied.json()["policyName"]), (429, &json!("TEN_SECONDLY_ROLLING")));
    assert_eq!(denied.json()["errorType"], "RATE_LIMIT");
    assert_eq!(client.post(&format!("{CONTACTS}/search"), json!({})).await.status, 200, "searches are counted apart");
}

#[tokio::test]
async fn searches_have_a_limit_of_their_own_without_headers() {
    let mut strict: Options = options();
    strict.hubspot.searches_per_second = NonZeroU32::new(1);
    let sandbox = Sandbox::start(strict).await.unwrap();
    let client = hubspot(&sandbox);
    let search = async || client.post(&format!("{CONTACTS}/search"), json!({})).await;
    let first = search().await;
    assert_eq!((first.status, first.header("x-hubspot-ratelimit-remaining")), (200, None));
    let second = search().await;
    assert_eq!((second.status, &second.json()["policyName"]), (429, &json!("SECONDLY")));
}

#[tokio::test]
async fn a_day_has_an_end_too() {
    let mut strict: Options = options();
    strict.hubspot.per_ten_seconds = NonZeroU32::new(100);
    strict.hubspot.per_day = NonZeroU32::new(2);
    let sandbox = Sandbox::start(strict).await.unwrap();
    let client = hubspot(&sandbox);
    assert_eq!(client.get(CONTACTS).await.status, 200);
    assert_eq!(client.get(CONTACTS).await.header("x-hubspot-ratelimit-daily-remaining"), Some("0"));
    assert_eq!(client.get(CONTACTS).await.json()["policyName"], "DAILY");
}

#[tokio::test]
async fn without_limits_nothing_is_turned_away() {
    let sandbox = Sandbox::start(options()).await.unwrap();
    let client = hubspot(&sandbox);
    for _ in 0..200 {
        assert_eq!(client.get(&format!("{CONTACTS}?limit=1")).await.status, 200);
    }
}
