//! What this crate promises, held from outside.

#![expect(clippy::unwrap_used, reason = "a test that meets what it does not expect has failed")]

mod client;
mod receive;
mod request;
mod signature;
mod support;
