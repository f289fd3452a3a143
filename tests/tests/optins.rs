//! Migrating opt-ins as a marketing team does it: how many are consents, what the others lack, when they lapse, and the
//! lists that a campaign is sent to, in which nobody is who ever said no.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use unisson_sandbox::{Audience, MailchimpDeed, Person, Plot, Status, System};
use unisson_tests::Company;

/// A campaign that ends in a far year, and consents that no passing of time ends: the figures are the same whenever this
/// test runs. An opt-out under `name@` covers `name+tag@`.
const POLICY: &str = r#"
version = "campaign-1"
profile = "eu-fr"

[time]
inactivity_max = "none"
tombstone_retention = "indefinite"

[identity]
suppression_alias = ["plus"]

[campaign]
deadline = "2099-12-31T23:00:00Z"
"#;

/// A company with a mail platform, a CRM and a shop, whose stories say all that is said of anybody.
async fn company(seed: u64, contacts: u32) -> Company {
    found(seed, contacts, |settings| without(&settings, "campaigns")).await
}

/// Settings without one of their instances.
fn without(settings: &str, instance: &str) -> String {
    let mut inside = false;
    let kept = settings.lines().filter(|line| {
        if line.starts_with('[') {
            let table = line.trim_matches(['[', ']']);
            inside = table == format!("instances.{instance}") || table.starts_with(&format!("instances.{instance}."));
        }
        !inside
    });
    kept.collect::<Vec<_>>().join("\n")
}

async fn found(seed: u64, contacts: u32, change: impl FnOnce(String) -> String) -> Company {
    let settings = |settings: String| format!("{}\n[policy]\nfile = \"policy.toml\"\n", change(settings));
    let company = Company::found(seed, contacts, settings).await;
    std::fs::write(company.path().join("policy.toml"), POLICY).expect("the policy is written");
    let run = company.run(&["sync", "--dry-run", "--json"]).await;
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
    company
}

async fn report(company: &Company, more: &[&str]) -> Value {
    let arguments: Vec<&str> = ["optins", "report", "--json"].into_iter().chain(more.iter().copied()).collect();
    let ended = company.run(&arguments).await;
    assert_eq!(ended.code, 0, "{}\n{}", ended.out, ended.err);
    ended.json()
}

/// What the report tells of the newsletter by e-mail.
fn newsletter(report: &Value) -> &Value {
    let purposes = report["purposes"].as_array().expect("purposes");
    let found = purposes.iter().find(|told| told["purpose"] == "newsletter" && told["channel"] == "email");
    found.expect("the newsletter")
}

fn figure(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_else(|| panic!("{name} is a figure: {value}"))
}

/// What the law makes of the newsletter opt-in of a person with this story, told in the words of the story alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Consents,
    Requalify,
    Unaskable,
    Blocked,
    None,
}

fn outcome(person: &Person) -> Outcome {
    match person.plot() {
        // Confirmed on the hosted form, whose notice is stored.
        Plot::Single | Plot::LeftEvents | Plot::Role | Plot::Malformed => Outcome::Consents,
        // A date and a form nobody stored, an import, a flag in a file or in the CRM.
        Plot::Proven | Plot::Unproven | Plot::WithoutOffers | Plot::Archived | Plot::FileOnly | Plot::CrmOnly => {
            Outcome::Requalify
        }
        // A dead address that only a flag speaks for.
        Plot::Bounced => Outcome::Unaskable,
        Plot::Torn
        | Plot::LeftInCrm
        | Plot::LeftAllInCrm
        | Plot::LeftLetter
        | Plot::Reimported
        | Plot::Complained
        | Plot::Cased
        | Plot::Idn
        | Plot::Tagged
        | Plot::TwoAddresses
        | Plot::RemovedByAdmin
        | Plot::BouncedInCrm => Outcome::Blocked,
        Plot::Waiting | Plot::CustomerOnly | Plot::CallOnly => Outcome::None,
    }
}

/// Everybody's spellings, lower-case, with internationalised domains in both forms.
fn spellings(person: &Person) -> BTreeSet<String> {
    let systems = [System::Letter, System::Events, System::Crm, System::File];
    let spelt = systems.into_iter().map(|system| person.spelling(system)).chain([person.email()]);
    spelt.map(|address| address.to_lowercase()).collect()
}

/// The rows of a segment: its columns by name.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let head = lines.next().expect("a header");
    assert_eq!(head, ["address", "purpose", "level", "missing", "lapses_on", "systems"]);
    lines.map(|cells| head.iter().cloned().zip(cells).collect()).collect()
}

fn addresses(path: &Path) -> BTreeSet<String> {
    let rows = rows(path);
    let addresses: BTreeSet<String> = rows.iter().map(|row| row["address"].clone()).collect();
    assert_eq!(addresses.len(), rows.len(), "nobody is in a segment twice");
    addresses
}

#[tokio::test(flavor = "multi_thread")]
async fn every_opt_in_is_counted_once_and_the_figures_follow_from_the_people() {
    let company = company(7, 1_500).await;
    let people = company.twins.population().clone();
    let count = |of: Outcome| people.people().filter(|person| outcome(person) == of).count() as u64;
    let plot = |plot: Plot| people.with_plot(plot).count() as u64;

    let report = report(&company, &[]).await;
    assert_eq!(report["format"], "optins-report/1");
    assert_eq!(report["policy"]["deadline"], "2099-12-31T23:00:00Z");
    let told = newsletter(&report);
    let all = &told["people"];
    assert_eq!(figure(all, "consents"), count(Outcome::Consents));
    // The shop spells some addresses so that nothing can be sent to them: opt-ins of their own.
    assert_eq!(figure(all, "requalify"), count(Outcome::Requalify) + plot(Plot::Malformed));
    assert_eq!(figure(all, "unaskable"), count(Outcome::Unaskable));
    assert_eq!(figure(&all["because"]["unaskable"], "undeliverable"), count(Outcome::Unaskable));
    // Their record in the CRM holds both addresses, so there are two opt-ins.
    assert_eq!(figure(all, "blocked"), count(Outcome::Blocked) + plot(Plot::TwoAddresses));
    assert_eq!(figure(&all["because"]["blocked"], "undeliverable"), plot(Plot::BouncedInCrm));
    assert_eq!(figure(&all["because"]["blocked"], "complaint"), plot(Plot::Complained));
    assert_eq!((figure(all, "lapsed"), figure(all, "other_basis")), (0, 0));

    assert_sums(&report);
    assert_systems(&company, told);
    // Nothing but the deadline ends anything, and it ends whatever is unproven on one day.
    let lapses = &all["lapses"];
    assert_eq!(lapses["next"]["on"], "2099-12-31");
    assert_eq!(figure(&lapses["next"]["opt_ins"], "requalify"), figure(all, "requalify"));
    assert_eq!(figure(&lapses["later"], "unaskable"), figure(all, "unaskable"), "further than five years");
    assert_eq!(figure(&lapses["never"], "consents"), figure(all, "consents"));
    // Whoever has to be asked again lacks the text that was shown, on whatever system.
    let missing = all["missing"].as_array().expect("what is missing");
    let often: Vec<u64> = missing.iter().map(|lack| figure(lack, "opt_ins")).collect();
    assert!(often.is_sorted_by(|a, b| a >= b), "most frequent first");
    let lack = |code: &str| missing.iter().find(|lack| lack["lack"] == code).map_or(0, |lack| figure(lack, "opt_ins"));
    assert_eq!(lack("notice"), figure(all, "requalify") + figure(all, "unaskable"));
}

/// Consents, other bases, to requalify, not to be asked, lapsed and blocked are all there is, everywhere in the report.
fn assert_sums(report: &Value) {
    for purpose in report["purposes"].as_array().expect("purposes") {
        let systems = purpose["systems"].as_object().expect("systems");
        for told in systems.values().chain([&purpose["people"]]) {
            let outcomes = ["consents", "other_basis", "requalify", "unaskable", "lapsed", "blocked"];
            let sum: u64 = outcomes.iter().map(|name| figure(told, name)).sum();
            let levels: u64 = told["levels"].as_object().expect("levels").values().filter_map(Value::as_u64).sum();
            assert_eq!((sum, levels), (figure(told, "opt_ins"), figure(told, "opt_ins")), "{purpose}");
        }
    }
}

/// Each system tells as many opt-ins to the newsletter as it shows.
fn assert_systems(company: &Company, told: &Value) {
    let people = company.twins.population();
    let news = company.twins.mailchimp().count(Audience::Letter, Status::Subscribed);
    assert_eq!(figure(&told["systems"]["news"], "opt_ins"), news);
    let hubspot = company.twins.hubspot();
    let subscribed = |address: &&String| hubspot.choice(address, 91_001) == Some("SUBSCRIBED");
    let crm = hubspot.addresses().iter().filter(subscribed).count() + people.with_plot(Plot::TwoAddresses).count();
    assert_eq!(figure(&told["systems"]["crm"], "opt_ins"), crm as u64);
    let rows = (0..people.len()).flat_map(|index| people.rows(index));
    let claims: BTreeSet<String> =
        rows.filter(|row| !row.newsletter_opt_in.is_empty()).map(|row| row.email.to_lowercase()).collect();
    assert_eq!(figure(&told["systems"]["shop"], "opt_ins"), claims.len() as u64);
    // A file proves nothing, whatever it says; a CRM tells when and where at best.
    assert_eq!(figure(&told["systems"]["shop"]["levels"], "L1"), claims.len() as u64);
    let crm = &told["systems"]["crm"];
    assert_eq!(figure(&crm["levels"], "L1") + figure(&crm["levels"], "L2"), figure(crm, "opt_ins"));
    assert_eq!(figure(crm, "proven_elsewhere"), figure(crm, "consents"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_ends_what_is_unproven_and_the_report_tells_it_beforehand() {
    let company = company(5, 600).await;
    let [today, before, after] =
        [&[][..], &["--at", "2099-12-31T22:59:59Z"], &["--at", "2099-12-31T23:00:00Z"]].map(|at| report(&company, at));
    let (today, before, after) = (today.await, before.await, after.await);
    for told in ["levels", "because", "missing", "requalify", "consents"] {
        assert_eq!(newsletter(&today)["people"][told], newsletter(&before)["people"][told], "{told}");
    }
    assert!(newsletter(&before)["people"]["lapses"]["months"]["2099-12"].is_object());
    let (today, after) = (&newsletter(&today)["people"], &newsletter(&after)["people"]);
    assert!(figure(today, "requalify") > 100);
    assert_eq!((figure(after, "requalify"), figure(after, "unaskable")), (0, 0));
    assert_eq!(figure(after, "lapsed"), figure(today, "requalify") + figure(today, "unaskable"));
    assert_eq!(figure(after, "consents"), figure(today, "consents"));
    assert_eq!(figure(after, "opt_ins"), figure(today, "opt_ins"));

    let folder = company.path().join("after");
    let to = folder.to_str().expect("a path");
    report(&company, &["--at", "2100-01-01", "--segments", to]).await;
    assert_eq!(rows(&folder.join("newsletter.email.requalify.csv")).len(), 0, "a header, and nobody to ask");
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_hold_exactly_whom_the_law_lets_be_asked_or_written_to() {
    let company = company(11, 1_200).await;
    let folder = company.path().join("campaign");
    let report = report(&company, &["--segments", folder.to_str().expect("a path")]).await;
    let told = newsletter(&report);
    let [consents, requalify] =
        ["consents", "requalify"].map(|state| folder.join(format!("newsletter.email.{state}.csv")));
    let people = company.twins.population().clone();

    let written = report["segments"].as_array().expect("segments");
    for (state, path) in [("consents", &consents), ("requalify", &requalify)] {
        let segment =
            written.iter().find(|segment| segment["file"] == path.to_str().expect("a path")).expect("the file");
        assert_eq!(segment["state"], state);
        assert_eq!(figure(segment, "rows"), rows(path).len() as u64);
        let aside = figure(&segment["set_aside"], "malformed") + figure(&segment["set_aside"], "formula");
        assert_eq!(figure(segment, "rows") + aside, figure(&told["people"], state));
    }
    let expected = |of: Outcome| -> BTreeSet<String> {
        let whose = people.people().filter(|person| outcome(person) == of);
        whose.map(|person| person.email().to_lowercase()).collect()
    };
    for (path, expected) in [(&consents, &expected(Outcome::Consents)), (&requalify, &expected(Outcome::Requalify))] {
        let differ: Vec<_> = addresses(path).symmetric_difference(expected).cloned().collect();
        assert!(differ.is_empty(), "{}: {differ:?}", path.display());
    }

    assert!(rows(&consents).iter().all(|row| row["level"] == "L4" && row["missing"].is_empty()));
    assert!(rows(&requalify).iter().all(|row| row["missing"].contains("notice") && row["lapses_on"] == "2099-12-31"));
    assert!(rows(&requalify).iter().all(|row| row["purpose"] == "newsletter" && !row["systems"].is_empty()));
    assert_nobody_is_suppressed(&company, &folder).await;
    let newsletter: BTreeSet<String> = [&consents, &requalify].into_iter().flat_map(|path| addresses(path)).collect();
    for person in people.people().filter(|person| outcome(person) == Outcome::Blocked) {
        assert_eq!(newsletter.intersection(&spellings(&person)).next(), None, "{person:?} in any spelling");
    }
    #[cfg(unix)]
    for entry in std::fs::read_dir(&folder).expect("the folder") {
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &entry.expect("an entry").metadata().expect("a file").permissions(),
        );
        assert_eq!(mode & 0o777, 0o600, "only its owner can read a segment");
    }
}

/// Whoever is on the suppression list for a purpose is in none of its segments.
async fn assert_nobody_is_suppressed(company: &Company, folder: &Path) {
    let mut refused: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in company.suppressions().await {
        let words: Vec<&str> = line.split(' ').collect();
        if let [address, purpose, "email", _] = words[..] {
            refused.entry(purpose.to_owned()).or_default().insert(address.to_owned());
        }
    }
    for purpose in ["newsletter", "promotions"] {
        let refused = &refused[purpose];
        assert!(refused.len() > 20);
        for state in ["requalify", "consents"] {
            let held = addresses(&folder.join(format!("{purpose}.email.{state}.csv")));
            assert_eq!(held.intersection(refused).next(), None, "{purpose} {state}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_is_gone_from_the_files_of_an_earlier_report() {
    let company = found(3, 400, |settings| settings).await;
    let folder = company.path().join("campaign");
    let to = folder.to_str().expect("a path").to_owned();
    report(&company, &["--segments", &to]).await;
    let path = folder.join("newsletter.email.consents.csv");
    let before = addresses(&path);
    let who = before.first().expect("somebody consented").clone();
    company.twins.clock().advance(std::time::Duration::from_hours(1));
    company.twins.mailchimp().act(Audience::Letter, &who, MailchimpDeed::Unsubscribe).expect("the person leaves");
    company.run(&["sync", "--dry-run", "--json"]).await;
    let stray = folder.join("order_service.email.consents.csv");
    std::fs::write(&stray, "address\nold@example.org\n").expect("a file of an earlier report");
    report(&company, &["--segments", &to]).await;
    assert_nobody_is_suppressed(&company, &folder).await;
    let after = addresses(&path);
    assert_eq!(before.difference(&after).collect::<Vec<_>>(), [&who]);
    assert_eq!(addresses(&stray).len(), 0, "a file whose people are gone is emptied");
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_select_and_misspelt_ones_are_refused() {
    let company = company(2, 200).await;
    let whole = report(&company, &[]).await;
    let crm = report(&company, &["--system", "crm", "--purpose", "newsletter"]).await;
    assert_eq!(crm["purposes"].as_array().map(Vec::len), Some(1));
    assert_eq!(newsletter(&crm)["people"], newsletter(&whole)["systems"]["crm"]);
    for wrong in [["--purpose", "newsleter"], ["--system", "crn"], ["--at", "2020-01-01"]] {
        let refused = company.run(&["optins", "report", wrong[0], wrong[1]]).await;
        assert_eq!(refused.code, 1, "{wrong:?}: {}", refused.out);
        assert!(refused.err.contains("next: name"), "{}", refused.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_read_bars_and_words_and_a_pipe_gets_no_colour() {
    let company = company(2, 200).await;
    let shown = company.run(&["optins", "report"]).await;
    assert_eq!(shown.code, 0, "{}", shown.err);
    for words in
        ["newsletter / email", "consents as they stand", "no stored notice text", "next, on 2099-12-31", "█", "▒"]
    {
        assert!(shown.out.contains(words), "{words}:\n{}", shown.out);
    }
    assert!(!shown.out.contains('\u{1b}'), "no escape codes in a pipe");
    assert!(shown.err.contains("--segments DIR"), "{}", shown.err);
}
