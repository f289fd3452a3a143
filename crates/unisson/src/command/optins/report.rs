//! The report for programs. Names and meanings of its fields stay; what is new gets a new name.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use unisson_consent::{Lack, Outcome};
use unisson_plan::{ByOutcome, Census, Figures};

use super::segments::Written;
use crate::compose::Site;

/// The edition of this form.
const FORMAT: &str = "optins-report/1";

/// What the files and fields mean, as `--help` tells it, in lines that its width does not break.
pub(crate) const FIELDS: &str = "\
Segments: DIR gets PURPOSE.CHANNEL.requalify.csv and PURPOSE.CHANNEL.consents.csv, readable by
their owner alone. The law's decision selects who is in them, never the opt-in by itself: nobody
who said no, in any spelling of the address.
  address    in the spelling that all others count as
  purpose
  level      of the best claim, L1 to L5
  missing    what keeps it from being a consent: the codes below, with spaces between them
  lapses_on  the day of UTC on which it ends by time alone; empty where nothing ends it
  systems    who tells of it, with spaces between them

With --json:
  format      optins-report/1; names and meanings of fields stay
  at          the moment the report is about
  policy      version, deadline, invite_allowed
  last_run    run, started_at, state
  purposes    list of purpose, channel, people (figures), systems (figures by system)
  unplaced    list of system, no_purpose, no_address: opt-ins that count for nothing
  segments    list of file, purpose, channel, state, rows, set_aside (malformed, formula)

Figures; the six from consents to blocked add up to opt_ins:
  opt_ins           addresses with an opt-in, or that the system tells one of
  levels            by the level of the best claim, L1 to L5
  consents          consents as they stand
  other_basis       it proves too little, and another legal basis carries the contact
  requalify         it proves too little or has just ended, and the person may be asked
  unaskable         it proves too little, and the person may not be asked
  lapsed            its time is over
  blocked           a refusal, a block, a dead address, a void notice: in no segment
  because           by reason, for each of the six
  proven_elsewhere  consents that only another system's claim proves
  missing           list of lack, words, opt_ins; most frequent first; consents and blocked apart
  lapses            what ends by time alone: next (on, opt_ins), months, later, never

Codes: pre_ticked, bundled, inferred, capture, notice, controller, purpose, affirmative,
pre_ticked_unknown, date, actor, source, guardian, confirmation, document";

/// Everything the report tells.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    format: &'static str,
    at: Timestamp,
    policy: PolicyTold,
    last_run: Option<LastRun>,
    purposes: Vec<PurposeTold>,
    unplaced: Vec<UnplacedTold>,
    segments: Vec<Written>,
}

#[derive(Debug, Serialize)]
struct PolicyTold {
    version: String,
    deadline: Option<Timestamp>,
    invite_allowed: bool,
}

/// The last run that told the store anything.
#[derive(Debug, Serialize)]
pub(super) struct LastRun {
    pub(super) run: String,
    pub(super) started_at: Timestamp,
    pub(super) state: &'static str,
}

#[derive(Debug, Serialize)]
struct PurposeTold {
    purpose: String,
    channel: &'static str,
    people: FiguresTold,
    systems: BTreeMap<String, FiguresTold>,
}

#[derive(Debug, Serialize)]
struct UnplacedTold {
    system: String,
    no_purpose: u64,
    no_address: u64,
}

#[derive(Debug, Serialize)]
struct FiguresTold {
    opt_ins: u64,
    levels: BTreeMap<String, u64>,
    consents: u64,
    other_basis: u64,
    requalify: u64,
    unaskable: u64,
    lapsed: u64,
    blocked: u64,
    because: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    proven_elsewhere: u64,
    missing: Vec<MissingTold>,
    lapses: LapsesTold,
}

#[derive(Debug, Serialize)]
struct MissingTold {
    lack: &'static str,
    words: &'static str,
    opt_ins: u64,
}

#[derive(Debug, Serialize)]
struct LapsesTold {
    next: Option<NextTold>,
    months: BTreeMap<String, OpenTold>,
    later: OpenTold,
    never: OpenTold,
}

#[derive(Debug, Serialize)]
struct NextTold {
    on: Date,
    opt_ins: OpenTold,
}

/// The outcomes that time can end.
#[derive(Debug, Serialize)]
struct OpenTold {
    consents: u64,
    other_basis: u64,
    requalify: u64,
    unaskable: u64,
}

impl Report {
    pub(super) fn of(census: &Census, site: &Site, (last_run, segments): (Option<LastRun>, Vec<Written>)) -> Self {
        let purposes = census.purposes.iter().map(|((purpose, channel), survey)| PurposeTold {
            purpose: purpose.to_string(),
            channel: channel.as_str(),
            people: FiguresTold::of(&survey.people),
            systems: survey
                .systems
                .iter()
                .map(|(system, figures)| (system.to_string(), FiguresTold::of(figures)))
                .collect(),
        });
        let unplaced = census.idle.iter().map(|(system, idle)| UnplacedTold {
            system: system.to_string(),
            no_purpose: idle.no_purpose,
            no_address: idle.no_address,
        });
        Self {
            format: FORMAT,
            at: census.now,
            policy: PolicyTold {
                version: site.policy.version.clone(),
                deadline: site.law.policy.deadline,
                invite_allowed: site.law.policy.invite_allowed,
            },
            last_run,
            purposes: purposes.collect(),
            unplaced: unplaced.collect(),
            segments,
        }
    }
}

impl FiguresTold {
    fn of(figures: &Figures) -> Self {
        let mut because: BTreeMap<_, BTreeMap<_, _>> =
            Outcome::ALL.into_iter().map(|(_, name)| (name, BTreeMap::new())).collect();
        for ((outcome, why), count) in &figures.because {
            because.entry(outcome.as_str()).or_default().insert(*why, *count);
        }
        let levels = figures.levels.iter().enumerate().skip(1);
        Self {
            opt_ins: figures.opt_ins(),
            levels: levels.map(|(number, count)| (format!("L{number}"), *count)).collect(),
            consents: figures.outcomes.get(Outcome::Consent),
            other_basis: figures.outcomes.get(Outcome::OtherBasis),
            requalify: figures.outcomes.get(Outcome::Requalify),
            unaskable: figures.outcomes.get(Outcome::Unaskable),
            lapsed: figures.outcomes.get(Outcome::Lapsed),
            blocked: figures.outcomes.get(Outcome::Blocked),
            because,
            proven_elsewhere: figures.proven_elsewhere,
            missing: missing(figures)
                .into_iter()
                .map(|(lack, opt_ins)| MissingTold { lack: lack.as_str(), words: lack.words(), opt_ins })
                .collect(),
            lapses: LapsesTold {
                next: figures.lapses.next.map(|(on, by)| NextTold { on, opt_ins: OpenTold::of(&by) }),
                months: figures
                    .lapses
                    .months
                    .iter()
                    .map(|(month, by)| (month_name(*month), OpenTold::of(by)))
                    .collect(),
                later: OpenTold::of(&figures.lapses.later),
                never: OpenTold::of(&figures.lapses.never),
            },
        }
    }
}

impl OpenTold {
    fn of(by: &ByOutcome) -> Self {
        Self {
            consents: by.get(Outcome::Consent),
            other_basis: by.get(Outcome::OtherBasis),
            requalify: by.get(Outcome::Requalify),
            unaskable: by.get(Outcome::Unaskable),
        }
    }
}

/// What is missing, most frequent first.
pub(super) fn missing(figures: &Figures) -> Vec<(Lack, u64)> {
    let mut missing: Vec<(Lack, u64)> =
        Lack::ALL.into_iter().map(|(lack, ..)| (lack, figures.missing(lack))).filter(|(_, count)| *count > 0).collect();
    missing.sort_by_key(|(lack, count)| (std::cmp::Reverse(*count), *lack));
    missing
}

/// A month as it is written.
pub(super) fn month_name(month: Date) -> String {
    month.strftime("%Y-%m").to_string()
}
