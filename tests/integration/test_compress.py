"""COMPRESS=DEFLATE (RFC 4978) over real connections, with Python's zlib on the other side."""
import time
import unittest
import zlib

from harness import RawImap, Server, message


class Compressed(RawImap):
    """From compress() on, everything is DEFLATE in both directions."""

    packer = None

    def compress(self):
        self.must("COMPRESS DEFLATE")
        self.packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        self.unpacker = zlib.decompressobj(-15)
        self.octets = self.unpacked = 0

    def send(self, data):
        data = data if isinstance(data, bytes) else data.encode()
        if self.packer:
            data = self.packer.compress(data) + self.packer.flush(zlib.Z_SYNC_FLUSH)
        self.socket.sendall(data)

    def _fill(self):
        if not self.packer:
            return super()._fill()
        chunk = self.socket.recv(1 << 20)
        if not chunk:
            raise EOFError("connection closed")
        plain = self.unpacker.decompress(chunk)
        self.octets += len(chunk)
        self.unpacked += len(plain)
        self.buffer += plain

    def exactly(self, count):
        while len(self.buffer) < count:
            self._fill()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data


class Compression(unittest.TestCase):
    smoke = True

    def connect(self, server, tls):
        client = Compressed("127.0.0.1", server.imaps_port if tls else server.imap_port, tls)
        client.must("LOGIN alice pass")
        self.assertIn(b"COMPRESS=DEFLATE", client.must("CAPABILITY")[0])
        client.compress()
        return client

    def test_mail_goes_in_and_out_compressed(self):
        texts = [message(f"number {count}", f"line {count}\r\n" * 3000) for count in range(20)]
        with Server() as server:
            for tls in (False, True):
                with self.connect(server, tls) as client:
                    box = "tls" if tls else "plain"
                    client.must(f"CREATE {box}")
                    client.append_all(box, texts)
                    client.must(f"SELECT {box}")
                    self.assertEqual(list(client.fetch_literals("1:*", "BODY.PEEK[]").values()), texts)
                    self.assertLess(client.octets * 10, client.unpacked)

    def test_a_session_that_was_idle_goes_on_and_is_told_of_news(self):
        with Server() as server, self.connect(server, True) as client:
            client.must("SELECT INBOX")
            for count in range(2):
                client.idle()
                time.sleep(2.5)  # long enough for the server to give back the memory of compression
                server.deliver(message(f"news {count}"))
                client.wait_for(rb"\* %d EXISTS" % (count + 1))
                client.done()
                time.sleep(2.5)
                client.must("NOOP")
            self.assertEqual(len(client.fetch_literals("1:*", "BODY.PEEK[]")), 2)

    def test_it_can_be_switched_off(self):
        with Server({"imap.compression": 0}) as server, server.raw() as client:
            self.assertNotIn(b"COMPRESS", client.must("CAPABILITY")[0])
            self.assertIn(b" NO ", client.command("COMPRESS DEFLATE")[1])


if __name__ == "__main__":
    unittest.main()
