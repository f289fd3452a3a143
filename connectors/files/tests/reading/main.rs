//! Files read through the contract: as people export them, as they break, and what holds for all of them.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

mod access;
mod desk;
mod exports;
mod hostile;
mod laws;
mod lists;
mod places;
mod presets;
mod setup;
