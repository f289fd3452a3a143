//! Output: data to standard output, words to standard error, colour only on a terminal.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde::Serialize;

use crate::exit::Failure;

/// The longest text of others that a cell of a table shows, in characters: as long as an e-mail address can be.
const CELL_CHARS_MAX: usize = 254;

/// How a command speaks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    /// Whether data is printed as JSON.
    pub(crate) json: bool,
    /// Whether progress is shown.
    pub(crate) progress: bool,
}

/// Emphasised words.
pub(crate) const BOLD: Style = Style::new().bold();
/// What is fine.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What somebody should look at.
pub(crate) const CARE: Style = AnsiColor::Yellow.on_default();
/// What is wrong or forbidden.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// What can be skipped.
pub(crate) const FAINT: Style = Style::new().dimmed();

#[expect(clippy::unused_self, reason = "a command speaks through the screen it was given")]
impl Screen {
    /// A screen as the flags ask for it.
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        Self { json, progress: !quiet && !json && io::stderr().is_terminal() }
    }

    /// Prints data for people.
    pub(crate) fn data(self, text: impl std::fmt::Display) -> Result<(), Failure> {
        calm(writeln!(anstream::stdout(), "{}", harmless(&text.to_string())))
    }

    /// Prints data for programs.
    pub(crate) fn object(self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(|error| Failure::of(&error))?;
        calm(writeln!(io::stdout(), "{text}"))
    }

    /// Says something to whoever watches. That it cannot be said is no reason to stop.
    pub(crate) fn say(self, words: impl std::fmt::Display) {
        let _ = writeln!(anstream::stderr(), "{}", harmless(&words.to_string()));
    }
}

/// A reader that closed the pipe has seen enough.
fn calm(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Text that does nothing to a terminal but to be shown, in colour where it is: addresses, names of lists and file names
/// are the words of others.
fn harmless(text: &str) -> Cow<'_, str> {
    let moves = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(moves) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if moves(c) && !(c == '\u{1b}' && is_colour(&text[at + 1..])) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Whether what follows an escape sets nothing but colour and weight (ECMA-48, 8.3.117).
fn is_colour(text: &str) -> bool {
    let parameters = text.strip_prefix('[').and_then(|rest| rest.split_once('m')).map(|(parameters, _)| parameters);
    parameters.is_some_and(|parameters| parameters.bytes().all(|byte| byte.is_ascii_digit() || byte == b';'))
}

/// Text in a style, for a stream that drops it where there is no terminal.
pub(crate) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A table without lines: the first row is its head.
pub(crate) fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if !io::stdout().is_terminal() {
        // Whoever reads a pipe wants whole lines.
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    table.set_header(head.iter().map(|word| paint(BOLD, word)));
    table
}

/// Sets columns of figures to the right.
pub(crate) fn figures(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// Text as a cell of a table shows it: one that has no end must not widen everybody's row.
pub(crate) fn brief(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(CELL_CHARS_MAX) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// A number as people read it: 12 345.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// A moment as people read it, in UTC to the second.
pub(crate) fn moment(at: jiff::Timestamp) -> String {
    jiff::tz::TimeZone::UTC.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A day as people read it, in UTC.
pub(crate) fn day(at: jiff::Timestamp) -> String {
    jiff::tz::TimeZone::UTC.to_datetime(at).date().to_string()
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_move_no_cursor_and_colours_stay() {
        let shown = harmless("\u{1b}[1mbold\u{1b}[0m\tx\n\u{1b}[2J\u{7}\u{9b}2J\u{1b}]0;title\r");
        assert_eq!(shown, "\u{1b}[1mbold\u{1b}[0m\tx\n\\u{1b}[2J\\u{7}\\u{9b}2J\\u{1b}]0;title\\u{d}");
        assert!(matches!(harmless(&paint(BOLD, "a")), Cow::Owned(text) if text == paint(BOLD, "a")));
    }
}
