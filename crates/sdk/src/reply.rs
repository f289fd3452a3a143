//! An answer that may be used: read as JSON, or refused in words that hold nothing of it.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use unisson_connector::{Error, ErrorKind, Result};

use crate::scrub::{self, Fault, Keys};
use crate::transport::Response;
use crate::wait;

/// How deep a document may be nested: the depth that the parser itself stands.
const JSON_DEPTH_MAX: usize = 127;
/// How much of a content type is repeated in an error.
const CONTENT_TYPE_BYTES_MAX: usize = 64;

/// What a platform answered.
#[derive(Debug, Clone)]
pub struct Reply {
    response: Response,
    during: &'static str,
}

impl Reply {
    pub(crate) fn new(response: Response, during: &'static str) -> Self {
        Self { response, during }
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.response.status.as_u16()
    }

    /// The first header of this name, if it is plain text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers.get(name)?.to_str().ok()
    }

    /// The body as it came, decompressed. It may hold personal data: it belongs in no log and no error.
    pub fn body(&self) -> &Bytes {
        &self.response.body
    }

    /// How long the platform asks to wait (`Retry-After`, RFC 9110, 10.2.3), in sane bounds.
    pub fn retry_after(&self) -> Option<Duration> {
        wait::asked_for(&self.response.headers)
    }

    /// The body as a document of the vendor's.
    ///
    /// Fails with [`ErrorKind::Contract`] for another content type than JSON, for half a document, for one whose
    /// parts that are read are nested deeper than 127 levels, and for one that is not as documented. The error names the place, never what is there.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use unisson_sdk::{Auth, Link, Request, Response, Transport};
    /// # #[derive(Debug)] struct Twin;
    /// # #[async_trait::async_trait]
    /// # impl Transport for Twin {
    /// #     async fn send(&self, _: Request) -> unisson_connector::Result<Response> {
    /// #         let mut headers = http::HeaderMap::new();
    /// #         headers.insert("content-type", http::HeaderValue::from_static("application/json"));
    /// #         Ok(Response { status: http::StatusCode::OK, headers, body: br#"{"total": "many"}"#.to_vec().into() })
    /// #     }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let client = Link::new("https://api.example.org".parse()?, Auth::None).connect_over(Arc::new(Twin))?;
    /// #[derive(Debug, serde::Deserialize)]
    /// struct Page { total: u64 }
    /// let reply = client.get("/contacts").send("read a page").await?;
    /// let error = reply.json::<Page>().unwrap_err();
    /// assert_eq!(error.to_string(), "read a page (contract, status 200, at total, fault a string where u64 belongs)");
    /// # Ok(())
    /// # }
    /// ```
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        let kind = self.header(CONTENT_TYPE.as_str()).unwrap_or("none");
        if !is_json(kind) {
            return Err(self.broken("no JSON").with("content_type", printable(kind)));
        }
        let text = self.response.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.response.body);
        if let Ok(document) = serde_json::from_slice(text) {
            return Ok(document);
        }
        // Looked at again to say what is wrong and where: keeping track of the place costs as much as reading. What is
        // nested too deep in a part that nobody reads has been skipped by then, without recursion.
        if is_deeper_than(text, JSON_DEPTH_MAX) {
            return Err(self.broken("nested too deep").with("levels_max", JSON_DEPTH_MAX));
        }
        let mut reader = serde_json::Deserializer::from_slice(text);
        let document = serde_path_to_error::deserialize(&mut reader).map_err(|error| self.unlike(&error))?;
        reader.end().map_err(|_| self.broken("more than one document"))?;
        Ok(document)
    }

    fn unlike(&self, error: &serde_path_to_error::Error<serde_json::Error>) -> Error {
        if error.inner().is_eof() {
            return self.broken("half a document");
        }
        if !error.inner().is_data() {
            return self.broken("no valid JSON");
        }
        let fault = Fault::of(&error.inner().to_string());
        let mut place = scrub::place(error.path(), Keys::Foreign);
        if let Fault::Missing(field) = &fault {
            scrub::join(&mut place, field);
        }
        let place = if place.is_empty() { "the top".to_owned() } else { place };
        Error::new(ErrorKind::Contract, self.during)
            .with("status", self.status())
            .with("at", place)
            .with("fault", fault.words())
    }

    fn broken(&self, fault: &str) -> Error {
        Error::new(ErrorKind::Contract, self.during).with("status", self.status()).with("fault", fault)
    }
}

/// Whether a content type is JSON or built on it (RFC 6839, 3.1).
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let named = matches!(essence.as_str(), "application/json" | "text/json");
    named || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// The content type, if it is one; a header can hold anything.
fn printable(content_type: &str) -> &str {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let is_type = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+' | b'-' | b'.');
    if essence.len() <= CONTENT_TYPE_BYTES_MAX && essence.bytes().all(is_type) { essence } else { "unreadable" }
}

/// Whether brackets are nested deeper than this, seen without recursion: the parser skips what nobody asked for without
/// counting.
fn is_deeper_than(text: &[u8], levels_max: usize) -> bool {
    let (mut levels, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => levels += 1,
            (false, b']' | b'}') => levels = levels.saturating_sub(1),
            _ => {}
        }
        if levels > levels_max {
            return true;
        }
    }
    false
}
