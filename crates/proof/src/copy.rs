//! The two copies of a certificate, and how anybody checks one.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use thiserror::Error;
use unisson_consent::Address;

use crate::canon;
use crate::certificate::Certificate;
use crate::digest::Digest32;
use crate::key::{KeyError, PublicKey, SigningKey, random};

/// The largest file that is read as a certificate, in bytes.
pub const CERTIFICATE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What makes the commitments of one case differ from those of every other. It belongs into the person's copy only: with
/// it, addresses can be tried out.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt(pub [u8; 32]);

impl Salt {
    /// A new one from the system's randomness.
    pub fn generate() -> Result<Self, KeyError> {
        random().map(|bytes| Self(*bytes))
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(…)")
    }
}

/// The commitment to an address: `SHA-256(salt ‖ address)`, over the bytes of its canonical spelling.
///
/// ```
/// use unisson_consent::Address;
/// use unisson_proof::{Salt, commit};
/// let salt = Salt([7; 32]);
/// let (one, other) = (Address::email("Ada@example.org").unwrap(), Address::email("ada@EXAMPLE.org").unwrap());
/// assert_eq!(commit(&salt, &one), commit(&salt, &other));
/// assert_ne!(commit(&Salt([8; 32]), &one), commit(&salt, &one));
/// ```
pub fn commit(salt: &Salt, address: &Address) -> Digest32 {
    let hash = sha2::Sha256::new().chain_update(salt.0).chain_update(address.canonical());
    Digest32(hash.finalize().into())
}

/// A certificate with its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    certificate: Certificate,
    signature: Signature,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    algorithm: Algorithm,
    key: String,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Algorithm {
    Ed25519,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    certificate: Certificate,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    salt: Option<Digest32>,
    signature: Signature,
}

impl Certificate {
    /// Signs it.
    pub fn sign(self, key: &SigningKey) -> serde_json::Result<Signed> {
        let value = STANDARD.encode(key.sign(self.canonical()?.as_bytes()));
        let signature = Signature { algorithm: Algorithm::Ed25519, key: key.public().to_string(), value };
        Ok(Signed { certificate: self, signature })
    }
}

impl Signed {
    /// What it says.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The controller's copy: one line of JSON that identifies nobody.
    pub fn for_controller(&self) -> serde_json::Result<String> {
        self.copy(None)
    }

    /// The person's copy: the same with the salt. It belongs into the person's hands and nowhere else.
    pub fn for_person(&self, salt: &Salt) -> serde_json::Result<String> {
        self.copy(Some(Digest32(salt.0)))
    }

    fn copy(&self, salt: Option<Digest32>) -> serde_json::Result<String> {
        let (certificate, signature) = (self.certificate.clone(), self.signature.clone());
        let mut text = canon::canonical(&Envelope { certificate, salt, signature })?;
        text.push('\n');
        Ok(text)
    }
}

/// Why a file is no certificate, or not a valid one. No message shows what is in the file.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// It is larger than [`CERTIFICATE_BYTES_MAX`].
    #[error("the file is larger than any certificate: check that it is the right one")]
    TooLarge,
    /// It is no JSON, holds a key twice or a number that not every reader keeps.
    #[error("the file is no certificate: check that it is the right one, and whole (line {line}, column {column})")]
    Unreadable {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A member is missing, unknown or of the wrong kind.
    #[error("the file has not the form of a certificate: it was changed, or a newer version made it")]
    Form,
    /// A value is not spelt in its one form.
    #[error("the file spells a value otherwise than a certificate does: it was rewritten; ask for the original")]
    Spelling,
    /// The key or the signature is not what its algorithm allows.
    #[error("the signature of the file is malformed: it was changed; ask for the original")]
    Malformed,
    /// The signature is not of this content.
    #[error("the signature does not match: the certificate was changed after it was signed")]
    Signature,
    /// Somebody else signed it.
    #[error("the certificate is signed by another key than the one that is trusted: compare it with the controller's")]
    OtherKey {
        /// Who signed.
        key: PublicKey,
    },
}

/// A certificate whose form and signature hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What it says.
    pub certificate: Certificate,
    /// Who signed it.
    pub key: PublicKey,
    /// Whether that is the key the reader trusts. Without one, a certificate shows only that it was not changed since.
    pub is_trusted: bool,
    /// The salt, in a person's copy.
    pub salt: Option<Salt>,
}

impl Verified {
    /// Whether it is about somebody with this address; `None` for a copy without a salt, which identifies nobody.
    pub fn is_about(&self, address: &Address) -> Option<bool> {
        let salt = self.salt.as_ref()?;
        Some(self.certificate.commitments.contains(&commit(salt, address)))
    }
}

/// Checks a copy of a certificate: its form first, then its signature, then whether the trusted key made it.
pub fn verify(bytes: &[u8], trusted: Option<&PublicKey>) -> Result<Verified, VerifyError> {
    if bytes.len() > CERTIFICATE_BYTES_MAX {
        return Err(VerifyError::TooLarge);
    }
    let unreadable = |error: serde_json::Error| VerifyError::Unreadable { line: error.line(), column: error.column() };
    let read = canon::read(bytes).map_err(unreadable)?.to_text();
    let envelope: Envelope = serde_json::from_str(&read).map_err(|_| VerifyError::Form)?;
    if canon::canonical(&envelope).map_err(|_| VerifyError::Form)? != read {
        return Err(VerifyError::Spelling);
    }
    let Envelope { certificate, salt, signature } = envelope;
    let key = PublicKey::parse(&signature.key).map_err(|_| VerifyError::Malformed)?;
    let value = STANDARD.decode(&signature.value).ok().and_then(|value| <[u8; 64]>::try_from(value).ok());
    let value = value.filter(|_| key.to_string() == signature.key).ok_or(VerifyError::Malformed)?;
    let message = certificate.canonical().map_err(|_| VerifyError::Form)?;
    if !key.has_signed(message.as_bytes(), &value) {
        return Err(VerifyError::Signature);
    }
    if trusted.is_some_and(|trusted| *trusted != key) {
        return Err(VerifyError::OtherKey { key });
    }
    Ok(Verified { certificate, key, is_trusted: trusted.is_some(), salt: salt.map(|salt| Salt(salt.0)) })
}
