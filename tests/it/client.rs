//! A small blocking client for tests: every RESP2 and RESP3 type as it came, pushes, pipelines, raw bytes.
//!
//! It trusts the server no further than a test has to: a read that gets no byte for five seconds is an error, not a hang.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long a read waits for the next byte.
const PATIENCE: Duration = Duration::from_secs(5);

/// One reply, nothing folded: the three nulls are three values, doubles and big numbers keep their text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Simple(Vec<u8>),
    Error(Vec<u8>),
    Int(i64),
    Bulk(Vec<u8>),
    /// `$-1`, RESP2.
    NilBulk,
    /// `*-1`, RESP2.
    NilArray,
    /// `_`, RESP3.
    Null,
    Array(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Set(Vec<Value>),
    Push(Vec<Value>),
    /// The text after the comma.
    Double(Vec<u8>),
    Bool(bool),
    BigNumber(Vec<u8>),
    /// `!`, RESP3.
    BlobError(Vec<u8>),
    /// The three letters of the format, and the text.
    Verbatim(Vec<u8>, Vec<u8>),
}

impl Value {
    /// The bytes of a string of any kind, an error or a number's text; `None` for nulls and aggregates.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Value::Simple(b) | Value::Error(b) | Value::Bulk(b) | Value::Double(b) => Some(b.clone()),
            Value::BigNumber(b) | Value::BlobError(b) | Value::Verbatim(_, b) => Some(b.clone()),
            Value::Int(n) => Some(n.to_string().into_bytes()),
            _ => None,
        }
    }

    /// The elements of an array, set or push.
    pub fn items(&self) -> Option<&[Value]> {
        match self {
            Value::Array(v) | Value::Set(v) | Value::Push(v) => Some(v),
            _ => None,
        }
    }

    pub fn is_error(&self) -> bool {
        matches!(self, Value::Error(_) | Value::BlobError(_))
    }
}

/// A connection. Replies come in the order of the requests; pushes wait in `pushes` until someone takes them.
pub struct Client {
    stream: TcpStream,
    buf: Vec<u8>,
    at: usize,
    pub pushes: Vec<Value>,
}

impl Client {
    pub fn connect(addr: impl ToSocketAddrs) -> io::Result<Client> {
        let stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Client { stream, buf: Vec::new(), at: 0, pushes: Vec::new() })
    }

    /// The socket, for what is no request.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends one request and waits for nothing.
    pub fn send<A: AsRef<[u8]>>(&mut self, args: &[A]) -> io::Result<()> {
        let mut out = Vec::new();
        encode(args, &mut out);
        self.send_raw(&out)
    }

    /// Sends one request and reads its reply.
    pub fn call<A: AsRef<[u8]>>(&mut self, args: &[A]) -> io::Result<Value> {
        self.send(args)?;
        self.reply()
    }

    /// `call` with the words of a line, for commands without odd bytes.
    pub fn line(&mut self, line: &str) -> io::Result<Value> {
        self.call(&line.split_ascii_whitespace().collect::<Vec<_>>())
    }

    /// Sends all requests in one write, then reads as many replies.
    pub fn pipeline<A: AsRef<[u8]>>(&mut self, requests: &[Vec<A>]) -> io::Result<Vec<Value>> {
        let mut out = Vec::new();
        for request in requests {
            encode(request, &mut out);
        }
        self.send_raw(&out)?;
        requests.iter().map(|_| self.reply()).collect()
    }

    /// Whether bytes have come that nobody has read.
    pub fn has_input(&mut self) -> io::Result<bool> {
        if self.at < self.buf.len() {
            return Ok(true);
        }
        self.stream.set_nonblocking(true)?;
        let seen = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false)?;
        match seen {
            Ok(_) => Ok(true), // 0: closed, which the next read will say
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The next reply; pushes in front of it are put aside.
    pub fn reply(&mut self) -> io::Result<Value> {
        loop {
            match self.value()? {
                push @ Value::Push(_) => self.pushes.push(push),
                value => return Ok(value),
            }
        }
    }

    /// The next value of any kind, pushes included.
    pub fn value(&mut self) -> io::Result<Value> {
        let line = self.take_line()?;
        let (kind, rest) = line.split_first().ok_or_else(|| bad("an empty line"))?;
        let rest = rest.to_vec();
        Ok(match kind {
            b'+' => Value::Simple(rest),
            b'-' => Value::Error(rest),
            b':' => Value::Int(number(&rest)?),
            b',' => Value::Double(rest),
            b'(' => Value::BigNumber(rest),
            b'#' => Value::Bool(rest == b"t"),
            b'_' => Value::Null,
            b'$' | b'=' | b'!' => return self.blob(*kind, number(&rest)?),
            b'*' | b'~' | b'>' | b'%' | b'|' => return self.aggregate(*kind, number(&rest)?),
            other => return Err(bad(&format!("type byte {:?}", *other as char))),
        })
    }

    fn blob(&mut self, kind: u8, len: i64) -> io::Result<Value> {
        if len == -1 {
            return Ok(Value::NilBulk);
        }
        let len = usize::try_from(len).map_err(|_| bad("a negative length"))?;
        let mut bytes = self.take(len + 2)?;
        if bytes.split_off(len) != b"\r\n" {
            return Err(bad("a bulk string that does not end in CR LF"));
        }
        Ok(match kind {
            b'$' => Value::Bulk(bytes),
            b'!' => Value::BlobError(bytes),
            _ if bytes.len() >= 4 && bytes[3] == b':' => {
                let text = bytes.split_off(4);
                bytes.truncate(3);
                Value::Verbatim(bytes, text)
            }
            _ => return Err(bad("a verbatim string without its format")),
        })
    }

    fn aggregate(&mut self, kind: u8, len: i64) -> io::Result<Value> {
        if len == -1 {
            return Ok(Value::NilArray);
        }
        let len = usize::try_from(len).map_err(|_| bad("a negative length"))?;
        if matches!(kind, b'%' | b'|') {
            let pairs = (0..len).map(|_| Ok((self.value()?, self.value()?)));
            return Ok(Value::Map(pairs.collect::<io::Result<_>>()?));
        }
        let items = (0..len).map(|_| self.value()).collect::<io::Result<_>>()?;
        Ok(match kind {
            b'*' => Value::Array(items),
            b'~' => Value::Set(items),
            _ => Value::Push(items),
        })
    }

    fn take_line(&mut self) -> io::Result<Vec<u8>> {
        let mut seen = 0;
        loop {
            let open = &self.buf[self.at..];
            if let Some(end) = open[seen..].iter().position(|b| *b == b'\n') {
                let mut line = self.take(seen + end + 1)?;
                line.truncate(line.len().saturating_sub(2));
                return Ok(line);
            }
            seen = open.len();
            self.fill()?;
        }
    }

    fn take(&mut self, len: usize) -> io::Result<Vec<u8>> {
        while self.buf.len() - self.at < len {
            self.fill()?;
        }
        let bytes = self.buf[self.at..self.at + len].to_vec();
        self.at += len;
        Ok(bytes)
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.at == self.buf.len() {
            self.buf.clear();
            self.at = 0;
        }
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            n => {
                self.buf.extend_from_slice(&chunk[..n]);
                Ok(())
            }
        }
    }
}

/// Adds a request's bytes.
pub fn encode<A: AsRef<[u8]>>(args: &[A], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("*{}\r\n", args.len()).as_bytes());
    for arg in args {
        let arg = arg.as_ref();
        out.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
}

fn number(text: &[u8]) -> io::Result<i64> {
    let text = std::str::from_utf8(text).map_err(|_| bad("a number that is not text"))?;
    text.parse().map_err(|_| bad(&format!("a number that is none: {text:?}")))
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not RESP: {what}"))
}
