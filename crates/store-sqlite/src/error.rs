//! From SQLite's errors to the store's kinds, with what to do about each.

use rusqlite::{ErrorCode, ffi};
use unisson_store::{Result, StoreError, StoreErrorKind};

/// Says what was being done when SQLite failed.
pub(crate) trait During<T> {
    /// The store's error for SQLite's, while doing this.
    fn during(self, during: &'static str) -> Result<T>;
}

impl<T> During<T> for rusqlite::Result<T> {
    fn during(self, during: &'static str) -> Result<T> {
        self.map_err(|error| translate(during, error))
    }
}

fn translate(during: &'static str, error: rusqlite::Error) -> StoreError {
    let (kind, what) = sort(&error);
    StoreError::new(kind, during, what).because(error)
}

fn sort(error: &rusqlite::Error) -> (StoreErrorKind, &'static str) {
    match error.sqlite_extended_error_code() {
        // Shared memory that cannot grow is a full disk too.
        Some(ffi::SQLITE_IOERR_SHMSIZE) => return (StoreErrorKind::Full, "the disk is full: make room and try again"),
        // What a quota or a limit refuses is told apart from a full disk.
        Some(ffi::SQLITE_IOERR_WRITE) => {
            let what = "no more can be written: make room, lift the quota or the limit on the size of files, or look at \
                        the disk, and try again";
            return (StoreErrorKind::Full, what);
        }
        _ => {}
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => (StoreErrorKind::Full, "the disk is full: make room and try again"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
            (StoreErrorKind::InUse, "another process works with the store: wait for it or end it")
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            (StoreErrorKind::Corrupt, "the file is damaged or no store at all: restore a backup")
        }
        Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch) => {
            (StoreErrorKind::Corrupt, "what is stored contradicts itself: restore a backup")
        }
        Some(ErrorCode::ReadOnly) => (
            StoreErrorKind::Unavailable,
            "the store is open for reading, or its file may not be written: check its permissions",
        ),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            (StoreErrorKind::Unavailable, "the file cannot be opened: check that its folder exists and who may use it")
        }
        Some(_) => (StoreErrorKind::Unavailable, "the file cannot be used: see the cause"),
        // Not from SQLite itself but from reading a column as what it ought to be.
        None => (StoreErrorKind::Corrupt, "a stored value is not what it ought to be: restore a backup"),
    }
}
