//! Meeting: what is known already of facts that are about to be told on no record.

use unisson_consent::Fact;

use super::{Lookup, RecordKey};
use crate::error::Result;
use crate::identifier::Identifier;
use crate::store::Met;

/// What is known of each fact before it is told. `peopled` says whether a record of any system belongs to a subject.
pub fn meet(facts: &[Fact], lookup: &mut dyn Lookup, peopled: &mut dyn FnMut(u64) -> Result<bool>) -> Result<Vec<Met>> {
    facts
        .iter()
        .map(|fact| {
            let known = lookup.record(&RecordKey::Loose(fact.id))?.is_some();
            Ok(Met { known, held: is_held(fact, lookup, peopled)? })
        })
        .collect()
}

fn is_held(fact: &Fact, lookup: &mut dyn Lookup, peopled: &mut dyn FnMut(u64) -> Result<bool>) -> Result<bool> {
    let addresses = fact.who.addresses.iter().map(Identifier::from);
    let customer = fact.who.customer.iter().map(Identifier::from);
    let person = fact.who.person.iter().map(Identifier::from);
    let digests = fact.who.hashes.iter().map(Identifier::from);
    for identifier in addresses.chain(customer).chain(person).chain(digests) {
        let mut holder = lookup.identifier(&identifier, &identifier.class())?.subject;
        if holder.is_none()
            && let Ok(digest) = identifier.hashed()
        {
            holder = lookup.bearer(&digest)?;
        }
        if holder.map(&mut *peopled).transpose()? == Some(true) {
            return Ok(true);
        }
    }
    Ok(false)
}
