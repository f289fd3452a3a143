//! The twin of Mailchimp's Marketing API 3.0: two audiences, paged by offset, that refuse what the platform refuses.
//!
//! Not here: asynchronous batches, searches across audiences, notes and activity of a member, webhooks. Asking for them
//! answers 404.

mod act;
mod batch;
mod change;
mod fields;
#[cfg(test)]
mod laws;
mod lists;
mod member;
mod members;
mod paging;
mod problem;
mod state;
mod write;

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use serde_json::Value;

pub use act::{MailchimpAct, MailchimpDeed};
use fields::Pick;
use problem::{INVALID, problem};
pub(crate) use state::State;

use crate::clock::Watch;
use crate::gate::{Denied, Gate, Quota};
use crate::handle::Handle;
use crate::message::{Ask, Reply};
use crate::options::MailchimpOptions;
use crate::population::{Audience, Status};
use crate::server::Server;
use crate::twin::{ActError, Refusal, Route, Twin};

/// The running twin of Mailchimp, seen from a test: what it holds, and what people do to it.
///
/// It follows <https://mailchimp.com/developer/marketing/api/>. Where that is silent the twin decides: a single opt-in has
/// the time of its sign-up as opt-in time; a write that changes nothing leaves `last_changed` alone; deleting for good by
/// anything but the hash answers 404; a listing without `sort_field` is in the order of joining; "at once" counts calls
/// in flight, not idle connections.
pub struct Mailchimp {
    pub(crate) handle: Handle,
    pub(crate) server: Arc<Server<State>>,
}

impl Mailchimp {
    /// Its socket, calls and faults.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Where its API is, such as `http://127.0.0.1:40001/3.0`.
    pub fn base_url(&self) -> String {
        format!("{}/3.0", self.handle.origin())
    }

    /// The member with this address as the API would show it; `None` where there is none.
    pub fn member(&self, audience: Audience, email: &str) -> Option<Value> {
        let state = self.server.read();
        state.show((audience, state.find(audience, email)?), Pick::ALL)
    }

    /// The status of the member with this address; `None` where there is none.
    pub fn status(&self, audience: Audience, email: &str) -> Option<Status> {
        let state = self.server.read();
        let at = state.find(audience, email)?;
        state.roll(audience).member(at).map(|member| member.status)
    }

    /// How many members of an audience have this status.
    pub fn count(&self, audience: Audience, status: Status) -> u64 {
        self.server.read().roll(audience).count(status)
    }

    /// The addresses of the members with this status, in the order of joining.
    pub fn addresses(&self, audience: Audience, status: Status) -> Vec<String> {
        let state = self.server.read();
        let members = state.roll(audience).iter().filter(|(_, member)| member.status == status);
        members.map(|(_, member)| state.email(audience, member)).collect()
    }

    /// Does what a person does on the platform.
    pub fn act(&self, audience: Audience, email: &str, what: MailchimpDeed) -> Result<(), ActError> {
        self.server.write().act(MailchimpAct { audience, email: email.to_owned(), what })
    }
}

impl fmt::Debug for Mailchimp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailchimp").field("handle", &self.handle).finish_non_exhaustive()
    }
}

/// The allowances of the platform: so many calls at once, no rate.
pub(crate) fn gate(options: &MailchimpOptions) -> Gate {
    Gate::new(options.concurrent.map(std::num::NonZeroUsize::get), Vec::new(), None)
}

impl Twin for State {
    type Act = MailchimpAct;

    const NAME: &'static str = "mailchimp";

    const RENEWS: bool = false;

    fn routes() -> Vec<Route<Self>> {
        use Method as M;
        const MEMBERS: &str = "/3.0/lists/{list}/members";
        const MEMBER: &str = "/3.0/lists/{list}/members/{member}";
        const CATEGORIES: &str = "/3.0/lists/{list}/interest-categories";
        vec![
            Route::read(M::GET, "/3.0/ping", lists::ping),
            Route::read(M::GET, "/3.0", lists::root),
            Route::read(M::GET, "/3.0/lists", lists::lists).paged(),
            Route::read(M::GET, "/3.0/lists/{list}", lists::list),
            Route::write(M::POST, "/3.0/lists/{list}", batch::batch),
            Route::read(M::GET, MEMBERS, members::members).paged(),
            Route::write(M::POST, MEMBERS, write::post),
            Route::read(M::GET, MEMBER, members::member),
            Route::write(M::PATCH, MEMBER, write::patch),
            Route::write(M::PUT, MEMBER, write::put),
            Route::write(M::DELETE, MEMBER, write::archive),
            Route::write(
                M::POST,
                "/3.0/lists/{list}/members/{member}/actions/delete-permanent",
                write::delete_permanent,
            ),
            Route::read(M::GET, CATEGORIES, lists::categories).paged(),
            Route::read(
                M::GET,
                "/3.0/lists/{list}/interest-categories/{category}/interests",
                lists::category_interests,
            )
            .paged(),
            Route::read(M::GET, "/3.0/lists/{list}/abuse-reports", lists::abuse_reports).paged(),
        ]
    }

    fn authenticate(&self, ask: &Ask) -> Result<(), Reply> {
        let header = ask.authorization.as_deref().unwrap_or_default();
        let given = match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Some(token.trim().to_owned()),
            Some((scheme, pair)) if scheme.eq_ignore_ascii_case("basic") => STANDARD
                .decode(pair.trim())
                .ok()
                .and_then(|pair| String::from_utf8(pair).ok())
                .and_then(|pair| pair.split_once(':').map(|(_, password)| password.to_owned())),
            _ => None,
        };
        match given {
            Some(key) if key == self.options.key.reveal() => Ok(()),
            _ => Err(Self::refusal(&Refusal::Unauthorized)),
        }
    }

    fn refusal(refusal: &Refusal) -> Reply {
        let detail = |text| (text, None);
        match refusal {
            Refusal::NoSuchPath => problem(404, "Resource Not Found", detail("the path is not one of the sandbox's")),
            Refusal::Unauthorized => {
                problem(401, "API Key Invalid", detail("the API key is wrong, was disabled or belongs elsewhere"))
            }
            Refusal::RateLimited => {
                problem(429, "Too Many Requests", detail("more than 10 simultaneous connections are open"))
            }
            Refusal::Server(status) => problem(*status, "Internal Server Error", detail("something went wrong")),
            Refusal::Client(status) => problem(*status, "Request Refused", detail("the request cannot be served")),
            Refusal::TooLarge => problem(413, "Request Entity Too Large", detail("the body is too large")),
            Refusal::Quoting(text) => problem(400, INVALID, (&format!("{text} cannot be processed"), None)),
        }
    }

    fn denied(_: Denied) -> Reply {
        Self::refusal(&Refusal::RateLimited)
    }

    fn dress(reply: Reply, _: Quota) -> Reply {
        reply
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

    fn act(&mut self, act: MailchimpAct) -> Result<(), ActError> {
        self.act_on(act)
    }
}
