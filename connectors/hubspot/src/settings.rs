//! The settings of one HubSpot account. It refuses two ways in at once, none at all, and property names that HubSpot
//! cannot have, before anything is sent.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use unisson_connector::{Allowance, Limiter};
use unisson_sdk::{Auth, BuildError, Host, Link, OAuth2, SecretRef};
use url::Url;

use crate::translate::Fields;

/// The settings as an operator writes them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The token of a private app.
    token: Option<SecretRef>,
    /// Or an OAuth app with a refresh token.
    oauth: Option<OAuthApp>,
    /// One host serves every account, wherever its data is.
    #[serde(default = "public_host")]
    base_url: String,
    /// Whether the account has the batch calls for subscriptions (Marketing Hub Enterprise).
    #[serde(default)]
    pub(crate) enterprise: bool,
    /// How subscriptions are read without the batch calls.
    #[serde(default)]
    pub(crate) statuses: Statuses,
    /// How many calls the account's plan allows.
    #[serde(default)]
    tier: Tier,
    #[serde(default = "phone")]
    phone_property: String,
    /// HubSpot's own property with a two-letter code, unless another one is named.
    #[serde(default = "country")]
    country_property: Option<String>,
    customer_property: Option<String>,
    audience_property: Option<String>,
}

/// An OAuth app that the account's owner let in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OAuthApp {
    client_id: String,
    client_secret: SecretRef,
    refresh_token: SecretRef,
}

impl OAuthApp {
    fn auth(&self, base_url: &Url, host: &Host<'_>) -> Result<Auth, BuildError> {
        let token_url =
            base_url.join("/oauth/v1/token").map_err(|_| BuildError::new("base_url", "give an address with a host"))?;
        Ok(Auth::OAuth2(OAuth2 {
            token_url,
            client_id: self.client_id.clone(),
            client_secret: host.secrets.resolve(&self.client_secret)?,
            refresh_token: host.secrets.resolve(&self.refresh_token)?,
            instance: host.instance.to_owned(),
            tokens: Arc::clone(&host.tokens),
        }))
    }
}

/// How subscriptions are read without the batch calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Statuses {
    /// From the contact's own opt-out properties: no further call, no dates, no opt-ins.
    #[default]
    Properties,
    /// By one call for each contact.
    Single,
}

/// The plan of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tier {
    /// Free and Starter.
    #[default]
    Starter,
    /// Professional and Enterprise.
    Professional,
}

impl Settings {
    /// Whether the preferences interface is read at all.
    pub(crate) fn reads_statuses(&self) -> bool {
        self.enterprise || self.statuses == Statuses::Single
    }

    /// The contact properties to read.
    pub(crate) fn fields(&self) -> Result<Fields, BuildError> {
        let optional = [
            ("phone_property", Some(&self.phone_property)),
            ("country_property", self.country_property.as_ref()),
            ("customer_property", self.customer_property.as_ref()),
            ("audience_property", self.audience_property.as_ref()),
        ];
        for (path, name) in optional {
            let is_name =
                |name: &String| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if name.is_some_and(|name| !is_name(name)) {
                return Err(BuildError::new(
                    path,
                    "give the internal name of a contact property: letters, digits and _",
                ));
            }
        }
        Ok(Fields {
            phone: self.phone_property.clone(),
            country: self.country_property.clone(),
            customer: self.customer_property.clone(),
            audience: self.audience_property.clone(),
        })
    }

    /// The allowances that the account's calls count against.
    pub(crate) fn limits(&self) -> Vec<Limiter> {
        limits(self.tier, self.oauth.is_some())
    }

    /// The way to the account.
    pub(crate) fn link(&self, host: &Host<'_>) -> Result<Link, BuildError> {
        let base_url = Url::parse(&self.base_url)
            .map_err(|_| BuildError::new("base_url", "give an address such as https://api.hubapi.com"))?;
        let auth = match (&self.token, &self.oauth) {
            (Some(token), None) => Auth::Bearer(host.secrets.resolve(token)?),
            (None, Some(app)) => app.auth(&base_url, host)?,
            (Some(_), Some(_)) => return Err(BuildError::new("token", "give either token or oauth, not both")),
            (None, None) => {
                return Err(BuildError::new(
                    "token",
                    "give the token of a private app, or oauth with an app's credentials",
                ));
            }
        };
        let mut link = Link::new(base_url, auth);
        link.limits = self.limits();
        Ok(link)
    }
}

/// What a plan allows: a burst, and a smaller one for searches that counts apart. Searches officially have five calls in a
/// second and had four before; four keeps to both.
pub(crate) fn limits(tier: Tier, oauth: bool) -> Vec<Limiter> {
    const CALLS: NonZeroU32 = NonZeroU32::new(100).unwrap();
    let calls = match (tier, oauth) {
        (_, true) => CALLS.saturating_add(10),
        (Tier::Starter, false) => CALLS,
        (Tier::Professional, false) => CALLS.saturating_add(90),
    };
    let ten_seconds = Allowance::Rate { calls, per: Duration::from_secs(10) };
    let search = Allowance::Rate { calls: NonZeroU32::MIN.saturating_add(3), per: Duration::from_secs(1) };
    vec![
        Limiter {
            name: "calls in ten seconds",
            path_part: "",
            allowance: ten_seconds,
            docs: "https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines",
        },
        Limiter {
            name: "searches in a second",
            path_part: "/search",
            allowance: search,
            docs: "https://developers.hubspot.com/docs/api-reference/search/guide#limitations",
        },
    ]
}

fn public_host() -> String {
    "https://api.hubapi.com".to_owned()
}

fn phone() -> String {
    "phone".to_owned()
}

#[expect(clippy::unnecessary_wraps, reason = "the setting is optional, its default is not")]
fn country() -> Option<String> {
    Some("hs_country_region_code".to_owned())
}
