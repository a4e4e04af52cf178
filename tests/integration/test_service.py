"""The server as a service: root that becomes somebody else for good, sockets passed by the service manager, sd_notify."""
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time
import unittest

from harness import HOST, Server, binary, eventually, free_port

USER = "daemon"  # a system user that every Debian has
OTHER = "mail"


def status(process):
    """/proc/PID/status as a dict of lists of words."""
    lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}


def low_port():
    for port in range(1023, 600, -1):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
                return port
            except OSError:
                continue
    raise unittest.SkipTest("no port below 1024 is free")


def make_certificate(folder, name):
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                    f"/CN={name}", "-days", "30", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    key.chmod(0o600)
    return certificate, key


def common_name(port):
    text = subprocess.run(["openssl", "s_client", "-connect", f"{HOST}:{port}"], input=b"", capture_output=True,
                          timeout=30).stdout.decode(errors="replace")
    return text[text.find("CN = "):].split("\n")[0]


@unittest.skipUnless(os.getuid() == 0, "only root can become somebody else")
class Privileges(unittest.TestCase):
    on_disk = True
    smoke = False

    def setUp(self):
        os.environ["LSAN_OPTIONS"] = "detect_leaks=0"  # a process that nobody may trace cannot look for leaks
        self.addCleanup(os.environ.pop, "LSAN_OPTIONS")

    def server(self, **settings):
        """A server whose data_dir does not exist yet, in a folder of root's that everybody may enter."""
        server = Server({"service.user": USER, "log.file": ""} | {key.replace("__", "."): v for key, v in settings.items()})
        server.folder.chmod(0o755)
        server.data.rmdir()
        return server

    def owners(self, server):
        found = {}
        for folder, _, files in os.walk(server.data):
            for path in [folder, *(os.path.join(folder, name) for name in files)]:
                info = os.lstat(path)
                found.setdefault((info.st_uid, info.st_gid), []).append(path)
        return found

    def assert_all_is_the_users(self, server):
        entry = pwd.getpwnam(USER)
        owners = self.owners(server)
        self.assertEqual(set(owners), {(entry.pw_uid, entry.pw_gid)}, owners.get((0, 0)))
        self.assertEqual(server.data.stat().st_mode & 0o777, 0o700)

    def test_root_binds_reads_the_key_and_becomes_the_user_for_good(self):
        server = self.server()
        certificate, key = make_certificate(server.folder, "first")
        port = low_port()
        server.settings |= {"tls.certificate": str(certificate), "tls.private_key": str(key),
                            "listen.imap": [f"{HOST}:{port}"]}
        server.imap_port = port
        server.write_config()
        with server:
            entry = pwd.getpwnam(USER)
            now = status(server.process)
            self.assertEqual(now["Uid"], [str(entry.pw_uid)] * 4)
            self.assertEqual(now["Gid"], [str(entry.pw_gid)] * 4)
            self.assertNotIn("0", now["Groups"])
            for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                self.assertEqual(int(now[name][0], 16), 0, name)
            self.assertEqual(now["NoNewPrivs"], ["1"])
            self.assertNotIn("running_as_root", server.output())
            server.deliver("Subject: one\r\n\r\nbody\r\n")
            client = server.imaps()
            client.select()
            self.assertIn(b"body", client.fetch("1", "(BODY[])")[1][0][1])
            client.logout()
            self.assertEqual(common_name(server.imaps_port), "CN = first")
            # By root, through the server.
            server.add_user("carol")
            server.admin("mailbox", "create", "carol", "New")
            self.assert_all_is_the_users(server)
        # By root, without a server.
        self.addCleanup(shutil.rmtree, server.folder, ignore_errors=True)

    def test_admin_commands_of_root_leave_nothing_of_roots(self):
        server = self.server()
        self.addCleanup(shutil.rmtree, server.folder, ignore_errors=True)
        server.add_user("alice")
        server.admin("mailbox", "create", "alice", "New")
        server.admin("user", "show", "alice")
        self.assert_all_is_the_users(server)
        server.start()
        try:
            server.deliver("Subject: one\r\n\r\nbody\r\n")
        finally:
            server.stop()
        server.admin("mailbox", "create", "alice", "Newer")
        server.admin("user", "list", "--last-login")
        server.admin("deliver", "-d", "alice", stdin="Subject: two\n\nbody\n")
        self.assert_all_is_the_users(server)

    def test_a_reload_reads_a_key_that_the_user_may_read_and_else_says_what_is_missing(self):
        server = self.server()
        certificate, key = make_certificate(server.folder, "first")
        server.settings |= {"tls.certificate": str(certificate), "tls.private_key": str(key)}
        server.write_config()
        with server:
            for new in make_certificate(server.folder, "second"):
                new.replace(server.folder / f"first{new.suffix}")
            server.process.send_signal(signal.SIGHUP)
            self.assertTrue(eventually(lambda: "certificates_not_reloaded" in server.output()))
            line = next(line for line in server.output().splitlines() if "certificates_not_reloaded" in line)
            self.assertIn(f"{key}: Permission denied", line)
            self.assertIn("must be let read the file", line)
            self.assertEqual(common_name(server.imaps_port), "CN = first")
            os.chown(key, 0, pwd.getpwnam(USER).pw_gid)
            key.chmod(0o640)
            server.process.send_signal(signal.SIGHUP)
            self.assertTrue(eventually(lambda: common_name(server.imaps_port) == "CN = second"))

    def test_data_of_somebody_else_is_refused_with_the_way_out(self):
        server = self.server()
        self.addCleanup(shutil.rmtree, server.folder, ignore_errors=True)
        server.data.mkdir()
        done = server.admin("serve", check=False)
        self.assertEqual(done.returncode, 5)
        self.assertIn(f"chown -R {USER}: {server.data}", done.stderr)

    def test_an_unknown_user_is_refused(self):
        server = self.server(service__user="nobody-of-that-name")
        self.addCleanup(shutil.rmtree, server.folder, ignore_errors=True)
        done = server.admin("serve", check=False)
        self.assertEqual(done.returncode, 5)
        self.assertIn("There is no system user nobody-of-that-name", done.stderr)
        self.assertIn("There is no system user", server.admin("user", "list", check=False).stderr)

    def test_who_is_not_root_cannot_become_somebody_else(self):
        server = self.server()
        self.addCleanup(shutil.rmtree, server.folder, ignore_errors=True)
        program = server.folder / "postkeep"
        shutil.copy(binary(), program)
        done = subprocess.run([program, "serve", "--config", server.config], user=OTHER, capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, 5)
        self.assertIn(f"Cannot become {USER}", done.stderr)

    def test_the_unit_s_user_binds_a_low_port_and_gives_the_right_up(self):
        """As systemd starts it: never root, with CAP_NET_BIND_SERVICE as its only and ambient capability."""
        server = self.server()
        self.addCleanup(shutil.rmtree, server.folder, ignore_errors=True)
        port = low_port()
        unix = server.folder / "run"
        unix.mkdir()
        shutil.chown(unix, USER)
        server.settings |= {"listen.imap": [f"{HOST}:{port}"], "listen.lmtp": [f"unix:{unix}/lmtp"]}
        server.imap_port = port
        server.write_config()
        server.add_user("alice")
        program = server.folder / "postkeep"
        shutil.copy(binary(), program)
        server.stdout = open(server.folder / "stdout", "wb")
        server.process = subprocess.Popen(
            ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--inh-caps=-all,+net_bind_service",
             "--ambient-caps=+net_bind_service", "--bounding-set=-all,+net_bind_service", program, "serve", "--config",
             server.config], stdout=server.stdout, stderr=subprocess.STDOUT)
        self.assertTrue(eventually(lambda: "postkeep ready" in server.output(), 60), server.output())
        now = status(server.process)
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(now[name][0], 16), 0, name)
        self.assertEqual(now["NoNewPrivs"], ["1"])
        server.imap().logout()
        self.assertEqual(server.stop(), 0)
        self.assertFalse((unix / "lmtp").exists())

    def test_without_a_user_it_stays_root_and_says_so(self):
        with Server() as server:
            self.assertIn("running_as_root", server.output())
            self.assertEqual(status(server.process)["Uid"], ["0"] * 4)


class ServiceManager(unittest.TestCase):
    """What systemd does for a service, done by this test."""
    on_disk = True
    smoke = True

    def passing(self, server, sockets, more=None):
        """Starts the server with listening sockets [(name or None, socket)] as descriptors 3 and up."""
        names = ":".join(name or "unknown" for name, _ in sockets)
        environment = dict(os.environ, LISTEN_FDS=str(len(sockets)), **(more or {}))
        if any(name for name, _ in sockets):
            environment["LISTEN_FDNAMES"] = names

        def in_child():
            copies = [os.dup(each.fileno()) for _, each in sockets]
            high = [os.dup2(copy, 100 + i) for i, copy in enumerate(copies)]
            for i, descriptor in enumerate(high):
                os.dup2(descriptor, 3 + i, inheritable=True)

        out = open(server.folder / "stdout", "wb")
        # The shell puts its own process number, which exec keeps, into LISTEN_PID.
        command = ["/bin/sh", "-c", 'export LISTEN_PID=$$; exec "$@"', "sh", binary(), "serve", "--config", str(server.config)]
        server.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment,
                                          preexec_fn=in_child, close_fds=False)
        server.stdout = out
        return server

    def ready(self, server):
        def check():
            self.assertIsNone(server.process.poll(), server.output())
            return b"ready" in (server.folder / "stdout").read_bytes()
        self.assertTrue(eventually(check, 60), server.output())
        return server.output()

    def listening(self, host=HOST):
        sock = socket.socket()
        sock.bind((host, 0))
        sock.listen()
        self.addCleanup(sock.close)
        return sock

    def test_named_sockets_serve_their_protocol_and_keep_waiting_connections(self):
        server = Server({"metrics.listen": []})
        self.addCleanup(shutil.rmtree, server.folder, ignore_errors=True)
        server.add_user("alice")
        imap, imaps, metrics = self.listening(), self.listening(), self.listening()
        unix = socket.socket(socket.AF_UNIX)
        self.addCleanup(unix.close)
        path = server.folder / "given.sock"
        unix.bind(str(path))
        unix.listen()
        server.settings |= {"listen.imap": [f"{HOST}:{imap.getsockname()[1]}"], "listen.imaps": []}
        server.write_config()
        early = socket.create_connection(imap.getsockname())  # before there is a server
        self.passing(server, [("imap", imap), ("imaps", imaps), ("lmtp", unix), ("metrics", metrics)])
        line = self.ready(server)
        self.assertIn(f"imaps {HOST}:{imaps.getsockname()[1]}", line)
        self.assertIn(f"lmtp unix:{path}", line)
        self.assertIn(f"lmtp {HOST}:{server.lmtp_port}", line)  # of the file, for which none was passed
        self.assertTrue(early.recv(100).startswith(b"* OK"))
        early.close()
        server.imap_port, server.imaps_port = imap.getsockname()[1], imaps.getsockname()[1]
        server.imap().logout()
        server.imaps().logout()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            self.assertTrue(client.recv(100).startswith(b"220 "))
        with socket.create_connection(metrics.getsockname()) as client:
            client.sendall(b"GET /health HTTP/1.0\r\n\r\n")
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 200"))
        self.assertEqual(server.stop(), 0)
        self.assertTrue(path.exists())  # it is the service manager's

    def test_unnamed_sockets_are_known_by_port_and_path(self):
        server = Server()
        self.addCleanup(shutil.rmtree, server.folder, ignore_errors=True)
        server.add_user("alice")
        imap = socket.socket()
        imap.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        imap.bind(("0.0.0.0", server.imap_port))
        imap.listen()
        self.addCleanup(imap.close)
        self.passing(server, [(None, imap)])
        self.assertIn(f"imap 0.0.0.0:{server.imap_port} imaps", self.ready(server))
        server.imap().logout()
        self.assertEqual(server.stop(), 0)

    def test_a_socket_for_nobody_is_refused(self):
        server = Server()
        self.addCleanup(shutil.rmtree, server.folder, ignore_errors=True)
        self.passing(server, [("finger", self.listening())])
        self.assertEqual(server.process.wait(60), 5)
        self.assertIn("belongs to no protocol", server.output())

    def test_the_manager_hears_of_start_reload_stop_and_life(self):
        server = Server()
        self.addCleanup(shutil.rmtree, server.folder, ignore_errors=True)
        heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(heard.close)
        heard.bind(str(server.folder / "notify"))
        heard.settimeout(60)
        more = {"NOTIFY_SOCKET": str(server.folder / "notify"), "WATCHDOG_USEC": "600000"}
        imap = self.listening()
        self.passing(server, [("imap", imap)], more)

        def expect(word):
            while word not in (message := heard.recv(4096).decode()):
                pass
            return message

        expect("READY=1")
        began = time.monotonic()
        for _ in range(3):
            expect("WATCHDOG=1")
        self.assertLess(time.monotonic() - began, 10)
        server.process.send_signal(signal.SIGHUP)
        self.assertIn("MONOTONIC_USEC=", expect("RELOADING=1"))
        expect("READY=1")
        server.process.terminate()
        expect("STOPPING=1")
        self.assertEqual(server.stop(), 0)

    def test_nothing_to_listen_on_is_an_error(self):
        server = Server()
        server.settings = {key: value for key, value in server.settings.items() if not key.startswith("listen.")}
        server.write_config()
        self.addCleanup(shutil.rmtree, server.folder, ignore_errors=True)
        done = server.admin("serve", check=False)
        self.assertEqual(done.returncode, 5)
        self.assertIn("nothing to listen on", done.stderr)


class LastLogin(unittest.TestCase):
    on_disk = True
    smoke = True

    def test_the_last_login_is_told_while_the_server_runs_and_afterwards(self):
        before = int(time.time())
        with Server() as server:
            self.assertEqual(self.shown(server, "alice"), {})
            server.imap().logout()
            shown = self.shown(server, "alice")
            self.assertEqual(set(shown), {"imap"})
            self.assertLessEqual(before, shown["imap"])
            self.assertEqual(self.shown(server, "bob"), {})
            server.imap(user="bob").logout()  # written at the stop
            listed = server.admin("user", "list", "--last-login").stdout
            self.assertIn("imap", listed)
            server.stop()
            self.assertEqual(self.shown(server, "alice"), shown)
            self.assertEqual(set(self.shown(server, "bob")), {"imap"})
            self.assertIn("imap", server.admin("user", "show", "alice").stdout)
            server.admin("user", "delete", "bob")
            server.add_user("bob")
            self.assertEqual(self.shown(server, "bob"), {})

    def shown(self, server, user):
        return json.loads(server.admin("user", "show", user, "--json").stdout)["last_login"]


if __name__ == "__main__":
    unittest.main()
