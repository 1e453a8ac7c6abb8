//! The slow log: what took long, the latest first.

use std::collections::VecDeque;

use crate::resp::Args;

/// A command that took long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowEntry {
    /// Counts all that were ever kept.
    pub id: u64,
    /// When it ended, in Unix seconds.
    pub when: u64,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// Its words, shortened.
    pub words: Vec<Vec<u8>>,
    /// The client's address.
    pub addr: String,
    /// The client's name.
    pub name: Vec<u8>,
}

/// What took long, the latest first.
#[derive(Debug, Default)]
pub struct SlowLog {
    entries: VecDeque<SlowEntry>,
    next_id: u64,
}

/// Words of a command that are kept; of more the last one says how many there were.
const MOST_WORDS: usize = 32;
/// Bytes of a word that are kept.
const MOST_BYTES: usize = 128;

/// A command's words as they are kept. `hidden`: which must not be shown.
pub fn shorten(args: &Args<'_>, hidden: impl Fn(usize) -> bool) -> Vec<Vec<u8>> {
    let kept = args.len().min(MOST_WORDS);
    let word = |at: usize| {
        let bytes = args.get(at).unwrap_or_default();
        match () {
            () if kept < args.len() && at == kept - 1 => {
                format!("... ({} more arguments)", args.len() - kept + 1).into_bytes()
            }
            () if hidden(at) => b"(redacted)".to_vec(),
            () if bytes.len() > MOST_BYTES => {
                let more = format!("... ({} more bytes)", bytes.len() - MOST_BYTES);
                [&bytes[..MOST_BYTES], more.as_bytes()].concat()
            }
            () => bytes.to_vec(),
        }
    };
    (0..kept).map(word).collect()
}

impl SlowLog {
    /// Keeps an entry under the next number, and of all of them only so many.
    pub fn push(&mut self, mut entry: SlowEntry, most: u64) {
        entry.id = self.next_id;
        self.next_id += 1;
        self.entries.push_front(entry);
        self.entries.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    }

    /// All entries, the latest first.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &SlowEntry> {
        self.entries.iter()
    }

    /// Forgets all entries; the numbers go on.
    pub fn clear(&mut self) {
        self.entries = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedArgs;

    #[test]
    fn long_commands_are_shortened() {
        let long = [b'x'; 130];
        let words: Vec<&[u8]> = std::iter::once(&long[..]).chain((0..39).map(|_| &b"a"[..])).collect();
        let kept = shorten(&OwnedArgs::from_slices(&words).args(), |at| at == 1);
        assert_eq!(kept.len(), 32);
        assert!(kept[0].ends_with(b"x... (2 more bytes)"));
        assert_eq!((&kept[1][..], &kept[31][..]), (&b"(redacted)"[..], &b"... (9 more arguments)"[..]));
    }
}
