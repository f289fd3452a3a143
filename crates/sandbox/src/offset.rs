//! Plain offset paging, as two of the vendors do it: no cursor, and what joins or leaves in between shifts the rows.

use crate::message::PageBend;

/// The part of a listing that a call wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    offset: usize,
    count: usize,
    /// Whether the listing is to pretend that it ends here.
    ends: bool,
}

impl Window {
    /// So many rows from there on, bent as a fault wants it.
    pub(crate) fn bent((offset, count): (usize, usize), bend: &PageBend) -> Self {
        let straight = Self { offset, count, ends: false };
        match bend {
            PageBend::Straight => straight,
            PageBend::Empty => Self { count: 0, ..straight },
            PageBend::Last => Self { count: 0, ends: true, ..straight },
            PageBend::Short(rows) => Self { count: count.saturating_sub(*rows), ..straight },
            PageBend::Loop { places, length, turn } => {
                let looped = places.len() == *length && !places.contains(&offset.to_string());
                let back = looped.then(|| places[turn % places.len()].parse().ok()).flatten();
                Self { offset: back.unwrap_or(offset), ..straight }
            }
        }
    }

    /// The rows of this window.
    pub(crate) fn cut<'a, R>(&self, rows: &'a [R]) -> &'a [R] {
        let start = self.offset.min(rows.len());
        let end = self.offset.saturating_add(self.count).min(rows.len());
        &rows[start..end]
    }

    /// The total that the answer tells.
    pub(crate) fn total(&self, rows: usize) -> usize {
        if self.ends { self.offset.min(rows) } else { rows }
    }
}
