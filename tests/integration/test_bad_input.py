"""Malformed, oversized, stalling and vanishing clients: a clear answer, nothing lost, nothing held."""
import pathlib
import re
import socket
import ssl
import unittest

from harness import HOST, RawImap, Server, appendable, corpus, eventually, insecure_tls, message


def resident_kib(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))


class BadInput(unittest.TestCase):
    smoke = True

    def test_bad_commands_get_bad_with_their_tag_and_the_session_goes_on(self):
        with Server({"limits.bad_commands": 100}) as server, server.raw() as client:
            client.must("SELECT INBOX")
            for text in ("BLURDYBLOOP", "FETCH", "FETCH 1", "FETCH 0 FLAGS", "FETCH 1 (FLAGS", "STORE 1 FLAGS", "SEARCH",
                         "SEARCH CHARSET", "UID", "UID NOOP", "LIST", 'LIST "" ', 'SELECT "unterminated', "SELECT",
                         "COPY 1", "APPEND", "STATUS INBOX", "STATUS INBOX ()", "FETCH 1 BODY[1.HEADER.FIELDS ()]",
                         "FETCH 1 BODY[0]", "FETCH 1 BODY[]<0.0>", "STORE 1 +FLAGS (\\Nonsense)", "ENABLE",
                         "FETCH 1:2:3 FLAGS", "SEARCH (" + "(" * 200, "IDLE now", "NOOP now", "LOGIN alice pass extra"):
                _, tagged = client.command(text)
                self.assertRegex(tagged, rb"^t\d+ BAD ", text)
            client.must("NOOP")
            for raw in (b"\r\n", b"*\r\n", b"+ NOOP\r\n", b"tag\r\n", b"\x80\xff NOOP\r\n", b"a\0b NOOP\r\n"):
                client.send(raw)
            client.send(b"after NOOP\r\n")
            answers = client.until(b"after")
            self.assertIn(b" OK", answers[-1])

    def test_too_many_bad_commands_end_with_bye(self):
        with Server({"limits.bad_commands": 5}) as server, server.raw() as client:
            client.send(b"x NONSENSE\r\n" * 50)
            seen = b""
            try:
                while True:
                    seen += client.response()
            except (EOFError, ConnectionResetError):
                pass
            self.assertIn(b"* BYE", seen)

    def test_an_oversized_line_is_refused_without_being_kept(self):
        with Server() as server, server.raw() as client:
            before = resident_kib(server.process)
            try:
                client.send(b"big SEARCH " + b"1," * 40_000_000)
                client.send(b"\r\n")
                self.assertRegex(client.response(), rb"BAD|BYE")
            except (BrokenPipeError, ConnectionResetError, EOFError):
                pass
            self.assertLess(resident_kib(server.process) - before, 40_000)

    def test_a_too_large_literal_is_refused_before_it_is_sent(self):
        with Server({"limits.message_size": 1_000_000}) as server, server.raw() as client:
            for size in (2_000_000, 99_999_999_999, 9_223_372_036_854_775_807, 99999999999999999999999):
                client.send(b"big APPEND INBOX {%d}\r\n" % size)
                self.assertRegex(client.response(), rb"^big (NO|BAD) ", str(size))
            client.must("NOOP")

    def test_login_literals_are_small(self):
        with Server() as server:
            with server.raw(user=None) as client:
                client.send(b"a LOGIN {100000000}\r\n")
                self.assertRegex(client.response(), rb"^a (NO|BAD) ")

    def test_append_cut_off_leaves_nothing(self):
        with Server() as server:
            client = server.raw()
            client.send(b"a APPEND INBOX {1000000}\r\n")
            client.response()
            client.send(b"x" * 500_000)
            client.close()
            self.assertTrue(eventually(lambda: not list((server.data / "spool").iterdir())))
            with server.raw() as other:
                self.assertTrue(any(b"* 0 EXISTS" in line for line in other.must("SELECT INBOX")))

    def test_a_slow_reader_holds_no_memory_and_hinders_nobody(self):
        big = b"Subject: big\r\n\r\n" + b"0123456789abcdef" * 4 * 1024 * 320  # 20 MiB
        with Server() as server, server.raw() as slow, server.raw() as other:
            self.assertIn(b" OK", other.append("INBOX", big))
            slow.must("SELECT INBOX")
            before = resident_kib(server.process)
            slow.send(b"".join(b"f%d FETCH 1 BODY.PEEK[]\r\n" % i for i in range(10)))
            other.must("SELECT INBOX")
            for _ in range(50):
                other.must("NOOP")
            self.assertLess(resident_kib(server.process) - before, 20_000)
            self.assertIn(b"{%d}" % len(big), slow.line())
            slow.close()
            other.must("NOOP")

    def test_what_a_client_calls_itself_in_plaintext_is_forgotten_under_tls(self):
        with Server({"imap.hidden_capabilities": ["MOVE client=OldMail"]}) as server, server.raw(user=None) as client:
            client.must('ID ("name" "OldMail")')
            self.assertNotIn(b" MOVE ", client.must("CAPABILITY")[0])
            client.must("STARTTLS")
            client.socket = insecure_tls().wrap_socket(client.socket)
            self.assertIn(b" MOVE ", client.must("CAPABILITY")[0])

    def test_starttls_takes_nothing_over_from_plaintext(self):
        with Server() as server:
            plain = socket.create_connection((HOST, server.imap_port), timeout=10)
            plain.recv(4096)
            plain.sendall(b"a STARTTLS\r\nb LOGIN alice pass\r\n")
            answer = b""
            try:
                while chunk := plain.recv(4096):
                    answer += chunk
                    if b"a OK" in answer:
                        break
            except ConnectionResetError:
                pass
            self.assertNotIn(b"b OK", answer)
            if b"a OK" in answer:
                try:
                    secure = insecure_tls().wrap_socket(plain)
                    secure.settimeout(2)
                    secure.sendall(b"c NOOP\r\n")
                    self.assertNotIn(b"b OK", secure.recv(4096))
                except (ssl.SSLError, OSError):
                    pass

    def test_plaintext_login_only_where_allowed(self):
        with Server({"auth.allow_plaintext": "never"}) as server:
            client = RawImap(HOST, server.imap_port)
            self.assertIn(b"LOGINDISABLED", b"".join(client.must("CAPABILITY")))
            _, tagged = client.command("LOGIN alice pass")
            self.assertIn(b" NO [PRIVACYREQUIRED]", tagged)
            client.must("STARTTLS")
            client.socket = insecure_tls().wrap_socket(client.socket)
            self.assertNotIn(b"LOGINDISABLED", b"".join(client.must("CAPABILITY")))
            client.must("LOGIN alice pass")
            client.close()

    def test_wrong_user_and_wrong_password_answer_alike(self):
        with Server() as server, server.raw(user=None) as client:
            answers = [client.command(text)[1].split(b" ", 1)[1] for text in ("LOGIN alice hunter9", "LOGIN nobody hunter9")]
            self.assertEqual(answers[0], answers[1])
            self.assertIn(b"NO [AUTHENTICATIONFAILED]", answers[0])
            text = server.log.read_text(errors="replace") if server.log.exists() else server.output()
            self.assertNotIn("hunter9", text)

    def test_connection_limits(self):
        with Server({"limits.connections_per_user": 2}) as server:
            first, second = server.raw(), server.raw()
            third = server.raw(user=None)
            self.assertRegex(third.command("LOGIN alice pass")[1], rb" NO \[(LIMIT|UNAVAILABLE|INUSE)\]")
            first.must("LOGOUT")
            first.close()
            self.assertTrue(eventually(lambda: b" OK" in RawImap(HOST, server.imap_port).command("LOGIN alice pass")[1]))
            second.close()
            third.close()

    def test_the_whole_of_malformed_mail_is_searched(self):
        with Server() as server, server.raw() as client:
            for name, text in appendable(corpus("malformed")):
                self.assertIn(b" OK", client.append("INBOX", text), name)
            client.append("INBOX", message("findable", "the needle 4711 lies here\r\n"))
            client.must("SELECT INBOX")
            for key, count in (("TEXT 4711-no-such", 0), ('BODY "needle 4711"', 1), ("SUBJECT findable", 1),
                               ("SENTSINCE 1-Nov-2026", 1)):
                found = client.must("UID SEARCH " + key)
                self.assertEqual(len(found[0].split()) - 2, count, (key, found))
            client.must("UID SEARCH OR FROM a HEADER X-Mailer b")


if __name__ == "__main__":
    unittest.main()
