//! Words for the arguments of commands: mostly sensible, from small universes so that commands meet each other's keys,
//! members and ids; now and then at the edge of what can be said, or beyond it.
//!
//! Nothing here makes a server reserve gigabytes or answer with millions of elements: a tester that is killed finds
//! nothing. Such limits have tests of their own.

use fastrand::Rng;

use super::grammar::{Arg, Kind, Verb};

pub type Word = Vec<u8>;

/// Makes the arguments of one command after the other.
pub struct Words {
    pub rng: Rng,
    /// Stream ids and times of expiry go up with it, so that no two times are compared that were said at about the
    /// same moment.
    pub tick: u64,
    /// The command now being made lets something lapse in a millisecond.
    pub lapses: bool,
    out: Vec<Word>,
    /// Where the number of keys or fields that follow is to be written.
    count_at: Option<usize>,
    /// How many keys were written last: XREAD wants as many ids.
    keys: usize,
    /// How ZRANGE means its bounds.
    by: By,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Index,
    Score,
    Lex,
}

/// Numbers at the edge of what can be said and texts that are none, harmless as any count, index or limit.
const EDGES: &[&str] = &[
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "-9223372036854775809",
    "-1",
    "0",
    "-0",
    "+1",
    " 1",
    "1 ",
    "01",
    "0.5",
    "abc",
    "",
    "0x10",
    "1e3",
    "nan",
];
const MEMBERS: &[&[u8]] = &[
    b"a",
    b"b",
    b"c",
    b"d",
    b"e",
    b"f",
    b"g",
    b"1",
    b"2",
    b"3",
    b"10",
    b"-5",
    b"100",
    b"70000",
    b"5000000000",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"1.5",
    b"",
    b"\x00\xff",
    b"hello world",
    b"ab",
    b"foobar",
    b"01",
    b"A",
    b"aa",
    b"abc",
    b"\xc3\xa9",
];
const NUMBERS: &[&[u8]] = &[b"0", b"1", b"2", b"3", b"10", b"-5", b"100", b"300", b"-40000", b"5000000000"];
const SCORES: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "-1",
    "1.5",
    "0.1",
    "-0.0",
    "inf",
    "-inf",
    "+inf",
    "nan",
    "1e308",
    "-1e308",
    "5e-324",
    "1e17",
    "123456789012345678",
    "3.0",
    "0.30000000000000004",
    "1e-7",
    "100",
    "7",
    "-2.5",
    "9007199254740993",
];
const ODD_FLOATS: &[&str] =
    &["abc", "", "0x10", "1e", " 1", "1 ", "infinity", "1e400", "--1", "nan(1)", "1e-400"];
const PATTERNS: &[&str] = &[
    "*", "s*", "?1", "[a-m]*", "l0", "[^s]?", "*1", "\\s0", "h[01]", "x", "", "a*", "*b*", "[", "1*", "ch?",
    "k[0-9]",
];
const CHANNEL_PATTERNS: &[&str] =
    &["ch*", "c?1", "*", "__key*__:*", "__keyspace@0__:s*", "__keyevent@?__:del", "[c]h2"];
const TYPES: &[&str] = &["string", "list", "set", "zset", "hash", "stream", "STRING", "module", "none", "x"];
const RADII: &[&str] =
    &["0", "1", "100", "200", "500", "2000", "30000", "1e9", "-1", "abc", "0.5", "nan", "inf"];
const LONGITUDES: &[&str] =
    &["13.361389", "15.087269", "-122.4", "0", "180", "-180", "2.35", "181", "abc", "13.4", "nan"];
const LATITUDES: &[&str] =
    &["38.115556", "37.502669", "37.8", "0", "85.05112878", "-85", "48.85", "86", "abc", "38.2"];
const BIT_TYPES: &[&str] = &[
    "u1", "u4", "u8", "i8", "u16", "i16", "u32", "i33", "u63", "i64", "i1", "u64", "i65", "u0", "x8", "U8",
    "",
];
/// Long past, far ahead, and not to be said at all; never near now.
const MOMENTS: &[u64] = &[1, 1000, 1_600_000_000, 2_208_988_800, 2_524_608_000, 4_102_444_800];

/// The words of a line as arguments.
pub fn line(text: &str) -> Vec<Word> {
    text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

impl Words {
    pub fn new(rng: Rng) -> Words {
        Words { rng, tick: 1, lapses: false, out: Vec::new(), count_at: None, keys: 1, by: By::Index }
    }

    /// One command, mostly well-formed.
    pub fn command(&mut self, verb: &Verb) -> Vec<Word> {
        self.tick += 1;
        self.count_at = None;
        self.keys = 1;
        self.by = *self.rng.choice([By::Index, By::Score, By::Lex].iter()).expect("three");
        self.out = verb.name.iter().map(|name| name.to_uppercase().into_bytes()).collect();
        for arg in &verb.args {
            self.arg(verb, arg);
        }
        std::mem::take(&mut self.out)
    }

    pub fn one_in(&mut self, n: u32) -> bool {
        self.rng.u32(0..n) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.usize(0..from.len())]
    }

    fn pick_text(&mut self, from: &[&str]) -> Word {
        self.pick(from).as_bytes().to_vec()
    }

    fn arg(&mut self, verb: &Verb, arg: &Arg) {
        if arg.optional && self.rng.u32(0..100) >= self.eagerness(verb, arg) {
            return;
        }
        let times = if arg.multiple { self.times(verb, arg) } else { 1 };
        for at in 0..times {
            if let Some(token) = &arg.token
                && (at == 0 || arg.multiple_token)
            {
                self.out.push(token.clone().into_bytes());
            }
            self.once(verb, arg);
        }
        if arg.kind == Kind::Key {
            self.keys = times;
        }
        // The key of ZUNIONSTORE in front of the number has no number of its own.
        if arg.multiple
            && let Some(at) = self.count_at.take()
            && !self.one_in(40)
        {
            self.out[at] = times.to_string().into_bytes();
        }
    }

    /// How likely an optional argument is, in percent.
    fn eagerness(&self, verb: &Verb, arg: &Arg) -> u32 {
        match (verb.name[0].as_str(), arg.name.as_str()) {
            ("zrange" | "zrangestore", "sortby") if self.by == By::Index => 3,
            ("zrange" | "zrangestore", "sortby") => 97,
            ("bitfield" | "bitfield_ro", _) => 95,
            ("xread" | "xreadgroup", "milliseconds") => 50,
            ("xpending", "filters") => 60,
            ("bitcount" | "bitpos", _) => 60,
            ("restore", "replace") => 70,
            ("copy", "replace") => 60,
            ("set" | "hsetex", _) => 20,
            _ => 30,
        }
    }

    fn times(&mut self, verb: &Verb, arg: &Arg) -> usize {
        match (verb.name[0].as_str(), arg.name.as_str()) {
            ("xread" | "xreadgroup", "id") if !self.one_in(50) => self.keys,
            ("sadd" | "rpush" | "lpush" | "hset" | "zadd" | "hmset" | "pfadd", _) if self.one_in(6) => {
                self.rng.usize(1..12)
            }
            ("bitop", _) => self.rng.usize(1..4),
            _ => 1 + self.rng.usize(0..3) * self.rng.usize(0..2),
        }
    }

    fn once(&mut self, verb: &Verb, arg: &Arg) {
        match arg.kind {
            Kind::Token => {}
            Kind::OneOf => self.one_of(verb, arg),
            Kind::Block => arg.parts.iter().for_each(|part| self.arg(verb, part)),
            _ => {
                if matches!(arg.name.as_str(), "numkeys" | "numfields") {
                    self.count_at = Some(self.out.len());
                }
                let word = self.word(verb, arg);
                self.out.push(word);
            }
        }
    }

    fn one_of(&mut self, verb: &Verb, arg: &Arg) {
        let part = match (arg.name.as_str(), self.by) {
            ("sortby", By::Score) => &arg.parts[0],
            ("sortby", By::Lex) => &arg.parts[1],
            ("id-selector", _) => &arg.parts[usize::from(!self.one_in(25))],
            _ => &arg.parts[self.rng.usize(0..arg.parts.len())],
        };
        self.arg(verb, part);
    }

    fn word(&mut self, verb: &Verb, arg: &Arg) -> Word {
        match arg.kind {
            Kind::Key => self.key(verb, arg),
            Kind::Integer => self.integer(verb, arg),
            Kind::Double => self.double(verb, arg),
            Kind::Pattern => self.pattern(arg),
            Kind::UnixTime => self.moment(arg),
            _ => self.text(verb, arg),
        }
    }

    fn key(&mut self, verb: &Verb, arg: &Arg) -> Word {
        let letters: &[u8] = match (verb.group.as_str(), verb.name[0].as_str()) {
            _ if self.one_in(14) => b"sltzhxbpgk",
            (_, "sort" | "sort_ro") if arg.name != "destination" => b"lltz",
            ("string", _) => b"sssb",
            ("bitmap", _) => b"bbs",
            ("list", _) => b"l",
            ("set", _) => b"t",
            ("sorted-set", "zunion" | "zinter" | "zunionstore" | "zinterstore" | "zdiff" | "zintercard") => {
                b"zzzt"
            }
            ("sorted-set", _) => b"zzzg",
            ("hash", _) => b"h",
            ("stream", _) => b"x",
            ("hyperloglog", _) => b"p",
            ("geo", _) => b"g",
            _ => b"sltzhxbpgk",
        };
        if self.one_in(150) {
            return self.pick(&[b"".as_slice(), b"\x00\xffk", b"no such", b"{s}1"]).to_vec();
        }
        let number = b'0' + self.pick(&[0, 0, 0, 1, 1, 2]);
        vec![self.pick(letters), number]
    }

    /// A key of any kind.
    pub fn any_key(&mut self) -> Word {
        vec![self.pick(b"sltzhxbpgk"), b'0' + self.pick(&[0, 0, 0, 1, 1, 2])]
    }

    pub fn edge(&mut self) -> Word {
        self.pick_text(EDGES)
    }

    fn integer(&mut self, verb: &Verb, arg: &Arg) -> Word {
        let (command, name) = (verb.name[0].as_str(), arg.name.as_str());
        // Few, small and known: what stands here decides how much is answered or waited for.
        let small = match (command, name) {
            ("scan" | "sscan" | "hscan" | "zscan", "cursor") => {
                Some(self.pick_text(&["0", "0", "0", "0", "0", "abc", "-1"]))
            }
            ("scan" | "sscan" | "hscan" | "zscan", "count") => {
                Some(self.pick_text(&["1", "3", "10", "100", "0", "-1", "abc"]))
            }
            (_, "numkeys" | "numfields") => Some(self.pick_text(&["1", "2", "3", "0", "-1", "abc"])),
            (_, "milliseconds") if command == "xread" || command == "xreadgroup" => {
                Some(self.pick_text(&["0", "0", "0", "0", "5", "-1", "abc", "9223372036854775807"]))
            }
            (_, "milliseconds" | "seconds" | "ttl") => Some(self.span(verb, arg)),
            (_, "min-idle-time") => Some(self.pick_text(&["0", "0", "0", "-1", "100000000", "abc"])),
            (_, "ms") => Some(self.pick_text(&["0", "1000", "-1", "abc", "100000000"])),
            ("xclaim", "count") => Some(self.pick_text(&["0", "1", "5", "-1", "abc"])),
            (_, "db" | "destination-db") => {
                Some(self.pick_text(&["0", "0", "1", "1", "2", "15", "16", "-1", "abc"]))
            }
            ("swapdb", _) => Some(self.pick_text(&["0", "1", "2", "0", "1", "16", "-1", "abc"])),
            ("getbit" | "setbit" | "bitfield" | "bitfield_ro", "offset") => Some(self.bit_offset(command)),
            ("setrange", "offset") if !self.one_in(25) => Some(self.rng.u32(0..60).to_string().into_bytes()),
            ("xautoclaim", "count") => Some(self.rng.u32(1..6).to_string().into_bytes()),
            ("setbit", "value") => Some(self.pick_text(&["0", "1", "1", "1", "2"])),
            ("bitpos", "bit") => Some(self.pick_text(&["0", "1", "1", "2"])),
            _ => None,
        };
        if let Some(word) = small {
            return word;
        }
        if self.one_in(15) {
            return self.edge();
        }
        let n = match name {
            "increment" | "decrement" | "value" => self.pick(&[
                1,
                1,
                2,
                5,
                10,
                -1,
                -3,
                100,
                255,
                256,
                -129,
                65536,
                i64::MAX,
                i64::MIN,
                1 << 40,
                0,
            ]),
            "count" | "limit" | "num-matches" | "len" => {
                self.pick(&[0, 1, 1, 2, 2, 3, 5, 10, 100, -1, -2, -10])
            }
            "numlocal" => 0,
            _ => self.pick(&[0, 0, 1, 1, 2, 3, 4, 6, 20, -1, -1, -2, -3, -7, -100]),
        };
        n.to_string().into_bytes()
    }

    fn bit_offset(&mut self, command: &str) -> Word {
        if self.one_in(20) {
            return self.pick_text(&[
                "4294967296",
                "-1",
                "abc",
                "",
                "9223372036854775807",
                "#-1",
                "#4294967296",
                "1.5",
            ]);
        }
        let offset = self.rng.u32(0..150);
        let hash = command.starts_with("bitfield") && self.one_in(3);
        if hash { format!("#{}", offset / 10).into_bytes() } else { offset.to_string().into_bytes() }
    }

    /// How long from now: either very long, or a millisecond (and the tester waits), or nothing, or nonsense.
    fn span(&mut self, verb: &Verb, arg: &Arg) -> Word {
        let restore = verb.name[0] == "restore";
        if restore && (arg.name != "ttl" || !self.one_in(4)) {
            return self.pick_text(&["0", "0", "0", "0", "100", "-1"]);
        }
        match self.rng.u32(0..20) {
            0 => match self.edge() {
                soon if is_soon(&soon) => b"-5".to_vec(),
                edge => edge,
            },
            1 => self.pick_text(&[
                "0",
                "-1",
                "-1000",
                "9223372036854775",
                "9223372036854776",
                "281474976710656",
                "70368744177664",
            ]),
            2..=6 if arg.name != "seconds" => {
                self.lapses = true;
                b"1".to_vec()
            }
            _ => {
                let factor = if arg.name == "seconds" { 1 } else { 1000 };
                // Apart from all others by ten seconds or more: which of two is later does not hang on a moment.
                let unique = self.tick * 1000 + self.rng.u64(0..100) * 10;
                ((100_000 + unique) * factor).to_string().into_bytes()
            }
        }
    }

    fn moment(&mut self, arg: &Arg) -> Word {
        if self.one_in(12) {
            return self.edge();
        }
        let factor = if arg.name.ends_with("seconds") && !arg.name.contains("milli") { 1 } else { 1000 };
        let seconds = self.pick(MOMENTS) + u64::from(self.rng.bool()) * self.tick;
        (seconds * factor).to_string().into_bytes()
    }

    fn double(&mut self, _verb: &Verb, arg: &Arg) -> Word {
        match arg.name.as_str() {
            "timeout" => self.pick_text(&[
                "0", "0", "0", "0", "0", "0", "0", "0", "0.001", "-1", "abc", "nan", "1e308", "inf",
            ]),
            "radius" | "width" | "height" => self.pick_text(RADII),
            "longitude" => self.degrees(LONGITUDES),
            "latitude" => self.degrees(LATITUDES),
            _ => self.score(),
        }
    }

    fn degrees(&mut self, from: &[&str]) -> Word {
        let known = if self.one_in(5) { from.len() } else { 7 };
        self.pick_text(&from[..known])
    }

    fn score(&mut self) -> Word {
        // One sorted set is for ranges by member.
        if !self.one_in(8) && self.out.get(1).is_some_and(|key| key == b"z2") {
            return b"0".to_vec();
        }
        if self.one_in(25) {
            return self.pick_text(ODD_FLOATS);
        }
        if self.one_in(3) { self.pick_text(SCORES) } else { self.rng.i32(-3..8).to_string().into_bytes() }
    }

    fn pattern(&mut self, arg: &Arg) -> Word {
        match arg.name.as_str() {
            "by-pattern" => self.pick_text(&["nosort", "s*", "h0->*", "h*->a", "*", "no*", "x"]),
            "get-pattern" => self.pick_text(&["#", "s*", "h*->a", "h0->*", "*", "no*", "l*"]),
            _ => self.pick_text(PATTERNS),
        }
    }

    fn text(&mut self, verb: &Verb, arg: &Arg) -> Word {
        let command = verb.name[0].as_str();
        match arg.name.as_str() {
            "channel" | "shardchannel" => self.pick_text(&["ch0", "ch1", "ch2", ""]),
            "group" if command.starts_with('x') => self.pick_text(&["g1", "g1", "g1", "g2", "nogroup"]),
            "consumer" => self.pick_text(&["c1", "c1", "c2", "c3", ""]),
            "id" | "last-id" | "lastid" | "max-deleted-id" => self.id(command, arg),
            "threshold" if self.rng.bool() => self.id(command, arg),
            "threshold" => self.rng.u32(0..12).to_string().into_bytes(),
            "start" | "stop" | "end" if verb.group == "stream" => self.id_bound(),
            "min" | "max" | "start" | "stop" if verb.group == "sorted-set" => self.bound(command),
            "encoding" => self.bit_type(),
            "type" => self.pick_text(TYPES),
            "pattern" => self.pick_text(CHANNEL_PATTERNS),
            "min-idle-time" => self.pick_text(&["0", "0", "0", "0", "-1", "100000000", "abc"]),
            "serialized-value" => {
                self.pick_text(&["$dump", "$dump", "$dump", "$dump", "$dump", "$dump", "", "abc"])
            }
            "channels" | "message" => self.member(),
            _ => self.value(verb),
        }
    }

    fn bit_type(&mut self) -> Word {
        let known = if self.one_in(12) { BIT_TYPES.len() } else { 11 };
        self.pick_text(&BIT_TYPES[..known])
    }

    fn id(&mut self, command: &str, arg: &Arg) -> Word {
        let special: &[&str] = match command {
            "xread" => &["$", "$", "$", "+", "0"],
            "xreadgroup" => &[">", ">", ">", ">", ">", ">", "0", "0-0"],
            "xgroup" => &["$", "0", "$", "0-0", "-", "+"],
            "xadd" if arg.name == "id" => &["0-1", "0-*", "0-0", "1-1"],
            _ => &["0", "0-0", "0-1", "-", "+"],
        };
        if command == "xreadgroup" && self.rng.u32(0..4) > 0 || self.one_in(4) {
            return self.pick_text(special);
        }
        if self.one_in(30) {
            return self.pick_text(&[
                "18446744073709551615-18446744073709551615",
                "18446744073709551616-0",
                "1-18446744073709551615",
                "abc",
                "",
                "1-",
                "-1",
                "1-1-1",
                "01-1",
                "1--1",
                "*",
                "5-abc",
                "18446744073709551615",
            ]);
        }
        let now = self.tick / 8;
        let ms =
            now.saturating_sub(if arg.name == "id" && command == "xadd" { 0 } else { self.rng.u64(0..8) });
        match self.rng.u32(0..6) {
            0 if command == "xadd" => format!("{ms}-*").into_bytes(),
            0 => ms.to_string().into_bytes(),
            _ => format!("{ms}-{}", self.rng.u32(0..5)).into_bytes(),
        }
    }

    fn id_bound(&mut self) -> Word {
        match self.rng.u32(0..12) {
            0..=2 => b"-".to_vec(),
            3..=5 => b"+".to_vec(),
            6 => self.pick_text(&[
                "(",
                "(-",
                "(+",
                "abc",
                "",
                "18446744073709551615",
                "(18446744073709551615-18446744073709551615",
                "(0-0",
                "((1-1",
                "$",
            ]),
            n => {
                let open = if n == 7 { "(" } else { "" };
                let (ms, seq) = ((self.tick / 8).saturating_sub(self.rng.u64(0..8)), self.rng.u32(0..5));
                if n == 8 {
                    format!("{open}{ms}").into_bytes()
                } else {
                    format!("{open}{ms}-{seq}").into_bytes()
                }
            }
        }
    }

    /// Of a range of a sorted set, in the terms of the command.
    fn bound(&mut self, command: &str) -> Word {
        let by = match command {
            "zrange" | "zrangestore" => self.by,
            _ if command.contains("lex") => By::Lex,
            _ if command.contains("score") || command == "zcount" => By::Score,
            _ => By::Index,
        };
        match by {
            By::Index if self.one_in(20) => self.edge(),
            By::Index => self.pick(&[0, 0, 1, 2, 3, 5, -1, -1, -2, -3, -100, 100]).to_string().into_bytes(),
            By::Score => {
                let mut bound = if self.one_in(4) { b"(".to_vec() } else { Vec::new() };
                if self.one_in(3) {
                    bound.extend_from_slice(self.pick(&["-inf", "+inf", "inf"]).as_bytes());
                } else {
                    bound.extend(self.score());
                }
                bound
            }
            By::Lex if self.one_in(3) => {
                self.pick_text(&["-", "+", "-", "+", "(", "[", "", "a", "-a", "+x", "inf"])
            }
            By::Lex => {
                let mut bound = vec![self.pick(b"[(")];
                bound.extend(self.member());
                bound
            }
        }
    }

    /// An element, a member or a field.
    pub fn member(&mut self) -> Word {
        match self.rng.u32(0..40) {
            0..=24 => self.pick(&MEMBERS[..12]).to_vec(),
            25..=34 => self.pick(MEMBERS).to_vec(),
            35 => vec![b'x'; self.pick(&[20, 45, 63, 64, 65, 70, 130, 300])],
            36 => format!("{}{}", self.pick(&["m", "n"]), self.rng.u32(0..200)).into_bytes(),
            37 => self.rng.i64(-100_000..100_000).to_string().into_bytes(),
            38 if self.one_in(12) => vec![b'y'; self.pick(&[4095, 4096, 5000, 8200, 17_000])],
            38 => self.rng.i64(..).to_string().into_bytes(),
            _ => self.rng.u32(0..40).to_string().into_bytes(),
        }
    }

    /// What is stored: numbers for those that count with it.
    fn value(&mut self, verb: &Verb) -> Word {
        let counts = matches!(
            verb.name[0].as_str(),
            "set" | "hset" | "mset" | "getset" | "setnx" | "hsetex" | "hmset"
        );
        match self.rng.u32(0..10) {
            0..=4 if counts => self.pick(NUMBERS).to_vec(),
            5 if counts => self.score(),
            6 if verb.group == "string" || verb.group == "bitmap" => {
                (0..self.rng.usize(0..12)).map(|_| self.rng.u8(..)).collect()
            }
            _ => self.member(),
        }
    }
}

/// Whether it is a time from now at which one server may be asked before and the other behind it.
fn is_soon(span: &[u8]) -> bool {
    let number = std::str::from_utf8(span).ok().and_then(|text| text.trim().parse().ok());
    number.is_some_and(|n: f64| (1.0..=600_000.0).contains(&n))
}
