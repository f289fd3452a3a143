//! The contract with Mailchimp, on the wire: what is asked, word for word, and what is made of every answer.
//!
//! The platform is played by a small server of this test's own, written from the vendor's documentation.

#![expect(clippy::unwrap_used, reason = "a test may end where its own fixture is wrong")]

mod access;
mod erase;
mod fake;
mod probe;
mod pull;
mod push;
mod rectify;
mod settings;
