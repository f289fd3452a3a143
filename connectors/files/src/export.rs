//! Suppression lists out: who must not be contacted, for systems that take nothing but a file.
//!
//! A digest of an address is found by trying addresses, so a hashed list is personal data as much as a plain one. Cells
//! are quoted where needed and otherwise written as they are: an address that a spreadsheet would take for a formula is
//! still that address.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;
use unisson_consent::{Address, AddressKind};

pub use crate::shape::Shape;
use crate::shape::header;

/// A suppression list could not be written. No part of it is left at its path.
#[derive(Debug, Error)]
pub enum ExportError {
    /// Addresses of several kinds do not go in one list.
    #[error("write a list of {expected} addresses that holds a {found} address: write one list for each kind")]
    Mixed {
        /// The kind of the first address.
        expected: &'static str,
        /// The kind of the one that does not fit.
        found: &'static str,
    },
    /// The system refused; the source says why.
    #[error("write the list: check that the folder exists, may be written to and has room")]
    Io(#[from] io::Error),
    /// The path names no file.
    #[error("write to {}, which names no file: add a file name", path.display())]
    NoFile {
        /// The path.
        path: PathBuf,
    },
}

/// Writes a suppression list: a header, then one address or digest on each line, in the order given. Returns how many.
///
/// The addresses are of one kind. Malformed ones are written too: they are suppressed like any other. An empty list
/// is a list of e-mail addresses.
///
/// ```
/// use unisson_consent::Address;
/// use unisson_files::export::{Shape, write};
/// let entries = [Address::email(" Zed@Example.com").unwrap()];
/// let mut out = Vec::new();
/// assert_eq!(write(&entries, Shape::Md5, &mut out).unwrap(), 1);
/// assert_eq!(out, b"md5_lowercase_trimmed\n0af3c3316e8990df892d23fca7707ea4\n");
/// ```
pub fn write<'a>(
    entries: impl IntoIterator<Item = &'a Address>,
    shape: Shape,
    out: impl Write,
) -> Result<u64, ExportError> {
    let mut entries = entries.into_iter().peekable();
    let kind = entries.peek().map_or(AddressKind::Email, |first| first.kind());
    let mut out = csv::Writer::from_writer(out);
    out.write_record([header(kind, shape)]).map_err(io_error)?;
    let mut written = 0;
    for address in entries {
        if address.kind() != kind {
            return Err(ExportError::Mixed { expected: kind.as_str(), found: address.kind().as_str() });
        }
        out.write_record([shape.write(address)]).map_err(io_error)?;
        written += 1;
    }
    out.flush()?;
    Ok(written)
}

/// Writes a suppression list to a file, whole or not at all: it is written beside its path, flushed to the disk, and
/// then takes the place of what was there. Only its owner can read it. It blocks.
pub fn write_file<'a>(
    path: &Path,
    entries: impl IntoIterator<Item = &'a Address>,
    shape: Shape,
) -> Result<u64, ExportError> {
    if path.file_name().is_none() || path.is_dir() {
        return Err(ExportError::NoFile { path: path.to_owned() });
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    // Hidden, so that a folder that is also read is not read half-written.
    let mut file = tempfile::Builder::new().prefix(".unisson-").suffix(".tmp").tempfile_in(folder)?;
    let written = write(entries, shape, io::BufWriter::new(file.as_file_mut()))?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)?;
    Ok(written)
}

/// Makes the new name last over a power cut, where folders can be flushed.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        // Nothing else can go wrong with records of one text cell.
        kind => io::Error::other(format!("{kind:?}")),
    }
}

#[cfg(test)]
mod tests {
    use unisson_consent::{Algorithm, HashedAddress, Normalisation};

    use super::*;

    fn text(entries: &[Address], shape: Shape) -> String {
        let mut out = Vec::new();
        write(entries, shape, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn cells_are_quoted_where_needed_and_otherwise_left_as_they_are() {
        let entries = ["=cmd@example.org", "a \"b\", c@example.org"].map(|raw| Address::email(raw).unwrap());
        assert_eq!(text(&entries, Shape::Plain), "email\n=cmd@example.org\n\"a \"\"b\"\", c@example.org\"\n");
    }

    #[test]
    fn numbers_are_written_and_hashed_in_their_international_form() {
        let entries = [Address::phone("06 12 34 56 78", Some("FR")).unwrap()];
        assert_eq!(text(&entries, Shape::Plain), "phone\n+33612345678\n");
        // The SHA-256 of "+33612345678".
        let expected = HashedAddress::of(&entries[0], &Algorithm::Sha256(Normalisation::TrimLower)).unwrap().hex();
        assert_eq!(text(&entries, Shape::Sha256), format!("sha256_e164\n{expected}\n"));
    }

    #[test]
    fn base64_is_of_the_raw_digest_and_the_header_says_so() {
        let entries = [Address::email("Zed@Example.com").unwrap()];
        assert_eq!(text(&entries, Shape::Md5Base64), "md5_base64_lowercase_trimmed\nCvPDMW6JkN+JLSP8p3B+pA==\n");
        let expected = HashedAddress::of(&entries[0], &Algorithm::Sha256(Normalisation::TrimLower)).unwrap().base64();
        assert_eq!(text(&entries, Shape::Sha256Base64), format!("sha256_base64_lowercase_trimmed\n{expected}\n"));
    }

    #[test]
    fn a_list_of_several_kinds_is_refused_and_an_empty_one_has_its_header() {
        let entries = [Address::email("a@example.org").unwrap(), Address::postal("1 rue Exemple").unwrap()];
        assert!(matches!(write(&entries, Shape::Plain, Vec::new()), Err(ExportError::Mixed { .. })));
        assert_eq!(text(&[], Shape::Plain), "email\n");
    }

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let good = [Address::email("a@example.org").unwrap()];
        let mixed = [good[0].clone(), Address::postal("1 rue Exemple").unwrap()];
        assert_eq!(write_file(&path, &good, Shape::Plain).unwrap(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        write_file(&path, &mixed, Shape::Plain).unwrap_err();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "email\na@example.org\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(matches!(write_file(folder.path(), &good, Shape::Plain), Err(ExportError::NoFile { .. })));
        assert!(matches!(write_file(&folder.path().join("no/out.csv"), &good, Shape::Plain), Err(ExportError::Io(_))));
    }
}
