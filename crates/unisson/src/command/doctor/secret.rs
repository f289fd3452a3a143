//! Secrets: is each of them where the settings say it is. Values are looked at by nobody.

use std::path::PathBuf;

use serde_json::Value;
use unisson_sdk::SecretRef;
use unisson_settings::{KeyRef, SecretSource};

use super::{Chart, Finding, split};
use crate::compose::Site;

const AREA: &str = "secrets";

/// How deep references can lie in the settings of an instance.
const DEPTH_MAX: usize = 8;

/// Tries every reference of the instances that take part.
pub(super) fn look(site: &Site, chart: &mut Chart) {
    let source = SecretSource::of_process(&site.settings.folder);
    let (mut tried, mut missed) = (0, 0);
    for (name, instance) in site.settings.instances.iter().filter(|(_, instance)| instance.enabled) {
        for reference in references(&instance.rest) {
            tried += 1;
            let finding = missing(name, &reference, &source);
            missed += usize::from(finding.is_some());
            chart.add(finding);
        }
    }
    chart.examined(AREA, format!("{} of {tried} are where the settings say", tried - missed));
}

/// The files that secrets of any instance are in, and the keys that erasing takes.
pub(super) fn files(site: &Site) -> Vec<PathBuf> {
    let references = site.settings.instances.values().flat_map(|instance| references(&instance.rest));
    let files = references.filter_map(|reference| match reference {
        SecretRef::File(path) => Some(site.settings.folder.join(path)),
        SecretRef::Env(_) => None,
    });
    let erasure = &site.settings.erasure;
    let keys = erasure.tombstone_keys.iter().map(|named| &named.key).chain(&erasure.signing_key);
    let keys = keys.filter_map(|key| match key {
        KeyRef::File(path) => Some(site.settings.folder.join(path)),
        KeyRef::Env(_) => None,
    });
    let mut files: Vec<PathBuf> = files.chain(keys).collect();
    files.sort();
    files.dedup();
    files
}

fn missing(instance: &str, reference: &SecretRef, source: &SecretSource) -> Option<Finding> {
    let tried = match reference {
        SecretRef::Env(name) => source.resolve_env(name).map(|_| ()),
        SecretRef::File(path) => source.resolve_file(path).map(|_| ()),
    };
    let error = tried.err()?.to_string();
    let (what, next) = split(error.trim_start_matches("read a secret: "));
    let what = format!("a secret of instance `{instance}` is not to be had: {what}");
    let why = "without it the instance can be neither read nor told, and no run starts";
    Some(Finding::problem(AREA, what).because(why).next(next.unwrap_or_else(|| "put the secret there".to_owned())))
}

/// Everything in a connector's settings that has the shape of a reference.
fn references(settings: &serde_json::Map<String, Value>) -> Vec<SecretRef> {
    let mut found = Vec::new();
    settings.values().for_each(|value| collect(value, DEPTH_MAX, &mut found));
    found
}

fn collect(value: &Value, depth: usize, found: &mut Vec<SecretRef>) {
    if depth == 0 {
        return;
    }
    match value {
        Value::Object(table) => match serde_json::from_value::<SecretRef>(value.clone()) {
            Ok(reference) => found.push(reference),
            Err(_) => table.values().for_each(|value| collect(value, depth - 1, found)),
        },
        Value::Array(values) => values.iter().for_each(|value| collect(value, depth - 1, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_found_wherever_they_stand_and_nothing_else_is_taken_for_one() {
        let settings = json!({
            "api_key": { "env": "NEWS_KEY" },
            "oauth": { "client": "x", "secret": { "file": "client.secret" } },
            "several": [{ "file": "a" }, { "file": "b", "mode": 1 }],
            "columns": { "email": "env" },
            "file": "plain.csv",
        });
        let Value::Object(settings) = settings else { panic!("a table") };
        let found = references(&settings);
        let expected =
            [SecretRef::Env("NEWS_KEY".into()), SecretRef::File("client.secret".into()), SecretRef::File("a".into())];
        assert_eq!(found.len(), expected.len());
        assert!(expected.iter().all(|reference| found.contains(reference)), "{found:?}");
    }

    #[test]
    fn a_secret_that_is_not_there_is_told_without_its_value() {
        let source = SecretSource::new(".", |name| (name == "SET").then(|| "canary".into()));
        assert_eq!(missing("news", &SecretRef::Env("SET".into()), &source), None);
        let finding = missing("news", &SecretRef::Env("UNSET".into()), &source).unwrap();
        assert!(finding.what.contains("UNSET is not set") && finding.next.starts_with("set it"), "{finding:?}");
        let pasted = missing("news", &SecretRef::Env("canary-1".into()), &source).unwrap();
        assert!(!format!("{pasted:?}").contains("canary"), "{pasted:?}");
    }
}
