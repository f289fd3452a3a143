//! `ledger`: recompute the whole chain, of the store or of an export, and write the export.

mod export;
mod file;

use serde::Serialize;
use unisson_store_sqlite::Access;

use crate::cli::Ledger;
use crate::command::Desk;
use crate::compose::Site;
use crate::exit::{Ending, Outcome};
use crate::screen::{GOOD, hex, number, paint};

/// What holds.
#[derive(Serialize)]
struct Verified {
    commits: u64,
    facts: u64,
    head: String,
}

pub(crate) async fn run(command: &Ledger, desk: Desk<'_>) -> Outcome {
    match command {
        Ledger::Verify(args) => match &args.file {
            Some(path) => file::run(path, desk),
            None => verify(desk).await,
        },
        Ledger::Export(args) => export::run(args, desk).await,
    }
}

async fn verify(desk: Desk<'_>) -> Outcome {
    let store = Site::load(desk.config)?.open(Access::ReadOnly)?;
    let verified = store.verify().await?;
    let head = hex(&verified.head);
    if desk.screen.json {
        desk.screen.object(&Verified { commits: verified.commits, facts: verified.facts, head })?;
        return Ok(Ending::Done);
    }
    desk.screen.data(format!(
        "{}: {} facts in {} commits, head {head}",
        paint(GOOD, "the ledger holds"),
        number(verified.facts),
        number(verified.commits)
    ))?;
    desk.screen.say("keep the head somewhere else: with it, nobody can rewrite what came before");
    Ok(Ending::Done)
}
