#!/usr/bin/env python3
"""Runs the integration tests against one server binary.

run.py --binary PATH [--smoke] [--on-disk] [--jobs N] [NAME...]    NAME picks tests whose id contains it.
The classes run beside each other, N at once, each in a process of its own and with ports of its own. Their mail is kept in memory
where there is room for it, unless a class says `on_disk = True`: waiting for syncs is most of the time of all others, and proves
nothing there. With CI set in the environment a skipped test is a failure: CI has everything that the tests need.
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from neighbours import MEMORY  # noqa: E402

# Harness.free_port() takes from these; below the ports that the system gives to outgoing connections.
FIRST_PORT, LAST_PORT, PORTS_EACH = 10_000, 32_000, 400
MEMORY_BYTES = 4 << 30  # must be free, or the mail of all tests is on the disk


def each_test(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from each_test(item)
        else:
            yield item


def class_of(test):
    """The name of the class, or of the module that could not be loaded."""
    return test.id().rpartition(".")[0]


def chosen_tests(options):
    for test in each_test(unittest.defaultTestLoader.discover(str(HERE), pattern="test_*.py")):
        if options.only and class_of(test) != options.only:
            continue
        if options.names and not any(name in test.id() for name in options.names):
            continue
        if options.smoke and not getattr(test, "smoke", False):
            continue
        yield test


def run_here(tests):
    """Runs them in this process, the tally as its last line."""
    result = unittest.TextTestRunner(verbosity=2).run(unittest.TestSuite(tests))
    for test, reason in result.skipped:
        print(f"skipped: {test.id()}: {reason}")
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    print(f"tally: {result.testsRun - failed - len(result.skipped)} {failed} {len(result.skipped)}")
    return 1 if failed else 0


def temporary_folder(on_disk):
    if not on_disk and MEMORY and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES:
        return MEMORY
    return tempfile.gettempdir()


def run_class(name, ports, folder, options):
    """Runs one class in a process of its own; returns its passed, failed and skipped tests, and what it printed."""
    command = [sys.executable, __file__, "--binary", options.binary, "--only", name]
    command += ["--smoke"] * options.smoke + options.names
    started = time.monotonic()
    done = subprocess.run(command, env=dict(os.environ, POSTKEEP_TEST_PORTS=f"{ports}-{ports + PORTS_EACH}", TMPDIR=folder),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    tally = re.search(r"^tally: (\d+) (\d+) (\d+)$", done.stdout, re.M)
    passed, failed, skipped = map(int, tally.groups()) if tally else (0, 1, 0)
    if done.returncode and not failed:
        failed = 1  # it died after its tests
    text = re.sub(r"^tally: .*\n", "", done.stdout, flags=re.M)
    return passed, failed, skipped, f"-- {name}: {time.monotonic() - started:.0f} s\n{text}"


def run_all(options):
    # Those that take long begin first, so that none is left to run alone at the end.
    chosen = sorted(chosen_tests(options), key=lambda test: not getattr(test, "takes_long", False))
    tests = collections.Counter(class_of(test) for test in chosen)
    on_disk = {class_of(test) for test in chosen if options.on_disk or getattr(test, "on_disk", False)}
    passed = failed = skipped = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        ports = range(FIRST_PORT, LAST_PORT - PORTS_EACH, PORTS_EACH)
        runs = [pool.submit(run_class, name, port, temporary_folder(name in on_disk), options) for name, port in zip(tests, ports)]
        for run in concurrent.futures.as_completed(runs):
            more_passed, more_failed, more_skipped, text = run.result()
            passed, failed, skipped = passed + more_passed, failed + more_failed, skipped + more_skipped
            print(text, flush=True)
    if skipped and os.environ.get("CI"):
        print("a skipped test is a failure in CI")
        failed += skipped
    if passed + failed + skipped < sum(tests.values()):
        print("not every test was run")
        failed += 1
    print(f"integration: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not tests else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--smoke", action="store_true", help="only what a slow build can do quickly")
    parser.add_argument("--on-disk", action="store_true", help="keep the mail of all tests on the disk")
    parser.add_argument("--jobs", type=int, default=(os.cpu_count() or 1) + 1, help="the classes wait a lot for the disk")
    parser.add_argument("--only", metavar="CLASS", help="run this one class, in this process")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()

    os.environ["POSTKEEP_BINARY"] = str(pathlib.Path(options.binary).resolve())
    if options.smoke:
        os.environ["POSTKEEP_SMOKE"] = "1"
    return run_here(chosen_tests(options)) if options.only else run_all(options)


if __name__ == "__main__":
    sys.exit(main())
