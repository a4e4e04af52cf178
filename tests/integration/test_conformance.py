"""The conformance suite (conformance/) at the server: every case, as IMAP4rev1 and IMAP4rev2, plain and under TLS. Every clause that
binds a server has a case or a reason why not, and docs/rfc9051-coverage.md is what the suite says of itself."""
import pathlib
import subprocess
import unittest

from harness import ROOT, Server, binary

PROGRAM = pathlib.Path(binary()).parent / "postkeep-conformance"


class Conformance(unittest.TestCase):
    def run_suite(self, *arguments):
        with Server(users=("one", "two")) as server:
            done = subprocess.run([PROGRAM, "--user", "one", "--password", "pass", "--user2", "two", "--password2", "pass",
                                   "--deliver-lmtp", f"127.0.0.1:{server.lmtp_port}", "--server-name", "Postkeep",
                                   "--port", str(server.imaps_port if "--tls" in arguments else server.imap_port), *arguments],
                                  capture_output=True, timeout=900)
            self.assertEqual(done.returncode, 0, done.stdout.decode(errors="replace")[-20000:])

    def test_rev1(self):
        self.run_suite("--mode", "rev1")

    def test_rev2_under_tls(self):
        self.run_suite("--mode", "rev2", "--tls")

    def test_every_clause_is_proved_or_said_why_not(self):
        done = subprocess.run([PROGRAM, "--check"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_the_table_of_clauses_is_current(self):
        page = ROOT / "docs" / "rfc9051-coverage.md"
        made = subprocess.run([PROGRAM, "--coverage", "/dev/stdout"], capture_output=True, text=True).stdout
        self.assertTrue(page.read_text().endswith(made), f"make it anew: {PROGRAM} --coverage FILE, below its heading")


if __name__ == "__main__":
    unittest.main()
