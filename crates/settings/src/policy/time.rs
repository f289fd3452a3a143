//! Checks of durations. When a tombstone or a suppression is forgotten, everything it held back must be dead already;
//! otherwise an old list brings the person back (I9, I24).

use jiff::SignedDuration;
use unisson_consent::Basis;

use super::check::Check;
use super::file::{Kept, PolicyFile};
use crate::path::KeyPath;
use crate::period::Period;

/// The least time for which an objection is kept (CNIL: three years).
const SUPPRESSION_LEAST: &str = "P3Y";

/// The longest time in which a refusal must have reached every system: what the large mailbox providers ask for.
const NEGATIVE_MOST: &str = "PT48H";

pub(super) fn check(check: &mut Check<'_>) {
    let time = &check.file.time;
    let path = KeyPath::of(&["time"]);
    let lasting = [
        ("inactivity_max", time.inactivity_max.0),
        ("consent_max_age", time.consent_max_age.0),
        ("doi_pending_ttl", time.doi_pending_ttl.0),
        ("suppression_retention", time.suppression_retention.0),
        ("suppression_review", Some(time.suppression_review)),
        ("tombstone_retention", time.tombstone_retention.0),
        ("proof_retention", Some(time.proof_retention)),
        ("erasure_due", Some(time.erasure_due)),
        ("erasure_extension", Some(time.erasure_extension)),
        ("negative_sla_alarm", Some(time.negative_sla_alarm)),
        ("negative_sla_hard", Some(time.negative_sla_hard)),
    ];
    for (key, period) in lasting {
        if period.is_some_and(|period| period.exact() == SignedDuration::ZERO) {
            check.refuse(&path.key(key), "is no time at all; write a longer duration");
        }
    }
    let life = longest(check.file);
    outlives(check, &path.key("tombstone_retention"), time.tombstone_retention, &life);
    outlives(check, &path.key("suppression_retention"), time.suppression_retention, &life);
    let least = bound(SUPPRESSION_LEAST);
    if time.suppression_retention.0.is_some_and(|kept| kept.exact() < least) {
        let problem =
            format!("is shorter than the least for objections; write \"{SUPPRESSION_LEAST}\", more, or \"indefinite\"");
        check.refuse(&path.key("suppression_retention"), problem);
    }
    if time.negative_sla_alarm.exact() >= time.negative_sla_hard.exact() {
        check
            .refuse(&path.key("negative_sla_alarm"), "is not shorter than negative_sla_hard; an alarm must come first");
    }
    if time.negative_sla_hard.exact() > bound(NEGATIVE_MOST) {
        check.refuse(&path.key("negative_sla_hard"), format!("is longer than \"{NEGATIVE_MOST}\"; write that or less"));
    }
}

/// The longest time for which a permission can live.
enum Life {
    /// So long, and where that is written.
    Bounded(Period, String),
    /// For ever, and why.
    Unbounded(String),
}

/// The longest life of a consent, of a soft opt-in or of an implied consent.
fn longest(file: &PolicyFile) -> Life {
    let time = &file.time;
    let consent = match (time.inactivity_max.0, time.consent_max_age.0) {
        (Some(idle), Some(age)) if age.exact() < idle.exact() => (age, "time.consent_max_age".to_owned()),
        (Some(idle), _) => (idle, "time.inactivity_max".to_owned()),
        (None, Some(age)) => (age, "time.consent_max_age".to_owned()),
        (None, None) => {
            return Life::Unbounded("time.inactivity_max and time.consent_max_age are both \"none\"".to_owned());
        }
    };
    let mut longest = consent;
    for rule in &file.basis {
        if !matches!(rule.basis.0, Basis::SoftOptIn | Basis::ImpliedConsent) {
            continue;
        }
        let name = format!("basis.{}.max_age", rule.id.0);
        match rule.max_age {
            Some(age) if age.exact() > longest.0.exact() => longest = (age, name),
            Some(_) => {}
            None => return Life::Unbounded(format!("{name} is not set")),
        }
    }
    Life::Bounded(longest.0, longest.1)
}

fn outlives(check: &mut Check<'_>, path: &KeyPath, kept: Kept, life: &Life) {
    let Some(kept) = kept.0 else { return };
    match life {
        Life::Bounded(life, name) if kept.exact() < life.exact() => check.refuse(
            path,
            format!(
                "is shorter than the longest life of a permission, \"{life}\" by {name}: an old list could bring people \
                 back who are protected now; write \"{life}\", more, or \"indefinite\""
            ),
        ),
        Life::Bounded(..) => {}
        Life::Unbounded(why) => check.refuse(
            path,
            format!(
                "ends although a permission can live for ever ({why}): an old list could bring people back who are \
                 protected now; write \"indefinite\", or limit permissions"
            ),
        ),
    }
}

/// A bound of this module in exact time.
fn bound(text: &str) -> SignedDuration {
    Period::parse(text).map_or(SignedDuration::ZERO, Period::exact)
}
