"""An Exim of Debian's, unpacked, run by the configuration of docs/exim.md from a scratch folder, on a loopback port.

Its paths and its user's name are compiled into it, and it drops its environment when it becomes another user. So it runs in a mount
namespace of its own, with an /etc of its own: there are its configuration, its user, and the cache that tells where its libraries are.
"""
import os
import pathlib
import re
import shutil
import smtplib
import subprocess
import tempfile
import time
import tomllib
import unittest

from harness import HOST, ROOT, free_port
from neighbours import MEMORY, unpacked

GUIDE = ROOT / "docs" / "exim.md"
THE_WORLD = "127.0.0.2"  # a client who is not in the guide's this_machine
NUMBER = 64321  # of a user that is in that /etc alone
# What a program looks up in /etc, and nothing that is secret.
FROM_ETC = ("nsswitch.conf", "hosts", "host.conf", "services", "protocols", "localtime", "ld.so.conf", "ld.so.conf.d")

# What the guide's configuration is run with: everything lies here, no question goes out to DNS, and haste.
SCRATCH = """
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
exim_path = {program}
local_interfaces = {host}
smtp_accept_max_per_connection = 1000
smtp_accept_queue_per_connection = 0
queue_run_max = 5
rfc1413_query_timeout = 0s
dns_again_means_nonexist = *
"""


def guide_blocks(path):
    """The code blocks of the guide that begin with the name of the file `path`, without that line."""
    blocks = re.findall(r"^```\w+\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)
    return [block.partition("\n")[2] for block in blocks if block.startswith(f"# {path}\n")]


def server_settings():
    """The guide's postkeep.toml as settings of harness.Server, but where to listen."""
    settings = tomllib.loads(guide_blocks("/etc/postkeep/postkeep.toml")[0])
    settings.pop("listen")
    return settings


class Exim:
    """One Exim. The sockets that the guide names in /run/postkeep are in `sockets`. Use as a context manager."""

    def __init__(self):
        if os.geteuid() != 0:
            raise unittest.SkipTest("exim can be started by root alone")
        self.tree = unpacked("exim4-daemon-heavy")
        self.program = self.tree.program("exim4")
        self.port = free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postkeep-exim-", dir=MEMORY))
        self.folder.chmod(0o755)
        self.sockets = self.folder / "postkeep"
        for folder in (self.sockets, self.folder / "spool", self.folder / "log"):
            folder.mkdir(mode=0o750)
            os.chown(folder, NUMBER, NUMBER)
        self.process = None

    def _configure(self, configuration):
        etc = self.folder / "etc"
        etc.mkdir()
        for name in FROM_ETC:
            source = pathlib.Path("/etc") / name
            if source.is_dir():
                shutil.copytree(source, etc / name)
            elif source.exists():
                shutil.copy(source, etc / name)
        for name, line in (("passwd", f"Debian-exim:x:{NUMBER}:{NUMBER}::{self.folder}:/usr/sbin/nologin\n"),
                           ("group", f"Debian-exim:x:{NUMBER}:\n")):
            (etc / name).write_text(pathlib.Path("/etc", name).read_text() + line)
        libraries = self.tree.folders("usr/lib", "usr/lib/*-linux-gnu*", "lib/*-linux-gnu*")
        (etc / "ld.so.conf").write_text("include /etc/ld.so.conf.d/*.conf\n" + "\n".join(libraries) + "\n")
        (etc / "exim4").mkdir()
        scratch = SCRATCH.format(folder=self.folder, program=self.program, host=HOST)
        (etc / "exim4" / "exim4.conf").write_text(scratch + configuration)

    def command(self, *arguments):
        inside = f'mount --bind "{self.folder}/etc" /etc && ldconfig -X && exec "$@"'
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", inside, "sh", self.program, *arguments]

    def copy_certificate(self, folder):
        """Postkeep's own, which Exim's user may read here."""
        for kind in ("crt", "key"):
            shutil.copy(folder / f"self-signed.{kind}", self.folder)
            os.chown(self.folder / f"self-signed.{kind}", NUMBER, NUMBER)

    def run(self, *arguments, stdin=b""):
        done = subprocess.run(self.command(*arguments), input=stdin, capture_output=True, timeout=60)
        if done.returncode != 0:
            raise AssertionError(f"exim {arguments}: {done.stdout!r} {done.stderr!r} {self.log()[-3000:]}")
        return done.stdout.decode(errors="replace")

    def start(self, configuration):
        self._configure(configuration)
        with open(self.folder / "out", "wb") as out:
            self.process = subprocess.Popen(self.command("-bdf", "-q1s"), stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                            start_new_session=True)
        deadline = time.monotonic() + 30
        while "daemon started" not in self.log():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("exim did not start: " + self.log() + (self.folder / "out").read_text())
            time.sleep(0.02)
        return self

    def log(self):
        return "".join(path.read_text(errors="replace") for path in (self.folder / "log").glob("mainlog"))

    def waiting(self):
        """The messages in its queue."""
        return list((self.folder / "spool" / "input").rglob("*-H"))

    def smtp(self, source=THE_WORLD):
        return smtplib.SMTP(HOST, self.port, local_hostname="client.example.com", timeout=60, source_address=(source, 0))

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.stop()
        if kind is not None and os.environ.get("POSTKEEP_KEEP"):
            print("kept:", self.folder)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
