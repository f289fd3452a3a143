//! What forces a no whatever the status: restriction, blocks, conflicts, retired and dead addresses (consent model 3.2).

use crate::decide::{Answer, Case};
use crate::decision::{Reason, Verdict};
use crate::fact::Kind;
use crate::scope;
use crate::standing::Act;
use crate::term::Status;

impl Case<'_> {
    /// What forces a no whatever the status.
    pub(crate) fn overlay(&mut self, answer: &mut Answer, conflicts: &[usize]) {
        if answer.reason == Reason::Erased {
            return;
        }
        let restricted = self.raised(|kind| matches!(kind, Kind::Restrict), |kind| matches!(kind, Kind::Unrestrict));
        let blocked = self.raised(
            |kind| matches!(kind, Kind::OperatorBlock | Kind::Snapshot { status: Status::Blocked, .. }),
            |kind| matches!(kind, Kind::OperatorUnblock),
        );
        let retired = self.retired();
        let overlays = [
            (Reason::Restricted, restricted),
            (Reason::OperatorBlock, blocked),
            (Reason::IdentityConflict, conflicts.to_vec()),
            (Reason::AddressRetired, retired),
        ];
        for (reason, facts) in overlays {
            if !facts.is_empty() {
                answer.force(reason, facts);
                return;
            }
        }
        if answer.verdict == Verdict::Allow && !self.reach.dead.is_empty() {
            answer.force(Reason::Undeliverable, self.reach.dead.clone());
        }
    }

    /// The facts of one kind about this person that no later fact of the other kind lifts.
    fn raised(&self, raises: fn(&Kind) -> bool, lifts: fn(&Kind) -> bool) -> Vec<usize> {
        let mine = |act: &&Act| self.is_mine(act) || self.standing.is_on(act, &self.key.address, self.law);
        let acts = || self.standing.others.iter().filter(mine);
        acts()
            .filter(|act| raises(&self.standing.fact_of(act).kind) && self.shuts_here(act))
            .filter(|raised| {
                !acts().any(|act| {
                    lifts(&self.standing.fact_of(act).kind)
                        && self.is_later(act, raised)
                        && self.are_beside(act, raised)
                }) && !self.shows_otherwise_since(raised)
            })
            .map(|act| act.fact)
            .collect()
    }

    /// Whether a block that a system shows for one of its lists reaches this key; what staff say without a list always does.
    fn shuts_here(&self, act: &Act) -> bool {
        let fact = self.standing.fact_of(act);
        let key = self.key;
        !matches!(fact.kind, Kind::Snapshot { .. })
            || scope::refuses(&self.law.policy, &fact.system, &fact.scope, &key.purpose, key.channel)
    }

    /// Whether two acts were seen on one record or on records that hold an address in common.
    fn are_beside(&self, a: &Act, b: &Act) -> bool {
        let (a, b) = (self.standing.fact_of(a), self.standing.fact_of(b));
        let held = self.standing.people.addresses_of(b);
        (a.record.is_some() && (&a.system, &a.record) == (&b.system, &b.record))
            || self.standing.people.addresses_of(a).iter().any(|address| held.iter().any(|held| held.grant_eq(address)))
    }

    /// Whether the fact is a system's present state and that system has shown another one since.
    fn shows_otherwise_since(&self, act: &Act) -> bool {
        let raised = self.standing.fact_of(act);
        let Kind::Snapshot { status: raised_status, .. } = &raised.kind else { return false };
        self.standing.facts.iter().any(|fact| {
            matches!(&fact.kind, Kind::Snapshot { status, .. } if status != raised_status)
                && fact.observed_at > raised.observed_at
                && (&fact.system, &fact.record, &fact.scope) == (&raised.system, &raised.record, &raised.scope)
        })
    }
}
