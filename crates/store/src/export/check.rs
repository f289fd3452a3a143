//! Checking: the chain is recomputed from the file alone, and every word of a fact from its bytes.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Read as _};

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;
use unisson_consent::FactId;

use super::hex::HexBytes;
use super::line::{CommitLine, EndLine, FactLine, FormatLine, Line};
use super::{FORMAT, FORMAT_PURGED};
use crate::codec::StoredFact;
use crate::ledger::Entry;

/// The longest line, in bytes. A fact that splits a thousand records takes a fiftieth of it.
const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The last line that is there is not the last one of an export.
const CUT: &str = "the file ends here, before its last line: it was cut";

/// What a check of a file found to be in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// The place of the first commit. What came before is vouched for by nothing in the file but a hash.
    pub from: u64,
    /// Commits whose chain holds.
    pub commits: u64,
    /// Facts that the chain names and the file tells.
    pub facts: u64,
    /// Facts that the chain names and of which nothing else is left: a later commit says that they were purged.
    pub purged: u64,
    /// Those of them whose bytes were withheld because they name somebody: the chain binds them, their words are unproven.
    pub withheld: u64,
    /// Whether the file names people.
    pub identifiers: bool,
    /// The hash of the last commit: compare it with the one that was kept elsewhere.
    pub head: [u8; 32],
}

/// What is wrong with a file.
#[derive(Debug, Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("read the export of a ledger")]
    Read(#[from] io::Error),
    /// It is no export, or one of another version.
    #[error("read the export of a ledger: the first line names no format `{FORMAT}`")]
    Foreign,
    /// It was changed after it was written, or cut.
    #[error("check the export of a ledger: line {line}: {what}")]
    Broken {
        /// The line, from 1.
        line: u64,
        /// What does not hold there.
        what: &'static str,
    },
}

/// Checks a file from its first line to its last, in memory that grows with what was purged alone.
pub fn check<R: BufRead>(input: R) -> Result<Checked, FileError> {
    let mut lines = Lines { input, number: 0 };
    let format = match lines.next_line() {
        Ok(Some(Line::Format(format))) if [FORMAT, FORMAT_PURGED].contains(&format.format.as_str()) => format,
        Err(FileError::Read(error)) => return Err(FileError::Read(error)),
        _ => return Err(FileError::Foreign),
    };
    let mut chain = Chain::of(&format).ok_or_else(|| lines.broken("the first of all commits follows a hash"))?;
    loop {
        match lines.next_line()? {
            Some(Line::Commit(line)) => chain.commit(&line, &mut lines)?,
            Some(Line::End(end)) => return chain.end(&end, &mut lines),
            Some(Line::Fact(_) | Line::Purged(_) | Line::Purges(_)) => {
                return Err(lines.broken("it holds a fact that its commit does not count"));
            }
            Some(Line::Format(_)) => return Err(lines.broken("it is a second first line")),
            None => return Err(lines.broken(CUT)),
        }
    }
}

/// How far the chain was followed.
struct Chain {
    checked: Checked,
    last: u64,
    /// Whether lines about what was purged may stand in the file.
    may_purge: bool,
    /// Whether one does.
    purges: bool,
    /// Facts without content that no commit has said to be purged yet.
    gone: BTreeSet<(u64, FactId)>,
}

impl Chain {
    fn of(format: &FormatLine) -> Option<Self> {
        let last = format.from.checked_sub(1)?;
        let checked = Checked {
            from: format.from,
            commits: 0,
            facts: 0,
            purged: 0,
            withheld: 0,
            identifiers: format.identifiers,
            head: format.prev.0,
        };
        let may_purge = format.format == FORMAT_PURGED;
        (last > 0 || format.prev.0 == [0; 32]).then_some(Self {
            checked,
            last,
            may_purge,
            purges: false,
            gone: BTreeSet::new(),
        })
    }

    fn commit<R: BufRead>(&mut self, line: &CommitLine, lines: &mut Lines<R>) -> Result<(), FileError> {
        let place = lines.number;
        let mut entries = Vec::new();
        for _ in 0..line.facts {
            let entry = match lines.next_line()? {
                Some(Line::Fact(fact)) => self.fact(&fact, lines)?,
                Some(Line::Purged(purged)) if self.may_purge => self.purged(purged.entry(), lines)?,
                Some(Line::Purges(purges)) if self.may_purge => self.purges(purges.entry(), lines)?,
                Some(_) => return Err(lines.broken("it is none of the facts that the commit above counts")),
                None => return Err(lines.broken(CUT)),
            };
            entry.append_to(&mut entries);
        }
        let commit = line.commit(entries);
        if let Some(what) = commit.fault((self.last, self.checked.head)) {
            return Err(FileError::Broken { line: place, what });
        }
        self.last = commit.seq;
        self.checked.commits += 1;
        self.checked.head = commit.hash;
        Ok(())
    }

    fn fact<R: BufRead>(&mut self, fact: &FactLine<Value>, lines: &Lines<R>) -> Result<Entry, FileError> {
        if fact.names.is_some() && !self.checked.identifiers {
            return Err(lines.broken("it names people in a file that says it names nobody"));
        }
        let entry = fact.entry();
        if entry.is_purging() {
            return Err(lines.broken("its digest is that of no fact"));
        }
        self.checked.withheld += u64::from(fact.body.is_none());
        self.checked.facts += 1;
        Ok(entry)
    }

    fn purged<R: BufRead>(&mut self, entry: Entry, lines: &Lines<R>) -> Result<Entry, FileError> {
        if entry.is_purging() || !self.gone.insert((entry.record, entry.id)) {
            return Err(lines.broken("its digest is that of no fact, or it stands here twice"));
        }
        self.checked.purged += 1;
        Ok(entry)
    }

    fn purges<R: BufRead>(&mut self, entry: Entry, lines: &Lines<R>) -> Result<Entry, FileError> {
        self.purges = true;
        // What a file leaves out that continues another may be purged in it as well.
        if self.gone.remove(&(entry.record, entry.id)) || self.checked.from > 1 {
            return Ok(entry);
        }
        Err(lines.broken("it purges what is there, was never told, or was purged before"))
    }

    fn end<R: BufRead>(self, end: &EndLine, lines: &mut Lines<R>) -> Result<Checked, FileError> {
        let Checked { commits, facts, head, .. } = self.checked;
        if !self.gone.is_empty() {
            return Err(lines.broken("the content of a fact above is missing, and no commit says that it was purged"));
        }
        if self.may_purge != self.purges {
            return Err(lines.broken("the first line says that something was purged, and nothing was"));
        }
        if (end.commits, end.facts, end.head.0) != (commits, facts, head) {
            return Err(lines.broken("the last line counts something else than the file holds"));
        }
        match lines.next_line()? {
            None => Ok(self.checked),
            Some(_) => Err(lines.broken("it stands behind the last line")),
        }
    }
}

/// The lines of a file, each read into memory and checked by itself.
struct Lines<R> {
    input: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    fn next_line(&mut self) -> Result<Option<Line<Value>>, FileError> {
        let mut text = Vec::new();
        let read = self.input.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut text)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if read as u64 > LINE_BYTES_MAX {
            return Err(self.broken("it is longer than any line of an export"));
        }
        let Some(text) = text.strip_suffix(b"\n") else { return Err(self.broken(CUT)) };
        let Ok(line) = serde_json::from_slice(text) else { return Err(self.broken("it is no line of an export")) };
        match &line {
            Line::Fact(fact) => self.fact(fact, text)?,
            other => self.spelt(other, text)?,
        }
        Ok(Some(line))
    }

    fn fact(&self, fact: &FactLine<Value>, text: &[u8]) -> Result<(), FileError> {
        let Some(HexBytes(body)) = &fact.body else {
            let names_somebody = fact.says.get("kind").is_some_and(|kind| kind == "annul");
            return if names_somebody { Ok(()) } else { Err(self.broken("its bytes are missing")) };
        };
        let entry = fact.entry();
        if Entry::of(entry.record, entry.id, body) != entry {
            return Err(self.broken("the digest of the fact is not that of its bytes"));
        }
        let told = StoredFact::read(body).and_then(|stored| stored.tell());
        let told = told.map_err(|_| self.broken("the bytes of the fact are those of no fact that is known here"))?;
        // The words of its bytes, spelt as they are spelt here, can only be the line itself.
        self.spelt(&Line::Fact(Box::new(fact.saying(&told))), text).map_err(|misspelt| {
            match serde_json::to_value(&told) {
                Ok(words) if words == fact.says => misspelt,
                _ => self.broken("the words of the fact are not those of its bytes"),
            }
        })
    }

    /// One spelling for each meaning: two readers of a line cannot take it for two things.
    fn spelt<S: Serialize>(&self, line: &Line<S>, text: &[u8]) -> Result<(), FileError> {
        match serde_json::to_vec(line) {
            Ok(written) if written == text => Ok(()),
            _ => Err(self.broken("it is not spelt as an export spells it")),
        }
    }

    fn broken(&self, what: &'static str) -> FileError {
        FileError::Broken { line: self.number, what }
    }
}
