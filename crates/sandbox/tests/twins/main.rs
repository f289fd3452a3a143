//! The twins over real HTTP: every quirk of the fact sheets, every fault, driven by a small client that knows neither.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is a failed test")]

mod brevo_read;
mod brevo_write;
mod client;
mod control;
mod erasure;
mod every_fault;
mod every_write;
mod faults;
mod hubspot_read;
mod hubspot_write;
mod limits;
mod mailchimp_read;
mod mailchimp_write;
mod pages;
mod population;
mod rates;
mod site;
mod weather;
