//! Requests of every shape, cut anywhere. (What is no request at all: `fixtures/oracle/protocol.txt`.)

use super::*;

/// A conversation with every kind of request, and its answers.
fn conversation() -> (Vec<u8>, Vec<u8>) {
    let mut input = Vec::new();
    let mut output = Vec::new();
    let mut say = |bytes: &[u8], answer: &[u8]| {
        input.extend_from_slice(bytes);
        output.extend_from_slice(answer);
    };
    say(&request(&["SET", "k", "v\r\n$1\r\n*"]), b"+OK\r\n");
    say(&request(&["GET", "k"]), b"$8\r\nv\r\n$1\r\n*\r\n");
    say(b"PING\r\nping 'it\\'s' \n\r\n\r\n", b"+PONG\r\n$4\r\nit's\r\n");
    say(b"ECHO \"\\x00\\xff\\n\"\r\n", b"$3\r\n\0\xff\n\r\n");
    say(b"*0\r\n*-1\r\n", b"");
    say(&request(&["ECHO", ""]), b"$0\r\n\r\n");
    say(&request(&["NOSUCH", "a"]), b"-ERR unknown command 'NOSUCH', with args beginning with: 'a' \r\n");
    say(&request(&["DEL", "k"]), b":1\r\n");
    (input, output)
}

#[test]
fn cut_at_every_byte() {
    let (input, output) = conversation();
    on_each(&[], |server| {
        for cut in 0..input.len() {
            let mut stream = open(server);
            stream.write_all(&input[..cut]).expect("the server takes it");
            std::thread::sleep(Duration::from_millis(1));
            let answer = exchange(&mut stream, &input[cut..], output.len());
            assert_eq!(answer, output, "cut at {cut}");
        }
    });
}

#[test]
fn byte_by_byte() {
    let (input, output) = conversation();
    on_each(&[], |server| {
        let mut stream = open(server);
        for byte in &input[..input.len() - 1] {
            stream.write_all(&[*byte]).expect("the server takes it");
            std::thread::sleep(Duration::from_micros(300));
        }
        assert_eq!(exchange(&mut stream, &input[input.len() - 1..], output.len()), output);
    });
}

/// Around the sizes at which an argument, a line or a buffer is treated in another way.
#[test]
fn arguments_of_every_size_cut_around_their_ends() {
    on_each(&[], |server| {
        let mut stream = open(server);
        for size in [1, 4095, 4096, 16383, 16384, 32767, 32768, 65535, 65536, 200_000] {
            let value: Vec<u8> = (0..size).map(|i| b'a' + (i % 23) as u8).collect();
            let mut input = Vec::new();
            encode(&[b"ECHO", &value[..]], &mut input);
            let answer = [format!("${size}\r\n").as_bytes(), &value, b"\r\n"].concat();
            for cut in [1, 5, 12, 19, input.len() / 2, input.len() - 3, input.len() - 1] {
                stream.write_all(&input[..cut]).expect("the server takes it");
                std::thread::sleep(Duration::from_millis(1));
                // Another request right behind it.
                let rest = [&input[cut..], b"PING\r\n"].concat();
                let found = exchange(&mut stream, &rest, answer.len() + 7);
                assert!(found == [&answer[..], b"+PONG\r\n"].concat(), "{size} bytes cut at {cut}");
            }
        }
    });
}

#[test]
fn inline_requests_up_to_their_limit() {
    on_each(&[], |server| {
        let mut stream = open(server);
        for size in [60_000, 65_000] {
            let text = "x".repeat(size);
            let answer = format!("${size}\r\n{text}\r\n");
            let found = exchange(&mut stream, format!("ECHO {text}\r\n").as_bytes(), answer.len());
            assert!(found == answer.as_bytes(), "{size}");
        }
        stream.write_all("y".repeat(70_000).as_bytes()).expect("the server takes it");
        let mut answer = Vec::new();
        // The server may hang up so fast that the end is an error.
        let _ = stream.read_to_end(&mut answer);
        assert_eq!(String::from_utf8_lossy(&answer), "-ERR Protocol error: too big inline request\r\n");
    });
}

#[test]
fn a_value_of_64_mib_in_pieces() {
    const SIZE: usize = 64 << 20;
    on_each(&[], |server| {
        let value: Vec<u8> = (0..SIZE).map(|i| (i / 7) as u8).collect();
        let mut stream = open(server);
        stream.write_all(format!("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n${SIZE}\r\n").as_bytes()).expect("taken");
        for piece in value.chunks(1_000_003) {
            stream.write_all(piece).expect("taken");
        }
        assert_eq!(exchange(&mut stream, b"\r\n", 5), b"+OK\r\n");
        let answer = format!("${SIZE}\r\n");
        let found = exchange(&mut stream, b"GET big\r\n", answer.len() + SIZE + 2);
        assert!(found[..answer.len()] == *answer.as_bytes() && found[answer.len()..][..SIZE] == value);
        // Twice in one pipeline, read slowly.
        let found = exchange(
            &mut stream,
            b"GET big\r\nSTRLEN big\r\nGET big\r\n",
            2 * (answer.len() + SIZE + 2) + 11,
        );
        assert!(found[answer.len() + SIZE + 2..].starts_with(format!(":{SIZE}\r\n").as_bytes()));
    });
}

/// A length that never arrives must not cost memory.
#[test]
fn announced_sizes_reserve_nothing() {
    let server = ours(&[]);
    let before = resident(server.pid());
    let mut streams = Vec::new();
    for _ in 0..50 {
        let mut stream = open(&server);
        stream.write_all(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\nabc").expect("taken");
        streams.push(stream);
        let mut stream = open(&server);
        stream.write_all(b"*1000000\r\n$3\r\nSET\r\n").expect("taken");
        streams.push(stream);
    }
    let mut client = connect(&server);
    wait_until("clients are there", || connected(&mut client) == 101);
    ok(&mut client, "SET k v");
    let grown = resident(server.pid()).saturating_sub(before);
    assert!(grown < 80 << 20, "{grown} bytes more");
}

#[test]
fn proto_max_bulk_len_follows_config_set() {
    on_each(&[], |server| {
        let mut client = connect(server);
        let mut other = connect(server);
        ok(&mut other, "SET k v");
        ok(&mut client, "CONFIG SET proto-max-bulk-len 1mb");
        assert_eq!(
            client.call(&["STRLEN", &"x".repeat(1 << 20)]).expect("answered"),
            Value::Int(0),
            "just as long as allowed"
        );
        for client in [&mut client, &mut other] {
            // One more request, so that a connection that looks at its limits after a request has done so.
            ok(client, "SET k v");
            client.send_raw(b"*2\r\n$3\r\nGET\r\n$1048577\r\n").expect("taken");
            let error = client.reply().expect("answered");
            assert_eq!(error, Value::Error(b"ERR Protocol error: invalid bulk length".to_vec()));
            assert!(client.reply().is_err(), "closed");
        }
    });
}
