//! The zipmap: small hashes of Redis 2.0 to 2.4.
//!
//! ```text
//! fields u8 (254 and more: count them) | length, field, length, unused bytes u8, value, unused bytes ... | 0xFF
//! length: one byte under 254, or 254 and a little-endian u32
//! ```

use super::u32_le;
use crate::value::listpack::Corrupt;

const UNCOUNTED: u8 = 254;
const END: u8 = 0xFF;

/// Checks a zipmap throughout and answers its fields and values in order. Untrusted input; never empty.
pub fn pairs(b: &[u8]) -> Result<Pairs<'_>, Corrupt> {
    let wrong = |offset, reason| Err(Corrupt { offset, reason });
    if b.len() < 2 {
        return wrong(0, "zipmap shorter than its header");
    }
    let end = b.len() - 1;
    if b[end] != END {
        return wrong(end, "zipmap without an end");
    }
    let (mut at, mut count) = (1, 0);
    while b[at] != END {
        let Some((_, next)) = pair(&b[..end], at) else {
            return wrong(at, "zipmap entry longer than the zipmap");
        };
        at = next;
        count += 1;
    }
    if count == 0 {
        return wrong(0, "zipmap without fields");
    }
    if b[0] != UNCOUNTED && usize::from(b[0]) != count {
        return wrong(0, "zipmap with another number of fields than stated");
    }
    Ok(Pairs { bytes: &b[..end], at: 1, left: count })
}

/// The fields and values of a checked zipmap.
#[derive(Clone)]
pub struct Pairs<'a> {
    bytes: &'a [u8],
    at: usize,
    left: usize,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let (pair, next) = pair(self.bytes, self.at)?;
        self.at = next;
        Some(pair)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Pairs<'_> {}

type Pair<'a> = (&'a [u8], &'a [u8]);

/// The field and value at `at`, and where the next ones begin.
fn pair(b: &[u8], at: usize) -> Option<(Pair<'_>, usize)> {
    let (len, at) = length(b, at)?;
    let field = b.get(at..)?.get(..len)?;
    let (len, at) = length(b, at + len)?;
    let unused = usize::from(*b.get(at)?);
    let value = b.get(at + 1..)?.get(..len)?;
    let next = at + 1 + len + unused;
    (next <= b.len()).then_some(((field, value), next))
}

fn length(b: &[u8], at: usize) -> Option<(usize, usize)> {
    match *b.get(at)? {
        UNCOUNTED.. => Some((u32_le(b, at + 1)?, at + 5)),
        len => Some((usize::from(len), at + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(pairs: &[(Vec<u8>, Vec<u8>, u8)]) -> Vec<u8> {
        let len = |b: &mut Vec<u8>, n: usize| {
            if n < 254 {
                b.push(n as u8);
            } else {
                b.push(254);
                b.extend((n as u32).to_le_bytes());
            }
        };
        let mut b = vec![pairs.len() as u8];
        for (field, value, unused) in pairs {
            len(&mut b, field.len());
            b.extend(field);
            len(&mut b, value.len());
            b.push(*unused);
            b.extend(value);
            b.extend(vec![END; usize::from(*unused)]);
        }
        b.push(END);
        b
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..10),
            (250..260usize).prop_map(|n| vec![b'z'; n])
        ]
    }

    proptest! {
        #[test]
        fn reads_what_was_written(given in proptest::collection::vec((text(), text(), 0..5u8), 1..10)) {
            let b = encode(&given);
            let read: Vec<_> = pairs(&b).expect("valid").collect();
            prop_assert_eq!(read.len(), given.len());
            prop_assert!(read.iter().zip(&given).all(|(r, g)| r.0 == g.0 && r.1 == g.1));
        }

        #[test]
        fn damage_is_refused_or_harmless(given in proptest::collection::vec((text(), text(), 0..5u8), 1..5),
            hits in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..4)) {
            let mut b = encode(&given);
            for (at, byte) in hits {
                let at = at % b.len();
                b[at] = byte;
            }
            if let Ok(read) = pairs(&b) {
                prop_assert_eq!(read.len(), read.count());
            }
        }

        #[test]
        fn noise_is_refused_or_harmless(mut b in proptest::collection::vec(any::<u8>(), 0..30)) {
            if let Some(last) = b.last_mut() {
                *last = END;
            }
            if let Ok(read) = pairs(&b) {
                prop_assert_eq!(read.len(), read.count());
            }
        }
    }
}
