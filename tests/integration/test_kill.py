"""A few rounds of kill_runs.py, and that its checker sees what it is there for."""
import os
import random
import shutil
import unittest

from harness import Server
from kill_runs import KillRun, settings


class Kill(unittest.TestCase):
    smoke = True

    def test_a_server_killed_at_work_loses_nothing_that_was_acknowledged(self):
        seed = int(os.environ.get("POSTKEEP_KILL_SEED") or random.SystemRandom().randrange(1_000_000))
        print("seed:", seed, flush=True)
        with Server(settings(), users=("alice", "bob")) as server:
            run = KillRun(server, seed, clients=4)
            for _ in range(6):
                run.round()
            run.check_without_indexes()
        print(run.report())
        self.assertEqual(run.losses, [])
        for kind in ("APPEND", "LMTP", "STORE"):
            self.assertGreater(run.counts[kind], 0, kind)


class KillChecker(unittest.TestCase):
    """The checker finds each loss that is planted while the server is down."""
    smoke = True

    def losses_after(self, plant):
        with Server(settings(), users=("alice",)) as server:
            run = KillRun(server, seed=1, clients=2)
            with run.session("alice") as session:
                for number in range(3):
                    session.append("client0", f"X-Key: planted{number}\r\n\r\ntext\r\n".encode(), r"(\Seen) ")
                run.owners[0].mailboxes = session.everything().part("client0")
            server.stop()
            plant(sorted((server.maildir() / ".client0" / "cur").iterdir()))
            run.start()
            run.check()
            return "\n".join(run.losses)

    def test_that_is_a_lost_message(self):
        self.assertIn("planted0 is lost", self.losses_after(lambda files: files[0].unlink()))

    def test_that_is_a_changed_message(self):
        def plant(files):
            files[1].write_bytes(files[1].read_bytes().replace(b"text", b"tent"))
        self.assertIn("planted1 became", self.losses_after(plant))

    def test_that_is_a_lost_flag(self):
        def plant(files):
            files[2].rename(str(files[2]).replace(":2,S", ":2,"))
        self.assertRegex(self.losses_after(plant), r"planted2 had flags .*Seen.*, now \[\]")

    def test_that_is_a_message_twice(self):
        def plant(files):
            shutil.copy(files[0], files[0].with_name("1" + files[0].name))
        self.assertIn("planted0 should not be there", self.losses_after(plant))

    def test_that_is_a_lost_mailbox(self):
        self.assertIn("mailbox client0 is lost", self.losses_after(lambda files: shutil.rmtree(files[0].parents[1])))


if __name__ == "__main__":
    unittest.main()
