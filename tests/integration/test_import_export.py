"""`postkeep import` and `export`: mbox and Maildir, round trips byte for byte, twice without doubles, killed on the way."""
import collections
import json
import mailbox
import os
import re
import signal
import subprocess
import time
import unittest

from harness import MAIL, Server, binary, corpus, eventually, message, stored_form


def from_line(line):
    """Does a line begin a message of an mbox file? What import promises, written once more."""
    return re.match(rb"From (.*\d\d:\d\d|-\s*$|[^ ]*@[^ ]*\s*$|\s*$)", line) is not None


def mbox_parts(path):
    """What import makes of an mbox file: [bytes], CRLF."""
    parts, current, blank = [], None, True
    for line in re.sub(rb"\A\xef\xbb\xbf", b"", path.read_bytes()).splitlines(keepends=True):
        if blank and from_line(line):
            parts.append([])
            current = parts[-1]
            blank = False
            continue
        blank = line in (b"\n", b"\r\n")
        current.append(line)
    out = []
    for lines in parts:
        if lines and lines[-1] in (b"\n", b"\r\n"):
            lines.pop()
        header_end = next((i for i, line in enumerate(lines) if line in (b"\n", b"\r\n")), len(lines))
        kept, dropping = [], False
        for i, line in enumerate(lines):
            if i < header_end and line[:1] not in (b" ", b"\t"):
                dropping = re.match(rb"(?i)(x-)?status:|x-keywords:", line) is not None
            if i >= header_end or not dropping:
                kept.append(re.sub(rb"\A>(>*From )", rb"\1", line))
        out.append(stored_form(b"".join(kept)))
    return out


def served(server, user, box="INBOX"):
    """Counter of all messages of a mailbox as stored (the files; NUL included)."""
    folder = server.maildir(user) if box == "INBOX" else server.maildir(user) / f".{box}"
    return collections.Counter(path.read_bytes() for path in (folder / "cur").iterdir())


def make_maildir(folder, messages, start=0):
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for i, text in enumerate(messages, start):
        path = folder / "cur" / f"{1500000000 + i}.M{i}.host:2,{'S' if i % 2 else ''}"
        path.write_bytes(text)
        os.utime(path, (1400000000 + i, 1400000000 + i))


class ImportExport(unittest.TestCase):
    def lists(self):
        if not MAIL.is_dir():
            self.skipTest(f"mail corpus missing: {MAIL}")
        return sorted((MAIL / "lists").glob("*.mbox"))

    def report(self, server, *arguments):
        done = server.admin(*arguments, "--json", check=False)
        return json.loads(done.stdout)

    def test_lists_come_in_go_out_and_come_in_elsewhere_byte_for_byte(self):
        with Server() as server:
            expected = collections.Counter()
            for path in self.lists():
                parts = mbox_parts(path)
                expected.update(parts)
                report = self.report(server, "import", "alice", "--mbox", str(path), "--mailbox", "Lists")
                # What other files had already is there already.
                self.assertEqual(report["added"] + report["present"], len(parts), path)
            self.assertGreater(sum(expected.values()), 1500)
            stored = served(server, "alice", "Lists")
            self.assertEqual(set(stored), set(expected))
            target = server.folder / "out"
            done = server.admin("export", "alice", "--maildir", str(target))
            self.assertIn("messages written", done.stdout)
            exported = collections.Counter(p.read_bytes() for p in (target / ".Lists" / "cur").iterdir())
            self.assertEqual(exported, stored)
            self.report(server, "import", "bob", "--maildir", str(target))
            self.assertEqual(served(server, "bob", "Lists"), stored)
            again = self.report(server, "import", "bob", "--maildir", str(target))
            self.assertEqual((again["added"], again["present"]), (0, sum(stored.values())))
            self.assertEqual(self.report(server, "export", "alice", "--maildir", str(target))["written"], 0)

    def test_real_mail_keeps_octets_dates_and_flags_through_a_maildir(self):
        server = Server()
        server.add_user("alice")
        server.add_user("bob")
        source = server.folder / "source"
        messages = [text for _, text in corpus("real")]
        make_maildir(source, messages)
        self.assertEqual(self.report(server, "import", "alice", "--maildir", str(source))["added"], len(messages))
        self.assertEqual(served(server, "alice"), collections.Counter(stored_form(text) for text in messages))
        target = server.folder / "target"
        server.admin("export", "alice", "--maildir", str(target))
        server.admin("import", "bob", "--maildir", str(target))
        self.assertEqual(served(server, "bob"), served(server, "alice"))

        def facts(folder):
            return sorted((int(p.stat().st_mtime), p.name.rpartition(":2,")[2], p.read_bytes())
                          for p in (folder / "cur").iterdir())

        self.assertEqual(facts(server.maildir("bob")), facts(server.maildir("alice")))
        self.assertEqual([f[0] for f in facts(server.maildir("alice"))],
                         [1400000000 + i for i in range(len(messages))])
        self.assertEqual(sum(f[1] == "S" for f in facts(server.maildir("alice"))), len(messages) // 2)
        # Python reads what we write.
        self.assertEqual(len(mailbox.Maildir(target, create=False)), len(messages))

    def test_mbox_round_trip(self):
        with Server() as server:
            path = self.lists()[0]
            server.admin("import", "alice", "--mbox", str(path))
            out = server.folder / "out.mbox"
            server.admin("export", "alice", "--mbox", str(out))
            server.admin("import", "bob", "--mbox", str(out))
            # A message's last line has an end in an mbox file, whether it had one or not.
            ended = collections.Counter(text if text.endswith(b"\r\n") else text + b"\r\n" for text in served(server, "alice"))
            self.assertEqual(served(server, "bob"), ended)
            server.admin("export", "alice", "--mbox", str(out))
            self.assertEqual(len(mailbox.mbox(out)), sum(served(server, "alice").values()))

    def test_killed_importers_and_servers_leave_nothing_out_and_nothing_twice(self):
        source_messages = [message(f"number {i % 700}", "x" * (i % 50) * 40) for i in range(900)]  # 200 are there twice
        expected = collections.Counter(source_messages)
        with Server() as server:
            source = server.folder / "source"
            make_maildir(source, source_messages)
            command = [binary(), "import", "alice", "--maildir", str(source), "--config", str(server.config)]
            kills = 0
            for attempt in range(12):
                importer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                before = len(list((server.maildir() / "cur").iterdir())) if (server.maildir() / "cur").is_dir() else 0
                reached = eventually(lambda: importer.poll() is not None or
                                     ((server.maildir() / "cur").is_dir() and
                                      len(list((server.maildir() / "cur").iterdir())) > before), 30)
                self.assertTrue(reached)
                time.sleep(0.004 * attempt)
                if importer.poll() is not None:
                    break
                kills += 1
                if attempt % 3 == 0:
                    server.stop(signal.SIGKILL)
                    finished = importer.wait(30) == 0  # its last answer came just before
                    if attempt % 2 == 0:  # a lost index does not make anybody forget
                        for path in server.maildir().glob("index.sqlite*"):
                            path.unlink()
                    server.start()
                    if finished:
                        break
                else:
                    importer.kill()
                    importer.wait()
            self.assertGreater(kills, 1)
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
            self.assertEqual(done.returncode, 0, done.stderr)
            with server.raw() as client:
                client.must("SELECT INBOX")
                got = collections.Counter(client.fetch_literals("1:*", "BODY.PEEK[]").values())
            self.assertEqual(got, expected)
            again = self.report(server, "import", "alice", "--maildir", str(source))
            self.assertEqual((again["added"], again["present"]), (0, 900))

    def test_killed_without_a_server(self):
        server = Server()
        server.add_user("alice")
        texts = [message(f"number {i}", "y" * 500) for i in range(600)]
        source = server.folder / "source"
        make_maildir(source, texts)
        command = [binary(), "import", "alice", "--maildir", str(source), "--config", str(server.config)]
        for delay in (0.05, 0.1, 0.2, 0.3):
            importer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            importer.kill()
            importer.wait()
        server.admin("import", "alice", "--maildir", str(source))
        self.assertEqual(served(server, "alice"), collections.Counter(texts))

    def test_a_killed_export_goes_on(self):
        with Server() as server:
            texts = [message(f"number {i}", "z" * 2000 + "\r\n") for i in range(500)]
            make_maildir(server.folder / "source", texts)
            server.admin("import", "alice", "--maildir", str(server.folder / "source"))
            for kind, target in (("--maildir", server.folder / "out"), ("--mbox", server.folder / "out.mbox")):
                command = [binary(), "export", "alice", kind, str(target), "--config", str(server.config)]
                for delay in (0.02, 0.05, 0.1):
                    exporter = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    time.sleep(delay)
                    exporter.kill()
                    exporter.wait()
                server.admin("export", "alice", kind, str(target))
                if kind == "--maildir":
                    got = [p.read_bytes() for p in (target / "cur").iterdir()]
                else:
                    got = mbox_parts(target)
                self.assertEqual(collections.Counter(got), collections.Counter(texts))

    def test_ctrl_c_stops_between_two_steps_and_says_how_to_go_on(self):
        with Server() as server:
            texts = [message(f"number {i}", "z" * 2000) for i in range(3000)]
            make_maildir(server.folder / "source", texts)
            importer = subprocess.Popen([binary(), "import", "alice", "--maildir", str(server.folder / "source"), "--config",
                                         str(server.config)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.assertTrue(eventually(lambda: (server.maildir() / "cur").is_dir() and
                                       any((server.maildir() / "cur").iterdir())))
            importer.send_signal(signal.SIGINT)
            _, err = importer.communicate(timeout=30)
            self.assertEqual(importer.returncode, 5, err)
            self.assertIn("Interrupted", err)
            self.assertIn("same command again", err)

    def test_others_are_served_while_an_import_runs(self):
        with Server() as server:
            texts = [message(f"number {i}", "z" * 20000) for i in range(1500)]
            make_maildir(server.folder / "source", texts)
            importer = subprocess.Popen([binary(), "import", "alice", "--maildir", str(server.folder / "source"), "--config",
                                         str(server.config)], stdout=subprocess.DEVNULL)
            with server.raw() as client:
                client.must("SELECT INBOX")
                waits = []
                while importer.poll() is None:
                    begun = time.monotonic()
                    server.admin("user", "list")
                    client.must("NOOP")
                    waits.append(time.monotonic() - begun)
                self.assertGreater(len(waits), 1)
                self.assertLess(sorted(waits)[len(waits) // 2], 2)
                self.assertEqual(len(client.fetch_literals("1:*", "BODY.PEEK[HEADER.FIELDS (Subject)]")), 1500)
            self.assertEqual(importer.returncode, 0)

    def test_progress_is_shown_when_it_was_asked_for(self):
        with Server() as server:
            make_maildir(server.folder / "source", [message(str(i)) for i in range(50)])
            done = server.admin("import", "alice", "--maildir", str(server.folder / "source"), "--progress")
            self.assertIn("/50 messages", done.stderr)
            self.assertIn("50 messages added", done.stdout)
            quiet = server.admin("import", "alice", "--maildir", str(server.folder / "source"), "--dry-run")
            self.assertEqual(quiet.stderr, "")
            self.assertIn("50 were there already", quiet.stdout)

    def test_what_python_writes_is_read(self):
        with Server() as server:
            folder = server.folder / "py"
            box = mailbox.Maildir(folder, create=True)
            one = mailbox.MaildirMessage(message("python").replace(b"\r\n", b"\n"))
            one.set_flags("FS")
            one.set_subdir("cur")
            box.add(one)
            box.add_folder("Sub").add(mailbox.MaildirMessage(message("sub").replace(b"\r\n", b"\n")))
            server.admin("import", "alice", "--maildir", str(folder))
            with server.raw() as client:
                client.must("SELECT INBOX")
                self.assertIn(b"\\Flagged \\Seen", b"".join(client.must("FETCH 1 FLAGS")))
                client.must("SELECT Sub")
                self.assertEqual(list(client.fetch_literals("1", "BODY.PEEK[]").values()), [message("sub")])

    def test_a_named_mailbox_alone_and_wrong_usage(self):
        with Server() as server:
            server.admin("mailbox", "create", "alice", "A/B")
            server.admin("export", "alice", "--maildir", str(server.folder / "out"), "--mailbox", "A/B")
            self.assertTrue((server.folder / "out" / ".A.B" / "cur").is_dir())
            (server.folder / "out" / "cur").mkdir()
            self.assertEqual(server.admin("export", "alice", check=False).returncode, 2)
            self.assertEqual(server.admin("import", "alice", "--maildir", "x", "--mbox", "y", check=False).returncode, 2)
            self.assertEqual(server.admin("import", "alice", "--maildir", "/nonexistent", check=False).returncode, 3)
            self.assertEqual(server.admin("import", "nobody", "--maildir", str(server.folder / "out"), check=False).returncode, 3)
