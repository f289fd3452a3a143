//! Rows: what a file holds for one person, with only the cells that are in use.

/// The longest cell that is read, in characters. Addresses are compared by no more than that, and nothing else that is
/// read here is that long.
pub(crate) const CELL_CHARS_MAX: usize = 1024;

/// One row with its place.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// The number of its first line.
    pub(crate) line: u64,
    /// The cells in use, in the order of [`Mapping::names`](crate::mapping::Mapping); missing ones are empty.
    pub(crate) cells: Vec<String>,
    /// Whether it had fewer cells than the header.
    pub(crate) short: bool,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Row(line {}, {} cells, …)", self.line, self.cells.len())
    }
}

/// A row that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The number of its first line.
    pub(crate) line: u64,
    /// Why, in words that say what to mend.
    pub(crate) reason: String,
}

/// What one step through a file brings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A row.
    Row(Row),
    /// A row that cannot be read.
    Refused(Refused),
    /// A line or record that holds nothing.
    Blank,
    /// The end of the file.
    End,
}

impl Step {
    pub(crate) fn refused(line: u64, reason: impl Into<String>) -> Self {
        Self::Refused(Refused { line, reason: reason.into() })
    }
}

/// A cell as it is kept: one character more than the longest, so that what was too long is seen to be so.
pub(crate) fn cut(text: &str) -> String {
    text.char_indices().nth(CELL_CHARS_MAX + 1).map_or(text, |(end, _)| &text[..end]).to_owned()
}

/// Whether a cell was longer than is read.
pub(crate) fn is_cut(cell: &str) -> bool {
    cell.chars().nth(CELL_CHARS_MAX).is_some()
}

/// Whether text shows nothing.
pub(crate) fn is_blank(text: &str) -> bool {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').is_empty()
}
