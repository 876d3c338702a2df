"""Transport stream: coordinator and workers as separate commands, each worker in a mount namespace where input
and output are hidden. The result is compared, byte for byte, with that of `run` on common folders."""
import hashlib
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

import cv2
import numpy

FACESHARD = os.environ["FACESHARD"]
LIMIT_S = 120
LARGE_BYTES = 48 << 20  # of a file of zeros that costs no disk, is rejected, and takes a while on its way

JOB = """
seed: 3
units: {images: 5}
output: {size: 448}
models: {detector: none}
stages:
  - detect: {min_side: 20}
  - variants: [[], [augment], [augment: {noise: 1}]]
"""


def picture(seed):
    """A smooth random picture, 150 px, that no two seeds share."""
    draw = numpy.random.default_rng(seed)
    small = draw.integers(0, 255, (8, 8, 3), dtype=numpy.uint8)
    return cv2.resize(small, (150, 150), interpolation=cv2.INTER_CUBIC)


def write_people(folder):
    for identity in range(4):
        path = folder / f"person {identity}"
        path.mkdir(parents=True)
        for image in range(4):
            cv2.imwrite(str(path / f"{image:03d}.jpg"), picture(100 * identity + image))
        if identity % 2 == 0:
            with open(path / "large.jpg", "wb") as large:
                large.truncate(LARGE_BYTES)
    (folder / "person 1" / "empty.jpg").write_bytes(b"")
    (folder / "person 2" / "folder.jpg").mkdir()
    (folder / "person 2" / "nowhere.jpg").symlink_to("/nowhere/at/all")


def sums(output):
    files = sorted(output.glob("shards/*.h5")) + [output / "index.h5", output / "manifest.json"]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def within(folder, script):
    """A command line that runs a shell script as root of a namespace of its own, where folder is empty."""
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec",
            'mount -t tmpfs tmpfs "$1"; shift; ' + script, "sh", str(folder)]


def namespaces_are_missing():
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(within(folder, "true"), capture_output=True, timeout=60, check=False)
    return done.stderr.decode() if done.returncode else None


class Streams(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
        cls.input = cls.top / "hidden" / "people"
        cls.job = cls.top / "job.yaml"
        cls.job.write_text(JOB)
        write_people(cls.input)
        whole = cls.top / "hidden" / "whole"
        done = subprocess.run([FACESHARD, "run", cls.job, "--input", cls.input, "--output", whole, "--log", "json"],
                              capture_output=True, timeout=LIMIT_S, check=False)
        assert done.returncode == 0, done.stderr
        cls.expected = sums(whole)
        assert len(cls.expected) >= 6

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.top)

    def setUp(self):
        self.output = self.top / "hidden" / "out"
        self.spool = self.top / "spool"
        self.spool.mkdir()
        self.processes = []

    def tearDown(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdout.close()
        shutil.rmtree(self.output, ignore_errors=True)
        shutil.rmtree(self.spool)

    def start(self, command):
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.processes.append(process)
        return process

    def coordinator(self, address="tcp://127.0.0.1:*", *more):
        """Gives the process and the address that it says."""
        process = self.start([FACESHARD, "coordinator", self.job, "--input", self.input, "--output", self.output,
                              "--bind", address, "--set", "transport.mode=stream", "--log", "json", *more])
        lines = []
        for line in process.stdout:
            lines.append(line)
            if b'"started"' in line:
                return process, json.loads(line)["text"]
        self.fail(b"".join(lines).decode(errors="replace"))

    def worker(self, address, *more, spool=None):
        """It sees neither input nor output."""
        return self.start(within(self.top / "hidden", 'exec "$@"') +
                          [FACESHARD, "worker", address, "--threads", "1", "--spool", spool or self.spool, *more])

    def ends(self, process, code=0):
        said = process.communicate(timeout=LIMIT_S)[0].decode(errors="replace")
        self.assertEqual(process.returncode, code, said)
        return said

    def wait_for(self, condition):
        until = time.monotonic() + LIMIT_S
        while not (found := condition()):
            self.assertLess(time.monotonic(), until, "it did not happen")
            time.sleep(0.001)
        return found

    def half_parcel(self):
        """A parcel that is on its way: some of the large file is there, and not all."""
        sizes = []
        for path in self.spool.glob("faceshard-spool-*/parcel-*"):
            try:
                sizes.append(path.stat().st_size)
            except FileNotFoundError:
                pass
        return any(LARGE_BYTES // 20 < size < LARGE_BYTES * 3 // 4 for size in sizes)

    def half_shard(self):
        """A shard that is on its way."""
        return [path for path in self.output.glob("shards/.shard-*.tmp") if path.exists()]

    def check(self):
        self.assertEqual(sums(self.output), self.expected)
        self.assertEqual(list(self.output.glob("shards/.*")), [])
        self.assertEqual(list(self.spool.iterdir()), [], "a spool is left over")

    def test_workers_that_see_nothing_make_the_same_bytes(self):
        coordinator, address = self.coordinator()
        workers = [self.worker(address) for _ in range(2)]
        said = self.ends(coordinator)
        for worker in workers:
            self.ends(worker)
        self.check()
        done = json.loads(said.strip().splitlines()[-1])
        self.assertEqual(done["samples"], 21)
        self.assertEqual(done["samples"], done["delivered"] + sum(done["rejected"].values()))
        self.assertEqual(done["rejected"]["empty"], 1)
        self.assertEqual(done["rejected"]["not_a_file"], 1)

    def test_photographs_and_shards_go_over_an_encrypted_connection_too(self):
        keys = self.top / "keys"
        subprocess.run([FACESHARD, "keygen", keys, "--name", "host-2"], check=True, capture_output=True)
        coordinator, address = self.coordinator("tcp://127.0.0.1:*", "--keys", keys)
        worker = self.worker(address, "--keys", keys / "host-2")
        self.ends(coordinator)
        self.ends(worker)
        self.check()

    def test_run_streams_to_its_own_workers_too(self):
        done = subprocess.run([FACESHARD, "run", self.job, "--input", self.input, "--output", self.output, "--set",
                               "transport.mode=stream", "--workers", "2", "--log", "json"],
                              env={**os.environ, "TMPDIR": str(self.spool)}, capture_output=True, timeout=LIMIT_S,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check()

    def test_a_worker_killed_while_a_parcel_comes_costs_nothing(self):
        coordinator, address = self.coordinator()
        worker = self.worker(address)
        self.wait_for(self.half_parcel)
        worker.kill()
        worker.wait()
        other = self.worker(address)
        self.ends(coordinator)
        self.ends(other)
        self.check()

    def test_a_worker_killed_while_a_shard_goes_costs_nothing(self):
        coordinator, address = self.coordinator()
        worker = self.worker(address)
        self.wait_for(self.half_shard)
        worker.kill()
        worker.wait()
        other = self.worker(address)
        self.ends(coordinator)
        self.ends(other)
        self.check()

    def restart_coordinator_when(self, condition):
        first, address = self.coordinator()
        worker = self.worker(address)
        self.wait_for(condition)
        first.kill()
        first.wait()
        second, _ = self.coordinator(address)
        self.ends(second)
        self.ends(worker)
        self.check()

    def test_a_coordinator_killed_while_a_parcel_goes_continues(self):
        self.restart_coordinator_when(self.half_parcel)

    def test_a_coordinator_killed_while_a_shard_comes_continues(self):
        self.restart_coordinator_when(self.half_shard)

    def test_a_worker_stopped_for_a_while_in_a_transfer_goes_on(self):
        coordinator, address = self.coordinator()
        worker = self.worker(address)
        self.wait_for(self.half_parcel)
        worker.send_signal(signal.SIGSTOP)
        other = self.worker(address)
        self.wait_for(lambda: list(self.output.glob("shards/shard-*.h5")))
        worker.send_signal(signal.SIGCONT)
        self.ends(coordinator)
        for process in (worker, other):
            self.ends(process)
        self.check()

    def test_a_full_spool_ends_its_worker_and_names_the_place(self):
        coordinator, address = self.coordinator()
        room = self.top / "hidden"  # what is mounted over it serves as the place
        command = within(room, 'mount -o remount,size=8m "$1"; shift; exec "$@"')
        said = self.ends(self.start(command + [room, FACESHARD, "worker", address, "--threads", "1",
                                               "--spool", room]), 3)
        self.assertIn("No space left on device", said)
        self.assertIn(str(room), said)
        self.assertIn("--spool", said)
        worker = self.worker(address)
        self.ends(coordinator)
        self.ends(worker)
        self.check()

    def test_a_full_output_stops_the_job_and_it_continues_after_the_mend(self):
        self.output.mkdir()
        kept = self.top / "kept"
        command = [FACESHARD, "run", self.job, "--input", self.input, "--output", self.output, "--workers", "1",
                   "--log", "json", "--set", "transport.mode=stream"]
        script = ('mount -o remount,size=4m "$1"; code=0; out=$1; kept=$2; shift 2; "$@" || code=$?; '
                  'echo "code $code"; mount -o remount,size=400m "$out"; "$@"; cp -a "$out" "$kept"')
        process = subprocess.run(list(map(str, within(self.output, script) + [self.output, kept] + command)),
                                 env={**os.environ, "TMPDIR": str(self.spool)}, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, timeout=LIMIT_S, check=False)
        said = process.stdout.decode(errors="replace")
        self.assertEqual(process.returncode, 0, said)
        self.assertIn("code 3", said)
        self.assertIn(f"{self.output}/shards/", said)
        self.assertIn("No space left on device", said)
        self.assertEqual(sums(kept), self.expected)
        shutil.rmtree(kept)

    def test_a_picture_that_crashes_is_rejected_as_it_is_on_common_folders(self):
        library = self.spool / "poison.so"
        source = pathlib.Path(os.environ["FACESHARD_SOURCE"]) / "tests" / "poison.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        people = self.top / "poisoned"
        write_people(people)
        shutil.rmtree(people / "person 0")
        (people / "person 2" / "large.jpg").unlink()
        bad = people / "person 1" / "001.jpg"
        data = bad.read_bytes()
        bad.write_bytes(data[:2] + b"\xff\xfe\0\x0ePOISON-CRASH" + data[2:])
        found = {}
        for mode in ("shared", "stream"):
            output = self.top / f"poisoned {mode}"
            done = subprocess.run([FACESHARD, "run", self.job, "--input", people, "--output", output, "--workers", "1",
                                   "--set", f"transport.mode={mode}", "--log", "json"], capture_output=True,
                                  env={**os.environ, "LD_PRELOAD": str(library),
                                       "ASAN_OPTIONS": "verify_asan_link_order=0:handle_segv=0:" +
                                       os.environ.get("ASAN_OPTIONS", "")}, timeout=LIMIT_S, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            found[mode] = sums(output)
            last = json.loads(done.stdout.strip().splitlines()[-1])
            self.assertEqual(last["rejected"]["crashed"], 1)
            shutil.rmtree(output)
        self.assertEqual(found["shared"], found["stream"])
        library.unlink()

    def test_a_worker_with_another_model_is_told_what_differs(self):
        coordinator, address = self.coordinator()
        card = pathlib.Path(os.environ["FACESHARD_SOURCE"]) / "models" / "none.yaml"
        models = self.top / "models"
        models.mkdir()
        (models / "none.yaml").write_text(card.read_text() + "confidence: 0.125\n")
        said = self.ends(self.worker(address, "--models", models), 2)
        self.assertRegex(said, r"here 'detector none [0-9a-f]{64}', there 'detector none [0-9a-f]{64}'")
        coordinator.send_signal(signal.SIGINT)
        self.ends(coordinator, 130)


if __name__ == "__main__":
    missing = namespaces_are_missing()
    if missing:
        print("skipped: no mount namespaces here, so input and output cannot be hidden:", missing)
        sys.exit(77)
    unittest.main()
