//! A small company whose whole world lives in one virtual time: the twins, the connectors' waits, and the host's clock,
//! which can be wrong. The engine runs in this process and can be made to end in the middle of a sync.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::Poll;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tokio::time::Instant;
use unisson_consent::{Keyring, Law, SystemId, Systems};
use unisson_engine::{Clock, Engine, Instance, Options, Order, RunReport, Silent};
use unisson_plan::{Enforce, GuardRule, RunId};
use unisson_sandbox::{Key, Options as Twins, Pace, Refresh, Sandbox};
use unisson_sdk::{BuildError, Host, MemoryTokens, SecretRef, Secrets};
use unisson_settings::{DEFAULT_POLICY, Settings, TrustDefaults, apply_lists, parse_policy};
use unisson_store::{MemoryStore, Store};
use unisson_store_sqlite::{Access, SqliteStore};
use unisson_tests::{Gate, Hold, Passage};

use crate::dice::Dice;

/// The host's clock: virtual time, and by how much it is wrong.
#[derive(Debug)]
pub(crate) struct HostClock {
    epoch: Timestamp,
    started: Instant,
    wrong_by_s: AtomicI64,
}

impl HostClock {
    /// Makes it wrong by this much from now on.
    pub(crate) fn set_wrong_by(&self, by: SignedDuration) {
        self.wrong_by_s.store(by.as_secs(), Ordering::SeqCst);
    }

    /// What time it is, whatever the host believes.
    pub(crate) fn true_now(&self) -> Timestamp {
        self.epoch + SignedDuration::try_from(self.started.elapsed()).expect("a month")
    }
}

impl Clock for HostClock {
    fn now(&self) -> Timestamp {
        self.true_now() + SignedDuration::from_secs(self.wrong_by_s.load(Ordering::SeqCst))
    }
}

/// Where the process of a run ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// By itself.
    Own,
    /// At this call to a platform, on this side of it.
    AtCall(Hold),
    /// When it was polled so often.
    AtPoll(u32),
}

/// A company of one seed.
pub(crate) struct Company {
    pub(crate) twins: Sandbox,
    pub(crate) clock: Arc<HostClock>,
    folder: tempfile::TempDir,
    gate: Gate,
    settings: Settings,
    guard: GuardRule,
    judge_batch: usize,
    tokens: Arc<MemoryTokens>,
    on_disk: bool,
    engine: Option<Engine>,
}

/// The keys of the twins: a reference's name is the secret.
struct Keys;

impl Secrets for Keys {
    fn resolve(&self, reference: &SecretRef) -> Result<SecretString, BuildError> {
        match reference {
            SecretRef::Env(name) => Ok(name.as_str().into()),
            SecretRef::File(_) => Err(BuildError::new("secret", "no file is kept here")),
        }
    }
}

impl Company {
    /// Founds it. Everything about it that the seed decides is decided here.
    pub(crate) async fn found(seed: u64, people: u32, dice: &mut Dice) -> Self {
        let epoch: Timestamp = "2026-11-01T00:00:00Z".parse().expect("a moment");
        let mut options = Twins { seed, contacts: people, epoch, pace: Pace::Running, ..Twins::default() };
        // Allowances belong to an account for as long as the process lives, and ports come back: no two seeds share a key.
        let [mail, crm, campaigns] = ["mail", "crm", "campaigns"].map(|name| format!("{name}-{seed}-us1"));
        options.mailchimp.key = Key::from(mail.as_str());
        options.hubspot.token = Key::from(crm.as_str());
        options.hubspot.client_secret = Key::from(crm.as_str());
        options.hubspot.index_lag = Duration::from_secs(dice.below(20));
        let rotates = dice.chance(50);
        options.hubspot.refresh = if rotates { Refresh::Rotates } else { Refresh::Keeps };
        options.brevo.key = Key::from(campaigns.as_str());
        let twins = Sandbox::start(options).await.expect("the twins start");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("exports")).expect("a folder");
        twins.population().write_csv(&folder.path().join("exports/shop.csv")).expect("the export is written");
        let (gate, text) = Gate::before(&settings(&twins, [&mail, &crm, &campaigns], dice));
        let settings = Settings::parse(&text, std::iter::empty(), folder.path()).expect("the settings are right");
        let clock = HostClock { epoch, started: Instant::now(), wrong_by_s: AtomicI64::new(0) };
        let guard = dice.pick(&[(100, 0.05), (3, 0.1), (1, 0.02)]);
        let mut company = Self {
            twins,
            clock: Arc::new(clock),
            folder,
            gate,
            settings,
            guard: GuardRule { count: guard.0, share: guard.1 },
            judge_batch: dice.pick(&[3, 7, 1_000]),
            tokens: Arc::default(),
            on_disk: dice.chance(15),
            engine: None,
        };
        company.start();
        company
    }

    /// Where its exports are.
    pub(crate) fn exports(&self) -> std::path::PathBuf {
        self.folder.path().join("exports")
    }

    /// Whether the CRM's tokens are renewed.
    pub(crate) fn has_oauth(&self) -> bool {
        self.settings.instances["crm"].rest.contains_key("oauth")
    }

    /// The memory.
    pub(crate) fn store(&self) -> &dyn Store {
        self.engine().store.as_ref()
    }

    /// The engine of the present process.
    pub(crate) fn engine(&self) -> &Engine {
        self.engine.as_ref().expect("it is running")
    }

    /// Syncs, and gives the report where the process lived to write it.
    pub(crate) async fn sync(&mut self, order: &Order, end: End) -> Option<RunReport> {
        let hold = match end {
            End::AtCall(hold) => Some(hold),
            End::Own | End::AtPoll(_) => None,
        };
        self.gate.begin(hold);
        let report = {
            let mut work = pin!(self.engine().sync(order));
            match end {
                End::Own => Some(work.await),
                End::AtCall(_) => tokio::select! {
                    report = &mut work => Some(report),
                    () = self.gate.caught() => None,
                },
                End::AtPoll(most) => {
                    let mut polls = 0;
                    let limited = poll_fn(|cx| {
                        polls += 1;
                        if polls > most { Poll::Ready(None) } else { work.as_mut().poll(cx).map(Some) }
                    });
                    limited.await
                }
            }
        };
        if report.is_none() {
            self.restart().await;
        }
        report.map(|report| report.expect("the store works"))
    }

    /// Lets go what the guard held in a run.
    pub(crate) async fn approve(&mut self, run: &str) -> RunReport {
        self.gate.begin(None);
        self.engine().approve(&RunId(run.to_owned())).await.expect("the store works")
    }

    /// The calls since the last sync or approval began.
    pub(crate) fn passages(&self) -> Vec<Passage> {
        let all = self.gate.passages();
        let last = all.last().map_or(0, |passage| passage.chapter);
        all.into_iter().filter(|passage| passage.chapter == last).collect()
    }

    /// The process is gone; a new one opens what is left.
    async fn restart(&mut self) {
        let engine = self.engine.take().expect("it was running");
        let kept = (!self.on_disk).then(|| Arc::clone(&engine.store));
        drop(engine);
        // Calls under way end by themselves: virtual time passes only when nothing else does.
        tokio::time::sleep(Duration::from_secs(3)).await;
        self.open(kept);
    }

    fn start(&mut self) {
        let kept: Option<Arc<dyn Store>> = (!self.on_disk).then(|| Arc::new(MemoryStore::new()) as Arc<dyn Store>);
        self.open(kept);
    }

    fn open(&mut self, kept: Option<Arc<dyn Store>>) {
        let store = kept.unwrap_or_else(|| {
            let path = self.folder.path().join("unisson.db");
            Arc::new(SqliteStore::open(&path, Access::ReadWrite).expect("the store opens"))
        });
        let mut policy = parse_policy(DEFAULT_POLICY).expect("the policy is right").policy;
        apply_lists(&mut policy, &self.settings).expect("the purposes are known");
        let law = Law { policy, systems: systems(&self.settings), keyring: Keyring::default() };
        self.engine = Some(Engine {
            store,
            law: Arc::new(law),
            law_hash: "the month's".to_owned(),
            setup: BTreeMap::new(),
            instances: self.settings.instances.iter().map(|(name, made)| self.instance(name, made)).collect(),
            options: Options {
                guard: self.guard,
                sweep_every: SignedDuration::from_hours(48),
                judge_batch: self.judge_batch,
                lease: SignedDuration::from_mins(2),
            },
            erasures: unisson_engine::Erasures::default(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            progress: Arc::new(Silent),
        });
    }

    fn instance(&self, name: &str, made: &unisson_settings::Instance) -> Instance {
        let bundled = unisson_bundle::find(&made.connector).expect("a connector that is bundled");
        let tokens = Arc::clone(&self.tokens);
        let host = Host { instance: name, secrets: &Keys, tokens };
        let mut rest = made.rest.clone();
        for key in bundled.paths {
            if let Some(serde_json::Value::String(path)) = rest.get_mut(*key) {
                *path = located(self.folder.path(), path);
            }
        }
        Instance {
            id: SystemId::new(name),
            connector: (bundled.kind.build)(serde_json::Value::Object(rest), &host).expect("its settings are right"),
            enabled: true,
            enforce: match made.enforce {
                unisson_settings::Enforce::Observe => Enforce::Observe,
                unisson_settings::Enforce::Negatives => Enforce::Negatives,
                unisson_settings::Enforce::Full => Enforce::Full,
            },
        }
    }
}

fn located(folder: &Path, path: &str) -> String {
    folder.join(path).to_string_lossy().into_owned()
}

fn systems(settings: &Settings) -> Systems {
    let trusted = settings.instances.iter().map(|(name, instance)| {
        let trust = unisson_bundle::find(&instance.connector).expect("a connector that is bundled").trust;
        let defaults = TrustDefaults {
            clock: trust.clock,
            level_max: trust.level_max,
            sequenced: trust.sequenced,
            resubscribe: trust.resubscribe,
            marketing: trust.marketing,
            channels: trust.channels,
        };
        (SystemId::new(name), instance.system(&defaults))
    });
    trusted.collect()
}

/// Settings that fit the twins: most platforms are written to in full, some only where somebody said no.
fn settings(twins: &Sandbox, [mail, crm, campaigns]: [&str; 3], dice: &mut Dice) -> String {
    let mut enforce = || if dice.chance(75) { "full" } else { "negatives" };
    let enforced = [enforce(), enforce(), enforce()];
    let access = if dice.chance(60) {
        format!(
            "[instances.crm.oauth]\nclient_id = \"sandbox-client\"\nclient_secret = {{ env = \"{crm}\" }}\n\
             refresh_token = {{ env = \"sandbox-refresh-0\" }}\n"
        )
    } else {
        format!("token = {{ env = \"{crm}\" }}\n")
    };
    let statuses = if dice.chance(80) { "enterprise = true" } else { "statuses = \"single\"" };
    let page_size = dice.pick(&[11, 20, 500]);
    let urls = [twins.mailchimp().base_url(), twins.hubspot().base_url(), twins.brevo().base_url()];
    include_str!("settings.toml")
        .replace("MAIL_KEY", mail)
        .replace("CAMPAIGN_KEY", campaigns)
        .replace("MAIL_URL", &urls[0])
        .replace("CRM_URL", &urls[1])
        .replace("CAMPAIGN_URL", &urls[2])
        .replace("\"MAIL_ENFORCE\"", &format!("\"{}\"", enforced[0]))
        .replace("\"CRM_ENFORCE\"", &format!("\"{}\"", enforced[1]))
        .replace("\"CAMPAIGN_ENFORCE\"", &format!("\"{}\"", enforced[2]))
        .replace("PAGE_SIZE", &page_size.to_string())
        .replace("# CRM_STATUSES", statuses)
        .replace("# CRM_ACCESS", &access)
}
