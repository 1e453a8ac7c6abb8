//! What a snapshot says: notes, libraries, every database.

use std::io::{self, Write};

use crate::command::generic::dump::body;
use crate::engine::config::{Config, SaveVersion as Wanted};
use crate::engine::{Libraries, State};
use crate::keyspace::entry::Entry;
use crate::keyspace::{Access, Database, Keyspace};
use crate::persist::aof::Commands;
use crate::persist::rdb::{KeyInfo, SaveError, SaveOptions, SaveVersion, Writer};

/// Everything that a snapshot is made of, borrowed.
pub(in crate::serve) struct Snapshot<'a> {
    keyspace: &'a Keyspace,
    libraries: &'a Libraries,
    options: SaveOptions,
    now_ms: u64,
    used_memory: usize,
    evicts: Evicts,
    /// `rdb-key-save-delay`: microseconds to sleep per key (negative: one per that many keys).
    delay: i32,
}

/// Which access clock the eviction policy wants kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Evicts {
    ByTime,
    ByFrequency,
    Otherwise,
}

fn save_options(config: &Config, keyspace: &Keyspace) -> SaveOptions {
    let version = match config.rdb_save_version {
        Wanted::Lowest => SaveVersion::Auto { has_field_ttl: keyspace.has_field_ttl() },
        Wanted::V10 => SaveVersion::Redis(10),
        Wanted::V11 => SaveVersion::Redis(11),
        Wanted::V12 => SaveVersion::Redis(12),
        _ => SaveVersion::Valkey,
    };
    SaveOptions { version, compress: config.rdbcompression, checksum: config.rdbchecksum }
}

impl<'a> Snapshot<'a> {
    /// The same snapshot of other content.
    pub fn of_other(self, keyspace: &'a Keyspace, libraries: &'a Libraries) -> Snapshot<'a> {
        Snapshot { keyspace, libraries, ..self }
    }

    /// A snapshot of the present.
    pub fn of(keyspace: &'a Keyspace, state: &'a State) -> Snapshot<'a> {
        let config = &state.config;
        let evicts = match config.maxmemory_policy {
            policy if policy.is_lfu() => Evicts::ByFrequency,
            policy if policy.is_lru() => Evicts::ByTime,
            _ => Evicts::Otherwise,
        };
        Snapshot {
            keyspace,
            libraries: &state.libraries,
            options: save_options(config, keyspace),
            now_ms: state.clock.now().ms,
            used_memory: crate::engine::stats::used_memory(),
            evicts,
            delay: config.rdb_key_save_delay,
        }
    }

    /// Keys in all databases.
    pub fn keys(&self) -> u64 {
        self.keyspace.total_keys() as u64
    }

    /// Writes all of it. `progress` hears how many keys are done, after each.
    pub fn write(&self, out: impl Write, progress: impl FnMut(u64)) -> Result<(), SaveError> {
        self.write_all(out, false, progress)
    }

    /// The same as the base of an append log.
    pub fn write_base(&self, out: impl Write, progress: impl FnMut(u64)) -> Result<(), SaveError> {
        self.write_all(out, true, progress)
    }

    /// The same as commands.
    pub fn write_commands(
        &self,
        out: impl Write,
        note_time: bool,
        mut progress: impl FnMut(u64),
    ) -> io::Result<()> {
        let mut commands = Commands::new(out);
        if note_time {
            commands.note_time(self.now_ms / 1000);
        }
        self.libraries.functions.iter().try_for_each(|code| commands.function(code))?;
        let mut done = 0;
        for (index, database) in self.keyspace.databases().filter(|(_, database)| !database.is_empty()) {
            commands.select(index)?;
            for entry in database.entries_and_values() {
                commands.key(&self.info(entry), body(&entry.view()))?;
                done += 1;
                progress(done);
                self.dawdle(done);
            }
        }
        commands.finish().map(drop)
    }

    fn write_all(
        &self,
        out: impl Write,
        aof_base: bool,
        mut progress: impl FnMut(u64),
    ) -> Result<(), SaveError> {
        let mut writer = Writer::new(out, &self.options);
        self.notes(&mut writer, aof_base);
        let mut done = 0;
        for (index, database) in self.keyspace.databases().filter(|(_, database)| !database.is_empty()) {
            writer.select(index as u32, database.len() as u64, database.volatile() as u64);
            self.database(&mut writer, database, &mut done, &mut progress)?;
        }
        writer.finish()?;
        Ok(())
    }

    fn notes<W: Write>(&self, writer: &mut Writer<W>, aof_base: bool) {
        writer.aux(b"redis-ver", crate::text::version::REDIS.as_bytes());
        writer.aux_int(b"redis-bits", 64);
        writer.aux_int(b"ctime", (self.now_ms / 1000) as i64);
        writer.aux_int(b"used-mem", self.used_memory as i64);
        writer.aux_int(b"aof-base", i64::from(aof_base));
        self.libraries.module_aux.iter().for_each(|raw| writer.module_aux(raw));
        self.libraries.functions.iter().for_each(|code| writer.function(code));
    }

    fn database<W: Write>(
        &self,
        writer: &mut Writer<W>,
        database: &Database,
        done: &mut u64,
        progress: &mut impl FnMut(u64),
    ) -> Result<(), SaveError> {
        for entry in database.entries_and_values() {
            writer.key(&self.info(entry), body(&entry.view()))?;
            *done += 1;
            progress(*done);
            self.dawdle(*done);
        }
        Ok(())
    }

    fn info<'e>(&self, entry: &'e Entry) -> KeyInfo<'e> {
        let access: &Access = &self.keyspace.access;
        let expire_at_ms = entry.expiry().map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
        let mut info = KeyInfo { key: entry.key(), expire_at_ms, idle_s: None, freq: None };
        match self.evicts {
            Evicts::ByTime => info.idle_s = Some(access.idle_seconds(entry.clock(), self.now_ms)),
            Evicts::ByFrequency => info.freq = Some(access.counter(entry.clock(), self.now_ms) as u8),
            Evicts::Otherwise => {}
        }
        info
    }

    fn dawdle(&self, done: u64) {
        let micros = match self.delay {
            0 => return,
            delay if delay > 0 => delay as u64,
            every if done.is_multiple_of(u64::from(every.unsigned_abs())) => 1,
            _ => return,
        };
        std::thread::sleep(std::time::Duration::from_micros(micros));
    }
}
