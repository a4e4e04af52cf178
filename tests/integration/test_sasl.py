"""Every SASL mechanism over IMAP and POP3, with real TLS: channel binding, client certificates, logins as somebody else."""
import base64
import hashlib
import hmac
import imaplib
import poplib
import socket
import ssl
import subprocess
import unittest

from harness import HOST, RawImap, RawPop3, Server
from neighbours import unpacked
from scram import b64, scram_login, scram_pop3

SCRAMS = ("SCRAM-SHA-256", "SCRAM-SHA-1")


def client_tls(version=None, own=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if own is not None:
        context.load_cert_chain(f"{own}.pem", f"{own}.key")
    return context


def connect(kind, server, context):
    """A raw client of the class `kind`, under TLS of `context`."""
    port = server.imaps_port if kind is RawImap else server.pop3s_port
    client = kind.__new__(kind)
    client.socket = context.wrap_socket(socket.create_connection((HOST, port), timeout=60))
    if kind is RawImap:
        client.buffer, client.count, client.idle_tag = b"", 0, b""
        client.greeting = client.response()
    else:
        client.stream = client.socket.makefile("rb")
        client.greeting = client.line()
    return client


def binding(client):
    """(type, octets) that this client knows of its connection."""
    unique = client.socket.get_channel_binding("tls-unique") if client.socket.version() == "TLSv1.2" else None
    if unique:
        return "tls-unique", unique
    return "tls-server-end-point", hashlib.sha256(client.socket.getpeercert(binary_form=True)).digest()


def offered(client):
    if isinstance(client, RawPop3):
        client.must("AUTH")
        return client.rest().decode().split()
    _, line = client.greeting.split(b"[CAPABILITY ", 1)
    return [word[5:] for word in line.partition(b"]")[0].decode().split() if word.startswith("AUTH=")]


def authenticate(client, mechanism, *messages):
    """Runs a mechanism in which the client says `messages` (octets, or what makes them of the challenge, decoded), without
    an initial response. Returns the last line of the answer."""
    if isinstance(client, RawPop3):
        line = client.command(f"AUTH {mechanism}").encode()
    else:
        client.count += 1
        tag = b"t%d" % client.count
        client.send(tag + f" AUTHENTICATE {mechanism}\r\n".encode())
        line = client.line()
    for message in messages:
        if not line.startswith(b"+ "):
            break
        said = message(base64.b64decode(line[2:])) if callable(message) else message
        client.send(b64(said) + "\r\n")
        line = client.line()
    if isinstance(client, RawImap) and line.startswith(b"* "):
        line = client.until(tag)[-1]
    return line.partition(b" ")[2] if isinstance(client, RawImap) else line


def is_in(answer):
    return answer.startswith((b"OK", b"+OK"))


def plain(user, password="pass", acting_as=""):
    return f"{acting_as}\0{user}\0{password}".encode()


def cram(user, password="pass"):
    return lambda challenge: f"{user} {hmac.digest(password.encode(), challenge, 'md5').hex()}".encode()


def make_certificates(folder, *owners):
    """An authority, <folder>/ca.pem, and <folder>/<name>.pem and .key of each (name, subjectAltName)."""
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *new_key, "-subj", "/CN=Authority", "-keyout", folder / "ca.key", "-out", folder / "ca.pem")
    for name, alt_name in owners:
        openssl("req", *new_key, "-subj", f"/CN={name}", "-addext", f"subjectAltName={alt_name}", "-keyout",
                folder / f"{name}.key", "-out", folder / f"{name}.csr")
        openssl("x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
                "-copy_extensions", "copy", "-out", folder / f"{name}.pem")


class Sasl(unittest.TestCase):
    def test_every_mechanism_logs_in_by_imap_and_pop3(self):
        server = Server({"auth.anonymous_user": "bob", "tls.client_ca": "x"})
        server.settings["auth.mechanisms"] = ["EXTERNAL", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", *SCRAMS, "PLAIN",
                                              "LOGIN", "CRAM-MD5", "ANONYMOUS"]
        server.settings["tls.client_ca"] = str(server.folder / "ca.pem")
        server.write_config()
        make_certificates(server.folder, ("alice", "email:alice@mail.example.org"))
        simple = {"PLAIN": (plain("alice"),), "LOGIN": (b"alice", b"pass"), "CRAM-MD5": (cram("alice"),),
                  "ANONYMOUS": (b"me@example.org",), "EXTERNAL": (b"",)}
        wrong = {"PLAIN": (plain("alice", "x"),), "LOGIN": (b"alice", b"x"), "CRAM-MD5": (cram("alice", "x"),),
                 "EXTERNAL": (b"bob",)}
        tls = client_tls(ssl.TLSVersion.TLSv1_2, server.folder / "alice")
        with server:
            for kind, by_scram in ((RawImap, scram_login), (RawPop3, scram_pop3)):
                with self.subTest(protocol=kind.__name__):
                    client = connect(kind, server, tls)
                    self.assertEqual(offered(client), server.settings["auth.mechanisms"][:7] + ["CRAM-MD5", "ANONYMOUS"])
                    for mechanism, messages in simple.items():
                        client = connect(kind, server, tls)
                        if mechanism in wrong:
                            self.assertFalse(is_in(authenticate(client, mechanism, *wrong[mechanism])), mechanism)
                        self.assertTrue(is_in(authenticate(client, mechanism, *messages)), mechanism)
                        client.must("STAT" if kind is RawPop3 else "SELECT INBOX")
                    for mechanism in SCRAMS:
                        for bound in (False, True):
                            client = connect(kind, server, tls)
                            name, octets = binding(client)
                            self.assertEqual(name, "tls-unique")
                            options = {"mechanism": mechanism}
                            if bound:
                                options = {"mechanism": mechanism + "-PLUS", "header": f"p={name},,", "binding": octets}
                            answer, scram = by_scram(client, "alice", "wrong", **options)
                            self.assertEqual(scram.error, "invalid-proof")
                            answer, scram = by_scram(client, "alice", "pass", **options)
                            self.assertRegex(answer if isinstance(answer, str) else answer.decode(), r"(^\+|^t\d+ )OK")
                            client.must("STAT" if kind is RawPop3 else "SELECT INBOX")
            log = server.log.read_text()
            for mechanism in server.settings["auth.mechanisms"]:
                self.assertRegex(log, rf"event=login .*mechanism={mechanism} ", mechanism)
                self.assertRegex(log, rf"protocol=pop3 mechanism={mechanism} ", mechanism)

    def test_what_python_offers_itself_is_understood(self):
        with Server({"auth.mechanisms": ["PLAIN", "CRAM-MD5"]}) as server:
            client = imaplib.IMAP4(HOST, server.imap_port, timeout=60)
            self.assertEqual(client.login_cram_md5("alice", "pass")[0], "OK")
            client.logout()
            with server.raw(user=None) as raw:
                self.assertEqual(offered(raw), ["PLAIN", "CRAM-MD5"])
                self.assertIn(b" NO ", raw.command("AUTHENTICATE LOGIN")[1])

    def test_a_proof_for_another_connection_is_refused(self):
        with Server() as server:
            for version, name in ((ssl.TLSVersion.TLSv1_2, "tls-unique"), (ssl.TLSVersion.TLSv1_3, "tls-server-end-point")):
                tls = client_tls(version)
                client = connect(RawImap, server, tls)
                self.assertEqual(binding(client)[0], name)
                self.assertIn("SCRAM-SHA-256-PLUS", offered(client))
                mine = binding(client)[1]
                other = binding(connect(RawImap, server, tls))[1] if name == "tls-unique" else hashlib.sha256(b"x").digest()
                self.assertNotEqual(mine, other)
                options = {"mechanism": "SCRAM-SHA-256-PLUS", "header": f"p={name},,"}
                answer, scram = scram_login(client, "alice", "pass", binding=other, **options)
                self.assertIn(b"NO [AUTHENTICATIONFAILED]", answer)
                self.assertEqual(scram.error, "channel-bindings-dont-match")
                # Somebody took the offer away on its way to the client.
                answer, scram = scram_login(client, "alice", "pass", header="y,,")
                self.assertIn(b"NO [AUTHENTICATIONFAILED]", answer)
                self.assertEqual(scram.error, "server-does-support-channel-binding")
                answer, scram = scram_login(client, "alice", "pass", mechanism="SCRAM-SHA-256-PLUS", header="p=tls-nothing,,")
                self.assertEqual(scram.error, "unsupported-channel-binding-type")
                self.assertIn(b" OK", scram_login(client, "alice", "pass", binding=mine, **options)[0])
            with server.raw(user=None) as client:  # nothing to bind to, so "y" is the truth
                self.assertNotIn("SCRAM-SHA-256-PLUS", offered(client))
                self.assertIn(b" NO ", scram_login(client, "alice", "pass", mechanism="SCRAM-SHA-256-PLUS",
                                                   header="p=tls-unique,,")[0])
                self.assertIn(b" OK", scram_login(client, "alice", "pass", header="y,,")[0])

    def test_gnu_sasl_binds_its_proof_to_tls_1_3(self):
        """RFC 9266's tls-exporter, which Python's ssl cannot tell, and mechanisms that others wrote."""
        tree = unpacked("gsasl")
        mechanisms = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "PLAIN", "LOGIN", "CRAM-MD5"]
        with Server({"auth.mechanisms": [*mechanisms, *SCRAMS]}) as server:
            def gsasl(mechanism, password):
                options = ["--starttls", "--x509-ca-file=", "--verbose", "-a", "alice", "-z", "alice", "-p", password, "-m", mechanism]
                done = subprocess.run([tree.program("gsasl"), "--imap", "--connect", f"{HOST}:{server.imap_port}", *options],
                                      env=tree.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
                self.assertIn("(TLS1.3)", done.stderr)
                self.assertEqual("cD10bHMtZXhwb3J0ZXIs" in done.stdout, mechanism.endswith("-PLUS"))  # p=tls-exporter,
                return done.returncode
            self.assertEqual(gsasl("SCRAM-SHA-256-PLUS", "wrong"), 1)
            for mechanism in mechanisms:
                self.assertEqual(gsasl(mechanism, "pass"), 0, mechanism)
                self.assertRegex(server.log.read_text(), rf"event=login .*mechanism={mechanism} ")

    def test_who_has_the_right_logs_in_as_another_and_the_log_tells(self):
        settings = {"auth.masters": ["admin"], "auth.delegates": ["alice as bob"], "auth.master_separator": "*"}
        with Server(settings, users=("alice", "bob", "admin", "off")) as server:
            server.admin("user", "disable", "off")
            server.deliver("Subject: for bob\r\n\r\nx\r\n", "bob")

            def sees_bobs_mail(client):
                return b"* 1 EXISTS" in b"".join(client.command("SELECT INBOX")[0])
            for user, acting_as in (("admin", "bob"), ("alice", "bob"), ("bob*admin", ""), ("bob*alice", "")):
                with server.raw(user=None) as client:
                    self.assertTrue(is_in(authenticate(client, "PLAIN", plain(user, acting_as=acting_as))), user)
                    self.assertTrue(sees_bobs_mail(client))
            with server.raw(user=None) as client:
                self.assertIn(b" OK", scram_login(client, "alice", "pass", header="n,a=bob,")[0])
                self.assertTrue(sees_bobs_mail(client))
            with server.raw(user=None) as client:
                client.must('LOGIN "bob*admin" pass')
                self.assertTrue(sees_bobs_mail(client))
            pop3 = poplib.POP3(HOST, server.pop3_port, timeout=60)
            pop3.user("bob*admin")
            pop3.pass_("pass")
            self.assertEqual(pop3.stat()[0], 1)
            pop3.quit()
            for user, acting_as in (("bob", "alice"), ("alice", "admin"), ("admin", "off"), ("alice*bob", ""),
                                    ("off*admin", ""), ("admin", "nobody")):
                with server.raw(user=None) as client:
                    answer = authenticate(client, "PLAIN", plain(user, acting_as=acting_as))
                    self.assertIn(b"NO [AUTHORIZATIONFAILED]", answer, (user, acting_as))
            with server.raw(user=None) as client:
                self.assertIn(b"NO [AUTHENTICATIONFAILED]", authenticate(client, "PLAIN", plain("admin", "x", "bob")))
            log = server.log.read_text()
            self.assertRegex(log, r"event=acting .*by=admin as=bob protocol=imap mechanism=PLAIN")
            self.assertRegex(log, r"event=acting .*by=alice as=bob protocol=imap mechanism=SCRAM-SHA-256")
            self.assertRegex(log, r"event=acting .*by=admin as=bob protocol=pop3")
            self.assertEqual(log.count("event=acting "), 7)
            self.assertRegex(log, r"event=login_failed .*alice as admin: no right")
            self.assertRegex(log, r"event=login_failed .*admin as off: that user is disabled")

    def test_certificates_are_mapped_to_users(self):
        server = Server(users=("alice", "bob", "carol", "admin"))
        folder = server.folder
        make_certificates(folder, ("alice", "email:alice@mail.example.org"), ("Bob Smith", "email:b@example.net"),
                          ("carol", "email:c@example.net"), ("admin", "email:admin@localhost"))
        (folder / "map").write_text("bob  cn:Bob Smith\n")
        server.settings.update({"tls.client_ca": str(folder / "ca.pem"), "auth.masters": ["admin"],
                                "auth.certificate_users": ["email", f"file:{folder}/map"]})
        server.write_config()

        def login(name, acting_as=b""):
            client = connect(RawImap, server, client_tls(own=folder / name))
            return authenticate(client, "EXTERNAL", acting_as)
        with server:
            self.assertTrue(is_in(login("alice")))
            self.assertTrue(is_in(login("alice", b"alice@mail.example.org")))
            self.assertTrue(is_in(login("Bob Smith")))
            self.assertIn(b"NO [AUTHENTICATIONFAILED]", login("carol"))
            self.assertIn(b"NO [AUTHORIZATIONFAILED]", login("alice", b"bob"))
            self.assertTrue(is_in(login("admin", b"bob")))
            self.assertRegex(server.log.read_text(), r"event=acting .*by=admin as=bob protocol=imap mechanism=EXTERNAL")
            # The file is read again by a reload; a malformed one changes nothing.
            (folder / "map").write_text("carol cn:carol\n")
            server.admin("reload")
            self.assertTrue(is_in(login("carol")))
            self.assertIn(b"NO", login("Bob Smith"))
            (folder / "map").write_text("carol\n")
            server.admin("reload", check=False)
            self.assertIn("line 1", server.log.read_text())
            self.assertTrue(is_in(login("carol")))
            server.admin("user", "disable", "alice")
            self.assertIn(b"NO [AUTHENTICATIONFAILED]", login("alice"))

            # One that the authority has not signed, and none at all, are as good as each other.
            with server.raw(user=None, tls=True) as client:
                self.assertNotIn("EXTERNAL", offered(client))
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                            "-subj", "/CN=admin", "-keyout", folder / "own.key", "-out", folder / "own.pem"], check=True,
                           capture_output=True, timeout=60)
            client = connect(RawImap, server, client_tls(own=folder / "own"))
            self.assertNotIn("EXTERNAL", offered(client))
            self.assertIn(b"NO", authenticate(client, "EXTERNAL", b""))
            self.assertRegex(server.log.read_text(), r"event=client_certificate_refused .*self.signed")
            self.assertTrue(is_in(authenticate(client, "PLAIN", plain("bob"))))

    def test_scram_sha_1_is_offered_once_everybody_has_keys_for_it(self):
        with Server(users=("alice",)) as server:
            with server.raw(user=None) as client:
                self.assertIn("SCRAM-SHA-1", offered(client))
            server.add_user("old", scheme="ARGON2ID")
            with server.raw(user=None) as client:
                self.assertNotIn("SCRAM-SHA-1", offered(client))
                self.assertIn(b" NO ", scram_login(client, "alice", "pass", mechanism="SCRAM-SHA-1")[0])
            with server.raw("old") as client:
                client.must("NOOP")
            with server.raw(user=None) as client:
                self.assertIn("SCRAM-SHA-1", offered(client))
                self.assertIn(b" OK", scram_login(client, "old", "pass", mechanism="SCRAM-SHA-1")[0])
            server.admin("user", "add", "new", "--password-stdin", stdin="pass\n")
            self.assertIn("ARGON2ID SCRAM-SHA-256 SCRAM-SHA-1", server.admin("user", "show", "new").stdout)

    def test_nobody_is_let_in_without_a_password_unless_a_user_is_named_for_it(self):
        with Server() as server, server.raw(user=None) as client:
            self.assertNotIn("ANONYMOUS", offered(client))
            self.assertNotIn("CRAM-MD5", offered(client))
            for mechanism in ("ANONYMOUS", "CRAM-MD5", "EXTERNAL"):
                self.assertIn(b"NO", authenticate(client, mechanism, b""))


if __name__ == "__main__":
    unittest.main()
