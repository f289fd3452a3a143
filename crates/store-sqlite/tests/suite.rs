//! The embedded store passes the suite.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::ops::Deref;

use tempfile::TempDir;
use unisson_store::suite::fixture::keyring;
use unisson_store_sqlite::{Access, SqliteStore};

/// A store in a folder of its own.
struct Temporary {
    store: SqliteStore,
    _folder: TempDir,
}

impl Deref for Temporary {
    type Target = SqliteStore;

    fn deref(&self) -> &SqliteStore {
        &self.store
    }
}

fn store() -> Temporary {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open_with(folder.path().join("unisson.db"), Access::ReadWrite, keyring()).unwrap();
    Temporary { store, _folder: folder }
}

unisson_store::store_suite!(store);
