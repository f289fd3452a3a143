//! Which files there are. Nothing outside the configured path is ever opened: a stream is looked up among them by name.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use unisson_connector::{Error, ErrorKind, Result, StreamId};

use crate::settings::Format;

/// The most entries of a folder that are looked at.
const ENTRIES_MAX: usize = 100_000;
/// The largest file that is read, in bytes.
pub(crate) const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// Its name, which is the id of its stream.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
}

impl Source {
    /// Its name without its extension.
    pub(crate) fn stem(&self) -> &str {
        Path::new(&self.name).file_stem().and_then(OsStr::to_str).unwrap_or(&self.name)
    }
}

/// The files at a path, in the order of their names: the file itself, or those of the folder that hold rows by their
/// extension. Hidden files and folders within are passed over.
pub(crate) fn sources(path: &Path, format: Option<Format>) -> Result<Vec<Source>> {
    let during = "find the files to read";
    if !is_folder(path, during)? {
        return Ok(vec![only(path, format, during)?]);
    }
    let mut sources = Vec::new();
    for (count, entry) in fs::read_dir(path).map_err(|error| unreachable(error, during))?.enumerate() {
        if count >= ENTRIES_MAX {
            return Err(Error::new(ErrorKind::Bounds, during).with("entries at most", ENTRIES_MAX));
        }
        let entry = entry.map_err(|error| unreachable(error, during))?.path();
        if let Some(found) = holds_rows(&entry) {
            let name = name_of(&entry, during)?;
            sources.push(Source { name, path: entry, format: format.unwrap_or(found) });
        }
    }
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sources)
}

/// The file of a stream.
pub(crate) fn source(path: &Path, format: Option<Format>, stream: &StreamId) -> Result<Source> {
    let during = "find a file";
    let missing = || Error::new(ErrorKind::NotFound, during).because("no file of this name is there any more");
    if !is_folder(path, during)? {
        return Some(only(path, format, during)?).filter(|source| source.name == stream.0).ok_or_else(missing);
    }
    // A name that is more than one step leads out of the folder.
    let plain = Path::new(&stream.0).file_name() == Some(OsStr::new(&stream.0));
    let path = path.join(&stream.0);
    let found = holds_rows(&path).filter(|_| plain).ok_or_else(missing)?;
    Ok(Source { name: stream.0.clone(), path, format: format.unwrap_or(found) })
}

/// Whether a path is a folder; it is a file otherwise.
fn is_folder(path: &Path, during: &'static str) -> Result<bool> {
    let config = |words| Error::new(ErrorKind::Config, during).because(words);
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(true),
        Ok(metadata) if metadata.is_file() => Ok(false),
        Ok(_) => Err(config("`path` is neither a file nor a folder")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(config("nothing is at `path`: create it or name another"))
        }
        Err(error) => Err(unreachable(error, during)),
    }
}

/// The only file of a path that is one.
fn only(path: &Path, format: Option<Format>, during: &'static str) -> Result<Source> {
    let format = format.or_else(|| format_of(path)).ok_or_else(|| {
        Error::new(ErrorKind::Config, during).because("the extension does not say what the file is: set `format`")
    })?;
    Ok(Source { name: name_of(path, during)?, path: path.to_owned(), format })
}

/// What an entry of a folder is made of; `None` where it is hidden or no file of rows.
fn holds_rows(path: &Path) -> Option<Format> {
    let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    let format = format_of(path).filter(|_| !hidden)?;
    // A file that vanished since is none; a link to nowhere neither.
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file()).then_some(format)
}

/// What an error of the file system means to the host.
pub(crate) fn unreachable(error: io::Error, during: &'static str) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        io::ErrorKind::PermissionDenied | io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => {
            ErrorKind::Config
        }
        _ => ErrorKind::Transient,
    };
    Error::new(kind, during).because(error)
}

fn format_of(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "csv" | "tsv" | "txt" => Some(Format::Csv),
        "jsonl" | "ndjson" => Some(Format::Jsonl),
        _ => None,
    }
}

fn name_of(path: &Path, during: &'static str) -> Result<String> {
    let name = path.file_name().and_then(OsStr::to_str);
    name.map(str::to_owned)
        .ok_or_else(|| Error::new(ErrorKind::Config, during).because("a file's name is no text: rename it"))
}
