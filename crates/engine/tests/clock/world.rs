//! Two scripted platforms whose clock is right, and a host whose clock is not.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use unisson_connector::{
    Account, Action, Batch, Connector, Cursor, Cx, Deletions, Error, ErrorKind, Identity, Info, Next, Observation,
    Outcome, Outcomes, Page, Presence, Proof, Pull, PullSpec, Push, PushSpec, Result, Slot, Stream, StreamId,
};
use unisson_consent::{
    Actor, Address, Channel, Channels, Clock, Evidence, Key, Keyring, Law, Level, Occurred, Purposes, Resubscribe,
    Scope, Standing, Status, System, SystemId, Systems, Verdict,
};
use unisson_engine::{Clock as Ticks, Engine, Instance, Options, Order, RunReport, Silent};
use unisson_plan::{Enforce, GuardRule};
use unisson_store::{MemoryStore, Wanted};

use crate::support;

/// How many people there are.
pub(crate) const PEOPLE: usize = 6;
/// For how long a platform may show the state from before a write.
pub(crate) const LAG: Duration = Duration::from_mins(10);

/// The true time, and how far the host's clock is from it.
#[derive(Debug)]
pub(crate) struct Time(Mutex<Hands>);

#[derive(Debug)]
pub(crate) struct Hands {
    pub(crate) truth: Timestamp,
    pub(crate) wrong_by: SignedDuration,
    pub(crate) began: Timestamp,
    /// After so many glances at the clock it is wrong by so much; one jump after the other.
    pub(crate) jumps: VecDeque<(usize, SignedDuration)>,
}

impl Time {
    pub(crate) fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap()
    }

    pub(crate) fn pass(&self, time: SignedDuration) {
        self.hands().truth += time;
    }

    pub(crate) fn set_wrong_by(&self, by: SignedDuration) {
        self.hands().wrong_by = by;
    }

    pub(crate) fn truth(&self) -> Timestamp {
        self.hands().truth
    }
}

impl Ticks for Time {
    fn now(&self) -> Timestamp {
        let mut hands = self.hands();
        match hands.jumps.front_mut() {
            Some((0, by)) => {
                hands.wrong_by = *by;
                hands.jumps.pop_front();
            }
            Some((glances, _)) => *glances -= 1,
            None => {}
        }
        hands.truth + hands.wrong_by
    }

    fn steady(&self) -> Option<Duration> {
        let hands = self.hands();
        hands.truth.duration_since(hands.began).try_into().ok()
    }
}

/// A platform whose own clock is right. Only a sweep shows who left, as in a CRM that moves no date when somebody does.
#[derive(Debug)]
pub(crate) struct Platform {
    info: Info,
    pull: PullSpec,
    push: PushSpec,
    pub(crate) time: Arc<Time>,
    pub(crate) records: Mutex<BTreeMap<usize, (Status, Timestamp)>>,
    /// How many writes are told to come back later.
    pub(crate) busy: Mutex<u32>,
}

impl Platform {
    pub(crate) fn new(time: &Arc<Time>) -> Arc<Self> {
        let joined = support::at("2026-05-01T00:00:00Z");
        Arc::new(Self {
            info: Info { kind: "scripted", title: "Scripted", channels: email(), limits: vec![], docs: "" },
            pull: PullSpec { incremental: true, incremental_shows_opt_outs: false, deletions: Deletions::InferBySweep },
            push: PushSpec {
                actions: vec![Action::Suppress, Action::Subscribe],
                batch_max: NonZeroUsize::new(50).unwrap(),
                idempotent: true,
                read_after_write_lag: LAG,
            },
            time: Arc::clone(time),
            records: Mutex::new((0..PEOPLE).map(|person| (person, (Status::Subscribed, joined))).collect()),
            busy: Mutex::new(0),
        })
    }

    /// The person does this, now.
    pub(crate) fn act(&self, person: usize, status: Status) {
        self.records.lock().unwrap().insert(person, (status, self.time.truth()));
    }

    pub(crate) fn status(&self, person: usize) -> Status {
        self.records.lock().unwrap()[&person].0
    }
}

pub(crate) fn email() -> Channels {
    Channels::one(Channel::Email)
}

pub(crate) fn address(person: usize) -> String {
    format!("p{person}@example.com")
}

#[async_trait]
impl Connector for Platform {
    fn info(&self) -> &Info {
        &self.info
    }

    async fn probe(&self, _: &Cx<'_>) -> Result<Account> {
        Ok(Account::default())
    }

    fn pull(&self) -> Option<&dyn Pull> {
        Some(self)
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }
}

#[async_trait]
impl Pull for Platform {
    fn spec(&self) -> &PullSpec {
        &self.pull
    }

    async fn streams(&self, _: &Cx<'_>) -> Result<Vec<Stream>> {
        Ok(vec![Stream { id: StreamId("all".to_owned()), title: "all".to_owned() }])
    }

    async fn page(&self, _: &Cx<'_>, _: &StreamId, from: Option<&Cursor>) -> Result<Page> {
        let resume = || Some(Cursor("changed".to_owned()));
        let end = |observations| {
            let next = Next::End { proof: Proof::TotalReached, resume: resume() };
            Page { observations, rejects: vec![], next }
        };
        if from.map(|cursor| &cursor.0) == resume().as_ref().map(|cursor| &cursor.0) {
            return Ok(end(Vec::new()));
        }
        let offset: usize = from.map_or(0, |cursor| cursor.0.parse().unwrap());
        let records = self.records.lock().unwrap();
        let observations = records.iter().skip(offset).take(2).map(|(person, (status, since))| {
            let is_in = *status == Status::Subscribed;
            Observation {
                record: person.to_string().as_str().into(),
                who: Identity { emails: vec![address(*person)], ..Identity::default() },
                presence: Presence::Present,
                slots: vec![Slot {
                    scope: Scope { purposes: Purposes::Named(vec!["newsletter".into()]), channels: email() },
                    status: *status,
                    since: Occurred::Instant(*since),
                    actor: Actor::DataSubject,
                    evidence: if is_in { support::confirmed() } else { Evidence::default() },
                }],
                events: vec![],
            }
        });
        let observations: Vec<Observation> = observations.collect();
        if offset + observations.len() == records.len() {
            return Ok(end(observations));
        }
        let next = Next::More(Cursor((offset + observations.len()).to_string()));
        Ok(Page { observations, rejects: vec![], next })
    }
}

#[async_trait]
impl Push for Platform {
    fn spec(&self) -> &PushSpec {
        &self.push
    }

    async fn push(&self, _: &Cx<'_>, batch: Batch) -> Result<Outcomes> {
        let mut busy = self.busy.lock().unwrap();
        if *busy > 0 {
            *busy -= 1;
            return Err(Error::new(ErrorKind::Transient, "write a batch"));
        }
        for change in batch.changes() {
            self.act(change.target.record.as_str().parse().unwrap(), unisson_plan::shows_after(change.action));
        }
        Ok(batch.settle(|_| Outcome::Applied))
    }
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) time: Arc<Time>,
    pub(crate) esp: Arc<Platform>,
    pub(crate) crm: Arc<Platform>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::enforcing(Enforce::Full)
    }

    pub(crate) fn enforcing(enforce: Enforce) -> Self {
        let time = Arc::new(Time(Mutex::new(Hands {
            truth: support::now(),
            wrong_by: SignedDuration::ZERO,
            began: support::now(),
            jumps: VecDeque::new(),
        })));
        let (esp, crm) = (Platform::new(&time), Platform::new(&time));
        let system = System {
            clock: Clock::Good,
            zone: None,
            sequenced: false,
            level_max: Level::Confirmed,
            marketing: true,
            channels: email(),
            resubscribe: Resubscribe::Allowed,
        };
        let systems: Systems = ["esp", "crm"].into_iter().map(|id| (SystemId::from(id), system.clone())).collect();
        let instance = |id: &str, connector: &Arc<Platform>| Instance {
            id: id.into(),
            connector: Arc::clone(connector) as Arc<dyn Connector>,
            enabled: true,
            enforce,
        };
        let engine = Engine {
            store: Arc::new(MemoryStore::new()),
            law: Arc::new(Law { policy: support::policy(), systems, keyring: Keyring::default() }),
            law_hash: "one".to_owned(),
            setup: BTreeMap::new(),
            instances: vec![instance("esp", &esp), instance("crm", &crm)],
            options: Options {
                guard: GuardRule { count: 100, share: 1.0 },
                sweep_every: SignedDuration::from_hours(24),
                judge_batch: 2,
                lease: SignedDuration::from_mins(2),
            },
            erasures: unisson_engine::Erasures::default(),
            clock: Arc::clone(&time) as Arc<dyn Ticks>,
            progress: Arc::new(Silent),
        };
        Self { engine, time, esp, crm }
    }

    /// Some hours later, a run.
    pub(crate) async fn sync_after(&self, hours: i64) -> RunReport {
        self.time.pass(SignedDuration::from_hours(hours));
        self.engine.sync(&Order::default()).await.expect("the store works")
    }

    pub(crate) async fn verdict(&self, person: usize) -> Verdict {
        let address = Address::email(&address(person)).unwrap();
        let subjects = self.engine.store.find(&Wanted::Address(address.clone())).await.unwrap();
        let dossiers = self.engine.store.dossiers(&subjects).await.unwrap();
        let standing = Standing::fold(dossiers[0].facts.iter().cloned(), &[], &self.engine.law);
        let key = Key { address, purpose: "newsletter".into(), channel: Channel::Email, person: None };
        standing.decide(&key, &self.engine.law, self.time.truth()).verdict
    }

    /// What the store remembers to be decided.
    pub(crate) async fn remembered(&self, person: usize) -> Verdict {
        let address = Address::email(&address(person)).unwrap();
        let standings = self.engine.store.standings(None, 100).await.unwrap();
        let mut known = standings.into_iter().flat_map(|(_, decisions)| decisions);
        let its = |key: &Key| key.address == address && key.purpose.as_str() == "newsletter";
        known.find(|known| its(&known.key)).unwrap().decision.verdict
    }

    pub(crate) async fn is_out(&self, person: usize) -> bool {
        let shut = |platform: &Platform| platform.status(person) == Status::Unsubscribed;
        self.verdict(person).await == Verdict::Deny && shut(&self.esp) && shut(&self.crm)
    }

    pub(crate) async fn is_in(&self, person: usize) -> bool {
        let open = |platform: &Platform| platform.status(person) == Status::Subscribed;
        self.verdict(person).await == Verdict::Allow && open(&self.esp) && open(&self.crm)
    }
}
