//! Every fault of writes, on every twin.

use std::time::Duration;

use unisson_sandbox::{Audience, BrevoDeed, Fault, HubSpotDeed, Lag, MailchimpDeed, RetryAfter, Rule};

use crate::client::{encoded, hash, hubspot, sandbox};
use crate::site::sites;

#[tokio::test]
async fn a_write_of_every_twin_can_be_lost_refused_or_lied_about() {
    let sandbox = sandbox().await;
    for site in sites(&sandbox) {
        let people = site.mailable();
        for ((fault, expected), who) in [
            (Fault::LostAnswer, (None, true)),
            (Fault::DropCall, (None, false)),
            (Fault::FalseAcknowledgement, (Some(2), false)),
            (Fault::RateLimited(RetryAfter::Bare), (Some(4), false)),
            (Fault::ServerError(500), (Some(5), false)),
        ]
        .into_iter()
        .zip(&people)
        {
            site.handle.clear_faults();
            site.handle.inject(Rule::new(fault.clone())).unwrap();
            let answer = site.set(who, true).await;
            let class = answer.ok().map(|answer| answer.status / 100);
            assert_eq!((class, site.is_out(who)), expected, "{}: {fault:?}", site.name);
            assert_eq!(site.shows_out(who).await, expected.1, "{}: {fault:?}", site.name);
        }
    }
}

#[tokio::test]
async fn a_batch_of_every_twin_can_refuse_single_rows() {
    let sandbox = sandbox().await;
    for site in sites(&sandbox) {
        let people = site.mailable();
        site.handle.inject(Rule::new(Fault::RefuseRows(vec![0, 2])).method("POST")).unwrap();
        assert_eq!(site.batch([&people[0], &people[1], &people[2]]).await, (1, 2), "{}", site.name);
    }
}

#[tokio::test]
async fn a_write_of_every_twin_can_show_late_by_the_clock() {
    let sandbox = sandbox().await;
    for site in sites(&sandbox) {
        let people = site.mailable();
        let who = &people[0];
        let lag = Fault::LateEffect(Lag::Milliseconds(30_000));
        site.handle.inject(Rule::new(lag)).unwrap();
        assert_eq!(site.set(who, true).await.unwrap().status / 100, 2, "{}", site.name);
        sandbox.clock().advance(Duration::from_secs(29));
        assert!(!site.shows_out(who).await && !site.is_out(who), "{} shows it early", site.name);
        sandbox.clock().advance(Duration::from_secs(2));
        assert!(site.is_out(who) && site.shows_out(who).await, "{} never shows it", site.name);
    }
}

#[tokio::test]
async fn a_write_of_every_twin_can_show_late_by_the_reads() {
    let sandbox = sandbox().await;
    for site in sites(&sandbox) {
        let people = site.mailable();
        let who = &people[0];
        site.handle.inject(Rule::new(Fault::LateEffect(Lag::Reads(2)))).unwrap();
        assert_eq!(site.set(who, true).await.unwrap().status / 100, 2, "{}", site.name);
        let mut shown = Vec::new();
        for _ in 0..4 {
            shown.push(site.shows_out(who).await);
        }
        assert_eq!(shown, [false, false, true, true], "{}", site.name);
    }
}

#[tokio::test]
async fn what_shows_late_is_stamped_with_the_moment_of_the_call() {
    let sandbox = sandbox().await;
    let stamps = |who: &str| {
        let mail = sandbox.mailchimp().member(Audience::Letter, who).map(|one| one["last_changed"].clone());
        let campaigns = sandbox.brevo().contact(who).map(|one| one["modifiedAt"].clone());
        (mail, campaigns)
    };
    for site in sites(&sandbox).into_iter().filter(|site| site.name != "hubspot") {
        let people = site.mailable();
        let who = &people[0];
        site.handle.inject(Rule::new(Fault::LateEffect(Lag::Milliseconds(60_000)))).unwrap();
        site.set(who, true).await.unwrap();
        sandbox.clock().advance(Duration::from_mins(2));
        assert!(site.is_out(who));
        let (mail, campaigns) = stamps(who);
        let shown = if site.name == "brevo" { campaigns } else { mail };
        // The first twin writes at midnight, the last two minutes later: an hour ahead in the account's zone.
        let expected = if site.name == "brevo" { "2026-11-01T01:02:00+01:00" } else { "2026-11-01T00:00:00+00:00" };
        assert_eq!(shown.unwrap(), expected, "{}", site.name);
    }
    let (crm, site) = (hubspot(&sandbox), &sites(&sandbox)[1]);
    let (who, before) = (&site.mailable()[0], sandbox.clock().now());
    let path = format!("/communication-preferences/v4/statuses/{}/unsubscribe-all?channel=EMAIL", encoded(who));
    site.handle.inject(Rule::new(Fault::LateEffect(Lag::Milliseconds(60_000)))).unwrap();
    crm.send(reqwest::Method::POST, &path, None).await.unwrap();
    sandbox.clock().advance(Duration::from_mins(2));
    let modified = sandbox.hubspot().contact(who).unwrap()["properties"]["lastmodifieddate"].clone();
    assert_eq!(modified.as_str().unwrap().parse::<jiff::Timestamp>().unwrap(), before);
}

#[tokio::test]
async fn a_second_write_never_shows_before_the_first() {
    let sandbox = sandbox().await;
    for site in sites(&sandbox) {
        let people = site.mailable();
        let (first, other) = (&people[0], &people[1]);
        site.handle.inject(Rule::new(Fault::LateEffect(Lag::Reads(3)))).unwrap();
        // Out and in again: whoever lets the first overtake the second leaves them out.
        for (who, out) in [(first, true), (first, false), (other, true)] {
            assert_eq!(site.set(who, out).await.unwrap().status / 100, 2, "{}", site.name);
        }
        assert!(!site.shows_out(other).await, "{}: it waits behind the first", site.name);
        for _ in 0..3 {
            site.shows_out(first).await;
        }
        assert!(!site.is_out(first) && site.is_out(other), "{}", site.name);
    }
}

#[tokio::test]
async fn a_person_who_acts_meanwhile_is_not_overtaken_by_an_older_write() {
    let sandbox = sandbox().await;
    for site in sites(&sandbox) {
        let people = site.mailable();
        let who = &people[0];
        site.handle.inject(Rule::new(Fault::LateEffect(Lag::Milliseconds(60_000)))).unwrap();
        site.set(who, true).await.unwrap();
        match site.name {
            "mailchimp" => {
                let act = |what| sandbox.mailchimp().act(Audience::Letter, who, what).unwrap();
                act(MailchimpDeed::SignUp);
                act(MailchimpDeed::Confirm);
            }
            "hubspot" => sandbox.hubspot().act(who, HubSpotDeed::SignUp(91_001)).unwrap(),
            _ => sandbox.brevo().act(who, BrevoDeed::SignUp(4)).unwrap(),
        }
        sandbox.clock().advance(Duration::from_mins(2));
        assert!(!site.is_out(who), "{}: their own word is the last", site.name);
    }
}

#[tokio::test]
async fn a_lie_about_a_write_behind_a_late_one_changes_nothing_and_the_late_one_still_comes() {
    let sandbox = sandbox().await;
    let site = &sites(&sandbox)[0];
    let people = site.mailable();
    site.handle.inject(Rule::new(Fault::LateEffect(Lag::Reads(1))).method("PATCH")).unwrap();
    site.handle.inject(Rule::new(Fault::FalseAcknowledgement).on(&hash(&people[1]))).unwrap();
    for who in &people[..2] {
        assert_eq!(site.set(who, true).await.unwrap().status, 200);
    }
    assert!(!site.shows_out(&people[0]).await);
    assert!(site.shows_out(&people[0]).await && !site.shows_out(&people[1]).await);
    site.handle.forget();
    site.handle.inject(Rule::new(Fault::LateEffect(Lag::Reads(1)))).unwrap();
    site.set(&people[2], true).await.unwrap();
    site.handle.forget();
    assert!(!site.is_out(&people[2]), "what does not show yet is forgotten with the rest");
}
