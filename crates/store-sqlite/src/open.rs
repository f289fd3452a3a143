//! Opening: the lock, the file and its mode, the settings of the connection, and what a dead process left behind.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use unisson_consent::Keyring;
use unisson_store::identifier::require_keys;
use unisson_store::lent::Lent;
use unisson_store::{Result, StoreError, StoreErrorKind};

use crate::db::{Db, NameCache};
use crate::digest;
use crate::error::During as _;
use crate::schema::{self, MIGRATIONS};

const DURING: &str = "open the store";

/// How long a statement waits for another process before it gives up.
pub(crate) const BUSY_WAIT: Duration = Duration::from_secs(5);

/// The most memory for pages of the database, in KiB.
const CACHE_KIB: i64 = 64 * 1024;

/// After how many pages of the write-ahead log its content moves to the database. A first sync touches the same pages of an
/// index again and again; the longer the log, the fewer times they move.
const CHECKPOINT_PAGES: i64 = 16_000;

/// To how many bytes the write-ahead log is cut back after a large transaction.
const LOG_BYTES_KEPT: i64 = 64 * 1024 * 1024;

/// Statements that stay prepared.
const STATEMENTS_KEPT: usize = 96;

/// What a process wants with the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To read and write. One process at a time.
    ReadWrite,
    /// To read, beside whoever writes.
    ReadOnly,
}

/// The path of `sqlite:PATH`, or of `sqlite://PATH`.
pub(crate) fn path_of_url(url: &str) -> Result<PathBuf> {
    let unusable = |what: &str| Err(StoreError::new(StoreErrorKind::Unavailable, DURING, what));
    let Some(rest) = url.strip_prefix("sqlite:") else {
        return unusable("the URL of an embedded store begins with `sqlite:`, as in `sqlite:unisson.db`");
    };
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.ends_with('/') {
        return unusable("the URL names no file: write `sqlite:` and a path, as in `sqlite:unisson.db`");
    }
    if path.starts_with(':') || path.contains(['?', '#']) {
        return unusable("the URL takes a path and nothing else: write it as in `sqlite:unisson.db`");
    }
    Ok(PathBuf::from(path))
}

/// Opens the store at this path. Who writes needs every key that people were erased under; who reads needs none.
pub(crate) fn open(path: &Path, access: Access, keyring: Keyring) -> Result<Db> {
    // A path that begins with `file:` would be read as a URI of SQLite's; an absolute one never is.
    let path = std::path::absolute(path).map_err(|error| unusable(path, "is no path").because(error))?;
    match access {
        Access::ReadWrite => open_to_write(&path, keyring),
        Access::ReadOnly => open_to_read(&path, keyring),
    }
}

fn open_to_write(path: &Path, keyring: Keyring) -> Result<Db> {
    if !path.parent().is_some_and(Path::is_dir) {
        return Err(unusable(path, "lies in a folder that does not exist: create the folder"));
    }
    let lock = take_lock(path)?;
    private_file(path)?;
    let mut connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE)).during(DURING)?;
    settle_down(&connection)?;
    connection.pragma_update(None, "journal_mode", "WAL").during(DURING)?;
    connection.pragma_update(None, "synchronous", "FULL").during(DURING)?;
    connection.pragma_update(None, "fullfsync", true).during(DURING)?;
    connection.pragma_update(None, "secure_delete", true).during(DURING)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES).during(DURING)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT).during(DURING)?;
    schema::migrate(&mut connection, &MIGRATIONS, &keyring)?;
    require_keys(&digest::schemes(&connection)?, &keyring, DURING)?;
    recover(&connection)?;
    let (names, lent) = (NameCache::default(), Lent::default());
    Ok(Db { connection, access: Access::ReadWrite, names, lent, keyring, _lock: Some(lock) })
}

fn open_to_read(path: &Path, keyring: Keyring) -> Result<Db> {
    if !path.exists() {
        return Err(missing(path));
    }
    let connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_ONLY)).during(DURING)?;
    settle_down(&connection)?;
    let version = schema::version(&connection)?;
    schema::refuse_newer(version, MIGRATIONS.len())?;
    if version == 0 {
        return Err(missing(path));
    }
    if version < MIGRATIONS.len() {
        let what = "was written by an older version: run a command that writes, such as `sync`, to bring it forward";
        return Err(unusable(path, what));
    }
    let (names, lent) = (NameCache::default(), Lent::default());
    Ok(Db { connection, access: Access::ReadOnly, names, lent, keyring, _lock: None })
}

fn flags(access: OpenFlags) -> OpenFlags {
    access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE
}

/// What every connection wants.
fn settle_down(connection: &Connection) -> Result<()> {
    connection.busy_timeout(BUSY_WAIT).during(DURING)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    rusqlite::vtab::array::load_module(connection).during(DURING)?;
    // The plan of a statement follows from the tables alone, so no statement is prepared anew for other values.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).during(DURING)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB).during(DURING)?;
    connection.pragma_update(None, "trusted_schema", false).during(DURING)
}

/// Takes the lock beside the database, or says that another process has it.
fn take_lock(path: &Path) -> Result<File> {
    let lock_path = beside(path, ".lock");
    let lock = private_file(&lock_path)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            let what = format!(
                "another process works with the store `{}`: wait for it or end it (it holds `{}`)",
                path.display(),
                lock_path.display()
            );
            Err(StoreError::new(StoreErrorKind::InUse, DURING, what))
        }
        Err(TryLockError::Error(error)) => {
            Err(unusable(&lock_path, "cannot be locked: put the store on a local disk").because(error))
        }
    }
}

/// Opens or creates a file that only its owner may read.
fn private_file(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| failed(path, error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let private = std::fs::Permissions::from_mode(0o600);
        file.set_permissions(private).map_err(|error| failed(path, error))?;
    }
    Ok(file)
}

/// The path with something after its whole name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Takes back what a process held that has ended: only the holder of the lock can have leases and runs.
fn recover(connection: &Connection) -> Result<()> {
    const LEASES: &str = "UPDATE outbox SET state = 'pending', lease_until = NULL WHERE state = 'leased' \
         AND state IN ('pending', 'later', 'leased')";
    const RUNS: &str = "UPDATE run SET state = 'interrupted' WHERE state = 'running'";
    connection.execute(LEASES, []).during("take back leases")?;
    connection.execute(RUNS, []).during("mark interrupted runs")?;
    Ok(())
}

fn missing(path: &Path) -> StoreError {
    unusable(path, "does not exist yet: run a command that writes first, such as `sync`")
}

fn unusable(path: &Path, what: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, DURING, format!("`{}` {what}", path.display()))
}

fn failed(path: &Path, error: std::io::Error) -> StoreError {
    if error.kind() == std::io::ErrorKind::StorageFull {
        let what = format!("there is no room for `{}`: make room and try again", path.display());
        return StoreError::new(StoreErrorKind::Full, DURING, what).because(error);
    }
    unusable(path, "cannot be opened: check who may read and write it").because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_the_scheme_and_a_path() {
        for (url, path) in [
            ("sqlite:unisson.db", "unisson.db"),
            ("sqlite:/var/lib/unisson.db", "/var/lib/unisson.db"),
            ("sqlite:///var/lib/unisson.db", "/var/lib/unisson.db"),
            ("sqlite:./with space.db", "./with space.db"),
        ] {
            assert_eq!(path_of_url(url).unwrap(), PathBuf::from(path));
        }
    }

    #[test]
    fn a_url_that_is_something_else_is_refused_with_an_example() {
        for url in [
            "",
            "unisson.db",
            "postgres://x",
            "sqlite:",
            "sqlite://",
            "sqlite::memory:",
            "sqlite:x?mode=ro",
            "sqlite:dir/",
        ] {
            let error = path_of_url(url).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{url}");
            assert!(error.to_string().contains("sqlite:unisson.db"), "{error}");
        }
    }
}
