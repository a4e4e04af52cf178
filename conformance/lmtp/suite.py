#!/usr/bin/env python3
"""Asks any LMTP server whether it keeps to the RFCs, a case a clause (cases.py). Mail goes to --user and --user2, whose INBOX is read
by IMAP where --imap is given; cases that need that are skipped without it. Exit code 0: no case failed.

    suite.py --host 127.0.0.1 --port 24 --user ann@example.org --user2 ben@example.org --unknown nobody@example.org \\
             --imap 127.0.0.1:143 --password pass"""
import argparse
import itertools
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cases  # noqa: E402
import peer  # noqa: E402


class Run:
    """What a case has to do with: connections to the server, users, messages and what became of them."""

    count = itertools.count(1)

    def __init__(self, options):
        self.options = options
        self.user, self.user2, self.unknown = options.user, options.user2, options.unknown
        self.peers = []

    def greeted(self):
        self.peers.append(peer.Peer(self.options.host, self.options.port))
        return self.peers[-1]

    def ready(self, *needed):
        """A session after LHLO, with `extensions` {"SIZE": "1000"}. Without one of `needed` the case is skipped."""
        session = self.greeted()
        words = [line.upper().partition(" ") for line in session.ask("LHLO client.example").text.split("\n")[1:]]
        session.extensions = {name: value for name, _, value in words}
        for name in needed:
            if name not in session.extensions:
                raise peer.Skipped(f"no {name}")
        return session

    def message(self, body="Hello\r\n"):
        """A message with a Message-ID that no other has, and with the fields that must be there (RFC 5322 §3.6)."""
        mark = f"<{os.getpid()}.{time.time_ns()}.{next(self.count)}@conformance.example>"
        head = f"From: a@example.org\r\nDate: Sat, 28 Nov 2026 12:00:00 +0000\r\nSubject: conformance\r\nMessage-ID: {mark}\r\n"
        return f"{head}\r\n{body}".encode()

    def data(self, session, message):
        cases.is_code(session.ask("DATA"), 354)
        session.send(message.replace(b"\r\n.", b"\r\n..") + b".\r\n")

    def deliver(self, message, sender="", parameters=""):
        session = self.ready()
        cases.is_code(session.ask(f"MAIL FROM:<{sender}>{parameters}", f"RCPT TO:<{self.user}>"), 250)
        self.data(session, message)
        cases.is_code(session.reply(), 250)

    def mail(self, user, message):
        """The messages in the user's INBOX that have the Message-ID of `message`."""
        if not self.options.imap:
            raise peer.Skipped("no --imap")
        mark = message.partition(b"Message-ID: <")[2].partition(b">")[0].decode()
        host, _, port = self.options.imap.rpartition(":")
        login = user if self.options.whole_login else user.partition("@")[0]
        return peer.delivered((host, int(port)), login, self.options.password, mark)

    def holds_once(self, user, message):
        got = self.mail(user, message)
        cases.holds(len(got) == 1, f"{len(got)} messages are there, one was expected")
        cases.holds(got[0].endswith(message), f"the message ends with {got[0][-80:]!r}, not with {message[-80:]!r}")

    def close(self):
        for each in self.peers:
            each.close()


def ask(options, section, level, function):
    run = Run(options)
    verdict, reason = "passed", ""
    try:
        function(run)
    except peer.Skipped as skipped:
        verdict, reason = "skipped", str(skipped)
    except (peer.Failed, OSError) as failed:
        verdict, reason = "failed", str(failed)
    finally:
        run.close()
    return {"case": function.__name__, "clause": f"RFC {section}", "level": level, "verdict": verdict, "reason": reason}


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int)
    parser.add_argument("--user", help="an address of somebody whose mail this may be")
    parser.add_argument("--user2")
    parser.add_argument("--unknown", help="an address of nobody")
    parser.add_argument("--imap", help="HOST:PORT where the users' mail is read")
    parser.add_argument("--password", default="pass")
    parser.add_argument("--whole-login", action="store_true", help="the users log in with their whole addresses")
    parser.add_argument("--only", default="", help="cases whose name or clause has this in it")
    parser.add_argument("--json", help="a file for the results")
    parser.add_argument("--list", action="store_true", help="print the table of cases and ask none")
    options = parser.parse_args()
    if not options.list and not (options.port and options.user and options.user2 and options.unknown):
        parser.error("--port, --user, --user2 and --unknown say whom to ask")
    return options


def main():
    options = read_arguments()
    chosen = [row for row in cases.CASES if options.only in row[2].__name__ or options.only in "RFC " + row[0]]
    if options.list:
        for section, level, function in chosen:
            print(f"RFC {section:14} {level:7} {function.__name__.replace('_', ' ')}")
        return 0
    results = [ask(options, *row) for row in chosen]
    for each in results:
        if each["verdict"] != "passed":
            print(f"{each['verdict']}: {each['clause']} {each['level']} {each['case'].replace('_', ' ')}: {each['reason']}")
    totals = {verdict: sum(each["verdict"] == verdict for each in results) for verdict in ("passed", "failed", "skipped")}
    print(f"{len(results)} cases: " + ", ".join(f"{count} {verdict}" for verdict, count in totals.items()))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"totals": totals, "cases": results}, file, indent=1)
    return 1 if totals["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
