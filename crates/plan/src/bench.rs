//! One slot of one record on the bench: what it shows, what the decision wants, and what the instance lets be pushed.

use jiff::Timestamp;
use unisson_connector::{Action, Change, ChangeId, Target};
use unisson_consent::{
    Channel, Decision, FactId, Key, Law, PurposeId, Purposes, Reason, Shown, Stance, Standing, Status, Verb, verb,
};

use crate::judge::{Enforce, Planned, Rules, Unreached};
use crate::replica::{Replica, ReplicaSlot};

/// One record on the bench.
pub(crate) struct Bench<'a> {
    pub(crate) standing: &'a Standing,
    pub(crate) law: &'a Law,
    pub(crate) rules: &'a Rules,
    pub(crate) replica: &'a Replica,
    pub(crate) now: Timestamp,
}

/// The difference at one slot.
pub(crate) enum Drift {
    None,
    Unreached(Unreached),
    Change(Box<Wanted>),
}

/// A change that the decision wants, with what it rests on.
pub(crate) struct Wanted {
    pub(crate) planned: Planned,
    pub(crate) decision: Decision,
    /// The channel that the decision is for: the strictest of the slot's.
    pub(crate) channel: Channel,
}

impl Bench<'_> {
    /// The difference between what a slot shows and what the decision wants.
    pub(crate) fn drift(&self, slot: &ReplicaSlot) -> Drift {
        let Some((decision, channel)) = self.strictest(slot) else { return Drift::None };
        let system = self.law.systems.get(&self.replica.record.system);
        // Decisions are for the systems that send: what only tells us is never told.
        if !system.marketing || !system.channels.contains(channel) || !self.is_pushed(&decision, slot) {
            return Drift::None;
        }
        let shown = Shown {
            stance: stance(slot.status),
            invalid: slot.status == Status::Invalid,
            // A platform that is asking the person is left to ask, and nothing positive follows an unknown word.
            // A box on a record that takes no mail is not ticked: the record would have to be opened first.
            waits: matches!(slot.status, Status::Pending | Status::Unknown)
                || (slot.status == Status::Off && !self.mails()),
            // A place that cannot show an opt-out has nothing to record while nobody is in.
            holds: slot.status != Status::Off,
            ..Shown::default()
        };
        // Erasing is a case of its own; until it is carried out, nobody is mailed.
        let wanted = if decision.reason == Reason::Erased {
            (shown.stance != Stance::Out).then_some(Verb::Suppress)
        } else {
            verb(&decision, shown, system.resubscribe, self.law.policy.push_grants)
        };
        match wanted {
            Some(verb) => self.carry(verb, slot, (decision, channel)),
            None => Drift::None,
        }
    }

    /// Whether the record takes mail in any of its slots.
    pub(crate) fn mails(&self) -> bool {
        let mails =
            |slot: &ReplicaSlot| slot.status == Status::Subscribed && slot.scope.channels.contains(Channel::Email);
        self.replica.slots.iter().any(mails)
    }

    /// The strictest decision of everything the slot is about, with the channel it is for.
    fn strictest(&self, slot: &ReplicaSlot) -> Option<(Decision, Channel)> {
        let purposes: Vec<PurposeId> = match &slot.scope.purposes {
            Purposes::Named(named) => named.clone(),
            Purposes::List(list) => match self.law.policy.list_purpose(&self.replica.record.system, list) {
                Some(purpose) => vec![purpose.clone()],
                // Nobody mapped it: only what refuses the whole channel reaches it.
                None => vec![unmapped()],
            },
            Purposes::AllMarketing => vec![unmapped()],
        };
        let mut strictest: Option<(Decision, Channel)> = None;
        for channel in slot.scope.channels.iter() {
            let Some(address) = self.replica.address(channel.address_kind()) else { continue };
            for purpose in &purposes {
                let key = Key {
                    address: address.clone(),
                    purpose: purpose.clone(),
                    channel,
                    person: self.replica.who.person.clone(),
                };
                let decision = self.standing.decide_for(&self.replica.record, &key, self.law, self.now);
                let stricter = strictest
                    .as_ref()
                    .is_none_or(|(held, _)| (decision.verdict, decision.reason) < (held.verdict, held.reason));
                if stricter {
                    strictest = Some((decision, channel));
                }
            }
        }
        strictest
    }

    /// Whether the instance's setting lets this decision be pushed.
    fn is_pushed(&self, decision: &Decision, slot: &ReplicaSlot) -> bool {
        let unmapped = match &slot.scope.purposes {
            Purposes::List(list) => self.law.policy.list_purpose(&self.replica.record.system, list).is_none(),
            Purposes::AllMarketing => true,
            Purposes::Named(_) => false,
        };
        // A wide opt-out beside narrower slots of its channel is a word of the platform's, not a place to write.
        let only_word = slot.scope.purposes == Purposes::AllMarketing
            && self.replica.slots.iter().any(|other| {
                other.scope != slot.scope
                    && other.scope.channels.iter().any(|channel| slot.scope.channels.contains(channel))
            });
        match self.rules.enforce {
            _ if only_word => false,
            _ if unmapped && !is_negative(decision.reason) => false,
            Enforce::Observe => false,
            Enforce::Negatives => is_negative(decision.reason),
            Enforce::Full => true,
        }
    }

    fn carry(&self, verb: Verb, slot: &ReplicaSlot, (decision, channel): (Decision, Channel)) -> Drift {
        let instance = self.replica.record.system.clone();
        let unreached = |why| Drift::Unreached(Unreached { instance: instance.clone(), verb, why });
        let action = match self.action(verb, slot) {
            Ok(Some(action)) => action,
            Ok(None) => return Drift::None,
            Err(why) => return unreached(why),
        };
        if !self.rules.reachable {
            return unreached("the instance is disabled or cannot be written to");
        }
        let change = Change {
            id: change_id(self.replica, slot, action, &decision),
            target: Target {
                record: self.replica.record.record.clone(),
                addresses: self.replica.who.addresses.clone(),
            },
            scope: slot.scope.clone(),
            action,
            reason: decision.reason.as_str(),
        };
        let by_person = decision.refused_by_person && matches!(action, Action::Suppress);
        let planned = Planned { instance, change, reason: decision.reason, by_person };
        Drift::Change(Box::new(Wanted { planned, decision, channel }))
    }

    /// The platform's way to carry out a verb: the mildest that keeps the person from being contacted.
    fn action(&self, verb: Verb, slot: &ReplicaSlot) -> Result<Option<Action>, &'static str> {
        let can = |action| self.rules.actions.contains(&action);
        let suppress = || match (stance(slot.status), can(Action::Suppress)) {
            (Stance::Out, _) => Ok(None),
            (_, true) => Ok(Some(Action::Suppress)),
            (_, false) => Err("the connector cannot suppress"),
        };
        match verb {
            Verb::Suppress | Verb::Restrict | Verb::Erase | Verb::ReErase | Verb::EraseExceptHold => suppress(),
            Verb::MarkInvalid if can(Action::MarkInvalid) => Ok(Some(Action::MarkInvalid)),
            Verb::MarkInvalid => suppress(),
            Verb::Subscribe if can(Action::Subscribe) => Ok(Some(Action::Subscribe)),
            Verb::Subscribe => Err("the connector cannot subscribe"),
            Verb::Reconfirm if can(Action::Reconfirm) => Ok(Some(Action::Reconfirm)),
            Verb::Reconfirm => Err("the platform cannot ask the person itself"),
            Verb::ReportVendorBlock => Err("the platform blocks the contact for good"),
            Verb::RequalOnly => Err("the contact waits for a requalification campaign"),
        }
    }
}

/// The purpose of what nobody mapped: it is marketing, and nothing grants it.
fn unmapped() -> PurposeId {
    PurposeId::new("*")
}

/// What a slot's status says of permission.
pub fn stance(status: Status) -> Stance {
    match status {
        Status::Subscribed => Stance::In,
        Status::Unsubscribed | Status::Complained | Status::Blocked => Stance::Out,
        Status::Pending | Status::Invalid | Status::Never | Status::Off | Status::Deleted | Status::Unknown => {
            Stance::Nothing
        }
    }
}

/// Whether a reason is one that `negatives` pushes: an end that a person, a platform, staff or a deadline made.
pub fn is_negative(reason: Reason) -> bool {
    match reason {
        Reason::Erased
        | Reason::Restricted
        | Reason::OperatorBlock
        | Reason::IdentityConflict
        | Reason::AddressRetired
        | Reason::Undeliverable
        | Reason::Complaint
        | Reason::Objected
        | Reason::Withdrawn
        | Reason::Refused
        | Reason::Reassigned
        | Reason::Lapsed => true,
        Reason::Consent
        | Reason::Basis(_)
        | Reason::Invalidated
        | Reason::Expired
        | Reason::MinorGuardianMissing
        | Reason::Unqualified
        | Reason::Requested
        | Reason::Unknown => false,
    }
}

/// The idempotency key: the same change on the same state for the same facts has the same id, whenever it is planned.
fn change_id(replica: &Replica, slot: &ReplicaSlot, action: Action, decision: &Decision) -> ChangeId {
    let facts: Vec<String> = decision.facts.iter().map(ToString::to_string).collect();
    let id = FactId::of(&[
        replica.record.system.as_str(),
        replica.record.record.as_str(),
        &format!("{:?}", slot.scope),
        action.as_str(),
        &slot.turn.to_string(),
        decision.reason.as_str(),
        &facts.join(" "),
    ]);
    ChangeId(id.to_string())
}
