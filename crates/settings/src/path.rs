//! Where a value stands in a document: `instances.news.lists."a.b".purpose`, `level.need.rules[0].level`.

use std::fmt;

use crate::nearest::shown;

/// One step from a table or a list to what it holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Into a table.
    Key(String),
    /// Into a list.
    Index(usize),
}

/// The steps from the root of a document to a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct KeyPath(Vec<Step>);

impl KeyPath {
    /// The path through these tables.
    pub(crate) fn of(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| Step::Key((*key).to_owned())).collect())
    }

    /// The path one table further.
    pub(crate) fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.to_owned()))
    }

    /// The path one list further.
    pub(crate) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    /// The steps, outermost first.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The path to what holds this value; `None` at the root.
    pub(crate) fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Self(rest.to_vec()))
    }

    /// The name of the value itself, unless it stands in a list.
    pub(crate) fn name(&self) -> Option<&str> {
        match self.0.last()? {
            Step::Key(key) => Some(key),
            Step::Index(_) => None,
        }
    }

    /// The path after the items of the list `key` were given new numbers; `None` for an item that has none.
    pub(crate) fn moved(&self, key: &str, place: impl Fn(usize) -> Option<usize>) -> Option<Self> {
        let mut moved = self.clone();
        if let [Step::Key(list), Step::Index(index), ..] = &mut moved.0[..]
            && list == key
        {
            *index = place(*index)?;
        }
        Some(moved)
    }

    /// The path with the items of the list `key` called by these names.
    pub(crate) fn labelled(&self, key: &str, names: &[String]) -> Self {
        let mut labelled = self.clone();
        if let [Step::Key(list), item, ..] = &mut labelled.0[..] {
            let index = if let Step::Index(index) = item { Some(*index) } else { None };
            if let Some(name) = index.filter(|_| list == key).and_then(|index| names.get(index)) {
                *item = Step::Key(name.clone());
            }
        }
        labelled
    }

    fn with(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => {
                    let dot = if place == 0 { "" } else { "." };
                    let quote = if is_bare(key) { "" } else { "\"" };
                    write!(f, "{dot}{quote}{}{quote}", shown(key))?;
                }
            }
        }
        Ok(())
    }
}

impl From<&serde_path_to_error::Path> for KeyPath {
    fn from(path: &serde_path_to_error::Path) -> Self {
        use serde_path_to_error::Segment;
        let step = |segment: &Segment| match segment {
            Segment::Seq { index } => Some(Step::Index(*index)),
            Segment::Map { key } | Segment::Enum { variant: key } => Some(Step::Key(key.clone())),
            Segment::Unknown => None,
        };
        Self(path.iter().filter_map(step).collect())
    }
}

impl From<&serde_ignored::Path<'_>> for KeyPath {
    fn from(path: &serde_ignored::Path<'_>) -> Self {
        use serde_ignored::Path;
        match path {
            Path::Root => Self::default(),
            Path::Seq { parent, index } => Self::from(*parent).index(*index),
            Path::Map { parent, key } => Self::from(*parent).key(key),
            Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
                Self::from(*parent)
            }
        }
    }
}

/// Whether TOML takes the key without quotes.
fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}
