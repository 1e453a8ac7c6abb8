//! The disk as the log needs it: a trait, so that tests can lend one that forgets, tears and fails.
//!
//! Nothing is durable by itself: a file's bytes are after [`DiskFile::sync`], names (new, renamed, removed) after
//! [`Disk::sync_dir`] of the directory that they are in.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;
use std::sync::Arc;

/// A file that only grows, or is cut at its end.
pub trait DiskFile: Send + Sync {
    /// Appends as much as one write takes; how much that was.
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;
    /// Cuts the file to `len` bytes; what is written next comes behind them.
    fn truncate(&self, len: u64) -> io::Result<()>;
    /// Makes durable what was written. After an error nobody knows what of it is.
    fn sync(&self) -> io::Result<()>;
    /// The descriptor, for a forked child.
    fn descriptor(&self) -> Option<RawFd>;
}

/// Where files are.
pub trait Disk: Send + Sync {
    /// Makes a directory. It may be there already.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// A new file; one that is there already is emptied.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// A file to append to; it need not be there yet.
    fn append(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// All of a file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// A file's length in bytes.
    fn size(&self, path: &Path) -> io::Result<u64>;
    /// Gives a file another name, in place of whatever had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
}

/// Appends all of `bytes`, in as many writes as it takes. The error says how much was written before it.
pub fn write_all(file: &dyn DiskFile, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
            Ok(n) => written += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((written, error)),
        }
    }
    Ok(())
}

/// The disk of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

struct RealFile(File);

impl DiskFile for RealFile {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        (&self.0).write(bytes)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        match self.0.sync_data() {
            // A pipe or a device: nothing of it is kept anywhere.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
            done => done,
        }
    }

    fn descriptor(&self) -> Option<RawFd> {
        Some(self.0.as_raw_fd())
    }
}

/// Files are opened to append, so that a cut one goes on at its new end.
fn open(path: &Path, empty: bool) -> io::Result<Arc<dyn DiskFile>> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = OpenOptions::new().append(true).create(true).mode(0o644).open(path)?;
    if empty {
        file.set_len(0)?;
    }
    Ok(Arc::new(RealFile(file)))
}

impl Disk for RealDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        use std::os::unix::fs::DirBuilderExt;
        match std::fs::DirBuilder::new().mode(0o755).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            other => other,
        }
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        open(path, true)
    }

    fn append(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        open(path, false)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn size(&self, path: &Path) -> io::Result<u64> {
        Ok(std::fs::metadata(path)?.len())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}
