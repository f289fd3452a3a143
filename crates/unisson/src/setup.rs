//! What a run is made under, part by part, so that it can be told later what has changed since.
//!
//! Short words that say nothing personal stand in clear, everything else as a digest. No secret is in it: settings hold
//! references to secrets, never their values.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use unisson_settings::{Instance, LoadedPolicy, Settings};

use crate::screen::hex;

/// How many bytes of a digest are kept: enough to tell a change, too few to be worth reversing.
const DIGEST_BYTES: usize = 6;

/// What a digest begins with.
const DIGEST: &str = "sha256:";

/// The parts of the settings and of the policy, by their names.
pub(crate) fn parts(settings: &Settings, policy: &LoadedPolicy) -> BTreeMap<String, String> {
    let mut parts = BTreeMap::from(
        [
            ("program", env!("CARGO_PKG_VERSION").to_owned()),
            ("guard.count", settings.guard.count.to_string()),
            ("guard.share", settings.guard.share.to_string()),
            ("sync.commit_size", settings.sync.commit_size.to_string()),
            ("sync.sweep_every", settings.sync.sweep_every.to_string()),
            ("sync.lease", settings.sync.lease.to_string()),
            ("policy.version", policy.version.clone()),
            ("policy.profile", policy.profile.as_str().to_owned()),
            ("policy.hash", policy.hash.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    if let Ok(Value::Object(effective)) = serde_json::from_str::<Value>(&policy.effective) {
        for (key, value) in effective {
            parts.entry(format!("policy.{key}")).or_insert_with(|| digest(&value.to_string()));
        }
    }
    for (name, instance) in &settings.instances {
        parts.extend(instance_parts(instance).map(|(key, value)| (format!("instances.{name}.{key}"), value)));
    }
    parts
}

fn instance_parts(instance: &Instance) -> impl Iterator<Item = (String, String)> {
    let common = [
        ("connector", instance.connector.clone()),
        ("enabled", instance.enabled.to_string()),
        ("enforce", instance.enforce.as_str().to_owned()),
        ("lists", digest(&format!("{:?}", instance.lists))),
        ("trust", digest(&format!("{:?}", instance.trust))),
    ];
    let own = instance.rest.iter().map(|(key, value)| (key.clone(), digest(&value.to_string())));
    common.into_iter().map(|(key, value)| (key.to_owned(), value)).chain(own)
}

fn digest(text: &str) -> String {
    format!("{DIGEST}{}", hex(&Sha256::digest(text)[..DIGEST_BYTES]))
}

/// What changed from one setup to another, each in words.
pub(crate) fn changes(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let came = instances_only_in(now, before).into_iter().map(|instance| format!("instance `{instance}` is new"));
    let went = instances_only_in(before, now).into_iter();
    let went = went.map(|instance| format!("instance `{instance}` is no longer configured"));
    let mut found: Vec<String> = came.chain(went).collect();
    let both = |name: &str| instance_of(name).is_none_or(|own| is_configured(before, own) && is_configured(now, own));
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    for name in names.into_iter().filter(|name| both(name)) {
        found.extend(change(name, before.get(name), now.get(name)));
    }
    // The hash of the whole policy is evidence for the report; where a part changed, it says nothing more.
    if found.iter().any(|change| change.starts_with("`policy.") && !change.starts_with("`policy.hash`")) {
        found.retain(|change| !change.starts_with("`policy.hash`"));
    }
    found
}

fn change(name: &str, before: Option<&String>, now: Option<&String>) -> Option<String> {
    match (before, now) {
        (Some(before), Some(now)) if before == now => None,
        (Some(before), Some(now)) if before.starts_with(DIGEST) || now.starts_with(DIGEST) => {
            Some(format!("`{name}` is another"))
        }
        (Some(before), Some(now)) => Some(format!("`{name}` was {before} and is {now}")),
        (Some(_), None) => Some(format!("`{name}` is no longer set")),
        (None, Some(_)) => Some(format!("`{name}` is set")),
        (None, None) => None,
    }
}

/// The instance that a part belongs to.
fn instance_of(part: &str) -> Option<&str> {
    part.strip_prefix("instances.")?.split_once('.').map(|(instance, _)| instance)
}

fn is_configured(parts: &BTreeMap<String, String>, instance: &str) -> bool {
    parts.contains_key(&format!("instances.{instance}.connector"))
}

fn instances_only_in(these: &BTreeMap<String, String>, others: &BTreeMap<String, String>) -> Vec<String> {
    let connectors = these.keys().filter(|part| part.ends_with(".connector"));
    let names = connectors.filter_map(|part| instance_of(part));
    names.filter(|instance| !is_configured(others, instance)).map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &str = "[guard]\ncount = 100\n[instances.news]\nconnector = \"mailchimp\"\napi_key = { env = \"K\" }\n\
         [instances.news.lists]\n\"a\" = { purpose = \"newsletter\", channel = \"email\" }\n";

    fn under(settings: &str, policy: &str) -> BTreeMap<String, String> {
        let settings = Settings::parse(settings, [].into_iter(), ".").unwrap();
        parts(&settings, &unisson_settings::parse_policy(policy).unwrap())
    }

    fn changed(settings: &str) -> Vec<String> {
        let policy = unisson_settings::DEFAULT_POLICY;
        changes(&under(SETTINGS, policy), &under(settings, policy))
    }

    #[test]
    fn the_same_settings_in_other_words_are_no_change() {
        assert_eq!(changed(SETTINGS), Vec::<String>::new());
        assert_eq!(changed(&SETTINGS.replace("count = 100", "# a note\ncount    = 100")), Vec::<String>::new());
    }

    #[test]
    fn every_changed_part_is_named_and_plain_words_are_shown() {
        let cases = [
            (("count = 100", "count = 50"), "`guard.count` was 100 and is 50"),
            (("purpose = \"newsletter\"", "purpose = \"promotions\""), "`instances.news.lists` is another"),
            (("\"K\"", "\"L\""), "`instances.news.api_key` is another"),
            (("api_key = ", "enabled = false\napi_key = "), "`instances.news.enabled` was true and is false"),
            (("api_key = ", "clock = \"none\"\napi_key = "), "`instances.news.trust` is another"),
            (("api_key = { env = \"K\" }\n", ""), "`instances.news.api_key` is no longer set"),
            (("api_key = ", "audience = \"x\"\napi_key = "), "`instances.news.audience` is set"),
        ];
        for ((from, to), said) in cases {
            assert_eq!(changed(&SETTINGS.replace(from, to)), vec![said.to_owned()]);
        }
    }

    #[test]
    fn an_instance_that_comes_or_goes_is_told_once() {
        let more = format!("{SETTINGS}[instances.crm]\nconnector = \"hubspot\"\ntoken = {{ env = \"T\" }}\n");
        assert_eq!(changed(&more), vec!["instance `crm` is new"]);
        let renamed = SETTINGS.replace("instances.news", "instances.letter");
        let said = ["instance `letter` is new", "instance `news` is no longer configured"];
        assert_eq!(changed(&renamed), said);
    }

    #[test]
    fn a_changed_policy_is_told_by_its_parts() {
        let before = under(SETTINGS, "version = \"1\"\nprofile = \"eu-fr\"");
        let now = under(SETTINGS, "version = \"2\"\nprofile = \"eu-de\"");
        let said = changes(&before, &now);
        assert!(said.contains(&"`policy.version` was 1 and is 2".to_owned()), "{said:?}");
        assert!(said.contains(&"`policy.profile` was eu-fr and is eu-de".to_owned()), "{said:?}");
        assert!(!said.iter().any(|change| change.contains("policy.hash")), "{said:?}");
    }

    #[test]
    fn no_value_that_a_connector_reads_stands_in_clear() {
        let parts = under(&SETTINGS.replace("\"K\"", "\"CANARY_KEY\""), unisson_settings::DEFAULT_POLICY);
        assert!(!format!("{parts:?}").contains("CANARY"));
    }
}
