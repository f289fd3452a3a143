//! The settings of one HubSpot account. It refuses two ways in at once, none at all, and property names that HubSpot
//! cannot have, before anything is sent.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use unisson_connector::{Allowance, Limiter};
use unisson_sdk::{Auth, BuildError, Host, Link, OAuth2, Response, SecretRef};
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
    #[serde(default)]
    statuses: Statuses,
    #[serde(default)]
    tier: Tier,
    #[serde(default = "phone")]
    phone_property: Property,
    /// HubSpot's own property with a two-letter code, unless another one is named.
    #[serde(default = "country")]
    country_property: Property,
    customer_property: Option<Property>,
    audience_property: Option<Property>,
}

/// An OAuth app that the account's owner let in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OAuthApp {
    client_id: String,
    client_secret: SecretRef,
    refresh_token: SecretRef,
}

/// How subscriptions are read without the batch calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Statuses {
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

/// The internal name of a contact property.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Property(String);

impl TryFrom<String> for Property {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if is_name {
            Ok(Self(name))
        } else {
            Err("give the internal name of a contact property: letters, digits and _")
        }
    }
}

impl Settings {
    /// Whether the preferences interface is read at all.
    pub(crate) fn reads_statuses(&self) -> bool {
        self.enterprise || self.statuses == Statuses::Single
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
            (None, Some(app)) => app.auth(base_url.clone(), host)?,
            (Some(_), Some(_)) => return Err(BuildError::new("token", "give either token or oauth, not both")),
            (None, None) => {
                let what = "give the token of a private app, or oauth with the credentials of an app";
                return Err(BuildError::new("token", what));
            }
        };
        let mut link = Link::new(base_url, auth).with_limits(self.limits());
        link.limited = is_limited;
        Ok(link)
    }

    /// The contact properties to read.
    pub(crate) fn fields(self) -> Fields {
        let named = |property: Option<Property>| property.map(|property| property.0);
        Fields {
            phone: self.phone_property.0,
            country: self.country_property.0,
            customer: named(self.customer_property),
            audience: named(self.audience_property),
        }
    }
}

impl OAuthApp {
    fn auth(&self, mut token_url: Url, host: &Host<'_>) -> Result<Auth, BuildError> {
        token_url.set_path(&format!("{}/oauth/v1/token", token_url.path().trim_end_matches('/')));
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

/// What a plan allows: a burst, and a smaller one for searches. Searches have five calls in a second now and had four
/// before; four keeps to both.
pub(crate) fn limits(tier: Tier, oauth: bool) -> Vec<Limiter> {
    let burst = match (tier, oauth) {
        (_, true) => 110,
        (Tier::Starter, false) => 100,
        (Tier::Professional, false) => 190,
    };
    let limiter = |name, path_part, (calls, secs), docs| {
        let calls = NonZeroU32::new(calls).unwrap_or(NonZeroU32::MIN);
        Limiter { name, path_part, allowance: Allowance::Rate { calls, per: Duration::from_secs(secs) }, docs }
    };
    let usage = "https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines";
    let search = "https://developers.hubspot.com/docs/api-reference/search/guide#limitations";
    vec![limiter("burst", "", (burst, 10), usage), limiter("search", "/search", (4, 1), search)]
}

/// 477 says that the account is being moved to another data centre, and when to come back.
fn is_limited(response: &Response) -> bool {
    matches!(response.status.as_u16(), 429 | 477)
}

fn public_host() -> String {
    "https://api.hubapi.com".to_owned()
}

fn phone() -> Property {
    Property("phone".to_owned())
}

fn country() -> Property {
    Property("hs_country_region_code".to_owned())
}
