//! Patterns of KEYS, SCAN, PSUBSCRIBE, CONFIG GET and ACL rules.
//!
//! Shape: `*` any bytes, `?` one byte, `[a-z_]` one of a class, `[^...]` one not of it, `\c` the byte c. A class that is
//! not closed ends with the pattern. Matching is bytewise, and exact to the server's oddities: only `""` matches the
//! empty text, ranges compare signed bytes and may be written backwards, escapes in a class ignore `nocase`.
//! There is no recursion: a failed match goes back to the last `*` only, which is enough.

/// More `*` than this (runs count as one, a last one does not) match nothing.
const MAX_STARS: usize = 1000;

/// Whether the whole text matches the pattern; with `nocase`, ASCII letters match in either case.
pub fn matches(pattern: &[u8], text: &[u8], nocase: bool) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut p, mut t) = (0, 0);
    let mut star: Option<Star> = None;
    let mut stars = 0;
    loop {
        if t == text.len() {
            return pattern[p..].iter().all(|b| *b == b'*');
        }
        if pattern.get(p) == Some(&b'*') {
            p += pattern[p..].iter().take_while(|b| **b == b'*').count();
            if p == pattern.len() {
                return true;
            }
            stars += 1;
            if stars > MAX_STARS {
                return false;
            }
            star = Some(Star { pattern: p, text: t, first: first_literal(&pattern[p..], nocase) });
        } else if let Some(next) = one(pattern, p, text[t], nocase) {
            (p, t) = (next, t + 1);
            continue;
        } else {
            match &mut star {
                Some(star) => star.text += 1,
                None => return false,
            }
        }
        // Behind a star: the next place where the rest may begin.
        let Some(star) = &mut star else { return false };
        if let Some(byte) = star.first {
            match memchr::memchr(byte, &text[star.text..]) {
                Some(skip) => star.text += skip,
                None => return false,
            }
        }
        if star.text == text.len() {
            return false;
        }
        (p, t) = (star.pattern, star.text);
    }
}

/// The last `*` met: the pattern behind it, and where in the text that is tried.
struct Star {
    pattern: usize,
    text: usize,
    first: Option<u8>,
}

/// The byte that a pattern's match must begin with, if it is plain.
fn first_literal(pattern: &[u8], nocase: bool) -> Option<u8> {
    match pattern.first() {
        None | Some(b'?' | b'[' | b'\\' | b'*') => None,
        Some(byte) => (!nocase).then_some(*byte),
    }
}

/// Matches one byte against the element at `p` (not a star); the index of the next element if it does.
#[inline]
fn one(pattern: &[u8], p: usize, byte: u8, nocase: bool) -> Option<usize> {
    let (literal, next) = match *pattern.get(p)? {
        b'?' => return Some(p + 1),
        b'[' => return class(pattern, p + 1, byte, nocase),
        b'\\' if p + 1 < pattern.len() => (pattern[p + 1], p + 2),
        other => (other, p + 1),
    };
    same(literal, byte, nocase).then_some(next)
}

#[inline]
fn same(a: u8, b: u8, nocase: bool) -> bool {
    a == b || nocase && a.eq_ignore_ascii_case(&b)
}

/// Matches one byte against the class whose inside begins at `p`.
fn class(pattern: &[u8], mut p: usize, byte: u8, nocase: bool) -> Option<usize> {
    let negated = pattern.get(p) == Some(&b'^');
    p += usize::from(negated);
    let mut found = false;
    loop {
        match &pattern[p..] {
            [] => break,
            [b'\\', escaped, ..] => {
                found |= *escaped == byte;
                p += 2;
            }
            [b']', ..] => {
                p += 1;
                break;
            }
            [low, b'-', high, ..] => {
                found |= in_range(*low, *high, byte, nocase);
                p += 3;
            }
            [single, ..] => {
                found |= same(*single, byte, nocase);
                p += 1;
            }
        }
    }
    (found != negated).then_some(p)
}

/// Bytes count as C's signed `char`; folding case makes all but the last of the negative ones positive again.
fn in_range(low: u8, high: u8, byte: u8, nocase: bool) -> bool {
    let (low, high) = if (low as i8) > (high as i8) { (high, low) } else { (low, high) };
    let order = |b: u8| match b {
        _ if !nocase => i16::from(b as i8),
        0xff => -1,
        _ => i16::from(b.to_ascii_lowercase()),
    };
    (order(low)..=order(high)).contains(&order(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn matches_as_the_server() {
        let yes = [
            ("", ""),
            ("a*", "a"),
            ("*", "a"),
            ("h?llo", "hello"),
            ("h*llo", "hllo"),
            ("h[ae]llo", "hallo"),
            ("h[^e]llo", "hallo"),
            ("h[a-b]llo", "hbllo"),
            ("h[b-a]llo", "hbllo"),
            ("*a*b*c", "xxaxxbxxbc"),
            ("\\*", "*"),
            ("a\\", "a\\"),
            ("[\\]]", "]"),
            ("[a", "a"),
            ("[a-]", "]"),
            ("[^", "x"),
            ("**a**", "bab"),
        ];
        for (pattern, text) in yes {
            assert!(matches(pattern.as_bytes(), text.as_bytes(), false), "{pattern} {text}");
        }
        let no = [
            ("*", ""),
            ("a", ""),
            ("", "a"),
            ("h?llo", "hllo"),
            ("h[^a]llo", "hallo"),
            ("[]a]", "a"),
            ("a", "A"),
        ];
        for (pattern, text) in no {
            assert!(!matches(pattern.as_bytes(), text.as_bytes(), false), "{pattern} {text}");
        }
        assert!(matches(b"HeL*[A-C]", b"helloB", true));
        assert!(!matches(b"[\\A]", b"a", true));
        assert!(matches(b"[\x80-\xff]", b"\x90", false));
        assert!(!matches(b"[a-\xff]", b"b", false)); // signed: from -1 to 97
        assert!(!matches(b"[A-\x80]", b"a", true)); // folded: from 128 to 97
    }

    #[test]
    fn abusive_patterns_end_soon() {
        let text = "a".repeat(100_000);
        assert!(!matches(("a*".repeat(500) + "b").as_bytes(), text.as_bytes(), false));
        assert!(!matches(("*a".repeat(1001)).as_bytes(), text.as_bytes(), false));
        assert!(matches(("*a".repeat(1000)).as_bytes(), text.as_bytes(), false));
    }

    /// The same by recursion, as the semantics read.
    fn naive(p: &[u8], t: &[u8], nocase: bool) -> bool {
        match (p.first(), t.first()) {
            (None, None) => true,
            (None, _) => false,
            (Some(b'*'), _) => (0..=t.len()).any(|i| naive(&p[1..], &t[i..], nocase)),
            (_, None) => false,
            (_, Some(byte)) => {
                one(p, 0, *byte, nocase).is_some_and(|next| naive(&p[next..], &t[1..], nocase))
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_recursion(pattern in r"[ab*?\[\]^\\-]{0,9}", text in "[abA^-]{1,9}", nocase: bool) {
            let (p, t) = (pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(matches(p, t, nocase), naive(p, t, nocase));
        }

        #[test]
        fn never_panics(pattern: Vec<u8>, text: Vec<u8>, nocase: bool) {
            matches(&pattern, &text, nocase);
        }
    }
}
