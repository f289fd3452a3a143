//! The commands: each reads what was typed, calls the engine or the store, and renders the answer.

mod access;
mod apply;
mod approve;
mod check;
mod completions;
mod connectors;
mod demo;
mod doctor;
mod erase;
mod erasures;
mod explain;
mod holds;
mod init;
mod ledger;
mod man;
mod optins;
mod plan;
mod policy;
mod rectify;
mod refuse;
mod runs;
mod sandbox;
mod status;
mod suppressions;
mod sync;

use std::path::Path;

use crate::cli::{Cli, Command};
use crate::exit::Outcome;
use crate::screen::Screen;

pub(crate) use optins::FIELDS as OPTINS_FIELDS;

/// What every command is given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Desk<'a> {
    pub(crate) config: Option<&'a Path>,
    pub(crate) screen: Screen,
}

/// Carries out what was typed.
pub(crate) async fn run(cli: Cli) -> Outcome {
    let desk = Desk { config: cli.config.as_deref(), screen: Screen::new(cli.json, cli.quiet) };
    match cli.command {
        Command::Init(args) => init::run(&args, desk),
        Command::Check(args) => check::run(&args, desk).await,
        Command::Sync(args) => sync::run(&args, desk).await,
        Command::Plan(args) => plan::run(&args, desk).await,
        Command::Apply(args) => apply::run(&args, desk).await,
        Command::Approve(args) => approve::run(&args, desk).await,
        Command::Status => status::run(desk).await,
        Command::Runs(args) => runs::run(&args, desk).await,
        Command::Explain(args) => explain::run(&args, desk).await,
        Command::Optins(command) => optins::run(&command, desk).await,
        Command::Suppressions(command) => suppressions::run(&command, desk).await,
        Command::Erase(args) => erase::run(&args, desk).await,
        Command::Erasures(command) => erasures::run(&command, desk).await,
        Command::Restrict(args) => refuse::restrict(&args, desk).await,
        Command::Object(args) => refuse::object(&args, desk).await,
        Command::Rectify(args) => rectify::run(&args, desk).await,
        Command::Access(args) => access::run(&args, desk).await,
        Command::Holds(command) => holds::run(&command, desk).await,
        Command::Ledger(command) => ledger::run(&command, desk).await,
        Command::Policy(command) => policy::run(&command, desk),
        Command::Connectors(command) => connectors::run(&command, desk),
        Command::Sandbox(args) => sandbox::run(&args, desk).await,
        Command::Demo(args) => demo::run(&args, desk).await,
        Command::Doctor(args) => doctor::run(&args, desk).await,
        Command::Completions(args) => completions::run(&args, desk),
        Command::Man(args) => man::run(&args, desk),
    }
}
