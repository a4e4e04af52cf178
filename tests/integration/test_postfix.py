"""Postfix in front of Postkeep as docs/postfix.md has it: all of lists/ in by SMTP, over to us by LMTP, out by IMAP."""
import concurrent.futures
import re
import unittest

from harness import (HOST, Server, assert_same_messages, eventually, mbox_messages, message, on_the_wire, stored_form,
                     without_fields)
from postfix import Postfix, guide_blocks, put, server_settings

USERS = ("alice", "bob", "carol", "dave", "erin")

# What Postkeep and Postfix put in front of each message, and nothing else.
TRACE = re.compile(rb"""\A
    Return-Path:[ ]<sender@example\.com>\r\n
    (?:Delivered-To:[ ]\w+\r\n)?
    Received:[ ]from[ ]mail\.example\.org(?:[ ]\(\[127\.0\.0\.1\]\))?\r\n
    \tby[ ]mail\.example\.org[ ]\(Postkeep\)[ ]with[ ]LMTP[ ]id[ ]\w+(?:\r\n\tfor[ ]<\w+@example\.org>)?;\r\n\t[^\r\n]+\r\n
    Received:[ ]from[ ]client\.example\.com[ ]\(unknown[ ]\[127\.0\.0\.2\]\)\r\n
    \tby[ ]mail\.example\.org[ ]\(Postfix\)[ ]with[ ]ESMTP[ ]id[ ]\w+(?:\r\n\tfor[ ]<\w+@example\.org>)?;(?:[ ]|\r\n\t)[^\r\n]+\r\n
    """, re.X)

DROPPED = ("bcc", "content-length", "resent-bcc", "return-path")  # its message_drop_headers


def address(user):
    return f"{user}@example.org"


def recipients(index):
    """Each message goes to one user in turn, every tenth to three of them."""
    count = 3 if index % 10 == 0 else 1
    return [USERS[(index + i) % len(USERS)] for i in range(count)]


class PostfixDelivers(unittest.TestCase):
    takes_long = True
    smoke = False
    maxDiff = 2000

    def settings_by(self, way, server, postfix):
        """The guide's main.cf with this test's port, and in its place the guide's other line for the Unix socket."""
        tcp, unix, *_ = guide_blocks("/etc/postfix/main.cf")
        if way == "tcp":
            return put(tcp, "inet:127.0.0.1:24\n", f"inet:127.0.0.1:{server.lmtp_port}\n")
        return put(tcp, "virtual_transport = lmtp:inet:127.0.0.1:24\n", unix)

    def send_all(self, postfix, messages):
        def send_some(start, step=8):
            with postfix.smtp() as smtp:
                for index in range(start, len(messages), step):
                    refused = smtp.sendmail("sender@example.com", [address(u) for u in recipients(index)], messages[index])
                    self.assertEqual(refused, {})
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(send_some, range(8)))
        self.assertTrue(eventually(lambda: not postfix.waiting(), 60), postfix.log()[-3000:])

    def read_all(self, server, user):
        with server.raw(user) as client:
            client.must("EXAMINE INBOX")
            return list(client.fetch_literals("1:*", "BODY.PEEK[]").values())

    def without_trace(self, got):
        found = TRACE.match(got)
        self.assertTrue(found, got[:1500])
        return got[found.end():]

    def delivers_everything_once(self, way):
        messages = [text for _, text in mbox_messages()]
        with Postfix() as postfix, self.server(postfix, way) as server:
            postfix.start(self.settings_by(way, server, postfix))
            self.send_all(postfix, messages)
            for user in USERS:
                expected = [without_fields(stored_form(on_the_wire(text)), *DROPPED)
                            for index, text in enumerate(messages) if user in recipients(index)]
                got = [self.without_trace(text) for text in self.read_all(server, user)]
                assert_same_messages(self, got, expected)
            self.assertNotRegex(postfix.log(), r"status=(deferred|bounced)")
            self.asks_before_it_accepts(postfix)
            self.bounces_to_its_own(postfix, server)
            self.waits_while_we_are_down(postfix, server)

    def server(self, postfix, way):
        settings = server_settings()
        if way == "unix":
            settings["listen.lmtp"] = [f"unix:{postfix.lmtp_socket}"]
        return Server(settings, users=USERS)

    def asks_before_it_accepts(self, postfix):
        """Mail from outside to nobody is refused at RCPT, beside mail to somebody."""
        with postfix.smtp() as smtp:
            smtp.ehlo()
            smtp.mail("sender@example.com")
            self.assertEqual(smtp.rcpt("alice+lists@example.org")[0], 250)
            code, text = smtp.rcpt("nobody@example.org")
            self.assertEqual(code, 550, text)
            self.assertIn(b"5.1.1 <nobody@example.org>", text)
            self.assertIn(b"No such user here", text)
            code, text = smtp.rcpt("alice@elsewhere.example")
            self.assertIn(code, (454, 554), text)  # no open relay

    def bounces_to_its_own(self, postfix, server):
        """This machine's own mail to nobody comes back with our answer in it."""
        before = len(self.read_all(server, "alice"))
        with postfix.smtp(source=HOST) as smtp:
            smtp.sendmail(address("alice"), [address("nobody")], message("to nobody"))
        self.assertTrue(eventually(lambda: len(self.read_all(server, "alice")) > before, 20), postfix.log()[-3000:])
        bounce = self.read_all(server, "alice")[-1]
        self.assertIn(b"\r\nStatus: 5.1.1\r\n", bounce)
        self.assertIn(b"No such user here", bounce)

    def waits_while_we_are_down(self, postfix, server):
        """Mail from outside to somebody known is accepted, kept, and delivered when we are back."""
        server.stop()
        with postfix.smtp() as smtp:
            smtp.sendmail("sender@example.com", [address("erin")], message("while down"))
        self.assertTrue(eventually(lambda: "status=deferred" in postfix.log(), 30), postfix.log()[-3000:])
        server.start()

        def all_tried():
            # Its own next look may pass over a message that is just being put off, and the one after that be far away.
            postfix.flush()
            return eventually(lambda: not postfix.waiting(), 3)

        self.assertTrue(eventually(all_tried, 60), postfix.log()[-3000:])
        late = [text for text in self.read_all(server, "erin") if b"Subject: while down\r\n" in text]
        self.assertEqual([self.without_trace(text) for text in late], [message("while down")])

    def test_by_tls(self):
        tls = guide_blocks("/etc/postfix/main.cf")[-1]
        self.assertIn("tls", tls)
        with Postfix() as postfix, Server({**server_settings(), "lmtp.starttls": True}, users=USERS) as server:
            postfix.start(self.settings_by("tcp", server, postfix) + tls)
            with postfix.smtp() as smtp:
                smtp.sendmail("sender@example.com", [address("alice")], message("by TLS"))
            self.assertTrue(eventually(lambda: self.read_all(server, "alice"), 30), postfix.log()[-3000:])
            self.assertIn(b" (Postkeep) with LMTPS id ", self.read_all(server, "alice")[0])

    def test_by_tcp(self):
        self.delivers_everything_once("tcp")

    def test_by_unix_socket(self):
        self.delivers_everything_once("unix")


if __name__ == "__main__":
    unittest.main()
