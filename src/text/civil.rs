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

/// Unix microseconds at a known distance east of UTC, in seconds: asks nobody, so a forked child may call it.
pub fn at_offset(us: u64, utc_offset: i64) -> Civil {
    let seconds = (us / 1_000_000) as i64 + utc_offset;
    let (year, month, day) = date(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400) as u32;
    Civil {
        year,
        month,
        day,
        hour: second / 3600,
        minute: second / 60 % 60,
        second: second % 60,
        millisecond: (us / 1000 % 1000) as u32,
        utc_offset,
    }
}

/// Year, month and day of a day counted from 1970-01-01, by the rules of the Gregorian calendar. Years begin in March
/// here, so that the leap day is the last, and come in eras of 400.
fn date(days: i64) -> (i32, u32, u32) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    ((era * 400 + year_of_era + i64::from(month < 3)) as i32, month as u32, day as u32)
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
    fn both_ways_agree() {
        for us in [0, 951_782_399_469_000, 951_782_400_000_000, 1_795_187_319_469_123, 4_107_542_399_999_999]
        {
            let asked = local(us);
            assert_eq!(at_offset(us, asked.utc_offset), asked);
        }
        assert_eq!(at_offset(951_782_400_000_000, -1).to_string(), "28 Feb 2000 23:59:59.000");
    }

    #[test]
    fn the_calendar_agrees_with_counting() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..80_000 {
            assert_eq!(date(days), (year, month, day), "{days}");
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let lengths = [31, 28 + u32::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            day += 1;
            if day > lengths[month as usize - 1] {
                (day, month) = (1, month + 1);
            }
            if month == 13 {
                (month, year) = (1, year + 1);
            }
        }
    }

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
