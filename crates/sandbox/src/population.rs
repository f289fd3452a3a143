//! The people behind the twins and the file: one set, made from a seed, whose systems contradict one another on purpose.
//!
//! A person is computed from the seed and an index whenever needed and never stored, so a million of them cost nothing.
//! All of it is invented: addresses lie under domains reserved by RFC 2606, telephone numbers in ranges that regulators
//! keep for fiction, network addresses in the documentation blocks of RFC 5737.

mod campaign;
mod crm;
mod file;
mod mailing;
mod person;
mod phone;
mod plot;
mod story;

use std::path::Path;

use jiff::Timestamp;

pub use campaign::Fate;
pub(crate) use campaign::{BlockReason, CampaignSeed, List};
pub(crate) use crm::{Choice, ContactSeed, Origin, Preference, Preferences, Topic};
pub use file::{Row, WriteError};
pub use mailing::{Audience, Status, UnknownStatus};
pub(crate) use mailing::{Lock, MemberSeed, Reason};
pub use person::{Person, System};
pub use plot::Plot;
pub use story::{Figure, Saying};

/// The largest population. Member positions are kept in 32 bits and a larger one would not fit a laptop's memory.
pub const CONTACTS_MAX: u32 = 4_000_000;

/// A set of invented people, the same for the same seed, size and epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Population {
    seed: u64,
    contacts: u32,
    epoch_s: i64,
}

impl Population {
    /// The people of this seed. Everything that happened to them happened before `epoch`; sizes above [`CONTACTS_MAX`]
    /// are cut to it.
    ///
    /// ```
    /// use unisson_sandbox::{Plot, Population};
    /// let people = Population::new(7, 100, "2026-11-01T00:00:00Z".parse().unwrap());
    /// assert_eq!(people.person(42), people.person(42));
    /// assert!(people.with_plot(Plot::Complained).next().is_some());
    /// ```
    pub fn new(seed: u64, contacts: u32, epoch: Timestamp) -> Self {
        Self { seed, contacts: contacts.min(CONTACTS_MAX), epoch_s: epoch.as_second() }
    }

    /// How many people there are.
    pub fn len(&self) -> u32 {
        self.contacts
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.contacts == 0
    }

    /// The person of this index. Indices at or beyond [`Population::len`] give people whom no system knows yet: new
    /// subscribers for a test.
    pub fn person(&self, index: u32) -> Person {
        Person::new(self.seed, index, self.epoch_s)
    }

    /// Everybody, in the order of their index.
    pub fn people(&self) -> impl Iterator<Item = Person> + '_ {
        (0..self.contacts).map(|index| self.person(index))
    }

    /// Everybody with this story, in the order of their index. A population of at least [`Plot::ALL`]'s length holds one
    /// of each.
    pub fn with_plot(&self, plot: Plot) -> impl Iterator<Item = Person> + '_ {
        self.people().filter(move |person| person.plot() == plot)
    }

    /// A few named people with what each system says of them, the one whose systems disagree most first.
    pub fn story(&self) -> Vec<Figure> {
        story::figures(self)
    }

    /// What the file export says of one person: no row, one, or several.
    pub fn rows(&self, index: u32) -> Vec<Row> {
        file::rows(&self.person(index))
    }

    /// Writes the export of the shop and its call centre as UTF-8, comma-separated, with a header. Returns how many rows
    /// it wrote. An existing file is replaced.
    pub fn write_csv(&self, path: &Path) -> Result<u64, WriteError> {
        file::write(self, path)
    }
}
