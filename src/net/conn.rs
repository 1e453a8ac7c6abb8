//! One connection: read, parse, run the batch under the lock, write.
//!
//! Output never stops input: while the client does not take its replies the connection goes on reading and
//! executing, and `client-output-buffer-limit` decides.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io::IoSlice;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::stream::Stream;
use crate::engine::config::{Config, OutputLimit};
use crate::engine::session::Mirror;
use crate::engine::stats::Traffic;
use crate::engine::{Engine, Session, SessionId};
use crate::resp::{Batch, Out, Parser, ParserLimits, ProtocolError};
use crate::serve::{Batched, Server, run_batch};
use crate::{verbose, warning};

/// What all connections of a worker share: nobody else of them runs meanwhile.
pub(super) struct Common {
    pub server: Arc<Server>,
    /// What a read goes to.
    pub buffer: RefCell<Vec<u8>>,
    /// What was parsed of it.
    pub batch: RefCell<Batch>,
}

const READ_SIZE: usize = 64 << 10;
/// Pieces that one write takes.
const MOST_SLICES: usize = 64;
/// A buffer for unfinished input that grew beyond this is not kept.
const KEEP_CAPACITY: usize = 128 << 10;

/// Output up to here counts for nothing: the real server has that much room in every client.
const OWN_BUFFER: usize = 16 << 10;

impl Common {
    pub fn new(server: Arc<Server>) -> Common {
        Common { server, buffer: RefCell::new(vec![0; READ_SIZE]), batch: RefCell::new(Batch::new()) }
    }
}

struct Conn {
    common: Rc<Common>,
    stream: Stream,
    id: SessionId,
    parser: Parser,
    limits: ParserLimits,
    query_limit: usize,
    /// Input that is not a whole request yet.
    rest: Vec<u8>,
    out: Out,
    received: u64,
    sent: u64,
    /// What went through since the engine heard of it.
    traffic: Traffic,
    /// Ends when the output is sent.
    closing: bool,
    /// The session waits for a key: input is kept, not run.
    blocked: bool,
    /// Since when the output is above the soft limit, in monotonic microseconds.
    soft_since: Option<u64>,
}

/// Why a connection ends.
enum End {
    /// The client left, was killed, or its last reply is sent.
    Done,
}

/// Serves a client until it leaves.
pub(super) async fn serve(common: Rc<Common>, stream: Stream, id: SessionId) {
    let (limits, query_limit) = input_limits(&common.server.lock().state.config);
    let mut conn = Conn {
        common,
        stream,
        id,
        parser: Parser::new(),
        limits,
        query_limit,
        rest: Vec::new(),
        out: Out::new(),
        received: 0,
        sent: 0,
        traffic: Traffic::default(),
        closing: false,
        blocked: false,
        soft_since: None,
    };
    poll_fn(|cx| conn.turn(cx)).await;
    let common = conn.common.clone();
    let mut engine = common.server.lock();
    engine.state.forget(conn.id);
}

fn input_limits(config: &Config) -> (ParserLimits, usize) {
    let max_bulk = usize::try_from(config.proto_max_bulk_len).unwrap_or(usize::MAX);
    let query = usize::try_from(config.client_query_buffer_limit).unwrap_or(usize::MAX);
    (ParserLimits { max_bulk, ..ParserLimits::default() }, query)
}

impl Conn {
    /// Does what can be done now.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut looked = false;
        loop {
            if self.write(cx).is_err() || (self.closing && self.out.is_empty()) {
                return Poll::Ready(());
            }
            let read = if self.closing { Poll::Pending } else { self.read(cx) };
            match read {
                Poll::Ready(Ok(())) => looked = true,
                Poll::Ready(Err(End::Done)) => return Poll::Ready(()),
                // Nothing came, so this is a wake-up: for the output, or for what others left in the session.
                Poll::Pending if looked => return Poll::Pending,
                Poll::Pending => {
                    looked = true;
                    if self.look(cx).is_err() {
                        return Poll::Ready(());
                    }
                    if self.out.is_empty() && !self.closing {
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    /// Sends what the socket takes.
    fn write(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        while !self.out.is_empty() {
            let mut slices = [IoSlice::new(&[]); MOST_SLICES];
            let count = self.out.io_slices(usize::MAX, &mut slices);
            let written = match count {
                1 => Pin::new(&mut self.stream).poll_write(cx, &slices[0]),
                _ => Pin::new(&mut self.stream).poll_write_vectored(cx, &slices[..count]),
            };
            match written {
                Poll::Ready(Ok(n)) if n > 0 => {
                    self.out.advance(n);
                    self.sent += n as u64;
                    self.traffic.sent += n as u64;
                    self.traffic.writes += 1;
                }
                Poll::Ready(_) => return Err(End::Done),
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    /// Reads once and runs what is complete.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        if let Some(polled) = self.read_wanted(cx) {
            return polled;
        }
        let common = self.common.clone();
        let mut buffer = common.buffer.borrow_mut();
        let mut space = ReadBuf::new(&mut buffer);
        let n = match Pin::new(&mut self.stream).poll_read(cx, &mut space) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(())) if !space.filled().is_empty() => space.filled().len(),
            Poll::Ready(_) => return Poll::Ready(Err(End::Done)),
        };
        self.count_read(n);
        Poll::Ready(self.digest(cx, &buffer[..n]))
    }

    fn count_read(&mut self, n: usize) {
        self.received += n as u64;
        self.traffic.received += n as u64;
        self.traffic.reads += 1;
    }

    /// Reads the rest of a big argument straight into its own allocation, if one is arriving.
    fn read_wanted(&mut self, cx: &mut Context<'_>) -> Option<Poll<Result<(), End>>> {
        let mut space = self.parser.wants()?;
        let polled = std::pin::pin!(self.stream.read_buf(&mut space)).poll(cx);
        let n = match polled {
            Poll::Pending => return Some(Poll::Pending),
            Poll::Ready(Ok(n)) if n > 0 => n,
            Poll::Ready(_) => return Some(Poll::Ready(Err(End::Done))),
        };
        self.count_read(n);
        Some(Poll::Ready(self.digest(cx, &[])))
    }

    /// Runs what is complete of the unfinished input and `fresh` behind it, and keeps the rest.
    fn digest(&mut self, cx: &mut Context<'_>, fresh: &[u8]) -> Result<(), End> {
        if self.rest.is_empty() {
            let used = self.run_all(cx, fresh)?;
            self.rest.extend_from_slice(&fresh[used..]);
        } else {
            let mut input = std::mem::take(&mut self.rest);
            input.extend_from_slice(fresh);
            let used = self.run_all(cx, &input)?;
            input.drain(..used);
            if input.capacity() > KEEP_CAPACITY && input.len() < KEEP_CAPACITY / 4 {
                input.shrink_to(KEEP_CAPACITY / 4);
            }
            self.rest = input;
        }
        if self.rest.len() + self.parser.held() > self.query_limit {
            return Err(self.too_much_input());
        }
        Ok(())
    }

    /// Runs all whole requests of `input`; how much they were.
    fn run_all(&mut self, cx: &mut Context<'_>, input: &[u8]) -> Result<usize, End> {
        let common = self.common.clone();
        let mut batch = common.batch.borrow_mut();
        let mut used = 0;
        while !self.blocked {
            let stretch = &input[used..];
            let parsed = self.parser.parse(stretch, &self.limits, &mut batch);
            if !batch.is_empty() {
                let ran = self.run(cx, &batch, stretch)?;
                if self.blocked {
                    // What is pipelined behind waits, unexecuted.
                    used += batch.end(ran - 1);
                    break;
                }
            }
            used += parsed.consumed;
            if let Some(error) = parsed.error {
                self.protocol_error(error);
            }
            if self.closing {
                return Ok(input.len());
            }
            if batch.is_empty() {
                break;
            }
        }
        Ok(used)
    }

    /// Runs a batch under the engine's lock.
    fn run(&mut self, cx: &mut Context<'_>, batch: &Batch, stretch: &[u8]) -> Result<usize, End> {
        let server = &self.common.server.clone();
        let mut guard = server.lock();
        let engine = &mut *guard;
        let mut session = engine.state.clients.take(self.id).ok_or(End::Done)?;
        self.take_outbox(&mut session);
        let Batched { ran } = run_batch(server, engine, &mut session, batch, stretch, &mut self.out);
        self.settle(cx, engine, session)?;
        Ok(ran)
    }

    /// A wake-up without input: takes what others left in the session, or finds it gone.
    fn look(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        let was_blocked = self.blocked;
        {
            let server = &self.common.server.clone();
            let mut guard = server.lock();
            let engine = &mut *guard;
            let mut session = engine.state.clients.take(self.id).ok_or(End::Done)?;
            self.take_outbox(&mut session);
            self.settle(cx, engine, session)?;
        }
        if was_blocked && !self.blocked { self.digest(cx, &[]) } else { Ok(()) }
    }

    fn take_outbox(&mut self, session: &mut Session) {
        if !session.outbox.is_empty() {
            self.out.extend(&session.outbox);
            session.outbox = Vec::new();
        }
    }

    /// Puts the session back, with what only the connection knows, and checks the output's limits.
    fn settle(
        &mut self,
        cx: &mut Context<'_>,
        engine: &mut Engine,
        mut session: Box<Session>,
    ) -> Result<(), End> {
        self.closing |= session.closing;
        self.blocked = session.blocked;
        self.limits.authenticated = session.authenticated;
        session.mirror = Mirror {
            query: self.rest.len() + self.parser.held(),
            query_capacity: self.rest.capacity(),
            output: self.out.len(),
            received: self.received,
            sent: self.sent,
        };
        if !session.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            session.waker = Some(cx.waker().clone());
        }
        engine.state.stats.count_traffic(session.worker, std::mem::take(&mut self.traffic));
        let now_us = session.active_us;
        let killed = !engine.state.clients.is_open(session.id);
        engine.state.clients.put_back(session);
        let limit = engine.state.config.client_output_buffer_limit[0];
        if killed && !self.closing {
            return Err(End::Done);
        }
        if self.over_limit(limit, now_us) {
            engine.state.stats.output_limit_closed += 1;
            warning!("Client id={} closed for overcoming of output buffer limits.", self.id.0);
            return Err(End::Done);
        }
        Ok(())
    }

    fn over_limit(&mut self, limit: OutputLimit, now_us: u64) -> bool {
        let waiting = self.out.len().saturating_sub(OWN_BUFFER) as u64;
        if limit.hard > 0 && waiting > limit.hard {
            return true;
        }
        if limit.soft == 0 || waiting <= limit.soft {
            self.soft_since = None;
            return false;
        }
        let since = *self.soft_since.get_or_insert(now_us);
        now_us.saturating_sub(since) > limit.soft_seconds * 1_000_000
    }

    fn protocol_error(&mut self, error: ProtocolError) {
        verbose!("Protocol error ({}) from client: id={}", error.log_text(), self.id.0);
        self.common.server.lock().state.stats.count_error("ERR".into());
        self.out.extend(&error.to_wire());
        self.closing = true;
    }

    #[cold]
    fn too_much_input(&self) -> End {
        self.common.server.lock().state.stats.query_limit_closed += 1;
        warning!("Closing client that reached max query buffer length: id={}", self.id.0);
        End::Done
    }
}
