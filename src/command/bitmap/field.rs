//! BITFIELD, BITFIELD_RO: integers of any width at any bit of a string.

use super::offset;
use crate::command::*;

pub(super) const BITFIELD: Command = Command {
    name: "bitfield",
    syntax: "key [GET encoding offset|[OVERFLOW <WRAP|SAT|FAIL>] \
             <SET encoding offset value|INCRBY encoding offset increment> \
             [GET encoding offset|[OVERFLOW <WRAP|SAT|FAIL>] \
             <SET encoding offset value|INCRBY encoding offset increment> ...]]",
    summary: "Read, write and count integers of any width within a string.",
    since: "3.2.0",
    cost: "O(1) for each operation",
    group: Group::Bitmap,
    arity: Arity::AtLeast(2),
    flags: WRITE.or(DENYOOM),
    acl: acl::BITMAP,
    keys: &[KeySpec {
        notes: "reads and changes the key",
        ..KeySpec::at(1, RW.or(UPDATE).or(ACCESS).or(VARIABLE_FLAGS))
    }],
    examples: &[("BITFIELD k GET u8 0", "1) (integer) 0")],
    run: |ctx, args| bitfield(ctx, args, false),
    ..Command::BASE
};

pub(super) const BITFIELD_RO: Command = Command {
    name: "bitfield_ro",
    syntax: "key [GET encoding offset [GET encoding offset ...]]",
    summary: "Read integers of any width within a string.",
    since: "6.0.0",
    flags: READONLY.or(FAST),
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    examples: &[("BITFIELD_RO k SET u8 0 1", "ERR BITFIELD_RO only supports the GET subcommand")],
    run: |ctx, args| bitfield(ctx, args, true),
    ..BITFIELD
};

/// What becomes of a number that does not fit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Overflow {
    Wrap,
    Saturate,
    Fail,
}

/// An integer's place and form.
#[derive(Clone, Copy)]
struct Field {
    signed: bool,
    bits: u32,
    at: u64,
}

#[derive(Clone, Copy)]
enum Verb {
    Get,
    Set(i64),
    Add(i64),
}

struct Op {
    field: Field,
    verb: Verb,
    overflow: Overflow,
}

impl Field {
    fn parse(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Result<Field, CmdError> {
        let (signed, bits) = encoding(args.arg()?).ok_or(CmdError::text(
            "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
        ))?;
        let at = match args.arg()? {
            [b'#', number @ ..] => offset(ctx, number, u64::from(bits))?,
            number => offset(ctx, number, 1)?,
        };
        Ok(Field { signed, bits, at })
    }

    /// The byte behind the last one that the field touches.
    fn end(self) -> usize {
        ((self.at + u64::from(self.bits) - 1) / 8 + 1) as usize
    }

    /// The field's bits lie this far from the right end of the nine bytes that hold it.
    fn shift(self) -> u32 {
        72 - (self.at % 8) as u32 - self.bits
    }

    fn mask(self) -> u128 {
        (1 << self.bits) - 1
    }

    /// The nine bytes in which the field begins, zeros where the string has ended.
    fn window(self, bytes: &[u8]) -> u128 {
        let mut window = [0; 16];
        let from = bytes.get((self.at / 8) as usize..).unwrap_or_default();
        let len = from.len().min(9);
        window[7..7 + len].copy_from_slice(&from[..len]);
        u128::from_be_bytes(window)
    }

    fn get(self, bytes: &[u8]) -> i128 {
        self.number(self.window(bytes) >> self.shift())
    }

    /// The number that the lowest bits are.
    fn number(self, raw: u128) -> i128 {
        let raw = (raw & self.mask()) as i128;
        let negative = self.signed && raw >> (self.bits - 1) == 1;
        if negative { raw - (1 << self.bits) } else { raw }
    }

    /// Writes the number's lowest bits; the string reaches as far as the field.
    fn set(self, bytes: &mut [u8], number: i128) {
        let cleared = self.window(bytes) & !(self.mask() << self.shift());
        let window = (cleared | (number as u128 & self.mask()) << self.shift()).to_be_bytes();
        let start = (self.at / 8) as usize;
        let len = self.end() - start;
        bytes[start..start + len].copy_from_slice(&window[7..7 + len]);
    }

    fn range(self) -> std::ops::RangeInclusive<i128> {
        match self.signed {
            true => -(1 << (self.bits - 1))..=(1 << (self.bits - 1)) - 1,
            false => 0..=(1 << self.bits) - 1,
        }
    }

    /// A number to be set, as the real server's check sees it: the distance to the greatest that fits is counted in
    /// 64 bits, and where that wraps around, what is far too small passes for too great.
    fn as_judged(self, number: i64) -> i128 {
        let (number, end) = (i128::from(number), *self.range().end());
        let wraps = self.bits < 64 && end - number > i128::from(i64::MAX);
        if wraps { end } else { number }
    }

    /// The number as it fits; `None` if it is to be refused.
    fn fit(self, number: i128, overflow: Overflow) -> Option<i128> {
        let range = self.range();
        match overflow {
            _ if range.contains(&number) => Some(number),
            Overflow::Wrap => Some(self.number(number as u128)),
            Overflow::Saturate => Some(number.clamp(*range.start(), *range.end())),
            Overflow::Fail => None,
        }
    }
}

/// `i16`, `u8`: signed up to 64 bits, unsigned up to 63.
fn encoding(text: &[u8]) -> Option<(bool, u32)> {
    let text = text.split(|byte| *byte == 0).next()?;
    let (signed, digits) = match text {
        [b'i', digits @ ..] => (true, digits),
        [b'u', digits @ ..] => (false, digits),
        _ => return None,
    };
    let bits = crate::text::num::parse_i64(digits)?;
    let most = if signed { 64 } else { 63 };
    (1..=most).contains(&bits).then_some((signed, bits as u32))
}

fn parse_ops(ctx: &Ctx<'_>, mut args: Args<'_>) -> Result<Vec<Op>, CmdError> {
    let (mut ops, mut overflow) = (Vec::new(), Overflow::Wrap);
    while let Some(word) = args.next() {
        let more = args.remaining();
        if parse::is(word, "OVERFLOW") && more >= 1 {
            overflow = parse_overflow(args.arg()?)?;
            continue;
        }
        let writes = parse::is(word, "SET") || parse::is(word, "INCRBY");
        if !(writes && more >= 3 || parse::is(word, "GET") && more >= 2) {
            return Err(CmdError::Syntax);
        }
        let field = Field::parse(ctx, &mut args)?;
        let verb = match () {
            () if !writes => Verb::Get,
            () if parse::is(word, "SET") => Verb::Set(args.int()?),
            () => Verb::Add(args.int()?),
        };
        ops.push(Op { field, verb, overflow });
    }
    Ok(ops)
}

fn parse_overflow(word: &[u8]) -> Result<Overflow, CmdError> {
    let kinds = [("WRAP", Overflow::Wrap), ("SAT", Overflow::Saturate), ("FAIL", Overflow::Fail)];
    let found = kinds.into_iter().find(|(name, _)| parse::is(word, name));
    found.map(|(_, kind)| kind).ok_or(CmdError::text("ERR Invalid OVERFLOW type specified"))
}

fn bitfield(ctx: &mut Ctx<'_>, mut args: Args<'_>, read_only: bool) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let ops = parse_ops(ctx, args)?;
    let writes = ops.iter().filter(|op| !matches!(op.verb, Verb::Get));
    let Some(end) = writes.map(|op| op.field.end()).max() else {
        let value = ctx.db.string(key)?.unwrap_or_default();
        let replied = ctx.reply.array(ops.len());
        ops.iter().for_each(|op| {
            ctx.reply.int(op.field.get(value) as i64);
        });
        return Ok(replied);
    };
    if read_only {
        return Err(CmdError::text("ERR BITFIELD_RO only supports the GET subcommand"));
    }
    change(ctx, key, &ops, end)
}

/// Runs operations of which some write; the string grows to `end` bytes first, whatever comes of them.
fn change(ctx: &mut Ctx<'_>, key: &[u8], ops: &[Op], end: usize) -> Result<Replied, CmdError> {
    let old_len = ctx.db.string_for_write(key)?.map_or(0, <[u8]>::len);
    let len = old_len.max(end);
    let reply = &mut ctx.reply;
    let ((replied, changes), effect) = ctx.db.edit_string(key, len, "setbit", |bytes| {
        let replied = reply.array(ops.len());
        let mut changes = 0;
        for op in ops {
            match run(op, bytes) {
                Ran { answer: Some(number), changed } => {
                    reply.int(number as i64);
                    changes += u64::from(changed || len > old_len && !matches!(op.verb, Verb::Get));
                }
                Ran { answer: None, .. } => {
                    reply.null();
                }
            }
        }
        (replied, changes)
    })?;
    if changes > 0 {
        ctx.record(effect.dirty(changes));
    } else if effect.created {
        // All was refused, and yet there are zeros now: neither the log nor who watches the key hears of it.
        ctx.propagate_nothing();
        ctx.record(Effect::appeared(key));
    }
    Ok(replied)
}

struct Ran {
    /// `None`: refused, as it would overflow.
    answer: Option<i128>,
    changed: bool,
}

fn run(op: &Op, bytes: &mut [u8]) -> Ran {
    let old = op.field.get(bytes);
    let wanted = match op.verb {
        Verb::Get => return Ran { answer: Some(old), changed: false },
        // An unsigned field takes a negative number for the great one that it is in 64 bits.
        Verb::Set(number) if !op.field.signed => i128::from(number as u64),
        Verb::Set(number) if op.overflow == Overflow::Saturate => op.field.as_judged(number),
        Verb::Set(number) => i128::from(number),
        Verb::Add(by) => old + i128::from(by),
    };
    let Some(new) = op.field.fit(wanted, op.overflow) else {
        return Ran { answer: None, changed: false };
    };
    op.field.set(bytes, new);
    let answer = if matches!(op.verb, Verb::Set(_)) { old } else { new };
    Ran { answer: Some(answer), changed: old != new }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reads_what_it_wrote_and_touches_nothing_else(
            signed: bool, width in 1..=64_u32, at in 0..100_u64, number: i64, fill: u8,
        ) {
            let bits = if signed { width } else { width.min(63) };
            let field = Field { signed, bits, at };
            let mut bytes = vec![fill; field.end() + 2];
            let before = bytes.clone();
            let fitting = field.fit(i128::from(number), Overflow::Wrap).expect("wrapping never fails");
            field.set(&mut bytes, fitting);
            prop_assert_eq!(field.get(&bytes), fitting);
            let bit = |bytes: &[u8], i: u64| bytes[(i / 8) as usize] >> (7 - i % 8) & 1;
            for i in (0..bytes.len() as u64 * 8).filter(|i| !(at..at + u64::from(bits)).contains(i)) {
                prop_assert_eq!(bit(&bytes, i), bit(&before, i));
            }
        }
    }

    #[test]
    fn encodings_have_a_sign_and_a_width() {
        assert_eq!(encoding(b"i64"), Some((true, 64)));
        assert_eq!(encoding(b"u63"), Some((false, 63)));
        for wrong in ["u64", "i65", "u0", "i", "I8", "8", "", "i-1", "u08"] {
            assert_eq!(encoding(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
