#!/usr/bin/env python3
"""Do the conformance suites notice what is wrong? Starts a build with seeded faults (cmake --preset faults) once for each of them, and asks
the cases that prove the clause which it breaks: at least one must fail. Without a fault all of them must pass. What caught which is
docs/seeded-faults.md; --write makes that page anew, otherwise it must say the same."""
import argparse
import importlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "seeded-faults.md"
LMTP_SUITE = ROOT / "conformance" / "lmtp" / "suite.py"
ROW = re.compile(r'FAULT\((\w+), "([^"]+)", "((?:[^"\\]|\\.)*)"\)')

HEAD = """# Seeded faults

Can the conformance suites fail? A build that is not shipped (`cmake --preset faults`) has mistakes that a server could have, one switch each
(`POSTKEEP_FAULT=name` in the environment); they stand in `protocol/base/seeded_fault.h`. Each has to make a case fail which is named for the clause that it
breaks. `tests/integration/seeded_faults.py --binary build/faults/postkeep` tries them all and, with `--write`, made this page; `./dev test --all` runs it.

| Fault | Breaks | What goes wrong | Caught by |
|---|---|---|---|
"""


def faults():
    """(name, clause, what goes wrong) of each."""
    text = (ROOT / "protocol" / "base" / "seeded_fault.h").read_text()
    return [(name, clause, wrong.replace("\\\\", "\\").replace('\\"', '"')) for name, clause, wrong in ROW.findall(text)]


def proving_cases():
    """Clause to the cases that prove it, as the runner names them."""
    cases = {}
    scripts = ROOT / "conformance" / "scripts"
    for path in sorted(scripts.rglob("*.script")):
        name = None
        for line in path.read_text().splitlines():
            if line.startswith("case "):
                name = f"{path.relative_to(scripts).with_suffix('')}/{line[5:].strip()}"
            elif line.strip().startswith("proves "):
                for clause in line.split()[1:]:
                    cases.setdefault(clause, []).append(name)
    sys.path.insert(0, str(LMTP_SUITE.parent))
    for section, _, function in importlib.import_module("cases").CASES:
        cases.setdefault(section, []).append(f"lmtp/{function.__name__}")
    return cases


def command(runner, server, case):
    """Asks a server for one case."""
    lmtp = f"127.0.0.1:{server.lmtp_port}"
    if case.startswith("lmtp/"):
        return [sys.executable, LMTP_SUITE, "--host", "127.0.0.1", "--port", str(server.lmtp_port), "--user", "one@mail.example.org",
                "--user2", "two@mail.example.org", "--unknown", "nobody@mail.example.org", "--imap", f"127.0.0.1:{server.imap_port}",
                "--password", "pass", "--only", case[5:]]
    return [runner, "--folder", ROOT / "conformance", "--user", "one", "--password", "pass", "--user2", "two", "--password2", "pass",
            "--deliver-lmtp", lmtp, "--port", str(server.imap_port), "--pop3-port", str(server.pop3_port), "--only", case, "--quiet"]


def failed_cases(runner, cases):
    """Asks a server for these cases, by IMAP in both modes. Those that failed."""
    from harness import Server
    failed = []
    settings = {"lmtp.starttls": True, "pop3.utf8_messages": "refuse"}
    with Server(settings, users=("one", "two")) as server, tempfile.NamedTemporaryFile() as results:
        for case in cases:
            done = subprocess.run([*command(runner, server, case), "--json", results.name], capture_output=True, text=True, timeout=300)
            if done.returncode not in (0, 1):
                sys.exit(f"{case}: {done.stdout}{done.stderr}")
            verdicts = [one["verdict"] for one in json.load(open(results.name))["cases"]]
            if not verdicts:
                sys.exit(f"{case}: the runner knows no such case")
            if "failed" in verdicts:
                failed.append(case)
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("names", nargs="*", help="only these faults")
    arguments = parser.parse_args()
    binary = pathlib.Path(arguments.binary).resolve()
    os.environ["POSTKEEP_BINARY"] = str(binary)
    os.environ.pop("POSTKEEP_FAULT", None)
    runner = binary.parent / "postkeep-conformance"
    cases = proving_cases()
    chosen = [fault for fault in faults() if not arguments.names or fault[0] in arguments.names]
    wrong = []

    everything = sorted({case for _, clause, _ in chosen for case in cases.get(clause, [])})
    for case in failed_cases(runner, everything):
        wrong.append(f"{case} fails without a fault")

    rows = ""
    for name, clause, text in chosen:
        os.environ["POSTKEEP_FAULT"] = name
        caught = failed_cases(runner, cases.get(clause, []))
        os.environ.pop("POSTKEEP_FAULT")
        print(f"{name} ({clause}): {len(caught)} of {len(cases.get(clause, []))} cases", flush=True)
        if caught:
            rows += f"| {name} | {clause} | {text} | {', '.join(f'`{case}`' for case in caught)} |\n"
        else:
            wrong.append(f"{name} ({clause}) is not caught")
    page = HEAD + rows + f"\n{len(chosen)} faults, {rows.count(chr(10))} of them caught.\n"
    if arguments.write and not wrong and not arguments.names:
        PAGE.write_text(page)
    elif not arguments.names and not wrong and page != PAGE.read_text():
        wrong.append("docs/seeded-faults.md says something else: make it anew with --write")
    print("\n".join(wrong) or f"{len(chosen)} faults, all caught")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
