//! Mailchimp Marketing API: members, archived members and spam reports in; opt-outs, opt-ins, corrections and erasures out.
//!
//! It refuses to believe a status: what makes a claim a proof is the operator's to say (`forms`). It never creates a
//! member, never unarchives one and never deletes one except to erase a person. Mandrill is another interface.

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

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use unisson_connector::{
    Access, Account, Allowance, Connector, Cx, Erase, Info, Limiter, Pull, Push, PushSpec, Rectify, Result,
};
use unisson_consent::{Channel, Channels};
use unisson_sdk::{Auth, BuildError, Client, Host, Kind, Link, Response, plainly_limited, read_settings};

pub use settings::{Form, Settings};

/// The connections Mailchimp allows one user at the same time.
const CONNECTIONS_MAX: NonZeroUsize = NonZeroUsize::new(10).unwrap();
/// The vendor works on one call for two minutes at most.
const ANSWER_MAX: Duration = Duration::from_mins(2);

/// Mailchimp, as the host finds it.
pub const KIND: Kind = Kind { name: "mailchimp", info, build };

/// One Mailchimp account.
#[derive(Debug)]
struct Mailchimp {
    info: Info,
    push: PushSpec,
    client: Client,
    page_size: u64,
    audiences: Option<BTreeSet<String>>,
    forms: BTreeMap<String, Form>,
}

#[async_trait]
impl Connector for Mailchimp {
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

fn info() -> Info {
    Info {
        kind: "mailchimp",
        title: "Mailchimp",
        channels: Channels::one(Channel::Email).with(Channel::Sms),
        limits: vec![Limiter {
            name: "connections",
            path_part: "",
            allowance: Allowance::Concurrent(CONNECTIONS_MAX),
            docs: "https://mailchimp.com/developer/marketing/docs/fundamentals/#api-limits",
        }],
        docs: "https://mailchimp.com/developer/marketing/api/",
    }
}

fn build(settings: serde_json::Value, host: &Host<'_>) -> std::result::Result<Arc<dyn Connector>, BuildError> {
    let settings: Settings = read_settings(settings)?;
    let (page_size, forms) = (settings.checked_page_size()?, settings.forms_by_source()?);
    let key = host.secrets.resolve(&settings.api_key)?;
    let base_url = settings.base_url(key.expose_secret())?;
    // A bearer takes both an API key and an OAuth2 access token.
    let mut link = Link::new(base_url, Auth::Bearer(key)).with_limits(info().limits);
    link.limited = is_limited;
    link.deadlines.first_byte = ANSWER_MAX;
    link.deadlines.total = ANSWER_MAX + link.deadlines.idle;
    let (client, audiences) = (link.connect()?, settings.audiences);
    Ok(Arc::new(Mailchimp { info: info(), push: push::spec(), client, page_size, audiences, forms }))
}

/// Whether an answer means "slow down". In front of the interface, a crowd is also turned away with a 403 that is not
/// in the interface's own form.
fn is_limited(response: &Response) -> bool {
    let kind = response.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    plainly_limited(response) || (response.status.as_u16() == 403 && !kind.contains("json"))
}
