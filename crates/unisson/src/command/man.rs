//! `man`: the manual pages, made from the commands as they are. Needs no settings.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};
use clap_mangen::Man as Page;
use serde::Serialize;

use crate::cli::{Cli, Man};
use crate::command::Desk;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::number;

/// The page of the whole program, for programs.
#[derive(Serialize)]
struct Printed {
    page: String,
}

/// The pages that were written, for programs.
#[derive(Serialize)]
struct Written {
    files: Vec<PathBuf>,
}

pub(crate) fn run(args: &Man, desk: Desk<'_>) -> Outcome {
    let mut command = Cli::command();
    // Names of subcommands become those one would type, such as `unisson-ledger-verify`.
    command.build();
    match &args.out {
        None => print(command, desk),
        Some(folder) => write_all(&command, folder, desk),
    }
}

fn print(command: Command, desk: Desk<'_>) -> Outcome {
    let page = String::from_utf8_lossy(&render(command)?).into_owned();
    if desk.screen.json {
        desk.screen.object(&Printed { page })?;
    } else {
        desk.screen.data(page.trim_end())?;
    }
    Ok(Ending::Done)
}

fn write_all(command: &Command, folder: &Path, desk: Desk<'_>) -> Outcome {
    let unwritable = |error: io::Error| {
        Failure::new(format!("{}: {error}", folder.display())).next("name a folder that you may write to")
    };
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    let mut files = Vec::new();
    for page in pages(command) {
        let file = folder.join(format!("{}.1", page.get_display_name().unwrap_or_else(|| page.get_name())));
        std::fs::write(&file, render(page)?).map_err(unwritable)?;
        files.push(file);
    }
    if desk.screen.json {
        desk.screen.object(&Written { files })?;
        return Ok(Ending::Done);
    }
    for file in &files {
        desk.screen.data(file.display())?;
    }
    desk.screen.say(format!(
        "wrote {} pages: read one with `man -l FILE`, or put them where `man` looks, such as /usr/local/share/man/man1",
        number(files.len() as u64)
    ));
    Ok(Ending::Done)
}

/// A command and everything below it that is not hidden; `help` repeats the others and has no page.
fn pages(command: &Command) -> Vec<Command> {
    let below = command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help");
    std::iter::once(command.clone()).chain(below.flat_map(pages)).collect()
}

fn render(command: Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    Page::new(command).render(&mut page).map_err(|error| Failure::of(&error))?;
    Ok(page)
}
