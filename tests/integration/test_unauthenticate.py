"""UNAUTHENTICATE (RFC 8437): what the conformance scripts cannot see: places of users, what the administrator is shown, compression, and that it
can be switched off."""
import json
import unittest
import zlib

from harness import RawImap, Server
from test_compress import Compressed


def users_seen(server):
    return sorted(session["user"] for session in json.loads(server.admin("who", "--json").stdout))


class Unauthenticate(unittest.TestCase):
    smoke = True

    def test_the_place_of_the_user_is_given_back(self):
        with Server({"limits.connections_per_user": 1}) as server:
            with RawImap("127.0.0.1", server.imap_port) as client, RawImap("127.0.0.1", server.imap_port) as other:
                client.must("LOGIN alice pass")
                self.assertIn(b" NO ", other.command("LOGIN alice pass")[1])
                self.assertEqual(users_seen(server), ["", "alice"])
                client.must("UNAUTHENTICATE")
                self.assertEqual(users_seen(server), ["", ""])
                other.must("LOGIN alice pass")
                self.assertIn(b" NO ", client.command("LOGIN alice pass")[1])
                client.must("LOGIN bob pass")
                self.assertEqual(users_seen(server), ["alice", "bob"])
                client.must("CREATE of-bob")
                self.assertNotIn(b"of-bob", b"".join(other.must('LIST "" *')))

    def test_compression_ends(self):
        for end in (zlib.Z_SYNC_FLUSH, zlib.Z_FINISH):
            for tls in (False, True):
                with self.subTest(end=end, tls=tls), Server() as server:
                    client = Compressed("127.0.0.1", server.imaps_port if tls else server.imap_port, tls)
                    with client:
                        client.must("LOGIN alice pass")
                        client.compress()
                        command = client.packer.compress(b"x UNAUTHENTICATE\r\n") + client.packer.flush(end)
                        # Behind a stream that ends nothing has to be waited for.
                        behind = b"y LOGIN bob pass\r\n" if end == zlib.Z_FINISH else b""
                        client.socket.sendall(command + behind)
                        while b"\r\n" not in client.buffer:
                            client._fill()
                        self.assertTrue(client.buffer.startswith(b"x OK "), client.buffer)
                        plain = client.buffer.partition(b"\r\n")[2] + client.unpacker.unused_data
                        client.packer = None
                        client.buffer = plain
                        if behind:
                            self.assertTrue(client.line().startswith(b"y OK "))
                        else:
                            client.must("LOGIN bob pass")
                        client.must("SELECT INBOX")
                        client.compress()
                        client.must("NOOP")

    def test_it_can_be_switched_off(self):
        with Server({"imap.hidden_capabilities": ["UNAUTHENTICATE"]}) as server:
            with RawImap("127.0.0.1", server.imap_port) as client:
                client.must("LOGIN alice pass")
                self.assertNotIn(b"UNAUTHENTICATE", client.must("CAPABILITY")[0])
                self.assertIn(b" BAD ", client.command("UNAUTHENTICATE")[1])
                client.must("NOOP")


if __name__ == "__main__":
    unittest.main()
