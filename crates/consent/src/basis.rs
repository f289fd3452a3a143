//! Legal bases other than consent: contact without a yes, only while nobody said no (I6).

use jiff::Timestamp;

use crate::decide::Case;
use crate::fact::Kind;
use crate::policy::{BasisRule, Need};
use crate::term::Relation;

/// A rule that carries the contact, with the facts it rests on.
pub(crate) struct Carried<'a> {
    pub(crate) rule: &'a BasisRule,
    pub(crate) facts: Vec<usize>,
}

impl<'a> Case<'a> {
    /// The first rule of the policy that holds in every country the person may be in.
    pub(crate) fn basis(&mut self) -> Option<Carried<'a>> {
        let countries: Vec<_> = self.about.countries.iter().copied().collect();
        let law = self.law;
        let mut carried: Option<Carried<'a>> = None;
        for country in countries {
            let local: Vec<&BasisRule> = law
                .policy
                .basis_rules
                .iter()
                .filter(|rule| rule.countries.is_empty() || rule.countries.contains(&country))
                .collect();
            let local = local.into_iter().find_map(|rule| self.proves(rule).map(|facts| Carried { rule, facts }))?;
            // Several countries: each must have its rule; the strictest answer names the first.
            carried.get_or_insert(local);
        }
        carried
    }

    /// The facts that prove a rule for this key, or `None`.
    fn proves(&mut self, rule: &BasisRule) -> Option<Vec<usize>> {
        if !rule.channels.contains(self.key.channel) || !rule.purposes.contains(&self.key.purpose) {
            return None;
        }
        if rule.relations.is_empty() && rule.needs.is_empty() {
            return None;
        }
        let audiences = &self.about.audiences;
        if !rule.audiences.is_empty() && (!self.about.audience_stated || !audiences.is_subset(&rule.audiences)) {
            return None;
        }
        if !self.in_force(rule) {
            return None;
        }
        if rule.needs.contains(&Need::Professional) && !self.professional() {
            return None;
        }
        if rule.relations.is_empty() {
            // Nothing dated carries the rule, so nothing can be later than a change of hands.
            return (self.reach.reassigned.is_empty() && self.held()).then(Vec::new);
        }
        let relations: Vec<(usize, crate::time::Interval)> = self
            .standing
            .others
            .iter()
            .filter(|act| self.is_mine(act) && self.names_address(act))
            .filter(|act| self.carries_relation(act.fact, rule))
            .map(|act| (act.fact, act.at))
            .collect();
        let mut facts = Vec::new();
        for (fact, at) in relations {
            let same_owner = self.reach.reassigned.iter().all(|(moved, _)| at.is_after(moved));
            let active = !rule.needs.contains(&Need::Active) || !self.ended(&at);
            if same_owner && active && self.fresh(rule, &at) {
                facts.push(fact);
            }
        }
        (!facts.is_empty()).then_some(facts)
    }

    fn in_force(&mut self, rule: &BasisRule) -> bool {
        self.horizon.extend(rule.from);
        self.horizon.extend(rule.until);
        rule.from.is_none_or(|from| from <= self.now) && rule.until.is_none_or(|until| self.now < until)
    }

    fn fresh(&mut self, rule: &BasisRule, at: &crate::time::Interval) -> bool {
        let Some(age_max) = rule.age_max else { return true };
        let Some(end) = at.lo.and_then(|lo| lo.checked_add(age_max).ok()) else { return false };
        self.horizon.push(just_after(end));
        self.now <= end
    }

    fn carries_relation(&self, fact: usize, rule: &BasisRule) -> bool {
        let Kind::Relationship { what, opt_out_offered, similar } = &self.standing.facts[fact].kind else {
            return false;
        };
        rule.relations.contains(what)
            && (!rule.needs.contains(&Need::OptOutOffered) || *opt_out_offered)
            && (!rule.needs.contains(&Need::Similar) || *similar)
    }

    /// Whether a contract may have ended: any end that is not certainly older.
    fn ended(&self, contract: &crate::time::Interval) -> bool {
        self.standing.others.iter().any(|act| {
            let fact = self.standing.fact_of(act);
            matches!(fact.kind, Kind::Relationship { what: Relation::ContractEnd, .. })
                && self.is_mine(act)
                && !contract.is_after(&act.at)
        })
    }

    /// Whether every source that says something of this address calls it professional.
    fn professional(&self) -> bool {
        let mut said = self
            .standing
            .facts
            .iter()
            .filter(|fact| fact.who.addresses.iter().any(|address| address.grant_eq(&self.key.address)))
            .filter_map(|fact| fact.who.professional)
            .peekable();
        said.peek().is_some() && said.all(|professional| professional)
    }

    /// Whether some record of the person holds the address.
    fn held(&self) -> bool {
        self.person.is_some()
    }
}

/// The first instant after the last one at which something still holds.
pub(crate) fn just_after(last: Timestamp) -> Timestamp {
    last.checked_add(jiff::SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MAX)
}
