//! LZF, the compression inside RDB strings and quicklist nodes.
//!
//! Shape: a control byte `000LLLLL` starts L+1 literal bytes; `LLLooooo oooooooo` copies L+2 bytes from o+1 bytes back
//! (L = 7: a byte with the rest of the length comes before the offset's low byte).
//! Decompression is the crate `lzf`'s. Its compressor clears 512 KiB at every call, 10 microseconds even for 30
//! bytes; ours is for the many short strings of a snapshot and clears nothing.

/// The farthest a copy reaches back.
const MAX_OFFSET: usize = 1 << 13;
/// The longest copy.
const MAX_COPY: usize = 264;
/// The longest run of literals.
const MAX_RUN: usize = 32;
/// Nothing expands more than 3 bytes into a copy of 264.
const MAX_EXPANSION: usize = MAX_COPY / 3;
/// Bits of a hash for the longest inputs; short ones do with fewer, see [`hash_bits`].
const HASH_BITS: u32 = 14;
/// Stamps begin here, so that an empty entry is out of reach.
const FIRST_BASE: u32 = MAX_OFFSET as u32 + 1;
/// After this many misses in a row the search takes steps of two, after as many again of three, and so on: noise is
/// passed over quickly.
const PATIENCE: usize = 64;
const MAX_SKIP: usize = 16;

/// Compresses any number of inputs with one table, which needs no clearing: an entry counts only when it was made
/// for the input at hand.
pub struct Compressor {
    /// Per hash of three bytes: where they were last seen, counted from `base`.
    table: Box<[u32]>,
    /// Positions of the input at hand are stored as `base + position`; what is below belongs to earlier inputs.
    base: u32,
}

impl Default for Compressor {
    fn default() -> Self {
        Self::new()
    }
}

impl Compressor {
    /// Makes a table (64 KiB).
    pub fn new() -> Self {
        Compressor { table: vec![0; 1 << HASH_BITS].into_boxed_slice(), base: FIRST_BASE }
    }

    /// Appends the compressed form of `input` to `out` if that is at least 4 bytes shorter (what the real server
    /// asks for before it stores the compressed form); otherwise leaves `out` as it was and says `false`.
    pub fn compress(&mut self, input: &[u8], out: &mut Vec<u8>) -> bool {
        let start = out.len();
        if input.len() <= 4 || input.len() >= (u32::MAX / 2) as usize {
            return false;
        }
        let limit = start + input.len() - 4;
        out.reserve(input.len());
        let base = self.claim(input.len());
        let bits = hash_bits(input.len());
        let table = &mut self.table[..1 << bits];
        let done = Run { table, shift: u32::BITS - bits, base, input, out, limit }.compress();
        if !done {
            out.truncate(start);
        }
        done
    }

    /// Takes a range of stamps for an input of `len` bytes, far enough from the last one's that no old position
    /// seems within reach; starts over with a clean table when they run out.
    fn claim(&mut self, len: usize) -> u32 {
        let len = (len + MAX_OFFSET) as u32; // below u32::MAX: checked by the caller
        if self.base.checked_add(len).is_none() {
            self.table.fill(0);
            self.base = FIRST_BASE;
        }
        let base = self.base;
        self.base += len;
        base
    }
}

struct Run<'a> {
    table: &'a mut [u32],
    shift: u32,
    base: u32,
    input: &'a [u8],
    out: &'a mut Vec<u8>,
    limit: usize, // the output must not grow beyond this length
}

impl Run<'_> {
    fn compress(mut self) -> bool {
        let input = self.input;
        let (mut at, mut literals_from, mut misses) = (0, 0, 0);
        while at + WINDOW <= input.len() {
            let Some(from) = self.seen_before(at) else {
                misses += 1;
                at += 1 + (misses / PATIENCE).min(MAX_SKIP);
                // Literals not yet written count already: hopeless inputs end early, if not at the first possible byte.
                if misses.is_multiple_of(16) && self.out.len() + (at - literals_from) > self.limit {
                    return false;
                }
                continue;
            };
            if !self.literals(&input[literals_from..at]) {
                return false;
            }
            let len = common(&input[from..], &input[at..]);
            self.copy(at - from - 1, len);
            self.note(at + 1, at + len);
            at += len;
            literals_from = at;
            misses = 0;
        }
        self.literals(&input[literals_from..]) && self.out.len() <= self.limit
    }

    /// Where the three bytes at `at` were before, within reach; remembers `at` for them.
    #[inline]
    fn seen_before(&mut self, at: usize) -> Option<usize> {
        let three = three_bytes(self.input, at);
        let slot = &mut self.table[hash(three, self.shift)];
        let from = std::mem::replace(slot, self.base + at as u32).wrapping_sub(self.base);
        let distance = (at as u32).wrapping_sub(from);
        let in_reach = distance.wrapping_sub(1) < MAX_OFFSET as u32;
        // Which of these fails is chance, so it is one branch for both; what is out of reach reads harmlessly.
        let from = (from as usize).min(at);
        (in_reach & (three_bytes(self.input, from) == three)).then_some(from)
    }

    /// Remembers the last two positions of a copied stretch, enough to find what follows it again.
    #[inline]
    fn note(&mut self, from: usize, to: usize) {
        for at in from.max(to - 2)..to.min(self.input.len() - WINDOW + 1) {
            self.table[hash(three_bytes(self.input, at), self.shift)] = self.base + at as u32;
        }
    }

    fn literals(&mut self, bytes: &[u8]) -> bool {
        if self.out.len() + bytes.len() + bytes.len().div_ceil(MAX_RUN) > self.limit {
            return false;
        }
        for run in bytes.chunks(MAX_RUN) {
            self.out.push(run.len() as u8 - 1);
            self.out.extend_from_slice(run);
        }
        true
    }

    fn copy(&mut self, offset: usize, len: usize) {
        let (high, low) = ((offset >> 8) as u8, offset as u8);
        match len - 2 {
            n @ ..7 => self.out.extend_from_slice(&[(n as u8) << 5 | high, low]),
            n => self.out.extend_from_slice(&[7 << 5 | high, (n - 7) as u8, low]),
        }
    }
}

/// How many bytes are looked at at a time; nothing begins to match in the last three of an input.
const WINDOW: usize = 4;

/// The three bytes at `at`, as a number.
#[inline]
fn three_bytes(input: &[u8], at: usize) -> u32 {
    let window = input[at..].first_chunk::<WINDOW>().expect("callers stay a window before the end");
    u32::from_le_bytes(*window) & 0x00ff_ffff
}

#[inline]
fn hash(three: u32, shift: u32) -> usize {
    (three.wrapping_mul(0x9e37_79b1) >> shift) as usize
}

/// Twice as many slots as an input has bytes at least, as far as there are: a short string's part of the table stays in
/// the nearest cache.
fn hash_bits(len: usize) -> u32 {
    (usize::BITS - len.leading_zeros() + 1).clamp(8, HASH_BITS)
}

/// How many bytes two stretches share, at most what one copy holds.
#[inline]
fn common(a: &[u8], b: &[u8]) -> usize {
    let longest = a.len().min(b.len()).min(MAX_COPY);
    let (a, b) = (&a[..longest], &b[..longest]);
    let mut n = 0;
    while let (Some(x), Some(y)) = (a[n..].first_chunk::<8>(), b[n..].first_chunk::<8>()) {
        let differs = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if differs != 0 {
            return n + differs.trailing_zeros() as usize / 8;
        }
        n += 8;
    }
    n + a[n..].iter().zip(&b[n..]).take_while(|(x, y)| x == y).count()
}

/// Damaged compressed bytes, or not of the announced length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

impl std::fmt::Display for Corrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("damaged LZF data")
    }
}

impl std::error::Error for Corrupt {}

/// Decompresses to exactly `expected` bytes.
///
/// Errors: `Corrupt` when the data are damaged or come out shorter or longer. Memory is reserved only when the
/// compressed length can expand to it.
pub fn decompress(data: &[u8], expected: usize) -> Result<Vec<u8>, Corrupt> {
    if data.is_empty() && expected == 0 {
        return Ok(Vec::new()); // the crate takes nothing for damage
    }
    let possible = data.len().checked_mul(MAX_EXPANSION).ok_or(Corrupt)?;
    if expected > possible || expected > i32::MAX as usize {
        return Err(Corrupt);
    }
    let out = lzf::decompress(data, expected).map_err(|_| Corrupt)?;
    if out.len() == expected { Ok(out) } else { Err(Corrupt) }
}

/// Bytes that [`decompress_short`] may write behind the text.
pub const SLACK: usize = 32;

/// Decompresses to exactly `expected` bytes at the start of `out`, whose next [`SLACK`] bytes are spoilt.
///
/// For the many short strings of a snapshot: whole words are copied, too many rather than one by one, and nothing
/// is allocated. Errors: `Corrupt` when the data are damaged, come out shorter or longer, or `out` is too small.
pub fn decompress_short(data: &[u8], expected: usize, out: &mut [u8]) -> Result<(), Corrupt> {
    if expected.checked_add(SLACK).is_none_or(|room| room > out.len()) {
        return Err(Corrupt);
    }
    let out = &mut out[..expected + SLACK];
    let (mut at, mut to) = (0, 0);
    while let Some(&control) = data.get(at) {
        at += 1;
        let (code, high) = (usize::from(control >> 5), usize::from(control & 0x1f));
        if code == 0 {
            let len = high + 1;
            if to + len > expected {
                return Err(Corrupt);
            }
            match data.get(at..at + MAX_RUN) {
                Some(run) => out[to..to + MAX_RUN].copy_from_slice(run),
                None => out[to..to + len].copy_from_slice(data.get(at..at + len).ok_or(Corrupt)?),
            }
            (at, to) = (at + len, to + len);
            continue;
        }
        let mut len = code + 2;
        if code == 7 {
            len += usize::from(*data.get(at).ok_or(Corrupt)?);
            at += 1;
        }
        let back = (high << 8 | usize::from(*data.get(at).ok_or(Corrupt)?)) + 1;
        at += 1;
        let end = to + len;
        if back > to || end > expected {
            return Err(Corrupt);
        }
        repeat(out, to, back, end);
        to = end;
    }
    if to == expected { Ok(()) } else { Err(Corrupt) }
}

/// Copies what lies `back` bytes before `to` to there, up to `end` and a bit beyond: where they overlap, what is
/// written is read again. The first 16 bytes, which are all of most copies, go without a loop; the rest in words of 16
/// bytes, from a multiple of `back` that is at least a word.
#[inline(always)]
fn repeat(out: &mut [u8], to: usize, back: usize, end: usize) {
    let period = match back {
        16.. => {
            word::<16>(out, to, back);
            back
        }
        8.. => {
            word::<8>(out, to, back);
            word::<8>(out, to + 8, back);
            2 * back
        }
        _ => {
            (to..to + 16).for_each(|i| out[i] = out[i - back]);
            back * 16usize.div_ceil(back)
        }
    };
    for at in (to + 16..end).step_by(16) {
        word::<16>(out, at, period);
    }
}

/// Copies `N` bytes from at least `N` bytes back.
#[inline(always)]
fn word<const N: usize>(out: &mut [u8], to: usize, back: usize) {
    let word: [u8; N] = *out[to - back..].first_chunk().expect("it lies before what is written");
    out[to..to + N].copy_from_slice(&word);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What `decompress_short` says, and that it says what the crate does.
    fn short(data: &[u8], expected: usize) -> Option<Vec<u8>> {
        let mut out = vec![0xAA; expected + SLACK];
        let text = decompress_short(data, expected, &mut out).is_ok().then(|| out[..expected].to_vec());
        assert_eq!(text, decompress(data, expected).ok());
        text
    }

    #[test]
    fn nothing_is_nothing_either_way() {
        assert_eq!(short(&[], 0), Some(Vec::new()));
        assert_eq!(short(&[], 1), None);
    }

    fn round_trip(c: &mut Compressor, input: &[u8]) -> Option<usize> {
        let mut out = b"before".to_vec();
        if !c.compress(input, &mut out) {
            assert_eq!(out, b"before");
            return None;
        }
        assert!(out.len() - 6 <= input.len() - 4);
        assert_eq!(decompress(&out[6..], input.len()).as_deref(), Ok(input));
        assert_eq!(short(&out[6..], input.len()).as_deref(), Some(input));
        Some(out.len() - 6)
    }

    #[test]
    fn compresses_what_repeats() {
        let mut c = Compressor::new();
        assert_eq!(round_trip(&mut c, b""), None);
        assert_eq!(round_trip(&mut c, b"aaaa"), None);
        assert!(round_trip(&mut c, &[b'a'; 21]).is_some_and(|n| n <= 6));
        assert!(round_trip(&mut c, &[0; 100_000]).is_some_and(|n| n < 1200));
        let words = "the quick brown fox jumps over the lazy dog and the quick brown cat ".repeat(20);
        assert!(round_trip(&mut c, words.as_bytes()).is_some_and(|n| n < 150));
        let noise: Vec<u8> = (0..5000).map(|_| fastrand::u8(..)).collect();
        assert_eq!(round_trip(&mut c, &noise), None);
    }

    #[test]
    fn starts_over_when_the_stamps_run_out() {
        let mut c = Compressor::new();
        c.base = u32::MAX - 150;
        for _ in 0..4 {
            assert!(round_trip(&mut c, &[b'x'; 100]).is_some());
        }
        assert!(c.base < 100_000);
    }

    #[test]
    fn hostile_lengths_are_refused() {
        assert_eq!(decompress(b"", 0), Ok(Vec::new())); // a real server's loop ends before it begins
        assert_eq!(decompress(b"", 1), Err(Corrupt));
        assert_eq!(decompress(&[0, b'a'], usize::MAX), Err(Corrupt));
        assert_eq!(decompress(&[0, b'a'], 1 << 40), Err(Corrupt));
        assert_eq!(decompress(&[0, b'a'], 2), Err(Corrupt));
        assert_eq!(decompress(&[0, b'a'], 1).as_deref(), Ok(&b"a"[..]));
        assert_eq!(decompress(&[0x20, 0], 3), Err(Corrupt)); // reaches back before the start
    }

    proptest! {
        #[test]
        fn any_input_comes_back(inputs in prop::collection::vec(prop::collection::vec(0u8..4, 0..600), 1..8)) {
            let mut c = Compressor::new();
            for input in inputs {
                round_trip(&mut c, &input);
            }
        }

        #[test]
        fn sparse_repeats_come_back(piece: Vec<u8>, gap: Vec<u8>, times in 1usize..200) {
            let mut c = Compressor::new();
            round_trip(&mut c, &[piece, gap].concat().repeat(times));
        }

        #[test]
        fn hostile_bytes_never_panic(data: Vec<u8>, expected in 0usize..5000) {
            short(&data, expected);
        }

        #[test]
        fn damaged_bytes_give_what_the_crate_gives(input in prop::collection::vec(0u8..3, 10..400), at: usize, flip: u8) {
            let mut data = Vec::new();
            if Compressor::new().compress(&input, &mut data) {
                let at = at % data.len();
                data[at] ^= flip;
                short(&data, input.len());
                short(&data[..at], input.len());
            }
        }
    }
}
