//! One thing that happened, as it is told under the address, the purpose and the channel that it is about.
//!
//! Which acts are told where is a matter of order only. What they mean was decided by the law.

use jiff::Timestamp;
use unisson_consent::{Channels, Evidence, Fact, Family, Kind, Level, Occurred, PurposeId, Purposes, Status};
use unisson_plan::{Explained, ToldFact};

use crate::portrait::{Known, Portrait};
use crate::words;

/// A fact, told and in full.
#[derive(Clone, Copy)]
pub(crate) struct Act<'a> {
    /// As the explanation tells it.
    pub(crate) told: &'a ToldFact,
    /// In full, where it was given.
    pub(crate) fact: Option<&'a Fact>,
}

/// What an act says about a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    /// Yes.
    Yes,
    /// A question that waits for an answer.
    Asked,
    /// No, to a question.
    Refused,
    /// No longer.
    Withdrawn,
    /// No, whatever the basis: an objection, a complaint, an erasure.
    Objected,
    /// What was said before is void.
    Void,
}

impl<'a> Act<'a> {
    /// Everything that is told of an address, oldest first.
    pub(crate) fn all_of(known: &'a Known) -> impl Iterator<Item = Self> {
        known.explanation.facts.iter().map(|told| {
            let fact = known.facts.iter().find(|fact| fact.id == told.id);
            Self { told, fact }
        })
    }

    /// What is told of one decision: what it rests on, and every other yes and no that names its purpose and channel.
    /// A state that a system goes on showing is told once.
    pub(crate) fn all_about(known: &'a Known, explained: &Explained, portrait: &Portrait) -> Vec<Self> {
        let mut acts: Vec<Self> = Vec::new();
        for act in Self::all_of(known) {
            let relied_on = explained.decision.facts.contains(&act.told.id);
            if !relied_on && !act.names(explained, portrait) {
                continue;
            }
            if relied_on || !acts.iter().any(|earlier| earlier.shows_the_same(&act)) {
                acts.push(act);
            }
        }
        acts
    }

    /// What it says about a permission; `None` for everything else that happened.
    pub(crate) fn says(&self) -> Option<Says> {
        match &self.fact?.kind {
            Kind::Grant { .. } | Kind::Snapshot { status: Status::Subscribed, .. } => Some(Says::Yes),
            Kind::Request | Kind::Invite | Kind::Snapshot { status: Status::Pending, .. } => Some(Says::Asked),
            Kind::Refuse => Some(Says::Refused),
            Kind::Withdraw | Kind::Snapshot { status: Status::Unsubscribed, .. } => Some(Says::Withdrawn),
            Kind::Object
            | Kind::Complaint
            | Kind::EraseRequest { .. }
            | Kind::Snapshot { status: Status::Complained, .. } => Some(Says::Objected),
            Kind::Invalidate { .. } => Some(Says::Void),
            _ => None,
        }
    }

    /// What a yes can show for itself.
    pub(crate) fn evidence(&self) -> Option<&'a Evidence> {
        match &self.fact?.kind {
            Kind::Grant { evidence, .. } | Kind::Snapshot { status: Status::Subscribed, evidence, .. } => {
                Some(evidence)
            }
            _ => None,
        }
    }

    /// Until when a yes holds by its own words.
    pub(crate) fn valid_until(&self) -> Option<Timestamp> {
        match &self.fact?.kind {
            Kind::Grant { valid_until, .. } => *valid_until,
            _ => None,
        }
    }

    /// What happened, in words for the person.
    pub(crate) fn what(&self) -> String {
        match self.fact.map(|fact| &fact.kind) {
            Some(Kind::Attribute) => "Your details were seen".to_owned(),
            _ => words::capital(&self.told.what),
        }
    }

    /// What it was about, in words for the person: for what, and over which channels.
    pub(crate) fn about(&self, portrait: &Portrait) -> (String, String) {
        let Some(fact) = self.fact else { return (self.told.scope.clone(), String::new()) };
        let what = match &fact.scope.purposes {
            Purposes::AllMarketing => "All marketing".to_owned(),
            Purposes::Named(named) => {
                named.iter().map(|purpose| portrait.purpose_title(purpose)).collect::<Vec<_>>().join(", ")
            }
            Purposes::List(list) => {
                let mapped = portrait.lists.get(&fact.system).and_then(|lists| lists.get(list));
                mapped.map_or_else(|| format!("List {list}"), |purpose| portrait.purpose_title(purpose))
            }
        };
        let channels = fact.scope.channels;
        if channels.is_empty() || channels == Channels::ALL {
            return (what, "Every channel".to_owned());
        }
        let channels: Vec<String> = channels.iter().map(|channel| words::channel(channel).to_lowercase()).collect();
        (what, words::capital(&channels.join(", ")))
    }

    /// Whether it is a yes that can be demonstrated (art. 7(1)).
    pub(crate) fn is_proven_yes(&self) -> bool {
        self.says() == Some(Says::Yes) && self.told.level.is_some_and(|level| level >= Level::Qualified)
    }

    /// The one time that stands for it: the source's own, where it can be believed, or else the latest possible.
    pub(crate) fn time(&self) -> Timestamp {
        match (self.fact.map(|fact| fact.occurred), self.told.at.lo) {
            (Some(Occurred::Instant(at)), Some(_)) => at.min(self.told.at.hi),
            _ => self.told.at.hi,
        }
    }

    fn names(&self, explained: &Explained, portrait: &Portrait) -> bool {
        let (Some(fact), Some(says)) = (self.fact, self.says()) else { return false };
        if matches!(fact.kind, Kind::EraseRequest { .. }) {
            return true;
        }
        let reaches = fact.scope.channels.is_empty() || fact.scope.channels.contains(explained.channel);
        let wide = matches!(says, Says::Refused | Says::Withdrawn | Says::Objected);
        let marketing = portrait.purpose(&explained.purpose).is_none_or(|purpose| purpose.family == Family::Marketing);
        let is_it =
            |named: &PurposeId| *named == explained.purpose || wide && is_within(portrait, &explained.purpose, named);
        reaches
            && match &fact.scope.purposes {
                Purposes::AllMarketing => wide && marketing,
                Purposes::Named(named) => named.iter().any(is_it),
                Purposes::List(list) => {
                    let mapped = portrait.lists.get(&fact.system).and_then(|lists| lists.get(list));
                    mapped.map_or(wide && marketing, is_it)
                }
            }
    }

    /// Whether two sightings show one state: same place, same status, same time in the source's own words.
    fn shows_the_same(&self, later: &Self) -> bool {
        let (Some(a), Some(b)) = (self.fact, later.fact) else { return false };
        let (Kind::Snapshot { status: one, .. }, Kind::Snapshot { status: other, .. }) = (&a.kind, &b.kind) else {
            return false;
        };
        one == other
            && a.occurred != Occurred::Unknown
            && (&a.system, &a.record, &a.scope, a.occurred) == (&b.system, &b.record, &b.scope, b.occurred)
    }
}

/// Whether a purpose is the other one or part of it.
fn is_within(portrait: &Portrait, purpose: &PurposeId, wider: &PurposeId) -> bool {
    let mut at = Some(purpose);
    // A policy has no circles; the bound keeps this total for any value.
    for _ in 0..=portrait.purposes.len() {
        match at {
            Some(id) if id == wider => return true,
            Some(id) => at = portrait.purpose(id).and_then(|purpose| purpose.parent.as_ref()),
            None => return false,
        }
    }
    false
}
