//! What an operator sets, and what must be right about it before anything is sent. A key is never printed.

use std::num::NonZeroU32;
use std::time::Duration;

use http::HeaderName;
use serde::Deserialize;
use unisson_connector::{Allowance, Limiter};
use unisson_sdk::{Auth, BuildError, Host, Link, SecretRef};
use url::Url;

use crate::pull::CONTACTS_MAX;
use crate::translate::Fields;

/// The settings of one Brevo account; `example.toml` explains them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    api_key: SecretRef,
    base_url: Option<String>,
    /// A name for the account, where several keys share its allowances.
    account: Option<String>,
    #[serde(default)]
    pub(crate) tier: Tier,
    /// How many contacts one page holds. Brevo sends every attribute along, so not the most by default.
    page_size: Option<u64>,
    pub(crate) transactional: Option<bool>,
    customer_attribute: Option<String>,
    country_attribute: Option<String>,
}

/// Which of the vendor's rate limits the plan has.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tier {
    #[default]
    General,
    Advanced,
    Extended,
}

impl Settings {
    /// The page size, if Brevo takes it.
    pub(crate) fn checked_page_size(&self) -> Result<u64, BuildError> {
        let size = Some(self.page_size.unwrap_or(500)).filter(|size| (1..=CONTACTS_MAX).contains(size));
        size.ok_or_else(|| BuildError::new("page_size", "not between 1 and 1000, the most that Brevo gives at once"))
    }

    /// The attributes to read for identity. Brevo names them in capitals.
    pub(crate) fn fields(&self) -> Fields {
        let capitals = |name: &Option<String>| name.as_ref().map(|name| name.trim().to_uppercase());
        Fields { customer: capitals(&self.customer_attribute), country: capitals(&self.country_attribute) }
    }

    /// The way to the account. One host serves them all.
    pub(crate) fn link(&self, host: &Host<'_>) -> Result<Link, BuildError> {
        let unreadable = "no address such as https://api.brevo.com/v3";
        let url = Url::parse(self.base_url.as_deref().unwrap_or("https://api.brevo.com/v3"))
            .map_err(|error| BuildError::new("base_url", unreadable).because(error))?;
        let account = self.account.as_ref().map(|name| format!("{} {name}", url.origin().ascii_serialization()));
        let auth =
            Auth::Header { name: HeaderName::from_static("api-key"), value: host.secrets.resolve(&self.api_key)? };
        let mut link = Link::new(url, auth).with_limits(limits(self.tier));
        link.account = account;
        Ok(link)
    }
}

/// What a plan allows of the calls that are made here. The hourly allowance for contacts is the one for seconds again.
pub(crate) fn limits(tier: Tier) -> Vec<Limiter> {
    let (contacts, others) = match tier {
        Tier::General => (10, 100),
        Tier::Advanced => (20, 200),
        Tier::Extended => (60, 600),
    };
    let limiter = |name, path_part, calls, seconds| {
        let calls = NonZeroU32::new(calls).unwrap_or(NonZeroU32::MIN);
        let allowance = Allowance::Rate { calls, per: Duration::from_secs(seconds) };
        Limiter { name, path_part, allowance, docs: "https://developers.brevo.com/docs/api-limits" }
    };
    // A path counts where it holds the text: `/contacts` is no part of `/smtp/blockedContacts`.
    vec![
        limiter("contacts", "/contacts", contacts, 1),
        limiter("blocked contacts", "/smtp/blockedContacts", 1_000, 1),
        limiter("account", "/account", others, 3_600),
    ]
}
