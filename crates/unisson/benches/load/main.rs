//! The whole program under load: `unisson sync` from a loopback server into SQLite, with facts, standings and plan.
//!
//! The server is a process of its own, and so is every sync: what is measured is what an operator pays. Four chapters:
//! everything for the first time, the same again, one contact in a thousand changed, and four platforms at once. Nothing
//! is asserted about speed here; a wrong count of contacts is a failure.

mod members;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::Value;

/// How often the memory of a sync is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// Contacts per audience where nothing else is asked for: flat memory shows in the difference.
const SIZES: [u64; 2] = [100_000, 1_000_000];
/// The platforms of the last chapter.
const PLATFORMS: u64 = 4;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Measures a sync of so many Mailchimp-shaped members.
#[derive(Parser)]
#[command(name = "load")]
struct Options {
    /// Contacts; without it, 100,000 and then 1,000,000
    #[arg(long)]
    contacts: Option<u64>,
    /// Only the first sync
    #[arg(long)]
    first: bool,
    /// Keep the folders with their stores, and say where they are
    #[arg(long)]
    keep: bool,
    /// Be the server
    #[arg(long, hide = true)]
    serve: Option<u64>,
    /// What Cargo passes to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let options = Options::parse();
    if let Some(contacts) = options.serve {
        return Ok(members::serve(contacts)?);
    }
    say(&format!(
        "{:>9}  {:<28} {:>8} {:>11} {:>9} {:>10}",
        "contacts", "chapter", "seconds", "contacts/s", "peak MB", "store MB"
    ));
    for contacts in options.contacts.map_or(SIZES.to_vec(), |contacts| vec![contacts]) {
        tell(contacts, &options)?;
    }
    Ok(())
}

/// All chapters for one size.
fn tell(contacts: u64, options: &Options) -> Result<()> {
    let server = Server::start(contacts)?;
    let one = Company::found(&server, 1)?;
    one.sync("first", contacts, &[])?;
    if !options.first {
        one.sync("again, all of it", contacts, &["--full"])?;
        one.sync("again, what changed: nothing", contacts, &[])?;
        server.change()?;
        one.sync("one in a thousand changed", contacts, &[])?;
        drop(server);
        let server = Server::start(contacts / PLATFORMS)?;
        let four = Company::found(&server, PLATFORMS)?;
        four.sync("four platforms, first", contacts, &[])?;
        if options.keep {
            say(&format!("kept {}", four.folder.keep().display()));
        }
    }
    if options.keep {
        say(&format!("kept {}", one.folder.keep().display()));
    }
    Ok(())
}

/// The process that serves the members.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(contacts: u64) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--serve", &contacts.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut url = Vec::new();
        let out = process.stdout.as_mut().ok_or("the server has no output")?;
        let mut byte = [0];
        while out.read(&mut byte)? == 1 && byte[0] != b'\n' {
            url.push(byte[0]);
        }
        Ok(Self { process, url: String::from_utf8(url)? })
    }

    /// Lets one member in a thousand unsubscribe.
    fn change(&self) -> Result<()> {
        let address = self.url.trim_start_matches("http://");
        members::ask(address, "/change")?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A folder with settings and a store.
struct Company {
    folder: tempfile::TempDir,
}

impl Company {
    fn found(server: &Server, platforms: u64) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let instance = |platform| {
            format!(
                "\n[instances.mail{platform}]\nconnector = \"mailchimp\"\nenforce = \"negatives\"\n\
                 api_key = {{ file = \"key\" }}\nbase_url = \"{}/3.0\"\n\
                 [instances.mail{platform}.lists]\n\"{}\" = {{ purpose = \"newsletter\", channel = \"email\" }}\n",
                server.url,
                members::AUDIENCE
            )
        };
        let instances: Vec<String> = (1..=platforms).map(instance).collect();
        let settings = format!("[store]\nurl = \"sqlite:unisson.db\"\n{}", instances.concat());
        std::fs::write(folder.path().join("unisson.toml"), settings)?;
        std::fs::write(folder.path().join("key"), "opens-nothing-us1")?;
        private(&folder.path().join("key"))?;
        Ok(Self { folder })
    }

    /// Runs one sync and says what it cost.
    fn sync(&self, chapter: &str, contacts: u64, more: &[&str]) -> Result<()> {
        let out = self.folder.path().join("report.json");
        let before = Instant::now();
        let mut sync = Command::new(env!("CARGO_BIN_EXE_unisson"))
            .arg("--config")
            .arg(self.folder.path().join("unisson.toml"))
            .args(["--json", "--quiet", "sync", "--dry-run"])
            .args(more)
            .stdout(std::fs::File::create(&out)?)
            .spawn()?;
        let mut peak = None;
        let status = loop {
            peak = peak_of(&sync).max(peak);
            if let Some(status) = sync.try_wait()? {
                break status;
            }
            std::thread::sleep(LOOK);
        };
        let seconds = before.elapsed().as_secs_f64();
        let report: Value = serde_json::from_slice(&std::fs::read(&out)?)?;
        let observed: u64 = report["instances"]
            .as_object()
            .map_or(0, |instances| instances.values().filter_map(|one| one["observed"].as_u64()).sum());
        let complete = !chapter.contains("first") || observed >= contacts;
        if !status.success() || !complete {
            return Err(
                format!("the sync ended with {status} after {observed} of {contacts} contacts: {report}").into()
            );
        }
        let mb = |bytes: u64| format!("{}", bytes / 1_000_000);
        let size =
            mb(size_of(&self.folder.path().join("unisson.db")) + size_of(&self.folder.path().join("unisson.db-wal")));
        #[expect(clippy::cast_precision_loss, reason = "a figure to read")]
        let rate = format!("{:.0}", observed as f64 / seconds);
        let peak = peak.map_or_else(|| "?".to_owned(), mb);
        say(&format!("{observed:>9}  {chapter:<28} {seconds:>8.2} {rate:>11} {peak:>9} {size:>10}"));
        Ok(())
    }
}

/// The most memory the process has had, in bytes, where the system tells.
fn peak_of(process: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(PathBuf::from(format!("/proc/{}/status", process.id()))).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

fn size_of(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

fn private(path: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]
fn say(line: &str) {
    println!("{line}");
}
