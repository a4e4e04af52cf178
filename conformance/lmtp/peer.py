"""An LMTP connection that sends exactly what it is told and reads one reply after another; and reading delivered mail by IMAP."""
import imaplib
import re
import socket
import ssl
import time

WAIT = 20  # seconds for a reply
DELIVERY = 10  # seconds until delivered mail must show by IMAP


class Failed(Exception):
    """A case's expectation did not hold; the text says which."""


class Skipped(Exception):
    """The server does not offer what the case is about."""


class Reply:
    """One reply, of one line or several."""

    def __init__(self, lines):
        self.lines = lines
        self.code = int(lines[-1][:3])
        self.text = "\n".join(line[4:] for line in lines)
        found = re.match(r"([245])\.\d{1,3}\.\d{1,3}(?= |$)", lines[-1][4:])
        self.enhanced = found.group(0) if found else None

    def __repr__(self):
        return repr(self.lines)


class Peer:
    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), timeout=WAIT)
        self.buffer = b""
        self.replies = []  # all of them, the greeting first
        self.greeting = self.reply()

    def send(self, octets):
        self.socket.sendall(octets if isinstance(octets, bytes) else octets.encode())

    def _line(self):
        while b"\r\n" not in self.buffer:
            try:
                more = self.socket.recv(65536)
            except TimeoutError:
                raise Failed(f"no reply within {WAIT} s") from None
            if not more:
                raise Failed("the server closed the connection")
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode("utf-8", "replace")

    def reply(self):
        lines = [self._line()]
        while re.match(r"\d{3}-", lines[-1]):
            lines.append(self._line())
        if not re.match(r"[2-5]\d\d( |$)", lines[-1]) or any(line[:3] != lines[-1][:3] for line in lines):
            raise Failed(f"this is no reply: {lines}")
        self.replies.append(Reply(lines))
        return self.replies[-1]

    def ask(self, *commands):
        """Each command, and the reply to it before the next. The last reply."""
        for command in commands:
            self.send(command if isinstance(command, bytes) else command.encode())
            self.send(b"\r\n")
            answer = self.reply()
        return answer

    def codes(self, count):
        return [self.reply().code for _ in range(count)]

    def is_closed(self):
        try:
            return self.socket.recv(1) == b"" and not self.buffer
        except (ConnectionResetError, TimeoutError):
            return False

    def start_tls(self):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket)
        self.buffer = b""

    def close(self):
        self.socket.close()


def delivered(where, user, password, message_id):
    """All messages in INBOX with that Message-ID, once there is one."""
    end = time.monotonic() + DELIVERY
    while True:
        with imaplib.IMAP4(*where) as client:
            client.login(user, password)
            client.select("INBOX", readonly=True)
            numbers = client.search(None, "HEADER", "Message-ID", f'"{message_id}"')[1][0].split()
            messages = [client.fetch(number, "(BODY.PEEK[])")[1][0][1] for number in numbers]
        if messages or time.monotonic() > end:
            return messages
        time.sleep(0.2)
