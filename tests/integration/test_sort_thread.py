"""SORT and THREAD over real sockets: a mailbox of mailing lists, imaplib's own commands, and one very long thread."""
import imaplib
import re
import unittest

from harness import HOST, Server, mbox_messages

CRITERIA = ("ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO", "DISPLAYFROM", "DISPLAYTO")
ALGORITHMS = ("ORDEREDSUBJECT", "REFERENCES", "REFS")


def numbers(line):
    return [int(number) for number in re.findall(rb"\d+", line)]


class SortAndThread(unittest.TestCase):
    takes_long = True
    smoke = True

    def one_line(self, client, command, name):
        found = [line for line in client.must(command) if line.startswith(b"* " + name)]
        self.assertEqual(len(found), 1, command)
        return found[0]

    def test_a_mailbox_of_lists(self):
        messages = [text for _, text in mbox_messages()]
        with Server() as server, server.raw() as client:
            client.append_all("INBOX", messages)
            client.must("SELECT INBOX")
            client.must("STORE 1:* +FLAGS.SILENT (\\Seen)")
            client.must("STORE 3 +FLAGS.SILENT (\\Deleted)")
            client.must("EXPUNGE")  # UIDs and numbers differ
            uids = numbers(self.one_line(client, "UID SEARCH ALL", b"SEARCH"))
            self.assertEqual(len(uids), len(messages) - 1)
            some = set(uids[::3])
            few = ",".join(map(str, sorted(some)))
            for criterion in CRITERIA:
                for criteria in (criterion, f"REVERSE {criterion}", f"{criterion} REVERSE SIZE"):
                    with self.subTest(criteria):
                        order = numbers(self.one_line(client, f"UID SORT ({criteria}) UTF-8 ALL", b"SORT"))
                        self.assertEqual(sorted(order), uids)
                        part = numbers(self.one_line(client, f"UID SORT ({criteria}) UTF-8 UID {few}", b"SORT"))
                        self.assertEqual(part, [uid for uid in order if uid in some])
                        by_number = numbers(self.one_line(client, f"SORT ({criteria}) UTF-8 ALL", b"SORT"))
                        self.assertEqual([uids[number - 1] for number in by_number], order)
                        extended = self.one_line(client, f"UID SORT RETURN (MIN MAX COUNT ALL) ({criteria}) UTF-8 ALL", b"ESEARCH")
                        low, high, count, listed = re.search(rb"UID MIN (\d+) MAX (\d+) COUNT (\d+) ALL (\S+)\r\n", extended).groups()
                        self.assertEqual((int(low), int(high), int(count)), (order[0], order[-1], len(order)))
                        expanded = []
                        for run in listed.split(b","):
                            first, _, last = run.partition(b":")
                            expanded += range(int(first), int(last or first) + 1)
                        self.assertEqual(expanded, order)
            sizes = {}
            for line in client.must("UID FETCH 1:* (UID RFC822.SIZE)"):
                uid, size = re.search(rb"UID (\d+) RFC822.SIZE (\d+)", line).groups()
                sizes[int(uid)] = int(size)
            self.assertEqual(numbers(self.one_line(client, "UID SORT (SIZE) UTF-8 ALL", b"SORT")),
                             sorted(uids, key=lambda uid: (sizes[uid], uid)))
            for algorithm in ALGORITHMS:
                with self.subTest(algorithm):
                    threads = self.one_line(client, f"UID THREAD {algorithm} UTF-8 ALL", b"THREAD")
                    self.assertEqual(sorted(numbers(threads)), uids)
                    self.assertRegex(threads, rb"\A\* THREAD \([^\r\n]*\)\r\n\Z")
                    self.assertEqual(threads.count(b"("), threads.count(b")"))
                    self.assertLess(threads.count(b"("), len(uids) + len(uids) // 2)

    def test_imaplib(self):
        with Server() as server:
            client = imaplib.IMAP4(HOST, server.imap_port, timeout=30)
            client.login("alice", "pass")
            self.assertIn("THREAD=REFERENCES", client.capabilities)
            for number, extra in ((3, ""), (1, ""), (2, "References: <1@x>\r\n")):
                client.append("INBOX", None, None, f"Subject: s{number}\r\nMessage-ID: <{number}@x>\r\n{extra}\r\n".encode())
            client.select()
            self.assertEqual(client.sort("(SUBJECT)", "UTF-8", "ALL"), ("OK", [b"2 3 1"]))
            self.assertEqual(client.uid("SORT", "(REVERSE SUBJECT)", "UTF-8", "NOT", "UID", "3"), ("OK", [b"1 2"]))
            self.assertEqual(client.thread("REFERENCES", "UTF-8", "ALL"), ("OK", [b"(1)(2 3)"]))
            self.assertEqual(client.uid("THREAD", "REFS", "US-ASCII", "SUBJECT", "nowhere"), ("OK", [b""]))
            client.logout()

    def test_a_thread_of_many_thousand_replies(self):
        count = 20_000
        texts = [f"Message-ID: <{n}@x>\r\nReferences: <{n - 2}@x> <{n - 1}@x>\r\nSubject: Re: s\r\n\r\n".encode()
                 for n in range(1, count + 1)]
        chain = b"* THREAD (" + b" ".join(b"%d" % n for n in range(1, count + 1)) + b")\r\n"
        with Server() as server, server.raw() as client:
            client.append_all("INBOX", texts, at_once=500)
            client.must("EXAMINE INBOX")
            for algorithm in ("REFERENCES", "REFS"):
                self.assertTrue(self.one_line(client, f"UID THREAD {algorithm} UTF-8 ALL", b"THREAD") == chain, algorithm)
            flat = self.one_line(client, "THREAD ORDEREDSUBJECT UTF-8 ALL", b"THREAD")
            self.assertTrue(flat.startswith(b"* THREAD (1 (2)(3)(4)"))
            self.assertTrue(flat.endswith(b"(20000))\r\n"))


if __name__ == "__main__":
    unittest.main()
