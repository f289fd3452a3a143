//! The ledger as JSON Lines: written page by page from any store, and checked from the file alone.
//!
#![doc = include_str!("../LEDGER-EXPORT.md")]

mod check;
mod hex;
mod line;
mod names;
mod write;

pub use check::{Checked, FileError, check};
pub use write::{ExportError, Exported, Order, write};

/// The name and version of the format. A change that a reader of this one would stumble over gets another.
pub const FORMAT: &str = "unisson-ledger/1";

/// The format where some of what the ledger holds was purged. A reader of the first knows no lines for that.
pub const FORMAT_PURGED: &str = "unisson-ledger/2";
