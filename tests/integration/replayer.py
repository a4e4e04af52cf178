"""Replays a session script (sessions/*.txt) of a mail program's habits against a server, and checks every answer whole.

A script has one step a line; what follows is for connection `1`, and there may be any number of them:

    1 connects                    a new TCP connection; `1 connects by tls` on the imaps port
    1 > a1 NOOP                   sends the line
    1 < * OK [UIDNEXT 4] «.*»     the next response must be this; «…» is a regular expression, «name=…» also keeps what it found
    1 | second line               goes on the line before it, in a literal to be sent or in a response that has one
    1 starts tls                  the handshake after STARTTLS was answered
    1 drops                       closes the connection as a phone in a tunnel does; nothing may have been left to read
    1 is closed                   the server must have closed it
    deliver NAME to USER          by LMTP
    append NAME to MAILBOX        for the session's user, before or while it runs

`message NAME` begins a message; its lines follow, indented by four blanks, with CRLF between and after them. ‹text:NAME› stands
for it, ‹size:NAME› for the number of its octets, ‹name› for what was kept. Lines that begin with # say why.
"""
import re
import select

from harness import HOST, RawImap, insecure_tls


class ScriptError(AssertionError):
    pass


class Replay:
    def __init__(self, server, path, user="alice"):
        self.server, self.path, self.user = server, path, user
        self.connections, self.messages, self.kept = {}, {}, {}

    def run(self):
        for number, line in self._steps():
            try:
                self._step(line)
            except (AssertionError, EOFError, TimeoutError, KeyError) as error:
                raise ScriptError(f"{self.path.name}:{number}: {line!r:.200}: {error}") from None
        for name, connection in self.connections.items():
            connection.close()

    def _steps(self):
        """[(line number, step)], with continuation lines joined to theirs and the messages taken out."""
        steps, name, empty = [], None, b""
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines(), 1):
            if line.startswith("message "):
                name, empty = line.split()[1], b""
                self.messages[name] = b""
            elif name and line.startswith("    "):
                self.messages[name] += empty + line[4:].encode() + b"\r\n"
                empty = b""
            elif name and not line:
                empty += b"\r\n"  # one of the message's if more of it follows
            elif line and not line.startswith("#"):
                name, empty = None, b""
                more = re.match(r"\w+ \|(?: (.*))?$", line)
                if more:
                    steps[-1] = (steps[-1][0], steps[-1][1] + "\r\n" + (more.group(1) or ""))
                else:
                    steps.append((number, line))
        return steps

    def _step(self, line):
        first, word, *rest = line.split(" ", 2)
        text = rest[0] if rest else ""
        if first == "deliver":
            self.server.deliver(self.messages[word], text.removeprefix("to "))
        elif first == "append":
            with self.server.raw(self.user) as client:
                if b" OK" not in client.append(text.removeprefix("to "), self.messages[word]):
                    raise ScriptError("not appended")
        elif word == "connects":
            tls = text == "by tls"
            connection = RawImap(HOST, self.server.imaps_port if tls else self.server.imap_port, tls, timeout=30)
            connection.buffer = connection.greeting + connection.buffer  # to be expected like any other response
            self.connections[first] = connection
        elif word == ">":
            self.connections[first].send(self._fill(text) + b"\r\n")
        elif word == "<":
            self._expect(self.connections[first], text)
        else:
            self._event(first, word, text)

    def _event(self, name, word, text):
        connection = self.connections[name]
        if word == "starts":
            connection.socket = insecure_tls().wrap_socket(connection.socket)
        elif word == "drops":
            if connection.buffer or select.select([connection.socket], [], [], 0)[0]:
                raise ScriptError(f"not read: {connection.response()!r}")
            connection.close()
        elif word == "is" and text == "closed":
            try:
                raise ScriptError(f"there is more: {connection.response()!r}")
            except EOFError:
                connection.close()
        else:
            raise ScriptError("not a step")

    def _fill(self, text):
        """The octets of a line, what stands in ‹› filled in."""
        def value(found):
            name, _, of = found.group(1).decode().partition(":")
            if not of:
                return self.kept[name]
            return self.messages[of] if name == "text" else str(len(self.messages[of])).encode()
        return re.sub("‹(.*?)›".encode(), value, text.encode())

    def _expect(self, connection, text):
        pattern, names = b"", []
        for piece in re.split("(«.*?»)", text):
            if not piece.startswith("«"):
                pattern += re.escape(self._fill(piece))
                continue
            name, expression = re.fullmatch("«(?:([a-z]+)=)?(.*)»", piece).groups()
            if name:
                names.append(name)
                pattern += f"(?P<{name}>{expression})".encode()
            else:
                pattern += f"(?:{expression})".encode()
        got = connection.response()
        found = re.fullmatch(pattern + b"\r\n", got)
        if not found:
            raise ScriptError(f"got {got!r:.3000}")
        self.kept.update({name: found.group(name) for name in names})
