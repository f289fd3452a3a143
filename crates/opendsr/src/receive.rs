//! The other side, as far as it goes without a server: requests of controllers, and our signed answers to them.
//!
//! Who the controller is was found out by the host before: authentication is outside the protocol. The host gives the
//! domains to which this controller may have callbacks sent, so that nobody makes us call addresses of their choice.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value, json};
use thiserror::Error;
use url::Url;

use crate::domain::Domain;
use crate::id::RequestId;
use crate::signature::{Signer, SignerError};
use crate::status::Outcome;
use crate::wire::{
    API_VERSION, BODY_BYTES_MAX, Callback, Cancelled, Created, Extensions, Identity, IdentityFormat, IdentityType,
    Request, RequestType, StatusReport,
};

/// The most identities that are taken in one request.
const IDENTITIES_MAX: usize = 100;
/// The most callbacks of one request.
const CALLBACKS_MAX: usize = 8;
/// How far the clock of a controller may be ahead of ours.
const SKEW_MAX: SignedDuration = SignedDuration::from_mins(10);
/// The longest value of an identity, in bytes.
const VALUE_BYTES_MAX: usize = 1024;

/// A request of a controller that can be worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// What it says. Identities of unknown types are left out.
    pub request: Request,
    /// How many identities were left out because nothing is known of their type or spelling.
    pub left_out: usize,
    /// Where changes of the status are told.
    pub callbacks: Vec<Url>,
    /// The body as it came, for the answer.
    body: Bytes,
}

/// Why a request is not taken: the answer is 400 with these words, which show nothing of what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// It is larger than any request.
    #[error("the request is too large")]
    TooLarge,
    /// It has not the form of a request.
    #[error("the request is not of the form of OpenDSR 2.0")]
    Form,
    /// The type is not known.
    #[error("subject_request_type must be access, portability or erasure")]
    Type,
    /// It names nobody.
    #[error("subject_identities names nobody by a known identity_type and identity_format")]
    NoIdentity,
    /// It names too many, or a value is too long.
    #[error("subject_identities is too long")]
    TooMany,
    /// A callback is not the controller's.
    #[error("status_callback_urls must be HTTPS URLs on a domain registered for the controller")]
    Callback,
    /// The time of the request lies in the future.
    #[error("submitted_time lies in the future")]
    Future,
}

/// Our side of the protocol for one controller.
#[derive(Debug, Clone, Copy)]
pub struct Receiver<'a> {
    /// What signs.
    pub signer: &'a Signer,
    /// Who the controller is to us, as the host found out.
    pub controller: &'a str,
    /// Where the controller may have callbacks sent to.
    pub callback_domains: &'a [Domain],
}

/// How far a request is, for an answer or a callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The request.
    pub id: RequestId,
    /// How far.
    pub outcome: Outcome,
    /// Until when it will be done.
    pub expected_at: Timestamp,
    /// Where the results of an access are.
    pub results: Option<Url>,
}

impl Receiver<'_> {
    /// Reads a request of the controller.
    pub fn read(&self, body: &Bytes, now: Timestamp) -> Result<Incoming, Refusal> {
        if body.len() > BODY_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        let mut request: Request = serde_json::from_slice(body).map_err(|_| Refusal::Form)?;
        if request.subject_request_type == RequestType::Unknown {
            return Err(Refusal::Type);
        }
        if request.submitted_time.duration_since(now) > SKEW_MAX {
            return Err(Refusal::Future);
        }
        let sent = request.subject_identities.len();
        let is_long = |identity: &Identity| identity.identity_value.len() > VALUE_BYTES_MAX;
        if sent > IDENTITIES_MAX || request.subject_identities.iter().any(is_long) {
            return Err(Refusal::TooMany);
        }
        request.subject_identities.retain(|identity| {
            identity.identity_type != IdentityType::Unknown
                && identity.identity_format != IdentityFormat::Unknown
                && !identity.identity_value.trim().is_empty()
        });
        if request.subject_identities.is_empty() {
            return Err(Refusal::NoIdentity);
        }
        let callbacks = self.callbacks(&request.status_callback_urls)?;
        let left_out = sent - request.subject_identities.len();
        Ok(Incoming { request, left_out, callbacks, body: body.clone() })
    }

    fn callbacks(&self, urls: &[String]) -> Result<Vec<Url>, Refusal> {
        if urls.len() > CALLBACKS_MAX {
            return Err(Refusal::Callback);
        }
        let read = |url: &String| {
            let url = Url::parse(url).ok()?;
            self.callback_domains.iter().any(|domain| domain.holds(&url)).then_some(url)
        };
        urls.iter().map(read).collect::<Option<_>>().ok_or(Refusal::Callback)
    }

    /// The answer to a request that was taken: 201.
    pub fn created(
        &self,
        incoming: &Incoming,
        received_at: Timestamp,
        expected_at: Timestamp,
    ) -> Result<http::Response<Bytes>, SignerError> {
        let created = Created {
            controller_id: self.controller.to_owned(),
            encoded_request: STANDARD.encode(&incoming.body),
            expected_completion_time: expected_at,
            received_time: received_at,
            subject_request_id: incoming.request.subject_request_id.clone(),
        };
        self.respond(StatusCode::CREATED, &created)
    }

    /// The answer to a question for the status: 200.
    pub fn status(&self, answer: &Answer) -> Result<http::Response<Bytes>, SignerError> {
        let report = StatusReport {
            api_version: Some(API_VERSION.to_owned()),
            controller_id: self.controller.to_owned(),
            expected_completion_time: answer.expected_at,
            extensions: self.extensions(answer.outcome),
            request_status: answer.outcome.status(),
            results_count: None,
            results_url: answer.results.as_ref().map(Url::to_string),
            subject_request_id: answer.id.clone(),
        };
        self.respond(StatusCode::OK, &report)
    }

    /// The answer to a cancellation: 202 while nothing is begun, 409 later.
    pub fn cancel(&self, answer: &Answer, now: Timestamp) -> Result<http::Response<Bytes>, SignerError> {
        if !answer.outcome.status().may_cancel() {
            return Ok(refused(StatusCode::CONFLICT, "the request is being worked on and cannot be cancelled"));
        }
        let cancelled = Cancelled {
            api_version: Some(API_VERSION.to_owned()),
            controller_id: self.controller.to_owned(),
            received_time: now,
            subject_request_id: answer.id.clone(),
        };
        self.respond(StatusCode::ACCEPTED, &cancelled)
    }

    /// A callback to one of the URLs of a request.
    pub fn callback(&self, url: &Url, answer: &Answer) -> Result<http::Request<Bytes>, SignerError> {
        let callback = Callback {
            controller_id: self.controller.to_owned(),
            expected_completion_time: answer.expected_at,
            extensions: self.extensions(answer.outcome),
            request_status: answer.outcome.status(),
            results_count: None,
            results_url: answer.results.as_ref().map(Url::to_string),
            status_callback_url: url.to_string(),
            subject_request_id: answer.id.clone(),
        };
        let (headers, body) = self.sign(&callback)?;
        let built = http::Request::builder().method(Method::POST).uri(url.as_str()).body(body);
        let mut request = built.map_err(|_| SignerError::Sign)?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// What the status does not say, in the extension of our domain.
    fn extensions(&self, outcome: Outcome) -> Extensions {
        let word = outcome.word().map(|word| Map::from_iter([("outcome".to_owned(), Value::from(word))]));
        word.map(|word| BTreeMap::from([(self.signer.domain().to_string(), Value::Object(word))])).unwrap_or_default()
    }

    fn respond<T: Serialize>(&self, status: StatusCode, value: &T) -> Result<http::Response<Bytes>, SignerError> {
        let (headers, body) = self.sign(value)?;
        let mut response = http::Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    fn sign<T: Serialize>(&self, value: &T) -> Result<(HeaderMap, Bytes), SignerError> {
        let body = serde_json::to_vec(value).map_err(|_| SignerError::Sign)?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self.signer.sign(&mut headers, &body)?;
        Ok((headers, Bytes::from(body)))
    }
}

impl Refusal {
    /// The answer to a request that is not taken: 400.
    pub fn response(self) -> http::Response<Bytes> {
        refused(StatusCode::BAD_REQUEST, &self.to_string())
    }
}

/// The answer to a callback that is not authentic: 403, without a word why.
pub fn forbidden() -> http::Response<Bytes> {
    refused(StatusCode::FORBIDDEN, "forbidden")
}

fn refused(status: StatusCode, message: &str) -> http::Response<Bytes> {
    let body = json!({"error": {"code": status.as_u16(), "errors": [], "message": message}}).to_string();
    let mut response = http::Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
