//! Files that only their owner may read, and that nothing overwrites.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a private file was not written.
#[derive(Debug, Error)]
pub enum FileError {
    /// Something is there already.
    #[error("`{}` is there already and is not overwritten: choose another path, or move it away", path.display())]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("there is no room for `{}`: make room and try again", path.display())]
    Full {
        /// Where.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The system refuses.
    #[error("`{}` cannot be written: check the folder and who may write there", path.display())]
    Refused {
        /// Where.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
}

/// Writes a new file that only its owner may read (mode 0600 where there are modes). It is on the disk when this returns;
/// where writing fails, nothing is left. What is there already is never overwritten.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let mut file = options().create_new(true).open(path).map_err(|source| failed(path, source))?;
    let written = file.write_all(content).and_then(|()| file.sync_all()).and_then(|()| sync_folder(path));
    written.map_err(|source| {
        // Half a key is worse than none. Where even this fails, the error below says what to look at.
        let _ = std::fs::remove_file(path);
        failed(path, source)
    })
}

/// Opens a private file to read and write, and makes it where it is missing; whether it is new.
pub(crate) fn open_private(path: &Path) -> std::io::Result<(File, bool)> {
    match options().read(true).create_new(true).open(path) {
        Ok(file) => Ok((file, true)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let file = options().read(true).open(path)?;
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
            }
            Ok((file, false))
        }
        Err(error) => Err(error),
    }
}

/// Makes the name of a new file last: a crash may otherwise leave its folder without it.
pub(crate) fn sync_folder(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn failed(path: &Path, source: std::io::Error) -> FileError {
    let path = path.to_owned();
    match source.kind() {
        ErrorKind::AlreadyExists => FileError::Exists { path },
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => FileError::Full { path, source },
        _ => FileError::Refused { path, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_reads_it_and_nothing_overwrites_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write_private(&path, b"one").unwrap();
        assert!(matches!(write_private(&path, b"two"), Err(FileError::Exists { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_elsewhere_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
        assert!(matches!(write_private(&path, b"x"), Err(FileError::Exists { .. })));
        assert!(!folder.path().join("elsewhere").exists());
    }

    #[test]
    fn a_folder_that_is_not_there_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(write_private(&folder.path().join("no/key"), b"x"), Err(FileError::Refused { .. })));
    }
}
