//! Expiry options that several commands share: EX, PX, EXAT, PXAT.

use super::error::CmdError;
use super::parse::{ArgsExt, int, is};
use crate::resp::Args;
use crate::text::clock::Now;

/// How an expiry was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// In seconds, not milliseconds.
    pub seconds: bool,
    /// A point in unix time, not a span from now on.
    pub absolute: bool,
}

/// EX, PX, EXAT or PXAT with its number, which is not judged yet.
#[derive(Debug, Clone, Copy)]
pub struct ExpiryOption<'a> {
    /// How it was given.
    pub unit: Unit,
    /// The number's text.
    pub number: &'a [u8],
}

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// Unix ms.
    pub at_ms: u64,
}

impl When {
    /// As text for the log.
    pub fn ascii(self) -> Vec<u8> {
        itoa::Buffer::new().format(self.at_ms).as_bytes().to_vec()
    }
}

impl<'a> ExpiryOption<'a> {
    /// Reads the option whose word is given and whose number comes next; a syntax error if it is another word.
    pub fn parse(word: &[u8], args: &mut Args<'a>) -> Result<ExpiryOption<'a>, CmdError> {
        let unit = match () {
            () if is(word, "EX") => Unit { seconds: true, absolute: false },
            () if is(word, "PX") => Unit { seconds: false, absolute: false },
            () if is(word, "EXAT") => Unit { seconds: true, absolute: true },
            () if is(word, "PXAT") => Unit { seconds: false, absolute: true },
            () => return Err(CmdError::Syntax),
        };
        Ok(ExpiryOption { unit, number: args.arg()? })
    }

    /// Judges the number: it must be a positive integer that leads to no time beyond the representable.
    pub fn resolve(&self, command: &'static str, now: Now) -> Result<When, CmdError> {
        let number = int(self.number)?;
        if number <= 0 {
            return Err(CmdError::InvalidExpire(command));
        }
        self.unit.at(number, now).ok_or(CmdError::InvalidExpire(command))
    }
}

impl Unit {
    /// The point in time that a positive number means; `None` beyond the representable.
    pub fn at(self, number: i64, now: Now) -> Option<When> {
        let ms = if self.seconds { number.checked_mul(1000)? } else { number };
        let at = if self.absolute { ms } else { ms.checked_add(i64::try_from(now.ms).ok()?)? };
        u64::try_from(at).ok().map(|at_ms| When { at_ms })
    }
}
