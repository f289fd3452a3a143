//! How a compiled-in connector presents itself to the host, and what the host gives it.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use unisson_connector::{Connector, Info};

use crate::secret::Secrets;
use crate::settings::BuildError;
use crate::token::TokenStore;

/// What the host gives to a connector that is being built.
///
/// ```
/// use std::sync::Arc;
/// use secrecy::SecretString;
/// use unisson_sdk::{BuildError, Host, MemoryTokens, SecretRef, Secrets};
///
/// /// Keeps one key for everybody.
/// struct OneKey;
///
/// impl Secrets for OneKey {
///     fn resolve(&self, _reference: &SecretRef) -> Result<SecretString, BuildError> {
///         Ok("key".into())
///     }
/// }
///
/// let host = Host { instance: "crm", secrets: &OneKey, tokens: Arc::new(MemoryTokens::default()) };
/// assert!(host.secrets.resolve(&SecretRef::Env("CRM_KEY".to_owned())).is_ok());
/// ```
#[derive(Clone)]
pub struct Host<'a> {
    /// The name of the instance.
    pub instance: &'a str,
    /// Fetches the secrets that its settings refer to.
    pub secrets: &'a dyn Secrets,
    /// Keeps its rotated tokens.
    pub tokens: Arc<dyn TokenStore>,
}

impl fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("instance", &self.instance).finish_non_exhaustive()
    }
}

/// Builds an instance from its settings without the common keys.
pub type Build = fn(Value, &Host<'_>) -> Result<Arc<dyn Connector>, BuildError>;

/// A kind of connector: what the list of compiled-in ones holds for each.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The name used in configuration.
    pub name: &'static str,
    /// What it is, before any instance of it exists.
    pub info: fn() -> Info,
    /// Builds an instance from its settings without the common keys. Nothing is sent.
    pub build: Build,
}
