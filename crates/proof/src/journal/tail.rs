//! Adding to the end of a file, or leaving it as it was.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use super::error::JournalError;

/// A file that grows at its end.
pub(super) trait Tail {
    /// Writes behind this many bytes.
    fn write_at(&mut self, end: u64, bytes: &[u8]) -> io::Result<()>;
    /// Returns once everything is on the disk.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file to this many bytes.
    fn cut(&mut self, end: u64) -> io::Result<()>;
}

impl Tail for File {
    fn write_at(&mut self, end: u64, bytes: &[u8]) -> io::Result<()> {
        self.seek(SeekFrom::Start(end))?;
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }

    fn cut(&mut self, end: u64) -> io::Result<()> {
        self.set_len(end)?;
        self.sync_all()
    }
}

/// Why nothing was added.
#[derive(Debug)]
pub(super) struct Failure {
    cause: io::Error,
    is_undone: bool,
}

impl Failure {
    /// Whether the file is as it was before.
    pub(super) fn is_undone(&self) -> bool {
        self.is_undone
    }

    /// The same as an error of this journal.
    pub(super) fn of(self, path: &Path) -> JournalError {
        JournalError::of(path, self.cause)
    }
}

/// Writes behind this many bytes and waits for the disk; where that fails, cuts the file back.
pub(super) fn extend(file: &mut impl Tail, end: u64, bytes: &[u8]) -> Result<(), Failure> {
    file.write_at(end, bytes).and_then(|()| file.sync()).map_err(|cause| {
        let is_undone = file.cut(end).is_ok();
        Failure { cause, is_undone }
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A disk with room for so many bytes.
    struct Disk {
        bytes: Vec<u8>,
        room: usize,
        can_sync: bool,
        can_cut: bool,
    }

    impl Tail for Disk {
        fn write_at(&mut self, end: u64, bytes: &[u8]) -> io::Result<()> {
            assert_eq!(end, self.bytes.len() as u64);
            let fits = bytes.len().min(self.room - self.bytes.len());
            self.bytes.extend_from_slice(&bytes[..fits]);
            if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        }

        fn sync(&mut self) -> io::Result<()> {
            if self.can_sync { Ok(()) } else { Err(io::Error::other("the cable is out")) }
        }

        fn cut(&mut self, end: u64) -> io::Result<()> {
            if !self.can_cut {
                return Err(io::Error::other("the cable is out"));
            }
            self.bytes.truncate(usize::try_from(end).unwrap());
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_leaves_the_file_as_it_was() {
        let mut disk = Disk { bytes: b"one\n".to_vec(), room: 6, can_sync: true, can_cut: true };
        let failure = extend(&mut disk, 4, b"two\n").unwrap_err();
        assert!(failure.is_undone() && disk.bytes == b"one\n");
        assert!(matches!(failure.of(&PathBuf::new()), JournalError::Full { .. }));
        disk.room = 8;
        extend(&mut disk, 4, b"two\n").unwrap();
        assert_eq!(disk.bytes, b"one\ntwo\n");
    }

    #[test]
    fn what_the_disk_did_not_confirm_is_taken_back() {
        let mut disk = Disk { bytes: Vec::new(), room: 9, can_sync: false, can_cut: true };
        assert!(extend(&mut disk, 0, b"one\n").unwrap_err().is_undone());
        assert!(disk.bytes.is_empty());
    }

    #[test]
    fn a_file_that_cannot_be_cut_back_is_told() {
        let mut disk = Disk { bytes: Vec::new(), room: 2, can_sync: true, can_cut: false };
        assert!(!extend(&mut disk, 0, b"one\n").unwrap_err().is_undone());
    }
}
