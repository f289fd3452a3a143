//! `sandbox`: local twins of the platforms, served until the program is interrupted, with settings that fit them.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use unisson_sandbox::{Options, Sandbox};

use crate::cli;
use crate::command::Desk;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::{BOLD, paint};

/// Where the twins are.
#[derive(Serialize)]
struct Twins {
    mailchimp: String,
    mailchimp_key: String,
    hubspot: String,
    hubspot_token: String,
    brevo: String,
    brevo_key: String,
    settings: Option<PathBuf>,
}

pub(crate) async fn run(args: &cli::Sandbox, desk: Desk<'_>) -> Outcome {
    let contacts =
        u32::try_from(args.contacts).map_err(|_| Failure::new("so many people are more than a twin can hold"))?;
    let mut options = Options { seed: args.seed, contacts, epoch: Timestamp::now(), ..Options::default() };
    // Zero asks for free ports, for each twin.
    let port = |nth| if args.port == 0 { 0 } else { args.port.saturating_add(nth) };
    (options.mailchimp.port, options.hubspot.port, options.brevo.port) = (port(0), port(1), port(2));
    let (key, token) = (options.mailchimp.key.reveal().to_owned(), options.hubspot.token.reveal().to_owned());
    let brevo_key = options.brevo.key.reveal().to_owned();
    let sandbox = Sandbox::start(options).await.map_err(|error| Failure::of(&error))?;
    let settings = args.folder.as_deref().map(|folder| write_site(folder, &sandbox)).transpose()?;
    let twins = Twins {
        mailchimp: sandbox.mailchimp().base_url(),
        mailchimp_key: key,
        hubspot: sandbox.hubspot().base_url(),
        hubspot_token: token,
        brevo: sandbox.brevo().base_url(),
        brevo_key,
        settings,
    };
    if desk.screen.json {
        desk.screen.object(&twins)?;
    } else {
        desk.screen.data(format!("Mailchimp  {}  key {}", paint(BOLD, &twins.mailchimp), twins.mailchimp_key))?;
        desk.screen.data(format!("HubSpot    {}  token {}", paint(BOLD, &twins.hubspot), twins.hubspot_token))?;
        desk.screen.data(format!("Brevo      {}  key {}", paint(BOLD, &twins.brevo), twins.brevo_key))?;
        if let Some(settings) = &twins.settings {
            desk.screen.say(format!("next, in another terminal: unisson --config {} check", settings.display()));
        }
        desk.screen.say("serving until interrupted (Ctrl-C)");
    }
    tokio::signal::ctrl_c().await?;
    sandbox.shutdown().await;
    Ok(Ending::Done)
}

/// Writes settings, keys and a file export that fit a sandbox into a folder; answers where the settings are.
pub(crate) fn write_site(folder: &Path, sandbox: &Sandbox) -> Result<PathBuf, Failure> {
    let exports = folder.join("exports");
    std::fs::create_dir_all(&exports)?;
    sandbox.population().write_csv(&exports.join("shop.csv")).map_err(|error| Failure::of(&error))?;
    let defaults = Options::default();
    write_secret(&folder.join("mailchimp.key"), defaults.mailchimp.key.reveal())?;
    write_secret(&folder.join("hubspot.token"), defaults.hubspot.token.reveal())?;
    write_secret(&folder.join("brevo.key"), defaults.brevo.key.reveal())?;
    if !folder.join("tombstone-1.key").exists() {
        super::init::write_keys(folder)?;
    }
    let settings = folder.join(unisson_settings::DEFAULT_FILE);
    let text = SETTINGS
        .replace("http://127.0.0.1:9400/3.0", &sandbox.mailchimp().base_url())
        .replace("http://127.0.0.1:9401", &sandbox.hubspot().base_url())
        .replace("http://127.0.0.1:9402/v3", &sandbox.brevo().base_url());
    // No secret stands in it, but where each of them is.
    write_secret(&settings, &text)?;
    Ok(settings)
}

/// A file that only its owner can read.
fn write_secret(path: &Path, secret: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(secret.as_bytes())?;
    Ok(())
}

/// Settings that fit the twins and their file.
const SETTINGS: &str = include_str!("../../../../config/sandbox.toml");
