//! Holds: what must stay after an erasure (art. 17(3)), and the checks that keep one from saying nothing.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use unisson_consent::{HoldBasis, SystemId};

use super::check::Check;
use super::file::HoldSection;
use crate::error::{Defect, LoadError, Place};
use crate::nearest::instead;
use crate::path::KeyPath;
use crate::settings::Settings;
use crate::word::Vocabulary;

/// The most holds a policy can have.
const HOLDS_MAX: usize = 1_000;

/// The longest provision or group of fields, in characters.
const WORDS_CHARS_MAX: usize = 200;

/// Data that must stay in one system after an erasure, as the policy declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldSetting {
    /// Its name.
    pub name: String,
    /// In which system.
    pub system: SystemId,
    /// The groups of fields that stay, in the operator's words for that system; never empty.
    pub fields: Vec<String>,
    /// Why (art. 17(3)).
    pub ground: HoldBasis,
    /// The provision that asks for it, as the person is told: "C. com. L123-22".
    pub provision: String,
    /// For how long, from the receipt of the request; never zero.
    pub keeps_for: SignedDuration,
    /// Whether it holds for everybody; otherwise only where the operator names it.
    pub always: bool,
}

/// When a hold applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applies {
    /// For everybody.
    Always,
    /// Where the operator names it.
    OnRequest,
}

impl Vocabulary for Applies {
    const NAMES: &'static str = "a time when a hold applies";

    fn words() -> Vec<&'static str> {
        vec!["always", "on_request"]
    }

    fn meaning(word: &str) -> Option<Self> {
        match word {
            "always" => Some(Self::Always),
            "on_request" => Some(Self::OnRequest),
            _ => None,
        }
    }
}

impl Vocabulary for HoldBasis {
    const NAMES: &'static str = "a ground to keep data";

    fn words() -> Vec<&'static str> {
        vec!["legal_obligation", "legal_claims", "contract"]
    }

    fn meaning(word: &str) -> Option<Self> {
        match word {
            "legal_obligation" => Some(Self::LegalObligation),
            "legal_claims" => Some(Self::LegalClaims),
            "contract" => Some(Self::Contract),
            _ => None,
        }
    }
}

/// Checks the holds of a policy.
pub(super) fn check(check: &mut Check<'_>) {
    let holds = &check.file.hold;
    let path = KeyPath::of(&["hold"]);
    if holds.len() > HOLDS_MAX {
        return check.refuse(&path, format!("has {} holds; a policy can have {HOLDS_MAX}", holds.len()));
    }
    let mut names = BTreeMap::new();
    for (index, hold) in holds.iter().enumerate() {
        let path = path.index(index);
        if names.insert(hold.name.0.as_str(), index).is_some() {
            let problem = format!("is `{}`, the name of another hold; give each its own", hold.name.0);
            check.refuse(&path.key("name"), problem);
        }
        if hold.fields.is_empty() {
            check.refuse(&path.key("fields"), "keeps nothing; name what stays, for example fields = [\"invoice\"]");
        }
        for (place, field) in hold.fields.iter().enumerate() {
            words(check, &path.key("fields").index(place), field, "invoice");
        }
        words(check, &path.key("provision"), &hold.provision, "C. com. L123-22");
        if hold.keeps_for.exact() == SignedDuration::ZERO {
            check.refuse(&path.key("keeps_for"), "is no time at all; write for example \"P10Y\", or take the hold out");
        }
    }
}

/// Refuses words that tell a person nothing.
fn words(check: &mut Check<'_>, path: &KeyPath, words: &str, example: &str) {
    if words.trim().is_empty() {
        check.refuse(path, format!("says nothing; write what the person should read, such as \"{example}\""));
    } else if words.chars().count() > WORDS_CHARS_MAX {
        check.refuse(path, format!("is longer than {WORDS_CHARS_MAX} characters; shorten it"));
    }
}

/// A hold as a setting.
pub(super) fn setting(section: HoldSection) -> HoldSetting {
    HoldSetting {
        name: section.name.0,
        system: SystemId::new(section.system.0),
        fields: section.fields,
        ground: section.ground.0,
        provision: section.provision,
        keeps_for: section.keeps_for.exact(),
        always: section.applies.0 == Applies::Always,
    }
}

/// Refuses a hold on a system that no instance of the settings is: what it names would be erased.
pub fn check_holds(holds: &[HoldSetting], settings: &Settings) -> Result<(), LoadError> {
    let instances: Vec<&str> = settings.instances.keys().map(String::as_str).collect();
    let strangers = holds.iter().filter(|hold| !instances.contains(&hold.system.as_str()));
    let defects: Vec<Defect> = strangers
        .map(|hold| {
            let path = KeyPath::of(&["hold", &hold.name, "system"]).to_string();
            let named = hold.system.as_str();
            let problem =
                format!("names `{named}`, which is no instance of the settings; {}", instead(named, &instances));
            Defect { place: Place { source: "policy".to_owned(), line: None, path }, problem }
        })
        .collect();
    if defects.is_empty() { Ok(()) } else { Err(LoadError::Refused { what: super::WHAT, defects }) }
}
