"""Exim in front of Postkeep as docs/exim.md has it: LMTP by Unix socket and by TCP, its users' passwords by the auth socket, its
recipients, senders and full mailboxes by socketmap or by callout."""
import re
import smtplib
import unittest

from exim import THE_WORLD, Exim, guide_blocks, server_settings
from harness import (HOST, Server, assert_same_messages, eventually, insecure_tls, mbox_messages, message, on_the_wire,
                     stored_form, without_fields)
from postfix import put
from scram import scram_smtp

# What Postkeep and Exim put in front of each message, and nothing else.
TRACE = re.compile(rb"""\A
    Return-Path:[ ]<sender@example\.com>\r\n
    (?:Delivered-To:[ ]\w+\r\n)?
    Received:[ ]from[ ][^\r\n]+\r\n
    \tby[ ]mail\.example\.org[ ]\(Postkeep\)[ ]with[ ]LMTP[ ]id[ ]\w+(?:\r\n\tfor[ ]<\w+@example\.org>)?;\r\n\t[^\r\n]+\r\n
    Received:[ ]from[ ]\[127\.0\.0\.2\][ ]\(helo=client\.example\.com\)\r\n
    (?:\t[^\r\n]+\r\n)+
    """, re.X)
DROPPED = ("return-path", "envelope-to", "delivery-date")
SOME = 40  # of the corpus's messages


class Guide(unittest.TestCase):
    """An Exim and a Postkeep set up by the guide."""
    takes_long = True

    def exim(self):
        exim = self.enterContext(Exim())
        self.assertFalse(hasattr(self, "mta"), "one a test")
        self.mta = exim
        return exim

    def configuration(self, server, transport=None):
        blocks = guide_blocks("/etc/exim4/exim4.conf")
        text = put(blocks[0], "daemon_smtp_ports = 25 : 587", f"daemon_smtp_ports = {self.mta.port}")
        if transport == "tcp":
            tcp = put(guide_blocks("/etc/exim4/exim4.conf: transport")[0], "port = 24", f"port = {server.lmtp_port}")
            text = re.sub(r"^postkeep:\n(?:  .*\n)+", lambda _: tcp, text, flags=re.M)
            text = put(text, "  condition = ${if match{WHOSE_RECIPIENT}{:OK }}\n", "")
            callout = guide_blocks("/etc/exim4/exim4.conf: verify")[0]
            text = put(text, "          verify        = recipient\n", callout)
        for name in ("certificate", "privatekey"):
            kind = {"certificate": "crt", "privatekey": "key"}[name]
            text = re.sub(rf"^tls_{name} = .*$", f"tls_{name} = {self.mta.folder}/self-signed.{kind}", text, flags=re.M)
        return text.replace("/run/postkeep", str(self.mta.sockets))

    def server(self, **more):
        sockets = self.mta.sockets
        names = {"lmtp": "lmtp", "mta_auth": "auth", "socketmap": "socketmap"}
        settings = server_settings() | {f"listen.{key}": [f"unix:{sockets}/{name}"] for key, name in names.items()}
        server = Server(settings, **more)
        server.settings["listen.lmtp"].append(f"{HOST}:{server.lmtp_port}")
        server.write_config()
        return self.enterContext(server)

    def begin(self, transport=None, **more):
        exim = self.exim()
        server = self.server(**more)
        exim.copy_certificate(server.data / "tls")
        exim.start(self.configuration(server, transport))
        return exim, server

    def mail_of(self, server, user):
        with server.raw(user) as client:
            client.must("EXAMINE INBOX")
            return list(client.fetch_literals("1:*", "BODY.PEEK[]").values())

    def arrives(self, server, user, subject):
        found = lambda: any(f"Subject: {subject}\r\n".encode() in text for text in self.mail_of(server, user))
        self.assertTrue(eventually(found, 30), self.mta.log()[-3000:])


class EximDelivers(Guide):
    def delivers(self, transport):
        messages = [text for _, text in mbox_messages()][:SOME]
        exim, server = self.begin(transport)
        with exim.smtp() as smtp:
            for text in messages:
                self.assertEqual(smtp.sendmail("sender@example.com", ["alice@example.org", "bob@example.org"], text), {})
        self.assertTrue(eventually(lambda: not exim.waiting(), 60), exim.log()[-3000:])
        for user in ("alice", "bob"):
            got = []
            for text in self.mail_of(server, user):
                found = TRACE.match(text)
                self.assertTrue(found, text[:1500])
                got.append(text[found.end():])
            assert_same_messages(self, got, [without_fields(stored_form(on_the_wire(text)), *DROPPED) for text in messages])
        self.asks_before_it_accepts(exim)
        self.bounces_to_its_own(exim, server)
        self.waits_while_we_are_down(exim, server)

    def asks_before_it_accepts(self, exim):
        with exim.smtp() as smtp:
            smtp.ehlo()
            smtp.mail("sender@example.com")
            self.assertEqual(smtp.rcpt("alice+lists@example.org")[0], 250)
            code, text = smtp.rcpt("nobody@example.org")
            self.assertEqual(code, 550, text)
            self.assertIn(b"5.1.1 No such user here", text)
            code, text = smtp.rcpt("alice@elsewhere.example")
            self.assertEqual(code, 550, text)  # no open relay
            self.assertIn(b"5.7.1", text)

    def bounces_to_its_own(self, exim, server):
        before = len(self.mail_of(server, "alice"))
        with exim.smtp(source=HOST) as smtp:
            smtp.sendmail("alice@example.org", ["nobody@example.org"], message("to nobody"))
        self.assertTrue(eventually(lambda: len(self.mail_of(server, "alice")) > before, 30), exim.log()[-3000:])
        self.assertIn(b"nobody@example.org", self.mail_of(server, "alice")[-1])

    def waits_while_we_are_down(self, exim, server):
        server.stop()
        with exim.smtp(source=HOST) as smtp:
            smtp.sendmail("sender@example.com", ["bob@example.org"], message("while down"))
        self.assertTrue(eventually(lambda: exim.waiting(), 10), exim.log()[-3000:])
        server.start()

        def all_tried():
            # Its own run may just be putting the message off once more.
            exim.run("-qff")
            return eventually(lambda: not exim.waiting(), 3)

        self.assertTrue(eventually(all_tried, 30), exim.log()[-3000:])
        self.arrives(server, "bob", "while down")

    def test_by_unix_socket(self):
        self.delivers("unix")

    def test_by_tcp(self):
        self.delivers("tcp")


class EximAsks(Guide):
    def submit(self, exim, tls=True):
        smtp = exim.smtp()
        self.addCleanup(smtp.close)
        if tls:
            smtp.starttls(context=insecure_tls())
        smtp.ehlo()
        return smtp

    def test_users_send_with_their_passwords(self):
        exim, server = self.begin()
        self.assertNotIn("auth", self.submit(exim, tls=False).esmtp_features)
        for name, mechanism in (("plain", "PLAIN"), ("login", "LOGIN")):
            smtp = self.submit(exim)
            self.assertIn(mechanism, smtp.esmtp_features["auth"])
            smtp.user, smtp.password = "alice", "pass"
            smtp.auth(mechanism, getattr(smtp, f"auth_{name}"), initial_response_ok=name == "plain")
            smtp.sendmail("alice@example.org", ["bob@example.org"], message(f"by {name}"))
            self.arrives(server, "bob", f"by {name}")
        self.by_scram(exim)
        self.assertRegex(server.log.read_text(),
                         rf"event=login session=\w+ user=alice protocol=smtp mechanism=LOGIN tls=true peer={THE_WORLD}")
        self.refuses(exim)

    def by_scram(self, exim):
        code, _ = self.submit(exim).auth("SCRAM-SHA-256", scram_smtp("bob", "pass"))
        self.assertEqual(code, 235)

    def refuses(self, exim):
        smtp = self.submit(exim)
        for user, password in (("alice", "guess"), ("nobody", "pass")):
            with self.assertRaises(smtplib.SMTPAuthenticationError) as refused:
                smtp.login(user, password)
            self.assertEqual(refused.exception.smtp_code, 535)
        smtp.login("alice", "pass")
        code, text = smtp.mail("bob@example.org")
        if code == 250:  # pipelining: the answer may wait for RCPT
            code, text = smtp.rcpt("bob@example.org")
        self.assertEqual(code, 550, text)
        self.assertIn(b"5.7.1 That is not an address of yours", text)

    def test_a_full_mailbox_is_told_of_before_mail_is_sent(self):
        exim, server = self.begin()
        server.admin("quota", "set", "bob", "--messages", "1")
        with exim.smtp() as smtp:
            smtp.sendmail("sender@example.com", ["bob@example.org"], message("fills it"))
            self.arrives(server, "bob", "fills it")
            smtp.mail("sender@example.com")
            self.assertEqual(smtp.rcpt("alice@example.org")[0], 250)
            code, text = smtp.rcpt("bob@example.org")
            self.assertEqual(code, 451, text)
            self.assertIn(b"4.2.2 The mailbox is full", text)


if __name__ == "__main__":
    unittest.main()
