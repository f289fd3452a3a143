//! The seam: one request out, one answer in. Everything below a client is a layer around it.
//!
//! It judges nothing: any status is an answer. Only what kept an answer from arriving is an error, and that error says
//! whether the platform may have acted on the request.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use unisson_connector::{ErrorKind, Result};
use url::Url;

use crate::path;

/// Whether a request may be sent again after it has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// Repeating it changes nothing (RFC 9110, 9.2.2).
    Safe,
    /// Repeating it may do things twice: a lost answer becomes [`ErrorKind::Lost`], never a repetition.
    Once,
}

impl Repeat {
    /// The kind of a failure that happened once the request may have reached the platform. What is known of the failure
    /// is `kind`; where a repetition is not harmless, all that counts is that the answer is lost.
    ///
    /// ```
    /// use unisson_connector::ErrorKind;
    /// use unisson_sdk::Repeat;
    /// assert_eq!(Repeat::Safe.once_sent(ErrorKind::Transient), ErrorKind::Transient);
    /// assert_eq!(Repeat::Once.once_sent(ErrorKind::Transient), ErrorKind::Lost);
    /// ```
    pub fn once_sent(self, kind: ErrorKind) -> ErrorKind {
        match self {
            Self::Safe => kind,
            Self::Once => ErrorKind::Lost,
        }
    }
}

/// What is sent.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to, absolute.
    pub url: Url,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
    /// Whether it may be sent again.
    pub repeat: Repeat,
}

/// Shows no query, header or body, and no segment of the path that may name a person.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("host", &self.url.host_str().unwrap_or_default())
            .field("path", &path::redacted(self.url.path()))
            .field("body_bytes", &self.body.len())
            .field("repeat", &self.repeat)
            .finish_non_exhaustive()
    }
}

/// What came back.
#[derive(Clone)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body, decompressed.
    pub body: Bytes,
}

/// Shows no header and no body.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Carries one request to a platform and its answer back.
///
/// Its errors keep to one rule: [`ErrorKind::Transient`] says that the same request may be sent again without harm. For a
/// [`Repeat::Once`] request that is only true while nothing was sent; see [`Repeat::once_sent`].
#[async_trait]
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends the request once and waits for the whole answer.
    async fn send(&self, request: Request) -> Result<Response>;
}
