//! What a library registers, read off its text.
//!
//! Only running it would tell for sure. As long as nothing runs, calls of `redis.register_function` whose arguments
//! stand there literally are found, which is how nearly all libraries are written.

/// A library, as far as its text tells.
pub struct Library<'c> {
    /// From its first line.
    pub name: &'c [u8],
    /// From its first line, in capitals (`LUA`).
    pub engine: Vec<u8>,
    /// In the order of their registration.
    pub functions: Vec<Function>,
    /// All of it.
    pub code: &'c [u8],
}

/// A function that a library registers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Function {
    /// The name that it is called by.
    pub name: Vec<u8>,
    /// What it says it is for.
    pub description: Option<Vec<u8>>,
    /// `no-writes`, `allow-oom`, `allow-stale`, `no-cluster`, `allow-cross-slot-keys`.
    pub flags: Vec<Vec<u8>>,
}

impl Library<'_> {
    /// Reads a library: `#!lua name=mylib` and the code below.
    pub fn read(code: &[u8]) -> Library<'_> {
        let first = code.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let mut words = first.trim_ascii().split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let engine = words.next().and_then(|word| word.strip_prefix(b"#!")).unwrap_or_default();
        let name = words.find_map(|word| word.strip_prefix(b"name=")).unwrap_or_default();
        let body = code.get(first.len()..).unwrap_or_default();
        Library { name, engine: engine.to_ascii_uppercase(), functions: functions(&tokens(body)), code }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token<'c> {
    Word(&'c [u8]),
    Text(Vec<u8>),
    Sign(u8),
}

/// Splits Lua into words, strings and signs; comments are left out.
fn tokens(mut code: &[u8]) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    while let Some(&first) = code.first() {
        let length = match first {
            b'-' if code.starts_with(b"--") => comment(code),
            b'\'' | b'"' => {
                let (text, length) = quoted(code);
                tokens.push(Token::Text(text));
                length
            }
            b'[' => match long_bracket(code) {
                Some((start, end, length)) => {
                    tokens.push(Token::Text(code[start..end].to_vec()));
                    length
                }
                None => sign(&mut tokens, first),
            },
            _ if is_word(first) => {
                let length = code.iter().take_while(|byte| is_word(**byte)).count();
                tokens.push(Token::Word(&code[..length]));
                length
            }
            _ if first.is_ascii_whitespace() => 1,
            _ => sign(&mut tokens, first),
        };
        code = &code[length..];
    }
    tokens
}

fn sign(tokens: &mut Vec<Token<'_>>, sign: u8) -> usize {
    tokens.push(Token::Sign(sign));
    1
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The length of a comment: to the end of the line, or of its long bracket.
fn comment(code: &[u8]) -> usize {
    match long_bracket(&code[2..]) {
        Some((_, _, length)) => 2 + length,
        None => code.iter().position(|byte| *byte == b'\n').unwrap_or(code.len()),
    }
}

/// `[[..]]`, `[=[..]=]`: where its text begins and ends, and its whole length.
fn long_bracket(code: &[u8]) -> Option<(usize, usize, usize)> {
    let level = code.strip_prefix(b"[")?.iter().take_while(|byte| **byte == b'=').count();
    if code.get(1 + level) != Some(&b'[') {
        return None;
    }
    let close = [&b"]"[..], &b"=".repeat(level), b"]"].concat();
    let mut start = level + 2;
    let end = start + memchr::memmem::find(&code[start..], &close)?;
    // A line break right behind the opening does not count.
    start += usize::from(code[start] == b'\n');
    Some((start.min(end), end, end + close.len()))
}

/// A string in quotes, its escapes resolved (those that are no single letter stay as they are), and its length.
fn quoted(code: &[u8]) -> (Vec<u8>, usize) {
    let mut text = Vec::new();
    let mut at = 1;
    while let Some(&byte) = code.get(at) {
        at += 1;
        match (byte, code.get(at)) {
            (b'\\', Some(&escaped)) => {
                at += 1;
                text.push(match escaped {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    other => other,
                });
            }
            _ if byte == code[0] || byte == b'\n' => break,
            _ => text.push(byte),
        }
    }
    (text, at)
}

fn functions(tokens: &[Token<'_>]) -> Vec<Function> {
    let is_call = |start: &usize| {
        let called = |word| tokens[*start..].get(2) == Some(&Token::Word(word));
        matches!(&tokens[*start], Token::Word(b"redis" | b"server"))
            && tokens.get(start + 1) == Some(&Token::Sign(b'.'))
            && called(b"register_function")
    };
    (0..tokens.len()).filter(is_call).filter_map(|start| function(&tokens[start + 3..])).collect()
}

/// The function that a call registers, from the call's arguments on.
fn function(tokens: &[Token<'_>]) -> Option<Function> {
    let tokens = match tokens.first()? {
        Token::Sign(b'(') => &tokens[1..],
        _ => tokens,
    };
    match tokens.first()? {
        Token::Text(name) => Some(Function { name: name.clone(), ..Function::default() }),
        Token::Sign(b'{') => from_table(&tokens[1..]),
        _ => None,
    }
}

/// `{function_name = '..', callback = .., flags = {..}, description = '..'}`.
fn from_table(tokens: &[Token<'_>]) -> Option<Function> {
    let mut function = Function::default();
    let mut depth = 1;
    for at in 0..tokens.len() {
        match &tokens[at] {
            Token::Sign(b'{' | b'(') => depth += 1,
            Token::Sign(b'}' | b')') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        let (Token::Word(field), Some(Token::Sign(b'='))) = (&tokens[at], tokens.get(at + 1)) else {
            continue;
        };
        let value = tokens.get(at + 2..).unwrap_or_default();
        match (*field, value.first()) {
            (b"function_name", Some(Token::Text(text))) if depth == 1 => function.name = text.clone(),
            (b"description", Some(Token::Text(text))) if depth == 1 => {
                function.description = Some(text.clone())
            }
            (b"flags", Some(Token::Sign(b'{'))) if depth == 1 => function.flags = texts(&value[1..]),
            _ => {}
        }
    }
    (!function.name.is_empty()).then_some(function)
}

/// The strings up to the closing brace.
fn texts(tokens: &[Token<'_>]) -> Vec<Vec<u8>> {
    let inside = tokens.iter().take_while(|token| **token != Token::Sign(b'}'));
    let text = |token: &Token<'_>| if let Token::Text(text) = token { Some(text.clone()) } else { None };
    inside.filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_registered() {
        let code = b"#!lua name=mylib\n-- redis.register_function('no', f)\n--[[ redis.register_function('no', f) ]]\n\
            local x = \"redis.register_function('no', f)\"\n\
            redis.register_function('one', function(keys, args) return {a = 1} end)\n\
            redis.register_function{function_name=\"two\", callback=function() local t = {description='x'} end,\n\
            flags={'no-writes', 'allow-oom'}, description=[[it's two]]}\n\
            redis.register_function({\n  function_name = 'thr\\'ee',\n  callback = f\n})";
        let library = Library::read(code);
        assert_eq!((library.name, &library.engine[..]), (&b"mylib"[..], &b"LUA"[..]));
        let shown: Vec<_> = library.functions.iter().map(|f| String::from_utf8_lossy(&f.name)).collect();
        assert_eq!(shown, ["one", "two", "thr'ee"]);
        assert_eq!(library.functions[1].flags, [&b"no-writes"[..], b"allow-oom"]);
        assert_eq!(library.functions[1].description.as_deref(), Some(&b"it's two"[..]));
        assert_eq!(library.functions[0].description, None);
    }

    #[test]
    fn odd_texts_are_no_panic() {
        for code in
            ["", "#!", "#!lua", "#!lua name=", "x", "\n'", "\n\"\\", "\n--[[", "\n[==[", "\n[=", "\n[[\n]]"]
        {
            let call = "\nredis.register_function";
            for code in [code.to_owned(), format!("{code}{call}"), format!("{code}{call}({{flags={{")] {
                Library::read(code.as_bytes());
            }
        }
    }
}
