//! A node whose bytes are compressed: one in the middle of a list with `list-compress-depth`.
//!
//! Never changed and never read in part: whoever wants an element has all of them unpacked. Source of truth for which
//! node is worth it: Redis 8.0's `quicklist.c`.

use super::Node;
use crate::text::lzf::{self, Compressor};
use crate::value::listpack::Listpack;
use std::cell::RefCell;

/// Bytes of a node from which compression is tried.
const WORTH_A_TRY: usize = 48;
/// Bytes that have to be gained, and one more.
const WORTH_KEEPING: usize = 8;

thread_local! {
    /// Made for the first node that a thread compresses.
    static COMPRESSOR: RefCell<Option<Compressor>> = const { RefCell::new(None) };
}

/// A node's bytes in LZF, with what is asked about them most.
#[derive(Clone, Debug)]
pub(super) struct Squeezed {
    lzf: Box<[u8]>,
    /// Bytes of the node as it was.
    bytes: u32,
    count: u32,
    plain: bool,
}

impl Squeezed {
    /// Compresses the bytes of a node with `count` elements, if that gains enough.
    pub fn of(bytes: &[u8], count: usize, plain: bool) -> Option<Squeezed> {
        if bytes.len() < WORTH_A_TRY {
            return None;
        }
        let (len, count) = (u32::try_from(bytes.len()).ok()?, u32::try_from(count).ok()?);
        let lzf = compress(bytes)?;
        (lzf.len() + WORTH_KEEPING < bytes.len()).then_some(Squeezed { lzf, bytes: len, count, plain })
    }

    /// Number of elements.
    pub fn count(&self) -> usize {
        self.count as usize
    }

    /// Bytes of the node as it was.
    pub fn bytes(&self) -> usize {
        self.bytes as usize
    }

    /// Whether it is an element of its own, and not a listpack.
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// Bytes of memory behind it.
    pub fn memory(&self) -> usize {
        self.lzf.len()
    }

    /// The bytes as they were.
    pub fn unpacked(&self) -> Vec<u8> {
        lzf::decompress(&self.lzf, self.bytes()).expect("what was compressed here")
    }

    /// The node as it was.
    pub fn node(&self) -> Node {
        let bytes = self.unpacked();
        if self.plain {
            return Node::plain(bytes.into());
        }
        Node::packed(Listpack::from_bytes(&bytes).expect("what was a listpack"))
    }
}

fn compress(bytes: &[u8]) -> Option<Box<[u8]>> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        let mut lzf = Vec::new();
        let smaller = compressor.get_or_insert_with(Compressor::new).compress(bytes, &mut lzf);
        smaller.then(|| lzf.into_boxed_slice())
    })
}
