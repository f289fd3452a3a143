//! The twin of Brevo's API v3: contacts, lists, and the addresses that get no transactional mail.
//!
//! Not here: the deprecated batch update, imports, exports and their processes, segments and filters, folders, consent
//! groups, campaigns, double opt-in mail, webhooks, OAuth. Asking for them answers 404 or says so.

mod act;
mod blocked;
mod change;
mod contact;
mod contacts;
#[cfg(test)]
mod laws;
mod lists;
mod paging;
mod refuse;
mod state;

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use serde_json::Value;

pub use act::{BrevoAct, BrevoDeed};
use contact::Zone;
use refuse::Trouble;
use state::Kind;
pub(crate) use state::State;

use crate::clock::Watch;
use crate::gate::{Denied, Gate, Quota, Window};
use crate::handle::Handle;
use crate::message::{Ask, Reply};
use crate::options::BrevoOptions;
use crate::population::List;
use crate::server::Server;
use crate::twin::{ActError, Refusal, Route, Twin};

/// The ids of the account's lists: newsletter, offers, customers.
pub const BREVO_LIST_IDS: [u64; 3] = [4, 5, 7];

/// The running twin of Brevo, seen from a test: what it holds, and what people do to it.
///
/// It follows <https://developers.brevo.com/reference>. Where that is silent the twin decides: `modifiedSince` and
/// `createdSince` are exclusive; the date of modification moves where a write changes something and not otherwise; a
/// contact that is put on a list again is no longer one that left it; a contact created with senders to block blocks
/// none; deleting a contact keeps what blocks its address for transactional mail; addresses are kept in lower case; a 429
/// has the code `too_many_requests`.
pub struct Brevo {
    pub(crate) handle: Handle,
    pub(crate) server: Arc<Server<State>>,
}

impl Brevo {
    /// Its socket, calls and faults.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Where its API is, such as `http://127.0.0.1:40003/v3`.
    pub fn base_url(&self) -> String {
        format!("{}/v3", self.handle.origin())
    }

    /// The contact with this address as the API would list it; `None` where there is none.
    pub fn contact(&self, email: &str) -> Option<Value> {
        let state = self.server.read();
        let at = state.find(Kind::Email, email)?;
        Some(state.show((at, state.contact(at)?), Zone::Account))
    }

    /// Whether the contact with this address is blocklisted for campaigns; `None` where there is none.
    pub fn is_blacklisted(&self, email: &str) -> Option<bool> {
        let state = self.server.read();
        state.find(Kind::Email, email).and_then(|at| state.contact(at)).map(|contact| contact.blacklisted)
    }

    /// Why an address gets no transactional mail, in the platform's codes; one for each sender, and none where it does.
    pub fn blocks(&self, email: &str) -> Vec<&'static str> {
        self.server.read().blocks_of(email).into_iter().map(|(_, block)| block.reason.words().0).collect()
    }

    /// The addresses of all contacts, in the order of creation; those without one are left out.
    pub fn addresses(&self) -> Vec<String> {
        let state = self.server.read();
        state.contacts().filter_map(|(_, contact)| state.email(contact)).collect()
    }

    /// How many contacts there are of each kind.
    pub fn census(&self) -> BrevoCensus {
        let state = self.server.read();
        let mut census = BrevoCensus { blocked: state.blocks().count() as u64, ..BrevoCensus::default() };
        for (_, contact) in state.contacts() {
            census.contacts += 1;
            census.blacklisted += u64::from(contact.blacklisted);
            census.no_texts += u64::from(contact.no_texts);
            for list in List::ALL {
                census.on[list as usize] += u64::from(contact.lists & list.bit() != 0);
                census.left[list as usize] += u64::from(contact.left & list.bit() != 0);
            }
        }
        census
    }

    /// Does what a person does on the platform.
    pub fn act(&self, email: &str, what: BrevoDeed) -> Result<(), ActError> {
        self.server.write().act(BrevoAct { email: email.to_owned(), what })
    }
}

/// How many contacts there are of each kind. Lists are in the order of [`BREVO_LIST_IDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BrevoCensus {
    /// All of them.
    pub contacts: u64,
    /// Blocklisted for campaigns.
    pub blacklisted: u64,
    /// Blocklisted for text messages.
    pub no_texts: u64,
    /// On each list, blocklisted or not.
    pub on: [u64; 3],
    /// Who left each list.
    pub left: [u64; 3],
    /// Blocks for transactional mail, of contacts or of addresses without one.
    pub blocked: u64,
}

impl fmt::Debug for Brevo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Brevo").field("handle", &self.handle).finish_non_exhaustive()
    }
}

/// The allowances of the account: contacts by the second and the hour, blocked contacts by the second, the rest of
/// transactional mail and everything else by the hour.
pub(crate) fn gate(options: &BrevoOptions) -> Gate {
    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_hours(1);
    fn of_contacts(path: &str) -> bool {
        path.starts_with("/v3/contacts")
    }
    fn of_blocked(path: &str) -> bool {
        path == BLOCKED
    }
    fn of_mail(path: &str) -> bool {
        path.starts_with("/v3/smtp/") && !of_blocked(path)
    }
    fn of_rest(path: &str) -> bool {
        !of_contacts(path) && !path.starts_with("/v3/smtp/")
    }
    let window = |(policy, per), covers, calls: Option<NonZeroU32>| Window {
        policy,
        covers,
        calls: calls.map(|calls| calls.get() as usize),
        per,
    };
    let windows = vec![
        window(("contacts by the second", SECOND), of_contacts, options.contacts_per_second),
        window(("contacts by the hour", HOUR), of_contacts, options.contacts_per_hour),
        window(("blocked contacts by the second", SECOND), of_blocked, options.blocked_per_second),
        window(("transactional mail by the hour", HOUR), of_mail, options.smtp_per_hour),
        window(("everything else by the hour", HOUR), of_rest, options.rest_per_hour),
    ];
    Gate::new(None, windows, None)
}

const BLOCKED: &str = "/v3/smtp/blockedContacts";

impl Twin for State {
    type Act = BrevoAct;

    const NAME: &'static str = "brevo";

    const RENEWS: bool = false;

    fn routes() -> Vec<Route<Self>> {
        use Method as M;
        const ONE: &str = "/v3/contacts/{identifier}";
        const LISTS: &str = "/v3/contacts/lists";
        const LIST: &str = "/v3/contacts/lists/{list}";
        vec![
            Route::read(M::GET, "/v3/account", lists::account),
            Route::read(M::GET, "/v3/contacts", contacts::list).paged(),
            Route::write(M::POST, "/v3/contacts", change::create),
            Route::read(M::GET, LISTS, lists::lists).paged(),
            Route::read(M::GET, LIST, lists::list),
            Route::read(M::GET, "/v3/contacts/lists/{list}/contacts", contacts::on_list).paged(),
            Route::write(M::POST, "/v3/contacts/lists/{list}/contacts/add", lists::add),
            Route::write(M::POST, "/v3/contacts/lists/{list}/contacts/remove", lists::remove),
            Route::read(M::GET, ONE, contacts::read),
            Route::write(M::PUT, ONE, change::update),
            Route::write(M::DELETE, ONE, change::delete),
            Route::read(M::GET, BLOCKED, blocked::list).paged(),
            Route::write(M::DELETE, "/v3/smtp/blockedContacts/{email}", blocked::lift),
        ]
    }

    fn authenticate(&self, ask: &Ask) -> Result<(), Reply> {
        match ask.key.as_deref() {
            Some(key) if key == self.options.key.reveal() => Ok(()),
            Some(_) => Err(Self::refusal(&Refusal::Unauthorized)),
            None => Err(Trouble::new(401, "unauthorized", "the header api-key is missing").into()),
        }
    }

    fn refusal(refusal: &Refusal) -> Reply {
        let trouble = |status, code, message: &str| Trouble::new(status, code, message).into();
        match refusal {
            Refusal::NoSuchPath => trouble(404, "not_found", "the path is not one of the sandbox's"),
            Refusal::Unauthorized => trouble(401, "unauthorized", "the key is unknown"),
            Refusal::RateLimited => trouble(429, "too_many_requests", "the rate limit is exceeded"),
            Refusal::Server(status) => trouble(*status, "internal_error", "something went wrong"),
            Refusal::Client(status) => trouble(*status, "bad_request", "the request cannot be served"),
            Refusal::TooLarge => trouble(413, "invalid_parameter", "the body is too large"),
            Refusal::Quoting(text) => trouble(400, "invalid_parameter", &format!("{text} cannot be processed")),
        }
    }

    fn denied(denied: Denied) -> Reply {
        let reply = Self::refusal(&Refusal::RateLimited);
        match denied.quota {
            Some(quota) => Self::dress(reply, quota),
            None => reply,
        }
    }

    /// The reset is told in seconds to go, never as a date, and there is no `Retry-After`.
    fn dress(reply: Reply, quota: Quota) -> Reply {
        let seconds = quota.reset.as_secs() + u64::from(quota.reset.subsec_nanos() > 0);
        reply
            .with("x-sib-ratelimit-limit", quota.max.to_string())
            .with("x-sib-ratelimit-remaining", quota.remaining.to_string())
            .with("x-sib-ratelimit-reset", seconds.to_string())
    }

    fn place(ask: &Ask) -> String {
        paging::place(ask)
    }

    fn watch(&mut self) -> &mut Watch {
        &mut self.clock
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

    fn act(&mut self, act: BrevoAct) -> Result<(), ActError> {
        self.act_on(&act)
    }
}
