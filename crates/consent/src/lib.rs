//! The law: identifiers, purposes, channels, evidence, facts, standing, decision, policy.
//!
//! Everything here is pure, synchronous and total: no input or output, no clock, no panic on any input. A person's facts
//! are folded into a [`Standing`], which is a function of the *set* of facts, so order, repetition and races cannot
//! matter. [`decide`](Standing::decide) answers whether the person may be contacted for a purpose over a channel, with one
//! primary reason and the facts behind it. When in doubt, the stricter answer.
//!
//! It refuses to know of stores, vendors, wire formats and serialisation.

mod action;
mod address;
mod basis;
mod channel;
mod decide;
mod decision;
mod erased;
mod evidence;
mod fact;
mod hashed;
mod identity;
mod lack;
mod law;
mod moves;
mod optin;
mod overlay;
mod policy;
mod reach;
mod refusal;
mod scope;
mod standing;
mod system;
mod term;
mod text;
mod time;
mod weigh;

pub use action::{Shown, Stance, verb};

pub use address::{Address, AddressKind, Aliases, Defect};
pub use channel::{Channel, Channels};
pub use decision::{ConsentStatus, Decision, Reason, Verdict};
pub use erased::{Erased, is_tombstone};
pub use evidence::{Evidence, Level};
pub use fact::{Audience, Country, Fact, FactId, Kind, Purposes, RecordRef, Scope, Who};
pub use hashed::{Algorithm, HashedAddress, KeyId, Keyring, Normalisation};
pub use lack::{Lack, Lacks};
pub use law::{Key, Law, OwnPush, Verb};
pub use optin::{Claim, OptIn, OptIns, Outcome, Unaskable, Unplaced};
pub use policy::{Basis, BasisRule, Family, LevelRule, Need, Policy, Propagate, Purpose, RegrantLevels};
pub use standing::Standing;
pub use system::{Clock, Resubscribe, System, Systems};
pub use term::{Activity, Actor, Bounce, HoldBasis, Relation, Status, Via};
pub use text::{CustomerNo, ListId, NoticeId, PersonId, PurposeId, PushId, RecordId, SystemId};
pub use time::{Interval, Occurred};
