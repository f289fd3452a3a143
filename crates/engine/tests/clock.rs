//! A host whose clock jumps, between runs and in the middle of one: nothing is lost, no refusal becomes permission, and
//! the run says that the clock is wrong.

#![expect(clippy::unwrap_used, reason = "a scripted platform that fails is a failed test")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use unisson_connector::{
    Account, Action, Batch, Connector, Cursor, Cx, Deletions, Error, ErrorKind, Identity, Info, Next, Observation,
    Outcome, Outcomes, Page, Presence, Proof, Pull, PullSpec, Push, PushSpec, Result, Slot, Stream, StreamId,
};
use unisson_consent::{
    Actor, Address, Channel, Channels, Clock, Evidence, Fact, FactId, Key, Keyring, Kind, Law, Level, Occurred,
    Purposes, Resubscribe, Scope, Standing, Status, System, SystemId, Systems, Verdict, Via, Who,
};
use unisson_engine::{Clock as Ticks, Engine, Instance, Options, Order, RunReport, Silent, Teller};
use unisson_plan::{Enforce, GuardRule};
use unisson_store::{MemoryStore, Wanted};

#[path = "../../consent/tests/support/mod.rs"]
#[expect(dead_code, reason = "the world of the consent laws; these need its policy")]
mod support;

/// How many people there are.
const PEOPLE: usize = 6;
/// For how long a platform may show the state from before a write.
const LAG: Duration = Duration::from_mins(10);

/// The true time, and how far the host's clock is from it.
#[derive(Debug)]
struct Time(Mutex<Hands>);

#[derive(Debug)]
struct Hands {
    truth: Timestamp,
    wrong_by: SignedDuration,
    began: Timestamp,
    /// After so many glances at the clock it is wrong by so much; one jump after the other.
    jumps: VecDeque<(usize, SignedDuration)>,
}

impl Time {
    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap()
    }

    fn pass(&self, time: SignedDuration) {
        self.hands().truth += time;
    }

    fn set_wrong_by(&self, by: SignedDuration) {
        self.hands().wrong_by = by;
    }

    fn truth(&self) -> Timestamp {
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
struct Platform {
    info: Info,
    pull: PullSpec,
    push: PushSpec,
    time: Arc<Time>,
    records: Mutex<BTreeMap<usize, (Status, Timestamp)>>,
    /// How many writes are told to come back later.
    busy: Mutex<u32>,
}

impl Platform {
    fn new(time: &Arc<Time>) -> Arc<Self> {
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
    fn act(&self, person: usize, status: Status) {
        self.records.lock().unwrap().insert(person, (status, self.time.truth()));
    }

    fn status(&self, person: usize) -> Status {
        self.records.lock().unwrap()[&person].0
    }
}

fn email() -> Channels {
    Channels::one(Channel::Email)
}

fn address(person: usize) -> String {
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

struct World {
    engine: Engine,
    time: Arc<Time>,
    esp: Arc<Platform>,
    crm: Arc<Platform>,
}

impl World {
    fn new() -> Self {
        Self::enforcing(Enforce::Full)
    }

    fn enforcing(enforce: Enforce) -> Self {
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
            clock: Arc::clone(&time) as Arc<dyn Ticks>,
            progress: Arc::new(Silent),
        };
        Self { engine, time, esp, crm }
    }

    /// Some hours later, a run.
    async fn sync_after(&self, hours: i64) -> RunReport {
        self.time.pass(SignedDuration::from_hours(hours));
        self.engine.sync(&Order::default()).await.expect("the store works")
    }

    async fn verdict(&self, person: usize) -> Verdict {
        let address = Address::email(&address(person)).unwrap();
        let subjects = self.engine.store.find(&Wanted::Address(address.clone())).await.unwrap();
        let dossiers = self.engine.store.dossiers(&subjects).await.unwrap();
        let standing = Standing::fold(dossiers[0].facts.iter().cloned(), &[], &self.engine.law);
        let key = Key { address, purpose: "newsletter".into(), channel: Channel::Email, person: None };
        standing.decide(&key, &self.engine.law, self.time.truth()).verdict
    }

    /// What the store remembers to be decided.
    async fn remembered(&self, person: usize) -> Verdict {
        let address = Address::email(&address(person)).unwrap();
        let standings = self.engine.store.standings(None, 100).await.unwrap();
        let mut known = standings.into_iter().flat_map(|(_, decisions)| decisions);
        let its = |key: &Key| key.address == address && key.purpose.as_str() == "newsletter";
        known.find(|known| its(&known.key)).unwrap().decision.verdict
    }

    async fn is_out(&self, person: usize) -> bool {
        let shut = |platform: &Platform| platform.status(person) == Status::Unsubscribed;
        self.verdict(person).await == Verdict::Deny && shut(&self.esp) && shut(&self.crm)
    }

    async fn is_in(&self, person: usize) -> bool {
        let open = |platform: &Platform| platform.status(person) == Status::Subscribed;
        self.verdict(person).await == Verdict::Allow && open(&self.esp) && open(&self.crm)
    }
}

#[tokio::test]
async fn a_refusal_that_is_heard_by_a_clock_set_back_is_still_a_refusal() {
    let world = World::new();
    // The consent is newer than the time to which the clock is set back.
    world.esp.act(0, Status::Subscribed);
    world.crm.act(0, Status::Subscribed);
    world.sync_after(1).await;
    assert!(world.is_in(0).await);
    world.time.set_wrong_by(SignedDuration::from_hours(-12));
    world.crm.act(0, Status::Unsubscribed);
    world.sync_after(5).await;
    assert!(world.is_out(0).await, "esp {:?}, crm {:?}", world.esp.status(0), world.crm.status(0));
    world.time.set_wrong_by(SignedDuration::ZERO);
    world.sync_after(1).await;
    assert!(world.is_out(0).await && world.is_in(1).await);
}

#[tokio::test]
async fn a_sweep_and_a_retry_that_a_clock_ahead_has_dated_wait_no_month_for_it() {
    let world = World::new();
    world.sync_after(1).await;
    world.time.set_wrong_by(SignedDuration::from_hours(30 * 24));
    world.crm.act(0, Status::Unsubscribed);
    *world.esp.busy.lock().unwrap() = 1;
    world.sync_after(1).await;
    assert_eq!(world.esp.status(0), Status::Subscribed, "the platform had no time for it");
    world.time.set_wrong_by(SignedDuration::ZERO);
    world.crm.act(1, Status::Unsubscribed);
    world.sync_after(5).await;
    assert!(world.is_out(0).await, "what was to be tried again is tried");
    assert!(world.is_out(1).await, "who left since is heard");
}

#[tokio::test]
async fn who_leaves_after_we_brought_them_back_is_no_stale_read_for_a_clock_set_back() {
    let world = World::new();
    world.esp.act(0, Status::Unsubscribed);
    world.time.pass(SignedDuration::from_hours(1));
    world.crm.act(0, Status::Subscribed);
    world.sync_after(1).await;
    assert!(world.is_in(0).await, "a later consent brings them back");
    world.time.set_wrong_by(SignedDuration::from_hours(-12));
    world.time.pass(SignedDuration::from_hours(5));
    world.esp.act(0, Status::Unsubscribed);
    world.sync_after(1).await;
    assert!(world.is_out(0).await, "esp {:?}, crm {:?}", world.esp.status(0), world.crm.status(0));
}

#[tokio::test]
async fn what_a_clock_ahead_let_lapse_is_taken_back_once_it_is_set_right() {
    for enforce in [Enforce::Full, Enforce::Observe] {
        let world = World::enforcing(enforce);
        // Three years without a sign of life are over in eight days.
        for platform in [&world.esp, &world.crm] {
            let joined = world.time.truth() - SignedDuration::from_hours(24 * (1096 - 8));
            platform.records.lock().unwrap().insert(0, (Status::Subscribed, joined));
        }
        world.sync_after(1).await;
        assert_eq!(world.remembered(0).await, Verdict::Allow);
        world.time.set_wrong_by(SignedDuration::from_hours(24 * 90));
        world.sync_after(1).await;
        assert_eq!(world.remembered(0).await, Verdict::Deny, "by this clock it has lapsed");
        world.time.set_wrong_by(SignedDuration::ZERO);
        world.sync_after(1).await;
        assert_eq!(world.remembered(0).await, Verdict::Allow);
        assert!(world.is_in(0).await, "esp {:?}, crm {:?}", world.esp.status(0), world.crm.status(0));
        let judged = world.sync_after(1).await.judged;
        assert_eq!(judged, 0, "nobody is judged anew in every run until that moment has come");
    }
}

#[tokio::test]
async fn a_list_that_is_told_to_a_clock_set_back_counts_after_what_is_known() {
    let world = World::new();
    world.esp.act(0, Status::Subscribed);
    world.crm.act(0, Status::Subscribed);
    world.sync_after(1).await;
    world.time.set_wrong_by(SignedDuration::from_hours(-12));
    let now = world.time.now();
    let who = Who { addresses: vec![Address::email(&address(0)).unwrap()], ..Who::default() };
    let refusal = Fact {
        id: FactId::of(&["list", "p0"]),
        system: "esp".into(),
        record: None,
        who,
        observed_at: now,
        occurred: Occurred::Unknown,
        seq: None,
        actor: Actor::DataSubject,
        via: Via::Message,
        scope: Scope { purposes: Purposes::AllMarketing, channels: email() },
        kind: Kind::Withdraw,
        echo_of: None,
    };
    let mut teller = Teller::new(world.engine.store.as_ref(), world.time.as_ref(), false);
    teller.tell(refusal).await.unwrap();
    assert_eq!(teller.finish().await.unwrap().new, 1);
    world.sync_after(1).await;
    assert!(world.is_out(0).await, "esp {:?}, crm {:?}", world.esp.status(0), world.crm.status(0));
}

#[tokio::test]
async fn a_run_tells_that_the_clock_has_jumped() {
    let hours = SignedDuration::from_hours;
    let told = |report: &RunReport| report.warnings.join("; ");
    let world = World::new();
    assert_eq!(told(&world.sync_after(1).await), "");
    assert_eq!(told(&world.sync_after(20).await), "", "a night is nothing to speak of");
    world.time.set_wrong_by(hours(-5));
    let back = world.sync_after(1).await;
    assert!(told(&back).starts_with("the clock stands 4 hours before"), "{}", told(&back));
    assert_eq!(back.outcome().as_str(), "done", "refusals travel all the same");
    let runs = world.engine.store.runs(1).await.unwrap();
    assert!(runs[0].report.contains("the clock stands") || runs[0].started_at > back.started_at);
    world.time.set_wrong_by(hours(0));
    assert_eq!(told(&world.sync_after(1).await), "");

    world.time.set_wrong_by(hours(30 * 24));
    let ahead = world.sync_after(1).await;
    assert!(told(&ahead).starts_with("the last run lies 30 days back"), "{}", told(&ahead));
    world.time.set_wrong_by(hours(0));
    let right = world.sync_after(1).await;
    assert!(told(&right).starts_with("the clock stands 29 days before"), "{}", told(&right));

    for (by, words) in
        [(30 * 24, "the clock jumped ahead while this run was made"), (-7, "the clock was set back by 7 hours")]
    {
        let world = World::new();
        world.sync_after(1).await;
        world.time.hands().jumps.push_back((4, hours(by)));
        let during = world.sync_after(1).await;
        assert!(told(&during).starts_with(words), "{}", told(&during));
    }
}

/// What happens between two runs.
#[derive(Debug, Clone)]
enum Event {
    /// Somebody leaves at one of the platforms.
    Leaves(usize, bool),
    /// The clock is wrong by so many hours from now on.
    Wrong(i64),
    /// It becomes wrong by so many hours in the middle of a run.
    Jumps(usize, i64),
    /// Hours pass, and a run is made.
    Runs(i64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let wrong = prop_oneof![Just(0), -12_i64..0, 1_i64..12, Just(30 * 24), Just(-30 * 24)];
    let event = prop_oneof![
        3 => (0..PEOPLE - 1, any::<bool>()).prop_map(|(person, crm)| Event::Leaves(person, crm)),
        2 => wrong.clone().prop_map(Event::Wrong),
        4 => (0_usize..30, wrong).prop_map(|(glances, hours)| Event::Jumps(glances, hours)),
        4 => (1_i64..30).prop_map(Event::Runs),
    ];
    prop::collection::vec(event, 4..20)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_clock_did_whoever_left_is_out_everywhere_and_nobody_else(events in events()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (left, out, inside, order) = runtime.block_on(async {
            let world = World::new();
            let mut left = BTreeSet::new();
            world.sync_after(1).await;
            for event in &events {
                match event {
                    Event::Leaves(person, crm) => {
                        let platform = if *crm { &world.crm } else { &world.esp };
                        platform.act(*person, Status::Unsubscribed);
                        left.insert(*person);
                    }
                    Event::Wrong(hours) => world.time.set_wrong_by(SignedDuration::from_hours(*hours)),
                    Event::Jumps(glances, hours) => {
                        world.time.hands().jumps.push_back((*glances, SignedDuration::from_hours(*hours)));
                    }
                    Event::Runs(hours) => drop(world.sync_after(*hours).await),
                }
            }
            // Somebody sets it right.
            world.time.hands().jumps.clear();
            world.time.set_wrong_by(SignedDuration::ZERO);
            world.sync_after(5).await;
            world.sync_after(5).await;
            let (mut out, mut inside) = (BTreeSet::new(), BTreeSet::new());
            for person in 0..PEOPLE {
                if world.is_out(person).await {
                    out.insert(person);
                } else if world.is_in(person).await {
                    inside.insert(person);
                }
            }
            let commits = world.engine.store.commits(1, 10_000).await.unwrap();
            (left, out, inside, commits.iter().map(|commit| commit.at).collect::<Vec<_>>())
        });
        prop_assert_eq!(&out, &left);
        prop_assert_eq!(inside, (0..PEOPLE).filter(|person| !left.contains(person)).collect::<BTreeSet<_>>());
        prop_assert!(order.is_sorted(), "the ledger goes back in time: {:?}", order);
    }
}
