//! HubSpot: contacts, subscriptions to e-mail, corrections, and erasure.
//!
//! | setting | meaning |
//! |---|---|
//! | `token` | a private app's token, as `{ env = "NAME" }` or `{ file = "PATH" }` |
//! | `oauth` | instead of it: `client_id`, `client_secret` and `refresh_token` of an OAuth app, both secrets by reference |
//! | `enterprise` | the account has the batch calls for subscriptions; where it turns out not to, single calls are made |
//! | `statuses` | without them: `"properties"` (default) or `"single"`, one call for each contact |
//! | `tier` | `"starter"` (default) or `"professional"`: how many calls the plan allows |
//! | `phone_property`, `country_property`, `customer_property`, `audience_property` | contact properties to read |
//! | `base_url` | another host than `https://api.hubapi.com` |
//!
//! With `statuses = "properties"` an opt-out has no date, no source and no legal basis, and an opt-in cannot be told from
//! silence. What cannot be read back is not written: opt-outs are pushed then, opt-ins are not.
//!
//! It speaks for e-mail only: HubSpot's subscriptions know no other channel. It writes no contact property but a corrected
//! address, never archives, and tells HubSpot no address that it does not hold but that one.

mod access;
mod erase;
mod pull;
mod push;
mod rectify;
mod settings;
mod translate;
mod wire;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use unisson_connector::{
    Access, Account, Action, Connector, Cx, Erase, Error, ErrorKind, Info, Limiter, Listing, Pull, Push, PushSpec,
    Rectify, Result,
};
use unisson_consent::{Channel, Channels, ListId};
use unisson_sdk::{BuildError, Call, Client, Host, Kind, Reply, read_settings};

use crate::settings::{Settings, Tier};
use crate::translate::Fields;
use crate::wire::{AccountDetails, Definition, Envelope, RateLimit, RatePolicy};

/// What the host needs to make HubSpot connectors.
pub const KIND: Kind = Kind { name: "hubspot", info: || info(settings::limits(Tier::Starter, false)), build };

const CONTACTS: &str = "/crm/v3/objects/contacts";
const SEARCH: &str = "/crm/v3/objects/contacts/search";
const STATUSES: &str = "/communication-preferences/v4/statuses";
/// How many subscription types are read: each is a property in the address of a listing, which may not grow without end.
const LISTS: usize = 250;
/// How many changes are taken at once: the most the vendor takes in a batch.
const CHANGES: NonZeroUsize = NonZeroUsize::new(100).expect("one hundred is not zero");

/// One HubSpot account.
#[derive(Debug)]
struct HubSpot {
    info: Info,
    push_spec: PushSpec,
    client: Client,
    fields: Fields,
    reads_statuses: bool,
    batch_reads: Batches,
    batch_writes: Batches,
}

/// Whether batch calls are made: as the operator says, until the platform refuses one.
#[derive(Debug)]
struct Batches(AtomicBool);

impl Batches {
    fn allowed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn deny(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

#[async_trait]
impl Connector for HubSpot {
    fn info(&self) -> &Info {
        &self.info
    }

    async fn probe(&self, _cx: &Cx<'_>) -> Result<Account> {
        let reply =
            self.send(self.client.get("/account-info/v3/details"), &[429], "read the account's details").await?;
        let details: AccountDetails = reply.json()?;
        let mut account = Account { name: format!("portal {}", details.portal_id), ..Account::default() };
        match self.definitions().await {
            Ok(definitions) => account.lists = definitions.into_iter().map(listing).collect(),
            Err(error) if error.kind() == ErrorKind::Scope => {
                account.gaps.push(gap("communication_preferences.read", "subscription types"));
            }
            Err(error) => return Err(error),
        }
        let contacts = self.client.get(CONTACTS).query("limit", 1).query("properties", "hs_object_id");
        if self.send(contacts, &[403, 429], "try to read contacts").await?.status() == 403 {
            account.gaps.push(gap("crm.objects.contacts.read", "contacts"));
        }
        let places = [("data hosted in", details.data_hosting_location), ("time zone", details.time_zone)];
        account.notes = places.into_iter().filter_map(|(name, place)| Some(format!("{name} {}", place?))).collect();
        if !self.reads_statuses {
            account.notes.push(
                "subscriptions are read from contact properties: opt-outs without dates, no opt-ins; \
                 set enterprise = true or statuses = \"single\" to read more"
                    .to_owned(),
            );
        }
        Ok(account)
    }

    fn pull(&self) -> Option<&dyn Pull> {
        Some(self)
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }

    fn erase(&self) -> Option<&dyn Erase> {
        Some(self)
    }

    fn access(&self) -> Option<&dyn Access> {
        Some(self)
    }

    fn rectify(&self) -> Option<&dyn Rectify> {
        Some(self)
    }
}

impl HubSpot {
    /// Sends a call that takes a 429 as an answer too, and reads from it how long to wait.
    async fn send(&self, call: Call, answers: &'static [u16], during: &'static str) -> Result<Reply> {
        let reply = call.accept(answers).send(during).await?;
        if reply.status() != 429 {
            return Ok(reply);
        }
        let policy = reply.json::<RateLimit>().map(|limit| limit.policy).unwrap_or_default();
        let wait = reply.retry_after().or(match policy {
            // Lifted at midnight in the portal's zone, which may be near: an hourly look costs nothing.
            RatePolicy::Daily => Some(Duration::from_hours(1)),
            RatePolicy::TenSecondlyRolling => Some(Duration::from_secs(10)),
            RatePolicy::Secondly => Some(Duration::from_secs(1)),
            RatePolicy::Unknown => None,
        });
        Err(Error::new(ErrorKind::RateLimited(wait), during).with("policy", format!("{policy:?}")))
    }

    /// The subscription types in use that are about e-mail.
    async fn definitions(&self) -> Result<Vec<Definition>> {
        let during = "read the subscription types (needs the scope communication_preferences.read)";
        let reply = self.send(self.client.get("/communication-preferences/v4/definitions"), &[429], during).await?;
        let all = reply.json::<Envelope<Definition>>()?.finished(during)?.results;
        let mut known = BTreeSet::new();
        let is_new = |definition: &Definition| known.insert(definition.id.clone());
        let live: Vec<Definition> = all.into_iter().filter(Definition::is_live_email).filter(is_new).collect();
        if live.len() > LISTS {
            return Err(Error::new(ErrorKind::Bounds, during).with("types", live.len()).with("at most", LISTS));
        }
        Ok(live)
    }
}

fn build(settings: serde_json::Value, host: &Host<'_>) -> std::result::Result<Arc<dyn Connector>, BuildError> {
    let settings: Settings = read_settings(settings)?;
    let enterprise = || Batches(AtomicBool::new(settings.enterprise));
    Ok(Arc::new(HubSpot {
        info: info(settings.limits()),
        push_spec: push_spec(settings.reads_statuses()),
        client: settings.link(host)?.connect()?,
        reads_statuses: settings.reads_statuses(),
        batch_reads: enterprise(),
        batch_writes: enterprise(),
        fields: settings.fields(),
    }))
}

fn info(limits: Vec<Limiter>) -> Info {
    Info {
        kind: "hubspot",
        title: "HubSpot",
        channels: Channels::one(Channel::Email),
        limits,
        docs: "https://developers.hubspot.com/docs/reference",
    }
}

/// Opt-ins are pushed only where they can be read back: the contact's properties do not show them.
fn push_spec(reads_statuses: bool) -> PushSpec {
    let mut actions = vec![Action::Suppress];
    if reads_statuses {
        actions.push(Action::Subscribe);
    }
    PushSpec { actions, batch_max: CHANGES, idempotent: true, read_after_write_lag: Duration::from_mins(5) }
}

fn listing(definition: Definition) -> Listing {
    Listing {
        id: ListId::new(&definition.id),
        title: definition.name,
        channels: Channels::one(Channel::Email),
        members: None,
    }
}

fn gap(scope: &str, what: &str) -> String {
    format!("the credentials cannot read {what}: add the scope {scope} to the app and let it in again")
}
