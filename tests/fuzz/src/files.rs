//! Files of anybody's, as tables and as JSON lines: every row is read or set aside with its line, and every pass ends.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use unisson_connector::{Cursor, Error, Next, Observation, Reject};
use unisson_files::Files;

use super::connector::{page, sound};

/// Words that files are made of.
pub const WORDS: &[&[u8]] = &[
    b"email,ok,phone,at\n",
    b"ada@example.org,yes,+33612345678,2026-01-01\n",
    b"bob@example.org,no,,2220-01-01\n",
    b"{\"email\":\"ada@example.org\",\"ok\":\"no\"}\n",
    b"\"",
    b"\"\"",
    b"\",\"",
    b"a\",\"\n",
    b"\r\n",
    b"\r",
    b",",
    b";",
    b"\t",
    b"|",
    b"sep=;\n",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"\0",
    b"\xc3\x28",
    b"\x1b$B",
    b"~{",
    b"18446744073709551616",
    b"1e400",
    b"[[[[[[[[",
    b"\\u0000",
    b"\\ud800",
    b"NULL",
    b"0000-00-00",
    b"\xe2\x80\xa8",
];

/// The longest address that is read, in characters: one more than addresses are compared by.
const ADDRESS_CHARS_MAX: usize = 1_025;

/// A folder of its own for this thread, and the connectors on it.
struct Desk {
    folder: tempfile::TempDir,
    connectors: Vec<(&'static str, [Files; 2])>,
}

thread_local! {
    static DESK: Desk = Desk::new();
}

/// Reads bytes as a file; the first one says how.
///
/// # Panics
/// Where a promise is broken.
pub fn run(input: &[u8]) {
    let Some((how, bytes)) = input.split_first() else { return };
    DESK.with(|desk| {
        let (name, files) = &desk.connectors[usize::from(*how) % desk.connectors.len()];
        put(&desk.path(name), bytes);
        let [whole, small] = files;
        let lines = lines(bytes);
        let pass = read(whole, name, bytes.len());
        assert!(pass.rows() <= lines, "{} rows in {lines} lines", pass.rows());
        for reject in &pass.rejects {
            let line = reject.place.rsplit(' ').next().and_then(|line| line.parse::<usize>().ok());
            assert!(line.is_some_and(|line| (1..=lines).contains(&line)), "{} of {lines} lines", reject.place);
        }
        let who = pass.observations.iter().flat_map(|observation| &observation.who.emails);
        who.for_each(|email| assert!(email.chars().count() <= ADDRESS_CHARS_MAX, "an address has no end"));
        let again = read(small, name, bytes.len());
        assert_eq!(again.observations, pass.observations, "how much is read at once does not matter");
        assert_eq!(again.rows(), pass.rows());
        assert_eq!(again.end.is_ok(), pass.end.is_ok());
    });
}

/// A whole pass over one file.
struct Pass {
    observations: Vec<Observation>,
    rejects: Vec<Reject>,
    end: Result<(), Error>,
}

impl Pass {
    /// How many rows were read or set aside, without the summaries of cells that could not be read.
    fn rows(&self) -> usize {
        self.observations.len() + self.rejects.iter().filter(|reject| !reject.place.contains(" lines ")).count()
    }
}

/// Reads a file to its end.
fn read(files: &Files, name: &str, bytes: usize) -> Pass {
    let mut pass = Pass { observations: Vec::new(), rejects: Vec::new(), end: Ok(()) };
    let mut from: Option<Cursor> = None;
    // A page holds a row or is the last; the row after the last one says how the file ended.
    for _ in 0..bytes + 3 {
        let page = match page(files, name, from.as_ref()) {
            Ok(page) => page,
            Err(error) => {
                pass.end = Err(error);
                return pass;
            }
        };
        sound(&page, from.as_ref(), bytes);
        pass.observations.extend(page.observations);
        pass.rejects.extend(page.rejects);
        match page.next {
            Next::More(cursor) => from = Some(cursor),
            Next::End { .. } => return pass,
        }
    }
    panic!("the pass does not end");
}

/// The most lines that bytes can be, in whatever encoding.
fn lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 1
}

/// Writes a file anew.
///
/// # Panics
/// Where the disk refuses.
pub fn put(path: &Path, bytes: &[u8]) {
    // A file that is replaced is another one to whoever remembers it.
    drop(std::fs::remove_file(path));
    std::fs::write(path, bytes).expect("the file is written");
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let connectors = [
            ("a.csv", json!({})),
            ("b.jsonl", json!({})),
            ("c.csv", json!({ "encoding": "windows-1252", "separator": ";", "quote": "none" })),
            ("d.csv", json!({ "header": false, "blank": [] })),
            ("e.jsonl", json!({ "encoding": "utf-16le" })),
            ("f.csv", json!({ "encoding": "iso-2022-jp" })),
        ];
        let connect = |(name, how): (&'static str, Value)| {
            let files = [1_000, 7].map(|rows| {
                let mut settings = settings(how["header"] == false, &folder.path().join(name));
                settings.as_object_mut().expect("a table").extend(how.as_object().expect("a table").clone());
                settings["page_rows"] = json!(rows);
                Files::new(settings).expect("the settings are understood")
            });
            (name, files)
        };
        let connectors = connectors.map(connect).into_iter().collect();
        Self { folder, connectors }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Settings that use most of what there is.
fn settings(numbered: bool, path: &Path) -> Value {
    let column = |name: &str, number: &str| if numbered { number.to_owned() } else { name.to_owned() };
    let (email, ok, phone, at) = (column("email", "1"), column("ok", "2"), column("phone", "3"), column("at", "4"));
    json!({
        "path": path,
        "columns": { "email": email, "phone": phone, "country": ok, "birth": at, "customer": phone },
        "claims": { "news": {
            "list": "news", "status": ok, "status_map": { "yes": "subscribed", "no": "unsubscribed" }, "since": at,
        } },
        "events": {
            "out": { "kind": "withdraw", "at": at, "when": { "column": ok, "equals": ["no"] } },
            "in": { "kind": "grant", "at": at, "evidence": { "capture": { "column": ok } } },
        },
    })
}
