//! Lists: refusals from anywhere reach everybody on them, on every platform, now and later; what is exported comes back as
//! it was; exports of platforms are read as they are.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;
use unisson_consent::{Address, Algorithm, HashedAddress, Normalisation};
use unisson_sandbox::{Audience, BrevoDeed, HubSpotDeed, MailchimpDeed, Status};
use unisson_tests::Company;

const SHAPES: [&str; 7] = ["plain", "sha256", "sha256-base64", "sha1", "sha1-base64", "md5", "md5-base64"];

/// An address that no platform knows at first.
const NEWCOMER: &str = "newcomer.lists@example.org";

fn digest(address: &str, how: fn(Normalisation) -> Algorithm) -> HashedAddress {
    let address = Address::email(&format!(" {}", address.to_uppercase())).expect("an address");
    HashedAddress::of(&address, &how(Normalisation::TrimLower)).expect("a plain algorithm")
}

/// Writes a list into the company's folder.
fn put(company: &Company, name: &str, rows: &[String]) -> String {
    let path = company.path().join(name);
    std::fs::write(&path, rows.join("\n") + "\n").expect("the list is written");
    path.to_str().expect("a path").to_owned()
}

/// People who are subscribed to the letter at the mail platform and the CRM, and not blocklisted at the third one.
fn reachable(company: &Company, most: usize) -> Vec<String> {
    let twins = &company.twins;
    let subscribed = twins.mailchimp().addresses(Audience::Letter, Status::Subscribed).into_iter();
    let everywhere = subscribed.filter(|address| {
        twins.hubspot().choice(address, 91_001) == Some("SUBSCRIBED")
            && twins.brevo().is_blacklisted(address) == Some(false)
    });
    everywhere.take(most).collect()
}

async fn facts(company: &Company) -> u64 {
    company.run(&["status", "--json"]).await.json()["facts"].as_u64().expect("a number")
}

fn figures(report: &Value) -> [u64; 5] {
    ["read", "new", "known", "set_aside", "held_now"].map(|name| report[name].as_u64().expect("a number"))
}

async fn import(company: &Company, list: &str, more: &[&str]) -> Value {
    let imported =
        company.run(&[&["suppressions", "import", list, "--source", "partner", "--json"], more].concat()).await;
    assert_eq!(imported.code, 0, "{}\n{}", imported.out, imported.err);
    imported.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hashed_list_reaches_everybody_on_it_on_every_platform_and_whoever_comes_later() {
    let company = Company::found(19, 500, |settings| settings).await;
    company.settle().await;
    let people = reachable(&company, 3);
    assert_eq!(people.len(), 3, "somebody is subscribed everywhere");
    let mut rows: Vec<String> = people.iter().map(|who| digest(who, Algorithm::Md5).hex()).collect();
    rows.push(digest(NEWCOMER, Algorithm::Md5).hex());
    let list = put(&company, "partner.txt", &rows);

    let before = facts(&company).await;
    let trial = import(&company, &list, &["--dry-run"]).await;
    assert_eq!(figures(&trial), [4, 4, 0, 0, 3], "{trial}");
    assert_eq!(facts(&company).await, before, "a trial tells nothing");
    let first = import(&company, &list, &[]).await;
    assert_eq!((figures(&first), &first["held_by_nobody_yet"]), ([4, 4, 0, 0, 3], &1.into()), "{first}");
    assert_eq!((&first["shape"], &first["of"]), (&"md5".into(), &"email".into()));
    assert_eq!(facts(&company).await, before + 4);
    let again = import(&company, &list, &[]).await;
    assert_eq!(figures(&again), [4, 0, 4, 0, 3], "{again}");
    assert_eq!(facts(&company).await, before + 4, "the same list twice adds nothing");

    company.settle().await;
    for who in &people {
        assert_nowhere_subscribed(&company, who);
        let why = company.run(&["explain", who, "--json"]).await;
        assert!(why.out.contains("list:partner"), "{}", why.out);
    }
    appear(&company, NEWCOMER);
    company.settle().await;
    assert_nowhere_subscribed(&company, NEWCOMER);
    let verified = company.run(&["ledger", "verify"]).await;
    assert_eq!(verified.code, 0, "{}", verified.err);
}

/// Staff import an address at every platform: a claim, and no consent.
fn appear(company: &Company, who: &str) {
    company.twins.clock().advance(std::time::Duration::from_hours(1));
    let twins = &company.twins;
    twins.mailchimp().act(Audience::Letter, who, MailchimpDeed::Import).expect("it is imported");
    twins.hubspot().act(who, HubSpotDeed::Import).expect("it is imported");
    twins.brevo().act(who, BrevoDeed::Import(4)).expect("it is imported");
    assert_eq!(twins.mailchimp().status(Audience::Letter, who), Some(Status::Subscribed));
    assert_eq!(twins.brevo().is_blacklisted(who), Some(false));
}

fn assert_nowhere_subscribed(company: &Company, who: &str) {
    let twins = &company.twins;
    assert_eq!(twins.mailchimp().status(Audience::Letter, who), Some(Status::Unsubscribed));
    assert_ne!(twins.hubspot().choice(who, 91_001), Some("SUBSCRIBED"));
    assert!(twins.hubspot().choice(who, 91_001) == Some("UNSUBSCRIBED") || twins.hubspot().is_out_of_all(who));
    assert_eq!(twins.brevo().is_blacklisted(who), Some(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shape_that_is_exported_is_imported_as_the_same_people() {
    let company = Company::found(23, 300, |settings| settings).await;
    company.settle().await;
    let who = reachable(&company, 1).remove(0);
    company.twins.mailchimp().act(Audience::Letter, &who, MailchimpDeed::Unsubscribe).expect("the person leaves");
    company.settle().await;
    let other = Company::found(23, 300, |settings| settings).await;
    other.settle().await;
    assert!(reachable(&other, 300).contains(&who), "elsewhere the same person never left");
    let mut sizes = BTreeSet::new();
    for shape in SHAPES {
        let out: PathBuf = company.path().join(format!("{shape}.csv"));
        let path = out.to_str().expect("a path");
        let export =
            company.run(&["suppressions", "export", "--channel", "email", "--shape", shape, "--out", path]).await;
        assert_eq!(export.code, 0, "{}", export.err);
        // Nothing but the file is told: shape, kind and spelling are read off it.
        let back = import(&company, path, &["--dry-run"]).await;
        let [read, .., held] = figures(&back);
        assert_eq!(back["shape"], shape);
        assert!(read > 10 && held == read, "{shape}: everybody exported is found again: {back}");
        let [there, new, known, set_aside, held] = figures(&import(&other, path, &[]).await);
        assert_eq!((there, set_aside, held), (read, 0, read), "{shape}");
        // The same digest in another writing is the same entry.
        let expected = if shape.ends_with("base64") { (0, read) } else { (read, 0) };
        assert_eq!((new, known), expected, "{shape}");
        sizes.insert(read);
    }
    assert_eq!(sizes.len(), 1, "every shape names as many");
    other.settle().await;
    assert_nowhere_subscribed(&other, &who);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_for_one_purpose_leaves_the_others_alone() {
    let company = Company::found(31, 300, |settings| settings).await;
    company.settle().await;
    let who = reachable(&company, 1).remove(0);
    let list = put(&company, "one.csv", &["E-mail".to_owned(), who.to_uppercase()]);
    import(&company, &list, &["--purpose", "newsletter", "--reason", "objected"]).await;
    let why = company.run(&["explain", &who, "--json"]).await.json();
    let reason = |purpose: &str| {
        let decisions = why["decisions"].as_array().expect("decisions").iter();
        let mut told = decisions.filter(|one| one["purpose"] == purpose && one["channel"] == "email");
        told.next().expect("a decision")["reason"].as_str().expect("a reason").to_owned()
    };
    assert_eq!(reason("newsletter"), "objected");
    assert_ne!(reason("promotions"), "objected");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_certain_or_cannot_be_read_is_said_and_nobody_is_named() {
    let company = Company::found(37, 60, |settings| settings).await;
    let hash = digest("canary.lists@example.org", Algorithm::Sha256).hex();
    let rows = |rows: &[&str]| put(&company, "list.csv", &rows.iter().map(|row| (*row).to_owned()).collect::<Vec<_>>());
    let mixed = rows(&["who", "canary.lists@example.org", &hash]);
    let from = ["--source", "partner"];
    for (list, more, offered) in [
        (&mixed, &from[..], "--shape"),
        (&mixed, &["--source", "news"], "--system"),
        (&mixed, &["--system", "newz"], "news"),
        (&mixed, &["--source", "par tner"], "--source partner"),
        (&mixed, &["--source", "partner", "--purpose", "letter"], "newsletter"),
        (&mixed, &["--source", "partner", "--channel", "fax"], "email"),
        (&mixed, &["--source", "partner", "--column", "whom"], "--column"),
        (&"nowhere.csv".to_owned(), &from[..], "name a file"),
    ] {
        let ended = company.run(&[&["suppressions", "import", list], more].concat()).await;
        assert_eq!(ended.code, 1, "{more:?}: {}", ended.out);
        assert!(ended.err.contains("next:") && ended.err.contains(offered), "{more:?}: {}", ended.err);
        assert!(!format!("{}{}", ended.out, ended.err).contains("canary"), "{}", ended.err);
    }
    let neither = company.run(&["suppressions", "import", &mixed]).await;
    assert!(neither.code != 0 && neither.err.contains("--source"), "{}", neither.err);

    let list = rows(&["who", "canary.lists@example.org", "canary", &hash]);
    let partly =
        company.run(&["suppressions", "import", &list, "--source", "partner", "--shape", "plain", "--json"]).await;
    assert_eq!((partly.code, figures(&partly.json())), (2, [3, 1, 0, 2, 0]), "{}", partly.out);
    let named = partly.json()["set_aside_named"].to_string();
    assert!(named.contains("line 3") && named.contains("line 4") && !named.contains("canary"), "{named}");

    let cut = rows(&["who,note", "canary.lists@example.org,x", "second.canary@example.org,\"and th"]);
    let partly = company.run(&["suppressions", "import", &cut, "--source", "partner"]).await;
    assert_eq!(partly.code, 2, "{}", partly.out);
    assert!(partly.out.contains("cut off") && !partly.out.contains("canary"), "{}", partly.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unsubscribed_of_a_platform_that_was_left_are_refused_everywhere_without_a_mapping() {
    let company = Company::found(41, 300, |settings| {
        settings
            + "\n[instances.left]\nconnector = \"files\"\npath = \"left\"\npreset = \"auto\"\ntz = \"UTC\"\n\n\
              [instances.left.lists]\naudience = { purpose = \"newsletter\", channel = \"email\" }\n"
    })
    .await;
    std::fs::create_dir(company.path().join("left")).expect("a folder");
    company.settle().await;
    let people = reachable(&company, 2);
    let header = "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,CC,UNSUB_TIME,UNSUB_REASON,LEID,EUID,NOTES,TAGS";
    let rows =
        people.iter().enumerate().map(|(at, who)| format!("{who},A,2,,,,2026-10-30 10:00:00,NORMAL,{at},e{at},,"));
    let rows: Vec<String> = std::iter::once(header.to_owned()).chain(rows).collect();
    put(&company, "left/unsubscribed_email_audience_export_1a2b.csv", &rows);
    let check = company.run(&["check", "--instance", "left"]).await;
    assert_eq!(check.code, 0, "{}\n{}", check.out, check.err);
    assert!(check.out.contains("recognised as Mailchimp's export of the unsubscribed"), "{}", check.out);
    company.settle().await;
    for who in &people {
        assert_eq!(company.twins.mailchimp().status(Audience::Letter, who), Some(Status::Unsubscribed));
        assert_ne!(company.twins.hubspot().choice(who, 91_001), Some("SUBSCRIBED"));
    }

    std::fs::write(company.path().join("left/contacts.csv"), "EMAIL;ADDED_TIME;MODIFIED_TIME\n").expect("an export");
    let run = company.run(&["sync", "--json"]).await;
    assert_eq!(run.code, 2, "{}", run.out);
    assert!(run.out.contains("_BLOCKLISTED"), "what is missing is named: {}", run.out);
}
