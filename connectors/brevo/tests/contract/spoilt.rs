//! Answers that are spoilt: one of them loses nobody, and one that stays so is never the end.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use unisson_connector::{ErrorKind, Next};
use wiremock::ResponseTemplate;

use crate::fake::{Fake, Fault, always, connect, contact, lines, page, pass, problem};

const FAULTS: [Fault; 13] = [
    Fault::Empty,
    Fault::Short(1),
    Fault::Short(9),
    Fault::Hole(2),
    Fault::Again,
    Fault::First,
    Fault::Html,
    Fault::ErrorInside,
    Fault::Nothing,
    Fault::Half,
    Fault::Promise(3),
    Fault::FalseEnd,
    Fault::Busy,
];

fn crowd(many: u64) -> Vec<Value> {
    (1..=many).map(|id| contact(id, 0)).collect()
}

#[tokio::test]
async fn an_answer_spoilt_once_loses_nobody() {
    for fault in FAULTS {
        for at in [0, 2, 3] {
            let fake = Fake::holding(crowd(70));
            fake.change(|state| _ = state.faults.insert(at, fault));
            let server = fake.serve().await;
            let seen = pass(&connect(&server, json!({ "page_size": 10 })), "contacts", None).await.unwrap();
            let ids: BTreeSet<&str> = seen.observations.iter().map(|seen| seen.record.as_str()).collect();
            assert_eq!(ids.len(), 70, "{fault:?} at {at}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_stays_spoilt_is_never_an_end() {
    let table = [
        (Fault::Empty, ErrorKind::Incomplete),
        (Fault::Hole(1), ErrorKind::Incomplete),
        (Fault::First, ErrorKind::Incomplete),
        (Fault::Html, ErrorKind::Contract),
        (Fault::ErrorInside, ErrorKind::Contract),
        (Fault::Nothing, ErrorKind::Contract),
        (Fault::Half, ErrorKind::Contract),
        (Fault::Promise(3), ErrorKind::Incomplete),
        (Fault::FalseEnd, ErrorKind::Incomplete),
    ];
    for (fault, kind) in table {
        let fake = Fake::holding(crowd(50));
        fake.change(|state| state.lasting = Some((2, fault)));
        let server = fake.serve().await;
        let error = pass(&connect(&server, json!({ "page_size": 10 })), "contacts", None).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault:?}: {error}");
        assert!(!format!("{error:?}").contains("example.org"), "{error:?}");
    }
}

#[tokio::test]
async fn a_page_that_is_always_short_is_gone_on_from_but_is_not_the_end() {
    let fake = Fake::holding(crowd(90));
    fake.change(|state| state.lasting = Some((0, Fault::Short(2))));
    let server = fake.serve().await;
    let connector = connect(&server, json!({ "page_size": 30 }));
    let (mut cursor, mut seen, mut failure) = (None, BTreeSet::new(), None);
    for _ in 0..50 {
        match page(&connector, "contacts", cursor.as_ref()).await {
            Ok(page) => {
                seen.extend(page.observations.iter().map(|seen| seen.record.as_str().to_owned()));
                let Next::More(next) = page.next else { panic!("an end without the last rows") };
                cursor = Some(next);
            }
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    let error = failure.expect("a listing that does not end is given up");
    assert_eq!((error.kind(), seen.len()), (ErrorKind::Incomplete, 88));
}

#[tokio::test]
async fn more_rows_than_asked_for_are_no_page() {
    let body = json!({ "contacts": crowd(6), "count": 6 });
    let server = always(ResponseTemplate::new(200).set_body_json(body)).await;
    let error = page(&connect(&server, json!({ "page_size": 5 })), "contacts", None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contract);
}

#[tokio::test]
async fn the_vendors_own_header_says_how_long_to_wait() {
    let table = [
        (Some(("x-sib-ratelimit-reset", "1800")), Some(Duration::from_mins(30))),
        (Some(("x-sib-ratelimit-reset", "soon")), None),
        (None, None),
    ];
    for (header, wanted) in table {
        let template = problem(429, "too_many_requests", "p1@example.org");
        let template = header.iter().fold(template, |template, (name, value)| template.insert_header(*name, *value));
        let server = always(template).await;
        let error = page(&connect(&server, json!({})), "contacts", None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited(wanted), "{header:?}");
        assert!(!format!("{error:?}").contains("example.org"));
    }
}

#[tokio::test]
async fn a_wrong_key_and_a_missing_permission_are_told_apart_and_not_asked_twice() {
    for (status, code, kind) in [(401, "unauthorized", ErrorKind::Config), (403, "permission_denied", ErrorKind::Scope)]
    {
        let server = always(problem(status, code, "canary p1@example.org")).await;
        let error = page(&connect(&server, json!({})), "blocked", None).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        assert_eq!(lines(&server).await.len(), 1);
    }
}
