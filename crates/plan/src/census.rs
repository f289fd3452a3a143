//! Counting opt-ins: how many are consents as they stand, what the others lack, and when they lapse (consent model 3.5,
//! 3.7).
//!
//! The census takes one person's opt-ins after the other and keeps only figures, so a million people need no more memory
//! than one. It counts what the law decided and decides nothing itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use unisson_consent::{Channel, Claim, Lack, Level, OptIn, OptIns, Outcome, PurposeId, SystemId, Unplaced};

/// How many months ahead are counted one by one; what lapses later is counted together.
pub const MONTHS_MAX: i32 = 60;

/// A list of people that a campaign can be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// They may be asked for a consent, and for nothing else.
    Requalify,
    /// They consented.
    Consents,
}

impl Segment {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Requalify, Self::Consents];

    /// The name used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requalify => Outcome::Requalify.as_str(),
            Self::Consents => Outcome::Consent.as_str(),
        }
    }

    /// The segment of an opt-in: the law's decision selects it, never the claim. `None` for whoever must be left alone,
    /// and for those whose contact rests on something else than their opt-in.
    pub fn of(opt_in: &OptIn) -> Option<Self> {
        match opt_in.outcome {
            Outcome::Requalify => Some(Self::Requalify),
            Outcome::Consent => Some(Self::Consents),
            Outcome::OtherBasis | Outcome::Unaskable | Outcome::Lapsed | Outcome::Blocked => None,
        }
    }
}

/// Figures by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ByOutcome([u64; Outcome::ALL.len()]);

impl ByOutcome {
    /// The figure of one outcome.
    pub fn get(&self, outcome: Outcome) -> u64 {
        self.0[outcome as usize]
    }

    /// All of them together.
    pub fn sum(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Adds figures to these.
    pub fn add(&mut self, more: &Self) {
        self.0.iter_mut().zip(more.0).for_each(|(figure, more)| *figure += more);
    }

    fn count(&mut self, outcome: Outcome) {
        self.0[outcome as usize] += 1;
    }
}

/// When opt-ins lapse by time alone, in days and months of UTC.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lapses {
    /// The first day on which one does, with how many do on it.
    pub next: Option<(Date, ByOutcome)>,
    /// By month, each under its first day, [`MONTHS_MAX`] at most.
    pub months: BTreeMap<Date, ByOutcome>,
    /// After those months.
    pub later: ByOutcome,
    /// Those that nothing but the person ends.
    pub never: ByOutcome,
}

impl Lapses {
    /// Counts one opt-in whose outcome has not ended.
    fn count(&mut self, outcome: Outcome, lapses_on: Option<Timestamp>, now: Timestamp) {
        let Some(at) = lapses_on else {
            self.never.count(outcome);
            return;
        };
        let day = day_of(at);
        match &mut self.next {
            Some((first, _)) if *first < day => {}
            Some((first, figures)) if *first == day => figures.count(outcome),
            next => {
                let mut figures = ByOutcome::default();
                figures.count(outcome);
                *next = Some((day, figures));
            }
        }
        if month_of(day) - month_of(day_of(now)) < MONTHS_MAX {
            self.months.entry(day.first_of_month()).or_default().count(outcome);
        } else {
            self.later.count(outcome);
        }
    }
}

/// What is counted of opt-ins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Figures {
    /// By the level of evidence of the best claim: the index is the number in "L3".
    pub levels: [u64; Level::ALL.len()],
    /// By outcome; each opt-in has one.
    pub outcomes: ByOutcome,
    /// By outcome and the one word that says why.
    pub because: BTreeMap<(Outcome, &'static str), u64>,
    /// How often each element is missing among the opt-ins that are no consents and that no refusal or block ended.
    pub missing: [u64; Lack::ALL.len()],
    /// Consents that what is counted here does not prove by itself: another system's claim does.
    pub proven_elsewhere: u64,
    /// When they lapse.
    pub lapses: Lapses,
}

impl Figures {
    /// How many opt-ins there are.
    pub fn opt_ins(&self) -> u64 {
        self.outcomes.sum()
    }

    /// How often an element is missing.
    pub fn missing(&self, lack: Lack) -> u64 {
        self.missing[lack as usize]
    }

    fn count(&mut self, opt_in: &OptIn, claim: &Claim, now: Timestamp) {
        self.levels[usize::from(claim.level.number())] += 1;
        self.outcomes.count(opt_in.outcome);
        *self.because.entry((opt_in.outcome, opt_in.because())).or_default() += 1;
        match opt_in.outcome {
            Outcome::Consent => self.proven_elsewhere += u64::from(!claim.missing.is_empty()),
            Outcome::Blocked => {}
            Outcome::OtherBasis | Outcome::Requalify | Outcome::Unaskable | Outcome::Lapsed => {
                for lack in claim.missing.iter() {
                    self.missing[lack as usize] += 1;
                }
            }
        }
        if !matches!(opt_in.outcome, Outcome::Lapsed | Outcome::Blocked) {
            self.lapses.count(opt_in.outcome, opt_in.lapses_on, now);
        }
    }
}

/// The opt-ins to one purpose over one channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// Each address once, whoever told its opt-in.
    pub people: Figures,
    /// What each system tells, each address once.
    pub systems: BTreeMap<SystemId, Figures>,
}

/// Opt-ins of one system that count for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Idle {
    /// They name no purpose of the policy.
    pub no_purpose: u64,
    /// They came without an address that their channel could use.
    pub no_address: u64,
}

/// Which opt-ins are counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Only {
    /// Those to this purpose; to any where none is named.
    pub purpose: Option<PurposeId>,
    /// Those that this system tells; all where none is named.
    pub system: Option<SystemId>,
}

impl Only {
    /// Whether an opt-in is counted.
    pub fn takes(&self, opt_in: &OptIn) -> bool {
        self.purpose.as_ref().is_none_or(|purpose| opt_in.key.purpose == *purpose)
            && opt_in.claims.iter().any(|claim| self.hears(&claim.system))
    }

    fn hears(&self, system: &SystemId) -> bool {
        self.system.as_ref().is_none_or(|only| only == system)
    }
}

/// All opt-ins in figures, at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Census {
    /// The time it is about.
    pub now: Timestamp,
    /// By purpose and channel.
    pub purposes: BTreeMap<(PurposeId, Channel), Survey>,
    /// Opt-ins that count for nothing, by system.
    pub idle: BTreeMap<SystemId, Idle>,
    only: Only,
}

impl Census {
    /// An empty census of the opt-ins that `only` takes, as they are at `now`.
    ///
    /// ```
    /// use unisson_plan::{Census, Only};
    /// let census = Census::new("2026-11-24T00:00:00Z".parse().unwrap(), Only::default());
    /// assert!(census.purposes.is_empty());
    /// ```
    pub fn new(now: Timestamp, only: Only) -> Self {
        Self { now, purposes: BTreeMap::new(), idle: BTreeMap::new(), only }
    }

    /// Which opt-ins are counted.
    pub fn only(&self) -> &Only {
        &self.only
    }

    /// Whether an opt-in is among those that are counted.
    pub fn takes(&self, opt_in: &OptIn) -> bool {
        self.only.takes(opt_in)
    }

    /// Counts the opt-ins of one standing, made at the time of the census.
    pub fn count(&mut self, opt_ins: &OptIns) {
        for opt_in in opt_ins.placed.iter().filter(|opt_in| self.only.takes(opt_in)) {
            let survey = self.purposes.entry((opt_in.key.purpose.clone(), opt_in.key.channel)).or_default();
            if let Some(best) = opt_in.best_of(|system| self.only.hears(system)) {
                survey.people.count(opt_in, best, self.now);
            }
            for claim in opt_in.claims.iter().filter(|claim| self.only.hears(&claim.system)) {
                survey.systems.entry(claim.system.clone()).or_default().count(opt_in, claim, self.now);
            }
        }
        if self.only.purpose.is_some() {
            // What is for nothing is not for this purpose.
            return;
        }
        for nowhere in &opt_ins.unplaced {
            let (Unplaced::NoPurpose(system) | Unplaced::NoAddress(system)) = nowhere;
            if self.only.hears(system) {
                let idle = self.idle.entry(system.clone()).or_default();
                match nowhere {
                    Unplaced::NoPurpose(_) => idle.no_purpose += 1,
                    Unplaced::NoAddress(_) => idle.no_address += 1,
                }
            }
        }
    }
}

fn day_of(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date()
}

fn month_of(day: Date) -> i32 {
    i32::from(day.year()) * 12 + i32::from(day.month())
}
