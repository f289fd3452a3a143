//! What can be typed: commands, flags and what they mean to a person.

mod list;
mod person;

use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;

pub(crate) use list::{Act, Import, Of, Shape, Spelling};
pub(crate) use person::{
    AccessOf, Certificate, DoneErasure, Erase, Erasures, Holds, ListErasures, Object, Rectify, Restrict,
    VerifyCertificate,
};

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
    /// Show every change that a sync would make, why and by whose word, and what it takes; writes to no platform
    Plan(Plan),
    /// Deliver exactly the changes of a plan file, or nothing where what it rests on has moved
    Apply(Apply),
    /// Deliver what the guard held in a run
    Approve(Approve),
    /// Show what is stored, what waits and how many may be contacted
    Status,
    /// List the last runs with what each did at every instance, or show one in full
    Runs(Runs),
    /// Tell why a person may or may not be contacted
    Explain(Explain),
    /// The opt-ins: which are consents, what the others lack, and when they lapse
    #[command(subcommand)]
    Optins(Optins),
    /// The people who must not be contacted
    #[command(subcommand)]
    Suppressions(Suppressions),
    /// Erase people in every system, and prove it
    Erase(Erase),
    /// The erasure cases: what is open, what was done, and its certificate
    #[command(subcommand)]
    Erasures(Erasures),
    /// Keep somebody's data and use it for nothing (art. 18)
    Restrict(Restrict),
    /// Pass on somebody's objection to all direct marketing (art. 21)
    Object(Object),
    /// Correct an address in every system (art. 16, 19)
    Rectify(Rectify),
    /// Gather everything that every system holds about one person (art. 15, 20)
    Access(AccessOf),
    /// What legal holds keep apart from an erasure
    #[command(subcommand)]
    Holds(Holds),
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
    /// Look for what is wrong here: store, clock, settings, permissions; changes nothing, exits 2 where it finds something
    Doctor(Doctor),
    /// Print the script that completes commands in a shell
    Completions(Completions),
    /// Print the manual page, or write the pages of all commands
    Man(Man),
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

/// `plan`
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// Only these instances
    #[arg(long = "instance", short, value_name = "NAME")]
    pub(crate) instances: Vec<String>,
    /// Read everything anew, not only what changed since the last run
    #[arg(long)]
    pub(crate) full: bool,
    /// How many changes of each kind to show as samples, with masked addresses
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = RangedU64ValueParser::<usize>::new().range(0..=100))]
    pub(crate) samples: usize,
    /// The file to write the plan to, for `unisson apply`; it names nobody, and only its owner can read it
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write over an older plan that is there, and over no other file
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}

/// `apply`
#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The file that `unisson plan --out` wrote, not more than 24 hours ago
    pub(crate) file: PathBuf,
    /// Answer for what the guard would hold: you have looked at the plan, and nothing beyond it is sent
    #[arg(long)]
    pub(crate) approved: bool,
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
    #[arg(long, default_value_t = 10, value_parser = RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    pub(crate) limit: usize,
}

/// `explain`
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// An e-mail address, a telephone number or a postal address
    pub(crate) who: String,
}

/// `optins …`
#[derive(Debug, Subcommand)]
pub(crate) enum Optins {
    /// Count them by purpose and system, and write those down whom a campaign may be sent to
    #[command(after_long_help = crate::command::OPTINS_FIELDS)]
    Report(OptinsReport),
}

/// `optins report`
#[derive(Debug, Args)]
pub(crate) struct OptinsReport {
    /// Only for this purpose
    #[arg(long)]
    pub(crate) purpose: Option<String>,
    /// Only those that this system tells
    #[arg(long)]
    pub(crate) system: Option<String>,
    /// How it will look then, if nothing else happens: a day to come such as 2027-01-31, or a moment of it
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub(crate) at: Option<Timestamp>,
    /// Write the people of each purpose as CSV to this folder: those to requalify, and those who consented
    #[arg(long, value_name = "DIR")]
    pub(crate) segments: Option<PathBuf>,
    /// Whom the file is for: an erasure names everybody who was handed one (art. 19)
    #[arg(long, value_name = "NAME", requires = "segments")]
    pub(crate) to: Option<String>,
}

/// `suppressions …`
#[derive(Debug, Subcommand)]
pub(crate) enum Suppressions {
    /// List them
    List(Selection),
    /// Write them in a shape that platforms accept
    Export(Export),
    /// Take in a list of refusals from anywhere: addresses, telephone numbers or digests of them
    Import(Import),
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
    /// How addresses are written; the header of the list says how they were spelt before they were hashed
    #[arg(long, value_enum, default_value = "plain")]
    pub(crate) shape: Shape,
    /// The file to write; without it, standard output
    #[arg(long, short)]
    pub(crate) out: Option<PathBuf>,
    /// Whom the file is for: an erasure names everybody who was handed one (art. 19)
    #[arg(long, value_name = "NAME")]
    pub(crate) to: Option<String>,
}

/// `ledger …`
#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Recompute the whole chain
    Verify(VerifyLedger),
    /// Write it as JSON Lines (unisson-ledger/1) that an auditor can check without the store
    Export(ExportLedger),
}

/// `ledger verify`
#[derive(Debug, Args)]
pub(crate) struct VerifyLedger {
    /// Check an export instead of the store; needs no settings
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// `ledger export`
#[derive(Debug, Args)]
pub(crate) struct ExportLedger {
    /// The file to write, which must not exist yet, readable by its owner alone; without it, standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The first commit to write, such as the one after the last of an earlier export
    #[arg(long, value_name = "SEQ", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) since: u64,
    /// Name everybody: addresses, native ids, customer numbers, who approved what. Only to a file
    #[arg(long, requires = "out")]
    pub(crate) with_identifiers: bool,
    /// Whom the file is for: an erasure names everybody who was handed one (art. 19)
    #[arg(long, value_name = "NAME", requires = "with_identifiers")]
    pub(crate) to: Option<String>,
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
    #[arg(long, default_value_t = 5_000)]
    pub(crate) contacts: usize,
    /// Keep the folder and print where it is
    #[arg(long)]
    pub(crate) keep: bool,
}

/// `doctor`
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Also ask every platform whether it can be reached
    #[arg(long)]
    pub(crate) online: bool,
}

/// `completions`
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// `man`
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The folder to write the pages of all commands to; without it, the page of the whole program is printed
    #[arg(long, short, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
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
