//! The thread that syncs beside the others, and those who wait for it.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::{Policy, Tail, lock};
use crate::persist::aof::crowd::Crowd;

/// What the syncing thread is asked for.
#[derive(Default)]
pub(super) struct Orders {
    wanted: bool,
    waiting: Vec<Waiter>,
    /// Who is to hear when it is durable up to one; the lowest of them counts for all.
    told: Option<(u64, Waker)>,
}

/// Who waits until the log has reached an LSN.
pub(super) struct Waiter {
    pub lsn: u64,
    /// For so many clients.
    pub many: usize,
    pub waker: Waker,
}

impl Tail {
    /// Leaves it to the thread, if it has not done it meanwhile.
    #[cold]
    pub(super) fn wait(&self, waiter: Waiter) {
        let mut orders = lock(&self.orders);
        // The thread publishes what it has done before it looks who waits.
        if self.released() < waiter.lsn {
            orders.waiting.push(waiter);
            orders.wanted = true;
            self.ordered.notify_one();
        }
    }

    /// Wakes `waker` when the log is durable up to `lsn`, or up to less that somebody else asked for, or closed.
    pub fn tell_when_synced(&self, lsn: u64, waker: Waker) {
        let mut orders = lock(&self.orders);
        let lowest = orders.told.take().map_or(lsn, |(other, _)| lsn.min(other));
        orders.told = Some((lowest, waker));
        drop(orders);
        // It may have come there meanwhile.
        self.tell_synced();
    }

    pub(super) fn tell_synced(&self) {
        let synced = self.synced();
        let told = lock(&self.orders).told.take_if(|(lsn, _)| *lsn <= synced);
        if let Some((_, waker)) = told {
            waker.wake();
        }
    }

    pub(super) fn ask(&self) {
        lock(&self.orders).wanted = true;
        self.ordered.notify_one();
    }

    /// The thread's work, for ever: syncs beside the others; with `always`, when syncs take long, writes, too.
    pub fn serve(&self) {
        let mut crowd = Crowd::default();
        loop {
            let mut orders = lock(&self.orders);
            while !orders.wanted {
                orders = self.ordered.wait(orders).unwrap_or_else(PoisonError::into_inner);
            }
            orders.wanted = false;
            drop(orders);
            let started = Instant::now();
            self.sync_beside();
            let took = started.elapsed();
            let (freed, staying) = self.wake();
            if self.policy() == Policy::Always && freed > 1 && crowd.is_expected() {
                crowd.came(self.linger(freed + staying, took));
            }
        }
    }

    /// Writes (with `always`) and syncs, the writer being free during the sync.
    fn sync_beside(&self) {
        let always = self.policy() == Policy::Always;
        let mut writer = lock(&self.writer);
        if always && !self.write(&mut writer) {
            return;
        }
        let (file, end) = (writer.file.clone(), writer.written);
        drop(writer);
        let lenient = always && self.lenient.load(Ordering::Relaxed);
        if let Some(file) = file
            && self.synced() < end
            && !lenient
        {
            let started = Instant::now();
            let synced = self.synced_up_to(end, file.sync());
            self.note_sync(started.elapsed());
            if synced {
                self.release(end);
            }
        } else {
            self.release(end);
        }
        self.syncing.store(false, Ordering::Relaxed);
        if !always && lock(&self.queue).end > self.written() {
            // Put off by this sync, and answered: the sooner it is written the less a crash can take.
            self.flush();
        }
    }

    /// Wakes who waited for what is released by now; how many clients that lets go, and how many go on waiting.
    pub(super) fn wake(&self) -> (usize, usize) {
        let mut orders = lock(&self.orders);
        let released = self.released();
        let (stay, free) = orders.waiting.drain(..).partition::<Vec<_>, _>(|waiter| waiter.lsn > released);
        orders.waiting = stay;
        orders.wanted |= !orders.waiting.is_empty();
        let counts = (clients(&free), clients(&orders.waiting));
        drop(orders);
        free.into_iter().for_each(|waiter| waiter.waker.wake());
        counts
    }

    /// Waits until so many clients wait for the next sync, or for a quarter of the time of the last one. Whether they
    /// came.
    fn linger(&self, expected: usize, took: Duration) -> bool {
        let until = Instant::now() + took / 4;
        let mut orders = lock(&self.orders);
        while clients(&orders.waiting) < expected {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            orders = self.ordered.wait_timeout(orders, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

fn clients(waiting: &[Waiter]) -> usize {
    waiting.iter().map(|waiter| waiter.many).sum()
}
