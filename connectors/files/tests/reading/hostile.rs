//! Files that are broken, cut off or made to hurt.

use serde_json::json;
use unisson_connector::ErrorKind;
use unisson_consent::{Address, Defect};

use crate::desk::{Desk, emails, opted, probe, read, set_aside};

#[test]
fn a_quote_that_is_never_closed_swallows_nobody() {
    let people = (0..1000).map(|n| format!("p{n}@example.org,no")).collect::<Vec<_>>().join("\n");
    let desk = Desk::new();
    desk.put("a.csv", format!("email,ok\nfirst@example.org,\"no\n{people}"));
    let pass = read(&desk.connect(opted()), "a.csv");
    assert_eq!(pass.observations.len(), 1000, "only the line itself is set aside");
    let aside = set_aside(&pass);
    assert_eq!((aside.len(), aside[0].place.as_str()), (1, "a.csv line 2"));
    assert!(pass.end.is_ok(), "the quote is given up long before the end");
}

#[test]
fn a_quote_closed_by_somebody_elses_swallows_nobody() {
    let desk = Desk::new();
    desk.put(
        "a.csv",
        "email,note,ok\nada@example.org,\"oops,no\nbob@example.org,\"fine\",no\n\"cyd@example.org\",x,no\n",
    );
    let pass = read(&desk.connect(opted()), "a.csv");
    assert_eq!(emails(&pass), ["bob@example.org", "cyd@example.org"]);
    assert_eq!(set_aside(&pass)[0].place, "a.csv line 2");
}

#[test]
fn a_file_cut_off_inside_quotes_is_never_called_complete() {
    let desk = Desk::new();
    desk.put("a.csv", "email,note,ok\nada@example.org,x,no\nbob@example.org,\"and then\nhe sa");
    let pass = read(&desk.connect(opted()), "a.csv");
    assert_eq!(emails(&pass), ["ada@example.org"], "what was read is handed over");
    assert_eq!(set_aside(&pass)[0].place, "a.csv line 3");
    let error = pass.end.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incomplete);
    assert!(error.to_string().contains("line 3"), "{error}");
}

#[test]
fn an_object_cut_off_is_never_called_complete() {
    let desk = Desk::new();
    desk.put("a.jsonl", "{\"email\":\"ada@example.org\",\"ok\":\"no\"}\n{\"email\":\"bob@exam");
    let pass = read(&desk.connect(opted()), "a.jsonl");
    assert_eq!(
        (emails(&pass), pass.end.unwrap_err().kind()),
        (vec!["ada@example.org".to_owned()], ErrorKind::Incomplete)
    );
}

#[test]
fn a_row_cut_off_at_the_end_is_set_aside_and_a_whole_one_without_line_break_is_read() {
    let desk = Desk::new();
    desk.put("a.csv", "email,ok\nada@example.org,no\nbob@example.or");
    desk.put("b.csv", "email,ok\nada@example.org,no");
    let files = desk.connect(opted());
    let cut = read(&files, "a.csv");
    assert_eq!((emails(&cut).len(), set_aside(&cut)[0].place.as_str()), (1, "a.csv line 3"));
    assert_eq!(emails(&read(&files, "b.csv")), ["ada@example.org"]);
}

#[test]
fn a_million_columns_are_one_bad_row() {
    let desk = Desk::new();
    let wide = ",".repeat(1_000_000);
    desk.put("a.csv", format!("email,ok\n{wide}\nada@example.org,no\n"));
    desk.put("b.csv", format!("{wide}\nada@example.org,no\n"));
    let mut settings = opted();
    settings["separator"] = json!(",");
    let files = desk.connect(settings);
    let pass = read(&files, "a.csv");
    assert_eq!(emails(&pass), ["ada@example.org"]);
    assert!(set_aside(&pass)[0].reason.contains("more than 4096 cells"));
    assert_eq!(read(&files, "b.csv").end.unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn an_address_of_100_kilobytes_is_kept_as_far_as_addresses_are_compared() {
    let desk = Desk::new();
    let address = format!("{}@example.org", "a".repeat(100 * 1024));
    desk.put("a.csv", format!("email,ok\n{address},no\n"));
    let pass = read(&desk.connect(opted()), "a.csv");
    let kept = Address::email(&pass.observations[0].who.emails[0]).unwrap();
    assert!(kept.raw().len() < 2000 && kept.defect().is_some());
    assert!(kept.suppress_eq(&Address::email(&address).unwrap(), unisson_consent::Aliases::default()));
    assert!(pass.rejects[0].reason.contains("were cut"), "{:?}", pass.rejects);
}

#[test]
fn a_name_that_was_cut_would_be_another_name() {
    let desk = Desk::new();
    desk.put("a.csv", format!("email,ok,no\nada@example.org,no,{}\n", "7".repeat(2000)));
    let mut settings = opted();
    settings["columns"]["customer"] = json!("no");
    let pass = read(&desk.connect(settings), "a.csv");
    assert!(pass.observations.is_empty() && pass.rejects[0].reason.contains("`no` is longer than any name"));
}

#[test]
fn nul_bytes_and_bytes_that_are_no_text_cost_their_own_row_at_most() {
    let desk = Desk::new();
    let mut bytes = "email,ok\nrenée@example.org,no\nzoë@example.org,no\n".as_bytes().to_vec();
    bytes.extend_from_slice(b"bob@example.org,n\xffo\na\0da@example.org,no\ncyd@example.org,no\n");
    desk.put("a.csv", bytes);
    let pass = read(&desk.connect(opted()), "a.csv");
    let expected = ["renée@example.org", "zoë@example.org", "a\0da@example.org", "cyd@example.org"];
    assert_eq!(emails(&pass), expected);
    assert_eq!(Address::email(&emails(&pass)[2]).unwrap().defect(), Some(Defect::Invisible));
    assert_eq!(set_aside(&pass)[0].place, "a.csv line 4");
}

#[test]
fn a_line_without_end_is_one_bad_row() {
    let desk = Desk::new();
    desk.put("a.csv", format!("email,ok\n{}\nada@example.org,no\n", "x".repeat(3_000_000)));
    desk.put("b.jsonl", format!("{}\n{{\"email\":\"ada@example.org\"}}\n", "[".repeat(3_000_000)));
    let files = desk.connect(opted());
    for name in ["a.csv", "b.jsonl"] {
        let pass = read(&files, name);
        assert_eq!((emails(&pass).len(), set_aside(&pass).len()), (1, 1), "{name}");
    }
}

#[test]
fn nothing_that_is_said_of_bad_rows_repeats_them() {
    let desk = Desk::new();
    desk.put(
        "a.csv",
        b"email,ok\ncanary@example.org,no,canary\ncanary@example.org,canary\n\xff\xfecanary,no\n\"canary\n",
    );
    desk.put("b.csv", "canary@example.org,no\n");
    desk.put(
        "c.jsonl",
        "canary\n{\"email\":[\"canary\"]}\n{\"email\":\"canary@example.org\",\"ok\":\"canary\"}\n{\"canary",
    );
    let files = desk.connect(opted());
    for name in ["a.csv", "b.csv", "c.jsonl"] {
        let pass = read(&files, name);
        let ended = pass.end.map_err(|error| format!("{error} {error:?}"));
        let words = format!("{:?} {ended:?}", pass.rejects);
        assert!(!words.contains("canary"), "{words}");
    }
    let words = format!("{:?} {files:?}", probe(&files).unwrap());
    assert!(!words.contains("canary"), "{words}");
}
