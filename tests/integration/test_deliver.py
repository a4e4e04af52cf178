"""`postkeep deliver`, the MTA's pipe: with and without a server, exit codes of sysexits.h, what is stored."""
import subprocess
import unittest

from harness import Server, appendable, binary, corpus, message, stored_form

EX_USAGE, EX_DATAERR, EX_NOUSER, EX_TEMPFAIL = 64, 65, 67, 75


def deliver(server, text, *arguments, check=0):
    done = subprocess.run([binary(), "deliver", "--config", str(server.config), *arguments], input=text,
                          capture_output=True, timeout=60)
    if done.returncode != check:
        raise AssertionError(f"exit {done.returncode}, not {check}: {done.stdout}{done.stderr}")
    return done


def fetched(server, mailbox="INBOX", user="alice"):
    with server.raw(user) as client:
        client.must(f'SELECT "{mailbox}"')
        return [text for _, text in sorted(client.fetch_literals("1:*", "BODY.PEEK[]").items())]


class Deliver(unittest.TestCase):
    on_disk = True
    smoke = True

    def test_a_message_arrives_beside_a_server_and_wakes_a_session(self):
        with Server() as server, server.raw() as client:
            client.must("SELECT INBOX")
            client.idle()
            done = deliver(server, b"From x@y Thu Nov 26 17:33:22 2026\nSubject: a\n\nbody\r\nend\n", "-d", "alice", "-f",
                           "sender@example.com", "-a", "alice+lists@example.org")
            self.assertEqual(done.stdout, b"")
            client.wait_for(rb"\* 1 EXISTS")
            client.done()
            self.assertEqual(fetched(server), [b"Return-Path: <sender@example.com>\r\n"
                                               b"X-Original-To: alice+lists@example.org\r\nDelivered-To: alice\r\n"
                                               b"Subject: a\r\n\r\nbody\r\nend\r\n"])

    def test_without_a_server_and_then_read_with_one(self):
        server = Server()
        server.add_user("alice")
        server.admin("mailbox", "create", "alice", "Work/2026")
        deliver(server, b"Subject: a\n\nx\n", "-d", "alice", "-m", "Work/2026", "-f", "")
        deliver(server, b"Subject: b\n\nx\n", "-d", "Alice+tag@mail.example.org", "-m", "Nowhere")
        deliver(server, b"Subject: c\n\nx\n", "-a", "alice@localhost")
        server.users = ()
        with server:
            self.assertEqual(fetched(server, "Work/2026"),
                             [b"Return-Path: <>\r\nDelivered-To: alice\r\nSubject: a\r\n\r\nx\r\n"])
            self.assertEqual(fetched(server), [
                b"Delivered-To: alice\r\nSubject: b\r\n\r\nx\r\n",
                b"X-Original-To: alice@localhost\r\nDelivered-To: alice\r\nSubject: c\r\n\r\nx\r\n"])

    def test_a_sender_cannot_write_a_header_of_its_own(self):
        with Server() as server:
            deliver(server, b"Subject: a\n\nx\n", "-d", "alice", "-f", "a@b\r\nBcc: c@d")
            self.assertTrue(fetched(server)[0].startswith(b"Return-Path: <a@bBcc: c@d>\r\nDelivered-To: alice\r\n"))

    def test_exit_codes_are_those_of_sysexits(self):
        server = Server({"limits.message_size": "1M"})
        server.add_user("alice")
        deliver(server, b"x", "-d", "nobody", check=EX_NOUSER)
        deliver(server, b"x", "-a", "nobody@example.com", check=EX_NOUSER)
        deliver(server, b"x", check=EX_USAGE)
        deliver(server, b"x", "-d", "alice", "--nonsense", check=EX_USAGE)
        deliver(server, b"x", "-d", "alice", "-m", "a//b", check=EX_USAGE)
        deliver(server, b"x" * 1_200_000, "-d", "alice", check=EX_DATAERR)
        good = server.config.read_text()
        server.config.write_text("nonsense = 1\n")
        deliver(server, b"x", "-d", "alice", check=EX_TEMPFAIL)
        server.config.write_text(good)
        # No room for the spool.
        (server.data / "spool").rename(server.data / "spool.away")
        (server.data / "spool").write_text("in the way")
        deliver(server, b"x", "-d", "alice", check=EX_TEMPFAIL)
        (server.data / "spool").unlink()
        (server.data / "spool.away").rename(server.data / "spool")
        deliver(server, b"x", "-d", "alice")
        server.users = ()
        with server:
            self.assertEqual(len(fetched(server)), 1)
            deliver(server, b"x" * 1_200_000, "-d", "alice", check=EX_DATAERR)
            deliver(server, b"x", "-d", "nobody", check=EX_NOUSER)

    def test_what_is_cut_off_is_not_delivered(self):
        with Server() as server:
            pipe = subprocess.Popen([binary(), "deliver", "--config", str(server.config), "-d", "alice"],
                                    stdin=subprocess.PIPE)
            pipe.stdin.write(message() * 1000)
            pipe.stdin.flush()
            pipe.kill()
            pipe.wait()
            pipe.stdin.close()
            deliver(server, b"Subject: whole\n\n", "-d", "alice")
            self.assertEqual(fetched(server), [b"Delivered-To: alice\r\nSubject: whole\r\n\r\n"])
            self.assertEqual(list((server.data / "spool").iterdir()), [])

    def test_the_corpus_arrives_as_by_lmtp(self):
        with Server() as server:
            expected = []
            for _, text in appendable(corpus("real"))[::25]:
                deliver(server, text, "-d", "alice")
                if text.startswith(b"From "):
                    text = text[text.index(b"\n") + 1:]
                expected.append(b"Delivered-To: alice\r\n" + stored_form(text).replace(b"\0", b"\x80"))
            self.assertEqual(fetched(server), expected)
