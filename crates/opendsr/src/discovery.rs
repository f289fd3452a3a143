//! What a processor supports, and how long that is believed.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::domain::Domain;
use crate::signature::Chain;
use crate::wire::{IdentityFormat, IdentityType, RequestType};

/// How long an answer is believed.
const FRESH_FOR: SignedDuration = SignedDuration::from_hours(24);
/// How long to wait before it is asked again because a signature did not match: else anybody could make us ask.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// What a processor supports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discovery {
    /// The version of the protocol.
    pub api_version: String,
    /// Where its certificate is.
    pub processor_certificate: String,
    /// Which identities it finds people by.
    pub supported_identities: Vec<SupportedIdentity>,
    /// What it can be asked for.
    pub supported_subject_request_types: Vec<RequestType>,
}

/// A kind of identity and a spelling of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupportedIdentity {
    /// How it is spelt.
    pub identity_format: IdentityFormat,
    /// What it is.
    pub identity_type: IdentityType,
}

impl Discovery {
    /// Whether it finds people by this.
    pub fn takes(&self, identity_type: IdentityType, identity_format: IdentityFormat) -> bool {
        self.supported_identities.contains(&SupportedIdentity { identity_format, identity_type })
    }

    /// Where its certificate is; `None` unless that is on the processor's own domain, over HTTPS.
    pub fn certificate_url(&self, domain: &Domain) -> Option<Url> {
        Url::parse(&self.processor_certificate).ok().filter(|url| domain.holds(url))
    }
}

/// What is kept of a discovery.
#[derive(Debug, Clone)]
pub struct Cached {
    /// What the processor supports.
    pub discovery: Discovery,
    /// Its certificate. It is checked again at every use, so that one that has ended since is refused.
    pub chain: Chain,
    /// When both were fetched.
    pub fetched_at: Timestamp,
}

impl Cached {
    /// Whether it is still believed. A clock set back makes it stale.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        let age = now.duration_since(self.fetched_at);
        age >= SignedDuration::ZERO && age < FRESH_FOR
    }

    /// Whether it may be fetched again because a signature did not match: the processor may have a new certificate.
    pub fn may_refetch(&self, now: Timestamp) -> bool {
        let age = now.duration_since(self.fetched_at);
        age < SignedDuration::ZERO || age >= AGAIN_AFTER
    }
}
