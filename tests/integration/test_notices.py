"""Several sessions on one mailbox see each other's changes, deliveries and other programs at once, in IDLE too."""
import os
import random
import re
import threading
import time
import unittest

from harness import Server, message


class Notices(unittest.TestCase):
    smoke = True

    def test_idle_shows_a_delivery(self):
        with Server() as server, server.raw() as watcher, server.lmtp() as lmtp:
            watcher.must("SELECT INBOX")
            watcher.idle()
            for count in range(1, 21):
                lmtp.sendmail("sender@example.com", ["alice"], message(f"number {count}"))
                watcher.wait_for(rb"\* %d EXISTS" % count, seconds=5)
            self.assertIn(b" OK", watcher.done()[-1])

    def test_idle_shows_flags_and_expunges_of_another_session(self):
        with Server() as server, server.raw() as watcher, server.raw(tls=True) as actor:
            for count in range(3):
                actor.append("INBOX", message(f"number {count}"))
            watcher.must("SELECT INBOX")
            actor.must("SELECT INBOX")
            watcher.idle()
            actor.must(r"STORE 2 +FLAGS (\Flagged $Custom)")
            self.assertIn(b"\\Flagged", watcher.wait_for(rb"\* 2 FETCH \(.*FLAGS \(")[-1])
            actor.must(r"STORE 2 +FLAGS.SILENT (\Deleted)")
            actor.must("EXPUNGE")
            watcher.wait_for(rb"\* 2 EXPUNGE")
            watcher.done()
            found = watcher.must("FETCH 1:* (UID)")
            self.assertEqual(len(found), 2)

    def test_noop_shows_what_happened_meanwhile(self):
        with Server() as server, server.raw() as one, server.raw() as two:
            one.must("SELECT INBOX")
            two.append("INBOX", message())
            self.assertTrue(any(b"1 EXISTS" in line for line in one.must("NOOP")))

    def test_idle_shows_a_delivery_by_another_program(self):
        with Server() as server, server.raw() as watcher:
            watcher.must("SELECT INBOX")
            watcher.idle()
            folder = server.maildir()
            for count in range(1, 6):
                name = f"{int(time.time())}.M{count}P1.elsewhere"
                (folder / "tmp" / name).write_bytes(message(f"foreign {count}").replace(b"\r\n", b"\n"))
                os.rename(folder / "tmp" / name, folder / "new" / name)
                watcher.wait_for(rb"\* %d EXISTS" % count, seconds=5)
            watcher.done()
            bodies = watcher.fetch_literals("1:*", "BODY.PEEK[]")
            self.assertEqual(sorted(bodies.values()), sorted(message(f"foreign {count}") for count in range(1, 6)))

    def test_flags_and_removal_by_another_program(self):
        with Server() as server, server.raw() as watcher:
            watcher.append("INBOX", message("one"))
            watcher.append("INBOX", message("two"))
            watcher.must("SELECT INBOX")
            cur = server.maildir() / "cur"
            names = lambda: sorted(p.name for d in ("cur", "new") for p in (server.maildir() / d).iterdir())
            self.assertEqual(len(names()), 2)
            time.sleep(2.5)  # flags of our own have reached the names
            first = next(name for name in names() if re.search(r",P=[0-9a-f]+-1\b", name))  # of UID 1
            place = cur if (cur / first).exists() else server.maildir() / "new"
            base = first.split(":2,")[0]
            watcher.idle()
            os.rename(place / first, cur / (base + ":2,FS"))
            line = watcher.wait_for(rb"\* 1 FETCH", seconds=5)[-1]
            self.assertIn(b"\\Flagged", line)
            self.assertIn(b"\\Seen", line)
            os.unlink(cur / (base + ":2,FS"))
            watcher.wait_for(rb"\* 1 EXPUNGE", seconds=5)
            watcher.done()

    def test_idle_ends_cleanly_however_done_is_cut(self):
        with Server() as server, server.raw() as client:
            client.must("SELECT INBOX")
            for cut in range(6):
                client.idle()
                client.send(b"DONE\r\n"[:cut])
                server.deliver(message(f"cut {cut}"))
                client.send(b"DONE\r\n"[cut:] + b"n%d NOOP\r\n" % cut)
                client.until(client.idle_tag)
                self.assertIn(b" OK", client.until(b"n%d" % cut)[-1])
            self.assertTrue(any(b"6 EXISTS" in line for line in client.must("STATUS INBOX (MESSAGES)")
                                + client.must("SELECT INBOX")))

    def test_what_was_acknowledged_survives_a_restart_and_the_loss_of_the_index(self):
        server = Server()
        with server:
            with server.raw() as client:
                client.must('CREATE "Keep/Sub"')
                client.must("SUBSCRIBE Keep/Sub")
                for count in range(5):
                    client.append("Keep/Sub", message(f"number {count}"), r"(\Seen kept-keyword) ")
                client.must("SELECT Keep/Sub")
                client.must("STORE 2 +FLAGS (\\Answered other)")
                client.must("STORE 3 +FLAGS (\\Deleted)")
                client.must("EXPUNGE")
                want = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE EMAILID THREADID)"
                before = sorted(client.must("FETCH 1:* " + want))
                selected = [l for l in client.must("SELECT Keep/Sub") if b"UIDVALIDITY" in l or b"UIDNEXT" in l]
            self.assertEqual(server.stop(), 0)
            for path in server.maildir().glob("index.sqlite*"):
                path.unlink()
            server.start()
            with server.raw() as client:
                again = [l for l in client.must("SELECT Keep/Sub") if b"UIDVALIDITY" in l]
                self.assertEqual([l for l in selected if b"UIDVALIDITY" in l], again)
                after = sorted(client.must("FETCH 1:* " + want))
                flags = re.compile(rb"FLAGS \(([^)]*)\)")
                plain = lambda lines: [(flags.sub(b"", l), sorted(flags.search(l).group(1).split())) for l in lines]
                kept = lambda lines: [(l, [f for f in fl if f != b"\\Recent"]) for l, fl in plain(lines)]
                self.assertEqual(kept(before), kept(after))
                self.assertTrue(any(b"Keep/Sub" in line for line in client.must('LSUB "" "*"')))

    def test_a_killed_server_loses_nothing_acknowledged(self):
        server = Server()
        with server:
            with server.lmtp() as lmtp:
                for count in range(30):
                    lmtp.sendmail("sender@example.com", ["alice"], message(f"number {count}"))
            server.process.kill()
            server.process.wait()
            server.stdout.close()
            server.start()
            with server.raw() as client:
                self.assertTrue(any(b"* 30 EXISTS" in line for line in client.must("SELECT INBOX")))


class OtherProgram:
    """Does to a Maildir, at random and as fast as it can, what mail programs do; knows what must be there afterwards."""

    def __init__(self, folder, seed):
        self.folder = folder
        self.random = random.Random(seed)
        self.files = {}  # subject: path
        self.changes = 0

    def deliver(self):
        subject = f"storm {self.changes}"
        name = f"{int(time.time())}.M{self.changes}P1.elsewhere"
        (self.folder / "tmp" / name).write_bytes(message(subject).replace(b"\r\n", b"\n"))
        self.files[subject] = self.folder / "new" / name
        os.rename(self.folder / "tmp" / name, self.files[subject])

    def change_flags(self):
        subject = self.random.choice(sorted(self.files))
        path = self.files[subject]
        letters = "".join(sorted(self.random.sample("DFRS", self.random.randrange(4))))
        self.files[subject] = self.folder / "cur" / (path.name.split(":2,")[0] + ":2," + letters)
        os.rename(path, self.files[subject])

    def remove(self):
        os.unlink(self.files.pop(self.random.choice(sorted(self.files))))

    def run(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.changes += 1
            if len(self.files) < 100 or (len(self.files) < 200 and self.random.random() < 0.1):
                self.deliver()
            elif self.random.random() < 0.1:
                self.remove()
            else:
                self.change_flags()

    def flags(self):
        names = {"D": b"\\Draft", "F": b"\\Flagged", "R": b"\\Answered", "S": b"\\Seen"}
        letters = lambda path: path.name.split(":2,")[1] if ":2," in path.name else ""
        return {subject: {names[letter] for letter in letters(path)} for subject, path in self.files.items()}


class OtherPrograms(unittest.TestCase):
    def told(self, client):
        """By subject: the flags. A message that is told twice fails the test."""
        flags = {}
        for line in client.must("FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"):
            subject = re.search(rb"Subject: ([^\r]*)", line)
            if subject:
                self.assertNotIn(subject[1].decode(), flags)
                words = re.search(rb"FLAGS \(([^)]*)\)", line)[1].split()
                flags[subject[1].decode()] = set(words) - {b"\\Recent"}
        return flags

    def test_a_storm_of_changes_ends_in_what_is_there(self):
        with Server() as server, server.raw() as watcher, server.raw() as busy:
            watcher.must("SELECT INBOX")
            watcher.idle()
            busy.must("SELECT INBOX")
            program = OtherProgram(server.maildir(), seed=4)
            storm = threading.Thread(target=program.run, args=(6,))
            storm.start()
            commands = 0
            while storm.is_alive():
                busy.must("NOOP")
                busy.must("STATUS INBOX (MESSAGES UNSEEN)")
                commands += 1
            storm.join()
            self.assertGreater(commands, 3)  # one, where each of the storm's changes goes first
            self.assertGreater(program.changes, 1000)
            # The watcher hears of all of it while it idles: what its responses add up to is what is there.
            count = 0
            for line in watcher.until_quiet(seconds=3):
                exists = re.fullmatch(rb"\* (\d+) EXISTS", line.strip())
                count = int(exists[1]) if exists else count - bool(re.fullmatch(rb"\* \d+ EXPUNGE", line.strip()))
            self.assertEqual(count, len(program.files))
            self.assertIn(b" OK", watcher.done()[-1])
            for client in (watcher, busy):
                client.must("NOOP")
                self.assertEqual(self.told(client), program.flags())

    def test_a_folder_that_is_taken_away_and_put_back_is_watched_again(self):
        with Server() as server, server.raw() as watcher:
            folder = server.maildir()
            program = OtherProgram(folder, seed=5)
            watcher.must("SELECT INBOX")
            watcher.idle()
            program.deliver()
            watcher.wait_for(rb"\* 1 EXISTS", seconds=5)
            for count in (2, 3):
                os.rename(folder / "new", server.data / "aside")
                if count == 3:
                    time.sleep(0.5)  # so that there is nothing to watch when the server looks
                os.rename(server.data / "aside", folder / "new")
                program.changes += 1
                program.deliver()
                watcher.wait_for(rb"\* %d EXISTS" % count, seconds=20)
            # A whole folder out of a backup, with the same files.
            os.rename(folder / "new", server.data / "aside")
            os.mkdir(folder / "new")
            for file in (server.data / "aside").iterdir():
                os.link(file, folder / "new" / file.name)
            program.changes += 1
            program.deliver()
            watcher.wait_for(rb"\* 4 EXISTS", seconds=20)
            watcher.done()
            self.assertEqual(len(self.told(watcher)), 4)


if __name__ == "__main__":
    unittest.main()
