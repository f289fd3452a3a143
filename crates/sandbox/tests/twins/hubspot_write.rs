//! HubSpot, writing: choices, contacts, erasure, tokens.

use std::time::Duration;

use serde_json::{Value, json};
use unisson_sandbox::{ActError, HubSpotDeed, Options, Plot, Refresh, Sandbox, System};

use crate::client::{Client, encoded, hubspot, options, sandbox};

const CONTACTS: &str = "/crm/v3/objects/contacts";
const STATUSES: &str = "/communication-preferences/v4/statuses";
const NEWSLETTER: u64 = 91_001;

fn address(sandbox: &Sandbox, plot: Plot) -> String {
    sandbox.population().with_plot(plot).next().unwrap().spelling(System::Crm)
}

fn choice(state: &str) -> Value {
    json!({"subscriptionId": NEWSLETTER, "statusState": state, "channel": "EMAIL"})
}

fn modified(sandbox: &Sandbox, who: &str) -> Value {
    sandbox.hubspot().contact(who).unwrap()["properties"]["lastmodifieddate"].clone()
}

async fn choose(client: &Client, who: &str, state: &str) -> (u16, String) {
    let answer = client.post(&format!("{STATUSES}/{}", encoded(who)), choice(state)).await;
    let reason = answer.json()["results"][0]["setStatusSuccessReason"].as_str().unwrap_or_default().to_owned();
    (answer.status, reason)
}

#[tokio::test]
async fn a_choice_says_what_it_did_and_does_not_move_the_modification_date() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    let who = address(&sandbox, Plot::LeftLetter);
    let before = modified(&sandbox, &who);
    sandbox.clock().advance(Duration::from_mins(1));
    assert_eq!(choose(&client, &who, "UNSUBSCRIBED").await.1, "REQUESTED_CHANGE_OCCURRED");
    assert_eq!(choose(&client, &who, "UNSUBSCRIBED").await.1, "NO_STATUS_CHANGE");
    assert_eq!(sandbox.hubspot().choice(&who, NEWSLETTER), Some("UNSUBSCRIBED"));
    assert_eq!(choose(&client, &who, "SUBSCRIBED").await.1, "RESUBSCRIBE_OCCURRED");
    assert_eq!(modified(&sandbox, &who), before);
}

#[tokio::test]
async fn leaving_everything_moves_the_modification_date_and_blocks_single_choices() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    let who = address(&sandbox, Plot::LeftLetter);
    let before = modified(&sandbox, &who);
    sandbox.clock().advance(Duration::from_mins(1));
    let path = format!("{STATUSES}/{}/unsubscribe-all?channel=EMAIL", encoded(&who));
    let quiet = client.send(reqwest::Method::POST, &path, None).await.unwrap();
    assert_eq!((quiet.status, &quiet.json()["results"]), (200, &json!([])));
    assert!(sandbox.hubspot().is_out_of_all(&who));
    assert_ne!(modified(&sandbox, &who), before);
    let loud = client.send(reqwest::Method::POST, &format!("{path}&verbose=true"), None).await.unwrap().json();
    assert_eq!(loud["results"][0]["setStatusSuccessReason"], "NO_STATUS_CHANGE");
    assert_eq!(choose(&client, &who, "SUBSCRIBED").await.0, 400);
    assert_eq!(sandbox.hubspot().contact(&who).unwrap()["properties"]["hs_email_optout"], "true");
}

#[tokio::test]
async fn senseless_choices_are_refused() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    let path = format!("{STATUSES}/a@example.org");
    for (name, value) in [
        ("subscriptionId", json!(1)),
        ("statusState", json!("MAYBE")),
        ("channel", json!("SMS")),
        ("legalBasis", json!("BECAUSE")),
    ] {
        let mut body = choice("UNSUBSCRIBED");
        body[name] = value;
        assert_eq!(client.post(&path, body).await.status, 400, "{name}");
    }
    assert_eq!(client.post(&path, choice("UNSUBSCRIBED")).await.status, 200, "works without a contact");
}

#[tokio::test]
async fn a_batch_of_choices_answers_207_for_what_failed_and_does_the_rest() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    let (joined, out) = (address(&sandbox, Plot::LeftLetter), address(&sandbox, Plot::LeftAllInCrm));
    let row = |who: &str, state: &str| {
        let mut row = choice(state);
        row["subscriberIdString"] = json!(who);
        row
    };
    let inputs = [row(&joined, "UNSUBSCRIBED"), row(&out, "SUBSCRIBED"), row("broken", "UNSUBSCRIBED")];
    let answer = client.post(&format!("{STATUSES}/batch/write"), json!({"inputs": inputs})).await;
    assert_eq!((answer.status, &answer.json()["numErrors"]), (207, &json!(2)));
    assert_eq!(answer.json()["results"][0]["subscriberIdString"], json!(joined));
    assert_eq!(answer.json()["errors"][0]["context"]["subscriberIdString"], json!([out]));
    assert_eq!(sandbox.hubspot().choice(&joined, NEWSLETTER), Some("UNSUBSCRIBED"));
    let many: Vec<Value> = (0..101).map(|_| row("a@example.org", "UNSUBSCRIBED")).collect();
    assert_eq!(client.post(&format!("{STATUSES}/batch/write"), json!({"inputs": many})).await.status, 400);
}

#[tokio::test]
async fn many_leave_everything_at_once() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    let who = address(&sandbox, Plot::LeftLetter);
    let path = format!("{STATUSES}/batch/unsubscribe-all?channel=EMAIL");
    let quiet = client.post(&path, json!({"inputs": [who]})).await;
    assert_eq!((quiet.status, &quiet.json()["results"]), (200, &json!([])));
    let loud = client.post(&format!("{path}&verbose=true"), json!({"inputs": ["b@example.org", "broken"]})).await;
    assert_eq!(loud.status, 207);
    assert_eq!(loud.json()["results"][0]["statuses"][0]["setStatusSuccessReason"], "UNSUBSCRIBE_FROM_ALL_OCCURRED");
    assert!(sandbox.hubspot().is_out_of_all(&who) && sandbox.hubspot().is_out_of_all("b@example.org"));
}

#[tokio::test]
async fn erasure_removes_the_contact_keeps_its_choices_and_keeps_imports_out() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    let who = address(&sandbox, Plot::LeftInCrm);
    let erase = format!("{CONTACTS}/gdpr-delete");
    let gone = client.post(&erase, json!({"objectId": who, "idProperty": "email"})).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    assert!(sandbox.hubspot().contact(&who).is_none());
    assert_eq!(sandbox.hubspot().choice(&who, NEWSLETTER), Some("UNSUBSCRIBED"));
    assert!(matches!(sandbox.hubspot().act(&who, HubSpotDeed::Import), Err(ActError::Forbidden(_))));
    let back = client.post(CONTACTS, json!({"properties": {"email": who}})).await;
    assert_eq!(back.status, 201, "an API create brings it back");
    assert!(!sandbox.hubspot().is_blocked(&who));
}

#[tokio::test]
async fn whoever_was_erased_comes_back_by_signing_up() {
    let sandbox = sandbox().await;
    let crm = sandbox.hubspot();
    let who = address(&sandbox, Plot::LeftInCrm);
    crm.act(&who, HubSpotDeed::Erase).unwrap();
    assert!(crm.is_blocked(&who));
    crm.act(&who, HubSpotDeed::SignUp(NEWSLETTER)).unwrap();
    assert_eq!((crm.is_blocked(&who), crm.choice(&who, NEWSLETTER)), (false, Some("SUBSCRIBED")));
    assert!(crm.contact(&who).is_some());
}

#[tokio::test]
async fn an_unknown_address_is_blocked_with_the_same_answer_and_an_unknown_id_is_not_found() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    let erase = async |body: Value| client.post(&format!("{CONTACTS}/gdpr-delete"), body).await.status;
    assert_eq!(erase(json!({"objectId": "stranger@example.org", "idProperty": "email"})).await, 204);
    assert!(sandbox.hubspot().is_blocked("Stranger@example.org"));
    assert_eq!(erase(json!({"objectId": "99999999"})).await, 404);
    assert_eq!(erase(json!({"objectId": "stranger", "idProperty": "email"})).await, 400);
    assert_eq!(erase(json!({})).await, 400);
}

#[tokio::test]
async fn a_second_address_leads_to_the_same_contact_and_is_blocked_with_it() {
    let sandbox = sandbox().await;
    let person = sandbox.population().with_plot(Plot::TwoAddresses).next().unwrap();
    let body = json!({"objectId": person.email(), "idProperty": "email"});
    assert_eq!(hubspot(&sandbox).post(&format!("{CONTACTS}/gdpr-delete"), body).await.status, 204);
    for address in [person.email(), person.spelling(System::Crm)] {
        assert!(sandbox.hubspot().contact(&address).is_none() && sandbox.hubspot().is_blocked(&address));
    }
}

#[tokio::test]
async fn archiving_is_no_erasure_and_an_archived_contact_can_be_erased() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    let who = address(&sandbox, Plot::LeftInCrm);
    let id = sandbox.hubspot().contact(&who).unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(client.delete(&format!("{CONTACTS}/{id}")).await.status, 204);
    assert_eq!(client.get(&format!("{CONTACTS}/{id}")).await.status, 404);
    assert_eq!(client.get(&format!("{CONTACTS}/{id}?archived=true")).await.status, 200);
    assert_eq!(client.post(&format!("{CONTACTS}/gdpr-delete"), json!({"objectId": id})).await.status, 204);
    assert_eq!(client.get(&format!("{CONTACTS}/{id}?archived=true")).await.status, 404);
}

#[tokio::test]
async fn contacts_are_created_once_and_changed_where_they_may_be() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    let made = client.post(CONTACTS, json!({"properties": {"email": "Fresh@Example.org"}})).await;
    assert_eq!((made.status, &made.json()["properties"]["email"]), (201, &json!("fresh@example.org")));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let twice = client.post(CONTACTS, json!({"properties": {"email": "fresh@example.org"}})).await;
    assert_eq!((twice.status, &twice.json()["category"]), (409, &json!("CONFLICT")));
    assert!(twice.json()["message"].as_str().unwrap().ends_with(&id));
    let patch =
        async |properties: Value| client.patch(&format!("{CONTACTS}/{id}"), json!({"properties": properties})).await;
    assert_eq!(patch(json!({"hs_email_optout": "true"})).await.status, 400, "read only");
    assert_eq!(patch(json!({"shoe_size": "44"})).await.status, 400, "no such property");
    assert_eq!(patch(json!({"firstname": "Ada"})).await.json()["properties"]["firstname"], "Ada");
    assert_eq!(patch(json!({"firstname": ""})).await.json()["properties"]["firstname"], Value::Null);
    assert_eq!(patch(json!({"email": "moved@example.org"})).await.status, 200);
    assert!(sandbox.hubspot().contact("fresh@example.org").is_none());
}

#[tokio::test]
async fn people_act_without_the_api() {
    let sandbox = sandbox().await;
    let crm = sandbox.hubspot();
    let who = address(&sandbox, Plot::LeftLetter);
    crm.act(&who, HubSpotDeed::Unsubscribe(NEWSLETTER)).unwrap();
    assert_eq!(crm.choice(&who, NEWSLETTER), Some("UNSUBSCRIBED"));
    crm.act(&who, HubSpotDeed::Import).unwrap();
    assert_eq!(crm.choice(&who, NEWSLETTER), Some("UNSUBSCRIBED"), "an import does not undo a choice");
    crm.act(&who, HubSpotDeed::UnsubscribeAll).unwrap();
    crm.act(&who, HubSpotDeed::SignUp(NEWSLETTER)).unwrap();
    assert_eq!((crm.choice(&who, NEWSLETTER), crm.is_out_of_all(&who)), (Some("SUBSCRIBED"), false));
    crm.act(&who, HubSpotDeed::Bounce).unwrap();
    assert_eq!(crm.contact(&who).unwrap()["properties"]["hs_email_bad_address"], "true");
    crm.act(&who, HubSpotDeed::ChangeAddress("new@example.org".into())).unwrap();
    assert_eq!(crm.contact("new@example.org").unwrap()["properties"]["hs_additional_emails"], json!(who));
    crm.act("import@example.org", HubSpotDeed::Import).unwrap();
    assert_eq!(crm.choice("import@example.org", NEWSLETTER), Some("SUBSCRIBED"));
    assert_eq!(crm.act("nobody@example.org", HubSpotDeed::Archive), Err(ActError::NotFound));
}

fn form(refresh: &str) -> String {
    format!(
        "grant_type=refresh_token&client_id=sandbox-client&client_secret=sandbox-client-secret&refresh_token={refresh}"
    )
}

#[tokio::test]
async fn a_refresh_token_gives_access_for_half_an_hour() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    let given = client.post_form("/oauth/v1/token", &form("sandbox-refresh-0")).await.json();
    assert_eq!(given["expires_in"], 1_800);
    let access =
        Client::new(sandbox.hubspot().base_url(), &format!("Bearer {}", given["access_token"].as_str().unwrap()));
    assert_eq!(access.get(CONTACTS).await.status, 200);
    sandbox.clock().advance(Duration::from_secs(1_801));
    let late = access.get(CONTACTS).await;
    assert_eq!((late.status, &late.json()["category"]), (401, &json!("EXPIRED_AUTHENTICATION")));
    let wrong = client.post_form("/oauth/v1/token", &form("other")).await;
    assert_eq!((wrong.status, &wrong.json()["status"]), (400, &json!("BAD_REFRESH_TOKEN")));
    assert_eq!(client.post_form("/oauth/v1/token", "grant_type=password").await.status, 400);
    assert_eq!(sandbox.hubspot().handle().tally().writes, 0, "a token is no change of data");
}

#[tokio::test]
async fn a_rotating_refresh_token_works_once() {
    let mut rotating: Options = options();
    rotating.hubspot.refresh = Refresh::Rotates;
    let sandbox = Sandbox::start(rotating).await.unwrap();
    let client = hubspot(&sandbox);
    let first = client.post_form("/oauth/v1/token", &form("sandbox-refresh-0")).await.json();
    assert_eq!(client.post_form("/oauth/v1/token", &form("sandbox-refresh-0")).await.status, 400);
    let next = first["refresh_token"].as_str().unwrap();
    let second = client.post_form("/oauth/v1/token", &form(next)).await.json();
    let access = second["access_token"].as_str().unwrap();
    let client = Client::new(sandbox.hubspot().base_url(), &format!("Bearer {access}"));
    assert_eq!(client.get(CONTACTS).await.status, 200);
    sandbox.hubspot().expire_tokens();
    assert_eq!(client.get(CONTACTS).await.status, 401);
}
