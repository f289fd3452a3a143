//! The ground of a change: the decision that wants it, and the facts behind that decision, so that a person can judge a
//! plan before it is carried out.
//!
//! What wants a change is found by the same bench that planned it; nothing is decided a second time. It refuses to name
//! anybody: whoever shows a ground shows a masked address.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unisson_connector::ChangeId;
use unisson_consent::{
    Address, AddressKind, Channel, Decision, Interval, Law, PurposeId, Purposes, Scope, Standing, Status, SystemId,
};

use crate::bench::{Drift, Wanted};
use crate::explain::{ToldFact, scope_words, told};
use crate::judge::{Dossier, Rules, drifts, shadowed};
use crate::replica::{Replica, ReplicaSlot};

/// What an open change rests on.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The address that was decided about.
    pub address: Address,
    /// The channel that was decided about: of the slot's, the one with the strictest answer.
    pub channel: Channel,
    /// The slot that would be changed.
    pub scope: Scope,
    /// The purposes that it serves; empty where nobody mapped it.
    pub purposes: Vec<PurposeId>,
    /// What it shows now.
    pub shows: Status,
    /// The decision that wants the change.
    pub decision: Decision,
    /// The facts that the decision rests on, the latest first.
    pub facts: Vec<ToldFact>,
}

/// The grounds of the open changes of a dossier. A change that is not wanted any more has none.
pub fn grounds(
    dossier: &Dossier,
    law: &Law,
    rules: &BTreeMap<SystemId, Rules>,
    now: Timestamp,
) -> BTreeMap<ChangeId, Ground> {
    let standing = Standing::fold(dossier.facts.iter().cloned(), &[], law);
    let mut grounds = BTreeMap::new();
    for ((replica, slot), drift) in drifts(dossier, &standing, law, (rules, now)) {
        let Drift::Change(found) = drift else { continue };
        let id = found.planned.change.id.clone();
        if dossier.open.iter().any(|open| open.id == id) {
            grounds.extend(ground(replica, slot, *found, (&standing, law)).map(|ground| (id, ground)));
        }
    }
    for open in &dossier.open {
        if grounds.contains_key(&open.id) {
            continue;
        }
        let Some(((replica, slot), found)) = shadowed(open, dossier, &standing, (law, rules, now)) else { continue };
        grounds.extend(ground(replica, slot, *found, (&standing, law)).map(|ground| (open.id.clone(), ground)));
    }
    grounds
}

fn ground(replica: &Replica, slot: &ReplicaSlot, found: Wanted, (standing, law): (&Standing, &Law)) -> Option<Ground> {
    let Wanted { decision, channel, .. } = found;
    Some(Ground {
        address: replica.address(channel.address_kind())?.clone(),
        channel,
        scope: slot.scope.clone(),
        purposes: purposes(&slot.scope, &replica.record.system, law),
        shows: slot.status,
        facts: facts(standing, &decision, law),
        decision,
    })
}

fn facts(standing: &Standing, decision: &Decision, law: &Law) -> Vec<ToldFact> {
    let known = standing.facts().iter().filter(|fact| decision.facts.binary_search(&fact.id).is_ok());
    let mut facts: Vec<ToldFact> = known.map(|fact| told(fact, law)).collect();
    facts.sort_by_key(|fact| std::cmp::Reverse((fact.at.hi, fact.observed_at, fact.id)));
    facts
}

fn purposes(scope: &Scope, system: &SystemId, law: &Law) -> Vec<PurposeId> {
    match &scope.purposes {
        Purposes::Named(named) => named.clone(),
        Purposes::List(list) => law.policy.list_purpose(system, list).cloned().into_iter().collect(),
        Purposes::AllMarketing => Vec::new(),
    }
}

impl Ground {
    /// The slot in words: what it is for, and which one it is at the platform.
    pub fn slot(&self) -> String {
        let place = scope_words(&self.scope);
        if !matches!(self.scope.purposes, Purposes::List(_)) || self.purposes.is_empty() {
            return place;
        }
        let names: Vec<&str> = self.purposes.iter().map(PurposeId::as_str).collect();
        format!("{} ({place})", names.join(", "))
    }

    /// Why the change is wanted, in one sentence: the latest fact behind it, and how many more there are.
    pub fn sentence(&self) -> String {
        match self.facts.as_slice() {
            [] => format!("{}: nobody said anything", self.decision.reason.as_str()),
            [only] => only.sentence(),
            [latest, more @ ..] => format!("{}, and {} more", latest.sentence(), count(more.len(), "fact")),
        }
    }
}

impl ToldFact {
    /// The fact in one sentence: who told it, what happened, in which scope, and when.
    ///
    /// ```
    /// use unisson_consent::{Actor, FactId, Interval};
    /// use unisson_plan::ToldFact;
    /// let hi = "2026-04-22T13:00:00Z".parse().unwrap();
    /// let fact = ToldFact {
    ///     id: FactId([0; 16]),
    ///     system: "crm".into(),
    ///     what: "shown as unsubscribed".to_owned(),
    ///     scope: "list 91003, email".to_owned(),
    ///     at: Interval { lo: None, hi },
    ///     observed_at: hi,
    ///     actor: Actor::DataSubject,
    ///     level: None,
    ///     missing: Vec::new(),
    /// };
    /// assert_eq!(fact.sentence(), "crm: shown as unsubscribed (list 91003, email) by 2026-04-22");
    /// ```
    pub fn sentence(&self) -> String {
        let scope = if self.scope.is_empty() { String::new() } else { format!(" ({})", self.scope) };
        let level = self.level.map_or_else(String::new, |level| format!(", evidence L{}", level.number()));
        format!("{}: {}{scope} {}{level}", self.system, self.what, when(self.at))
    }
}

/// An address as it may be shown beside a plan: enough to recognise somebody one knows, too little to write to anybody.
///
/// ```
/// use unisson_consent::Address;
/// use unisson_plan::masked;
/// assert_eq!(masked(&Address::email("Ada.Byron@Example.org").unwrap()), "a…@example.org");
/// assert_eq!(masked(&Address::phone("+33612345678", None).unwrap()), "+33…78");
/// ```
pub fn masked(address: &Address) -> String {
    let text = address.canonical();
    let first: String = text.chars().take(1).collect();
    match (address.kind(), text.rsplit_once('@')) {
        (AddressKind::Email, Some((_, domain))) => format!("{first}…@{domain}"),
        (AddressKind::Phone, _) if text.is_ascii() && text.len() >= PHONE_SHOWN_FROM => {
            format!("{}…{}", &text[..3], &text[text.len() - 2..])
        }
        _ => format!("{first}…"),
    }
}

/// The length from which on a number can show its ends without giving itself away.
const PHONE_SHOWN_FROM: usize = 10;

/// When something may have happened, by days.
fn when(at: Interval) -> String {
    let day = |at: Timestamp| TimeZone::UTC.to_datetime(at).date();
    match at.lo.map(day) {
        Some(lo) if lo == day(at.hi) => format!("on {lo}"),
        Some(lo) => format!("between {lo} and {}", day(at.hi)),
        None => format!("by {}", day(at.hi)),
    }
}

/// So many of something.
fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_address_never_holds_more_than_its_first_letter_and_its_domain() {
        for (raw, shown) in
            [("b@example.org", "b…@example.org"), ("no address", "n…"), ("É@Example.NET", "É…@example.net")]
        {
            assert_eq!(masked(&Address::email(raw).unwrap()), shown);
        }
        assert_eq!(masked(&Address::phone("117", None).unwrap()), "1…");
        assert_eq!(masked(&Address::postal("1 rue de la Paix Paris").unwrap()), "1…");
    }

    #[test]
    fn a_time_is_told_as_exactly_as_it_is_known() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let hi = at("2026-04-22T13:00:00Z");
        let told = [Some(hi), Some(at("2026-04-22T01:00:00Z")), Some(at("2026-04-20T13:00:00Z")), None]
            .map(|lo| when(Interval { lo, hi }));
        let expected = ["on 2026-04-22", "on 2026-04-22", "between 2026-04-20 and 2026-04-22", "by 2026-04-22"];
        assert_eq!(told, expected);
    }
}
