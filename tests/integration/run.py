#!/usr/bin/env python3
"""Runs the integration tests against one server binary.

run.py --binary PATH [--smoke] [NAME...]    NAME picks tests whose id contains it.
With CI set in the environment a skipped test is a failure: CI has everything that the tests need.
"""
import argparse
import os
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


def each_test(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from each_test(item)
        else:
            yield item


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--smoke", action="store_true", help="only what a slow build can do quickly")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()

    os.environ["POSTKEEP_BINARY"] = str(pathlib.Path(options.binary).resolve())
    if options.smoke:
        os.environ["POSTKEEP_SMOKE"] = "1"
    suite = unittest.TestSuite()
    for test in each_test(unittest.defaultTestLoader.discover(str(HERE), pattern="test_*.py")):
        if options.names and not any(name in test.id() for name in options.names):
            continue
        if options.smoke and not getattr(test, "smoke", False):
            continue
        suite.addTest(test)

    result = unittest.TextTestRunner(verbosity=2).run(suite)
    for test, reason in result.skipped:
        print(f"skipped: {test.id()}: {reason}")
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    passed = result.testsRun - failed - skipped
    if skipped and os.environ.get("CI"):
        print("a skipped test is a failure in CI")
        failed += skipped
    print(f"integration: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or result.testsRun == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
