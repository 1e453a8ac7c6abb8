//! Finding rows, CONFIG GET, CONFIG SET.

use super::fields::{Config, Fields};
use super::row::{
    DENY_LOADING, FIXED, From, HIDDEN, Hook, Kind, MULTI, PROTECTED, Row, SENSITIVE, Status, VOLATILE, Why,
};
use super::rows::ALL;
use super::value::Value;
use crate::text::glob;
use std::collections::BTreeMap;

/// Every row.
pub fn all_rows() -> impl Iterator<Item = &'static Row> {
    ALL.iter().flat_map(|rows| rows.iter())
}

/// The row of a name or an alias, in any case, and the name as the table spells it.
pub fn lookup(name: &[u8]) -> Option<(&'static Row, &'static str)> {
    names().find(|(_, known)| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// Whether this directive's value must not show in logs, MONITOR or the slow log.
pub fn is_sensitive(name: &[u8]) -> bool {
    lookup(name).is_some_and(|(row, _)| row.is(SENSITIVE))
}

/// All names, aliases behind what they mean.
fn names() -> impl Iterator<Item = (&'static Row, &'static str)> {
    all_rows().flat_map(|row| std::iter::once(row.name).chain(row.alias).map(move |name| (row, name)))
}

/// What a CONFIG SET would do, to be done by the caller: run the hooks with `config`, then make it the server's own.
/// If a hook fails, run those that ran again with the old one, and answer [`SetError::Failed`] with the hook's name.
#[derive(Debug)]
pub struct Change {
    /// The settings with everything changed.
    pub config: Config,
    /// What to do, in order, each with the directive that asks for it.
    pub hooks: Vec<(Hook, &'static str)>,
}

/// Why CONFIG SET did nothing. `message` is what the client sees.
#[derive(Debug, PartialEq, Eq)]
pub enum SetError {
    /// No such directive.
    Unknown(Vec<u8>),
    /// Not while a snapshot loads: the usual -LOADING.
    Loading,
    /// The directive, and why if there is more to say.
    Failed(Vec<u8>, Option<Why>),
}

impl SetError {
    /// The error line without `-` and code; `None` for the usual -LOADING error.
    pub fn message(&self) -> Option<Vec<u8>> {
        match self {
            SetError::Loading => None,
            SetError::Unknown(name) => {
                let before: &[u8] = b"Unknown option or number of arguments for CONFIG SET - '";
                Some([before, name, b"'"].concat())
            }
            SetError::Failed(name, why) => {
                let before: &[u8] = b"CONFIG SET failed (possibly related to argument '";
                let why = why.as_ref().map(|why| format!(" - {why}")).unwrap_or_default();
                Some([before, name, b"')", why.as_bytes()].concat())
            }
        }
    }
}

impl Default for Config {
    fn default() -> Config {
        let mut config = Config { fields: Fields::default(), aside: BTreeMap::new() };
        for row in all_rows() {
            match (&row.kind, row.kind.default_value()) {
                (Kind::Special(special), _) => {
                    let args: Vec<&[u8]> = special.default.iter().map(|arg| arg.as_bytes()).collect();
                    (special.set)(&mut config, &args, From::Command).expect("defaults are valid");
                }
                (_, Some(value)) => config.store(row, value),
                _ => {}
            }
        }
        config
    }
}

impl Config {
    /// CONFIG GET: names and values of what the patterns match, each once. A name without pattern characters comes
    /// back as it was asked for.
    pub fn get<P: AsRef<[u8]>>(&self, patterns: &[P]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut found: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for pattern in patterns.iter().map(AsRef::as_ref) {
            let known =
                |found: &[(Vec<u8>, _)], name: &[u8]| found.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
            if !pattern.iter().any(|c| b"[*?".contains(c)) {
                if let Some((row, _)) = lookup(pattern).filter(|_| !known(&found, pattern)) {
                    found.push((pattern.to_vec(), self.show(row)));
                }
                continue;
            }
            for (row, name) in names().filter(|(row, _)| !row.is(HIDDEN)) {
                if !known(&found, name.as_bytes()) && glob::matches(pattern, name.as_bytes(), true) {
                    found.push((name.into(), self.show(row)));
                }
            }
        }
        found
    }

    /// CONFIG SET: all of it or nothing. `local`: whether the client is on this machine; `loading`: whether a
    /// snapshot is being loaded.
    pub fn set<T: AsRef<[u8]>>(
        &self,
        pairs: &[(T, T)],
        local: bool,
        loading: bool,
    ) -> Result<Change, SetError> {
        let rows = self.settable(pairs, local, loading)?;
        let mut config = self.clone();
        let mut hooks = Vec::new();
        for ((row, name), (_, value)) in rows.into_iter().zip(pairs) {
            let args = split_value(row, value.as_ref());
            let changed = config
                .assign(row, &args, From::Command)
                .map_err(|why| SetError::Failed(name.into(), Some(why)))?;
            if let Some(hook) = row.hook.filter(|hook| changed && !hooks.iter().any(|(h, _)| h == hook)) {
                hooks.push((hook, name));
            }
        }
        config.settle();
        Ok(Change { config, hooks })
    }

    /// The rows of a CONFIG SET, if all may be set.
    fn settable<T: AsRef<[u8]>>(
        &self,
        pairs: &[(T, T)],
        local: bool,
        loading: bool,
    ) -> Result<Vec<(&'static Row, &'static str)>, SetError> {
        let mut rows: Vec<(&'static Row, &'static str)> = Vec::new();
        for (asked, _) in pairs {
            let asked = asked.as_ref();
            let failed = |why: &'static str| Err(SetError::Failed(asked.to_vec(), Some(why.into())));
            let Some((row, name)) = lookup(asked) else { return Err(SetError::Unknown(asked.to_vec())) };
            if row.is(FIXED) {
                return failed("can't set immutable config");
            }
            if row.is(PROTECTED) && !self.enable_protected_configs.allows(local) {
                return failed("can't set protected config");
            }
            if row.is(DENY_LOADING) && loading {
                return Err(SetError::Loading);
            }
            if rows.iter().any(|(_, n)| *n == name) {
                return failed("duplicate parameter");
            }
            rows.push((row, name));
        }
        Ok(rows)
    }

    /// Sets one row from its arguments; says whether that is a change.
    pub(super) fn assign(&mut self, row: &'static Row, args: &[&[u8]], from: From) -> Result<bool, Why> {
        if let Kind::Special(special) = &row.kind {
            return (special.set)(self, args, from);
        }
        let value = row.kind.parse(args, row.is(MULTI))?;
        if let Status::Refused(why) = row.status
            && Some(&value) != row.kind.default_value().as_ref()
        {
            return Err(why.into());
        }
        let changed = value != self.load(row) || row.is(VOLATILE);
        self.store(row, value);
        Ok(changed)
    }

    /// What several directives together, or a range that is only a hint, ask for.
    pub(super) fn settle(&mut self) {
        self.hz = self.hz.clamp(1, 500);
    }

    /// A row's value as CONFIG GET shows it.
    pub fn show(&self, row: &'static Row) -> Vec<u8> {
        match &row.kind {
            Kind::Special(special) => (special.get)(self),
            kind => kind.show(&self.load(row), row.is(MULTI)),
        }
    }

    /// Whether a row has another value than in a fresh server.
    pub fn is_default(&self, row: &'static Row) -> bool {
        self.show(row) == Config::default().show(row)
    }

    pub(super) fn load(&self, row: &'static Row) -> Value {
        match row.slot {
            Some(slot) => (slot.get)(self),
            None => self
                .aside
                .get(row.name)
                .cloned()
                .or_else(|| row.kind.default_value())
                .expect("rows without a field are no specials"),
        }
    }

    fn store(&mut self, row: &'static Row, value: Value) {
        match row.slot {
            Some(slot) => (slot.set)(self, value),
            None if row.kind.default_value().as_ref() == Some(&value) => {
                self.aside.remove(row.name);
            }
            None => {
                self.aside.insert(row.name, value);
            }
        }
    }
}

/// CONFIG SET's one value as arguments: split at each single space where the row takes several.
fn split_value<'v>(row: &Row, value: &'v [u8]) -> Vec<&'v [u8]> {
    match (row.is(MULTI), value) {
        (false, _) => vec![value],
        (true, []) => Vec::new(),
        (true, _) => value.split(|c| *c == b' ').collect(),
    }
}
