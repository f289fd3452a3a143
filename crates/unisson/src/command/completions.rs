//! `completions`: the script that completes commands in a shell, made from the commands as they are. Needs no settings.

use clap::CommandFactory as _;
use serde::Serialize;

use crate::cli::{Cli, Completions};
use crate::command::Desk;
use crate::exit::{Ending, Outcome};

/// A script, for programs.
#[derive(Serialize)]
struct Script {
    shell: String,
    script: String,
}

pub(crate) fn run(args: &Completions, desk: Desk<'_>) -> Outcome {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    // Into memory first: a reader that closes the pipe is no reason to fail.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    if desk.screen.json {
        desk.screen.object(&Script { shell: args.shell.to_string(), script })?;
    } else {
        desk.screen.data(script.trim_end())?;
    }
    Ok(Ending::Done)
}
