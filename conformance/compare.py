#!/usr/bin/env python3
"""What several servers said, side by side: compare.py [--pop3] NOTES PAGE RESULTS.json...
RESULTS are what postkeep-conformance --json wrote, one of each server; the mode that all of them were asked in is compared: the
scripts of IMAP, or with --pop3 those of POP3, which have marks of their own. Between its marks PAGE gets the table and, server by
server, what failed, in the groups and with the reasons of NOTES. A failure of which NOTES says nothing is shown with what the runner said, and one that NOTES has and that is gone is named on the terminal."""
import functools
import json
import pathlib
import re
import sys

SCRIPTS = pathlib.Path(__file__).resolve().parent / "scripts"
MARKS = {option: re.compile(rf"(<!-- begin: made by conformance/compare\.py{option} -->\n).*?(<!-- end -->\n)", re.DOTALL)
         for option in ("", " --pop3")}
VERDICTS = ("passed", "failed", "skipped")


def read_notes(path):
    """{(server, case): (group, reason)}, in the order of the file: "# Group", then "SERVER[,SERVER] CASE: reason"."""
    notes, group = {}, ""
    for line in path.read_text().splitlines():
        if line.startswith("# "):
            group = line[2:]
        elif line and not line.startswith("##"):
            servers, case, reason = re.fullmatch(r"(\S+) (\S+): (.+)", line).groups()
            notes.update({(server, case): (group, reason) for server in servers.split(",")})
    return notes


@functools.cache
def lines_of(script):
    return (SCRIPTS / f"{script}.script").read_text().splitlines()


def is_pop3(case):
    return "protocol pop3" in lines_of(case.rsplit("/", 1)[0])


def title_of(script):
    """What a case is counted under: each script of RFC 9051 and of POP3 by itself, of another RFC all scripts together."""
    folder = script.split("/")[0]
    if folder != "rfc9051" and "protocol pop3" not in lines_of(script):
        return folder.replace("rfc", "RFC ").replace("RFC 0", "RFC ")
    return next(line for line in lines_of(script) if line.startswith("script ")).removeprefix("script ")


def counts_by_title(cases):
    counts = {}
    for case in cases:
        row = counts.setdefault(title_of(case["case"].rsplit("/", 1)[0]), dict.fromkeys(VERDICTS, 0))
        row[case["verdict"]] += 1
    return counts


def cells(counts):
    return " | ".join(str(counts[verdict] or "") if verdict != "passed" else str(counts[verdict]) for verdict in VERDICTS)


def table(results, mode, asked_by):
    """One row a title, three columns a server."""
    none = dict.fromkeys(VERDICTS, 0)
    by_server = [counts_by_title(case for case in result["cases"] if case["mode"] == mode) for result in results]
    titles = list(dict.fromkeys(title for counts in by_server for title in counts))
    lines = ["| | " + " | ".join(f"{result['server']} | | " for result in results) + "|",
             "|---|" + "---|" * 3 * len(results),
             f"| {asked_by} | " + " | ".join("passed | failed | skipped" for _ in results) + " |"]
    for title in titles:
        lines.append(f"| {title} | " + " | ".join(cells(counts.get(title, none)) for counts in by_server) + " |")
    sums = [{verdict: sum(row[verdict] for row in counts.values()) for verdict in VERDICTS} for counts in by_server]
    lines.append("| **all** | " + " | ".join(cells(row) for row in sums) + " |")
    return "\n".join(lines) + "\n"


def escaped(text):
    return text.replace("|", "\\|").replace("<", "&lt;")


def failures(result, notes, mode, by=""):
    """The failed cases by group; those of no group last."""
    server = result["server"].split()[0].lower()
    groups = {group: [] for group, _ in notes.values()}
    for case in result["cases"]:
        if case["verdict"] != "failed" or case["mode"] != mode:
            continue
        name = case["case"]
        group, reason = notes.get((server, name), ("Not looked at yet", f"the runner says: `{case['reason']}`"))
        groups.setdefault(group, []).append(f"- `{name}`: {escaped(reason)}")
    text = f"## What {result['server']} fails{by}\n"
    for group, lines in groups.items():
        if lines:
            text += f"\n{group} ({len(lines)}):\n\n" + "\n".join(lines) + "\n"
    return text if any(groups.values()) else f"## What {result['server']} fails{by}\n\nNothing.\n"


def name_stale_notes(results, notes):
    failed = {(result["server"].split()[0].lower(), case["case"])
              for result in results for case in result["cases"] if case["verdict"] == "failed"}
    for server, case in notes:
        if (server, case) not in failed:
            print(f"did not fail, and has a note: {server} {case}")


def main():
    pop3 = sys.argv[1] == "--pop3"
    notes_path, page, *paths = map(pathlib.Path, sys.argv[2 if pop3 else 1:])
    results = [json.loads(path.read_text()) for path in paths]
    for result in results:
        result["cases"] = [case for case in result["cases"] if is_pop3(case["case"]) == pop3]
    notes = {key: note for key, note in read_notes(notes_path).items() if is_pop3(key[1]) == pop3}
    mode = next(mode for mode in ("rev1", "rev2") if all(any(case["mode"] == mode for case in one["cases"]) for one in results))
    made = table(results, mode, "POP3" if pop3 else f"as IMAP4{mode}") + "\n"
    made += "\n".join(failures(result, notes, mode, " by POP3" if pop3 else "") for result in results)
    text, count = MARKS[" --pop3" if pop3 else ""].subn(lambda found: f"{found[1]}\n{made}\n{found[2]}", page.read_text())
    if count != 1:
        sys.exit(f"{page} has no marks")
    page.write_text(text)
    name_stale_notes(results, notes)


if __name__ == "__main__":
    main()
