//! The report for people: what there is to work with, purpose by purpose.

use anstyle::Style;
use comfy_table::Table;
use unisson_consent::{Channel, Outcome, PurposeId, Unaskable};
use unisson_plan::{ByOutcome, Census, Figures, Survey};

use super::report::{LastRun, missing, month_name};
use crate::compose::Site;
use crate::exit::Failure;
use crate::gauge;
use crate::screen::{BAD, BOLD, CARE, FAINT, GOOD, Screen, day, figures, moment, number, paint, table};

/// How many months of lapses are shown one by one; `--json` tells more.
const MONTHS_SHOWN: usize = 12;
/// How many reasons stand beside a figure.
const REASONS_SHOWN: usize = 3;
/// How many columns the reasons get at least.
const REASONS_COLUMNS: u16 = 24;

/// Each outcome with its words, its colour and the block it has in a bar of several.
const OUTCOMES: [(Outcome, &str, Style, &str); 6] = [
    (Outcome::Consent, "consents as they stand", GOOD, "█"),
    (Outcome::OtherBasis, "on another basis", GOOD, "▓"),
    (Outcome::Requalify, "to be requalified", CARE, "▒"),
    (Outcome::Unaskable, "may not be asked", BAD, "░"),
    (Outcome::Lapsed, "lapsed", FAINT, "·"),
    (Outcome::Blocked, "blocked, left alone", FAINT, "·"),
];

/// Shows the report.
pub(super) fn show(census: &Census, site: &Site, (last, screen): (Option<&LastRun>, Screen)) -> Result<(), Failure> {
    head(census, site, (last, screen))?;
    if census.purposes.is_empty() {
        screen.data("\nno opt-ins are known for what was asked about")?;
    }
    if census.purposes.len() > 1 {
        overview(census, screen)?;
    }
    for ((purpose, channel), survey) in &census.purposes {
        section((purpose, *channel), survey, screen)?;
    }
    if !census.purposes.is_empty() {
        legend(screen)?;
    }
    advice(census, screen)
}

fn head(census: &Census, site: &Site, (last, screen): (Option<&LastRun>, Screen)) -> Result<(), Failure> {
    let deadline = match site.law.policy.deadline {
        Some(deadline) if deadline <= census.now => format!("the deadline was {}", day(deadline)),
        Some(deadline) => format!("unproven opt-ins lapse on {}", day(deadline)),
        None => "it names no deadline".to_owned(),
    };
    screen.data(format!(
        "{} by policy {}: {deadline}",
        paint(BOLD, format!("Opt-ins on {}", day(census.now))),
        site.policy.version
    ))?;
    if let Some(system) = &census.only().system {
        screen.data(format!("only those that {system} tells"))?;
    }
    match last {
        Some(last) => {
            let state = if last.state == "done" { String::new() } else { format!(" ({})", paint(CARE, last.state)) };
            screen.data(format!("with everything told until the run of {}{state}", moment(last.started_at)))
        }
        None => screen.data("no run yet: start with `unisson sync --dry-run`"),
    }
}

/// All purposes at a glance.
fn overview(census: &Census, screen: Screen) -> Result<(), Failure> {
    let mut rows = table(&["purpose / channel", "opt-ins", "consents", "requalify", "neither", ""]);
    for ((purpose, channel), survey) in &census.purposes {
        let mut row = vec![title(purpose, *channel), number(survey.people.opt_ins())];
        row.extend(three(&survey.people.outcomes));
        rows.add_row(row);
    }
    figures(&mut rows, &[1, 2, 3, 4]);
    let bars = census.purposes.values().map(|survey| &survey.people.outcomes);
    with_bars(&mut rows, bars, stacked);
    screen.data(format!("\n{rows}"))
}

fn section((purpose, channel): (&PurposeId, Channel), survey: &Survey, screen: Screen) -> Result<(), Failure> {
    let people = &survey.people;
    let words = format!("{}: {} opt-ins", title(purpose, channel), number(people.opt_ins()));
    screen.data(format!("\n{}", paint(BOLD.underline(), words)))?;
    outcomes(people, screen)?;
    systems(survey, screen)?;
    lacking(people, screen)?;
    lapsing(people, screen)
}

/// What may be done with them.
fn outcomes(people: &Figures, screen: Screen) -> Result<(), Failure> {
    let mut rows = table(&["what they are", "opt-ins", "share", "", "because"]);
    let all = people.opt_ins();
    let shown = |(outcome, ..): &(Outcome, &str, Style, &str)| {
        people.outcomes.get(*outcome) > 0 || !matches!(outcome, Outcome::OtherBasis | Outcome::Unaskable)
    };
    let shown: Vec<_> = OUTCOMES.into_iter().filter(shown).collect();
    // The reasons can be broken over lines, a bar cannot.
    let words = shown.iter().map(|(_, words, ..)| columns(words)).max().unwrap_or_default();
    let width = gauge::width(rows.width(), &[words, columns(&number(all)).max(7), 6, 0, REASONS_COLUMNS]);
    for (outcome, words, style, _) in shown {
        let count = people.outcomes.get(outcome);
        rows.add_row([
            words.to_owned(),
            number(count),
            gauge::percent(count, all),
            paint(style, gauge::bar(count, all, width)),
            beside(people, outcome),
        ]);
    }
    figures(&mut rows, &[1, 2]);
    screen.data(rows)
}

/// How many columns words take that are not painted.
fn columns(words: &str) -> u16 {
    u16::try_from(words.chars().count()).unwrap_or(u16::MAX)
}

/// What stands beside a figure: until when, or why.
fn beside(people: &Figures, outcome: Outcome) -> String {
    match outcome {
        Outcome::Consent => String::new(),
        Outcome::Requalify => last_chance(people).map_or(String::new(), |words| paint(CARE, words)),
        Outcome::OtherBasis | Outcome::Unaskable | Outcome::Lapsed | Outcome::Blocked => {
            let mut reasons: Vec<(&str, u64)> = people
                .because
                .iter()
                .filter(|((of, _), _)| *of == outcome)
                .map(|((_, why), count)| (why.trim_start_matches("ok_"), *count))
                .collect();
            reasons.sort_by_key(|(why, count)| (std::cmp::Reverse(*count), *why));
            let more = reasons.len().saturating_sub(REASONS_SHOWN);
            let told =
                reasons.iter().take(REASONS_SHOWN).map(|(why, count)| format!("{} {}", spoken(why), number(*count)));
            let mut told: Vec<String> = told.collect();
            if more > 0 {
                told.push(format!("{more} more"));
            }
            told.join(", ")
        }
    }
}

/// A reason as people say it.
fn spoken(why: &str) -> String {
    why.replace('_', " ")
}

/// When most of those who may be asked cannot be asked any more.
fn last_chance(people: &Figures) -> Option<String> {
    let asked = people.outcomes.get(Outcome::Requalify);
    let (day, on_it) = people.lapses.next.map(|(day, by)| (day, by.get(Outcome::Requalify)))?;
    if on_it == asked && asked > 0 {
        return Some(format!("all lapse on {day}"));
    }
    let months = people.lapses.months.iter().map(|(month, by)| (month, by.get(Outcome::Requalify)));
    let (month, most) = months.rev().max_by_key(|(_, count)| *count).filter(|(_, count)| *count > 0)?;
    let how_many = if most == asked { "all".to_owned() } else { number(most) };
    Some(format!("{how_many} lapse in {}", month_name(*month)))
}

/// What each system tells.
fn systems(survey: &Survey, screen: Screen) -> Result<(), Failure> {
    let mut rows = table(&["told by", "opt-ins", "L1", "L2", "L3", "L4", "L5", "consents", "requalify", "neither", ""]);
    let mut elsewhere = Vec::new();
    for (system, told) in &survey.systems {
        let mut row = vec![system.to_string(), number(told.opt_ins())];
        row.extend(told.levels.iter().skip(1).map(|count| faint_zero(*count)));
        row.extend(three(&told.outcomes));
        rows.add_row(row);
        if told.proven_elsewhere > 0 {
            elsewhere.push(format!("{system} {}", number(told.proven_elsewhere)));
        }
    }
    figures(&mut rows, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    with_bars(&mut rows, survey.systems.values().map(|told| &told.outcomes), stacked);
    screen.data(format!("\n{rows}"))?;
    if elsewhere.is_empty() {
        return Ok(());
    }
    screen.data(paint(FAINT, format!(" consents that only another system proves: {}", elsewhere.join(", "))))
}

/// What keeps them from being consents.
fn lacking(people: &Figures, screen: Screen) -> Result<(), Failure> {
    let missing = missing(people);
    if missing.is_empty() {
        return Ok(());
    }
    let open = people.opt_ins() - people.outcomes.get(Outcome::Consent) - people.outcomes.get(Outcome::Blocked);
    let mut rows = table(&[&format!("what the {} others lack", number(open)), "opt-ins", "share", ""]);
    for (lack, count) in &missing {
        rows.add_row([lack.words().to_owned(), number(*count), gauge::percent(*count, open)]);
    }
    figures(&mut rows, &[1, 2]);
    with_bars(&mut rows, missing, |(_, count), width| paint(CARE, gauge::bar(count, open, width)));
    screen.data(format!("\n{rows}"))
}

/// When time alone ends what is allowed today.
fn lapsing(people: &Figures, screen: Screen) -> Result<(), Failure> {
    let lapses = &people.lapses;
    let Some((next, by)) = lapses.next else { return Ok(()) };
    let mut rows = table(&["if nobody does anything", "what ends", ""]);
    rows.add_row([format!("next, on {next}"), ending(&by)]);
    let (mut shown, mut later) = (Vec::new(), lapses.later);
    for (month, by) in &lapses.months {
        if shown.len() < MONTHS_SHOWN {
            rows.add_row([format!("in {}", month_name(*month)), ending(by)]);
            shown.push(*by);
        } else {
            later.add(by);
        }
    }
    if later.sum() > 0 {
        rows.add_row(["later".to_owned(), ending(&later)]);
    }
    if lapses.never.sum() > 0 {
        rows.add_row(["never by time alone".to_owned(), ending(&lapses.never)]);
    }
    let most = shown.iter().map(ByOutcome::sum).max().unwrap_or_default();
    // The first row names a day of the first month: its bar is there.
    let bars = std::iter::once(ByOutcome::default()).chain(shown);
    with_bars(&mut rows, bars, |by, width| stacked(&by, scaled(by.sum(), most, width)));
    screen.data(format!("\n{rows}"))
}

/// What ends, in words.
fn ending(by: &ByOutcome) -> String {
    let consents = if by.get(Outcome::Consent) == 1 { "consent" } else { "consents" };
    let words = [
        (Outcome::Consent, consents),
        (Outcome::OtherBasis, "on another basis"),
        (Outcome::Requalify, "to be requalified"),
        (Outcome::Unaskable, "unproven"),
    ];
    let told = words.into_iter().filter(|(outcome, _)| by.get(*outcome) > 0);
    told.map(|(outcome, words)| format!("{} {words}", number(by.get(outcome)))).collect::<Vec<_>>().join(", ")
}

fn legend(screen: Screen) -> Result<(), Failure> {
    let blocks = "█ consents  ▓ on another basis  ▒ to be requalified  ░ may not be asked  · lapsed or blocked";
    screen.data(format!("\n{}", paint(FAINT, blocks)))?;
    screen.data(paint(
        FAINT,
        "L1 somebody says so, L2 when and where is known, L3 demonstrable with the text that was shown, L4 confirmed from the \
         address, L5 signed",
    ))
}

/// What to do about it.
fn advice(census: &Census, screen: Screen) -> Result<(), Failure> {
    let waiting = |why: Unaskable| -> u64 {
        let of = |survey: &Survey| survey.people.because.get(&(Outcome::Unaskable, why.as_str())).copied();
        census.purposes.values().filter_map(of).sum()
    };
    let mut words = Vec::new();
    if waiting(Unaskable::NoDeadline) > 0 {
        words.push(format!(
            "{} unproven opt-ins may not be asked, because the policy names no deadline: set it under [campaign]",
            number(waiting(Unaskable::NoDeadline))
        ));
    }
    if waiting(Unaskable::NotLawful) > 0 {
        words.push(format!(
            "{} unproven opt-ins may not be asked, because by this policy an invitation is itself marketing: ask where the \
             person comes to you, such as at the next order or log-in",
            number(waiting(Unaskable::NotLawful))
        ));
    }
    for (system, idle) in &census.idle {
        if idle.no_purpose > 0 {
            words.push(format!(
                "{} opt-ins of {system} count for nothing, because their lists serve no purpose: map them under \
                 [instances.{system}.lists]",
                number(idle.no_purpose)
            ));
        }
        if idle.no_address > 0 {
            words.push(format!(
                "{} opt-ins of {system} count for nothing, because they came without an address for their channel",
                number(idle.no_address)
            ));
        }
    }
    if words.is_empty() { Ok(()) } else { screen.data(format!("\n{}", words.join("\n"))) }
}

/// Consents, those to be requalified, and those that nobody may write to or ask.
fn three(by: &ByOutcome) -> [String; 3] {
    let neither = by.get(Outcome::Unaskable) + by.get(Outcome::Lapsed) + by.get(Outcome::Blocked);
    [by.get(Outcome::Consent), by.get(Outcome::Requalify), neither].map(number)
}

fn title(purpose: &PurposeId, channel: Channel) -> String {
    format!("{purpose} / {}", channel.as_str())
}

fn faint_zero(count: u64) -> String {
    if count == 0 { paint(FAINT, "·") } else { number(count) }
}

/// Fills the last column with bars, one for each row from the first, as wide as there is room.
fn with_bars<T>(rows: &mut Table, shares: impl IntoIterator<Item = T>, draw: impl Fn(T, usize) -> String) {
    let width = gauge::room(rows);
    if width > 0 {
        rows.row_iter_mut().zip(shares).for_each(|(row, share)| {
            row.add_cell(draw(share, width).into());
        });
    }
}

/// A bar of all outcomes.
fn stacked(by: &ByOutcome, width: usize) -> String {
    let counts = OUTCOMES.map(|(outcome, ..)| by.get(outcome));
    let blocks = gauge::split(&counts, width).into_iter().zip(OUTCOMES);
    blocks
        .map(
            |(columns, (_, _, style, block))| {
                if columns == 0 { String::new() } else { paint(style, block.repeat(columns)) }
            },
        )
        .collect()
}

/// How long a bar of so many is where the most fill the width.
fn scaled(count: u64, most: u64, width: usize) -> usize {
    let columns = (u128::from(count) * width as u128).div_ceil(u128::from(most.max(1)));
    usize::try_from(columns).unwrap_or(width).min(width)
}
