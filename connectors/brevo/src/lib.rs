//! Brevo: contacts, lists and the transactional blocklist in; opt-outs, list opt-ins, corrections and erasures out.
//!
//! It never creates a contact, writes no attribute but a corrected address (which clears a blocklisting, so that goes into
//! the same call) and never lifts a blocklisting: the contact does not say whether it was a refusal, a complaint or a dead
//! address. Brevo itself re-admits whoever it is told to, so the host is the guard. Webhooks and consent groups are not
//! read.

mod access;
mod account;
mod erase;
mod names;
mod pass;
mod pull;
mod push;
mod rectify;
mod settings;
mod translate;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use unisson_connector::{
    Access, Account, Connector, Cx, Erase, Error, ErrorKind, Info, Limiter, Pull, Push, PushSpec, Rectify, Result,
};
use unisson_consent::{Channel, Channels};
use unisson_sdk::{BuildError, Call, Client, Host, Kind, RETRY_AFTER_MAX, RETRY_AFTER_MIN, Reply, read_settings};

use crate::settings::{Settings, Tier};
use crate::translate::Fields;
use crate::wire::{Contact, is_unknown_contact};

/// Brevo, as the host finds it.
pub const KIND: Kind = Kind { name: "brevo", info: || info(settings::limits(Tier::General)), build };

const CONTACTS: &str = "/contacts";
const BLOCKED: &str = "/smtp/blockedContacts";

/// One Brevo account.
#[derive(Debug)]
struct Brevo {
    info: Info,
    push: PushSpec,
    client: Client,
    page_size: u64,
    /// Whether the transactional blocklist is read.
    transactional: bool,
    fields: Fields,
}

#[async_trait]
impl Connector for Brevo {
    fn info(&self) -> &Info {
        &self.info
    }

    async fn probe(&self, _: &Cx<'_>) -> Result<Account> {
        self.account().await
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

impl Brevo {
    /// Sends a call that takes these answers, a 429 among them: Brevo says in a header of its own after how many seconds
    /// its allowance is whole again.
    async fn send(&self, call: Call, answers: &'static [u16], during: &'static str) -> Result<Reply> {
        let reply = call.accept(answers).send(during).await?;
        if reply.status() != 429 {
            return Ok(reply);
        }
        let reset = reply.header("x-sib-ratelimit-reset").and_then(|text| text.trim().parse().ok());
        let reset = reset.map(|reset| Duration::from_secs(reset).clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX));
        Err(Error::new(ErrorKind::RateLimited(reply.retry_after().or(reset)), during))
    }

    /// A contact by its id or by an address ready for a path; `None` where Brevo says itself that it holds none.
    async fn contact(&self, identifier: &str, kind: &str) -> Result<Option<Contact>> {
        self.look(identifier, kind).await?.map(|reply| reply.json()).transpose()
    }

    /// The same, as Brevo tells it.
    async fn look(&self, identifier: &str, kind: &str) -> Result<Option<Reply>> {
        const DURING: &str = "look for a Brevo contact";
        let call = self.client.get(&format!("{CONTACTS}/{identifier}")).query("identifierType", kind);
        let reply = self.send(call, &[404, 429], DURING).await?;
        match reply.status() {
            404 if is_unknown_contact(&reply) => Ok(None),
            // A moved interface answers 404 as well.
            404 => Err(Error::new(ErrorKind::Contract, DURING).with("status", 404)),
            _ => Ok(Some(reply)),
        }
    }
}

fn build(settings: serde_json::Value, host: &Host<'_>) -> std::result::Result<Arc<dyn Connector>, BuildError> {
    let settings: Settings = read_settings(settings)?;
    Ok(Arc::new(Brevo {
        info: info(settings::limits(settings.tier)),
        push: push::spec(),
        page_size: settings.checked_page_size()?,
        client: settings.link(host)?.connect()?,
        transactional: settings.transactional.unwrap_or(true),
        fields: settings.fields(),
    }))
}

fn info(limits: Vec<Limiter>) -> Info {
    Info {
        kind: "brevo",
        title: "Brevo",
        channels: Channels::one(Channel::Email).with(Channel::Sms),
        limits,
        docs: "https://developers.brevo.com/reference",
    }
}
