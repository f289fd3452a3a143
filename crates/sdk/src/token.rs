//! Where a rotated refresh token is kept, so that a crash cannot lose the only one that is still good.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use secrecy::SecretString;
use unisson_connector::Result;

/// A refresh token that a platform gave in exchange for an older one.
#[derive(Debug, Clone)]
pub struct Rotated {
    /// The token to use from now on.
    pub token: SecretString,
    /// A digest of the configured token that it goes back to. When the operator configures another one, it no longer
    /// counts.
    pub descends_from: String,
}

/// Keeps rotated refresh tokens, one for each instance. What it keeps is a secret and must be stored as one.
#[async_trait]
pub trait TokenStore: Send + Sync + fmt::Debug {
    /// The last token kept for this instance.
    async fn load(&self, instance: &str) -> Result<Option<Rotated>>;

    /// Keeps this token instead of the last one. When it returns, a crash no longer loses the token.
    async fn store(&self, instance: &str, rotated: &Rotated) -> Result<()>;
}

/// Keeps tokens for as long as the process lives: for tests, and for platforms that never rotate.
///
/// ```
/// # use unisson_sdk::{MemoryTokens, Rotated, TokenStore};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> unisson_connector::Result<()> {
/// let tokens = MemoryTokens::default();
/// let rotated = Rotated { token: "second".into(), descends_from: String::new() };
/// tokens.store("crm", &rotated).await?;
/// assert!(tokens.load("crm").await?.is_some());
/// assert!(tokens.load("other").await?.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct MemoryTokens {
    kept: Mutex<HashMap<String, Rotated>>,
}

#[async_trait]
impl TokenStore for MemoryTokens {
    async fn load(&self, instance: &str) -> Result<Option<Rotated>> {
        Ok(self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(instance).cloned())
    }

    async fn store(&self, instance: &str, rotated: &Rotated) -> Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(instance.to_owned(), rotated.clone());
        Ok(())
    }
}
