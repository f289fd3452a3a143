//! A platform without a network: an answer for each call, and a record of what was asked when.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::time::{Instant, sleep};
use unisson_connector::Result;
use unisson_sdk::{Request, Response, Transport};

type Play = dyn Fn(usize, &Request) -> Result<Response> + Send + Sync;

/// A platform that answers by a rule of the call's number, from 0, and the call itself.
pub(crate) struct Script {
    play: Box<Play>,
    latency: Duration,
    calls: Mutex<Vec<Sent>>,
    in_flight: AtomicUsize,
    in_flight_max: AtomicUsize,
}

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) at: Instant,
    pub(crate) path: String,
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

impl Script {
    pub(crate) fn new(play: impl Fn(usize, &Request) -> Result<Response> + Send + Sync + 'static) -> Arc<Self> {
        Self::slow(Duration::ZERO, play)
    }

    /// A platform that takes its time.
    pub(crate) fn slow(
        latency: Duration,
        play: impl Fn(usize, &Request) -> Result<Response> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let (in_flight, in_flight_max) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { play: Box::new(play), latency, calls: Mutex::default(), in_flight, in_flight_max })
    }

    /// A platform that answers these one after the other, and the last one for ever.
    pub(crate) fn playing(answers: Vec<Response>) -> Arc<Self> {
        Self::new(move |call, _| Ok(answers[call.min(answers.len() - 1)].clone()))
    }

    pub(crate) fn calls(&self) -> Vec<Sent> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    /// The times between calls.
    pub(crate) fn gaps(&self) -> Vec<Duration> {
        self.calls().windows(2).map(|pair| pair[1].at - pair[0].at).collect()
    }

    /// The most calls that were ever under way at once.
    pub(crate) fn in_flight_max(&self) -> usize {
        self.in_flight_max.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response> {
        let number = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(Sent { at: Instant::now(), path: request.url.path().to_owned() });
            calls.len() - 1
        };
        let in_flight = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.in_flight_max.fetch_max(in_flight, Ordering::SeqCst);
        if !self.latency.is_zero() {
            sleep(self.latency).await;
        }
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
        (self.play)(number, &request)
    }
}

/// An answer.
pub(crate) fn answer(status: u16) -> Response {
    Response { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body: bytes::Bytes::new() }
}

/// An answer with a header more.
pub(crate) fn with(mut response: Response, name: &'static str, value: &str) -> Response {
    response.headers.insert(name, HeaderValue::from_str(value).unwrap());
    response
}

/// An answer with a document.
pub(crate) fn json(status: u16, text: &str) -> Response {
    let mut response = with(answer(status), "content-type", "application/json");
    response.body = bytes::Bytes::copy_from_slice(text.as_bytes());
    response
}
