//! `kill -9` at random moments of a company's life: in the end it is as if nothing had happened.
//!
//! Every company lives through some rounds: people act, syncs are killed, then syncs may finish and what the guard holds
//! is approved. It is compared with one that lived the same life undisturbed. Moments are drawn by the number of a call,
//! which a gate holds back before or after the platform acts on it while its sender is killed; by a share of the time that
//! a phase takes; or by a share of the whole run.
//!
//! Two variables of the environment steer it:
//! `UNISSON_KILLS` says how many kills there are ([`KILLS`] where it says nothing; 200 in continuous integration, which
//! take about a minute on two cores). `UNISSON_KILLED_COMPANY` says which one company is killed, to see a failure again:
//! it is named in what the failure says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use unisson_sandbox::{Audience, BrevoDeed, HubSpotDeed, MailchimpDeed, SUBSCRIPTION_IDS, System};
use unisson_tests::{Company, Deed, Gate, Hold, Kind, Log, Phase, Picture, Runner, Side, Watched, deeds, held_runs};

/// How many kills there are where the environment names no number.
const KILLS: u32 = 40;
/// How many rounds a company lives through.
const ROUNDS: u64 = 3;
/// How often it is killed in one round.
const KILLS_PER_ROUND: u32 = 5;
/// How many companies are killed at once.
const AT_ONCE: usize = 2;

/// A deed that was asked of a platform: in which chapter, and whether it was carried out.
type Asked = (u32, bool, Deed);

/// How long a command may take before it counts as stuck.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long one is left to work at most once its call is held.
const BREATH: Duration = Duration::from_millis(30);
/// What lies between two rounds: longer than a platform that only a sweep shows may go without one.
const REST: Duration = Duration::from_hours(5);

/// How a company is set up.
#[derive(Debug, Clone, Copy)]
struct Variant {
    seed: u64,
    people: u32,
    enforce: &'static str,
    guard: u32,
    /// Whether it has a third platform, which lets itself be written to only slowly.
    third: bool,
}

const VARIANTS: [Variant; 3] = [
    Variant { seed: 23, people: 60, enforce: "negatives", guard: 1_000, third: true },
    Variant { seed: 41, people: 60, enforce: "full", guard: 5, third: false },
    Variant { seed: 59, people: 130, enforce: "full", guard: 1_000, third: false },
];

impl Variant {
    /// Small pages and commits, so that there is much to be killed between.
    fn settings(self, shipped: &str) -> String {
        let mut settings: toml::Table = shipped.parse().expect("the settings are TOML");
        let instances = settings["instances"].as_table_mut().expect("instances");
        if !self.third {
            instances.remove("campaigns");
        }
        for (name, instance) in instances.iter_mut() {
            let instance = instance.as_table_mut().expect("an instance");
            match name.as_str() {
                "news" => drop(instance.insert("page_size".to_owned(), 20.into())),
                "campaigns" => {
                    instance.insert("page_size".to_owned(), 20.into());
                    instance.insert("tier".to_owned(), "extended".into());
                }
                _ => {}
            }
            if instance.contains_key("enforce") {
                instance.insert("enforce".to_owned(), self.enforce.into());
            }
        }
        let section = |key: &str, value: u32| toml::Table::from_iter([(key.to_owned(), i64::from(value).into())]);
        settings.insert("sync".to_owned(), section("commit_size", 25).into());
        settings.insert("guard".to_owned(), section("count", self.guard).into());
        settings.to_string()
    }
}

/// A company with a gate before its platforms.
struct Guarded {
    company: Company,
    gate: Gate,
}

impl Guarded {
    async fn found(variant: Variant) -> Self {
        let mut gate = None;
        let company = Company::found(variant.seed, variant.people, |shipped| {
            let (before, settings) = Gate::before(&variant.settings(&shipped));
            gate = Some(before);
            settings
        });
        let company = company.await;
        Self { company, gate: gate.expect("settings were asked for") }
    }

    /// What people do in a round, and the time before it.
    fn act(&self, round: u64) {
        if round == 0 {
            return;
        }
        let twins = &self.company.twins;
        let (mail, crm, campaigns) = (twins.mailchimp(), twins.hubspot(), twins.brevo());
        twins.clock().advance(REST);
        for (at, person) in twins.population().people().enumerate() {
            let (letter, events) = (person.spelling(System::Letter), person.spelling(System::Events));
            let (at_crm, third) = (person.spelling(System::Crm), person.spelling(System::Campaigns));
            let topic = SUBSCRIPTION_IDS[at % SUBSCRIPTION_IDS.len()];
            // Whoever is not there cannot do it.
            let _done = match Dice(round).throw(at as u64 * 7 + 1) % 14 {
                0 => mail.act(Audience::Letter, &letter, MailchimpDeed::Unsubscribe).is_ok(),
                1 => mail.act(Audience::Events, &events, MailchimpDeed::Complain).is_ok(),
                2 => mail.act(Audience::Letter, &letter, MailchimpDeed::Bounce).is_ok(),
                3 => crm.act(&at_crm, HubSpotDeed::UnsubscribeAll).is_ok(),
                4 => crm.act(&at_crm, HubSpotDeed::Unsubscribe(topic)).is_ok(),
                5 => crm.act(&at_crm, HubSpotDeed::SignUp(topic)).is_ok(),
                6 => {
                    mail.act(Audience::Letter, &letter, MailchimpDeed::SignUp).is_ok()
                        && mail.act(Audience::Letter, &letter, MailchimpDeed::Confirm).is_ok()
                }
                7 => campaigns.act(&third, BrevoDeed::Unsubscribe).is_ok(),
                8 => campaigns.act(&third, BrevoDeed::LeaveList(5)).is_ok(),
                _ => false,
            };
        }
        // The host's clock cannot be moved from here; what it has dated can.
        let earlier = i64::try_from(REST.as_nanos()).expect("a few hours");
        let moved = self.company.store().execute("UPDATE stream SET swept_at = swept_at - ?1", [earlier]);
        moved.expect("the store is written");
    }

    /// Syncs and approves until nothing is left to do, each command as a chapter of its own.
    async fn settle(&self) {
        for _ in 0..12 {
            self.gate.begin(None);
            let run = self.company.run(&["sync", "--json"]).await;
            assert!(matches!(run.code, 0 | 2 | 3), "{}\n{}", run.out, run.err);
            let report = run.json();
            let held = held_runs(&report);
            for name in &held {
                self.gate.begin(None);
                let run = self.company.run(&["approve", name, "--json"]).await;
                assert!(matches!(run.code, 0 | 2 | 3), "{}\n{}", run.out, run.err);
            }
            if held.is_empty() && unisson_tests::planned(&report) + unisson_tests::delivered(&report) == 0 {
                return;
            }
        }
        panic!("the company does not come to rest");
    }
}

/// What an undisturbed company shows, round by round, and how long its first sync of each took.
struct Model {
    variant: Variant,
    rounds: Vec<(Picture, Pace)>,
}

/// How long a run takes, and in how many calls.
#[derive(Debug, Clone, Copy)]
struct Pace {
    calls: [u32; 2],
    whole: Duration,
    judging: Duration,
}

impl Model {
    async fn of(variant: Variant) -> Self {
        let one = Guarded::found(variant).await;
        let mut rounds = Vec::new();
        for round in 0..ROUNDS {
            one.act(round);
            one.gate.begin(None);
            let mut runner = Runner::start(&one.company, &["sync"]);
            runner.ends().await;
            let watched = runner.kill();
            assert!(watched.code.is_some_and(|code| code != 1), "{}", watched.said);
            let from = watched.phases[0].1;
            let whole = watched.phases.last().map_or(Duration::ZERO, |(_, at)| *at - from);
            let pace = Pace { calls: one.gate.seen(), whole, judging: watched.spent(Phase::Judging) };
            one.settle().await;
            rounds.push((one.company.picture().await, pace));
        }
        Self { variant, rounds }
    }
}

/// A source of chance that gives the same for the same number (the finaliser of `SplitMix64`).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.throw(0)
    }

    fn throw(&self, salt: u64) -> u64 {
        let mut z = self.0.wrapping_add(salt.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A part of this time.
    fn part(&mut self, of: Duration) -> Duration {
        of.mul_f64(f64::from(u32::try_from(self.next() >> 33).unwrap_or(0)) / f64::from(1_u32 << 31))
    }

    /// From one to this number.
    fn up_to(&mut self, most: u32) -> u32 {
        u32::try_from(self.next() % u64::from(most.max(1))).unwrap_or(0) + 1
    }
}

/// When a command is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So long after a call was held.
    Call(Hold, Duration),
    /// So long after it began to judge for the how-manyeth time.
    Judging(usize, Duration),
    /// So long after its start.
    Start(Duration),
}

impl Moment {
    fn draw(dice: &mut Dice, pace: Pace) -> Self {
        let side = if dice.next().is_multiple_of(2) { Side::Before } else { Side::After };
        let [reads, writes] = pace.calls;
        match dice.next() % 8 {
            0 | 1 => Self::Call(Hold { kind: Kind::Read, number: dice.up_to(reads), side }, dice.part(BREATH)),
            // What was delivered before a kill is not delivered again: later numbers come less and less often.
            2..=4 => {
                let most = dice.up_to(writes);
                Self::Call(Hold { kind: Kind::Write, number: dice.up_to(most), side }, dice.part(BREATH))
            }
            5 => Self::Judging(1, dice.part(pace.judging)),
            6 => Self::Judging(2, dice.part(pace.judging)),
            _ => Self::Start(dice.part(pace.whole)),
        }
    }

    fn hold(self) -> Option<Hold> {
        match self {
            Self::Call(hold, _) => Some(hold),
            Self::Judging(..) | Self::Start(_) => None,
        }
    }

    /// Waits for it.
    async fn comes(self, log: Log, gate: &Gate) {
        let pause = match self {
            Self::Call(_, pause) => {
                gate.caught().await;
                pause
            }
            Self::Judging(time, pause) => {
                log.enters(Phase::Judging, time).await;
                pause
            }
            Self::Start(pause) => pause,
        };
        tokio::time::sleep(pause).await;
    }
}

/// What became of the kills of one company.
#[derive(Debug, Default, Clone)]
struct Toll(BTreeMap<Phase, u32>);

impl Toll {
    fn total(&self) -> u32 {
        self.0.values().sum()
    }

    fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(phase, kills)| *self.0.entry(*phase).or_default() += kills);
    }
}

impl fmt::Display for Toll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = Phase::ALL.map(|phase| format!("{phase:?} {}", self.0.get(&phase).unwrap_or(&0)));
        write!(f, "{} kills: {}", self.total(), parts.join(", ").to_lowercase())
    }
}

/// A company that is killed again and again.
struct Victim {
    number: u32,
    model: Arc<Model>,
    guarded: Guarded,
    dice: Dice,
    toll: Toll,
    /// The chapters that ended by a kill.
    killed: BTreeSet<u32>,
    /// What happened, for whoever reads a failure.
    story: Vec<String>,
}

impl Victim {
    async fn found(number: u32, models: &[Arc<Model>]) -> Self {
        let model = Arc::clone(&models[number as usize % models.len()]);
        let guarded = Guarded::found(model.variant).await;
        let dice = Dice(u64::from(number).wrapping_mul(0x2545_f491_4f6c_dd1d));
        Self { number, model, guarded, dice, toll: Toll::default(), killed: BTreeSet::new(), story: Vec::new() }
    }

    /// Its whole life.
    async fn live(mut self) -> Toll {
        for round in 0..ROUNDS {
            self.guarded.act(round);
            let first = self.guarded.gate.passages().len();
            let model = Arc::clone(&self.model);
            let (picture, pace) = &model.rounds[usize::try_from(round).expect("a small number")];
            for _ in 0..KILLS_PER_ROUND {
                self.strike(*pace).await;
            }
            self.guarded.settle().await;
            if let Some(unlike) = self.guarded.company.picture().await.unlike(picture) {
                panic!("{}after round {round} it shows\n{unlike}", self.told());
            }
            self.count_writes(first);
        }
        self.audit().await;
        self.toll
    }

    /// Starts a command and kills it.
    async fn strike(&mut self, pace: Pace) {
        let moment = Moment::draw(&mut self.dice, pace);
        let approves = !self.dice.next().is_multiple_of(4);
        let held = if approves { self.held().await } else { None };
        let arguments = held.as_ref().map_or(vec!["sync"], |run| vec!["approve", run]);
        let gate = &self.guarded.gate;
        let chapter = gate.begin(moment.hold());
        let mut runner = Runner::start(&self.guarded.company, &arguments);
        let came = tokio::time::timeout(PATIENCE, async {
            let log = runner.log();
            tokio::select! {
                () = runner.ends() => {}
                () = moment.comes(log, gate) => {}
            }
        });
        let stuck = came.await.is_err();
        let watched = runner.kill();
        gate.settle().await;
        self.story.push(format!("{arguments:?} {moment:?}: {:?} {:?}", watched.code, watched.last()));
        assert!(!stuck, "{}it hangs:\n{}", self.told(), watched.said);
        self.note(chapter, &watched);
    }

    fn note(&mut self, chapter: u32, watched: &Watched) {
        match watched.code {
            None => {
                self.killed.insert(chapter);
                *self.toll.0.entry(watched.last()).or_default() += 1;
            }
            Some(code) => assert!(matches!(code, 0 | 2 | 3), "{}it ends by {code}:\n{}", self.told(), watched.said),
        }
    }

    /// A run that the guard holds.
    async fn held(&self) -> Option<String> {
        let status = self.guarded.company.run(&["status", "--json"]).await;
        // A store of which a kill has left no table yet is none.
        let waiting = if status.code == 1 { None } else { status.json()["outbox"].as_array().cloned() };
        waiting?.iter().find_map(|line| line["run"].as_str().map(str::to_owned))
    }

    /// Holds what was asked of the platforms in this round against what may be asked.
    fn count_writes(&self, first: usize) {
        let passages = self.guarded.gate.passages();
        let mut asked_of: BTreeMap<(&str, String, String), Vec<Asked>> = BTreeMap::new();
        let mut opened: BTreeMap<(u32, &str), Deed> = BTreeMap::new();
        for passage in &passages[first..] {
            for deed in deeds(passage) {
                if deed.opens() {
                    opened.entry((passage.chapter, deed.platform)).or_insert_with(|| deed.clone());
                } else if let Some(before) = opened.get(&(passage.chapter, deed.platform)) {
                    panic!("{}{before:?} was let in before {deed:?}", self.told());
                }
                let key = (deed.platform, deed.record.clone(), deed.slot.clone());
                asked_of.entry(key).or_default().push((passage.chapter, passage.carried_out, deed));
            }
        }
        for ((platform, record, slot), asked) in &asked_of {
            let values: BTreeSet<&str> = asked.iter().map(|(_, _, deed)| deed.value.as_str()).collect();
            assert!(values.len() == 1, "{}{record} {slot} was set to this and that: {asked:?}", self.told());
            // What the platform shows in every read after it is never asked again. Below a place that was shut it shows
            // nothing, and a CRM shows what it was told only in a sweep.
            let wide = if *platform == "mailchimp" { "status" } else { "emailBlacklisted" };
            let is_below = slot != wide && asked_of.contains_key(&(*platform, record.clone(), wide.to_owned()));
            let is_seen = *platform != "hubspot" && !is_below;
            for (earlier, later) in asked.iter().zip(asked.iter().skip(1)) {
                let (chapter, carried_out, _) = earlier;
                // A dead address is met on several slots of a member, and every one of them says so of the whole member.
                if later.0 == *chapter && later.2.value == "cleaned" {
                    continue;
                }
                let is_lost = self.killed.contains(chapter) && later.0 != *chapter;
                assert!(is_lost, "{}{record} {slot} was asked for again, though answered: {asked:?}", self.told());
                let is_needless = *carried_out && is_seen;
                assert!(!is_needless, "{}{record} {slot} was asked for again, though seen: {asked:?}", self.told());
            }
        }
    }

    /// What must hold in the end, whatever happened.
    async fn audit(&self) {
        let verified = self.guarded.company.run(&["ledger", "verify"]).await;
        assert_eq!(verified.code, 0, "{}{}", self.told(), verified.err);
        let store = self.guarded.company.store();
        let count = |sql: &str| store.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("the store answers");
        assert_eq!(count("SELECT COUNT(*) FROM outbox WHERE state = 'leased'"), 0, "{}", self.told());
        assert_eq!(count("SELECT COUNT(*) FROM run WHERE state = 'running'"), 0, "{}", self.told());
    }

    fn told(&self) -> String {
        format!(
            "UNISSON_KILLED_COMPANY={} with {:?}:\n  {}\n",
            self.number,
            self.model.variant,
            self.story.join("\n  ")
        )
    }
}

fn number(name: &str) -> Option<u32> {
    std::env::var_os(name).map(|value| value.to_str().and_then(|text| text.parse().ok()).expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_that_is_killed_again_and_again_ends_like_one_that_never_was() {
    let mut models = Vec::new();
    for variant in VARIANTS {
        models.push(Arc::new(Model::of(variant).await));
    }
    if let Some(only) = number("UNISSON_KILLED_COMPANY") {
        Victim::found(only, &models).await.live().await;
        return;
    }
    let wanted = number("UNISSON_KILLS").unwrap_or(KILLS);
    let mut toll = Toll::default();
    let mut next = 0;
    let mut lives = JoinSet::new();
    while toll.total() < wanted {
        while lives.len() < AT_ONCE {
            let victim = Victim::found(next, &models).await;
            lives.spawn(victim.live());
            next += 1;
        }
        match lives.join_next().await.expect("somebody lives") {
            Ok(of_one) => toll.add(&of_one),
            Err(died) => std::panic::resume_unwind(died.into_panic()),
        }
        assert!(next <= wanted.max(10), "companies are founded and hardly anybody is killed: {toll}");
    }
    say(&toll);
    for phase in [Phase::Pulling, Phase::Judging, Phase::Delivering] {
        assert!(toll.0.contains_key(&phase), "nobody was killed while {phase:?}: {toll}");
    }
}

#[expect(clippy::print_stdout, reason = "where the kills fell is what the test has to tell")]
fn say(toll: &Toll) {
    println!("{toll}");
}
