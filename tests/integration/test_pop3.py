"""POP3 with the real server: Python's poplib, curl, and a client that counts every octet."""
import pathlib
import poplib
import random
import re
import socket
import ssl
import subprocess
import sys
import time
import unittest

from harness import (HOST, RawPop3, Server, corpus, eventually, insecure_tls, mbox_messages, memory_factor, message,
                     on_the_wire, program, stored_form)
from neighbours import unpacked
from test_bad_input import resident_kib
from test_corpus import TRACE


def everything(client):
    """All octets up to the end of the stream."""
    data = b""
    try:
        while chunk := client.stream.read(65536):
            data += chunk
    except ConnectionResetError:
        pass
    return data


class Pop3(unittest.TestCase):
    takes_long = True
    smoke = True

    def test_poplib_in_plain_by_stls_and_under_tls(self):
        texts = [message("one"), message("dots", ".\r\n..two\r\n.three\r\n"), message("empty", "")]
        with Server() as server:
            with server.raw() as imap:
                for text in texts:
                    imap.append("INBOX", text)
            def plain():
                return poplib.POP3(HOST, server.pop3_port, timeout=30)
            def by_stls():
                client = plain()
                client.stls(insecure_tls())
                return client
            def under_tls():
                return poplib.POP3_SSL(HOST, server.pop3s_port, context=insecure_tls(), timeout=30)
            for connect in (plain, by_stls, under_tls):
                client = connect()
                self.assertIn("PIPELINING", client.capa())
                self.assertEqual(b"STLS" in b"".join(client._longcmd("CAPA")[1]), connect is plain)
                client.user("alice")
                with self.assertRaises(poplib.error_proto):
                    client.pass_("wrong")
                client.user("alice")
                client.pass_("pass")
                self.assertEqual(client.stat(), (3, sum(map(len, texts))))
                self.assertEqual([int(line.split()[1]) for line in client.list()[1]], list(map(len, texts)))
                ids = [line.split()[1] for line in client.uidl()[1]]
                self.assertEqual(len(set(ids)), 3)
                for number, text in enumerate(texts, 1):
                    self.assertEqual(b"".join(line + b"\r\n" for line in client.retr(number)[1]), text)
                    self.assertEqual(client.uidl(number).split()[2], ids[number - 1])
                    header, _, _ = text.partition(b"\r\n\r\n")
                    self.assertEqual(b"\r\n".join(client.top(number, 0)[1]), header + b"\r\n")
                client.dele(2)
                with self.assertRaises(poplib.error_proto):
                    client.retr(2)
                client.rset()
                client.noop()
                self.assertTrue(client.quit().startswith(b"+OK"))
            client = server.pop3()
            client.dele(2)
            client.quit()
            self.assertEqual(server.pop3().stat()[0], 2)

    def test_apop_where_it_is_offered(self):
        def connect(server):
            return poplib.POP3(HOST, server.pop3_port, timeout=60)
        with Server(users=("alice",)) as server:
            client = connect(server)
            self.assertNotIn(b"<", client.welcome)
            with self.assertRaisesRegex(poplib.error_proto, "APOP not supported"):
                client.apop("alice", "pass")
            with server.raw_pop3(user=None) as client:
                self.assertEqual(client.command("APOP alice " + 32 * "0"), "-ERR Unknown command")
        with Server({"pop3.apop": True}, users=("alice",)) as server:
            server.add_user("bob", scheme="ARGON2ID")
            first, second = connect(server), connect(server)
            self.assertNotEqual(first.welcome, second.welcome)
            with self.assertRaisesRegex(poplib.error_proto, r"-ERR \[AUTH\]"):
                first.apop("alice", "wrong")
            self.assertTrue(first.apop("alice", "pass").startswith(b"+OK"))
            self.assertEqual(first.stat(), (0, 0))
            with self.assertRaisesRegex(poplib.error_proto, r"-ERR \[AUTH\]"):
                second.apop("bob", "pass")
            self.assertIn('protocol=pop3 mechanism="APOP command"', server.log.read_text())

    def test_curl_lists_reads_and_deletes(self):
        curl = program("curl")
        with Server() as server:
            text = message("for curl", "line\r\n.dot\r\n..dots\r\n")
            for _ in range(3):
                server.deliver(text)
            for url, options in ((f"pop3://{HOST}:{server.pop3_port}", []),
                                 (f"pop3://{HOST}:{server.pop3_port}", ["--ssl-reqd"]),
                                 (f"pop3s://{HOST}:{server.pop3s_port}", ["--login-options", "AUTH=PLAIN"])):
                run = lambda *more: subprocess.run([curl, "-sS", "-k", "--max-time", "30", "-u", "alice:pass", *options,
                                                    *more], capture_output=True, timeout=60, check=True).stdout
                listed = run(f"{url}/")
                self.assertRegex(listed, rb"\A1 \d+\r\n")
                got = run(f"{url}/1")
                self.assertTrue(got.endswith(text))
                self.assertEqual(int(listed.split()[1]), len(got))
                run("-X", "DELE", "-I", f"{url}/1")
            self.assertTrue(eventually(lambda: server.pop3().stat()[0] == 0))
            denied = subprocess.run([curl, "-sS", "-u", "alice:wrong", f"pop3://{HOST}:{server.pop3_port}/"],
                                    capture_output=True, timeout=60)
            self.assertEqual(denied.returncode, 67)  # curl: login denied

    def test_the_whole_corpus_octet_for_octet_and_size_for_size(self):
        messages = corpus("real", "malformed") + mbox_messages()
        with Server() as server:
            with server.lmtp() as lmtp:
                for _, text in messages:
                    lmtp.sendmail("sender@example.com", ["alice"], text)
            with server.raw_pop3(tls=True) as client:
                sizes = client.listing("LIST")
                self.assertEqual(list(sizes), list(range(1, len(messages) + 1)))
                self.assertEqual(client.must("STAT"), f"+OK {len(messages)} {sum(map(int, sizes.values()))}")
                for number, (name, text) in enumerate(messages, 1):
                    got = client.retrieve(f"RETR {number}")
                    expected = stored_form(on_the_wire(text))
                    self.assertEqual(got[-len(expected):] if expected else b"", expected, name)
                    self.assertRegex(got[:len(got) - len(expected)], TRACE, name)
                    self.assertEqual(int(sizes[number]), len(got), name)
                    header_end = got.find(b"\r\n\r\n") + 4
                    if header_end >= 4:
                        self.assertEqual(client.retrieve(f"TOP {number} 0"), got[:header_end], name)
                        two = got[:header_end] + b"".join(re.findall(rb"[^\n]*\n", got[header_end:])[:2])
                        self.assertEqual(client.retrieve(f"TOP {number} 2"), two, name)

    def test_a_file_of_another_program_has_its_line_ends_and_its_size(self):
        with Server() as server:
            with server.raw_pop3():
                pass
            texts = [message("lf", "one\n.two\n"), message("nothing at the end", "one\ntwo")]
            for number, text in enumerate(texts):
                (server.maildir() / "new" / f"{number}.M1P1.elsewhere").write_bytes(text.replace(b"\r\n", b"\n"))
            with server.raw_pop3() as client:
                sizes = client.listing("LIST")
                got = sorted(client.retrieve(f"RETR {number}") for number in sizes)
                expected = [stored_form(text.replace(b"\r\n", b"\n")) for text in texts]
                self.assertEqual(got, sorted(text if text.endswith(b"\r\n") else text + b"\r\n" for text in expected))
                self.assertEqual(sorted(map(int, sizes.values())), sorted(map(len, got)))

    def test_pipelined_commands_in_one_packet_or_in_many(self):
        chance = random.Random(1939)
        with Server() as server:
            for count in range(3):
                server.deliver(message(f"number {count}", ".dot\r\n" * count))
            script = (b"CAPA\r\nUSER alice\r\nPASS pass\r\nSTAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nretr 2\r\nTOP 3 1\r\n"
                      b"DELE 1\r\nRETR 1\r\nNOOP\r\nRSET\r\nQUIT\r\n")
            first = None
            for round_number in range(20):
                with RawPop3(HOST, server.pop3_port) as client:
                    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    cuts = sorted(chance.sample(range(1, len(script)), round_number % 8)) + [len(script)]
                    begin = 0
                    for end in cuts:
                        client.send(script[begin:end])
                        begin = end
                    answers = everything(client)
                first = first or answers
                self.assertEqual(answers, first)
            self.assertEqual(first.count(b"+OK"), 13)
            self.assertEqual(first.count(b"-ERR"), 1)

    def test_only_quit_deletes_and_imap_sees_it(self):
        with Server() as server, server.raw() as imap:
            for count in range(3):
                server.deliver(message(f"number {count}"))
            imap.must("SELECT INBOX")
            dropped = server.raw_pop3()
            dropped.must("DELE 1")
            dropped.must("DELE 2")
            dropped.close()
            with server.raw_pop3() as client:
                self.assertEqual(len(client.listing("LIST")), 3)
                imap.idle()
                client.must("DELE 1")
                client.must("DELE 3")
                self.assertEqual(client.must("QUIT"), "+OK Bye")
                imap.wait_for(rb"\* \d EXPUNGE")
                imap.wait_for(rb"\* \d EXPUNGE")
                imap.done()
            found = imap.must("FETCH 1:* (UID)")
            self.assertEqual(len(found), 1)
            self.assertIn(b"UID 2", found[0])

    def test_deliveries_during_the_session_are_for_the_next_one(self):
        with Server() as server:
            server.deliver(message("before"))
            with server.raw_pop3() as client:
                server.deliver(message("meanwhile"))
                self.assertTrue(client.must("STAT").startswith("+OK 1 "))
                self.assertEqual(len(client.listing("UIDL")), 1)
                self.assertEqual(client.command("RETR 2"), "-ERR No such message")
                client.must("QUIT")
            with server.raw_pop3() as client:
                self.assertEqual(len(client.listing("UIDL")), 2)

    def test_a_unique_id_outlives_restart_index_and_renumbering(self):
        server = Server()
        with server:
            for count in range(4):
                server.deliver(message(f"number {count}"))
            with server.raw_pop3() as client:
                before = client.listing("UIDL")
                for value in before.values():
                    self.assertRegex(value, rb"\A[\x21-\x7e]{1,70}\Z")
                self.assertEqual(len(set(before.values())), 4)
                client.must("DELE 2")
                client.must("QUIT")
            del before[2]
            self.assertEqual(server.stop(), 0)
            server.start()
            with server.raw_pop3() as client:
                self.assertEqual(list(client.listing("UIDL").values()), list(before.values()))
            self.assertEqual(server.stop(), 0)
            for path in server.maildir().glob("index.sqlite*"):
                path.unlink()
            server.start()
            server.deliver(message("number 4"))
            with server.raw_pop3() as client:
                after = list(client.listing("UIDL").values())
                self.assertEqual(after[:3], list(before.values()))
                self.assertEqual(len(set(after)), 4)

    def test_stls_takes_nothing_over_from_plaintext(self):
        with Server() as server:
            server.deliver(message())
            for injected in (b"USER alice\r\nPASS pass\r\n", b"NOOP\r\n", b"US"):
                with RawPop3(HOST, server.pop3_port) as client:
                    client.send(b"STLS\r\n" + injected)
                    answers = everything(client)
                    self.assertTrue(answers.startswith(b"-ERR "), answers)
                    self.assertEqual(answers.count(b"\r\n"), 1, answers)
            with RawPop3(HOST, server.pop3_port) as client:
                client.must("USER alice")
                client.start_tls()
                self.assertEqual(client.command("PASS pass"), "-ERR Send USER first")
                self.assertTrue(client.command("STLS").startswith("-ERR"))
                client.must("USER alice")
                client.must("PASS pass")
                self.assertTrue(client.command("STLS").startswith("-ERR"))
                self.assertTrue(client.must("STAT").startswith("+OK 1 "))

    def test_plaintext_login_only_where_allowed(self):
        with Server({"auth.allow_plaintext": "never"}) as server, RawPop3(HOST, server.pop3_port) as client:
            capabilities = client.retrieve("CAPA")
            self.assertNotIn(b"\r\nUSER\r\n", capabilities)
            self.assertNotIn(b"PLAIN", capabilities)
            self.assertIn(b"STLS\r\n", capabilities)
            self.assertTrue(client.command("USER alice").startswith("-ERR [AUTH] "))
            self.assertTrue(client.command("AUTH PLAIN AGFsaWNlAHBhc3M=").startswith("-ERR [AUTH] "))
            client.start_tls()
            capabilities = client.retrieve("CAPA")
            self.assertIn(b"USER\r\n", capabilities)
            self.assertRegex(capabilities, rb"SASL [^\r\n]*PLAIN")
            self.assertNotIn(b"STLS", capabilities)
            client.must("AUTH PLAIN AGFsaWNlAHBhc3M=")

    def test_a_wrong_password_is_not_logged_and_tells_nothing(self):
        with Server() as server, RawPop3(HOST, server.pop3_port) as client:
            answers = set()
            for name in ("alice", "nobody"):
                client.must(f"USER {name}")
                answers.add(client.command("PASS hunter9"))
            self.assertEqual(len(answers), 1)
            self.assertTrue(answers.pop().startswith("-ERR [AUTH] "))
            self.assertNotIn("hunter9", server.output())
            self.assertIn("login_failed", server.output())

    def test_a_large_message_and_slow_readers_take_no_memory(self):
        line = b"." + b"0123456789abcde" * 4 + b"\r\n"
        big = message("big", "") + line * (30 * 1024 * 1024 // len(line))
        with Server() as server:
            server.deliver(big)
            with server.raw_pop3() as client:
                client.must("STAT")
                before = resident_kib(server.process)
                slow = [server.raw_pop3() for _ in range(8)]
                for each in slow:
                    each.send(b"RETR 1\r\n" * 5)
                got = client.retrieve("RETR 1")
                self.assertLess(resident_kib(server.process) - before, 24_000 * memory_factor())
                self.assertTrue(got.endswith(big[-1_000_000:]))
                self.assertEqual(int(client.listing("LIST")[1]), len(got))
                for each in slow:
                    each.close()

    def test_a_kept_session_is_small(self):
        with Server({"limits.connections_per_user": 0, "limits.connections_per_address": 0}) as server:
            for count in range(20):
                server.deliver(message(f"number {count}"))
            warm = [server.raw_pop3() for _ in range(50)]
            before = resident_kib(server.process)
            idle = [server.raw_pop3() for _ in range(200)]
            self.assertTrue(eventually(lambda: resident_kib(server.process) - before < 200 * 40 * memory_factor(), seconds=15))
            for client in warm + idle:
                client.close()

    def test_endless_lines_and_strangers_are_cut_short(self):
        with Server() as server:
            with RawPop3(HOST, server.pop3_port) as client:
                before = resident_kib(server.process)
                try:
                    client.send(b"USER " + b"a" * 40_000_000 + b"\r\n")
                    self.assertTrue(client.line().startswith(b"-ERR"))
                except (BrokenPipeError, ConnectionResetError):
                    pass
                self.assertLess(resident_kib(server.process) - before, 40_000 * memory_factor())
            with RawPop3(HOST, server.pop3_port) as client:
                client.send(b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\nC: d\r\nE: f\r\nG: h\r\n\r\n")
                self.assertLessEqual(everything(client).count(b"-ERR"), 6)

    def test_unique_ids_as_configured(self):
        def ids(server):
            with server.raw_pop3() as client:
                return [value.decode() for value in client.listing("UIDL").values()]
        server = Server()
        with server:
            for count in range(2):
                server.deliver(message(f"number {count}"))
            today = ids(server)
            self.assertEqual([value[:8] for value in today], ["00000001", "00000002"])
            validity = int(today[0][8:], 16)
            for form, expected in (("%08Xu%08Xv", today), ("%v-%u", [f"{validity}-1", f"{validity}-2"]), ("%u", ["1", "2"])):
                self.assertEqual(server.stop(), 0)
                server.settings["pop3.uidl_format"] = form
                server.write_config()
                server.start()
                self.assertEqual(ids(server), expected)
            server.settings["pop3.uidl_format"] = "%v"
            server.write_config()
            refused = server.admin("config", "check", check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("by which messages differ", refused.stdout + refused.stderr)

    def test_what_was_fetched_goes_after_days_and_nothing_else(self):
        with Server({"pop3.expire_days": 30}) as server, server.raw() as imap:
            with server.raw_pop3():
                pass
            days = lambda count: int(time.time()) - count * 86400
            for number, age in enumerate((40, 40, 20, 40, 31)):
                path = server.maildir() / "new" / f"{days(age)}.M{number}P1.elsewhere"
                path.write_bytes(message(f"number {number}", f"aged {age}\r\n"))
            with server.raw_pop3() as client:
                numbers = {re.search(rb"Subject: number (\d)", client.retrieve(f"TOP {number} 0"))[1]: number
                           for number in client.listing("LIST")}
                self.assertIn(b"EXPIRE 30\r\n", client.retrieve("CAPA"))
                for name in (b"0", b"2", b"3"):
                    client.retrieve(f"RETR {numbers[name]}")
                client.send("RETR 99\r\n")  # goes without a word: nothing is deleted
            imap.must("SELECT INBOX")
            marked = lambda: b"".join(imap.must("SEARCH KEYWORD $POP3Retrieved")).partition(b"* SEARCH")[2].splitlines()[0]
            self.assertTrue(eventually(lambda: len(marked().split()) == 3))  # who goes so is noticed a little later
            with server.raw_pop3() as client:
                self.assertEqual(len(client.listing("LIST")), 5)
                imap.must(f"STORE {numbers[b'3']} +FLAGS.SILENT (\\Flagged)")
                imap.must(f"STORE {numbers[b'4']} +FLAGS.SILENT (\\Seen)")  # read by IMAP alone
                imap.idle()
                client.must("QUIT")
                imap.wait_for(rb"\* %d EXPUNGE" % numbers[b"0"])
                imap.done()
            left = b"".join(imap.must("FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
            self.assertEqual(sorted(re.findall(rb"Subject: number (\d)", left)), [b"1", b"2", b"3", b"4"])

    def test_a_user_waits_between_logins(self):
        with Server({"pop3.login_delay": "2s"}) as server:
            with server.raw_pop3() as client:
                self.assertIn(b"LOGIN-DELAY 2\r\n", client.retrieve("CAPA"))
                client.must("QUIT")
            with RawPop3(HOST, server.pop3_port) as client:
                client.must("USER alice")
                self.assertTrue(client.command("PASS pass").startswith("-ERR [LOGIN-DELAY] "))
                self.assertTrue(client.command("AUTH PLAIN AGFsaWNlAHBhc3M=").startswith("-ERR [LOGIN-DELAY] "))
                client.must("USER bob")
                client.must("PASS pass")
            def admitted():
                with RawPop3(HOST, server.pop3_port) as client:
                    return client.command("AUTH PLAIN AGFsaWNlAHBhc3M=").startswith("+OK")
            self.assertTrue(eventually(admitted, seconds=10))
            self.assertIn("event=login_too_soon", server.output())

    def test_getmail_fetches_each_message_once_whatever_the_ids_look_like(self):
        tree = unpacked("getmail6")
        texts = [message("one"), message("dots", ".\r\n..two\r\n"), message("umlaut", "gr\u00fc\u00dfe\r\n")]
        for form in ("%08Xu%08Xv", "%v-%u"):
            with Server({"pop3.uidl_format": form}) as server:
                mail = server.folder / "mail"
                mail.mkdir()
                rc = server.folder / "getmailrc"
                # Its own Maildir it does not write as root.
                rc.write_text(f"[retriever]\ntype = SimplePOP3Retriever\nserver = {HOST}\nport = {server.pop3_port}\n"
                              "username = alice\npassword = pass\n[destination]\ntype = MDA_external\npath = /bin/sh\n"
                              f'arguments = ("-c", "cat > {mail}/$$")\nallow_root_commands = true\n'
                              "[options]\nread_all = false\ndelete = false\ndelivered_to = false\nreceived = false\n")
                for text in (*texts, None):
                    if text:
                        server.deliver(text)
                    done = subprocess.run([sys.executable, tree.program("getmail"), "--getmaildir", server.folder, "--rcfile", rc],
                                          capture_output=True, timeout=60,
                                          env=tree.environment(PYTHONPATH=str(tree.root / "usr/lib/python3/dist-packages")))
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                got = [path.read_bytes().replace(b"\n", b"\r\n") for path in mail.iterdir()]
                self.assertEqual(sorted(text[text.index(b"From: Sender"):] for text in got), sorted(texts))

    def test_names_passwords_and_headers_in_utf8(self):
        with Server({"pop3.utf8_messages": "refuse"}) as server:
            server.add_user("j\u00fcrgen", "geheim \u20ac")
            server.admin("deliver", "-d", "j\u00fcrgen", stdin=message("gr\u00f6\u00dfer").decode())
            server.deliver(message("ascii", "K\u00f6rper\r\n"))
            for says_utf8 in (False, True):
                with RawPop3(HOST, server.pop3_port) as client:
                    if says_utf8:
                        client.must("UTF8")
                    client.must("USER ju\u0308rgen")  # decomposed
                    client.must("PASS geheim \u20ac")
                    first = client.command("RETR 1")
                    self.assertEqual(first.startswith("+OK"), says_utf8)
                    self.assertEqual(first.startswith("-ERR [UTF8] "), not says_utf8)
                    if says_utf8:
                        self.assertIn("Subject: gr\u00f6\u00dfer".encode(), client.rest())
            with server.raw_pop3() as client:
                self.assertIn("K\u00f6rper".encode(), client.retrieve("RETR 1"))


if __name__ == "__main__":
    unittest.main()
