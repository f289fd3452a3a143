//! Layers of settings, one over the other: built-in, the user's file, the environment.
//!
//! The `config` crate lays them over each other; what it forgets, where a value came from, is kept here. Each layer is
//! handed over under one root key, because `config` reads a key at the top as a path and would take `"a.b"` apart;
//! below the top it keeps every key as it is, in its case.

use std::collections::BTreeMap;

use config::{Config, ConfigError, Source};
use serde_json::{Map, Value};

use crate::document::{Document, Spot};
use crate::error::{Defect, LoadError, Place};
use crate::path::KeyPath;

/// The key under which each layer is handed to `config`.
const ROOT: &str = "settings";

/// The values of all layers together, the highest winning.
pub(crate) fn merge(layers: &[Map<String, Value>]) -> Result<Map<String, Value>, LoadError> {
    let builder = layers.iter().fold(Config::builder(), |builder, layer| builder.add_source(Layer(layer.clone())));
    match builder.build()?.get(ROOT) {
        Ok(merged) => Ok(merged),
        // Layers without any value leave no root.
        Err(ConfigError::NotFound(_)) => Ok(Map::new()),
        Err(error) => Err(error.into()),
    }
}

#[derive(Clone)]
struct Layer(Map<String, Value>);

impl std::fmt::Debug for Layer {
    /// Shows no value: one may be a secret that was pasted where a reference belongs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Layer({} sections)", self.0.len())
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<config::Map<String, config::Value>, ConfigError> {
        Ok([(ROOT.to_owned(), value(&Value::Object(self.0.clone())))].into_iter().collect())
    }
}

fn value(json: &Value) -> config::Value {
    use config::ValueKind;
    let kind = match json {
        Value::Null => ValueKind::Nil,
        Value::Bool(flag) => ValueKind::Boolean(*flag),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => ValueKind::I64(number),
            (None, Some(number)) => ValueKind::Float(number),
            (None, None) => ValueKind::Nil,
        },
        Value::String(text) => ValueKind::String(text.clone()),
        Value::Array(items) => ValueKind::Array(items.iter().map(value).collect()),
        Value::Object(entries) => {
            ValueKind::Table(entries.iter().map(|(key, entry)| (key.clone(), value(entry))).collect())
        }
    };
    config::Value::new(None, kind)
}

/// Where the values of some layers were written, the highest layer last.
#[derive(Clone, Default)]
pub(crate) struct Origins {
    layers: Vec<BTreeMap<KeyPath, Spot>>,
    /// The list whose items are called by a name, and those names.
    labels: (&'static str, Vec<String>),
}

impl std::fmt::Debug for Origins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Origins({} layers)", self.layers.len())
    }
}

impl Origins {
    /// No layer yet; the items of the list `key` will be called by these names.
    pub(crate) fn labelled(key: &'static str, names: Vec<String>) -> Self {
        Self { layers: Vec::new(), labels: (key, names) }
    }

    /// Remembers where the values of one layer more were written.
    pub(crate) fn push(&mut self, document: &Document) {
        self.layers.push(document.spots.clone());
    }

    /// The same for a layer whose list `key` was laid into a longer one: `place` gives the new number of an item.
    pub(crate) fn push_moved(&mut self, document: &Document, key: &str, place: impl Fn(usize) -> Option<usize>) {
        let spots = document.spots.iter().filter_map(|(path, spot)| Some((path.moved(key, &place)?, spot.clone())));
        self.layers.push(spots.collect());
    }

    /// Where the value at this path was written, or, if nobody wrote it, the nearest table around it.
    pub(crate) fn place(&self, path: &KeyPath) -> Place {
        let shown = path.labelled(self.labels.0, &self.labels.1);
        let mut around = Some(path.clone());
        while let Some(at) = around {
            if let Some(spot) = self.layers.iter().rev().find_map(|layer| layer.get(&at)) {
                return spot.place(&shown);
            }
            around = at.parent();
        }
        Place { source: "settings".to_owned(), line: None, path: shown.to_string() }
    }

    /// A defect of the value at this path.
    pub(crate) fn defect(&self, path: &KeyPath, problem: impl Into<String>) -> Defect {
        Defect { place: self.place(path), problem: problem.into() }
    }
}
