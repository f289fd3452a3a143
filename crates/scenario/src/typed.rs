//! Reads a tree into the types of the schema. Every error knows the path to what it refused.

use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::error::{Fault, Step};
use crate::nearest::{instead, shown};
use crate::node::{Entry, Node, Value};

impl Node {
    /// This value as a type of the schema.
    pub(crate) fn typed<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        T::deserialize(self)
    }
}

impl Error for Fault {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::new(text.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("needs {}, not {}", wanted(&expected.to_string()), kind(&found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match found {
            Unexpected::Unsigned(_) | Unexpected::Signed(_) => Self::new("is too large"),
            _ => Self::invalid_type(found, expected),
        }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let fault = Self::new(format!("is not known here; {}", instead(field, expected)));
        fault.under(Step::Key(field.to_owned()))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("lacks `{field}`"))
    }
}

/// What a type expects, without the names of Rust's types.
fn wanted(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from zero up",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "a boolean" => "true or false",
        "a string" => "text",
        "a sequence" => "a list",
        "a map" => "a table such as {key: value}",
        other if other.starts_with("struct ") => "a table such as {key: value}",
        other => other,
    }
}

/// The kind of a value, never the value.
fn kind(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Str(_) => "text",
        Unexpected::Seq => "a list",
        Unexpected::Map => "a table",
        Unexpected::Unit | Unexpected::Option => "nothing",
        _ => "something else",
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(items) => visitor.visit_seq(Items { items, next: 0 }),
            Value::Table(entries) => visitor.visit_map(Entries { entries: entries.iter(), at: None }),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.text() {
            Some("true" | "True" | "TRUE") => visitor.visit_bool(true),
            Some("false" | "False" | "FALSE") => visitor.visit_bool(false),
            Some(other) => Err(Fault::new(format!("needs true or false, not `{}`", shown(other)))),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.text().map(str::parse) {
            Some(Ok(number)) => visitor.visit_u64(number),
            Some(Err(_)) | None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.value {
            Value::Null => visitor.visit_none(),
            Value::Text(_) | Value::List(_) | Value::Table(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u16 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct enum identifier
    }
}

/// The items of a list, one after the other.
struct Items<'de> {
    items: &'de [Node],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some(item) = self.items.get(self.next) else { return Ok(None) };
        let index = self.next;
        self.next += 1;
        seed.deserialize(item).map(Some).map_err(|fault| fault.under(Step::Index(index)))
    }
}

/// The entries of a table, one after the other.
struct Entries<'de> {
    entries: std::slice::Iter<'de, Entry>,
    at: Option<&'de Entry>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        self.at = self.entries.next();
        let Some(entry) = self.at else { return Ok(None) };
        seed.deserialize(entry.key.as_str().into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let Some(entry) = self.at else { return Err(Fault::new("has a value without a key")) };
        seed.deserialize(&entry.node).map_err(|fault| fault.under(Step::Key(entry.key.clone())))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(rename = "rows")]
        _rows: Vec<Row>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Row {
        #[serde(rename = "count")]
        _count: u8,
        #[serde(rename = "name")]
        _name: Option<String>,
    }

    fn refused(text: &str) -> String {
        let node = Node::parse(text).unwrap();
        let fault = node.typed::<Outer>().unwrap_err();
        format!("{}: {fault}", node.path_in_words(&fault.path))
    }

    #[test]
    fn an_error_knows_the_way_to_what_it_refused() {
        assert_eq!(
            refused("rows: [{count: 1}, {id: b, count: 2}]"),
            "rows[b].id: is not known here; known are count, name"
        );
        assert_eq!(
            refused("rows: [{count: 1}, {cuont: 2}]"),
            "rows[1].cuont: is not known here; did you mean `count`? known are count, name"
        );
        assert_eq!(refused("rows: [{count: 256}]"), "rows[0].count: is too large");
        assert_eq!(refused("rows: [{count: many}]"), "rows[0].count: needs a whole number from zero up, not text");
        assert_eq!(refused("rows: {}"), "rows: needs a list, not a table");
        assert_eq!(refused("rows: [{name: x}]"), "rows[0]: lacks `count`");
    }
}
