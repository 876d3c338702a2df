"""Pictures that crash, hang or bloat the compute process: each is rejected with its reason, and all others are as
if it had not been there. The faults are real ones, in a libjpeg-turbo that tests/poison.c puts before the program."""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

import cv2
import h5py
import numpy

FACESHARD = os.environ["FACESHARD"]
SOURCE = pathlib.Path(os.environ["FACESHARD_SOURCE"])
SECONDS = 3

JOB = f"""
units: {{images: 500}}
models: {{detector: none}}
limits: {{image_seconds: {SECONDS}}}
stages:
  - detect: {{min_side: 0}}
  - variants: [[], [augment]]
"""


def picture(seed):
    draw = numpy.random.default_rng(seed)
    return cv2.resize(draw.integers(0, 200, (5, 5, 3), dtype=numpy.uint8), (60, 60))


def write_people(folder, identities, images):
    for identity in range(identities):
        path = folder / f"person {identity:02d}"
        path.mkdir(parents=True)
        for image in range(images):
            cv2.imwrite(str(path / f"{image:03d}.jpg"), picture(1000 * identity + image))


def add_comment(path, word):
    """A JPEG comment: the picture stays what it was."""
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xfe" + (len(word) + 2).to_bytes(2, "big") + word + data[2:])


def shards(output):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in output.glob("shards/*.h5")}


def rejected(output):
    with h5py.File(output / "index.h5") as index:
        return {source.decode(): (reason.decode(), value) for source, reason, value in
                zip(index["rejected/source"][:], index["rejected/reason"][:], index["rejected/value"][:])}


def rows(output):
    """Every column of the index that has a value per picture, by name."""
    with h5py.File(output / "index.h5") as index:
        n = len(index["source"])
        return {name: index[name][:] for name in index
                if isinstance(index[name], h5py.Dataset) and index[name].shape[:1] == (n,)}


def same(one, two):
    if one.dtype != object:
        return numpy.array_equal(one, two, equal_nan=one.dtype.kind == "f")
    return len(one) == len(two) and all(numpy.array_equal(a, b) for a, b in zip(one, two))


class Poison(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="faceshard-test-"))
        cls.preload = cls.folder / "poison.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", cls.preload, SOURCE / "tests" / "poison.c", "-ldl"], check=True)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        self.input = self.place / "people"
        self.job = self.place / "job.yaml"
        self.job.write_text(JOB)

    def environment(self, poisoned):
        environment = dict(os.environ)
        if poisoned:
            environment["LD_PRELOAD"] = str(self.preload)
            environment["ASAN_OPTIONS"] = "verify_asan_link_order=0:handle_segv=0:" + environment.get("ASAN_OPTIONS", "")
        return environment

    def faceshard(self, *words, poisoned=True, code=0):
        done = subprocess.run([FACESHARD, *map(str, words)], capture_output=True, timeout=300,
                              env=self.environment(poisoned), check=False)
        self.assertEqual(done.returncode, code, (done.stderr + done.stdout).decode(errors="replace"))
        return done

    def run_job(self, output, *more, poisoned=True, code=0):
        done = self.faceshard("run", self.job, "--input", self.input, "--output", output, "--log", "json", *more,
                              poisoned=poisoned, code=code)
        lines = [json.loads(line) for line in done.stdout.decode().strip().splitlines()]
        self.events = [line["event"] for line in lines]
        self.warnings = [line["text"] for line in lines if line["event"] == "warning"]
        return lines[-1]

    def run_unit(self, output, *more):
        places = ("--input", self.input, "--output", output)
        self.faceshard("plan", self.job, *places, *more)
        self.faceshard("unit", self.job, 0, *places, *more, "--threads", 1)
        return shards(output)

    def assert_others_are_as_usual(self, poisoned, usual, bad):
        found, expected = rows(poisoned), rows(usual)
        others = numpy.array([source.decode() not in bad for source in expected["source"]])
        self.assertEqual(set(found), set(expected))
        self.assertIn("images", found)
        for name, column in expected.items():
            self.assertTrue(same(found[name], column[others]), name)

    def test_a_unit_of_500_with_a_crash_and_a_hang_delivers_498(self):
        write_people(self.input, 10, 50)
        self.run_job(self.place / "usual", poisoned=False)
        add_comment(self.input / "person 03" / "017.jpg", b"POISON-CRASH")
        add_comment(self.input / "person 07" / "001.jpg", b"POISON-HANG")
        output = self.place / "out"
        done = self.run_job(output, "--workers", 1, "--threads", 4)
        self.assertEqual((done["samples"], done["delivered"]), (500, 498))
        self.assertEqual(self.events.count("unit_failed"), 4)
        self.assertTrue([text for text in self.warnings if text.startswith("person 03/017.jpg is rejected (crashed)")])
        self.assertEqual(self.events.count("worker_joined"), 1)
        found = rejected(output)
        self.assertEqual({source: reason for source, (reason, value) in found.items()},
                         {"person 03/017.jpg": "crashed", "person 07/001.jpg": "timed_out"})
        self.assertEqual(found["person 03/017.jpg"][1], 11)
        self.assert_others_are_as_usual(output, self.place / "usual", found)
        self.assertEqual(self.run_unit(self.place / "alone"), shards(output))

    def test_a_picture_that_crashes_only_when_it_is_drawn_is_found(self):
        write_people(self.input, 2, 20)
        as_jpeg = ("--set", "output.encoding=jpeg")
        self.run_job(self.place / "usual", *as_jpeg, poisoned=False)
        bad = self.input / "person 01" / "007.jpg"
        bad.write_bytes(cv2.imencode(".jpg", numpy.full((60, 60, 3), (255, 0, 255), numpy.uint8))[1].tobytes())
        done = self.run_job(self.place / "out", *as_jpeg, "--workers", 1, "--threads", 3)
        self.assertEqual((done["samples"], done["delivered"]), (40, 39))
        self.assertEqual(rejected(self.place / "out"), {"person 01/007.jpg": ("crashed", 11)})
        self.assert_others_are_as_usual(self.place / "out", self.place / "usual", ["person 01/007.jpg"])
        self.assertEqual(self.run_unit(self.place / "alone", *as_jpeg), shards(self.place / "out"))

    def test_sample_takes_others_in_the_place_of_what_is_condemned(self):
        self.job.write_text(JOB.replace("  - variants", "  - sample: {per_class: 3}\n  - variants"))
        write_people(self.input, 2, 8)
        bad = [f"person 00/{image:03d}.jpg" for image in range(5)]
        for name in bad:
            add_comment(self.input / name, b"POISON-CRASH")
        done = self.run_job(self.place / "out", "--workers", 1, "--threads", 2)
        self.assertEqual(done["rejected"], {"crashed": 5, "not_sampled": 5})
        self.assertEqual(done["delivered"], 6)
        for name in bad:
            (self.input / name).write_bytes(b"no picture")
        self.run_job(self.place / "usual")
        found, expected = rows(self.place / "out"), rows(self.place / "usual")
        for name, column in expected.items():
            self.assertTrue(same(found[name], column), name)

    @unittest.skipIf("asan" in FACESHARD or "tsan" in FACESHARD, "sanitizers have no limit of memory")
    def test_a_picture_that_needs_too_much_memory_is_rejected(self):
        write_people(self.input, 1, 6)
        large = self.input / "person 00" / "003.png"
        cv2.imwrite(str(large), numpy.zeros((7000, 9500, 3), numpy.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 1])
        patient = ("--workers", 1, "--set", "limits.image_seconds=300")  # 66 million pixels, on a machine with other work
        done = self.run_job(self.place / "out", *patient, "--set", "limits.thread_memory=128", poisoned=False)
        self.assertEqual((done["delivered"], done["rejected"]), (6, {"no_memory": 1}))
        done = self.run_job(self.place / "large", *patient, poisoned=False)
        self.assertEqual(done["delivered"], 7)

    def test_what_is_known_about_suspects_survives_the_coordinator(self):
        write_people(self.input, 2, 10)
        add_comment(self.input / "person 00" / "004.jpg", b"POISON-CRASH")
        add_comment(self.input / "person 01" / "002.jpg", b"POISON-CRASH")
        output = self.place / "out"
        command = [FACESHARD, "run", self.job, "--input", self.input, "--output", output, "--log", "json", "--workers", "1"]
        deaths = 0
        with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              env=self.environment(True)) as process:
            for line in process.stdout:
                deaths += b'"unit_failed"' in line
                if deaths == 3:
                    process.send_signal(signal.SIGKILL)
                    break
        done = self.run_job(output, "--workers", 1)
        self.assertEqual(done["rejected"], {"crashed": 2})
        self.assertLessEqual(self.events.count("unit_failed"), 2)

    def test_workers_without_the_folders_find_the_same_culprits(self):
        write_people(self.input, 2, 10)
        add_comment(self.input / "person 00" / "004.jpg", b"POISON-CRASH")
        self.run_job(self.place / "shared", "--workers", 1)
        done = self.run_job(self.place / "stream", "--workers", 1, "--set", "transport.mode=stream")
        self.assertEqual(done["rejected"], {"crashed": 1})
        self.assertEqual(shards(self.place / "stream"), shards(self.place / "shared"))

    def test_a_program_that_crashes_on_every_picture_fails_the_job(self):
        write_people(self.input, 1, 50)
        for path in self.input.glob("*/*.jpg"):
            add_comment(path, b"POISON-CRASH")
        done = self.faceshard("run", self.job, "--input", self.input, "--output", self.place / "out", "--workers", 1, code=4)
        self.assertIn(b"signal 11", done.stderr)


if __name__ == "__main__":
    unittest.main()
