"""The client's side of SCRAM (RFC 5802) for Python's smtplib, which has none."""
import base64
import hashlib
import hmac


def scram(user, password, hash_name="sha256"):
    """What smtplib's SMTP.auth() wants: called with each challenge, or with none at first, it returns the answer."""
    nonce = "fyko-d2lbbFgONRv9qkxdawL"
    bare = f"n={user},r={nonce}"
    expected = []

    def keyed(key, text):
        return hmac.digest(key, text, hash_name)

    def answer(challenge=None):
        if challenge is None:
            return "n,," + bare
        if challenge.startswith(b"v="):
            return "" if base64.b64decode(challenge[2:]) in expected else "*"
        fields = dict(part.split("=", 1) for part in challenge.decode().split(","))
        if not fields["r"].startswith(nonce):
            return "*"
        salted = hashlib.pbkdf2_hmac(hash_name, password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
        client_key = keyed(salted, b"Client Key")
        without_proof = f"c=biws,r={fields['r']}"
        signed = ",".join((bare, challenge.decode(), without_proof)).encode()
        signature = keyed(hashlib.new(hash_name, client_key).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        expected.append(keyed(keyed(salted, b"Server Key"), signed))
        return f"{without_proof},p={base64.b64encode(proof).decode()}"

    return answer
