"""`postkeep doctor` on damaged mail, without a server and beside one."""
import json
import re
import unittest

from harness import Server, message


def uid_in_name(path):
    return int(re.search(r",P=[0-9a-f]+-([0-9a-f]+)", path.name)[1], 16)


class Doctor(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.server.add_user("alice")
        self.server.add_user("bob")
        for number in range(5):
            self.server.admin("deliver", "-d", "alice", stdin=message(f"number {number}", "text").decode())

    def findings(self, *arguments, code):
        done = self.server.admin("doctor", *arguments, "--json", check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        values = [json.loads(line) for line in done.stdout.splitlines()]
        return values[:-1], values[-1]

    def damage(self):
        """One message changed, one cut."""
        files = sorted((self.server.maildir() / "cur").iterdir(), key=uid_in_name)
        self.assertEqual(len(files), 5)
        files[0].write_bytes(files[0].read_bytes().replace(b"number", b"NUMBER"))
        files[1].write_bytes(files[1].read_bytes()[:50])

    def look_repair_look(self):
        found, tally = self.findings(code=0)
        self.assertEqual((found, tally["messages"], tally["users"]), ([], 5, 1))
        self.damage()
        found, tally = self.findings(code=1)
        self.assertEqual([(one["uid"], one["state"]) for one in found], [(1, "damage"), (2, "damage")])
        found, tally = self.findings("alice", "--repair", code=0)
        self.assertEqual((tally["repaired"], tally["damage"]), (2, 0))
        self.assertEqual(self.findings(code=0)[0], [])

    def test_without_a_server(self):
        self.look_repair_look()
        index = self.server.maildir() / "index.sqlite"
        index.write_bytes(b"this is no index" * 1000)
        found, tally = self.findings(code=0)
        self.assertEqual(tally["messages"], 5)
        self.assertTrue(all("put aside" in one["what"] for one in found), found)

    def test_beside_a_server_with_a_session_in_the_mailbox(self):
        self.server.start()
        self.addCleanup(self.server.stop)
        with self.server.raw() as client:
            client.must("SELECT INBOX")
            self.look_repair_look()
            self.assertEqual(len(client.fetch_literals("1:*", "BODY.PEEK[]")), 5)

    def test_who_may_enter(self):
        self.server.maildir().chmod(0o755)
        found, tally = self.findings(code=0)
        self.assertEqual([one["state"] for one in found], ["note"])
        self.assertIn("0755", found[0]["what"])
        self.assertIn("chmod 700", found[0]["advice"])
        self.server.maildir().joinpath("cur").chmod(0o500)
        self.server.maildir().chmod(0o700)
        found, tally = self.findings(code=1)
        self.assertIn("/cur: its mode is 0500", found[0]["what"])

    def test_whom_it_does_not_know(self):
        done = self.server.admin("doctor", "nobody", check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn("nobody has no mail", done.stderr)
