"""The program as its users run it: whole jobs over pictures made here, seen through plain h5py."""
import hashlib
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import cv2
import h5py
import numpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import corpus  # noqa: E402

FACESHARD = os.environ["FACESHARD"]
SANITIZED = b"__asan_init" in pathlib.Path(FACESHARD).read_bytes() or b"__tsan_init" in pathlib.Path(FACESHARD).read_bytes()

JOB = """
seed: 3
units: {images: 6}
models: {detector: none}
stages:
  - detect: {min_side: 20}
  - sample: {per_class: 4}
  - variants: [[], [augment], [augment: {noise: 1}]]
"""


def picture(seed):
    """A smooth random picture, 150 px, that no two seeds share."""
    draw = numpy.random.default_rng(seed)
    small = draw.integers(0, 255, (8, 8, 3), dtype=numpy.uint8)
    return cv2.resize(small, (150, 150), interpolation=cv2.INTER_CUBIC)


def write_people(folder, identities=5, most=7):
    count = 0
    for identity in range(identities):
        path = folder / f"person {identity}"
        path.mkdir(parents=True)
        for image in range(1 + (identity * 3) % most):
            cv2.imwrite(str(path / f"{image:03d}.jpg"), picture(100 * identity + image))
            count += 1
    return count


def sums(output):
    files = sorted(output.glob("shards/*.h5")) + [output / "index.h5", output / "manifest.json"]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


class JobCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
        self.input = self.folder / "people"
        self.job = self.folder / "job.yaml"
        self.job.write_text(JOB)

    def tearDown(self):
        shutil.rmtree(self.folder)

    def faceshard(self, *words, code=0):
        done = subprocess.run([FACESHARD, *map(str, words)], capture_output=True, timeout=300, check=False)
        self.assertEqual(done.returncode, code, done.stderr.decode(errors="replace") + done.stdout.decode(errors="replace"))
        return done

    def wait_for_a_new_shard(self, output, process):
        """While process makes them. A shard is seen sooner than a line of --log json, which comes once a second."""
        before = len(list(output.glob("shards/*.h5")))
        while len(list(output.glob("shards/*.h5"))) <= before:
            self.assertIsNone(process.poll(), "it ended first")
            time.sleep(0.005)

    def run_job(self, output, *more, code=0):
        done = self.faceshard("run", self.job, "--input", self.input, "--output", output, "--log", "json", *more, code=code)
        return json.loads(done.stdout.decode().strip().splitlines()[-1]) if code == 0 else done


class Jobs(JobCase):
    def test_the_same_job_gives_the_same_bytes_however_it_is_run(self):
        write_people(self.input)
        outputs = [self.folder / name for name in ("one", "three", "units")]
        self.run_job(outputs[0], "--workers", 1)
        self.run_job(outputs[1], "--workers", 3, "--threads", 2)
        places = ("--input", self.input, "--output", outputs[2])
        plan = self.faceshard("plan", self.job, *places).stdout.decode().split()
        self.assertEqual(plan[-2], "units")
        for unit in reversed(range(int(plan[-1]))):
            self.faceshard("unit", self.job, unit, *places)
        self.faceshard("finish", self.job, *places)
        self.assertGreater(len(sums(outputs[0])), 4)
        self.assertEqual(sums(outputs[0]), sums(outputs[1]))
        self.assertEqual(sums(outputs[0]), sums(outputs[2]))

    def test_tasks_of_an_array_share_the_units_and_a_repeated_task_keeps_what_is_there(self):
        write_people(self.input)
        self.run_job(self.folder / "one", "--workers", 1)
        places = ("--input", self.input, "--output", self.folder / "tasks")
        units = int(self.faceshard("plan", self.job, *places).stdout.split()[-1])
        self.assertGreater(units, 3)
        for word in (str(units), f"0-{units}", "2-1", "x", "-1", "0-2:0", "0:2x", "3-:"):
            self.assertIn(f"unit '{word}'", self.faceshard("unit", self.job, word, *places, code=2).stderr.decode())
        shards = self.folder / "tasks" / "shards"
        done = self.faceshard("unit", self.job, "1-:2", *places).stdout.decode().splitlines()
        self.assertEqual([line.split(":")[0] for line in done], [f"unit {k}" for k in range(1, units, 2)])
        (shards / "shard-000001.h5").write_bytes((shards / "shard-000003.h5").read_bytes())  # is not what it says
        kept = (shards / "shard-000003.h5").stat().st_ino
        done = self.faceshard("unit", self.job, f"0-{units - 1}", *places).stdout.decode().splitlines()
        self.assertEqual([line.endswith("made before") for line in done], [k % 2 == 1 and k > 1 for k in range(units)])
        self.assertEqual((shards / "shard-000003.h5").stat().st_ino, kept)
        self.assertEqual(self.faceshard("unit", self.job, f"{units + 5}-:7", *places).stdout, b"")  # more tasks than units
        self.faceshard("unit", self.job, 3, "--again", *places)
        self.assertNotEqual((shards / "shard-000003.h5").stat().st_ino, kept)
        self.faceshard("finish", self.job, *places)
        self.assertEqual(sums(self.folder / "tasks"), sums(self.folder / "one"))

    def test_plain_h5py_reads_what_was_counted(self):
        count = write_people(self.input)
        done = self.run_job(self.folder / "out")
        self.assertEqual(done["samples"], count)
        self.assertEqual(done["samples"], done["delivered"] + sum(done["rejected"].values()))
        with h5py.File(self.folder / "out" / "index.h5") as index:
            self.assertEqual(index["images"].shape, (done["images"], 112, 112, 3))
            self.assertEqual(done["images"], 3 * done["delivered"])
            self.assertTrue(index["images"][done["images"] - 1].any())
            per_class = numpy.bincount(index["label"][:]) // 3
            self.assertLessEqual(per_class.max(), 4)
            names = [name.decode() for name in index["identities/name"][:]]
            self.assertEqual(names, sorted(f"person {i}" for i in range(5)))
            source = index["source"][0].decode()
            self.assertTrue((self.input / source).is_file())
            self.assertEqual(len(index["rejected/source"]), sum(done["rejected"].values()))

    def test_the_original_is_the_crop(self):
        write_people(self.input, 1)
        self.run_job(self.folder / "out")
        with h5py.File(self.folder / "out" / "shards" / "shard-000000.h5") as shard:
            stored = shard["images"][0].astype(int)
        pixels = cv2.imread(str(self.input / "person 0" / "000.jpg"))[:, :, ::-1]
        expected = cv2.resize(pixels, (112, 112), interpolation=cv2.INTER_LINEAR).astype(int)
        self.assertLess(numpy.abs(stored - expected).mean(), 2)

    def test_jpeg_and_png_hold_the_same_pictures(self):
        write_people(self.input, 2)
        for encoding in ("raw", "png"):
            self.run_job(self.folder / encoding, "--set", f"output.encoding={encoding}")
        with h5py.File(self.folder / "raw" / "index.h5") as raw, h5py.File(self.folder / "png" / "index.h5") as png:
            decoded = cv2.imdecode(numpy.asarray(png["images"][1], dtype=numpy.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
            self.assertTrue((decoded == raw["images"][1]).all())

    def test_whoever_may_not_open_all_shards_at_once_is_told(self):
        write_people(self.input)
        output = self.folder / "out"
        self.run_job(output)
        words = list(map(str, (FACESHARD, "finish", self.job, "--input", self.input, "--output", output)))
        for most, told in ((90, True), (1024, False)):
            done = subprocess.run(words, capture_output=True, timeout=300, check=True, text=True,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, 4096)))
            self.assertEqual("ulimit -n" in done.stdout, told, done.stdout)

    def test_a_finished_job_is_not_run_again(self):
        write_people(self.input, 2)
        first = self.run_job(self.folder / "out")
        before = sums(self.folder / "out")
        again = self.run_job(self.folder / "out")
        self.assertEqual(before, sums(self.folder / "out"))
        self.assertEqual(first["images"], again["images"])

    def test_a_killed_run_continues_to_the_same_bytes(self):
        write_people(self.input, 12, 40)
        self.run_job(self.folder / "whole")
        out = self.folder / "killed"
        command = [FACESHARD, "run", str(self.job), "--input", str(self.input), "--output", str(out), "--log", "json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            for line in process.stdout:
                if b'"progress"' in line or b'"worker_joined"' in line:
                    process.send_signal(signal.SIGKILL)
                    break
        self.run_job(out)
        self.assertEqual(sums(out), sums(self.folder / "whole"))

    def test_every_bad_file_has_its_reason_and_the_counts_add_up(self):
        face = self.folder / "face.png"
        cv2.imwrite(str(face), cv2.resize(picture(1), (250, 250)))
        cases = [case for case in corpus.write(os.fsencode(self.input), str(face)) if case.outcome]
        self.assertGreaterEqual(len(cases), 40)
        self.job.write_text("models: {detector: none}\nstages:\n  - detect: {min_side: 0}\n")
        done = self.run_job(self.folder / "out")
        self.assertEqual(done["samples"], len(cases))
        self.assertEqual(done["samples"], done["delivered"] + sum(done["rejected"].values()))
        with h5py.File(self.folder / "out" / "index.h5") as index:
            found = {source: "delivered" for source in index["source"][:]}
            found.update(zip(index["rejected/source"][:], (r.decode() for r in index["rejected/reason"][:])))
        for case in cases:
            # Without a detector every picture is a face.
            expected = "delivered" if case.outcome in ("no_face", "face_too_small") else case.outcome
            self.assertEqual(found.get(case.path), expected, case)

    def test_mistakes_end_with_their_exit_code_and_a_remedy(self):
        self.input.mkdir()
        self.assertIn(b"identit", self.run_job(self.folder / "out", code=2).stderr)
        self.assertIn(b"margn", self.run_job(self.folder / "out", "--set", "stages.detect.margn=1", code=2).stderr)
        missing = self.faceshard("run", self.folder / "none.yaml", code=3)
        self.assertIn(b"none.yaml", missing.stderr)
        model = self.run_job(self.folder / "out", "--set", "models.detector=no_such_card", code=3)
        self.assertIn(b"no_such_card", model.stderr)
        self.faceshard("nonsense", code=2)
        self.faceshard("--help")
        for command in ("run", "plan", "unit", "finish", "coordinator", "worker", "inspect", "stages", "doctor", "keygen", "verify-output", "clean-store"):
            self.assertIn(command.encode(), self.faceshard(command, "--help").stdout)

    def test_too_many_rejected_is_exit_code_1(self):
        write_people(self.input, 2)
        (self.input / "person 0" / "bad.jpg").write_bytes(b"")
        self.run_job(self.folder / "out", "--set", "limits.max_rejected=0", code=1)


if __name__ == "__main__":
    unittest.main()
