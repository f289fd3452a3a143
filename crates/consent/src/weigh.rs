//! What a grant weighs: its level once age is known, what it lifts, and until when it lives (consent model 4.3).

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::decide::Case;
use crate::evidence::Level;
use crate::fact::Kind;
use crate::scope;
use crate::standing::{Act, Grant, Negative, Severity};
use crate::term::{Activity, Actor};

/// A grant for the key, weighed against everything else.
pub(crate) struct Weighed<'a> {
    pub(crate) grant: &'a Grant,
    pub(crate) level: Level,
    pub(crate) minor: bool,
    pub(crate) clean: bool,
    pub(crate) expiry: Option<Timestamp>,
}

impl<'a> Case<'a> {
    /// The grants for the key, each weighed against the negatives.
    pub(crate) fn weigh(&self, negatives: &[&Negative]) -> Vec<Weighed<'a>> {
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

    pub(crate) fn lifts(&self, weighed: &Weighed<'_>, negative: &Negative) -> bool {
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
    pub(crate) fn is_later(&self, later: &Act, earlier: &Act) -> bool {
        let (a, b) = (self.standing.fact_of(later), self.standing.fact_of(earlier));
        match (a.seq, b.seq) {
            (Some(a_seq), Some(b_seq)) if a.system == b.system && self.law.systems.get(&a.system).sequenced => {
                a_seq > b_seq
            }
            _ => later.at.is_after(&earlier.at),
        }
    }

    pub(crate) fn is_live(&self, weighed: &Weighed<'_>, needed: Level) -> bool {
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
        held.iter().any(|held| {
            held.grant_eq(&self.key.address) || self.verified_from.iter().any(|(from, _)| held.grant_eq(from))
        })
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

    pub(crate) fn level_needed(&self) -> Level {
        let policy = &self.law.policy;
        let role = self.key.address.local_part().is_some_and(|local| policy.role_accounts.contains(local));
        policy.level_needed(&self.about.countries, &self.about.audiences, self.key.channel, role)
    }
}

fn day_of(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date()
}
