//! Every fault of the table, on the third page of a listing of every twin.

use std::time::Duration;

use serde_json::Value;
use unisson_sandbox::{Fault, Framing, Options, RetryAfter, Rule, Sandbox};

use crate::client::{Answer, large, options};
use crate::site::{PAGES_MAX, ROWS, Site, sites};

/// What the third page looked like, with the ids of the second and of the undisturbed third.
struct Seen<'a> {
    answer: reqwest::Result<Answer>,
    site: &'a Site<'a>,
    second: &'a [String],
    third: &'a [String],
}

impl Seen<'_> {
    fn answer(&self) -> &Answer {
        self.answer.as_ref().unwrap()
    }

    fn status(&self) -> u16 {
        self.answer().status
    }

    fn ids(&self) -> Vec<String> {
        self.site.ids(&self.answer().json())
    }

    /// Whether the body arrived whole, with its length declared truthfully.
    fn is_whole(&self) -> bool {
        self.answer().header("content-length") == Some(self.answer().bytes.len().to_string().as_str())
    }
}

type Check = fn(&Seen<'_>) -> bool;

fn on_one_page() -> Vec<(Fault, Check)> {
    vec![
        (Fault::RateLimited(RetryAfter::Seconds(6)), |seen| {
            (seen.status(), seen.answer().header("retry-after")) == (429, Some("6"))
        }),
        (Fault::RateLimited(RetryAfter::Date(7)), |seen| {
            let date = seen.answer().header("retry-after");
            (seen.status(), date) == (429, Some("Sun, 01 Nov 2026 00:00:07 GMT"))
        }),
        (Fault::RateLimited(RetryAfter::Bare), |seen| {
            (seen.status(), seen.answer().header("retry-after")) == (429, None)
        }),
        (Fault::ServerError(502), |seen| seen.status() == 502 && seen.answer().json().is_object()),
        (Fault::ClientError(425), |seen| seen.status() == 425 && seen.answer().json().is_object()),
        (Fault::Unauthorized, |seen| seen.status() == 401 && seen.answer().json().is_object()),
        (Fault::AddressInError, |seen| seen.status() == 400 && seen.answer().text.contains("canary@example.org")),
        (Fault::HtmlPage, |seen| seen.status() == 200 && seen.answer().text.starts_with("<!doctype html>")),
        (Fault::ErrorInside, |seen| seen.status() == 200 && seen.answer().json()["error"].is_string()),
        (Fault::TruncatedJson, |seen| {
            seen.status() == 200
                && seen.is_whole()
                && seen.answer().text.starts_with('{')
                && seen.answer().json().is_null()
        }),
        (Fault::CutBody(Framing::Length), |seen| seen.answer.is_err()),
        (Fault::CutBody(Framing::Chunked), |seen| seen.answer.is_err()),
        (Fault::DropCall, |seen| seen.answer.is_err()),
        (Fault::LostAnswer, |seen| seen.answer.is_err()),
        (Fault::StallBody(100), |seen| seen.answer.is_err()),
        (Fault::DelayAnswer(50), |seen| seen.ids() == seen.third),
        (Fault::EmptyPage, |seen| {
            let page = seen.answer().json();
            seen.ids().is_empty() && seen.site.next("100", &page).is_some()
        }),
        (Fault::FalseEnd, |seen| {
            let page = seen.answer().json();
            seen.ids().is_empty() && seen.site.next("100", &page).is_none()
        }),
        (Fault::ShortPage(10), |seen| seen.ids() == seen.third[..ROWS - 10]),
        (Fault::RepeatedPage, |seen| seen.ids() == seen.second),
        (Fault::DeepJson(10_000), |seen| {
            let brackets = seen.answer().text.contains(&"[".repeat(10_000));
            brackets && seen.is_whole() && serde_json::from_slice::<Value>(&seen.answer().bytes).is_err()
        }),
        (Fault::InvalidUtf8, |seen| seen.is_whole() && std::str::from_utf8(&seen.answer().bytes).is_err()),
        (Fault::LongAddress(100), |seen| {
            let page = seen.answer().json();
            seen.ids() == seen.third && seen.site.first(&page).to_string().len() > 100 * 1_024
        }),
        (Fault::GzipBomb(64), |seen| {
            let packed = &seen.answer().bytes;
            seen.answer().header("content-encoding") == Some("gzip")
                && seen.is_whole()
                && packed.starts_with(&[0x1f, 0x8b])
                && packed.len() < 200 * 1_024
        }),
        (Fault::HugeBody(3), |seen| {
            let page = seen.answer().json();
            seen.ids() == seen.third
                && seen.site.first(&page)["sandbox"].as_str().is_some_and(|text| text.len() == 3 << 20)
        }),
    ]
}

#[tokio::test]
async fn every_fault_strikes_the_third_page_of_every_twin_once() {
    let sandbox = large().await;
    for site in sites(&sandbox) {
        let first = site.page("0").await.unwrap().json();
        let second_at = site.next("0", &first).unwrap();
        let second = site.page(&second_at).await.unwrap().json();
        let third_at = site.next(&second_at, &second).unwrap();
        let third = site.page(&third_at).await.unwrap().json();
        let (second, third) = (site.ids(&second), site.ids(&third));
        for (fault, check) in on_one_page() {
            site.handle.clear_faults();
            site.handle.inject(Rule::new(fault.clone()).on(site.listing()).at_page(3)).unwrap();
            for place in ["0", &second_at] {
                assert_eq!(site.page(place).await.unwrap().status, 200, "{}: {fault:?} came early", site.name);
            }
            let seen = Seen { answer: site.page(&third_at).await, site: &site, second: &second, third: &third };
            assert!(check(&seen), "{}: {fault:?}", site.name);
            let again = site.page(&third_at).await.unwrap().json();
            assert_eq!(site.ids(&again), third, "{}: {fault:?} came twice", site.name);
            let struck: Vec<_> = site.handle.calls().into_iter().filter_map(|call| call.fault).collect();
            assert_eq!(struck.last(), Some(&fault.name()), "{}", site.name);
        }
    }
}

#[tokio::test]
async fn a_listing_of_every_twin_goes_round_for_ever() {
    for length in [1, 2] {
        let sandbox = large().await;
        for site in sites(&sandbox) {
            let (everybody, _) = site.walk().await;
            site.handle.inject(Rule::new(Fault::CursorLoop(length)).on(site.listing()).at_page(3)).unwrap();
            let (mut place, mut pages) = ("0".to_owned(), Vec::new());
            for _ in 0..PAGES_MAX {
                let page = site.page(&place).await.unwrap().json();
                pages.push(site.ids(&page));
                // An offset never comes back by itself: whoever goes on asks for the next one for ever.
                let blind = || Some((place.parse::<usize>().ok()? + ROWS).to_string());
                place = site.next(&place, &page).or_else(blind).unwrap();
            }
            let circle = &pages[2..2 + length];
            let expected: Vec<_> = (0..PAGES_MAX - 2).map(|at| circle[at % length].clone()).collect();
            assert_eq!(pages[2..], expected, "{} {length}", site.name);
            let seen: std::collections::BTreeSet<_> = pages.iter().flatten().collect();
            assert_eq!(seen.len(), (2 + length) * ROWS, "{}", site.name);
            assert!(seen.len() < everybody.len());
        }
    }
}

#[tokio::test]
async fn a_body_of_every_twin_can_stall_for_ever_and_ends_with_the_twin() {
    let sandbox = large().await;
    for site in sites(&sandbox) {
        let third = site.third().await;
        site.handle.inject(Rule::new(Fault::StallForEver).on(site.listing()).at_page(1)).unwrap();
        let waited = tokio::time::timeout(Duration::from_millis(300), site.page(&third)).await;
        assert!(waited.is_err(), "{} neither answers nor hangs up", site.name);
        assert_eq!(site.page(&third).await.unwrap().status, 200, "{}", site.name);
        site.handle.clear_faults();
        site.handle.inject(Rule::new(Fault::StallForEver).on(site.listing())).unwrap();
        let (held, ()) = tokio::join!(site.page("0"), async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            site.handle.shutdown().await;
        });
        assert!(held.is_err(), "{}: a stall outlives nobody", site.name);
    }
}

#[tokio::test]
async fn a_page_of_sixty_four_mebibytes_is_served_by_every_twin() {
    let sandbox = large().await;
    for site in sites(&sandbox) {
        site.handle.inject(Rule::new(Fault::HugeBody(64)).on(site.listing())).unwrap();
        let page = site.page("0").await.unwrap();
        assert!(page.bytes.len() > 64 << 20, "{}", site.name);
        assert_eq!(page.header("content-length"), Some(page.bytes.len().to_string().as_str()));
    }
}

#[tokio::test]
async fn chance_follows_the_seed_on_every_twin() {
    let run = async |seed: u64| {
        let sandbox = Sandbox::start(Options { seed, ..options() }).await.unwrap();
        let mut struck = Vec::new();
        for site in sites(&sandbox) {
            site.handle.inject(Rule::new(Fault::ServerError(500)).percent(30)).unwrap();
            for _ in 0..40 {
                struck.push(site.page("0").await.unwrap().status == 500);
            }
        }
        struck
    };
    let first = run(5).await;
    assert_eq!(first, run(5).await);
    assert_ne!(first, run(6).await);
    for hits in first.chunks(40) {
        assert!((3..25).contains(&hits.iter().filter(|hit| **hit).count()));
    }
}
