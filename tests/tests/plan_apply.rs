//! A plan is looked at, kept in a file and carried out: exactly that, or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use unisson_sandbox::{Audience, HubSpotDeed, MailchimpDeed, SUBSCRIPTION_IDS, Status};
use unisson_tests::{Company, Deed, Ended, Gate, Hold, Kind, Passage, Picture, Side, deeds, delivered, held_runs};

/// How long a command may take to send its first changes.
const PATIENCE: Duration = Duration::from_mins(1);

/// A company with a gate before its platforms.
struct Planned {
    company: Company,
    gate: Gate,
}

impl Planned {
    async fn found(seed: u64, people: u32, change: impl FnOnce(String) -> String) -> Self {
        let mut gate = None;
        let company = Company::found(seed, people, |settings| {
            let (before, settings) = Gate::before(&change(settings));
            gate = Some(before);
            settings
        });
        let company = company.await;
        Self { company, gate: gate.expect("settings were asked for") }
    }

    /// Runs a command and gives the changes that it asked the platforms for.
    async fn run(&self, arguments: &[&str]) -> (Ended, Vec<Deed>) {
        let chapter = self.gate.begin(None);
        let ended = self.company.run(arguments).await;
        (ended, self.deeds(chapter))
    }

    fn deeds(&self, chapter: u32) -> Vec<Deed> {
        self.passages(chapter).iter().flat_map(deeds).collect()
    }

    fn passages(&self, chapter: u32) -> Vec<Passage> {
        self.gate.passages().into_iter().filter(|passage| passage.chapter == chapter && passage.carried_out).collect()
    }

    fn file(&self, name: &str) -> (PathBuf, String) {
        let path = self.company.path().join(name);
        let text = path.to_str().expect("a path of letters").to_owned();
        (path, text)
    }

    /// Makes a plan and gives what it says, with the path of its file.
    async fn plan(&self, name: &str, code: i32) -> (Value, String) {
        let (_, path) = self.file(name);
        let (plan, asked) = self.run(&["plan", "--json", "--out", &path]).await;
        assert_eq!(plan.code, code, "{}\n{}", plan.out, plan.err);
        assert_eq!(asked, [], "a plan asks for no change");
        (plan.json(), path)
    }

    /// Every change that waits in the store, by its id: its state, and whether a person said it himself.
    fn waiting(&self) -> BTreeMap<String, (String, bool)> {
        let store = self.company.store();
        let mut select =
            store.prepare("SELECT id, state, by_person FROM outbox WHERE settled_at IS NULL").expect("a store");
        let rows = select.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).expect("changes");
        rows.map(|row| row.expect("a change")).collect()
    }

    /// Every change that was answered: its id, how often it was sent, and when it was settled.
    fn settled(&self) -> BTreeSet<(String, u32, i64)> {
        let store = self.company.store();
        let mut select =
            store.prepare("SELECT id, attempts, settled_at FROM outbox WHERE state = 'done'").expect("a store");
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("changes");
        rows.map(|row| row.expect("a change")).collect()
    }

    /// Everybody who must not be contacted for something.
    async fn refused(&self) -> BTreeSet<String> {
        let lines = self.company.suppressions().await;
        lines.iter().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    }

    /// Somebody who must not get the newsletter for this reason and is subscribed to it at both platforms.
    async fn subscribed_despite(&self, reason: &str, skip: usize) -> String {
        let (mail, crm) = (self.company.twins.mailchimp(), self.company.twins.hubspot());
        let wanted = format!("newsletter email {reason}");
        let lines = self.company.suppressions().await;
        let found = lines.iter().filter_map(|line| line.strip_suffix(&wanted)).map(str::trim).filter(|address| {
            let at_crm = reason == "undeliverable" || crm.choice(address, 91_001) == Some("SUBSCRIBED");
            at_crm && mail.status(Audience::Letter, address) == Some(Status::Subscribed)
        });
        found.map(str::to_owned).nth(skip).expect("somebody is")
    }
}

/// The ids of the changes in a plan file.
fn changes(path: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(path).expect("a plan");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON Lines"));
    lines
        .filter(|line| line["line"] == "change")
        .map(|line| line["change"].as_str().expect("an id").to_owned())
        .collect()
}

/// What was asked for, whatever the order. A member is marked as dead once for each of its slots: that is what is planned.
fn sorted(asked: &[Deed]) -> Vec<&Deed> {
    let mut sorted: Vec<&Deed> = asked.iter().collect();
    sorted.sort();
    sorted
}

fn same(one: &Picture, other: &Picture) {
    assert_eq!(one.unlike(other), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_applied_leads_where_a_sync_leads_and_is_sent_once() {
    let (planned, synced) =
        (Planned::found(31, 160, |settings| settings).await, Planned::found(31, 160, |settings| settings).await);
    let (plan, path) = planned.plan("plan.jsonl", 0).await;
    assert_eq!(plan["verdict"], "ready", "{plan}");
    let total = plan["changes"].as_u64().expect("a number");
    assert!(total > 50, "the twins contradict each other: {total}");
    assert_eq!(changes(&path).len() as u64, total);

    let chapter = planned.gate.begin(None);
    let applied = planned.company.run(&["apply", &path, "--json"]).await;
    assert_eq!(applied.code, 0, "{}\n{}", applied.out, applied.err);
    assert_eq!(delivered(&applied.json()), total);
    let asked = planned.deeds(chapter);
    let writes = planned.passages(chapter).iter().filter(|passage| passage.kind == Kind::Write).count();
    let parts = plan["instances"].as_object().expect("instances").values();
    let foretold: u64 = parts.filter_map(|part| part["effort"]["calls"].as_u64()).sum();
    assert_eq!(writes as u64, foretold, "it takes the calls that were foretold");
    assert_eq!(applied.json()["applied"]["changes"], total);
    let (sync, also_asked) = synced.run(&["sync", "--json"]).await;
    assert_eq!(sync.code, 0, "{}\n{}", sync.out, sync.err);
    assert_eq!(sorted(&asked), sorted(&also_asked), "the same changes are asked for");
    assert_eq!(asked.len() as u64, total);
    same(&planned.company.picture().await, &synced.company.picture().await);

    let (again, asked) = planned.run(&["apply", &path, "--json"]).await;
    assert_eq!((again.code, asked), (0, vec![]), "{}\n{}", again.out, again.err);
    assert_eq!(again.json()["applied"]["before"], total);
    let words = planned.run(&["apply", &path]).await.0;
    assert!(words.out.contains("nothing is sent again"), "{}", words.out);
    let (empty, path) = planned.plan("empty.jsonl", 0).await;
    assert_eq!(empty["changes"], 0, "the plan after apply is empty");
    assert_eq!(planned.run(&["apply", &path]).await.0.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_can_be_judged_by_a_person_and_its_file_names_nobody() {
    let planned = Planned::found(37, 160, |settings| settings).await;
    let (plan, path) = planned.plan("plan.jsonl", 0).await;
    let text = std::fs::read_to_string(&path).expect("a plan");
    let told = plan.to_string();
    let crm = planned.company.twins.hubspot();
    for address in crm.addresses() {
        let (local, _) = address.split_once('@').expect("an address");
        assert!(!told.contains(&address) && !text.contains(&address), "an address was told");
        assert!(local.len() < 8 || !text.contains(local), "the local part of an address was told");
    }
    assert!(!text.contains('@'));
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).expect("a file").permissions());
        assert_eq!(mode & 0o777, 0o600);
    }

    let mut judged = 0;
    for (name, part) in plan["instances"].as_object().expect("instances") {
        let groups = part["groups"].as_array().expect("groups");
        let sum: u64 = groups.iter().map(|group| group["changes"].as_u64().expect("a number")).sum();
        assert_eq!(part["changes"], sum, "{name}");
        assert_eq!(part["effort"]["calls"].as_u64() > Some(0), sum > 0, "{name}");
        for group in groups {
            assert_eq!(group["outdated"], 0);
            assert!(!group["sources"].as_array().expect("sources").is_empty(), "{group}");
            for sample in group["samples"].as_array().expect("samples") {
                let address = sample["address"].as_str().expect("text");
                assert!(address.contains('…') && !sample["because"].as_array().expect("facts").is_empty(), "{sample}");
                judged += 1;
            }
        }
    }
    assert!(judged > 10, "{judged}");

    let (kept, force) = (planned.run(&["plan", "--out", &path]).await.0, planned.file("other.txt"));
    assert_eq!((kept.code, std::fs::read_to_string(&path).expect("a plan")), (1, text.clone()), "{}", kept.err);
    assert!(kept.err.contains("--force"), "{}", kept.err);
    assert_eq!(planned.run(&["plan", "--out", &path, "--force"]).await.0.code, 0);
    assert_ne!(std::fs::read_to_string(&path).expect("a plan"), text);
    std::fs::write(&force.0, "somebody's work").expect("a file");
    assert_eq!(planned.run(&["plan", "--out", &force.1, "--force"]).await.0.code, 1, "only plans are written over");
    assert_eq!(std::fs::read_to_string(&force.0).expect("a file"), "somebody's work");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_whose_people_have_moved_is_refused_whole_and_a_new_one_is_applied() {
    let planned = Planned::found(31, 160, |settings| settings).await;
    let mail = planned.company.twins.mailchimp();
    for (name, deed) in [("left.jsonl", MailchimpDeed::Unsubscribe), ("complained.jsonl", MailchimpDeed::Complain)] {
        let (_, path) = planned.plan(name, 0).await;
        let who = planned.subscribed_despite("withdrawn", 0).await;
        planned.company.twins.clock().advance(Duration::from_mins(30));
        mail.act(Audience::Letter, &who, deed).expect("the person acts");
        let before = planned.waiting().len();
        let (refused, asked) = planned.run(&["apply", &path, "--json"]).await;
        assert_eq!((refused.code, asked), (1, vec![]), "{}\n{}", refused.out, refused.err);
        let told = refused.json();
        assert_eq!(told["state"], "refused");
        let moved = told["moved"].as_array().expect("what moved");
        assert!(moved.iter().any(|one| one["instance"] == "news" && one["reason"] == "withdrawn"), "{told}");
        assert!(
            refused.err.contains("no longer wanted") && refused.err.contains("unisson plan --out"),
            "{}",
            refused.err
        );
        assert!(planned.waiting().len() >= before / 2, "the others wait as they did");
        assert!(planned.waiting().values().all(|(state, by_person)| state == "draft" || *by_person));
    }
    let (plan, path) = planned.plan("new.jsonl", 0).await;
    let (applied, _) = planned.run(&["apply", &path, "--json"]).await;
    assert_eq!((applied.code, delivered(&applied.json())), (0, plan["changes"].as_u64().expect("a number")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_another_run_has_sent_is_refused() {
    let planned = Planned::found(31, 160, |settings| settings).await;
    let (_, path) = planned.plan("plan.jsonl", 0).await;
    assert_eq!(planned.run(&["sync"]).await.0.code, 0);
    let (refused, asked) = planned.run(&["apply", &path]).await;
    assert_eq!((refused.code, asked), (1, vec![]));
    assert!(refused.err.contains("sent by another run"), "{}", refused.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_cut_edited_or_is_no_plan_is_refused_before_anything_is_read() {
    let planned = Planned::found(41, 60, |settings| settings).await;
    let (_, path) = planned.plan("plan.jsonl", 0).await;
    let text = std::fs::read_to_string(&path).expect("a plan");
    let lines: Vec<&str> = text.lines().collect();
    let without = |place: usize| {
        let mut kept = lines.clone();
        kept.remove(place);
        format!("{}\n", kept.join("\n"))
    };
    for (name, edited, word) in [
        ("cut.jsonl", text[..text.len() / 2].to_owned(), "is cut"),
        ("unsealed.jsonl", without(lines.len() - 1), "is cut"),
        ("shorter.jsonl", without(3), "was changed"),
        ("worse.jsonl", text.replacen("\"suppress\"", "\"subscribe\"", 1), "was changed"),
        ("longer.jsonl", format!("{text}{}\n", lines[1]), "was changed"),
        ("foreign.jsonl", "email\nana@example.org\n".to_owned(), "is no plan"),
        ("newer.jsonl", text.replacen("unisson-plan/1", "unisson-plan/2", 1), "unisson-plan/2"),
    ] {
        let (file, path) = planned.file(name);
        std::fs::write(&file, edited).expect("a file");
        let chapter = planned.gate.begin(None);
        let refused = planned.company.run(&["apply", &path]).await;
        assert_eq!(refused.code, 1, "{name}");
        assert!(refused.err.contains(word) && refused.err.contains("next:"), "{name}: {}", refused.err);
        assert!(planned.passages(chapter).is_empty(), "{name}: no platform is asked anything");
    }
    let missing = planned.run(&["apply", "nowhere.jsonl"]).await.0;
    assert!(missing.code == 1 && missing.err.contains("next:"), "{}", missing.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_another_law_or_another_enforcement_is_refused_with_what_changed() {
    let planned = Planned::found(41, 60, |settings| settings).await;
    let (_, path) = planned.plan("plan.jsonl", 0).await;
    let settings = planned.company.path().join("unisson.toml");
    let text = std::fs::read_to_string(&settings).expect("settings");
    for (from, to, word) in [
        ("connector = \"hubspot\"\nenforce = \"negatives\"", "connector = \"hubspot\"\nenforce = \"full\"", "`crm`"),
        ("connector = \"hubspot\"", "connector = \"hubspot\"\nenabled = false", "disabled"),
        ("\"91003\" = { purpose = \"promotions\"", "\"91003\" = { purpose = \"newsletter\"", "`instances.crm.lists`"),
    ] {
        assert!(text.contains(from), "{from}");
        std::fs::write(&settings, text.replacen(from, to, 1)).expect("settings");
        let (refused, asked) = planned.run(&["apply", &path]).await;
        assert_eq!((refused.code, asked), (1, vec![]), "{to}");
        assert!(refused.err.contains(word) && refused.err.contains("next:"), "{to}: {}", refused.err);
    }
    std::fs::write(&settings, &text).expect("settings");
    assert_eq!(planned.run(&["apply", &path]).await.0.code, 0, "what it rests on is as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_no_part_is_named_and_keeps_no_plan_from_being_applied() {
    let disabled = "connector = \"hubspot\"\nenabled = false";
    let planned = Planned::found(41, 60, |settings| settings.replace("connector = \"hubspot\"", disabled)).await;
    let (plan, path) = planned.plan("plan.jsonl", 2).await;
    assert_eq!((&plan["verdict"], &plan["instances"]["crm"]), (&"partial".into(), &Value::Null));
    let (applied, asked) = planned.run(&["apply", &path]).await;
    assert_eq!((applied.code, asked.len() as u64), (2, plan["changes"].as_u64().expect("a number")), "{}", applied.err);
    let words = planned.run(&["plan"]).await.0;
    assert!(words.code == 2 && words.out.contains("disabled"), "{}", words.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_changes_of_the_plan_are_sent_and_every_other_stays_as_it_was() {
    let planned = Planned::found(43, 160, |settings| settings).await;
    let (_, whole) = planned.plan("whole.jsonl", 0).await;
    let (_, path) = planned.file("crm.jsonl");
    let (plan, _) = planned.run(&["plan", "--instance", "crm", "--out", &path, "--json"]).await;
    assert_eq!(plan.code, 0, "{}", plan.err);
    let instances: Vec<String> = plan.json()["instances"].as_object().expect("instances").keys().cloned().collect();
    assert_eq!(instances, ["crm"]);
    let (before, ids) = (planned.waiting(), changes(&path));
    assert!(ids.len() > 5 && ids.is_subset(&changes(&whole)) && before.len() > ids.len() + 5, "{} ids", ids.len());

    let (applied, asked) = planned.run(&["apply", &path, "--json"]).await;
    assert_eq!(applied.code, 0, "{}\n{}", applied.out, applied.err);
    assert_eq!(asked.len(), ids.len());
    assert!(asked.iter().all(|deed| deed.platform == "hubspot"), "{asked:?}");
    assert_eq!(applied.json()["applied"]["others"], (before.len() - ids.len()) as u64);
    let expected: BTreeMap<_, _> = before.into_iter().filter(|(id, _)| !ids.contains(id)).collect();
    assert_eq!(planned.waiting(), expected);

    let (sync, _) = planned.run(&["sync"]).await;
    assert_eq!(sync.code, 0, "{}", sync.err);
    assert!(planned.waiting().is_empty(), "the next sync sends the rest");
}

/// Settings whose guard holds every change that no person asked for.
fn strict(settings: &str) -> String {
    settings.replace("[instances.news]", "[guard]\ncount = 0\nshare = 0.0\n\n[instances.news]")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_guard_holds_is_sent_once_somebody_answers_for_it_and_nothing_beyond_it() {
    let planned = Planned::found(47, 200, |settings| strict(&settings)).await;
    let (plan, path) = planned.plan("plan.jsonl", 3).await;
    assert_eq!(plan["verdict"], "held");
    assert_eq!(plan["instances"]["news"]["guard"]["holds"], true);
    let persons = planned.waiting().values().filter(|(_, by_person)| *by_person).count();
    let others = planned.waiting().len() - persons;
    assert!(others > 5 && persons > 5, "{others} {persons}");

    let (held, asked) = planned.run(&["apply", &path, "--json"]).await;
    assert_eq!((held.code, asked.len()), (3, persons), "what people said is never held: {}", held.err);
    let withheld = |report: &Value| -> u64 {
        let parts = report["instances"].as_object().expect("instances").values();
        parts.filter_map(|part| part["withheld"].as_u64()).sum()
    };
    assert_eq!(withheld(&held.json()), others as u64);
    assert!(planned.waiting().values().all(|(state, _)| state == "draft"), "they are left as they were");
    let words = planned.run(&["apply", &path]).await.0;
    assert!(words.code == 3 && words.err.contains("--approved"), "{}", words.err);

    // A sync in between holds them under its own name; and somebody's mailbox dies meanwhile.
    let (sync, _) = planned.run(&["sync", "--json"]).await;
    assert_eq!(sync.code, 3);
    assert!(!held_runs(&sync.json()).is_empty());
    // What was held waits for somebody, even where the guard is told to look away.
    let settings = planned.company.path().join("unisson.toml");
    let text = std::fs::read_to_string(&settings).expect("settings");
    std::fs::write(&settings, text.replacen("count = 0\nshare = 0.0", "count = 1000\nshare = 1.0", 1))
        .expect("settings");
    let (held, asked) = planned.run(&["apply", &path]).await;
    assert_eq!((held.code, asked), (3, vec![]), "{}", held.out);
    assert!(held.out.contains("are held since run"), "{}", held.out);
    std::fs::write(&settings, text).expect("settings");
    let crm = planned.company.twins.hubspot();
    let mail = planned.company.twins.mailchimp();
    let is_subscribed = |address: &String| mail.status(Audience::Letter, address) == Some(Status::Subscribed);
    let refused: BTreeSet<String> = planned.refused().await;
    let who = crm.addresses().into_iter().filter(is_subscribed).find(|address| !refused.contains(address));
    planned.company.twins.clock().advance(Duration::from_hours(1));
    crm.act(&who.expect("somebody is in good standing"), HubSpotDeed::Bounce).expect("the address bounces");

    let (approved, asked) = planned.run(&["apply", &path, "--approved", "--json"]).await;
    assert_eq!(approved.code, 0, "{}\n{}", approved.out, approved.err);
    assert_eq!(asked.len(), others, "no more than was looked at");
    let left = planned.waiting();
    assert!(!left.is_empty() && left.keys().all(|id| !changes(&path).contains(id)), "what is new is not in the plan");
    assert!(left.values().all(|(state, _)| state == "draft"));
    let (new, _) = planned.run(&["plan", "--json"]).await;
    assert_eq!(new.code, 3, "and the guard looks at it by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_reaches_what_was_held_and_is_still_wanted_and_says_how_many() {
    let planned = Planned::found(47, 200, |settings| strict(&settings)).await;
    let (sync, _) = planned.run(&["sync", "--json"]).await;
    let run = held_runs(&sync.json()).pop().expect("a run holds something");
    let held = planned.waiting().len();
    // One of them is done by the platform itself, and another mailbox dies.
    let (crm, mail) = (planned.company.twins.hubspot(), planned.company.twins.mailchimp());
    let dead = planned.subscribed_despite("undeliverable", 0).await;
    let is_subscribed = |address: &String| mail.status(Audience::Letter, address) == Some(Status::Subscribed);
    let refused: BTreeSet<String> = planned.refused().await;
    let alive = crm.addresses().into_iter().filter(is_subscribed).find(|address| !refused.contains(address));
    planned.company.twins.clock().advance(Duration::from_hours(1));
    mail.act(Audience::Letter, &dead, MailchimpDeed::Bounce).expect("the address bounces");
    crm.act(&alive.expect("somebody is in good standing"), HubSpotDeed::Bounce).expect("the address bounces");

    let (approved, asked) = planned.run(&["approve", &run, "--json"]).await;
    assert_eq!(approved.code, 3, "what is new is held by itself: {}\n{}", approved.out, approved.err);
    let report = approved.json();
    assert_eq!((&report["approved"]["run"], &report["approved"]["held"]), (&run.as_str().into(), &held.into()));
    let wanted = report["approved"]["wanted"].as_u64().expect("a number");
    assert!(wanted > 0 && wanted < held as u64, "{wanted} of {held}");
    assert_eq!(asked.len() as u64, wanted, "an approval is a ceiling");
    let next = held_runs(&report);
    assert!(!next.is_empty() && !next.contains(&run), "{next:?}");
    let words = planned.run(&["approve", &next[0]]).await.0;
    assert!(words.out.contains("still wanted and let go"), "{}", words.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_is_killed_is_finished_by_the_next_sync_or_by_itself_and_nothing_is_sent_twice() {
    let undisturbed = Planned::found(53, 120, |settings| settings).await;
    undisturbed.company.settle().await;
    for (number, side, next) in [(2, Side::Before, "sync"), (40, Side::After, "apply"), (150, Side::Before, "apply")] {
        let planned = Planned::found(53, 120, |settings| settings).await;
        let (_, path) = planned.plan("plan.jsonl", 0).await;
        planned.gate.begin(Some(Hold { kind: Kind::Write, number, side }));
        let mut apply = planned.company.start(&["apply", &path]);
        tokio::time::timeout(PATIENCE, planned.gate.caught()).await.expect("it sends that many changes");
        apply.kill().expect("the process is ours");
        apply.wait().expect("it ends");
        planned.gate.settle().await;
        let settled = planned.settled();
        assert!(number < 150 || !settled.is_empty(), "some of it was answered and remembered");
        let arguments = if next == "sync" { vec!["sync"] } else { vec!["apply", &path] };
        let (finished, rest) = planned.run(&arguments).await;
        assert_eq!(finished.code, 0, "{next} after {number}: {}\n{}", finished.out, finished.err);
        let after = planned.settled();
        assert!(
            settled.iter().all(|row| after.contains(row)),
            "{next} after {number}: what was answered is sent again"
        );
        assert!(!rest.is_empty(), "{next} after {number}: there is something left to do");
        let (again, asked) = planned.run(&["apply", &path, "--json"]).await;
        assert_eq!((again.code, asked), (0, vec![]), "{}\n{}", again.out, again.err);
        planned.company.settle().await;
        assert!(planned.waiting().is_empty());
        assert_eq!(shown(&planned.company), shown(&undisturbed.company), "{next} after {number}");
        assert_eq!(planned.company.suppressions().await, undisturbed.company.suppressions().await);
    }
}

/// What the platforms show of everybody.
fn shown(company: &Company) -> BTreeSet<String> {
    let (mail, crm, campaigns) = (company.twins.mailchimp(), company.twins.hubspot(), company.twins.brevo());
    let mut shown = BTreeSet::new();
    for audience in [Audience::Letter, Audience::Events] {
        for status in Status::ALL {
            shown.extend(mail.addresses(audience, status).iter().map(|who| format!("{audience:?} {status:?} {who}")));
        }
    }
    for who in crm.addresses() {
        shown.insert(format!("{:?} {who}", SUBSCRIPTION_IDS.map(|topic| crm.choice(&who, topic))));
    }
    for who in campaigns.addresses() {
        shown.insert(format!("{:?} {who}", campaigns.is_blacklisted(&who)));
    }
    shown
}
