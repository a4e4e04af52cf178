"""The PROXY protocol: clients behind Debian's HAProxy, and headers that are not what they should be."""
import json
import socket
import subprocess
import time
import unittest

from harness import HOST, RawImap, Server, eventually, free_port
from neighbours import unpacked

CLIENT, GUESSER = "127.0.0.77", "127.0.0.78"
V2 = b"\r\n\r\n\0\r\nQUIT\n"


def proxied_server(**more):
    """A server that has an imap and an imaps port for HAProxy, `server.behind` and `server.behind_tls`."""
    server = Server({"proxy.trusted": [HOST], "proxy.timeout": 1, **more})
    server.behind, server.behind_tls = free_port(), free_port()
    server.settings["listen.imap"].append(f"{HOST}:{server.behind} proxy")
    server.settings["listen.imaps"].append(f"{HOST}:{server.behind_tls} proxy")
    server.write_config()
    return server


class HaProxy:
    """HAProxy in the foreground; `fronts` are {port: "address:port options of its server line"}."""

    def __init__(self, folder, fronts):
        tree = unpacked("haproxy")
        lines = ["global", " maxconn 100", "defaults", " mode tcp", " timeout connect 5s", " timeout client 60s", " timeout server 60s"]
        for port, server in fronts.items():
            lines += [f"listen on{port}", f" bind {HOST}:{port}", f" server postkeep {server}"]
        config = folder / "haproxy.cfg"
        config.write_text("\n".join(lines) + "\n")
        self.output = open(folder / "haproxy.log", "wb")
        self.process = subprocess.Popen([tree.program("haproxy"), "-db", "-f", str(config)], env=tree.environment(),
                                        stdout=self.output, stderr=subprocess.STDOUT)
        self.ports = list(fronts)

    def __enter__(self):
        def listens():
            with socket.socket() as probe:
                return probe.connect_ex((HOST, self.ports[-1])) == 0
        if not eventually(listens):
            raise AssertionError("HAProxy does not listen: " + open(self.output.name).read())
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self.output.close()


class Proxy(unittest.TestCase):
    smoke = True

    def test_clients_behind_haproxy_are_themselves(self):
        server = proxied_server(**{"guard.ban_after": 3, "guard.delay_after": 100, "guard.exempt": [],
                                   "limits.connections_per_address": 3})
        with server:
            v1, v2, v2_tls = free_port(), free_port(), free_port()
            fronts = {v1: f"{HOST}:{server.behind} send-proxy",
                      v2: f"{HOST}:{server.behind} send-proxy-v2 proxy-v2-options crc32c,unique-id check inter 200 check-send-proxy",
                      v2_tls: f"{HOST}:{server.behind_tls} send-proxy-v2"}
            with HaProxy(server.folder, fronts):
                for port in fronts:
                    with RawImap(HOST, port, port == v2_tls, source=CLIENT) as client:
                        client.must("LOGIN alice pass")
                        session, = (one for one in json.loads(server.admin("who", "--json").stdout) if one["user"] == "alice")
                        self.assertEqual(session["address"], CLIENT)
                # Others are not kept out by what one of them does.
                with RawImap(HOST, v2, source=GUESSER) as client:
                    for guess in ("one", "two", "three"):
                        self.assertIn(b" NO", client.command(f"LOGIN alice {guess}")[1])
                with RawImap(HOST, v2, source=GUESSER) as client:
                    self.assertTrue(client.greeting.startswith(b"* BYE"), client.greeting)
                ban, = json.loads(server.admin("ban", "list", "--json").stdout)
                self.assertEqual(ban["address"], GUESSER)
                self.assertTrue(eventually(lambda: CLIENT not in server.admin("who", "--json").stdout))
                clients = [RawImap(HOST, v2, source=CLIENT) for _ in range(3)]
                self.assertTrue(RawImap(HOST, v1, source=CLIENT).greeting.startswith(b"* BYE"))
                self.assertTrue(RawImap(HOST, v1, source="127.0.0.79").greeting.startswith(b"* OK"))
                for client in clients:
                    client.close()
                self.assertIn("event=login_failed session=", server.output())
                self.assertIn(f"peer={GUESSER} protocol=imap", server.output())
                self.assertIn("event=proxied", server.output())

    def after(self, server, octets, source=HOST, wait=3.0):
        """What the server says to a connection that begins so, up to its end or, if it goes on, the greeting."""
        with socket.create_connection((HOST, server.behind), wait, (source, 0)) as connection:
            for piece in octets if isinstance(octets, list) else [octets]:
                connection.sendall(piece)
                time.sleep(0.01)
            try:
                return connection.recv(4096)
            except ConnectionResetError:
                return b""

    def test_headers(self):
        with proxied_server() as server:
            header = b"PROXY TCP4 192.0.2.1 198.51.100.2 12345 143\r\n"
            greeting = self.after(server, header)
            self.assertTrue(greeting.startswith(b"* OK"), greeting)
            self.assertIn(b"LOGINDISABLED", greeting)  # who comes from there needs TLS
            self.assertTrue(self.after(server, [header[i:i + 1] for i in range(len(header))]).startswith(b"* OK"))
            self.assertNotIn(b"LOGINDISABLED", self.after(server, V2 + b"\x20\x00\x00\x00"))
            self.assertTrue(self.after(server, V2 + b"\x21\x00\x00\x03\x04\x00\x00").startswith(b"* OK"))
            wrong_sum = V2 + b"\x21\x11\x00\x13" + bytes.fromhex("c0000201c633640230390 08f".replace(" ", "")) + b"\x03\x00\x04abcd"
            for broken in (b"a1 NOOP\r\n", b"PROXY TCP4 192.0.2.1\r\n", wrong_sum, b"\x16\x03\x01\x02\x00"):
                self.assertEqual(self.after(server, broken), b"", broken)
            begin = time.monotonic()
            self.assertEqual(self.after(server, header[:-2]), b"")
            self.assertLess(time.monotonic() - begin, 2.9)
            self.assertEqual(self.after(server, header, source="127.0.0.5"), b"")
            self.assertIn('peer=127.0.0.5 reason="not in proxy.trusted"', server.output())
            # An ordinary listener believes nobody.
            with socket.create_connection((HOST, server.imap_port), 5) as connection:
                connection.sendall(header)
                stream = connection.makefile("rb")
                self.assertTrue(stream.readline().startswith(b"* OK"))
                self.assertIn(b" BAD ", stream.readline())


if __name__ == "__main__":
    unittest.main()
