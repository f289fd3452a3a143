//! What a connector says about its platform once, and gets a client for.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use unisson_connector::{Error, ErrorKind, Limiter, Result};
use url::{Host, Url};

use crate::auth::Auth;
use crate::client::Client;
use crate::fingerprint::Fingerprint;
use crate::layer::{Bearer, Deadline, Guard, Pace, Paced, Retry, Trace};
use crate::session::Session;
use crate::transport::Transport;
use crate::verdict::{Limited, plainly_limited};
use crate::wait::{Backoff, Chance};
use crate::wire::Wire;

/// How long each part of one attempt may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until the head of the answer is there, the connection included.
    pub first_byte: Duration,
    /// Between two pieces of the body.
    pub idle: Duration,
    /// For all of it.
    pub total: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(30),
            idle: Duration::from_secs(20),
            total: Duration::from_mins(2),
        }
    }
}

/// A platform's address, the credentials for it and the bounds of every call.
#[non_exhaustive]
pub struct Link {
    /// Where the interface is; paths are added to it, and nothing is ever sent anywhere else.
    pub base_url: Url,
    /// The credentials.
    pub auth: Auth,
    /// Which account this is, if that is known better than from host and credentials. Links of one account share its
    /// allowances, in the whole process.
    pub account: Option<String>,
    /// The platform's allowances.
    pub limits: Vec<Limiter>,
    /// Which answers mean "slow down".
    pub limited: Limited,
    /// How long each attempt may take.
    pub deadlines: Deadlines,
    /// How long a body may be, decompressed.
    pub body_bytes_max: usize,
    /// How often a call is tried in all.
    pub attempts_max: u32,
    /// How waits between attempts grow.
    pub backoff: Backoff,
    /// Where chance starts; `None` for a new start each time.
    pub seed: Option<u64>,
}

/// Shows only which host is meant: what else an address holds may be a secret until it is checked.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.base_url.host_str().unwrap_or_default();
        f.debug_struct("Link").field("host", &host).field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Link {
    /// How long a body may be unless a link says otherwise.
    pub const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
    /// How often a call is tried unless a link says otherwise.
    pub const ATTEMPTS_MAX: u32 = 5;

    /// A link with the bounds that suit most platforms and no allowances; its fields can be set to others.
    ///
    /// ```
    /// use unisson_sdk::{Auth, Link};
    /// let mut link = Link::new("https://api.example.org".parse().unwrap(), Auth::None);
    /// link.attempts_max = 3;
    /// assert_eq!(link.body_bytes_max, Link::BODY_BYTES_MAX);
    /// ```
    pub fn new(base_url: Url, auth: Auth) -> Self {
        Self {
            base_url,
            auth,
            account: None,
            limits: Vec::new(),
            limited: plainly_limited,
            deadlines: Deadlines::default(),
            body_bytes_max: Self::BODY_BYTES_MAX,
            attempts_max: Self::ATTEMPTS_MAX,
            backoff: Backoff::default(),
            seed: None,
        }
    }

    /// The same with the platform's allowances.
    #[must_use]
    pub fn with_limits(mut self, limits: Vec<Limiter>) -> Self {
        self.limits = limits;
        self
    }

    /// A client for the link. Nothing is sent.
    ///
    /// Fails with [`ErrorKind::Config`] for an address without TLS (but on loopback), with a user, query or fragment in
    /// it, or for credentials that no header can carry. The error's context names the `setting`.
    ///
    /// ```
    /// use unisson_sdk::{Auth, Link};
    /// let link = Link::new("https://api.example.org/3.0".parse().unwrap(), Auth::Bearer("key".into()));
    /// assert!(link.connect().is_ok());
    /// let open = Link::new("http://api.example.org".parse().unwrap(), Auth::Bearer("key".into()));
    /// assert_eq!(open.connect().unwrap_err().kind(), unisson_connector::ErrorKind::Config);
    /// ```
    pub fn connect(self) -> Result<Client> {
        let wire = Wire::new(self.deadlines, self.body_bytes_max)?;
        self.connect_over(Arc::new(wire))
    }

    /// A client for the link with all its layers, over another transport than the network: a twin of the platform, a
    /// recording, a fault.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use http::{HeaderMap, StatusCode};
    /// use unisson_sdk::{Auth, Link, Request, Response, Transport};
    ///
    /// /// A platform that knows nobody.
    /// #[derive(Debug)]
    /// struct Twin;
    ///
    /// #[async_trait::async_trait]
    /// impl Transport for Twin {
    ///     async fn send(&self, _request: Request) -> unisson_connector::Result<Response> {
    ///         Ok(Response { status: StatusCode::NOT_FOUND, headers: HeaderMap::new(), body: Default::default() })
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let link = Link::new("https://api.example.org".parse()?, Auth::Bearer("key".into()));
    /// let client = link.connect_over(Arc::new(Twin))?;
    /// let error = client.get("/contacts/4711").send("look for a contact").await.unwrap_err();
    /// assert_eq!(error.to_string(), "look for a contact (not_found, status 404)");
    /// let reply = client.get("/contacts/4711").accept(&[404]).send("look for a contact").await?;
    /// assert_eq!(reply.status(), 404);
    /// # Ok(())
    /// # }
    /// ```
    pub fn connect_over(self, transport: Arc<dyn Transport>) -> Result<Client> {
        check(&self.base_url, "base_url")?;
        let account = self.account.clone().unwrap_or_else(|| self.account_by_credentials());
        let pace = Pace::of(&account, &self.limits)?;
        let header = self.auth.header()?;
        let tokens = match &self.auth {
            Auth::OAuth2(oauth) => {
                check(&oauth.token_url, "token_url")?;
                Some(self.bounded(&oauth.token_url, Arc::clone(&transport)))
            }
            Auth::None | Auth::Bearer(_) | Auth::Basic { .. } | Auth::Header { .. } => None,
        };
        let bounded = self.bounded(&self.base_url, transport);
        let paced: Arc<dyn Transport> = Arc::new(Paced::new(pace, self.limited, bounded));
        let authenticated = match (self.auth, tokens) {
            (Auth::OAuth2(oauth), Some(tokens)) => Arc::new(Bearer::new(Session::of(oauth), tokens, paced)),
            _ => paced,
        };
        let chance = Chance::new(self.backoff, self.seed);
        let retry = Retry::new(self.attempts_max.max(1), chance, self.limited, authenticated);
        Ok(Client::new(self.base_url, header, self.limited, Arc::new(retry)))
    }

    /// The transport kept to one origin and to its deadline, and traced.
    fn bounded(&self, url: &Url, transport: Arc<dyn Transport>) -> Arc<dyn Transport> {
        Arc::new(Trace::new(Deadline::new(self.deadlines.total, Guard::new(url.origin(), transport))))
    }

    fn account_by_credentials(&self) -> String {
        let origin = self.base_url.origin().ascii_serialization();
        Fingerprint::of(&[&origin, &self.auth.fingerprint().to_string()]).to_string()
    }
}

/// Refuses an address that credentials must not be sent to.
fn check(url: &Url, setting: &'static str) -> Result<()> {
    let fault = if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        "not `https://` and a host"
    } else if url.scheme() == "http" && !is_loopback(url) {
        "no TLS: write `https`; `http` is for loopback only"
    } else if !url.username().is_empty() || url.password().is_some() {
        "a user or password in the address: set them as secrets"
    } else if url.query().is_some() || url.fragment().is_some() {
        "a query or fragment in the address: end it with its path"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Config, "connect to the platform").with("setting", setting).because(fault))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}
