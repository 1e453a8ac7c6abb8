//! What is wrong on purpose, and what must not be: the tester's own limits.

use super::judge::is_scan;
use super::plan::{Draft, Step};
use super::stage::timeout_at;
use super::words::Word;

impl Draft<'_> {
    /// A command with something wrong in it, mostly.
    pub fn damaged(&mut self, mut args: Vec<Word>) -> Vec<Word> {
        const TOKENS: &[&str] = &[
            "NX",
            "XX",
            "GT",
            "LT",
            "CH",
            "INCR",
            "EX",
            "PX",
            "KEEPTTL",
            "PERSIST",
            "GET",
            "WITHSCORES",
            "WITHSCORE",
            "LIMIT",
            "REV",
            "BYLEX",
            "BYSCORE",
            "COUNT",
            "MATCH",
            "ASC",
            "STORE",
            "AGGREGATE",
            "WEIGHTS",
            "SUM",
            "FIELDS",
            "MAXLEN",
            "MINID",
            "~",
            "=",
            "NOACK",
            "STREAMS",
            "REPLACE",
            "ABSTTL",
            "LEFT",
            "RIGHT",
            "BEFORE",
            "ANY",
            "m",
            "WITHDIST",
            "BYRADIUS",
            "FROMMEMBER",
            "BIT",
            "AND",
            "LEN",
            "IDX",
            "OVERFLOW",
            "SAT",
            "FORCE",
            "JUSTID",
            "MKSTREAM",
            "ENTRIESREAD",
            "RANK",
            "MAXLEN",
            "FNX",
            "FXX",
            "WITHVALUES",
            "ALPHA",
            "BY",
            "DESC",
            "MIN",
            "MAX",
        ];
        let at = self.words.rng.usize(1..=args.len());
        let held = at.min(args.len() - 1);
        match self.words.rng.u32(0..9) {
            0 if args.len() > 1 => drop(args.remove(held)),
            1 => args.insert(at, self.words.pick(TOKENS).into()),
            2 => args.insert(at, self.words.edge()),
            3 if args.len() > 1 => args[held] = self.words.edge(),
            4 if args.len() > 1 => args[held] = self.words.any_key(),
            5 if args.len() > 1 => args[held] = self.words.member(),
            6 => args.swap(held, usize::from(held > 0)),
            7 => args.iter_mut().for_each(|arg| arg.make_ascii_lowercase()),
            8 => args.push(args[held].clone()),
            _ => {}
        }
        args
    }
}

/// Without what may have come of a count, an offset or a timeout: an answer of gigabytes, a wait of years.
pub fn harmless(step: &mut Step) {
    fn number(word: &Word) -> Option<f64> {
        std::str::from_utf8(word).ok()?.trim().trim_start_matches('#').parse().ok()
    }
    if let Some(timeout) = timeout_at(step).and_then(|at| step.args.get_mut(at))
        && (number(timeout).is_some_and(|n| n > 0.02 && n < 1e15) || timeout.starts_with(b"0x"))
    {
        *timeout = b"0".to_vec();
    }
    // Where a cursor stands is each server's own: iterations begin at the beginning.
    let place = if step.is("scan") { 1 } else { 2 };
    if is_scan(step)
        && let Some(cursor) = step.args.get_mut(place)
        && number(cursor).is_some_and(|n| n != 0.0)
    {
        *cursor = b"0".to_vec();
    }
    // The real server cuts an index of LSET to 32 bits, which is no good (`fixtures/oracle/lset.txt`).
    if step.is("lset")
        && let Some(index) = step.args.get_mut(2)
        && number(index).is_some_and(|n| n.abs() > 2e9)
    {
        *index = b"-100".to_vec();
    }
    let bits = step.is_any(&["setbit", "bitfield", "setrange", "bitfield_ro"]);
    let draws = step.is_any(&["srandmember", "hrandfield", "zrandmember"]);
    let counts = step.is_any(&["xautoclaim", "georadius", "srandmember"]);
    for word in step.args.iter_mut().skip(1) {
        let Some(n) = number(word) else { continue };
        let far = n > 1e5 && n < 1e12;
        let many = n < -1000.0 && n > -9e18;
        if bits && far || draws && many || counts && (far || many) {
            *word = b"7".to_vec();
        }
    }
}
