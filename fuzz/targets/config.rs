//! What people and clients write as text: config files, command lines, patterns, numbers, words in quotes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use resnap::engine::config::{Config, Loader, rewrite};
use resnap::text::{cfloat, glob, num, words};
use resnap_fuzz::Capped;

#[global_allocator]
static ALLOCATOR: Capped = Capped;

fn config(text: &[u8]) {
    let mut loader = Loader::default();
    if !text.split(|byte| *byte == b'\n').all(|line| loader.line(line).is_ok()) {
        return;
    }
    loader.finish();
    loader.without_effect();
    // What was loaded can be written, and means the same when it is read again.
    let written = rewrite(text, &loader.config, false);
    let mut again = Loader::default();
    for line in written.split(|byte| *byte == b'\n') {
        let why = again.line(line);
        assert!(why.is_ok(), "{:?}: {why:?}", String::from_utf8_lossy(line));
    }
    again.finish();
    let all = |config: &Config| config.get(&[b"*"]);
    for (before, after) in all(&loader.config).iter().zip(&all(&again.config)) {
        // What is no address is refused when it is listened on, and not before.
        assert!(before == after || before.0 == b"bind", "{} / {}", show(before), show(after));
    }
}

fn show((name, value): &(Vec<u8>, Vec<u8>)) -> String {
    format!("{} {:?}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))
}

fn quoting(text: &[u8]) {
    if let Ok(found) = words::split(text) {
        let line = found.iter().map(|word| words::quote(word)).collect::<Vec<_>>().join(" ");
        assert_eq!(words::split(line.as_bytes()).as_ref(), Ok(&found), "{line}");
    }
}

fn numbers(text: &[u8]) {
    if let Some(n) = num::parse_i64(text) {
        assert_eq!(n.to_string().as_bytes(), text);
    }
    if let Some(n) = num::parse_u64(text) {
        assert_eq!(n.to_string().as_bytes(), text);
    }
    if let Some(x) = num::parse_f64(text) {
        assert_eq!(num::parse_f64(num::format_f64(x).as_bytes()), Some(x));
        assert_eq!(num::parse_f64(num::shortest_f64(x).as_bytes()), Some(x));
        let mut out = Vec::new();
        num::human_f64(x, &mut out);
        num::general_f64(x, &mut out);
        num::fixed_point(x, 4);
    }
    num::parse_range_f64(text);
    num::parse_memory(text);
    num::parse_percent(text);
    cfloat::strtod(text);
    if let Some(middle) = text.len().checked_div(2) {
        let _ = cfloat::add_long_double(&text[..middle], &text[middle..]);
    }
}

fn pattern(text: &[u8]) {
    let at = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len() / 2);
    let (pattern, text) = text.split_at(at);
    if glob::matches(pattern, text, false) {
        assert!(glob::matches(pattern, text, true));
    }
    if !pattern.iter().any(|byte| b"*?[]\\".contains(byte)) {
        assert_eq!(glob::matches(pattern, text, false), pattern == text);
    }
}

fn change(text: &[u8]) {
    let words: Vec<Vec<u8>> = words::split(text).unwrap_or_default();
    let pairs: Vec<(Vec<u8>, Vec<u8>)> =
        words.chunks_exact(2).map(|p| (p[0].clone(), p[1].clone())).collect();
    let _ = Config::default().set(&pairs, true, false);
}

fuzz_target!(|data: &[u8]| {
    let Some((first, text)) = data.split_first() else { return };
    match first % 5 {
        0 => config(text),
        1 => change(text),
        2 => quoting(text),
        3 => numbers(text),
        _ => pattern(text),
    }
});
