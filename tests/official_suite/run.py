#!/usr/bin/env python3
"""Runs the official suite's units that are listed in passing.txt, and fails if a test is lost that passes today.

    tests/official_suite/run.py [--server BIN] [--update] [UNIT ...]

Needs ../shared/tools/suite (its README says what that needs); without it there is nothing to run, which is no failure.
passing.txt has for each unit how many tests pass of those that pass with the real server, and below it the names of those
that don't; behind `not run:` those that need what is not there yet and leave the server so that others fail. `--update` writes what passes now. Tests go on behind one that ends in an unexpected error (`--durable`): the
suite itself would end the unit there, and hide what comes behind.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SUITE = os.path.join(ROOT, os.environ.get("RESNAP_SUITE", "../shared/tools/suite/suite.py"))
LIST = os.path.join(HERE, "passing.txt")
VERSION = "redis-8.0.6"


NOT_RUN = "not run: "


def read_list():
    """Units in order and the names of tests that do not pass; and which of these are not run."""
    head, units, unit, not_run = [], {}, None, []
    for line in open(LIST, encoding="utf-8"):
        line = line.rstrip("\n")
        if line.startswith("unit/") or line.startswith("integration/"):
            unit = units.setdefault(line.split()[0], [])
        elif line.startswith("  ") and unit is not None:
            name = line.strip()
            if name.startswith(NOT_RUN):
                name = name.removeprefix(NOT_RUN)
                not_run.append(name)
            unit.append(name)
        else:
            head.append(line)
    return head, units, not_run


def run(server, units, jobs, not_run):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "result.json")
        command = [sys.executable, SUITE, "--server", server, "--suite", VERSION, "--units", ",".join(units),
                   "--jobs", str(jobs), "--durable", "--timeout-per-unit", "240", "--out", out]
        for name in not_run:
            command += ["--runtest-arg=--skiptest", f"--runtest-arg={name}"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        with open(out, encoding="utf-8") as file:
            return json.load(file)["units"]


def missing(result):
    return sorted({" ".join(name.split()) for name in result["failed"] + result["never_ran"]})


def lost(results, known):
    return {unit: names for unit, result in results.items()
            if (names := [name for name in missing(result) if name not in known[unit]])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=os.path.join(ROOT, "target/debug/resnap"))
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("units", nargs="*")
    args = parser.parse_args()
    if not os.path.exists(SUITE):
        print("the official suite is not here")
        return 0
    head, known, not_run = read_list()
    units = args.units or list(known)
    for unit in units:
        known.setdefault(unit, [])
    results = run(os.path.abspath(args.server), units, args.jobs, not_run)
    failures = lost(results, known)
    if failures and not args.update:
        # Some tests depend on time: once more, alone, before a loss is believed.
        again = run(os.path.abspath(args.server), list(failures), 1, not_run)
        results.update(again)
        failures = lost(again, known)
    for unit in units:
        result = results[unit]
        gained = [name for name in known[unit] if name not in missing(result)]
        print(f"{unit:32} {result['passed']}/{result['reference']}"
              + "".join(f"\n  LOST {name}" for name in failures.get(unit, []) if not args.update)
              + "".join(f"\n  gained {name}" for name in gained))
    if args.update:
        known.update({unit: missing(results[unit]) for unit in units})
        counts = {line.split()[0]: line for line in open(LIST, encoding="utf-8").read().split("\n") if "/" in line}
        counts.update({unit: f"{unit} {results[unit]['passed']}/{results[unit]['reference']}" for unit in units})
        lines = [line for line in head if line]
        for unit, names in known.items():
            lines += [counts[unit]] + [f"  {NOT_RUN if name in not_run else ''}{name}" for name in names]
        open(LIST, "w", encoding="utf-8").write("\n".join(lines) + "\n")
        return 0
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
