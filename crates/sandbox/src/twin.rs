//! What makes a vendor's twin: its routes, its words for a refusal, its memory. Everything else is shared.

use hyper::Method;
use serde::de::DeserializeOwned;

use crate::clock::Watch;
use crate::gate::{Denied, Quota};
use crate::message::{Answer, Ask, Reply};

/// One vendor's behaviour over one in-memory account.
pub(crate) trait Twin: Send + Sync + Sized + 'static {
    /// What people do to the account without the API.
    type Act: DeserializeOwned;

    /// The vendor's name.
    const NAME: &'static str;

    /// Whether its credentials run out and can be fetched anew.
    const RENEWS: bool;

    /// Every call the twin answers; the first that fits is taken.
    fn routes() -> Vec<Route<Self>>;

    /// Whether the credentials of a call are good.
    fn authenticate(&self, ask: &Ask) -> Result<(), Reply>;

    /// A refusal in the vendor's form.
    fn refusal(refusal: &Refusal) -> Reply;

    /// A call turned away by an allowance, in the vendor's form.
    fn denied(denied: Denied) -> Reply;

    /// Adds what the vendor tells of its allowances.
    fn dress(reply: Reply, quota: Quota) -> Reply;

    /// Where in its listing a call wants to be.
    fn place(ask: &Ask) -> String;

    /// Its view of the time.
    fn watch(&mut self) -> &mut Watch;

    /// Ends the credentials that can be fetched anew.
    fn expire(&self) {}

    /// Notes from now on what changes, so that it can be undone.
    fn begin(&mut self);

    /// Undoes what changed since [`Twin::begin`].
    fn undo(&mut self);

    /// Returns to how the population left it.
    fn reseed(&mut self);

    /// Does what a person does.
    fn act(&mut self, act: Self::Act) -> Result<(), ActError>;
}

/// A refusal that no handler made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    NoSuchPath,
    Unauthorized,
    RateLimited,
    Server(u16),
    Client(u16),
    TooLarge,
    /// A bad request whose body quotes this text.
    Quoting(String),
}

/// What a person wants to do cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// No record has this address.
    #[error("find a record with this address; check its spelling and the system it should be in")]
    NotFound,
    /// The platform does not let it happen, as it would not in the real one.
    #[error("do what the platform forbids: {0}")]
    Forbidden(&'static str),
}

/// One kind of call.
pub(crate) struct Route<T> {
    pub(crate) method: Method,
    /// The path with `{name}` for each placeholder.
    pub(crate) template: &'static str,
    /// Whether it answers pages of a listing.
    pub(crate) paged: bool,
    /// Whether it needs no credentials.
    pub(crate) open: bool,
    pub(crate) handler: Handler<T>,
}

/// What answers a call.
pub(crate) enum Handler<T> {
    /// Without changing anything.
    Read(fn(&T, &Ask) -> Answer),
    /// Changing something.
    Write(fn(&mut T, &Ask) -> Answer),
}

impl<T> Route<T> {
    pub(crate) fn read(method: Method, template: &'static str, handler: fn(&T, &Ask) -> Answer) -> Self {
        Self { method, template, paged: false, open: false, handler: Handler::Read(handler) }
    }

    pub(crate) fn write(method: Method, template: &'static str, handler: fn(&mut T, &Ask) -> Answer) -> Self {
        Self { method, template, paged: false, open: false, handler: Handler::Write(handler) }
    }

    pub(crate) fn paged(self) -> Self {
        Self { paged: true, ..self }
    }

    pub(crate) fn open(self) -> Self {
        Self { open: true, ..self }
    }

    /// What stands for the placeholders, where this route fits the call.
    pub(crate) fn fit(&self, method: &Method, segments: &[String]) -> Option<Vec<String>> {
        if self.method != *method {
            return None;
        }
        let mut params = Vec::new();
        let mut parts = self.template.split('/').filter(|part| !part.is_empty());
        for segment in segments {
            let part = parts.next()?;
            if part.starts_with('{') {
                params.push(segment.clone());
            } else if part != segment {
                return None;
            }
        }
        parts.next().is_none().then_some(params)
    }
}
