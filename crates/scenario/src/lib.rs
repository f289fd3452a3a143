//! Acceptance scenarios for a policy: the schema `consent-scenarios/1`, its runner and its report.
//!
//! A scenario says what was observed, under which policy, and what must follow: the decision for a key, its status and
//! reason, and what must be pushed to which system. Whoever writes a policy writes scenarios beside it and tries them
//! before the policy decides about people. Observations are a set, so each scenario is told in many random orders with
//! redeliveries, and every order must give the same answer.
//!
//! # The schema
//!
//! A file has `schema`, `scenarios` and, if it likes, `defaults`. What a scenario is played on (`now`, `systems`,
//! `purposes`, `evidence_presets`, `policy`) is laid over in three layers: the built-in defaults (`defaults.yaml` beside
//! this crate's source), the file's `defaults`, and what the scenario writes. Tables are laid over entry by entry; lists,
//! presets, `null` and an empty table take the place of what was there.
//!
//! * An **observation** has `id`, `sys`, `obs` (when the host heard of it), `ev` (what happened), and as needed `rec`,
//!   `who`, `at` (when it happened in the source's words), `scope`, `actor`, `via`, `seq`, `eid`, `echo_of`, and what its
//!   kind carries: `evidence` and `valid_until`, `status`, `what`, `opt_out_offered`, `similar`, `code` or `category`,
//!   `notice`, `targets`, `approvers`, `records`, `groups`, `from`, `to`, `verified`, `basis`, `until`, `reason`.
//!   The same `sys` and `eid` are one event. Left-out parts of a scope are `all_dm` and `email`.
//! * A **push** is a write the host already made: `id`, `sys`, `at`, `do`, and as needed `purpose`, `channel` (all where
//!   left out) and `ack`.
//! * An **expectation** has a `key` and a `decision`; `status` and `reason` are compared where they are written, `actions`
//!   always: no entry for a system means that nothing may be pushed to it for that key.
//!
//! It refuses to know of stores, connectors and the command line; it reads the files it is given, returns values, and
//! prints nothing by itself.

mod error;
mod field;
mod law;
mod nearest;
mod node;
mod observe;
mod play;
mod read;
mod report;
mod scenario;
mod schema;
mod typed;
mod word;

pub use error::{Defect, ReadError};
pub use play::{Options, play};
pub use read::{Reject, SCHEMA, Suite, read_file, read_text};
pub use report::{Difference, Failure, FileReport, KeyNames, Outcome, Report, ScenarioReport, Told, run_files};
pub use scenario::{Expectation, Observed, Scenario};
