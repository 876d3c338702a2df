"""Chaos: a job with eight workers, each on a host of its own, while somebody kills, stops and cuts off workers, their
compute processes and the coordinator, several times a second, until the job ends. Its shards have the bytes of an
undisturbed run with one worker, and every sample is in it once.

Two rounds (one with a sanitizer, which is slow); FSH_LONG=1: fifty; FSH_CHAOS_ROUNDS, FSH_CHAOS_SEED: as asked for. The seed of every round is printed. Where
there can be no network namespaces the links are left alone and the test ends with 77, but all else is done."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from collections import Counter

import cv2
import h5py

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import hosts  # noqa: E402
import run_test  # noqa: E402

FACESHARD = run_test.FACESHARD
SANITIZED = run_test.SANITIZED
ROUNDS = int(os.environ.get("FSH_CHAOS_ROUNDS", 50 if os.environ.get("FSH_LONG") else 1 if SANITIZED else 2))
SEED = int(os.environ.get("FSH_CHAOS_SEED", time.time_ns() % 1000000))
WORKERS = 8
ROUND_LIMIT_S = 1200 if SANITIZED else 500
PAUSE_S = (0.05, 0.8)   # between two faults
MEND_S = (0.2, 4.0)     # until a stopped process goes on, a cut link is whole
FORGOTTEN_S = 25.0      # a worker that is left stopped, about; the coordinator gives it up after 15
LEAVING_S = 5           # for a worker, after its coordinator has ended

JOB = """
seed: 7
units: {images: 10}
models: {detector: none}
limits: {image_seconds: 3600}
stages:
  - detect: {min_side: 20}
  - sample: {per_class: 8}
  - variants: [[], [augment], [augment: {noise: 1}], [augment]]
"""


def write_people(folder):
    """36 people with 1 to 12 pictures, and some files that are none."""
    for identity in range(36):
        path = folder / f"person {identity:02d}"
        path.mkdir(parents=True)
        for image in range(1 + (identity * 5) % 12):
            cv2.imwrite(str(path / f"{image:03d}.jpg"), run_test.picture(1000 * identity + image))
        if identity % 7 == 0:
            (path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    return sum(len(files) for _, _, files in os.walk(folder))


def compute_child(pid):
    """The process that a worker started, or None."""
    try:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return None
    return int(children[0]) if children else None


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


class Host:
    """One worker at a time, started again when it has ended: what an engine does."""

    def __init__(self, round_, number):
        self.round, self.number = round_, number
        self.process = None
        self.forgotten = []  # left stopped
        self.ends = Counter()

    def start(self):
        spool = self.round.folder / f"spool-{self.number}"
        spool.mkdir(exist_ok=True)
        self.process = self.round.start(self.number, ["worker", self.round.address, "--threads", 1, "--spool", spool, "--keys",
                                                      self.round.keys], f"worker-{self.number}.log")

    def mind(self):
        if self.process and self.process.poll() is not None:
            self.ends[self.process.returncode] += 1
            self.process = None
        if not self.process:
            self.start()

    def forget(self):
        self.forgotten.append(self.process)
        self.process = None


class Round:
    def __init__(self, test, net, seed, stream):
        self.test, self.net, self.seed = test, net, seed
        self.stream = stream
        self.draw = random.Random(seed)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="chaos-", dir=test.folder))
        self.output, self.keys = self.folder / "out", test.keys
        self.address = f"tcp://{net.address()}:8685" if net else f"ipc://{self.folder}/wire"
        self.faults = Counter()
        self.due = []  # (time, what mends a fault)
        self.coordinator = None
        self.coordinators = 0
        self.resting_until = 0
        self.hosts = [Host(self, number) for number in range(WORKERS)]

    # ---- processes ----

    def start(self, place, words, log):
        command = [FACESHARD, *map(str, words)]
        with open(self.folder / log, "ab") as out:
            return subprocess.Popen(self.net.on(place, command) if self.net else command, stdin=subprocess.DEVNULL,
                                    stdout=out, stderr=out)

    def start_coordinator(self):
        self.coordinators += 1
        self.coordinator = self.start(hosts.COORDINATOR, [
            "coordinator", self.test.job, "--input", self.test.input, "--output", self.output, "--bind", self.address,
            "--keys", self.keys, "--log", "json", "--set", f"transport.mode={'stream' if self.stream else 'shared'}"],
            "coordinator.log")

    def mind_coordinator(self):
        """True: the job has ended."""
        if self.coordinator and self.coordinator.poll() is not None:
            code = self.coordinator.returncode
            self.coordinator = None
            if code == 0:
                return True
            self.test.assertIn(code, (-signal.SIGKILL, -signal.SIGTERM, 130), self.tell())
            self.resting_until = time.monotonic() + self.draw.choice((0, 0, 0.3, 1.5))
        if not self.coordinator and time.monotonic() >= self.resting_until:
            self.start_coordinator()
        return False

    # ---- faults ----

    def later(self, mend, seconds=None):
        self.due.append((time.monotonic() + (seconds or self.draw.uniform(*MEND_S)), mend))

    def stop_for_a_while(self, pid):
        if send(pid, signal.SIGSTOP):
            self.later(lambda: send(pid, signal.SIGCONT))
            return True
        return False

    def coordinator_killed(self, _host):
        return self.coordinator and send(self.coordinator.pid, signal.SIGKILL)

    def coordinator_stopped(self, _host):
        return self.coordinator and self.stop_for_a_while(self.coordinator.pid)

    def coordinator_told_to_end(self, _host):
        return self.coordinator and send(self.coordinator.pid, signal.SIGTERM)

    def worker_killed(self, host):
        return send(host.process.pid, signal.SIGKILL)

    def worker_stopped(self, host):
        return self.stop_for_a_while(host.process.pid)

    def worker_left_stopped(self, host):
        """Its place is taken; it wakes when its units have long been with others."""
        worker = host.process
        child = compute_child(worker.pid)
        send(worker.pid, signal.SIGSTOP)
        if child:
            send(child, signal.SIGSTOP)
        host.forget()

        def wake():
            for pid in filter(None, (child, worker.pid)):
                send(pid, signal.SIGCONT)
        self.later(wake, FORGOTTEN_S * self.draw.uniform(0.1, 1.5))
        return True

    def worker_told_to_end(self, host):
        return send(host.process.pid, signal.SIGTERM)

    def child_killed(self, host):
        child = compute_child(host.process.pid)
        return child and send(child, signal.SIGKILL)

    def child_stopped(self, host):
        child = compute_child(host.process.pid)
        return child and self.stop_for_a_while(child)

    def link_cut(self, host):
        place = self.draw.choice((host.number, host.number, hosts.COORDINATOR))
        self.net.cut(place)
        self.later(lambda: self.net.heal(place))
        return True

    def link_slowed(self, host):
        self.net.slow(host.number)
        self.later(lambda: self.net.heal(host.number))
        return True

    def power_lost(self, host):
        """A host goes without a word: cut off, killed, and back when it has been forgotten."""
        self.net.cut(host.number)
        child = compute_child(host.process.pid)
        for pid in filter(None, (host.process.pid, child)):
            send(pid, signal.SIGKILL)
        self.later(lambda: self.net.heal(host.number), self.draw.uniform(0.5, 8))
        return True

    ANYWHERE = [(coordinator_killed, 4), (coordinator_stopped, 2), (coordinator_told_to_end, 1), (worker_killed, 8),
                (worker_stopped, 4), (worker_left_stopped, 2), (worker_told_to_end, 3), (child_killed, 5), (child_stopped, 4)]
    ON_LINKS = [(link_cut, 5), (link_slowed, 4), (power_lost, 2)]

    def harm(self):
        kinds, weights = zip(*(self.ANYWHERE + (self.ON_LINKS if self.net else [])))
        fault = self.draw.choices(kinds, weights)[0]
        host = self.draw.choice(self.hosts)
        if host.process and fault(self, host):
            self.faults[fault.__name__] += 1

    def mend(self, everything=False):
        now = time.monotonic()
        for due in [due for due in self.due if everything or due[0] <= now]:
            self.due.remove(due)
            due[1]()

    # ---- a whole round ----

    def run(self):
        end = time.monotonic() + ROUND_LIMIT_S
        next_fault = time.monotonic() + 1
        try:
            while not self.mind_coordinator():
                self.test.assertLess(time.monotonic(), end, self.tell())
                for host in self.hosts:
                    host.mind()
                self.mend()
                if time.monotonic() >= next_fault:
                    self.harm()
                    next_fault = time.monotonic() + self.draw.uniform(*PAUSE_S)
                time.sleep(0.02)
        finally:
            self.mend(everything=True)
            self.end_workers()
        self.check_workers()
        return self.check_output()

    def end_workers(self):
        """What still runs is no part of the job any more."""
        processes = [p for host in self.hosts for p in (host.process, *host.forgotten) if p]
        processes += [self.coordinator] if self.coordinator else []
        for process in processes:
            try:
                process.wait(LEAVING_S if process is not self.coordinator else 0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def check_workers(self):
        """A worker ends when it is killed, told to end, or sent home; no fault is a reason to give up."""
        ends = sum((host.ends for host in self.hosts), Counter())
        self.test.assertLessEqual(set(ends), {0, 130, -signal.SIGKILL, -signal.SIGTERM}, self.tell())

    def check_output(self):
        done = json.loads((self.folder / "coordinator.log").read_text().strip().splitlines()[-1])
        self.test.assertEqual(done["event"], "done", self.tell())
        self.test.assertEqual(done["samples"], self.test.samples, self.tell())
        self.test.assertEqual(done["samples"], done["delivered"] + sum(done["rejected"].values()), self.tell())
        self.test.assertEqual(run_test.sums(self.output), self.test.expected, self.tell())
        self.test.assertEqual([p.name for p in (self.output / "shards").iterdir() if not p.name.endswith(".h5")], [])
        with h5py.File(self.output / "index.h5") as index:
            rows = Counter(zip(index["source"][:], index["variant"][:]))
            sources = {source for source, _ in rows} | set(index["rejected/source"][:])
        self.test.assertEqual(max(rows.values()), 1, "a sample is there twice")
        self.test.assertEqual(len(sources), self.test.samples, "a sample is missing")

    def tell(self):
        logs = [f"== {path.name}\n" + path.read_text(errors="replace")[-1500:] for path in sorted(self.folder.glob("*.log"))]
        return f"round with FSH_CHAOS_SEED={self.seed}, {dict(self.faults)}\n" + "\n".join(logs)


class Chaos(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
        self.input, self.job, self.keys = self.folder / "people", self.folder / "job.yaml", self.folder / "keys"
        self.job.write_text(JOB)
        self.samples = write_people(self.input)
        self.net = None if hosts.missing() else hosts.Hosts(WORKERS)
        subprocess.run([FACESHARD, "keygen", self.keys], check=True, capture_output=True, timeout=60)
        self.expected = {}

    def tearDown(self):
        if self.net:
            self.net.close()
        shutil.rmtree(self.folder)

    def run_undisturbed(self, output):
        subprocess.run([FACESHARD, "run", self.job, "--input", self.input, "--output", output, "--workers", "1", "--log",
                        "quiet"], check=True, timeout=300)
        return run_test.sums(output)

    def test_no_fault_changes_a_byte(self):
        self.expected = self.run_undisturbed(self.folder / "undisturbed")
        self.assertGreater(len(self.expected), 20)
        survived = Counter()
        for number in range(ROUNDS):
            begin = time.monotonic()
            round_ = Round(self, self.net, SEED + number, stream=number % 2 == 1)
            round_.run()
            survived += round_.faults
            print(f"round {number + 1} of {ROUNDS}, seed {round_.seed}, {'stream' if round_.stream else 'shared'}: "
                  f"{sum(round_.faults.values())} faults survived in {time.monotonic() - begin:.0f} s, "
                  f"{round_.coordinators} coordinators", flush=True)
            shutil.rmtree(round_.folder)
        print(f"{sum(survived.values())} faults survived: " + ", ".join(f"{n} {name}" for name, n in survived.most_common()),
              flush=True)


def main():
    why = hosts.missing()
    if why is None:
        hosts.enter()
    result = unittest.main(verbosity=1, exit=False).result
    if not result.wasSuccessful():
        return 1
    if why:
        print(f"skipped: links were not cut, for there are no network namespaces: {why}", flush=True)
        return 77
    return 0


if __name__ == "__main__":
    sys.exit(main())
