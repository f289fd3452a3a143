//! Progress bars on long work, one line per instance.

use std::collections::BTreeMap;
use std::sync::Mutex;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use unisson_consent::SystemId;
use unisson_engine::Progress;

/// A display on standard error that disappears when the work is done.
#[derive(Debug)]
pub(crate) struct Bars {
    all: MultiProgress,
    pulled: Mutex<BTreeMap<SystemId, ProgressBar>>,
    judged: ProgressBar,
    delivered: Mutex<BTreeMap<SystemId, ProgressBar>>,
}

impl Bars {
    pub(crate) fn new() -> Self {
        let all = MultiProgress::new();
        let judged = bar("judged", "people");
        Self { all, pulled: Mutex::default(), judged, delivered: Mutex::default() }
    }

    fn of(
        &self,
        bars: &Mutex<BTreeMap<SystemId, ProgressBar>>,
        instance: &SystemId,
        what: (&str, &str),
    ) -> ProgressBar {
        let Ok(mut bars) = bars.lock() else { return ProgressBar::hidden() };
        bars.entry(instance.clone())
            .or_insert_with(|| self.all.add(bar(&format!("{} {instance}", what.0), what.1)))
            .clone()
    }
}

/// A bar over so many people.
pub(crate) fn people(prefix: &str, count: u64) -> ProgressBar {
    let bar = bar(prefix, "people");
    bar.set_length(count);
    bar
}

fn bar(prefix: &str, unit: &str) -> ProgressBar {
    let template = format!("{{spinner}} {{prefix:24}} {{human_pos:>10}} {unit}  {{per_sec}}");
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::no_length().with_style(style).with_prefix(prefix.to_owned())
}

impl Progress for Bars {
    fn pulled(&self, instance: &SystemId, contacts: u64) {
        self.of(&self.pulled, instance, ("read", "contacts")).inc(contacts);
    }

    fn judged(&self, subjects: u64) {
        if self.judged.position() == 0 {
            self.all.add(self.judged.clone());
        }
        self.judged.inc(subjects);
    }

    fn delivered(&self, instance: &SystemId, changes: u64) {
        self.of(&self.delivered, instance, ("wrote", "changes")).inc(changes);
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        let _ = self.all.clear();
    }
}
