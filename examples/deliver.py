#!/usr/bin/env python3
"""Delivers message files by LMTP, as an MTA would: deliver.py HOST PORT RECIPIENT FILE..."""
import smtplib
import sys

host, port, recipient, *paths = sys.argv[1:]
with smtplib.LMTP(host, int(port)) as lmtp:
    for path in paths:
        with open(path, "rb") as message:
            text = message.read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")  # the lines of the wire
            lmtp.sendmail("postmaster@localhost", [recipient], text)
print(f"delivered {len(paths)} messages to {recipient}")
