"""NOTIFY (RFC 5465) over real connections: deliveries, other sessions and other programs are told between commands."""
import os
import time
import unittest

from harness import Server, message

MESSAGES = "(MessageNew MessageExpunge)"


def put(folder, name, text):
    """As another program delivers."""
    (folder / "tmp" / name).write_bytes(text.replace(b"\r\n", b"\n"))
    os.rename(folder / "tmp" / name, folder / "new" / name)


class Notify(unittest.TestCase):
    smoke = True

    def test_a_delivery_is_told_and_fetched_between_commands(self):
        with Server() as server, server.raw(tls=True) as watcher, server.lmtp() as lmtp:
            watcher.must("SELECT INBOX")
            watcher.must("NOTIFY SET (SELECTED (MessageNew (UID BODY.PEEK[]) MessageExpunge))")
            for count in range(1, 11):
                text = message(f"number {count}")
                lmtp.sendmail("sender@example.com", ["alice"], text)
                seen = watcher.wait_for(rb"\* %d FETCH \(UID %d BODY\[\] " % (count, count), seconds=10)
                self.assertTrue(any(b"* %d EXISTS" % count in line for line in seen))
                self.assertIn(text, seen[-1])
            self.assertEqual(watcher.must("NOOP"), [])

    def test_a_delivery_to_a_mailbox_that_is_not_selected(self):
        with Server() as server, server.raw() as watcher, server.lmtp() as lmtp:
            watcher.must("NOTIFY SET STATUS (MAILBOXES INBOX (MessageNew MessageExpunge FlagChange))")
            lmtp.sendmail("sender@example.com", ["alice"], message())
            watcher.wait_for(rb"\* STATUS INBOX \(MESSAGES 1 UIDNEXT 2 .*UNSEEN 1\)", seconds=10)
            with server.raw() as actor:
                actor.must("SELECT INBOX")
                actor.must(r"STORE 1 +FLAGS (\Seen)")
                watcher.wait_for(rb"\* STATUS INBOX .*UNSEEN 0\)", seconds=10)
                actor.must(r"STORE 1 +FLAGS.SILENT (\Deleted)")
                actor.must("EXPUNGE")
                watcher.wait_for(rb"\* STATUS INBOX \(MESSAGES 0 UIDNEXT 2 ", seconds=10)
            self.assertEqual(watcher.must("NOOP"), [])

    def test_names_that_another_session_changes(self):
        with Server() as server, server.raw() as watcher, server.raw(tls=True) as actor:
            watcher.must("NOTIFY SET (PERSONAL (MailboxName SubscriptionChange))")
            actor.must("CREATE Projects")
            watcher.wait_for(rb'\* LIST \(\\HasNoChildren\) "/" Projects\r', seconds=10)
            actor.must("SUBSCRIBE Projects")
            watcher.wait_for(rb'\* LIST \(\\Subscribed .*\) "/" Projects\r', seconds=10)
            actor.must("RENAME Projects Plans")
            watcher.wait_for(rb'\* LIST .* Plans \("OLDNAME" \(Projects\)\)\r', seconds=10)
            actor.must("DELETE Plans")
            watcher.wait_for(rb'\* LIST \(\\NonExistent .* Plans\r', seconds=10)

    def test_a_file_of_another_program(self):
        with Server() as server, server.raw() as watcher:
            watcher.must("CREATE Other")
            put(server.maildir() / ".Other", f"{int(time.time())}.M0P1.elsewhere", message("before"))
            # What was there before is in the first STATUS, though no session had looked at the folder.
            first = watcher.must(f"NOTIFY SET STATUS (SELECTED {MESSAGES}) (PERSONAL {MESSAGES})")
            self.assertTrue(any(line.startswith(b"* STATUS Other (MESSAGES 1 ") for line in first), first)
            put(server.maildir() / ".Other", f"{int(time.time())}.M1P1.elsewhere", message("elsewhere"))
            watcher.wait_for(rb"\* STATUS Other \(MESSAGES 2 ", seconds=10)
            watcher.must("SELECT INBOX")
            put(server.maildir(), f"{int(time.time())}.M2P1.elsewhere", message("selected"))
            watcher.wait_for(rb"\* 1 EXISTS", seconds=10)
            # A mailbox that is made later is watched too.
            with server.raw() as actor:
                actor.must("CREATE Later")
            watcher.wait_for(rb"\* STATUS Later \(MESSAGES 0 ", seconds=10)
            put(server.maildir() / ".Later", f"{int(time.time())}.M3P1.elsewhere", message("later"))
            watcher.wait_for(rb"\* STATUS Later \(MESSAGES 1 ", seconds=10)

    def test_a_stop_of_the_server_says_goodbye(self):
        server = Server()
        with server, server.raw() as watcher:
            watcher.must("SELECT INBOX")
            watcher.must(f"NOTIFY SET (SELECTED {MESSAGES}) (PERSONAL {MESSAGES})")
            self.assertEqual(server.stop(), 0)
            self.assertTrue(watcher.response().startswith(b"* BYE"))


class Slow(unittest.TestCase):
    def test_a_client_that_does_not_read_holds_nobody_up(self):
        with Server() as server, server.raw() as deaf, server.raw() as actor:
            deaf.must("SELECT INBOX")
            deaf.must("NOTIFY SET (SELECTED (MessageNew (UID BODY.PEEK[]) MessageExpunge))")
            large = message("large") + (b"y" * 76 + b"\r\n") * 100_000  # more than the sockets take
            for _ in range(4):
                self.assertIn(b" OK", actor.append("INBOX", large))
            actor.must("SELECT INBOX")
            self.assertEqual(len(actor.must("FETCH 1:* (UID)")), 4)
            # When it reads at last, nothing is missing.
            self.assertGreater(len(deaf.wait_for(rb"\* 4 FETCH ", seconds=30)[-1]), len(large))


if __name__ == "__main__":
    unittest.main()
