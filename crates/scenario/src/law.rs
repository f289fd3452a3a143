//! From the stage of a scenario, as it is written, to the law it is played under.

use std::collections::{BTreeMap, BTreeSet};

use unisson_consent::{
    Aliases, BasisRule, Channels, Country, Keyring, Law, LevelRule, ListId, Need, Policy, Purpose, PurposeId,
    RegrantLevels, System, SystemId, Systems,
};

use crate::error::{Fault, Path};
use crate::nearest::{instead, shown};
use crate::schema;
use crate::word::{Alias, AllOr, Carry, ChannelNames, Days, Land, Many, Of};

/// Makes the law of a stage. Names that lead nowhere are refused.
pub(crate) fn law(stage: &schema::Stage) -> Result<Law, Fault> {
    let names = Names { stage };
    Ok(Law { policy: policy(&names)?, systems: systems(stage), keyring: Keyring::default() })
}

/// The channels of a list; none where nothing is written.
pub(crate) fn channels(names: Option<&ChannelNames>) -> Channels {
    match names.map(|names| &names.0) {
        Some(AllOr::All) => Channels::ALL,
        Some(AllOr::Some(list)) => list.iter().map(|channel| channel.0).collect(),
        None => Channels::NONE,
    }
}

/// The names a stage declares.
pub(crate) struct Names<'a> {
    pub(crate) stage: &'a schema::Stage,
}

impl Names<'_> {
    /// A declared purpose.
    pub(crate) fn purpose(&self, name: &str) -> Result<PurposeId, Fault> {
        if self.stage.purposes.contains_key(name) {
            return Ok(PurposeId::new(name));
        }
        let known: Vec<&str> = self.stage.purposes.keys().map(String::as_str).collect();
        Err(Fault::new(format!("names no purpose: `{}`; {}", shown(name), instead(name, &known))))
    }

    /// A described system.
    pub(crate) fn system(&self, name: &str) -> Result<SystemId, Fault> {
        if self.stage.systems.contains_key(name) {
            return Ok(SystemId::new(name));
        }
        let known: Vec<&str> = self.stage.systems.keys().map(String::as_str).collect();
        Err(Fault::new(format!("names no system: `{}`; {}", shown(name), instead(name, &known))))
    }

    fn purposes(&self, names: &Many<String>, path: &Path) -> Result<BTreeSet<PurposeId>, Fault> {
        let read = |(place, name): (usize, &String)| {
            self.purpose(name).map_err(|fault| fault.after(&path.clone().index(place)))
        };
        names.0.iter().enumerate().map(read).collect()
    }
}

fn systems(stage: &schema::Stage) -> Systems {
    let strict = System::default();
    let system = |written: &schema::System| System {
        clock: written.clock.map_or(strict.clock, |clock| clock.0),
        zone: written.tz.as_ref().map(|zone| zone.0.clone()),
        sequenced: written.sequenced,
        level_max: written.max_level.map_or(strict.level_max, |rank| rank.0),
        marketing: written.marketing,
        channels: channels(written.channels.as_ref()),
        resubscribe: written.resubscribe.map_or(strict.resubscribe, |resubscribe| resubscribe.0),
    };
    stage.systems.iter().map(|(id, written)| (SystemId::new(id), system(written))).collect()
}

fn policy(names: &Names<'_>) -> Result<Policy, Fault> {
    let written = &names.stage.policy;
    let days = |days: Option<Days>| days.map(|days| days.0);
    let alias = |wanted: Alias| written.suppression_alias.0.iter().any(|alias| alias.0 == wanted);
    Ok(Policy {
        purposes: purposes(names)?,
        country: written.country.0,
        level_default: written.required_level.0,
        level_rules: written.required_level_rules.iter().map(level_rule).collect(),
        level_role: written.role_account_level.0,
        role_accounts: written.role_accounts.iter().map(|name| name.trim().to_lowercase()).collect(),
        regrant: regrant(&written.regrant_level),
        propagate: written.propagate.0,
        inactivity_max: days(written.inactivity_days),
        consent_age_max: days(written.consent_max_age_days),
        expiry_ask: written.expiry_ask_days.0,
        request_age_max: days(written.request_max_age_days),
        deadline: written.requal_deadline.as_ref().map(|moment| moment.0),
        invite_allowed: written.requal_invite_allowed,
        push_grants: written.push_grants,
        carry_verified_change: written.carry_grant_on_address_change.0 == Carry::Verified,
        aliases: Aliases { plus: alias(Alias::Plus), gmail_dots: alias(Alias::GmailDots) },
        soft_threshold: written.soft_threshold,
        soft_window: written.soft_window_days.0,
        soft_span: written.soft_span_days.0,
        deliveries_clear_hard: written.delivered_clears_hard,
        minor_age: minor_age(&written.minor_age)?,
        minor_age_default: i16::from(written.minor_age_default),
        lists: lists(names)?,
        lineage: lineage(names)?,
        basis_rules: basis_rules(names)?,
    })
}

fn regrant(written: &schema::RegrantLevels) -> RegrantLevels {
    RegrantLevels {
        refuse: written.refuse.0,
        withdraw: written.withdraw.0,
        object: written.object.0,
        complaint: written.complaint.0,
        erase: written.erase.0,
    }
}

fn purposes(names: &Names<'_>) -> Result<BTreeMap<PurposeId, Purpose>, Fault> {
    let declared = &names.stage.purposes;
    let mut purposes = BTreeMap::new();
    for (name, written) in declared {
        let path = || Path::of(&["purposes", name, "parent"]);
        if let Some(parent) = &written.parent {
            names.purpose(parent).map_err(|fault| fault.after(&path()))?;
        }
        let mut above = written.parent.as_ref();
        for _ in 0..declared.len() {
            above = above.and_then(|parent| declared.get(parent)).and_then(|parent| parent.parent.as_ref());
        }
        if above.is_some() {
            return Err(Fault::at(path(), "leads in a circle; a purpose cannot be part of itself"));
        }
        let parent = written.parent.as_ref().map(PurposeId::new);
        purposes.insert(PurposeId::new(name), Purpose { family: written.family.0, parent, dpv: written.dpv.clone() });
    }
    Ok(purposes)
}

fn level_rule(written: &schema::LevelRule) -> LevelRule {
    LevelRule {
        countries: countries(&written.country),
        channels: written.channel.0.iter().map(|channel| channel.0).collect(),
        audiences: meanings(&written.audience),
        level: written.level.0,
    }
}

fn minor_age(written: &BTreeMap<String, u8>) -> Result<BTreeMap<Country, i16>, Fault> {
    let read = |(name, age): (&String, &u8)| {
        let problem = "is no country; write its two letters of ISO 3166-1, such as FR";
        let refused = || Fault::at(Path::of(&["policy", "minor_age", name]), problem);
        Country::parse(name).map(|country| (country, i16::from(*age))).ok_or_else(refused)
    };
    written.iter().map(read).collect()
}

fn lists(names: &Names<'_>) -> Result<BTreeMap<SystemId, BTreeMap<ListId, PurposeId>>, Fault> {
    let mut lists = BTreeMap::new();
    for (system, mapped) in &names.stage.policy.list_map {
        let path = Path::of(&["policy", "list_map", system]);
        let id = names.system(system).map_err(|fault| fault.after(&path))?;
        let mut purposes = BTreeMap::new();
        for (list, purpose) in mapped {
            let purpose = names.purpose(purpose).map_err(|fault| fault.after(&path.clone().key(list)))?;
            purposes.insert(ListId::new(list), purpose);
        }
        lists.insert(id, purposes);
    }
    Ok(lists)
}

/// An older purpose need not be declared any more, the newer ones must be.
fn lineage(names: &Names<'_>) -> Result<BTreeMap<PurposeId, BTreeSet<PurposeId>>, Fault> {
    let written = &names.stage.policy.lineage;
    let read = |(older, newer): (&String, &Many<String>)| {
        Ok((PurposeId::new(older), names.purposes(newer, &Path::of(&["policy", "lineage", older]))?))
    };
    written.iter().map(read).collect()
}

fn basis_rules(names: &Names<'_>) -> Result<Vec<BasisRule>, Fault> {
    let mut rules = Vec::new();
    for (place, written) in names.stage.policy.basis_rules.iter().enumerate() {
        let path = Path::of(&["policy", "basis_rules"]).index(place);
        let relations: BTreeSet<_> = meanings(&written.relationship);
        let mut needs: BTreeSet<_> = meanings(&written.needs);
        if relations.is_empty() && needs.is_empty() {
            // The schema lets a rule rest on nothing but the address; the law wants that said.
            needs.insert(Need::AddressHeld);
        }
        rules.push(BasisRule {
            id: written.id.clone(),
            countries: countries(&written.country),
            audiences: meanings(&written.audience),
            channels: written.channel.0.iter().map(|channel| channel.0).collect(),
            purposes: names.purposes(&written.purpose, &path.key("purpose"))?,
            basis: written.basis.0,
            relations,
            needs,
            age_max: written.max_age_days.map(|days| days.0),
            from: written.from.as_ref().map(|moment| moment.0),
            until: written.until.as_ref().map(|moment| moment.0),
        });
    }
    Ok(rules)
}

fn countries(lands: &Many<Land>) -> BTreeSet<Country> {
    lands.0.iter().map(|land| land.0).collect()
}

fn meanings<T: Copy + Ord>(words: &Many<Of<T>>) -> BTreeSet<T> {
    words.0.iter().map(|word| word.0).collect()
}
