//! A small disk that can be full, and a program that may write only so much to a file.
//!
//! Where this user may not mount, there is no such disk; a test that wants one says so and goes without.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A disk in memory. It is gone when it is dropped, with everything on it.
#[derive(Debug)]
pub struct Disk {
    place: PathBuf,
}

impl Disk {
    /// Puts a disk of so many kibibytes where this folder is, or says why that cannot be.
    pub fn mount(place: &Path, kib: u32) -> Result<Self, String> {
        std::fs::create_dir_all(place).map_err(|error| error.to_string())?;
        run(Command::new("mount").args(["-t", "tmpfs", "-o"]).arg(format!("size={kib}k")).arg("none").arg(place))?;
        Ok(Self { place: place.to_owned() })
    }

    /// Makes it this large.
    ///
    /// # Panics
    /// Where that cannot be.
    pub fn resize(&self, kib: u32) {
        let options = format!("remount,size={kib}k");
        run(Command::new("mount").arg("-o").arg(options).arg(&self.place)).expect("what was mounted can be remounted");
    }

    /// Fills it to the last byte.
    ///
    /// # Panics
    /// Where it does not become full.
    pub fn fill(&self) {
        let written = std::fs::write(self.place.join("ballast"), vec![0; 64 * 1024 * 1024]);
        assert_eq!(written.map_err(|error| error.kind()), Err(std::io::ErrorKind::StorageFull));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What cannot be unmounted is left to the end of the machine, and no reason to hide why a test failed.
        let _ = run(Command::new("umount").arg("-l").arg(&self.place));
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) }
}

/// The same command where no file may become larger than so many kibibytes, as under a quota. It is told so by an error
/// and not by a signal.
pub fn limited(command: &Command, kib: u32) -> Command {
    let mut limited = Command::new("sh");
    // POSIX counts in blocks of 512 bytes.
    limited.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", kib * 2));
    limited.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null()).env_remove("RUST_LOG");
    limited
}
