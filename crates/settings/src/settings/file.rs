//! The settings file as it is written, section by section, and what no type can check.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use super::erasure::{self, ControllerSection, ErasureSection};
use super::{Guard, PolicyChoice, Settings, Store, StoreUrl, SyncPace};
use crate::error::Defect;
use crate::instance::{Instance, ListSection};
use crate::layer::Origins;
use crate::path::{KeyPath, Step};
use crate::period::Period;
use crate::read::{Schema, section};
use crate::word::check_name;

/// The most instances one installation can have.
const INSTANCES_MAX: usize = 256;

/// The most lists that one instance can map.
const LISTS_MAX: usize = 10_000;

/// The most records that are committed at once: a commit is held in memory whole.
const COMMIT_SIZE_MAX: usize = 10_000;

/// The bounds of the time between two complete sweeps. Opt-outs that move no date are found by a sweep only.
const SWEEP_BOUNDS: (&str, &str) = ("PT1H", "P31D");

/// The bounds of a lease. Shorter ones are lost to a slow page, longer ones leave an instance alone after a crash.
const LEASE_BOUNDS: (&str, &str) = ("PT30S", "PT1H");

/// The longest wait before an erasure is read back a second time. A platform that needs longer is read by the next watch.
const VERIFY_AFTER_MAX: SignedDuration = SignedDuration::from_hours(7 * 24);

section! {
    /// The file as it is written.
    SettingsFile {
        store: StoreSection,
        policy: PolicySection,
        guard: GuardSection,
        sync: SyncSection,
        controller: ControllerSection,
        erasure: ErasureSection,
        #[serde(default)]
        instances: BTreeMap<String, Instance>,
    }
}

section! {
    /// Where the memory is.
    StoreSection {
        url: String,
    }
}

section! {
    /// Which policy is applied.
    PolicySection {
        file: Option<PathBuf>,
    }
}

section! {
    /// When a run must be approved.
    GuardSection {
        count: u32,
        share: f64,
    }
}

section! {
    /// How runs proceed.
    SyncSection {
        commit_size: usize,
        sweep_every: Period,
        lease: Period,
    }
}

impl Schema for SettingsFile {
    const EXAMPLES: &'static [(&'static str, &'static str)] = &[
        ("store", "[store]"),
        ("policy", "[policy]"),
        ("guard", "[guard]"),
        ("sync", "[sync]"),
        ("url", "url = \"sqlite:unisson.db\""),
        ("file", "file = \"policy.toml\""),
        ("count", "count = 100"),
        ("share", "share = 0.05"),
        ("commit_size", "commit_size = 500"),
        ("sweep_every", "sweep_every = \"P7D\""),
        ("lease", "lease = \"PT2M\""),
        ("instances", "[instances.news]"),
        ("connector", "connector = \"mailchimp\""),
        ("enabled", "enabled = true"),
        ("enforce", "enforce = \"negatives\""),
        ("clock", "clock = \"good\""),
        ("tz", "tz = \"Europe/Paris\""),
        ("max_level", "max_level = 2"),
        ("sequenced", "sequenced = false"),
        ("resubscribe", "resubscribe = \"vendor_doi\""),
        ("marketing", "marketing = true"),
        ("channels", "channels = [\"email\", \"sms\"]"),
        ("lists", "lists = { \"a6b5da1054\" = { purpose = \"newsletter\", channel = \"email\" } }"),
        ("purpose", "purpose = \"newsletter\""),
        ("channel", "channel = \"email\""),
        ("verify_after", "verify_after = \"PT2S\""),
        ("controller", "[controller]"),
        ("erasure", "[erasure]"),
        ("name", "name = \"Maison Exemple SAS\""),
        ("contact", "contact = \"privacy@maison.example\""),
        ("journal", "journal = \"erasures.jsonl\""),
        ("signing_key", "signing_key = { file = \"signing.key\" }"),
        ("tombstone_keys", "tombstone_keys = [{ id = 1, key = { file = \"tombstone-1.key\" } }]"),
        ("id", "id = 1"),
        ("key", "key = { file = \"tombstone-1.key\" }"),
        ("env", "env = \"UNISSON_SIGNING_KEY\""),
        ("zone", "zone = \"Europe/Paris\""),
        ("holidays", "holidays = [\"2026-12-25\"]"),
    ];

    fn keys(path: &[Step]) -> &'static [&'static str] {
        let Some(Step::Key(section)) = path.first() else { return Self::KEYS };
        match section.as_str() {
            "store" => StoreSection::KEYS,
            "policy" => PolicySection::KEYS,
            "guard" => GuardSection::KEYS,
            "sync" => SyncSection::KEYS,
            "controller" => ControllerSection::KEYS,
            "erasure" => erasure::keys(&path[1..]),
            "instances" => ListSection::KEYS,
            _ => &[],
        }
    }
}

impl SettingsFile {
    /// Checks what no type can, and resolves paths.
    pub(super) fn checked(self, folder: PathBuf, origins: Origins) -> Result<Settings, Vec<Defect>> {
        let mut found = Found { origins: &origins, defects: Vec::new() };
        let url = found.take(&["store", "url"], store_url(&self.store.url, &folder));
        let share = self.guard.share;
        if !(0.0..=1.0).contains(&share) {
            found.add(&["guard", "share"], "is no share; write a number from 0 to 1 such as share = 0.05");
        }
        let commit_size = self.sync.commit_size;
        if !(1..=COMMIT_SIZE_MAX).contains(&commit_size) {
            found.add(
                &["sync", "commit_size"],
                &format!("is out of bounds; write a number from 1 to {COMMIT_SIZE_MAX}"),
            );
        }
        let sweep_every = found.take(&["sync", "sweep_every"], within(self.sync.sweep_every, SWEEP_BOUNDS));
        let lease = found.take(&["sync", "lease"], within(self.sync.lease, LEASE_BOUNDS));
        found.instances(&self.instances);
        let mut problems = Vec::new();
        let controller = self.controller.checked(&mut problems);
        let erasure = self.erasure.checked((&folder, url.as_ref()), &mut problems);
        found.defects.extend(problems.into_iter().map(|(path, problem)| origins.defect(&path, problem)));
        let defects = found.defects;
        match (url, sweep_every, lease) {
            (Some(url), Some(sweep_every), Some(lease)) if defects.is_empty() => Ok(Settings {
                store: Store { url },
                policy: PolicyChoice { file: self.policy.file.map(|file| folder.join(file)) },
                guard: Guard { count: self.guard.count, share },
                sync: SyncPace { commit_size, sweep_every, lease },
                controller,
                erasure,
                instances: self.instances,
                folder,
                origins,
            }),
            _ => Err(defects),
        }
    }
}

/// The defects found so far.
struct Found<'a> {
    origins: &'a Origins,
    defects: Vec<Defect>,
}

impl Found<'_> {
    fn add(&mut self, keys: &[&str], problem: &str) {
        self.defects.push(self.origins.defect(&KeyPath::of(keys), problem));
    }

    fn take<T>(&mut self, keys: &[&str], checked: Result<T, String>) -> Option<T> {
        checked.map_err(|problem| self.add(keys, &problem)).ok()
    }

    fn instances(&mut self, instances: &BTreeMap<String, Instance>) {
        if instances.len() > INSTANCES_MAX {
            self.add(&["instances"], &format!("has more than {INSTANCES_MAX} instances; use a second installation"));
        }
        for (name, instance) in instances {
            self.take(&["instances", name], check_name(name));
            if let Some(wait) = instance.verify_after
                && wait > VERIFY_AFTER_MAX
            {
                self.add(&["instances", name, "verify_after"], "is out of bounds; write a duration up to P7D");
            }
            if instance.lists.len() > LISTS_MAX {
                self.add(
                    &["instances", name, "lists"],
                    &format!("maps more than {LISTS_MAX} lists; keep those in use"),
                );
            }
            if instance.lists.keys().any(|list| list.as_str().trim().is_empty()) {
                self.add(&["instances", name, "lists"], "has a list without an id; write the platform's own id");
            }
        }
    }
}

/// Reads where the memory is. The text is never repeated: other stores carry a password in it.
fn store_url(url: &str, folder: &Path) -> Result<StoreUrl, String> {
    const HOW: &str = "write sqlite: and the path of a file, such as \"sqlite:unisson.db\"";
    let Some(path) = url.strip_prefix("sqlite:") else { return Err(format!("is no store that is known here; {HOW}")) };
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.starts_with(':') || path.contains('?') {
        return Err(format!("names no file, and suppressions must outlive the program; {HOW}"));
    }
    Ok(StoreUrl::Sqlite(folder.join(path)))
}

fn within(period: Period, (least, most): (&str, &str)) -> Result<SignedDuration, String> {
    let exact = period.exact();
    let bound = |text| Period::parse(text).map(Period::exact);
    if bound(least)? <= exact && exact <= bound(most)? {
        return Ok(exact);
    }
    Err(format!("is out of bounds; write a duration from {least} to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::DEFAULT_TEXT;

    #[test]
    fn the_built_in_settings_show_every_key_of_every_section() {
        for (section, keys) in [
            ("store", StoreSection::KEYS),
            ("policy", PolicySection::KEYS),
            ("guard", GuardSection::KEYS),
            ("sync", SyncSection::KEYS),
            ("controller", ControllerSection::KEYS),
            ("erasure", ErasureSection::KEYS),
        ] {
            let text = DEFAULT_TEXT.split_once(&format!("\n[{section}]\n")).unwrap().1;
            let text = text.split_once("\n[").map_or(text, |(text, _)| text);
            for key in keys {
                let shown = text.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{key} = ")));
                assert!(shown, "default.toml lacks {section}.{key}");
            }
        }
    }

    #[test]
    fn every_key_that_can_be_of_the_wrong_kind_has_an_example() {
        let sections = [SettingsFile::KEYS, StoreSection::KEYS, PolicySection::KEYS, GuardSection::KEYS];
        let sections = sections.into_iter().chain([ControllerSection::KEYS, ErasureSection::KEYS]);
        for key in sections.chain([SyncSection::KEYS, ListSection::KEYS]).flatten() {
            assert!(SettingsFile::EXAMPLES.iter().any(|(known, _)| known == key), "{key}");
        }
    }
}
