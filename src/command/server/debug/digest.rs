//! DEBUG DIGEST, DEBUG DIGEST-VALUE: 20 bytes that are equal where the content is.
//!
//! As in the real server, so that two servers can be compared: SHA-1 of everything, what is ordered *mixed* (the digest
//! so far goes into the next), what is not *added* (by exclusive or). Expiries count only as being there. Consumer
//! groups don't count.

use sha1::{Digest as _, Sha1};

use crate::command::*;
use crate::keyspace::entry::Entry;
use crate::keyspace::{Database, Keyspace, View};
use crate::text::num;
use crate::value::hash::{Hash, Item};
use crate::value::list::List;
use crate::value::set::Set;
use crate::value::stream::Stream;
use crate::value::zset::Zset;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Digest([u8; 20]);

impl Digest {
    /// Adds data whose order does not matter.
    fn add(&mut self, data: &[u8]) {
        let hash: [u8; 20] = Sha1::digest(data).into();
        self.0.iter_mut().zip(hash).for_each(|(byte, other)| *byte ^= other);
    }

    /// Mixes in data whose order matters.
    fn mix(&mut self, data: &[u8]) {
        self.add(data);
        self.0 = Sha1::digest(self.0).into();
    }

    fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// DEBUG DIGEST: of everything.
pub(super) fn digest(ctx: &mut Ctx<'_>) -> Replied {
    let digest = of_keyspace(ctx.db.all());
    ctx.reply.simple(&digest.hex())
}

/// DEBUG DIGEST-VALUE: of the values at some keys; zeros for what is missing. Keys past their time are there.
pub(super) fn digest_value(ctx: &mut Ctx<'_>, args: Args<'_>) -> Replied {
    let database = ctx.db.all().database(ctx.db.index());
    let mut replied = ctx.reply.array(args.remaining());
    for key in args {
        let mut digest = Digest::default();
        if let Some(entry) = database.entry(key) {
            mix_value(&mut digest, entry);
        }
        replied = ctx.reply.simple(&digest.hex());
    }
    replied
}

fn of_keyspace(keyspace: &Keyspace) -> Digest {
    let mut all = Digest::default();
    for (index, database) in keyspace.databases().filter(|(_, database)| !database.is_empty()) {
        let index = u32::try_from(index).expect("databases are counted by an int");
        all.mix(&index.to_be_bytes());
        add_database(&mut all, database);
    }
    all
}

fn add_database(all: &mut Digest, database: &Database) {
    for entry in database.entries_and_values() {
        let mut digest = Digest::default();
        digest.mix(entry.key());
        mix_value(&mut digest, entry);
        all.add(&digest.0);
    }
}

/// The type's number in front of its value.
fn type_number(view: &View<'_>) -> u32 {
    match view {
        View::Str(_) => 0,
        View::List(_) => 1,
        View::Set(_) => 2,
        View::Zset(_) => 3,
        View::Hash(_) => 4,
        View::Module(_) => 5,
        View::Stream(_) => 6,
    }
}

fn mix_value(digest: &mut Digest, entry: &Entry) {
    let view = entry.view();
    digest.mix(&type_number(&view).to_be_bytes());
    match view {
        View::Str(bytes) => digest.mix(bytes),
        View::List(list) => mix_list(digest, &list),
        View::Set(set) => add_set(digest, &set),
        View::Zset(zset) => add_zset(digest, &zset),
        View::Hash(hash) => add_hash(digest, &hash),
        View::Stream(stream) => mix_stream(digest, stream),
        // The real server asks the module. We have only the bytes that it wrote.
        View::Module(module) => digest.add(module.raw()),
    }
    if entry.expiry().is_some() {
        digest.add(b"!!expire!!");
    }
}

fn mix_list(digest: &mut Digest, list: &List) {
    list.each(0, usize::MAX, |element| digest.mix(element.text(&mut itoa::Buffer::new())));
}

fn add_set(digest: &mut Digest, set: &Set) {
    set.iter().for_each(|member| digest.add(member.text(&mut itoa::Buffer::new())));
}

fn add_zset(digest: &mut Digest, zset: &Zset) {
    for (member, score) in zset.iter() {
        let mut pair = Digest::default();
        pair.mix(member.text(&mut itoa::Buffer::new()));
        pair.mix(&num::shortest_f64(score));
        digest.add(&pair.0);
    }
}

fn add_hash(digest: &mut Digest, hash: &Hash) {
    for Item { field, value, deadline } in hash.iter() {
        let mut pair = Digest::default();
        pair.mix(field.text(&mut itoa::Buffer::new()));
        pair.mix(value.text(&mut itoa::Buffer::new()));
        if deadline.is_some() {
            pair.add(b"!!hexpire!!");
        }
        digest.add(&pair.0);
    }
}

fn mix_stream(digest: &mut Digest, stream: &Stream) {
    for entry in stream.log.iter() {
        digest.mix(format!("{}.{}", entry.id.ms, entry.id.seq).as_bytes());
        for (field, value) in entry.fields {
            digest.mix(field.text(&mut itoa::Buffer::new()));
            digest.mix(value.text(&mut itoa::Buffer::new()));
        }
    }
}
