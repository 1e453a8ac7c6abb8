//! Hexadecimal, lower case.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The two digits of a byte.
#[inline]
pub fn pair(byte: u8) -> [u8; 2] {
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

/// Bytes as hexadecimal text.
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|b| pair(*b)).map(char::from).collect()
}

/// The value of one hexadecimal digit, in either case.
#[inline]
pub fn value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|d| d as u8)
}

/// Hexadecimal text back into bytes; `None` for an odd length or another character.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(value(*high)? << 4 | value(*low)?)).collect()
}

/// A fresh name of a server or replication history: 40 hexadecimal digits that nobody can guess.
pub fn random_id() -> String {
    encode(&random_bytes::<20>())
}

/// Bytes from the system's random source; from a seeded generator where there is none.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    use std::io::Read;
    let mut bytes = [0; N];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    if read.is_err() {
        fastrand::fill(&mut bytes);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(encode(&all).as_bytes()), Some(all.clone()));
        assert_eq!(decode(encode(&all).to_uppercase().as_bytes()), Some(all));
        assert_eq!(encode(b"\x00\x9f\xff"), "009fff");
        for bad in ["0", "0g", "zz", "000"] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn ids_are_hex_and_differ() {
        let (a, b) = (random_id(), random_id());
        assert_eq!(a.len(), 40);
        assert!(decode(a.as_bytes()).is_some());
        assert_ne!(a, b);
    }
}
