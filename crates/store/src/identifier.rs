//! Identifiers as they are kept: apart from everything else, in one erasable table, behind numbers.
//!
//! Nothing that is encoded holds an address, a customer number, a person's id or a day of birth; it holds the number of a
//! row of this kind. Erasing the row takes the identifier out of every fact without touching the ledger.

mod digest;
mod scheme;

use std::fmt;
use std::hash::{Hash, Hasher};

use jiff::civil::Date;
use sha2::Digest as _;
use unisson_consent::{Address, AddressKind, Aliases, CustomerNo, Defect, HashedAddress, PersonId};

use crate::error::{Result, StoreError, StoreErrorKind};

pub use scheme::{Borne, Scheme, key_of, require_keys};

/// What kind of identifier a row holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentifierKind {
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A postal address.
    Postal,
    /// A customer number.
    Customer,
    /// A person's id.
    Person,
    /// The day of birth that one record shows.
    Birth,
    /// The digest of an address.
    Hashed,
}

impl IdentifierKind {
    /// Every kind; the index is the code in a store.
    const ALL: [Self; 7] =
        [Self::Email, Self::Phone, Self::Postal, Self::Customer, Self::Person, Self::Birth, Self::Hashed];

    /// The code in a store.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The kind of an address.
    pub fn of_address(kind: AddressKind) -> Self {
        match kind {
            AddressKind::Email => Self::Email,
            AddressKind::Phone => Self::Phone,
            AddressKind::Postal => Self::Postal,
        }
    }

    /// The kind of a code.
    pub fn from_code(code: u8) -> Result<Self> {
        Self::ALL.get(usize::from(code)).copied().ok_or_else(|| unreadable("an unknown kind"))
    }
}

/// One identifier exactly as it was spelt. `Debug` never prints it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Identifier {
    kind: IdentifierKind,
    raw: Box<str>,
    /// `None` where it is the raw spelling.
    grant: Option<Box<str>>,
    /// `None` where it is the one above.
    suppress: Option<Box<str>>,
    defect: Option<Defect>,
    /// The record that a day of birth belongs to, so that it can be erased for one person alone; 0 for everything else.
    owner: u64,
}

/// The columns of an identifier in a table.
#[derive(Clone, PartialEq, Eq)]
pub struct Columns {
    /// What it is: [`IdentifierKind::code`].
    pub kind: u8,
    /// As it was spelt.
    pub raw: String,
    /// The spelling by which grants are compared, where it is another one.
    pub grant: Option<String>,
    /// The spelling by which suppressions are compared, where it is another one again.
    pub suppress: Option<String>,
    /// Why an address cannot be written to, as a code.
    pub defect: Option<u8>,
}

/// What joins records: all spellings of one address under every policy, one customer number, one person id.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Class {
    kind: IdentifierKind,
    text: String,
    key: i64,
}

impl Hash for Class {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_i64(self.key);
    }
}

impl Class {
    /// The widest suppression class of an address.
    pub fn of_address(address: &Address) -> Self {
        Identifier::from(address).class()
    }

    /// The class of a customer number.
    pub fn of_customer(customer: &CustomerNo) -> Self {
        Self::new(IdentifierKind::Customer, customer.as_str().to_owned())
    }

    /// A narrow key for an index. Different classes may share one, so compare the class as well.
    pub fn key(&self) -> i64 {
        self.key
    }

    fn new(kind: IdentifierKind, text: String) -> Self {
        let key = narrow(&[&[kind.code()], text.as_bytes()]);
        Self { kind, text, key }
    }
}

impl Identifier {
    /// The day of birth that a record shows.
    pub fn birth(owner: u64, day: Date) -> Self {
        Self { owner, ..Self::plain(IdentifierKind::Birth, &day.to_string()) }
    }

    /// Rebuilds an identifier from its columns and the record it was first seen on.
    pub fn from_columns(columns: Columns, record: u64) -> Result<Self> {
        let kind = IdentifierKind::from_code(columns.kind)?;
        let defect = match columns.defect {
            None => None,
            Some(code) => Some(defect_of(code).ok_or_else(|| unreadable("an unknown defect"))?),
        };
        Ok(Self {
            kind,
            raw: columns.raw.into(),
            grant: columns.grant.map(Into::into),
            suppress: columns.suppress.map(Into::into),
            defect,
            owner: if kind == IdentifierKind::Birth { record } else { 0 },
        })
    }

    /// The columns to keep.
    pub fn columns(&self) -> Columns {
        Columns {
            kind: self.kind.code(),
            raw: self.raw.as_ref().to_owned(),
            grant: self.grant.as_deref().map(ToOwned::to_owned),
            suppress: self.suppress.as_deref().map(ToOwned::to_owned),
            defect: self.defect.map(defect_code),
        }
    }

    /// What kind it is.
    pub fn kind(&self) -> IdentifierKind {
        self.kind
    }

    /// The class whose members belong to one subject.
    pub fn class(&self) -> Class {
        let text = match self.address_kind() {
            Some(kind) => self.rebuilt(kind).suppress_class(Aliases::WIDEST).into_owned(),
            None if self.kind == IdentifierKind::Birth => format!("{} {}", self.owner, self.raw),
            None => self.raw.as_ref().to_owned(),
        };
        Class::new(self.kind, text)
    }

    /// A narrow key of exactly this spelling. Different spellings may share one, so compare the identifier as well.
    pub fn spelling_key(&self) -> i64 {
        let (grant, suppress) = (self.grant(), self.suppress());
        let defect = self.defect.map_or(u8::MAX, defect_code);
        let raw_end = self.raw.len().to_le_bytes();
        let grant_end = grant.len().to_le_bytes();
        narrow(&[
            &[self.kind.code(), defect],
            &self.owner.to_le_bytes(),
            &raw_end,
            self.raw.as_bytes(),
            &grant_end,
            grant.as_bytes(),
            suppress.as_bytes(),
        ])
    }

    /// The address.
    pub fn address(&self) -> Result<Address> {
        self.address_kind().map(|kind| self.rebuilt(kind)).ok_or_else(|| unreadable("no address where one is named"))
    }

    /// The customer number.
    pub fn customer(&self) -> Result<CustomerNo> {
        self.text_of(IdentifierKind::Customer).map(CustomerNo::new)
    }

    /// The person's id.
    pub fn person(&self) -> Result<PersonId> {
        self.text_of(IdentifierKind::Person).map(PersonId::new)
    }

    /// The day of birth.
    pub fn day(&self) -> Result<Date> {
        self.text_of(IdentifierKind::Birth)?.parse().map_err(|_| unreadable("a day of birth that is no day"))
    }

    /// The digest of an address.
    pub fn hashed(&self) -> Result<HashedAddress> {
        digest::parse(self.text_of(IdentifierKind::Hashed)?).ok_or_else(|| unreadable("a digest that is none"))
    }

    fn plain(kind: IdentifierKind, raw: &str) -> Self {
        Self { kind, raw: raw.into(), grant: None, suppress: None, defect: None, owner: 0 }
    }

    fn text_of(&self, kind: IdentifierKind) -> Result<&str> {
        if self.kind == kind { Ok(&self.raw) } else { Err(unreadable("an identifier of another kind")) }
    }

    fn grant(&self) -> &str {
        self.grant.as_deref().unwrap_or(&self.raw)
    }

    fn suppress(&self) -> &str {
        self.suppress.as_deref().unwrap_or_else(|| self.grant())
    }

    fn address_kind(&self) -> Option<AddressKind> {
        match self.kind {
            IdentifierKind::Email => Some(AddressKind::Email),
            IdentifierKind::Phone => Some(AddressKind::Phone),
            IdentifierKind::Postal => Some(AddressKind::Postal),
            IdentifierKind::Customer | IdentifierKind::Person | IdentifierKind::Birth | IdentifierKind::Hashed => None,
        }
    }

    fn rebuilt(&self, kind: AddressKind) -> Address {
        Address::from_parts(kind, &self.raw, self.grant(), self.suppress(), self.defect)
    }
}

impl From<&Address> for Identifier {
    fn from(address: &Address) -> Self {
        let kind = IdentifierKind::of_address(address.kind());
        let differs = |text: &str, from: &str| (text != from).then(|| text.into());
        Self {
            grant: differs(address.canonical(), address.raw()),
            suppress: differs(address.suppress_key(), address.canonical()),
            defect: address.defect(),
            ..Self::plain(kind, address.raw())
        }
    }
}

impl From<&CustomerNo> for Identifier {
    fn from(customer: &CustomerNo) -> Self {
        Self::plain(IdentifierKind::Customer, customer.as_str())
    }
}

impl From<&PersonId> for Identifier {
    fn from(person: &PersonId) -> Self {
        Self::plain(IdentifierKind::Person, person.as_str())
    }
}

impl From<&HashedAddress> for Identifier {
    fn from(hashed: &HashedAddress) -> Self {
        Self::plain(IdentifierKind::Hashed, &digest::text(hashed))
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identifier({:?}, …)", self.kind)
    }
}

impl fmt::Debug for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Columns({}, …)", self.kind)
    }
}

impl fmt::Debug for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Class({:?}, …)", self.kind)
    }
}

/// The key of a native id in an index of records.
pub fn native_key(native: &str) -> i64 {
    narrow(&[native.as_bytes()])
}

/// The first eight bytes of the SHA-256 of these parts. It is an index key, not a protection.
fn narrow(parts: &[&[u8]]) -> i64 {
    let mut hash = sha2::Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut key = [0; 8];
    key.copy_from_slice(&digest[..8]);
    i64::from_le_bytes(key)
}

/// The code of a defect in a store.
fn defect_code(defect: Defect) -> u8 {
    match defect {
        Defect::Syntax => 0,
        Defect::Domain => 1,
        Defect::TooLong => 2,
        Defect::Invisible => 3,
        Defect::Number => 4,
    }
}

fn defect_of(code: u8) -> Option<Defect> {
    [Defect::Syntax, Defect::Domain, Defect::TooLong, Defect::Invisible, Defect::Number]
        .into_iter()
        .find(|defect| defect_code(*defect) == code)
}

fn unreadable(what: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::Corrupt,
        "read an identifier",
        format!("the table of identifiers holds {what}: restore a backup"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(identifier: &Identifier, record: u64) -> Identifier {
        Identifier::from_columns(identifier.columns(), record).unwrap()
    }

    #[test]
    fn every_identifier_survives_its_columns() {
        let mail = Address::email(" Ada+Shop@Bücher.example ").unwrap();
        let kept = round(&Identifier::from(&mail), 7).address().unwrap();
        assert_eq!(
            (kept.raw(), kept.canonical(), kept.suppress_key(), kept.defect()),
            (mail.raw(), mail.canonical(), mail.suppress_key(), mail.defect())
        );
        let broken = Address::phone("ring me", Some("FR")).unwrap();
        assert_eq!(round(&Identifier::from(&broken), 7).address().unwrap().defect(), Some(Defect::Number));
        let customer = CustomerNo::new("C-1");
        assert_eq!(round(&Identifier::from(&customer), 7).customer().unwrap(), customer);
        let person = PersonId::new("P-1");
        assert_eq!(round(&Identifier::from(&person), 7).person().unwrap(), person);
        let day = Date::constant(1990, 2, 28);
        assert_eq!(round(&Identifier::birth(7, day), 7).day().unwrap(), day);
    }

    #[test]
    fn all_spellings_of_the_widest_class_share_one_key_and_no_other_kind_does() {
        let class = |raw| Class::of_address(&Address::email(raw).unwrap());
        assert_eq!(class("j.doe+a@gmail.com").key(), class("JDoe@googlemail.com").key());
        assert_ne!(class("ada@example.org").key(), class("ade@example.org").key());
        let text = Identifier::from(&CustomerNo::new("ada@example.org"));
        assert_ne!(text.class().key(), class("ada@example.org").key());
    }

    #[test]
    fn the_same_day_of_birth_on_two_records_is_two_identifiers() {
        let day = Date::constant(1990, 2, 28);
        assert_ne!(Identifier::birth(1, day).class(), Identifier::birth(2, day).class());
        assert_ne!(Identifier::birth(1, day).spelling_key(), Identifier::birth(2, day).spelling_key());
    }

    #[test]
    fn debug_output_names_nobody() {
        let mail = Identifier::from(&Address::email("ada@example.org").unwrap());
        let shown = format!("{mail:?} {:?} {:?}", mail.class(), mail.columns());
        assert!(!shown.contains("ada"), "{shown}");
    }
}
