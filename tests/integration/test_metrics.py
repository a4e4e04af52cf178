"""Figures for Prometheus and the health check: the text is right by the format's own rules, and the numbers are true."""
import http.client
import imaplib
import re
import socket
import subprocess
import time
import unittest

from harness import HOST, ROOT, Server, eventually, free_port
from neighbours import unpacked

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)")
HELP = re.compile(rf"# HELP ({NAME}) (.+)")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge|histogram)")


class Figures:
    """The text format of Prometheus, read strictly: https://prometheus.io/docs/instrumenting/exposition_formats/"""

    def __init__(self, text):
        assert text.endswith("\n"), "the last line ends"
        self.types, self.helps, self.values = {}, {}, {}
        current = None
        for line in text[:-1].split("\n"):
            if match := HELP.fullmatch(line):
                assert match[1] not in self.helps, line
                self.helps[match[1]] = match[2]
            elif match := TYPE.fullmatch(line):
                assert match[1] not in self.types and match[1] in self.helps, line
                current = match[1]
                self.types[current] = match[2]
            else:
                match = SAMPLE.fullmatch(line)
                assert match, f"no sample: {line!r}"
                allowed = [current] if self.types[current] != "histogram" else [
                    current + suffix for suffix in ("_bucket", "_sum", "_count")]
                assert match[1] in allowed, f"{line!r} under {current}"
                key = (match[1], frozenset(re.findall(LABEL, match[2] or "")))
                assert key not in self.values, f"twice: {line!r}"
                self.values[key] = float(match[3])
        self.check_histograms()

    def check_histograms(self):
        for name in (n for n, kind in self.types.items() if kind == "histogram"):
            series = {}
            for (sample, labels), value in self.values.items():
                if sample == name + "_bucket":
                    bound = next(label for label in labels if label.startswith("le="))
                    series.setdefault(labels - {bound}, []).append((float(bound[4:-1].replace("+Inf", "inf")), value))
            for labels, buckets in series.items():
                assert buckets == sorted(buckets) and buckets[-1][0] == float("inf"), (name, labels)
                assert [count for _, count in buckets] == sorted(count for _, count in buckets), (name, labels)
                assert buckets[-1][1] == self.values[(name + "_count", labels)], (name, labels)
                assert self.values[(name + "_sum", labels)] >= 0

    def get(self, name, **labels):
        return self.values.get((name, frozenset(f'{key}="{value}"' for key, value in labels.items())), 0)


class Metrics(unittest.TestCase):
    def setUp(self):
        self.port = free_port()
        self.server = Server({"metrics.listen": [f"{HOST}:{self.port}"]})
        self.server.__enter__()
        self.addCleanup(self.server.__exit__, None, None, None)

    def request(self, path, method="GET"):
        client = http.client.HTTPConnection(HOST, self.port, timeout=30)
        client.request(method, path)
        answer = client.getresponse()
        body = answer.read().decode()
        client.close()
        return answer, body

    def figures(self):
        answer, body = self.request("/metrics")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.getheader("Content-Type"), "text/plain; version=0.0.4; charset=utf-8")
        return Figures(body)

    def raw(self, data):
        with socket.create_connection((HOST, self.port), timeout=30) as client:
            client.sendall(data)
            answer = b""
            while chunk := client.recv(4096):
                answer += chunk
        return answer

    def test_numbers_are_those_of_what_happened(self):
        text = "Subject: one\r\n\r\n" + "body\r\n" * 100
        self.server.deliver(text)
        self.server.deliver(text, recipient="bob")
        client = self.server.imap()
        with self.assertRaises(imaplib.IMAP4.error):
            self.server.imap(password="wrong")
        client.select()
        client.fetch("1", "(BODY[])")
        client.store("1", "+FLAGS", r"(\Deleted)")
        client.expunge()
        with self.assertRaises(imaplib.IMAP4.error):
            client.xatom("NONSENSE")
        now = self.figures()
        self.assertEqual(now.get("postkeep_deliveries_total", result="ok"), 2)
        self.assertGreaterEqual(now.get("postkeep_delivered_octets_total"), 2 * len(text))
        self.assertEqual(now.get("postkeep_messages_appended_total"), 2)
        self.assertEqual(now.get("postkeep_messages_expunged_total"), 1)
        self.assertGreater(now.get("postkeep_fetched_octets_total"), len(text))
        self.assertEqual(now.get("postkeep_logins_total", protocol="imap", mechanism="LOGIN command", result="ok"), 1)
        self.assertEqual(now.get("postkeep_logins_total", protocol="imap", mechanism="LOGIN command", result="failed"), 1)
        for command, count in (("FETCH", 1), ("STORE", 1), ("EXPUNGE", 1), ("other", 1), ("LOGIN", 2)):
            self.assertEqual(now.get("postkeep_command_seconds_count", protocol="imap", command=command), count, command)
        self.assertEqual(now.get("postkeep_command_seconds_count", protocol="lmtp", command="DATA"), 2)
        self.assertGreaterEqual(now.get("postkeep_connections", protocol="imap"), 1)
        self.assertEqual(now.get("postkeep_connections_total", protocol="imap"), 2)
        self.assertEqual(now.get("postkeep_errors_total", where="imap", kind="authentication_failed"), 1)
        self.assertGreater(now.get("postkeep_received_bytes_total"), 2 * len(text))
        self.assertGreater(now.get("postkeep_storage_job_seconds_count"), 4)
        self.assertEqual(now.get("postkeep_storage_queue"), 0)
        self.assertEqual(now.get("postkeep_auth_seconds_count"), 2)
        self.assertGreater(now.get("process_resident_memory_bytes"), 1 << 20)
        self.assertGreater(now.get("process_open_fds"), 5)
        client.logout()
        self.assertTrue(eventually(lambda: self.figures().get("postkeep_connections", protocol="imap") == 0))

    def test_every_figure_is_documented(self):
        documented = set(re.findall(r"^\| `((?:postkeep|process)_\w+)", (ROOT / "docs/metrics.md").read_text(), re.M))
        self.assertEqual(documented, set(self.figures().types))

    def test_promtool_finds_nothing_to_complain_about(self):
        tree = unpacked("prometheus")
        self.server.deliver("Subject: one\r\n\r\nbody\r\n")
        _, body = self.request("/metrics")
        done = subprocess.run([tree.program("promtool"), "check", "metrics"], input=body, text=True, capture_output=True,
                              env=tree.environment(), timeout=60)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_only_what_is_there_is_given_and_only_to_proper_requests(self):
        self.assertEqual(self.request("/health")[0].status, 200)
        answer, body = self.request("/metrics", "HEAD")
        self.assertEqual((answer.status, body), (200, ""))
        self.assertGreater(int(answer.getheader("Content-Length")), 1000)
        self.assertEqual(self.request("/")[0].status, 404)
        answer, _ = self.request("/metrics", "POST")
        self.assertEqual((answer.status, answer.getheader("Allow")), (405, "GET, HEAD"))
        self.assertTrue(self.raw(b"GET /metrics\r\n\r\n").startswith(b"HTTP/1.1 400 "))
        self.assertTrue(self.raw(b"GET / HTTP/1.1\r\nA: " + b"a" * 9000).startswith(b"HTTP/1.1 431 "))

    def test_a_silent_peer_is_hung_up_on_and_many_do_not_block_it_for_ever(self):
        silent = [socket.create_connection((HOST, self.port), timeout=30) for _ in range(40)]
        began = time.monotonic()
        for client in silent:
            self.assertEqual(client.recv(1), b"")
            client.close()
        self.assertLess(time.monotonic() - began, 20)
        self.assertEqual(self.request("/health")[0].status, 200)

    def test_health_says_so_when_the_data_is_gone(self):
        away = self.server.folder / "away"
        self.server.data.rename(away)
        answer, body = self.request("/health")
        away.rename(self.server.data)
        self.assertEqual((answer.status, body), (503, "storage does not answer\n"))
        self.assertEqual(self.request("/health")[0].status, 200)

    def test_health_says_stopping_while_a_session_may_still_finish(self):
        client = self.server.raw()
        client.send(b"a APPEND INBOX {100000}\r\n")
        self.assertTrue(client.line().startswith(b"+"))
        self.server.process.terminate()
        answer, body = None, ""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and (answer is None or answer.status == 200):
            answer, body = self.request("/health")
        self.assertEqual((answer.status, body), (503, "stopping\n"))
        client.socket.close()


if __name__ == "__main__":
    unittest.main()
