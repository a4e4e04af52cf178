"""What the clients of a kill run were told, and how that is compared with what a server serves."""
import collections
import dataclasses
import re
import threading

# What a delivery puts before a message.
TRACE = re.compile(rb"Return-Path: <sender@example\.com>\r\n(?:[\w-]+: [^\r]*\r\n(?:[ \t][^\r]*\r\n)*)*")


@dataclasses.dataclass(frozen=True)
class Message:
    content: bytes
    flags: frozenset = frozenset()
    date: bytes | None = None  # INTERNALDATE; None: not told yet

    def key(self):
        """Unique for each message that is made; copies share it."""
        found = re.search(rb"^X-Key: (\S+)\r$", self.content, re.M)
        return found.group(1).decode() if found else "(no key)"


@dataclasses.dataclass
class Box:
    messages: dict = dataclasses.field(default_factory=dict)  # by UID
    coming: list = dataclasses.field(default_factory=list)    # in the order of their UIDs, which nobody was told
    validity: int | None = None                               # None: not told yet,
    newer_than: int = 0                                       # but greater than this
    mailbox_id: bytes | None = None
    uid_next: int = 1                                         # the highest that was told
    modseq: int = 0                                           # likewise

    def copy(self):
        return dataclasses.replace(self, messages=dict(self.messages), coming=list(self.coming))

    def saw_uid(self, uid):
        self.uid_next = max(self.uid_next, uid + 1)


@dataclasses.dataclass
class Mailboxes:
    """Some mailboxes of one account and the subscriptions to them."""
    boxes: dict = dataclasses.field(default_factory=dict)
    subscribed: set = dataclasses.field(default_factory=set)

    def copy(self):
        return Mailboxes({name: box.copy() for name, box in self.boxes.items()}, set(self.subscribed))

    def part(self, root):
        """Those of `root` and under it."""
        def inside(name):
            return name == root or name.startswith(root + "/")
        return Mailboxes({name: box for name, box in self.boxes.items() if inside(name)},
                         {name for name in self.subscribed if inside(name)})


class Told:
    """Every UID that any client of one account was ever told, and of which message. A UIDVALIDITY names one mailbox of
    the account for all times, whatever the mailbox is called."""

    def __init__(self):
        self.lock = threading.Lock()
        self.uids = collections.defaultdict(dict)
        self.highest_validity = 0

    def saw(self, validity, uid, content):
        """Returns what is wrong with it, or None."""
        with self.lock:
            self.highest_validity = max(self.highest_validity, validity)
            before = self.uids[validity].setdefault(uid, hash(content))
            return None if before == hash(content) else f"UID {uid} of UIDVALIDITY {validity} was given twice"

    def saw_validity(self, validity):
        with self.lock:
            self.highest_validity = max(self.highest_validity, validity)


def message_differences(where, expected, actual):
    if actual is None:
        return [f"{where}: {expected.key()} is lost"]
    found = []
    if expected.content != actual.content:
        found.append(f"{where}: {expected.key()} became {actual.key()} or changed "
                     f"({len(expected.content)} octets, now {len(actual.content)})")
    if expected.flags != actual.flags:
        found.append(f"{where}: {expected.key()} had flags {sorted(expected.flags)}, now {sorted(actual.flags)}")
    if expected.date not in (None, actual.date):
        found.append(f"{where}: {expected.key()} had date {expected.date}, now {actual.date}")
    return found


def box_differences(name, expected, actual):
    found = []
    if expected.validity is None and actual.validity <= expected.newer_than:
        found.append(f"{name}: UIDVALIDITY {actual.validity} of a new mailbox is not above {expected.newer_than}")
    for what in ("validity", "mailbox_id"):
        before, now = getattr(expected, what), getattr(actual, what)
        if before not in (None, now):
            found.append(f"{name}: {what} was {before}, now {now}")
    for what in ("uid_next", "modseq"):
        before, now = getattr(expected, what), getattr(actual, what)
        if now < before:
            found.append(f"{name}: {what} fell from {before} to {now}")
    for uid, message in expected.messages.items():
        found += message_differences(f"{name} UID {uid}", message, actual.messages.get(uid))
    more = sorted(actual.messages.keys() - expected.messages.keys())
    for uid in more[len(expected.coming):]:
        found.append(f"{name} UID {uid}: {actual.messages[uid].key()} should not be there")
    for message, uid in zip(expected.coming, more + [None] * len(expected.coming)):
        found += message_differences(f"{name} new UID {uid}", message, actual.messages.get(uid))
        if uid is not None and uid < expected.uid_next:
            found.append(f"{name} UID {uid}: a new message below the UIDNEXT {expected.uid_next} that was told")
    return found


def differences(expected, actual):
    """What is not as it was told, in words; empty if all is well."""
    found = [f"mailbox {name} is lost" for name in sorted(expected.boxes.keys() - actual.boxes.keys())]
    found += [f"mailbox {name} should not be there" for name in sorted(actual.boxes.keys() - expected.boxes.keys())]
    for name in sorted(expected.boxes.keys() & actual.boxes.keys()):
        found += box_differences(name, expected.boxes[name], actual.boxes[name])
    found += [f"the subscription to {name} is lost" for name in sorted(expected.subscribed - actual.subscribed)]
    found += [f"{name} should not be subscribed" for name in sorted(actual.subscribed - expected.subscribed)]
    return found


class Deliveries:
    """What was sent by LMTP to one user, by the key of the message; nobody removes it while the server runs."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged = {}
        self.in_doubt = {}

    def add(self, key, sent, acknowledged):
        with self.lock:
            (self.acknowledged if acknowledged else self.in_doubt)[key] = sent

    def check(self, inbox):
        """Returns what is wrong with INBOX, and how many of those in doubt arrived; those are expected from now on."""
        found = []
        count = collections.Counter(message.key() for message in inbox.messages.values())
        contents = {message.key(): message.content for message in inbox.messages.values()}
        arrived = {key: sent for key, sent in self.in_doubt.items() if count[key]}
        for key in self.acknowledged.keys() - count.keys():
            found.append(f"INBOX: {key} is lost")
        self.acknowledged.update(arrived)
        self.in_doubt = {}
        for key, times in count.items():
            sent = self.acknowledged.get(key)
            if sent is None:
                found.append(f"INBOX: {key} should not be there")
                continue
            if times > 1:
                found.append(f"INBOX: {key} is there {times} times")
            if not TRACE.fullmatch(contents[key].removesuffix(sent)):
                found.append(f"INBOX: {key} changed ({len(sent)} octets, now {len(contents[key])})")
        return found, len(arrived)

    def forget(self, key):
        del self.acknowledged[key]
