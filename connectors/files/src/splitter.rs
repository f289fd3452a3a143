//! One record taken apart into cells: `csv-core` does the work, within bounds and with an eye on its leniency.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::row::is_blank;

/// The longest record, in bytes of UTF-8.
pub(crate) const RECORD_BYTES_MAX: usize = 1024 * 1024;
/// The most cells of a record.
pub(crate) const CELLS_MAX: usize = 4096;

/// What separates and quotes cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// The ASCII character between cells.
    pub(crate) separator: u8,
    /// The ASCII character around cells that hold a separator; `None` where the file quotes nothing.
    pub(crate) quote: Option<u8>,
}

/// What came of feeding one line.
pub(crate) enum Fed {
    /// The record is complete.
    Whole,
    /// A quoted cell goes on.
    Open,
    /// The record is longer than is read.
    TooLong,
    /// The record has more cells than are read.
    TooManyCells,
}

/// Takes one record apart into cells.
#[derive(Debug)]
pub(crate) struct Splitter {
    reader: Reader,
    dialect: Dialect,
    quoting: Quoting,
    input: Vec<u8>,
    text: Vec<u8>,
    text_len: usize,
    ends: Vec<usize>,
    ends_len: usize,
}

impl Splitter {
    pub(crate) fn new(dialect: Dialect) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(dialect.separator);
        match dialect.quote {
            Some(quote) => builder.quote(quote),
            None => builder.quoting(false),
        };
        Self {
            reader: builder.build(),
            dialect,
            quoting: Quoting::default(),
            input: Vec::new(),
            text: Vec::new(),
            text_len: 0,
            // One more than is allowed, so that too many are seen to be so.
            ends: vec![0; CELLS_MAX + 1],
            ends_len: 0,
        }
    }

    pub(crate) fn restart(&mut self) {
        self.reader.reset();
        self.quoting = Quoting::default();
        (self.text_len, self.ends_len) = (0, 0);
    }

    /// Feeds one line, which holds no line break.
    pub(crate) fn feed(&mut self, line: &str) -> Fed {
        self.quoting.feed(line.as_bytes(), self.dialect);
        self.input.clear();
        self.input.extend_from_slice(line.as_bytes());
        self.input.push(b'\n');
        let wanted = self.text_len + self.input.len() + 1;
        if wanted > RECORD_BYTES_MAX + 2 {
            return Fed::TooLong;
        }
        if self.text.len() < wanted {
            self.text.resize(wanted, 0);
        }
        let (result, _, text, ends) =
            self.reader.read_record(&self.input, &mut self.text[self.text_len..], &mut self.ends[self.ends_len..]);
        self.text_len += text;
        self.ends_len += ends;
        match result {
            _ if self.ends_len > CELLS_MAX => Fed::TooManyCells,
            ReadRecordResult::Record | ReadRecordResult::End => Fed::Whole,
            ReadRecordResult::InputEmpty => Fed::Open,
            // The text has room for all of the input, so only the cells can be too many.
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => Fed::TooManyCells,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends_len
    }

    pub(crate) fn cell(&self, at: usize) -> Option<&str> {
        let ends = &self.ends[..self.ends_len];
        let end = *ends.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| ends[before]);
        // Separators and quotes are ASCII, so cells of valid text are valid text.
        std::str::from_utf8(self.text.get(start..end)?).ok()
    }

    pub(crate) fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| self.cell(at).unwrap_or_default())
    }

    /// Whether a cell beyond this many shows anything.
    pub(crate) fn spills(&self, width: usize) -> bool {
        (width..self.len()).any(|at| self.cell(at).is_some_and(|cell| !is_blank(cell)))
    }

    pub(crate) fn strayed(&self) -> bool {
        self.quoting.strayed
    }

    /// Whether the record is a line such as `sep=;`, which only spreadsheets read.
    pub(crate) fn is_separator_hint(&self) -> bool {
        let first = self.cell(0).unwrap_or_default();
        match self.len() {
            1 => is_hint(first),
            // The separator that the hint names has already parted it.
            2 => first.eq_ignore_ascii_case("sep=") && self.cell(1).is_some_and(is_blank),
            _ => false,
        }
    }
}

/// Whether a line tells a spreadsheet which separator to use.
pub(crate) fn is_hint(line: &str) -> bool {
    let line = line.trim();
    line.len() <= 5 && line.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("sep="))
}

/// Watches quotes as the reader does, to see what the reader forgives: text right after a closing quote.
#[derive(Debug, Default)]
struct Quoting {
    spot: Spot,
    strayed: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Spot {
    #[default]
    Start,
    Plain,
    Quoted,
    Closing,
}

impl Quoting {
    fn feed(&mut self, line: &[u8], dialect: Dialect) {
        let Some(quote) = dialect.quote else { return };
        for byte in line {
            self.spot = match (self.spot, *byte) {
                (Spot::Start | Spot::Closing, byte) if byte == quote => Spot::Quoted,
                (Spot::Quoted, byte) if byte == quote => Spot::Closing,
                (Spot::Quoted, _) => Spot::Quoted,
                (_, byte) if byte == dialect.separator => Spot::Start,
                (Spot::Closing, _) => {
                    self.strayed = true;
                    Spot::Plain
                }
                (Spot::Start | Spot::Plain, _) => Spot::Plain,
            };
        }
    }
}
