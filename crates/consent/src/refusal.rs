//! Which negatives reach a key: wide in scope, wide in spelling, and the whole person's unless the policy says otherwise.

use crate::decide::Case;
use crate::fact::{Fact, Kind, Scope};
use crate::policy::Propagate;
use crate::scope;
use crate::standing::{Negative, Severity};
use crate::term::{Actor, HoldBasis, Via};
use crate::weigh::Weighed;

impl<'a> Case<'a> {
    /// The negatives that reach the key. Those that one of several people made for himself alone go to `conflicts`.
    pub(crate) fn negatives(&self, conflicts: &mut Vec<usize>) -> Vec<&'a Negative> {
        let mut reached = Vec::new();
        for negative in &self.standing.negatives {
            if !self.refuses(negative) {
                continue;
            }
            let on_address = self.standing.is_on(&negative.act, &self.key.address, self.law)
                || self.moved_from.iter().any(|from| self.standing.is_on(&negative.act, from, self.law));
            let mine = self.is_mine(&negative.act);
            let reaches = on_address
                || if mine { self.propagates(negative) } else { self.was_mine(negative) || self.knows_me(negative) };
            if !reaches {
                continue;
            }
            if !mine && self.speaks_for_another(negative) {
                conflicts.push(negative.act.fact);
            } else {
                reached.push(negative);
            }
        }
        reached
    }

    fn refuses(&self, negative: &Negative) -> bool {
        let fact = self.standing.fact_of(&negative.act);
        let policy = &self.law.policy;
        if negative.severity == Severity::Erase {
            // An erasure ends everything but what a running contract still needs (S96).
            return !policy.is_service(&self.key.purpose) || !self.contract_held();
        }
        let scope = match fact.kind {
            // An unverified request is an objection to everything that an erasure would have ended.
            Kind::EraseRequest { .. } => return !policy.is_service(&self.key.purpose),
            _ => &fact.scope,
        };
        let refuses = |scope| scope::refuses(policy, &fact.system, scope, &self.key.purpose, self.key.channel);
        // Spam was reported, whatever list it came from: that is all direct marketing by e-mail.
        refuses(scope) || (negative.severity == Severity::Complaint && refuses(&Scope::default()))
    }

    fn contract_held(&self) -> bool {
        self.contract_holds().into_iter().any(|until| self.now < until)
    }

    /// Until when running contracts hold data of the person.
    pub(crate) fn contract_holds(&self) -> Vec<jiff::Timestamp> {
        let own = self.standing.others.iter().filter(|act| self.is_mine(act));
        own.filter_map(|act| match self.standing.fact_of(act).kind {
            Kind::Hold { basis: HoldBasis::Contract, until } => Some(until),
            _ => None,
        })
        .collect()
    }

    /// Whether a negative known by a digest, or reaching by a widened spelling, was said on another address of this
    /// person. What somebody else behind a shared mailbox said binds that mailbox only.
    fn knows_me(&self, negative: &Negative) -> bool {
        let theirs = negative.act.person.map(|person| self.standing.people.person_ids(person)).unwrap_or_default();
        let somebody_else =
            !theirs.is_empty() && !self.about.persons.is_empty() && theirs.is_disjoint(&self.about.persons);
        self.law.policy.propagate == Propagate::Subject
            && !somebody_else
            && self.person.is_some_and(|person| {
                let mut addresses = self.standing.people.addresses_of_person(person);
                addresses.any(|address| self.standing.is_on(&negative.act, address, self.law))
            })
    }

    /// Whether a negative of the same person reaches an address it was not stated on.
    fn propagates(&self, negative: &Negative) -> bool {
        let fact = self.standing.fact_of(&negative.act);
        let kind = self.key.channel.address_kind();
        match self.law.policy.propagate {
            Propagate::Subject => true,
            Propagate::Address => {
                negative.severity == Severity::Erase
                    || !self.has_own_address(fact)
                    // "Stop everything" names channels beyond the address it came by: there it means the record's addresses.
                    || (!fact.who.addresses.iter().any(|address| address.kind() == kind)
                        && self.standing.people.addresses_of(fact).iter().any(|held| {
                            held.suppress_eq(&self.key.address, self.law.policy.aliases)
                        }))
            }
        }
    }

    /// Whether a negative without an address of its own was made before the people were told apart: it stays on both.
    fn was_mine(&self, negative: &Negative) -> bool {
        let fact = self.standing.fact_of(&negative.act);
        !self.has_own_address(fact) && negative.act.joined.is_some_and(|joined| self.joined.contains(&joined))
    }

    fn has_own_address(&self, fact: &Fact) -> bool {
        !fact.who.addresses.is_empty()
            || !fact.who.hashes.is_empty()
            || !self.standing.people.addresses_of(fact).is_empty()
    }

    /// Whether one of several people behind the mailbox spoke for himself, through his account (S85).
    fn speaks_for_another(&self, negative: &Negative) -> bool {
        let fact = self.standing.fact_of(&negative.act);
        let theirs = negative.act.person.map(|person| self.standing.people.person_ids(person));
        fact.via == Via::Account
            && negative.severity >= Severity::Object
            && !self.about.persons.is_empty()
            && theirs.is_some_and(|theirs| !theirs.is_empty() && theirs.is_disjoint(&self.about.persons))
    }

    /// The negatives that no grant lifts; where each is lifted but none by one and the same grant, all of them: two half
    /// proofs do not add up.
    pub(crate) fn standing(&self, negatives: &[&'a Negative], grants: &[Weighed<'_>]) -> Vec<&'a Negative> {
        if negatives.is_empty() || grants.iter().any(|weighed| negatives.iter().all(|n| self.lifts(weighed, n))) {
            return Vec::new();
        }
        let unlifted: Vec<&Negative> =
            negatives.iter().copied().filter(|n| !grants.iter().any(|weighed| self.lifts(weighed, n))).collect();
        if unlifted.is_empty() { negatives.to_vec() } else { unlifted }
    }

    pub(crate) fn by_person(&self, negative: &Negative) -> bool {
        let actor = self.standing.fact_of(&negative.act).actor;
        matches!(actor, Actor::DataSubject | Actor::Guardian | Actor::MailboxProvider)
    }
}
