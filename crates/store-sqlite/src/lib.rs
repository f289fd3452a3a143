//! The embedded store: one SQLite file, worked on by a blocking thread of its own.
//!
//! One process writes at a time, held by a lock beside the file; any number may read beside it. What is acknowledged is on
//! disk: the journal is a write-ahead log that is flushed at every commit. Deleted content is overwritten, and the files are
//! readable by their owner alone, since they hold personal data; after people were purged the files are written anew, so
//! that no page and no log keeps a copy. Who writes needs the keys that people were erased under. It refuses to be shared over a network file system, whose
//! locks cannot be trusted.

mod case;
mod commit;
mod db;
mod digest;
mod dossier;
mod earmark;
mod error;
mod examine;
mod keys;
mod ledger;
mod lookup;
mod open;
mod outbox;
mod place;
mod purge;
mod record;
mod schema;
mod standing;
mod store;
mod worker;

pub use examine::{Examination, Files};
pub use open::Access;
pub use store::SqliteStore;
