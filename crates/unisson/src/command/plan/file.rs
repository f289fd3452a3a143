//! The file of a plan: for its owner alone, and under its name only once it is whole. Nothing but an older plan is ever
//! written over.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use unisson_engine::WritePlanError;

use crate::exit::Failure;

/// How a plan begins.
const BEGIN: &[u8] = b"{\"line\":\"plan\",";

/// A plan on its way to the disk.
pub(super) struct PlanFile {
    out: BufWriter<NamedTempFile>,
    path: PathBuf,
    force: bool,
}

impl PlanFile {
    /// Prepares to write. Fails now where it would fail later.
    pub(super) fn create(path: &Path, force: bool) -> Result<Self, Failure> {
        if path.symlink_metadata().is_ok() {
            check_replaceable(path, force)?;
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Made for its owner alone from the first byte on.
        let file = NamedTempFile::new_in(folder).map_err(|error| unwritable(path, &error))?;
        Ok(Self { out: BufWriter::new(file), path: path.to_owned(), force })
    }

    /// Gives the whole file its name.
    pub(super) fn keep(self) -> Result<(), Failure> {
        let Self { out, path, force } = self;
        let file = out.into_inner().map_err(|error| unwritable(&path, error.error()))?;
        file.as_file().sync_all().map_err(|error| unwritable(&path, &error))?;
        let kept = if force { file.persist(&path) } else { file.persist_noclobber(&path) };
        kept.map_err(|error| unwritable(&path, &error.error))?;
        Ok(())
    }
}

impl Write for PlanFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Refuses a path where something stands that must stay.
fn check_replaceable(path: &Path, force: bool) -> Result<(), Failure> {
    if !force {
        return Err(Failure::new(format!("{} exists and is left as it is", path.display()))
            .next("name another file, or write over this plan with --force"));
    }
    let mut begin = Vec::new();
    let read = File::open(path).and_then(|file| file.take(BEGIN.len() as u64).read_to_end(&mut begin));
    if path.is_file() && read.is_ok() && (begin.is_empty() || begin == BEGIN) {
        return Ok(());
    }
    Err(Failure::new(format!("{} is no plan and is left as it is", path.display()))
        .next("name another file: --force writes over an older plan and nothing else"))
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display())).next("name a file in a folder that you may write to")
}

/// Why a plan could not be written.
pub(super) fn failure(error: &WritePlanError) -> Failure {
    let next = match error {
        WritePlanError::Store(_) => "run the same command again; nothing was sent",
        WritePlanError::Write(_) => "make room, or name another file",
        WritePlanError::Moved => "run the same command again, with nothing else at work on the store",
    };
    Failure::of(error).next(next)
}
