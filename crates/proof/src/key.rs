//! Keys: what signs certificates, and what seals the addresses of the erased. They live in files of their own, outside the
//! store and its backups, and are never shown.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use crate::digest::unhex;

/// Why a text is no key. The text is never shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// It does not spell 32 bytes.
    #[error("the key is not 32 bytes in hexadecimal or base64: `unisson init` in an empty folder makes a new one")]
    Spelling,
    /// It is all zeros.
    #[error("the key is all zeros, which anybody can guess: `unisson init` in an empty folder makes a new one")]
    Zero,
    /// It is no point of the curve that signs.
    #[error("the public key is no Ed25519 key: copy it again from whoever signed")]
    NoPoint,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: see to its source of randomness and try again")]
    Random,
}

/// The secret key that signs certificates (Ed25519).
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A new key from the system's randomness.
    pub fn generate() -> Result<Self, KeyError> {
        random().map(|bytes| Self(ed25519_dalek::SigningKey::from_bytes(&bytes)))
    }

    /// Reads the content of a key file: 32 bytes in hexadecimal or base64, white space around them.
    ///
    /// ```
    /// use unisson_proof::SigningKey;
    /// let key = SigningKey::parse(&"5a".repeat(32)).unwrap();
    /// assert_eq!(SigningKey::parse(&key.to_text()).unwrap().public(), key.public());
    /// assert_eq!(format!("{key:?}"), "SigningKey(…)");
    /// ```
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        secret(text).map(|bytes| Self(ed25519_dalek::SigningKey::from_bytes(&bytes)))
    }

    /// The content of its file. Write it with [`crate::write_private`] and nowhere else.
    pub fn to_text(&self) -> Zeroizing<String> {
        text_of(self.0.as_bytes())
    }

    /// What others verify with.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs a message: 64 bytes (RFC 8032).
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// The public key that certificates are verified with. No secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads 32 bytes in base64 or hexadecimal.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let bytes = bytes_of(text).ok_or(KeyError::Spelling)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::NoPoint)?;
        if key.is_weak() { Err(KeyError::NoPoint) } else { Ok(Self(*bytes)) }
    }

    /// Whether the signature is this key's over this message. Forms of keys and signatures that readers disagree about are
    /// refused.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let key = VerifyingKey::from_bytes(&self.0);
        key.is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// The secret key that addresses of the erased are sealed with (consent model 6.5).
#[derive(Clone)]
pub struct TombstoneKey(Zeroizing<[u8; 32]>);

impl TombstoneKey {
    /// A new key from the system's randomness.
    pub fn generate() -> Result<Self, KeyError> {
        random().map(Self)
    }

    /// Reads the content of a key file: 32 bytes in hexadecimal or base64, white space around them.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        secret(text).map(Self)
    }

    /// The content of its file. Write it with [`crate::write_private`] and nowhere else.
    pub fn to_text(&self) -> Zeroizing<String> {
        text_of(&self.0)
    }

    /// The bytes, for a [`unisson_consent::Keyring`].
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TombstoneKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TombstoneKey(…)")
    }
}

/// 32 bytes of the system's randomness.
pub(crate) fn random() -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|_| KeyError::Random)?;
    Ok(bytes)
}

fn secret(text: &str) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let bytes = bytes_of(text).ok_or(KeyError::Spelling)?;
    if *bytes == [0; 32] { Err(KeyError::Zero) } else { Ok(bytes) }
}

/// Digits of either case, or base64 with its padding.
fn bytes_of(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let text = text.trim();
    let mut bytes = Zeroizing::new([0; 32]);
    let lower = Zeroizing::new(text.to_ascii_lowercase());
    if unhex(&lower, bytes.as_mut_slice()) {
        return Some(bytes);
    }
    let mut decoded = STANDARD.decode(text).ok()?;
    let fits = decoded.len() == bytes.len();
    if fits {
        bytes.copy_from_slice(&decoded);
    }
    decoded.zeroize();
    fits.then_some(bytes)
}

fn text_of(bytes: &[u8; 32]) -> Zeroizing<String> {
    use fmt::Write as _;
    let mut text = Zeroizing::new(String::with_capacity(65));
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_and_base64_spell_the_same_key() {
        let key = TombstoneKey::parse(&format!(" {}\r\n", "AB".repeat(32))).unwrap();
        assert_eq!(key.bytes(), &[0xab; 32]);
        assert_eq!(TombstoneKey::parse(&STANDARD.encode([0xab; 32])).unwrap().bytes(), key.bytes());
        assert_eq!(TombstoneKey::parse(&key.to_text()).unwrap().bytes(), key.bytes());
    }

    #[test]
    fn what_is_no_key_is_refused_without_showing_it() {
        for text in ["", "ab", &"ab".repeat(31), &"ab".repeat(33), &STANDARD.encode([1; 31]), &"zz".repeat(32)] {
            let error = SigningKey::parse(text).unwrap_err();
            assert_eq!(error, KeyError::Spelling, "{text}");
            assert!(text.is_empty() || !error.to_string().contains(text));
        }
        assert_eq!(TombstoneKey::parse(&"00".repeat(32)).unwrap_err(), KeyError::Zero);
    }

    #[test]
    fn two_new_keys_differ() {
        assert_ne!(TombstoneKey::generate().unwrap().bytes(), TombstoneKey::generate().unwrap().bytes());
        assert_ne!(SigningKey::generate().unwrap().public(), SigningKey::generate().unwrap().public());
    }

    #[test]
    fn no_key_is_shown() {
        let key = SigningKey::generate().unwrap();
        let shown = format!("{key:?} {:?}", TombstoneKey::parse(&key.to_text()).unwrap());
        assert_eq!(shown, "SigningKey(…) TombstoneKey(…)");
    }

    #[test]
    fn the_signature_is_that_of_the_standard() {
        // RFC 8032, 7.1, test 2.
        let key = SigningKey::parse("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").unwrap();
        let public = PublicKey::parse("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c").unwrap();
        assert_eq!(key.public(), public);
        let signature = key.sign(&[0x72]);
        assert_eq!(signature[..8], [0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8]);
        assert!(public.has_signed(&[0x72], &signature) && !public.has_signed(&[0x73], &signature));
    }

    #[test]
    fn a_weak_public_key_is_refused() {
        let identity = format!("01{}", "00".repeat(31));
        assert_eq!(PublicKey::parse(&identity), Err(KeyError::NoPoint));
    }
}
