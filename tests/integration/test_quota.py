"""A user's quota, set by the administrator, as mail programs and the MTA meet it; and what is there when it is raised."""
import json
import smtplib
import unittest

from harness import Server, message


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


if __name__ == "__main__":
    unittest.main()
