//! `init`: a commented settings file and a policy to start from. Nothing that exists is overwritten.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use crate::cli::Init;
use crate::command::Desk;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::{BOLD, paint};

/// The settings of a company with Mailchimp, HubSpot and a folder of files.
const SETTINGS: &str = include_str!("../../../../config/example.toml");

pub(crate) fn run(args: &Init, desk: Desk<'_>) -> Outcome {
    std::fs::create_dir_all(&args.folder)
        .map_err(|error| Failure::of(&error).next("name a folder that you may write to"))?;
    let settings = args.folder.join(unisson_settings::DEFAULT_FILE);
    let policy = args.folder.join("policy.toml");
    // The policy is for many to read; the settings name every account and where its secrets are.
    write_new(&settings, 0o600, SETTINGS)?;
    write_new(&policy, 0o644, unisson_settings::DEFAULT_POLICY)?;
    let keys = write_keys(&args.folder)?;
    for path in [&settings, &policy].into_iter().chain(&keys) {
        desk.screen.data(format!("wrote {}", path.display()))?;
    }
    desk.screen.say("the keys belong into no backup of the store: keep a copy of them elsewhere");
    desk.screen.say(format!(
        "next: describe your accounts in {}, then {} and {}",
        settings.display(),
        paint(BOLD, "unisson check"),
        paint(BOLD, "unisson sync --dry-run")
    ));
    Ok(Ending::Done)
}

/// Makes the keys that erasing needs: one that tombstones are sealed with, and one that certificates are signed with.
pub(crate) fn write_keys(folder: &Path) -> Result<[std::path::PathBuf; 2], Failure> {
    let made = |error: unisson_proof::KeyError| Failure::of(&error);
    let tombstone = unisson_proof::TombstoneKey::generate().map_err(made)?;
    let signing = unisson_proof::SigningKey::generate().map_err(made)?;
    let paths = [folder.join("tombstone-1.key"), folder.join("signing.key")];
    for (path, text) in paths.iter().zip([tombstone.to_text(), signing.to_text()]) {
        unisson_proof::write_private(path, text.as_bytes())
            .map_err(|error| Failure::of(&error).next("move it away, or name another folder: `unisson init FOLDER`"))?;
    }
    Ok(paths)
}

/// Writes a file of this mode, as far as the system knows modes.
#[cfg_attr(not(unix), expect(unused_variables, reason = "there are no modes"))]
fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    let mut file = options.open(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::new(format!("{} exists and is left as it is", path.display()))
            .next("move it away, or name another folder: `unisson init FOLDER`"),
        _ => Failure::new(format!("{}: {error}", path.display())),
    })?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}
