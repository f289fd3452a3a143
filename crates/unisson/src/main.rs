//! The one binary: it reads what was typed, puts the parts together, and ends with a code that means something.

mod cli;
mod command;
mod compose;
mod decisions;
mod erasing;
mod exit;
mod gauge;
mod handed;
mod screen;
mod setup;
mod tokens;
mod watch;
mod whom;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use crate::cli::Cli;
use crate::screen::{BAD, paint};

/// A sync makes and drops millions of short texts: this allocator does that in two thirds of the time of the system's.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is logged where `RUST_LOG` says nothing: reports tell what the engine warns of, nothing else tells of settings.
const QUIET: &str = "error,unisson=warn";

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => {
            // Help and version are what was asked for; anything else was mistyped, which is an error and not "partly done".
            let _ = answer.print();
            return if answer.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(QUIET));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the runtime does not start");
            return ExitCode::FAILURE;
        }
    };
    let screen = screen::Screen::new(cli.json, cli.quiet);
    match runtime.block_on(Box::pin(command::run(cli))) {
        Ok(ending) => ending.into(),
        Err(failure) => {
            screen.say(format!("{} {failure}", paint(BAD, "error:")));
            ExitCode::FAILURE
        }
    }
}
