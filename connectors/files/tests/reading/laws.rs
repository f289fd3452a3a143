//! What holds for every file.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::desk::{Desk, opted, probe, read, read_from, set_aside};

/// Settings that use most of what there is.
fn everything(rows: usize) -> Value {
    let mut settings = opted();
    settings["page_rows"] = json!(rows);
    settings["columns"]["phone"] = json!("phone");
    settings["columns"]["country"] = json!("ok");
    settings["columns"]["birth"] = json!("at");
    settings["claims"]["news"]["since"] = json!("at");
    settings["events"] = json!({
        "out": { "kind": "withdraw", "at": "at", "when": { "column": "ok", "equals": ["no"] } },
        "in": { "kind": "grant", "at": "at", "evidence": { "capture": { "column": "ok" } } },
    });
    settings
}

/// Bytes that look like a file more often than chance would have it.
fn scraps() -> impl Strategy<Value = Vec<u8>> {
    let scrap = prop_oneof![
        Just(b"email,ok,phone,at\n".to_vec()),
        Just(b"ada@example.org,yes,,2026-01-01\n".to_vec()),
        Just(b"{\"email\":\"ada@example.org\",\"ok\":\"no\"}\n".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b",".to_vec()),
        Just(b";".to_vec()),
        Just(b"\xff\xfe".to_vec()),
        Just(b"\xef\xbb\xbf".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(scrap, 0..30).prop_map(|scraps| scraps.concat())
}

/// A cell of any text.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,12}", "\\PC{0,8}", Just("a\nb".to_owned()), Just("\"".to_owned()), Just(String::new())]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic_and_every_pass_ends(bytes in scraps(), rows in 1_usize..5) {
        let desk = Desk::new();
        let top = [b"email,ok,phone,at\n".to_vec(), bytes.clone()].concat();
        for (name, bytes) in [("a.csv", &bytes), ("b.jsonl", &bytes), ("c.csv", &top)] {
            desk.put(name, bytes);
        }
        let files = desk.connect(everything(rows));
        for name in ["a.csv", "b.jsonl", "c.csv"] {
            let pass = read(&files, name);
            prop_assert_eq!(pass.observations, read(&files, name).observations);
        }
        probe(&files).unwrap();
    }

    #[test]
    fn every_row_of_a_well_formed_file_is_read_or_set_aside(
        people in proptest::collection::vec((cell(), cell(), cell()), 0..40),
        separator in prop_oneof![Just(b','), Just(b';'), Just(b'\t')],
        rows in 1_usize..9,
    ) {
        let mut writer = csv::WriterBuilder::new().delimiter(separator).from_writer(Vec::new());
        writer.write_record(["email", "ok", "note"]).unwrap();
        for (email, ok, note) in &people {
            writer.write_record([email, ok, note]).unwrap();
        }
        let desk = Desk::new();
        desk.put("a.csv", writer.into_inner().unwrap());
        let mut settings = opted();
        settings["page_rows"] = json!(rows);
        settings["separator"] = json!(char::from(separator).to_string());
        settings["blank"] = json!([]);
        let pass = read(&desk.connect(settings), "a.csv");
        let blank = |text: &String| text.trim().is_empty();
        let filled = people.iter().filter(|(a, b, c)| !(blank(a) && blank(b) && blank(c))).count();
        prop_assert!(pass.end.is_ok());
        prop_assert_eq!(pass.observations.len() + set_aside(&pass).len(), filled);
        let nameless = people.iter().filter(|(a, b, c)| blank(a) && !(blank(b) && blank(c))).count();
        prop_assert_eq!(set_aside(&pass).len(), nameless);
    }

    #[test]
    fn going_on_from_any_place_gives_the_rest(bytes in scraps(), rows in 1_usize..4) {
        let desk = Desk::new();
        desk.put("a.csv", [b"email,ok,phone,at\n".to_vec(), bytes].concat());
        let whole = read(&desk.connect(everything(1000)), "a.csv");
        let files = desk.connect(everything(rows));
        let pass = read(&files, "a.csv");
        prop_assert_eq!(&pass.observations, &whole.observations);
        for place in &pass.places {
            let rest = read_from(&files, "a.csv", Some(place));
            prop_assert!(whole.observations.ends_with(&rest.observations));
            prop_assert_eq!(rest.end.is_ok(), whole.end.is_ok());
        }
    }
}
