//! Allowances (R09 to R11): of an account, of all its buckets, and of calls at the same time.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use proptest::prelude::*;
use secrecy::SecretString;
use tokio::time::{Instant, sleep};
use unisson_connector::{Allowance, ErrorKind, Limiter};
use unisson_sdk::{Auth, Client, Link, WAIT_MAX};

use crate::support::script::{Script, Sent, answer};
use crate::support::{assert_kind, link};

const HERE: &str = "https://api.example.org";

fn rate(path_part: &'static str, calls: u32, per: Duration) -> Limiter {
    let allowance = Allowance::Rate { calls: NonZeroU32::new(calls).unwrap(), per };
    Limiter { name: "rate", path_part, allowance, docs: "https://docs.example.org" }
}

fn concurrent(calls: usize) -> Limiter {
    let allowance = Allowance::Concurrent(NonZeroUsize::new(calls).unwrap());
    Limiter { name: "at once", path_part: "", allowance, docs: "https://docs.example.org" }
}

fn of_account(account: &str, limits: Vec<Limiter>) -> Link {
    let mut link = link(HERE).with_limits(limits);
    link.account = Some(account.to_owned());
    link
}

fn connected(link: Link, script: &Arc<Script>) -> Client {
    link.connect_over(script.clone()).unwrap()
}

/// The most calls in any period of this length, both its ends included.
fn most_within(calls: &[Sent], per: Duration) -> usize {
    let within = |first: &Sent| calls.iter().filter(|call| call.at >= first.at && call.at - first.at <= per).count();
    calls.iter().map(within).max().unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn r09_two_jobs_of_one_account_never_exceed_its_rate() {
    let script = Script::playing(vec![answer(200)]);
    let limits = vec![rate("", 10, Duration::from_secs(1))];
    let one = connected(of_account("r09", limits.clone()), &script);
    let other = connected(of_account("r09", limits), &script);
    let calls = (0..60).map(|call| if call % 2 == 0 { &one } else { &other });
    join_all(calls.map(|client| async { client.get("/a").send("read").await.unwrap() })).await;
    let most = most_within(&script.calls(), Duration::from_secs(1));
    assert!(most <= 10, "{most} calls in a second");
    let took = script.calls().last().unwrap().at - script.calls()[0].at;
    assert!(took < Duration::from_secs(8), "the allowance is not used: {took:?}");
}

#[tokio::test(start_paused = true)]
async fn r09_an_account_is_remembered_between_jobs_and_known_by_its_credentials() {
    let script = Script::playing(vec![answer(200)]);
    let link_with = |key: &str| {
        let limits = vec![rate("", 10, Duration::from_secs(1))];
        let mut link = Link::new("https://r09.example.org".parse().unwrap(), Auth::Bearer(SecretString::from(key)))
            .with_limits(limits);
        link.seed = Some(1);
        link
    };
    for _job in 0..30 {
        connected(link_with("same"), &script).get("/a").send("read").await.unwrap();
    }
    let most = most_within(&script.calls(), Duration::from_secs(1));
    assert!(most <= 10, "{most} calls in a second");
    let before = Instant::now();
    connected(link_with("another"), &script).get("/a").send("read").await.unwrap();
    assert_eq!(before.elapsed(), Duration::ZERO, "another account has allowances of its own");
}

#[tokio::test(start_paused = true)]
async fn r10_two_buckets_are_taken_from_together_or_not_at_all() {
    let script = Script::playing(vec![answer(200)]);
    let (burst, steady) = (Duration::from_secs(1), Duration::from_secs(20));
    let limits = vec![rate("", 5, burst), rate("", 20, steady)];
    let client = connected(of_account("r10", limits), &script);
    join_all((0..40).map(|_| async { client.get("/a").send("read").await.unwrap() })).await;
    assert!(most_within(&script.calls(), burst) <= 5);
    assert!(most_within(&script.calls(), steady) <= 20);
}

#[tokio::test(start_paused = true)]
async fn r10_a_call_that_one_bucket_turns_away_takes_nothing_from_the_other() {
    let script = Script::playing(vec![answer(200)]);
    let limits = vec![rate("", 100, Duration::from_secs(100)), rate("/search", 1, Duration::from_hours(1))];
    let client = connected(of_account("r10 apart", limits), &script);
    client.get("/search").send("search").await.unwrap();
    for _turned_away in 0..50 {
        let error = client.get("/search").send("search").await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::RateLimited(Some(wait)) if wait > WAIT_MAX), "{error}");
    }
    let before = Instant::now();
    for _still_allowed in 0..9 {
        client.get("/contacts").send("read").await.unwrap();
    }
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert_eq!(script.count(), 10);
}

#[tokio::test(start_paused = true)]
async fn r11_never_more_calls_at_once_than_allowed() {
    let script = Script::slow(Duration::from_secs(1), |_, _| Ok(answer(200)));
    let one = connected(of_account("r11", vec![concurrent(10)]), &script);
    let other = connected(of_account("r11", vec![concurrent(10)]), &script);
    let before = Instant::now();
    let calls = (0..50).map(|call| if call % 2 == 0 { &one } else { &other });
    join_all(calls.map(|client| async { client.get("/a").send("read").await.unwrap() })).await;
    assert_eq!((script.in_flight_max(), before.elapsed()), (10, Duration::from_secs(5)));
}

#[tokio::test(start_paused = true)]
async fn r11_a_call_that_was_dropped_gives_its_place_back() {
    let script = Script::slow(Duration::from_secs(10), |_, _| Ok(answer(200)));
    let client = connected(of_account("r11 dropped", vec![concurrent(1)]), &script);
    let dropped = tokio::time::timeout(Duration::from_secs(1), client.get("/a").send("read")).await;
    assert!(dropped.is_err());
    let before = Instant::now();
    client.get("/a").send("read").await.unwrap();
    assert_eq!(before.elapsed(), Duration::from_secs(10));
}

#[test]
fn an_allowance_that_cannot_be_measured_is_refused() {
    let link = of_account("no period", vec![rate("", 10, Duration::ZERO)]);
    assert_kind(link.connect_over(Script::playing(vec![answer(200)])), ErrorKind::Config);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn r09_no_pattern_of_calls_exceeds_a_rate(
        calls in 1..40_u32,
        per_ms in 200..5_000_u64,
        pauses_ms in prop::collection::vec(0..400_u64, 1..60),
        name in any::<u64>(),
    ) {
        let per = Duration::from_millis(per_ms);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let sent = runtime.block_on(async {
            let script = Script::playing(vec![answer(200)]);
            let client = connected(of_account(&format!("law {name}"), vec![rate("", calls, per)]), &script);
            let mut due = Vec::new();
            let mut at_ms = 0;
            for pause_ms in &pauses_ms {
                at_ms += pause_ms;
                due.push(Duration::from_millis(at_ms));
            }
            join_all(due.into_iter().map(|at| {
                let client = client.clone();
                async move {
                    sleep(at).await;
                    let _ = client.get("/a").send("read").await;
                }
            })).await;
            script.calls()
        });
        // one call alone in its period may come back exactly when the period is over
        let per = if calls == 1 { per.saturating_sub(Duration::from_nanos(1)) } else { per };
        prop_assert!(most_within(&sent, per) <= calls as usize);
    }
}
