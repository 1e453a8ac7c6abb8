#![allow(unsafe_code)] // a pointer to the request that runs, for a handler on the same thread
//! What each thread runs right now, for the report of a crash: noted with every command, in a few instructions.

use std::cell::Cell;
use std::ptr;

use crate::command::Args;

/// A request while it runs.
#[derive(Clone, Copy)]
struct Running {
    client: u64,
    db: usize,
    /// Valid while it runs; null: nothing does.
    args: *const Args<'static>,
}

const NOTHING: Running = Running { client: 0, db: 0, args: ptr::null() };

thread_local! {
    /// Without a destructor and made by the compiler, so that a signal's handler may look at it at any time.
    static RUNNING: Cell<Running> = const { Cell::new(NOTHING) };
}

/// Puts back what ran before, a transaction around its commands for one; also when a panic passes.
struct PutBack(Running);

impl Drop for PutBack {
    #[inline]
    fn drop(&mut self) {
        RUNNING.set(self.0);
    }
}

/// Runs a request of a client, known to this thread meanwhile.
#[inline]
pub fn during<R>(client: u64, db: usize, args: &Args<'_>, run: impl FnOnce() -> R) -> R {
    let args = ptr::from_ref(args).cast();
    let _put_back = PutBack(RUNNING.replace(Running { client, db, args }));
    run()
}

/// Shows what this thread runs: the client's number, its database, the request. Nothing is called if it runs nothing.
pub fn show(show: impl FnOnce(u64, usize, &Args<'_>)) {
    let Running { client, db, args } = RUNNING.get();
    // SAFETY: set by `during` alone, on this thread, which borrows the request until it has put back what was there
    // before; we are called within that, or it is null.
    if let Some(args) = unsafe { args.as_ref() } {
        show(client, db, args);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedArgs;

    fn seen() -> Vec<String> {
        let mut seen = Vec::new();
        show(|client, db, args| seen.push(format!("{client} {db} {}", args.name().escape_ascii())));
        seen
    }

    #[test]
    fn what_runs_is_known_until_it_ends() {
        let [outer, inner] = [b"EXEC", b"INCR"].map(|name| OwnedArgs::from_slices(&[name]));
        assert!(seen().is_empty());
        during(7, 0, &outer.args(), || {
            during(7, 3, &inner.args(), || assert_eq!(seen(), ["7 3 INCR"]));
            assert_eq!(seen(), ["7 0 EXEC"]);
        });
        let panicked = std::panic::catch_unwind(|| during(7, 0, &outer.args(), || panic!("on purpose")));
        assert!(panicked.is_err());
        assert!(seen().is_empty());
    }
}
