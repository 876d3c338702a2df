"""`faceshard run --hosts` over real ssh: every host a network namespace with an sshd of its own keys and configuration. The
shards have the bytes of a local run; a host that is not there is told and left out; nothing is left behind on a host."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import hosts  # noqa: E402
import run_test  # noqa: E402

FACESHARD = run_test.FACESHARD
SSHD = "/usr/sbin/sshd"
HOSTS = 3

SSHD_CONF = """
Port 22
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin yes
SetEnv TMPDIR={folder}/tmp
"""

SSH_CONF = """
Host *
  User root
  IdentityFile {folder}/user_key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known
  GlobalKnownHostsFile none
  StrictHostKeyChecking accept-new
  LogLevel ERROR
"""


def missing():
    """None, or why this cannot be tried here."""
    absent = [tool for tool in (SSHD, "/usr/bin/ssh", "/usr/bin/ssh-keygen") if not os.path.exists(tool)]
    if absent:
        return f"{', '.join(absent)} not found: package openssh-server"
    if os.geteuid() != 0:
        return "an sshd that logs somebody in has to be root"
    return hosts.missing()


def setUpModule():
    global FOLDER, NET, DAEMONS  # pylint: disable=global-statement
    FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
    NET = hosts.Hosts(HOSTS)
    (FOLDER / "tmp").mkdir()
    os.makedirs("/run/sshd", exist_ok=True)  # a place of ours: hosts.enter
    for name in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", FOLDER / name], check=True, timeout=30)
    (FOLDER / "sshd.conf").write_text(SSHD_CONF.format(folder=FOLDER))
    aliases = "".join(f"Host node-{n}\n  HostName {NET.address(n)}\n" for n in range(HOSTS))
    (FOLDER / "ssh.conf").write_text(aliases + SSH_CONF.format(folder=FOLDER))
    DAEMONS = [subprocess.Popen(NET.on(n, [SSHD, "-D", "-e", "-f", FOLDER / "sshd.conf"]), stderr=subprocess.PIPE) for n in range(HOSTS)]
    for daemon in DAEMONS:
        daemon.stderr.readline()  # "Server listening"


def tearDownModule():
    for daemon in DAEMONS:
        daemon.terminate()
        daemon.communicate()
    NET.close()
    shutil.rmtree(FOLDER)


def workers_left(kinds=(b"worker", b"compute-child")):
    """Workers and compute children in this namespace of processes."""
    left = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if len(words) > 1 and words[1] in kinds:
            left.append(int(path.parent.name))
    return left


class Ssh(run_test.JobCase):
    def setUp(self):
        super().setUp()
        self.output, self.list = self.folder / "out", self.folder / "hosts.txt"
        self.process = None

    def tearDown(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        super().tearDown()

    def start(self, *more):
        words = [FACESHARD, "run", self.job, "--input", self.input, "--output", self.output, "--log", "json", "--hosts", self.list,
                 "--ssh", f"ssh -F {FOLDER}/ssh.conf", *more]
        self.process = subprocess.Popen(NET.on(hosts.COORDINATOR, list(map(str, words))), stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        return self.process

    def logs(self):
        return "\n".join(f"== {path.name}\n" + path.read_text() for path in sorted(self.output.glob("hosts/*.log")))

    def end(self, code=0):
        said, err = self.process.communicate(timeout=120)
        self.assertEqual(self.process.returncode, code, f"{err}\n{said}\n{self.logs()}")
        return [json.loads(line) for line in said.splitlines()]

    def check_nothing_left_on_hosts(self):
        end = time.monotonic() + 30
        while workers_left() or list((FOLDER / "tmp").iterdir()):
            self.assertLess(time.monotonic(), end, f"{workers_left()} {list((FOLDER / 'tmp').iterdir())}")
            time.sleep(0.05)

    def test_hosts_give_the_bytes_of_a_local_run_and_one_that_is_not_there_is_told(self):
        run_test.write_people(self.input, 12)
        self.run_job(self.folder / "local", "--workers", 1)
        self.list.write_text("# ours\nnode-0\n\nroot@node-1 workers=2 threads=1  # two\n"
                             f"ssh://root@{NET.address(2)}:23\nnode-2 program=/nowhere/faceshard\n")
        self.start()
        events = self.end()
        self.assertEqual(run_test.sums(self.output), run_test.sums(self.folder / "local"))
        warnings = "\n".join(event["text"] for event in events if event["event"] == "warning")
        self.assertIn(f"ssh://root@{NET.address(2)}:23 cannot be reached, and is tried again: ", warnings)
        self.assertIn("refused", warnings)
        self.assertIn("node-2 has ended; the job goes on without it: faceshard is not installed here: neither /nowhere/faceshard",
                      warnings)
        self.assertEqual(len([event for event in events if event["event"] == "worker_joined"]), 3)
        self.check_nothing_left_on_hosts()

    def test_an_interrupt_or_a_kill_here_stops_the_workers_there_and_the_same_command_continues(self):
        run_test.write_people(self.input, 90)
        self.run_job(self.folder / "local", "--workers", 1)
        (self.folder / "spool").mkdir()
        self.list.write_text("".join(f"node-{n} threads=1 spool={self.folder}/spool\n" for n in range(HOSTS)))
        for number, code in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
            self.start("--set", "transport.mode=stream")
            self.wait_for_a_new_shard(self.output, self.process)
            self.process.send_signal(number)
            self.end(code)
            self.check_nothing_left_on_hosts()
            self.assertFalse((self.output / "index.h5").exists())
        self.start("--set", "transport.mode=stream")
        self.end()
        self.assertEqual(run_test.sums(self.output), run_test.sums(self.folder / "local"))
        self.check_nothing_left_on_hosts()

    def read_until_joined(self, count):
        """Events up to the one that tells of so many workers."""
        events = []
        while len([event for event in events if event["event"] == "worker_joined"]) < count:
            line = self.process.stdout.readline()
            self.assertTrue(line, f"the job ended before {count} workers had joined: {self.logs()}")
            events.append(json.loads(line))

    def test_a_worker_that_is_killed_on_a_host_is_started_again_while_others_there_run(self):
        run_test.write_people(self.input, 30)
        self.list.write_text("node-0 workers=2 threads=1\n")
        self.start()
        self.read_until_joined(2)
        killed, other = workers_left(kinds=(b"worker",))
        os.kill(other, signal.SIGSTOP)  # the job does not end meanwhile
        os.kill(killed, signal.SIGKILL)
        try:
            self.read_until_joined(1)
        finally:
            os.kill(other, signal.SIGCONT)
        self.assertIn(other, workers_left(kinds=(b"worker",)))
        with self.process:
            self.process.stdout.read()
        self.assertEqual(self.process.returncode, 0, self.logs())
        self.assertIn("a worker was killed by signal 9, and is started again", self.logs())
        self.check_nothing_left_on_hosts()

    def test_a_wrong_list_is_told_by_line_and_lost_hosts_end_the_job(self):
        run_test.write_people(self.input, 2)
        for text, said in (("", "names no host"), ("node-0\nnode-0 workers=2\n", ":2: node-0 is there twice"),
                           ("\nnode-0 workers=x\n", ":2: "), ("node-0 cores=2\n", ":1: 'cores'"), ("-oProxyCommand=x\n", ":1: '-oProxy")):
            self.list.write_text(text)
            self.start()
            _, err = self.process.communicate(timeout=60)
            self.assertEqual(self.process.returncode, 2, err)
            self.assertIn(f"{self.list}", err)
            self.assertIn(said, err)
        self.list.write_text("node-0 program=/nowhere\n")
        self.start()
        _, err = self.process.communicate(timeout=60)
        self.assertEqual(self.process.returncode, 3, err)
        self.assertIn("no worker is left", err)


def main():
    why = missing()
    if why is not None:
        print(f"skipped: no hosts that ssh reaches: {why}", flush=True)
        return 77
    hosts.enter()
    return 0 if unittest.main(verbosity=1, exit=False).result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
