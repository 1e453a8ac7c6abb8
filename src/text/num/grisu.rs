//! Grisu2: the decimal digits of a double.
//!
//! Source: Florian Loitsch, "Printing Floating-Point Numbers Quickly and Accurately with Integers" (PLDI 2010). The
//! digits always read back as the same double and are the shortest ones but for about one double in a thousand,
//! where a longer form comes out. Crates like zmij and ryu are always shortest; this one is here because the real
//! server answers with Grisu2's digits, and a client can see the difference.

use super::powers::POWERS;

const HIDDEN_BIT: u64 = 1 << 52;
const FRACTION: u64 = HIDDEN_BIT - 1;

/// A floating-point number `frac * 2^exp`.
#[derive(Clone, Copy)]
struct Wide {
    frac: u64,
    exp: i32,
}

impl Wide {
    fn normalized(self) -> Wide {
        let shift = self.frac.leading_zeros();
        Wide { frac: self.frac << shift, exp: self.exp - shift as i32 }
    }

    /// The upper 64 bits of the product, rounded.
    fn times(self, other: Wide) -> Wide {
        let product = u128::from(self.frac) * u128::from(other.frac) + (1 << 63);
        Wide { frac: (product >> 64) as u64, exp: self.exp + other.exp + 64 }
    }
}

/// The digits of a value: `0.d1d2d3... * 10^(len + exponent)`, that is `digits * 10^exponent`.
pub(super) struct Decimal {
    pub digits: [u8; 18],
    pub len: usize,
    pub exponent: i32,
}

/// The digits of a finite positive double.
pub(super) fn decimal(value: f64) -> Decimal {
    let bits = value.to_bits();
    let biased = (bits >> 52) as i32 & 0x7ff;
    let w = match biased {
        0 => Wide { frac: bits & FRACTION, exp: 1 - 1075 },
        _ => Wide { frac: bits & FRACTION | HIDDEN_BIT, exp: biased - 1075 },
    };
    // Half-way to the neighbours above and below: between these, every decimal reads back as `value`.
    let upper = Wide { frac: (w.frac << 1) + 1, exp: w.exp - 1 }.normalized();
    let closer_below = u32::from(w.frac == HIDDEN_BIT);
    let lower = Wide { frac: (w.frac << (1 + closer_below)) - 1, exp: w.exp - 1 - closer_below as i32 };
    let lower = Wide { frac: lower.frac << (lower.exp - upper.exp), exp: upper.exp };

    let (power, k) = power_for(upper.exp);
    let scaled = w.normalized().times(power);
    let mut low = lower.times(power);
    let mut high = upper.times(power);
    low.frac += 1; // the product may be off by one unit: stay on the safe side
    high.frac -= 1;
    generate(scaled, low, high, -k)
}

/// The power of ten that brings an exponent into [-60, -32], and its decimal exponent.
fn power_for(exp: i32) -> (Wide, i32) {
    let approx = (f64::from(-(exp + POWERS.len() as i32)) * std::f64::consts::LOG10_2) as i32;
    let mut i = ((approx + 348) / 8) as usize;
    loop {
        let (frac, e) = POWERS[i];
        match exp + e + 64 {
            ..-60 => i += 1,
            -31.. => i -= 1,
            _ => return (Wide { frac, exp: e }, -348 + 8 * i as i32),
        }
    }
}

const TENS: [u32; 10] =
    [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

fn generate(w: Wide, low: Wide, high: Wide, exponent: i32) -> Decimal {
    let distance = high.frac - w.frac;
    let mut delta = high.frac - low.frac;
    let shift = -high.exp as u32;
    let one = 1u64 << shift;
    let mut whole = (high.frac >> shift) as u32; // the power was chosen so that it fits
    let mut part = high.frac & (one - 1);
    let mut out = Decimal { digits: [0; 18], len: 0, exponent };

    let mut kappa = whole.checked_ilog10().map_or(0, |log| log as i32 + 1);
    while kappa > 0 {
        kappa -= 1;
        let divisor = TENS[kappa as usize];
        out.push((whole / divisor) as u8);
        whole %= divisor;
        let rest = (u64::from(whole) << shift) + part;
        if rest <= delta {
            out.exponent += kappa;
            out.round(delta, rest, u64::from(divisor) << shift, distance);
            return out;
        }
    }
    let mut unit = 1u64;
    loop {
        part *= 10;
        delta *= 10;
        unit = unit.wrapping_mul(10);
        kappa -= 1;
        out.push((part >> shift) as u8);
        part &= one - 1;
        if part < delta {
            out.exponent += kappa;
            out.round(delta, part, one, distance.wrapping_mul(unit));
            return out;
        }
    }
}

impl Decimal {
    /// Appends a digit, but no leading zeros.
    fn push(&mut self, digit: u8) {
        if digit != 0 || self.len != 0 {
            self.digits[self.len] = b'0' + digit;
            self.len += 1;
        }
    }

    /// Walks the last digit down while that comes closer to the value and stays inside the interval.
    fn round(&mut self, delta: u64, mut rest: u64, step: u64, distance: u64) {
        while rest < distance
            && delta - rest >= step
            && (rest + step < distance || distance - rest > rest + step - distance)
        {
            self.digits[self.len - 1] -= 1;
            rest += step;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn powers_of_ten_are_normalized_and_near() {
        for (i, (frac, exp)) in POWERS.iter().enumerate() {
            assert!(frac >> 63 == 1);
            let value = *frac as f64 * 2f64.powi(*exp / 2) * 2f64.powi(exp - exp / 2);
            let want: f64 = format!("1e{}", -348 + 8 * i as i32).parse().expect("a number");
            if want.is_normal() {
                assert!((value / want - 1.0).abs() < 1e-15, "{i}");
            }
        }
    }

    proptest! {
        #[test]
        fn digits_read_back(bits in 1u64..0x7ff0_0000_0000_0000) {
            let value = f64::from_bits(bits);
            let d = decimal(value);
            let text = std::str::from_utf8(&d.digits[..d.len]).expect("digits");
            prop_assert_eq!(format!("{text}e{}", d.exponent).parse::<f64>().expect("a number"), value);
        }
    }
}
