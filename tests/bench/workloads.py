"""What is measured, in the order of the goals: each workload runs once on one server and returns a Result.

A workload is a function of a Turn: a server, a round, and how to run the load generator at it. It has a name, a unit,
which way is better, and the goal.
What a workload needs (users, a mailbox of the corpus) it finds made: see Fixture in compare.py.
"""
import dataclasses
import time

RARE, COMMON, ABSENT = "quixotry", "mandolin", "zyzzyvanish"  # corpus.h
ALL = []


@dataclasses.dataclass
class Workload:
    name: str
    unit: str  # of the figure
    more_is_better: bool
    goal: str  # "10x", or an absolute one
    run: object
    limit: str = ""  # the machine's limit that bounds it: limit_of() in report.py
    rounds_max: int = 99
    hibernation: bool = False  # also on Dovecot with hibernation
    whole_only: bool = False  # --quick leaves it out
    asked_for: bool = False  # runs only if it is named in full
    variant: str = ""  # of the servers' configuration: Server.use()


@dataclasses.dataclass
class Result:
    value: float
    operations: float = 0.0
    server_cpu: float = 0.0  # seconds in the measured phase
    background_cpu: float = 0.0  # seconds afterwards, until the server was quiet
    client_share: float = 0.0  # of one core
    more: dict = dataclasses.field(default_factory=dict)


def workload(name, unit, more_is_better, goal, **options):
    def declare(function):
        ALL.append(Workload(name, unit, more_is_better, goal, function, **options))
        return function
    return declare


def users(turn, usual):
    """How many of the users u% there are to be: the workload's usual number, unless the plan has one (compare.py --growth-users)."""
    return "--users", turn.plan.users or usual, "--user", "u%"


def rate(turn, *arguments, **options):
    found, result = turn.load(*arguments, **options)
    result.value = found["rate"]
    result.more["latency_ms"] = found["latency_ms"]
    return result


def milliseconds(turn, *arguments, **options):
    """The median of one operation."""
    found, result = turn.load(*arguments, **options)
    result.value = found["latency_ms"]["p50"]
    result.more["latency_ms"] = found["latency_ms"]
    return result


def megabytes(turn, *arguments, **options):
    found, result = turn.load(*arguments, **options)
    result.value = found["octets_per_second"] / 1e6
    result.more["wire_share"] = found["received_compressed"] / max(1, found["received"])
    return result


def messages(turn, *arguments, **options):
    """FETCH responses a second."""
    found, result = turn.load(*arguments, **options)
    result.value = found["untagged"] / found["seconds"]
    result.operations = found["untagged"]
    return result


# --- memory of idle connections ---

def idle(turn, *arguments, port):
    """KiB for each connection; the notices and the burst beside it."""
    plan = turn.plan
    turn.restart()  # what earlier work left in its memory would be counted as the connections' own, or hide it
    turn.server.until_quiet(10)
    before, free = turn.server.memory_kib(), available_kib()
    load = turn.start("idle", "--users", plan.idle_users, "--user", "idle%", "--lmtp-port", turn.server.ports["lmtp"], "--burst",
                      "UID FETCH 1:* (BODY.PEEK[])", *arguments, port=port)
    load.until_ready()
    time.sleep(plan.idle_settle)
    settled, free_then = turn.server.memory_kib(), available_kib()
    notices = load.step("notice")
    load.until_ready()
    burst = load.step("burst")
    load.until_ready()
    time.sleep(plan.idle_settle)
    again, processes = turn.server.memory_kib(), turn.server.processes()
    load.finish()
    each = (settled - before) / plan.idle_users
    return Result(each, more={"system_kib_each": (free - free_then) / plan.idle_users,
                              "kib_each_after_burst": (again - before) / plan.idle_users,
                              "notice_ms": notices["latency_ms"], "notice_after_accepted_ms": notices["after_accepted_ms"],
                              "burst_octets": burst["octets"], "burst_ms": burst["latency_ms"], "processes": processes})


def available_kib():
    """Of the whole machine, load generator included: MemAvailable."""
    with open("/proc/meminfo") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))


@workload("idle-tls", "KiB each", False, "26 KiB", rounds_max=1, hibernation=True)
def idle_tls(turn):
    return idle(turn, "--tls", port="imaps")


@workload("idle-plain", "KiB each", False, "8 KiB", rounds_max=1, hibernation=True)
def idle_plain(turn):
    return idle(turn, port="imap")


@workload("idle-tls-compress", "KiB each", False, "40 KiB", rounds_max=1, hibernation=True, whole_only=True)
def idle_compress(turn):
    return idle(turn, "--tls", "--compress", port="imaps")


@workload("many-idle-tls", "KiB each", False, "26 KiB", rounds_max=1, asked_for=True)
def many_idle(turn):
    """With `--idle-users 15000 --idle-messages 1`, and descriptors enough. Dovecot needs 9 GB for it."""
    return idle(turn, "--tls", port="imaps")


@workload("start-memory", "KiB", False, "20480 KiB")
def start_memory(turn):
    turn.restart()
    turn.server.until_quiet(3)
    return Result(turn.server.memory_kib(), more={"processes": turn.server.processes()})


@workload("start-time", "ms", False, "50 ms")
def start_time(turn):
    turn.restart()
    return Result(turn.server.ready_seconds * 1000)


# --- logins ---

def logins(turn):
    return ("login", *users(turn, 50), "--connections", 8, "--warm-up", 100, "--count", 0)


@workload("login-plain", "/s", True, "10x")
def login_plain(turn):
    return rate(turn, *logins(turn))


@workload("login-plain-reused", "/s", True, "none", whole_only=True, variant="reused")
def login_reused(turn):
    """Dovecot's processes serve 200 connections each, one after another, which its documentation allows for speed."""
    return rate(turn, *logins(turn))


@workload("login-tls", "/s", True, "5x", limit="signatures")
def login_tls(turn):
    return rate(turn, *logins(turn), "--tls", port="imaps")


@workload("login-tls-resumed", "/s", True, "10x")
def login_resumed(turn):
    """Beside the rate: how many were resumed in fact, which a server with several login processes may refuse."""
    found, result = turn.load(*logins(turn), "--tls", "--resume", port="imaps")
    result.value = found["rate"]
    result.more.update(latency_ms=found["latency_ms"], resumed_share=found["resumed"] / max(1, found["operations"]))
    return result


COSTLY_LOGINS = ("login", "--users", 50, "--user", "costly%", "--connections", 8, "--count", 0)


@workload("login-argon2id-remembered", "/s", True, "none", whole_only=True)
def login_remembered(turn):
    """Both servers remember for a while which passwords were right; each has been seen before."""
    return rate(turn, *COSTLY_LOGINS, "--warm-up", 100)


@workload("login-argon2id", "/s", True, "none", whole_only=True, variant="no-auth-cache")
def login_argon2id(turn):
    """Every login costs a run of Argon2id."""
    return rate(turn, *COSTLY_LOGINS, "--warm-up", 8)


# --- mail comes in ---

def declare_arrivals(kind, arguments, port):
    def declare(connections, size, goal):
        @workload(f"{kind}-{size // 1024}k-{connections}", "messages/s", True, goal, limit=f"durable-{connections}-{size}",
                  whole_only=size > 1024)
        def arrive(turn):
            return rate(turn, kind if kind == "append" else "deliver", *users(turn, 64), "--connections", connections, "--size", size,
                        "--count", 0, *arguments, port=port)
    for connections, goal in ((1, "3x"), (8, "4x or 70 % of the disk"), (64, "4x or 70 % of the disk")):
        for size in (1024, 10240, 102400):
            declare(connections, size, goal)


declare_arrivals("lmtp", (), "lmtp")


@workload("lmtp-50-recipients", "deliveries/s", True, "10x")
def lmtp_recipients(turn):
    return rate(turn, "deliver", "--users", 50, "--user", "u%", "--recipients", 50, "--count", 0, port="lmtp")


declare_arrivals("append", ("--mode", "single"), "imap")


def at_once(turn):
    return "--batch", min(1000, turn.plan.appends), "--count", turn.plan.appends


@workload("multiappend-1000", "messages/s", True, "8x", limit="durable-1-1024")
def multiappend(turn):
    return rate(turn, "append", "--user", "u0", "--mode", "multi", *at_once(turn))


@workload("append-pipelined-1000", "messages/s", True, "8x", limit="durable-1-1024")
def append_pipelined(turn):
    return rate(turn, "append", "--user", "u0", "--mode", "pipelined", *at_once(turn))


# --- FETCH ---

def on_box(turn, *arguments):
    """The mailbox of the corpus that this round has for itself."""
    return ("command", "--user", f"box{turn.round}", "--mailbox", "INBOX", *arguments)


def over_and_over(turn, command, *arguments):
    return on_box(turn, "--command", command, "--count", 0, "--warm-up", 1, *arguments)


OVERVIEW = "UID FETCH 1:* (ENVELOPE BODYSTRUCTURE RFC822.SIZE)"


@workload("fetch-overview-first", "messages/s", True, "10x")
def fetch_first(turn):
    return messages(turn, *on_box(turn, "--command", OVERVIEW, "--count", 1, "--expect", turn.plan.messages))


@workload("fetch-overview-warm", "messages/s", True, "5x")
def fetch_warm(turn):
    return messages(turn, *over_and_over(turn, OVERVIEW, "--expect", turn.plan.messages))


@workload("fetch-flags", "messages/s", True, "1.5x")
def fetch_flags(turn):
    return messages(turn, *over_and_over(turn, "UID FETCH 1:* (FLAGS)", "--expect", turn.plan.messages))


@workload("fetch-header-fields", "messages/s", True, "3x")
def fetch_header(turn):
    command = "UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM TO CC SUBJECT DATE MESSAGE-ID)])"
    return messages(turn, *over_and_over(turn, command, "--expect", turn.plan.messages))


BODIES = "UID FETCH 1:* (BODY.PEEK[])"


@workload("fetch-body-plain", "MB/s", True, "2x", limit="loopback")
def fetch_body(turn):
    return megabytes(turn, *over_and_over(turn, BODIES))


@workload("fetch-body-tls", "MB/s", True, "3x", limit="aes")
def fetch_body_tls(turn):
    return megabytes(turn, *over_and_over(turn, BODIES, "--tls"), port="imaps")


@workload("fetch-body-compress", "MB/s", True, "1.5x")
def fetch_body_compress(turn):
    return megabytes(turn, *over_and_over(turn, BODIES, "--compress"))


# --- SELECT ---

@workload("select-large-warm", "ms", False, "50x")
def select_warm(turn):
    return milliseconds(turn, "command", "--user", "large", "--command", "SELECT INBOX", "--count", 0, "--warm-up", 2)


@workload("select-large-first", "ms", False, "20 ms")
def select_first(turn):
    turn.restart()
    return milliseconds(turn, "command", "--user", "large", "--command", "SELECT INBOX", "--count", 1)


@workload("select-large-new-mail", "ms", False, "none", whole_only=True)
def select_new_mail(turn):
    """A message has come since the mailbox was selected last, as is usual."""
    return milliseconds(turn, "command", "--user", "large", "--command", "SELECT INBOX", "--count", 0, "--warm-up", 1, "--new-mail",
                        "--lmtp-port", turn.server.ports["lmtp"])


@workload("select-large-qresync", "ms", False, "20x")
def select_qresync(turn):
    changes = [argument for uid in range(10) for argument in
               ("--before", f"UID STORE {10 + uid * 7} {'-' if turn.round % 2 else '+'}FLAGS.SILENT (\\Flagged)")]
    return milliseconds(turn, "command", "--user", "large", "--before", "ENABLE QRESYNC", "--before", "SELECT INBOX", *changes, "--command",
                        "SELECT INBOX (QRESYNC ({uidvalidity} {modseq}))", "--count", 0, "--expect", 10)


# --- one message of many: what should cost the same however many there are (compare.py --growth) ---

def on_large(turn, *arguments):
    return ("command", "--user", "large", "--mailbox", "INBOX", "--count", 0, "--warm-up", 5, *arguments)


@workload("large-lmtp", "messages/s", True, "none", limit="durable-1-1024", whole_only=True)
def large_lmtp(turn):
    return rate(turn, "deliver", "--user", "large", "--size", 1024, "--count", 0, port="lmtp")


@workload("large-noop", "ms", False, "none", whole_only=True)
def large_noop(turn):
    return milliseconds(turn, *on_large(turn, "--command", "NOOP"))


@workload("large-fetch-one", "ms", False, "none", whole_only=True)
def large_fetch_one(turn):
    return milliseconds(turn, *on_large(turn, "--command", "UID FETCH 77 (FLAGS ENVELOPE BODY.PEEK[])", "--expect", 1))


@workload("large-store-one", "ms", False, "none", whole_only=True)
def large_store_one(turn):
    """Two changes: set and cleared."""
    changes = [argument for sign in "+-" for argument in ("--command", f"UID STORE 77 {sign}FLAGS.SILENT (\\Flagged)")]
    return milliseconds(turn, *on_large(turn, *changes))


# --- SEARCH, SORT, THREAD ---

def declare_search(name, goal, command, **options):
    @workload(name, "ms", False, goal, **options)
    def search(turn):
        return milliseconds(turn, *over_and_over(turn, command))


declare_search("search-body-absent", "100x", f"UID SEARCH BODY {ABSENT}")
declare_search("search-text-rare", "100x", f"UID SEARCH TEXT {RARE}")
declare_search("search-body-common", "5x", f"UID SEARCH BODY {COMMON}")
declare_search("search-unindexed", "5x", f"UID SEARCH BODY {ABSENT}", variant="no-search-index")
declare_search("search-header", "3x or 2 ms", "UID SEARCH SUBJECT karen")
declare_search("search-date", "3x or 2 ms", "UID SEARCH SENTSINCE 1-Mar-2020")
declare_search("search-flag", "3x or 2 ms", "UID SEARCH FLAGGED")
declare_search("search-size", "3x or 2 ms", "UID SEARCH LARGER 20000")
declare_search("sort-subject", "3x or 2 ms", "UID SORT (SUBJECT) UTF-8 ALL")
declare_search("sort-date", "3x or 2 ms", "UID SORT (REVERSE DATE) UTF-8 ALL")
declare_search("thread", "3x or 2 ms", "UID THREAD REFERENCES UTF-8 ALL")


# --- POP3: before messages go ---

@workload("pop3-retr", "messages/s", True, "3x", limit="round-trips")
def pop3(turn):
    return rate(turn, "pop3", "--user", f"box{turn.round}", "--count", turn.plan.messages, port="pop3")


@workload("pop3-retr-pipelined", "messages/s", True, "3x")
def pop3_pipelined(turn):
    return rate(turn, "pop3", "--user", f"box{turn.round}", "--count", turn.plan.messages, "--mode", "pipelined", port="pop3")


# --- many messages change ---

@workload("store", "ms", False, "2x")
def store(turn):
    return milliseconds(turn, *on_box(turn, "--command", "UID STORE 1:* +FLAGS.SILENT (\\Answered)", "--count", 1))


@workload("copy", "ms", False, "2x")
def copy(turn):
    return milliseconds(turn, *on_box(turn, "--before", "CREATE Copies", "--command", "UID COPY 1:* Copies", "--count", 1))


@workload("move", "ms", False, "2x")
def move(turn):
    return milliseconds(turn, "command", "--user", f"box{turn.round}", "--mailbox", "Copies", "--before", "CREATE Moved", "--command",
                        "UID MOVE 1:* Moved", "--count", 1, "--expect", turn.plan.messages)


@workload("expunge-copies", "ms", False, "2x")
def expunge_copies(turn):
    return milliseconds(turn, "command", "--user", f"box{turn.round}", "--mailbox", "Moved", "--before",
                        "UID STORE 1:* +FLAGS.SILENT (\\Deleted)", "--command", "EXPUNGE", "--count", 1, "--expect", turn.plan.messages)


@workload("expunge-last", "ms", False, "2x")
def expunge_last(turn):
    return milliseconds(turn, *on_box(turn, "--before", "UID STORE 1:* +FLAGS.SILENT (\\Deleted)", "--command", "EXPUNGE", "--count", 1,
                                      "--expect", turn.plan.messages))


# --- many clients together ---

@workload("noop-p99-in-company", "ms", False, "10 ms")
def fairness(turn):
    found, result = turn.load("fairness", "--users", 50, "--user", "u%", "--connections", 20, "--busy-user", "large", "--mailbox", "INBOX",
                              "--lmtp-port", turn.server.ports["lmtp"])
    result.value = found["latency_ms"]["p99"]
    result.more.update({key: found[key] for key in ("latency_ms", "octets", "searches", "deliveries")})
    return result


@workload("mixed", "operations per server CPU second", True, "5x")
def mixed(turn):
    clients = min(turn.plan.mixed_clients, turn.plan.users or turn.plan.mixed_clients)  # two of a user move each other's mail
    found, result = turn.load("mixed", *users(turn, clients), "--connections", clients,
                              "--lmtp-port", turn.server.ports["lmtp"])
    result.value = found["operations"] / max(0.01, result.server_cpu + result.background_cpu)
    result.more.update({key: found[key] for key in ("rate", "latency_ms", "visits", "deliveries")})
    return result
