//! Plain offset paging: `count` and `offset`, no cursor. What joins or leaves in between shifts the rows.

use super::problem::Trouble;
use crate::message::{Ask, PageBend};

const COUNT_DEFAULT: usize = 10;
const COUNT_MAX: usize = 1_000;

/// The part of a listing that a call wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) offset: usize,
    pub(super) count: usize,
    /// Whether the listing is to pretend that it ends here.
    ends: bool,
}

impl Window {
    /// What the call asks for, bent as a fault wants it.
    pub(super) fn of(ask: &Ask) -> Result<Self, Trouble> {
        let count = number(ask, "count")?.unwrap_or(COUNT_DEFAULT);
        if count > COUNT_MAX {
            return Err(Trouble::invalid("count", "must be at most 1000"));
        }
        let offset = number(ask, "offset")?.unwrap_or(0);
        let straight = Self { offset, count, ends: false };
        Ok(match &ask.bend.page {
            PageBend::Straight => straight,
            PageBend::Empty => Self { count: 0, ..straight },
            PageBend::Last => Self { count: 0, ends: true, ..straight },
            PageBend::Short(rows) => Self { count: count.saturating_sub(*rows), ..straight },
            PageBend::Loop { places, length, turn } => {
                let here = place(ask);
                let looped = places.len() == *length && !places.contains(&here);
                let back = looped.then(|| places[turn % places.len()].parse().ok()).flatten();
                Self { offset: back.unwrap_or(offset), ..straight }
            }
        })
    }

    /// The rows of this window.
    pub(super) fn cut<'a, R>(&self, rows: &'a [R]) -> &'a [R] {
        let start = self.offset.min(rows.len());
        let end = self.offset.saturating_add(self.count).min(rows.len());
        &rows[start..end]
    }

    /// The total that the answer tells.
    pub(super) fn total(&self, rows: usize) -> usize {
        if self.ends { self.offset.min(rows) } else { rows }
    }
}

/// Where in its listing a call wants to be.
pub(super) fn place(ask: &Ask) -> String {
    ask.query("offset").unwrap_or("0").to_owned()
}

fn number(ask: &Ask, name: &'static str) -> Result<Option<usize>, Trouble> {
    let parse = |text: &str| text.parse().map_err(|_| Trouble::invalid(name, "must be a whole number, zero or more"));
    ask.query(name).map(parse).transpose()
}
