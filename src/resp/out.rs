//! What waits to be written to one client: bytes, and big values by reference between them.

use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::io::IoSlice;

/// From this size on a shared value is kept by reference instead of being copied.
pub const SHARE_FROM: usize = 64 * 1024;
/// More small bytes than this are set aside between requests, so that they need not be moved as more come. One big reply
/// that leaves at once is not copied for that.
const SEAL_FROM: usize = 1 << 20;
/// So many make a piece. With the page that the allocator adds they are one of its sizes: behind a piece of another size,
/// or one that was shrunk, it keeps what is left up to the next size, which is resident where there are huge pages.
const PIECE: usize = 252 * 1024;
/// An empty buffer keeps this much capacity.
const KEEP: usize = 256 * 1024;

/// An output buffer.
///
/// Shape: `buf[sent..]` is what waits, with each shared value standing before `buf[at]`. Positions are counted in bytes
/// ever appended, so they stay true while the front is sent.
#[derive(Debug, Default)]
pub struct Out {
    buf: Vec<u8>,
    sent: usize,
    shared: VecDeque<Shared>,
    shared_len: usize,
    sent_ever: u64,
    /// Bytes that may wait; `None`: any number.
    most: Option<usize>,
}

#[derive(Debug)]
struct Shared {
    at: usize,
    bytes: Bytes,
}

/// A place in the output to go back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    position: u64,
    owed: i64,
}

impl Mark {
    pub(super) fn owed(self) -> i64 {
        self.owed
    }

    /// The bytes ever appended before it.
    pub fn position(self) -> u64 {
        self.position
    }
}

impl Out {
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes that wait.
    #[inline]
    pub fn len(&self) -> usize {
        self.buf.len() - self.sent + self.shared_len
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes ever appended: the position of what comes next.
    #[inline]
    pub fn position(&self) -> u64 {
        self.sent_ever + self.len() as u64
    }

    /// Bytes ever taken off the front.
    #[inline]
    pub fn sent(&self) -> u64 {
        self.sent_ever
    }

    /// Says how many bytes may wait before the client is given up.
    #[inline]
    pub fn set_most(&mut self, most: Option<usize>) {
        self.most = most;
    }

    /// Whether more waits than the client is allowed.
    #[inline]
    pub fn is_over(&self) -> bool {
        self.most.is_some_and(|most| self.len() > most)
    }

    /// Whether there is a limit to what may wait.
    pub fn is_limited(&self) -> bool {
        self.most.is_some()
    }

    /// Memory it takes, shared values included (for `client-output-buffer-limit`).
    pub fn memory(&self) -> usize {
        self.buf.capacity() + self.shared_len + self.shared.capacity() * size_of::<Shared>()
    }

    /// Appends bytes.
    #[inline]
    pub fn extend(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }

    /// Appends a value, by reference if it is big.
    pub fn extend_shared(&mut self, bytes: Bytes) {
        if bytes.len() < SHARE_FROM {
            return self.extend(&bytes);
        }
        self.shared_len += bytes.len();
        self.shared.push_back(Shared { at: self.buf.len(), bytes });
    }

    /// Takes over spare room, if it has none of its own: what leaves at once then needs no memory per client.
    #[inline]
    pub fn borrow_room(&mut self, spare: &mut Vec<u8>) {
        if self.buf.capacity() == 0 {
            debug_assert!(spare.is_empty());
            std::mem::swap(&mut self.buf, spare);
        }
    }

    /// Gives the room away again, if nothing waits in it.
    #[inline]
    pub fn return_room(&mut self, spare: &mut Vec<u8>) {
        if self.is_empty() {
            debug_assert!(self.buf.is_empty(), "an empty output was tidied");
            let room = std::mem::take(&mut self.buf);
            if spare.capacity() == 0 {
                *spare = room;
            }
        }
    }

    #[inline]
    pub(super) fn buf(&mut self) -> &mut Vec<u8> {
        &mut self.buf
    }

    /// The first bytes that lie together; empty if nothing waits.
    pub fn chunk(&self) -> &[u8] {
        match self.shared.front() {
            Some(first) if first.at == self.sent => &first.bytes,
            Some(first) => &self.buf[self.sent..first.at],
            None => &self.buf[self.sent..],
        }
    }

    /// All that waits, if it lies together: no big value is among it.
    #[inline]
    pub fn single(&self) -> Option<&[u8]> {
        self.shared.is_empty().then(|| &self.buf[self.sent..])
    }

    /// Fills `slices` with what waits, at most `limit` bytes of it, for one vectored write; returns how many it used.
    pub fn io_slices<'a>(&'a self, limit: usize, slices: &mut [IoSlice<'a>]) -> usize {
        let mut used = 0;
        let mut left = limit;
        for piece in self.pieces() {
            if left == 0 || used == slices.len() {
                break;
            }
            let piece = &piece[..piece.len().min(left)];
            left -= piece.len();
            slices[used] = IoSlice::new(piece);
            used += 1;
        }
        used
    }

    /// All that waits, piece by piece; none is empty.
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let mut from = self.sent;
        let between = self.shared.iter().flat_map(move |s| {
            let before = &self.buf[from..s.at];
            from = s.at;
            [before, &s.bytes[..]]
        });
        let tail = &self.buf[self.shared.back().map_or(self.sent, |s| s.at)..];
        between.chain(std::iter::once(tail)).filter(|piece| !piece.is_empty())
    }

    /// Takes `n` written bytes off the front.
    pub fn advance(&mut self, n: usize) {
        debug_assert!(n <= self.len());
        self.sent_ever += n as u64;
        let mut left = n;
        while left > 0 {
            let upto = self.shared.front().map_or(self.buf.len(), |s| s.at);
            if self.sent < upto {
                let step = left.min(upto - self.sent);
                self.sent += step;
                left -= step;
            } else if let Some(first) = self.shared.front_mut() {
                let step = left.min(first.bytes.len());
                first.bytes.advance(step);
                self.shared_len -= step;
                left -= step;
                if first.bytes.is_empty() {
                    self.shared.pop_front();
                }
            } else {
                break; // more than there was: asserted above
            }
        }
        self.tidy();
    }

    /// Gives memory of what was sent back.
    fn tidy(&mut self) {
        if self.sent == self.buf.len() && self.shared.is_empty() {
            self.buf.clear();
            self.sent = 0;
            if self.buf.capacity() > KEEP {
                self.buf = Vec::new();
            }
        } else if self.sent >= KEEP && self.sent * 2 >= self.buf.len() {
            self.buf.drain(..self.sent);
            self.shared.iter_mut().for_each(|s| s.at -= self.sent);
            self.sent = 0;
        }
    }

    /// Sets what a big buffer holds aside, in pieces. To be called between requests while output piles up.
    #[inline]
    pub fn seal(&mut self) {
        if self.buf.len() - self.sent >= SEAL_FROM {
            self.seal_now();
        }
    }

    #[cold]
    fn seal_now(&mut self) {
        let sealed = self.shared.partition_point(|s| s.at == 0); // nothing of the buffer stands before them
        let mut later = self.shared.split_off(sealed);
        let mut from = std::mem::take(&mut self.sent);
        while let Some(bytes) = self.buf.get(from..from + PIECE) {
            let mut piece = Bytes::copy_from_slice(bytes);
            self.shared_len += PIECE;
            while let Some(s) = later.pop_front_if(|s| s.at < from + PIECE) {
                let before = piece.split_to(s.at + piece.len() - from - PIECE);
                self.push_piece(before);
                self.push_piece(s.bytes);
            }
            self.push_piece(piece);
            from += PIECE;
        }
        later.iter_mut().for_each(|s| s.at -= from);
        self.shared.append(&mut later);
        self.drop_front(from);
    }

    fn push_piece(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.shared.push_back(Shared { at: 0, bytes });
        }
    }

    /// Takes bytes off the buffer, and what room it does not need soon.
    fn drop_front(&mut self, bytes: usize) {
        if self.buf.capacity() > 4 * PIECE {
            self.buf = self.buf[bytes..].to_vec();
        } else {
            self.buf.drain(..bytes);
        }
    }

    #[inline]
    pub(super) fn mark(&self, owed: i64) -> Mark {
        Mark { position: self.position(), owed }
    }

    /// Forgets what was appended since the mark.
    pub fn truncate(&mut self, mark: Mark) {
        let mut extra = self.position().saturating_sub(mark.position).min(self.len() as u64) as usize;
        while extra > 0 {
            let floor = self.shared.back().map_or(self.sent, |s| s.at);
            if self.buf.len() > floor {
                let step = extra.min(self.buf.len() - floor);
                self.buf.truncate(self.buf.len() - step);
                extra -= step;
            } else if let Some(last) = self.shared.back_mut() {
                let step = extra.min(last.bytes.len());
                last.bytes.truncate(last.bytes.len() - step);
                self.shared_len -= step;
                extra -= step;
                if last.bytes.is_empty() {
                    self.shared.pop_back();
                }
            }
        }
    }

    /// Where the small bytes end now, and how many shared values came before: for a header to be set later.
    pub(super) fn place(&self) -> (usize, usize) {
        (self.buf.len(), self.shared.len())
    }

    /// Replaces `old` bytes at a place by others; what comes behind moves.
    pub(super) fn replace(&mut self, place: (usize, usize), old: usize, new: &[u8]) {
        let (at, index) = place;
        self.buf.splice(at..at + old, new.iter().copied());
        for s in self.shared.iter_mut().skip(index) {
            s.at = s.at - old + new.len();
        }
    }

    /// All that waits, copied together and taken off. For tests, scripts and other readers of whole replies.
    pub fn take(&mut self) -> Vec<u8> {
        let all = self.pieces().flatten().copied().collect();
        self.advance(self.len());
        all
    }
}
