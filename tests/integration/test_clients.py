"""The programs that people use, from Debian: curl, mbsync, Python's imaplib."""
import imaplib
import pathlib
import re
import subprocess
import tempfile
import unittest

from harness import HOST, Server, corpus, insecure_tls, mbox_messages, message, program, stored_form
from neighbours import unpacked


class Clients(unittest.TestCase):
    smoke = False

    def run_program(self, *command, expect=0, **arguments):
        done = subprocess.run(command, capture_output=True, timeout=300, **arguments)
        self.assertEqual(done.returncode, expect, f"{command}: {done.stdout[-2000:]!r} {done.stderr[-2000:]!r}")
        return done.stdout

    def test_curl_reads_lists_and_uploads(self):
        curl = program("curl")
        with Server() as server, tempfile.TemporaryDirectory() as folder:
            upload = pathlib.Path(folder) / "mail.eml"
            upload.write_bytes(message("from curl", "line\r\n.dot\r\n"))
            for url, tls in ((f"imap://{HOST}:{server.imap_port}", ["--ssl-reqd"]),
                             (f"imap://{HOST}:{server.imap_port}", []),
                             (f"imaps://{HOST}:{server.imaps_port}", [])):
                base = [curl, "-sS", "-k", "--max-time", "30", "-u", "alice:pass", *tls]
                self.run_program(*base, "-T", str(upload), f"{url}/INBOX")
                self.assertIn(b"INBOX", self.run_program(*base, f"{url}/"))
                out = self.run_program(*base, f"{url}/INBOX;MAILINDEX=1")
                self.assertEqual(out, upload.read_bytes())
                self.assertIn(b"from curl", self.run_program(*base, f"{url}/INBOX;MAILINDEX=1;SECTION=HEADER"))
                self.assertIn(b"SEARCH", self.run_program(*base, f"{url}/INBOX?SUBJECT%20curl"))
            denied = subprocess.run([curl, "-sS", "-u", "alice:wrong", f"imap://{HOST}:{server.imap_port}/"],
                                    capture_output=True, timeout=60)
            self.assertEqual(denied.returncode, 67)  # curl: login denied

    def test_mbsync_mirrors_the_account_both_ways_and_then_moves_nothing(self):
        isync = unpacked("isync")
        mbsync = isync.program("mbsync")
        with Server() as server, tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            sent = [stored_form(m) for name, m in corpus("real")[::8] if b"\0" not in m]
            with server.raw() as client:
                for text in sent:
                    self.assertIn(b" OK", client.append("INBOX", text))
                client.must('CREATE "Lists/Grüße"'.encode())
                for _, text in mbox_messages()[:40]:
                    client.append('"Lists/Gr&APwA3w-e"', text)
            (folder / "near").mkdir()
            (folder / "rc").write_text(f"""
IMAPStore far
Host {HOST}
Port {server.imap_port}
User alice
Pass pass
SSLType None
AuthMechs LOGIN

MaildirStore near
Path {folder}/near/
Inbox {folder}/near/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
""")
            self.run_program(mbsync, "-c", str(folder / "rc"), "-a")
            inbox = folder / "near/INBOX"
            got = [p.read_bytes() for d in ("cur", "new") for p in (inbox / d).iterdir()]
            strip = lambda m: re.sub(rb"X-TUID: [^\n]*\n", b"", m.replace(b"\r\n", b"\n").replace(b"\r", b""))
            self.assertEqual(len(got), len(sent))
            self.assertEqual(sorted(map(strip, got)), sorted(map(strip, sent)))
            (inbox / "new" / "1.local.host").write_bytes(message("from the other side").replace(b"\r\n", b"\n"))
            self.run_program(mbsync, "-c", str(folder / "rc"), "-a")
            before = sorted(p.name for p in inbox.rglob("*"))
            self.run_program(mbsync, "-c", str(folder / "rc"), "-a")
            self.assertEqual(before, sorted(p.name for p in inbox.rglob("*")))
            with server.raw() as client:
                client.must("EXAMINE INBOX")
                found = client.must('UID SEARCH SUBJECT "from the other side"')
                self.assertEqual(len(found[0].split()), 3, found)
                self.assertTrue(any(b"* %d EXISTS" % (len(sent) + 1) in line for line in client.must("SELECT INBOX")))

    def test_imaplib_does_everything_it_can(self):
        with Server() as server:
            client = imaplib.IMAP4(HOST, server.imap_port, timeout=30)
            client.starttls(insecure_tls())
            client.authenticate("PLAIN", lambda _: b"\0alice\0pass")
            ok = lambda answer: self.assertEqual(answer[0], "OK", answer) or answer[1]
            ok(client.create("Work"))
            ok(client.subscribe("Work"))
            ok(client.append("Work", r"(\Seen)", '"02-Nov-2026 10:00:00 +0000"', message("imaplib")))
            ok(client.append("Work", None, None, message("second", "needle in here\r\n")))
            self.assertEqual(ok(client.select("Work")), [b"2"])
            self.assertEqual(ok(client.search(None, "BODY", '"needle"')), [b"2"])
            self.assertEqual(ok(client.search(None, "UNSEEN")), [b"2"])
            self.assertEqual(ok(client.uid("SEARCH", "SUBJECT", "imaplib")), [b"1"])
            data = ok(client.fetch("1:2", "(FLAGS INTERNALDATE BODY.PEEK[HEADER.FIELDS (Subject)])"))
            self.assertIn(b"Subject: imaplib\r\n\r\n", data[0][1])
            self.assertIn(b"02-Nov-2026 10:00:00 +0000", data[0][0] + data[1])
            ok(client.store("2", "+FLAGS", r"(\Flagged)"))
            ok(client.copy("1:2", "INBOX"))
            ok(client.uid("MOVE", "2", "Trash"))
            ok(client.store("1", "+FLAGS", r"(\Deleted)"))
            self.assertEqual(ok(client.expunge()), [b"2", b"1"])  # imaplib kept MOVE's EXPUNGE
            self.assertIn(b'"/" INBOX', b"\n".join(ok(client.list())).replace(b'"INBOX"', b"INBOX"))
            ok(client.status("INBOX", "(MESSAGES UIDNEXT UIDVALIDITY UNSEEN)"))
            ok(client.rename("Work", "Done"))
            ok(client.delete("Done"))
            ok(client.select("INBOX"))  # deleting the selected mailbox closed it
            ok(client.namespace())
            ok(client.noop())
            ok(client.check())
            ok(client.unselect())
            self.assertEqual(client.logout()[0], "BYE")


if __name__ == "__main__":
    unittest.main()
