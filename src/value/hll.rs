//! HyperLogLog: an estimate of how many different elements were added, kept in a string.
//!
//! Shape: 16 bytes of header (`HYLL`, the encoding, three unused, the cached estimate as a little-endian u64 whose top
//! bit says that it is outdated), then 16384 registers of 6 bits each. Dense: all of them, packed from the lowest bit
//! on, 12288 bytes. Sparse: runs. `00xxxxxx` x+1 zeros; `01xxxxxx yyyyyyyy` xy+1 zeros; `1vvvvvxx` x+1 registers of
//! value v+1. Source of truth: what Redis 8.0.6 stores (`fixtures/oracle/pfadd.txt`); the estimate is Otmar Ertl's
//! (arXiv:1702.01284). Bytes are a client's and may be anything: whoever reads runs gets [`Damaged`].

/// Registers of every HyperLogLog.
pub const REGISTERS: usize = 1 << 14;
/// Bytes of the header.
pub const HEADER: usize = 16;
/// Bytes of a dense one.
pub const DENSE: usize = HEADER + REGISTERS * 6 / 8;
/// Bits of the hash that are not the register's number.
const Q: usize = 50;
/// The longest run of `00xxxxxx`.
const SHORT_ZEROS: usize = 64;
/// The longest run of `1vvvvvxx`, and its greatest value.
const LONGEST_RUN: usize = 4;
const GREATEST_SPARSE: u8 = 32;

/// The runs do not add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damaged;

/// How the registers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Dense,
    Sparse,
}

/// The encoding of a string that looks like a HyperLogLog; `None` if it does not.
pub fn encoding(bytes: &[u8]) -> Option<Encoding> {
    if bytes.len() < HEADER || !bytes.starts_with(b"HYLL") {
        return None;
    }
    match bytes[4] {
        0 if bytes.len() == DENSE => Some(Encoding::Dense),
        1 => Some(Encoding::Sparse),
        _ => None,
    }
}

/// One without elements: sparse.
pub fn empty() -> Vec<u8> {
    let mut bytes = vec![0; HEADER];
    bytes[..4].copy_from_slice(b"HYLL");
    bytes[4] = 1;
    push_zeros(&mut bytes, REGISTERS);
    bytes
}

/// The register of an element, and how many zeros its hash has behind that, plus one.
pub fn place(element: &[u8]) -> (usize, u8) {
    let hash = murmur64(element, 0xadc8_3b19);
    let rest = hash >> 14 | 1 << Q;
    ((hash & (REGISTERS as u64 - 1)) as usize, rest.trailing_zeros() as u8 + 1)
}

/// MurmurHash64A, little-endian.
fn murmur64(bytes: &[u8], seed: u64) -> u64 {
    const M: u64 = 0xc6a4_a793_5bd1_e995;
    let mut hash = seed ^ (bytes.len() as u64).wrapping_mul(M);
    let (words, tail) = bytes.as_chunks::<8>();
    for word in words {
        let mut k = u64::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 47;
        hash = (hash ^ k.wrapping_mul(M)).wrapping_mul(M);
    }
    if !tail.is_empty() {
        let last = tail.iter().rev().fold(0, |k, byte| k << 8 | u64::from(*byte));
        hash = (hash ^ last).wrapping_mul(M);
    }
    hash ^= hash >> 47;
    hash = hash.wrapping_mul(M);
    hash ^ hash >> 47
}

/// The estimate in the header, unless it is outdated.
pub fn cached(bytes: &[u8]) -> Option<u64> {
    let card = bytes.get(8..HEADER).and_then(|card| card.try_into().ok()).map(u64::from_le_bytes)?;
    (card >> 63 == 0).then_some(card)
}

/// Keeps an estimate in the header.
pub fn cache(bytes: &mut [u8], count: u64) {
    bytes[8..HEADER].copy_from_slice(&count.to_le_bytes());
}

/// The estimate in the header is outdated.
pub fn outdate(bytes: &mut [u8]) {
    bytes[HEADER - 1] |= 0x80;
}

fn dense_get(registers: &[u8], at: usize) -> u8 {
    let (byte, bit) = (at * 6 / 8, at * 6 % 8);
    let next = registers.get(byte + 1).copied().unwrap_or(0);
    (u16::from_le_bytes([registers[byte], next]) >> bit) as u8 & 63
}

fn dense_put(registers: &mut [u8], at: usize, value: u8) {
    let (byte, bit) = (at * 6 / 8, at * 6 % 8);
    let (mask, value) = (63u16 << bit, u16::from(value & 63) << bit);
    registers[byte] = registers[byte] & !(mask as u8) | value as u8;
    if bit > 2 {
        registers[byte + 1] = registers[byte + 1] & !((mask >> 8) as u8) | (value >> 8) as u8;
    }
}

/// Raises a register of a dense one; whether it was lower.
pub fn dense_raise(bytes: &mut [u8], at: usize, value: u8) -> bool {
    let registers = &mut bytes[HEADER..];
    let raised = dense_get(registers, at) < value;
    if raised {
        dense_put(registers, at, value);
    }
    raised
}

/// A run of a sparse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// How many registers.
    pub len: usize,
    /// What is in them.
    pub value: u8,
    /// Bytes that it takes.
    pub size: usize,
}

fn run_at(bytes: &[u8], at: usize) -> Option<Run> {
    let first = *bytes.get(at)?;
    Some(match first >> 6 {
        0 => Run { len: usize::from(first & 63) + 1, value: 0, size: 1 },
        1 => {
            // The real server reads the zero behind the string if this is its last byte.
            let low = bytes.get(at + 1).copied().unwrap_or(0);
            Run { len: (usize::from(first & 63) << 8 | usize::from(low)) + 1, value: 0, size: 2 }
        }
        _ => Run { len: usize::from(first & 3) + 1, value: (first >> 2 & 31) + 1, size: 1 },
    })
}

/// The runs of a sparse one, whatever they add up to.
pub fn runs(bytes: &[u8]) -> impl Iterator<Item = Run> + '_ {
    let mut at = HEADER;
    std::iter::from_fn(move || {
        let run = run_at(bytes, at)?;
        at += run.size;
        Some(run)
    })
}

fn push_zeros(out: &mut Vec<u8>, len: usize) {
    if len > SHORT_ZEROS {
        out.extend([0x40 | ((len - 1) >> 8) as u8, (len - 1) as u8]);
    } else if len > 0 {
        out.push((len - 1) as u8);
    }
}

fn run_byte(value: u8, len: usize) -> u8 {
    0x80 | (value - 1) << 2 | (len - 1) as u8
}

fn push_run(out: &mut Vec<u8>, value: u8, len: usize) {
    match value {
        0 => push_zeros(out, len),
        _ if len > 0 => out.push(run_byte(value, len)),
        _ => {}
    }
}

/// Visits every register that is not zero.
pub fn each(bytes: &[u8], mut visit: impl FnMut(usize, u8)) -> Result<(), Damaged> {
    if bytes[4] == 0 {
        let registers = &bytes[HEADER..];
        (0..REGISTERS)
            .map(|at| (at, dense_get(registers, at)))
            .filter(|r| r.1 > 0)
            .for_each(|(at, v)| visit(at, v));
        return Ok(());
    }
    let mut at = 0;
    for run in runs(bytes) {
        if at + run.len > REGISTERS {
            return Err(Damaged);
        }
        if run.value > 0 {
            (at..at + run.len).for_each(|at| visit(at, run.value));
        }
        at += run.len;
    }
    if at == REGISTERS { Ok(()) } else { Err(Damaged) }
}

/// Raises `registers` to what is in this one.
pub fn merge(registers: &mut [u8; REGISTERS], bytes: &[u8]) -> Result<(), Damaged> {
    each(bytes, |at, value| registers[at] = registers[at].max(value))
}

/// The same one, dense.
pub fn to_dense(bytes: &[u8]) -> Result<Vec<u8>, Damaged> {
    let mut dense = vec![0; DENSE];
    dense[..HEADER].copy_from_slice(&bytes[..HEADER]);
    dense[4] = 0;
    each(bytes, |at, value| dense_put(&mut dense[HEADER..], at, value))?;
    Ok(dense)
}

/// Puts registers in place of a dense one's.
pub fn fill_dense(bytes: &mut [u8], registers: &[u8; REGISTERS]) {
    registers.iter().enumerate().for_each(|(at, value)| dense_put(&mut bytes[HEADER..], at, *value));
}

/// Raises a register of any one; whether it was lower. A sparse one becomes dense where it has to: for a value
/// that no run can hold, or beyond `sparse_max` bytes.
pub fn raise(bytes: &mut Vec<u8>, at: usize, value: u8, sparse_max: usize) -> Result<bool, Damaged> {
    if bytes[4] == 0 {
        return Ok(dense_raise(bytes, at, value));
    }
    match sparse_raise(bytes, at, value, sparse_max)? {
        Sparse::Done(raised) => Ok(raised),
        Sparse::TooBig => {
            *bytes = to_dense(bytes)?;
            Ok(dense_raise(bytes, at, value))
        }
    }
}

/// What came of raising a sparse one's register.
enum Sparse {
    Done(bool),
    TooBig,
}

fn sparse_raise(bytes: &mut Vec<u8>, index: usize, value: u8, sparse_max: usize) -> Result<Sparse, Damaged> {
    if value > GREATEST_SPARSE {
        return Ok(Sparse::TooBig);
    }
    let (mut at, mut before, mut first) = (HEADER, HEADER, 0);
    let run = loop {
        let run = run_at(bytes, at).ok_or(Damaged)?;
        if index < first + run.len {
            break run;
        }
        (before, at, first) = (at, at + run.size, first + run.len);
    };
    if run.value >= value {
        return Ok(Sparse::Done(false));
    }
    let mut split = Vec::with_capacity(5);
    push_run(&mut split, run.value, index - first);
    split.push(run_byte(value, 1));
    push_run(&mut split, run.value, first + run.len - 1 - index);
    if split.len() > run.size && bytes.len() + split.len() - run.size > sparse_max {
        return Ok(Sparse::TooBig);
    }
    let end = (at + run.size).min(bytes.len());
    bytes.splice(at..end, split);
    join(bytes, before);
    outdate(bytes);
    Ok(Sparse::Done(true))
}

/// Joins equal runs that met, as far as one can hold them: looks at five of them.
fn join(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..5 {
        let Some(run) = run_at(bytes, at) else { return };
        let next = run_at(bytes, at + 1).filter(|next| run.value > 0 && next.value == run.value);
        match next {
            Some(next) if run.len + next.len <= LONGEST_RUN => {
                bytes[at] = run_byte(run.value, run.len + next.len);
                bytes.remove(at + 1);
            }
            _ => at += run.size,
        }
    }
}

/// How many registers hold which value.
pub type Histogram = [u32; 64];

/// Counts the values of a HyperLogLog's registers.
pub fn histogram(bytes: &[u8]) -> Result<Histogram, Damaged> {
    let mut of = [0; 64];
    let mut others = 0;
    each(bytes, |_, value| {
        of[usize::from(value & 63)] += 1;
        others += 1;
    })?;
    of[0] = REGISTERS as u32 - others;
    Ok(of)
}

/// Counts the values of merged registers.
pub fn histogram_of(registers: &[u8; REGISTERS]) -> Histogram {
    let mut of = [0; 64];
    registers.iter().for_each(|value| of[usize::from(*value & 63)] += 1);
    of
}

/// The estimate.
pub fn estimate(of: &Histogram) -> u64 {
    const ALPHA: f64 = 0.721_347_520_444_481_7;
    let m = REGISTERS as f64;
    let mut z = m * tau((m - f64::from(of[Q + 1])) / m);
    for count in of[1..=Q].iter().rev() {
        z += f64::from(*count);
        z *= 0.5;
    }
    z += m * sigma(f64::from(of[0]) / m);
    (ALPHA * m * m / z).round() as u64
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if before == z {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if before == z {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(bytes: &[u8]) -> u64 {
        estimate(&histogram(bytes).expect("it is whole"))
    }

    #[test]
    fn sparse_and_dense_agree_and_are_near() {
        let (mut sparse, mut dense) = (empty(), to_dense(&empty()).expect("empty"));
        for n in 1..=20_000u64 {
            let (at, value) = place(&n.to_le_bytes());
            let raised = raise(&mut sparse, at, value, 3000).expect("ours");
            assert_eq!(raised, dense_raise(&mut dense, at, value));
            if n.is_power_of_two() || n % 5000 == 0 {
                assert_eq!(count(&sparse), count(&dense));
                assert!(count(&dense).abs_diff(n) as f64 <= 0.05 * n as f64 + 1.0, "{n}: {}", count(&dense));
            }
        }
        assert_eq!(encoding(&sparse), Some(Encoding::Dense));
    }

    #[test]
    fn damaged_runs_are_refused() {
        for tail in [&b""[..], b"\x7f", b"\x7f\xff\x00", b"\x00\x00", b"\xff"] {
            let mut bytes = [&empty()[..HEADER], tail].concat();
            assert_eq!(to_dense(&bytes), Err(Damaged), "{tail:?}");
            // Whatever comes of it, it comes without a panic.
            let _ = raise(&mut bytes, REGISTERS - 1, 3, 3000);
            let _ = raise(&mut bytes, 0, 33, 3000);
        }
    }
}
