//! A checked policy file as the types of the law. Nothing can fail here: what could was refused before.

use std::collections::{BTreeMap, BTreeSet};

use unisson_consent::{Aliases, BasisRule, LevelRule, Need, Policy, Purpose, PurposeId, Relation};

use super::file::{Alias, BasisSection, Carry, Kept, NeedRule, PolicyFile, Proof, PurposeSection};
use super::hold::{self, HoldSetting};
use super::{Deadlines, Keep, LoadedPolicy, Retention};
use crate::word::{Name, country};

/// Makes a policy of what was read and checked.
pub(super) fn build(mut file: PolicyFile, effective: String, hash: String) -> LoadedPolicy {
    let time = &file.time;
    let retention = Retention {
        suppression: keep(time.suppression_retention),
        suppression_review: time.suppression_review.exact(),
        tombstone: keep(time.tombstone_retention),
        proof: time.proof_retention.exact(),
    };
    let deadlines = Deadlines {
        erasure: time.erasure_due,
        erasure_extension: time.erasure_extension,
        negative_alarm: time.negative_sla_alarm.exact(),
        negative_limit: time.negative_sla_hard.exact(),
    };
    let holds: Vec<HoldSetting> = std::mem::take(&mut file.hold).into_iter().map(hold::setting).collect();
    let version = file.version.0.clone();
    let profile = file.profile.0;
    LoadedPolicy { policy: policy(file), version, profile, effective, hash, retention, deadlines, holds }
}

fn policy(file: PolicyFile) -> Policy {
    let PolicyFile { level, time, identity, minor_age, reachability, campaign, .. } = file;
    let alias = |wanted: Alias| identity.suppression_alias.iter().any(|word| word.0 == wanted);
    Policy {
        purposes: file.purposes.into_iter().map(|(id, section)| (PurposeId::new(id), purpose(section))).collect(),
        country: file.country.0,
        level_default: level.need.default.0,
        level_rules: level.need.rules.iter().map(level_rule).collect(),
        level_role: level.need.role_account.0,
        role_accounts: identity.role_accounts.iter().map(|name| name.trim().to_lowercase()).collect(),
        regrant: level.regrant.levels(),
        propagate: file.scope.propagate.0,
        inactivity_max: time.inactivity_max.0.map(crate::Period::exact),
        consent_age_max: time.consent_max_age.0.map(crate::Period::exact),
        expiry_ask: time.expiry_ask_window.exact(),
        request_age_max: time.doi_pending_ttl.0.map(crate::Period::exact),
        deadline: campaign.deadline.map(|moment| moment.0),
        invite_allowed: campaign.invite_allowed,
        push_grants: file.push_grants,
        carry_verified_change: identity.carry_grant_on_address_change.0 == Carry::Verified,
        aliases: Aliases { plus: alias(Alias::Plus), gmail_dots: alias(Alias::GmailDots) },
        soft_threshold: reachability.soft_bounces,
        soft_window: reachability.soft_window.exact(),
        soft_span: reachability.soft_span.exact(),
        deliveries_clear_hard: reachability.deliveries_clear_hard,
        minor_age: minor_age.country.iter().filter_map(|(code, age)| Some((country(code).ok()?, *age))).collect(),
        minor_age_default: minor_age.default,
        lists: BTreeMap::new(),
        lineage: file.lineage.into_iter().map(|(old, newer)| (PurposeId::new(old), ids(&newer))).collect(),
        basis_rules: file.basis.into_iter().map(basis_rule).collect(),
    }
}

fn keep(kept: Kept) -> Keep {
    kept.0.map_or(Keep::Indefinitely, |period| Keep::For(period.exact()))
}

fn purpose(section: PurposeSection) -> Purpose {
    Purpose {
        family: section.family.0,
        parent: section.parent.map(|parent| PurposeId::new(parent.0)),
        dpv: section.dpv,
    }
}

fn level_rule(rule: &NeedRule) -> LevelRule {
    LevelRule {
        countries: rule.country.iter().map(|code| code.0).collect(),
        channels: rule.channel.iter().map(|word| word.0).collect(),
        audiences: rule.audience.iter().map(|word| word.0).collect(),
        level: rule.level.0,
    }
}

fn basis_rule(section: BasisSection) -> BasisRule {
    BasisRule {
        countries: section.country.iter().map(|code| code.0).collect(),
        audiences: section.audience.iter().map(|word| word.0).collect(),
        channels: section.channel.iter().map(|word| word.0).collect(),
        purposes: ids(&section.purpose),
        basis: section.basis.0,
        relations: section.relations().collect(),
        needs: section.needs().collect(),
        age_max: section.max_age.map(crate::Period::exact),
        from: section.from.map(|moment| moment.0),
        until: section.until.map(|moment| moment.0),
        id: section.id.0,
    }
}

fn ids(names: &[Name]) -> BTreeSet<PurposeId> {
    names.iter().map(|name| PurposeId::new(&name.0)).collect()
}

impl BasisSection {
    /// The relations among its facts: one of them must be proven.
    pub(super) fn relations(&self) -> impl Iterator<Item = Relation> {
        self.facts.iter().filter_map(|word| match word.0 {
            Proof::Relation(relation) => Some(relation),
            Proof::Need(_) => None,
        })
    }

    /// The conditions among its facts: all of them must be proven.
    pub(super) fn needs(&self) -> impl Iterator<Item = Need> {
        self.facts.iter().filter_map(|word| match word.0 {
            Proof::Need(need) => Some(need),
            Proof::Relation(_) => None,
        })
    }
}
