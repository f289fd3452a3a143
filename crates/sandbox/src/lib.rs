//! In-memory HTTP twins of the vendors, with their rules and faults.
mod calls;
mod clock;
mod control;
mod delivery;
mod fault;
mod gate;
mod handle;
mod hash;
mod hubspot;
mod mailchimp;
mod message;
mod options;
mod population;
mod sandbox;
mod server;
mod spoil;
mod twin;
mod view;

pub use calls::{Call, Tally};
pub use clock::{Clock, Pace};
pub use fault::{DELAY_MS_MAX, Fault, Framing, RULES_MAX, RetryAfter, Rule, RuleError, When};
pub use handle::Handle;
pub use hubspot::{HubSpot, HubSpotAct, HubSpotDeed, SUBSCRIPTION_IDS};
pub use mailchimp::{Mailchimp, MailchimpAct, MailchimpDeed};
pub use options::{AdminOptOuts, HubSpotOptions, Key, MailchimpOptions, Options, Refresh, Tier};
pub use population::{
    Audience, CONTACTS_MAX, Figure, Person, Plot, Population, Row, Saying, Status, System, UnknownStatus, WriteError,
};
pub use sandbox::{Sandbox, StartError};
pub use twin::ActError;
