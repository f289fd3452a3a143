//! What serde says of a document that does not fit, without a word of the document.
//!
//! Its messages quote the value they stumbled over. That value may be an address or a misplaced secret, so only what
//! comes from our own types is kept: names of fields, what was expected, and which sort of value was found.

use serde_path_to_error::{Path, Segment};

/// The sorts of values that serde names at the start of "found X, expected Y".
const SORTS: [(&str, &str); 9] = [
    ("string", "a string"),
    ("character", "a string"),
    ("integer", "a whole number"),
    ("floating point", "a number"),
    ("boolean", "a yes or no"),
    ("null", "null"),
    ("unit value", "null"),
    ("sequence", "a list"),
    ("map", "a table"),
];

/// Whose keys are in a document: they are shown only where nobody is named by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// The operator's own settings.
    Own,
    /// A platform's answer, where a key may be an address.
    Foreign,
}

/// What is wrong in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A key that must be there is not.
    Missing(String),
    /// A key that nobody knows, with those that are known.
    Unknown(String, Vec<String>),
    /// A value of the wrong sort, in words.
    Unfit(String),
    /// What a type with its own rules says of a value. It may repeat the value, so it is for the operator's eyes only.
    Said(String),
}

impl Fault {
    /// What a message of serde's says.
    pub(crate) fn of(message: &str) -> Self {
        if let Some(field) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            return Self::Missing(field.to_owned());
        }
        if let Some((name, known)) = message.strip_prefix("unknown field `").and_then(split_unknown) {
            return Self::Unknown(name.to_owned(), known);
        }
        if message.starts_with("unknown variant `") {
            let known = message.rsplit_once("`, expected ").map(|(_, known)| known).unwrap_or_default();
            return Self::Unfit(format!("a word that is none of {}", backticked(known).join(", ")));
        }
        let expected = message.rsplit_once(", expected ").map(|(_, expected)| without_place(expected));
        let found = message.strip_prefix("invalid type: ");
        let is_unfit = message.starts_with("invalid value: ") || message.starts_with("invalid length ");
        match (found, expected) {
            (Some(found), Some(expected)) => Self::Unfit(format!("{} where {expected} belongs", sort(found))),
            (None, Some(expected)) if is_unfit => {
                Self::Unfit(format!("a value that does not fit: expected {expected}"))
            }
            _ => Self::Said(before_quotes(without_place(message))),
        }
    }

    /// The fault in words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Missing(_) => "missing".to_owned(),
            Self::Unknown(..) => "unknown key".to_owned(),
            Self::Unfit(words) => words.clone(),
            Self::Said(_) => "a value that its type refuses".to_owned(),
        }
    }
}

/// A path as text; foreign keys that are more than a plain name are hidden.
pub(crate) fn place(path: &Path, keys: Keys) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => text.extend(["[", &index.to_string(), "]"]),
            Segment::Map { key } => join(&mut text, shown(key, keys)),
            Segment::Enum { variant } => join(&mut text, shown(variant, keys)),
            Segment::Unknown => {}
        }
    }
    text
}

/// Adds a key to a path.
pub(crate) fn join(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

fn shown(key: &str, keys: Keys) -> &str {
    let is_name = key.len() <= 40
        && key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && key.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-'));
    match keys {
        Keys::Own => key,
        Keys::Foreign if is_name => key,
        Keys::Foreign => "{key}",
    }
}

fn split_unknown(rest: &str) -> Option<(&str, Vec<String>)> {
    if let Some((name, known)) = rest.rsplit_once("`, expected ") {
        return Some((name, backticked(known)));
    }
    rest.rsplit_once("`, there are no fields").map(|(name, _)| (name, Vec::new()))
}

fn backticked(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn sort(found: &str) -> &'static str {
    SORTS.iter().find(|(name, _)| found.starts_with(name)).map_or("another value", |(_, words)| words)
}

/// The message without the line and column that the parser of JSON adds.
fn without_place(message: &str) -> &str {
    match message.rsplit_once(" at line ") {
        Some((before, place)) if place.contains(" column ") => before,
        _ => message,
    }
}

/// The message up to where it quotes something.
fn before_quotes(message: &str) -> String {
    match message.split_once(['"', '`']) {
        Some((before, _)) => format!("{before}…"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_never_repeated() {
        let message = "invalid type: string \"jane@example.org, expected x\", expected u64 at line 1 column 9";
        assert_eq!(Fault::of(message).words(), "a string where u64 belongs");
        let message = "unknown variant `jane@example.org`, expected `on` or `off`";
        assert_eq!(Fault::of(message).words(), "a word that is none of on, off");
        let fault = Fault::of("no such zone: \"jane\\\"@example.org\" at line 1 column 2");
        assert_eq!(fault, Fault::Said("no such zone: …".to_owned()));
        assert_eq!(Fault::of("no such zone: jane@example.org").words(), "a value that its type refuses");
    }

    #[test]
    fn names_of_our_own_types_are_kept() {
        assert_eq!(Fault::of("missing field `id` at line 1 column 2"), Fault::Missing("id".to_owned()));
        let known = vec!["page_size".to_owned(), "api_key".to_owned()];
        let message = "unknown field `page`, expected `page_size` or `api_key`";
        assert_eq!(Fault::of(message), Fault::Unknown("page".to_owned(), known));
        let message = "unknown field `page`, there are no fields";
        assert_eq!(Fault::of(message), Fault::Unknown("page".to_owned(), Vec::new()));
    }
}
