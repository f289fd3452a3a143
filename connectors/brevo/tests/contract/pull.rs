//! Reading: the questions word for word, and every contact seen whatever happens meanwhile.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use unisson_connector::{Cursor, Deletions, ErrorKind, Observation};
use unisson_consent::{Bounce, Channel, Channels, Country, Kind, Purposes, Scope, Status};

use crate::fake::{Fake, always, blocked, connect, contact, lines, ok, page, pass};

fn crowd(many: u64) -> Vec<Value> {
    (1..=many).map(|id| contact(id, 0)).collect()
}

fn ids(observations: &[Observation]) -> BTreeSet<String> {
    observations.iter().map(|seen| seen.record.as_str().to_owned()).collect()
}

fn all(contacts: &[Value]) -> BTreeSet<String> {
    contacts.iter().map(|contact| contact["id"].to_string()).collect()
}

fn blocklist(seen: &Observation) -> Status {
    seen.slots[0].status
}

#[tokio::test]
async fn a_full_sweep_asks_exactly_what_is_documented() {
    let server = Fake::holding(crowd(3)).serve().await;
    let connector = connect(&server, json!({}));
    let seen = pass(&connector, "contacts", None).await.unwrap();
    assert_eq!(ids(&seen.observations), all(&crowd(3)));
    assert_eq!(lines(&server).await, ["GET /v3/contacts limit=500&offset=0&sort=asc"]);
    let request = &server.received_requests().await.unwrap()[0];
    assert!(request.headers["api-key"].to_str().unwrap().starts_with("xkeysib-canary-"));
    assert!(request.headers.get("authorization").is_none());
    let spec = *connector.pull().unwrap().spec();
    assert!(spec.incremental && !spec.incremental_shows_opt_outs);
    assert_eq!(spec.deletions, Deletions::InferBySweep);
}

#[tokio::test]
async fn an_incremental_pass_starts_ten_minutes_before_the_last_one_began_by_the_platforms_clock() {
    const NOON: i64 = 12 * 3_600;
    let fake = Fake::holding([contact(1, 0), contact(2, NOON - 601), contact(3, NOON - 599), contact(4, NOON - 600)]);
    let server = fake.serve().await;
    let connector = connect(&server, json!({}));
    let first = pass(&connector, "contacts", None).await.unwrap();
    fake.change(|state| {
        state.contacts[0]["modifiedAt"] = json!("2025-01-01T18:00:00.250+02:00");
        state.contacts[0]["emailBlacklisted"] = json!(true);
        state.contacts[3]["modifiedAt"] = json!("2025-01-01T11:50:00.001Z");
    });
    let second = pass(&connector, "contacts", first.resume).await.unwrap();
    assert_eq!(
        ids(&second.observations),
        ["1", "3", "4"].map(str::to_owned).into(),
        "an older change is left to sweeps"
    );
    assert_eq!(blocklist(&second.observations[0]), Status::Unsubscribed, "an old contact that opted out is read again");
    let question = "GET /v3/contacts limit=500&offset=0&sort=asc&modifiedSince=2025-01-01T11:50:00.000Z";
    assert_eq!(lines(&server).await[1], question);
    let third = pass(&connector, "contacts", second.resume.clone()).await.unwrap();
    assert_eq!(third.resume, second.resume);
    assert_eq!(ids(&third.observations), ids(&second.observations));
}

#[tokio::test]
async fn who_opts_out_behind_a_pass_is_read_by_the_next_one_however_long_it_took() {
    let fake = Fake::holding(crowd(60));
    fake.change(|state| {
        state.deeds.insert(
            4,
            Box::new(|state| {
                state.contacts[0]["emailBlacklisted"] = json!(true);
                state.contacts[0]["modifiedAt"] = json!("2025-01-01T13:00:00Z");
                state.contacts[59]["modifiedAt"] = json!("2025-01-01T19:00:00Z");
                state.served = Some("Wed, 01 Jan 2025 20:00:00 GMT");
            }),
        );
    });
    let server = fake.serve().await;
    let connector = connect(&server, json!({ "page_size": 10 }));
    let first = pass(&connector, "contacts", None).await.unwrap();
    assert!(first.observations.iter().all(|seen| blocklist(seen) == Status::Never));
    let second = pass(&connector, "contacts", first.resume).await.unwrap();
    let out = second.observations.iter().find(|seen| seen.record.as_str() == "1").unwrap();
    assert_eq!(blocklist(out), Status::Unsubscribed);
}

#[tokio::test]
async fn a_cursor_never_moves_back() {
    let fake = Fake::holding(crowd(2));
    fake.change(|state| state.served = Some("Sat, 01 Jan 2220 00:00:00 GMT"));
    let server = fake.serve().await;
    let connector = connect(&server, json!({}));
    let future = pass(&connector, "contacts", None).await.unwrap();
    fake.change(|state| state.served = Some(crate::fake::NOON));
    let second = pass(&connector, "contacts", future.resume.clone()).await.unwrap();
    assert!(second.observations.is_empty());
    assert_eq!(second.resume, future.resume);
    assert!(lines(&server).await[1].ends_with("&modifiedSince=2219-12-31T23:50:00.000Z"), "{:?}", lines(&server).await);
}

#[tokio::test]
async fn without_a_time_of_the_platforms_only_another_sweep_is_safe() {
    let fake = Fake::holding(crowd(2));
    let server = fake.serve().await;
    let connector = connect(&server, json!({}));
    let timed = pass(&connector, "contacts", None).await.unwrap();
    fake.change(|state| state.served = None);
    assert_eq!(pass(&connector, "contacts", None).await.unwrap().resume, None);
    let again = pass(&connector, "contacts", timed.resume.clone()).await.unwrap();
    assert_eq!(again.resume, timed.resume, "the same start again");
}

#[tokio::test]
async fn every_contact_is_read_however_many_there_are() {
    for many in [0, 1, 9, 10, 11, 29, 30, 31, 95, 300] {
        let server = Fake::holding(crowd(many)).serve().await;
        let seen = pass(&connect(&server, json!({ "page_size": 10 })), "contacts", None).await.unwrap();
        assert_eq!(ids(&seen.observations), all(&crowd(many)), "{many}");
        let pages_max = 2 + usize::try_from(many).unwrap() / 10;
        assert!(seen.pages <= pages_max, "{} pages for {many} contacts", seen.pages);
    }
}

#[tokio::test]
async fn nobody_is_missed_when_contacts_come_and_go_while_they_are_read() {
    for gone in [1, 3, 7] {
        let fake = Fake::holding(crowd(120));
        for step in 1..8_usize {
            fake.change(|state| {
                state.deeds.insert(
                    step,
                    Box::new(move |state| {
                        state.contacts.drain(..gone);
                        state.contacts.remove(state.contacts.len() / 2);
                        state.contacts.push(contact(200 + step as u64, 9));
                    }),
                );
            });
        }
        let server = fake.serve().await;
        let seen = pass(&connect(&server, json!({ "page_size": 10 })), "contacts", None).await.unwrap();
        let missed: Vec<_> = all(&fake.contacts()).difference(&ids(&seen.observations)).cloned().collect();
        assert!(missed.is_empty(), "{missed:?} missed with {gone} deleted at a time");
    }
}

#[tokio::test]
async fn a_deletion_of_more_rows_than_a_page_repeats_starts_the_pass_anew() {
    let fake = Fake::holding(crowd(200));
    fake.change(|state| {
        state.deeds.insert(3, Box::new(|state| drop(state.contacts.drain(..60))));
    });
    let server = fake.serve().await;
    let seen = pass(&connect(&server, json!({ "page_size": 30 })), "contacts", None).await.unwrap();
    assert!(all(&fake.contacts()).is_subset(&ids(&seen.observations)));
    let begun = lines(&server).await.iter().filter(|line| line.contains("offset=0&")).count();
    assert_eq!(begun, 2);
}

#[tokio::test]
async fn a_bad_row_is_told_with_its_place_and_spoils_no_page() {
    let mut contacts = crowd(4);
    contacts[1]["listIds"] = json!(["secret@example.org"]);
    contacts[2]["emailBlacklisted"] = json!("no");
    let server = Fake::holding(contacts).serve().await;
    let seen = pass(&connect(&server, json!({})), "contacts", None).await.unwrap();
    assert_eq!(ids(&seen.observations), ["1", "4"].map(str::to_owned).into());
    let told: Vec<String> = seen.rejects.iter().map(|reject| format!("{}: {}", reject.place, reject.reason)).collect();
    assert!(told[0].starts_with("row 2 of contacts: `listIds[0]`"), "{told:?}");
    assert!(told[1].starts_with("row 3 of contacts: `emailBlacklisted`"), "{told:?}");
    assert!(!format!("{told:?}").contains("example.org"));
}

#[tokio::test]
async fn attributes_are_found_in_capitals_as_the_vendor_names_them() {
    let mut held = contact(1, 0);
    held["attributes"] = json!({ "EXT_ID": "crm-1", "COUNTRY": "fr" });
    let server = Fake::holding([held]).serve().await;
    let settings = json!({ "customer_attribute": "ext_id", "country_attribute": "COUNTRY" });
    let seen = pass(&connect(&server, settings), "contacts", None).await.unwrap();
    let who = &seen.observations[0].who;
    assert_eq!((&who.customer, who.country), (&Some("crm-1".into()), Country::parse("FR")));
}

#[tokio::test]
async fn every_reason_of_the_transactional_blocklist_is_read_by_its_code_never_by_its_message() {
    let codes = [
        "unsubscribedViaMA",
        "unsubscribedViaEmail",
        "unsubscribedViaApi",
        "contactFlaggedAsSpam",
        "adminBlocked",
        "hardBounce",
        "aReasonOfNextYear",
    ];
    let fake = Fake::holding([]);
    fake.change(|state| state.blocked = codes.iter().zip(0..).map(|(code, number)| blocked(number, code)).collect());
    let server = fake.serve().await;
    let seen = pass(&connect(&server, json!({})), "blocked", None).await.unwrap();
    assert_eq!(lines(&server).await, ["GET /v3/smtp/blockedContacts limit=100&offset=0&sort=asc"]);
    assert_eq!(seen.resume, None, "every pass reads the whole list");
    let status = |seen: &Observation| seen.slots.first().map(|slot| slot.status);
    let statuses: Vec<Option<Status>> = seen.observations.iter().map(status).collect();
    let out = Some(Status::Unsubscribed);
    let shut = Some(Status::Blocked);
    assert_eq!(statuses, [out, out, out, Some(Status::Complained), shut, None, shut]);
    assert!(matches!(seen.observations[5].events[0].kind, Kind::Bounce(Bounce::Hard)));
    let list = Purposes::List("transactional".into());
    let scope = Scope { purposes: list, channels: Channels::one(Channel::Email) };
    for seen in &seen.observations {
        assert!(seen.record.as_str().starts_with("blocked/") && !seen.record.as_str().contains('@'));
        assert!(seen.slots.iter().all(|slot| slot.scope == scope), "one slot to map, and never a place to write");
    }
}

#[tokio::test]
async fn long_blocklists_are_read_in_pages_of_a_hundred() {
    let fake = Fake::holding([]);
    fake.change(|state| state.blocked = (0..250).map(|number| blocked(number, "hardBounce")).collect());
    let server = fake.serve().await;
    let seen = pass(&connect(&server, json!({})), "blocked", None).await.unwrap();
    assert_eq!(ids(&seen.observations).len(), 250);
    assert_eq!(lines(&server).await[1], "GET /v3/smtp/blockedContacts limit=100&offset=80&sort=asc");
}

#[tokio::test]
async fn an_empty_list_may_be_null_but_must_be_said() {
    for (body, is_empty) in [
        (json!({ "contacts": [], "count": 0 }), true),
        (json!({ "contacts": null, "count": null }), true),
        (json!({}), false),
        (json!({ "count": 0 }), false),
        (json!({ "contacts": [] }), false),
        (json!({ "code": "internal", "message": "x" }), false),
    ] {
        let server = always(ok(&body)).await;
        let seen = pass(&connect(&server, json!({})), "blocked", None).await;
        assert_eq!(seen.as_ref().is_ok_and(|seen| seen.observations.is_empty()), is_empty, "{body}");
        assert_eq!(seen.is_err(), !is_empty, "{body}");
        if is_empty {
            assert_eq!(lines(&server).await.len(), 2, "that there is nothing is asked twice");
        }
    }
}

#[tokio::test]
async fn the_transactional_blocklist_can_be_left_out() {
    let server = Fake::holding([]).serve().await;
    for (settings, wanted) in
        [(json!({}), vec!["contacts", "blocked"]), (json!({"transactional": false}), vec!["contacts"])]
    {
        let streams = connect(&server, settings).pull().unwrap().streams(&crate::fake::CX).await.unwrap();
        assert_eq!(streams.iter().map(|stream| stream.id.0.as_str()).collect::<Vec<_>>(), wanted);
    }
    assert!(lines(&server).await.is_empty());
}

#[tokio::test]
async fn a_cursor_of_somebody_else_is_refused_and_nothing_is_asked() {
    let server = Fake::holding(crowd(1)).serve().await;
    let connector = connect(&server, json!({}));
    let cursor = pass(&connector, "contacts", None).await.unwrap().resume.unwrap();
    let half = Cursor(cursor.0[..cursor.0.len() / 2].to_owned());
    let older = Cursor(cursor.0.replace("\"format\":1", "\"format\":0"));
    let absurd = Cursor(cursor.0.replace("\"anchors\":[]", "\"anchors\":[\"1\"]"));
    for (stream, cursor) in [("blocked", &cursor), ("contacts", &half), ("contacts", &older), ("contacts", &absurd)] {
        let error = page(&connector, stream, Some(cursor)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Contract);
        assert!(error.to_string().contains("start a full sweep"), "{error}");
    }
    assert_eq!(lines(&server).await.len(), 1);
    assert_eq!(page(&connector, "lists", None).await.unwrap_err().kind(), ErrorKind::NotFound);
}
