//! A data set on disk belongs to one process: two that save, log and clean up in one place would take each other's
//! files away.
//!
//! A lock is an advisory one (`flock`) on a hidden file beside the data set: one for the snapshot, by its name, one
//! for the append log, by the names of its directory and files; so servers with names of their own can share a
//! directory, as real ones often do. The kernel lets go of it when the process ends, however it ends. A forked child
//! closes what it inherited first of all, so that one which outlives its parent holds nothing. The file itself means
//! nothing: it is removed in an orderly end, and may lie there after another.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf, absolute};

use crate::warning;

/// A lock that this process has, until it is dropped.
pub struct Lock {
    path: PathBuf,
    /// Whose lock it is.
    file: File,
}

impl Lock {
    /// Locks a file, which is made if need be. `None`: there is no locking here.
    pub fn take(path: &Path) -> Result<Option<Lock>, Taken> {
        loop {
            let Ok(mut file) = open(path, true) else { return Ok(None) };
            match file.try_lock() {
                Ok(()) if is_at(&file, path) => {
                    // For whoever finds it locked.
                    let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
                    return Ok(Some(Lock { path: path.to_owned(), file }));
                }
                // The one who had it has just removed it.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(Taken::by_owner(path, &file)),
                Err(TryLockError::Error(error)) => {
                    warning!("Can't lock {}: {error}", path.display());
                    return Ok(None);
                }
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether others find it: the directory may have been removed, and made anew.
    pub fn is_there(&self) -> bool {
        is_at(&self.file, &self.path)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.is_there() {
            // While the lock is held, so nobody else's. One that can't be removed is no harm.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Another process has the data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The file that stands for the data set.
    pub path: PathBuf,
    /// As it wrote its number down.
    owner: String,
}

impl Taken {
    fn by_owner(path: &Path, file: &File) -> Taken {
        let mut text = String::new();
        // A number, or nothing worth showing.
        let read = file.take(16).read_to_string(&mut text);
        let is_number = read.is_ok() && text.bytes().all(|c| c.is_ascii_digit());
        let owner = if is_number { text } else { String::new() };
        Taken { path: path.to_owned(), owner }
    }
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dir = self.path.parent().unwrap_or(&self.path);
        write!(f, "The data set in {} belongs to another process", dir.display())?;
        match self.owner.as_str() {
            "" => Ok(()),
            owner => write!(f, " (pid {owner})"),
        }
    }
}

/// Whoever has the lock of a file now. Nothing is made, and nothing kept.
pub fn owner(path: &Path) -> Option<Taken> {
    let file = open(path, false).ok()?;
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)).then(|| Taken::by_owner(path, &file))
}

/// The file that stands for the snapshot of this name.
pub fn of_snapshot(dir: &Path, name: &OsStr) -> PathBuf {
    hidden(dir, &[name])
}

/// The file that stands for an append log: its directory and the stem of its files.
pub fn of_log(dir: &Path, appenddirname: &OsStr, appendfilename: &OsStr) -> PathBuf {
    hidden(dir, &[appenddirname, appendfilename])
}

/// The file that stands for the append log to which a file belongs, by its place and name
/// (`appendonlydir/appendonly.aof.1.incr.aof`).
pub fn of_part(part: &Path) -> Option<PathBuf> {
    let part = absolute(part).ok()?;
    let stem = part.file_name()?.as_bytes().rsplitn(4, |c| *c == b'.').nth(3)?;
    let folder = part.parent()?;
    Some(of_log(folder.parent()?, folder.file_name()?, OsStr::from_bytes(stem)))
}

fn hidden(dir: &Path, names: &[&OsStr]) -> PathBuf {
    let mut name = OsString::new();
    names.iter().for_each(|part| {
        name.push(".");
        name.push(part);
    });
    name.push(".lock");
    absolute(dir).unwrap_or_else(|_| dir.to_owned()).join(name)
}

fn open(path: &Path, create: bool) -> io::Result<File> {
    // Whatever lies there under this name, opening it neither waits nor leads elsewhere.
    let flags = libc::O_NONBLOCK | libc::O_NOFOLLOW;
    let mut options = OpenOptions::new();
    options.read(true).write(create).create(create).truncate(false).mode(0o644).custom_flags(flags).open(path)
}

fn is_at(file: &File, path: &Path) -> bool {
    let place = |meta: Metadata| (meta.dev(), meta.ino());
    match (file.metadata().map(place), std::fs::symlink_metadata(path).map(place)) {
        (Ok(ours), Ok(there)) => ours == there,
        _ => false,
    }
}
