//! Reading arguments: numbers, options, the rules that many commands share.

use super::error::CmdError;
use crate::resp::Args;
use crate::text::num;

/// What handlers ask of their arguments.
pub trait ArgsExt<'a> {
    /// The next argument. Only for those that the arity promises.
    fn arg(&mut self) -> Result<&'a [u8], CmdError>;
    /// The next argument as an integer.
    fn int(&mut self) -> Result<i64, CmdError>;
    /// The next argument as a float.
    fn float(&mut self) -> Result<f64, CmdError>;
}

impl<'a> ArgsExt<'a> for Args<'a> {
    #[inline]
    fn arg(&mut self) -> Result<&'a [u8], CmdError> {
        self.next().ok_or(CmdError::Syntax)
    }
    fn int(&mut self) -> Result<i64, CmdError> {
        int(self.arg()?)
    }
    fn float(&mut self) -> Result<f64, CmdError> {
        float(self.arg()?)
    }
}

/// Reads an integer, or answers as the real server.
#[inline]
pub fn int(bytes: &[u8]) -> Result<i64, CmdError> {
    num::parse_i64(bytes).ok_or(CmdError::NotInteger)
}

/// Reads an integer of 32 bits (database numbers), or answers as the real server.
pub fn int32(bytes: &[u8]) -> Result<i32, CmdError> {
    i32::try_from(int(bytes)?).map_err(|_| {
        CmdError::text("ERR value is out of range, value must between -2147483648 and 2147483647")
    })
}

/// Reads a float, or answers as the real server.
pub fn float(bytes: &[u8]) -> Result<f64, CmdError> {
    num::parse_f64(bytes).ok_or(CmdError::NotFloat)
}

/// Compares an option's word, which is in upper case, whatever the case of what came.
#[inline]
pub fn is(word: &[u8], option: &str) -> bool {
    word.eq_ignore_ascii_case(option.as_bytes())
}

/// Reads an integer of at least `min`; whatever else it is, the answer is `line` (`ERR ` included).
pub fn at_least(min: i64, bytes: &[u8], line: &'static str) -> Result<i64, CmdError> {
    num::parse_i64(bytes).filter(|n| *n >= min).ok_or(CmdError::Other(line.into()))
}

/// Reads a count of 0 or more, or answers that it must be positive.
pub fn not_negative(bytes: &[u8]) -> Result<usize, CmdError> {
    num::parse_i64(bytes).and_then(|n| usize::try_from(n).ok()).ok_or(CmdError::NotPositive)
}

/// The `count` arguments from `first` on (0 is the name): keys, mostly.
pub fn some_args<'a>(
    args: &Args<'a>,
    first: usize,
    count: usize,
) -> impl ExactSizeIterator<Item = &'a [u8]> + DoubleEndedIterator + Clone + use<'a> {
    args.all().skip(first).take(count)
}

/// Reads the rest of LMPOP and ZMPOP: `COUNT count`, of at least 1, which it is without.
pub fn pop_count(args: &mut Args<'_>) -> Result<usize, CmdError> {
    let mut count = None;
    while let Some(word) = args.next() {
        let number = args.arg()?;
        if count.is_some() || !is(word, "COUNT") {
            return Err(CmdError::Syntax);
        }
        count = Some(at_least(1, number, "ERR count should be greater than 0")? as usize);
    }
    Ok(count.unwrap_or(1))
}

/// The answer to -2^63 where its opposite would be needed.
#[cold]
pub fn beyond_symmetric() -> CmdError {
    CmdError::Other(
        "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807".into(),
    )
}

/// Members that one call may draw with repetitions where nothing stops it: what the real server would send until it has
/// no memory left.
const MOST_REPETITIONS: u64 = 1 << 27;

/// Judges a number of random members, possibly the same ones, that are asked for. `limited`: the output's limit stops
/// whoever asks for too many.
pub fn repetitions(count: u64, limited: bool) -> Result<usize, CmdError> {
    if count > MOST_REPETITIONS && !limited { Err(CmdError::OutOfRange) } else { Ok(count as usize) }
}

/// Reads a timeout in milliseconds; gives microseconds.
pub fn timeout_ms(bytes: &[u8], now_ms: u64) -> Result<u64, CmdError> {
    let ms = int(bytes).map_err(|_| CmdError::text("ERR timeout is not an integer or out of range"))?;
    match u64::try_from(ms) {
        Err(_) => Err(CmdError::text("ERR timeout is negative")),
        Ok(ms) if ms > (i64::MAX as u64).saturating_sub(now_ms) => {
            Err(CmdError::text("ERR timeout is out of range"))
        }
        Ok(ms) => Ok(ms.saturating_mul(1000)),
    }
}

/// Reads the timeout of a blocking command, in seconds; gives microseconds, 0 for none.
pub fn timeout(bytes: &[u8]) -> Result<u64, CmdError> {
    let seconds = num::parse_f64(bytes)
        .filter(|seconds| !seconds.is_nan())
        .ok_or(CmdError::text("ERR timeout is not a float or out of range"))?;
    // Rounded up before it is judged: -0.0001 is for ever, as in the real server.
    let ms = (seconds * 1000.0).ceil();
    if ms < 0.0 {
        return Err(CmdError::text("ERR timeout is negative"));
    }
    if ms >= i64::MAX as f64 {
        return Err(CmdError::text("ERR timeout is out of range"));
    }
    Ok((ms as u64).saturating_mul(1000))
}
