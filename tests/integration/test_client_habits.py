"""What clients are known to send though the RFCs do not have it, or have it otherwise: it works, or is refused so that they can go on.
The list is in docs/coverage.md; odd mail and hostile input are in test_bad_input and test_corpus."""
import base64
import unittest

from harness import OneServer

TEXT = b"Subject: habit\r\n\r\nhello\r\n"
EVERY_OTHER_UID = ",".join(str(uid) for uid in range(1, 200_001, 2))  # 100,000 of them, none beside another


class ClientHabits(OneServer):
    settings = {"limits.bad_commands": 100}

    def opened(self, messages):
        self.client.append_all(self.box, [TEXT] * messages)
        self.client.must(f"SELECT {self.box}")
        return self.client

    def say(self, data, last_tag):
        """Everything up to the reply to the last command of what is sent at once."""
        self.client.send(data)
        return self.client.until(last_tag)

    def refused(self, text, sign):
        _, tagged = self.client.command(text)
        self.assertRegex(tagged, sign, text)

    def fetched(self, text):
        """The message numbers that it tells of."""
        return [int(line.split()[1]) for line in self.client.must(text) if b" FETCH (" in line]

    # --- numbers ---
    def test_changedsince_0_is_all(self):
        self.opened(2)
        self.assertEqual(self.fetched("FETCH 1:* (FLAGS) (CHANGEDSINCE 0)"), [1, 2])
        self.assertEqual(self.fetched("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 0)"), [1, 2])

    def test_an_open_range_above_the_last_message_has_the_last(self):
        self.opened(3)
        self.assertEqual(self.fetched("FETCH 9:* (UID)"), [3])
        self.assertEqual(self.fetched("FETCH *:9 (UID)"), [3])
        self.assertEqual(self.fetched("UID FETCH 4294967295:* (UID)"), [3])
        self.refused("FETCH 9 (UID)", rb" BAD ")
        self.refused("FETCH 2:9 (UID)", rb" BAD ")

    def test_100000_uids_in_one_line(self):
        client = self.opened(3)
        client.must(f"CREATE {self.box}-copy")
        self.assertEqual(self.fetched(f"UID FETCH {EVERY_OTHER_UID} (FLAGS)"), [1, 3])
        self.assertEqual(self.fetched(f"UID STORE {EVERY_OTHER_UID} +FLAGS (\\Flagged)"), [1, 3])
        self.assertEqual(client.must(f"UID SEARCH UID {EVERY_OTHER_UID}")[0], b"* SEARCH 1 3\r\n")
        client.must(f"UID COPY {EVERY_OTHER_UID} {self.box}-copy")
        self.assertIn(b"(MESSAGES 2)", client.must(f"STATUS {self.box}-copy (MESSAGES)")[0])
        with self.server.raw(user=None) as stranger:
            _, tagged = stranger.command(f"UID FETCH {EVERY_OTHER_UID} (FLAGS)")
            self.assertIn(b" BAD Command line is too long", tagged)
            stranger.must("NOOP")

    # --- mailbox names ---
    def test_a_name_with_the_separator_at_its_end(self):
        client = self.client
        client.must('CREATE "slash/"')
        self.assertIn(b"STATUS slash (", client.must('STATUS "slash/" (MESSAGES)')[0])
        client.must('SUBSCRIBE "slash/"')
        self.assertEqual(client.must('LSUB "" "slash"'), [b'* LSUB () "/" slash\r\n'])
        client.must('UNSUBSCRIBE "slash/"')
        client.must('SELECT "slash/"')
        client.must("CLOSE")
        client.must('RENAME "slash/" "stroke/"')
        client.must('DELETE "stroke/"')
        self.assertEqual([line for line in client.must('LIST "" "s%"') if b"slash" in line or b"stroke" in line], [])
        for name in ("/", "a//", "//"):
            self.refused(f'CREATE "{name}"', rb" NO ")

    def test_lsub_as_outlook_uses_it(self):
        client = self.server.raw("bob")
        self.addCleanup(client.close)
        client.must("SUBSCRIBE INBOX")
        client.must("SUBSCRIBE not/there/deep")
        everything = client.must('LSUB "" "*"')
        self.assertIn(b'* LSUB () "/" INBOX\r\n', everything)
        self.assertIn(b'* LSUB () "/" not/there/deep\r\n', everything)
        self.assertIn(b'* LSUB (\\Noselect) "/" not\r\n', client.must('LSUB "" "%"'))
        self.assertEqual(client.must('LSUB "not/" "%"'), [b'* LSUB (\\Noselect) "/" not/there\r\n'])
        self.assertEqual(client.must('LSUB "INBOX/" "*"'), [])
        self.assertEqual(client.must('LIST "" ""'), [b'* LIST (\\Noselect) "/" ""\r\n'])

    def test_raw_utf8_in_strings(self):
        client = self.client
        client.must('CREATE "b\u00fccher"')
        self.assertEqual(client.must('LIST "" "b\u00fc*"'), [b'* LIST (\\HasNoChildren) "/" b&APw-cher\r\n'])
        client.must('SELECT "b\u00fccher"')
        client.append('"b\u00fccher"', "Subject: Gr\u00fc\u00dfe\r\n\r\nx\r\n".encode())
        client.must("NOOP")
        for text in ('SEARCH SUBJECT "gr\u00fc\u00dfe"', 'SEARCH CHARSET UTF-8 SUBJECT "gr\u00fc\u00dfe"'):
            self.assertEqual(client.must(text)[0], b"* SEARCH 1\r\n", text)
        with self.server.raw(user=None) as stranger:
            _, tagged = stranger.command('LOGIN "\u00e4lice" "p\u00e4ss"')
            self.assertIn(b" NO [AUTHENTICATIONFAILED]", tagged)

    # --- IDLE ---
    def test_idle_done_and_the_next_command_in_one_packet(self):
        self.opened(1)
        answers = self.say(b"i IDLE\r\nDONE\r\nn NOOP\r\n", b"n")
        self.assertEqual([line.split()[0] for line in answers], [b"+", b"i", b"n"])
        self.assertIn(b"i OK", answers[1])

    def test_done_in_any_case_and_with_a_blank(self):
        self.opened(1)
        self.assertIn(b"i OK", self.say(b"i IDLE\r\ndone \r\n", b"i")[-1])

    def test_a_command_instead_of_done_ends_the_idle_and_not_the_session(self):
        self.opened(1)
        self.assertIn(b"i BAD Expected DONE", self.say(b"i IDLE\r\nx NOOP\r\n", b"i")[-1])
        self.client.must("NOOP")

    def test_idle_without_a_mailbox(self):
        self.assertIn(b"i OK", self.say(b"i IDLE\r\nDONE\r\n", b"i")[-1])

    # --- login ---
    def test_an_empty_sasl_response_is_written_in_three_ways(self):
        for sent in (b"a AUTHENTICATE PLAIN =\r\n", b"a AUTHENTICATE PLAIN\r\n\r\n", b"a AUTHENTICATE PLAIN\r\n=\r\n"):
            with self.server.raw(user=None) as client:
                client.send(sent)
                self.assertIn(b"a BAD PLAIN wants", client.until(b"a")[-1], sent)
                client.must("authenticate plain " + base64.b64encode(b"\0alice\0pass").decode())

    def test_everything_is_sent_at_once(self):
        with self.server.raw(user=None) as client:
            client.send(b'a LOGIN "alice" "pass"\r\nb SELECT INBOX\r\nc UID FETCH 1:* (FLAGS)\r\nd LOGOUT\r\n')
            tagged = [line[:4] for line in client.until(b"d") if line[:1] in b"abcd"]
            self.assertEqual(tagged, [b"a OK", b"b OK", b"c OK", b"d OK"])

    # --- how commands are written ---
    def test_lower_case_and_a_blank_at_the_end(self):
        self.opened(1)
        for text in ("noop ", "Check ", "fetch 1 (flags uid) ", "uid search unseen ", "fetch 1 (body.peek[header.fields (subject)])",
                     "status inbox (messages)", "examine inbox "):
            self.client.must(text)

    def test_field_names_in_quotes(self):
        self.opened(1)
        found = self.client.must('FETCH 1 (BODY.PEEK[HEADER.FIELDS ("Subject")])')
        self.assertIn(b"Subject: habit\r\n\r\n", found[0])

    def test_search_in_us_ascii(self):
        self.opened(2)
        self.assertEqual(self.client.must("UID SEARCH CHARSET US-ASCII ALL")[0], b"* SEARCH 1 2\r\n")

    def test_dates_of_append(self):
        self.client.must(f"SELECT {self.box}")
        dates = {" 1-Feb-2024": rb"[ 0]1-Feb-2024", "1-Feb-2024": rb"[ 0]1-Feb-2024", "01-feb-2024": rb"[ 0]1-Feb-2024",
                 "01-Jan-1960": rb"[ 0]1-Jan-1960"}
        for number, (date, shown) in enumerate(dates.items(), 1):
            self.assertIn(b" OK", self.client.append(self.box, TEXT, f'() "{date} 10:00:00 +0000" '), date)
            self.client.must("NOOP")
            self.assertRegex(self.client.must(f"FETCH {number} INTERNALDATE")[-1], rb'"' + shown + rb' 10:00:00 \+0000"', date)
        self.assertIn(b" BAD ", self.client.append(self.box, TEXT, '"30-Feb-2024 10:00:00 +0000" '))

    def test_id_nil(self):
        for text in ("ID NIL", "ID ()", 'ID ("name" NIL)'):
            self.assertIn(b"* ID (", self.client.must(text)[0])

    def test_unknown_commands_of_clients_leave_the_session(self):
        self.opened(1)
        for text in ('XAPPLEPUSHSERVICE aps-version 2 aps-account-id "x" aps-device-token "y"', 'XLIST "" "*"', "FETCH 1 RFC822.PEEK",
                     "FETCH 1 (X-GM-MSGID)"):
            self.refused(text, rb"^t\d+ BAD ")
        self.client.must("NOOP")

    # --- the selected mailbox ---
    def test_the_selected_mailbox_again(self):
        client = self.opened(2)
        self.assertIn(b"(MESSAGES 2 UNSEEN 2)", client.must(f"STATUS {self.box} (MESSAGES UNSEEN)")[0])
        again = client.must(f"SELECT {self.box}")
        self.assertIn(b"* 2 EXISTS\r\n", again)
        client.must("CLOSE")
        self.refused("FETCH 1 FLAGS", rb" BAD ")

    def test_a_storm_of_noops(self):
        self.opened(1)
        answers = self.say(b"".join(b"n%d NOOP\r\n" % number for number in range(2_000)), b"n1999")
        self.assertEqual(len([line for line in answers if b" OK" in line]), 2_000)


if __name__ == "__main__":
    unittest.main()
