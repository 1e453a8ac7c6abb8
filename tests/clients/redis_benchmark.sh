#!/usr/bin/env bash
# redis-benchmark with all its default tests, against any server: redis_benchmark.sh PORT
set -eu
port=$1
tests=0
run() {
    local out
    out=$(redis-benchmark -p "$port" -q -n 2000 "$@" 2>&1 | tr '\r' '\n')
    if grep -qiE 'error|warning' <<<"$out"; then
        printf '%s\n' "$out" >&2
        exit 1
    fi
    tests=$((tests + $(grep -c 'requests per second' <<<"$out")))
}
run
run -P 16
run -P 100 -c 20 -r 1000 -d 1000
run --threads 2
run -3 -t get,set,lrange_100
run -n 100 getex k ex 10
[ "$tests" -ge 84 ] || { echo "only $tests tests ran" >&2; exit 1; }
redis-cli -p "$port" flushall >/dev/null
echo "$(redis-benchmark --version): $tests tests passed"
