//! Shapes of lists: one address as itself, or as a digest of it. Reading and writing are each other's reverse.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use unisson_consent::{Address, AddressKind, Algorithm, HashedAddress, Normalisation};

/// How one address is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// As it is: e-mail and postal addresses as their source spelt them, numbers in E.164 form.
    Plain,
    /// Its SHA-256 in hexadecimal: Meta, `LinkedIn`, `TikTok`, Google Customer Match.
    Sha256,
    /// Its SHA-256 in base64 of the raw digest: UID2.
    Sha256Base64,
    /// Its SHA-1 in hexadecimal: `OpenDSR`.
    Sha1,
    /// Its SHA-1 in base64 of the raw digest.
    Sha1Base64,
    /// Its MD5 in hexadecimal: what most mail platforms take.
    Md5,
    /// Its MD5 in base64 of the raw digest.
    Md5Base64,
}

/// Base64 in either alphabet, with or without padding: digests are told apart by their length.
const READERS: [GeneralPurpose; 2] = [
    GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    ),
    GeneralPurpose::new(
        &URL_SAFE,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    ),
];

/// The longest text that can be a digest, in bytes.
const DIGEST_TEXT_BYTES_MAX: usize = 64;

impl Shape {
    /// Every shape with the name used on the command line and in headers.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Plain, "plain"),
        (Self::Sha256, "sha256"),
        (Self::Sha256Base64, "sha256-base64"),
        (Self::Sha1, "sha1"),
        (Self::Sha1Base64, "sha1-base64"),
        (Self::Md5, "md5"),
        (Self::Md5Base64, "md5-base64"),
    ];

    /// The name used on the command line and in headers.
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The shape in words, such as "the SHA-256 in base64".
    pub fn words(self) -> &'static str {
        match self {
            Self::Plain => "as they are",
            Self::Sha256 => "as SHA-256 in hexadecimal",
            Self::Sha256Base64 => "as SHA-256 in base64",
            Self::Sha1 => "as SHA-1 in hexadecimal",
            Self::Sha1Base64 => "as SHA-1 in base64",
            Self::Md5 => "as MD5 in hexadecimal",
            Self::Md5Base64 => "as MD5 in base64",
        }
    }

    /// How digests of this shape are made of addresses in that spelling; `None` where nothing is hashed.
    pub fn algorithm(self, spelling: Normalisation) -> Option<Algorithm> {
        match self {
            Self::Plain => None,
            Self::Sha256 | Self::Sha256Base64 => Some(Algorithm::Sha256(spelling)),
            Self::Sha1 | Self::Sha1Base64 => Some(Algorithm::Sha1(spelling)),
            Self::Md5 | Self::Md5Base64 => Some(Algorithm::Md5(spelling)),
        }
    }

    /// An address written like this; e-mail addresses are hashed trimmed and in lower case, numbers in E.164 form.
    pub(crate) fn write(self, address: &Address) -> String {
        let digest = self.algorithm(Normalisation::TrimLower).and_then(|how| HashedAddress::of(address, &how));
        match digest {
            Some(digest) if self.is_base64() => digest.base64(),
            Some(digest) => digest.hex(),
            None if address.kind() == AddressKind::Phone => address.canonical().to_owned(),
            None => address.raw().trim().to_owned(),
        }
    }

    /// The digest that a cell holds in this shape; `None` for anything else.
    pub(crate) fn read(self, cell: &str) -> Option<Vec<u8>> {
        let bytes = self.digest_bytes().filter(|_| cell.len() <= DIGEST_TEXT_BYTES_MAX)?;
        let digest =
            if self.is_base64() { READERS.iter().find_map(|reader| reader.decode(cell).ok()) } else { unhex(cell) };
        digest.filter(|digest| digest.len() == bytes)
    }

    /// The shape of a digest that a cell certainly holds: hexadecimal digits or padded base64 of exactly its length.
    pub(crate) fn recognise(cell: &str) -> Option<Self> {
        let digests = Self::ALL.into_iter().map(|(shape, _)| shape).filter(|shape| *shape != Self::Plain);
        digests.into_iter().find(|shape| shape.read(cell).is_some() && (!shape.is_base64() || cell.ends_with('=')))
    }

    fn is_base64(self) -> bool {
        matches!(self, Self::Sha256Base64 | Self::Sha1Base64 | Self::Md5Base64)
    }

    fn digest_bytes(self) -> Option<usize> {
        match self {
            Self::Plain => None,
            Self::Sha256 | Self::Sha256Base64 => Some(32),
            Self::Sha1 | Self::Sha1Base64 => Some(20),
            Self::Md5 | Self::Md5Base64 => Some(16),
        }
    }
}

/// The name of the only column of a list: what was done to the addresses.
pub(crate) fn header(kind: AddressKind, shape: Shape) -> String {
    if shape == Shape::Plain {
        return kind.as_str().to_owned();
    }
    let spelling = match kind {
        AddressKind::Email => "lowercase_trimmed",
        AddressKind::Phone => "e164",
        AddressKind::Postal => "casefolded_words",
    };
    format!("{}_{spelling}", shape.as_str().replace('-', "_"))
}

/// What kind of address a column is of, as far as its name says. Names that speak of both say nothing.
pub(crate) fn kind_of_header(name: &str) -> Option<AddressKind> {
    let name = name.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match (says(&["mail", "lowercase"]), says(&["phone", "mobile", "sms", "e164", "msisdn", "portable"])) {
        (true, false) => Some(AddressKind::Email),
        (false, true) => Some(AddressKind::Phone),
        _ => None,
    }
}

/// The bytes of hexadecimal digits in any case; `None` for anything else.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read_back_and_recognised(local in "[a-zA-Z0-9.+]{1,20}", place in 1..Shape::ALL.len()) {
            let address = Address::email(&format!(" {local}@Example.ORG")).unwrap();
            let shape = Shape::ALL[place].0;
            let cell = shape.write(&address);
            let made = HashedAddress::of(&address, &shape.algorithm(Normalisation::TrimLower).unwrap()).unwrap();
            prop_assert_eq!(shape.read(&cell).unwrap(), made.digest);
            prop_assert_eq!(Shape::recognise(&cell), Some(shape));
        }

        #[test]
        fn no_text_is_a_digest_of_another_length(text in "[0-9a-fA-F+/=_-]{0,80}") {
            for (shape, _) in Shape::ALL {
                prop_assert!(shape.read(&text).is_none_or(|digest| Some(digest.len()) == shape.digest_bytes()));
            }
        }
    }

    #[test]
    fn the_digests_of_a_known_address_are_the_known_ones() {
        let zed = Address::email(" Zed@Example.com").unwrap();
        assert_eq!(Shape::Plain.write(&zed), "Zed@Example.com");
        assert_eq!(Shape::Md5.write(&zed), "0af3c3316e8990df892d23fca7707ea4");
        assert_eq!(Shape::Md5Base64.write(&zed), "CvPDMW6JkN+JLSP8p3B+pA==");
        assert_eq!(
            Shape::Md5.read("0AF3C3316E8990DF892D23FCA7707EA4"),
            Shape::Md5Base64.read("CvPDMW6JkN-JLSP8p3B-pA")
        );
    }

    #[test]
    fn what_only_resembles_a_digest_is_none() {
        for text in ["", "507f1f77bcf86cd799439011", "zed@example.com", "+33612345678", "CvPDMW6JkN+JLSP8p3B+pA", "x"] {
            assert_eq!(Shape::recognise(text), None, "{text}");
        }
        assert_eq!(Shape::Md5.read(&"0".repeat(100_000)), None);
    }

    #[test]
    fn headers_name_what_was_done_and_say_of_what() {
        assert_eq!(header(AddressKind::Email, Shape::Md5), "md5_lowercase_trimmed");
        assert_eq!(header(AddressKind::Phone, Shape::Sha256Base64), "sha256_base64_e164");
        for kind in [AddressKind::Email, AddressKind::Phone] {
            for (shape, _) in Shape::ALL {
                assert_eq!(kind_of_header(&header(kind, shape)), Some(kind));
            }
        }
        assert_eq!(kind_of_header("hash"), None);
        assert_eq!(kind_of_header("e-mail or phone"), None);
    }
}
