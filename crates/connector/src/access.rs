//! What a platform holds about one person: records with every field, in the vendor's own words.

use std::fmt;

use unisson_consent::{Address, CustomerNo, RecordId};

use crate::page::Observation;

/// Whom to look for: anything that one of these leads to is the person's.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Seek {
    /// Addresses in every known spelling.
    pub addresses: Vec<Address>,
    /// Customer numbers.
    pub customers: Vec<CustomerNo>,
    /// Records of this instance that are known to be the person's.
    pub records: Vec<RecordId>,
}

impl fmt::Debug for Seek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (addresses, customers, records) = (self.addresses.len(), self.customers.len(), self.records.len());
        write!(f, "Seek({addresses} addresses, {customers} customer numbers, {records} records)")
    }
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gathered {
    /// The records, each once.
    pub holdings: Vec<Holding>,
    /// Places that the interface does not show, or that the credentials may not look at, in words for the person and the
    /// operator: "logs of transactional messages". Nothing personal.
    pub unseen: Vec<String>,
}

/// One record.
#[derive(Clone, PartialEq, Eq)]
pub struct Holding {
    /// What a pull would tell of it: its native id, whose it is, whether it is there, what it shows.
    pub observation: Observation,
    /// What kind of record it is and where, in words: "member of the audience Newsletter".
    pub kind: String,
    /// Everything that the record says, field by field, in the vendor's order.
    pub fields: Vec<Field>,
}

impl fmt::Debug for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Holding({}, {} fields)", self.kind, self.fields.len())
    }
}

/// One field of a record.
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    /// Where it is in the vendor's record, as a JSON pointer (RFC 6901): `/merge_fields/FNAME`. For a table, the name of the
    /// column behind a slash.
    pub path: String,
    /// What it says.
    pub value: FieldValue,
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({}, …)", self.path)
    }
}

/// What a field says.
#[derive(Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// A text.
    Text(String),
    /// A number, in the vendor's digits.
    Number(String),
    /// Yes or no.
    Flag(bool),
    /// Nothing, said outright.
    Empty,
}

impl fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FieldValue(…)")
    }
}
