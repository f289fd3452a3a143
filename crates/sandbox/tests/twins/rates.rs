//! What an account saw of its callers: two jobs on one account are counted together.

use std::num::{NonZeroU32, NonZeroUsize};

use serde_json::json;
use unisson_sandbox::{Fault, Options, Rule, Sandbox};

use crate::client::{Client, brevo, control, hubspot, mailchimp, options, sandbox, until};
use crate::site::sites;

const CONTACTS: &str = "/crm/v3/objects/contacts";

#[tokio::test]
async fn two_jobs_with_two_credentials_are_one_account() {
    let sandbox = sandbox().await;
    let crm = hubspot(&sandbox);
    let form = "grant_type=refresh_token&client_id=sandbox-client&client_secret=sandbox-client-secret\
                &refresh_token=sandbox-refresh-0";
    let token = crm.post_form("/oauth/v1/token", form).await.json()["access_token"].as_str().unwrap().to_owned();
    let other = Client::new(sandbox.hubspot().base_url(), &format!("Bearer {token}"));
    for _ in 0..6 {
        let (one, two) = tokio::join!(crm.get(CONTACTS), other.get(CONTACTS));
        assert_eq!((one.status, two.status), (200, 200));
    }
    let rates = sandbox.hubspot().handle().rates();
    let rolling = rates.windows.iter().find(|window| window.policy == "TEN_SECONDLY_ROLLING").unwrap();
    assert_eq!((rolling.peak, rolling.per_ms, rolling.allowed), (12, 10_000, None), "fetching a token is another kind");
    assert!((1..=13).contains(&rates.peak_per_second) && rates.peak_in_flight >= 1);
}

#[tokio::test]
async fn a_doubled_rate_shows_against_what_the_account_allows() {
    let mut strict: Options = options();
    strict.brevo.contacts_per_second = NonZeroU32::new(4);
    strict.brevo.contacts_per_hour = NonZeroU32::new(1_000);
    let sandbox = Sandbox::start(strict).await.unwrap();
    let client = brevo(&sandbox);
    let calls = (0..8).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.get("/contacts?limit=1").await.status })
    });
    let mut statuses = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        statuses.push(call.await.unwrap());
    }
    let shown = control(sandbox.brevo().handle()).get("/_control/rates").await.json();
    let window = |policy: &str| {
        let windows = shown["windows"].as_array().unwrap();
        windows.iter().find(|window| window["policy"] == policy).unwrap().clone()
    };
    let second = window("contacts by the second");
    assert_eq!((&second["allowed"], &second["per_ms"]), (&json!(4), &json!(1_000)));
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert!(refused > 0 && second["peak"].as_u64().unwrap() > 4, "what was turned away came in too: {shown}");
    assert_eq!(second["turned_away"], refused);
    let hour = window("contacts by the hour");
    assert_eq!((&hour["allowed"], &hour["peak"], &hour["turned_away"]), (&json!(1_000), &json!(8), &json!(0)));
    assert_eq!(window("everything else by the hour")["peak"], 0);
    assert!(shown["peak_per_second"].as_u64().unwrap() > 4);
}

#[tokio::test]
async fn concurrency_is_told_beside_what_the_account_allows() {
    let mut strict: Options = options();
    strict.mailchimp.concurrent = NonZeroUsize::new(10);
    let sandbox = Sandbox::start(strict).await.unwrap();
    let handle = sandbox.mailchimp().handle();
    handle.inject(Rule::new(Fault::StallForEver).on("/ping").always()).unwrap();
    let client = mailchimp(&sandbox);
    let held: Vec<_> = (0..7)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.send(reqwest::Method::GET, "/ping", None).await.is_ok() })
        })
        .collect();
    until(|| handle.peak_in_flight() == 7).await;
    let shown = control(handle).get("/_control/rates").await.json();
    assert_eq!((&shown["peak_in_flight"], &shown["in_flight_allowed"]), (&json!(7), &json!(10)));
    held.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn counting_starts_again_when_a_twin_forgets() {
    let sandbox = sandbox().await;
    for site in sites(&sandbox) {
        site.page("0").await.unwrap();
        assert_eq!(site.handle.rates().peak_per_second, 1, "{}", site.name);
        site.handle.forget();
        assert_eq!(site.handle.rates().peak_per_second, 0, "{}", site.name);
    }
}
