//! Segments: CSV files that a campaign can be sent to, one for each purpose, channel and state.
//!
//! The law selects who is in them. A file is written beside its path and takes its place when everything is counted, so
//! nobody finds a half of one; a file of an earlier report is always replaced, so nobody who said no since is left in it.
//! It refuses addresses that nothing can be sent to, and addresses that a spreadsheet would take for a formula: written
//! otherwise they would be somebody else's. Both are counted and named.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;
use unisson_consent::{Address, AddressKind, Channel, OptIn, Outcome, PurposeId};
use unisson_plan::{Census, Segment};

use crate::exit::Failure;
use crate::screen::day;

/// The columns of every file.
const HEAD: [&str; 6] = ["address", "purpose", "level", "missing", "lapses_on", "systems"];

/// What a spreadsheet takes for the beginning of a formula, in whatever cell it opens.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// One file that was written.
#[derive(Debug, Serialize)]
pub(crate) struct Written {
    pub(crate) file: PathBuf,
    pub(crate) purpose: String,
    pub(crate) channel: &'static str,
    pub(crate) state: &'static str,
    pub(crate) rows: u64,
    pub(crate) set_aside: SetAside,
}

/// Who belongs to a segment and is not in its file.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct SetAside {
    /// Nothing can be sent to the address as it is spelt.
    pub(crate) malformed: u64,
    /// A spreadsheet would take the address for a formula.
    pub(crate) formula: u64,
}

/// The files of one report.
#[derive(Debug)]
pub(crate) struct Segments {
    folder: PathBuf,
    files: BTreeMap<Place, Draft>,
}

type Place = (PurposeId, Channel, Segment);

#[derive(Debug)]
struct Draft {
    out: csv::Writer<BufWriter<NamedTempFile>>,
    rows: u64,
    set_aside: SetAside,
}

/// Whether somebody could be asked.
pub(super) fn is_wanted(census: &Census) -> bool {
    census.purposes.values().any(|survey| survey.people.outcomes.get(Outcome::Requalify) > 0)
}

impl Segments {
    /// Files in this folder, which is made if it is not there, for its owner alone.
    pub(crate) fn begin(folder: &Path) -> Result<Self, Failure> {
        make(folder).map_err(|error| refused(&error))?;
        Ok(Self { folder: folder.to_owned(), files: BTreeMap::new() })
    }

    /// Writes an opt-in to the segment that the law's decision puts it in, if any.
    pub(crate) fn write(&mut self, opt_in: &OptIn) -> Result<(), Failure> {
        let Some(segment) = Segment::of(opt_in) else { return Ok(()) };
        let place = (opt_in.key.purpose.clone(), opt_in.key.channel, segment);
        let draft = self.draft(place).map_err(|error| refused(&error))?;
        draft.write(opt_in).map_err(|error| refused(&error))
    }

    /// Puts every file in its place: both of each purpose and channel that has opt-ins, and those of an earlier report that
    /// have none any more.
    pub(crate) fn finish(mut self, census: &Census, purposes: &[PurposeId]) -> Result<Vec<Written>, Failure> {
        let only = census.only().purpose.as_ref();
        for purpose in purposes.iter().filter(|purpose| only.is_none_or(|only| only == *purpose)) {
            for (channel, segment) in Channel::ALL.into_iter().flat_map(|channel| Segment::ALL.map(|s| (channel, s))) {
                let place = (purpose.clone(), channel, segment);
                let is_told = census.purposes.contains_key(&(purpose.clone(), channel));
                if is_told || self.folder.join(name(&place)).is_file() {
                    self.draft(place).map_err(|error| refused(&error))?;
                }
            }
        }
        let folder = &self.folder;
        let written = self.files.into_iter().map(|(place, draft)| draft.put(folder, place));
        let written = written.collect::<io::Result<_>>().map_err(|error| refused(&error))?;
        sync(folder).map_err(|error| refused(&error))?;
        Ok(written)
    }

    fn draft(&mut self, place: Place) -> io::Result<&mut Draft> {
        Ok(match self.files.entry(place) {
            std::collections::btree_map::Entry::Occupied(held) => held.into_mut(),
            std::collections::btree_map::Entry::Vacant(free) => free.insert(Draft::begin(&self.folder)?),
        })
    }
}

impl Draft {
    fn begin(folder: &Path) -> io::Result<Self> {
        // Hidden until it is whole; only its owner can read it.
        let file = tempfile::Builder::new().prefix(".unisson-").suffix(".tmp").tempfile_in(folder)?;
        let mut out = csv::Writer::from_writer(BufWriter::new(file));
        out.write_record(HEAD)?;
        Ok(Self { out, rows: 0, set_aside: SetAside::default() })
    }

    fn write(&mut self, opt_in: &OptIn) -> io::Result<()> {
        let Some(best) = opt_in.best_of(|_| true) else { return Ok(()) };
        let address = spelling(&opt_in.key.address);
        if opt_in.key.address.defect().is_some() {
            self.set_aside.malformed += 1;
            return Ok(());
        }
        if is_formula(address) && opt_in.key.address.kind() != AddressKind::Phone {
            self.set_aside.formula += 1;
            return Ok(());
        }
        let systems: Vec<&str> = opt_in.claims.iter().map(|claim| claim.system.as_str()).collect();
        self.out.write_record([
            address,
            &text(opt_in.key.purpose.as_str()),
            &format!("L{}", best.level.number()),
            &best.missing.to_string(),
            &opt_in.lapses_on.map_or(String::new(), day),
            &text(&systems.join(" ")),
        ])?;
        self.rows += 1;
        Ok(())
    }

    fn put(self, folder: &Path, place: Place) -> io::Result<Written> {
        let path = folder.join(name(&place));
        let buffered = self.out.into_inner().map_err(|error| io::Error::from(error.error().kind()))?;
        let file = buffered.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)?;
        let (purpose, channel, segment) = place;
        Ok(Written {
            file: path,
            purpose: purpose.to_string(),
            channel: channel.as_str(),
            state: segment.as_str(),
            rows: self.rows,
            set_aside: self.set_aside,
        })
    }
}

/// The name of a file. The names of purposes hold nothing that a path could mean.
fn name((purpose, channel, segment): &Place) -> String {
    format!("{purpose}.{}.{}.csv", channel.as_str(), segment.as_str())
}

/// The spelling that a campaign is sent to: one for every address that counts as the same.
fn spelling(address: &Address) -> &str {
    match address.kind() {
        AddressKind::Email | AddressKind::Phone => address.canonical(),
        // A letter is addressed as somebody wrote it.
        AddressKind::Postal => address.raw().trim(),
    }
}

fn is_formula(cell: &str) -> bool {
    cell.starts_with(FORMULA)
}

/// A word of ours as a cell that no spreadsheet takes for a formula.
fn text(cell: &str) -> String {
    if is_formula(cell) { format!("'{cell}") } else { cell.to_owned() }
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes the new names last over a power cut, where folders can be flushed.
fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn refused(error: &io::Error) -> Failure {
    Failure::new(format!("write the segments: {error}")).next("name a folder that you may write to and that has room")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use unisson_consent::{Claim, ConsentStatus, Decision, Key, Lack, Lacks, Level, OptIns, Reason, Verdict};
    use unisson_plan::Only;

    use super::*;

    /// Somebody who may be asked, unless the verdict says otherwise.
    fn opt_in(address: &str, verdict: Verdict) -> OptIn {
        let decision = Decision {
            verdict,
            status: ConsentStatus::Unqualified,
            reason: if verdict == Verdict::Deny { Reason::Withdrawn } else { Reason::Unqualified },
            rule: None,
            facts: Vec::new(),
            level: Level::Claim,
            negative: false,
            refused_by_person: false,
            valid_until: None,
        };
        let address = Address::email(address).unwrap();
        let missing = Lacks::default().with(Lack::Date).with(Lack::Notice);
        let claim = |system: &str| Claim { system: system.into(), level: Level::Claim, missing };
        OptIn {
            key: Key { address, purpose: "news.letter".into(), channel: Channel::Email, person: None },
            claims: vec![claim("crm"), claim("shop")],
            outcome: Outcome::of(&decision),
            decision,
            unaskable: None,
            lapses_on: "2027-01-31T23:00:00Z".parse().ok(),
        }
    }

    fn written(folder: &Path, opt_ins: Vec<OptIn>) -> Vec<Written> {
        let mut segments = Segments::begin(folder).unwrap();
        for opt_in in &opt_ins {
            segments.write(opt_in).unwrap();
        }
        let mut census = Census::new(Timestamp::UNIX_EPOCH, Only::default());
        census.count(&OptIns { placed: opt_ins, unplaced: Vec::new() });
        segments.finish(&census, &["news.letter".into(), "other".into()]).unwrap()
    }

    #[test]
    fn a_row_tells_whom_to_ask_what_is_missing_until_when_and_by_whose_word() {
        let folder = tempfile::tempdir().unwrap();
        let files = written(folder.path(), vec![opt_in("Ada@Example.org", Verdict::Ask)]);
        let names: Vec<_> = files.iter().map(|file| file.file.file_name().unwrap().to_string_lossy()).collect();
        assert_eq!(names, ["news.letter.email.requalify.csv", "news.letter.email.consents.csv"]);
        assert_eq!(
            std::fs::read_to_string(&files[0].file).unwrap(),
            "address,purpose,level,missing,lapses_on,systems\n\
             ada@example.org,news.letter,L1,notice date,2027-01-31,crm shop\n"
        );
        assert_eq!(std::fs::read_to_string(&files[1].file).unwrap().lines().count(), 1, "a header, and nobody");
    }

    #[test]
    fn whoever_said_no_is_in_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let files = written(folder.path(), vec![opt_in("ada@example.org", Verdict::Deny)]);
        assert!(files.iter().all(|file| file.rows == 0));
        assert!(files.iter().all(|file| !std::fs::read_to_string(&file.file).unwrap().contains("ada")));
    }

    #[test]
    fn what_is_no_address_or_looks_like_a_formula_is_set_aside_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let odd =
            ["=cmd@example.org", "+1@example.org", "-a@example.org", "ada.example.org", "ada\u{200b}@example.org"];
        let files = written(folder.path(), odd.map(|address| opt_in(address, Verdict::Ask)).into());
        assert_eq!((files[0].rows, files[0].set_aside.formula, files[0].set_aside.malformed), (0, 3, 2));
        assert_eq!(text("=1+1"), "'=1+1");
        assert_eq!(text("crm shop"), "crm shop");
    }

    #[test]
    fn files_of_an_earlier_report_are_replaced_and_nobody_else_can_read_them() {
        let folder = tempfile::tempdir().unwrap();
        let stale = folder.path().join("other.email.consents.csv");
        std::fs::write(&stale, "address\nada@example.org\n").unwrap();
        let foreign = folder.path().join("notes.csv");
        std::fs::write(&foreign, "kept").unwrap();
        let files = written(folder.path(), vec![opt_in("ada@example.org", Verdict::Ask)]);
        assert_eq!(files.len(), 3);
        assert!(!std::fs::read_to_string(&stale).unwrap().contains("ada"));
        assert_eq!(std::fs::read_to_string(&foreign).unwrap(), "kept");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4, "no draft is left");
        #[cfg(unix)]
        for file in files {
            let mode = std::os::unix::fs::PermissionsExt::mode(&file.file.metadata().unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
