//! Checks of the rules by which contact is lawful without consent: each must rest on facts that can be proven.

use unisson_consent::{Basis, Channel, Family, Need, Relation};

use super::check::Check;
use super::file::{BasisSection, NeedRule, PolicyFile};
use super::purpose;
use crate::path::KeyPath;

pub(super) fn check(check: &mut Check<'_>) {
    let file = check.file;
    for (index, rule) in file.basis.iter().enumerate() {
        let path = KeyPath::of(&["basis"]).index(index);
        if rule.channel.is_empty() {
            check.refuse(&path.key("channel"), "is empty, so the rule would never hold; write for example [\"email\"]");
        }
        if rule.purpose.is_empty() {
            check.refuse(
                &path.key("purpose"),
                "is empty, so the rule would never hold; write for example [\"promotions\"]",
            );
        }
        for (place, name) in rule.purpose.iter().enumerate() {
            purpose::known(check, &path.key("purpose").index(place), &name.0);
        }
        if let (Some(from), Some(until)) = (rule.from, rule.until)
            && until.0 <= from.0
        {
            check.refuse(&path.key("until"), "is not after `from`, so the rule would never hold; put them in order");
        }
        if let Some(problem) = missing_fact(rule) {
            check.refuse(&path.key("facts"), problem);
        }
        if rule.max_age.is_some() && rule.relations().next().is_none() {
            check.refuse(
                &path.key("max_age"),
                "limits nothing: no fact of the rule has a date; add a relation such as \"sale\"",
            );
        }
        if rule.basis.0 == Basis::ImpliedConsent && rule.max_age.is_none() {
            check.refuse(
                &path,
                "has no max_age although implied consent ends (CASL s. 10); write for example max_age = \"P730D\"",
            );
        }
        service_only(check, &path, rule);
    }
}

/// What is wrong with the facts of a rule.
fn missing_fact(rule: &BasisSection) -> Option<String> {
    if rule.facts.is_empty() {
        let all = "write what must be proven, or facts = [\"address_held\"] where holding the address is enough";
        return Some(format!("is empty or missing, and a basis without facts is none; {all}"));
    }
    let has = |need: Need| rule.needs().any(|known| known == need);
    let relations: Vec<Relation> = rule.relations().collect();
    let bound = [(Need::Active, "active"), (Need::OptOutOffered, "opt_out_offered"), (Need::Similar, "similar")];
    if let Some((_, word)) = bound.into_iter().find(|(need, _)| has(*need) && relations.is_empty()) {
        return Some(format!("has \"{word}\" but no relation that it could be true of; add one such as \"sale\""));
    }
    let lacks = match rule.basis.0 {
        Basis::SoftOptIn if relations.is_empty() || !has(Need::OptOutOffered) || !has(Need::Similar) => {
            "[\"sale\", \"opt_out_offered\", \"similar\"]"
        }
        Basis::Contract | Basis::ContractInProgress if relations != [Relation::Contract] || !has(Need::Active) => {
            "[\"contract\", \"active\"]"
        }
        Basis::ImpliedConsent if relations.is_empty() => "[\"sale\"] or [\"inquiry\"]",
        _ => return None,
    };
    Some(format!("is too little for the basis {}; write facts = {lacks}", rule.basis.0.as_str()))
}

/// A contract or a duty carries service, and service never carries marketing.
fn service_only(check: &mut Check<'_>, path: &KeyPath, rule: &BasisSection) {
    if !matches!(rule.basis.0, Basis::Contract | Basis::LegalObligation) {
        return;
    }
    for (place, name) in rule.purpose.iter().enumerate() {
        let family = check.file.purposes.get(&name.0).map(|purpose| purpose.family.0);
        if family == Some(Family::Marketing) {
            let basis = rule.basis.0.as_str();
            let problem = format!(
                "names `{}`, which is marketing and never rests on the basis {basis}; name a service purpose",
                name.0
            );
            check.refuse(&path.key("purpose").index(place), problem);
        }
    }
}

/// A channel and a purpose for which a low level would make a consent of a mere claim, because no opt-out regime holds.
pub(super) fn uncovered<'a>(
    file: &PolicyFile,
    rule: &NeedRule,
    purposes: &[&'a String],
) -> Option<(Channel, &'a String)> {
    let named: Vec<Channel> = rule.channel.iter().map(|word| word.0).collect();
    let channels = if named.is_empty() { Channel::ALL.to_vec() } else { named };
    let pairs = channels.into_iter().flat_map(|channel| purposes.iter().map(move |purpose| (channel, *purpose)));
    pairs.into_iter().find(|(channel, purpose)| !file.basis.iter().any(|basis| covers(basis, rule, *channel, purpose)))
}

/// Whether a basis rule is an opt-out regime wherever the level rule applies.
fn covers(basis: &BasisSection, rule: &NeedRule, channel: Channel, purpose: &str) -> bool {
    let everywhere = basis.country.is_empty()
        || (!rule.country.is_empty() && rule.country.iter().all(|country| basis.country.contains(country)));
    let everyone = basis.audience.is_empty()
        || (!rule.audience.is_empty() && rule.audience.iter().all(|audience| basis.audience.contains(audience)));
    let always = basis.from.is_none() && basis.until.is_none();
    let unconditional = basis.relations().next().is_none() && basis.needs().all(|need| need == Need::AddressHeld);
    basis.basis.0 == Basis::OptOutRegime
        && everywhere
        && everyone
        && always
        && unconditional
        && basis.channel.iter().any(|word| word.0 == channel)
        && basis.purpose.iter().any(|name| name.0 == purpose)
}
