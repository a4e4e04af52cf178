"""The LMTP suite (conformance/lmtp) at the server: every case, none of them left out but those of what is not offered."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from harness import HOST, ROOT, Server

SUITE = ROOT / "conformance" / "lmtp" / "suite.py"


def ask(server, *arguments):
    """The suite's exit code, what it printed, and the cases as its JSON has them."""
    with tempfile.TemporaryDirectory() as folder:
        results = pathlib.Path(folder, "results.json")
        done = subprocess.run(
            [sys.executable, SUITE, "--host", HOST, "--port", str(server.lmtp_port), "--user", "alice@mail.example.org",
             "--user2", "bob@mail.example.org", "--unknown", "nobody@mail.example.org", "--imap", f"{HOST}:{server.imap_port}",
             "--password", "pass", "--json", results, *arguments], capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout + done.stderr, json.loads(results.read_text())["cases"]


class LmtpConformance(unittest.TestCase):
    def test_every_case_passes(self):
        with Server({"lmtp.starttls": True}) as server:
            code, output, cases = ask(server)
        self.assertEqual(code, 0, output)
        self.assertEqual([case for case in cases if case["verdict"] == "skipped"], [], output)

    def test_the_end_of_a_message_is_the_same_where_bare_lf_is_rejected(self):
        with Server({"lmtp.bare_lf": "reject"}) as server:
            code, output, _ = ask(server, "--only", "5321 4.1.1.4")
        self.assertEqual(code, 0, output)

    def test_a_case_that_does_not_hold_is_told(self):
        """Where the addresses are nobody's, the replies for them are missing."""
        with Server({"hostname": "other.example.org"}) as server:
            code, output, cases = ask(server, "--only", "data_gets_a_reply_for_each_recipient")
        self.assertEqual(code, 1, output)
        self.assertEqual([case["verdict"] for case in cases], ["failed"])


if __name__ == "__main__":
    unittest.main()
