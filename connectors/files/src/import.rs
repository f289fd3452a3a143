//! Lists of refusals in: addresses or digests of addresses, one on each row, from a file of anybody's.
//!
//! Which column holds them, and in which shape, is read off the content where that is certain, and asked for otherwise: a
//! guess would quietly protect nobody. What cannot be read is handed out with its line, never with what it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::Path;

use thiserror::Error;
use unisson_connector::Error as ReadError;
use unisson_consent::{Address, AddressKind, HashedAddress, Normalisation};

use crate::charset::{self, Charset};
use crate::folder::unreachable;
use crate::header;
use crate::row::{Row, Step, is_blank, is_cut};
use crate::rows;
use crate::separator::{Wanted, detect};
use crate::shape::kind_of_header;
use crate::splitter::Dialect;
use crate::table::{Header, Table};

pub use crate::shape::Shape;

/// How many rows are looked at to see what a list holds.
const SAMPLE_ROWS_MAX: usize = 1000;

/// What is said of a list beforehand. What is left out is read off the list.
#[derive(Debug, Clone, Default)]
pub struct Spec {
    /// How its addresses are written.
    pub shape: Option<Shape>,
    /// Of what kind they are; digests of which nothing else is known are of e-mail addresses.
    pub of: Option<AddressKind>,
    /// How they were spelt before they were hashed: trimmed and in lower case, where nothing else is said.
    pub spelling: Option<Normalisation>,
    /// The column, by its name or its number from one.
    pub column: Option<String>,
    /// The country of numbers in national form, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// The encoding, by any name of the WHATWG Encoding Standard.
    pub encoding: Option<String>,
    /// The character between cells.
    pub separator: Option<u8>,
}

/// How a list is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// How its addresses are written.
    pub shape: Shape,
    /// Of what kind they are; `None` where plain ones say it themselves.
    pub of: Option<AddressKind>,
    /// How they were spelt before they were hashed.
    pub spelling: Normalisation,
    /// The number of the column, from one.
    pub column: usize,
    /// Whether the first row is a header.
    pub header: bool,
    /// The encoding.
    pub encoding: &'static str,
}

/// One row of a list.
#[derive(Debug, PartialEq, Eq)]
pub enum Entry {
    /// Somebody.
    Listed(Listed),
    /// A row that could not be read.
    SetAside {
        /// The number of its first line.
        line: u64,
        /// Why, in words that say what to mend.
        reason: String,
    },
}

/// Whom a row names.
#[derive(Debug, PartialEq, Eq)]
pub enum Listed {
    /// Whoever has this address.
    Address(Address),
    /// Whoever has an address of this digest.
    Digest(HashedAddress),
}

/// A list cannot be read.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The file cannot be read; the source says why.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// No such encoding.
    #[error("read the list: its encoding has no known name")]
    Encoding,
    /// The first row is none.
    #[error("read the list: its first row cannot be read as text in cells")]
    FirstRow,
    /// There is no such column.
    #[error("read the list: {0}")]
    Column(String),
    /// Nothing in it is an address or a digest for certain.
    #[error("read the list: no column holds addresses, numbers in international form or digests for certain")]
    Unrecognised,
    /// Several columns hold something.
    #[error("read the list: columns {0} all hold addresses or digests, and which one counts is not certain")]
    Ambiguous(String),
    /// A column holds several things.
    #[error("read the list: column {column} holds {found}, so what the rest of it holds is not certain")]
    Mixed {
        /// Its number.
        column: usize,
        /// What it holds.
        found: String,
    },
    /// It ends in the middle of a row.
    #[error("read the list to its end: what begins on line {0} does not end before the file does, it was cut off")]
    CutOff(u64),
}

/// A list under way, row by row; no more than one row is held.
#[derive(Debug)]
pub struct Import {
    table: Table<File>,
    reading: Reading,
    country: Option<String>,
}

/// What a cell may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Mail,
    Phone,
    Digest(Shape),
}

/// What the first rows hold.
struct Sample {
    first: Vec<String>,
    /// Whether the first row names columns rather than somebody.
    header: bool,
    rows: usize,
    /// What each column holds, beside what is nothing.
    columns: BTreeMap<usize, BTreeSet<Sort>>,
}

impl Import {
    /// Opens a list and works out how it is read. It blocks.
    pub fn open(path: &Path, spec: &Spec) -> Result<Self, ImportError> {
        let failed = |error| unreachable(error, "look at how a list is written");
        let encoding = match &spec.encoding {
            Some(label) => Some(charset::named(label).ok_or(ImportError::Encoding)?),
            None => None,
        };
        let (mut file, _) = rows::open(path)?;
        let charset = Charset::of(&mut file, encoding).map_err(failed)?;
        let separator = match spec.separator {
            Some(separator) => separator,
            None => detect(&mut file, charset, Some(b'"'), Wanted { names: &[], header: false }).map_err(failed)?,
        };
        let mut table = Table::new(file, charset, Dialect { separator, quote: Some(b'"') }).map_err(failed)?;
        let sample = Sample::take(&mut table, charset, spec)?;
        let reading = sample.reading(spec, charset.name())?;
        let top = charset.top();
        table.begin(vec![reading.column - 1], top).map_err(failed)?;
        if reading.header {
            table.header().map_err(failed)?;
        }
        Ok(Self { table, reading, country: spec.country.clone() })
    }

    /// How it is read.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// The next row; `None` at the proven end of the list. It blocks.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, ImportError> {
        loop {
            let step = self.table.step().map_err(|error| unreachable(error, "read a list"))?;
            return Ok(Some(match step {
                Step::Blank => continue,
                Step::End => match self.table.cut() {
                    Some(line) => return Err(ImportError::CutOff(line)),
                    None => return Ok(None),
                },
                Step::Refused(refused) => Entry::SetAside { line: refused.line, reason: refused.reason },
                Step::Row(row) => match self.listed(&row) {
                    Ok(listed) => Entry::Listed(listed),
                    Err(reason) => Entry::SetAside { line: row.line, reason },
                },
            }));
        }
    }

    fn listed(&self, row: &Row) -> Result<Listed, String> {
        let Reading { shape, of, spelling, column, .. } = &self.reading;
        let raw = row.cells.first().map_or("", String::as_str);
        let cell = bare(raw);
        if cell.is_empty() {
            return Err(format!("column {column} is empty"));
        }
        if is_cut(raw) {
            return Err(format!("column {column} is longer than any address: look for a missing quote"));
        }
        if let Some(algorithm) = shape.algorithm(*spelling) {
            let digest =
                shape.read(cell).ok_or_else(|| format!("column {column} holds no digest, {}", shape.words()))?;
            let kind = of.unwrap_or(AddressKind::Email);
            return Ok(Listed::Digest(HashedAddress { kind, algorithm, digest }));
        }
        let kind = of.unwrap_or(if cell.contains('@') { AddressKind::Email } else { AddressKind::Phone });
        // A malformed e-mail address is still somebody's; what has no @ is none.
        let whole = |address: &Address| match kind {
            AddressKind::Email => cell.contains('@'),
            AddressKind::Phone | AddressKind::Postal => address.defect().is_none(),
        };
        let country = self.country.as_deref().filter(|_| of.is_some());
        let address = Address::of_kind(kind, cell, country).filter(whole);
        address.map(Listed::Address).ok_or_else(|| {
            let wanted = match of {
                Some(AddressKind::Email) => "no e-mail address",
                Some(_) => "no telephone number",
                None => "neither an e-mail address nor a telephone number in international form",
            };
            format!("column {column} holds {wanted}")
        })
    }
}

impl Sample {
    fn take(table: &mut Table<File>, charset: Charset, spec: &Spec) -> Result<Self, ImportError> {
        let failed = |error: io::Error| unreachable(error, "look into a list");
        let first = match table.header().map_err(failed)? {
            Header::Cells(first) => first,
            Header::Nothing => Vec::new(),
            Header::Unreadable => return Err(ImportError::FirstRow),
        };
        if first.iter().any(|cell| cell.contains('\0')) {
            return Err(ImportError::FirstRow);
        }
        let names_columns = first.iter().all(|cell| Sort::of(bare(cell), spec).is_none());
        let mut sample = Self { header: !first.is_empty() && names_columns, first, rows: 0, columns: BTreeMap::new() };
        let rows_from = if sample.header { table.mark() } else { charset.top() };
        table.begin((0..sample.first.len()).collect(), rows_from).map_err(failed)?;
        while sample.rows < SAMPLE_ROWS_MAX {
            match table.step().map_err(failed)? {
                Step::End => break,
                Step::Blank => {}
                Step::Refused(_) => sample.rows += 1,
                Step::Row(row) => sample.count(&row, spec),
            }
        }
        Ok(sample)
    }

    fn count(&mut self, row: &Row, spec: &Spec) {
        self.rows += 1;
        for (column, cell) in row.cells.iter().enumerate() {
            if let Some(sort) = Sort::of(bare(cell), spec) {
                self.columns.entry(column).or_default().insert(sort);
            }
        }
    }

    fn reading(&self, spec: &Spec, encoding: &'static str) -> Result<Reading, ImportError> {
        let column = self.column(spec)?;
        let nothing = BTreeSet::new();
        let found = self.columns.get(&column).unwrap_or(&nothing);
        let shapes: BTreeSet<Shape> = found.iter().map(|sort| sort.shape()).collect();
        let shape = match (spec.shape, shapes.len()) {
            (Some(shape), _) => shape,
            (None, 1) => shapes.first().copied().unwrap_or(Shape::Plain),
            (None, 0) if self.rows == 0 => Shape::Plain,
            (None, 0) => return Err(ImportError::Unrecognised),
            (None, _) => {
                let words: Vec<&str> = shapes.iter().map(|shape| shape.words()).collect();
                let found = format!("addresses {}", words.join(" and "));
                return Err(ImportError::Mixed { column: column + 1, found });
            }
        };
        let named = self.first.get(column).filter(|_| self.header).and_then(|name| kind_of_header(name));
        let of = match shape {
            Shape::Plain => spec.of,
            _ => spec.of.or(named).or(Some(AddressKind::Email)),
        };
        let spelling = spec.spelling.unwrap_or(Normalisation::TrimLower);
        Ok(Reading { shape, of, spelling, column: column + 1, header: self.header, encoding })
    }

    /// Which column counts, from zero.
    fn column(&self, spec: &Spec) -> Result<usize, ImportError> {
        let width = self.first.len();
        if let Some(name) = &spec.column {
            let numbered = name.parse::<usize>().ok().and_then(|number| number.checked_sub(1)).filter(|at| *at < width);
            return match (header::find(&self.first, true, name), numbered) {
                (Ok(at), _) if self.header => Ok(at),
                (_, Some(at)) => Ok(at),
                (Err(missing), None) if self.header => Err(ImportError::Column(missing.to_string())),
                _ => Err(ImportError::Column(format!(
                    "its first row names no columns: write a number from 1 to {width}"
                ))),
            };
        }
        let candidates: Vec<usize> = self.columns.keys().copied().collect();
        match candidates[..] {
            [only] => Ok(only),
            [] if self.rows == 0 || (width == 1 && spec.shape.is_some()) => Ok(0),
            [] => Err(ImportError::Unrecognised),
            _ => {
                let numbers: Vec<String> = candidates.iter().map(|at| (at + 1).to_string()).collect();
                Err(ImportError::Ambiguous(numbers.join(", ")))
            }
        }
    }
}

impl Sort {
    /// What a cell holds, for certain or as far as it was said beforehand; `None` for anything else.
    fn of(cell: &str, spec: &Spec) -> Option<Self> {
        match spec.shape {
            Some(Shape::Plain) => Self::plain(cell, spec.of),
            Some(shape) => shape.read(cell).map(|_| Self::Digest(shape)),
            None => Self::plain(cell, spec.of).or_else(|| Shape::recognise(cell).map(Self::Digest)),
        }
    }

    fn plain(cell: &str, of: Option<AddressKind>) -> Option<Self> {
        let is_mail = || cell.contains('@') && Address::email(cell).is_some_and(|address| address.defect().is_none());
        let is_phone = || cell.starts_with('+') && Address::phone(cell, None).is_some_and(|one| one.defect().is_none());
        let has_digits = || cell.bytes().filter(u8::is_ascii_digit).count() >= 5 && !cell.contains('@');
        match of {
            Some(AddressKind::Email) => is_mail().then_some(Self::Mail),
            Some(_) => has_digits().then_some(Self::Phone),
            None if is_mail() => Some(Self::Mail),
            None => is_phone().then_some(Self::Phone),
        }
    }

    fn shape(self) -> Shape {
        match self {
            Self::Mail | Self::Phone => Shape::Plain,
            Self::Digest(shape) => shape,
        }
    }
}

/// A cell without outer spaces and marks; empty where it shows nothing.
fn bare(cell: &str) -> &str {
    if is_blank(cell) { "" } else { cell.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}') }
}
