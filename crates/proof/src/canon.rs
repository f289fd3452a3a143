//! One spelling for every document: JSON in the manner of RFC 8785, so that equal content has equal bytes.
//!
//! Keys are sorted, there is no white space, text is escaped only where JSON demands it, and numbers are whole. Reading
//! refuses a key that stands twice, where readers would differ in which one counts.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The largest whole number that every reader of JSON keeps exact (RFC 8785, 3.2.2.3).
const WHOLE_MAX: u64 = (1 << 53) - 1;

/// Writes a value in its canonical form.
pub(crate) fn canonical<T: Serialize>(value: &T) -> serde_json::Result<String> {
    read(serde_json::to_string(value)?.as_bytes()).map(|node| node.to_text())
}

/// Reads a document of any spelling. Refuses keys that stand twice, fractions and numbers that not every reader keeps.
pub(crate) fn read(bytes: &[u8]) -> serde_json::Result<Node> {
    serde_json::from_slice(bytes)
}

/// A document without its spelling.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Node {
    Null,
    Flag(bool),
    Whole(i64),
    Text(String),
    List(Vec<Self>),
    Map(BTreeMap<String, Self>),
}

impl Node {
    /// The canonical form.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Whole(number) => out.push_str(&number.to_string()),
            Self::Text(text) => write_text(text, out),
            Self::List(nodes) => {
                out.push('[');
                for (place, node) in nodes.iter().enumerate() {
                    comma(place, out);
                    node.write(out);
                }
                out.push(']');
            }
            Self::Map(members) => {
                out.push('{');
                for (place, (key, node)) in members.iter().enumerate() {
                    comma(place, out);
                    write_text(key, out);
                    out.push(':');
                    node.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn comma(place: usize, out: &mut String) {
    if place > 0 {
        out.push(',');
    }
}

fn write_text(text: &str, out: &mut String) {
    use fmt::Write as _;
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without fractions")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Flag(flag))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Node, E> {
        i64::try_from(number).map_err(|_| E::custom("a number is too large")).and_then(|number| self.visit_i64(number))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Node, E> {
        if number.unsigned_abs() > WHOLE_MAX {
            return Err(E::custom("a number is too large"));
        }
        Ok(Node::Whole(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((key, node)) = map.next_entry::<String, Node>()? {
            if members.insert(key, node).is_some() {
                return Err(A::Error::custom("a key stands twice"));
            }
        }
        Ok(Node::Map(members))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_sorted_and_nothing_stands_between() {
        let node = read(br#" { "b" : [ 1 , -2, null ] , "a" : { "z": true, "y": "\u00e9\n\u0001/" } } "#).unwrap();
        assert_eq!(node.to_text(), "{\"a\":{\"y\":\"é\\n\\u0001/\",\"z\":true},\"b\":[1,-2,null]}");
    }

    #[test]
    fn what_readers_would_read_differently_is_refused() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"[{"a":1,"a":2}]"#,
            "1.5",
            "1e3",
            "9007199254740992",
            "-9007199254740992",
            "18446744073709551615",
            "[1] 2",
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(read(b"9007199254740991").is_ok());
    }

    /// Text with every control character in it now and then.
    fn text() -> impl Strategy<Value = String> {
        let character = prop_oneof![any::<char>(), prop::char::range('\0', '\u{7f}')];
        prop::collection::vec(character, 0..12).prop_map(String::from_iter)
    }

    fn node() -> impl Strategy<Value = Node> {
        let leaf = prop_oneof![
            Just(Node::Null),
            any::<bool>().prop_map(Node::Flag),
            (-(1_i64 << 53) + 1..(1_i64 << 53)).prop_map(Node::Whole),
            text().prop_map(Node::Text),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Node::List),
                prop::collection::btree_map(text(), inner, 0..4).prop_map(Node::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_canonical_form_is_read_back_as_the_same_document(node in node()) {
            prop_assert!(read(node.to_text().as_bytes()).unwrap() == node);
        }

        #[test]
        fn text_is_escaped_as_the_library_escapes_it(text in text()) {
            prop_assert_eq!(canonical(&text).unwrap(), serde_json::to_string(&text).unwrap());
        }
    }
}
