//! `portrait.json` keeps to the schema that is handed out with it.

use jsonschema::Validator;
use serde_json::Value;

use crate::document;
use crate::example::{ada, empty};

fn schema() -> Value {
    serde_json::from_str(include_str!("../../schema/unisson-access-1.json")).expect("the schema is JSON")
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).expect("the schema is a schema")
}

fn data(portrait: &unisson_portrait::Portrait) -> Value {
    serde_json::from_str(&document(portrait, "portrait.json")).expect("JSON")
}

#[test]
fn the_data_keep_to_the_schema() {
    for portrait in [ada(), empty()] {
        let data = data(&portrait);
        let defects: Vec<String> =
            validator().iter_errors(&data).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(defects.is_empty(), "{defects:#?}");
    }
}

#[test]
fn the_schema_knows_every_key_and_needs_each() {
    let validator = validator();
    let whole = data(&ada());
    let top = whole.as_object().expect("an object");
    for key in top.keys() {
        let mut less = whole.clone();
        less.as_object_mut().expect("an object").remove(key);
        assert!(!validator.is_valid(&less), "{key} could be left out");
    }
    let mut more = whole.clone();
    more["systems"][0]["records"][0]["fields"][0]["surprise"] = Value::Bool(true);
    assert!(!validator.is_valid(&more), "a key that the schema does not know got through");
}

#[test]
fn the_schema_bears_the_name_that_the_data_bear() {
    assert_eq!(schema()["properties"]["schema"]["const"], unisson_portrait::SCHEMA);
    assert_eq!(data(&empty())["schema"], unisson_portrait::SCHEMA);
}

#[test]
fn the_data_of_a_rich_portrait() {
    insta::assert_snapshot!(document(&ada(), "portrait.json"));
}

#[test]
fn keys_keep_their_order_and_the_same_portrait_gives_the_same_bytes() {
    let text = document(&ada(), "portrait.json");
    assert_eq!(text, document(&ada(), "portrait.json"));
    let places: Vec<usize> =
        ["\"schema\"", "\"made_at\"", "\"controller\"", "\"systems\"", "\"permissions\"", "\"retention\""]
            .iter()
            .map(|key| text.find(key).expect("the key"))
            .collect();
    assert!(places.is_sorted());
}
