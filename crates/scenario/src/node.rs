//! A YAML document as a tree in which every value keeps its spelling and its line.
//!
//! The spelling matters (`5.10` is a bounce code, not a number) and so does the line (an error must point somewhere).
//! The tree knows nothing of scenarios.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{NonFiniteFloatPolicy, Spanned};

use crate::error::{Defect, Path, Step};

/// The most values and keys of one file.
const NODES_MAX: usize = 1_000_000;
/// The most steps of reading one file: a few for each value.
const EVENTS_MAX: usize = 4_000_000;
/// The most steps that are kept to be repeated where an alias stands for them: anchors within anchors multiply.
const REPEATED_MAX: usize = 100_000;
/// How deep values may stand in each other: twice as deep as any scenario needs, and a depth that any stack bears.
const DEPTH_MAX: usize = 24;

/// One value and where it stands.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// The line, counted from one.
    pub(crate) line: u64,
    pub(crate) value: Value,
}

/// What a value is. Which kind of scalar it is follows from who reads it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Text(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) line: u64,
    pub(crate) node: Node,
}

impl Node {
    /// Reads one document.
    pub(crate) fn parse(text: &str) -> Result<Self, Defect> {
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! {
                max_nodes: NODES_MAX, max_events: EVENTS_MAX, max_recorded_anchor_events: REPEATED_MAX,
                max_depth: DEPTH_MAX, max_documents: 2
            },
            non_finite_float_policy: NonFiniteFloatPolicy::AsString,
            emit_comments: false,
        };
        let raw: Spanned<Raw> = serde_saphyr::from_str_with_options(text, options).map_err(|error| refused(&error))?;
        Ok(settle(raw, text))
    }

    /// The value under a key of a table.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Table(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node),
            Value::Null | Value::Text(_) | Value::List(_) => None,
        }
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Null | Value::List(_) | Value::Table(_) => None,
        }
    }

    /// This value with another one laid over it: tables entry by entry, `depth` tables deep. Everything else, and a table
    /// without entries, takes the place of what was there.
    pub(crate) fn overlaid(&self, over: &Self, depth: usize) -> Self {
        let (Value::Table(below), Value::Table(above)) = (&self.value, &over.value) else { return over.clone() };
        if depth == 0 || above.is_empty() {
            return over.clone();
        }
        let mut entries = below.clone();
        for entry in above {
            match entries.iter_mut().find(|held| held.key == entry.key) {
                Some(held) => {
                    held.node = held.node.overlaid(&entry.node, depth - 1);
                    held.line = entry.line;
                }
                None => entries.push(entry.clone()),
            }
        }
        Self { line: over.line, value: Value::Table(entries) }
    }

    /// The line of the deepest value on a path that is there.
    pub(crate) fn line_of(&self, path: &Path) -> u64 {
        let (mut node, mut line) = (self, self.line);
        for step in path.steps() {
            let next = match (&node.value, step) {
                (Value::Table(entries), Step::Key(key)) => {
                    entries.iter().find(|entry| entry.key == *key).map(|entry| (&entry.node, entry.line))
                }
                (Value::List(items), Step::Index(index)) => items.get(*index).map(|item| (item, item.line)),
                _ => None,
            };
            match next {
                Some(next) => (node, line) = next,
                None => break,
            }
        }
        line
    }

    /// A path in words: an item of a list that has an `id` is named by it.
    pub(crate) fn path_in_words(&self, path: &Path) -> String {
        let mut words = String::new();
        let mut node = Some(self);
        for step in path.steps() {
            match step {
                Step::Key(key) => {
                    node = node.and_then(|node| node.get(key));
                    if !words.is_empty() {
                        words.push('.');
                    }
                    words.extend(key.chars().flat_map(char::escape_debug));
                }
                Step::Index(index) => {
                    node = node.and_then(|node| match &node.value {
                        Value::List(items) => items.get(*index),
                        Value::Null | Value::Text(_) | Value::Table(_) => None,
                    });
                    let id = node.and_then(|node| node.get("id")).and_then(Self::text);
                    words += &id.map_or_else(|| format!("[{index}]"), |id| format!("[{}]", crate::nearest::shown(id)));
                }
            }
        }
        words
    }
}

/// A value as the parser tells it: scalars that look like numbers have lost their spelling.
enum Raw {
    Null,
    Text(String),
    Spelled(String),
    List(Vec<Spanned<Self>>),
    Table(Vec<(Spanned<String>, Spanned<Self>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RawVisitor;

        impl<'de> Visitor<'de> for RawVisitor {
            type Value = Raw;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Raw, E> {
                Ok(Raw::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
                Ok(Raw::Spelled(value.to_string()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
                Ok(Raw::Spelled(value.to_string()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
                Ok(Raw::Spelled(value.to_string()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
                Ok(Raw::Spelled(value.to_string()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
                Ok(Raw::Text(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Raw, E> {
                Ok(Raw::Text(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Raw::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
                let mut table: Vec<(Spanned<String>, Spanned<Raw>)> = Vec::new();
                let mut known = HashSet::new();
                while let Some((key, value)) = entries.next_entry::<Spanned<String>, Spanned<Raw>>()? {
                    if !known.insert(key.value.clone()) {
                        return Err(A::Error::custom("this key is there twice"));
                    }
                    table.push((key, value));
                }
                Ok(Raw::Table(table))
            }
        }

        deserializer.deserialize_any(RawVisitor)
    }
}

/// The tree with the spelling of the text in every scalar.
fn settle(raw: Spanned<Raw>, text: &str) -> Node {
    let line = raw.referenced.line();
    let spelling = || {
        let span = raw.defined.span();
        let start = usize::try_from(span.byte_offset()?).ok()?;
        let end = start.checked_add(usize::try_from(span.byte_len()?).ok()?)?;
        let spelling = text.get(start..end)?.trim();
        // A tagged or quoted scalar keeps what the parser made of it.
        let plain = !spelling.is_empty() && !spelling.starts_with(['"', '\'', '!', '|', '>', '&', '*']);
        plain.then(|| spelling.to_owned())
    };
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Text(text) => Value::Text(text),
        Raw::Spelled(ref value) => Value::Text(spelling().unwrap_or_else(|| value.clone())),
        Raw::List(items) => Value::List(items.into_iter().map(|item| settle(item, text)).collect()),
        Raw::Table(entries) => Value::Table(
            entries
                .into_iter()
                .map(|(key, value)| Entry { line: key.referenced.line(), key: key.value, node: settle(value, text) })
                .collect(),
        ),
    };
    Node { line, value }
}

/// A parser's error without the piece of the file it would quote.
fn refused(error: &serde_saphyr::Error) -> Defect {
    let line = error.location().map(|location| location.line());
    Defect {
        line,
        scenario: None,
        path: String::new(),
        problem: format!("this is no YAML: {}", error.without_snippet()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_keep_their_spelling() {
        let node = Node::parse(
            "a: 5.10\nb: 007\nc: NO\nd: 1e3\ne: \"5.10\"\nf: ~\ng: .inf # x\nh: [1.0, 2.50]\ni: &x 3.0\nj: *x",
        )
        .unwrap();
        let text = |key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
        let spelled = ["a", "b", "c", "d", "e", "f", "i", "j"].map(|key| text(key).unwrap_or_default());
        assert_eq!(spelled, ["5.10", "007", "NO", "1e3", "5.10", "", "3.0", "3.0"]);
        let Value::List(items) = &node.get("h").unwrap().value else { panic!("h is a list") };
        assert_eq!(items.iter().filter_map(Node::text).collect::<Vec<_>>(), ["1.0", "2.50"]);
    }

    #[test]
    fn what_is_nested_without_end_is_refused() {
        let nested = |levels: usize| format!("a: {}1{}", "[".repeat(levels), "]".repeat(levels));
        assert!(Node::parse(&nested(DEPTH_MAX - 1)).is_ok());
        for text in [nested(DEPTH_MAX), nested(100_000), (0..300).map(|depth| " ".repeat(depth) + "a:\n").collect()] {
            assert!(Node::parse(&text).is_err());
        }
    }

    #[test]
    fn a_key_that_is_there_twice_is_refused_with_its_line() {
        let defect = Node::parse("a: 1\nb: 2\na: 3").err().unwrap();
        assert_eq!(defect.line, Some(3), "{defect}");
    }

    #[test]
    fn tables_are_overlaid_entry_by_entry_and_an_empty_one_clears() {
        let below = Node::parse("{a: {x: 1, y: {p: 1}}, b: [1, 2], c: {z: 1}}").unwrap();
        let above = Node::parse("{a: {y: {q: 2}}, b: [3], c: {}}").unwrap();
        let whole = below.overlaid(&above, 8);
        assert_eq!(whole.get("a").unwrap().get("x").and_then(Node::text), Some("1"));
        assert!(whole.get("a").unwrap().get("y").unwrap().get("p").is_some());
        assert!(matches!(&whole.get("b").unwrap().value, Value::List(items) if items.len() == 1));
        assert!(whole.get("c").unwrap().get("z").is_none());
        assert!(below.overlaid(&above, 2).get("a").unwrap().get("y").unwrap().get("p").is_none());
    }
}
