#![allow(unsafe_code)] // `localtime_r`: the standard library knows no time zones
//! Moments as people read them: the stamp of a log line.

use std::mem::MaybeUninit;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment in the local time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    pub millisecond: u32,
    /// Seconds east of UTC.
    pub utc_offset: i64,
}

/// Unix microseconds in local time. What the zone's rules cannot tell comes out as the beginning of 1970.
pub fn local(us: u64) -> Civil {
    let seconds = i64::try_from(us / 1_000_000).unwrap_or(0);
    let mut tm = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are valid through the call; a zeroed `tm` is a valid one (integers, and a pointer that
    // may be null), so it may be read also when the call fails and leaves it alone.
    let tm = unsafe {
        libc::localtime_r(&seconds, tm.as_mut_ptr());
        tm.assume_init()
    };
    Civil {
        year: tm.tm_year.saturating_add(1900),
        month: (tm.tm_mon as u32).min(11) + 1,
        day: tm.tm_mday as u32,
        hour: tm.tm_hour as u32,
        minute: tm.tm_min as u32,
        second: tm.tm_sec as u32,
        millisecond: (us / 1000 % 1000) as u32,
        utc_offset: tm.tm_gmtoff,
    }
}

/// `DD Mon YYYY HH:MM:SS.mmm`, as the log's lines begin.
impl std::fmt::Display for Civil {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Civil { year, month, day, hour, minute, second, millisecond, .. } = self;
        let month = MONTHS[*month as usize - 1];
        write!(f, "{day:02} {month} {year} {hour:02}:{minute:02}:{second:02}.{millisecond:03}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_a_log_stamp() {
        let utc = |us: u64| {
            let offset = local(us).utc_offset;
            local(us.saturating_add_signed(-offset * 1_000_000)).to_string()
        };
        assert_eq!(utc(1_700_000_000_123_456), "14 Nov 2023 22:13:20.123");
        assert_eq!(utc(1_709_164_799_999_000), "28 Feb 2024 23:59:59.999");
        assert_eq!(utc(1_709_164_800_000_000), "29 Feb 2024 00:00:00.000");
        let _ = local(u64::MAX).to_string();
    }
}
