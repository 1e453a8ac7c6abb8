#!/usr/bin/env python3
"""Instructions per request of the server, by workload: a measure that no neighbour disturbs.

    benches/instructions.py [--server target/release/resnap] [--options "..."] [--top N] [workload ...]

Runs the server under callgrind, fills it, and counts only what the measured batches take in user space (system calls
count nothing). With --top N the functions that take most of it are listed. Needs valgrind and Python 3.8+.
"""
import argparse, os, re, signal, socket, subprocess, sys, tempfile, time

KEYS = 20_000


def request(*words):
    words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def key(i):
    """Spread over the keys, the same in every run."""
    return "key:%012d" % (i * 7919 % KEYS)


MEMBER, VALUE = lambda i: "element:%012d" % (i * 7919 % KEYS), "xxx"
FILL_KEYS = [request("SET", key(i), VALUE) for i in range(KEYS)]
FILL_LIST = [request("RPUSH", "mylist", VALUE) for _ in range(600)]

# name: (pipeline, what fills the server, request number i)
WORKLOADS = {
    "ping": (16, [], lambda i: request("PING")),
    "get-1": (1, FILL_KEYS, lambda i: request("GET", key(i))),
    "get-64": (64, FILL_KEYS, lambda i: request("GET", key(i))),
    "set-16": (16, FILL_KEYS, lambda i: request("SET", key(i), VALUE)),
    "incr-16": (16, [request("SET", key(i), 100_000 + i) for i in range(KEYS)], lambda i: request("INCR", key(i))),
    "lpush-16": (16, FILL_LIST, lambda i: request("LPUSH", "mylist", VALUE)),
    "lrange-100": (1, FILL_LIST, lambda i: request("LRANGE", "mylist", 0, 99)),
    "sadd-16": (16, [request("SADD", "myset", MEMBER(i)) for i in range(KEYS)],
                lambda i: request("SADD", "myset", MEMBER(i))),
    "hset-16": (16, [request("HSET", "myhash", MEMBER(i), VALUE) for i in range(KEYS)],
                lambda i: request("HSET", "myhash", MEMBER(i), VALUE)),
    "zadd-16": (16, [request("ZADD", "myzset", 0, MEMBER(i)) for i in range(KEYS)],
                lambda i: request("ZADD", "myzset", 0, MEMBER(i))),
    "zrange-16": (16, [request("ZADD", "bigz", i, "m%07d" % i) for i in range(KEYS)],
                  lambda i: request("ZRANGE", "bigz", KEYS // 2, KEYS // 2 + 10)),
    "mset-8": (8, FILL_KEYS,
               lambda i: request("MSET", *[w for j in range(10) for w in (key(10 * i + j), VALUE)])),
    "xadd-16": (16, [request("XADD", "mystream", "*", "f", "1") for _ in range(2000)],
                lambda i: request("XADD", "mystream", "*", "f", "1")),
}
# Small values, each of its own key: what is changed stays as long as it was, or is changed back by the next request.
SMALL_HASHES = [request("HSET", key(i), *[w for j in range(5) for w in ("field%d" % j, "value%02d" % j)])
                for i in range(KEYS)]
SMALL_SETS = [request("SADD", key(i), *range(i, i + 20)) for i in range(KEYS)]
SMALL_ZSETS = [request("ZADD", key(i), *[w for j in range(20) for w in (j, "m%02d" % j)]) for i in range(KEYS)]
SMALL_LISTS = [request("RPUSH", key(i), *["item%06d" % j for j in range(20)]) for i in range(KEYS)]


def back_and_forth(there, back):
    return lambda i: request(*(back if i % 2 else there)(key(i // 2)))


def growing(command, *words):
    """A key that grows to 128 elements, and goes."""
    def nth(i):
        at = i % 129
        return request("DEL", "grown") if at == 128 else request(command, "grown", *[w % at for w in words])
    return nth


WORKLOADS.update({
    "hget-small-16": (16, SMALL_HASHES, lambda i: request("HGET", key(i), "field3")),
    "hset-small-16": (16, SMALL_HASHES, lambda i: request("HSET", key(i), "field3", "value%02d" % (i % 100))),
    "hdel-small-16": (16, SMALL_HASHES,
                      back_and_forth(lambda k: ("HSET", k, "new", "1"), lambda k: ("HDEL", k, "new"))),
    "sismember-small-16": (16, SMALL_SETS, lambda i: request("SISMEMBER", key(i), 5000)),
    "sadd-small-16": (16, SMALL_SETS, back_and_forth(lambda k: ("SADD", k, -1), lambda k: ("SREM", k, -1))),
    "zincrby-small-16": (16, SMALL_ZSETS, lambda i: request("ZINCRBY", key(i), 1, "m05")),
    "zrange-small-16": (16, SMALL_ZSETS, lambda i: request("ZRANGE", key(i), 0, -1)),
    "rpush-small-16": (16, SMALL_LISTS, back_and_forth(lambda k: ("RPUSH", k, VALUE), lambda k: ("RPOP", k))),
    "lrange-small-16": (16, SMALL_LISTS, lambda i: request("LRANGE", key(i), 0, -1)),
    "rpush-new-16": (16, [], back_and_forth(lambda k: ("RPUSH", k, VALUE), lambda k: ("DEL", k))),
    "rpush-grow-16": (16, [], growing("RPUSH", "item%06d")),
    "hset-grow-16": (16, [], growing("HSET", "field%03d", "value%02d")),
    "sadd-grow-16": (16, [], growing("SADD", "%d")),
    "zadd-grow-16": (16, [], growing("ZADD", "%d", "m%02d")),
})
TAIL = request("ECHO", "the end of a batch")
TAIL_REPLY = b"$18\r\nthe end of a batch\r\n"


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=120)

    def batch(self, requests):
        """Sends a batch and an ECHO, by which the end of its replies is known; how many bytes they were."""
        self.socket.sendall(b"".join(requests) + TAIL)
        got = b""
        while not got.endswith(TAIL_REPLY):
            got += self.socket.recv(1 << 20)
        return len(got) - len(TAIL_REPLY)

    def known(self, requests, length):
        """Sends a batch whose replies are of a known length."""
        self.socket.sendall(b"".join(requests))
        while length > 0:
            length -= len(self.socket.recv(1 << 20))


def count(child, switch):
    """Begins or ends the counting. (callgrind_control does not find a server that has set its title.)"""
    subprocess.run(["vgdb", f"--pid={child.pid}", "instrumentation", switch], capture_output=True, check=True)


def wait_for(port, child):
    for _ in range(600):
        if child.poll() is not None:
            sys.exit("the server left")
        try:
            return Client(port)
        except OSError:
            time.sleep(0.05)
    sys.exit("the server did not come up")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def measure(server, options, name, top):
    pipeline, fill, nth = WORKLOADS[name]
    with tempfile.TemporaryDirectory() as folder:
        port, out = free_port(), os.path.join(folder, "out")
        child = subprocess.Popen(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out, "--instr-atstart=no", server,
             "--port", str(port), "--dir", folder, "--save", "", *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            client = wait_for(port, child)
            for at in range(0, len(fill), 500):
                client.batch(fill[at:at + 500])
            batches = [[nth(b * pipeline + i) for i in range(pipeline)] for b in range(max(20, 6000 // pipeline))]
            [client.batch(batch) for batch in batches]  # warms up
            lengths = [client.batch(batch) for batch in batches]  # as long as the third time: all counts have four digits
            count(child, "on")
            for batch, length in zip(batches, lengths):
                client.known(batch, length)
            count(child, "off")
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait()
        total = int(re.search(r"^totals: (\d+)", open(out).read(), re.M).group(1))
        requests = sum(map(len, batches))
        print(f"{name:12} {total / requests:9.1f}", flush=True)
        if top:
            shown = subprocess.run(["callgrind_annotate", "--auto=no", "--threshold=99", out],
                                   capture_output=True, text=True).stdout
            rows = re.findall(r"^ *([\d,]+) \([ \d.]+%\)  (.*)$", shown, re.M)[1:top + 1]
            for taken, what in rows:
                print(f"    {int(taken.replace(',', '')) / requests:9.1f}  {what[:150]}")


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--server", default="target/release/resnap")
    args.add_argument("--options", default="", help="more arguments of the server: --options='--appendonly yes'")
    args.add_argument("--top", type=int, default=0)
    args.add_argument("workloads", nargs="*", default=list(WORKLOADS))
    args = args.parse_args()
    for name in args.workloads or WORKLOADS:
        measure(args.server, args.options.split(), name, args.top)


if __name__ == "__main__":
    main()
