"""A Postfix of Debian's, unpacked, run by the configuration of docs/postfix.md from a scratch folder, on loopback ports."""
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

GUIDE = ROOT / "docs" / "postfix.md"
# A client whom Postfix takes for a stranger: neither in its mynetworks nor one of its own addresses.
THE_WORLD = "127.0.0.2"

# What the guide's configuration is run with: everything lies here and not in /etc, /usr and /var; users that every Debian has
# stand in for those that an installation would make; no question goes out to DNS. The rest is haste, for a test has no use for
# pauses.
SCRATCH = """
config_directory = {folder}/etc
meta_directory = {folder}/etc
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = {tree}/usr/sbin
daemon_directory = {tree}/usr/lib/postfix/sbin
shlib_directory = {tree}/usr/lib/postfix
import_environment = MAIL_CONFIG LANG=C LD_LIBRARY_PATH={libraries}
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
mail_owner = daemon
setgid_group = mail
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.1/32
disable_dns_lookups = yes
smtpd_peername_lookup = no
in_flow_delay = 0
address_verify_poll_delay = 1s
address_verify_poll_count = 60
minimal_backoff_time = 1s
queue_run_delay = 1s
transport_retry_time = 1s
"""


def guide_blocks(path):
    """The code blocks of the guide that begin with the name of the file `path`, as they stand there."""
    blocks = re.findall(r"^```\w+\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)
    return [block for block in blocks if block.startswith(f"# {path}\n")]


def server_settings():
    """The guide's postkeep.toml as settings of harness.Server, but where to listen, which the harness decides."""
    settings = tomllib.loads(guide_blocks("/etc/postkeep/postkeep.toml")[0])
    settings.pop("listen")
    return settings


def put(text, old, new):
    """Replaces what must be there."""
    if old not in text:
        raise AssertionError(f"the guide says nothing of {old!r}")
    return text.replace(old, new)


class Postfix:
    """One Postfix that delivers to ports[0] by TCP, or by Unix socket to `lmtp_socket`. Use as a context manager."""

    def __init__(self):
        if os.geteuid() != 0:
            raise unittest.SkipTest("postfix can be started by root alone")
        self.tree = unpacked("postfix")
        self.environment = self.tree.environment()
        self.port = free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postkeep-postfix-", dir=MEMORY))
        self.folder.chmod(0o755)
        # Where the guide has them: in Postfix's chroot, which most services of Debian's master.cf enter.
        self.sockets = self.folder / "queue" / "postkeep"
        self.lmtp_socket = self.sockets / "lmtp"
        self.sockets.mkdir(parents=True)
        self.process = None

    def _configure(self, main_cf, master_cf):
        etc = self.folder / "etc"
        shutil.copytree(self.tree.root / "etc/postfix", etc)
        share = self.tree.root / "usr/share/postfix"
        shutil.copy(share / "dynamicmaps.cf", etc)
        scratch = SCRATCH.format(folder=self.folder, tree=self.tree.root, libraries=self.environment["LD_LIBRARY_PATH"])
        (etc / "main.cf").write_text((share / "main.cf.debian").read_text() + main_cf + scratch)
        services = (share / "master.cf.dist").read_text()
        (etc / "master.cf").write_text(put(services, "\nsmtp      inet", f"\n{HOST}:{self.port} inet") + master_cf)
        (self.folder / "data").mkdir(mode=0o700)
        shutil.chown(self.folder / "data", "daemon")
        self.run("postfix", "-c", str(etc), "check")  # makes the folders of the queue

    def run(self, program, *arguments, stdin=b""):
        done = subprocess.run([self.tree.program(program), *arguments], input=stdin, env=self.environment, capture_output=True,
                              timeout=60)
        if done.returncode != 0:
            raise AssertionError(f"{program} {arguments}: {done.stdout!r} {done.stderr!r} {self.log()[-3000:]}")
        return done.stdout.decode(errors="replace")

    def start(self, main_cf, master_cf=""):
        self._configure(main_cf, master_cf)
        master = self.tree.root / "usr/lib/postfix/sbin/master"
        with open(self.folder / "out", "wb") as out:
            self.process = subprocess.Popen([str(master), "-d", "-c", str(self.folder / "etc")], env=self.environment, stdout=out,
                                            stderr=out, stdin=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + 30
        while "daemon started" not in self.log():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("postfix did not start: " + self.log() + (self.folder / "out").read_text())
            time.sleep(0.02)
        return self

    def log(self):
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def waiting(self):
        """The files of the queue, which are messages that are not delivered or bounced yet."""
        return [path for name in ("maildrop", "incoming", "active", "deferred") for path in (self.folder / "queue" / name).rglob("*")
                if path.is_file()]

    def flush(self):
        """Has it try everything that waits at once."""
        self.run("postqueue", "-c", str(self.folder / "etc"), "-f")

    def smtp(self, source=THE_WORLD, port=None):
        return smtplib.SMTP(HOST, port or self.port, local_hostname="client.example.com", timeout=60, source_address=(source, 0))

    def stop(self):
        """Ends the master; its children, which are in its process group alone, end with it."""
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
