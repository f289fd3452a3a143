//! A folder with files and a connector on it: the one place where these tests touch the interface.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use unisson_connector::{Account, Connector, Cursor, Cx, Error, Next, Observation, Page, Pull, Reject, StreamId};
use unisson_files::Files;

/// The most pages a test reads of one file.
const PAGES_MAX: usize = 10_000;

/// A temporary folder.
pub(crate) struct Desk {
    folder: tempfile::TempDir,
}

/// A whole pass over one file.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) observations: Vec<Observation>,
    pub(crate) rejects: Vec<Reject>,
    /// The cursors after each page but the last.
    pub(crate) places: Vec<Cursor>,
    /// Where the next pass begins, or why this one did not end.
    pub(crate) end: Result<Cursor, Error>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// A connector on the folder with these settings beside `path`.
    pub(crate) fn connect(&self, settings: Value) -> Files {
        connect(self.folder.path(), settings)
    }
}

pub(crate) fn connect(path: &Path, mut settings: Value) -> Files {
    settings["path"] = json!(path);
    Files::new(settings).unwrap()
}

/// Settings for files with an address and a yes or no.
pub(crate) fn opted() -> Value {
    json!({
        "columns": { "email": "email" },
        "claims": { "news": {
            "list": "news", "status": "ok", "status_map": { "yes": "subscribed", "no": "unsubscribed" },
        } },
    })
}

pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

pub(crate) fn page(files: &Files, name: &str, from: Option<&Cursor>, run: &str) -> Result<Page, Error> {
    wait(files.page(&Cx { run }, &StreamId(name.to_owned()), from))
}

pub(crate) fn streams(files: &Files) -> Result<Vec<String>, Error> {
    wait(files.streams(&Cx { run: "r" })).map(|streams| streams.into_iter().map(|stream| stream.id.0).collect())
}

pub(crate) fn probe(files: &Files) -> Result<Account, Error> {
    wait(files.probe(&Cx { run: "r" }))
}

/// Reads a file from a place to its end.
pub(crate) fn read_from(files: &Files, name: &str, from: Option<&Cursor>) -> Pass {
    let mut pass = Pass { observations: vec![], rejects: vec![], places: vec![], end: Ok(Cursor(String::new())) };
    let mut at = from.cloned();
    for _ in 0..PAGES_MAX {
        let page = match page(files, name, at.as_ref(), "r") {
            Ok(page) => page,
            Err(error) => {
                pass.end = Err(error);
                return pass;
            }
        };
        pass.observations.extend(page.observations);
        pass.rejects.extend(page.rejects);
        match page.next {
            Next::More(cursor) => {
                pass.places.push(cursor.clone());
                at = Some(cursor);
            }
            Next::End { resume, .. } => {
                pass.end = Ok(resume.unwrap());
                return pass;
            }
        }
    }
    panic!("the pass does not end");
}

pub(crate) fn read(files: &Files, name: &str) -> Pass {
    read_from(files, name, None)
}

/// The addresses of a pass, in order.
pub(crate) fn emails(pass: &Pass) -> Vec<String> {
    pass.observations.iter().flat_map(|observation| observation.who.emails.clone()).collect()
}

/// The rows that were set aside, without the counts of cells that could not be read.
pub(crate) fn set_aside(pass: &Pass) -> Vec<&Reject> {
    pass.rejects.iter().filter(|reject| !reject.place.contains(" lines ")).collect()
}
