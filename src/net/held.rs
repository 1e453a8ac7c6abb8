//! Who waits for the append log: connections of one worker that have run something, whose output may not leave before
//! the log has come so far.
//!
//! One task of the worker sees to it for all of them, after everybody who was ready had a turn: one write, and with
//! `appendfsync always` one sync. There a sync costs as much as dozens of requests, so as long as looking at the
//! sockets once more brings further ones, they come first: clients that were just answered mostly have a next request.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::conn::Common;
use crate::persist::aof::Tail;

/// Looks at the sockets before a sync that may have brought something. A bound, as clients never tire.
const MOST_LOOKS: u32 = 8;

/// Connections that wait for the log.
#[derive(Default)]
pub(super) struct Held(RefCell<Waiting>);

#[derive(Default)]
struct Waiting {
    /// By the LSN that the log has to reach, in no order.
    connections: Vec<(u64, Waker)>,
    /// The task that sees to the log, if it rests.
    task: Option<Waker>,
    /// How far the last look at the sockets brought the furthest of them, and which look that was.
    furthest: u64,
    looks: u32,
    /// Connections that have come since the log was last asked to get on.
    new: usize,
}

impl Held {
    /// Wakes `connection` when the log has reached `lsn`.
    pub fn add(&self, lsn: u64, connection: &Waker) {
        let mut waiting = self.0.borrow_mut();
        waiting.connections.push((lsn, connection.clone()));
        waiting.new += 1;
        if let Some(task) = waiting.task.take() {
            drop(waiting);
            task.wake();
        }
    }

    /// Gets the log as far as somebody waits for it, and wakes who may go on.
    fn turn(&self, cx: &mut Context<'_>, tail: &Tail) -> Poll<()> {
        let mut waiting = self.0.borrow_mut();
        let furthest = waiting.connections.iter().map(|(lsn, _)| *lsn).max();
        if furthest.is_some_and(|furthest| waiting.looks_again(furthest, tail)) {
            return let_others(cx);
        }
        waiting.task = Some(cx.waker().clone());
        let Some(furthest) = furthest else { return Poll::Pending };
        let new = std::mem::take(&mut waiting.new);
        tail.reach(furthest, new, cx.waker());
        waiting.free(tail.released());
        Poll::Pending
    }
}

impl Waiting {
    /// Whether more requests are worth a look before the log goes on.
    fn looks_again(&mut self, furthest: u64, tail: &Tail) -> bool {
        let again = furthest > self.furthest && self.looks < MOST_LOOKS && tail.is_dear();
        self.looks = if again { self.looks + 1 } else { 0 };
        self.furthest = furthest;
        again
    }

    fn free(&mut self, released: u64) {
        self.connections.retain(|(lsn, waker)| {
            let stays = *lsn > released;
            if !stays {
                waker.wake_by_ref();
            }
            stays
        });
    }
}

/// Sees to the log for the connections of a worker, for ever.
pub(super) async fn serve(common: Rc<Common>) {
    poll_fn(|cx| common.held.turn(cx, common.server.tail())).await;
}

/// Comes back when everybody else who can go on has had a turn, and the sockets were asked.
pub(super) fn let_others(cx: &mut Context<'_>) -> Poll<()> {
    pin!(tokio::task::yield_now()).poll(cx)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::task::Wake;

    use super::*;
    use crate::persist::aof::{DiskFile, Policy};

    /// Counts syncs.
    #[derive(Default)]
    struct Counted(AtomicUsize);

    impl DiskFile for Counted {
        fn write(&self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn truncate(&self, _: u64) -> io::Result<()> {
            Ok(())
        }

        fn sync(&self) -> io::Result<()> {
            self.0.fetch_add(1, SeqCst);
            Ok(())
        }

        fn descriptor(&self) -> Option<std::os::fd::RawFd> {
            None
        }
    }

    #[derive(Default)]
    struct Bell(AtomicUsize);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    /// A log, its file, those who wait.
    fn rig(policy: Policy) -> (Tail, Arc<Counted>, Held) {
        let (tail, file) = (Tail::new(|| ()), Arc::new(Counted::default()));
        tail.set_policy(policy, false);
        tail.open(file.clone(), 0);
        (tail, file, Held::default())
    }

    /// What a connection does that has run a write.
    fn run(tail: &Tail, held: &Held, lsn: u64, bell: &Arc<Bell>) {
        tail.push(&mut vec![b'x'], lsn);
        held.add(lsn, &bell.clone().into());
    }

    fn turn(tail: &Tail, held: &Held) {
        assert!(held.turn(&mut Context::from_waker(Waker::noop()), tail).is_pending());
    }

    #[test]
    fn one_sync_is_for_all_who_come_while_the_sockets_are_looked_at() {
        let (tail, file, held) = rig(Policy::Always);
        let bell = Arc::new(Bell::default());
        for lsn in 1..=3 {
            run(&tail, &held, lsn, &bell);
            turn(&tail, &held);
            assert_eq!((file.0.load(SeqCst), bell.0.load(SeqCst)), (0, 0), "there may be more");
        }
        turn(&tail, &held);
        assert_eq!((file.0.load(SeqCst), bell.0.load(SeqCst)), (1, 3));
    }

    #[test]
    fn clients_without_end_do_not_put_a_sync_off_for_ever() {
        let (tail, file, held) = rig(Policy::Always);
        for lsn in 1..=u64::from(MOST_LOOKS) + 1 {
            assert_eq!(file.0.load(SeqCst), 0);
            run(&tail, &held, lsn, &Arc::default());
            turn(&tail, &held);
        }
        assert_eq!(file.0.load(SeqCst), 1);
    }

    #[test]
    fn a_log_that_is_only_written_is_written_at_once() {
        let (tail, _, held) = rig(Policy::EverySecond);
        let bell = Arc::new(Bell::default());
        run(&tail, &held, 1, &bell);
        turn(&tail, &held);
        assert_eq!((tail.written(), bell.0.load(SeqCst)), (1, 1));
    }
}
