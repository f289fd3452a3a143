//! What an account holds: its lists with the ids that the configuration maps, and what its key cannot do.

use std::collections::BTreeMap;

use serde_json::Value;
use unisson_connector::{Account, Error, ErrorKind, Listing, Result};
use unisson_consent::{Channel, Channels};

use crate::names::Place;
use crate::wire::{List, Listed, read};
use crate::{BLOCKED, Brevo, CONTACTS};

/// The lists of one page: the most that the vendor gives at once.
const LISTS_MAX: u64 = 50;
/// The pages of lists: ten thousand of them.
const PAGES_MAX: u64 = 200;
/// A key may be right and still be turned away.
const REACH: &str = "reach Brevo (a wrong key, or a machine whose address the account does not let in)";
const NOTES: [&str; 4] = [
    "the account's blocklists are the slots `blocklist` and `sms-blocklist`: leave them unmapped, and they count for all \
     marketing of their channel",
    "the transactional blocklist is the slot `transactional`: it counts for all marketing by e-mail, unless you map it",
    "a blocklisting does not say whether it was a refusal, a complaint or a dead address, and is lifted by hand only",
    "an erasure leaves the transactional logs and the transactional blocklist as they are",
];

impl Brevo {
    /// What `check` shows. Reads only.
    pub(crate) async fn account(&self) -> Result<Account> {
        let reply = self.send(self.client.get("/account"), &[403, 404, 429], REACH).await?;
        // Besides the company it names a person, who is not read.
        let details: Value = if reply.status() == 200 { reply.json()? } else { Value::Null };
        let name = details["companyName"].as_str().unwrap_or("Brevo").to_owned();
        let mut account = Account { name, notes: NOTES.map(str::to_owned).to_vec(), ..Account::default() };
        let blocked =
            "the transactional blocklist: permit it, or set `transactional = false` where nothing is sent that way";
        let feeds = [(CONTACTS, "contacts: permit it"), (BLOCKED, blocked)];
        for (path, what) in feeds.into_iter().take(if self.transactional { 2 } else { 1 }) {
            let call = self.client.get(path).query("limit", 1).query("offset", 0);
            if self.send(call, &[403, 429], "try to read Brevo contacts").await?.status() == 403 {
                account.gaps.push(format!("the key cannot read {what}"));
            }
        }
        match self.lists().await {
            Err(error) if error.kind() == ErrorKind::Scope => {
                account.gaps.push("the key cannot read lists: permit it".to_owned());
            }
            lists => account.lists = lists?,
        }
        Ok(account)
    }

    /// Every list, until as many were seen as the platform counts.
    async fn lists(&self) -> Result<Vec<Listing>> {
        const DURING: &str = "list the lists of Brevo";
        let mut seen = BTreeMap::new();
        for page in 0..PAGES_MAX {
            let call = self.client.get("/contacts/lists").query("limit", LISTS_MAX).query("offset", page * LISTS_MAX);
            let listed: Listed = self.send(call.query("sort", "asc"), &[429], DURING).await?.json()?;
            for row in &listed.rows {
                let unlike = |defect| Error::new(ErrorKind::Contract, DURING).with("defect", defect);
                let list: List = read(row).map_err(unlike)?;
                seen.insert(list.id, listing(list));
            }
            if seen.len() as u64 >= listed.count {
                return Ok(seen.into_values().collect());
            }
            if listed.rows.is_empty() {
                break;
            }
        }
        Err(Error::new(ErrorKind::Incomplete, DURING).with("seen", seen.len()))
    }
}

fn listing(list: List) -> Listing {
    let id = Place::List(list.id).id();
    let title = list.name.unwrap_or_else(|| list.id.to_string());
    Listing { id, title, channels: Channels::one(Channel::Email), members: list.unique_subscribers }
}
