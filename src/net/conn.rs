//! One connection: read, parse, run the batch under the lock, write.
//!
//! Output never stops input: while the client does not take its replies the connection goes on reading and
//! executing, and `client-output-buffer-limit` decides. A client that has said all it had to say (it shut down its
//! half) still gets its replies; the real server drops those that the socket does not take at once.
//!
//! With an append log, what leaves waits until the log has come far enough: [`super::held`] sees to that.
//!
//! With `maxmemory-clients`, output that waits lies with the engine between turns: whoever closes a client has its
//! memory at once.
//!
//! What an idle client costs is small: input goes to a buffer of the worker, replies that leave at once too, and
//! only what is cut off or waits is the connection's own.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io::IoSlice;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::held::{Held, let_others};
use super::stream::Stream;
use crate::command::connection::client_line;
use crate::engine::config::OutputLimit;
use crate::engine::session::{Mirror, most_output};
use crate::engine::stats::Traffic;
use crate::engine::{Engine, Session, SessionId, State};
use crate::resp::{Batch, Out, Parser, ParserLimits, ProtocolError};
use crate::serve::{Batched, Server, make_room_for, run_batch};
use crate::text::log::{Level, enabled};
use crate::{verbose, warning};

/// What all connections of a worker share: nobody else of them runs meanwhile.
pub(super) struct Common {
    pub server: Arc<Server>,
    /// What a read goes to.
    buffer: RefCell<Vec<u8>>,
    /// What was parsed of it.
    batch: RefCell<Batch>,
    /// Room for replies that leave at once.
    room: RefCell<Vec<u8>>,
    /// Who waits for the log.
    pub held: Held,
}

const READ_SIZE: usize = 64 << 10;
/// Unfinished input up to here is put in front of the next read; longer one grows where it is.
const MOVE_UP_TO: usize = READ_SIZE / 2;
/// Reads until others have their turn. A read that does not fill the buffer is the last one anyhow.
const READS_PER_TURN: u32 = 4;
/// Pieces that one write takes.
const MOST_SLICES: usize = 64;
/// Output that may wait for a client who has not said who it is.
const UNAUTHENTICATED_OUTPUT: usize = 1024;
/// Bytes of input that the log shows of a client that went wrong.
const SHOWN: usize = 64;

impl Common {
    pub fn new(server: Arc<Server>) -> Common {
        Common {
            server,
            buffer: RefCell::new(vec![0; READ_SIZE]),
            batch: RefCell::new(Batch::new()),
            room: RefCell::default(),
            held: Held::default(),
        }
    }
}

struct Conn {
    common: Rc<Common>,
    stream: Stream,
    id: SessionId,
    parser: Parser,
    limits: ParserLimits,
    query_limit: usize,
    /// Bytes of requests that wait for EXEC.
    queued: usize,
    /// Output at which nothing more is run.
    most_output: usize,
    /// Input that is not a whole request yet.
    rest: Vec<u8>,
    /// The database of the last request.
    db: usize,
    out: Out,
    received: u64,
    sent: u64,
    /// What went through since the engine heard of it.
    traffic: Traffic,
    /// Output that the socket did not take, as far as the session knows of it.
    told: usize,
    /// What was allocated for it then.
    told_memory: usize,
    /// Ends when the output is sent.
    closing: bool,
    /// The session waits for a key: input is kept, not run.
    blocked: bool,
    /// Output is to be left with the engine between turns.
    leaves_output: bool,
    /// It was.
    has_left_output: bool,
    /// Nothing leaves before the log has come to this LSN.
    until: u64,
    /// Is woken when the log has come to this LSN.
    held: u64,
}

/// The connection ends: the client left or was killed.
struct End;

/// Serves a client until it leaves.
pub(super) async fn serve(common: Rc<Common>, stream: Stream, id: SessionId) {
    let mut conn = Conn {
        common,
        stream,
        id,
        parser: Parser::new(),
        limits: ParserLimits::default(),
        query_limit: 0,
        queued: 0,
        most_output: 0,
        rest: Vec::new(),
        db: 0,
        out: Out::new(),
        received: 0,
        sent: 0,
        traffic: Traffic::default(),
        told: 0,
        told_memory: 0,
        closing: false,
        blocked: false,
        leaves_output: false,
        has_left_output: false,
        until: 0,
        held: 0,
    };
    conn.begin();
    poll_fn(|cx| conn.turn(cx)).await;
    conn.say_goodbye();
}

impl Conn {
    /// Takes over what is so from the first byte on.
    fn begin(&mut self) {
        let common = self.common.clone();
        let state = &common.server.lock().state;
        self.obey(state);
        let stranger = |session: &Session| state.must_authenticate(session);
        self.limits.authenticated = !state.clients.get(self.id).is_some_and(stranger);
    }

    /// Takes over what the configuration says by now; gives the limits of output.
    #[inline]
    fn obey(&mut self, state: &State) -> OutputLimit {
        let config = &state.config;
        self.limits.max_bulk = usize::try_from(config.proto_max_bulk_len).unwrap_or(usize::MAX);
        self.query_limit = usize::try_from(config.client_query_buffer_limit).unwrap_or(usize::MAX);
        self.leaves_output = config.maxmemory_clients != 0;
        let limit = state.output_limit(self.id);
        self.most_output = match limit.hard {
            0 => usize::MAX,
            hard => most_output(hard),
        };
        self.out.set_most(Some(self.most_output).filter(|most| *most != usize::MAX));
        limit
    }

    /// Does what can be done now.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let common = self.common.clone();
        if self.has_left_output && self.take_output_back().is_err() {
            return Poll::Ready(());
        }
        self.out.borrow_room(&mut common.room.borrow_mut());
        let polled = self.steps(cx);
        self.out.return_room(&mut common.room.borrow_mut());
        if self.leaves_output && polled.is_pending() && !self.out.is_empty() {
            self.leave_output();
        }
        polled
    }

    #[cold]
    fn take_output_back(&mut self) -> Result<(), End> {
        self.has_left_output = false;
        self.out = self.common.server.lock().state.clients.take_output(self.id).ok_or(End)?;
        Ok(())
    }

    /// A session that is gone has nobody who could close it: it may be about to end with these last words.
    #[cold]
    fn leave_output(&mut self) {
        let out = std::mem::take(&mut self.out);
        let left = self.common.server.lock().state.clients.leave_output(self.id, out);
        self.has_left_output = left.is_ok();
        if let Err(out) = left {
            self.out = out;
        }
    }

    fn steps(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (mut reads, mut looked) = (0, false);
        loop {
            if self.is_held(cx) {
                return Poll::Pending;
            }
            if self.write(cx).is_err() || (self.closing && self.out.is_empty()) {
                return Poll::Ready(());
            }
            if self.out.len() != self.told {
                match self.look(cx) {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(End) => return Poll::Ready(()),
                }
            }
            if reads == READS_PER_TURN {
                return let_others(cx);
            }
            let read = if self.closing { Poll::Pending } else { self.read(cx) };
            match read {
                Poll::Ready(Ok(())) => (reads, looked) = (reads + 1, true),
                Poll::Ready(Err(End)) => return Poll::Ready(()),
                Poll::Pending if looked => return Poll::Pending,
                // Nothing came, so this is a wake-up: for the output, or for what others left in the session.
                Poll::Pending => match self.look(cx) {
                    Ok(true) => looked = true,
                    Ok(false) => return Poll::Pending,
                    Err(End) => return Poll::Ready(()),
                },
            }
        }
    }

    /// Whether the log has yet to reach what was run.
    #[inline]
    fn is_held(&mut self, cx: &mut Context<'_>) -> bool {
        if self.until <= self.common.server.tail().released() {
            return false;
        }
        if self.held != self.until {
            self.held = self.until;
            self.common.held.add(self.until, cx.waker());
        }
        true
    }

    /// Sends what the socket takes.
    fn write(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        while !self.out.is_empty() {
            let written = match self.out.single() {
                Some(bytes) => Pin::new(&mut self.stream).poll_write(cx, bytes),
                None => write_pieces(&mut self.stream, cx, &self.out),
            };
            match written {
                Poll::Ready(Ok(n)) if n > 0 => {
                    self.out.advance(n);
                    self.sent += n as u64;
                    self.traffic.sent += n as u64;
                    self.traffic.writes += 1;
                }
                Poll::Ready(_) => return Err(End),
                Poll::Pending => {
                    self.out.seal();
                    break;
                }
            }
        }
        Ok(())
    }

    /// Reads once and runs what is complete.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        if self.parser.wants().is_some() {
            return self.read_wanted(cx);
        }
        if self.rest.len() > MOVE_UP_TO {
            return self.read_behind_rest(cx);
        }
        let common = self.common.clone();
        let mut buffer = common.buffer.borrow_mut();
        let kept = self.rest.len();
        buffer[..kept].copy_from_slice(&self.rest);
        let mut space = ReadBuf::new(&mut buffer[kept..]);
        let n = match Pin::new(&mut self.stream).poll_read(cx, &mut space) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(result) => result.map(|()| space.filled().len()),
        };
        Poll::Ready(self.note_read(n).and_then(|n| {
            if n == 0 {
                return Ok(());
            }
            self.check_input(n)?;
            self.rest.clear();
            self.digest(cx, &buffer[..kept + n])
        }))
    }

    /// Reads the rest of a big argument straight into its own allocation.
    fn read_wanted(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        let Some(mut space) = self.parser.wants() else { return Poll::Pending };
        let polled = pin!(self.stream.read_buf(&mut space)).poll(cx);
        polled.map(|n| {
            self.note_read(n)?;
            self.check_input(0)?;
            self.digest_rest(cx)
        })
    }

    /// Reads more of a line that is long already, or behind requests that wait.
    fn read_behind_rest(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        self.rest.reserve(READ_SIZE);
        let polled = pin!(self.stream.read_buf(&mut self.rest)).poll(cx);
        polled.map(|n| {
            self.note_read(n)?;
            self.check_input(0)?;
            self.digest_rest(cx)
        })
    }

    /// `client-query-buffer-limit`: judged before what has come is run, with `more` bytes just read.
    #[inline]
    fn check_input(&self, more: usize) -> Result<(), End> {
        if self.rest.len() + self.parser.waiting() + self.queued + more <= self.query_limit {
            return Ok(());
        }
        Err(self.too_much_input())
    }

    /// Counts a read. Nothing read means that the client will say no more: its replies still leave, but what it waits
    /// for goes to others.
    fn note_read(&mut self, read: std::io::Result<usize>) -> Result<usize, End> {
        let n = read.map_err(|_| End)?;
        self.closing |= n == 0;
        if n == 0 && self.blocked {
            return Err(End);
        }
        self.received += n as u64;
        self.traffic.received += n as u64;
        self.traffic.reads += 1;
        Ok(n)
    }

    fn digest_rest(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        if self.closing {
            return Ok(());
        }
        let input = std::mem::take(&mut self.rest);
        self.digest(cx, &input)
    }

    /// Runs what is complete of the input, and keeps the rest.
    fn digest(&mut self, cx: &mut Context<'_>, input: &[u8]) -> Result<(), End> {
        let (used, ran) = self.run_all(cx, input)?;
        match &input[used..] {
            [] => self.rest = Vec::new(),
            rest => self.rest.extend_from_slice(rest),
        }
        self.check_input(0)?;
        // Half a request is a sign of life, too.
        if ran { Ok(()) } else { self.look(cx).map(drop) }
    }

    /// Runs all whole requests of `input`, unless one blocks; how much they were, and whether there was one.
    fn run_all(&mut self, cx: &mut Context<'_>, input: &[u8]) -> Result<(usize, bool), End> {
        let common = self.common.clone();
        let mut batch = common.batch.borrow_mut();
        let (mut used, mut any) = (0, false);
        while !self.blocked {
            let stretch = &input[used..];
            let parsed = self.parser.parse(stretch, &self.limits, &mut batch);
            if !batch.is_empty() {
                let ran = self.run(cx, &batch, stretch)?;
                any = true;
                if self.blocked {
                    // What is pipelined behind waits, unexecuted.
                    used += batch.end(ran - 1);
                    break;
                }
            }
            used += parsed.consumed;
            if let Some(error) = parsed.error
                && !self.closing
            {
                self.protocol_error(error, &input[used..]);
            }
            if self.closing {
                return Ok((input.len(), any));
            }
            if batch.is_empty() {
                break;
            }
        }
        Ok((used, any))
    }

    /// Runs a batch under the engine's lock; how many requests ran.
    fn run(&mut self, cx: &mut Context<'_>, batch: &Batch, stretch: &[u8]) -> Result<usize, End> {
        let common = self.common.clone();
        let mut guard = common.server.lock();
        let engine = &mut *guard;
        // Comes from memory while the session does, and what else the first request needs.
        if let Some(key) = batch.arg(stretch, 0, 1) {
            engine.keyspace.database(self.db).prefetch_if_cold(key);
        }
        let mut session = engine.state.clients.take(self.id).ok_or(End)?;
        // What was sent since the last look is gone, and what this batch answers is not there yet.
        session.mirror.output = self.out.len();
        self.take_outbox(&mut session);
        let Batched { ran } =
            run_batch(&common.server, engine, &mut session, batch, stretch, &mut self.out, self.most_output);
        let (too_much, now_us) = (self.out.len() > self.most_output, session.active_us);
        self.db = session.db;
        self.until = engine.state.log.lsn();
        self.settle(cx, engine, session, too_much, now_us)?;
        Ok(ran)
    }

    /// Between requests: tells the session how far the output is, takes what others left there, or finds it gone.
    /// True if there is something to be done now.
    fn look(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        let was_blocked = self.blocked;
        let more = self.look_at_session(cx)?;
        if was_blocked && !self.blocked {
            self.digest_rest(cx)?;
            return Ok(true);
        }
        Ok(more || (self.closing && self.out.is_empty()))
    }

    fn look_at_session(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        let common = self.common.clone();
        let mut guard = common.server.lock();
        let engine = &mut *guard;
        let mut session = engine.state.clients.take(self.id).ok_or(End)?;
        self.told = self.out.len();
        self.told_memory = if self.out.is_empty() { 0 } else { self.out.memory() };
        let more = self.take_outbox(&mut session);
        if more {
            self.until = engine.state.log.lsn();
        }
        let now_us = engine.state.clock.now().mono_us;
        if self.traffic != Traffic::default() {
            session.active_us = now_us;
        }
        self.settle(cx, engine, session, false, now_us)?;
        Ok(more)
    }

    fn take_outbox(&mut self, session: &mut Session) -> bool {
        if session.outbox.is_empty() || self.closing {
            return false;
        }
        self.out.extend(&session.outbox);
        session.outbox = Vec::new();
        true
    }

    /// Puts the session back, with what only the connection knows, and checks the output's limits.
    fn settle(
        &mut self,
        cx: &mut Context<'_>,
        engine: &mut Engine,
        mut session: Box<Session>,
        too_much: bool,
        now_us: u64,
    ) -> Result<(), End> {
        let state = &mut engine.state;
        let limit = self.obey(state);
        self.limits.authenticated = !state.must_authenticate(&session);
        self.closing |= session.closing;
        self.blocked = session.blocked;
        self.queued = if session.queued.is_some() { session.queued_bytes } else { 0 };
        self.mirror(&mut session, &mut state.stats);
        if !session.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            session.waker = Some(cx.waker().clone());
        }
        let overflows = too_much
            || session.overflows(limit, now_us)
            || (!self.limits.authenticated && session.listed_output() > UNAUTHENTICATED_OUTPUT);
        if overflows {
            state.stats.output_limit_closed += 1;
            let line = client_line(&session, state);
            warning!("Client {line} scheduled to be closed ASAP for overcoming of output buffer limits.");
        }
        if state.config.maxmemory_clients != 0 && !overflows {
            make_room_for(state, &session);
        }
        let killed = !state.clients.is_open(session.id);
        state.clients.put_back(session);
        if overflows || (killed && !self.closing) { Err(End) } else { Ok(()) }
    }

    /// Tells the session and the statistics what only the connection knows.
    #[inline]
    fn mirror(&mut self, session: &mut Session, stats: &mut crate::engine::Stats) {
        stats.count_traffic(session.worker, std::mem::take(&mut self.traffic));
        let (waiting, held) = (self.parser.waiting(), self.parser.held());
        let arguments = held.saturating_sub(waiting);
        session.mirror = Mirror {
            query: self.rest.len() + waiting,
            query_capacity: self.rest.capacity() + self.parser.reserved() - arguments,
            arguments,
            output: self.told,
            output_memory: self.told_memory,
            received: self.received,
            sent: self.sent,
        };
    }

    #[cold]
    fn protocol_error(&mut self, error: ProtocolError, input: &[u8]) {
        self.common.server.lock().state.stats.count_error("ERR".into());
        if enabled(Level::Verbose) {
            let shown = input[..input.len().min(2 * SHOWN)].escape_ascii();
            let (reason, line) = (error.log_text(), self.line());
            verbose!(
                "Protocol error ({reason}) from client: {line}. Query buffer during protocol error: '{shown}'"
            );
        }
        self.out.extend(&error.to_wire());
        self.closing = true;
    }

    #[cold]
    fn too_much_input(&self) -> End {
        self.common.server.lock().state.stats.query_limit_closed += 1;
        let (line, start) = (self.line(), self.rest[..self.rest.len().min(SHOWN)].escape_ascii());
        warning!(
            "Closing client that reached max query buffer length: {line} (qbuf initial bytes: \"{start}\")"
        );
        End
    }

    /// The client as the log shows it.
    fn line(&self) -> String {
        let state = &self.common.server.lock().state;
        let session = state.clients.get(self.id);
        session.map_or_else(|| format!("id={}", self.id.0), |session| client_line(session, state))
    }

    fn say_goodbye(&mut self) {
        if enabled(Level::Verbose) {
            verbose!("Client closed connection {}", self.line());
        }
        let common = self.common.clone();
        let state = &mut common.server.lock().state;
        if let Some(mut session) = state.clients.take(self.id) {
            self.mirror(&mut session, &mut state.stats);
        }
        state.forget(self.id);
    }
}

/// Sends what lies in several places.
fn write_pieces(stream: &mut Stream, cx: &mut Context<'_>, out: &Out) -> Poll<std::io::Result<usize>> {
    let mut slices = [IoSlice::new(&[]); MOST_SLICES];
    let count = out.io_slices(usize::MAX, &mut slices);
    Pin::new(stream).poll_write_vectored(cx, &slices[..count])
}
