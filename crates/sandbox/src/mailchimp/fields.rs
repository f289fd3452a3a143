//! `fields` and `exclude_fields`: dotted names that say which parts of an answer are wanted.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::message::Ask;

/// How many names one parameter may hold, and how deep one may go; what is beyond is ignored.
const NAMES_MAX: usize = 200;
const DEPTH_MAX: usize = 8;

/// The wanted and unwanted names of one call.
#[derive(Debug, Default)]
pub(super) struct Fields {
    include: Option<Tree>,
    exclude: Option<Tree>,
}

#[derive(Debug, Default)]
struct Tree(BTreeMap<String, Self>);

impl Tree {
    fn parse(names: &str) -> Self {
        let mut root = Self::default();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()).take(NAMES_MAX) {
            let mut tree = &mut root;
            for part in name.split('.').take(DEPTH_MAX) {
                tree = tree.0.entry(part.to_owned()).or_default();
            }
        }
        root
    }
}

/// What is wanted of one object of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pick<'a> {
    /// `None` means everything.
    include: Option<&'a Tree>,
    /// `None` means nothing.
    exclude: Option<&'a Tree>,
}

impl Fields {
    pub(super) fn of(ask: &Ask) -> Self {
        Self { include: ask.query("fields").map(Tree::parse), exclude: ask.query("exclude_fields").map(Tree::parse) }
    }

    /// What is wanted of the whole answer.
    pub(super) fn pick(&self) -> Pick<'_> {
        Pick { include: self.include.as_ref(), exclude: self.exclude.as_ref() }
    }
}

impl Pick<'_> {
    /// Everything.
    pub(super) const ALL: Self = Self { include: None, exclude: None };

    /// What is wanted of the part of this name; `None` where nothing is.
    pub(super) fn of(self, name: &str) -> Option<Self> {
        let include = match self.include {
            None => None,
            Some(tree) => Some(tree.0.get(name)?).filter(|tree| !tree.0.is_empty()),
        };
        let exclude = match self.exclude.and_then(|tree| tree.0.get(name)) {
            Some(tree) if tree.0.is_empty() => return None,
            other => other,
        };
        Some(Pick { include, exclude })
    }

    /// The value without what is unwanted.
    fn prune(self, value: Value) -> Value {
        if self.include.is_none() && self.exclude.is_none() {
            return value;
        }
        match value {
            Value::Object(map) => Value::Object(
                map.into_iter()
                    .filter_map(|(name, value)| self.of(&name).map(|pick| (name, pick.prune(value))))
                    .collect(),
            ),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.prune(item)).collect()),
            other => other,
        }
    }
}

/// An object that computes only the parts that are wanted.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pick: Pick<'a>,
    map: Map<String, Value>,
}

impl<'a> Part<'a> {
    pub(super) fn new(pick: Pick<'a>) -> Self {
        Self { pick, map: Map::new() }
    }

    /// Adds a part, where it is wanted.
    #[must_use]
    pub(super) fn put(mut self, name: &str, value: impl FnOnce() -> Value) -> Self {
        if let Some(pick) = self.pick.of(name) {
            self.map.insert(name.to_owned(), pick.prune(value()));
        }
        self
    }

    /// Adds a list of objects that know what is wanted of them, where the list is wanted.
    #[must_use]
    pub(super) fn list(mut self, name: &str, items: impl FnOnce(Pick<'a>) -> Vec<Value>) -> Self {
        if let Some(pick) = self.pick.of(name) {
            self.map.insert(name.to_owned(), Value::Array(items(pick)));
        }
        self
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.map)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(include: Option<&str>, exclude: Option<&str>) -> Value {
        let fields = Fields { include: include.map(Tree::parse), exclude: exclude.map(Tree::parse) };
        Part::new(fields.pick())
            .put("total", || json!(2))
            .put("members", || json!([{"id": 1, "deep": {"a": 1, "b": 2}}, {"id": 2}]))
            .into_value()
    }

    #[test]
    fn without_names_everything_is_shown() {
        assert_eq!(shown(None, None), json!({"total": 2, "members": [{"id": 1, "deep": {"a": 1, "b": 2}}, {"id": 2}]}));
    }

    #[test]
    fn wanted_names_reach_into_lists() {
        let expected = json!({"members": [{"deep": {"b": 2}}, {}]});
        assert_eq!(shown(Some("members.deep.b"), None), expected);
        assert_eq!(shown(Some("total"), None), json!({"total": 2}));
    }

    #[test]
    fn unwanted_names_are_left_out() {
        assert_eq!(shown(None, Some("members.deep,total")), json!({"members": [{"id": 1}, {"id": 2}]}));
    }
}
