//! The export of the shop and its call centre: what such files hold, with what is usually wrong with them.
//!
//! Opt-ins carry a date and a word for where they came from, never a proof. Times have no zone. A withdrawal that the
//! mail platform knows of is not in here.

use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use super::Population;
use super::person::{Person, System};
use super::plot::Plot;

/// One row of the export. Empty text means that the cell is empty.
#[derive(Clone, PartialEq, Eq, Default, Serialize)]
pub struct Row {
    /// The shop's number for the customer.
    pub customer_no: String,
    /// The invented name.
    pub name: String,
    /// The address as somebody typed it; it may be malformed.
    pub email: String,
    /// The telephone number in E.164 form.
    pub phone: String,
    /// The country, ISO 3166-1 alpha-2.
    pub country: String,
    /// When the shop says that the person opted in to the newsletter: a civil date and time without a zone.
    pub newsletter_opt_in: String,
    /// When the shop says that the person opted out of it, likewise.
    pub newsletter_opt_out: String,
    /// Where the opt-in came from, in the shop's words.
    pub source: String,
    /// The date of the last sale.
    pub sale_date: String,
    /// Whether an opt-out was offered at that sale: `yes`, `no` or empty.
    pub opt_out_offered: String,
    /// Whether the call centre may call: `yes`, `no` or empty.
    pub may_call: String,
    /// When the call centre last called, a civil date and time without a zone.
    pub last_call: String,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Row({}, …)", self.customer_no)
    }
}

/// The export could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file could not be created or filled.
    #[error("write the export; check that the folder exists and the disk has room")]
    Io(#[from] io::Error),
    /// A row could not be rendered.
    #[error("render a row of the export")]
    Csv(#[from] csv::Error),
}

pub(super) fn write(population: &Population, path: &Path) -> Result<u64, WriteError> {
    let mut writer = csv::Writer::from_writer(io::BufWriter::new(std::fs::File::create(path)?));
    let mut written = 0;
    for person in population.people() {
        for row in rows(&person) {
            writer.serialize(row)?;
            written += 1;
        }
    }
    writer.flush()?;
    Ok(written)
}

/// The rows of one person. People brought in by two old lists have two.
pub(super) fn rows(person: &Person) -> Vec<Row> {
    let dates = person.dates;
    let opted_in = |at_s, source: &str| Row { newsletter_opt_in: minute(at_s), source: source.into(), ..row(person) };
    match person.plot() {
        Plot::Torn => vec![Row {
            sale_date: day(dates.bought),
            opt_out_offered: "no".into(),
            ..opted_in(dates.imported, "import old shop")
        }],
        Plot::Reimported => vec![opted_in(dates.signed_up, "web form"), opted_in(dates.imported, "import old shop")],
        Plot::LeftLetter | Plot::Bounced | Plot::Complained | Plot::Idn | Plot::Cased | Plot::Malformed => {
            vec![opted_in(dates.signed_up, "web form")]
        }
        Plot::FileOnly => vec![opted_in(dates.signed_up, "paper form")],
        Plot::Unproven if person.draws.file < 60 => vec![opted_in(dates.signed_up, "")],
        Plot::Role => vec![opted_in(dates.signed_up, "trade fair")],
        Plot::CustomerOnly => {
            vec![Row { sale_date: day(dates.bought), opt_out_offered: "yes".into(), ..row(person) }]
        }
        Plot::CallOnly => vec![Row {
            email: String::new(),
            source: "telephone".into(),
            may_call: if person.index().is_multiple_of(3) { "yes" } else { "no" }.into(),
            last_call: minute(dates.left),
            ..row(person)
        }],
        Plot::LeftInCrm | Plot::RemovedByAdmin if person.draws.file < 50 => {
            vec![Row { newsletter_opt_out: minute(dates.left), ..opted_in(dates.signed_up, "web form") }]
        }
        Plot::Proven | Plot::Single if person.draws.file < 35 => vec![opted_in(dates.signed_up, "web form")],
        _ => Vec::new(),
    }
}

fn row(person: &Person) -> Row {
    Row {
        customer_no: person.customer_no().unwrap_or_default(),
        name: format!("{} {}", person.first(), person.last()),
        email: person.spelling(System::File),
        phone: person.phone().unwrap_or_default(),
        country: person.country().into(),
        ..Row::default()
    }
}

fn minute(at_s: i64) -> String {
    civil(at_s, "%Y-%m-%d %H:%M")
}

fn day(at_s: i64) -> String {
    civil(at_s, "%Y-%m-%d")
}

fn civil(at_s: i64, format: &str) -> String {
    let at = Timestamp::from_second(at_s).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime(format).to_string()
}
