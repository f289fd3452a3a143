//! Who: identifiers by their numbers, attributes as they are.

use serde::{Deserialize, Serialize};
use unisson_consent::{Country, Who};

use super::envelope::corrupt;
use super::mirror::AudienceBody;
use super::{Names, Needs, Numbers};
use crate::error::Result;
use crate::identifier::Identifier;

/// The stored form of [`Who`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WhoBody {
    pub(super) addresses: Vec<u64>,
    pub(super) hashes: Vec<u64>,
    pub(super) customer: Option<u64>,
    pub(super) person: Option<u64>,
    pub(super) birth: Option<u64>,
    pub(super) country: Option<[u8; 2]>,
    pub(super) audience: Option<AudienceBody>,
    pub(super) professional: Option<bool>,
}

impl WhoBody {
    /// The stored form; `owner` is the record that shows a day of birth.
    pub(super) fn of(who: &Who, owner: u64, numbers: &Numbers) -> Result<Self> {
        let number = |identifier: Identifier| numbers.identifier(&identifier);
        let country = who.country.map(|country| match country.as_str().as_bytes() {
            [a, b] => [*a, *b],
            // A country is two letters by construction.
            _ => [b'?'; 2],
        });
        Ok(Self {
            addresses: who.addresses.iter().map(|address| number(address.into())).collect::<Result<_>>()?,
            hashes: who.hashes.iter().map(|hashed| number(hashed.into())).collect::<Result<_>>()?,
            customer: who.customer.as_ref().map(|customer| number(customer.into())).transpose()?,
            person: who.person.as_ref().map(|person| number(person.into())).transpose()?,
            birth: who.birth.map(|day| number(Identifier::birth(owner, day))).transpose()?,
            country,
            audience: who.audience.map(Into::into),
            professional: who.professional,
        })
    }

    /// Adds the numbers it speaks of.
    pub(super) fn needs(&self, needs: &mut Needs) {
        needs.identifiers.extend(&self.addresses);
        needs.identifiers.extend(&self.hashes);
        needs.identifiers.extend(self.customer.iter().chain(&self.person).chain(&self.birth));
    }

    pub(super) fn build(&self, names: &Names) -> Result<Who> {
        let of = |number: &u64| names.identifier(*number);
        Ok(Who {
            addresses: self.addresses.iter().map(|number| of(number)?.address()).collect::<Result<_>>()?,
            hashes: self.hashes.iter().map(|number| of(number)?.hashed()).collect::<Result<_>>()?,
            customer: self.customer.as_ref().map(|number| of(number)?.customer()).transpose()?,
            person: self.person.as_ref().map(|number| of(number)?.person()).transpose()?,
            birth: self.birth.as_ref().map(|number| of(number)?.day()).transpose()?,
            country: self.country.map(country).transpose()?,
            audience: self.audience.map(Into::into),
            professional: self.professional,
        })
    }
}

fn country(letters: [u8; 2]) -> Result<Country> {
    std::str::from_utf8(&letters)
        .ok()
        .and_then(Country::parse)
        .ok_or_else(|| corrupt("decode an identity", "a country is none"))
}
