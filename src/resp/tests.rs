//! The parser against what Redis 8.0.6 decides, whole and cut at every byte; the writer in both protocols.

use super::*;
use bytes::{BufMut, Bytes};
use proptest::prelude::*;

type Requests = Vec<Vec<Vec<u8>>>;

/// A connection as the loop drives it: leftover bytes, a parser, and what it got.
#[derive(Default)]
struct Feed {
    parser: Parser,
    batch: Batch,
    rest: Vec<u8>,
    got: Requests,
    error: Option<ProtocolError>,
    limits: ParserLimits,
}

impl Feed {
    fn read(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.error.is_none() {
            if self.rest.is_empty()
                && let Some(mut direct) = self.parser.wants()
            {
                let n = direct.remaining_mut().min(bytes.len());
                direct.put_slice(&bytes[..n]);
                bytes = &bytes[n..];
            } else {
                self.rest.extend_from_slice(bytes);
                bytes = &[];
            }
            self.turn();
        }
    }

    fn turn(&mut self) {
        loop {
            let input = std::mem::take(&mut self.rest);
            let parsed = self.parser.parse(&input, &self.limits, &mut self.batch);
            for i in 0..self.batch.len() {
                let args = self.batch.args(&input, i);
                self.got.push(args.all().map(<[u8]>::to_vec).collect());
                check_args(&args);
            }
            if let Some(last) = self.batch.len().checked_sub(1) {
                assert!(self.batch.end(last) <= parsed.consumed);
            }
            self.rest = input[parsed.consumed..].to_vec();
            self.error = parsed.error;
            if self.error.is_some() || self.batch.is_empty() {
                return;
            }
        }
    }
}

/// What holds for every request.
fn check_args(args: &Args<'_>) {
    assert!(!args.is_empty());
    let kept = OwnedArgs::from(args);
    assert!(kept.args().all().eq(args.all()));
    for (i, arg) in args.all().enumerate() {
        assert_eq!(args.get(i), Some(arg));
        assert!(args.shared(i).is_none_or(|own| own == arg && arg.len() >= 32 * 1024));
    }
    assert_eq!(args.clone().count(), args.len() - 1);
    if let Some(raw) = args.raw() {
        let mut again = Feed::default();
        again.parser.parse(raw, &ParserLimits::default(), &mut again.batch);
        if again.batch.len() == 1 {
            assert!(again.batch.args(raw, 0).all().eq(args.all()));
        }
    }
}

fn parsed(bytes: &[u8]) -> (Requests, Option<ProtocolError>) {
    let mut feed = Feed::default();
    feed.read(bytes);
    (feed.got, feed.error)
}

fn frame(args: &[&[u8]]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        out.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
    out
}

fn requests(rows: &[&[&str]]) -> Requests {
    rows.iter().map(|row| row.iter().map(|arg| arg.as_bytes().to_vec()).collect()).collect()
}

#[test]
fn takes_requests() {
    let rows: [(&str, &[&[&str]]); 14] = [
        ("*1\r\n$4\r\nPING\r\n", &[&["PING"]]),
        ("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n*1\r\n$4\r\nPING\r\n", &[&["SET", "k", ""], &["PING"]]),
        ("PING\r\nGET k\n", &[&["PING"], &["GET", "k"]]),
        ("\r\n\n  \r\nPING\r\n", &[&["PING"]]),
        ("set \"a b\" 'c'\r\n", &[&["set", "a b", "c"]]),
        ("*0\r\n*-1\r\n*-9999999999\r\nPING\n", &[&["PING"]]),
        ("*1\r\n$4\r\nPI", &[]),
        ("*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPONGyy", &[&["PING"], &["PONG"]]), // the bytes behind are not looked at
        ("*1\rX$4\rXPING\r\n", &[&["PING"]]),
        ("PING\0\r\n", &[&["PING\0"]]), // a real server does not answer this one
        ("*", &[]),
        ("*1\r", &[]),
        ("$1\r\n", &[&["$1"]]),
        ("\"\"\r\n", &[&[""]]),
    ];
    for (bytes, want) in rows {
        assert_eq!(parsed(bytes.as_bytes()), (requests(want), None), "{bytes:?}");
    }
}

#[test]
fn refuses_what_is_none() {
    use ProtocolError::*;
    let long = format!("*1\r\n${}", "1".repeat(70_000));
    let rows: [(&str, ProtocolError); 19] = [
        ("*x\r\n", InvalidMultibulkLength),
        ("*\r\n", InvalidMultibulkLength),
        ("*+1\r\n", InvalidMultibulkLength),
        ("*01\r\n", InvalidMultibulkLength),
        ("*2147483648\r\n", InvalidMultibulkLength),
        ("*99999999999999999999\r\n", InvalidMultibulkLength),
        ("*1\r\n$-1\r\n", InvalidBulkLength),
        ("*1\r\n$\r\n", InvalidBulkLength),
        ("*1\r\n$1x\r\n", InvalidBulkLength),
        ("*1\r\n$00\r\n", InvalidBulkLength),
        ("*1\r\n$536870913\r\n", InvalidBulkLength),
        ("*1\r\n$18446744073709551615\r\n", InvalidBulkLength),
        ("*1\r\nfoo\r\n", ExpectedDollar { got: b'f' }),
        ("*1\r\n4\r\nPING\r\n", ExpectedDollar { got: b'4' }),
        ("*2\r\n$4\r\nPING\r\n*1\r\n", ExpectedDollar { got: b'*' }),
        ("*1\r\n\r\n", ExpectedDollar { got: b'\r' }),
        ("set \"a\r\n", UnbalancedQuotes),
        ("set 'a'b\r\n", UnbalancedQuotes),
        (&long, TooBigBulkCount),
    ];
    for (bytes, want) in rows {
        let before = b"*1\r\n$4\r\nPING\r\n";
        let (got, error) = parsed(&[before, bytes.as_bytes()].concat());
        assert_eq!((got, error), (requests(&[&["PING"]]), Some(want)), "{bytes:.30?}");
    }
    assert_eq!(parsed(&[b'*'; 65_537]).1, Some(TooBigMultibulkCount));
    assert_eq!(parsed(&[b'a'; 65_537]).1, Some(TooBigInline));
    assert_eq!(parsed(&[b'a'; 65_536]).1, None);
}

#[test]
fn unauthenticated_clients_are_limited() {
    use ProtocolError::*;
    let mut feed =
        Feed { limits: ParserLimits { authenticated: false, ..Default::default() }, ..Default::default() };
    feed.read(b"*11\r\n$1\r\na\r\n");
    assert_eq!(feed.error, Some(UnauthenticatedMultibulk));
    let mut feed = Feed { limits: feed.limits, ..Default::default() };
    feed.read(b"*1\r\n$16385\r\n");
    assert_eq!(feed.error, Some(UnauthenticatedBulk));

    let two = b"*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPONG\r\n";
    let mut batch = Batch::new();
    let got = Parser::new().parse(two, &feed.limits, &mut batch);
    assert_eq!((batch.len(), got.consumed), (1, 14)); // the next may be allowed more
}

#[test]
fn error_texts() {
    use ProtocolError::*;
    assert_eq!(InvalidBulkLength.to_wire(), b"-ERR Protocol error: invalid bulk length\r\n");
    assert_eq!(ExpectedDollar { got: b'\r' }.to_wire(), b"-ERR Protocol error: expected '$', got ' '\r\n");
    assert_eq!(ExpectedDollar { got: 0xff }.to_wire(), b"-ERR Protocol error: expected '$', got '\xff'\r\n");
    assert_eq!(InvalidMultibulkLength.log_text(), "invalid mbulk count");
}

#[test]
fn a_big_argument_arrives_in_its_own_allocation() {
    let value = vec![b'v'; 5_000_000];
    let bytes = [frame(&[b"SET", b"key", &value, b"NX"]), frame(&[b"PING"])].concat();
    for piece in [1000, 16 * 1024, 64 * 1024, 6_000_000] {
        let mut feed = Feed::default();
        let mut most = 0;
        for (i, chunk) in bytes.chunks(piece).enumerate() {
            feed.read(chunk);
            most = most.max(feed.rest.len());
            let arrived = (i + 1) * piece;
            assert!(
                feed.parser.reserved() <= 8 * arrived + (1 << 20) + 1000,
                "{} of {arrived}",
                feed.parser.reserved()
            );
            assert!(feed.parser.held() <= arrived + 1000);
        }
        assert!(most <= piece.max(4096) * 2);
        let want: Requests = vec![
            vec![b"SET".to_vec(), b"key".to_vec(), value.clone(), b"NX".to_vec()],
            vec![b"PING".to_vec()],
        ];
        assert!(feed.got == want, "{piece}");
        assert_eq!(feed.parser.held(), 0);
    }
}

#[test]
fn announced_lengths_reserve_nothing() {
    let mut feed = Feed::default();
    feed.read(b"*2147483647\r\n$536870912\r\nx");
    assert!(feed.parser.reserved() < 2 << 20);
    assert!(feed.parser.wants().is_some());
}

#[test]
fn a_huge_request_is_not_scanned_again_and_again() {
    let args: Vec<&[u8]> = vec![b"x"; 200_000];
    let bytes = frame(&args);
    let mut feed = Feed::default();
    for chunk in bytes.chunks(100) {
        feed.read(chunk);
        assert!(feed.rest.len() < 5000);
    }
    assert_eq!(feed.got.len(), 1);
    assert_eq!(feed.got[0].len(), 200_000);
}

#[test]
fn a_batch_that_ends_early_can_be_parsed_again() {
    let big = vec![b'v'; 50_000];
    let bytes =
        [frame(&[b"BLPOP", b"k", b"0"]), frame(&[b"GET", b"a"]), frame(&[b"SET", b"b", &big])].concat();
    let cut = &bytes[..bytes.len() - 20_000];
    let (mut parser, mut batch, limits) = (Parser::new(), Batch::new(), ParserLimits::default());
    parser.parse(cut, &limits, &mut batch);
    assert_eq!(batch.len(), 2);
    let rest = &cut[batch.end(0)..]; // only the first was executed
    let got = parser.parse(rest, &limits, &mut batch);
    assert_eq!(batch.len(), 1);
    assert_eq!(batch.args(rest, 0).name(), b"GET");
    let rest = &rest[got.consumed..];
    let got = parser.parse(rest, &limits, &mut batch);
    assert_eq!((batch.len(), got.consumed), (0, rest.len())); // now in the parser
    assert!(parser.wants().is_some());
}

#[test]
fn owned_requests() {
    let own = OwnedArgs::from_slices(&[b"SET", b"k", b"v"]);
    let mut args = own.args();
    assert_eq!(args.raw(), Some(&b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"[..]));
    assert_eq!((args.name(), args.len(), args.remaining()), (&b"SET"[..], 3, 2));
    assert_eq!((args.next(), args.peek(), args.position()), (Some(&b"k"[..]), Some(&b"v"[..]), 2));
    assert_eq!((args.next(), args.next(), args.remaining()), (Some(&b"v"[..]), None, 0));
    args.seek(1);
    assert_eq!(args.clone().collect::<Vec<_>>(), [b"k", b"v"]);
    assert_eq!(args.total_bytes(), 5);
    assert_eq!(format!("{own:?}"), r#"["\"SET\"", "\"k\"", "\"v\""]"#);
}

/// Found by chance: a lone byte in front turns the header of a big argument into an inline request.
#[test]
fn a_stray_byte_before_a_big_argument_cut_byte_by_byte() {
    let big = [b"*1\r\n$32786\r\n".as_slice(), &vec![b'x'; 32_786], b"\r\n"].concat();
    let bytes = [&[11], &big[..]].concat();
    let whole = parsed(&bytes);
    let mut feed = Feed::default();
    bytes.iter().for_each(|byte| feed.read(&[*byte]));
    assert!(feed.error == whole.1 && feed.got == whole.0);
}

fn request() -> impl Strategy<Value = Vec<u8>> {
    let arg = prop_oneof![
        20 => prop::collection::vec(any::<u8>(), 0..20),
        2 => prop::collection::vec(any::<u8>(), 1000..3000),
        1 => (32_000usize..34_000).prop_map(|n| vec![b'x'; n]),
    ];
    prop_oneof![
        6 => prop::collection::vec(arg, 1..8).prop_map(|args| frame(&args.iter().map(|a| &a[..]).collect::<Vec<_>>())),
        1 => "[a-z \"']{0,10}\r?\n".prop_map(String::into_bytes),
        1 => Just(b"*0\r\n".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..Default::default() })]

    #[test]
    fn cut_anywhere_it_parses_the_same(
        stream in prop::collection::vec(request(), 1..12), sizes in prop::collection::vec(1usize..9000, 1..20),
    ) {
        let bytes = stream.concat();
        let whole = parsed(&bytes);
        let mut feed = Feed::default();
        let (mut rest, mut sizes) = (&bytes[..], sizes.iter().cycle());
        while !rest.is_empty() {
            let n = (*sizes.next().expect("a cycle")).min(rest.len());
            feed.read(&rest[..n]);
            rest = &rest[n..];
        }
        let lens = |r: &Requests| r.iter().map(|a| a.iter().map(Vec::len).collect::<Vec<_>>()).collect::<Vec<_>>();
        prop_assert_eq!((lens(&feed.got), feed.error), (lens(&whole.0), whole.1));
        prop_assert!(feed.got == whole.0);
    }

    #[test]
    fn byte_by_byte_it_parses_the_same(bytes in r#"(\*[0-3]\r\n|\$[0-2]\r\n|[a\r\n*$" -]){0,12}"#) {
        let whole = parsed(bytes.as_bytes());
        let mut feed = Feed::default();
        bytes.as_bytes().iter().for_each(|b| feed.read(&[*b]));
        prop_assert_eq!((feed.got, feed.error), whole);
    }

    #[test]
    fn hostile_bytes_never_panic(bytes: Vec<u8>) {
        parsed(&bytes);
    }
}

// ---- replies

fn written(proto: Proto, write: impl FnOnce(&mut Reply<'_>)) -> String {
    let mut out = Out::new();
    let mut reply = Reply::new(&mut out, proto);
    write(&mut reply);
    out.take().iter().map(|b| char::from(*b)).collect()
}

#[test]
fn both_protocols() {
    type Row = (fn(&mut Reply<'_>) -> Replied, &'static str, &'static str);
    let rows: [Row; 29] = [
        (|r| r.int(7), ":7\r\n", ":7\r\n"),
        (|r| r.int(42), ":42\r\n", ":42\r\n"),
        (|r| r.int(i64::MIN), ":-9223372036854775808\r\n", ":-9223372036854775808\r\n"),
        (|r| r.count(100), ":100\r\n", ":100\r\n"),
        (|r| r.bulk(b""), "$0\r\n\r\n", "$0\r\n\r\n"),
        (|r| r.bulk(b"a\r\n\x00"), "$4\r\na\r\n\0\r\n", "$4\r\na\r\n\0\r\n"),
        (|r| r.bulk(&[b'x'; 12]), "$12\r\nxxxxxxxxxxxx\r\n", "$12\r\nxxxxxxxxxxxx\r\n"),
        (|r| r.bulk_int(-5), "$2\r\n-5\r\n", "$2\r\n-5\r\n"),
        (|r| r.bulk_or_null(None), "$-1\r\n", "_\r\n"),
        (|r| r.simple("QUEUED"), "+QUEUED\r\n", "+QUEUED\r\n"),
        (|r| r.ok(), "+OK\r\n", "+OK\r\n"),
        (|r| r.null(), "$-1\r\n", "_\r\n"),
        (|r| r.null_array(), "*-1\r\n", "_\r\n"),
        (|r| r.bool(true), ":1\r\n", "#t\r\n"),
        (|r| r.bool(false), ":0\r\n", "#f\r\n"),
        (|r| r.double(0.5), "$3\r\n0.5\r\n", ",0.5\r\n"),
        (|r| r.double(f64::INFINITY), "$3\r\ninf\r\n", ",inf\r\n"),
        (|r| r.bignum(b"123"), "$3\r\n123\r\n", "(123\r\n"),
        (|r| r.verbatim("txt", b"hi"), "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n"),
        (|r| r.error("WRONGTYPE no"), "-WRONGTYPE no\r\n", "-WRONGTYPE no\r\n"),
        (|r| r.err("a\r\nb\r\n"), "-ERR a  b\r\n", "-ERR a  b\r\n"),
        (|r| r.array(0), "*0\r\n", "*0\r\n"),
        (|r| r.array(3), "*3\r\n", "*3\r\n"),
        (|r| r.map(2), "*4\r\n", "%2\r\n"),
        (|r| r.map(60), "*120\r\n", "%60\r\n"),
        (|r| r.set(2), "*2\r\n", "~2\r\n"),
        (|r| r.push(3), "*3\r\n", ">3\r\n"),
        (|r| r.bulks([b"a", b"b"].iter()), "*2\r\n$1\r\na\r\n$1\r\nb\r\n", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
        (|r| r.raw(b"+x\r\n"), "+x\r\n", "+x\r\n"),
    ];
    for (write, resp2, resp3) in rows {
        assert_eq!(written(Proto::Resp2, |r| _ = write(r)), resp2);
        assert_eq!(written(Proto::Resp3, |r| _ = write(r)), resp3);
    }
    assert_eq!(written(Proto::Resp3, |r| _ = r.attribute(1)), "|1\r\n");
}

#[test]
fn what_is_owed_is_counted() {
    let mut out = Out::new();
    let mut reply = Reply::new(&mut out, Proto::Resp3);
    assert_eq!(reply.owed(), 1);
    let mark = reply.mark();
    reply.map(1);
    reply.bulk(b"k");
    reply.array(2);
    reply.int(1);
    assert_eq!(reply.owed(), 1);
    let mut inner = reply.nested();
    inner.ok();
    inner.finish();
    assert_eq!(reply.owed(), 0);
    reply.truncate(mark);
    assert_eq!(reply.owed(), 1);
    let outer = reply.deferred_array();
    for _ in 0..12 {
        let inner = reply.deferred_map();
        reply.int(1);
        reply.int(2);
        reply.patch(inner, 1);
    }
    reply.patch(outer, 12);
    reply.finish();
    assert_eq!(out.take(), format!("*12\r\n{}", "%1\r\n:1\r\n:2\r\n".repeat(12)).into_bytes());
}

#[test]
fn big_values_are_not_copied() {
    let mut out = Out::new();
    let value = Bytes::from(vec![b'v'; 100_000]);
    let mut reply = Reply::new(&mut out, Proto::Resp2);
    let list = reply.deferred_array();
    for _ in 0..11 {
        reply.bulk_shared(value.clone());
    }
    reply.patch(list, 11);
    let mut slices = [std::io::IoSlice::new(b""); 64];
    let n = out.io_slices(usize::MAX, &mut slices);
    assert_eq!(n, 23);
    assert_eq!(slices[1].as_ptr(), value.as_ptr());
    assert!(slices[0].starts_with(b"*11\r\n$100000\r\n"));
    assert_eq!(out.io_slices(10, &mut slices), 1);
    assert_eq!(slices[0].len(), 10);
    let mut want = b"*11\r\n".to_vec();
    for _ in 0..11 {
        want.extend_from_slice(b"$100000\r\n");
        want.extend_from_slice(&value);
        want.extend_from_slice(b"\r\n");
    }
    assert_eq!(out.take(), want);
}

/// What an output buffer is told to do.
#[derive(Clone, Debug)]
enum Op {
    Small(usize),
    Big(usize),
    Shared(usize),
    Send(prop::sample::Index),
    Back(prop::sample::Index),
    Seal,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0usize..50).prop_map(Op::Small),
        1 => (100_000usize..700_000).prop_map(Op::Big),
        3 => (0usize..200_000).prop_map(Op::Shared),
        3 => any::<prop::sample::Index>().prop_map(Op::Send),
        1 => any::<prop::sample::Index>().prop_map(Op::Back),
        1 => Just(Op::Seal),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..Default::default() })]

    #[test]
    fn output_is_a_queue_of_bytes(ops in prop::collection::vec(op(), 1..40)) {
        let mut out = Out::new();
        let mut model: Vec<u8> = Vec::new();
        let mut next = 0u8;
        let mut fresh = |n: usize| -> Vec<u8> { (0..n).map(|_| { next = next.wrapping_mul(31).wrapping_add(7); next }).collect() };
        for op in ops {
            match op {
                Op::Small(n) | Op::Big(n) => {
                    let bytes = fresh(n);
                    model.extend_from_slice(&bytes);
                    out.extend(&bytes);
                }
                Op::Shared(n) => {
                    let bytes = fresh(n);
                    model.extend_from_slice(&bytes);
                    out.extend_shared(Bytes::from(bytes));
                }
                Op::Send(index) => {
                    let n = index.index(model.len() + 1);
                    let mut got = Vec::new();
                    let mut slices = [std::io::IoSlice::new(b""); 8];
                    let used = out.io_slices(n, &mut slices);
                    slices[..used].iter().for_each(|s| got.extend_from_slice(s));
                    prop_assert!(model.starts_with(&got) && got.len() <= n);
                    prop_assert!(model.starts_with(out.chunk()));
                    model.drain(..n);
                    out.advance(n);
                }
                Op::Back(index) => {
                    let mark = Reply::new(&mut out, Proto::Resp2).mark();
                    let extra = fresh(index.index(100_000));
                    out.extend(&extra[..extra.len() / 3]);
                    out.extend_shared(Bytes::copy_from_slice(&extra));
                    out.extend(&extra[..extra.len() / 7]);
                    if extra.len() % 2 == 0 { out.seal() }
                    out.truncate(mark);
                }
                Op::Seal => out.seal(),
            }
            prop_assert_eq!(out.len(), model.len());
            prop_assert_eq!(out.position() - out.sent(), model.len() as u64);
            prop_assert_eq!(out.is_empty(), model.is_empty());
        }
        prop_assert!(out.take() == model);
    }
}
