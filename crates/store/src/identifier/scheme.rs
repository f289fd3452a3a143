//! Schemes: the ways in which others made the digests they handed us.
//!
//! A digest leads to nobody by itself. Where one is told, every address is found by its digest under the same scheme as
//! well, so that both are one person's whichever came first. What was made under a key of our own has no scheme: only who
//! holds the key can compare it.

use unisson_consent::{Address, AddressKind, Algorithm, HashedAddress};

use super::digest::{algorithm_name, parse_algorithm, parse_kind};
use super::{Identifier, IdentifierKind};

/// What was hashed, and how: anybody can follow it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scheme {
    kind: AddressKind,
    algorithm: Algorithm,
}

/// A digest that an address has under a scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Borne {
    /// The digest, as it is told by others.
    pub digest: Identifier,
    /// Its narrow key.
    pub key: i64,
}

impl Scheme {
    /// How a digest was made; `None` where it takes a key.
    ///
    /// ```
    /// use unisson_consent::{Address, Algorithm, HashedAddress, Normalisation};
    /// use unisson_store::identifier::Scheme;
    /// let ada = Address::email("Ada@example.org").unwrap();
    /// let listed = HashedAddress::of(&ada, &Algorithm::Sha256(Normalisation::TrimLower)).unwrap();
    /// let scheme = Scheme::of(&listed).unwrap();
    /// assert_eq!(scheme.name(), "email:sha256-lower");
    /// assert_eq!(Scheme::parse("email:sha256-lower"), Some(scheme.clone()));
    /// assert_eq!(scheme.digest(&ada), Some(listed));
    /// ```
    pub fn of(hashed: &HashedAddress) -> Option<Self> {
        match &hashed.algorithm {
            Algorithm::Keyed(_) => None,
            algorithm => Some(Self { kind: hashed.kind, algorithm: algorithm.clone() }),
        }
    }

    /// The name in a store.
    pub fn name(&self) -> String {
        format!("{}:{}", self.kind.as_str(), algorithm_name(&self.algorithm))
    }

    /// Reads a name; `None` for anything else.
    pub fn parse(name: &str) -> Option<Self> {
        let (kind, algorithm) = name.split_once(':')?;
        let (kind, algorithm) = (parse_kind(kind)?, parse_algorithm(algorithm)?);
        (!matches!(algorithm, Algorithm::Keyed(_))).then_some(Self { kind, algorithm })
    }

    /// The kind of the identifiers that have digests under it.
    pub fn of_kind(&self) -> IdentifierKind {
        IdentifierKind::of_address(self.kind)
    }

    /// The digest of an address; `None` where the scheme is for another kind.
    pub fn digest(&self, address: &Address) -> Option<HashedAddress> {
        if address.kind() == self.kind { HashedAddress::of(address, &self.algorithm) } else { None }
    }
}

impl Identifier {
    /// The digests that an address has under these schemes; nothing for any other identifier.
    pub fn borne(&self, schemes: &[Scheme]) -> Vec<Borne> {
        if schemes.is_empty() {
            return Vec::new();
        }
        let Ok(address) = self.address() else { return Vec::new() };
        let digests = schemes.iter().filter_map(|scheme| scheme.digest(&address));
        digests.map(|digest| Borne { key: key_of(&digest), digest: Self::from(&digest) }).collect()
    }
}

/// A narrow key of a digest: its first eight bytes. Different digests may share one, so compare the digest as well.
pub fn key_of(hashed: &HashedAddress) -> i64 {
    let mut key = [0; 8];
    for (to, from) in key.iter_mut().zip(&hashed.digest) {
        *to = *from;
    }
    i64::from_le_bytes(key)
}

#[cfg(test)]
mod tests {
    use unisson_consent::{KeyId, Keyring, Normalisation};

    use super::*;

    #[test]
    fn every_open_scheme_survives_its_name_and_a_key_is_none() {
        let hows = [Normalisation::TrimLower, Normalisation::GoogleDots, Normalisation::Uid2];
        let algorithms =
            hows.into_iter().flat_map(|how| [Algorithm::Md5(how), Algorithm::Sha1(how), Algorithm::Sha256(how)]);
        for algorithm in algorithms {
            let hashed = HashedAddress { kind: AddressKind::Phone, algorithm, digest: vec![1; 16] };
            let scheme = Scheme::of(&hashed).unwrap();
            assert_eq!(Scheme::parse(&scheme.name()), Some(scheme));
        }
        let mut ring = Keyring::default();
        ring.insert(KeyId(1), vec![7; 32]);
        let sealed = ring.seal(KeyId(1), &Address::email("ada@example.org").unwrap()).unwrap();
        assert_eq!(Scheme::of(&sealed), None);
        for name in ["", "email", "email:key-1", "fax:md5-lower", "email:md6-lower"] {
            assert_eq!(Scheme::parse(name), None, "{name}");
        }
    }

    #[test]
    fn an_address_bears_the_digests_of_its_kind_only() {
        let mail = Identifier::from(&Address::email(" Zed@Example.com").unwrap());
        let phone = Identifier::from(&Address::phone("+33612345678", None).unwrap());
        let schemes = ["email:md5-lower", "phone:md5-lower"].map(|name| Scheme::parse(name).unwrap());
        let borne = mail.borne(&schemes);
        assert_eq!(borne.len(), 1);
        assert_eq!(borne[0].digest.hashed().unwrap().hex(), "0af3c3316e8990df892d23fca7707ea4");
        assert_eq!(borne[0].key.to_le_bytes()[..2], [0x0a, 0xf3]);
        assert_eq!(phone.borne(&schemes).len(), 1);
        assert!(mail.borne(&[]).is_empty() && borne[0].digest.borne(&schemes).is_empty());
    }
}
