"""LMTP as an MTA speaks it: replies per recipient, unknown users, detail, one body for many, limits."""
import os
import re
import smtplib
import socket
import unittest

from harness import HOST, Server, eventually, message


class Lmtp(unittest.TestCase):
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
                for word in (b"PIPELINING", b"8BITMIME", b"SIZE", b"SMTPUTF8", b"ENHANCEDSTATUSCODES"):
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
