//! One call in the making, and what becomes of it.

use std::fmt;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use serde::Serialize;
use unisson_connector::{Error, ErrorKind, Result};
use url::form_urlencoded;

use crate::client::Client;
use crate::reply::Reply;
use crate::transport::{Repeat, Request};
use crate::verdict::Verdict;

/// Where a call goes.
pub(crate) enum Target {
    Path(String),
    Link(String),
}

/// A call that is not yet sent.
#[must_use = "a call does nothing until it is sent"]
pub struct Call {
    client: Client,
    method: Method,
    target: Target,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
    repeat: Repeat,
    accepted: &'static [u16],
    fault: Option<&'static str>,
}

/// Shows neither path nor query nor body.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("method", &self.method).field("repeat", &self.repeat).finish_non_exhaustive()
    }
}

impl Call {
    pub(crate) fn new(client: Client, method: Method, target: Target) -> Self {
        let repeat = if method == Method::POST || method == Method::PATCH { Repeat::Once } else { Repeat::Safe };
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        let (query, body) = (Vec::new(), Bytes::new());
        Self { client, method, target, query, headers, body, repeat, accepted: &[], fault: None }
    }

    /// With one more query parameter.
    ///
    /// ```no_run
    /// # async fn example(client: unisson_sdk::Client) -> unisson_connector::Result<()> {
    /// let call = client.post("/contacts/search").query("count", 100).json(&serde_json::json!({ "archived": false }));
    /// let reply = call.repeatable().send("search the contacts").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "a call reads better with `100` than with `&100`")]
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// With this header instead of any other of its name.
    #[expect(clippy::needless_pass_by_value, reason = "a call reads better with `100` than with `&100`")]
    pub fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value.to_string())) {
            (Ok(name), Ok(value)) => {
                self.headers.insert(name, value);
            }
            _ => self.fault = Some("a header that HTTP cannot carry"),
        }
        self
    }

    /// With this body as JSON.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        if let Ok(text) = serde_json::to_vec(body) {
            return self.with_body("application/json", text);
        }
        self.fault = Some("a body that JSON cannot hold");
        self
    }

    /// With these pairs as the body, in the form encoding.
    pub fn form(self, pairs: &[(&str, &str)]) -> Self {
        let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.with_body("application/x-www-form-urlencoded", text.into_bytes())
    }

    /// The same, said to be harmless to repeat: a lost answer is then asked for again.
    pub fn repeatable(mut self) -> Self {
        self.repeat = Repeat::Safe;
        self
    }

    /// With these statuses answered as a [`Reply`] where they would be an error: after the attempts that an error of the
    /// kind is worth, never instead of them.
    pub fn accept(mut self, statuses: &'static [u16]) -> Self {
        self.accepted = statuses;
        self
    }

    /// Sends the call, as often as its bounds allow, and says what became of it. `during` is a lower-case fragment that
    /// fits "failed to …".
    ///
    /// 401 is [`ErrorKind::Config`], 403 [`ErrorKind::Scope`], 404 [`ErrorKind::NotFound`], 429
    /// [`ErrorKind::RateLimited`], 408 and 5xx [`ErrorKind::Transient`], any other 4xx [`ErrorKind::Refused`], a redirect
    /// [`ErrorKind::Contract`]. Where the call must not be repeated and the effect is unknown it is [`ErrorKind::Lost`].
    pub async fn send(self, during: &'static str) -> Result<Reply> {
        if let Some(fault) = self.fault {
            return Err(Error::new(ErrorKind::Refused, during).with("fault", fault));
        }
        let shared = &self.client.shared;
        let mut url = shared.url(&self.target, during)?;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        let mut headers = self.headers;
        shared.authenticate(&mut headers);
        let request = Request { method: self.method, url, headers, body: self.body, repeat: self.repeat };
        let response =
            shared.transport.send(request).await.map_err(|error| Error::new(error.kind(), during).because(error))?;
        if self.accepted.contains(&response.status.as_u16()) {
            return Ok(Reply::new(response, during));
        }
        match Verdict::of(&response, shared.limited).error(&response, self.repeat, during) {
            Some(error) => Err(error),
            None => Ok(Reply::new(response, during)),
        }
    }

    fn with_body(mut self, content_type: &'static str, body: Vec<u8>) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.body = Bytes::from(body);
        self
    }
}
