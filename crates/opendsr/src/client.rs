//! Asking another processor: pairs of a question and the reader of its answer, over an exchange of the host.

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use crate::discovery::{Cached, Discovery};
use crate::domain::Base;
use crate::id::RequestId;
use crate::signature::{Authentic, Chain, Forged, Trust, Unreadable};
use crate::wire::{BODY_BYTES_MAX, Cancelled, Created, Request, Status, StatusReport};

/// The first pause between two questions for a status; each further one is twice as long.
const POLL_FIRST: SignedDuration = SignedDuration::from_hours(1);
/// The longest such pause.
const POLL_MAX: SignedDuration = SignedDuration::from_hours(24);

/// A failure of the host's transport.
pub type ExchangeError = Box<dyn std::error::Error + Send + Sync>;

/// How requests reach processors: the host's transport, with its credentials, its timeout and its list of allowed hosts.
#[async_trait]
pub trait Exchange: Send + Sync {
    /// Sends a request and answers what came back. It follows no redirection to another host.
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, ExchangeError>;
}

/// Why a processor could not be asked, or its answer does not count. No message shows what the answer said.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The transport failed: try again.
    #[error("the processor could not be reached: try again later")]
    Unreached(#[source] ExchangeError),
    /// The processor asks for patience or is out of order: try again.
    #[error("the processor cannot answer now (status {0}): try again later")]
    Later(StatusCode),
    /// The processor does not know us.
    #[error("the processor refuses our credentials (status {0}): renew them")]
    Credentials(StatusCode),
    /// The processor does not know the request.
    #[error("the processor does not know the request: send it again under the same id")]
    NotFound,
    /// The processor refuses the request.
    #[error("the processor refuses the request (status {0}): somebody has to look")]
    Refused(StatusCode),
    /// The answer is signed wrongly, or its certificate is not trusted.
    #[error("the answer of the processor is not authentic")]
    Forged(#[from] Forged),
    /// The answer is none of the protocol.
    #[error("the answer of the processor cannot be read")]
    Unreadable(#[from] Unreadable),
    /// The answer is about another request, or repeats another one than was sent.
    #[error("the answer of the processor is about another request: tell the processor")]
    OtherRequest,
    /// The request cannot be cancelled any more.
    #[error("the processor works on the request already: it cannot be cancelled any more")]
    TooLate,
    /// The request cannot be written down.
    #[error("the request holds a word that is none of the protocol: correct the settings")]
    Unwritable,
}

/// A processor and the way to it.
#[derive(Debug)]
pub struct Client<'a, E: ?Sized> {
    /// How requests reach it.
    pub exchange: &'a E,
    /// Where it is.
    pub base: &'a Base,
    /// Which roots its certificate may lead to.
    pub trust: &'a Trust,
}

impl<E: Exchange + ?Sized> Client<'_, E> {
    /// Asks what the processor supports, and fetches its certificate. Keep the answer while [`Cached::is_fresh`].
    pub async fn discover(&self, now: Timestamp) -> Result<Cached, ClientError> {
        let (_, body) = self.ask(Method::GET, &self.base.join("/discovery"), Bytes::new()).await?;
        let discovery: Discovery = serde_json::from_slice(&body).map_err(|_| Unreadable::Form)?;
        let url = discovery.certificate_url(self.base.domain()).ok_or(Forged::CertificateDomain)?;
        let (_, pem) = self.ask(Method::GET, url.as_str(), Bytes::new()).await?;
        Ok(Cached { chain: Chain::from_pem(&pem)?, discovery, fetched_at: now })
    }

    /// Sends a request. Sent again after a crash it has the same id, and the processor takes it once.
    pub async fn submit(&self, known: &Cached, request: &Request, now: Timestamp) -> Result<Created, ClientError> {
        use base64::Engine as _;
        let body = Bytes::from(serde_json::to_vec(request).map_err(|_| ClientError::Unwritable)?);
        let answer = self.ask(Method::POST, &self.base.join("/requests"), body.clone()).await?;
        let created = self.authentic(known, answer, now)?.created()?;
        let echo = base64::engine::general_purpose::STANDARD.decode(&created.encoded_request);
        let is_ours = created.subject_request_id == request.subject_request_id && echo.is_ok_and(|echo| body == echo);
        if is_ours { Ok(created) } else { Err(ClientError::OtherRequest) }
    }

    /// Asks how far a request is.
    pub async fn status(&self, known: &Cached, id: &RequestId, now: Timestamp) -> Result<StatusReport, ClientError> {
        let answer = self.ask(Method::GET, &self.of(id), Bytes::new()).await?;
        let report = self.authentic(known, answer, now)?.status()?;
        if report.subject_request_id == *id { Ok(report) } else { Err(ClientError::OtherRequest) }
    }

    /// Takes a request back. Only one that is still pending can be: with the last known status this is not even asked.
    pub async fn cancel(
        &self,
        known: &Cached,
        (id, last): (&RequestId, Status),
        now: Timestamp,
    ) -> Result<Cancelled, ClientError> {
        if !last.may_cancel() {
            return Err(ClientError::TooLate);
        }
        let answer = self.ask(Method::DELETE, &self.of(id), Bytes::new()).await?;
        let cancelled = self.authentic(known, answer, now)?.cancelled()?;
        if cancelled.subject_request_id == *id { Ok(cancelled) } else { Err(ClientError::OtherRequest) }
    }

    fn of(&self, id: &RequestId) -> String {
        self.base.join(&format!("/requests/{id}"))
    }

    fn authentic(
        &self,
        known: &Cached,
        (headers, body): (http::HeaderMap, Bytes),
        now: Timestamp,
    ) -> Result<Authentic, ClientError> {
        Ok(self.trust.authenticate((self.base.domain(), &known.chain), &headers, &body, now)?)
    }

    async fn ask(&self, method: Method, url: &str, body: Bytes) -> Result<(http::HeaderMap, Bytes), ClientError> {
        let is_cancellation = method == Method::DELETE;
        let mut request = http::Request::builder().method(method).uri(url).header(ACCEPT, "application/json");
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request.body(body).map_err(|_| ClientError::Unwritable)?;
        let (parts, body) = self.exchange.send(request).await.map_err(ClientError::Unreached)?.into_parts();
        match parts.status {
            status if status.is_success() && body.len() <= BODY_BYTES_MAX => Ok((parts.headers, body)),
            status if status.is_success() => Err(Forged::TooLarge.into()),
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => Err(ClientError::Credentials(status)),
            StatusCode::NOT_FOUND => Err(ClientError::NotFound),
            StatusCode::CONFLICT if is_cancellation => Err(ClientError::TooLate),
            status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT) => Err(ClientError::Later(status)),
            status if status.is_server_error() => Err(ClientError::Later(status)),
            status => Err(ClientError::Refused(status)),
        }
    }
}

/// When a status is asked for again, after so many questions: hourly at first, daily in the end. Callbacks may come before.
pub fn next_poll(asked: u32, now: Timestamp) -> Timestamp {
    let factor = 1_i32.checked_shl(asked.min(10)).unwrap_or(i32::MAX);
    let pause = POLL_FIRST.checked_mul(factor).unwrap_or(POLL_MAX).min(POLL_MAX);
    now.checked_add(pause).unwrap_or(Timestamp::MAX)
}

/// Whether a processor has let its own time pass: somebody should ask it.
pub fn is_overdue(report: &StatusReport, now: Timestamp) -> bool {
    !report.request_status.is_final() && now > report.expected_completion_time
}
