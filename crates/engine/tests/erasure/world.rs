//! Scripted platforms that erase well, late, by half or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use unisson_connector::{
    Access, Account, Action, Batch, Connector, Cursor, Cx, Deletions, Erase, EraseSpec, Erasing, Error, ErrorKind,
    Field, FieldValue, Gathered, Holding, Identity, Info, Next, Observation, Outcome, Outcomes, Page, Presence, Proof,
    Pull, PullSpec, Push, PushSpec, Result, Seek, Sighting, Slot, Stream, StreamId, Target, Ticket,
};
use unisson_consent::{
    Actor, Address, Channel, Channels, Clock, Evidence, KeyId, Keyring, Law, Level, Occurred, Purposes, Resubscribe,
    Scope, Status, System, SystemId, Systems, Who,
};
use unisson_engine::{
    Clock as Ticks, Engine, Erasures, Instance, Journal, JournalHead, JournalLine, Options, Order, Received, Request,
    RunReport, Silent,
};
use unisson_plan::erasure::{Case, HoldRule};
use unisson_plan::{Enforce, GuardRule};
use unisson_store::{MemoryStore, StoreError, Wanted};

use crate::support;

/// How a platform erases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Manner {
    /// At once.
    #[default]
    Well,
    /// It says so and does nothing.
    Forgets,
    /// So many reads later.
    After(u32),
    /// It puts the record into its archive.
    Archives,
    /// At once, and nobody may look.
    Blind,
    /// It does not answer.
    Down,
}

#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) records: BTreeMap<String, (String, Status)>,
    pub(crate) archived: BTreeSet<String>,
    /// Records that a pull does not show.
    pub(crate) hidden: BTreeSet<String>,
    pub(crate) manner: Manner,
    /// Records that go once they were read so often.
    pub(crate) going: BTreeMap<String, u32>,
    /// Every call, in order.
    pub(crate) calls: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Platform {
    info: Info,
    pull: PullSpec,
    push: PushSpec,
    erase: EraseSpec,
    can_erase: bool,
    pub(crate) script: Mutex<Script>,
}

impl Platform {
    fn new(can_erase: bool) -> Arc<Self> {
        Arc::new(Self {
            info: Info { kind: "scripted", title: "Scripted", channels: email(), limits: vec![], docs: "" },
            pull: PullSpec { incremental: false, incremental_shows_opt_outs: true, deletions: Deletions::InferBySweep },
            push: PushSpec {
                actions: vec![Action::Suppress],
                batch_max: NonZeroUsize::new(50).unwrap(),
                idempotent: true,
                read_after_write_lag: Duration::ZERO,
            },
            erase: EraseSpec {
                asynchronous: false,
                settles_in: Duration::from_mins(10),
                residual_max: Duration::ZERO,
                keeps_tombstone: false,
            },
            can_erase,
            script: Mutex::new(Script::default()),
        })
    }

    pub(crate) fn holds(&self, record: &str, email: &str) {
        self.script.lock().unwrap().records.insert(record.to_owned(), (email.to_owned(), Status::Subscribed));
    }

    pub(crate) fn has(&self, record: &str) -> bool {
        self.script.lock().unwrap().records.contains_key(record)
    }

    pub(crate) fn becomes(&self, manner: Manner) {
        self.script.lock().unwrap().manner = manner;
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.script.lock().unwrap().calls.clone()
    }

    fn listen(&self, call: String) -> Result<std::sync::MutexGuard<'_, Script>> {
        let mut script = self.script.lock().unwrap();
        if script.manner == Manner::Down {
            return Err(Error::new(ErrorKind::Transient, "reach the platform"));
        }
        script.calls.push(call);
        Ok(script)
    }
}

fn email() -> Channels {
    Channels::one(Channel::Email)
}

fn observe(record: &str, (email, status): &(String, Status), archived: bool) -> Observation {
    Observation {
        record: record.into(),
        who: Identity { emails: vec![email.clone()], ..Identity::default() },
        presence: if archived { Presence::Archived } else { Presence::Present },
        slots: vec![Slot {
            scope: Scope { purposes: Purposes::Named(vec!["newsletter".into()]), channels: self::email() },
            status: *status,
            since: Occurred::Unknown,
            actor: Actor::DataSubject,
            evidence: Evidence::default(),
        }],
        events: vec![],
    }
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

    fn erase(&self) -> Option<&dyn Erase> {
        self.can_erase.then_some(self)
    }

    fn access(&self) -> Option<&dyn Access> {
        Some(self)
    }
}

#[async_trait]
impl Pull for Platform {
    fn spec(&self) -> &PullSpec {
        &self.pull
    }

    async fn streams(&self, _: &Cx<'_>) -> Result<Vec<Stream>> {
        drop(self.listen("streams".to_owned())?);
        Ok(vec![Stream { id: StreamId("all".to_owned()), title: "all".to_owned() }])
    }

    async fn page(&self, _: &Cx<'_>, _: &StreamId, _: Option<&Cursor>) -> Result<Page> {
        let script = self.listen("page".to_owned())?;
        let shown = script.records.iter().filter(|(record, _)| !script.hidden.contains(*record));
        let observations = shown.map(|(record, row)| observe(record, row, script.archived.contains(record))).collect();
        Ok(Page { observations, rejects: vec![], next: Next::End { proof: Proof::TotalReached, resume: None } })
    }
}

#[async_trait]
impl Push for Platform {
    fn spec(&self) -> &PushSpec {
        &self.push
    }

    async fn push(&self, _: &Cx<'_>, batch: Batch) -> Result<Outcomes> {
        let mut script = self.listen(format!("push {}", batch.changes().len()))?;
        Ok(batch.settle(|change| match script.records.get_mut(change.target.record.as_str()) {
            Some(row) => {
                row.1 = Status::Unsubscribed;
                Outcome::Applied
            }
            None => Outcome::NotFound,
        }))
    }
}

#[async_trait]
impl Erase for Platform {
    fn spec(&self) -> &EraseSpec {
        &self.erase
    }

    async fn erase(&self, _: &Cx<'_>, who: &Target) -> Result<Erasing> {
        let record = who.record.as_str().to_owned();
        let mut script = self.listen(format!("erase {record}"))?;
        if !script.records.contains_key(&record) {
            return Ok(Erasing::AlreadyAbsent);
        }
        match script.manner {
            Manner::Forgets => return Ok(Erasing::Accepted(Ticket("never".to_owned()))),
            Manner::After(reads) => {
                script.going.insert(record, reads);
                return Ok(Erasing::Accepted(Ticket("soon".to_owned())));
            }
            Manner::Archives => drop(script.archived.insert(record)),
            Manner::Well | Manner::Blind | Manner::Down => drop(script.records.remove(&record)),
        }
        Ok(Erasing::Done)
    }

    async fn verify(&self, _: &Cx<'_>, who: &Target, _: Option<&Ticket>) -> Result<Sighting> {
        let record = who.record.as_str().to_owned();
        let mut script = self.listen(format!("verify {record}"))?;
        if script.manner == Manner::Blind {
            return Ok(Sighting::Unverified);
        }
        if let Some(reads) = script.going.get_mut(&record) {
            if *reads == 0 {
                script.going.remove(&record);
                script.records.remove(&record);
            } else {
                *reads -= 1;
            }
        }
        if script.archived.contains(&record) {
            return Ok(Sighting::Archived);
        }
        Ok(if script.records.contains_key(&record) { Sighting::Present } else { Sighting::Absent })
    }
}

#[async_trait]
impl Access for Platform {
    async fn gather(&self, _: &Cx<'_>, who: &Seek) -> Result<Gathered> {
        let script = self.listen("gather".to_owned())?;
        let theirs = |email: &str| {
            Address::email(email).is_some_and(|held| who.addresses.iter().any(|address| address.grant_eq(&held)))
        };
        let found = script.records.iter().filter(|(_, (email, _))| theirs(email));
        let holdings = found.map(|(record, row)| Holding {
            observation: observe(record, row, script.archived.contains(record)),
            kind: "contact".to_owned(),
            fields: vec![Field { path: "/email".to_owned(), value: FieldValue::Text(row.0.clone()) }],
        });
        Ok(Gathered { holdings: holdings.collect(), unseen: vec!["logs".to_owned()] })
    }
}

#[derive(Debug)]
pub(crate) struct Watch(Mutex<Timestamp>);

impl Watch {
    pub(crate) fn pass(&self, time: SignedDuration) {
        *self.0.lock().unwrap() += time;
    }
}

impl Ticks for Watch {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// A journal in memory.
#[derive(Debug, Default)]
pub(crate) struct Notebook(pub(crate) Mutex<Vec<JournalLine>>);

impl Journal for Notebook {
    fn head(&self) -> JournalHead {
        (self.0.lock().unwrap().len() as u64, [0; 32])
    }

    fn knows(&self, head: JournalHead) -> std::result::Result<bool, StoreError> {
        Ok(head.0 <= self.head().0)
    }

    fn after(&self, line: u64) -> std::result::Result<Vec<JournalLine>, StoreError> {
        Ok(self.0.lock().unwrap()[usize::try_from(line).unwrap()..].to_vec())
    }

    fn append(&self, lines: &[JournalLine]) -> std::result::Result<JournalHead, StoreError> {
        self.0.lock().unwrap().extend_from_slice(lines);
        Ok(self.head())
    }
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) watch: Arc<Watch>,
    pub(crate) journal: Arc<Notebook>,
    pub(crate) esp: Arc<Platform>,
    pub(crate) crm: Arc<Platform>,
    /// It can be searched, and erases by hand only.
    pub(crate) files: Arc<Platform>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Vec::new(), Arc::new(Notebook::default()))
    }

    pub(crate) fn with(holds: Vec<HoldRule>, journal: Arc<Notebook>) -> Self {
        let (esp, crm, files) = (Platform::new(true), Platform::new(true), Platform::new(false));
        let system = System {
            clock: Clock::Good,
            zone: None,
            sequenced: false,
            level_max: Level::Confirmed,
            marketing: true,
            channels: email(),
            resubscribe: Resubscribe::Allowed,
        };
        let ids = ["esp", "crm", "files"];
        let systems: Systems = ids.into_iter().map(|id| (SystemId::from(id), system.clone())).collect();
        let instance = |id: &str, connector: &Arc<Platform>| Instance {
            id: id.into(),
            connector: Arc::clone(connector) as Arc<dyn Connector>,
            enabled: true,
            enforce: Enforce::Negatives,
        };
        let watch = Arc::new(Watch(Mutex::new(support::now())));
        let mut keyring = Keyring::default();
        keyring.insert(KeyId(1), vec![7; 32]);
        let engine = Engine {
            store: Arc::new(MemoryStore::with_keyring(keyring.clone())),
            law: Arc::new(Law { policy: support::policy(), systems, keyring }),
            law_hash: "one".to_owned(),
            setup: BTreeMap::new(),
            instances: vec![instance("esp", &esp), instance("crm", &crm), instance("files", &files)],
            options: Options {
                guard: GuardRule { count: 100, share: 0.5 },
                sweep_every: SignedDuration::from_hours(24),
                judge_batch: 100,
                lease: SignedDuration::from_mins(2),
            },
            erasures: Erasures {
                journal: Some(Arc::clone(&journal) as Arc<dyn Journal>),
                holds,
                ..Erasures::default()
            },
            clock: Arc::clone(&watch) as Arc<dyn Ticks>,
            progress: Arc::new(Silent),
        };
        Self { engine, watch, journal, esp, crm, files }
    }

    pub(crate) async fn sync(&self) -> RunReport {
        self.watch.pass(SignedDuration::from_hours(1));
        self.engine.sync(&Order::default()).await.expect("the store works")
    }

    /// Takes a request in and goes on with it.
    pub(crate) async fn erase(&self, email: &str, verified: bool) -> Received {
        let address = Address::email(email).unwrap();
        let request = Request {
            who: Who { addresses: vec![address.clone()], ..Who::default() },
            wanted: Wanted::Address(address),
            verified_by: verified.then(|| "a link sent to the address".to_owned()),
            holds: Vec::new(),
            received_at: None,
        };
        let (mut received, _) = self.engine.receive(&[request]).await.unwrap();
        self.go_on().await;
        received.pop().unwrap()
    }

    pub(crate) async fn go_on(&self) -> RunReport {
        self.engine.pursue(&Order::default()).await.unwrap()
    }

    pub(crate) async fn case(&self, received: &Received) -> Case {
        self.engine.store.case(&received.case).await.unwrap().unwrap()
    }

    /// The states of a system's tasks.
    pub(crate) async fn tasks(&self, received: &Received, system: &str) -> Vec<String> {
        let case = self.case(received).await;
        let part = &case.parts[&SystemId::from(system)];
        part.tasks.values().map(|task| task.state.as_str().to_owned()).collect()
    }
}
