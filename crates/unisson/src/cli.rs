//! What can be typed: commands, flags and what they mean to a person.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;

/// Keeps every mail platform and CRM of a company in unison about who may be contacted.
#[derive(Debug, Parser)]
#[command(
    name = "unisson",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, 1 error, 2 partly done (the report names what was not reached), 3 held for approval."
)]
pub(crate) struct Cli {
    /// The settings file
    #[arg(long, short, global = true, value_name = "FILE", env = "UNISSON_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Print data as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show no progress
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a commented settings file and a policy to start from
    Init(Init),
    /// Try settings, credentials, permissions and mappings; writes nothing
    Check(Check),
    /// Pull, judge, guard and push
    Sync(Sync),
    /// Deliver what the guard held in a run
    Approve(Approve),
    /// Show what is stored, what waits and how many may be contacted
    Status,
    /// List the last runs, or show one
    Runs(Runs),
    /// Tell why a person may or may not be contacted
    Explain(Explain),
    /// The people who must not be contacted
    #[command(subcommand)]
    Suppressions(Suppressions),
    /// The append-only record of everything that was told
    #[command(subcommand)]
    Ledger(Ledger),
    /// The law as your counsel wrote it
    #[command(subcommand)]
    Policy(Policy),
    /// The platforms this program can talk to
    #[command(subcommand)]
    Connectors(Connectors),
    /// Serve local twins of the platforms, to try things on
    Sandbox(Sandbox),
    /// Tell the whole story on this machine, in a temporary folder, in under a minute
    Demo(Demo),
}

/// `init`
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The folder to write to
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
}

/// `check`
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Only these instances
    #[arg(long = "instance", short, value_name = "NAME")]
    pub(crate) instances: Vec<String>,
}

/// `sync`
#[derive(Debug, Args)]
pub(crate) struct Sync {
    /// Only these instances
    #[arg(long = "instance", short, value_name = "NAME")]
    pub(crate) instances: Vec<String>,
    /// Read, judge and plan, but write to no platform
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Read everything anew, not only what changed since the last run
    #[arg(long)]
    pub(crate) full: bool,
}

/// `approve`
#[derive(Debug, Args)]
pub(crate) struct Approve {
    /// The run, as `unisson runs` names it; its beginning is enough
    pub(crate) run: String,
}

/// `runs`
#[derive(Debug, Args)]
pub(crate) struct Runs {
    /// One run; its beginning is enough
    pub(crate) run: Option<String>,
    /// How many to list
    #[arg(long, default_value_t = 10)]
    pub(crate) limit: usize,
}

/// `explain`
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// An e-mail address, a telephone number or a postal address
    pub(crate) who: String,
}

/// `suppressions …`
#[derive(Debug, Subcommand)]
pub(crate) enum Suppressions {
    /// List them
    List(Selection),
    /// Write them in a shape that platforms accept
    Export(Export),
}

/// Which suppressions.
#[derive(Debug, Args, Clone)]
pub(crate) struct Selection {
    /// Only for this reason, such as withdrawn, complaint or undeliverable
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Only for this purpose
    #[arg(long)]
    pub(crate) purpose: Option<String>,
    /// Only on this channel
    #[arg(long)]
    pub(crate) channel: Option<String>,
    /// Only those first known at or after this moment, such as 2026-11-01T00:00:00Z or 2026-11-01
    #[arg(long, value_parser = moment)]
    pub(crate) since: Option<Timestamp>,
}

/// `suppressions export`
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Which ones
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// How addresses are written
    #[arg(long, value_enum, default_value = "plain")]
    pub(crate) shape: Shape,
    /// The file to write; without it, standard output
    #[arg(long, short)]
    pub(crate) out: Option<PathBuf>,
}

/// How addresses are written to a suppression file.
#[derive(Debug, Clone, Copy, ValueEnum, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As they are
    Plain,
    /// SHA-256 of the trimmed, lower-case address, in hexadecimal
    Sha256,
    /// MD5 of the trimmed, lower-case address, in hexadecimal
    Md5,
}

/// `ledger …`
#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Recompute the whole chain
    Verify,
}

/// `policy …`
#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Read a policy and say what is wrong with it; without a file, the one in force
    Check {
        /// The policy file
        file: Option<PathBuf>,
    },
    /// Try scenario files against this program's law
    Test {
        /// Scenario files of the schema consent-scenarios/1
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// In how many random orders each scenario is told
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(24..))]
        orders: u32,
        /// Where the randomness starts, so that a failure can be told again
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

/// `connectors …`
#[derive(Debug, Subcommand)]
pub(crate) enum Connectors {
    /// List them with what each can do
    List,
    /// Describe one
    Describe {
        /// Its name
        name: String,
    },
}

/// `sandbox`
#[derive(Debug, Args)]
pub(crate) struct Sandbox {
    /// How many people the twins share
    #[arg(long, default_value_t = 10_000)]
    pub(crate) contacts: usize,
    /// Where the randomness starts
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The port of the first twin; the others follow
    #[arg(long, default_value_t = 9400)]
    pub(crate) port: u16,
    /// Where to write a settings file and a file export that fit the twins
    #[arg(long)]
    pub(crate) folder: Option<PathBuf>,
}

/// `demo`
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// How many people the twins share
    #[arg(long, default_value_t = 10_000)]
    pub(crate) contacts: usize,
    /// Keep the folder and print where it is
    #[arg(long)]
    pub(crate) keep: bool,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let day: jiff::civil::Date = text
        .parse()
        .map_err(|_| "write a moment such as 2026-11-01T00:00:00Z, or a day such as 2026-11-01".to_owned())?;
    jiff::tz::TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).map_err(|error| error.to_string())
}
