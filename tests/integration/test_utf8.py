"""UTF8=ACCEPT (RFC 9755): what the conformance scripts cannot ask of every server: headers in 8 bits from clients that have not enabled it,
by either setting, and what RFC 6855 had and RFC 9755 has no more."""
import re
import unittest

from harness import OneServer, Server, eventually

PLAIN = b"Subject: plain\r\n\r\nna\xc3\xafve\r\n"
LATIN = b"From: Ren\xe9 <rene@example.org>\r\nSubject: old mail\r\n\r\nbody\r\n"
UTF8 = "Subject: gr\u00f6\u00dfer\r\n\r\nbody\r\n".encode()
FOLDED = b"A: b\r\nSubject: x\r\n caf\xc3\xa9\r\n\r\nbody\r\n"


def messages_in(client, mailbox="INBOX"):
    return int(re.search(rb"MESSAGES (\d+)", client.must(f"STATUS {mailbox} (MESSAGES)")[0]).group(1))


class Accepted(unittest.TestCase):
    """The default: programs that move old mail know nothing of UTF8=ACCEPT."""

    def test_old_mail_is_taken_and_comes_back_as_it_was(self):
        with Server() as server, server.raw() as client:
            for text in (LATIN, UTF8, FOLDED):
                self.assertIn(b" OK [APPENDUID ", client.append("INBOX", text))
            client.must("SELECT INBOX")
            self.assertEqual(list(client.fetch_literals("1:*", "BODY.PEEK[]").values()), [LATIN, UTF8, FOLDED])
            self.assertNotRegex(client.must("FETCH 2 ENVELOPE")[0], rb'"[^"]*[\x80-\xff][^"]*"')
            client.must("ENABLE UTF8=ACCEPT")
            self.assertIn("{8}\r\ngr\u00f6\u00dfer".encode(), client.must("FETCH 2 ENVELOPE")[0])


class Refused(OneServer):
    settings = {"imap.eight_bit_headers": "refuse"}

    def nothing_was_kept(self):
        self.assertEqual(messages_in(self.client, self.box), 0)
        self.assertTrue(eventually(lambda: not list((self.server.data / "spool").iterdir())))

    def test_append_of_a_header_in_8_bits(self):
        for text in (LATIN, UTF8, FOLDED, LATIN + b"x" * 300_000):
            for binary in (False, True):
                with self.subTest(text=text[:40], binary=binary):
                    self.assertIn(b" NO [CANNOT] ", self.client.append(self.box, text, binary=binary))
        self.client.send(b"l APPEND " + self.box.encode() + b" {%d+}\r\n" % len(LATIN) + LATIN + b"\r\nn NOOP\r\n")
        self.assertIn(b"l NO [CANNOT] ", self.client.until(b"l")[-1])
        self.assertIn(b"n OK", self.client.until(b"n")[-1])
        self.nothing_was_kept()

    def test_a_body_in_8_bits_is_none_of_it(self):
        self.assertIn(b" OK ", self.client.append(self.box, PLAIN))
        self.assertIn(b" OK ", self.client.append(self.box, PLAIN.replace(b"\r\n", b"\n")))
        self.assertEqual(messages_in(self.client, self.box), 2)

    def test_several_messages_are_all_refused(self):
        for texts in ([PLAIN, LATIN], [LATIN, PLAIN], [PLAIN, UTF8, PLAIN]):
            items = b"".join(b" {%d+}\r\n%s" % (len(text), text) for text in texts)
            _, tagged = self.client.command(f"APPEND {self.box}".encode() + items)
            self.assertIn(b" NO [CANNOT] ", tagged)
            self.nothing_was_kept()

    def test_the_next_message_is_not_asked_for(self):
        client = self.client
        client.send(b"m APPEND %s {%d}\r\n" % (self.box.encode(), len(LATIN)))
        self.assertTrue(client.response().startswith(b"+"))
        client.send(LATIN + b" {%d}\r\n" % len(PLAIN))
        self.assertIn(b"m NO [CANNOT] ", client.response())
        client.must("NOOP")
        self.nothing_was_kept()

    def test_replace(self):
        client = self.client
        client.append(self.box, PLAIN)
        client.must(f"SELECT {self.box}")
        _, tagged = client.command(b"UID REPLACE 1 %s {%d+}\r\n%s" % (self.box.encode(), len(UTF8), UTF8))
        self.assertIn(b" NO [CANNOT] ", tagged)
        self.assertEqual(list(client.fetch_literals("1:*", "BODY.PEEK[]").values()), [PLAIN])
        self.assertTrue(eventually(lambda: not list((self.server.data / "spool").iterdir())))

    def test_clients_that_know_utf8_may(self):
        for capability in ("UTF8=ACCEPT", "IMAP4rev2"):
            with self.server.raw() as client:
                client.must(f"ENABLE {capability}")
                self.assertIn(b" OK ", client.append(self.box, UTF8), capability)
        self.assertEqual(messages_in(self.client, self.box), 2)

    def test_mail_that_is_delivered_is_none_of_it(self):
        before = messages_in(self.client)
        with self.server.lmtp() as lmtp:
            lmtp.sendmail("sender@example.org", ["alice"], UTF8)
        self.assertEqual(messages_in(self.client), before + 1)


class Habits(unittest.TestCase):
    def test_the_utf8_item_of_rfc_6855(self):
        with Server() as server, server.raw() as client:
            item = b"APPEND INBOX UTF8 (~{%d+}\r\n%s)" % (len(UTF8), UTF8)
            self.assertIn(b" BAD ", client.command(item)[1])
            client.must("ENABLE IMAP4rev2")
            self.assertIn(b" BAD ", client.command(item)[1])
            client.must("ENABLE UTF8=ACCEPT")
            client.must(item)
            client.must(b"APPEND INBOX (\\Seen) UTF8 (~{%d+}\r\n%s) {%d+}\r\n%s" % (len(UTF8), UTF8, len(PLAIN), PLAIN))
            for wrong in (item.replace(b"~", b""), item[:-1], item.replace(b"UTF8 (", b"UTF8 ")):
                self.assertIn(b" BAD ", client.command(wrong)[1], wrong)
            client.must("SELECT INBOX")
            self.assertEqual(list(client.fetch_literals("1:*", "BODY.PEEK[]").values()), [UTF8, UTF8, PLAIN])

    def test_what_is_not_utf8_is_let_through_until_it_is_enabled(self):
        with Server() as server, server.raw() as client:
            client.append("INBOX", b"Subject: =?iso-8859-1?Q?caf=E9?=\r\n\r\nx\r\n")
            client.must("SELECT INBOX")
            self.assertEqual(client.must(b'SEARCH SUBJECT "caf\xe9"')[0], b"* SEARCH\r\n")
            self.assertEqual(client.must(b'SEARCH NOT SUBJECT "caf\xe9"')[0], b"* SEARCH 1\r\n")
            self.assertIn(b" NO ", client.command(b'STATUS "caf\xe9" (MESSAGES)')[1])
            client.must("ENABLE UTF8=ACCEPT")
            self.assertIn(b" BAD ", client.command(b'SEARCH SUBJECT "caf\xe9"')[1])
            self.assertEqual(client.must('SEARCH SUBJECT "caf\u00e9"')[0], b"* SEARCH 1\r\n")

    def test_it_can_be_hidden(self):
        with Server({"imap.hidden_capabilities": ["UTF8=ACCEPT"]}) as server, server.raw() as client:
            self.assertNotIn(b"UTF8=", client.must("CAPABILITY")[0])
            self.assertEqual(client.must("ENABLE UTF8=ACCEPT"), [b"* ENABLED\r\n"])
            client.must('CREATE "\u00fc"')
            self.assertIn(b"&APw-", b"".join(client.must('LIST "" *')))


if __name__ == "__main__":
    unittest.main()
