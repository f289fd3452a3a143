//! Cells that could not be read in rows that could: counted, and said once for each column of a page.

use std::cell::RefCell;
use std::collections::BTreeMap;

use unisson_connector::Reject;

use crate::mapping::{Column, Columns};

/// What can be wrong with a cell while its row still counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Flaw {
    /// A status that nobody mapped.
    Status,
    /// A word that a preset does not know.
    Word,
    /// No date.
    Date,
    /// No country code.
    Country,
    /// Neither consumer nor business.
    Audience,
    /// Neither yes nor no.
    Professional,
    /// No day of birth.
    Birth,
    /// An address that is longer than addresses are compared by.
    LongAddress,
}

impl Flaw {
    fn words(self) -> &'static str {
        match self {
            Self::Status => "are words that `status_map` lacks and count as unknown: add them",
            Self::Word => "are words that the preset does not know and count as unknown: map the column in `claims`",
            Self::Date => "are no dates and count as unknown: set `date_format`",
            Self::Country => "are no countries of two letters (ISO 3166-1) and are not read",
            Self::Audience => "are neither \"b2c\" nor \"b2b\" and are not read",
            Self::Professional => "are neither yes nor no and are not read",
            Self::Birth => "are no days and are not read: set `date_format`",
            Self::LongAddress => "are longer than any address and were cut: look for a missing quote",
        }
    }
}

/// How many cells had which flaw, and where the first one was.
#[derive(Debug, Default)]
pub(crate) struct Flaws(RefCell<BTreeMap<(Flaw, Column), (u64, u64)>>);

impl Flaws {
    /// Counts one cell of a row that begins on this line.
    pub(crate) fn count(&self, flaw: Flaw, column: Column, line: u64) {
        self.0.borrow_mut().entry((flaw, column)).or_insert((0, line)).0 += 1;
    }

    /// Each flaw in words.
    pub(crate) fn describe(&self, columns: &Columns) -> Vec<String> {
        let counted = self.0.borrow();
        let words = counted.iter().map(|((flaw, column), (count, first))| {
            format!("{count} cells of `{}` (first on line {first}) {}", columns.name(*column), flaw.words())
        });
        words.collect()
    }

    /// Each flaw as something to report of the lines that were read.
    pub(crate) fn rejects(&self, columns: &Columns, place: &str) -> Vec<Reject> {
        self.describe(columns).into_iter().map(|reason| Reject { place: place.to_owned(), reason }).collect()
    }
}
