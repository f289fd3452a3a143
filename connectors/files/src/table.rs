//! Rows out of delimited text (RFC 4180 and what is usually made of it).
//!
//! A quote that is never closed must not swallow the people after it: a record that spans lines and does not come out
//! right is given up after its first line, and reading goes on with the second.

use std::io::{self, Read, Seek};

use crate::charset::Charset;
use crate::line::{Lines, Mark};
use crate::row::{Row, Step, cut, is_blank};
use crate::splitter::{CELLS_MAX, Dialect, Fed, RECORD_BYTES_MAX, Splitter};

/// The most lines that quoted cells may make one record span.
pub(crate) const RECORD_LINES_MAX: usize = 256;

/// The records of delimited text.
#[derive(Debug)]
pub(crate) struct Table<R> {
    lines: Lines<R>,
    charset: Charset,
    splitter: Splitter,
    /// Where the columns in use are.
    positions: Vec<usize>,
    /// The cells of the first record.
    names: Vec<String>,
    /// How many cells the header has.
    width: usize,
    /// The line where a quote was opened that the file never closes.
    cut: Option<u64>,
    bytes: Vec<u8>,
}

/// What the first record of a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Header {
    /// These cells.
    Cells(Vec<String>),
    /// Nothing: the file is empty.
    Nothing,
    /// Nothing that can be read.
    Unreadable,
}

/// A record as it was assembled.
enum Assembled {
    /// A line without anything.
    Blank,
    /// A record; its cells are with the splitter.
    Whole(Span),
    /// Lines that make no record.
    Broken(Span, Fault),
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
enum Fault {
    LineTooLong,
    Undecodable,
    TooManyCells,
    Unclosed,
    RunsOn,
    CutOff,
}

impl<R: Read + Seek> Table<R> {
    /// Delimited text from the top, before its header is read.
    pub(crate) fn new(input: R, charset: Charset, dialect: Dialect) -> io::Result<Self> {
        let top = charset.top();
        let mut lines = Lines::new(input, charset.unit(), top);
        lines.go_to(top)?;
        let splitter = Splitter::new(dialect);
        Ok(Self {
            lines,
            charset,
            splitter,
            positions: Vec::new(),
            names: Vec::new(),
            width: 0,
            cut: None,
            bytes: Vec::new(),
        })
    }

    /// The first record, for a header. A line such as `sep=;`, which spreadsheets put first, is passed over.
    pub(crate) fn header(&mut self) -> io::Result<Header> {
        for _ in 0..RECORD_LINES_MAX {
            match self.assemble()? {
                Assembled::Blank => {}
                Assembled::Whole(_) if self.splitter.is_separator_hint() => {}
                Assembled::Whole(_) => {
                    self.width = self.splitter.len();
                    self.names = self.splitter.cells().map(cut).collect();
                    return Ok(Header::Cells(self.names.clone()));
                }
                Assembled::Broken(..) => return Ok(Header::Unreadable),
                Assembled::End => return Ok(Header::Nothing),
            }
        }
        Ok(Header::Unreadable)
    }

    /// Says where the columns in use are, and goes to where rows begin.
    pub(crate) fn begin(&mut self, positions: Vec<usize>, at: Mark) -> io::Result<()> {
        self.positions = positions;
        self.go_to(at, None)
    }

    /// Goes to where rows go on.
    pub(crate) fn go_to(&mut self, at: Mark, cut: Option<u64>) -> io::Result<()> {
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
            Assembled::Broken(span, fault) => return self.give_up(span, fault.words()),
            Assembled::Whole(span) => span,
        };
        if self.splitter.cells().all(is_blank) || span.line == 1 && self.splitter.is_separator_hint() {
            return Ok(Step::Blank);
        }
        let found = self.splitter.len();
        if self.splitter.spills(self.width) {
            let words = format!(
                "has {found} cells where the header has {}: put quotes around cells that hold a separator",
                self.width
            );
            return self.give_up(span, words);
        }
        if span.lines > 1 && (self.splitter.strayed() || found < self.width) {
            return self.give_up(span, Fault::Unclosed.words());
        }
        if found < self.width && !span.ended {
            let words =
                "the file ends in the middle of this row: it was cut off, or the row lacks cells; export it again";
            return Ok(Step::refused(span.line, words));
        }
        let cells = self.positions.iter().map(|at| self.splitter.cell(*at).map(cut).unwrap_or_default()).collect();
        Ok(Step::Row(Row { line: span.line, cells, short: found < self.width }))
    }

    /// Every cell of the last row, whether or not its column is in use, with what stands above it in the first record.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        self.splitter.cells().enumerate().map(|(at, cell)| (self.names.get(at).map(String::as_str), cell))
    }

    /// Whether lines that go on will make no row, whatever follows: a file of nothing but quotes would otherwise be read
    /// again from every one of its lines.
    fn is_lost(&self, span: Span) -> bool {
        self.width > 0 && span.lines > 1 && (self.splitter.strayed() || self.splitter.spills(self.width))
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
                return Ok(Assembled::Broken(span, Fault::CutOff));
            };
            let now = match span {
                None => Span { line: line.number, second: self.lines.mark(), lines: 1, ended: line.ended },
                Some(span) => Span { lines: span.lines + 1, ended: line.ended, ..span },
            };
            let alone = now.lines == 1;
            if line.too_long {
                return Ok(Assembled::Broken(now, if alone { Fault::LineTooLong } else { Fault::RunsOn }));
            }
            let Ok(text) = self.charset.decode(&self.bytes) else {
                return Ok(Assembled::Broken(now, if alone { Fault::Undecodable } else { Fault::RunsOn }));
            };
            if span.is_none() && is_blank(&text) {
                return Ok(Assembled::Blank);
            }
            match self.splitter.feed(&text) {
                Fed::Whole => return Ok(Assembled::Whole(now)),
                Fed::TooLong if alone => return Ok(Assembled::Broken(now, Fault::LineTooLong)),
                Fed::TooLong => return Ok(Assembled::Broken(now, Fault::Unclosed)),
                Fed::TooManyCells => return Ok(Assembled::Broken(now, Fault::TooManyCells)),
                Fed::Open if now.lines >= RECORD_LINES_MAX || self.is_lost(now) => {
                    return Ok(Assembled::Broken(now, Fault::Unclosed));
                }
                Fed::Open => span = Some(now),
            }
        }
    }
}

impl Fault {
    fn words(self) -> String {
        match self {
            Self::LineTooLong => format!("the line is longer than {} bytes", crate::line::LINE_BYTES_MAX),
            Self::Undecodable => {
                "the line holds bytes that are no text in the encoding of the file: set `encoding`".to_owned()
            }
            Self::TooManyCells => format!("the row has more than {CELLS_MAX} cells: set `separator`"),
            Self::Unclosed => format!(
                "a quote opened on this line does not end a cell within {RECORD_LINES_MAX} lines or {RECORD_BYTES_MAX} bytes: \
                 double quotes inside cells, or set `quote`"
            ),
            Self::RunsOn => {
                "a quote opened on this line runs into a line that cannot be read: close it, or mend that line"
                    .to_owned()
            }
            Self::CutOff => {
                "a quote opened on this line is not closed before the file ends: it was cut off; export it again"
                    .to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::SeekFrom;
    use std::rc::Rc;

    use super::*;

    /// A file that counts how much of it is read.
    struct Counted(io::Cursor<Vec<u8>>, Rc<Cell<usize>>);

    impl Read for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read(buffer)?;
            self.1.set(self.1.get() + read);
            Ok(read)
        }
    }

    impl Seek for Counted {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn nothing_but_open_quotes_is_read_about_once() {
        for line in ["a\",\"", "a\"b,\"", "\"\"\"", "\"x"] {
            // So long that what one record could span is more than what is at hand.
            let lines = format!("{line}{}\n", "x".repeat(400)).repeat(4_000);
            let text = format!("email,ok\n{lines}ada@example.org,no\n").into_bytes();
            let (size, read) = (text.len(), Rc::new(Cell::new(0)));
            let charset = Charset::of(&mut io::Cursor::new(&text), None).unwrap();
            let dialect = Dialect { separator: b',', quote: Some(b'"') };
            let mut table = Table::new(Counted(io::Cursor::new(text), Rc::clone(&read)), charset, dialect).unwrap();
            table.header().unwrap();
            let rows = table.mark();
            table.begin(vec![0, 1], rows).unwrap();
            let (mut refused, mut last) = (0, None);
            loop {
                match table.step().unwrap() {
                    Step::End => break,
                    Step::Blank => {}
                    Step::Refused(_) => refused += 1,
                    Step::Row(row) => last = Some(row.cells[0].clone()),
                }
            }
            assert!(refused > 1_000 && last.as_deref() == Some("ada@example.org"), "{line:?}: {refused}");
            assert!(read.get() <= 3 * size, "{line:?}: {} of {size} bytes were read", read.get());
        }
    }
}
