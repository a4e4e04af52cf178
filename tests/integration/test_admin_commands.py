"""Every admin command as a new user would try it, beside a running server and without one, wrong use included; manual pages
through groff; completion in real shells."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import neighbours
from harness import Server, binary, message


class Commands:
    """The commands on one data folder; a mixin, since they must do the same with a server and without."""

    def setUp(self):
        self.server = Server(users=())
        self.server.add_user("alice")
        self.server.add_user("bob")
        self.prepare()

    def run_ok(self, *words, **more):
        done = self.server.admin(*words, **more)
        self.assertEqual(done.stderr, "", words)
        return done.stdout

    def run_json(self, *words):
        return json.loads(self.run_ok(*words, "--json"))

    def rows(self, *words):
        return [json.loads(line) for line in self.run_ok(*words, "--json").splitlines()]

    def refused(self, code, *words, says=""):
        done = self.server.admin(*words, check=False)
        self.assertEqual(done.returncode, code, (words, done.stdout, done.stderr))
        self.assertEqual(done.stdout, "", words)
        self.assertIn(says, done.stderr, words)
        return done.stderr

    def deliver(self, subject, body="text\r\n", user="alice", **more):
        self.server.admin("deliver", "-d", user, stdin=message(subject, body, **more).decode())

    def subjects(self, *query, user="alice"):
        return [row["subject"] for row in self.rows("mail", "fetch", user, *query, "--fields", "subject")]

    # --- user ---
    def test_user_rename(self):
        self.deliver("kept")
        self.run_ok("mailbox", "create", "alice", "Work")
        self.assertEqual(self.run_ok("user", "rename", "alice", "alicia"), "")
        self.refused(3, "user", "show", "alice", says="did you mean alicia?")
        self.assertEqual(self.subjects("all", user="alicia"), ["kept"])
        self.assertIn("Work", self.run_ok("mailbox", "list", "alicia"))
        self.refused(4, "user", "rename", "alicia", "bob", says="already a user bob")
        self.refused(4, "user", "rename", "alicia", "alicia")
        self.refused(3, "user", "rename", "nobody", "somebody", says="postkeep user list")
        self.refused(1, "user", "rename", "alicia", "no/way")
        self.refused(2, "user", "rename", "alicia")
        self.run_ok("user", "delete", "bob")
        self.run_ok("user", "delete", "alicia")
        self.server.add_user("carol")
        self.refused(4, "user", "rename", "carol", "alicia", says="already mail")
        self.assertFalse((self.server.data / "user-rename").exists())
        self.check_login("carol")

    def test_user_enable_disable_and_delete(self):
        self.deliver("one")
        self.run_ok("user", "disable", "alice")
        self.assertIn("disabled", self.run_ok("user", "list"))
        self.check_login("alice", works=False)
        self.deliver("two")
        self.run_ok("user", "enable", "alice")
        self.check_login("alice")
        self.assertIn("Would remove the user alice and all mail: ",
                      self.run_ok("user", "delete", "alice", "--with-mail", "--dry-run"))
        foreseen = self.run_json("user", "delete", "alice", "--dry-run")
        self.assertEqual(foreseen["mail"]["messages"], 2)
        self.assertEqual(self.run_ok("user", "list", "--names"), "alice\nbob\n")
        self.run_ok("user", "delete", "alice", "--with-mail")
        self.assertFalse(self.server.maildir("alice").exists())
        self.refused(3, "user", "delete", "alice", "--dry-run")

    # --- mailbox ---
    def test_mailbox(self):
        self.run_ok("mailbox", "create", "alice", "Sent Items")
        self.run_ok("mailbox", "subscribe", "alice", "Sent Items")
        self.run_ok("mailbox", "special-use", "alice", "Sent Items", "sent")
        self.assertEqual(self.run_ok("mailbox", "special-use", "alice", "Sent Items"), "\\Sent\n")
        self.assertEqual(self.run_ok("mailbox", "list", "alice"),
                         "INBOX              (not subscribed)\nSent Items  \\Sent\n")
        self.run_ok("mailbox", "special-use", "alice", "Sent Items", "none")
        self.assertEqual(self.run_ok("mailbox", "special-use", "alice", "Sent Items"), "none\n")
        self.run_ok("mailbox", "unsubscribe", "alice", "Sent Items")
        self.assertEqual(self.run_ok("mailbox", "list", "alice", "--names"), "INBOX\nSent Items\n")
        self.refused(3, "mailbox", "subscribe", "alice", "Sent Itens", says="did you mean Sent Items?")
        self.refused(2, "mailbox", "special-use", "alice", "Sent Items", "attic", says="archive")
        self.refused(3, "mailbox", "list", "alise", says="did you mean alice?")
        self.refused(2, "mailbox", "lits", "alice", says="list")

    def test_mailbox_empty_and_delete(self):
        for number in range(3):
            self.deliver(f"number {number}")
        self.assertIn("Would remove 3 messages", self.run_ok("mailbox", "empty", "alice", "INBOX", "--dry-run"))
        self.assertEqual(self.run_json("mailbox", "status", "alice", "INBOX")["messages"], 3)
        self.assertIn("Removed 3 messages", self.run_ok("mailbox", "empty", "alice", "INBOX"))
        self.assertEqual(self.run_json("mailbox", "status", "alice", "INBOX")["messages"], 0)
        self.run_ok("mailbox", "create", "alice", "Old")
        self.deliver("moved")
        self.run_ok("mail", "move", "alice", "all", "Old")
        foreseen = self.run_json("mailbox", "delete", "alice", "Old", "--dry-run")
        self.assertEqual((foreseen["messages"], foreseen["dry_run"]), (1, True))
        self.assertIn("Would remove Old: 1 message", self.run_ok("mailbox", "delete", "alice", "Old", "--dry-run"))
        self.assertEqual(self.run_ok("mailbox", "delete", "alice", "Old"), "")
        self.refused(3, "mailbox", "delete", "alice", "Old")
        self.refused(1, "mailbox", "delete", "alice", "INBOX", says="mailbox empty")

    # --- mail ---
    def test_mail_search_and_fetch(self):
        self.deliver("first", "about apples\r\n")
        self.deliver("second one", "about pears\r\n")
        self.deliver("=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "about \x1b[31mcherries\r\n")
        self.run_ok("mailbox", "create", "alice", "Other")
        self.assertEqual(self.run_ok("mail", "search", "alice", "all").splitlines(), ["INBOX  1", "INBOX  2", "INBOX  3"])
        self.assertEqual(self.subjects("subject", "second one"), ["second one"])
        self.assertEqual(self.subjects("subject", "Grüße"), ["Grüße"])
        self.assertEqual(self.subjects("not body pears uid 1:2"), ["first"])
        self.assertEqual(self.run_ok("mail", "search", "alice", "body", "bananas"), "")
        row, = self.rows("mail", "search", "alice", "body apples", "--all-mailboxes")
        self.assertEqual((row["mailbox"], row["uid"], row["flags"]), ("INBOX", 1, []))
        self.assertRegex(row["date"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertIn("second one", self.run_ok("mail", "fetch", "alice", "uid 2"))
        headers = self.run_ok("mail", "fetch", "alice", "uid", "2", "--headers")
        self.assertIn("\nSubject: second one\n", headers)
        self.assertTrue(headers.endswith("\n\n"))
        self.refused(3, "mail", "search", "alice", "all", "--mailbox", "Othre", says="did you mean Other?")
        self.refused(2, "mail", "search", "alice", says="Usage: postkeep mail search USER QUERY...")
        wrong = self.refused(2, "mail", "search", "alice", "form bob")
        self.assertIn("character 5", wrong)
        self.assertIn("did you mean FROM?", wrong)
        self.assertIn("For example", wrong)
        self.refused(2, "mail", "fetch", "alice", "all", "--fields", "subjekt", says="did you mean subject?")
        self.refused(1, "mail", "search", "alice", "new")

    def test_mail_fetch_body_is_the_message_octet_by_octet(self):
        text = message("big", "line of some text, again and again\r\n" * 60_000)
        self.server.admin("deliver", "-d", "alice", stdin=text.decode())
        self.deliver("small")
        command = [binary(), "mail", "fetch", "alice", "subject", "big", "--body", "--config", str(self.server.config)]
        body = subprocess.run(command, capture_output=True, timeout=120, check=True).stdout
        self.assertTrue(body.endswith(text), (len(body), len(text)))
        stored = next(path for path in self.server.maildir().glob("*/*") if path.stat().st_size > 100_000)
        self.assertEqual(body, stored.read_bytes())
        self.refused(1, "mail", "fetch", "alice", "all", "--body", says="2 messages match")
        self.refused(3, "mail", "fetch", "alice", "subject", "none", "--body")
        self.refused(2, "mail", "fetch", "alice", "uid 1", "--body", "--json")
        self.refused(2, "mail", "fetch", "alice", "uid 1", "--body", "--headers")

    def test_mail_flags(self):
        self.deliver("one")
        self.deliver("two")
        self.assertEqual(self.run_ok("mail", "flags", "alice", "all", "--add", "seen", "--add", "$Junk"),
                         "Flagged 2 messages, 2 changed.\n")
        self.assertEqual(self.run_json("mail", "flags", "alice", "all", "--add", "\\Seen")["changed"], 0)
        self.run_ok("mail", "flags", "alice", "uid 1", "--set", "flagged answered")
        flags = {row["uid"]: row["flags"] for row in self.rows("mail", "search", "alice", "all")}
        self.assertEqual(flags, {1: ["\\Answered", "\\Flagged"], 2: ["\\Seen", "$Junk"]})
        self.run_ok("mail", "flags", "alice", "uid 1", "--set", "")
        self.run_ok("mail", "flags", "alice", "keyword $Junk", "--remove", "$junk")
        self.assertEqual([row["flags"] for row in self.rows("mail", "search", "alice", "all")], [[], ["\\Seen"]])
        self.assertEqual(self.run_ok("mail", "flags", "alice", "all", "--add", "draft", "--dry-run"),
                         "Would have flagged 2 messages.\n")
        self.assertEqual(self.run_ok("mail", "search", "alice", "draft"), "")
        self.refused(2, "mail", "flags", "alice", "all", says="--add")
        self.refused(2, "mail", "flags", "alice", "all", "--add", "\\Recent")
        self.refused(2, "mail", "flags", "alice", "all", "--add", "a", "--set", "b")

    def test_mail_copy_and_move(self):
        for number in range(3):
            self.deliver(f"number {number}")
        self.refused(3, "mail", "copy", "alice", "all", "Archive", says="--create")
        self.assertIn("Would have copied 3 messages",
                      self.run_ok("mail", "copy", "alice", "all", "Archive", "--create", "--dry-run"))
        self.assertNotIn("Archive", self.run_ok("mailbox", "list", "alice"))
        copied = self.run_json("mail", "copy", "alice", "uid", "1:2", "Archive", "--create")
        self.assertEqual((copied["messages"], copied["target"]), (2, "Archive"))
        self.assertIn("Moved 1 message", self.run_ok("mail", "move", "alice", "subject", "number 2", "Archive"))
        self.assertEqual(self.run_json("mailbox", "status", "alice", "INBOX")["messages"], 2)
        self.assertEqual(self.run_json("mailbox", "status", "alice", "Archive")["messages"], 3)
        moved = self.run_json("mail", "move", "alice", "all", "Archive", "--all-mailboxes")
        self.assertEqual(moved["mailboxes"], [{"mailbox": "INBOX", "messages": 2, "octets": moved["octets"]}])
        self.refused(1, "mail", "move", "alice", "all", "Archive", "--mailbox", "Archive", says="already")

    def test_mail_expunge_takes_what_matches_and_nothing_else(self):
        for number in range(4):
            self.deliver(f"number {number}")
        self.run_ok("mail", "flags", "alice", "uid 1", "--add", "deleted")
        self.assertIn("Would have removed 2 messages", self.run_ok("mail", "expunge", "alice", "uid 2:3", "--dry-run"))
        self.assertEqual(len(self.rows("mail", "search", "alice", "all")), 4)
        self.assertIn("Removed 2 messages", self.run_ok("mail", "expunge", "alice", "uid 2:3"))
        left = {row["uid"]: row["flags"] for row in self.rows("mail", "search", "alice", "all")}
        self.assertEqual(left, {1: ["\\Deleted"], 4: []})
        self.assertEqual(self.run_json("mail", "expunge", "alice", "uid 2:3")["messages"], 0)

    def test_errors_as_json(self):
        error = json.loads(self.refused(3, "mail", "search", "nobody", "all", "--json"))["error"]
        self.assertEqual(error["kind"], "not_found")
        self.assertIn("postkeep user list", error["text"])

    def test_wrong_words_are_answered_with_the_right_ones(self):
        self.refused(2, "usr", "list", says="did you mean user?")
        self.refused(2, "user", "lsit", says="did you mean list?")
        self.refused(2, "mail", "fetch", "alice", "all", "--feilds", "uid")


class WithoutServer(Commands, unittest.TestCase):
    def prepare(self):
        self.addCleanup(shutil.rmtree, self.server.folder, ignore_errors=True)

    def check_login(self, user, works=True):
        self.server.start()
        with self.server.raw(user=None) as client:
            answer = client.command(f"LOGIN {user} pass")[1]
        self.assertEqual(self.server.stop(), 0)
        self.assertEqual(b" OK" in answer, works, answer)


class BesideServer(Commands, unittest.TestCase):
    def prepare(self):
        self.enterContext(self.server)

    def check_login(self, user, works=True):
        with self.server.raw(user=None) as client:
            self.assertEqual(b" OK" in client.command(f"LOGIN {user} pass")[1], works)

    def test_a_rename_ends_the_sessions_and_turns_mail_away(self):
        with self.server.raw("alice") as client:
            client.must("SELECT INBOX")
            client.idle()
            self.run_ok("user", "rename", "alice", "alicia")
            client.wait_for(rb"\* BYE")
        self.check_login("alice", works=False)
        self.check_login("alicia")
        with self.assertRaises(Exception):
            self.server.deliver(message("lost"), "alice")
        self.server.deliver(message("found"), "alicia")
        self.assertEqual(self.subjects("all", user="alicia"), ["found"])
        self.assertFalse(self.server.maildir("alice").exists())

    def test_a_delivery_under_way_to_a_renamed_user_is_refused(self):
        with self.server.lmtp() as lmtp:
            lmtp.ehlo()
            lmtp.mail("sender@example.com")
            self.assertEqual(lmtp.rcpt("alice")[0], 250)
            self.run_ok("user", "rename", "alice", "alicia")
            self.assertEqual(lmtp.data(message("late"))[0], 550)
        self.assertFalse(self.server.maildir("alice").exists())

    def test_sessions_see_what_commands_do(self):
        self.server.deliver(message("one"))
        with self.server.raw() as client:
            client.must("SELECT INBOX")
            client.idle()
            self.run_ok("mail", "flags", "alice", "all", "--add", "flagged")
            client.wait_for(rb"FETCH .*\\Flagged")
            self.run_ok("mail", "expunge", "alice", "all")
            client.wait_for(rb"EXPUNGE")
            client.done()


def run(*words, **more):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120, **more)


class Manual(unittest.TestCase):
    def pages(self):
        for words in ((), ("postkeep.toml",), ("user",), ("mail", "search"), ("config", "check")):
            done = run(binary(), "man", *words)
            self.assertEqual(done.returncode, 0, done.stderr)
            yield words, done.stdout

    def test_pages_are_clean_to_mandoc(self):
        tree = neighbours.unpacked("mandoc")
        for words, page in self.pages():
            done = run(tree.program("mandoc"), "-T", "lint", "-W", "warning", input=page, env=tree.environment())
            self.assertEqual(done.stdout + done.stderr, "", words)

    def test_pages_are_clean_to_groff(self):
        groff = shutil.which("groff")
        environment, where = None, ()
        if groff is None:
            tree = neighbours.unpacked("groff-base")
            share = tree.folders("usr/share/groff/*")[0]
            groff, environment = tree.program("groff"), tree.environment()
            where = ("-F", share + "/font", "-M", share + "/tmac")
        for words, page in self.pages():
            done = run(groff, *where, "-man", "-ww", "-Tutf8", input=page, env=environment)
            self.assertEqual(done.stderr, "", words)
            self.assertIn("DESCRIPTION", re.sub(r".\x08|\x1b\[[0-9;]*m", "", done.stdout))

    def test_a_page_that_is_not_there(self):
        done = run(binary(), "man", "usr")
        self.assertEqual(done.returncode, 3)
        self.assertIn("did you mean user?", done.stderr)
        self.assertEqual(run(binary(), "completion", "tcsh").returncode, 2)


class Completion(unittest.TestCase):
    """What a shell offers when a command line is to be completed, by the scripts that postkeep prints."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(users=())
        for user in ("alice", "alina", "bob@example.org"):
            cls.server.add_user(user)
        cls.server.admin("mailbox", "create", "alice", "Sent Items")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="postkeep-test-"))
        (cls.folder / "postkeep").symlink_to(binary())
        (cls.folder / "some.toml").write_text("")
        cls.environment = dict(os.environ, PATH=f"{cls.folder}:{os.environ['PATH']}", HOME=str(cls.folder))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.server.folder, ignore_errors=True)
        shutil.rmtree(cls.folder, ignore_errors=True)

    def check_offers(self, offered):
        """`offered(line)` is what the shell offers at the line's end."""
        config = f"-c {self.server.config} "
        self.assertEqual(offered("postkeep mailb"), ["mailbox"])
        self.assertIn("rename", offered("postkeep user "))
        self.assertEqual(offered("postkeep user delete alice --dr"), ["--dry-run"])
        self.assertEqual(offered(f"postkeep {config}user show al"), ["alice", "alina"])
        self.assertEqual(offered(f"postkeep {config}mailbox special-use alice INBOX ju"), ["junk"])
        self.assertEqual(offered(f"postkeep {config}user show carol"), [])

    def script(self, shell):
        done = run(binary(), "completion", shell)
        self.assertEqual(done.returncode, 0)
        path = self.folder / f"script.{shell}"
        path.write_text(done.stdout)
        return path

    def test_bash(self):
        script = self.script("bash")
        config = f"-c {self.server.config} "
        # As readline calls it: words taken apart at COMP_WORDBREAKS, which have '@' in an interactive bash.
        program = f"""
            source {script}
            compopt() {{ COMPREPLY+=(files); }}
            COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:@'
            COMP_LINE=$1 COMP_POINT=${{#1}} COMP_WORDS=() rest=$1
            while [[ -n $rest ]]; do
              rest=${{rest#"${{rest%%[![:blank:]]*}}"}}
              word=${{rest%%[[:blank:]@]*}}
              [[ -z $word && $rest == @* ]] && word=@
              [[ -n $word ]] && COMP_WORDS+=("$word")
              rest=${{rest#"$word"}}
              [[ $rest == [[:blank:]] ]] && COMP_WORDS+=("") && rest=
            done
            COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
            _postkeep
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """

        def offered(line):
            done = run("bash", "--norc", "-c", program, "bash", line, env=self.environment)
            self.assertEqual(done.stderr, "", line)
            return [word for word in done.stdout.splitlines() if word]

        self.check_offers(offered)
        self.assertEqual(offered(f"postkeep {config}user show bob@ex"), ["example.org"])
        self.assertEqual(offered(f"postkeep {config}mailbox status alice S"), ["Sent\\ Items"])
        self.assertEqual(offered("postkeep user list --config so"), ["files"])

    def test_zsh(self):
        tree = neighbours.unpacked("zsh")
        script = self.script("zsh")
        # The completion system's own two builtins show what they are given; all else is real.
        program = f"""
            compdef() {{ : }}
            compadd() {{ print -rl -- "${{offered[@]}}" }}
            _files() {{ print files }}
            source {script}
            words=("${{(@z)1}}")
            [[ $1 == *' ' ]] && words+=('')
            CURRENT=${{#words}}
            _postkeep
        """

        def offered(line):
            done = run(tree.program("zsh"), "-f", "-c", program, "zsh", line,
                       env=tree.environment(HOME=str(self.folder)) | {"PATH": self.environment["PATH"]})
            self.assertEqual(done.stderr, "", line)
            return [word for word in done.stdout.splitlines() if word]

        self.check_offers(offered)
        self.assertEqual(offered(f"postkeep -c {self.server.config} mailbox status alice S"), ["Sent Items"])
        self.assertEqual(offered("postkeep user list --config so"), ["files"])

    def test_fish(self):
        tree = neighbours.unpacked("fish")
        script = self.script("fish")

        def offered(line):
            done = run(tree.program("fish"), "--no-config", "-c", f"source {script}; complete -C '{line}'",
                       env=tree.environment(HOME=str(self.folder)) | {"PATH": self.environment["PATH"]})
            return [word.partition("\t")[0] for word in done.stdout.splitlines() if word]

        self.check_offers(offered)
        self.assertEqual(offered(f"postkeep -c {self.server.config} mailbox status alice S"), ["Sent Items"])


if __name__ == "__main__":
    unittest.main()
