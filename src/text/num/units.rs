//! Amounts as the configuration writes them.

/// Reads an amount of memory: digits and an optional unit, in any case (`b`; `k` 1000, `kb` 1024; `m`, `mb`, `g`, `gb`).
///
/// Unit: bytes. As in the real server no digits at all count as zero (`gb` is 0), digits beyond 64 bits saturate,
/// and the product wraps.
/// Errors: `None` for a sign, an unknown unit, or 128 digits and more.
pub fn parse_memory(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (number, unit) = text.split_at(digits);
    if digits >= 128 {
        return None;
    }
    let scale: u64 = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    let value = number.iter().fold(0u64, |sum, b| sum.saturating_mul(10).saturating_add(u64::from(b - b'0')));
    Some(value.wrapping_mul(scale))
}

/// Reads a percentage: a strict integer that is not negative, and a `%` behind it.
pub fn parse_percent(text: &[u8]) -> Option<i64> {
    super::parse_i64(text.strip_suffix(b"%")?).filter(|n| *n >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_units() {
        let rows: [(&str, Option<u64>); 16] = [
            ("0", Some(0)),
            ("1b", Some(1)),
            ("100k", Some(100_000)),
            ("5KB", Some(5120)),
            ("10mb", Some(10 << 20)),
            ("2M", Some(2_000_000)),
            ("1g", Some(1_000_000_000)),
            ("1Gb", Some(1 << 30)),
            ("007", Some(7)),
            ("gb", Some(0)),
            ("", Some(0)),
            ("-1", None),
            ("1tb", None),
            ("1.5gb", None),
            ("1 gb", None),
            ("99999999999999999999", Some(u64::MAX)),
        ];
        for (text, want) in rows {
            assert_eq!(parse_memory(text.as_bytes()), want, "{text}");
        }
        assert_eq!(parse_memory(&[b'1'; 128]), None);
    }

    #[test]
    fn percentages() {
        assert_eq!(parse_percent(b"30%"), Some(30));
        assert_eq!(parse_percent(b"0%"), Some(0));
        for text in ["%", "30", "-1%", "1.5%", "030%"] {
            assert_eq!(parse_percent(text.as_bytes()), None, "{text}");
        }
    }
}
