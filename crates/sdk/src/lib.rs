//! The toolbox for connector authors: a client that keeps a platform's rules, credentials that stay secret, settings that
//! say what is wrong with them.
//!
//! A connector makes a [`Link`] and calls through its [`Client`]. Between the two and the network lie layers, outermost
//! first: retry, authentication, pace, trace, deadline, host guard. Each is a [`Transport`] around another, and the
//! network itself is only the innermost one.
//!
//! It refuses to know a store, the environment or a wall clock, and to say anything about a person: no log and no error
//! of its holds an address, a body, a query or a secret.

mod auth;
mod bucket;
mod call;
mod client;
mod fingerprint;
mod flatten;
mod kind;
mod layer;
mod link;
mod path;
mod reply;
mod row;
mod scrub;
mod secret;
mod session;
mod settings;
mod token;
mod transport;
mod verdict;
mod wait;
mod wire;

pub use auth::{Auth, OAuth2};
pub use call::Call;
pub use client::Client;
pub use flatten::flatten;
pub use kind::{Build, Host, Kind};
pub use link::{Deadlines, Link};
pub use path::segment;
pub use reply::Reply;
pub use row::{Document, Table, exact, read_row};
pub use secret::{SecretRef, Secrets};
pub use settings::{BuildError, read_settings};
pub use token::{MemoryTokens, Rotated, TokenStore};
pub use transport::{Repeat, Request, Response, Transport};
pub use verdict::{Limited, plainly_limited};
pub use wait::{Backoff, RETRY_AFTER_MAX, RETRY_AFTER_MIN, WAIT_MAX};
