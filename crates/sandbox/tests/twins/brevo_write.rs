//! Brevo, writing: what is accepted, what is refused, which traps it lays.

use std::time::Duration;

use serde_json::{Value, json};
use unisson_sandbox::{ActError, BrevoDeed, Fate, Sandbox, System};

use crate::client::{Client, brevo, encoded, sandbox};

/// The address of the first person with this fate.
fn address(sandbox: &Sandbox, fate: Fate) -> String {
    let person = sandbox.population().people().find(|person| person.fate() == fate).unwrap();
    person.spelling(System::Campaigns)
}

fn path(who: &str) -> String {
    format!("/contacts/{}", encoded(who))
}

async fn put(client: &Client, who: &str, body: Value) -> (u16, Value) {
    let answer = client.put(&path(who), body).await;
    (answer.status, answer.json()["code"].clone())
}

fn shown(sandbox: &Sandbox, who: &str) -> Value {
    sandbox.brevo().contact(who).unwrap()
}

#[tokio::test]
async fn a_change_moves_the_date_of_modification_and_no_change_does_not() {
    let sandbox = sandbox().await;
    let client = brevo(&sandbox);
    let who = address(&sandbox, Fate::Joined);
    let before = shown(&sandbox, &who)["modifiedAt"].clone();
    sandbox.clock().advance(Duration::from_mins(1));
    assert_eq!(put(&client, &who, json!({"emailBlacklisted": false})).await, (204, Value::Null));
    assert_eq!(shown(&sandbox, &who)["modifiedAt"], before);
    assert_eq!(put(&client, &who, json!({"emailBlacklisted": true})).await.0, 204);
    let after = shown(&sandbox, &who);
    assert_eq!((&after["modifiedAt"], &after["emailBlacklisted"]), (&json!("2026-11-01T01:01:00+01:00"), &json!(true)));
    assert_eq!(after["listIds"], json!([4, 5]), "who is blocklisted stays on the lists");
    assert_eq!(sandbox.brevo().blocks(&who).len(), 0, "campaigns and other mail are blocked apart");
}

#[tokio::test]
async fn the_platform_refuses_no_resubscription() {
    let sandbox = sandbox().await;
    let client = brevo(&sandbox);
    for fate in [Fate::Left, Fate::Bounced, Fate::Complained, Fate::Removed] {
        let who = address(&sandbox, fate);
        assert_eq!(put(&client, &who, json!({"emailBlacklisted": false})).await.0, 204);
        assert_eq!(sandbox.brevo().is_blacklisted(&who), Some(false), "{fate:?}");
    }
}

#[tokio::test]
async fn another_address_lifts_the_blocklisting_and_another_spelling_does_not() {
    let sandbox = sandbox().await;
    let client = brevo(&sandbox);
    let who = address(&sandbox, Fate::Complained);
    let id = shown(&sandbox, &who)["id"].clone();
    let spelt = json!({"attributes": {"EMAIL": who.to_uppercase(), "FIRSTNAME": "Ada"}});
    assert_eq!(put(&client, &who, spelt).await.0, 204);
    assert_eq!(sandbox.brevo().is_blacklisted(&who), Some(true));
    assert_eq!(put(&client, &who, json!({"attributes": {"EMAIL": "Moved@example.org"}})).await.0, 204);
    let moved = shown(&sandbox, "moved@example.org");
    assert_eq!((&moved["id"], &moved["emailBlacklisted"]), (&id, &json!(false)));
    assert!(sandbox.brevo().contact(&who).is_none());
    assert_eq!(sandbox.brevo().blocks(&who), ["contactFlaggedAsSpam"], "the old address stays blocked for orders");
    assert!(sandbox.brevo().blocks("moved@example.org").is_empty());
    let other = address(&sandbox, Fate::Left);
    let both = json!({"attributes": {"EMAIL": "kept@example.org"}, "emailBlacklisted": true});
    assert_eq!(put(&client, &other, both).await.0, 204);
    assert_eq!(sandbox.brevo().is_blacklisted("kept@example.org"), Some(true), "said in the same breath, it stays");
}

#[tokio::test]
async fn senseless_changes_are_refused_and_unknown_attributes_are_not() {
    let sandbox = sandbox().await;
    let client = brevo(&sandbox);
    let who = address(&sandbox, Fate::Joined);
    let taken = address(&sandbox, Fate::Left);
    let before = shown(&sandbox, &who);
    for (body, code) in [
        (json!({"attributes": {"EMAIL": taken}}), "duplicate_parameter"),
        (json!({"attributes": {"EMAIL": "no address"}}), "invalid_parameter"),
        (json!({"attributes": {"EMAIL": null}}), "invalid_parameter"),
        (json!({"listIds": [4, 99]}), "invalid_parameter"),
        (json!({"unlinkListIds": [99]}), "invalid_parameter"),
        (json!({"emailBlacklisted": "yes"}), "invalid_parameter"),
        (json!("text"), "invalid_parameter"),
    ] {
        assert_eq!(put(&client, &who, body.clone()).await, (400, json!(code)), "{body}");
    }
    assert_eq!(shown(&sandbox, &who), before);
    assert_eq!(put(&client, &who, json!({"attributes": {"SHOE_SIZE": 44}, "colour": "red"})).await.0, 204);
    assert_eq!(shown(&sandbox, &who), before);
    assert_eq!(put(&client, &who, json!({"attributes": {"FIRSTNAME": "Ada", "EXT_ID": "x-1"}})).await.0, 204);
    assert_eq!(shown(&sandbox, &who)["attributes"]["FIRSTNAME"], "Ada");
    assert_eq!(client.get("/contacts/x-1?identifierType=ext_id").await.json()["email"], shown(&sandbox, &who)["email"]);
    assert_eq!(put(&client, "nobody@example.org", json!({})).await, (404, json!("document_not_found")));
}

#[tokio::test]
async fn lists_are_joined_and_left_by_the_api_without_a_trace_of_leaving() {
    let sandbox = sandbox().await;
    let client = brevo(&sandbox);
    let who = address(&sandbox, Fate::LeftOffers);
    assert_eq!(put(&client, &who, json!({"unlinkListIds": [4], "listIds": [7]})).await.0, 204);
    let now = shown(&sandbox, &who);
    assert_eq!((&now["listIds"], &now["listUnsubscribed"]), (&json!([7]), &json!([5])));
    assert_eq!(put(&client, &who, json!({"listIds": [5]})).await.0, 204);
    let now = shown(&sandbox, &who);
    assert_eq!((&now["listIds"], &now["listUnsubscribed"]), (&json!([5, 7]), &Value::Null), "nothing was refused");
}

#[tokio::test]
async fn a_contact_is_created_once_and_updated_where_the_call_allows_it() {
    let sandbox = sandbox().await;
    let client = brevo(&sandbox);
    let body = json!({"email": "Fresh@Example.org", "emailBlacklisted": true, "attributes": {"FIRSTNAME": "Ada"}});
    let made = client.post("/contacts", body.clone()).await;
    assert_eq!(made.status, 201);
    let fresh = shown(&sandbox, "fresh@example.org");
    assert_eq!((&fresh["id"], &fresh["emailBlacklisted"]), (&made.json()["id"], &json!(true)));
    assert_eq!(fresh["email"], "fresh@example.org");
    let twice = client.post("/contacts", body).await;
    assert_eq!((twice.status, &twice.json()["code"]), (400, &json!("duplicate_parameter")));
    assert_eq!(twice.json()["metadata"]["duplicate_identifiers"], json!(["email"]));
    let update = json!({"email": "fresh@example.org", "updateEnabled": true, "listIds": [4]});
    let answer = client.post("/contacts", update).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert_eq!(shown(&sandbox, "fresh@example.org")["listIds"], json!([4]));
    assert_eq!(sandbox.brevo().is_blacklisted("fresh@example.org"), Some(true), "what is not said stays");
    for (body, code) in [
        (json!({}), "missing_parameter"),
        (json!({"email": "no.address"}), "invalid_parameter"),
        (json!({"email": "two@@example.org"}), "invalid_parameter"),
        (json!({"email": "b@example.org", "listIds": [1]}), "invalid_parameter"),
    ] {
        let answer = client.post("/contacts", body.clone()).await;
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!(code)), "{body}");
    }
}

#[tokio::test]
async fn a_contact_can_have_a_telephone_number_and_no_address() {
    let sandbox = sandbox().await;
    let client = brevo(&sandbox);
    let made = client.post("/contacts", json!({"attributes": {"SMS": "0033639989999"}})).await;
    assert_eq!(made.status, 201);
    let found = client.get("/contacts/33639989999?identifierType=phone_id").await.json();
    assert_eq!(found["id"], made.json()["id"]);
    assert!(found.get("email").is_none() && found["attributes"]["SMS"] == "33639989999");
    let twice =
        client.post("/contacts", json!({"email": "c@example.org", "attributes": {"SMS": "+33639989999"}})).await;
    assert_eq!(twice.json()["metadata"]["duplicate_identifiers"], json!(["SMS"]));
}

#[tokio::test]
async fn deleting_forgets_the_blocklisting_and_an_import_brings_the_person_back() {
    let sandbox = sandbox().await;
    let client = brevo(&sandbox);
    let who = address(&sandbox, Fate::Bounced);
    let gone = client.delete(&path(&who)).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    assert_eq!(client.get(&path(&who)).await.status, 404);
    assert_eq!(client.delete(&path(&who)).await.json()["code"], "document_not_found");
    assert_eq!(sandbox.brevo().blocks(&who), ["hardBounce"], "what blocks other mail stays");
    sandbox.brevo().act(&who, BrevoDeed::Import(4)).unwrap();
    let back = shown(&sandbox, &who);
    assert_eq!((&back["emailBlacklisted"], &back["listIds"]), (&json!(false), &json!([4])));
    let owner = client.delete(&path("owner@shop.example")).await;
    assert_eq!((owner.status, &owner.json()["code"]), (405, &json!("method_not_allowed")));
}

#[tokio::test]
async fn an_import_leaves_the_blocklisted_alone_and_forgets_who_left_only_the_list() {
    let sandbox = sandbox().await;
    let campaigns = sandbox.brevo();
    let (left, part) = (address(&sandbox, Fate::Left), address(&sandbox, Fate::LeftOffers));
    campaigns.act(&left, BrevoDeed::Import(7)).unwrap();
    assert_eq!(campaigns.is_blacklisted(&left), Some(true));
    assert_eq!(shown(&sandbox, &left)["listIds"], json!([4, 5, 7]));
    campaigns.act(&part, BrevoDeed::Import(5)).unwrap();
    assert_eq!(shown(&sandbox, &part)["listUnsubscribed"], Value::Null);
}

#[tokio::test]
async fn many_contacts_join_or_leave_a_list_and_each_is_told_apart() {
    let sandbox = sandbox().await;
    let client = brevo(&sandbox);
    let (joined, part) = (address(&sandbox, Fate::Joined), address(&sandbox, Fate::LeftOffers));
    let change = async |what: &str, body: Value| client.post(&format!("/contacts/lists/5/contacts/{what}"), body).await;
    let added = change("add", json!({"emails": [joined, part, "nobody@example.org"]})).await;
    assert_eq!(added.status, 201);
    let told = &added.json()["contacts"];
    assert_eq!((&told["success"], &told["failure"]), (&json!([part]), &json!([joined, "nobody@example.org"])));
    let again = change("add", json!({"emails": [joined, part]})).await;
    assert_eq!((again.status, &again.json()["code"]), (400, &json!("invalid_parameter")), "nothing at all was done");
    let ids = [shown(&sandbox, &joined)["id"].clone(), json!(999_999)];
    let removed = change("remove", json!({"ids": ids})).await.json();
    assert_eq!(
        (&removed["contacts"]["success"], &removed["contacts"]["failure"]),
        (&json!([ids[0]]), &json!([ids[1]]))
    );
    assert_eq!(shown(&sandbox, &joined)["listUnsubscribed"], Value::Null, "an API removal is no opt-out");
    let ext = sandbox.brevo().addresses().into_iter().find_map(|who| {
        let contact = shown(&sandbox, &who);
        let on = contact["listIds"].as_array().unwrap().contains(&json!(5));
        contact["attributes"]["EXT_ID"].as_str().filter(|_| on).map(str::to_owned)
    });
    assert_eq!(change("remove", json!({"extIds": [ext.unwrap()]})).await.status, 201);
    for (body, code) in [
        (json!({}), "missing_parameter"),
        (json!({"emails": vec!["a@example.org"; 151]}), "out_of_range"),
        (json!({"emails": "a@example.org"}), "invalid_parameter"),
    ] {
        assert_eq!(change("add", body).await.json()["code"], code);
    }
    assert_eq!(client.post("/contacts/lists/99/contacts/add", json!({"emails": [part]})).await.status, 404);
}

#[tokio::test]
async fn senders_are_blocked_by_the_api_and_unblocked_for_good() {
    let sandbox = sandbox().await;
    let client = brevo(&sandbox);
    let who = address(&sandbox, Fate::Joined);
    let senders = json!({"smtpBlacklistSender": ["news@shop.example", "orders@shop.example"]});
    for _ in 0..2 {
        assert_eq!(put(&client, &who, senders.clone()).await.0, 204);
    }
    assert_eq!(sandbox.brevo().blocks(&who), ["unsubscribedViaApi"; 2], "twice is once");
    let listed = client.get("/smtp/blockedContacts?senders=news%40shop.example").await.json();
    assert_eq!((&listed["count"], &listed["contacts"][0]["email"]), (&json!(1), &json!(who)));
    let lifted = format!("/smtp/blockedContacts/{}", encoded(&who));
    assert_eq!(client.delete(&lifted).await.status, 204);
    assert_eq!(client.delete(&lifted).await.json()["code"], "document_not_found");
    assert_eq!(client.delete("/smtp/blockedContacts/nobody").await.status, 400);
    assert!(sandbox.brevo().blocks(&who).is_empty());
    let body = json!({"email": "d@example.org", "smtpBlacklistSender": ["news@shop.example"]});
    assert_eq!(client.post("/contacts", body).await.status, 201);
    assert!(sandbox.brevo().blocks("d@example.org").is_empty(), "senders are passed over on a creation");
}

#[tokio::test]
async fn people_act_without_the_api() {
    let sandbox = sandbox().await;
    let campaigns = sandbox.brevo();
    let who = address(&sandbox, Fate::Confirmed);
    let act = |what| campaigns.act(&who, what);
    let out = || campaigns.is_blacklisted(&who).unwrap();
    act(BrevoDeed::LeaveList(5)).unwrap();
    assert_eq!(shown(&sandbox, &who)["listUnsubscribed"], json!([5]));
    act(BrevoDeed::LeaveOrders).unwrap();
    assert_eq!((campaigns.blocks(&who), out()), (vec!["unsubscribedViaEmail"], false));
    act(BrevoDeed::Unsubscribe).unwrap();
    assert!(out());
    act(BrevoDeed::SignUp(5)).unwrap();
    assert!(!out() && shown(&sandbox, &who)["listUnsubscribed"].is_null());
    assert_eq!(shown(&sandbox, &who)["attributes"]["DOUBLE_OPT-IN"], "1");
    act(BrevoDeed::StopTexts).unwrap();
    assert_eq!(shown(&sandbox, &who)["smsBlacklisted"], true);
    act(BrevoDeed::Block).unwrap();
    act(BrevoDeed::Resubscribe).unwrap();
    assert!(!out());
    act(BrevoDeed::Complain).unwrap();
    act(BrevoDeed::ChangeAddress("elsewhere@example.org".into())).unwrap();
    assert_eq!(campaigns.is_blacklisted("elsewhere@example.org"), Some(false));
    assert_eq!(act(BrevoDeed::Bounce), Err(ActError::NotFound));
    campaigns.act("new@example.org", BrevoDeed::SignUp(4)).unwrap();
    campaigns.act("new@example.org", BrevoDeed::Delete).unwrap();
    assert_eq!(campaigns.act("new@example.org", BrevoDeed::Delete), Err(ActError::NotFound));
    assert!(matches!(campaigns.act("new@example.org", BrevoDeed::SignUp(99)), Err(ActError::Forbidden(_))));
}

#[tokio::test]
async fn acts_come_over_the_control_endpoint_as_well() {
    let sandbox = sandbox().await;
    let control = crate::client::control(sandbox.brevo().handle());
    let who = address(&sandbox, Fate::Joined);
    for (what, blacklisted) in [
        (json!("unsubscribe"), true),
        (json!({"import": 4}), true),
        (json!({"sign_up": 4}), false),
        (json!("bounce"), true),
        (json!("resubscribe"), false),
    ] {
        let answer = control.post("/_control/act", json!({"email": who, "what": what})).await;
        assert_eq!((answer.status, sandbox.brevo().is_blacklisted(&who)), (200, Some(blacklisted)), "{what}");
    }
    let odd = control.post("/_control/act", json!({"email": who, "what": {"import": 99}})).await;
    assert!(odd.status == 400 && !odd.json()["mend"].as_str().unwrap().is_empty());
    control.send(reqwest::Method::POST, "/_control/reset", None).await.unwrap();
    assert_eq!(sandbox.brevo().blocks(&who).len(), 0, "everybody is as they were");
}
