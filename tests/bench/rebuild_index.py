#!/usr/bin/env python3
"""How long an account waits when its index is lost, and that everything comes back.

rebuild_index.py --binary PATH [--messages 100000] [--mailboxes 4]
Fills an account by import (in memory where there is /dev/shm: the time of interest is not the disk's), gives some messages
flags and keywords, stops the server, removes the index, starts it and opens every mailbox; compares UIDs, flags, keywords,
dates, sizes, EMAILIDs, THREADIDs, UIDVALIDITYs, subscriptions before and after.
"""
import argparse
import os
import pathlib
import re
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))


def make_source(folder, count):
    """A Maildir with a letter for every third message, flags in the names."""
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir(parents=True)
    for number in range(count):
        text = (f"From: Sender {number % 97} <s{number % 97}@example.org>\r\nTo: alice@example.org\r\n"
                f"Subject: Message {number}\r\nMessage-ID: <{number}@example.org>\r\n"
                f"References: <{number - number % 7}@example.org>\r\n\r\n" + "A line of text.\r\n" * (number % 40))
        flags = "S" if number % 3 == 0 else "FS" if number % 50 == 1 else ""
        path = folder / "cur" / f"{1_600_000_000 + number * 60}.{number}.source:2,{flags}"
        path.write_bytes(text.encode())
        os.utime(path, (1_600_000_000 + number * 60,) * 2)


def in_order(flags):
    """Flags come in any order; Recent, which is of sessions, is left out."""
    return b" ".join(sorted(flag for flag in flags[0].split() if flag != b"\\Recent"))


def snapshot(client, names):
    """Everything that clients may remember, but MODSEQs."""
    seen = {"subscribed": sorted(client.must('LIST (SUBSCRIBED) "" "*"'))}
    for name in names:
        selected = client.must(f"SELECT {name}")
        seen[name, "uidvalidity"] = next(line for line in selected if b"UIDVALIDITY" in line)
        answer = client.must("UID FETCH 1:* (FLAGS INTERNALDATE SAVEDATE RFC822.SIZE EMAILID THREADID)")
        seen[name] = sorted(re.sub(rb"(?<=FLAGS \()[^)]*", in_order, line.split(b" ", 2)[2])
                            for line in answer if b" FETCH (" in line)
    return seen


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--mailboxes", type=int, default=4)
    options = parser.parse_args()
    os.environ["POSTKEEP_BINARY"] = str(pathlib.Path(options.binary).resolve())
    if pathlib.Path("/dev/shm").is_dir():
        tempfile.tempdir = "/dev/shm"
    from harness import Server

    names = ["INBOX"] + [f"Box{i}" for i in range(1, options.mailboxes)]
    with Server(users=("alice",)) as server:
        with tempfile.TemporaryDirectory() as scratch:
            started = time.monotonic()
            for index, name in enumerate(names):
                source = pathlib.Path(scratch) / name
                make_source(source, options.messages // options.mailboxes)
                if name != "INBOX":
                    server.admin("mailbox", "create", "alice", name)
                server.admin("import", "alice", "--maildir", str(source), *(["--mailbox", name] if index else []), timeout=3600)
            print(f"imported in {time.monotonic() - started:.0f} s")
        client = server.raw()
        client.socket.settimeout(600)
        for name in names:
            client.must(f"SELECT {name}")
            client.must("UID STORE 5:500 +FLAGS.SILENT (\\Answered $Work)")
            client.must(f"SUBSCRIBE {name}")
        before = snapshot(client, names)
        client.must("LOGOUT")
        server.stop()
        for path in server.maildir().glob("index.sqlite*"):
            path.unlink()
        server.start()
        client = server.raw()
        client.socket.settimeout(600)
        started = time.monotonic()
        waited = []
        for name in names:
            begun = time.monotonic()
            client.must(f"SELECT {name}")
            waited.append(f"{name} {time.monotonic() - begun:.2f} s")
        print(f"index of {options.messages} messages made again in {time.monotonic() - started:.2f} s: {', '.join(waited)}")
        begun = time.monotonic()
        after = snapshot(client, names)
        print(f"everything fetched in {time.monotonic() - begun:.1f} s")
        if before != after:
            for key in before:
                if before[key] != after[key]:
                    print(f"differs: {key}: {before[key][:3]} {after[key][:3]}")
            sys.exit(1)
        print(f"identical: {sum(len(before[name]) for name in names)} messages in {len(names)} mailboxes")


if __name__ == "__main__":
    main()
