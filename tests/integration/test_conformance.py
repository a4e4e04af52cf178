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


def never_run(cases):
    """The reasons of the cases that were skipped in both modes."""
    ran = {case["case"] for case in cases if case["verdict"] != "skipped"}
    return {case["reason"] for case in cases if case["case"] not in ran}


# The modes run beside each other, since most of the time is waiting for the disk.
USERS = {"rev1": ("one", "two"), "rev2": ("three", "four")}


class Conformance(unittest.TestCase):
    takes_long = True

    def run_suite(self, *arguments):
        """Asks by IMAP in both modes; returns the cases of both as the runner's JSON has them."""
        with tempfile.TemporaryDirectory() as folder, Server(users=[user for pair in USERS.values() for user in pair]) as server:
            runs = {mode: self.start(server, mode, pathlib.Path(folder, mode), *arguments) for mode in USERS}
            output = {mode: run.communicate(timeout=1800)[0] for mode, run in runs.items()}
            for mode, run in runs.items():
                self.assertEqual(run.returncode, 0, output[mode].decode(errors="replace")[-20000:])
            return [case for mode in USERS for case in json.loads(pathlib.Path(folder, mode).read_text())["cases"]]

    def start(self, server, mode, results, *arguments):
        user, user2 = USERS[mode]
        return subprocess.Popen([PROGRAM, "--user", user, "--password", "pass", "--user2", user2, "--password2", "pass",
                                 "--deliver-lmtp", f"127.0.0.1:{server.lmtp_port}", "--server-name", "Postkeep",
                                 "--port", str(server.imaps_port if "--tls" in arguments else server.imap_port),
                                 "--mode", mode, "--protocol", "imap", "--json", results, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def test_plain(self):
        """Nothing is left out: a capability that was lost would skip its cases."""
        self.assertEqual(never_run(self.run_suite()), NEVER_RUN)

    def test_under_tls(self):
        self.run_suite("--tls", "--only", QUICK)

    def test_compressed(self):
        self.run_suite("--compress", "--only", QUICK)

    def test_compressed_under_tls(self):
        self.run_suite("--tls", "--compress", "--only", QUICK)

    def test_by_starttls(self):
        self.run_suite("--starttls", "--only", "*/6.1-*")

    def run_pop3(self, settings, *arguments):
        with tempfile.TemporaryDirectory() as folder, Server(settings, users=("one", "two")) as server:
            results = pathlib.Path(folder, "results")
            port = server.imaps_port if "--tls" in arguments else server.imap_port
            pop3_port = server.pop3s_port if "--tls" in arguments else server.pop3_port
            done = subprocess.run([PROGRAM, "--user", "one", "--password", "pass", "--user2", "two", "--password2", "pass",
                                   "--port", str(port), "--pop3-port", str(pop3_port), "--protocol", "pop3", "--mode", "rev1",
                                   "--json", results, *arguments], capture_output=True, timeout=600)
            self.assertEqual(done.returncode, 0, done.stdout.decode(errors="replace")[-20000:])
            return json.loads(results.read_text())["cases"]

    def test_pop3(self):
        """RFC 6856 §2.1 is kept to if it is asked for; and nothing is left out."""
        cases = self.run_pop3({"pop3.utf8_messages": "refuse"})
        self.assertGreater(len(cases), 90)
        self.assertEqual([case for case in cases if case["verdict"] == "skipped"], [])

    def test_pop3_under_tls_and_by_stls(self):
        self.assertIn("needs STLS", never_run(self.run_pop3({}, "--tls", "--only", "rfc[25]*")))
        self.run_pop3({}, "--starttls", "--only", "rfc5034/*")

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
