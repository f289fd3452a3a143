//! Drift of the configuration: what the next run is made under, against what the last one was made under and what is stored.

use std::collections::{BTreeMap, BTreeSet};

use unisson_engine::RunReport;
use unisson_store::{RunRecord, Store, StoreError};
use unisson_store_sqlite::SqliteStore;

use super::{Chart, Finding};
use crate::compose::Site;
use crate::screen::number;
use crate::setup;

const AREA: &str = "settings";

pub(super) async fn look(
    store: &SqliteStore,
    (runs, site): (&[RunRecord], &Site),
    chart: &mut Chart,
) -> Result<(), StoreError> {
    let last = runs.iter().find_map(under);
    let now = setup::parts(&site.settings, &site.policy);
    let words = match &last {
        Some((run, before)) => {
            let changes = setup::changes(before, &now);
            let words = match changes.len() {
                0 => format!("as in run {run}"),
                more => format!("{more} parts changed since run {run}"),
            };
            chart.add(changes.iter().map(|change| changed(run, change)));
            words
        }
        None => "no run says what it was made under: nothing to compare with".to_owned(),
    };
    let systems: BTreeMap<String, u64> =
        store.systems().await?.into_iter().map(|(name, records)| (name.as_str().to_owned(), records)).collect();
    let enabled = site.settings.instances.iter().filter(|(_, instance)| instance.enabled);
    let enabled: BTreeSet<&str> = enabled.map(|(name, _)| name.as_str()).collect();
    let known: BTreeSet<&str> = site.settings.instances.keys().map(String::as_str).collect();
    chart.add(strangers(&systems, &known));
    // Before the first run, no instance has records.
    chart.add(if runs.is_empty() { Vec::new() } else { silent(&systems, &enabled) });
    chart.examined(AREA, format!("policy {} ({}), {words}", site.policy.version, site.policy.profile.as_str()));
    Ok(())
}

/// A run that says what it was made under.
fn under(run: &RunRecord) -> Option<(String, BTreeMap<String, String>)> {
    let report: RunReport = serde_json::from_str(&run.report).ok()?;
    (!report.setup.is_empty()).then_some((report.run, report.setup))
}

fn changed(run: &str, change: &str) -> Finding {
    Finding::care(AREA, format!("{change} (since run {run})"))
        .because("the next run decides or writes by other rules than the last one did")
        .next("if nobody meant it, take it back; otherwise `unisson sync --dry-run` shows what it changes")
}

/// Systems that have records here and are no instance of the settings.
fn strangers(systems: &BTreeMap<String, u64>, known: &BTreeSet<&str>) -> Vec<Finding> {
    let gone = systems.iter().filter(|(name, records)| **records > 0 && !known.contains(name.as_str()));
    gone.map(|(name, records)| {
        Finding::care(AREA, format!("the store holds {} records of `{name}`, which is no instance of the settings", number(*records)))
            .because("what it told still counts, but refusals no longer reach it, and what happens there is not seen")
            .next(format!("if it was renamed, give it its old name back; otherwise configure [instances.{name}] again, or make sure nothing is sent from it"))
    })
    .collect()
}

/// Instances that take part and have no present record.
fn silent(systems: &BTreeMap<String, u64>, enabled: &BTreeSet<&str>) -> Vec<Finding> {
    let silent = enabled.iter().filter(|name| systems.get(**name).is_none_or(|records| *records == 0));
    silent
        .map(|name| {
            Finding::care(AREA, format!("instance `{name}` has no records in the store"))
                .because("either it was never read, or it shows nobody: then nothing it should be told can reach anyone there")
                .next(format!("unisson check --instance {name}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_without_records_and_records_without_instance_are_told() {
        let systems = BTreeMap::from([
            ("news".to_owned(), 7),
            ("old".to_owned(), 3),
            ("named".to_owned(), 0),
            ("crm".to_owned(), 0),
        ]);
        let known = BTreeSet::from(["news", "crm", "shop"]);
        let told = |found: Vec<Finding>| -> Vec<String> { found.into_iter().map(|finding| finding.what).collect() };
        let gone = told(strangers(&systems, &known));
        assert!(gone.len() == 1 && gone[0].contains("3 records of `old`"), "{gone:?}");
        let silent = told(silent(&systems, &known));
        assert!(silent.len() == 2 && silent[0].contains("`crm`") && silent[1].contains("`shop`"), "{silent:?}");
    }
}
