//! The network: one attempt over HTTP/1.1 and TLS, with a deadline for each of its parts and a cap on what it brings.
//!
//! It follows no redirect, keeps no cookie, sends no referer and asks no environment for a proxy: a variable that nobody
//! configured here must not decide where credentials travel. It speaks HTTP/1.1 only, because one lost connection then
//! loses one answer, not all that share it.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use tokio::time::timeout;
use unisson_connector::{Error, ErrorKind, Result};

use crate::link::Deadlines;
use crate::transport::{Repeat, Request, Response, Transport};

/// How long an unused connection is kept: less than servers usually do, so that few requests meet a closed one.
const IDLE_CONNECTION: Duration = Duration::from_secs(15);
const AGENT: &str = concat!("unisson/", env!("CARGO_PKG_VERSION"));
const CERTIFICATE: &str =
    "the platform's certificate is not to be trusted: check `base_url` and the system's certificates";

/// The network as a transport.
#[derive(Debug)]
pub(crate) struct Wire {
    http: reqwest::Client,
    deadlines: Deadlines,
    body_bytes_max: usize,
}

impl Wire {
    pub(crate) fn new(deadlines: Deadlines, body_bytes_max: usize) -> Result<Self> {
        let http = reqwest::Client::builder()
            .user_agent(AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .http1_only()
            .connect_timeout(deadlines.connect)
            .pool_idle_timeout(IDLE_CONNECTION)
            .build()
            .map_err(|error| Error::new(ErrorKind::Config, "set up TLS").because(error.without_url()))?;
        Ok(Self { http, deadlines, body_bytes_max })
    }

    /// The body, piece by piece, until it ends or is too much.
    async fn body(&self, response: &mut reqwest::Response, repeat: Repeat) -> Result<Bytes> {
        let too_much = || {
            let error = Error::new(repeat.once_sent(ErrorKind::Bounds), "take in a body longer than allowed");
            error.with("body_bytes_max", self.body_bytes_max)
        };
        if response.content_length().is_some_and(|length| length > self.body_bytes_max as u64) {
            return Err(too_much());
        }
        let mut body = BytesMut::new();
        loop {
            let piece = timeout(self.deadlines.idle, response.chunk()).await;
            let piece =
                piece.map_err(|_| late(repeat, "get the next piece of the body in time", self.deadlines.idle))?;
            match piece.map_err(|error| broken_body(error, repeat))? {
                None => return Ok(body.freeze()),
                Some(piece) if body.len() + piece.len() > self.body_bytes_max => return Err(too_much()),
                Some(piece) => body.extend_from_slice(&piece),
            }
        }
    }
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: Request) -> Result<Response> {
        let repeat = request.repeat;
        let sending = self.http.request(request.method, request.url).headers(request.headers).body(request.body).send();
        let head = timeout(self.deadlines.first_byte, sending).await;
        let head = head.map_err(|_| late(repeat, "get the head of the answer in time", self.deadlines.first_byte))?;
        let mut response = head.map_err(|error| unanswered(error, repeat))?;
        let body = self.body(&mut response, repeat).await?;
        Ok(Response { status: response.status(), headers: std::mem::take(response.headers_mut()), body })
    }
}

fn late(repeat: Repeat, during: &'static str, deadline: Duration) -> Error {
    Error::new(repeat.once_sent(ErrorKind::Transient), during).with("deadline_ms", deadline.as_millis())
}

/// No head of an answer came. Only while there was no connection is it certain that nothing was sent.
fn unanswered(error: reqwest::Error, repeat: Repeat) -> Error {
    let error = error.without_url();
    if error.is_builder() {
        return Error::new(ErrorKind::Refused, "make the request").because(error);
    }
    if is_distrust(&error) {
        return Error::new(ErrorKind::Config, "trust the platform").with("advice", CERTIFICATE).because(error);
    }
    if error.is_connect() {
        return Error::new(ErrorKind::Transient, "connect to the platform").because(error);
    }
    Error::new(repeat.once_sent(ErrorKind::Transient), "get an answer").because(error)
}

/// The body broke off, or it is not compressed as its head says; then it is the platform's doing, not the connection's.
fn broken_body(error: reqwest::Error, repeat: Repeat) -> Error {
    let error = error.without_url();
    let mut causes = std::iter::successors(error.source(), |cause| (*cause).source());
    if causes.any(<dyn std::error::Error>::is::<hyper::Error>) {
        return Error::new(repeat.once_sent(ErrorKind::Transient), "get the whole body").because(error);
    }
    Error::new(repeat.once_sent(ErrorKind::Contract), "decompress the body").because(error)
}

/// Whether TLS itself found the other side wanting; a connection that merely broke is no such thing.
fn is_distrust(error: &reqwest::Error) -> bool {
    let tls = error.source().and_then(fault_of_tls);
    matches!(tls, Some(rustls::Error::InvalidCertificate(_) | rustls::Error::PeerIncompatible(_)))
}

/// The fault of TLS among the causes. Errors of input and output hold theirs apart from the chain of sources.
fn fault_of_tls<'a>(cause: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(fault) = cause.downcast_ref::<rustls::Error>() {
        return Some(fault);
    }
    match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => fault_of_tls(inner),
        None => cause.source().and_then(fault_of_tls),
    }
}
