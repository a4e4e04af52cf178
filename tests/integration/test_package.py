"""The Debian package in a clean Debian: installed by apt, serving mail as the README says, removed without touching mail."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from debian_root import CACHE, DebianRoot
from harness import ROOT
from neighbours import unpacked

PACKAGING = ROOT / "packaging"


def readme_blocks():
    """The shell blocks of the README's section about the package."""
    section = (ROOT / "README.md").read_text().split("## From the .deb to reading a mail with curl\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.S)


def package():
    done = subprocess.run([ROOT / "dev", "package"], capture_output=True, text=True, timeout=1800)
    if done.returncode != 0:
        raise AssertionError("./dev package: " + (done.stdout + done.stderr)[-3000:])
    return max((ROOT / "build/release").glob("postkeep_*.deb"), key=lambda path: path.stat().st_mtime)


class Package(unittest.TestCase):
    on_disk = True
    takes_long = True
    smoke = False
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.debian = DebianRoot()
        cls.deb = package()
        cls.debian.__enter__()
        cls.addClassCleanup(cls.debian.__exit__)
        shutil.copy(cls.deb, cls.debian.root / "root")
        cls.install, cls.start, cls.use = readme_blocks()
        # What apt downloads stays for the next run.
        archives = cls.debian.root / "var/cache/apt/archives"
        kept = CACHE / "archives"
        for deb in kept.glob("*.deb"):
            shutil.copy(deb, archives)
        keep = "echo 'Binary::apt-get::APT::Keep-Downloaded-Packages \"true\";' >/etc/apt/apt.conf.d/91keep\ncd /root\n"
        done = cls.debian.run(keep + cls.install, network=True, check=False)
        if done.returncode != 0:  # the lists may be older than the archive
            cls.debian.run("apt-get update -qq\n" + keep + cls.install, network=True)
        for deb in archives.glob("*.deb"):
            shutil.move(str(deb), kept / deb.name)

    def test_1_it_serves_mail_as_the_readme_says(self):
        started = "exec 3>&1 >/tmp/ready 2>/tmp/log\n" + self.start + """
server=$!
exec >&3 2>/tmp/log2
until grep -q 'postkeep ready' /tmp/ready; do kill -0 $server || { cat /tmp/log; exit 1; }; sleep 0.1; done
"""
        checks = """
echo ---
grep -E '^(Uid|CapEff|NoNewPrivs)' /proc/$server/status
curl -sS http://127.0.0.1:9095/health
printf 'Subject: by socket\\n\\nx\\n' | timeout 20 python3 -c '
import smtplib, sys
with smtplib.LMTP("/run/postkeep/lmtp") as lmtp: lmtp.sendmail("a@example.com", ["alice"], sys.stdin.read())'
curl -sS -k -u alice:secret imaps://localhost/INBOX -X 'UID SEARCH ALL'
curl -sS -k -u alice:secret pop3s://localhost/ | head -1
postkeep user show alice
find /var/lib/postkeep ! -user postkeep
kill $server
wait $server
echo stopped $?
"""
        done = self.debian.run(started + self.use + checks)
        read, _, state = done.stdout.partition("---\n")
        # Trace fields, and then the message as it stands in the example, with CRLF.
        mail = (ROOT / "examples/mail/1-welcome.eml").read_bytes().replace(b"\r\n", b"\n").decode()
        self.assertTrue(read.replace("\r\n", "\n").endswith(mail.rstrip("\n") + "\n"), read)
        uid = self.debian.run("id -u postkeep").stdout.strip()
        self.assertRegex(state, rf"Uid:\t{uid}\t{uid}\t{uid}\t{uid}\nCapEff:\t0+\nNoNewPrivs:\t1\nok\n\* SEARCH 1 2\r?\n1 \d+\r?\n")
        self.assertIn("alice", state)
        self.assertTrue(state.endswith("stopped 0\n"), state)
        self.assertNotIn("/var/lib/postkeep/", state)

    def test_2_configuration_and_files_are_in_their_places(self):
        listed = self.debian.run("dpkg -L postkeep").stdout.split()
        for path in ("/usr/sbin/postkeep", "/etc/postkeep/postkeep.toml", "/usr/lib/systemd/system/postkeep.service",
                     "/usr/lib/systemd/system/postkeep.socket", "/usr/lib/sysusers.d/postkeep.conf",
                     "/usr/lib/tmpfiles.d/postkeep.conf", "/usr/share/doc/postkeep/administration.md",
                     "/usr/share/man/man1/postkeep.1", "/usr/share/man/man5/postkeep.toml.5",
                     "/usr/share/bash-completion/completions/postkeep"):
            self.assertIn(path, listed)
        self.debian.run("postkeep config check && dpkg --verify postkeep && test ! -d /run/systemd/system")
        sample = (self.debian.root / "etc/postkeep/postkeep.toml").read_text()
        self.assertIn('\nuser = "postkeep"\n', sample)
        self.assertIn('\n#data_dir = "/var/lib/postkeep"\n', sample)
        # Enabled, so that it starts with the machine.
        wants = self.debian.root / "etc/systemd/system/multi-user.target.wants/postkeep.service"
        self.assertTrue(wants.is_symlink())
        data = (self.debian.root / "var/lib/postkeep").stat()
        self.assertEqual(data.st_mode & 0o777, 0o700)

    def test_3_purge_leaves_mail_alone(self):
        self.debian.run("postkeep user add bob --hash '{PLAIN}x' && apt-get purge -qq postkeep")
        self.assertFalse((self.debian.root / "usr/sbin/postkeep").exists())
        self.assertFalse((self.debian.root / "etc/postkeep").exists())
        self.assertTrue((self.debian.root / "var/lib/postkeep/users.sqlite").exists())
        self.assertFalse((self.debian.root / "etc/systemd/system/multi-user.target.wants/postkeep.service").is_symlink())
        # Back again, with what was there.
        self.debian.run(f"apt-get install -qq /root/{self.deb.name}", network=True)
        self.assertIn("bob", self.debian.run("postkeep user list").stdout)


class Unit(unittest.TestCase):
    on_disk = True
    smoke = False

    def test_an_installation_elsewhere_knows_where_it_is_and_keeps_the_configuration(self):
        with tempfile.TemporaryDirectory() as folder:
            command = ["cmake", "--install", ROOT / "build/release", "--prefix", "/opt/postkeep"]
            root = pathlib.Path(folder) / "opt/postkeep"
            for _ in range(2):
                subprocess.run(command, check=True, capture_output=True, timeout=120, env=dict(os.environ, DESTDIR=folder))
                config = root / "etc/postkeep/postkeep.toml"
                text = config.read_text()
                config.write_text("# mine\n" + text)
            self.assertTrue(config.read_text().startswith("# mine\n# mine\n"))
            unit = (root / "lib/systemd/system/postkeep.service").read_text()
            self.assertIn("\nExecStart=/opt/postkeep/sbin/postkeep serve --config /opt/postkeep/etc/postkeep/postkeep.toml\n", unit)
            done = subprocess.run([root / "sbin/postkeep", "config", "check", "--config", config], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertFalse((pathlib.Path(folder) / "etc").exists())

    def test_the_unit_is_well_shut_in(self):
        tree = unpacked("systemd")
        libraries = ":".join(tree.folders("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*", "usr/lib/*-linux-gnu/systemd", "lib/*-linux-gnu/systemd"))
        done = subprocess.run([tree.program("systemd-analyze"), "security", "--offline=yes", "--threshold=20",
                               PACKAGING / "postkeep.service"], capture_output=True, text=True, timeout=60,
                              env=dict(os.environ, LD_LIBRARY_PATH=libraries))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("Overall exposure level for postkeep.service", done.stdout)


if __name__ == "__main__":
    unittest.main()
