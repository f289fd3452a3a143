//! The people: the same for the same seed, contradictory on purpose, and nobody real.

use std::collections::BTreeMap;

use unisson_sandbox::{Audience, Fate, Options, Plot, Population, Sandbox, Status, System};

use crate::client::{hash, mailchimp, options, sandbox};

fn people(contacts: u32) -> Population {
    Population::new(1, contacts, "2026-11-01T00:00:00Z".parse().unwrap())
}

#[tokio::test]
async fn two_sandboxes_of_one_seed_answer_alike_and_of_another_seed_differently() {
    let page = async |seed| {
        let sandbox = Sandbox::start(Options { seed, ..options() }).await.unwrap();
        mailchimp(&sandbox).get("/lists/a1f0c3d9e7/members?count=300").await.text
    };
    let first = page(1).await;
    assert_eq!(first, page(1).await);
    assert_ne!(first, page(2).await);
}

#[tokio::test]
async fn every_story_holds_in_the_running_twins() {
    let sandbox = sandbox().await;
    let (mail, crm) = (sandbox.mailchimp(), sandbox.hubspot());
    let letter = |plot: Plot| {
        let person = sandbox.population().with_plot(plot).next().unwrap();
        mail.status(Audience::Letter, &person.spelling(System::Letter))
    };
    let newsletter = |plot: Plot| {
        let person = sandbox.population().with_plot(plot).next().unwrap();
        crm.choice(&person.spelling(System::Crm), 91_001)
    };
    for (plot, here, there) in [
        (Plot::Torn, Some(Status::Unsubscribed), "SUBSCRIBED"),
        (Plot::LeftInCrm, Some(Status::Subscribed), "UNSUBSCRIBED"),
        (Plot::LeftAllInCrm, Some(Status::Subscribed), "UNSUBSCRIBED"),
        (Plot::LeftLetter, Some(Status::Unsubscribed), "SUBSCRIBED"),
        (Plot::Reimported, Some(Status::Unsubscribed), "SUBSCRIBED"),
        (Plot::Bounced, Some(Status::Cleaned), "SUBSCRIBED"),
        (Plot::Complained, Some(Status::Cleaned), "SUBSCRIBED"),
        (Plot::Waiting, Some(Status::Pending), "NOT_SPECIFIED"),
        (Plot::Archived, Some(Status::Archived), "SUBSCRIBED"),
        (Plot::CustomerOnly, Some(Status::Transactional), "NOT_SPECIFIED"),
        (Plot::Cased, Some(Status::Subscribed), "UNSUBSCRIBED"),
        (Plot::Tagged, Some(Status::Subscribed), "UNSUBSCRIBED"),
        (Plot::Idn, Some(Status::Unsubscribed), "SUBSCRIBED"),
        (Plot::CrmOnly, None, "SUBSCRIBED"),
        (Plot::RemovedByAdmin, Some(Status::Unsubscribed), "SUBSCRIBED"),
    ] {
        assert_eq!((letter(plot), newsletter(plot)), (here, Some(there)), "{plot:?}");
    }
}

#[tokio::test]
async fn every_fate_holds_in_the_running_twin() {
    let sandbox = sandbox().await;
    let campaigns = sandbox.brevo();
    let of = |fate: Fate| {
        let person = sandbox.population().people().find(|person| person.fate() == fate).unwrap();
        let who = person.spelling(System::Campaigns);
        (campaigns.is_blacklisted(&who), campaigns.blocks(&who).first().copied())
    };
    for (fate, expected) in [
        (Fate::Absent, (None, None)),
        (Fate::Joined, (Some(false), None)),
        (Fate::Confirmed, (Some(false), None)),
        (Fate::Imported, (Some(false), None)),
        (Fate::Customer, (Some(false), None)),
        (Fate::Left, (Some(true), None)),
        (Fate::LeftAll, (Some(true), Some("unsubscribedViaMA"))),
        (Fate::LeftOffers, (Some(false), None)),
        (Fate::LeftOrders, (Some(false), Some("unsubscribedViaEmail"))),
        (Fate::Bounced, (Some(true), Some("hardBounce"))),
        (Fate::Complained, (Some(true), Some("contactFlaggedAsSpam"))),
        (Fate::Removed, (Some(true), Some("adminBlocked"))),
        (Fate::NoTexts, (Some(false), None)),
    ] {
        assert_eq!(of(fate), expected, "{fate:?}");
    }
    let census = campaigns.census();
    assert!(census.contacts > 100 && census.blacklisted > 10 && census.no_texts > 0 && census.blocked > 10);
    assert!(census.on.into_iter().all(|count| count > 0) && census.left[1] > 0);
}

#[test]
fn a_fourth_system_changes_nobody_of_the_first_three() {
    // Counted before there was a campaign platform: whoever draws more chance for a person must do it last.
    let people = people(1_000);
    let mut all = String::new();
    for person in people.people() {
        all += &person.spelling(System::Letter);
        all += &person.phone().unwrap_or_default();
        for row in people.rows(person.index()) {
            all.extend([row.email, row.newsletter_opt_in, row.sale_date, row.last_call]);
        }
    }
    assert_eq!(hash(&all), "fbe6cc45d917686c510c760139051308");
}

#[test]
fn a_small_population_holds_every_story_and_a_large_one_keeps_the_shares() {
    let small = people(u32::try_from(Plot::ALL.len()).unwrap());
    assert!(Plot::ALL.into_iter().all(|plot| small.with_plot(plot).count() == 1));
    let mut shares: BTreeMap<Plot, usize> = BTreeMap::new();
    for person in people(20_000).people() {
        *shares.entry(person.plot()).or_default() += 1;
    }
    assert!((4_600..5_400).contains(&shares[&Plot::Proven]), "{}", shares[&Plot::Proven]);
    assert!(shares.values().all(|count| *count > 100));
}

#[test]
fn spellings_differ_where_the_story_says_so() {
    let people = people(100);
    let first = |plot| people.with_plot(plot).next().unwrap();
    let cased = first(Plot::Cased);
    let (here, there) = (cased.spelling(System::Letter), cased.spelling(System::Crm));
    assert!(here != there && here.to_lowercase() == there);
    assert_eq!(first(Plot::Tagged).spelling(System::Letter).replace("+letter", ""), first(Plot::Tagged).email());
    let idn = first(Plot::Idn);
    assert!(!idn.spelling(System::Letter).is_ascii() && idn.spelling(System::Crm).contains("@xn--"));
    assert!(first(Plot::Role).email().split('@').next().unwrap().chars().all(char::is_alphabetic));
}

#[test]
fn the_file_is_what_shops_export() {
    let people = people(400);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.csv");
    let written = people.write_csv(&path).unwrap();
    let mut reader = csv::Reader::from_path(&path).unwrap();
    let headers = reader.headers().unwrap().clone();
    let rows: Vec<BTreeMap<String, String>> = reader
        .records()
        .map(|row| headers.iter().map(str::to_owned).zip(row.unwrap().iter().map(str::to_owned)).collect())
        .collect();
    assert_eq!(rows.len() as u64, written);
    let some = |name: &str| rows.iter().filter(|row| !row[name].is_empty()).count();
    for name in ["email", "phone", "country", "newsletter_opt_in", "source", "sale_date", "opt_out_offered", "may_call"]
    {
        assert!(some(name) > 0 && some(name) <= rows.len(), "{name}");
    }
    assert!(rows.iter().any(|row| row["country"] == "DE"));
    let malformed = people.with_plot(Plot::Malformed).next().unwrap().spelling(System::File);
    assert!(rows.iter().any(|row| row["email"] == malformed));
    let twice = people.with_plot(Plot::Reimported).next().unwrap().email();
    assert_eq!(rows.iter().filter(|row| row["email"] == twice).count(), 2);
    assert!(people.write_csv(&folder.path().join("missing/shop.csv")).is_err());
}

#[test]
fn phones_lie_in_ranges_kept_for_fiction() {
    let prefixes = ["+3363998", "+447700900", "+493023125", "+33199", "+33261", "+33353", "+33465", "+33536"];
    let phones: Vec<String> = people(3_000).people().filter_map(|person| person.phone()).collect();
    assert!(phones.len() > 300);
    for phone in phones {
        let american = phone.starts_with("+1") && phone.len() == 12 && &phone[5..10] == "55501";
        assert!(american || prefixes.iter().any(|prefix| phone.starts_with(prefix)), "{phone}");
    }
}

#[test]
fn the_story_starts_with_the_one_whose_systems_disagree_most() {
    let figures = people(100).story();
    let torn = &figures[0];
    assert_eq!(torn.person.plot(), Plot::Torn);
    let systems: Vec<System> = torn.sayings.iter().map(|saying| saying.system).collect();
    assert_eq!(systems, [System::Letter, System::Events, System::Campaigns, System::Crm, System::File]);
    assert!(torn.sayings[0].words.contains("unsubscribed") && torn.sayings[1].words.starts_with("subscribed"));
    assert!(figures.len() >= 6 && figures.iter().all(|figure| !figure.sayings.is_empty()));
    assert!(!format!("{figures:?}").contains('@'), "debug output names nobody");
}
