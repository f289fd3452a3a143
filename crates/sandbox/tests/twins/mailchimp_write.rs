//! Mailchimp, writing: what is accepted, what is refused, what is remembered.

use serde_json::{Value, json};
use unisson_sandbox::{ActError, AdminOptOuts, Audience, MailchimpDeed, Options, Plot, Sandbox, Status, System};

use crate::client::{Client, encoded, hash, mailchimp, options, sandbox};

const LETTER: &str = "/lists/a1f0c3d9e7";
const EVENTS: &str = "/lists/b7e2d4a680";

fn address(sandbox: &Sandbox, plot: Plot) -> String {
    sandbox.population().with_plot(plot).next().unwrap().spelling(System::Letter)
}

fn path(address: &str) -> String {
    format!("{LETTER}/members/{}", hash(address))
}

async fn set(client: &Client, address: &str, status: &str) -> (u16, String) {
    let answer = client.patch(&path(address), json!({"status": status})).await;
    (answer.status, answer.title())
}

#[tokio::test]
async fn a_change_moves_last_changed_and_no_change_does_not() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let who = address(&sandbox, Plot::Single);
    let before = client.get(&path(&who)).await.json();
    sandbox.clock().advance(std::time::Duration::from_mins(1));
    client.patch(&path(&who), json!({"status": "subscribed"})).await;
    assert_eq!(client.get(&path(&who)).await.json()["last_changed"], before["last_changed"]);
    client.patch(&path(&who), json!({"status": "unsubscribed"})).await;
    let after = client.get(&path(&who)).await.json();
    assert_eq!(after["last_changed"], "2026-11-01T00:01:00+00:00");
    assert_eq!(after["status"], "unsubscribed");
}

#[tokio::test]
async fn only_a_change_of_the_short_messages_moves_their_time() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let members = client.get(&format!("{LETTER}/members?count=1000")).await.json();
    let takes = |member: &&Value| member["sms_subscription_status"] == "subscribed";
    let who = members["members"].as_array().unwrap().iter().find(takes).unwrap();
    let path = path(who["email_address"].as_str().unwrap());
    let time = async || client.get(&path).await.json()["sms_subscription_last_updated"].clone();
    sandbox.clock().advance(std::time::Duration::from_mins(1));
    client.patch(&path, json!({"interests": {"9143cf3bd1": who["interests"]["9143cf3bd1"] == false}})).await;
    assert_eq!(time().await, who["sms_subscription_last_updated"]);
    client.patch(&path, json!({"sms_subscription_status": "unsubscribed"})).await;
    assert_eq!(time().await, "2026-11-01T00:01:00+00:00");
}

#[tokio::test]
async fn who_left_bounced_or_complained_cannot_be_subscribed_but_asked() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    for plot in [Plot::LeftLetter, Plot::Bounced, Plot::Complained] {
        let who = address(&sandbox, plot);
        assert_eq!(set(&client, &who, "subscribed").await, (400, "Member In Compliance State".into()), "{plot:?}");
        assert_eq!(set(&client, &who, "pending").await.0, 200);
        assert_eq!(set(&client, &who, "subscribed").await.0, 400, "pending is no way around");
        sandbox.mailchimp().act(Audience::Letter, &who, MailchimpDeed::Confirm).unwrap();
        assert_eq!(sandbox.mailchimp().status(Audience::Letter, &who), Some(Status::Subscribed));
    }
}

#[tokio::test]
async fn an_opt_out_by_the_api_is_reversible_only_where_the_options_say_so() {
    for (kind, expected) in [(AdminOptOuts::Reversible, 200), (AdminOptOuts::Final, 400)] {
        let mut options: Options = options();
        options.mailchimp.admin_opt_outs = kind;
        let sandbox = Sandbox::start(options).await.unwrap();
        let client = mailchimp(&sandbox);
        let who = address(&sandbox, Plot::Single);
        assert_eq!(set(&client, &who, "unsubscribed").await.0, 200);
        assert_eq!(set(&client, &who, "subscribed").await.0, expected, "{kind:?}");
    }
}

#[tokio::test]
async fn put_adds_a_suppressed_member_whom_nobody_knew() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let who = "new.person@example.org";
    let body = json!({"email_address": who, "status_if_new": "unsubscribed", "status": "unsubscribed"});
    assert_eq!(client.patch(&path(who), json!({"status": "unsubscribed"})).await.status, 404);
    for _ in 0..2 {
        let answer = client.put(&path(who), body.clone()).await;
        assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("unsubscribed")));
    }
    let incomplete = json!({"email_address": "third@example.org", "status": "unsubscribed"});
    assert_eq!(client.put(&path("third@example.org"), incomplete).await.status, 400, "status_if_new is required");
    let elsewhere = client.put(&path("other@example.org"), body).await;
    assert_eq!(elsewhere.status, 400, "the path names another address than the body");
}

#[tokio::test]
async fn post_refuses_an_address_that_is_there() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let body = |who: &str| json!({"email_address": who, "status": "subscribed"});
    let there = client.post(&format!("{LETTER}/members"), body(&address(&sandbox, Plot::Single))).await;
    assert_eq!((there.status, there.title().as_str()), (400, "Member Exists"));
    let archived = client.post(&format!("{LETTER}/members"), body(&address(&sandbox, Plot::Archived))).await;
    assert_eq!((archived.status, &archived.json()["status"]), (200, &json!("subscribed")));
    for fake in ["no.address", "two@@example.org", "a@b..example", "info@example.org", ""] {
        let answer = client.post(&format!("{LETTER}/members"), body(fake)).await;
        assert_eq!((answer.status, answer.title().as_str()), (400, "Invalid Resource"), "{fake}");
    }
}

#[tokio::test]
async fn delete_only_archives_and_the_opt_out_survives_it() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let who = address(&sandbox, Plot::LeftLetter);
    assert_eq!(client.delete(&path(&who)).await.status, 204);
    assert_eq!(client.get(&path(&who)).await.json()["status"], "archived");
    assert_eq!(set(&client, &who, "subscribed").await.1, "Member In Compliance State");
    assert_eq!(client.delete(&path("nobody@example.org")).await.status, 404);
}

#[tokio::test]
async fn deleting_for_good_needs_the_hash_and_blocks_the_address() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let who = address(&sandbox, Plot::Proven);
    let shown = client.get(&path(&who)).await.json();
    let action = |name: &str| format!("{LETTER}/members/{name}/actions/delete-permanent");
    for wrong in [encoded(&who), shown["contact_id"].as_str().unwrap().to_owned()] {
        assert_eq!(client.post(&action(&wrong), json!({})).await.status, 404);
        assert_eq!(client.get(&path(&who)).await.status, 200);
    }
    let gone = client.post(&action(&hash(&who)), json!({})).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    assert_eq!(client.get(&path(&who)).await.status, 404);
    for status in ["subscribed", "pending", "unsubscribed"] {
        let body = json!({"email_address": who, "status_if_new": status, "status": status});
        assert_eq!(client.put(&path(&who), body).await.title(), "Forgotten Email Not Subscribed");
    }
    assert!(matches!(
        sandbox.mailchimp().act(Audience::Letter, &who, MailchimpDeed::Import),
        Err(ActError::Forbidden(_))
    ));
    sandbox.mailchimp().act(Audience::Letter, &who, MailchimpDeed::SignUp).unwrap();
    assert_eq!(sandbox.mailchimp().status(Audience::Letter, &who), Some(Status::Pending));
}

#[tokio::test]
async fn audiences_are_independent() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let who = address(&sandbox, Plot::LeftAllInCrm);
    assert_eq!(set(&client, &who, "unsubscribed").await.0, 200);
    assert_eq!(sandbox.mailchimp().status(Audience::Events, &who), Some(Status::Subscribed));
}

#[tokio::test]
async fn a_required_merge_field_refuses_even_opt_outs_unless_skipped() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let page = client.get(&format!("{EVENTS}/members?count=1000")).await.json();
    let empty = page["members"].as_array().unwrap().iter().find(|member| member["merge_fields"]["COMPANY"] == "");
    let place = format!("{EVENTS}/members/{}", empty.unwrap()["id"].as_str().unwrap());
    let refused = client.patch(&place, json!({"status": "unsubscribed"})).await;
    assert_eq!((refused.status, refused.title().as_str()), (400, "Invalid Resource"));
    assert_eq!(refused.json()["errors"][0]["field"], "COMPANY");
    let skipped = client.patch(&format!("{place}?skip_merge_validation=true"), json!({"status": "unsubscribed"})).await;
    assert_eq!(skipped.status, 200);
    let filled = client.patch(&place, json!({"merge_fields": {"COMPANY": "Firm"}})).await;
    assert_eq!(filled.status, 200);
}

#[tokio::test]
async fn permissions_and_interests_can_be_withdrawn_one_by_one() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let who = address(&sandbox, Plot::Proven);
    let wish = json!({
        "interests": {"3a2a927344": false},
        "marketing_permissions": [{"marketing_permission_id": "8d30f5e6a1", "enabled": false}],
    });
    let member = client.patch(&path(&who), wish).await.json();
    assert_eq!(member["interests"]["3a2a927344"], false);
    assert_eq!(member["interests"]["9143cf3bd1"], true);
    assert_eq!(member["marketing_permissions"][1]["enabled"], false);
    assert_eq!(member["status"], "subscribed");
    for unknown in [json!({"interests": {"0000": true}}), json!({"status": "archived"}), json!({"status": 3})] {
        assert_eq!(client.patch(&path(&who), unknown).await.title(), "Invalid Resource");
    }
}

#[tokio::test]
async fn another_address_changes_the_id_and_not_the_contact_id() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let who = address(&sandbox, Plot::Single);
    let before = client.get(&path(&who)).await.json();
    let after = client.patch(&path(&who), json!({"email_address": "moved@example.org"})).await.json();
    assert_eq!(after["id"], hash("moved@example.org"));
    assert_eq!(after["contact_id"], before["contact_id"]);
    assert_eq!(client.get(&path(&who)).await.status, 404);
    let taken = json!({"email_address": address(&sandbox, Plot::Proven)});
    assert_eq!(client.patch(&path("moved@example.org"), taken).await.title(), "Member Exists");
}

fn row(who: &str, status: &str) -> Value {
    json!({"email_address": who, "status": status})
}

#[tokio::test]
async fn a_batch_answers_200_with_the_failures_inside() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let (left, single) = (address(&sandbox, Plot::LeftLetter), address(&sandbox, Plot::Single));
    let forgotten = address(&sandbox, Plot::Proven);
    sandbox.mailchimp().act(Audience::Letter, &forgotten, MailchimpDeed::Delete).unwrap();
    let members = json!([
        row(&left, "subscribed"),
        row(&single, "unsubscribed"),
        row("fresh@example.org", "subscribed"),
        row(&forgotten, "subscribed"),
        row("bad address", "subscribed"),
        row(&single, "subscribed"),
    ]);
    let answer = client.post(LETTER, json!({"members": members, "update_existing": true})).await;
    let body = answer.json();
    assert_eq!(answer.status, 200);
    assert_eq!(
        (&body["total_created"], &body["total_updated"], &body["error_count"]),
        (&json!(1), &json!(1), &json!(4))
    );
    let errors = body["errors"].as_array().unwrap();
    assert!(errors[0]["error"].as_str().unwrap().contains("Member In Compliance State"));
    assert!(errors[1]["error"].as_str().unwrap().contains("Forgotten Email Not Subscribed"));
    assert!(errors.iter().all(|error| error["error_code"] == "ERROR_GENERIC"));
    assert_eq!(sandbox.mailchimp().status(Audience::Letter, &single), Some(Status::Unsubscribed));
    let again = client.post(LETTER, json!({"members": [row(&single, "subscribed")]})).await.json();
    assert_eq!(again["errors"][0]["error_code"], "ERROR_CONTACT_EXISTS");
}

#[tokio::test]
async fn a_batch_takes_five_hundred_and_no_more() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let rows =
        |count: usize| (0..count).map(|at| row(&format!("n{at}@example.org"), "unsubscribed")).collect::<Vec<_>>();
    assert_eq!(client.post(LETTER, json!({"members": rows(501)})).await.status, 400);
    let most = client.post(LETTER, json!({"members": rows(500)})).await.json();
    assert_eq!(most["total_created"], 500);
}

#[tokio::test]
async fn a_batch_cannot_touch_marketing_permissions() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let who = address(&sandbox, Plot::Proven);
    let row = json!({
        "email_address": who, "status": "subscribed",
        "marketing_permissions": [{"marketing_permission_id": "8d30f5e6a1", "enabled": false}],
    });
    client.post(LETTER, json!({"members": [row], "update_existing": true})).await;
    assert_eq!(client.get(&path(&who)).await.json()["marketing_permissions"][1]["enabled"], true);
}

#[tokio::test]
async fn people_act_without_the_api() {
    let sandbox = sandbox().await;
    let mail = sandbox.mailchimp();
    let who = address(&sandbox, Plot::Proven);
    let act = |what| mail.act(Audience::Letter, &who, what);
    let status = || mail.status(Audience::Letter, &who).unwrap();
    act(MailchimpDeed::WithdrawPermission("8d30f5e6a1".into())).unwrap();
    act(MailchimpDeed::LeaveInterest("3a2a927344".into())).unwrap();
    assert_eq!(mail.member(Audience::Letter, &who).unwrap()["interests"]["3a2a927344"], false);
    act(MailchimpDeed::Unsubscribe).unwrap();
    assert_eq!(status(), Status::Unsubscribed);
    assert!(act(MailchimpDeed::Import).is_err(), "an import does not bring back who left");
    act(MailchimpDeed::SignUp).unwrap();
    act(MailchimpDeed::Confirm).unwrap();
    assert_eq!(status(), Status::Subscribed);
    act(MailchimpDeed::Complain).unwrap();
    assert_eq!(status(), Status::Cleaned);
    act(MailchimpDeed::Archive).unwrap();
    assert_eq!(status(), Status::Archived);
    act(MailchimpDeed::ChangeAddress("elsewhere@example.org".into())).unwrap();
    assert_eq!(act(MailchimpDeed::Bounce), Err(ActError::NotFound));
    mail.act(Audience::Letter, "imported@example.org", MailchimpDeed::Import).unwrap();
    assert_eq!(mail.status(Audience::Letter, "imported@example.org"), Some(Status::Subscribed));
}
