//! What a status means, in one place: whether the attempt is repeated, and which kind of error is left in the end.

use std::time::Duration;

use http::StatusCode;
use unisson_connector::{Error, ErrorKind};

use crate::transport::{Repeat, Response};
use crate::wait::{self, WAIT_MAX};

const KEY: &str = "the platform does not accept the credentials: set a key that is valid for this account";
const PERMISSION: &str = "the credentials lack a permission that this call needs: grant it on the platform";
const REDIRECT: &str = "a redirect is never followed with credentials: set `base_url` to where the interface is now";

/// Which answers mean "slow down". [`plainly_limited`] is the rule of most platforms.
pub type Limited = fn(&Response) -> bool;

/// Whether the answer is a plain 429 (RFC 6585, 4).
///
/// A platform that says it otherwise, with 403 or with a code inside a success, gets a rule of its own in
/// [`Link::limited`](crate::Link).
///
/// ```
/// # use unisson_sdk::{Response, plainly_limited};
/// # use http::{HeaderMap, StatusCode};
/// let answer = Response { status: StatusCode::TOO_MANY_REQUESTS, headers: HeaderMap::new(), body: Default::default() };
/// assert!(plainly_limited(&answer));
/// ```
pub fn plainly_limited(response: &Response) -> bool {
    response.status == StatusCode::TOO_MANY_REQUESTS
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// What was asked for.
    Good,
    /// Later, after this long where the platform says so.
    Later(Option<Duration>),
    /// It may pass, after this long where the platform says so.
    MayPass(Option<Duration>),
    /// It will not change by asking again.
    Final(ErrorKind),
}

impl Verdict {
    /// What this answer means.
    pub(crate) fn of(response: &Response, limited: Limited) -> Self {
        let status = response.status;
        if limited(response) {
            return Self::Later(wait::asked_for(&response.headers));
        }
        match status.as_u16() {
            200..=299 => Self::Good,
            401 => Self::Final(ErrorKind::Config),
            403 => Self::Final(ErrorKind::Scope),
            404 => Self::Final(ErrorKind::NotFound),
            408 => Self::MayPass(wait::asked_for(&response.headers)),
            429 => Self::Later(wait::asked_for(&response.headers)),
            400..=499 | 501 | 505 => Self::Final(ErrorKind::Refused),
            500..=599 => Self::MayPass(wait::asked_for(&response.headers)),
            _ => Self::Final(ErrorKind::Contract),
        }
    }

    /// The error that is left when no attempt is: `None` for a good answer. The body is never in it.
    pub(crate) fn error(self, response: &Response, repeat: Repeat, during: &'static str) -> Option<Error> {
        let kind = match self {
            Self::Good => return None,
            Self::Later(asked) => ErrorKind::RateLimited(asked),
            Self::MayPass(asked) if asked > Some(WAIT_MAX) => repeat.once_sent(ErrorKind::RateLimited(asked)),
            Self::MayPass(_) => repeat.once_sent(ErrorKind::Transient),
            Self::Final(kind) => kind,
        };
        let error = Error::new(kind, during).with("status", response.status.as_u16());
        Some(match (kind, response.status.as_u16()) {
            (ErrorKind::Config, _) => error.because(KEY),
            (ErrorKind::Scope, _) => error.because(PERMISSION),
            (ErrorKind::Contract, 300..=399) => error.because(REDIRECT),
            _ => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;

    fn kind(status: u16, repeat: Repeat) -> Option<ErrorKind> {
        let status = StatusCode::from_u16(status).unwrap();
        let response = Response { status, headers: HeaderMap::new(), body: Bytes::new() };
        let error = Verdict::of(&response, plainly_limited).error(&response, repeat, "test");
        error.map(|error| error.kind())
    }

    #[test]
    fn every_status_has_one_meaning() {
        for (statuses, meaning) in [
            (&[200, 201, 204, 207][..], None),
            (&[100, 300, 301, 302, 303, 304, 307, 308, 600, 999], Some(ErrorKind::Contract)),
            (&[401], Some(ErrorKind::Config)),
            (&[403], Some(ErrorKind::Scope)),
            (&[404], Some(ErrorKind::NotFound)),
            (&[429], Some(ErrorKind::RateLimited(None))),
            (&[400, 402, 405, 409, 410, 413, 422, 451, 501, 505], Some(ErrorKind::Refused)),
            (&[408, 500, 502, 503, 504, 599], Some(ErrorKind::Transient)),
        ] {
            for status in statuses {
                assert_eq!(kind(*status, Repeat::Safe), meaning, "{status}");
            }
        }
    }

    #[test]
    fn a_server_fault_after_an_unsafe_request_leaves_the_effect_unknown() {
        for status in [408, 500, 502, 503, 504] {
            assert_eq!(kind(status, Repeat::Once), Some(ErrorKind::Lost), "{status}");
        }
        assert_eq!(kind(422, Repeat::Once), Some(ErrorKind::Refused));
        assert_eq!(kind(429, Repeat::Once), Some(ErrorKind::RateLimited(None)));
    }
}
