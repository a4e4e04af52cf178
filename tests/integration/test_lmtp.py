"""LMTP as an MTA speaks it: replies per recipient, unknown users, detail, one body for many, limits."""
import base64
import os
import pathlib
import re
import signal
import smtplib
import socket
import tempfile
import unittest

from harness import HOST, Server, eventually, insecure_tls, message


class Lmtp(unittest.TestCase):
    on_disk = True
    smoke = True

    def talk(self, server):
        connection = socket.create_connection((HOST, server.lmtp_port), timeout=30)
        return connection, connection.makefile("rb")

    def reply(self, lines):
        out = [lines.readline()]
        while out[-1][3:4] == b"-":
            out.append(lines.readline())
        return b"".join(out)

    def test_one_reply_per_recipient_and_one_file_for_many(self):
        with Server(users=("alice", "bob", "carol@example.net")) as server:
            connection, lines = self.talk(server)
            with connection:
                self.assertTrue(self.reply(lines).startswith(b"220 "))
                connection.sendall(b"LHLO mta.example.org\r\n")
                hello = self.reply(lines)
                for word in (b"PIPELINING", b"8BITMIME", b"SIZE", b"SMTPUTF8", b"ENHANCEDSTATUSCODES", b"CHUNKING", b"BINARYMIME"):
                    self.assertIn(word, hello)
                connection.sendall(b"MAIL FROM:<sender@example.com> BODY=8BITMIME SIZE=100\r\n"
                                   b"RCPT TO:<alice@mail.example.org>\r\nRCPT TO:<nobody@mail.example.org>\r\n"
                                   b"RCPT TO:<bob+folder@localhost>\r\nRCPT TO:<carol@example.net>\r\n"
                                   b"RCPT TO:<alice@elsewhere.example>\r\nDATA\r\n")
                codes = [self.reply(lines) for _ in range(7)]
                self.assertEqual([c[:3] for c in codes], [b"250", b"250", b"550", b"250", b"250", b"550", b"354"])
                self.assertTrue(codes[2].startswith(b"550 5.1.1 "))
                connection.sendall(message("to three", ".dot\r\n").replace(b"\r\n.", b"\r\n..") + b".\r\nQUIT\r\n")
                done = [self.reply(lines) for _ in range(4)]
                self.assertEqual([d[:3] for d in done], [b"250", b"250", b"250", b"221"], done)
            files = [p for user in ("alice", "bob", "carol%40example.net", "carol@example.net")
                     for d in ("cur", "new") for p in (server.maildir(user) / d).glob("*")]
            self.assertEqual(len(files), 3)
            self.assertEqual(len({os.stat(p).st_ino for p in files}), 1)
            text = files[0].read_bytes()
            self.assertTrue(text.startswith(b"Return-Path: <sender@example.com>\r\n"))
            self.assertIn(b"\r\nReceived: from mta.example.org ", text)
            self.assertNotIn(b"Delivered-To:", text)
            self.assertTrue(text.endswith(message("to three", ".dot\r\n")))

    def test_delivered_to_when_there_is_one_recipient(self):
        with Server() as server:
            server.deliver(message(), "alice+detail@localhost")
            with server.raw() as client:
                client.must("SELECT INBOX")
                self.assertRegex(client.fetch_literals("1", "BODY.PEEK[]")[1], rb"\r\nDelivered-To: alice")

    def test_only_crlf_dot_crlf_ends_data(self):
        with Server() as server:
            connection, lines = self.talk(server)
            with connection:
                self.reply(lines)
                connection.sendall(b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\n")
                for _ in range(4):
                    self.reply(lines)
                smuggled = b"MAIL FROM:<evil@example.com>\r\n"
                connection.sendall(b"Subject: smuggle\r\n\r\na\n.\nb\r\n.\nc\n.\r\n" + smuggled + b"d\r.\r\n\r\n.\r\n")
                self.assertTrue(self.reply(lines).startswith(b"250 2."))
                connection.sendall(b"QUIT\r\n")
                self.assertTrue(self.reply(lines).startswith(b"221 "))
            with server.raw() as client:
                client.must("SELECT INBOX")
                got = client.fetch_literals("1:*", "BODY.PEEK[]")
                self.assertEqual(len(got), 1)
                self.assertIn(smuggled, got[1])

    def test_a_connection_cut_inside_data_delivers_nothing(self):
        with Server() as server:
            connection, lines = self.talk(server)
            self.reply(lines)
            connection.sendall(b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\n")
            for _ in range(4):
                self.reply(lines)
            connection.sendall(b"Subject: half\r\n\r\n" + b"x" * 100_000)
            connection.close()
            self.assertTrue(eventually(lambda: not list((server.data / "spool").iterdir())))
            with server.raw() as client:
                self.assertTrue(any(b"* 0 EXISTS" in line for line in client.must("SELECT INBOX")))

    def test_a_spool_that_is_missing_puts_mail_off_and_bounces_none(self):
        with Server() as server:
            (server.data / "spool").rmdir()
            with server.lmtp() as lmtp, self.assertRaises(smtplib.SMTPException) as refused:
                lmtp.sendmail("a@example.com", ["alice"], message())
            self.assertRegex(str(refused.exception), "451.*4\\.3\\.0")
            (server.data / "spool").mkdir()
            server.deliver(message())

    def test_too_large_is_refused_and_the_session_goes_on(self):
        with Server({"limits.message_size": 20_000}) as server, server.lmtp() as lmtp:
            with self.assertRaises(smtplib.SMTPException):
                lmtp.sendmail("a@example.com", ["alice"], b"Subject: big\r\n\r\n" + b"x\r\n" * 20_000)
            code, _ = lmtp.docmd("LHLO again")
            self.assertEqual(code, 250)
            lmtp.sendmail("a@example.com", ["alice"], message("small"))
            lmtp.docmd("MAIL", "FROM:<a@example.com> SIZE=9999999")
            code, text = lmtp.docmd("RCPT", "TO:<alice>")
            self.assertGreaterEqual(code, 500)

    def test_bad_commands_are_answered_and_too_many_end_it(self):
        with Server() as server:
            connection, lines = self.talk(server)
            with connection:
                self.reply(lines)
                connection.sendall(b"EHLO x\r\nRCPT TO:<alice>\r\nDATA\r\nBLURDYBLOOP\r\nMAIL FROM:broken\r\n")
                answers = [self.reply(lines) for _ in range(5)]
                self.assertTrue(all(re.match(rb"5\d\d ", a) for a in answers), answers)
                connection.sendall(b"A" * 100_000 + b"\r\n")
                self.assertTrue(re.match(rb"5\d\d ", self.reply(lines)))
                connection.sendall(b"NO\r\n" * 300)
                rest = b""
                try:
                    while chunk := lines.read(4096):
                        rest += chunk
                except ConnectionResetError:
                    pass
                self.assertIn(b"421 ", rest)

    def test_a_login_before_starttls_holds_no_longer(self):
        with Server({"lmtp.starttls": True, "lmtp.auth": "required"}) as server:
            connection, lines = self.talk(server)
            self.reply(lines)
            login = b"AUTH PLAIN " + base64.b64encode(b"\0alice\0pass") + b"\r\n"
            connection.sendall(b"LHLO x\r\n" + login + b"STARTTLS\r\n")
            self.assertEqual([self.reply(lines)[:3] for _ in range(3)], [b"250", b"235", b"220"])
            with insecure_tls().wrap_socket(connection) as secret, secret.makefile("rb") as lines:
                secret.sendall(b"LHLO x\r\nMAIL FROM:<>\r\n" + login + b"MAIL FROM:<>\r\nQUIT\r\n")
                self.assertEqual([self.reply(lines)[:3] for _ in range(5)], [b"250", b"530", b"235", b"250", b"221"])

    def test_a_client_named_before_starttls_is_forgotten(self):
        with Server({"lmtp.starttls": True, "lmtp.xclient_from": ["127.0.0.0/8"]}) as server:
            connection, lines = self.talk(server)
            self.reply(lines)
            connection.sendall(b"LHLO x\r\nXCLIENT NAME=spike.example.net ADDR=192.0.2.1\r\nLHLO x\r\nSTARTTLS\r\n")
            self.assertEqual([self.reply(lines)[:3] for _ in range(4)], [b"250", b"220", b"250", b"220"])
            with insecure_tls().wrap_socket(connection) as secret, secret.makefile("rb") as lines:
                secret.sendall(b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\nSubject: x\r\n\r\n.\r\nQUIT\r\n")
                self.assertEqual([self.reply(lines)[:3] for _ in range(6)], [b"250", b"250", b"250", b"354", b"250", b"221"])
            self.assertRegex(self.inbox(server, "alice")[1], rb"Received: from x \([^()]*127\.0\.0\.1[^()]*\)")

    def test_starttls_hears_nothing_that_was_said_in_plaintext(self):
        with Server({"lmtp.starttls": True}) as server:
            connection, lines = self.talk(server)
            self.reply(lines)
            connection.sendall(b"LHLO x\r\n")
            self.assertIn(b"STARTTLS", self.reply(lines))
            connection.sendall(b"MAIL FROM:<>\r\nSTARTTLS\r\nRCPT TO:<alice>\r\n")
            self.assertEqual([self.reply(lines)[:3] for _ in range(2)], [b"250", b"220"])
            with insecure_tls().wrap_socket(connection) as secret:
                lines = secret.makefile("rb")
                secret.sendall(b"MAIL FROM:<>\r\nLHLO x\r\nSTARTTLS\r\n")
                answers = [self.reply(lines) for _ in range(3)]
                self.assertEqual([answer[:3] for answer in answers], [b"503", b"250", b"503"], answers)
                self.assertNotIn(b"STARTTLS", answers[1])
                secret.sendall(b"MAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\nSubject: x\r\n\r\n.\r\n")
                self.assertEqual([self.reply(lines)[:3] for _ in range(4)], [b"250", b"250", b"354", b"250"])
            self.assertIn(b" with LMTPS id ", self.inbox(server, "alice")[1])

    def inbox(self, server, user, mailbox="INBOX"):
        with server.raw(user) as client:
            client.must(f"SELECT {mailbox}")
            return client.fetch_literals("1:*", "BODY.PEEK[]")

    def answers(self, server, octets, count):
        """The codes of the replies to a session of these octets after LHLO."""
        connection, lines = self.talk(server)
        with connection:
            connection.sendall(b"LHLO x\r\n" + octets + b"QUIT\r\n")
            return [int(self.reply(lines)[:3]) for _ in range(count + 3)][2:-1]

    def test_chunks_binary_and_large(self):
        """More than any buffer holds, with bytes of every kind, cut at odd places; memory stays bounded by the spool."""
        whole = b"Content-Transfer-Encoding: binary\r\n\r\n" + bytes(range(256)) * 20_000 + b"\n.\r\n"
        chunks = [whole[start:start + 777_777] for start in range(0, len(whole), 777_777)]
        script = b"MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<alice>\r\nRCPT TO:<bob>\r\n"
        script += b"".join(b"BDAT %d\r\n%s" % (len(chunk), chunk) for chunk in chunks) + b"BDAT 0 LAST\r\n"
        with Server() as server:
            self.assertEqual(self.answers(server, script, 3 + len(chunks) + 2), [250] * (3 + len(chunks) + 2))
            for user in ("alice", "bob"):
                [path] = [p for d in ("cur", "new") for p in (server.maildir(user) / d).glob("*")]
                self.assertTrue(path.read_bytes().endswith(b"\r\n" + whole))

    def test_aliases_details_and_who_catches_all(self):
        with tempfile.TemporaryDirectory() as folder:
            aliases = pathlib.Path(folder, "aliases")
            aliases.write_text("sales: alice+Sales, bob\n@caught.example: bob\n")
            settings = {"recipients.aliases": str(aliases), "recipients.detail_folder": "make"}
            with Server(settings) as server:
                to = "MAIL FROM:<>\r\nRCPT TO:<{}>\r\n"
                text = "DATA\r\nSubject: x\r\n\r\nx\r\n.\r\n"
                script = to.format("sales@mail.example.org") + text + to.format("x@caught.example") + text
                self.assertEqual(self.answers(server, script.encode(), 8), [250, 250, 354, 250] * 2)
                self.assertEqual(len(self.inbox(server, "alice", "Sales")), 1)
                self.assertEqual(len(self.inbox(server, "bob")), 2)
                aliases.write_text("sales: nobody\nnew: alice\n")
                server.process.send_signal(signal.SIGHUP)
                ask = (to.format("new") + "RSET\r\n" + to.format("sales") + "RSET\r\n" + to.format("x@caught.example")).encode()
                self.assertTrue(eventually(lambda: self.answers(server, ask, 8) == [250, 250, 250, 250, 550, 250, 250, 550]))
                aliases.write_text("no alias\n")
                server.process.send_signal(signal.SIGHUP)
                self.assertTrue(eventually(lambda: "event=aliases_not_reloaded" in server.output()))
                self.assertEqual(self.answers(server, ask, 8), [250, 250, 250, 250, 550, 250, 250, 550])

    def test_one_full_mailbox_harms_nobody_else(self):
        with Server({"quota.storage": "100K"}) as server:
            server.admin("quota", "set", "alice", "--storage", "1K")
            both = b"MAIL FROM:<> SIZE=%d\r\nRCPT TO:<alice>\r\nRCPT TO:<bob>\r\nDATA\r\nSubject: x\r\n\r\n" + b"x" * 2000 + b"\r\n.\r\n"
            self.assertEqual(self.answers(server, both % 2016, 5), [250, 452, 250, 354, 250])
            self.assertEqual(self.answers(server, both % 0, 6), [250, 250, 250, 354, 452, 250])
            self.assertEqual(len(self.inbox(server, "bob")), 2)
            with server.raw("alice") as client:
                self.assertTrue(any(b"* 0 EXISTS" in line for line in client.must("SELECT INBOX")))

    def test_the_unix_socket_and_utf8(self):
        with Server(users=("alice", "jörg")) as server:
            with smtplib.LMTP(str(server.lmtp_socket), 0) as lmtp:
                lmtp.sendmail("a@example.com", ["alice"], message("over a unix socket"))
            connection, lines = self.talk(server)
            with connection:
                self.reply(lines)
                connection.sendall("LHLO x\r\nMAIL FROM:<søren@example.com> SMTPUTF8\r\nRCPT TO:<jörg>\r\nDATA\r\n".encode())
                answers = [self.reply(lines) for _ in range(4)]
                self.assertEqual([a[:3] for a in answers], [b"250", b"250", b"250", b"354"], answers)
                connection.sendall("Subject: grüße\r\n\r\nhallo\r\n.\r\n".encode())
                self.assertTrue(self.reply(lines).startswith(b"250 "))


if __name__ == "__main__":
    unittest.main()
