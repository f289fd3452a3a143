//! The decision: may this address be used, for this purpose, over this channel, now, and why?

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::address::Address;
use crate::basis::just_after;
use crate::decision::{ConsentStatus, Decision, Reason, Verdict};
use crate::evidence::Level;
use crate::fact::{Activity, Actor, Fact, HoldBasis, Kind, RecordRef, Status, Via};
use crate::identity::Person;
use crate::law::{Key, Law};
use crate::policy::Propagate;
use crate::reach::Reach;
use crate::scope;
use crate::standing::{Act, Grant, Negative, Severity, Standing};
use crate::time::Interval;

impl Standing {
    /// Decides one key. Several people who share the address get the strictest of their answers, unless the key names one.
    pub fn decide(&self, key: &Key, law: &Law, now: Timestamp) -> Decision {
        let people = self.people.holding(&key.address, key.person.as_ref());
        let answers = people.iter().map(|person| Case::of(self, key, law, (Some(*person), now)).decide());
        let strictest = answers.min_by_key(Decision::strictness);
        strictest.unwrap_or_else(|| Case::of(self, key, law, (None, now)).decide())
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

    /// Whether an act is about an address: by the address itself, widely, or by its digest.
    pub(crate) fn is_on(&self, act: &Act, address: &Address, law: &Law) -> bool {
        let fact = self.fact_of(act);
        let same = |held: &Address| held.suppress_eq(address, law.policy.aliases);
        if fact.who.addresses.is_empty() && fact.who.hashes.is_empty() {
            return self.people.addresses_of(fact).iter().any(same);
        }
        fact.who.addresses.iter().any(same) || fact.who.hashes.iter().any(|hash| hash.matches(address, &law.keyring))
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
    joined: std::collections::BTreeSet<usize>,
    verified_from: Vec<(Address, Interval)>,
    moved_from: Vec<Address>,
}

/// A grant for the key, weighed against everything else.
struct Weighed<'a> {
    grant: &'a Grant,
    level: Level,
    minor: bool,
    clean: bool,
    expiry: Option<Timestamp>,
}

impl<'a> Case<'a> {
    fn of(standing: &'a Standing, key: &'a Key, law: &'a Law, (person, now): (Option<usize>, Timestamp)) -> Self {
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

    fn decide(mut self) -> Decision {
        let mut conflicts = Vec::new();
        let negatives = self.negatives(&mut conflicts);
        let grants = self.weigh(&negatives);
        let needed = self.level_needed();

        let live: Vec<&Weighed<'_>> = grants.iter().filter(|weighed| self.is_live(weighed, needed)).collect();
        let mut answer = if live.is_empty() {
            self.without_consent(&negatives, &grants, needed)
        } else {
            Answer::new(ConsentStatus::Granted, Reason::Consent, live.iter().map(|weighed| weighed.grant.act.fact).collect())
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

    /// The negatives that reach the key. Those that one of several people made for himself alone go to `conflicts`.
    fn negatives(&self, conflicts: &mut Vec<usize>) -> Vec<&'a Negative> {
        let mut reached = Vec::new();
        for negative in &self.standing.negatives {
            if !self.refuses(negative) {
                continue;
            }
            let on_address = self.standing.is_on(&negative.act, &self.key.address, self.law)
                || self.moved_from.iter().any(|from| self.standing.is_on(&negative.act, from, self.law));
            let mine = self.is_mine(&negative.act);
            let reaches = if mine { on_address || self.propagates(negative) } else { on_address || self.was_mine(negative) };
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
        scope::refuses(policy, &fact.system, scope, &self.key.purpose, self.key.channel)
    }

    fn contract_held(&self) -> bool {
        self.standing.others.iter().any(|act| {
            matches!(self.standing.fact_of(act).kind, Kind::Hold { basis: HoldBasis::Contract, until } if self.now < until)
                && self.is_mine(act)
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
        !fact.who.addresses.is_empty() || !fact.who.hashes.is_empty() || !self.standing.people.addresses_of(fact).is_empty()
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

    /// The grants for the key, each weighed against the negatives.
    fn weigh(&self, negatives: &[&Negative]) -> Vec<Weighed<'a>> {
        let policy = &self.law.policy;
        let mut weighed = Vec::new();
        for grant in &self.standing.grants {
            let fact = self.standing.fact_of(&grant.act);
            if !self.is_mine(&grant.act)
                || !scope::grants(policy, &fact.system, &fact.scope, &self.key.purpose, self.key.channel)
                || !(self.names_address(&grant.act) || self.carried(grant))
            {
                continue;
            }
            let minor = fact.actor != Actor::Guardian && self.was_minor(grant);
            let level = if minor { grant.level.min(Level::Claim) } else { grant.level };
            let candidate = Weighed { grant, level, minor, clean: false, expiry: self.expiry(grant) };
            let clean = negatives.iter().all(|negative| self.lifts(&candidate, negative))
                && self.reach.reassigned.iter().all(|(moved, _)| grant.act.at.is_after(moved));
            weighed.push(Weighed { clean, ..candidate });
        }
        weighed
    }

    fn lifts(&self, weighed: &Weighed<'_>, negative: &Negative) -> bool {
        let levels = &self.law.policy.regrant;
        let needed = match negative.severity {
            Severity::Refuse => levels.refuse,
            Severity::Withdraw => levels.withdraw,
            Severity::Object => levels.object,
            Severity::Complaint => levels.complaint,
            Severity::Erase => levels.erase,
        };
        let actor = self.standing.fact_of(&weighed.grant.act).actor;
        weighed.level >= needed
            && matches!(actor, Actor::DataSubject | Actor::Guardian)
            && !weighed.grant.void
            && self.is_later(&weighed.grant.act, &negative.act)
    }

    /// Whether the first act certainly happened after the second. In one ordered log its own numbers are the order.
    fn is_later(&self, later: &Act, earlier: &Act) -> bool {
        let (a, b) = (self.standing.fact_of(later), self.standing.fact_of(earlier));
        match (a.seq, b.seq) {
            (Some(a_seq), Some(b_seq)) if a.system == b.system && self.law.systems.get(&a.system).sequenced => a_seq > b_seq,
            _ => later.at.is_after(&earlier.at),
        }
    }

    fn is_live(&self, weighed: &Weighed<'_>, needed: Level) -> bool {
        weighed.clean
            && weighed.level >= needed
            && !weighed.grant.void
            && weighed.expiry.is_none_or(|expiry| self.now <= expiry)
    }

    /// Until when a consent lives. `None` where nothing ends it.
    fn expiry(&self, grant: &Grant) -> Option<Timestamp> {
        let policy = &self.law.policy;
        let given = grant.act.at.lo;
        let quiet_since = given.max(self.last_sign_of_life());
        let ends = [
            quiet_since.zip(policy.inactivity_max).map(|(since, max)| since.checked_add(max).unwrap_or(Timestamp::MAX)),
            given.zip(policy.consent_age_max).map(|(since, max)| since.checked_add(max).unwrap_or(Timestamp::MAX)),
            grant.valid_until,
        ];
        ends.into_iter().flatten().min()
    }

    /// Whether the act was seen on a record that holds the address. What is known of another address of the person can
    /// take away, never give: else a link between records would widen a decision (I12).
    fn shares_record(&self, act: &Act) -> bool {
        let held = self.standing.people.addresses_of(self.standing.fact_of(act));
        held.iter().any(|held| held.grant_eq(&self.key.address))
    }

    /// The last certain contact from the person. Opening a message is none.
    fn last_sign_of_life(&self) -> Option<Timestamp> {
        let signs = self.standing.others.iter().filter(|act| {
            let kind = &self.standing.fact_of(act).kind;
            matches!(kind, Kind::Activity(Activity::Click | Activity::Login | Activity::Purchase | Activity::Reply))
                && self.is_mine(act)
                && self.shares_record(act)
        });
        signs.filter_map(|act| act.at.lo).max()
    }

    fn was_minor(&self, grant: &Grant) -> bool {
        let Some(birth) = self.about.birth else { return false };
        let policy = &self.law.policy;
        let age_in = |country| policy.minor_age.get(country).copied().unwrap_or(policy.minor_age_default);
        let age = self.about.countries.iter().map(age_in).max().unwrap_or_else(|| age_in(&policy.country));
        let Ok(of_age) = birth.checked_add(Span::new().try_years(age).unwrap_or_default()) else { return true };
        let given = grant.act.at.lo.unwrap_or(grant.act.at.hi);
        day_of(given) < of_age
    }

    fn level_needed(&self) -> Level {
        let policy = &self.law.policy;
        let role = self.key.address.local_part().is_some_and(|local| policy.role_accounts.contains(local));
        policy.level_needed(&self.about.countries, &self.about.audiences, self.key.channel, role)
    }

    /// The negatives that no grant lifts; where each is lifted but none by one and the same grant, all of them: two half
    /// proofs do not add up.
    fn standing(&self, negatives: &[&'a Negative], grants: &[Weighed<'_>]) -> Vec<&'a Negative> {
        if negatives.is_empty() || grants.iter().any(|weighed| negatives.iter().all(|n| self.lifts(weighed, n))) {
            return Vec::new();
        }
        let unlifted: Vec<&Negative> =
            negatives.iter().copied().filter(|n| !grants.iter().any(|weighed| self.lifts(weighed, n))).collect();
        if unlifted.is_empty() { negatives.to_vec() } else { unlifted }
    }

    fn by_person(&self, negative: &Negative) -> bool {
        let actor = self.standing.fact_of(&negative.act).actor;
        matches!(actor, Actor::DataSubject | Actor::Guardian | Actor::MailboxProvider)
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
        if negatives.is_empty() && void.is_empty() && expired.is_empty() && !self.silent_after_invitation() {
            if let Some(answer) = self.on_other_basis() {
                return answer;
            }
        }
        if !self.reach.reassigned.is_empty() {
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

    /// What forces a no whatever the status.
    fn overlay(&mut self, answer: &mut Answer, conflicts: &[usize]) {
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
        let mine = |act: &&Act| {
            self.is_mine(act) || self.standing.is_on(act, &self.key.address, self.law)
        };
        let acts = || self.standing.others.iter().filter(mine);
        acts()
            .filter(|act| raises(&self.standing.fact_of(act).kind))
            .filter(|raised| {
                !acts().any(|act| {
                    lifts(&self.standing.fact_of(act).kind) && self.is_later(act, raised) && self.are_beside(act, raised)
                })
                    && !self.shows_otherwise_since(raised)
            })
            .map(|act| act.fact)
            .collect()
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

    /// Follows verified and unverified changes of address back from the key's address.
    fn trace_moves(&mut self) {
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
    fn carried(&self, grant: &Grant) -> bool {
        let fact = self.standing.fact_of(&grant.act);
        self.law.policy.carry_verified_change
            && self.verified_from.iter().any(|(from, moved)| {
                !grant.act.at.is_after(moved) && fact.who.addresses.iter().any(|address| address.grant_eq(from))
            })
    }

    /// The verified moves away from the key's address that no later act on it takes back.
    fn retired(&self) -> Vec<usize> {
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
struct Answer {
    verdict: Verdict,
    status: ConsentStatus,
    reason: Reason,
    rule: Option<String>,
    facts: Vec<usize>,
    level: Level,
    negative: bool,
    by_person: bool,
}

impl Answer {
    fn new(status: ConsentStatus, reason: Reason, facts: Vec<usize>) -> Self {
        let verdict =
            if matches!(reason, Reason::Consent | Reason::Basis(_)) { Verdict::Allow } else { Verdict::Deny };
        Self { verdict, status, reason, rule: None, facts, level: Level::Nothing, negative: false, by_person: false }
    }

    fn force(&mut self, reason: Reason, facts: Vec<usize>) {
        self.verdict = Verdict::Deny;
        self.reason = reason;
        self.facts.extend(facts);
    }
}

fn day_of(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date()
}
