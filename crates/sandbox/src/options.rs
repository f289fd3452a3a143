//! How a sandbox is set up. The defaults behave as the vendors do; nothing is read from the environment.

use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Pace;

/// A credential. `Debug` does not show it: habit keeps real ones safe too.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// The credential itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// How a sandbox is set up.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Decides the people and the faults by chance.
    pub seed: u64,
    /// How many people there are; at most [`crate::CONTACTS_MAX`].
    pub contacts: u32,
    /// The sandbox's time at the start. Everything in the population happened before.
    pub epoch: Timestamp,
    /// How its time passes.
    pub pace: Pace,
    /// The mail platform.
    pub mailchimp: MailchimpOptions,
    /// The CRM.
    pub hubspot: HubSpotOptions,
    /// The campaign platform.
    pub brevo: BrevoOptions,
}

/// How the mail platform's twin is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailchimpOptions {
    /// The port on 127.0.0.1; zero takes a free one.
    pub port: u16,
    /// The API key, accepted as Basic password and as Bearer token.
    pub key: Key,
    /// How many calls may be in flight at once; `None` for no limit. The vendor allows ten.
    pub concurrent: Option<NonZeroUsize>,
    /// What becomes of setting somebody to subscribed whom an administrator or the API unsubscribed. Reports of the real
    /// platform disagree.
    pub admin_opt_outs: AdminOptOuts,
}

/// What the mail platform makes of setting somebody to subscribed whom an administrator unsubscribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AdminOptOuts {
    /// It allows it.
    #[default]
    Reversible,
    /// It refuses, as after the person's own opt-out.
    Final,
}

/// How the CRM's twin is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubSpotOptions {
    /// The port on 127.0.0.1; zero takes a free one.
    pub port: u16,
    /// The token of a private app.
    pub token: Key,
    /// The id of an OAuth app.
    pub client_id: String,
    /// The secret of that app.
    pub client_secret: Key,
    /// The refresh token that starts an OAuth session.
    pub refresh_token: Key,
    /// Whether a refresh hands out a new refresh token and ends the old one.
    pub refresh: Refresh,
    /// What the portal has paid for: batch calls for subscription states need Enterprise.
    pub tier: Tier,
    /// Calls in any ten seconds; `None` for no limit. The vendor allows 190.
    pub per_ten_seconds: Option<NonZeroU32>,
    /// Searches in any second; `None` for no limit. The vendor allows five.
    pub searches_per_second: Option<NonZeroU32>,
    /// Calls in a day; `None` for no limit.
    pub per_day: Option<NonZeroU32>,
    /// How long the search index shows the state before a change, in sandbox time.
    pub index_lag: Duration,
}

/// How the campaign platform's twin is set up. The allowances are those of a general account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrevoOptions {
    /// The port on 127.0.0.1; zero takes a free one.
    pub port: u16,
    /// The API key, taken in the header `api-key`.
    pub key: Key,
    /// Calls under `/contacts` in any second; `None` for no limit. The vendor allows ten.
    pub contacts_per_second: Option<NonZeroU32>,
    /// Calls under `/contacts` in any hour; `None` for no limit. The vendor allows 36,000.
    pub contacts_per_hour: Option<NonZeroU32>,
    /// Pages of blocked contacts in any second; `None` for no limit. The vendor allows a thousand.
    pub blocked_per_second: Option<NonZeroU32>,
    /// Other calls under `/smtp` in any hour; `None` for no limit. The vendor allows 300.
    pub smtp_per_hour: Option<NonZeroU32>,
    /// All other calls in any hour; `None` for no limit. The vendor allows a hundred.
    pub rest_per_hour: Option<NonZeroU32>,
}

/// Whether a refresh token can be used more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Refresh {
    /// It can.
    #[default]
    Keeps,
    /// Each refresh hands out the next one and ends the last.
    Rotates,
}

/// What a portal has paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tier {
    /// Batch calls for subscription states answer 403.
    Professional,
    /// Everything.
    #[default]
    Enterprise,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            contacts: 1_000,
            epoch: EPOCH,
            pace: Pace::default(),
            mailchimp: MailchimpOptions::default(),
            hubspot: HubSpotOptions::default(),
            brevo: BrevoOptions::default(),
        }
    }
}

/// 1 November 2026, midnight UTC.
const EPOCH: Timestamp = Timestamp::constant(1_793_491_200, 0);

impl Options {
    /// The same without any allowance of the vendors, for speed.
    #[must_use]
    pub fn without_limits(mut self) -> Self {
        self.mailchimp.concurrent = None;
        self.hubspot.per_ten_seconds = None;
        self.hubspot.searches_per_second = None;
        self.hubspot.per_day = None;
        self.brevo.contacts_per_second = None;
        self.brevo.contacts_per_hour = None;
        self.brevo.blocked_per_second = None;
        self.brevo.smtp_per_hour = None;
        self.brevo.rest_per_hour = None;
        self
    }
}

impl Default for MailchimpOptions {
    fn default() -> Self {
        Self {
            port: 0,
            key: Key::from("sandbox-mailchimp-key-us1"),
            concurrent: NonZeroUsize::new(10),
            admin_opt_outs: AdminOptOuts::default(),
        }
    }
}

impl Default for HubSpotOptions {
    fn default() -> Self {
        Self {
            port: 0,
            token: Key::from("sandbox-hubspot-token"),
            client_id: "sandbox-client".to_owned(),
            client_secret: Key::from("sandbox-client-secret"),
            refresh_token: Key::from("sandbox-refresh-0"),
            refresh: Refresh::default(),
            tier: Tier::default(),
            per_ten_seconds: NonZeroU32::new(190),
            searches_per_second: NonZeroU32::new(5),
            per_day: NonZeroU32::new(1_000_000),
            index_lag: Duration::ZERO,
        }
    }
}

impl Default for BrevoOptions {
    fn default() -> Self {
        Self {
            port: 0,
            key: Key::from("sandbox-brevo-key"),
            contacts_per_second: NonZeroU32::new(10),
            contacts_per_hour: NonZeroU32::new(36_000),
            blocked_per_second: NonZeroU32::new(1_000),
            smtp_per_hour: NonZeroU32::new(300),
            rest_per_hour: NonZeroU32::new(100),
        }
    }
}
