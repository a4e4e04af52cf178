#!/usr/bin/env python3
"""Resident memory of the started server, and what an idle connection costs.

idle_memory.py --binary PATH [--connections 1000] [--messages 100] [--idle | --notify | --pop3] [--plain]
Each connection is a user of its own with INBOX selected, or logged in by POP3. Prints KiB as the kernel counts them (PSS of the process).
"""
import argparse
import os
import pathlib
import re
import resource
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))


def proportional_kib(pid):
    return int(re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M).group(1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--messages", type=int, default=10)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--idle", action="store_true", help="put each connection into IDLE")
    parser.add_argument("--notify", action="store_true", help="have each told of all its mailboxes by NOTIFY")
    parser.add_argument("--pop3", action="store_true", help="POP3 instead of IMAP")
    options = parser.parse_args()
    os.environ["POSTKEEP_BINARY"] = options.binary
    from harness import Server, message
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)

    users = [f"u{i}" for i in range(options.connections)]
    settings = {"limits.connections_per_address": 0, "log.level": "info"}
    server = Server(settings, users=())
    started = time.monotonic()
    server.start()
    ready = time.monotonic() - started
    try:
        for user in users:
            server.add_user(user)
        with server.lmtp() as lmtp:
            for number in range(options.messages):
                for user in users:
                    lmtp.sendmail("sender@example.com", [user], message(f"number {number}"))
        time.sleep(6)
        server.stop()
        server.start()
        time.sleep(1)
        empty = proportional_kib(server.process.pid)
        clients = []
        for user in users:
            if options.pop3:
                clients.append(server.raw_pop3(user, tls=not options.plain))
                continue
            client = server.raw(user, tls=not options.plain)
            client.must("SELECT INBOX")
            if options.notify:
                events = "(MessageNew MessageExpunge FlagChange"
                client.must(f"NOTIFY SET (SELECTED {events})) (PERSONAL {events} MailboxName))")
            if options.idle:
                client.idle()
            clients.append(client)
        time.sleep(3)
        full = proportional_kib(server.process.pid)
        kind = ("plain" if options.plain else "TLS") + (" in IDLE" if options.idle else " of POP3" if options.pop3 else
                                                               " with NOTIFY" if options.notify else "")
        print(f"ready after {ready * 1000:.0f} ms; started server {empty} KiB; {len(clients)} {kind} connections "
              f"{full} KiB: {(full - empty) / len(clients):.1f} KiB each")
        for client in clients:
            client.close()
    finally:
        server.__exit__(None)


if __name__ == "__main__":
    main()
