//! Reading files page by page: each call opens the file anew, sees that it is the same, and reads on.

use std::fs::File;
use std::path::PathBuf;

use serde_json::Value;
use unisson_connector::{Cursor, Error, ErrorKind, Next, Observation, Page, Proof, Reject, Result, Stream, StreamId};
use unisson_sdk::{BuildError, read_settings};

use crate::charset::Charset;
use crate::cursor::{Progress, Rest};
use crate::digest;
use crate::fingerprint::Fingerprint;
use crate::flaw::Flaws;
use crate::folder::{self, Source};
use crate::line::Mark;
use crate::preset::{Fitted, Meaning};
use crate::row::{Refused, Step};
use crate::rows::{Form, Rows, Script, Start, first_row, open};
use crate::settings::{Format, Settings};
use crate::translate::Translator;

/// How much of a file one page may cover, in bytes; a longer line is still passed over as a whole.
const PAGE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The most rows of a page.
const PAGE_ROWS_MAX: usize = 10_000;

/// Everything it takes to read, worked out from the settings.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) path: PathBuf,
    pub(crate) format: Option<Format>,
    pub(crate) script: Script,
    pub(crate) page_rows: usize,
    pub(crate) meaning: Meaning,
    /// A digest of the settings: under others, a file is read anew.
    pub(crate) settings: String,
}

/// Where a page begins.
enum Place {
    /// At the top of the file.
    Top,
    /// Where the last page ended, of a file written like this.
    Within(Form, Start),
    /// Nowhere: the file was read to its end and has not changed.
    Done,
}

impl Reader {
    /// What settings say, if all of it makes sense.
    pub(crate) fn new(settings: Value) -> std::result::Result<Self, BuildError> {
        let digest = digest::of([settings.to_string()]);
        let settings: Settings = read_settings(settings)?;
        if !(1..=PAGE_ROWS_MAX).contains(&settings.page_rows) {
            return Err(BuildError::new("page_rows", format!("not between 1 and {PAGE_ROWS_MAX}")));
        }
        if settings.path.as_os_str().is_empty() {
            return Err(BuildError::new("path", "empty: name a file or a folder"));
        }
        let script = Script::of(&settings)?;
        let (path, format, page_rows) = (settings.path.clone(), settings.format, settings.page_rows);
        let meaning = Meaning::of(settings)?;
        Ok(Self { path, format, script, page_rows, meaning, settings: digest })
    }

    /// One stream for each file there is.
    pub(crate) fn streams(&self) -> Result<Vec<Stream>> {
        let sources = folder::sources(&self.path, self.format)?;
        Ok(sources.into_iter().map(|source| Stream { id: StreamId(source.name.clone()), title: source.name }).collect())
    }

    /// One page of a file, for this run.
    pub(crate) fn page(&self, stream: &StreamId, from: Option<&Cursor>, run: &str) -> Result<Page> {
        let source = folder::source(&self.path, self.format, stream)?;
        self.read(&source, from, run).map_err(|error| error.with("file", &source.name))
    }

    fn read(&self, source: &Source, from: Option<&Cursor>, run: &str) -> Result<Page> {
        let (mut file, fingerprint) = open(&source.path)?;
        let visit = Visit { source, settings: &self.settings, fingerprint, run };
        let (form, start) = match visit.place(from)? {
            Place::Done => return Ok(Page { observations: Vec::new(), rejects: Vec::new(), next: visit.end()? }),
            Place::Top => (Form::of(&mut file, source, self.script, self.meaning.wanted())?, None),
            Place::Within(form, start) => (form, Some(start)),
        };
        let Fitted { mapping, .. } = self.fit(&mut file, source, form)?;
        let mut rows = Rows::of(file, form, self.script, &mapping.columns)?;
        if let Some(start) = start {
            rows.go_to(start)?;
        }
        let draft = self.fill(Translator { mapping: &mapping, stem: source.stem() }, source, &mut rows)?;
        let next = visit.conclude(&rows, form, &draft)?;
        Ok(Page { observations: draft.observations, rejects: draft.rejects, next })
    }

    /// What the rows of a file mean.
    pub(crate) fn fit(&self, file: &mut File, source: &Source, form: Form) -> Result<Fitted> {
        self.meaning.fit(|| first_row(file, form, self.script), source.stem())
    }

    /// Reads rows until the page is full or the file ends.
    fn fill(&self, translator: Translator<'_>, source: &Source, rows: &mut Rows) -> Result<Draft> {
        let begun = rows.mark();
        let mut draft = Draft::default();
        let flaws = Flaws::default();
        while draft.rows() < self.page_rows && rows.mark().offset.saturating_sub(begun.offset) < PAGE_BYTES_MAX {
            let row = match rows.step()? {
                Step::Blank => continue,
                Step::End => {
                    draft.ended = true;
                    break;
                }
                Step::Refused(refused) => Err(refused),
                Step::Row(row) => translator.observe(&row, &flaws).map_err(|reason| Refused { line: row.line, reason }),
            };
            match row {
                Ok(observation) => draft.observations.push(observation),
                Err(Refused { line, reason }) => {
                    draft.rejects.push(Reject { place: format!("{} line {line}", source.name), reason });
                }
            }
        }
        let last = rows.mark().number.saturating_sub(1).max(begun.number);
        let place = format!("{} lines {} to {last}", source.name, begun.number);
        draft.rejects.extend(flaws.rejects(&translator.mapping.columns, &place));
        Ok(draft)
    }
}

/// One call's look at one file.
struct Visit<'v> {
    source: &'v Source,
    settings: &'v str,
    fingerprint: Fingerprint,
    run: &'v str,
}

impl Visit<'_> {
    /// Where to begin, given how far the file was read and what it looks like now.
    fn place(&self, from: Option<&Cursor>) -> Result<Place> {
        let Some(cursor) = from else { return Ok(Place::Top) };
        let Progress { settings, fingerprint, rest, .. } = Progress::read(cursor, &self.source.name)?;
        let same = fingerprint == self.fingerprint;
        match rest {
            _ if settings != self.settings => Ok(Place::Top),
            None if same => Ok(Place::Done),
            Some(rest) if same => match resume(&rest, self.source, self.fingerprint.size) {
                Some((form, start)) => Ok(Place::Within(form, start)),
                None => Err(Error::new(ErrorKind::Config, "read the place in a file")
                    .because("it is no place of this file: sweep the instance in full")),
            },
            Some(rest) if rest.run == self.run => Err(changed()),
            // It was replaced since it was read, or since an earlier run was interrupted: it is another file now.
            Some(_) | None => Ok(Place::Top),
        }
    }

    /// What follows a page, unless the file is another one now than when the visit began.
    fn conclude(&self, rows: &Rows, form: Form, draft: &Draft) -> Result<Next> {
        if !open(&self.source.path).is_ok_and(|(_, now)| now == self.fingerprint) {
            return Err(changed());
        }
        match rows.cut() {
            _ if !draft.ended => self.more(rows, form),
            None => self.end(),
            // What was read is handed over first; the next call finds nothing more and says so.
            Some(_) if draft.rows() > 0 => self.more(rows, form),
            Some(line) => Err(cut_off(line)),
        }
    }

    fn more(&self, rows: &Rows, form: Form) -> Result<Next> {
        let mark = rows.mark();
        let rest = Rest {
            run: self.run.to_owned(),
            offset: mark.offset,
            line: mark.number,
            encoding: form.charset.name().to_owned(),
            mark_bytes: form.charset.mark_bytes,
            separator: form.separator.map(char::from),
            cut: rows.cut(),
        };
        Ok(Next::More(self.cursor(Some(rest))?))
    }

    fn end(&self) -> Result<Next> {
        Ok(Next::End { proof: Proof::EndOfFile, resume: Some(self.cursor(None)?) })
    }

    fn cursor(&self, rest: Option<Rest>) -> Result<Cursor> {
        Progress::new(&self.source.name, self.settings, self.fingerprint.clone(), rest).cursor()
    }
}

/// A page in the making.
#[derive(Debug, Default)]
struct Draft {
    observations: Vec<Observation>,
    rejects: Vec<Reject>,
    ended: bool,
}

impl Draft {
    fn rows(&self) -> usize {
        self.observations.len() + self.rejects.len()
    }
}

/// What a cursor says of how the file is written and where to go on; `None` where it makes no sense for this file.
fn resume(rest: &Rest, source: &Source, size: u64) -> Option<(Form, Start)> {
    let charset = Charset::remembered(&rest.encoding, rest.mark_bytes)?;
    let separator = match (source.format, rest.separator) {
        (Format::Csv, Some(separator)) => Some(u8::try_from(separator).ok().filter(u8::is_ascii)?),
        (Format::Jsonl, None) => None,
        (Format::Csv, None) | (Format::Jsonl, Some(_)) => return None,
    };
    let mark = Mark { offset: rest.offset, number: rest.line };
    let within = (rest.mark_bytes..=size).contains(&rest.offset);
    within.then_some((Form { charset, separator }, Start { mark, cut: rest.cut }))
}

pub(crate) fn changed() -> Error {
    let words = "it changed while it was read: the next run reads it anew; write exports elsewhere and move them here";
    Error::new(ErrorKind::Incomplete, "read a file").because(words)
}

fn cut_off(line: u64) -> Error {
    let words = "what begins on this line does not end before the file does: it was cut off; export it again";
    Error::new(ErrorKind::Incomplete, "read a file to its end").with("line", line).because(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_replaced_during_a_page_is_noticed_at_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, "email\nada@example.org\n").unwrap();
        let source = Source { name: "a.csv".to_owned(), path, format: Format::Csv };
        let reader = Reader::new(serde_json::json!({ "path": "a.csv", "columns": { "email": "email" } })).unwrap();
        let (mut file, fingerprint) = open(&source.path).unwrap();
        let form = Form::of(&mut file, &source, reader.script, &[]).unwrap();
        let mapping = reader.fit(&mut file, &source, form).unwrap().mapping;
        let mut rows = Rows::of(file, form, reader.script, &mapping.columns).unwrap();
        let draft = reader.fill(Translator { mapping: &mapping, stem: "a" }, &source, &mut rows).unwrap();
        let visit = Visit { source: &source, settings: "", fingerprint, run: "r" };
        assert!(matches!(visit.conclude(&rows, form, &draft).unwrap(), Next::End { .. }));
        std::fs::write(&source.path, "email\nbob@example.org\n").unwrap();
        assert_eq!(visit.conclude(&rows, form, &draft).unwrap_err().kind(), ErrorKind::Incomplete);
        std::fs::remove_file(&source.path).unwrap();
        assert_eq!(visit.conclude(&rows, form, &draft).unwrap_err().kind(), ErrorKind::Incomplete);
    }
}
