//! Permissions: files with secrets or with people in them belong to their owner alone.

use std::path::{Path, PathBuf};

use unisson_store_sqlite::Files;

use super::{Chart, Finding, quoted, secret};
use crate::compose::Site;
use crate::tokens::TokenFiles;

const AREA: &str = "permissions";

/// The most files of tokens that are looked at: as many as there can be instances, twice.
const TOKENS_MAX: usize = 512;

/// What a file is, and what somebody else could do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Settings,
    Policy,
    Secret,
    Token,
    Store,
}

#[cfg(unix)]
impl Role {
    fn what(self) -> &'static str {
        match self {
            Self::Settings => "the settings file",
            Self::Policy => "the policy file",
            Self::Secret => "the secret file",
            Self::Token => "the token file",
            Self::Store => "a file of the store",
        }
    }

    /// Why it matters that these permission bits are open.
    fn why(self, open: u32) -> &'static str {
        let written = open & 0o022 != 0;
        match self {
            Self::Settings if written => "whoever can write it points the program at other platforms and stores",
            Self::Settings => "it names every account and where its secrets are",
            Self::Policy => "whoever can write it decides who may be contacted",
            Self::Secret | Self::Token => "whoever reads it can act on the platform as this program",
            Self::Store if written => {
                "whoever can write it can lose a refusal, and it holds the addresses of everybody"
            }
            Self::Store => "it holds the addresses of everybody and what they said",
        }
    }

    /// The permission bits that nobody else should have. A policy is for many to read.
    fn forbidden(self) -> u32 {
        if self == Self::Policy { 0o022 } else { 0o077 }
    }
}

pub(super) fn look(site: &Site, config: Option<&Path>, chart: &mut Chart) {
    let files = files(site, config);
    let looked_at = files.iter().filter(|(_, path)| path.exists()).count();
    if cfg!(unix) {
        chart.examined(AREA, format!("{looked_at} files with settings, secrets or people in them"));
    } else {
        chart.examined(AREA, "not examined on this system");
    }
    chart.add(files.iter().filter_map(|(role, path)| exposed(*role, path)));
}

/// Every file that matters, whether it is there or not.
fn files(site: &Site, config: Option<&Path>) -> Vec<(Role, PathBuf)> {
    let settings = config.unwrap_or(Path::new(unisson_settings::DEFAULT_FILE));
    let store = Files::of(site.store_path());
    let mut files = vec![(Role::Settings, settings.to_owned())];
    files.extend(site.settings.policy.file.iter().map(|path| (Role::Policy, path.clone())));
    files.extend(secret::files(site).into_iter().map(|path| (Role::Secret, path)));
    files.extend(tokens(site.store_path()).into_iter().map(|path| (Role::Token, path)));
    files.extend([store.database, store.log, store.shared, store.lock].map(|path| (Role::Store, path)));
    files
}

fn tokens(store: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(TokenFiles::beside(store).folder()) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.take(TOKENS_MAX).flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

#[cfg(unix)]
fn exposed(role: Role, path: &Path) -> Option<Finding> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let metadata = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let me = rustix::process::geteuid();
    let is_mine = me.is_root() || me.as_raw() == metadata.uid();
    judge(role, path, (metadata.permissions().mode() & 0o777, is_mine))
}

/// Permissions mean something else here.
#[cfg(not(unix))]
fn exposed(_: Role, _: &Path) -> Option<Finding> {
    None
}

#[cfg(unix)]
fn judge(role: Role, path: &Path, (mode, is_mine): (u32, bool)) -> Option<Finding> {
    // What belongs to another account is lent by its group: then the group is how this program reads it at all.
    let lent = if is_mine { 0 } else { 0o050 };
    let open = mode & role.forbidden() & !lent;
    if open == 0 {
        return None;
    }
    let for_all = open & 0o007 != 0;
    let who = if for_all { "every account of this machine" } else { "its group" };
    let can = match (open & 0o044 != 0, open & 0o022 != 0) {
        (true, true) => "read and written",
        (true, false) => "read",
        (false, true) => "written",
        (false, false) => "used",
    };
    let path = quoted(path);
    let what = format!("{} {path} can be {can} by {who} (mode {mode:03o})", role.what());
    let next = match (is_mine, role) {
        (true, Role::Policy) => format!("chmod go-w {path}"),
        (true, _) => format!("chmod 600 {path}"),
        (false, Role::Policy) => format!("as its owner: chmod go-w {path}"),
        (false, _) => format!("as its owner: chmod g-w,o= {path}"),
    };
    Some(Finding::problem(AREA, what).because(role.why(open)).next(next))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn told(role: Role, mode: u32, is_mine: bool) -> Option<(String, String)> {
        judge(role, Path::new("/x/y"), (mode, is_mine)).map(|finding| (finding.what, finding.next))
    }

    #[test]
    fn what_its_owner_alone_can_use_is_in_order() {
        for role in [Role::Settings, Role::Policy, Role::Secret, Role::Token, Role::Store] {
            for mode in [0o600, 0o400, 0o700] {
                assert_eq!(told(role, mode, true), None);
            }
        }
        assert_eq!(told(Role::Policy, 0o644, true), None, "a policy is for many to read");
        assert_eq!(told(Role::Secret, 0o440, false), None, "the group is how it is lent to this program");
    }

    #[test]
    fn whoever_else_can_use_it_is_told_with_the_command_that_mends_it() {
        let cases = [
            (Role::Secret, 0o640, true, "read by its group (mode 640)", "chmod 600 /x/y"),
            (Role::Secret, 0o644, true, "read by every account", "chmod 600 /x/y"),
            (Role::Store, 0o666, true, "read and written by every account", "chmod 600 /x/y"),
            (Role::Settings, 0o602, true, "written by every account", "chmod 600 /x/y"),
            (Role::Token, 0o610, true, "used by its group", "chmod 600 /x/y"),
            (Role::Policy, 0o664, true, "written by its group", "chmod go-w /x/y"),
            (Role::Secret, 0o444, false, "read by every account", "as its owner: chmod g-w,o= /x/y"),
            (Role::Settings, 0o660, false, "written by its group", "as its owner: chmod g-w,o= /x/y"),
        ];
        for (role, mode, is_mine, what, next) in cases {
            let (said, mend) = told(role, mode, is_mine).unwrap();
            assert!(said.contains(what), "{mode:o}: {said}");
            assert_eq!(mend, next, "{mode:o}");
        }
    }
}
