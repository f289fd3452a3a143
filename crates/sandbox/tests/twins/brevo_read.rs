//! Brevo, reading.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::{Value, json};
use unisson_sandbox::{BREVO_LIST_IDS, BrevoDeed, Fate, Options, Sandbox, System};

use crate::client::{Client, brevo, encoded, large, options, sandbox, texts};

const BLOCKED: &str = "/smtp/blockedContacts";
/// No listing of these tests has more pages.
const PAGES_MAX: usize = 40;

/// The address of the first person with this fate.
fn address(sandbox: &Sandbox, fate: Fate) -> String {
    let person = sandbox.population().people().find(|person| person.fate() == fate).unwrap();
    person.spelling(System::Campaigns)
}

/// All contacts of a listing, page by page, with the count it tells.
async fn all(client: &Client, path: &str) -> (Vec<Value>, u64) {
    let (mut rows, mut count) = (Vec::new(), 0);
    for _ in 0..PAGES_MAX {
        let page = client.get(&format!("{path}&offset={}", rows.len())).await.json();
        count = page["count"].as_u64().unwrap();
        let shown = page["contacts"].as_array().unwrap();
        if shown.is_empty() {
            break;
        }
        rows.extend(shown.iter().cloned());
    }
    (rows, count)
}

fn ids(rows: &[Value]) -> Vec<u64> {
    rows.iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn the_key_opens_in_its_own_header_only() {
    let sandbox = sandbox().await;
    let account = brevo(&sandbox).get("/account").await.json();
    assert!(account["companyName"].is_string() && account["email"].is_string() && account["plan"].is_array());
    let base = sandbox.brevo().base_url();
    for client in [
        Client::with_header(base.clone(), ("api-key", "other")),
        Client::new(base.clone(), "Bearer sandbox-brevo-key"),
        Client::with_header(base, ("x-key", "sandbox-brevo-key")),
    ] {
        let answer = client.get("/account").await;
        assert_eq!((answer.status, &answer.json()["code"]), (401, &json!("unauthorized")));
        assert!(answer.json()["message"].is_string());
    }
}

#[tokio::test]
async fn all_pages_together_hold_everybody_once_whichever_way_they_go() {
    let sandbox = large().await;
    let client = brevo(&sandbox);
    let (up, count) = all(&client, "/contacts?limit=70&sort=asc").await;
    assert_eq!((up.len() as u64, count), (count, sandbox.brevo().census().contacts));
    let (down, _) = all(&client, "/contacts?limit=70").await;
    assert!(ids(&up).is_sorted() && ids(&up).iter().rev().copied().eq(ids(&down)), "the newest first unless asked");
    assert_eq!(ids(&up).iter().collect::<BTreeSet<_>>().len(), up.len());
}

#[tokio::test]
async fn limits_of_a_page_are_kept() {
    let sandbox = large().await;
    let client = brevo(&sandbox);
    let rows = async |path: &str| client.get(path).await.json()["contacts"].as_array().unwrap().len();
    assert_eq!((rows("/contacts").await, rows("/contacts/lists/4/contacts").await), (50, 50));
    assert_eq!(rows("/contacts?limit=0").await, 0);
    assert_eq!(rows(&format!("{BLOCKED}?limit=5")).await, 5);
    for (path, code) in [
        ("/contacts?limit=1001", "out_of_range"),
        ("/contacts/lists/4/contacts?limit=501", "out_of_range"),
        ("/contacts/lists?limit=51", "out_of_range"),
        ("/smtp/blockedContacts?limit=101", "out_of_range"),
        ("/contacts?limit=-1", "invalid_parameter"),
        ("/contacts?offset=x", "invalid_parameter"),
        ("/contacts?sort=modified", "invalid_parameter"),
        ("/contacts?modifiedSince=yesterday", "invalid_parameter"),
        ("/contacts?listIds=99", "invalid_parameter"),
        ("/contacts?segmentId=1", "invalid_parameter"),
    ] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!(code)), "{path}");
    }
    for path in ["/contacts?limit=1000", "/contacts/lists/4/contacts?limit=500", "/smtp/blockedContacts?limit=100"] {
        assert_eq!(client.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn the_bound_of_modified_since_is_exclusive_to_the_millisecond_and_the_count_follows_it() {
    let sandbox = large().await;
    let client = brevo(&sandbox);
    let (rows, _) = all(&client, "/contacts?limit=100&sort=asc").await;
    let mut moments: Vec<jiff::Timestamp> =
        rows.iter().map(|row| row["modifiedAt"].as_str().unwrap().parse().unwrap()).collect();
    moments.sort();
    assert!(moments.iter().any(|moment| moment.as_millisecond() % 1_000 != 0), "there are milliseconds to lose");
    let middle = moments[moments.len() / 2];
    let count = async |bound: jiff::Timestamp| {
        let path = format!("/contacts?limit=10&modifiedSince={}", encoded(&bound.to_string()));
        client.get(&path).await.json()["count"].as_u64().unwrap()
    };
    let after = |bound| moments.iter().filter(|moment| **moment > bound).count() as u64;
    assert_eq!(count(middle).await, after(middle));
    let before = middle - Duration::from_millis(1);
    assert_eq!(count(before).await, after(before));
    assert!(after(before) > after(middle));
}

#[tokio::test]
async fn a_new_contact_shifts_the_pages_that_come_newest_first() {
    let sandbox = large().await;
    let client = brevo(&sandbox);
    let page = async |sort: &str| client.get(&format!("/contacts?limit=10&offset=10&sort={sort}")).await.json();
    let (down, up) = (page("desc").await, page("asc").await);
    client.post("/contacts", json!({"email": "fresh@example.org"})).await;
    assert_eq!(page("asc").await["contacts"], up["contacts"]);
    assert_eq!(page("desc").await["contacts"][1], down["contacts"][0], "everybody moved down by one");
}

#[tokio::test]
async fn a_contact_is_found_by_each_of_its_names() {
    let sandbox = large().await;
    let client = brevo(&sandbox);
    let (rows, _) = all(&client, "/contacts?limit=500&sort=asc").await;
    let full = rows.iter().find(|row| row["attributes"]["SMS"].is_string() && row["attributes"]["EXT_ID"].is_string());
    let full = full.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let by_id = client.get(&format!("/contacts/{}", full["id"])).await.json();
    assert_eq!(by_id["email"], full["email"]);
    let (email, sms) = (encoded(&text(&full["email"])), text(&full["attributes"]["SMS"]));
    let ext = text(&full["attributes"]["EXT_ID"]);
    for path in [
        email.clone(),
        email.to_uppercase(),
        format!("{email}?identifierType=email_id"),
        format!("{}?identifierType=contact_id", full["id"]),
        format!("{ext}?identifierType=ext_id"),
        format!("{sms}?identifierType=phone_id"),
        format!("%2B{sms}?identifierType=phone_id"),
    ] {
        assert_eq!(client.get(&format!("/contacts/{path}")).await.json(), by_id, "{path}");
    }
    for (path, status, code) in [
        ("nobody%40example.org", 404, "document_not_found"),
        ("999999999", 404, "document_not_found"),
        ("C0000000?identifierType=ext_id", 404, "document_not_found"),
        ("C0000000", 400, "invalid_parameter"),
        ("1?identifierType=shoe_size", 400, "invalid_parameter"),
    ] {
        let answer = client.get(&format!("/contacts/{path}")).await;
        assert_eq!((answer.status, &answer.json()["code"]), (status, &json!(code)), "{path}");
    }
}

#[tokio::test]
async fn a_contact_shows_what_the_vendor_shows_and_no_reason() {
    let sandbox = sandbox().await;
    let shown = |fate| sandbox.brevo().contact(&address(&sandbox, fate)).unwrap();
    let confirmed = shown(Fate::Confirmed);
    assert_eq!(confirmed["attributes"]["DOUBLE_OPT-IN"], "1");
    assert_eq!((&confirmed["emailBlacklisted"], &confirmed["smsBlacklisted"]), (&json!(false), &json!(false)));
    assert_eq!((&confirmed["listIds"], &confirmed["listUnsubscribed"]), (&json!([4, 5]), &Value::Null));
    assert!(confirmed["createdAt"].as_str().unwrap().ends_with("+01:00"));
    let left = shown(Fate::LeftOffers);
    assert_eq!((&left["listIds"], &left["listUnsubscribed"]), (&json!([4]), &json!([5])));
    assert_eq!(left["emailBlacklisted"], false);
    assert_eq!(shown(Fate::NoTexts)["smsBlacklisted"], true);
    assert_eq!(shown(Fate::Customer)["listIds"], json!([7]));
    let gone = [Fate::Left, Fate::Bounced, Fate::Complained, Fate::Removed].map(shown);
    assert!(gone.iter().all(|contact| contact["emailBlacklisted"] == true && contact["listIds"] == json!([4, 5])));
    assert!(gone.iter().all(|contact| !contact.to_string().contains("reason")), "the listing does not say why");
}

#[tokio::test]
async fn statistics_of_one_contact_tell_why_where_the_window_reaches_back() {
    let sandbox = sandbox().await;
    let client = brevo(&sandbox);
    for (fate, path) in [
        (Fate::Left, "/unsubscriptions/userUnsubscription"),
        (Fate::Removed, "/unsubscriptions/adminUnsubscription"),
        (Fate::Bounced, "/hardBounces"),
        (Fate::Complained, "/complaints"),
    ] {
        let who = encoded(&address(&sandbox, fate));
        let events = async |query: &str| {
            let shown = client.get(&format!("/contacts/{who}{query}")).await.json();
            assert!(shown["createdAt"].as_str().unwrap().ends_with('Z'), "one contact is told in UTC");
            shown["statistics"].pointer(path).unwrap().as_array().unwrap().len()
        };
        assert_eq!(events("?startDate=2010-01-01&endDate=2026-10-31").await, 1, "{fate:?}");
        assert_eq!(events("?startDate=2010-01-01&endDate=2010-12-31").await, 0, "{fate:?}");
    }
    let fresh = address(&sandbox, Fate::Joined);
    sandbox.brevo().act(&fresh, BrevoDeed::Complain).unwrap();
    let path = format!("/contacts/{}", encoded(&fresh));
    let complaints = async || client.get(&path).await.json()["statistics"]["complaints"].as_array().unwrap().len();
    assert_eq!(complaints().await, 1);
    sandbox.clock().advance(Duration::from_hours(91 * 24));
    assert_eq!(complaints().await, 0, "ninety days unless asked");
}

#[tokio::test]
async fn lists_tell_who_is_on_them_and_not_who_can_be_mailed() {
    let sandbox = large().await;
    let client = brevo(&sandbox);
    let lists = client.get("/contacts/lists").await.json();
    assert_eq!((&lists["count"], lists["lists"].as_array().unwrap().len()), (&json!(3), 3));
    let census = sandbox.brevo().census();
    for (at, id) in BREVO_LIST_IDS.into_iter().enumerate() {
        let one = client.get(&format!("/contacts/lists/{id}")).await.json();
        assert_eq!((&one["uniqueSubscribers"], &one["totalSubscribers"]), (&json!(census.on[at]), &json!(0)));
        let (rows, count) = all(&client, &format!("/contacts/lists/{id}/contacts?limit=100")).await;
        assert_eq!((rows.len() as u64, count), (census.on[at], census.on[at]));
        assert!(rows.iter().all(|row| row["listIds"].as_array().unwrap().contains(&json!(id))));
        let filtered = client.get(&format!("/contacts?limit=1&listIds={id}")).await.json();
        assert_eq!(filtered["count"], census.on[at]);
    }
    let (news, _) = all(&client, "/contacts/lists/4/contacts?limit=100").await;
    assert!(news.iter().any(|row| row["emailBlacklisted"] == true));
    for path in ["/contacts/lists/99", "/contacts/lists/99/contacts", "/contacts/lists/x"] {
        assert_eq!(client.get(path).await.json()["code"], "document_not_found", "{path}");
    }
}

#[tokio::test]
async fn blocked_contacts_have_reasons_pages_dates_and_senders() {
    let sandbox = large().await;
    let client = brevo(&sandbox);
    let (rows, count) = all(&client, &format!("{BLOCKED}?limit=30&sort=asc")).await;
    assert_eq!((rows.len() as u64, count), (count, sandbox.brevo().census().blocked));
    let codes: BTreeSet<&str> = rows.iter().map(|row| row["reason"]["code"].as_str().unwrap()).collect();
    let expected = ["adminBlocked", "contactFlaggedAsSpam", "hardBounce", "unsubscribedViaEmail", "unsubscribedViaMA"];
    assert_eq!(codes, BTreeSet::from(expected));
    assert!(rows.iter().all(|row| row["email"].is_string() && row["senderEmail"] == "orders@shop.example"));
    let moment = |row: &Value| row["blockedAt"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(rows.iter().map(moment).is_sorted());
    let newest = client.get(&format!("{BLOCKED}?limit=1")).await.json();
    assert_eq!(newest["contacts"][0], rows[rows.len() - 1], "the newest first unless asked");
    let day = moment(&rows[rows.len() / 2]).to_string()[..10].to_owned();
    let on_day = rows.iter().filter(|row| moment(row).to_string().starts_with(&day)).count();
    let dated = client.get(&format!("{BLOCKED}?startDate={day}&endDate={day}")).await.json();
    assert_eq!(dated["count"], on_day);
    let other = client.get(&format!("{BLOCKED}?senders=news%40shop.example")).await.json();
    assert_eq!(other["count"], 0);
    for (query, code) in [
        ("startDate=2026-01-01", "missing_parameter"),
        ("endDate=2026-01-01", "missing_parameter"),
        ("startDate=2026-02-01&endDate=2026-01-01", "invalid_parameter"),
        ("startDate=2026-01-01&endDate=2027-01-01", "invalid_parameter"),
        ("startDate=soon&endDate=2026-01-01", "invalid_parameter"),
    ] {
        assert_eq!(client.get(&format!("{BLOCKED}?{query}")).await.json()["code"], code, "{query}");
    }
}

#[tokio::test]
async fn the_account_counts_each_kind_of_call_and_tells_how_long_to_wait() {
    let mut strict: Options = options();
    strict.brevo.contacts_per_second = NonZeroU32::new(3);
    strict.brevo.contacts_per_hour = NonZeroU32::new(100);
    strict.brevo.rest_per_hour = NonZeroU32::new(1);
    strict.brevo.smtp_per_hour = NonZeroU32::new(1);
    strict.brevo.blocked_per_second = NonZeroU32::new(50);
    let sandbox = Sandbox::start(strict).await.unwrap();
    let client = brevo(&sandbox);
    let first = client.get("/contacts?limit=1").await;
    let told = |answer: &crate::client::Answer, name: &str| {
        answer.header(&format!("x-sib-ratelimit-{name}")).unwrap().parse::<u32>().unwrap()
    };
    assert_eq!((told(&first, "limit"), told(&first, "remaining"), told(&first, "reset")), (3, 2, 1));
    assert_eq!(client.get("/account").await.status, 200);
    let denied = client.get("/account").await;
    assert_eq!((denied.status, &denied.json()["code"]), (429, &json!("too_many_requests")));
    assert!((3_590..=3_600).contains(&told(&denied, "reset")) && told(&denied, "remaining") == 0);
    assert!(denied.header("retry-after").is_none(), "the vendor sends none");
    assert_eq!(client.get(BLOCKED).await.status, 200, "blocked contacts are counted apart");
    assert_eq!(client.delete(&format!("{BLOCKED}/a%40example.org")).await.status, 404);
    assert_eq!(client.delete(&format!("{BLOCKED}/a%40example.org")).await.status, 429);
}

#[tokio::test]
async fn what_the_twin_does_not_know_answers_404_in_the_vendors_form() {
    let sandbox = sandbox().await;
    let client = brevo(&sandbox);
    for path in ["/processes/5", "/contacts/folders/1/lists", "/webhooks"] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.json()["code"].is_string() && answer.json()["message"].is_string());
    }
    assert!(!texts(&client.get("/contacts?limit=5").await.json()["contacts"], "email").is_empty());
}
