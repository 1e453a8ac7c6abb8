use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Wake;
use std::time::Duration;

use super::writer::{PUT_OFF, SECOND};
use super::*;

/// A file in memory that fails as it is told.
#[derive(Default)]
struct Fake {
    state: Mutex<FakeState>,
}

#[derive(Default)]
struct FakeState {
    bytes: Vec<u8>,
    synced: usize,
    /// Bytes that there is room for.
    room: Option<usize>,
    sync_fails: bool,
    truncate_fails: bool,
    sync_takes: Duration,
    /// Happens while the next sync runs.
    meanwhile: Option<Box<dyn FnOnce() + Send>>,
}

impl Fake {
    fn set(&self, change: impl FnOnce(&mut FakeState)) {
        change(&mut lock(&self.state));
    }

    fn text(&self) -> String {
        String::from_utf8(lock(&self.state).bytes.clone()).unwrap()
    }
}

impl DiskFile for Fake {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = lock(&self.state);
        let room = state.room.map_or(bytes.len(), |room| room.saturating_sub(state.bytes.len()));
        if room == 0 {
            return Err(io::Error::from_raw_os_error(libc::ENOSPC));
        }
        let n = room.min(bytes.len());
        state.bytes.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        let mut state = lock(&self.state);
        if state.truncate_fails {
            return Err(io::Error::from_raw_os_error(libc::EIO));
        }
        state.bytes.truncate(len as usize);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let meanwhile;
        let (takes, upto) = {
            let mut state = lock(&self.state);
            meanwhile = state.meanwhile.take();
            (state.sync_takes, state.bytes.len())
        };
        meanwhile.into_iter().for_each(|happen| happen());
        std::thread::sleep(takes);
        let mut state = lock(&self.state);
        if state.sync_fails {
            return Err(io::Error::from_raw_os_error(libc::EIO));
        }
        state.synced = upto;
        Ok(())
    }

    fn descriptor(&self) -> Option<RawFd> {
        None
    }
}

struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A tail with a file and its thread; who waits; how often the process would have ended.
struct Rig {
    tail: Arc<Tail>,
    file: Arc<Fake>,
    bell: Arc<Bell>,
    deaths: Arc<AtomicUsize>,
    end: u64,
}

impl Rig {
    fn new(policy: Policy) -> Rig {
        let deaths = Arc::new(AtomicUsize::new(0));
        let counted = deaths.clone();
        let tail = Arc::new(Tail::new(move || {
            counted.fetch_add(1, SeqCst);
        }));
        let file = Arc::new(Fake::default());
        tail.open(file.clone(), 0);
        tail.set_policy(policy, false);
        let serving = tail.clone();
        std::thread::spawn(move || serving.serve());
        Rig { tail, file, bell: Arc::new(Bell(AtomicUsize::new(0))), deaths, end: 0 }
    }

    fn push(&mut self, text: &str) {
        self.end += text.len() as u64;
        self.tail.push(&mut text.as_bytes().to_vec(), self.end);
    }

    /// Whether that released all at once.
    fn reach(&self) -> bool {
        self.tail.reach(self.end, 1, &self.bell.clone().into());
        self.tail.released() >= self.end
    }

    fn synced(&self) -> usize {
        lock(&self.file.state).synced
    }

    /// Makes a sync due now.
    fn second_passes(&self) {
        let mut writer = lock(&self.tail.writer);
        writer.last_sync = writer.last_sync.checked_sub(SECOND).unwrap();
    }
}

fn until(what: impl Fn() -> bool) {
    let begin = Instant::now();
    while !what() {
        assert!(begin.elapsed() < Duration::from_secs(20), "never came");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn always_releases_what_is_synced_and_others_what_is_written() {
    for policy in [Policy::EverySecond, Policy::Always, Policy::Never] {
        let mut rig = Rig::new(policy);
        rig.push("one ");
        rig.push("two ");
        assert_eq!(rig.tail.released(), 0);
        assert!(rig.reach());
        assert_eq!((rig.file.text(), rig.tail.released()), ("one two ".into(), 8));
        assert_eq!(rig.synced(), if policy == Policy::Always { 8 } else { 0 }, "{policy:?}");
        rig.push("three");
        assert!(rig.tail.finish());
        assert_eq!((rig.synced(), rig.tail.synced()), (13, 13));
    }
}

#[test]
fn every_second_syncs_beside_and_puts_writes_off_meanwhile() {
    let mut rig = Rig::new(Policy::EverySecond);
    rig.file.set(|file| file.sync_takes = Duration::from_millis(200));
    rig.push("one ");
    rig.second_passes();
    assert!(rig.reach());
    assert!(rig.tail.is_syncing());
    rig.push("two ");
    assert!(rig.reach(), "what was answered goes");
    assert_eq!(rig.file.text(), "one ", "the write is put off");
    until(|| !rig.tail.is_syncing());
    assert_eq!((rig.synced(), rig.tail.synced()), (4, 4));
    rig.tail.tick();
    assert_eq!(rig.file.text(), "one two ");
    rig.second_passes();
    rig.tail.tick();
    until(|| rig.synced() == 8);
}

#[test]
fn a_write_is_put_off_two_seconds_at_most() {
    let mut rig = Rig::new(Policy::EverySecond);
    rig.file.set(|file| file.sync_takes = Duration::from_millis(500));
    rig.push("one ");
    rig.second_passes();
    assert!(rig.reach());
    rig.push("two ");
    assert!(rig.reach());
    lock(&rig.tail.writer).put_off = Instant::now().checked_sub(PUT_OFF);
    assert!(rig.reach());
    assert_eq!((rig.file.text(), rig.tail.delayed()), ("one two ".into(), 1));
}

#[test]
fn a_short_write_is_cut_off_and_tried_again() {
    let mut rig = Rig::new(Policy::EverySecond);
    rig.push("whole ");
    assert!(rig.reach());
    rig.file.set(|file| file.room = Some(8));
    rig.push("frame ");
    assert!(rig.reach(), "what was answered goes");
    assert_eq!(rig.file.text(), "whole ");
    assert_eq!(rig.tail.trouble().error(), Some(libc::ENOSPC));
    rig.push("more");
    rig.tail.tick();
    assert_eq!(rig.file.text(), "whole ");
    rig.file.set(|file| file.room = None);
    rig.tail.tick();
    assert_eq!((rig.file.text(), rig.tail.trouble().error()), ("whole frame more".into(), None));
    assert_eq!(rig.tail.written(), rig.end);
}

#[test]
fn what_cannot_be_cut_off_is_completed() {
    let mut rig = Rig::new(Policy::Never);
    rig.file.set(|file| (file.room, file.truncate_fails) = (Some(3), true));
    rig.push("frame ");
    assert!(rig.reach());
    assert_eq!((rig.file.text(), rig.tail.written()), ("fra".into(), 3));
    rig.file.set(|file| file.room = None);
    rig.tail.tick();
    assert_eq!(rig.file.text(), "frame ");
}

#[test]
fn a_failed_sync_is_tried_again_and_refuses_writes_meanwhile() {
    let mut rig = Rig::new(Policy::EverySecond);
    rig.file.set(|file| file.sync_fails = true);
    rig.push("one");
    rig.second_passes();
    assert!(rig.reach());
    until(|| rig.tail.trouble().is_unsynced() && !rig.tail.is_syncing());
    rig.file.set(|file| file.sync_fails = false);
    rig.second_passes();
    rig.tail.tick();
    until(|| rig.tail.trouble().error().is_none());
    assert_eq!(rig.tail.synced(), 3);
}

#[test]
fn always_ends_the_process_before_anything_is_released_that_is_not_safe() {
    type Fail = fn(&mut FakeState);
    let ways: [Fail; 3] =
        [|file| file.room = Some(3), |file| file.room = Some(5), |file| file.sync_fails = true];
    for fail in ways {
        let mut rig = Rig::new(Policy::Always);
        rig.push("one");
        assert!(rig.reach());
        rig.file.set(fail);
        rig.push("two");
        assert!(!rig.reach());
        assert_eq!((rig.tail.released(), rig.deaths.load(SeqCst)), (3, 1));
        rig.file.set(|file| (file.room, file.sync_fails) = (None, false));
        rig.tail.tick();
        assert_eq!(rig.tail.released(), 3);
    }
}

#[test]
fn long_syncs_have_a_thread_and_those_who_wait_are_woken() {
    let mut rig = Rig::new(Policy::Always);
    rig.file.set(|file| file.sync_takes = Duration::from_millis(20));
    rig.push("one ");
    assert!(rig.reach(), "the first one is not known to be long");
    for round in 1..=3 {
        rig.push("more ");
        assert!(!rig.reach());
        until(|| rig.bell.0.load(SeqCst) == round);
        assert_eq!((rig.tail.released(), rig.synced() as u64), (rig.end, rig.end));
    }
    rig.file.set(|file| file.sync_takes = Duration::ZERO);
    rig.push("last ");
    rig.tail.reach(rig.end, 1, &rig.bell.clone().into());
    until(|| rig.bell.0.load(SeqCst) == 4);
    rig.push("short ");
    assert!(rig.reach(), "short again: no thread");
}

/// Clients who come back a moment after they were answered.
struct Returning(Arc<Tail>, Arc<Bell>);

impl Wake for Returning {
    fn wake(self: Arc<Self>) {
        std::thread::spawn(move || {
            // As long as it takes to answer many.
            std::thread::sleep(Duration::from_millis(100));
            self.0.push(&mut b"again ".to_vec(), 18);
            self.0.reach(18, 2, &self.1.clone().into());
        });
    }
}

#[test]
fn a_long_sync_waits_a_little_for_those_whom_the_last_one_freed() {
    let mut rig = Rig::new(Policy::Always);
    rig.file.set(|file| file.sync_takes = Duration::from_millis(1000));
    rig.push("slow"); // 4
    assert!(rig.reach());
    let (tail, bell) = (rig.tail.clone(), rig.bell.clone());
    let others = move || {
        tail.push(&mut b"others ".to_vec(), 12);
        tail.reach(12, 2, &bell.into());
        assert!(tail.released() < 12);
    };
    rig.file.set(|file| file.meanwhile = Some(Box::new(others)));
    rig.push("x");
    let back = Arc::new(Returning(rig.tail.clone(), Arc::new(Bell(AtomicUsize::new(0)))));
    rig.tail.reach(5, 2, &back.into());
    assert!(rig.tail.released() < 5);
    until(|| rig.bell.0.load(SeqCst) == 1);
    assert_eq!(rig.tail.released(), 18, "one sync for both");
}

#[test]
fn without_a_log_nobody_waits() {
    let mut rig = Rig::new(Policy::Always);
    rig.file.set(|file| file.sync_takes = Duration::from_millis(50));
    rig.push("one");
    assert!(rig.reach());
    rig.push("two");
    assert!(!rig.reach());
    rig.tail.abandon();
    until(|| rig.bell.0.load(SeqCst) == 1);
    assert_eq!(rig.tail.released(), rig.end);
    let other = Arc::new(Fake::default());
    rig.tail.open(other.clone(), 0);
    rig.push("three");
    rig.tail.finish();
    assert_eq!(other.text(), "three");
}
