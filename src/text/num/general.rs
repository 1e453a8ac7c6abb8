//! Doubles as C's `%.17g` prints them: what ZSCAN shows of a big sorted set.

/// Significant digits.
const DIGITS: i32 = 17;

/// Appends a double with 17 significant digits, without trailing zeros, with an exponent from 1e17 on and below 1e-4.
pub fn general_f64(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        out.extend_from_slice(&super::format_f64(value));
        return;
    }
    let text = format!("{value:.16e}");
    let (mantissa, exponent) = text.split_once('e').expect("it was asked for an exponent");
    let exponent: i32 = exponent.parse().expect("it is a small integer");
    if (-4..DIGITS).contains(&exponent) {
        let decimals = usize::try_from(DIGITS - 1 - exponent).expect("the range was checked");
        out.extend_from_slice(trimmed(&format!("{value:.decimals$}")).as_bytes());
        return;
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    out.extend_from_slice(format!("{}e{sign}{:02}", trimmed(mantissa), exponent.unsigned_abs()).as_bytes());
}

/// Without the zeros at the end of the decimals.
fn trimmed(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_c_does() {
        let rows = [
            (0.1, "0.10000000000000001"),
            (1e20, "1e+20"),
            (123_456_789_012.0, "123456789012"),
            (1e-7, "9.9999999999999995e-08"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (std::f64::consts::PI, "3.1415926535897931"),
            (1e17, "1e+17"),
            (1e16, "10000000000000000"),
            (1.5e300, "1.5000000000000001e+300"),
            (5e-324, "4.9406564584124654e-324"),
            (0.0001, "0.0001"),
            (0.00001, "1.0000000000000001e-05"),
            (-0.0, "-0"),
            (0.0, "0"),
            (-2.5, "-2.5"),
            (12_345_678_901_234_567_890.0, "1.2345678901234567e+19"),
        ];
        for (value, text) in rows {
            let mut out = Vec::new();
            general_f64(value, &mut out);
            assert_eq!(String::from_utf8(out).as_deref(), Ok(text));
        }
    }
}
