//! Files as people export them.

use serde_json::{Value, json};
use unisson_connector::ErrorKind;
use unisson_consent::{
    Actor, Bounce, Channel, Channels, Country, Evidence, Kind, Level, NoticeId, Occurred, Purposes, Relation, Status,
};

use crate::desk::{Desk, connect, emails, opted, page, probe, read, set_aside, streams};

#[test]
fn a_folder_is_read_by_extension_in_name_order_and_not_below() {
    let desk = Desk::new();
    for name in ["b.csv", "a.TSV", "c.txt", "d.jsonl", "e.ndjson", "f.xlsx", ".hidden.csv", "README"] {
        desk.put(name, "email,ok\n");
    }
    std::fs::create_dir(desk.path().join("z.csv")).unwrap();
    assert_eq!(streams(&desk.connect(opted())).unwrap(), ["a.TSV", "b.csv", "c.txt", "d.jsonl", "e.ndjson"]);
}

#[test]
fn one_file_is_one_stream_whatever_its_name_once_its_format_is_set() {
    let desk = Desk::new();
    let path = desk.put("export.dat", "email,ok\nada@example.org,yes\n");
    assert_eq!(streams(&connect(&path, opted())).unwrap_err().kind(), ErrorKind::Config);
    let mut settings = opted();
    settings["format"] = json!("csv");
    let files = connect(&path, settings);
    assert_eq!(streams(&files).unwrap(), ["export.dat"]);
    assert_eq!(emails(&read(&files, "export.dat")), ["ada@example.org"]);
}

#[test]
fn a_stream_is_looked_up_among_the_files_and_never_leads_out_of_the_folder() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path().join("in")).unwrap();
    desk.put("secret.csv", "email,ok\nada@example.org,yes\n");
    let files = connect(&desk.path().join("in"), opted());
    for name in ["../secret.csv", "secret.csv", "", "/etc/hostname"] {
        assert_eq!(page(&files, name, None, "r").unwrap_err().kind(), ErrorKind::NotFound, "{name}");
    }
}

#[test]
fn every_encoding_and_separator_gives_the_same_people() {
    let text = "e-mail;ok;prénom\nzoé@example.org;yes;Zoé\nrené@example.net;no;\"Dupont; René\"\n";
    let utf_16 = |units: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(units).collect()
    };
    let files = [
        ("UTF-8", text.as_bytes().to_vec()),
        ("UTF-8", format!("\u{feff}{text}").into_bytes()),
        ("UTF-16LE", utf_16(u16::to_le_bytes)),
        ("UTF-16BE", utf_16(u16::to_be_bytes)),
        ("windows-1252", encoding(text)),
    ];
    for (name, bytes) in files {
        for separator in [",", ";", "\t", "|"] {
            let desk = Desk::new();
            let swapped = swap(&bytes, separator.as_bytes()[0]);
            desk.put("a.csv", &swapped);
            let mut settings = opted();
            settings["columns"]["email"] = json!("e-mail");
            settings["page_rows"] = json!(1);
            let files = desk.connect(settings);
            let pass = read(&files, "a.csv");
            assert_eq!(emails(&pass), ["zoé@example.org", "rené@example.net"], "{name} {separator:?}");
            assert!(pass.rejects.is_empty() && pass.end.is_ok(), "{name} {separator:?} {:?}", pass.rejects);
            let note = &probe(&files).unwrap().notes[0];
            assert!(note.contains(name), "{note}");
            assert!(note.contains(if separator == "\t" { "tab" } else { separator }), "{note}");
        }
    }
}

fn encoding(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

/// Puts another separator in, also inside the quotes.
fn swap(bytes: &[u8], separator: u8) -> Vec<u8> {
    bytes.iter().map(|byte| if *byte == b';' { separator } else { *byte }).collect()
}

#[test]
fn what_settings_say_goes_before_what_a_file_looks_like() {
    let desk = Desk::new();
    desk.put("a.csv", b"email;ok;x\nzo\xe9@example.org;yes;'a;b'\n");
    let mut settings = opted();
    settings["encoding"] = json!("iso-8859-1");
    settings["separator"] = json!(";");
    settings["quote"] = json!("'");
    let pass = read(&desk.connect(settings), "a.csv");
    assert_eq!(emails(&pass), ["zoé@example.org"]);
    assert!(pass.rejects.is_empty());
}

#[test]
fn a_shop_export_tells_sales_opt_outs_and_what_the_newsletter_shows() {
    let desk = Desk::new();
    let rows = "sep=;\n\
        Customer no;E-mail;Mobile;Telephone;Street;Postcode;Town;Country;Last sale;Opt-out offered;Opted out;Newsletter;Newsletter since;Form;Box ticked\n\
        K1;ada@example.org;06 12 34 56 78;;1 rue Exemple;75002;Paris;fr;31/12/2025;yes;;yes;01/02/2024;form 7;no\n\
        K2;=bob@example.org;;;;;;France;;;05/06/2026 14:30;NO;;form 9;no\n\
        K3;not an address;;;;;;DE;0000-00-00;;0000-00-00;maybe;32/01/2026;;\n";
    desk.put("night.csv", rows);
    let pass = read(&connect(desk.path(), example("shop")), "night.csv");
    assert!(pass.end.is_ok());
    let [ada, bob, odd] = &pass.observations[..] else { panic!("{:?}", pass.rejects) };

    assert_eq!(ada.who.phones, ["06 12 34 56 78"]);
    assert_eq!(ada.who.postals, ["1 rue Exemple, 75002, Paris"]);
    assert_eq!(ada.who.country, Country::parse("FR"));
    assert_eq!(ada.slots[0].status, Status::Subscribed);
    assert_eq!(ada.slots[0].since, Occurred::parse("2024-02-01"));
    assert_eq!(ada.slots[0].evidence, Evidence { capture: true, pre_ticked: Some(false), ..Evidence::default() });
    assert_eq!(ada.slots[0].scope.purposes, Purposes::List("newsletter".into()));
    let sale = Kind::Relationship { what: Relation::Sale, opt_out_offered: true, similar: true };
    assert_eq!((ada.events.len(), &ada.events[0].kind), (1, &sale));
    assert_eq!(ada.events[0].actor, Actor::Import);

    assert_eq!(bob.who.emails, ["=bob@example.org"], "an address is kept as it is written");
    assert_eq!(bob.events[0].kind, Kind::Withdraw);
    assert_eq!(bob.events[0].occurred, Occurred::parse("2026-06-05T14:30"));
    assert_eq!((bob.slots[0].status, bob.slots[0].evidence.clone()), (Status::Unsubscribed, Evidence::default()));

    assert_eq!(odd.who.emails, ["not an address"], "a malformed address is still a person's");
    assert_eq!((odd.slots[0].status, odd.slots[0].since), (Status::Unknown, Occurred::Unknown));
    assert!(odd.events.is_empty(), "a zero date is no date: {:?}", odd.events);

    let words: Vec<String> = pass.rejects.iter().map(|reject| format!("{}: {}", reject.place, reject.reason)).collect();
    assert_eq!(words.len(), 3, "{words:?}");
    assert!(words[0].starts_with("night.csv lines 3 to 5: 1 cells of `Newsletter` (first on line 5)"), "{words:?}");
    assert!(words[1].contains("`Newsletter since` (first on line 5) are no dates"), "{words:?}");
    assert!(words[2].contains("`Country` (first on line 4)"), "{words:?}");
}

#[test]
fn a_recorded_consent_with_its_document_reaches_the_highest_level() {
    let desk = Desk::new();
    let rows = r#"{"call_id":"c1","contact":{"number":"0612345678","country":"FR"},"answer":"Yes","ended_at":"2026-05-02T20:00:00Z","recording":"rec-1","script":"N3"}
{"call_id":"c2","contact":{"number":"0612345678","country":"FR"},"answer":"never again","ended_at":"2026-06-02T20:00:00Z","recording":null,"script":"N3"}
{"call_id":"c3","contact":{"number":"0612345678"},"answer":"no answer","ended_at":"2026-07-02T20:00:00Z"}"#;
    let path = desk.put("calls.jsonl", rows);
    let pass = read(&connect(&path, example("calls")), "calls.jsonl");
    assert!(pass.rejects.is_empty() && pass.end.is_ok(), "{:?}", pass.rejects);
    let [yes, no, nothing] = &pass.observations[..] else { panic!("three calls") };
    let Kind::Grant { evidence, valid_until: None } = &yes.events[0].kind else { panic!("a grant") };
    assert_eq!((evidence.level(), evidence.notice.clone()), (Level::Signed, Some(NoticeId::new("N3"))));
    assert_eq!((yes.record.as_str(), yes.events[0].actor), ("c1", Actor::DataSubject));
    assert_eq!(yes.events[0].scope.channels, Channels::one(Channel::PhoneLive));
    assert_eq!(no.events[0].kind, Kind::Refuse);
    assert_eq!(no.events[0].scope.purposes, Purposes::AllMarketing);
    assert!(nothing.events.is_empty());
}

#[test]
fn a_plain_list_suppresses_everybody_on_it() {
    let desk = Desk::new();
    let path = desk.put("unsubscribed.txt", "ada@example.org\r\n\r\nBOB@example.org\r\n");
    let files = connect(&path, example("unsubscribed"));
    let pass = read(&files, "unsubscribed.txt");
    assert_eq!(emails(&pass), ["ada@example.org", "BOB@example.org"]);
    for observation in &pass.observations {
        assert_eq!(observation.slots[0].status, Status::Unsubscribed);
        assert_eq!(observation.slots[0].scope, unisson_consent::Scope::default());
    }
}

/// The settings of an example, without what every instance has in common and without its path.
fn example(name: &str) -> Value {
    let text = std::fs::read_to_string(format!("{}/examples/{name}.toml", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let document: toml::Table = toml::from_str(&text).unwrap();
    let mut settings = serde_json::to_value(&document["instances"][name]).unwrap();
    for common in ["connector", "clock", "tz", "path"] {
        settings.as_object_mut().unwrap().remove(common);
    }
    settings
}

#[test]
fn rows_without_trailing_cells_are_read_where_they_show_a_sound_address() {
    let desk = Desk::new();
    desk.put("a.csv", "email,ok,a,b\nada@example.org,no\nhalf of a note,yes\nbob@example.org,no,,,,,\ncyd@example.org,no,1,2,3\n,,,\n\n");
    let pass = read(&desk.connect(opted()), "a.csv");
    assert_eq!(emails(&pass), ["ada@example.org", "bob@example.org"]);
    let places: Vec<&str> = set_aside(&pass).iter().map(|reject| reject.place.as_str()).collect();
    assert_eq!(places, ["a.csv line 3", "a.csv line 5"]);
}

#[test]
fn a_bounce_is_hard_only_where_its_code_says_so() {
    let desk = Desk::new();
    desk.put(
        "a.csv",
        "email,code,at\na@example.org,5.1.1,2026-01-01\nb@example.org,Hard,2026-01-01\nc@example.org,,2026-01-01\n",
    );
    let files = desk.connect(json!({
        "columns": { "email": "email" },
        "events": { "back": { "kind": "bounce", "at": "at", "code": { "column": "code" } } },
    }));
    let kinds: Vec<Kind> =
        read(&files, "a.csv").observations.into_iter().map(|seen| seen.events[0].kind.clone()).collect();
    assert_eq!(kinds, [Bounce::Hard, Bounce::Hard, Bounce::Soft].map(Kind::Bounce));
}

#[test]
fn texts_that_stand_for_nothing_join_nobody() {
    let desk = Desk::new();
    desk.put("a.csv", "email,no,ok\nada@example.org,NULL,yes\nbob@example.org, null ,\\N\nNULL,NULL,yes\n");
    let mut settings = opted();
    settings["columns"]["customer"] = json!("no");
    let pass = read(&desk.connect(settings), "a.csv");
    assert!(pass.observations.iter().all(|seen| seen.who.customer.is_none()));
    assert_eq!(pass.observations[1].slots[0].status, Status::Never);
    assert_eq!(set_aside(&pass)[0].place, "a.csv line 4");
}
