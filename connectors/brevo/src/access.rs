//! Telling everything an account holds about one person: the contact with its lists and campaigns, and the blocks of its
//! addresses for transactional messages.
//!
//! A contact is asked for by id, by every spelling of every address and number, and by customer number where that is the
//! vendor's own `EXT_ID`. Blocked addresses can only be listed, so all of them are read.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde_json::value::RawValue;
use unisson_connector::{Access, Cx, Error, ErrorKind, Gathered, Holding, Result, Seek};
use unisson_consent::{Address, AddressKind};
use unisson_sdk::{flatten, segment};

use crate::names::contact_id;
use crate::translate;
use crate::wire::{Blocked, Contact, Listed, read};
use crate::{BLOCKED, Brevo};

const LOOK: &str = "look for a Brevo contact";
const BLOCKS: &str = "look for a person among Brevo's blocked addresses";
/// How many ids, spellings and numbers of one person are looked for.
const NAMES_MAX: usize = 100;
/// The most blocked addresses that Brevo gives at once.
const ROWS_MAX: u64 = 100;
/// The pages of blocked addresses: a million of them.
const PAGES_MAX: u64 = 10_000;
/// What the key does not reach, or what is no contact's.
const UNSEEN: [&str; 4] = [
    "logs of transactional messages",
    "companies, deals, tasks, notes and conversations linked to a contact",
    "campaigns older than ninety days, imports and exports",
    "consent groups",
];
const NO_CUSTOMERS: &str = "contacts known by a customer number only: Brevo finds it only as EXT_ID";
const NO_BLOCKS: &str = "addresses blocked for transactional messages: the settings leave them out";
const SHUT_BLOCKS: &str = "addresses blocked for transactional messages: the key may not read them";
const SHUT_CONTACTS: &str = "contacts: the key may not read them";

#[async_trait]
impl Access for Brevo {
    async fn gather(&self, _: &Cx<'_>, who: &Seek) -> Result<Gathered> {
        let mut unseen = UNSEEN.to_vec();
        let mut shut = |words, error: Error| {
            if error.kind() != ErrorKind::Scope {
                return Err(error);
            }
            unseen.push(words);
            Ok(Vec::new())
        };
        let mut found = self.contacts_of(who).await.or_else(|error| shut(SHUT_CONTACTS, error))?;
        if self.transactional {
            found.extend(self.blocks_of(who).await.or_else(|error| shut(SHUT_BLOCKS, error))?);
        } else {
            unseen.push(NO_BLOCKS);
        }
        if !who.customers.is_empty() && self.fields.customer.as_deref() != Some("EXT_ID") {
            unseen.push(NO_CUSTOMERS);
        }
        let once: BTreeMap<String, Holding> =
            found.into_iter().map(|holding| (holding.observation.record.as_str().to_owned(), holding)).collect();
        let unseen = unseen.into_iter().map(str::to_owned).collect();
        Ok(Gathered { holdings: once.into_values().collect(), unseen })
    }
}

impl Brevo {
    async fn contacts_of(&self, who: &Seek) -> Result<Vec<Holding>> {
        let names = self.names(who);
        if names.len() > NAMES_MAX {
            return Err(Error::new(ErrorKind::Bounds, LOOK).with("names", names.len()).with("at most", NAMES_MAX));
        }
        let mut holdings = Vec::new();
        for (kind, name) in names {
            let Some(reply) = self.look(&segment(&name), kind).await? else { continue };
            holdings.push(Holding {
                observation: self.fields.contact(&reply.json::<Contact>()?),
                kind: "contact".to_owned(),
                fields: flatten(&String::from_utf8_lossy(reply.body()), LOOK)?,
            });
        }
        Ok(holdings)
    }

    /// What a contact of the person may be called, with the vendor's word for the type of the name.
    fn names(&self, who: &Seek) -> BTreeSet<(&'static str, String)> {
        let ids = who.records.iter().filter_map(contact_id).map(|id| ("contact_id", id.to_string()));
        let mut names: BTreeSet<(&str, String)> = ids.collect();
        for address in &who.addresses {
            let kind = match address.kind() {
                AddressKind::Email => "email_id",
                AddressKind::Phone => "phone_id",
                AddressKind::Postal => continue,
            };
            names.extend([(kind, address.raw().trim().to_owned()), (kind, address.canonical().to_owned())]);
        }
        if self.fields.customer.as_deref() == Some("EXT_ID") {
            names.extend(who.customers.iter().map(|customer| ("ext_id", customer.as_str().to_owned())));
        }
        names.retain(|(_, name)| !name.is_empty());
        names
    }

    async fn blocks_of(&self, who: &Seek) -> Result<Vec<Holding>> {
        let emails: Vec<&Address> = who.addresses.iter().filter(|held| held.kind() == AddressKind::Email).collect();
        let rows = self.blocked_rows(&emails).await?;
        rows.iter()
            .map(|(row, blocked)| {
                let unlike = |defect| Error::new(ErrorKind::Contract, BLOCKS).with("defect", defect);
                Ok(Holding {
                    observation: translate::blocked(blocked).map_err(unlike)?,
                    kind: "address blocked for transactional messages".to_owned(),
                    fields: flatten(row.get(), BLOCKS)?,
                })
            })
            .collect()
    }

    /// The rows of the transactional blocklist that name one of these addresses.
    pub(crate) async fn blocked_rows(&self, emails: &[&Address]) -> Result<Vec<(Box<RawValue>, Blocked)>> {
        let (mut theirs, mut seen) = (Vec::new(), 0);
        if emails.is_empty() {
            return Ok(theirs);
        }
        for page in 0..PAGES_MAX {
            let call = self.client.get(BLOCKED).query("limit", ROWS_MAX).query("offset", page * ROWS_MAX);
            let listed: Listed = self.send(call.query("sort", "asc"), &[429], BLOCKS).await?.json()?;
            seen += listed.rows.len() as u64;
            let is_last = listed.rows.is_empty();
            for row in listed.rows {
                let unlike = |defect| Error::new(ErrorKind::Contract, BLOCKS).with("defect", defect);
                let blocked: Blocked = read(&row).map_err(unlike)?;
                let email = blocked.email.as_deref().and_then(Address::email);
                if email.is_some_and(|email| emails.iter().any(|held| held.suppress_key() == email.suppress_key())) {
                    theirs.push((row, blocked));
                }
            }
            if seen >= listed.count {
                return Ok(theirs);
            }
            if is_last {
                break;
            }
        }
        Err(Error::new(ErrorKind::Incomplete, BLOCKS).with("seen", seen))
    }
}
