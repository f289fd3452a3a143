//! Output: data to standard output, words to standard error, colour only on a terminal.

use std::io::{self, IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde::Serialize;

use crate::exit::Failure;

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
        calm(writeln!(anstream::stdout(), "{text}"))
    }

    /// Prints data for programs.
    pub(crate) fn object(self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(|error| Failure::of(&error))?;
        calm(writeln!(io::stdout(), "{text}"))
    }

    /// Says something to whoever watches. That it cannot be said is no reason to stop.
    pub(crate) fn say(self, words: impl std::fmt::Display) {
        let _ = writeln!(anstream::stderr(), "{words}");
    }
}

/// A reader that closed the pipe has seen enough.
fn calm(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
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
