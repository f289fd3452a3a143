//! The twin of `HubSpot`'s CRM contacts, communication preferences (v4) and GDPR delete.
//!
//! Not here: the v3 subscription endpoints, dated paths, other objects, exports, webhooks, the OAuth authorisation page.
//! Asking for them answers 404.

mod act;
mod bulk;
mod contact;
mod contacts;
mod erase;
#[cfg(test)]
mod laws;
mod oauth;
mod preference;
mod refuse;
mod search;
mod state;

use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};

pub use act::{HubSpotAct, HubSpotDeed};
use refuse::{Trouble, rate_limited};
pub(crate) use state::State;

use crate::clock::Watch;
use crate::gate::{Denied, Gate, Quota, Window};
use crate::handle::Handle;
use crate::message::{Answer, Ask, Reply};
use crate::options::HubSpotOptions;
use crate::population::{Preference, Topic};
use crate::server::Server;
use crate::twin::{ActError, Refusal, Route, Twin};

const TEN_SECONDS: Duration = Duration::from_secs(10);

/// The ids of the portal's subscription types: newsletter, offers, events.
pub const SUBSCRIPTION_IDS: [u64; 3] = [91_001, 91_002, 91_003];

/// The running twin of `HubSpot`, seen from a test: what it holds, and what people do to it.
///
/// It follows <https://developers.hubspot.com/docs/api-reference>. Where that is silent the twin decides: contacts are
/// listed by id; an opt-out of everything shows as an opt-out of each type; a type that was never chosen has the first
/// second of 1970 as its time; erasing a contact keeps what its addresses chose; an address is found in any letter case.
pub struct HubSpot {
    pub(crate) handle: Handle,
    pub(crate) server: Arc<Server<State>>,
}

impl HubSpot {
    /// Its socket, calls and faults.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Where its API is, such as `http://127.0.0.1:40002`.
    pub fn base_url(&self) -> String {
        self.handle.origin()
    }

    /// The contact with this address, primary or additional, with all its properties; `None` where there is none.
    pub fn contact(&self, email: &str) -> Option<Value> {
        let state = self.server.read();
        let at = state.find(email)?;
        Some(state.show((at, state.contact(at)?), &State::all_properties()))
    }

    /// What an address chose for a subscription type, in the portal's words; `None` for an unknown type.
    pub fn choice(&self, email: &str, subscription: u64) -> Option<&'static str> {
        let topic = Topic::of_id(subscription)?;
        Some(self.server.read().preferences(email).effective(topic).state.as_str())
    }

    /// Whether an address is out of everything.
    pub fn is_out_of_all(&self, email: &str) -> bool {
        self.server.read().preferences(email).all_out_ms.is_some()
    }

    /// Whether imports may not bring an address back.
    pub fn is_blocked(&self, email: &str) -> bool {
        self.server.read().is_blocked(email)
    }

    /// The primary addresses of the contacts that are not archived, in the order of their ids.
    pub fn addresses(&self) -> Vec<String> {
        let state = self.server.read();
        let live = state.contacts_from(0).filter(|(_, contact)| contact.archived_ms == 0);
        live.filter_map(|(_, contact)| state.emails(contact).into_iter().next()).collect()
    }

    /// How many contacts there are of each kind.
    pub fn census(&self) -> Census {
        let state = self.server.read();
        let mut census = Census::default();
        for (_, contact) in state.contacts_from(0) {
            if contact.archived_ms != 0 {
                census.archived += 1;
                continue;
            }
            census.live += 1;
            census.bounced += u64::from(contact.bounced);
            let email = state.emails(contact).into_iter().next().unwrap_or_default();
            let preferences = state.preferences(&email);
            census.out_of_all += u64::from(preferences.all_out_ms.is_some());
            for topic in Topic::ALL {
                match preferences.effective(topic).state {
                    Preference::Subscribed => census.subscribed[topic as usize] += 1,
                    Preference::Unsubscribed => census.unsubscribed[topic as usize] += 1,
                    Preference::NotSpecified => {}
                }
            }
        }
        census
    }

    /// Ends every access token that OAuth gave out, as if half an hour had passed.
    pub fn expire_tokens(&self) {
        self.server.read().expire();
    }

    /// Does what a person does in the portal.
    pub fn act(&self, email: &str, what: HubSpotDeed) -> Result<(), ActError> {
        self.server.write().act(HubSpotAct { email: email.to_owned(), what })
    }
}

/// How many contacts there are of each kind. Types are in the order of [`SUBSCRIPTION_IDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// In use.
    pub live: u64,
    /// Deleted, but to be restored.
    pub archived: u64,
    /// In use, with a dead address.
    pub bounced: u64,
    /// In use, with an address that is out of everything.
    pub out_of_all: u64,
    /// In use, subscribed to each type.
    pub subscribed: [u64; 3],
    /// In use, opted out of each type, be it by an opt-out of everything.
    pub unsubscribed: [u64; 3],
}

impl fmt::Debug for HubSpot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubSpot").field("handle", &self.handle).finish_non_exhaustive()
    }
}

/// The allowances of the portal: searches by the second, everything else by ten of them, all by the day.
pub(crate) fn gate(options: &HubSpotOptions) -> Gate {
    const SEARCH: &str = "/crm/v3/objects/contacts/search";
    const TOKEN: &str = "/oauth/v1/token";
    let window = |(policy, per), covers, calls: Option<NonZeroU32>| Window {
        policy,
        covers,
        calls: calls.map(|calls| calls.get() as usize),
        per,
    };
    let search = window(("SECONDLY", Duration::from_secs(1)), |path| path == SEARCH, options.searches_per_second);
    let rest =
        window(("TEN_SECONDLY_ROLLING", TEN_SECONDS), |path| path != SEARCH && path != TOKEN, options.per_ten_seconds);
    Gate::new(None, vec![search, rest], options.per_day.map(NonZeroU32::get))
}

#[expect(clippy::unnecessary_wraps, reason = "every handler has this form")]
fn account(_: &State, _: &Ask) -> Answer {
    let body = json!({
        "portalId": 4_200_001, "accountType": "STANDARD", "timeZone": "Europe/Paris", "companyCurrency": "EUR",
        "additionalCurrencies": [], "utcOffset": "+01:00", "utcOffsetMilliseconds": 3_600_000,
        "uiDomain": "app.example.com", "dataHostingLocation": "eu1",
    });
    Ok(Reply::json(200, &body))
}

impl Twin for State {
    type Act = HubSpotAct;

    const NAME: &'static str = "hubspot";

    const RENEWS: bool = true;

    fn routes() -> Vec<Route<Self>> {
        use Method as M;
        const ONE: &str = "/crm/v3/objects/contacts/{contact}";
        const CHOICES: &str = "/communication-preferences/v4/statuses/{subscriber}";
        const ALL_OUT: &str = "/communication-preferences/v4/statuses/{subscriber}/unsubscribe-all";
        const ALL_OUT_BATCH: &str = "/communication-preferences/v4/statuses/batch/unsubscribe-all";
        const ALL_OUT_READ: &str = "/communication-preferences/v4/statuses/batch/unsubscribe-all/read";
        vec![
            Route::read(M::POST, "/oauth/v1/token", oauth::token).open(),
            Route::read(M::GET, "/account-info/v3/details", account),
            Route::read(M::GET, "/crm/v3/properties/contacts", contacts::properties_of_contacts),
            Route::read(M::GET, "/crm/v3/objects/contacts", contacts::list).paged(),
            Route::write(M::POST, "/crm/v3/objects/contacts", contacts::create),
            Route::read(M::POST, "/crm/v3/objects/contacts/search", search::search).paged(),
            Route::read(M::POST, "/crm/v3/objects/contacts/batch/read", contacts::batch_read),
            Route::write(M::POST, "/crm/v3/objects/contacts/gdpr-delete", erase::gdpr_delete),
            Route::read(M::GET, ONE, contacts::read),
            Route::write(M::PATCH, ONE, contacts::patch),
            Route::write(M::DELETE, ONE, contacts::archive),
            Route::read(M::GET, "/communication-preferences/v4/definitions", preference::definitions),
            Route::read(M::POST, "/communication-preferences/v4/statuses/batch/read", bulk::read),
            Route::write(M::POST, "/communication-preferences/v4/statuses/batch/write", bulk::write),
            Route::write(M::POST, ALL_OUT_BATCH, bulk::write_all_out),
            Route::read(M::POST, ALL_OUT_READ, bulk::read_all_out),
            Route::read(M::GET, CHOICES, preference::read),
            Route::write(M::POST, CHOICES, preference::write),
            Route::read(M::GET, ALL_OUT, preference::read_all_out),
            Route::write(M::POST, ALL_OUT, preference::write_all_out),
        ]
    }

    fn authenticate(&self, ask: &Ask) -> Result<(), Reply> {
        self.admit_token(ask.authorization.as_deref())
    }

    fn refusal(refusal: &Refusal) -> Reply {
        let trouble =
            |status, category, message: &str| Trouble { status, category, message: message.to_owned() }.into();
        match refusal {
            Refusal::NoSuchPath => trouble(404, "OBJECT_NOT_FOUND", "the path is not one of the sandbox's"),
            Refusal::Unauthorized => oauth::unauthorized("EXPIRED_AUTHENTICATION"),
            Refusal::RateLimited => rate_limited("TEN_SECONDLY_ROLLING"),
            Refusal::Server(status) => trouble(*status, "INTERNAL_ERROR", "internal error"),
            Refusal::Client(status) => trouble(*status, "BAD_REQUEST", "the request cannot be served"),
            Refusal::TooLarge => trouble(413, "VALIDATION_ERROR", "the body is too large"),
            Refusal::Quoting(text) => trouble(400, "VALIDATION_ERROR", &format!("{text} cannot be processed")),
        }
    }

    fn denied(denied: Denied) -> Reply {
        let reply = rate_limited(denied.policy);
        match denied.quota {
            Some(quota) => Self::dress(reply, quota),
            None => reply,
        }
    }

    fn dress(reply: Reply, quota: Quota) -> Reply {
        // Searches are not told of in headers.
        if quota.per != TEN_SECONDS {
            return reply;
        }
        let reply = reply
            .with("x-hubspot-ratelimit-max", quota.max.to_string())
            .with("x-hubspot-ratelimit-remaining", quota.remaining.to_string())
            .with("x-hubspot-ratelimit-interval-milliseconds", quota.per.as_millis().to_string());
        match quota.daily {
            Some((most, left)) => reply
                .with("x-hubspot-ratelimit-daily", most.to_string())
                .with("x-hubspot-ratelimit-daily-remaining", left.to_string()),
            None => reply,
        }
    }

    fn place(ask: &Ask) -> String {
        if ask.method == Method::POST { search::place(ask) } else { contacts::place(ask) }
    }

    fn watch(&mut self) -> &mut Watch {
        &mut self.clock
    }

    fn expire(&self) {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).expire();
    }

    fn begin(&mut self) {
        self.open_journal();
    }

    fn undo(&mut self) {
        self.unwind_journal();
    }

    fn reseed(&mut self) {
        self.seed();
    }

    fn act(&mut self, act: HubSpotAct) -> Result<(), ActError> {
        self.act_on(&act)
    }
}
