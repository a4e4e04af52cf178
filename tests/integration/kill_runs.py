#!/usr/bin/env python3
"""Kills a working server at random moments, starts it again, and checks everything that its clients were told.

kill_runs.py --binary PATH [--rounds N] [--seconds N] [--seed N] [--clients N] [--users N] [--folder PATH]

Each IMAP client has mailboxes of its own, so what must be in them is known exactly; INBOX gets mail by LMTP, which
other clients watch. What was sent and not answered when the server died may have happened as a whole or not at all.
SIGKILL loses nothing that the kernel has: this is about the death of a process, not about power cuts (tests/sim).
So the data lies in memory: a server that does not wait for the disk is more often killed between two steps.
"""
import argparse
import collections
import itertools
import os
import pathlib
import random
import re
import socket
import sys
import threading
import time

from harness import HOST, RawImap, Server, eventually
from kill_ledger import Box, Deliveries, Mailboxes, Message, Told, differences
from neighbours import MEMORY

SYSTEM_FLAGS = ["\\Seen", "\\Answered", "\\Flagged", "\\Draft"]
KEYWORDS = [f"keyword{number}" for number in range(40)]  # more than a mailbox has letters for
MESSAGES_MAX, INBOX_MAX, BOXES_MAX = 60, 100, 7
ROUNDS_BETWEEN_REBUILDS = 25


def new_message(dice, key):
    """A text that no other message has, of any size from tiny to a few hundred KB."""
    size = dice.choices([50, 2_000, 20_000, 300_000], [40, 50, 9, 1])[0]
    lines = [b"From: a@example.com", b"Subject: kill run", b"X-Key: " + key.encode(), b""]
    while size > 0:
        line = dice.choice([b"", b".", b"..dots", "grüße".encode(), dice.randbytes(45).hex().encode()])
        lines.append(line)
        size -= len(line) + 2
    return b"\r\n".join(lines) + b"\r\n"


def numbers_of(uid_set):
    """The UIDs of b"1,5:7", in this order."""
    found = []
    for part in uid_set.split(b","):
        first, _, last = part.partition(b":")
        found += range(int(first), int(last or first) + 1)
    return found


def joined(uids):
    return ",".join(map(str, uids))


def flag_list(flags):
    return "(" + " ".join(sorted(flags)) + ")"


class Session(RawImap):
    """Keeps what was heard since the last command: it counts even if the server dies before the tagged response."""

    def __init__(self, port, user):
        self.heard = []
        super().__init__(HOST, port)
        answer = self.command(f"LOGIN {user} pass")[1]
        if b" OK" not in answer:
            raise AssertionError(f"LOGIN {user}: {answer!r}")
        self.must("ENABLE CONDSTORE")  # SELECT tells HIGHESTMODSEQ from here on

    def response(self):
        response = super().response()
        self.heard.append(response)
        return response

    def command(self, text):
        self.heard = []
        return super().command(text)

    def messages(self, uids):
        """The open mailbox's messages by UID, with all that the ledger knows of one."""
        found = {}
        for response in self.must(f"UID FETCH {uids} (UID FLAGS INTERNALDATE BODY.PEEK[])"):
            if not re.match(rb"\* \d+ FETCH ", response):
                continue
            literal = re.search(rb"BODY\[\] \{(\d+)\}\r\n", response)
            if not literal:
                continue  # of another command: flags alone
            end = literal.end() + int(literal.group(1))
            around = response[:literal.start()] + response[end:]
            flags = re.search(rb"FLAGS \(([^)]*)\)", around).group(1).decode().split()
            found[int(re.search(rb"UID (\d+)", around).group(1))] = Message(
                response[literal.end():end], frozenset(flags) - {"\\Recent"},
                re.search(rb'INTERNALDATE "([^"]+)"', around).group(1))
        return found

    def examine(self, name):
        answer = b"".join(self.must(f"EXAMINE {name}"))

        def code(pattern, otherwise=b"0"):
            found = re.search(pattern, answer)
            return found.group(1) if found else otherwise
        return Box(validity=int(code(rb"\[UIDVALIDITY (\d+)\]")), mailbox_id=code(rb"\[MAILBOXID \(([^)]+)\)\]"),
                   uid_next=int(code(rb"\[UIDNEXT (\d+)\]")), modseq=int(code(rb"\[HIGHESTMODSEQ (\d+)\]")))

    def everything(self):
        """All mailboxes of the account as they are."""
        return Mailboxes(dict(self.each_box()), {name for name, _ in self.listed('LIST (SUBSCRIBED) "" "*"')})

    def each_box(self):
        for name, attributes in self.listed('LIST "" "*" RETURN (CHILDREN)'):
            if b"\\NonExistent" not in attributes:
                box = self.examine(name)
                box.messages = self.messages("1:*")
                yield name, box

    def listed(self, command):
        for line in self.must(command):
            attributes, name = re.match(rb'\* LIST \(([^)]*)\) "/" "?([^"\r]+)"?', line).groups()
            yield name.decode(), attributes


class Worker(threading.Thread):
    """A client. It ends when the server is killed; anything else that ends it is trouble."""

    def __init__(self, run, dice):
        super().__init__()
        self.run_of, self.dice = run, dice
        self.connected = threading.Event()
        self.start()

    def run(self):
        try:
            self.work()
        except (OSError, EOFError) as error:
            if not self.run_of.killed.is_set() or isinstance(error, TimeoutError):
                self.run_of.trouble(f"{type(self).__name__}: {error!r}")
        except Exception as error:
            self.run_of.trouble(f"{type(self).__name__}: {error!r}")
        finally:
            self.connected.set()


class Operation:
    """A change that a client asks for, and what its mailboxes are after it. `target` is the one that gets messages,
    `sign` what an untagged response shows only if the change was made."""

    def __init__(self, kind, command, after, target=None, sign=None, sources=None):
        self.kind, self.command, self.after = kind, command, after
        self.target, self.sign, self.sources = target, sign, sources

    def learn(self, told, heard):
        """Takes the UIDs that the answer tells. Returns (whether it shows that the change was made, what is wrong)."""
        answer = b"".join(heard)
        if self.target is None:
            return bool(self.sign and re.search(self.sign, answer)), []
        found = re.search(rb"\[(?:APPENDUID (\d+)|COPYUID (\d+) ([\d:,]+)) ([\d:,]+)\]", answer)
        if not found:
            return False, []
        uids, coming = numbers_of(found.group(4)), self.target.coming
        wrong = []
        if len(uids) != len(coming) or (found.group(3) and numbers_of(found.group(3)) != self.sources):
            return True, [f"{self.command[:80]!r} told {found.group(0)!r}"]
        validity = int(found.group(1) or found.group(2))
        if self.target.validity not in (None, validity):
            wrong.append(f"{self.command[:80]!r}: UIDVALIDITY {validity}, was {self.target.validity}")
        for uid, message in zip(uids, coming):
            if uid < self.target.uid_next:
                wrong.append(f"{self.command[:80]!r}: UID {uid} is below UIDNEXT {self.target.uid_next}")
            wrong.append(told.saw(validity, uid, message.content))
            self.target.messages[uid] = message
            self.target.saw_uid(uid)
        self.target.coming = []
        return True, [text for text in wrong if text]


class Owner:
    """One IMAP client through all rounds: the mailboxes under `root` are its own."""

    def __init__(self, user, root, told):
        self.user, self.root, self.told = user, root, told
        self.keys = itertools.count(1)
        self.mailboxes = Mailboxes()
        self.pending = None

    def candidates(self):
        """What may be there after the server died, and what is wrong already."""
        if self.pending is None:
            return [self.mailboxes], []
        made, wrong = self.pending.learn(self.told, self.heard)
        return [self.pending.after] if made else [self.mailboxes, self.pending.after], wrong

    def settle(self, mailboxes):
        self.mailboxes, self.pending = mailboxes, None


class OwnerAtWork(Worker):
    def __init__(self, run, dice, owner):
        self.owner, self.selected = owner, None
        super().__init__(run, dice)

    def work(self):
        with Session(self.run_of.server.imap_port, self.owner.user) as self.session:
            self.connected.set()
            while True:
                self.step()

    def step(self):
        choices = {self.append: 8, self.store: 6, self.expunge: 4, self.copy: 3, self.move: 5, self.create: 2,
                   self.delete: 1, self.rename: 2, self.subscribe: 2, self.look: 2}
        choice = self.dice.choices(list(choices), list(choices.values()))[0]
        operation = choice(self.owner.mailboxes.copy())
        if operation:
            self.perform(operation)

    def perform(self, operation):
        self.owner.heard = self.session.heard = []
        self.owner.pending = operation
        try:
            tagged = self.session.command(operation.command)[1]
        finally:
            self.owner.heard = self.session.heard
        if b" OK" not in tagged[:20]:
            self.run_of.trouble(f"{operation.command[:200]!r} was refused: {tagged!r}")
            self.owner.pending = None
            return
        made, wrong = operation.learn(self.owner.told, self.owner.heard)
        for text in wrong:
            self.run_of.trouble(text)
        if operation.target is not None and not made:
            self.run_of.trouble(f"{operation.command[:200]!r} told no UID: {tagged!r}")
        self.owner.settle(operation.after)
        self.run_of.acknowledged(operation.kind)

    # --- What it may do: each takes a copy of its mailboxes, changes that, and returns the operation ---

    def any_box(self, mailboxes, full=False):
        """A mailbox with messages (`full`), or one that may take more."""
        fits = [name for name, box in mailboxes.boxes.items()
                if (box.messages if full else len(box.messages) < MESSAGES_MAX)]
        return self.dice.choice(fits) if fits else None

    def some_messages(self, mailboxes):
        """(name, UIDs) of messages in a mailbox, which is selected."""
        name = self.any_box(mailboxes, full=True)
        if name is None:
            return None, []
        if self.selected != name:
            self.session.must(f"SELECT {name}")
            self.selected = name
        uids = sorted(mailboxes.boxes[name].messages)
        return name, sorted(self.dice.sample(uids, min(len(uids), self.dice.choice([1, 3, 12, MESSAGES_MAX]))))

    def leave(self, name):
        """Whoever has a mailbox open that is deleted or renamed is another story."""
        if self.selected is not None and (self.selected + "/").startswith(name + "/"):
            self.session.must("UNSELECT")
            self.selected = None

    def some_flags(self):
        return set(self.dice.sample(SYSTEM_FLAGS + KEYWORDS, self.dice.randrange(4)))

    def append(self, mailboxes):
        name = self.any_box(mailboxes)
        if name is None:
            return None
        box = mailboxes.boxes[name]
        command = f"APPEND {name}".encode()
        for _ in range(self.dice.choice([1, 1, 1, 2, 8, 25])):
            date = b"%d-Nov-2026 10:00:%02d +0000" % (self.dice.randrange(10, 28), self.dice.randrange(60))
            message = Message(new_message(self.dice, f"{self.owner.root}-{next(self.owner.keys)}"),
                              frozenset(self.some_flags()), date)
            box.coming.append(message)
            command += b' %s "%s" {%d+}\r\n%s' % (flag_list(message.flags).encode(), date, len(message.content),
                                                  message.content)
        return Operation("MULTIAPPEND" if len(box.coming) > 1 else "APPEND", command, mailboxes, target=box)

    def store(self, mailboxes):
        name, uids = self.some_messages(mailboxes)
        if not uids:
            return None
        how, flags = self.dice.choice(["", "+", "-"]), self.some_flags()
        box = mailboxes.boxes[name]
        for uid in uids:
            old = box.messages[uid]
            new = {"": flags, "+": old.flags | flags, "-": old.flags - flags}[how]
            box.messages[uid] = Message(old.content, frozenset(new), old.date)
        silent = self.dice.choice(["", ".SILENT"])
        return Operation("STORE", f"UID STORE {joined(uids)} {how}FLAGS{silent} {flag_list(flags)}", mailboxes,
                         sign=None if silent else rb"\* \d+ FETCH ")

    def expunge(self, mailboxes):
        name, uids = self.some_messages(mailboxes)
        if not uids:
            return None
        box = mailboxes.boxes[name]
        marked = mailboxes.copy()
        for uid in uids:
            old = box.messages[uid]
            marked.boxes[name].messages[uid] = Message(old.content, old.flags | {"\\Deleted"}, old.date)
        self.perform(Operation("STORE", f"UID STORE {joined(uids)} +FLAGS.SILENT (\\Deleted)", marked))
        command = self.dice.choice(["EXPUNGE", "CLOSE", f"UID EXPUNGE {joined(uids)}"])
        if command == "CLOSE":
            self.selected = None
        after = self.owner.mailboxes.copy()
        messages = after.boxes[name].messages
        for uid in uids if command.startswith("UID") else list(messages):
            if "\\Deleted" in messages[uid].flags:
                del messages[uid]
        return Operation("EXPUNGE", command, after, sign=rb"\* \d+ EXPUNGE")

    def copy(self, mailboxes):
        name, uids = self.some_messages(mailboxes)
        target = self.any_box(mailboxes)
        if not uids or target is None:
            return None
        mailboxes.boxes[target].coming = [mailboxes.boxes[name].messages[uid] for uid in uids]
        return Operation("COPY", f"UID COPY {joined(uids)} {target}", mailboxes, mailboxes.boxes[target], sources=uids)

    def move(self, mailboxes):
        name, uids = self.some_messages(mailboxes)
        target = self.any_box(mailboxes)
        if not uids or target in (None, name):
            return None
        mailboxes.boxes[target].coming = [mailboxes.boxes[name].messages.pop(uid) for uid in uids]
        return Operation("MOVE", f"UID MOVE {joined(uids)} {target}", mailboxes, mailboxes.boxes[target], sources=uids)

    def new_name(self, mailboxes):
        """One that nothing has, under a mailbox that is there; names come again after a while."""
        name = f"{self.dice.choice(list(mailboxes.boxes))}/{self.dice.choice('abcdefgh')}"
        taken = any((box + "/").startswith(name + "/") for box in mailboxes.boxes)
        return None if taken or name.count("/") > 3 else name

    def create(self, mailboxes):
        name = self.new_name(mailboxes)
        if name is None or len(mailboxes.boxes) >= BOXES_MAX:
            return None
        mailboxes.boxes[name] = Box(newer_than=self.owner.told.highest_validity)
        self.perform(Operation("CREATE", f"CREATE {name}", mailboxes))
        return self.look(self.owner.mailboxes.copy(), name)

    def delete(self, mailboxes):
        name = self.dice.choice(list(mailboxes.boxes))
        if name == self.owner.root:
            return None
        self.leave(name)
        del mailboxes.boxes[name]
        return Operation("DELETE", f"DELETE {name}", mailboxes)

    def rename(self, mailboxes):
        name, to = self.dice.choice(list(mailboxes.boxes)), self.new_name(mailboxes)
        if name == self.owner.root or to is None or to.startswith(name + "/"):
            return None
        self.leave(name)
        mailboxes.boxes = {to + old[len(name):] if (old + "/").startswith(name + "/") else old: box
                           for old, box in mailboxes.boxes.items()}
        return Operation("RENAME", f"RENAME {name} {to}", mailboxes)

    def subscribe(self, mailboxes):
        name = self.dice.choice(list(mailboxes.boxes))
        if name in mailboxes.subscribed:
            mailboxes.subscribed.remove(name)
            return Operation("UNSUBSCRIBE", f"UNSUBSCRIBE {name}", mailboxes)
        mailboxes.subscribed.add(name)
        return Operation("SUBSCRIBE", f"SUBSCRIBE {name}", mailboxes)

    def look(self, _, name=None):
        """Learns what must not fall back."""
        name = name or self.any_box(self.owner.mailboxes)
        if name is None:
            return
        box = self.owner.mailboxes.boxes[name]
        answer = b"".join(self.session.must(f"STATUS {name} (MESSAGES UIDVALIDITY UIDNEXT MAILBOXID HIGHESTMODSEQ)"))
        value = {what: int(number) for what, number in re.findall(rb"([A-Z]+) (\d+)", answer)}
        validity, mailbox_id = value[b"UIDVALIDITY"], re.search(rb"MAILBOXID \(([^)]+)\)", answer).group(1)
        if (box.validity not in (None, validity) or validity <= box.newer_than or value[b"UIDNEXT"] < box.uid_next
                or value[b"MESSAGES"] != len(box.messages) or box.mailbox_id not in (None, mailbox_id)
                or value[b"HIGHESTMODSEQ"] < box.modseq):
            self.run_of.trouble(f"{answer!r} for {name}, UIDVALIDITY {box.validity} above {box.newer_than}, "
                                f"UIDNEXT {box.uid_next}, {len(box.messages)} messages, MODSEQ {box.modseq}")
        box.validity, box.mailbox_id, box.uid_next = validity, mailbox_id, value[b"UIDNEXT"]
        box.modseq = value[b"HIGHESTMODSEQ"]
        self.owner.told.saw_validity(validity)
        self.run_of.acknowledged("STATUS")


class Lmtp:
    def __init__(self, port):
        self.socket = socket.create_connection((HOST, port), timeout=60)
        self.lines = self.socket.makefile("rb")
        self.reply()
        self.socket.sendall(b"LHLO mta.example.org\r\n")
        self.reply()

    def reply(self):
        """The last line of a reply."""
        while True:
            line = self.lines.readline()
            if not line.endswith(b"\r\n"):
                raise EOFError("connection closed")
            if line[3:4] != b"-":
                return line

    def begin(self, users):
        recipients = "".join(f"RCPT TO:<{user}>\r\n" for user in users)
        self.socket.sendall(f"MAIL FROM:<sender@example.com>\r\n{recipients}DATA\r\n".encode())
        answers = [self.reply() for _ in range(len(users) + 2)]
        if not answers[-1].startswith(b"354 "):
            raise AssertionError(f"a delivery was refused: {answers!r}")

    def send(self, message):
        self.socket.sendall(re.sub(rb"^\.", b"..", message, flags=re.M) + b".\r\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.socket.close()


class Deliverer(Worker):
    """Delivers by LMTP, to some or all users at once."""

    def __init__(self, run, dice, name):
        self.prefix = name
        super().__init__(run, dice)

    def work(self):
        with Lmtp(self.run_of.server.lmtp_port) as self.session:
            self.connected.set()
            for number in itertools.count(1):
                self.deliver(f"{self.prefix}-{number}")

    def deliver(self, key):
        users = self.dice.sample(self.run_of.users, self.dice.randrange(len(self.run_of.users)) + 1)
        message = new_message(self.dice, key)
        self.session.begin(users)
        answers = []
        try:
            self.session.send(message)
            for _ in users:
                answers.append(self.session.reply())
        finally:
            for user, answer in itertools.zip_longest(users, answers):
                self.run_of.delivered(user, key, message, answer)


class Watcher(Worker):
    """Reads INBOX while mail comes in. What it was shown must stay."""

    def __init__(self, run, dice, user):
        self.user = user
        super().__init__(run, dice)

    def work(self):
        told, inbox = self.run_of.told[self.user], self.run_of.inboxes[self.user]
        with Session(self.run_of.server.imap_port, self.user) as session:
            self.connected.set()
            now = session.examine("INBOX")
            inbox.modseq, inbox.uid_next = max(inbox.modseq, now.modseq), max(inbox.uid_next, now.uid_next)
            while True:
                for uid, message in session.messages(f"{max(inbox.messages, default=0) + 1}:*").items():
                    wrong = told.saw(inbox.validity, uid, message.content)
                    if wrong:
                        self.run_of.trouble(wrong)
                    inbox.messages[uid] = message
                    inbox.saw_uid(uid)
                time.sleep(self.dice.random() / 20)


class KillRun:
    """All rounds on one data folder. The parts of a round can be called one by one."""

    def __init__(self, server, seed, clients, on_loss=lambda text: None):
        self.server, self.seed, self.users = server, seed, list(server.users)
        self.rounds = self.recoveries_killed = 0
        self.killed = threading.Event()
        self.lock = threading.Lock()
        self.on_loss, self.losses, self.counts = on_loss, [], collections.Counter()
        self.slowest_start = self.slowest_opening = 0.0
        self.told = {user: Told() for user in self.users}
        self.shown = {user: [] for user in self.users}  # (UIDVALIDITY, UID) since the last change
        self.deliveries = {user: Deliveries() for user in self.users}
        self.inboxes, self.owners = {}, []
        for number in range(clients):
            user = self.users[number % len(self.users)]
            self.owners.append(Owner(user, f"client{number}", self.told[user]))
        self.set_up()

    def set_up(self):
        for owner in self.owners:
            with self.session(owner.user) as session:
                session.must(f"CREATE {owner.root}")
                owner.mailboxes.boxes[owner.root] = Box()
        for user in self.users:
            with self.session(user) as session:
                self.inboxes[user] = session.examine("INBOX")

    def session(self, user):
        return Session(self.server.imap_port, user)

    def trouble(self, text):
        with self.lock:
            self.losses.append(f"round {self.rounds}: {text}")
            self.on_loss(self.losses[-1])

    def acknowledged(self, kind):
        with self.lock:
            self.counts[kind] += 1

    def delivered(self, user, key, message, answer):
        """With the answer of LMTP for this recipient, None if there was none."""
        if answer is not None and not answer.startswith(b"250 "):
            self.trouble(f"a delivery was refused: {answer!r}")
            return
        self.deliveries[user].add(key, message, acknowledged=answer is not None)
        self.acknowledged("LMTP" if answer is not None else "in doubt: LMTP")

    # --- One round ---

    def round(self):
        self.rounds += 1
        dice = random.Random(f"{self.seed} {self.rounds}")
        self.load_and_kill(dice.uniform(0.05, 1.5), dice)
        if dice.random() < 0.25:
            self.kill_while_it_recovers(dice)
        self.start()
        self.check()
        if self.rounds % ROUNDS_BETWEEN_REBUILDS == 0:
            self.check_without_indexes()

    def load_and_kill(self, seconds, dice):
        self.killed.clear()
        def own(name):
            return random.Random(f"{self.seed} {self.rounds} {name}")
        workers = [OwnerAtWork(self, own(owner.root), owner) for owner in self.owners]
        workers += [Watcher(self, own(user), user) for user in self.users]
        workers += [Deliverer(self, own(name), f"{name}-{self.rounds}") for name in ("mta1", "mta2")]
        for worker in workers:
            worker.connected.wait(60)
        time.sleep(seconds)
        self.kill()
        for worker in workers:
            worker.join()

    def kill(self):
        self.killed.set()
        if self.server.process.poll() is not None:
            self.trouble("the server ended by itself: " + self.server.output()[-2000:])
        self.server.process.kill()
        self.server.process.wait()
        self.server.stdout.close()

    def kill_while_it_recovers(self, dice):
        """Recovery happens when an account is opened, and may be cut short like anything else."""
        self.recoveries_killed += 1
        self.start()
        self.killed.clear()
        openers = [Opener(self, dice, user) for user in self.users]
        time.sleep(dice.uniform(0, 0.15))
        self.kill()
        for opener in openers:
            opener.join()

    def start(self):
        started = time.monotonic()
        self.server.start()
        self.slowest_start = max(self.slowest_start, time.monotonic() - started)

    # --- What must be there ---

    def check(self):
        for user in self.users:
            started = time.monotonic()
            with self.session(user) as session:
                session.must("STATUS INBOX (MESSAGES)")
                self.slowest_opening = max(self.slowest_opening, time.monotonic() - started)
                actual = session.everything()
                self.note(user, actual)
                self.check_shown(user, actual)
                self.check_inbox(user, actual)
                for owner in self.owners:
                    if owner.user == user:
                        self.check_owner(owner, actual.part(owner.root))
                self.trim_inbox(user, session)

    def note(self, user, mailboxes):
        for box in mailboxes.boxes.values():
            self.told[user].saw_validity(box.validity)
            for uid, message in box.messages.items():
                wrong = self.told[user].saw(box.validity, uid, message.content)
                if wrong:
                    self.trouble(f"{user}: {wrong}")

    def check_shown(self, user, actual):
        """What was shown by a server that was killed while it recovered is settled, even if it was in doubt before."""
        there = {(box.validity, uid) for box in actual.boxes.values() for uid in box.messages}
        for validity, uid in set(self.shown[user]) - there:
            self.trouble(f"{user}: UID {uid} of UIDVALIDITY {validity} was shown and is lost")
        self.shown[user] = []

    def check_inbox(self, user, actual):
        inbox = actual.boxes["INBOX"]
        wrong, arrived = self.deliveries[user].check(inbox)
        self.counts["in doubt: LMTP, happened"] += arrived
        expected = self.inboxes[user].copy()
        expected.messages = {**inbox.messages, **expected.messages}
        wrong += differences(Mailboxes({"INBOX": expected}), Mailboxes({"INBOX": inbox}))
        for text in wrong:
            self.trouble(f"{user}: {text}")
        self.inboxes[user] = inbox

    def check_owner(self, owner, actual):
        candidates, wrong = owner.candidates()
        found = [differences(candidate, actual) for candidate in candidates]
        if owner.pending is not None:
            self.counts["in doubt: " + owner.pending.kind] += 1
            if not found[-1] and (found[0] or len(found) == 1):
                self.counts[f"in doubt: {owner.pending.kind}, happened"] += 1
        doubt = f" (in doubt: {owner.pending.command[:120]!r})" if owner.pending else ""
        for text in wrong + min(found, key=len):
            self.trouble(f"{owner.user}: {text}{doubt}")
        owner.settle(actual)

    def trim_inbox(self, user, session):
        """Keeps the rounds equally long."""
        inbox = self.inboxes[user]
        old = sorted(inbox.messages)[:-INBOX_MAX // 2] if len(inbox.messages) > INBOX_MAX else []
        if old:
            session.must("SELECT INBOX")
            session.must(f"UID STORE {joined(old)} +FLAGS.SILENT (\\Deleted)")
            session.must("EXPUNGE")
        for uid in old:
            self.deliveries[user].forget(inbox.messages.pop(uid).key())

    def check_without_indexes(self):
        """After a clean stop all is in the Maildirs: enough to list it again, and nothing more than what is listed."""
        if self.server.stop() != 0:
            self.trouble("no clean stop")
        for path in self.server.data.glob("mail/*/*.sqlite*"):
            path.unlink()
        self.start()
        self.check()
        for user in self.users:
            boxes = [box for owner in self.owners if owner.user == user for box in owner.mailboxes.boxes.values()]
            listed = sum(len(box.messages) for box in boxes + [self.inboxes[user]])
            if not eventually(lambda: self.files_of(user) == listed):
                self.trouble(f"{user}: {self.files_of(user)} files of {listed} messages")
        if not eventually(lambda: not self.leftovers()):
            self.trouble(f"left behind: {self.leftovers()}")
        for line in self.server.log.read_text().splitlines():
            if " level=error " in line:
                self.trouble(line)
        self.server.log.write_text("")

    def leftovers(self):
        patterns = ("spool/*", "mail/*/postkeep-intent.*", "mail/*/tmp/postkeep-deleted.*")
        return [str(path) for pattern in patterns for path in self.server.data.glob(pattern)]

    def files_of(self, user):
        folder = self.server.maildir(user)
        return sum(1 for place in ("cur", "new") for pattern in (place, f".*/{place}")
                   for path in folder.glob(pattern + "/*"))

    def report(self):
        checked = {kind: count for kind, count in sorted(self.counts.items()) if not kind.startswith("in doubt")}
        doubt = {kind: count for kind, count in sorted(self.counts.items()) if kind.startswith("in doubt")}
        return "\n".join([
            f"rounds: {self.rounds}, recoveries killed too: {self.recoveries_killed}",
            f"acknowledgements checked: {sum(checked.values())}: " + ", ".join(f"{k} {n}" for k, n in checked.items()),
            "in doubt: " + ", ".join(f"{k[10:]} {n}" for k, n in doubt.items()),
            f"slowest start: {self.slowest_start:.2f} s, slowest opening of an account: {self.slowest_opening:.2f} s",
            f"losses: {len(self.losses)}",
            f"seed: {self.seed}"])


class Opener(Worker):
    """Has an account opened, and its mailboxes one by one."""

    def __init__(self, run, dice, user):
        self.user = user
        super().__init__(run, dice)

    def work(self):
        with Session(self.run_of.server.imap_port, self.user) as session:
            for name, box in session.each_box():
                self.run_of.note(self.user, Mailboxes({name: box}))
                self.run_of.shown[self.user] += [(box.validity, uid) for uid in box.messages]
            session.response()  # until it is killed


def new_server(users, folder=MEMORY):
    return Server({"mailbox.special_use": [], "log.level": "info"}, users, parent=folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="no more rounds after this")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--users", type=int, default=3)
    parser.add_argument("--folder", default=MEMORY, help="where the data lies, if not in memory")
    options = parser.parse_args()
    os.environ["POSTKEEP_BINARY"] = str(pathlib.Path(options.binary).resolve())
    print("seed:", options.seed, flush=True)
    deadline = time.monotonic() + options.seconds
    with new_server([f"user{number}" for number in range(options.users)], options.folder) as server:
        run = KillRun(server, options.seed, options.clients, lambda text: print("loss:", text[:1000], flush=True))
        while run.rounds < options.rounds and time.monotonic() < deadline:
            run.round()
            if run.rounds % 10 == 0:
                print(f"round {run.rounds}: {len(run.losses)} losses", flush=True)
        run.check_without_indexes()
    print(run.report())
    return 1 if run.losses else 0


if __name__ == "__main__":
    sys.exit(main())
