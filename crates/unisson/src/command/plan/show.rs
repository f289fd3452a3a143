//! A plan for people: platform by platform, what would change, by whose word, and what it takes.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unisson_engine::{InstanceOutlook, InstanceReport, Outlook, OutlookGroup, OutlookSample, OutlookSource};

use super::words::{self, counted};
use crate::command::sync;
use crate::exit::Failure;
use crate::gauge;
use crate::screen::{BAD, BOLD, CARE, FAINT, GOOD, Screen, number, paint};

/// How many kinds of source are shown for one group; `--json` tells all of them.
const SOURCES_SHOWN: usize = 3;
/// How wide the bar of a group is.
const BAR: usize = 24;
/// How wide the name of a source may be before what stands beside it moves on.
const SOURCE_WIDTH_MAX: usize = 48;

/// Shows a plan.
pub(super) fn show(outlook: &Outlook, screen: Screen) -> Result<(), Failure> {
    let what = match outlook.changes {
        0 => paint(GOOD, "nothing to change"),
        some => paint(BOLD, counted(some, "change")),
    };
    screen.data(format!("plan {}: {what}, nothing was written to any platform", paint(BOLD, &outlook.plan)))?;
    for (name, part) in &outlook.instances {
        show_instance(name, part, screen)?;
        if let Some(report) = outlook.run.instances.get(name) {
            show_lacks(name, report, screen)?;
        }
    }
    let is_left_out = |name: &String| !outlook.instances.contains_key(name);
    let left_out: Vec<&str> =
        outlook.run.instances.keys().filter(|name| is_left_out(name)).map(String::as_str).collect();
    if left_out.is_empty() {
        return Ok(());
    }
    let words = "not in this plan: what is shown there is as old as the last run that read it";
    screen.data(format!("\n{}  {}", paint(BOLD, left_out.join(", ")), paint(CARE, words)))?;
    for (name, report) in outlook.run.instances.iter().filter(|(name, _)| is_left_out(name)) {
        sync::show_lacks(name, report, screen)?;
    }
    Ok(())
}

fn show_instance(name: &str, part: &InstanceOutlook, screen: Screen) -> Result<(), Failure> {
    let changes = match (part.changes, part.enforce.as_str()) {
        (0, "observe") => "only observed, nothing is written there".to_owned(),
        (0, _) => "nothing to change".to_owned(),
        (some, _) => counted(some, "change"),
    };
    let about = format!("{}, enforce {}", part.platform, part.enforce);
    screen.data(format!("\n{}  {}  {changes}", paint(BOLD.underline(), name), paint(FAINT, about)))?;
    if part.changes == 0 {
        return Ok(());
    }
    let layout = Layout::of(part);
    for group in &part.groups {
        show_group(group, &layout, screen)?;
    }
    screen.data(format!("  {}  {}", paint(BOLD, "takes"), words::effort(&part.effort)))?;
    if let Some(said) = words::guard(&part.guard) {
        let style = if part.guard.holds { CARE } else { GOOD };
        screen.data(format!("  {}  {}", paint(BOLD, "guard"), paint(style, said)))?;
    }
    Ok(())
}

/// How wide the columns of one instance are.
struct Layout {
    changes: u64,
    title: usize,
    source: usize,
    figure: usize,
}

impl Layout {
    fn of(part: &InstanceOutlook) -> Self {
        let widest = |widths: &mut dyn Iterator<Item = usize>| widths.max().unwrap_or(0);
        let sources = || part.groups.iter().flat_map(|group| group.sources.iter().take(SOURCES_SHOWN));
        Self {
            changes: part.changes,
            title: widest(&mut part.groups.iter().map(|group| columns(&title(group)))),
            source: widest(&mut sources().map(|source| columns(&named(source)))).min(SOURCE_WIDTH_MAX),
            figure: columns(&number(part.changes)),
        }
    }
}

fn show_group(group: &OutlookGroup, layout: &Layout, screen: Screen) -> Result<(), Failure> {
    let title = padded(&title(group), layout.title);
    let figure = aligned(&number(group.changes), layout.figure);
    let bar = gauge::bar(group.changes, layout.changes, BAR);
    screen.data(format!("  {}  {}  {}", paint(BOLD, title), paint(BOLD, figure), paint(FAINT, bar)))?;
    let mut lead = "rests on";
    for source in group.sources.iter().take(SOURCES_SHOWN) {
        let figure = aligned(&number(source.changes), layout.figure);
        let name = padded(&named(source), layout.source);
        screen.data(format!("    {}  {name}  {figure}  {}", paint(FAINT, padded(lead, 8)), times(source)))?;
        lead = "";
    }
    let more = group.sources.len().saturating_sub(SOURCES_SHOWN);
    if more > 0 {
        screen.data(format!("    {}  and {}", padded("", 8), counted(more as u64, "more kind")))?;
    }
    for said in particular(group) {
        screen.data(format!("    {}  {said}", padded("", 8)))?;
    }
    let mut lead = "such as";
    for sample in &group.samples {
        show_sample(lead, sample, screen)?;
        lead = "";
    }
    screen.data("")
}

fn title(group: &OutlookGroup) -> String {
    format!("{}, {}", group.action, group.reason)
}

/// A source with the level of its evidence.
fn named(source: &OutlookSource) -> String {
    let who = source.system.as_ref().map_or_else(String::new, |system| format!("{system}: "));
    let level = source.level.map_or_else(String::new, |level| format!(", evidence L{level}"));
    format!("{who}{}{level}", source.what)
}

/// When such facts happened, by months.
fn times(source: &OutlookSource) -> String {
    let month = |at: Timestamp| TimeZone::UTC.to_datetime(at).strftime("%Y-%m").to_string();
    match (source.first.map(month), source.last.map(month)) {
        (Some(first), Some(last)) if first != last => format!("{first} … {last}"),
        (Some(month), _) | (None, Some(month)) => month,
        (None, None) => String::new(),
    }
}

/// What is particular about a group.
fn particular(group: &OutlookGroup) -> Vec<String> {
    let mut said = Vec::new();
    if group.by_person > 0 {
        let who = if group.by_person == group.changes { "all" } else { &number(group.by_person) };
        said.push(format!("{who} by the people's own word, which the guard never holds"));
    }
    for (state, words) in [("held", "held by the guard since an earlier run"), ("later", "put off by an earlier run")] {
        said.extend(group.states.get(state).map(|changes| format!("{} {words}", number(*changes))));
    }
    if group.outdated > 0 {
        let words = "about to be taken back: time alone has moved the decision";
        said.push(paint(CARE, format!("{} {words}", number(group.outdated))));
    }
    said
}

fn show_sample(lead: &str, sample: &OutlookSample, screen: Screen) -> Result<(), Failure> {
    let OutlookSample { address, slot, shows, sentence, .. } = sample;
    let place = paint(FAINT, format!("{slot}, shows {shows}"));
    screen.data(format!("    {}  {address}  {place}", paint(FAINT, padded(lead, 8))))?;
    screen.data(format!("    {}    {sentence}", padded("", 8)))
}

/// What was not reached, and what may be old.
fn show_lacks(name: &str, report: &InstanceReport, screen: Screen) -> Result<(), Failure> {
    if !report.complete {
        let words = "not read to its end: what it shows may be old, and nobody is brought back anywhere";
        screen.data(format!("  {name}: {}", paint(BAD, words)))?;
    }
    sync::show_lacks(name, report, screen)
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

/// Text with blanks after it.
fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// Text with blanks before it.
fn aligned(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(columns(text))))
}
