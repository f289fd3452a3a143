//! No field is lost: what a system said is in the data file as it was said, and in the page.

use proptest::prelude::*;
use serde_json::Value;
use unisson_connector::FieldValue;

use crate::document;
use crate::example::{empty, gathered, holding, system};

/// Any field: odd texts, odd numbers, odd places.
fn field() -> impl Strategy<Value = (String, FieldValue)> {
    let value = prop_oneof![
        any::<String>().prop_map(FieldValue::Text),
        "[<>&\"' a-z]{0,12}".prop_map(FieldValue::Text),
        "-?[0-9]{1,30}(\\.[0-9]{1,30})?([eE][0-9]{1,4})?".prop_map(FieldValue::Number),
        "[0-9 ,.+-]{0,8}".prop_map(FieldValue::Number),
        any::<bool>().prop_map(FieldValue::Flag),
        Just(FieldValue::Empty),
    ];
    ("/[a-z<&~/]{1,10}", value)
}

/// The cells of the page as a reader sees them.
fn cells(page: &str) -> Vec<String> {
    let starts = page.match_indices("<div><bdi>").map(|(start, opening)| start + opening.len());
    starts.filter_map(|start| page[start..].split_once("</bdi>").map(|(cell, _)| unescaped(cell))).collect()
}

fn unescaped(text: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

/// What no page can hold, or must not obey, is shown as a sign; everything else stays what it is.
fn is_shown_as_it_is(c: char) -> bool {
    let is_odd = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fdd0}'..='\u{fdef}');
    matches!(c, '\n' | '\t') || !c.is_control() && !is_odd && u32::from(c) & 0xfffe != 0xfffe
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_field_is_in_the_data_and_in_the_page(fields in prop::collection::vec(field(), 0..12)) {
        let given: Vec<(&str, FieldValue)> = fields.iter().map(|(path, value)| (path.as_str(), value.clone())).collect();
        let mut portrait = empty();
        portrait.systems = vec![system("crm", "CRM", "HubSpot", gathered(vec![holding("7", "contact", &given)], vec![]))];

        let data = document(&portrait, "portrait.json");
        let parsed: Value = serde_json::from_str(&data).expect("JSON");
        let told = parsed["systems"][0]["records"][0]["fields"].as_array().expect("fields");
        prop_assert_eq!(told.len(), fields.len());
        let seen = cells(&document(&portrait, "index.html"));

        for ((path, value), told) in fields.iter().zip(told) {
            prop_assert_eq!(&told["source"]["pointer"], path);
            prop_assert_eq!(&told["source"]["instance"], "crm");
            prop_assert_eq!(&told["source"]["record_kind"], "contact");
            match value {
                FieldValue::Text(text) => {
                    prop_assert_eq!(&told["value"], text);
                    if text.chars().all(is_shown_as_it_is) {
                        prop_assert!(seen.contains(text), "{text:?} is not in the page");
                    }
                }
                FieldValue::Number(digits) => {
                    let kept = data.contains(&format!("\"value\": {digits}\n")) || told["value"] == **digits;
                    prop_assert!(kept, "{digits:?} is not in the data");
                    prop_assert!(seen.contains(digits), "{digits:?} is not in the page");
                }
                FieldValue::Flag(flag) => prop_assert_eq!(&told["value"], flag),
                FieldValue::Empty => prop_assert_eq!(&told["value"], &Value::Null),
            }
        }
    }
}
