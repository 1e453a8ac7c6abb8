//! The file that a snapshot goes to: temporary until it is whole.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile, TempPath};

use super::fork;
use crate::engine::config::Config;
use crate::serve::process::system::reason;

/// How much is written between two hints to the kernel to begin writing it to the disk.
const SYNC_EVERY: u64 = 4 << 20;

/// An output file that asks the kernel to write as it goes, so that the sync at the end is short.
pub(in crate::serve) struct Paced {
    file: File,
    written: u64,
    hinted: u64,
    paced: bool,
}

impl Paced {
    /// Makes what was written durable.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }
}

impl Write for Paced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.written += n as u64;
        if self.paced && self.written - self.hinted >= SYNC_EVERY {
            fork::start_writeback(self.file.as_raw_fd(), self.hinted, self.written - self.hinted);
            self.hinted = self.written;
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A snapshot's file in the making. Dropped, it leaves nothing behind.
pub(in crate::serve) struct Target {
    /// What is written to.
    pub file: Paced,
    temporary: NamedTempFile,
    path: PathBuf,
    dir: PathBuf,
}

impl Target {
    /// Creates the temporary file in `dir`. The error is for the log.
    pub fn create(config: &Config) -> Result<Target, String> {
        let dir = config.dir.clone();
        let name = temporary_name(std::process::id());
        let failed = |error: io::Error| {
            format!(
                "Failed opening the temp RDB file {name} (in server root dir {}) for saving: {}",
                dir.display(),
                reason(&error)
            )
        };
        // There is one save at a time: what has the name is of an earlier process with our number.
        let _ = std::fs::remove_file(dir.join(&name));
        let temporary = Builder::new().prefix(&name).rand_bytes(0).tempfile_in(&dir).map_err(failed)?;
        open_mode(temporary.as_file()).map_err(failed)?;
        let file = temporary.as_file().try_clone().map_err(failed)?;
        let paced = config.rdb_save_incremental_fsync;
        let path = dir.join(&config.dbfilename);
        Ok(Target { file: Paced { file, written: 0, hinted: 0, paced }, temporary, path, dir })
    }

    /// The descriptor that the child keeps.
    pub fn fd(&self) -> RawFd {
        self.file.file.as_raw_fd()
    }

    /// Names the temporary file after the child that writes it, as people and tools look for it. Where that fails it
    /// keeps the name that it has.
    pub fn name_after(self, child: u32) -> Target {
        let named = self.dir.join(temporary_name(child));
        let (file, path) = self.temporary.into_parts();
        let temporary = match std::fs::rename(&path, &named).and_then(|()| TempPath::try_from_path(named)) {
            Ok(named) => {
                // Nothing has this name any more.
                let _ = path.keep();
                NamedTempFile::from_parts(file, named)
            }
            Err(_) => NamedTempFile::from_parts(file, path),
        };
        Target { temporary, ..self }
    }

    /// The file, to be read, without a name.
    pub fn into_file(self) -> io::Result<File> {
        self.temporary.reopen()
    }

    /// The temporary file's path.
    pub fn temporary(&self) -> &Path {
        self.temporary.path()
    }

    /// Syncs, and puts the file in the old one's place.
    pub fn replace(self) -> Result<(), String> {
        self.file.sync().map_err(|error| super::write_error("fsync", &error))?;
        self.rename()?.sync()
    }

    /// Puts a file that is synced already (by the child) in the old one's place. It counts once the directory is
    /// synced, too.
    pub fn rename(self) -> Result<Replaced, String> {
        let Target { temporary, path, dir, .. } = self;
        let name = temporary.path().to_owned();
        let old = hold(&path);
        temporary.persist(&path).map_err(|error| {
            format!(
                "Error moving temp DB file {} on the final destination {}: {}",
                name.display(),
                path.display(),
                reason(&error.error)
            )
        })?;
        Ok(Replaced { dir, _old: old })
    }
}

/// A file was replaced. The old one goes as this is dropped, which takes as long as it is big: not with the engine's
/// lock held.
pub(in crate::serve) struct Replaced {
    dir: PathBuf,
    _old: Option<File>,
}

impl Replaced {
    /// Makes the replacement durable.
    pub fn sync(&self) -> Result<(), String> {
        let synced = File::open(&self.dir).and_then(|dir| dir.sync_all());
        synced.map_err(|error| format!("Failed to fsync directory while saving DB: {}", reason(&error)))
    }
}

/// Keeps a file that is about to lose its name. It is not opened for anything: it could be a pipe.
fn hold(path: &Path) -> Option<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().read(true).custom_flags(libc::O_PATH | libc::O_NOFOLLOW).open(path).ok()
}

/// Readable by others as the umask allows, as files of the real server are; `tempfile` makes it private.
fn open_mode(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o666 & !fork::umask()))
}

/// Removes temporary snapshots that processes left behind which no longer live. At the start, when one with our own
/// number is of an earlier life (in a container that is the rule).
pub(in crate::serve) fn remove_stale(dir: &Path) {
    let own = std::process::id();
    remove(dir, |pid| pid == own || !lives(pid));
}

/// Whether a process is there; one that has ended and that nobody has asked after is not.
fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Behind the name, which is in parentheses and may hold anything.
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with(['Z', 'X']))
}

/// Removes this process's temporary snapshots, as it is about to end.
pub(in crate::serve) fn remove_own(dir: &Path) {
    let own = std::process::id();
    remove(dir, |pid| pid == own);
}

fn remove(dir: &Path, unwanted: impl Fn(u32) -> bool) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_str().and_then(owner_of).is_some_and(&unwanted) {
            // Somebody else's by now, or gone: either way not ours to worry about.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The name of a snapshot in the making, by the number of the process that writes it.
pub(super) fn temporary_name(process: u32) -> String {
    format!("temp-{process}.rdb")
}

/// The process of a temporary snapshot's name.
fn owner_of(name: &str) -> Option<u32> {
    let middle = name.strip_prefix("temp-")?.strip_suffix(".rdb")?;
    // Older versions of this server put something behind the number.
    middle.split_once('-').map_or(middle, |(number, _)| number).parse().ok()
}
