//! Micro benchmarks of the parts: `cargo bench`, or `cargo bench -- table` for those with "table" in their name.
//!
//! What counts in the end is the server beside real ones (the README's table of ratios); these find out which part
//! a change made faster or slower. Sizes are such that the data does not lie in the first caches.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

#[global_allocator]
static ALLOCATOR: resnap::serve::process::allocator::Allocator = resnap::serve::process::allocator::Allocator;

fn main() {
    divan::main();
}

/// `n` words of about 12 bytes, in an order that is no order.
fn words(n: usize) -> Vec<Vec<u8>> {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut words: Vec<_> = (0..n).map(|i| format!("member:{i:06}").into_bytes()).collect();
    rng.shuffle(&mut words);
    words
}

/// Bytes that compress to about a half.
fn prose(len: usize) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(3);
    (0..len).map(|i| if i % 16 < 10 { b"abcdefghij"[i % 10] } else { rng.alphanumeric() as u8 }).collect()
}

mod requests {
    use super::*;
    use resnap::resp::{Batch, Parser, ParserLimits};

    /// A pipeline of SETs with a value of so many bytes.
    #[divan::bench(args = [3, 32, 1024, 16 * 1024])]
    fn parse(bencher: Bencher, value: usize) {
        let one =
            format!("*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000001\r\n${value}\r\n{}\r\n", "v".repeat(value));
        let input = one.repeat(64).into_bytes();
        let (mut parser, mut batch, limits) = (Parser::new(), Batch::new(), ParserLimits::default());
        bencher.counter(ItemsCount::new(64_usize)).bench_local(|| {
            batch.clear();
            let parsed = parser.parse(black_box(&input), &limits, &mut batch);
            assert_eq!(parsed.consumed, input.len());
            batch.len()
        });
    }
}

mod table {
    use super::*;
    use resnap::value::table::{Slot, Table, ThinPtr, hash_bytes};

    /// A number, instead of a pointer: the table alone is measured.
    struct Number(u64);

    impl Slot for Number {
        fn hash(&self) -> u64 {
            hash_bytes(&self.0.to_le_bytes())
        }
    }

    fn filled(n: u64) -> Table<Number> {
        let mut table = Table::new();
        (0..n).for_each(|i| _ = table.insert_new(Number(i).hash(), Number(i)));
        table
    }

    const SIZES: [u64; 3] = [1_000, 100_000, 2_000_000];

    #[divan::bench(args = SIZES)]
    fn find(bencher: Bencher, n: u64) {
        let table = filled(n);
        let mut rng = fastrand::Rng::with_seed(1);
        bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
            let number = rng.u64(..n);
            table.find(Number(number).hash(), |item| item.0 == number)
        });
    }

    #[divan::bench(args = SIZES, sample_count = 10)]
    fn insert(bencher: Bencher, n: u64) {
        bencher.counter(ItemsCount::new(n as usize)).bench_local(|| filled(n));
    }

    #[divan::bench(args = SIZES)]
    fn random(bencher: Bencher, n: u64) {
        let table = filled(n);
        let mut rng = fastrand::Rng::with_seed(1);
        bencher.bench_local(|| table.random(&mut rng));
    }

    const _: () = assert!(size_of::<ThinPtr>() == 8);
}

mod listpack {
    use super::*;
    use resnap::value::{Entry, Listpack};

    fn filled(n: usize) -> Listpack {
        let mut list = Listpack::new();
        words(n).iter().for_each(|word| list.push_back(Entry::from(&word[..])));
        list
    }

    #[divan::bench(args = [16, 128, 512])]
    fn push_back(bencher: Bencher, n: usize) {
        bencher.counter(ItemsCount::new(n)).bench_local(|| filled(n));
    }

    #[divan::bench(args = [16, 128, 512])]
    fn find_the_last(bencher: Bencher, n: usize) {
        let list = filled(n);
        let last = list.get(list.last().expect("not empty")).to_vec();
        let first = list.first().expect("not empty");
        bencher.counter(ItemsCount::new(n)).bench_local(|| list.find(first, black_box(&last), 0));
    }

    #[divan::bench(args = [16, 128, 512])]
    fn validate(bencher: Bencher, n: usize) {
        let bytes = filled(n).as_bytes().to_vec();
        bencher.counter(BytesCount::new(bytes.len())).bench_local(|| Listpack::from_bytes(black_box(&bytes)));
    }
}

mod sorted_set {
    use super::*;
    use resnap::value::{Limits, Zset};

    fn filled(words: &[Vec<u8>]) -> Zset {
        let (mut set, limits) = (Zset::new(), Limits::default());
        for (i, word) in words.iter().enumerate() {
            set.set(word, (i * 7919 % words.len()) as f64, &limits);
        }
        set
    }

    #[divan::bench(args = [100, 10_000, 300_000], sample_count = 10)]
    fn add(bencher: Bencher, n: usize) {
        let words = words(n);
        bencher.counter(ItemsCount::new(n)).bench_local(|| filled(&words));
    }

    #[divan::bench(args = [100, 10_000, 300_000])]
    fn rank(bencher: Bencher, n: usize) {
        let words = words(n);
        let set = filled(&words);
        let mut rng = fastrand::Rng::with_seed(1);
        bencher.bench_local(|| set.rank(&words[rng.usize(..n)]));
    }

    #[divan::bench(args = [10_000, 300_000])]
    fn ten_from_the_middle(bencher: Bencher, n: usize) {
        let set = filled(&words(n));
        bencher.bench_local(|| set.range(n / 2..n / 2 + 10, false).map(|(_, score)| score).sum::<f64>());
    }
}

mod stream {
    use super::*;
    use resnap::value::{Limits, Stream, StreamId};

    fn filled(n: u64) -> Stream {
        let (mut stream, limits) = (Stream::new(), Limits::default());
        for i in 1..=n {
            let fields: [&[u8]; 4] = [b"temperature", b"21", b"humidity", b"40"];
            stream.log.append(StreamId::new(i, 0), fields, &limits).expect("ids grow");
        }
        stream
    }

    #[divan::bench(args = [100, 100_000], sample_count = 20)]
    fn append(bencher: Bencher, n: u64) {
        bencher.counter(ItemsCount::new(n as usize)).bench_local(|| filled(n));
    }

    #[divan::bench(args = [100_000])]
    fn read_a_hundred(bencher: Bencher, n: u64) {
        let stream = filled(n);
        let (from, to) = (StreamId::new(n / 2, 0), StreamId::new(n / 2 + 99, 0));
        bencher.counter(ItemsCount::new(100_usize)).bench_local(|| stream.log.range(from, to, false).count());
    }
}

mod rdb {
    use super::*;
    use resnap::persist::rdb::{
        Item, KeyInfo, LoadOptions, Reader, SaveOptions, SaveVersion, SliceSource, Writer,
    };
    use resnap::value::{Hash, Limits, List, Str, Value, Zset, hash::Ttl};

    /// A tenth each of hashes, lists and sorted sets, the rest strings.
    fn values(n: usize) -> Vec<Value> {
        let (limits, words) = (Limits::default(), words(20));
        let parts = || words.iter().map(Vec::as_slice);
        (0..n)
            .map(|i| match i % 10 {
                0 => {
                    let mut hash = Hash::new();
                    parts().for_each(|word| _ = hash.set(word, word, Ttl::Clear, &limits));
                    Value::Hash(hash)
                }
                1 => Value::List(List::from_elements(parts(), &limits)),
                2 => {
                    let mut set = Zset::new();
                    parts().enumerate().for_each(|(i, word)| _ = set.set(word, i as f64, &limits));
                    Value::Zset(set)
                }
                _ => Value::Str(Str::from(&prose(40)[..])),
            })
            .collect()
    }

    fn written(values: &[Value], compress: bool) -> Vec<u8> {
        let options = SaveOptions { version: SaveVersion::Redis(12), compress, checksum: true };
        let mut writer = Writer::new(Vec::new(), &options);
        writer.select(0, values.len() as u64, 0);
        for (i, value) in values.iter().enumerate() {
            let key = format!("key:{i:09}");
            let info = KeyInfo { key: key.as_bytes(), expire_at_ms: None, idle_s: None, freq: None };
            writer.key(&info, value).expect("version 12 holds it");
        }
        writer.finish().expect("it fits into memory")
    }

    #[divan::bench(args = [false, true])]
    fn encode(bencher: Bencher, compress: bool) {
        let values = values(10_000);
        let bytes = written(&values, compress).len();
        bencher.counter(BytesCount::new(bytes)).bench_local(|| written(&values, compress).len());
    }

    #[divan::bench(args = [false, true])]
    fn decode(bencher: Bencher, compress: bool) {
        let (bytes, limits) = (written(&values(10_000), compress), Limits::default());
        let options = LoadOptions { limits: &limits, strict: false, salvage: false };
        bencher.counter(BytesCount::new(bytes.len())).bench_local(|| {
            let mut reader = Reader::new(SliceSource::new(black_box(&bytes))).expect("our own");
            let mut keys = 0;
            while let Some(item) = reader.next_item().expect("our own") {
                if let Item::Key(pending) = item {
                    black_box(pending.load(&options).expect("our own"));
                    keys += 1;
                }
            }
            keys
        });
    }
}

mod checksums {
    use super::*;
    use resnap::text::crc::crc64;

    #[divan::bench(args = [16, 256, 4096, 1 << 20])]
    fn crc(bencher: Bencher, len: usize) {
        let bytes = prose(len);
        bencher.counter(BytesCount::new(len)).bench_local(|| crc64(0, black_box(&bytes)));
    }
}

mod lzf {
    use super::*;
    use resnap::text::lzf::{Compressor, decompress};

    const SIZES: [usize; 4] = [32, 256, 4096, 64 * 1024];

    #[divan::bench(args = SIZES)]
    fn compress(bencher: Bencher, len: usize) {
        let (bytes, mut compressor, mut out) = (prose(len), Compressor::new(), Vec::new());
        bencher.counter(BytesCount::new(len)).bench_local(|| {
            out.clear();
            compressor.compress(black_box(&bytes), &mut out)
        });
    }

    #[divan::bench(args = SIZES)]
    fn expand(bencher: Bencher, len: usize) {
        let (mut packed, bytes) = (Vec::new(), prose(len));
        if Compressor::new().compress(&bytes, &mut packed) {
            bencher.counter(BytesCount::new(len)).bench_local(|| decompress(black_box(&packed), len));
        }
    }
}
