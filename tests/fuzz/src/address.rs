//! Normalisation of addresses: total, stable, and its own fixed point wherever it accepts.

use unisson_consent::{Address, AddressKind, Algorithm, Aliases, HashedAddress, Normalisation};
use unisson_store::identifier::Identifier;

/// Words that addresses are made of.
pub const WORDS: &[&[u8]] = &[
    b"@example.org",
    b"@gmail.com",
    b"+tag",
    b"xn--",
    b"\"a b\"",
    b"0033",
    b"+33612345678",
    b";ext=",
    b"(0)",
    "\u{fdfa}".as_bytes(),
    "\u{fb03}".as_bytes(),
    "\u{130}".as_bytes(),
    "\u{200b}".as_bytes(),
    "\u{feff}".as_bytes(),
    "\u{e9}".as_bytes(),
    "e\u{301}".as_bytes(),
    "\u{3002}".as_bytes(),
    "\u{ff20}".as_bytes(),
    "\u{202e}".as_bytes(),
];

/// The longest spelling that is compared, in bytes: 1,024 characters, of which some become eighteen.
const SPELLING_BYTES_MAX: usize = 64 * 1024;

/// How much of an address is compared, in characters.
const COMPARED_CHARS_MAX: usize = 1024;

/// Reads text as an address of every kind.
///
/// # Panics
/// Where a promise is broken.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let countries = [None, Some("FR"), Some("US"), Some("gb"), Some("??")];
    let numbers = countries.map(|country| (AddressKind::Phone, country));
    for (kind, country) in [(AddressKind::Email, None), (AddressKind::Postal, None)].into_iter().chain(numbers) {
        let read = |text: &str| Address::of_kind(kind, text, country);
        let Some(address) = read(&text) else {
            assert!(read(&format!(" {text}")).is_none(), "blank text is nobody's address, whatever stands around it");
            continue;
        };
        assert_eq!(address.raw(), text, "the spelling of the source is kept");
        for spelling in [address.canonical(), address.suppress_key()] {
            assert!(spelling.len() <= SPELLING_BYTES_MAX, "a spelling has {} bytes", spelling.len());
        }
        alike(&address, read(&text).as_ref(), "read twice");
        alike(&address, read(&format!("\u{feff} {text}\t")).as_ref(), "between spaces");
        for aliases in [Aliases::default(), Aliases::WIDEST] {
            assert!(address.suppress_eq(&address, aliases));
        }
        assert!(format!("{address:?}") == format!("Address({}, …)", kind.as_str()), "an address is never printed");
        // What grows beyond the bound of its kind when it is normalised is cut when it is read again.
        if address.defect().is_none() && address.canonical().chars().count() <= COMPARED_CHARS_MAX {
            accepted(&address, read);
        }
        kept(&address);
    }
}

/// What was accepted is accepted in the spelling it is compared by, and is then the same.
fn accepted(address: &Address, read: impl Fn(&str) -> Option<Address>) {
    let again = read(address.canonical());
    alike(address, again.as_ref(), "in its own spelling");
    assert!(again.is_some_and(|again| again.defect().is_none()), "the spelling it is compared by is accepted");
    // Letters in a number are digits or an extension, as its writer chose.
    if address.kind() != AddressKind::Phone {
        let upper = read(&address.raw().to_ascii_uppercase());
        let same = upper.is_some_and(|upper| upper.suppress_eq(address, Aliases::default()));
        assert!(same, "a refusal holds in capitals");
    }
    let widest = address.suppress_class(Aliases::WIDEST);
    let whole = read(&widest).map(|whole| whole.suppress_class(Aliases::WIDEST).into_owned());
    assert_eq!(whole.as_deref(), Some(&*widest), "the widest class of a class is itself");
}

#[track_caller]
fn alike(address: &Address, other: Option<&Address>, what: &str) {
    let same = other.is_some_and(|other| address.grant_eq(other) && address.suppress_key() == other.suppress_key());
    assert!(same, "the same {} address {what}", address.kind().as_str());
}

/// A store gives it back as it was, and its digests are found again.
fn kept(address: &Address) {
    let identifier = Identifier::from(address);
    let back = Identifier::from_columns(identifier.columns(), 7).and_then(|back| back.address());
    let same = back.is_ok_and(|back| {
        (back.raw(), back.canonical(), back.suppress_key(), back.defect())
            == (address.raw(), address.canonical(), address.suppress_key(), address.defect())
    });
    assert!(same, "a store gives an address back as it was");
    for spelling in [Normalisation::TrimLower, Normalisation::GoogleDots] {
        let algorithm = Algorithm::Sha256(spelling);
        let digest = HashedAddress::of(address, &algorithm);
        let found = digest
            .is_none_or(|digest| digest.matches(address, &unisson_consent::Keyring::default(), Aliases::default()));
        assert!(found, "an address matches its own digest");
    }
}
