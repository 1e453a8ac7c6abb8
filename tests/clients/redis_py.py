"""redis-py over its everyday surface, against any server: redis_py.py PORT. RESP3 (its default) and RESP2."""
import sys

import redis
from redis.cache import CacheConfig

PORT = int(sys.argv[1])
checks = 0


def same(found, expected):
    global checks
    checks += 1
    assert found == expected, f"check {checks}: {found!r} is not {expected!r}"


def holds(condition, what):
    global checks
    checks += 1
    assert condition, f"check {checks}: {what}"


def surface(r):
    r.flushall()
    same(r.ping(), True)
    # strings
    same(r.set("s", "v"), True)
    same(r.get("s"), "v")
    same(r.get("nosuch"), None)
    same(r.set("s", "w", nx=True), None)
    same(r.set("s", "w", get=True), "v")
    same(r.mset({"a": 1, "b": 2}), True)
    same(r.mget("a", "nosuch", "b"), ["1", None, "2"])
    same(r.incrby("a", 41), 42)
    same(r.incrbyfloat("b", 0.5), 2.5)
    same(r.append("s", "xyz"), 4)
    same(r.getrange("s", 1, 2), "xy")
    same(r.strlen("s"), 4)
    same(r.getdel("s"), "wxyz")
    # expiry
    r.set("e", "v", ex=100)
    holds(0 < r.ttl("e") <= 100, "a time to live")
    same(r.pexpire("e", 200_000), True)
    same(r.persist("e"), True)
    same(r.ttl("e"), -1)
    same(r.ttl("nosuch"), -2)
    r.set("gone", "v", px=1)
    while r.exists("gone"):
        pass
    # hashes
    same(r.hset("h", mapping={"f": "1", "g": "2"}), 2)
    same(r.hgetall("h"), {"f": "1", "g": "2"})
    same(r.hmget("h", "f", "nosuch"), ["1", None])
    same(r.hincrby("h", "f", 9), 10)
    same(sorted(r.hkeys("h")), ["f", "g"])
    same(r.hexists("h", "nosuch"), False)
    same(r.hdel("h", "g"), 1)
    same(r.hexpire("h", 100, "f", "nosuch"), [1, -2])
    same(dict(r.hscan_iter("h")), {"f": "10"})
    # lists
    same(r.rpush("l", "a", "b", "c"), 3)
    same(r.lpush("l", "z"), 4)
    same(r.lrange("l", 0, -1), ["z", "a", "b", "c"])
    same(r.lpop("l"), "z")
    same(r.rpop("l", 2), ["c", "b"])
    same(r.lmove("l", "m", "LEFT", "RIGHT"), "a")
    same(r.llen("l"), 0)
    same(r.lpos("m", "a"), 0)
    # sets
    same(r.sadd("t", "1", "2", "3"), 3)
    same(r.smembers("t"), {"1", "2", "3"})
    same(bool(r.sismember("t", "2")), True)
    r.sadd("u", "2", "3", "4")
    same(r.sinter("t", "u"), {"2", "3"})
    same(r.sunion("t", "u"), {"1", "2", "3", "4"})
    same(r.sdiff("t", "u"), {"1"})
    same(r.srem("t", "1"), 1)
    holds(r.spop("t") in {"2", "3"}, "some member")
    # sorted sets
    same(r.zadd("z", {"one": 1, "two": 2, "half": 0.5}), 3)
    same([list(p) for p in r.zrange("z", 0, -1, withscores=True)], [["half", 0.5], ["one", 1.0], ["two", 2.0]])
    same(r.zscore("z", "half"), 0.5)
    same(r.zincrby("z", 10, "half"), 10.5)
    same(r.zrank("z", "one"), 0)
    same(r.zrangebyscore("z", 1, 2), ["one", "two"])
    same([list(p) for p in r.zpopmax("z")], [["half", 10.5]])
    same(r.zcard("z"), 2)
    # streams
    same(r.xadd("x", {"f": "v", "g": "w"}, id="1-1"), "1-1")
    r.xadd("x", {"n": 2}, id="2-0")
    same(r.xlen("x"), 2)
    same(r.xrange("x"), [("1-1", {"f": "v", "g": "w"}), ("2-0", {"n": "2"})])
    same(r.xrevrange("x", count=1), [("2-0", {"n": "2"})])
    same(r.xdel("x", "1-1"), 1)
    same(r.xinfo_stream("x")["length"], 1)
    # consumer groups
    same(r.xgroup_create("x", "g", id="0"), True)
    [[stream, [(first, fields)]]] = pairs(r.xreadgroup("g", "me", {"x": ">"}, count=1))
    same((stream, first, fields), ("x", "2-0", {"n": "2"}))
    same(r.xpending("x", "g")["pending"], 1)
    same([entry for entry, _ in r.xclaim("x", "g", "you", 0, [first])], [first])
    same(r.xack("x", "g", first), 1)
    same(r.xautoclaim("x", "g", "me", 0)[0], "0-0")
    same([group["name"] for group in r.xinfo_groups("x")], ["g"])
    same(r.xread({"x": "$"}, block=1) or [], [])
    # bits, cardinalities, places
    same([r.setbit("bits", 7, 1), r.getbit("bits", 7), r.bitcount("bits")], [0, 1, 1])
    same(r.bitfield("bits").incrby("u8", 0, 255, "SAT").get("u4", 0).execute(), [255, 15])
    same([r.pfadd("hll", "a", "b", "a"), r.pfcount("hll")], [1, 2])
    same(r.geoadd("geo", (13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania")), 2)
    same(round(float(r.geodist("geo", "Palermo", "Catania", unit="km"))), 166)
    same(r.geosearch("geo", longitude=15, latitude=37, radius=100, unit="km"), ["Catania"])
    # more of sorted sets, of hashes, of sets; sorting
    same(r.zunionstore("zu", {"z": 2, "t": 1}), 3 if r.scard("t") == 1 else 4)
    same(r.zrangestore("zr", "z", 0, 0), 1)
    same(r.zmpop(1, ["zr"], min=True)[0], "zr")
    same(r.hgetex("h", "f", ex=50), ["10"])
    same(r.hsetex("h", "k", "v", ex=50), 1)
    same(r.hrandfield("h") in ("f", "k"), True)
    same(r.smismember("u", ["2", "nosuch"]), [1, 0])
    same(r.sintercard(2, ["t", "u"]), len(r.sinter("t", "u")))
    r.rpush("sort", "3", "1", "2")
    same(r.sort("sort", desc=True), ["3", "2", "1"])
    same(r.lcs("a", "b") is not None, True)
    # blocking calls that find something
    r.rpush("q", "a", "b")
    same(list(r.blpop(["nosuch", "q"], timeout=5)), ["q", "a"])
    same(r.blmove("q", "q2", 5), "b")
    # a watch that fails
    with r.pipeline() as pipe:
        pipe.watch("watched")
        RAW.set("watched", "by another")
        pipe.multi()
        pipe.set("watched", "mine")
        try:
            pipe.execute()
            holds(False, "the transaction is refused")
        except redis.WatchError:
            holds(True, "the transaction is refused")
    # pipelines
    pipe = r.pipeline(transaction=False)
    for i in range(1000):
        pipe.set(f"key:{i}", i).get(f"key:{i}")
    same(pipe.execute()[1::2], [str(i) for i in range(1000)])
    same(r.pipeline().incr("n").incr("n").execute(), [1, 2])
    same(r.transaction(lambda p: (p.get("n"), p.multi(), p.incr("n")), "n"), [3])
    same(r.blpop(["nosuch"], timeout=0.01), None)
    same(len(set(r.scan_iter("key:*", count=100))), 1000)
    same(r.type("z"), "zset")
    same(r.object("encoding", "key:1"), "int")
    same(r.rename("key:1", "k1"), True)
    same(r.copy("k1", "k2"), True)
    holds(RAW.restore("k3", 0, RAW.dump("k2")), "a copy by way of bytes")
    # errors
    for call, text in [
        (lambda: r.incr("l2" if r.rpush("l2", 1) else "", 1), "WRONGTYPE"),
        (lambda: r.execute_command("NOSUCH", "x"), "unknown command 'NOSUCH', with args beginning with: 'x'"),
        (lambda: r.execute_command("GET"), "wrong number of arguments for 'get' command"),
    ]:
        try:
            call()
            holds(False, f"{text} was expected")
        except redis.ResponseError as error:
            holds(text in str(error), str(error))
    # the server
    info = r.info()
    same(info["redis_version"], "8.0.6")
    holds(info["connected_clients"] >= 1, "somebody is connected")
    same(r.info("keyspace")["db0"]["keys"], r.dbsize())
    same(r.config_get("maxmemory")["maxmemory"], "0")
    same(r.config_set("timeout", 0), True)
    me = r.client_info()
    same(me["lib-name"], "redis-py")
    same(me["resp"], str(r.connection_pool.connection_kwargs.get("protocol") or 3))
    same(r.client_setname("tester"), True)
    same(r.client_getname(), "tester")
    holds(any(c["name"] == "tester" for c in r.client_list()), "it is listed")
    same(r.echo("hello"), "hello")
    holds(r.time()[0] > 1_700_000_000, "the time")
    holds("get" in r.command(), "the table of commands")
    same(r.command_count() > 200, True)
    same(r.memory_usage("k1") > 0, True)
    same(r.flushdb(), True)


def pairs(answer):
    """What XREAD and XREADGROUP find: a list of pairs in RESP2, a map in RESP3, whose batches are lists of lists."""
    found = answer.items() if isinstance(answer, dict) else answer
    return [[stream, entries[0] if isinstance(entries[0], list) else entries] for stream, entries in found]


RAW = redis.Redis(port=PORT)
surface(redis.Redis(port=PORT, decode_responses=True, single_connection_client=True))
surface(redis.Redis(port=PORT, decode_responses=True, protocol=2, single_connection_client=True))
for protocol in 3, 2:
    listener = redis.Redis(port=PORT, decode_responses=True, protocol=protocol).pubsub()
    listener.subscribe("news")
    listener.psubscribe("n?ws")
    same([listener.get_message(timeout=5)["type"] for _ in range(2)], ["subscribe", "psubscribe"])
    same(RAW.publish("news", "hello"), 2)
    same([listener.get_message(timeout=5)["data"] for _ in range(2)], ["hello", "hello"])
    listener.ssubscribe("shard")
    same(listener.get_message(timeout=5)["type"], "ssubscribe")
    same(RAW.execute_command("SPUBLISH", "shard", "there"), 1)
    same(listener.get_sharded_message(timeout=5)["data"], "there")
    same(RAW.pubsub_numsub("news"), [(b"news", 1)])
    listener.close()

# A cache that the server keeps right.
cached = redis.Redis(port=PORT, decode_responses=True, protocol=3, cache_config=CacheConfig())
RAW.set("cached", "old")
same([cached.get("cached"), cached.get("cached")], ["old", "old"])
RAW.set("cached", "new")
while cached.get("cached") == "old":
    pass
same(cached.get("cached"), "new")
other = redis.Redis(port=PORT, db=9, decode_responses=True)
other.set("k", "v")
same(RAW.get("k"), None)
same(other.swapdb(0, 9), True)
same(RAW.get("k"), b"v")
RAW.flushall()
print(f"redis-py {redis.__version__}: {checks} checks passed")
