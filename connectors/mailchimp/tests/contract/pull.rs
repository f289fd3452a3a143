//! Reading: the questions word for word, and every contact seen whatever happens meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use unisson_connector::{
    Connector, Cursor, Deletions, ErrorKind, Next, Observation, Page, Presence, Proof, Reject, Result, StreamId,
};
use unisson_consent::{Kind, Scope, Status};
use wiremock::ResponseTemplate;

use crate::fake::{CX, Fake, Fault, LIST, always, connect, lines, member, problem};

const FIELDS: &str = "total_items,members.id,members.email_address,members.unique_email_id,members.contact_id,\
    members.status,members.unsubscribe_reason,members.sms_phone_number,members.sms_subscription_status,\
    members.sms_subscription_last_updated,members.interests,members.ip_signup,members.timestamp_signup,members.ip_opt,\
    members.timestamp_opt,members.last_changed,members.source,members.location.country_code,\
    members.marketing_permissions";

async fn page(connector: &Arc<dyn Connector>, stream: &str, from: Option<&Cursor>) -> Result<Page> {
    connector.pull().unwrap().page(&CX, &StreamId(stream.to_owned()), from).await
}

struct Pass {
    observations: Vec<Observation>,
    rejects: Vec<Reject>,
    resume: Option<Cursor>,
    pages: usize,
}

/// A pass to its end, as a host makes it.
async fn pass(connector: &Arc<dyn Connector>, stream: &str, from: Option<Cursor>) -> Result<Pass> {
    let mut pass = Pass { observations: Vec::new(), rejects: Vec::new(), resume: from, pages: 0 };
    let mut patience = 2;
    for _ in 0..200 {
        let page = match page(connector, stream, pass.resume.as_ref()).await {
            // A host asks again where that may help.
            Err(error) if error.kind().may_pass() && patience > 0 => {
                patience -= 1;
                continue;
            }
            page => page?,
        };
        pass.pages += 1;
        pass.observations.extend(page.observations);
        pass.rejects.extend(page.rejects);
        match page.next {
            Next::More(cursor) => pass.resume = Some(cursor),
            Next::End { proof, resume } => {
                assert_eq!(proof, Proof::TotalReached);
                pass.resume = resume;
                return Ok(pass);
            }
        }
    }
    panic!("the pass does not end");
}

/// The last state seen of every record.
fn states(observations: &[Observation]) -> BTreeMap<String, Status> {
    let state = |seen: &Observation| (seen.record.as_str().to_owned(), seen.slots[0].status);
    observations.iter().map(state).collect()
}

fn wanted(members: &[Value]) -> BTreeMap<String, Status> {
    let state = |member: &Value| {
        let status = if member["status"] == "subscribed" { Status::Subscribed } else { Status::Unsubscribed };
        (format!("{LIST}/{}", member["contact_id"].as_str().unwrap()), status)
    };
    members.iter().map(state).collect()
}

#[tokio::test]
async fn a_full_sweep_asks_exactly_what_is_documented() {
    let server = Fake::holding([member(1, 5, "subscribed")]).serve().await;
    let pass = pass(&connect(&server, json!({})), LIST, None).await.unwrap();
    assert_eq!(pass.observations.len(), 1);
    let requests = server.received_requests().await.unwrap();
    assert!(requests[0].headers["authorization"].to_str().unwrap().starts_with("Bearer canary-key-"));
    let question = format!("count=1000&fields={FIELDS}&offset=0&sort_dir=ASC&sort_field=last_changed");
    assert_eq!(lines(&server).await, [format!("GET /3.0/lists/{LIST}/members {question}")]);
}

#[tokio::test]
async fn an_incremental_pass_starts_ten_minutes_before_the_newest_change_seen() {
    let fake = Fake::holding([member(1, 3_600, "subscribed"), member(2, 7_200, "subscribed")]);
    let server = fake.serve().await;
    let connector = connect(&server, json!({}));
    let first = pass(&connector, LIST, None).await.unwrap();
    fake.0.lock().unwrap().members.extend([member(3, 6_700, "subscribed"), member(4, 6_500, "subscribed")]);
    fake.0.lock().unwrap().members[0] = member(1, 9_000, "unsubscribed");
    let second = pass(&connector, LIST, first.resume).await.unwrap();
    let seen = states(&second.observations);
    assert_eq!(seen[&format!("{LIST}/c1")], Status::Unsubscribed, "an old contact that opted out is read again");
    assert!(seen.contains_key(&format!("{LIST}/c3")), "a late arrival inside the overlap is read");
    assert!(!seen.contains_key(&format!("{LIST}/c4")), "what is older is left to the next full sweep");
    let question = "offset=0&since_last_changed=2025-01-01T01:50:00+00:00&sort_dir=ASC&sort_field=last_changed";
    let question = format!("GET /3.0/lists/{LIST}/members count=1000&fields={FIELDS}&{question}");
    assert_eq!(lines(&server).await[1], question);
}

#[tokio::test]
async fn a_second_incremental_pass_without_change_brings_the_same_again() {
    let server = Fake::holding((0..30).map(|id| member(id, 7, "subscribed"))).serve().await;
    let connector = connect(&server, json!({ "page_size": 12 }));
    let first = pass(&connector, LIST, None).await.unwrap();
    let second = pass(&connector, LIST, first.resume).await.unwrap();
    assert_eq!(states(&second.observations), states(&first.observations));
    let third = pass(&connector, LIST, second.resume.clone()).await.unwrap();
    assert_eq!(third.resume, second.resume);
}

#[tokio::test]
async fn archived_members_are_a_stream_of_their_own_and_no_withdrawal() {
    let server = Fake::holding([member(1, 5, "archived"), member(2, 6, "subscribed")]).serve().await;
    let connector = connect(&server, json!({}));
    let archived = pass(&connector, &format!("{LIST}/archived"), None).await.unwrap();
    assert_eq!(archived.observations.len(), 1);
    assert_eq!(archived.observations[0].presence, Presence::Archived);
    assert!(archived.observations[0].slots.iter().all(|slot| matches!(slot.status, Status::Never | Status::Off)));
    assert!(lines(&server).await[0].ends_with("&sort_dir=ASC&sort_field=last_changed&status=archived"));
    let members = pass(&connector, LIST, None).await.unwrap();
    assert_eq!(members.observations.len(), 1);
    assert_eq!(connector.pull().unwrap().spec().deletions, Deletions::InferBySweep);
}

#[tokio::test]
async fn spam_reports_are_complaints_about_all_direct_marketing() {
    let reports = json!({ "total_items": 2, "abuse_reports": [
        {"id": 42, "campaign_id": "x", "list_id": LIST, "email_id": "62ee", "email_address": "p1@example.org",
         "date": "2025-03-04T05:06:07+00:00"},
        {"id": 43, "email_id": "62ef", "email_address": "", "date": ""},
    ]});
    let server = always(ResponseTemplate::new(200).set_body_json(reports)).await;
    let connector = connect(&server, json!({}));
    let pass = pass(&connector, &format!("{LIST}/complaints"), None).await.unwrap();
    assert_eq!(pass.resume, None, "every pass reads all reports");
    assert_eq!(pass.rejects.len(), 1, "a report without an address is told, not lost");
    let seen = &pass.observations[0];
    assert_eq!(seen.record.as_str(), format!("{LIST}/complaint/42"));
    assert_eq!(seen.who.emails, ["p1@example.org"]);
    let event = &seen.events[0];
    assert_eq!((&event.kind, &event.scope), (&Kind::Complaint, &Scope::default()));
    assert_eq!(event.native_id.as_deref(), Some("a6b5da1054/abuse-report/42"));
    let fields = "total_items,abuse_reports.id,abuse_reports.email_address,abuse_reports.date";
    let question = format!("GET /3.0/lists/{LIST}/abuse-reports count=1000&fields={fields}&offset=0");
    assert_eq!(lines(&server).await, [question]);
}

#[tokio::test]
async fn every_audience_has_three_streams_the_archive_first() {
    let body = json!({ "lists": [{"id": LIST, "name": "News"}, {"id": "b7", "name": ""}], "total_items": 2 });
    let server = always(ResponseTemplate::new(200).set_body_json(body)).await;
    let ids = |streams: Vec<unisson_connector::Stream>| -> Vec<String> {
        streams.into_iter().map(|stream| format!("{} = {}", stream.id.0, stream.title)).collect()
    };
    let streams = connect(&server, json!({})).pull().unwrap().streams(&CX).await.unwrap();
    assert_eq!(
        ids(streams),
        [
            "a6b5da1054/archived = News, archived",
            "a6b5da1054 = News",
            "a6b5da1054/complaints = News, spam reports",
            "b7/archived = b7, archived",
            "b7 = b7",
            "b7/complaints = b7, spam reports",
        ]
    );
    let only = json!({ "audiences": ["b7", "gone"] });
    let streams = connect(&server, only).pull().unwrap().streams(&CX).await.unwrap();
    // One that is not there is still read, so that its absence fails loudly instead of hiding its opt-outs.
    assert_eq!(streams.len(), 6);
    assert_eq!(streams[4].id.0, "gone");
}

#[tokio::test]
async fn every_contact_is_read_however_many_there_are() {
    for many in [0, 1, 9, 10, 11, 20, 21, 95, 500] {
        for spread in [1, 7, 1_000] {
            let members: Vec<Value> = (0..many).map(|id| member(id, id % spread, "subscribed")).collect();
            let server = Fake::holding(members.clone()).serve().await;
            let pass = pass(&connect(&server, json!({ "page_size": 10 })), LIST, None).await.unwrap();
            assert_eq!(states(&pass.observations), wanted(&members), "{many} members in {spread} seconds");
            let pages_max = 2 + 3 * many as usize / 10;
            assert!(pass.pages <= pages_max, "{} pages for {many} members in {spread} seconds", pass.pages);
        }
    }
}

#[tokio::test]
async fn nobody_is_missed_when_members_come_go_and_change_while_they_are_read() {
    for spread in [1, 3, 90] {
        let fake = Fake::holding((0..90).map(|id| member(id, id % spread, "subscribed")));
        for step in 0..12_u32 {
            fake.0.lock().unwrap().deeds.insert(
                step as usize,
                Box::new(move |members| {
                    members.remove(step as usize);
                    let id = members[40]["contact_id"].as_str().unwrap()[1..].parse().unwrap();
                    members[40] = member(id, 1_000 + step, "unsubscribed");
                    members.push(member(200 + step, 1_000 + step, "subscribed"));
                }),
            );
        }
        let server = fake.serve().await;
        let pass = pass(&connect(&server, json!({ "page_size": 10 })), LIST, None).await.unwrap();
        let seen = states(&pass.observations);
        for (record, status) in wanted(&fake.0.lock().unwrap().members) {
            assert_eq!(seen.get(&record), Some(&status), "{record}, {spread} seconds");
        }
    }
}

#[tokio::test]
async fn an_answer_spoilt_once_loses_nobody() {
    let faults = [
        Fault::Empty,
        Fault::Short(3),
        Fault::Short(9),
        Fault::Again,
        Fault::Html,
        Fault::ErrorInside,
        Fault::Half,
        Fault::Promise(3),
        Fault::FalseEnd,
        Fault::Busy,
    ];
    for spread in [1, 50] {
        for fault in faults {
            for at in [0, 2, 3] {
                let members: Vec<Value> = (0..50).map(|id| member(id, id % spread, "subscribed")).collect();
                let fake = Fake::holding(members.clone());
                fake.0.lock().unwrap().faults.insert(at, fault);
                let server = fake.serve().await;
                let pass = pass(&connect(&server, json!({ "page_size": 10 })), LIST, None).await.unwrap();
                assert_eq!(states(&pass.observations), wanted(&members), "{fault:?} at {at}");
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_stays_spoilt_is_never_an_end() {
    let table = [
        (Fault::Empty, ErrorKind::Incomplete),
        (Fault::Again, ErrorKind::Contract),
        (Fault::Html, ErrorKind::Contract),
        (Fault::ErrorInside, ErrorKind::Contract),
        (Fault::Half, ErrorKind::Contract),
        (Fault::Promise(3), ErrorKind::Incomplete),
        (Fault::FalseEnd, ErrorKind::Incomplete),
    ];
    for (fault, kind) in table {
        let fake = Fake::holding((0..50).map(|id| member(id, id, "subscribed")));
        fake.0.lock().unwrap().lasting = Some((2, fault));
        let server = fake.serve().await;
        let connector = connect(&server, json!({ "page_size": 10 }));
        let error = pass(&connector, LIST, None).await.map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), kind, "{fault:?}: {error}");
        assert!(!format!("{error:?}").contains("example.org"), "{error:?}");
    }
}

#[tokio::test]
async fn a_page_that_is_always_short_is_not_the_end() {
    let members: Vec<Value> = (0..60).map(|id| member(id, id / 4, "subscribed")).collect();
    let fake = Fake::holding(members.clone());
    fake.0.lock().unwrap().lasting = Some((0, Fault::Short(2)));
    let server = fake.serve().await;
    let connector = connect(&server, json!({ "page_size": 10 }));
    // The last rows never come: everything before them does, and the end is not reported.
    let mut cursor = None;
    let mut seen = BTreeMap::new();
    let error = loop {
        match page(&connector, LIST, cursor.as_ref()).await {
            Ok(Page { observations, next: Next::More(next), .. }) => {
                seen.extend(states(&observations));
                cursor = Some(next);
            }
            Ok(_) => panic!("an end without the last rows"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Incomplete);
    assert_eq!(seen.len(), members.len() - 2);
}

#[tokio::test]
async fn a_bad_row_is_told_with_its_place_and_spoils_no_page() {
    let mut members = vec![member(1, 1, "subscribed"), member(2, 2, "subscribed"), member(3, 3, "subscribed")];
    members[1]["interests"] = json!({"9143cf3bd1": "secret@example.org"});
    members[2]["email_address"] = json!("");
    let server = Fake::holding(members).serve().await;
    let pass = pass(&connect(&server, json!({})), LIST, None).await.unwrap();
    assert_eq!(pass.observations.len(), 1);
    let places: Vec<&str> = pass.rejects.iter().map(|reject| reject.place.as_str()).collect();
    assert_eq!(places, ["row 2 of a6b5da1054", "row 3 of a6b5da1054"]);
    assert!(pass.rejects[0].reason.contains("interests"), "{:?}", pass.rejects[0]);
    assert!(!format!("{:?}", pass.rejects).contains("example.org"));
}

#[tokio::test]
async fn a_cursor_of_somebody_else_is_refused_and_nothing_is_asked() {
    let server = Fake::holding([member(1, 1, "subscribed")]).serve().await;
    let connector = connect(&server, json!({}));
    let members = pass(&connector, LIST, None).await.unwrap().resume.unwrap();
    let half = Cursor(members.0[..members.0.len() / 2].to_owned());
    for (stream, cursor) in [(format!("{LIST}/archived"), &members), (LIST.to_owned(), &half)] {
        let error = page(&connector, &stream, Some(cursor)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Contract);
        assert!(error.to_string().contains("start a full sweep"), "{error}");
    }
    assert_eq!(lines(&server).await.len(), 1);
    assert_eq!(page(&connector, "a/b/c", None).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_lost_audience_and_a_missing_permission_are_told_apart() {
    for (status, title, kind) in [
        (401, "API Key Invalid", ErrorKind::Config),
        (403, "Forbidden", ErrorKind::Scope),
        (404, "Resource Not Found", ErrorKind::NotFound),
    ] {
        let server = always(problem(status, title, "canary p1@example.org")).await;
        let error = page(&connect(&server, json!({})), LIST, None).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn a_crowd_turned_away_is_told_to_wait() {
    let crowded = ResponseTemplate::new(403).set_body_raw("<html>Access denied</html>", "text/html");
    for template in [crowded, problem(429, "Too Many Requests", "")] {
        let server = always(template.insert_header("retry-after", "120")).await;
        let error = page(&connect(&server, json!({})), LIST, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited(Some(std::time::Duration::from_mins(2))));
    }
}
