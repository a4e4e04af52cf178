"""The client's side of SCRAM (RFC 5802, 7677, 9266), step by step, so that a test can lie in any of them."""
import base64
import hashlib
import hmac
import os


def b64(octets):
    return base64.b64encode(octets if isinstance(octets, bytes) else octets.encode()).decode()


class Scram:
    """`header` is the gs2-header; what it is bound to follows it in c= (`binding`)."""

    def __init__(self, user, password, header="n,,", mechanism="SCRAM-SHA-256", binding=b""):
        self.user, self.password, self.header, self.binding = user, password, header, binding
        self.mechanism = mechanism
        self.hash = "sha1" if mechanism.startswith("SCRAM-SHA-1") else "sha256"
        self.nonce = b64(os.urandom(18))
        self.error = None  # what the server said in e=

    def first(self):
        self.bare = "n=" + self.user.replace("=", "=3D").replace(",", "=2C") + ",r=" + self.nonce
        return self.header + self.bare

    def final(self, server_first):
        fields = dict(field.split("=", 1) for field in server_first.split(","))
        assert fields["r"].startswith(self.nonce) and len(fields["r"]) > len(self.nonce), server_first
        self.salt, self.iterations = base64.b64decode(fields["s"]), int(fields["i"])
        salted = hashlib.pbkdf2_hmac(self.hash, self.password.encode(), self.salt, self.iterations)
        key = hmac.digest(salted, b"Client Key", self.hash)
        without_proof = "c=" + b64(self.header.encode() + self.binding) + ",r=" + fields["r"]
        message = ",".join((self.bare, server_first, without_proof)).encode()
        signature = hmac.digest(hashlib.new(self.hash, key).digest(), message, self.hash)
        self.server_signature = hmac.digest(hmac.digest(salted, b"Server Key", self.hash), message, self.hash)
        return without_proof + ",p=" + b64(bytes(a ^ b for a, b in zip(key, signature)))

    def answer(self, challenge):
        """What the client says to any challenge of the server's; its signature is checked on the way."""
        text = base64.b64decode(challenge).decode()
        if text.startswith("e="):
            self.error = text[2:]
            return ""
        if text.startswith("v="):
            assert text == "v=" + b64(self.server_signature), text
            return ""
        return b64(self.final(text))


def scram_login(client, user, password, header="n,,", initial=True, **options):
    """The tagged line with which AUTHENTICATE ended, and the Scram."""
    scram = Scram(user, password, header, **options)
    client.count += 1
    tag = b"t%d" % client.count
    if initial:
        client.send(tag + f" AUTHENTICATE {scram.mechanism} {b64(scram.first())}\r\n".encode())
    else:
        client.send(tag + f" AUTHENTICATE {scram.mechanism}\r\n".encode())
        assert client.line() == b"+ \r\n"
        client.send(b64(scram.first()) + "\r\n")
    while (answer := client.line()).startswith(b"+ "):
        client.send(scram.answer(answer[2:]) + "\r\n")
    return (answer if answer.startswith(tag) else client.until(tag)[-1]), scram


def scram_pop3(client, user, password, header="n,,", **options):
    """RFC 5034: the first line of the answer to AUTH, and the Scram."""
    scram = Scram(user, password, header, **options)
    answer = client.command(f"AUTH {scram.mechanism} " + b64(scram.first()))
    while answer.startswith("+ "):
        answer = client.command(scram.answer(answer[2:]))
    return answer, scram


def scram_smtp(user, password, **options):
    """What smtplib's SMTP.auth() wants: called with each challenge, decoded, or with none at first, it returns the answer."""
    scram = Scram(user, password, **options)

    def answer(challenge=None):
        if challenge is None:
            return scram.first()
        return base64.b64decode(scram.answer(b64(challenge))).decode()

    return answer
