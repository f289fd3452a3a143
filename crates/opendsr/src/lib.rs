//! OpenDSR 2.0, formerly `OpenGDPR`: how controllers and processors tell each other of requests of persons.
//!
//! **Out.** [`Client`] asks another processor: what it supports ([`Discovery`]), to erase ([`Draft`]), how far it is, to
//! stop. It sends through an [`Exchange`] of the host; authentication is outside the protocol and is the host's as well.
//!
//! **In.** [`Receiver`] reads a request of another controller and makes the signed answers and callbacks. It has no server.
//!
//! **Signatures.** Base64 of RSA PKCS#1 v1.5 with SHA-256 over the body, by the certificate that the processor publishes.
//! It must chain to a given root, be valid now and for the processor's domain, and not be signed by itself. Nothing is
//! parsed before that: only [`Authentic`] bytes have readers.
//!
//! **Ids.** The protocol wants a UUID of version 4. Our cases have other ids, and one case asks many processors:
//! [`RequestId::of`] says how the one follows from the other, so that nothing has to be kept.
//!
//! **What the protocol has no word for.**
//!
//! | ours | theirs |
//! |---|---|
//! | rejected, with a reason | `cancelled`, and `"outcome": "rejected"` in the extension of our domain |
//! | completed, a hold keeps something | `completed`, and `"outcome": "completed_with_holds"` in the extension |
//! | taken back by the person | `cancelled`, and `"outcome": "withdrawn_by_person"` in the extension |
//! | objection, opt-out (art. 21) | nothing: [`RequestType::of`] gives none, and an erasure is never sent in its place |
//! | restriction (art. 18) | nothing, likewise |
//! | `cancelled` by a processor | refused: somebody has to look ([`Progress::Refused`]) |
//! | any other status | as before: asked again, never done ([`Progress::Unclear`]) |
//!
//! What is sent holds nothing unknown; what is read may hold more than is known here.

mod client;
mod discovery;
mod domain;
mod id;
mod receive;
mod request;
mod signature;
mod status;
mod wire;

pub use client::{Client, ClientError, Exchange, ExchangeError, is_overdue, next_poll};
pub use discovery::{Cached, Discovery, SupportedIdentity};
pub use domain::{Base, Domain, NoDomain};
pub use id::RequestId;
pub use receive::{Answer, Incoming, Receiver, Refusal, forbidden};
pub use request::{Draft, RequestError};
pub use signature::{
    Authentic, Chain, DOMAIN_HEADER, Forged, SIGNATURE_HEADER, Signer, SignerError, Trust, Unreadable,
};
pub use status::{Outcome, Progress, Wish};
pub use wire::{
    API_VERSION, BODY_BYTES_MAX, Callback, Cancelled, Created, Identity, IdentityFormat, IdentityType, Regulation,
    Request, RequestType, Status, StatusReport,
};
