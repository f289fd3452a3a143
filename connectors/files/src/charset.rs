//! Which encoding a file is in, and text out of bytes. Nothing is ever replaced: bytes that do not decode are said so.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE};

use crate::line::{Lines, Mark, Unit};

/// How much of a file is looked at to see whether it is UTF-8. Lines further down that are not are set aside.
const UTF8_LOOK_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// How much text beyond ASCII is enough to tell older encodings apart.
const GUESS_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How an encoding is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// The file begins with a byte order mark.
    Marked,
    /// Settings say so.
    Declared,
    /// The bytes look like it.
    Guessed,
}

/// The encoding of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Charset {
    encoding: &'static Encoding,
    /// How many bytes the byte order mark takes.
    pub(crate) mark_bytes: u64,
    /// How it is known.
    pub(crate) known: Known,
}

/// Bytes that are no text in their encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Undecodable;

/// The encoding of this name, in any of the spellings of the WHATWG Encoding Standard.
pub(crate) fn named(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label(label.trim().as_bytes()).filter(|encoding| *encoding != REPLACEMENT)
}

impl Charset {
    /// The encoding of a file: what its byte order mark says, else what settings say, else what its bytes look like.
    pub(crate) fn of(file: &mut (impl Read + Seek), declared: Option<&'static Encoding>) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let mut head = Vec::with_capacity(4);
        file.by_ref().take(4).read_to_end(&mut head)?;
        if let Some((encoding, mark_bytes)) = Encoding::for_bom(&head) {
            return Ok(Self { encoding, mark_bytes: mark_bytes as u64, known: Known::Marked });
        }
        if let Some(encoding) = declared {
            return Ok(Self { encoding, mark_bytes: 0, known: Known::Declared });
        }
        file.seek(SeekFrom::Start(0))?;
        Ok(Self { encoding: guess(file)?, mark_bytes: 0, known: Known::Guessed })
    }

    /// The encoding that a cursor names.
    pub(crate) fn remembered(name: &str, mark_bytes: u64) -> Option<Self> {
        Some(Self { encoding: named(name)?, mark_bytes, known: Known::Declared })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &'static str {
        self.encoding.name()
    }

    /// Where the first line begins: after the byte order mark.
    pub(crate) fn top(&self) -> Mark {
        Mark { offset: self.mark_bytes, number: 1 }
    }

    /// How wide its units are.
    pub(crate) fn unit(&self) -> Unit {
        match self.encoding {
            encoding if encoding == UTF_16LE => Unit::Little,
            encoding if encoding == UTF_16BE => Unit::Big,
            _ => Unit::Byte,
        }
    }

    /// The text that these bytes of one line are.
    pub(crate) fn decode<'b>(&self, bytes: &'b [u8]) -> Result<Cow<'b, str>, Undecodable> {
        let (text, damaged) = self.encoding.decode_without_bom_handling(bytes);
        if damaged { Err(Undecodable) } else { Ok(text) }
    }
}

impl fmt::Display for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        f.write_str(match self.known {
            Known::Marked => " (byte order mark)",
            Known::Declared => " (as set)",
            Known::Guessed => " (detected)",
        })
    }
}

/// UTF-8 where most lines beyond ASCII are valid UTF-8: text in an older encoding almost never is, and one damaged line
/// must not turn a whole file of names and addresses into another alphabet.
fn guess(file: &mut impl Read) -> io::Result<&'static Encoding> {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut lines = Lines::new(file.take(UTF8_LOOK_BYTES_MAX), Unit::Byte, Mark { offset: 0, number: 1 });
    let (mut valid, mut invalid, mut fed) = (0_u64, 0_u64, 0);
    let mut bytes = Vec::new();
    while lines.next(&mut bytes)?.is_some() {
        if bytes.is_ascii() {
            continue;
        }
        if std::str::from_utf8(&bytes).is_ok() {
            valid += 1;
        } else {
            invalid += 1;
        }
        if fed < GUESS_BYTES_MAX {
            detector.feed(&bytes, false);
            detector.feed(b"\n", false);
            fed += bytes.len();
        }
    }
    if valid > invalid || invalid == 0 {
        return Ok(UTF_8);
    }
    detector.feed(&[], true);
    Ok(detector.guess(None, Utf8Detection::Deny))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Charset {
        Charset::of(&mut io::Cursor::new(bytes), None).unwrap()
    }

    #[test]
    fn a_byte_order_mark_is_believed_before_settings() {
        let mut file = io::Cursor::new(b"\xff\xfea\0".to_vec());
        let charset = Charset::of(&mut file, named("windows-1252")).unwrap();
        assert_eq!((charset.name(), charset.mark_bytes, charset.unit()), ("UTF-16LE", 2, Unit::Little));
    }

    #[test]
    fn ascii_and_utf_8_are_utf_8() {
        assert_eq!(of(b"email\nada@example.org\n").name(), "UTF-8");
        assert_eq!(of("Stra\u{df}e\n".as_bytes()).name(), "UTF-8");
        assert_eq!(of(b"").name(), "UTF-8");
    }

    #[test]
    fn western_text_without_mark_is_recognised() {
        let (bytes, _, _) =
            encoding_rs::WINDOWS_1252.encode("email;pr\u{e9}nom\nzoe@example.org;Zo\u{e9}\n\u{e0} bient\u{f4}t\n");
        assert_eq!(of(&bytes).name(), "windows-1252");
    }

    #[test]
    fn one_damaged_line_does_not_turn_a_utf_8_file_into_another_alphabet() {
        let mut bytes = "Ren\u{e9}e\n".repeat(20).into_bytes();
        bytes.extend_from_slice(b"Zo\xe9\n");
        let charset = of(&bytes);
        assert_eq!(charset.name(), "UTF-8");
        assert_eq!(charset.decode(b"Zo\xe9"), Err(Undecodable));
    }

    #[test]
    fn encodings_that_hide_text_have_no_name() {
        assert_eq!(named("hz-gb-2312"), None);
        assert_eq!(named("ebcdic"), None);
        assert_eq!(named(" Latin1 ").map(Encoding::name), Some("windows-1252"));
    }
}
