//! What a policy may not say, whoever signs it (invariant I24 and the clamps around it).
//!
//! Everything is checked and every defect listed, so that a file is put right in one go.

use jiff::SignedDuration;
use unisson_consent::{Family, Level, RegrantLevels};

use super::file::PolicyFile;
use super::{basis, hold, purpose, time};
use crate::error::Defect;
use crate::layer::Origins;
use crate::path::KeyPath;

/// The level below which nothing demonstrates a consent (art. 7(1), EDPB 05/2020 §108).
pub(super) const DEMONSTRABLE: Level = Level::Qualified;

/// The ages between which digital consent begins (art. 8(1); 16 CFR 312): never below 13. Above 21 is a slip of the pen.
const MINOR_AGES: std::ops::RangeInclusive<i16> = 13..=21;

/// How many defects are listed: more are mended no faster.
const DEFECTS_MAX: usize = 100;

/// How many rules of levels a policy can have.
const LEVEL_RULES_MAX: usize = 1_000;

/// The policy that is checked, and what was found so far.
pub(super) struct Check<'a> {
    pub(super) file: &'a PolicyFile,
    origins: &'a Origins,
    defects: Vec<Defect>,
}

/// Checks a policy. `floor` is what the profile demands before a negative is lifted.
pub(super) fn check(file: &PolicyFile, floor: RegrantLevels, origins: &Origins) -> Result<(), Vec<Defect>> {
    let mut check = Check { file, origins, defects: Vec::new() };
    purpose::check(&mut check);
    basis::check(&mut check);
    check.regrant(floor);
    check.need();
    time::check(&mut check);
    hold::check(&mut check);
    check.identity();
    check.reachability();
    if check.defects.is_empty() { Ok(()) } else { Err(check.defects) }
}

impl Check<'_> {
    /// Notes a defect of the value at this path.
    pub(super) fn refuse(&mut self, path: &KeyPath, problem: impl Into<String>) {
        if !self.is_full() {
            self.defects.push(self.origins.defect(path, problem));
        }
    }

    /// Whether no further defect is listed, so that none need be looked for.
    pub(super) fn is_full(&self) -> bool {
        self.defects.len() >= DEFECTS_MAX
    }

    fn regrant(&mut self, floor: RegrantLevels) {
        let set = self.file.level.regrant.levels();
        let pairs = [
            ("refuse", set.refuse, floor.refuse),
            ("withdraw", set.withdraw, floor.withdraw),
            ("object", set.object, floor.object),
            ("complaint", set.complaint, floor.complaint),
            ("erase", set.erase, floor.erase),
        ];
        for (key, set, least) in pairs {
            if set < least {
                let least = least.number();
                let problem =
                    format!("is below {least}, the least that this profile takes; write {key} = {least} or more");
                self.refuse(&KeyPath::of(&["level", "regrant", key]), problem);
            }
        }
    }

    /// Less than a demonstrable consent is enough only where no consent is needed at all.
    fn need(&mut self) {
        let need = &self.file.level.need;
        let path = KeyPath::of(&["level", "need"]);
        if need.default.0 < DEMONSTRABLE {
            self.refuse(&path.key("default"), "is below 3 although consent is the basis; write default = 3 or more");
        }
        if need.rules.len() > LEVEL_RULES_MAX {
            let problem = format!("has {} rules; a policy can have {LEVEL_RULES_MAX}", need.rules.len());
            return self.refuse(&path.key("rules"), problem);
        }
        let file = self.file;
        let purposes = file.purposes.iter();
        let marketing: Vec<&String> =
            purposes.filter(|(_, purpose)| purpose.family.0 == Family::Marketing).map(|(id, _)| id).collect();
        for (index, rule) in need.rules.iter().enumerate().filter(|(_, rule)| rule.level.0 < DEMONSTRABLE) {
            let uncovered = basis::uncovered(file, rule, &marketing);
            if let Some((channel, purpose)) = uncovered {
                let problem = format!(
                    "is below 3, but for `{purpose}` by `{}` consent is the basis; write level = 3 or more, or cover it \
                     by a rule of the basis opt_out_regime that has facts = [\"address_held\"] and no dates",
                    channel.as_str()
                );
                self.refuse(&path.key("rules").index(index).key("level"), problem);
            }
        }
    }

    fn identity(&mut self) {
        let path = KeyPath::of(&["identity", "role_accounts"]);
        for (index, name) in self.file.identity.role_accounts.iter().enumerate() {
            if name.trim().is_empty() || name.contains('@') {
                self.refuse(&path.index(index), "is no role; write what stands before the @, such as \"info\"");
            }
        }
        let path = KeyPath::of(&["minor_age"]);
        let ages = &self.file.minor_age;
        let how = "is no age of digital consent; write a number from 13 to 21";
        if !MINOR_AGES.contains(&ages.default) {
            self.refuse(&path.key("default"), how);
        }
        for (code, age) in &ages.country {
            let path = path.key("country").key(code);
            if let Err(problem) = crate::word::country(code) {
                self.refuse(&path, problem);
            } else if !MINOR_AGES.contains(age) {
                self.refuse(&path, how);
            }
        }
    }

    fn reachability(&mut self) {
        let section = &self.file.reachability;
        let path = KeyPath::of(&["reachability"]);
        for (key, count) in
            [("soft_bounces", section.soft_bounces), ("deliveries_clear_hard", section.deliveries_clear_hard)]
        {
            if count == 0 {
                self.refuse(&path.key(key), "is zero; write 1 or more");
            }
        }
        if section.soft_window.exact() == SignedDuration::ZERO {
            self.refuse(&path.key("soft_window"), "is no time at all; write for example \"P30D\"");
        }
        if section.soft_span.exact() > section.soft_window.exact() {
            self.refuse(
                &path.key("soft_span"),
                "is longer than soft_window, so no address could ever reach it; shorten it",
            );
        }
    }
}
