//! Looking without reading in: what files there are, how they are written, and what of their first rows cannot be used.

use std::collections::{BTreeMap, BTreeSet};

use unisson_connector::{Account, ErrorKind, Listing, Observation, Result};

use crate::digest;
use crate::flaw::Flaws;
use crate::folder::{self, Source};
use crate::mapping::Mapping;
use crate::preset::Fitted;
use crate::pull::Reader;
use crate::row::{Step, is_blank};
use crate::rows::{Form, Rows, open};
use crate::settings::Format;
use crate::translate::Translator;

/// How many files are looked into.
const FILES_MAX: usize = 20;
/// How many steps are made through each.
const STEPS_MAX: usize = 1000;

/// What the first rows of a file hold.
#[derive(Default)]
struct Sample {
    rows: u64,
    refused: u64,
    first_refused: Option<String>,
    /// What each record said first, and how many rows said something else of the same record.
    records: BTreeMap<String, String>,
    contradicted: u64,
    /// Which columns in use were filled in any row.
    filled: BTreeSet<usize>,
    flaws: Flaws,
}

impl Reader {
    /// What an operator should know before anything is read in.
    pub(crate) fn probe(&self) -> Result<Account> {
        let sources = folder::sources(&self.path, self.format)?;
        let mut account = Account { name: self.path.display().to_string(), ..Account::default() };
        if let Some(mapping) = self.meaning.fixed() {
            add_lists(mapping, &mut account);
            if mapping.claims.is_empty() && mapping.events.is_empty() {
                account.notes.push("neither `claims` nor `events` are set: files only tell who people are".to_owned());
            }
        }
        if sources.is_empty() {
            account.gaps.push("the folder holds no file ending in csv, tsv, txt, jsonl or ndjson".to_owned());
        }
        for source in sources.iter().take(FILES_MAX) {
            match self.look_into(source, &mut account) {
                Ok(()) => {}
                Err(error) if matches!(error.kind(), ErrorKind::Config | ErrorKind::Bounds | ErrorKind::NotFound) => {
                    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
                    account.gaps.push(format!("{}: cannot {error}{cause}", source.name));
                }
                Err(error) => return Err(error.with("file", &source.name)),
            }
        }
        if sources.len() > FILES_MAX {
            account.notes.push(format!("{} files, of which the first {FILES_MAX} were looked into", sources.len()));
        }
        Ok(account)
    }

    fn look_into(&self, source: &Source, account: &mut Account) -> Result<()> {
        let (mut file, fingerprint) = open(&source.path)?;
        let form = Form::of(&mut file, source, self.script, self.meaning.wanted())?;
        let Fitted { mapping, layout } = self.fit(&mut file, source, form)?;
        let names = mapping.columns.names();
        let mut rows = Rows::of(file, form, self.script, &mapping.columns)?;
        let sample = sample(Translator { mapping: &mapping, stem: source.stem() }, &mut rows)?;
        add_lists(&mapping, account);
        account.notes.push(format!("{}: {}", source.name, self.describe(form)));
        account.notes.extend(layout.map(|layout| format!("{}: recognised as {layout}", source.name)));
        let mut note = |words: String| account.notes.push(format!("{}: {words}", source.name));
        if fingerprint.size == 0 {
            note("is empty".to_owned());
        }
        if let Some(first) = &sample.first_refused {
            note(format!("{} of the first {} rows cannot be read, such as {first}", sample.refused, sample.rows));
        }
        if sample.contradicted > 0 {
            note(format!(
                "{} of the first {} rows say something else of a record that an earlier row is about, and would count as \
                 changed in every sweep: name the columns that tell them apart in `columns.record`",
                sample.contradicted, sample.rows
            ));
        }
        // A header names the columns that are there; objects only show those that are filled.
        let unseen = names.iter().enumerate().filter(|(at, _)| !sample.filled.contains(at));
        if source.format == Format::Jsonl && sample.rows > sample.refused {
            unseen.for_each(|(_, name)| note(format!("`{name}` is in none of the first {} rows", sample.rows)));
        }
        sample.flaws.describe(&mapping.columns).into_iter().for_each(note);
        Ok(())
    }

    fn describe(&self, form: Form) -> String {
        let Some(separator) = form.separator else {
            return format!("{}, one JSON object on each line", form.charset);
        };
        let name = match separator {
            b'\t' => "tab".to_owned(),
            other => format!("`{}`", char::from(other)),
        };
        let known = if self.script.separator.is_some() { "as set" } else { "detected" };
        format!("{}, separator {name} ({known})", form.charset)
    }
}

/// What the first rows of a file hold.
fn sample(translator: Translator<'_>, rows: &mut Rows) -> Result<Sample> {
    let mut sample = Sample::default();
    for _ in 0..STEPS_MAX {
        let refused = match rows.step()? {
            Step::End => break,
            Step::Blank => continue,
            Step::Refused(refused) => Some((refused.line, refused.reason)),
            Step::Row(row) => {
                sample.filled.extend((0..row.cells.len()).filter(|at| !is_blank(&row.cells[*at])));
                match translator.observe(&row, &sample.flaws) {
                    Ok(observation) => {
                        sample.compare(&observation);
                        None
                    }
                    Err(reason) => Some((row.line, reason)),
                }
            }
        };
        sample.rows += 1;
        if let Some((line, reason)) = refused {
            sample.refused += 1;
            sample.first_refused.get_or_insert_with(|| format!("line {line}: {reason}"));
        }
    }
    Ok(sample)
}

/// Adds the lists that rows can name, each once.
fn add_lists(mapping: &Mapping, account: &mut Account) {
    for (id, channels) in mapping.lists() {
        if !account.lists.iter().any(|known| known.id == id) {
            account.lists.push(Listing { title: id.as_str().to_owned(), id, channels, members: None });
        }
    }
}

impl Sample {
    fn compare(&mut self, observation: &Observation) {
        // What a record shows is compared; what happened to it only adds up.
        let says = digest::of([format!("{:?}", observation.slots)]);
        let record = digest::of([observation.record.as_str()]);
        let first = self.records.entry(record).or_insert_with(|| says.clone());
        self.contradicted += u64::from(*first != says);
    }
}
