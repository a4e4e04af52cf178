"""What the integration tests share: a real server in a scratch folder, raw IMAP and POP3 clients, the mail corpus."""
import collections
import functools
import imaplib
import os
import pathlib
import poplib
import random
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAIL = pathlib.Path(os.environ.get("POSTKEEP_MAIL", ROOT.parent / "shared" / "mail"))
SMOKE = bool(os.environ.get("POSTKEEP_SMOKE"))
HOST = "127.0.0.1"
imaplib._MAXLINE = poplib._MAXLINE = 50_000_000


def binary():
    return os.environ.get("POSTKEEP_BINARY", str(ROOT / "build/release/postkeep"))


@functools.cache
def memory_factor():
    """How much more memory this build needs than the program would: ThreadSanitizer keeps several octets for each,
    AddressSanitizer puts a margin around each allocation and a freed one aside for a while."""
    libraries = subprocess.run(["ldd", binary()], capture_output=True, text=True).stdout
    return 8 if "libtsan" in libraries else 3 if "libasan" in libraries else 1


first_port, last_port = map(int, os.environ.get("POSTKEEP_TEST_PORTS", "10000-32000").split("-"))
given_ports = set()


def free_port():
    """One of this process's share (run.py). None twice: one that was just given looks free until its server runs."""
    while True:
        port = random.randrange(first_port, last_port)
        if port in given_ports:
            continue
        given_ports.add(port)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
                return port
            except OSError:
                continue


def toml_value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


class Server:
    """One server process on its own data folder. Use as a context manager; `settings` are {"table.key": value}.

    `environment` is added to the server's; `runner` is a command that runs it ("exec" at its end: one process);
    `parent` is where the data folder is made, if not where temporary files are."""

    def __init__(self, settings=None, users=("alice", "bob"), environment=None, runner=(), parent=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postkeep-test-", dir=parent))
        self.data = self.folder / "data"
        self.data.mkdir()
        self.imap_port, self.imaps_port, self.lmtp_port = free_port(), free_port(), free_port()
        self.pop3_port, self.pop3s_port = free_port(), free_port()
        self.lmtp_socket = self.folder / "lmtp.sock"
        self.config = self.folder / "postkeep.toml"
        self.log = self.folder / "server.log"
        self.settings = {
            "data_dir": str(self.data),
            "hostname": "mail.example.org",
            "listen.imap": [f"{HOST}:{self.imap_port}"],
            "listen.imaps": [f"{HOST}:{self.imaps_port}"],
            "listen.pop3": [f"{HOST}:{self.pop3_port}"],
            "listen.pop3s": [f"{HOST}:{self.pop3s_port}"],
            "listen.lmtp": [f"{HOST}:{self.lmtp_port}", f"unix:{self.lmtp_socket}"],
            "log.level": "debug",
            "log.file": str(self.log),
        }
        self.settings.update(settings or {})
        self.write_config()
        self.users = users
        self.environment = environment or {}
        self.runner = list(runner)
        self.process = None
        self.stdout = None

    def write_config(self):
        tables = {"": []}
        for key, value in self.settings.items():
            table, _, name = key.rpartition(".")
            tables.setdefault(table, []).append(f"{name} = {toml_value(value)}")
        lines = tables.pop("")
        for table, entries in tables.items():
            lines += [f"[{table}]"] + entries
        self.config.write_text("\n".join(lines) + "\n")

    def admin(self, *arguments, stdin="", check=True, timeout=120):
        done = subprocess.run([binary(), *arguments, "--config", str(self.config)], input=stdin, text=True,
                              capture_output=True, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"postkeep {arguments}: exit {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def add_user(self, name, password="pass", scheme="PLAIN"):
        self.admin("user", "add", name, "--password-stdin", "--scheme", scheme, stdin=password + "\n")

    def start(self):
        out = self.folder / "stdout"
        out.write_bytes(b"")
        self.stdout = open(out, "ab")
        # What is freed goes back at once, so that tests of memory mean something under ASan too.
        environment = dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=1:thread_local_quarantine_size_kb=16",
                           **self.environment)
        self.process = subprocess.Popen([*self.runner, binary(), "serve", "--config", str(self.config)],
                                        stdout=self.stdout, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                        env=environment)
        deadline = time.monotonic() + 60
        while b"postkeep ready:" not in out.read_bytes():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("server did not start: " + self.output())
            time.sleep(0.02)
        return self

    def output(self):
        text = (self.folder / "stdout").read_bytes().decode(errors="replace")
        if self.log.exists():
            text += self.log.read_bytes().decode(errors="replace")[-20000:]
        return text

    def stop(self, signal_number=signal.SIGTERM, timeout=30):
        """Ends the server; returns its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("server did not stop in time: " + self.output()[-4000:]) from None
        finally:
            self.stdout.close()
            self.process = None
        return code

    def __enter__(self):
        for user in self.users:
            self.add_user(user)
        return self.start()

    def __exit__(self, kind, *_):
        try:
            code = self.stop()
            text = self.output()
            for sign in ("ERROR: AddressSanitizer", "runtime error:", "WARNING: ThreadSanitizer", "ERROR: LeakSanitizer"):
                if sign in text:
                    raise AssertionError(sign + text[text.index(sign):][:6000])
            if kind is None and code not in (0, None):
                raise AssertionError(f"server exited with {code}: {text[-6000:]}")
        finally:
            if kind is not None and os.environ.get("POSTKEEP_KEEP"):
                print("kept:", self.folder)
            else:
                shutil.rmtree(self.folder, ignore_errors=True)

    # --- clients ---
    def imap(self, user="alice", password="pass"):
        client = imaplib.IMAP4(HOST, self.imap_port, timeout=60)
        client.login(user, password)
        return client

    def imaps(self, user="alice", password="pass"):
        client = imaplib.IMAP4_SSL(HOST, self.imaps_port, ssl_context=insecure_tls(), timeout=60)
        client.login(user, password)
        return client

    def raw(self, user="alice", password="pass", tls=False):
        client = RawImap(HOST, self.imaps_port if tls else self.imap_port, tls)
        if user:
            client.must(f"LOGIN {user} {password}")
        return client

    def pop3(self, user="alice", password="pass"):
        client = poplib.POP3(HOST, self.pop3_port, timeout=60)
        client.user(user)
        client.pass_(password)
        return client

    def raw_pop3(self, user="alice", password="pass", tls=False):
        client = RawPop3(HOST, self.pop3s_port if tls else self.pop3_port, tls)
        if user:
            client.must(f"USER {user}")
            client.must(f"PASS {password}")
        return client

    def lmtp(self):
        return smtplib.LMTP(HOST, self.lmtp_port, timeout=60)

    def deliver(self, text, recipient="alice", sender="sender@example.com"):
        with self.lmtp() as lmtp:
            lmtp.sendmail(sender, [recipient], text)

    def maildir(self, user="alice"):
        return self.data / "mail" / user


class OneServer(unittest.TestCase):
    """Tests that share a server; each has a connection, `client`, and a mailbox of its own, `box`."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server(cls.settings))

    def setUp(self):
        self.client = self.enterContext(self.server.raw())
        self.box = self.id().rpartition(".")[2]
        self.client.must(f"CREATE {self.box}")


def insecure_tls():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class RawImap:
    """An IMAP client that sends exactly the bytes it is told and returns exactly what came back."""

    def __init__(self, host, port, tls=False, timeout=60, source=None):
        """`source` is the address to come from: any of 127/8."""
        self.socket = socket.create_connection((host, port), timeout, (source, 0) if source else None)
        if tls:
            self.socket = insecure_tls().wrap_socket(self.socket)
        self.buffer = b""
        self.count = 0
        self.idle_tag = b""
        self.greeting = self.response()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def _fill(self):
        chunk = self.socket.recv(1 << 20)
        if not chunk:
            raise EOFError("connection closed")
        self.buffer += chunk

    def line(self):
        while b"\r\n" not in self.buffer:
            self._fill()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line + b"\r\n"

    def exactly(self, count):
        chunks = [self.buffer[:count]]
        have = len(chunks[0])
        self.buffer = self.buffer[have:]
        while have < count:
            chunk = self.socket.recv(min(1 << 20, count - have))
            if not chunk:
                raise EOFError("connection closed inside a literal")
            chunks.append(chunk)
            have += len(chunk)
        return b"".join(chunks)

    def response(self):
        """One response with its literals."""
        parts = [self.line()]
        while (literal := re.search(rb"~?\{(\d+)\}\r\n\Z", parts[-1])) is not None:
            parts += [self.exactly(int(literal.group(1))), self.line()]
        return b"".join(parts)

    def until(self, tag):
        """All responses up to and with the tagged one."""
        out = []
        while True:
            out.append(self.response())
            if out[-1].startswith(tag + b" "):
                return out

    def command(self, text):
        """Sends a command; returns (untagged responses, tagged line)."""
        self.count += 1
        tag = b"t%d" % self.count
        self.send(tag + b" " + (text if isinstance(text, bytes) else text.encode()) + b"\r\n")
        *untagged, tagged = self.until(tag)
        return untagged, tagged

    def must(self, text):
        untagged, tagged = self.command(text)
        if b" OK" not in tagged[:20]:
            raise AssertionError(f"{text!r:.200}: {tagged!r:.500}")
        return untagged

    def append(self, mailbox, text, arguments="", binary=False):
        """Returns the tagged line."""
        mark = "~" if binary else ""
        self.count += 1
        tag = b"t%d" % self.count
        self.send(tag + f" APPEND {mailbox} {arguments}{mark}{{{len(text)}}}\r\n".encode())
        answer = self.response()
        if not answer.startswith(b"+"):
            return answer
        self.send(text + b"\r\n")
        return self.until(tag)[-1]

    def append_all(self, mailbox, texts, at_once=50):
        """Appends many messages, some at once (RFC 3502)."""
        for start in range(0, len(texts), at_once):
            items = b"".join(b" {%d+}\r\n%s" % (len(text), text) for text in texts[start:start + at_once])
            self.must(f"APPEND {mailbox}".encode() + items)

    def fetch_literals(self, sequence, item):
        """{uid: bytes} of the one string that `UID FETCH sequence (UID item)` returns for each message."""
        found = {}
        for line in self.must(f"UID FETCH {sequence} (UID {item})"):
            uid = re.match(rb"\* \d+ FETCH \((?:FLAGS \([^)]*\) )?UID (\d+)", line)
            if not uid:
                continue
            literal = re.search(rb"~?\{(\d+)\}\r\n", line[:400])
            if literal:
                found[int(uid.group(1))] = line[literal.end():literal.end() + int(literal.group(1))]
                continue
            quoted = re.search(rb'\](?:<\d+>)? "((?:[^"\\]|\\.)*)"', line)
            found[int(uid.group(1))] = re.sub(rb"\\(.)", rb"\1", quoted.group(1)) if quoted else b""
        return found

    def idle(self):
        self.count += 1
        self.idle_tag = b"t%d" % self.count
        self.send(self.idle_tag + b" IDLE\r\n")
        while not self.response().startswith(b"+"):
            pass

    def done(self):
        self.send(b"DONE\r\n")
        return self.until(self.idle_tag)

    def wait_for(self, pattern, seconds=10):
        """Responses up to the first one that matches; fails after `seconds`."""
        self.socket.settimeout(seconds)
        seen = []
        while True:
            try:
                seen.append(self.response())
            except TimeoutError:
                raise AssertionError(f"no {pattern!r} within {seconds} s; seen {seen!r}") from None
            if re.search(pattern, seen[-1]):
                self.socket.settimeout(60)
                return seen

    def until_quiet(self, seconds):
        """All responses until none has come for that long."""
        self.socket.settimeout(seconds)
        seen = []
        try:
            while True:
                seen.append(self.response())
        except TimeoutError:
            self.socket.settimeout(60)
            return seen

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class RawPop3:
    """A POP3 client that sends exactly the bytes it is told; messages come back octet for octet."""

    def __init__(self, host, port, tls=False, timeout=60):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        if tls:
            self.socket = insecure_tls().wrap_socket(self.socket)
        self.stream = self.socket.makefile("rb")
        self.greeting = self.line()

    def start_tls(self):
        self.must("STLS")
        self.socket = insecure_tls().wrap_socket(self.socket)
        self.stream = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def line(self):
        """With its end; b"" at the end of the stream."""
        line = self.stream.readline()
        while line and not line.endswith(b"\r\n"):
            more = self.stream.readline()
            if not more:
                break
            line += more
        return line

    def command(self, text):
        """Returns the first line of the answer, without its end."""
        self.send(text + "\r\n")
        return self.line().rstrip(b"\r\n").decode()

    def must(self, text):
        answer = self.command(text)
        if not answer.startswith("+OK"):
            raise AssertionError(f"{text!r:.200}: {answer!r:.500}")
        return answer

    def rest(self):
        """What follows the first line of a multi-line answer, dots removed as RFC 1939 §3 has it."""
        lines = []
        while (line := self.line()) != b".\r\n":
            if not line:
                raise EOFError("connection closed inside an answer")
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def listing(self, text):
        """{number: rest of the line} of LIST or UIDL."""
        self.must(text)
        return {int(number): value for number, value in (line.split(b" ", 1) for line in self.rest().splitlines())}

    def retrieve(self, text):
        self.must(text)
        return self.rest()

    def close(self):
        self.stream.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def message(subject="hello", body="text\r\n", extra=""):
    return (f"From: Sender <sender@example.com>\r\nTo: alice@example.org\r\nSubject: {subject}\r\n"
            f"Date: Mon, 02 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{abs(hash((subject, body)))}@example.com>\r\n"
            f"{extra}\r\n{body}").encode()


def stored_form(sent):
    """What DATA or APPEND of these octets stores: each bare LF becomes CRLF, all else is kept."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", sent)


def on_the_wire(message):
    """What smtplib sends for a message, the dots undone as RFC 5321 §4.5.2 has it: after CRLF only."""
    sent = smtplib._quote_periods(message)
    if sent[-2:] != b"\r\n":
        sent += b"\r\n"
    sent = re.sub(rb"\r\n\.", b"\r\n", sent)
    return sent[1:] if sent.startswith(b".") else sent


def served_form(stored):
    """What BODY[] serves: a NUL, which an IMAP literal cannot carry, as 0x80."""
    return stored.replace(b"\0", b"\x80")


def without_fields(text, *names):
    """The message without some fields of its header, and with an empty line before what is no header, for comparing with what
    came through a program that treats messages so."""
    dropped = re.compile(rb"(?:%s)[ \t]*:" % "|".join(names).encode(), re.I)
    out, dropping = [], False
    lines = text.split(b"\r\n")
    for number, line in enumerate(lines):
        if not re.match(rb"[!-9;-~]+[ \t]*:|[ \t]", line):
            return b"\r\n".join(out + ([b""] if line else []) + lines[number:])
        dropping = dropping and line[:1] in b" \t" or dropped.match(line)
        if not dropping:
            out.append(line)
    return text


def assert_same_messages(test, got, expected):
    """Each message exactly once and octet for octet, in any order."""
    got, expected = collections.Counter(got), collections.Counter(expected)
    lost, more = list((expected - got).elements()), list((got - expected).elements())
    if lost or more:
        test.fail(f"{len(lost)} lost, such as {lost[:1]!r:.2000}; {len(more)} changed or twice, such as {more[:1]!r:.2000}")


def corpus(*folders):
    """[(name, bytes)] of the mail corpus; skips the test where it is missing."""
    if not MAIL.is_dir():
        raise unittest.SkipTest(f"mail corpus missing: {MAIL}")
    found = []
    for folder in folders:
        for path in sorted((MAIL / folder).rglob("*.eml")):
            found.append((str(path.relative_to(MAIL)), path.read_bytes()))
    return found[::10] if SMOKE else found


def appendable(messages):
    """Without the empty one, which APPEND must refuse (RFC 3502 §6.3.11)."""
    return [(name, text) for name, text in messages if text]


def mbox_messages():
    """[(name, bytes)] of lists/, cut at "From " lines after an empty line, those lines removed, CRLF."""
    if not MAIL.is_dir():
        raise unittest.SkipTest(f"mail corpus missing: {MAIL}")
    found = []
    for path in sorted((MAIL / "lists").glob("*.mbox")):
        text = path.read_bytes().replace(b"\r\n", b"\n")
        parts = re.split(rb"(?:\A|\n\n)From [^\n]*\n", text)
        found += [(f"{path.name}:{i}", (part + b"\n").replace(b"\n", b"\r\n")) for i, part in enumerate(parts) if part]
    return found[::50] if SMOKE else found


def program(name):
    """The path of a program of Debian's; skips the test where it is missing."""
    path = shutil.which(name)
    if path is None:
        raise unittest.SkipTest(f"{name} is not installed")
    return path


def eventually(check, seconds=10):
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(0.05)
