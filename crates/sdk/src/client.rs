//! What a connector calls a platform with. Every client of a link shares its layers.

use std::fmt;
use std::sync::Arc;

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use unisson_connector::{Error, ErrorKind, Result};
use url::Url;

use crate::call::{Call, Target};
use crate::path;
use crate::transport::Transport;
use crate::verdict::Limited;

/// A client of one account of one platform. Clones are cheap and share everything.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    base_url: Url,
    credential: Option<(HeaderName, HeaderValue)>,
    pub(crate) limited: Limited,
    pub(crate) transport: Arc<dyn Transport>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("host", &self.shared.base_url.host_str()).finish_non_exhaustive()
    }
}

impl Client {
    pub(crate) fn new(
        base_url: Url,
        credential: Option<(HeaderName, HeaderValue)>,
        limited: Limited,
        transport: Arc<dyn Transport>,
    ) -> Self {
        Self { shared: Arc::new(Shared { base_url, credential, limited, transport }) }
    }

    /// Reads. The path starts with a slash and is added to the base address; its variable parts are made with
    /// [`segment`](crate::segment).
    ///
    /// ```no_run
    /// # async fn example(client: unisson_sdk::Client, id: &str) -> unisson_connector::Result<()> {
    /// let path = format!("/lists/{}/members", unisson_sdk::segment(id));
    /// let page: serde_json::Value = client.get(&path).query("count", 100).send("read a page of members").await?.json()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// Creates or acts. Sent once unless it is said to be [`repeatable`](Call::repeatable).
    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    /// Replaces; repeated where needed, as RFC 9110, 9.2.2 has it.
    pub fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    /// Changes a part. Sent once unless it is said to be [`repeatable`](Call::repeatable).
    pub fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path)
    }

    /// Removes; repeated where needed, so that "not found" may mean that an earlier attempt did it.
    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// Reads what a platform's own link leads to, such as the next page. A link to another host, another port or without
    /// TLS fails with [`ErrorKind::Bounds`] before anything is sent.
    ///
    /// ```
    /// # use unisson_sdk::{Auth, Link};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let client = Link::new("https://api.example.org".parse().unwrap(), Auth::None).connect().unwrap();
    /// let error = client.get_link("https://evil.example/page/2").send("read the next page").await.unwrap_err();
    /// assert_eq!(error.kind(), unisson_connector::ErrorKind::Bounds);
    /// # }
    /// ```
    pub fn get_link(&self, absolute: &str) -> Call {
        Call::new(self.clone(), Method::GET, Target::Link(absolute.to_owned()))
    }

    fn call(&self, method: Method, path: &str) -> Call {
        Call::new(self.clone(), method, Target::Path(path.to_owned()))
    }
}

impl Shared {
    /// The headers that every call has.
    pub(crate) fn authenticate(&self, headers: &mut HeaderMap) {
        if let Some((name, value)) = &self.credential {
            headers.insert(name.clone(), value.clone());
        }
    }

    /// Where a call goes, if it stays within the declared host.
    pub(crate) fn url(&self, target: &Target, during: &'static str) -> Result<Url> {
        let refused = |fault: &str| Error::new(ErrorKind::Bounds, during).with("fault", fault);
        match target {
            Target::Path(text) => {
                if let Some(fault) = path::fault(text) {
                    return Err(refused(fault));
                }
                let mut url = self.base_url.clone();
                url.set_path(&format!("{}{text}", self.base_url.path().trim_end_matches('/')));
                Ok(url)
            }
            Target::Link(text) => {
                let broken =
                    || Error::new(ErrorKind::Contract, during).with("fault", "a link that is no absolute address");
                let mut url = Url::parse(text).map_err(|_| broken())?;
                if url.origin() != self.base_url.origin() {
                    return Err(refused("a link to another host, port or scheme"));
                }
                if !url.username().is_empty() || url.password().is_some() {
                    return Err(refused("a link with a user or password in it"));
                }
                url.set_fragment(None);
                Ok(url)
            }
        }
    }
}
