//! The embedded store: SQLite on a blocking thread of its own
