"""The command line, beside a running server and without one; configuration errors; signals."""
import base64
import json
import os
import signal
import subprocess
import time
import unittest

from harness import Server, binary, eventually, message


class Admin(unittest.TestCase):
    smoke = True

    def check_users_and_mailboxes(self, server):
        server.admin("user", "add", "dora", "--password-stdin", stdin="secret\n")
        listed = json.loads(server.admin("user", "list", "--json").stdout)
        self.assertIn("dora", json.dumps(listed))
        self.assertNotEqual(server.admin("user", "add", "dora", "--password-stdin", stdin="x\n", check=False).returncode, 0)
        server.admin("user", "passwd", "dora", "--password-stdin", stdin="other\n")
        self.assertNotIn("other", server.admin("user", "show", "dora", "--json").stdout)
        server.admin("mailbox", "create", "dora", "Work/2026")
        server.admin("mailbox", "rename", "dora", "Work/2026", "Work/Old")
        self.assertIn("Work/Old", server.admin("mailbox", "list", "dora").stdout)
        status = json.loads(server.admin("mailbox", "status", "dora", "Work/Old", "--json").stdout)
        self.assertIn("messages", json.dumps(status))
        server.admin("mailbox", "delete", "dora", "Work/Old")
        self.assertNotIn("Work/Old", server.admin("mailbox", "list", "dora").stdout)
        self.assertNotEqual(server.admin("mailbox", "status", "dora", "Nowhere", check=False).returncode, 0)

    def test_without_a_server(self):
        server = Server(users=())
        self.check_users_and_mailboxes(server)
        server.admin("user", "delete", "dora")
        self.assertNotIn("dora", server.admin("user", "list").stdout)
        with server:
            pass

    def test_beside_a_server(self):
        with Server() as server:
            self.check_users_and_mailboxes(server)
            with server.raw("dora", "other") as client:
                client.must("SELECT INBOX")
                server.admin("user", "delete", "dora")
                again = server.raw(user=None)
                self.assertIn(b" NO ", again.command("LOGIN dora other")[1])
                again.close()

    def test_a_ready_made_hash(self):
        with Server(users=()) as server:
            server.admin("user", "add", "erik", "--hash", "{PLAIN}word")
            server.raw("erik", "word").close()

    def test_argon2_is_the_default(self):
        with Server(users=()) as server:
            server.admin("user", "add", "frida@example.net", "--password-stdin", stdin="pässword\n")
            shown = server.admin("user", "show", "frida@example.net", "--json").stdout
            self.assertIn("ARGON2ID", shown)
            self.assertIn("SCRAM-SHA-256", shown)
            client = server.raw(user=None)
            response = base64.b64encode("\0frida@example.net\0pässword".encode()).decode()
            client.must("AUTHENTICATE PLAIN " + response)
            client.close()

    def test_config_errors_are_all_told_with_their_lines(self):
        server = Server(users=())
        server.config.write_text('data_dir = "/tmp/x"\nnonsense = 1\n[limits]\nconnections_per_user = "many"\n[wrong]\na = 1\n')
        done = server.admin("config", "check", check=False)
        self.assertNotEqual(done.returncode, 0)
        text = done.stdout + done.stderr
        for part in ("nonsense", "connections_per_user", "wrong", "2", "4"):
            self.assertIn(part, text)
        self.assertNotEqual(subprocess.run([binary(), "serve", "--config", str(server.config)], capture_output=True,
                                           timeout=30).returncode, 0)

    def test_config_show_and_version(self):
        with Server(users=()) as server:
            self.assertIn("allow_plaintext", server.admin("config", "show").stdout)
            self.assertIn("postkeep", subprocess.run([binary(), "version"], capture_output=True, text=True).stdout.lower())
            server.admin("config", "check")

    def test_a_second_server_on_the_same_data_is_refused(self):
        with Server() as server:
            second = subprocess.run([binary(), "serve", "--config", str(server.config)], capture_output=True, text=True,
                                    timeout=30)
            self.assertNotEqual(second.returncode, 0)
            server.raw().close()

    def test_sigterm_says_bye_and_exits_with_0(self):
        with Server() as server:
            client = server.raw()
            client.must("SELECT INBOX")
            client.idle()
            server.process.send_signal(signal.SIGTERM)
            client.wait_for(rb"\* BYE", seconds=10)
            self.assertEqual(server.stop(), 0)

    def test_who_asks_again_and_again_to_stop_gets_a_clean_stop(self):
        for _ in range(5):
            with Server() as server:
                while server.process.poll() is None:
                    server.process.send_signal(signal.SIGTERM)
                    time.sleep(0.0005)
                self.assertEqual(server.stop(), 0)

    def test_sighup_reloads_without_dropping_sessions(self):
        with Server() as server:
            client = server.raw(tls=True)
            client.must("SELECT INBOX")
            os.rename(server.log, str(server.log) + ".1")
            server.process.send_signal(signal.SIGHUP)
            self.assertTrue(eventually(server.log.exists))
            client.must("NOOP")
            server.raw(tls=True).close()
            server.settings["nonsense"] = 1
            server.write_config()
            server.process.send_signal(signal.SIGHUP)
            client.must("NOOP")
            server.raw().close()
            client.close()

    def test_separator_dot(self):
        with Server({"mailbox.separator": "."}) as server, server.raw() as client:
            client.must("CREATE One.Two")
            self.assertTrue(any(b'"." ' in line and b"One.Two" in line for line in client.must('LIST "" "*"')))
            client.append("One.Two", message())
            client.must("SELECT One.Two")


if __name__ == "__main__":
    unittest.main()
