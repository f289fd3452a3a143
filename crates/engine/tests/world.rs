//! The engine over scripted platforms: what it does when they answer well, badly, late or not at all.

#![expect(clippy::unwrap_used, reason = "a scripted platform that fails is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor as File;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use unisson_connector::{
    Account, Action, Batch, Connector, Cursor, Cx, Deletions, Error, ErrorKind, Identity, Info, Next, Observation,
    Outcome, Outcomes, Page, Presence, Proof, Pull, PullSpec, Push, PushSpec, Result, Slot, Stream, StreamId,
};
use unisson_consent::{
    Actor, Address, Channel, Channels, Clock, Evidence, Key, Keyring, Law, Level, Occurred, Purposes, Reason,
    Resubscribe, Scope, Status, System, SystemId, Systems,
};
use unisson_engine::{Approval, Clock as Ticks, Engine, Instance, Options, Order, RunReport, Silent};
use unisson_plan::{Enforce, GuardRule};
use unisson_store::{MemoryStore, Wanted};

#[path = "../../consent/tests/support/mod.rs"]
#[expect(dead_code, reason = "the world of the consent laws; these need its policy")]
mod support;

/// What a scripted platform does next.
#[derive(Debug, Default)]
struct Script {
    /// Its records: address, status.
    records: BTreeMap<String, (String, Status)>,
    /// How many records a page holds.
    page: usize,
    /// The page at which reading fails, and how.
    fails_at: Option<(usize, ErrorKind)>,
    /// Whether every page leads to itself.
    circles: bool,
    /// What becomes of changes, by record; the rest is applied.
    refuses_whole_batches_with: Option<String>,
    loses_answers: bool,
    /// Whether opt-ins carry a proof.
    proves: bool,
    /// Every change in the order in which it was made.
    made: Vec<(Action, String)>,
}

#[derive(Debug)]
struct Platform {
    info: Info,
    pull: PullSpec,
    push: PushSpec,
    script: Mutex<Script>,
}

impl Platform {
    fn new(idempotent: bool) -> Arc<Self> {
        Arc::new(Self {
            info: Info { kind: "scripted", title: "Scripted", channels: email(), limits: vec![], docs: "" },
            pull: PullSpec { incremental: false, incremental_shows_opt_outs: true, deletions: Deletions::InferBySweep },
            push: PushSpec {
                actions: vec![Action::Suppress, Action::Subscribe],
                batch_max: NonZeroUsize::new(50).unwrap(),
                idempotent,
                read_after_write_lag: std::time::Duration::ZERO,
            },
            script: Mutex::new(Script { page: 3, ..Script::default() }),
        })
    }

    fn holds(&self, record: &str, email: &str, status: Status) {
        self.script.lock().unwrap().records.insert(record.to_owned(), (email.to_owned(), status));
    }

    fn status(&self, record: &str) -> Status {
        self.script.lock().unwrap().records[record].1
    }
}

fn email() -> Channels {
    Channels::one(Channel::Email)
}

fn scope() -> Scope {
    Scope { purposes: Purposes::Named(vec!["newsletter".into()]), channels: email() }
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
        let script = self.script.lock().unwrap();
        let offset: usize = from.map_or(0, |cursor| cursor.0.parse().unwrap());
        if let Some((page, kind)) = script.fails_at.filter(|(page, _)| *page == offset / script.page) {
            return Err(Error::new(kind, "read a page").with("page", page));
        }
        let observations =
            script.records.iter().skip(offset).take(script.page).map(|(record, (email, status))| Observation {
                record: record.as_str().into(),
                who: Identity { emails: vec![email.clone()], ..Identity::default() },
                presence: Presence::Present,
                slots: vec![Slot {
                    scope: scope(),
                    status: *status,
                    since: if script.proves {
                        Occurred::Instant(support::at("2026-05-01T00:00:00Z"))
                    } else {
                        Occurred::Unknown
                    },
                    actor: Actor::DataSubject,
                    evidence: if script.proves { support::confirmed() } else { Evidence::default() },
                }],
                events: vec![],
            });
        let observations: Vec<Observation> = observations.collect();
        let after = if script.circles { offset } else { offset + observations.len() };
        let next = if after < script.records.len() {
            Next::More(Cursor(after.to_string()))
        } else {
            Next::End { proof: Proof::TotalReached, resume: None }
        };
        Ok(Page { observations, rejects: vec![], next })
    }
}

#[async_trait]
impl Push for Platform {
    fn spec(&self) -> &PushSpec {
        &self.push
    }

    async fn push(&self, _: &Cx<'_>, batch: Batch) -> Result<Outcomes> {
        let mut script = self.script.lock().unwrap();
        let names = |change: &unisson_connector::Change| change.target.record.as_str().to_owned();
        let poison = script.refuses_whole_batches_with.clone();
        if batch.changes().iter().any(|change| poison.as_deref() == Some(change.target.record.as_str())) {
            return Err(Error::new(ErrorKind::Refused, "write a batch").with("status", 400));
        }
        for change in batch.changes() {
            script.made.push((change.action, names(change)));
            let status = unisson_plan::shows_after(change.action);
            script.records.get_mut(&names(change)).expect("a record").1 = status;
        }
        if script.loses_answers {
            return Err(Error::new(ErrorKind::Lost, "write a batch"));
        }
        Ok(batch.settle(|_| Outcome::Applied))
    }
}

#[derive(Debug)]
struct Watch(Mutex<Timestamp>);

impl Watch {
    fn pass(&self, hours: i64) {
        *self.0.lock().unwrap() += SignedDuration::from_hours(hours);
    }
}

impl Ticks for Watch {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

struct World {
    engine: Engine,
    watch: Arc<Watch>,
    esp: Arc<Platform>,
    crm: Arc<Platform>,
}

impl World {
    fn new(enforce: Enforce, idempotent: bool) -> Self {
        let (esp, crm) = (Platform::new(idempotent), Platform::new(idempotent));
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
        let watch = Arc::new(Watch(Mutex::new(support::now())));
        let engine = Engine {
            store: Arc::new(MemoryStore::new()),
            law: Arc::new(Law { policy: support::policy(), systems, keyring: Keyring::default() }),
            law_hash: "one".to_owned(),
            setup: BTreeMap::new(),
            instances: vec![instance("esp", &esp), instance("crm", &crm)],
            options: Options {
                guard: GuardRule { count: 3, share: 0.4 },
                sweep_every: SignedDuration::from_hours(24),
                judge_batch: 100,
                lease: SignedDuration::from_mins(2),
            },
            erasures: unisson_engine::Erasures::default(),
            clock: Arc::clone(&watch) as Arc<dyn Ticks>,
            progress: Arc::new(Silent),
        };
        Self { engine, watch, esp, crm }
    }

    async fn sync(&self) -> RunReport {
        self.watch.pass(1);
        self.engine.sync(&Order::default()).await.expect("the store works")
    }

    async fn reason(&self, email: &str) -> Reason {
        let address = Address::email(email).unwrap();
        let subjects = self.engine.store.find(&Wanted::Address(address.clone())).await.unwrap();
        let dossiers = self.engine.store.dossiers(&subjects).await.unwrap();
        let standing = unisson_consent::Standing::fold(dossiers[0].facts.iter().cloned(), &[], &self.engine.law);
        let key = Key { address, purpose: "newsletter".into(), channel: Channel::Email, person: None };
        standing.decide(&key, &self.engine.law, self.watch.now()).reason
    }
}

/// Ten people; the first `out` of them left at the CRM and are still subscribed at the mail platform.
fn ten(world: &World, out: usize) {
    for n in 0..10 {
        let email = format!("p{n}@example.com");
        world.esp.holds(&format!("e{n}"), &email, Status::Subscribed);
        let status = if n < out { Status::Unsubscribed } else { Status::Subscribed };
        world.crm.holds(&format!("c{n}"), &email, status);
    }
}

#[tokio::test]
async fn a_poisonous_change_stands_alone_and_the_rest_is_made() {
    let world = World::new(Enforce::Negatives, true);
    ten(&world, 7);
    world.esp.script.lock().unwrap().refuses_whole_batches_with = Some("e4".to_owned());
    let report = world.sync().await;
    let esp = &report.instances["esp"];
    assert_eq!(
        esp.delivered,
        BTreeMap::from([("suppress done".to_owned(), 6), ("suppress refused: 400".to_owned(), 1)])
    );
    assert_eq!(report.outcome().as_str(), "partial");
    assert_eq!(world.esp.status("e4"), Status::Subscribed);
    let again = world.sync().await;
    assert!(again.instances["esp"].delivered.is_empty(), "what was refused is not tried every time");
    assert_eq!(again.outcome().as_str(), "partial", "and it is not forgotten");
    world.esp.script.lock().unwrap().refuses_whole_batches_with = None;
    world.watch.pass(48);
    world.sync().await;
    assert_eq!(world.esp.status("e4"), Status::Unsubscribed, "a suppression is tried again");
}

#[tokio::test]
async fn a_lost_answer_is_read_back_before_anything_is_repeated() {
    let world = World::new(Enforce::Negatives, false);
    ten(&world, 2);
    world.esp.script.lock().unwrap().loses_answers = true;
    let report = world.sync().await;
    assert_eq!(report.outcome().as_str(), "partial", "nothing is done that was not answered");
    world.esp.script.lock().unwrap().loses_answers = false;
    let again = world.sync().await;
    assert_eq!(world.esp.script.lock().unwrap().made.len(), 2, "the platform shows it: nothing is repeated");
    assert_eq!(again.outcome().as_str(), "done", "{again:?}");

    // The write itself was lost with the answer: the platform shows the old state, and it is made again.
    let world = World::new(Enforce::Negatives, false);
    ten(&world, 1);
    world.esp.script.lock().unwrap().loses_answers = true;
    world.sync().await;
    world.esp.holds("e0", "p0@example.com", Status::Subscribed);
    world.esp.script.lock().unwrap().loses_answers = false;
    world.sync().await;
    assert_eq!(world.esp.status("e0"), Status::Unsubscribed);
}

#[tokio::test]
async fn a_failing_platform_is_named_and_suppressions_still_travel_to_the_others() {
    let world = World::new(Enforce::Negatives, true);
    ten(&world, 2);
    world.sync().await;
    world.esp.holds("e5", "p5@example.com", Status::Unsubscribed);
    world.esp.script.lock().unwrap().fails_at = Some((3, ErrorKind::Config));
    let report = world.sync().await;
    assert!(!report.instances["esp"].complete && !report.instances["esp"].errors.is_empty());
    assert_eq!(report.outcome().as_str(), "partial");
    assert_eq!(world.crm.status("c5"), Status::Unsubscribed, "what was read before the failure counts");
}

#[tokio::test]
async fn a_pass_that_was_cut_short_goes_on_where_it_stopped_and_infers_nothing() {
    let world = World::new(Enforce::Negatives, true);
    ten(&world, 0);
    world.esp.script.lock().unwrap().fails_at = Some((2, ErrorKind::Config));
    let cut = world.sync().await;
    assert_eq!(cut.instances["esp"].observed, 6);
    world.esp.script.lock().unwrap().fails_at = None;
    let rest = world.sync().await;
    assert_eq!(rest.instances["esp"].observed, 4, "from the cursor on");
    assert_eq!(rest.instances["esp"].vanished, 0);
    assert_eq!(world.engine.store.contacts(&"esp".into()).await.unwrap(), 10);
}

#[tokio::test]
async fn a_few_that_vanish_from_a_sweep_are_gone_and_too_many_are_not_believed() {
    let world = World::new(Enforce::Negatives, true);
    ten(&world, 0);
    world.sync().await;
    world.esp.script.lock().unwrap().records.remove("e9");
    assert_eq!(world.sync().await.instances["esp"].vanished, 1);
    world.esp.script.lock().unwrap().records.clear();
    let report = world.sync().await;
    assert_eq!(report.instances["esp"].vanished, 0);
    assert!(report.instances["esp"].errors[0].contains("too many to believe"));
    assert_eq!(world.engine.store.contacts(&"esp".into()).await.unwrap(), 9);
}

#[tokio::test]
async fn a_page_that_leads_to_itself_ends_the_pass() {
    let world = World::new(Enforce::Negatives, true);
    ten(&world, 0);
    world.esp.script.lock().unwrap().circles = true;
    let report = world.sync().await;
    assert!(report.instances["esp"].errors[0].contains("leads to itself"), "{report:?}");
    assert!(report.instances["crm"].complete);
}

#[tokio::test]
async fn what_the_guard_holds_stays_held_until_it_is_approved() {
    let world = World::new(Enforce::Full, true);
    ten(&world, 0);
    let report = world.sync().await;
    // Nobody can prove an opt-in here: full enforcement would empty the base, and the guard sees that.
    assert_eq!(report.outcome().as_str(), "held");
    assert_eq!(world.esp.script.lock().unwrap().made, []);
    let still = world.sync().await;
    assert_eq!(still.outcome().as_str(), "held", "held changes are not forgotten");
    let runs: BTreeSet<String> = still.instances.values().flat_map(|part| part.held.keys().cloned()).collect();
    for run in runs {
        world.engine.approve(&unisson_plan::RunId(run)).await.unwrap();
    }
    assert_eq!(world.esp.script.lock().unwrap().made.len(), 10);
    assert_eq!(world.sync().await.outcome().as_str(), "done");
    assert_eq!(world.reason("p1@example.com").await, Reason::Unqualified, "our own suppression is no withdrawal");
}

#[tokio::test]
async fn a_dry_run_writes_to_no_platform_and_its_plan_is_carried_out_by_the_next() {
    let world = World::new(Enforce::Negatives, true);
    ten(&world, 3);
    let dry = world.engine.sync(&Order { dry_run: true, ..Order::default() }).await.unwrap();
    assert_eq!(dry.total(|part| part.planned.values().sum()), 3);
    assert_eq!(world.esp.script.lock().unwrap().made, []);
    let report = world.sync().await;
    assert_eq!(report.total(|part| part.delivered.values().sum()), 3);
}

#[tokio::test]
async fn nobody_is_brought_back_while_one_platform_cannot_be_read_to_its_end() {
    let world = World::new(Enforce::Full, true);
    ten(&world, 0);
    world.crm.script.lock().unwrap().proves = true;
    world.esp.script.lock().unwrap().proves = true;
    world.esp.holds("e0", "p0@example.com", Status::Never);
    world.esp.script.lock().unwrap().fails_at = Some((3, ErrorKind::Config));
    let report = world.sync().await;
    assert_eq!(report.instances["esp"].waiting, BTreeMap::from([("subscribe pending".to_owned(), 1)]));
    assert_eq!(world.esp.status("e0"), Status::Never);
    world.esp.script.lock().unwrap().fails_at = None;
    world.sync().await;
    assert_eq!(world.esp.status("e0"), Status::Subscribed);
}

#[tokio::test]
async fn a_cursor_that_leads_nowhere_is_given_up_with_words_and_the_stream_is_swept() {
    let world = World::new(Enforce::Negatives, true);
    ten(&world, 0);
    world.esp.script.lock().unwrap().fails_at = Some((2, ErrorKind::Config));
    world.sync().await;
    world.esp.script.lock().unwrap().fails_at = Some((2, ErrorKind::Incomplete));
    let stuck = world.sync().await;
    assert!(stuck.instances["esp"].notes[0].contains("from the beginning"), "{stuck:?}");
    world.esp.script.lock().unwrap().fails_at = None;
    let swept = world.sync().await;
    assert_eq!(swept.instances["esp"].observed, 10);
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_no_word_of_the_persons_when_it_comes_back() {
    let world = World::new(Enforce::Full, true);
    // Few people, so that the guard lets them pass; nobody can prove an opt-in, so each is suppressed.
    for n in 0..2 {
        world.esp.holds(&format!("e{n}"), &format!("p{n}@example.com"), Status::Subscribed);
    }
    world.esp.script.lock().unwrap().loses_answers = true;
    world.sync().await;
    assert_eq!(world.esp.status("e0"), Status::Unsubscribed, "it arrived, and only its answer was lost");
    world.esp.script.lock().unwrap().loses_answers = false;
    world.sync().await;
    assert_eq!(world.reason("p0@example.com").await, Reason::Unqualified);
}

#[tokio::test]
async fn what_nothing_can_carry_out_is_named_in_every_run_until_it_can_be() {
    let world = World::new(Enforce::Full, true);
    ten(&world, 0);
    world.crm.script.lock().unwrap().proves = true;
    world.esp.script.lock().unwrap().proves = true;
    // Nobody confirmed for a year and more: inside the window, each may be asked, and no campaign is there to ask.
    *world.watch.0.lock().unwrap() = support::at("2029-05-10T00:00:00Z");
    for _ in 0..2 {
        let report = world.sync().await;
        let named = &report.instances["esp"].unreached;
        assert_eq!(named.values().sum::<u64>(), 10, "{named:?}");
        assert_eq!(report.outcome().as_str(), "partial");
    }
}

#[tokio::test]
async fn a_plan_brings_nobody_back_while_one_platform_cannot_be_read_to_its_end() {
    let world = World::new(Enforce::Full, true);
    ten(&world, 0);
    world.crm.script.lock().unwrap().proves = true;
    world.esp.script.lock().unwrap().proves = true;
    world.esp.holds("e0", "p0@example.com", Status::Never);
    let outlook = world.engine.plan(&Order::default(), 3).await.unwrap();
    assert_eq!((outlook.changes, outlook.instances["esp"].groups[0].action), (1, "subscribe"));
    let mut plan = Vec::new();
    world.engine.write_plan(&outlook, &mut plan).await.unwrap();
    let apply = async || world.engine.apply(File::new(plan.as_slice()), Approval::Asked).await.unwrap();
    world.esp.script.lock().unwrap().fails_at = Some((3, ErrorKind::Config));
    let report = apply().await;
    assert_eq!(report.instances["esp"].waiting, BTreeMap::from([("subscribe pending".to_owned(), 1)]));
    assert_eq!((report.outcome().as_str(), world.esp.status("e0")), ("partial", Status::Never));
    world.esp.script.lock().unwrap().fails_at = None;
    assert_eq!(apply().await.outcome().as_str(), "done");
    assert_eq!(world.esp.status("e0"), Status::Subscribed);
}
