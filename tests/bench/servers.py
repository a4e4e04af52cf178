"""The servers of the benchmark, each on free loopback ports and a data folder of its own: Postkeep, and Dovecot as Debian ships it.

Both have the same users, passwords (PLAIN), certificate (ECDSA P-256) and durability (mail is on the disk before it is accepted). What
they use is read from /proc over all their processes.
"""
import contextlib
import os
import pathlib
import re
import resource
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import neighbours  # noqa: E402

HOST = "127.0.0.1"
PASSWORD = "pass"
TICK = os.sysconf("SC_CLK_TCK")
DOVECOT = "dovecot-imapd,dovecot-pop3d,dovecot-lmtpd"


def free_ports(count):
    """Each free now; all held until all are known, so that none comes twice."""
    held = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def argon2id(binary):
    """A hash of PASSWORD as Postkeep makes them by default, in the form of a passwd-file, which Dovecot reads too."""
    done = subprocess.run([binary, "pw", "hash", "--scheme", "ARGON2ID", "--password-stdin"], input=PASSWORD + "\n", capture_output=True,
                          text=True, check=True)
    return done.stdout.strip()


def stat_fields(pid):
    """The fields of /proc/PID/stat from the state on, or None if the process has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def process_tree(root):
    """{pid: stat fields} of a process and all below it."""
    children, fields = {}, {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (found := stat_fields(name)):
            fields[int(name)] = found
            children.setdefault(int(found[1]), []).append(int(name))
    tree, left = {}, [root]
    while left:
        pid = left.pop()
        if pid in fields:
            tree[pid] = fields[pid]
            left += children.get(pid, [])
    return tree


class Server:
    """What both have in common. A subclass says `name`, `version()`, `command()` and `settings(variant)`, the text of its
    configuration. Variants: "" as its users run it; "no-auth-cache", each login hashes its password; "no-search-index";
    "reused", where a process serves one connection after another."""

    name = ""
    kinds = ("imap", "imaps", "pop3", "pop3s", "lmtp")
    takes_folders = False  # Maildir folders that somebody puts into its own

    def __init__(self, folder, users_file, certificate, key):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o755)
        self.users_file, self.certificate, self.key = users_file, certificate, key
        self.ports = dict(zip(self.kinds, free_ports(len(self.kinds))))
        self.process = None
        self.ready_seconds = 0.0

    def use(self, variant):
        """With the next start."""
        self.config.write_text(self.settings(variant))

    def start(self):
        """Returns when it takes connections; `ready_seconds` tells how long that was."""
        started = time.monotonic()
        with open(self.folder / "output", "ab") as output:
            self.process = subprocess.Popen(self.command(), stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                            preexec_fn=_all_descriptors)
        while not self._takes_connections():
            if self.process.poll() is not None or time.monotonic() > started + 120:
                raise RuntimeError(f"{self.name} did not start: " + (self.folder / "output").read_text()[-2000:])
            time.sleep(0.001)
        self.ready_seconds = time.monotonic() - started
        return self

    def _takes_connections(self):
        for kind in ("imap", "lmtp"):
            try:
                with socket.create_connection((HOST, self.ports[kind]), timeout=5) as probe:
                    if not probe.recv(1):
                        return False
            except OSError:
                return False
        return True

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def cpu_seconds(self):
        """User and system time of all its processes so far, with those that have ended, which their parent has inherited."""
        root = self.process.pid
        before = process_tree(root)
        for _ in range(50):
            tree = process_tree(root)
            # One that ends while the others are read would count twice or not at all.
            if tree.keys() == before.keys() and tree[root][13:15] == before[root][13:15]:
                break
            before = tree
        return sum(sum(map(int, fields[11:15])) for fields in tree.values()) / TICK

    def memory_kib(self):
        """Proportional set size (PSS) of all its processes: what they share counts once."""
        total = 0
        for pid in process_tree(self.process.pid):
            try:
                total += int(re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M).group(1))
            except (OSError, AttributeError):
                continue  # it has ended meanwhile
        return total

    def processes(self):
        return len(process_tree(self.process.pid))

    def until_quiet(self, limit=30.0, quiet=0.4):
        """Waits until it does nothing any more, at most `limit` seconds."""
        deadline, last, since = time.monotonic() + limit, self.cpu_seconds(), time.monotonic()
        while time.monotonic() < min(deadline, since + quiet):
            time.sleep(0.1)
            now = self.cpu_seconds()
            if now > last + 0.011:  # a tick is a server's own clockwork
                last, since = now, time.monotonic()


def _all_descriptors():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Postkeep(Server):
    name = "postkeep"

    def __init__(self, binary, *arguments):
        super().__init__(*arguments)
        self.binary = str(pathlib.Path(binary).resolve())
        self.data = self.folder / "data"
        self.data.mkdir()
        self.config = self.folder / "postkeep.toml"
        self.use("")

    def settings(self, variant):
        listen = "\n".join(f'{kind} = ["{HOST}:{port}"]' for kind, port in self.ports.items())
        # Keys that only SCRAM needs are not made: Dovecot is not asked to either.
        return f"""data_dir = "{self.data}"
hostname = "mail.example.org"
[listen]
{listen}
[tls]
certificate = "{self.certificate}"
private_key = "{self.key}"
[auth]
backends = ["passwd-file:{self.users_file}"]
add_scram_keys = false
remember_passwords = "{0 if variant == "no-auth-cache" else 3600}s"
[storage]
search_index = {"false" if variant == "no-search-index" else "true"}
[log]
file = "{self.folder}/log"
[limits]
connections_per_address = 0
connections_per_user = 0
[mailbox]
special_use = []
"""

    def command(self):
        return [self.binary, "serve", "--config", str(self.config)]

    def version(self):
        return subprocess.run([self.binary, "version"], capture_output=True, text=True, check=True).stdout.strip()

    def admin(self, *arguments, timeout=1800):
        subprocess.run([self.binary, *arguments, "--config", str(self.config)], check=True, capture_output=True, timeout=timeout)

    def import_maildir(self, user, folder):
        self.admin("import", user, "--maildir", str(folder))


@contextlib.contextmanager
def many_watchers():
    """Dovecot watches mail by an inotify instance a process, of which the kernel allows a user 128 by default; past it it polls and
    never hibernates. Allowed more while this lasts."""
    limit = pathlib.Path("/proc/sys/fs/inotify/max_user_instances")
    before = limit.read_text()
    if int(before) >= 8192:
        yield
        return
    limit.write_text("8192")
    try:
        yield
    finally:
        limit.write_text(before)


class Dovecot(Server):
    """Dovecot on Maildir, unpacked beside the machine's own files, which it sees laid over /usr in a mount namespace of its own.

    Tuned as its documentation says for many clients: login processes in high-performance mode, caches of logins, processes kept ready.
    `hibernate`: idle connections leave their process, which saves memory and costs a process at each wake-up."""

    name = "dovecot"
    takes_folders = True

    def __init__(self, *arguments, hibernate=False, reuse=1):
        super().__init__(*arguments)
        self.tree = neighbours.unpacked(DOVECOT).root
        self.hibernate, self.reuse = hibernate, reuse
        if hibernate:
            self.name = "dovecot-hibernating"
        for part in ("run", "state", "mail"):
            (self.folder / part).mkdir()
        shutil.chown(self.folder / "mail", "nobody", "nogroup")
        self.config = self.folder / "dovecot.conf"
        self.use("")

    def command(self):
        mount = f"mount -t overlay overlay -o lowerdir={shlex.quote(str(self.tree / 'usr'))}:/usr /usr"
        return ["unshare", "--mount", "sh", "-c", f"{mount} && exec dovecot -F -c {shlex.quote(str(self.config))}"]

    def version(self):
        """Of the program that runs here, not of the package: they are the same, but this one was asked."""
        command = self.command()[:-1] + [self.command()[-1].partition("exec")[0] + "dovecot --version"]
        return "Dovecot " + subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0]

    def import_maildir(self, user, folder, links=False):
        home = self.folder / "mail" / user
        home.mkdir()
        subprocess.run(["cp", "-rl" if links else "-r", str(folder), str(home / "Maildir")], check=True)
        subprocess.run(["chown", "-R", "nobody:nogroup", str(home)], check=True)

    def settings(self, variant):
        ports, folder = self.ports, self.folder
        hibernating = """imap_hibernate_timeout = 1 s
service imap-hibernate {
  unix_listener imap-hibernate {
    mode = 0666
  }
}""" if self.hibernate else ""
        listeners = {kind: f"""  inet_listener {kind} {{
    address = {HOST}
    port = {port}
    {'ssl = yes' if kind.endswith('s') else ''}
  }}""" for kind, port in ports.items()}
        return f"""base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap pop3 lmtp
listen = {HOST}
ssl = yes
ssl_cert = <{self.certificate}
ssl_key = <{self.key}
disable_plaintext_auth = no
auth_mechanisms = plain
auth_cache_size = {0 if variant == "no-auth-cache" else "100M"}
auth_failure_delay = 0
default_internal_user = daemon
default_internal_group = daemon
default_login_user = mail
default_process_limit = 20000
default_client_limit = 60000
default_vsz_limit = 0
mail_fsync = always
mail_max_userip_connections = 0
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {self.users_file}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/mail/%u allow_all_users=yes
}}
mail_location = maildir:~/Maildir
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  service_count = 0
  process_min_avail = 2
  process_limit = 4
{listeners['imap']}
{listeners['imaps']}
}}
service pop3-login {{
  service_count = 0
  process_min_avail = 2
  process_limit = 4
{listeners['pop3']}
{listeners['pop3s']}
}}
service lmtp {{
  process_min_avail = 4
{listeners['lmtp']}
}}
service imap {{
  process_min_avail = 4
  service_count = {200 if variant == "reused" else self.reuse}
  unix_listener imap-master {{
    user = $default_internal_user
  }}
}}
service pop3 {{
  process_min_avail = 2
}}
protocol imap {{
  mail_plugins = imap_zlib
}}
{hibernating}
"""
