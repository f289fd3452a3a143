//! People who move from one address to another: negatives follow always, grants only where the person confirmed it.

use crate::decide::Case;
use crate::evidence::Level;
use crate::fact::Kind;
use crate::reach::Reach;
use crate::standing::{Act, Grant};
use crate::term::Actor;

impl Case<'_> {
    /// Follows verified and unverified changes of address back from the key's address.
    pub(crate) fn trace_moves(&mut self) {
        let aliases = self.law.policy.aliases;
        let mut reached = vec![self.key.address.clone()];
        let mut next = 0;
        while let Some(to_address) = reached.get(next).cloned() {
            for act in &self.standing.others {
                let fact = self.standing.fact_of(act);
                let Kind::AddressChange { from, to, verified } = &fact.kind else { continue };
                if !self.is_mine(act) || !to.suppress_eq(&to_address, aliases) {
                    continue;
                }
                if !reached.iter().any(|known| known.suppress_eq(from, aliases)) {
                    reached.push(from.clone());
                    self.moved_from.push(from.clone());
                }
                let by_person = matches!(fact.actor, Actor::DataSubject | Actor::Guardian);
                let follows = next == 0 || self.verified_from.iter().any(|(known, _)| known.grant_eq(&to_address));
                if *verified && by_person && follows && to.grant_eq(&to_address) {
                    self.verified_from.push((from.clone(), act.at));
                }
            }
            next += 1;
        }
    }

    /// Whether a grant on an earlier address followed the person here.
    pub(crate) fn carried(&self, grant: &Grant) -> bool {
        let fact = self.standing.fact_of(&grant.act);
        self.law.policy.carry_verified_change
            && self.verified_from.iter().any(|(from, moved)| {
                // Whoever got the old mailbox before the move ended every consent bound to it.
                let handed_on = || Reach::of(self.standing, from, self.law).reassigned.into_iter().map(|(at, _)| at);
                !grant.act.at.is_after(moved)
                    && fact.who.addresses.iter().any(|address| address.grant_eq(from))
                    && handed_on().all(|handed| grant.act.at.is_after(&handed) || handed.is_after(moved))
            })
    }

    /// The verified moves away from the key's address that no later act on it takes back.
    pub(crate) fn retired(&self) -> Vec<usize> {
        let left = self.standing.others.iter().filter(|act| {
            let Kind::AddressChange { from, verified, .. } = &self.standing.fact_of(act).kind else { return false };
            let actor = self.standing.fact_of(act).actor;
            *verified
                && matches!(actor, Actor::DataSubject | Actor::Guardian)
                && self.is_mine(act)
                && from.suppress_eq(&self.key.address, self.law.policy.aliases)
        });
        left.filter(|left| !self.used_again(left)).map(|act| act.fact).collect()
    }

    fn used_again(&self, left: &Act) -> bool {
        let returned = self.standing.others.iter().any(|act| {
            let back = match &self.standing.fact_of(act).kind {
                Kind::AddressChange { to, verified: true, .. } => to.grant_eq(&self.key.address),
                Kind::ControlProof => self.names_address(act),
                _ => false,
            };
            back && self.is_mine(act) && self.is_later(act, left)
        });
        let confirmed = |grant: &Grant| {
            grant.level >= Level::Confirmed && self.is_mine(&grant.act) && self.names_address(&grant.act)
        };
        returned || self.standing.grants.iter().any(|grant| confirmed(grant) && self.is_later(&grant.act, left))
    }
}
