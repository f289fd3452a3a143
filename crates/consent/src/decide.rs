//! The decision: may this address be used, for this purpose, over this channel, now, and why?

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::address::Address;
use crate::basis::just_after;
use crate::decision::{ConsentStatus, Decision, Reason, Verdict};
use crate::evidence::Level;
use crate::fact::{Kind, RecordRef};
use crate::identity::Person;
use crate::law::{Key, Law};
use crate::reach::Reach;
use crate::scope;
use crate::standing::{Act, Negative, Severity, Standing};
use crate::term::Status;
use crate::time::Interval;
use crate::weigh::Weighed;

impl Standing {
    /// Decides one key. Several people who share the address get the strictest of their answers, unless the key names one.
    pub fn decide(&self, key: &Key, law: &Law, now: Timestamp) -> Decision {
        let people = self.people.holding(&key.address, key.person.as_ref());
        let answers: Vec<Decision> = people.iter().map(|person| self.decide_person(*person, key, law, now)).collect();
        Decision::strictest(answers).unwrap_or_else(|| Case::of(self, key, law, (None, now)).decide())
    }

    /// Decides one key for the person whose record this is, where a host asks on behalf of what that record shows.
    ///
    /// The record's own person decides, not the strictest of all who share the address: negatives that bind the mailbox
    /// reach that person anyway.
    pub fn decide_for(&self, record: &RecordRef, key: &Key, law: &Law, now: Timestamp) -> Decision {
        match self.people.owner(record) {
            Some(person) => Case::of(self, key, law, (Some(person), now)).decide(),
            None => self.decide(key, law, now),
        }
    }

    /// Decides one key for one of the people.
    pub(crate) fn decide_person(&self, person: usize, key: &Key, law: &Law, now: Timestamp) -> Decision {
        Case::of(self, key, law, (Some(person), now)).decide()
    }

    /// Whether an act is about an address: by the address itself, widely, or by its digest.
    pub(crate) fn is_on(&self, act: &Act, address: &Address, law: &Law) -> bool {
        let fact = self.fact_of(act);
        let same = |held: &Address| held.suppress_eq(address, law.policy.aliases);
        if fact.who.addresses.is_empty() && fact.who.hashes.is_empty() {
            return self.people.addresses_of(fact).iter().any(same);
        }
        fact.who.addresses.iter().any(same)
            || fact.who.hashes.iter().any(|hash| hash.matches(address, &law.keyring, law.policy.aliases))
    }
}

/// One key, one person, one moment.
pub(crate) struct Case<'a> {
    pub(crate) standing: &'a Standing,
    pub(crate) key: &'a Key,
    pub(crate) law: &'a Law,
    pub(crate) now: Timestamp,
    pub(crate) person: Option<usize>,
    pub(crate) about: Person,
    pub(crate) reach: Reach,
    /// Instants at which time alone may change the answer.
    pub(crate) horizon: Vec<Timestamp>,
    /// The persons that this one was part of before any split.
    pub(crate) joined: BTreeSet<usize>,
    /// The earlier addresses that the person moved here from and confirmed it, with when.
    pub(crate) verified_from: Vec<(Address, Interval)>,
    /// All earlier addresses, confirmed or not.
    pub(crate) moved_from: Vec<Address>,
}

impl<'a> Case<'a> {
    pub(crate) fn of(
        standing: &'a Standing,
        key: &'a Key,
        law: &'a Law,
        (person, now): (Option<usize>, Timestamp),
    ) -> Self {
        let mut case = Self {
            standing,
            key,
            law,
            now,
            person,
            about: person
                .map(|person| standing.people.describe(person, &key.address, law.policy.country))
                .unwrap_or_default(),
            reach: Reach::of(standing, &key.address, law),
            horizon: Vec::new(),
            joined: person.map(|person| standing.people.joined_with(person)).unwrap_or_default(),
            verified_from: Vec::new(),
            moved_from: Vec::new(),
        };
        case.trace_moves();
        case
    }

    pub(crate) fn decide(mut self) -> Decision {
        let mut conflicts = Vec::new();
        let holds = self.contract_holds();
        self.horizon.extend(holds);
        let negatives = self.negatives(&mut conflicts);
        let grants = self.weigh(&negatives);
        let needed = self.level_needed();

        let live: Vec<&Weighed<'_>> = grants.iter().filter(|weighed| self.is_live(weighed, needed)).collect();
        let mut answer = if live.is_empty() {
            self.without_consent(&negatives, &grants, needed)
        } else {
            Answer::new(
                ConsentStatus::Granted,
                Reason::Consent,
                live.iter().map(|weighed| weighed.grant.act.fact).collect(),
            )
        };
        for end in live.iter().filter_map(|weighed| weighed.expiry) {
            self.horizon.push(just_after(end));
        }
        answer.negative = !negatives.is_empty();
        answer.level = grants.iter().map(|weighed| weighed.level).max().unwrap_or_default();
        if !matches!(answer.reason, Reason::Consent | Reason::Basis(_)) {
            answer.by_person = self.standing(&negatives, &grants).iter().any(|negative| self.by_person(negative));
        }
        self.overlay(&mut answer, &conflicts);
        self.finish(answer)
    }

    /// The answer where no consent lives: a refusal, another basis, or what is left of an opt-in.
    fn without_consent(&mut self, negatives: &[&'a Negative], grants: &[Weighed<'_>], needed: Level) -> Answer {
        let standing = self.standing(negatives, grants);
        if let Some(worst) = standing.iter().map(|negative| negative.severity).max() {
            let facts = standing.iter().filter(|n| n.severity == worst).map(|n| n.act.fact).collect();
            let (status, reason) = match worst {
                Severity::Refuse => (ConsentStatus::Refused, Reason::Refused),
                Severity::Withdraw => (ConsentStatus::Withdrawn, Reason::Withdrawn),
                Severity::Object => (ConsentStatus::Objected, Reason::Objected),
                Severity::Complaint => (ConsentStatus::Objected, Reason::Complaint),
                Severity::Erase => (ConsentStatus::Erased, Reason::Erased),
            };
            return Answer::new(status, reason, facts);
        }
        let once_valid = |weighed: &&Weighed<'_>| weighed.clean && weighed.level >= needed;
        let void: Vec<usize> =
            grants.iter().filter(once_valid).filter(|w| w.grant.void).map(|w| w.grant.act.fact).collect();
        let expired: Vec<&Weighed<'_>> = grants.iter().filter(once_valid).filter(|w| !w.grant.void).collect();
        let open = negatives.is_empty() && void.is_empty() && expired.is_empty() && !self.silent_after_invitation();
        if open && let Some(answer) = self.on_other_basis() {
            return answer;
        }
        if !self.reach.reassigned.is_empty() && void.is_empty() && expired.is_empty() {
            let facts = self.reach.reassigned.iter().map(|(_, fact)| *fact).collect();
            return Answer::new(ConsentStatus::Invalidated, Reason::Reassigned, facts);
        }
        if !void.is_empty() {
            return Answer::new(ConsentStatus::Invalidated, Reason::Invalidated, void);
        }
        if !expired.is_empty() {
            return self.expired(&expired, negatives);
        }
        self.unproven(grants, negatives)
    }

    fn on_other_basis(&mut self) -> Option<Answer> {
        let carried = self.basis()?;
        let mut answer = Answer::new(ConsentStatus::NotRequired, Reason::Basis(carried.rule.basis), carried.facts);
        answer.rule = Some(carried.rule.id.clone());
        Some(answer)
    }

    fn expired(&mut self, expired: &[&Weighed<'_>], negatives: &[&Negative]) -> Answer {
        let facts = expired.iter().map(|weighed| weighed.grant.act.fact).collect();
        let mut answer = Answer::new(ConsentStatus::Expired, Reason::Expired, facts);
        let Some(end) = expired.iter().filter_map(|weighed| weighed.expiry).max() else { return answer };
        let Ok(closes) = end.checked_add(self.law.policy.expiry_ask) else { return answer };
        self.horizon.push(just_after(closes));
        // One message may ask whether to stay, and only one.
        let asked = self.invitations().any(|act| act.at.hi >= end);
        if self.now <= closes && !asked && self.may_ask(negatives) {
            answer.verdict = Verdict::Ask;
        }
        answer
    }

    fn unproven(&mut self, grants: &[Weighed<'_>], negatives: &[&Negative]) -> Answer {
        let claims: Vec<usize> = grants.iter().map(|weighed| weighed.grant.act.fact).collect();
        if claims.is_empty() {
            return self.unclaimed();
        }
        let deadline = self.law.policy.deadline;
        self.horizon.extend(deadline);
        if deadline.is_some_and(|deadline| deadline <= self.now) {
            return Answer::new(ConsentStatus::Lapsed, Reason::Lapsed, claims);
        }
        let minor = grants.iter().any(|weighed| weighed.minor && weighed.grant.level > Level::Claim);
        let reason = if minor { Reason::MinorGuardianMissing } else { Reason::Unqualified };
        let mut answer = Answer::new(ConsentStatus::Unqualified, reason, claims);
        if deadline.is_some() && !minor && self.may_ask(negatives) {
            answer.verdict = Verdict::Ask;
        }
        answer
    }

    fn unclaimed(&mut self) -> Answer {
        let policy = &self.law.policy;
        let mut waiting = Vec::new();
        for act in &self.standing.others {
            let fact = self.standing.fact_of(act);
            let asks = matches!(fact.kind, Kind::Request | Kind::Snapshot { status: Status::Pending, .. });
            if !asks
                || !self.is_mine(act)
                || !self.names_address(act)
                || !scope::grants(policy, &fact.system, &fact.scope, &self.key.purpose, self.key.channel)
            {
                continue;
            }
            let end = policy.request_age_max.and_then(|max| act.at.hi.checked_add(max).ok());
            self.horizon.extend(end.map(just_after));
            if end.is_none_or(|end| self.now <= end) {
                waiting.push(act.fact);
            }
        }
        if waiting.is_empty() {
            Answer::new(ConsentStatus::Unknown, Reason::Unknown, Vec::new())
        } else {
            Answer::new(ConsentStatus::Requested, Reason::Requested, waiting)
        }
    }

    /// Whether asking is lawful: never after a no, never where asking is itself marketing, never a dead address (I16).
    fn may_ask(&self, negatives: &[&Negative]) -> bool {
        negatives.is_empty() && self.law.policy.invite_allowed && self.reach.dead.is_empty()
    }

    fn invitations(&self) -> impl Iterator<Item = &'a Act> {
        self.standing.others.iter().filter(|act| {
            let fact = self.standing.fact_of(act);
            matches!(fact.kind, Kind::Invite)
                && self.is_mine(act)
                && self.standing.is_on(act, &self.key.address, self.law)
                && scope::refuses(&self.law.policy, &fact.system, &fact.scope, &self.key.purpose, self.key.channel)
        })
    }

    /// Whether the person was invited and the deadline passed in silence: no other basis opens then (I7).
    fn silent_after_invitation(&mut self) -> bool {
        let Some(deadline) = self.law.policy.deadline else { return false };
        let invited = self.invitations().next().is_some();
        if invited {
            self.horizon.push(deadline);
        }
        invited && deadline <= self.now
    }

    pub(crate) fn is_mine(&self, act: &Act) -> bool {
        act.person.is_some() && act.person == self.person
    }

    /// Whether the act itself names exactly this address.
    pub(crate) fn names_address(&self, act: &Act) -> bool {
        self.standing.fact_of(act).who.addresses.iter().any(|address| address.grant_eq(&self.key.address))
    }

    fn finish(self, answer: Answer) -> Decision {
        let mut facts: Vec<_> = answer.facts.iter().map(|index| self.standing.facts[*index].id).collect();
        facts.sort_unstable();
        facts.dedup();
        Decision {
            verdict: answer.verdict,
            status: answer.status,
            reason: answer.reason,
            rule: answer.rule,
            facts,
            level: answer.level,
            negative: answer.negative,
            refused_by_person: answer.by_person,
            valid_until: self.horizon.into_iter().filter(|at| *at > self.now).min(),
        }
    }
}

/// A decision in the making; facts by their place.
pub(crate) struct Answer {
    pub(crate) verdict: Verdict,
    status: ConsentStatus,
    pub(crate) reason: Reason,
    rule: Option<String>,
    facts: Vec<usize>,
    level: Level,
    negative: bool,
    by_person: bool,
}

impl Answer {
    fn new(status: ConsentStatus, reason: Reason, facts: Vec<usize>) -> Self {
        let verdict = if matches!(reason, Reason::Consent | Reason::Basis(_)) { Verdict::Allow } else { Verdict::Deny };
        Self { verdict, status, reason, rule: None, facts, level: Level::Nothing, negative: false, by_person: false }
    }

    pub(crate) fn force(&mut self, reason: Reason, facts: Vec<usize>) {
        self.verdict = Verdict::Deny;
        self.reason = reason;
        self.facts.extend(facts);
    }
}
