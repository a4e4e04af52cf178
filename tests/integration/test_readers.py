"""All of lists/ in one mailbox, read by the programs that people use: each message exactly once and octet for octet.

What a program itself changes in the messages that it writes down is undone, and said, in its test.
"""
import imaplib
import pathlib
import re
import subprocess
import tempfile
import unittest

from harness import (HOST, Server, assert_same_messages, corpus, insecure_tls, mbox_messages, message, program, stored_form,
                     without_fields)
from neighbours import MEMORY, on_terminal, unpacked


def has_header(text):
    return without_fields(text, "none") == text and not text.startswith(b"\r\n")


def crlf(text):
    """As it was before the program wrote it with its own line ends; lists/ has no bare CR or LF in it."""
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def maildir(folder):
    return [path.read_bytes() for part in ("cur", "new") for path in (folder / part).iterdir()]


class Readers(unittest.TestCase):
    takes_long = True
    smoke = False

    @classmethod
    def setUpClass(cls):
        cls.messages = [text for _, text in mbox_messages()]
        cls.with_header = list(filter(has_header, cls.messages))
        cls.server = Server(users=("alice", "bob", "carol"))
        cls.server.__enter__()
        for user, messages in (("alice", cls.messages), ("bob", cls.with_header)):
            with cls.server.raw(user) as client:
                client.append_all("INBOX", messages)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(dir=MEMORY)
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return str(path)

    def run_program(self, command, environment=None):
        done = subprocess.run(command, capture_output=True, timeout=300, env=environment)
        self.assertEqual(done.returncode, 0, f"{command}: {done.stdout[-2000:]!r} {done.stderr[-2000:]!r}")
        return done.stdout + done.stderr

    # --- IMAP ---
    def test_curl(self):
        url = f"imap://{HOST}:{self.server.imap_port}/INBOX;UID=[1-{len(self.messages)}]"
        self.run_program([program("curl"), "-sS", "-k", "--ssl-reqd", "-u", "alice:pass", url, "-o", str(self.folder / "#1")])
        assert_same_messages(self, [path.read_bytes() for path in self.folder.iterdir()], self.messages)

    def test_imaplib(self):
        client = self.server.imaps()
        client.select("INBOX", readonly=True)
        uids = client.uid("SEARCH", "ALL")[1][0].split()
        self.assertEqual(len(uids), len(self.messages))
        for uid, expected in zip(uids, self.messages):
            data = client.uid("FETCH", uid, "(BODY.PEEK[])")[1]
            self.assertEqual(data[0][1], expected)
        client.logout()

    def mutt_copies(self, name):
        """Opens the mailbox read-only, tags all, copies what is tagged to a Maildir."""
        tree = unpacked(name)
        copies = self.folder / "copies"
        rc = self.write("rc", f"""
set folder = "{self.folder}"
set imap_user = alice
set imap_pass = pass
set certificate_file = "{self.server.data}/tls/{self.certificate()}"
set ssl_starttls = no
set ssl_verify_host = no
set mbox_type = Maildir
set confirmappend = no
set confirmcreate = no
set quit = yes
push "<tag-pattern>~A<enter><tag-prefix-cond><copy-message>{copies}<enter><quit>"
""")
        command = [tree.program(name), "-n", "-R", "-F", rc, "-f", f"imaps://{HOST}:{self.server.imaps_port}/INBOX"]
        code, drawn = on_terminal(command, tree.environment(HOME=str(self.folder)))
        self.assertEqual(code, 0, drawn[-2000:])
        # It writes LF, its own Content-Length and Lines, and drops the two fields in which mbox files keep flags.
        own = ("content-length", "lines", "status", "x-status")
        assert_same_messages(self, [without_fields(crlf(text), *own) for text in maildir(copies)],
                             [without_fields(text, *own) for text in self.messages])

    def certificate(self):
        return next(path.name for path in (self.server.data / "tls").iterdir() if b"CERTIFICATE" in path.read_bytes())

    def test_mutt(self):
        self.mutt_copies("mutt")

    def test_neomutt(self):
        self.mutt_copies("neomutt")

    def fetchmail(self, poll):
        """What it fetches, as it would hand it to an MTA, in one file of batched SMTP."""
        tree = unpacked("fetchmail")
        batch = self.folder / "batch"
        rc = self.write("rc", f"""
set invisible
poll {HOST} {poll}
  user "bob" password "pass"
  fetchall keep no rewrite pass8bits no sslcertck
  bsmtp "{batch}"
""")
        self.run_program([tree.program("fetchmail"), "-f", rc, "--nodetach", "--nosyslog", "--silent"],
                         tree.environment(FETCHMAILHOME=str(self.folder), HOME=str(self.folder)))
        found, lines = [], None
        for line in batch.read_bytes().split(b"\r\n"):
            if lines is None:
                lines = [] if line == b"DATA" else None
            elif line == b".":
                found.append(b"".join(lines))
                lines = None
            else:
                lines.append(line.removeprefix(b".") + b"\r\n")
        # Return-Path becomes the sender. Mail without any header gets one, so it is not in this mailbox.
        assert_same_messages(self, found, [without_fields(text, "return-path") for text in self.with_header])

    def test_fetchmail_by_imap(self):
        self.fetchmail(f"protocol IMAP service {self.server.imap_port} auth password")

    # --- POP3 ---
    def test_poplib(self):
        client = self.server.pop3()
        self.assertEqual(client.stat(), (len(self.messages), sum(map(len, self.messages))))
        self.assertEqual(len({line.split()[1] for line in client.uidl()[1]}), len(self.messages))
        for number, expected in enumerate(self.messages, 1):
            self.assertEqual(b"".join(line + b"\r\n" for line in client.retr(number)[1]), expected)
        client.quit()

    def test_curl_by_pop3(self):
        url = f"pop3s://{HOST}:{self.server.pop3s_port}/[1-{len(self.messages)}]"
        self.run_program([program("curl"), "-sS", "-k", "-u", "alice:pass", url, "-o", str(self.folder / "#1")])
        assert_same_messages(self, [path.read_bytes() for path in self.folder.iterdir()], self.messages)

    def test_fetchmail_by_pop3(self):
        self.fetchmail(f"protocol POP3 service {self.server.pop3_port} auth password")

    def test_mpop_and_then_there_is_nothing_new(self):
        tree = unpacked("mpop")
        for part in ("cur", "new", "tmp"):
            (self.folder / "mail" / part).mkdir(parents=True)
        rc = self.write("mpoprc", f"""
account default
host {HOST}
port {self.server.pop3_port}
tls on
tls_starttls on
tls_certcheck off
auth plain
user alice
password pass
keep on
uidls_file {self.folder}/uidls
delivery maildir {self.folder}/mail
received_header off
""")
        for _ in range(2):
            self.run_program([tree.program("mpop"), "-C", rc, "-Q"], tree.environment(HOME=str(self.folder)))
            assert_same_messages(self, map(crlf, maildir(self.folder / "mail")), self.messages)

    # --- mbsync ---
    def mbsync(self):
        isync = unpacked("isync")
        rc = self.write("mbsyncrc", f"""
FSync no

IMAPStore far
Host {HOST}
Port {self.server.imap_port}
User carol
Pass pass
SSLType None
AuthMechs LOGIN

MaildirStore near
Path {self.folder}/near/
Inbox {self.folder}/near/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
""")
        self.run_program([isync.program("mbsync"), "-c", rc, "-a"], isync.environment())

    def far(self, mailbox):
        with self.server.raw("carol") as client:
            client.must(f"EXAMINE {mailbox}")
            return list(client.fetch_literals("1:*", "BODY.PEEK[]").values())

    def state(self):
        """What there is on both sides."""
        with self.server.raw("carol") as client:
            far = client.must('LIST "" * RETURN (STATUS (MESSAGES UIDNEXT UIDVALIDITY))')
        near = [path.name for path in (self.folder / "near").rglob("*") if ".mbsyncstate" not in path.name]
        return sorted(far), sorted(near)

    def test_mbsync_mirrors_the_account_both_ways_and_then_moves_nothing(self):
        real = [stored_form(text) for _, text in corpus("real")[::8] if b"\0" not in text]
        pushed = self.messages[::4]  # each waits for its OK
        near = self.folder / "near"
        with self.server.raw("carol") as client:
            client.append_all("INBOX", real)
            client.must('CREATE "Far/Gr&APwA3w-e"')
            client.append_all('"Far/Gr&APwA3w-e"', self.messages)
        for part in ("cur", "new", "tmp"):
            (near / "Near" / part).mkdir(parents=True)
        for number, text in enumerate(pushed):
            (near / "Near" / "new" / f"{number}.local.host").write_bytes(text.replace(b"\r\n", b"\n"))
        self.mbsync()
        # It writes LF, and marks what it stores with X-TUID until it knows the UID.
        plain = lambda text: re.sub(rb"X-TUID: [^\r\n]*\r\n", b"", crlf(text))
        assert_same_messages(self, map(plain, maildir(near / "INBOX")), [plain(text.replace(b"\r", b"")) for text in real])
        assert_same_messages(self, map(plain, maildir(near / "Far" / "Gr&APwA3w-e")), map(plain, self.messages))
        assert_same_messages(self, map(plain, self.far("Near")), map(plain, pushed))
        before = self.state()
        self.mbsync()
        self.assertEqual(self.state(), before)
        (near / "INBOX" / "new" / "1.local.host").write_bytes(message("from the near side").replace(b"\r\n", b"\n"))
        self.mbsync()
        self.assertEqual(len(self.far("INBOX")), len(real) + 1)
        self.assertIn(b"Subject: from the near side", self.far("INBOX")[-1])


if __name__ == "__main__":
    unittest.main()
