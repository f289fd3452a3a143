//! Where reading goes on, and what stays the same when it does.

use std::collections::BTreeSet;

use serde_json::json;
use unisson_connector::{Cursor, ErrorKind, Next, Proof};
use unisson_consent::Status;

use crate::desk::{Desk, opted, page, read, read_from, streams};

#[test]
fn reading_again_gives_the_same_observations_and_an_unchanged_file_is_not_read_again() {
    let desk = Desk::new();
    desk.put("a.csv", "email,ok\nada@example.org,yes\nbob@example.org,no\n");
    let files = desk.connect(opted());
    let (first, again) = (read(&files, "a.csv"), read(&files, "a.csv"));
    assert_eq!(first.observations, again.observations);
    let resume = first.end.unwrap();
    let quiet = page(&files, "a.csv", Some(&resume), "r2").unwrap();
    assert!(quiet.observations.is_empty());
    assert!(matches!(quiet.next, Next::End { proof: Proof::EndOfFile, resume: Some(place) } if place == resume));

    desk.put("a.csv", "email,ok\nada@example.org,no\n");
    assert_eq!(read_from(&files, "a.csv", Some(&resume)).observations.len(), 1, "a changed file is read anew");
    desk.put("b.csv", "email,ok\ncyd@example.org,no\n");
    assert_eq!(streams(&files).unwrap(), ["a.csv", "b.csv"]);
}

#[test]
fn other_settings_read_a_finished_file_anew() {
    let desk = Desk::new();
    desk.put("a.csv", "email,ok\nada@example.org,never\n");
    let done = read(&desk.connect(opted()), "a.csv").end.unwrap();
    let mut settings = opted();
    settings["claims"]["news"]["status_map"]["never"] = json!("unsubscribed");
    let pass = read_from(&desk.connect(settings), "a.csv", Some(&done));
    assert_eq!(pass.observations[0].slots[0].status, Status::Unsubscribed);
}

#[test]
fn a_pass_goes_on_from_every_place_as_if_it_had_not_stopped() {
    let desk = Desk::new();
    let rows = (0..50).map(|n| format!("p{n}@example.org,\"a\r\nb {n}\",yes")).collect::<Vec<_>>().join("\r\n");
    desk.put("a.csv", format!("email,note,ok\r\n{rows}"));
    let whole = read(&desk.connect(opted()), "a.csv");
    for rows in [1, 2, 7, 49, 50, 51] {
        let mut settings = opted();
        settings["page_rows"] = json!(rows);
        let files = desk.connect(settings);
        let pass = read(&files, "a.csv");
        assert_eq!(pass.observations, whole.observations, "{rows}");
        for (pages, place) in pass.places.iter().enumerate() {
            let rest = read_from(&files, "a.csv", Some(place));
            assert_eq!(rest.observations, whole.observations[(pages + 1) * rows..], "{rows} {pages}");
        }
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_noticed_and_the_next_run_reads_it_anew() {
    let desk = Desk::new();
    desk.put("a.csv", "email,ok\nada@example.org,yes\nbob@example.org,no\n");
    let mut settings = opted();
    settings["page_rows"] = json!(1);
    let files = desk.connect(settings);
    let Next::More(place) = page(&files, "a.csv", None, "run 1").unwrap().next else { panic!("there is more") };
    desk.put("a.csv", "email,ok\ncyd@example.org,no\nada@example.org,yes\nbob@example.org,no\n");
    let error = page(&files, "a.csv", Some(&place), "run 1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incomplete);
    let anew = page(&files, "a.csv", Some(&place), "run 2").unwrap();
    assert_eq!(anew.observations[0].who.emails, ["cyd@example.org"]);
}

#[test]
fn a_place_that_is_damaged_or_of_another_file_is_refused_and_never_taken_for_the_top() {
    let desk = Desk::new();
    desk.put("a.csv", "email,ok\nada@example.org,yes\nbob@example.org,no\n");
    desk.put("b.csv", "email,ok\nada@example.org,yes\nbob@example.org,no\n");
    let mut settings = opted();
    settings["page_rows"] = json!(1);
    let files = desk.connect(settings);
    let Next::More(place) = page(&files, "a.csv", None, "r").unwrap().next else { panic!("there is more") };
    let beyond = place.0.replace("\"offset\":29", "\"offset\":2900");
    assert_ne!(beyond, place.0);
    for (name, text) in [
        ("a.csv", ""),
        ("a.csv", "{}"),
        ("a.csv", &place.0[..place.0.len() - 1]),
        ("a.csv", &beyond),
        ("a.csv", &place.0.replace("\"version\":1", "\"version\":2")),
        ("a.csv", &place.0.replace("UTF-8", "klingon")),
        ("b.csv", &place.0),
    ] {
        let error = page(&files, name, Some(&Cursor(text.to_owned())), "r").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{text}");
    }
}

#[test]
fn one_person_on_two_dated_rows_is_two_records_that_stay_as_they_are() {
    let desk = Desk::new();
    desk.put(
        "a.csv",
        "email,ok,at\nada@example.org,yes,2024-01-01\nADA@example.org,yes,2025-01-01\nada@example.org,yes,2024-01-01\n",
    );
    let mut settings = opted();
    settings["claims"]["news"]["since"] = json!("at");
    let pass = read(&desk.connect(settings), "a.csv");
    let records: BTreeSet<&str> = pass.observations.iter().map(|seen| seen.record.as_str()).collect();
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|record| !record.contains("ada")));
}

#[test]
fn a_row_keeps_its_record_when_it_moves_or_its_status_changes() {
    let desk = Desk::new();
    let files = desk.connect(opted());
    desk.put("a.csv", "email,ok\nada@example.org,yes\nbob@example.org,yes\n");
    let before = read(&files, "a.csv");
    desk.put("a.csv", "ok,email\nno,BOB@example.org\nyes,cyd@example.org\nno,ada@example.org\n");
    let after = read(&files, "a.csv");
    assert_eq!(before.observations[0].record, after.observations[2].record);
    assert_eq!(before.observations[1].record, after.observations[0].record);
    assert_ne!(before.observations[0].record, before.observations[1].record);
}

#[test]
fn a_dated_event_is_the_same_in_every_export_and_an_undated_one_is_new_in_another_file() {
    let desk = Desk::new();
    let settings = json!({
        "columns": { "email": "email" },
        "events": {
            "out": { "kind": "withdraw", "at": "out", "when": { "column": "email" } },
        },
    });
    desk.put("may.csv", "email,out\nada@example.org,2026-05-02\nbob@example.org,\n");
    desk.put("june.csv", "email,out\nbob@example.org,\nada@example.org,2026-05-02\nada@example.org,2026-06-02\n");
    let files = desk.connect(settings);
    let ids = |name| -> Vec<String> {
        let pass = read(&files, name);
        pass.observations.into_iter().flat_map(|seen| seen.events).map(|event| event.native_id.unwrap()).collect()
    };
    let (may, june) = (ids("may.csv"), ids("june.csv"));
    assert_eq!(may[0], june[1], "the same dated act");
    assert_ne!(may[1], june[0], "listed again without a date");
    assert_ne!(june[1], june[2], "another day");
    assert_eq!(may, ids("may.csv"));
}
