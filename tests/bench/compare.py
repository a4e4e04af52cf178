#!/usr/bin/env python3
"""Postkeep and Dovecot side by side: every workload on both in turn, A B A B, several times; or Postkeep alone.

compare.py --bench PATH --binary PATH [--compare] [--quick | --smoke] [--json FILE] [NAME...]
NAME is a pattern of workloads ("search-*"); --list names them. Results go to a file of JSON, from which report.py makes
docs/performance.md.
Dovecot needs root: it becomes other users. Nothing is installed, and all traffic is on loopback.
"""
import argparse
import contextlib
import dataclasses
import fnmatch
import json
import os
import pathlib
import platform
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import servers  # noqa: E402
import workloads  # noqa: E402

SEED = 20261101
CORPUS_MEAN = 7475  # octets of a message of the corpus


@dataclasses.dataclass
class Plan:
    """How much of everything."""
    rounds: int
    seconds: float  # of a measured phase
    messages: int  # in the mailbox of the corpus
    large: int  # in the large one
    appends: int
    idle_users: int
    idle_messages: int
    idle_settle: float  # seconds after which what can be parked is
    mixed_clients: int
    users: int = 0  # who log in and get mail; 0: as many as each workload says
    idle_size: int = CORPUS_MEAN  # octets of a message of an idle user


PLANS = {
    "whole": Plan(rounds=3, seconds=1, messages=10_000, large=100_000, appends=5_000, idle_users=500, idle_messages=150, idle_settle=5,
                  mixed_clients=200),
    "quick": Plan(rounds=2, seconds=0.5, messages=2_000, large=10_000, appends=1_000, idle_users=100, idle_messages=20, idle_settle=2,
                  mixed_clients=50),
    "smoke": Plan(rounds=1, seconds=0.2, messages=200, large=300, appends=100, idle_users=10, idle_messages=3, idle_settle=1,
                  mixed_clients=5),
}


class Load:
    """One run of the load generator, which waits before each measured phase."""

    def __init__(self, program, arguments, timeout):
        self.process = subprocess.Popen([program, *map(str, arguments), "--steps"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.arguments, self.timeout = arguments, timeout

    def _line(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.stderr.read().strip()} (of {' '.join(map(str, self.arguments))})")
        return json.loads(line)

    def until_ready(self):
        if self._line().get("event") != "ready":
            raise RuntimeError("the load generator is out of step")

    def step(self, word="go"):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return self._line()

    def finish(self):
        self.process.stdin.close()
        self.process.wait(self.timeout)
        self.process.stdout.close()
        self.process.stderr.close()


class Turn:
    """One server in one round of one workload."""

    def __init__(self, bench, plan, server, number, workload):
        self.bench, self.plan, self.server, self.round, self.workload = bench, plan, server, number, workload

    def start(self, *arguments, port="imap"):
        """The workload may name a number of seconds; messages of one run are never those of another."""
        seed = random.randrange(1 << 40)
        return Load(self.bench, (*arguments, "--port", self.server.ports[port], "--seconds", self.plan.seconds, "--seed", seed), 120)

    def load(self, *arguments, port="imap"):
        """(what the load generator found, a Result whose figure the workload has to set)"""
        load = self.start(*arguments, port=port)
        load.until_ready()
        before = self.server.cpu_seconds()
        found = load.step()
        after = self.server.cpu_seconds()
        load.finish()
        self.server.until_quiet()
        background = self.server.cpu_seconds() - after
        return found, workloads.Result(0.0, found["operations"], after - before, background, found["client_cpu_share"])

    def restart(self):
        self.server.stop()
        self.server.start()


class Fixture:
    """Servers with users and mail. What a workload needs is made when the first asks for it."""

    def __init__(self, options, plan, folder):
        self.options, self.plan, self.folder = options, plan, folder
        self.made = set()
        names = [f"u{i}" for i in range(max(200, plan.users))] + [f"box{i}" for i in range(plan.rounds)]
        names += [f"idle{i}" for i in range(plan.idle_users)]
        users = folder / "users"
        costly = servers.argon2id(options.binary)
        users.write_text("".join(f"{name}:{{PLAIN}}{servers.PASSWORD}::::::\n" for name in names + ["large"]) +
                         "".join(f"costly{i}:{costly}::::::\n" for i in range(50)))
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "365",
                        "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
        common = (users, certificate, key)
        self.servers = [servers.Postkeep(options.binary, folder / "postkeep", *common)]
        self.hibernating = None
        if options.compare:
            self.servers.append(servers.Dovecot(folder / "dovecot", *common, reuse=options.dovecot_reuse))
            self.hibernating = servers.Dovecot(folder / "hibernating", *common, hibernate=True)

    def start(self):
        for server in self.servers:
            server.start()

    def stop(self):
        for server in [*self.servers, self.hibernating]:
            if server is not None:
                server.stop()

    def prepare(self, name, server):
        """By the name of the workload: what it wants to find."""
        if name.startswith(("idle-", "many-idle-")):
            self._once("idle", server, self._fill_idle)
        elif name.startswith(("select-", "noop-", "large-")):
            self._once("large", server, self._fill_large)
        elif name.startswith(("fetch-", "search-", "sort-", "thread", "pop3-", "store", "copy", "move", "expunge-")):
            self._once("boxes", server, self._fill_boxes)
        if name.startswith(("search-body-", "search-text-")):
            self._once("text search", server, self._search_once)
        if name == "mixed" or self.plan.users and name.startswith(("login-", "lmtp-", "append-")):
            self._once("inboxes", server, self._fill_inboxes)

    def _once(self, what, server, make):
        if (what, server.name) in self.made:
            return
        self.made.add((what, server.name))
        started = time.monotonic()
        make(server)
        server.until_quiet(60)
        print(f"   {what} of {server.name} made in {time.monotonic() - started:.1f} s", flush=True)

    def _generate(self, *arguments):
        subprocess.run([self.options.bench, *map(str, arguments)], check=True, capture_output=True, timeout=1800)

    def _deliver(self, server, user, users, messages, size=1024):
        at_once = min(50, users)
        # The load generator takes users in turn, so that each gets as many.
        self._generate("deliver", "--port", server.ports["lmtp"], "--user", user, "--users", users, "--recipients", at_once,
                       "--connections", 4, "--count", -(-users * messages // at_once), "--size", size)

    def _fill_idle(self, server):
        """Dovecot delivers so slowly that its mail is laid into its folders: what an idle connection costs is the same."""
        if not server.takes_folders:
            self._deliver(server, "idle%", self.plan.idle_users, self.plan.idle_messages, self.plan.idle_size)
            return
        source = self.folder / "idle"
        if not source.exists():
            self._generate("corpus", "--folder", source, "--count", self.plan.idle_messages, "--seed", SEED)
        for number in range(self.plan.idle_users):
            server.import_maildir(f"idle{number}", source, links=True)

    def _fill_inboxes(self, server):
        self._deliver(server, "u%", max(self.plan.mixed_clients, self.plan.users), 5)

    def _fill_boxes(self, server):
        for number in range(self.plan.rounds):
            self._generate("fill", "--port", server.ports["imap"], "--user", f"box{number}", "--mailbox", "INBOX",
                           "--count", self.plan.messages, "--seed", SEED + number, "--batch", 100)

    def _search_once(self, server):
        """Who makes an index of texts makes it once somebody searches them, and gets the time: a warm figure is what is asked for.
        Dovecot has no full-text search unless it is configured, and is not here: it reads all messages each time."""
        for number in range(self.plan.rounds):
            self._generate("command", "--port", server.ports["imap"], "--user", f"box{number}", "--mailbox", "INBOX", "--command",
                           f"UID SEARCH BODY {workloads.ABSENT}", "--count", 1)

    def _fill_large(self, server):
        source = self.folder / "large"
        if not source.exists():
            self._generate("corpus", "--folder", source, "--count", self.plan.large, "--seed", SEED)
        server.import_maildir("large", source)
        # Who has its mail laid into its folders looks at it now and not in the measured time; twice, because neither server
        # believes the time of a folder that has just changed.
        for _ in range(2):
            self._generate("command", "--port", server.ports["imap"], "--user", "large", "--command", "SELECT INBOX", "--count", 2)
            time.sleep(3)


def run_workload(fixture, one):
    """{server name: [Result of each round]}; the servers take turns."""
    results = {}
    taking_part = list(fixture.servers)
    if one.hibernation and fixture.hibernating is not None:
        taking_part.append(fixture.hibernating.start() if fixture.hibernating.process is None else fixture.hibernating)
    for server in taking_part:
        fixture.prepare(one.name, server)
    with configured(taking_part, one.variant):
        for number in range(min(fixture.plan.rounds, one.rounds_max)):
            for server in taking_part:
                turn = Turn(fixture.options.bench, fixture.plan, server, number, one)
                results.setdefault(server.name, []).append(one.run(turn))
    return results


@contextlib.contextmanager
def configured(taking_part, variant):
    """While this lasts the servers have another configuration than their own."""
    def restart_with(wanted):
        for server in taking_part:
            server.stop()
            server.use(wanted)
            server.start()
    if variant:
        restart_with(variant)
    try:
        yield
    finally:
        if variant:
            restart_with("")


def summary(results):
    """The median of the rounds with their spread, and what an operation cost."""
    values = [result.value for result in results]
    operations = sum(result.operations for result in results)
    found = {"median": statistics.median(values), "min": min(values), "max": max(values),
             "rounds": [dataclasses.asdict(result) for result in results],
             "client_cpu_share": max(result.client_share for result in results)}
    if operations > 0:
        found["server_cpu_us_per_operation"] = sum(result.server_cpu for result in results) / operations * 1e6
        found["background_cpu_us_per_operation"] = sum(result.background_cpu for result in results) / operations * 1e6
    return found


def ratio_of(one, ours, theirs):
    """Above 1: Postkeep is better. None where a figure of 0 makes no ratio."""
    better, worse = (ours, theirs) if one.more_is_better else (theirs, ours)
    return better["median"] / worse["median"] if worse["median"] > 0 else None


def show(one, measured):
    ours = measured["servers"]["postkeep"]
    text = f"{one.name:26} {ours['median']:12,.1f} {one.unit:14} [{ours['min']:,.1f} to {ours['max']:,.1f}]"
    theirs = measured["servers"].get("dovecot")
    if theirs:
        ratio = measured["ratio"]
        text += f"  dovecot {theirs['median']:12,.1f} [{theirs['min']:,.1f} to {theirs['max']:,.1f}]  "
        text += f"{ratio:.2f}x" if ratio is not None else "no ratio"
        text += f" (goal {one.goal})"
    if "server_cpu_us_per_operation" in ours:
        text += f"  CPU/op {ours['server_cpu_us_per_operation']:,.1f}"
        text += f" : {theirs['server_cpu_us_per_operation']:,.1f} us" if theirs else " us"
    if ours["client_cpu_share"] > 0.9:
        text += f"  (the client was busy: {ours['client_cpu_share']:.0%} of a core)"
    print(text, flush=True)


def measure(fixture, chosen):
    measured = []
    for one in chosen:
        try:
            results = run_workload(fixture, one)
        except (RuntimeError, subprocess.SubprocessError) as error:
            detail = (getattr(error, "stderr", None) or b"")
            print(f"{one.name:26} failed: {error} {detail.decode() if isinstance(detail, bytes) else detail}", flush=True)
            measured.append({"name": one.name, "failed": str(error)})
            continue
        entry = {"name": one.name, "unit": one.unit, "more_is_better": one.more_is_better, "goal": one.goal, "limit": one.limit,
                 "servers": {name: summary(found) for name, found in results.items()}}
        if "dovecot" in entry["servers"]:
            entry["ratio"] = ratio_of(one, entry["servers"]["postkeep"], entry["servers"]["dovecot"])
        measured.append(entry)
        show(one, entry)
    return measured


def machine():
    cpu = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    memory = next(int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemTotal"))
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_kib": memory, "kernel": platform.release(), "load_at_start": os.getloadavg()[0]}


def limits(options):
    with tempfile.TemporaryDirectory(prefix="postkeep-bench-", dir=options.folder) as folder:
        done = subprocess.run([options.bench, "limits", "--folder", folder, "--seconds", "1"], check=True, capture_output=True, text=True)
        return json.loads(done.stdout)


def growth(options, plan, chosen, sizes, fields):
    """{size: results}, each of servers of its own, whose plan has that size in `fields`."""
    found = {}
    for size in sizes:
        print(f"-- {fields[0]}: {size:,}", flush=True)
        with fixture_of(options, dataclasses.replace(plan, **dict.fromkeys(fields, size))) as fixture:
            found[size] = measure(fixture, chosen)
    return found


def remove(folder):
    """Each server's mail beside that of the others: the disk waits for one directory at a time."""
    parts = [subprocess.Popen(["rm", "-rf", str(part)]) for part in folder.iterdir()]
    for part in parts:
        part.wait()
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def fixture_of(options, plan):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postkeep-bench-", dir=options.folder))
    folder.chmod(0o755)
    fixture = None
    try:
        with servers.many_watchers() if options.compare else contextlib.nullcontext():
            fixture = Fixture(options, plan, folder)
            fixture.start()
            yield fixture
    finally:
        if fixture is not None:
            fixture.stop()
        remove(folder)


def sizes(text):
    return [int(part) for part in text.split(",")]


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", required=True, help="the program postkeep-bench")
    parser.add_argument("--binary", required=True, help="the program postkeep")
    parser.add_argument("--compare", action="store_true", help="Dovecot too")
    parser.add_argument("--quick", dest="plan", action="store_const", const="quick", default="whole")
    parser.add_argument("--smoke", dest="plan", action="store_const", const="smoke",
                        help="a little of everything: no figure means anything")
    parser.add_argument("--dovecot-reuse", type=int, default=1,
                        help="connections that one imap process of Dovecot serves, one after another")
    for field in dataclasses.fields(Plan):
        parser.add_argument("--" + field.name.replace("_", "-"), type=field.type, help="instead of what the plan has")
    parser.add_argument("--folder", default="/var/tmp", help="a folder on the disk that is measured, which every user may enter")
    parser.add_argument("--json", default="build/bench/results.json")
    parser.add_argument("--growth", type=sizes, metavar="N,N...",
                        help="instead of once, with mailboxes of so many messages each: how cost grows")
    parser.add_argument("--growth-users", type=sizes, metavar="N,N...", help="the same, with so many users who log in and get mail")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*")
    return parser.parse_args()


def main():
    options = parsed()
    given = {field.name: getattr(options, field.name) for field in dataclasses.fields(Plan)}
    plan = dataclasses.replace(PLANS[options.plan], **{name: value for name, value in given.items() if value is not None})
    patterns = options.names or ["*"]
    chosen = [one for one in workloads.ALL
              if one.name in patterns or not one.asked_for and any(fnmatch.fnmatch(one.name, pattern) for pattern in patterns)
              and not (one.whole_only and options.plan == "quick")]
    if options.list or not chosen:
        print("\n".join(f"{one.name:26} {one.unit:14} goal {one.goal}" for one in workloads.ALL))
        return 0 if options.list else 2
    started = time.monotonic()
    report = {"command": " ".join(sys.argv[1:]), "plan": dataclasses.asdict(plan), "date": time.strftime("%Y-%m-%d"), "machine": machine(),
              "limits": limits(options)}
    if options.growth or options.growth_users:
        grows = ("messages", "large") if options.growth else ("users",)
        report["grows"] = grows[0]
        report["growth"] = growth(options, plan, chosen, options.growth or options.growth_users, grows)
        results = [entry for found in report["growth"].values() for entry in found]
    else:
        with fixture_of(options, plan) as fixture:
            report["versions"] = {server.name: server.version() for server in fixture.servers}
            results = report["results"] = measure(fixture, chosen)
    report["seconds"] = time.monotonic() - started
    out = pathlib.Path(options.json)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=1) + "\n")
    failed = [entry["name"] for entry in results if "failed" in entry]
    print(f"\n{len(results) - len(failed)} workloads in {report['seconds']:.0f} s, {len(failed)} failed; results in {out}")
    return 1 if failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are ended too
    try:
        sys.exit(main())
    except unittest.SkipTest as missing:  # how neighbours.py says that Debian cannot be reached
        sys.exit(str(missing))
