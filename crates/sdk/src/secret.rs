//! Secrets by reference: where one is kept, never what it is.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::settings::BuildError;

const HOW: &str = "a secret is never written out: write { env = 'NAME' } or { file = 'PATH' }";

/// Where a secret is kept.
///
/// ```
/// use unisson_sdk::{SecretRef, read_settings};
/// let reference = read_settings::<SecretRef>(serde_json::json!({ "env": "CRM_KEY" })).unwrap();
/// assert_eq!(reference, SecretRef::Env("CRM_KEY".to_owned()));
/// let error = read_settings::<SecretRef>(serde_json::json!("hunter2")).unwrap_err();
/// assert!(error.message().contains("{ env = 'NAME' }"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SecretRef {
    /// In an environment variable of this name.
    Env(String),
    /// In a file at this path.
    File(PathBuf),
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Through a value, because serde's own refusals would quote what they refuse.
        let Value::Object(table) = Value::deserialize(deserializer)? else { return Err(D::Error::custom(HOW)) };
        let mut entries = table.into_iter();
        match (entries.next(), entries.next()) {
            (Some((key, Value::String(place))), None) if !place.trim().is_empty() => match key.as_str() {
                "env" => Ok(Self::Env(place)),
                "file" => Ok(Self::File(PathBuf::from(place))),
                _ => Err(D::Error::custom(HOW)),
            },
            _ => Err(D::Error::custom(HOW)),
        }
    }
}

/// Fetches secrets. The host implements it; a connector never reads an environment or a file.
pub trait Secrets: Send + Sync {
    /// The secret that is kept there.
    fn resolve(&self, reference: &SecretRef) -> Result<SecretString, BuildError>;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::read_settings;

    #[test]
    fn l01_a_secret_written_out_is_refused_and_not_repeated() {
        for written in [
            json!("canary"),
            json!(4711),
            json!(["canary"]),
            json!({ "env": 4711 }),
            json!({ "env": " " }),
            json!({ "value": "canary" }),
            json!({ "env": "A", "file": "/canary" }),
            json!({}),
            json!(null),
        ] {
            let error = read_settings::<SecretRef>(written).unwrap_err();
            assert_eq!(error.message(), HOW);
            assert!(!format!("{error:?}").contains("canary"));
        }
        assert_eq!(
            read_settings::<SecretRef>(json!({ "file": "/run/key" })).unwrap(),
            SecretRef::File("/run/key".into())
        );
    }
}
