//! Words of a transcript line <-> bytes.
//!
//! Bare words stand for themselves. `"..."` takes `\n \r \t \b \a \\ \"` and `\xHH`, `'...'` only `\'`, as in
//! redis-cli. Outside quotes `{x*65}` is 65 times `x` in one word, `{1..3}` is the words 1 2 3, `{1..3:f# v#}` the
//! words f1 v1 f2 v2 f3 v3, and `$name` what `@save name` kept (a lone `$` is a dollar).

use std::collections::HashMap;

/// The arguments that a line stands for.
pub fn words(line: &str, saved: &HashMap<String, Vec<u8>>) -> Result<Vec<Vec<u8>>, String> {
    let mut out = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        rest = match rest.as_bytes()[0] {
            b'"' => quoted(rest, &mut out)?,
            b'\'' => single_quoted(rest, &mut out)?,
            b'{' => group(rest, &mut out)?,
            _ => bare(rest, saved, &mut out)?,
        };
        if !rest.is_empty() && !rest.starts_with(' ') {
            return Err(format!("no space before {rest:?}"));
        }
        rest = rest.trim_start();
    }
    Ok(out)
}

fn bare<'l>(
    rest: &'l str,
    saved: &HashMap<String, Vec<u8>>,
    out: &mut Vec<Vec<u8>>,
) -> Result<&'l str, String> {
    let (word, rest) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
    match word.strip_prefix('$') {
        Some(name) if !name.is_empty() => {
            out.push(saved.get(name).ok_or_else(|| format!("nothing was saved as {name}"))?.clone());
        }
        _ => out.push(word.as_bytes().to_vec()),
    }
    Ok(rest)
}

fn quoted<'l>(rest: &'l str, out: &mut Vec<Vec<u8>>) -> Result<&'l str, String> {
    let bytes = rest.as_bytes();
    let mut word = Vec::new();
    let mut at = 1;
    loop {
        match bytes.get(at).ok_or_else(|| format!("no closing quote in {rest}"))? {
            b'"' => break,
            b'\\' => {
                let next = *bytes.get(at + 1).ok_or("a lone backslash at the end")?;
                at += 1;
                word.push(match next {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'a' => 7,
                    b'x' => {
                        let hex = rest.get(at + 1..at + 3).ok_or("\\x without two digits")?;
                        at += 2;
                        u8::from_str_radix(hex, 16).map_err(|_| format!("\\x{hex}"))?
                    }
                    other => other,
                });
            }
            byte => word.push(*byte),
        }
        at += 1;
    }
    out.push(word);
    Ok(&rest[at + 1..])
}

fn single_quoted<'l>(rest: &'l str, out: &mut Vec<Vec<u8>>) -> Result<&'l str, String> {
    let end = rest[1..].find('\'').ok_or_else(|| format!("no closing quote in {rest}"))?;
    out.push(rest.as_bytes()[1..=end].to_vec());
    Ok(&rest[end + 2..])
}

fn group<'l>(rest: &'l str, out: &mut Vec<Vec<u8>>) -> Result<&'l str, String> {
    let end = rest.find('}').ok_or_else(|| format!("no closing brace in {rest}"))?;
    let body = &rest[1..end];
    if let Some((text, times)) = body.rsplit_once('*') {
        let times: usize = times.parse().map_err(|_| format!("times in {body}"))?;
        out.push(text.repeat(times).into_bytes());
        return Ok(&rest[end + 1..]);
    }
    let (range, template) = body.split_once(':').unwrap_or((body, "#"));
    let (from, to) =
        range.split_once("..").ok_or_else(|| format!("neither a range nor a repetition: {body}"))?;
    let number = |text: &str| text.parse::<i64>().map_err(|_| format!("a bound in {body}"));
    for i in number(from)?..=number(to)? {
        for word in template.split(' ') {
            out.push(word.replace('#', &i.to_string()).into_bytes());
        }
    }
    Ok(&rest[end + 1..])
}

/// A word as a line shows it: bare where that is unmistakable, else in double quotes.
pub fn word(bytes: &[u8]) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"_-.:+*()[,/@!?^%".contains(b);
    if !bytes.is_empty() && bytes.iter().all(plain) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    quote(bytes)
}

/// A word in double quotes, whatever it is.
pub fn quote(bytes: &[u8]) -> String {
    format!("\"{}\"", escape(bytes))
}

/// The inside of `quote`; also how the text of simple strings and errors is shown.
pub fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'"' | b'\\' => out.extend(['\\', *byte as char]),
            b' '..=b'~' => out.push(*byte as char),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out
}

#[test]
fn words_and_quotes_agree() {
    let line = r#"SET "a b\x00\"\n" 'x y' {ab*3} {1..2:f# v} $ $s"#;
    let saved = HashMap::from([("s".to_owned(), b"\xff".to_vec())]);
    let got = words(line, &saved).expect("the line is well-formed");
    let want: [&[u8]; 10] =
        [b"SET", b"a b\0\"\n", b"x y", b"ababab", b"f1", b"v", b"f2", b"v", b"$", b"\xff"];
    assert_eq!(got, want);
    let shown = got.iter().map(|w| word(w)).collect::<Vec<_>>().join(" ");
    assert_eq!(words(&shown, &saved).expect("what is shown can be read"), got);
}
