"""Who may log in: SCRAM-SHA-256 by a client of our own, passwd-files that change, keys that come with a password."""
import re
import subprocess
import unittest

from harness import HOST, Server, binary, eventually, message
from neighbours import unpacked
from scram import scram_login, scram_pop3


def write_users(path, *lines):
    """Replaces a passwd-file in one step, as an administrator should."""
    new = path.with_suffix(".new")
    new.write_text("".join(line + "\n" for line in lines))
    new.rename(path)


class Auth(unittest.TestCase):
    smoke = True

    def scram(self, server, user, password, tls=False, **options):
        with server.raw(user=None, tls=tls) as client:
            return scram_login(client, user, password, **options)

    def accepts(self, server, user, password, **options):
        tagged, _ = self.scram(server, user, password, **options)
        return b" OK" in tagged[:8]

    def logs_in(self, server, user, password):
        with server.raw(user=None) as client:
            return b" OK" in client.command(f'LOGIN {user} "{password}"')[1][:8]

    def offers(self, server):
        with server.raw(user=None) as client:
            return b"AUTH=SCRAM-SHA-256" in client.greeting

    def test_scram_logs_in_and_the_server_proves_itself_too(self):
        with Server(users=()) as server:
            server.admin("user", "add", "alice", "--password-stdin", stdin="pässwörd\n")
            self.assertTrue(self.offers(server))
            for tls in (False, True):
                for initial in (True, False):
                    self.assertTrue(self.accepts(server, "alice", "pässwörd", tls=tls, initial=initial))
            for header in ("y,,", "n,a=alice,", "n,a=ALICE@localhost,"):
                self.assertTrue(self.accepts(server, "alice", "pässwörd", header=header), header)
            self.assertTrue(self.accepts(server, "Alice@mail.example.org", "pässwörd"))
            with server.raw(user=None) as client:
                tagged, _ = scram_login(client, "alice", "pässwörd")
                self.assertIn(b"[CAPABILITY ", tagged)
                client.must("SELECT INBOX")
            self.assertIn("mechanism=SCRAM-SHA-256", server.output())
            self.assertNotIn("pässwörd", server.output())

    def test_scram_logs_in_by_pop3(self):
        with Server() as server, server.raw_pop3(user=None) as client:
            client.must("CAPA")
            self.assertIn(b"SASL SCRAM-SHA-256", client.rest())
            self.assertRegex(scram_pop3(client, "alice", "wrong")[0], r"^-ERR \[AUTH\]")
            self.assertRegex(scram_pop3(client, "alice", "pass")[0], r"^\+OK")
            client.must("STAT")

    def test_scram_of_cyrus_sasl_as_mbsync_uses_it(self):
        isync, modules = unpacked("isync"), unpacked("libsasl2-modules")
        with Server() as server, server.raw() as client:
            client.must("CREATE Lists")
            self.assertIn(b" OK", client.append("Lists", message()))
            folder = server.folder
            for password, expected in (("pass", 0), ("wrong", 1)):
                near = folder / f"near-{password}"
                near.mkdir()
                (folder / "rc").write_text(f"""
IMAPStore far
Host {HOST}
Port {server.imap_port}
User alice
Pass {password}
SSLType None
AuthMechs SCRAM-SHA-256

MaildirStore near
Path {near}/
Inbox {near}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Near
SyncState *
""")
                done = subprocess.run(
                    [isync.program("mbsync"), "-c", str(folder / "rc"), "-a"], capture_output=True, timeout=120,
                    env=isync.environment(SASL_PATH=":".join(modules.folders("usr/lib/*/sasl2"))))
                self.assertEqual(done.returncode, expected, done.stderr)
                self.assertEqual(len(list((near / "Lists/new").glob("*"))), 1 - expected)
            self.assertIn("mechanism=SCRAM-SHA-256", server.output())

    def test_scram_refuses_alike_whoever_is_asked_for(self):
        with Server({"limits.login_attempts": 100}, users=()) as server:
            for name, scheme in (("alice", "SCRAM-SHA-256"), ("off", "SCRAM-SHA-256"), ("argon", "ARGON2ID")):
                server.add_user(name, "secret", scheme)
            server.admin("user", "disable", "off")
            answers, salts = set(), {}
            for user, password in (("alice", "wrong"), ("off", "secret"), ("off", "wrong"), ("argon", "secret"),
                                   ("nobody", "secret"), ("nobody", "wrong"), ("nobody@localhost", "x")):
                for _ in range(2):
                    tagged, scram = self.scram(server, user, password)
                    answers.add(tagged.split(b" ", 1)[1])
                    self.assertEqual(scram.iterations, 4096)
                    self.assertEqual(len(scram.salt), 16)
                    salts.setdefault(user.split("@")[0], set()).add(scram.salt)
            self.assertEqual(len(answers), 1, answers)
            self.assertIn(b"NO [AUTHENTICATIONFAILED]", answers.pop())
            self.assertTrue(all(len(each) == 1 for each in salts.values()), salts)
            self.assertEqual(len(set.union(*salts.values())), len(salts))
            server.stop()
            server.start()  # the made-up keys are the same tomorrow
            self.assertEqual(self.scram(server, "nobody", "x")[1].salt, salts["nobody"].pop())
            tagged, _ = self.scram(server, "alice", "secret", header="n,a=off,")
            self.assertIn(b"NO [AUTHORIZATIONFAILED]", tagged)

    def test_scram_messages_that_make_no_sense_are_bad_and_wrong_proofs_count(self):
        with Server({"limits.login_attempts": 3}) as server:
            with server.raw(user=None) as client:
                for header in ("p=tls-unique,,", "x,,", ""):
                    tagged, _ = scram_login(client, "alice", "pass", header=header)
                    self.assertRegex(tagged, rb"^t\d+ BAD ", header)
            with server.raw(user=None) as client:
                for _ in range(3):
                    self.assertIn(b" NO ", scram_login(client, "alice", "wrong")[0])
                self.assertIn(b"* BYE", client.line())

    def test_without_tls_where_it_is_wanted_only_scram_is_offered(self):
        with Server({"auth.allow_plaintext": "never"}) as server, server.raw(user=None) as client:
            self.assertIn(b"LOGINDISABLED", client.greeting)
            self.assertIn(b"AUTH=SCRAM-SHA-256", client.greeting)
            self.assertNotIn(b"AUTH=PLAIN", client.greeting)
            self.assertIn(b" OK", scram_login(client, "alice", "pass")[0])

    def test_keys_come_with_the_next_login_that_sends_the_password(self):
        with Server(users=()) as server:
            server.add_user("alice", "secret", "ARGON2ID")
            self.assertFalse(self.accepts(server, "alice", "secret"))
            self.assertFalse(self.logs_in(server, "alice", "wrong"))
            self.assertFalse(self.accepts(server, "alice", "secret"))
            self.assertTrue(self.logs_in(server, "alice", "secret"))
            self.assertTrue(self.accepts(server, "alice", "secret"))
            self.assertIn("scram_keys_added", server.output())
            self.assertIn("ARGON2ID SCRAM-SHA-256", server.admin("user", "show", "alice").stdout)
            server.admin("user", "passwd", "alice", "--password-stdin", stdin="other\n")
            self.assertFalse(self.accepts(server, "alice", "secret"))
            self.assertTrue(self.accepts(server, "alice", "other"))

    def test_keys_are_not_added_where_that_is_off(self):
        with Server({"auth.add_scram_keys": False}, users=()) as server:
            server.add_user("alice", "secret", "ARGON2ID")
            self.assertTrue(self.logs_in(server, "alice", "secret"))
            self.assertFalse(self.accepts(server, "alice", "secret"))

    def hash(self, scheme, password):
        done = subprocess.run([binary(), "pw", "hash", "--scheme", scheme, "--password-stdin", "-c", "/dev/null"],
                              input=password + "\n", text=True, capture_output=True, timeout=60, check=True)
        return done.stdout.strip()

    def test_users_of_a_passwd_file_log_in_and_get_mail_and_its_changes_count(self):
        server = Server(users=())
        path = server.folder / "users"
        server.settings["auth.backends"] = ["database", f"passwd-file:{path}"]
        server.write_config()
        bcrypt = self.hash("BLF-CRYPT", "bob's")
        write_users(path, "# name:hash", "alice:" + self.hash("SHA512-CRYPT", "alice's") + ":1000:1000::/home/alice:",
                    "bob:" + bcrypt.partition("}")[2], "carol@example.org:{PLAIN}carol's:::::: nologin", "broken line",
                    "dave:{ROT13}qnir:")
        with server:
            self.assertFalse(self.offers(server))  # bob's password is nowhere
            with server.raw(user=None) as client:
                self.assertRegex(client.command("AUTHENTICATE SCRAM-SHA-256")[1], rb"^t\d+ NO ")
            self.assertTrue(self.logs_in(server, "alice", "alice's"))
            self.assertTrue(self.logs_in(server, "BOB@mail.example.org", "bob's"))
            self.assertFalse(self.logs_in(server, "bob", "alice's"))
            self.assertFalse(self.logs_in(server, "carol@example.org", "carol's"))
            server.deliver("Subject: x\r\n\r\ny\r\n", "carol@example.org")
            with server.raw("bob", "bob's") as client:
                client.must("SELECT INBOX")
            self.assertRegex(server.output(), re.escape(str(path)) + r":5: ")
            self.assertRegex(server.output(), re.escape(str(path)) + r":6: ")
            self.assertNotIn("qnir", server.output())
            refused = server.admin("user", "passwd", "alice", "--password-stdin", stdin="x\n", check=False)
            self.assertEqual(refused.returncode, 1)
            self.assertIn(str(path), refused.stderr)
            server.admin("user", "add", "erin", "--password-stdin", stdin="erin's\n")
            self.assertTrue(self.logs_in(server, "erin", "erin's"))
            listed = [line.split()[0] for line in server.admin("user", "list").stdout.splitlines()]
            self.assertEqual(listed, ["alice", "bob", "carol@example.org", "erin"])

            # The file changes under the running server.
            write_users(path, "alice:" + self.hash("SCRAM-SHA-256", "new") + ":", "frank:{PLAIN}frank's")
            self.assertTrue(eventually(lambda: self.logs_in(server, "frank", "frank's")))
            self.assertFalse(self.logs_in(server, "bob", "bob's"))
            self.assertTrue(self.offers(server))
            self.assertTrue(self.accepts(server, "alice", "new"))
            self.assertTrue(self.accepts(server, "frank", "frank's"))
            self.assertFalse(self.accepts(server, "alice", "alice's"))
            path.unlink()
            self.assertTrue(self.logs_in(server, "frank", "frank's"))
            self.assertIn("cannot be read", server.output())

    def test_the_server_does_not_start_without_its_passwd_file(self):
        with Server(users=()) as server:
            server.stop()
            server.settings["auth.backends"] = ["passwd-file:/does/not/exist"]
            server.write_config()
            done = subprocess.run([binary(), "serve", "--config", str(server.config)], capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 5)
            self.assertIn(b"/does/not/exist", done.stderr)

    def test_every_scheme_that_is_made_lets_its_user_in(self):
        listed = subprocess.run([binary(), "pw", "schemes"], capture_output=True, text=True, timeout=60, check=True).stdout
        made = [line.split()[0] for line in listed.splitlines() if "made and read" in line]
        self.assertIn("SSHA512", made)
        server = Server({"auth.add_scram_keys": False}, users=())
        path = server.folder / "users"
        server.settings["auth.backends"] = [f"passwd-file:{path}"]
        server.write_config()
        write_users(path, *(f"{scheme.lower()}:{self.hash(scheme, 'pass of ' + scheme)}:" for scheme in made))
        with server:
            for scheme in made:
                self.assertTrue(self.logs_in(server, scheme.lower(), "pass of " + scheme), scheme)
                self.assertFalse(self.logs_in(server, scheme.lower(), "pass of"), scheme)

    def test_pw_check_tells_by_its_exit_code(self):
        def check(text, *arguments):
            return subprocess.run([binary(), "pw", "check", "--password-stdin", *arguments, "-c", "/dev/null"],
                                  input=text, text=True, capture_output=True, timeout=60).returncode
        made = self.hash("CRYPT", "secret")
        self.assertTrue(made.startswith("{CRYPT}$y$"), made)
        self.assertEqual(check("secret\n", "--hash", made), 0)
        self.assertEqual(check("secret\n", "--hash", made.partition("}")[2]), 0)
        self.assertEqual(check(f"secret\n{made}\n"), 0)
        self.assertEqual(check(f"wrong\n{made}\n"), 1)
        self.assertEqual(check("secret\n"), 2)
        self.assertEqual(check("secret\n{ROT13}x\n"), 1)


if __name__ == "__main__":
    unittest.main()
