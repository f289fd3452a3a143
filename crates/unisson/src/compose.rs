//! The composition root: settings, law, connectors and store become an engine. Only here do the two columns meet.

use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use unisson_bundle::Bundled;
use unisson_consent::{Law, SystemId, Systems};
use unisson_engine::{Engine, Instance, Options, Progress, Silent, SystemClock};
use unisson_plan::erasure::HoldRule;
use unisson_plan::{Enforce, GuardRule};
use unisson_sdk::{BuildError, Host, SecretRef, Secrets};
use unisson_settings::{LoadedPolicy, SecretSource, Settings, StoreUrl, TrustDefaults};
use unisson_store::Store;
use unisson_store_sqlite::{Access, SqliteStore};

use crate::erasing;
use crate::exit::Failure;
use crate::screen::hex;
use crate::setup;
use crate::tokens::TokenFiles;
use crate::watch::Bars;

/// Everything the settings describe, before anything is opened or asked.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) settings: Settings,
    pub(crate) policy: LoadedPolicy,
    pub(crate) law: Law,
}

impl Site {
    /// Reads settings and policy.
    pub(crate) fn load(config: Option<&Path>) -> Result<Self, Failure> {
        let settings = Settings::load(config, unisson_settings::process_environment()).map_err(|error| {
            Failure::of(&error).next("correct the settings file, or write a new one with `unisson init`")
        })?;
        let mut policy = unisson_settings::load_policy(settings.policy.file.as_deref())
            .map_err(|error| Failure::of(&error).next("correct the policy and try it with `unisson policy check`"))?;
        unisson_settings::apply_lists(&mut policy.policy, &settings).map_err(|error| {
            Failure::of(&error).next("correct the list's purpose, or add the purpose to the policy")
        })?;
        unisson_settings::check_holds(&policy.holds, &settings).map_err(|error| {
            Failure::of(&error).next("correct the system of the hold: data that must stay would be erased")
        })?;
        let systems = systems(&settings)?;
        let keyring = erasing::keyring(&settings)?;
        let law = Law { policy: policy.policy.clone(), systems, keyring };
        Ok(Self { settings, policy, law })
    }

    /// A digest of everything the law says; under another one, every standing is made anew.
    pub(crate) fn law_hash(&self) -> String {
        // How far an instance is enforced is no law, but it decides what is planned: another setting plans anew.
        let enforced: Vec<_> =
            self.settings.instances.iter().map(|(name, instance)| (name, instance.enabled, instance.enforce)).collect();
        let text = format!("{}\n{:?}\n{:?}\n{enforced:?}", self.policy.hash, self.law.policy.lists, self.law.systems);
        hex(&Sha256::digest(text))
    }

    /// Builds the connectors of these instances; all of them where none is named.
    pub(crate) fn instances(&self, only: &[String]) -> Result<Vec<Instance>, Failure> {
        self.known(only)?;
        let named = self.settings.instances.iter().filter(|(name, _)| only.is_empty() || only.contains(name));
        named.map(|(name, settings)| self.instance(name, settings)).collect()
    }

    /// Refuses names that are no instance.
    pub(crate) fn known(&self, names: &[String]) -> Result<(), Failure> {
        match names.iter().find(|name| !self.settings.instances.contains_key(*name)) {
            None => Ok(()),
            Some(name) => {
                let known: Vec<&str> = self.settings.instances.keys().map(String::as_str).collect();
                Err(Failure::new(format!("no instance is named `{name}`")).next(format!(
                    "name one of: {}",
                    if known.is_empty() { "(none is configured)".to_owned() } else { known.join(", ") }
                )))
            }
        }
    }

    fn instance(&self, name: &str, settings: &unisson_settings::Instance) -> Result<Instance, Failure> {
        let bundled = connector(name, &settings.connector)?;
        let secrets = Keys(SecretSource::of_process(&self.settings.folder));
        let tokens = Arc::new(TokenFiles::beside(self.store_path()));
        let host = Host { instance: name, secrets: &secrets, tokens };
        for (written, meant) in settings.doubts() {
            tracing::warn!(instance.name = name, "`{written}` goes to the connector; perhaps `{meant}` was meant");
        }
        let rest = serde_json::Value::Object(self.located(settings, bundled.paths));
        let connector = (bundled.kind.build)(rest, &host).map_err(|error| {
            Failure::of(&error).next(format!(
                "correct [instances.{name}]; `unisson connectors describe {}` shows its settings",
                settings.connector
            ))
        })?;
        Ok(Instance {
            id: SystemId::new(name),
            connector,
            enabled: settings.enabled,
            enforce: match settings.enforce {
                unisson_settings::Enforce::Observe => Enforce::Observe,
                unisson_settings::Enforce::Negatives => Enforce::Negatives,
                unisson_settings::Enforce::Full => Enforce::Full,
            },
        })
    }

    /// The connector's own settings, relative paths in them read against the folder of the settings file.
    fn located(
        &self,
        settings: &unisson_settings::Instance,
        paths: &[&str],
    ) -> serde_json::Map<String, serde_json::Value> {
        let mut rest = settings.rest.clone();
        for key in paths {
            if let Some(serde_json::Value::String(path)) = rest.get_mut(*key) {
                *path = self.settings.folder.join(&*path).to_string_lossy().into_owned();
            }
        }
        rest
    }

    /// The legal holds of the policy.
    pub(crate) fn holds(&self) -> impl Iterator<Item = HoldRule> {
        self.policy.holds.iter().map(erasing::hold)
    }

    /// The file of the store.
    pub(crate) fn store_path(&self) -> &Path {
        match &self.settings.store.url {
            StoreUrl::Sqlite(path) => path,
        }
    }

    /// Opens the store.
    pub(crate) fn open(&self, access: Access) -> Result<Arc<dyn Store>, Failure> {
        Ok(Arc::new(SqliteStore::open_with(self.store_path(), access, self.law.keyring.clone())?))
    }

    /// The engine over all instances.
    pub(crate) fn engine(self, progress: bool) -> Result<Engine, Failure> {
        if self.settings.instances.is_empty() {
            return Err(Failure::new("no instance is configured")
                .next("add one to the settings file, such as [instances.news] with connector = \"mailchimp\""));
        }
        let instances = self.instances(&[])?;
        let setup = setup::parts(&self.settings, &self.policy);
        let store = self.open(Access::ReadWrite)?;
        // The store is locked first: whoever comes second is told of the store.
        let erasures = erasing::erasures(&self.settings, self.holds().collect())?;
        let progress: Arc<dyn Progress> = if progress { Arc::new(Bars::new()) } else { Arc::new(Silent) };
        let guard = GuardRule { count: self.settings.guard.count.into(), share: self.settings.guard.share };
        Ok(Engine {
            store,
            law_hash: self.law_hash(),
            setup,
            law: Arc::new(self.law),
            instances,
            options: Options {
                guard,
                sweep_every: self.settings.sync.sweep_every,
                judge_batch: self.settings.sync.commit_size,
                lease: self.settings.sync.lease,
            },
            erasures,
            clock: Arc::new(SystemClock),
            progress,
        })
    }
}

/// The connector that an instance names.
fn connector(instance: &str, kind: &str) -> Result<Bundled, Failure> {
    unisson_bundle::find(kind).ok_or_else(|| {
        let known: Vec<&str> = unisson_bundle::all().iter().map(|bundled| bundled.kind.name).collect();
        Failure::new(format!("instances.{instance}.connector: there is no connector `{kind}`"))
            .next(format!("name one of: {}", known.join(", ")))
    })
}

fn systems(settings: &Settings) -> Result<Systems, Failure> {
    settings
        .instances
        .iter()
        .map(|(name, instance)| {
            let trust = connector(name, &instance.connector)?.trust;
            let defaults = TrustDefaults {
                clock: trust.clock,
                level_max: trust.level_max,
                sequenced: trust.sequenced,
                resubscribe: trust.resubscribe,
                marketing: trust.marketing,
                channels: trust.channels,
            };
            Ok((SystemId::new(name), instance.system(&defaults)))
        })
        .collect()
}

/// Resolves the references of connectors against the environment and files of this process.
struct Keys(SecretSource);

impl Secrets for Keys {
    fn resolve(&self, reference: &SecretRef) -> Result<SecretString, BuildError> {
        let failed = |error: unisson_settings::SecretError| {
            BuildError::new("secret", error.to_string().trim_start_matches("read a secret: "))
        };
        match reference {
            SecretRef::Env(name) => self.0.resolve_env(name).map_err(failed),
            SecretRef::File(path) => {
                let kept = self.0.resolve_file(path).map_err(failed)?;
                if let Some(exposed) = kept.exposed {
                    tracing::warn!(secret.file = %path.display(), "{exposed}");
                }
                Ok(kept.value)
            }
        }
    }
}
