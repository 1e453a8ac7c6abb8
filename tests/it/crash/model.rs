//! What a client knows of its own keys: a naive server for the few commands that the load is made of.
//!
//! A key's first letter tells its type: `s` text, `n` integer, `d` fraction, `v` text that lapses, `l` list, `t` set,
//! `z` sorted set, `h` hash, `f` hash whose fields lapse, `x` stream with a group, `y` stream with ids by the server.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Unix milliseconds between which a moment lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub from: u64,
    pub to: u64,
}

impl Window {
    pub fn at(ms: u64) -> Window {
        Window { from: ms, to: ms }
    }

    fn plus(self, ms: u64) -> Window {
        Window { from: self.from + ms, to: self.to + ms }
    }
}

/// How far the server's clock and ours may be apart.
const SLACK_MS: u64 = 25;

#[derive(Clone, Debug, PartialEq)]
pub enum Held {
    Text(String),
    List(VecDeque<String>),
    Set(BTreeSet<String>),
    Zset(BTreeMap<String, i64>),
    Hash(BTreeMap<String, (String, Option<Window>)>),
    Stream(Stream),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stream {
    /// Ids and values.
    pub entries: Vec<(String, String)>,
    pub last: String,
    /// The last id that the group was given, and what it did not acknowledge.
    pub delivered: String,
    pub pending: BTreeSet<String>,
}

/// A client's database.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model(pub BTreeMap<String, (Held, Option<Window>)>);

/// All keys that the load may touch.
pub const KEYS: [&str; 17] =
    ["s0", "s1", "n0", "n1", "d0", "v0", "v1", "v2", "l0", "l1", "t0", "t1", "z0", "h0", "f0", "x0", "y0"];

/// What the group's key begins with.
pub const GROUP: &str = "XGROUP CREATE x0 g 0 MKSTREAM";

fn number(text: &str) -> i64 {
    text.parse().expect("a number")
}

fn moment(text: &str) -> Window {
    Window::at(text.parse().expect("a number"))
}

/// Stream ids of the load are numbers before `-1`.
fn ordinal(id: &str) -> u64 {
    id.split('-').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

impl Model {
    fn held(&mut self, key: &str, empty: Held) -> &mut Held {
        &mut self.0.entry(key.to_owned()).or_insert((empty, None)).0
    }

    fn text(&mut self, key: &str) -> &mut String {
        let Held::Text(text) = self.held(key, Held::Text(String::new())) else { panic!("{key} is text") };
        text
    }

    fn list(&mut self, key: &str) -> &mut VecDeque<String> {
        let Held::List(list) = self.held(key, Held::List(VecDeque::new())) else { panic!("{key} is a list") };
        list
    }

    fn set(&mut self, key: &str) -> &mut BTreeSet<String> {
        let Held::Set(set) = self.held(key, Held::Set(BTreeSet::new())) else { panic!("{key} is a set") };
        set
    }

    fn zset(&mut self, key: &str) -> &mut BTreeMap<String, i64> {
        let Held::Zset(zset) = self.held(key, Held::Zset(BTreeMap::new())) else { panic!("{key} is a zset") };
        zset
    }

    pub fn hash(&mut self, key: &str) -> &mut BTreeMap<String, (String, Option<Window>)> {
        let Held::Hash(hash) = self.held(key, Held::Hash(BTreeMap::new())) else { panic!("{key} is a hash") };
        hash
    }

    pub fn stream(&mut self, key: &str) -> &mut Stream {
        let empty = Stream { last: "0-0".into(), delivered: "0-0".into(), ..Stream::default() };
        let Held::Stream(stream) = self.held(key, Held::Stream(empty)) else { panic!("{key} is a stream") };
        stream
    }

    fn expiry(&mut self, key: &str, to: Option<Window>) {
        if let Some((_, expires)) = self.0.get_mut(key) {
            *expires = to;
        }
    }

    /// Runs a line. `when`: between sending it and having its answer. `chosen`: what the server chose by itself.
    pub fn apply(&mut self, line: &str, when: Window, chosen: Option<&str>) {
        let words: Vec<&str> = line.split(' ').collect();
        match *words {
            ["SET", key, value] => drop(self.0.insert(key.into(), (Held::Text(value.into()), None))),
            ["SET", key, value, "PX", ms] => {
                let lapses = when.plus(ms.parse().expect("a number"));
                self.0.insert(key.into(), (Held::Text(value.into()), Some(lapses)));
            }
            ["APPEND", key, tail] => self.text(key).push_str(tail),
            ["INCRBY", key, by] => {
                let text = self.text(key);
                *text = (text.parse().unwrap_or(0) + number(by)).to_string();
            }
            ["INCRBYFLOAT", key, by] => {
                let text = self.text(key);
                *text = (text.parse().unwrap_or(0.0) + by.parse::<f64>().expect("a number")).to_string();
            }
            ["DEL" | "UNLINK" | "GETDEL", key] => drop(self.0.remove(key)),
            ["FLUSHDB"] => self.0.clear(),
            ["RENAME", from, to] => {
                if let Some(held) = self.0.remove(from) {
                    self.0.insert(to.into(), held);
                }
            }
            ["COPY", from, to, "REPLACE"] => {
                if let Some(held) = self.0.get(from).cloned() {
                    self.0.insert(to.into(), held);
                }
            }
            ["PEXPIREAT", key, at] => self.expiry(key, Some(moment(at))),
            ["EXPIRE", key, seconds] => self.expiry(key, Some(when.plus(1000 * number(seconds) as u64))),
            ["PERSIST", key] => self.expiry(key, None),
            ["RPUSH" | "LPUSH" | "LPOP" | "RPOP" | "LMOVE" | "LTRIM", ..] => self.apply_to_list(&words),
            ["SADD" | "SREM" | "SPOP" | "SMOVE", ..] => self.apply_to_set(&words, chosen),
            ["ZADD" | "ZINCRBY" | "ZREM" | "ZPOPMIN", ..] => self.apply_to_zset(&words),
            ["XADD" | "XDEL" | "XTRIM" | "XGROUP" | "XREADGROUP" | "XACK", ..] => {
                self.apply_to_stream(&words, chosen);
            }
            _ => self.apply_to_hash(&words, when),
        }
        self.0.retain(|_, (held, _)| !held.is_empty());
    }

    fn apply_to_list(&mut self, words: &[&str]) {
        match *words {
            ["RPUSH", key, ref items @ ..] => self.list(key).extend(items.iter().map(|item| (*item).into())),
            ["LPUSH", key, ref items @ ..] => {
                items.iter().for_each(|item| self.list(key).push_front((*item).into()));
            }
            ["LPOP", key] => drop(self.list(key).pop_front()),
            ["RPOP", key] => drop(self.list(key).pop_back()),
            ["LMOVE", from, to, "LEFT", "RIGHT"] => {
                if let Some(item) = self.list(from).pop_front() {
                    self.list(to).push_back(item);
                }
            }
            ["LTRIM", key, "0", last] => self.list(key).truncate(number(last) as usize + 1),
            _ => panic!("{words:?}"),
        }
    }

    fn apply_to_set(&mut self, words: &[&str], chosen: Option<&str>) {
        match *words {
            ["SADD", key, ref members @ ..] => {
                self.set(key).extend(members.iter().map(|member| (*member).into()));
            }
            ["SREM", key, member] => drop(self.set(key).remove(member)),
            ["SPOP", key] => {
                let empty = self.set(key).is_empty();
                if let Some(member) = chosen {
                    assert!(self.set(key).remove(member), "{member} is no member of {key}");
                } else {
                    assert!(empty, "SPOP {key} gave nothing");
                }
            }
            ["SMOVE", from, to, member] => {
                if self.set(from).remove(member) {
                    self.set(to).insert(member.into());
                }
            }
            _ => panic!("{words:?}"),
        }
    }

    fn apply_to_zset(&mut self, words: &[&str]) {
        match *words {
            ["ZADD", key, score, member] => drop(self.zset(key).insert(member.into(), number(score))),
            ["ZINCRBY", key, by, member] => *self.zset(key).entry(member.into()).or_default() += number(by),
            ["ZREM", key, member] => drop(self.zset(key).remove(member)),
            ["ZPOPMIN", key] => {
                let least = self.zset(key).iter().min_by_key(|(member, score)| (**score, *member));
                let least = least.map(|(member, _)| member.clone());
                least.map(|member| self.zset(key).remove(&member));
            }
            _ => panic!("{words:?}"),
        }
    }

    fn apply_to_hash(&mut self, words: &[&str], when: Window) {
        match *words {
            ["HSET", key, field, value] => drop(self.hash(key).insert(field.into(), (value.into(), None))),
            ["HDEL", key, field] => drop(self.hash(key).remove(field)),
            ["HINCRBY", key, field, by] => {
                let (value, _) = self.hash(key).entry(field.into()).or_insert(("0".into(), None));
                *value = (number(value) + number(by)).to_string();
            }
            ["HPEXPIREAT", key, at, "FIELDS", "1", field] => {
                if let Some((_, lapses)) = self.hash(key).get_mut(field) {
                    *lapses = Some(moment(at));
                }
            }
            ["HPERSIST", key, "FIELDS", "1", field] => {
                if let Some((_, lapses)) = self.hash(key).get_mut(field) {
                    *lapses = None;
                }
            }
            ["HSETEX", key, "PX", ms, "FIELDS", "1", field, value] => {
                let lapses = when.plus(number(ms) as u64);
                self.hash(key).insert(field.into(), (value.into(), Some(lapses)));
            }
            _ => panic!("{words:?}"),
        }
    }

    fn apply_to_stream(&mut self, words: &[&str], chosen: Option<&str>) {
        match *words {
            ["XADD", key, id, "f", value] => {
                let id = if id == "*" { chosen.expect("the server chose") } else { id };
                let stream = self.stream(key);
                stream.entries.push((id.into(), value.into()));
                stream.last = id.into();
            }
            ["XDEL", key, id] => self.stream(key).entries.retain(|(other, _)| other != id),
            ["XTRIM", key, "MAXLEN", most] => {
                let entries = &mut self.stream(key).entries;
                entries.drain(..entries.len().saturating_sub(number(most) as usize));
            }
            ["XGROUP", "CREATE", key, ..] => drop(self.stream(key)),
            ["XREADGROUP", .., key, ">"] => {
                let stream = self.stream(key);
                let delivered = ordinal(&stream.delivered);
                let next = stream.entries.iter().find(|(id, _)| ordinal(id) > delivered);
                if let Some((id, _)) = next {
                    stream.delivered = id.clone();
                    stream.pending.insert(id.clone());
                }
            }
            ["XACK", key, "g", id] => drop(self.stream(key).pending.remove(id)),
            _ => panic!("{words:?}"),
        }
    }

    /// What the server may have chosen for a line whose answer never came, by what it holds afterwards.
    pub fn guess(&self, line: &str, found: &Model) -> Option<String> {
        match *line.split(' ').collect::<Vec<_>>() {
            ["SPOP", key] => {
                let Some((Held::Set(had), _)) = self.0.get(key) else { return None };
                let Some((Held::Set(has), _)) = found.0.get(key) else { return had.first().cloned() };
                had.difference(has).next().or(had.first()).cloned()
            }
            ["XADD", key, "*", ..] => match found.0.get(key) {
                Some((Held::Stream(stream), _)) => Some(stream.last.clone()),
                _ => Some("0-1".to_owned()),
            },
            _ => None,
        }
    }

    /// The keys in which a server that was looked at within `asked` differs from this.
    pub fn differences(&self, found: &Model, asked: Window) -> Vec<String> {
        let differs = |key: &&&str| !agree(self.0.get(**key), found.0.get(**key), asked);
        let shown = |key: &&str| format!("{key}: {:?} became {:?}", self.0.get(*key), found.0.get(*key));
        KEYS.iter().filter(differs).map(shown).collect()
    }

    /// Whether there are none.
    pub fn agrees(&self, found: &Model, asked: Window) -> bool {
        KEYS.iter().all(|key| agree(self.0.get(*key), found.0.get(*key), asked))
    }
}

impl Held {
    fn is_empty(&self) -> bool {
        match self {
            Held::Text(_) | Held::Stream(_) => false,
            Held::List(list) => list.is_empty(),
            Held::Set(set) => set.is_empty(),
            Held::Zset(zset) => zset.is_empty(),
            Held::Hash(hash) => hash.is_empty(),
        }
    }
}

type Entry = (Held, Option<Window>);

fn agree(expected: Option<&Entry>, found: Option<&Entry>, asked: Window) -> bool {
    match (expected, found) {
        (None, None) => true,
        (Some((Held::Hash(expected), to)), found) => {
            let none = (Held::Hash(BTreeMap::new()), *to);
            let Some((Held::Hash(found), until)) = found.or(Some(&none)) else { return false };
            same_moment(*to, *until) && fields_agree(expected, found, asked)
        }
        (Some((_, lapses)), None) => may_have_lapsed(*lapses, asked),
        (None, Some(_)) => false,
        (Some((expected, lapses)), Some((found, until))) => {
            same(expected, found) && same_moment(*lapses, *until) && may_live(*lapses, asked)
        }
    }
}

/// Whether they are equal, but for entries that are pending and deleted: a base of commands can't tell of them, as XCLAIM
/// brings back none, here and in real servers.
fn same(expected: &Held, found: &Held) -> bool {
    match (expected, found) {
        (Held::Stream(expected), Held::Stream(found)) => {
            let known = |stream: &Stream| {
                let is_there = |id: &&String| stream.entries.iter().any(|(other, _)| other == *id);
                stream.pending.iter().filter(is_there).cloned().collect::<Vec<_>>()
            };
            expected.entries == found.entries
                && expected.last == found.last
                && expected.delivered == found.delivered
                && known(expected) == known(found)
        }
        _ => expected == found,
    }
}

type Fields = BTreeMap<String, (String, Option<Window>)>;

fn fields_agree(expected: &Fields, found: &Fields, asked: Window) -> bool {
    let kept = expected.iter().all(|(field, (value, lapses))| match found.get(field) {
        None => may_have_lapsed(*lapses, asked),
        Some((there, until)) => value == there && same_moment(*lapses, *until) && may_live(*lapses, asked),
    });
    kept && found.keys().all(|field| expected.contains_key(field))
}

fn may_have_lapsed(lapses: Option<Window>, asked: Window) -> bool {
    lapses.is_some_and(|lapses| lapses.from <= asked.to + SLACK_MS)
}

fn may_live(lapses: Option<Window>, asked: Window) -> bool {
    lapses.is_none_or(|lapses| lapses.to + SLACK_MS >= asked.from)
}

fn same_moment(expected: Option<Window>, found: Option<Window>) -> bool {
    match (expected, found) {
        (None, None) => true,
        (Some(a), Some(b)) => a.from <= b.to + SLACK_MS && b.from <= a.to + SLACK_MS,
        _ => false,
    }
}
