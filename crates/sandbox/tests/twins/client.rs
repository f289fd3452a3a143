//! A small HTTP client: it sends and shows, and judges nothing.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;
use unisson_sandbox::{Handle, Options, Pace, Sandbox};

/// The longest that any test waits for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body as text, what is none replaced.
    pub(crate) text: String,
    pub(crate) bytes: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The title of a problem document.
    pub(crate) fn title(&self) -> String {
        self.json()["title"].as_str().unwrap_or_default().to_owned()
    }
}

/// A client of one twin.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    credential: (&'static str, String),
}

impl Client {
    pub(crate) fn new(base: String, authorization: &str) -> Self {
        Self::with_header(base, ("authorization", authorization))
    }

    /// A client that shows its credential in this header. It unpacks nothing: what came is what it shows.
    pub(crate) fn with_header(base: String, (header, credential): (&'static str, &str)) -> Self {
        let http = reqwest::Client::builder().timeout(PATIENCE).no_gzip().build().unwrap();
        Self { http, base, credential: (header, credential.to_owned()) }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Answer> {
        let (header, credential) = &self.credential;
        let mut request = self.http.request(method, format!("{}{path}", self.base)).header(*header, credential);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Answer { status, headers, text, bytes })
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await.unwrap()
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await.unwrap()
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await.unwrap()
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await.unwrap()
    }

    /// Form-encoded, without credentials.
    pub(crate) async fn post_form(&self, path: &str, form: &str) -> Answer {
        let request = self.http.post(format!("{}{path}", self.base));
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.to_owned());
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        Answer { status, headers, text: String::from_utf8_lossy(&bytes).into_owned(), bytes }
    }
}

/// Options for a test: few people, a clock that stands.
pub(crate) fn options() -> Options {
    Options { contacts: 300, pace: Pace::Standing, ..Options::default() }.without_limits()
}

pub(crate) async fn sandbox() -> Sandbox {
    Sandbox::start(options()).await.unwrap()
}

/// A sandbox in which every listing has more than four pages of fifty.
pub(crate) async fn large() -> Sandbox {
    Sandbox::start(Options { contacts: 800, ..options() }).await.unwrap()
}

pub(crate) fn mailchimp(sandbox: &Sandbox) -> Client {
    Client::new(sandbox.mailchimp().base_url(), "Bearer sandbox-mailchimp-key-us1")
}

pub(crate) fn hubspot(sandbox: &Sandbox) -> Client {
    Client::new(sandbox.hubspot().base_url(), "Bearer sandbox-hubspot-token")
}

pub(crate) fn brevo(sandbox: &Sandbox) -> Client {
    Client::with_header(sandbox.brevo().base_url(), ("api-key", "sandbox-brevo-key"))
}

/// A client of the control endpoint.
pub(crate) fn control(handle: &Handle) -> Client {
    Client::new(handle.origin(), "")
}

/// Waits until this is so; fails where it never is.
pub(crate) async fn until(so: impl Fn() -> bool) {
    let waiting = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap();
}

/// The address in a form that a path can hold.
pub(crate) fn encoded(address: &str) -> String {
    url::form_urlencoded::byte_serialize(address.as_bytes()).collect::<String>().replace('+', "%20")
}

/// The lower-case hexadecimal MD5 of the lower-case address.
pub(crate) fn hash(address: &str) -> String {
    use md5::{Digest, Md5};
    let digest = Md5::digest(address.to_lowercase());
    format!("{:032x}", digest.iter().fold(0_u128, |all, byte| (all << 8) | u128::from(*byte)))
}

/// The values at this name of every object in a list.
pub(crate) fn texts(list: &Value, name: &str) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items.map(|item| item[name].as_str().unwrap_or_default().to_owned()).collect()
}
