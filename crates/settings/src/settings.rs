//! The settings of one installation.

mod erasure;
mod file;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use unisson_consent::{Channel, ListId, Policy, System, SystemId};

use crate::document::Document;
use crate::environment;
use crate::error::{Defect, LoadError};
use crate::instance::{Instance, TrustDefaults};
use crate::layer::{Origins, merge};
use crate::path::KeyPath;
use crate::read::read;

pub use erasure::{Controller, Erasure, TombstoneKey};

/// The file that is read where none is named.
pub const DEFAULT_FILE: &str = "unisson.toml";

/// The built-in settings: every key, with what it means.
pub const DEFAULT_TEXT: &str = include_str!("../../../config/default.toml");

/// What is being loaded, in messages.
const WHAT: &str = "settings";

/// Where the memory is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// An SQLite file; relative paths have been resolved.
    Sqlite(PathBuf),
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "sqlite:{}", file.display()),
        }
    }
}

/// The memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Where it is.
    pub url: StoreUrl,
}

/// Which policy is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyChoice {
    /// The policy file, resolved; `None` for the built-in policy.
    pub file: Option<PathBuf>,
}

/// When a run must be approved by a person: it would change more than `count` contacts *and* more than `share` of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guard {
    /// So many contacts of one instance.
    pub count: u32,
    /// So large a share of its contacts, from 0 to 1.
    pub share: f64,
}

/// How runs proceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncPace {
    /// How many records are committed at once, at most; never zero.
    pub commit_size: usize,
    /// How long a complete sweep of an instance may lie back.
    pub sweep_every: SignedDuration,
    /// How long a worker holds an instance without a sign of life.
    pub lease: SignedDuration,
}

/// Everything an installation is told by its files and its environment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The memory.
    pub store: Store,
    /// Which policy is applied.
    pub policy: PolicyChoice,
    /// When a run must be approved.
    pub guard: Guard,
    /// How runs proceed.
    pub sync: SyncPace,
    /// Who is responsible for the data.
    pub controller: Controller,
    /// What erasing people needs.
    pub erasure: Erasure,
    /// The connected accounts by name.
    pub instances: BTreeMap<String, Instance>,
    /// The folder of the settings file, against which relative paths are read.
    pub folder: PathBuf,
    origins: Origins,
}

impl Settings {
    /// Reads the built-in settings, then the file, then the environment; each overrides what came before.
    ///
    /// Without a path, `unisson.toml` of the current folder is read if it is there. `environment` gives the variables,
    /// for a program [`process_environment`](crate::process_environment).
    pub fn load(path: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Result<Self, LoadError> {
        let file = path.unwrap_or(Path::new(DEFAULT_FILE));
        let user = match Document::read(file, WHAT) {
            Err(LoadError::Missing { .. }) if path.is_none() => None,
            read => Some(read?),
        };
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self::of(user, environment, folder.to_owned())
    }

    /// Reads settings from text over the built-in ones; relative paths are read against `folder`.
    ///
    /// ```
    /// use unisson_settings::{Enforce, Settings};
    /// let text = "[instances.news]\nconnector = \"mailchimp\"";
    /// let settings = Settings::parse(text, [].into_iter(), "/etc/unisson").unwrap();
    /// assert_eq!(settings.guard.count, 100);
    /// assert_eq!(settings.store.url.to_string(), "sqlite:/etc/unisson/unisson.db");
    /// assert_eq!(settings.instances["news"].enforce, Enforce::Negatives);
    /// ```
    pub fn parse(
        text: &str,
        environment: impl Iterator<Item = (String, String)>,
        folder: impl Into<PathBuf>,
    ) -> Result<Self, LoadError> {
        let user = Document::parse(DEFAULT_FILE, text).map_err(|defect| refused(vec![defect]))?;
        Self::of(Some(user), environment, folder.into())
    }

    /// The system of an instance as the law sees it; `None` where there is no such instance.
    pub fn system(&self, instance: &str, defaults: &TrustDefaults) -> Option<System> {
        Some(self.instances.get(instance)?.system(defaults))
    }

    /// The channel that a list of an instance is sent over; `None` where it is not mapped.
    pub fn list_channel(&self, instance: &str, list: &ListId) -> Option<Channel> {
        Some(self.instances.get(instance)?.lists.get(list)?.channel)
    }

    fn of(
        user: Option<Document>,
        environment: impl Iterator<Item = (String, String)>,
        folder: PathBuf,
    ) -> Result<Self, LoadError> {
        let built_in = Document::parse("built-in settings", DEFAULT_TEXT).map_err(|defect| refused(vec![defect]))?;
        let mut layers: Vec<Document> = [built_in].into_iter().chain(user).collect();
        let roots = |layers: &[Document]| layers.iter().map(|layer| layer.root.clone()).collect::<Vec<_>>();
        let below = merge(&roots(&layers))?;
        layers.push(environment::read(environment, &below).map_err(refused)?);
        let mut origins = Origins::default();
        for layer in &layers {
            origins.push(layer);
        }
        let file: file::SettingsFile = read(merge(&roots(&layers))?, &origins).map_err(refused)?;
        file.checked(folder, origins).map_err(refused)
    }
}

/// Tells a policy what the lists of every instance are for. A purpose that the policy does not know is refused.
pub fn apply_lists(policy: &mut Policy, settings: &Settings) -> Result<(), LoadError> {
    let mut lists = BTreeMap::new();
    let mut defects = Vec::new();
    for (name, instance) in &settings.instances {
        let path = KeyPath::of(&["instances", name, "lists"]);
        for (list, mapping) in &instance.lists {
            if !policy.purposes.contains_key(&mapping.purpose) {
                let known: Vec<&str> = policy.purposes.keys().map(unisson_consent::PurposeId::as_str).collect();
                let instead = crate::nearest::instead(mapping.purpose.as_str(), &known);
                let problem = format!("names `{}`, which is no purpose of the policy; {instead}", mapping.purpose);
                defects.push(settings.origins.defect(&path.key(list.as_str()).key("purpose"), problem));
            }
        }
        let purposes = instance.lists.iter().map(|(list, mapping)| (list.clone(), mapping.purpose.clone()));
        lists.insert(SystemId::new(name), purposes.collect());
    }
    if !defects.is_empty() {
        return Err(refused(defects));
    }
    policy.lists = lists;
    Ok(())
}

fn refused(defects: Vec<Defect>) -> LoadError {
    LoadError::Refused { what: WHAT, defects }
}
