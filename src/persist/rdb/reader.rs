//! Reading a snapshot as a stream of items.

use super::error::{Fail, LoadError, LoadErrorKind, Res};
use super::input::Input;
use super::load::{self, LoadOptions, Loaded};
use super::skip;
use super::source::Source;
use super::tags::{kind, module, op};
use super::version::{Dialect, Version};
use super::visit::{self, Visit};

/// What a snapshot consists of, in the order of the file.
pub enum Item<'r, S: Source> {
    /// Name and value of a note about the file.
    Aux(&'r [u8], &'r [u8]),
    /// The database of the keys that follow; 0 before the first of these.
    Select(u32),
    /// How many keys the database has, and how many with an expiry: hints, perhaps wrong.
    Resize {
        /// Keys.
        keys: u64,
        /// Keys with an expiry.
        expires: u64,
    },
    /// How many keys a slot has: hints, perhaps wrong.
    SlotInfo {
        /// The slot.
        slot: u64,
        /// Keys.
        keys: u64,
        /// Keys with an expiry.
        expires: u64,
    },
    /// Valkey: a migration of slots to the file's server was under way; the job's name. Its keys follow like any other.
    SlotImport(&'r [u8]),
    /// A function library: its text from `#!` on.
    Function(&'r [u8]),
    /// A module's data beside the keys.
    ModuleAux(ModuleAux<'r>),
    /// A key; its value is still in the source.
    Key(Pending<'r, S>),
    /// The end. The checksum that the file states, 0 for none, was compared unless the source computes none.
    End {
        /// As stored.
        checksum: u64,
    },
}

/// A module's data beside the keys, kept as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModuleAux<'r> {
    /// The module type's id, see [`crate::value::module`].
    pub id: u64,
    /// When the module wants it loaded: 1 before, 2 after the keys.
    pub when: u64,
    /// All that follows the opcode, id and end included.
    pub raw: &'r [u8],
}

/// What a file says about a key beside its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta<'r> {
    /// Number of the database.
    pub db: u32,
    /// The key.
    pub key: &'r [u8],
    /// Unix time in milliseconds at which the key ends.
    pub expire_at_ms: Option<i64>,
    /// Seconds since the last access.
    pub idle_s: Option<u64>,
    /// LFU counter.
    pub freq: Option<u8>,
    /// Type of the value on disk, see [`kind`].
    pub kind: u8,
    /// Where the type byte is.
    pub offset: u64,
}

/// What precedes a key as opcodes of their own, and belongs to it.
#[derive(Debug, Clone, Copy, Default)]
struct Attributes {
    expire_at_ms: Option<i64>,
    idle_s: Option<u64>,
    freq: Option<u8>,
}

/// Reads a snapshot item by item.
pub struct Reader<S> {
    input: Input<S>,
    version: Version,
    db: u32,
    attributes: Attributes,
    /// The key of the value at hand, and any first of two strings.
    key: Vec<u8>,
    /// Type and offset of a value that nobody has read yet.
    unread: Option<(u8, u64)>,
    /// Whether the last item was a key, to which the attributes belonged.
    after_key: bool,
    ended: bool,
}

impl<S: Source> Reader<S> {
    /// Reads the header. Errors: `Truncated`, `Magic`, `Version`, all at offset 0.
    pub fn new(src: S) -> Result<Self, LoadError> {
        let mut input = Input::new(src);
        let header: [u8; 9] = input.array().map_err(|fail| fail.with_key(None))?;
        let version = Version::parse(&header).map_err(|number| {
            let kind = number.map_or(LoadErrorKind::Magic, LoadErrorKind::Version);
            LoadError { offset: 0, key: None, kind }
        })?;
        Ok(Self::over(input, version))
    }

    fn over(input: Input<S>, version: Version) -> Self {
        let (key, attributes) = (Vec::new(), Attributes::default());
        Reader { input, version, db: 0, attributes, key, unread: None, after_key: false, ended: false }
    }

    /// Whose file it is, and its version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Bytes read so far.
    pub fn offset(&self) -> u64 {
        self.input.offset()
    }

    /// How many more keys there can be, if the length of the input is known: bounds [`Item::Resize`], which may lie.
    pub fn most_keys(&self) -> Option<u64> {
        self.input.src.remaining().map(|bytes| bytes / 3) // a type, an empty key, an empty value
    }

    /// The source, behind what was read: after [`Item::End`] an old append-only file goes on there.
    pub fn into_source(self) -> S {
        self.input.src
    }

    /// The next item; `None` after the end. A key that was not loaded is skipped. After an error there is nothing more.
    pub fn next_item(&mut self) -> Result<Option<Item<'_, S>>, LoadError> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(None);
        }
        if let Some((kind, _)) = self.unread.take() {
            let skipped = skip::value(&mut self.input, kind, self.version.dialect);
            skipped.map_err(|fail| fail.with_key(Some(&self.key)))?;
        }
        let opcode = self.attributes().map_err(|fail| fail.with_key(None))?;
        self.ended = opcode == op::EOF;
        if is_value(opcode) {
            self.key(opcode)?;
            return Ok(Some(Item::Key(Pending { reader: self })));
        }
        self.other(opcode).map(Some).map_err(|fail| fail.with_key(None))
    }

    /// Reads up to the next thing that is no attribute of a key.
    fn attributes(&mut self) -> Res<u8> {
        if std::mem::take(&mut self.after_key) {
            self.attributes = Attributes::default(); // notes may stand between attributes and key (KeyDB)
        }
        loop {
            match self.input.byte()? {
                op::EXPIRETIME => {
                    let seconds = i32::from_le_bytes(self.input.array()?);
                    self.attributes.expire_at_ms = Some(i64::from(seconds) * 1000);
                }
                op::EXPIRETIME_MS => self.attributes.expire_at_ms = Some(self.input.ms()?),
                op::FREQ => self.attributes.freq = Some(self.input.byte()?),
                op::IDLE => self.attributes.idle_s = Some(self.input.len()?),
                other => return Ok(other),
            }
        }
    }

    /// Reads the key of a value of type `kind`.
    fn key(&mut self, kind: u8) -> Result<(), LoadError> {
        let offset = self.input.offset() - 1;
        self.key.clear();
        let known = skip::is_known(kind, self.version.dialect);
        match self.input.string() {
            Ok(key) => self.key.extend_from_slice(key),
            Err(_) if !known => {} // whatever it is, it has no key
            Err(fail) => return Err(fail.with_key(None)),
        }
        if !known {
            let key = (!self.key.is_empty()).then_some(&self.key[..]);
            return Err(Fail::at(offset, LoadErrorKind::UnknownType(kind)).with_key(key));
        }
        self.unread = Some((kind, offset));
        self.after_key = true;
        Ok(())
    }

    /// Reads an item that is no key.
    fn other(&mut self, opcode: u8) -> Res<Item<'_, S>> {
        let input = &mut self.input;
        Ok(match opcode {
            op::SELECTDB => {
                self.db = u32::try_from(input.len()?).unwrap_or(u32::MAX);
                Item::Select(self.db)
            }
            op::RESIZEDB => Item::Resize { keys: input.len()?, expires: input.len()? },
            op::SLOT_INFO => Item::SlotInfo { slot: input.len()?, keys: input.len()?, expires: input.len()? },
            op::AUX => {
                first_string(input, &mut self.key)?;
                Item::Aux(&self.key, input.string()?)
            }
            op::FUNCTION => Item::Function(input.string()?),
            op::FUNCTION_PRE_GA => {
                pre_ga_function(input, &mut self.key)?;
                Item::Function(&self.key)
            }
            op::MODULE_AUX => Item::ModuleAux(module_aux(input)?),
            op::SLOT_IMPORT => {
                slot_import(input, &mut self.key)?;
                Item::SlotImport(&self.key)
            }
            _ => Item::End { checksum: end(input, self.version)? },
        })
    }
}

/// Whether a byte stands before a key: known or not, whatever is no opcode does.
fn is_value(byte: u8) -> bool {
    byte < op::SLOT_IMPORT
}

fn first_string<S: Source>(input: &mut Input<S>, into: &mut Vec<u8>) -> Res<()> {
    into.clear();
    into.extend_from_slice(input.string()?);
    Ok(())
}

/// Reads a library of the 7.0 release candidates and gives it the first line that libraries have since.
pub(super) fn pre_ga_function<S: Source>(input: &mut Input<S>, into: &mut Vec<u8>) -> Res<()> {
    let name = input.string()?.to_vec();
    into.clear();
    into.extend_from_slice(b"#!");
    into.extend_from_slice(input.string()?);
    into.extend_from_slice(b" name=");
    into.extend_from_slice(&name);
    into.push(b'\n');
    if input.len()? != 0 {
        input.skip_string()?; // the description: libraries have none since
    }
    into.extend_from_slice(input.string()?);
    Ok(())
}

fn module_aux<S: Source>(input: &mut Input<S>) -> Res<ModuleAux<'_>> {
    input.src.mark();
    let id = input.len()?;
    if input.len()? != module::UINT {
        return input.corrupt("module AUX", "it does not say when to load it");
    }
    let when = input.len()?;
    input.skip_module_items()?;
    Ok(ModuleAux { id, when, raw: input.src.marked() })
}

fn slot_import<S: Source>(input: &mut Input<S>, name: &mut Vec<u8>) -> Res<()> {
    first_string(input, name)?;
    for _ in 0..input.count()? {
        let (first, last) = (input.len()?, input.len()?);
        if first > last || last >= 16384 {
            return input.corrupt("slot import", "a range of slots that does not exist");
        }
    }
    Ok(())
}

fn end<S: Source>(input: &mut Input<S>, version: Version) -> Res<u64> {
    if version.number < 5 {
        return Ok(0);
    }
    let computed = input.src.checksum();
    let offset = input.offset();
    let stored = u64::from_le_bytes(input.array()?);
    match computed {
        Some(computed) if stored != 0 && stored != computed => {
            Err(Fail::at(offset, LoadErrorKind::Checksum { computed, stored }))
        }
        _ => Ok(stored),
    }
}

/// A key whose value is still in the source. It holds the reader: no next item before this one is settled
/// (dropped: the value is skipped).
pub struct Pending<'r, S: Source> {
    reader: &'r mut Reader<S>,
}

impl<'r, S: Source> Pending<'r, S> {
    /// What the file says about the key.
    pub fn meta(&self) -> Meta<'_> {
        let (kind, offset) = self.reader.unread.expect("a pending value is unread");
        meta(&self.reader.key, self.reader.db, &self.reader.attributes, kind, offset)
    }

    /// Reads the value, in today's encodings. Memory: no more than the value's bytes justify, whatever they
    /// announce. Errors name the key and the offset; the rest of the file cannot be read then.
    pub fn load(self, options: &LoadOptions<'_>) -> Result<(Meta<'r>, Loaded<'r>), LoadError> {
        let Reader { input, version, db, attributes, key, unread, ended, .. } = self.reader;
        let (kind, offset) = unread.take().expect("a pending value is unread");
        match load::value(input, kind, version.dialect, options) {
            Ok(loaded) => Ok((meta(key, *db, attributes, kind, offset), loaded)),
            Err(fail) => {
                *ended = true;
                Err(fail.with_key(Some(key)))
            }
        }
    }

    /// Goes through the value element by element, in the memory of one packed piece of it.
    pub fn visit(self, visitor: &mut dyn Visit) -> Result<(), LoadError> {
        self.settle(|input, kind, dialect| visit::value(input, kind, dialect, visitor)).map(drop)
    }

    /// Steps over the value: its type, and offset and length of its bytes.
    pub fn skip(self) -> Result<(u8, u64, u64), LoadError> {
        self.settle(skip::value)
    }

    /// Reads the value by `read`: type, offset and length of its bytes.
    fn settle(
        self,
        read: impl FnOnce(&mut Input<S>, u8, Dialect) -> Res<()>,
    ) -> Result<(u8, u64, u64), LoadError> {
        let reader = self.reader;
        let (kind, _) = reader.unread.take().expect("a pending value is unread");
        let from = reader.input.offset();
        match read(&mut reader.input, kind, reader.version.dialect) {
            Ok(()) => Ok((kind, from, reader.input.offset() - from)),
            Err(fail) => {
                reader.ended = true;
                Err(fail.with_key(Some(&reader.key)))
            }
        }
    }
}

fn meta<'r>(key: &'r [u8], db: u32, attributes: &Attributes, kind: u8, offset: u64) -> Meta<'r> {
    let Attributes { expire_at_ms, idle_s, freq } = *attributes;
    Meta { db, key, expire_at_ms, idle_s, freq, kind, offset }
}

/// Whether a type that both lines use means a hash with field expiry of Valkey's.
pub(super) fn is_valkey_hash(kind: u8, dialect: Dialect) -> bool {
    kind == kind::HASH_TTL_VALKEY && dialect == Dialect::Valkey
}
