//! Faults in listings, for a listing by offset and one by cursor alike.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use unisson_sandbox::{Fault, Rule};

use crate::client::{Client, hubspot, mailchimp, sandbox, texts};

const MEMBERS: &str = "/lists/a1f0c3d9e7/members";
const CONTACTS: &str = "/crm/v3/objects/contacts";
/// No listing of these tests has more pages.
const PAGES_MAX: usize = 40;

async fn offset_page(client: &Client, offset: usize) -> (Vec<String>, u64) {
    let page = client.get(&format!("{MEMBERS}?count=50&offset={offset}")).await.json();
    (texts(&page["members"], "id"), page["total_items"].as_u64().unwrap_or_default())
}

async fn cursor_page(client: &Client, after: &str) -> (Vec<String>, Option<String>) {
    let page = client.get(&format!("{CONTACTS}?limit=50&after={after}")).await.json();
    (texts(&page["results"], "id"), page["paging"]["next"]["after"].as_str().map(str::to_owned))
}

/// Follows cursors, and gives the rows with the cursors that were followed.
async fn follow(client: &Client) -> (Vec<String>, Vec<String>) {
    let (mut rows, mut cursors) = (Vec::new(), vec!["0".to_owned()]);
    for _ in 0..PAGES_MAX {
        let (page, next) = cursor_page(client, cursors.last().unwrap()).await;
        rows.extend(page);
        match next {
            Some(next) => cursors.push(next),
            None => break,
        }
    }
    (rows, cursors)
}

#[tokio::test]
async fn an_empty_page_in_the_middle_is_not_the_end() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    let (_, total) = offset_page(&client, 0).await;
    sandbox.mailchimp().handle().inject(Rule::new(Fault::EmptyPage).on("/members").at_page(2)).unwrap();
    assert_eq!(offset_page(&client, 0).await.0.len(), 50);
    assert_eq!(offset_page(&client, 50).await, (vec![], total));
    assert_eq!(offset_page(&client, 50).await.0.len(), 50, "once only");

    let client = hubspot(&sandbox);
    let (rows, cursors) = follow(&client).await;
    sandbox.hubspot().handle().inject(Rule::new(Fault::EmptyPage).on("/contacts").at_page(2)).unwrap();
    let (again, more_cursors) = follow(&client).await;
    assert_eq!(again, rows, "whoever goes on misses nobody");
    assert_eq!(more_cursors.len(), cursors.len() + 1);
    assert_eq!(more_cursors.iter().collect::<BTreeSet<_>>().len(), more_cursors.len(), "no cursor twice");
}

#[tokio::test]
async fn a_false_end_says_nothing_of_more() {
    let sandbox = sandbox().await;
    sandbox.mailchimp().handle().inject(Rule::new(Fault::FalseEnd).on("/members").at_page(2)).unwrap();
    let client = mailchimp(&sandbox);
    offset_page(&client, 0).await;
    assert_eq!(offset_page(&client, 50).await, (vec![], 50));
    sandbox.hubspot().handle().inject(Rule::new(Fault::FalseEnd).on("/contacts").at_page(2)).unwrap();
    let (rows, _) = follow(&hubspot(&sandbox)).await;
    assert_eq!(rows.len(), 50);
}

#[tokio::test]
async fn after_a_short_page_the_next_goes_on_where_it_stopped() {
    let sandbox = sandbox().await;
    sandbox.mailchimp().handle().inject(Rule::new(Fault::ShortPage(10)).on("/members").at_page(2)).unwrap();
    let client = mailchimp(&sandbox);
    let (first, total) = offset_page(&client, 0).await;
    let (second, _) = offset_page(&client, first.len()).await;
    assert_eq!((second.len(), total), (40, offset_page(&client, 50).await.1));
    let (rows, cursors) = follow(&hubspot(&sandbox)).await;
    sandbox.hubspot().handle().inject(Rule::new(Fault::ShortPage(10)).on("/contacts").at_page(2)).unwrap();
    let (again, other_cursors) = follow(&hubspot(&sandbox)).await;
    assert_eq!(again, rows);
    assert_ne!(other_cursors, cursors);
}

#[tokio::test]
async fn a_repeated_page_is_the_one_shown_before() {
    let sandbox = sandbox().await;
    sandbox.mailchimp().handle().inject(Rule::new(Fault::RepeatedPage).on("/members").at_page(2)).unwrap();
    let client = mailchimp(&sandbox);
    let first = offset_page(&client, 0).await;
    assert_eq!(offset_page(&client, 50).await, first);
    assert_ne!(offset_page(&client, 50).await, first);
}

#[tokio::test]
async fn a_cursor_loop_of_one_gives_the_cursor_back_that_was_sent() {
    let sandbox = sandbox().await;
    sandbox.hubspot().handle().inject(Rule::new(Fault::CursorLoop(1)).on("/contacts").at_page(3)).unwrap();
    let (_, cursors) = follow(&hubspot(&sandbox)).await;
    assert_eq!(cursors.len(), PAGES_MAX + 1, "it never ends");
    assert!(cursors[2..].iter().all(|cursor| *cursor == cursors[2]));
    assert_ne!(cursors[1], cursors[2]);
}

#[tokio::test]
async fn a_cursor_loop_of_two_goes_to_and_fro() {
    let sandbox = sandbox().await;
    sandbox.hubspot().handle().inject(Rule::new(Fault::CursorLoop(2)).on("/contacts").at_page(2)).unwrap();
    let (_, cursors) = follow(&hubspot(&sandbox)).await;
    assert_eq!(cursors.len(), PAGES_MAX + 1);
    assert_eq!(cursors[1..].iter().collect::<BTreeSet<_>>().len(), 2);
    assert_ne!(cursors[1], cursors[2]);
    assert_eq!(cursors[1], cursors[3]);
}

#[tokio::test]
async fn a_search_goes_round_as_well() {
    let sandbox = sandbox().await;
    sandbox.hubspot().handle().inject(Rule::new(Fault::CursorLoop(1)).on("/search").at_page(2)).unwrap();
    let client = hubspot(&sandbox);
    let search = async |after: &str| -> Value {
        let body = json!({"limit": 50, "after": after});
        client.post(&format!("{CONTACTS}/search"), body).await.json()["paging"]["next"]["after"].clone()
    };
    assert_eq!(search("0").await, "50");
    assert_eq!(search("50").await, "50");
    assert_eq!(search("50").await, "50");
}

#[tokio::test]
async fn by_offset_a_loop_shows_the_same_rows_for_ever() {
    let sandbox = sandbox().await;
    sandbox.mailchimp().handle().inject(Rule::new(Fault::CursorLoop(1)).on("/members").at_page(2)).unwrap();
    let client = mailchimp(&sandbox);
    offset_page(&client, 0).await;
    let second = offset_page(&client, 50).await;
    assert_eq!(offset_page(&client, 100).await, second);
    assert_eq!(offset_page(&client, 5_000).await, second);
}
