//! The options that XADD and XTRIM share: what to keep, and how exactly.

use super::id::strict;
use crate::command::*;
use crate::value::limits::Limits;
use crate::value::stream::{IdText, Keep, Log, StreamId};
use std::cell::LazyCell;

/// How to trim.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trim {
    keep: Keep,
    /// Only whole nodes.
    approx: bool,
    /// No more entries than so many; 0: no limit.
    limit: u64,
    /// Which argument says what to keep.
    at: usize,
}

/// What stands before the fields of XADD, or behind the key of XTRIM.
#[derive(Debug, Default)]
pub(super) struct Options {
    /// How to trim, if at all.
    pub trim: Option<Trim>,
    /// XADD: make no stream.
    pub no_mkstream: bool,
    /// XADD: the id that was given, and whether with a sequence; `None`: `*`.
    pub id: Option<(StreamId, bool)>,
    limit: Option<u64>,
}

impl Options {
    /// Reads the options of XADD and the id behind them, where it leaves the cursor (at the end if there is none).
    /// `obey`: the request was judged before, by whoever logged it.
    pub fn of_add(args: &mut Args<'_>, limits: &Limits, obey: bool) -> Result<Options, CmdError> {
        let mut o = Options::default();
        while let Some(word) = args.peek() {
            if word == b"*" {
                break;
            }
            args.next();
            if o.shared(word, args)? {
                continue;
            }
            if parse::is(word, "NOMKSTREAM") {
                o.no_mkstream = true;
                continue;
            }
            o.id = Some(StreamId::parse_for_add(word).ok_or_else(super::id::invalid)?);
            args.seek(Args::position(args) - 1);
            break;
        }
        o.finish(limits, obey)?;
        Ok(o)
    }

    /// Reads the options of XTRIM.
    pub fn of_trim(args: &mut Args<'_>, limits: &Limits, obey: bool) -> Result<Trim, CmdError> {
        let mut o = Options::default();
        while let Some(word) = args.next() {
            if !o.shared(word, args)? {
                return Err(CmdError::Syntax);
            }
        }
        o.finish(limits, obey)?;
        o.trim.ok_or(CmdError::text("ERR syntax error, XTRIM must be called with a trimming strategy"))
    }

    /// Reads one of the options that both have; whether it was one.
    fn shared(&mut self, word: &[u8], args: &mut Args<'_>) -> Result<bool, CmdError> {
        if args.remaining() == 0 {
            return Ok(false);
        }
        match () {
            () if parse::is(word, "MAXLEN") => self.strategy(args, |text| {
                let max = parse::int(text)?;
                let max =
                    u64::try_from(max).map_err(|_| CmdError::text("ERR The MAXLEN argument must be >= 0."));
                max.map(Keep::MaxLen)
            })?,
            () if parse::is(word, "MINID") => self.strategy(args, |text| strict(text).map(Keep::MinId))?,
            () if parse::is(word, "LIMIT") => {
                let limit = u64::try_from(args.int()?);
                self.limit = Some(limit.map_err(|_| CmdError::text("ERR The LIMIT argument must be >= 0."))?);
            }
            () => return Ok(false),
        }
        Ok(true)
    }

    fn strategy(
        &mut self,
        args: &mut Args<'_>,
        read: impl FnOnce(&[u8]) -> Result<Keep, CmdError>,
    ) -> Result<(), CmdError> {
        if self.trim.is_some() {
            return Err(CmdError::text(
                "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
            ));
        }
        let mark = args.peek().filter(|word| args.remaining() >= 2 && matches!(*word, b"~" | b"="));
        if mark.is_some() {
            args.next();
        }
        let at = Args::position(args);
        let keep = read(args.arg()?)?;
        self.trim = Some(Trim { keep, approx: mark == Some(b"~"), limit: 0, at });
        Ok(())
    }

    /// Judges LIMIT, and sets it where it was not given.
    fn finish(&mut self, limits: &Limits, obey: bool) -> Result<(), CmdError> {
        let Some(trim) = &mut self.trim else {
            return match self.limit {
                None | Some(0) => Ok(()),
                Some(_) => Err(CmdError::text(
                    "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
                )),
            };
        };
        trim.limit = match self.limit {
            _ if obey => 0,
            Some(_) if !trim.approx => {
                return Err(CmdError::text(
                    "ERR syntax error, LIMIT cannot be used without the special ~ option",
                ));
            }
            Some(limit) => limit,
            None if trim.approx => default_limit(limits),
            None => 0,
        };
        Ok(())
    }
}

/// A hundred nodes, so that trimming takes no long time.
fn default_limit(limits: &Limits) -> u64 {
    match (limits.stream_node_max_entries as u64).saturating_mul(100) {
        0 => 10_000,
        limit => limit.min(1_000_000),
    }
}

impl Trim {
    /// Trims; how many entries went, and how the log says what stays if the request's words do not.
    pub fn run(&self, log: &mut Log) -> (u64, Option<Logged>) {
        let removed = log.trim(self.keep, self.approx, self.limit);
        let exact = self.approx.then(|| Logged { at: self.at, kept: Kept::of(self.keep, log) });
        (removed, exact)
    }
}

/// The exact form of an approximate trim: `=` instead of `~`, and what stays instead of what was to stay.
pub(super) struct Logged {
    at: usize,
    kept: Kept,
}

enum Kept {
    Length(itoa::Buffer, u64),
    From(IdText),
}

impl Kept {
    fn of(keep: Keep, log: &Log) -> Kept {
        match keep {
            Keep::MaxLen(_) => Kept::Length(itoa::Buffer::new(), log.length),
            Keep::MinId(_) => Kept::From(log.edge(false, true).unwrap_or(StreamId::MAX).text()),
        }
    }

    fn text(&mut self) -> &[u8] {
        match self {
            Kept::Length(buffer, length) => buffer.format(*length).as_bytes(),
            Kept::From(id) => id,
        }
    }
}

/// Propagates the request with the exact form of its trim and, of XADD, the id that was chosen (which argument, and id).
pub(super) fn propagate(
    ctx: &mut Ctx<'_>,
    args: &Args<'_>,
    exact: Option<Logged>,
    id: Option<(usize, StreamId)>,
) {
    let id = id.map(|(at, id)| (at, LazyCell::new(move || id.text())));
    let (at, mut kept) = exact.map_or((usize::MAX, None), |exact| (exact.at, Some(exact.kept)));
    let kept = kept.as_mut().map_or(&b""[..], |kept| kept.text());
    let words = args.all().enumerate().map(|(i, word)| match &id {
        Some((id_at, text)) if *id_at == i => text,
        _ if i == at => kept,
        _ if i.checked_add(1) == Some(at) => b"=",
        _ => word,
    });
    ctx.propagate_words(words);
}
