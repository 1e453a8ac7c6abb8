#!/usr/bin/env python3
"""Records what a Redis server's CONFIG GET and CONFIG SET answer, for the tests of src/engine/config.

usage: record_config.py path/to/redis-server > fixtures/config-8.0.6.txt

Lines, separated by tabs, bytes escaped as Python does:
  get <name> <value>                      CONFIG GET * of a fresh server, aliases included
  hidden <name> <value>                   directives that only their exact name finds
  fixed <name> <reason>                   CONFIG SET is refused whatever the value
  takes <name> <value> <shown>            CONFIG SET on a fresh value, then CONFIG GET; the old value is restored
  keeps <name> <value>...                 the same for values that are shown as they were given
  refuses <name> <reason> <value>...      values that CONFIG SET refuses for this reason
"""
import socket, subprocess, sys, tempfile, time

HIDDEN = """repl-rdb-channel use-exit-on-panic aof-disable-auto-gc lua-enable-deprecated-api rdb-key-save-delay
key-load-delay watchdog-period cluster-ping-interval loading-process-events-interval-bytes""".split()
VALUES = ["", "yes", "No", "abc", "-5", "0", "1", "07", "12", "8g", "1k", "2KB", "99999999999999999999", "3%", "101%",
          "no one", "save", "nosave save", "now nosave", "1 2", "1 2 3", "KEAn", "AKE", "m$n", "a/b", "{title}",
          "{port} x {{", "volatile-LFU", "10 0 20 5", "normal 1kb 2 3 pubsub 1 1 1", "50 99.90 100.0", "101",
          "Relative", "LOCAL", "777"]
# What would change how we talk to the server, or the machine.
SKIP = {"port", "bind", "tls-port", "dir", "requirepass", "replicaof", "slaveof", "appendonly", "maxclients",
        "maxmemory-clients", "oom-score-adj", "oom-score-adj-values", "watchdog-period", "maxmemory", "locale-collate"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Client:
    def __init__(self, port):
        for _ in range(100):
            try:
                self.sock = socket.create_connection(("127.0.0.1", port))
                break
            except OSError:
                time.sleep(0.05)
        self.file = self.sock.makefile("rb")

    def __call__(self, *args):
        args = [a if isinstance(a, bytes) else a.encode() for a in args]
        self.sock.sendall(b"*%d\r\n" % len(args) + b"".join(b"$%d\r\n%s\r\n" % (len(a), a) for a in args))
        return self.reply()

    def reply(self):
        line = self.file.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        if kind == b"$":
            return self.file.read(int(rest) + 2)[:-2]
        return line


def show(data):
    return repr(data)[2:-1].replace("\\'", "'")


def main():
    port = free_port()
    with tempfile.TemporaryDirectory() as home:
        server = subprocess.Popen([sys.argv[1], "--port", str(port)], cwd=home, stdout=subprocess.DEVNULL)
        try:
            client = Client(port)
            record(client, home, port)
        finally:
            server.terminate()
            server.wait()


def record(client, home, port):
    flat = client("CONFIG", "GET", "*")
    known = dict(zip(flat[::2], flat[1::2]))
    known[b"port"], known[b"dir"] = b"6379", b"."
    print("# CONFIG GET * and CONFIG SET of Redis 8.0.6, by tools/record_config.py. dir and port are as without --port.")
    for name in sorted(known):
        print("get", show(name), show(known[name]), sep="\t")
    for name in HIDDEN:
        known[name.encode()] = client("CONFIG", "GET", name)[1]
        print("hidden", name, show(known[name.encode()]), sep="\t")
    for name in sorted(known):
        # (A server built without TLS crashes on `tls-cluster yes`.)
        if name.decode() not in SKIP and not name.startswith(b"tls-"):
            record_set(client, name, known[name])


def record_set(client, name, fresh):
    refused, kept = {}, []
    for value in [fresh] + [v.encode() for v in VALUES]:
        reply = client("CONFIG", "SET", name, value)
        reason = show(reply).split(" - ", 1)[-1]
        if reason.startswith(("can't set", "-LOADING")):
            return print("fixed", show(name), reason, sep="\t")
        if reply != b"+OK":
            refused.setdefault(reason, []).append(show(value))
            continue
        shown = client("CONFIG", "GET", name)[1]
        if shown == value:
            kept.append(show(value))
        else:
            print("takes", show(name), show(value), show(shown), sep="\t")
        client("CONFIG", "SET", name, fresh)
    print("keeps", show(name), *kept, sep="\t")
    for reason, values in refused.items():
        print("refuses", show(name), reason, *values, sep="\t")


main()
