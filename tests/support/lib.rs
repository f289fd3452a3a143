//! A company in a temporary folder: twins of its platforms, settings that fit them, and the binary as its users run it.

mod deed;
mod disk;
mod gate;
mod picture;
pub mod raw;
mod runner;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use unisson_sandbox::{Options, Pace, Sandbox};

pub use deed::{Deed, deeds};
pub use disk::{Disk, limited};
pub use gate::{Gate, Hold, Kind, Passage, Side};
pub use picture::Picture;
pub use runner::{Log, Phase, Runner, Watched};

/// The settings that ship for the sandbox.
const SETTINGS: &str = include_str!("../../config/sandbox.toml");

/// The program, built once for this test process.
///
/// # Panics
/// Where Cargo cannot build it: then nothing can be tested.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let mut test = std::env::current_exe().expect("a test knows where it is");
        // target/debug/deps/test-1234 -> target/debug
        test.pop();
        test.pop();
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--locked", "-p", "unisson"]);
        if test.ends_with("release") {
            build.arg("--release");
        }
        let built = build.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo runs");
        assert!(built.success(), "cargo builds the program");
        test.join(format!("unisson{}", std::env::consts::EXE_SUFFIX))
    })
}

/// A company with its twins.
#[derive(Debug)]
pub struct Company {
    folder: tempfile::TempDir,
    /// The platforms.
    pub twins: Sandbox,
}

/// How one command ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ended {
    /// How this command ends.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub async fn by(mut command: Command) -> Self {
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("it starts");
        Self::of(&output)
    }

    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Standard output as JSON.
    ///
    /// # Panics
    /// Where it is none: the output is shown.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }
}

impl Company {
    /// A company of so many people, the same ones for the same seed. `change` can rewrite its settings.
    ///
    /// # Panics
    /// Where the machine refuses a socket or a file.
    pub async fn found(seed: u64, contacts: u32, change: impl FnOnce(String) -> String) -> Self {
        // Virtual time stands still, so that two companies of one seed are the same to the second.
        let epoch = "2026-11-01T00:00:00Z".parse().expect("a moment");
        let options = Options { seed, contacts, epoch, pace: Pace::Standing, ..Options::default() }.without_limits();
        let defaults = Options::default();
        let twins = Sandbox::start(options).await.expect("the twins start");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        std::fs::create_dir(path.join("exports")).expect("a folder");
        twins.population().write_csv(&path.join("exports/shop.csv")).expect("the export is written");
        write_private(&path.join("mailchimp.key"), defaults.mailchimp.key.reveal());
        write_private(&path.join("hubspot.token"), defaults.hubspot.token.reveal());
        write_private(&path.join("brevo.key"), defaults.brevo.key.reveal());
        // Keys that open nothing but this folder.
        write_private(&path.join("tombstone-1.key"), &"07".repeat(32));
        write_private(&path.join("signing.key"), &"09".repeat(32));
        let settings = SETTINGS
            .replace("http://127.0.0.1:9400/3.0", &twins.mailchimp().base_url())
            .replace("http://127.0.0.1:9401", &twins.hubspot().base_url())
            .replace("http://127.0.0.1:9402/v3", &twins.brevo().base_url());
        std::fs::write(path.join("unisson.toml"), change(settings)).expect("the settings are written");
        Self { folder, twins }
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Forgets everything that was learnt, so that the next sync is the first.
    ///
    /// # Panics
    /// Where a file of the store cannot be removed.
    pub fn forget(&self) {
        for file in ["unisson.db", "unisson.db-wal", "unisson.db-shm"] {
            let path = self.path().join(file);
            if path.exists() {
                std::fs::remove_file(path).expect("the file is removed");
            }
        }
    }

    /// A command of the program on this company.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.arg("--config").arg(self.path().join("unisson.toml")).args(arguments);
        command.env_remove("RUST_LOG").stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    ///
    /// # Panics
    /// Where the program cannot be started.
    pub async fn run(&self, arguments: &[&str]) -> Ended {
        Ended::by(self.command(arguments)).await
    }

    /// Starts a command and leaves it running.
    ///
    /// # Panics
    /// Where the program cannot be started.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
    }

    /// Syncs, approves what the guard holds, and syncs until a run plans nothing.
    ///
    /// # Panics
    /// Where that does not come to rest within ten runs.
    pub async fn settle(&self) -> Vec<Ended> {
        let mut runs = Vec::new();
        for _ in 0..10 {
            let run = self.run(&["sync", "--json"]).await;
            let report = run.json();
            let held = run.code == 3;
            let rests = !held && planned(&report) == 0 && delivered(&report) == 0;
            for name in held_runs(&report) {
                runs.push(self.run(&["approve", &name, "--json"]).await);
            }
            runs.push(run);
            if rests {
                return runs;
            }
        }
        panic!("the company does not come to rest: {:?}", runs.last());
    }

    /// Everybody who must not be contacted, as `address purpose channel reason`.
    ///
    /// # Panics
    /// Where the list cannot be read.
    pub async fn suppressions(&self) -> Vec<String> {
        let list = self.run(&["suppressions", "list", "--json"]).await.json();
        let word = |line: &Value, key: &str| line[key].as_str().expect("a word").to_owned();
        let mut lines: Vec<String> = list
            .as_array()
            .expect("a list")
            .iter()
            .map(|line| {
                let [address, purpose, channel, reason] =
                    ["address", "purpose", "channel", "reason"].map(|key| word(line, key));
                format!("{address} {purpose} {channel} {reason}")
            })
            .collect();
        lines.sort();
        lines
    }
}

/// The runs whose changes the guard holds.
///
/// # Panics
/// Where the report is none.
pub fn held_runs(report: &Value) -> Vec<String> {
    let instances = report["instances"].as_object().expect("instances");
    let held = instances.values().filter_map(|part| part["held"].as_object());
    let mut runs: Vec<String> = held.flat_map(|held| held.keys().cloned()).collect();
    runs.sort();
    runs.dedup();
    runs
}

/// How many changes a run planned.
///
/// # Panics
/// Where the report is none.
pub fn planned(report: &Value) -> u64 {
    figure(report, "planned")
}

/// How many changes a run delivered, with whatever outcome.
///
/// # Panics
/// Where the report is none.
pub fn delivered(report: &Value) -> u64 {
    figure(report, "delivered")
}

fn figure(report: &Value, name: &str) -> u64 {
    let instances = report["instances"].as_object().expect("instances");
    let figures = instances.values().filter_map(|part| part[name].as_object());
    figures.flat_map(|figures| figures.values().filter_map(Value::as_u64)).sum()
}

fn write_private(path: &Path, text: &str) {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).expect("a file");
    file.write_all(text.as_bytes()).expect("the file is written");
}
