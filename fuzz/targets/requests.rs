//! Requests in any cut are the same requests: whole, byte by byte, in pieces, straight into a big argument's memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use resnap::resp::{Args, Batch, OwnedArgs, Parser, ParserLimits, ProtocolError};
use resnap_fuzz::Capped;

#[global_allocator]
static ALLOCATOR: Capped = Capped;

type Requests = Vec<Vec<Vec<u8>>>;

/// A connection as the server drives it.
struct Feed {
    parser: Parser,
    batch: Batch,
    rest: Vec<u8>,
    got: Requests,
    error: Option<ProtocolError>,
    limits: ParserLimits,
}

impl Feed {
    fn new(limits: ParserLimits) -> Feed {
        let (parser, batch) = (Parser::new(), Batch::new());
        Feed { parser, batch, rest: Vec::new(), got: Vec::new(), error: None, limits }
    }

    /// `directly`: whether what a big argument wants goes straight there.
    fn read(&mut self, mut bytes: &[u8], directly: bool) {
        while !bytes.is_empty() && self.error.is_none() {
            if directly
                && self.rest.is_empty()
                && let Some(mut wanted) = self.parser.wants()
            {
                let n = wanted.limit().min(bytes.len());
                wanted.get_mut().extend_from_slice(&bytes[..n]);
                wanted.set_limit(0);
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
                check(&args);
                assert!(self.batch.end(i) <= parsed.consumed);
                self.got.push(args.all().map(<[u8]>::to_vec).collect());
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
fn check(args: &Args<'_>) {
    assert!(!args.is_empty());
    let kept = OwnedArgs::from(args);
    assert!(kept.args().all().eq(args.all()));
    assert_eq!(args.total_bytes(), args.all().map(<[u8]>::len).sum::<usize>());
    for (i, arg) in args.all().enumerate() {
        assert_eq!(args.get(i), Some(arg));
        assert!(args.shared(i).is_none_or(|own| own == arg));
    }
}

fuzz_target!(|data: &[u8]| {
    let Some(([first, seed], bytes)) = data.split_first_chunk::<2>().map(|(head, rest)| (*head, rest)) else {
        return;
    };
    let max_bulk = if first & 1 == 0 { 512 << 20 } else { 100 };
    let limits = ParserLimits { max_bulk, authenticated: first & 2 == 0 };
    let mut whole = Feed::new(limits);
    whole.read(bytes, false);

    let mut rng = fastrand::Rng::with_seed(seed.into());
    let longest = [1, 7, 64, 5000][usize::from(first >> 2 & 3)];
    let (mut cut, mut at) = (Feed::new(limits), 0);
    while at < bytes.len() {
        let end = (at + rng.usize(1..=longest)).min(bytes.len());
        cut.read(&bytes[at..end], first & 16 == 0);
        at = end;
    }
    assert!(whole.got == cut.got, "{:?}\n{:?}", whole.got, cut.got);
    assert_eq!(whole.error, cut.error);
});
