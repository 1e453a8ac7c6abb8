//! Makes the first inputs of every target from what lies in `fixtures/`: `cargo run --example seeds` in this folder.
//!
//! What is there already stays: a corpus that has grown is worth more.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use resnap::persist::rdb::{Dialect, Item, Reader, StreamSource};
use resnap_fuzz::Road;

/// Longer inputs make slow fuzzing.
const MOST: usize = 4096;

fn main() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixtures = here.join("../fixtures");
    let mut corpus = Corpus { root: here.join("corpus"), count: 0 };
    for path in files(&fixtures.join("rdb"), "rdb") {
        let bytes = fs::read(&path).expect("readable");
        if bytes.len() <= 2 * MOST {
            corpus.add("snapshot", &bytes);
        }
        values(&bytes, &mut corpus);
    }
    for path in files(&fixtures.join("oracle"), "txt") {
        commands(&fs::read_to_string(&path).expect("text"), &mut corpus);
    }
    packed(&fs::read_to_string(fixtures.join("packed/listpacks.txt")).expect("text"), &mut corpus);
    logs(&fixtures.join("aof"), &mut corpus);
    made(&mut corpus);
    config(&fixtures, &mut corpus);
    println!("{} inputs", corpus.count);
}

struct Corpus {
    root: PathBuf,
    count: usize,
}

impl Corpus {
    fn add(&mut self, target: &str, bytes: &[u8]) {
        let folder = self.root.join(target);
        fs::create_dir_all(&folder).expect("a folder can be made");
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let name = format!("{:016x}", hasher.finish());
        fs::write(folder.join(name), bytes).expect("a file can be written");
        self.count += 1;
    }
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path());
    let mut found: Vec<PathBuf> =
        all.filter(|path| path.extension().is_some_and(|e| e == extension)).collect();
    found.sort();
    found
}

/// Every value of a snapshot as a payload, and those of a packed type by themselves.
fn values(bytes: &[u8], corpus: &mut Corpus) {
    let Ok(mut reader) = Reader::new(StreamSource::new(bytes, None).unchecked()) else { return };
    let valkey = reader.version().dialect == Dialect::Valkey;
    let mut seen = [0u8; 256];
    while let Ok(Some(item)) = reader.next_item() {
        let Item::Key(pending) = item else { continue };
        let Ok((kind, from, len)) = pending.skip() else { return };
        let few = seen[usize::from(kind)] < 8;
        if len > MOST as u64 || !few {
            continue;
        }
        seen[usize::from(kind)] += 1;
        let raw = &bytes[from as usize..][..len as usize];
        for how in if valkey { [4, 5] } else { [0, 1] } {
            let steps: Vec<u8> =
                (0..16u8).map(|i| kind.wrapping_mul(29) ^ i.wrapping_mul(37).wrapping_add(how)).collect();
            corpus.add("restore", &[&[how, 8][..], &steps, &[kind], raw].concat());
            corpus.add("restore", &[&[how, 0, kind][..], raw].concat());
        }
        // One string, whose length takes one byte.
        let blob = &raw[1.min(raw.len())..];
        match kind {
            9 => corpus.add("decoders", &[&[3][..], blob].concat()),
            10 | 12 | 13 => corpus.add("decoders", &[&[2][..], blob].concat()),
            11 => corpus.add("decoders", &[&[1, 5, 0, 0, 0, 0, 0, 0, 0][..], blob].concat()),
            16 | 17 | 20 => corpus.add("decoders", &[&[0, 2, 0, 1, 3, 2][..], blob].concat()),
            _ => {}
        }
    }
}

/// The commands of a recording, case by case.
fn commands(text: &str, corpus: &mut Corpus) {
    for case in text.split("\n\n") {
        let lines: Vec<&str> = case.lines().filter_map(|line| line.strip_prefix("> ")).collect();
        if lines.is_empty() {
            continue;
        }
        let inline = lines.join("\n");
        corpus.add("commands", inline.as_bytes());
        let mut framed = vec![0, 3];
        for line in &lines {
            let words = resnap::text::words::split(line.as_bytes()).unwrap_or_default();
            framed.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
            for word in words {
                framed.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
                framed.extend_from_slice(&word);
                framed.extend_from_slice(b"\r\n");
            }
        }
        framed.truncate(MOST);
        corpus.add("requests", &framed);
        corpus.add("requests", &[&[4, 9][..], inline.as_bytes()].concat());
    }
    corpus.add("requests", &[b"\x1c\x01*2\r\n$3\r\nGET\r\n$40000\r\n", &vec![b'x'; 40002][..]].concat());
}

/// Listpacks as a real server packed them.
fn packed(text: &str, corpus: &mut Corpus) {
    for (_, hex) in text.lines().filter_map(|line| line.rsplit_once(" = ")).step_by(5) {
        let Some(pack) = resnap::text::hex::decode(hex.as_bytes()) else { continue };
        corpus.add("decoders", &[&[0, 3, 2, 7, 4, 1, 5, 0][..], &pack].concat());
    }
}

/// The files of append logs.
fn logs(folder: &Path, corpus: &mut Corpus) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            logs(&path, corpus);
        } else if !path.extension().is_some_and(|e| e == "json" || e == "md" || e == "rdb") {
            let mut bytes = fs::read(&path).expect("readable");
            bytes.truncate(MOST);
            let mode = u8::from(path.extension().is_some_and(|e| e == "manifest"));
            corpus.add("append", &[&[mode][..], &bytes].concat());
        }
    }
}

/// What the server makes of a few requests: stream nodes, HyperLogLogs, compressed text.
fn made(corpus: &mut Corpus) {
    let mut road = Road::new(&[]);
    for n in 0..40 {
        road.line(&format!("XADD x {n}-1 f{} v{n} g {n}", n % 3));
        road.line(&format!("PFADD h element{n}"));
    }
    road.line("XDEL x 3-1 4-1");
    let body = |road: &mut Road, key: &str| {
        let dump = resnap_fuzz::bulks(&road.line(&format!("DUMP {key}")), 1).remove(0);
        dump[..dump.len() - 10].to_vec()
    };
    let stream = body(&mut road, "x");
    for cut in [3, 19, 20, 21, 22] {
        corpus.add("decoders", &[&[4, 0, 1, 50, 1, 40, 0, 0, 1, 0, 30, 0][..], &stream[cut..]].concat());
    }
    for sparse in resnap_fuzz::bulks(&road.line("GET h"), 1) {
        corpus.add("decoders", &[&[5, 1, 2, 255, 1][..], &sparse[16..]].concat());
        corpus.add("decoders", &[&[5, 1, 2, 255, 0][..], &sparse[16..]].concat());
    }
    let text = b"the same again and again, the same again and again, and again".repeat(4);
    let mut packed = Vec::new();
    resnap::text::lzf::Compressor::new().compress(&text, &mut packed);
    corpus.add("decoders", &[&[6][..], &(text.len() as u16).to_le_bytes(), &packed].concat());
}

fn config(fixtures: &Path, corpus: &mut Corpus) {
    let text = fs::read_to_string(fixtures.join("config-8.0.6.txt")).expect("text");
    let directives = text.lines().filter_map(|line| line.strip_prefix("get\t")?.split_once('\t'));
    for (name, value) in directives {
        let line = format!("{name} {}", resnap::text::words::quote(value.as_bytes()));
        corpus.add("config", &[&[0][..], line.as_bytes()].concat());
        corpus.add("config", &[&[1][..], line.as_bytes()].concat());
    }
    let words = [
        "\"a\\x41\\n\" 'it\\'s' x",
        "h[a-c]?*\\*[^x]\nhbxfoo*y",
        "1e5",
        "-0.5",
        "9223372036854775807",
        "12gb",
        "3%",
        "(1.5",
    ];
    for (i, word) in words.iter().enumerate() {
        for mode in 2..5 {
            corpus.add("config", &[&[mode][..], word.as_bytes()].concat());
        }
        corpus.add("config", &[&[0][..], words[i].as_bytes()].concat());
    }
}
