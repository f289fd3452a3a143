//! `ledger verify --file`: the chain recomputed from an export alone. Needs no settings and no store.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde::Serialize;
use unisson_store::export::{self, Checked, FileError};

use crate::command::Desk;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::{CARE, GOOD, hex, number, paint};

/// What holds, for programs.
#[derive(Serialize)]
struct Held {
    from: u64,
    commits: u64,
    facts: u64,
    withheld: u64,
    purged: u64,
    identifiers: bool,
    head: String,
}

pub(crate) fn run(path: &Path, desk: Desk<'_>) -> Outcome {
    let file = File::open(path).map_err(|error| {
        Failure::new(format!("{}: {error}", path.display())).next("name a file that `unisson ledger export` wrote")
    })?;
    let checked = export::check(BufReader::new(file)).map_err(|error| failure(path, &error))?;
    if desk.screen.json {
        let Checked { from, commits, facts, withheld, purged, identifiers, head } = checked;
        desk.screen.object(&Held { from, commits, facts, withheld, purged, identifiers, head: hex(&head) })?;
        return Ok(Ending::Done);
    }
    show(&checked, desk)?;
    Ok(Ending::Done)
}

fn show(checked: &Checked, desk: Desk<'_>) -> Result<(), Failure> {
    let since = if checked.from > 1 { format!(" from commit {} on", checked.from) } else { String::new() };
    desk.screen.data(format!(
        "{}{since}: {} facts in {} commits, head {}",
        paint(GOOD, "the file holds"),
        number(checked.facts),
        number(checked.commits),
        hex(&checked.head)
    ))?;
    if checked.withheld > 0 {
        let words =
            "facts stand without their bytes, which name somebody: the chain binds them, their words are unproven";
        desk.screen.data(format!("{} {words}", paint(CARE, number(checked.withheld))))?;
    }
    if checked.purged > 0 {
        let words = "facts were forgotten with the people they were about: the chain says so, and nothing else is left";
        desk.screen.data(format!("{} {words}", number(checked.purged)))?;
    }
    if checked.from > 1 {
        desk.screen
            .say(format!("what came before commit {} is not in the file: check the one before it too", checked.from));
    }
    desk.screen.say("compare the head with the one you kept, or with `unisson ledger verify` on the store");
    Ok(())
}

fn failure(path: &Path, error: &FileError) -> Failure {
    let next = match error {
        FileError::Read(_) => "name a file that can be read to its end",
        FileError::Foreign => "name a file that `unisson ledger export` of this version wrote, from its first line on",
        FileError::Broken { .. } => "do not rely on it: ask for a new export, and find out who had the file",
    };
    Failure::new(format!("{}: {}", path.display(), Failure::of(error))).next(next)
}
