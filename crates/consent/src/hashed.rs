//! Addresses known only by a digest: suppression files of others, and our own tombstones.
//!
//! A plain digest of an address is reversed by trying addresses, so it serves exchange only. What remains after an
//! erasure is keyed (consent model 6.5, CNIL MED-2023-040).

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use hmac::{Hmac, KeyInit, Mac};
use md5::Digest as _;

use crate::address::{Address, AddressKind, Aliases};

/// How an address was normalised before it was hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Normalisation {
    /// Trimmed, lower-case: Mailchimp, most suppression files, Meta, `LinkedIn`.
    TrimLower,
    /// As before, dots before `gmail.com` and `googlemail.com` removed: Google Customer Match.
    GoogleDots,
    /// Lower-case, Gmail dots and plus tags removed: UID2.
    Uid2,
}

/// How a digest was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// MD5 over the normalised address.
    Md5(Normalisation),
    /// SHA-1 over the normalised address (`OpenDSR`).
    Sha1(Normalisation),
    /// SHA-256 over the normalised address.
    Sha256(Normalisation),
    /// HMAC-SHA-256 under the key of this id, over the widest suppression class: our own tombstones.
    Keyed(KeyId),
}

/// The id of a tombstone key. Keys rotate; an entry keeps the id of the key it was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u32);

/// An address of which only a digest is known.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HashedAddress {
    /// What kind of address was hashed.
    pub kind: AddressKind,
    /// How.
    pub algorithm: Algorithm,
    /// The raw digest.
    pub digest: Vec<u8>,
}

impl fmt::Debug for HashedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HashedAddress({}, {:?}, …)", self.kind.as_str(), self.algorithm)
    }
}

/// Secret keys of tombstones, by id. They live outside the database and its backups.
#[derive(Clone, Default)]
pub struct Keyring {
    keys: BTreeMap<KeyId, Vec<u8>>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({} keys)", self.keys.len())
    }
}

impl Keyring {
    /// The newest key: new tombstones are made with it.
    pub fn newest(&self) -> Option<KeyId> {
        self.keys.keys().next_back().copied()
    }

    /// Whether a key is at hand.
    pub fn has(&self, id: KeyId) -> bool {
        self.keys.contains_key(&id)
    }

    /// The keyed digests of an address under the newest key: of its class, and of the wider one that these widenings make.
    pub fn tombstone(&self, address: &Address, aliases: Aliases) -> Vec<HashedAddress> {
        let Some(newest) = self.newest() else { return Vec::new() };
        let classes = [Aliases::default(), aliases];
        let mut sealed: Vec<_> =
            classes.into_iter().filter_map(|aliases| self.seal_class(newest, address, aliases)).collect();
        sealed.dedup();
        sealed
    }

    /// Adds a key. Destroying one is a bulk erasure of its tombstones.
    pub fn insert(&mut self, id: KeyId, key: Vec<u8>) {
        self.keys.insert(id, key);
    }

    /// The keyed digest of an address, or `None` where the key is not at hand.
    ///
    /// ```
    /// use unisson_consent::{Address, KeyId, Keyring};
    /// let mut ring = Keyring::default();
    /// ring.insert(KeyId(1), vec![7; 32]);
    /// let a = Address::email("Ada@example.org").unwrap();
    /// let b = Address::email("ada@example.org").unwrap();
    /// assert_eq!(ring.seal(KeyId(1), &a), ring.seal(KeyId(1), &b));
    /// assert_eq!(ring.seal(KeyId(2), &a), None);
    /// ```
    pub fn seal(&self, id: KeyId, address: &Address) -> Option<HashedAddress> {
        self.seal_class(id, address, Aliases::default())
    }

    /// The keyed digest of the class that an address falls into under these widenings.
    pub fn seal_class(&self, id: KeyId, address: &Address, aliases: Aliases) -> Option<HashedAddress> {
        let key = self.keys.get(&id)?;
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).ok()?;
        mac.update(b"v1|");
        mac.update(address.kind().as_str().as_bytes());
        mac.update(b"|");
        mac.update(address.suppress_class(aliases).as_bytes());
        Some(HashedAddress {
            kind: address.kind(),
            algorithm: Algorithm::Keyed(id),
            digest: mac.finalize().into_bytes().to_vec(),
        })
    }
}

impl HashedAddress {
    /// Hashes an address for exchange. `None` for [`Algorithm::Keyed`], which needs a [`Keyring`].
    pub fn of(address: &Address, algorithm: &Algorithm) -> Option<Self> {
        let digest = match algorithm {
            Algorithm::Md5(how) => md5::Md5::digest(normalised(address, *how)).to_vec(),
            Algorithm::Sha1(how) => sha1::Sha1::digest(normalised(address, *how)).to_vec(),
            Algorithm::Sha256(how) => sha2::Sha256::digest(normalised(address, *how)).to_vec(),
            Algorithm::Keyed(_) => return None,
        };
        Some(Self { kind: address.kind(), algorithm: algorithm.clone(), digest })
    }

    /// Whether this is the digest of that address. A keyed one needs its key, and is the digest of every spelling in the
    /// class that these widenings make.
    ///
    /// ```
    /// use unisson_consent::{Address, Algorithm, Aliases, HashedAddress, Keyring, Normalisation};
    /// let zed = Address::email("Zed@Example.com").unwrap();
    /// let listed = HashedAddress::of(&zed, &Algorithm::Md5(Normalisation::TrimLower)).unwrap();
    /// assert_eq!(listed.hex(), "0af3c3316e8990df892d23fca7707ea4");
    /// assert!(listed.matches(&zed, &Keyring::default(), Aliases::default()));
    /// ```
    pub fn matches(&self, address: &Address, keyring: &Keyring, aliases: Aliases) -> bool {
        if address.kind() != self.kind {
            return false;
        }
        match &self.algorithm {
            Algorithm::Keyed(id) => [Aliases::default(), aliases]
                .into_iter()
                .filter_map(|aliases| keyring.seal_class(*id, address, aliases))
                .any(|sealed| self.same_digest(&sealed)),
            plain => Self::of(address, plain).is_some_and(|hashed| self.same_digest(&hashed)),
        }
    }

    /// Compares without telling by its time how far the digests agree.
    fn same_digest(&self, other: &Self) -> bool {
        self.digest.len() == other.digest.len()
            && self.digest.iter().zip(&other.digest).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
    }

    /// The digest in lower-case hexadecimal.
    pub fn hex(&self) -> String {
        use std::fmt::Write as _;
        self.digest.iter().fold(String::with_capacity(self.digest.len() * 2), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// The raw digest in base64, as UID2 wants it.
    pub fn base64(&self) -> String {
        base64::engine::general_purpose::STANDARD.encode(&self.digest)
    }
}

/// The text that is hashed for exchange.
fn normalised(address: &Address, how: Normalisation) -> String {
    if address.kind() != AddressKind::Email {
        return address.canonical().to_owned();
    }
    let lower = address.raw().trim().to_lowercase();
    let Some((local, domain)) = lower.rsplit_once('@') else { return lower };
    let google = matches!(domain, "gmail.com" | "googlemail.com");
    match how {
        Normalisation::GoogleDots if google => format!("{}@{domain}", local.replace('.', "")),
        Normalisation::Uid2 if google => {
            let name = local.split_once('+').map_or(local, |(name, _)| name);
            format!("{}@gmail.com", name.replace('.', ""))
        }
        Normalisation::TrimLower | Normalisation::GoogleDots | Normalisation::Uid2 => lower,
    }
}
