"""Against guessing: who is made to wait, who is banned, who gets in all the same, and what fail2ban reads of it."""
import json
import subprocess
import threading
import time
import unittest

from harness import HOST, ROOT, RawImap, Server, eventually
from neighbours import unpacked
from test_auth import scram_login

NOBODY_EXEMPT = {"guard.exempt": []}


def session(server, source, tls=False):
    return RawImap(HOST, server.imaps_port if tls else server.imap_port, tls, source=source)


def log_in(server, source, user, password):
    """The tagged line."""
    with session(server, source) as client:
        return client.command(f'LOGIN {user} "{password}"')[1]


def timed(function, *arguments):
    begin = time.monotonic()
    return function(*arguments), time.monotonic() - begin


class Guard(unittest.TestCase):
    smoke = True

    def test_guessers_are_banned_and_let_in_again(self):
        with Server({"guard.ban_after": 3, "guard.delay_after": 100, **NOBODY_EXEMPT}) as server:
            self.assertEqual(server.admin("ban", "list", "--json").stdout.strip(), "[]")
            with session(server, "127.0.0.9") as client:
                for guess in ("one", "two", "two", "two", "three"):
                    self.assertIn(b"[AUTHENTICATIONFAILED]", client.command(f"LOGIN alice {guess}")[1])
                self.assertIn(b"NO [UNAVAILABLE]", client.command("LOGIN alice pass")[1])
            with self.assertRaises((EOFError, OSError)):
                with session(server, "127.0.0.9", tls=True) as client:
                    client.response()
            self.assertTrue(session(server, "127.0.0.9").greeting.startswith(b"* BYE"))
            self.assertIn(b" OK", log_in(server, "127.0.0.10", "alice", "pass"))
            with server.lmtp() as lmtp:  # mail is taken in from everywhere
                lmtp.noop()
            ban, = json.loads(server.admin("ban", "list", "--json").stdout)
            self.assertEqual((ban["address"], ban["times"], ban["login"]), ("127.0.0.9", 1, "alice"))
            self.assertTrue(500 < ban["seconds"] <= 600, ban)
            self.assertEqual(server.admin("ban", "lift", "127.0.0.8", check=False).returncode, 3)
            server.admin("ban", "lift", "127.0.0.9")
            self.assertIn(b" OK", log_in(server, "127.0.0.9", "alice", "pass"))
            self.assertIn("event=address_banned peer=127.0.0.9 seconds=600 times=1 login=alice", server.output())

    def test_who_logs_in_without_a_password_earns_no_trust_for_a_name(self):
        settings = {"guard.ban_after": 3, "guard.delay_after": 100, "auth.anonymous_user": "bob", **NOBODY_EXEMPT}
        with Server({**settings, "auth.mechanisms": ["PLAIN", "ANONYMOUS"]}) as server:
            for guess in ("one", "two", "three"):
                with session(server, "127.0.0.9") as client:  # ANONYMOUS, as "alice"
                    self.assertIn(b" OK", client.command("AUTHENTICATE ANONYMOUS YWxpY2U=")[1])
                with session(server, "127.0.0.9") as client:
                    self.assertIn(b"[AUTHENTICATIONFAILED]", client.command(f"LOGIN alice {guess}")[1])
            self.assertTrue(session(server, "127.0.0.9").greeting.startswith(b"* BYE"))

    def test_scram_and_pop3_are_watched_like_login(self):
        with Server({"guard.ban_after": 3, "guard.delay_after": 100, **NOBODY_EXEMPT}) as server:
            with session(server, "127.0.0.9") as client:
                self.assertIn(b" NO", scram_login(client, "alice", "wrong")[0])
                self.assertIn(b" NO", scram_login(client, "nobody", "wrong")[0])
                self.assertIn(b" NO", client.command("AUTHENTICATE PLAIN AGFsaWNlAHdyb25n")[1])
                self.assertIn(b"NO [UNAVAILABLE]", scram_login(client, "alice", "pass")[0])
            with session(server, "127.0.0.11") as client:
                self.assertIn(b" OK", scram_login(client, "alice", "pass")[0])
            with server.raw_pop3("bob") as client:  # from 127.0.0.1, which so has twice as many tries
                client.command("QUIT")
            with server.raw_pop3(user=None) as client:
                for number in range(6):
                    client.command(f"USER user{number}")
                    self.assertTrue(client.command(f"PASS {number}").startswith("-ERR"))
                client.command("USER alice")
                self.assertTrue(client.command("PASS pass").startswith("-ERR"))
                client.command("USER bob")  # who has been here
                self.assertTrue(client.command("PASS pass").startswith("+OK"))
            self.assertEqual(len(json.loads(server.admin("ban", "list", "--json").stdout)), 2)

    def test_a_rightful_user_gets_in_while_others_guess(self):
        with Server({"guard.delay_after": 2, **NOBODY_EXEMPT}) as server:
            self.assertIn(b" OK", log_in(server, "127.0.0.2", "alice", "pass"))
            for i in range(3):
                log_in(server, f"127.0.1.{i}", "alice", f"guess {i}")
            answer, took = timed(log_in, server, "127.0.0.2", "alice", "pass")
            self.assertIn(b" OK", answer)
            self.assertLess(took, 0.9)
            answer, took = timed(log_in, server, "127.0.1.9", "alice", "pass")
            self.assertIn(b" OK", answer)
            self.assertGreater(took, 0.9)
            self.assertIn(b" OK", log_in(server, "127.0.1.8", "bob", "pass"))
            server.admin("ban", "lift", "--user", "Alice@mail.example.org")
            answer, took = timed(log_in, server, "127.0.1.10", "alice", "pass")
            self.assertIn(b" OK", answer)
            self.assertLess(took, 0.9)

    def test_who_guesses_in_parallel_waits_in_a_row_and_a_stop_waits_for_nobody(self):
        with Server({"guard.delay_after": 1, "guard.ban_after": 0, **NOBODY_EXEMPT}) as server:
            for i in range(3):
                log_in(server, "127.0.0.9", "alice", f"guess {i}")  # from now on 4 s lie between, then more
            answers = []

            def guess(number):
                try:
                    answers.append(log_in(server, "127.0.0.9", "alice", f"more {number}"))
                except (EOFError, ConnectionError):
                    answers.append(b"gone")
            threads = [threading.Thread(target=guess, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            self.assertTrue(eventually(lambda: len(answers) >= 5))
            self.assertEqual({answer.partition(b" NO ")[2][:13] for answer in answers}, {b"[UNAVAILABLE]"})
            _, took = timed(server.stop)
            self.assertLess(took, 5)
            for thread in threads:
                thread.join()

    def matched(self, log, *flags):
        """What fail2ban-regex finds: addresses of the lines that count, and how many lines are ignored."""
        tree = unpacked("fail2ban")
        script = tree.root / "usr/bin/fail2ban-regex"
        environment = tree.environment(PYTHONPATH=str(tree.root / "usr/lib/python3/dist-packages"))
        done = subprocess.run(["/usr/bin/python3", str(script), "-c", str(tree.root / "etc/fail2ban"), "-o", "<F-ID>|<ip>", *flags,
                               str(log), str(ROOT / "packaging/fail2ban/filter.conf")],
                              env=environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return [line.partition("|")[2] for line in done.stdout.splitlines() if "|" in line]

    def test_fail2ban_reads_the_log(self):
        for form in ("text", "json"):
            with Server({"guard.ban_after": 3, "guard.delay_after": 100, "log.format": form, **NOBODY_EXEMPT}) as server:
                with session(server, "127.0.0.9") as client:
                    for guess in ("one", "one", "two"):
                        client.command(f"LOGIN alice {guess}")
                    client.command('LOGIN "x peer=192.0.2.66 kind=authentication_failed " "three"')
                    client.command("LOGIN alice pass")  # banned: not looked at, and said in the line before
                with server.raw() as client:
                    client.must("NOOP")
                # One for each new password, one for the ban, and nothing that a name made up.
                self.assertEqual(self.matched(server.log), ["127.0.0.9"] * 4, server.output())


if __name__ == "__main__":
    unittest.main()
