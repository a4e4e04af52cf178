"""What Thunderbird and phones send in a day, replayed from sessions/*.txt and answered whole."""
import pathlib
import unittest

from harness import Server
from replayer import Replay

SESSIONS = pathlib.Path(__file__).with_name("sessions")


class Sessions(unittest.TestCase):
    smoke = True

    def replay(self, name):
        with Server() as server:
            Replay(server, SESSIONS / f"{name}.txt").run()

    def test_thunderbird(self):
        self.replay("thunderbird")

    def test_ios(self):
        self.replay("ios")

    def test_k9(self):
        self.replay("k9")


if __name__ == "__main__":
    unittest.main()
