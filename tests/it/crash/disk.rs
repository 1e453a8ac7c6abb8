//! A disk in memory that forgets what was not synced, contents and names apart, and at one operation cuts, tears or
//! fails as it is told.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use resnap::persist::aof::{Disk, DiskFile};

/// What happens at an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The power goes: nothing happens any more. Half of a write may have come through.
    Cut,
    /// It fails with this error, and so do the next ones, so many in all.
    Error { errno: i32, times: usize },
    /// A write comes through by half, and what is behind it fails: the disk is full.
    Short,
}

#[derive(Clone, Default)]
struct Inode {
    bytes: Vec<u8>,
    /// What is there after the power was gone.
    durable: Vec<u8>,
    /// Ranges that a failed sync has lost: the system takes them for written.
    lost: Vec<(usize, usize)>,
}

/// A change of names.
#[derive(Clone)]
enum Change {
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf, usize),
}

#[derive(Clone, Default)]
struct State {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    pending: Vec<Change>,
    /// Operations so far, and the one with a fault.
    count: usize,
    fault: Option<(usize, Fault)>,
    off: bool,
    log: Vec<String>,
    /// What every operation takes.
    takes: Duration,
}

/// Files by their paths.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

#[derive(Clone, Default)]
pub struct SimDisk(Arc<Mutex<State>>);

struct SimFile {
    disk: SimDisk,
    inode: usize,
}

fn error(errno: i32) -> io::Error {
    io::Error::from_raw_os_error(errno)
}

fn apply(names: &mut BTreeMap<PathBuf, usize>, change: &Change) {
    match change {
        Change::Link(path, inode) => drop(names.insert(path.clone(), *inode)),
        Change::Unlink(path) => drop(names.remove(path)),
        Change::Rename(from, to, inode) => {
            names.remove(from);
            names.insert(to.clone(), *inode);
        }
    }
}

impl Change {
    /// The directory that must be synced for it.
    fn dir(&self) -> Option<&Path> {
        match self {
            Change::Link(path, _) | Change::Unlink(path) | Change::Rename(_, path, _) => path.parent(),
        }
    }
}

impl State {
    /// Counts an operation; what becomes of it.
    fn step(&mut self, what: impl FnOnce() -> String) -> Option<Fault> {
        let number = self.count;
        if self.off {
            return Some(Fault::Cut);
        }
        self.count += 1;
        self.log.push(what());
        std::thread::sleep(self.takes);
        let (at, fault) = self.fault?;
        let happens = match fault {
            Fault::Error { times, .. } => (at..at + times).contains(&number),
            Fault::Cut => number >= at,
            Fault::Short => number == at || number == at + 1,
        };
        self.off = happens && fault == Fault::Cut;
        happens.then_some(fault)
    }

    /// An operation that is done or not.
    fn whole(&mut self, what: impl FnOnce() -> String) -> io::Result<()> {
        match self.step(what) {
            None => Ok(()),
            Some(Fault::Error { errno, .. }) => Err(error(errno)),
            Some(Fault::Cut) => Err(error(libc::EIO)),
            Some(Fault::Short) => Err(error(libc::ENOSPC)),
        }
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.names, &change);
        self.pending.push(change);
    }

    fn open(&mut self, path: &Path) -> usize {
        if let Some(inode) = self.names.get(path) {
            return *inode;
        }
        let inode = self.inodes.len();
        self.inodes.push(Inode::default());
        self.change(Change::Link(path.to_owned(), inode));
        inode
    }

    fn files(&self, names: &BTreeMap<PathBuf, usize>, content: impl Fn(&Inode) -> Vec<u8>) -> Files {
        names.iter().map(|(path, inode)| (path.clone(), content(&self.inodes[*inode]))).collect()
    }
}

impl SimDisk {
    /// One with a fault at an operation, counted from 0.
    pub fn with(fault: Option<(usize, Fault)>) -> SimDisk {
        let disk = SimDisk::default();
        disk.state().fault = fault;
        disk
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics with it")
    }

    /// A file that is there from the beginning: of its bytes so many are durable.
    pub fn put(&self, path: &Path, bytes: &[u8], durable: usize) {
        let mut state = self.state();
        let inode = state.inodes.len();
        state.inodes.push(Inode { bytes: bytes.into(), durable: bytes[..durable].into(), lost: Vec::new() });
        state.names.insert(path.into(), inode);
        state.durable_names.insert(path.into(), inode);
    }

    /// Lets every operation take so long from now on.
    pub fn slow_down(&self, takes: Duration) {
        self.state().takes = takes;
    }

    pub fn operations(&self) -> usize {
        self.state().count
    }

    /// What was done, one operation a line.
    pub fn history(&self) -> String {
        let log = &self.state().log;
        log.iter().enumerate().map(|(n, what)| format!("{n} {what}\n")).collect()
    }

    pub fn is_off(&self) -> bool {
        self.state().off
    }

    /// No more faults.
    pub fn heal(&self) {
        self.state().fault = None;
    }

    /// What is there when the process was killed: everything.
    pub fn after_kill(&self) -> Files {
        let state = self.state();
        state.files(&state.names, |inode| inode.bytes.clone())
    }

    /// What is there when the power was gone: what was synced.
    pub fn after_power_loss(&self) -> Files {
        let state = self.state();
        state.files(&state.durable_names, |inode| inode.durable.clone())
    }

    /// The same with some luck: some of the names that changed, and of what was written behind what is durable.
    pub fn after_torn_power_loss(&self, rng: &mut fastrand::Rng) -> Files {
        let state = self.state();
        let mut names = state.durable_names.clone();
        let lucky = rng.usize(..=state.pending.len());
        state.pending[..lucky].iter().for_each(|change| apply(&mut names, change));
        let rng = std::cell::RefCell::new(rng);
        state.files(&names, |inode| {
            let more = inode.bytes.starts_with(&inode.durable) && inode.lost.is_empty();
            let end = inode.durable.len();
            let end = if more { rng.borrow_mut().usize(end..=inode.bytes.len()) } else { end };
            if more { inode.bytes[..end].to_vec() } else { inode.durable.clone() }
        })
    }

    fn file(&self, inode: usize) -> Arc<dyn DiskFile> {
        Arc::new(SimFile { disk: self.clone(), inode })
    }
}

impl DiskFile for SimFile {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        let off = state.off;
        let fault = state.step(|| format!("write {} to {}", bytes.len(), self.inode));
        let full = state.fault.is_some_and(|(at, fault)| fault == Fault::Short && state.count == at + 2);
        let inode = &mut state.inodes[self.inode];
        match fault {
            None => {
                inode.bytes.extend_from_slice(bytes);
                Ok(bytes.len())
            }
            Some(Fault::Error { errno, .. }) => Err(error(errno)),
            Some(Fault::Short) if full || bytes.len() < 2 => Err(error(libc::ENOSPC)),
            Some(Fault::Cut) if off => Err(error(libc::EIO)),
            Some(fault) => {
                inode.bytes.extend_from_slice(&bytes[..bytes.len() / 2]);
                if fault == Fault::Short { Ok(bytes.len() / 2) } else { Err(error(libc::EIO)) }
            }
        }
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.whole(|| format!("truncate {} to {len}", self.inode))?;
        state.inodes[self.inode].bytes.truncate(len as usize);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        let off = state.off;
        let synced = state.whole(|| format!("sync {}", self.inode));
        let inode = &mut state.inodes[self.inode];
        if synced.is_err() {
            if !off {
                inode.lost.push((inode.durable.len(), inode.bytes.len()));
            }
            return synced;
        }
        inode.durable = inode.bytes.clone();
        for (from, to) in inode.lost.clone() {
            let end = inode.durable.len();
            inode.durable[from.min(end)..to.min(end)].fill(0);
        }
        Ok(())
    }

    fn descriptor(&self) -> Option<RawFd> {
        None
    }
}

impl Disk for SimDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.state().whole(|| format!("create_dir {}", path.display()))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        state.whole(|| format!("create {}", path.display()))?;
        let inode = state.open(path);
        state.inodes[inode].bytes.clear();
        state.inodes[inode].lost.clear();
        Ok(self.file(inode))
    }

    fn append(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        state.whole(|| format!("append {}", path.display()))?;
        let inode = state.open(path);
        Ok(self.file(inode))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let state = self.state();
        let inode = state.names.get(path).ok_or_else(|| error(libc::ENOENT))?;
        Ok(state.inodes[*inode].bytes.clone())
    }

    fn size(&self, path: &Path) -> io::Result<u64> {
        Ok(self.read(path)?.len() as u64)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.whole(|| format!("rename {} to {}", from.display(), to.display()))?;
        let inode = *state.names.get(from).ok_or_else(|| error(libc::ENOENT))?;
        state.change(Change::Rename(from.into(), to.into(), inode));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.whole(|| format!("remove {}", path.display()))?;
        if !state.names.contains_key(path) {
            return Err(error(libc::ENOENT));
        }
        state.change(Change::Unlink(path.into()));
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.whole(|| format!("sync_dir {}", path.display()))?;
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            std::mem::take(&mut state.pending).into_iter().partition(|change| change.dir() == Some(path));
        here.iter().for_each(|change| apply(&mut state.durable_names, change));
        // A file that came from another directory was made there; that is over, too.
        let gone = |path: &PathBuf| {
            here.iter().any(|change| matches!(change, Change::Rename(from, ..) if from == path))
        };
        state.pending = elsewhere;
        state.pending.retain(|change| !matches!(change, Change::Link(path, _) if gone(path)));
        Ok(())
    }
}
