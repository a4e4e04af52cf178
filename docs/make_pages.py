#!/usr/bin/env python3
"""Makes the pages and parts of pages that the programs write: make_pages.py [--check] FOLDER_OF_PROGRAMS
With --check nothing is written, and what is not current is named. `./dev docs` builds first."""
import pathlib
import re
import subprocess
import sys

DOCS = pathlib.Path(__file__).resolve().parent
MARKS = re.compile(r"(<!-- begin: made by \./dev docs -->\n).*(<!-- end -->\n)", re.DOTALL)

# Page, whether its head or tail is hand-written, and the program that makes the rest.
PAGES = (
    ("configuration.md", False, ("postkeep", "config", "reference")),
    ("admin-commands.md", False, ("postkeep", "man", "--markdown")),
    ("coverage.md", True, ("postkeep-conformance", "--coverage", "by-rfc")),
    ("clauses.md", True, ("postkeep-conformance", "--coverage", "by-section")),
)


def output_of(programs, command):
    program, *arguments = command
    return subprocess.run([programs / program, *arguments], check=True, capture_output=True, text=True).stdout


def current(page, made):
    """The page's text with what was made between its marks."""
    text, count = MARKS.subn(lambda found: f"{found[1]}\n{made}\n{found[2]}", page.read_text())
    if count != 1:
        sys.exit(f"{page} has no marks")
    return text


def stale_pages(programs):
    """The texts that pages should have and do not, by page."""
    stale = {}
    for name, has_marks, command in PAGES:
        page, made = DOCS / name, output_of(programs, command)
        text = current(page, made) if has_marks else made
        if text != page.read_text():
            stale[page] = text
    return stale


def main():
    *options, programs = sys.argv[1:]
    stale = stale_pages(pathlib.Path(programs).resolve())
    for page, text in stale.items():
        print(f"not current: docs/{page.name}" if options else f"made anew: docs/{page.name}")
        if not options:
            page.write_text(text)
    sys.exit(1 if options and stale else 0)


if __name__ == "__main__":
    main()
