//! Reading: a page of changes at a time, and at the end whether the file is whole. It is read as often as it is needed, and
//! checked anew each time: memory does not grow with it, and nobody changes it in between unnoticed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Seek};

use sha2::{Digest as _, Sha256};

use super::{Line, PLAN_FORMAT, PlanFileError, PlanHeader, PlanLine, hex};

/// The most bytes of a line. The header is the longest: it names every instance.
const LINE_BYTES_MAX: u64 = 1 << 20;
/// How many changes are read at once.
const PAGE: usize = 1_000;

/// A plan that is being read.
pub(crate) struct PlanReader<R> {
    input: BufReader<R>,
    header: PlanHeader,
    digest: Sha256,
    lines: u64,
    changes: u64,
    /// What the header announces, less what was read.
    due: BTreeMap<(String, String), u64>,
    /// What vouched for the file when it was read last.
    sealed: Option<String>,
    at_end: bool,
}

impl<R: Read + Seek> PlanReader<R> {
    /// Reads the first line of a plan.
    pub(crate) fn open(mut file: R) -> Result<Self, PlanFileError> {
        file.rewind()?;
        let mut digest = Sha256::new();
        let mut input = BufReader::new(file);
        let text = line(&mut input, 0)?.ok_or(PlanFileError::Foreign)?;
        let header = header(&text)?;
        digest.update(&text);
        let due = due(&header);
        Ok(Self { input, header, digest, lines: 1, changes: 0, due, sealed: None, at_end: false })
    }

    pub(crate) fn header(&self) -> &PlanHeader {
        &self.header
    }

    /// The next changes; none at the end of a file that is whole and the same as when it was read before.
    pub(crate) fn page(&mut self) -> Result<Vec<PlanLine>, PlanFileError> {
        let mut page = Vec::new();
        while page.len() < PAGE && !self.at_end {
            let text = line(&mut self.input, self.lines)?.ok_or(PlanFileError::Cut(self.lines))?;
            self.lines += 1;
            match serde_json::from_slice(&text) {
                Ok(Line::Change(change)) => {
                    self.digest.update(&text);
                    self.count(&change)?;
                    page.push(change);
                }
                Ok(Line::End(end)) => {
                    let sha256 = hex(&self.digest.clone().finalize());
                    let same = self.sealed.as_ref().is_none_or(|sealed| *sealed == sha256);
                    let all = self.due.values().all(|due| *due == 0);
                    if end.sha256 != sha256 || end.changes != self.changes || !same || !all {
                        return Err(PlanFileError::Changed);
                    }
                    if line(&mut self.input, self.lines)?.is_some() {
                        return Err(PlanFileError::Broken(self.lines + 1));
                    }
                    self.sealed = Some(sha256);
                    self.at_end = true;
                }
                Ok(Line::Plan(_)) | Err(_) => return Err(PlanFileError::Broken(self.lines)),
            }
        }
        Ok(page)
    }

    /// Goes back to the first change. The file must vouch for itself as it did before.
    pub(crate) fn rewind(self) -> Result<Self, PlanFileError> {
        let again = Self::open(self.input.into_inner())?;
        if again.header != self.header {
            return Err(PlanFileError::Changed);
        }
        Ok(Self { sealed: self.sealed, ..again })
    }

    fn count(&mut self, change: &PlanLine) -> Result<(), PlanFileError> {
        self.changes += 1;
        let key = (change.instance.clone(), format!("{} {}", change.action, change.reason));
        match self.due.get_mut(&key) {
            Some(due) if *due > 0 => *due -= 1,
            _ => return Err(PlanFileError::Changed),
        }
        Ok(())
    }
}

/// How many changes of each kind the header announces.
fn due(header: &PlanHeader) -> BTreeMap<(String, String), u64> {
    let parts = header.instances.iter();
    let kinds = parts.flat_map(|(name, part)| part.changes.iter().map(move |kind| (name, kind)));
    kinds.map(|(name, (kind, changes))| ((name.clone(), kind.clone()), *changes)).collect()
}

/// A line with its end; `None` where there is none.
fn line(input: &mut impl BufRead, before: u64) -> Result<Option<Vec<u8>>, PlanFileError> {
    let mut text = Vec::new();
    let read = input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut text)?;
    match text.last() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(text)),
        // What has no end is no plan where it begins, and was cut where it goes on.
        Some(_) if before == 0 => Err(PlanFileError::Foreign),
        Some(_) if read as u64 == LINE_BYTES_MAX => Err(PlanFileError::Broken(before + 1)),
        Some(_) => Err(PlanFileError::Cut(before)),
    }
}

fn header(text: &[u8]) -> Result<PlanHeader, PlanFileError> {
    match serde_json::from_slice(text) {
        Ok(Line::Plan(header)) if header.format == PLAN_FORMAT => Ok(header),
        _ => Err(foreign(text)),
    }
}

/// A plan of another version may have another header; its name is where it always is.
fn foreign(text: &[u8]) -> PlanFileError {
    let value: Option<serde_json::Value> = serde_json::from_slice(text).ok();
    let format = value.as_ref().and_then(|value| value.get("format")).and_then(serde_json::Value::as_str);
    match format.filter(|format| format.starts_with("unisson-plan/")) {
        Some(format) if format != PLAN_FORMAT => PlanFileError::Version(format.to_owned()),
        _ => PlanFileError::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::{PlanInstance, PlanWriter};
    use super::*;

    fn change(number: usize) -> PlanLine {
        let [instance, action, reason] = ["news", "suppress", "withdrawn"].map(str::to_owned);
        PlanLine { change: format!("id-{number}"), instance, action, reason }
    }

    fn plan(changes: usize) -> String {
        let counts = if changes == 0 { None } else { Some(("suppress withdrawn".to_owned(), changes as u64)) };
        let news =
            PlanInstance { enforce: "negatives".to_owned(), complete: true, changes: counts.into_iter().collect() };
        let header = PlanHeader {
            format: PLAN_FORMAT.to_owned(),
            plan: "run".to_owned(),
            made_at: jiff::Timestamp::UNIX_EPOCH,
            law: "law".to_owned(),
            instances: BTreeMap::from([("news".to_owned(), news)]),
        };
        let mut text = Vec::new();
        let mut writer = PlanWriter::begin(&mut text, header).unwrap();
        (0..changes).for_each(|number| writer.change(change(number)).unwrap());
        assert_eq!(writer.finish().unwrap(), changes as u64);
        String::from_utf8(text).unwrap()
    }

    fn read(text: &str) -> Result<Vec<PlanLine>, PlanFileError> {
        let mut reader = PlanReader::open(Cursor::new(text.as_bytes()))?;
        all(&mut reader)
    }

    fn all(reader: &mut PlanReader<Cursor<&[u8]>>) -> Result<Vec<PlanLine>, PlanFileError> {
        let mut changes = Vec::new();
        loop {
            let page = reader.page()?;
            if page.is_empty() {
                return Ok(changes);
            }
            changes.extend(page);
        }
    }

    #[test]
    fn what_was_written_is_read_as_often_as_it_is_needed() {
        for changes in [0, 1, PAGE, 2 * PAGE + 7] {
            let text = plan(changes);
            let mut reader = PlanReader::open(Cursor::new(text.as_bytes())).unwrap();
            let expected: Vec<PlanLine> = (0..changes).map(change).collect();
            assert_eq!(reader.header().changes(), changes as u64);
            for _ in 0..3 {
                assert_eq!(all(&mut reader).unwrap(), expected);
                assert!(reader.page().unwrap().is_empty(), "the end stays the end");
                reader = reader.rewind().unwrap();
            }
        }
    }

    #[test]
    fn a_file_that_ends_anywhere_but_at_its_end_is_refused() {
        let text = plan(3);
        for length in 0..text.len() {
            let error = read(&text[..length]).unwrap_err();
            assert!(matches!(error, PlanFileError::Cut(_) | PlanFileError::Foreign), "{length}: {error}");
        }
        assert!(matches!(read(&text[..text.len() - 1]), Err(PlanFileError::Cut(4))));
    }

    #[test]
    fn a_file_of_which_any_byte_was_changed_is_refused() {
        let text = plan(2);
        for place in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[place] = if bytes[place] == b'x' { b'y' } else { b'x' };
            let edited = String::from_utf8(bytes).unwrap();
            assert!(read(&edited).is_err(), "byte {place}");
        }
    }

    #[test]
    fn lines_that_were_added_dropped_or_swapped_are_noticed() {
        let text = plan(3);
        let lines: Vec<&str> = text.lines().collect();
        let joined = |lines: &[&str]| format!("{}\n", lines.join("\n"));
        for edited in [
            joined(&[lines[0], lines[1], lines[2], lines[4]]),
            joined(&[lines[0], lines[2], lines[1], lines[3], lines[4]]),
            joined(&[lines[0], lines[1], lines[1], lines[2], lines[3], lines[4]]),
        ] {
            assert!(matches!(read(&edited), Err(PlanFileError::Changed)));
        }
        assert!(matches!(read(&format!("{text}{}\n", lines[1])), Err(PlanFileError::Broken(6))));
        assert!(matches!(read(&format!("{text}{text}")), Err(PlanFileError::Broken(6))));
    }

    #[test]
    fn a_seal_that_was_made_anew_does_not_make_up_for_another_number_of_changes() {
        let text = plan(3).replacen("\"suppress withdrawn\":3", "\"suppress withdrawn\":4", 1);
        let body = &text[..=text[..text.len() - 1].rfind('\n').unwrap()];
        let seal = format!("{{\"line\":\"end\",\"changes\":3,\"sha256\":\"{}\"}}\n", hex(&Sha256::digest(body)));
        assert!(matches!(read(&format!("{body}{seal}")), Err(PlanFileError::Changed)));
    }

    #[test]
    fn other_files_are_told_apart_from_plans_of_another_version() {
        for foreign in ["", "\n", "email,phone\n", "{}\n", "{\"line\":\"format\",\"format\":\"unisson-ledger/1\"}\n"] {
            assert!(matches!(read(foreign), Err(PlanFileError::Foreign)), "{foreign}");
        }
        let newer = plan(1).replacen("unisson-plan/1", "unisson-plan/2", 1);
        assert!(matches!(read(&newer), Err(PlanFileError::Version(version)) if version == "unisson-plan/2"));
        let long = "x".repeat(usize::try_from(LINE_BYTES_MAX).unwrap() + 1);
        assert!(matches!(read(&long), Err(PlanFileError::Foreign)));
        let header = plan(0).lines().next().unwrap().to_owned();
        assert!(matches!(read(&format!("{header}\n{long}")), Err(PlanFileError::Broken(2))));
    }

    #[test]
    fn a_file_that_is_swapped_between_two_readings_is_noticed() {
        let mut reader = PlanReader::open(Cursor::new(plan(2).into_bytes())).unwrap();
        while !reader.page().unwrap().is_empty() {}
        let other = plan(2).replacen("id-1", "id-9", 1);
        let body = &other[..=other[..other.len() - 1].rfind('\n').unwrap()];
        let seal = format!("{{\"line\":\"end\",\"changes\":2,\"sha256\":\"{}\"}}\n", hex(&Sha256::digest(body)));
        *reader.input.get_mut() = Cursor::new(format!("{body}{seal}").into_bytes());
        let mut again = reader.rewind().unwrap();
        let read_again = std::iter::from_fn(|| match again.page() {
            Ok(page) if page.is_empty() => None,
            other => Some(other),
        });
        assert!(read_again.take(5).any(|page| matches!(page, Err(PlanFileError::Changed))));
    }
}
