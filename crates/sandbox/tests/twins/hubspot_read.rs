//! HubSpot, reading.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use unisson_sandbox::{HubSpotDeed, Options, Plot, Sandbox, System, Tier};

use crate::client::{Client, encoded, hubspot, options, sandbox, texts};

const CONTACTS: &str = "/crm/v3/objects/contacts";
const SEARCH: &str = "/crm/v3/objects/contacts/search";
/// No listing of these tests has more pages.
const PAGES_MAX: usize = 40;
const STATUSES: &str = "/communication-preferences/v4/statuses";

fn address(sandbox: &Sandbox, plot: Plot) -> String {
    sandbox.population().with_plot(plot).next().unwrap().spelling(System::Crm)
}

/// All contacts, page by page.
async fn contacts(client: &Client, query: &str) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), String::from("0"));
    for _ in 0..PAGES_MAX {
        let page = client.get(&format!("{CONTACTS}?{query}&after={after}")).await.json();
        all.extend(page["results"].as_array().unwrap().iter().cloned());
        match page["paging"]["next"]["after"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => return all,
        }
    }
    panic!("the listing never ends");
}

fn modified_since(since: &Value, more: &Value) -> Value {
    let filter = json!({"propertyName": "lastmodifieddate", "operator": "GTE", "value": since});
    let mut body = json!({
        "filterGroups": [{"filters": [filter]}],
        "sorts": [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}],
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn only_a_good_token_opens() {
    let sandbox = sandbox().await;
    assert_eq!(hubspot(&sandbox).get("/account-info/v3/details").await.json()["portalId"], 4_200_001);
    for bad in ["Bearer other", "Basic eDp5", ""] {
        let answer = Client::new(sandbox.hubspot().base_url(), bad).get(CONTACTS).await;
        assert_eq!((answer.status, &answer.json()["category"]), (401, &json!("INVALID_AUTHENTICATION")));
    }
}

#[tokio::test]
async fn pages_follow_the_ids_and_end_without_a_cursor() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    let shown = contacts(&client, "limit=40").await;
    let seen: Vec<u64> = shown.iter().map(|one| one["id"].as_str().unwrap().parse().unwrap()).collect();
    assert!(seen.is_sorted());
    assert_eq!(seen.len() as u64, sandbox.hubspot().census().live);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len());
}

#[tokio::test]
async fn limits_of_a_page_are_kept() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    assert_eq!(client.get(CONTACTS).await.json()["results"].as_array().unwrap().len(), 10);
    for bad in ["limit=101", "limit=0", "limit=x", "after=abc"] {
        let answer = client.get(&format!("{CONTACTS}?{bad}")).await;
        assert_eq!((answer.status, &answer.json()["category"]), (400, &json!("VALIDATION_ERROR")), "{bad}");
    }
    assert_eq!(client.post(SEARCH, json!({"limit": 200})).await.status, 200);
    assert_eq!(client.post(SEARCH, json!({"limit": 201})).await.status, 400);
}

#[tokio::test]
async fn every_property_is_text_or_null() {
    let sandbox = sandbox().await;
    let all = "email,phone,hs_email_optout,hs_email_optout_91001,hs_email_hard_bounce_reason_enum,hs_email_bad_address,\
               hs_legal_basis,hs_additional_emails,hs_email_bounce,nonsense";
    let page = hubspot(&sandbox).get(&format!("{CONTACTS}?limit=100&properties={all}")).await.json();
    for contact in page["results"].as_array().unwrap() {
        let properties = contact["properties"].as_object().unwrap();
        assert!(properties.values().all(|value| value.is_string() || value.is_null()));
        assert!(properties.contains_key("hs_object_id") && !properties.contains_key("nonsense"));
    }
}

#[tokio::test]
async fn opt_outs_bounces_and_second_addresses_show_as_properties() {
    let sandbox = sandbox().await;
    let shown = |plot| sandbox.hubspot().contact(&address(&sandbox, plot)).unwrap()["properties"].clone();
    assert_eq!(shown(Plot::LeftAllInCrm)["hs_email_optout"], "true");
    let left = shown(Plot::LeftInCrm);
    assert_eq!((&left["hs_email_optout"], &left["hs_email_optout_91001"]), (&json!("false"), &json!("true")));
    assert_eq!(left["hs_email_optout_91002"], Value::Null);
    let bounced = shown(Plot::BouncedInCrm);
    assert_eq!(bounced["hs_email_bad_address"], "true");
    assert!(bounced["hs_email_hard_bounce_reason_enum"].is_string());
    let person = sandbox.population().with_plot(Plot::TwoAddresses).next().unwrap();
    assert_eq!(shown(Plot::TwoAddresses)["hs_additional_emails"], json!(person.email()));
    assert!(sandbox.hubspot().contact(&person.email()).is_some(), "found by the second address too");
}

#[tokio::test]
async fn search_filters_sorts_and_counts() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    let everybody = client.post(SEARCH, modified_since(&json!("0"), &json!({"limit": 200}))).await.json();
    assert_eq!(everybody["total"], sandbox.hubspot().census().live);
    let times: Vec<String> =
        everybody["results"].as_array().unwrap().iter().map(|one| one["updatedAt"].to_string()).collect();
    assert!(times.is_sorted());
    let middle = everybody["results"][100]["updatedAt"].clone();
    let later = client.post(SEARCH, modified_since(&middle, &json!({"limit": 200}))).await.json();
    assert_eq!(later["total"].as_u64().unwrap(), sandbox.hubspot().census().live - 100);
    assert_eq!(later["results"][0]["id"], everybody["results"][100]["id"]);
    let id = everybody["results"][3]["id"].as_str().unwrap();
    let by = |name: &str, operator: &str, value: &str| json!({"filterGroups": [{"filters": [{"propertyName": name, "operator": operator, "value": value}]}]});
    assert_eq!(client.post(SEARCH, by("hs_object_id", "EQ", id)).await.json()["total"], 1);
    let who = address(&sandbox, Plot::LeftInCrm);
    assert_eq!(client.post(SEARCH, by("email", "EQ", &who)).await.json()["total"], 1);
    assert_eq!(client.post(SEARCH, by("email", "EQ", "nobody@example.org")).await.json()["total"], 0);
    for bad in
        [by("email", "GT", "a"), by("shoe_size", "EQ", "1"), by("createdate", "LIKE", "1"), by("createdate", "GT", "x")]
    {
        assert_eq!(client.post(SEARCH, bad).await.status, 400);
    }
}

#[tokio::test]
async fn two_groups_are_either_and_two_filters_are_both() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    let filter =
        |operator: &str, value: u32| json!({"propertyName": "hs_object_id", "operator": operator, "value": value});
    let both = json!({"filterGroups": [{"filters": [filter("GTE", 10_001), filter("LT", 10_006)]}], "limit": 200});
    let either = json!({
        "filterGroups": [{"filters": [filter("LT", 10_006)]}, {"filters": [filter("EQ", 10_010)]}], "limit": 200,
    });
    assert_eq!(client.post(SEARCH, both).await.json()["total"], 5);
    assert_eq!(client.post(SEARCH, either).await.json()["total"], 6);
}

#[tokio::test]
async fn search_reaches_ten_thousand_and_refuses_beyond() {
    let sandbox = Sandbox::start(Options { contacts: 16_000, ..options() }).await.unwrap();
    let client = hubspot(&sandbox);
    let at = |after: &str| modified_since(&json!("0"), &json!({"limit": 200, "after": after}));
    let last = client.post(SEARCH, at("9800")).await.json();
    assert!(last["total"].as_u64().unwrap() > 10_000);
    assert_eq!(last["results"].as_array().unwrap().len(), 200);
    assert_eq!(last["paging"]["next"]["after"], "10000");
    assert_eq!(client.post(SEARCH, at("10000")).await.status, 400);
    assert_eq!(client.post(SEARCH, at("9801")).await.status, 400);
}

#[tokio::test]
async fn the_search_index_lags_behind_changes_creations_and_deletions() {
    let mut slow: Options = options();
    slow.hubspot.index_lag = Duration::from_secs(30);
    let sandbox = Sandbox::start(slow).await.unwrap();
    let client = hubspot(&sandbox);
    let by_email =
        |who: &str| json!({"filterGroups": [{"filters": [{"propertyName": "email", "operator": "EQ", "value": who}]}]});
    let total = async |who: &str| client.post(SEARCH, by_email(who)).await.json()["total"].as_u64().unwrap();
    let gone = address(&sandbox, Plot::LeftInCrm);
    client.post(CONTACTS, json!({"properties": {"email": "late@example.org"}})).await;
    sandbox.hubspot().act(&gone, HubSpotDeed::Erase).unwrap();
    assert_eq!((total("late@example.org").await, total(&gone).await), (0, 1));
    sandbox.clock().advance(Duration::from_secs(31));
    assert_eq!((total("late@example.org").await, total(&gone).await), (1, 0));
}

#[tokio::test]
async fn archived_contacts_have_a_listing_of_their_own_and_no_search() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    let who = address(&sandbox, Plot::LeftInCrm);
    sandbox.hubspot().act(&who, HubSpotDeed::Archive).unwrap();
    let archived = client.get(&format!("{CONTACTS}?archived=true")).await.json();
    assert_eq!(archived["results"].as_array().unwrap().len(), 1);
    assert_eq!(archived["results"][0]["archived"], true);
    assert!(archived["results"][0]["archivedAt"].is_string());
    let live = client.post(SEARCH, modified_since(&json!("0"), &json!({}))).await.json();
    assert_eq!(live["total"], sandbox.hubspot().census().live);
    sandbox.hubspot().act(&who, HubSpotDeed::Restore).unwrap();
    assert_eq!(sandbox.hubspot().census().archived, 0);
}

#[tokio::test]
async fn batch_read_answers_207_with_what_is_missing() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    let known = address(&sandbox, Plot::LeftInCrm);
    let body = |ids: &[&str]| {
        let inputs: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        json!({"properties": ["email"], "idProperty": "email", "inputs": inputs})
    };
    let path = format!("{CONTACTS}/batch/read");
    assert_eq!(client.post(&path, body(&[&known])).await.status, 200);
    let partial = client.post(&path, body(&[&known, "nobody@example.org"])).await;
    assert_eq!(partial.status, 207);
    assert_eq!(partial.json()["results"].as_array().unwrap().len(), 1);
    assert_eq!(partial.json()["errors"][0]["context"]["ids"], json!(["nobody@example.org"]));
    assert_eq!(client.post(&path, body(&vec!["a@example.org"; 101])).await.status, 400);
}

#[tokio::test]
async fn one_contact_is_read_by_id_or_address() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    let who = encoded(&address(&sandbox, Plot::LeftInCrm));
    let by_address = client.get(&format!("{CONTACTS}/{who}?idProperty=email")).await.json();
    let id = by_address["id"].as_str().unwrap();
    assert_eq!(client.get(&format!("{CONTACTS}/{id}")).await.json(), by_address);
    assert_eq!(client.get(&format!("{CONTACTS}/99999999")).await.status, 404);
    assert_eq!(client.get(&format!("{CONTACTS}/{who}?idProperty=phone")).await.status, 400);
}

#[tokio::test]
async fn the_census_counts_what_the_listing_shows() {
    let sandbox = sandbox().await;
    let query = "limit=100&properties=hs_email_optout,hs_email_optout_91001,hs_email_bad_address";
    let (mut out, mut bounced, mut left) = (0, 0, 0);
    for contact in contacts(&hubspot(&sandbox), query).await {
        let shown = |name: &str| u64::from(contact["properties"][name] == "true");
        out += shown("hs_email_optout");
        bounced += shown("hs_email_bad_address");
        left += shown("hs_email_optout_91001").max(shown("hs_email_optout"));
    }
    let census = sandbox.hubspot().census();
    assert_eq!((census.out_of_all, census.bounced, census.unsubscribed[0]), (out, bounced, left));
    assert!(out > 0 && bounced > 0 && left > out && census.subscribed[0] > left);
}

#[tokio::test]
async fn there_are_three_subscription_types() {
    let sandbox = sandbox().await;
    let answer = hubspot(&sandbox).get("/communication-preferences/v4/definitions").await.json();
    assert_eq!(texts(&answer["results"], "id"), ["91001", "91002", "91003"]);
}

#[tokio::test]
async fn statuses_are_read_for_any_address_and_only_with_the_channel() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    let read = async |who: &str| {
        let answer = client.get(&format!("{STATUSES}/{}?channel=EMAIL", encoded(who))).await;
        texts(&answer.json()["results"], "status")
    };
    assert_eq!(read(&address(&sandbox, Plot::LeftInCrm)).await, ["UNSUBSCRIBED", "SUBSCRIBED", "NOT_SPECIFIED"]);
    assert_eq!(read(&address(&sandbox, Plot::LeftAllInCrm)).await, ["UNSUBSCRIBED"; 3]);
    assert_eq!(read("stranger@example.org").await, ["NOT_SPECIFIED"; 3]);
    assert_eq!(client.get(&format!("{STATUSES}/a@example.org")).await.status, 400);
    assert_eq!(client.get(&format!("{STATUSES}/nobody?channel=EMAIL")).await.status, 400);
    let all_out = async |who: &str| {
        client.get(&format!("{STATUSES}/{}/unsubscribe-all?channel=EMAIL", encoded(who))).await.json()["results"]
            .clone()
    };
    assert_eq!(all_out(&address(&sandbox, Plot::LeftAllInCrm)).await[0]["wideStatusType"], "PORTAL_WIDE");
    assert_eq!(all_out(&address(&sandbox, Plot::LeftInCrm)).await, json!([]));
}

#[tokio::test]
async fn batch_calls_for_statuses_need_enterprise() {
    let mut cheap: Options = options();
    cheap.hubspot.tier = Tier::Professional;
    let sandbox = Sandbox::start(cheap).await.unwrap();
    let client = hubspot(&sandbox);
    for call in [
        "batch/read?channel=EMAIL",
        "batch/write",
        "batch/unsubscribe-all?channel=EMAIL",
        "batch/unsubscribe-all/read?channel=EMAIL",
    ] {
        let answer = client.post(&format!("{STATUSES}/{call}"), json!({"inputs": []})).await;
        assert_eq!((answer.status, &answer.json()["category"]), (403, &json!("MISSING_SCOPES")), "{call}");
    }
    assert_eq!(client.get(&format!("{STATUSES}/a@example.org?channel=EMAIL")).await.status, 200);
}

#[tokio::test]
async fn many_statuses_are_read_at_once() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    let (left, out) = (address(&sandbox, Plot::LeftInCrm), address(&sandbox, Plot::LeftAllInCrm));
    let read = client.post(&format!("{STATUSES}/batch/read?channel=EMAIL"), json!({"inputs": [left, "broken"]})).await;
    assert_eq!((read.status, &read.json()["numErrors"]), (207, &json!(1)));
    assert_eq!(texts(&read.json()["results"][0]["statuses"], "status")[0], "UNSUBSCRIBED");
    let path = format!("{STATUSES}/batch/unsubscribe-all/read?channel=EMAIL");
    let wide = client.post(&path, json!({"inputs": [left, out]})).await.json();
    assert_eq!(wide["results"][0]["wideStatuses"], json!([]));
    assert_eq!(wide["results"][1]["wideStatuses"][0]["status"], "UNSUBSCRIBED");
}
