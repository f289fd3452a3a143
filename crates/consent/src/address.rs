//! Addresses: how a person is reached, and when two spellings are the same.
//!
//! Two relations, and the first implies the second: `grant_eq` decides whom a consent speaks for and is narrow,
//! `suppress_eq` decides whom a refusal protects and is wide. A malformed address is still a person's data: it is kept
//! with its defect, never dropped.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use phonenumber::PhoneNumber;
use phonenumber::country::Source;
use unicode_normalization::UnicodeNormalization;

/// The kinds of address a channel can need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressKind {
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A postal address.
    Postal,
}

impl AddressKind {
    /// The name used in output and stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Postal => "postal",
        }
    }
}

/// Why an address cannot be written to. It can still be suppressed and erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Defect {
    /// Not `local@domain` as RFC 5321 and RFC 6531 allow.
    Syntax,
    /// The domain is no internationalised domain name (UTS 46).
    Domain,
    /// Longer than the 254 octets of RFC 5321.
    TooLong,
    /// Holds characters that cannot be seen, such as zero-width or bidirectional controls.
    Invisible,
    /// No number of the country it was given with (E.164).
    Number,
}

impl Defect {
    /// The defect in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "not an address",
            Self::Domain => "not a domain name",
            Self::TooLong => "too long",
            Self::Invisible => "invisible characters",
            Self::Number => "not a number of its country",
        }
    }
}

/// The optional widenings of `suppress_eq`. They widen suppression only, never a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Aliases {
    /// `name+tag@` and `name@` are one.
    pub plus: bool,
    /// Dots before `gmail.com` do not count, and `googlemail.com` is `gmail.com`.
    pub gmail_dots: bool,
}

impl Aliases {
    /// Both widenings: the widest class an address can fall into under any policy.
    pub const WIDEST: Self = Self { plus: true, gmail_dots: true };
}

/// One address of a person, with the spellings it is compared by.
///
/// Equality and order are those of `grant_eq`. `Debug` never prints the address.
#[derive(Clone)]
pub struct Address {
    kind: AddressKind,
    raw: Box<str>,
    grant: Box<str>,
    suppress: Box<str>,
    defect: Option<Defect>,
}

/// The longest text that is compared as an address; the rest is cut before it is normalised. RFC 5321 allows 254 octets,
/// postal addresses stay far below, and a hostile 100 KB "address" must cost nothing.
const TEXT_CHARS_MAX: usize = 1024;

/// The longest e-mail address, in bytes (RFC 5321, 4.5.3.1.3).
const EMAIL_BYTES_MAX: usize = 254;

impl Address {
    /// An e-mail address, or `None` for blank text.
    ///
    /// ```
    /// use unisson_consent::Address;
    /// let a = Address::email(" Ada@Bücher.example ").unwrap();
    /// let b = Address::email("ada@xn--bcher-kva.EXAMPLE").unwrap();
    /// assert!(a.grant_eq(&b));
    /// assert!(Address::email("ada.at.example").unwrap().defect().is_some());
    /// assert!(Address::email("  ").is_none());
    /// ```
    pub fn email(raw: &str) -> Option<Self> {
        let text = cut(raw)?;
        let mut defect = (text.len() > EMAIL_BYTES_MAX).then_some(Defect::TooLong);
        let Some((local, domain)) =
            text.rsplit_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty())
        else {
            let key = folded(&text);
            return Some(Self::new(AddressKind::Email, raw, &text.to_lowercase(), &key, Some(Defect::Syntax)));
        };
        let host = match idna::domain_to_ascii(domain) {
            Ok(host) if !host.is_empty() => host,
            _ => {
                defect = defect.or(Some(Defect::Domain));
                domain.to_lowercase()
            }
        };
        let local: String = local.nfc().collect();
        let grant_local = if local.is_ascii() { local.to_ascii_lowercase() } else { local.clone() };
        let suppress_local = if local.is_ascii() { visible(&grant_local) } else { folded(&local) };
        if visible(&local).len() != local.len() {
            defect = defect.or(Some(Defect::Invisible));
        } else if defect.is_none() && email_address::EmailAddress::from_str(&format!("{local}@{host}")).is_err() {
            defect = Some(Defect::Syntax);
        }
        let grant = format!("{grant_local}@{host}");
        // A host may be longer as it is on the wire.
        if grant.len() > EMAIL_BYTES_MAX {
            defect = defect.or(Some(Defect::TooLong));
        }
        let suppress = format!("{suppress_local}@{host}");
        Some(Self::new(AddressKind::Email, raw, &grant, &suppress, defect))
    }

    /// A telephone number, or `None` for blank text. `country` (ISO 3166-1 alpha-2) reads numbers in national form.
    ///
    /// ```
    /// use unisson_consent::Address;
    /// let national = Address::phone("06 12 34 56 78", Some("FR")).unwrap();
    /// let dialled = Address::phone("0033612345678", Some("FR")).unwrap();
    /// assert_eq!(national.canonical(), "+33612345678");
    /// assert!(national.grant_eq(&dialled));
    /// ```
    pub fn phone(raw: &str, country: Option<&str>) -> Option<Self> {
        let text = cut(raw)?;
        // A number in international form is the same in every country.
        let country = country.filter(|_| !is_international(&text));
        let country = country.and_then(|code| phonenumber::country::Id::from_str(&code.to_ascii_uppercase()).ok());
        let number = phonenumber::parse(country, text.as_ref()).ok().map(|number| dialled(&text, number));
        if let Some(e164) = number.and_then(|number| e164(&number)) {
            return Some(Self::new(AddressKind::Phone, raw, &e164, &e164, None));
        }
        let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
        let key = if digits.is_empty() { text.to_lowercase() } else { digits };
        Some(Self::new(AddressKind::Phone, raw, &key, &key, Some(Defect::Number)))
    }

    /// A postal address, or `None` for blank text. Case, spacing and punctuation do not count, words do.
    ///
    /// ```
    /// use unisson_consent::Address;
    /// let a = Address::postal("1 rue de la Paix, 75002 Paris").unwrap();
    /// let b = Address::postal("1 RUE DE LA PAIX  75002 PARIS").unwrap();
    /// assert!(a.grant_eq(&b));
    /// ```
    pub fn postal(raw: &str) -> Option<Self> {
        let text = cut(raw)?;
        let spaced: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        let folded = folded(&spaced);
        let words = folded.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';')).filter(|word| !word.is_empty());
        let key = words.collect::<Vec<_>>().join(" ");
        // Without a word it is nobody's, and all such would be each other's.
        if key.is_empty() {
            return None;
        }
        Some(Self::new(AddressKind::Postal, raw, &key, &key, None))
    }

    /// Reads text as an address of this kind.
    pub fn of_kind(kind: AddressKind, raw: &str, country: Option<&str>) -> Option<Self> {
        match kind {
            AddressKind::Email => Self::email(raw),
            AddressKind::Phone => Self::phone(raw, country),
            AddressKind::Postal => Self::postal(raw),
        }
    }

    fn new(kind: AddressKind, raw: &str, grant: &str, suppress: &str, defect: Option<Defect>) -> Self {
        Self { kind, raw: raw.into(), grant: grant.into(), suppress: suppress.into(), defect }
    }

    /// Rebuilds an address from the parts a store kept; the parts are trusted.
    pub fn from_parts(kind: AddressKind, raw: &str, grant: &str, suppress: &str, defect: Option<Defect>) -> Self {
        Self::new(kind, raw, grant, suppress, defect)
    }

    /// What kind of address it is.
    pub fn kind(&self) -> AddressKind {
        self.kind
    }

    /// The address as its source spelt it. Never log it.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The spelling by which grants are compared; for a number, its E.164 form. Never log it.
    pub fn canonical(&self) -> &str {
        &self.grant
    }

    /// The spelling by which suppressions are compared, before any widening. Never log it.
    pub fn suppress_key(&self) -> &str {
        &self.suppress
    }

    /// Why it cannot be written to, if so.
    pub fn defect(&self) -> Option<Defect> {
        self.defect
    }

    /// Whether a consent given on the one speaks for the other.
    pub fn grant_eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.grant == other.grant
    }

    /// Whether a refusal on the one protects the other.
    pub fn suppress_eq(&self, other: &Self, aliases: Aliases) -> bool {
        self.kind == other.kind && self.suppress_class(aliases) == other.suppress_class(aliases)
    }

    /// The class of spellings that a refusal covers under these widenings.
    ///
    /// ```
    /// use unisson_consent::{Address, Aliases};
    /// let tagged = Address::email("john.doe+promo@gmail.com").unwrap();
    /// assert_eq!(tagged.suppress_class(Aliases::default()), "john.doe+promo@gmail.com");
    /// assert_eq!(tagged.suppress_class(Aliases::WIDEST), "johndoe@gmail.com");
    /// ```
    pub fn suppress_class(&self, aliases: Aliases) -> Cow<'_, str> {
        if self.kind != AddressKind::Email || (!aliases.plus && !aliases.gmail_dots) {
            return Cow::Borrowed(&self.suppress);
        }
        let Some((local, domain)) = self.suppress.rsplit_once('@') else { return Cow::Borrowed(&self.suppress) };
        let google = matches!(domain, "gmail.com" | "googlemail.com");
        let local = match local.split_once('+') {
            Some((name, _)) if aliases.plus && !name.is_empty() => name,
            _ => local,
        };
        if google && aliases.gmail_dots {
            Cow::Owned(format!("{}@gmail.com", local.replace('.', "")))
        } else {
            Cow::Owned(format!("{local}@{domain}"))
        }
    }

    /// The part before the last `@`, for an e-mail address.
    pub fn local_part(&self) -> Option<&str> {
        (self.kind == AddressKind::Email).then(|| self.grant.rsplit_once('@').map(|(local, _)| local)).flatten()
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.grant_eq(other)
    }
}

impl Eq for Address {}

impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Address {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.kind, &self.grant).cmp(&(other.kind, &other.grant))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({}, …)", self.kind.as_str())
    }
}

/// Trims and bounds the text; `None` where nothing is left that anybody sees.
fn cut(raw: &str) -> Option<Cow<'_, str>> {
    let text = raw.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        _ if !text.chars().any(|c| is_visible(c) && !c.is_whitespace()) => None,
        Some((end, _)) => Some(Cow::Borrowed(&text[..end])),
        None => Some(Cow::Borrowed(text)),
    }
}

/// The text as it is compared without regard to case, width and other forms of compatibility, and without what no reader
/// sees. Folding twice reaches what folding itself brings about (Unicode, D146), so the result is its own fold.
fn folded(text: &str) -> String {
    let fold = |text: String| caseless::default_case_fold_str(&text.nfkc().collect::<String>());
    visible(&fold(fold(visible(text)))).nfkc().collect()
}

/// The text without characters that no reader sees (zero width, direction, byte order, control).
fn visible(text: &str) -> String {
    text.chars().filter(|c| is_visible(*c)).collect()
}

fn is_visible(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Whether a number says its country itself: by a plus before its first digit.
fn is_international(text: &str) -> bool {
    text.chars().find(|c| c.is_numeric() || matches!(c, '+' | '\u{ff0b}')).is_some_and(|first| !first.is_numeric())
}

/// A number dialled with the prefix for abroad, as the country that it names reads it: the parser takes a zero off it
/// that is none of that country's prefixes.
fn dialled(text: &str, number: PhoneNumber) -> PhoneNumber {
    if number.code().source() != Source::Idd {
        return number;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let abroad = digits.find(&number.code().value().to_string()).map(|start| format!("+{}", &digits[start..]));
    let again = abroad.and_then(|text| phonenumber::parse(None, text).ok());
    let same = |again: &PhoneNumber| {
        (again.code().value(), again.national().value()) == (number.code().value(), number.national().value())
    };
    again.filter(same).unwrap_or(number)
}

/// The E.164 form of a number that is read back as the same one. Of what only resembles a national number, whoever reads
/// the form takes other prefixes off; zeros in front belong to some numbers and are a prefix of others.
fn e164(number: &PhoneNumber) -> Option<String> {
    let written = |number: &PhoneNumber| number.format().mode(phonenumber::Mode::E164).to_string();
    let text = Some(written(number)).filter(|text| is_e164(text))?;
    let whole = number.code().source() == Source::Plus && number.national().zeros() == 0;
    let lasts = || phonenumber::parse(None, &text).is_ok_and(|again| written(&again) == text);
    (whole || lasts()).then_some(text)
}

/// `^\+[1-9]\d{1,14}$`, the E.164 form.
fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (2..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
    })
}
