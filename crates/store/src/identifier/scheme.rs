//! Schemes: the ways in which the digests of addresses were made, by others and by ourselves.
//!
//! A digest leads to nobody by itself. Where one is told, every address is found by its digest under the same scheme as
//! well, so that both are one person's whichever came first. What was made under a key of our own takes that key; a digest
//! does not tell which spellings its class took together, so an address is found by the digest of each class that a law may
//! use.

use unisson_consent::{Address, AddressKind, Algorithm, Aliases, HashedAddress, KeyId, Keyring};

use super::digest::{algorithm_name, parse_algorithm, parse_kind};
use super::{Identifier, IdentifierKind};
use crate::error::{Result, StoreError, StoreErrorKind};

/// What was hashed, and how.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scheme {
    kind: AddressKind,
    way: Way,
}

/// How a digest was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Way {
    /// As anybody can follow.
    Open(Algorithm),
    /// Under a key, over the class in which tags, or dots before `gmail.com`, may not count.
    Keyed { key: KeyId, plus: bool, dots: bool },
}

/// A digest that an address has under a scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Borne {
    /// The digest, as it is told.
    pub digest: Identifier,
    /// Its narrow key.
    pub key: i64,
}

impl Scheme {
    /// The schemes under which a digest may have been made: one that anybody can follow, or each class of a key.
    ///
    /// ```
    /// use unisson_consent::{Address, Algorithm, HashedAddress, Keyring, Normalisation};
    /// use unisson_store::identifier::Scheme;
    /// let ada = Address::email("Ada@example.org").unwrap();
    /// let listed = HashedAddress::of(&ada, &Algorithm::Sha256(Normalisation::TrimLower)).unwrap();
    /// let [scheme] = &Scheme::all_of(&listed)[..] else { panic!() };
    /// assert_eq!(scheme.name(), "email:sha256-lower");
    /// assert_eq!(Scheme::parse("email:sha256-lower").as_ref(), Some(scheme));
    /// assert_eq!(scheme.digest(&ada, &Keyring::default()), Some(listed));
    /// ```
    pub fn all_of(hashed: &HashedAddress) -> Vec<Self> {
        let kind = hashed.kind;
        let Algorithm::Keyed(key) = hashed.algorithm else {
            return vec![Self { kind, way: Way::Open(hashed.algorithm.clone()) }];
        };
        // Only addresses of mail have wider classes.
        let classes = if kind == AddressKind::Email { 4 } else { 1 };
        let classes = [(false, false), (true, false), (false, true), (true, true)].into_iter().take(classes);
        classes.map(|(plus, dots)| Self { kind, way: Way::Keyed { key, plus, dots } }).collect()
    }

    /// The name in a store.
    pub fn name(&self) -> String {
        let kind = self.kind.as_str();
        match &self.way {
            Way::Open(algorithm) => format!("{kind}:{}", algorithm_name(algorithm)),
            Way::Keyed { key, plus, dots } => {
                let (plus, dots) = (if *plus { "-plus" } else { "" }, if *dots { "-dots" } else { "" });
                format!("{kind}:{}{plus}{dots}", algorithm_name(&Algorithm::Keyed(*key)))
            }
        }
    }

    /// Reads a name; `None` for anything else.
    pub fn parse(name: &str) -> Option<Self> {
        let (kind, way) = name.split_once(':')?;
        let (rest, dots) = way.strip_suffix("-dots").map_or((way, false), |rest| (rest, true));
        let (rest, plus) = rest.strip_suffix("-plus").map_or((rest, false), |rest| (rest, true));
        let way = match parse_algorithm(rest)? {
            Algorithm::Keyed(key) => Way::Keyed { key, plus, dots },
            open if !plus && !dots => Way::Open(open),
            _ => return None,
        };
        Some(Self { kind: parse_kind(kind)?, way })
    }

    /// The kind of the identifiers that have digests under it.
    pub fn of_kind(&self) -> IdentifierKind {
        IdentifierKind::of_address(self.kind)
    }

    /// The key that it takes.
    pub fn key(&self) -> Option<KeyId> {
        match self.way {
            Way::Open(_) => None,
            Way::Keyed { key, .. } => Some(key),
        }
    }

    /// The digest of an address; `None` where the scheme is for another kind, or its key is not at hand.
    pub fn digest(&self, address: &Address, keyring: &Keyring) -> Option<HashedAddress> {
        if address.kind() != self.kind {
            return None;
        }
        match &self.way {
            Way::Open(algorithm) => HashedAddress::of(address, algorithm),
            Way::Keyed { key, plus, dots } => {
                keyring.seal_class(*key, address, Aliases { plus: *plus, gmail_dots: *dots })
            }
        }
    }
}

impl Identifier {
    /// The digests that an address has under these schemes, each once; nothing for any other identifier.
    pub fn borne(&self, schemes: &[Scheme], keyring: &Keyring) -> Vec<Borne> {
        if schemes.is_empty() {
            return Vec::new();
        }
        let Ok(address) = self.address() else { return Vec::new() };
        let mut borne: Vec<Borne> = Vec::new();
        for digest in schemes.iter().filter_map(|scheme| scheme.digest(&address, keyring)) {
            let (key, digest) = (key_of(&digest), Self::from(&digest));
            if !borne.iter().any(|known| known.key == key && known.digest == digest) {
                borne.push(Borne { digest, key });
            }
        }
        borne
    }

    /// Whether an address has this digest, in one of the ways it may have been made.
    pub fn bears(&self, digest: &HashedAddress, keyring: &Keyring) -> Result<bool> {
        let address = self.address()?;
        Ok(Scheme::all_of(digest).iter().any(|scheme| scheme.digest(&address, keyring).as_ref() == Some(digest)))
    }
}

/// Refuses schemes whose key is not at hand.
pub fn require_keys<'s>(
    schemes: impl IntoIterator<Item = &'s Scheme>,
    keyring: &Keyring,
    during: &'static str,
) -> Result<()> {
    let Some(key) = schemes.into_iter().filter_map(Scheme::key).find(|key| !keyring.has(*key)) else { return Ok(()) };
    let what = format!(
        "people were erased under tombstone key {}, which is not at hand: restore the key file that holds it; without it, \
         nobody erased under it would be recognised",
        key.0
    );
    Err(StoreError::new(StoreErrorKind::Unavailable, during, what))
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
    use unisson_consent::Normalisation;

    use super::*;

    fn ring() -> Keyring {
        let mut ring = Keyring::default();
        ring.insert(KeyId(1), vec![7; 32]);
        ring
    }

    #[test]
    fn every_scheme_survives_its_name() {
        let hows = [Normalisation::TrimLower, Normalisation::GoogleDots, Normalisation::Uid2];
        let algorithms =
            hows.into_iter().flat_map(|how| [Algorithm::Md5(how), Algorithm::Sha1(how), Algorithm::Sha256(how)]);
        for algorithm in algorithms.chain([Algorithm::Keyed(KeyId(12))]) {
            for kind in [AddressKind::Email, AddressKind::Phone] {
                let hashed = HashedAddress { kind, algorithm: algorithm.clone(), digest: vec![1; 16] };
                for scheme in Scheme::all_of(&hashed) {
                    assert_eq!(Scheme::parse(&scheme.name()), Some(scheme));
                }
            }
        }
        for name in ["", "email", "email:key-", "email:md5-lower-dots", "fax:md5-lower", "email:md6-lower"] {
            assert_eq!(Scheme::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_digest_under_a_key_may_be_of_any_class_and_a_telephone_has_one() {
        let names = |sealed| Scheme::all_of(&sealed).iter().map(Scheme::name).collect::<Vec<_>>();
        let mail = ring().seal(KeyId(1), &Address::email("ada@example.org").unwrap()).unwrap();
        assert_eq!(names(mail), ["email:key-1", "email:key-1-plus", "email:key-1-dots", "email:key-1-plus-dots"]);
        let phone = ring().seal(KeyId(1), &Address::phone("+33612345678", None).unwrap()).unwrap();
        assert_eq!(names(phone), ["phone:key-1"]);
    }

    #[test]
    fn an_address_bears_the_digest_of_every_class_it_falls_into_and_needs_the_key() {
        let spelt = |raw| Identifier::from(&Address::email(raw).unwrap());
        let wide = Address::email("jdoe@gmail.com").unwrap();
        let sealed = ring().seal_class(KeyId(1), &wide, Aliases::WIDEST).unwrap();
        assert!(spelt("J.Doe+shop@googlemail.com").bears(&sealed, &ring()).unwrap());
        assert!(!spelt("J.Doe+shop@googlemail.com").bears(&sealed, &Keyring::default()).unwrap());
        assert!(!spelt("jdo@gmail.com").bears(&sealed, &ring()).unwrap());
        let schemes = Scheme::all_of(&sealed);
        assert_eq!(spelt("ada@example.org").borne(&schemes, &ring()).len(), 1, "all its classes are one");
        assert_eq!(spelt("a.da+x@gmail.com").borne(&schemes, &ring()).len(), 4);
        assert_eq!(spelt("a.da+x@gmail.com").borne(&schemes, &Keyring::default()), []);
    }

    #[test]
    fn a_key_that_is_not_at_hand_is_named_with_what_to_do() {
        let scheme = Scheme::parse("email:key-3").unwrap();
        let error = require_keys([&scheme], &ring(), "open the store").unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(error.to_string().contains("key 3") && error.to_string().contains("restore the key file"), "{error}");
        require_keys(
            &Scheme::all_of(&ring().seal(KeyId(1), &Address::email("a@b.test").unwrap()).unwrap()),
            &ring(),
            "",
        )
        .unwrap();
    }

    #[test]
    fn an_address_bears_the_digests_of_its_kind_only() {
        let none = Keyring::default();
        let mail = Identifier::from(&Address::email(" Zed@Example.com").unwrap());
        let phone = Identifier::from(&Address::phone("+33612345678", None).unwrap());
        let schemes = ["email:md5-lower", "phone:md5-lower"].map(|name| Scheme::parse(name).unwrap());
        let borne = mail.borne(&schemes, &none);
        assert_eq!(borne.len(), 1);
        assert_eq!(borne[0].digest.hashed().unwrap().hex(), "0af3c3316e8990df892d23fca7707ea4");
        assert_eq!(borne[0].key.to_le_bytes()[..2], [0x0a, 0xf3]);
        assert_eq!(phone.borne(&schemes, &none).len(), 1);
        assert!(mail.borne(&[], &none).is_empty() && borne[0].digest.borne(&schemes, &none).is_empty());
    }
}
