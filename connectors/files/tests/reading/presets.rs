//! Exports of platforms that are read without a mapping: recognised by their headers, or refused with what is missing.

use proptest::prelude::*;
use serde_json::{Value, json};
use unisson_connector::{ErrorKind, Observation, Slot};
use unisson_consent::{Actor, Bounce, Channel, Channels, Kind, Level, Occurred, Purposes, Scope, Status};
use unisson_files::Files;

use crate::desk::{Desk, connect, probe, read, set_aside};

const SUBSCRIBED: &str = "\u{feff}\"Email Address\",\"First Name\",\"SMS Phone Number\",SMS_MARKETING_STATUS,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,\
    CONFIRM_TIME,CONFIRM_IP,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS\n\
    ada@example.org,Ada,+33612345678,Subscribed,4,\"2024-01-01 09:00:00\",192.0.2.1,\"2024-01-01 09:05:00\",192.0.2.1,1,1,\
    Europe/Paris,FR,IDF,\"2025-02-03 10:00:00\",1001,e1,,\"\"\"vip\"\",\"\"shop\"\"\"\n\
    bob@example.org,Bob,,,2,\"2024-02-01 09:00:00\",,,,,,,,,\"2025-02-03 10:00:00\",1002,e2,,\n\
    cyd@example.org,Cyd,+33612345679,Paused,2,,,,,,,,,,\"2025-02-03 10:00:00\",1003,e3,,\n";

const UNSUBSCRIBED: &str = "\"Email Address\",\"First Name\",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,CC,REGION,\
    UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER,LEID,EUID,NOTES,TAGS\n\
    dan@example.org,Dan,2,,,,,,,\"2024-05-06 07:08:09\",Spring,c1,NORMAL,,1004,e4,,\n\
    eve@example.org,Eve,2,,,,,,,\"2024-05-07 07:08:09\",Spring,c1,SPAM,,1005,e5,,\n\
    fay@example.org,Fay,2,,,,,,,,,,\"N/A (Unsubscribed by an admin)\",,1006,e6,,\n\
    gus@example.org,Gus,2,,,,,,,,,,\"whatever this means\",,1007,e7,,\n";

const CLEANED: &str = "\"Email Address\",MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,\
    CLEAN_CAMPAIGN_ID,LEID,EUID,NOTES,TAGS\nhal@example.org,1,,,\"2024-06-07 08:09:10\",Spring,c1,1008,e8,,\n";

const HUBSPOT: &str = "Record ID,First Name,Email,Additional email addresses,Phone Number,Lifecycle Stage,\
    Unsubscribed from all email,Opted out of email: Marketing Information,Opted out of email: One to One,\
    Opted out of email: Marketing Information,Invalid email address,Email hard bounce reason,Email hard bounce reason,\
    Email Address Quarantined,Email address internal quarantine reason,Create Date\n\
    51,Ada,ada@example.org,ada.two@example.org; ada.three@example.org,+33612345678,customer,false,,,,,,,,,2021-04-01 09:12\n\
    52,Bob,bob@example.org,,,lead,true,false,,true,,,,,,2021-04-01 09:12\n\
    53,Cyd,cyd@example.org,,,lead,,,yes,,true,Unknown user,CONTENT,,,2021-04-01 09:12\n\
    54,Dan,dan@example.org,,,lead,perhaps,,,,false,,,true,Recipient complaint,2021-04-01 09:12\n";

const BREVO: &str = "CONTACT ID;EMAIL;LASTNAME;SMS;EMAIL_BLACKLISTED;SMS_BLACKLISTED;DOUBLE_OPT-IN;ADDED_TIME;MODIFIED_TIME\n\
    1;ada@example.org;A;33612345678;No;Yes;Yes;12-04-2022;13-04-2022\n\
    2;bob@example.org;B;;Yes;No;;12-04-2022;13-04-2022\n\
    3;cyd@example.org;C;;;;;12-04-2022;13-04-2022\n\
    4;;D;33612345679;Yes;No;;12-04-2022;13-04-2022\n";

const BREVO_CHANNELS: &str = "EMAIL;_listIds;_SUBSCRIBED;_BLOCKLISTED;SMS;ADDED_TIME;MODIFIED_TIME\n\
    ada@example.org;[1|2];email_marketing,sms_marketing;;33612345678;12-04-2022;13-04-2022\n\
    bob@example.org;[1];;email_marketing;33612345679;12-04-2022;13-04-2022\n\
    cyd@example.org;[1];;;;12-04-2022;13-04-2022\n";

fn preset(name: &str) -> Value {
    json!({ "preset": name })
}

fn read_as(settings: Value, name: &str, text: &str) -> Vec<Observation> {
    let desk = Desk::new();
    desk.put(name, text);
    let pass = read(&desk.connect(settings), name);
    assert!(set_aside(&pass).is_empty() && pass.end.is_ok(), "{:?} {:?}", pass.rejects, pass.end);
    pass.observations
}

/// Why a file is not read.
fn refused(settings: Value, name: &str, text: &str) -> String {
    let desk = Desk::new();
    desk.put(name, text);
    let pass = read(&desk.connect(settings), name);
    assert!(pass.observations.is_empty() && pass.rejects.is_empty());
    let error = pass.end.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    format!("{error}: {}", std::error::Error::source(&error).unwrap())
}

fn slot<'o>(seen: &'o Observation, list: &str) -> Option<&'o Slot> {
    seen.slots.iter().find(|slot| slot.scope.purposes == Purposes::List(list.into()))
}

fn status(seen: &Observation, list: &str) -> Option<Status> {
    slot(seen, list).map(|slot| slot.status)
}

#[test]
fn the_subscribed_of_mailchimp_are_claims_dated_by_their_confirmation() {
    let seen = read_as(preset("mailchimp"), "subscribed_email_audience_export_1a2b.csv", SUBSCRIBED);
    let [ada, bob, cyd] = &seen[..] else { panic!("three contacts") };
    let opted_in = slot(ada, "audience").unwrap();
    assert_eq!((opted_in.status, opted_in.actor), (Status::Subscribed, Actor::DataSubject));
    assert_eq!(opted_in.since, Occurred::parse("2024-01-01 09:05:00"));
    assert_eq!(opted_in.scope.channels, Channels::one(Channel::Email));
    assert_eq!(opted_in.evidence.level(), Level::Claim, "an export shows no proof");
    assert_eq!(slot(bob, "audience").unwrap().since, Occurred::parse("2024-02-01 09:00:00"));
    assert_eq!(slot(cyd, "audience").unwrap().since, Occurred::Unknown);
    assert_eq!((ada.record.as_str(), ada.who.emails[0].as_str()), ("1001", "ada@example.org"));
    assert_eq!(ada.who.country.map(|country| country.as_str().to_owned()).as_deref(), Some("FR"));
    assert_eq!(status(ada, "audience/sms"), Some(Status::Subscribed));
    assert_eq!(status(bob, "audience/sms"), None, "without a number there is nothing to send to");
    assert_eq!(status(cyd, "audience/sms"), Some(Status::Unknown));
}

#[test]
fn the_unsubscribed_and_the_cleaned_of_mailchimp_are_told_by_their_columns() {
    // Whatever the file is called: only the subscribed need their name.
    let seen = read_as(preset("mailchimp"), "export.csv", UNSUBSCRIBED);
    let told: Vec<(Status, Actor)> = seen.iter().map(|seen| (seen.slots[0].status, seen.slots[0].actor)).collect();
    let left = Status::Unsubscribed;
    assert_eq!(
        told,
        [
            (left, Actor::DataSubject),
            (Status::Complained, Actor::MailboxProvider),
            (left, Actor::Operator),
            (left, Actor::DataSubject)
        ]
    );
    assert_eq!(seen[0].slots[0].since, Occurred::parse("2024-05-06 07:08:09"));
    let cleaned = read_as(preset("auto"), "export.csv", CLEANED);
    let slot = &cleaned[0].slots[0];
    assert_eq!(
        (slot.status, slot.actor, slot.since),
        (Status::Invalid, Actor::Machine, Occurred::parse("2024-06-07 08:09:10"))
    );
}

#[test]
fn the_non_subscribed_are_never_taken_for_subscribed() {
    let seen = read_as(preset("auto"), "nonsubscribed_email_audience_export_1a2b.csv", SUBSCRIBED);
    assert!(seen.iter().all(|seen| status(seen, "audience") == Some(Status::Never)));
    for name in ["export.csv", "unsubscribed_email_audience_export_1a2b.csv", "cleaned.csv"] {
        let words = refused(preset("auto"), name, SUBSCRIBED);
        assert!(words.contains("vendor's"), "{words}");
    }
}

#[test]
fn a_contact_that_leaves_stays_the_same_record() {
    let before = read_as(preset("mailchimp"), "subscribed_1.csv", SUBSCRIBED);
    let after = read_as(
        preset("mailchimp"),
        "b.csv",
        &UNSUBSCRIBED.replace("dan@example.org", "ada@example.net").replace("1004", "1001"),
    );
    assert_eq!(before[0].record, after[0].record);
}

#[test]
fn what_hubspot_shows_are_opt_outs_and_bounces_and_never_an_opt_in() {
    let seen = read_as(preset("hubspot"), "contacts.csv", HUBSPOT);
    let [ada, bob, cyd, dan] = &seen[..] else { panic!("four contacts") };
    let wide = |seen: &Observation| seen.slots.iter().find(|slot| slot.scope == Scope::default()).unwrap().status;
    assert_eq!(ada.who.emails, ["ada@example.org", "ada.two@example.org", "ada.three@example.org"]);
    assert_eq!((ada.who.phones.as_slice(), ada.record.as_str()), (&["+33612345678".to_owned()][..], "51"));
    assert_eq!(
        [ada, bob, cyd, dan].map(wide),
        [Status::Never, Status::Unsubscribed, Status::Never, Status::Unsubscribed]
    );
    // Two types of one name: one of them was opted out of.
    assert_eq!(status(bob, "Marketing Information"), Some(Status::Unsubscribed));
    assert_eq!(status(ada, "Marketing Information"), Some(Status::Never));
    assert_eq!(status(cyd, "One to One"), Some(Status::Unsubscribed));
    let kinds = |seen: &Observation| seen.events.iter().map(|event| event.kind.clone()).collect::<Vec<_>>();
    assert_eq!(kinds(ada), []);
    assert_eq!(kinds(cyd), [Bounce::Hard, Bounce::Hard, Bounce::Sender].map(Kind::Bounce));
    assert_eq!(kinds(dan), [Kind::Complaint]);
    assert_eq!(dan.events[0].actor, Actor::MailboxProvider);
    let internal = "hs_object_id,email,hs_email_optout,hs_email_optout_91001\n7,ada@example.org,,true\n";
    let seen = read_as(preset("auto"), "internal.csv", internal);
    assert_eq!((status(&seen[0], "91001"), wide(&seen[0])), (Some(Status::Unsubscribed), Status::Never));
}

#[test]
fn what_brevo_shows_is_who_is_blocklisted_and_never_an_opt_in() {
    for (text, blank) in [(BREVO, Status::Unknown), (BREVO_CHANNELS, Status::Unknown)] {
        let seen = read_as(preset("brevo"), "export.csv", text);
        assert_eq!(status(&seen[0], "blocklist"), Some(Status::Never));
        assert_eq!(status(&seen[1], "blocklist"), Some(Status::Unsubscribed));
        assert_eq!(status(&seen[2], "blocklist"), Some(blank));
        assert_eq!(seen[0].who.phones, ["+33612345678"]);
        assert_eq!(status(&seen[2], "sms-blocklist"), None);
        assert!(seen.iter().flat_map(|seen| &seen.slots).all(|slot| slot.since == Occurred::Unknown));
    }
    let seen = read_as(preset("auto"), "export.csv", BREVO);
    assert_eq!(status(&seen[0], "sms-blocklist"), Some(Status::Unsubscribed));
    assert_eq!((status(&seen[3], "blocklist"), status(&seen[3], "sms-blocklist")), (None, Some(Status::Never)));
    assert_eq!(seen[0].record.as_str(), "1");
}

#[test]
fn a_folder_of_all_of_them_is_read_file_by_file_and_a_check_says_as_what() {
    let desk = Desk::new();
    desk.put("subscribed_audience.csv", SUBSCRIBED);
    desk.put("unsubscribed_audience.csv", UNSUBSCRIBED);
    desk.put("hubspot.csv", HUBSPOT);
    desk.put("brevo.csv", BREVO);
    desk.put("empty.csv", "");
    desk.put("mine.csv", "email,ok\ncanary@example.org,yes\n");
    desk.put("objects.jsonl", "{\"email\":\"canary@example.org\"}\n");
    let files = desk.connect(preset("auto"));
    let account = probe(&files).unwrap();
    let (notes, gaps) = (account.notes.join("\n"), account.gaps.join("\n"));
    for said in [
        "subscribed_audience.csv: recognised as Mailchimp's export of the subscribed",
        "unsubscribed_audience.csv: recognised as Mailchimp's export of the unsubscribed",
        "hubspot.csv: recognised as HubSpot's export of contacts",
        "brevo.csv: recognised as Brevo's export of contacts",
    ] {
        assert!(notes.contains(said), "{notes}");
    }
    assert!(gaps.contains("mine.csv") && gaps.contains("of no contact export"), "{gaps}");
    assert!(gaps.contains("objects.jsonl"), "{gaps}");
    let lists: Vec<&str> = account.lists.iter().map(|list| list.id.as_str()).collect();
    assert_eq!(
        lists,
        ["blocklist", "sms-blocklist", "Marketing Information", "One to One", "audience", "audience/sms"]
    );
    assert!(!format!("{account:?}").contains("canary"), "{account:?}");
    assert!(read(&files, "empty.csv").end.is_ok());
}

#[test]
fn a_header_that_fits_in_part_is_refused_with_what_is_missing() {
    let without = |text: &str, column: &str| text.replacen(column, "Other", 1);
    for (name, text, missing) in [
        ("mailchimp", without(UNSUBSCRIBED, "UNSUB_TIME"), "`UNSUB_TIME`"),
        ("mailchimp", without(UNSUBSCRIBED, "\"Email Address\""), "`Email Address`"),
        ("hubspot", without(HUBSPOT, "Unsubscribed from all email"), "`Unsubscribed from all email`"),
        ("hubspot", without(HUBSPOT, "Email,"), "`Email`"),
        ("brevo", without(BREVO, "EMAIL_BLACKLISTED"), "`EMAIL_BLACKLISTED`"),
        ("brevo", without(BREVO, "EMAIL"), "`EMAIL`"),
    ] {
        for settings in [preset(name), preset("auto")] {
            let words = refused(settings, "export.csv", &text);
            assert!(words.contains(missing), "{name}: {words}");
            assert!(!words.contains("example.org"), "{words}");
        }
    }
    assert!(refused(preset("brevo"), "a.csv", HUBSPOT).contains("`_BLOCKLISTED`"));
}

#[test]
fn a_header_that_fits_twice_is_refused() {
    let both = "Email Address,LEID,EUID,LAST_CHANGED,UNSUB_TIME\nada@example.org,1,e1,,2024-01-01\n";
    for name in ["subscribed.csv", "unsubscribed.csv"] {
        assert!(refused(preset("mailchimp"), name, both).contains("more than one of"));
    }
    let two = "Email Address,LEID,EUID,CLEAN_TIME,Email,Unsubscribed from all email\nada@example.org,1,e1,,ada@example.org,\n";
    assert!(refused(preset("auto"), "a.csv", two).contains("alike"));
    assert_eq!(read_as(preset("hubspot"), "a.csv", two).len(), 1);
}

#[test]
fn explicit_columns_and_claims_always_win() {
    let renamed = UNSUBSCRIBED.replace("\"Email Address\"", "Courriel").replace("UNSUB_TIME", "Quand");
    let mut settings = preset("mailchimp");
    settings["columns"] = json!({ "email": "Courriel", "customer": "First Name" });
    settings["claims"] = json!({ "news": { "list": "mine", "assume": "unsubscribed", "since": "Quand" } });
    let seen = read_as(settings, "a.csv", &renamed);
    assert_eq!(
        (seen[0].who.emails[0].as_str(), seen[0].who.customer.as_ref().unwrap().as_str()),
        ("dan@example.org", "Dan")
    );
    assert_eq!((seen[0].slots.len(), status(&seen[0], "mine")), (1, Some(Status::Unsubscribed)));
    assert_eq!(seen[0].slots[0].since, Occurred::parse("2024-05-06 07:08:09"));
    assert_eq!(seen[0].record.as_str(), "1004", "what is not said stays as the header says");
    let mut missing = preset("mailchimp");
    missing["columns"] = json!({ "email": "canary" });
    let desk = Desk::new();
    desk.put("a.csv", renamed.replace("Quand", "UNSUB_TIME"));
    let error = read(&desk.connect(missing), "a.csv").end.unwrap_err();
    assert!(error.to_string().contains("column canary"), "{error}");
}

#[test]
fn settings_that_no_preset_can_follow_are_refused() {
    let refused = |settings: Value, path: &str| {
        let mut settings = settings;
        settings["path"] = json!("a.csv");
        assert_eq!(Files::new(settings).unwrap_err().path(), path);
    };
    refused(json!({ "preset": "mailchump" }), "preset");
    refused(json!({ "preset": "auto", "header": false }), "preset");
    refused(json!({ "preset": "auto", "format": "jsonl" }), "preset");
    refused(json!({ "preset": "auto", "claims": { "a": { "list": "x" } } }), "claims.a");
    let desk = Desk::new();
    let path = desk.put("unsubscribed.csv", UNSUBSCRIBED);
    assert_eq!(read(&connect(&path, preset("auto")), "unsubscribed.csv").observations.len(), 4);
}

/// Cells that occur in exports, and some that should not.
fn cell() -> impl Strategy<Value = String> {
    let words = vec![
        "",
        "true",
        "false",
        "Yes",
        "Subscribed",
        "email_marketing",
        "2024-01-01",
        "ada@example.org",
        "33612345678",
        "SPAM",
    ];
    prop_oneof![prop::sample::select(words).prop_map(str::to_owned), "[a-z \"]{0,6}"]
}

/// The header of an export, some columns of it missing and some of another one added.
fn header() -> impl Strategy<Value = Vec<&'static str>> {
    let columns = |text: &'static str| -> Vec<&'static str> {
        let first = text.lines().next().unwrap_or_default();
        first.split([',', ';']).filter(|name| *name != "SMS_MARKETING_STATUS").collect()
    };
    let all = [SUBSCRIBED, UNSUBSCRIBED, CLEANED, HUBSPOT, BREVO, BREVO_CHANNELS].map(columns);
    let any: Vec<&str> = all.concat();
    prop::sample::select(all.to_vec()).prop_flat_map(move |columns| {
        let kept = prop::sample::subsequence(columns.clone(), columns.len().saturating_sub(3)..=columns.len());
        let added = prop::sample::subsequence(any.clone(), 0..3);
        (kept, added).prop_map(|(kept, added)| [kept, added].concat())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_opts_anybody_in_but_the_file_of_the_subscribed(
        names in header(),
        cells in prop::collection::vec(cell(), 60),
        which in prop::sample::select(vec!["auto", "mailchimp", "hubspot", "brevo"]),
        name in prop::sample::select(vec!["export.csv", "unsubscribed_1.csv", "nonsubscribed_1.csv", "cleaned_1.csv", "subscribed_1.csv"]),
    ) {
        let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
        let rows: Vec<String> = cells.chunks(names.len()).map(|row| row.iter().map(quoted).collect::<Vec<_>>().join(",")).collect();
        let desk = Desk::new();
        desk.put(name, format!("{}\n{}\n", names.join(","), rows.join("\n")));
        let pass = read(&desk.connect(preset(which)), name);
        let subscribed = name == "subscribed_1.csv" && names.contains(&"LAST_CHANGED");
        for slot in pass.observations.iter().flat_map(|seen| &seen.slots) {
            prop_assert!(subscribed || slot.status != Status::Subscribed, "{:?} {names:?}", slot.scope);
            prop_assert!(slot.evidence.level() <= Level::Claim);
        }
    }
}
