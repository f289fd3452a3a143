//! In-memory HTTP twins of the vendors, with their rules and faults
