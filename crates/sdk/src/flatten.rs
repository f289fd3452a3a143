//! A record field by field, for the person it is about: every value with its place, in the vendor's order and digits.
//!
//! Nothing is left out quietly. What is nested deeper than anybody reads is told as one text, and a record with more fields
//! than a record has is an error.

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use unisson_connector::{Error, ErrorKind, Field, FieldValue, Result};

/// How deep a record is taken apart; what is nested deeper is told as it stands.
const LEVELS_MAX: usize = 16;
/// The most fields of one record.
const FIELDS_MAX: usize = 10_000;

/// The fields of a JSON document, each under its pointer (RFC 6901). A key that is there twice is told twice.
///
/// Fails with [`ErrorKind::Contract`] for what is no JSON and with [`ErrorKind::Bounds`] for more than 10,000 fields. The
/// error holds nothing of the document.
///
/// ```
/// use unisson_connector::FieldValue;
/// let fields = unisson_sdk::flatten(r#"{"name": "Ada", "tags": [{"id": 7}]}"#, "read a member")?;
/// assert_eq!(fields[1].path, "/tags/0/id");
/// assert_eq!(fields[1].value, FieldValue::Number("7".to_owned()));
/// # Ok::<(), unisson_connector::Error>(())
/// ```
pub fn flatten(document: &str, during: &'static str) -> Result<Vec<Field>> {
    let unlike = |_| Error::new(ErrorKind::Contract, during).with("fault", "no valid JSON");
    let document: &RawValue = serde_json::from_str(document).map_err(unlike)?;
    let mut fields = Vec::new();
    take_apart(document, String::new(), LEVELS_MAX, &mut fields).map_err(unlike)?;
    if fields.len() > FIELDS_MAX {
        return Err(Error::new(ErrorKind::Bounds, during).with("fields at most", FIELDS_MAX));
    }
    Ok(fields)
}

/// Adds the fields of a value at a place, as long as there are not too many.
fn take_apart(value: &RawValue, path: String, levels: usize, fields: &mut Vec<Field>) -> serde_json::Result<()> {
    if fields.len() > FIELDS_MAX {
        return Ok(());
    }
    let text = value.get().trim();
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = match text.as_bytes().first() {
        Some(b'{' | b'[') if is_empty(text) => FieldValue::Empty,
        Some(b'{' | b'[') if levels == 0 => FieldValue::Text(text.to_owned()),
        Some(b'{') => {
            for (key, value) in reader.deserialize_map(Entries)? {
                take_apart(value, format!("{path}/{}", escaped(&key)), levels - 1, fields)?;
            }
            return Ok(());
        }
        Some(b'[') => {
            for (place, value) in reader.deserialize_seq(Items)?.into_iter().enumerate() {
                take_apart(value, format!("{path}/{place}"), levels - 1, fields)?;
            }
            return Ok(());
        }
        Some(b'"') => FieldValue::Text(serde_json::from_str(text)?),
        Some(b't' | b'f') => FieldValue::Flag(text == "true"),
        Some(b'n') | None => FieldValue::Empty,
        Some(_) => FieldValue::Number(text.to_owned()),
    };
    fields.push(Field { path, value });
    Ok(())
}

fn is_empty(text: &str) -> bool {
    text.get(1..text.len().saturating_sub(1)).is_some_and(|inner| inner.trim().is_empty())
}

/// A key as a reference token of a pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The entries of an object in the order in which they stand.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// The items of a list.
struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(document: &str) -> Vec<(String, FieldValue)> {
        flatten(document, "read").unwrap().into_iter().map(|field| (field.path, field.value)).collect()
    }

    fn text(text: &str) -> FieldValue {
        FieldValue::Text(text.to_owned())
    }

    #[test]
    fn every_value_is_told_under_its_pointer_in_the_order_of_the_document() {
        let document =
            r#" {"z": "é\n", "a": {"b/c~d": true, "": null}, "n": [1.50, 18446744073709551616], "e": [], "o": { }} "#;
        let wanted = [
            ("/z", text("é\n")),
            ("/a/b~1c~0d", FieldValue::Flag(true)),
            ("/a/", FieldValue::Empty),
            ("/n/0", FieldValue::Number("1.50".to_owned())),
            ("/n/1", FieldValue::Number("18446744073709551616".to_owned())),
            ("/e", FieldValue::Empty),
            ("/o", FieldValue::Empty),
        ];
        assert_eq!(told(document), wanted.map(|(path, value)| (path.to_owned(), value)));
    }

    #[test]
    fn what_is_nested_too_deep_is_told_as_it_stands() {
        let deep = format!("{}\"ada\"{}", "[".repeat(20), "]".repeat(20));
        let wanted = format!("{}\"ada\"{}", "[".repeat(4), "]".repeat(4));
        assert_eq!(told(&deep), [("/0".repeat(16), text(&wanted))]);
        assert!(flatten(&"[".repeat(100_000), "read").is_err(), "the stack bears it");
    }

    #[test]
    fn too_many_fields_are_an_error_and_never_a_part_of_the_record() {
        let list = |items: usize| format!("[{}0]", "0,".repeat(items - 1));
        assert_eq!(told(&list(FIELDS_MAX)).len(), FIELDS_MAX);
        assert_eq!(flatten(&list(FIELDS_MAX + 1), "read").unwrap_err().kind(), ErrorKind::Bounds);
    }

    #[test]
    fn nothing_of_the_document_is_in_an_error() {
        for document in ["canary", r#"{"canary"}"#, r#"{"a": canary}"#, r#"["canary""#] {
            let error = flatten(document, "read").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Contract);
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }
}
