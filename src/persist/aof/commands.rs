//! A base made of commands (`aof-use-rdb-preamble no`): the data set as what it takes to build it again.
//!
//! As the real server does it: at most 64 items to a command, a key's expiry behind its value. What no command can
//! make (a module's value) is restored from its dump.

use std::io::{self, Write};
use std::ops::ControlFlow;

use crate::persist::rdb::{self, Body, KeyInfo};
use crate::text::num;
use crate::value::hash::Item;
use crate::value::list::{End, List};
use crate::value::stream::{Consumer, Group, Stream, StreamId};
use crate::value::{Entry, Hash, Zset};

/// Items that one command adds.
const ITEMS: usize = 64;
/// So much is written at once.
const SPILL: usize = 64 << 10;

/// Writes a base, key by key.
pub struct Commands<W> {
    out: W,
    buf: Vec<u8>,
}

impl<W: Write> Commands<W> {
    /// Nothing yet.
    pub fn new(out: W) -> Commands<W> {
        Commands { out, buf: Vec::with_capacity(2 * SPILL) }
    }

    /// The time at which the base was made, in unix seconds (`aof-timestamp-enabled`).
    pub fn note_time(&mut self, now_s: u64) {
        self.buf.extend_from_slice(format!("#TS:{now_s}\r\n").as_bytes());
    }

    /// A library of functions.
    pub fn function(&mut self, code: &[u8]) -> io::Result<()> {
        self.command(&[b"FUNCTION", b"LOAD", code])
    }

    /// What follows is in this database.
    pub fn select(&mut self, db: usize) -> io::Result<()> {
        self.command(&[b"SELECT", itoa::Buffer::new().format(db).as_bytes()])
    }

    /// A key with its value and expiry.
    pub fn key(&mut self, info: &KeyInfo<'_>, body: Body<'_>) -> io::Result<()> {
        let key = info.key;
        match body {
            Body::Str(text) => self.command(&[b"SET", key, text])?,
            Body::Int(number) => {
                self.command(&[b"SET", key, itoa::Buffer::new().format(number).as_bytes()])?
            }
            Body::List(list) => self.list(key, list)?,
            Body::Set(set) => self.items(b"SADD", key, set.len(), 1, set.iter(), Self::entry)?,
            Body::Zset(zset) => self.zset(key, zset)?,
            Body::Hash(hash) if hash.has_deadlines() => self.expiring_hash(key, hash)?,
            Body::Hash(hash) => self.items(b"HMSET", key, hash.len(), 2, hash.iter(), |this, item| {
                this.entry(item.field);
                this.entry(item.value);
            })?,
            Body::Stream(stream) => self.stream(key, stream)?,
            Body::Module(_) | Body::Raw(..) => {
                self.command(&[b"RESTORE", key, b"0", &rdb::dump(body, false)])?;
            }
        }
        if let Some(at_ms) = info.expire_at_ms {
            self.command(&[b"PEXPIREAT", key, itoa::Buffer::new().format(at_ms).as_bytes()])?;
        }
        Ok(())
    }

    /// Writes what is left.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&self.buf)?;
        Ok(self.out)
    }

    fn zset(&mut self, key: &[u8], zset: &Zset) -> io::Result<()> {
        self.items(b"ZADD", key, zset.len(), 2, zset.iter(), |this, (member, score)| {
            this.word(&num::shortest_f64(score));
            this.entry(member);
        })
    }

    /// Fields that expire come one by one, each with its time.
    fn expiring_hash(&mut self, key: &[u8], hash: &Hash) -> io::Result<()> {
        for Item { field, value, deadline } in hash.iter() {
            let (mut of_field, mut of_value) = (itoa::Buffer::new(), itoa::Buffer::new());
            let field = field.text(&mut of_field);
            self.command(&[b"HMSET", key, field, value.text(&mut of_value)])?;
            if let Some(at_ms) = deadline {
                let mut number = itoa::Buffer::new();
                let at_ms = number.format(at_ms).as_bytes();
                self.command(&[b"HPEXPIREAT", key, at_ms, b"FIELDS", b"1", field])?;
            }
        }
        Ok(())
    }

    fn stream(&mut self, key: &[u8], stream: &Stream) -> io::Result<()> {
        let log = &stream.log;
        let mut any = false;
        for entry in log.iter() {
            any = true;
            self.header(b'*', 3 + 2 * entry.fields.clone().count());
            self.word(b"XADD");
            self.word(key);
            self.word(&id_text(entry.id));
            for (field, value) in entry.fields {
                self.entry(field);
                self.entry(value);
            }
            self.spill()?;
        }
        if !any {
            // An empty stream is one whose only entry is gone.
            self.command(&[b"XADD", key, b"MAXLEN", b"0", b"0-1", b"x", b"y"])?;
        }
        let mut added = itoa::Buffer::new();
        let added = added.format(log.entries_added).as_bytes();
        let (last, deleted) = (id_text(log.last_id), id_text(log.max_deleted));
        self.command(&[b"XSETID", key, &last, b"ENTRIESADDED", added, b"MAXDELETEDID", &deleted])?;
        stream.groups.iter().try_for_each(|group| self.group(key, group))
    }

    fn group(&mut self, key: &[u8], group: &Group) -> io::Result<()> {
        let (mut number, last) = (itoa::Buffer::new(), id_text(group.last_id));
        let read = number.format(group.entries_read).as_bytes();
        self.command(&[b"XGROUP", b"CREATE", key, group.name(), &last, b"ENTRIESREAD", read])?;
        group.consumers().try_for_each(|(_, consumer)| self.consumer(key, group, consumer))
    }

    fn consumer(&mut self, key: &[u8], group: &Group, consumer: &Consumer) -> io::Result<()> {
        if consumer.pending_len() == 0 {
            return self.command(&[b"XGROUP", b"CREATECONSUMER", key, group.name(), consumer.name()]);
        }
        for nack in consumer.pending().filter_map(|id| group.nack(id)) {
            let (mut time, mut count) = (itoa::Buffer::new(), itoa::Buffer::new());
            let time = time.format(nack.delivery_time_ms).as_bytes();
            let count = count.format(nack.delivery_count).as_bytes();
            let (id, names) = (id_text(nack.id), [group.name(), consumer.name()]);
            let words: [&[u8]; 12] = [
                b"XCLAIM",
                key,
                names[0],
                names[1],
                b"0",
                &id,
                b"TIME",
                time,
                b"RETRYCOUNT",
                count,
                b"JUSTID",
                b"FORCE",
            ];
            self.command(&words)?;
        }
        Ok(())
    }

    /// Adds items, `per` words each, in as many commands as it takes.
    fn items<T>(
        &mut self,
        verb: &[u8],
        key: &[u8],
        count: usize,
        per: usize,
        items: impl Iterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) -> io::Result<()> {
        for (done, item) in items.enumerate() {
            if done % ITEMS == 0 {
                self.head_of_items(verb, key, per * count.saturating_sub(done).min(ITEMS))?;
            }
            write(self, item);
        }
        self.spill()
    }

    /// The elements of a list are only shown, so a failure has to be carried out of there.
    fn list(&mut self, key: &[u8], list: &List) -> io::Result<()> {
        let mut left = list.len();
        let written = list.try_each(End::Head, left, |element| {
            if (list.len() - left).is_multiple_of(ITEMS)
                && let Err(error) = self.head_of_items(b"RPUSH", key, left.min(ITEMS))
            {
                return ControlFlow::Break(error);
            }
            left -= 1;
            self.entry(element);
            ControlFlow::Continue(())
        });
        match written {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => self.spill(),
        }
    }

    /// Begins a command that adds items of `words` words in all.
    fn head_of_items(&mut self, verb: &[u8], key: &[u8], words: usize) -> io::Result<()> {
        self.spill()?;
        self.header(b'*', 2 + words);
        self.word(verb);
        self.word(key);
        Ok(())
    }

    fn command(&mut self, words: &[&[u8]]) -> io::Result<()> {
        self.header(b'*', words.len());
        words.iter().for_each(|word| self.word(word));
        self.spill()
    }

    fn header(&mut self, mark: u8, n: usize) {
        self.buf.push(mark);
        self.buf.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
        self.buf.extend_from_slice(b"\r\n");
    }

    fn word(&mut self, word: &[u8]) {
        self.header(b'$', word.len());
        self.buf.extend_from_slice(word);
        self.buf.extend_from_slice(b"\r\n");
    }

    fn entry(&mut self, entry: Entry<'_>) {
        self.word(entry.text(&mut itoa::Buffer::new()));
    }

    fn spill(&mut self) -> io::Result<()> {
        if self.buf.len() >= SPILL {
            self.out.write_all(&self.buf)?;
            self.buf.clear();
        }
        Ok(())
    }
}

fn id_text(id: StreamId) -> Vec<u8> {
    format!("{}-{}", id.ms, id.seq).into_bytes()
}
