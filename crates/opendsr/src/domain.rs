//! Where a processor is: its domain and the base of its endpoints.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;

/// A text names no processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the address of a processor is an HTTPS URL with a domain name, such as `https://dsr.example.com/v3`")]
pub struct NoDomain;

/// The domain of a processor, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Domain(String);

impl Domain {
    /// Reads a domain name in ASCII; case does not count.
    ///
    /// ```
    /// use unisson_opendsr::Domain;
    /// assert_eq!(Domain::parse("DSR.example.com"), Domain::parse("dsr.example.com"));
    /// assert!(Domain::parse("192.0.2.1").is_err() && Domain::parse("dsr.example.com/").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, NoDomain> {
        let name = text.to_ascii_lowercase();
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let is_number = name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let fits = name.len() <= 253 && name.contains('.') && !is_number && name.split('.').all(is_label);
        if fits { Ok(Self(name)) } else { Err(NoDomain) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a URL is an HTTPS one on this domain and the usual port, without a user.
    pub fn holds(&self, url: &Url) -> bool {
        url.scheme() == "https"
            && url.host_str() == Some(self.as_str())
            && url.port().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Domain {
    type Error = NoDomain;

    fn try_from(text: String) -> Result<Self, NoDomain> {
        Self::parse(&text)
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> Self {
        domain.0
    }
}

/// The base of a processor's endpoints, such as `https://dsr.example.com/v3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    domain: Domain,
    /// Without a slash at its end.
    url: String,
}

impl Base {
    /// Reads an HTTPS URL with a domain name and no query.
    pub fn parse(text: &str) -> Result<Self, NoDomain> {
        let url = Url::parse(text).map_err(|_| NoDomain)?;
        let domain = Domain::parse(url.host_str().ok_or(NoDomain)?)?;
        if !domain.holds(&url) || url.query().is_some() || url.fragment().is_some() {
            return Err(NoDomain);
        }
        Ok(Self { domain, url: url.as_str().trim_end_matches('/').to_owned() })
    }

    /// The domain.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The URL of an endpoint, whose path begins with a slash.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}
