//! Lines of a file as bytes, each with its place, however long or broken the file is.
//!
//! A line ends at LF, CR LF or a lone CR. None of the encodings in use on files has these bytes inside a character, so
//! lines can be found before anything is decoded; UTF-16 is looked at two bytes at a time.

use std::io::{self, Read, Seek, SeekFrom};

/// The longest line that is read, in bytes. What is longer is passed over and reported.
pub(crate) const LINE_BYTES_MAX: usize = 1024 * 1024;
/// How many bytes are asked of the file at once.
const WINDOW_BYTES: usize = 64 * 1024;

/// How wide a unit of text is, and in which order its bytes stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// One byte, as in every encoding that extends ASCII.
    Byte,
    /// Two bytes, the lower one first.
    Little,
    /// Two bytes, the higher one first.
    Big,
}

impl Unit {
    fn bytes(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Little | Self::Big => 2,
        }
    }

    /// Where the first line break begins in bytes that start on a unit.
    fn find_break(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Byte => bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')),
            Self::Little | Self::Big => {
                bytes.chunks_exact(2).position(|unit| self.is(unit, b'\n') || self.is(unit, b'\r')).map(|at| at * 2)
            }
        }
    }

    /// Whether these bytes begin with this ASCII character.
    fn is(self, bytes: &[u8], character: u8) -> bool {
        match self {
            Self::Byte => bytes.starts_with(&[character]),
            Self::Little => bytes.starts_with(&[character, 0]),
            Self::Big => bytes.starts_with(&[0, character]),
        }
    }
}

/// A place between two lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// How many bytes of the file come before it.
    pub(crate) offset: u64,
    /// The number of the line that begins here, counted from one.
    pub(crate) number: u64,
}

/// One line, apart from its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number, counted from one.
    pub(crate) number: u64,
    /// Whether a line break ended it, rather than the file.
    pub(crate) ended: bool,
    /// Whether it was longer than is read; then no bytes of it are given.
    pub(crate) too_long: bool,
}

/// The lines of a file, one after the other.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    input: R,
    window: Box<[u8]>,
    start: usize,
    end: usize,
    unit: Unit,
    mark: Mark,
}

impl<R: Read> Lines<R> {
    /// The lines of an input that stands at this mark.
    pub(crate) fn new(input: R, unit: Unit, mark: Mark) -> Self {
        Self { input, window: vec![0; WINDOW_BYTES].into_boxed_slice(), start: 0, end: 0, unit, mark }
    }

    /// Where the next line begins.
    pub(crate) fn mark(&self) -> Mark {
        self.mark
    }

    /// The next line, its bytes without the line break in `bytes`; `None` at the end of the file.
    pub(crate) fn next(&mut self, bytes: &mut Vec<u8>) -> io::Result<Option<Line>> {
        bytes.clear();
        let begun = self.mark;
        let mut line = Line { number: begun.number, ended: false, too_long: false };
        loop {
            self.fill(self.unit.bytes())?;
            let window = &self.window[self.start..self.end];
            if window.is_empty() {
                break;
            }
            // Half a unit can only be left over where the file ends in the middle of one.
            let whole = if window.len() < self.unit.bytes() {
                window.len()
            } else {
                window.len() - window.len() % self.unit.bytes()
            };
            let found = self.unit.find_break(&window[..whole]);
            let content = found.unwrap_or(whole);
            line.too_long |= bytes.len() + content > LINE_BYTES_MAX;
            if line.too_long {
                bytes.clear();
            } else {
                bytes.extend_from_slice(&window[..content]);
            }
            self.pass(content);
            if found.is_some() {
                self.pass_break()?;
                line.ended = true;
                break;
            }
        }
        if self.mark.offset == begun.offset {
            return Ok(None);
        }
        self.mark.number += 1;
        Ok(Some(line))
    }

    fn pass(&mut self, bytes: usize) {
        self.start += bytes;
        self.mark.offset += bytes as u64;
    }

    /// Passes the line break that the window begins with.
    fn pass_break(&mut self) -> io::Result<()> {
        let width = self.unit.bytes();
        self.fill(2 * width)?;
        let window = &self.window[self.start..self.end];
        let both = self.unit.is(window, b'\r') && window.get(width..).is_some_and(|rest| self.unit.is(rest, b'\n'));
        self.pass(if both { 2 * width } else { width });
        Ok(())
    }

    /// Sees to it that the window holds at least so many bytes, unless the file ends before.
    fn fill(&mut self, bytes: usize) -> io::Result<()> {
        while self.end - self.start < bytes {
            self.window.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            match self.input.read(&mut self.window[self.end..]) {
                Ok(0) => break,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl<R: Read + Seek> Lines<R> {
    /// Goes to another place of the file. One that was just read is still at hand: quotes that nobody closes make a reader
    /// go back at every line.
    pub(crate) fn go_to(&mut self, mark: Mark) -> io::Result<()> {
        let window_at = self.mark.offset - self.start as u64;
        let back = mark.offset.checked_sub(window_at).and_then(|back| usize::try_from(back).ok());
        if let Some(start) = back.filter(|start| *start < self.end) {
            (self.start, self.mark) = (start, mark);
            return Ok(());
        }
        self.input.seek(SeekFrom::Start(mark.offset))?;
        (self.start, self.end, self.mark) = (0, 0, mark);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOP: Mark = Mark { offset: 0, number: 1 };

    /// Gives one byte at a time, as a slow disk may.
    struct Drip(io::Cursor<Vec<u8>>);

    impl Read for Drip {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let one = buffer.len().min(1);
            self.0.read(&mut buffer[..one])
        }
    }

    fn lines(input: impl Read, unit: Unit) -> Vec<(Vec<u8>, u64, u64, bool)> {
        let mut lines = Lines::new(input, unit, TOP);
        let (mut all, mut bytes) = (Vec::new(), Vec::new());
        while let Some(line) = lines.next(&mut bytes).unwrap() {
            all.push((bytes.clone(), line.number, lines.mark().offset, line.ended));
        }
        all
    }

    #[test]
    fn every_kind_of_line_break_ends_a_line_and_each_line_knows_its_place() {
        let text = b"a\nb\r\nc\rd\n\ne".to_vec();
        let expected = [
            (b"a".to_vec(), 1, 2, true),
            (b"b".to_vec(), 2, 5, true),
            (b"c".to_vec(), 3, 7, true),
            (b"d".to_vec(), 4, 9, true),
            (Vec::new(), 5, 10, true),
            (b"e".to_vec(), 6, 11, false),
        ];
        assert_eq!(lines(io::Cursor::new(text.clone()), Unit::Byte), expected);
        assert_eq!(lines(Drip(io::Cursor::new(text)), Unit::Byte), expected);
    }

    #[test]
    fn wide_units_are_not_taken_apart() {
        // U+0A0D holds both bytes of a line break and is none.
        let text: Vec<u8> = "a\u{a0d}b\r\nc".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let found = lines(Drip(io::Cursor::new(text)), Unit::Big);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].2, 10);
        let odd = lines(io::Cursor::new(vec![b'a', 0, b'\n', 0, b'b']), Unit::Little);
        assert_eq!(odd[1].0, b"b");
    }

    #[test]
    fn a_line_without_end_is_passed_over_and_the_next_one_is_read() {
        let mut text = vec![b'x'; LINE_BYTES_MAX + 1];
        text.extend_from_slice(b"\nnext");
        let mut lines = Lines::new(io::Cursor::new(text), Unit::Byte, TOP);
        let mut bytes = Vec::new();
        assert!(lines.next(&mut bytes).unwrap().unwrap().too_long);
        assert!(bytes.is_empty());
        assert_eq!(lines.next(&mut bytes).unwrap().unwrap().number, 2);
        assert_eq!(bytes, b"next");
    }

    #[test]
    fn going_back_gives_the_same_line_again() {
        let mut lines = Lines::new(io::Cursor::new(b"one\ntwo\nthree".to_vec()), Unit::Byte, TOP);
        let mut bytes = Vec::new();
        lines.next(&mut bytes).unwrap();
        let second = lines.mark();
        lines.next(&mut bytes).unwrap();
        lines.next(&mut bytes).unwrap();
        lines.go_to(second).unwrap();
        assert_eq!(lines.next(&mut bytes).unwrap().unwrap().number, 2);
        assert_eq!(bytes, b"two");
    }

    #[test]
    fn going_anywhere_gives_the_line_that_is_there() {
        let text: Vec<u8> = (0..20_000).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        let mut lines = Lines::new(io::Cursor::new(text), Unit::Byte, TOP);
        let (mut marks, mut bytes) = (vec![TOP], Vec::new());
        while lines.next(&mut bytes).unwrap().is_some() {
            marks.push(lines.mark());
        }
        for place in [19_999, 0, 1, 12_000, 11_999, 3, 12_001, 19_998] {
            lines.go_to(marks[place]).unwrap();
            for after in 0..2.min(20_000 - place) {
                assert_eq!(lines.next(&mut bytes).unwrap().unwrap().number, (place + after + 1) as u64);
                assert_eq!(bytes, format!("line {}", place + after).into_bytes());
            }
        }
    }
}
