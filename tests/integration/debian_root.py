"""A clean Debian in a folder, for trying the package in: made once by debootstrap from the machine's own mirror, kept in
build/debian-root/, and copied for each use. Commands run in it by chroot, in namespaces of their own, so that no mount and no process
outlives them. Needs root.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

CACHE = pathlib.Path(__file__).resolve().parents[2] / "build" / "debian-root"

# In a namespace of mounts and processes: $1 is the root, $2 "network" or "loopback", the rest is run inside.
ENTER = r"""
set -e
root=$1 network=$2; shift 2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
if [ "$network" = loopback ]; then
  /usr/bin/python3 -c 'import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sH14x", b"lo", 0x49))  # SIOCSIFFLAGS: UP, LOOPBACK, RUNNING'
fi
exec chroot "$root" "$@"
"""


def mirror():
    """Where this machine has its Debian from, and which it is."""
    done = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE) $(CODENAME)", "Created-By: Packages", "Component: main"],
                          capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        site, codename = line.split()
        if site.rstrip("/").endswith("/debian"):
            return site, codename
    raise unittest.SkipTest("apt has no mirror of Debian's main archive")


class DebianRoot:
    """A copy of the clean root; a context manager that takes it away again."""

    def __init__(self):
        if os.getuid() != 0 or not shutil.which("debootstrap"):
            raise unittest.SkipTest("a Debian root takes root and debootstrap")
        self.base = self._base()
        self.root = None

    def _base(self):
        site, codename = mirror()
        base = CACHE / codename
        if base.is_dir():
            return base
        CACHE.mkdir(parents=True, exist_ok=True)
        (CACHE / "archives").mkdir(exist_ok=True)
        work = pathlib.Path(tempfile.mkdtemp(dir=CACHE))
        work.chmod(0o755)
        try:
            command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "debootstrap", "--variant=minbase",
                       f"--cache-dir={CACHE / 'archives'}", codename, str(work), site]
            done = subprocess.run(command, capture_output=True, text=True, timeout=600)
            if done.returncode != 0:
                raise unittest.SkipTest(f"debootstrap failed: {done.stdout[-300:]}{done.stderr[-300:]}")
            self._prepare(work)
            work.rename(base)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return base

    def _prepare(self, root):
        """What an administrator's machine differs in from a test's: it asks, syncs, and starts services."""
        (root / "etc/apt/apt.conf.d/90test").write_text('APT::Get::Assume-Yes "true";\nAPT::Install-Recommends "false";\n'
                                                        'APT::Sandbox::User "root";\n')
        (root / "etc/dpkg/dpkg.cfg.d/test").write_text("force-unsafe-io\n")
        policy = root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        for proxy in pathlib.Path("/etc/apt/apt.conf.d").glob("*proxy*"):
            shutil.copy(proxy, root / "etc/apt/apt.conf.d")
        self.run("apt-get update -qq", network=True, root=root)

    def __enter__(self):
        CACHE.mkdir(parents=True, exist_ok=True)
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="try-", dir=CACHE))
        subprocess.run(["cp", "-a", "--reflink=auto", f"{self.base}/.", str(self.root)], check=True)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root, ignore_errors=True)

    def run(self, script, network=False, root=None, check=True):
        """Runs a shell script in the root: with the machine's network, or with nothing but loopback."""
        root = root or self.root
        for name in ("resolv.conf", "hosts"):
            if os.path.exists(f"/etc/{name}"):
                shutil.copy(f"/etc/{name}", root / "etc" / name)
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", *([] if network else ["--net"]), "bash", "-c", ENTER,
                   "enter", str(root), "network" if network else "loopback", "bash", "-euc", script]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C", "HOME": "/root"}
        environment |= {key: value for key, value in os.environ.items() if key.lower().endswith("_proxy")}
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)
        if check and done.returncode != 0:
            raise AssertionError(f"exit {done.returncode}\n{script}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done
