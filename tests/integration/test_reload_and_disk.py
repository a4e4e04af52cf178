"""What SIGHUP takes over, and what happens while the disk is full."""
import json
import os
import pathlib
import signal
import smtplib
import socket
import ssl
import subprocess
import unittest

from harness import HOST, Server, eventually, insecure_tls, message, program


def make_certificate(folder, name):
    """Writes <name>.pem and <name>.key; returns the certificate as DER."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run([program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-subj", f"/CN={name}.example.org", "-days", "2", "-out", certificate, "-keyout", key],
                   check=True, capture_output=True, timeout=60)
    return ssl.PEM_cert_to_DER_cert(certificate.read_text())


def served_certificate(server):
    with socket.create_connection((HOST, server.imaps_port), timeout=30) as plain:
        with insecure_tls().wrap_socket(plain) as secure:
            return secure.getpeercert(binary_form=True)


class Reload(unittest.TestCase):
    on_disk = True
    smoke = True

    def reload(self, server):
        """SIGHUP; returns the events that it left in the log when it is done."""
        before = len(self.events(server))
        server.process.send_signal(signal.SIGHUP)
        done = ("reload", "reload_failed")
        self.assertTrue(eventually(lambda: [e for e in self.events(server)[before:] if e["event"] in done], 60))
        return [event["event"] for event in self.events(server)[before:]]

    def events(self, server):
        lines = server.log.read_text(errors="replace").splitlines() if server.log.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]

    def test_a_new_certificate_is_used_for_new_connections_and_a_broken_one_is_not(self):
        server = Server({"log.format": "json"})
        first = make_certificate(server.folder, "first")
        second = make_certificate(server.folder, "second")
        certificate, key = server.folder / "first.pem", server.folder / "first.key"
        server.settings.update({"tls.certificate": str(certificate), "tls.private_key": str(key)})
        server.write_config()
        with server, server.raw(tls=True) as client:
            self.assertEqual(served_certificate(server), first)

            # Renewed under the same names, as certbot does.
            (server.folder / "second.pem").rename(certificate)
            (server.folder / "second.key").rename(key)
            self.assertNotIn("certificates_not_reloaded", self.reload(server))
            self.assertEqual(served_certificate(server), second)
            client.must("NOOP")

            certificate.write_text("no certificate")
            self.assertIn("certificates_not_reloaded", self.reload(server))
            self.assertEqual(served_certificate(server), second)

            third = make_certificate(server.folder, "third")
            server.settings.update({"tls.certificate": str(server.folder / "third.pem"),
                                    "tls.private_key": str(server.folder / "third.key")})
            server.write_config()
            self.reload(server)
            self.assertEqual(served_certificate(server), third)
            client.must("NOOP")

    def test_limits_and_rules_of_a_new_configuration_hold_for_new_sessions(self):
        with Server({"log.format": "json"}) as server, server.raw() as before:
            server.settings.update({"limits.connections_per_user": 2, "auth.allow_plaintext": "never"})
            server.write_config()
            self.assertNotIn("reload_needs_restart", self.reload(server))
            before.must("NOOP")
            with server.raw(user=None) as plain:
                self.assertIn(b"LOGINDISABLED", b"".join(plain.must("CAPABILITY")))
                self.assertIn(b" NO [PRIVACYREQUIRED]", plain.command("LOGIN alice pass")[1])
            with server.raw(tls=True), server.raw(user=None, tls=True) as third:
                self.assertRegex(third.command("LOGIN alice pass")[1], rb" NO \[(LIMIT|UNAVAILABLE|INUSE)\]")
            server.settings["auth.allow_plaintext"] = "loopback"
            server.settings["limits.connections_per_user"] = 0
            server.write_config()
            self.reload(server)
            server.raw().close()

    def test_a_wrong_configuration_changes_nothing_and_is_told(self):
        with Server({"log.format": "json"}) as server:
            server.settings.update({"auth.allow_plaintext": "never", "limits.nonsense": 1})
            server.write_config()
            self.assertEqual(self.reload(server), ["reload_failed"])
            told = self.events(server)[-1]
            self.assertEqual(told["level"], "error")
            self.assertIn("nonsense", told["reason"])
            server.raw().close()

    def test_what_needs_a_restart_is_told(self):
        with Server({"log.format": "json"}) as server:
            server.settings["storage.threads"] = 3
            server.write_config()
            self.assertIn("reload_needs_restart", self.reload(server))


class FullDisk(unittest.TestCase):
    on_disk = True
    smoke = True
    size = 12 << 20  # of the data's file system, a tmpfs that only the server sees

    def server(self):
        server = Server(users=("alice",))
        namespace = [program("unshare"), "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
        if subprocess.run([*namespace, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode != 0:
            self.skipTest("no mount namespace can be made here")
        mount = (f"cp -a {server.data} {server.data}.before && mount -t tmpfs -o size={self.size} tmpfs {server.data}"
                 f' && cp -a {server.data}.before/. {server.data} && exec "$0" "$@"')
        server.runner = [*namespace, "sh", "-c", mount]
        return server

    def fill(self, server):
        """Takes all the space that is left; returns the file that does."""
        filler = pathlib.Path(f"/proc/{server.process.pid}/root{server.data}/filler")
        with open(filler, "wb", buffering=0) as file:
            for block in (65536, 4096, 1):
                try:
                    while True:
                        file.write(b"x" * block)
                except OSError:
                    pass
        return filler

    def lmtp_codes(self, server, text, recipients):
        with server.lmtp() as lmtp:
            try:
                refused = lmtp.sendmail("sender@example.com", recipients, text)
                return {name: refused.get(name, (250, b"")) for name in recipients}
            except smtplib.SMTPRecipientsRefused as error:
                return error.recipients
            except smtplib.SMTPDataError as error:
                return {name: (error.smtp_code, error.smtp_error) for name in recipients}

    def test_mail_is_put_off_and_nothing_is_lost(self):
        with self.server() as server:
            server.deliver(message("before"))
            client = server.raw()
            client.must("SELECT INBOX")
            filler = self.fill(server)

            code, text = self.lmtp_codes(server, message("refused", "x" * 100_000 + "\r\n"), ["alice"])["alice"]
            self.assertEqual((code, text[:5]), (452, b"4.3.1"))
            self.assertIn(b" NO [OVERQUOTA]", client.append("INBOX", message("refused", "x" * 100_000 + "\r\n")))
            self.assertEqual(list(client.fetch_literals("1:*", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]").values()),
                             [b"Subject: before\r\n\r\n"])
            client.command(r"STORE 1 +FLAGS (\Flagged)")  # may or may not find room
            client.must("NOOP")

            filler.unlink()
            self.assertEqual(self.lmtp_codes(server, message("after"), ["alice"])["alice"][0], 250)
            self.assertIn(b" OK", client.append("INBOX", message("after by APPEND")))
            client.must(r"STORE 1 +FLAGS (\Answered)")
            client.must("NOOP")
            subjects = client.fetch_literals("1:*", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]")
            self.assertEqual([s.split(b"\r")[0] for s in subjects.values()],
                             [b"Subject: before", b"Subject: after", b"Subject: after by APPEND"])
            client.close()
            # The server's own end: flags go to the names, accounts are closed, all without an error.
            before = server.log.read_text(errors="replace").count("level=error")
            self.assertEqual(server.stop(), 0)
            self.assertEqual(server.log.read_text(errors="replace").count("level=error"), before)


if __name__ == "__main__":
    unittest.main()
