//! Signatures: who signed, whether that can be trusted, and the bytes that may be read because of it.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, ServerName, SignatureVerificationAlgorithm, TrustAnchor, UnixTime,
};
use serde::de::DeserializeOwned;
use thiserror::Error;
use url::Url;
use webpki::aws_lc_rs as algorithms;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::domain::Domain;
use crate::wire::{BODY_BYTES_MAX, Callback, Cancelled, Created, StatusReport};

/// The header that names the domain of the certificate.
pub const DOMAIN_HEADER: HeaderName = HeaderName::from_static("x-opendsr-processor-domain");
/// The header that holds the signature.
pub const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("x-opendsr-signature");

/// The most certificates of one chain.
const CHAIN_MAX: usize = 8;
/// The largest file of certificates, in bytes.
const PEM_BYTES_MAX: usize = 64 * 1024;

/// How a certificate may be signed by the one above it.
const CHAIN_ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
];

/// Why bytes are not what they claim to be. Answer 403 and read nothing of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Forged {
    /// The body is larger than any of the protocol.
    #[error("the body is larger than any of the protocol")]
    TooLarge,
    /// A header is missing, stands twice or is no text.
    #[error("the headers of the signature are missing or malformed: ask the processor to sign")]
    Headers,
    /// The header names another processor than the one that was expected.
    #[error("the signature is in the name of another processor: check the domain in the settings")]
    OtherDomain,
    /// The file holds no certificate, or too many.
    #[error("the processor publishes no certificate that can be read: ask the processor for one")]
    NoCertificate,
    /// The certificate was signed by itself.
    #[error("the certificate of the processor is self-signed, which the protocol forbids: ask for another")]
    SelfSigned,
    /// The certificate is of another domain.
    #[error("the certificate is not for the domain of the processor: ask for another")]
    CertificateDomain,
    /// The certificate has ended, or has not begun.
    #[error("the certificate of the processor is not valid now: ask for another, or check the clock")]
    NotNow,
    /// The certificate does not lead to a root that is trusted.
    #[error("the certificate of the processor leads to no trusted root: ask for another, or add its root")]
    Untrusted,
    /// The signature is not of this body.
    #[error("the signature does not match the body: fetch the certificate anew, or refuse")]
    Signature,
}

/// The certificate of a processor with those above it, as it publishes them.
#[derive(Clone, PartialEq, Eq)]
pub struct Chain(Vec<CertificateDer<'static>>);

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chain({} certificates)", self.0.len())
    }
}

impl Chain {
    /// Reads a PEM file: the processor's own certificate first. It is not trusted by that.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Forged> {
        if pem.len() > PEM_BYTES_MAX {
            return Err(Forged::NoCertificate);
        }
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).take(CHAIN_MAX + 1).collect();
        match read {
            Ok(chain) if (1..=CHAIN_MAX).contains(&chain.len()) => Ok(Self(chain)),
            _ => Err(Forged::NoCertificate),
        }
    }
}

/// The roots that certificates of processors must lead to.
#[derive(Clone)]
pub struct Trust(Vec<TrustAnchor<'static>>);

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({} roots)", self.0.len())
    }
}

impl Trust {
    /// Reads a PEM file of roots.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Forged> {
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let roots = read.map_err(|_| Forged::NoCertificate)?;
        let anchors: Result<Vec<_>, _> =
            roots.iter().map(|root| anchor_from_trusted_cert(root).map(|anchor| anchor.to_owned())).collect();
        match anchors {
            Ok(anchors) if !anchors.is_empty() => Ok(Self(anchors)),
            _ => Err(Forged::NoCertificate),
        }
    }

    /// Checks that a message is this processor's. The headers are checked first, then the certificate, then the signature;
    /// the body is not read before.
    pub fn authenticate(
        &self,
        (domain, chain): (&Domain, &Chain),
        headers: &HeaderMap,
        body: &Bytes,
        now: Timestamp,
    ) -> Result<Authentic, Forged> {
        if body.len() > BODY_BYTES_MAX {
            return Err(Forged::TooLarge);
        }
        let named = Domain::parse(only(headers, &DOMAIN_HEADER)?).map_err(|_| Forged::Headers)?;
        if named != *domain {
            return Err(Forged::OtherDomain);
        }
        let folded: String = only(headers, &SIGNATURE_HEADER)?.split_ascii_whitespace().collect();
        let signature = STANDARD.decode(folded).map_err(|_| Forged::Headers)?;
        let (leaf, above) = chain.0.split_first().ok_or(Forged::NoCertificate)?;
        let certificate = EndEntityCert::try_from(leaf).map_err(|_| Forged::NoCertificate)?;
        self.admit(&certificate, above, domain, now)?;
        certificate
            .verify_signature(algorithms::RSA_PKCS1_2048_8192_SHA256, body, &signature)
            .map_err(|_| Forged::Signature)?;
        Ok(Authentic(body.clone()))
    }

    /// Checks a certificate.
    fn admit(
        &self,
        certificate: &EndEntityCert<'_>,
        above: &[CertificateDer<'_>],
        domain: &Domain,
        now: Timestamp,
    ) -> Result<(), Forged> {
        if certificate.issuer() == certificate.subject() {
            return Err(Forged::SelfSigned);
        }
        let name = ServerName::try_from(domain.as_str()).map_err(|_| Forged::CertificateDomain)?;
        certificate.verify_is_valid_for_subject_name(&name).map_err(|_| Forged::CertificateDomain)?;
        let seconds = u64::try_from(now.as_second()).map_err(|_| Forged::NotNow)?;
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let usage = KeyUsage::server_auth();
        certificate.verify_for_usage(CHAIN_ALGORITHMS, &self.0, above, time, usage, None, None).map(drop).map_err(
            |error| match error {
                webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. } => Forged::NotNow,
                _ => Forged::Untrusted,
            },
        )
    }
}

/// The only value of a header, as text.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, Forged> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_| Forged::Headers),
        _ => Err(Forged::Headers),
    }
}

/// Bytes that a processor has signed. Only [`Trust::authenticate`] makes them, and only they can be read.
#[derive(Clone, PartialEq, Eq)]
pub struct Authentic(Bytes);

impl fmt::Debug for Authentic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authentic({} bytes)", self.0.len())
    }
}

/// A signed message that is none of the protocol. No message shows what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// It has not the form it should have.
    #[error("the processor signed something that is no message of the protocol: tell the processor")]
    Form,
    /// A callback was meant for somebody else.
    #[error("the callback was sent for another URL than ours: refuse it")]
    OtherCallback,
}

impl Authentic {
    /// Reads the answer to a request.
    pub fn created(&self) -> Result<Created, Unreadable> {
        self.read()
    }

    /// Reads the answer to a question for the status.
    pub fn status(&self) -> Result<StatusReport, Unreadable> {
        self.read()
    }

    /// Reads the answer to a cancellation.
    pub fn cancelled(&self) -> Result<Cancelled, Unreadable> {
        self.read()
    }

    /// Reads a callback. It must name one of these URLs, our own: one that was caught elsewhere does not count here.
    pub fn callback(&self, ours: &[Url]) -> Result<Callback, Unreadable> {
        let callback: Callback = self.read()?;
        let named = Url::parse(&callback.status_callback_url).map_err(|_| Unreadable::Form)?;
        if ours.contains(&named) { Ok(callback) } else { Err(Unreadable::OtherCallback) }
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, Unreadable> {
        serde_json::from_slice(&self.0).map_err(|_| Unreadable::Form)
    }
}

/// Why nothing can be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignerError {
    /// The key is no RSA key of 2048 bits or more in PEM.
    #[error("the key is no RSA key of at least 2048 bits in PEM: make one, and have it certified")]
    Key,
    /// Signing failed.
    #[error("the key cannot sign: check its file")]
    Sign,
}

/// What signs our own answers and callbacks.
pub struct Signer {
    domain: Domain,
    key: KeyPair,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({}, …)", self.domain)
    }
}

impl Signer {
    /// Reads an RSA key in PEM (PKCS #8 or PKCS #1). The domain is the one of its certificate.
    pub fn from_pem(domain: Domain, pem: &[u8]) -> Result<Self, SignerError> {
        let key = match PrivateKeyDer::from_pem_slice(pem).map_err(|_| SignerError::Key)? {
            PrivateKeyDer::Pkcs8(key) => KeyPair::from_pkcs8(key.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(key) => KeyPair::from_der(key.secret_pkcs1_der()),
            _ => return Err(SignerError::Key),
        };
        Ok(Self { domain, key: key.map_err(|_| SignerError::Key)? })
    }

    /// The domain it signs for.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Adds the two headers for this body.
    pub fn sign(&self, headers: &mut HeaderMap, body: &[u8]) -> Result<(), SignerError> {
        let mut signature = vec![0; self.key.public_modulus_len()];
        let random = SystemRandom::new();
        self.key.sign(&RSA_PKCS1_SHA256, &random, body, &mut signature).map_err(|_| SignerError::Sign)?;
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| SignerError::Sign);
        headers.insert(DOMAIN_HEADER, value(self.domain.as_str())?);
        headers.insert(SIGNATURE_HEADER, value(&STANDARD.encode(signature))?);
        Ok(())
    }
}
