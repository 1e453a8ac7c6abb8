use super::*;
use proptest::prelude::*;

/// Gives its bytes in pieces of varying size.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.1 = self.1.wrapping_mul(31).wrapping_add(7);
        let n = (self.1 % 23 + 1).min(self.0.len()).min(buf.len());
        buf[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

/// What is found, with offsets, and how it ended.
#[derive(Debug, PartialEq)]
enum Found {
    Command(u64, Vec<Vec<u8>>),
    Note(u64, Vec<u8>),
    End(u64),
    Truncated(u64),
    Format(u64),
}

fn read<R: Read>(mut reader: LogReader<R>) -> Vec<Found> {
    let mut found = Vec::new();
    loop {
        match reader.next_entry() {
            Ok(None) => {
                found.push(Found::End(reader.offset()));
                return found;
            }
            Ok(Some((span, Entry::Command(args)))) => {
                let at = span.start;
                found.push(Found::Command(at, args.all().map(<[u8]>::to_vec).collect()));
            }
            Ok(Some((span, Entry::Note(line)))) => found.push(Found::Note(span.start, line.to_vec())),
            Err(error) => {
                found.push(match error.kind {
                    LogErrorKind::Truncated => Found::Truncated(error.entry),
                    LogErrorKind::Format(_) => Found::Format(error.entry),
                    LogErrorKind::Io(error) => panic!("{error}"),
                });
                return found;
            }
        }
    }
}

/// The same as real servers do it, with C's functions.
fn model(bytes: &[u8]) -> Vec<Found> {
    let (mut at, mut found) = (0, Vec::new());
    let fgets = |at: &mut usize| {
        let rest = &bytes[*at..];
        let most = &rest[..rest.len().min(1023)];
        let line = most.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        *at += line.len();
        line
    };
    loop {
        let begin = at as u64;
        let line = fgets(&mut at);
        let count = match line {
            b"" => return found.into_iter().chain([Found::End(begin)]).collect(),
            b"*" => return found.into_iter().chain([Found::Truncated(begin)]).collect(),
            [b'#', ..] => {
                let line = line.strip_suffix(b"\n").unwrap_or(line);
                found.push(Found::Note(begin, line.strip_suffix(b"\r").unwrap_or(line).to_vec()));
                continue;
            }
            [b'*', rest @ ..] => leading_i64(rest) as i32,
            _ => 0,
        };
        let mut words = Vec::new();
        let ends = (0..count).find_map(|_| {
            let len = match fgets(&mut at) {
                b"" => return Some(Found::Truncated(begin)),
                [b'$', rest @ ..] => leading_i64(rest),
                _ => return Some(Found::Format(begin)),
            };
            if !(0..=LENGTH_MAX).contains(&len) {
                return Some(Found::Format(begin));
            }
            let Some(word) = bytes[at..].get(..len as usize) else { return Some(Found::Truncated(begin)) };
            at += word.len() + 2;
            words.push(word.to_vec());
            (at > bytes.len()).then_some(Found::Truncated(begin))
        });
        match ends {
            _ if count < 1 => found.push(Found::Format(begin)),
            Some(ends) => found.push(ends),
            None => {
                found.push(Found::Command(begin, words));
                continue;
            }
        }
        return found;
    }
}

fn all_ways(bytes: &[u8]) {
    let want = model(bytes);
    let len = bytes.len() as u64;
    assert_eq!(read(LogReader::new(bytes, Some(len))), want, "{}", bytes.escape_ascii());
    assert_eq!(read(LogReader::with_buffer(Drip(bytes, 1), None, 1)), want, "{}", bytes.escape_ascii());
    assert_eq!(read(LogReader::with_buffer(Drip(bytes, 5), Some(len), 16)), want, "{}", bytes.escape_ascii());
}

#[test]
fn reads_as_real_servers_do() {
    let long_note = [b"#".repeat(3000), b"\r\n*1\r\n$4\r\nPING\r\n".to_vec()].concat();
    let rows: &[&[u8]] = &[
        b"",
        b"*1\r\n$4\r\nPING\r\n",
        b"*2\n$3\nGET\r\n$1\r\nk\r\n#TS:17\r\n*1\r\n$4\r\nPING\r\n",
        b"*1\r\n$4\r\nPINGxy*1\r\n$4\r\nPING\r\n",
        b"*2 x\r\n$+3 y\r\nGET\r\n$000\r\n\r\n",
        b"*2\r\n$3\r\nGET\r\n$abc\r\nabc\r\n",
        b"*1\n$4\nPING\n*1\n$4\nPING\n",
        b"*0\r\n",
        b"*-1\r\n",
        b"*4294967297\r\n$1\r\na\r\n",
        b"*99999999999999999999\r\n$1\r\na\r\n",
        b"*1\r\n$-1\r\na\r\n",
        b"*1\r\n$99999999999999999999\r\na\r\n",
        b"*1\r\n$4000000000\r\na\r\n",
        b"*1\r\n$70000\r\na\r\n",
        b"PING\r\n",
        b"*1\r\n4\r\nPING\r\n",
        b"\0\0\0\0",
        b"*\0",
        b"*",
        b"#TS:1",
        &long_note,
    ];
    for bytes in rows {
        all_ways(bytes);
    }
}

#[test]
fn cut_anywhere_it_ends_in_order() {
    let big = vec![b'x'; 40_000];
    let mut log = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$40000\r\n".to_vec();
    log.extend_from_slice(&big);
    log.extend_from_slice(b"\r\n#TS:5\r\n*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n");
    for cut in (0..100).chain(39_990..log.len()) {
        all_ways(&log[..cut]);
    }
    all_ways(&log);
}

#[test]
fn says_where_and_why() {
    let rows: [(&[u8], &str); 6] = [
        (b"*1\r\n$4\r\nPING\r\n?", "offset 14: a command should begin here"),
        (b"*1\r\n?4\r\nPING\r\n", "offset 4: an argument should begin here"),
        (b"*1\r\n$-4\r\nPING\r\n", "offset 4: an argument cannot be that long"),
        (b"*0\r\n", "offset 0: a command should have arguments"),
        (b"*2\r\n$4\r\nPING\r\n$3\r\nab", "offset 14: the file ends inside a command"),
        (b"*2\r\n$4\r\nPING\r\n$300000\r\nab", "offset 14: the file ends inside a command"),
    ];
    for (bytes, want) in rows {
        let mut reader = LogReader::new(bytes, Some(bytes.len() as u64));
        let error = loop {
            match reader.next_entry() {
                Ok(entry) => assert!(entry.is_some(), "{want}"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.to_string(), want);
    }
    assert_eq!(timestamp(b"#TS:1700000000"), Some(1_700_000_000));
    assert_eq!(timestamp(b"# else"), None);
}

#[test]
fn goes_on_behind_a_snapshot() {
    let mut source = StreamSource::new(&b"abcde*1\r\n$4\r\nPING\r\n"[..], Some(19));
    assert_eq!(source.take(5).expect("there"), b"abcde");
    let want = [Found::Command(5, vec![b"PING".to_vec()]), Found::End(19)];
    assert_eq!(read(LogReader::behind(source)), want);
}

proptest! {
    #[test]
    fn reads_anything_as_real_servers_do(bytes: Vec<u8>, text in r"(\*[0-3]?\r?\n|\$[0-9]{0,2}\r?\n|#|[a-c\r\n]){0,60}") {
        all_ways(&bytes);
        all_ways(text.as_bytes());
    }
}
