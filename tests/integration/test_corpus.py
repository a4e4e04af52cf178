"""All of the mail corpus in by LMTP and by APPEND, out by IMAP: each message once, byte for byte."""
import pathlib
import re
import subprocess
import tempfile
import unittest

from harness import Server, appendable, corpus, mbox_messages, on_the_wire, program, served_form, stored_form

TRACE = re.compile(rb"\AReturn-Path: <[^\r\n]*>\r\n(Delivered-To: [^\r\n]*\r\n)?Received: [^\r\n]*\r\n([ \t][^\r\n]*\r\n)*\Z")


class Corpus(unittest.TestCase):
    takes_long = True
    maxDiff = 2000

    def same(self, name, got, expected):
        if got != expected:
            at = next((i for i, (a, b) in enumerate(zip(got, expected)) if a != b), min(len(got), len(expected)))
            self.fail(f"{name}: differs at {at} of {len(expected)} (got {len(got)}): "
                      f"{got[max(0, at - 40):at + 40]!r} for {expected[max(0, at - 40):at + 40]!r}")

    def test_by_lmtp_and_out_by_imap(self):
        messages = corpus("real", "malformed") + mbox_messages()
        with Server() as server:
            with server.lmtp() as lmtp:
                for _, message in messages:
                    lmtp.sendmail("sender@example.com", ["alice"], message)
            with server.raw() as client:
                client.must("EXAMINE INBOX")
                got = client.fetch_literals("1:*", "BODY.PEEK[]")
                sizes = {int(uid): int(size) for line in client.must("UID FETCH 1:* (UID RFC822.SIZE)")
                         for uid, size in [re.search(rb"UID (\d+) RFC822.SIZE (\d+)", line).groups()]}
            self.assertEqual(len(got), len(messages))
            for (name, message), uid in zip(messages, sorted(got)):
                expected = served_form(stored_form(on_the_wire(message)))
                trace, rest = got[uid][:-len(expected)], got[uid][-len(expected):]
                self.same(name, rest, expected)
                self.assertRegex(trace, TRACE, name)
                self.assertEqual(sizes[uid], len(got[uid]), name)

    def test_by_append_and_out_by_imap_over_tls(self):
        # An empty message is refused by RFC 3502 (it cancels the command); LMTP takes it in.
        messages = [(name, message) for name, message in appendable(corpus("real", "malformed")) + mbox_messages() if message]
        with Server() as server:
            with server.raw(tls=True) as client:
                self.assertIn(b" NO ", client.append("INBOX", b""))
                client.must("CREATE Corpus")
                for name, message in messages:
                    self.assertIn(b" OK [APPENDUID ", client.append("Corpus", message), name)
                client.must("EXAMINE Corpus")
                got = client.fetch_literals("1:*", "BODY.PEEK[]")
                self.assertEqual(len(got), len(messages))
                for (name, message), uid in zip(messages, sorted(got)):
                    self.same(name, got[uid], served_form(stored_form(message)))
                self.assertIn(b" NO ", client.append("Corpus", b""))

    def test_literal8_is_kept_untouched(self):
        """But for a part that says it is binary and has a NUL (RFC 3516 §6): rfc3516/4.4 of the conformance suite."""
        binary = re.compile(rb"^Content-Transfer-Encoding: binary(?s:.)*\0", re.I | re.M)
        messages = [m for m in corpus("malformed") if b"\0" in m[1] or re.search(rb"(?<!\r)\n", m[1])]
        messages = [m for m in messages if not binary.search(m[1])]
        self.assertTrue(messages)
        with Server() as server, server.raw() as client:
            for name, message in messages:
                self.assertIn(b" OK [APPENDUID ", client.append("INBOX", message, binary=True), name)
            client.must("EXAMINE INBOX")
            got = client.fetch_literals("1:*", "BODY.PEEK[]")
            for (name, message), uid in zip(messages, sorted(got)):
                self.same(name, got[uid], served_form(message))

    def test_envelope_and_bodystructure_satisfy_a_strict_reader(self):
        program("ruby")
        messages = [(name, message) for name, message in corpus("real", "malformed") if message]
        with Server() as server, server.raw() as client, tempfile.TemporaryDirectory() as folder:
            for name, message in messages:
                self.assertIn(b" OK [APPENDUID ", client.append("INBOX", message), name)
            client.must("EXAMINE INBOX")
            answers = [a for a in client.must("FETCH 1:* (ENVELOPE BODYSTRUCTURE)") if b" FETCH (" in a[:40]]
            self.assertEqual(len(answers), len(messages))
            for (name, _), answer in zip(messages, answers):
                (pathlib.Path(folder) / name.replace("/", "_")).write_bytes(answer)
            reader = pathlib.Path(__file__).with_name("strict_reader.rb")
            done = subprocess.run(["ruby", str(reader), folder], capture_output=True, text=True, errors="replace")
            self.assertEqual(done.returncode, 0, done.stdout[:6000] + done.stderr[:2000])

    def test_sections_agree_with_the_whole(self):
        """HEADER and TEXT make up BODY[]; BODY[1] is a piece of it; a partial is its slice."""
        with Server() as server, server.raw() as client:
            messages = [(name, message) for name, message in corpus("real", "malformed")[::5] if message]
            for _, message in messages:
                client.append("INBOX", message)
            client.must("EXAMINE INBOX")
            whole = client.fetch_literals("1:*", "BODY.PEEK[]")
            header = client.fetch_literals("1:*", "BODY.PEEK[HEADER]")
            text = client.fetch_literals("1:*", "BODY.PEEK[TEXT]")
            first = client.fetch_literals("1:*", "BODY.PEEK[1]")
            part = client.fetch_literals("1:*", "BODY.PEEK[]<10.100>")
            for (name, _), uid in zip(messages, sorted(whole)):
                self.same(name, header[uid] + text[uid], whole[uid])
                self.assertIn(first[uid], whole[uid], name)
                self.assertEqual(part[uid], whole[uid][10:110], name)


if __name__ == "__main__":
    unittest.main()
