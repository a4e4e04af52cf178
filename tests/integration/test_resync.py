"""CONDSTORE and QRESYNC (RFC 7162) over real connections: a client that comes back, also after the server was started anew
and after its index was lost."""
import re
import unittest

from harness import Server, message


def code(lines, name):
    """The number of `OK [name n]`."""
    return int([m.group(1) for m in (re.search(rb"\[%s (\d+)\]" % name, line) for line in lines) if m][-1])


def numbers(text):
    """"1:3,5" as a set."""
    found = set()
    for part in text.split(b","):
        first, _, last = part.partition(b":")
        found.update(range(int(first), int(last or first) + 1))
    return found


class Cache:
    """What a client knows of INBOX when it goes away."""

    def __init__(self, client):
        client.must("ENABLE QRESYNC")
        selected = client.must("SELECT INBOX")
        self.validity = code(selected, b"UIDVALIDITY")
        self.modseq = code(selected, b"HIGHESTMODSEQ")

    def come_back(self, client, more=""):
        """(vanished UIDs, {uid: flags} of what changed)"""
        client.must("ENABLE QRESYNC")
        lines = client.must(f"SELECT INBOX (QRESYNC ({self.validity} {self.modseq}{more}))")
        vanished = set()
        changed = {}
        for line in lines:
            if line.startswith(b"* VANISHED (EARLIER) "):
                vanished |= numbers(line.split()[3])
            fetched = re.match(rb"\* \d+ FETCH \(UID (\d+) FLAGS \(([^)]*)\) MODSEQ \((\d+)\)\)", line)
            if fetched:
                changed[int(fetched.group(1))] = set(fetched.group(2).split()) - {b"\\Recent"}
        self.modseq = code(lines, b"HIGHESTMODSEQ")
        return vanished, changed


class Resync(unittest.TestCase):
    smoke = True

    def test_a_client_is_told_what_it_missed_and_no_more(self):
        with Server() as server, server.raw(tls=True) as other:
            other.append_all("INBOX", [message(f"number {count}") for count in range(10)])
            with server.raw(tls=True) as client:
                cache = Cache(client)
            other.must("SELECT INBOX")
            other.must(r"STORE 2,5 +FLAGS (\Deleted)")
            other.must("EXPUNGE")
            other.must(r"UID STORE 7 +FLAGS (\Flagged $Work)")
            server.deliver(message("new"))
            with server.raw(tls=True) as client:
                self.assertEqual(cache.come_back(client), ({2, 5}, {7: {b"\\Flagged", b"$Work"}, 11: set()}))
            with server.raw(tls=True) as client:
                self.assertEqual(cache.come_back(client), (set(), {}))

    def test_what_was_expunged_is_remembered_by_a_server_that_starts_anew(self):
        server = Server()
        with server:
            with server.raw() as client:
                client.append_all("INBOX", [message(f"number {count}") for count in range(5)])
                cache = Cache(client)
                client.must(r"STORE 1,4 +FLAGS (\Deleted)")
                client.must("EXPUNGE")
            self.assertEqual(server.stop(), 0)
            server.start()
            with server.raw() as client:
                self.assertEqual(cache.come_back(client), ({1, 4}, {}))

    def test_after_the_loss_of_the_index_everything_is_told_anew(self):
        server = Server()
        with server:
            with server.raw() as client:
                client.append_all("INBOX", [message(f"number {count}") for count in range(5)])
                cache = Cache(client)
                client.must(r"STORE 1,4 +FLAGS (\Deleted)")
                client.must("EXPUNGE")
                client.must(r"STORE 1 +FLAGS (\Seen)")
            self.assertEqual(server.stop(), 0)
            for path in server.maildir().glob("index.sqlite*"):
                path.unlink()
            server.start()
            with server.raw() as client:
                before = cache.modseq
                vanished, changed = cache.come_back(client)
                self.assertTrue({1, 4} <= vanished and not vanished & {2, 3, 5}, vanished)
                self.assertEqual(changed, {2: {b"\\Seen"}, 3: set(), 5: set()})
                self.assertGreater(cache.modseq, before)
            # The client's own pairs of number and UID spare it what it knows.
            cache.modseq = before
            with server.raw() as client:
                vanished, _ = cache.come_back(client, " (1:3 2:3,5)")
                self.assertFalse(vanished & {1, 4})


if __name__ == "__main__":
    unittest.main()
