"""The conformance suite (conformance/) at the server: every case, as IMAP4rev1 and IMAP4rev2, plain and under TLS. Every clause that
binds a server has a case or a reason why not, and the pages in docs/ are what the programs say of themselves."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import seeded_faults
from harness import ROOT, Server, binary

PROGRAM = pathlib.Path(binary()).parent / "postkeep-conformance"

# Only one way to ask is whole: what a session says hardly depends on TLS and compression. POSTKEEP_LONG=1 asks all by all.
QUICK = "*" if os.environ.get("POSTKEEP_LONG") else "rfc9051/6.4*"

WRONG = {
    "requirements/x.txt": "1-1-1  MUST  server\n  Count.\n",
    "fixtures/plain.eml": "Subject: x\r\n\r\nx\r\n",
    "scripts/x.script": "script X\ncase c\n  given $box: plain\n  A: SELECT $box\n    * 3 EXISTS\n    OK\n  proves 1-1-1\n",
}


# What Postkeep does not offer to the users of the suite. QUOTASET is asked for by test_quota.
NEVER_RUN = {"needs LITERAL-", "needs AUTH=CRAM-MD5", "needs QUOTASET"}


def never_run(results):
    """The reasons of the cases that were skipped in both modes."""
    ran = {case["case"] for case in results["cases"] if case["verdict"] != "skipped"}
    return {case["reason"] for case in results["cases"] if case["case"] not in ran}


class Conformance(unittest.TestCase):
    def run_suite(self, *arguments):
        with Server(users=("one", "two")) as server:
            done = subprocess.run([PROGRAM, "--user", "one", "--password", "pass", "--user2", "two", "--password2", "pass",
                                   "--deliver-lmtp", f"127.0.0.1:{server.lmtp_port}", "--server-name", "Postkeep",
                                   "--port", str(server.imaps_port if "--tls" in arguments else server.imap_port), *arguments],
                                  capture_output=True, timeout=1800)
            self.assertEqual(done.returncode, 0, done.stdout.decode(errors="replace")[-20000:])

    def test_plain(self):
        """Nothing is left out: a capability that was lost would skip its cases."""
        with tempfile.NamedTemporaryFile() as results:
            self.run_suite("--json", results.name)
            self.assertEqual(never_run(json.load(results)), NEVER_RUN)

    def test_under_tls(self):
        self.run_suite("--tls", "--only", QUICK)

    def test_compressed(self):
        self.run_suite("--compress", "--only", QUICK)

    def test_compressed_under_tls(self):
        self.run_suite("--tls", "--compress", "--only", QUICK)

    def test_by_starttls(self):
        self.run_suite("--starttls", "--only", "*/6.1-*")

    def test_a_wrong_expectation_is_shown_with_its_clause_and_what_was_said(self):
        with tempfile.TemporaryDirectory() as folder, Server(users=("one",)) as server:
            for name, text in WRONG.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, newline="")
            done = subprocess.run([PROGRAM, "--folder", folder, "--user", "one", "--password", "pass", "--mode", "rev1",
                                   "--port", str(server.imap_port)], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1, done.stdout)
        for shown in ("did not come: line 5: * 3 EXISTS", "1-1-1 MUST: Count.", "A C: a1 SELECT conf-1-box", "A S: * 1 EXISTS"):
            self.assertIn(shown, done.stdout)

    def test_every_clause_is_proved_or_said_why_not(self):
        done = subprocess.run([PROGRAM, "--check"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_the_page_of_seeded_faults_has_all(self):
        page = seeded_faults.PAGE.read_text()
        for name, clause, wrong in seeded_faults.faults():
            self.assertIn(f"| {name} | {clause} | {wrong} | `", page)
        self.assertIn(f"\n{len(seeded_faults.faults())} faults, {len(seeded_faults.faults())} of them caught.\n", page)

    def test_the_pages_that_programs_write_are_current(self):
        done = subprocess.run([sys.executable, ROOT / "docs" / "make_pages.py", "--check", PROGRAM.parent], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""), f"./dev docs makes them anew: {done.stderr}")


if __name__ == "__main__":
    unittest.main()
