//! Mailchimp, reading.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use unisson_sandbox::{Audience, MailchimpDeed, Plot, Status, System};

use crate::client::{Client, encoded, hash, mailchimp, sandbox, texts};

const LETTER: &str = "/lists/a1f0c3d9e7";
const EVENTS: &str = "/lists/b7e2d4a680";

#[tokio::test]
async fn the_key_opens_as_password_and_as_token_and_nothing_else_does() {
    let sandbox = sandbox().await;
    let base = sandbox.mailchimp().base_url();
    let pair = STANDARD.encode("anybody:sandbox-mailchimp-key-us1");
    for good in ["Bearer sandbox-mailchimp-key-us1".to_owned(), format!("Basic {pair}")] {
        assert_eq!(Client::new(base.clone(), &good).get("/ping").await.status, 200);
    }
    let wrong_pair = format!("Basic {}", STANDARD.encode("sandbox-mailchimp-key-us1:anything"));
    for bad in ["Bearer other", "sandbox-mailchimp-key-us1", wrong_pair.as_str()] {
        let answer = Client::new(base.clone(), bad).get("/ping").await;
        assert_eq!(answer.status, 401);
        assert!(answer.header("content-type").unwrap().starts_with("application/problem+json"));
    }
}

#[tokio::test]
async fn there_are_two_audiences_and_only_one_has_marketing_permissions() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let answer = client.get("/lists?count=100").await.json();
    assert_eq!(answer["total_items"], 2);
    let gdpr: Vec<bool> =
        answer["lists"].as_array().unwrap().iter().map(|list| list["marketing_permissions"] == true).collect();
    assert_eq!(gdpr, [true, false]);
    let one = client.get(LETTER).await.json();
    assert_eq!(one["stats"]["unsubscribe_count"], sandbox.mailchimp().count(Audience::Letter, Status::Unsubscribed));
    assert_eq!(client.get("/lists/0000000000").await.status, 404);
    let slim = client.get("/lists?fields=lists.id,total_items").await.json();
    assert_eq!(slim["lists"][0].as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn a_page_holds_ten_unless_asked_and_never_more_than_a_thousand() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let page = client.get(&format!("{LETTER}/members")).await.json();
    assert_eq!(page["members"].as_array().unwrap().len(), 10);
    assert_eq!(client.get(&format!("{LETTER}/members?count=1000")).await.status, 200);
    for bad in ["count=1001", "count=-1", "offset=x", "status=gone", "sort_field=email", "since_last_changed=soon"] {
        let answer = client.get(&format!("{LETTER}/members?{bad}")).await;
        assert_eq!((answer.status, answer.title().as_str()), (400, "Invalid Resource"), "{bad}");
    }
}

#[tokio::test]
async fn all_pages_together_hold_everybody_once() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let (mut seen, mut total) = (Vec::new(), 0);
    for _ in 0..20 {
        let path = format!("{LETTER}/members?count=37&offset={}&fields=members.id,total_items", seen.len());
        let page = client.get(&path).await.json();
        seen.extend(texts(&page["members"], "id"));
        total = page["total_items"].as_u64().unwrap();
    }
    assert_eq!(seen.len() as u64, total);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len());
}

#[tokio::test]
async fn archived_members_are_shown_only_where_they_are_asked_for() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let all = client.get(&format!("{LETTER}/members?count=1000&fields=members.status")).await.json();
    assert!(!texts(&all["members"], "status").contains(&"archived".to_owned()));
    let archived = client.get(&format!("{LETTER}/members?count=1000&status=archived")).await.json();
    assert_eq!(archived["total_items"], sandbox.mailchimp().count(Audience::Letter, Status::Archived));
    assert!(archived["total_items"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn the_bounds_of_last_changed_are_exclusive() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let sorted = client.get(&format!("{LETTER}/members?count=1000&sort_field=last_changed&sort_dir=ASC")).await.json();
    let times = texts(&sorted["members"], "last_changed");
    assert!(times.is_sorted());
    let middle = &times[times.len() / 2];
    let later = times.iter().filter(|time| *time > middle).count();
    let earlier = times.iter().filter(|time| *time < middle).count();
    let total = async |bound: &str| {
        let path = format!("{LETTER}/members?count=0&{bound}={}", encoded(middle));
        client.get(&path).await.json()["total_items"].as_u64().unwrap()
    };
    assert_eq!(total("since_last_changed").await, later as u64);
    assert_eq!(total("before_last_changed").await, earlier as u64);
}

#[tokio::test]
async fn rows_can_be_sorted_downwards_and_by_opt_in() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let path = format!("{LETTER}/members?count=1000&sort_field=timestamp_opt&sort_dir=DESC");
    let times = texts(&client.get(&path).await.json()["members"], "timestamp_opt");
    assert!(times.iter().rev().is_sorted() && times.iter().any(String::is_empty));
}

#[tokio::test]
async fn dotted_names_choose_what_is_shown() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let some = client.get(&format!("{LETTER}/members?fields=members.merge_fields.FNAME,members.status")).await.json();
    let member = some["members"][0].as_object().unwrap();
    assert_eq!(member.keys().collect::<Vec<_>>(), ["merge_fields", "status"]);
    assert_eq!(member["merge_fields"].as_object().unwrap().len(), 1);
    assert!(some.get("total_items").is_none());
    let others =
        client.get(&format!("{LETTER}/members?exclude_fields=members._links,members.tags,_links")).await.json();
    let member = &others["members"][0];
    assert!(member.get("_links").is_none() && member.get("tags").is_none() && member.get("tags_count").is_some());
}

#[tokio::test]
async fn a_member_is_found_by_hash_by_address_and_by_contact_id() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let person = sandbox.population().with_plot(Plot::Cased).next().unwrap();
    let address = person.spelling(System::Letter);
    let by_hash = client.get(&format!("{LETTER}/members/{}", hash(&address))).await.json();
    assert_eq!(by_hash["email_address"], address);
    let other_case = encoded(&address.to_uppercase());
    assert_eq!(client.get(&format!("{LETTER}/members/{other_case}")).await.json(), by_hash);
    let contact = by_hash["contact_id"].as_str().unwrap();
    assert_eq!(client.get(&format!("{LETTER}/members/{contact}")).await.json(), by_hash);
    let nobody = client.get(&format!("{LETTER}/members/{}", hash("nobody@example.org"))).await;
    assert_eq!((nobody.status, nobody.title().as_str()), (404, "Resource Not Found"));
}

#[tokio::test]
async fn proof_is_shown_where_there_is_some_and_empty_text_where_there_is_none() {
    let sandbox = sandbox().await;
    let shown = |plot| {
        let person = sandbox.population().with_plot(plot).next().unwrap();
        sandbox.mailchimp().member(Audience::Letter, &person.spelling(System::Letter)).unwrap()
    };
    let proven = shown(Plot::Proven);
    assert!(proven["timestamp_opt"].as_str() > proven["timestamp_signup"].as_str());
    assert!(!proven["ip_opt"].as_str().unwrap().is_empty() && !proven["ip_signup"].as_str().unwrap().is_empty());
    assert_eq!(proven["source"], "Embed Form");
    let single = shown(Plot::Single);
    assert_eq!(single["timestamp_opt"], single["timestamp_signup"]);
    let unproven = shown(Plot::Unproven);
    for empty in ["timestamp_signup", "ip_signup", "ip_opt"] {
        assert_eq!(unproven[empty], "", "{empty}");
    }
    assert_eq!(unproven["source"], "Import");
}

#[tokio::test]
async fn permissions_and_interests_are_shown_with_ids_of_the_audience() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let person = sandbox.population().with_plot(Plot::WithoutOffers).next().unwrap();
    let path = format!("{LETTER}/members/{}", hash(&person.spelling(System::Letter)));
    let member = client.get(&path).await.json();
    let enabled: Vec<bool> =
        member["marketing_permissions"].as_array().unwrap().iter().map(|one| one["enabled"] == true).collect();
    assert_eq!(enabled, [true, false, false]);
    let categories = client.get(&format!("{LETTER}/interest-categories")).await.json();
    let category = categories["categories"][0]["id"].as_str().unwrap();
    let interests = client.get(&format!("{LETTER}/interest-categories/{category}/interests?count=60")).await.json();
    let ids = texts(&interests["interests"], "id");
    assert_eq!(ids.len(), 3);
    let on: Vec<bool> = ids.iter().map(|id| member["interests"][id] == true).collect();
    assert_eq!(on, [true, false, false]);
    let events = client.get(&format!("{EVENTS}/members?count=1")).await.json();
    assert!(events["members"][0].get("marketing_permissions").is_none());
    assert_eq!(client.get(&format!("{EVENTS}/interest-categories/{category}/interests")).await.status, 404);
}

#[tokio::test]
async fn short_message_fields_are_shown_where_somebody_takes_them() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let all = client.get(&format!("{LETTER}/members?count=1000")).await.json();
    let members = all["members"].as_array().unwrap();
    let takes: Vec<_> = members.iter().filter(|member| member["sms_subscription_status"] == "subscribed").collect();
    assert!(!takes.is_empty() && takes.len() < members.len());
    assert!(takes.iter().all(|member| member["sms_phone_number"].as_str().unwrap().starts_with('+')));
}

#[tokio::test]
async fn a_complaint_is_told_apart_from_a_bounce_by_the_abuse_reports() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let reports = client.get(&format!("{LETTER}/abuse-reports?count=1000")).await.json();
    let reported = texts(&reports["abuse_reports"], "email_address");
    let complained: Vec<String> =
        sandbox.population().with_plot(Plot::Complained).map(|person| person.spelling(System::Letter)).collect();
    assert_eq!(reported, complained);
    let bounced = sandbox.population().with_plot(Plot::Bounced).next().unwrap().spelling(System::Letter);
    assert_eq!(sandbox.mailchimp().status(Audience::Letter, &bounced), Some(Status::Cleaned));
    assert!(!reported.contains(&bounced));
}

#[tokio::test]
async fn offsets_shift_when_somebody_leaves_in_between() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let page = async |offset: usize| {
        let path = format!("{LETTER}/members?count=10&offset={offset}&fields=members.email_address");
        texts(&client.get(&path).await.json()["members"], "email_address")
    };
    let (first, second) = (page(0).await, page(10).await);
    sandbox.mailchimp().act(Audience::Letter, &first[0], MailchimpDeed::Delete).unwrap();
    let shifted = page(10).await;
    assert_eq!(shifted[0], second[1]);
    assert!(!shifted.contains(&second[0]), "the first of the second page has slipped to the first");
}

#[tokio::test]
async fn a_member_is_about_a_kilobyte() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let answer = client.get(&format!("{LETTER}/members?count=200")).await;
    let each = answer.text.len() / 200;
    assert!((900..1_600).contains(&each), "{each}");
}
