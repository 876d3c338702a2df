"""Who has no business here: strangers at the address of a coordinator with keys, while a job runs. Nobody comes in, the
shards have the same bytes as those of an undisturbed run, and the counts say what was tried."""
import json
import os
import pathlib
import random
import resource
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import run_test  # noqa: E402

FACESHARD = run_test.FACESHARD
LIMIT_S = 120
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00"
CURVE = GREETING + b"CURVE".ljust(20, b"\0") + bytes(32)
NULL = GREETING + b"NULL".ljust(20, b"\0") + bytes(32)
GIB = struct.pack(">Q", 1 << 30)


def garbage(draw):
    """What a stranger may say, by turns: noise, a wrong mechanism, frames of 1 GiB, half a greeting."""
    while True:
        yield draw.randbytes(2000)
        yield NULL + b"\x04\x26\x05READY" + draw.randbytes(200)
        yield CURVE + b"\x06" + GIB + draw.randbytes(500)  # a command of 1 GiB
        yield CURVE + b"\x02" + GIB + draw.randbytes(500)  # a message of 1 GiB
        yield CURVE + b"\x04\xc8\x05HELLO" + draw.randbytes(194)
        yield CURVE[:30]
        yield GREETING + draw.randbytes(52) + draw.randbytes(3000)
        yield b"GET / HTTP/1.1\r\nHost: faceshard\r\n\r\n"


class Coordinator:
    """A coordinator in a process of its own, with its events."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.events = []
        self.port = int(self.wait_for("started")["text"].rsplit(":", 1)[1])

    def wait_for(self, kind):
        """The next event of a kind; the test's own time limit ends a wait for what never comes."""
        for line in self.process.stdout:
            self.events.append(json.loads(line))
            if self.events[-1]["event"] == kind:
                return self.events[-1]
        raise AssertionError(f"no event {kind}: {self.events[-3:]}, {self.process.stderr.read()}")

    def seen(self, kind):
        return [event for event in self.events if event["event"] == kind]

    def memory_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


class Recorder:
    """A way to the coordinator that remembers what a worker says on it."""

    def __init__(self, port):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.target = port
        self.said = b""
        self.thread = threading.Thread(target=self.carry)
        self.thread.start()

    def carry(self):
        worker, _ = self.server.accept()
        coordinator = socket.create_connection(("127.0.0.1", self.target))
        ends = {worker: coordinator, coordinator: worker}
        with worker, coordinator, selectors.DefaultSelector() as selector:
            for end in ends:
                selector.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    try:
                        data = key.fileobj.recv(65536)
                        ends[key.fileobj].sendall(data)
                    except OSError:
                        data = b""
                    if not data:
                        return
                    if key.fileobj is worker:
                        self.said += data

    def close(self):
        self.thread.join()
        self.server.close()


class Intruders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.shared)
        cls.input = cls.shared / "people"
        cls.job = cls.shared / "job.yaml"
        cls.job.write_text(run_test.JOB)
        run_test.write_people(cls.input, 12, 40)
        undisturbed = cls.shared / "undisturbed"
        subprocess.run([FACESHARD, "run", cls.job, "--input", cls.input, "--output", undisturbed, "--workers", "1",
                        "--log", "quiet"], check=True, timeout=LIMIT_S)
        cls.undisturbed = run_test.sums(undisturbed)

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
        self.started = []
        self.keys = self.folder / "keys"
        self.faceshard("keygen", self.keys)

    def tearDown(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder)

    def faceshard(self, *words, code=0):
        done = subprocess.run([FACESHARD, *map(str, words)], capture_output=True, timeout=LIMIT_S, check=False)
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        return done.stderr.decode()

    def serve(self, name):
        coordinator = Coordinator([FACESHARD, "coordinator", self.job, "--input", self.input, "--output", self.folder / name,
                                   "--bind", "tcp://127.0.0.1:*", "--keys", self.keys, "--log", "json"])
        self.addCleanup(coordinator.stop)
        return coordinator

    def work(self, port, keys):
        worker = subprocess.Popen([FACESHARD, "worker", f"tcp://127.0.0.1:{port}", "--keys", keys, "--threads", "1"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(worker.stderr.close)
        self.started.append(worker)
        return worker

    def finish(self, coordinator, name):
        """The job ends well, and its bytes are those of a run that nobody has disturbed."""
        done = coordinator.wait_for("done")
        self.assertEqual(coordinator.process.wait(LIMIT_S), 0)
        self.assertEqual(coordinator.seen("unit_failed"), [])
        self.assertEqual(run_test.sums(self.folder / name), self.undisturbed)
        return done["refused"]

    def copy_keys(self, name):
        """A worker's folder whose key is not on the list, but which knows the coordinator."""
        self.faceshard("keygen", self.folder / name)
        shutil.copy(self.keys / "coordinator.public", self.folder / name)
        return self.folder / name

    def test_who_has_no_listed_key_is_told_why_and_whoever_is_added_comes_in(self):
        coordinator = self.serve("out")
        address = f"tcp://127.0.0.1:{coordinator.port}"
        self.assertIn("--keys", self.faceshard("worker", address, code=3))
        self.faceshard("keygen", self.folder / "other")
        self.assertIn("coordinator.public", self.faceshard("worker", address, "--keys", self.folder / "other", code=3))
        alien = self.copy_keys("alien")
        key = (alien / "worker.public").read_text().split()[0]
        self.assertIn(key, self.faceshard("worker", address, "--keys", alien, code=3))
        self.assertIn(key, coordinator.wait_for("warning")["text"])
        self.assertEqual(coordinator.seen("worker_joined"), [])
        with open(self.keys / "allowed", "a", encoding="ascii") as allowed:
            allowed.write((alien / "worker.public").read_text())
        worker = self.work(coordinator.port, alien)
        refused = self.finish(coordinator, "out")
        self.assertEqual(worker.wait(LIMIT_S), 0)
        self.assertEqual(refused["keys"], 1)
        self.assertGreaterEqual(refused["connections"], 3)

    def test_a_key_that_is_taken_off_the_list_is_out_at_once(self):
        self.faceshard("keygen", self.keys, "--name", "leaver")
        coordinator = self.serve("out")
        worker = self.work(coordinator.port, self.keys / "leaver")
        coordinator.wait_for("worker_joined")
        allowed = self.keys / "allowed"
        lines = [line for line in allowed.read_text().splitlines(True) if not line.endswith(" leaver\n")]
        allowed.write_text("".join(lines))
        coordinator.process.send_signal(signal.SIGHUP)
        self.assertIn("taken off", coordinator.wait_for("worker_left")["text"])
        self.assertIn("taken off", worker.stderr.read().decode())
        self.assertEqual(worker.wait(LIMIT_S), 3)
        self.faceshard("worker", f"tcp://127.0.0.1:{coordinator.port}", "--keys", self.keys / "leaver", code=3)
        self.work(coordinator.port, self.keys)
        self.assertGreaterEqual(self.finish(coordinator, "out")["messages"], 1)

    def test_a_broken_list_lets_nobody_in_until_it_is_mended(self):
        coordinator = self.serve("out")
        allowed = (self.keys / "allowed").read_text()
        (self.keys / "allowed").write_text(allowed + "not a key\n")
        coordinator.process.send_signal(signal.SIGHUP)
        self.assertIn("line 4", coordinator.wait_for("warning")["text"])
        self.faceshard("worker", f"tcp://127.0.0.1:{coordinator.port}", "--keys", self.keys, code=3)
        (self.keys / "allowed").write_text(allowed)
        self.work(coordinator.port, self.keys)
        self.finish(coordinator, "out")

    def test_noise_and_frames_of_a_gigabyte_disturb_nobody(self):
        coordinator = self.serve("out")
        self.work(coordinator.port, self.keys)
        coordinator.wait_for("worker_joined")
        words, ends = garbage(random.Random(1)), []
        for _ in range(400):
            ends.append(socket.create_connection(("127.0.0.1", coordinator.port)))
            ends[-1].sendall(next(words))
        memory = coordinator.memory_mb()
        refused = self.finish(coordinator, "out")
        for end in ends:
            end.close()
        self.assertGreaterEqual(refused["connections"], 400)
        self.assertEqual(len(coordinator.seen("worker_joined")), 1)
        self.assertLess(memory, 400, "MB: frames that are only announced take no memory")

    def test_ten_thousand_connections_disturb_nobody(self):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        wanted = min(10000, hard - 100)
        coordinator = self.serve("out")
        self.work(coordinator.port, self.keys)
        coordinator.wait_for("worker_joined")
        ends, begun = [], time.monotonic()
        for _ in range(wanted):
            end = socket.socket()
            end.setblocking(False)
            end.connect_ex(("127.0.0.1", coordinator.port))
            ends.append(end)
        self.assertLess(time.monotonic() - begun, LIMIT_S)
        refused = self.finish(coordinator, "out")
        for end in ends:
            end.close()
        self.assertGreater(refused["connections"], 100)
        self.assertLess(refused["connections"], wanted)
        self.assertEqual(len(coordinator.seen("worker_joined")), 1)
        self.assertEqual(len(coordinator.seen("worker_left")), 1)

    def test_what_a_worker_has_said_once_is_worth_nothing_when_it_is_said_again(self):
        first = self.serve("first")
        recorder = Recorder(first.port)
        self.work(recorder.port, self.keys)
        self.finish(first, "first")
        recorder.close()
        self.assertGreater(len(recorder.said), 1000)
        second = self.serve("second")
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", second.port)) as end:
                end.settimeout(LIMIT_S)
                end.sendall(recorder.said)
                try:
                    while end.recv(65536):
                        pass
                except ConnectionError:
                    pass
        self.assertEqual(second.seen("worker_joined"), [])
        self.work(second.port, self.keys)
        refused = self.finish(second, "second")
        self.assertEqual(refused["connections"], 3)
        self.assertEqual(len(second.seen("worker_joined")), 1)


if __name__ == "__main__":
    unittest.main()
