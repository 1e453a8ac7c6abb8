//! The append log: its frames in reads of any size, and its manifest, which can be printed and means the same.
#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use resnap::persist::aof::{Entry, LogReader, Manifest};
use resnap::resp::OwnedArgs;
use resnap_fuzz::Capped;

#[global_allocator]
static ALLOCATOR: Capped = Capped;

/// Gives little at a time.
struct Drops<'a>(&'a [u8], usize);

impl Read for Drops<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let n = self.1.min(to.len());
        self.0.read(&mut to[..n])
    }
}

type Entries = Vec<(u64, Vec<Vec<u8>>)>;

/// All entries with their ends, and how it ended.
fn entries(bytes: &[u8], piece: usize, known: bool) -> (Entries, Option<(u64, u64, String)>) {
    let mut reader = LogReader::new(Drops(bytes, piece), known.then_some(bytes.len() as u64));
    let (mut found, mut at) = (Vec::new(), 0);
    loop {
        let (span, words) = match reader.next_entry() {
            Ok(None) => return (found, None),
            Err(error) => {
                assert!(error.entry >= at && error.offset <= bytes.len() as u64);
                return (found, Some((error.offset, error.entry, error.kind.to_string())));
            }
            Ok(Some((span, Entry::Note(note)))) => (span, vec![note.to_vec()]),
            Ok(Some((span, Entry::Command(args)))) => {
                let words: Vec<Vec<u8>> = args.all().map(<[u8]>::to_vec).collect();
                assert!(!words.is_empty());
                assert!(OwnedArgs::from(&args).args().all().eq(words.iter().map(Vec::as_slice)));
                (span, words)
            }
        };
        assert!(span.start >= at && span.end > span.start && span.end <= bytes.len() as u64);
        at = span.end;
        assert_eq!(reader.offset(), at);
        found.push((at, words));
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    if first & 1 == 1 {
        if let Ok(manifest) = Manifest::parse(bytes) {
            let printed = manifest.print();
            // Nothing but comments is no manifest; a name in quotes may be longer than a line can be.
            let again = Manifest::parse(&printed);
            let too_long = printed.split(|byte| *byte == b'\n').any(|line| line.len() > 1000);
            assert!(printed.is_empty() || too_long || again.is_ok_and(|again| again.print() == printed));
        }
        return;
    }
    let whole = entries(bytes, 1 << 20, true);
    let piece = [1, 3, 50, 1024][usize::from(first >> 1 & 3)];
    assert_eq!(whole, entries(bytes, piece, first & 8 == 0));
});
