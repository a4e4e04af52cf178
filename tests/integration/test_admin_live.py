"""Commands about the running server: who, kick, reload, log level, status; and that they say so where none runs."""
import json
import subprocess
import threading
import unittest

from harness import Server, binary, eventually, message


class AdminLive(unittest.TestCase):
    smoke = True

    def test_without_a_server_they_say_so(self):
        server = Server(users=())
        for command in (("who",), ("kick", "alice"), ("reload",), ("log", "level"), ("status",)):
            done = server.admin(*command, check=False)
            self.assertEqual(done.returncode, 5, command)
            self.assertIn("No server runs", done.stderr)

    def test_who_lists_sessions_and_kick_ends_them(self):
        with Server() as server, server.raw() as alice, server.raw("alice", tls=True) as phone, server.raw("bob") as bob:
            with server.raw(user=None):
                sessions = json.loads(server.admin("who", "--json").stdout)
                self.assertEqual(sorted(s["user"] for s in sessions), ["", "alice", "alice", "bob"])
            phone.must("SELECT INBOX")
            of_alice = json.loads(server.admin("who", "ALICE", "--json").stdout)
            self.assertEqual([s["protocol"] for s in of_alice], ["imap", "imaps"])
            self.assertEqual(of_alice[0]["tls"], "")
            self.assertIn("TLS", of_alice[1]["tls"])
            self.assertEqual(of_alice[1]["address"], "127.0.0.1")
            self.assertLess(of_alice[1]["idle"], 30)
            table = server.admin("who").stdout
            self.assertIn("SESSION", table)
            self.assertIn("imaps", table)
            phone.idle()
            server.admin("kick", "--session", of_alice[1]["session"])
            phone.wait_for(rb"\* BYE")
            alice.must("NOOP")
            self.assertIn("asked 1 session", server.admin("kick", "bob").stdout)
            bob.wait_for(rb"\* BYE")
            self.assertTrue(eventually(lambda: "bob" not in server.admin("who").stdout))
            self.assertEqual(server.admin("kick", "bob", check=False).returncode, 3)
            server.admin("kick", "--address", "127.0.0.1")
            alice.wait_for(rb"\* BYE")
            self.assertEqual(server.admin("kick", check=False).returncode, 2)
            self.assertEqual(server.admin("kick", "alice", "--address", "::1", check=False).returncode, 2)
            server.raw("bob").close()  # who was kicked may come again

    def test_reload_tells_what_is_wrong_and_what_needs_a_restart(self):
        with Server() as server:
            good = server.config.read_text()
            server.config.write_text(good + "\n[limits]\nconnections_per_user = 1\nrecipients = -3\nnonsense = 1\n")
            done = server.admin("reload", check=False)
            self.assertEqual(done.returncode, 6)
            line = good.count("\n") + 4
            self.assertIn(f":{line}: ", done.stderr)
            self.assertIn("nonsense", done.stderr)
            # Asked by another file that names the data, the server tells of its own.
            other = server.folder / "other.toml"
            other.write_text(f'data_dir = "{server.data}"\n')
            report = subprocess.run([binary(), "reload", "--config", str(other)], capture_output=True, text=True)
            self.assertEqual(report.returncode, 1)
            self.assertIn(f":{line}: ", report.stdout)
            self.assertIn("old configuration holds", report.stdout)
            with server.raw(), server.raw():
                pass
            server.config.write_text(good + "\n[limits]\nconnections_per_user = 1\nmailboxes = 77\n[storage]\nthreads = 3\n")
            report = json.loads(server.admin("reload", "--json").stdout)
            self.assertEqual(sorted(report["need_restart"]), ["limits.mailboxes", "storage.threads"])
            with server.raw():
                second = server.raw(user=None)
                self.assertIn(b" NO ", second.command("LOGIN alice pass")[1])
                second.close()

    def test_log_level_is_shown_and_set_until_a_reload(self):
        with Server({"log.level": "info"}) as server:
            self.assertEqual(server.admin("log", "level").stdout, "info\n")
            self.assertEqual(server.admin("log", "level", "error").stdout, "error\n")
            size = server.log.stat().st_size
            server.raw().close()
            server.admin("user", "list")
            self.assertEqual(server.log.stat().st_size, size)
            self.assertEqual(server.admin("log", "level", "loud", check=False).returncode, 2)
            server.admin("reload")
            self.assertEqual(server.admin("log", "level").stdout, "info\n")

    def test_status_counts(self):
        with Server() as server, server.raw() as client:
            server.deliver(message())
            client.must("SELECT INBOX")
            status = json.loads(server.admin("status", "--json").stdout)
            self.assertEqual(status["connections"]["imap"], 1)
            minute = status["last_minute"]
            self.assertEqual((minute["logins"], minute["failed_logins"], minute["deliveries"]), (1, 0, 1))
            self.assertGreaterEqual(minute["commands"], 2)
            self.assertGreaterEqual(minute["connections"], 2)
            self.assertGreater(status["memory"], 1_000_000)
            text = server.admin("status").stdout
            for part in ("postkeep ", "imap 1", "1 deliveries", "queues:"):
                self.assertIn(part, text)

    def test_many_commands_at_once(self):
        with Server() as server:
            answers = []

            def ask(command):
                answers.append(server.admin(*command).returncode)

            threads = [threading.Thread(target=ask, args=(command,))
                       for command in [("who",), ("status",), ("user", "list"), ("reload",)] * 6]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(answers, [0] * 24)
