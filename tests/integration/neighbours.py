#!/usr/bin/env python3
"""Programs of Debian's that Postkeep has to live with, unpacked beside the machine instead of installed into it.

`unpacked("mutt")` gives a Tree: the package and those of its dependencies that this machine lacks, downloaded by apt-get (which
checks their signatures) and unpacked with dpkg. Nothing of it is configured or started, and the machine's own dpkg knows nothing
of it. A tree stands in build/neighbours/ under the versions it is made of, so that a new version is a new tree. What cannot be
had is a skipped test, by name.

Run as a program, it fetches the trees of all packages named, or of all that the tests use.
"""
import fcntl
import hashlib
import os
import pathlib
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

CACHE = pathlib.Path(__file__).resolve().parents[2] / "build" / "neighbours"
PACKAGES = ("postfix", "exim4-daemon-heavy", "swaks,libnet-ssleay-perl", "prometheus", "systemd", "isync", "libsasl2-modules",
            "mutt", "neomutt", "fetchmail", "mpop", "getmail6", "zsh", "fish", "mandoc", "groff-base", "fail2ban", "haproxy", "gsasl")
# Where a neighbour keeps its own mail in a test: in memory if possible, since its syncs prove nothing about Postkeep and take minutes.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None
_trees = {}


class Tree:
    """The files of one package and its dependencies."""

    def __init__(self, root):
        self.root = root

    def folders(self, *patterns):
        return [str(path) for pattern in patterns for path in sorted(self.root.glob(pattern)) if path.is_dir()]

    def program(self, name):
        for folder in self.folders("usr/bin", "usr/sbin", "bin", "sbin"):
            path = pathlib.Path(folder) / name
            if path.exists():
                return str(path)
        raise unittest.SkipTest(f"{name} is not in {self.root}")

    def environment(self, **more):
        """What a program from here needs to find its libraries; `more` is added to it."""
        libraries = self.folders("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*", "usr/lib/postfix")
        path = self.folders("usr/sbin", "usr/bin") + [os.environ.get("PATH", "/usr/sbin:/usr/bin")]
        return dict(os.environ, LD_LIBRARY_PATH=":".join(libraries), PATH=":".join(path), **more)


def unpacked(package):
    """The Tree of a package, or of several that belong together ("a,b"); skips the test if it cannot be had."""
    if package not in _trees:
        try:
            _trees[package] = _unpack(package)
        except (OSError, subprocess.SubprocessError) as error:
            detail = (getattr(error, "stderr", "") or str(error)).strip()
            raise unittest.SkipTest(f"{package} cannot be had from Debian: {detail[-300:]}") from None
    return _trees[package]


def on_terminal(command, environment, seconds=120):
    """Runs a program that insists on a terminal; returns its exit code and what it drew."""
    near, far = pty.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    process = subprocess.Popen(command, stdin=far, stdout=far, stderr=far, start_new_session=True,
                               env=dict(environment, TERM="vt100"))
    os.close(far)
    drawn, deadline = b"", time.monotonic() + seconds
    try:
        while process.poll() is None and time.monotonic() < deadline:
            if select.select([near], [], [], 0.1)[0]:
                drawn += os.read(near, 65536)
    except OSError:  # the other side is closed
        pass
    try:
        code = process.wait(max(0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    os.close(near)
    return code, drawn


def _apt(archives, *arguments):
    """apt-get on a folder of our own for what it downloads; as anybody, since it installs nothing."""
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    options = [f"Dir::Cache::archives={archives}", "Debug::NoLocking=1", "APT::Sandbox::User="]
    command = ["apt-get", "-qq", "-y", "--no-install-recommends", "--reinstall"]
    command += [word for option in options for word in ("-o", option)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=300, check=True,
                          env=dict(os.environ, LC_ALL="C", DEBIAN_FRONTEND="noninteractive"))
    return done.stdout


def _machine():
    """Changes when this machine's packages or its lists of Debian's do."""
    times = [pathlib.Path(path).stat().st_mtime_ns for path in ("/var/lib/dpkg/status", "/var/lib/apt/lists")]
    return " ".join(map(str, times))


def _folder_name(package):
    """Without the comma, which ends an option of mount."""
    return package.replace(",", "_")


def _unpack(package):
    CACHE.mkdir(parents=True, exist_ok=True)
    known = CACHE / f"{_folder_name(package)}.known"  # spares apt-get its second of thinking
    if known.exists():
        machine, _, name = known.read_text().partition("\n")
        if machine == _machine() and (CACHE / name).is_dir():
            return Tree(CACHE / name)
    tree = _resolve(package)
    known.write_text(f"{_machine()}\n{tree.name}")
    return Tree(tree)


def _resolve(package):
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        work = pathlib.Path(work)
        # apt leaves out what it has downloaded before, so the folder is an empty one.
        wanted = sorted(re.findall(r"^'[^']*' (\S+\.deb) ", _apt(work / "debs", "install", "--print-uris", *package.split(",")), re.M))
        if not wanted:
            raise OSError("apt-get names no file to download; is `apt-get update` needed?")
        key = hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:12]
        tree = CACHE / f"{_folder_name(package)}-{key}"
        if tree.is_dir():
            return tree
        _apt(work / "debs", "install", "--download-only", *package.split(","))
        (work / "tree").mkdir()
        for deb in sorted((work / "debs").glob("*.deb")):
            subprocess.run(["dpkg", "-x", str(deb), str(work / "tree")], check=True, capture_output=True, text=True)
        shutil.rmtree(tree, ignore_errors=True)
        (work / "tree").rename(tree)
    return tree


def main():
    status = 0
    for package in sys.argv[1:] or PACKAGES:
        try:
            print(f"{package}: {unpacked(package).root}")
        except unittest.SkipTest as missing:
            print(missing, file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
