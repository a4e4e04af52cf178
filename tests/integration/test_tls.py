"""TLS as openssl s_client sees it: certificates by name and by key, profiles, resumption, reload."""
import re
import subprocess
import unittest

from harness import HOST, Server


def make_certificate(folder, label, names, kind, both=False):
    """(file of the certificate, file of the key); one file with `both`. The common name is the label."""
    certificate = folder / f"{label}.crt"
    key = certificate if both else folder / f"{label}.key"
    made_key = folder / f"{label}.made"
    algorithm = ["rsa:2048"] if kind == "RSA" else ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    subprocess.run(["openssl", "req", "-x509", "-newkey", *algorithm, "-nodes", "-subj", f"/CN={label}", "-days", "30",
                    "-addext", "subjectAltName=" + ",".join("DNS:" + name for name in names), "-keyout", made_key,
                    "-out", certificate], check=True, capture_output=True)
    if both:
        certificate.write_bytes(certificate.read_bytes() + made_key.read_bytes())
    else:
        made_key.rename(key)
    return certificate, key


def s_client(port, *arguments, logout="a1 LOGOUT\r\n"):
    """What openssl s_client prints of a session that logs out at once."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"{HOST}:{port}", "-ign_eof", *arguments], input=logout.encode(),
                          capture_output=True, timeout=30)
    return done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")


def shown(port, *arguments, **more):
    """The common name of the certificate that s_client is shown; "" if the handshake fails."""
    text = s_client(port, *arguments, **more)
    found = re.search(r"^subject=CN = (\S+)$", text, re.M)
    return found.group(1) if found and "Cipher is (NONE)" not in text else ""


class Tls(unittest.TestCase):
    smoke = False

    def server(self, **settings):
        server = Server(settings)
        first = make_certificate(server.folder, "first", ["mail.example.org", "imap.example.org"], "EC")
        beside = make_certificate(server.folder, "beside", ["imap.example.org", "mail.example.org"], "RSA")
        other = make_certificate(server.folder, "other", ["mail.example.net"], "EC", both=True)
        wild = make_certificate(server.folder, "wild", ["*.example.com"], "RSA")
        server.settings.update({
            "tls.certificate": str(first[0]), "tls.private_key": str(first[1]),
            "tls.certificates": [" ".join(map(str, beside)), str(other[0]), " ".join(map(str, wild))]})
        server.write_config()
        return server

    def test_certificates_by_name_and_by_key(self):
        with self.server() as server:
            port, name = server.imaps_port, "-servername"
            for arguments, wanted in (
                    (["-noservername"], "first"),
                    ([name, "mail.example.org"], "first"),
                    ([name, "Mail.Example.NET"], "other"),
                    ([name, "a.example.com"], "wild"),
                    ([name, "a.b.example.com"], "first"),
                    ([name, "unknown.example"], "first"),
                    ([name, "mail.example.org", "-sigalgs", "rsa_pss_rsae_sha256"], "beside"),
                    (["-noservername", "-sigalgs", "rsa_pss_rsae_sha256"], "beside"),
                    ([name, "imap.example.org", "-sigalgs", "ecdsa_secp256r1_sha256"], "first"),
                    ([name, "mail.example.net", "-sigalgs", "rsa_pss_rsae_sha256"], ""),  # there is no RSA for this name
                    ([name, "mail.example.org", "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], "beside"),
                    ([name, "mail.example.org", "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], "first")):
                self.assertEqual(shown(port, *arguments), wanted, arguments)
            self.assertEqual(shown(server.imap_port, "-starttls", "imap", name, "mail.example.net"), "other")
            self.assertEqual(shown(server.pop3_port, "-starttls", "pop3", name, "a.example.com", logout="QUIT\r\n"), "wild")

    def test_profiles(self):
        weak = ["-cipher", "ALL:@SECLEVEL=0"]
        with self.server() as server:
            self.assertEqual(shown(server.imaps_port, "-tls1_1", *weak), "")
            self.assertEqual(shown(server.imaps_port, "-tls1_2"), "first")
            for cipher in ("AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "DHE-RSA-AES128-GCM-SHA256"):
                self.assertEqual(shown(server.imaps_port, "-tls1_2", "-cipher", cipher + ":@SECLEVEL=0"), "", cipher)
            server.settings["tls.profile"] = "modern"
            server.write_config()
            server.admin("reload")
            self.assertEqual(shown(server.imaps_port, "-tls1_2"), "")
            self.assertEqual(shown(server.imaps_port, "-tls1_3"), "first")

    def test_a_session_is_resumed_and_a_reload_drops_nobody(self):
        with self.server() as server:
            port, kept = server.imaps_port, str(server.folder / "session")
            for arguments in (["-tls1_3"], ["-tls1_2"], ["-tls1_3", "-servername", "mail.example.net"]):
                self.assertIn("\nNew, ", s_client(port, *arguments, "-sess_out", kept))
                self.assertIn("\nReused, ", s_client(port, *arguments, "-sess_in", kept), arguments)
            s_client(port, "-servername", "mail.example.net", "-sess_out", kept)
            with server.raw(tls=True) as client:
                make_certificate(server.folder, "new", ["mail.example.org"], "EC")
                for part in (".crt", ".key"):
                    (server.folder / ("new" + part)).rename(server.folder / ("first" + part))
                server.admin("reload")
                self.assertEqual(shown(port), "new")
                client.must("SELECT INBOX")  # goes on under the certificate that it began with
                self.assertIn("\nReused, ", s_client(port, "-servername", "mail.example.net", "-sess_in", kept))
                (server.folder / "other.crt").write_text("no certificate")
                failed = server.admin("reload", check=False)
                self.assertIn("other.crt", failed.stdout + failed.stderr)
                self.assertEqual(shown(port, "-servername", "mail.example.net"), "other")
                client.must("NOOP")


if __name__ == "__main__":
    unittest.main()
