//! Whom a fact names: written only where identifiers were asked for.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use unisson_consent::{Address, Fact, Kind, RecordRef};

use crate::identifier::Identifier;

/// Everything that names somebody in a fact. `Debug` never prints it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Names {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    record: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<Named>,
    /// Kind, algorithm with normalisation, and digest, with colons between.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    person: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    birth: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moved_from: Option<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moved_to: Option<Named>,
    /// The records of a link, as one group, or of a split.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Vec<NamedRecord>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    approvers: Vec<String>,
}

/// An address as its source spelt it.
#[derive(Clone, Serialize, Deserialize)]
struct Named {
    kind: String,
    address: String,
}

/// A record under its native id.
#[derive(Clone, Serialize, Deserialize)]
struct NamedRecord {
    system: String,
    record: String,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names(…)")
    }
}

impl Names {
    pub(super) fn of(fact: &Fact) -> Self {
        let (moved_from, moved_to) = match &fact.kind {
            Kind::AddressChange { from, to, .. } => (Some(named(from)), Some(named(to))),
            _ => (None, None),
        };
        Self {
            record: fact.record.as_ref().map(|record| record.as_str().to_owned()),
            addresses: fact.who.addresses.iter().map(named).collect(),
            hashes: fact.who.hashes.iter().map(|hashed| Identifier::from(hashed).columns().raw).collect(),
            customer: fact.who.customer.as_ref().map(|customer| customer.as_str().to_owned()),
            person: fact.who.person.as_ref().map(|person| person.as_str().to_owned()),
            birth: fact.who.birth,
            moved_from,
            moved_to,
            groups: match &fact.kind {
                Kind::Link { records } => vec![group(records)],
                Kind::Split { groups } => groups.iter().map(|records| group(records)).collect(),
                _ => Vec::new(),
            },
            approvers: match &fact.kind {
                Kind::Annul { approvers, .. } => approvers.clone(),
                _ => Vec::new(),
            },
        }
    }
}

fn named(address: &Address) -> Named {
    Named { kind: address.kind().as_str().to_owned(), address: address.raw().to_owned() }
}

fn group(records: &[RecordRef]) -> Vec<NamedRecord> {
    let of = |record: &RecordRef| NamedRecord {
        system: record.system.as_str().to_owned(),
        record: record.record.as_str().to_owned(),
    };
    records.iter().map(of).collect()
}
