//! Rotated OAuth2 refresh tokens in a folder beside the store, one file for each instance, readable by its owner only.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use unisson_connector::{Error, ErrorKind as Failed, Result};
use unisson_sdk::{Rotated, TokenStore};

/// The folder of one store's tokens.
#[derive(Debug)]
pub(crate) struct TokenFiles {
    folder: PathBuf,
}

/// A token as it is written.
#[derive(Serialize, Deserialize)]
struct Kept {
    token: String,
    descends_from: String,
}

impl TokenFiles {
    /// The tokens that belong to the store at this path.
    pub(crate) fn beside(store: &Path) -> Self {
        Self { folder: store.with_extension("tokens") }
    }

    /// Their folder. It is there once a token was rotated.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn file(&self, instance: &str) -> PathBuf {
        self.folder.join(format!("{instance}.json"))
    }

    fn write(&self, instance: &str, kept: &Kept) -> std::io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let fresh = self.folder.join(format!("{instance}.json.new"));
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&fresh)?;
        file.write_all(serde_json::to_string(kept)?.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, self.file(instance))
    }
}

#[async_trait]
impl TokenStore for TokenFiles {
    async fn load(&self, instance: &str) -> Result<Option<Rotated>> {
        let failed =
            |error| Error::new(Failed::Config, "read a kept refresh token").with("instance", instance).because(error);
        let text = match fs::read_to_string(self.file(instance)) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let kept: Kept = serde_json::from_str(&text).map_err(|error| failed(error.into()))?;
        Ok(Some(Rotated { token: SecretString::from(kept.token), descends_from: kept.descends_from }))
    }

    async fn store(&self, instance: &str, rotated: &Rotated) -> Result<()> {
        let kept =
            Kept { token: rotated.token.expose_secret().to_owned(), descends_from: rotated.descends_from.clone() };
        self.write(instance, &kept).map_err(|error| {
            Error::new(Failed::Config, "keep a rotated refresh token").with("instance", instance).because(error)
        })
    }
}
