//! The policy file as it is written, section by section.

use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer};
use unisson_consent::{Audience, Basis, Channel, Family, HoldBasis, Need, Propagate, Relation};

use super::hold::Applies;
use super::profile::Profile;
use crate::path::Step;
use crate::period::Period;
use crate::read::{Schema, section};
use crate::word::{CountryCode, LevelNumber, Moment, Name, Vocabulary, Word};

section! {
    /// The whole file, profile and overrides laid together.
    PolicyFile {
        version: Name,
        profile: Word<Profile>,
        country: CountryCode,
        push_grants: bool,
        level: LevelSection,
        time: TimeSection,
        scope: ScopeSection,
        identity: IdentitySection,
        minor_age: MinorAgeSection,
        reachability: ReachabilitySection,
        campaign: CampaignSection,
        purposes: BTreeMap<String, PurposeSection>,
        basis: Vec<BasisSection>,
        #[serde(default)]
        hold: Vec<HoldSection>,
        #[serde(default)]
        lineage: BTreeMap<String, Vec<Name>>,
    }
}

section! {
    /// What an opt-in must prove.
    LevelSection {
        need: NeedSection,
        regrant: RegrantSection,
    }
}

section! {
    /// To count as a consent.
    NeedSection {
        default: LevelNumber,
        role_account: LevelNumber,
        rules: Vec<NeedRule>,
    }
}

section! {
    /// In some country, on some channel, for some audience.
    NeedRule {
        #[serde(default)]
        country: Vec<CountryCode>,
        #[serde(default)]
        channel: Vec<Word<Channel>>,
        #[serde(default)]
        audience: Vec<Word<Audience>>,
        level: LevelNumber,
    }
}

section! {
    /// To lift a negative.
    RegrantSection {
        refuse: LevelNumber,
        withdraw: LevelNumber,
        object: LevelNumber,
        complaint: LevelNumber,
        erase: LevelNumber,
    }
}

section! {
    /// How long things hold, are kept, and may take.
    TimeSection {
        inactivity_max: Limit,
        consent_max_age: Limit,
        expiry_ask_window: Period,
        doi_pending_ttl: Limit,
        suppression_retention: Kept,
        suppression_review: Period,
        tombstone_retention: Kept,
        proof_retention: Period,
        erasure_due: Period,
        erasure_extension: Period,
        negative_sla_alarm: Period,
        negative_sla_hard: Period,
    }
}

section! {
    /// How far a negative reaches.
    ScopeSection {
        propagate: Word<Propagate>,
    }
}

section! {
    /// Who is who.
    IdentitySection {
        suppression_alias: Vec<Word<Alias>>,
        carry_grant_on_address_change: Word<Carry>,
        role_accounts: Vec<String>,
    }
}

section! {
    /// The age of digital consent.
    MinorAgeSection {
        default: i16,
        country: BTreeMap<String, i16>,
    }
}

section! {
    /// When an address counts as dead.
    ReachabilitySection {
        soft_bounces: u32,
        soft_window: Period,
        soft_span: Period,
        deliveries_clear_hard: u32,
    }
}

section! {
    /// Asking for a proven consent.
    CampaignSection {
        invite_allowed: bool,
        deadline: Option<Moment>,
    }
}

section! {
    /// One purpose.
    PurposeSection {
        family: Word<Family>,
        parent: Option<Name>,
        dpv: Option<String>,
    }
}

section! {
    /// When contact is lawful without consent.
    BasisSection {
        id: Name,
        #[serde(default)]
        country: Vec<CountryCode>,
        #[serde(default)]
        audience: Vec<Word<Audience>>,
        channel: Vec<Word<Channel>>,
        purpose: Vec<Name>,
        basis: Word<Basis>,
        #[serde(default)]
        facts: Vec<Word<Proof>>,
        max_age: Option<Period>,
        from: Option<Moment>,
        until: Option<Moment>,
    }
}

section! {
    /// What must stay after an erasure.
    HoldSection {
        name: Name,
        system: Name,
        fields: Vec<String>,
        ground: Word<HoldBasis>,
        provision: String,
        keeps_for: Period,
        applies: Word<Applies>,
    }
}

/// The keys of a file beside those of [`PolicyFile`]: applied when profile and overrides are laid together.
const OTHER_KEYS: [&str; 1] = ["without_basis"];

/// The keys of a whole file.
static ROOT_KEYS: [&str; PolicyFile::KEYS.len() + 1] = {
    let mut keys = [OTHER_KEYS[0]; PolicyFile::KEYS.len() + 1];
    let mut at = 0;
    while at < PolicyFile::KEYS.len() {
        keys[at] = PolicyFile::KEYS[at];
        at += 1;
    }
    keys
};

impl Schema for PolicyFile {
    const EXAMPLES: &'static [(&'static str, &'static str)] = &[
        ("version", "version = \"2026-11-23.1\""),
        ("profile", "profile = \"eu-fr\""),
        ("country", "country = [\"FR\"] in a rule, country = \"FR\" at the top"),
        ("rules", "rules = [ { country = [\"DE\"], channel = [\"email\"], level = 4 } ]"),
        ("default", "default = 3"),
        ("role_account", "role_account = 4"),
        ("level", "level = 4"),
        ("refuse", "refuse = 3"),
        ("withdraw", "withdraw = 3"),
        ("object", "object = 4"),
        ("complaint", "complaint = 4"),
        ("erase", "erase = 4"),
        ("family", "family = \"marketing\""),
        ("parent", "parent = \"marketing\""),
        ("id", "id = \"fr_soft_optin\""),
        ("channel", "channel = [\"email\"]"),
        ("audience", "audience = [\"b2b\"]"),
        ("purpose", "purpose = [\"promotions\"]"),
        ("basis", "basis = \"soft_opt_in\""),
        ("facts", "facts = [\"sale\", \"opt_out_offered\", \"similar\"]"),
        ("max_age", "max_age = \"P36M\""),
        ("from", "from = \"2026-08-11T00:00:00+02:00\""),
        ("until", "until = \"2026-08-11T00:00:00+02:00\""),
        ("hold", "[[hold]]"),
        ("name", "name = \"invoices\""),
        ("system", "system = \"billing\""),
        ("fields", "fields = [\"invoice\", \"name and billing address\"]"),
        ("ground", "ground = \"legal_obligation\""),
        ("provision", "provision = \"C. com. L123-22\""),
        ("keeps_for", "keeps_for = \"P10Y\""),
        ("applies", "applies = \"always\""),
        ("deadline", "deadline = \"2026-10-31T23:00:00Z\""),
        ("invite_allowed", "invite_allowed = true"),
        ("push_grants", "push_grants = true"),
        ("soft_bounces", "soft_bounces = 5"),
        ("deliveries_clear_hard", "deliveries_clear_hard = 2"),
        ("suppression_alias", "suppression_alias = [\"plus\"]"),
        ("role_accounts", "role_accounts = [\"info\", \"contact\"]"),
        ("inactivity_max", "inactivity_max = \"P36M\""),
        ("tombstone_retention", "tombstone_retention = \"P5Y\""),
        ("suppression_retention", "suppression_retention = \"indefinite\""),
    ];

    fn keys(path: &[Step]) -> &'static [&'static str] {
        let name = |step: Option<&Step>| match step {
            Some(Step::Key(key)) => key.clone(),
            Some(Step::Index(_)) | None => String::new(),
        };
        match (name(path.first()).as_str(), name(path.get(1)).as_str()) {
            ("", _) => &ROOT_KEYS,
            ("level", "") => LevelSection::KEYS,
            ("level", "need") if path.len() > 2 => NeedRule::KEYS,
            ("level", "need") => NeedSection::KEYS,
            ("level", _) => RegrantSection::KEYS,
            ("time", _) => TimeSection::KEYS,
            ("scope", _) => ScopeSection::KEYS,
            ("identity", _) => IdentitySection::KEYS,
            ("minor_age", _) => MinorAgeSection::KEYS,
            ("reachability", _) => ReachabilitySection::KEYS,
            ("campaign", _) => CampaignSection::KEYS,
            ("purposes", _) => PurposeSection::KEYS,
            ("basis", _) => BasisSection::KEYS,
            ("hold", _) => HoldSection::KEYS,
            _ => &[],
        }
    }
}

/// A limit in time, or `"none"`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit(pub(crate) Option<Period>);

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Period::or_word(deserializer, Some("none")).map(Self)
    }
}

/// A time for which something is kept, or `"indefinite"`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept(pub(crate) Option<Period>);

impl<'de> Deserialize<'de> for Kept {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Period::or_word(deserializer, Some("indefinite")).map(Self)
    }
}

/// A widening of suppression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alias {
    /// `name+tag@` and `name@` are one.
    Plus,
    /// Dots before `gmail.com` do not count.
    GmailDots,
}

impl Vocabulary for Alias {
    const NAMES: &'static str = "a widening of suppression";

    fn words() -> Vec<&'static str> {
        vec!["plus", "gmail_dots"]
    }

    fn meaning(word: &str) -> Option<Self> {
        match word {
            "plus" => Some(Self::Plus),
            "gmail_dots" => Some(Self::GmailDots),
            _ => None,
        }
    }
}

/// When a consent follows a change of address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carry {
    /// When the person verified the new address.
    Verified,
    /// Never.
    Never,
}

impl Vocabulary for Carry {
    const NAMES: &'static str = "a rule for changes of address";

    fn words() -> Vec<&'static str> {
        vec!["verified", "never"]
    }

    fn meaning(word: &str) -> Option<Self> {
        match word {
            "verified" => Some(Self::Verified),
            "never" => Some(Self::Never),
            _ => None,
        }
    }
}

/// A fact that a basis rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A relation: of several, one is enough.
    Relation(Relation),
    /// A condition: all must be proven.
    Need(Need),
}

impl Vocabulary for Proof {
    const NAMES: &'static str = "a fact";

    fn words() -> Vec<&'static str> {
        let relations = Relation::ALL.iter().map(|(_, word)| *word);
        relations.chain(Need::ALL.iter().map(|(_, word)| *word)).collect()
    }

    fn meaning(word: &str) -> Option<Self> {
        Relation::parse(word).map(Self::Relation).or_else(|| Need::parse(word).map(Self::Need))
    }
}
