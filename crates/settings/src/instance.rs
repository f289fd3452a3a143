//! One connected account: the keys that every connector has in common, and the rest, which belongs to the connector.
//!
//! The rest is kept as it was written and read by the connector itself. It is never shown: it may hold a secret that
//! was pasted where a reference belongs.

use std::collections::BTreeMap;
use std::fmt;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};
use unisson_consent::{Channel, Channels, Clock, Level, ListId, PurposeId, Resubscribe, System};

use crate::nearest::nearest;
use crate::period::Period;
use crate::read::section;
use crate::word::{LevelNumber, Name, Vocabulary, Word, Zone};

/// The keys that every connector has in common.
const COMMON_KEYS: [&str; 12] = [
    "connector",
    "enabled",
    "enforce",
    "clock",
    "tz",
    "max_level",
    "sequenced",
    "resubscribe",
    "marketing",
    "channels",
    "lists",
    "verify_after",
];

/// How far the host goes on an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Enforce {
    /// Reads only: differences are reported, nothing is written.
    Observe,
    /// Writes suppressions and erasures, never a consent.
    #[default]
    Negatives,
    /// Writes consents as well, where the policy and the platform allow it.
    Full,
}

impl Enforce {
    /// Every way, with the name used in settings and output.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Observe, "observe"), (Self::Negatives, "negatives"), (Self::Full, "full")];

    /// The name used in settings and output.
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

impl Vocabulary for Enforce {
    const NAMES: &'static str = "a way to enforce";

    fn words() -> Vec<&'static str> {
        Self::ALL.iter().map(|(_, word)| *word).collect()
    }

    fn meaning(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == word).map(|(enforce, _)| enforce)
    }
}

/// What one list of a platform is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListMapping {
    /// The purpose that a subscription to it serves.
    pub purpose: PurposeId,
    /// The channel it is sent over.
    pub channel: Channel,
}

/// What an instance's settings say of how far its platform can be trusted. What they leave out, its kind decides.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// How far its clock may be off.
    pub clock: Option<Clock>,
    /// The zone its local times are in.
    pub tz: Option<TimeZone>,
    /// The highest evidence level it can vouch for without a document.
    pub level_max: Option<Level>,
    /// Whether its own log numbers are an order one can rely on.
    pub sequenced: Option<bool>,
    /// Whether it lets opted-out contacts be subscribed again.
    pub resubscribe: Option<Resubscribe>,
    /// Whether marketing is sent from it.
    pub marketing: Option<bool>,
    /// The channels it sends on.
    pub channels: Option<Channels>,
}

/// How far the platforms of one kind of connector can be trusted, where settings say nothing.
#[derive(Debug, Clone, Copy)]
pub struct TrustDefaults {
    /// How far its clock may be off.
    pub clock: Clock,
    /// The highest evidence level it can vouch for without a document.
    pub level_max: Level,
    /// Whether its own log numbers are an order one can rely on.
    pub sequenced: bool,
    /// Whether it lets opted-out contacts be subscribed again.
    pub resubscribe: Resubscribe,
    /// Whether marketing is sent from it.
    pub marketing: bool,
    /// The channels it sends on.
    pub channels: Channels,
}

impl Default for TrustDefaults {
    /// The strictest reading, that of a system nobody described.
    fn default() -> Self {
        let System { clock, zone: _, sequenced, level_max, marketing, channels, resubscribe } = System::default();
        Self { clock, level_max, sequenced, resubscribe, marketing, channels }
    }
}

/// One connected account of one platform.
#[derive(Clone)]
pub struct Instance {
    /// The kind of connector.
    pub connector: String,
    /// Whether it takes part at all.
    pub enabled: bool,
    /// How far the host goes on it.
    pub enforce: Enforce,
    /// How far it can be trusted.
    pub trust: Trust,
    /// What its lists are for. A list that is not here can be opted out of, never into.
    pub lists: BTreeMap<ListId, ListMapping>,
    /// How long to wait before an erasure is read back a second time, where the vendor's own settling time is not right.
    pub verify_after: Option<SignedDuration>,
    /// Everything else, for the connector to read.
    pub rest: Map<String, Value>,
}

impl Instance {
    /// The system as the law sees it: what the settings say, and where they say nothing, what its kind says.
    pub fn system(&self, defaults: &TrustDefaults) -> System {
        let Trust { clock, tz, level_max, sequenced, resubscribe, marketing, channels } = &self.trust;
        System {
            clock: clock.unwrap_or(defaults.clock),
            zone: tz.clone(),
            sequenced: sequenced.unwrap_or(defaults.sequenced),
            level_max: level_max.unwrap_or(defaults.level_max),
            marketing: marketing.unwrap_or(defaults.marketing),
            channels: channels.unwrap_or(defaults.channels),
            resubscribe: resubscribe.unwrap_or(defaults.resubscribe),
        }
    }

    /// Keys that go to the connector although they look like misspelt common ones: `(written, perhaps meant)`.
    pub fn doubts(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.rest.keys().filter_map(|key| Some((key.as_str(), nearest(key, COMMON_KEYS)?)))
    }
}

impl fmt::Debug for Instance {
    /// Names the connector's own keys without their values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connector, enabled, enforce, trust, lists, verify_after, rest } = self;
        f.debug_struct("Instance")
            .field("connector", connector)
            .field("enabled", enabled)
            .field("enforce", enforce)
            .field("trust", trust)
            .field("lists", lists)
            .field("verify_after", verify_after)
            .field("rest", &rest.keys().collect::<Vec<_>>())
            .finish()
    }
}

section! {
    /// A list mapping as it is written.
    ListSection {
        purpose: Name,
        channel: Word<Channel>,
    }
}

impl<'de> Deserialize<'de> for Instance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InstanceVisitor)
    }
}

struct InstanceVisitor;

impl<'de> Visitor<'de> for InstanceVisitor {
    type Value = Instance;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    /// Splits the common keys from the rest by hand, so that each keeps its own message.
    fn visit_map<A: MapAccess<'de>>(self, mut keys: A) -> Result<Instance, A::Error> {
        let mut connector: Option<Name> = None;
        let mut enabled = true;
        let mut enforce = Enforce::default();
        let mut trust = Trust::default();
        let mut lists = BTreeMap::new();
        let mut verify_after = None;
        let mut rest = Map::new();
        while let Some(key) = keys.next_key::<String>()? {
            match key.as_str() {
                "connector" => connector = Some(keys.next_value()?),
                "enabled" => enabled = keys.next_value()?,
                "enforce" => enforce = keys.next_value::<Word<Enforce>>()?.0,
                "clock" => trust.clock = Some(keys.next_value::<Word<Clock>>()?.0),
                "tz" => trust.tz = Some(keys.next_value::<Zone>()?.0),
                "max_level" => trust.level_max = Some(keys.next_value::<LevelNumber>()?.0),
                "sequenced" => trust.sequenced = Some(keys.next_value()?),
                "resubscribe" => trust.resubscribe = Some(keys.next_value::<Word<Resubscribe>>()?.0),
                "marketing" => trust.marketing = Some(keys.next_value()?),
                "channels" => {
                    let channels: Vec<Word<Channel>> = keys.next_value()?;
                    trust.channels = Some(channels.iter().map(|word| word.0).collect());
                }
                "verify_after" => verify_after = Some(keys.next_value::<Period>()?.exact()),
                "lists" => lists = mapped(keys.next_value()?),
                _ => {
                    rest.insert(key, keys.next_value()?);
                }
            }
        }
        let Some(Name(connector)) = connector else { return Err(without_connector(&rest)) };
        Ok(Instance { connector, enabled, enforce, trust, lists, verify_after, rest })
    }
}

fn mapped(lists: BTreeMap<String, ListSection>) -> BTreeMap<ListId, ListMapping> {
    let mapping = |list: ListSection| ListMapping { purpose: PurposeId::new(list.purpose.0), channel: list.channel.0 };
    lists.into_iter().map(|(id, list)| (ListId::new(id), mapping(list))).collect()
}

fn without_connector<E: Error>(rest: &Map<String, Value>) -> E {
    match rest.keys().find(|key| nearest(key, ["connector"]).is_some()) {
        Some(written) => E::custom(format!("lacks `connector`; did you mean it by `{written}`?")),
        None => E::missing_field("connector"),
    }
}
