//! The log's files: where they are, how one takes another's place.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::save::start_writeback;
use crate::engine::config::Config;
use crate::persist::aof::disk::write_all;
use crate::persist::aof::{Disk, DiskFile, Manifest, Names, Part};
use crate::text::os::reason;
use crate::{notice, warning};

/// The directory of a log, and what is in it.
pub(super) struct Files<'d> {
    disk: &'d dyn Disk,
    /// `dir`
    home: PathBuf,
    /// `appenddirname` in `dir`
    dir: PathBuf,
    names: Names,
}

/// What failed is in the log, in the real server's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::serve) struct Logged;

/// A manifest could not be replaced, as the log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreplaced {
    /// The old one is there.
    Before,
    /// The new one is there, but nobody knows which is after a crash.
    InPlace,
}

impl From<Unreplaced> for Logged {
    fn from(_: Unreplaced) -> Logged {
        Logged
    }
}

/// Logs an error and what it was about.
pub(super) fn logged(what: &str, error: &io::Error) -> Logged {
    warning!("{what}: {}", reason(error));
    Logged
}

impl<'d> Files<'d> {
    pub fn of(config: &Config, disk: &'d dyn Disk) -> Files<'d> {
        use std::os::unix::ffi::OsStrExt;
        let home = config.dir.clone();
        let dir = home.join(&config.appenddirname);
        let names = Names::of(config.appendfilename.as_os_str().as_bytes());
        Files { disk, home, dir, names }
    }

    /// How the files are called.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Makes the directory, if need be.
    pub fn make_dir(&self) -> Result<(), Logged> {
        let made = self.disk.create_dir(&self.dir).and_then(|()| self.disk.sync_dir(&self.home));
        made.map_err(|error| {
            logged(&format!("Can't open or create append-only dir {}", shown(&self.dir)), &error)
        })
    }

    /// What is there; nothing if there is no manifest.
    pub fn manifest(&self) -> Result<Manifest, Logged> {
        match self.disk.read(&self.path(&self.names.manifest())) {
            Ok(text) => Manifest::parse(&text).map_err(|error| {
                error.notes().iter().for_each(|note| warning!("{}", note.trim()));
                Logged
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Manifest::default()),
            Err(error) => Err(logged("Fatal error: can't open the AOF manifest file for reading", &error)),
        }
    }

    /// Puts a manifest in place of the old one. What it names is there, and its name durable, before it is.
    pub fn replace_manifest(&self, manifest: &Manifest) -> Result<(), Unreplaced> {
        self.write_manifest(manifest).map_err(|Logged| Unreplaced::Before)?;
        self.sync_dir().map_err(|Logged| Unreplaced::InPlace)
    }

    fn sync_dir(&self) -> Result<(), Logged> {
        let synced = self.disk.sync_dir(&self.dir);
        synced.map_err(|error| logged(&format!("Fail to fsync AOF directory {}", shown(&self.dir)), &error))
    }

    fn write_manifest(&self, manifest: &Manifest) -> Result<(), Logged> {
        let (temporary, name) = (self.names.temp_manifest(), self.names.manifest());
        let (temporary_shown, name_shown) = (text(&temporary), text(&name));
        self.sync_dir()?;
        let path = self.path(&temporary);
        let file = self.disk.create(&path).map_err(|error| {
            logged(&format!("Can't open the AOF manifest file {temporary_shown}"), &error)
        })?;
        write_all(&*file, &manifest.print()).map_err(|(_, error)| {
            logged(
                &format!("Error trying to write the temporary AOF manifest file {temporary_shown}"),
                &error,
            )
        })?;
        file.sync()
            .map_err(|error| logged(&format!("Fail to fsync the temp AOF file {temporary_shown}"), &error))?;
        self.disk.rename(&path, &self.path(&name)).map_err(|error| {
            let what = "Error trying to rename the temporary AOF manifest file";
            logged(&format!("{what} {temporary_shown} into {name_shown}"), &error)
        })
    }

    /// Removes what the manifest, which is durable, does not name any more.
    pub fn remove_history(&self, history: &[Part]) {
        for part in history {
            notice!("Removing the history file {} in the background", part.shown());
            // What stays is of no use, and no harm.
            let _ = self.disk.remove(&part.path_in(&self.dir));
        }
    }

    /// Opens a file to append to.
    pub fn append(&self, name: &[u8]) -> Result<Arc<dyn DiskFile>, Logged> {
        let opened = self.disk.append(&self.path(name));
        opened.map_err(|error| logged(&format!("Can't open the append-only file {}", text(name)), &error))
    }

    /// A new, empty file.
    pub fn create(&self, name: &[u8]) -> Result<Arc<dyn DiskFile>, Logged> {
        let created = self.disk.create(&self.path(name));
        created.map_err(|error| logged(&format!("Can't open the append-only file {}", text(name)), &error))
    }

    /// A new file in `dir` for a base in the making.
    pub fn create_temporary(&self, name: &str, paced: bool) -> Result<Base, Logged> {
        let path = self.temporary(name);
        let what = "Opening the temp file for AOF rewrite in rewriteAppendOnlyFile()";
        let file = self.disk.create(&path).map_err(|error| logged(what, &error))?;
        Ok(Base { file, path, written: 0, hinted: 0, paced })
    }

    /// The path of a base in the making.
    pub fn temporary(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// The length of the base, if there is one.
    pub fn base_size(&self, manifest: &Manifest) -> u64 {
        manifest.base().map_or(0, |base| self.size(&base.name))
    }

    /// Gives a base in the making, synced by now, its name.
    pub fn place_base(&self, temporary: &Path, name: &[u8]) -> io::Result<()> {
        self.disk.rename(temporary, &self.path(name))
    }

    /// Gives a file another name.
    pub fn rename(&self, from: &[u8], to: &[u8]) -> io::Result<()> {
        self.disk.rename(&self.path(from), &self.path(to))
    }

    /// Removes a file, if it is there.
    pub fn remove(&self, path: &Path) {
        // Gone already, or the disk is in no state to remove files: either way nothing depends on it.
        let _ = self.disk.remove(path);
    }

    /// A file's length. 0, and a line in the log, if it can't be told.
    pub fn size(&self, name: &[u8]) -> u64 {
        self.disk.size(&self.path(name)).unwrap_or_else(|error| {
            let name = text(name);
            warning!("Unable to obtain the AOF file {name} length. stat: {}", reason(&error));
            0
        })
    }

    /// The path of a file in the log's directory.
    pub fn path(&self, name: &[u8]) -> PathBuf {
        use std::os::unix::ffi::OsStrExt;
        self.dir.join(std::ffi::OsStr::from_bytes(name))
    }
}

/// A name as log lines show it.
pub(super) fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

fn shown(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// How much of a base is written between two hints to the kernel to begin writing it to the disk.
const HINT_EVERY: u64 = 4 << 20;

/// A base in the making.
pub(super) struct Base {
    pub file: Arc<dyn DiskFile>,
    pub path: PathBuf,
    written: u64,
    hinted: u64,
    paced: bool,
}

impl Write for Base {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.written += n as u64;
        if self.paced
            && self.written - self.hinted >= HINT_EVERY
            && let Some(fd) = self.file.descriptor()
        {
            start_writeback(fd, self.hinted, self.written - self.hinted);
            self.hinted = self.written;
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
