//! Replies and log frames as one line of text, with what is volatile in them masked.
//!
//! A mask is a pure function of the answer, applied alike when recording, when replaying, and live: two answers
//! agree when their lines are equal.

use crate::client::Value;

use super::quote::{escape, quote, word};

/// What may differ in one command's answer; empty by default, set by the `@` lines above the command.
#[derive(Clone, Debug, Default)]
pub struct Mask {
    /// `@any`: only the reply's type is kept.
    pub any: bool,
    /// `@shape`: every leaf is replaced by its type, the structure stays.
    pub shape: bool,
    /// `@unordered`: elements are sorted; `@unordered pairs`: flat pairs are; `@unordered scan`: those of the
    /// second element.
    pub unordered: Option<Order>,
    /// `@about N`: integers from N - 5000 to N (a TTL in milliseconds that has run for a while) are shown as `<about N>`.
    pub about: Vec<i64>,
    /// TTL and HTTL: 99 reads as 100, half a second may have passed.
    pub ttl: bool,
    /// `@clock`: times in seconds or milliseconds are shown relative to now.
    pub clock: bool,
    /// `@among a b c`: strings that are one of these are shown as `<among>`, in frames too.
    pub among: Vec<Vec<u8>>,
    /// `@field a b`: the values after these names, in maps, flat pairs and `name=value` or `name:value` texts.
    pub fields: Vec<String>,
    /// `@names a b`: of an INFO text only the names in front of the colons, without these.
    pub names: Option<Vec<String>>,
    /// `@log`: frames show the command and the key only.
    pub log: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Order {
    pub pairs: bool,
    pub scan: bool,
}

/// When a command was sent, in milliseconds since 1970.
pub type Sent = i64;

/// A reply as one line.
pub fn reply(value: &Value, mask: &Mask, sent: Sent) -> String {
    if mask.any {
        return kind(value).to_owned();
    }
    let mut value = value.clone();
    if !mask.fields.is_empty() {
        hide_fields(&mut value, &mask.fields);
    }
    match mask.unordered {
        Some(Order { scan: true, pairs }) => {
            if let Value::Array(items) = &mut value
                && let Some(found) = items.get_mut(1)
            {
                sort(found, pairs);
            }
        }
        Some(Order { scan: false, pairs }) => sort(&mut value, pairs),
        None => {}
    }
    Shown { mask, sent }.value(&value, true)
}

/// A frame of the log as one line: `as-is` when it is the request itself, the database in front when it is not 0.
pub fn frame(db: u32, args: &[Vec<u8>], request: &[Vec<u8>], mask: &Mask, sent: Sent) -> String {
    let place = if db == 0 { String::new() } else { format!("db{db} ") };
    if args == request {
        return format!("{place}as-is");
    }
    let kept = if mask.log { args.len().min(2) } else { args.len() };
    let shown = args[..kept].iter().map(|arg| frame_word(arg, request, mask, sent)).collect::<Vec<_>>();
    let more = if kept < args.len() { " ..." } else { "" };
    format!("{place}{}{more}", shown.join(" "))
}

fn frame_word(arg: &[u8], request: &[Vec<u8>], mask: &Mask, sent: Sent) -> String {
    if mask.among.iter().any(|a| a == arg) {
        return "<among>".to_owned();
    }
    // A time that nobody gave was made of the clock.
    if !request.iter().any(|r| r == arg)
        && let Some(text) = relative(arg, sent)
    {
        return text;
    }
    word(arg)
}

/// `1763650000123` and `1763650000123-0` as `<now+100s>`, when within a year or so of now.
fn relative(text: &[u8], sent: Sent) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let (digits, tail) = text.find('-').map_or((text, ""), |at| text.split_at(at));
    let unit = match digits.len() {
        13 => 1,
        10 => 1000,
        _ => return None,
    };
    let delta = digits.parse::<i64>().ok()? * unit - sent;
    if delta.abs() > 400 * 86_400_000 {
        return None;
    }
    // The server read its clock after us, by less than a second. Whole seconds are cut or rounded: less sharp.
    let seconds = match unit {
        1 => (delta + 100).div_euclid(1000),
        _ => (delta + 5000).div_euclid(10_000) * 10,
    };
    Some(match seconds {
        0 => format!("<now>{tail}"),
        n => format!("<now{n:+}s>{tail}"),
    })
}

struct Shown<'a> {
    mask: &'a Mask,
    sent: Sent,
}

impl Shown<'_> {
    fn value(&self, value: &Value, top: bool) -> String {
        match value {
            Value::Array(items) => format!("[{}]", self.list(items)),
            Value::Set(items) => format!("~[{}]", self.list(items)),
            Value::Push(items) => format!(">[{}]", self.list(items)),
            Value::Map(pairs) => {
                let pair =
                    |(k, v): &(Value, Value)| format!("{}: {}", self.value(k, false), self.value(v, false));
                format!("{{{}}}", pairs.iter().map(pair).collect::<Vec<_>>().join(", "))
            }
            _ if self.mask.shape => kind(value).to_owned(),
            leaf => self.leaf(leaf, top),
        }
    }

    fn list(&self, items: &[Value]) -> String {
        let shown: Vec<String> = items.iter().map(|item| self.value(item, false)).collect();
        let runs = shown.chunk_by(|a, b| a == b && a.starts_with('<'));
        let run = |run: &[String]| match run {
            [one] => one.clone(),
            [first, ..] if first.starts_with('<') => format!("{first}*{}", run.len()),
            _ => run.join(" "),
        };
        runs.map(run).collect::<Vec<_>>().join(" ")
    }

    fn leaf(&self, value: &Value, top: bool) -> String {
        match value {
            Value::Simple(text) if top => format!("+{}", escape(text)),
            Value::Simple(text) => format!("+{}", word(text)),
            Value::Error(text) if top => format!("-{}", escape(text)),
            Value::Error(text) => format!("-{}", quote(text)),
            Value::BlobError(text) => format!("!{}", quote(text)),
            Value::Int(n) => format!(":{}", self.int(*n)),
            Value::Bulk(text) => self.bulk(text),
            Value::NilBulk | Value::Null => "nil".to_owned(),
            Value::NilArray => "nil-array".to_owned(),
            Value::Double(text) => format!(",{}", escape(text)),
            Value::Bool(true) => "#t".to_owned(),
            Value::Bool(false) => "#f".to_owned(),
            Value::BigNumber(text) => format!("({}", escape(text)),
            Value::Verbatim(format, text) => format!("={}:{}", escape(format), self.bulk(text)),
            Value::Array(_) | Value::Set(_) | Value::Push(_) | Value::Map(_) => String::new(),
        }
    }

    fn int(&self, n: i64) -> String {
        if let Some(about) = self.mask.about.iter().find(|about| n <= **about && n > **about - 5000) {
            return format!("<about {about}>");
        }
        if self.mask.ttl && n % 100 == 99 {
            return (n + 1).to_string();
        }
        match relative(n.to_string().as_bytes(), self.sent) {
            Some(text) if self.mask.clock => text,
            _ => n.to_string(),
        }
    }

    fn bulk(&self, text: &[u8]) -> String {
        if self.mask.among.iter().any(|a| a == text) {
            return "<among>".to_owned();
        }
        if self.mask.clock
            && let Some(shown) = relative(text, self.sent)
        {
            return shown;
        }
        if let Some(without) = &self.mask.names {
            return quote(names(text, without).as_bytes());
        }
        quote(text)
    }
}

/// The names of an INFO text; our own fields are not the recording's business.
fn names(text: &[u8], without: &[String]) -> String {
    let text = String::from_utf8_lossy(text);
    let names = text.lines().map(|line| line.split_once(':').map_or(line, |(name, _)| name));
    let kept = names.filter(|name| !name.starts_with("resnap") && !without.iter().any(|w| w == name));
    kept.collect::<Vec<_>>().join(" ")
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Simple(_) => "<simple>",
        Value::Error(_) | Value::BlobError(_) => "<error>",
        Value::Int(_) => "<int>",
        Value::Bulk(_) => "<bulk>",
        Value::NilBulk | Value::NilArray | Value::Null => "<nil>",
        Value::Array(_) => "<array>",
        Value::Map(_) => "<map>",
        Value::Set(_) => "<set>",
        Value::Push(_) => "<push>",
        Value::Double(_) => "<double>",
        Value::Bool(_) => "<bool>",
        Value::BigNumber(_) => "<bignumber>",
        Value::Verbatim(..) => "<verbatim>",
    }
}

fn sort(value: &mut Value, pairs: bool) {
    let by = |v: &Value| Shown { mask: &Mask::default(), sent: 0 }.value(v, false);
    match value {
        Value::Map(found) => found.sort_by_cached_key(|(k, _)| by(k)),
        // In RESP3 pairs come as arrays of two.
        Value::Array(items) if pairs && !items.iter().all(|i| i.items().is_some()) => {
            let mut chunks: Vec<_> = items.chunks(2).map(<[Value]>::to_vec).collect();
            chunks.sort_by_cached_key(|chunk| by(&chunk[0]));
            *items = chunks.concat();
        }
        Value::Array(items) | Value::Set(items) | Value::Push(items) => items.sort_by_cached_key(by),
        _ => {}
    }
}

fn hide_fields(value: &mut Value, fields: &[String]) {
    match value {
        Value::Map(pairs) => {
            for (name, value) in pairs {
                hide_after(name, value, fields);
            }
        }
        Value::Array(items) | Value::Set(items) | Value::Push(items) => {
            for at in 0..items.len() {
                if at + 1 < items.len() {
                    let (name, value) = items.split_at_mut(at + 1);
                    hide_after(&name[at], &mut value[0], fields);
                }
                hide_fields(&mut items[at], fields);
            }
        }
        Value::Bulk(text) | Value::Simple(text) | Value::Verbatim(_, text) => {
            *text = hide_in_text(text, fields)
        }
        _ => {}
    }
}

fn hide_after(name: &Value, value: &mut Value, fields: &[String]) {
    let known = name.bytes().is_some_and(|name| fields.iter().any(|f| f.as_bytes() == name));
    if known {
        *value = Value::Simple(kind(value).as_bytes().to_vec());
    } else {
        hide_fields(value, fields);
    }
}

/// `id=7 addr=1.2.3.4:5` with `@field addr`: `id=7 addr=<>`.
fn hide_in_text(text: &[u8], fields: &[String]) -> Vec<u8> {
    let mut out = String::new();
    let ends = [' ', ',', '\r', '\n'];
    for piece in String::from_utf8_lossy(text).split_inclusive(ends) {
        let body = piece.trim_end_matches(ends);
        let hidden = body.find(['=', ':']).filter(|at| fields.iter().any(|f| *f == body[..*at]));
        match hidden {
            Some(at) => {
                out.push_str(&body[..=at]);
                out.push_str("<>");
                out.push_str(&piece[body.len()..]);
            }
            None => out.push_str(piece),
        }
    }
    if out.contains("<>") { out.into_bytes() } else { text.to_vec() }
}

#[test]
fn masks_hide_what_they_say() {
    let bulk = |text: &str| Value::Bulk(text.as_bytes().to_vec());
    let array = Value::Array(vec![bulk("b"), bulk("2"), bulk("a"), Value::Int(99_990)]);
    let pairs =
        Mask { unordered: Some(Order { pairs: true, scan: false }), about: vec![100_000], ..Mask::default() };
    assert_eq!(reply(&array, &pairs, 0), r#"["a" :<about 100000> "b" "2"]"#);
    let fields = Mask { fields: vec!["a".to_owned(), "id".to_owned()], ..Mask::default() };
    assert_eq!(reply(&array, &fields, 0), r#"["b" "2" "a" +"<int>"]"#);
    assert_eq!(reply(&bulk("id=7 db=0\n"), &fields, 0), r#""id=<> db=0\n""#);
    let shape = Mask { shape: true, ..Mask::default() };
    assert_eq!(reply(&array, &shape, 0), "[<bulk>*3 <int>]");
    assert_eq!(reply(&array, &Mask { any: true, ..Mask::default() }, 0), "<array>");
}

#[test]
fn frames_show_times_relative_to_now() {
    let words = |line: &str| line.split(' ').map(|w| w.as_bytes().to_vec()).collect::<Vec<_>>();
    let sent = 1_763_650_000_000;
    let show = |db, got: &str, request: &str| frame(db, &words(got), &words(request), &Mask::default(), sent);
    assert_eq!(show(0, "SET k v", "SET k v"), "as-is");
    assert_eq!(show(9, "PEXPIREAT k 1763650100007", "EXPIRE k 100"), "db9 PEXPIREAT k <now+100s>");
    assert_eq!(show(0, "XADD x 1763650000001-0 f v", "XADD x * f v"), "XADD x <now>-0 f v");
    assert_eq!(show(0, "PEXPIREAT k 1763650100007", "X 1763650100007"), "PEXPIREAT k 1763650100007");
}
