//! In-memory HTTP twins of the vendors, with their rules and faults.
//!
//! A [`Sandbox`] serves a twin of Mailchimp and one of `HubSpot` on 127.0.0.1 and can write the export of a shop. All three
//! hold the same invented people, who say different things in each ([`Plot`]). The twins page, refuse, limit and forget as
//! the vendors do; what they do not know answers 404. They know nothing of the rest of this workspace, so that a test
//! never asks a program about itself. They are no place for real data: nothing is kept, nothing is encrypted.
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
//! # Credentials
//! Mailchimp takes `sandbox-mailchimp-key-us1` as Bearer token or Basic password. `HubSpot` takes the Bearer token
//! `sandbox-hubspot-token`, or access tokens from `POST /oauth/v1/token` for the client `sandbox-client` with the secret
//! `sandbox-client-secret` and the refresh token `sandbox-refresh-0`. [`Options`] sets others.
//!
//! # Limits
//! Those of the vendors: ten calls in flight at once for Mailchimp; 190 calls in ten seconds and five searches in a second
//! for `HubSpot`. [`Options::without_limits`] lifts them. They count in the host's time; everything else lives in the
//! sandbox's own ([`Clock`]), which starts at [`Options::epoch`] and can stand still ([`Pace`]).
//!
//! # Control from another process
//! Every twin answers these beside its API, without credentials, outside the call log and untouched by faults. Bodies are
//! JSON; what is not understood answers 400 with `{"ok": false, "mend": "…"}`.
//!
//! | call | what it does |
//! |---|---|
//! | `POST /_control/fault` | sets a [`Rule`] |
//! | `DELETE /_control/fault` | removes all rules |
//! | `GET /_control/calls` | the calls answered, their number, the number of writes, the most in flight at once |
//! | `POST /_control/act` | does what a person does: a [`MailchimpAct`] or a [`HubSpotAct`] |
//! | `POST /_control/advance` | lets time pass: `{"seconds": 60}` |
//! | `POST /_control/reset` | removes rules and calls, and puts everybody back as they were at the start |
//!
//! ```text
//! curl -d '{"fault": {"rate_limited": {"seconds": 6}}, "path": "/members", "when": {"page": {"number": 3}}}' \
//!     http://127.0.0.1:PORT/_control/fault
//! curl -d '{"fault": "lost_answer", "method": "PATCH"}' http://127.0.0.1:PORT/_control/fault
//! curl -d '{"audience": "letter", "email": "ada@example.org", "what": "unsubscribe"}' \
//!     http://127.0.0.1:PORT/_control/act
//! ```

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
pub use hubspot::{Census, HubSpot, HubSpotAct, HubSpotDeed, SUBSCRIPTION_IDS};
pub use mailchimp::{Mailchimp, MailchimpAct, MailchimpDeed};
pub use options::{AdminOptOuts, HubSpotOptions, Key, MailchimpOptions, Options, Refresh, Tier};
pub use population::{
    Audience, CONTACTS_MAX, Figure, Person, Plot, Population, Row, Saying, Status, System, UnknownStatus, WriteError,
};
pub use sandbox::{Sandbox, StartError};
pub use twin::ActError;
