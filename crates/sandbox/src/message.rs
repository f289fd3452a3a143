//! One call and its answer, as the twins see them: parsed, whole, without sockets.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use hyper::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::form_urlencoded;

/// A call. `Debug` shows neither body nor credentials nor decoded path.
pub(crate) struct Ask {
    pub(crate) method: Method,
    /// The path as it was sent, still percent-encoded.
    pub(crate) path: String,
    /// The path's segments, decoded.
    pub(crate) segments: Vec<String>,
    /// What stood for each placeholder of the matched route, in order.
    pub(crate) params: Vec<String>,
    pub(crate) authorization: Option<String>,
    /// The key of vendors that take one in a header of their own.
    pub(crate) key: Option<String>,
    pub(crate) body: Bytes,
    /// The same for two calls exactly where address, query and body are the same.
    pub(crate) identity: u64,
    /// What a fault asks the handler to do otherwise.
    pub(crate) bend: Bend,
    form: bool,
    query: Vec<(String, String)>,
}

/// What a fault asks a handler to do otherwise.
#[derive(Debug, Default)]
pub(crate) struct Bend {
    pub(crate) page: PageBend,
    /// Positions of rows in a batch that are to be refused.
    pub(crate) refused_rows: Vec<usize>,
    pub(crate) erasure: ErasureBend,
}

/// What a fault asks of an erasure.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErasureBend {
    #[default]
    Straight,
    /// Put the record out of use and keep it.
    Archive,
    /// Erase, and from now on refuse to say whether an erased record is there.
    Hide,
}

/// What a fault asks of a listing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum PageBend {
    #[default]
    Straight,
    /// No rows, although there are some; everything else as it is.
    Empty,
    /// No rows and nothing to say that more follow.
    Last,
    /// So many rows fewer than would fit; the next page starts after what was given.
    Short(usize),
    /// Go round: the places of the loop known so far, its length, and how often it was struck.
    Loop { places: Vec<String>, length: usize, turn: usize },
}

/// The result of a handler: an answer, or the refusal that ends it early.
pub(crate) type Answer = Result<Reply, Reply>;

impl Ask {
    pub(crate) fn new(parts: &Parts, body: Bytes) -> Self {
        let header =
            |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let path = parts.uri.path();
        let mut hasher = DefaultHasher::new();
        (parts.method.as_str(), parts.uri.to_string(), &body[..]).hash(&mut hasher);
        Self {
            method: parts.method.clone(),
            path: path.to_owned(),
            segments: path.split('/').filter(|part| !part.is_empty()).map(decode).collect(),
            params: Vec::new(),
            authorization: header(AUTHORIZATION),
            key: header(HeaderName::from_static("api-key")),
            form: header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")),
            query: pairs(parts.uri.query().unwrap_or_default().as_bytes()),
            identity: hasher.finish(),
            body,
            bend: Bend::default(),
        }
    }

    /// What stood for the n-th placeholder of the route.
    pub(crate) fn param(&self, at: usize) -> &str {
        self.params.get(at).map_or("", String::as_str)
    }

    /// The first value of a query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a query parameter, those that a comma separates apart.
    pub(crate) fn queries<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let values = self.query.iter().filter(move |(key, _)| key == name).flat_map(|(_, value)| value.split(','));
        values.map(str::trim).filter(|value| !value.is_empty())
    }

    /// The fields of a form body; empty where the body is none.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        if self.form { pairs(&self.body) } else { Vec::new() }
    }

    /// The body as this type; the error says where it is wrong, not what it holds.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, NotThat> {
        let empty: &[u8] = b"{}";
        let text = if self.body.is_empty() { empty } else { &self.body };
        serde_json::from_slice(text).map_err(|error| NotThat { line: error.line(), column: error.column() })
    }

    /// The first thing in address or body that looks like an e-mail address: for the fault that leaks one.
    pub(crate) fn any_address(&self) -> Option<String> {
        let body = String::from_utf8_lossy(&self.body);
        let words = body.split(|c: char| c.is_whitespace() || "\",'{}[]<>()=&".contains(c));
        let in_body = words.filter(|word| word.contains('@')).map(str::to_owned).next();
        in_body.or_else(|| self.segments.iter().find(|part| part.contains('@')).cloned())
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ask({}, {} bytes)", self.method, self.body.len())
    }
}

/// A body that is not what the call takes. It names the place and never quotes the body.
#[derive(Debug, thiserror::Error)]
#[error("read the JSON body; mend it near line {line}, column {column}")]
pub(crate) struct NotThat {
    line: usize,
    column: usize,
}

/// An answer before faults touch it.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl Reply {
    /// An answer with a JSON body.
    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::typed(status, "application/json; charset=utf-8", value.to_string())
    }

    /// An answer with a body of this media type.
    pub(crate) fn typed(status: u16, kind: &str, body: String) -> Self {
        Self { status, headers: vec![("content-type", kind.to_owned())], body: body.into() }
    }

    /// 204, without a body.
    pub(crate) fn no_content() -> Self {
        Self { status: 204, headers: Vec::new(), body: Bytes::new() }
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value));
        self
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({}, {} bytes)", self.status, self.body.len())
    }
}

fn decode(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).map(|(key, value)| (key.into_owned(), value.into_owned())).collect()
}
