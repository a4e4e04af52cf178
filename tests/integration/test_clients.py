"""What curl and Python's imaplib can do. What they and others read is in test_readers."""
import imaplib
import pathlib
import subprocess
import tempfile
import unittest

from harness import HOST, Server, insecure_tls, message, program


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
