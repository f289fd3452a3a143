//! What HubSpot sees on the wire, and what the host is told of its answers.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is its end, in helpers too")]
#![expect(clippy::needless_pass_by_value, reason = "a test reads better with `json!(…)` than with `&json!(…)`")]

mod access;
mod erasing;
mod portal;
mod probing;
mod pulling;
mod pushing;
mod reading;
mod rectify;
mod searching;
