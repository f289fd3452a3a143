//! Source systems: how far each one's clock, order and proof can be trusted.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use crate::channel::Channels;
use crate::evidence::Level;
use crate::text::SystemId;

/// How far a system's clock may be off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The host's own clock: exact.
    Host,
    /// Within two minutes.
    Good,
    /// Within one day.
    Poor,
    /// Its times are worthless.
    None,
}

impl Clock {
    /// The greatest error to reckon with, or `None` where a time says nothing.
    pub fn skew(self) -> Option<SignedDuration> {
        match self {
            Self::Host => Some(SignedDuration::ZERO),
            Self::Good => Some(SignedDuration::from_mins(2)),
            Self::Poor => Some(SignedDuration::from_hours(24)),
            Self::None => None,
        }
    }

    /// Reads the name used in configuration and scenarios.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "host" => Some(Self::Host),
            "good" => Some(Self::Good),
            "poor" => Some(Self::Poor),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// Whether a platform lets an opted-out contact be subscribed again by its API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resubscribe {
    /// It does what it is told: the host must be the guard.
    Allowed,
    /// Only by asking the person itself (double opt-in by the vendor).
    VendorDoi,
    /// Never. The block is reported, not dodged.
    Forbidden,
}

impl Resubscribe {
    /// Reads the name used in configuration and scenarios.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "allowed" => Some(Self::Allowed),
            "vendor_doi" => Some(Self::VendorDoi),
            "forbidden" => Some(Self::Forbidden),
            _ => None,
        }
    }
}

/// What the law needs to know of one source system.
#[derive(Debug, Clone)]
pub struct System {
    /// How far its clock may be off.
    pub clock: Clock,
    /// The zone its local times are in, if declared.
    pub zone: Option<TimeZone>,
    /// Whether its own log numbers are an order one can rely on.
    pub sequenced: bool,
    /// The highest evidence level it can vouch for without a document.
    pub level_max: Level,
    /// Whether marketing is sent from it: only then are decisions pushed to it.
    pub marketing: bool,
    /// The channels it sends on.
    pub channels: Channels,
    /// Whether it lets opted-out contacts be subscribed again.
    pub resubscribe: Resubscribe,
}

impl Default for System {
    /// The strictest reading of a system nobody described: no clock, no order, a claim at most, nothing pushed.
    fn default() -> Self {
        Self {
            clock: Clock::None,
            zone: None,
            sequenced: false,
            level_max: Level::Claim,
            marketing: false,
            channels: Channels::NONE,
            resubscribe: Resubscribe::Forbidden,
        }
    }
}

/// All source systems by id. An id that is not here gets the strictest reading.
#[derive(Debug, Clone, Default)]
pub struct Systems {
    known: BTreeMap<SystemId, System>,
    stranger: System,
}

impl Systems {
    /// The system of this id, or the strictest reading where it is not described.
    pub fn get(&self, id: &SystemId) -> &System {
        self.known.get(id).unwrap_or(&self.stranger)
    }

    /// Describes a system, replacing what was said before.
    pub fn insert(&mut self, id: SystemId, system: System) {
        self.known.insert(id, system);
    }

    /// The described systems in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&SystemId, &System)> {
        self.known.iter()
    }
}

impl FromIterator<(SystemId, System)> for Systems {
    fn from_iter<I: IntoIterator<Item = (SystemId, System)>>(systems: I) -> Self {
        Self { known: systems.into_iter().collect(), stranger: System::default() }
    }
}
