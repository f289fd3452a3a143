//! What remains of an erasure: a certificate that shows what was done, and a journal that keeps it done.
//!
//! **The certificate.** [`Certificate::of`] makes it from a finished case: what was asked and when, what each system did,
//! what stays and why, who was told. It names nobody. What ties it to a person is a commitment,
//! `SHA-256(salt ‖ address)`, and the salt stands in the person's copy only: with it and their address they show that the
//! certificate is theirs, while the controller's copy identifies nobody.
//!
//! **Its form.** One JSON object in the manner of RFC 8785: keys sorted, no white space, no fractions. All keys are ASCII,
//! so the order of bytes is the order that RFC 8785 asks for. The signature is Ed25519 (RFC 8032) over the canonical bytes
//! of the member `certificate`, and stands beside it in the same file:
//!
//! ```json
//! {"certificate": {…}, "salt": "… hex, person's copy only …", "signature": {"algorithm": "Ed25519", "key": "…", "value": "…"}}
//! ```
//!
//! Anybody can check it without this program: take the member `certificate`, write it canonically, verify. [`verify`] does
//! the same and is strict: no unknown key, no key twice, every value spelt in its one form.
//!
//! **The journal.** An append-only file of chained lines beside the store, not in its backups: tombstones, objections,
//! restrictions, results of cases, heads of the ledger. A store that comes back from a backup is held against it, and what
//! the backup forgot is replayed before anything is sent ([`Journal::agrees`]).
//!
//! This crate reads no clock and decides nothing. Files are touched by [`write_private`] and [`Journal`] only.

mod canon;
mod certificate;
mod copy;
mod digest;
mod file;
mod issue;
mod journal;
mod key;
mod letter;
mod lines;
mod scrub;

pub use certificate::{
    Certificate, Coverage, ExtensionTaken, Format, HoldKept, Line, Occasion, Outcome, PolicyUsed, RecipientTold,
    SystemDone, TaskResult, Verb,
};
pub use copy::{CERTIFICATE_BYTES_MAX, Salt, Signed, Verified, VerifyError, commit, verify};
pub use digest::Digest32;
pub use file::{FileError, write_private};
pub use issue::{CertificateError, Context};
pub use journal::{Agreement, Checked, Entries, Entry, Head, Journal, JournalError, LINE_BYTES_MAX, Record, Seal};
pub use key::{KeyError, PublicKey, SigningKey, TombstoneKey};
pub use letter::letter;
pub use lines::lines;
