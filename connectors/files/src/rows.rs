//! A file opened: how it is written, and its rows from a place on.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use encoding_rs::Encoding;
use unisson_connector::{Error, ErrorKind, Field, FieldValue, Result};
use unisson_sdk::{BuildError, flatten};

use crate::charset::{self, Charset};
use crate::fingerprint::Fingerprint;
use crate::folder::{FILE_BYTES_MAX, Source, unreachable};
use crate::header;
use crate::line::Mark;
use crate::mapping::Columns;
use crate::objects::Objects;
use crate::row::Step;
use crate::separator::{Wanted, detect};
use crate::settings::{Format, Settings};
use crate::splitter::Dialect;
use crate::table::{Header, Table};

const HEADER: &str = "read the header of a file";

/// What settings say of how files are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Script {
    pub(crate) encoding: Option<&'static Encoding>,
    pub(crate) separator: Option<u8>,
    pub(crate) quote: Option<u8>,
    pub(crate) header: bool,
}

/// How one file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) charset: Charset,
    /// The separator, in delimited text.
    pub(crate) separator: Option<u8>,
}

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) mark: Mark,
    pub(crate) cut: Option<u64>,
}

/// The rows of one file.
#[derive(Debug)]
pub(crate) enum Rows {
    Table(Box<Table<File>>),
    Objects(Objects<File>),
}

/// The first row of delimited text; `None` where there is none. The file is left at an arbitrary place.
pub(crate) fn first_row(file: &mut File, form: Form, script: Script) -> Result<Option<Vec<String>>> {
    let Some(separator) = form.separator else {
        let words = "a preset recognises delimited text only: map the keys of objects in an instance of its own";
        return Err(Error::new(ErrorKind::Config, HEADER).because(words));
    };
    let table = Table::new(file, form.charset, Dialect { separator, quote: script.quote });
    cells(&mut table.map_err(|error| unreachable(error, HEADER))?)
}

/// The cells of the first row; `None` where there is none.
fn cells(table: &mut Table<impl Read + Seek>) -> Result<Option<Vec<String>>> {
    let refused = |words: &'static str| Err(Error::new(ErrorKind::Config, HEADER).because(words));
    match table.header().map_err(|error| unreachable(error, HEADER))? {
        Header::Cells(first) if first.iter().any(|cell| cell.contains('\0')) => {
            refused("the first row holds NUL bytes, as UTF-16 without a byte order mark does: set `encoding`")
        }
        Header::Cells(first) => Ok(Some(first)),
        Header::Nothing => Ok(None),
        Header::Unreadable => refused("the first row cannot be read: set `encoding`, `separator` or `quote`"),
    }
}

/// Opens a file and looks at it.
pub(crate) fn open(path: &Path) -> Result<(File, Fingerprint)> {
    let during = "open a file";
    let mut file = File::open(path).map_err(|error| unreachable(error, during))?;
    let metadata = file.metadata().map_err(|error| unreachable(error, during))?;
    if metadata.len() > FILE_BYTES_MAX {
        return Err(Error::new(ErrorKind::Bounds, during)
            .with("bytes at most", FILE_BYTES_MAX)
            .because("split the file"));
    }
    let fingerprint = Fingerprint::of(&mut file, &metadata).map_err(|error| unreachable(error, during))?;
    Ok((file, fingerprint))
}

impl Script {
    /// What settings say, if it makes sense.
    pub(crate) fn of(settings: &Settings) -> std::result::Result<Self, BuildError> {
        let encoding = match &settings.encoding {
            None => None,
            Some(label) => Some(charset::named(label).ok_or_else(|| {
                BuildError::new("encoding", "no known encoding: write a name such as \"utf-8\" or \"windows-1252\"")
            })?),
        };
        let separator = match settings.separator.as_deref() {
            None => None,
            Some("tab") => Some(b'\t'),
            Some(text) => Some(character(text, "separator")?),
        };
        let quote = match settings.quote.as_deref() {
            None => Some(b'"'),
            Some("none") => None,
            Some(text) => Some(character(text, "quote")?),
        };
        if separator.is_some() && separator == quote {
            return Err(BuildError::new("quote", "the same as `separator`: they must differ"));
        }
        Ok(Self { encoding, separator, quote, header: settings.header })
    }
}

/// The one character of a text, which no line break may be.
fn character(text: &str, key: &str) -> std::result::Result<u8, BuildError> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Ok(*byte),
        _ => Err(BuildError::new(key, "not one ASCII character: write it as it stands in the file")),
    }
}

impl Form {
    /// How a file is written: what settings say, else what it looks like.
    pub(crate) fn of(file: &mut File, source: &Source, script: Script, names: &[String]) -> Result<Self> {
        let failed = |error| unreachable(error, "look at how a file is written");
        let charset = Charset::of(file, script.encoding).map_err(failed)?;
        let separator = match (source.format, script.separator) {
            (Format::Jsonl, _) => None,
            (Format::Csv, Some(separator)) => Some(separator),
            (Format::Csv, None) => {
                let wanted = Wanted { names, header: script.header };
                Some(detect(file, charset, script.quote, wanted).map_err(failed)?)
            }
        };
        Ok(Self { charset, separator })
    }
}

impl Rows {
    /// The rows of a file from its first one on. Every column in use must be there; a file without anything in it has no
    /// rows.
    pub(crate) fn of(file: File, form: Form, script: Script, columns: &Columns) -> Result<Self> {
        let failed = |error| unreachable(error, HEADER);
        let top = form.charset.top();
        let Some(separator) = form.separator else {
            let mut objects = Objects::new(file, form.charset, columns.names().to_vec());
            objects.go_to(top, None).map_err(failed)?;
            return Ok(Self::Objects(objects));
        };
        let mut table = Table::new(file, form.charset, Dialect { separator, quote: script.quote }).map_err(failed)?;
        let Some(first) = cells(&mut table)? else { return Ok(Self::Table(Box::new(table))) };
        let mut positions = Vec::with_capacity(columns.names().len());
        for (name, place) in columns.placed() {
            let found = place.map_or_else(|| header::find(&first, script.header, name), Ok);
            positions.push(
                found.map_err(|missing| Error::new(ErrorKind::Config, HEADER).with("column", name).because(missing))?,
            );
        }
        let rows = if script.header { table.mark() } else { top };
        table.begin(positions, rows).map_err(failed)?;
        Ok(Self::Table(Box::new(table)))
    }

    /// Goes on from another place.
    pub(crate) fn go_to(&mut self, start: Start) -> Result<()> {
        let moved = match self {
            Self::Table(table) => table.go_to(start.mark, start.cut),
            Self::Objects(objects) => objects.go_to(start.mark, start.cut),
        };
        moved.map_err(|error| unreachable(error, "go on reading a file"))
    }

    /// Where the next row begins.
    pub(crate) fn mark(&self) -> Mark {
        match self {
            Self::Table(table) => table.mark(),
            Self::Objects(objects) => objects.mark(),
        }
    }

    /// The line at which the file was cut off, as far as was read.
    pub(crate) fn cut(&self) -> Option<u64> {
        match self {
            Self::Table(table) => table.cut(),
            Self::Objects(objects) => objects.cut(),
        }
    }

    /// Every field of the row that was read last, also of columns that are not in use. Without a header, columns are called
    /// by their numbers.
    pub(crate) fn fields(&self, header: bool, during: &'static str) -> Result<Vec<Field>> {
        match self {
            Self::Table(table) => {
                let field = |(place, (name, cell)): (usize, (Option<&str>, &str))| {
                    let name = name.map(|name| name.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}'));
                    let name = name.filter(|name| header && !name.is_empty()).map(str::to_owned);
                    let name = name.unwrap_or_else(|| (place + 1).to_string()).replace('~', "~0").replace('/', "~1");
                    let value =
                        if cell.trim().is_empty() { FieldValue::Empty } else { FieldValue::Text(cell.to_owned()) };
                    Field { path: format!("/{name}"), value }
                };
                Ok(table.cells().enumerate().map(field).collect())
            }
            Self::Objects(objects) => flatten(&objects.text().unwrap_or_default(), during),
        }
    }

    /// The next step through the file.
    pub(crate) fn step(&mut self) -> Result<Step> {
        let step = match self {
            Self::Table(table) => table.step(),
            Self::Objects(objects) => objects.step(),
        };
        step.map_err(|error| unreachable(error, "read a file"))
    }
}
