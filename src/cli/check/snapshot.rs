//! Going through a snapshot: every value is made and thrown away, as a load would make it.

use crate::persist::rdb::{Item, LoadError, LoadOptions, Loaded, Reader, Source};
use crate::value::module::type_name;
use crate::value::{Limits, Value};

/// What was found, up to the end or to where it is bad.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Keys of which at least the name is good.
    pub keys: u64,
    /// Keys with an expiry, and how many are past it.
    pub expires: u64,
    /// See above.
    pub expired: u64,
    /// Hashes with fields that expire.
    pub subexpires: u64,
    /// Databases that are begun.
    pub databases: u64,
    /// Function libraries.
    pub functions: u64,
    /// The database that is being read.
    pub selected: u32,
}

/// What a listener hears of, with the offset behind it.
pub enum Event<'a> {
    Aux(&'a [u8], &'a [u8]),
    Select(u32),
    /// By the module type's name.
    ModuleAux(String),
    /// `false`: the file has no checksum.
    Checksum(bool),
}

/// A snapshot's check.
pub struct Check<S> {
    /// What was found.
    pub counts: Counts,
    /// The source behind the end, or what is wrong and the type of the value that is bad.
    pub result: Result<S, Box<(LoadError, Option<u8>)>>,
}

/// Goes through a snapshot.
pub fn check<S: Source>(source: S, now_ms: i64, tell: &mut dyn FnMut(u64, Event<'_>)) -> Check<S> {
    let (mut counts, mut kind) = (Counts::default(), None);
    let mut reader = match Reader::new(source) {
        Ok(reader) => reader,
        Err(error) => return Check { counts, result: Err(Box::new((error, None))) },
    };
    let ends = run(&mut reader, now_ms, &mut counts, &mut kind, tell);
    let result = ends.map_err(|error| Box::new((error, kind))).map(|()| reader.into_source());
    Check { counts, result }
}

fn run<S: Source>(
    reader: &mut Reader<S>,
    now_ms: i64,
    counts: &mut Counts,
    kind: &mut Option<u8>,
    tell: &mut dyn FnMut(u64, Event<'_>),
) -> Result<(), LoadError> {
    let limits = Limits::default();
    let options = LoadOptions { limits: &limits, strict: true, salvage: false };
    let has_checksum = reader.version().number >= 5;
    loop {
        *kind = None;
        let mut heard = None;
        match reader.next_item()? {
            None => return Ok(()),
            Some(Item::End { checksum }) => heard = has_checksum.then_some(Heard::Checksum(checksum != 0)),
            Some(Item::Aux(name, value)) => heard = Some(Heard::Aux(name.to_vec(), value.to_vec())),
            Some(Item::Select(db)) => {
                (counts.databases, counts.selected) = (counts.databases + 1, db);
                heard = Some(Heard::Select(db));
            }
            Some(Item::Function(_)) => counts.functions += 1,
            Some(Item::ModuleAux(aux)) => heard = Some(Heard::ModuleAux(aux.id)),
            Some(Item::Resize { .. } | Item::SlotInfo { .. } | Item::SlotImport(_)) => {}
            Some(Item::Key(pending)) => {
                let meta = pending.meta();
                *kind = Some(meta.kind);
                counts.keys += 1;
                let expiry = meta.expire_at_ms;
                let (_, loaded) = pending.load(&options)?;
                counts.expires += u64::from(expiry.is_some());
                counts.expired += u64::from(expiry.is_some_and(|when| when < now_ms));
                if let Loaded::Value(Value::Hash(hash)) = loaded {
                    counts.subexpires += u64::from(hash.has_deadlines());
                }
            }
        }
        if let Some(heard) = &heard {
            tell(reader.offset(), heard.event());
        }
    }
}

/// What is told once the reader is free again to say where it is.
enum Heard {
    Aux(Vec<u8>, Vec<u8>),
    Select(u32),
    ModuleAux(u64),
    Checksum(bool),
}

impl Heard {
    fn event(&self) -> Event<'_> {
        match self {
            Heard::Aux(name, value) => Event::Aux(name, value),
            Heard::Select(db) => Event::Select(*db),
            Heard::ModuleAux(id) => Event::ModuleAux(String::from_utf8_lossy(&type_name(*id)).into_owned()),
            Heard::Checksum(there) => Event::Checksum(*there),
        }
    }
}
