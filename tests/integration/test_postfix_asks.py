"""What Postfix asks Postkeep besides LMTP, as docs/postfix.md has it: passwords by the auth socket, recipients, senders and full
mailboxes by socketmap. The clients are Python's smtplib, a SCRAM of our own, and swaks."""
import smtplib
import subprocess
import unittest

from harness import HOST, Server, eventually, free_port, insecure_tls, message
from neighbours import unpacked
from postfix import THE_WORLD, Postfix, guide_blocks, put, server_settings
from scram import scram_smtp


class PostfixAsks(unittest.TestCase):
    takes_long = True

    @classmethod
    def setUpClass(cls):
        cls.postfix = cls.enterClassContext(Postfix())
        auth, maps = cls.postfix.sockets / "auth", cls.postfix.sockets / "socketmap"
        cls.server = cls.enterClassContext(Server(server_settings() | {
            "listen.mta_auth": [f"unix:{auth}"], "listen.socketmap": [f"unix:{maps}"], "quota.on_delivery": "reject",
            "auth.masters": ["carol"], "auth.master_separator": "*",
        }, users=("alice", "bob", "carol")))
        cls.submission = free_port()
        tcp, _, submission, recipients, *_ = guide_blocks("/etc/postfix/main.cf")
        tcp = put(tcp, "inet:127.0.0.1:24\n", f"inet:127.0.0.1:{cls.server.lmtp_port}\n")
        # What the guide has another line for.
        tcp = put(tcp, "smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unverified_recipient\n", "")
        tls = cls.server.data / "tls"
        submission = put(submission, "/etc/ssl/mail.key, /etc/ssl/mail.pem", f"{tls}/self-signed.key, {tls}/self-signed.crt")
        master = put(guide_blocks("/etc/postfix/master.cf")[0], "submission inet", f"{HOST}:{cls.submission} inet")
        cls.postfix.start(tcp + submission + recipients, master)

    def submit(self, tls=True):
        """To the submission port, as a mail program somewhere."""
        smtp = self.postfix.smtp(port=self.submission)
        self.addCleanup(smtp.close)
        if tls:
            smtp.starttls(context=insecure_tls())
        smtp.ehlo()
        return smtp

    def arrives(self, user, subject):
        def is_there():
            with self.server.raw(user) as client:
                client.must("EXAMINE INBOX")
                headers = client.fetch_literals("1:*", "BODY.PEEK[HEADER]").values()
            return any(f"Subject: {subject}\r\n".encode() in header for header in headers)
        self.assertTrue(eventually(is_there, 30), self.postfix.log()[-3000:])

    def test_each_mechanism_lets_a_user_send(self):
        for name, mechanism in (("plain", "PLAIN"), ("login", "LOGIN")):
            smtp = self.submit()
            smtp.user, smtp.password = "alice", "pass"
            self.assertIn(mechanism, smtp.esmtp_features["auth"])
            smtp.auth(mechanism, getattr(smtp, f"auth_{name}"), initial_response_ok=name == "plain")
            smtp.sendmail("alice@example.org", ["bob@example.org"], message(f"by {name}"))
            self.arrives("bob", f"by {name}")
        self.assertRegex(self.server.log.read_text(),
                         rf"event=login session=\w+ user=alice protocol=smtp mechanism=LOGIN tls=true peer={THE_WORLD}")

    def test_who_may_act_as_others_sends_as_them_and_the_log_tells(self):
        smtp = self.submit()
        self.assertEqual(smtp.login("alice*carol", "pass")[0], 235)
        self.assertRegex(self.server.log.read_text(), rf"event=acting .*by=carol as=alice protocol=smtp mechanism=\S+ peer={THE_WORLD}")
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            self.submit().login("carol*alice", "pass")

    def test_scram(self):
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-1"):
            smtp = self.submit()
            if mechanism not in smtp.esmtp_features["auth"].split():
                continue
            self.assertEqual(smtp.auth(mechanism, scram_smtp("bob", "pass", mechanism=mechanism))[0], 235)
            with self.assertRaises(smtplib.SMTPAuthenticationError):
                self.submit().auth(mechanism, scram_smtp("bob", "wrong", mechanism=mechanism))
        self.assertIn("SCRAM-SHA-256", self.submit().esmtp_features["auth"])

    def test_who_is_wrong_is_told_so_and_may_try_again(self):
        smtp = self.submit()
        for user, password in (("alice", "guess"), ("nobody", "guess"), ("nobody@example.org", "pass")):
            with self.assertRaises(smtplib.SMTPAuthenticationError) as refused:
                smtp.login(user, password)
            self.assertEqual(refused.exception.smtp_code, 535)
            self.assertIn(b"5.7.8", refused.exception.smtp_error)
        smtp.login("alice", "pass")
        self.assertRegex(self.server.log.read_text(),
                         rf"event=login_failed session=\w+ peer={THE_WORLD} protocol=smtp mechanism=\S+ kind=\w+ .*login=nobody")

    def test_nobody_sends_in_somebody_elses_name_or_without_one(self):
        smtp = self.submit()
        self.assertEqual(smtp.docmd("MAIL", "FROM:<alice@example.org>")[0], 250)
        self.assertIn(smtp.docmd("RCPT", "TO:<bob@example.org>")[0], (530, 553, 554))
        smtp.rset()
        smtp.login("alice", "pass")
        smtp.mail("bob@example.org")
        code, text = smtp.rcpt("bob@example.org")
        self.assertEqual(code, 553, text)
        smtp.rset()
        smtp.mail("alice+lists@example.org")
        self.assertEqual(smtp.rcpt("bob@example.org")[0], 250)

    def test_no_password_is_asked_for_without_tls(self):
        smtp = self.submit(tls=False)
        self.assertNotIn("auth", smtp.esmtp_features)
        smtp = self.postfix.smtp()
        smtp.ehlo()
        self.assertNotIn("auth", smtp.esmtp_features)
        smtp.close()

    def test_mail_for_nobody_and_for_a_full_mailbox_is_refused_before_it_is_sent(self):
        self.server.admin("quota", "set", "carol", "--messages", "1")
        self.addCleanup(self.server.admin, "quota", "set", "carol", "--messages", "none")
        with self.postfix.smtp() as smtp:
            smtp.sendmail("sender@example.com", ["carol@example.org"], message("fills it"))
            self.arrives("carol", "fills it")
            smtp.mail("sender@example.com")
            self.assertEqual(smtp.rcpt("alice+lists@example.org")[0], 250)
            code, text = smtp.rcpt("nobody@example.org")
            self.assertEqual(code, 550, text)
            self.assertIn(b"5.1.1", text)
            code, text = smtp.rcpt("carol@example.org")
            self.assertEqual(code, 552, text)
            self.assertIn(b"5.2.2", text)
            code, text = smtp.rcpt("alice@elsewhere.example")
            self.assertIn(code, (454, 554), text)

    def swaks(self, *arguments):
        tree = unpacked("swaks,libnet-ssleay-perl")
        libraries = ":".join(tree.folders("usr/share/perl5", "usr/lib/*-linux-gnu*/perl5/*"))
        command = ["perl", tree.program("swaks"), "--server", HOST, "--port", str(self.submission), "--local-interface", THE_WORLD,
                   "--helo", "client.example.com", "--tls", "--from", "alice@example.org", "--to", "bob@example.org"]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60,
                              env=tree.environment(PERL5LIB=libraries))
        return done.returncode, done.stdout + done.stderr

    def test_swaks(self):
        for mechanism in ("PLAIN", "LOGIN"):
            credentials = ["--auth", mechanism, "--auth-user", "alice", "--auth-password"]
            code, out = self.swaks(*credentials, "pass", "--header", f"Subject: swaks by {mechanism}")
            self.assertEqual(code, 0, out)
            self.assertIn("235 2.7.0 Authentication successful", out)
            self.arrives("bob", f"swaks by {mechanism}")
            code, out = self.swaks(*credentials, "wrong")
            self.assertEqual(code, 28, out)  # its own code for authentication
            self.assertIn("535 5.7.8", out)


if __name__ == "__main__":
    unittest.main()
