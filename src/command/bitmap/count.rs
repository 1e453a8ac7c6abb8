//! BITCOUNT, BITPOS: how many bits are set, and where the first one is.

use std::ops::Range;

use crate::command::string::range::{clip, clip_ends};
use crate::command::*;

pub(super) const BITCOUNT: Command = Command {
    name: "bitcount",
    syntax: "key [start end [BYTE|BIT]]",
    summary: "Count the bits that are set in a string or part of it.",
    since: "2.6.0",
    cost: "O(N) in the number of bytes",
    group: Group::Bitmap,
    arity: Arity::AtLeast(2),
    flags: READONLY,
    acl: acl::BITMAP,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    examples: &[("BITCOUNT nosuch", "(integer) 0"), ("BITCOUNT k 1", "ERR syntax error")],
    run: bitcount,
    ..Command::BASE
};

pub(super) const BITPOS: Command = Command {
    name: "bitpos",
    syntax: "key bit [start [end [BYTE|BIT]]]",
    summary: "Find the first bit that is set, or not, in a string or part of it.",
    since: "2.8.7",
    arity: Arity::AtLeast(3),
    examples: &[("BITPOS nosuch 1", "(integer) -1"), ("BITPOS k 2", "ERR The bit argument must be 1 or 0.")],
    run: bitpos,
    ..BITCOUNT
};

/// Whether a range counts bits, not bytes.
fn in_bits(unit: Option<&[u8]>) -> Result<bool, CmdError> {
    match unit {
        None => Ok(false),
        Some(word) if parse::is(word, "BIT") => Ok(true),
        Some(word) if parse::is(word, "BYTE") => Ok(false),
        Some(_) => Err(CmdError::Syntax),
    }
}

/// The bits that a range means, in a string of `len` bytes.
fn bits_of(
    clip: fn(i64, i64, usize) -> Range<usize>,
    start: i64,
    end: i64,
    in_bits: bool,
    len: usize,
) -> Range<usize> {
    if in_bits {
        return clip(start, end, len * 8);
    }
    let bytes = clip(start, end, len);
    bytes.start * 8..bytes.end * 8
}

/// A byte's bits that lie in the range, the others zero.
fn masked(bytes: &[u8], at: usize, bits: &Range<usize>) -> u8 {
    let mut byte = bytes[at];
    if at == bits.start / 8 {
        byte &= 0xff >> (bits.start % 8);
    }
    if at == (bits.end - 1) / 8 {
        byte &= 0xff_u8 << (7 - (bits.end - 1) % 8);
    }
    byte
}

fn count_ones(bytes: &[u8], bits: Range<usize>) -> u64 {
    if bits.is_empty() {
        return 0;
    }
    let (first, last) = (bits.start / 8, (bits.end - 1) / 8);
    let edges = masked(bytes, first, &bits).count_ones()
        + if last > first { masked(bytes, last, &bits).count_ones() } else { 0 };
    let inner = bytes.get(first + 1..last).unwrap_or_default();
    let (words, rest) = inner.as_chunks::<8>();
    let in_words: u64 = words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones())).sum();
    let in_rest: u64 = rest.iter().map(|byte| u64::from(byte.count_ones())).sum();
    u64::from(edges) + in_words + in_rest
}

/// The first bit of the range that is `on`.
fn position(bytes: &[u8], bits: Range<usize>, on: bool) -> Option<usize> {
    if bits.is_empty() {
        return None;
    }
    let (first, last) = (bits.start / 8, (bits.end - 1) / 8);
    let dull = if on { 0 } else { 0xff };
    let wanted = |at: usize| if on { bytes[at] } else { !bytes[at] };
    let in_edge = |at: usize| {
        let byte = masked(&[wanted(at)], 0, &shifted(&bits, at));
        (byte != 0).then(|| at * 8 + byte.leading_zeros() as usize)
    };
    in_edge(first)
        .or_else(|| {
            let inner = bytes.get(first + 1..last).unwrap_or_default();
            let at = first + 1 + inner.iter().position(|byte| *byte != dull)?;
            Some(at * 8 + wanted(at).leading_zeros() as usize)
        })
        .or_else(|| if last > first { in_edge(last) } else { None })
}

/// The part of a range of bits that lies in byte `at`, counted from that byte.
fn shifted(bits: &Range<usize>, at: usize) -> Range<usize> {
    bits.start.max(at * 8) - at * 8..bits.end.min(at * 8 + 8) - at * 8
}

fn bitcount(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let (start, end, in_bits) = match args.remaining() {
        0 => (0, -1, false),
        2 | 3 => (args.int()?, args.int()?, in_bits(args.next())?),
        _ => return Err(CmdError::Syntax),
    };
    let value = ctx.db.string(key)?.unwrap_or_default();
    let count = count_ones(value, bits_of(clip, start, end, in_bits, value.len()));
    Ok(ctx.reply.int(count as i64))
}

fn bitpos(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let on = match args.int()? {
        0 => false,
        1 => true,
        _ => return Err(CmdError::text("ERR The bit argument must be 1 or 0.")),
    };
    if args.remaining() > 3 {
        return Err(CmdError::Syntax);
    }
    let start = if args.remaining() > 0 { args.int()? } else { 0 };
    let in_bits = in_bits(args.get(5))?; // judged before the end is
    let end = if args.remaining() > 0 { Some(args.int()?) } else { None };
    let Some(value) = ctx.db.string(key)? else {
        return Ok(ctx.reply.int(if on { -1 } else { 0 })); // zeros without end
    };
    let bits = bits_of(clip_ends, start, end.unwrap_or(-1), in_bits, value.len());
    let at = match position(value, bits.clone(), on) {
        Some(at) => at as i64,
        // Zeros follow where the string ends, unless the range does.
        None if !on && end.is_none() && !bits.is_empty() => bits.end as i64,
        None => -1,
    };
    Ok(ctx.reply.int(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bit(bytes: &[u8], at: usize) -> bool {
        bytes[at / 8] >> (7 - at % 8) & 1 == 1
    }

    proptest! {
        #[test]
        fn counts_and_finds_as_a_loop_would(
            bytes in prop::collection::vec(prop_oneof![Just(0), Just(0xff), any::<u8>()], 0..40),
            a in 0..320_usize,
            b in 0..320_usize,
            on: bool,
        ) {
            let end = b.min(bytes.len() * 8);
            let bits = a.min(end)..end;
            let ones = bits.clone().filter(|at| bit(&bytes, *at)).count();
            prop_assert_eq!(count_ones(&bytes, bits.clone()), ones as u64);
            let first = bits.clone().find(|at| bit(&bytes, *at) == on);
            prop_assert_eq!(position(&bytes, bits, on), first);
        }
    }
}
