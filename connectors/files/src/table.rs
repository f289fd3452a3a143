//! Rows out of delimited text (RFC 4180 and what is usually made of it).
//!
//! A quote that is never closed must not swallow the people after it: a record that spans lines and does not come out
//! right is given up after its first line, and reading goes on with the second.

use std::io::{self, Read, Seek};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::charset::Charset;
use crate::line::{Lines, Mark};
use crate::row::{Row, Step, cut, is_blank};

/// The longest record, in bytes of UTF-8.
pub(crate) const RECORD_BYTES_MAX: usize = 1024 * 1024;
/// The most lines that quoted cells may make one record span.
pub(crate) const RECORD_LINES_MAX: usize = 256;
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

/// The records of delimited text.
#[derive(Debug)]
pub(crate) struct Table<R> {
    lines: Lines<R>,
    charset: Charset,
    splitter: Splitter,
    /// Where the columns in use are.
    positions: Vec<usize>,
    /// How many cells the header has.
    width: usize,
    /// The line where a quote was opened that the file never closes.
    cut: Option<u64>,
    bytes: Vec<u8>,
}

/// A record as it was assembled.
enum Assembled {
    /// A line without anything.
    Blank,
    /// A record; its cells are with the splitter.
    Whole(Span),
    /// Lines that make no record.
    Broken(Span, Flaw),
    /// The end of the file.
    End,
}

/// The lines of a record.
#[derive(Debug, Clone, Copy)]
struct Span {
    /// The number of the first one.
    line: u64,
    /// Where the second line begins, which may be after the record.
    second: Mark,
    /// How many there are.
    lines: usize,
    /// Whether a line break ended the last one.
    ended: bool,
}

/// Why lines make no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    LineTooLong,
    Undecodable,
    TooManyCells,
    Unclosed,
    CutOff,
}

impl<R: Read + Seek> Table<R> {
    /// Delimited text from the top, before its header is read.
    pub(crate) fn new(input: R, charset: Charset, dialect: Dialect) -> io::Result<Self> {
        let top = Mark { offset: charset.mark_bytes, number: 1 };
        let mut lines = Lines::new(input, charset.unit(), top);
        lines.go_to(top)?;
        let splitter = Splitter::new(dialect);
        Ok(Self { lines, charset, splitter, positions: Vec::new(), width: 0, cut: None, bytes: Vec::new() })
    }

    /// The cells of the first record, for a header; `None` where there is none that can be read. A line such as `sep=;`,
    /// which spreadsheets put first, is passed over.
    pub(crate) fn header(&mut self) -> io::Result<Option<Vec<String>>> {
        for _ in 0..RECORD_LINES_MAX {
            match self.assemble()? {
                Assembled::Blank => {}
                Assembled::Whole(_) if self.splitter.is_separator_hint() => {}
                Assembled::Whole(_) => {
                    self.width = self.splitter.len();
                    return Ok(Some(self.splitter.cells().map(cut).collect()));
                }
                Assembled::Broken(..) | Assembled::End => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Says where the columns in use are, and goes to where rows begin or go on.
    pub(crate) fn begin(&mut self, positions: Vec<usize>, at: Mark, cut: Option<u64>) -> io::Result<()> {
        self.positions = positions;
        self.cut = cut;
        self.lines.go_to(at)
    }

    /// Where the next record begins.
    pub(crate) fn mark(&self) -> Mark {
        self.lines.mark()
    }

    /// The line where a quote was opened that the file never closes.
    pub(crate) fn cut(&self) -> Option<u64> {
        self.cut
    }

    /// The next row.
    pub(crate) fn step(&mut self) -> io::Result<Step> {
        let span = match self.assemble()? {
            Assembled::End => return Ok(Step::End),
            Assembled::Blank => return Ok(Step::Blank),
            Assembled::Broken(span, flaw) => return self.give_up(span, flaw.words()),
            Assembled::Whole(span) => span,
        };
        if self.splitter.cells().all(is_blank) || span.line == 1 && self.splitter.is_separator_hint() {
            return Ok(Step::Blank);
        }
        let found = self.splitter.len();
        if self.splitter.cells().skip(self.width).any(|cell| !is_blank(cell)) {
            let words = format!("has {found} cells where the header has {}: put quotes around cells that hold a separator", self.width);
            return self.give_up(span, words);
        }
        if span.lines > 1 && (self.splitter.strayed() || found < self.width) {
            return self.give_up(span, Flaw::Unclosed.words());
        }
        if found < self.width && !span.ended {
            let words = "the file ends in the middle of this row: it was cut off, or the row lacks cells; export it again";
            return Ok(Step::refused(span.line, words));
        }
        let cells = self.positions.iter().map(|at| self.splitter.cell(*at).map(cut).unwrap_or_default()).collect();
        Ok(Step::Row(Row { line: span.line, cells, short: found < self.width }))
    }

    /// Sets the first line of a span aside and goes back to its second.
    fn give_up(&mut self, span: Span, words: impl Into<String>) -> io::Result<Step> {
        if span.lines > 1 {
            self.lines.go_to(span.second)?;
        }
        Ok(Step::refused(span.line, words))
    }

    /// Puts lines together until they make a record.
    fn assemble(&mut self) -> io::Result<Assembled> {
        self.splitter.restart();
        let mut span: Option<Span> = None;
        loop {
            let Some(line) = self.lines.next(&mut self.bytes)? else {
                let Some(span) = span else { return Ok(Assembled::End) };
                self.cut = Some(self.cut.map_or(span.line, |before| before.min(span.line)));
                return Ok(Assembled::Broken(span, Flaw::CutOff));
            };
            let now = match span {
                None => Span { line: line.number, second: self.lines.mark(), lines: 1, ended: line.ended },
                Some(span) => Span { lines: span.lines + 1, ended: line.ended, ..span },
            };
            if line.too_long {
                return Ok(Assembled::Broken(now, Flaw::LineTooLong));
            }
            let Ok(text) = self.charset.decode(&self.bytes) else {
                return Ok(Assembled::Broken(now, Flaw::Undecodable));
            };
            if span.is_none() && is_blank(&text) {
                return Ok(Assembled::Blank);
            }
            match self.splitter.feed(&text) {
                Fed::Whole => return Ok(Assembled::Whole(now)),
                Fed::Broken(flaw) => return Ok(Assembled::Broken(now, flaw)),
                Fed::Open if now.lines >= RECORD_LINES_MAX => return Ok(Assembled::Broken(now, Flaw::Unclosed)),
                Fed::Open => span = Some(now),
            }
        }
    }
}

impl Flaw {
    fn words(self) -> String {
        match self {
            Self::LineTooLong => format!("the line is longer than {} bytes", crate::line::LINE_BYTES_MAX),
            Self::Undecodable => "the line holds bytes that are no text in the encoding of the file: set `encoding`".to_owned(),
            Self::TooManyCells => format!("the row has more than {CELLS_MAX} cells: set `separator`"),
            Self::Unclosed => format!(
                "a quote opened on this line does not end a cell within {RECORD_LINES_MAX} lines or {RECORD_BYTES_MAX} bytes: \
                 double quotes inside cells, or set `quote`"
            ),
            Self::CutOff => "a quote opened on this line is not closed before the file ends: it was cut off; export it again".to_owned(),
        }
    }
}

/// What came of feeding one line.
enum Fed {
    /// The record is complete.
    Whole,
    /// A quoted cell goes on.
    Open,
    /// No record comes of it.
    Broken(Flaw),
}

/// Takes one record apart into cells.
#[derive(Debug)]
struct Splitter {
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
    fn new(dialect: Dialect) -> Self {
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

    fn restart(&mut self) {
        self.reader.reset();
        self.quoting = Quoting::default();
        (self.text_len, self.ends_len) = (0, 0);
    }

    /// Feeds one line, which holds no line break.
    fn feed(&mut self, line: &str) -> Fed {
        self.quoting.feed(line.as_bytes(), self.dialect);
        self.input.clear();
        self.input.extend_from_slice(line.as_bytes());
        self.input.push(b'\n');
        let wanted = self.text_len + self.input.len() + 1;
        if wanted > RECORD_BYTES_MAX + 2 {
            return Fed::Broken(Flaw::Unclosed);
        }
        if self.text.len() < wanted {
            self.text.resize(wanted, 0);
        }
        let (result, _, text, ends) =
            self.reader.read_record(&self.input, &mut self.text[self.text_len..], &mut self.ends[self.ends_len..]);
        self.text_len += text;
        self.ends_len += ends;
        match result {
            _ if self.ends_len > CELLS_MAX => Fed::Broken(Flaw::TooManyCells),
            ReadRecordResult::Record | ReadRecordResult::End => Fed::Whole,
            ReadRecordResult::InputEmpty => Fed::Open,
            // The text has room for all of the input, so only the cells can be too many.
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => Fed::Broken(Flaw::TooManyCells),
        }
    }

    fn len(&self) -> usize {
        self.ends_len
    }

    fn cell(&self, at: usize) -> Option<&str> {
        let ends = &self.ends[..self.ends_len];
        let end = *ends.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| ends[before]);
        // Separators and quotes are ASCII, so cells of valid text are valid text.
        std::str::from_utf8(self.text.get(start..end)?).ok()
    }

    fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| self.cell(at).unwrap_or_default())
    }

    fn strayed(&self) -> bool {
        self.quoting.strayed
    }

    /// Whether the record is a line such as `sep=;`, which only spreadsheets read.
    fn is_separator_hint(&self) -> bool {
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
    place: Place,
    strayed: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
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
            self.place = match (self.place, *byte) {
                (Place::Start | Place::Closing, byte) if byte == quote => Place::Quoted,
                (Place::Quoted, byte) if byte == quote => Place::Closing,
                (Place::Quoted, _) => Place::Quoted,
                (_, byte) if byte == dialect.separator => Place::Start,
                (Place::Closing, _) => {
                    self.strayed = true;
                    Place::Plain
                }
                (Place::Start | Place::Plain, _) => Place::Plain,
            };
        }
    }
}
