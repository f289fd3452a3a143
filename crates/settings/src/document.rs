//! One TOML text: its values, and the line on which each of them stands.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::Path;

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use crate::error::{Defect, LoadError, Place};
use crate::path::KeyPath;

/// The longest text that is read, in bytes. A thousand lists take a tenth of it.
const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spot {
    /// A file or an environment variable.
    pub(crate) source: String,
    /// The line, counted from one.
    pub(crate) line: Option<usize>,
}

impl Spot {
    /// The spot as the place of the value at this path.
    pub(crate) fn place(&self, path: &KeyPath) -> Place {
        Place { source: self.source.clone(), line: self.line, path: path.to_string() }
    }
}

/// The values of one text, and where each was written.
#[derive(Clone)]
pub(crate) struct Document {
    /// The root table.
    pub(crate) root: Map<String, Value>,
    /// Where each value stands.
    pub(crate) spots: BTreeMap<KeyPath, Spot>,
}

impl Document {
    /// Reads TOML text; `source` names it in messages.
    pub(crate) fn parse(source: &str, text: &str) -> Result<Self, Defect> {
        let whole = Spot { source: source.to_owned(), line: None };
        if text.len() > TEXT_BYTES_MAX {
            let problem = format!("is longer than {TEXT_BYTES_MAX} bytes; split it or take out what is not needed");
            return Err(Defect { place: whole.place(&KeyPath::default()), problem });
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = Lines::of(source, text);
        // The message of the parser, never its picture of the line: that may show a secret.
        let refused = |error: &toml::de::Error| Defect {
            place: error.span().map_or_else(|| whole.clone(), |span| lines.spot(span.start)).place(&KeyPath::default()),
            problem: format!("is not TOML: {}", error.message()),
        };
        let table: toml::Table = toml::from_str(text).map_err(|error| refused(&error))?;
        let spanned = DeTable::parse(text).map_err(|error| refused(&error))?;
        let mut spots = BTreeMap::from([(KeyPath::default(), whole.clone())]);
        note_table(spanned.get_ref(), &KeyPath::default(), &lines, &mut spots);
        Ok(Self { root: object(table), spots })
    }

    /// Reads a TOML file.
    pub(crate) fn read(path: &Path, what: &'static str) -> Result<Self, LoadError> {
        let text = text_of(path)?;
        let parsed = Self::parse(&path.display().to_string(), &text);
        parsed.map_err(|defect| LoadError::Refused { what, defects: vec![defect] })
    }
}

/// A TOML value as JSON. Dates become their text; infinities and NaN, which JSON lacks, become text as well.
pub(crate) fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) if number.is_finite() => Value::from(number),
        toml::Value::Float(number) => Value::String(number.to_string()),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(moment) => Value::String(moment.to_string()),
        toml::Value::Array(items) => Value::Array(items.into_iter().map(json).collect()),
        toml::Value::Table(table) => Value::Object(object(table)),
    }
}

fn object(table: toml::Table) -> Map<String, Value> {
    table.into_iter().map(|(key, value)| (key, json(value))).collect()
}

/// The text of a file, up to the size that is read.
fn text_of(path: &Path) -> Result<String, LoadError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => LoadError::Missing { path: path.to_owned() },
        _ => LoadError::File { path: path.to_owned(), source },
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    // One byte more than is allowed, so that a text that is too long is seen to be so.
    file.take(TEXT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > TEXT_BYTES_MAX {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    String::from_utf8(bytes)
        .map_err(|_| failed(io::Error::new(io::ErrorKind::InvalidData, "the file is not UTF-8 text")))
}

/// The lines of a text, to find the one that holds a byte.
struct Lines {
    source: String,
    starts: Vec<usize>,
}

impl Lines {
    fn of(source: &str, text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
        Self { source: source.to_owned(), starts: [0].into_iter().chain(breaks).collect() }
    }

    fn spot(&self, byte: usize) -> Spot {
        Spot { source: self.source.clone(), line: Some(self.starts.partition_point(|start| *start <= byte)) }
    }
}

fn note_table(table: &DeTable<'_>, path: &KeyPath, lines: &Lines, spots: &mut BTreeMap<KeyPath, Spot>) {
    for (key, value) in table {
        let path = path.key(key.get_ref());
        spots.insert(path.clone(), lines.spot(key.span().start));
        note_value(value.get_ref(), &path, lines, spots);
    }
}

fn note_value(value: &DeValue<'_>, path: &KeyPath, lines: &Lines, spots: &mut BTreeMap<KeyPath, Spot>) {
    match value {
        DeValue::Table(table) => note_table(table, path, lines, spots),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let path = path.index(index);
                spots.insert(path.clone(), lines.spot(item.span().start));
                note_value(item.get_ref(), &path, lines, spots);
            }
        }
        _ => {}
    }
}
