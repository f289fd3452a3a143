//! What an account holds: its audiences, interests and permissions, with the ids that the configuration maps.

use std::collections::BTreeMap;

use unisson_connector::{Account, Error, ErrorKind, Listing, Result};
use unisson_consent::{Channel, Channels};
use unisson_sdk::segment;

use crate::Mailchimp;
use crate::names::{Part, Place};
use crate::pass::COUNT_MAX;
use crate::pull::read;
use crate::translate::permission_channel;
use crate::wire::{Listed, Member, Named, Permission, Root};

/// The pages of one listing of audiences or interests: a hundred thousand of them.
const PAGES_MAX: u64 = 100;

impl Mailchimp {
    /// What `check` shows. Reads only.
    pub(crate) async fn account(&self) -> Result<Account> {
        self.client.get("/ping").send("reach Mailchimp").await?;
        let reply = self.client.get("/").query("fields", "account_id,account_name").accept(&[404]);
        let reply = reply.send("read the Mailchimp account").await?;
        let root = if reply.status() == 404 { Root::default() } else { reply.json()? };
        let name = root.account_name.get().or(root.account_id.get()).unwrap_or("Mailchimp").to_owned();
        let mut account = Account { name, ..Account::default() };
        for (list, audience) in self.audiences().await? {
            let Some(audience) = audience else {
                account.gaps.push(format!("no audience `{list}` in this account: correct `audiences`"));
                continue;
            };
            account.lists.push(Listing {
                id: Place { list: &list, part: Part::Audience }.id(),
                title: title(&audience),
                channels: Channels::one(Channel::Email),
                members: audience.stats.as_ref().and_then(|stats| stats.member_count),
            });
            account.lists.extend(self.interests(&list).await?);
            if audience.marketing_permissions == Some(true) {
                let permissions = self.permissions(&list).await?;
                if permissions.is_empty() {
                    let note = "its permissions can be listed once it has a member";
                    account.notes.push(format!("audience `{list}` has GDPR fields: {note}"));
                }
                account.lists.extend(permissions);
            }
        }
        account.notes.push("text messages of an audience are the list `<audience>/sms`".to_owned());
        Ok(account)
    }

    /// The audiences to work on by their ids; `None` for one that was configured but is not there.
    pub(crate) async fn audiences(&self) -> Result<BTreeMap<String, Option<Named>>> {
        Ok(self.audiences_and_others().await?.0)
    }

    /// The same, and how many more the account has.
    pub(crate) async fn audiences_and_others(&self) -> Result<(BTreeMap<String, Option<Named>>, usize)> {
        let all = self.all("/lists", "lists", "id,name,marketing_permissions,stats.member_count").await?;
        let mut all: BTreeMap<String, Option<Named>> =
            all.into_iter().map(|audience| (audience.id.clone(), Some(audience))).collect();
        if let Some(wanted) = &self.audiences {
            let wanted = wanted.iter().map(|list| (list.clone(), all.remove(list).flatten())).collect();
            return Ok((wanted, all.len()));
        }
        Ok((all, 0))
    }

    async fn interests(&self, list: &str) -> Result<Vec<Listing>> {
        let mut listings = Vec::new();
        let groups = format!("/lists/{}/interest-categories", segment(list));
        for group in self.all(&groups, "categories", "id,title").await? {
            let path = format!("{groups}/{}/interests", segment(&group.id));
            for interest in self.all(&path, "interests", "id,name").await? {
                listings.push(Listing {
                    id: Place { list, part: Part::Interest(&interest.id) }.id(),
                    title: format!("{}: {}", title(&group), title(&interest)),
                    channels: Channels::one(Channel::Email),
                    members: None,
                });
            }
        }
        Ok(listings)
    }

    /// The permissions of an audience. Only a member shows their ids.
    async fn permissions(&self, list: &str) -> Result<Vec<Listing>> {
        let call = self.client.get(&format!("/lists/{}/members", segment(list))).query("count", 1).query("offset", 0);
        let call = call.query("fields", "total_items,members.marketing_permissions");
        let mut listed: Listed = call.send("read the permissions of a Mailchimp audience").await?.json()?;
        let Some(row) = listed.rows.pop() else { return Ok(Vec::new()) };
        let member: Member = read(&row).map_err(contract)?;
        let permissions = member.marketing_permissions.unwrap_or_default();
        let listing = |permission: &Permission| Listing {
            id: Place { list, part: Part::Permission(&permission.marketing_permission_id) }.id(),
            title: permission.text.get().unwrap_or("permission").to_owned(),
            channels: Channels::one(permission_channel(permission)),
            members: None,
        };
        Ok(permissions.iter().map(listing).collect())
    }

    /// Every row of a small listing, until as many were seen as the platform counts.
    async fn all(&self, path: &str, rows: &str, fields: &str) -> Result<Vec<Named>> {
        const DURING: &str = "list the audiences and interests of Mailchimp";
        let fields: Vec<String> = fields.split(',').map(|field| format!("{rows}.{field}")).collect();
        let fields = format!("total_items,{}", fields.join(","));
        let mut seen = BTreeMap::new();
        for page in 0..PAGES_MAX {
            let call = self.client.get(path).query("fields", &fields).query("count", COUNT_MAX);
            let listed: Listed = call.query("offset", page * COUNT_MAX).send(DURING).await?.json()?;
            for row in &listed.rows {
                let named: Named = read(row).map_err(contract)?;
                seen.insert(named.id.clone(), named);
            }
            if seen.len() as u64 >= listed.total_items {
                return Ok(seen.into_values().collect());
            }
            if listed.rows.is_empty() {
                break;
            }
        }
        Err(Error::new(ErrorKind::Incomplete, DURING).with("seen", seen.len()))
    }
}

fn title(named: &Named) -> String {
    named.name.get().unwrap_or(&named.id).to_owned()
}

fn contract(reason: String) -> Error {
    Error::new(ErrorKind::Contract, "read what Mailchimp lists").with("defect", reason)
}
