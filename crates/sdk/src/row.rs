//! Rows of an answer or a file: each read by itself, so that a bad one spoils no page, and refused where two readers could
//! take it for two things.
//!
//! A key that is there twice says two things of one person, and a number beyond what every reader keeps exactly becomes
//! its neighbour's (RFC 8259, 4 and 6). Neither is guessed at.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::scrub::{self, Keys};

/// The least whole number that a double no longer tells from its neighbour: two to the power of 53.
const INEXACT: f64 = 9_007_199_254_740_992.0;

const TWICE: &str = "a key is there twice";

/// Reads one row. The error is the place that differs from what was expected; what is there may be personal and is never
/// told, nor is a key that may be an address.
///
/// ```
/// use std::collections::BTreeMap;
/// #[derive(Debug, serde::Deserialize)]
/// struct Member { topics: BTreeMap<String, bool> }
/// assert!(unisson_sdk::read_row::<Member>(r#"{"topics": {"news": true}}"#).is_ok());
/// let place = unisson_sdk::read_row::<Member>(r#"{"topics": {"ada@example.org": 1}}"#).unwrap_err();
/// assert_eq!(place, "topics.{key}");
/// ```
pub fn read_row<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    // The place of a fault is looked for only where there is one: that costs as much again as reading.
    serde_json::from_str(text).or_else(|_| {
        let mut reader = serde_json::Deserializer::from_str(text);
        serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let place = scrub::place(error.path(), Keys::Foreign);
            if place.is_empty() { "the row".to_owned() } else { place }
        })
    })
}

/// A number as text, if every reader keeps it exactly; `None` for one that may be another by now.
///
/// ```
/// let number = |text: &str| serde_json::from_str(text).unwrap();
/// assert_eq!(unisson_sdk::exact(&number("18446744073709551615")).as_deref(), Some("18446744073709551615"));
/// assert_eq!(unisson_sdk::exact(&number("18446744073709551616")), None);
/// ```
pub fn exact(number: &Number) -> Option<String> {
    let kept = number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|number| number.abs() < INEXACT);
    kept.then(|| number.to_string())
}

/// A table in which each key is there once; one with a key that is there twice is refused.
#[derive(Clone, Default)]
pub struct Table<V>(BTreeMap<String, V>);

impl<V> Table<V> {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&V> {
        self.0.get(key)
    }

    /// Keys and values, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }
}

/// Any JSON value in which no key of any object is there twice.
#[derive(Clone, Default)]
pub struct Document(Value);

impl Document {
    /// The value.
    pub fn value(&self) -> &Value {
        &self.0
    }
}

/// Shows nothing of what may be a person's data.
impl<V> fmt::Debug for Table<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({} keys)", self.0.len())
    }
}

/// Shows nothing of what may be a person's data.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Document")
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Table<V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(TableVisitor(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(DocumentVisitor)
    }
}

struct TableVisitor<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for TableVisitor<V> {
    type Value = Table<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Table<V>, A::Error> {
        let mut table = BTreeMap::new();
        while let Some((key, value)) = entries.next_entry()? {
            if table.insert(key, value).is_some() {
                return Err(A::Error::custom(TWICE));
            }
        }
        Ok(Table(table))
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Document, E> {
        Ok(Document(Value::Null))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Document, E> {
        Ok(Document(flag.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Document, E> {
        Ok(Document(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Document, E> {
        Ok(Document(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Document, E> {
        Ok(Document(number.into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Document, E> {
        Ok(Document(text.into()))
    }

    fn visit_string<E>(self, text: String) -> Result<Document, E> {
        Ok(Document(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Document, A::Error> {
        let mut list = Vec::new();
        while let Some(Document(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Document(Value::Array(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Document, A::Error> {
        let mut object = Map::new();
        while let Some((key, Document(value))) = entries.next_entry::<String, Document>()? {
            if object.insert(key, value).is_some() {
                return Err(A::Error::custom(TWICE));
            }
        }
        Ok(Document(Value::Object(object)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_there_twice_is_refused_however_deep() {
        assert!(read_row::<Table<bool>>(r#"{"a":true,"b":false}"#).is_ok());
        for text in [r#"{"a":true,"a":true}"#, r#"{"a":true,"b":true,"a":false}"#] {
            assert!(read_row::<Table<bool>>(text).is_err());
        }
        assert!(read_row::<Document>(r#"{"a":[{"b":1,"c":1}],"b":1}"#).is_ok());
        assert!(read_row::<Document>(r#"{"a":[{"b":1,"b":1}]}"#).is_err());
    }

    #[test]
    fn a_document_is_what_the_parser_reads() {
        let text = r#"{"a":[1,-2,2.5,18446744073709551615,null,true,"é\n"],"b":{}}"#;
        let whole: Document = read_row(text).unwrap();
        assert_eq!(*whole.value(), serde_json::from_str::<Value>(text).unwrap());
        assert!(read_row::<Document>(&"[".repeat(100_000)).is_err(), "the stack bears it");
    }

    #[test]
    fn numbers_that_readers_do_not_agree_on_are_none() {
        let kept = |text: &str| exact(&serde_json::from_str(text).unwrap());
        for text in ["0", "-9223372036854775808", "18446744073709551615", "1.5"] {
            assert_eq!(kept(text).as_deref(), Some(text));
        }
        for text in ["18446744073709551616", "-9223372036854775809", "1e300", "9007199254740993.0"] {
            assert_eq!(kept(text), None, "{text}");
        }
    }

    #[test]
    fn nothing_that_was_read_is_shown() {
        let shown = |text: &str| format!("{:?}{:?}", read_row::<Document>(text), read_row::<Table<Value>>(text));
        for text in [r#"{"canary":"canary"}"#, r#"{"canary":1,"canary":2}"#, "canary", r#""canary""#] {
            assert!(!shown(text).contains("canary"), "{}", shown(text));
        }
    }
}
