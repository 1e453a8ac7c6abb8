//! Lines into words, and bytes into something printable: the quoting of inline requests, configuration files and logs.
//!
//! Shape: words are parted by blanks. In double quotes `\xHH`, `\n`, `\r`, `\t`, `\b` and `\a` mean a byte and any other
//! `\c` means c; in single quotes only `\'` is special. Quotes may begin inside a word, but end it.
//! Source: how Redis 8.0.6 splits; only a zero byte, which ends a line there, is an ordinary byte here.

/// A quote was not closed, or something other than a blank came right behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unbalanced;

/// Takes words off a line one by one.
pub struct Splitter<'a> {
    rest: &'a [u8],
}

impl<'a> Splitter<'a> {
    pub fn new(line: &'a [u8]) -> Self {
        Splitter { rest: line }
    }

    /// Appends the next word to `out`; `false` when there is none left.
    pub fn next_into(&mut self, out: &mut Vec<u8>) -> Result<bool, Unbalanced> {
        let blanks = self.rest.iter().take_while(|b| is_space(**b)).count();
        self.rest = &self.rest[blanks..];
        if self.rest.is_empty() {
            return Ok(false);
        }
        while let Some(byte) = self.take() {
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' => break,
                b'"' => return self.double_quoted(out).map(|()| true),
                b'\'' => return self.single_quoted(out).map(|()| true),
                _ => out.push(byte),
            }
        }
        Ok(true)
    }

    fn take(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn double_quoted(&mut self, out: &mut Vec<u8>) -> Result<(), Unbalanced> {
        loop {
            match self.take().ok_or(Unbalanced)? {
                b'"' => return self.closed(),
                b'\\' => {
                    let escaped = self.escape();
                    out.push(escaped);
                }
                byte => out.push(byte),
            }
        }
    }

    /// The byte that a backslash and what follows it stand for.
    fn escape(&mut self) -> u8 {
        if let [b'x', high, low, rest @ ..] = self.rest
            && let (Some(high), Some(low)) = (super::hex::value(*high), super::hex::value(*low))
        {
            self.rest = rest;
            return high << 4 | low;
        }
        match self.take() {
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'b') => 8,
            Some(b'a') => 7,
            Some(other) => other,
            None => b'\\', // the quote is not closed either: the caller finds out
        }
    }

    fn single_quoted(&mut self, out: &mut Vec<u8>) -> Result<(), Unbalanced> {
        loop {
            match self.take().ok_or(Unbalanced)? {
                b'\'' => return self.closed(),
                b'\\' if self.rest.first() == Some(&b'\'') => {
                    self.take();
                    out.push(b'\'');
                }
                byte => out.push(byte),
            }
        }
    }

    fn closed(&self) -> Result<(), Unbalanced> {
        match self.rest.first() {
            Some(byte) if !is_space(*byte) => Err(Unbalanced),
            _ => Ok(()),
        }
    }
}

/// C's `isspace`.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// All words of a line.
pub fn split(line: &[u8]) -> Result<Vec<Vec<u8>>, Unbalanced> {
    let mut splitter = Splitter::new(line);
    let mut words = Vec::new();
    loop {
        let mut word = Vec::new();
        if !splitter.next_into(&mut word)? {
            return Ok(words);
        }
        words.push(word);
    }
}

/// Appends `bytes` in double quotes, escaped so that [`split`] gives them back and only ASCII is seen.
pub fn quote_into(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            7 => out.extend_from_slice(b"\\a"),
            8 => out.extend_from_slice(b"\\b"),
            b' '..=b'~' => out.push(byte),
            _ => {
                out.extend_from_slice(b"\\x");
                out.extend_from_slice(&super::hex::pair(byte));
            }
        }
    }
    out.push(b'"');
}

/// `bytes` in double quotes, as [`quote_into`] writes them.
pub fn quote(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len() + 2);
    quote_into(bytes, &mut out);
    out.into_iter().map(char::from).collect() // all ASCII
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(line: &str) -> Result<Vec<String>, Unbalanced> {
        Ok(split(line.as_bytes())?.iter().map(|w| w.iter().copied().map(char::from).collect()).collect())
    }

    #[test]
    fn splits_as_the_server() {
        let rows: [(&str, &[&str]); 14] = [
            ("", &[]),
            (" \t\x0b\x0c ", &[]),
            ("a b", &["a", "b"]),
            ("  SET\tkey\r value\n", &["SET", "key", "value"]),
            (r#""a b" 'c d'"#, &["a b", "c d"]),
            (r#""\x41\n\r\t\b\a\q\"\\""#, &["A\n\r\t\x08\x07q\"\\"]),
            (r#""\xg1 \x4""#, &["xg1 x4"]),
            (r"'\n\'x'", &["\\n'x"]),
            (r#"foo"bar baz""#, &["foobar baz"]),
            (r#""""#, &[""]),
            ("''", &[""]),
            ("a\x0bb", &["a\x0bb"]),
            ("\"a\"\x0bb", &["a", "b"]),
            ("\"\u{7f}\"", &["\u{7f}"]),
        ];
        for (line, want) in rows {
            assert_eq!(words(line).expect(line), want, "{line}");
        }
        for line in ["\"a", "'a", "\"a\"b", "'a'b", "a\"", "\"a\\", "\"a\\\"", "'a\\'"] {
            assert_eq!(words(line), Err(Unbalanced), "{line}");
        }
        assert_eq!(split(b"a\0b c"), Ok(vec![b"a\0b".to_vec(), b"c".to_vec()]));
    }

    #[test]
    fn quotes_what_does_not_print() {
        assert_eq!(quote(b"a\"b\\\n\r\t\x07\x08\x00\xff "), r#""a\"b\\\n\r\t\a\b\x00\xff ""#);
    }

    proptest! {
        #[test]
        fn quoted_words_come_back(words: Vec<Vec<u8>>) {
            let line = words.iter().map(|w| quote(w)).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(split(line.as_bytes()), Ok(words));
        }

        #[test]
        fn never_panics(line: Vec<u8>, text in r#"[a\\"'x0 ]{0,12}"#) {
            let _ = split(&line);
            let _ = split(text.as_bytes());
        }
    }
}
