//! `doctor`: what is wrong here, before it does harm: the store, the clock, the settings, who can read what.
//!
//! It opens the store for reading only, so it can run beside a sync, and it mends nothing: each finding says what is wrong,
//! why that matters and what to do.

mod clock;
mod drift;
mod permission;
mod reach;
mod secret;
mod store;

use serde::Serialize;
use unisson_store::{RunRecord, Store, StoreError};
use unisson_store_sqlite::{Access, SqliteStore};

use crate::cli::Doctor;
use crate::command::Desk;
use crate::compose::Site;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::{BAD, BOLD, CARE, GOOD, Screen, paint};

/// How many runs are looked at for what the last one was made under.
const RUNS_LOOKED_AT: usize = 20;

/// How bad a finding is. Both end the program with code 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Severity {
    /// Something is wrong.
    Problem,
    /// Somebody should look.
    Care,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    area: &'static str,
    severity: Severity,
    what: String,
    why: String,
    next: String,
}

/// What was looked at, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Examined {
    area: &'static str,
    words: String,
}

/// Everything that was looked at and found.
#[derive(Debug, Default, Serialize)]
struct Chart {
    examined: Vec<Examined>,
    findings: Vec<Finding>,
}

impl Finding {
    fn problem(area: &'static str, what: impl Into<String>) -> Self {
        Self::new(area, Severity::Problem, what.into())
    }

    fn care(area: &'static str, what: impl Into<String>) -> Self {
        Self::new(area, Severity::Care, what.into())
    }

    fn new(area: &'static str, severity: Severity, what: String) -> Self {
        Self { area, severity, what, why: String::new(), next: String::new() }
    }

    fn because(self, why: impl Into<String>) -> Self {
        Self { why: why.into(), ..self }
    }

    fn next(self, next: impl Into<String>) -> Self {
        Self { next: next.into(), ..self }
    }
}

impl Chart {
    fn examined(&mut self, area: &'static str, words: impl Into<String>) {
        self.examined.push(Examined { area, words: words.into() });
    }

    fn add(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
    }
}

pub(crate) async fn run(args: &Doctor, desk: Desk<'_>) -> Outcome {
    let site = Site::load(desk.config)?;
    let mut chart = Chart::default();
    if desk.screen.progress {
        desk.screen.say("reading everything that is stored; this takes a while where there is much");
    }
    match SqliteStore::open(site.store_path(), Access::ReadOnly) {
        Ok(store) => {
            if let Err(error) = Box::pin(remembered(&store, &site, &mut chart)).await {
                store::unreadable(&error, &mut chart);
            }
        }
        Err(error) => store::unopened(&error, &mut chart),
    }
    permission::look(&site, desk.config, &mut chart);
    secret::look(&site, &mut chart);
    if args.online {
        Box::pin(reach::look(&site, &mut chart)).await;
    } else {
        chart.examined("platforms", "not asked: `unisson doctor --online` asks them");
    }
    if desk.screen.json {
        desk.screen.object(&chart)?;
    } else {
        show(&chart, desk.screen)?;
    }
    Ok(if chart.findings.is_empty() { Ending::Done } else { Ending::Partly })
}

/// Looks at everything that only the store can tell.
async fn remembered(store: &SqliteStore, site: &Site, chart: &mut Chart) -> Result<(), StoreError> {
    store::look(store, site, chart).await;
    let runs = store.runs(RUNS_LOOKED_AT).await?;
    clock::look(store, (runs.first(), site.settings.sync.sweep_every), chart).await?;
    drift::look(store, (&runs, site), chart).await
}

fn show(chart: &Chart, screen: Screen) -> Result<(), Failure> {
    let width = chart.examined.iter().map(|examined| examined.area.len()).max().unwrap_or_default();
    for Examined { area, words } in &chart.examined {
        let worst = chart.findings.iter().filter(|finding| finding.area == *area).map(|finding| finding.severity);
        let style = match worst.min_by_key(|severity| *severity as u8) {
            Some(Severity::Problem) => BAD,
            Some(Severity::Care) => CARE,
            None => GOOD,
        };
        screen.data(format!("{}  {words}", paint(style, format!("{area:width$}"))))?;
    }
    for (place, finding) in chart.findings.iter().enumerate() {
        let style = if finding.severity == Severity::Problem { BAD } else { CARE };
        screen.data(format!("\n{}. {}: {}", place + 1, finding.area, paint(style, &finding.what)))?;
        screen.data(format!("   why   {}", finding.why))?;
        screen.data(format!("   next  {}", paint(BOLD, &finding.next)))?;
    }
    match chart.findings.len() {
        0 => screen.data(format!("\n{}", paint(GOOD, "nothing is wrong as far as can be seen from here"))),
        1 => screen.data("\n1 finding"),
        more => screen.data(format!("\n{more} findings")),
    }
}

/// The run, or the moment it ended where it has.
fn last_sign_of(run: &RunRecord) -> jiff::Timestamp {
    run.ended_at.unwrap_or(run.started_at)
}

/// An error's words, cut where they begin to say what to do: that stands on a line of its own.
fn split(words: &str) -> (String, Option<String>) {
    match words.split_once("; ") {
        Some((what, next)) => (what.to_owned(), Some(next.to_owned())),
        None => (words.to_owned(), None),
    }
}

/// A path as a shell takes it.
fn quoted(path: &std::path::Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_path_can_be_pasted_into_a_shell() {
        for (path, pasted) in [
            ("/srv/unisson/unisson.toml", "/srv/unisson/unisson.toml"),
            ("my file", "'my file'"),
            ("it's; rm -r x", r"'it'\''s; rm -r x'"),
            ("$(x)", "'$(x)'"),
        ] {
            assert_eq!(quoted(Path::new(path)), pasted);
        }
    }
}
