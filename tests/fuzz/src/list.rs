//! Lists of refusals of anybody's: every row is somebody or is set aside with its line, and nobody is named.

use std::path::PathBuf;

use unisson_consent::AddressKind;
use unisson_files::import::{Entry, Import, ImportError, Listed, Shape, Spec};

use super::files::put;
use super::silence::{names_nobody, told};

/// Words that lists are made of.
pub const WORDS: &[&[u8]] = &[
    b"email\n",
    b"ada@example.org\n",
    b"+33612345678\n",
    b"0af3c3316e8990df892d23fca7707ea4\n",
    b"CvPDMW6JkN+JLSP8p3B+pA==\n",
    b"md5_lowercase_trimmed\n",
    b"sha256\n",
    b"\"",
    b";",
    b",",
    b"\t",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\xc3",
    b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    b"mobile,email\n",
];

thread_local! {
    static FOLDER: tempfile::TempDir = folder();
}

/// Reads bytes as a list; the first one says what is known of it beforehand.
///
/// # Panics
/// Where a promise is broken.
pub fn run(input: &[u8]) {
    let Some((how, bytes)) = input.split_first() else { return };
    let path: PathBuf = FOLDER.with(|folder| folder.path().join("list.csv"));
    put(&path, bytes);
    let spec = spec(*how);
    let lines = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() as u64 + 1;
    if let Err(error) = read(&path, &spec, lines) {
        names_nobody(&told(&error));
    }
}

fn read(path: &std::path::Path, spec: &Spec, lines: u64) -> Result<(), ImportError> {
    let mut list = Import::open(path, spec)?;
    let shape = list.reading().shape;
    assert!(spec.shape.is_none_or(|wanted| wanted == shape), "a list is read as it was said to be");
    let mut entries = 0;
    while let Some(entry) = list.next_entry()? {
        entries += 1;
        assert!(entries <= lines, "{entries} entries in {lines} lines");
        match entry {
            Entry::Listed(Listed::Address(_)) => assert_eq!(shape, Shape::Plain),
            Entry::Listed(Listed::Digest(digest)) => {
                assert!(matches!(digest.digest.len(), 16 | 20 | 32) && shape != Shape::Plain, "a digest is one");
            }
            Entry::SetAside { line, reason } => {
                assert!((1..=lines).contains(&line), "line {line} of {lines}");
                names_nobody(&reason);
            }
        }
    }
    Ok(())
}

fn spec(how: u8) -> Spec {
    match how % 8 {
        0 | 1 => Spec::default(),
        2 => Spec { shape: Some(Shape::Plain), ..Spec::default() },
        3 => Spec { shape: Some(Shape::Md5), column: Some("1".to_owned()), ..Spec::default() },
        4 => Spec { of: Some(AddressKind::Phone), country: Some("FR".to_owned()), ..Spec::default() },
        5 => Spec { encoding: Some("utf-16be".to_owned()), ..Spec::default() },
        6 => Spec { column: Some("email".to_owned()), separator: Some(b';'), ..Spec::default() },
        _ => Spec { shape: Some(Shape::Sha256Base64), of: Some(AddressKind::Email), ..Spec::default() },
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}
