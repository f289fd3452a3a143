//! An authority with its certificates, a person, and what is drafted about them.

use std::sync::LazyLock;

use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;
use rcgen::{CertificateParams, Issuer, KeyPair};
use unisson_consent::{Address, CustomerNo};
use unisson_opendsr::{
    Cached, Chain, Discovery, Domain, Draft, Forged, IdentityFormat, IdentityType, Regulation, Request, RequestError,
    RequestType, Signer, SupportedIdentity, Trust,
};
use url::Url;

pub(crate) const CASE: &str = "0194ba00-0000-7000-8000-000000000001";
pub(crate) const HOST: &str = "dsr.example.com";

pub(crate) fn now() -> Timestamp {
    "2027-02-01T00:00:00Z".parse().unwrap()
}

pub(crate) fn domain() -> Domain {
    Domain::parse(HOST).unwrap()
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// An authority, and what it certified.
pub(crate) struct World {
    pub(crate) root: String,
    pub(crate) key: Vec<u8>,
    pub(crate) good: String,
    pub(crate) elsewhere: String,
    pub(crate) ended: String,
    pub(crate) own: String,
    pub(crate) stranger: String,
}

pub(crate) fn named(params: &mut CertificateParams, name: &str) {
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
}

pub(crate) fn authority(name: &str) -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    named(&mut params, name);
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let root = pem("CERTIFICATE", params.self_signed(&key).unwrap().der());
    (root, Issuer::new(params, key))
}

pub(crate) static WORLD: LazyLock<World> = LazyLock::new(|| {
    let (root, issuer) = authority("Root of the tests");
    let (_, stranger) = authority("Root of strangers");
    let key = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let params = |host: &str, last: i32| {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        named(&mut params, host);
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(last, 1, 1);
        params
    };
    let signed = |params: CertificateParams, issuer: &Issuer<'static, KeyPair>| {
        pem("CERTIFICATE", params.signed_by(&key, issuer).unwrap().der())
    };
    World {
        good: signed(params(HOST, 2028), &issuer),
        elsewhere: signed(params("dsr.example.net", 2028), &issuer),
        ended: signed(params(HOST, 2027), &issuer),
        own: pem("CERTIFICATE", params(HOST, 2028).self_signed(&key).unwrap().der()),
        stranger: signed(params(HOST, 2028), &stranger),
        key: key.serialize_der(),
        root,
    }
});

pub(crate) fn signer() -> Signer {
    Signer::from_pem(domain(), pem("PRIVATE KEY", &WORLD.key).as_bytes()).unwrap()
}

pub(crate) fn trust() -> Trust {
    Trust::from_pem(WORLD.root.as_bytes()).unwrap()
}

pub(crate) fn chain(pem: &str) -> Chain {
    Chain::from_pem(pem.as_bytes()).unwrap()
}

/// A body with the headers that belong to it.
pub(crate) fn signed(body: &str) -> (HeaderMap, Bytes) {
    let mut headers = HeaderMap::new();
    signer().sign(&mut headers, body.as_bytes()).unwrap();
    (headers, Bytes::from(body.to_owned()))
}

pub(crate) fn forged(pem: &str, (headers, body): &(HeaderMap, Bytes)) -> Forged {
    trust().authenticate((&domain(), &chain(pem)), headers, body, now()).unwrap_err()
}

pub(crate) fn discovery(formats: &[(IdentityType, IdentityFormat)]) -> Discovery {
    Discovery {
        api_version: "2.0".to_owned(),
        processor_certificate: format!("https://{HOST}/cert.pem"),
        supported_identities: formats
            .iter()
            .map(|(identity_type, identity_format)| SupportedIdentity {
                identity_format: *identity_format,
                identity_type: *identity_type,
            })
            .collect(),
        supported_subject_request_types: vec![RequestType::Erasure],
    }
}

pub(crate) fn cached() -> Cached {
    let discovery = discovery(&[(IdentityType::Email, IdentityFormat::Raw)]);
    Cached { discovery, chain: chain(&WORLD.good), fetched_at: now() }
}

pub(crate) fn ours() -> Url {
    Url::parse("https://unisson.example.org/callbacks").unwrap()
}

/// What is asked of a processor that finds people by these.
pub(crate) fn request_for(found_by: &[(IdentityType, IdentityFormat)]) -> Result<Request, RequestError> {
    request_of(RequestType::Erasure, &ours(), found_by)
}

/// The same with another type and another callback.
pub(crate) fn request_of(
    kind: RequestType,
    callback: &Url,
    found_by: &[(IdentityType, IdentityFormat)],
) -> Result<Request, RequestError> {
    let draft = Draft {
        case: CASE,
        round: 1,
        kind,
        regulation: Regulation::Gdpr,
        submitted_at: "2027-01-31T09:00:00Z".parse().unwrap(),
        addresses: &[Address::email("Zed@Example.com").unwrap(), Address::postal("1 rue de la Paix").unwrap()],
        customers: &[CustomerNo::new("C-7")],
        callbacks: std::slice::from_ref(callback),
        extension: Some(serde_json::Map::from_iter([("property_id".to_owned(), "P-1".into())])),
    };
    draft.request(&domain(), &discovery(found_by))
}

pub(crate) fn raw_request() -> Request {
    request_for(&[(IdentityType::Email, IdentityFormat::Raw)]).unwrap()
}
