//! The environment as a layer of settings: `UNISSON__GUARD__COUNT=50` is `guard.count = 50`.
//!
//! Names of variables are upper-case by habit and cannot hold a hyphen, while lists and instances have ids of any case.
//! So a part of a name means the key that is already in the files and differs from it only in case or by `-` for `_`; if
//! none does, it means itself, in lower case where it was all upper case. Keys with a dot can only be set in a file.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::document::{Document, Spot, json};
use crate::error::Defect;
use crate::path::KeyPath;

/// How the names of variables begin that are settings.
pub(crate) const PREFIX: &str = "UNISSON__";

/// How many tables deep a variable can reach.
const DEPTH_MAX: usize = 16;

/// The variables of this process that are text. What is not text cannot be a setting.
pub fn process_environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// The settings among these variables, or everything that is wrong with them. `below` is what the files say.
pub(crate) fn read(
    variables: impl Iterator<Item = (String, String)>,
    below: &Map<String, Value>,
) -> Result<Document, Vec<Defect>> {
    let mut layer = Document { root: Map::new(), spots: BTreeMap::new() };
    let mut defects = Vec::new();
    // Sorted, so that messages do not depend on the order in which a system lists its variables.
    let settings: BTreeMap<String, String> = variables.filter(|(name, _)| name.starts_with(PREFIX)).collect();
    for (name, text) in settings {
        let spot = Spot { source: format!("environment variable {name}"), line: None };
        let put = keys(&name, below).and_then(|keys| put(&mut layer, &keys, value(&text), &spot));
        if let Err(problem) = put {
            defects.push(Defect { place: spot.place(&KeyPath::default()), problem });
        }
    }
    if defects.is_empty() { Ok(layer) } else { Err(defects) }
}

/// The value that the text of a variable means: TOML where it is a TOML value, else the text itself.
fn value(text: &str) -> Value {
    match text.parse::<toml::Value>() {
        Err(_) | Ok(toml::Value::Datetime(_)) => Value::String(text.to_owned()),
        Ok(toml::Value::Float(number)) if !number.is_finite() => Value::String(text.to_owned()),
        Ok(value) => json(value),
    }
}

/// The keys that the parts of a name mean.
fn keys(name: &str, below: &Map<String, Value>) -> Result<Vec<String>, String> {
    let parts: Vec<&str> = name.strip_prefix(PREFIX).unwrap_or(name).split("__").collect();
    if parts.iter().any(|part| part.is_empty()) || parts.len() > DEPTH_MAX {
        return Err(format!("names no setting; write {PREFIX}SECTION__KEY, such as {PREFIX}GUARD__COUNT"));
    }
    let mut table = Some(below);
    let mut keys = Vec::with_capacity(parts.len());
    for part in parts {
        let key = meant(part, table)?;
        table = table.and_then(|table| table.get(&key)?.as_object());
        keys.push(key);
    }
    Ok(keys)
}

/// The key of a table that a part of a name means.
fn meant(part: &str, table: Option<&Map<String, Value>>) -> Result<String, String> {
    let folded = |text: &str| text.to_lowercase().replace('-', "_");
    if table.is_some_and(|table| table.contains_key(part)) {
        return Ok(part.to_owned());
    }
    let known: Vec<&String> = table.into_iter().flat_map(Map::keys).filter(|key| folded(key) == folded(part)).collect();
    match known[..] {
        [] if part.chars().any(char::is_lowercase) => Ok(part.to_owned()),
        [] => Ok(part.to_lowercase()),
        [only] => Ok(only.clone()),
        [first, second, ..] => {
            Err(format!("could mean {first:?} or {second:?}; rename one of them, or set the value in the file"))
        }
    }
}

/// Puts a value where its keys lead.
fn put(layer: &mut Document, keys: &[String], value: Value, spot: &Spot) -> Result<(), String> {
    let Some((last, tables)) = keys.split_last() else { return Ok(()) };
    let mut path = KeyPath::default();
    let mut table = &mut layer.root;
    for key in tables {
        path = path.key(key);
        let entry = table.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(inner) = entry else {
            return Err(format!("sets a part of {path}, which another variable sets as a whole; keep one of them"));
        };
        layer.spots.entry(path.clone()).or_insert_with(|| spot.clone());
        table = inner;
    }
    path = path.key(last);
    if table.insert(last.clone(), value).is_some() {
        return Err(format!("sets {path}, which another variable sets too; keep one of them"));
    }
    layer.spots.insert(path, spot.clone());
    Ok(())
}
