//! Subjects that are being judged: news that comes between reading a dossier and writing its judgement is not lost.
//!
//! A judgement makes its subject fresh. Where another commit changed the subject after its dossier was read, the judgement
//! is already old, and the subject has to stay stale.

use std::collections::HashMap;

/// The most subjects that are watched at once. Beyond it all are forgotten, and a judgement counts as it comes: callers
/// judge in batches far smaller than this.
const LENT_MAX: usize = 100_000;

/// The subjects whose dossiers were read and not yet judged, each with whether it changed since.
#[derive(Debug, Default)]
pub struct Lent(HashMap<u64, bool>);

impl Lent {
    /// A dossier is read.
    pub fn lend(&mut self, subject: u64) {
        if self.0.len() >= LENT_MAX {
            self.0.clear();
        }
        self.0.insert(subject, false);
    }

    /// A subject changed.
    pub fn change(&mut self, subject: u64) {
        if let Some(changed) = self.0.get_mut(&subject) {
            *changed = true;
        }
    }

    /// Every subject changed.
    pub fn change_all(&mut self) {
        self.0.values_mut().for_each(|changed| *changed = true);
    }

    /// Whether a subject changed after its dossier was read.
    pub fn is_outdated(&self, subject: u64) -> bool {
        self.0.get(&subject).copied().unwrap_or(false)
    }

    /// A judgement is written.
    pub fn give_back(&mut self, subject: u64) {
        self.0.remove(&subject);
    }
}
