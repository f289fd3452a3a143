//! The fine print of the contract, row by row: what the toolbox owes to connectors and platforms.
//!
//! The names of the tests begin with the row they hold.

#![expect(clippy::unwrap_used, reason = "a test that meets what it does not expect has failed")]

mod support;

mod answers;
mod auth;
mod faults;
mod leaks;
mod pace;
mod retry;
