//! Reading values into a type: what is unknown, what is missing and what does not fit, each with its place.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::Defect;
use crate::fault::Fault;
use crate::layer::Origins;
use crate::nearest::instead;
use crate::node::Node;
use crate::path::{KeyPath, Step};

/// How many keys that nobody knows are listed: more are mended no faster.
const STRANGERS_MAX: usize = 100;

/// Declares one section of a file: a struct, and the names of its keys for messages.
macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $key:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(serde::Deserialize)]
        pub(crate) struct $name {
            $($(#[$attribute])* pub(crate) $key: $type,)*
        }

        impl $name {
            /// The keys of this section.
            pub(crate) const KEYS: &'static [&'static str] = &[$(stringify!($key)),*];
        }
    };
}
pub(crate) use section;

/// A whole file as a type.
pub(crate) trait Schema: DeserializeOwned {
    /// How to write a key, by its name.
    const EXAMPLES: &'static [(&'static str, &'static str)];

    /// The keys that a table at this path can have; empty where any will do.
    fn keys(path: &[Step]) -> &'static [&'static str];
}

/// Reads a table into a type, or lists what is wrong.
pub(crate) fn read<T: Schema>(root: Map<String, Value>, origins: &Origins) -> Result<T, Vec<Defect>> {
    let mut unknown = Vec::new();
    let mut note = |path: serde_ignored::Path<'_>| unknown.push(KeyPath::from(&path));
    let source = serde_ignored::Deserializer::new(Node(Value::Object(root)), &mut note);
    let read: Result<T, _> = serde_path_to_error::deserialize(source);
    let strangers = unknown.iter().take(STRANGERS_MAX);
    let mut defects: Vec<Defect> = strangers.map(|path| origins.defect(path, stranger::<T>(path))).collect();
    match read {
        Ok(read) if defects.is_empty() => return Ok(read),
        Ok(_) => {}
        Err(error) => {
            let path = KeyPath::from(error.path());
            let problem = explained::<T>(error.inner(), &path);
            defects.push(origins.defect(&path, problem));
        }
    }
    Err(defects)
}

/// What to say of a key that nobody knows.
fn stranger<T: Schema>(path: &KeyPath) -> String {
    let steps = path.steps();
    let known = T::keys(&steps[..steps.len().saturating_sub(1)]);
    format!("is no key of this table; {}", instead(path.name().unwrap_or_default(), known))
}

/// A fault with the way to write it right.
fn explained<T: Schema>(fault: &Fault, path: &KeyPath) -> String {
    let key = match fault {
        Fault::Explained(text) => return text.clone(),
        Fault::Missing(key) => Some(*key),
        Fault::Kind(_) => path.name(),
    };
    let example = T::EXAMPLES.iter().find(|(known, _)| Some(*known) == key);
    match example {
        Some((_, example)) => format!("{fault}; write for example {example}"),
        None => fault.to_string(),
    }
}
