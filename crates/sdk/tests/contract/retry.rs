//! Rate limits and retry (R). Time stands still but for what the toolbox waits.

use std::time::Duration;

use futures::future::join_all;
use http::StatusCode;
use tokio::time::Instant;
use unisson_connector::{Error, ErrorKind};
use unisson_sdk::{Call, Client, Link, RETRY_AFTER_MAX, RETRY_AFTER_MIN, Response, WAIT_MAX};

use crate::support::script::{Script, answer, json, with};
use crate::support::{assert_kind, link};

const HERE: &str = "https://api.example.org";

fn client(script: &std::sync::Arc<Script>) -> Client {
    link(HERE).connect_over(script.clone()).unwrap()
}

fn limited(retry_after: &str) -> Response {
    with(answer(429), "retry-after", retry_after)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn r01_retry_after_in_seconds_is_waited_for() {
    let script = Script::playing(vec![limited("6"), answer(200)]);
    client(&script).get("/a").send("read").await.unwrap();
    let gaps = script.gaps();
    assert!(gaps.len() == 1 && gaps[0] >= seconds(6) && gaps[0] < seconds(7), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn r01_another_call_of_the_account_waits_as_well() {
    let script = Script::playing(vec![limited("6"), answer(200)]);
    let of_account = || {
        let mut link = link(HERE);
        link.account = Some("r01".to_owned());
        link.connect_over(script.clone()).unwrap()
    };
    let (one, other) = (of_account(), of_account());
    let _ = tokio::join!(one.get("/a").send("read"), async {
        tokio::time::sleep(seconds(1)).await;
        other.get("/b").send("read").await
    });
    assert!(script.gaps()[0] >= seconds(6), "{:?}", script.gaps());
}

#[tokio::test(start_paused = true)]
async fn r02_retry_after_as_a_date_is_waited_for() {
    let dated = with(limited("Fri, 31 Dec 1999 12:00:07 GMT"), "date", "Fri, 31 Dec 1999 12:00:00 GMT");
    let script = Script::playing(vec![dated, answer(200)]);
    client(&script).get("/a").send("read").await.unwrap();
    assert!(script.gaps()[0] >= seconds(7) && script.gaps()[0] < seconds(8), "{:?}", script.gaps());
}

#[tokio::test(start_paused = true)]
async fn r03_a_date_is_taken_against_the_answers_own_clock_however_wrong_that_is() {
    for (date, then) in [
        ("Fri, 31 Dec 1999 12:05:00 GMT", "Fri, 31 Dec 1999 12:05:07 GMT"),
        ("Wed, 01 Jan 2070 00:00:00 GMT", "Wed, 01 Jan 2070 00:00:07 GMT"),
    ] {
        let script = Script::playing(vec![with(limited(then), "date", date), answer(200)]);
        client(&script).get("/a").send("read").await.unwrap();
        assert!(script.gaps()[0] >= seconds(7) && script.gaps()[0] < seconds(8), "{:?}", script.gaps());
    }
}

#[tokio::test(start_paused = true)]
async fn r04_without_a_header_waits_grow_within_bounds_and_differ() {
    let mut all = Vec::new();
    for seed in 0..20 {
        let script = Script::playing(vec![answer(429), answer(429), answer(429), answer(429), answer(200)]);
        let mut link = link(HERE);
        link.seed = Some(seed);
        link.connect_over(script.clone()).unwrap().get("/a").send("read").await.unwrap();
        let gaps = script.gaps();
        for (gap, upper_ms) in gaps.iter().zip([500, 1_000, 2_000, 4_000]) {
            // one millisecond for the runtime's timer
            assert!(!gap.is_zero() && *gap <= Duration::from_millis(upper_ms + 1), "{gaps:?}");
        }
        all.push(gaps);
    }
    let last = |gaps: &Vec<Duration>| gaps[3];
    let (shortest, longest) = (all.iter().map(last).min().unwrap(), all.iter().map(last).max().unwrap());
    assert!(shortest < seconds(1) && longest > seconds(2), "the waits are not spread: {shortest:?} to {longest:?}");
}

#[tokio::test(start_paused = true)]
async fn r05_a_junk_header_has_a_floor_and_a_cap() {
    for junk in ["0", "-5"] {
        let script = Script::playing(vec![limited(junk), answer(200)]);
        client(&script).get("/a").send("read").await.unwrap();
        assert!(script.gaps()[0] >= RETRY_AFTER_MIN && script.gaps()[0] < seconds(2), "{junk}");
    }
    let script = Script::playing(vec![limited("soon"), answer(200)]);
    client(&script).get("/a").send("read").await.unwrap();
    assert!(!script.gaps()[0].is_zero() && script.gaps()[0] < seconds(2));
    for junk in ["1e9", "1000000000"] {
        let script = Script::playing(vec![limited(junk)]);
        assert_kind(client(&script).get("/a").send("read").await, ErrorKind::RateLimited(Some(RETRY_AFTER_MAX)));
    }
}

#[tokio::test(start_paused = true)]
async fn r06_a_long_wait_is_the_hosts_and_not_the_calls() {
    let script = Script::playing(vec![limited("3600")]);
    let before = Instant::now();
    assert_kind(client(&script).get("/a").send("read").await, ErrorKind::RateLimited(Some(seconds(3_600))));
    assert_eq!((script.count(), before.elapsed()), (1, Duration::ZERO));
    let script = Script::playing(vec![with(answer(503), "retry-after", "3600")]);
    assert_kind(client(&script).get("/a").send("read").await, ErrorKind::RateLimited(Some(seconds(3_600))));
    assert_eq!(script.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn r08_a_storm_does_not_come_back_in_step() {
    let script = Script::new(|call, _| Ok(answer(if call < 50 { 429 } else { 200 })));
    let client = client(&script);
    let results = join_all((0..50).map(|_| client.get("/a").send("read"))).await;
    assert!(results.iter().all(Result::is_ok));
    let mut returns = script.calls()[50..].iter().map(|call| call.at).collect::<Vec<_>>();
    returns.dedup();
    assert!(returns.len() > 25, "50 calls came back at {} moments", returns.len());
}

#[tokio::test(start_paused = true)]
async fn r12_a_disguised_limit_is_taken_as_declared() {
    fn declared(response: &Response) -> bool {
        response.status == StatusCode::FORBIDDEN || response.body.windows(7).any(|part| part == b"LIMITED")
    }
    for disguised in [answer(403), json(200, r#"{"code":"LIMITED"}"#), json(503, r#"{"code":"LIMITED"}"#)] {
        let connect = |rule: bool, script: &std::sync::Arc<Script>| {
            let mut link = link(HERE);
            if rule {
                link.limited = declared;
            }
            link.connect_over(script.clone()).unwrap()
        };
        let script = Script::playing(vec![disguised.clone(), json(200, "{}")]);
        let reply = connect(true, &script).post("/a").send("read").await.unwrap();
        assert_eq!((reply.body().as_ref(), script.count()), (&b"{}"[..], 2));
        let for_ever = Script::playing(vec![disguised.clone()]);
        assert_kind(connect(true, &for_ever).get("/a").send("read").await, ErrorKind::RateLimited(None));
        let undeclared = Script::playing(vec![disguised]);
        let result = connect(false, &undeclared).post("/a").send("read").await;
        assert!(!matches!(result.map_err(|error| error.kind()), Err(ErrorKind::RateLimited(_))));
    }
}

#[tokio::test(start_paused = true)]
async fn r13_5xx_and_408_are_tried_again_and_then_transient() {
    for status in [408, 500, 502, 503, 504] {
        let once = Script::playing(vec![answer(status), answer(200)]);
        client(&once).get("/a").send("read").await.unwrap();
        assert_eq!(once.count(), 2, "{status}");
        let persistent = Script::playing(vec![answer(status)]);
        assert_kind(client(&persistent).get("/a").send("read").await, ErrorKind::Transient);
        assert_eq!(persistent.count(), Link::ATTEMPTS_MAX as usize, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn r14_a_permanent_refusal_is_not_tried_again() {
    for (status, kind) in [
        (400, ErrorKind::Refused),
        (403, ErrorKind::Scope),
        (404, ErrorKind::NotFound),
        (409, ErrorKind::Refused),
        (422, ErrorKind::Refused),
        (501, ErrorKind::Refused),
        (302, ErrorKind::Contract),
    ] {
        let script = Script::playing(vec![answer(status)]);
        let error = client(&script).get("/a").send("read").await.unwrap_err();
        assert_eq!((error.kind(), script.count()), (kind, 1), "{status}");
        assert_eq!(error.context()[0], ("status", status.to_string()));
    }
}

#[tokio::test(start_paused = true)]
async fn r15_what_fails_for_ever_ends_without_a_hot_loop() {
    let broken = || Error::new(ErrorKind::Transient, "connect to the platform");
    for script in [Script::new(move |_, _| Err(broken())), Script::playing(vec![answer(429)])] {
        let mut link = link(HERE);
        link.attempts_max = 8;
        let before = Instant::now();
        let error = link.connect_over(script.clone()).unwrap().get("/a").send("read").await.unwrap_err();
        assert!(error.kind().may_pass(), "{error}");
        assert_eq!(script.count(), 8);
        assert!(script.gaps().iter().all(|gap| *gap >= Duration::from_millis(20)), "{:?}", script.gaps());
        assert!(before.elapsed() < 8 * WAIT_MAX);
    }
}

#[tokio::test(start_paused = true)]
async fn r16_what_must_not_be_repeated_is_lost_when_its_answer_is() {
    let methods: [fn(&Client) -> Call; 2] = [|client| client.post("/a"), |client| client.patch("/a")];
    for call in methods {
        for status in [408, 500, 502, 503, 504] {
            let script = Script::playing(vec![answer(status), answer(200)]);
            assert_kind(call(&client(&script)).send("write").await, ErrorKind::Lost);
            assert_eq!(script.count(), 1);
            let script = Script::playing(vec![answer(status), answer(200)]);
            call(&client(&script)).repeatable().send("write").await.unwrap();
            assert_eq!(script.count(), 2);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r16_a_request_that_was_turned_away_may_be_sent_again() {
    let refused =
        |call, kind| if call == 0 { Err(Error::new(kind, "connect to the platform")) } else { Ok(answer(200)) };
    let script = Script::new(move |call, _| refused(call, ErrorKind::Transient));
    client(&script).post("/a").send("write").await.unwrap();
    assert_eq!(script.count(), 2);
    let script = Script::playing(vec![limited("1"), answer(200)]);
    client(&script).post("/a").send("write").await.unwrap();
    assert_eq!(script.count(), 2);
    let script = Script::new(move |call, _| refused(call, ErrorKind::Lost));
    assert_kind(client(&script).post("/a").send("write").await, ErrorKind::Lost);
    assert_eq!(script.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_accepted_status_is_a_reply_once_no_attempt_is_left() {
    let script = Script::playing(vec![json(429, r#"{"policy":"DAILY"}"#)]);
    let reply = client(&script).get("/a").accept(&[404, 429]).send("read").await.unwrap();
    assert_eq!((reply.status(), script.count()), (429, Link::ATTEMPTS_MAX as usize));
    let script = Script::playing(vec![limited("3600")]);
    let reply = client(&script).get("/a").accept(&[429]).send("read").await.unwrap();
    assert_eq!((reply.retry_after(), script.count()), (Some(seconds(3_600)), 1));
}
