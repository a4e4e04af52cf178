"""A user's quota, set by the administrator, as mail programs and the MTA meet it; and what is there when it is raised. SETQUOTA
(RFC 9208) by users whom the configuration lets."""
import json
import pathlib
import re
import smtplib
import subprocess
import tempfile
import unittest

from harness import ROOT, Server, binary, message

RUNNER = pathlib.Path(binary()).parent / "postkeep-conformance"


class Quota(unittest.TestCase):
    smoke = True

    def show(self, server, user):
        return json.loads(server.admin("quota", "show", user, "--json").stdout)

    def test_mail_is_put_off_until_there_is_room(self):
        with Server({"quota.messages": 3}) as server, server.raw() as client, server.lmtp() as lmtp:
            client.must("SELECT INBOX")
            for count in range(3):
                lmtp.sendmail("sender@example.com", ["alice"], message(f"number {count}"))
            with self.assertRaises((smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)) as refused:
                lmtp.sendmail("sender@example.com", ["alice"], message("one too many"))
            self.assertIn("452", str(refused.exception))
            self.assertIn("4.2.2", str(refused.exception))
            self.assertEqual(lmtp.sendmail("sender@example.com", ["bob"], message("bob has room")), {})
            self.assertIn(b" NO [OVERQUOTA]", client.append("INBOX", message("one too many")))
            self.assertIn(b"* QUOTA user (MESSAGE 3 3 MAILBOX 6 10000)\r\n", client.must("GETQUOTAROOT INBOX"))
            _, copied = client.command("COPY 1 INBOX")
            self.assertIn(b" NO [OVERQUOTA]", copied)
            client.must(r"STORE 1 +FLAGS (\Deleted)")
            client.must("EXPUNGE")
            lmtp.sendmail("sender@example.com", ["alice"], message("now there is room"))
            self.assertEqual(self.show(server, "alice")["messages"], 3)

    def test_the_administrator_gives_one_user_more(self):
        with Server({"quota.storage": "10K"}) as server, server.raw() as client:
            big = message("big", ("x" * 70 + "\r\n") * 200)
            self.assertIn(b" NO [OVERQUOTA]", client.append("INBOX", big))
            server.admin("quota", "set", "alice", "--storage", "1M")
            self.assertIn(b" OK", client.append("INBOX", big))
            shown = self.show(server, "alice")
            self.assertEqual((shown["limit_octets"], shown["own_octets"]), (1 << 20, 1 << 20))
            self.assertEqual(shown["octets"], len(big))
            self.assertIn("of 1.0 MiB", server.admin("quota", "show", "alice").stdout)
            server.admin("quota", "set", "alice", "--storage", "default")
            self.assertIn(b" NO [OVERQUOTA]", client.append("INBOX", message("small")))


class SetQuota(unittest.TestCase):
    show = Quota.show

    def set_lines(self, server):
        return re.findall("event=quota_set.*", server.log.read_text())

    def test_by_imap_as_by_the_command_line(self):
        with Server({"quota.messages": 2, "imap.quota_admins": ["Boss"]}, users=("alice", "bob", "boss")) as server:
            with server.raw("boss") as boss, server.raw("bob") as bob, server.lmtp() as lmtp:
                self.assertIn(b" QUOTASET ", boss.must("CAPABILITY")[0])
                self.assertNotIn(b"QUOTASET", bob.must("CAPABILITY")[0])
                self.assertEqual(boss.must("GETQUOTA user/bob"), [b"* QUOTA user/bob (MESSAGE 0 2 MAILBOX 6 10000)\r\n"])
                self.assertEqual(boss.must("SETQUOTA user/BOB (STORAGE 512 MESSAGE 1)"),
                                 [b"* QUOTA user/BOB (STORAGE 0 512 MESSAGE 0 1 MAILBOX 6 10000)\r\n"])
                lmtp.sendmail("sender@example.com", ["bob"], message("there is room for one"))
                with self.assertRaises((smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)):
                    lmtp.sendmail("sender@example.com", ["bob"], message("and no more"))
                self.assertIn(b" NO [OVERQUOTA]", bob.append("INBOX", message("and no more")))
                shown = self.show(server, "bob")
                self.assertEqual((shown["own_octets"], shown["own_messages"]), (512 * 1024, 1))
                # What is not named has no limit: that of the configuration neither.
                self.assertEqual(boss.must("SETQUOTA user/bob ()"), [b"* QUOTA user/bob (MAILBOX 6 10000)\r\n"])
                for count in range(3):
                    self.assertIn(b" OK", bob.append("INBOX", message(f"room again {count}")))
                shown = self.show(server, "bob")
                self.assertEqual((shown["own_octets"], shown["own_messages"], shown["limit_messages"]), (0, 0, None))
                server.admin("quota", "set", "bob", "--storage", "1M", "--messages", "default")
                told = boss.must("GETQUOTA user/bob")[0].decode()
                self.assertRegex(told, r"^\* QUOTA user/bob \(STORAGE [1-9]\d* 1024 MESSAGE 4 2 MAILBOX 6 10000\)\r\n$")
                self.assertEqual(self.show(server, "alice")["limit_messages"], 2)
            first, second = self.set_lines(server)
            for field in ("user=boss", "on=bob", "octets=524288", "messages=1", "octets_before=default", "messages_before=default"):
                self.assertIn(" " + field, first)
            for field in ("user=boss", "on=bob", "octets=none", "messages=none", "octets_before=524288", "messages_before=1"):
                self.assertIn(" " + field, second)

    def test_limits_last(self):
        with Server({"imap.quota_admins": ["alice"]}) as server:
            with server.raw() as client:
                client.must("SETQUOTA user/bob (MESSAGE 1)")
            server.stop()
            server.start()
            with server.raw("bob") as bob:
                self.assertIn(b" OK", bob.append("INBOX", message("one")))
                self.assertIn(b" NO [OVERQUOTA]", bob.append("INBOX", message("two")))
                self.assertIn(b"(MESSAGE 1 1 MAILBOX 6 10000)", bob.must("GETQUOTA user")[0])

    def test_nobody_else_may(self):
        with Server({"imap.quota_admins": ["alice"]}) as server, server.raw("bob") as bob:
            for root in ("user", "user/bob", "user/alice", "user/nobody"):
                self.assertIn(b" NO [NOPERM]", bob.command(f"SETQUOTA {root} (MESSAGE 1)")[1])
            for root in ("user/bob", "user/alice", "user/nobody"):
                untagged, tagged = bob.command(f"GETQUOTA {root}")
                self.assertEqual((untagged, tagged.split(b" ", 1)[1]), ([], b"NO [NONEXISTENT] No such quota root\r\n"))
            self.assertEqual(self.set_lines(server), [])

    def test_a_reload_makes_administrators_of_new_sessions(self):
        with Server() as server, server.raw() as before:
            server.settings["imap.quota_admins"] = ["alice"]
            server.write_config()
            server.admin("reload")
            self.assertIn(b" NO [NOPERM]", before.command("SETQUOTA user/bob (MESSAGE 1)")[1])
            with server.raw() as after:
                after.must("SETQUOTA user/bob (MESSAGE 1)")

    def test_the_conformance_suite_as_an_administrator(self):
        """The cases that need QUOTASET, which test_conformance.py cannot ask for: user one is one who may set limits."""
        with Server({"imap.quota_admins": ["one"]}, users=("one", "two")) as server, tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder, "report.json")
            done = subprocess.run([RUNNER, "--folder", ROOT / "conformance", "--user", "one", "--password", "pass", "--user2", "two",
                                   "--password2", "pass", "--port", str(server.imap_port), "--only", "rfc9208/*", "--json", report],
                                  capture_output=True, text=True, timeout=300)
            self.assertEqual(done.returncode, 0, done.stdout[-20000:])
            cases = json.loads(report.read_text())["cases"]
        # Limits that cannot be set here; all else is asked.
        skipped = {case["case"].split("/")[-1] for case in cases if case["verdict"] == "skipped"}
        self.assertEqual(skipped, {"of-mailboxes", "of-annotations"})
        self.assertGreater(len(cases), 50)


if __name__ == "__main__":
    unittest.main()
