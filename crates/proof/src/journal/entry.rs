//! What stands in a journal. Nothing in it names a person: addresses are sealed under a key that lies elsewhere.

use std::fmt;

use jiff::Timestamp;
use unisson_consent::{AddressKind, Algorithm, FactId, HashedAddress, KeyId};
use unisson_plan::erasure::{CaseId, CaseState};

use crate::digest::Digest32;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place, from 1.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What it says.
    pub record: Record,
    /// Its hash.
    pub hash: Digest32,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// An address was erased, and must not come back.
    Tombstone {
        /// The case it was erased in.
        case: CaseId,
        /// The fact of the ledger.
        fact: FactId,
        /// The address, sealed.
        seal: Seal,
        /// When the erasure was asked for.
        erased_at: Timestamp,
    },
    /// Somebody objected and was told that it counts (art. 21).
    Objection {
        /// The fact of the ledger.
        fact: FactId,
        /// The address, sealed.
        seal: Seal,
        /// Since when it counts.
        since: Timestamp,
    },
    /// Processing was restricted, and the person told so (art. 18).
    Restriction {
        /// The fact of the ledger.
        fact: FactId,
        /// The address, sealed.
        seal: Seal,
        /// Since when it counts.
        since: Timestamp,
    },
    /// A case came so far. The time is that of the entry.
    Case {
        /// Which.
        case: CaseId,
        /// How far.
        state: CaseState,
    },
    /// The head of the store's ledger at the end of a run.
    Ledger {
        /// How many commits it has.
        commits: u64,
        /// The hash of the last.
        head: Digest32,
    },
}

/// An address under a key: its kind, and the keyed digest of its class.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// What kind of address it is.
    pub address: AddressKind,
    /// The key.
    pub key: KeyId,
    /// The digest.
    pub class: Digest32,
}

impl Seal {
    /// The seal of a keyed digest; `None` for one without a key, which could be tried out.
    ///
    /// ```
    /// use unisson_consent::{Address, Algorithm, HashedAddress, KeyId, Keyring, Normalisation};
    /// use unisson_proof::Seal;
    /// let mut ring = Keyring::default();
    /// ring.insert(KeyId(1), vec![7; 32]);
    /// let ada = Address::email("ada@example.org").unwrap();
    /// let sealed = ring.seal(KeyId(1), &ada).unwrap();
    /// assert_eq!(Seal::of(&sealed).unwrap().to_hashed(), sealed);
    /// let plain = HashedAddress::of(&ada, &Algorithm::Sha256(Normalisation::TrimLower)).unwrap();
    /// assert_eq!(Seal::of(&plain), None);
    /// ```
    pub fn of(hashed: &HashedAddress) -> Option<Self> {
        let Algorithm::Keyed(key) = hashed.algorithm else { return None };
        let class = <[u8; 32]>::try_from(hashed.digest.as_slice()).ok()?;
        Some(Self { address: hashed.kind, key, class: Digest32(class) })
    }

    /// The keyed digest, for a fact.
    pub fn to_hashed(&self) -> HashedAddress {
        HashedAddress { kind: self.address, algorithm: Algorithm::Keyed(self.key), digest: self.class.0.to_vec() }
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seal({}, {:?}, …)", self.address.as_str(), self.key)
    }
}
