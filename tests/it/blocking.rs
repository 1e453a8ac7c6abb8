//! Clients that wait: who is served, in which order, with what; and what ends a wait.
//!
//! A scenario is a script of several connections. With `RESNAP_REAL=/path/to/redis-server` the real server plays it
//! instead of ours, which is how the expectations were found: it is the specification.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::client::{Client, Value};
use crate::server::Server;

/// A server and the connections that a scenario has named so far.
struct Stage {
    server: Server,
    control: Client,
    actors: BTreeMap<String, (Client, i64)>,
}

impl Stage {
    fn new() -> Stage {
        let debug = ["--enable-debug-command", "yes"];
        let server = match std::env::var_os("RESNAP_REAL") {
            Some(path) => Server::real(Path::new(&path), &debug),
            None => Server::ours(&debug),
        };
        let server = server.expect("it starts");
        let control = server.connect().expect("it accepts");
        Stage { server, control, actors: BTreeMap::new() }
    }

    fn actor(&mut self, name: &str) -> &mut Client {
        if !self.actors.contains_key(name) {
            let mut client = self.server.connect().expect("it accepts");
            let Ok(Value::Int(id)) = client.line("CLIENT ID") else { panic!("CLIENT ID gives a number") };
            self.actors.insert(name.to_owned(), (client, id));
        }
        &mut self.actors.get_mut(name).expect("it is there now").0
    }

    /// `$a` in a command is the number of connection `a`; a space in a word is written `_`.
    fn words(&mut self, line: &str) -> Vec<String> {
        let word = |word: &str| match word.strip_prefix('$') {
            None if word == "''" => String::new(),
            Some("") | None => word.to_owned(),
            Some(name) => {
                self.actor(name);
                self.actors[name].1.to_string()
            }
        };
        line.split_ascii_whitespace().map(word).collect()
    }

    fn waiting(&mut self) -> usize {
        let info = self.control.line("INFO clients").expect("INFO").bytes().unwrap_or_default();
        let info = String::from_utf8_lossy(&info).into_owned();
        let line = info.lines().find_map(|line| line.strip_prefix("blocked_clients:")).expect("the field");
        line.trim().parse().expect("a number")
    }

    /// Waits until so many clients wait.
    fn until_waiting(&mut self, wanted: usize, place: &str) {
        let end = Instant::now() + Duration::from_secs(5);
        while self.waiting() != wanted {
            assert!(Instant::now() < end, "{place}: {} clients wait, not {wanted}", self.waiting());
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// A reply as scenarios write it.
fn show(value: &Value) -> String {
    let all = |items: &[Value]| items.iter().map(show).collect::<Vec<_>>().join(" ");
    match value {
        Value::Simple(text) => format!("+{}", String::from_utf8_lossy(text)),
        Value::Error(text) => format!("-{}", String::from_utf8_lossy(text)),
        Value::Int(n) => format!(":{n}"),
        Value::Bulk(text) => String::from_utf8_lossy(text).into_owned(),
        Value::Double(text) => format!(",{}", String::from_utf8_lossy(text)),
        Value::NilBulk => "nil".into(),
        Value::NilArray => "nil-array".into(),
        Value::Null => "null".into(),
        Value::Array(items) => format!("[{}]", all(items)),
        Value::Push(items) => format!(">[{}]", all(items)),
        Value::Map(pairs) => {
            let pairs: Vec<String> = pairs.iter().map(|(k, v)| format!("{}: {}", show(k), show(v))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        other => format!("{other:?}"),
    }
}

/// Plays scenarios, each under a line `# title`, with new connections and empty databases:
///
/// - `a: COMMAND = reply`: sends it and reads the reply;
/// - `a! COMMAND`: sends it, and goes on when one client more waits;
/// - `a> COMMAND`: sends it and goes on at once;
/// - `a? reply`: reads a reply;
/// - `wait N`: goes on when N clients wait; `sleep N`: milliseconds.
fn play(script: &str) {
    let mut stage = Stage::new();
    let mut title = "";
    let lines = script.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    for (at, line) in lines.filter(|(_, line)| !line.is_empty()) {
        if let Some(text) = line.strip_prefix("# ") {
            title = text;
            stage.actors.clear();
            stage.until_waiting(0, title);
            stage.control.line("FLUSHALL").expect("FLUSHALL");
            continue;
        }
        let place = format!("{title}, line {at}: {line}");
        perform(&mut stage, line, &place);
    }
}

fn perform(stage: &mut Stage, line: &str, place: &str) {
    let (who, rest) = line.split_once(' ').expect("who, and what");
    match who.split_at(who.len() - 1) {
        (name, ":") => {
            let (command, reply) = rest.rsplit_once(" = ").expect("a reply is expected");
            let words = stage.words(command);
            let got = stage.actor(name).call(&words).unwrap_or_else(|e| panic!("{place}: {e}"));
            assert_eq!(show(&got), reply, "{place}");
        }
        (name, "!") => {
            let (words, before) = (stage.words(rest), stage.waiting());
            stage.actor(name).send(&words).expect("sent");
            stage.until_waiting(before + 1, place);
        }
        (name, ">") => {
            let words = stage.words(rest);
            stage.actor(name).send(&words).expect("sent");
        }
        (name, "?") => {
            let got = stage.actor(name).value().unwrap_or_else(|e| panic!("{place}: {e}"));
            assert_eq!(show(&got), rest, "{place}");
        }
        _ if who == "wait" => stage.until_waiting(rest.parse().expect("a number"), place),
        _ if who == "sleep" => std::thread::sleep(Duration::from_millis(rest.parse().expect("a number"))),
        _ => panic!("what is {line:?}?"),
    }
}

#[test]
fn lists() {
    play(
        "
        # in order of arrival, whatever the command
        a! BLPOP k 0
        b! BRPOP k 0
        c! BLMPOP 0 2 other k LEFT COUNT 2
        d: RPUSH k 1 2 3 4 5 = :5
        a? [k 1]
        b? [k 5]
        c? [k [2 3]]
        d: LRANGE k 0 -1 = [4]
        # the first key that gets something
        a! BLPOP k1 k2 k3 0
        b: MULTI = +OK
        b: RPUSH k3 3 = +QUEUED
        b: RPUSH k2 2 = +QUEUED
        b: EXEC = [:1 :1]
        a? [k2 2]
        b: EXISTS k2 k3 = :1
        # a chain of moves
        a! BLMOVE k1 k2 LEFT RIGHT 0
        b! BLMOVE k2 k3 LEFT RIGHT 0
        c! BRPOPLPUSH k3 k4 0
        d! BLPOP k4 0
        e: LPUSH k1 x = :1
        a? x
        b? x
        c? x
        d? [k4 x]
        e: DBSIZE = :0
        # a ring gives every client its turn
        a! BLMOVE k k LEFT RIGHT 0
        b! BLMOVE k k LEFT RIGHT 0
        c: RPUSH k x y = :2
        a? x
        b? y
        c: LRANGE k 0 -1 = [x y]
        # a destination of another type
        a! BLMOVE k t LEFT LEFT 0
        b! BLPOP k 0
        c: SET t v = +OK
        c: RPUSH k x = :1
        a? -WRONGTYPE Operation against a key holding the wrong kind of value
        b? [k x]
        # of another type meanwhile
        a! BLPOP k 0
        b: SADD k m = :1
        b: DEL k = :1
        b: ZADD k 1 m = :1
        b: SET k v = +OK
        wait 1
        b: DEL k = :1
        b: RPUSH k x = :1
        a? [k x]
        # pushed and gone again in a transaction
        a! BLPOP k 0
        b: MULTI = +OK
        b: RPUSH k x = +QUEUED
        b: DEL k = +QUEUED
        b: EXEC = [:1 :1]
        wait 1
        b: MULTI = +OK
        b: RPUSH k x = +QUEUED
        b: DEL k = +QUEUED
        b: RPUSH k y = +QUEUED
        b: EXEC = [:1 :1 :1]
        a? [k y]
        # brought by other commands than pushes
        a! BLPOP k 0
        b: RPUSH l x = :1
        b: RENAME l k = +OK
        a? [k x]
        a! BLPOP k 0
        b: RPUSH l x = :1
        b: COPY l k = :1
        a? [k x]
        a! BLPOP k 0
        b: SELECT 1 = +OK
        b: RPUSH k y = :1
        wait 1
        b: MOVE k 0 = :1
        a? [k y]
        b: SELECT 1 = +OK
        a! BLPOP k 0
        b: RPUSH k z = :1
        wait 1
        b: SWAPDB 0 1 = +OK
        a? [k z]
        b: SELECT 0 = +OK
        a! BLPOP k 0
        b: RPUSH l x = :1
        b: LMOVE l k LEFT LEFT = x
        a? [k x]
        # sorted into place
        a! BLPOP k 0
        b: RPUSH l 3 1 2 = :3
        b: SORT l STORE k = :3
        a? [k 1]
        # its own database
        a: SELECT 3 = +OK
        a! BLPOP k 0
        b: RPUSH k x = :1
        wait 1
        b: SELECT 3 = +OK
        b: RPUSH k y = :1
        a? [k y]
        # nobody waits in a transaction
        a: MULTI = +OK
        a: BLPOP k 0 = +QUEUED
        a: BLMOVE k l LEFT LEFT 0 = +QUEUED
        a: BRPOPLPUSH k l 0 = +QUEUED
        a: BLMPOP 0 1 k LEFT = +QUEUED
        a: EXEC = [nil-array nil nil nil-array]
        # what is pipelined behind waits, too
        a! BLPOP k 0
        a> SET seen 1
        b: EXISTS seen = :0
        b: RPUSH k x = :1
        a? [k x]
        a? +OK
        # the same key twice
        a! BLPOP k k 0
        b: RPUSH k x y = :2
        a? [k x]
        # who left is not served
        a! BLPOP k 0
        b! BLPOP k 0
        c: CLIENT KILL ID $a = :1
        wait 1
        c: RPUSH k x = :1
        b? [k x]
        # emptied databases
        a! BLPOP k 0
        b: FLUSHALL = +OK
        wait 1
        b: RPUSH k x = :1
        a? [k x]
        ",
    );
}

#[test]
fn sorted_sets() {
    play(
        "
        # in order of arrival
        a! BZPOPMIN z 0
        b! BZPOPMAX z 0
        c! BZMPOP 0 1 z MIN COUNT 2
        d: ZADD z 1 a 2 b 3 c 4 d = :4
        a? [z a 1]
        b? [z d 4]
        c? [z [[b 2] [c 3]]]
        d: EXISTS z = :0
        # made by other commands
        a! BZPOPMIN z 0
        b: ZADD y 1 m 2 n = :2
        b: ZUNIONSTORE z 1 y = :2
        a? [z m 1]
        b: DEL z = :1
        a! BZPOPMAX z 0
        b: ZRANGESTORE z y 0 -1 = :2
        a? [z n 2]
        b: DEL z = :1
        a! BZPOPMAX z 0
        b: ZINCRBY z 5 q = 5
        a? [z q 5]
        a! BZPOPMIN z 0
        b: GEOADD z 13.361389 38.115556 Palermo = :1
        a? [z Palermo 3479099956230698]
        # lists and sorted sets under one name
        a! BLPOP k 0
        b! BZPOPMIN k 0
        c: ZADD k 1 m = :1
        b? [k m 1]
        wait 1
        c: RPUSH k x = :1
        a? [k x]
        # not in a transaction
        a: MULTI = +OK
        a: BZPOPMIN k 0 = +QUEUED
        a: BZMPOP 0 1 k MIN = +QUEUED
        a: EXEC = [nil-array nil-array]
        ",
    );
}

#[test]
fn streams() {
    play(
        "
        # all who read
        a! XREAD BLOCK 0 STREAMS s $
        b! XREAD BLOCK 0 STREAMS s t 0-0 $
        c: XADD s 1-1 f v = 1-1
        a? [[s [[1-1 [f v]]]]]
        b? [[s [[1-1 [f v]]]]]
        a! XREAD BLOCK 0 STREAMS s $
        c: XADD s 1-2 f v = 1-2
        a? [[s [[1-2 [f v]]]]]
        a! XREAD COUNT 1 BLOCK 0 STREAMS s 1-2
        c: MULTI = +OK
        c: XADD s 2-1 f v = +QUEUED
        c: XADD s 2-2 f v = +QUEUED
        c: EXEC = [2-1 2-2]
        a? [[s [[2-1 [f v]]]]]
        # the last one, when there is one
        a! XREAD BLOCK 0 STREAMS s +
        b: XADD s 1-1 f v = 1-1
        a? [[s [[1-1 [f v]]]]]
        # below what is waited for
        a! XREAD BLOCK 0 STREAMS s 5-0
        b: XADD s 1-1 f v = 1-1
        b: XADD s 6-1 f v = 6-1
        a? [[s [[6-1 [f v]]]]]
        # deleted, or of another type: readers wait on
        a! XREAD BLOCK 0 STREAMS s $
        b: XADD t 9-9 f v = 9-9
        b: SET s v = +OK
        b: DEL s = :1
        wait 1
        b: RENAME t s = +OK
        a? [[s [[9-9 [f v]]]]]
        # groups
        c: XGROUP CREATE s g $ MKSTREAM = +OK
        a! XREADGROUP GROUP g a BLOCK 0 STREAMS s >
        b! XREADGROUP GROUP g b BLOCK 0 STREAMS s >
        c: XADD s 1-1 f v = 1-1
        a? [[s [[1-1 [f v]]]]]
        wait 1
        c: XADD s 1-2 f v = 1-2
        b? [[s [[1-2 [f v]]]]]
        a: XREADGROUP GROUP g a BLOCK 0 STREAMS s 0 = [[s [[1-1 [f v]]]]]
        # a group's end
        c: XGROUP CREATE s g $ MKSTREAM = +OK
        a! XREADGROUP GROUP g a BLOCK 0 STREAMS s >
        c: XGROUP DESTROY s g = :1
        a? -NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option
        c: XGROUP CREATE s g $ = +OK
        a! XREADGROUP GROUP g a BLOCK 0 STREAMS s >
        c: DEL s = :1
        a? -NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option
        c: XGROUP CREATE s g $ MKSTREAM = +OK
        a! XREADGROUP GROUP g a BLOCK 0 STREAMS s >
        c: SET s v = +OK
        a? -WRONGTYPE Operation against a key holding the wrong kind of value
        c: DEL s = :1
        c: XGROUP CREATE s g $ MKSTREAM = +OK
        a! XREADGROUP GROUP g a BLOCK 0 STREAMS s >
        c: FLUSHALL = +OK
        a? -NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option
        c: XGROUP CREATE s g $ MKSTREAM = +OK
        a! XREADGROUP GROUP g a BLOCK 0 STREAMS s >
        c: SWAPDB 0 1 = +OK
        a? -NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option
        c: XGROUP CREATE s g $ MKSTREAM = +OK
        c: PEXPIRE s 40 = :1
        a! XREADGROUP GROUP g a BLOCK 0 STREAMS s >
        a? -NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option
        # set back, a group serves nobody before the next entry
        c: XADD s 1-1 f v = 1-1
        c: XGROUP CREATE s g $ = +OK
        a! XREADGROUP GROUP g a BLOCK 0 STREAMS s >
        c: XGROUP SETID s g 0 = +OK
        c: XCLAIM s g b 0 1-1 = []
        wait 1
        c: XADD s 1-2 f v = 1-2
        a? [[s [[1-1 [f v]] [1-2 [f v]]]]]
        # not in a transaction
        a: MULTI = +OK
        a: XREAD BLOCK 0 STREAMS s $ = +QUEUED
        a: EXEC = [nil-array]
        ",
    );
}

#[test]
fn ends_of_waits() {
    play(
        "
        # time
        a: BLPOP k 0.02 = nil-array
        a: BLMOVE k l LEFT LEFT 0.02 = nil-array
        a: BRPOPLPUSH k l 0.02 = nil-array
        a: BLMPOP 0.02 1 k LEFT = nil-array
        a: BZPOPMIN k 0.02 = nil-array
        a: BZMPOP 0.02 1 k MIN = nil-array
        a: XREAD BLOCK 20 STREAMS k $ = nil-array
        b: XGROUP CREATE s g $ MKSTREAM = +OK
        a: XREADGROUP GROUP g a BLOCK 20 STREAMS s > = nil-array
        # told to
        a! BLPOP k 0
        b: CLIENT UNBLOCK $a = :1
        a? nil-array
        b: CLIENT UNBLOCK $a = :0
        a! BLMOVE k l LEFT LEFT 0
        b: CLIENT UNBLOCK $a TIMEOUT = :1
        a? nil-array
        a! BZPOPMIN k 0
        b: CLIENT UNBLOCK $a ERROR = :1
        a? -UNBLOCKED client unblocked via CLIENT UNBLOCK
        a! XREAD BLOCK 0 STREAMS s $
        b: CLIENT UNBLOCK $a ERROR = :1
        a? -UNBLOCKED client unblocked via CLIENT UNBLOCK
        b: CLIENT UNBLOCK 0 = :0
        b: CLIENT UNBLOCK x = -ERR value is not an integer or out of range
        b: CLIENT UNBLOCK $a NO = -ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR
        b: CLIENT UNBLOCK $b = :0
        # then the rest
        a! BLPOP k 0
        a> PING
        b: CLIENT UNBLOCK $a = :1
        a? nil-array
        a? +PONG
        ",
    );
}

/// Found by the differential tester.
#[test]
fn what_is_no_element() {
    play(
        "
        # overwritten by a value of the right type: the key is not new
        a! BZPOPMIN z 0
        b: LPUSH z x = :1
        b: ZADD s 1 m = :1
        b: ZUNIONSTORE z 1 s = :1
        wait 1
        b: DEL z = :1
        b: ZADD z 1 m = :1
        a? [z m 1]
        # what has lapsed comes by SWAPDB: it is not even looked at
        a: SELECT 1 = +OK
        a! BZPOPMIN z 0
        b: DEBUG SET-ACTIVE-EXPIRE 0 = +OK
        b: ZADD z 1 m = :1
        b: PEXPIRE z 1 = :1
        sleep 3
        b: SWAPDB 0 1 = +OK
        b: SELECT 1 = +OK
        b: DBSIZE = :1
        wait 1
        b: DEBUG SET-ACTIVE-EXPIRE 1 = +OK
        # misses are told to who wants to hear of them
        a: PSUBSCRIBE * = [psubscribe * :1]
        b: CONFIG SET notify-keyspace-events Km = +OK
        b: GET k = nil
        a? [pmessage * __keyspace@0__:k keymiss]
        b: OBJECT ENCODING k = nil
        b: SINTERSTORE t nosuch = :0
        a? [pmessage * __keyspace@0__:nosuch keymiss]
        b: XACK s g 0-1 = :0
        a? [pmessage * __keyspace@0__:s keymiss]
        # a hash whose last field has lapsed was found
        b: DEBUG SET-ACTIVE-EXPIRE 0 = +OK
        a: PSUBSCRIBE * = [psubscribe * :1]
        b: CONFIG SET notify-keyspace-events Kmg = +OK
        b: HSET h f v = :1
        b: HPEXPIRE h 1 FIELDS 1 f = [:1]
        sleep 3
        b: HEXISTS h f = :0
        a? [pmessage * __keyspace@0__:h del]
        b: HEXISTS h f = :0
        a? [pmessage * __keyspace@0__:h keymiss]
        b: DEBUG SET-ACTIVE-EXPIRE 1 = +OK
        # a key may have an empty name
        a: PSUBSCRIBE * = [psubscribe * :1]
        b: CONFIG SET notify-keyspace-events Kg = +OK
        b: SET k v = +OK
        b: RENAME k '' = +OK
        a? [pmessage * __keyspace@0__:k rename_from]
        a? [pmessage * __keyspace@0__: rename_to]
        # a key that is new somewhere is told of first
        a: PSUBSCRIBE * = [psubscribe * :1]
        b: SET k v = +OK
        b: SET l v = +OK
        b: CONFIG SET notify-keyspace-events Kgn = +OK
        b: RENAME k l = +OK
        a? [pmessage * __keyspace@0__:l new]
        a? [pmessage * __keyspace@0__:k rename_from]
        a? [pmessage * __keyspace@0__:l rename_to]
        b: MOVE l 1 = :1
        a? [pmessage * __keyspace@1__:l new]
        a? [pmessage * __keyspace@0__:l move_from]
        a? [pmessage * __keyspace@1__:l move_to]
        b: CONFIG SET notify-keyspace-events x = +OK
        ",
    );
}

#[test]
fn pauses() {
    play(
        "
        # those that write
        a: CLIENT PAUSE 60000 WRITE = +OK
        b! SET k v
        c! PFCOUNT h
        a: GET k = nil
        a: SET k = -ERR wrong number of arguments for 'set' command
        a: CLIENT UNBLOCK $b = :0
        a: CLIENT UNPAUSE = +OK
        b? +OK
        c? :0
        a: GET k = v
        # a transaction that writes
        b: MULTI = +OK
        b: SET k v = +QUEUED
        c: MULTI = +OK
        c: GET k = +QUEUED
        a: CLIENT PAUSE 60000 WRITE = +OK
        b! EXEC
        c: EXEC = [nil]
        a: CLIENT UNPAUSE = +OK
        b? [+OK]
        # its time
        a: CLIENT PAUSE 50 WRITE = +OK
        b! SET k v
        b? +OK
        # in the order of the pipeline
        a: CLIENT PAUSE 60000 WRITE = +OK
        b> GET k
        b! SET k v
        b> GET k
        b? nil
        sleep 10
        a: CLIENT UNPAUSE = +OK
        b? +OK
        b? v
        # nothing goes by its time
        a: SET k v PX 20 = +OK
        a: CLIENT PAUSE 60000 WRITE = +OK
        sleep 30
        a: GET k = nil
        a: DBSIZE = :1
        a: CLIENT UNPAUSE = +OK
        a: GET k = nil
        a: DBSIZE = :0
        # who waits for a key is not disturbed
        a! BLPOP k 0
        b: CLIENT PAUSE 60000 WRITE = +OK
        c! RPUSH k x
        b: CLIENT UNPAUSE = +OK
        c? :1
        a? [k x]
        ",
    );
}

/// However often its request ran, a wait counts as one call, and as none while it lasts.
#[test]
fn a_wait_is_counted_once() {
    let mut stage = Stage::new();
    let stats = |stage: &mut Stage| {
        let text = stage.control.line("INFO commandstats").expect("INFO").bytes().unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix("cmdstat_blpop:"));
        let calls = line.map(|line| line.split(',').filter(|field| !field.starts_with("usec")));
        calls.map(|fields| fields.collect::<Vec<_>>().join(","))
    };
    stage.actor("a").send(&["BLPOP", "k", "0"]).expect("sent");
    stage.until_waiting(1, "one waits");
    assert_eq!(stats(&mut stage), None);
    stage.control.line("LPUSH k v").expect("served");
    stage.actor("a").reply().expect("the element");
    assert_eq!(stats(&mut stage).as_deref(), Some("calls=1,rejected_calls=0,failed_calls=0"));
    stage.actor("a").send(&["BLPOP", "k", "0.01"]).expect("sent");
    stage.actor("a").reply().expect("nothing");
    assert_eq!(stats(&mut stage).as_deref(), Some("calls=2,rejected_calls=0,failed_calls=0"));
    stage.actor("a").send(&["BLPOP", "k", "0"]).expect("sent");
    stage.until_waiting(1, "one waits");
    let unblock: Vec<_> = stage.words("CLIENT UNBLOCK $a ERROR");
    stage.control.line(&unblock.join(" ")).expect("unblocked");
    stage.actor("a").reply().expect("the error");
    assert_eq!(stats(&mut stage).as_deref(), Some("calls=3,rejected_calls=0,failed_calls=1"));
}

/// Who waits for a key that came and is past its time is not served; the key goes when somebody asks for it.
#[test]
fn what_is_past_its_time_serves_nobody() {
    play(
        "# past when another database takes its place
        a: DEBUG SET-ACTIVE-EXPIRE 0 = +OK
        a: SELECT 1 = +OK
        a: RPUSH k hello = :1
        a: PEXPIRE k 10 = :1
        b! BRPOP k 0
        sleep 20
        a: SWAPDB 0 1 = +OK
        wait 1
        a: SELECT 0 = +OK
        a: DBSIZE = :1
        a: EXISTS k = :0
        a: DBSIZE = :0
        a: RPUSH k again = :1
        b? [k again]
        # past when the transaction ends
        b! BRPOP k 0
        a: MULTI = +OK
        a: RPUSH k hello = +QUEUED
        a: PEXPIRE k 20 = +QUEUED
        a: DEBUG SLEEP 0.05 = +QUEUED
        a: EXEC = [:1 :1 +OK]
        wait 1
        a: DBSIZE = :0
        a: RPUSH k again = :1
        b? [k again]
        a: DEBUG SET-ACTIVE-EXPIRE 1 = +OK",
    );
}

/// WAITAOF and WAIT, as far as one server goes; with followers see `follow`.
#[test]
fn copies_of_a_write() {
    play(
        "
        # nobody follows
        a: WAIT 1 20 = :0
        a! WAIT 1 0
        b: CLIENT UNBLOCK $a = :1
        a? :0
        a! WAITAOF 0 1 0
        b: CLIENT UNBLOCK $a ERROR = :1
        a? -UNBLOCKED client unblocked via CLIENT UNBLOCK
        # what waits for its time ends in the order of deadlines
        a! WAIT 1 60
        b! WAITAOF 0 1 20
        b? [:0 :0]
        a? :0
        # the log is not synced, and then is
        a: CONFIG SET appendonly yes = +OK
        a: WAITAOF 1 0 0 = [:1 :0]
        a: CONFIG SET appendfsync no = +OK
        a: SET k v = +OK
        a: WAITAOF 1 0 20 = [:0 :0]
        a! WAITAOF 1 0 0
        b: CLIENT UNBLOCK $a TIMEOUT = :1
        a? [:0 :0]
        a! WAITAOF 1 0 0
        b: CONFIG SET appendfsync everysec = +OK
        a? [:1 :0]
        a: WAITAOF 1 1 20 = [:1 :0]
        # every write is synced before it is answered
        a: CONFIG SET appendfsync always = +OK
        a: SET k w = +OK
        a: WAITAOF 1 0 0 = [:1 :0]
        # the log is turned off
        a: CONFIG SET appendfsync no = +OK
        a: SET k x = +OK
        a! WAITAOF 1 0 0
        b: CONFIG SET appendonly no = +OK
        a? -ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.
        ",
    );
}
