//! Making a request for a processor, in the spellings it takes.

use jiff::Timestamp;
use serde_json::{Map, Value};
use thiserror::Error;
use unisson_consent::{Address, AddressKind, Algorithm, CustomerNo, HashedAddress, Normalisation};
use url::Url;

use crate::discovery::Discovery;
use crate::domain::Domain;
use crate::id::RequestId;
use crate::wire::{API_VERSION, Identity, IdentityFormat, IdentityType, Regulation, Request, RequestType};

/// The most identities of one request.
const IDENTITIES_MAX: usize = 100;

/// The digests, strongest first.
const DIGESTS: [(IdentityFormat, Algorithm); 3] = [
    (IdentityFormat::Sha256, Algorithm::Sha256(Normalisation::TrimLower)),
    (IdentityFormat::Sha1, Algorithm::Sha1(Normalisation::TrimLower)),
    (IdentityFormat::Md5, Algorithm::Md5(Normalisation::TrimLower)),
];

/// What a case wants of a processor.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// The id of the case.
    pub case: &'a str,
    /// The round: 1, and one more each time it is asked anew.
    pub round: u32,
    /// What is asked for.
    pub kind: RequestType,
    /// What it rests on.
    pub regulation: Regulation,
    /// When the person asked.
    pub submitted_at: Timestamp,
    /// The addresses of the person. Only those of e-mail can be expressed.
    pub addresses: &'a [Address],
    /// The customer numbers of the person.
    pub customers: &'a [CustomerNo],
    /// Where changes of the status shall be told.
    pub callbacks: &'a [Url],
    /// What only this processor knows, for the extension of its domain. No credentials.
    pub extension: Option<Map<String, Value>>,
}

/// Why a request cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RequestError {
    /// The processor cannot be asked for that.
    #[error("the processor does not take requests of this type: ask it another way")]
    Type,
    /// Nothing known of the person is of a kind that the processor takes.
    #[error("the processor finds people by nothing that is known of this person: ask it another way")]
    NoIdentity,
    /// There are too many identities.
    #[error("the person has more than {IDENTITIES_MAX} addresses and numbers: ask the processor another way")]
    TooMany,
    /// A callback is not told over HTTPS.
    #[error("a callback URL is not HTTPS: correct it in the settings")]
    Callback,
    /// The regulation is none of the protocol's.
    #[error("the protocol knows only `gdpr` and `ccpa`: correct the regulation in the settings")]
    Regulation,
}

impl Draft<'_> {
    /// The request for this processor.
    ///
    /// An address is sent as it is where the processor takes that: a digest over another spelling than the processor's own
    /// finds nobody and is reported as completed all the same. Else it goes in the strongest digest that is taken.
    pub fn request(&self, processor: &Domain, discovery: &Discovery) -> Result<Request, RequestError> {
        if self.kind == RequestType::Unknown || !discovery.supported_subject_request_types.contains(&self.kind) {
            return Err(RequestError::Type);
        }
        if self.regulation == Regulation::Unknown {
            return Err(RequestError::Regulation);
        }
        if self.callbacks.iter().any(|url| url.scheme() != "https") {
            return Err(RequestError::Callback);
        }
        let own = |extension: &Map<_, _>| (processor.as_str().to_owned(), Value::Object(extension.clone()));
        let addresses = self.addresses.iter().filter(|address| address.kind() == AddressKind::Email);
        let mut identities: Vec<Identity> = Vec::new();
        let spelt = addresses.filter_map(|address| email(address, discovery));
        for identity in spelt.chain(self.customers.iter().filter_map(|number| customer(number, discovery))) {
            if !identities.contains(&identity) {
                identities.push(identity);
            }
        }
        match identities.len() {
            0 => Err(RequestError::NoIdentity),
            1..=IDENTITIES_MAX => Ok(Request {
                api_version: Some(API_VERSION.to_owned()),
                extensions: self.extension.iter().map(own).collect(),
                regulation: self.regulation,
                status_callback_urls: self.callbacks.iter().map(Url::to_string).collect(),
                subject_identities: identities,
                subject_request_id: RequestId::of(self.case, processor, self.round),
                subject_request_type: self.kind,
                submitted_time: self.submitted_at,
            }),
            _ => Err(RequestError::TooMany),
        }
    }
}

fn email(address: &Address, discovery: &Discovery) -> Option<Identity> {
    let identity = |identity_format, identity_value| Identity {
        identity_format,
        identity_type: IdentityType::Email,
        identity_value,
    };
    if discovery.takes(IdentityType::Email, IdentityFormat::Raw) {
        return Some(identity(IdentityFormat::Raw, address.raw().trim().to_owned()));
    }
    let taken = DIGESTS.iter().find(|(format, _)| discovery.takes(IdentityType::Email, *format));
    taken.and_then(|(format, algorithm)| Some(identity(*format, HashedAddress::of(address, algorithm)?.hex())))
}

fn customer(number: &CustomerNo, discovery: &Discovery) -> Option<Identity> {
    discovery.takes(IdentityType::ControllerCustomerId, IdentityFormat::Raw).then(|| Identity {
        identity_format: IdentityFormat::Raw,
        identity_type: IdentityType::ControllerCustomerId,
        identity_value: number.as_str().to_owned(),
    })
}
