//! Files with people in them that were handed out: an erasure names their recipients (art. 19).
//!
//! The list lies beside the store, one line of JSON for each file, and names no person.

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::compose::Site;
use crate::exit::Failure;

/// The name of the list.
const LIST: &str = "handed-out.jsonl";

/// Who gets a file where nobody was named.
const UNNAMED: &str = "a recipient that was not named";

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct File {
    /// When it was written.
    pub(crate) at: Timestamp,
    /// For whom.
    pub(crate) recipient: String,
    /// What is in it, in words.
    pub(crate) what: String,
    /// How many people.
    pub(crate) people: u64,
}

/// Remembers a file that was written for somebody.
pub(crate) fn remember(site: &Site, recipient: Option<&str>, what: &str, people: u64) -> Result<(), Failure> {
    let recipient = recipient.unwrap_or(UNNAMED).to_owned();
    let file = File { at: Timestamp::now(), recipient, what: what.to_owned(), people };
    let line = serde_json::to_string(&file).map_err(|error| Failure::of(&error))?;
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let failed = |error: std::io::Error| {
        Failure::of(&error).next(format!("make {} writable: recipients of files must be known", path(site).display()))
    };
    let mut list = options.open(path(site)).map_err(failed)?;
    list.write_all(format!("{line}\n").as_bytes()).and_then(|()| list.sync_all()).map_err(failed)
}

/// Every file that was handed out, oldest first.
pub(crate) fn read(site: &Site) -> Result<Vec<File>, Failure> {
    let list = match std::fs::File::open(path(site)) {
        Ok(list) => list,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::of(&error)),
    };
    let mut files = Vec::new();
    for (number, line) in (1..).zip(std::io::BufReader::new(list).lines()) {
        let file = serde_json::from_str(&line?).map_err(|error| {
            Failure::new(format!("{}, line {number}: {error}", path(site).display()))
                .next("put the line right, or back")
        })?;
        files.push(file);
    }
    Ok(files)
}

fn path(site: &Site) -> PathBuf {
    site.store_path().with_file_name(LIST)
}
