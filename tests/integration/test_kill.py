"""A few rounds of kill_runs.py, and that its checker sees what it is there for."""
import os
import random
import shutil
import unittest

from harness import SMOKE
from kill_runs import KillRun, new_server


class Kill(unittest.TestCase):
    on_disk = True

    def test_a_server_killed_at_work_loses_nothing_that_was_acknowledged(self):
        seed = int(os.environ.get("POSTKEEP_KILL_SEED") or random.SystemRandom().randrange(1_000_000))
        print("seed:", seed, flush=True)
        with new_server(("alice", "bob")) as server:
            run = KillRun(server, seed, clients=4)
            for _ in range(2 if SMOKE else 12):
                run.round()
            run.check_without_indexes()
        print(run.report())
        self.assertEqual(run.losses, [])
        self.assertGreater(run.counts["LMTP"], 0)

    def test_each_kind_of_loss_is_noticed(self):
        with new_server(("alice",)) as server:
            run = KillRun(server, seed=1, clients=3)
            with run.session("alice") as session:
                for number in range(5):
                    session.append("client0", f"X-Key: key{number}\r\n\r\ntext\r\n".encode(), r"(\Seen) ")
                session.must("SUBSCRIBE client1")
                session.must("CREATE client2/late")
                actual = session.everything()
            for owner in run.owners:
                owner.mailboxes = actual.part(owner.root)
            del run.owners[2].mailboxes.boxes["client2/late"]
            text = b"X-Key: key9\r\n\r\ntext\r\n"
            server.deliver(text)
            run.delivered("alice", "key9", text, b"250 2.1.5\r\n")
            run.kill()
            self.harm(server.maildir())
            run.start()
            run.check()
        expected = ("INBOX: key9 is lost", "client0 UID 1000: key3 should not be there", "client0 UID 1: key0 is lost",
                    "client0 UID 2: key1 became key1 or changed", "client0 UID 3: key2 had flags .+Seen.+, now ..$",
                    "mailbox client1 is lost", "mailbox client2/late should not be there")
        self.assertEqual(len(run.losses), len(expected), run.losses)
        for found, pattern in zip(sorted(run.losses), expected):
            self.assertRegex(found, pattern)

    def harm(self, folder):
        """What a server must not do, done behind its back."""
        files = sorted((folder / ".client0" / "cur").iterdir(), key=lambda file: file.name.partition(",P=")[2])
        files[0].unlink()
        files[1].write_bytes(files[1].read_bytes().replace(b"text", b"tent"))
        files[2].rename(str(files[2]).replace(":2,S", ":2,"))
        shutil.copy(files[3], files[3].with_name("1" + files[3].name))
        shutil.rmtree(folder / ".client1")
        next((folder / "cur").iterdir()).unlink()


if __name__ == "__main__":
    unittest.main()
