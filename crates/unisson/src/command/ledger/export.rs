//! `ledger export`: the ledger as JSON Lines, to a file that only its owner can read, or to standard output.
//!
//! A file is whole or not there. One that exists is left as it is: exports are evidence, and the path of one could be
//! that of the store.

use std::io::{self, BufWriter, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use unisson_store::export::{self, ExportError, Exported, Order};
use unisson_store::{Naming, Store};
use unisson_store_sqlite::Access;

use crate::cli::ExportLedger;
use crate::command::Desk;
use crate::compose::Site;
use crate::exit::{Ending, Failure, Outcome};
use crate::handed;
use crate::screen::{hex, number};

/// What was written, for programs.
#[derive(Serialize)]
struct Written {
    file: PathBuf,
    from: u64,
    commits: u64,
    facts: u64,
    identifiers: bool,
    head: String,
}

pub(crate) async fn run(args: &ExportLedger, desk: Desk<'_>) -> Outcome {
    let site = Site::load(desk.config)?;
    let store = site.open(Access::ReadOnly)?;
    let order = Order {
        from: args.since,
        naming: if args.with_identifiers { Naming::Names } else { Naming::Numbers },
        made_at: Timestamp::now(),
        program: concat!("unisson ", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    let Some(path) = &args.out else { return print(store.as_ref(), &order, desk).await };
    let exported = write(store.as_ref(), &order, path).await?;
    if args.with_identifiers {
        let people = store.counts(Timestamp::now()).await?.subjects;
        handed::remember(&site, args.to.as_deref(), "the ledger, with everybody it names", people)?;
    }
    if desk.screen.json {
        desk.screen.object(&Written {
            file: path.clone(),
            from: exported.from,
            commits: exported.commits,
            facts: exported.facts,
            identifiers: args.with_identifiers,
            head: hex(&exported.head),
        })?;
        return Ok(Ending::Done);
    }
    desk.screen.data(format!("{} to {}", told(&exported), path.display()))?;
    desk.screen.say(format!("check it anywhere with: unisson ledger verify --file {}", path.display()));
    if args.with_identifiers {
        desk.screen.say("it names everybody: keep it as you keep the store, and delete it once it has served");
    }
    Ok(Ending::Done)
}

async fn print(store: &dyn Store, order: &Order, desk: Desk<'_>) -> Outcome {
    let mut out = BufWriter::new(io::stdout());
    match export::write(store, order, &mut out).await {
        Ok(exported) => desk.screen.say(told(&exported)),
        // A reader that closed the pipe has seen enough.
        Err(ExportError::Write(error)) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(error) => return Err(failure(error)),
    }
    Ok(Ending::Done)
}

/// Writes a file that is readable by its owner alone, under its name only once it is whole and on disk.
async fn write(store: &dyn Store, order: &Order, path: &Path) -> Result<Exported, Failure> {
    let next = "name a file that is not there yet, in a folder that you may write to";
    if path.symlink_metadata().is_ok() {
        return Err(Failure::new(format!("{} exists and is left as it is", path.display())).next(next));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unwritable = |error: &io::Error| Failure::new(format!("{}: {error}", path.display())).next(next);
    // Made for its owner alone from the first byte on.
    let file = tempfile::NamedTempFile::new_in(folder).map_err(|error| unwritable(&error))?;
    let mut out = BufWriter::new(file);
    let exported = export::write(store, order, &mut out).await.map_err(failure)?;
    out.flush()?;
    let file = out.into_inner().map_err(|error| unwritable(error.error()))?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| unwritable(&error.error))?;
    Ok(exported)
}

fn told(exported: &Exported) -> String {
    let since = if exported.from > 1 { format!(" from commit {} on", exported.from) } else { String::new() };
    format!(
        "wrote {} facts in {} commits{since}, head {}",
        number(exported.facts),
        number(exported.commits),
        hex(&exported.head)
    )
}

fn failure(error: ExportError) -> Failure {
    match error {
        ExportError::Store(error) => error.into(),
        ExportError::Beyond { last, .. } => {
            Failure::of(&error).next(format!("name a commit from 1 to {}, such as --since {}", last + 1, last.max(1)))
        }
        ExportError::Write(_) => Failure::of(&error).next("make room, or name another file"),
    }
}
