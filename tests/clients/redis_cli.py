"""redis-cli against any server: redis_cli.py PORT. At its prompt (on a terminal of its own), and in scripts."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

PORT = sys.argv[1]
checks = 0


def holds(condition, what):
    global checks
    checks += 1
    assert condition, f"check {checks}: {what}"


def cli(*args, stdin=None):
    done = subprocess.run(["redis-cli", "-p", PORT, *args], input=stdin, capture_output=True, timeout=60)
    assert done.returncode == 0, done
    return done.stdout


def scripts():
    holds(cli("PING") == b"PONG\n", "an argument")
    cli("FLUSHALL")
    holds(cli(stdin=b"SET k 'a b'\nGET k\nINCR k\n").startswith(b"OK\na b\nERR value is not an integer"), "lines")
    holds(cli("-x", "SET", "x", stdin=b"from stdin") == b"OK\n", "the last argument from standard input")
    holds(cli("-3", "--json", "HGETALL", "nosuch").strip() == b"{}", "RESP3 as JSON")
    holds(cli("--csv", "MGET", "k", "x").strip() == b'"a b","from stdin"', "CSV")
    cli("HSET", "h", "f", "v")
    holds(cli("-3", "HGETALL", "h").split() == [b"f", b"v"], "a map")
    mass = b"".join(b"*3\r\n$3\r\nSET\r\n$8\r\nkey:%04d\r\n$1\r\nv\r\n" % i for i in range(1000))
    holds(b"errors: 0, replies: 1000" in cli("--pipe", stdin=mass), "mass insertion")
    holds(len(cli("--scan", "--pattern", "key:*").split()) == 1000, "SCAN")
    big = cli("--bigkeys")
    holds(b"Biggest string found" in big and b"1003 keys" in big.replace(b"Sampled ", b""), "--bigkeys")
    holds(b"Biggest" in cli("--memkeys"), "--memkeys")
    holds(len(cli("--latency", "-i", "1").split()) == 4, "--latency: least, most, mean and count")
    holds(b"redis_version:8.0.6" in cli("INFO", "server"), "INFO")
    holds(cli("-n", "5", "DBSIZE") == b"0\n", "another database")
    cli("FLUSHALL")


class Prompt:
    """redis-cli as a person has it."""

    def __init__(self):
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
            os.environ["TERM"] = "xterm"
            os.environ["REDISCLI_HISTFILE"] = "/dev/null"
            os.execvp("redis-cli", ["redis-cli", "-p", PORT])
        self.expect(f":{PORT}> ")

    def type(self, text):
        os.write(self.fd, text.encode())

    def expect(self, pattern, seconds=20):
        """Reads up to the end of what is expected, and returns it."""
        end = time.time() + seconds
        while not (found := re.search(pattern, self.seen)):
            assert time.time() < end, f"{pattern!r} is not in {self.seen!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                raw = os.read(self.fd, 65536).decode(errors="replace")
                self.seen += re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", raw)  # colours and cursor moves
        text, self.seen = self.seen[:found.end()], self.seen[found.end():]
        return text

    def ask(self, line, pattern):
        """Enters a line. What is typed before the next prompt would be lost, so that is waited for."""
        self.type(line + "\r")
        text = self.expect(pattern)
        self.expect(f":{PORT}> ")
        return text

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def prompt():
    """HELP and hints at the prompt come from the server's COMMAND DOCS."""
    docs = cli("COMMAND", "DOCS", "getex").decode().split("\n")
    summary = docs[docs.index("summary") + 1]
    p = Prompt()
    text = p.ask("help getex", r"group: \S+")
    holds("GETEX" in text and summary in text, f"HELP shows what the server says: {text!r}")
    holds("EX seconds" in text, f"the syntax: {text!r}")
    holds("GETEX" in p.ask("help @string", r"(?s)GETEX.*SETRANGE.*summary: [^\r]*\r"), "a group's help")
    p.type("getrange ")
    holds("key start end" in p.expect(r"key start end"), "a hint while typing")
    p.type("\x15getra\t")
    holds("GETRANGE" in p.expect(r"(?i)> getrange").upper(), "completion")
    p.type("\x15")
    holds(p.ask("set k v", "OK\r"), "a write")
    holds(p.ask("get k", '"v"\r'), "a read")
    holds("proto" in p.ask("hello 3", r"(?s)proto.*modules.*\r"), "RESP3 at the prompt")
    p.close()


scripts()
prompt()
version = subprocess.run(["redis-cli", "--version"], capture_output=True, text=True).stdout.strip()
print(f"{version}: {checks} checks passed")
