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
