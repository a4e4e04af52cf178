#!/usr/bin/env python3
"""A guessing attack: many tries at passwords, from many loopback addresses, at many accounts, while rightful users log in.

Tells how many tries reached a password check, what they cost, and how long the rightful users waited. Each address keeps
several connections busy and tries again at once when it is refused, as fast as it is let. A try is a LOGIN that was answered, or a
connection that was turned away.

    tests/bench/guessing.py --binary build/release/postkeep --tries 100000 --addresses 250
"""
import argparse
import asyncio
import json
import os
import pathlib
import re
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import HOST, Server  # noqa: E402

CONNECTIONS_AN_ADDRESS = 4
HOME, OFFICE, NEW = "127.200.0.1", "127.100.0.0", "127.201.0.1"  # of alice, of bob, of carol who was never there before


def attacker(number):
    return f"127.100.{number // 256}.{number % 256}"


class Connection:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port, source):
        """None if it is turned away."""
        reader, writer = await asyncio.open_connection(HOST, port, local_addr=(source, 0))
        greeting = await reader.readline()
        if greeting.startswith(b"* OK"):
            return cls(reader, writer)
        writer.close()
        return None

    async def log_in(self, user, password):
        """"ok", "wrong" or "refused"; None if the connection is over."""
        self.writer.write(f'a LOGIN {user} "{password}"\r\n'.encode())
        while line := await self.reader.readline():
            if line.startswith(b"a "):
                return "ok" if line.startswith(b"a OK") else "refused" if b"[UNAVAILABLE]" in line else "wrong"
        return None

    def close(self):
        self.writer.transport.abort()


class Attack:
    def __init__(self, port, tries, addresses, accounts):
        self.port, self.addresses, self.accounts = port, addresses, accounts
        self.left = {attacker(number): tries // addresses for number in range(addresses)}
        self.counts = {"wrong": 0, "refused": 0, "turned away": 0, "ok": 0}
        self.guesses = 0

    def next_guess(self):
        """Every other one is at alice, the others at many, most of whom there are not."""
        self.guesses += 1
        user = "alice" if self.guesses % 2 == 0 else f"user{self.guesses // 2 % self.accounts}"
        return user, f"guess{self.guesses}"

    def take(self, source):
        self.left[source] -= 1
        return self.left[source] >= 0

    async def from_one(self, source):
        connection = None
        while self.take(source):
            try:
                connection = connection or await Connection.open(self.port, source)
                answer = await connection.log_in(*self.next_guess()) if connection else "turned away"
            except OSError:
                connection, answer = None, "turned away"
            if answer is None:  # ended after so many tries: nothing was said to this one
                self.left[source] += 1
                connection = None
                continue
            self.counts[answer] += 1
        if connection:
            connection.close()

    async def run(self):
        await asyncio.gather(*(self.from_one(source) for source in self.left for _ in range(CONNECTIONS_AN_ADDRESS)))


async def rightful(port, user, source, took, ended):
    """Logs in again and again; how long each took, None if it did not work."""
    while not ended.is_set():
        begin = time.monotonic()
        try:
            connection = await Connection.open(port, source)
            answer = await connection.log_in(user, "pass") if connection else None
            if connection:
                connection.close()
        except OSError:
            answer = None
        took.append(time.monotonic() - begin if answer == "ok" else None)
        await asyncio.sleep(0.25)


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(process):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text()).group(1)) // 1024


async def attack(server, arguments):
    users = {"alice": HOME, "bob": OFFICE, "carol": NEW}
    took, ended = {user: [] for user in users}, asyncio.Event()
    for user in ("alice", "bob"):
        connection = await Connection.open(server.imap_port, users[user])
        assert await connection.log_in(user, "pass") == "ok"
        connection.close()
    cpu, begin = cpu_seconds(server.process), time.monotonic()
    logins = [asyncio.create_task(rightful(server.imap_port, user, source, took[user], ended)) for user, source in users.items()]
    guesses = Attack(server.imap_port, arguments.tries, arguments.addresses, arguments.accounts)
    await guesses.run()
    ended.set()
    await asyncio.gather(*logins)
    seconds = time.monotonic() - begin
    result = {"tries": sum(guesses.counts.values()), "addresses": arguments.addresses, "seconds": round(seconds, 1),
              **{name.replace(" ", "_"): count for name, count in guesses.counts.items()},
              "reached_a_check": guesses.counts["wrong"] + guesses.counts["ok"],
              "server_cpu_seconds": round(cpu_seconds(server.process) - cpu, 1), "server_mib": resident(server.process),
              "bans": len(json.loads(server.admin("ban", "list", "--json").stdout))}
    for user, times in took.items():
        good = [one for one in times if one is not None]
        result[user] = {"logins": len(times), "worked": len(good), "median_ms": round(1000 * statistics.median(good)) if good else None,
                        "longest_ms": round(1000 * max(good)) if good else None}
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default="build/release/postkeep")
    parser.add_argument("--tries", type=int, default=100_000)
    parser.add_argument("--addresses", type=int, default=250)
    parser.add_argument("--accounts", type=int, default=2_000)
    parser.add_argument("--without-guard", action="store_true", help="what it would cost without")
    arguments = parser.parse_args()
    os.environ["POSTKEEP_BINARY"] = os.path.abspath(arguments.binary)
    settings = {"guard.exempt": [], "log.level": "info"}
    if arguments.without_guard:
        settings["guard.enabled"] = False
    server = Server(settings, users=())
    for user in ("alice", "bob", "carol", "user1", "user2"):
        server.add_user(user, scheme="ARGON2ID")
    with server:
        print(json.dumps(asyncio.run(attack(server, arguments)), indent=1))


if __name__ == "__main__":
    main()
