//! What a whole account goes through, and the clock that all of them share.

use serde_json::json;
use unisson_sandbox::{Fault, RetryAfter, Rule};

use crate::client::{Client, control, hubspot, sandbox};
use crate::site::sites;

const CONTACTS: &str = "/crm/v3/objects/contacts";

#[tokio::test]
async fn an_outage_of_any_twin_answers_503_until_it_is_over() {
    let sandbox = sandbox().await;
    for site in sites(&sandbox) {
        let control = control(site.handle);
        site.handle.inject(Rule::new(Fault::HtmlPage)).unwrap();
        assert_eq!(control.post("/_control/outage", json!({"on": true})).await.status, 200);
        for _ in 0..5 {
            let down = site.page("0").await.unwrap();
            assert!(down.status == 503 && down.json().is_object(), "{} in its own form", site.name);
        }
        let people = site.mailable();
        assert_eq!(site.set(&people[0], true).await.unwrap().status, 503, "{}", site.name);
        assert!(!site.is_out(&people[0]));
        control.post("/_control/outage", json!({"on": false})).await;
        assert!(site.page("0").await.unwrap().text.starts_with("<!doctype"), "{}: the fault waited", site.name);
        assert_eq!(site.page("0").await.unwrap().status, 200);
        let faults: Vec<_> = site.handle.calls().into_iter().filter_map(|call| call.fault).collect();
        assert_eq!(faults, [["outage"; 6].as_slice(), &["html_page"]].concat(), "{}", site.name);
    }
}

#[tokio::test]
async fn a_storm_over_any_twin_blows_itself_out() {
    let sandbox = sandbox().await;
    for site in sites(&sandbox) {
        let control = control(site.handle);
        let storm = json!({"calls": 3, "retry_after": {"seconds": 2}});
        assert_eq!(control.post("/_control/storm", storm).await.status, 200);
        for _ in 0..3 {
            let told = site.page("0").await.unwrap();
            assert_eq!((told.status, told.header("retry-after")), (429, Some("2")), "{}", site.name);
        }
        assert_eq!(site.page("0").await.unwrap().status, 200, "{}", site.name);
        site.handle.storm(1, RetryAfter::Bare);
        assert_eq!(site.page("0").await.unwrap().header("retry-after"), None);
        site.handle.storm(50, RetryAfter::Bare);
        site.handle.forget();
        assert_eq!(site.page("0").await.unwrap().status, 200, "{}", site.name);
    }
}

#[tokio::test]
async fn a_key_is_refused_once_and_a_token_until_it_is_fetched_anew() {
    let sandbox = sandbox().await;
    for site in sites(&sandbox) {
        control(site.handle).post("/_control/expire", json!({"calls": 3})).await;
        let mut statuses = Vec::new();
        for _ in 0..4 {
            statuses.push(site.page("0").await.unwrap().status);
        }
        let expected = if site.name == "hubspot" { [401, 401, 401, 200] } else { [401, 200, 200, 200] };
        assert_eq!(statuses, expected, "{}", site.name);
    }
    let crm = hubspot(&sandbox);
    let form = "grant_type=refresh_token&client_id=sandbox-client&client_secret=sandbox-client-secret\
                &refresh_token=sandbox-refresh-0";
    let fetch = async || {
        let given = crm.post_form("/oauth/v1/token", form).await;
        let token = given.json()["access_token"].as_str().unwrap().to_owned();
        Client::new(sandbox.hubspot().base_url(), &format!("Bearer {token}"))
    };
    let old = fetch().await;
    assert_eq!(old.get(CONTACTS).await.status, 200);
    control(sandbox.hubspot().handle()).post("/_control/expire", json!({"calls": 1_000})).await;
    assert_eq!((old.get(CONTACTS).await.status, old.get(CONTACTS).await.status), (401, 401));
    let new = fetch().await;
    assert_eq!(new.get(CONTACTS).await.status, 200, "a token fetched anew is good at once");
    assert_eq!(old.get(CONTACTS).await.status, 401, "the old one stays ended");
}

#[tokio::test]
async fn senseless_weather_is_refused_with_what_to_mend() {
    let sandbox = sandbox().await;
    for site in sites(&sandbox) {
        let control = control(site.handle);
        for (path, body) in [
            ("outage", json!({"on": "yes"})),
            ("outage", json!({})),
            ("storm", json!({"calls": 0})),
            ("storm", json!({"calls": 5, "retry_after": "tomorrow"})),
            ("expire", json!({"calls": 4_000_000_000_u32})),
            ("clock", json!({"now": "noon"})),
            ("clock", json!({"seconds": 5})),
        ] {
            let answer = control.post(&format!("/_control/{path}"), body).await;
            assert_eq!(answer.status, 400, "{} {path}", site.name);
            assert!(!answer.json()["mend"].as_str().unwrap().is_empty());
        }
        assert_eq!(site.page("0").await.unwrap().status, 200, "{}: nothing was set", site.name);
    }
}

#[tokio::test]
async fn all_twins_share_a_clock_that_can_be_set_forwards_and_backwards() {
    let sandbox = sandbox().await;
    for (site, moment) in
        sites(&sandbox).iter().zip(["2027-01-01T00:00:00Z", "2026-06-01T12:00:00Z", "2220-01-01T00:00:00Z"])
    {
        let control = control(site.handle);
        let set = control.post("/_control/clock", json!({"now": moment})).await;
        assert_eq!((set.status, &set.json()["now"]), (200, &json!(moment)));
        assert_eq!(sandbox.clock().now().to_string(), moment);
        for other in sites(&sandbox) {
            let shown = crate::client::control(other.handle).get("/_control/clock").await;
            assert_eq!(shown.json()["now"], moment, "{}", other.name);
        }
    }
    sandbox.clock().set("2026-11-02T00:00:00Z".parse().unwrap());
    let people = sites(&sandbox)[0].mailable();
    sites(&sandbox)[0].set(&people[0], true).await.unwrap();
    let changed = sandbox.mailchimp().member(unisson_sandbox::Audience::Letter, &people[0]).unwrap();
    assert_eq!(changed["last_changed"], "2026-11-02T00:00:00+00:00");
}
