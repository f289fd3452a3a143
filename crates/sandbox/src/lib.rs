//! In-memory HTTP twins of the vendors, with their rules and faults.
//!
//! A [`Sandbox`] serves twins of Mailchimp, `HubSpot` and Brevo on 127.0.0.1 and can write the export of a shop. All four
//! hold the same invented people, who say different things in each ([`Plot`], [`Fate`]). The twins page, refuse, limit and
//! forget as the vendors do; what they do not know answers 404. They know nothing of the rest of this workspace, so that a
//! test never asks a program about itself. They are no place for real data: nothing is kept, nothing is encrypted.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use unisson_sandbox::{Audience, Fault, MailchimpDeed, Options, Plot, Rule, Sandbox, Status, System};
//!
//! let sandbox = Sandbox::start(Options { seed: 7, contacts: 200, ..Options::default() }).await.unwrap();
//! let mail = sandbox.mailchimp();
//! assert!(mail.base_url().starts_with("http://127.0.0.1:") && mail.base_url().ends_with("/3.0"));
//!
//! // A person leaves; a page goes missing; the calls are counted.
//! let person = sandbox.population().with_plot(Plot::Proven).next().unwrap();
//! let address = person.spelling(System::Letter);
//! mail.act(Audience::Letter, &address, MailchimpDeed::Unsubscribe).unwrap();
//! assert_eq!(mail.status(Audience::Letter, &address), Some(Status::Unsubscribed));
//! mail.handle().inject(Rule::new(Fault::EmptyPage).on("/members").at_page(3)).unwrap();
//! assert_eq!(mail.handle().tally().writes, 0);
//! sandbox.shutdown().await;
//! # });
//! ```
//!
//! What follows is the crate's `README.md`: credentials, allowances, faults, and how another process controls a twin.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod brevo;
mod calls;
mod clock;
mod control;
mod core;
mod delivery;
mod fault;
mod gate;
mod handle;
mod hash;
mod hostile;
mod hubspot;
mod late;
mod mailchimp;
mod message;
mod offset;
mod options;
mod population;
mod rates;
mod sandbox;
mod server;
mod spoil;
mod twin;
mod view;
mod weather;

pub use brevo::{BREVO_LIST_IDS, Brevo, BrevoAct, BrevoCensus, BrevoDeed};
pub use calls::{Call, Tally};
pub use clock::{Clock, Pace};
pub use fault::{DELAY_MS_MAX, Fault, Framing, Lag, RULES_MAX, RetryAfter, Rule, RuleError, When};
pub use handle::Handle;
pub use hubspot::{Census, HubSpot, HubSpotAct, HubSpotDeed, SUBSCRIPTION_IDS};
pub use mailchimp::{Mailchimp, MailchimpAct, MailchimpDeed};
pub use options::{AdminOptOuts, BrevoOptions, HubSpotOptions, Key, MailchimpOptions, Options, Refresh, Tier};
pub use population::{
    Audience, CONTACTS_MAX, Fate, Figure, Person, Plot, Population, Row, Saying, Status, System, UnknownStatus,
    WriteError,
};
pub use rates::{Rates, WindowRate};
pub use sandbox::{Sandbox, StartError};
pub use twin::ActError;
pub use weather::SPELL_MAX;
