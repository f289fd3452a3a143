//! The settings of one instance as a connector sees them: read from a table, refused with the place and the remedy.
//!
//! No message holds a value: what was mistyped may be a secret in the wrong place.

use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use crate::scrub::{self, Fault, Keys};

/// How alike two keys must be for one to be meant by the other (Jaro-Winkler, 0 to 1).
const LIKENESS_MIN: f64 = 0.75;

/// Why a connector cannot be built from its settings.
#[derive(Debug, Error)]
#[error("read {}: {message}", self.place())]
pub struct BuildError {
    path: String,
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl BuildError {
    /// What is wrong at this key, in words that say what to write instead. Never pass a secret.
    ///
    /// ```
    /// use unisson_sdk::BuildError;
    /// let error = BuildError::new("page_size", "not between 1 and 1000");
    /// assert_eq!(error.to_string(), "read `page_size`: not between 1 and 1000");
    /// ```
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), source: None }
    }

    /// The same with its cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The key, from the instance's table downwards; empty where the whole table is meant.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong with it.
    pub fn message(&self) -> &str {
        &self.message
    }

    fn place(&self) -> String {
        if self.path.is_empty() { "the settings of the instance".to_owned() } else { format!("`{}`", self.path) }
    }
}

/// A link that cannot be made, as an error of the settings it was made from.
impl From<unisson_connector::Error> for BuildError {
    fn from(error: unisson_connector::Error) -> Self {
        let setting = error.context().iter().find(|(name, _)| *name == "setting").map(|(_, value)| value.clone());
        let message = std::error::Error::source(&error).map_or_else(|| error.during().to_owned(), ToString::to_string);
        Self::new(setting.unwrap_or_default(), message).because(error)
    }
}

/// The settings of an instance as a type of the connector's, which should be `#[serde(deny_unknown_fields)]`.
///
/// ```
/// #[derive(Debug, serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Settings { page_size: Option<u32> }
///
/// let table = serde_json::json!({ "pagesize": 100 });
/// let error = unisson_sdk::read_settings::<Settings>(table).unwrap_err();
/// assert_eq!(error.path(), "pagesize");
/// assert_eq!(error.message(), "no such setting; did you mean `page_size`?");
/// ```
pub fn read_settings<T: DeserializeOwned>(settings: Value) -> Result<T, BuildError> {
    serde_path_to_error::deserialize(settings).map_err(|error| {
        let mut path = scrub::place(error.path(), Keys::Own);
        let message = match Fault::of(&error.inner().to_string()) {
            Fault::Missing(field) => {
                scrub::join(&mut path, &field);
                "missing: this setting has no default".to_owned()
            }
            Fault::Unknown(field, known) => {
                name_unknown(&mut path, &field);
                remedy(&field, &known)
            }
            Fault::Unfit(words) | Fault::Said(words) => words,
        };
        BuildError::new(path, message)
    })
}

/// Adds the unknown key to the path of its table; depending on the format the path ends with it already.
fn name_unknown(path: &mut String, field: &str) {
    if path != field && !path.ends_with(&format!(".{field}")) {
        scrub::join(path, field);
    }
}

fn remedy(field: &str, known: &[String]) -> String {
    let likeness = |key: &String| strsim::jaro_winkler(&field.to_lowercase(), &key.to_lowercase());
    let nearest = known.iter().max_by(|left, right| likeness(left).total_cmp(&likeness(right)));
    match nearest {
        Some(key) if likeness(key) >= LIKENESS_MIN => format!("no such setting; did you mean `{key}`?"),
        Some(_) => format!("no such setting; there are {}", known.join(", ")),
        None => "no such setting; there are none here".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read into")]
    struct Settings {
        api_key: String,
        page_size: Option<u8>,
        #[serde(default)]
        forms: Vec<Form>,
        mode: Option<Mode>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read into")]
    struct Form {
        source: String,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        Full,
        Delta,
    }

    fn fault(settings: Value) -> (String, String) {
        let error = read_settings::<Settings>(settings).unwrap_err();
        (error.path().to_owned(), error.message().to_owned())
    }

    #[test]
    fn a_mistyped_key_is_answered_with_the_nearest_one() {
        let (path, message) = fault(json!({ "api_key": "x", "forms": [{ "source": "a" }, { "sorce": "b" }] }));
        assert_eq!((path.as_str(), message.as_str()), ("forms[1].sorce", "no such setting; did you mean `source`?"));
        let (path, message) = fault(json!({ "api_key": "x", "zzz": 1 }));
        assert_eq!(path, "zzz");
        assert_eq!(message, "no such setting; there are api_key, page_size, forms, mode");
    }

    #[test]
    fn a_missing_key_is_named_with_its_table() {
        assert_eq!(fault(json!({ "api_key": "x", "forms": [{}] })).0, "forms[0].source");
        assert_eq!(fault(json!({})).0, "api_key");
    }

    #[test]
    fn l01_a_value_in_the_wrong_place_is_not_repeated() {
        for (settings, place) in [
            (json!({ "api_key": "x", "page_size": "canary-secret" }), "page_size"),
            (json!({ "api_key": "x", "mode": "canary-secret" }), "mode"),
            (json!({ "api_key": "x", "page_size": 300 }), "page_size"),
            (json!({ "api_key": ["canary-secret"] }), "api_key"),
            (json!("canary-secret"), ""),
        ] {
            let error = read_settings::<Settings>(settings).unwrap_err();
            assert_eq!(error.path(), place);
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("canary") && !shown.contains("300"), "{shown}");
        }
    }
}
